"""How the dashboard is set up: `web.toml` in its home folder, then QONYS_WEB_ variables, then what the command line says."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "web.toml"
VARIABLE = "QONYS_WEB_"
MB = 2**20


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
    publishers' data; public: anyone may read without signing in, nobody may write; address: as readers reach it, decides about secure
    cookies; embedding: origins that may show an embedded chart; proxied: the address of a reader is taken from X-Forwarded-For.
    """

    home: Path
    database: str = ""
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
    def shown_address(self) -> str:
        """The address to open."""
        return self.address or f"http://{self.host}:{self.port}"


def settings(home: Path | None = None, *, environment: Mapping[str, str] = os.environ, **own: Any) -> Settings:
    """The settings of a home folder. Errors: DataError naming file or variable for what is unknown, of another type or out of bounds."""
    home = home or Path(environment.get(f"{VARIABLE}HOME", "") or default_home())
    found: dict[str, Any] = {}
    path = home / FILE
    if path.is_file():
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path} is not TOML: {error}", mend="see docs/how-to/run-the-dashboard.md for the form") from None
        found = {name: _checked(str(path), name, value) for name, value in told.items()}
    for field_ in fields(Settings):
        name = f"{VARIABLE}{field_.name.upper()}"
        if field_.name not in ("home", "openid") and environment.get(name, ""):
            found[field_.name] = _checked(name, field_.name, environment[name])
    secret = environment.get(f"{VARIABLE}OPENID_SECRET", "")
    if found.get("openid") is not None and secret:
        found["openid"] = replace(found["openid"], secret=secret)
    return Settings(home=home, **(found | {name: value for name, value in own.items() if value is not None}))


def default_home() -> Path:
    """`~/.local/share/qonys/web`, or as XDG_DATA_HOME says."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "qonys" / "web"


def _checked(where: str, name: str, value: Any) -> Any:
    known = {one.name for one in fields(Settings)} - {"home"}
    if name not in known:
        raise DataError(f"{where} has the unknown setting {name!r}", mend=nearest(name, known))
    match name:
        case "public" | "proxied":
            if isinstance(value, str) and value.lower() in ("1", "true", "yes", "on", "0", "false", "no", "off"):
                value = value.lower() in ("1", "true", "yes", "on")
            if not isinstance(value, bool):
                raise DataError(f"{where}: {name} is {value!r}", mend="write true or false")
            return value
        case "port" | "idle" | "longest" | "largest_upload" | "job_memory" | "job_minutes":
            if isinstance(value, str) and value.isdigit():
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**40 or (name == "port" and value > 65535):
                raise DataError(f"{where}: {name} is {value!r}", mend="write a whole number above zero")
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
            if not _is_origin(address):
                raise DataError(f"{where}: address is {value!r}", mend="write https://host or http://host:port")
            return address
        case "openid":
            known_ = ("issuer", "client", "role")
            if not isinstance(value, dict) or set(value) - set(known_) or not {"issuer", "client"} <= set(value):
                raise DataError(f"{where}: openid is {value!r}", mend=f"give issuer and client; the secret in {VARIABLE}OPENID_SECRET")
            return OpenID(**{key: _text(where, f"openid.{key}", text) for key, text in value.items()})
        case _:
            return _text(where, name, value)


def _text(where: str, name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: {name} is {value!r}", mend="write it as text, between quotes")
    return value.strip()


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return text == "*" or (parts.scheme in ("http", "https") and bool(parts.netloc) and not parts.path and "@" not in parts.netloc)
