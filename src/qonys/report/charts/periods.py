"""Lines along time over the measures in force: lanes of periods under the plot, on the same axis of time.

A period is a bar from its first to its last day. An end that is not known fades, on either side: the bar never claims to begin or to last
where nobody knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qonys.core.errors import DesignError
from qonys.report.charts.axes import Linear, moment
from qonys.report.charts.draw import LEADING, Sheet, legend
from qonys.report.charts.lanes import TAIL, time_grid
from qonys.report.charts.series import Plot, reach
from qonys.report.charts.svg import Chart, both, records
from qonys.report.charts.theme import AXIS, KINDS, PALE, SOFT, Layout, ink_of, kind_colour, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

BAR = 9.0


@dataclass(frozen=True, slots=True)
class _Bar:
    start: float
    end: float | None
    sure: float  # without an end: until when it was surely there
    known_start: bool
    known_end: bool
    label: str
    kind: str
    shade: bool


def lines_over_periods(
    rows: pd.DataFrame, periods: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, gap_label: str,
    number_format: Callable[[float], str], kind_labels: Mapping[str, str], open_label: str, periods_label: str = "",
    span: tuple[object, object] | None = None, locale: str = "en",
) -> Chart:  # fmt: skip
    """Lines named at their ends, as `time_lines` draws them, over lanes of measures on the same axis of time.

    rows: x (year, ISO month or ISO day), series, label, value (none: missing). periods: lane (its words), start (ISO day), end (ISO day, or
    none: not known), kind (a key of kind_labels), label (words beside the bar, left out where there is no room; may be empty); known_start,
    known_end (false: fades there); sure_until (ISO day: without an end, the bar fades from there on); shade (true: the plot is tinted that
    long). Without rows of periods only the lines are drawn. kind_labels: words for the kinds; open_label: for ends that are not known;
    periods_label: a heading for the lanes.
    """
    if span is not None and {"x"} <= set(rows.columns):
        low, high = reach([], span)
        rows = rows[[low <= moment(x)[0] <= high for x in rows["x"]]]
    plot = Plot(rows, prefix=prefix, unit=unit, gap_label=gap_label, number_format=number_format, span=span, locale=locale)
    lanes = _lanes(periods, prefix) if len(periods) else {}
    used = {bar.kind for bars in lanes.values() for bar in bars}
    entries = [(kind_colour(kind), words) for kind, words in kind_labels.items() if kind in used]
    if any(not (bar.known_start and bar.known_end) or bar.end is None for bars in lanes.values() for bar in bars):
        entries.append((f"tail-{KINDS['neutral'][1:]}", open_label))

    def draw(layout: Layout) -> Sheet:
        def behind(sheet: Sheet, x: Linear, top: float, bottom: float) -> None:
            for bar in (bar for bars in lanes.values() for bar in bars if bar.shade):
                x0, x1 = _edges(x, bar)
                sheet.rect(x0, top, x1 - x0, bottom - top, kind_colour(bar.kind), opacity=0.08)

        sheet, x, under = plot.drawn(layout, behind)
        y = under + 8
        shown = {lane: [bar for bar in bars if _seen(x, bar)] for lane, bars in lanes.items()}
        if any(shown.values()):
            if periods_label:
                words = wrap(periods_label, layout.width - 4, layout.small)
                sheet.text(0, y, words, layout.small, colour=SOFT, stand="top")
                y += len(words) * layout.small * LEADING + 4
            for place, (lane, bars) in enumerate((lane, bars) for lane, bars in shown.items() if bars):
                y = _lane(sheet, x, y, lane, bars, layout, tinted=place % 2 == 0)
            sheet.line([(x.start, y), (x.stop, y)], AXIS)
            y += 4 + legend(sheet, 2, y + 4, layout.width, entries, layout.small)
        sheet.height = y + 4
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _lanes(periods: pd.DataFrame, prefix: str) -> dict[str, list[_Bar]]:
    """The bars of each lane in the order given, each in the order of time."""
    table = records(
        periods, "lane", "start", "end", "kind", "label", prefix=prefix, optional=("known_start", "known_end", "sure_until", "shade")
    )
    lanes: dict[str, list[_Bar]] = {}
    for row in table:
        start, end = moment(row["start"])[0], None if row["end"] is None else moment(row["end"])[0]
        if end is not None and end < start:
            raise DesignError(
                f"chart {prefix!r} has a period from {row['start']} to {row['end']}", mend="give its days in the order of time"
            )
        known = [row[name] is None or bool(row[name]) for name in ("known_start", "known_end")]
        # the last day is in force to its end
        until = None if end is None else end + 1 / 366
        sure = start if row["sure_until"] is None else max(moment(row["sure_until"])[0], start)
        bar = _Bar(
            start, until, sure, known[0], known[1] and end is not None, str(row["label"] or ""), str(row["kind"]), bool(row["shade"])
        )
        lanes.setdefault(str(row["lane"]), []).append(bar)
    return {lane: sorted(bars, key=lambda bar: (bar.start, bar.label)) for lane, bars in lanes.items()}


def _seen(x: Linear, bar: _Bar) -> bool:
    return bar.start <= x.high and (bar.sure if bar.end is None else bar.end) >= x.low


def _edges(x: Linear, bar: _Bar) -> tuple[float, float]:
    """First and last pixel of a bar, at least three apart, cut at the edges of the scale; without an end, of its tail."""
    x0 = min(max(x(bar.start), x.start), x.stop - 3)
    if bar.end is None:
        return x0, min(max(x(bar.sure), x0) + TAIL, x.stop + 8)
    return x0, max(min(x(bar.end), x.stop), x0 + 3)


def _lane(sheet: Sheet, x: Linear, y: float, lane: str, bars: list[_Bar], layout: Layout, *, tinted: bool) -> float:
    """The name of a lane on a line of its own, under it the bars, in as many tiers as keep them and their labels apart."""
    size = layout.small
    name = wrap(lane, layout.width - 8, size)
    placed: list[tuple[int, _Bar, list[str], bool]] = []
    taken: list[list[tuple[float, float]]] = []
    for bar in bars:
        x0, x1 = _edges(x, bar)
        words, after = _beside(bar.label, x0 - 9, sheet.width - x1 - 9, size)
        room = widest(words, size) + 9 if words else 0.0
        left, right = (x0, x1 + room) if after else (x0 - room, x1)
        tier = next((i for i, spans in enumerate(taken) if all(right + 4 < a or left > b + 4 for a, b in spans)), len(taken))
        if tier == len(taken):
            taken.append([])
        taken[tier].append((left, right))
        placed.append((tier, bar, words, after))
    each = [max([BAR + 4, *(len(words) * size * LEADING + 2 for at, _, words, _ in placed if at == tier)]) for tier in range(len(taken))]
    head = len(name) * size * LEADING + 3
    bottom = y + head + sum(each) + 4
    if tinted:
        sheet.rect(0, y, layout.width, bottom - y, PALE)
    time_grid(sheet, x, y + head, bottom)
    sheet.text(4, y + 2, name, size, stand="top")
    for tier, bar, words, after in placed:
        middle = y + head + sum(each[:tier]) + each[tier] / 2
        x0, x1 = _edges(x, bar)
        _bar(sheet, x0, x1, middle - BAR / 2, bar)
        if words:
            at, align = (x1 + 5, "left") if after else (x0 - 5, "right")
            sheet.text(at, middle, words, size, colour=ink_of(kind_colour(bar.kind)), align=align)  # type: ignore[arg-type]
    return bottom


def _beside(label: str, before: float, after: float, size: float) -> tuple[list[str], bool]:
    """The words of a bar in one to three lines, and whether they stand after it; none where neither side has room: its lane is named."""
    for lines in (1, 2, 3):
        for room, behind in ((after, True), (before, False)):
            words = wrap(label, max(room, 1), size, lines=lines)
            if words and widest(words, size) <= room:
                return words, behind
    return [], True


def _bar(sheet: Sheet, x0: float, x1: float, y: float, bar: _Bar) -> None:
    """A bar with sharp ends where they are known, else fading ones."""
    colour = kind_colour(bar.kind)
    fade = 0.0 if bar.known_end else min(TAIL, x1 - x0 - 2.5 if bar.end is None else (x1 - x0) * 0.4)
    rise = 0.0 if bar.known_start else min(TAIL, (x1 - x0 - (fade if bar.end is None else 0)) * 0.4)
    left, right = x0 + rise, x1 - fade
    if rise:
        sheet.rect(x0, y, rise + 0.3, BAR, f"rise-{colour[1:]}")
    sheet.rect(left, y, max(right - left, 2), BAR, colour)
    if fade:
        sheet.rect(right - 0.3, y, fade, BAR, f"fade-{colour[1:]}")
