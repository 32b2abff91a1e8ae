"""The pages over both databases: the main tasks from signing in to a result are the same, and the trail is whole afterwards."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient
from tests.web.conftest import made, signed
from tests.web.state.conftest import PASSWORD
from tests.web.test_workplace import CODES, ENTRY, WHY

from qonys.web.gate import masked
from qonys.web.jobs.work import do
from qonys.web.jobs.worker import part_of, publish
from qonys.web.state import audit, jobs, people, work


def test_the_main_tasks_go_the_same_way_over_both_databases(db, address, tmp_path):
    people.add(db, "Aigul", role="admin", password=PASSWORD, by="root")
    app = made(Path(tmp_path / "desk"), database=address)
    with TestClient(app, follow_redirects=False) as client:
        database = app.state.desk.database
        # a person signs in by a form, after a wrong password
        assert client.post("/en/sign-in", data={"name": "aigul", "password": "not the right words"}).status_code == 401
        assert client.post("/en/sign-in", data={"name": "aigul", "password": PASSWORD}).status_code == 303
        assert client.get("/kk/admin").status_code == 200
        zhuldyz, dana, serik = (signed(app, name, role) for name, role in
                                (("Zhuldyz", "analyst"), ("Dana", "analyst"), ("Serik", "adjudicator")))  # fmt: skip

        # an entry is proposed, coded by a second person, decided by a third, and stands in the register of the house
        def send(who, path, body):
            return who.client.post(f"/api/v1/work/{path}", json=body, headers={"X-CSRF-Token": masked(who.csrf)})

        id = send(zhuldyz, "proposals", {"entry": ENTRY, "reason": WHY}).json()["id"]
        assert send(dana, f"proposals/{id}/coding", {"codes": CODES}).status_code == 201
        assert send(serik, f"proposals/{id}/decision", {"accepted": True, "reason": WHY, "codes": CODES}).status_code == 201
        assert work.proposal(database, id).state == "accepted"
        assert "Entry opened for labour" in dana.client.get("/en/measures/entry?id=TT900").text
        # a room is run and its result read; those of others stay closed
        reply = zhuldyz.client.post("/api/v1/rooms/settlement/run", json={"room": "north"}, headers={"X-CSRF-Token": masked(zhuldyz.csrf)})
        job = jobs.claim(database)
        assert job.id == reply.json()["id"]
        part = part_of(app.state.desk.settings.home, job)
        do(job, home=app.state.desk.settings.home, folder=part, tell=lambda *_: None)
        assert jobs.finish(database, job.id, job.attempt, publish(app.state.desk.settings.home, job, part))
        for language in ("en", "ru", "kk"):
            assert zhuldyz.client.get(f"/{language}/runs/{job.id}").status_code == 200
        assert client.get("/en/rooms").status_code == 200
        assert client.get("/en/admin/trail").status_code == 200
        assert audit.verify(database) is None
        assert client.get("/health").json()["state"] == "well"
