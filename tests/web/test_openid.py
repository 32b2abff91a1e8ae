"""OpenID Connect against a small provider over loopback: who is vouched for comes in, and whatever is not as it must be is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.testclient import TestClient

pytest.importorskip("authlib", reason="the extra oidc is not installed")
jwt = pytest.importorskip("joserfc.jwt")
jwk = pytest.importorskip("joserfc.jwk")

from qonys.core.errors import DataError  # noqa: E402
from qonys.web.app import create_app  # noqa: E402
from qonys.web.openid import discovered  # noqa: E402
from qonys.web.settings import OpenID, Settings  # noqa: E402
from qonys.web.state import audit, people  # noqa: E402

CLIENT, SECRET = "qonys", "a secret of the client"
KEY = jwk.RSAKey.generate_key(2048, {"kid": "one"})
STRANGE = jwk.RSAKey.generate_key(2048, {"kid": "one"})
CURVE = jwk.ECKey.generate_key("P-256", {"kid": "curve"})


class Provider:
    """An OpenID Connect service whose tokens a test may spoil. `codes`: what was asked for by each code that was given out."""

    def __init__(self):
        provider = self
        self.codes, self.spoiled, self.discovery, self.key, self.used = {}, {}, {}, KEY, []
        self.made = self.signed
        self.keys = lambda: {"keys": [KEY.as_dict(private=False), CURVE.as_dict(private=False)]}

        class Handler(BaseHTTPRequestHandler):
            def reply(self, value, status=200):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path == "/.well-known/openid-configuration":
                    return self.reply(provider.configuration())
                return self.reply(provider.keys() if self.path == "/keys" else {}, 200 if self.path == "/keys" else 404)

            def do_POST(self):
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
                self.reply(*provider.token(form, self.headers.get("Authorization", "")))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def configuration(self):
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/sign-in",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return told | self.discovery

    def authorize(self, address):
        """Somebody signs in at the service -> the query they come back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, form, authorization):
        asked = self.codes[form["code"]]
        self.used.append(form["code"])
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        basic = base64.b64decode(authorization.removeprefix("Basic ")).decode() if authorization else ""
        if challenge != asked["code_challenge"] or basic != f"{CLIENT}:{SECRET}" or form["redirect_uri"] != asked["redirect_uri"]:
            return {"error": "invalid_grant"}, 400
        at = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "person-1", "iat": at, "exp": at + 300, "nonce": asked["nonce"],
                  "preferred_username": "aigul", "name": "Айгүл Серікова", "email": "aigul@example.kz"}  # fmt: skip
        claims = {name: value for name, value in (claims | self.spoiled).items() if value is not None}
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.made(claims)}, 200

    def signed(self, claims, **header):
        return jwt.encode({"alg": "RS256", "kid": "one"} | header, claims, self.key)


@pytest.fixture(scope="module")
def service():
    found = Provider()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def provider(service):
    fresh = {
        "spoiled": {},
        "discovery": {},
        "key": KEY,
        "made": service.signed,
        "keys": lambda: {"keys": [KEY.as_dict(private=False), CURVE.as_dict(private=False)]},
        "used": [],
    }
    service.__dict__.update(fresh)
    return service


@pytest.fixture
def app(provider, tmp_path):
    found = create_app(
        Settings(
            home=tmp_path / "home",
            warm=False,
            job_slots=0,
            openid=OpenID(issuer=provider.issuer, client=CLIENT, secret=SECRET, role="analyst"),
        )
    )
    with TestClient(found):
        yield found


@pytest.fixture
def database(app):
    return app.state.desk.database


@pytest.fixture
def client(app):
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False)


def begun(client, next="/ru/account"):
    reply = client.get(f"/openid/begin?{urlencode({'lang': 'ru', 'next': next})}")
    assert reply.status_code == 303, reply.text
    return reply.headers["location"]


def back(client, query):
    return client.get(f"/openid/back?{urlencode(query)}")


def came(client, provider, **more):
    return back(client, provider.authorize(begun(client)) | more)


def test_whoever_the_service_vouches_for_gets_an_account_at_first_and_the_same_one_later(app, client, provider, database):
    reply = came(client, provider)
    assert (reply.status_code, reply.headers["location"]) == (303, "/ru/account")
    assert "Айгүл Серікова" in client.get("/ru/account").text
    person = people.by_subject(database, f"{provider.issuer}|person-1")
    assert (person.name, person.role, person.language, person.has_password) == ("aigul", "analyst", "ru", False)
    other = TestClient(app, follow_redirects=False)
    assert came(other, provider).status_code == 303
    assert [one.name for one in people.listed(database)] == ["aigul"]
    assert people.authenticate(database, "aigul", "") is None


