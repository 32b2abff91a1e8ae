"""Annual series out of several reports: which report is used, what the others say, what is not known."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.contracts import FLOW
from qonys.flows import annual_series, annual_totals, change_about, disagreements
from qonys.flows.series import STATUS_ORDER
from rows import typed

AREAS = ["KAZ", "UZB", "KGZ"]


def report(area: str, year: int, direction: str, persons: float, **more: object) -> dict[str, object]:
    ends = {"origin": "WORLD", "destination": area} if direction == "inflow" else {"origin": area, "destination": "WORLD"}
    return {**ends, "period_start": f"{year}-01-01", "period_end": f"{year}-12-31", "persons": persons, "basis": "previous_residence",
            "counted": "moves", "source": "s", "status": "final"} | more  # fmt: skip


reports = st.builds(
    report, st.sampled_from(AREAS), st.integers(2019, 2022), st.sampled_from(["inflow", "outflow"]), st.integers(0, 9),
    status=st.sampled_from(STATUS_ORDER), vintage=st.sampled_from([None, "2021", "2023-05"]), qualifier=st.sampled_from([None, "exact", "rounded"]),
)  # fmt: skip


@given(st.lists(reports, min_size=1, max_size=40))
@settings(max_examples=4)
def test_the_series_its_disagreements_and_what_agrees_are_all_reports(con, rows):
    flow = typed(FLOW, rows)
    totals = con.to_pandas(annual_totals(flow))
    used = totals[totals["rank"] == 0].set_index(["area", "year", "direction"])
    others = totals[totals["rank"] > 0]
    agreeing = sum(row.persons == used.loc[(row.area, row.year, row.direction), "persons"] for row in others.itertuples())
    differing = con.to_pandas(disagreements(flow, AREAS, 2019, 2022))
    assert len(used) + agreeing + len(differing) == len(rows)
    assert (differing["other"] - differing["used"] == differing["difference"]).all()

    series = con.to_pandas(annual_series(flow, AREAS, 2019, 2022)).set_index(["area", "year"])
    assert set(series.index) == set(used.index.droplevel("direction"))
    for (area, year), row in series.iterrows():
        for side in ("inflow", "outflow"):
            wanted = used["persons"].get((area, year, side))
            assert pd.isna(row[side]) if wanted is None else row[side] == wanted
        assert pd.isna(row["net"]) if row[["inflow", "outflow"]].isna().any() else row["net"] == row["inflow"] - row["outflow"]
        assert len(row["rows"]) == row[["inflow", "outflow"]].notna().sum()


@given(st.lists(reports, min_size=1, max_size=30), st.permutations(AREAS))
@settings(max_examples=3)
def test_other_names_for_the_areas_change_nothing_but_the_names(con, rows, names):
    other = dict(zip(AREAS, names, strict=True))
    renamed = [row | {end: other.get(row[end], row[end]) for end in ("origin", "destination")} for row in rows]
    columns = ["inflow", "outflow", "net"]
    before, after = (
        con.to_pandas(annual_series(typed(FLOW, table), AREAS, 2019, 2022)).set_index(["area", "year"])[columns]
        for table in (rows, renamed)
    )
    before.index = pd.MultiIndex.from_tuples([(other[area], year) for area, year in before.index], names=["area", "year"])
    pd.testing.assert_frame_equal(before.sort_index(), after.sort_index(), check_index_type=False)


def test_a_final_report_comes_before_a_provisional_one_and_a_later_vintage_before_an_earlier(con):
    ordered = [
        report("KAZ", 2020, "inflow", 1, status="final", vintage="2023"), report("KAZ", 2020, "inflow", 2, status="final", vintage="2021"),
        report("KAZ", 2020, "inflow", 3, status="final", qualifier="exact"), report("KAZ", 2020, "inflow", 4, status="final", qualifier="rounded"),
        *(report("KAZ", 2020, "inflow", 5 + place, status=status, vintage="2026") for place, status in enumerate(STATUS_ORDER[1:])),
    ]  # fmt: skip
    totals = con.to_pandas(annual_totals(typed(FLOW, ordered[::-1])).order_by("rank"))
    assert totals["persons"].tolist() == list(range(1, len(ordered) + 1))


@pytest.mark.parametrize(
    "part",
    [{"period_end": "2020-06-30"}, {"period_end": "2021-12-31"}, {"sex": "female"}, {"age": "20-24"}, {"citizenship": "RUS"}, {"scope": "internal"},
     {"origin": "RUS"}],
    ids=str,
)  # fmt: skip
def test_a_part_of_the_year_or_of_the_people_is_not_the_total(con, part):
    assert con.execute(annual_totals(typed(FLOW, [report("KAZ", 2020, "inflow", 1) | part])).count()) == 0


def test_the_change_about_a_shock_is_null_where_a_year_is_missing(con):
    rows = [
        report(area, year, "inflow", 100 * year - 200000) for area in AREAS for year in range(2017, 2024) if (area, year) != ("UZB", 2018)
    ]
    rows = [row for row in rows if row["destination"] != "KGZ" or row["period_start"] != "2020-01-01"]
    series = annual_series(typed(FLOW, rows), AREAS, 2017, 2023)
    change = con.to_pandas(change_about(series, before=[2017, 2018, 2019], during=[2020], after=[2021, 2022, 2023])).set_index("area")
    assert change.loc["KAZ", ["before", "during", "after"]].tolist() == [1800, 2000, 2200]
    assert change.loc["KAZ", "during_change"] == pytest.approx(100 * (2000 / 1800 - 1))
    assert pd.isna(change.loc["UZB", ["before", "during_change", "after_change"]]).all()
    assert change.loc["UZB", "during"] == 2000
    assert pd.isna(change.loc["KGZ", ["during", "during_change"]]).all()
    assert change.loc["KGZ", "after_change"] == pytest.approx(100 * (2200 / 1800 - 1))


def test_a_change_from_nobody_is_null_and_not_infinite(con):
    series = annual_series(typed(FLOW, [report("KAZ", 2019, "inflow", 0), report("KAZ", 2020, "inflow", 5)]), AREAS, 2019, 2020)
    change = con.to_pandas(change_about(series, before=[2019], during=[2020], after=[2020]))
    assert pd.isna(change["during_change"].iloc[0])
