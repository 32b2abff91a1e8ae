"""The interface to the own account and, for administrators, to people, the trail and the state of the server.

People are changed and tokens made by whoever is signed in, never by a token: a stolen one must not make another.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from qonys.web.api import BY_TOKEN, FAULTS
from qonys.web.gate import needs, protected
from qonys.web.pages.account import own_token
from qonys.web.pages.admin import system_of
from qonys.web.state import audit, people, sessions
from qonys.web.state.people import Person

if TYPE_CHECKING:
    from qonys.web.app import Desk

router = APIRouter(prefix="/api/v1", responses=FAULTS, tags=["account"], dependencies=[BY_TOKEN])
Asker = Annotated[Person, needs("viewer")]
InPerson = Annotated[Person, needs("viewer", in_person=True)]
Admin = Annotated[Person, needs("admin")]
guarded = [Depends(protected)]


class Account(BaseModel):
    """Someone with an account. role: for whoever asks by a token, that of the token."""

    id: str
    name: str
    full_name: str
    role: str
    active: bool
    language: str
    created_at: datetime
    changed_at: datetime


class TokenWanted(BaseModel):
    """A token asked for."""

    name: str = Field(max_length=300)
    days: int = 90
    role: str = Field("viewer", max_length=16)


class TokenKnown(BaseModel):
    """What is known of a token."""

    id: str
    name: str
    role: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(TokenKnown):
    """A new token: `token` is shown this once."""

    token: str


class TrailEntry(BaseModel):
    """One entry of the audit trail."""

    number: int
    at: datetime
    person: str | None
    name: str
    action: str
    object: str
    detail: dict[str, Any]
    previous: str
    hash: str


class Verified(BaseModel):
    """Whether the trail is whole: `broken` is the number of the first entry that is not as it was."""

    broken: int | None
    entries: int
    head: str


class SystemState(BaseModel):
    """How the server is; `free` in bytes."""

    version: str
    database: str
    migration: str
    newest: str
    entries: int
    head: str
    free: int
    waiting: int
    running: int


@router.get("/me", operation_id="me")
def me(request: Request, person: Asker) -> Account:
    """Who asks."""
    return Account(**_known(person))


@router.get("/tokens", operation_id="tokens")
def tokens(request: Request, person: Asker) -> list[TokenKnown]:
    """The tokens of whoever asks."""
    return [TokenKnown(**asdict(one)) for one in sessions.tokens_of(_desk(request).database, person)]


@router.post("/tokens", operation_id="issue_token", status_code=201, dependencies=guarded)
def issue(request: Request, person: InPerson, wanted: TokenWanted) -> TokenMade:
    """A new token. It is shown in this answer and never again."""
    token, known = sessions.issue_token(_desk(request).database, person, wanted.name, days=wanted.days, role=wanted.role)
    return TokenMade(token=token, **asdict(known))


@router.delete("/tokens/{id}", operation_id="revoke_token", dependencies=guarded)
def revoke(request: Request, person: InPerson, id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")]) -> TokenKnown:
    """A token that works no more."""
    own_token(_desk(request), person, id)
    return TokenKnown(**asdict(sessions.revoke_token(_desk(request).database, id, by=person)))


@router.get("/people", operation_id="people")
def everybody(request: Request, person: Admin) -> list[Account]:
    """All people."""
    return [Account(**_known(one)) for one in people.listed(_desk(request).database)]


@router.get("/trail", operation_id="trail")
def trail(
    request: Request, person: Admin, before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100, who: Annotated[str | None, Query(max_length=32)] = None,
    action: Annotated[str | None, Query(max_length=64)] = None,
) -> list[TrailEntry]:  # fmt: skip
    """The audit trail, the latest first; before: numbers below this one; who: id of a person."""
    found = audit.entries(_desk(request).database, before=before, limit=limit, person=who, action=action)
    return [TrailEntry(**asdict(one)) for one in found]


@router.get("/trail/verified", operation_id="trail_verified")
def verified(request: Request, person: Admin) -> Verified:
    """Whether the trail is whole."""
    database = _desk(request).database
    broken, head = audit.verify(database), audit.head(database)
    return Verified(broken=broken, entries=audit.count(database), head=head.hash if head else "")


@router.get("/system", operation_id="system")
def system(request: Request, person: Admin) -> SystemState:
    """How the server is."""
    return SystemState(**asdict(system_of(_desk(request))))


def _known(person: Person) -> dict[str, Any]:
    return {name: getattr(person, name) for name in Account.model_fields}


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk
