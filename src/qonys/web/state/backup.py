"""Backup and restore of a home and its database, either whole or not at all, also when killed; archives move between SQLite and PostgreSQL.

A restore unpacks and checks everything in a side folder of the home, loads the database in one transaction, and moves the files last. The
moment that transaction is kept decides: a restore killed before it leaves the old state, one killed after it is finished by `recover`,
which whatever opens the home calls first.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, delete, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from qonys.core.errors import DataError, DesignError
from qonys.web.state import archive as archives
from qonys.web.state import audit
from qonys.web.state.archive import Archive, synced
from qonys.web.state.database import Database
from qonys.web.state.tables import HEAD, as_text, canonical, metadata, moment, new_id, people, settings

FILES, TABLES = "files/", "database/"
LEFT_OUT = ("sessions",)  # after a restore everybody signs in anew
SIDE, LOCK, BEFORE = ".restoring", ".restoring.lock", ".before-"
MARKER, COPY = "marker.json", "database.zip"
RESTORED = "restored"  # the setting that tells whether the transaction of a restore was kept
SIDECARS = ("", "-wal", "-shm", "-journal")  # of a SQLite file
MOST_LINE = 64 << 20  # bytes of a row
ROWS = 500  # read or written at once


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore. aside: where in the home the files and the database from before are; None if there were none."""

    created_at: datetime
    files: int
    rows: int
    aside: Path | None


def backup(db: Database, files: Iterable[Path], home: Path, to: Path, *, by: audit.By = None, now: datetime | None = None) -> Path:
    """Write an archive of the database, as it is at one moment, and of files of the home -> its path. The server need not stop.

    files: files and folders of the home; of folders all below them, without links and what restores leave behind. by: is noted in the trail
    of the database itself, after the backup.
    Errors: DesignError for a file outside the home, a link, or if `to` is there; DataError if something cannot be read or written.
    """
    home, at = home.resolve(), moment(now)
    found = sorted(set(_found(db, files, home)))
    told = {"files": len(found), "rows": _written(db, found, home, to, at)}
    with db.begin() as connection:
        audit.record(connection, person=by, action="backup.write", object=to.name, detail=told, now=at)
    return to


def restore(archive: Path, home: Path, url: str, *, replace: bool = False, by: audit.By = None, now: datetime | None = None) -> Restored:
    """Bring a home and its database back to what an archive holds; stop the server first. Nobody is signed in afterwards.

    Everything in the archive is checked before anything is touched. replace: also where there are files or people already; the files from
    before are then kept in a folder of the home, with an archive of the database. A database file that is damaged is kept there too.
    Errors: DesignError for a home or database in use without `replace`; DataError for an archive that is not whole or not to be trusted, of
    a newer program, or if another restore runs.
    """
    db, at = Database(url), moment(now)
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        home = home.resolve()
        with _alone(home):
            broken = _broken(db)
            if not broken:
                _recovered(home, db)
            with archives.opened(archive, home) as whole:
                _checked(whole, home, db)
                old = sorted(
                    path.name for path in home.iterdir() if path.name not in _reserved(home, db) and not path.name.startswith(BEFORE)
                )
                if not replace and (old or broken or _in_use(db)):
                    what = f"{home} holds {old[0]}" if old else "the database is in use"
                    raise DesignError(f"nothing was restored: {what}", mend="restore into an empty home, or replace what is there")
                return _restored(whole, home, db, old, broken, by, at)
    except OSError as error:
        raise DataError(
            f"{error.filename or home} cannot be written: {error.strerror}", mend="check the room and rights of the home"
        ) from None
    finally:
        db.close()


def recover(home: Path, db: Database) -> bool:
    """Finish or undo a restore that was killed, and say whether there was one. To be called before a home is used; else it does nothing.

    Errors: DataError if a restore runs, or the database cannot be reached to see how far it came.
    """
    if not (home / SIDE).exists():
        return False
    with _alone(home):
        return _recovered(home.resolve(), db)


def _written(db: Database, files: Iterable[Path], home: Path, to: Path, at: datetime) -> int:
    """The archive, and how many rows it has."""
    rows: dict[str, int] = {}
    with archives.written(to, at) as whole:
        with db.read() as connection:
            revision = _revision(connection)
            for table in _tables(connection):
                if table.name not in LEFT_OUT:
                    count = [0]
                    whole.put(f"{TABLES}{table.name}.jsonl", _dumped(connection, table, count))
                    rows[table.name] = count[0]
        for path in files:
            _put(whole, path, home)
        made = {"created_at": as_text(at), "qonys": version("qonys"), "from": db.url.get_backend_name()}
        whole.close({**made, "revision": revision, "rows": rows})
    return sum(rows.values())


