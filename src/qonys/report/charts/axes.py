"""Scales, ticks and axes: numbers and time on the sheet, and labels that keep clear of each other."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qonys.core.errors import DesignError
from qonys.report.charts.theme import AXIS, GRID, INK, SOFT, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.report.charts.draw import Sheet


@dataclass(frozen=True, slots=True)
class Linear:
    """A straight scale from numbers to pixels; `scale(low)` is `start`, `scale(high)` is `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        span = self.high - self.low or 1.0
        return self.start + (value - self.low) / span * (self.stop - self.start)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers, about `count` of them, the first at or below `low` and the last at or above `high`, with little room to spare.

    >>> ticks(-3, 17, 4)
    [-5.0, 0.0, 5.0, 10.0, 15.0, 20.0]
    """
    span = high - low or abs(high) or 1.0
    power = math.floor(math.log10(span / max(count, 1)))

    def series(step: float) -> list[float]:
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        return [round(place * step, 10) + 0.0 for place in range(first, max(last, first + 1) + 1)]

    some = [series(mark * 10.0 ** (power + shift)) for shift in (0, 1) for mark in (1, 2, 2.5, 5)]
    return min(some, key=lambda marks: ((marks[-1] - marks[0]) / span + 0.12 * abs(len(marks) - 1 - count), len(marks)))


def tick_texts(values: Sequence[float], locale: str) -> list[str]:
    """Ticks as a reader of this language writes numbers, all with the decimals that the finest needs."""
    from babel.numbers import format_decimal

    decimals = next((n for n in range(8) if all(abs(round(v, n) - v) < 1e-9 for v in values)), 8)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return [format_decimal(value, format=pattern, locale=locale).replace("-", "−") for value in values]


def moment(value: object) -> tuple[float, float | None]:
    """Place in time as years with a fraction, and the length of the period: a year or month stands at its middle, a day has none.

    >>> moment(2020), moment("2020-07")[1] == 1 / 12
    ((2020.5, 1.0), True)
    """
    text = str(value).strip()
    if re.fullmatch(r"\d{4}(\.0)?", text):
        return int(text[:4]) + 0.5, 1.0
    if re.fullmatch(r"\d{4}-\d{2}", text):
        return int(text[:4]) + (int(text[5:]) - 0.5) / 12, 1 / 12
    try:
        day = dt.date.fromisoformat(text[:10])
    except ValueError:
        raise DesignError(f"{text!r} is no year, month or day", mend="write 2020, 2020-03 or 2020-03-16") from None
    return day.year + (day.timetuple().tm_yday - 1) / (366 if calendar.isleap(day.year) else 365), None


def value_axis(sheet: Sheet, scale: Linear, marks: Sequence[float], left: float, right: float, locale: str, size: float) -> None:
    """Level grid lines with their numbers to the left; zero is drawn stronger where it lies inside."""
    for value, text in zip(marks, tick_texts(marks, locale), strict=True):
        y = scale(value)
        sheet.line([(left, y), (right, y)], AXIS if value == 0 else GRID, width=1)
        sheet.text(left - 6, y, text, size, colour=SOFT, align="right")


def number_axis(sheet: Sheet, scale: Linear, marks: Sequence[float], zones: Sequence[tuple[float, float]], locale: str, size: float
                ) -> None:  # fmt: skip
    """Upright grid lines through these zones (top, bottom), with their numbers below the last."""
    for value, text in zip(marks, tick_texts(marks, locale), strict=True):
        x, half = scale(value), text_width(text, size) / 2
        for top, bottom in zones:
            if bottom - top > 4:
                sheet.line([(x, top), (x, bottom)], AXIS if value == 0 else GRID)
        sheet.text(min(max(x, half), sheet.width - half), zones[-1][1] + 5, text, size, colour=SOFT, align="center", stand="top")


def time_axis(sheet: Sheet, scale: Linear, y: float, locale: str, size: float, *, above: bool = False, grid: float | None = None) -> float:
    """Years under (or above) a line, or months with their years where there is room. Returns the height it takes.

    A year's number stands under the middle of the year, so that ticks are its first days. `grid` draws light lines up to there.
    """
    way = -1 if above else 1
    pixels = (scale.stop - scale.start) / (scale.high - scale.low)
    left, right = scale.start, scale.stop
    years = range(math.floor(scale.low), math.ceil(scale.high - 1e-9))
    sheet.line([(left, y), (right, y)], AXIS)
    room = text_width("0000", size) + 10
    months = _month_names(locale)
    each = next((n for n in (1, 2, 3, 6) if n * pixels / 12 >= max(text_width(m, size) for m in months) + 8), None)
    by_month = each is not None and pixels >= 3.4 * room
    step = next(n for n in (1, 2, 5, 10, 20, 25, 50, 100) if n * pixels >= room or n == 100)
    if by_month and each is not None:
        for month in range(math.floor(scale.low * 12 + 1e-6), math.ceil(scale.high * 12 - 1e-6)):
            x0, x1 = scale(month / 12), scale((month + 1) / 12)
            if x0 >= left - 0.5:
                sheet.line([(x0, y), (x0, y + way * 4)], AXIS)
            name = months[month % 12]
            at = max((x0 + x1) / 2 - text_width(name, size) / 2, x0 + 3, left + 3)  # a name wider than its month starts at the tick
            if (month % 12) % each == 0 and at + text_width(name, size) <= min(scale((month + each) / 12), sheet.width):
                sheet.text(at, y + way * 6, name, size, colour=SOFT, stand="bottom" if above else "top")
    deep = 6 + size * 1.2 if by_month else 6
    for year in years:
        x0, x1 = max(scale(year), left), min(scale(year + 1), right)
        if scale(year) >= left - 0.5 and (pixels >= 7 or year % step == 0):
            sheet.line([(x0, y), (x0, y + way * (deep + size if by_month else 5 if pixels >= 7 and year % step else 7))], AXIS)
            if grid is not None and year % step == 0:
                sheet.line([(x0, y), (x0, grid)], GRID)
        middle = (x0 + x1) / 2 if step == 1 else scale(year + 0.5)
        fits = x1 - x0 >= room - 10 if step == 1 else left <= middle and middle + room / 2 - 4 <= sheet.width
        if (by_month or year % step == 0) and fits:
            ink = INK if by_month else SOFT
            sheet.text(middle, y + way * (deep + 1), str(year), size, colour=ink, align="center", stand="bottom" if above else "top")
    return deep + 1 + size * 1.2


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Centres nearest to those wanted at which things of these sizes do not overlap and stay between `low` and `high`.

    >>> spread([5.0, 6.0, 30.0], [10.0, 10.0, 10.0], 0.0, 40.0)
    [5.0, 15.0, 30.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    groups: list[tuple[list[int], float]] = []  # members in order, first edge

    def first_edge(members: list[int]) -> float:
        offset, total = 0.0, 0.0
        for i in members:
            total += wanted[i] - sizes[i] / 2 - offset
            offset += sizes[i]
        return max(low, min(total / len(members), high - offset))

    for i in order:
        members, edge = [i], first_edge([i])
        while groups and groups[-1][1] + sum(sizes[j] for j in groups[-1][0]) > edge + 1e-9:
            members = groups.pop()[0] + members
            edge = first_edge(members)
        groups.append((members, edge))
    out = [0.0] * len(wanted)
    for members, edge in groups:
        for i in members:
            out[i] = edge + sizes[i] / 2
            edge += sizes[i]
    return out


def _month_names(locale: str) -> list[str]:
    from babel.dates import get_month_names

    names = get_month_names("abbreviated", context="stand-alone", locale=locale)
    return [str(names[month]) for month in range(1, 13)]
