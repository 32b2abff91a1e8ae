"""How the dashboard is set up: `web.toml` in its home folder, then QONYS_WEB_ variables, then what the command line says."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "web.toml"
VARIABLE = "QONYS_WEB_"
# what is not a field of Settings by its own name: secrets come from a variable, or better from a file that a variable names
OPENID = ("openid_issuer", "openid_client", "openid_role")
SECRETS = ("openid_secret", "openid_secret_file", "database_password", "database_password_file")
MB = 2**20
BOUNDS = {
    "port": (1, 65535), "idle": (1, 24 * 60), "longest": (1, 30 * 24 * 60), "largest_upload": (1, 2**33), "job_memory": (1, 2**44),
    "job_minutes": (1, 7 * 24 * 60), "job_slots": (0, 64),
}  # fmt: skip
FIRST_ROLES = ("viewer", "analyst", "adjudicator")  # an administrator is made by one, never by signing in
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenID:
    """Signing in by an OpenID Connect service. secret: of this client, from a variable or a file of the machine, never from web.toml."""

    issuer: str
    client: str
    secret: str = field(default="", repr=False)
    role: str = "viewer"  # of people who sign in for the first time


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are kept and what is allowed. Times in minutes, sizes in bytes.

    home: folder of runs, uploads and the SQLite file; database: SQLAlchemy address, by default SQLite in the home; store: folder of the
    publishers' data; public: for reading only: anyone may, nobody signs in, nothing is written (who works uses a second server on the same
    home); address: as readers reach it, decides about secure cookies and by which names the server answers; proxied: the address of a
    reader is taken from X-Forwarded-For; embedding: origins that may show an embedded chart; idle, longest: of a session; warm: views are
    answered before they are asked for; job_slots: runs at once, 0 for a server that starts none.
    """

    home: Path
    database: str = field(default="", repr=False)
    store: Path | None = None
    public: bool = False
    host: str = "127.0.0.1"
    port: int = 8600
    address: str = ""
    proxied: bool = False
    embedding: tuple[str, ...] = ()
    idle: int = 60
    longest: int = 12 * 60
    largest_upload: int = 20 * MB
    job_memory: int = 4096 * MB
    job_minutes: int = 60
    warm: bool = True
    job_slots: int = 1
    openid: OpenID | None = None

    @property
    def url(self) -> str:
        """Address of the database."""
        return self.database or f"sqlite:///{self.home.absolute() / 'qonys.db'}"

    @property
    def secure(self) -> bool:
        """Do readers come by https? Then cookies are for https only."""
        return self.address.startswith("https://")

    @property
    def local(self) -> bool:
        """Does it listen to this machine alone?"""
        return self.host in LOOPBACK

    @property
    def shown_address(self) -> str:
        """The address to open."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.address or f"http://{host}:{self.port}"


def settings(home: Path | None = None, *, environment: Mapping[str, str] = os.environ, **own: Any) -> Settings:
    """The settings of a home folder. Errors: DataError naming file or variable for what is unknown, of another type or out of bounds."""
    home = (home or Path(environment.get(f"{VARIABLE}HOME", "") or default_home())).expanduser()
    found: dict[str, Any] = {}
    path = home / FILE
    if path.is_file():
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path} is not TOML: {error}", mend="see docs/how-to/run-the-dashboard.md for the form") from None
        found = {name: _checked(str(path), name, value) for name, value in told.items()}
    found |= _told(environment)
    if "openid" in found:
        secret = _secret(environment, "openid_secret")
        found["openid"] = replace(found["openid"], secret=secret or "")
    if (password := _secret(environment, "database_password")) is not None:
        found["database"] = _with_password(found.get("database", ""), password)
    whole = Settings(home=home, **(found | {name: value for name, value in own.items() if value is not None}))
    if whole.idle > whole.longest:
        raise DataError(f"idle is {whole.idle} minutes and longest {whole.longest}", mend="let no session be idle longer than it lasts")
    return whole


def _told(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the variables say; one without text says nothing."""
    own = {name.removeprefix(VARIABLE).lower(): value for name, value in environment.items() if name.startswith(VARIABLE) and value}
    known = {one.name for one in fields(Settings)} - {"openid"} | {*OPENID, *SECRETS}
    if unknown := sorted(set(own) - known):
        near = nearest(unknown[0], known)
        raise DataError(f"{VARIABLE}{unknown[0].upper()} is no setting", mend=f"unset it ({near})")
    found = {name: _checked(f"{VARIABLE}{name.upper()}", name, own[name]) for name in own if name not in ("home", *OPENID, *SECRETS)}
    if service := {name.removeprefix("openid_"): own[name] for name in OPENID if name in own}:
        found["openid"] = _checked(f"{VARIABLE}OPENID_...", "openid", service)
    return found


