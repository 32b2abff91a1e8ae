"""The corridor as an integer flow over places and days: who waits, who travels, how many vehicles leave, and every limit as named rows.

Columns: vehicles n(leg, day); persons x(class, leg, day); those who wait with papers y(class, place, day) and without u(class, day) at the
end of a day; documents q(class, day). Persons balance at every place and day; each limit is a row with its kind, name and day:

    vehicles   n <= most of that leg and day              seats     sum x <= seats n
    fleet      sum of n that are out <= vehicles          permits   sum x that cross the border that day <= permits
    closed     sum x that cross it that day <= 0          beds      arrivals of the last so many days <= beds
    consulate  sum q <= documents a day                   room      sum y + u at the place <= room
    fairness   waiting of a group / its persons - waiting of all / all persons <= days
    home_by    sum x of a class that are home by the day >= its persons

The objective adds weighted days from ready to home, or to the end of the plan; person-days a vehicle counts; and `left` for who is left.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.scenarios.corridor.people import Class, classes, departure_days, earliest, latest, takes
from qonys.scenarios.corridor.solver import INF, Model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from qonys.scenarios.corridor.definition import Corridor, Leg

KINDS = ("vehicles", "seats", "fleet", "permits", "closed", "beds", "consulate", "room", "fairness", "home_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What has happened before the day `on`: legs as they were then, and of a plan the tables schedule, moves and papers up to that day.

    A move's place and arrives say where and when its persons get off, wherever the leg was bound for.
    """

    on: date
    legs: Mapping[str, Leg]
    schedule: pd.DataFrame
    moves: pd.DataFrame
    papers: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The model of a corridor and what its columns and rows mean; days are counted from the first of the plan.

    trips: leg, day, seats, most, cost, column, row (of its seats; -1: past). moves: people, leg, day, place, arrives, home (days: not by
    the last day), column. stays: people, place, day, column. lacking: people, day, column. papers: people, day, column.
    limits: kind, name, first (of a closed span), day, limit, row, factor (1: at most the limit, -1: at least).
    waiting: of each column, days of waiting a person. end: columns of those who are left at the end.
    """

    corridor: Corridor
    people: tuple[Class, ...]
    model: Model
    trips: pd.DataFrame
    moves: pd.DataFrame
    stays: pd.DataFrame
    lacking: pd.DataFrame
    papers: pd.DataFrame
    limits: pd.DataFrame
    waiting: NDArray[np.float64]


class _Sheet:
    """A model as it grows."""

    def __init__(self) -> None:
        self.columns: list[tuple[float, float, float, bool, float]] = []  # cost, lower, upper, is a vehicle, days of waiting
        self.rows: list[tuple[float, float]] = []
        self.entries: list[tuple[int, int, float]] = []

    def column(self, cost: float = 0.0, lower: float = 0.0, upper: float = INF, *, vehicle: bool = False, waiting: float = 0.0) -> int:
        self.columns.append((cost, lower, upper, vehicle, waiting))
        return len(self.columns) - 1

    def row(self, lower: float, upper: float, entries: Sequence[tuple[int, float]] = ()) -> int:
        row = len(self.rows)
        self.rows.append((lower, upper))
        self.entries.extend((row, column, factor) for column, factor in entries)
        return row

    def model(self) -> Model:
        columns = np.array(self.columns, dtype=float).reshape(-1, 5)
        rows = np.array(self.rows, dtype=float).reshape(-1, 2)
        table = np.array(self.entries, dtype=float).reshape(-1, 3)
        return Model(
            cost=columns[:, 0], lower=columns[:, 1], upper=columns[:, 2], whole=columns[:, 3] > 0, row_lower=rows[:, 0],
            row_upper=rows[:, 1], entries=(table[:, 0].astype(np.int32), table[:, 1].astype(np.int32), table[:, 2]),
        )  # fmt: skip


def network(corridor: Corridor, *, past: Past | None = None) -> Network:
    """The network of a corridor; with a past, the days before `past.on` are as they were and limits hold from then on.

    A limit that the past alone exceeds on a later day (beds taken, permits of trips under way) is what the past needs.
    """
    return _Builder(corridor, past).build()


class _Builder:
    def __init__(self, corridor: Corridor, past: Past | None) -> None:
        self.corridor, self.past, self.sheet = corridor, past, _Sheet()
        self.people = classes(corridor)
        self.begin = 0 if past is None else (past.on - corridor.first).days
        self.balance: dict[tuple[int, str, int], int] = {}
        self.trips: list[tuple[Leg, int, int, int, int]] = []  # leg, day, most, column, row of seats
        self.moves: list[tuple[int, Leg, int, str, int, int, int]] = []  # class, leg, day, place, arrives, home, column
        self.stays: list[tuple[int, str, int, int]] = []
        self.lacking: list[tuple[int, int, int]] = []
        self.papers: list[tuple[int, int, int]] = []
        self.limits: list[tuple[str, str, object, int, float, int, int]] = []
        self.committed: dict[int, float] = {}  # column -> what the past has fixed

    def build(self) -> Network:
        done = self._done()
        for place, one in enumerate(self.people):
            self._places(place, one, done[place])
        self._vehicles()
        for place, one in enumerate(self.people):
            self._travel(place, one, done[place])
        self._limits()
        model = self.sheet.model()
        return Network(
            corridor=self.corridor, people=self.people, model=model, waiting=np.array([row[4] for row in self.sheet.columns]),
            trips=pd.DataFrame(
                [(leg.id, leg.mode, day, leg.seats, most, leg.cost, column, row) for leg, day, most, column, row in self.trips],
                columns=["leg", "mode", "day", "seats", "most", "cost", "column", "row"],
            ),
            moves=pd.DataFrame([(one, leg.id, *rest) for one, leg, *rest in self.moves],
                               columns=["people", "leg", "day", "place", "arrives", "home", "column"]),
            stays=pd.DataFrame(self.stays, columns=["people", "place", "day", "column"]),
            lacking=pd.DataFrame(self.lacking, columns=["people", "day", "column"]),
            papers=pd.DataFrame(self.papers, columns=["people", "day", "column"]),
            limits=pd.DataFrame(self.limits, columns=["kind", "name", "first", "day", "limit", "row", "factor"]),
        )  # fmt: skip

    def _done(self) -> list[list[tuple[Leg, int, str, int, int]]]:
        """Past moves of each class: leg, day, place, arrives, persons."""
        found: list[list[tuple[Leg, int, str, int, int]]] = [[] for _ in self.people]
        if self.past is None:
            return found
        index = {(one.group.id, one.vulnerable): place for place, one in enumerate(self.people)}
        for row in self.past.moves.itertuples():
            at = found[index[row.group, bool(row.vulnerable)]]
            at.append((self.past.legs[row.leg], self._day(row.day), row.place, self._day(row.arrives), int(row.persons)))
        return found

    def _day(self, day: Any) -> int:
        return int((pd.Timestamp(day).date() - self.corridor.first).days)

    def _places(self, one: int, people: Class, done: Sequence[tuple[Leg, int, str, int, int]]) -> None:
        """Those who wait at each place, with their balance; and at the first place, those who lack papers."""
        corridor, sheet, group = self.corridor, self.sheet, people.group
        ready = {day: persons for day, persons, _ in people.ready}
        seeds = [(group.place, people.ready[0][0])] + [(place, arrives) for _, _, place, arrives, _ in done]
        since, until = earliest(corridor, group, seeds), latest(corridor, group)
        useful = {place for place in since if place in until and since[place] <= until[place]} | {place for place, _ in seeds}
        for place in [name for name in since if name in useful and name != group.destination]:
            before = None
            for day in range(since[place], corridor.days):
                last = day == corridor.days - 1
                stay = sheet.column(people.weight * (1 + corridor.left * last), waiting=1.0)
                come = float(ready.get(day, 0)) if place == group.place else 0.0
                row = sheet.row(come, come, [(stay, 1.0)] + ([] if before is None else [(before, -1.0)]))
                self.balance[one, place, day] = row
                self.stays.append((one, place, day, stay))
                before = stay
        if not people.papered:
            self._papers(one, people)

    def _papers(self, one: int, people: Class) -> None:
        corridor, sheet = self.corridor, self.sheet
        ready = {day: persons for day, _, persons in people.ready}
        issued = {} if self.past is None else {
            self._day(row.day): float(row.persons)
            for row in self.past.papers.itertuples() if (row.group, bool(row.vulnerable)) == (people.group.id, people.vulnerable)
        }  # fmt: skip
        before: list[tuple[int, float]] = []
        for day in range(people.ready[0][0], corridor.days):
            last = day == corridor.days - 1
            stay = sheet.column(people.weight * (1 + corridor.left * last), waiting=1.0)
            fixed = None if day >= self.begin else issued.get(day, 0.0)
            paper = sheet.column(0.0, fixed or 0.0, INF if fixed is None else fixed)
            come = float(ready.get(day, 0))
            # whoever gets a document today counts as waiting with papers from tomorrow on, so the day's stay is booked here
            sheet.row(come, come, [(stay, 1.0), (paper, 1.0), *before])
            sheet.columns[paper] = (people.weight * (1 + corridor.left * last), *sheet.columns[paper][1:4], 1.0)
            if not last:
                sheet.entries.append((self.balance[one, people.group.place, day + 1], paper, -1.0))
            self.lacking.append((one, day, stay))
            self.papers.append((one, day, paper))
            before = [(stay, -1.0)]

    def _vehicles(self) -> None:
        corridor, sheet = self.corridor, self.sheet
        if self.past is not None:
            for row in self.past.schedule.itertuples():
                column = sheet.column(corridor.vehicle, float(row.vehicles), float(row.vehicles), vehicle=True)
                self.committed[column] = float(row.vehicles)
                self.trips.append((self.past.legs[row.leg], self._day(row.day), int(row.vehicles), column, -1))
        for leg in corridor.legs:
            for day, (_, most) in zip(departure_days(corridor, leg), leg.departures, strict=True):
                if self.begin <= day and day + leg.days < corridor.days:
                    column = sheet.column(corridor.vehicle, vehicle=True)
                    self.trips.append((leg, day, most, column, sheet.row(-INF, 0.0, [(column, -float(leg.seats))])))

    def _travel(self, one: int, people: Class, done: Sequence[tuple[Leg, int, str, int, int]]) -> None:
        group = people.group
        for leg, day, place, arrives, persons in done:
            self._move(one, people, leg, day, place, arrives, fixed=float(persons))
        for leg, day, _, _, row in self.trips:
            arrives = day + leg.days
            ends = leg.destination == group.destination or (one, leg.destination, arrives) in self.balance
            if row >= 0 and takes(leg, group) and (one, leg.origin, day) in self.balance and ends:
                column = self._move(one, people, leg, day, leg.destination, arrives)
                self.sheet.entries.append((row, column, 1.0))

    def _move(self, one: int, people: Class, leg: Leg, day: int, place: str, arrives: int, fixed: float | None = None) -> int:
        corridor, ends = self.corridor, place == people.group.destination
        home = min(arrives + corridor.settling(place), corridor.days) if ends else corridor.days
        waiting = float((home if ends else arrives) - day)
        column = self.sheet.column(people.weight * waiting, fixed or 0.0, INF if fixed is None else fixed, waiting=waiting)
        if fixed is not None:
            self.committed[column] = fixed
        self.moves.append((one, leg, day, place, arrives, home, column))
        self.sheet.entries.append((self.balance[one, leg.origin, day], column, 1.0))
        if not ends:
            self.sheet.entries.append((self.balance[one, place, arrives], column, -1.0))
        return column

    def _limit(self, kind: str, name: str, day: int, limit: float, entries: list[tuple[int, float]], *, first: object = None,
               least: bool = False, taken: float | None = None) -> None:  # fmt: skip
        """A named row, unless its day is past or nobody can come near it."""
        if not entries or day < self.begin:
            return
        if taken is None:
            taken = sum(factor * self.committed.get(column, 0.0) for column, factor in entries)
        if not least and self.past is not None and kind != "fairness":
            limit = max(limit, taken)
        row = self.sheet.row(limit, INF, entries) if least else self.sheet.row(-INF, limit, entries)
        self.limits.append((kind, name, first, day, limit, row, -1 if least else 1))

    def _limits(self) -> None:
        for leg, day, most, column, row in self.trips:
            if row >= 0:
                self._limit("vehicles", leg.id, day, float(most), [(column, 1.0)])
        self._fleets()
        self._borders()
        self._beds()
        self._consulates()
        self._rooms()
        self._fairness()
        self._home_by()

    def _fleets(self) -> None:
        for mode, fleet in self.corridor.fleets.items():
            out: dict[int, list[tuple[int, float]]] = defaultdict(list)
            for leg, day, _, column, _ in self.trips:
                if leg.mode == mode:
                    for busy in range(day, min(day + (fleet.turnaround or max(1, 2 * leg.days)), self.corridor.days)):
                        out[busy].append((column, 1.0))
            # within a turnaround only days on which something leaves can bind: more are out than on the day before
            leaving = {day for leg, day, *_ in self.trips if leg.mode == mode}
            for day in sorted(leaving):
                self._limit("fleet", mode, day, float(fleet.vehicles), out[day])

    def _borders(self) -> None:
        for border in self.corridor.borders:
            passing: dict[int, list[tuple[int, float]]] = defaultdict(list)
            for one, leg, day, place, arrives, _, column in self.moves:
                concerned = border.citizenships is None or self.people[one].group.citizenship in border.citizenships
                for name, after in leg.crosses:
                    # who was held up on the way did not pass what lay beyond
                    if name == border.id and concerned and (place == leg.destination or day + after < arrives):
                        passing[day + after].append((column, 1.0))
            for day in sorted(passing):
                if border.permits is not None:
                    self._limit("permits", border.id, day, float(border.permits), passing[day])
                for span in border.closed:
                    if (span.first - self.corridor.first).days <= day <= (span.last - self.corridor.first).days:
                        self._limit("closed", border.id, day, 0.0, passing[day], first=span.first)

    def _beds(self) -> None:
        for name, held in self.corridor.quarantines.items():
            come: dict[int, list[int]] = defaultdict(list)
            for one, _, _, place, arrives, _, column in self.moves:
                if place == name == self.people[one].group.destination:
                    come[arrives].append(column)
            daily = {}
            for day in sorted(come):
                daily[day] = self.sheet.column()
                self.sheet.row(0.0, 0.0, [(daily[day], -1.0), *((column, 1.0) for column in come[day])])
            taken = {day: sum(self.committed.get(column, 0.0) for column in columns) for day, columns in come.items()}
            for day in sorted(come):
                window = [before for before in range(day - held.days + 1, day + 1) if before in daily]
                past = sum(taken[before] for before in window)
                self._limit("beds", name, day, float(held.beds), [(daily[before], 1.0) for before in window], taken=past)

    def _consulates(self) -> None:
        for citizenship, consulate in self.corridor.consulates.items():
            issued: dict[int, list[tuple[int, float]]] = defaultdict(list)
            for one, day, column in self.papers:
                if self.people[one].group.citizenship == citizenship:
                    issued[day].append((column, 1.0))
            for day in sorted(issued):
                rests = consulate.closed_weekends and (self.corridor.first.toordinal() + day) % 7 in (6, 0)
                self._limit("consulate", citizenship, day, 0.0 if rests else float(consulate.per_day), issued[day])

    def _rooms(self) -> None:
        for name, room in self.corridor.rooms.items():
            there: dict[int, list[tuple[int, float]]] = defaultdict(list)
            for _, place, day, column in self.stays:
                if place == name:
                    there[day].append((column, 1.0))
            for one, day, column in (*self.lacking, *self.papers):
                if self.people[one].group.place == name:
                    there[day].append((column, 1.0))
            for day in sorted(there):
                self._limit("room", name, day, float(room), there[day])

    def _fairness(self) -> None:
        if self.corridor.fairness is None:
            return
        owner: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for rows in (self.moves, self.stays, self.lacking, self.papers):
            for row in rows:
                one, column = int(row[0]), int(row[-1])
                if self.sheet.columns[column][4]:
                    owner[self.people[one].group.id].append((column, self.sheet.columns[column][4]))
        total = {}
        for group in self.corridor.groups:
            total[group.id] = self.sheet.column()
            self.sheet.row(0.0, 0.0, [(total[group.id], -1.0), *owner[group.id]])
        everybody = self.corridor.persons
        for group in self.corridor.groups:
            entries = [(column, (1 / group.persons if name == group.id else 0.0) - 1 / everybody) for name, column in total.items()]
            self._limit("fairness", group.id, self.corridor.days - 1, self.corridor.fairness, entries)

    def _home_by(self) -> None:
        if self.corridor.home_by is None:
            return
        by = (self.corridor.home_by - self.corridor.first).days
        reached: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for one, _, _, _, _, home, column in self.moves:
            if home <= by:
                reached[one].append((column, 1.0))
        for place, people in enumerate(self.people):
            # nobody of them can be home by then: the row stays, and cannot hold
            self._limit("home_by", people.group.id, max(by, self.begin), float(people.persons), reached[place] or [(0, 0.0)], least=True)
