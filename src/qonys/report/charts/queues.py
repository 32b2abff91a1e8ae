"""Waiting: persons by day while a border is closed, and the days of a procedure in which nothing is done."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError, nearest
from qonys.report.charts.axes import Linear, number_axis, tick_texts, ticks, value_axis
from qonys.report.charts.dates import SPARE, date_axis, date_ticks, day_number, names_above
from qonys.report.charts.draw import LEADING, Sheet
from qonys.report.charts.lanes import label_column
from qonys.report.charts.series import Phase, caption
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import (
    INK,
    MISSING,
    PAPER,
    SERIES,
    Layout,
    ink_on,
    series_colour,
    text_width,
    widest,
    wrap,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

_MOST = 8
_GRAIN = 2.0
"""Pixels between the places at which the room of a layer is measured."""
LOOKS: Mapping[str, str] = {"waiting": MISSING, "handling": SERIES[0], "passing": "#9ecae1", "returned": "#e7a15a"}
"""Fills of the kinds of days of a step: nobody has taken it up, an officer is at it, time passes by itself, the applicant has it."""
_EDGE = "#9aa3ad"


def stacked_days(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, closed: Sequence[Phase] = (), locale: str = "en"
) -> Chart:
    """Persons by day in up to eight layers, named inside where there is room, over the hatched spells in which a border was closed.

    rows: day (ISO), group (its word), value (persons, 0 or more). Layers lie in the order given, the first below. A group without a row
    on a day has nobody then; a day without rows, or with a value missing, is a gap. closed: days from first to last, both within.
    """
    table = records(rows, "day", "group", "value", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    groups, stack = _stack(table, prefix)
    first, last = min(stack), max(stack)
    spells = [(day_number(one.first), day_number(one.last), one.label) for one in closed]
    if any(start > stop for start, stop, _ in spells):
        raise DesignError(f"chart {prefix!r} has a closed spell that ends before it begins", mend="give its first day, then its last")
    spans = [(max(start, first) - 0.5, min(stop, last) + 0.5, label) for start, stop, label in spells if start <= last and stop >= first]
    edges = sorted({edge for start, stop, _ in spells for edge in (start - 0.5, stop + 0.5) if first <= edge <= last})
    marks = ticks(0.0, max([1.0, *(sum(values) for values in stack.values() if values is not None)]), 5)

    def draw(layout: Layout) -> Sheet:
        size = layout.small
        left, right = widest(tick_texts(marks, locale), size) + 10, layout.width - 10.0
        x = Linear(first - 0.5, last + 0.5, left, right)
        tall = 210.0 if layout.narrow else 260.0
        inside = _names_inside(groups, stack, x, tall / marks[-1], [x(edge) for edge in edges], layout)
        key = [(series_colour(place), group) for place, group in enumerate(groups) if place not in inside]
        sheet = Sheet(layout.width)
        top = names_above(sheet, x, spans, caption(sheet, unit, layout, key) - 4, layout)
        bottom = top + tall
        y = Linear(0.0, marks[-1], bottom, top)
        for start, stop, _ in spans:
            sheet.rect(x(start), top, x(stop) - x(start), bottom - top, MISSING)
        value_axis(sheet, y, marks, left, right, locale, size)
        for run in _runs(stack):
            for place in range(len(groups)):
                corners = [
                    (x(day + side), y(sum(values[:place])), y(sum(values[: place + 1]))) for day, values in run for side in (-0.5, 0.5)
                ]
                if any(low != high for _, low, high in corners):
                    sheet.band(corners, series_colour(place), opacity=0.88)
                    if x(1) - x(0) >= 2:
                        sheet.line([(at, high) for at, _, high in corners], PAPER, width=0.8)
        for edge in edges:
            sheet.line([(x(edge), top), (x(edge), bottom)], INK, width=1, dash=(4, 3))
        axis = date_axis(sheet, x, bottom, bottom, locale, size, marks=date_ticks(x, locale, size))
        for place, (centre, middle, lines) in inside.items():
            ink = ink_on(series_colour(place))
            sheet.text(centre, bottom - middle, lines, layout.label, colour=ink, align="center", bold=True)
        sheet.height = bottom + axis + 6
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def procedure_bars(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, total_label: str, kind_labels: Mapping[str, str],
    number_format: Callable[[float], str], limit: float | None = None, limit_label: str = "", totals: Mapping[str, float] | None = None,
    locale: str = "en",
) -> Chart:  # fmt: skip
    """A procedure in variants: each step a bar of days waited (hatched), handled, passing and with the applicant, beside the legal limit.

    rows: variant, step (their words), kind (a key of `LOOKS`: waiting, handling, passing, returned), start, end (days from the
    application). A stretch that has room carries its days. total_label stands before the last day of each variant, or before its
    `totals`: where rows are means, the mean of the last day is later than the last of the mean days. kind_labels: words.
    """
    table = [
        row for row in records(rows, "variant", "step", "kind", "start", "end", prefix=prefix) if None not in (row["start"], row["end"])
    ]
    refuse_without_values([row["end"] for row in table], prefix)
    _check_stretches(table, kind_labels, limit, prefix)
    variants = list(dict.fromkeys(str(row["variant"]) for row in table))
    last = max(row["end"] for row in table)
    used = [kind for kind in LOOKS if any(row["kind"] == kind for row in table)]

    def draw(layout: Layout) -> Sheet:
        sheet, size = Sheet(layout.width), layout.label
        column = label_column(list(dict.fromkeys(str(row["step"]) for row in table)), layout)
        names = dict(zip(dict.fromkeys(str(row["step"]) for row in table), column.lines, strict=True))
        left = 6.0 if column.above else column.width + 12
        furthest = max(last, limit or 0.0)
        marks = [mark for mark in ticks(0.0, furthest, 4 if layout.narrow else 7) if mark <= furthest * 1.001] or [0.0]
        x = Linear(0.0, furthest, left, layout.width - 16.0)
        y = caption(sheet, unit, layout, [(LOOKS[kind], kind_labels[kind]) for kind in used]) - 2
        zones: list[tuple[float, float]] = []
        bars: list[tuple[float, list[dict[str, Any]]]] = []
        for order, variant in enumerate(variants):
            own = [row for row in table if str(row["variant"]) == variant]
            total = f"{total_label} {number_format((totals or {}).get(variant, max(row['end'] for row in own)))}".strip()
            beside = layout.width - SPARE * text_width(total, size, bold=True) - 16
            head = wrap(variant, beside, size, bold=True)
            if SPARE * widest(head, size, bold=True) > beside or len(head) > 3:  # then the total stands below
                head = [*wrap(variant, layout.width - 4, size, bold=True), ""]
            y += 10 if order else 0
            sheet.text(0, y, head, size, stand="top", bold=True)
            y += len(head) * size * LEADING + 4
            at = y - 4 - (size * LEADING if head[-1] == "" else len(head) * size * LEADING)
            sheet.text(layout.width - 2, at, total, size, align="right", stand="top", bold=True)
            if order == 0 and limit is not None:
                y = names_above(sheet, x, [(limit, limit, limit_label)], y, layout)
            start = y
            for step in dict.fromkeys(str(row["step"]) for row in own):
                text = len(names[step]) * size * LEADING
                if column.above:
                    sheet.text(0, y, names[step], size, stand="top")
                    zones.append((y + text, y + text + 22))
                    y += text + 28
                else:
                    tall = max(24.0, text + 6)
                    sheet.text(column.width, y + tall / 2, names[step], size, align="right")
                    zones.append((y, y + tall))
                    y += tall
                bars.append((sum(zones[-1]) / 2, [row for row in own if str(row["step"]) == step]))
            if not column.above:
                zones = [zone for zone in zones if zone[1] <= start] + [(start, y)]
        number_axis(sheet, x, marks, zones, locale, layout.small)
        for middle, stretches in bars:
            for row in stretches:
                _stretch(sheet, x, row, middle, limit, number_format, layout)
        for top, bottom in zones if limit is not None else ():
            sheet.line([(x(limit or 0.0), top), (x(limit or 0.0), bottom)], INK, width=1.5, dash=(5, 3))
        sheet.height = zones[-1][1] + 9 + layout.small * LEADING
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _stack(table: list[dict[str, Any]], prefix: str) -> tuple[list[str], dict[int, list[float] | None]]:
    """The groups in the order given, and for each day their values, none where one is missing."""
    groups = list(dict.fromkeys(str(row["group"]) for row in table))
    if len(groups) > _MOST:
        raise DesignError(
            f"chart {prefix!r} has {len(groups)} groups, and more than {_MOST} cannot be told apart", mend="join the small ones"
        )
    stack: dict[int, list[float] | None] = {}
    seen: set[tuple[int, str]] = set()
    for row in table:
        day, group, value = day_number(row["day"]), str(row["group"]), row["value"]
        where = f"chart {prefix!r}: {group!r} on {row['day']}"
        if row["group"] is None:
            raise DesignError(f"chart {prefix!r} has a row on {row['day']} without a group", mend="name its group")
        if (day, group) in seen:
            raise DesignError(f"{where} is there twice", mend="keep one row for each day and group")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf):
            raise DesignError(f"{where} has {value!r} persons", mend="give a number of 0 or more, or leave it missing")
        seen.add((day, group))
        values = stack.setdefault(day, [0.0] * len(groups))
        if value is None or values is None:
            stack[day] = None
        else:
            values[groups.index(group)] = float(value)
    return groups, stack


def _runs(stack: dict[int, list[float] | None]) -> list[list[tuple[int, list[float]]]]:
    """Unbroken stretches of days with all values known."""
    out: list[list[tuple[int, list[float]]]] = []
    for day in sorted(stack):
        values = stack[day]
        if values is not None:
            if not out or out[-1][-1][0] != day - 1:
                out.append([])
            out[-1].append((day, values))
    return out


def _names_inside(
    groups: list[str], stack: dict[int, list[float] | None], x: Linear, pixels: float, edges: list[float], layout: Layout
) -> dict[int, tuple[float, float, list[str]]]:
    """Where a layer has room for its name: centre, height above the axis and lines, clear of the edges of closed spells."""
    grid = [x.start + step * _GRAIN for step in range(int((x.stop - x.start) / _GRAIN) + 1)]
    days = [round(x.low + (at - x.start) / (x.stop - x.start) * (x.high - x.low)) for at in grid]
    out = {}
    for place, group in enumerate(groups):
        tall: list[tuple[float, float]] = []
        for at, day in zip(grid, days, strict=True):
            values = stack.get(day)
            barred = values is None or any(abs(at - edge) < 8 for edge in edges)
            tall.append((0.0, 0.0) if values is None or barred else (sum(values[:place]) * pixels, sum(values[: place + 1]) * pixels))
        best: tuple[float, float, float, list[str]] | None = None
        for lines in {tuple(wrap(group, room, layout.label, bold=True)): None for room in (400, 170, 110, 80)}:
            wide = int((widest(lines, layout.label, bold=True) + 10) / _GRAIN)
            high = len(lines) * layout.label * LEADING + 4
            for start in range(len(grid) - wide):
                window = tall[start : start + wide + 1]
                low, top = max(low for low, _ in window), min(top for _, top in window)
                if top - low >= high and (best is None or top - low - high > best[0] + 1):
                    best = (top - low - high, grid[start] + wide * _GRAIN / 2, (low + top) / 2, list(lines))
        if best is not None:
            out[place] = best[1:]
    return out


def _check_stretches(table: list[dict[str, Any]], kind_labels: Mapping[str, str], limit: float | None, prefix: str) -> None:
    for row in table:
        where = f"chart {prefix!r}: step {row['step']!r} of {row['variant']!r}"
        if row["variant"] is None or row["step"] is None:
            raise DesignError(f"{where} has no name", mend="name the variant and the step")
        if row["kind"] not in LOOKS:
            raise DesignError(f"{where} has days of the kind {row['kind']!r}", mend=nearest(str(row["kind"]), LOOKS))
        if row["kind"] not in kind_labels:
            raise DesignError(f"chart {prefix!r} has no word for the kind {row['kind']!r}", mend="add it to kind_labels")
        if any(isinstance(day, bool) or not isinstance(day, int | float) or not math.isfinite(day) for day in (row["start"], row["end"])):
            raise DesignError(f"{where} runs from {row['start']!r} to {row['end']!r}", mend="give days as numbers")
        if not 0 <= row["start"] <= row["end"]:
            raise DesignError(f"{where} runs from day {row['start']} to day {row['end']}", mend="count from 0, and end after the start")
    ordered = sorted(table, key=lambda row: (str(row["variant"]), str(row["step"]), row["start"], row["end"]))
    for one, other in pairwise(ordered):
        if (one["variant"], one["step"]) == (other["variant"], other["step"]) and other["start"] < one["end"] - 1e-6:
            where = f"chart {prefix!r}: step {one['step']!r} of {one['variant']!r}"
            raise DesignError(f"{where} has two stretches over day {other['start']}", mend="let one end where the next begins")
    if limit is not None and (isinstance(limit, bool) or not 0 < limit < math.inf):
        raise DesignError(f"chart {prefix!r} has the legal limit {limit!r}", mend="give a number of days above 0, or none")


def _stretch(
    sheet: Sheet, x: Linear, row: dict[str, Any], middle: float, limit: float | None, number_format: Callable[[float], str], layout: Layout
) -> None:
    """One kind of days of a step as a bar, with its days where they fit beside the limit; on hatching they stand on a plate."""
    if row["end"] == row["start"]:
        return
    start, stop, fill = x(row["start"]), max(x(row["end"]), x(row["start"]) + 1.5), LOOKS[row["kind"]]
    sheet.rect(start, middle - 8, stop - start, 16, fill, stroke=_EDGE if fill == MISSING else None)
    text = number_format(row["end"] - row["start"])
    width = text_width(text, layout.small)
    cut = x(limit) if limit is not None and row["start"] < limit < row["end"] else start
    start, stop = max((start, cut), (cut, stop), key=lambda part: part[1] - part[0])
    if width + 8 <= stop - start:
        centre = (start + stop) / 2
        if fill == MISSING:
            sheet.rect(centre - width / 2 - 2, middle - 6.5, width + 4, 13, PAPER)
        sheet.text(centre, middle, text, layout.small, colour=INK if fill == MISSING else ink_on(fill), align="center")
