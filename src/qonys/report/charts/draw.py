"""A sheet of paper in pixels. Positions are worked out in Python, once, so that labels can keep clear of each other and of the edge.

Vega then draws the marks: neighbouring ones of one style share a layer, in the order in which they were put down, texts on top.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from qonys.report.charts.theme import FONT, INK, MISSING, PAPER, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Align = Literal["left", "center", "right"]
Stand = Literal["top", "middle", "bottom"]
Row = dict[str, Any]
LEADING = 1.2


@dataclass(slots=True)
class Sheet:
    """Marks on a sheet of this width; the height is set when all is placed."""

    width: float
    height: float = 0
    _marks: list[tuple[str, tuple[Any, ...], list[Row]]] = field(default_factory=list)
    _texts: list[tuple[str, tuple[Any, ...], list[Row]]] = field(default_factory=list)
    _count: int = 0

    def rect(self, x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1, stroke: str | None = None) -> None:
        """A filled box; `stroke` outlines it."""
        row = {"x": _px(x), "x2": _px(x + width), "y": _px(y), "y2": _px(y + height), "fill": fill}
        _add(self._marks, "rect", (opacity, stroke), [row])

    def line(self, points: Iterable[tuple[float, float]], colour: str, *, width: float = 1, dash: Sequence[float] = (),
             opacity: float = 1) -> None:  # fmt: skip
        """A path through the points."""
        self._count += 1
        rows = [{"x": _px(x), "y": _px(y), "i": i, "path": self._count, "stroke": colour} for i, (x, y) in enumerate(points)]
        _add(self._marks, "line", (width, tuple(dash), opacity), rows)

    def band(self, points: Iterable[tuple[float, float, float]], fill: str, *, opacity: float) -> None:
        """The area between two heights at each x."""
        self._count += 1
        rows = [{"x": _px(x), "y": _px(low), "y2": _px(high), "path": self._count, "fill": fill} for x, low, high in points]
        _add(self._marks, "area", (opacity,), rows)

    def polygon(self, points: Iterable[tuple[float, float]], fill: str, *, opacity: float = 1, stroke: str | None = None,
                width: float = 0.5) -> None:  # fmt: skip
        """The area inside a closed path; `stroke` outlines it."""
        self._count += 1
        # to a tenth of a pixel: outlines have many points, and each is written out
        rows = [{"x": round(x, 1), "y": round(y, 1), "i": i, "path": self._count, "fill": fill} for i, (x, y) in enumerate(points)]
        _add(self._marks, "polygon", (opacity, stroke, width), rows)

    def dot(self, x: float, y: float, radius: float, fill: str, *, stroke: str = PAPER, width: float = 1) -> None:
        """A filled circle with an outline."""
        row = {"x": _px(x), "y": _px(y), "fill": fill, "stroke": stroke}
        _add(self._marks, "point", (radius, width), [row])

    def text(self, x: float, y: float, lines: str | Sequence[str], size: float, *, colour: str = INK, align: Align = "left",
             stand: Stand = "middle", bold: bool = False, angle: float = 0) -> None:  # fmt: skip
        """Lines of text that hang from, are centred on, or stand on `y`. Turned text is one line."""
        given = [lines] if isinstance(lines, str) else list(lines)
        height = size * LEADING
        top = y - {"top": 0.0, "middle": 0.5, "bottom": 1.0}[stand] * height * len(given)
        for place, line in enumerate(given):
            if line:
                row = {"x": _px(x), "y": _px(y if angle else top + place * height + height / 2 + size * 0.36), "text": line, "fill": colour}
                _add(self._texts, "text", (size, align, bold, angle), [row])

    def layers(self) -> tuple[list[dict[str, Any]], dict[str, list[Row]]]:
        """The marks as layers of Vega-Lite that share the sheet, and their rows by name."""
        marks = [*self._marks, *self._texts]
        layers = [_layer(kind, style, f"m{place}") for place, (kind, style, _) in enumerate(marks)]
        return layers, {f"m{place}": rows for place, (_, _, rows) in enumerate(marks)}


def _px(value: float) -> float:
    return round(float(value), 2)


def _add(marks: list[tuple[str, tuple[Any, ...], list[Row]]], kind: str, style: tuple[Any, ...], rows: list[Row]) -> None:
    if marks and marks[-1][:2] == (kind, style):
        marks[-1][2].extend(rows)
    else:
        marks.append((kind, style, list(rows)))


def _layer(kind: str, style: tuple[Any, ...], data: str) -> dict[str, Any]:
    x, y = ({"field": name, "type": "quantitative", "scale": None, "axis": None} for name in "xy")
    fill, stroke = ({"field": name, "type": "nominal", "scale": None, "legend": None} for name in ("fill", "stroke"))
    path, order = {"field": "path", "type": "nominal"}, {"field": "i", "type": "quantitative"}
    mark: dict[str, Any]
    match kind:
        case "rect":
            opacity, outline = style
            edge = {"stroke": outline, "strokeWidth": 1} if outline else {"strokeWidth": 0}
            mark, encoding = {"opacity": opacity, **edge}, {"x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}, "fill": fill}
        case "line":
            width, dash, opacity = style
            look = {"strokeDash": list(dash)} if dash else {}
            mark = {"strokeWidth": width, "opacity": opacity, "strokeJoin": "round", "fill": None, **look}
            encoding = {"x": x, "y": y, "stroke": stroke, "detail": path, "order": order}
        case "area":
            mark, encoding = {"opacity": style[0], "line": False}, {"x": x, "y": y, "y2": {"field": "y2"}, "fill": fill, "detail": path}
        case "polygon":
            opacity, outline, width = style
            edge = {"stroke": outline, "strokeWidth": width, "strokeJoin": "round"} if outline else {"strokeWidth": 0}
            kind, mark = "line", {"interpolate": "linear-closed", "opacity": opacity, **edge}
            encoding = {"x": x, "y": y, "fill": fill, "detail": path, "order": order}
        case "point":
            radius, width = style
            mark = {"filled": True, "size": 3.1416 * radius * radius, "strokeWidth": width, "opacity": 1}
            encoding = {"x": x, "y": y, "fill": fill, "stroke": stroke}
        case _:
            size, align, bold, angle = style
            mark = {
                "font": FONT, "fontSize": size, "fontWeight": "bold" if bold else "normal", "align": align, "baseline": "alphabetic",
                "angle": angle % 360, "limit": 0,
            }  # fmt: skip
            encoding = {"x": x, "y": y, "text": {"field": "text", "type": "nominal"}, "fill": fill}
    return {"data": {"name": data}, "mark": {"type": kind, **mark}, "encoding": encoding}


def legend(sheet: Sheet, x: float, y: float, right: float, entries: Sequence[tuple[str, str]], size: float) -> float:
    """Swatches with their words, in a row that breaks at `right`; returns the height.

    An entry is a fill and a text; `tail-RRGGBB` is a tick with a fading tail, `line-RRGGBB` a dashed line, `dot-RRGGBB` a dot.
    """
    left, top, height = x, y, size * LEADING + 6
    for fill, words in entries:
        lines = wrap(words, right - left - 24, size)
        width = 20 + widest(lines, size)
        if x > left and x + width > right:
            x, y = left, y + height
        middle = y + height / 2
        if fill.startswith("tail-"):
            colour = fill.removeprefix("tail-")
            sheet.rect(x, middle - 4, 14, 8, f"fade-{colour}")
            sheet.rect(x, middle - 6, 2, 12, f"#{colour}")
        elif fill.startswith("line-"):
            sheet.line([(x, middle), (x + 14, middle)], f"#{fill.removeprefix('line-')}", width=1.5, dash=(5, 3))
        elif fill.startswith("dot-"):
            sheet.dot(x + 7, middle, 4, f"#{fill.removeprefix('dot-')}")
        else:
            sheet.rect(x, middle - 5, 14, 10, fill, stroke="#b9c0c8" if fill == MISSING else None)
        sheet.text(x + 20, y + 3, lines, size, stand="top")
        y += (len(lines) - 1) * size * LEADING
        x += width + 16
    return y + height - top if entries else 0.0
