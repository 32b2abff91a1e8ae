"""The pace of a border: how fast stays end, beside how fast they ended at the same time of earlier years.

A closed border stops the clock of everybody behind it: a visitor who has been in the country for two hundred days because no train leaves
is no more an immigrant than on the day the trains stopped. So time is counted as the border ran: a month in which stays ended at a tenth
of the usual rate counts as three days. The pace is an indirectly standardised ratio: crossings that ended a stay in a month over those
expected, had the stays of each length ended at the rate of the same month in earlier years (the median of up to three, so that one odd year
does not become the norm). Operational time in the sense of actuaries: Taylor (1986), Claims Reserving in Non-Life Insurance.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LENGTHS = (0, 7, 30, 90, 180, 365)  # days: stays from one bound to the next end at about one rate
EARLIER_YEARS = 3
SLOWEST, FASTEST = 0.02, 20.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of each month, and time as the border ran.

    first: the day from which time is counted, in days since 1970; ratio: side (0 inside, 1 outside) x month; clock: side x day: days run
    from `first` to the start of the day.
    """

    first: int
    first_month: int
    ratio: NDArray[np.float64]
    clock: NDArray[np.float64]

    def between(self, side: NDArray[np.int8], start: NDArray[np.int32], end: NDArray[np.int32]) -> NDArray[np.float64]:
        """Days run between two days on a side of the border."""
        last = self.clock.shape[1] - 1
        run: NDArray[np.float64] = (
            self.clock[side, np.clip(end - self.first, 0, last)] - self.clock[side, np.clip(start - self.first, 0, last)]
        )
        return run

    def disturbed(self, month: int, months: int) -> float:
        """Mean distance from the usual pace in the months that end with one, as a log ratio: 0 where all was as usual."""
        place = month - self.first_month + 1
        recent = self.ratio[:, max(place - months, 0) : max(place, 0)]
        return float(np.abs(np.log(recent)).mean()) if recent.size else 0.0


def month_of(day: NDArray[np.int32]) -> NDArray[np.int32]:
    """Months since January 1970 of days since 1970."""
    months: NDArray[np.int32] = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int32)
    return months


def pace(starts: NDArray[np.int64], day: NDArray[np.int32], exits: NDArray[np.int8], end: int) -> Pace:
    """The pace of every month to the day `end`, from crossings by person and time.

    starts: first row of each person, and the number of rows; day: days since 1970; exits: 0 entry, 1 exit. Months without earlier years to
    compare with have the pace 1.
    """
    first = int(day.min())
    days = end - first + 1
    month = month_of(np.arange(first, end + 1, dtype=np.int32))
    place = month - month[0]
    months = int(place[-1]) + 1
    over = np.append(day[1:], end + 1)  # who is still there was exposed on the last day too
    ended = np.ones(len(day), dtype=bool)
    ended[starts[1:] - 1] = False
    over[starts[1:] - 1] = end + 1
    bounds = (*LENGTHS, days + 1)
    ratio = np.ones((2, months))
    for side in (0, 1):
        mine = exits == side
        start, stop, seen = day[mine] - first, over[mine] - first, ended[mine]
        exposed, events = np.zeros((len(LENGTHS), months)), np.zeros((len(LENGTHS), months))
        for row, (low, high) in enumerate(pairwise(bounds)):
            begins, stops = start + low, np.minimum(stop, start + high)
            there = begins < stops
            change = np.bincount(begins[there], minlength=days + 1) - np.bincount(stops[there], minlength=days + 1)
            exposed[row] = np.bincount(place, weights=np.cumsum(change)[:days], minlength=months)
            here = seen & (stop - start >= low) & (stop - start < high)
            events[row] = np.bincount(place[stop[here]], minlength=months)
        ratio[side] = _standardised(events, exposed)
    clock = np.zeros((2, days + 1))
    clock[:, 1:] = np.cumsum(ratio[:, place], axis=1)
    return Pace(first, int(month[0]), ratio, clock)


def _standardised(events: NDArray[np.float64], exposed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Events of each month over those expected at the rates of the same month of earlier years."""
    rate = events / np.maximum(exposed, 1.0)
    ratio = np.ones(events.shape[1])
    for month in range(12, events.shape[1]):
        earlier = rate[:, [month - 12 * year for year in range(1, EARLIER_YEARS + 1) if month >= 12 * year]]
        expected = float(np.median(earlier, axis=1) @ exposed[:, month])
        if expected > 0:
            ratio[month] = float(np.clip(events[:, month].sum() / expected, SLOWEST, FASTEST))
    return ratio
