"""Both databases: made in one step, whoever begins, refused where they are of another program, written to one after the other."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, inspect, select, text, update

from qonys.core.errors import DataError, DesignError
from qonys.web.state import audit, database
from qonys.web.state.database import MIGRATIONS, Database
from qonys.web.state.tables import HEAD, ROLES, canonical, metadata, moment, people, rooms, settings

from .conftest import NOW


def test_the_migrations_make_the_tables_the_code_knows(db):
    with db.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_migrations_make_the_constraints_the_code_knows(db, kind, fresh):
    made = create_engine(Database(fresh(kind)).url)
    if kind == "sqlite":
        database._made_private(Database(str(made.url)).file)
    metadata.create_all(made)

    def constraints(engine):
        look = inspect(engine)
        return {
            name: (
                look.get_pk_constraint(name)["name"],
                sorted((one["name"], one["sqltext"]) for one in look.get_check_constraints(name)),
                sorted((one["name"], one["referred_table"], str(sorted(one["options"].items()))) for one in look.get_foreign_keys(name)),
                sorted((one["name"], one["column_names"]) for one in look.get_unique_constraints(name)),
            )
            for name in metadata.tables
        }

    assert constraints(db.engine) == constraints(made)
    made.dispose()


def test_the_code_knows_the_newest_migration():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_a_database_of_this_program_is_healthy_and_may_be_migrated_again(db):
    with db.read() as connection:
        before = database.installation_key(connection)
    db.migrate()
    with db.read() as connection:
        assert database.installation_key(connection) == before
    assert db.version() == HEAD
    assert db.healthy()


def test_a_database_that_cannot_be_reached_is_not_healthy(tmp_path, cluster):
    assert not Database(f"sqlite:///{tmp_path}/none/qonys.db").healthy()
    assert not Database(cluster.url("none")).healthy()
    with pytest.raises(DataError, match="cannot be reached"):
        Database(cluster.url("none")).version()
    with pytest.raises(DataError, match="there is no database"):
        Database(f"sqlite:///{tmp_path}/none/qonys.db").version()
    (tmp_path / "note.db").write_text("this is no database, and long enough to be read as one\n" * 50)
    with pytest.raises(DataError, match="is no database"):
        Database(f"sqlite:///{tmp_path}/note.db").migrate()


def test_a_database_without_tables_is_not_healthy(kind, fresh):
    db = Database(fresh(kind))
    with db.begin():
        pass
    assert db.version() is None
    assert not db.healthy()
    db.close()


def test_a_database_of_a_newer_program_is_refused(db):
    with db.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DataError, match="of a newer program: it is at 9999") as refusal:
        db.migrate()
    assert "newer Qonys" in refusal.value.mend
    assert not db.healthy()


def test_a_database_of_another_program_is_refused(kind, fresh):
    db = Database(fresh(kind))
    with db.begin() as connection:
        connection.execute(text("CREATE TABLE people (shoe_size INTEGER)"))
    with pytest.raises(DataError, match="tables of another program: people"):
        db.migrate()
    db.close()


def test_a_database_that_cannot_keep_all_alphabets_is_refused(cluster):
    db = Database(cluster.create("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"))
    with pytest.raises(DataError, match="keeps texts as LATIN1"):
        db.migrate()
    db.close()


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("", "cannot be read"),
        ("qonys.db", "cannot be read"),
        ("postgresql://host:port/x", "cannot be read"),
        ("nonsense://x", "not kept in nonsense"),
        ("mysql://host/x", "not kept in mysql"),
        ("sqlite://", "whole path"),
        ("sqlite:///:memory:", "whole path"),
        ("sqlite:///qonys.db", "whole path"),
        ("sqlite:////tmp/qonys.db?mode=ro", "whole path"),
    ],
)
def test_an_address_of_another_kind_is_refused(url, what):
    with pytest.raises(DesignError, match=what):
        Database(url)


def test_a_missing_driver_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pg8000", None)
    with pytest.raises(DesignError, match="driver that is not installed") as refusal:
        Database("postgresql://name@host/base")
    assert refusal.value.mend == "install qonys[postgres]"


def test_a_sqlite_file_is_for_its_owner_alone_and_keeps_what_was_written(tmp_path):
    db = Database(f"sqlite:///{tmp_path}/home/qonys.db")
    db.migrate()
    db.file.chmod(0o644)
    with db.begin() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 5000}
    assert {stat.S_IMODE(path.stat().st_mode) for path in db.file.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(db.file.parent.stat().st_mode) == 0o700
    db.close()


def test_processes_that_start_at_once_make_the_tables_once(kind, fresh):
    url = fresh(kind)
    program = "import sys; from qonys.web.state.database import Database; Database(sys.argv[1]).migrate()"
    started = [subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate()[1] for one in started] == ["", ""]
    db = Database(url)
    assert db.healthy()
    db.close()


def test_threads_that_start_at_once_make_the_tables_once(kind, fresh):
    databases = [Database(url) for url in [fresh(kind)] for _ in range(4)]
    failures = in_threads(*(one.migrate for one in databases))
    assert failures == []
    assert all(one.healthy() for one in databases)
    for one in databases:
        one.close()


def in_threads(*tasks):
    failures = []

    def tried(task):
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=tried, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_what_a_writer_read_stays_true_until_it_ends(db):
    with db.begin() as connection:
        connection.execute(insert(settings).values(key="count", value="0"))

    def add():
        for _ in range(10):
            with db.begin() as connection:
                count = int(connection.scalar(select(settings.c.value).where(settings.c.key == "count")))
                connection.execute(update(settings).where(settings.c.key == "count").values(value=str(count + 1)))

    assert in_threads(add, add, add, add) == []
    with db.read() as connection:
        assert connection.scalar(select(settings.c.value).where(settings.c.key == "count")) == "40"


def test_a_block_that_fails_leaves_nothing(db):
    def half():
        with db.begin() as connection:
            connection.execute(insert(settings).values(key="half", value="1"))
            audit.record(connection, person=None, action="test.half", now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with db.read() as connection:
        assert connection.scalar(select(settings.c.value).where(settings.c.key == "half")) is None
    assert audit.count(db) == 0
    with db.begin() as connection:  # nor does it keep others waiting
        connection.execute(insert(settings).values(key="half", value="2"))


def test_a_reader_sees_one_state_and_cannot_write(db):
    wanted = select(settings.c.value).where(settings.c.key == "now")
    with db.read() as reader:
        assert reader.scalar(wanted) is None
        with db.begin() as writer:
            writer.execute(insert(settings).values(key="now", value="1"))
        assert reader.scalar(wanted) is None
    with db.read() as reader:
        assert reader.scalar(wanted) == "1"
        with pytest.raises(Exception, match=r"readonly|read-only"):
            reader.execute(insert(settings).values(key="then", value="1"))
    with db.begin() as writer:
        writer.execute(insert(settings).values(key="then", value="2"))


def test_a_writer_that_waits_too_long_says_so(address, monkeypatch):
    monkeypatch.setattr(database, "BUSY", 100)
    one, other = Database(address), Database(address)
    with one.begin(), pytest.raises(DataError, match="busy with another writer"), other.begin():
        raise AssertionError
    with other.begin():
        pass
    one.close()
    other.close()


def test_what_points_nowhere_is_not_kept(db, admin):
    values = {"kind": "corridor", "name": "x", "text": "", "created_at": NOW, "changed_at": NOW}
    with pytest.raises(Exception, match=r"(?i)foreign key"), db.begin() as connection:
        connection.execute(insert(rooms).values(**values, owner="nobody"))
    with pytest.raises(Exception, match=r"(?i)foreign key"), db.begin() as connection:
        connection.execute(insert(rooms).values(**values, owner=admin.id, parent="none"))
    with pytest.raises(Exception, match=r"(?i)check|ck_rooms_kind"), db.begin() as connection:
        connection.execute(insert(rooms).values(**values | {"kind": "kitchen"}, owner=admin.id))


def test_a_moment_is_kept_to_the_microsecond_in_utc_and_orders_as_time_does(db):
    from datetime import timedelta, timezone

    times = [NOW.replace(microsecond=1), NOW, (NOW - timedelta(seconds=1)).astimezone(timezone(timedelta(hours=5)))]
    with db.begin() as connection:
        for number, time in enumerate(times):
            row = {
                "id": str(number),
                "name": str(number),
                "name_key": str(number),
                "role": ROLES[0],
                "created_at": time,
                "changed_at": time,
            }
            connection.execute(insert(people).values(row))
        assert list(connection.scalars(select(people.c.created_at).order_by(people.c.created_at))) == sorted(times)
        assert all(one.utcoffset() == timedelta(0) for one in connection.scalars(select(people.c.created_at)))
    with pytest.raises(DesignError, match="has no zone"):
        moment(NOW.replace(tzinfo=None))


def test_a_text_that_no_database_keeps_is_said(db):
    for word in ("a\0b", "half \ud83d"):
        with pytest.raises(DataError, match="NUL or half a character"), db.begin() as connection:
            connection.execute(insert(settings).values(key="x", value=word))


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), NOW, {1, 2}, object(), "half \ud83d"], ids=["nan", "inf", "moment", "set", "object", "half"]
)
def test_a_value_that_json_has_no_word_for_is_said(value):
    with pytest.raises(DataError, match="cannot be kept as JSON"):
        canonical({"x": value})


def test_all_columns_are_of_kinds_that_both_databases_keep_alike():
    kinds = {type(column.type).__name__ for table in metadata.tables.values() for column in table.columns}
    assert kinds == {"String", "Words", "Moment", "Json", "Boolean", "Integer", "BigInteger"}
