"""What binds: a second plan with one more of a limit is that corridor's own plan, and a price is the slope of the relaxation."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings

from qonys.core.errors import DesignError
from qonys.scenarios.corridor import binding, loosen, plan
from qonys.scenarios.corridor.network import network
from qonys.scenarios.corridor.search import optimum

from .small import corridors, day, small


@settings(max_examples=4)
@given(corridors())
def test_one_more_of_a_limit_solved_again_is_the_plan_of_that_corridor(corridor):
    told = binding(plan(corridor, gap=0), most=3, gap=0)
    before = told.plan.summary.iloc[0]
    for row in told.loosened.itertuples():
        when = None if pd.isna(row.day) else row.day.date()
        fresh = optimum(network(loosen(corridor, kind=row.kind, name=row.name, day=when, extra=row.extra)), gap=0, seconds=60).value
        assert before["objective"] - row.weighted_saved == pytest.approx(fresh, abs=1e-6)
        assert -1e-6 <= row.low <= row.weighted_saved + 1e-6
        assert row.weighted_saved <= row.high + 1e-6


def test_one_more_bus_on_a_day_brings_the_last_home_earlier():
    # 6 persons, 2 seats a day: home on days 1, 2, 3; with one more bus on the first day on days 1, 1, 2
    told = binding(plan(small(), gap=0), gap=0)
    row = told.loosened.set_index("kind").loc["vehicles"]
    assert (row["name"], row["day"].date(), row["extra"]) == ("a-h", day(0), 1)
    assert (row["days_earlier"], row["person_days_saved"], row["weighted_saved"]) == (1, 4, 4)
    assert row["last_home"] == pd.Timestamp(day(2))


def test_the_price_of_a_bus_is_what_the_relaxation_saves_with_a_little_more_of_it():
    group = {"id": "one", "place": "a", "citizenship": "UZB", "destination": "h", "persons": 5}
    told = binding(plan(small(groups=[group]), gap=0), most=0, gap=0)
    prices = told.prices[told.prices["kind"] == "vehicles"].set_index("day")["price"]
    # a bus on the first day lets two go two days earlier; on the second one day; on the third there are places left
    assert prices.tolist() == pytest.approx([4.0, 2.0])
    assert told.loosened.empty


def test_what_does_not_bind_has_no_price():
    idle = small(borders=[{"id": "gate", "permits_per_day": 50}], fleet={"bus": {"vehicles": 40}})
    told = binding(plan(idle, gap=0), gap=0)
    assert set(told.prices["kind"]) <= {"vehicles", "seats"}
    assert set(told.loosened["kind"]) == {"vehicles"}


def test_the_bound_of_fairness_is_loosened_for_all_groups_at_once():
    groups = [
        {"id": name, "place": "a", "citizenship": "UZB", "destination": "h", "persons": 4, "priority": weight}
        for name, weight in (("one", 5.0), ("two", 1.0))
    ]
    told = binding(plan(small(groups=groups, fairness={"days": 0.25}), gap=0), gap=0)
    row = told.loosened[told.loosened["kind"] == "fairness"]
    assert row["name"].tolist() == [""]
    assert (row["weighted_saved"] > 0).all()


def test_a_limit_that_is_not_there_cannot_be_loosened():
    with pytest.raises(DesignError, match="nothing with a limit is called 'gat'; did you mean 'gate'"):
        loosen(small(), kind="permits", name="gat")
    with pytest.raises(DesignError, match="has no limit 'bed'"):
        loosen(small(), kind="bed", name="h")
    with pytest.raises(DesignError, match="most = -1"):
        binding(plan(small()), most=-1)
