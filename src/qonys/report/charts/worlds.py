"""Maps of areas: the world, Europe, Central Asia by countries, Kazakhstan by regions, each area in the colour of its class.

Boundaries are those of data/shapes (Natural Earth, public domain); areas keep their size (Equal Earth, Lambert azimuthal equal-area).
Areas too small to be seen are rings. Missing is hatched, what the table does not name is pale.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from qonys.core.errors import DesignError, nearest
from qonys.report.charts.axes import ticks
from qonys.report.charts.draw import LEADING, Sheet, legend
from qonys.report.charts.labels import Box, Free
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import INK, MISSING, PAPER, SOFT, Layout, diverging, ink_on, sequential, text_width, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    Point = tuple[float, float]

View = Literal["world", "europe", "central_asia", "kazakhstan"]
CLASSES = 5
EMPTY = "#eceff2"  # land that the table does not name
SHORE = "#9aa4ae"
VIEWS: dict[str, dict[str, Any]] = {
    "world": {"set": "world", "centre": None, "corners": [(-180, 0), (180, 0), (0, 84), (0, -56)]},
    "europe": {
        "set": "near",
        "centre": (10.0, 52.0),
        "corners": [(-23, 65), (-10, 35.5), (35, 34.2), (26, 71.5), (40, 48), (24, 34.3), (14.4, 35.3)],
    },
    "central_asia": {"set": "near", "centre": (67.0, 45.0), "corners": [(46, 45), (54, 36), (88, 36), (88, 49), (70, 56), (75, 35)]},
    "kazakhstan": {
        "file": "regions", "set": "kazakhstan", "centre": (67.0, 48.0),
        "corners": [(46.2, 48.5), (87.5, 49.2), (69, 55.6), (68, 40.4), (53, 41)],
    },
}  # fmt: skip


def area_map(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, missing_label: str, number_format: Callable[[float], str],
    view: View = "world", classes: Literal["round", "quantiles"] = "round", between: str = "{low} – {high}",
) -> Chart:  # fmt: skip
    """Areas in the colours of classes of their values, with the value, and the name where there is room, on them.

    rows: code (ISO alpha-3 of a country; of a region of Kazakhstan as they were until 2018 ISO 3166-2), label, value (none: missing), text
    (the value as printed). Values of both signs are orange below zero and blue above. classes: breaks at round numbers, or with equally
    many areas in each class (quantiles); the key says from where to where each goes, as `between` words it. A code without a shape is
    refused, so that nobody is lost silently.
    """
    if view not in VIEWS:
        raise DesignError(f"there is no map {view!r}", mend=nearest(str(view), VIEWS))
    table = records(rows, "code", "label", "value", "text", prefix=prefix)
    refuse_without_values([row["value"] for row in table], prefix)
    own = {str(row["code"]): row for row in table}
    shapes, dots = _shapes(view)
    for code in own:
        if code not in shapes and code not in dots:
            raise DesignError(f"chart {prefix!r}: no area of the map {view} has the code {code!r}", mend=nearest(code, [*shapes, *dots]))
    values = [float(row["value"]) for row in table if row["value"] is not None]
    scale = Scale.of(values, classes)
    entries = [(colour, between.format(low=number_format(low), high=number_format(high))) for low, high, colour in scale.steps()]
    if any(row["value"] is None for row in table):
        entries.append((MISSING, missing_label))

    def draw(layout: Layout) -> Sheet:
        sheet, size = Sheet(layout.width), layout.small
        words = wrap(unit, layout.width - 4, size)
        sheet.text(0, 2, words, size, colour=SOFT, stand="top")
        top = 2 + len(words) * size * LEADING
        top += legend(sheet, 0, top + 2, layout.width, entries, size) + 8
        frame = Frame(view, layout.width, top)
        drawn = {code: [path for ring in rings if len(path := frame.path(ring)) > 2] for code, rings in shapes.items()}
        largest = sorted(drawn, key=lambda code: -sum(map(_area, drawn[code])))
        for code in largest:
            for path in drawn[code]:
                sheet.polygon(path, _fill(own.get(code), scale), stroke=PAPER, width=0.6)
        free = Free(sheet, size - 1, [], (2, frame.top, layout.width - 2, frame.bottom))
        for code in largest:
            if code in own and drawn[code] and code not in dots:
                _label(free, max(drawn[code], key=_area), own[code], _fill(own[code], scale))
        for code, (lon, lat) in dots.items():
            if code in own and frame.holds(at := frame(lon, lat)):
                sheet.dot(*at, 5.5 if not layout.narrow else 4.0, _fill(own[code], scale), stroke=INK, width=1)
                free.taken.append((at[0] - 6, at[1] - 6, at[0] + 6, at[1] + 6))
        seen = {code: at for code, at in dots.items() if code in own and frame.holds(frame(*at)) and not layout.narrow}
        for code, (lon, lat) in seen.items():
            if own[code]["text"] is not None:
                # only at sea: a name on another country would be read as that country's; a city lies in the midst of its region
                others = [] if view == "kazakhstan" else [path for other in own if other != code for path in drawn.get(other, [])]
                free.taken += _land(frame(lon, lat), others)
                free.label(frame(lon, lat), [str(own[code]["label"]), str(own[code]["text"])], INK, bold=False)
        sheet.height = frame.bottom + 4
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def mapped(view: View) -> frozenset[str]:
    """The codes that a map can show."""
    return frozenset().union(*_shapes(view))


@dataclass(frozen=True, slots=True)
class Scale:
    """Classes of values: their edges, and whether zero lies inside, with a colour on each side."""

    edges: tuple[float, ...]
    signed: bool

    @classmethod
    def of(cls, values: Sequence[float], how: str) -> Scale:
        """Classes for these values, at round breaks or with equally many values in each."""
        low, high = min(values), max(values)
        signed = low < 0 < high
        if how == "quantiles":
            ranked = sorted(values)
            places = [place * (len(ranked) - 1) / CLASSES for place in range(CLASSES + 1)]
            cuts = [ranked[int(at)] + (ranked[min(int(at) + 1, len(ranked) - 1)] - ranked[int(at)]) * (at - int(at)) for at in places]
            edges = sorted({*cuts, *([0.0] if signed else [])})
        else:
            edges = ticks(low, high, CLASSES)
        return cls(tuple(edges) if len(edges) > 1 else (low, low + 1), signed)

    def colour(self, value: float) -> str:
        """The colour of the class that holds a value; its upper edge belongs to the next class."""
        place = next((i for i in range(len(self.edges) - 2) if value < self.edges[i + 1]), len(self.edges) - 2)
        if not self.signed:
            return sequential(0.12 + 0.88 * (place + 0.5) / (len(self.edges) - 1))
        below, above = sum(edge < 0 for edge in self.edges), sum(edge > 0 for edge in self.edges)
        # as many steps from zero on both sides: the darker, the farther, whichever the sign
        steps = place - below if self.edges[place + 1] <= 0 else place - below + 1
        return diverging(steps / max(below, above) * 0.95)

    def steps(self) -> list[tuple[float, float, str]]:
        """Each class from where to where, and its colour."""
        return [(low, high, self.colour((low + high) / 2)) for low, high in zip(self.edges, self.edges[1:], strict=False)]


class Frame:
    """A view of the map on a sheet: from degrees to pixels, cut to its window."""

    def __init__(self, view: str, width: float, top: float) -> None:
        facts = VIEWS[view]
        self._centre = facts["centre"]
        corners = [self._project(*corner) for corner in facts["corners"]]
        self._left, self._up = min(x for x, _ in corners), max(y for _, y in corners)
        self._pixels = (width - 4) / (max(x for x, _ in corners) - self._left)
        self.top, self.bottom = top, top + self._pixels * (self._up - min(y for _, y in corners))
        self._width = width

    def __call__(self, lon: float, lat: float) -> Point:
        """The pixel of a place."""
        x, y = self._project(lon, lat)
        return 2 + (x - self._left) * self._pixels, self.top + (self._up - y) * self._pixels

    def holds(self, point: Point) -> bool:
        """Whether a pixel lies in the window."""
        return 0 <= point[0] <= self._width and self.top <= point[1] <= self.bottom

    def path(self, ring: Sequence[int]) -> list[Point]:
        """A ring of hundredths of degrees and steps as pixels, without points that nobody could tell apart."""
        lon = lat = 0
        path: list[Point] = []
        for at in range(0, len(ring), 2):
            lon, lat = lon + ring[at], lat + ring[at + 1]
            x, y = self(lon / 100, lat / 100)
            if not path or abs(x - path[-1][0]) + abs(y - path[-1][1]) >= 0.9:
                path.append((x, y))
        return _clipped(path, (0, self.top, self._width, self.bottom))

    def _project(self, lon: float, lat: float) -> Point:
        return equal_earth(lon, lat) if self._centre is None else azimuthal(lon, lat, *self._centre)


def equal_earth(lon: float, lat: float) -> Point:
    """Equal Earth on the unit sphere. Šavrič, Patterson and Jenny (2019), Int. J. Geographical Information Science 33(3), eq. 3 and 4."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    angle = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(lat)))
    square = angle * angle
    sixth = square**3
    x = 2 * math.sqrt(3) * math.radians(lon) * math.cos(angle) / (3 * (a1 + 3 * a2 * square + sixth * (7 * a3 + 9 * a4 * square)))
    return x, angle * (a1 + a2 * square + sixth * (a3 + a4 * square))


