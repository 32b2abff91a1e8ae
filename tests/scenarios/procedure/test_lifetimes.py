"""Censored durations: as lifelines has them, true to what was simulated, silent where the log does not tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.scenarios.procedure.lifetimes import estimate, fit, kaplan_meier, sample, time_by_which

from .logs import drawn

FAMILIES = ("gamma", "lognormal", "weibull", "exponential")


def censored(family: str, number: int, seed: int, *, mean: float = 20.0, longest: float = 65.0):
    """About 30 % are still open: cases begin evenly over `longest` days before the cut."""
    rng = np.random.default_rng(seed)
    true, limit = drawn(rng, family, mean, number), rng.uniform(0, longest, number)
    return np.minimum(true, limit), true <= limit


def alone(days, finished, **more):
    return estimate(days, finished, np.arange(len(days)), coverage=0.95, **more)


def test_the_families_are_those_of_lifelines_to_four_digits():
    from lifelines import ExponentialFitter, LogNormalFitter, WeibullFitter

    days, finished = censored("gamma", 400, 3)
    one = sample(days, finished)
    weibull, lognormal, exponential = (fitter().fit(days, finished) for fitter in (WeibullFitter, LogNormalFitter, ExponentialFitter))
    found = {name: fit(one, name) for name in FAMILIES}
    assert np.exp(found["weibull"].theta) == pytest.approx([weibull.lambda_, weibull.rho_], rel=1e-4)
    assert found["lognormal"].theta[0] == pytest.approx(lognormal.mu_, rel=1e-4)
    assert np.exp(found["lognormal"].theta[1]) == pytest.approx(lognormal.sigma_, rel=1e-4)
    assert np.exp(found["exponential"].theta[0]) == pytest.approx(exponential.lambda_, rel=1e-4)
    for name, other in (("weibull", weibull), ("lognormal", lognormal), ("exponential", exponential)):
        assert found[name].aic == pytest.approx(other.AIC_, rel=1e-6)
        assert found[name].share_left(np.array([5.0, 30.0])) == pytest.approx(
            other.survival_function_at_times([5, 30]).to_numpy(), rel=1e-3
        )


def test_the_gamma_family_is_that_of_scipy_to_four_digits():
    from scipy import stats

    days, finished = censored("gamma", 300, 5)
    data = stats.CensoredData(uncensored=days[finished], right=days[~finished])
    shape, _, scale = stats.gamma.fit(data, floc=0)
    found = fit(sample(days, finished), "gamma")
    assert np.exp(found.theta[1]) == pytest.approx(shape, rel=1e-3)
    assert np.exp(found.log_mean) == pytest.approx(shape * scale, rel=1e-4)


@given(st.integers(0, 1000), st.booleans())
def test_the_curve_and_its_interval_are_those_of_lifelines(seed, whole_days):
    from lifelines import KaplanMeierFitter

    days, finished = censored("weibull", 60, seed)
    days = np.ceil(days) if whole_days else days
    mine = kaplan_meier(sample(days, finished), coverage=0.9)
    theirs = KaplanMeierFitter(alpha=0.1).fit(days, finished)
    assert mine["share_open"].to_numpy() == pytest.approx(theirs.survival_function_at_times(mine["days"]).to_numpy())
    inside = (mine["share_open"] > 0) & (mine["share_open"] < 1)
    bounds = theirs.confidence_interval_.loc[mine["days"][inside]].to_numpy()
    assert mine.loc[inside, ["low", "high"]].to_numpy() == pytest.approx(bounds, rel=1e-6)
    assert ((mine["low"] <= mine["share_open"] + 1e-12) & (mine["share_open"] <= mine["high"] + 1e-12)).all()


def test_with_all_finished_the_curve_is_the_share_that_lasted_longer_and_its_area_the_mean():
    days = np.array([1.0, 2.0, 2.0, 5.0, 9.0, 3.0, 4.0, 6.0, 7.0, 8.0, 8.5, 2.5])
    found = alone(days, np.ones(12, bool))
    assert found.curve["share_open"].to_numpy() == pytest.approx([np.mean(days > one) for one in found.curve["days"]])
    assert found.row["least_mean"] == pytest.approx(days.mean())
    assert found.row["naive_mean"] == pytest.approx(days.mean())
    assert (found.row["median"], time_by_which(found.curve, 1.0)) == (4.0, 9.0)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_the_interval_of_the_mean_holds_the_truth_as_often_as_it_says_with_a_third_open(family):
    found = [alone(*censored(family, 150, seed)).row for seed in range(100)]
    held = np.mean([one["low"] <= 20 <= one["high"] for one in found])
    assert 0.88 <= held <= 1  # 0.95 and three standard errors of a hundred tries
    assert np.mean([one["mean"] for one in found]) == pytest.approx(20, rel=0.06)
    assert np.mean([one["naive_mean"] for one in found]) < 17


def test_the_mean_of_the_finished_alone_is_too_short_and_the_area_under_the_curve_no_more_than_the_mean():
    row = alone(*censored("lognormal", 3000, 1)).row
    assert row["low"] <= 20 <= row["high"]
    assert row["naive_mean"] < 17
    assert row["naive_off"] == pytest.approx(row["naive_mean"] / row["mean"] - 1)
    assert row["naive_mean"] < row["least_mean"] < 1.02 * row["mean"]
    assert row["distribution"] == "lognormal"
    assert row["gap"] < 0.05
    assert row["why"] is None


@settings(max_examples=8)
@given(st.integers(0, 50), st.floats(1e-3, 1e3))
def test_the_unit_of_time_is_of_no_account(seed, factor):
    days, finished = censored("gamma", 80, seed)
    one, other = alone(days, finished).row, alone(days * factor, finished).row
    assert one["distribution"] == other["distribution"]
    for name in ("mean", "low", "high", "median", "naive_mean", "least_mean"):
        assert other[name] == pytest.approx(factor * one[name], rel=1e-3, nan_ok=True)
    assert other["cv"] == pytest.approx(one["cv"], rel=1e-3)


def test_many_durations_on_the_grid_have_the_mean_that_each_alone_has():
    days, finished = censored("gamma", 8_000, 2)
    coarse, fine = (fit(sample(days, finished, most=most), "gamma") for most in (1000, 8_000))
    assert len(sample(days, finished).points) <= 1000
    assert coarse.log_mean == pytest.approx(fine.log_mean, abs=2e-5)
    assert coarse.cv == pytest.approx(fine.cv, rel=1e-4)


def test_durations_of_zero_have_a_share_of_their_own():
    rng = np.random.default_rng(4)
    days = np.where(rng.random(2000) < 0.25, 0.0, rng.gamma(2.0, 5.0, 2000))
    row = alone(days, np.ones(2000, bool)).row
    assert row["zero_share"] == pytest.approx(np.mean(days == 0))
    assert row["mean"] == pytest.approx(days.mean(), rel=0.01)
    assert row["cv"] == pytest.approx(days.std() / days.mean(), rel=0.05)
    assert row["low"] <= 7.5 <= row["high"]


def test_repeats_within_a_block_are_no_independent_evidence():
    days, finished = censored("gamma", 200, 6)
    once = alone(days, finished).row
    fourfold = estimate(np.tile(days, 4), np.tile(finished, 4), np.tile(np.arange(200), 4), coverage=0.95)
    taken_apart = alone(np.tile(days, 4), np.tile(finished, 4)).row
    width = [np.log(row["high"] / row["low"]) for row in (once, fourfold.row, taken_apart)]
    assert width[1] == pytest.approx(width[0], rel=0.05)
    assert width[2] == pytest.approx(width[0] / 2, rel=0.1)


def test_blocks_that_differ_widen_the_curve_and_blocks_that_do_not_leave_it():
    rng = np.random.default_rng(8)
    block = np.repeat(np.arange(30), 40)
    alike, apart = rng.exponential(10, 1200), rng.exponential(10, 1200) * np.exp(rng.normal(0, 1, 30))[block]
    widths = {}
    for name, days in (("alike", alike), ("apart", apart)):
        one = sample(days, np.ones(1200, bool))
        for kind, given_ in (("none", None), ("blocks", block)):
            curve = kaplan_meier(one, coverage=0.95, block=given_)
            middle = (curve["share_open"] > 0.3) & (curve["share_open"] < 0.7)
            widths[name, kind] = float((curve["high"] - curve["low"])[middle].mean())
    assert widths["alike", "blocks"] < 1.6 * widths["alike", "none"]
    assert widths["apart", "blocks"] > 3 * widths["apart", "none"]


@pytest.mark.parametrize(
    ("days", "finished", "why"),
    [
        ([1.0, 2.0, 3.0], [True] * 3, "few_finished"),
        (list(range(1, 41)), [True] * 15 + [False] * 25, "mostly_unfinished"),
        ([2.0] * 20 + [5.0], [True] * 20 + [False], "no_spread"),
        ([0.0] * 10 + [2.0] * 10, [True] * 20, "no_spread"),
        ([0.0] * 20 + [1.0, 2.0, 3.0], [True] * 23, "few_finished"),
    ],
)
def test_where_the_mean_is_not_determined_there_is_none_and_a_code_says_why(days, finished, why):
    row = alone(np.array(days, float), np.array(finished)).row
    assert row["why"] == why
    assert np.isnan([row["mean"], row["low"], row["high"], row["cv"]]).all()


def test_equal_durations_are_a_constant():
    row = alone(np.array([3.0] * 15 + [1.0]), np.array([True] * 15 + [False])).row
    assert (row["distribution"], row["mean"], row["low"], row["high"], row["cv"]) == ("constant", 3.0, 3.0, 3.0, 0.0)
    nothing = alone(np.zeros(12), np.ones(12, bool)).row
    assert (nothing["distribution"], nothing["mean"]) == ("constant", 0.0)


def test_two_heaps_of_durations_are_said_to_fit_badly():
    rng = np.random.default_rng(9)
    days = np.concatenate([rng.normal(2, 0.1, 500), rng.normal(60, 1, 500)])
    row = alone(days, np.ones(1000, bool)).row
    assert row["why"] == "poor_fit"
    assert row["gap"] > 0.1
    assert row["least_mean"] == pytest.approx(days.mean())