def _restored(whole: Archive, home: Path, db: Database, old: list[str], broken: bool, by: audit.By, at: datetime) -> Restored:
    aside, facts = home / (BEFORE + at.strftime("%Y%m%dT%H%M%S%f")), whole.facts
    files = sum(name.startswith(FILES) for name in whole.members)
    kept = broken or bool(old) or _in_use(db)
    try:
        whole.unpack(home / SIDE)
        (home / SIDE / FILES).mkdir(exist_ok=True)
        marker = {"id": new_id(), "aside": aside.name, "old": old, "new": sorted(path.name for path in (home / SIDE / FILES).iterdir())}
        _marked(home, marker)
        if kept:
            aside.mkdir(mode=0o700)
        if broken:
            _put_aside(db, aside)
        elif _in_use(db):
            _written(db, (), home, aside / COPY, at)
        with db.begin() as connection:
            rows = _loaded(connection, db, whole, home / SIDE)
            connection.execute(delete(settings).where(settings.c.key == RESTORED))
            connection.execute(insert(settings).values(key=RESTORED, value=marker["id"]))
            detail = {"created_at": facts["created_at"], "files": files, "rows": rows}
            audit.record(connection, person=by, action="backup.restore", object=whole.path.name, detail=detail, now=at)
    except BaseException as error:
        # whether the transaction was kept is asked of the database; if that fails too, the next to open the home asks
        with suppress(DataError, OSError, SQLAlchemyError):
            _recovered(home, db)
        if isinstance(error, SQLAlchemyError):
            reason = str(getattr(error, "orig", error)).splitlines()[0]
            raise DataError(f"the database could not be restored: {reason}", mend="stop the server, and whatever else uses it") from error
        raise
    _recovered(home, db)
    return Restored(moment(datetime.fromisoformat(facts["created_at"])), files, rows, aside if kept else None)


def _recovered(home: Path, db: Database) -> bool:
    """Finish a restore whose transaction was kept, or undo it; only by who is alone in the home."""
    side = home / SIDE
    if not side.exists():
        return False
    try:
        marker = json.loads((side / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        marker = None  # it was killed before all was unpacked
    if marker is not None:
        aside = home / marker["aside"]
        if _setting(db, RESTORED) == marker["id"]:
            # a name in the folder of old ones was moved before: what has that name now is new
            for name in marker["old"]:
                if not os.path.lexists(aside / name) and os.path.lexists(home / name):
                    (home / name).rename(aside / name)
            for name in marker["new"]:
                if os.path.lexists(side / FILES / name):
                    (side / FILES / name).rename(home / name)
            for folder in (aside, home):
                if folder.exists():
                    synced(folder)
        elif aside.exists() and all(COPY in path.name for path in aside.iterdir()):  # whole or begun
            shutil.rmtree(aside)
    # the marker goes last: while it is there, all this can be done again
    for path in sorted(side.iterdir(), key=lambda one: one.name == MARKER):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    side.rmdir()
    return True


def _marked(home: Path, marker: dict[str, Any]) -> None:
    draft = home / SIDE / (MARKER + ".new")
    with draft.open("w", encoding="utf-8") as stream:
        json.dump(marker, stream)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(home / SIDE / MARKER)
    synced(home / SIDE)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """No other restore in this home; the lock goes with the process, however that ends."""
    try:
        lock = (home / LOCK).open("wb")
    except OSError as error:
        raise DataError(f"the home {home} cannot be written to: {error.strerror}", mend="check its rights") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"a restore runs in {home}", mend="wait until it is done") from None
        yield


# The database


def _tables(connection: Connection) -> list[Table]:
    """Our tables as they are there, those that others point to first: of an older program they are not those of `tables`."""
    found = MetaData()
    there = set(inspect(connection).get_table_names()) & set(metadata.tables)
    found.reflect(connection, only=sorted(there))
    return found.sorted_tables


def _dumped(connection: Connection, table: Table, count: list[int]) -> Iterator[bytes]:
    """The rows as lines of JSON, in order of the key, as the database keeps them."""
    rows = connection.execute(select(table).order_by(*table.primary_key).execution_options(yield_per=ROWS))
    for row in rows.mappings():
        count[0] += 1
        yield (canonical(dict(row)) + "\n").encode()


def _loaded(connection: Connection, db: Database, whole: Archive, side: Path) -> int:
    """The database of the archive instead of what is there -> how many rows. Then it is brought up to date."""
    old = MetaData()
    old.reflect(connection, only=sorted(set(inspect(connection).get_table_names()) & {*metadata.tables, "alembic_version"}))
    old.drop_all(connection)
    db.migrate_on(connection, whole.facts["revision"])
    connection.execute(delete(settings))
    rows, known = 0, {table.name: table for table in _tables(connection)}
    for table in known.values():
        path = side / f"{TABLES}{table.name}.jsonl"
        if path.exists():
            rows += _filled(connection, table, path)
    db.migrate_on(connection)
    if connection.dialect.name == "postgresql":
        # numbers given by the database go on behind those that were loaded
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence('attempts', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM attempts), false)")
        )
    return rows


