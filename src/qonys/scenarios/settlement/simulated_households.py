"""Households that never lived, with a truth that is known: for tests, for the documentation and for measuring speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.retention_design import MEASURES, days_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_EFFECTS = {"moving_allowance": 0.0, "rent_cover": -0.5, "housing": -0.9, "job_placement": -0.6, "business_loan": -0.2}


@dataclass(frozen=True, slots=True)
class Simulated:
    """Records of simulated households, and the truth behind them.

    records: household_id, moved_on, left_on, observed_until, destination, members, support.
    truth: measure, log_hazard_ratio, horizon_months, retained_with, retained_without, difference: shares of these very households that
    would stay, were all given the measure or none.
    """

    records: pd.DataFrame
    truth: pd.DataFrame


def simulate_households(
    n: int,
    *,
    seed: int,
    effects: Mapping[str, float] = _EFFECTS,
    share: float = 0.4,
    members_effect: float = 0.1,
    scale_days: float = 1500,
    shape: float = 0.8,
    horizon_months: tuple[int, ...] = (12, 24, 36),
) -> Simulated:
    """n households that move in over three years and are watched to the end of the fourth; leaving has a Weibull hazard.

    Hazard at t days: shape / scale_days * (t / scale_days)**(shape - 1) * exp(sum of effects of the support got + members_effect * (members
    - 4)). effects: log hazard ratio by measure; share: of households that get each. Support goes more often to large households, so that
    comparing without holding members equal is wrong. Days are rounded up, so leaving is never on the day of the move.
    Errors: DesignError for n below 1, a share or a scale out of range, an effect that is no number or a measure that is unknown.
    """
    if n < 1 or not 0 < share < 1 or scale_days <= 0 or shape <= 0:
        raise DesignError("these households cannot be simulated", mend="give n from 1, a share between 0 and 1, scale and shape above 0")
    for measure, effect in effects.items():
        if measure not in MEASURES or not np.isfinite(effect):
            raise DesignError(f"{measure!r} with an effect of {effect} is none", mend="give log hazard ratios by " + ", ".join(MEASURES))
    draw = np.random.default_rng(seed)
    members = 1 + draw.poisson(3, n)
    odds = share / (1 - share) * np.exp(0.3 * (members - 4))
    got = {measure: draw.random(n) < odds / (1 + odds) for measure in effects}
    risk = members_effect * (members - 4) + sum(effect * got[measure] for measure, effect in effects.items())
    stay = np.ceil(scale_days * (draw.exponential(size=n) * np.exp(-risk)) ** (1 / shape)).clip(1, 30_000).astype(int)
    moved = np.datetime64("2018-01-01") + draw.integers(0, 3 * 365, n)
    watched = np.datetime64("2021-12-31")
    left = moved + stay
    has_left = left <= watched
    support = [";".join(measure for measure in effects if got[measure][row]) for row in range(n)]
    records = pd.DataFrame(
        {
            "household_id": [f"H{row:06d}" for row in range(1, n + 1)],
            "moved_on": moved.astype("datetime64[ns]"),
            "left_on": pd.Series(left.astype("datetime64[ns]")).where(has_left),
            "observed_until": pd.Series(np.full(n, watched, "datetime64[ns]")).where(~has_left),
            "destination": draw.choice(["KZ-59", "KZ-55", "KZ-39"], n),
            "members": members,
            "support": support,
        }
    )
    truth = []
    for measure, effect in effects.items():
        without = risk - effect * got[measure]
        for months in horizon_months:
            hazard = (days_of(months) / scale_days) ** shape
            shares = [float(np.exp(-hazard * np.exp(without + shift)).mean()) for shift in (effect, 0.0)]
            truth.append([measure, effect, months, *shares, shares[0] - shares[1]])
    columns = ["measure", "log_hazard_ratio", "horizon_months", "retained_with", "retained_without", "difference"]
    return Simulated(records, pd.DataFrame(truth, columns=columns))
