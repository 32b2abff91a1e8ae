"""The backtest: on simulated borders with a closure in the middle, intervals made as of their time hold what came out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from simulated_border import CLOSED, START, border

from qonys.border.residence import rule
from qonys.border.revisions import TRIANGLE, history, triangle, window_months
from qonys.border.unfinished import records
from qonys.core.errors import DesignError

RULE = rule("12/16")
END = date(2019, 3, 31)  # so late that what was forecast a year after the closure is known


def month(day: date) -> int:
    return (day.year - 1970) * 12 + day.month - 1


@pytest.fixture(scope="module")
def revised():
    all_ = records(border(people=20_000, seed=16, end=END), end=END, rule_=RULE)
    past, _chances, _ran = history(all_)
    return triangle(past, window=window_months(RULE))


@pytest.mark.slow
def test_intervals_of_95_percent_hold_the_final_value_in_90_to_97_percent_of_months(revised):
    settled = revised[revised["covered"].notna() & (revised["months_since"] < window_months(RULE))]
    assert settled["vintage"].min() <= month(CLOSED[0]) - 12
    assert settled["vintage"].max() > month(CLOSED[1]) + 12
    assert 0.90 <= settled["covered"].mean() <= 0.97
    # what only chance would ask for holds less, and most of all where the border is closed
    assert settled["model_covered"].mean() < settled["covered"].mean() - 0.03
    shut = settled[(settled["vintage"] >= month(CLOSED[0])) & (settled["vintage"] < month(CLOSED[1]))]
    assert shut["model_covered"].mean() < shut["covered"].mean() - 0.05
    before = settled[settled["vintage"] < month(CLOSED[0]) - 12]
    assert before["covered"].mean() >= 0.9
    width, chance = (before[high] - before[low] for high, low in (("high", "low"), ("model_high", "model_low")))
    assert width.mean() < 3 * chance.mean()
    wide = shut["high"] - shut["low"]
    assert wide.mean() > 2 * width.mean()


@pytest.mark.slow
def test_the_triangle_holds_together(revised):
    assert list(revised.columns) == list(TRIANGLE)
    assert not revised.duplicated(["vintage", "month", "exit"]).any()
    assert (revised["low"] >= revised["known"]).all()
    assert (revised["high"] <= revised["known"] + revised["undecided"]).all()
    final = revised["final"].dropna()
    assert (final >= revised.loc[final.index, "known"]).all()
    assert (final <= revised.loc[final.index, "known"] + revised.loc[final.index, "undecided"]).all()
    # one month has one final value, whenever it was forecast
    assert (revised.dropna(subset=["final"]).groupby(["month", "exit"])["final"].nunique() == 1).all()
    # forecasts get better
    settled = revised.dropna(subset=["final"])
    error = (settled["value"] - settled["final"]).abs().groupby(settled["months_since"]).mean()
    assert error.loc[12] < error.loc[0]


@pytest.mark.slow
def test_what_a_vintage_says_does_not_hang_on_what_came_later():
    stop, end = date(2016, 6, 30), date(2017, 6, 30)
    crossings = border(people=1_500, seed=3, end=end)
    whole, _c, _r = history(records(crossings, end=end, rule_=RULE))
    cut = crossings.filter(pc.less(crossings["at"], pa.scalar(np.datetime64(stop + timedelta(days=1), "us").item(), crossings["at"].type)))
    early, _c, _r = history(records(cut, end=stop, rule_=RULE))
    keys = ["vintage", "month", "exit", "method"]
    both = early.frame.merge(whole.frame, on=keys, suffixes=("", "_later"))
    assert len(both) == len(early.frame) > 0
    assert (both["undecided"] == both["undecided_later"]).all()
    assert (both["known"] == both["known_later"]).all()
    same = both["final"].notna()
    assert (both.loc[same, "final"] == both.loc[same, "final_later"]).all()
    # lessons are drawn at random, and of them only those with a known outcome: the chances agree, but not to the last digit
    naive = both["method"] == "naive"
    assert np.allclose(both.loc[naive, "expected"], both.loc[naive, "expected_later"], rtol=0.05, atol=1.0)


def test_records_too_short_for_a_record_of_forecasts_are_refused_with_how_many_months_it_takes():
    crossings = border(people=300, seed=1, end=END)
    stop = date(START.year + 3, 12, 31)
    short = crossings.filter(pc.less(crossings["at"], pa.scalar(np.datetime64(stop, "us").item(), crossings["at"].type)))
    with pytest.raises(DesignError, match="too few to learn from") as refused:
        history(records(short, end=stop, rule_=RULE))
    assert "months or more" in refused.value.mend
