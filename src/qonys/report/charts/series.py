"""Lines along time: with their gaps and the measures below, or with intervals and phases."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qonys.report.charts.axes import Linear, moment, spread, tick_texts, ticks, time_axis, value_axis
from qonys.report.charts.draw import LEADING, Sheet, legend
from qonys.report.charts.lanes import Band, band_lane
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import AXIS, INK, MISSING, SOFT, Layout, ink_of, series_colour, text_width, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    _Point = tuple[float, dict[str, Any]]
    Runs = list[list[_Point]]


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time with a name, from its first to its last year, month or day, both within."""

    first: str
    last: str
    label: str


@dataclass(slots=True)
class _Series:
    label: str
    colour: str
    runs: Runs


def time_lines(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, gap_label: str, number_format: Callable[[float], str],
    bands: Sequence[Band] = (), kind_labels: Mapping[str, str] | None = None, span: tuple[object, object] | None = None, locale: str = "en",
) -> Chart:  # fmt: skip
    """Lines named at their ends, broken where values are missing, with measures of policy in a lane below.

    rows: x (year, ISO month or ISO day), series, label, value (none: missing). A stretch of `span` (by default first to last x) that no
    series covers is hatched and says `gap_label`; one that some series covers is hatched along the foot. kind_labels: words for the
    kinds of the bands. The last value of each series is printed.
    """
    plot = Plot(rows, prefix=prefix, unit=unit, gap_label=gap_label, number_format=number_format, span=span, locale=locale)

    def draw(layout: Layout) -> Sheet:
        sheet, x, under = plot.drawn(layout)
        sheet.height = under + 6
        if bands:
            sheet.height = under + 10 + band_lane(sheet, x, under + 6, bands, layout, kind_labels or {}) + 4
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


class Plot:
    """Lines along time with their axes and gaps, ready to be drawn in either layout; what stands below or behind is added by charts."""

    def __init__(self, rows: pd.DataFrame, *, prefix: str, unit: str, gap_label: str, number_format: Callable[[float], str],
                 span: tuple[object, object] | None, locale: str) -> None:  # fmt: skip
        table = records(rows, "x", "series", "label", "value", prefix=prefix)
        refuse_without_values([row["value"] for row in table], prefix)
        self.series, self.length = _series(table)
        self.low, self.high = reach([row["x"] for row in table], span)
        self.values = [row["value"] for row in table if row["value"] is not None]
        self.unit, self.gap_label, self.number_format, self.locale = unit, gap_label, number_format, locale

    def drawn(self, layout: Layout, behind: Callable[[Sheet, Linear, float, float], None] | None = None) -> tuple[Sheet, Linear, float]:
        """A sheet with the lines, its scale of time, and where the axis below ends. `behind` puts marks under the lines: it gets the sheet,
        the scale, and the top and bottom of the plot."""
        series, length, low, high = self.series, self.length, self.low, self.high
        sheet = Sheet(layout.width)
        holes = _uncovered([run for one in series for run in one.runs], length, low, high)
        partial = sorted({hole for one in series for hole in _uncovered(one.runs, length, low, high)} - set(holes))
        left, right, marks = _frame(series, layout, [*self.values, 0.0], self.locale, self.number_format)
        x = Linear(low, high, left, right)
        inside = {hole: _fit(self.gap_label, x(hole[1]) - x(hole[0]), layout) for hole in holes}
        entries = _key(series, layout) + ([(MISSING, self.gap_label)] if partial or None in inside.values() else [])
        top = caption(sheet, self.unit, layout, entries)
        bottom = top + (210 if layout.narrow else 270)
        y = Linear(marks[0], marks[-1], bottom, top)
        if behind is not None:
            behind(sheet, x, top, bottom)
        for (start, stop), words in inside.items():
            sheet.rect(x(start), top, x(stop) - x(start), bottom - top, MISSING)
            if words:
                turned = len(words) == 1 and text_width(words[0], layout.small) > x(stop) - x(start)
                middle = (x(start) + x(stop)) / 2
                at = (middle + layout.small * 0.36, (top + bottom) / 2) if turned else (middle, top + 8)
                sheet.text(*at, words, layout.small, colour=SOFT, align="center", stand="top", angle=-90 if turned else 0)
        for start, stop in partial:
            sheet.rect(x(start), bottom - 7, x(stop) - x(start), 7, MISSING)
        value_axis(sheet, y, marks, left, right, self.locale, layout.small)
        _draw_lines(sheet, series, x, y, dots=length is not None and length * (right - left) / (high - low) >= 12)
        _end_labels(sheet, series, x, y, layout, right, self.number_format)
        return sheet, x, bottom + time_axis(sheet, x, bottom, self.locale, layout.small)


