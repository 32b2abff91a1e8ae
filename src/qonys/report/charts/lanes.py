"""Measures of policy in time: the lane under a plot, and the timelines of a register.

A measure is a bar as long as it was in force. Where no end is known the bar is a tick with a short fading tail: it never claims to
last until the chart ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qonys.report.charts.axes import Linear, moment, time_axis
from qonys.report.charts.draw import LEADING, Sheet, legend
from qonys.report.charts.svg import Chart, both, records
from qonys.report.charts.theme import GRID, KINDS, PALE, Layout, ink_of, kind_colour, text_width, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

TAIL = 30.0


@dataclass(frozen=True, slots=True)
class Band:
    """A measure under a plot, from `start` to `end` (none: not known to have ended); `short` is its mark where there is no room."""

    start: str
    end: str | None
    label: str
    kind: str = "neutral"
    short: str = ""


def timelines(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, kind_labels: Mapping[str, str], open_label: str,
    span: tuple[str, str] | None = None, locale: str = "en",
) -> Chart:  # fmt: skip
    """A register of measures in time, a lane for each issuer or target, lanes and colours as words on top.

    rows: lane (its words), start (ISO date), end (ISO date or none), kind (a key of kind_labels), known_end (false: the end given is
    not certain, and drawn as open). `span` is the first and last day shown; else all the measures fit in.
    """
    table = records(rows, "lane", "start", "end", "kind", "known_end", prefix=prefix)
    names = list(dict.fromkeys(str(row["lane"]) for row in table))
    starts = [moment(row["start"])[0] for row in table]
    ends = [moment(row["end"])[0] if row["end"] is not None and row["known_end"] is not False else None for row in table]
    low = moment(span[0])[0] if span else min(starts)
    high = moment(span[1])[0] if span else max([*starts, *(end for end in ends if end is not None)])
    high = max(high, low + 1 / 12)

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        column = label_column(names, layout)
        left, right = (4.0 if column.above else column.width + 10), layout.width - 12.0
        scale = Linear(low, high, left, right)
        entries = [(kind_colour(kind), words) for kind, words in kind_labels.items()]
        if any(end is None for end in ends):
            entries.append((f"tail-{KINDS['neutral'][1:]}", open_label))
        y = 4 + legend(sheet, 2, 2, layout.width, entries, layout.small) + 6
        axis_above = len(names) > 10
        if axis_above:
            y += layout.small * 3.4
            time_axis(sheet, scale, y, locale, layout.small, above=True)
        top, stacks = y, []
        for place, name in enumerate(names):
            bars = sorted((starts[i], i) for i, row in enumerate(table) if str(row["lane"]) == name)
            tiers = _tiers([_reach(scale, start, ends[i]) for start, i in bars], most=4)
            each = {0: 10.0, 1: 7.0, 2: 5.5}.get(max(tiers), 5.0)
            tall = (max(tiers) + 1) * (each + 1.5)
            text = len(column.lines[place]) * layout.label * LEADING
            head, body = (text + 2, tall + 7) if column.above else (0.0, max(tall + 7, text + 4))
            if place % 2 == 0:
                sheet.rect(0, y, layout.width, head + body, PALE)
            stacks.append((y, head, y + head + (body - tall) / 2, each, list(zip(bars, tiers, strict=True))))
            y += head + body
        time_grid(sheet, scale, top, y)
        for (at, head, first, each, stack), lines, below in zip(stacks, column.lines, [*(s[0] for s in stacks[1:]), y], strict=True):
            if column.above:
                sheet.text(4, at + head / 2 + 2, lines, layout.label)
            else:
                sheet.text(column.width, (at + below) / 2, lines, layout.label, align="right")
            for (start, i), tier in stack:
                period_bar(sheet, scale, start, ends[i], first + tier * (each + 1.5), each, str(table[i]["kind"]), opacity=0.85)
        sheet.height = y + time_axis(sheet, scale, y, locale, layout.small) + 4
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def period_bar(sheet: Sheet, scale: Linear, start: float, end: float | None, y: float, height: float, kind: str, *,
               opacity: float = 1) -> tuple[float, float]:  # fmt: skip
    """One measure as a bar, at least three pixels long, or as a tick with a fading tail; returns where it starts and stops.

    What lies outside the scale is cut at its edge.
    """
    colour = kind_colour(kind)
    x0 = min(max(scale(start), scale.start), scale.stop - 3)
    if end is None:
        tail = max(min(TAIL, scale.stop + 8 - x0), 10)
        sheet.rect(x0, y, tail, height, f"fade-{colour[1:]}", opacity=opacity)
        sheet.rect(x0, y - 1, 2.5, height + 2, colour, opacity=opacity)
        return x0, x0 + tail
    x1 = max(min(scale(end), scale.stop), x0 + 3)
    sheet.rect(x0, y, x1 - x0, height, colour, opacity=opacity)
    return x0, x1


def band_lane(sheet: Sheet, scale: Linear, y: float, bands: Sequence[Band], layout: Layout, kind_labels: Mapping[str, str]) -> float:
    """Measures as thin labelled bars under a plot; on a telephone as short marks with their key below. Returns the height."""
    size, top = layout.small, y
    shown = sorted((moment(band.start)[0], place) for place, band in enumerate(bands))
    taken: list[float] = []
    placed = []
    by_mark = layout.narrow and all(band.short for band in bands)
    for start, place in shown:
        band = bands[place]
        end = None if band.end is None else moment(band.end)[0]
        if start > scale.high or (end is not None and end < scale.low):
            continue
        x0 = min(max(scale(start), scale.start), scale.stop - 3)
        x1 = x0 + TAIL if end is None else max(min(scale(end), scale.stop), x0 + 3)
        words = band.short if by_mark else band.label
        after, before = sheet.width - x1 - 6, x0 - 6
        lines = [words] if text_width(words, size) <= max(after, before) else wrap(words, max(after, before), size)
        length = widest(lines, size)
        on_right = length <= after or after >= before
        edges = (x0, x1 + 5 + length) if on_right else (x0 - 5 - length, x1)
        row = next((i for i, edge in enumerate(taken) if edges[0] > edge + 8), len(taken))
        if row == len(taken):
            taken.append(0.0)
        taken[row] = edges[1]
        placed.append((row, start, end, band, lines, on_right))
    heights = [max(len(lines) for r, *_, lines, _ in placed if r == row) * size * LEADING + 3 for row in range(len(taken))]
    time_grid(sheet, scale, y, y + sum(heights))
    for row, start, end, band, lines, on_right in placed:
        middle = y + sum(heights[:row]) + heights[row] / 2
        x0, x1 = period_bar(sheet, scale, start, end, middle - 4, 8, band.kind)
        ink = ink_of(kind_colour(band.kind))
        sheet.text(x1 + 5 if on_right else x0 - 5, middle, lines, size, colour=ink, align="left" if on_right else "right", bold=by_mark)
    y += sum(heights)
    if by_mark:
        y += 6
        gutter = max(text_width(band.short, size, bold=True) for band in bands) + 8
        for band in (band for band in bands if any(item[3] is band for item in placed)):
            lines = wrap(band.label, sheet.width - gutter - 4, size)
            sheet.text(2, y, band.short, size, colour=ink_of(kind_colour(band.kind)), stand="top", bold=True)
            sheet.text(2 + gutter, y, lines, size, stand="top")
            y += len(lines) * size * LEADING + 3
    used = {band.kind for *_, band, _, _ in placed}
    entries = [(kind_colour(kind), words) for kind, words in kind_labels.items() if kind in used]
    y += legend(sheet, 2, y + 4, sheet.width, entries, size) + 4 if entries else 0
    return y - top


def time_grid(sheet: Sheet, scale: Linear, top: float, bottom: float) -> None:
    """Light upright lines at the first days of years, as many as can be told apart."""
    pixels = (scale.stop - scale.start) / (scale.high - scale.low)
    step = next(n for n in (1, 2, 5, 10, 20, 25, 50, 100) if n * pixels >= 40 or n == 100)
    for year in range(int(scale.low), int(scale.high) + 1):
        if year % step == 0 and scale.low <= year:
            sheet.line([(scale(year), top), (scale(year), bottom)], GRID)


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """How the names of rows are set: to the left in a column of this width, or each above its row."""

    above: bool
    width: float
    lines: list[list[str]]


def label_column(labels: Sequence[str], layout: Layout, *, high: float = 200, low: float = 104) -> LabelColumn:
    """Names of rows beside them where they fit into `high` pixels (`low` on a telephone), wrapped; else above them."""
    size = layout.label
    most = low if layout.narrow else high
    beside = [wrap(label, most, size) for label in labels]
    across = max(widest(lines, size) for lines in beside)
    if not layout.narrow or (across <= most * 1.25 and max(len(lines) for lines in beside) <= 2):
        return LabelColumn(False, across + 4, beside)
    return LabelColumn(True, 0, [wrap(label, layout.width - 8, size) for label in labels])


def _reach(scale: Linear, start: float, end: float | None) -> tuple[float, float]:
    return scale(start), scale(start) + TAIL * 0.8 if end is None else max(scale(end), scale(start) + 3)


def _tiers(spans: Sequence[tuple[float, float]], *, most: int) -> list[int]:
    """The first free tier of each span in turn; past the last tier they share the one that is free soonest."""
    edges: list[float] = []
    out = []
    for start, stop in spans:
        tier = next((i for i, edge in enumerate(edges) if edge <= start + 0.5), None)
        if tier is None:
            tier = len(edges) if len(edges) < most else min(range(most), key=edges.__getitem__)
        if tier == len(edges):
            edges.append(stop)
        edges[tier] = max(edges[tier], stop)
        out.append(tier)
    return out
