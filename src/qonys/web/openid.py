"""OpenID Connect: discovery, the address to sign in at, and what the service says of who came back. Needs the extra `oidc`.

Code flow with PKCE (RFC 7636), state and nonce; the ID token is believed only if its signature is by a key of the service in one of
ALGORITHMS and its issuer, audience, times and nonce are right (OpenID Connect Core 1.0, 3.1.3.7).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qonys.core.errors import DataError, DesignError
from qonys.web.settings import LOOPBACK

if TYPE_CHECKING:
    from qonys.web.settings import OpenID

# of key pairs only: none is no signature, and HS256 would take the published key for a secret
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
KEY_TYPES = ("RSA", "EC", "OKP")
WAIT = 10  # seconds for each answer of the service
LARGEST = 2**20  # bytes of an answer
LEEWAY = 60  # seconds that clocks may differ
OLDEST = 600  # seconds since the token was made
SCOPE = "openid profile email"


@dataclass(frozen=True, slots=True)
class Service:
    """What the service tells of itself. post: it takes the client's secret in the form, and not in the header."""

    authorization: str
    token: str
    keys: str
    post: bool


@dataclass(frozen=True, slots=True)
class Came:
    """Who came back: `subject` is issuer|sub; names as the service has them, best first, and a full name."""

    subject: str
    names: tuple[str, ...]
    full_name: str


def discovered(openid: OpenID) -> Service:
    """Where the service does what. Errors: DataError if it cannot be reached or is not the one that is set."""
    told = _json(f"{openid.issuer.rstrip('/')}/.well-known/openid-configuration")
    if told.get("issuer") != openid.issuer:
        raise DataError("the service of OpenID Connect calls itself by another name", mend=f"set the issuer to {told.get('issuer')!r}")
    places = [told.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    for place in places:
        if not isinstance(place, str) or not _is_safe(place, openid.issuer):
            raise DataError(f"the service of OpenID Connect names {place!r} as an address", mend="it must be one of https")
    methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    authorization, token, keys = map(str, places)
    return Service(authorization, token, keys, post="client_secret_basic" not in methods and "client_secret_post" in methods)


def way_to(openid: OpenID, service: Service, back: str, *, state: str, nonce: str, verifier: str) -> str:
    """The address of the service at which somebody signs in. back: where it sends them then."""
    address, _ = _client(openid, service, back).create_authorization_url(
        service.authorization, state=state, nonce=nonce, code_verifier=verifier
    )
    return str(address)


def who_came(openid: OpenID, service: Service, back: str, *, code: str, nonce: str, verifier: str, now: float | None = None) -> Came:
    """Whom the service vouches for. Errors: DataError if it does not answer, or its answer is not to be believed."""
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
    from requests import RequestException

    try:
        told = _client(openid, service, back).fetch_token(
            service.token, code=code, code_verifier=verifier, grant_type="authorization_code", allow_redirects=False, timeout=WAIT
        )
    except (AuthlibBaseError, RequestException, ValueError) as error:
        raise DataError(f"the service of OpenID Connect gives no token: {type(error).__name__}", mend="sign in again") from None
    token = told.get("id_token")
    if not isinstance(token, str) or len(token) > LARGEST:
        raise DataError("the service of OpenID Connect gives no ID token", mend="ask for the scope openid at the service")
    return _came(verified(token, _json(service.keys), openid, nonce=nonce, now=now), openid)


def verified(token: str, keys: dict[str, Any], openid: OpenID, *, nonce: str, now: float | None = None) -> dict[str, Any]:
    """The claims of an ID token. Errors: DataError if anything about it is not as it must be."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    at = int(now if now is not None else time.time())
    checks = jwt.JWTClaimsRegistry(
        now=at, leeway=LEEWAY, iss={"essential": True, "value": openid.issuer}, aud={"essential": True, "value": openid.client},
        exp={"essential": True}, iat={"essential": True}, sub={"essential": True}, nonce={"essential": True, "value": nonce},
    )  # fmt: skip
    try:
        pairs = [key for key in keys["keys"] if key.get("kty") in KEY_TYPES]
        claims = jwt.decode(token, KeySet.import_key_set({"keys": pairs}), algorithms=ALGORITHMS).claims
        checks.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"the ID token is not to be believed: {type(error).__name__}", mend="sign in again") from None
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    meant = claims.get("azp", openid.client if len(audience) == 1 else None)
    if meant != openid.client or claims["iat"] < at - OLDEST:
        raise DataError("the ID token is not to be believed: it is of another time or for another program", mend="sign in again")
    return claims


def _came(claims: dict[str, Any], openid: OpenID) -> Came:
    words = {name: claims[name] for name in ("preferred_username", "email", "name") if isinstance(claims.get(name), str)}
    sub = claims["sub"]
    if not 1 <= len(sub) <= 255 or not sub.isprintable():
        raise DataError("the ID token names nobody", mend="sign in again")
    names = tuple(words[name] for name in ("preferred_username", "email") if name in words)
    return Came(f"{openid.issuer}|{sub}", names, words.get("name", "")[:200])


def _client(openid: OpenID, service: Service, back: str) -> Any:
    try:
        from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise DesignError("signing in by OpenID Connect needs a library that is not installed", mend="install qonys[oidc]") from None
    method = "none" if not openid.secret else "client_secret_post" if service.post else "client_secret_basic"
    return OAuth2Session(
        openid.client,
        openid.secret or None,
        scope=SCOPE,
        redirect_uri=back,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
    )


def _json(address: str) -> dict[str, Any]:
    """An object of the service; redirects are not followed, since they could lead anywhere."""
    import requests

    try:
        with requests.get(address, timeout=WAIT, allow_redirects=False, stream=True, headers={"Accept": "application/json"}) as reply:
            content = reply.raw.read(LARGEST + 1, decode_content=True)
            found = json.loads(content) if reply.status_code == 200 and len(content) <= LARGEST else None
    except (requests.RequestException, OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise DataError("the service of OpenID Connect cannot be reached", mend="try again later, or sign in with a password")
    return found


def _is_safe(address: str, issuer: str) -> bool:
    parts = urlsplit(address)
    own = urlsplit(issuer)
    return parts.scheme == "https" or (parts.scheme == own.scheme == "http" and parts.hostname in LOOPBACK and own.hostname in LOOPBACK)
