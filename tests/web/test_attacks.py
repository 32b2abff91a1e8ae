"""Attacks on every route that there is: without the secret of a form, from below the role, on paths, with SQL and HTML, on what is of others."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient
from tests.web.conftest import PASSWORD, made, signed
from tests.web.walking import UNPROTECTED, texts, unsafe, ways

from qonys.web import gate
from qonys.web.state import audit, jobs, passwords, people, rooms, sessions
from qonys.web.state.tables import ROLES

FORMS = "".join(path.read_text(encoding="utf-8") for path in sorted((Path(gate.__file__).parent / "templates").iterdir()))
FIELDS = sorted(set(re.findall(r'\bname="(\w+)"', FORMS)) - {"csrf"})
FILES = sorted(
    {name for field in re.findall(r"<input[^>]*>", FORMS) if 'type="file"' in field for name in re.findall(r'\bname="(\w+)"', field)}
)
REFUSED = (303, 401, 403, 404, 405)
HTML = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
SHORT = "<img src=x>'"
SQL = "x' OR '1'='1'; DROP TABLE people; --"
ODD = "\x00‮Ω𝕏" + "%s%n" + "../" * 5
WAYS_OUT = ["..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", "..", "%2e%2e%2f%2e%2e%2fweb.toml", "%2fetc%2fpasswd", "..%5c..%5cqonys.db", "qonys.db", "qonys.db%00.csv", "%00", "a" * 3000, "%ff%fe", "....%2f%2f....%2f%2fqonys.db", "file:%2f%2f%2fetc%2fpasswd", "CON", "~root", "*"]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _cheap():
    passwords.use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield
    passwords.use_hasher(None)


def started(home, **own):
    app = made(home, **own)
    with TestClient(app):
        yield app


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An application whose home has no studies: what is refused is refused before any is asked."""
    yield from started(tmp_path_factory.mktemp("attacks") / "home")


@pytest.fixture(scope="module")
def full(tmp_path_factory, web_home):
    """An application with finished studies, so that views answer."""
    home = tmp_path_factory.mktemp("attacks") / "full"
    shutil.copytree(web_home / "runs", home / "runs", copy_function=os.link)
    yield from started(home)


def client_of(app, **own):
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False, **own)


def needed(way):
    """The role a route asks for."""
    roles = [call.role for call in way.calls() if isinstance(call, gate.Needs)]
    return max(roles, key=ROLES.index) if roles else None


def fine(reply):
    """Not a fault: 503 says that a study has not been run yet."""
    return reply.status_code < 500 or reply.status_code == 503


# What every route must have


def test_there_are_routes_to_attack(app):
    assert len(ways(app)) > 100
    assert len(unsafe(app)) > 20


def test_every_route_that_changes_something_is_protected_and_asks_for_a_role(app):
    for way in unsafe(app):
        if way.path in UNPROTECTED:
            continue
        assert gate.protected in way.calls(), f"{way} takes a form without its secret"
        assert needed(way) or way.path.endswith("/sign-out"), f"{way} asks for no role"


