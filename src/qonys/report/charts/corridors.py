"""Who travels where: places as stations, legs as bands whose width is persons, coloured by group."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from qonys.core.errors import DesignError, nearest
from qonys.report.charts.axes import spread
from qonys.report.charts.dates import SPARE
from qonys.report.charts.draw import LEADING, Sheet
from qonys.report.charts.series import caption
from qonys.report.charts.svg import Chart, both, records, refuse_without_values
from qonys.report.charts.theme import GRID, INK, SOFT, Layout, hyphenate, series_colour, text_width, widest, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_MOST = 6
_BAR, _THIN, _APART = 6.0, 2.5, 16.0
_ROOMS = (150, 125, 105, 90, 78)
_CURVE = 46.0


@dataclass(frozen=True, slots=True)
class _Leg:
    start: str
    stop: str
    group: int
    persons: float
    text: str


@dataclass(frozen=True, slots=True)
class _Place:
    label: str
    stage: int
    text: str


@dataclass(slots=True, eq=False)
class _Station:
    """A place in a column, or only the room that a long leg needs to pass one; `top` is where its names begin."""

    label: str = ""
    text: str = ""
    ins: list[_Hop] = field(default_factory=list)
    outs: list[_Hop] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    centre: float = 0.0

    def names(self, layout: Layout) -> float:
        return (len(self.head) * layout.label + len(self.told) * layout.small) * LEADING + (4 if self.head else 0)

    def height(self, layout: Layout) -> float:
        return self.names(layout) + self.body

    @property
    def body(self) -> float:
        return max(sum(hop.slot for hop in self.outs), sum(hop.tall + 1.5 for hop in self.ins), 10.0 if self.label else 0.0)


@dataclass(slots=True, eq=False)
class _Hop:
    """A leg from one column to the next, `tall` as drawn; `slot` is the height it needs where it leaves, `over` that of a text above it."""

    leg: _Leg
    start: _Station
    stop: _Station
    tall: float
    slot: float
    over: float = 0.0
    leaves: float = 0.0
    arrives: float = 0.0


def routes(rows: pd.DataFrame, *, title: str, desc: str, prefix: str, unit: str, places: pd.DataFrame | None = None) -> Chart:
    """Legs between places from left to right, as wide as their persons are many; on a telephone the stages of a corridor follow each other.

    rows: from_label, to_label, group (its word; up to six), value (persons; a leg of 0 is not drawn), text (persons as printed). places:
    label, stage (optional, whole: the order of the columns), text (optional: a line below the name); without stages a place stands one
    column after the last that leads to it. A leg too thin to be seen is drawn 2.5 pixels wide; all others share one scale.
    """
    table = records(rows, "from_label", "to_label", "group", "value", "text", prefix=prefix)
    legs, groups = _legs(table, prefix)
    stops = _places(legs, places, prefix)
    drawn = sorted({leg.group for leg in legs})
    key = [(series_colour(place), groups[place]) for place in drawn] if len(drawn) > 1 else []

    def draw(layout: Layout) -> Sheet:
        sheet = Sheet(layout.width)
        y = caption(sheet, unit, layout, key)
        stages = sorted({place.stage for place in stops})
        whole = None if layout.narrow else _whole(stops, legs, layout)
        panels = [whole] if whole else [panel for stage in stages if (panel := _step(stops, legs, stage, layout))]
        most = max(sum(max(_persons(one.ins), _persons(one.outs)) for one in column) for columns in panels for column in columns)
        for place, columns in enumerate(panels):
            if place:
                sheet.line([(0, y + 10), (layout.width, y + 10)], GRID)
                y += 20
            y = _panel(sheet, y, columns, (210.0 if layout.narrow else 300.0) / most, layout)
        sheet.height = y + 6
        return sheet

    return both(draw, title=title, desc=desc, prefix=prefix)


def _legs(table: list[dict[str, object]], prefix: str) -> tuple[list[_Leg], list[str]]:
    groups = list(dict.fromkeys(str(row["group"]) for row in table))
    if len(groups) > _MOST:
        raise DesignError(f"chart {prefix!r} has {len(groups)} groups, and over {_MOST} cannot be told apart", mend="join the small ones")
    legs = []
    for row in table:
        value, where = row["value"], f"chart {prefix!r}: the leg {row['from_label']!r} to {row['to_label']!r} of {row['group']!r}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise DesignError(f"{where} has {value!r} persons", mend="give a number of 0 or more")
        if row["from_label"] is None or row["to_label"] is None or row["from_label"] == row["to_label"]:
            raise DesignError(f"{where} leads nowhere", mend="name two places")
        if row["group"] is None:
            raise DesignError(f"{where} has no group", mend="name the group")
        text = "" if row["text"] is None else str(row["text"])
        legs.append(_Leg(str(row["from_label"]), str(row["to_label"]), groups.index(str(row["group"])), float(value), text))
    moved = [leg for leg in legs if leg.persons > 0]
    refuse_without_values([leg.persons for leg in moved], prefix)
    return moved, groups


def _places(legs: list[_Leg], places: pd.DataFrame | None, prefix: str) -> list[_Place]:
    """The places with their columns, as given or by the longest way to each."""
    labels = list(dict.fromkeys(label for leg in legs for label in (leg.start, leg.stop)))
    table = [] if places is None else records(places, "label", prefix=prefix, optional=("stage", "text"))
    given = {str(row["label"]): row for row in table}
    if len(given) < len(table):
        raise DesignError(f"chart {prefix!r} has a place twice", mend="keep one row for each place")
    for label in labels if given else ():
        if label not in given:
            raise DesignError(f"chart {prefix!r} has a leg at {label!r}, which is not among its places", mend=nearest(label, given))
    staged = [label for label, row in given.items() if row["stage"] is not None]
    if staged and len(staged) < len(given):
        lacking = next(label for label in given if label not in staged)
        raise DesignError(f"chart {prefix!r}: the place {lacking!r} has no stage", mend="give each place a stage, or none")
    for label in staged:
        stage = given[label]["stage"]
        if isinstance(stage, bool) or not isinstance(stage, int | float) or not math.isfinite(stage) or stage % 1:
            raise DesignError(f"chart {prefix!r}: the place {label!r} has the stage {stage!r}", mend="give a whole number")
    stages = {label: int(given[label]["stage"]) for label in staged} or _longest_ways(labels, legs, prefix)
    back = next((leg for leg in legs if stages[leg.start] >= stages[leg.stop]), None)
    if back:
        where = f"chart {prefix!r}: the leg {back.start!r} to {back.stop!r}"
        raise DesignError(f"{where} does not lead to a later stage", mend="mend the stages")
    texts = {label: "" if row["text"] is None else str(row["text"]) for label, row in given.items()}
    return [_Place(label, stages.get(label, 0), texts.get(label, "")) for label in (given or labels)]


def _longest_ways(labels: list[str], legs: list[_Leg], prefix: str) -> dict[str, int]:
    stages = dict.fromkeys(labels, 0)
    for _ in labels:
        late = [(leg, stages[leg.start] + 1) for leg in legs if stages[leg.stop] <= stages[leg.start]]
        if not late:
            return stages
        for leg, stage in late:
            stages[leg.stop] = max(stages[leg.stop], stage)
    name = max(stages, key=stages.__getitem__)
    raise DesignError(f"chart {prefix!r}: the legs lead in a circle through {name!r}", mend="give the places stages, and no leg back")


def _whole(stops: list[_Place], legs: list[_Leg], layout: Layout) -> list[list[_Station]] | None:
    """All columns beside each other, long legs with room to pass; none where the names leave no room for curves."""
    order = {stage: place for place, stage in enumerate(sorted({stop.stage for stop in stops}))}
    columns: list[list[_Station]] = [[] for _ in order]
    known: dict[tuple[object, ...], _Station] = {}
    for stop in stops:
        known[stop.label, stop.label, order[stop.stage]] = _Station(stop.label, stop.text)
        columns[order[stop.stage]].append(known[stop.label, stop.label, order[stop.stage]])
    column = {stop.label: order[stop.stage] for stop in stops}
    for leg in legs:
        first, last = column[leg.start], column[leg.stop]
        path = [known[leg.start, leg.start, first]]
        for between in range(first + 1, last):
            ghost = (leg.start, leg.stop, between)
            if ghost not in known:
                known[ghost] = _Station()
                columns[between].append(known[ghost])
            path.append(known[ghost])
        path.append(known[leg.stop, leg.stop, last])
        for one, other in pairwise(path):
            _join(leg, one, other)
    return columns if _set_names(columns, layout) >= _CURVE else None


def _step(stops: list[_Place], legs: list[_Leg], stage: int, layout: Layout) -> list[list[_Station]] | None:
    """The legs that leave one stage, with wherever they lead; none where nothing leaves it and nothing stands alone in it."""
    own = [leg for leg in legs if any(stop.label == leg.start and stop.stage == stage for stop in stops)]
    leaving, ends = {leg.start for leg in own}, {leg.stop for leg in own}
    moving = {label for leg in legs for label in (leg.start, leg.stop)}
    onward = {leg.start for leg in legs}
    left = {stop.label: _Station(stop.label, stop.text) for stop in stops
            if stop.stage == stage and (stop.label in leaving or stop.label not in moving)}  # fmt: skip
    right = {stop.label: _Station(stop.label, "" if stop.label in onward else stop.text) for stop in stops if stop.label in ends}
    for leg in own:
        _join(leg, left[leg.start], right[leg.stop])
    columns = [list(left.values()), list(right.values())]
    _set_names(columns, layout)
    return columns if left else None


def _join(leg: _Leg, start: _Station, stop: _Station) -> None:
    hop = _Hop(leg, start, stop, 0.0, 0.0)
    start.outs.append(hop)
    stop.ins.append(hop)


def _persons(hops: Sequence[_Hop]) -> float:
    return sum(hop.leg.persons for hop in hops)


def _leads(columns: list[list[_Station]], layout: Layout) -> list[float]:
    """How far each column reaches to the right of its bars: to the end of names and of the persons at the legs."""
    return [
        SPARE * max(
            [widest(one.head, layout.label, bold=True) for one in column] + [widest(one.told, layout.small) for one in column]
            + [text_width(hop.leg.text, layout.small) + 10 for one in column if one.label for hop in one.outs], default=0.0,
        ) + 2
        for column in columns
    ]  # fmt: skip


def _curve(columns: list[list[_Station]], layout: Layout) -> float:
    """What is left for curves between two columns."""
    return (layout.width - sum(lead + _BAR for lead in _leads(columns, layout))) / max(len(columns) - 1, 1)


def _set_names(columns: list[list[_Station]], layout: Layout) -> float:
    """Wrap the names as wide as leaves room for curves; that room is returned."""
    for room in _ROOMS:
        for one in (one for column in columns for one in column):
            one.head = wrap(" ".join(_cut(word, room, layout.label) for word in one.label.split()), room, layout.label, bold=True)
            one.told = wrap(one.text, room, layout.small)
        if _curve(columns, layout) >= (60 if layout.narrow or len(columns) > 4 else 90):
            break
    return _curve(columns, layout)


def _cut(word: str, room: float, size: float) -> str:
    """A word that no line can hold in two parts, at its own hyphen where it has one."""
    if text_width(word, size, bold=True) <= max(room, _ROOMS[1]):
        return word
    return word.replace("-", "- ", 1) if "-" in word[1:-1] else " ".join(hyphenate(word, _ROOMS[1], size))


def _panel(sheet: Sheet, y: float, columns: list[list[_Station]], scale: float, layout: Layout) -> float:
    """Stations and bands of some columns beside each other; returns the foot."""
    hops = [hop for column in columns for one in column for hop in one.outs]
    for hop in hops:
        hop.tall = max(hop.leg.persons * scale, _THIN)
        line = layout.small * LEADING if hop.start.label and hop.leg.text else 0.0
        hop.over = line if hop.tall < line else 0.0
        hop.slot = hop.tall + hop.over + 1.5
    foot = _arrange(columns, y, layout)
    leads, curve = _leads(columns, layout), max(_curve(columns, layout), 20.0)
    lefts = [sum(lead + _BAR + curve for lead in leads[:place]) for place in range(len(columns))]
    where = {id(one): place for place, column in enumerate(columns) for one in column}
    for hop in sorted(hops, key=lambda hop: -hop.tall):
        place = where[id(hop.start)]
        start, turn, stop = lefts[place] + (_BAR if hop.start.label else 0), lefts[place] + _BAR + leads[place], lefts[place + 1]
        corners = [(start, hop.leaves), *((turn + (stop - turn) * t / 24, _between(hop.leaves, hop.arrives, t / 24)) for t in range(25))]
        sheet.band([(x, middle - hop.tall / 2, middle + hop.tall / 2) for x, middle in corners], series_colour(hop.leg.group), opacity=0.5)
    for left, column in zip(lefts, columns, strict=True):
        for one in (one for one in column if one.label):
            top = one.centre - one.height(layout) / 2
            body = top + one.names(layout)
            sheet.rect(left, body, _BAR, one.body, INK)
            sheet.text(left, top, one.head, layout.label, stand="top", bold=True)
            sheet.text(left, top + len(one.head) * layout.label * LEADING, one.told, layout.small, colour=SOFT, stand="top")
            for hop in one.outs:
                above = hop.tall / 2 + hop.over / 2 - 1 if hop.over else 0.0
                sheet.text(left + _BAR + 5, hop.leaves - above, hop.leg.text, layout.small)
    return foot


def _between(start: float, stop: float, share: float) -> float:
    return start + (stop - start) * share * share * (3 - 2 * share)


def _arrange(columns: list[list[_Station]], top: float, layout: Layout) -> float:
    """Heights at which stations stand clear of each other and near those they are joined with, and bands in the order of their ends.

    Sweeps of the barycentre heuristic (Sugiyama, Tagawa and Toda 1981, IEEE Trans. SMC 11(2)); returns the foot.
    """
    foot = top + max(sum(one.height(layout) + _APART for one in column) for column in columns) - _APART
    for column in columns:
        y = (top + foot - sum(one.height(layout) + _APART for one in column) + _APART) / 2
        for one in column:
            one.centre = y + one.height(layout) / 2
            y += one.height(layout) + _APART
    forward, backward = range(1, len(columns)), range(len(columns) - 2, -1, -1)
    for place, back in [(place, way is backward) for way in (forward, backward) * 3 for place in way]:
        column = columns[place]
        wanted = []
        for one in column:
            ends = [(hop.tall, (hop.stop if back else hop.start).centre) for hop in (one.outs if back else one.ins)]
            wanted.append(sum(tall * centre for tall, centre in ends) / sum(tall for tall, _ in ends) if ends else one.centre)
        centres = spread(wanted, [one.height(layout) + _APART for one in column], top - _APART / 2, foot + _APART / 2)
        for one, centre in zip(column, centres, strict=True):
            one.centre = centre
    for one in (one for column in columns for one in column):
        middle = one.centre + one.names(layout) / 2
        one.outs.sort(key=lambda hop: (hop.stop.centre, hop.leg.group))
        one.ins.sort(key=lambda hop: (hop.start.centre, hop.leg.group))
        y = middle - sum(hop.slot for hop in one.outs) / 2
        for hop in one.outs:
            hop.leaves = y + 0.75 + hop.over + hop.tall / 2
            y += hop.slot
        y = middle - sum(hop.tall + 1.5 for hop in one.ins) / 2
        for hop in one.ins:
            hop.arrives = y + (hop.tall + 1.5) / 2
            y += hop.tall + 1.5
    return foot
