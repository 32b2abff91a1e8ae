"""Small corridors for tests, and an account of a plan that is kept apart from the model: from its moves, papers and schedule alone."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from qonys.scenarios.corridor import corridor_of
from qonys.scenarios.reading import Part

FIRST = date(2020, 4, 6)  # a Monday

PLAIN = {
    "name": "small",
    "first": FIRST,
    "last": FIRST + timedelta(days=7),
    "objective": {"vehicle": 0.5, "vulnerable": 2.0, "left": 10},
    "groups": [{"id": "one", "place": "a", "citizenship": "UZB", "destination": "h", "persons": 6}],
    "legs": [{"id": "a-h", "from": "a", "to": "h", "mode": "bus", "days": 1, "seats": 2, "vehicles": 1, "crosses": {"gate": 1}}],
    "borders": [{"id": "gate"}],
}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def content(**changes):
    """The plain corridor with other tables."""
    return deepcopy({**PLAIN, **changes})


def small(**changes):
    return corridor_of(Part(content(**changes), "small.toml"))


@st.composite
def corridors(draw, home_by=False):
    """A few persons, two places, a border, and whichever limits."""
    length = draw(st.integers(4, 7))
    groups = [
        {
            "id": name, "place": draw(st.sampled_from(["a", "b"])), "citizenship": citizenship, "destination": "h", "persons": draw(st.integers(1, 9)),
            "papers": draw(st.sampled_from([1.0, 0.5])), "vulnerable": draw(st.sampled_from([0.0, 0.4])), "ready": day(draw(st.integers(0, 2))),
        }
        for name, citizenship in (("one", "UZB"), ("two", "KGZ"))[: draw(st.integers(1, 2))]
    ]  # fmt: skip
    legs = [
        {"id": f"{start}-{end}", "from": start, "to": end, "mode": mode, "days": draw(st.integers(0, 2)), "seats": draw(st.integers(2, 5)),
         "vehicles": draw(st.integers(1, 2)), "every": draw(st.integers(1, 2)), "crosses": {"gate": 0} if end == "h" else {}}
        for start, end, mode in (("a", "h", "train"), ("b", "h", "bus"), ("a", "b", "bus"))
    ]  # fmt: skip
    border = {"id": "gate", "place": "b"}
    if draw(st.booleans()):
        border["permits_per_day"] = draw(st.integers(1, 6))
    if draw(st.booleans()):
        begins = draw(st.integers(0, 3))
        border["closed"] = [{"first": day(begins), "last": day(begins + draw(st.integers(0, 2)))}]
    made = content(last=day(length), groups=groups, legs=legs, borders=[border])
    made["consulates"] = {group["citizenship"]: {"per_day": draw(st.integers(1, 3))} for group in groups}
    if draw(st.booleans()):
        made["quarantine"] = {"h": {"beds": draw(st.integers(2, 8)), "days": draw(st.integers(1, 3))}}
        made["objective"]["home"] = draw(st.sampled_from(["arrival", "after_quarantine"]))
    if draw(st.booleans()):
        made["fleet"] = {"bus": {"vehicles": draw(st.integers(1, 2)), "turnaround": draw(st.integers(1, 3))}}
    if home_by:
        made["objective"]["home_by"] = day(draw(st.integers(2, length)))
        made["places"] = {"b": {"room": draw(st.integers(0, 12))}}
    return corridor_of(Part(made, "small.toml"))


def number(corridor, when):
    return (pd.Timestamp(when).date() - corridor.first).days


def keeps_account(found, held=False):
    """Nobody is lost, nobody leaves without papers or before coming, and no limit is exceeded. held: people were stopped at a border."""
    corridor, moves = found.corridor, found.moves
    legs, groups = {leg.id: leg for leg in corridor.legs}, {group.id: group for group in corridor.groups}
    days = found.days
    everybody = days[["to_come", "waiting", "under_way", "quarantine", "home"]]
    assert (everybody.sum(axis=1) == corridor.persons).all()
    assert (everybody >= 0).all().all()
    waits = found.waiting.groupby("day")["persons"].sum().reindex(days["day"], fill_value=0)
    assert (waits.to_numpy() == days["waiting"].to_numpy()).all()
    for name, group in groups.items():
        its = moves[moves["group"] == name].assign(origin=lambda rows: rows["leg"].map({leg.id: leg.origin for leg in legs.values()}))
        gone = {place: _by_day(corridor, rows, "day") for place, rows in its.groupby("origin")}
        come = {place: _by_day(corridor, rows, "arrives") for place, rows in its.groupby("place")}
        come.setdefault(group.destination, np.zeros(corridor.days))
        papers = found.papers[found.papers["group"] == name]
        issued = np.concatenate([[0], _by_day(corridor, papers, "day")[:-1]])
        ready = np.array([sum(persons for when, persons in group.arriving if number(corridor, when) <= t) for t in range(corridor.days)])
        lacking = group.persons - sum(_papered(corridor, name))
        for place, left in gone.items():
            there = come.get(place, np.zeros(corridor.days))
            allowed = there + (np.minimum(ready, group.persons - lacking + issued) if place == group.place else 0)
            assert (left <= allowed).all()
        assert come[group.destination][-1] <= group.persons
    for (leg, when), trip in moves.groupby(["leg", "day"]):
        ran = found.schedule[(found.schedule["leg"] == leg) & (found.schedule["day"] == when)].iloc[0]
        assert trip["persons"].sum() == ran["persons"] <= ran["seats"] == ran["vehicles"] * legs[leg].seats
        assert ran["vehicles"] <= dict(legs[leg].departures)[when.date()]
    _limits(found, legs, groups, held)


def _by_day(corridor, rows, column):
    """Persons up to each day."""
    found = np.zeros(corridor.days)
    np.add.at(found, [number(corridor, when) for when in rows[column]], rows["persons"].to_numpy())
    return found.cumsum()


def _papered(corridor, name):
    from qonys.scenarios.corridor.people import classes

    return [one for people in classes(corridor) if people.group.id == name for _, one, _ in people.ready]


def _limits(found, legs, groups, held):
    corridor, moves = found.corridor, found.moves
    for border in corridor.borders:
        passed: dict[date, int] = {}
        for row in moves.itertuples():
            for crossed, after in legs[row.leg].crosses:
                concerned = border.citizenships is None or groups[row.group].citizenship in border.citizenships
                if crossed == border.id and concerned and row.place == legs[row.leg].destination:
                    at = (row.day + pd.Timedelta(days=after)).date()
                    passed[at] = passed.get(at, 0) + row.persons
        for at, persons in passed.items():
            assert border.permits is None or persons <= border.permits
            assert not any(span.first <= at <= span.last for span in border.closed)
    for place, quarantine in corridor.quarantines.items():
        for t in range(corridor.days):
            now = pd.Timestamp(corridor.first) + pd.Timedelta(days=t)
            window = moves["arrives"].between(now - pd.Timedelta(days=quarantine.days - 1), now)
            assert moves[(moves["place"] == place) & window]["persons"].sum() <= quarantine.beds
    for mode, fleet in corridor.fleets.items():
        for t in range(corridor.days):
            out = sum(
                row.vehicles
                for row in found.schedule[found.schedule["mode"] == mode].itertuples()
                if 0 <= t - number(corridor, row.day) < (fleet.turnaround or max(1, 2 * legs[row.leg].days))
            )
            assert out <= fleet.vehicles
    for citizenship, consulate in corridor.consulates.items():
        issued = found.papers[found.papers["group"].isin([name for name, one in groups.items() if one.citizenship == citizenship])]
        assert (issued.groupby("day")["persons"].sum() <= consulate.per_day).all()
    if not held:
        for place, room in corridor.rooms.items():
            assert (found.waiting[found.waiting["place"] == place]["persons"] <= room).all()
