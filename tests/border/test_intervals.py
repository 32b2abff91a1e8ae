"""Intervals of provisional figures: as wide as past revisions ask for, wider when the border does not run as usual, never beyond the certain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from qonys.border.intervals import SHIFTS, Cells, bounds, calibration, cells
from qonys.core.errors import DesignError

WINDOW = 18
CROSSINGS = 300  # undecided of a month and direction


def forecasts(vintages: int, *, drift: float = 0.0, wrong: float = 0.0, disturbed: float = 0.0, seed: int = 0) -> Cells:
    """Forecasts of three months at each vintage, and what came out: true chances are those of `naive`, moved together each vintage by a
    normal shift of `drift`; `wrong` is the constant error of the model's chances, on the logit scale."""
    rng = np.random.default_rng(seed)
    parts = []
    for vintage in range(vintages):
        rows = pd.DataFrame({"month": np.repeat(vintage - np.arange(3), 2 * CROSSINGS), "exit": np.tile([0, 1], 3 * CROSSINGS)})
        logit = rng.normal(-2.0, 1.0, len(rows))
        truth = 1 / (1 + np.exp(-(logit + rng.normal(0, drift))))
        rows = rows.assign(
            slowed=disturbed, model=1 / (1 + np.exp(-(logit + wrong))), naive=1 / (1 + np.exp(-logit)), outcome=(rng.random(len(rows)) < truth).astype(int)
        )  # fmt: skip
        found = cells(rows, vintage=vintage, disturbed=0.0)
        parts.append(Cells(found.frame.assign(known=7), found.shifted))
    return Cells(pd.concat([one.frame for one in parts], ignore_index=True), np.concatenate([one.shifted for one in parts]))


def last(past: Cells) -> Cells:
    return past[(past.frame["vintage"] == past.frame["vintage"].max()).to_numpy()]


@pytest.mark.parametrize("drift", [0.0, 0.3])
def test_intervals_hold_the_outcome_as_often_as_they_say(drift):
    held = []
    for seed in range(6):
        past = forecasts(90, drift=drift, seed=seed)
        found = bounds(last(past), calibration(past, as_of=89, window=WINDOW))
        truth = last(past).frame.drop_duplicates(["month", "exit"]).set_index(["month", "exit"])["final"]
        keyed = found.set_index(["month", "exit"])
        held += (truth.between(keyed["low"], keyed["high"])).tolist()
    assert sum(held) >= binom.ppf(0.001, len(held), 0.95)  # as the least of 95 % in so many; more where chance alone is wide


def test_where_chances_drift_together_the_interval_is_wider_than_chance():
    past = forecasts(60, drift=0.5)
    found = bounds(last(past), calibration(past, as_of=59, window=WINDOW))
    assert ((found["high"] - found["low"]) > 1.8 * (found["model_high"] - found["model_low"])).all()
    steady = forecasts(60)
    narrow = bounds(last(steady), calibration(steady, as_of=59, window=WINDOW))
    assert ((narrow["high"] - narrow["low"]) < 1.8 * (narrow["model_high"] - narrow["model_low"])).all()


def test_a_border_that_does_not_run_as_usual_widens_the_interval():
    past = forecasts(60)
    known = calibration(past, as_of=59, window=WINDOW)
    usual = bounds(last(past), known)
    slow = last(past)
    slowed = bounds(Cells(slow.frame.assign(slowed=1.0), slow.shifted), known)
    assert ((slowed["high"] - slowed["low"]) > 2 * (usual["high"] - usual["low"])).all()


def test_no_bound_goes_beyond_what_is_certain():
    past = forecasts(60, drift=2.0, disturbed=3.0)
    found = bounds(last(past), calibration(past, as_of=59, window=WINDOW, coverage=0.99))
    assert (found["low"] >= 0).all()
    assert (found["high"] <= found["undecided"]).all()
    assert (found["low"] <= found["expected"]).all()
    assert (found["expected"] <= found["high"]).all()


