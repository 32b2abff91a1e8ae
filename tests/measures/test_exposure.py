"""From legal act to exposure: who is reached, how strongly, and what no bookkeeping of the register may change."""

from __future__ import annotations

import random
from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from ibis import _

from qonys.core import areas
from qonys.core.contracts import EXPOSURE
from qonys.core.errors import DataError
from qonys.core.validate import examine
from qonys.measures import codebook, corridor_categories, days_between, exposure, people, people_of, reach
from rows import Prepared, bounded

FIRST, LAST = date(2020, 3, 1), date(2020, 5, 31)
CATEGORIES = ["citizen", "labour", "asylum", "visitor"]


def act(**own: object) -> dict[str, object]:
    return {
        "id": "m", "issuer": "DEU", "level": "national", "targets": "foreign_traveller", "strength": 4, "general": "true", "direction": "tightening",
        "start": "2020-03-16", "end": "2020-04-30", "status": "ended", "field": "migration", "instrument": "legal",
    } | own  # fmt: skip


EXPOSED, REACHED = Prepared(exposure), Prepared(reach)


def compiled(
    con,
    rows,
    origins=("SYR",),
    destinations=("DEU",),
    categories=CATEGORIES,
    *,
    by="month",
    days=None,
    reading="possible",
    classes=None,
    **more,
) -> pd.DataFrame:
    classes = people(origins, destinations, categories) if classes is None else classes
    days = days_between(FIRST, LAST, by) if days is None else days
    found = EXPOSED(con, bounded(rows), classes, days, reading=reading, **more)
    return con.to_pandas(found).set_index(["origin", "destination", "category", "period"]).sort_index()


def doses(con, rows, **more) -> dict[str, float]:
    """Dose of April 2020 by category, in the corridor from Syria to Germany unless said otherwise."""
    return compiled(con, rows, **more).xs("2020-04", level="period")["dose"].droplevel([0, 1]).to_dict()


def why(con, rows, origin="SYR", destination="DEU", category="asylum", reading="possible") -> list[str | None]:
    pairs = con.to_pandas(REACHED(con, bounded(rows), people([origin], [destination], [category]), reading=reading))
    return [None if pd.isna(one) else one for one in pairs.sort_values("id")["why"]]


def test_an_entry_ban_closes_the_corridor_for_foreigners_and_not_for_own_citizens(con):
    found = compiled(con, [act(announced="2020-03-14")])
    march = found.loc["SYR", "DEU", "asylum", "2020-03"]
    assert (march["on"], march["days"], march["covered_share"], list(march["measure_ids"])) == (True, 16, 1.0, ["m"])
    assert march["dose"] == pytest.approx(100 * 16 / 31)
    assert [pd.Timestamp(march[name]).date() for name in ("first_day", "last_day")] == [date(2020, 3, 16), date(2020, 3, 31)]
    assert march["announced"] == "2020-03-14"
    assert not found.loc["SYR", "DEU", "citizen", "2020-03"]["on"]
    assert not found.loc["SYR", "DEU", "asylum", "2020-05"]["on"]
    assert len(found) == len(CATEGORIES) * 3


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ({}, None),
        ({"targets": "labour"}, "target"),
        ({"target_citizenship": "IRQ"}, "citizenship"),
        ({"target_citizenship": "NON_EU"}, None),
        ({"target_citizenship": "SYR IRQ"}, None),
        ({"target_origin": "ITA"}, "origin"),
        ({"target_origin": "WORLD"}, None),
        ({"borders_with": "AUT"}, "border"),
        ({"borders_except": "SYR"}, "border"),
        ({"area": "internal_border", "targets": "traveller"}, "border"),
        ({"exception_citizenship": "SYR"}, "exempt_citizenship"),
        ({"exception_origin": "NON_CIS"}, "exempt_origin"),
        ({"exceptions": "asylum_applicant family"}, "exempt_category"),
        ({"exceptions": "family vaccinated"}, None),
        ({"issuer": "EU", "level": "union"}, "not_transposed"),
        ({"issuer": "EU", "level": "union", "applies_in": "EU27_2020"}, None),
        ({"issuer": "EU27_2020", "level": "national"}, None),
    ],
)  # fmt: skip
def test_a_measure_reaches_a_corridor_or_says_why_it_does_not(con, own, reason):
    assert why(con, [act(**own)]) == [reason]


