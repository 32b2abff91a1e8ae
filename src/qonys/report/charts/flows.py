"""Who goes where: ribbons around a circle, and the table of origins and destinations as shades.

Both are meant for a dozen areas and the rest: more cannot be told apart. What is not known is not drawn as zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError
from qonys.report.charts.axes import spread
from qonys.report.charts.draw import LEADING, Sheet, legend
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import GRID, MISSING, SERIES, SOFT, Layout, hyphenate, ink_of, ink_on, sequential, text_width, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Point = tuple[float, float]

MOST = 16  # areas around a circle; with more, neither names nor ribbons can be told apart
_GAP = 0.05  # between neighbours on the circle, in radians
_ARRIVAL = 0.93  # where a ribbon ends at its destination, of the radius: a gap to the arc says that it arrives
_FAINT = "#c9cfd6"


@dataclass(slots=True)
class _Arc:
    label: str
    colour: str
    out: float
    into: float
    start: float = 0.0
    stop: float = 0.0

    @property
    def middle(self) -> float:
        return (self.start + self.stop) / 2


def chord(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, number_format: Callable[[float], str], missing_label: str,
    small_label: str, out_label: str, in_label: str, least: float = 0.01, rest: str | None = None,
) -> Chart:  # fmt: skip
    """Moves as ribbons between areas on a circle, in the colour of the area left; the end at the area reached stands off its arc.

    rows: origin, destination (their words), value (0 or more; none: not known). Areas stand in order of what leaves and reaches them, the
    first at the top, clockwise; `rest` (words) stands last and grey. An arc is as long as what leaves and what reaches the area; under its
    name stand these two numbers, after `out_label` and `in_label`; … where none is known. Ribbons below `least` of the whole are grey
    (`small_label` says so in the key); pairs not known are not drawn, and said to be (`missing_label`). Moves of an area to itself are left
    out. More than `MOST` areas are refused.
    """
    table = _pairs(rows, prefix)
    own = [row for row in table if row["origin"] != row["destination"]]
    refuse_without_values([row["value"] for row in own], prefix)
    known = [row for row in own if row["value"]]
    whole = sum(row["value"] for row in known)
    if not whole:
        raise DesignError(f"chart {prefix!r} has no moves between areas", mend="give a value above 0")
    arcs = _arcs(known, rest)
    if len(arcs) > MOST:
        raise DesignError(
            f"chart {prefix!r} has {len(arcs)} areas, and more than {MOST} cannot be told apart", mend="take the largest and the rest"
        )
    said = {side: {row[side] for row in own if row["value"] is not None} for side in ("origin", "destination")}

    def count(label: str, side: str, number: float) -> str:
        return f"{out_label if side == 'origin' else in_label} {number_format(number) if label in said[side] else '…'}"

    ribbons = _ribbons(arcs, known)
    missing = any(row["value"] is None for row in own)

    def draw(layout: Layout) -> Sheet:
        sheet, size = Sheet(layout.width), layout.small
        words = wrap(unit, layout.width - 4, size)
        sheet.text(0, 2, words, size, colour=SOFT, stand="top")
        entries = [(_FAINT, small_label)] if any(row["value"] / whole < least for row in known) else []
        entries += [(MISSING, missing_label)] if missing else []
        top = 2 + len(words) * size * LEADING
        top += legend(sheet, 0, top + 2, layout.width, entries, size)
        most = 100.0 if layout.narrow else 160.0
        names = {arc.label: _name(arc.label, most, size) for arc in arcs}
        counts = {arc.label: [count(arc.label, "origin", arc.out), count(arc.label, "destination", arc.into)] for arc in arcs}
        words_wide = max(widest(lines, size, bold=True) for lines in [*names.values(), *counts.values()])
        radius = layout.width / 2 - min(words_wide, most * 1.1) - 24
        talls = {arc.label: (len(names[arc.label]) * size + 2 * (size - 1)) * LEADING + 4 for arc in arcs}
        sides = [[arc for arc in arcs if (math.sin(arc.middle) >= 0) == right] for right in (True, False)]
        height = max(2 * radius + 24, *(sum(talls[arc.label] for arc in side) + 8 for side in sides))
        centre = (layout.width / 2, top + 8 + height / 2)
        for row, (one, other) in sorted(ribbons, key=lambda ribbon: ribbon[0]["value"]):
            faint = row["value"] / whole < least
            colour = _FAINT if faint else next(arc.colour for arc in arcs if arc.label == row["origin"])
            sheet.polygon(_ribbon(centre, radius, one, other), colour, opacity=0.45 if faint else 0.72)
        for arc in arcs:
            outer = [_at(centre, radius + 9, angle) for angle in _steps(arc.start, arc.stop)]
            inner = [_at(centre, radius + 2, angle) for angle in _steps(arc.start, arc.stop)]
            sheet.polygon([*outer, *inner[::-1]], arc.colour)
        for right, side in zip((True, False), sides, strict=True):
            order = sorted(side, key=lambda arc: -math.cos(arc.middle))
            wanted = [_at(centre, radius + 14, arc.middle)[1] for arc in order]
            middles = spread(wanted, [talls[arc.label] for arc in order], top + 4, top + 12 + height)
            for arc, middle in zip(order, middles, strict=True):
                edge = _at(centre, radius + 10, arc.middle)
                x = centre[0] + (1 if right else -1) * (radius + 20)
                sheet.line([edge, (x - (4 if right else -4), middle)], arc.colour, width=0.8)
                up = middle - talls[arc.label] / 2
                text, align = names[arc.label], "left" if right else "right"
                sheet.text(x, up, text, size, colour=ink_of(arc.colour), align=align, stand="top", bold=True)  # type: ignore[arg-type]
                sheet.text(x, up + len(text) * size * LEADING, counts[arc.label], size - 1, colour=SOFT, align=align, stand="top")  # type: ignore[arg-type]
        sheet.height = top + height + 20
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def od_matrix(
    rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, total_label: str, missing_label: str,
    number_format: Callable[[float], str],
) -> Chart:  # fmt: skip
    """Origins in rows, destinations in columns (`unit` says so in words), each pair a shade with its number, and sums at the edges.

    rows: origin, destination (their words, in the order to be shown), value (0 or more; none: not known), text (the value as printed in the
    cell, short; without it number_format). Shades follow the square root of the value. A pair that is not known is hatched, an area with
    itself empty unless it has a value. Sums are of what is known; where nothing is, … stands. On a telephone cells hold no numbers.
    """
    table = _pairs(rows, prefix, texts=True)
    refuse_without_values([row["value"] for row in table], prefix)
    names = list(dict.fromkeys([*(row["origin"] for row in table), *(row["destination"] for row in table)]))
    cells = {(row["origin"], row["destination"]): row for row in table}
    most = max(row["value"] for row in table if row["value"] is not None) or 1.0
    for row in table:
        row["text"] = None if row["value"] is None else str(row["text"] or number_format(row["value"]))
    known = [row for row in table if row["value"] is not None]
    sums = {side: {name: sum(row["value"] for row in known if row[side] == name) for name in names} for side in ("origin", "destination")}
    whole = sum(row["value"] for row in known)

    def printed(side: str, name: str) -> str:
        return number_format(sums[side][name]) if any(row[side] == name for row in known) else "…"

    missing = any(row["value"] is None and row["origin"] != row["destination"] for row in table)

    def draw(layout: Layout) -> Sheet:
        sheet, size = Sheet(layout.width), layout.small
        words = wrap(unit, layout.width - 4, size)
        sheet.text(0, 2, words, size, colour=SOFT, stand="top")
        y = 2 + len(words) * size * LEADING + 2
        y += legend(sheet, 0, y, layout.width, [(MISSING, missing_label)] if missing else [], size) + 4
        lines = [wrap(name, 92.0 if layout.narrow else 150.0, size) for name in names]
        left = max(widest(each, size) for each in lines) + 8
        total = max(text_width(number_format(value), size, bold=True) for value in [*sums["origin"].values(), whole]) + 8
        cell = min((layout.width - left - total - 2) / len(names), 58.0)
        talls = [max(18.0, min(cell, 26.0), len(each) * size * LEADING + 3) for each in lines]
        fits = {row["text"] for row in table if row["text"] is not None and text_width(row["text"], size - 1) <= cell - 3}
        if len(fits) < len({row["text"] for row in table if row["text"] is not None}):
            # where not all numbers have room, those of the largest moves that have
            fits &= {row["text"] for row in table if row["value"] is not None and row["value"] >= 0.1 * most}
        turned = [wrap(name, 120, size, lines=max(1, int(cell // (size * LEADING)))) for name in names]
        y += max(widest(each, size) for each in turned) + 6
        for place, each in enumerate(turned):
            for order, word in enumerate(each):
                offset = (order - (len(each) - 1) / 2) * size * LEADING
                sheet.text(left + (place + 0.5) * cell + offset + size * 0.36, y - 4, word, size, angle=-90)
        edge = left + len(names) * cell
        sheet.text(edge + total, y - 4, wrap(total_label, total, size), size, colour=SOFT, align="right", stand="bottom")
        for name, each, tall in zip(names, lines, talls, strict=True):
            sheet.text(left - 6, y + tall / 2, each, size, align="right")
            for place, other in enumerate(names):
                row = cells.get((name, other))
                _cell(sheet, left + place * cell, y, cell, tall, row, name == other, most, set() if layout.narrow else fits, size - 1)
            sheet.text(edge + total, y + tall / 2, printed("origin", name), size, align="right", bold=True)
            y += tall
        room = max(text_width(number_format(value), size, bold=True) for value in sums["destination"].values()) + 4
        sheet.line([(0, y + 2), (edge + total, y + 2)], GRID)
        if room <= cell:
            sheet.text(left - 6, y + 13, total_label, size, colour=SOFT, align="right")
            for place, name in enumerate(names):
                at = left + (place + 0.5) * cell
                sheet.text(at, y + 13, printed("destination", name), size, align="center", bold=True)
            sheet.text(edge + total, y + 13, number_format(whole), size, align="right", bold=True)
            y += 26
        else:
            sheet.text(left - 6, y + room / 2 + 4, total_label, size, colour=SOFT, align="right")
            for place, name in enumerate(names):
                at = left + (place + 0.5) * cell + size * 0.36
                sheet.text(at, y + 4 + room, printed("destination", name), size, angle=-90, bold=True)
            sheet.text(edge + total, y + room / 2 + 4, number_format(whole), size, align="right", bold=True)
            y += room + 10
        sheet.height = y
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _cell(sheet: Sheet, x: float, y: float, cell: float, tall: float, row: dict[str, Any] | None, same: bool, most: float,
          texts: set[str], size: float) -> None:  # fmt: skip
    if row is None or row["value"] is None:
        if not same:
            sheet.rect(x + 0.75, y + 0.75, cell - 1.5, tall - 1.5, MISSING)
        return
    fill = sequential(0.9 * math.sqrt(row["value"] / most) + 0.02)
    sheet.rect(x + 0.75, y + 0.75, cell - 1.5, tall - 1.5, fill)
    if row["text"] in texts:
        sheet.text(x + cell / 2, y + tall / 2, row["text"], size, colour=ink_on(fill), align="center")


def _pairs(rows: pd.DataFrame, prefix: str, *, texts: bool = False) -> list[dict[str, Any]]:
    """The rows, each pair once, no value below zero."""
    table = records(rows, "origin", "destination", "value", prefix=prefix, optional=("text",) if texts else ())
    seen = set()
    for row in table:
        row |= {"origin": str(row["origin"]), "destination": str(row["destination"])}
        pair = f"{row['origin']} → {row['destination']}"
        if pair in seen:
            raise DesignError(f"chart {prefix!r} has {pair} twice", mend="give each pair one row")
        seen.add(pair)
        if row["value"] is not None and not 0 <= row["value"] < math.inf:
            raise DesignError(f"chart {prefix!r} has {row['value']} for {pair}", mend="give moves, 0 or more")
    return table


def _arcs(known: list[dict[str, Any]], rest: str | None) -> list[_Arc]:
    """The areas in their order around the circle, with where each arc begins and ends."""
    names = dict.fromkeys([*(row["origin"] for row in known), *(row["destination"] for row in known)])
    sides = {name: [sum(row["value"] for row in known if row[side] == name) for side in ("origin", "destination")] for name in names}
    order = sorted(names, key=lambda name: (name == rest, -sum(sides[name]), name))
    arcs = [_Arc(name, "#7a828c" if name == rest else _colour(place), *sides[name]) for place, name in enumerate(order)]
    whole = sum(arc.out + arc.into for arc in arcs)
    gap = min(_GAP, 0.3 * 2 * math.pi / len(arcs))
    angle, room = gap / 2, 2 * math.pi - gap * len(arcs)
    for arc in arcs:
        arc.start, arc.stop = angle, angle + room * (arc.out + arc.into) / whole
        angle = arc.stop + gap
    return arcs


def _colour(place: int) -> str:
    """The colours of series, then the same mixed with white: neighbours on the circle always differ."""
    colour = SERIES[place % len(SERIES)]
    if place < len(SERIES):
        return colour
    return "#" + "".join(f"{round(int(colour[at : at + 2], 16) * 0.55 + 255 * 0.45):02x}" for at in (1, 3, 5))


def _ribbons(arcs: list[_Arc], known: list[dict[str, Any]]) -> list[tuple[dict[str, Any], tuple[tuple[float, float], ...]]]:
    """Each pair with its stretch of the arc it leaves and of the one it reaches, ordered so that few ribbons cross."""
    place = {arc.label: number for number, arc in enumerate(arcs)}
    ends: dict[tuple[str, str, str], tuple[float, float]] = {}
    for arc in arcs:
        own = [(row, side) for row in known for side in ("origin", "destination") if row[side] == arc.label]
        unit = (arc.stop - arc.start) / (arc.out + arc.into)

        # the partner that comes next clockwise takes the last stretch
        def turn(item: tuple[dict[str, Any], str], here: int = place[arc.label]) -> tuple[int, str]:
            row, side = item
            other = row["destination" if side == "origin" else "origin"]
            return -((place[other] - here) % len(arcs)), side

        angle = arc.start
        for row, side in sorted(own, key=turn):
            ends[row["origin"], row["destination"], side] = (angle, angle + unit * row["value"])
            angle += unit * row["value"]
    return [(row, tuple(ends[row["origin"], row["destination"], side] for side in ("origin", "destination"))) for row in known]


def _ribbon(centre: Point, radius: float, one: tuple[float, float], other: tuple[float, float]) -> list[Point]:
    """A closed path: along the arc left, across to the arc reached, along it, and back."""
    here = [_at(centre, radius, angle) for angle in _steps(*one)]
    there = [_at(centre, radius * _ARRIVAL, angle) for angle in _steps(*other)]
    return [*here, *_curve(here[-1], centre, there[0]), *there, *_curve(there[-1], centre, here[0])]


def _curve(start: Point, through: Point, stop: Point) -> list[Point]:
    """Points of a quadratic Bézier curve, without its ends."""
    steps = [place / 12 for place in range(1, 12)]
    return [tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for a, b, c in zip(start, through, stop, strict=True)) for t in steps]  # type: ignore[misc]


def _steps(start: float, stop: float) -> list[float]:
    count = max(1, math.ceil((stop - start) / 0.08))
    return [start + (stop - start) * place / count for place in range(count + 1)]


def _at(centre: Point, radius: float, angle: float) -> Point:
    """A point on the circle; angles run clockwise from the top."""
    return centre[0] + radius * math.sin(angle), centre[1] - radius * math.cos(angle)


def _name(label: str, width: float, size: float) -> list[str]:
    """A name in lines of this width; a word too long for it is parted at its hyphen, or else hyphenated."""
    lines: list[str] = []
    for line in wrap(label, width, size, bold=True):
        if text_width(line, size, bold=True) <= width:
            lines.append(line)
            continue
        before, hyphen, after = line.partition("-")
        parts = [before + hyphen, after] if after else [line]
        lines += [piece for part in parts for piece in hyphenate(part, width / 1.06, size)]
    return lines
