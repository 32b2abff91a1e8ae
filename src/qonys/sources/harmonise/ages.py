"""Age bands as publishers write them, told apart from totals, and one choice of bands that counts nobody twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from qonys.core.errors import DataError
from qonys.sources.words import is_total, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OLDEST = 150
UNKNOWN = "UNKNOWN"  # as an age: not stated
OPEN = "OPEN"  # as an age: all above the last single year that the publisher prints, which differs by country (Eurostat's Y_OPEN)
UNSTATED = frozenset(("unk", "u", "unknown", "not stated", "not specified", "ns", "nrp", "x", "не указан", "не указано", "не указана",
                      "возраст не указан", "неизвестно", "неизвестен", "көрсетілмеген", "жасы көрсетілмеген", "белгісіз"))  # fmt: skip
YEARS = r"(?:years? old|years? of age|years?|года?|лет|жас\w*(?: аралығы\w*)?|ж)?"


@dataclass(frozen=True, slots=True, order=True)
class AgeBand:
    """Completed years of age from `first` to `last`, both included; last None: and over.

    kind: band; total: all ages; unknown: not stated; open: all above what else is printed.
    """

    first: int
    last: int | None
    kind: Literal["band", "total", "unknown", "open"] = "band"

    @property
    def code(self) -> str | None:
        """As the contracts write it: 20-24, 85+, 7, UNKNOWN; a total is an empty cell."""
        if self.kind != "band":
            return {"total": None, "unknown": UNKNOWN, "open": OPEN}[self.kind]
        return f"{self.first}+" if self.last is None else f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def end(self) -> float:
        """The first year that is no longer in the band."""
        return np.inf if self.last is None else self.last + 1


@cache
def age_of(text: str) -> AgeBand | None:
    """The band that a cell names, in codes of Eurostat, OECD or ILO or in words in en, ru or kk; None for what is none.

    >>> [age_of(one).code for one in ("Y_LT5", "Y5-9", "Y_GE85", "Y20", "15—24 года", "60 және одан жоғары", "AGE_5YRBANDS_YGE65")]
    ['0-4', '5-9', '85+', '20', '15-24', '60+', '65+']
    """
    if is_total(text) or plain(text) in ("", "all", "total"):
        return AgeBand(0, None, "total")
    bare = re.sub(r"[‐‑‒–—−]", "-", plain(text)).replace("≥", ">=").replace("≤", "<=")
    bare = re.sub(r"^age (\w+ )?(?=y|total|unk)", "", bare)  # of ILO: AGE_YTHADULT_Y15-24, whose _ is a space by now
    if bare in ("total", "ytotal") or is_total(bare):
        return AgeBand(0, None, "total")
    if bare in UNSTATED:
        return AgeBand(0, None, "unknown")
    if bare in ("y open", "open"):
        return AgeBand(0, None, "open")
    band = _band(bare)
    if band is None or band.first > OLDEST or (band.last is not None and not band.first <= band.last <= OLDEST):
        return None
    return band


def _band(bare: str) -> AgeBand | None:
    if found := re.fullmatch(rf"y?\s?(\d{{1,3}})\s?(?:-|t|to|до)\s?y?(\d{{1,3}})\s?{YEARS}", bare):
        return AgeBand(int(found[1]), int(found[2]))
    if found := re.fullmatch(rf"от\s(\d{{1,3}})\sдо\s(\d{{1,3}})\s?{YEARS}", bare):
        return AgeBand(int(found[1]), int(found[2]))
    if found := re.fullmatch(
        rf"y?\s?(?:lt|<|under|less than|below|до|младше|моложе|менее)\s?(\d{{1,3}})\s?{YEARS}|(\d{{1,3}})\s?жас\w* (?:дейін|толмаған)\w*",
        bare,
    ):
        under = int(found[1] or found[2])
        return AgeBand(0, under - 1) if under > 0 else None
    if found := re.fullmatch(rf"y?\s?(?:le|<=)\s?(\d{{1,3}})\s?{YEARS}", bare):
        return AgeBand(0, int(found[1]))
    over = r"(?:\+|and over|and older|and above|or over|or more|or older|и старше|и более|(?:және|мен) одан (?:жоғары|үлкен|асқан)\w*)"
    if found := re.fullmatch(rf"y?\s?(?:ge|>=)\s?(\d{{1,3}})\s?{YEARS}|y?(\d{{1,3}})\s?{YEARS}\s?{over}\s?{YEARS}", bare):
        return AgeBand(int(found[1] or found[2]), None)
    if found := re.fullmatch(rf"y?\s?(?:gt|>|over|старше)\s?(\d{{1,3}})\s?{YEARS}|(\d{{1,3}})\s?жастан (?:жоғары|асқан|үлкен)\w*", bare):
        return AgeBand(int(found[1] or found[2]) + 1, None)
    if found := re.fullmatch(rf"y?\s?(\d{{1,3}})\s?{YEARS}", bare):
        return AgeBand(int(found[1]), int(found[1]))
    return None


def bands(ages: Iterable[object]) -> dict[object, AgeBand]:
    """The band of each distinct age of a table of a contract; an empty age is the total, OPEN begins where the single years end.

    Errors: DataError for an age that is none.
    """
    found: dict[object, AgeBand] = {}
    for age in dict.fromkeys(None if pd.isna(one) else str(one) for one in ages):
        band = age_of("TOTAL" if age is None else age)
        if band is None:
            raise DataError(f"the age {age!r} is no age band", mend="write 20-24, 85+, 7 or UNKNOWN; leave it empty for all ages")
        found[age] = band
    closed = [band.last for band in found.values() if band.kind == "band" and band.last is not None]
    if closed:
        top = AgeBand(max(closed) + 1, None)
        found = {age: top if band.kind == "open" else band for age, band in found.items()}
    return found


def levels(ages: Iterable[object]) -> pd.DataFrame:
    """How bands lie in each other -> age, first, last (empty: and over), kind, level.

    level: 0 for the total and for a band in no other, 1 for a band in one of level 0 and so on: beside a total 0-14 is 1 and 0-4 is 2.
    Bands of one level may still overlap in part; `overlaps` names those.
    """
    known = bands(ages)
    rows = []
    for age, band in known.items():
        around = sum(_inside(band, other) for other in known.values()) if band.kind != "unknown" else sum(
            other.kind == "total" for other in known.values())  # fmt: skip
        rows.append((age, band.first, band.last, band.kind, around))
    out = pd.DataFrame(rows, columns=["age", "first", "last", "kind", "level"])
    out["last"] = out["last"].astype("Int64")
    return out.sort_values(["level", "first", "age"], na_position="first").reset_index(drop=True)


def _inside(band: AgeBand, other: AgeBand) -> bool:
    if other.kind == "unknown" or band is other:
        return False
    if other.kind == "total":
        return band.kind != "total"
    return (
        band.kind == "band" and other.first <= band.first and band.end <= other.end and (band.first, band.end) != (other.first, other.end)
    )


def overlaps(ages: Iterable[object]) -> tuple[tuple[str, str], ...]:
    """Pairs of ages that count the same people, by name: the total and any part, and bands that share a year. `all ages` is the total."""
    known = sorted(bands(ages).items(), key=lambda one: (one[1].kind != "total", one[1].first, one[1].end, str(one[0])))
    pairs = []
    for place, (age, band) in enumerate(known):
        for later, other in known[place + 1 :]:
            if "unknown" in (band.kind, other.kind) and "total" not in (band.kind, other.kind):
                continue
            if "total" in (band.kind, other.kind) or other.first < band.end:
                pairs.append((_named(age), _named(later)))
    return tuple(pairs)


def _named(age: object) -> str:
    return "all ages" if age is None else str(age)


@dataclass(frozen=True, slots=True)
class Partition:
    """One choice of bands. rows: those that count everybody once; left_out: the others; both with the columns and the index given."""

    rows: pd.DataFrame
    left_out: pd.DataFrame


def partition(frame: pd.DataFrame, *, age: str = "age", by: Sequence[str] = ()) -> Partition:
    """The rows of one set of age bands that do not overlap, in each group.

    by: columns of the groups; a country with other bands than its neighbour has its own choice. All are taken where nothing overlaps.
    Where bands overlap, the finest is taken that covers what all of them cover, without gap; with a total at hand that is all ages,
    and where the parts do not reach from 0 to an open end, the total is taken. Unknown ages go with parts and not with a total.
    Errors: DataError for an age that is none, or bands that overlap and of which no set covers all: two of them are named.
    """
    if age not in frame.columns:
        raise DataError(f"the table has no column {age!r}", mend="name the column of ages: age='...'")
    if not len(frame):
        return Partition(frame, frame)
    groups = [frame.index] if not by else [part.index for _, part in frame.groupby(list(by), dropna=False, sort=False)]
    if not frame.index.is_unique:
        raise DataError("the table's index repeats", mend="reset_index(drop=True) first")
    taken = pd.Series(False, index=frame.index)
    for index in groups:
        column = frame.loc[index, age]
        ages = frozenset(None if pd.isna(one) else str(one) for one in column.unique())
        chosen = _chosen(ages)
        taken.loc[index] = [(None if pd.isna(one) else str(one)) in chosen for one in column]
    return Partition(frame[taken], frame[~taken])


@cache
def _chosen(ages: frozenset[str | None]) -> frozenset[str | None]:
    known = bands(ages)
    parts = {name: band for name, band in known.items() if band.kind in ("band", "open")}
    unknown = {name for name, band in known.items() if band.kind == "unknown"}
    total = {name for name, band in known.items() if band.kind == "total"}
    clash = overlaps(parts)
    if not total and not clash:
        return frozenset((*parts, *unknown))  # type: ignore[arg-type]
    wanted = (0.0, np.inf) if total else (min(band.first for band in parts.values()), max(band.end for band in parts.values()))
    chain = _finest(parts, *wanted)
    if chain is not None:
        return frozenset((*chain, *unknown))  # type: ignore[arg-type]
    if total:
        return frozenset(total)  # type: ignore[arg-type]
    first, second = clash[0]
    raise DataError(
        f"the age bands {first} and {second} overlap, and no set of the bands covers all of them once",
        mend="leave out the bands that are not wanted",
    )


def _finest(parts: dict[object, AgeBand], first: float, end: float) -> tuple[object, ...] | None:
    """The longest chain of bands, each beginning where the one before ends."""
    best: dict[float, tuple[object, ...]] = {first: ()}
    for name, band in sorted(parts.items(), key=lambda one: (one[1].end, one[1].first, str(one[0]))):
        if band.first in best:
            chain = (*best[band.first], name)
            if len(chain) > len(best.get(band.end, ())):
                best[band.end] = chain
    return best.get(end) or None
