"""Administration: people, the trail, the state of the server; nobody but administrators, and none of it by a token."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from starlette.testclient import TestClient
from tests.web.conftest import LANGUAGES, PASSWORD, made, signed

from qonys.web.state import audit, onetime, passwords, people, sessions
from qonys.web.state.tables import ROLES

PAGES = ("admin", "admin/trail", "admin/system")
NOBODY = "0" * 32


@pytest.fixture(autouse=True)
def _cheap():
    passwords.use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield
    passwords.use_hasher(None)


@pytest.fixture
def app(tmp_path):
    found = made(tmp_path / "home")
    with TestClient(found):
        yield found


@pytest.fixture
def database(app):
    return app.state.desk.database


@pytest.fixture
def admin(app):
    return signed(app, "chief", "admin")


def last(database):
    return audit.entries(database, limit=1)[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_speaks_each_language_without_an_untranslated_word(admin, database, language, page):
    people.add(database, "out", role="analyst", password=PASSWORD, by=None)
    reply = admin.client.get(f"/{language}/{page}")
    assert reply.status_code == 200
    assert f'<html lang="{language}"' in reply.text
    shown = re.sub(r"<(code|script|style)[^>]*>.*?</\1>|<[^>]+>", " ", reply.text, flags=re.DOTALL)
    assert "web." not in shown
    if language != "en":
        assert not re.search(r"\b(person|settings?|sign|role|trail|hash|server)\b", shown, re.IGNORECASE)


@pytest.mark.parametrize("role", ROLES[:-1])
def test_nobody_below_an_administrator_sees_or_changes_anything(app, database, role):
    someone = signed(app, "someone", role)
    for page in PAGES:
        assert someone.client.get(f"/en/{page}").status_code == 403
    for path in (
        "admin/people",
        f"admin/people/{someone.person.id}/role",
        f"admin/people/{someone.person.id}/active",
        f"admin/people/{someone.person.id}/password",
        "admin/trail/verify",
    ):
        assert someone.post(f"/en/{path}", role="admin", name="mole", active="no").status_code == 403
    for path in ("people", "trail", "trail/verified", "system"):
        assert someone.client.get(f"/api/v1/{path}").status_code == 403
    assert people.person(database, someone.person.id).role == role
    assert people.named(database, "mole") is None


def test_a_person_is_added_with_a_one_time_password_shown_on_one_page(admin, database):
    reply = admin.post("/en/admin/people", name="marat", full_name="<i>Марат</i>", role="analyst", language="kk")
    word = re.search(r'class="secret">([^<]+)<', reply.text)[1]
    person = people.authenticate(database, "marat", word)
    assert (person.role, person.language, person.full_name) == ("analyst", "kk", "<i>Марат</i>")
    assert onetime.until(database, person) is not None
    assert "<i>" not in reply.text
    assert word not in admin.client.get("/en/admin").text
    added = audit.entries(database, action="people.add")[0]
    assert (added.name, added.detail["name"]) == ("chief", "marat")
    assert word not in str(audit.entries(database))


def test_a_password_that_was_typed_for_somebody_is_not_shown_and_must_be_replaced_too(admin, database):
    reply = admin.post("/en/admin/people", name="marat", role="viewer", language="en", password=PASSWORD)
    assert PASSWORD not in reply.text
    assert onetime.until(database, people.named(database, "marat")) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x"},
        {"name": "chief"},
        {"name": "a b"},
        {"name": "ok", "role": "king"},
        {"name": "ok", "language": "de"},
        {"name": "ok", "password": "short"},
        {"name": '"><script>'},
        {"name": "aигуль"},
    ],
)
def test_what_was_typed_wrong_is_said_and_nothing_typed_is_lost(admin, database, fields):
    reply = admin.post("/en/admin/people", **({"role": "adjudicator", "language": "en", "full_name": "Kept & shown"} | fields))
    assert reply.status_code == 400
    assert 'role="alert"' in reply.text
    assert 'value="Kept &amp; shown"' in reply.text
    assert "<script>" not in reply.text.replace("<script src", "")
    assert len(people.listed(database)) == 1


def test_roles_and_doors_are_changed_and_noted(app, admin, database):
    someone = signed(app, "someone", "viewer")
    assert admin.post(f"/en/admin/people/{someone.person.id}/role", role="analyst").status_code == 303
    assert people.person(database, someone.person.id).role == "analyst"
    assert last(database).detail == {"name": "someone", "from": "viewer", "to": "analyst"}
    assert admin.post(f"/en/admin/people/{someone.person.id}/active", active="no").status_code == 303
    assert someone.client.get("/en/account").status_code == 303
    assert admin.post(f"/en/admin/people/{someone.person.id}/active", active="yes").status_code == 303
    assert people.person(database, someone.person.id).active
    assert admin.post(f"/en/admin/people/{someone.person.id}/role", role="king").status_code == 400


def test_a_forgotten_password_is_replaced_by_a_one_time_one(app, admin, database):
    someone = signed(app, "someone", "viewer")
    reply = admin.post(f"/en/admin/people/{someone.person.id}/password")
    word = re.search(r'class="secret">([^<]+)<', reply.text)[1]
    assert people.authenticate(database, "someone", PASSWORD) is None
    assert people.authenticate(database, "someone", word)
    assert someone.client.get("/en/account").status_code == 303


def test_the_last_administrator_stays(admin, database):
    for path, field in (("role", {"role": "viewer"}), ("active", {"active": "no"})):
        reply = admin.post(f"/en/admin/people/{admin.person.id}/{path}", **field)
        assert reply.status_code == 400
        assert "last administrator" in reply.text
    assert people.person(database, admin.person.id).may("admin")


def test_somebody_who_is_not_there_is_not_there(admin):
    for path in ("role", "active", "password"):
        assert admin.post(f"/en/admin/people/{NOBODY}/{path}", role="viewer").status_code == 404
        assert admin.post(f"/en/admin/people/..%2f{NOBODY}/{path}", role="viewer").status_code in (404, 422)


def test_the_trail_is_read_in_pages_and_by_action_and_person(app, admin, database):
    with database.begin() as connection:
        for one in range(120):
            audit.record(connection, person=admin.person, action="test.write", object=f"object-{one}", detail={"what": "<b>"})
    seen, path = [], "/en/admin/trail?action=test.write"
    while path:
        page = admin.client.get(path).text
        assert "<b>" not in page
        seen += re.findall(r"object-(\d+)<", page)
        older = re.search(r'href="(/en/admin/trail\?[^"]*before=[^"]*)"', page)
        path = older[1].replace("&amp;", "&") if older else None
    assert seen == [str(one) for one in range(119, -1, -1)]
    assert "object-5<" not in admin.client.get(f"/en/admin/trail?person={NOBODY}").text
    assert "object-119<" in admin.client.get(f"/en/admin/trail?person={admin.person.id}").text
    assert admin.client.get("/en/admin/trail?before=x").status_code == 422
    assert len(admin.client.get("/api/v1/trail?limit=7&action=test.write").json()) == 7


def test_a_trail_that_was_touched_is_found_at_its_number(admin, database):
    assert "whole" in admin.post("/en/admin/trail/verify").text
    assert last(database).action == "audit.verify"
    assert admin.client.get("/api/v1/trail/verified").json()["broken"] is None
    with database.begin() as connection:
        for trigger in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")).all():
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE audit SET name = 'somebody else' WHERE number = 2"))
    reply = admin.post("/en/admin/trail/verify")
    assert "entry 2 was changed" in reply.text
    assert admin.client.get("/api/v1/trail/verified").json()["broken"] == 2


def test_settings_are_shown_without_secrets(tmp_path, monkeypatch):
    from qonys.web.pages.admin import shown_settings
    from qonys.web.settings import OpenID, Settings

    shown = shown_settings(
        Settings(
            home=tmp_path, database="postgresql://qonys:s3cret@db/qonys", openid=OpenID(issuer="https://id", client="c", secret="s3cret")
        )
    )
    assert "s3cret" not in str(shown)
    assert shown["database"] == "postgresql://qonys:***@db/qonys"
    assert shown["openid_issuer"] == "https://id"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_has_its_words(tmp_path, language):
    from qonys.i18n import words
    from qonys.web.pages.admin import shown_settings
    from qonys.web.settings import OpenID, Settings

    shown = shown_settings(Settings(home=tmp_path, openid=OpenID(issuer="https://id", client="c")))
    assert [name for name in shown if not words(language).has(f"web.setting.{name}")] == []


def test_the_interface_of_an_administrator_reads_people_and_the_system_also_by_a_token(app, admin, database):
    token, _ = sessions.issue_token(database, admin.person, "watch", days=1, role="admin")
    client = TestClient(app, headers={"Authorization": f"Bearer {token}"})
    assert [one["name"] for one in client.get("/api/v1/people").json()] == ["chief"]
    assert "password" not in client.get("/api/v1/people").text
    system = client.get("/api/v1/system").json()
    assert system["migration"] == system["newest"]
    assert system["free"] > 0
    assert client.get("/en/admin", follow_redirects=False).status_code == 303
