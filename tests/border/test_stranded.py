"""Stranded: present, permission at an end, way home closed. Worked out person by person, for ways that are given."""

from __future__ import annotations

import random
from datetime import timedelta

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings

from border.border_records import END, FIRST, START, crossing_table, records, seeds
from border.presence_reference import Record, permission, present_on
from qonys.border.disclosure import protect
from qonys.border.stranded import FIGURES, citizens_abroad, stranded, sums_by_citizenship
from qonys.core.contracts import STRANDED_GROUP
from qonys.core.errors import DataError
from qonys.core.validate import examine

COUNTRY = "KAZ"
LAST = FIRST + timedelta(days=40)
CLOSED = {"UZB": ("entry", ["uzb"]), "KGZ": ("exit", ["kaz"]), "DEU": ("both", ["deu", "kaz"])}


def ways(closed: dict[str, tuple[str, list[str]]]) -> ibis.Table:
    """Closed ways as `measures.closed_ways` gives them."""
    rows = [(code, side, ids) for code, (side, ids) in closed.items()]
    return ibis.memtable(
        pd.DataFrame(rows, columns=["citizenship", "closed_at", "measure_ids"]),
        schema={"citizenship": "string", "closed_at": "string", "measure_ids": "array<string>"},
    )


def rows(con, table: ibis.Table) -> list[dict[str, object]]:
    return con.to_pyarrow(table).to_pylist()


def groups_of(given_records: list[Record], closed: dict[str, tuple[str, list[str]]] = CLOSED) -> ibis.Table:
    """Who is stranded on LAST with five days to go."""
    return stranded(crossing_table(given_records), ways(closed), on=LAST, end=END, country=COUNTRY, within_days=5)


def counts(con, groups: ibis.Table) -> dict[tuple[object, ...], int]:
    found: dict[tuple[object, ...], int] = {}
    for one in rows(con, groups):
        key = (one["citizenship"], one["place"], one["permit_status"])
        found[key] = found.get(key, 0) + one["persons"]
    return found


@settings(max_examples=2)
@given(seeds)
def test_the_groups_are_those_counted_person_by_person(con, seed):
    given_records = records(seed, persons=150, days=38)
    by_hand: dict[tuple[object, ...], int] = {}
    for person, spell in present_on(given_records, LAST, END).items():
        _ends, status = permission(given_records, spell, LAST, END, COUNTRY, [], 5)
        seen = (spell.left, "exit") if spell.entered is None else (spell.entered, "entry")
        shown = [one for one in given_records if one.person_id == person and (one.at, one.direction) == seen]
        place = min((one.border_point for one in shown if one.border_point), default=None)
        if status in ("expired", "expiring") and shown[0].citizenship in CLOSED:
            key = (shown[0].citizenship, place, status)
            by_hand[key] = by_hand.get(key, 0) + 1
    groups = groups_of(given_records)
    assert counts(con, groups) == by_hand
    assert by_hand
    assert {one["citizenship"]: (one["closed_at"], one["measure_ids"]) for one in rows(con, groups)}.items() <= CLOSED.items()


def test_sums_by_citizenship_add_the_groups_and_their_keys(con):
    groups = con.to_pandas(groups_of(records(7, persons=200, days=38)))
    sums = sums_by_citizenship(groups).set_index(["citizenship", "figure"])
    for code in ("UZB", "KGZ", "DEU", ""):
        mine = groups if code == "" else groups[groups["citizenship"] == code]
        parts = [mine, mine[mine["permit_status"] == "expired"], mine[mine["permit_status"] == "expiring"], mine[mine["doubtful"]]]
        for figure, part in zip(FIGURES, parts, strict=True):
            if len(part):
                assert sums.loc[(code, figure), "persons"] == part["persons"].sum()
                assert sums.loc[(code, figure), "cell_key"] == part["cell_key"].sum() % 2**32
    assert "cell_key" not in sums_by_citizenship(groups.drop(columns="cell_key"))


def test_with_one_way_open_nobody_is_stranded_who_was_not(con):
    given_records = records(3, persons=200, days=38)
    fewer_ways = {code: way for code, way in CLOSED.items() if code != "UZB"}
    whole, fewer = (counts(con, groups_of(given_records, some)) for some in (CLOSED, fewer_ways))
    assert fewer == {key: number for key, number in whole.items() if key[0] != "UZB"}
    assert sum(fewer.values()) < sum(whole.values())
    assert counts(con, groups_of(given_records, {})) == {}