def _secret(environment: Mapping[str, str], name: str) -> str | None:
    """A secret of the machine: from the file that a variable names, else from the variable itself."""
    variable = f"{VARIABLE}{name.upper()}_FILE"
    if file := environment.get(variable, ""):
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise DataError(f"{variable}: {file} cannot be read", mend="check the path and its rights") from None
    return environment.get(f"{VARIABLE}{name.upper()}") or None


def _with_password(database: str, password: str) -> str:
    parts = urlsplit(database)
    if not parts.scheme.startswith("postgresql") or not parts.username or parts.password is not None:
        raise DataError(
            f"{VARIABLE}DATABASE_PASSWORD_FILE needs a database with a name and no password",
            mend="write postgresql://name@host/database",
        )
    return parts._replace(netloc=f"{parts.username}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}").geturl()


def default_home() -> Path:
    """`~/.local/share/qonys/web`, or as XDG_DATA_HOME says."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "qonys" / "web"


def _checked(where: str, name: str, value: Any) -> Any:
    known = {one.name for one in fields(Settings)} - {"home"}
    if name not in known:
        raise DataError(f"{where} has the unknown setting {name!r}", mend=nearest(name, known))
    match name:
        case "public" | "proxied" | "warm":
            if isinstance(value, str) and value.lower() in ("1", "true", "yes", "on", "0", "false", "no", "off"):
                value = value.lower() in ("1", "true", "yes", "on")
            if not isinstance(value, bool):
                raise DataError(f"{where}: {name} is {value!r}", mend="write true or false")
            return value
        case _ if name in BOUNDS:
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
                value = int(value)
            least, most = BOUNDS[name]
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise DataError(f"{where}: {name} is {value!r}", mend=f"write a whole number from {least} to {most}")
            return value
        case "store":
            return Path(_text(where, name, value))
        case "embedding":
            origins = value.split() if isinstance(value, str) else value
            if not isinstance(origins, list) or not all(isinstance(one, str) and _is_origin(one) for one in origins):
                raise DataError(f"{where}: embedding is {value!r}", mend='write origins: ["https://www.example.org"], or ["*"]')
            return tuple(origins)
        case "address":
            address = _text(where, name, value).rstrip("/")
            if address == "*" or not _is_origin(address):
                raise DataError(f"{where}: address is {value!r}", mend="write https://host or http://host:port")
            return address
        case "openid":
            return _openid(where, value)
        case _:
            return _text(where, name, value)


def _text(where: str, name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: {name} is {value!r}", mend="write it as text, between quotes")
    return value.strip()


def _openid(where: str, value: Any) -> OpenID:
    known = ("issuer", "client", "role")
    if not isinstance(value, dict) or set(value) - set(known) or not {"issuer", "client"} <= set(value):
        raise DataError(
            f"{where}: openid needs issuer and client, and may have role", mend=f"give the secret by {VARIABLE}OPENID_SECRET_FILE"
        )
    service = OpenID(**{key: _text(where, f"openid.{key}", text) for key, text in value.items()})
    parts = urlsplit(service.issuer)
    if not parts.hostname or parts.query or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise DataError(f"{where}: the issuer {service.issuer!r} is no https address", mend="copy it from the service, as it writes itself")
    if service.role not in FIRST_ROLES:
        raise DataError(f"{where}: openid.role is {service.role!r}", mend=nearest(service.role, FIRST_ROLES))
    return service


def _is_origin(text: str) -> bool:
    return text == "*" or _ORIGIN.fullmatch(text) is not None
