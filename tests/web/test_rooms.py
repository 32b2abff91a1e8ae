"""Rooms: their numbers as a form, what is wrong as a sentence and nothing lost, who may run and see what, and results in three languages."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from tests.web.conftest import LANGUAGES, made, signed

from qonys.core.errors import DataError, DesignError, QonysError
from qonys.i18n import words
from qonys.web.gate import masked
from qonys.web.jobs import files, work
from qonys.web.jobs.asked import SHIPPED_ROOMS, check_room, shipped_text
from qonys.web.jobs.fields import changed, groups_of
from qonys.web.jobs.work import do
from qonys.web.jobs.worker import part_of, publish
from qonys.web.state import jobs, rooms
from qonys.web.state.tables import jobs as table

HOSTILE = '<script>alert("x")</script>'
ROOMS = [(kind, name) for kind, names in SHIPPED_ROOMS.items() for name in names]
every_room = pytest.mark.parametrize(("kind", "name"), ROOMS)
SMALL = (("procedure", "permit"), ("corridor", "home"), ("settlement", "north"), ("settlement", "placement"), ("settlement", "support"))


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    application = made(tmp_path_factory.mktemp("rooms"))
    with TestClient(application):
        yield application


@pytest.fixture(scope="module")
def aigul(app):
    return signed(app, "aigul", "analyst")


@pytest.fixture(scope="module")
def dana(app):
    return signed(app, "dana", "viewer")


@pytest.fixture(scope="module")
def bolat(app):
    return signed(app, "bolat", "analyst")


def home_of(app):
    return app.state.desk.settings.home


def done(app, person, kind, name, *, title="", text="", options=None):
    """A run of a room, done in this process."""
    desk = app.state.desk
    content = text or shipped_text(name).replace("runs = 10", "runs = 2")
    found = check_room(desk.settings.home, kind, content, options or {}, owner=person.id, shipped_as=name)
    job = jobs.queue(desk.database, found.job, title=title or found.name, owner=person, asked=found.to_json())
    claimed = jobs.claim(desk.database)
    assert claimed.id == job.id
    said = []
    part = part_of(desk.settings.home, claimed)
    do(claimed, home=desk.settings.home, folder=part, tell=lambda *what: said.append(what))
    jobs.finish(desk.database, job.id, 1, publish(desk.settings.home, claimed, part))
    assert [(step, of) for step, of, _ in said] == sorted((step, of) for step, of, _ in said)  # it only goes forward
    return jobs.job(desk.database, job.id)


@pytest.fixture(scope="module")
def results(app, aigul):
    """A finished run of each kind."""
    options = {"home": {"binding": 1}, "support": {"draws": 40, "by": "housing"}}
    return {name: done(app, aigul.person, kind, name, options=options.get(name)) for kind, name in SMALL}


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def form_of(client, kind, room="", language="en"):
    """The form of a room as a browser would send it."""
    page = client.client.get(f"/{language}/rooms/{kind}", params={"room": room}).text
    page = page[page.index('enctype="multipart') :]
    given = {}
    for tag in re.findall(r"<input [^>]*>", page):
        told = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in told and told.get("type") not in ("file", "checkbox"):
            given[told["name"]] = html.unescape(told.get("value", ""))
    for name, options in re.findall(r'<select [^>]*name="([^"]*)">(.*?)</select>', page, re.S):
        given[name] = re.search(r'value="(\w*)" selected', options)[1]
    given["text"] = html.unescape(re.search(r"<textarea [^>]*>\n(.*?)</textarea>", page, re.S)[1])
    return given


def post(client, kind, given, upload=(), **more):
    data = {**given, "csrf": masked(client.csrf), **more}
    return client.client.post(f"/en/rooms/{kind}", data=data, files=list(upload) or [("none", ("", b""))])


# numbers as fields


@every_room
def test_a_room_as_it_ships_holds_together_and_each_of_its_values_has_a_label(kind, name, tmp_path):
    found = check_room(tmp_path, kind, shipped_text(name), {}, shipped_as=name)
    assert found.unchanged
    for language in LANGUAGES:
        groups = groups_of(shipped_text(name), words(language))
        fields = [field for group in groups for field in group.fields]
        assert fields
        assert [field.label for field in fields if re.search(r"[a-z]\.[a-z]", field.label)] == []  # a path is no label
        assert len({field.name for field in fields}) == len(fields)


def test_values_of_a_room_of_the_study_say_where_they_come_from():
    groups = {group.code: group for group in groups_of(shipped_text("kandas"), words("kk"))}
    fields = {field.label: field for field in groups[""].fields}
    assert fields["заңды мерзім, күн"].origin == "seed"
    assert groups["agencies"].told == (
        (
            "assumed",
            "әр қызметтің қызметкерлері",
            "Жарияланбайды. Жұмыс уақытының оннан тоғызы бос болмайтындай етіп таңдалды: қоры жоқ қызметтегідей.",
        ),
    )


@every_room
def test_fields_that_are_not_changed_leave_the_text_as_it_is(kind, name):
    text = shipped_text(name)
    given = {field.name: field.value for group in groups_of(text, words("en")) for field in group.fields}
    assert changed(text, text, given) == (text, {}, None)


@every_room
def test_a_changed_field_changes_that_value_alone_and_keeps_comments(kind, name):
    text = shipped_text(name)
    fields = [field for group in groups_of(text, words("en")) for field in group.fields if field.kind == "number"]
    for field in (fields[0], fields[-1]):
        new, failed, wrong = changed(text, text, {field.name: "0.25"})
        assert (failed, wrong) == ({}, None)
        before, after = text.splitlines(), new.splitlines()
        assert len(before) == len(after)
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
        again = {one.path: one.value for group in groups_of(new, words("en")) for one in group.fields}
        assert again[field.path] == "0.25"


def test_what_was_changed_in_the_text_and_in_a_field_is_put_together():
    base = shipped_text("permit")
    field = next(one for group in groups_of(base, words("en")) for one in group.fields if one.label == "repetitions")
    new, _, wrong = changed(base.replace("months = 6", "months = 7"), base, {field.name: "3"})
    assert wrong is None
    assert "months = 7" in new
    assert "runs = 3" in new


@pytest.mark.parametrize("typed", ["many", "nan", "1e999", "", "12 officers"])
def test_a_field_that_is_no_number_is_told_and_kept_as_it_was_typed(typed):
    base = shipped_text("permit")
    text, failed, wrong = changed(base, base, {"n-0": typed})
    assert text == base
    assert failed == {("limit",): typed}
    assert "is no number" in wrong[0]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5000,
        ".".join(["a"] * 5000) + " = 1",
        "x = " + "{a=" * 3000,
        "x = 2020-02-31",
        "x = " + "9" * 5000,
        "\0",
        "x = \N{LATIN SMALL LETTER A}",
        "x" * 300_000,
        "",
        "limit = true",
        "[[steps]]\nid = 3",
        "steps = 4\nagencies = 3\nfirst = 2020-01-01",
        "labels = 3",
        "origins = [1]",
        "[labels]\na = 4",
    ],
)
@pytest.mark.parametrize("kind", ["procedure", "corridor", "settlement"])
def test_what_is_no_room_is_refused_with_a_sentence(tmp_path, kind, text):
    with pytest.raises(QonysError) as told:
        check_room(tmp_path, kind, text, {})
    assert told.value.what
    assert told.value.mend


# tables and paths


@pytest.mark.parametrize(
    "name", ["../secret.csv", "/etc/passwd", "a/b.csv", "..\\x.csv", ".hidden.csv", "x.csv\0", "~/x.csv", "x.py", "C:\\x.csv", "..csv"]
)
def test_a_room_names_uploaded_tables_by_name_alone(tmp_path, name):
    text = shipped_text("placement").replace(
        '"households.csv"', repr(name).replace("\\x00", "\\u0000") if "\0" not in name else '"x\\u0000.csv"'
    )
    with pytest.raises(DataError, match=r"no name of an uploaded file|has the suffix"):
        check_room(tmp_path, "settlement", text, {}, owner="o" * 32, shipped_as="placement")


def test_a_link_among_the_uploads_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "uploads" / "me"
    folder.mkdir(parents=True)
    (folder / ("a" * 64 + "-households.csv")).symlink_to(tmp_path / "secret")
    assert files.held(tmp_path, "me") == {}
    with pytest.raises(DataError, match="no longer kept"):
        files.place(tmp_path, "me", {"households.csv": "a" * 64}, tmp_path)


def test_tables_are_those_of_their_owner(tmp_path):
    digest = files.keep(tmp_path, "me", "mine.csv", b"a,b\n1,2\n")
    files.keep(tmp_path, "me", "mine.csv", b"newer")
    assert files.held(tmp_path, "me")["mine.csv"] != digest  # the newest counts, older ones stay for the runs that know them
    files.place(tmp_path, "me", {"mine.csv": digest}, tmp_path)
    assert (tmp_path / "mine.csv").read_bytes() == b"a,b\n1,2\n"
    with pytest.raises(DataError, match="no longer kept"):
        files.place(tmp_path, "other", {"mine.csv": digest}, tmp_path)
    text = shipped_text("placement").replace("households.csv", "mine.csv")
    assert check_room(tmp_path, "settlement", text, {}, owner="me", shipped_as="placement").files["mine.csv"]
    with pytest.raises(DataError, match="was not uploaded"):
        check_room(tmp_path, "settlement", text, {}, owner="other", shipped_as="placement")


# the form


def test_a_form_checks_runs_and_keeps_what_was_typed(app, aigul):
    given = form_of(aigul, "procedure", "permit")
    reply = post(aigul, "procedure", given, action="check")
    assert reply.status_code == 200
    assert 'class="holds"' in reply.text
    wrong = post(aigul, "procedure", {**given, "n-0": "9999"}, action="check")
    assert wrong.status_code == 422
    assert "limit = 9999.0 is above ten years" in text_of(wrong.text)
    assert 'value="9999"' in wrong.text
    broken = post(aigul, "procedure", {**given, "text": "limit = [", "n-1": "2021-05-01"}, action="run")
    assert broken.status_code == 422
    assert "permit.toml is not valid TOML" in text_of(broken.text)
    assert "limit = [" in broken.text
    assert 'value="2021-05-01"' in broken.text
    run = post(aigul, "procedure", {**given, "name": "two officers more", "n-8": "8"}, action="run")
    assert run.status_code == 303
    job = jobs.job(app.state.desk.database, run.headers["location"].rsplit("/", 1)[1])
    assert (job.kind, job.title, job.state, job.owner) == ("procedure", "two officers more", "waiting", aigul.person.id)
    assert "officers = 8" in job.asked["text"]
    assert job.asked["unchanged"] is False
    page = aigul.client.get(run.headers["location"])
    assert "<progress" in page.text
    assert f'data-follow="/en/runs/{job.id}/progress"' in page.text
    assert "data-follow" in aigul.client.get(f"/en/runs/{job.id}/progress").text
    assert aigul.post(f"/en/runs/{job.id}/cancel").status_code == 303
    assert jobs.job(app.state.desk.database, job.id).state == "cancelled"
    assert "data-follow" not in aigul.client.get(f"/en/runs/{job.id}/progress").text


def test_a_room_is_loaded_from_a_file_and_kept_as_a_variant(app, aigul, bolat, dana):
    given = form_of(aigul, "procedure")
    loaded = post(aigul, "procedure", given, action="load", upload=[("file", ("own.toml", shipped_text("permit").encode()))])
    assert "interior ministry" in loaded.text
    assert "is not UTF-8" in post(aigul, "procedure", given, action="load", upload=[("file", ("own.toml", b"\xff\xfe"))]).text
    kept = post(aigul, "procedure", {**given, "name": HOSTILE}, action="save")
    assert kept.status_code == 303
    id = kept.headers["location"].rpartition("=")[2]
    assert rooms.room(app.state.desk.database, id).name == HOSTILE
    mine = aigul.client.get(kept.headers["location"]).text
    assert HOSTILE not in mine
    assert html.escape(HOSTILE, quote=False).split("(")[0] in mine
    assert bolat.client.get(f"/en/rooms/procedure?room={id}").status_code == 404
    assert bolat.post(f"/en/rooms/variants/{id}/share").status_code == 404
    assert aigul.post(f"/en/rooms/variants/{id}/share").status_code == 303
    assert bolat.client.get(f"/en/rooms/procedure?room={id}").status_code == 200
    assert bolat.post(f"/en/rooms/variants/{id}/remove").status_code == 404
    assert HOSTILE not in bolat.client.get("/ru/rooms").text
    assert aigul.post(f"/en/rooms/variants/{id}/remove").status_code == 303
    assert bolat.client.get(f"/en/rooms/procedure?room={id}").status_code == 404


def test_an_uploaded_table_takes_the_place_of_the_one_that_ships(app, aigul):
    given = form_of(aigul, "settlement", "placement")
    table_ = b"household_id,members,workers,children_school,skill\nh1,5,2,2,farm\n"
    reply = post(aigul, "settlement", given, action="check", upload=[("tables", ("households.csv", table_))])
    assert reply.status_code == 200
    assert files.held(home_of(app), aigul.person.id).keys() == {"households.csv"}
    assert b"h1,5" not in reply.content
    bad = post(aigul, "settlement", given, action="check", upload=[("tables", ("../../x.csv", table_))])
    assert bad.status_code in (200, 422)  # some servers strip the folders themselves; no file is written outside in any case
    assert not list(home_of(app).parent.glob("x.csv"))
    for path in (home_of(app) / "uploads" / aigul.person.id).iterdir():
        path.unlink()


@pytest.mark.parametrize(
    "path",
    [
        "/en/rooms/procedure",
        "/en/rooms/variants/" + "0" * 32 + "/share",
        "/en/runs/" + "0" * 32 + "/cancel",
        "/en/studies/new",
        "/en/studies/kazakhstan/run",
    ],
)
def test_writing_needs_an_analyst_and_the_secret_of_the_form(aigul, dana, path):
    assert dana.post(path, action="run").status_code == 403
    assert aigul.client.post(path, data={"action": "run"}).status_code == 403


# results


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_result_has_its_sentences_pictures_and_tables_in_the_language(aigul, results, language):
    for name, job in results.items():
        reply = aigul.client.get(f"/{language}/runs/{job.id}")
        assert reply.status_code == 200, name
        page = reply.text
        assert re.search(r'<div class="answer">\s*<p>.{20,}', page), name
        assert "<caption>" in page, name
        assert ("<svg" in page) == (name != "north"), name
        assert "style=" not in page
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids)), name
        if language != "en":
            plain = text_of(re.sub(r'<(\w+)[^>]*lang="en"[^>]*>.*?</\1>|<(code|title|desc|style|nav)[^>]*>.*?</\2>', " ", page, flags=re.S))
            left = set(re.findall(r"[A-Za-z]{3,}", plain)) - {
                "Qonys",
                "English",
                "SVG",
                "PNG",
                "CSV",
                "XLSX",
                "TOML",
                "JSON",
                "KZT",
                "aigul",
            }
            assert left <= {"support", "placement"}, (name, left)


def test_pictures_and_tables_of_a_result_are_taken_as_files(aigul, results):
    job = results["permit"]
    page = aigul.client.get(f"/kk/runs/{job.id}").text
    links = re.findall(r'<a download href="([^"]+)"', page)
    assert len(links) > 10
    for link in links:
        reply = aigul.client.get(html.unescape(link))
        assert reply.status_code == 200, link
        assert reply.content
    assert aigul.client.get(f"/kk/runs/{job.id}/files/permit.toml").text == job.asked["text"]
    for name in ("../../qonys.db", "answer.txt", "..%2f..%2fqonys.db", "words", "tables"):
        assert aigul.client.get(f"/kk/runs/{job.id}/files/{name}").status_code in (404, 422)


def test_no_row_of_a_household_is_kept_or_shown(app, aigul, results):
    for name in ("placement", "support"):
        job = results[name]
        folder = home_of(app) / job.folder
        assert not [
            path.name for path in (folder / "tables").iterdir() if path.stem in ("placements", "unplaced", "notes") and name == "placement"
        ]
        assert b"H000001" not in b"".join(
            path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix in (".json", ".txt", ".toml")
        )
        assert not list(folder.rglob("*.csv"))
        page = aigul.client.get(f"/en/runs/{job.id}").text
        assert not re.search(r"\bh[1-6]\b|\bH0000", re.sub(r"<h[1-6][ >]|</h[1-6]>", "", page))


def test_two_to_four_runs_of_one_kind_stand_side_by_side(app, aigul, results):
    desk, first = app.state.desk, results["permit"]
    other = jobs.queue(desk.database, "procedure", title=HOSTILE, owner=aigul.person, asked=first.asked)
    with desk.database.begin() as connection:
        connection.execute(update(table).where(table.c.id == other.id).values(state="done", folder=first.folder))
    ids = [results["permit"].id, other.id]
    reply = aigul.client.get("/ru/runs/compare", params={"run": ids})
    assert reply.status_code == 200
    assert reply.text.count("<svg") == 6
    assert HOSTILE not in reply.text
    found = re.findall(r' id="([^"]+)"', reply.text)
    assert len(found) == len(set(found))
    assert aigul.client.get("/ru/runs/compare/compared.csv", params={"run": ids}).text.count("\n") == 7
    for wrong in ([ids[0]], [ids[0], results["home"].id], [ids[0]] * 2):
        assert aigul.client.get("/ru/runs/compare", params={"run": wrong}).status_code == 400
    assert aigul.client.get("/ru/runs/compare", params={"run": [ids[0]] * 5}).status_code == 422


def test_a_run_is_its_owner_s_until_it_is_shared(app, aigul, bolat, dana, results):
    admin = signed(app, "admin", "admin")
    own = results["permit"]
    for who, seen in ((aigul, 200), (bolat, 404), (dana, 404), (admin, 200)):
        assert who.client.get(f"/en/runs/{own.id}").status_code == seen
        assert who.client.get(f"/en/runs/{own.id}/progress").status_code == seen
        assert who.client.get(f"/en/runs/{own.id}/files/run.json").status_code == seen
        assert who.client.get(f"/api/v1/runs/{own.id}/result").status_code == seen
        assert who.client.get("/en/runs/compare", params={"run": [own.id, own.id[::-1]]}).status_code in (404, seen)
    assert bolat.post(f"/en/runs/{own.id}/share").status_code == 404
    assert aigul.post(f"/en/runs/{own.id}/share", shared="yes").status_code == 303
    assert dana.client.get(f"/en/runs/{own.id}").status_code == 200
    assert own.id in dana.client.get("/en/rooms").text
    assert bolat.post(f"/en/runs/{own.id}/cancel").status_code == 404
    assert aigul.post(f"/en/runs/{own.id}/share", shared="no").status_code == 303
    assert dana.client.get(f"/en/runs/{own.id}").status_code == 404
    ships = results["north"]  # a room just as it ships
    assert dana.client.get(f"/en/runs/{ships.id}").status_code == 200
    assert "8.4 % went back" in dana.client.get("/en/rooms").text


def test_a_reader_who_is_not_signed_in_sees_what_is_open_and_may_write_nothing(app, aigul, results):
    desk = app.state.desk
    with TestClient(made(home_of(app), public=True), follow_redirects=False, raise_server_exceptions=False) as public:
        assert public.get(f"/en/runs/{results['north'].id}").status_code == 200
        assert public.get(f"/en/runs/{results['permit'].id}").status_code == 404
        for language in LANGUAGES:
            for path in ("rooms", "rooms/procedure", "rooms/corridor", "rooms/settlement", "studies", "studies/claims"):
                page = public.get(f"/{language}/{path}")
                assert page.status_code == 200
                assert 'name="action"' not in page.text or "disabled" in page.text
        assert public.get("/en/runs").status_code in (303, 401)
        assert public.post("/en/rooms/procedure", data={"action": "run"}).status_code in (303, 401, 403)
        assert [one["id"] for one in public.get("/api/v1/runs").json()].count(results["permit"].id) == 0
    assert desk.database.healthy()


def test_why_a_run_failed_is_told_as_it_is_and_never_run_as_html(app, aigul):
    desk = app.state.desk
    job = jobs.queue(desk.database, "procedure", title="bad", owner=aigul.person, asked={"text": shipped_text("permit")})
    with desk.database.begin() as connection:
        connection.execute(update(table).where(table.c.id == job.id).values(state="failed", error={"what": HOSTILE, "mend": "mend it"}))
    page = aigul.client.get(f"/kk/runs/{job.id}").text
    assert HOSTILE not in page
    assert "mend it" in page
    assert HOSTILE not in aigul.client.get("/kk/runs").text


def test_a_corridor_without_a_plan_says_which_limits_cannot_hold_together(app, aigul):
    text = shipped_text("home").replace("left = 30", "left = 30\nhome_by = 2020-05-01")
    job = done(app, aigul.person, "corridor", "home", text=text)
    page = text_of(aigul.client.get(f"/en/runs/{job.id}").text)
    assert "No plan keeps all limits" in page
    assert "all home by May 1, 2020" in page


def test_groups_of_few_households_are_not_shown(app, aigul, monkeypatch):
    monkeypatch.setattr(work, "FEW", 300)
    with pytest.raises(DesignError, match="too many or too small"):
        done(app, aigul.person, "settlement", "support", options={"draws": 40, "by": "housing"})
    desk = app.state.desk
    for one in jobs.listed(desk.database, states=jobs.ACTIVE):
        jobs.fail(desk.database, one.id, one.attempt, "x", "y")


# the interface


def test_the_interface_lists_checks_runs_follows_and_cancels(app, aigul, dana):
    client, secret = aigul.client, {"X-CSRF-Token": masked(aigul.csrf)}
    assert {one["room"] for one in client.get("/api/v1/rooms").json()} >= {"kandas", "transit-2020", "north"}
    assert client.get("/api/v1/rooms/procedure/text", params={"room": "permit"}).text == shipped_text("permit")
    checked = client.post("/api/v1/rooms/procedure/check", json={"room": "permit"}, headers=secret)
    assert checked.json() == {"kind": "procedure", "name": "permit", "values": 22, "tables": []}
    wrong = client.post("/api/v1/rooms/procedure/check", json={"text": "limit = 0"}, headers=secret)
    assert wrong.status_code == 400
    assert wrong.json()["what"]
    assert client.post("/api/v1/rooms/procedure/run", json={"room": "permit"}).status_code == 403  # no secret
    assert (
        dana.client.post("/api/v1/rooms/procedure/run", json={"room": "permit"}, headers={"X-CSRF-Token": masked(dana.csrf)}).status_code
        == 403
    )
    option = client.post("/api/v1/rooms/corridor/run", json={"room": "home", "options": {"binding": 99}}, headers=secret)
    assert (option.status_code, "binding = 99" in option.json()["what"]) == (400, True)
    run = client.post("/api/v1/rooms/corridor/run", json={"room": "home", "options": {"binding": 1}}, headers=secret)
    assert run.status_code == 202
    id = run.json()["id"]
    assert client.get(f"/api/v1/runs/{id}").json()["state"] == "waiting"
    assert client.get(f"/api/v1/runs/{id}/result").status_code == 503
    assert client.post(f"/api/v1/runs/{id}/cancel", json={}, headers=secret).json()["state"] == "cancelled"
    assert client.get("/api/v1/runs/x").status_code == 422
    assert client.get(f"/api/v1/runs/{'0' * 32}").status_code == 404


def test_a_result_as_json_has_the_words_and_rows_of_the_page(aigul, results):
    found = aigul.client.get(f"/api/v1/runs/{results['home'].id}/result", params={"lang": "ru"}).json()
    assert found["answer"][0].startswith("К 9 мая 2020")
    assert {"key", "home-picture", "routes-picture", "groups"} <= {one["name"] for one in found["blocks"]}
    assert all(one["rows"] for one in found["blocks"])
    assert replace(results["home"], title="x").title == "x"
