"""Where no plan exists: the set cannot hold, it is a smallest one, and what is said to be needed is needed and enough."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings

from qonys.core.errors import DesignError
from qonys.scenarios.corridor import conflict, loosen
from qonys.scenarios.corridor.conflict import families
from qonys.scenarios.corridor.network import network
from qonys.scenarios.corridor.search import whole_solution

from .small import corridors, day, small

PLENTY = 10_000


def only(corridor, kept):
    """The corridor with these limits alone, by other means than freeing rows."""
    names = {kind: {name for one, name, _ in kept if one == kind} for kind in ("vehicles", "fleet", "permits", "beds", "consulate", "room")}
    spans = {(name, first) for kind, name, first in kept if kind == "closed"}
    kinds = {kind for kind, _, _ in kept}
    return replace(
        corridor,
        legs=tuple(
            leg if leg.id in names["vehicles"] else replace(leg, departures=tuple((when, PLENTY) for when, _ in leg.departures))
            for leg in corridor.legs
        ),
        fleets={mode: fleet for mode, fleet in corridor.fleets.items() if mode in names["fleet"]},
        borders=tuple(
            replace(
                border,
                permits=border.permits if border.id in names["permits"] else None,
                closed=tuple(span for span in border.closed if (border.id, span.first) in spans),
            )
            for border in corridor.borders
        ),
        quarantines={name: one if name in names["beds"] else replace(one, beds=PLENTY) for name, one in corridor.quarantines.items()},
        consulates={name: one if name in names["consulate"] else replace(one, per_day=PLENTY) for name, one in corridor.consulates.items()},
        rooms={name: room for name, room in corridor.rooms.items() if name in names["room"]},
        fairness=corridor.fairness if "fairness" in kinds else None,
        home_by=corridor.home_by if "home_by" in kinds else None,
    )


def exists(corridor):
    return whole_solution(network(corridor), gap=0.9, seconds=20).outcome != "infeasible"


def members(found):
    return [(row.kind, row.name, row.first.date() if pd.notna(row.first) else None) for row in found.members.itertuples()]


@settings(max_examples=12)
@given(corridors(home_by=True))
def test_the_set_cannot_hold_and_no_smaller_one_is_without_a_plan(corridor):
    found = conflict(corridor)
    assert found.exact
    assert found.exists == exists(corridor)
    if found.exists:
        assert found.members.empty
        return
    core = members(found)
    assert not exists(only(corridor, core))
    everything = families(network(corridor))
    for size in range(len(core)):
        for fewer in itertools.combinations(everything, size):
            assert exists(only(corridor, fewer)), fewer


@settings(max_examples=12)
@given(corridors(home_by=True))
def test_what_a_member_needs_is_enough_and_a_step_less_is_not(corridor):
    found = conflict(corridor)
    for row in found.members.itertuples():
        first = row.first.date() if pd.notna(row.first) else None
        if row.kind in ("home_by", "closed"):
            extra = abs((row.needed_day - row.day).days) if pd.notna(row.needed_day) else None
        else:
            extra = row.needed - row.limit if pd.notna(row.needed) else None
        if extra is not None:
            assert exists(loosen(corridor, kind=row.kind, name=row.name, day=first, extra=extra))
            assert extra == 1 or not exists(loosen(corridor, kind=row.kind, name=row.name, day=first, extra=extra - 1))


def test_too_few_buses_before_a_day_are_named_with_what_each_would_need():
    found = conflict(small(objective={"home_by": day(2)}))  # 6 persons, 2 seats: day 1, 2, 3
    assert not found.exists
    assert [(row.kind, row.name) for row in found.members.itertuples()] == [("vehicles", "a-h"), ("home_by", "")]
    needed = found.members.set_index("kind")
    assert needed.loc["vehicles", ["limit", "needed"]].tolist() == [1, 2]
    assert needed.loc["home_by", "needed_day"] == pd.Timestamp(day(3))


def test_whole_vehicles_can_be_in_conflict_where_fractions_are_not():
    # a fleet of one, two places with one person each, and both must leave on the first day: half a bus each would do
    groups = [{"id": place, "place": place, "citizenship": "UZB", "destination": "h", "persons": 1} for place in ("a", "b")]
    legs = [
        {"id": f"{place}-h", "from": place, "to": "h", "mode": "bus", "days": 0, "seats": 2, "vehicles": 1, "crosses": {"gate": 0}}
        for place in ("a", "b")
    ]
    found = conflict(small(groups=groups, legs=legs, fleet={"bus": {"vehicles": 1, "turnaround": 3}}, objective={"home_by": day(0)}))
    assert [row.kind for row in found.members.itertuples()] == ["fleet", "home_by"]
    assert found.members["needed"].iloc[0] == 2
    assert found.members["needed_day"].iloc[1] == pd.Timestamp(day(3))


def test_what_nothing_would_mend_is_told_first():
    groups = [
        {"id": "one", "place": "a", "citizenship": "UZB", "destination": "h", "persons": 2},
        {"id": "two", "place": "b", "citizenship": "KGZ", "destination": "h", "persons": 2},
    ]
    late = {"id": "late", "from": "a", "to": "h", "mode": "bus", "days": 5, "seats": 2, "first": day(6)}
    legs = [{"id": "a-h", "from": "a", "to": "h", "mode": "bus", "days": 3, "seats": 2, "crosses": {"gate": 1}}, late]
    found = conflict(small(groups=groups, legs=legs, objective={"home_by": day(2)}))
    assert [(row.kind, row.name) for row in found.structural.itertuples()] == [("too_late", "one"), ("no_way", "two"), ("late_leg", "late")]
    assert [row.kind for row in found.members.itertuples()] == ["home_by"]
    assert found.members["needed_day"].isna().all()


def test_where_a_plan_exists_there_is_no_conflict():
    found = conflict(small())
    assert found.exists
    assert found.exact
    assert found.members.empty
    with pytest.raises(DesignError, match="no time"):
        conflict(small(), seconds=-1)