def azimuthal(lon: float, lat: float, centre_lon: float, centre_lat: float) -> Point:
    """Lambert azimuthal equal-area on the unit sphere. Snyder (1987), USGS Professional Paper 1395, eq. 22-4, 22-5 and 24-2."""
    away, phi, middle = math.radians(lon - centre_lon), math.radians(lat), math.radians(centre_lat)
    across = math.sin(middle) * math.sin(phi) + math.cos(middle) * math.cos(phi) * math.cos(away)
    k = math.sqrt(2 / max(1 + across, 1e-9))
    return k * math.cos(phi) * math.sin(away), k * (math.cos(middle) * math.sin(phi) - math.sin(middle) * math.cos(phi) * math.cos(away))


@cache
def _file(name: str) -> dict[str, Any]:
    return dict(json.loads(files("qonys").joinpath("data", "shapes", f"{name}.json").read_text(encoding="utf-8")))


def _shapes(view: str) -> tuple[dict[str, list[list[int]]], dict[str, Point]]:
    """The shapes of a view, and where the areas lie that are too small for one."""
    content = _file(VIEWS[view].get("file", "countries"))
    return content[VIEWS[view]["set"]], content["dots"]


def _fill(row: dict[str, Any] | None, scale: Scale) -> str:
    if row is None:
        return EMPTY
    return MISSING if row["value"] is None else scale.colour(float(row["value"]))


