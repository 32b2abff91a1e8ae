"""Published figures that stand alone in time, and levels such as quotas that hold from one day to another."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qonys.report.charts.axes import Linear, moment, tick_texts, ticks, time_axis, value_axis
from qonys.report.charts.draw import Sheet
from qonys.report.charts.labels import Free, boxes
from qonys.report.charts.series import caption, reach
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import SOFT, Layout, ink_of, series_colour, widest

if TYPE_CHECKING:
    import pandas as pd

    _Point = tuple[float, dict[str, Any]]


def point_series(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, connect: bool = False, quota: pd.DataFrame | None = None,
    quota_label: str = "", locale: str = "en",
) -> Chart:  # fmt: skip
    """Published figures that stand alone in time; the first, last, lowest and highest of each series carry their text.

    rows: x (ISO day, month or year), value, text (the value as printed), series, label. `connect` joins the points of a series.
    quota: x, value, text; a level in force from x until the next, drawn as steps and named `quota_label`.
    """
    table = records(rows, "x", "value", "text", "series", "label", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    groups: list[list[_Point]] = []
    for key in dict.fromkeys(row["series"] for row in table):
        own = [(moment(row["x"])[0], row) for row in table if row["series"] == key and row["value"] is not None]
        groups += [sorted(own, key=lambda point: point[0])] if own else []
    levels = [] if quota is None else records(quota, "x", "value", "text", prefix=prefix)
    low, high = reach([row["x"] for row in (*table, *levels)], None)
    low, high = low - (high - low) * 0.03, high + (high - low) * 0.03
    steps = _levels(levels, high)
    values = [0.0, *(row["value"] for group in groups for _, row in group), *(row["value"] for _, _, row in steps)]

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        marks = ticks(min(values), max(values), 5)
        left, right = widest(tick_texts(marks, locale), layout.small) + 10, layout.width - 14.0
        x = Linear(low, high, left, right)
        entries = [(f"dot-{series_colour(place)[1:]}", str(group[0][1]["label"])) for place, group in enumerate(groups)]
        top = caption(sheet, unit, layout, [*entries, (f"line-{SOFT[1:]}", quota_label)] if steps else entries) + 8
        bottom = top + (230 if layout.narrow else 270)
        y = Linear(marks[0], marks[-1], bottom, top)
        value_axis(sheet, y, marks, left, right, locale, layout.small)
        path = [(x(at), y(row["value"])) for start, stop, row in steps for at in (start, stop)]
        lines = [[(x(at), y(row["value"])) for at, row in group] for group in groups]
        if path:
            sheet.line(path, SOFT, width=1.5, dash=(5, 3))
        for place, line in enumerate(lines):
            if connect and len(line) > 1:
                sheet.line(line, series_colour(place), width=1.5)
        for place, line in enumerate(lines):
            for px, py in line:
                sheet.dot(px, py, 4, series_colour(place))
        taken = [(px - 5, py - 5, px + 5, py + 5) for line in lines for px, py in line]
        for line in (path, *(lines if connect else [])):
            taken += [box for one, other in pairwise(line) for box in boxes(one, other)]
        free = Free(sheet, layout.small, taken, (left - 2, top - 14, layout.width, bottom))
        for place, group in enumerate(groups):
            ranked = sorted(range(len(group)), key=lambda i: (group[i][1]["value"], i))
            for i in dict.fromkeys([len(group) - 1, 0, ranked[-1], ranked[0]]):
                free.label(lines[place][i], str(group[i][1]["text"] or ""), ink_of(series_colour(place)))
        for i in sorted({0, len(steps) - 1}) if steps else []:
            free.label(((path[2 * i][0] + path[2 * i + 1][0]) / 2, path[2 * i][1]), str(steps[i][2]["text"] or ""), SOFT)
        sheet.height = bottom + time_axis(sheet, x, bottom, locale, layout.small) + 6
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _levels(rows: list[dict[str, Any]], high: float) -> list[tuple[float, float, dict[str, Any]]]:
    """First and last moment of each level: a year or month counts from its start, and the last to its end, a day to the chart's end."""
    known = sorted(((moment(row["x"]), row) for row in rows if row["value"] is not None), key=lambda level: level[0][0])
    starts = [at - (length or 0.0) / 2 for (at, length), _ in known]
    stops = [*starts[1:], *(at + length / 2 if length else high for (at, length), _ in known[-1:])]
    return [(start, stop, row) for start, stop, (_, row) in zip(starts, stops, known, strict=True)]
