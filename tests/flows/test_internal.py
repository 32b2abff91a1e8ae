"""Moves inside a country: nobody is lost or made between its regions."""

from __future__ import annotations

from calendar import monthrange

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.areas import areas
from qonys.core.contracts import FLOW, STOCK
from qonys.flows import mean_population, regional_net, with_rates
from qonys.store import shipped, take_in
from rows import typed

REGIONS = [area.code for area in areas(scheme="iso3166-2") if area.parent == "KAZ"]
FIVE = REGIONS[:5]


def moved(region: str, direction: str, persons: float, start: str, end: str, **more: object) -> dict[str, object]:
    ends = {"origin": "KAZ", "destination": region} if direction == "in" else {"origin": region, "destination": "KAZ"}
    return {**ends, "period_start": start, "period_end": end, "persons": persons, "basis": "previous_residence", "counted": "moves", "source": "s",
            "status": "final", "scope": "internal"} | more  # fmt: skip


def year(region: str, direction: str, persons: float, of: int = 2020, **more: object) -> dict[str, object]:
    return moved(region, direction, persons, f"{of}-01-01", f"{of}-12-31", **more)


def month(region: str, direction: str, persons: float, number: int, of: int = 2020, **more: object) -> dict[str, object]:
    return moved(region, direction, persons, f"{of}-{number:02d}-01", f"{of}-{number:02d}-{monthrange(of, number)[1]}", **more)


def net(con, rows: list[dict[str, object]]) -> pd.DataFrame:
    return con.to_pandas(regional_net(typed(FLOW, rows), "KAZ", REGIONS)).set_index(["region", "year"]).sort_index()


@given(st.lists(st.tuples(st.sampled_from(FIVE), st.sampled_from(FIVE), st.integers(0, 10**6)), max_size=60))
@settings(max_examples=8)
def test_the_net_of_a_closed_country_is_zero(con, pairs):
    totals = {(region, side): 0 for region in FIVE for side in ("in", "out")}
    for origin, destination, persons in pairs:
        totals[origin, "out"] += persons
        totals[destination, "in"] += persons
    found = net(con, [year(region, side, persons) for (region, side), persons in totals.items()])
    assert found["net"].sum() == 0
    assert found["arrivals"].sum() == found["departures"].sum() == sum(persons for *_, persons in pairs)
    assert (found["net"] == found["arrivals"] - found["departures"]).all()


@given(st.lists(st.integers(0, 9999), min_size=24, max_size=24))
@settings(max_examples=5)
def test_a_year_of_twelve_months_is_their_sum_and_a_year_of_eleven_is_absent(con, persons):
    whole = [month(FIVE[0], side, persons[12 * half + n - 1], n) for half, side in enumerate(("in", "out")) for n in range(1, 13)]
    gap = [month(FIVE[1], side, 1, n) for side in ("in", "out") for n in range(1, 12)]
    found = net(con, whole + gap)
    assert list(found.index) == [(FIVE[0], 2020)]
    row = found.iloc[0]
    assert (row["arrivals"], row["departures"]) == (sum(persons[:12]), sum(persons[12:]))
    assert row["from_months"]
    assert len(row["rows"]) == 24


def test_annual_rows_come_before_the_sum_of_months(con):
    months = [month(FIVE[0], side, 1, n) for side in ("in", "out") for n in range(1, 13)]
    found = net(con, [*months, year(FIVE[0], "in", 100), year(FIVE[0], "out", 40)])
    assert found[["arrivals", "departures", "net", "from_months"]].values.tolist() == [[100, 40, 60, False]]


def test_a_month_printed_twice_does_not_stand_for_one_that_is_missing(con):
    assert net(con, [month(FIVE[0], side, 1, min(n, 11)) for side in ("in", "out") for n in range(1, 13)]).empty


def test_a_region_with_one_side_only_is_absent(con):
    assert net(con, [year(FIVE[0], "in", 5)]).empty


