"""Who moved first: a dot for the first day of each row, and upright lines for the acts it is held against."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qonys.report.charts.axes import Linear
from qonys.report.charts.draw import LEADING, Sheet
from qonys.report.charts.lanes import label_column
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import AXIS, GRID, PALE, POSITIVE, SERIES, SOFT, Layout, ink_of, text_width, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

ACT = SERIES[3]
# days between ticks: days, weeks from Monday, and then the first days of months
_STEPS = (1, 2, 7, 14)


@dataclass(frozen=True, slots=True)
class Act:
    """An event of one day that rows are held against, named at its line."""

    day: str
    label: str


def first_days(rows: pd.DataFrame, *, title: str, desc: str, prefix: str, acts: Sequence[Act] = (), locale: str = "en") -> Chart:
    """The first day of each row in the order given, printed beside its dot; a bar where only an interval is known.

    rows: label, earliest, latest (ISO days), text (the day as printed). acts: drawn as dashed lines with their words above the rows.
    """
    table = records(rows, "label", "earliest", "latest", "text", prefix=prefix)
    refuse_without_values([row["earliest"] for row in table], prefix)
    spans = [(_day(row["earliest"]), _day(row["latest"])) for row in table]
    days = [_day(act.day) for act in acts]
    low, high = min([*days, *(first for first, _ in spans)]), max([*days, *(last for _, last in spans)])
    edge = max(1.0, (high - low) * 0.03)
    beside = widest([str(row["text"] or "") for row in table], 12.0) + 12  # room for a day to the left of the first dot

    def draw(layout: Layout) -> Sheet:
        sheet, size = Sheet(layout.width), layout.small
        column = label_column([str(row["label"]) for row in table], layout, high=190)
        left = 8.0 if column.above else column.width + 16
        x = Linear(low, high + edge, left + beside, layout.width - 16.0)
        top = _act_labels(sheet, x, days, [act.label for act in acts], layout)
        y, middles = top, []
        for place, lines in enumerate(column.lines):
            text = len(lines) * layout.label * LEADING
            head, body = (text + 1, 15.0) if column.above else (0.0, max(19.0, text + 3))
            if place % 2 == 0:
                sheet.rect(0, y, layout.width, head + body, PALE)
            if column.above:
                sheet.text(4, y + 1, lines, layout.label, stand="top")
            else:
                sheet.text(column.width + 6, y + body / 2, lines, layout.label, align="right")
            middles.append(y + head + body / 2)
            y += head + body
        height = _day_axis(sheet, x, left, top, y, locale, size)
        for day in days:
            sheet.line([(x(day), top - 2), (x(day), y)], ACT, width=1.5, dash=(5, 3))
        for row, (first, last), middle in zip(table, spans, middles, strict=True):
            if first != last:
                sheet.line([(x(first), middle), (x(last), middle)], POSITIVE, width=4, opacity=0.45)
            for day in dict.fromkeys((first, last)):
                sheet.dot(x(day), middle, 4.5, POSITIVE)
            _beside(sheet, x(first), x(last), middle, str(row["text"] or ""), [x(day) for day in days], size)
        sheet.height = y + height + 4
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _day(value: object) -> int:
    return dt.date.fromisoformat(str(value)[:10]).toordinal()


def _act_labels(sheet: Sheet, x: Linear, days: Sequence[int], labels: Sequence[str], layout: Layout) -> float:
    """Each act's words on a tier of their own, beside its line, in an order in which no line crosses them; returns where rows may start."""
    size, y, tiers = layout.small, 4.0, []
    middle = sheet.width / 2
    for day, label in sorted(zip(days, labels, strict=True), key=lambda act: (x(act[0]) <= middle, abs(x(act[0]) - middle) * -1)):
        after, before = sheet.width - x(day) - 8, x(day) - 8
        on_right = x(day) <= middle
        lines = wrap(label, max(after, before), size)
        height = len(lines) * size * LEADING
        sheet.text(
            x(day) + 5 if on_right else x(day) - 5, y, lines, size, colour=ink_of(ACT), align="left" if on_right else "right", stand="top"
        )
        tiers.append((x(day), y))
        y += height + 5
    for at, start in tiers:
        sheet.line([(at, start), (at, y)], ACT, width=1.5, dash=(5, 3))
    return y + 2


def _beside(sheet: Sheet, start: float, stop: float, middle: float, text: str, lines: Sequence[float], size: float) -> None:
    """The day beside its dot, on the side where it crosses no act and no edge."""
    room = text_width(text, size) + 10
    right = stop + 8 + room <= sheet.width and not any(stop + 2 < line < stop + 8 + room for line in lines)
    left = not any(start - 8 - room < line < start - 2 for line in lines)
    if right or (not left and stop + 8 + room <= sheet.width):
        sheet.text(stop + 8, middle, text, size, colour=SOFT)
    else:
        sheet.text(start - 8, middle, text, size, colour=SOFT, align="right")


def _day_axis(sheet: Sheet, x: Linear, left: float, top: float, bottom: float, locale: str, size: float) -> float:
    """Days under the rows, as many as there is room for, with light lines up; returns the height it takes."""
    from babel.dates import format_skeleton

    sheet.line([(left, bottom), (x.stop, bottom)], AXIS)
    names = {day: str(format_skeleton("MMMd", dt.date.fromordinal(day), locale=locale)) for day in range(int(x.low), int(x.high) + 1)}
    room, pixels = widest(list(names.values()), size) + 10, (x.stop - x.start) / (x.high - x.low)
    step = next((step for step in _STEPS if step * pixels >= room), None)
    marks = [day for day in names if ((day - 1) % step == 0 if step else dt.date.fromordinal(day).day == 1)]  # ordinal 1 is a Monday
    last = -room
    for day in marks:
        sheet.line([(x(day), top), (x(day), bottom + 4)], GRID)
        if x(day) - last >= room:
            sheet.text(x(day), bottom + 6, names[day], size, colour=SOFT, align="center", stand="top")
            last = x(day)
    return 6 + size * LEADING