def test_the_order_of_rows_of_either_table_changes_nothing(con):
    given_records = records(5, persons=100, days=38)
    mixed = list(given_records)
    random.Random(1).shuffle(mixed)
    again = groups_of(mixed, dict(reversed(CLOSED.items())))
    assert rows(con, groups_of(given_records).order_by("group_id")) == rows(con, again.order_by("group_id"))


def test_the_groups_hold_to_their_contract_and_pass_disclosure_control(con):
    found = con.to_pandas(groups_of(records(5, persons=100, days=38)))
    assert tuple(found.columns) == (*STRANDED_GROUP.names, "cell_key")
    assert found["group_id"].is_unique
    assert len(found) > 3
    lists = found.assign(measure_ids=found["measure_ids"].map(" ".join)).drop(columns="cell_key").astype("string")
    raw = ibis.memtable(lists.assign(row=range(len(lists)), doubtful=lists["doubtful"].str.lower()))
    assert rows(con, examine(raw, STRANDED_GROUP, file="stranded.csv").faults) == []
    shown = protect(found, by=["group_id"], details=["permission_ends"])
    assert not shown["persons"].isin([1, 2]).any()
    assert shown.loc[shown["persons"] < 10, "permission_ends"].isna().all()


def test_own_citizens_abroad_are_those_who_left_not_long_ago_if_the_way_back_is_closed(con):
    people = [
        Record("gone", START, "entry", "KAZ"), Record("gone", START + timedelta(days=10, hours=1), "exit", "KAZ", border_point="rail"),
        Record("long ago", START + timedelta(days=9, hours=23), "exit", "KAZ"), Record("guest", START + timedelta(days=20), "exit", "UZB"),
        Record("back", START + timedelta(days=20), "exit", "KAZ"), Record("back", START + timedelta(days=30), "entry", "KAZ"),
        Record("later", START + timedelta(days=45), "exit", "KAZ"),
    ]  # fmt: skip
    more = {"on": LAST, "country": COUNTRY, "left_within_days": 30}
    shut = ways({"KAZ": ("entry", ["shut"])})
    (one,) = rows(con, citizens_abroad(crossing_table(people), shut, **more))
    about = {name: one[name] for name in ("citizenship", "place", "permit_status", "persons", "doubtful", "closed_at", "measure_ids")}
    assert about == {
        "citizenship": "KAZ", "place": "rail", "permit_status": "own_citizen", "persons": 1, "doubtful": True, "closed_at": "entry",
        "measure_ids": ["shut"],
    }  # fmt: skip
    assert rows(con, citizens_abroad(crossing_table(people), ways({}), **more)) == []


def test_what_cannot_be_meant_is_refused():
    crossings = crossing_table([Record("p", START, "entry")])
    with pytest.raises(DataError, match="nobody left within -1 days"):
        citizens_abroad(crossings, ways(CLOSED), on=END, country=COUNTRY, left_within_days=-1)
    with pytest.raises(DataError, match="no area has the code 'KAX'"):
        citizens_abroad(crossings, ways(CLOSED), on=END, country="KAX")


def test_workers_whose_permits_ran_out_in_spring_are_stranded_but_for_the_one_who_got_home(con):
    people = []
    for citizenship in ("UZB", "KGZ", "FRA"):
        people += [
            Record(f"{citizenship}{number}", START, "entry", citizenship, "work", FIRST + timedelta(days=30), "konysbaeva")
            for number in range(10)
        ]
        people.append(Record(f"{citizenship}-student", START, "entry", citizenship, "study", LAST + timedelta(days=60), "almaty"))
    people.append(Record("UZB0", START + timedelta(days=35), "exit", "UZB"))
    for within, expiring in ((30, set()), (60, {("UZB", "almaty", "expiring"), ("KGZ", "almaty", "expiring")})):
        found = stranded(crossing_table(people), ways(CLOSED), on=LAST, country=COUNTRY, within_days=within)
        assert counts(con, found) == {
            ("UZB", "konysbaeva", "expired"): 9, ("KGZ", "konysbaeva", "expired"): 10, **dict.fromkeys(expiring, 1),
        }  # fmt: skip
        assert {one["permission_ends"] for one in rows(con, found) if one["permit_status"] == "expired"} == {FIRST + timedelta(days=30)}
