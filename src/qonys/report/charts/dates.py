"""Days along a chart: their axis, which names the year wherever it changes, and names above stretches of it."""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise
from typing import TYPE_CHECKING

from qonys.core.errors import DesignError
from qonys.report.charts.axes import Linear, spread
from qonys.report.charts.draw import LEADING, Sheet
from qonys.report.charts.theme import AXIS, GRID, INK, SOFT, Layout, text_width, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

_COUNTS = {"day": (1, 2, 7, 14), "month": (1, 2, 3, 6), "year": (1, 2, 5, 10, 20, 50, 100, 500)}
_DAYS = {"day": 1, "month": 30, "year": 365}
_GAP = 10.0
SPARE = 1.08
"""How much wider than `theme.text_width` plans a text may be: DejaVu Sans Bold is, which a page without other faces falls back to."""


def day_number(value: object) -> int:
    """The number of a day, counted from the first of January of the year 1; `DesignError` for what is no ISO day.

    >>> day_number("2020-03-17") - day_number("2020-03-16")
    1
    """
    try:
        return dt.date.fromisoformat(str(value).strip()[:10]).toordinal()
    except ValueError:
        raise DesignError(f"{value!r} is no day", mend="write the day as 2020-03-16") from None


def date_ticks(x: Linear, locale: str, size: float, *, room: float = 0.0) -> list[tuple[int, str]]:
    """Days with their words, as many as stand beside each other (at least `room` pixels apart): days, Mondays, or first days of months.

    `x` is a scale of day numbers. The first day is named before the first month where it has room.
    """
    pixels = (x.stop - x.start) / (x.high - x.low)
    for unit, count in ((unit, count) for unit, counts in _COUNTS.items() for count in counts):
        if count * _DAYS[unit] * pixels < _GAP:
            continue
        found = [(day, _name(day, unit, locale)) for day in _marks(x, unit, count)]
        places = [_inside(x(day), text_width(text, size), x.stop + size) for day, text in found]
        needed = [max(room, (text_width(a, size) + text_width(b, size)) / 2) + _GAP for (_, a), (_, b) in pairwise(found)]
        if found and all(b - a >= least for (a, b), least in zip(pairwise(places), needed, strict=True)):
            first = (math.ceil(x.low), _name(math.ceil(x.low), "day", locale))
            before = max(room, text_width(first[1] + found[0][1], size) / 2) + _GAP
            return [first, *found] if unit == "month" and places[0] - x.start >= before else found
    return [(math.ceil(x.low), _name(math.ceil(x.low), "day", locale))]


def date_axis(sheet: Sheet, x: Linear, top: float, bottom: float, locale: str, size: float, *, marks: Sequence[tuple[int, str]]) -> float:
    """The days of `marks` under a plot, with light lines up to `top` and each year under its first day; returns the height it takes."""
    sheet.line([(x.start, bottom), (x.stop, bottom)], AXIS)
    year, edge, years = None, 0.0, False
    for day, text in marks:
        sheet.line([(x(day), top), (x(day), bottom)], GRID)
        sheet.line([(x(day), bottom), (x(day), bottom + 4)], AXIS)
        at = _inside(x(day), text_width(text, size), x.stop + size)
        sheet.text(at, bottom + 6, text, size, colour=SOFT, align="center", stand="top")
        own = str(dt.date.fromordinal(day).year)
        start = at - text_width(own, size) / 2
        if own not in (year, text) and start >= edge:
            sheet.text(at, bottom + 6 + size * LEADING, own, size, colour=INK, align="center", stand="top")
            edge, years = start + text_width(own, size) + _GAP / 2, True
        year = own
    return 6 + size * LEADING * (2 if years else 1)


def names_above(sheet: Sheet, x: Linear, spans: Sequence[tuple[float, float, str]], y: float, layout: Layout) -> float:
    """Names above stretches (start, stop, words) of a scale, each with a leader to the middle of its own; returns where the plot may start.

    Where they do not fit beside each other, numbers stand there and the names below one another on top.
    """
    size = layout.small
    shown = sorted((span for span in spans if span[2].strip()), key=lambda span: (span[0] + span[1], span[2]))
    if not shown:
        return y
    middles = [x((start + stop) / 2) for start, stop, _ in shown]
    tried = ([wrap(label, room, size) for *_, label in shown] for room in (220, 180, 150, 125, 105, 90, 78))
    texts = next((lines for lines in tried if sum(SPARE * widest(one, size) + 10 for one in lines) <= sheet.width), None)
    if texts is None:
        for place, (*_, label) in enumerate(shown):
            lines = wrap(label, sheet.width - 24, size)
            sheet.text(0, y, str(place + 1), size, colour=INK, stand="top", bold=True)
            sheet.text(20, y, lines, size, colour=SOFT, stand="top")
            y += len(lines) * size * LEADING + 3
        y, texts = y + 3, [[str(place + 1)] for place in range(len(shown))]
    centres = spread(middles, [SPARE * widest(lines, size) + 10 for lines in texts], 0, sheet.width)
    foot = y + max(len(lines) for lines in texts) * size * LEADING
    for middle, centre, lines in zip(middles, centres, texts, strict=True):
        sheet.text(centre, foot, lines, size, colour=INK, align="center", stand="bottom")
        sheet.line([(centre, foot + 2), (middle, foot + 8), (middle, foot + 12)], AXIS)
    return foot + 12


def _inside(at: float, width: float, right: float) -> float:
    return min(max(at, width / 2), right - width / 2)


def _marks(x: Linear, unit: str, count: int) -> list[int]:
    first, last = math.ceil(x.low), min(math.floor(x.high), dt.date.max.toordinal())
    if unit == "day":
        return [day for day in range(first, last + 1) if (day - 1) % count == 0]  # day 1 was a Monday
    months = count * (12 if unit == "year" else 1)
    low, high = (date.year * 12 + date.month - 1 for date in (dt.date.fromordinal(first), dt.date.fromordinal(last)))
    days = [dt.date(month // 12, month % 12 + 1, 1).toordinal() for month in range(low, high + 1) if month % months == 0]
    return [day for day in days if first <= day <= last]


def _name(day: int, unit: str, locale: str) -> str:
    from babel.dates import format_date, format_skeleton

    date = dt.date.fromordinal(day)
    if unit == "year":
        return str(date.year)
    return str(format_skeleton("MMMd", date, locale=locale) if unit == "day" else format_date(date, "LLL", locale=locale))
