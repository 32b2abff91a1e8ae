"""Retention as it was: the share of households still there after so many days, by group, with intervals; no model, no cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError, nearest
from qonys.scenarios.settlement.predictors import refuse_forbidden

if TYPE_CHECKING:
    from collections.abc import Sequence

FEW_AT_RISK = 10  # households still watched, below which a share is flagged
MOST_GROUPS = 50
BEYOND = "beyond_follow_up"


@dataclass(frozen=True, slots=True)
class Retention:
    """Kaplan-Meier retention of groups of stays.

    curve: group, days, share, low, high, at_risk, left (steps: every day on which a stay ended or was cut off).
    at_horizon: group, horizon_days, share, low, high, at_risk, left (by then), code. mean_stay: group, horizon_days, days, low, high, code:
    mean days stayed up to the horizon (restricted mean). test: statistic, degrees, p_value of the log-rank test; no row with one group.
    Shares 0-1, with intervals of the `coverage` stated. code: beyond_follow_up (nobody was watched so long: no figure), few_at_risk (fewer
    than 10 still watched), nobody_left (low is the exact bound for those still watched), all_left (no interval).
    """

    curve: pd.DataFrame
    at_horizon: pd.DataFrame
    mean_stay: pd.DataFrame
    test: pd.DataFrame
    coverage: float


def retention(
    spells: pd.DataFrame, *, by: str | None = None, horizon_days: Sequence[int] = (365, 730, 1096), coverage: float = 0.95
) -> Retention:
    """Share of stays that still last, by days since the move (see `spells`), whole or by a column or by having got a measure.

    S(t) = prod over days u <= t of (1 - left(u) / at_risk(u)), with log-log intervals by Greenwood (Kalbfleisch and Prentice 1980, 1.3).
    by: a column, or a measure (groups `with`, `without`). Stays are taken as independent, and as cut off for reasons that have nothing
    to do with leaving. Groups are compared as they are: who gets support is chosen, so a difference is no effect (see `support_effects`).
    Errors: DesignError for an unknown column, ethnicity or religion, more than 50 groups, horizons that are no rising days, a coverage out
    of range, or a measure that began after the move (days waited for it would count as stay).
    """
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    horizons = checked_horizons(horizon_days)
    if isinstance(coverage, bool) or not 0.5 <= coverage < 1:
        raise DesignError(f"a coverage of {coverage} is none", mend="give a share from 0.5 to below 1, such as 0.95")
    group = _groups(spells, by)
    curves, points, means = [], [], []
    for name, stays in spells.groupby(group, sort=True):
        fit = KaplanMeierFitter(alpha=1 - coverage).fit(stays["days"], stays["left"])
        curve = _curve(fit, coverage)
        curves.append(curve.assign(group=name))
        points += [{"group": name, "horizon_days": days, **_at(curve, days, coverage)} for days in horizons]
        means += [{"group": name, "horizon_days": days, **_mean_stay(curve, days, coverage)} for days in horizons]
    test = pd.DataFrame(columns=["statistic", "degrees", "p_value"], dtype=float)
    if len(curves) > 1 and spells["left"].any():
        found = multivariate_logrank_test(spells["days"], group, spells["left"])
        test = pd.DataFrame([{"statistic": found.test_statistic, "degrees": len(curves) - 1, "p_value": found.p_value}])
    curve = pd.concat(curves, ignore_index=True)[["group", "days", "share", "low", "high", "at_risk", "left"]]
    return Retention(curve, pd.DataFrame(points), pd.DataFrame(means), test, coverage)


def checked_horizons(days: Sequence[int]) -> list[int]:
    """Horizons as rising whole days. Errors: DesignError otherwise."""
    found = list(days)
    sound = all(isinstance(one, int | np.integer) and not isinstance(one, bool) and 0 < one <= 36_525 for one in found)
    if not sound or not found or found != sorted(set(found)):
        raise DesignError(f"horizons of {found} are no rising whole days", mend="give days after the move, such as [365, 730]")
    return [int(one) for one in found]


def began_late(spells: pd.DataFrame, measure: str) -> int:
    """For how many stays a measure began after the move, or had not begun when the stay was cut off."""
    begins = f"{measure}_from_days"
    if begins not in spells:
        return 0
    got = spells["support"].map(lambda row: measure in row)
    return int((got & ~(spells[begins] <= 0)).sum())


def _groups(spells: pd.DataFrame, by: str | None) -> pd.Series:
    """The group of each stay, as text."""
    if spells.empty:
        raise DesignError("there is no stay to judge", mend="make stays of household records with spells()")
    if by is None:
        return pd.Series("all", index=spells.index)
    refuse_forbidden([by], "retention by")
    if by in spells:
        found = spells[by].astype("string").fillna("missing").astype(str)
        if found.nunique() > MOST_GROUPS:
            raise DesignError(f"{by} makes {found.nunique()} groups", mend=f"put its values together into {MOST_GROUPS} at most")
        return found
    measures = sorted({code for row in spells["support"].unique() for code in row})
    if by not in measures:
        raise DesignError(f"{by!r} is neither a column nor a support that anybody got", mend=nearest(by, [*measures, *spells.columns]))
    got = spells["support"].map(lambda row: by in row)
    late = began_late(spells, by)
    if late:
        raise DesignError(
            f"{by} began after the move for {late} stays, and those who left before could not get it: comparing counts the wait as stay",
            mend="use support_effects with model = cox, where support counts from the day it began",
        )
    return pd.Series(np.where(got, "with", "without"), index=spells.index)


def _curve(fit: Any, coverage: float) -> pd.DataFrame:
    """The steps of a fit, with intervals where lifelines gives points: none left yet, all left."""
    steps = pd.DataFrame(
        {
            "days": fit.event_table.index.to_numpy(float),
            "share": fit.survival_function_.iloc[:, 0].to_numpy(),
            "low": fit.confidence_interval_.iloc[:, 0].to_numpy(),
            "high": fit.confidence_interval_.iloc[:, 1].to_numpy(),
            "at_risk": fit.event_table["at_risk"].to_numpy(int),
            "left": fit.event_table["observed"].to_numpy(int),
        }
    )
    unmoved = (steps["left"].cumsum() == 0) & (steps["days"] > 0)
    steps.loc[unmoved, "low"] = _none_of(steps.loc[unmoved, "at_risk"], coverage)
    gone = steps["share"] < 1e-12
    steps.loc[gone, ["share", "low", "high"]] = [0.0, np.nan, np.nan]
    return steps


def _none_of(watched: Any, coverage: float) -> Any:
    """Exact lower bound of the share that stays where none of those watched has left. Clopper and Pearson (1934), Biometrika 26."""
    return ((1 - coverage) / 2) ** (1 / watched)


def _at(curve: pd.DataFrame, days: int, coverage: float) -> dict[str, Any]:
    """A curve read at one day."""
    past = curve[curve["days"] <= days]
    after = curve[curve["days"] >= days]
    row = past.iloc[-1]
    left, at_risk = int(past["left"].sum()), 0 if after.empty else int(after["at_risk"].iloc[0])
    if row["share"] == 0:
        code = "all_left"
    elif not at_risk:
        return {"share": np.nan, "low": np.nan, "high": np.nan, "at_risk": 0, "left": left, "code": BEYOND}
    else:
        code = "nobody_left" if not left else "few_at_risk" if at_risk < FEW_AT_RISK else ""
    low = _none_of(at_risk, coverage) if code == "nobody_left" else row["low"]
    return {"share": row["share"], "low": low, "high": row["high"], "at_risk": at_risk, "left": left, "code": code}


def _mean_stay(curve: pd.DataFrame, days: int, coverage: float) -> dict[str, Any]:
    """Area under the curve up to a day. Variance: sum of (area still to come)^2 * d / (n (n - d)), Klein and Moeschberger (2003), 4.5."""
    from scipy.stats import norm

    if days > curve["days"].iloc[-1] and curve["share"].iloc[-1] > 0:
        return {"days": np.nan, "low": np.nan, "high": np.nan, "code": BEYOND}
    steps = curve[curve["days"] < days]
    area = steps["share"].to_numpy() * np.diff(np.append(steps["days"].to_numpy(), days))
    mean = float(area.sum())
    ahead = area[::-1].cumsum()[::-1]
    at_risk, left = steps["at_risk"].to_numpy(float), steps["left"].to_numpy(float)
    some = (left > 0) & (at_risk > left)
    spread = float(np.sqrt((ahead[some] ** 2 * left[some] / (at_risk[some] * (at_risk[some] - left[some]))).sum()))
    if not left.any():
        return {"days": mean, "low": np.nan, "high": np.nan, "code": "nobody_left"}
    reach = float(norm.ppf((1 + coverage) / 2)) * spread
    return {"days": mean, "low": max(0.0, mean - reach), "high": min(float(days), mean + reach), "code": ""}
