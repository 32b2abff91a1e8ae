"""The first tables, and an audit trail that only grows. Written out, so that later changes of `tables.py` do not change what this made."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLES = "'viewer', 'analyst', 'adjudicator', 'admin'"
REFUSAL = "the audit trail only grows: no entry is changed, taken out or put between"
# SQLite replaces a row without firing its DELETE trigger, so what is put in must follow the last
SQLITE = (
    f"CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    "CREATE TRIGGER audit_next BEFORE INSERT ON audit WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit) "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
)
POSTGRESQL = (
    f"CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
    "CREATE OR REPLACE FUNCTION audit_next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit) THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_next BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_next()",
    # also where a session plays a replica
    "ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_kept",
    "ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_next",
)


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)


def _at(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [_text(name, 32, nullable=nullable) for name in names]


def _whole(name: str, *, big: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger() if big else sa.Integer(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _table(name: str, *parts: sa.Column[str] | sa.Column[int] | sa.Column[bool] | sa.Constraint, key: str = "id") -> None:
    op.create_table(name, *parts, sa.PrimaryKeyConstraint(key, name=f"pk_{name}"))


def _to(table: str, column: str, other: str = "people", **options: str | bool) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}", **options)  # type: ignore[arg-type]


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _one_of(table: str, column: str, words: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({words})", name=op.f(f"ck_{table}_{column}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def upgrade() -> None:
    """Make the tables, their indexes and the triggers of the trail."""
    _table(
        "people", _text("id", 32), _text("name"), _text("name_key"), _text("full_name"), _text("password_hash", nullable=True),
        _text("subject", nullable=True), _text("role", 16), _flag("active"), *_at("created_at", "changed_at"), _text("language", 8),
        _unique("people", "name_key"), _unique("people", "subject"), _one_of("people", "role", ROLES),
    )  # fmt: skip
    _table(
        "sessions", _text("digest", 64), _text("person", 32), *_at("created_at", "seen_at", "expires_at"), _text("csrf", 64),
        _text("address_hash", 64), _text("agent_hash", 64), _to("sessions", "person"), key="digest",
    )  # fmt: skip
    _index("sessions", "person")
    _index("sessions", "expires_at")
    _table(
        "tokens", _text("id", 32), _text("person", 32), _text("name"), _text("digest", 64), _text("role", 16),
        *_at("created_at", "expires_at"), *_at("used_at", "revoked_at", nullable=True), _to("tokens", "person"),
        _unique("tokens", "digest"), _one_of("tokens", "role", ROLES),
    )  # fmt: skip
    _index("tokens", "person")
    _table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        _text("kind", 16),
        _text("key", 64),
        _text("pair", 64),
        *_at("at"),
    )
    _index("attempts", "kind", "key", "at")
    _index("attempts", "pair")
    _index("attempts", "at")
    _table(
        "audit", sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False), *_at("at"), _text("person", 32, nullable=True),
        _text("name"), _text("action", 64), _text("object"), _text("detail"), _text("previous", 64), _text("hash", 64), key="number",
    )  # fmt: skip
    _index("audit", "person", "number")
    _index("audit", "action", "number")
    _table(
        "jobs", _text("id", 32), _text("kind", 64), _text("title"), _text("owner", 32, nullable=True), _flag("shared"), _text("state", 16),
        _text("asked"), _whole("progress_done", big=True), _whole("progress_of", big=True), _text("progress_key"),
        _text("error", nullable=True), *_at("created_at"), *_at("started_at", "ended_at", "heartbeat_at", nullable=True),
        _whole("pid", nullable=True), _text("host", nullable=True), _whole("attempt"), _text("folder", nullable=True), _to("jobs", "owner"),
        _one_of("jobs", "state", "'waiting', 'running', 'cancelling', 'cancelled', 'done', 'failed', 'lost'"),
    )  # fmt: skip
    _index("jobs", "state", "created_at")
    _index("jobs", "owner", "created_at")
    _index("jobs", "created_at")
    _table(
        "rooms", _text("id", 32), _text("kind", 16), _text("name"), _text("owner", 32), _flag("shared"), _text("text"),
        *_at("created_at", "changed_at"), _text("parent", 32, nullable=True), _to("rooms", "owner"),
        _to("rooms", "parent", "rooms", ondelete="SET NULL", deferrable=True, initially="DEFERRED"),
        _one_of("rooms", "kind", "'procedure', 'corridor', 'settlement'"),
    )  # fmt: skip
    _index("rooms", "owner", "changed_at")
    _index("rooms", "kind", "shared")
    _index("rooms", "parent")
    _table(
        "proposals", _text("id", 32), _text("entry"), _text("kind", 8), _text("register"), _text("text"),
        _whole("base_version", nullable=True), _text("reason"), _text("author", 32), *_at("created_at"), _text("state", 16),
        _to("proposals", "author"), _one_of("proposals", "kind", "'new', 'change'"),
        _one_of("proposals", "state", "'open', 'coding', 'adjudication', 'accepted', 'refused', 'withdrawn'"),
    )  # fmt: skip
    _index("proposals", "state", "created_at")
    _index("proposals", "entry")
    _index("proposals", "author")
    _table(
        "codings", _text("id", 32), _text("proposal", 32), _text("coder", 32), _text("codes"), *_at("created_at"),
        _to("codings", "proposal", "proposals"), _to("codings", "coder"), _unique("codings", "proposal", "coder"),
    )  # fmt: skip
    _index("codings", "coder")
    _table(
        "adjudications", _text("id", 32), _text("proposal", 32), _text("adjudicator", 32), _text("codes"), _text("reason"),
        *_at("created_at"), _to("adjudications", "proposal", "proposals"), _to("adjudications", "adjudicator"),
        _unique("adjudications", "proposal"),
    )  # fmt: skip
    _table("settings", _text("key", 64), _text("value"), key="key")
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Refused: there is nothing before the first tables."""
    raise NotImplementedError("there is nothing before the first tables; restore a backup instead")
