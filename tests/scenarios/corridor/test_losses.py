"""Lost trips: none, and the plan stands; some, and a plan with spare seats stands more often, at a price that is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qonys.core.errors import DesignError
from qonys.scenarios.corridor import plan, withstand

from .small import day, small


def spare():
    """12 persons, more departures than are needed."""
    group = {
        "id": "one",
        "place": "a",
        "citizenship": "UZB",
        "destination": "h",
        "persons": 12,
        "arriving": [{"first": day(0), "last": day(5), "persons": 12}],
    }
    leg = {"id": "a-h", "from": "a", "to": "h", "mode": "bus", "days": 0, "seats": 4, "vehicles": 2}
    return small(groups=[group], legs=[leg], borders=[], objective={"vehicle": 1, "left": 20}, last=day(9))


def test_if_nothing_is_lost_the_plan_is_what_it_was():
    corridor = spare()
    told = withstand(corridor, chance=0, scenarios=2, tests=3, gap=0)
    found = plan(corridor, gap=0)
    assert told.candidates["counted_on"].tolist() == [1.0]
    assert (told.results["share_home"] == 1).all()
    assert np.allclose(told.results["mean_waiting_days"], found.summary["mean_waiting_days"].iloc[0])
    assert (told.results["last_home_95"] == found.summary["last_home"].iloc[0]).all()
    run = told.schedule[told.schedule["plan"] == "nominal"][["day", "leg", "vehicles"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(run, found.schedule[["day", "leg", "vehicles"]])


def test_a_plan_with_spare_seats_brings_all_home_more_often_and_costs_vehicles():
    told = withstand(spare(), chance=0.3, scenarios=30, tests=60, gap=0)
    nominal, robust = told.results.iloc[0], told.results.iloc[1]
    assert robust["share_home"] > nominal["share_home"]
    assert robust["vehicles"] > nominal["vehicles"]
    assert robust["not_home"] < nominal["not_home"]
    assert told.candidates["objective"].min() == told.candidates.set_index("counted_on").loc[robust["counted_on"], "objective"]
    assert (told.results["share_low"] <= told.results["share_home"]).all()
    assert (told.results["share_home"] <= told.results["share_high"]).all()
    assert pd.isna(nominal["last_home_mean"])  # some tests leave persons behind: there is no mean day


def test_the_share_of_tests_without_a_loss_is_what_chance_says():
    """One bus a day on three days, all needed: all are home only if none is lost, with a probability of 0.8 cubed."""
    told = withstand(small(last=day(3)), chance=0.2, scenarios=2, tests=400)
    nominal = told.results.iloc[0]
    assert nominal["vehicles"] == 3
    assert nominal["share_low"] < 0.8**3 < nominal["share_high"]
    alone = told.tests[told.tests["plan"] == "nominal"]
    assert ((alone["lost"] == 0) == (alone["not_home"] == 0)).all()
    assert np.allclose(alone["not_home"], 2 * alone["lost"])


def test_the_same_seed_draws_the_same_losses_and_another_one_others():
    one, same, other = (withstand(spare(), chance=0.3, scenarios=3, tests=8, seed=seed).tests for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"chance": 5}, "a chance of 5 is above 1; if you mean 5 %, write 0.05"),
        ({"chance": 1}, "a chance of 1 is none"),
        ({"chance": -0.1}, "a chance of -0.1 is none"),
        ({"chance": float("nan")}, "a chance of nan is none"),
        ({"chance": 0.1, "tests": 0}, "0 tests cannot be run"),
    ],
)
def test_a_chance_that_is_none_is_refused(options, sentence):
    with pytest.raises(DesignError, match=sentence):
        withstand(small(), **options)
