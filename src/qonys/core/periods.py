"""Dates known only in part ("2020", "2020-03"), and calendar months.

A partial date is kept as written; `earliest` and `latest` say which days it may stand for.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTIAL_DATE = r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"


def earliest(partial: str) -> date:
    """First day a partial date may stand for.

    >>> earliest("2020-03")
    datetime.date(2020, 3, 1)
    """
    year, month, day = _parts(partial)
    return _day(partial, year, month or 1, day or 1)


def latest(partial: str) -> date:
    """Last day a partial date may stand for.

    >>> latest("2020-02")
    datetime.date(2020, 2, 29)
    """
    year, month, day = _parts(partial)
    month = month or 12
    return _day(partial, year, month, day or calendar.monthrange(year, month)[1])


def whole_day(text: str) -> date:
    """The day a text names. Errors: DataError for a year, a month, or no date.

    >>> whole_day("2020-04-15")
    datetime.date(2020, 4, 15)
    """
    if earliest(text) != latest(text):
        raise DataError(f"{text!r} is no single day", mend="write it as 2020-04-15")
    return earliest(text)


def _parts(partial: str) -> tuple[int, int | None, int | None]:
    if not re.fullmatch(PARTIAL_DATE[1:-1], partial):
        raise DataError(f"{partial!r} is not a date", mend="write 2020, 2020-03 or 2020-03-16")
    numbers = [int(part) for part in partial.split("-")]
    return numbers[0], numbers[1] if len(numbers) > 1 else None, numbers[2] if len(numbers) > 2 else None


def _day(partial: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DataError(f"{partial!r} is not a day of the calendar", mend="correct the day") from None


def months(first: str, last: str) -> Iterator[str]:
    """Calendar months from `first` to `last`, both included, as "2020-03".

    >>> list(months("2020-11", "2021-01"))
    ['2020-11', '2020-12', '2021-01']
    """
    year, month = (int(part) for part in first.split("-")[:2])
    while f"{year:04d}-{month:02d}" <= last[:7]:
        yield f"{year:04d}-{month:02d}"
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def days_of_month(month: str) -> list[date]:
    """Every day of a calendar month."""
    first = earliest(month)
    return [first + timedelta(days=offset) for offset in range((latest(month) - first).days + 1)]


def period_of(day: date, by: str) -> str:
    """The period of a day: "2020-03-16" by day, the ISO week "2020-W12" by week, "2020-03" by month.

    >>> period_of(date(2021, 1, 3), "week")
    '2020-W53'
    """
    if by not in ("day", "week", "month"):
        raise DataError(f"there is no period {by!r}", mend="use day, week or month")
    if by == "week":
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"
    return day.isoformat()[: 10 if by == "day" else 7]
