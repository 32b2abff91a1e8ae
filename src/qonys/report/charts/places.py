"""Maps of likeness: areas drawn near to each other that do alike, one picture a time, on paper that does not turn between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.report.charts.axes import ticks
from qonys.report.charts.draw import LEADING, Sheet
from qonys.report.charts.labels import Free
from qonys.report.charts.series import caption
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import AXIS, INK, PALE, SOFT, Layout, series_colour, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Points = dict[str, tuple[float, float]]

ALIKE = 6.0  # pixels within which areas share a dot
NAMED = 6  # areas of one dot that are named; of more the rest is counted


def policy_map(rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, number_format: Callable[[float], str]) -> Chart:
    """Panels in the order given, all at one scale, with a bar for the distance; a thin line leads from where an area stood before.

    rows: panel (its words), label (short), x, y (the two coordinates, in the unit of the distances).
    """
    table = records(rows, "panel", "label", "x", "y", prefix=prefix)
    refuse_without_values([row["x"] for row in table], prefix)
    panels = list(dict.fromkeys(str(row["panel"]) for row in table))
    places = {panel: {str(row["label"]): (float(row["x"]), float(row["y"])) for row in table if row["panel"] == panel} for panel in panels}
    xs, ys = ([row[axis] for row in table] for axis in ("x", "y"))
    wide, tall = max(max(xs) - min(xs), 1e-9), max(max(ys) - min(ys), 1e-9)
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        columns = 1 if layout.narrow else min(2, len(panels))
        gap = 12.0
        width = (layout.width - gap * (columns - 1)) / columns
        head = layout.label * LEADING + 8
        height = min(max((width - 70) * tall / wide + 70, 170.0), width)
        scale = min((width - 70) / wide, (height - 70) / tall)
        foot = caption(sheet, unit, layout, [])
        top = _bar(sheet, foot, scale, wide, number_format, layout)
        for number, panel in enumerate(panels):
            left, up = (number % columns) * (width + gap), top + (number // columns) * (height + head + 10)
            sheet.text(left, up, [panel], layout.label, stand="top", bold=True)
            box = (left, up + head, left + width, up + head + height)
            sheet.rect(box[0], box[1], width, height, PALE)
            centre = left + width / 2 - middle[0] * scale, up + head + height / 2 + middle[1] * scale
            at, was = (
                {name: (centre[0] + x * scale, centre[1] - y * scale) for name, (x, y) in places[one].items()}
                for one in (panel, panels[max(number - 1, 0)])
            )
            for name in sorted(at.keys() & was.keys()) if number else ():
                sheet.line([was[name], at[name]], AXIS, width=0.7, opacity=0.5)
            _dots(sheet, at, layout, box)
        sheet.height = top + -(-len(panels) // columns) * (height + head + 10)
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _dots(sheet: Sheet, at: Points, layout: Layout, box: tuple[float, float, float, float]) -> None:
    """A dot for each area, one for those that stand on one spot, larger the more they are; named where there is room."""
    groups: list[tuple[tuple[float, float], list[str]]] = []
    for name, point in sorted(at.items()):
        near = next((one for one in groups if abs(one[0][0] - point[0]) + abs(one[0][1] - point[1]) <= ALIKE), None)
        if near:
            near[1].append(name)
        else:
            groups.append((point, [name]))
    groups.sort(key=lambda one: -len(one[1]))
    sizes = [3.0 + 1.2 * (len(names) ** 0.5 - 1) for _, names in groups]
    taken = [(x - r - 1, y - r - 1, x + r + 1, y + r + 1) for ((x, y), _), r in zip(groups, sizes, strict=True)]
    for ((x, y), _), radius in zip(groups, sizes, strict=True):
        sheet.dot(x, y, radius, series_colour(0))
    free = Free(sheet, layout.small - 1, taken, box)
    for point, names in groups:
        shown = names if len(names) <= NAMED else [*names[: NAMED - 1], f"+{len(names) - NAMED + 1}"]
        free.label(point, wrap(" ".join(shown), 96, layout.small - 1), INK, bold=False)


def _bar(sheet: Sheet, top: float, scale: float, wide: float, number_format: Callable[[float], str], layout: Layout) -> float:
    """How long so many units are on the maps; returns where these may start."""
    length = ticks(0.0, wide, 5)[1]
    right, middle = 1 + length * scale, top + 2
    sheet.line([(1, middle), (right, middle)], SOFT, width=2)
    for end in (1.0, right):
        sheet.line([(end, middle - 4), (end, middle + 4)], SOFT)
    sheet.text(right + 8, middle, [number_format(length)], layout.small, colour=SOFT)
    return middle + layout.small * LEADING
