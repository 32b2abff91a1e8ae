"""One series, interrupted: the level and the slope before, carried on, against what came (Bernal, Cummins and Gasparrini 2017, IJE 46).

For counts a Poisson regression with a log link and an offset where there is one, for levels least squares; the season by harmonics; errors
that hold under autocorrelation (Newey and West 1987, with the lag of their 1994 rule). There is no comparison: whatever else came at the
same time is in the effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import scipy

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from qonys.effects.design import Design

Family = Literal["poisson", "gaussian"]
MONTHS = 12


def interrupted_series(
    series: pd.DataFrame, begins: int, *, family: Family = "poisson", harmonics: int = 0, slope: bool = False, hac: bool = True,
    offset: str | None = None, ends: int | None = None, season: int = MONTHS,
) -> Any:  # fmt: skip
    """The fitted model of statsmodels. series: time (1, 2, ...), value, and the offset column where there is one (a population).

    begins, ends: first and last time in force (to the end by default). harmonics: pairs of sine and cosine of the season. slope: the trend
    may change too. Errors: DesignError for fewer than 8 times before or 2 after, or more terms than the series can carry.
    """
    import statsmodels.api as sm

    time = series["time"].to_numpy(float)
    inside = (time >= begins) & (time <= (np.inf if ends is None else ends))
    terms = {"level": np.ones(len(time)), "measure": inside.astype(float), "trend": time}
    if slope:
        terms["measure_trend"] = np.where(inside, time - begins, 0.0)
    for order in range(1, harmonics + 1):
        terms |= {f"sine{order}": np.sin(2 * np.pi * order * time / season), f"cosine{order}": np.cos(2 * np.pi * order * time / season)}
    design = pd.DataFrame(terms, index=series.index)
    before, after = int((time < begins).sum()), int(inside.sum())
    if before < 8 or after < 2 or len(time) < len(terms) + 4:
        raise DesignError(
            f"the series has {before} times before and {after} in force, for {len(terms)} terms", mend="give a longer series or fewer terms"
        )
    logs = np.log(series[offset].to_numpy(float)) if offset else None
    kind = sm.families.Poisson() if family == "poisson" else sm.families.Gaussian()
    model = sm.GLM(series["value"].to_numpy(float), design, family=kind, offset=logs)
    if not hac:
        return model.fit()
    lags = max(1, int(4 * (len(time) / 100) ** (2 / 9)))
    return model.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})


def interrupted(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    """The effect in the unit of the outcome, a period: what came less what the model says without the measure, the mean over the time in
    force.

    Errors by the delta method. by_time: the same for each time.
    """
    series = rows.sort_values("time")
    begins = int(series["first"].max())
    counts = design.kind == "count"
    length = len(series["period"].iloc[0])
    monthly = length == 7 and "Q" not in str(series["period"].iloc[0])
    fit = interrupted_series(
        series, begins, family="poisson" if counts else "gaussian", harmonics=2 if monthly and len(series) >= 36 else 0
    )
    names = list(fit.params.index)
    place = names.index("measure")
    exog = np.asarray(fit.model.exog)
    without = exog.copy()
    without[:, place] = 0.0
    inside = exog[:, place] > 0
    link = np.exp if counts else (lambda linear: linear)
    params, cov = fit.params.to_numpy(), np.asarray(fit.cov_params())
    with_, none = link(exog @ params), link(without @ params)
    slope_with, slope_none = (exog * with_[:, None], without * none[:, None]) if counts else (exog, without)
    gradient = slope_with - slope_none
    mean = gradient[inside].mean(axis=0)
    reach = float(scipy.stats.norm.ppf((1 + design.coverage) / 2))
    estimate = float((with_ - none)[inside].mean())
    error = float(np.sqrt(mean @ cov @ mean))
    errors = np.sqrt(np.einsum("ij,jk,ik->i", gradient, cov, gradient))
    event = series["time"].to_numpy() - begins
    # before the measure: what the model leaves; in force: what the series is above it, with the error of the model without the measure
    gap = series["value"].to_numpy(float) - none
    none_error = np.sqrt(np.einsum("ij,jk,ik->i", slope_none, cov, slope_none))
    bands = np.where(inside, errors, none_error)
    by_time = pd.DataFrame(
        {"event_time": event, "estimate": gap, "error": bands, "low": gap - reach * bands, "high": gap + reach * bands, "reference": False}
    )
    return {"estimand": "level_change", "by_time": by_time, "estimate": estimate, "error": error, "low": estimate - reach * error,
            "high": estimate + reach * error}  # fmt: skip
