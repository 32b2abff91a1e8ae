"""Charts along time: lines with their gaps and the measures below, lines with intervals and phases, and sparse published points."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import pairwise
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
    _Box = tuple[float, float, float, float]
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
    table = records(rows, "x", "series", "label", "value", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    series, length = _series(table)
    low, high = _reach([row["x"] for row in table], span)
    values = [row["value"] for row in table if row["value"] is not None]

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        holes = _uncovered([run for one in series for run in one.runs], length, low, high)
        partial = sorted({hole for one in series for hole in _uncovered(one.runs, length, low, high)} - set(holes))
        left, right, marks = _frame(series, layout, [*values, 0.0], locale, number_format)
        x = Linear(low, high, left, right)
        inside = {hole: _fit(gap_label, x(hole[1]) - x(hole[0]), layout) for hole in holes}
        entries = [(MISSING, gap_label)] if partial or None in inside.values() else []
        top = _caption(sheet, unit, layout, entries)
        bottom = top + (210 if layout.narrow else 270)
        y = Linear(marks[0], marks[-1], bottom, top)
        for (start, stop), words in inside.items():
            sheet.rect(x(start), top, x(stop) - x(start), bottom - top, MISSING)
            if words:
                turned = len(words) == 1 and text_width(words[0], layout.small) > x(stop) - x(start)
                middle = (x(start) + x(stop)) / 2
                at = (middle + layout.small * 0.36, (top + bottom) / 2) if turned else (middle, top + 8)
                sheet.text(*at, words, layout.small, colour=SOFT, align="center", stand="top", angle=-90 if turned else 0)
        for start, stop in partial:
            sheet.rect(x(start), bottom - 7, x(stop) - x(start), 7, MISSING)
        value_axis(sheet, y, marks, left, right, locale, layout.small)
        _draw_lines(sheet, series, x, y, dots=length is not None and length * (right - left) / (high - low) >= 12)
        _end_labels(sheet, series, x, y, layout, right, number_format)
        under = bottom + time_axis(sheet, x, bottom, locale, layout.small)
        sheet.height = under + 6
        if bands:
            sheet.height = under + 10 + band_lane(sheet, x, under + 6, bands, layout, kind_labels or {}) + 4
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


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
    low, high = _reach([row["x"] for row in table], None)
    values = [row[name] for row in table for name in ("value", "low", "high") if row[name] is not None]

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        left, right, marks = _frame(series, layout, [*values, 0.0], locale, number_format)
        x = Linear(low, high, left, right)
        head = _caption(sheet, unit, layout, [])
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
    low, high = _reach([row["x"] for row in (*table, *levels)], None)
    low, high = low - (high - low) * 0.03, high + (high - low) * 0.03
    steps = _levels(levels, high)
    values = [0.0, *(row["value"] for group in groups for _, row in group), *(row["value"] for _, _, row in steps)]

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        marks = ticks(min(values), max(values), 5)
        left, right = widest(tick_texts(marks, locale), layout.small) + 10, layout.width - 14.0
        x = Linear(low, high, left, right)
        entries = [(f"dot-{series_colour(place)[1:]}", str(group[0][1]["label"])) for place, group in enumerate(groups)]
        top = _caption(sheet, unit, layout, [*entries, (f"line-{SOFT[1:]}", quota_label)] if steps else entries) + 8
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
            taken += [box for one, other in pairwise(line) for box in _boxes(one, other)]
        free = _Free(sheet, layout.small, taken, (left - 2, top - 14, layout.width, bottom))
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


def _boxes(one: tuple[float, float], other: tuple[float, float]) -> list[_Box]:
    """A stroke as small boxes that labels must not cover."""
    count = max(1, round(max(abs(other[0] - one[0]), abs(other[1] - one[1])) / 4))
    points = [(one[0] + (other[0] - one[0]) * i / count, one[1] + (other[1] - one[1]) * i / count) for i in range(count + 1)]
    return [(x - 2, y - 2, x + 2, y + 2) for x, y in points]


@dataclass(slots=True)
class _Free:
    """Labels put beside points where they cover nothing: neither the boxes taken nor the edge of the room."""

    sheet: Sheet
    size: float
    taken: list[_Box]
    room: _Box

    def label(self, point: tuple[float, float], text: str, ink: str) -> None:
        """The text at the first free place around the point; left out where there is none."""
        half, height = text_width(text, self.size, bold=True) / 2, self.size * LEADING
        beside = [(0.0, -14.0), (0.0, 14.0), (half + 8, 0.0), (-half - 8, 0.0), (half + 4, -13.0), (-half - 4, -13.0), (half + 4, 13.0)]
        for dx, dy in (*beside, (-half - 4, 13.0), (0.0, -26.0), (0.0, 26.0)):
            x, y = point[0] + dx, point[1] + dy
            box = (x - half, y - height / 2, x + half, y + height / 2)
            inside = box[0] >= self.room[0] and box[1] >= self.room[1] and box[2] <= self.room[2] and box[3] <= self.room[3]
            if text and inside and all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in self.taken):
                self.sheet.text(x, y, text, self.size, colour=ink, align="center", bold=True)
                self.taken.append(box)
                return


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


def _reach(xs: Sequence[object], span: tuple[object, object] | None) -> tuple[float, float]:
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
    left = widest(tick_texts(marks, locale), layout.small) + 8
    return left, layout.width - max(widest(_end_lines(one, layout, number_format), layout.label, bold=True) for one in series) - 14, marks


def _end_lines(one: _Series, layout: Layout, number_format: Callable[[float], str]) -> list[str]:
    return [*wrap(one.label, 90 if layout.narrow else 170, layout.label, bold=True), number_format(one.runs[-1][-1][1]["value"])]


def _caption(sheet: Sheet, unit: str, layout: Layout, entries: list[tuple[str, str]]) -> float:
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
    blocks = [_end_lines(one, layout, number_format) for one in series]
    ends = [(x(one.runs[-1][-1][0]), y(one.runs[-1][-1][1]["value"])) for one in series]
    sizes = [len(lines) * layout.label * LEADING + 4 for lines in blocks]
    centres = spread([py for _, py in ends], sizes, y.stop - 10, y.start + 12)
    for one, lines, (px, py), centre in zip(series, blocks, ends, centres, strict=True):
        if abs(centre - py) > 5 or right - px > 14:
            sheet.line([(px + 4, py), (max(right - 2, px + 5), py), (right + 7, centre)], one.colour, width=0.8, opacity=0.7)
        top = centre - len(lines) * layout.label * LEADING / 2
        sheet.text(right + 10, top, lines[:-1], layout.label, colour=ink_of(one.colour), stand="top", bold=True)
        sheet.text(right + 10, top + (len(lines) - 1) * layout.label * LEADING, lines[-1], layout.label, colour=INK, stand="top")


def _phase_names(x: Linear, spans: list[tuple[float, float, str]], layout: Layout) -> tuple[float, list[tuple[float, float, list[str]]]]:
    """Height of the names of phases, and for each its centre, its foot and its lines; close ones stand in tiers."""
    placed: list[tuple[float, float, list[str], int]] = []
    for start, stop, label in spans:
        lines = wrap(label, max(x(stop) - x(start) - 8, 84), layout.small)
        width = widest(lines, layout.small)
        middle = min(max((x(start) + x(stop)) / 2, x.start + width / 2), max(x.stop - width / 2, x.start + width / 2))
        tier = next(t for t in range(99) if all(p[3] != t or abs(p[0] - middle) > (p[1] + width) / 2 + 8 for p in placed))
        placed.append((middle, width, lines, tier))
    tiers = range(max((p[3] for p in placed), default=-1) + 1)
    heights = [max(len(p[2]) for p in placed if p[3] == tier) * layout.small * LEADING + 4 for tier in tiers]
    total = sum(heights) + (4 if placed else 0)
    return total, [(p[0], total - 3 - sum(heights[: p[3]]), p[2]) for p in placed]
