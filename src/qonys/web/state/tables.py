"""All tables, alike in SQLite and PostgreSQL: moments are UTC text of one width, JSON is canonical text, ids are text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator

from qonys.core.errors import DataError, DesignError

HEAD = "0001"  # the migration that makes these tables
ROLES = ("viewer", "analyst", "adjudicator", "admin")  # each may what those before it may
JOB_STATES = ("waiting", "running", "cancelling", "cancelled", "done", "failed", "lost")
ROOM_KINDS = ("procedure", "corridor", "settlement")
PROPOSAL_KINDS = ("new", "change")
PROPOSAL_STATES = ("open", "coding", "adjudication", "accepted", "refused", "withdrawn")


class TextError(DataError, DontWrapMixin):
    """A value cannot be kept as text."""


def moment(now: datetime | None = None) -> datetime:
    """`now` in UTC; without it, the present moment. Errors: DesignError for a time without a zone."""
    if now is None:
        return datetime.now(UTC)
    if now.tzinfo is None:
        raise DesignError(f"the time {now.isoformat()} has no zone", mend="give it in UTC")
    return now.astimezone(UTC)


def as_text(at: datetime) -> str:
    """A moment as it is kept: UTC, to the microsecond, of one width, so that the order of texts is that of time."""
    return moment(at).isoformat(timespec="microseconds")


def canonical(value: object) -> str:
    """JSON of one form: keys sorted, no blanks. Errors: DataError for what JSON has no word for: nan, a date, half a character."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        text.encode()
        return text
    except (TypeError, ValueError, RecursionError) as error:
        raise TextError(f"a value cannot be kept as JSON: {error}", mend="give texts, finite numbers, lists and tables of them") from None


def new_id() -> str:
    """A new id: 32 random hexadecimal digits."""
    return uuid4().hex


class Words(TypeDecorator[str]):
    """Text that both databases can keep: without a NUL character and without half a character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text as it is. Errors: DataError where it cannot be kept."""
        if value is not None and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
            raise TextError("a text holds a NUL or half a character", mend="type it anew, or save the file as UTF-8")
        return value


class Moment(TypeDecorator[datetime]):
    """A moment: aware datetimes in and out, kept as `as_text` writes them."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """The moment as text."""
        return None if value is None else as_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """The text as a moment in UTC."""
        return None if value is None else datetime.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """A JSON value, kept as canonical text. None is SQL's NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The value as text."""
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, Any] | Sequence[Any] | None:
        """The text as a value."""
        return None if value is None else json.loads(value)


def _one_of(column: str, words: Sequence[str]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(word) for word in words)})", name=column)


def _id() -> Column[str]:
    return Column("id", String(32), primary_key=True, default=new_id)


def _person(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(32), ForeignKey("people.id"), nullable=nullable)


def _proposal(*, unique: bool = False) -> Column[str]:
    return Column("proposal", String(32), ForeignKey("proposals.id"), nullable=False, unique=unique)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s", "fk": "fk_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s",
    }
)  # fmt: skip

people = Table(
    "people", metadata, _id(),
    Column("name", Words, nullable=False),
    Column("name_key", Words, nullable=False, unique=True),  # the name as it is compared: `people.key_of`
    Column("full_name", Words, nullable=False, default=""),
    Column("password_hash", Words),  # missing: signs in by OpenID Connect, or not at all yet
    Column("subject", Words, unique=True),  # OpenID Connect: issuer|sub
    Column("role", String(16), nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("language", String(8), nullable=False, default="en"),
    _one_of("role", ROLES),
)  # fmt: skip

sessions = Table(
    "sessions", metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the token
    _person("person"),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("address_hash", String(64), nullable=False),
    Column("agent_hash", String(64), nullable=False),
    Index(None, "person"), Index(None, "expires_at"),
)  # fmt: skip

tokens = Table(
    "tokens", metadata, _id(), _person("person"),
    Column("name", Words, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
    Index(None, "person"),
    _one_of("role", ROLES),
)  # fmt: skip

attempts = Table(
    "attempts", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),  # pair, name, address: a failure; known: a pair that signed in
    Column("key", String(64), nullable=False),
    Column("pair", String(64), nullable=False),  # whose failure it is, in all three counts
    Column("at", Moment, nullable=False),
    Index(None, "kind", "key", "at"), Index(None, "pair"), Index(None, "at"),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("person", String(32)),  # no foreign key: the trail stands by itself
    Column("name", Words, nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", Words, nullable=False),
    Column("detail", Json, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "person", "number"), Index(None, "action", "number"),
)  # fmt: skip

jobs = Table(
    "jobs", metadata, _id(),
    Column("kind", String(64), nullable=False),
    Column("title", Words, nullable=False, default=""),
    _person("owner", nullable=True),  # missing: asked for at the command line
    Column("shared", Boolean, nullable=False, default=False),
    Column("state", String(16), nullable=False, default="waiting"),
    Column("asked", Json, nullable=False),
    Column("progress_done", sa.BigInteger, nullable=False, default=0),
    Column("progress_of", sa.BigInteger, nullable=False, default=0),
    Column("progress_key", Words, nullable=False, default=""),
    Column("error", Json),  # what, mend
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("heartbeat_at", Moment),
    Column("pid", Integer),
    Column("host", Words),
    Column("attempt", Integer, nullable=False, default=0),
    Column("folder", Words),
    Index(None, "state", "created_at"), Index(None, "owner", "created_at"), Index(None, "created_at"),
    _one_of("state", JOB_STATES),
)  # fmt: skip

rooms = Table(
    "rooms", metadata, _id(),
    Column("kind", String(16), nullable=False),
    Column("name", Words, nullable=False),
    _person("owner"),
    Column("shared", Boolean, nullable=False, default=False),
    Column("text", Words, nullable=False),  # TOML
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("parent", String(32), ForeignKey("rooms.id", ondelete="SET NULL", deferrable=True, initially="DEFERRED")),
    Index(None, "owner", "changed_at"), Index(None, "kind", "shared"), Index(None, "parent"),
    _one_of("kind", ROOM_KINDS),
)  # fmt: skip

proposals = Table(
    "proposals", metadata, _id(),
    Column("entry", Words, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("register", Words, nullable=False),
    Column("text", Words, nullable=False),  # TOML of the version of the entry
    Column("base_version", Integer),
    Column("reason", Words, nullable=False),
    _person("author"),
    Column("created_at", Moment, nullable=False),
    Column("state", String(16), nullable=False, default="open"),
    Index(None, "state", "created_at"), Index(None, "entry"), Index(None, "author"),
    _one_of("kind", PROPOSAL_KINDS), _one_of("state", PROPOSAL_STATES),
)  # fmt: skip

codings = Table(
    "codings", metadata, _id(), _proposal(), _person("coder"),
    Column("codes", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("proposal", "coder"), Index(None, "coder"),
)  # fmt: skip

adjudications = Table(
    "adjudications", metadata, _id(), _proposal(unique=True), _person("adjudicator"),
    Column("codes", Json, nullable=False),
    Column("reason", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
)  # fmt: skip

settings = Table("settings", metadata, Column("key", String(64), primary_key=True), Column("value", Words, nullable=False))
