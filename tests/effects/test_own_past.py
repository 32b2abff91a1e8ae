"""A series against its own past: exact on a line, wide where the past was wild, silent where it is short."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.effects import own_past


def line(values, first=2000) -> pd.DataFrame:
    return pd.DataFrame({"year": range(first, first + len(values)), "value": values})


def test_on_a_straight_line_the_gap_is_the_shock_and_the_interval_a_point():
    values = [100.0 + 5 * year for year in range(20)]
    values[18:] = [value - 40 for value in values[18:]]
    found, placebos = own_past(line(values), 2018, 2019, scale="level")
    row = found.iloc[0]
    assert row["effect"] == pytest.approx(-40)
    assert (row["low"], row["high"]) == (pytest.approx(-40), pytest.approx(-40))
    assert row["share_as_far"] == pytest.approx(1 / (1 + len(placebos)))
    assert placebos["gap"].abs().max() < 1e-9


@given(st.floats(0.1, 1000), st.integers(0, 5))
def test_the_unit_of_a_count_is_of_no_account(factor, seed):
    values = np.exp(np.random.default_rng(seed).normal(5, 0.2, 22))
    one, other = (own_past(line(values * scale), 2020, 2021)[0].iloc[0] for scale in (1.0, factor))
    for name in ("observed", "projected", "effect", "low", "high"):
        assert other[name] == pytest.approx(factor * one[name], rel=1e-6)
    assert other["share_as_far"] == one["share_as_far"]


@pytest.mark.parametrize("seed", range(3))
def test_without_a_shock_the_interval_holds_zero_in_nine_cases_of_ten(seed):
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(150):
        walk = np.exp(8 + np.cumsum(rng.normal(0.01, 0.15, 26)))
        row = own_past(line(walk), 2020, 2021, base=2019)[0].iloc[0]
        held += row["low"] <= 0 <= row["high"]
    assert 0.87 <= held / 150 <= 1


def test_a_trend_may_end_before_an_earlier_event():
    values = [100.0] * 20 + [50.0, 50.0] + [160.0, 160.0]
    late = own_past(line(values), 2022, 2023, base=2019, scale="level")[0].iloc[0]
    assert late["projected"] == pytest.approx(100)
    assert late["effect"] == pytest.approx(60)


def test_what_is_too_short_or_broken_is_refused_and_few_placebos_give_no_interval():
    with pytest.raises(DesignError, match="are not all there"):
        own_past(line([1.0, 2, 3, 4]), 2003, 2003)
    with pytest.raises(DesignError, match="has no logarithm"):
        own_past(line([1.0, 2, 3, 4, 5, -1, 7, 8]), 2007, 2007)
    with pytest.raises(DesignError, match="is none"):
        own_past(line(range(20)), 2019, 2018, scale="level")
    few = own_past(line([1.0, 2, 4, 3, 5, 7, 8]), 2006, 2006)[0].iloc[0]
    assert np.isnan(few["low"])
    assert few["placebos"] < 3
