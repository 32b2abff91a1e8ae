"""What should be zero if the design holds, and on whom the estimate hangs: placebo in time, placebo in space, leaving one out, bent trends.

Each runs the same estimator again on a changed panel, so that it judges what was done and not something like it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.effects.estimators import SEED, callaway_santanna, estimate
from qonys.effects.panel import NEVER, Panel

if TYPE_CHECKING:
    from qonys.effects.design import Design
    from qonys.effects.result import Effect

MOST_LEFT_OUT = 60
HONEST = ("callaway_santanna", "event_study")  # estimators whose covariances HonestDiD reads


@dataclass(frozen=True, slots=True)
class Checks:
    """in_time: shift (periods earlier; of a single series 6, 12, 18), estimate, low, high: with the measure moved to before it was.
    in_space: draw, estimate: with it given to units that never had it; share_as_far: how many of these are as far from zero as the
    estimate (a p value). without: unit, estimate, low, high: with one treated unit left out. honest: m (how far trends may bend after, in
    the largest bend before), low, high. failed: check, why.
    """

    in_time: pd.DataFrame
    in_space: pd.DataFrame
    share_as_far: float
    without: pd.DataFrame
    honest: pd.DataFrame
    failed: pd.DataFrame


def checks(panel: Panel, design: Design, effect: Effect, *, draws: int = 50, seed: int = SEED) -> Checks:
    """Every check that the panel allows; those it does not stand in `failed` with the reason."""
    failed: list[tuple[str, str]] = []
    columns = ["estimate", "low", "high"]

    def again(changed: Panel, name: str) -> list[float] | None:
        try:
            found = estimate(changed, design, effect.estimator, anyway=True)
        except DesignError as error:
            failed.append((name, str(error).partition(";")[0]))
            return None
        return [found.estimate, found.low, found.high]

    in_time = []
    # a level over one or two periods has no error to speak of in a single series
    steps = (6, 12, 18) if effect.estimator == "interrupted" else (1, 2, 3)
    for shift in [step for step in steps if step <= _span_before(panel) - 2]:
        if (found := again(_earlier(panel, shift), "in_time")) is not None:
            in_time.append([shift, *found])
    rng = np.random.default_rng(seed)
    firsts = panel.first
    donors, own = firsts[firsts == NEVER].index.to_numpy(), firsts[firsts != NEVER].to_numpy()
    in_space = []
    if len(donors) > len(own) + 1 and len(own):
        for draw in range(draws):
            given = dict(zip(rng.choice(donors, len(own), replace=False), own, strict=True))
            if (found := again(_elsewhere(panel, given), "in_space")) is not None:
                in_space.append([draw, found[0]])
    elif len(own):
        failed.append(("in_space", f"{len(donors)} units never had it, for {len(own)} that did"))
    space = pd.DataFrame(in_space, columns=["draw", "estimate"])
    # the estimate is one of the draws: the share is never zero (Phipson and Smyth 2010)
    far = (1 + int((space["estimate"].abs() >= abs(effect.estimate)).sum())) / (1 + len(space)) if len(space) else float("nan")
    treated = list(firsts[firsts != NEVER].index)
    without = []
    if len(treated) > 1:
        for unit in treated if len(treated) <= MOST_LEFT_OUT else sorted(rng.choice(treated, MOST_LEFT_OUT, replace=False)):
            kept = replace(panel, rows=panel.rows[panel.rows["unit"] != unit].reset_index(drop=True))
            if (found := again(kept, "without")) is not None:
                without.append([str(unit), *found])
    elif treated:
        failed.append(("without", "one unit alone was treated"))
    honest = _honest(panel, design, effect, failed)
    once = pd.DataFrame(failed, columns=["check", "why"]).drop_duplicates("check", ignore_index=True)
    return Checks(
        pd.DataFrame(in_time, columns=["shift", *columns]), space, far, pd.DataFrame(without, columns=["unit", *columns]), honest, once
    )


def _span_before(panel: Panel) -> int:
    treated = panel.rows[panel.rows["first"] != NEVER]
    return int((treated["first"] - 1).min()) if len(treated) else 0


def _earlier(panel: Panel, shift: int) -> Panel:
    """Only the periods in which no unit was treated yet, with the measure so many of them before it was."""
    rows = panel.rows
    real = rows["first"].astype(float).where(rows["first"] != NEVER, np.inf)
    last = int(real[np.isfinite(real)].min()) - 1
    kept = rows[(rows["time"] < real) & (rows["time"] <= last)]
    first = kept["first"].where(kept["first"] == NEVER, last - shift + 1)
    return _retimed(panel, kept.assign(first=first))


def _elsewhere(panel: Panel, given: dict[str, int]) -> Panel:
    """The treated units left out, the measure given to others that never had it."""
    rows = panel.rows[panel.rows["first"] == NEVER]
    return _retimed(panel, rows.assign(first=rows["unit"].map(given).fillna(NEVER).astype(int)))


def _retimed(panel: Panel, rows: pd.DataFrame) -> Panel:
    on = (rows["first"] != NEVER) & (rows["time"] >= rows["first"])
    return replace(panel, rows=rows.assign(on=on, dose=on.astype(float)).reset_index(drop=True))


def _honest(panel: Panel, design: Design, effect: Effect, failed: list[tuple[str, str]]) -> pd.DataFrame:
    """Bounds that allow trends to bend after the measure by up to m times the largest bend before it (Rambachan, Roth 2023, REStud 90)."""
    columns = ["m", "low", "high"]
    if effect.estimator not in HONEST:
        failed.append(("honest", f"not for {effect.estimator}"))
        return pd.DataFrame(columns=columns)
    from diff_diff import compute_honest_did

    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # for one first period these are the numbers of the event study too
            fit = callaway_santanna(panel.rows[~panel.rows["unit"].isin(panel.always)], design, base_period="universal")
            study = fit.aggregate("event_study")
            for m in (0.0, 0.5, 1.0, 2.0):
                bound = compute_honest_did(study, method="relative_magnitude", M=m, alpha=1 - design.coverage)
                rows.append((m, float(bound.ci_lb), float(bound.ci_ub)))
        except (ValueError, KeyError, np.linalg.LinAlgError) as error:
            failed.append(("honest", str(error)))
    return pd.DataFrame(rows, columns=columns)


def least_effect(panel: Panel, design: Design, *, power: float = 0.8) -> float:
    """The least effect that this panel would find in four cases of five, in the unit of the outcome (Bloom 1995; diff-diff's formula).

    From the spread of the outcome about unit and period before treatment, its autocorrelation, and the numbers of units and periods; of
    those before one counts, as most estimators compare with the last of them. Missing where nothing is before, or nobody to compare with.
    """
    from diff_diff import compute_mde

    rows = panel.rows
    real = rows["first"].astype(float).where(rows["first"] != NEVER, np.inf)
    before = rows[rows["time"] < real]
    firsts = panel.first
    treated, never = int((firsts != NEVER).sum()), int((firsts == NEVER).sum())
    starts = firsts[firsts != NEVER]
    if before.empty or not treated or not never:
        return float("nan")
    wide = before.pivot_table(index="unit", columns="time", values="value")
    rest = wide.sub(wide.mean(axis=1), axis=0)
    rest = rest.sub(rest.mean(axis=0), axis=1)
    values = rest.to_numpy()
    known = np.isfinite(values).sum()
    free = known - len(wide) - wide.shape[1] + 1
    if free < 1:
        return float("nan")
    sigma = float(np.sqrt(np.nansum(values**2) / free))
    pairs = np.isfinite(values[:, 1:]) & np.isfinite(values[:, :-1])
    now, then = values[:, 1:][pairs], values[:, :-1][pairs]
    rho = float(np.clip(np.corrcoef(now, then)[0, 1], 0.0, 0.99)) if len(now) > 3 and now.std() > 0 and then.std() > 0 else 0.0
    post = max(1, len(panel.periods) - int(starts.median()) + 1)
    return float(compute_mde(treated, never, sigma, power=power, alpha=1 - design.coverage, n_pre=1, n_post=post, rho=rho))
