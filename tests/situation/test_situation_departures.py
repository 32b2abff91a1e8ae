"""What is out of line: scores that do not hang on units, gaps with their reason, no verdict where a person must read."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.situation import out_of_line
from qonys.situation.departures import CUT, changes_of, modified_score

from .test_situation_figures import flow

QUIET = [100.0, 104.0, 98.0, 103.0, 99.0, 105.0, 97.0, 102.0, 101.0, 96.0, 103.0]
VALUES = st.lists(st.integers(1, 10_000), min_size=8, max_size=20)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A quiet last year, a jump, three years, six years, a level that never changes, two reports."""
    values = {"AUT": [*QUIET, 104.0], "BEL": [*QUIET, 300.0], "CZE": QUIET[:3], "DNK": QUIET[:6], "FIN": [100.0] * 12}
    rows = [("WORLD", code, 2010 + place, value, "a", "2022") for code, own in values.items() for place, value in enumerate(own)]
    rows += [("WORLD", "GRC", 2021, 1000.0, "a", "2022"), ("WORLD", "GRC", 2021, 1015.0, "b", "2021")]
    rows += [("WORLD", "GRC", 2010, 1.0, "a", "2022"), ("WORLD", "GRC", 2010, 2.0, "b", "2011")]
    return flow(tmp_path_factory.mktemp("flows") / "f.csv", rows)


def test_the_score_is_0_6745_times_the_distance_from_the_median_by_the_mad():
    score, middle, reach = modified_score(13.0, [2.0, 3.0, 4.0, 5.0, 6.0])
    assert (score, middle) == (pytest.approx(0.6745 * 9 / 1), 4.0)  # the distances from 4 are 0, 1, 1, 2, 2
    assert modified_score(middle + reach, [2.0, 3.0, 4.0, 5.0, 6.0])[0] == pytest.approx(CUT)


@given(VALUES, st.integers(2, 1000))
def test_the_score_of_a_flow_is_the_same_in_any_unit(values, factor):
    years = range(2000, 2000 + len(values))
    one, other = (changes_of(pd.Series(np.array(values) * times, index=years, dtype=float), signed=False) for times in (1, factor))
    assert np.allclose(one, other)
    score, _, _ = modified_score(one.iloc[-1], list(one.iloc[:-1]))
    assume(score is not None and abs(score) < 1e6)
    assert modified_score(other.iloc[-1], list(other.iloc[:-1]))[0] == pytest.approx(score, abs=1e-6)


@given(VALUES, st.integers(-10_000, 10_000))
def test_the_score_of_a_net_is_the_same_from_any_level(values, shift):
    years = range(2000, 2000 + len(values))
    one, other = (changes_of(pd.Series(np.array(values) + more, index=years, dtype=float), signed=True) for more in (0, shift))
    assert np.allclose(one, other)


def test_a_change_needs_the_three_years_before():
    changes = changes_of(pd.Series([1.0, 2.0, 3.0, 4.0, 8.0], index=[2000, 2001, 2002, 2003, 2005]), signed=True)
    assert changes.to_dict() == {2003: 2.0}
    assert changes_of(pd.Series([0.0, 0.0, 0.0, 4.0]), signed=False).empty


def test_a_jump_departs_and_an_ordinary_year_does_not(table):
    for area, last, departs in (("AUT", 104.0, False), ("BEL", 300.0, True)):
        (row,) = out_of_line(area, "2022-06-01", tables=(table,)).query("what == 'flow_change'").to_dict("records")
        assert row["departs"] == departs
        assert (row["low"] < row["value"] < row["high"]) != departs
        assert row["compared"] == 8
        assert row["value"] == pytest.approx(100 * (last / np.mean(QUIET[-3:]) - 1))


@pytest.mark.parametrize(
    ("area", "gap"), [("CZE", "no_three_years"), ("DNK", "too_few_years"), ("EST", "no_figures"), ("FIN", "no_spread")]
)
def test_too_little_of_a_past_is_a_gap_with_its_reason(table, area, gap):
    (row,) = out_of_line(area, "2022-06-01", tables=(table,)).query("what == 'flow_change'").to_dict("records")
    assert row["gap"] == gap
    assert pd.isna(row["departs"])
    assert pd.isna(row["score"])


def test_sources_that_disagree_by_more_than_asked_are_listed_with_both_rows(table):
    found = out_of_line("GRC", "2022-06-01", tables=(table,)).query("what == 'sources_disagree'")
    assert found[["code", "value", "against"]].values.tolist() == [["b", 1015.0, 1000.0]]
    assert found["score"].iloc[0] == pytest.approx(1.5)
    assert len(found["inputs"].iloc[0]) == 2
    assert out_of_line("GRC", "2022-06-01", disagreement=2.0, tables=(table,)).query("what == 'sources_disagree'").empty


def test_pairs_of_measures_are_candidates_and_no_verdict():
    found = out_of_line("KAZ", "2020-05-15").query("what == 'measures_conflict'")
    assert len(found)
    assert found["departs"].isna().all()
    assert set(found["certainty"]) <= {"certain", "possible"}
    assert all(len(code.split()) == 2 for code in found["code"])


def test_portfolios_are_compared_with_peers_only_while_the_registers_look():
    early, late = (out_of_line("DEU", day).query("what == 'portfolio'").iloc[0] for day in ("2020-04-15", "2024-01-15"))
    assert early["code"] == "EU"
    assert early["compared"] == 26
    assert 0 <= early["value"] <= 100
    assert late["gap"] == "after_register"
    assert pd.isna(late["score"])
    assert out_of_line("KZ-75", "2020-04-15").query("what == 'portfolio'")["gap"].tolist() == ["no_peers"]
    assert out_of_line("DEU", "2020-04-15").query("what == 'entry_rules'")["gap"].tolist() == ["no_entry_rules"]


@pytest.mark.parametrize("wrong", [-1, True, float("nan"), "1"])
def test_a_disagreement_that_is_no_percent_is_refused(wrong):
    with pytest.raises(DataError, match="disagreement"):
        out_of_line("KAZ", "2020-05-15", disagreement=wrong)
