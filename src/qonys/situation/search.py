"""Search and filter of a register, and one entry with everything known of it."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core import areas
from qonys.core.contracts import DIRECTIONS, LEVELS
from qonys.core.errors import DataError, nearest
from qonys.core.periods import earliest, latest
from qonys.measures import codebook
from qonys.measures.codebook import STRONGEST
from qonys.registers import DEFAULT
from qonys.situation.force import certainty_on
from qonys.situation.opened import day_of, held, register_held

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FOUND = (
    "id", "version", "title", "issuer", "level", "field", "instrument", "direction", "strength", "general", "targets", "status",
    "certainty", "start", "end", "seen_until", "agency", "outcome", "evidence", "inputs",
)  # fmt: skip
SORTS = ("start", "latest", "id", "issuer", "field", "strength")
_SEARCHED = ("id", "title", "outcome", "evidence", "target_words", "agency", "actor")


def find_measures(
    *, text: str = "", issuer: str | Iterable[str] | None = None, field: str | Iterable[str] | None = None,
    instrument: str | Iterable[str] | None = None, direction: str | Iterable[str] | None = None,
    targets: str | Iterable[str] | None = None, strength: int | Iterable[int] | None = None, level: str | Iterable[str] | None = None,
    on: date | str | None = None, first: object = None, last: object = None, sort: str = "start",
    words: Mapping[str, str] | None = None, register: Sequence[str] = DEFAULT,
) -> pd.DataFrame:  # fmt: skip
    """The entries of a register that meet every condition given, as they stand.

    text: all its words must occur in the id, title, outcome, evidence, agency, actor or the group as the source names it, whatever their
    case and accents; words: more text to search by id, such as titles in the reader's language. issuer, field, instrument, direction,
    targets, strength, level: one value or several, of which one must hold. on: in force that day, `certainty` says how surely (see
    `force.CERTAINTIES`); first, last: in force, possibly, on some day between (years, months or days; one may be left out). sort: `start`,
    `latest` (the newest start first), `id`, `issuer`, `field` or `strength` (strongest first) -> the columns of `FOUND`.
    Errors: DataError for a word that is no code of the codebook, no area, no strength, no day, or days out of order.
    """
    if sort not in SORTS:
        raise DataError(f"there is no order {sort!r}", mend=nearest(str(sort), SORTS))
    opened = register_held(register)
    entries = opened.entries
    keep = pd.Series(True, index=entries.index)
    for code in _several(issuer):
        areas.area(str(code))
    known = {"field": codebook()["field"], "instrument": codebook()["instrument"], "direction": DIRECTIONS, "level": LEVELS}
    for name, asked in (("issuer", issuer), ("field", field), ("instrument", instrument), ("direction", direction), ("level", level)):
        wanted = _several(asked)
        for one in wanted:
            if name in known and one not in known[name]:
                raise DataError(f"there is no {name} {one!r}", mend=nearest(str(one), known[name]))
        if wanted:
            keep &= entries[name].isin(wanted)
    if groups := _several(targets):
        for one in groups:
            if one not in codebook()["target"]:
                raise DataError(f"there is no target {one!r}", mend=nearest(str(one), codebook()["target"]))
        keep &= entries["targets"].map(lambda own: not set(groups).isdisjoint(own))
    if steps := _several(strength):
        for one in steps:
            if isinstance(one, bool) or not isinstance(one, int) or not 1 <= one <= STRONGEST:
                raise DataError(f"there is no strength {one!r}", mend=f"give a whole number from 1 to {STRONGEST}")
        keep &= entries["strength"].isin(steps)
    if sought := fold(text).split():
        haystacks = held(("haystacks", opened.snapshot), lambda: _haystacks(entries))
        extra = {name: fold(more) for name, more in (words or {}).items()}
        hits = zip(entries["id"], haystacks, strict=True)
        keep &= pd.Series([all(word in hay or word in extra.get(name, "") for word in sought) for name, hay in hits], index=entries.index)
    found = entries[keep]
    certainty = pd.Series(None, index=found.index, dtype=object)
    if on is not None:
        certainty = certainty_on(found, day_of(on))
        found, certainty = found[certainty.notna()], certainty[certainty.notna()]
    if first is not None or last is not None:
        start, stop = (date.min if first is None else earliest(str(first))), (date.max if last is None else latest(str(last)))
        if start > stop:
            raise DataError(f"the first day {start} is after the last day {stop}", mend="give them in the order of time")
        inside = [b is not None and b <= stop and o >= start for b, o in zip(found["begun_possible"], found["over_possible"], strict=True)]
        found, certainty = found[inside], certainty[inside]
    found = found.assign(
        certainty=certainty, inputs=[[f"measure/{row}"] for row in found["row"]], version=found["version"].fillna(1).astype(int)
    )
    return _ordered(found, sort)[list(FOUND)].reset_index(drop=True)


def fold(text: str) -> str:
    """Text as it is searched: without case and accents (й and ё are letters with accents too, so they are found either way)."""
    return "".join(one for one in unicodedata.normalize("NFKD", str(text).casefold()) if not unicodedata.combining(one))


def _haystacks(entries: pd.DataFrame) -> list[str]:
    return [
        fold(" ".join(str(part) for part in parts if isinstance(part, str)))
        for parts in zip(*(entries[name] for name in _SEARCHED), strict=True)
    ]


def _several(asked: Any) -> list[Any]:
    return [] if asked is None or asked == "" else [asked] if isinstance(asked, str | int | float) else list(asked)


def _ordered(found: pd.DataFrame, sort: str) -> pd.DataFrame:
    by = {"start": ["start", "id"], "latest": ["start", "id"], "id": ["id"], "issuer": ["issuer", "start", "id"],
          "field": ["field", "_weak", "id"], "strength": ["_weak", "start", "id"]}[sort]  # fmt: skip
    keyed = found.assign(_weak=-found["strength"])
    return keyed.sort_values(
        by, ascending=[not (sort == "latest" and name == "start") for name in by], na_position="last", kind="stable"
    ).drop(columns="_weak")
