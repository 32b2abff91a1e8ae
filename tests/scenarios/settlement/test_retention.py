"""Kaplan-Meier retention: the textbook's figures, lifelines' own, and silence past the last day watched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.records import spells
from qonys.scenarios.settlement.retention import retention
from qonys.scenarios.settlement.simulated_households import simulate_households

# Freireich et al. (1963), Blood 21(6), as printed in Cox (1972), JRSS B 34(2): weeks of remission; a minus is cut off there
TREATED = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def stays(*groups: list[int]) -> pd.DataFrame:
    rows = [(abs(time), time > 0, str(name)) for name, times in enumerate(groups) for time in times]
    found = pd.DataFrame(rows, columns=["days", "left", "group"]).astype({"days": float})
    return found.assign(household_id=range(len(found)), support=[()] * len(found))


def test_the_curve_of_freireich_is_that_of_the_textbooks():
    curve = retention(stays(TREATED)).curve.set_index("days")
    # Collett (2015), Modelling Survival Data, and Kalbfleisch and Prentice (1980), table 1.1
    expected = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {day: round(curve.loc[day, "share"], 3) for day in expected} == expected
    assert curve.loc[6, ["at_risk", "left"]].tolist() == [21, 3]


def test_the_log_rank_test_of_freireich_is_16_79():
    test = retention(stays(TREATED, PLACEBO), by="group", horizon_days=[10]).test.iloc[0]
    assert test["statistic"] == pytest.approx(16.79, abs=0.005)
    assert test["degrees"] == 1


def test_curve_intervals_test_and_mean_stay_are_those_of_lifelines():
    data = spells(simulate_households(300, seed=5).records)
    found = retention(data, by="housing", horizon_days=[400, 800], coverage=0.9)
    got = data["support"].map(lambda row: "housing" in row)
    for name, part in (("with", data[got]), ("without", data[~got])):
        fit = KaplanMeierFitter(alpha=0.1).fit(part["days"], part["left"])
        curve = found.curve[(found.curve["group"] == name) & (found.curve["left"].cumsum() > 0) & (found.curve["days"] > 0)]
        np.testing.assert_allclose(curve["share"], fit.survival_function_.loc[curve["days"]].iloc[:, 0])
        some = curve[curve["share"] < 1]
        np.testing.assert_allclose(some[["low", "high"]], fit.confidence_interval_.loc[some["days"]])
        at = found.at_horizon[found.at_horizon["group"] == name].set_index("horizon_days")["share"]
        np.testing.assert_allclose(at, fit.predict([400, 800]))
        mean = found.mean_stay[found.mean_stay["group"] == name].set_index("horizon_days")["days"]
        assert mean[800] == pytest.approx(restricted_mean_survival_time(fit, 800))
    other = logrank_test(data["days"][got], data["days"][~got], data["left"][got], data["left"][~got])
    assert found.test["p_value"].iloc[0] == pytest.approx(other.p_value)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=30))
def test_shares_fall_from_one_and_lie_within_their_intervals(rows):
    found = retention(stays([day if left else -day for day, left in rows]), horizon_days=[10, 30, 60])
    assert found.curve["share"].iloc[0] == 1
    assert (found.curve["share"].diff().dropna() <= 1e-12).all()
    known = found.curve.dropna()
    assert (known["low"] <= known["share"] + 1e-9).all()
    assert (known["share"] <= known["high"] + 1e-9).all()
    mean = found.mean_stay.dropna()
    assert (mean["days"] <= mean["horizon_days"]).all()


def test_without_censoring_retention_is_the_plain_share_and_the_mean_stay_a_mean():
    found = retention(stays([5, 10, 15, 20]), horizon_days=[12, 20])
    assert found.at_horizon["share"].iloc[0] == pytest.approx(0.5)
    assert found.mean_stay["days"].iloc[1] == pytest.approx(12.5)


def test_past_the_last_day_watched_there_is_no_figure():
    found = retention(stays([-30, 10, -50]), horizon_days=[40, 60])
    assert found.at_horizon["code"].tolist() == ["few_at_risk", "beyond_follow_up"]
    assert found.at_horizon["share"].isna().tolist() == [False, True]
    assert found.mean_stay["code"].tolist() == ["", "beyond_follow_up"]


def test_when_all_have_left_the_share_is_zero_for_good():
    found = retention(stays([5, 10]), horizon_days=[60])
    assert found.at_horizon[["share", "code"]].iloc[0].tolist() == [0, "all_left"]
    assert found.mean_stay["days"].iloc[0] == pytest.approx(7.5)


def test_where_nobody_of_twenty_left_the_bound_is_exact():
    row = retention(stays([-100] * 20), horizon_days=[90]).at_horizon.iloc[0]
    assert (row["share"], row["high"], row["code"]) == (1, 1, "nobody_left")
    assert row["low"] == pytest.approx(1 - 0.1684, abs=5e-5)  # Clopper and Pearson (1934): 0 of 20 -> at most 16.84 %


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"by": "ethnicity"}, "unlawful profiling"),
        ({"by": "grup"}, "did you mean 'group'"),
        ({"by": "household_id"}, "makes 63 groups"),
        ({"horizon_days": [30, 10]}, "no rising whole days"),
        ({"horizon_days": []}, "no rising whole days"),
        ({"horizon_days": [True]}, "no rising whole days"),
        ({"horizon_days": [1.5]}, "no rising whole days"),
        ({"coverage": 95}, "a coverage of 95 is none"),
        ({"coverage": True}, "a coverage of True is none"),
    ],
)
def test_what_cannot_be_answered_is_refused(wanted, sentence):
    with pytest.raises(DesignError, match=sentence):
        retention(stays(TREATED, PLACEBO, PLACEBO), **wanted)


def test_a_measure_that_began_after_the_move_is_not_compared_as_if_it_had_not():
    data = stays(TREATED)
    data["support"] = [("housing",)] * 5 + [()] * 16
    data["housing_from_days"] = [3.0] * 5 + [np.nan] * 16
    with pytest.raises(DesignError, match="housing began after the move for 5 stays"):
        retention(data, by="housing")
    with pytest.raises(DesignError, match="there is no stay"):
        retention(data.iloc[:0])
