"""The gate: who comes in, by which name, how much they send and how slowly, what headers say, and that a fault tells nothing."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import anyio
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from starlette.testclient import TestClient
from tests.web.conftest import PASSWORD, made, signed

from qonys.web.gate import Bounded, Refused, masked, unmasked
from qonys.web.settings import MB
from qonys.web.state import passwords, people, sessions
from qonys.web.state.tables import moment
from qonys.web.state.tables import sessions as table

STRICT = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@pytest.fixture(autouse=True)
def _cheap():
    passwords.use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield
    passwords.use_hasher(None)


def client_of(app, **own):
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False, **own)


@pytest.fixture
def app(tmp_path):
    found = made(tmp_path / "home")
    with client_of(found):
        yield found


@pytest.fixture
def stranger(app):
    return client_of(app)


@pytest.fixture
def reader(app):
    return signed(app, "reader", "viewer")


def failing(app):
    @app.get("/{language}/fails")
    def fails(language: str):
        raise RuntimeError("the password of Aigul is hunter2")

    return app


# Names and forms of requests


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "a/b", "a@b", "[", "x y", "evil.example:80", "testserver:port", ""]
)
def test_a_name_that_is_not_ours_is_refused_and_never_repeated(app, host):
    reply = client_of(app).get("/en/sign-in", headers={"Host": host})
    assert reply.status_code == 400
    assert reply.headers["content-security-policy"] == STRICT
    assert "evil" not in reply.text + str(reply.headers)


@pytest.mark.parametrize("host", ["localhost:8600", "127.0.0.1", "[::1]:8600", "192.168.1.7", "stat-server"])
def test_addresses_in_numbers_and_names_without_a_dot_are_answered(app, host):
    assert client_of(app).get("/en/sign-in", headers={"Host": host}).status_code == 200


def test_where_an_address_is_set_only_its_name_and_this_machine_are_answered(tmp_path):
    app = made(tmp_path / "home", address="https://qonys.example.kz")
    with client_of(app) as client:
        assert client.get("/en/sign-in", headers={"Host": "qonys.example.kz"}).status_code == 200
        assert client.get("/health", headers={"Host": "localhost:8600"}).status_code == 200
        assert client.get("/en/sign-in", headers={"Host": "other.example.kz"}).status_code == 400
        assert client.get("/en/sign-in", headers={"Host": "stat-server"}).status_code == 400


def test_two_names_in_one_request_are_refused(app):
    assert client_of(app).get("/en/sign-in", headers=[("Host", "localhost"), ("Host", "evil.example")]).status_code == 400


def test_no_address_is_made_from_the_name_in_the_request(app, reader):
    for path in ("/en/situation/", "/", "/en/account", "/en/nowhere"):
        reply = reader.client.get(path, headers={"Host": "localhost:1234"})
        assert "localhost" not in reply.headers.get("location", "") + reply.text


async def asked(app, scope, messages):
    """What an application answers to a request told in its own words."""
    sent, pending = [], list(messages)

    async def receive():
        if pending:
            pause, message = pending.pop(0)
            await anyio.sleep(pause)
            return message
        return await anyio.sleep_forever()

    async def send(message):
        sent.append(message)

    whole = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1),
             "server": ("127.0.0.1", 80), "root_path": "", "query_string": b"", "headers": [(b"host", b"localhost")], "state": {}}  # fmt: skip
    with anyio.fail_after(20):
        await app(whole | scope, receive, send)
    return sent


EMPTY = (0, {"type": "http.request", "body": b"", "more_body": False})


def test_a_query_that_is_no_text_is_refused_with_a_page(app):
    sent = anyio.run(
        asked, app, {"method": "GET", "path": "/en/sign-in", "raw_path": b"/en/sign-in", "query_string": b"next=\xff\xfe"}, [EMPTY]
    )
    assert sent[0]["status"] == 400
    assert dict(sent[0]["headers"])[b"content-security-policy"] == STRICT.encode()


@pytest.mark.parametrize(
    "path",
    [
        "/static/../en/account",
        "//static/x/../../en/account",
        "/en/sign-in?/../account",
        "/en/sign-in#/account",
        "/EN/ACCOUNT",
        "/en//account",
        "/en/account/",
        "/health/../en/account",
        "\\static\\",
    ],
)
def test_no_spelling_of_a_path_gets_past_the_gate(app, path):
    sent = anyio.run(asked, app, {"method": "GET", "path": path, "raw_path": path.encode()}, [EMPTY])
    assert sent[0]["status"] in (303, 404), sent[0]
    assert b"full_name" not in b"".join(one.get("body", b"") for one in sent)


# Sizes and pace


def test_a_request_that_tells_it_is_too_large_is_refused_with_a_page(reader):
    reply = reader.client.post(
        "/en/account/profile", content=b"", headers={"Content-Length": str(2 * MB), "Content-Type": "application/x-www-form-urlencoded"}
    )
    assert reply.status_code == 413
    assert reply.headers["content-security-policy"] == STRICT


@pytest.mark.parametrize("told", ["-1", "1e9", "9" * 5000, "", "1,2", "０"])
def test_a_length_that_is_no_number_is_refused(app, told):
    headers = [(b"host", b"localhost"), (b"content-length", told.encode()), (b"content-type", b"application/x-www-form-urlencoded")]
    sent = anyio.run(asked, app, {"method": "POST", "path": "/en/sign-in", "raw_path": b"/en/sign-in", "headers": headers}, [EMPTY])
    assert sent[0]["status"] == 413


def streamed(path, kind, cookie="", piece=64 * 1024, most=1000, lies=False):
    headers = [(b"host", b"localhost"), (b"content-type", kind), (b"cookie", cookie.encode())] + (
        [(b"content-length", b"10")] if lies else []
    )
    begin = b'--x\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n' if kind.startswith(b"multipart") else b""
    pieces = [(0, {"type": "http.request", "body": begin * (one == 0) + b"a" * piece, "more_body": True}) for one in range(most)]
    return {"method": "POST", "path": path, "raw_path": path.encode(), "headers": headers}, pieces


@pytest.mark.parametrize("lies", [False, True])
def test_a_request_that_grows_too_large_on_its_way_is_cut_off(app, lies):
    scope, pieces = streamed("/en/sign-in", b"application/x-www-form-urlencoded", lies=lies)
    sent = anyio.run(asked, app, scope, pieces)
    assert sent[0]["status"] == 413
    assert dict(sent[0]["headers"])[b"content-security-policy"] == STRICT.encode()


def test_a_stranger_sends_no_large_files(app):
    scope, pieces = streamed("/en/sign-in", b"multipart/form-data; boundary=x", most=40)
    assert anyio.run(asked, app, scope, pieces)[0]["status"] == 413


def test_an_upload_is_cut_off_at_the_bound_that_is_set(tmp_path):
    app = made(tmp_path / "home", largest_upload=2 * MB)
    with client_of(app):
        reader = signed(app, "reader", "viewer")
        scope, pieces = streamed(
            "/en/account/profile", b"multipart/form-data; boundary=x", f"qonys_session={reader.client.cookies['qonys_session']}", most=40
        )
        assert anyio.run(asked, app, scope, pieces)[0]["status"] == 413


def test_a_request_that_trickles_in_is_given_up():
    async def reads(scope, receive, send):
        while (await receive()).get("more_body"):
            pass

    pieces = [(0.03, {"type": "http.request", "body": b"a", "more_body": True}) for _ in range(100)]
    with pytest.raises(Refused) as refused:
        anyio.run(asked, Bounded(reads, MB, slowest=0.2), {"method": "POST", "path": "/"}, pieces)
    assert refused.value.status == 408


def test_a_request_that_came_whole_may_be_answered_for_as_long_as_it_takes():
    async def waits(scope, receive, send):
        await receive()
        await anyio.sleep(0.2)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    sent = anyio.run(asked, Bounded(waits, MB, slowest=0.05), {"method": "POST", "path": "/"}, [EMPTY])
    assert sent[-1]["body"] == b"done"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"), ("multipart/form-data; boundary=x", b"--x\r\nbroken"), ("multipart/form-data; boundary=x", b"--x--"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\n\x00\r\n--x--'),
        ("application/x-www-form-urlencoded; charset=nonsense", b"name=%ff%fe"), ("application/json", b"{" * 10000), ("text/plain", b"\x00"),
        ("multipart/form-data; boundary=x", b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % one for one in range(3000)) + b"--x--"),
    ],
)  # fmt: skip
def test_a_malformed_form_is_refused_without_a_fault(app, reader, kind, body):
    for client in (client_of(app), reader.client):
        for path in ("/en/sign-in", "/en/account/profile", "/api/v1/tokens"):
            assert client.post(path, content=body, headers={"Content-Type": kind}).status_code in (200, 400, 401, 403, 422)


# Headers


@pytest.mark.parametrize(
    "path",
    [
        "/en/sign-in",
        "/",
        "/nowhere",
        "/en/nowhere",
        "/xx/sign-in",
        "/health",
        "/static/x/nothing.css",
        "/api/v1/me",
        "/api/v1/nothing",
        "/en/account",
        "/favicon.ico",
    ],
)
def test_every_answer_has_a_strict_policy_and_is_in_no_frame(app, reader, path):
    for client in (client_of(app), reader.client):
        reply = client.get(path)
        assert reply.headers["content-security-policy"] == STRICT
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "same-origin"
        assert "server" not in reply.headers


def test_only_embedded_pictures_may_stand_in_frames_and_only_of_the_sites_set(tmp_path):
    app = made(tmp_path / "home", public=True, embedding=("https://www.example.kz",))
    with client_of(app) as client:
        page, other = client.get("/embed/en/situation/flows"), client.get("/en/situation")
    assert page.headers["content-security-policy"].endswith("frame-ancestors https://www.example.kz")
    assert "x-frame-options" not in page.headers
    assert other.headers["content-security-policy"] == STRICT
    assert other.headers["x-frame-options"] == "DENY"


def test_what_a_person_sees_is_kept_by_no_cache(reader):
    assert reader.client.get("/en/account").headers["cache-control"] == "no-store"


def test_over_https_the_cookie_is_for_https_and_this_host_alone(tmp_path):
    app = made(tmp_path / "home", address="https://qonys.example.kz")
    with client_of(app, base_url="https://qonys.example.kz") as client:
        people.add(app.state.desk.database, "reader", role="viewer", password=PASSWORD, by=None)
        reply = client.post("/en/sign-in", data={"name": "reader", "password": PASSWORD})
        assert client.get("/en/account").status_code == 200
        assert client.get("/en/account", headers={"Cookie": f"qonys_session={client.cookies['__Host-qonys_session']}"}).status_code == 303
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith("__Host-qonys_session=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert reply.headers["strict-transport-security"].startswith("max-age=")


def test_over_http_the_cookie_is_out_of_reach_of_scripts(app, stranger):
    people.add(app.state.desk.database, "reader", role="viewer", password=PASSWORD, by=None)
    cookie = stranger.post("/en/sign-in", data={"name": "reader", "password": PASSWORD}).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


# Sessions


def changed(app, **values):
    with app.state.desk.database.begin() as connection:
        connection.execute(update(table).values(**values))


def test_a_session_that_is_idle_too_long_or_too_old_opens_nothing(app, reader):
    assert reader.client.get("/en/account").status_code == 200
    changed(app, seen_at=moment() - timedelta(minutes=61))
    assert reader.client.get("/en/account").headers["location"] == "/en/sign-in?next=%2Fen%2Faccount"
    changed(app, seen_at=moment(), expires_at=moment() - timedelta(seconds=1))
    assert reader.client.get("/en/account").status_code == 303
    assert reader.client.get("/api/v1/me").status_code == 401


def test_how_long_a_session_may_be_idle_is_a_setting(tmp_path):
    app = made(tmp_path / "home", idle=5)
    with client_of(app):
        reader = signed(app, "reader", "viewer")
        changed(app, seen_at=moment() - timedelta(minutes=6))
        assert reader.client.get("/en/account").status_code == 303


def test_a_session_from_before_the_sign_in_is_not_the_one_after(app):
    database = app.state.desk.database
    people.add(database, "reader", role="viewer", password=PASSWORD, by=None)
    other = people.add(database, "attacker", role="viewer", password=PASSWORD, by=None)
    planted, _ = sessions.open_session(database, other)
    for cookie in ("chosen-by-an-attacker", planted):
        client = client_of(app, cookies={"qonys_session": cookie})
        reply = client.post("/en/sign-in", data={"name": "reader", "password": PASSWORD})
        assert reply.status_code == 303
        assert cookie not in reply.headers["set-cookie"]
        assert client_of(app, cookies={"qonys_session": cookie}).get("/en/account").status_code == 303


def test_signing_out_ends_the_session_for_whoever_has_its_cookie(app, reader):
    cookie = reader.client.cookies["qonys_session"]
    assert reader.post("/en/sign-out").status_code == 303
    assert client_of(app, cookies={"qonys_session": cookie}).get("/en/account").status_code == 303


# Forms


def test_a_form_needs_the_secret_of_its_own_session(app, reader):
    other = signed(app, "other", "viewer")
    assert reader.client.post("/en/account/profile", data={"full_name": "x"}).status_code == 403
    for wrong in ("", "00", "zz", masked(other.csrf), reader.csrf, masked(reader.csrf)[:-2], "ы" * 50):
        assert reader.client.post("/en/account/profile", data={"full_name": "x", "csrf": wrong}).status_code == 403, wrong
    assert reader.post("/en/account/profile", full_name="x").status_code == 303


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_a_form_of_another_site_is_refused_even_with_the_secret_and_even_to_sign_in(app, reader, headers):
    data = {"csrf": masked(reader.csrf), "full_name": "x"}
    assert reader.client.post("/en/account/profile", data=data, headers=headers).status_code == 403
    reply = client_of(app).post("/en/sign-in", data={"name": "reader", "password": PASSWORD}, headers=headers)
    assert reply.status_code == 403
    assert "set-cookie" not in reply.headers


def test_a_form_of_our_own_pages_is_let_through(reader):
    data = {"csrf": masked(reader.csrf), "full_name": "x"}
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert reader.client.post("/en/account/profile", data=data, headers=headers).status_code == 303


@given(st.text(alphabet="abcXYZ012-_", min_size=16, max_size=64))
def test_a_mask_comes_off_again_and_is_new_each_time(secret):
    assert unmasked(masked(secret)) == secret
    assert len({masked(secret) for _ in range(3)}) == 3


@given(st.text())
def test_what_is_no_mask_hides_nothing_and_breaks_nothing(text):
    assert isinstance(unmasked(text), str)


# Tokens


def test_a_token_acts_in_its_own_role_and_never_above_that_of_its_person(app):
    database = app.state.desk.database
    person = people.add(database, "admin", role="admin", password=PASSWORD, by=None)
    people.add(database, "second", role="admin", password=PASSWORD, by=None)
    low, _ = sessions.issue_token(database, person, "low", days=1, role="viewer")
    high, _ = sessions.issue_token(database, person, "high", days=1, role="admin")
    client = client_of(app)

    def people_by(token):
        return client.get("/api/v1/people", headers={"Authorization": f"Bearer {token}"}).status_code

    assert (people_by(low), people_by(high)) == (403, 200)
    people.set_role(database, person.id, "analyst", by=None)
    assert people_by(high) == 403
    people.set_active(database, person.id, False, by=None)
    assert people_by(high) == 401


def test_a_token_opens_no_page_and_a_wrong_one_is_told_how_to_come(app):
    database = app.state.desk.database
    person = people.add(database, "reader", role="viewer", password=PASSWORD, by=None)
    token, known = sessions.issue_token(database, person, "script", days=1, role="viewer")
    client = client_of(app)
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/en/account", headers=bearer).status_code == 303
    assert client.get("/api/v1/me", headers=bearer).json()["name"] == "reader"
    sessions.revoke_token(database, known.id, by=person)
    reply = client.get("/api/v1/me", headers=bearer)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"


def test_a_token_makes_no_token_and_ends_none(app):
    database = app.state.desk.database
    person = people.add(database, "admin", role="admin", password=PASSWORD, by=None)
    token, known = sessions.issue_token(database, person, "script", days=1, role="viewer")
    client, bearer = client_of(app), {"Authorization": f"Bearer {token}"}
    assert client.post("/api/v1/tokens", json={"name": "more", "role": "admin", "days": 366}, headers=bearer).status_code == 403
    assert client.delete(f"/api/v1/tokens/{known.id}", headers=bearer).status_code == 403
    assert [one.name for one in sessions.tokens_of(database, person)] == ["script"]


# Faults


def test_a_fault_tells_a_number_and_nothing_else(app, caplog):
    failing(app)
    reader = signed(app, "reader", "viewer")
    with caplog.at_level(logging.ERROR, logger="qonys.web"):
        reply = reader.client.get("/en/fails")
    told = json.loads(caplog.records[-1].message)
    assert reply.status_code == 500
    assert told["fault"] == "RuntimeError"
    assert told["id"] in reply.text
    assert reply.headers["content-security-policy"] == STRICT
    for secret in ("Traceback", "RuntimeError", "hunter2", ".py", "fails()"):
        assert secret not in reply.text
        assert secret == "RuntimeError" or secret == ".py" or secret not in caplog.text
