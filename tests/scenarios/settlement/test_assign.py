"""Everybody at once: as good as trying all placements, within every limit, families whole, below the bound."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import households, placement, regions, simulated, tiny, values

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.assign import optimum, place, used, worth
from qonys.scenarios.settlement.needs import needs

MIX = "{ retention = 0.5, employment = 0.5 }"
modes = st.sampled_from(["", 'weigh = "households"', 'jobs = "needed"', "keep_capacity = 0.2"])


def best_of_all(market) -> float:
    """The best value over every way to place whole households."""
    best = 0.0
    for option in product(range(-1, market.value.shape[1]), repeat=len(market.count)):
        option = np.array(option)
        some = option >= 0
        found = market.value[some, option[some]].sum()
        if found > best and (used(market, option) <= market.capacity).all():
            best = float(found)
    return best


@settings(max_examples=15)
@given(tiny(most=4), modes)
def test_the_placement_is_worth_what_the_best_of_all_placements_is(tables, mode):
    people, where, worth_ = tables
    asked = needs(people, where, placement(MIX, mode), values=worth_)
    found = place(asked, gap=0).summary.iloc[0]
    assert found["value"] == pytest.approx(best_of_all(asked.market), abs=1e-6)
    assert found["value"] <= found["bound"] + 1e-6
    assert max(found["greedy"], found["random"]) <= found["value"] + 1e-6


@settings(max_examples=15)
@given(tiny(most=8), modes)
def test_no_limit_is_exceeded_and_every_family_is_whole_and_somewhere_once(tables, mode):
    people, where, worth_ = tables
    asked = needs(people, where, placement(MIX, mode), values=worth_)
    found = place(asked)
    assert (found.regions["used"] <= found.regions["capacity"]).all()
    assert sorted([*found.placements["household_id"], *found.unplaced["household_id"]]) == sorted(people["household_id"])
    # counted anew from the tables
    rows = found.placements.merge(people, on="household_id").merge(where, on="region")
    assert (rows.groupby("region")["members_y"].sum() <= rows.groupby("region")["places"].first()).all()
    assert (rows.groupby("region")["children_school"].sum() <= rows.groupby("region")["school_places"].first()).all()
    for skill in ("farm", "care"):
        working = rows[rows["with_jobs"] & (rows["skill"] == skill)].groupby("region")
        assert (working["workers"].sum() <= working[f"jobs_{skill}"].first()).all()
    taken = found.regions[found.regions["limit"] == "places"].set_index("region")["used"]
    assert taken.sum() == rows["members_y"].sum()


@settings(max_examples=15)
@given(tiny(most=8), st.randoms(use_true_random=False))
def test_other_names_and_another_order_of_rows_change_no_value(tables, random):
    people, where, worth_ = tables
    new = dict(zip(people["household_id"], random.sample([f"x{one}" for one in range(len(people))], len(people)), strict=True))
    other = dict(zip(where["region"], random.sample([f"y{one}" for one in range(len(where))], len(where)), strict=True))
    renamed = (
        people.assign(household_id=people["household_id"].map(new)).sample(frac=1, random_state=1),
        where.assign(region=where["region"].map(other)).sample(frac=1, random_state=2),
        worth_.assign(household_id=worth_["household_id"].map(new), region=worth_["region"].map(other)).sample(frac=1, random_state=3),
    )
    one, two = (
        place(needs(a, b, placement(MIX), values=c), gap=0).summary.iloc[0]["value"] for a, b, c in ((people, where, worth_), renamed)
    )
    assert one == pytest.approx(two, abs=1e-6)


@settings(max_examples=15)
@given(tiny(most=8), st.sampled_from(["places", "school_places", "jobs_farm"]), st.integers(1, 5))
def test_more_of_a_limit_never_makes_the_best_worse_and_is_worth_at_most_its_price(tables, limit, more):
    people, where, worth_ = tables
    asked = needs(people, where, placement(MIX), values=worth_)
    wider = needs(people, where.assign(**{limit: where[limit] + np.array([more] + [0] * (len(where) - 1))}), placement(MIX), values=worth_)
    price, option = optimum(asked.market, gap=0)
    _, after = optimum(wider.market, gap=0)
    assert worth(wider.market, after) >= worth(asked.market, option) - 1e-6
    # the prices of the narrower market bound the wider one too, where nobody fits more regions than before
    if (np.isnan(asked.market.value) == np.isnan(wider.market.value)).all():
        paid = price[0, asked.limits.index(limit)] * more
        assert worth(wider.market, after) <= asked.market.bound(price) + paid + 1e-6


def test_the_same_tables_give_the_same_bytes():
    one, two = (place(simulated(80, 4, 3)) for _ in range(2))
    for name in ("placements", "unplaced", "regions", "summary", "groups"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)


def test_large_programmes_are_sifted_to_the_same_bound(monkeypatch):
    from qonys.scenarios.settlement import prices

    market = simulated(400, 5, 1).market
    whole, _ = prices.prices(market)
    monkeypatch.setattr(prices, "FEW", 10)
    monkeypatch.setattr(prices, "SAMPLE", 60)
    sifted, share = prices.prices(market)
    assert market.bound(sifted) == pytest.approx(market.bound(whole), rel=1e-6)
    assert np.nansum(market.value * share) == pytest.approx(market.bound(whole), rel=1e-6)


def test_households_alike_are_one_kind_and_each_is_placed():
    people = pd.DataFrame({"household_id": [f"h{one:02d}" for one in range(30)], "members": 2})
    where = regions(places=[30, 20])
    found = place(needs(people, where, placement(), values=values(people, where, retention=np.tile([0.9, 0.5], 30))))
    assert found.placements["region"].value_counts().to_dict() == {"north": 15, "south": 10}
    assert found.summary["value"].iloc[0] == pytest.approx(15 * 2 * 0.9 + 10 * 2 * 0.5)
    # the last place is worth what the unplaced would gain there; equals went to both regions by chance alone
    assert set(found.placements["code"]) == {"best_here", "order_tie"}
    assert found.unplaced["code"].tolist() == ["no_room"] * 5


def test_a_place_kept_back_is_not_given():
    people, where = households(), regions(places=[10, 0])
    found = place(needs(people, where, placement(more="keep_capacity = 0.5"), values=values(people, where)))
    assert found.regions[found.regions["region"] == "north"]["capacity"].tolist() == [5]


def test_large_families_are_not_passed_over_where_persons_count():
    people, where = households(members=[6, 1, 1]), regions(places=[6, 0])
    table = values(people, where, retention=[0.5, 0.5, 0.6, 0.6, 0.6, 0.6])
    by = {
        weigh: set(place(needs(people, where, placement(more=f'weigh = "{weigh}"'), values=table)).placements["household_id"])
        for weigh in ("persons", "households")
    }
    assert by == {"persons": {"h1"}, "households": {"h2", "h3"}}


def test_whom_no_region_can_take_is_told_with_the_obstacle():
    people = households(language=["", "b", ""], children_school=[0, 1, 0], needs_hospital=[0, 0, 1])
    people = pd.concat([people, pd.DataFrame({"household_id": ["h4"], "members": [9]})], ignore_index=True)
    people = people.assign(language=people["language"].fillna(""), **people[["children_school", "needs_hospital"]].fillna(0))
    where = regions(school_languages=["a", "a;c"], has_hospital=[0, 0])
    found = place(needs(people, where, placement(), values=values(people, where))).unplaced.set_index("household_id")
    assert found["code"].to_dict() == {"h2": "language", "h3": "service", "h4": "too_large"}
    assert found.loc["h4", "limit"] == "places"


def test_where_all_must_be_placed_and_cannot_the_household_or_the_limit_is_named():
    must = placement(more="all_must = true")
    people, where = households(members=[2, 3, 11]), regions()
    with pytest.raises(DesignError, match=r"1 households fit no region whatever the others do, 'h3' for one \(too_large places\)"):
        place(needs(people, where, must, values=values(people, where)))
    people = households(members=[4, 4, 4])
    with pytest.raises(DesignError, match=r"find no place, .* too few places \(12 needed, 10 there\)"):
        place(needs(people, where, must, values=values(people, where)))
    people = households(members=[3, 3, 4])
    with pytest.raises(DesignError, match="limits that bind together"):
        place(needs(people, where, must, values=values(people, where)))


@settings(max_examples=10)
@given(tiny(most=4))
def test_all_must_places_everybody_wherever_that_can_be_done(tables):
    people, where, worth_ = tables
    asked = needs(people, where, placement(MIX, "all_must = true"), values=worth_)
    market = asked.market
    possible = any(
        (used(market, np.array(option)) <= market.capacity).all()
        for option in product(range(market.value.shape[1]), repeat=len(people))
        if not np.isnan(market.value[np.arange(len(people)), option]).any()
    )
    if possible:
        assert len(place(asked).placements) == len(people)
    else:
        with pytest.raises(DesignError, match="all_must = false"):
            place(asked)


@pytest.mark.slow
def test_twenty_thousand_households_are_placed_within_a_tenth_of_a_percent_of_the_bound():
    found = place(simulated(20_000, 20, 0, objective="{ retention = 1 }")).summary.iloc[0]
    assert found["gap"] <= 1e-3
    assert found["value"] > 1.05 * found["greedy"]
