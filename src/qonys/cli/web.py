"""qonys web: the dashboard, its people, backup and restore, and whether its trail is whole."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qonys.cli.output import OutputOption, tell, write
from qonys.core.errors import DataError, DesignError, nearest

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from qonys.web.settings import Settings
    from qonys.web.state.database import Database
    from qonys.web.state.people import Person

app = typer.Typer(no_args_is_help=True, help="The dashboard: pages in three languages, rooms that run, an interface.")
user = typer.Typer(no_args_is_help=True, help="People of the dashboard: add, roles, passwords.")
app.add_typer(user, name="user")
HomeOption = Annotated[Path | None, typer.Option("--home", help="Folder of everything the dashboard keeps; QONYS_WEB_HOME.")]
NameArgument = Annotated[str, typer.Argument(help="Name the person signs in with.")]
RoleOption = Annotated[str, typer.Option("--role", help="viewer, analyst, adjudicator or admin.")]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
MOST_AT_ONCE = 500  # connections


@app.command()
def run(
    home: HomeOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen at; 0.0.0.0 for all.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at.", min=1, max=65535)] = None,
    public: Annotated[bool | None, typer.Option("--public/--signed-in", help="For reading only: anyone may, nobody signs in.")] = None,
) -> None:
    """Serve the dashboard until it is stopped. Example: qonys web run --home /srv/qonys --public"""
    from qonys.web.settings import settings

    found = settings(home, host=host, port=port, public=public)
    with _database(found, make=True) as database:
        _safe(found, database)
    with _listening(found.host, found.port) as place:
        gc.disable()  # what is made now stays: nothing of it is garbage
        import uvicorn

        from qonys.web.app import create_app
        from qonys.web.logs import log_lines

        application = create_app(found)
        gc.freeze()
        gc.enable()
        log_lines()
        config = uvicorn.Config(application, log_config=None, access_log=False, server_header=False, proxy_headers=False,
                                timeout_graceful_shutdown=5, limit_concurrency=MOST_AT_ONCE)  # fmt: skip
        tell(found.shown_address)
        uvicorn.Server(config).run(sockets=[place])


@app.command()
def init(
    home: HomeOption = None,
    name: Annotated[str, typer.Option("--name", help="Name of the administrator.")] = "admin",
    password_stdin: StdinOption = False,
) -> None:
    """Make the home folder, the database and the first administrator. Example: qonys web init --home /srv/qonys --name aigul"""
    from qonys.web.state import people

    found = _settings(home)
    with _database(found, make=True) as database:
        if there := _admins(database):
            raise DesignError(
                f"{found.home} has the administrator {there[0].name!r}", mend="add others with qonys web user add --role admin"
            )
        password = _password(password_stdin)
        with database.begin() as connection:
            if _admins(connection):
                raise DesignError("another administrator was made meanwhile", mend="ask them")
            person = people.add(connection, name, role="admin", password=password, by=_me())
    tell(f"{person.name}: administrator of {found.home}; start it with qonys web run")


@user.command("add")
def add(
    name: NameArgument, home: HomeOption = None, role: RoleOption = "viewer",
    full_name: Annotated[str, typer.Option("--full-name", help="Name as it is written out.")] = "",
    language: Annotated[str, typer.Option("--lang", help="Language of their pages: en, ru or kk.")] = "en",
    password_stdin: StdinOption = False,
) -> None:  # fmt: skip
    """Add a person; prints a one-time password, unless one is given. Example: qonys web user add marat --role analyst"""
    from qonys.web.state import onetime, people

    with _database(_settings(home)) as database:
        password = _password(True) if password_stdin else onetime.made()
        with database.begin() as connection:
            person = people.add(connection, name, role=role, password=password, full_name=full_name, language=language, by=_me())
            if not password_stdin:
                onetime.mark(connection, person)
    _added(person, None if password_stdin else password)


@user.command("role")
def role(
    name: NameArgument, role: Annotated[str, typer.Argument(help="viewer, analyst, adjudicator or admin.")], home: HomeOption = None
) -> None:
    """Give a person another role. Example: qonys web user role marat adjudicator"""
    from qonys.web.state import people

    with _database(_settings(home)) as database:
        person = people.set_role(database, _person(database, name).id, role, by=_me())
    tell(f"{person.name}: {person.role}")


@user.command("disable")
def disable(name: NameArgument, home: HomeOption = None) -> None:
    """Shut a person out: their sessions end and their tokens are revoked. Example: qonys web user disable marat"""
    _activate(home, name, False)


@user.command("enable")
def enable(name: NameArgument, home: HomeOption = None) -> None:
    """Let a person in again. Example: qonys web user enable marat"""
    _activate(home, name, True)


@user.command("password")
def password(name: NameArgument, home: HomeOption = None, password_stdin: StdinOption = False) -> None:
    """Replace a forgotten password by a one-time one that is printed, or by one given. Example: qonys web user password marat"""
    from qonys.web.state import onetime, people

    with _database(_settings(home)) as database:
        person = _person(database, name)
        if password_stdin:
            given = _password(True)
            with database.begin() as connection:
                people.set_password(connection, person.id, given, by=_me())
                onetime.done(connection, person)
        word = None if password_stdin else onetime.give(database, person, by=_me())
    _added(person, word)


@user.command("list")
def listed(home: HomeOption = None, output: OutputOption = None) -> None:
    """List the people. Example: qonys web user list"""
    import pandas as pd

    from qonys.web.state import people

    with _database(_settings(home)) as database:
        rows = [
            {
                "name": one.name, "full_name": one.full_name, "role": one.role, "active": one.active, "language": one.language,
                "signs_in_by": "openid" if one.subject else "password" if one.has_password else "nothing yet",
                "created_at": one.created_at.isoformat(timespec="seconds"),
            }
            for one in people.listed(database)
        ]  # fmt: skip
    columns = ["name", "full_name", "role", "active", "language", "signs_in_by", "created_at"]
    write(pd.DataFrame(rows, columns=columns), {}, output)


@app.command()
def backup(to: Annotated[Path, typer.Argument(help="Archive to write, or a folder for it.")], home: HomeOption = None) -> None:
    """Write the database and the home folder to one archive; the server may run on. Example: qonys web backup /backups"""
    from datetime import UTC, datetime

    from qonys.web.state.backup import backup as write_backup

    found = _settings(home)
    if to.is_dir():
        to = to / f"qonys-{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}.zip"
    if found.home.resolve() in to.resolve().parents:
        raise DesignError(f"{to} is inside the home {found.home}", mend="write the archive elsewhere, best on another machine")
    with _database(found) as database:
        path = write_backup(database, [found.home], found.home, to, by=_me())
    tell(f"{path}: {path.stat().st_size} bytes")


@app.command()
def restore(
    archive: Annotated[Path, typer.Argument(help="Archive written by qonys web backup.")],
    home: HomeOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Also where there is something already; it is kept aside.")] = False,
) -> None:
    """Bring home and database back to what an archive holds; stop the server first. Example: qonys web restore q.zip --replace"""
    from qonys.web.state.backup import restore as read_backup

    found = _settings(home)
    done = read_backup(archive, found.home, found.url, replace=replace, by=_me())
    tell(f"{found.home}: {done.files} files and {done.rows} rows as of {done.created_at.isoformat(timespec='seconds')}")
    if done.aside is not None:
        tell(f"what was there before is in {done.aside}")


@app.command()
def check(
    home: HomeOption = None,
    kept: Annotated[str, typer.Option("--head", help="Number and hash of an entry noted elsewhere, which must still be there.")] = "",
) -> None:
    """Check the audit trail from its first entry and the version of the database. Example: qonys web check --head "17 2f0c..." """
    from qonys.web.state import audit
    from qonys.web.state.tables import HEAD

    number, _, digest = kept.strip().partition(" ")
    if kept and not (number.isdigit() and len(digest) == 64):
        raise DesignError(f"--head is {kept!r}", mend="give the number and the hash as qonys web check printed them")
    with _database(_settings(home), migrate=False) as database:
        at = database.version()
        broken = audit.verify(database, kept=audit.Head(int(number), digest) if kept else None)
        head = audit.head(database)
    if broken is not None:
        raise DataError(
            f"the audit trail is broken at entry {broken}", mend="compare it with a backup, and find who can write to the database"
        )
    print(f"database {at}" + ("" if at == HEAD else f" (this program makes it {HEAD} when it starts)"))
    print(f"head {head.number} {head.hash}" if head else "head none")


def _activate(home: Path | None, name: str, active: bool) -> None:
    from qonys.web.state import people

    with _database(_settings(home)) as database:
        person = people.set_active(database, _person(database, name).id, active, by=_me())
    tell(f"{person.name}: {'enabled' if active else 'disabled'}")


def _added(person: Person, word: str | None) -> None:
    tell(f"{person.name}: {person.role}")
    if word is not None:
        tell("one-time password, good for seven days and replaced at the first sign-in:")
        print(word)


def _settings(home: Path | None) -> Settings:
    from qonys.web.settings import settings

    return settings(home)


@contextmanager
def _database(found: Settings, *, make: bool = False, migrate: bool = True) -> Iterator[Database]:
    """The database, brought to its newest version. Errors: DataError if there is none, unless it is to be made."""
    from qonys.web.state.backup import recover
    from qonys.web.state.database import Database

    database = Database(found.url)
    try:
        if make:
            found.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        elif not found.home.is_dir() or (database.file is not None and not database.file.exists()):
            raise DataError(f"{found.home} is no home of a dashboard", mend="make it with qonys web init, or name it by --home")
        recover(found.home, database)
        if migrate:
            database.migrate()
        yield database
    finally:
        database.close()


def _safe(found: Settings, database: Database) -> None:
    """Errors: DesignError for a server that others could reach and nobody looks after."""
    admin = bool(_admins(database))
    if not (found.local or found.public or admin):
        raise DesignError(
            f"there is no administrator, and {found.host} can be reached from other machines",
            mend="make one with qonys web init, or serve it for reading only with --public",
        )
    if not (found.public or admin):
        tell("nobody can sign in yet: make an administrator with qonys web init, or serve it for reading only with --public")
    if not (found.secure or found.local or found.public):
        tell("readers come by plain http, so passwords can be read on their way: put a proxy with https before it and set address")


def _admins(where: object) -> list[Person]:
    """Administrators who can sign in."""
    from qonys.web.state import people

    return [one for one in people.listed(where, active=True) if one.role == "admin" and (one.has_password or one.subject)]  # type: ignore[arg-type]


def _person(database: Database, name: str) -> Person:
    from qonys.web.state import people

    found = people.named(database, name)
    if found is None:
        raise DataError(f"there is no person {name!r}", mend=nearest(name, [one.name for one in people.listed(database)]) or "add them")
    return found


def _password(from_stdin: bool) -> str:
    """A password typed twice, or the first line of standard input."""
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise DesignError("standard input holds no password", mend="write it as the first line")
        return given
    if not sys.stdin.isatty():
        raise DesignError("there is no terminal to ask for a password at", mend="give it with --password-stdin")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


def _me() -> str:
    """Who works at the command line, for the trail."""
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError):
        return "command line"


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens. Errors: DesignError if the port is taken or the address is none of this machine."""
    import socket

    try:
        place = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)
    except (OSError, UnicodeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower().partition(" (")[0]
        raise DesignError(
            f"cannot listen at {host} port {port}: {reason}", mend="choose another --port, or an address of this machine"
        ) from None
    with place:
        yield place