def test_the_form_offers_it_only_where_it_is_set(client, tmp_path):
    assert "/openid/begin" in client.get("/en/sign-in").text
    plain = create_app(Settings(home=tmp_path / "plain", warm=False, job_slots=0))
    with TestClient(plain) as other:
        assert "/openid/begin" not in other.get("/en/sign-in").text
        assert other.get("/openid/begin").status_code == 404
        assert other.get("/openid/back?state=x&code=y").status_code == 404


def with_curve(claims):
    return jwt.encode({"alg": "ES256", "kid": "curve"}, claims, CURVE)


def test_a_key_of_another_kind_is_as_good(client, provider):
    provider.made = with_curve
    assert came(client, provider).status_code == 303


def unsigned(claims):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def by_public_key(claims):
    """Signed with the published key as if it were a secret that both sides know."""
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, jwk.OctKey.import_key(KEY.as_pem(private=False)), algorithms=["HS256"])


def by_stranger(claims):
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, STRANGE)


def by_nobody_known(claims):
    return jwt.encode({"alg": "RS256", "kid": "two"}, claims, STRANGE)


def bringing_its_key(claims):
    return jwt.encode({"alg": "RS256", "jwk": STRANGE.as_dict(private=False), "kid": "one"}, claims, STRANGE)


def touched(claims):
    head, _, mark = jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY).split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "admin"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{mark}"


@pytest.mark.parametrize("made", [unsigned, by_public_key, by_stranger, by_nobody_known, bringing_its_key, touched, lambda claims: "", lambda claims: "a.b.c", lambda claims: 7, lambda claims: None],
                         ids=["unsigned", "by the public key as a secret", "by a stranger", "by an unknown key", "with a key of its own", "changed", "empty", "broken", "number", "none"])  # fmt: skip
def test_a_token_that_the_service_did_not_sign_is_refused(client, provider, database, made):
    provider.made = made
    refused(client, provider, database)


AT = int(time.time())
WRONG = {
    "another nonce": {"nonce": "other"}, "no nonce": {"nonce": None}, "another audience": {"aud": "other"}, "several audiences": {"aud": [CLIENT, "other"]},
    "no audience": {"aud": None}, "for another of several": {"aud": [CLIENT, "other"], "azp": "other"}, "another party": {"azp": "other"}, "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None}, "expired": {"exp": AT - 3600, "iat": AT - 4000}, "no expiry": {"exp": None}, "no time": {"iat": None}, "of an hour ago": {"iat": AT - 3600},
    "of tomorrow": {"iat": AT + 90000, "exp": AT + 99999}, "not yet": {"nbf": AT + 9000}, "nobody": {"sub": None}, "an empty subject": {"sub": ""}, "a subject that is no text": {"sub": 7},
    "a subject of two lines": {"sub": "a\nb"}, "a time that is no number": {"exp": "tomorrow"}, "a long subject": {"sub": "x" * 300},
}  # fmt: skip


@pytest.mark.parametrize("spoiled", WRONG.values(), ids=WRONG)
def test_a_token_that_says_something_wrong_is_refused(client, provider, database, spoiled):
    provider.spoiled = spoiled
    refused(client, provider, database)


def refused(client, provider, database):
    reply = came(client, provider)
    assert reply.status_code == 502
    assert "qonys_session" not in client.cookies
    assert client.get("/en/account").status_code == 303
    assert people.listed(database) == []
    assert audit.entries(database, limit=1)[0].action == "sign_in.failed"
    assert "Traceback" not in reply.text


def test_several_audiences_are_fine_if_the_token_is_for_us(client, provider):
    provider.spoiled = {"aud": [CLIENT, "other"], "azp": CLIENT}
    assert came(client, provider).status_code == 303


def test_a_state_is_good_once_in_its_own_browser_and_for_ten_minutes(app, client, provider, database, monkeypatch):
    query = provider.authorize(begun(client))
    cookie = client.cookies["qonys_openid"]
    stranger = TestClient(app, follow_redirects=False)
    assert back(stranger, query).status_code == 403
    assert back(client, query | {"state": "other"}).status_code == 403
    assert back(client, query | {"state": ""}).status_code == 403
    assert back(client, query).status_code == 303
    # all of it once more, cookie and all
    replay = TestClient(app, follow_redirects=False, cookies={"qonys_openid": cookie})
    assert back(replay, query).status_code == 403
    assert provider.used == [query["code"]]
    late = provider.authorize(begun(client))
    monkeypatch.setattr("qonys.web.sealed.datetime", Later)
    assert back(client, late).status_code == 403


