"""Signing in and out; a one-time password opens nothing until an own one is chosen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from qonys.core.errors import DataError, DesignError
from qonys.i18n import words
from qonys.web.frame import page
from qonys.web.gate import Refused, address_of, cookie_name, protected
from qonys.web.sealed import sealed, unsealed
from qonys.web.state import attempts, audit, onetime, people, sessions
from qonys.web.waiting import check_password

router = APIRouter(include_in_schema=False)
Language = Literal["en", "ru", "kk"]
CHOOSING = "qonys_choosing"  # cookie of whoever came with a one-time password
CHOICE = timedelta(minutes=10)


@router.get("/{language}/sign-in")
def ask(request: Request, language: Language, next: str = "") -> Response:
    """The form."""
    if request.state.person is not None or request.state.public:
        return RedirectResponse(inside(next, language), 303)
    return _form(request, next, "", "", 200)


@router.post("/{language}/sign-in")
async def sign_in(
    request: Request, language: Language, name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "", next: Annotated[str, Form(max_length=2000)] = "",
) -> Response:  # fmt: skip
    """Open a session. No session is needed to ask for one, so there is no secret in this form; the gate checks where it comes from."""
    return await check_password(_sign_in, request, language, name, password, next)


def _sign_in(request: Request, language: Language, name: str, password: str, next: str) -> Response:
    desk, say = request.app.state.desk, words(language)
    address = address_of(request, desk.settings)
    # the try is counted before the password is looked at, so that many at once are many
    wait = attempts.enter(desk.database, name, address)
    if wait > 0:
        reply = _form(request, next, name, say.plural("web.sign_in.wait", minutes_of(wait), minutes=minutes_of(wait)), 429)
        reply.headers["Retry-After"] = str(int(wait) + 1)
        return reply
    person = people.authenticate(desk.database, name, password)
    if person is None:
        with desk.database.begin() as connection:
            audit.record(connection, person=None, action="sign_in.failed")
        return _form(request, next, name, say("web.sign_in.wrong"), 401)
    attempts.cleared(desk.database, name, address)
    if (ends := onetime.until(desk.database, person)) is None:
        return opened(request, person, inside(next, language), address)
    if ends <= datetime.now(UTC):
        return _form(request, next, name, say("web.sign_in.outdated"), 401)
    reply = RedirectResponse(f"/{language}/sign-in/password", 303)
    note = {"person": person.id, "changed": person.changed_at.isoformat(), "next": inside(next, language)}
    reply.set_cookie(CHOOSING, sealed(desk.database, CHOOSING, note), max_age=int(CHOICE.total_seconds()), httponly=True, samesite="strict",
                     secure=desk.settings.secure)  # fmt: skip
    return reply


@router.get("/{language}/sign-in/password")
def ask_own(request: Request, language: Language) -> Response:
    """The form in which whoever came with a one-time password chooses an own one."""
    if _choosing(request) is None:
        return RedirectResponse(f"/{language}/sign-in", 303)
    return _own_form(request, None, 200)


@router.post("/{language}/sign-in/password")
async def choose_own(
    request: Request, language: Language, password: Annotated[str, Form(max_length=1001)] = "",
    again: Annotated[str, Form(max_length=1001)] = "",
) -> Response:  # fmt: skip
    """Keep it, and open a session."""
    return await check_password(_choose_own, request, language, password, again)


def _choose_own(request: Request, language: Language, password: str, again: str) -> Response:
    desk, found = request.app.state.desk, _choosing(request)
    if found is None:
        raise Refused(403, "web.error.csrf")
    person, next = found
    if password != again:
        return _own_form(request, DesignError("the two passwords are not the same", mend="type them again"), 400)
    if people.authenticate(desk.database, person.name, password) is not None:
        return _own_form(request, DesignError("this is the one-time password", mend="choose another"), 400)
    try:
        with desk.database.begin() as connection:
            person = people.set_password(connection, person.id, password, by=person)
            onetime.done(connection, person)
    except DesignError as error:
        return _own_form(request, error, 400)
    reply = opened(request, person, next, address_of(request, desk.settings))
    reply.delete_cookie(CHOOSING, httponly=True, samesite="strict", secure=desk.settings.secure)
    return reply


@router.post("/{language}/sign-out", dependencies=[Depends(protected)])
def sign_out(request: Request, language: Language) -> Response:
    """End the session."""
    desk = request.app.state.desk
    name = cookie_name(desk.settings)
    sessions.close_session(desk.database, request.cookies.get(name, ""))
    reply = RedirectResponse(f"/{language}/sign-in", 303)
    reply.delete_cookie(name, httponly=True, samesite="lax", secure=desk.settings.secure)
    return reply


def opened(request: Request, person: people.Person, to: str, address: str) -> Response:
    """A new session for a person, and on to where they wanted to go. An old session of this browser ends."""
    desk = request.app.state.desk
    name = cookie_name(desk.settings)
    if old := request.cookies.get(name, ""):
        sessions.close_session(desk.database, old)
    sessions.sweep(desk.database, idle=timedelta(minutes=desk.settings.idle))
    longest = timedelta(minutes=desk.settings.longest)
    token, _ = sessions.open_session(desk.database, person, address=address, agent=request.headers.get("user-agent", ""), absolute=longest)
    reply = RedirectResponse(to, 303)
    reply.set_cookie(name, token, max_age=int(longest.total_seconds()), httponly=True, samesite="lax", secure=desk.settings.secure)
    return reply


def inside(address: str, language: str) -> str:
    """An address of this site, or the first page: never one of another site."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"/{language}/situation"
    safe = address.startswith("/") and not address.startswith("//") and not parts.netloc and not parts.scheme and "\\" not in address
    return address if safe and address.isprintable() else f"/{language}/situation"


def minutes_of(seconds: float) -> int:
    """Seconds as whole minutes, up."""
    return max(1, -int(-seconds // 60))


def _choosing(request: Request) -> tuple[people.Person, str] | None:
    """Who came with a one-time password that is still theirs, and where they wanted to go."""
    database = request.app.state.desk.database
    note = unsealed(database, CHOOSING, request.cookies.get(CHOOSING, ""), lasts=CHOICE)
    if note is None or request.state.public:
        return None
    try:
        person = people.person(database, note["person"])
    except DataError:
        return None
    due = onetime.until(database, person)
    return (person, note["next"]) if person.active and due is not None and person.changed_at.isoformat() == note["changed"] else None


def _form(request: Request, next: str, name: str, wrong: str, status: int) -> Response:
    openid = request.app.state.desk.settings.openid is not None
    return Response(page(request, "sign_in.html.j2", next=next, name=name, wrong=wrong, openid=openid), status, media_type="text/html")


def _own_form(request: Request, error: DesignError | None, status: int) -> Response:
    return Response(page(request, "sign_password.html.j2", error=error), status, media_type="text/html")
