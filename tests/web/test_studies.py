"""Studies: the list and its reports, an own study that stays among its files, the way back of a number, and the check of a text."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.conftest import LANGUAGES, made, signed

from qonys.core.errors import QonysError
from qonys.web.gate import masked
from qonys.web.jobs import files
from qonys.web.jobs.asked import PERSONAL, check_study
from qonys.web.jobs.work import do
from qonys.web.jobs.worker import part_of, publish
from qonys.web.state import jobs

HOSTILE = "<script>alert('x')</script>"
STUDY = f"""
name = "tiny"
title = {{ en = "A tiny study {HOSTILE}", ru = "Малое исследование", kk = "Шағын зерттеу" }}
areas = ["KAZ"]
first = 2019
last = 2022
languages = ["ru", "en"]
questions = ["resettlement"]

[tables]
figure = ["shipped:figure/seed.csv", "own.csv"]

[options.resettlement]
pairs = [{{ id = "2021", resettled = "SF076", returned = "SF077" }}]
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    application = made(tmp_path_factory.mktemp("studies"))
    with TestClient(application):
        yield application


@pytest.fixture(scope="module")
def aigul(app):
    return signed(app, "aigul", "analyst")


@pytest.fixture(scope="module")
def dana(app):
    return signed(app, "dana", "viewer")


@pytest.fixture(scope="module")
def table():
    """A table of figures of one's own."""
    from qonys.store import shipped

    lines = shipped().path("figure/seed.csv").read_text(encoding="utf-8").splitlines()
    row = lines[1].split(",", 1)
    return "\n".join([lines[0], f"OWN1,{row[1]}"]).encode()


@pytest.fixture(scope="module")
def tiny(app, aigul, table):
    """An own study, handed in by the form and done in this process."""
    desk = app.state.desk
    reply = aigul.client.post(
        "/en/studies/new", data={"csrf": masked(aigul.csrf), "text": STUDY}, files=[("tables", ("own.csv", table)), ("file", ("", b""))]
    )
    assert reply.status_code == 303, reply.text[-3000:]
    job = jobs.claim(desk.database)
    assert reply.headers["location"].endswith(job.id)
    part = part_of(desk.settings.home, job)
    do(job, home=desk.settings.home, folder=part, tell=lambda *_: None)
    jobs.finish(desk.database, job.id, 1, publish(desk.settings.home, job, part))
    return jobs.job(desk.database, job.id)


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_has_every_study_with_the_state_of_its_last_run(aigul, tiny, language):
    page = aigul.client.get(f"/{language}/studies").text
    for name in ("kazakhstan", "eu-covid", "tiny"):
        assert f"/{language}/studies/{name}" in page
    assert HOSTILE not in page
    one = aigul.client.get(f"/{language}/studies/tiny")
    assert one.status_code == 200
    assert HOSTILE not in one.text
    assert "own.csv" in one.text
    assert "/reports/tiny/ru/report.html" in one.text
    assert aigul.client.get(f"/{language}/studies/rooms-of-war").status_code == 400


def test_a_study_that_was_never_run_says_so(aigul):
    assert "Not run here yet." in text_of(aigul.client.get("/en/studies/kazakhstan").text)


def test_the_views_show_an_own_study_once_it_was_run(app, aigul, tiny):
    assert tiny.folder == "runs/tiny"
    assert "tiny" in app.state.desk.runs.names()
    page = aigul.client.get("/en/rooms/questions", params={"study": "tiny", "question": "resettlement"})
    assert page.status_code == 200
    assert "/en/studies/trace?study=tiny&amp;cell=" in page.text


