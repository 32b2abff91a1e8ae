"""The plan: nobody is lost, no limit is exceeded, nothing better exists on instances small enough to try everything."""

from __future__ import annotations

import itertools
import math
from importlib.resources import files

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.corridor import loosen, plan, read_corridor
from qonys.scenarios.corridor.network import network
from qonys.scenarios.corridor.search import optimum

from .small import corridors, day, keeps_account, small


@settings(max_examples=10)
@given(corridors())
def test_nobody_is_lost_and_no_limit_is_exceeded(corridor):
    found = plan(corridor, gap=0)
    keeps_account(found)
    used = found.use
    assert (used["used"] <= used["limit"] + 1e-6).all()
    assert found.summary["gap"].iloc[0] <= 1e-6
    assert found.groups["home"].sum() == found.home["persons"].sum() == found.days["home"].iloc[-1]


@settings(max_examples=5)
@given(corridors())
def test_waiting_counts_each_day_from_ready_to_home_of_everybody(corridor):
    found = plan(corridor, gap=0)
    at_home = found.days["home"] + found.days["to_come"]
    assert found.summary["person_days"].iloc[0] == pytest.approx((corridor.persons - at_home).sum())


def best(corridor):
    return optimum(network(corridor), gap=0, seconds=60).value


def brute(persons, seats, most, days, travel, permits, vehicle, left):
    """The least objective of one group, one leg that leaves daily and a permit: every number of persons on every day tried."""
    best, trips = math.inf, [gone for gone in range(days) if gone + travel < days]
    for boards in itertools.product(range(min(persons, permits, seats * most) + 1), repeat=len(trips)):
        if sum(boards) <= persons:
            waited = sum(number * (gone + travel) for number, gone in zip(boards, trips, strict=True))
            behind = persons - sum(boards)
            cost = waited + behind * (days + left) + vehicle * sum(math.ceil(number / seats) for number in boards)
            best = min(best, cost)
    return best


@given(
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(2, 5),
    st.integers(0, 2),
    st.integers(1, 4),
    st.sampled_from([0.5, 3.0]),
)
def test_the_optimum_is_the_best_of_everything_that_could_be_done(persons, seats, most, days, travel, permits, vehicle):
    corridor = small(
        last=day(days - 1),
        objective={"vehicle": vehicle, "left": 4},
        groups=[{"id": "one", "place": "a", "citizenship": "UZB", "destination": "h", "persons": persons}],
        legs=[
            {
                "id": "a-h",
                "from": "a",
                "to": "h",
                "mode": "bus",
                "days": travel,
                "seats": seats,
                "vehicles": most,
                "crosses": {"gate": travel},
            }
        ],
        borders=[{"id": "gate", "permits_per_day": permits}],
    )
    assert best(corridor) == pytest.approx(brute(persons, seats, most, days, travel, permits, vehicle, 4))


@settings(max_examples=12)
@given(corridors(), st.sampled_from(["vehicles", "fleet", "permits", "beds", "consulate"]))
def test_more_of_anything_never_makes_it_worse(corridor, kind):
    name = {"vehicles": "a-h", "fleet": "bus", "permits": "gate", "beds": "h", "consulate": corridor.groups[0].citizenship}[kind]
    known = {"fleet": corridor.fleets, "beds": corridor.quarantines}.get(kind, {name: None})
    if name not in known:
        return
    assert best(loosen(corridor, kind=kind, name=name, extra=2)) <= best(corridor) + 1e-6


@settings(max_examples=4)
@given(corridors())
def test_the_same_corridor_has_the_same_plan(corridor):
    one, other = plan(corridor), plan(corridor)
    pd.testing.assert_frame_equal(one.moves, other.moves)
    pd.testing.assert_frame_equal(one.schedule, other.schedule)


def test_the_vulnerable_go_first_and_papers_take_a_day():
    group = {"id": "one", "place": "a", "citizenship": "UZB", "destination": "h", "persons": 4, "vulnerable": 0.5, "papers": 0.5}
    found = plan(small(groups=[group], consulates={"UZB": {"per_day": 1}}), gap=0)
    first = found.moves[found.moves["day"] == found.moves["day"].min()]
    assert first["vulnerable"].any()
    # two have papers and fill the first bus; of the others one has its paper for the second day, one for the third
    assert found.moves.groupby("day")["persons"].sum().tolist() == [2, 1, 1]
    row = found.groups.iloc[0]
    assert row["vulnerable_mean_days"] <= row["mean_waiting_days"] == pytest.approx((1 + 1 + 2 + 3) / 4)


