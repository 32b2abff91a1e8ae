"""Pairs that work against each other or do the same twice: each once, whatever the order of the register, and never more for an entry less."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import combinations, product

import pytest

from qonys.core.areas import areas, members
from qonys.core.periods import earliest, latest
from qonys.measures import codebook, conflicts, duplicates
from rows import Prepared, bounded

READINGS = ("certain", "possible")
COUNTRIES = [one.code for one in areas(scheme="iso3166-1", kind="country")]
FOREVER = date(9999, 12, 31)
PAIRS = {find: Prepared(find) for find in (conflicts, duplicates)}


def entry(id: str, direction: str, **more: object) -> dict[str, object]:
    base = {"issuer": "KAZ", "level": "national", "targets": "labour", "field": "migration", "instrument": "legal", "general": "true", "strength": 2,
            "title": f"Entry {id}", "start": "2020-03-16", "end": "2020-05-11", "status": "ended"}  # fmt: skip
    return {"id": id, "direction": direction, **base, **more}


def pairs(con, find, rows: list[dict[str, object]], reading: str, **options: object) -> dict[tuple[str, str], dict]:
    found = con.to_pandas(PAIRS[find](con, bounded(rows), reading=reading, **options))
    one, other = ("tightening", "easing") if find is conflicts else ("one", "other")
    listed = {(row[one], row[other]): row for row in found.to_dict("records")}
    assert len(listed) == len(found), "a pair is listed twice"
    return listed


# Random registers, a country each, and what a reader with a pencil would list


def registers(number: int, chance: random.Random) -> list[dict[str, object]]:
    targets = ["all", "foreigner", "labour", "seasonal_worker", "citizen", "stranded", "traveller", "host", "family"]
    rows = []
    for issuer in COUNTRIES[:number]:
        for place in range(6):
            day = date(2020, 1, 1) + timedelta(days=chance.randrange(60))
            start = day.isoformat()[: chance.choice([4, 7, *[10] * 6])]
            end = (day + timedelta(days=chance.randrange(150))).isoformat()[: chance.choice([4, 7, *[10] * 6])]
            exceptions = chance.choice(["", "", "labour", "citizen", "family seasonal_worker", "stranded"])
            rows.append(
                entry(
                    f"{issuer}.{place}", chance.choice(["tightening", "tightening", "easing", "easing", "neutral"]), issuer=issuer, title=f"Measure number {chance.randint(1, 3)} on labour",
                    targets=" ".join(chance.sample(targets, chance.randint(1, 2))), start=chance.choice([*[start] * 9, None]),
                    end=chance.choice([end, end, end, None]), target_citizenship=chance.choice(["", "", "", issuer, "CHN", "EU27_2020", "NON_EU", "UNKNOWN"]),
                    exceptions=exceptions, exception_citizenship=chance.choice(["", "", "", "CHN"]), area=chance.choice(["", "", "", "stay", "labour"]),
                    general=str(chance.random() < 0.7).lower(), status=chance.choice(["ended", *["standing"] * 6, "proposed"]), field=chance.choice(["migration", "health"]),
                    agency=chance.choice(["", "Ministry", "ministry, Police", "Police"]),
                )
            )  # fmt: skip
    return rows


def days(row: dict, reading: str) -> tuple[date, date] | None:
    if row["status"] == "proposed" or row["start"] is None:
        return None
    start, end = row["start"], row["end"]
    if reading == "possible":
        return earliest(start), latest(end) if end else FOREVER
    if end is None and earliest(start) != latest(start):
        return None
    first, last = latest(start), earliest(end) if end else latest(start)
    return (first, last) if first <= last else None


def people(row: dict) -> tuple[set[str], bool]:
    """Countries, and whether some are not known, by hand."""
    named = row["target_citizenship"]
    began = earliest(row["start"])
    if named == "UNKNOWN":
        return set(), True
    union = set(members("EU27_2020", began))
    everybody = {*COUNTRIES, "STATELESS"}
    reached = {"": everybody, "EU27_2020": union, "NON_EU": set(COUNTRIES) - union}.get(named, {named})
    own = {"all", "citizen", "stranded", "traveller", "host"} & set(row["targets"].split()) and "citizen" not in row["exceptions"].split()
    if not named and not own:
        reached = reached - {row["issuer"]}
    return reached - set(row["exception_citizenship"].split()), False


def groups(row: dict) -> set[tuple[str, str, bool]]:
    """(target, group, whole) by hand from the codebook."""
    book, out = codebook()["category"], set()
    exceptions, only_own = set(row["exceptions"].split()), row["target_citizenship"] == row["issuer"]
    own_targets = {"all", "citizen", "stranded", "traveller", "host"}
    for target in row["targets"].split():
        found = {
            (name, target in category["whole"])
            for name, category in book.items()
            if target in category["whole"] + category["part"] and not exceptions & set(category["freed_by"])
        }
        if not any(target in category["whole"] + category["part"] for category in book.values()) and target not in exceptions:
            found = {(target, True)}
        if only_own and target in own_targets:
            found = {(name, whole) for name, whole in found if name in ("citizen", "internal", target)}
        elif only_own and found:
            found = {(target, True)}
        out |= {(target, name, whole) for name, whole in found}
    return out


def meet(one: dict, other: dict, reading: str) -> bool:
    spans = [days(row, reading) for row in (one, other)]
    if one["issuer"] != other["issuer"] or None in spans:
        return False
    (a, b), (c, d) = spans
    if max(a, c) > min(b, d) or (a < c == b) or (c < a == d):
        return False
    if one["area"] and other["area"] and one["area"] != other["area"]:
        return False
    (here, vague), (there, other_vague) = people(one), people(other)
    if not here & there and not (reading == "possible" and (vague or other_vague)):
        return False
    exempt = [set(row["exceptions"].split()) for row in (one, other)]
    return any(
        group == other_group
        and (whole or other_whole or target == other_target)
        and target not in exempt[1]
        and other_target not in exempt[0]
        for (target, group, whole), (other_target, other_group, other_whole) in product(groups(one), groups(other))
    )


REGISTERS = registers(140, random.Random(20200316))


FEWER = random.Random(1).sample([row for place, row in enumerate(REGISTERS) if place % 6 != 2], 5 * len(REGISTERS) // 6)


@pytest.fixture(scope="module")
def found(con):
    """The pairs of the random registers: under both readings, and with one entry of each left out and the rest shuffled."""
    every = {reading: pairs(con, conflicts, REGISTERS, reading) for reading in READINGS}
    return every | {"fewer": pairs(con, conflicts, FEWER, "possible")}


@pytest.fixture(scope="module")
def twice(con):
    return {"all": pairs(con, duplicates, REGISTERS, "possible"), "fewer": pairs(con, duplicates, FEWER, "possible")}


@pytest.mark.parametrize("reading", READINGS)
def test_the_pairs_are_those_found_by_hand(found, reading):
    by_hand = {
        (a["id"], b["id"]) for a, b in product(REGISTERS, REGISTERS)
        if a["issuer"] == b["issuer"] and (a["direction"], b["direction"]) == ("tightening", "easing") and meet(a, b, reading)
    }  # fmt: skip
    assert set(found[reading]) == by_hand
    assert len(by_hand) > 20


@pytest.mark.parametrize("of", ["conflicts", "duplicates"])
def test_the_order_of_the_register_changes_nothing_and_an_entry_less_takes_away_its_own_pairs_only(found, twice, of):
    whole, fewer = (found["possible"], found["fewer"]) if of == "conflicts" else (twice["all"], twice["fewer"])
    kept = {row["id"] for row in FEWER}
    left = {pair: told(row) for pair, row in whole.items() if kept.issuperset(pair)}
    assert {pair: told(row) for pair, row in fewer.items()} == left
    assert 0 < len(left) < len(whole)


def told(row: dict) -> str:
    """A pair as text, without the rows of the file, which a shuffle renumbers."""
    return str(
        [(name, list(value) if hasattr(value, "tolist") else value) for name, value in sorted(row.items()) if not name.endswith("_row")]
    )


def test_what_surely_met_possibly_met_and_shares_no_more_days(found):
    certain, possible = (found[reading] for reading in READINGS)
    assert set(certain) < set(possible)
    for pair, row in certain.items():
        assert not row["days"] > possible[pair]["days"], pair
        assert row["first"] >= possible[pair]["first"]


def test_duplicates_have_one_direction_and_every_pair_stands_in_the_order_of_its_ids(twice):
    found = twice["all"]
    direction = {row["id"]: row["direction"] for row in REGISTERS}
    by_id = {row["id"]: row for row in REGISTERS}
    assert found
    for (one, other), row in found.items():
        assert one < other
        assert direction[one] == direction[other] == row["direction"]
        assert meet(by_id[one], by_id[other], "possible")
    alike = {pair for pair, row in found.items() if row["likeness"] == 1}
    same_titles = {
        (a["id"], b["id"]) for a, b in combinations(REGISTERS, 2)
        if a["title"] == b["title"] and a["direction"] == b["direction"] and meet(a, b, "possible")
    }  # fmt: skip
    assert alike == {tuple(sorted(pair)) for pair in same_titles}


# Cases by name, a country each, so that one query does them all: (changes to the tightening entry, to the easing one, certain?, possible?)
CASES = {
    "the same group and days": ({}, {}, True, True),
    "days apart": ({}, {"start": "2020-06-01", "end": "2020-07-01"}, False, False),
    "one day in common": ({}, {"start": "2020-05-10", "end": "2020-07-01"}, True, True),
    "a day on which one ends and the other begins": ({}, {"start": "2020-05-11", "end": "2020-07-01"}, False, False),
    "an end that is not known": ({"end": None}, {"start": "2021-01-01", "end": None}, False, True),
    "both begin on one day and have no end": ({"end": None}, {"end": None}, True, True),
    "a year as start and no end": ({"start": "2020", "end": None}, {"start": "2020", "end": None}, False, True),
    "one only proposed": ({}, {"status": "proposed"}, False, False),
    "a start that is not known": ({"start": None, "end": None}, {}, False, False),
    "groups apart": ({"targets": "student"}, {"targets": "labour"}, False, False),
    "two parts of one group": ({"targets": "seasonal_worker"}, {"targets": "frontier_worker"}, False, False),
    "a part and its whole": ({"targets": "labour"}, {"targets": "seasonal_worker"}, True, True),
    "everybody and a group": ({"targets": "all"}, {"targets": "irregular"}, True, True),
    "citizenships apart": ({"target_citizenship": "CHN"}, {"target_citizenship": "UZB"}, False, False),
    "all citizenships and one": ({"targets": "traveller"}, {"targets": "transit", "target_citizenship": "UZB"}, True, True),
    "a citizenship in a union": ({"target_citizenship": "EU27_2020"}, {"target_citizenship": "DEU"}, True, True),
    "citizenships the source does not name": ({"target_citizenship": "UNKNOWN"}, {}, False, True),
    "a citizenship that is let off": ({"exception_citizenship": "UZB"}, {"target_citizenship": "UZB"}, False, False),
    "an exception written in the other": ({"targets": "all", "exceptions": "seasonal_worker"}, {"targets": "seasonal_worker"}, False, False),
    "a group the other lets off": ({"targets": "foreign_traveller", "exceptions": "labour"}, {"targets": "frontier_worker"}, False, False),
    "a group beside the one let off": ({"targets": "foreign_traveller", "exceptions": "labour"}, {"targets": "student"}, True, True),
    "foreigners and own citizens": ({"targets": "foreigner"}, {"targets": "stranded", "target_citizenship": "{issuer}"}, False, False),
    "own citizens on both sides": ({"targets": "traveller"}, {"targets": "stranded", "target_citizenship": "{issuer}"}, True, True),
    "own labour migrants on both sides": ({"target_citizenship": "{issuer}"}, {"target_citizenship": "{issuer}"}, True, True),
    "other places to act on": ({"area": "external_border"}, {"area": "stay"}, False, False),
    "a place to act on that is not said": ({"area": "external_border"}, {}, True, True),
    "other borders": ({"borders_with": "ITA"}, {"borders_with": "DEU"}, False, False),
    "other ways of travel": ({"modes": "air"}, {"modes": "rail land"}, False, False),
    "one replaces the other": ({}, {"supersedes": "{tightening}", "start": "2020-03-20"}, False, False),
    "one puts the other into force": ({"transposed_by": "{easing}"}, {}, False, False),
}  # fmt: skip


@pytest.fixture(scope="module")
def cases(con):
    rows = []
    for issuer, (tight, ease, *_) in zip(COUNTRIES, CASES.values(), strict=False):
        ids = {"tightening": f"{issuer}.t", "easing": f"{issuer}.e", "issuer": issuer}
        for direction, more in (("tightening", tight), ("easing", ease)):
            told = {name: value.format(**ids) if isinstance(value, str) else value for name, value in more.items()}
            rows.append(entry(ids[direction], direction, issuer=issuer, **told))
    return {reading: pairs(con, conflicts, rows, reading) for reading in READINGS}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("reading", READINGS)
def test_a_pair_is_listed_only_if_place_days_and_people_are_shared(cases, case, reading):
    issuer = COUNTRIES[list(CASES).index(case)]
    assert ((f"{issuer}.t", f"{issuer}.e") in cases[reading]) == CASES[case][2 + READINGS.index(reading)]


def test_a_pair_names_groups_days_and_how_the_two_stand_to_each_other(con):
    rows = [
        entry("ban", "tightening", targets="all", agency="Police", field="health"),
        entry("corridor", "easing", targets="transit", target_citizenship="UZB", agency="police, Courts", end="2020-04-14"),
        entry("named_ban", "tightening", target_citizenship="CHN", issuer="UZB"),
        entry("permits", "easing", issuer="UZB", level="regional"),
        entry("quota", "tightening", issuer="KGZ", agency="Ministry of Labour"),
        entry("patents", "easing", issuer="KGZ", agency="Ministry of the Interior", end=None, status="standing"),
        entry("aid", "easing", issuer="TJK", instrument="economic", field="housing", general="false"),
        entry("raids", "tightening", issuer="TJK", field="security"),
    ]
    found = pairs(con, conflicts, rows, "possible")
    seen = {
        pair: (row["relation"], row["between"], row["same_matter"], list(row["targets"]), list(row["groups"]))
        for pair, row in found.items()
    }
    assert seen == {
        ("ban", "corridor"): ("easing_within", "same_agency", False, [], ["visitor"]),
        ("named_ban", "permits"): ("tightening_within", "across_levels", True, ["labour"], ["labour", "resident"]),
        ("quota", "patents"): ("same_people", "across_agencies", True, ["labour"], ["labour", "resident"]),
        ("raids", "aid"): ("easing_within", "agency_unknown", False, ["labour"], ["labour", "resident"]),
    }
    assert found["ban", "corridor"]["days"] == 30
    assert found["quota", "patents"]["days"] == 57
    assert str(found["ban", "corridor"]["first"])[:10] == "2020-03-16"


def test_a_union_and_its_member_of_that_day_act_in_one_place_and_so_do_a_region_and_its_country(con):
    rows = [
        entry("union", "tightening", issuer="EU", level="union", start="2020-01-15", end="2020-03-31"),
        entry("member", "easing", issuer="DEU", start="2020-03-01", end="2020-03-31"),
        entry("left", "easing", issuer="GBR", start="2020-01-20", end="2020-03-31"),
        entry("gone", "easing", issuer="GBR", start="2020-02-01", end="2020-03-31"),
        entry("region", "easing", issuer="KZ-75", level="regional"), entry("country", "tightening"), entry("neighbour", "easing", issuer="UZB"),
    ]  # fmt: skip
    found = pairs(con, conflicts, rows, "certain")
    assert set(found) == {("union", "member"), ("union", "left"), ("country", "region")}
    assert {row["between"] for row in found.values()} == {"across_levels"}
    assert found["union", "left"]["days"] == 12  # 20 to 31 January 2020, the last days of membership


def test_an_entry_without_a_known_start_meets_others_only_when_asked_and_shares_no_known_days(con):
    rows = [
        entry("patents", "easing", start=None, end="2022", status="standing"),
        entry("quota", "tightening", start=None, end=None),
        entry("later", "tightening", start="2023-01-01", end=None),
    ]
    assert pairs(con, conflicts, rows, "possible") == {}
    found = pairs(con, conflicts, rows, "possible", undated=True)
    assert set(found) == {("quota", "patents")}
    row = found["quota", "patents"]
    assert not row["dated"]
    assert str(row["first"]) == str(row["last"]) == "NaT"


def test_two_bodies_that_do_the_same_and_titles_nearly_the_same_are_listed_with_the_reason(con):
    rows = [
        entry("a", "tightening", title="Suspension of 72-hour visa-free transit", targets="transit", agency="Ministry of Foreign Affairs"),
        entry("b", "tightening", title="Closing of corridors", targets="transit", agency="Border service"),
        entry(
            "c",
            "tightening",
            title="72-hour visa-free transit from China suspended",
            targets="transit",
            target_citizenship="CHN",
            instrument="administrative",
            agency="Ministry of Foreign Affairs",
        ),
        entry("d", "tightening", title="Fees", targets="transit", agency="Ministry of Foreign Affairs", instrument="legal"),
        entry("e", "easing", title="Suspension of 72-hour visa-free transit", targets="transit", agency="Border service"),
        entry("f", "tightening", title="Everybody stays at home", targets="all", agency="Border service"),
        entry("g", "tightening", title="Nobody leaves", targets="all", agency="Health service"),
    ]
    found = {pair: (row["because"], row["between"]) for pair, row in pairs(con, duplicates, rows, "certain").items()}
    assert found == {
        ("a", "b"): ("same_act", "across_agencies"), ("b", "d"): ("same_act", "across_agencies"), ("a", "c"): ("alike_titles", "same_agency"),
    }  # fmt: skip
    assert ("a", "c") not in pairs(con, duplicates, rows, "certain", alike=0.9)
