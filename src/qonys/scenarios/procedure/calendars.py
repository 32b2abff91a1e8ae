"""Working time: which days an agency is open, and how far a piece of work reaches over the days that it is closed.

An open day is open for its 24 hours: the day is the unit of work, not the hour. Working days are those of the country, with its holidays
and the weekends made up for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qonys.core.errors import DesignError, nearest
from qonys.scenarios.procedure.durations import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Days from an origin on, open or closed. Instants are ticks since the origin's midnight, work is ticks of open time.

    open_before: of each day and of the end, how many days before it are open. open_day: the day of each open day.
    """

    open_before: NDArray[np.int64]
    open_day: NDArray[np.int64]

    @staticmethod
    def of(is_open: NDArray[np.bool_]) -> Calendar:
        """The calendar with these days open."""
        return Calendar(np.concatenate(([0], np.cumsum(is_open))), np.flatnonzero(is_open))

    @property
    def days(self) -> int:
        """How many days it covers."""
        return len(self.open_before) - 1

    def worked(self, instant: NDArray[np.int64]) -> NDArray[np.int64]:
        """Open time from the origin to each instant, which lies within the days covered or at their end."""
        if len(self.open_day) == self.days:
            return instant
        day, rest = np.divmod(instant, DAY)
        ahead = self.open_before[np.minimum(day + 1, self.days)] - self.open_before[day]
        found: NDArray[np.int64] = self.open_before[day] * DAY + ahead * rest
        return found


def known_country(country: str) -> None:
    """Errors: DesignError for a country whose holidays are not known."""
    import holidays

    known = [one for one in holidays.list_supported_countries() if len(one) == 3]
    if country not in known:
        three = len(country) == 3  # KZ is nearer to KGZ than to KAZ
        mend = nearest(country, known) if three else "countries have the three letters of ISO 3166-1, such as KAZ"
        raise DesignError(f"the holidays of country {country!r} are not known", mend=mend)


def working_years(country: str) -> tuple[int, int]:
    """First and last year whose holidays are known."""
    import holidays

    found = holidays.country_holidays(country)
    return found.start_year, found.end_year


def open_days(origin: date, days: int, *, country: str | None, closed: Iterable[date] = ()) -> NDArray[np.bool_]:
    """Of each of so many days from the origin on: is it open?

    country: open on the working days of the country (ISO 3166-1 alpha-3); None: every day. closed: days that are closed besides.
    Errors: DesignError for years whose holidays are not known.
    """
    if country is None:
        found = np.ones(days, bool)
    else:
        last = origin + timedelta(days - 1)
        first_known, last_known = working_years(country)
        if origin.year < first_known or last.year > last_known:
            raise DesignError(
                f"the holidays of {country} are known from {first_known} to {last_known}, and {origin} to {last} are asked for",
                mend="move the first day of the cohort",
            )
        years = np.concatenate([_working_year(country, year) for year in range(origin.year, last.year + 1)])
        before = (origin - date(origin.year, 1, 1)).days
        found = years[before : before + days].copy()
    for day in closed:
        place = (day - origin).days
        if 0 <= place < days:
            found[place] = False
    return found


@lru_cache(maxsize=1024)
def _working_year(country: str, year: int) -> NDArray[np.bool_]:
    import holidays

    known = holidays.country_holidays(country, years=[year])
    first = date(year, 1, 1)
    return np.array([known.is_working_day(first + timedelta(day)) for day in range((date(year + 1, 1, 1) - first).days)])