class Later:
    @staticmethod
    def now(zone):
        from datetime import datetime, timedelta

        return datetime.now(zone) + timedelta(minutes=11)


def test_two_at_once_with_one_state_are_one(app, client, provider):
    query = provider.authorize(begun(client))
    cookies = {"qonys_openid": client.cookies["qonys_openid"]}
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(back(TestClient(app, follow_redirects=False, cookies=cookies), query).status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 403, 403, 403]


@pytest.mark.parametrize("more", [{"error": "access_denied"}, {"code": ""}, {"iss": "https://evil.example"}])
def test_who_comes_back_with_a_no_stays_outside(client, provider, more):
    reply = came(client, provider, **more)
    assert reply.status_code == 403
    assert provider.used == []


def test_one_does_not_come_back_to_another_site(client, provider):
    for next in ("https://evil.example", "//evil.example", "/\\evil.example"):
        reply = back(client, provider.authorize(begun(client, next)))
        assert reply.headers["location"] == "/ru/situation"


def test_where_to_come_back_is_set_and_not_taken_from_the_request(client, provider):
    asked = parse_qs(urlsplit(client.get("/openid/begin", headers={"Host": "localhost:99"}).headers["location"]).query)
    assert asked["redirect_uri"] == ["http://127.0.0.1:8600/openid/back"]


def test_a_disabled_person_stays_outside_whatever_the_service_says(app, client, provider, database):
    people.add(database, "chief", role="admin", password="four unrelated words", by=None)
    came(client, provider)
    people.set_active(database, people.named(database, "aigul").id, False, by=None)
    other = TestClient(app, follow_redirects=False)
    assert came(other, provider).status_code == 403
    assert "qonys_session" not in other.cookies


def test_a_name_that_is_taken_is_not_taken_over(client, provider, database):
    local = people.add(database, "aigul", role="admin", password="four unrelated words", by=None)
    came(client, provider)
    guest = people.by_subject(database, f"{provider.issuer}|person-1")
    assert guest.id != local.id
    assert (guest.name, guest.role) == ("aigul@example.kz", "analyst")


@pytest.mark.parametrize(
    "names",
    [
        {"preferred_username": "two words", "email": None},
        {"preferred_username": "x" * 500, "email": 7},
        {"preferred_username": "<script>", "email": "", "name": "<b>" * 200},
        {"preferred_username": None, "email": None, "name": None},
    ],
)
def test_whatever_the_service_calls_somebody_they_get_a_name(client, provider, database, names):
    provider.spoiled = names
    assert came(client, provider).status_code == 303
    (person,) = people.listed(database)
    assert person.name.startswith("openid-")
    assert "<b>" not in client.get("/en/account").text


@pytest.mark.parametrize(
    "discovery",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": None}, {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": 7}],
)  # fmt: skip
def test_a_service_that_is_not_the_one_set_is_not_asked(client, provider, discovery):
    provider.discovery = discovery
    assert client.get("/openid/begin").status_code == 502
    with pytest.raises(DataError):
        discovered(OpenID(issuer=provider.issuer, client=CLIENT))


def test_a_service_that_does_not_answer_is_a_sentence(tmp_path):
    with pytest.raises(DataError, match="cannot be reached"):
        discovered(OpenID(issuer="http://127.0.0.1:9", client=CLIENT))


@pytest.mark.parametrize("keys", [{"keys": []}, {}, {"keys": [{"kty": "oct", "k": "eA", "kid": "one"}]}, {"keys": "x"}, {"keys": [7]}])
def test_keys_that_are_none_open_nothing(client, provider, database, keys):
    provider.keys = lambda: keys
    refused(client, provider, database)


def test_a_secret_may_be_sent_in_the_form_where_the_service_wants_it(client, provider):
    provider.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert came(client, provider).status_code == 502  # this provider takes it in the header only


def test_many_failures_from_one_address_must_wait(client, provider):
    provider.spoiled = {"nonce": "other"}
    statuses = [came(client, provider).status_code for _ in range(12)]
    assert statuses.count(502) <= 5
    assert 429 in statuses
