"""One-time passwords: made for somebody else, good for a week and for nothing but choosing an own one."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from qonys.web.state import people
from qonys.web.state.audit import By
from qonys.web.state.database import Database, reading, writing
from qonys.web.state.people import Person
from qonys.web.state.tables import as_text, moment, settings

LASTS = timedelta(days=7)
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that looks like another
GROUPS, LONG = 4, 5


def made() -> str:
    """A new one: four groups of five letters and figures, 100 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(LONG)) for _ in range(GROUPS))


def mark(where: Database | Connection, who: Person, *, now: datetime | None = None) -> None:
    """The password this person has now is a one-time one."""
    with writing(where) as connection:
        done(connection, who)
        connection.execute(insert(settings).values(key=_key(who), value=as_text(moment(now) + LASTS)))


def give(where: Database | Connection, who: Person, *, by: By, now: datetime | None = None) -> str:
    """A one-time password instead of the one they have -> the password, shown once and kept nowhere. All their sessions end."""
    word = made()
    with writing(where) as connection:
        people.set_password(connection, who.id, word, by=by, now=now)
        mark(connection, who, now=now)
    return word


def until(where: Database | Connection, who: Person) -> datetime | None:
    """When their one-time password ends; None for whoever has chosen one."""
    with reading(where) as connection:
        found = connection.scalar(select(settings.c.value).where(settings.c.key == _key(who)))
    return None if found is None else datetime.fromisoformat(found)


def done(where: Database | Connection, who: Person) -> None:
    """They have chosen their own."""
    with writing(where) as connection:
        connection.execute(delete(settings).where(settings.c.key == _key(who)))


def _key(who: Person) -> str:
    return f"one_time:{who.id}"
