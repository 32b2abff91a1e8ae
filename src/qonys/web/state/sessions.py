"""Who is signed in, and tokens for programs. Of either only the SHA-256 of the random token is kept, so a stolen database opens nothing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, delete, func, insert, or_, select, update

from qonys.core.errors import DataError, DesignError
from qonys.web.state import audit
from qonys.web.state.database import Database, installation_key, reading, writing
from qonys.web.state.people import Person, checked_role, person
from qonys.web.state.tables import ROLES, moment, new_id
from qonys.web.state.tables import sessions as session_table
from qonys.web.state.tables import tokens as token_table

IDLE = timedelta(minutes=60)
ABSOLUTE = timedelta(hours=12)
TOUCH = timedelta(minutes=1)  # being seen is noted no more often than this
PREFIX = "qonys_"
DAYS = 366  # a token lasts at most
MOST_TOKENS = 20  # that work, a person


@dataclass(frozen=True, slots=True)
class Session:
    """Someone signed in. person: their id; csrf: what their forms must send back; hashes: of where from and by which program."""

    digest: str
    person: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    csrf: str
    address_hash: str
    agent_hash: str


@dataclass(frozen=True, slots=True)
class Token:
    """A program's way in, in the name of a person and in a role not above theirs."""

    id: str
    person: str
    name: str
    role: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def works(self, now: datetime | None = None) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and moment(now) < self.expires_at


def open_session(
    where: Database, who: Person, *, now: datetime | None = None, address: str = "", agent: str = "", absolute: timedelta = ABSOLUTE
) -> tuple[str, Session]:
    """Sign someone in -> the token for their cookie, which is kept nowhere, and the session. address, agent: kept as keyed hashes.

    Errors: DataError if the person is not active any more.
    """
    at, token = moment(now), secrets.token_urlsafe(32)
    with where.begin() as connection:
        if not person(connection, who.id).active:
            raise DataError(f"{who.name!r} is disabled", mend="ask an administrator")
        key = installation_key(connection)
        session = Session(
            digest=_digest(token), person=who.id, created_at=at, seen_at=at, expires_at=at + absolute, csrf=secrets.token_urlsafe(32),
            address_hash=_keyed(key, address), agent_hash=_keyed(key, agent),
        )  # fmt: skip
        connection.execute(insert(session_table).values(_values(session)))
        audit.record(connection, person=who, action="session.open", object=who.id, now=at)
    return token, session


def session_of(where: Database, token: str, *, now: datetime | None = None, idle: timedelta = IDLE) -> tuple[Session, Person] | None:
    """Whose session this token is of; None if it is of none, has ended, was idle too long, or its person is disabled.

    Being seen is noted at most once a minute; a database too busy to note it does not turn anybody away.
    """
    at = moment(now)
    with where.read() as connection:
        row = connection.execute(select(session_table).where(session_table.c.digest == _digest(token))).first()
        if row is None:
            return None
        session, who = _made(Session, row), person(connection, row.person)
    if not who.active or at >= session.expires_at or at - session.seen_at >= idle:
        return None
    if at - session.seen_at >= TOUCH and _noted(where, session_table, session_table.c.digest == session.digest, seen_at=at):
        session = replace(session, seen_at=at)
    return session, who


def close_session(where: Database | Connection, token: str, *, now: datetime | None = None) -> None:
    """Sign out; nothing happens if the session has ended."""
    with writing(where) as connection:
        found = connection.scalar(select(session_table.c.person).where(session_table.c.digest == _digest(token)))
        if found is not None:
            connection.execute(delete(session_table).where(session_table.c.digest == _digest(token)))
            audit.record(connection, person=person(connection, found), action="session.close", object=found, now=now)


def close_all(
    where: Database | Connection, who: Person, but: str | None = None, *, now: datetime | None = None, by: audit.By = None
) -> int:
    """Sign a person out everywhere, except for the session whose token is `but` -> how many ended. by: the person, by default."""
    with writing(where) as connection:
        others = (session_table.c.person == who.id) & (session_table.c.digest != (_digest(but) if but else ""))
        ended = connection.execute(delete(session_table).where(others)).rowcount
        if ended:
            audit.record(connection, person=by or who, action="session.close_all", object=who.id, detail={"sessions": ended}, now=now)
        return ended


def end_session(where: Database | Connection, who: Person, digest: str, *, now: datetime | None = None) -> bool:
    """Sign a person out at one place, whose session has this digest -> whether there was one of theirs."""
    with writing(where) as connection:
        theirs = (session_table.c.person == who.id) & (session_table.c.digest == digest)
        ended = bool(connection.execute(delete(session_table).where(theirs)).rowcount)
        if ended:
            audit.record(connection, person=who, action="session.end", object=who.id, now=now)
        return ended


def sessions_of(where: Database | Connection, who: Person, *, now: datetime | None = None, idle: timedelta = IDLE) -> list[Session]:
    """Where a person is signed in now, the latest first."""
    at = moment(now)
    alive = (session_table.c.person == who.id) & (session_table.c.expires_at > at) & (session_table.c.seen_at > at - idle)
    with reading(where) as connection:
        rows = connection.execute(select(session_table).where(alive).order_by(session_table.c.created_at.desc(), session_table.c.digest))
        return [_made(Session, row) for row in rows]


