"""The trail only grows, without gaps, whoever writes; and whatever is done to it behind its back is found at its number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from qonys.core.errors import DataError, DesignError
from qonys.web.state import audit
from qonys.web.state.audit import FIRST, HEAD_KEY, Head
from qonys.web.state.database import Database
from qonys.web.state.tables import audit as table
from qonys.web.state.tables import metadata, settings

from .conftest import NOW, after
from .test_database import in_threads


def fill(where, entries: int) -> None:
    with where.begin() as connection:
        for number in range(entries):
            audit.record(
                connection,
                person=f"who{number % 3}",
                action=f"thing.{number % 2}",
                object=str(number),
                detail={"n": number},
                now=after(seconds=number),
            )


def test_an_entry_says_who_did_what_to_what_when(db, admin):
    with db.begin() as connection:
        told = audit.record(
            connection,
            person=admin,
            action="room.save",
            object="r1",
            detail={"name": "Қоныс", "share": 0.3, "list": [1, None]},
            now=after(minutes=1),
        )
    latest, first = audit.entries(db)
    assert latest == told
    assert (told.number, told.person, told.name, told.at, told.previous) == (2, admin.id, "Aigul", after(minutes=1), first.hash)
    assert told.detail == {"name": "Қоныс", "share": 0.3, "list": [1, None]}
    assert (first.number, first.person, first.name, first.action, first.object, first.previous) == (
        1,
        None,
        "root",
        "people.add",
        admin.id,
        FIRST,
    )
    assert audit.verify(db) is None


def test_entries_are_given_latest_first_by_page_by_person_and_by_action(db, admin):
    fill(db, 10)
    assert [one.number for one in audit.entries(db, limit=3)] == [11, 10, 9]
    assert [one.number for one in audit.entries(db, limit=3, before=9)] == [8, 7, 6]
    assert [one.number for one in audit.entries(db, action="thing.0", before=8)] == [6, 4, 2]
    assert audit.entries(db, person=admin.id) == []
    assert audit.actions(db) == ["people.add", "thing.0", "thing.1"]
    for limit in (0, -1, 1001):
        with pytest.raises(DesignError, match="cannot be given at once"):
            audit.entries(db, limit=limit)


AGAIN = "SELECT {}, at, person, 'nobody', action, object, detail, previous, hash FROM audit WHERE number = 3"
TAMPERINGS = {
    "both": [
        "UPDATE audit SET name = 'nobody' WHERE number = 2",
        "UPDATE audit SET number = number + 10",
        "DELETE FROM audit WHERE number = 3",
        "DELETE FROM audit",
        "INSERT INTO audit " + AGAIN.format("number + 5"),
        "INSERT INTO audit " + AGAIN.format("0"),
    ],
    "sqlite": ["INSERT OR REPLACE INTO audit " + AGAIN.format("number"), "UPDATE OR REPLACE audit SET number = 3 WHERE number = 2"],
    "postgresql": [
        "TRUNCATE audit",
        "TRUNCATE audit CASCADE",
        "SET LOCAL session_replication_role = replica; DELETE FROM audit",
        "INSERT INTO audit SELECT * FROM audit WHERE number = 3 ON CONFLICT (number) DO UPDATE SET name = 'nobody'",
    ],
}


def test_no_entry_is_changed_taken_out_or_put_between(db, kind):
    fill(db, 3)
    before = audit.entries(db)
    for statements in TAMPERINGS["both"] + TAMPERINGS[kind]:
        with pytest.raises(DBAPIError, match="the audit trail only grows"), db.begin() as connection:
            done(connection, statements)
        assert audit.entries(db) == before


def done(connection, statements):
    for one in statements.split("; "):
        connection.execute(text(one))


def test_numbers_have_no_gaps_when_many_write_at_once_and_some_fail(address, db):
    databases = [Database(address) for _ in range(4)]

    def write(where):
        for number in range(8):
            try:
                with where.begin() as connection:
                    audit.record(connection, person="w", action="thing.done", object=str(number))
                    if number % 3 == 2:
                        raise KeyError
            except KeyError:
                pass

    assert in_threads(*(lambda where=where: write(where) for where in databases)) == []
    with db.read() as connection:
        assert list(connection.scalars(select(table.c.number).order_by(table.c.number))) == list(range(1, 25))
    assert audit.verify(db) is None
    for one in databases:
        one.close()


def opened_up(db, kind):
    """As one who owns the database can: without its triggers."""
    with db.begin() as connection:
        if kind == "sqlite":
            for name in ("audit_unchanged", "audit_kept", "audit_next"):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))


CHANGES = {
    "at": after(days=3),
    "person": "someone",
    "name": "nobody",
    "action": "thing.else",
    "object": "other",
    "detail": {"n": -1},
    "previous": "1" * 64,
    "hash": "2" * 64,
}


def test_an_entry_that_is_changed_is_found_at_its_number(db, kind):
    fill(db, 5)
    opened_up(db, kind)
    for column, value in CHANGES.items():
        with db.begin() as connection, connection.begin_nested() as change:
            connection.execute(update(table).where(table.c.number == 3).values({column: value}))
            assert audit.verify(connection) == 3, column
            change.rollback()
    assert audit.verify(db) is None


def test_an_entry_that_is_taken_out_or_put_in_is_found_at_its_number(db, kind):
    fill(db, 6)
    opened_up(db, kind)
    kept = audit.head(db)
    with db.begin() as connection:
        connection.execute(delete(table).where(table.c.number == 6))
    assert audit.verify(db) == 6
    with db.begin() as connection:
        connection.execute(delete(table).where(table.c.number == 2))
    assert audit.verify(db) == 2
    with db.begin() as connection:
        connection.execute(delete(table))
    assert audit.verify(db) == 1
    with db.begin() as connection:  # and what noted the last is gone too: only a head kept elsewhere tells
        connection.execute(delete(settings).where(settings.c.key == HEAD_KEY))
    assert audit.verify(db) is None
    assert audit.verify(db, kept=kept) == 1


def test_a_trail_rewritten_whole_is_found_by_a_head_kept_elsewhere(db, kind):
    fill(db, 4)
    kept = audit.head(db)
    opened_up(db, kind)
    with db.begin() as connection:
        connection.execute(delete(table))
        connection.execute(delete(settings).where(settings.c.key == HEAD_KEY))
        for number in range(6):
            audit.record(connection, person="forger", action="thing.fine", object=str(number), now=NOW)
    assert audit.verify(db) is None
    assert audit.verify(db, kept=kept) == 4
    assert audit.verify(db, kept=Head(9, "0" * 64)) == 7


@pytest.fixture(scope="module")
def small():
    """A database without triggers in memory, of which each example gets the rows it wants."""
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@given(st.data(), st.integers(1, 12))
def test_whatever_is_done_to_a_chain_is_found_at_the_first_number_it_touches(small, data, entries):
    small.execute(delete(table))
    small.execute(delete(settings))
    for number in range(entries):
        audit.record(
            small, person=None, action="a.b", object=str(number), detail={"n": data.draw(st.integers(0, 3))}, now=after(seconds=number)
        )
    assert audit.verify(small) is None
    rows = [dict(row) for row in small.execute(select(table).order_by(table.c.number)).mappings()]
    at = data.draw(st.integers(0, entries - 1))
    done = data.draw(st.sampled_from(["change", "take out", "renumber", "swap", "rehash", "put in"]))
    expected = at + 1
    if done == "change":
        column = data.draw(st.sampled_from(sorted(CHANGES)))
        rows[at][column] = CHANGES[column]
    elif done == "take out":
        rows.pop(at)
    elif done == "renumber":
        rows[at:] = [row | {"number": row["number"] + 1} for row in rows[at:]]
    elif done == "swap":
        other = data.draw(st.integers(0, entries - 1).filter(lambda one: one != at)) if entries > 1 else at
        rows[at], rows[other] = rows[other] | {"number": at + 1}, rows[at] | {"number": other + 1}
        expected = min(at, other) + 1 if at != other else None
    elif done == "rehash":  # the forger knows how hashes are made: the next entry, or the head noted beside, still tells
        rows[at]["name"] = "nobody"
        rows[at]["hash"] = audit._hash(rows[at])
        expected = min(at + 2, entries)
    else:
        forged = rows[at] | {"name": "nobody"}
        rows[at:] = [forged | {"hash": audit._hash(forged)}, *(row | {"number": row["number"] + 1} for row in rows[at:])]
        expected = at + 2
    small.execute(delete(table))
    if rows:
        small.execute(insert(table), rows)
    assert audit.verify(small) == expected


def test_what_makes_no_entry_is_refused(db):
    for action in ("", "a" * 65):
        with pytest.raises(DesignError, match="called by 1 to 64 characters"), db.begin() as connection:
            audit.record(connection, person=None, action=action)
    with pytest.raises(DataError, match="cannot be kept as JSON"), db.begin() as connection:
        audit.record(connection, person=None, action="a.b", detail={"x": float("nan")})
    assert audit.count(db) == 0
