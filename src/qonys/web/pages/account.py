"""The own account: name, language, password, where one is signed in, and tokens for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from qonys.core.errors import DesignError, QonysError
from qonys.i18n import words
from qonys.web.frame import page
from qonys.web.gate import address_of, cookie_name, needs, protected
from qonys.web.pages.sign import minutes_of
from qonys.web.state import attempts, people, sessions
from qonys.web.state.people import Person
from qonys.web.state.tables import ROLES, moment
from qonys.web.waiting import check_password

if TYPE_CHECKING:
    from qonys.web.app import Desk

Language = Literal["en", "ru", "kk"]
Self = Annotated[Person, needs("viewer", in_person=True)]
Word = Annotated[str, Form(max_length=1001)]
Name = Annotated[str, Form(max_length=300)]
router = APIRouter(prefix="/{language}/account", include_in_schema=False)
guarded = [Depends(protected)]
DAYS = (7, 30, 90, 180, 366)  # that a token may last


@router.get("")
def account(request: Request, language: Language, person: Self, done: str = "") -> Response:
    """All of it. done: what was changed just now."""
    return _page(request, done=done if done in ("profile", "password", "session", "sessions", "revoked") else "")


@router.post("/profile", dependencies=guarded)
def profile(
    request: Request, language: Language, person: Self, full_name: Name = "", own: Annotated[Language, Form(alias="language")] = "en"
) -> Response:
    """Another full name, or language."""
    try:
        people.set_profile(_desk(request).database, person.id, full_name=full_name, language=own, by=person)
    except QonysError as error:
        return _page(request, error=error, part="profile", status=400)
    return RedirectResponse(f"/{own}/account?done=profile", 303)


@router.post("/password", dependencies=guarded)
async def password(request: Request, language: Language, person: Self, old: Word = "", new: Word = "", again: Word = "") -> Response:
    """Another password, for whoever knows the one of now; all other sessions end."""
    return await check_password(_password, request, language, person, old, new, again)


def _password(request: Request, language: Language, person: Person, old: str, new: str, again: str) -> Response:
    desk, address = _desk(request), address_of(request, _desk(request).settings)
    if (wait := attempts.enter(desk.database, person.name, address)) > 0:
        told = words(language).plural("web.sign_in.wait", minutes_of(wait), minutes=minutes_of(wait))
        return _page(request, part="password", wrong=told, status=429)
    if people.authenticate(desk.database, person.name, old) is None:
        return _page(request, part="password", wrong=words(language)("web.account.wrong_password"), status=400)
    attempts.cleared(desk.database, person.name, address)
    try:
        if new != again:
            raise DesignError("the two passwords are not the same", mend="type them again")
        if new == old:
            raise DesignError("this is the password you have", mend="choose another")
        people.set_password(desk.database, person.id, new, by=person, but=request.state.session.digest)
    except QonysError as error:
        return _page(request, error=error, part="password", status=400)
    return RedirectResponse(f"/{language}/account?done=password", 303)


@router.post("/sessions/end", dependencies=guarded)
def end_others(request: Request, language: Language, person: Self) -> Response:
    """End all sessions but this one."""
    token = request.cookies.get(cookie_name(_desk(request).settings), "")
    sessions.close_all(_desk(request).database, person, but=token)
    return RedirectResponse(f"/{language}/account?done=sessions", 303)


@router.post("/sessions/{digest}/end", dependencies=guarded)
def end_one(request: Request, language: Language, person: Self, digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> Response:
    """End one session of one's own."""
    if not sessions.end_session(_desk(request).database, person, digest):
        raise HTTPException(404)
    return RedirectResponse(f"/{language}/account?done=session", 303)


@router.post("/tokens", dependencies=guarded)
def issue(
    request: Request, language: Language, person: Self, name: Name = "", role: Annotated[str, Form(max_length=16)] = "viewer",
    days: Annotated[int, Form()] = 90,
) -> Response:  # fmt: skip
    """A token for a program, shown on this one page."""
    try:
        token, _ = sessions.issue_token(_desk(request).database, person, name, days=days, role=role)
    except QonysError as error:
        return _page(request, error=error, part="tokens", name=name, status=400)
    return _page(request, token=token)


@router.post("/tokens/{id}/revoke", dependencies=guarded)
def revoke(request: Request, language: Language, person: Self, id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")]) -> Response:
    """A token of one's own that works no more."""
    own_token(_desk(request), person, id)
    sessions.revoke_token(_desk(request).database, id, by=person)
    return RedirectResponse(f"/{language}/account?done=revoked", 303)


def own_token(desk: Desk, person: Person, id: str) -> sessions.Token:
    """The token, if it is theirs. Errors: 404, as if there were none."""
    found = next((one for one in sessions.tokens_of(desk.database, person) if one.id == id), None)
    if found is None:
        raise HTTPException(404)
    return found


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _page(request: Request, *, status: int = 200, **values: Any) -> Response:
    desk, asker = _desk(request), request.state.person
    person = people.person(desk.database, asker.id)
    shown: dict[str, Any] = {"done": "", "error": None, "part": "", "wrong": "", "token": "", "name": ""} | values
    content = page(
        request, "account.html.j2", who=person, here=request.state.session.digest, roles=ROLES[: ROLES.index(person.role) + 1], days=DAYS,
        sessions=sessions.sessions_of(desk.database, person, idle=timedelta(minutes=desk.settings.idle)),
        tokens=sessions.tokens_of(desk.database, person), now=moment(), **shown,
    )  # fmt: skip
    return Response(content, status, media_type="text/html")
