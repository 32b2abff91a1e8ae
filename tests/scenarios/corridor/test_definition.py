"""A corridor file: what is impossible, contradictory or in another unit gets a sentence that names the place."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.corridor import read_corridor
from qonys.scenarios.corridor.people import classes

from .small import PLAIN, day, small

GROUP, LEG = PLAIN["groups"][0], PLAIN["legs"][0]


def group(**changes):
    return {"groups": [{**GROUP, **changes}]}


def leg(**changes):
    return {"legs": [{**LEG, **changes}]}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (group(vulnerable=8), r"groups\[1\]: vulnerable = 8 is above 1; .* if you mean 8 %, write 0.08"),
        (group(persons=0), "persons = 0 is out of range"),
        (group(persons=True), "persons = True is no number"),
        (group(persons=2.5), "no whole number"),
        (group(persons=float("nan")), "no number"),
        (group(persons=10**12), "out of range"),
        (group(citizenship="UZ"), "citizenship = 'UZ' is not known"),
        (group(destination="a"), "is where the group waits"),
        (group(destination="home"), "destination names 'home'"),
        (group(ready=day(-1)), "ready = 2020-04-05 lies outside the plan"),
        (group(papers=0.9), "group one has persons without papers, and there is no consulate of UZB"),
        (group(priority=0), "would make waiting cost nothing"),
        (group(arriving=[{"day": day(0), "persons": 5}]), "is not the sum of arriving, 5"),
        (group(people=5), "has the key 'people', which means nothing here"),
        ({"groups": []}, "has no groups"),
        ({"groups": [GROUP, GROUP]}, "two groups are called 'one'"),
        (leg(load_factor=50), "load_factor = 50 is above 1; .* if you mean 50 %, write 0.5"),
        (leg(load_factor=0.2), "leaves none of 2 seats"),
        (leg(days=72), "is a very long way; days are meant; if these are hours, write 3"),
        (leg(days=-1), "days = -1 is out of range"),
        (leg(mode="plane"), "mode = 'plane' is not known"),
        (leg(to="a"), "is where the leg begins"),
        (leg(carries=["UBZ"]), "legs a-h: carries names 'UBZ', which no group, leg or border has; did you mean 'UZB'"),
        (leg(carries=[]), "lets nobody on board"),
        (leg(crosses={"gat": 0}), "crosses names 'gat'"),
        (leg(crosses={"gate": 2}), "gate = 2 is out of range"),
        (leg(dates=[day(-2)]), "dates = 2020-04-04 lies outside the plan"),
        (leg(dates=[]), "is empty or has a day twice"),
        (leg(dates=[day(1)], every=2), "every = 2 stands beside dates"),
        (leg(first=day(20)), r"last = .* lies before first"),
        (leg(first=day(20), last=day(22)), "leaves no departure"),
        ({"last": day(-1)}, "last = 2020-04-05 lies before first"),
        ({"last": day(5000)}, "more than 730 days"),
        ({"borders": [{"id": "gate", "closed": [{"first": day(1), "last": day(3)}, {"first": day(2)}]}]}, "begins before the span"),
        ({"borders": [{"id": "gate", "permits_per_day": 0.5}]}, "no whole number"),
        ({"borders": [{"id": "gate"}, {"id": "wall"}]}, "no leg crosses the border wall"),
        ({"borders": [{"id": "gate", "place": "nowhere"}]}, "borders gate: place names 'nowhere'"),
        ({"fleet": {"train": {"vehicles": 2}}}, "fleet names 'train'"),
        ({"fleet": {"bus": {"vehicles": 2, "turnaround": 96}}}, "if these are hours, write 4"),
        ({"consulates": {"KGZ": {"per_day": 2}}}, "consulates names 'KGZ'"),
        ({"quarantine": {"a": {"beds": 2, "days": 14}}}, "quarantine names 'a'"),
        ({"places": {"c": {"room": 2}}}, "places names 'c'"),
        ({"objective": {"home_by": day(60)}}, "home_by = 2020-06-05 is not from"),
        ({"objective": {"vulnerable": 0}}, "would make waiting cost nothing"),
        ({"fairness": {"day": 3}}, "did you mean 'days'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(changes, sentence):
    with pytest.raises(DesignError, match=sentence):
        small(**changes)


def test_text_that_is_no_toml_is_refused():
    with pytest.raises(DesignError, match=r"rooms\.toml is not valid TOML"):
        read_corridor("name = ", file="rooms.toml")


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(1, 40)), min_size=1, max_size=4), st.floats(0, 1), st.floats(0, 1))
def test_shares_of_a_group_become_whole_persons_and_nobody_is_added_or_lost(arriving, vulnerable, papers):
    rows = [{"day": day(when), "persons": persons} for when, persons in arriving]
    made = {key: value for key, value in GROUP.items() if key != "persons"}
    corridor = small(groups=[{**made, "arriving": rows, "vulnerable": vulnerable, "papers": papers}], consulates={"UZB": {"per_day": 1}})
    found, persons = classes(corridor), sum(persons for _, persons in arriving)
    assert sum(one.persons for one in found) == corridor.persons == persons
    assert all(one >= 0 and other >= 0 for people in found for _, one, other in people.ready)
    assert abs(sum(people.persons for people in found if people.vulnerable) - persons * vulnerable) <= 0.5
    assert abs(sum(other for people in found for _, _, other in people.ready) - persons * (1 - papers)) <= 1
    for when in range(8):
        come = sum(one + other for people in found for at, one, other in people.ready if at <= when)
        assert come == sum(number for at, number in arriving if at <= when)


def test_a_stream_is_spread_over_its_days_in_whole_persons():
    made = {key: value for key, value in GROUP.items() if key != "persons"}
    corridor = small(groups=[{**made, "arriving": [{"first": day(0), "last": day(3), "persons": 10}]}])
    assert [persons for _, persons in corridor.groups[0].arriving] == [2, 3, 2, 3]


def test_the_shipped_corridor_says_which_figures_have_a_source():
    text = files("qonys").joinpath("data", "rooms", "transit-2020.toml").read_text(encoding="utf-8")
    assert "SF016 to SF019" in text
    assert "ASSUMPTION" in text
    assert read_corridor(text, file="transit-2020.toml").persons == 56_000
