"""One database, SQLite or PostgreSQL: opened, brought to the newest tables, and written to by one transaction at a time in both."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from qonys.core.errors import DataError, DesignError
from qonys.web.state.tables import HEAD, settings

BUSY = 5000  # milliseconds to wait for another writer
MIGRATIONS = Path(__file__).parent / "migrations"
INSTALLATION_KEY = "installation_key"
WRITER = 0x716F6E7973  # the lock every writer of PostgreSQL takes
_alembic = Lock()  # its context is one for the whole process


class Database:
    """Where state is kept. Transactions that write run one after the other in both databases, so what one read stays true until it ends."""

    def __init__(self, url: str) -> None:
        """Open nothing yet. url: sqlite:////folder/qonys.db, or postgresql://name:password@host/database.

        Errors: DesignError for an address of another kind, or without the driver.
        """
        self.url = _address(url)
        sqlite = self.url.get_backend_name() == "sqlite"
        self.file = Path(self.url.database or "") if sqlite else None
        try:
            # a connection that slept may have been cut by the server: it is asked before it is used
            self.engine = create_engine(
                self.url, pool_pre_ping=not sqlite, **({"connect_args": {"timeout": BUSY / 1000}} if sqlite else {})
            )
        except ModuleNotFoundError:
            raise DesignError("PostgreSQL needs a driver that is not installed", mend="install qonys[postgres]") from None
        if sqlite:
            event.listen(self.engine, "connect", _opened)
            event.listen(self.engine, "begin", _begun)

    def close(self) -> None:
        """Let all connections go; the next use opens new ones."""
        self.engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may write: kept if the block ends well, undone if not. One at a time, whichever the process.

        Errors: DataError if the database cannot be reached, or another writer keeps it longer than BUSY.
        """
        if self.file is not None:
            _made_private(self.file)
        with self._opened() as connection:
            with _told(self.url):
                if self.file is None:
                    connection.begin()
                    connection.execute(text(f"SET LOCAL lock_timeout = {BUSY}"))
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER})"))
                else:
                    connection.execution_options(qonys_begin="BEGIN IMMEDIATE").begin()
            with _ended(connection):
                yield connection
                with _told(self.url):
                    connection.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, of one state of the whole. Errors: DataError if the database cannot be reached."""
        if self.file is not None and not self.file.exists():
            raise DataError(f"there is no database {self.file}", mend="make it with qonys web init")
        with self._opened() as connection:
            with _told(self.url):
                connection.begin()
                if self.file is None:
                    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
                else:
                    connection.execute(text("PRAGMA query_only = ON"))
            try:
                with _ended(connection):
                    yield connection
            finally:
                if self.file is not None and not connection.invalidated:
                    connection.exec_driver_sql("PRAGMA query_only = OFF")
                    connection.rollback()

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        with _told(self.url):
            connection = self.engine.connect()
        with connection:
            yield connection

    def migrate(self) -> None:
        """Bring the tables to HEAD, making them if there are none. Two processes that start at once do so one after the other.

        Errors: DataError for a database of a newer program, one that is no database of ours, or one that cannot be reached.
        """
        with self.begin() as connection:
            self.migrate_on(connection)

    def migrate_on(self, connection: Connection, to: str = HEAD) -> None:
        """`migrate` inside a transaction that has begun, as far as `to`. Errors: as `migrate`."""
        now = _version(connection)
        if now is not None and now > HEAD:
            raise DataError(
                f"the database is of a newer program: it is at {now}, and this program knows it up to {HEAD}",
                mend="install the newer Qonys, or restore a backup made by this one",
            )
        if now is None and (others := set(inspect(connection).get_table_names()) & {"people", "audit", "settings"}):
            raise DataError(
                f"the database has tables of another program: {', '.join(sorted(others))}", mend="give Qonys a database of its own"
            )
        if self.file is None and (code := connection.scalar(text("SHOW server_encoding"))) != "UTF8":
            raise DataError(f"the database keeps texts as {code}", mend="make it with ENCODING 'UTF8'")
        if now is None or now < to:
            from alembic import command
            from alembic.config import Config

            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            with _alembic:
                command.upgrade(config, to)
        if connection.scalar(select(settings.c.value).where(settings.c.key == INSTALLATION_KEY)) is None:
            connection.execute(insert(settings).values(key=INSTALLATION_KEY, value=secrets.token_hex(32)))

    def version(self) -> str | None:
        """The migration the database is at; None before the first. Errors: DataError if it cannot be reached."""
        with self.read() as connection:
            return _version(connection)

    def healthy(self) -> bool:
        """Whether it can be reached and is at HEAD; never an error."""
        try:
            return self.version() == HEAD
        except (DataError, SQLAlchemyError):
            return False


def installation_key(connection: Connection) -> bytes:
    """The secret of this installation, for hashes that must not be guessed from outside. Errors: DataError before `migrate`."""
    found = connection.scalar(select(settings.c.value).where(settings.c.key == INSTALLATION_KEY))
    if found is None:
        raise DataError("the database has no installation key", mend="bring it up to date with qonys web init")
    return bytes.fromhex(found)


@contextmanager
def writing(where: Database | Connection) -> Iterator[Connection]:
    """A transaction of the database, or the one the caller has begun."""
    if isinstance(where, Connection):
        yield where
    else:
        with where.begin() as connection:
            yield connection


@contextmanager
def reading(where: Database | Connection) -> Iterator[Connection]:
    """A reading transaction of the database, or the one the caller has begun."""
    if isinstance(where, Connection):
        yield where
    else:
        with where.read() as connection:
            yield connection


def _address(url: str) -> URL:
    mend = "write sqlite:////folder/qonys.db or postgresql://name:password@host/database"
    try:
        found = make_url(url)
        kind = found.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise DesignError("the address of the database cannot be read", mend=mend) from None
    if kind == "postgresql":
        return found.set(drivername="postgresql+pg8000") if "+" not in found.drivername else found
    if kind != "sqlite":
        raise DesignError(f"state is not kept in {kind}", mend=mend)
    if not found.database or found.database == ":memory:" or not Path(found.database).is_absolute() or found.query:
        raise DesignError("a SQLite database needs the whole path of its file", mend=mend)
    return found


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _made_private(file: Path) -> None:
    """The file there, and readable by its owner alone: it holds hashes of passwords."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        elif file.stat().st_mode & 0o077:
            file.chmod(0o600)
    except OSError as error:
        raise DataError(f"the database {file} cannot be written to: {error.strerror}", mend="check the folder and its rights") from None


