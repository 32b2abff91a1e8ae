"""Shares that move in steps, with their bands: who is still there, what has been decided, who is home."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError
from qonys.report.charts.axes import Linear, number_axis, spread, tick_texts, ticks, value_axis
from qonys.report.charts.dates import SPARE, date_axis, date_ticks, day_number, names_above
from qonys.report.charts.draw import LEADING, Sheet
from qonys.report.charts.series import caption
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import INK, SOFT, Layout, ink_of, series_colour, text_width, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

_MOST = 6
_PERCENTS = (0.0, 20.0, 40.0, 60.0, 80.0, 100.0)


@dataclass(frozen=True, slots=True)
class _Line:
    label: str
    colour: str
    points: list[dict[str, Any]]

    @property
    def end(self) -> dict[str, Any]:
        """The last step whose value is known."""
        return [point for point in self.points if point["value"] is not None][-1]

    def at(self, place: float) -> float | None:
        """The value that holds at a place; none before the first row, past the last or where it is missing."""
        held = [point["value"] for point in self.points if point["x"] <= place]
        return held[-1] if held and place <= self.points[-1]["x"] else None


def step_lines(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, x_label: str, number_format: Callable[[float], str],
    mark_x: object = None, mark_label: str = "", at_risk_label: str = "", x_step: float | None = None, locale: str = "en",
) -> Chart:  # fmt: skip
    """Up to six shares in percent that change in steps, named at their ends (or in a key where the names are too long for that).

    Bands and, below, how many are still observed are drawn where they are given.

    rows: line (its word), x (a number such as days, or an ISO day), value (0 to 100; none: not known until the next row); low, high: the
    band, none where either is missing; at_risk: how many are observed just before x. A value holds until the next x of its line, and
    the last at that x only. At a tick stands the at_risk of the first row at or after it, and nothing past the last row.
    mark_x, mark_label: an upright line, such as the legal limit; the value printed with a name is then that at the mark, where a dot
    stands, and none where it is not known there; without a mark it is the last. x_step: ticks are multiples of it, such as 12 months.
    """
    table = records(rows, "line", "x", "value", prefix=prefix, optional=("low", "high", "at_risk"))
    refuse_without_values([row["value"] for row in table], prefix)
    dated = isinstance(table[0]["x"], str) or hasattr(table[0]["x"], "year")
    lines = _lines(table, dated, prefix)
    if x_step is not None and not 0 < x_step < math.inf:
        raise DesignError(f"chart {prefix!r} has ticks every {x_step!r}", mend="give a number above 0, or none")
    mark = None if mark_x is None else _place(mark_x, dated, f"chart {prefix!r}: the mark")
    places = [point["x"] for line in lines for point in line.points] + ([] if mark is None else [mark])
    counted = any(point["at_risk"] is not None for line in lines for point in line.points)

    def draw(layout: Layout) -> Sheet:
        sheet, size = Sheet(layout.width), layout.small
        names = [wrap(line.label, 92 if layout.narrow else 190, layout.label, bold=True) for line in lines]
        told = [line.end["value"] if mark is None else line.at(mark) for line in lines]
        tall = sum((len(name) + 1) * layout.label * LEADING + 4 for name in names)
        usual = 210.0 if layout.narrow else 270.0
        keyed = tall > 1.4 * usual or widest([word for name in names for word in name], layout.label, bold=True) > 0.4 * layout.width
        values = ["" if value is None else number_format(value) for value in told]
        ends = [] if keyed else [(name, [value] if value else []) for name, value in zip(names, values, strict=True)]
        key = [(line.colour, f"{line.label}: {value}" if value else line.label) for line, value in zip(lines, values, strict=True)]
        left = widest(tick_texts(_PERCENTS, locale), size) + 10
        right = layout.width - SPARE * widest([word for name, value in ends for word in (*name, *value)], layout.label, bold=True) - 15
        x = Linear(min(places), max(max(places), min(places) + 1), left, right)
        top = caption(sheet, unit, layout, key if keyed else [])
        if mark is not None:
            top = names_above(sheet, x, [(mark, mark, mark_label)], top - 6, layout)
        bottom = top + (usual if keyed else max(usual, tall))
        y = Linear(0.0, 100.0, bottom, top)
        value_axis(sheet, y, _PERCENTS, left, right, locale, size)
        if dated:
            days = date_ticks(x, locale, size, room=_widest_count(lines, locale, size))
            marks = [float(day) for day, _ in days]
            under = bottom + date_axis(sheet, x, top, bottom, locale, size, marks=days)
        else:
            marks = _number_ticks(x, lines, x_step, layout, locale)
            number_axis(sheet, x, marks, [(top, bottom)], locale, size)
            under = bottom + 5 + size * LEADING
        for line in lines:
            for run in _runs(line.points, "low", "high"):
                sheet.band([(x(at), y(low), y(high)) for at, (low, high) in run], line.colour, opacity=0.16)
        for line in lines:
            ways = _runs(line.points, "value")
            for way in ways:
                sheet.line([(x(at), y(value)) for at, (value,) in way], line.colour, width=2.2)
            if mark is None or not ways:
                sheet.dot(x(line.end["x"]), y(line.end["value"]), 3.2, line.colour, width=0.8)
        if mark is not None:
            sheet.line([(x(mark), top), (x(mark), bottom)], INK, width=1.3, dash=(5, 3))
            for line, value in zip(lines, told, strict=True):
                if value is not None:
                    sheet.dot(x(mark), y(value), 4, line.colour)
        if not keyed:
            _end_names(sheet, lines, ends, x, y, layout)
        words = wrap(x_label, right - left, size)
        sheet.text((left + right) / 2, under + 2, words, size, colour=SOFT, align="center", stand="top")
        sheet.height = under + 2 + len(words) * size * LEADING + 6
        if counted:
            _at_risk(sheet, lines, marks, x, at_risk_label, layout, locale)
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _lines(table: list[dict[str, Any]], dated: bool, prefix: str) -> list[_Line]:
    """The rows by line, in order of x, each checked."""
    out: dict[str, list[dict[str, Any]]] = {}
    for row in table:
        where = f"chart {prefix!r}: {row['line']!r} at {row['x']}"
        if row["line"] is None:
            raise DesignError(f"chart {prefix!r} has a row at {row['x']} without a line", mend="name its line")
        known = [row[name] for name in ("low", "value", "high") if row[name] is not None]
        if any(isinstance(number, bool) or not isinstance(number, int | float) or not -1e-9 <= number <= 100 + 1e-9 for number in known):
            raise DesignError(f"{where} has {', '.join(map(str, known))}", mend="give percents between 0 and 100")
        if known != sorted(known):
            raise DesignError(f"{where} is not between its low and its high: {', '.join(map(str, known))}", mend="mend the row")
        out.setdefault(str(row["line"]), []).append({**row, "x": _place(row["x"], dated, where)})
    if len(out) > _MOST:
        raise DesignError(f"chart {prefix!r} has {len(out)} lines, and more than {_MOST} cannot be told apart", mend="draw two charts")
    if max(row["value"] for row in table if row["value"] is not None) == 1:
        raise DesignError(f"chart {prefix!r} has values up to 1: they look like shares", mend="multiply them by 100, into percents")
    for label, points in out.items():
        points.sort(key=lambda point: point["x"])
        if any(a["x"] == b["x"] for a, b in pairwise(points)):
            raise DesignError(f"chart {prefix!r}: {label!r} has two values at one place", mend="keep one row for each line and x")
    kept = [(label, points) for label, points in out.items() if any(point["value"] is not None for point in points)]
    return [_Line(label, series_colour(place), points) for place, (label, points) in enumerate(kept)]


def _place(value: Any, dated: bool, where: str) -> float:
    if dated:
        return float(day_number(value))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DesignError(f"{where} is no number on an axis of numbers", mend="give all places as numbers, or all as days like 2020-03-16")
    return float(value)


def _runs(points: list[dict[str, Any]], *names: str) -> list[list[tuple[float, tuple[float, ...]]]]:
    """Unbroken stretches as corners of steps: each value from its place to the next one."""
    out: list[list[tuple[float, tuple[float, ...]]]] = [[]]
    for place, point in enumerate(points):
        values = tuple(point[name] for name in names)
        if None in values:
            out.append([])
            continue
        until = points[min(place + 1, len(points) - 1)]["x"]
        out[-1] += [(point["x"], values), (until, values)]
    return [run for run in out if len(run) > 1 and run[0][0] < run[-1][0]]


def _number_ticks(x: Linear, lines: list[_Line], step: float | None, layout: Layout, locale: str) -> list[float]:
    """Round numbers, or multiples of a step, within the axis that stand beside each other, the numbers at risk below them too."""
    room = _widest_count(lines, locale, layout.small)
    for count in range(5 if layout.narrow else 9, 0, -1):
        wide = step * math.ceil((x.high - x.low) / step / count) if step else 0.0
        even = [wide * place for place in range(math.ceil(x.low / wide), math.floor(x.high / wide) + 1)] if wide else []
        marks = even or [mark for mark in ticks(x.low, x.high, count) if x.low <= mark <= x.high]
        least = max(room, widest(tick_texts(marks, locale), layout.small)) + 8
        if all(x(b) - x(a) >= least for a, b in pairwise(marks)):
            break
    return marks


def _widest_count(lines: list[_Line], locale: str, size: float) -> float:
    counts = [float(point["at_risk"]) for line in lines for point in line.points if point["at_risk"] is not None]
    return widest(tick_texts(counts, locale), size) if counts else 0.0


def _end_names(sheet: Sheet, lines: list[_Line], ends: list[tuple[list[str], list[str]]], x: Linear, y: Linear, layout: Layout) -> None:
    """Each line named at the height of its end, moved apart where two come close, with a thin leader then.

    Lines that end at one spot are named in the order in which they came there, each with a short stroke of its own.
    """
    size, right = layout.label, x.stop
    spots = [(x(line.end["x"]), y(line.end["value"])) for line in lines]
    means = [sum(point["value"] or 0.0 for point in line.points) / len(line.points) for line in lines]
    wanted = [height - mean * 1e-6 for (_, height), mean in zip(spots, means, strict=True)]
    talls = [(len(name) + len(value)) * size * LEADING for name, value in ends]
    centres = spread(wanted, [tall + 4 for tall in talls], y.stop - 10, y.start + 10)
    for place, (line, (name, value), (at, height), centre, tall) in enumerate(zip(lines, ends, spots, centres, talls, strict=True)):
        top = centre - tall / 2
        if any(abs(at - other) < 4 and abs(height - level) < 4 for i, (other, level) in enumerate(spots) if i != place):
            sheet.line([(right + 3, top + size * LEADING / 2), (right + 10, top + size * LEADING / 2)], line.colour, width=3)
        elif abs(centre - height) > 5 or right - at > 14:
            sheet.line([(at + 4, height), (max(right - 2, at + 5), height), (right + 9, centre)], line.colour, width=0.8, opacity=0.7)
        sheet.text(right + 13, top, name, size, colour=ink_of(line.colour), stand="top", bold=True)
        sheet.text(right + 13, top + tall, value, size, stand="bottom")


def _at_risk(sheet: Sheet, lines: list[_Line], marks: list[float], x: Linear, label: str, layout: Layout, locale: str) -> None:
    """How many are observed at each tick, a row for each line, its name above where there are several."""
    size = layout.small
    head = wrap(label, layout.width - 4, size)
    sheet.text(0, sheet.height, head, size, colour=SOFT, stand="top")
    sheet.height += len(head) * size * LEADING + 2
    for line in lines:
        if len(lines) > 1:
            name = wrap(line.label, layout.width - 4, size, bold=True)
            sheet.text(0, sheet.height, name, size, colour=ink_of(line.colour), stand="top", bold=True)
            sheet.height += len(name) * size * LEADING
        for mark in marks:
            left = next((point["at_risk"] for point in line.points if point["x"] >= mark), None)
            if left is not None:
                text = tick_texts([float(left)], locale)[0]
                sheet.text(max(x(mark), text_width(text, size) / 2), sheet.height, text, size, align="center", stand="top")
        sheet.height += size * LEADING + 3
    sheet.height += 3