def test_controls_at_internal_borders_reach_who_comes_from_the_common_area(con):
    control = act(area="internal_border", targets="traveller")
    assert why(con, [control], origin="FRA") == [None]
    assert why(con, [control], origin="GBR") == ["border"]
    assert why(con, [control], origin="FRA", category="citizen") == [None]


def test_states_the_source_does_not_name_are_reached_possibly_and_never_for_certain(con):
    ban = act(target_citizenship="UNKNOWN")
    assert why(con, [ban]) == [None]
    assert why(con, [ban], reading="certain") == ["citizenship"]
    mixed = act(target_citizenship="SYR UNKNOWN")
    assert why(con, [mixed], reading="certain") == [None]


def test_a_recommendation_reaches_a_member_only_through_its_act_and_only_while_that_is_in_force(con):
    union = act(id="eu", issuer="EU", level="union", start="2020-03-10", end="2020-05-31", target_citizenship="NON_EU", transposed_by="de")
    act_of_member = act(id="de", start="2020-04-01", end="2020-04-15", strength=1)
    april = compiled(con, [union, act_of_member]).loc["SYR", "DEU", "asylum"]
    assert april["days"].to_dict() == {"2020-03": 0, "2020-04": 15, "2020-05": 0}
    assert list(april.loc["2020-04", "measure_ids"]) == ["de", "eu"]
    assert april.loc["2020-04", "dose"] == pytest.approx(25 * 15 / 30)  # no stronger than the member's act
    assert not compiled(con, [union, act_of_member], destinations=("FRA",))["on"].any()


def test_a_regulation_reaches_a_state_from_the_day_it_joins(con):
    rule = act(id="eu", issuer="SCHENGEN", level="union", applies_in="SCHENGEN", targets="traveller", start="2022-12-01", end="2023-01-31")
    days = days_between(date(2022, 12, 1), date(2023, 1, 31), "month")
    found = compiled(con, [rule], ["SRB"], ["HRV"], ["visitor"], days=days, reading="certain")
    assert found.loc["SRB", "HRV", "visitor"]["days"].to_dict() == {"2022-12": 0, "2023-01": 31}  # Croatia joined on 1 January 2023


def test_a_closed_border_closes_the_way_out_too(con):
    closed = act(issuer="SYR", targets="traveller")
    assert doses(con, [closed]) == dict.fromkeys(CATEGORIES, 100.0)
    assert doses(con, [closed | {"targets": "foreign_traveller"}]) == dict.fromkeys(CATEGORIES, 0.0)
    assert doses(con, [closed | {"targets": "emigrant"}]) == dict.fromkeys(CATEGORIES, 100.0)


def test_a_closed_border_with_one_state_closes_the_ways_in_and_out_across_it_alone(con):
    closed = act(targets="traveller", borders_with="AUT")
    ways = [("AUT", "DEU"), ("DEU", "AUT"), ("FRA", "DEU"), ("DEU", "FRA")]
    assert [why(con, [closed], origin=one, destination=other, category="visitor") for one, other in ways] == [
        [None],
        [None],
        ["border"],
        ["border"],
    ]


def test_a_measure_for_some_of_a_category_counts_half_a_step_less(con):
    assert doses(con, [act(targets="seasonal_worker")])["labour"] == 87.5
    assert doses(con, [act(targets="seasonal_worker", general="false")])["labour"] == 87.5
    assert doses(con, [act(targets="seasonal_worker labour")])["labour"] == 100.0


def test_the_strongest_measure_of_a_day_counts_and_easing_is_compiled_apart(con):
    rows = [act(strength=2), act(id="n", strength=3), act(id="easy", direction="easing", strength=4)]
    assert doses(con, rows)["asylum"] == 75.0
    assert doses(con, rows, direction="easing")["asylum"] == 100.0


def test_a_condition_whose_people_cannot_be_counted_is_named_beside(con):
    row = compiled(con, [act(exceptions="vaccinated asylum_applicant")]).loc["SYR", "DEU", "labour", "2020-04"]
    assert list(row["conditions"]) == ["vaccinated"]
    assert (row["dose"], row["covered_share"]) == (100.0, 1.0)


def weights(rows: list[tuple[object, ...]], *columns: str) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows, columns=list(columns)))