def test_a_consulate_that_rests_at_weekends_issues_nothing_then():
    group = {"id": "one", "place": "a", "citizenship": "UZB", "destination": "h", "persons": 12, "papers": 0.0}
    found = plan(small(groups=[group], consulates={"UZB": {"per_day": 2, "closed_weekends": True}}, last=day(13)), gap=0)
    assert (found.papers["day"].dt.dayofweek < 5).all()
    assert found.papers["persons"].sum() == 12


def test_home_after_quarantine_is_later_by_the_days_in_a_bed():
    beds = {"h": {"beds": 6, "days": 2}}
    soon = plan(small(quarantine=beds, objective={"vehicle": 0.5}), gap=0)
    late = plan(small(quarantine=beds, objective={"vehicle": 0.5, "home": "after_quarantine"}), gap=0)
    assert late.summary["last_home"].iloc[0] - soon.summary["last_home"].iloc[0] == pd.Timedelta(days=2)
    assert late.summary["mean_waiting_days"].iloc[0] == soon.summary["mean_waiting_days"].iloc[0] + 2
    keeps_account(late)


def test_fairness_bounds_what_a_group_waits_beyond_all():
    groups = [
        {"id": name, "place": "a", "citizenship": "UZB", "destination": "h", "persons": 4, "priority": weight}
        for name, weight in (("one", 5.0), ("two", 1.0))
    ]
    apart = plan(small(groups=groups), gap=0)
    even = plan(small(groups=groups, fairness={"days": 0.25}), gap=0)
    assert apart.summary["fairness_days"].iloc[0] == pytest.approx(1.0)
    assert even.summary["fairness_days"].iloc[0] <= 0.25 + 1e-9
    assert even.summary["objective"].iloc[0] >= apart.summary["objective"].iloc[0]


def test_who_is_left_is_counted_and_said():
    found = plan(small(last=day(2)), gap=0)
    row = found.groups.iloc[0]
    assert (row["home"], row["not_home"]) == (4, 2)
    assert pd.isna(row["last_home"])
    assert pd.isna(found.summary["last_home"].iloc[0])
    assert row["mean_waiting_days"] == pytest.approx((2 * 1 + 2 * 2 + 2 * 3) / 6)
    assert found.summary["weighted_days"].iloc[0] == 12


def test_a_border_closed_all_the_time_is_not_crossed():
    found = plan(small(borders=[{"id": "gate", "closed": [{"first": day(0)}]}]), gap=0)
    assert found.moves.empty
    assert found.schedule.empty
    assert found.summary["not_home"].iloc[0] == 6
    assert found.days["waiting"].tolist() == [6] * 8


def test_no_plan_and_no_effort_are_refused():
    with pytest.raises(DesignError, match="no plan of small keeps all limits; ask which of them cannot hold together"):
        plan(small(objective={"home_by": day(1)}))
    with pytest.raises(DesignError, match="a gap of 5 is none"):
        plan(small(), gap=5)
    with pytest.raises(DesignError, match="no time"):
        plan(small(), seconds=0)


def test_the_solver_says_nothing_on_standard_output(capfd):
    plan(small())
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")


@pytest.mark.slow
def test_the_transit_corridor_of_2020_brings_56000_home_within_one_percent_of_the_best():
    """Persons by citizenship of Mussina et al. (2022), SF016-SF019; all else in the file is assumed."""
    corridor = read_corridor(
        files("qonys").joinpath("data", "rooms", "transit-2020.toml").read_text(encoding="utf-8"), file="transit-2020.toml"
    )
    found = plan(corridor)
    assert found.groups.groupby("citizenship")["persons"].sum().to_dict() == {"UZB": 40_000, "KGZ": 13_000, "TJK": 3_000}
    row = found.summary.iloc[0]
    assert (row["persons"], row["home"], row["outcome"]) == (56_000, 56_000, "optimal")
    assert row["gap"] <= 0.01
    keeps_account(found)