def _clipped(path: list[Point], window: tuple[float, float, float, float]) -> list[Point]:
    """The part of a closed path inside a window. Sutherland and Hodgman (1974), Communications of the ACM 17(1)."""
    for axis, edge, keep_above in ((0, window[0], True), (0, window[2], False), (1, window[1], True), (1, window[3], False)):
        out: list[Point] = []
        for place, there in enumerate(path):
            back = path[place - 1]
            inside, before = ((point[axis] >= edge) == keep_above or point[axis] == edge for point in (there, back))
            if inside != before:
                share = (edge - back[axis]) / (there[axis] - back[axis])
                out.append((back[0] + share * (there[0] - back[0]), back[1] + share * (there[1] - back[1])))
            if inside:
                out.append(there)
        path = out
    return path


def _area(path: Sequence[Point]) -> float:
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(path, [*path[1:], path[0]], strict=True))) / 2


def _label(free: Free, path: list[Point], row: dict[str, Any], fill: str) -> None:
    """Name and value, or the value alone, where they fit inside the shape."""
    if row["value"] is None:
        return
    size, value = free.size, str(row["text"] or "")
    for lines in ([str(row["label"]), value], [value]):
        wide, tall = max(text_width(line, size) for line in lines), len(lines) * size * LEADING
        if value and (at := _room(path, wide, tall)) is not None:
            free.sheet.text(*at, lines, size, colour=ink_on(fill), align="center")
            free.taken.append((at[0] - wide / 2, at[1] - tall / 2, at[0] + wide / 2, at[1] + tall / 2))
            return


def _land(around: Point, paths: Sequence[list[Point]]) -> list[Box]:
    """Small boxes where countries lie near a point."""
    near = [path for path in paths if any(abs(x - around[0]) < 110 and abs(y - around[1]) < 50 for x, y in path)]
    grid = [(around[0] + 11 * i, around[1] + 11 * j) for i in range(-10, 11) for j in range(-4, 5)]
    return [(x - 3, y - 3, x + 3, y + 3) for x, y in grid if any(_inside((x, y), path) for path in near)]


def _room(path: list[Point], wide: float, tall: float) -> Point | None:
    """Where a box of this size lies inside a shape, nearest to its middle; None where it fits nowhere."""
    left, right, up, down = min(x for x, _ in path), max(x for x, _ in path), min(y for _, y in path), max(y for _, y in path)
    if right - left < wide or down - up < tall:
        return None
    middle = ((left + right) / 2, (up + down) / 2)
    grid = [(left + (right - left) * i / 12, up + (down - up) * j / 12) for i in range(1, 12) for j in range(1, 12)]
    for x, y in sorted(grid, key=lambda at: (at[0] - middle[0]) ** 2 + (at[1] - middle[1]) ** 2):
        corners = [(x + dx * wide / 2, y + dy * tall / 2) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        if all(_inside(corner, path) for corner in corners):
            return x, y
    return None


def _inside(point: Point, path: Sequence[Point]) -> bool:
    x, y = point
    crossings = 0
    for (ax, ay), (bx, by) in zip(path, [*path[1:], path[0]], strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            crossings += 1
    return crossings % 2 == 1
