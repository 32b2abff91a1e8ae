"""Every test that asks for `db` runs on SQLite and on PostgreSQL: a private cluster of Debian's package, which lives as long as the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine, text

from qonys.web.state import passwords, people
from qonys.web.state.database import Database
from qonys.web.state.tables import HEAD, metadata

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "four unrelated words"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SERVER = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name))
BIN = Path(found).parent if (found := shutil.which("initdb")) else SERVER[-1] if SERVER else None
both = pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(BIN is None, reason="PostgreSQL is not installed"))]
)


def after(**lapse: float) -> datetime:
    return NOW + timedelta(**lapse)


class Cluster:
    """A server of our own on a socket of our own; no port is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, 0
        # the server refuses to run as root
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            shutil.chown(folder, self.user)
        self._run(
            "initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-D", str(folder / "data")
        )
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c full_page_writes=off -c max_connections=40 -c shared_buffers=16MB"
        self._run("pg_ctl", "-D", str(folder / "data"), "-w", "-l", str(folder / "log"), "-o", options, "start")

    def _run(self, program: str, *arguments: str) -> None:
        as_user = {"user": self.user, "group": self.user, "extra_groups": []} if os.getuid() == 0 else {}
        subprocess.run([str(BIN / program), *arguments], check=True, capture_output=True, cwd=self.folder, **as_user)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?unix_sock={self.folder}/.s.PGSQL.5432"

    def create(self, options: str = "") -> str:
        """A new database -> its address."""
        self.made += 1
        name = f"qonys{self.made}"
        engine = create_engine(self.url("postgres").replace("postgresql:", "postgresql+pg8000:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} {options}"))
        engine.dispose()
        return self.url(name)


@pytest.fixture(scope="session")
def cluster():
    if BIN is None:
        pytest.skip("PostgreSQL is not installed")
    # a path of a socket has at most 107 characters, and the server's user must reach it
    folder = Path(tempfile.mkdtemp(prefix="qonys-pg-", dir="/tmp"))
    server = Cluster(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def templates():
    """Databases with all tables: a SQLite file to be copied, a PostgreSQL database to be emptied."""
    return {}


@pytest.fixture(autouse=True)
def _all_closed(monkeypatch):
    """Whatever a test opened is closed after it."""
    made, real = [], Database.__init__

    def noted(self, url):
        real(self, url)
        made.append(self)

    monkeypatch.setattr(Database, "__init__", noted)
    yield
    for one in made:
        one.close()


@pytest.fixture
def fresh(request, templates, tmp_path) -> Callable[[str], str]:
    """kind -> the address of an empty database of that kind."""

    def make(kind: str, folder: Path | None = None) -> str:
        if kind == "sqlite":
            return f"sqlite:///{(folder or tmp_path / f'state{len(list(tmp_path.iterdir()))}') / 'qonys.db'}"
        return request.getfixturevalue("cluster").create()

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request):
    return request.param


@pytest.fixture
def address(request, kind, templates, tmp_path, tmp_path_factory) -> str:
    """The address of a database with all tables and nobody in it."""
    if kind == "sqlite":
        if kind not in templates:
            templates[kind] = tmp_path_factory.mktemp("template") / "qonys.db"
            migrated(f"sqlite:///{templates[kind]}")
        (tmp_path / "home").mkdir()
        shutil.copy(templates[kind], tmp_path / "home" / "qonys.db")
        return f"sqlite:///{tmp_path / 'home' / 'qonys.db'}"
    if kind not in templates:
        templates[kind] = request.getfixturevalue("cluster").create()
        migrated(templates[kind])
    else:
        emptied(templates[kind])
    return templates[kind]


def emptied(url: str) -> None:
    """As it was when the tables were made: quicker than another database."""
    everything = ", ".join(name for name in metadata.tables if name != "settings")
    statements = [
        "SET LOCAL lock_timeout = 5000", "ALTER TABLE audit DISABLE TRIGGER ALL", f"TRUNCATE {everything} RESTART IDENTITY",
        *(f"ALTER TABLE audit ENABLE ALWAYS TRIGGER {name}" for name in ("audit_kept", "audit_next")),
        f"UPDATE alembic_version SET version_num = '{HEAD}'", "DELETE FROM settings WHERE key <> 'installation_key'",
    ]  # fmt: skip
    database = Database(url)
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    database.close()


def migrated(url: str) -> None:
    db = Database(url)
    db.migrate()
    db.close()


@pytest.fixture
def db(address):
    passwords.use_hasher(CHEAP)
    database = Database(address)
    yield database
    database.close()
    passwords.use_hasher(None)


@pytest.fixture
def admin(db):
    return people.add(db, "Aigul", role="admin", password=PASSWORD, by="root", now=NOW)


@pytest.fixture
def analyst(db, admin):
    return people.add(db, "Marat", role="analyst", password=PASSWORD, by=admin, now=NOW)
