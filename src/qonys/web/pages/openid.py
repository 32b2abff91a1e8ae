"""Signing in by the organisation's own OpenID Connect service."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request
from sqlalchemy import delete, insert, select
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from qonys.core.errors import DataError, DesignError, QonysError
from qonys.web import logs
from qonys.web.gate import Refused, address_of
from qonys.web.openid import Came, discovered, way_to, who_came
from qonys.web.pages.sign import inside, opened
from qonys.web.sealed import sealed, unsealed
from qonys.web.state import attempts, audit, people
from qonys.web.state.tables import attempts as attempts_table
from qonys.web.state.tables import moment
from qonys.web.waiting import a_few

if TYPE_CHECKING:
    from qonys.web.app import Desk
    from qonys.web.settings import OpenID
    from qonys.web.state.people import Person

router = APIRouter(include_in_schema=False)
COOKIE = "qonys_openid"  # of a browser that has gone to the service and may come back
BACK = "/openid/back"
LASTS = timedelta(minutes=10)
USED = "openid"  # kind of the note that a state was used
AT_ONCE = 4  # the service may be slow


@router.get("/openid/begin")
async def begin(request: Request, lang: Literal["en", "ru", "kk"] = "en", next: str = "") -> Response:
    """Off to the service."""
    return await a_few(AT_ONCE, "openid", _begin, request, lang, next[:2000])


def _begin(request: Request, language: str, next: str) -> Response:
    desk, openid = _set(request)
    note = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    try:
        way = way_to(openid, discovered(openid), desk.settings.shown_address + BACK, **note)
    except QonysError as error:
        raise _fault(request, error) from None
    reply = RedirectResponse(way, 303)
    seal = sealed(desk.database, COOKIE, note | {"next": inside(next, language), "language": language})
    reply.set_cookie(COOKIE, seal, max_age=int(LASTS.total_seconds()), path="/openid/", httponly=True, samesite="lax",
                     secure=desk.settings.secure)  # fmt: skip
    return reply


@router.get(BACK)
async def back(request: Request, state: str = "", code: str = "", error: str = "", iss: str = "") -> Response:
    """Back from the service: whom it vouches for is signed in."""
    return await a_few(AT_ONCE, "openid", _back, request, state, code, error, iss)


def _back(request: Request, state: str, code: str, error: str, iss: str) -> Response:
    desk, openid = _set(request)
    note = unsealed(desk.database, COOKIE, request.cookies.get(COOKIE, ""), lasts=LASTS)
    if note is None or not secrets.compare_digest(state.encode("utf-8", "replace"), note["state"].encode()) or not _first(desk, state):
        raise Refused(403, "web.openid.state")
    if error or not code or iss not in ("", openid.issuer):
        raise Refused(403, "web.openid.denied")
    address = address_of(request, desk.settings)
    if attempts.enter(desk.database, USED, address) > 0:
        raise Refused(429, "web.openid.wait")
    try:
        came = who_came(
            openid, discovered(openid), desk.settings.shown_address + BACK, code=code, nonce=note["nonce"], verifier=note["verifier"]
        )
    except QonysError as fault:
        with desk.database.begin() as connection:
            audit.record(connection, person=None, action="sign_in.failed", detail={"by": "openid"})
        raise _fault(request, fault) from None
    person = _person(desk, came, openid.role, note["language"])
    if not person.active:
        raise Refused(403, "web.openid.disabled")
    attempts.cleared(desk.database, USED, address)
    reply = opened(request, person, note["next"], address)
    reply.delete_cookie(COOKIE, path="/openid/", httponly=True, samesite="lax", secure=desk.settings.secure)
    return reply


def _set(request: Request) -> tuple[Desk, OpenID]:
    desk: Desk = request.app.state.desk
    if desk.settings.openid is None or desk.settings.public:
        raise HTTPException(404)
    return desk, desk.settings.openid


def _first(desk: Desk, state: str) -> bool:
    """Is the state used for the first time? From now on it was."""
    key, at = sha256(state.encode("utf-8", "replace")).hexdigest(), moment()
    table = attempts_table
    with desk.database.begin() as connection:
        connection.execute(delete(table).where(table.c.kind == USED, table.c.at < at - 2 * LASTS))
        if connection.execute(select(table.c.id).where(table.c.kind == USED, table.c.key == key)).first() is not None:
            return False
        connection.execute(insert(table).values(kind=USED, key=key, pair=key, at=at))
        return True


def _person(desk: Desk, came: Came, role: str, language: str) -> Person:
    """The person with this subject, made at their first sign-in with a name of the service's if one can be had."""
    with desk.database.begin() as connection:
        found = people.by_subject(connection, came.subject)
        if found is not None:
            return found
        short = sha256(came.subject.encode()).hexdigest()[:10]
        names = [name for name in came.names if 2 <= len(name) <= 50]
        for name in (*names, *(f"{name}-{short[:4]}" for name in names), f"openid-{short}"):
            try:
                return people.add(
                    connection, name, role=role, full_name=came.full_name, subject=came.subject, language=language, by="openid"
                )
            except DesignError:
                continue
    raise DataError("nobody could be added for this account", mend="ask an administrator")


def _fault(request: Request, error: QonysError) -> Refused:
    """What went wrong is for the administrator, in the log: the person can only try again."""
    logs.line(id=request.state.id, openid=error.what, mend=error.mend)
    return Refused(502, "web.openid.service")
