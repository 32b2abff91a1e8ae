"""Who goes where: the cells sum to the whole however they are cut, what is not published is not zero."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError, DesignError
from qonys.situation import pair_periods, pairs_in, pairs_of
from qonys.situation.opened import rows_held

CODES = ("AUT", "BEL", "CZE", "DEU", "ESP", "FRA", "GRC", "HUN", "ITA", "POL")


@st.composite
def moves(draw):
    """Some pairs of ten countries, each once."""
    pairs = draw(
        st.lists(
            st.tuples(st.sampled_from(CODES), st.sampled_from(CODES), st.integers(0, 1000)),
            min_size=1,
            max_size=60,
            unique_by=lambda one: one[:2],
        )
    )
    return pd.DataFrame(pairs, columns=["origin", "destination", "persons"]).assign(period_start="2020-01-01", period_end="2020-12-31")


@given(moves(), st.integers(2, 12))
def test_cells_sum_to_the_whole_for_any_top(rows, top):
    found = pairs_in(rows, 2020, top=top)
    between = rows[rows["origin"] != rows["destination"]]
    assert found.whole == between["persons"].sum() == found.cells["persons"].sum()
    assert found.inside == rows.loc[rows["origin"] == rows["destination"], "persons"].sum()
    assert found.cells["pairs"].sum() == len(between)
    assert (found.gap == "no_pairs") == between.empty
    assert found.margins["inflow"].sum() == found.margins["outflow"].sum() == found.whole
    assert len(found.margins) <= top + 1


@given(moves(), st.lists(st.sampled_from(["a", "b", "c"]), min_size=10, max_size=10))
def test_cells_sum_to_the_whole_for_any_groups(rows, names):
    groups = {name: [code for code, own in zip(CODES, names, strict=True) if own == name] for name in set(names)}
    found = pairs_in(rows, 2020, top=5, group=groups)
    assert found.cells["persons"].sum() == found.whole == pairs_in(rows, 2020).whole
    assert set(found.cells["origin"]) <= set(names)


@given(moves())
def test_published_and_missing_pairs_are_all_pairs_and_a_cell_without_any_is_not_zero(rows):
    found = pairs_in(rows, 2020, top=4)
    there = {*rows.loc[rows["origin"] != rows["destination"], "origin"], *rows.loc[rows["origin"] != rows["destination"], "destination"]}
    assert (found.cells["pairs"] + found.cells["missing"]).sum() == len(there) * (len(there) - 1)
    assert (found.cells["persons"].isna() == (found.cells["pairs"] == 0)).all()


def test_the_largest_stay_and_a_rest_of_one_is_named():
    rows = pd.DataFrame([("AUT", "BEL", 9), ("BEL", "CZE", 5), ("CZE", "DEU", 1)], columns=["origin", "destination", "persons"])
    rows = rows.assign(period_start="2020-01-01", period_end="2020-12-31")
    assert set(pairs_in(rows, 2020, top=2).margins["area"]) == {"AUT", "BEL", "REST"}
    assert set(pairs_in(rows, 2020, top=3).margins["area"]) == {"AUT", "BEL", "CZE", "DEU"}


def test_sums_of_others_and_other_reports_are_left_out_and_told():
    rows = pd.DataFrame(
        [("KZ-10", "KZ-11", 5, "final", "2022"), ("KZ-10", "KZ-11", 6, "provisional", "2021"), ("KAZ", "KZ-10", 99, "final", "2022"),
         ("WORLD", "KZ-10", 7, "final", "2022")], columns=["origin", "destination", "persons", "status", "vintage"],
    ).assign(period_start="2022-01-01", period_end="2022-12-31")  # fmt: skip
    found = pairs_in(rows, 2022)
    assert found.whole == 5
    assert sorted(found.other["why"]) == ["aggregate", "aggregate", "report"]


def test_kazakhstan_has_margins_for_years_without_pairs_and_nothing_between_them():
    found = pairs_of(2024)
    assert found.gap == "no_pairs"
    assert found.cells.empty
    assert len(found.margins) == 20
    assert found.margins["net"].sum() == 0
    assert found.margins["inflow"].sum() == 1_510_337
    (span,) = pair_periods(rows_held().query("scope == 'inter_regional'")).itertuples()
    assert (str(span.period_start)[:10], str(span.period_end)[:10], span.pairs) == ("2021-01-01", "2021-03-31", 12)
    quarter = pairs_of("2021-01/2021-03", top=8)
    assert quarter.gap is None
    assert quarter.cells["pairs"].sum() == 12


@pytest.mark.parametrize(("ask", "what"), [
    (lambda: pairs_in(pd.DataFrame(columns=["origin"]), 2020), "has no column destination"), (lambda: pairs_of("2022-09/2022-01"), "ends before it begins"),
    (lambda: pairs_of("yesterday"), "is not a date"), (lambda: pairs_of(2024, country="KZA"), "no area"),
])  # fmt: skip
def test_pairs_that_cannot_be_asked_are_refused(ask, what):
    with pytest.raises(DataError, match=what):
        ask()


@pytest.mark.parametrize("top", [1, 0, -3, True, 2.5])
def test_a_table_of_fewer_than_two_areas_is_refused(top):
    with pytest.raises(DesignError, match="whole number from 2"):
        pairs_of(2024, top=top)