def _opened(raw: Any, _record: object) -> None:
    """Settings of each SQLite connection."""
    raw.isolation_level = None  # the driver would begin by itself, and too late
    raw.execute(f"PRAGMA busy_timeout = {BUSY}")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA synchronous = FULL")
    for pause in (0.05, 0.2, 0.5, 1.0, None):
        try:
            # turning a new file to WAL does not wait for others that do so too
            if raw.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                raw.execute("PRAGMA journal_mode = WAL")
            return
        except Exception as error:
            if pause is None or "locked" not in str(error):
                raise
            time.sleep(pause)


def _begun(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("qonys_begin", "BEGIN"))


@contextmanager
def _ended(connection: Connection) -> Iterator[None]:
    """What was not kept is undone, even where the connection is lost."""
    try:
        yield
    finally:
        with suppress(DBAPIError):
            connection.rollback()


@contextmanager
def _told(url: URL) -> Iterator[None]:
    """Failures to reach the database, as sentences."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error))
        if isinstance(error, IntegrityError) or "'C': '23" in reason:
            raise  # what a deferred rule refuses is for the caller
        where = url.database if url.get_backend_name() == "sqlite" else f"{url.host or 'its socket'}/{url.database}"
        if "locked" in reason or "lock timeout" in reason or "55P03" in reason:
            raise DataError(f"the database {where} is busy with another writer", mend="try again in a moment") from error
        if "not a database" in reason or "malformed" in reason:
            raise DataError(f"{where} is no database, or a damaged one", mend="restore a backup with qonys web restore") from error
        if "full" in reason or "No space" in reason:
            raise DataError(f"the disk of the database {where} is full", mend="make room") from error
        if isinstance(error, DBAPIError):
            raise DataError(f"the database {where} cannot be reached", mend="check that it runs, its address and its rights") from error
        raise
