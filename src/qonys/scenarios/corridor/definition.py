"""A corridor as a file says it: who waits where, what runs when, and every limit on the way home, each with a name.

Days of a span are counted from `first` to `last`, both included. Seats are what a vehicle may offer: seats times the sanitary load factor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from qonys.core import areas
from qonys.core.errors import DesignError, nearest
from qonys.scenarios.reading import Part, named_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Home = Literal["arrival", "after_quarantine"]
Mode = Literal["train", "bus", "charter", "ship", "foot"]
LONGEST = 730  # days of a plan
CROWD = 10_000_000  # persons of a group


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Persons of one citizenship at one place, bound for one destination. arriving: day from which they are ready and how many.

    papers: share with valid papers, the rest needs the consulate first. vulnerable: share; priority: weight of a day of waiting.
    """

    id: str
    place: str
    citizenship: str
    destination: str
    arriving: tuple[tuple[date, int], ...]
    papers: float = 1.0
    vulnerable: float = 0.0
    priority: float = 1.0

    @property
    def persons(self) -> int:
        """How many they are."""
        return sum(persons for _, persons in self.arriving)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A way by one mode from place to place, `days` long (0: same day). seats: offered by a vehicle. departures: day and most vehicles.

    carries: citizenships on board, None: all. crosses: border and the day of the journey on which it is crossed (0: that of departure).
    cost: of one vehicle, in whatever currency the file keeps.
    """

    id: str
    origin: str
    destination: str
    mode: Mode
    days: int
    seats: int
    departures: tuple[tuple[date, int], ...]
    carries: tuple[str, ...] | None = None
    crosses: tuple[tuple[str, int], ...] = ()
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A border that nobody passes from `first` to `last`, both included."""

    first: date
    last: date
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """A border: transit permits a day (None: no limit), days closed, whom it concerns (None: all), where those wait who find it closed."""

    id: str
    permits: int | None = None
    closed: tuple[Closed, ...] = ()
    citizenships: tuple[str, ...] | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Vehicles of a mode. turnaround: days until one that left can leave again; None: twice the journey of its leg, one day at least."""

    vehicles: int
    turnaround: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulate:
    """Documents a consulate can issue in a day, to citizens without papers; whoever gets one leaves from the next day on."""

    per_day: int
    closed_weekends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Beds at a destination; each arrival holds one for so many days, that of arrival included."""

    beds: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """All that is known of a corridor before it is planned.

    vulnerable: weight of a day of waiting of the vulnerable (others 1; a group's priority multiplies). vehicle: person-days that a vehicle
    counts, so that empty ones stay. left: person-days beside the waiting that a person counts who is not home by `last`. home_by: day by
    which all must be home. home: reached on arrival or after quarantine. fairness: days by which the mean waiting of a group may exceed the
    mean of all. rooms: most persons who can wait at a place. fleets by mode, consulates by citizenship, quarantines by destination.
    """

    name: str
    first: date
    last: date
    groups: tuple[Group, ...]
    legs: tuple[Leg, ...]
    vulnerable: float = 1.0
    vehicle: float = 20.0
    left: float = 30.0
    home_by: date | None = None
    home: Home = "arrival"
    fairness: float | None = None
    rooms: Mapping[str, int] = field(default_factory=dict)
    borders: tuple[Border, ...] = ()
    fleets: Mapping[str, Fleet] = field(default_factory=dict)
    consulates: Mapping[str, Consulate] = field(default_factory=dict)
    quarantines: Mapping[str, Quarantine] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """Days of the plan."""
        return (self.last - self.first).days + 1

    @property
    def persons(self) -> int:
        """Persons of all groups."""
        return sum(group.persons for group in self.groups)

    def border(self, name: str) -> Border:
        """The border of that name."""
        return next(border for border in self.borders if border.id == name)

    def settling(self, destination: str) -> int:
        """Days from arrival at the destination until a person counts as home."""
        held = self.quarantines.get(destination)
        return held.days if held and self.home == "after_quarantine" else 0