def test_the_covered_share_is_that_of_the_people_who_move(con):
    flow = weights(
        [("TUR", "DEU", "SYR", 60.0), ("TUR", "DEU", "TUR", 30.0), ("TUR", "DEU", "DEU", 10.0)],
        "origin",
        "destination",
        "citizenship",
        "persons",
    )
    classes = people_of(flow, ["visitor", "citizen"])
    ban = act(target_citizenship="SYR", start="2020-04-16", end="2020-04-30")
    found = compiled(con, [ban], classes=classes).xs("2020-04", level="period").droplevel([0, 1])
    assert found.loc["visitor", ["covered_share", "dose", "days"]].tolist() == pytest.approx([60 / 90, 60 / 90 * 100 / 2, 15])
    assert found.loc["citizen", "days"] == 0
    exempt = act(exceptions="asylum_applicant")
    by_category = weights([("SYR", "DEU", "asylum", 80), ("SYR", "DEU", "student", 20)], "origin", "destination", "category", "persons")
    whole = compiled(con, [exempt], classes=people_of(by_category, ["asylum", "student"]), pooled=True).loc["SYR", "DEU", "all", "2020-04"]
    assert (whole["covered_share"], whole["dose"]) == pytest.approx((0.2, 20.0))


def test_a_stock_gives_weights_by_citizenship(con):
    stock = weights([("DEU", "SYR", 5.0), ("DEU", "KAZ", 2.0)], "residence", "characteristic", "persons")
    classes = con.to_pandas(people_of(stock, ["asylum"])).sort_values("origin")
    assert classes[["origin", "destination", "category", "citizenship", "weight"]].to_numpy().tolist() == [
        ["KAZ", "DEU", "asylum", "KAZ", 2.0], ["SYR", "DEU", "asylum", "SYR", 5.0],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: people(["SYR"], ["DEX"], ["asylum"]), "no area has the code 'DEX'"),
        (lambda: people(["SYR"], ["DEU"], ["asylm"]), "there is no category 'asylm' of people in a corridor; did you mean 'asylum'"),
        (lambda: people(["SYR"], ["DEU"], ["internal"]), "there is no category 'internal'"),
        (lambda: days_between(LAST, FIRST, "day"), "the period ends on 2020-03-01, before it begins on 2020-05-31"),
        (lambda: days_between(FIRST, LAST, "year"), "there is no period 'year'; use day, week or month"),
        (lambda: people_of(weights([("SYR", 1)], "origin", "persons"), ["asylum"]), "the table of people has no column 'destination'"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_refused_with_the_mend(call, said):
    with pytest.raises(DataError, match=said):
        call()


# Laws


def registers(number: int) -> list[list[dict[str, object]]]:
    chance = random.Random(20200317)

    def one(place: int) -> dict[str, object]:
        start = FIRST + timedelta(days=chance.randrange(80))
        return act(
            id=f"m{place}", issuer=chance.choice(["DEU", "FRA", "EU", "SYR"]), targets=chance.choice(["foreign_traveller", "all", "labour", "traveller", "asylum_applicant visitor"]),
            target_citizenship=chance.choice([None, None, "NON_EU", "SYR", "UNKNOWN"]), strength=chance.randint(1, 4), general=chance.choice(["true", "false"]),
            start=start.isoformat(), end=chance.choice([None, (start + timedelta(days=chance.randrange(40))).isoformat()]),
            exceptions=chance.choice([None, "asylum_applicant", "vaccinated"]), applies_in=chance.choice([None, "EU27_2020"]),
        )  # fmt: skip

    return [[one(place) for place in range(chance.randint(2, 6))] for _case in range(number)]


CORRIDORS = {"origins": ("SYR", "KAZ", "FRA"), "destinations": ("DEU", "FRA"), "by": "week"}
FIGURES = ["on", "dose", "covered_share", "days"]


@pytest.mark.parametrize("rows", registers(3))
@pytest.mark.parametrize("reading", ["certain", "possible"])
def test_bookkeeping_changes_nothing_and_fewer_measures_never_mean_more(con, rows, reading):
    whole = compiled(con, rows, reading=reading, **CORRIDORS)
    assert whole["dose"].between(0, 100).all()
    assert whole["covered_share"].between(0, 1).all()
    assert (whole["on"] == (whole["days"] > 0)).all()
    assert (whole["on"] == (whole["dose"] > 0)).all()
    shuffled = random.Random(1).sample(rows, len(rows))
    pd.testing.assert_frame_equal(compiled(con, shuffled, reading=reading, **CORRIDORS)[FIGURES], whole[FIGURES])
    fewer = compiled(con, rows[1:], reading=reading, **CORRIDORS)
    assert (fewer["dose"] <= whole["dose"] + 1e-9).all()
    assert (fewer["days"] <= whole["days"]).all()
    split = [part for row in rows for part in halves(row)]
    pd.testing.assert_frame_equal(compiled(con, split, reading=reading, **CORRIDORS)[FIGURES], whole[FIGURES])


def halves(row: dict[str, object]) -> list[dict[str, object]]:
    """A measure as two that adjoin; one with no known end, or of one day, stays whole."""
    if not row["end"] or row["end"] == row["start"]:
        return [row]
    start = date.fromisoformat(str(row["start"]))
    middle = start + (date.fromisoformat(str(row["end"])) - start) // 2
    return [row | {"end": middle.isoformat()}, row | {"id": f"{row['id']}b", "start": (middle + timedelta(days=1)).isoformat()}]


@pytest.mark.parametrize("rows", registers(3))
def test_the_certain_reading_never_exceeds_the_possible_one(con, rows):
    certain, possible = (compiled(con, rows, reading=reading, **CORRIDORS) for reading in ("certain", "possible"))
    assert (certain["dose"] <= possible["dose"] + 1e-9).all()
    assert (certain["days"] <= possible["days"]).all()


@pytest.mark.parametrize("rows", registers(3))
def test_days_weeks_and_months_tell_the_same(con, rows):
    every = dict(CORRIDORS, by="day")
    daily = compiled(con, rows, **every).reset_index()
    daily["month"] = daily["period"].str[:7]
    months = daily.groupby(["origin", "destination", "category", "month"]).agg(dose=("dose", "mean"), days=("days", "sum"))
    found = compiled(con, rows, **dict(CORRIDORS, by="month"))
    assert found["dose"].to_numpy() == pytest.approx(months["dose"].to_numpy())
    assert found["days"].tolist() == months["days"].tolist()


@pytest.mark.parametrize("persons", [[("SYR", 3)], [("SYR", 2), ("IRQ", 5)], [("DEU", 1), ("SYR", 4), ("IRQ", 9)]])
def test_scaling_all_weights_changes_nothing(con, persons):
    def found(times: float) -> pd.DataFrame:
        flow = weights(
            [("TUR", "DEU", code, times * number) for code, number in persons], "origin", "destination", "citizenship", "persons"
        )
        return compiled(con, [act(target_citizenship="SYR")], classes=people_of(flow, ["visitor"]))

    assert found(1)["covered_share"].to_numpy() == pytest.approx(found(1000)["covered_share"].to_numpy())


def test_the_exposure_keeps_its_contract(con):
    found = compiled(con, [act(), act(id="n", exceptions="vaccinated")]).reset_index()
    found["row"] = range(len(found))
    assert con.to_pandas(examine(ibis.memtable(found), EXPOSURE, file="exposure").faults.count()) == 0


# The shipped register


def shipped_measures(con) -> ibis.Table:
    from qonys.pipeline import load, open_study

    return load(con, open_study("eu-covid"), lambda *_: None)[0]["measure"]


def test_every_code_of_the_codebook_has_a_place_in_the_categories():
    facts = codebook()
    known = {one for category in facts["category"].values() for part in ("whole", "part") for one in category[part]} | set(
        facts["exit"]["only"]
    )
    assert set(facts["target"]) - known == {"authority", "employer", "exempt", "host", "transit"} - known
    assert {one for category in facts["category"].values() for one in category["freed_by"]} <= set(facts["exception"])


@pytest.mark.slow
def test_27_states_by_200_origins_by_36_months_and_6_categories_are_compiled(con):
    members = areas.members("EU27_2020", date(2021, 1, 1))
    world = [one.code for one in areas.areas(scheme="iso3166-1", kind="country")][:200]
    classes = people(world, members, corridor_categories()[:6])
    found = exposure(shipped_measures(con), classes, days_between(date(2020, 1, 1), date(2022, 12, 31), "month"), reading="possible")
    seen = con.to_pandas(found.agg(rows=_.count(), on=_.on.sum(), least=_.dose.min(), most=_.dose.max()))
    corridors = len(members) * len(world) - len(set(members) & set(world))
    assert seen["rows"].item() == corridors * 36 * 6
    assert 0 < seen["on"].item() < seen["rows"].item()
    assert (seen["least"].item(), seen["most"].item()) == (0, 100)
