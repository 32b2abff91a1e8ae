"""The rest made anew: what has happened stays, nobody is lost, and where nothing changed nothing changes."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.corridor import plan, replan
from qonys.scenarios.corridor.definition import Closed

from .small import corridors, day, keeps_account, small


def closing(corridor, border, first, last):
    """The corridor with the border closed in those days, and in no others."""
    return replace(
        corridor,
        borders=tuple(replace(one, closed=(Closed(first=first, last=last),)) if one.id == border else one for one in corridor.borders),
    )


@settings(max_examples=5)
@given(corridors(), st.integers(0, 4))
def test_where_nothing_has_changed_nothing_changes(corridor, on):
    found = plan(corridor, gap=0)
    again = replan(corridor, found, on=day(on), gap=0)
    assert again.kept
    assert again.held.empty
    assert (again.changes["days_lost"].abs() < 1e-9).all()
    pd.testing.assert_frame_equal(again.plan.schedule, found.schedule)
    assert again.plan.moves["persons"].sum() == found.moves["persons"].sum()


@settings(max_examples=6)
@given(corridors(), st.integers(1, 3), st.integers(0, 3))
def test_the_past_stays_and_nobody_is_lost_when_the_border_closes(corridor, on, length):
    found = plan(corridor, gap=0)
    shut = closing(corridor, "gate", day(on), min(corridor.last, day(on + length)))
    again = replan(shut, found, on=day(on), gap=0)
    keeps_account(replace(again.plan, corridor=replace(shut, borders=tuple(replace(one, permits=None) for one in shut.borders))), held=True)
    before = found.moves["day"] < pd.Timestamp(day(on))
    columns = ["day", "leg", "group", "vulnerable", "persons"]
    past = again.plan.moves[again.plan.moves["day"] < pd.Timestamp(day(on))]
    pd.testing.assert_frame_equal(past[columns].reset_index(drop=True), found.moves[before][columns].reset_index(drop=True))
    assert again.plan.groups["persons"].sum() == corridor.persons


def test_who_is_under_way_when_the_border_closes_waits_before_it_and_goes_on_later():
    legs = [
        {"id": "a-h", "from": "a", "to": "h", "mode": "train", "days": 3, "seats": 6, "dates": [day(0)], "crosses": {"gate": 2}},
        {"id": "camp-h", "from": "camp", "to": "h", "mode": "bus", "days": 1, "seats": 6, "crosses": {"gate": 0}},
    ]
    corridor = small(legs=legs, borders=[{"id": "gate", "place": "camp"}])
    found = plan(corridor, gap=0)
    assert found.summary["last_home"].iloc[0] == pd.Timestamp(day(3))
    again = replan(closing(corridor, "gate", day(1), day(4)), found, on=day(1), gap=0)
    held = again.held.iloc[0]
    assert (held["persons"], held["border"], held["place"], held["held_at"]) == (6, "gate", "camp", pd.Timestamp(day(2)))
    assert again.plan.summary["last_home"].iloc[0] == pd.Timestamp(day(6))
    assert again.changes["days_lost"].iloc[0] == pytest.approx(3)
    assert again.plan.waiting.set_index("day").loc[pd.Timestamp(day(2)), "place"] == "camp"
    # and anew from there: the border opens a day earlier than was thought
    third = replan(closing(corridor, "gate", day(1), day(3)), again.plan, on=day(3), gap=0)
    assert third.held.empty
    assert third.plan.summary["last_home"].iloc[0] == pd.Timestamp(day(5))


def test_a_room_that_is_too_small_for_those_held_up_is_said_to_be_crowded():
    legs = [
        {"id": "a-h", "from": "a", "to": "h", "mode": "train", "days": 3, "seats": 6, "dates": [day(0)], "crosses": {"gate": 2}},
        {"id": "camp-h", "from": "camp", "to": "h", "mode": "bus", "days": 1, "seats": 6, "crosses": {"gate": 0}},
    ]
    corridor = small(legs=legs, borders=[{"id": "gate", "place": "camp"}], places={"camp": {"room": 4}})
    again = replan(closing(corridor, "gate", day(1), day(3)), plan(corridor, gap=0), on=day(1), gap=0)
    assert again.crowded["over"].tolist() == [2, 2]
    assert again.crowded["day"].tolist() == [pd.Timestamp(day(2)), pd.Timestamp(day(3))]


def test_beds_already_taken_do_not_count_against_a_lower_limit():
    corridor = small(quarantine={"h": {"beds": 6, "days": 4}}, last=day(10))
    fewer = replace(corridor, quarantines={"h": replace(corridor.quarantines["h"], beds=2)})
    again = replan(fewer, plan(corridor, gap=0), on=day(3), gap=0)
    assert again.plan.summary["not_home"].iloc[0] == 0
    again = replan(fewer, plan(corridor, gap=0), on=day(2), gap=0)
    # two are in beds until day 4 and two until day 5: the last two come when those of the second day have left
    assert again.plan.summary["last_home"].iloc[0] == pd.Timestamp(day(6))


def test_new_persons_are_a_new_group_and_old_groups_stay_as_they_are():
    found = plan(small(), gap=0)
    extra = {"id": "two", "place": "a", "citizenship": "KGZ", "destination": "h", "persons": 2, "ready": day(2)}
    groups = [{"id": "one", "place": "a", "citizenship": "UZB", "destination": "h", "persons": 6}, extra]
    again = replan(small(groups=groups), found, on=day(2), gap=0)
    assert again.changes["mean_before"].isna().tolist() == [False, True]
    keeps_account(again.plan)
    for changed, sentence in (
        ([{**groups[0], "persons": 7}], "group one of the plan has changed"),
        ([extra], "group one of the plan is gone"),
        ([groups[0], {**extra, "ready": day(1)}], "the new group two is ready before"),
    ):
        with pytest.raises(DesignError, match=sentence):
            replan(small(groups=changed), found, on=day(2))
    with pytest.raises(DesignError, match="is not a day of both plans"):
        replan(small(), found, on=day(40))