def test_parts_of_the_people_other_scopes_and_derived_rows_are_left_out(con):
    rows = [year(FIVE[0], side, 5) for side in ("in", "out")]
    others = [year(FIVE[0], side, 3, **more) for side in ("in", "out")
              for more in ({"sex": "female"}, {"age": "20-24"}, {"citizenship": "RUS"}, {"scope": "inter_regional"}, {"status": "derived"})]  # fmt: skip
    found = net(con, rows + others)
    assert found[["arrivals", "departures"]].values.tolist() == [[5, 5]]


def test_other_names_for_the_regions_change_nothing_but_the_names(con):
    flows = {region: (10 * place, 7) for place, region in enumerate(FIVE)}
    shifted = dict(zip(FIVE, [*FIVE[1:], FIVE[0]], strict=True))
    rows = [year(region, side, persons) for region, both in flows.items() for side, persons in zip(("in", "out"), both, strict=True)]
    renamed = [row | {end: shifted.get(row[end], row[end]) for end in ("origin", "destination")} for row in rows]
    before, after = net(con, rows)["net"], net(con, renamed)["net"]
    assert all(after[shifted[region], of] == persons for (region, of), persons in before.items())


def counted(area: str, date: str, persons: float, **more: object) -> dict[str, object]:
    return {"residence": area, "basis": "all_residents", "characteristic": "WORLD", "ref_date": date, "persons": persons, "source": "s",
            "category": "total"} | more  # fmt: skip


def test_the_mean_population_is_that_of_two_januaries_in_their_latest_vintage(con):
    stock = typed(STOCK, [
        counted("KZ-10", "2020-01-01", 100, vintage="2021"), counted("KZ-10", "2020-01-01", 110, vintage="2024"), counted("KZ-10", "2021-01-01", 130),
        counted("KZ-10", "2021-01-01", 999, category="urban"), counted("KZ-10", "2021-01-01", 888, basis="citizenship"),
        counted("KZ-11", "2020-01-01", 50), counted("KZ-11", "2022-01-01", 70),
    ])  # fmt: skip
    people = con.to_pandas(mean_population(stock))
    assert people[["area", "year", "population"]].values.tolist() == [["KZ-10", 2020, 120]]
    assert sorted(people["rows"].iloc[0]) == ["f.csv:3", "f.csv:4"]
    rates = con.to_pandas(with_rates(regional_net(typed(FLOW, [year(r, side, 12 if side == "in" else 9) for r in ("KZ-10", "KZ-11") for side in ("in", "out")]),
                                                  "KAZ", REGIONS), mean_population(stock)).order_by("region"))  # fmt: skip
    assert rates["net_per_1000"].iloc[0] == pytest.approx(1000 * 3 / 120)
    assert pd.isna(rates["net_per_1000"].iloc[1])


def test_the_published_sums_of_2024_are_those_of_its_months(con):
    flow = take_in(con, shipped().path("flow/kaz_internal.csv"), FLOW, quarantine=False).table
    ours = con.to_pandas(regional_net(flow, "KAZ", REGIONS)).set_index(["region", "year"])
    derived = con.to_pandas(flow.filter(flow.status == "derived", flow.period_start.year() == 2024))
    regions = derived[(derived["origin"] == "KAZ") ^ (derived["destination"] == "KAZ")]
    assert len(regions) == 40
    for row in regions.itertuples():
        side, region = ("arrivals", row.destination) if row.origin == "KAZ" else ("departures", row.origin)
        assert ours.loc[(region, 2024), side] == row.persons
    national = derived[(derived["origin"] == "KAZ") & (derived["destination"] == "KAZ")]["persons"].item()
    assert ours.xs(2024, level="year")[["arrivals", "departures"]].sum().tolist() == [national, national]
    assert ours.groupby("year")["net"].sum().tolist() == [0, 0, 0]
