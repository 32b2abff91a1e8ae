"""Columns of staged batches as columns of a contract: sexes, ages, periods, marks. Each distinct text is looked at once."""

from __future__ import annotations

import calendar
import re
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.contracts import FLAGS
from qonys.sources.harmonise.ages import age_of
from qonys.sources.harmonise.facts import facts
from qonys.sources.words import is_total, sex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TEXT = pa.string()
NONE = pa.scalar(None, TEXT)
WRONG = "\0"  # a text that says nothing; no cell of a table holds it
UNSTATED_SEX = frozenset(("unk", "_u", "u", "unknown", "nrp", "_x", "sex_x", "не указан", "не указано", "көрсетілмеген"))
UNSTATED = "\1"
PERIOD = re.compile(r"(?P<year>\d{4})(?:-(?:(?P<month>\d\d)|Q(?P<quarter>[1-4])|S(?P<half>[12])|W(?P<week>\d\d)))?(?:-(?P<day>\d\d))?")


class Marked(NamedTuple):
    """flag: one letter of the contract's; note: all of the publisher's, where one letter does not say them; status: how final it is."""

    flag: pa.Array
    note: pa.Array
    status: pa.Array


def each(cells: pa.Array, convert: Callable[[str], str | None]) -> pa.Array:
    """Each distinct text converted once; null stays null."""
    coded = cells.dictionary_encode()
    return pa.array([None if text is None else convert(text) for text in coded.dictionary.to_pylist()], TEXT).take(coded.indices)


def joined(columns: Sequence[pa.Array], between: str) -> pa.Array:
    """The texts of a row that are there, one after another; null where none is.

    Two at a time: Arrow 26 loses the rows in which all are null if it is told to skip nulls.
    """
    return reduce(lambda one, other: pc.coalesce(pc.binary_join_element_wise(one, other, between), one, other), columns)


def sex_code(text: str) -> str | None:
    """female, male or other; None for the total, UNSTATED, or WRONG for what is no sex.

    >>> sex_code("F"), sex_code("SEX_M"), sex_code("both sexes")
    ('female', 'male', None)
    """
    bare = text.strip().removeprefix("SEX_")
    if is_total(bare):
        return None
    if bare.casefold() in UNSTATED_SEX:
        return UNSTATED
    return sex("other" if bare == "O" else bare) or WRONG


def age_code(text: str) -> str | None:
    """An age as the contracts write it; None for the total, WRONG for what is no age."""
    band = age_of(text)
    return WRONG if band is None else band.code


def first_day(period: str) -> str | None:
    """The first day of an ISO period (year, half-year, quarter, month, week, day), or None.

    >>> first_day("2020-Q2"), last_day("2020-02"), first_day("2020-W01"), middle_day("2020")
    ('2020-04-01', '2020-02-29', '2019-12-30', '2020-07-01')
    """
    return _day(period, "first")


def last_day(period: str) -> str | None:
    """The last day of an ISO period, or None."""
    return _day(period, "last")


def middle_day(period: str) -> str | None:
    """The day in the middle of a year or half-year (its month that begins the second half); of a shorter period its first day."""
    return _day(period, "middle")


def panel_period(period: str) -> str | None:
    """A year, month or day as it is; the first day of a week, quarter or half-year, which are no partial dates."""
    first = _day(period, "first")
    return first if first is None or re.search("[QSW]", period) else period


def _day(period: str, which: str) -> str | None:
    found = PERIOD.fullmatch(period)
    if found is None:
        return None
    year, part = int(found["year"]), {name: int(text) for name, text in found.groupdict().items() if text}
    try:
        if "week" in part:
            return date.fromisocalendar(year, part["week"], part.get("day", 7 if which == "last" else 1)).isoformat()
        if "day" in part:
            return date(year, part["month"], part["day"]).isoformat() if "month" in part else None
        first, length = (
            (part["month"], 1) if "month" in part else (part["quarter"] * 3 - 2, 3) if "quarter" in part
            else (part["half"] * 6 - 5, 6) if "half" in part else (1, 12)
        )  # fmt: skip
        month = first + length - 1 if which == "last" else first + length // 2 if which == "middle" and length > 3 else first
        return date(year, month, calendar.monthrange(year, month)[1] if which == "last" else 1).isoformat()
    except ValueError:
        return None


def marks(cells: pa.Array, scheme: str) -> Marked:
    """A publisher's marks as flag, note and status. Of several letters the first in the contract's order is the flag, the note has all."""
    known: dict[str, str] = facts()["flags"][scheme]

    def ours(text: str) -> tuple[list[str], bool]:
        """Our letters, and whether the publisher says more than they do."""
        whole = known.get(text)
        letters = [whole] if whole is not None else [known.get(letter, "") for letter in text.replace(",", "").replace(" ", "")]
        unsaid = whole is None and any(letter not in known for letter in text.replace(",", "").replace(" ", ""))
        return sorted({letter for letter in letters if letter}, key=FLAGS.index), unsaid

    def flag(text: str) -> str | None:
        return next(iter(ours(text)[0]), None)

    def note(text: str) -> str | None:
        letters, unsaid = ours(text)
        return f"flags {text}" if unsaid or len(letters) > 1 else None

    def status(text: str) -> str:
        letters = ours(text)[0]
        return "provisional" if "p" in letters else "estimate" if {"e", "s", "f"} & set(letters) else "as_published"

    final = each(cells, status)
    return Marked(each(cells, flag), each(cells, note), final.fill_null("as_published"))