def sweep(where: Database | Connection, *, now: datetime | None = None, idle: timedelta = IDLE) -> int:
    """Forget the sessions that have ended -> how many. They open nothing as it is; this only keeps the table small."""
    at = moment(now)
    ended = or_(session_table.c.expires_at <= at, session_table.c.seen_at <= at - idle)
    with writing(where) as connection:
        return connection.execute(delete(session_table).where(ended)).rowcount


def csrf_ok(session: Session, given: str | None) -> bool:
    """Whether a form sent back the session's secret; compared in constant time."""
    return given is not None and hmac.compare_digest(session.csrf.encode(), given.encode("utf-8", "replace"))


def issue_token(
    where: Database | Connection, who: Person, name: str, *, days: int, role: str, by: audit.By = None, now: datetime | None = None
) -> tuple[str, Token]:
    """A token for a program -> the token, shown once and kept nowhere, and what is known of it. by: the person, if nobody else is named.

    Errors: DesignError for a role above the person's, days outside 1 to DAYS, a name not of 1 to 64 characters, or more than MOST_TOKENS.
    DataError if the person is disabled.
    """
    at, name = moment(now), " ".join(name.split())
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= DAYS:
        raise DesignError(f"a token cannot last {days!r} days", mend=f"choose 1 to {DAYS}")
    if not 1 <= len(name) <= 64:
        raise DesignError(f"the name of a token has 1 to 64 characters, not {len(name)}", mend="call it by the program that will use it")
    token = PREFIX + secrets.token_urlsafe(32)
    with writing(where) as connection:
        current = person(connection, who.id)
        if not current.active:
            raise DataError(f"{who.name!r} is disabled", mend="ask an administrator")
        if not current.may(checked_role(role)):
            raise DesignError(
                f"a token of {who.name!r} cannot have the role {role}: theirs is {current.role}", mend=f"ask for {current.role}"
            )
        works = (token_table.c.person == who.id) & token_table.c.revoked_at.is_(None) & (token_table.c.expires_at > at)
        if (connection.scalar(select(func.count()).where(works)) or 0) >= MOST_TOKENS:
            raise DesignError(f"{who.name!r} has {MOST_TOKENS} tokens that work", mend="revoke one that is not used")
        values = {
            "id": new_id(), "person": who.id, "name": name, "role": role, "created_at": at, "expires_at": at + timedelta(days=days),
            "used_at": None, "revoked_at": None,
        }  # fmt: skip
        connection.execute(insert(token_table).values(**values, digest=_digest(token)))
        audit.record(
            connection,
            person=by or who,
            action="token.issue",
            object=str(values["id"]),
            detail={"name": name, "role": role, "days": days},
            now=at,
        )
        return token, Token(**values)  # type: ignore[arg-type]


def token_of(where: Database, token: str, *, now: datetime | None = None) -> tuple[Token, Person] | None:
    """Whose token this is; None if it is nobody's, expired, revoked, or its person is disabled.

    Both come in the role the token works in: the lower of the token's own and what the person's is now.
    """
    at = moment(now)
    if not token.startswith(PREFIX):
        return None
    with where.read() as connection:
        row = connection.execute(select(token_table).where(token_table.c.digest == _digest(token))).first()
        if row is None:
            return None
        found, who = _made(Token, row), person(connection, row.person)
    if not who.active or not found.works(at):
        return None
    if (found.used_at is None or at - found.used_at >= TOUCH) and _noted(where, token_table, token_table.c.id == found.id, used_at=at):
        found = replace(found, used_at=at)
    role = min(found.role, who.role, key=ROLES.index)
    return replace(found, role=role), replace(who, role=role)


def revoke_token(where: Database | Connection, id: str, *, by: audit.By, now: datetime | None = None) -> Token:
    """A token that works no more; one revoked before stays as it is. Errors: DataError if there is none of this id."""
    at = moment(now)
    with writing(where) as connection:
        row = connection.execute(select(token_table).where(token_table.c.id == id)).first()
        if row is None:
            raise DataError(f"there is no token {id!r}", mend="choose one of the list")
        found = _made(Token, row)
        if found.revoked_at is not None:
            return found
        connection.execute(update(token_table).where(token_table.c.id == id).values(revoked_at=at))
        audit.record(connection, person=by, action="token.revoke", object=id, detail={"name": found.name}, now=at)
        return replace(found, revoked_at=at)


def tokens_of(where: Database | Connection, who: Person) -> list[Token]:
    """All tokens of a person, the latest first, those too that work no more."""
    wanted = select(token_table).where(token_table.c.person == who.id).order_by(token_table.c.created_at.desc(), token_table.c.id)
    with reading(where) as connection:
        return [_made(Token, row) for row in connection.execute(wanted)]


Made = TypeVar("Made", Session, Token)


def _made(kind: type[Made], row: Row[Any]) -> Made:
    return kind(**{one.name: getattr(row, one.name) for one in fields(kind)})


def _values(session: Session) -> dict[str, Any]:
    return {one.name: getattr(session, one.name) for one in fields(session)}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _keyed(key: bytes, word: str) -> str:
    return hmac.new(key, word.encode("utf-8", "replace"), "sha256").hexdigest()


def _noted(where: Database, table: Table, which: Any, **values: datetime) -> bool:
    try:
        with where.begin() as connection:
            connection.execute(update(table).where(which).values(**values))
    except DataError:
        return False
    return True
