"""Catching up: simulated speeds come back within their errors, published figures, laws and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qonys.convergence.beta import beta, panel_beta, rolling_beta
from qonys.core.errors import DesignError


def panel(values) -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    areas, periods = values.shape
    return pd.DataFrame(
        {"area": np.repeat([f"a{place:03d}" for place in range(areas)], periods), "period": np.tile(range(periods), areas), "value": values.ravel()}
    ).dropna()  # fmt: skip


def gaps_that_close(speed: float, areas: int, periods: int, rng, noise: float = 0.0) -> np.ndarray:
    t = np.arange(periods)
    return 10 + 0.02 * t + rng.normal(size=(areas, 1)) * np.exp(-speed * t) + rng.normal(0, 1, (areas, periods)) * noise


def test_without_noise_the_speed_is_exact_and_the_half_life_is_its_logarithm():
    found = beta(panel(gaps_that_close(0.03, 20, 25, np.random.default_rng(1))))
    assert found.speed == pytest.approx(0.03, rel=1e-9)
    assert found.half_life == pytest.approx(np.log(2) / 0.03, rel=1e-9)
    assert (found.areas, found.periods, found.left_out) == (20, 25, ())


def test_german_counties_catch_up_slowly_as_the_plain_regression_says(real_data):
    """Counties of Germany, 2000 to 2013 or 2014: the data on which REAT shows its regression of growth on the start, both in logs."""
    table = pd.read_csv(real_data / "reference_inputs" / "02_convergence" / "german_counties_gdppc.csv")
    years = [f"gdppc{year}" for year in range(2000, 2015)]
    logs = np.log(table[years].to_numpy())
    found = beta(panel(logs))
    growth, start = (logs[:, -1] - logs[:, 0]) / 14, logs[:, 0]
    slope = np.polyfit(start, growth, 1)[0]
    assert found.coefficient == pytest.approx(slope, rel=1e-9)
    assert found.speed == pytest.approx(-np.log(1 + slope * 14) / 14, rel=1e-9)
    assert 0 < found.speed < 0.02
    assert found.t > 3
    west = beta(panel(logs), given=pd.DataFrame({"area": [f"a{place:03d}" for place in range(len(table))], "west": table["West"]}))
    assert west.speed != found.speed


def test_intervals_hold_the_true_speed_about_nineteen_times_in_twenty():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        start = rng.normal(size=40)
        end = start * np.exp(-0.03 * 20) + rng.normal(0, 0.3, 40)
        found = _two(start, end)
        held += abs(found.speed - 0.03) <= 2.02 * found.speed_error
    assert 0.91 <= held / 400 <= 0.98


def _two(start, end):
    periods = np.linspace(start, end, 21).T
    return beta(panel(periods))


@pytest.mark.slow
def test_the_corrected_panel_form_is_nearly_unbiased_where_the_plain_one_is_not():
    rng = np.random.default_rng(4)
    plain, corrected = [], []
    for _ in range(120):
        values = np.zeros((60, 20))
        own = rng.normal(size=60)
        values[:, 0] = own / 0.3 + rng.normal(size=60)
        for t in range(1, 20):
            values[:, t] = own + 0.7 * values[:, t - 1] + rng.normal(0, 0.5, 60)
        plain.append(panel_beta(panel(values), correct=False).coefficient + 1)
        corrected.append(panel_beta(panel(values)).coefficient + 1)
    assert np.mean(plain) < 0.63
    assert abs(np.mean(corrected) - 0.7) < 0.02


def test_nobody_catching_up_has_an_infinite_half_life():
    found = beta(panel(gaps_that_close(-0.02, 10, 20, np.random.default_rng(5))))
    assert found.speed < 0
    assert found.half_life == np.inf


def test_gaps_that_close_and_open_the_other_way_have_no_speed_of_decay():
    rng = np.random.default_rng(6)
    start = rng.normal(size=12)
    found = _two(start, -0.5 * start)
    assert found.speed == np.inf
    assert np.isnan(found.speed_error)


def test_what_catching_up_is_conditional_on_takes_its_part():
    rng = np.random.default_rng(7)
    own = rng.normal(size=30)
    start = own + rng.normal(0, 0.3, 30)
    end = own + (start - own) * np.exp(-0.1 * 20)
    table = panel(np.linspace(start, end, 21).T)
    given = pd.DataFrame({"area": sorted(table["area"].unique()), "own": own})
    assert beta(table, given=given).speed == pytest.approx(0.1, rel=1e-6)
    assert beta(table).speed < 0.05


def test_areas_without_a_value_are_left_out_and_named():
    values = gaps_that_close(0.05, 9, 12, np.random.default_rng(8))
    values[2, 0] = values[5, -1] = np.nan
    values[7, 4] = np.nan
    assert beta(panel(values)).left_out == ("a002", "a005")
    assert panel_beta(panel(values)).left_out == ("a002", "a005", "a007")


def test_rolling_spans_follow_a_speed_that_changes():
    rng = np.random.default_rng(9)
    first = gaps_that_close(0.1, 15, 11, rng)
    second = first[:, -1:] + 0 * np.arange(1, 11)
    found = rolling_beta(panel(np.hstack([first, second])), 5)
    assert len(found) == 16
    assert found["speed"].iloc[0] == pytest.approx(0.1, rel=1e-6)
    assert found["speed"].iloc[-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda one: beta(one, first=5, last=2), "2 does not come after 5"), (lambda one: beta(one, last=99), "the panel has no period 99"),
        (lambda one: beta(one[one["area"] < "a003"]), "3 areas have all values"), (lambda one: beta(one.assign(value=1.0)), "all areas start alike"),
        (lambda one: panel_beta(one[one["period"] < 4]), "periods or more"), (lambda one: rolling_beta(one, 50), "no span of 50 periods"),
        (lambda one: panel_beta(one.assign(value=one["period"])), "all areas move alike"),
    ],
)  # fmt: skip
def test_what_cannot_be_estimated_is_refused(call, said):
    with pytest.raises(DesignError, match=said):
        call(panel(gaps_that_close(0.05, 9, 12, np.random.default_rng(1))))
