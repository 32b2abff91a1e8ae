"""Household records become stays; a fault names household and row."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.scenarios.settlement.records import spells
from qonys.scenarios.settlement.simulated_households import simulate_households


def record(**fields) -> dict:
    return {"household_id": "A", "moved_on": "2020-01-01", "left_on": None, "observed_until": "2021-01-01", "support": ""} | fields


def table(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame([record(**row) for row in rows])


def test_a_stay_lasts_to_leaving_or_to_the_last_day_known():
    found = spells(table({"left_on": "2020-03-01", "observed_until": None}, {"household_id": "B"}))
    assert found["days"].tolist() == [60, 366]
    assert found["left"].tolist() == [True, False]


def test_a_household_that_comes_back_has_two_stays_in_order():
    found = spells(
        table(
            {"moved_on": "2021-05-01", "observed_until": "2021-05-11"},
            {"left_on": "2020-02-01", "observed_until": None},
            {"household_id": "B"},
        )
    )
    assert list(zip(found["household_id"], found["stay"], found["days"], strict=True)) == [("A", 1, 31), ("A", 2, 10), ("B", 1, 366)]


@pytest.mark.parametrize(
    "given_as",
    [
        ["rent_cover", "housing"],
        "rent_cover;housing",
        "housing, rent_cover",
        " rent_cover housing ",
        "[housing;rent_cover]",
        np.array(["housing", "rent_cover"]),
    ],
)
def test_support_is_the_same_however_the_list_is_written(given_as):
    assert spells(table({"support": given_as}))["support"].iloc[0] == ("housing", "rent_cover")


@pytest.mark.parametrize("empty", [None, "", float("nan"), [], pd.NA])
def test_no_support_is_an_empty_list(empty):
    assert spells(table({"support": empty}))["support"].iloc[0] == ()


@pytest.mark.parametrize("kind", [str, date.fromisoformat, pd.Timestamp, np.datetime64])
def test_days_may_be_text_or_days(kind):
    found = spells(pd.DataFrame([record(moved_on=kind("2020-01-01"), observed_until=kind("2020-01-31"))]))
    assert found["days"].iloc[0] == 30


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(8)))
def test_the_order_of_rows_is_of_no_account(order):
    records = simulate_households(8, seed=3).records
    one, other = (spells(rows).reset_index(drop=True) for rows in (records, records.iloc[order]))
    pd.testing.assert_frame_equal(one, other)


def test_support_that_begins_later_is_counted_from_the_move_and_not_before_it_begins():
    rows = table(
        {"support": "rent_cover", "rent_cover_from": "2020-01-31"},
        {"household_id": "B", "support": "rent_cover", "rent_cover_from": "2019-12-01"},
        {"household_id": "C", "support": "rent_cover", "rent_cover_from": "2022-01-01"},
        {"household_id": "D", "rent_cover_from": None},
    )
    assert spells(rows)["rent_cover_from_days"].tolist() == pytest.approx([30, 0, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"moved_on": None}], "'A', row 1: has no moved_on"),
        ([{"observed_until": None}], "'A', row 1: has neither left_on nor observed_until"),
        ([{}, {"household_id": "B", "left_on": "2019-12-31", "observed_until": ""}], "'B', row 2: left before it moved in"),
        ([{"observed_until": "2019-01-01"}], "was last seen before it moved in"),
        ([{"left_on": "2020-06-01"}], "was seen there after it left; .* not the day of the extract"),
        ([{"moved_on": "1020-01-01"}], "moved_on = '1020-01-01' is no day"),
        ([{"moved_on": "1820-01-01"}], "more than a hundred years"),
        ([{"moved_on": "01.02.2020"}], "moved_on = '01.02.2020' is no day; write year, month and day"),
        ([{"moved_on": 43831}], "moved_on = '43831' is no day"),
        ([{"moved_on": True}], "moved_on = 'True' is no day"),
        ([{"household_id": None}], "has no household_id"),
        ([{}, {}], "row 2: stands twice with the same moved_on"),
        ([{"left_on": "2020-06-01", "observed_until": None}, {"moved_on": "2020-05-01"}], "row 2: came again before it had left"),
        ([{}, {"moved_on": "2022-05-01", "observed_until": "2022-06-01"}], "came again before it had left; give left_on"),
        ([{"support": "rent_covr"}], "got 'rent_covr', which is no known support; did you mean 'rent_cover'"),
        ([{"support": 5}], "support is no list of codes"),
        ([{"support": "housing", "housing_from": None}], "got housing but has no housing_from"),
        ([{"housing_from": "2020-01-01"}], "has housing_from but did not get housing"),
        (
            [{"support": "housing", "housing_from": "2020-05-01", "left_on": "2020-03-01", "observed_until": None}],
            "from a day after it left",
        ),
        ([{"hosing_from": "2020-01-01"}], "hosing_from begins no known support; did you mean 'housing_from'"),
        ([{"days": 3}], "a column days, which is made from the days here"),
        (
            [{"left_on": "2019-01-01", "observed_until": None}, {"household_id": "B", "left_on": "2019-01-01", "observed_until": None}],
            r"and 1 more",
        ),
    ],
)
def test_a_fault_names_household_and_row(rows, sentence):
    with pytest.raises(DataError, match=sentence):
        spells(table(*rows))


def test_an_empty_table_and_a_missing_column_are_refused():
    with pytest.raises(DataError, match="there is no household record"):
        spells(table({}).iloc[:0])
    with pytest.raises(DataError, match="have no column moved_on; did you mean 'moved'"):
        spells(table({}).rename(columns={"moved_on": "moved"}))
