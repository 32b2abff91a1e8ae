"""Variants of rooms that people keep: the TOML of a procedure, a corridor or a settlement under a name, own or shared."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from qonys.core.errors import DataError, DesignError, nearest
from qonys.web.state import audit
from qonys.web.state.audit import By
from qonys.web.state.database import Database, reading, writing
from qonys.web.state.people import Person
from qonys.web.state.tables import ROOM_KINDS, moment, new_id
from qonys.web.state.tables import rooms as table

MOST_TEXT = 256 * 2**10  # bytes
MOST_NAME = 80
MOST_ROOMS = 200  # of one person


@dataclass(frozen=True, slots=True)
class Room:
    """One variant. text: its TOML; parent: the variant it was made from."""

    id: str
    kind: str
    name: str
    owner: str
    shared: bool
    text: str
    created_at: datetime
    changed_at: datetime
    parent: str | None


def save(
    where: Database | Connection, kind: str, name: str, text: str, *, owner: Person, parent: str | None = None, now: datetime | None = None
) -> Room:
    """Keep a text under a name: a new variant, or in place of the owner's own one of that kind and name.

    Errors: DesignError for an unknown kind, a name or text that is too long or empty, or too many variants.
    """
    if kind not in ROOM_KINDS:
        raise DesignError(f"there is no room of the kind {kind!r}", mend=nearest(kind, ROOM_KINDS))
    name, at = " ".join(name.split()), moment(now)
    if not 1 <= len(name) <= MOST_NAME or not name.isprintable():
        raise DesignError(f"the name of a variant has 1 to {MOST_NAME} characters", mend="choose a short name")
    if not text.strip() or len(text.encode("utf-8", "replace")) > MOST_TEXT:
        raise DesignError(f"the text of a variant has 1 to {MOST_TEXT} bytes", mend="shorten it")
    with writing(where) as connection:
        mine = (table.c.owner == owner.id) & (table.c.kind == kind)
        own = connection.execute(select(table).where(mine, table.c.name == name)).first()
        if own is not None:
            connection.execute(update(table).where(table.c.id == own.id).values(text=text, changed_at=at))
            id = str(own.id)
        else:
            if (connection.scalar(select(func.count()).where(table.c.owner == owner.id)) or 0) >= MOST_ROOMS:
                raise DesignError(f"{MOST_ROOMS} variants are kept already", mend="remove some")
            if parent is not None and connection.scalar(select(table.c.id).where(table.c.id == parent)) is None:
                parent = None
            id = new_id()
            connection.execute(insert(table).values(
                id=id, kind=kind, name=name, owner=owner.id, text=text, created_at=at, changed_at=at, parent=parent,
            ))  # fmt: skip
        audit.record(connection, person=owner, action="rooms.save", object=id, detail={"kind": kind, "name": name}, now=at)
        return room(connection, id)


def room(where: Database | Connection, id: str) -> Room:
    """The variant with this id. Errors: DataError if there is none."""
    with reading(where) as connection:
        row = connection.execute(select(table).where(table.c.id == id)).first()
    if row is None:
        raise DataError("there is no such variant", mend="choose one of the list of rooms")
    return _room(row)


def listed(where: Database | Connection, *, owner: Person | None, kind: str | None = None) -> list[Room]:
    """Own variants and those shared with all, the latest changed first; without an owner only the shared ones."""
    seen = table.c.shared.is_(True)
    wanted = select(table).where(or_(table.c.owner == owner.id, seen) if owner else seen)
    if kind is not None:
        wanted = wanted.where(table.c.kind == kind)
    with reading(where) as connection:
        return [_room(row) for row in connection.execute(wanted.order_by(table.c.changed_at.desc(), table.c.id))]


def share(where: Database | Connection, id: str, shared: bool, *, by: By, now: datetime | None = None) -> Room:
    """Let all analysts use it, or only the owner again. Errors: DataError if there is none of this id."""
    with writing(where) as connection:
        found = room(connection, id)
        connection.execute(update(table).where(table.c.id == id).values(shared=shared))
        action = "rooms.share" if shared else "rooms.unshare"
        audit.record(connection, person=by, action=action, object=id, detail={"name": found.name}, now=moment(now))
        return room(connection, id)


def remove(where: Database | Connection, id: str, *, by: By, now: datetime | None = None) -> None:
    """Take a variant out; runs made from it stay. Errors: DataError if there is none of this id."""
    with writing(where) as connection:
        found = room(connection, id)
        connection.execute(update(table).where(table.c.parent == id).values(parent=None))
        connection.execute(delete(table).where(table.c.id == id))
        audit.record(connection, person=by, action="rooms.remove", object=id, detail={"name": found.name}, now=moment(now))


def _room(row: Row[Any]) -> Room:
    return Room(**{one.name: getattr(row, one.name) for one in fields(Room)})
