"""What came before and after a measure, by periods since it began: dots with whiskers, the time in force shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.report.charts.axes import Linear, tick_texts, ticks, value_axis
from qonys.report.charts.draw import Sheet
from qonys.report.charts.series import caption
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import AXIS, INK, PAPER, SOFT, Layout, series_colour, widest, wrap

if TYPE_CHECKING:
    import pandas as pd

IN_FORCE = "#ebeff3"


def event_study(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, time_label: str, force_label: str, locale: str = "en"
) -> Chart:
    """Estimates by event time, 0 being the first period in force; the period compared with is a hollow dot at zero.

    rows: event_time (whole), value, low, high (none: no band), reference (true: the period compared with).
    """
    table = sorted(records(rows, "event_time", "value", "low", "high", "reference", prefix=prefix), key=lambda row: row["event_time"])
    refuse_without_values([row["value"] for row in table], prefix)
    first, last = int(table[0]["event_time"]), max(int(table[-1]["event_time"]), 0)
    numbers = [0.0, *(row[name] for row in table for name in ("value", "low", "high") if row[name] is not None)]

    def draw(layout: Layout) -> Sheet:
        sheet, x, y = _frame(numbers, first, last, unit, [], force_label, layout, locale)
        for row in table:
            at = x(row["event_time"])
            if row["low"] is not None and row["high"] is not None:
                sheet.line([(at, y(row["low"])), (at, y(row["high"]))], series_colour(0), width=2)
            if row["value"] is not None:
                hollow = bool(row["reference"])
                sheet.dot(at, y(row["value"]), 4, PAPER if hollow else series_colour(0), stroke=INK if hollow else PAPER, width=1.2)
        _times(sheet, x, y, first, last, time_label, layout, locale)
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def counterfactual(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, time_label: str, force_label: str, names: tuple[str, str],
    locale: str = "en",
) -> Chart:  # fmt: skip
    """What came, and what would have come without the measure with its band, by event time; where the two part is the effect.

    rows: event_time (whole), observed, without, low, high (of without; none: no band). names: of observed, and of without.
    """
    table = sorted(records(rows, "event_time", "observed", "without", "low", "high", prefix=prefix), key=lambda row: row["event_time"])
    refuse_without_values([row["observed"] for row in table], prefix)
    first, last = int(table[0]["event_time"]), max(int(table[-1]["event_time"]), 0)
    numbers = [0.0, *(row[name] for row in table for name in ("observed", "without", "low", "high") if row[name] is not None)]

    def draw(layout: Layout) -> Sheet:
        key = [(series_colour(0), names[0]), (f"line-{series_colour(1)[1:]}", names[1])]
        sheet, x, y = _frame(numbers, first, last, unit, key, force_label, layout, locale)
        band = [row for row in table if row["low"] is not None and row["high"] is not None]
        if len(band) > 1:
            sheet.band([(x(row["event_time"]), y(row["low"]), y(row["high"])) for row in band], series_colour(1), opacity=0.22)
        for name, colour, dash in (("without", series_colour(1), (5, 3)), ("observed", series_colour(0), ())):
            sheet.line([(x(row["event_time"]), y(row[name])) for row in table if row[name] is not None], colour, width=2.2, dash=dash)
        _times(sheet, x, y, first, last, time_label, layout, locale)
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _frame(
    numbers: list[float], first: int, last: int, unit: str, key: list[tuple[str, str]], force_label: str, layout: Layout, locale: str
) -> tuple[Sheet, Linear, Linear]:
    """A sheet with unit, key and axis of values, the time in force shaded, and the scales."""
    sheet = Sheet(layout.width)
    marks = ticks(min(numbers), max(numbers), 5)
    left, right = widest(tick_texts(marks, locale), layout.small) + 10, layout.width - 8.0
    top = caption(sheet, unit, layout, key) + layout.small * 1.4
    bottom = top + (210 if layout.narrow else 260)
    x = Linear(first - 0.6, last + 0.6, left, right)
    y = Linear(marks[0], marks[-1], bottom, top)
    begins = x(-0.5)
    sheet.rect(begins, top, right - begins, bottom - top, IN_FORCE)
    words = wrap(force_label, right - left, layout.small)[:1]  # it may reach beyond a short time in force
    sheet.text(right - 3, top - 3, words, layout.small, colour=SOFT, align="right", stand="bottom")
    value_axis(sheet, y, marks, left, right, locale, layout.small)
    sheet.line([(begins, top), (begins, bottom)], AXIS, width=1, dash=(4, 3))
    return sheet, x, y


def _times(sheet: Sheet, x: Linear, y: Linear, first: int, last: int, time_label: str, layout: Layout, locale: str) -> None:
    """Event times below, with what they count; closes the sheet."""
    step = max(1, -(-(last - first + 1) // (8 if layout.narrow else 16)))
    shown = [time for time in range(first, last + 1) if time % step == 0]
    for time, text in zip(shown, tick_texts([float(time) for time in shown], locale), strict=True):
        sheet.text(x(time), y.start + 4, text, layout.small, colour=SOFT, align="center", stand="top")
    foot = y.start + 6 + layout.small * 1.2
    lines = wrap(time_label, x.stop - x.start, layout.small)
    sheet.text((x.start + x.stop) / 2, foot, lines, layout.small, colour=SOFT, align="center", stand="top")
    sheet.height = foot + len(lines) * layout.small * 1.2 + 6