def read_corridor(text: str, *, file: str = "corridor.toml") -> Corridor:
    """The corridor of a TOML file; what the file says of itself (labels, origins, source) is left aside.

    docs/how-to/plan-a-corridor.md tells every key.

    Errors: DesignError, with file, table and key, for what is absent, unknown, of the wrong kind or unit, or contradicts another key.
    """
    return corridor_of(named_part(text, file)[0])


def corridor_of(part: Part) -> Corridor:
    """The corridor of a file's content. Errors: as of `read_corridor`."""
    first, last = _span(part)
    if (last - first).days >= LONGEST:
        raise part.wrong("last", last, f"makes a plan of more than {LONGEST} days", "shorten it, or cut it into several")
    groups = tuple(_group(row, first, last) for row in _some(part, "groups"))
    legs = tuple(_leg(row, first, last) for row in _some(part, "legs"))
    borders = tuple(_border(row, first, last) for row in part.rows("borders", ()))
    objective, fairness = part.part("objective", {}), part.part("fairness", {})
    corridor = Corridor(
        name=part.text("name", "corridor"), first=first, last=last, groups=groups, legs=legs, borders=borders,
        vulnerable=_weight(objective, "vulnerable", 1.0), vehicle=objective.number("vehicle", 20.0, least=0, most=1e6),
        left=objective.number("left", 30.0, least=0, most=1e6), home_by=objective.day("home_by", None),
        home=objective.text("home", "arrival", among=get_args(Home)), fairness=fairness.number("days", None, least=0, most=LONGEST),
        rooms={name: _read(one, lambda one: one.whole("room")) for name, one in part.parts("places", {}).items()},
        fleets={name: _read(one, _fleet) for name, one in part.parts("fleet", {}).items()},
        consulates={name: _read(one, _consulate) for name, one in part.parts("consulates", {}).items()},
        quarantines={name: _read(one, _quarantine) for name, one in part.parts("quarantine", {}).items()},
    )  # fmt: skip
    for table in (objective, fairness, part):
        table.done()
    if corridor.home_by is not None and not first <= corridor.home_by <= last:
        raise objective.wrong("home_by", corridor.home_by, f"is not from {first} to {last}", "give a day of the plan")
    _agree(corridor, part.where)
    return corridor


def _some(part: Part, key: str) -> list[Part]:
    rows = part.rows(key)
    if not rows:
        raise DesignError(f"{part.where} has no {key}", mend=f"add a table [[{key}]]")
    return rows


def _read(part: Part, how: Any) -> Any:
    found = how(part)
    part.done()
    return found


def _span(part: Part, first: date | None = None, last: date | None = None) -> tuple[date, date]:
    """Days from `first` to `last`, by default the whole plan."""
    begins = part.day("first") if first is None else part.day("first", first)
    ends = part.day("last") if last is None else part.day("last", last)
    if ends < begins:
        raise part.wrong("last", ends, f"lies before first = {begins}", "put them in order")
    return begins, ends


def _weight(part: Part, key: str, default: float) -> float:
    found: float = part.number(key, default, least=0, most=1000)
    if found == 0:
        raise part.wrong(key, found, "would make waiting cost nothing", "give a number above 0; 1 is a day of everybody else")
    return found


def _group(row: Part, first: date, last: date) -> Group:
    group = Group(
        id=row.text("id"), place=row.text("place"), citizenship=row.text("citizenship", among=areas.codes()),
        destination=row.text("destination"), papers=row.share("papers", 1.0), vulnerable=row.share("vulnerable", 0.0),
        priority=_weight(row, "priority", 1.0), arriving=_arriving(row, first, last),
    )  # fmt: skip
    row.done()
    if group.place == group.destination:
        raise row.wrong("destination", group.destination, "is where the group waits", "name the place they are brought to")
    return group


