"""Notes that a browser keeps for a few minutes and cannot change: JSON with a time and an HMAC of the installation's key."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from qonys.web.state.database import installation_key

if TYPE_CHECKING:
    from qonys.web.state.database import Database


def sealed(db: Database, purpose: str, note: dict[str, Any], *, now: datetime | None = None) -> str:
    """The note as text for a cookie. It can be read by its browser: secrets of the server do not belong in it."""
    at = (now or datetime.now(UTC)).timestamp()
    body = urlsafe_b64encode(json.dumps([at, note]).encode()).decode()
    return f"{body}.{_mark(db, purpose, body)}"


def unsealed(db: Database, purpose: str, text: str, *, lasts: timedelta, now: datetime | None = None) -> dict[str, Any] | None:
    """The note again; None if it was made for another purpose, changed, or is older than `lasts`."""
    body, _, mark = text.rpartition(".")
    if not hmac.compare_digest(mark.encode("utf-8", "replace"), _mark(db, purpose, body).encode()):
        return None
    at, note = json.loads(urlsafe_b64decode(body))
    found: dict[str, Any] = note
    return found if 0 <= (now or datetime.now(UTC)).timestamp() - at < lasts.total_seconds() else None


def _mark(db: Database, purpose: str, body: str) -> str:
    with db.read() as connection:
        key = installation_key(connection)
    return hmac.new(key, f"{purpose}\n{body}".encode("utf-8", "replace"), "sha256").hexdigest()
