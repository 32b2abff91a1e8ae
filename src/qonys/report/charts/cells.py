"""Charts in cells: strips of heat along months, the tile map, the count matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qonys.report.charts.axes import Linear, moment, time_axis
from qonys.report.charts.draw import LEADING, Sheet, legend
from qonys.report.charts.lanes import label_column
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import (
    AXIS,
    MISSING,
    PAPER,
    SOFT,
    Layout,
    diverging,
    hyphenate,
    ink_on,
    sequential,
    text_width,
    widest,
    wrap,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd


def heat_strips(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, low_label: str, high_label: str, missing_label: str,
    locale: str = "en",
) -> Chart:  # fmt: skip
    """A strip of months for each area, in the order given, from light (0) to dark (1); missing months are hatched.

    rows: area_label, x (ISO month), value (0 to 1, or none). A month without a row is missing.
    """
    table = records(rows, "area_label", "x", "value", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    names = list(dict.fromkeys(str(row["area_label"]) for row in table))
    values = {(str(row["area_label"]), _month(row["x"])): row["value"] for row in table}
    first, last = min(month for _, month in values), max(month for _, month in values)
    missing = any(values.get((name, month)) is None for name in names for month in range(first, last + 1))

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        column = label_column(names, layout, high=170, low=112)
        left = 2.0 if column.above else column.width + 8
        x = Linear(first / 12, (last + 1) / 12, left, layout.width - 8.0)
        y = ramp(sheet, unit, low_label, high_label, sequential, layout, [(MISSING, missing_label)] if missing else [])
        for name, lines in zip(names, column.lines, strict=True):
            tall = len(lines) * layout.label * LEADING
            strip = 13.0 if column.above else min(max(16.0, tall), 24.0)
            if column.above:
                sheet.text(2, y, lines, layout.label, stand="top")
                y += tall + 1
            else:
                y += max(tall - strip, 0) / 2
                sheet.text(column.width, y + strip / 2, lines, layout.label, align="right")
            for start, stop, value in _stretches(values, name, first, last):
                seam = 0.0 if stop == last + 1 else 0.4  # neighbours overlap by a hair, so that no white line shows between them
                sheet.rect(x(start / 12), y, x(stop / 12) - x(start / 12) + seam, strip, MISSING if value is None else sequential(value))
            y += strip + (7 if column.above else 3 + max(tall - strip, 0) / 2)
        sheet.height = y + time_axis(sheet, x, y + 2, locale, layout.small) + 8
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def tile_map(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, missing_label: str, low_label: str = "", high_label: str = "",
) -> Chart:  # fmt: skip
    """A tile for each area with its short name and its value as printed; orange below zero, blue above, nearly white at zero.

    rows: code, label, short, row, col (both from 0), value (none: missing), text (the value as printed). A missing tile is outlined.
    low_label, high_label: words for the two ends of the colours.
    """
    table = records(rows, "code", "label", "short", "row", "col", "value", "text", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    most = max(abs(row["value"]) for row in table if row["value"] is not None) or 1.0
    top_row, left_col = min(int(row["row"]) for row in table), min(int(row["col"]) for row in table)
    columns = max(int(row["col"]) for row in table) - left_col + 1
    missing = any(row["value"] is None for row in table)

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        size = 11.0 if layout.narrow else 13.0
        cell = min(116.0, (layout.width - 4) / columns)
        tall = max(cell * 0.66, 58.0)
        left = (layout.width - cell * columns) / 2
        entries = [(MISSING, missing_label)] if missing else []
        top = ramp(sheet, unit, low_label, high_label, lambda share: diverging(2 * share - 1), layout, entries) + 2
        for row in table:
            x, y = left + (int(row["col"]) - left_col) * cell, top + (int(row["row"]) - top_row) * tall
            fill = PAPER if row["value"] is None else diverging(row["value"] / most)
            ink = SOFT if row["value"] is None else ink_on(fill)
            sheet.rect(x + 1.5, y + 1.5, cell - 3, tall - 3, fill, stroke=AXIS if row["value"] is None else "#d5dae0")
            if row["value"] is None:
                sheet.rect(x + 2.5, y + tall - 9, cell - 5, 6, MISSING)
            lines = [part for line in wrap(str(row["short"]), cell - 6, size) for part in hyphenate(line, cell - 6, size)]
            gone = missing_label if text_width(missing_label, size) <= cell - 6 else ""
            value = gone if row["value"] is None else str(row["text"] or "")
            start = y + tall / 2 - (len(lines) + bool(value)) * size * LEADING / 2
            sheet.text(x + cell / 2, start, lines, size, colour=ink, align="center", stand="top")
            bold = row["value"] is not None and text_width(value, size, bold=True) <= cell - 5
            sheet.text(x + cell / 2, start + len(lines) * size * LEADING, value, size, colour=ink, align="center", stand="top", bold=bold)
        sheet.height = top + (max(int(row["row"]) for row in table) - top_row + 1) * tall + 4
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def matrix(rows: pd.DataFrame, *, title: str, desc: str, prefix: str, row_title: str = "", col_title: str = "") -> Chart:
    """How many of each row are in each column, as a number on a shade; zero is a faint dot.

    rows: row, col (their words, in the order to be shown), value (0 or more), text (the value as printed); a pair without a row is
    zero. On a telephone the longer side runs down, and columns that do not fit side by side continue below.
    """
    table = records(rows, "row", "col", "value", "text", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    most = max(row["value"] for row in table if row["value"] is not None) or 1.0

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        down, across = ("row", "col")
        if layout.narrow and len({row["col"] for row in table}) > len({row["row"] for row in table}):
            down, across = across, down
        names, heads = (list(dict.fromkeys(str(row[key]) for row in table)) for key in (down, across))
        cells = {(str(row[down]), str(row[across])): row for row in table}
        room = 128.0 if layout.narrow else 230.0
        lines = [wrap(name, room, layout.label) for name in names]
        left = max(widest(each, layout.label) for each in lines) + 14
        printed = max(text_width(str(row["text"]), layout.small) for row in table if row["text"] is not None)
        least = max(26.0 if layout.narrow else 30.0, printed + 8)
        fit = max(1, int((layout.width - left - 4) // least))
        blocks = -(-len(heads) // fit)
        each_block = -(-len(heads) // blocks)
        cell = min(64.0, (layout.width - left - 4) / each_block)
        titles = [title for title in ((col_title, row_title) if down == "col" else (row_title, col_title)) if title]
        y = 2.0
        if titles:
            words = wrap(" × ".join(titles), layout.width, layout.small)
            sheet.text(0, y, words, layout.small, colour=SOFT, stand="top")
            y += len(words) * layout.small * LEADING + 6
        for block in range(blocks):
            own = heads[block * each_block : (block + 1) * each_block]
            y = _matrix_block(sheet, y, left, cell, names, lines, own, cells, most, layout) + 14
        sheet.height = y - 8
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _matrix_block(sheet: Sheet, y: float, left: float, cell: float, names: list[str], lines: list[list[str]], heads: list[str],
                  cells: dict[tuple[str, str], dict[str, Any]], most: float, layout: Layout) -> float:  # fmt: skip
    size = layout.small
    level = [wrap(head, cell - 4, size) for head in heads]
    if max(widest(words, size) for words in level) <= cell - 2 and max(len(words) for words in level) <= 3:
        y += max(len(words) for words in level) * size * LEADING + 4
        for place, words in enumerate(level):
            sheet.text(left + (place + 0.5) * cell, y - 3, words, size, align="center", stand="bottom")
    else:
        turned = [wrap(head, 150, size, lines=max(1, int(cell // (size * LEADING)))) for head in heads]
        y += max(widest(words, size) for words in turned) + 6
        for place, words in enumerate(turned):
            for order, word in enumerate(words):
                offset = (order - (len(words) - 1) / 2) * size * LEADING
                sheet.text(left + (place + 0.5) * cell + offset + size * 0.36, y - 4, word, size, angle=-90)
    zeros = []
    for name, words in zip(names, lines, strict=True):
        tall = max(26.0, len(words) * layout.label * LEADING + 4)
        sheet.text(left - 8, y + tall / 2, words, layout.label, align="right")
        for place, head in enumerate(heads):
            row = cells.get((name, head))
            x = left + place * cell
            if row is None or not row["value"]:
                zeros.append((x + cell / 2, y + tall / 2))
                continue
            fill = sequential(0.12 + 0.78 * row["value"] / most)
            sheet.rect(x + 1, y + 1, cell - 2, tall - 2, fill)
            sheet.text(x + cell / 2, y + tall / 2, str(row["text"]), size, colour=ink_on(fill), align="center")
        y += tall
    for at, middle in zeros:
        sheet.dot(at, middle, 1.8, "#c3c9d0", width=0)
    return y


def ramp(sheet: Sheet, unit: str, low_label: str, high_label: str, colour: Callable[[float], str], layout: Layout,
         entries: list[tuple[str, str]]) -> float:  # fmt: skip
    """The unit and a small scale of colours between two words; returns where the chart may start."""
    size = layout.small
    lines = wrap(unit, layout.width - 4, size)
    sheet.text(0, 2, lines, size, colour=SOFT, stand="top")
    y = 2 + len(lines) * size * LEADING + 6
    if low_label or high_label:
        length = 90.0 if layout.narrow else 140.0
        before, after = text_width(low_label, size), text_width(high_label, size)
        one_line = before + after + length + 14 <= layout.width
        x = before + 6 if one_line else 0.0
        for step in range(9):
            sheet.rect(x + step * length / 9, y + 2, length / 9 + 0.3, 10, colour(step / 8))
        if one_line:
            sheet.text(0, y + 7, low_label, size)
            sheet.text(x + length + 6, y + 7, high_label, size)
            x += length + after + 26
        else:
            low, high = (wrap(words, layout.width / 2 - 8, size) for words in (low_label, high_label))
            sheet.rect(0, y + 2, layout.width, 10, PAPER)
            for step in range(18):
                sheet.rect(step * layout.width / 18, y + 2, layout.width / 18 + 0.3, 10, colour(step / 17))
            sheet.text(0, y + 16, low, size, stand="top")
            sheet.text(layout.width, y + 16, high, size, align="right", stand="top")
            y += 4 + max(len(low), len(high)) * size * LEADING
            x = layout.width
        if entries and x + 24 + text_width(entries[0][1], size) <= layout.width:
            legend(sheet, x, y - 3, layout.width, entries, size)
            return y + 24
        y += 18
    return y + legend(sheet, 0, y, layout.width, entries, size) + 6


def _month(x: object) -> int:
    return round(moment(str(x)[:7])[0] * 12 - 0.5)


def _stretches(values: dict[tuple[str, int], float | None], name: str, first: int, last: int) -> list[tuple[int, int, float | None]]:
    """Months of one area with neighbours of the same value taken together: first month, month after the last, value."""
    out: list[tuple[int, int, float | None]] = []
    for month in range(first, last + 1):
        value = values.get((name, month))
        if out and out[-1][2] == value:
            out[-1] = (out[-1][0], month + 1, value)
        else:
            out.append((month, month + 1, value))
    return out