def test_more_coverage_is_wider_and_no_factor_is_below_that_of_chance():
    past = forecasts(60, drift=0.2)
    widths = []
    for coverage in (0.8, 0.9, 0.95, 0.99):
        known = calibration(past, as_of=59, window=WINDOW, coverage=coverage)
        assert min(known.factor.values()) >= norm.ppf(0.5 + coverage / 2)
        found = bounds(last(past), known)
        widths.append(float((found["high"] - found["low"]).sum()))
    assert widths == sorted(widths)


def test_a_model_that_is_worse_than_the_naive_share_is_not_shown():
    past = forecasts(60, wrong=1.5)
    known = calibration(past, as_of=59, window=WINDOW)
    assert known.method == {0: "naive", 1: "naive"}
    assert all(known.error["model", side] > known.error["naive", side] for side in (0, 1))
    assert (bounds(last(past), known)["method"] == "naive").all()


def test_only_outcomes_known_by_then_are_used():
    past = forecasts(60, drift=0.3)
    spoilt = past.frame.assign(final=np.where(past.frame["vintage"] > 40, 0, past.frame["final"]))
    assert calibration(past, as_of=40 + WINDOW, window=WINDOW) == calibration(Cells(spoilt, past.shifted), as_of=40 + WINDOW, window=WINDOW)


def test_sums_over_months_add_up_and_their_shifts_add_while_chance_does_in_squares():
    past = forecasts(60, drift=0.5)
    known = calibration(past, as_of=59, window=WINDOW)
    months, whole = bounds(last(past), known), bounds(last(past), known, by=["vintage", "exit"])
    sums = months.groupby("exit")[["undecided", "expected", "low", "high", "model_low", "model_high"]].sum()
    whole = whole.set_index("exit")
    assert whole["expected"].to_numpy() == pytest.approx(sums["expected"].to_numpy())
    assert whole["undecided"].tolist() == sums["undecided"].tolist()
    width, parts = whole["high"] - whole["low"], sums["high"] - sums["low"]
    assert (width < parts).all()
    assert (width > parts / np.sqrt(3)).all()
    assert (whole["model_high"] - whole["model_low"]).to_numpy() == pytest.approx(
        ((sums["model_high"] - sums["model_low"]) / np.sqrt(3)).to_numpy(), abs=4
    )


def test_a_cell_is_the_sum_of_its_crossings():
    rows = pd.DataFrame(
        {"month": [5, 5, 6], "exit": [0, 0, 1], "slowed": 0.0, "model": [0.2, 0.4, 0.5], "naive": [0.3, 0.3, 0.3], "citizenship": ["UZB", "UZB", None]}
    )  # fmt: skip
    found = cells(rows, vintage=6, disturbed=0.1)
    mine = found.frame[found.frame["method"] == "model"]
    assert mine["undecided"].tolist() == [2, 1]
    assert mine["expected"].to_numpy() == pytest.approx([0.6, 0.5])
    assert mine["variance"].to_numpy() == pytest.approx([0.4, 0.25])
    assert mine["slowed"].to_numpy() == pytest.approx([0.1, 0.1])
    middle = int(np.flatnonzero(SHIFTS == 0)[0])
    assert found.shifted[:2, middle] == pytest.approx([0.6, 0.5])
    assert (np.diff(found.shifted, axis=1) > 0).all()


@pytest.mark.parametrize(
    ("vintages", "coverage", "sentence"), [(20, 0.95, "12 are the least"), (60, 1.0, "coverage 1"), (60, 0.3, "coverage 0.3")]
)
def test_too_short_a_record_or_no_coverage_is_refused(vintages, coverage, sentence):
    past = forecasts(vintages)
    with pytest.raises(DesignError, match=sentence):
        calibration(past, as_of=vintages - 1, window=WINDOW, coverage=coverage)