def test_a_report_is_served_under_a_policy_of_its_own_that_allows_just_what_we_wrote(aigul, tiny):
    for address, language in (
        ("/reports/tiny/report.html", "ru"),
        ("/reports/tiny/ru/report.html", "ru"),
        ("/reports/tiny/en/report.html", "en"),
    ):
        reply = aigul.client.get(address)
        assert reply.status_code == 200
        assert f'<html lang="{language}">' in reply.text
        assert HOSTILE not in reply.text
        policy = reply.headers["content-security-policy"]
        assert "unsafe-inline" not in policy
        for tag, rule in (("style", "style-src"), ("script", "script-src")):
            (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", reply.text, re.S)
            digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"{rule} 'sha256-{digest}'" in policy
    for link in re.findall(r'href="([^"#:]+report\.html)"', aigul.client.get("/reports/tiny/report.html").text):
        assert aigul.client.get(f"/reports/tiny/{link}").status_code == 200
    assert aigul.client.get("/reports/tiny/tables.xlsx").content[:2] == b"PK"
    for missing in ("run.json", "study.toml", "..%2ftiny%2frun.json", "tables/figure.parquet", "en/run.json", "kk/report.html"):
        assert aigul.client.get(f"/reports/tiny/{missing}").status_code in (404, 422)


def test_a_page_that_is_not_as_we_write_it_gets_no_script(tmp_path):
    from qonys.web.pages.studies import policy_of

    page = tmp_path / "report.html"
    page.write_text("<style>a{}</style><script>ours()</script><p><script>theirs()</script>")
    assert "script-src" not in policy_of(page, 1)
    assert "style-src" in policy_of(page, 1)


# an own study stays among its files


@pytest.mark.parametrize(
    "name",
    [
        "../../qonys.db",
        "/etc/passwd",
        "sub/own.csv",
        "..\\\\own.csv",
        "shipped:../studies/kazakhstan.toml",
        "shipped:/etc/passwd",
        ".own.csv",
        "own.exe",
    ],
)
def test_a_study_reaches_no_path_outside(tmp_path, name):
    with pytest.raises(QonysError):
        check_study(tmp_path, STUDY.replace("own.csv", name), owner="o" * 32)


@pytest.mark.parametrize("name", ["../evil", "kazakhstan", "trace", "questions", "a b", ".hidden", "", "x" * 65, "study.toml/.."])
def test_a_study_has_a_name_that_is_no_path_and_no_built_in_one(tmp_path, name):
    with pytest.raises(QonysError):
        check_study(
            tmp_path,
            STUDY.replace('"tiny"', repr(name).replace("'", '"')).replace('"own.csv"', '"shipped:figure/kaz_kandas.csv"'),
            owner="",
        )


@pytest.mark.parametrize("contract", PERSONAL)
def test_a_study_takes_no_tables_of_persons(tmp_path, contract):
    files.keep(tmp_path, "me", "own.csv", b"x")
    with pytest.raises(QonysError, match="hold persons"):
        check_study(tmp_path, STUDY.replace('"own.csv"]', f'"own.csv"]\n{contract} = ["own.csv"]'), owner="me")


@pytest.mark.parametrize(
    "text", ["", "name = 3", "name = 'a'\ntables = 3", "name = 'a'\n[tables]\nfigure = [3]", "[" * 4000, "name = 'a'\ntables = {x = 1}"]
)
def test_what_is_no_study_is_refused_and_kept_as_it_was_typed(aigul, text):
    reply = aigul.post("/en/studies/new", text=text)
    assert reply.status_code == 422
    assert html.escape(text, quote=False).replace("'", "&#39;") in reply.text
    assert 'role="alert"' in reply.text


def test_a_study_of_another_person_is_not_run_over(app, tiny):
    bolat = signed(app, "bolat", "analyst")
    files.keep(app.state.desk.settings.home, bolat.person.id, "own.csv", b"id\n")
    reply = bolat.post("/en/studies/new", text=STUDY)
    assert reply.status_code == 422
    assert "another person" in text_of(reply.text)
    assert bolat.post("/en/studies/tiny/run").status_code == 400


def test_a_study_is_asked_for_once_however_often_the_button_is_pressed(app, aigul, dana, tiny):
    first, second = (aigul.post("/en/studies/tiny/run") for _ in range(2))
    assert first.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    job = jobs.job(app.state.desk.database, first.headers["location"].rsplit("/", 1)[1])
    assert job.asked["text"] == STUDY.replace("\r\n", "\n")
    assert aigul.post(f"/en/runs/{job.id}/cancel").status_code == 303
    assert dana.post("/en/studies/tiny/run").status_code == 403
    page = aigul.post("/en/studies/kazakhstan/run")
    assert jobs.job(app.state.desk.database, page.headers["location"].rsplit("/", 1)[1]).asked == {"study": "kazakhstan"}


# the way back


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_leads_back_to_its_rows_sources_and_files(aigul, tiny, language):
    page = aigul.client.get("/en/rooms/questions", params={"study": "tiny", "question": "resettlement"}).text
    cell = html.unescape(re.search(r"cell=([^\"]+)\"", page)[1])
    reply = aigul.client.get(f"/{language}/studies/trace?study=tiny&cell={cell}")
    assert reply.status_code == 200
    plain = text_of(reply.text)
    assert "figure/seed.csv" in plain
    assert re.search(r"SHA-256\s+[0-9a-f]{16}", plain)
    for link in re.findall(rf'href="(/{language}/studies/trace[^"]+)"', reply.text):
        assert aigul.client.get(html.unescape(link)).status_code == 200
    found = aigul.client.get("/api/v1/studies/trace", params={"study": "tiny", "cell": re.sub("%2F", "/", cell), "lang": language}).json()
    assert found[0]["value"]
    assert found[-1]["sha256"]


@pytest.mark.parametrize(
    "cell", ["crossing/x/person_id", "household/h1", "nothing", "../run.json", "figure/../../x", "resettlement/2021/nothing", HOSTILE]
)
def test_a_way_back_that_is_none_or_leads_to_persons_is_refused(aigul, tiny, cell):
    reply = aigul.client.get("/en/studies/trace", params={"study": "tiny", "cell": cell})
    assert reply.status_code == 400
    assert HOSTILE not in reply.text


# the check of a text


def test_the_numbers_of_a_text_are_checked_and_the_text_is_not_kept(aigul, dana):
    text = "770 people of 9,206 returned, or 12.4 %. " + HOSTILE
    reply = dana.post("/en/studies/claims", text=text)
    assert reply.status_code == 200
    assert "8.36" in text_of(reply.text)
    assert HOSTILE not in reply.text
    assert "9,206" not in text_of(dana.client.get("/en/studies/claims").text)
    for language in LANGUAGES:
        assert dana.post(f"/{language}/studies/claims", text=text).status_code == 200
        assert dana.post(f"/{language}/studies/claims", text="").status_code == 200
    assert dana.client.post("/en/studies/claims", data={"text": text}).status_code == 403
    found = dana.client.post("/api/v1/studies/claims?lang=ru", json={"text": text}, headers={"X-CSRF-Token": masked(dana.csrf)}).json()
    (claim,) = found
    assert not claim["verdict"].startswith("holds")
    assert "8,36" in claim["sentence"]
    assert "770" in claim["span"]
    assert dana.client.post("/api/v1/studies/claims", json={"text": text}).status_code == 403


def test_the_interface_lists_studies_and_runs_them(app, aigul, dana, tiny):
    found = {one["name"]: one for one in aigul.client.get("/api/v1/studies").json()}
    assert found["tiny"]["built_in"] is False
    assert found["tiny"]["run_at"]
    assert found["kazakhstan"]["built_in"] is True
    secret = {"X-CSRF-Token": masked(aigul.csrf)}
    run = aigul.client.post("/api/v1/studies/eu-covid/run", json={}, headers=secret)
    assert run.status_code == 202
    assert aigul.client.post(f"/api/v1/runs/{run.json()['id']}/cancel", json={}, headers=secret).json()["state"] == "cancelled"
    wrong = aigul.client.post("/api/v1/studies", json={"text": "name = 3"}, headers=secret)
    assert wrong.status_code == 400
    assert dana.client.post("/api/v1/studies", json={"text": STUDY}, headers={"X-CSRF-Token": masked(dana.csrf)}).status_code == 403


def test_no_file_was_written_beside_the_home(app):
    home: Path = app.state.desk.settings.home
    assert sorted(path.name for path in home.iterdir() if not path.name.startswith("qonys.db")) == ["jobs", "runs", "uploads"]