def interval_lines(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, number_format: Callable[[float], str],
    phases: Sequence[Phase] = (), locale: str = "en",
) -> Chart:  # fmt: skip
    """Lines with the band of their intervals, over phases named on top.

    rows: x (ISO month, or year), series, label, value, low, high (low and high none: no band there). Broken where a period is missing.
    """
    table = records(rows, "x", "series", "label", "value", "low", "high", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    series, _ = _series(table)
    low, high = reach([row["x"] for row in table], None)
    values = [row[name] for row in table for name in ("value", "low", "high") if row[name] is not None]

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        left, right, marks = _frame(series, layout, [*values, 0.0], locale, number_format)
        x = Linear(low, high, left, right)
        head = caption(sheet, unit, layout, _key(series, layout))
        spans = [(max(_edge(phase.first, -1), low), min(_edge(phase.last, 1), high), phase.label) for phase in phases]
        spans = [(a, b, label) for a, b, label in spans if a < b]
        tall, names = _phase_names(x, spans, layout)
        top = head + tall
        bottom = top + (200 if layout.narrow else 250)
        y = Linear(marks[0], marks[-1], bottom, top)
        for place, (start, stop, _) in enumerate(spans):
            sheet.rect(x(start), top, x(stop) - x(start), bottom - top, "#ebeff3" if place % 2 == 0 else "#f8f9fa")
        for (start, stop, _), (middle, foot, lines) in zip(spans, names, strict=True):
            mark = (x(start) + x(stop)) / 2
            if tall - foot > 6:
                sheet.line([(mark, top), (mark, head + foot + 1)], AXIS)
            sheet.text(middle, head + foot, lines, layout.small, colour=SOFT, align="center", stand="bottom")
        value_axis(sheet, y, marks, left, right, locale, layout.small)
        for one in series:
            for run in one.runs:
                part: list[tuple[float, float, float]] = []
                for at, row in [*run, (high, {"low": None, "high": None})]:
                    if row["low"] is None or row["high"] is None:
                        if part:
                            lone = [(part[0][0] + side, *part[0][1:]) for side in (-2, 2)]
                            sheet.band(part if len(part) > 1 else lone, one.colour, opacity=0.22)
                        part = []
                    else:
                        part.append((x(at), y(row["low"]), y(row["high"])))
        _draw_lines(sheet, series, x, y, dots=False)
        _end_labels(sheet, series, x, y, layout, right, number_format)
        sheet.height = bottom + time_axis(sheet, x, bottom, locale, layout.small) + 6
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _series(table: list[dict[str, Any]]) -> tuple[list[_Series], float | None]:
    """The series in the order given, each in unbroken runs; and the length of a period where all have the same."""
    places = [moment(row["x"]) for row in table]
    lengths = {length for _, length in places}
    length = lengths.pop() if len(lengths) == 1 else None
    steps = [b - a for a, b in zip(sorted({at for at, _ in places}), sorted({at for at, _ in places})[1:], strict=False)]
    usual = length if length is not None else statistics.median(steps) if len(steps) > 3 else None
    out = []
    for place, key in enumerate(dict.fromkeys(row["series"] for row in table)):
        own = sorted(((at, row) for (at, _), row in zip(places, table, strict=True) if row["series"] == key), key=lambda point: point[0])
        runs: Runs = [[]]
        for at, row in own:
            if row["value"] is None:
                runs.append([])
                continue
            if runs[-1] and usual is not None and at - runs[-1][-1][0] > 1.6 * usual:
                runs.append([])
            runs[-1].append((at, row))
        out.append(_Series(str(own[0][1]["label"]), series_colour(place), [run for run in runs if run]))
    return [one for one in out if one.runs], length


def reach(xs: Sequence[object], span: tuple[object, object] | None) -> tuple[float, float]:
    """First and last moment of a chart: from the first period to the last, or as asked."""
    low, high = (min(_edge(x, -1) for x in xs), max(_edge(x, 1) for x in xs)) if span is None else (_edge(span[0], -1), _edge(span[1], 1))
    return low, max(high, low + 1 / 12)


def _edge(x: object, side: int) -> float:
    at, length = moment(x)
    return at + side * (length or 0.0) / 2


def _uncovered(runs: Runs, length: float | None, low: float, high: float) -> list[tuple[float, float]]:
    """Stretches between `low` and `high` that no run covers."""
    half = (length or 0.0) / 2
    reached, holes = low, []
    for start, stop in sorted((run[0][0] - half, run[-1][0] + half) for run in runs):
        if start > reached + 1e-6:
            holes.append((round(reached, 6), round(min(start, high), 6)))
        reached = max(reached, stop)
    if reached < high - 1e-6:
        holes.append((round(reached, 6), round(high, 6)))
    return [(a, b) for a, b in holes if b > a]


def _fit(words: str, room: float, layout: Layout) -> list[str] | None:
    """The words in lines that fit across the room, or as one line to be turned; none where neither goes."""
    lines = wrap(words, room - 6, layout.small)
    if widest(lines, layout.small) <= room - 4:
        return lines
    return [words] if room >= 14 and text_width(words, layout.small) < 190 else None


def _frame(series: list[_Series], layout: Layout, values: list[float], locale: str, number_format: Callable[[float], str]
           ) -> tuple[float, float, list[float]]:  # fmt: skip
    """Left and right edge of the plot, with room for the numbers and the names, and the ticks."""
    marks = ticks(min(values), max(values), 5)
    names = [line for one in series for line in _end_lines(one, layout, number_format, keyed=_keyed(series, layout))]
    return widest(tick_texts(marks, locale), layout.small) + 8, layout.width - widest(names, layout.label, bold=True) - 14, marks


def _keyed(series: list[_Series], layout: Layout) -> bool:
    """Whether the names are too long to stand at the ends of lines, and go into a key on top."""
    return any(len(_name_lines(one, layout)) > 3 for one in series) and layout.narrow


def _key(series: list[_Series], layout: Layout) -> list[tuple[str, str]]:
    return [(one.colour, one.label) for one in series] if _keyed(series, layout) else []


def _name_lines(one: _Series, layout: Layout) -> list[str]:
    return wrap(one.label, 90 if layout.narrow else 170, layout.label, bold=True)


def _end_lines(one: _Series, layout: Layout, number_format: Callable[[float], str], *, keyed: bool) -> list[str]:
    return [*([] if keyed else _name_lines(one, layout)), number_format(one.runs[-1][-1][1]["value"])]


def caption(sheet: Sheet, unit: str, layout: Layout, entries: list[tuple[str, str]]) -> float:
    """The unit, and a key where there is one; returns where the plot may start."""
    lines = wrap(unit, layout.width - 4, layout.small)
    sheet.text(0, 2, lines, layout.small, colour=SOFT, stand="top")
    y = 2 + len(lines) * layout.small * LEADING
    return y + legend(sheet, 0, y + 2, layout.width, entries, layout.small) + 12


def _draw_lines(sheet: Sheet, series: list[_Series], x: Linear, y: Linear, *, dots: bool) -> None:
    for one in series:
        for run in one.runs:
            if len(run) > 1:
                sheet.line([(x(at), y(row["value"])) for at, row in run], one.colour, width=2.2)
    for one in series:
        for run in one.runs:
            for place, (at, row) in enumerate(run):
                if dots or len(run) == 1 or (run is one.runs[-1] and place == len(run) - 1):
                    sheet.dot(x(at), y(row["value"]), 3.2 if len(run) == 1 or not dots else 2.6, one.colour, width=0.8)


def _end_labels(sheet: Sheet, series: list[_Series], x: Linear, y: Linear, layout: Layout, right: float,
                number_format: Callable[[float], str]) -> None:  # fmt: skip
    """Each series named at the height of its last value, moved apart where two come close, with a thin leader then."""
    keyed = _keyed(series, layout)
    blocks = [_end_lines(one, layout, number_format, keyed=keyed) for one in series]
    ends = [(x(one.runs[-1][-1][0]), y(one.runs[-1][-1][1]["value"])) for one in series]
    sizes = [len(lines) * layout.label * LEADING + 4 for lines in blocks]
    centres = spread([py for _, py in ends], sizes, y.stop - 10, y.start + 12)
    for one, lines, (px, py), centre in zip(series, blocks, ends, centres, strict=True):
        if abs(centre - py) > 5 or right - px > 14:
            sheet.line([(px + 4, py), (max(right - 2, px + 5), py), (right + 7, centre)], one.colour, width=0.8, opacity=0.7)
        top = centre - len(lines) * layout.label * LEADING / 2
        sheet.text(right + 10, top, lines[:-1], layout.label, colour=ink_of(one.colour), stand="top", bold=True)
        ink, foot = ink_of(one.colour) if keyed else INK, centre + len(lines) * layout.label * LEADING / 2
        sheet.text(right + 10, foot, lines[-1], layout.label, colour=ink, stand="bottom", bold=keyed)


def _phase_names(x: Linear, spans: list[tuple[float, float, str]], layout: Layout) -> tuple[float, list[tuple[float, float, list[str]]]]:
    """Height of the names of phases, and for each its centre, its foot and its lines; close ones stand in tiers."""
    placed: list[tuple[float, float, list[str], int]] = []
    for start, stop, label in spans:
        room = max(x(stop) - x(start) - 8, 84.0)
        while len(wrap(label, room, layout.small)) > 3 and room < 220:
            room += 12
        lines = wrap(label, room, layout.small)
        width = widest(lines, layout.small)
        middle = min(max((x(start) + x(stop)) / 2, x.start + width / 2), max(x.stop - width / 2, x.start + width / 2))
        tier = next(t for t in range(99) if all(p[3] != t or abs(p[0] - middle) > (p[1] + width) / 2 + 8 for p in placed))
        placed.append((middle, width, lines, tier))
    tiers = range(max((p[3] for p in placed), default=-1) + 1)
    heights = [max(len(p[2]) for p in placed if p[3] == tier) * layout.small * LEADING + 4 for tier in tiers]
    total = sum(heights) + (4 if placed else 0)
    return total, [(p[0], total - 3 - sum(heights[: p[3]]), p[2]) for p in placed]
