"""Placebos find nothing where nothing is, leaving one out moves a little, bent trends widen, and power is that of the formula."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from test_estimators import design, made, simulated

from qonys.effects import checks, estimate, least_effect


@pytest.fixture(scope="module")
def run():
    one = design(comparison="never_treated")
    table = simulated(units=60)
    few = table["unit"].isin([f"u{n:02d}" for n in range(12)])
    table.loc[~few, "value"] += 2 * (table.loc[~few, "dose"] > 0)
    table.loc[~few, "dose"] = 0.0
    whole = made(table, one)
    effect = estimate(whole, one, "callaway_santanna")
    return whole, one, effect, checks(whole, one, effect, draws=30)


def test_a_measure_moved_to_before_it_was_does_nothing(run):
    _, _, effect, found = run
    assert found.in_time["shift"].tolist() == [1, 2]
    assert ((found.in_time["low"] < 0) & (found.in_time["high"] > 0)).any()
    assert found.in_time["estimate"].abs().max() < 0.25 * abs(effect.estimate)


def test_a_measure_given_to_others_does_nothing_and_the_share_is_never_zero(run):
    _, _, effect, found = run
    assert len(found.in_space) == 30
    assert found.in_space["estimate"].abs().max() < 0.5 * abs(effect.estimate)
    assert found.share_as_far == pytest.approx(1 / 31)


def test_leaving_one_out_gives_an_estimate_for_each_treated_unit_about_the_whole(run):
    _, _, effect, found = run
    assert len(found.without) == 12
    assert found.without["estimate"].mean() == pytest.approx(effect.estimate, abs=0.05)


def test_bounds_widen_with_the_bend_that_is_allowed(run):
    _, _, effect, found = run
    assert found.honest["m"].tolist() == [0, 0.5, 1, 2]
    width = found.honest["high"] - found.honest["low"]
    assert (width.diff().dropna() >= -1e-9).all()
    assert found.honest["low"].iloc[0] < effect.estimate < found.honest["high"].iloc[0]
    assert found.failed.empty


def test_what_cannot_be_checked_is_said():
    one = design()
    table = simulated(cohorts=(9,), units=12)
    table.loc[table["unit"] != "u00", "dose"] = 0.0
    whole = made(table, one)
    effect = estimate(whole, one, "synthetic_did")
    found = checks(whole, one, effect, draws=3)
    assert set(found.failed["check"]) == {"without", "honest"}


def test_the_least_effect_shrinks_with_units_and_is_found_in_four_cases_of_five():
    one = design(comparison="never_treated")
    small, large = (made(simulated(cohorts=(6,), units=n), one) for n in (20, 80))
    assert least_effect(large, one) < least_effect(small, one)
    least = least_effect(small, one)
    hits = 0
    for seed in range(40):
        table = simulated(seed + 100, cohorts=(6,), units=20)
        table["value"] += (2 - least) * (table["dose"] > 0)  # the effect is now -least
        hits += estimate(made(table, one), one, "event_study").decided
    assert binom.ppf(0.001, 40, 0.8) <= hits <= binom.ppf(0.999, 40, 0.8)


def test_a_panel_without_anyone_to_compare_with_has_no_least_effect():
    one = design()
    table = simulated(cohorts=(6,)).query("unit < 'u30'")
    assert np.isnan(least_effect(made(pd.DataFrame(table), one), one))
