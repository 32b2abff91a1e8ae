"""Measures of dispersion, trend and breaks: textbook values, laws of each measure, coverage on simulated panels, gaps and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qonys.convergence.breaks import breaks
from qonys.convergence.dispersion import dispersion, rescaled, trend
from qonys.convergence.panel import FEWEST_AREAS, wide_of
from qonys.core.errors import DesignError

MEASURES = ("sd", "cv", "iqr", "gini", "ordinal")


def panel(values, first: int = 1) -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    areas, periods = values.shape
    return pd.DataFrame(
        {"area": np.repeat([f"a{place:02d}" for place in range(areas)], periods), "period": np.tile([f"2020-{first + place:03d}" for place in range(periods)], areas),
         "value": values.ravel()}
    ).dropna()  # fmt: skip


def one(column, measure, **more) -> float:
    return float(dispersion(panel(np.asarray(column, dtype=float)[:, None]), measure, draws=10, **more).by_period["value"].item())


def test_textbook_values():
    values = [1, 2, 3, 4, 5, 6, 7, 8]
    assert one(values, "sd") == pytest.approx(np.std(values, ddof=1))
    assert one(values, "cv") == pytest.approx(np.std(values, ddof=1) / 4.5)
    assert one(values, "iqr") == pytest.approx(stats.iqr(values))
    assert one(values, "gini") == pytest.approx(np.abs(np.subtract.outer(values, values)).mean() / (2 * 4.5))
    # Leik (1966): alike, spread evenly over five codes, half at each end
    assert one([3] * 9 + [1], "ordinal") > one([3] * 10, "ordinal") == 0
    assert one([1, 2, 3, 4, 5] * 2, "ordinal") == pytest.approx(2 * (0.2 + 0.4 + 0.4 + 0.2) / 4)
    assert one([0] * 5 + [4] * 5, "ordinal") == 1


@given(st.lists(st.integers(0, 9), min_size=FEWEST_AREAS, max_size=12), st.integers(1, 50))
def test_adding_a_constant_to_all_leaves_sigma_and_quartiles_and_multiplying_leaves_cv_and_gini(values, constant):
    values = np.array(values, float)
    for measure in ("sd", "iqr", "ordinal"):
        assert one(values + constant, measure) == pytest.approx(one(values, measure), abs=1e-9)
    if values.any():
        for measure in ("cv", "gini"):
            assert one(values * constant, measure) == pytest.approx(one(values, measure), abs=1e-9)


@given(st.lists(st.integers(1, 9), min_size=FEWEST_AREAS, max_size=9), st.randoms())
def test_the_order_of_the_areas_is_of_no_account_and_a_weight_of_two_is_an_area_twice(values, random):
    mixed = random.sample(values, len(values))
    weights = {f"a{place:02d}": 1.0 + (place == 0) for place in range(len(values))}
    for measure in MEASURES:
        assert one(values, measure) == pytest.approx(one(mixed, measure))
        assert one(values, measure, weights=dict.fromkeys(weights, 3.0)) == pytest.approx(one(values, measure))
    for measure in ("gini", "ordinal"):
        assert one(values, measure, weights=weights) == pytest.approx(one([values[0], *values], measure))


def test_periods_in_which_all_are_alike_have_no_dispersion_and_few_areas_have_no_value():
    values = np.array([[2.0] * 3, [2.0] * 3, [2.0] * 3, [2.0, 5, np.nan], [2.0, 9, np.nan], [2.0, 1, np.nan]])
    for measure in MEASURES:
        found = dispersion(panel(values), measure, draws=50)
        assert found.by_period["value"].iloc[0] == 0
        assert found.by_period["value"].iloc[1] > 0
        assert found.by_period[["value", "low", "high"]].iloc[2].isna().all()
        assert found.left_out.to_dict("records") == [{"what": "2020-003", "why": "fewer than 5 areas have a value"}]


def test_late_entrants_and_gaps_count_where_they_are():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(12, 6))
    values[10:, :3] = np.nan
    found = dispersion(panel(values), draws=20).by_period
    assert found["areas"].tolist() == [10, 10, 10, 12, 12, 12]
    assert found["value"].iloc[0] == pytest.approx(values[:10, 0].std(ddof=1))


def test_bands_hold_the_dispersion_of_the_many_the_areas_were_drawn_from():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(120):
        found = dispersion(panel(rng.normal(0, 2, (40, 1))), draws=300).by_period
        held += found["low"].item() <= 2 <= found["high"].item()
    assert 0.85 <= held / 120 <= 0.99


def test_the_same_seed_gives_the_same_band():
    table = panel(np.random.default_rng(3).normal(size=(9, 5)))
    pd.testing.assert_frame_equal(
        dispersion(table, draws=60).by_period, dispersion(table.sample(frac=1, random_state=1), draws=60).by_period
    )


# Bounded scales


def test_on_the_logit_scale_a_point_at_the_end_is_worth_more_than_one_in_the_middle():
    near, middle = [95.0, 96, 97, 98, 99], [48.0, 49, 50, 51, 52]
    assert one(near, "sd", scale="logit") > 3 * one(middle, "sd", scale="logit")
    assert np.isfinite(one([0.0, 0, 0, 100, 100], "sd", scale="logit"))
    with pytest.raises(DesignError, match="outside of 0 to 100"):
        one([101.0, 2, 3, 4, 5], "sd", scale="logit")


def test_ranks_are_between_zero_and_one_and_know_no_distance():
    wide = wide_of(panel([[1, 10.0], [2, 20], [500, 30], [4, np.nan], [5, 50]]))
    ranked = rescaled(wide, "rank", (0, 100))
    assert ranked.max(axis=None) < 1
    assert ranked.min(axis=None) > 0
    assert rescaled(np.exp(wide / 100), "rank", (0, 100)).equals(ranked)


# Trend and breaks


def level_shift(seed: int, jump: float = 3.0, areas: int = 30, periods: int = 36, at: int = 15) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(areas, 1))
    scale = np.where(np.arange(periods) < at, 1.0, jump)
    return panel(own * scale + rng.normal(0, 0.15, (areas, periods)))


def test_a_trend_is_found_with_its_sign_and_none_where_there_is_none():
    rng = np.random.default_rng(4)
    own = rng.normal(size=(25, 1))
    up = dispersion(panel(own * (1 + 0.05 * np.arange(24)) + rng.normal(0, 0.05, (25, 24))), draws=200)
    slope, low, high, share = trend(up)
    assert low < slope < high
    assert low > 0
    assert share == 1
    flat = trend(dispersion(panel(own + rng.normal(0, 0.3, (25, 24))), draws=200))
    assert flat[1] < 0 < flat[2]


def test_the_date_of_a_break_is_found_and_its_interval_holds_it():
    found = breaks(dispersion(level_shift(5), draws=200))
    assert found.dates["period"].tolist() == ["2020-016"]
    row = found.dates.iloc[0]
    assert row["low"] <= "2020-016" <= row["high"]
    assert row["share"] > 0.9
    assert row["before"] < row["after"]
    assert found.phases["first"].tolist() == ["2020-001", "2020-016"]
    assert found.phases["last"].tolist() == ["2020-015", "2020-036"]


def test_series_without_a_break_have_none_nineteen_times_in_twenty():
    wrong = sum(len(breaks(dispersion(level_shift(seed, jump=1.0), draws=10)).dates) > 0 for seed in range(60))
    assert wrong <= 5


def test_there_and_back_are_two_breaks():
    rng = np.random.default_rng(6)
    scale = np.repeat([1.0, 4.0, 1.0], 12)
    found = breaks(dispersion(panel(rng.normal(size=(27, 1)) * scale + rng.normal(0, 0.1, (27, 36))), draws=50))
    assert found.dates["period"].tolist() == ["2020-013", "2020-025"]


def test_a_series_that_never_changes_has_no_break_and_a_gap_is_named():
    values = np.tile(np.arange(6.0)[:, None], (1, 12))
    values[2:, 4] = np.nan
    found = breaks(dispersion(panel(values), draws=20))
    assert found.dates.empty
    assert found.gaps == ("2020-005",)


# Refusals


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"measure": "theil"}, "no measure of dispersion 'theil'"), ({"measure": "cv", "values": [[-1.0], [2], [3], [4], [5]]}, "not below zero"),
        ({"measure": "ordinal", "values": [[0.5], [2], [3], [4], [5]]}, "whole codes"), ({"weights": {"a00": 1.0}}, "a01 has no weight"),
        ({"scale": "log"}, "no scale 'log'"),
    ],
)  # fmt: skip
def test_what_has_no_dispersion_is_refused(given, said):
    values = given.pop("values", [[1.0], [2], [3], [4], [5]])
    with pytest.raises(DesignError, match=said):
        dispersion(panel(values), **{"measure": "sd", "draws": 5, **given})


def test_empty_panels_doubled_values_and_short_series_are_refused():
    with pytest.raises(DesignError, match="the panel is empty"):
        dispersion(panel(np.ones((5, 2))).iloc[:0])
    with pytest.raises(DesignError, match="a00 has two values in 2020-001"):
        dispersion(pd.concat([panel(np.ones((5, 2)))] * 2))
    short = dispersion(panel(np.random.default_rng(1).normal(size=(6, 2))), draws=5)
    with pytest.raises(DesignError, match="a trend needs"):
        trend(short)
    with pytest.raises(DesignError, match="too few for phases of 3"):
        breaks(short)
