"""The audit trail: who did what to what, when. Entries are only added, each with the hash of the one before.

The hash of an entry is taken over all of it and the hash before, so an entry that is changed, taken out, put in or moved breaks the chain
at its number; the last number and hash are kept beside it, so that one cut off at the end is missed too. Both databases refuse to change or
delete entries. Who can rewrite the whole database can rewrite the chain: keep `head` elsewhere and give it to `verify`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Row, func, insert, select, update

from qonys.core.errors import DesignError
from qonys.web.state.database import Database, reading
from qonys.web.state.tables import as_text, audit, canonical, moment, settings

FIRST = "0" * 64  # what the first entry names as the one before
HEAD_KEY = "audit_head"
MOST = 1000  # entries given at once


class Named(Protocol):
    """Someone with an account: `people.Person`."""

    @property
    def id(self) -> str:
        """Their id."""

    @property
    def name(self) -> str:
        """Their name."""


By = Named | str | None  # who acts: a person, a name without an account (such as that of the command line's user), or nobody known


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `person` (id) called `name` did `action` to `object`; `detail` says the rest."""

    number: int
    at: datetime
    person: str | None
    name: str
    action: str
    object: str
    detail: Mapping[str, Any]
    previous: str
    hash: str


class Head(NamedTuple):
    """The last entry's number and hash: to be kept elsewhere."""

    number: int
    hash: str


def record(
    connection: Connection, *, person: By, action: str, object: str = "", detail: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Entry:  # fmt: skip
    """Add an entry in the transaction of what it tells of: both are kept, or neither. The connection is one of `Database.begin`.

    action: noun.verb, such as people.add; object: the id or name it is done to. Secrets do not belong in `detail`.
    Errors: DesignError for an action without a name, DataError for a detail that is no JSON.
    """
    if not action or len(action) > 64:
        raise DesignError(f"an action of the audit trail is called by 1 to 64 characters, not {len(action)}", mend="name it noun.verb")
    last = connection.execute(select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)).first()
    account = None if person is None or isinstance(person, str) else person
    values: dict[str, Any] = {
        "number": last.number + 1 if last else 1, "at": moment(now), "person": account.id if account else None,
        "name": account.name if account else person or "", "action": action, "object": object, "detail": dict(detail or {}),
        "previous": last.hash if last else FIRST,
    }  # fmt: skip
    entry = Entry(**values, hash=_hash(values))
    connection.execute(insert(audit).values(**values, hash=entry.hash))
    told = {"value": f"{entry.number} {entry.hash}"}
    if not connection.execute(update(settings).where(settings.c.key == HEAD_KEY).values(told)).rowcount:
        connection.execute(insert(settings).values(key=HEAD_KEY, **told))
    return entry


def entries(
    where: Database | Connection, *, before: int | None = None, limit: int = 100, person: str | None = None, action: str | None = None
) -> list[Entry]:
    """The latest entries first, at most `limit` of them and with numbers below `before`. person: an id; action: exactly that one.

    Errors: DesignError for a limit outside 1 to MOST.
    """
    if not 1 <= limit <= MOST:
        raise DesignError(f"{limit} entries cannot be given at once", mend=f"ask for 1 to {MOST}")
    wanted = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(audit.c.number < before)
    if person is not None:
        wanted = wanted.where(audit.c.person == person)
    if action is not None:
        wanted = wanted.where(audit.c.action == action)
    with reading(where) as connection:
        return [_entry(row) for row in connection.execute(wanted)]


def actions(where: Database | Connection) -> list[str]:
    """The actions the trail tells of, in order of their names."""
    with reading(where) as connection:
        return list(connection.scalars(select(audit.c.action).distinct().order_by(audit.c.action)))


def head(where: Database | Connection) -> Head | None:
    """The last entry's number and hash as noted when it was added; None before the first."""
    with reading(where) as connection:
        return _head(connection)


def verify(where: Database | Connection, *, kept: Head | None = None) -> int | None:
    """The number of the first entry that was changed, taken out, put in or moved; None if the trail is whole.

    kept: a `head` noted elsewhere; the trail must then still hold that entry.
    """
    with reading(where) as connection:
        number, previous = 0, FIRST
        # hashes of texts as they stand: what cannot be parsed is a broken entry, not an error
        for row in connection.execute(select(audit).order_by(audit.c.number).execution_options(yield_per=1000)):
            number += 1
            values = {name: getattr(row, name) for name in _NAMES}
            if row.number != number or row.previous != previous or row.hash != _hash(values):
                return number
            if kept is not None and kept.number == number and kept.hash != row.hash:
                return number
            previous = row.hash
        noted = _head(connection) or Head(0, FIRST)
    if noted.number != number:
        return min(noted.number, number) + 1
    if noted.hash != previous:
        return number
    return number + 1 if kept is not None and kept.number > number else None


def count(where: Database | Connection) -> int:
    """How many entries there are."""
    with reading(where) as connection:
        return connection.scalar(select(func.count()).select_from(audit)) or 0


_NAMES = tuple(one.name for one in fields(Entry) if one.name != "hash")


def _hash(values: Mapping[str, Any]) -> str:
    whole = [as_text(values["at"]) if name == "at" else values[name] for name in _NAMES]
    return hashlib.sha256(canonical(whole).encode()).hexdigest()


def _head(connection: Connection) -> Head | None:
    found = connection.scalar(select(settings.c.value).where(settings.c.key == HEAD_KEY))
    number, _, digest = (found or "").partition(" ")
    return Head(int(number), digest) if found else None


def _entry(row: Row[Any]) -> Entry:
    return Entry(**row._mapping)
