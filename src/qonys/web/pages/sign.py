"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from qonys.i18n import words
from qonys.web.frame import page
from qonys.web.gate import COOKIE, address_of, protected
from qonys.web.state import attempts, audit, people, sessions

router = APIRouter(include_in_schema=False)
Language = Literal["en", "ru", "kk"]


@router.get("/{language}/sign-in")
def ask(request: Request, language: Language, next: str = "") -> Response:
    """The form."""
    if request.state.person is not None:
        return RedirectResponse(inside(next, language), 303)
    return _form(request, next, "", "", 200)


@router.post("/{language}/sign-in")
def sign_in(
    request: Request, language: Language, name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "", next: Annotated[str, Form(max_length=2000)] = "",
) -> Response:  # fmt: skip
    """Open a session. No session is needed to ask for one, so there is no secret in this form; the origin is checked at the gate."""
    desk, say = request.app.state.desk, words(language)
    address = address_of(request, desk.settings)
    wait = attempts.wait_of(desk.database, name, address)
    if wait > 0:
        reply = _form(request, next, name, say.plural("web.sign_in.wait", max(1, round(wait / 60)), minutes=max(1, round(wait / 60))), 429)
        reply.headers["Retry-After"] = str(int(wait) + 1)
        return reply
    person = people.authenticate(desk.database, name, password)
    if person is None:
        attempts.failed(desk.database, name, address)
        with desk.database.begin() as connection:
            audit.record(connection, person=None, action="sign_in.failed")
        return _form(request, next, name, say("web.sign_in.wrong"), 401)
    attempts.cleared(desk.database, name, address)
    return opened(request, person, inside(next, language), address)


@router.post("/{language}/sign-out", dependencies=[Depends(protected)])
def sign_out(request: Request, language: Language) -> Response:
    """End the session."""
    sessions.close_session(request.app.state.desk.database, request.cookies.get(COOKIE, ""))
    reply = RedirectResponse(f"/{language}/sign-in", 303)
    reply.delete_cookie(COOKIE)
    return reply


def opened(request: Request, person: people.Person, to: str, address: str) -> Response:
    """A new session for a person, and on to where they wanted to go. An old session of this browser ends."""
    desk = request.app.state.desk
    if old := request.cookies.get(COOKIE, ""):
        sessions.close_session(desk.database, old)
    longest = timedelta(minutes=desk.settings.longest)
    token, _ = sessions.open_session(desk.database, person, address=address, agent=request.headers.get("user-agent", ""), absolute=longest)
    reply = RedirectResponse(to, 303)
    reply.set_cookie(COOKIE, token, max_age=int(longest.total_seconds()), httponly=True, samesite="lax", secure=desk.settings.secure)
    return reply


def inside(address: str, language: str) -> str:
    """An address of this site, or the first page: never one of another site."""
    parts = urlsplit(address)
    safe = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc and "\\" not in address
    return address if safe and address.isprintable() else f"/{language}/situation"


def _form(request: Request, next: str, name: str, wrong: str, status: int) -> Response:
    openid = request.app.state.desk.settings.openid is not None
    return Response(page(request, "sign_in.html.j2", next=next, name=name, wrong=wrong, openid=openid), status, media_type="text/html")