def _filled(connection: Connection, table: Table, path: Path) -> int:
    rows, batch, names = 0, [], set(table.columns.keys())
    try:
        with path.open("rb") as stream:
            while line := stream.readline(MOST_LINE):
                row = json.loads(line)
                if not isinstance(row, dict) or set(row) != names:
                    raise ValueError(f"its columns are not {', '.join(sorted(names))}")
                batch.append(row)
                rows += 1
                if len(batch) == ROWS:
                    connection.execute(insert(table), batch)
                    batch.clear()
        if batch:
            connection.execute(insert(table), batch)
    except (ValueError, TypeError, RecursionError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        last = f"rows {rows - len(batch) + 1} to {rows}" if isinstance(error, SQLAlchemyError) else f"row {rows + 1}"
        raise DataError(f"{last} of {table.name} in the archive cannot be restored: {reason}", mend="use another copy of it") from error
    return rows


def _revision(connection: Connection) -> str:
    found = connection.scalar(text("SELECT version_num FROM alembic_version")) if inspect(connection).has_table("alembic_version") else None
    if found is None:
        raise DataError("the database has no tables yet", mend="make them with qonys web init")
    if found > HEAD:
        raise DataError(f"the database is of a newer program: it is at {found}", mend="make the backup with the newer Qonys")
    return str(found)


def _setting(db: Database, key: str) -> str | None:
    if db.file is not None and not db.file.exists():
        return None
    with db.read() as connection:
        if not inspect(connection).has_table("settings"):
            return None
        return connection.scalar(select(settings.c.value).where(settings.c.key == key))


def _in_use(db: Database) -> bool:
    """Whether the database holds people."""
    if db.file is not None and not db.file.exists():
        return False
    with db.read() as connection:
        if not inspect(connection).has_table("people"):
            return False
        return connection.execute(select(people.c.id).limit(1)).first() is not None


def _broken(db: Database) -> bool:
    """Whether there is a SQLite file that is no database, or a damaged one."""
    if db.file is None or not db.file.exists():
        return False
    try:
        with db.read() as connection:
            return bool(connection.scalar(text("PRAGMA quick_check(1)")) != "ok")
    except (DataError, SQLAlchemyError) as error:
        if "busy" in str(error):
            raise
        return True


def _put_aside(db: Database, aside: Path) -> None:
    db.close()
    for suffix in SIDECARS:
        path = Path(f"{db.file}{suffix}")
        if path.exists():
            shutil.move(path, aside / path.name)


# The files


def _reserved(home: Path, db: Database) -> set[str]:
    """Names in the home that are no files of it: the database and what restores use."""
    names = {SIDE, LOCK}
    if db.file is not None and home in db.file.parents:
        if db.file.parent != home:
            raise DesignError(f"the database {db.file} lies in a folder of the home", mend="keep it in the home itself, or outside")
        names |= {db.file.name + suffix for suffix in SIDECARS}
    return names


def _checked(whole: Archive, home: Path, db: Database) -> None:
    """Errors: DataError if the archive would write elsewhere than into files and tables, or is of a newer program."""
    facts, tables = whole.facts, {f"{TABLES}{name}.jsonl" for name in metadata.tables}
    for name in whole.members:
        first = name.removeprefix(FILES).split("/")[0]
        if not (name in tables or (name.startswith(FILES) and first not in _reserved(home, db) and not first.startswith(BEFORE))):
            raise DataError(f"{name!r} of the archive {whole.path} has no place in a home", mend=archives.REMAKE)
    revision = facts.get("revision")
    if not isinstance(revision, str) or not revision.isdigit() or not isinstance(facts.get("created_at"), str):
        raise DataError(f"the manifest of {whole.path} does not say of when and of which tables it is", mend=archives.REMAKE)
    if revision > HEAD:
        raise DataError(
            f"the archive {whole.path} is of a newer program: its tables are at {revision}", mend="restore it with the newer Qonys"
        )


def _found(db: Database, files: Iterable[Path], home: Path) -> Iterator[Path]:
    for given in files:
        path = Path(os.path.normpath(home / given))
        if path != home and home not in path.parents:
            raise DesignError(f"{given} is outside the home {home}", mend="back it up by other means")
        if path.is_symlink():
            raise DesignError(f"{given} is a link", mend="back up what it points to by other means")
        if not path.exists():
            raise DesignError(f"there is no {given} in the home", mend="check the path")
        for one in [path] if path.is_file() else sorted(path.rglob("*")):
            first = one.relative_to(home).parts[0]
            if one.is_file() and not one.is_symlink() and first not in _reserved(home, db) and not first.startswith(BEFORE):
                yield one


def _put(whole: archives.Writer, path: Path, home: Path) -> None:
    name = FILES + path.relative_to(home).as_posix()
    try:
        name.encode()
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode & 0o777
            whole.put(name, iter(lambda: stream.read(archives.PIECE), b""), mode=mode)
    except FileNotFoundError:
        pass  # gone since the list was made
    except UnicodeEncodeError:
        raise DataError(f"the name of {os.fsencode(path)!r} is no text", mend="rename it") from None
