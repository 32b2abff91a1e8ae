"""What the headers of a reply say of its length, its sameness and its time: RFC 9110."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


def validator_of(headers: dict[str, str]) -> str:
    """By what a later request can ask for the rest of the same reply: RFC 9110, 13.1.5 allows a strong ETag, or else a time."""
    etag = headers.get("etag", "")
    return etag if etag.startswith('"') else headers.get("last-modified", "")


def continues(headers: dict[str, str], size: int, notes: dict[str, Any]) -> bool:
    """Whether a piece is all that is lacking of what is held: not every server that knows Range heeds If-Range."""
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("content-range", "").strip())
    if found is None or int(found[1]) != size or (found[3] != "*" and int(found[2]) != int(found[3]) - 1):
        return False
    before = notes["headers"]
    if found[3] != "*" and before.get("content-length", found[3]) != found[3]:
        return False
    return all(headers.get(name, before.get(name)) == before.get(name) for name in ("etag", "last-modified", "content-encoding"))


def retry_after(headers: dict[str, str], now: datetime) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3); None if it is neither."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return max(0.0, float(seconds))


def number(text: str | None) -> int | None:
    """A header that is a whole number; None if it is not there or no number."""
    return int(text) if text is not None and text.strip().isdigit() else None