def test_without_the_secret_of_the_form_nothing_is_changed(app):
    chief = signed(app, "chief", "admin")
    database = app.state.desk.database
    before = audit.count(database)
    for way in unsafe(app):
        if way.path in UNPROTECTED:
            continue
        for sent in ({"data": dict.fromkeys(FIELDS, "x")}, {"json": {"csrf": gate.masked(chief.csrf)}}, {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
                     {"files": {"file": ("x.csv", b"a,b")}}, {"data": {"csrf": chief.csrf}}, {"params": {"csrf": gate.masked(chief.csrf)}}):  # fmt: skip
            reply = chief.client.request(way.method, way.address(), **sent)
            assert reply.status_code == 403, f"{way} {[*sent]}: {reply.status_code}"
    assert audit.count(database) == before


def test_without_a_session_nothing_but_the_way_in_is_answered(app):
    client = client_of(app)
    for way in ways(app):
        if way.path in UNPROTECTED | {"/"} or way.path.startswith(("/static/", "/health", "/openid/")):
            continue
        reply = client.request(way.method, way.address())
        assert reply.status_code in (303, 401), f"{way}: {reply.status_code}"
        if reply.status_code == 303:
            assert reply.headers["location"].startswith("/en/sign-in?next="), way


@pytest.mark.parametrize("role", [None, *ROLES[:-1]])
def test_from_below_its_role_no_route_is_reached_neither_by_a_session_nor_by_a_token(app, role):
    database = app.state.desk.database
    if role is None:
        client, csrf, bearer = client_of(app), "", {}
    else:
        someone = signed(app, f"below-{role}", role)
        client, csrf = someone.client, someone.csrf
        chief = people.named(database, "mighty") or people.add(database, "mighty", role="admin", password=PASSWORD, by=None)
        # a token of low role, of somebody who has a high one
        token, _ = sessions.issue_token(database, chief, "low", days=1, role=role)
        bearer = {"Authorization": f"Bearer {token}"}
    seen = 0
    for way in ways(app):
        wanted = needed(way)
        if wanted is None or (role is not None and ROLES.index(role) >= ROLES.index(wanted)):
            continue
        seen += 1
        sent = {"data": {"csrf": gate.masked(csrf)}} if csrf and way.method != "GET" else {}
        assert client.request(way.method, way.address(), **sent).status_code in REFUSED[:3], way
        if bearer and way.path.startswith("/api/"):
            assert client_of(app).request(way.method, way.address(), headers=bearer).status_code == 403, way
    assert seen > 5


def test_in_public_mode_nothing_is_written_and_nobody_signs_in(tmp_path, app):
    home = tmp_path / "home"
    (public,) = started_now(home, public=True)
    database = public.state.desk.database
    chief = people.add(database, "chief", role="admin", password=PASSWORD, by=None)
    cookie, session = sessions.open_session(database, chief)
    token, _ = sessions.issue_token(database, chief, "script", days=1, role="admin")
    before = audit.count(database)
    for client in (
        client_of(public),
        client_of(public, cookies={"qonys_session": cookie}),
        client_of(public, headers={"Authorization": f"Bearer {token}"}),
    ):
        for way in unsafe(public):
            reply = client.request(
                way.method, way.address(), data={"csrf": gate.masked(session.csrf), "name": "chief", "password": PASSWORD}
            )
            assert reply.status_code == 403, way
            assert "set-cookie" not in reply.headers
        for path in ("/en/account", "/en/admin", "/en/admin/trail", "/api/v1/me", "/api/v1/people", "/openid/begin"):
            assert client.get(path).status_code in (401, 404), path
        assert client.get("/en/sign-in").headers["location"] == "/en/situation"
        assert "/sign-in" not in client.get("/en/methods/nothing").text
    assert audit.count(database) == before


def started_now(home, **own):
    app = made(home, **own)
    client = TestClient(app)
    with client:
        pass
    return (app,)


# Paths


@pytest.mark.slow
@pytest.mark.parametrize("way_out", WAYS_OUT)
def test_no_path_or_name_of_a_download_leads_out_of_its_folder(app, way_out):
    chief = signed(app, "chief", "admin")
    secret = app.state.desk.settings.home / "web.toml"
    secret.write_text("# not for readers\n", encoding="utf-8")
    for way in ways(app):
        names = re.findall(r"\{(\w+)(?::\w+)?\}", way.path)
        for name in names:
            if way.path.startswith("/{language}") and name == "language" and way_out in ("..", "*"):
                continue  # another address altogether
            sent = {"data": {"csrf": gate.masked(chief.csrf)}} if way.method not in ("GET", "HEAD") else {}
            reply = chief.client.request(way.method, way.address(**{name: way_out}), **sent)
            assert fine(reply), f"{way} {name}={way_out}: {reply.text[:300]}"
            told = reply.content
            assert b"root:" not in told, way
            assert b"not for readers" not in told, way
            assert b"SQLite format" not in told, way
            if "content-disposition" in reply.headers:
                assert not {"/", "\\", "\r", "\n"} & set(reply.headers["content-disposition"].partition("filename=")[2]), way
            if way.path.endswith("/sign-out") and reply.status_code == 303:
                chief = signed(app, "chief", "admin")


# Words


def shown_raw(reply):
    """Was HTML of ours shown as HTML? A file, or JSON, may hold it as it was given."""
    return reply.headers.get("content-type", "").startswith("text/html") and ("<script>alert" in reply.text or "<img src=x" in reply.text or "49" in re.findall(r"onerror=alert\(2\)&gt;(\w+)", reply.text))  # fmt: skip


def attacked(app, hostile, chosen):
    """Ask all routes with a hostile text in every field that takes text, all at once and one after the other -> how often what came."""
    database = app.state.desk.database
    statuses = Counter()
    for way in ways(app):
        if not chosen(way):
            continue
        asked, typed = [name for name in texts(way, "query") if name != "lang"], texts(way, "body")
        changes = way.method not in ("GET", "HEAD")
        for query, body in [(asked, [*FIELDS, *typed]), *(([name], []) for name in asked), *(([], [name]) for name in typed)]:
            chief = signed(app, "chief", "admin")
            sent = {"params": dict.fromkeys(query, hostile)}
            if changes:
                # the others as they should be
                form = (
                    {"name": "somebody", "role": "viewer", "language": "en"}
                    | dict.fromkeys(body, hostile)
                    | {"csrf": gate.masked(chief.csrf)}
                )
                sent |= {"json": form, "headers": {"X-CSRF-Token": form["csrf"]}} if way.path.startswith("/api/") else {"data": form}
            reply = chief.client.request(way.method, way.address(), **sent)
            assert fine(reply), f"{way} {query} {body}: {reply.status_code} {reply.text[:500]}"
            assert not shown_raw(reply), f"{way} {query} {body}"
            assert not re.search(r"Traceback|sqlite3|sqlalchemy|syntax error", reply.text), way
            assert not {"\r", "\n"} & set(reply.headers.get("location", "")), way
            statuses[reply.status_code] += 1
    assert people.named(database, "chief").role == "admin"
    assert audit.verify(database) is None
    return statuses


@pytest.mark.parametrize("hostile", [HTML, SHORT, SQL, ODD], ids=["html", "short", "sql", "odd"])
def test_what_is_typed_into_any_form_is_text(app, hostile):
    statuses = attacked(app, hostile, lambda way: way.method not in ("GET", "HEAD"))
    assert sum(statuses.values()) > 20
    assert statuses[400] > 5


@pytest.mark.slow
@pytest.mark.parametrize("hostile", [HTML, SHORT, SQL], ids=["html", "short", "sql"])
def test_what_is_asked_of_any_page_is_text(full, hostile):
    statuses = attacked(full, hostile, lambda way: way.method == "GET" and bool(texts(way, "query")))
    assert sum(statuses.values()) > 20
    assert statuses[422] < sum(statuses.values())


def test_what_was_kept_is_shown_as_text_on_every_page(app):
    """Names that hold HTML, kept before any page was made, are text on all pages that list them."""
    database = app.state.desk.database
    mole = people.add(database, "mole", role="admin", password=PASSWORD, full_name=HTML, by=None)
    with database.begin() as connection:
        audit.record(connection, person=HTML, action="test.html", object=HTML, detail={HTML: HTML})
    sessions.issue_token(database, mole, HTML[:64], days=1, role="viewer")
    jobs.queue(database, "procedure", title=HTML, owner=mole, asked={"text": HTML})
    rooms.save(database, "procedure", HTML[:60], HTML, owner=mole)
    spy = signed(app, "mole", "admin")
    for way in ways(app):
        if way.method == "GET":
            assert not shown_raw(spy.client.get(way.address())), way


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 2000,
        b"PK\x03\x04broken",
        b"\x1f\x8b\x08broken",
        b"a,b\n" + b'"' * 5000,
        b"[" * 5000,
        b"\xff\xfe\x00\x00",
        b"= [",
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
    ],
)
def test_an_upload_that_is_not_what_it_says_is_a_sentence(app, content):
    for way in unsafe(app):
        chief = signed(app, "chief", "admin")
        for name in ("x.toml", "../../x.xlsx"):
            fields = {"csrf": gate.masked(chief.csrf), "name": "x", "kind": "procedure", "importer": "oxcgrt"}
            reply = chief.client.request(way.method, way.address(), data=fields, files=dict.fromkeys(FILES or ["file"], (name, content)))
            assert fine(reply), f"{way} {name}: {reply.text[:500]}"
            assert "root:" not in reply.text
            if way.path.endswith("/sign-out"):
                chief = signed(app, "chief", "admin")


