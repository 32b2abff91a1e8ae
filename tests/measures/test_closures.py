"""Closed ways home: worked out by hand for a few acts, and what the shipped register and the tracker say of Kazakhstan in 2020."""

from __future__ import annotations

import random
from datetime import date, timedelta

import ibis
import pytest

from qonys.core import areas
from qonys.core.errors import DataError
from qonys.measures import closed_return, closed_ways
from qonys.registers import open_registers
from rows import Prepared, bounded

FIRST = date(2020, 1, 6)
LAST = FIRST + timedelta(days=40)
WAYS, RETURN = Prepared(closed_ways), Prepared(closed_return)


def act(id: str, issuer: str, **own: object) -> dict[str, object]:
    base = {
        "id": id, "issuer": issuer, "level": "national", "targets": "traveller", "strength": 4, "general": "true", "direction": "tightening",
        "start": FIRST.isoformat(), "end": LAST.isoformat(), "status": "ended", "field": "health", "instrument": "administrative",
    }  # fmt: skip
    return base | own


ACTS = [
    act("uzb", "UZB", targets="arrival"), act("deu", "DEU", targets="foreign_traveller"), act("kaz", "KAZ", borders_with="KGZ DEU"),
    act("kgz", "KGZ", strength=3), act("later", "UZB", start=(LAST + timedelta(days=1)).isoformat(), end=""),
    act("draft", "UZB", status="draft"), act("easy", "UZB", direction="easing"),
]  # fmt: skip
# on a day up to LAST: Uzbekistan to those who arrive, its own citizens too; Germany to foreigners only; Kazakhstan shuts two borders in both
# directions
CLOSED = {"UZB": ("entry", ["uzb"]), "KGZ": ("exit", ["kaz"]), "DEU": ("exit", ["kaz"])}


@pytest.fixture(scope="module")
def acts(con) -> ibis.Table:
    return bounded(ACTS)


@pytest.fixture(scope="module")
def shipped(con) -> ibis.Table:
    return ibis.memtable(con.to_pyarrow(open_registers(con)))


def told(con, ways: ibis.Table) -> dict[str, tuple[str, list[str]]]:
    return {one["citizenship"]: (one["closed_at"], one["measure_ids"]) for one in con.to_pyarrow(ways).to_pylist()}


def ways(con, acts: ibis.Table, on: date = LAST, **more) -> dict[str, tuple[str, list[str]]]:
    return told(con, WAYS(con, acts, country="KAZ", on=on, **more))


def back(con, acts: list[dict[str, object]]) -> dict[str, tuple[str, list[str]]]:
    return told(con, RETURN(con, bounded(acts), country="KAZ", on=LAST))


def test_a_way_home_is_closed_where_leaving_here_or_entering_there_is_while_the_measure_is_in_force(con, acts):
    assert ways(con, acts) == CLOSED
    assert ways(con, acts, on=LAST + timedelta(days=1), reading="possible") == {"UZB": ("entry", ["later"])}


def test_a_lower_dose_takes_in_bans_on_some_and_more_categories_what_closes_to_foreigners(con, acts):
    assert ways(con, acts, dose=75.0, categories=["citizen", "visitor"]) == CLOSED | {
        "KGZ": ("both", ["kaz", "kgz"]), "DEU": ("both", ["deu", "kaz"]),
    }  # fmt: skip


def test_an_exception_for_own_citizens_lets_no_foreigner_leave_and_a_ban_on_them_keeps_none(con):
    acts = [
        act("all but own", "KAZ", exceptions="citizen", borders_with="UZB"), act("all but these", "KAZ", exception_citizenship="KGZ", borders_with="KGZ"),
        act("own", "KAZ", target_citizenship="KAZ", borders_with="TJK"),
    ]  # fmt: skip
    assert ways(con, bounded(acts)) == {"UZB": ("exit", ["all but own"])}


def test_without_one_measure_its_ways_are_open_and_the_order_of_the_others_changes_nothing(con):
    fewer = [one for one in ACTS if one["id"] != "uzb"]
    random.Random(1).shuffle(fewer)
    assert ways(con, bounded(fewer)) == {code: way for code, way in CLOSED.items() if code != "UZB"}


def test_the_way_back_is_closed_if_it_is_from_every_country_by_one_measure_or_by_several(con):
    assert back(con, [act("shut", "KAZ")]) == {"KAZ": ("entry", ["shut"])}
    others = " ".join(one.code for one in areas.areas(scheme="iso3166-1", kind="country") if one.code not in ("KAZ", "CHN"))
    most = [
        act("but own", "KAZ", exceptions="citizen"),
        act("leaving", "KAZ", targets="emigrant"),
        act("most", "KAZ", target_origin=others),
    ]
    assert back(con, most) == {}
    assert back(con, [*most, act("one", "KAZ", target_origin="CHN")]) == {"KAZ": ("entry", ["most", "one"])}


def test_what_cannot_be_meant_is_refused(acts):
    with pytest.raises(DataError, match="closed from a dose of 120; give a dose from 0 to 100"):
        closed_ways(acts, country="KAZ", on=LAST, dose=120)
    with pytest.raises(DataError, match="there is no category 'citizens' of people in a corridor; did you mean 'citizen'"):
        closed_ways(acts, country="KAZ", on=LAST, categories=["citizens"])
    with pytest.raises(DataError, match="no area has the code 'KAX'"):
        closed_return(acts, country="KAX", on=LAST)


# The spring of 2020 in Kazakhstan, by the shipped register and the tracker


def test_in_the_emergency_of_2020_the_way_home_is_closed_at_the_exit_for_everybody_and_back_for_own_citizens(con, shipped):
    on = date(2020, 4, 1)
    found = told(con, closed_ways(shipped, country="KAZ", on=on))
    assert {code: found[code] for code in ("UZB", "KGZ", "TJK")} == dict.fromkeys(("UZB", "KGZ", "TJK"), ("exit", ["KM012"]))
    assert len(found) == len([*areas.areas(scheme="iso3166-1", kind="country")]) - 1
    assert told(con, closed_return(shipped, country="KAZ", on=on)) == {"KAZ": ("entry", ["KM012"])}


@pytest.mark.parametrize("on", [date(2020, 3, 15), date(2020, 5, 12)])
def test_before_and_after_the_emergency_the_register_shows_no_closed_way_for_citizens_who_return(con, shipped, on):
    found = told(con, closed_ways(shipped, country="KAZ", on=on, reading="possible"))
    assert not found.keys() & {"UZB", "KGZ", "TJK"}


def test_after_it_the_tracker_shows_three_neighbours_closed_to_foreigners_of_which_it_says_nothing_for_their_own_citizens(con, shipped):
    shut = told(con, closed_ways(shipped, country="KAZ", on=date(2020, 5, 12), categories=["citizen", "visitor"]))
    assert {code: shut[code] for code in ("UZB", "KGZ", "TJK")} == {
        "UZB": ("entry", ["OXCGRT-UZB-C8-20200316"]), "KGZ": ("entry", ["OXCGRT-KGZ-C8-20200317"]), "TJK": ("entry", ["OXCGRT-TJK-C8-20200410"]),
    }  # fmt: skip
