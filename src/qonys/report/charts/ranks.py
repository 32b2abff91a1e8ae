"""Charts of rows that are compared: bars, estimates with intervals, change across three periods, the steps of a procedure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError
from qonys.report.charts.axes import Linear, number_axis, spread, tick_texts, ticks
from qonys.report.charts.draw import LEADING, Sheet
from qonys.report.charts.lanes import LabelColumn, label_column
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import (
    AFTER,
    AXIS,
    BEFORE,
    DURING,
    INK,
    NEGATIVE,
    PAPER,
    POSITIVE,
    SOFT,
    Layout,
    ink_of,
    ink_on,
    series_colour,
    text_width,
    widest,
    wrap,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

PERIODS = ("before", "during", "after")


def ranked_bars(rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str) -> Chart:
    """Bars from the greatest value to the least, the value printed at each; negative ones to the left in another colour.

    rows: label, value (none: only its text is printed, last), text (the value as printed); low, high: whiskers where both are given.
    """
    table = records(rows, "label", "value", "text", prefix=prefix, optional=("low", "high"))
    refuse_without_values([row["value"] for row in table], prefix)
    table.sort(key=lambda row: (row["value"] is None, -(row["value"] or 0.0)))
    ends = [_ends(row) for row in table]

    def draw(layout: Layout) -> Sheet:
        put = _Rows.start([str(row["label"]) for row in table], unit, layout)
        sheet = put.sheet
        texts = [text_width(str(row["text"] or ""), layout.small) + 8 for row in table]
        x = _with_room_for_texts(ends, texts, [(row["value"] or 0.0) < 0 for row in table], put.left, layout.width - 4.0)
        middles = [put.place(lines, 22) for lines in put.column.lines]
        for top, bottom in put.zones:
            sheet.line([(x(0), top), (x(0), bottom)], AXIS)
        for row, middle, (low, high) in zip(table, middles, ends, strict=True):
            value, text = row["value"], str(row["text"] or "")
            if value is None:
                sheet.text(x(0) + 6, middle, text, layout.small, colour=SOFT)
                continue
            sheet.rect(min(x(0), x(value)), middle - 7, abs(x(value) - x(0)), 14, NEGATIVE if value < 0 else POSITIVE, opacity=0.9)
            if row["low"] is not None and row["high"] is not None:
                _whisker(sheet, x(row["low"]), x(row["high"]), middle, INK)
            at = x(min(low, 0)) - 5 if value < 0 else x(max(high, 0)) + 5
            sheet.text(at, middle, text, layout.small, align="right" if value < 0 else "left")
        sheet.height = put.y + 6
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def intervals(rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, locale: str = "en") -> Chart:
    """Estimates as dots on whiskers, in the order given, each with its text at the right; zero is drawn where it lies inside.

    rows: label, value, low, high, text (as printed). Without low and high the dot stands alone; without a value only its text.
    """
    table = records(rows, "label", "value", "low", "high", "text", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    numbers = [row[name] for row in table for name in ("value", "low", "high") if row[name] is not None]

    def draw(layout: Layout) -> Sheet:
        put = _Rows.start([str(row["label"]) for row in table], unit, layout)
        sheet, above = put.sheet, put.column.above
        texts = [wrap(str(row["text"] or ""), 150 if layout.narrow else 190, layout.small) for row in table]
        across = widest([line for lines in texts for line in lines], layout.small)
        right = layout.width - (10.0 if above else across + 16)
        marks = _marks(min(numbers), max(numbers), right - put.left - 4, layout, locale)
        x = Linear(marks[0], marks[-1], put.left + 4, right)
        middles = []
        for row, beside, words in zip(table, put.column.lines, texts, strict=True):
            lines = wrap(str(row["label"]), layout.width - across - 18, layout.label) if above else beside
            lines = [*lines, *[""] * (len(words) - len(lines))] if above else lines  # the value may need more lines than the name
            start = put.y
            least = 18.0 if row["value"] is not None else 2.0
            middles.append(put.place(lines, least if above else max(22.0, len(words) * layout.small * LEADING + 4)))
            if above:
                sheet.text(layout.width - 2, start + 1, words, layout.small, align="right", stand="top")
            else:
                sheet.text(right + 12, middles[-1], words, layout.small)
        number_axis(sheet, x, marks, put.zones, locale, layout.small)
        for row, middle in zip(table, middles, strict=True):
            if row["low"] is not None and row["high"] is not None:
                _whisker(sheet, x(row["low"]), x(row["high"]), middle, POSITIVE, width=2)
            if row["value"] is not None:
                sheet.dot(x(row["value"]), middle, 5, POSITIVE)
        sheet.height = put.zones[-1][1] + 9 + layout.small * LEADING
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def change_dots(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, names: tuple[str, str, str],
    number_format: Callable[[float], str], locale: str = "en",
) -> Chart:  # fmt: skip
    """Three periods of each row on one axis, the first set to 100; the dots of the first row carry the names of the periods.

    rows: label, before (above 0), during, after (levels or indices, none: not known). During and after are printed as indices.
    """
    table = records(rows, "label", *PERIODS, prefix=prefix)
    for row in table:
        if row["before"] is None or row["before"] <= 0:
            raise DesignError(f"chart {prefix!r}: {row['label']!r} has no level before that can be set to 100", mend="leave the row out")
    indices = [[None if row[name] is None else 100 * row[name] / row["before"] for name in PERIODS] for row in table]
    refuse_without_values([index for three in indices for index in three[1:]], prefix)
    values = [index for three in indices for index in three if index is not None]
    colours = (BEFORE, DURING, AFTER)

    def draw(layout: Layout) -> Sheet:
        put = _Rows.start([str(row["label"]) for row in table], unit, layout)
        sheet, size = put.sheet, layout.small
        marks = ticks(min(values), max(values), 4 if layout.narrow else 6)
        x = Linear(marks[0], marks[-1], put.left + 18, layout.width - 24.0)
        words = [wrap(name, (layout.width - 24) / 3 - 8, size, bold=True) for name in names]
        first = [(place, x(index)) for place, index in enumerate(indices[0]) if index is not None]
        widths = [widest(words[place], size, bold=True) + 12 for place, _ in first]
        centres = spread([at for _, at in first], widths, max(0.0, min(put.left - 24, layout.width - sum(widths))), layout.width)
        key = max(len(words[place]) for place, _ in first) * size * LEADING + 16  # height of the periods' names
        start, put.y = put.y, put.y + (0 if put.column.above else key)
        middles = []
        for order, lines in enumerate(put.column.lines):
            extra = key if put.column.above and order == 0 else 0.0
            middles.append(put.place(lines, 34 + extra) + extra / 2 + 6)
        head = put.zones[0][0] + 3 if put.column.above else start
        if put.column.above:
            put.zones[0] = (put.zones[0][0] + key, put.zones[0][1])
        foot = head + key - 16
        number_axis(sheet, x, marks, put.zones, locale, size)
        for top, bottom in put.zones:
            sheet.line([(x(100), top), (x(100), bottom)], AXIS, width=1.5)
        for centre, (place, at) in zip(centres, first, strict=True):
            sheet.line([(centre, foot + 2), (at, foot + 13), (at, middles[0] - (6 if place == 0 else 24))], colours[place], width=0.8)
            sheet.text(centre, head, words[place], size, colour=ink_of(colours[place]), align="center", stand="top", bold=True)
        for three, middle in zip(indices, middles, strict=True):
            known = [(place, x(index), number_format(index)) for place, index in enumerate(three) if index is not None]
            sheet.line([(min(at for _, at, _ in known), middle), (max(at for _, at, _ in known), middle)], "#b6bdc6", width=3)
            for place, at, _ in known:
                hollow = place == 0
                fill, stroke = (PAPER, BEFORE) if hollow else (colours[place], PAPER)
                sheet.dot(at, middle, 5.5, fill, stroke=stroke, width=2 if hollow else 1)
            told = known[1:]
            places = spread([at for _, at, _ in told], [text_width(text, size) + 6 for *_, text in told], 0, layout.width)
            for (place, _, text), at in zip(told, places, strict=True):
                sheet.text(at, middle - 8, text, size, colour=ink_of(colours[place]), align="center", stand="bottom")
        sheet.height = put.zones[-1][1] + 9 + size * LEADING
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def steps(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, total_label: str, number_format: Callable[[float], str],
    locale: str = "en",
) -> Chart:  # fmt: skip
    """A procedure in variants: each step a bar from its first to its last day on one axis, with its days; each variant with its total.

    rows: variant, step (their words), start, end (days from the application). total_label: the word before the total.
    """
    table = [row for row in records(rows, "variant", "step", "start", "end", prefix=prefix) if None not in (row["start"], row["end"])]
    refuse_without_values([row["end"] for row in table], prefix)
    variants = list(dict.fromkeys(str(row["variant"]) for row in table))
    last = max(row["end"] for row in table)

    def draw(layout: Layout) -> Sheet:
        put = _Rows.start([str(row["step"]) for row in table], unit, layout)
        sheet, size = put.sheet, layout.label
        marks = ticks(0.0, last, 4 if layout.narrow else 6)
        x = Linear(0.0, marks[-1], put.left, layout.width - 14.0)
        names = {str(row["step"]): lines for row, lines in zip(table, put.column.lines, strict=True)}
        middles, bounds = [], []
        for order, variant in enumerate(variants):
            own = [row for row in table if str(row["variant"]) == variant]
            total = f"{total_label} {number_format(max(row['end'] for row in own))}".strip()
            head = wrap(variant, layout.width - text_width(total, size, bold=True) - 20, size, bold=True)
            put.y += 8 if order else 0
            sheet.text(0, put.y, head, size, stand="top", bold=True)
            sheet.text(layout.width - 2, put.y, total, size, colour=ink_of(series_colour(order)), align="right", stand="top", bold=True)
            put.y += len(head) * size * LEADING + 4
            put.part()
            before = len(put.zones)
            middles += [(row, order, put.place(names[str(row["step"])], 20)) for row in own]
            bounds.append((x(max(row["end"] for row in own)), series_colour(order), put.zones[before:]))
        number_axis(sheet, x, marks, put.zones, locale, layout.small)
        for at, colour, zones in bounds:
            for top, bottom in zones:
                sheet.line([(at, top), (at, bottom)], colour, width=1.2, dash=(3, 3))
        for row, order, middle in middles:
            start, stop = x(row["start"]), max(x(row["end"]), x(row["start"]) + 2)
            sheet.rect(start, middle - 7, stop - start, 14, series_colour(order))
            text = number_format(row["end"] - row["start"])
            width = text_width(text, layout.small)
            if width + 6 <= stop - start:
                sheet.text((start + stop) / 2, middle, text, layout.small, colour=ink_on(series_colour(order)), align="center")
            elif stop + 4 + width <= layout.width:
                sheet.text(stop + 4, middle, text, layout.small)
            else:
                sheet.text(start - 4, middle, text, layout.small, align="right")
        sheet.height = put.zones[-1][1] + 9 + layout.small * LEADING
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


@dataclass(slots=True)
class _Rows:
    """Rows put below each other with their names; `zones` are the heights in which marks and grid lines are drawn, clear of names."""

    sheet: Sheet
    layout: Layout
    column: LabelColumn
    y: float
    zones: list[tuple[float, float]] = field(default_factory=list)
    _new: bool = True

    @classmethod
    def start(cls, labels: list[str], unit: str, layout: Layout) -> _Rows:
        sheet = Sheet(layout.width)
        lines = wrap(unit, layout.width - 4, layout.small)
        sheet.text(0, 2, lines, layout.small, colour=SOFT, stand="top")
        return cls(sheet, layout, label_column(labels, layout), 10 + len(lines) * layout.small * LEADING)

    @property
    def left(self) -> float:
        return 6.0 if self.column.above else self.column.width + 12

    def part(self) -> None:
        """Grid lines do not go through what stands between the last row and the next."""
        self._new = True

    def place(self, lines: list[str], least: float) -> float:
        """Write the name of the next row; the middle of the height for its marks is returned."""
        tall = len(lines) * self.layout.label * LEADING
        if self.column.above:
            self.sheet.text(0, self.y, lines, self.layout.label, stand="top")
            top, bottom = self.y + tall, self.y + tall + least
            self.zones.append((top, bottom))
            self.y = bottom + 7
            return (top + bottom) / 2
        top, self.y = self.y, self.y + max(least, tall + 6)
        self.sheet.text(self.column.width, (top + self.y) / 2, lines, self.layout.label, align="right")
        if self._new:
            self.zones.append((top, self.y))
        else:
            self.zones[-1] = (self.zones[-1][0], self.y)
        self._new = False
        return (top + self.y) / 2


def _marks(low: float, high: float, room: float, layout: Layout, locale: str) -> list[float]:
    """As many round numbers as stand beside each other."""
    for count in range(4 if layout.narrow else 6, 0, -1):
        marks = ticks(low, high, count)
        if (len(marks) - 1) * (widest(tick_texts(marks, locale), layout.small) + 8) <= room:
            break
    return marks


def _whisker(sheet: Sheet, low: float, high: float, y: float, colour: str, *, width: float = 1.4) -> None:
    sheet.line([(low, y), (high, y)], colour, width=width)
    for x in (low, high):
        sheet.line([(x, y - 4), (x, y + 4)], colour, width=width)


def _ends(row: dict[str, Any]) -> tuple[float, float]:
    """What a bar reaches, zero and its whisker within."""
    if row["value"] is None:
        return 0.0, 0.0
    known = [0.0, *(row[name] for name in ("value", "low", "high") if row[name] is not None)]
    return min(known), max(known)


def _with_room_for_texts(ends: list[tuple[float, float]], texts: list[float], negative: list[bool], left: float, right: float) -> Linear:
    """The widest scale on which each bar has room for its text: before it where the value is negative, else after it."""
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    high = 1.0 if low == high else high
    start, stop = left, right
    for _ in range(30):
        x = Linear(low, high, start, stop)
        rows = list(zip(ends, texts, negative, strict=True))
        over_left = max(left - x(end[0]) + (text if before else 0.0) for end, text, before in rows)
        over_right = max(x(end[1]) + (0.0 if before else text) - right for end, text, before in rows)
        if over_left < 0.5 and over_right < 0.5:
            break
        start, stop = start + max(over_left, 0.0), stop - max(over_right, 0.0)
    return Linear(low, high, start, stop)
