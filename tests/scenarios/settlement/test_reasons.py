"""Reasons: one for each, and numbers that add up to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import households, placement, regions, simulated, tiny, values

from qonys.scenarios.settlement.assign import place
from qonys.scenarios.settlement.needs import needs
from qonys.scenarios.settlement.reasons import NEAR

MIX = "{ retention = 0.5, employment = 0.5 }"
UNPRICED = {"family", "only_fit", "best_here", "indivisible"}


def check(asked, found) -> None:
    """The law: value - price is the highest there is, but where the code says otherwise; and the numbers add up."""
    price = np.zeros(asked.market.capacity.shape)
    for one in found.regions.itertuples():
        price[list(asked.regions["region"]).index(one.region), asked.limits.index(one.limit)] = one.price
    net = asked.market.net(price)
    row_of = {name: row for row, name in enumerate(asked.households["household_id"])}
    for one in found.placements.itertuples():
        near = 2 * NEAR * one.members
        reach = net[row_of[one.household_id]].max() - (one.value - one.price)
        assert one.slack == pytest.approx(max(0.0, reach), abs=near)
        assert one.slack == 0 or one.code in UNPRICED
        if one.code == "best_here":
            assert one.value >= np.nanmax(asked.market.value[row_of[one.household_id]]) - near
        if one.gain:
            assert one.gain == pytest.approx(one.better_value - one.value)
            assert one.price_difference == pytest.approx(one.better_price - one.price)
        if one.code in {"best_full", "best_priced"}:
            assert one.price_difference > one.gain > 0
            assert one.limit_price > 0
        if one.code == "order_tie":
            assert one.price_difference == pytest.approx(one.gain, abs=near)


@settings(max_examples=15)
@given(tiny(most=8))
def test_every_placement_has_one_reason_whose_numbers_add_up(tables):
    people, where, worth = tables
    asked = needs(people, where, placement(MIX), values=worth)
    found = place(asked, gap=0)
    check(asked, found)
    assert found.placements["code"].notna().all()
    assert found.unplaced["code"].notna().all()


@pytest.mark.parametrize("seed", range(2))
def test_in_a_year_of_households_few_reasons_are_that_families_cannot_be_split(seed):
    asked = simulated(200, 4, seed)
    found = place(asked)
    check(asked, found)
    assert (found.placements["code"] == "indivisible").mean() < 0.05
    assert {"best_here", "best_full", "only_fit"} <= set(found.placements["code"])


@given(st.integers(1, 20))
def test_kin_and_the_only_fitting_region_are_reasons_of_their_own(seed):
    people = households(fixed_region=["north", None, None], needs_hospital=[0, 1, 0])
    where = regions(places=[20, 20], has_hospital=[0, 1])
    worth = values(people, where, retention=np.random.default_rng(seed).random(6).round(3))
    code = place(needs(people, where, placement(), values=worth)).placements.set_index("household_id")["code"]
    assert code.to_dict() == {"h1": "family", "h2": "only_fit", "h3": "best_here"}


def test_the_better_region_the_limit_in_the_way_and_its_price_are_told():
    people, where = households(members=[2, 2, 2]), regions(places=[4, 10])
    worth = values(people, where, retention=[0.9, 0.3, 0.8, 0.4, 0.7, 0.6])
    row = place(needs(people, where, placement(), values=worth)).placements.set_index("household_id").loc["h3"]
    assert (row["region"], row["better_region"], row["limit"], row["second_region"]) == ("south", "north", "places", "north")
    assert row["gain"] == pytest.approx(2 * 0.1)
    assert row["code"] in {"best_full", "order_tie"}
    # the price of a place lies between the gains of the last who got one and the first who did not
    assert 0.1 - 1e-9 <= row["limit_price"] <= 0.4 + 1e-9


def test_who_works_without_a_job_is_told_that_jobs_are_full():
    people = households(members=[1, 1, 1], workers=1, skill="farm")
    where = regions(places=[9, 0], jobs_farm=[2, 0])
    worth = values(people, where, retention=0.5, employment=np.repeat([0.9, 0.8, 0.7], 2))
    found = place(needs(people, where, placement(MIX), values=worth)).placements.set_index("household_id")
    assert found["with_jobs"].to_dict() == {"h1": True, "h2": True, "h3": False}
    assert found.loc["h3", "employment"] == 0
    assert found.loc["h3", ["better_region", "limit"]].tolist() == ["north", "jobs_farm"]