def _arriving(row: Part, first: date, last: date) -> tuple[tuple[date, int], ...]:
    if not row.has("arriving"):
        return ((_within(row, "ready", first, last, first), row.whole("persons", least=1, most=CROWD)),)
    if row.has("ready"):
        raise row.wrong("ready", row.get("ready"), "stands beside arriving", "keep one of the two")
    found: dict[date, int] = {}
    for one in row.rows("arriving"):
        persons = one.whole("persons", least=1, most=CROWD)
        begins, ends = (one.day("day"),) * 2 if one.has("day") else _span(one)
        for key in ("day",) if one.has("day") else ("first", "last"):
            _within(one, key, first, last)
        one.done()
        length = (ends - begins).days + 1
        for place in range(length):
            share = persons * (place + 1) // length - persons * place // length
            day = begins + timedelta(days=place)
            found[day] = found.get(day, 0) + share
    total = sum(found.values())
    if row.whole("persons", total, least=1, most=CROWD) != total:
        raise row.wrong("persons", row.get("persons"), f"is not the sum of arriving, {total}", "correct one of them, or leave persons out")
    if not total:
        raise row.wrong("arriving", [], "holds nobody", "add rows { day = ..., persons = ... }, or leave the group out")
    return tuple(sorted((day, persons) for day, persons in found.items() if persons))


def _within(part: Part, key: str, first: date, last: date, default: date | None = None) -> date:
    found: date = part.day(key) if default is None else part.day(key, default)
    if not first <= found <= last:
        raise part.wrong(key, found, f"lies outside the plan, {first} to {last}", "move it, or make the plan longer")
    return found


def _leg(row: Part, first: date, last: date) -> Leg:
    days = row.whole("days", most=365)
    if days > 30:
        raise row.wrong("days", days, "is a very long way", f"days are meant; if these are hours, write {max(1, round(days / 24))}")
    whole, load = row.whole("seats", least=1, most=100_000), row.share("load_factor", 1.0)
    seats = int(whole * load + 1e-9)
    if not seats:
        raise row.wrong("load_factor", load, f"leaves none of {whole} seats", "give a share above 0")
    carries = row.texts("carries") if row.has("carries") else None
    if carries == ():
        raise row.wrong("carries", [], "lets nobody on board", "name citizenships, or leave it out for all")
    leg = Leg(
        id=row.text("id"), origin=row.text("from"), destination=row.text("to"), mode=row.text("mode", among=get_args(Mode)), days=days,
        seats=seats, departures=_departures(row, first, last), carries=carries, crosses=_crosses(row, days),
        cost=row.number("cost", 0.0, least=0, most=1e12),
    )  # fmt: skip
    row.done()
    if leg.origin == leg.destination:
        raise row.wrong("to", leg.destination, "is where the leg begins", "name another place")
    return leg


def _departures(row: Part, first: date, last: date) -> tuple[tuple[date, int], ...]:
    vehicles = row.whole("vehicles", 1, least=1, most=10_000)
    if row.has("dates"):
        for key in ("every", "first", "last"):
            if row.has(key):
                raise row.wrong(key, row.get(key), "stands beside dates", "keep one of the two")
        days = row.days("dates")
        if len(set(days)) != len(days) or not days:
            raise row.wrong("dates", list(days), "is empty or has a day twice", "name each day of departure once")
        for day in days:
            if not first <= day <= last:
                raise row.wrong("dates", day, f"lies outside the plan, {first} to {last}", "leave it out, or make the plan longer")
        return tuple((day, vehicles) for day in sorted(days))
    every = row.whole("every", 1, least=1, most=LONGEST)
    begins, ends = _span(row, first, last)
    days = tuple(begins + timedelta(days=step) for step in range(0, (ends - begins).days + 1, every))
    inside = tuple((day, vehicles) for day in days if first <= day <= last)
    if not inside:
        raise row.wrong("first", begins, f"leaves no departure from {first} to {last}", "move it, or make the plan longer")
    return inside


