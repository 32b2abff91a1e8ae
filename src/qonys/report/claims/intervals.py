"""Closed intervals of decimals: what a printed number may stand for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

INFINITE = Decimal("Infinity")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Interval:
    """All values from `low` to `high`, both included; `high` may be infinite.

    >>> Interval(Decimal(1), Decimal(2)).overlaps(Interval(Decimal(2), Decimal(5)))
    True
    """

    low: Decimal
    high: Decimal

    def overlaps(self, other: Interval) -> bool:
        """Whether some value lies in both."""
        return self.low <= other.high and other.low <= self.high

    def holds(self, value: Decimal) -> bool:
        """Whether the value lies inside."""
        return self.low <= value <= self.high

    def times(self, factor: Decimal) -> Interval:
        """The interval multiplied by a positive number."""
        return Interval(self.low * factor, self.high * factor)

    @property
    def open(self) -> bool:
        """Whether there is no upper end, as in "more than forty"."""
        return self.high == INFINITE


def add(intervals: Iterable[Interval]) -> Interval:
    """The sum of intervals, end by end."""
    low, high = ZERO, ZERO
    for each in intervals:
        low, high = low + each.low, high + each.high
    return Interval(low, high)


def divide(upper: Interval, lower: Interval) -> Interval:
    """Every ratio of a value of `upper` to a value of `lower`; both are taken as not negative."""
    low = ZERO if lower.open or lower.high <= 0 else max(upper.low, ZERO) / lower.high
    high = INFINITE if upper.open or lower.low <= 0 else upper.high / lower.low
    return Interval(low, high)
