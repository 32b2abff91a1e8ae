"""Who asks, and what they may: sessions and tokens, the protection of forms, headers, bounds of requests, and one line of log a request."""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from qonys.web.frame import language_of, page
from qonys.web.state import sessions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from qonys.web.settings import Settings
    from qonys.web.state.database import Database
    from qonys.web.state.people import Person

COOKIE = "qonys_session"
BEARER = "bearer "
OPEN = ("/static/", "/health", "/openid/", "/favicon.ico", "/robots.txt")
SAFE = ("GET", "HEAD", "OPTIONS")
SMALL = 2**20  # bytes of a request without a file
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
_log = logging.getLogger("qonys.web")


class Refused(Exception):
    """A request that is not answered: status, and the key of the sentence that says why."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values


class Bounded:
    """No request is larger than it may be, whatever length it tells."""

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self.app, self.largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on while it is small enough."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        many = headers.get(b"content-type", b"").lower().startswith(b"multipart/")
        most, told = self.largest if many else SMALL, headers.get(b"content-length", b"0")
        if not told.isdigit() or int(told) > most:
            await JSONResponse({"what": "the request is too large", "mend": f"send at most {most} bytes"}, 413)(scope, receive, send)
            return
        come = 0

        async def counted() -> Message:
            nonlocal come
            message = await receive()
            come += len(message.get("body", b""))
            if come > most:
                raise Refused(413, "web.error.too_large")
            return message

        await self.app(scope, counted, send)


class Gate:
    """The one place through which each request goes."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database

    async def __call__(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        """Identify, let through or refuse, add headers, log."""
        begun = time.perf_counter()
        request.state.id = secrets.token_hex(8)
        request.state.person = request.state.session = None
        request.state.csrf, request.state.public = "", self.settings.public
        try:
            response = await self._let_through(request, call_next)
        except Refused as refused:
            response = refusal(request, refused)
        except Exception as error:
            _log.error("%s", json.dumps({"at": _now(), "id": request.state.id, "fault": type(error).__name__, "where": _where(error)}))
            response = refusal(request, Refused(500, "web.error.fault", id=request.state.id))
        self._headers(request, response)
        route = request.scope.get("route")
        line = {"at": _now(), "id": request.state.id, "method": request.method, "route": getattr(route, "path", ""),
                "status": response.status_code, "ms": round(1000 * (time.perf_counter() - begun), 1)}  # fmt: skip
        _log.info("%s", json.dumps(line))
        return response

    async def _let_through(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        path = request.url.path
        if path.startswith(OPEN):
            return await call_next(request)
        api = path.startswith("/api/")
        bearer = request.headers.get("authorization", "")
        if api and bearer.lower().startswith(BEARER):
            found = await run_in_threadpool(sessions.token_of, self.database, bearer[len(BEARER) :].strip())
            if found is None:
                raise Refused(401, "web.error.token")
            _, request.state.person = found
        elif cookie := request.cookies.get(COOKIE, ""):
            opened = await run_in_threadpool(self._session, cookie)
            if opened is not None:
                request.state.session, request.state.person = opened
                request.state.csrf = masked(request.state.session.csrf)
            if request.method not in SAFE and not self._same_origin(request):
                raise Refused(403, "web.error.origin")
        if request.state.person is None and not self._open_to_all(request):
            if api:
                raise Refused(401, "web.error.sign_in")
            here = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/{language_of(request)}/sign-in?next={quote(here, safe='')}", 303)
        return await call_next(request)

    def _session(self, cookie: str) -> tuple[sessions.Session, Person] | None:
        return sessions.session_of(self.database, cookie, idle=timedelta(minutes=self.settings.idle))

    def _open_to_all(self, request: Request) -> bool:
        parts = request.url.path.strip("/").split("/")
        if len(parts) == 2 and parts[1] == "sign-in":
            return True
        if request.url.path in ("/", "/api/openapi.json") and not self.settings.public:
            return request.url.path == "/"
        return self.settings.public and request.method in SAFE

    def _same_origin(self, request: Request) -> bool:
        """Do browsers say that the request comes from our own pages? Old ones say nothing; the token in the form still must fit."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        own = {f"http://{request.headers.get('host', '')}", f"https://{request.headers.get('host', '')}", self.settings.address}
        return origin is None or origin in own

    def _headers(self, request: Request, response: Response) -> None:
        embed = request.url.path.startswith("/embed/") and self.settings.embedding
        ancestors = " ".join(self.settings.embedding) if embed else "'none'"
        headers = response.headers
        headers["Content-Security-Policy"] = POLICY.format(ancestors=ancestors)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if not embed:
            headers["X-Frame-Options"] = "DENY"
        if self.settings.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-cache" if request.state.person is None and request.state.public else "no-store"


def refusal(request: Request, refused: Refused) -> Response:
    """A refusal as the asker reads it: JSON for the interface, a page for people."""
    from qonys.i18n import words

    if request.url.path.startswith("/api/"):
        return JSONResponse({"what": words(language_of(request)).plain(refused.key, **refused.values), "mend": ""}, refused.status)
    return Response(page(request, "error.html.j2", status=refused.status, key=refused.key, values=refused.values, sentence=None),
                    refused.status, media_type="text/html")  # fmt: skip


def masked(secret: str) -> str:
    """The secret of a form under a mask that is new each time, so that a compressed page does not give it away."""
    raw = secret.encode()
    mask = secrets.token_bytes(len(raw))
    return mask.hex() + bytes(a ^ b for a, b in zip(mask, raw, strict=True)).hex()


def unmasked(given: str) -> str:
    """The secret again; empty for what is none."""
    try:
        raw = bytes.fromhex(given)
        half = len(raw) // 2
        return bytes(a ^ b for a, b in zip(raw[:half], raw[half:], strict=True)).decode()
    except ValueError:
        return ""


async def protected(request: Request) -> None:
    """A form that changes something: it must carry the secret of the session that it was shown in. Tokens need none."""
    if request.state.session is None:
        if request.state.person is not None:
            return
        raise Refused(401, "web.error.sign_in")
    given = request.headers.get("x-csrf-token", "")
    if not given and not request.headers.get("content-type", "").startswith("application/json"):
        form = await request.form()
        given = str(form.get("csrf", ""))
    if not hmac.compare_digest(unmasked(given).encode(), request.state.session.csrf.encode()):
        raise Refused(403, "web.error.csrf")


def needs(role: str) -> Any:
    """A route for people of that role or above."""

    def checked(request: Request) -> Person:
        person: Person | None = request.state.person
        if person is None:
            raise Refused(401, "web.error.sign_in")
        if not may(request, role):
            raise Refused(403, "web.error.role", role=role)
        return person

    return Depends(checked)


def may(request: Request, role: str) -> bool:
    """Has the asker that role, or one above? Who comes with a token has the role of the token."""
    person: Person | None = getattr(request.state, "person", None)
    return person is not None and person.may(role)


def address_of(request: Request, settings: Settings) -> str:
    """Where the request comes from; behind a proxy as the last one tells."""
    if settings.proxied and (told := request.headers.get("x-forwarded-for", "")):
        return told.rpartition(",")[2].strip()[:64]
    return request.client.host if request.client else ""


def log_lines(stream: Any = None) -> None:
    """Logs as JSON lines, without addresses or names of people."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _log.handlers[:] = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _where(error: BaseException) -> list[str]:
    import traceback

    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