def _crosses(row: Part, days: int) -> tuple[tuple[str, int], ...]:
    part = row.part("crosses", {})
    return tuple((border, part.whole(border, most=days)) for border in part.content)


def _border(row: Part, first: date, last: date) -> Border:
    closed = []
    for one in row.rows("closed", ()):
        begins, ends = _span(one, first, last)
        closed.append(Closed(first=begins, last=ends, why=one.text("why", "")))
        one.done()
    border = Border(
        id=row.text("id"), permits=row.whole("permits_per_day", None, most=CROWD), closed=tuple(sorted(closed, key=lambda one: one.first)),
        citizenships=row.texts("citizenships") if row.has("citizenships") else None, place=row.text("place", None),
    )  # fmt: skip
    row.done()
    for earlier, later in zip(border.closed, border.closed[1:], strict=False):
        if later.first <= earlier.last:
            raise row.wrong("closed", later.first, f"begins before the span to {earlier.last} has ended", "make one span of the two")
    return border


def _fleet(part: Part) -> Fleet:
    turnaround = part.whole("turnaround", None, least=1, most=365)
    if turnaround is not None and turnaround > 60:
        raise part.wrong("turnaround", turnaround, "is very long", f"days are meant; if these are hours, write {round(turnaround / 24)}")
    return Fleet(vehicles=part.whole("vehicles", most=100_000), turnaround=turnaround)


def _consulate(part: Part) -> Consulate:
    return Consulate(per_day=part.whole("per_day", most=CROWD), closed_weekends=part.flag("closed_weekends"))


def _quarantine(part: Part) -> Quarantine:
    return Quarantine(beds=part.whole("beds", most=CROWD), days=part.whole("days", least=1, most=60))


def _agree(corridor: Corridor, where: str) -> None:
    """Names that point to one another, and ends that must meet."""
    for what, names in (("groups", [one.id for one in corridor.groups]), ("legs", [one.id for one in corridor.legs]),
                        ("borders", [one.id for one in corridor.borders])):  # fmt: skip
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise DesignError(f"{where}: two {what} are called {twice!r}", mend="give each its own id")
    places = {place for leg in corridor.legs for place in (leg.origin, leg.destination)} | {group.place for group in corridor.groups}
    citizens = {group.citizenship for group in corridor.groups}
    crossed = {border for leg in corridor.legs for border, _ in leg.crosses}
    ends = {leg.destination for leg in corridor.legs}
    for group in corridor.groups:
        _known(where, f"groups {group.id}: destination", [group.destination], ends)
        if group.papers < 1 and group.citizenship not in corridor.consulates:
            raise DesignError(
                f"{where}: group {group.id} has persons without papers, and there is no consulate of {group.citizenship}",
                mend=f"add [consulates.{group.citizenship}] with per_day, or set papers = 1",
            )
    for leg in corridor.legs:
        _known(where, f"legs {leg.id}: carries", leg.carries or (), citizens)
        _known(where, f"legs {leg.id}: crosses", [border for border, _ in leg.crosses], {border.id for border in corridor.borders})
    for border in corridor.borders:
        _known(where, f"borders {border.id}: citizenships", border.citizenships or (), citizens)
        _known(where, f"borders {border.id}: place", [border.place] if border.place else (), places)
        if border.id not in crossed:
            raise DesignError(f"{where}: no leg crosses the border {border.id}", mend="name it in crosses of a leg, or leave it out")
    _known(where, "places", corridor.rooms, places)
    _known(where, "fleet", corridor.fleets, {leg.mode for leg in corridor.legs})
    _known(where, "consulates", corridor.consulates, citizens)
    _known(where, "quarantine", corridor.quarantines, {group.destination for group in corridor.groups})


def _known(where: str, what: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise DesignError(f"{where}, {what} names {name!r}, which no group, leg or border has", mend=nearest(name, known))
