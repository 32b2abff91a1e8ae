"""Who asks, and what they may: sessions and tokens, the protection of forms, headers, bounds of requests."""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import anyio
from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from qonys.web import logs
from qonys.web.frame import language_of, page
from qonys.web.settings import LOOPBACK
from qonys.web.state import sessions
from qonys.web.state.people import Person  # FastAPI reads the annotation of Needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from qonys.web.settings import Settings
    from qonys.web.state.database import Database

COOKIE = "qonys_session"
BEARER = "bearer "
OPEN = ("/static/", "/openid/")
OPEN_TOO = ("/health", "/favicon.ico", "/robots.txt")
SAFE = ("GET", "HEAD", "OPTIONS")
SMALL = 2**20  # bytes of a request without a file
SLOWEST = 120.0  # seconds until a request has come whole
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)


class Refused(Exception):
    """A request that is not answered: status, and the key of the sentence that says why."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values


class Bounded:
    """No request is larger than it may be, whatever length it tells, or takes longer to come. It stands inside the gate.

    largest: bytes of one with files, from somebody who is signed in; all others have SMALL.
    """

    def __init__(self, app: ASGIApp, largest: int, slowest: float = SLOWEST) -> None:
        self.app, self.largest, self.slowest = app, largest, slowest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on while it is small enough. Errors: Refused, if no answer was begun."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        files = headers.get(b"content-type", b"").lower().startswith(b"multipart/")
        most = self.largest if files and scope.get("state", {}).get("person") is not None else SMALL
        told = headers.get(b"content-length", b"0")
        if not told.isdigit() or len(told) > 18 or int(told) > most:
            raise Refused(413, "web.error.too_large")
        come, end, begun, whole = 0, time.monotonic() + self.slowest, False, False
        over: Refused | None = None

        async def counted() -> Message:
            nonlocal come, over, whole
            if over is not None:
                return {"type": "http.disconnect"}
            if whole:
                return await receive()
            try:
                with anyio.fail_after(max(0.0, end - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                over = Refused(408, "web.error.too_slow")
                return {"type": "http.disconnect"}
            come += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if come > most:
                over = Refused(413, "web.error.too_large")
                return {"type": "http.disconnect"}
            return message

        async def sent(message: Message) -> None:
            nonlocal begun
            if over is None or begun:
                begun = True
                await send(message)

        try:
            await self.app(scope, counted, sent)
        except Exception:
            if over is None:
                raise
        if over is not None and not begun:
            raise over


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
            logs.fault(request.state.id, error)
            response = refusal(request, Refused(500, "web.error.fault", id=request.state.id))
        self._headers(request, response)
        route = request.scope.get("route")
        logs.line(id=request.state.id, method=request.method[:16], route=getattr(route, "path", ""), status=response.status_code,
                  ms=round(1000 * (time.perf_counter() - begun), 1))  # fmt: skip
        return response

    async def _let_through(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        self._well_formed(request)
        if self.settings.public:
            if request.method not in SAFE:
                raise Refused(403, "web.error.read_only")
            return await call_next(request)
        path: str = request.scope["path"]
        bearer = request.headers.get("authorization", "")
        if path.startswith("/api/") and bearer.lower().startswith(BEARER):
            found = await run_in_threadpool(sessions.token_of, self.database, bearer[len(BEARER) :].strip())
            if found is None:
                raise Refused(401, "web.error.token")
            _, request.state.person = found
            return await call_next(request)
        if request.method not in SAFE and not self._same_origin(request):
            raise Refused(403, "web.error.origin")
        if path.startswith(OPEN) or path in OPEN_TOO:
            return await call_next(request)
        if cookie := request.cookies.get(cookie_name(self.settings), ""):
            opened = await run_in_threadpool(self._session, cookie)
            if opened is not None:
                request.state.session, request.state.person = opened
                request.state.csrf = masked(request.state.session.csrf)
        if request.state.person is None and path != "/" and not _is_sign_in(path):
            raise Refused(401, "web.error.sign_in")
        return await call_next(request)

    def _session(self, cookie: str) -> tuple[sessions.Session, Person] | None:
        return sessions.session_of(self.database, cookie, idle=timedelta(minutes=self.settings.idle))

    def _well_formed(self, request: Request) -> None:
        """Errors: Refused for a name that is not ours, so that no other site can be this server's to a browser, and for a broken query."""
        try:
            request.scope["query_string"].decode("ascii")
        except UnicodeDecodeError:
            request.scope["query_string"] = b""
            raise Refused(400, "web.error.other") from None
        names = request.headers.getlist("host")
        if len(names) > 1 or not all(self._is_ours(name) for name in names):
            raise Refused(400, "web.error.host")

    def _is_ours(self, name: str) -> bool:
        """The name of the address that is set, and those of this machine.

        Without one: addresses in numbers and names without a dot, for whoever makes a browser take this server for their own site
        (DNS rebinding) needs a name with one.
        """
        if not name.isprintable() or any(letter in name for letter in "/\\@?# "):
            return False
        try:
            parts = urlsplit(f"//{name}")
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        if self.settings.address and name.lower() == urlsplit(self.settings.address).netloc.lower():
            return True
        if host in LOOPBACK:
            return True
        return not self.settings.address and bool(host) and ("." not in host.rstrip(".") or _is_numeric(host))

    def _same_origin(self, request: Request) -> bool:
        """Do browsers say that the request comes from our own pages? Old ones say nothing; the secret in the form still must fit."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        own = {f"http://{request.headers.get('host', '')}", f"https://{request.headers.get('host', '')}", self.settings.address}
        return origin is None or origin in own

    def _headers(self, request: Request, response: Response) -> None:
        embed = bool(self.settings.embedding) and request.scope["path"].startswith("/embed/")
        ancestors = " ".join(self.settings.embedding) if embed else "'none'"
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY.format(ancestors=ancestors))
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if not embed:
            headers["X-Frame-Options"] = "DENY"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if self.settings.secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-cache" if self.settings.public else "no-store"


def refusal(request: Request, refused: Refused) -> Response:
    """A refusal as the asker reads it: JSON for the interface, the way to the sign-in or a page for people."""
    from qonys.i18n import words

    path: str = request.scope["path"]
    if path.startswith("/api/"):
        headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else None
        what = words(language_of(request)).plain(refused.key, **refused.values)
        return JSONResponse({"what": what, "mend": ""}, refused.status, headers=headers)
    if refused.status == 401 and request.method in ("GET", "HEAD") and not _is_sign_in(path) and not request.state.public:
        here = path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/{language_of(request)}/sign-in?next={quote(here, safe='')}", 303)
    return Response(page(request, "error.html.j2", status=refused.status, key=refused.key, values=refused.values, sentence=None),
                    refused.status, media_type="text/html")  # fmt: skip


def cookie_name(settings: Settings) -> str:
    """Of the session; over https of a kind that no other host can set and no page of plain http can read."""
    return f"__Host-{COOKIE}" if settings.secure else COOKIE


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


async def protected(request: Request) -> AsyncIterator[None]:
    """A form that changes something: it must carry the secret of the session that it was shown in. Tokens need none."""
    if request.state.person is None:
        raise Refused(401, "web.error.sign_in")
    try:
        if request.state.session is not None and not sessions.csrf_ok(request.state.session, unmasked(await _given(request))):
            raise Refused(403, "web.error.csrf")
        yield
    finally:
        await request.close()  # files of the form that no route took


async def _given(request: Request) -> str:
    if given := request.headers.get("x-csrf-token", ""):
        return given
    if request.headers.get("content-type", "").startswith("application/json"):
        return ""
    return str((await request.form()).get("csrf", ""))


class Needs:
    """People of a role or above. in_person: signed in, not by a token: what a stolen token must not do."""

    def __init__(self, role: str, *, in_person: bool = False) -> None:
        self.role, self.in_person = role, in_person

    def __call__(self, request: Request) -> Person:
        """Who asks. Errors: Refused for all others."""
        person: Person | None = request.state.person
        if person is None:
            raise Refused(401, "web.error.sign_in")
        if not may(request, self.role):
            raise Refused(403, "web.error.role", role=self.role)
        if self.in_person and request.state.session is None:
            raise Refused(403, "web.error.in_person")
        return person


def needs(role: str, *, in_person: bool = False) -> Any:
    """A route for people of that role or above -> the person."""
    return Depends(Needs(role, in_person=in_person))


def may(request: Request, role: str) -> bool:
    """Has the asker that role, or one above? Who comes with a token has the role of the token."""
    person: Person | None = getattr(request.state, "person", None)
    return person is not None and person.may(role)


def address_of(request: Request, settings: Settings) -> str:
    """Where the request comes from; behind a proxy as the last one tells."""
    if settings.proxied and (told := request.headers.get("x-forwarded-for", "")):
        return told.rpartition(",")[2].strip()[:64]
    return request.client.host if request.client else ""


def _is_sign_in(path: str) -> bool:
    parts = path.strip("/").split("/")
    return parts[1:] in (["sign-in"], ["sign-in", "password"])


def _is_numeric(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False
