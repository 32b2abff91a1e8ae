"""Rows that can be used and rows that cannot, the cut at a day, and days by the calendar and by the working day."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError, DesignError
from qonys.scenarios.procedure.spans import Clock, clean, clocks, cut, last_moment, moment, spans

from .logs import three_steps


def events(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["case_id", "step", "agency", "ready_at", "started_at", "finished_at"])


GOOD = ("a", "check", "office", "2021-01-01", "2021-01-02T12:00:00+06:00", "2021-01-05T00:00:00Z")


def test_moments_are_brought_to_utc_and_texts_are_trimmed():
    rows, faults = clean(events((" a", "check ", "office", *GOOD[3:])))
    assert faults.empty
    assert rows.loc[0, ["case_id", "step"]].tolist() == ["a", "check"]
    assert rows.loc[0, "started_at"] == pd.Timestamp("2021-01-02 06:00")
    other, _ = clean(
        pd.DataFrame({"case_id": [7], "step": ["x"], "agency": ["y"], "ready_at": [pd.Timestamp("2021-01-01", tz="Asia/Almaty")]})
    )
    assert other.loc[0, "ready_at"] == pd.Timestamp("2020-12-31 18:00")
    assert other.loc[0, "case_id"] == "7"


@pytest.mark.parametrize(
    ("place", "value", "fault", "words"),
    [
        (3, "2021-01-03", "backwards", "row 3, column started_at: comes before ready_at"),
        (5, "2021-01-02", "backwards", "row 3, column finished_at: comes before started_at"),
        (3, None, "missing", "row 3, column ready_at: is empty"),
        (1, "  ", "missing", "row 3, column step: is empty"),
        (4, "soon", "not_an_instant", "row 3, column started_at: is no moment"),
        (5, 44197, "not_an_instant", "row 3, column finished_at: is no moment"),
        (5, "9999-12-31", "not_an_instant", "row 3, column finished_at"),
        (5, "2250-01-01", "out_of_range", "row 3, column finished_at: lies outside 1900 to 2199"),
        (0, "a", "repeated", "row 3, column case_id: the same step of the same case"),
    ],
)
def test_a_wrong_row_is_named_and_the_good_one_kept(place, value, fault, words):
    wrong = ["b", *GOOD[1:]]
    wrong[place] = value
    rows, faults = clean(events(GOOD, wrong))
    assert rows["row"].tolist() == [2]
    assert faults.iloc[0][["row", "fault"]].tolist() == [3, fault]
    assert faults.iloc[0]["what"].startswith(words)


def test_tables_that_are_no_log_are_refused():
    with pytest.raises(DataError, match="has no column 'agency', 'ready_at'"):
        clean(pd.DataFrame({"case_id": ["a"], "step": ["b"]}))
    with pytest.raises(DataError, match="has no rows"):
        clean(events())
    with pytest.raises(DataError, match=r"no row of the log can be used: row 2, column ready_at"):
        clean(events(("a", "b", "c", None, None, None)))


def test_what_had_not_happened_by_the_cut_is_open():
    rows, _ = clean(
        events(GOOD, ("b", "check", "office", "2021-01-04", "2021-01-06", "2021-01-09"), ("c", "check", "office", "2021-02-01", None, None))
    )
    known = cut(rows, moment("2021-01-05"), withdrawn=())
    assert known["case_id"].tolist() == ["a", "b"]
    assert known["started_at"].isna().tolist() == [False, True]
    assert known["finished_at"].isna().tolist() == [False, True]
    parts = spans(known, moment("2021-01-05"), Clock())
    assert parts["waiting"][["days", "finished"]].to_numpy().tolist() == [[1.25, True], [1.0, False]]
    assert parts["handling"]["days"].tolist() == [2.75]
    assert parts["whole"]["finished"].tolist() == [True, False]
    with pytest.raises(DesignError, match="no step was ready by 2020"):
        cut(rows, moment(date(2020, 1, 1)), withdrawn=())


def test_a_step_that_is_withdrawn_has_lasted_at_least_so_long():
    rows, _ = clean(events(GOOD, ("b", "check", "office", "2021-01-01", None, "2021-01-04")).assign(outcome=["done", "withdrawn"]))
    parts = spans(cut(rows, moment("2021-02-01"), withdrawn=("withdrawn",)), moment("2021-02-01"), Clock())
    assert parts["waiting"][["days", "finished"]].to_numpy().tolist() == [[1.25, True], [3.0, False]]
    assert parts["whole"]["finished"].tolist() == [True, False]


def test_without_starts_there_is_no_waiting_to_tell():
    rows, _ = clean(three_steps(20, starts=False))
    parts = spans(cut(rows, moment("2020-06-01"), withdrawn=()), moment("2020-06-01"), Clock())
    assert parts["waiting"].empty
    assert parts["handling"].empty
    assert len(parts["whole"]) > 20


def test_a_lone_last_moment_is_no_end_of_the_log():
    rows, _ = clean(events(GOOD, ("b", "check", "office", "2021-01-01", None, "2091-01-04")))
    with pytest.raises(DesignError, match="2091-01-04, is 25566 days after the one before"):
        last_moment(rows)
    assert last_moment(clean(events(GOOD))[0]) == pd.Timestamp("2021-01-05")


WEEKENDS = [day for day in pd.date_range("2020-12-01", "2021-03-31") if day.weekday() >= 5]


def test_working_days_leave_out_weekends_in_the_zone_of_the_office():
    _, working = clocks(WEEKENDS, "UTC")
    friday, monday = pd.Series(pd.to_datetime(["2021-01-08 12:00"])), pd.Series(pd.to_datetime(["2021-01-11 12:00"]))
    assert (working.reading(monday) - working.reading(friday)).tolist() == [1.0]
    _, almaty = clocks(WEEKENDS, "Asia/Almaty")  # six hours ahead: there it is Friday 18:00, and midnight comes at 18:00 UTC
    evening = pd.Series(pd.to_datetime(["2021-01-08 18:00", "2021-01-10 18:00"]))
    assert almaty.reading(evening)[0] == almaty.reading(evening)[1]
    assert np.isnan(working.reading(pd.Series([pd.NaT]))).all()


@given(st.lists(st.integers(0, 100 * 86_400), min_size=2, max_size=20))
def test_the_clock_of_working_days_never_runs_back_nor_faster_than_the_calendar(seconds):
    moments = pd.Series(np.datetime64("2020-12-10", "us") + np.sort(seconds).astype("timedelta64[s]"))
    calendar, working = clocks(WEEKENDS, "UTC")
    passed, worked = (np.diff(clock.reading(moments)) for clock in (calendar, working))
    assert (worked >= -1e-9).all()
    assert (worked <= passed + 1e-9).all()


@pytest.mark.parametrize("as_of", [True, 20210630, "last week", float("nan"), pd.NaT, [1], "2021-02-30"])
def test_what_is_no_moment_is_refused(as_of):
    with pytest.raises(DesignError, match="as_of"):
        moment(as_of)


@pytest.mark.parametrize(
    ("closed", "zone", "words"),
    [(None, "Almaty", "no time zone"), ([], "UTC", "no days"), ([5], "UTC", "no day"), (["x"], "UTC", "no day")],
)
def test_what_is_no_zone_or_no_day_is_refused(closed, zone, words):
    with pytest.raises(DesignError, match=words):
        clocks(closed, zone)