# What is of others


def test_a_run_of_another_is_not_there(app):
    database = app.state.desk.database
    owner, thief = signed(app, "owner", "analyst"), signed(app, "thief", "analyst")
    job = jobs.queue(database, "procedure", title="a secret plan", owner=owner.person, asked={"text": "secret = 1"})
    tried = 0
    for way in ways(app):
        if not re.search(r"/runs/\{(id|run|job)\}", way.path):
            continue
        tried += 1
        for form in ("csv", "tables.xlsx"):
            sent = {"data": {"csrf": gate.masked(thief.csrf), "shared": "yes", "name": "mine"}} if way.method != "GET" else {}
            if way.path.startswith("/api/") and way.method != "GET":
                sent["headers"] = {"X-CSRF-Token": gate.masked(thief.csrf)}
            reply = thief.client.request(way.method, way.address(id=job.id, run=job.id, job=job.id, form=form), **sent)
            assert reply.status_code in (404, 422), f"{way}: {reply.status_code}"
            assert "a secret plan" not in reply.text
    assert tried > 3
    assert "a secret plan" not in thief.client.get("/en/runs").text
    assert "a secret plan" not in thief.client.get("/api/v1/runs").text
    assert jobs.job(database, job.id).state == "waiting"


# Pages


def test_no_page_holds_a_script_or_style_of_its_own(app):
    chief = signed(app, "chief", "admin")
    for way in ways(app):
        if way.method != "GET" or way.path.endswith(".{form}"):
            continue
        reply = chief.client.get(way.address())
        if not reply.headers.get("content-type", "").startswith("text/html"):
            continue
        assert reply.headers["content-security-policy"].startswith("default-src 'none'"), way
        assert "unsafe" not in reply.headers["content-security-policy"], way
        tags = " ".join(re.findall(r"<[a-z][^<>]*>", reply.text))
        tags = re.sub(r'="[^"]*"', lambda found: '="javascript:"' if "javascript:" in found[0] else '=""', tags)
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+\s*=|\sstyle\s*=|javascript:", tags), way
