"""Estimators of others, each called as its authors mean it and answering in one form (`Effect`).

Difference-in-differences, synthetic controls and the event study are those of diff-diff (MIT); the interrupted series is in `interrupted`.
Nothing is estimated here: what a wrapper adds is the panel, the joint test of the periods before, and the plain numbers.

- callaway_santanna: Callaway and Sant'Anna (2021, J. Econometrics 225); sun_abraham: Sun and Abraham (2021, the same volume); dcdh: de
Chaisemartin and D'Haultfoeuille (2020, AER 110) for treatments that come and go; lp_did: Dube, Girardi, Jorda and Taylor (2023);
etwfe_poisson: Wooldridge (2023, Econometrics J. 26) for counts; dose: Callaway, Goodman-Bacon and Sant'Anna (2024) for unlike doses;
universal: de Chaisemartin et al. (2025) where nobody is left untreated; synthetic_control: Abadie, Diamond and Hainmueller (2010, JASA
105); synthetic_did: Arkhangelsky et al. (2021, AER 111); event_study: two-way effects for one first period;
twfe_wild: the same in one number, with the wild cluster bootstrap (Cameron, Gelbach and Miller 2008, REStat 90; Webb's weights).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy

from qonys.core.errors import DesignError, nearest
from qonys.effects.examine import fitting, shape
from qonys.effects.interrupted import interrupted
from qonys.effects.panel import NEVER
from qonys.effects.result import BY_TIME, Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from qonys.effects.design import Design
    from qonys.effects.panel import Panel

SEED = 20221130
DRAWS = 200
NAMES = {"outcome": "value", "unit": "unit", "time": "time"}


def estimate(panel: Panel, design: Design, estimator: str, *, anyway: bool = False) -> Effect:
    """The effect by one estimator. anyway: also where it does not fit the panel.

    Errors: DesignError for an unknown estimator, one that does not fit, or one that finds nothing to estimate.
    """
    if estimator not in _FITS:
        raise DesignError(f"there is no estimator {estimator!r}", mend=nearest(estimator, _FITS))
    fit = fitting(panel, design).set_index("estimator").loc[estimator]
    if not fit["fits"] and not anyway:
        raise DesignError(f"{estimator} does not fit this design ({fit['why']})", mend="take one that `qonys effects check` proposes")
    rows = panel.rows[~panel.rows["unit"].isin(panel.always)]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = _FITS[estimator](rows, design)
        except (ValueError, KeyError, np.linalg.LinAlgError) as error:
            raise DesignError(
                f"{estimator} finds nothing to estimate: {error}", mend="see `qonys effects check` for what the panel lacks"
            ) from None
    facts = shape(panel)
    messages = [str(one.message) for one in said if not issubclass(one.category, FutureWarning | DeprecationWarning)]
    return Effect(
        estimator=estimator,
        coverage=design.coverage,
        unit=design.unit_of_outcome,
        units=rows["unit"].nunique(),
        treated=facts.treated,
        comparison=facts.never,
        clusters=rows["cluster"].nunique(),
        periods=rows["time"].nunique(),
        rows=len(rows),
        messages=tuple(dict.fromkeys(messages)),
        **found,
    )


def _interval(estimate_: float, error: float, design: Design, df: float | None = None) -> dict[str, float]:
    """Estimate, error and interval: normal, or Student's t where the library names degrees of freedom."""
    tail = (1 + design.coverage) / 2
    reach = float(scipy.stats.t.ppf(tail, df) if df and np.isfinite(df) else scipy.stats.norm.ppf(tail)) * error
    return {"estimate": float(estimate_), "error": float(error), "low": float(estimate_ - reach), "high": float(estimate_ + reach)}


def _common(design: Design) -> dict[str, Any]:
    return {"alpha": 1 - design.coverage, "cluster": design.cluster and "cluster"}


def _covariates(design: Design) -> list[str] | None:
    return list(design.covariates) or None


def _joint(estimates: np.ndarray, cov: np.ndarray | None, errors: np.ndarray) -> float:
    """p value of all estimates before treatment being zero: Wald's test, or without covariances the least p value times their number."""
    known = np.isfinite(estimates) & np.isfinite(errors) & (errors > 0)
    if not known.any():
        return float("nan")
    if cov is not None and np.isfinite(cov[np.ix_(known, known)]).all():
        block = cov[np.ix_(known, known)]
        rank = int(np.linalg.matrix_rank(block))
        wald = float(estimates[known] @ np.linalg.pinv(block) @ estimates[known])
        return float(scipy.stats.chi2.sf(wald, rank))
    least = 2 * scipy.stats.norm.sf(np.abs(estimates[known] / errors[known])).min()
    return float(min(1.0, least * known.sum()))


def _series(effects: Mapping[int, tuple[float, float, float, float]], reference: Iterable[int] = ()) -> pd.DataFrame:
    """By event time: estimate, error, low, high of each."""
    zero = set(reference)
    rows = [(int(time), *map(float, one), time in zero) for time, one in sorted(effects.items()) if np.isfinite(one[0])]
    return pd.DataFrame(rows, columns=list(BY_TIME))


def _said(one: Mapping[str, Any], name: str = "effect") -> tuple[float, float, float, float]:
    """The four numbers of an event as most of the library's results hold it."""
    return one[name], one["se"], one["conf_int"][0], one["conf_int"][1]


def _event_study(result: Any) -> tuple[pd.DataFrame, float]:
    """The estimates by event time of a diff-diff aggregation, with the joint test of those before."""
    table = result.to_dataframe()
    numbers = {row.event_time: (row.att, row.se, row.conf_int_lower, row.conf_int_upper) for row in table.itertuples()}
    found = _series(numbers, table.loc[table["is_reference"].astype(bool), "event_time"])
    before = (found["event_time"] < 0) & ~found["reference"]
    cov = getattr(result, "vcov", None)
    known = getattr(result, "vcov_index", None)
    index = [] if known is None else [int(one) for one in known]
    pre = found.loc[before]
    block = None
    if cov is not None and set(pre["event_time"]) <= set(index):
        place = [index.index(int(one)) for one in pre["event_time"]]
        block = np.asarray(cov)[np.ix_(place, place)]
    return found, _joint(pre["estimate"].to_numpy(float), block, pre["error"].to_numpy(float))


def callaway_santanna(rows: pd.DataFrame, design: Design, **more: Any) -> Any:
    """The library's fit of a design; more: options of its own."""
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(
        control_group=design.comparison, anticipation=design.anticipation, allow_unbalanced_panel=True, seed=SEED, **_common(design), **more
    )
    return model.fit(rows, first_treat="first", covariates=_covariates(design), **NAMES)


def _callaway_santanna(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    fit = callaway_santanna(rows, design)
    by_time, pre = _event_study(fit.aggregate("event_study"))
    return {"estimand": "att", "by_time": by_time, "pre_trend": pre, **_interval(fit.overall_att, fit.overall_se, design, fit.df_inference)}


def _sun_abraham(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import SunAbraham

    fit = SunAbraham(anticipation=design.anticipation, seed=SEED, **_common(design)).fit(
        rows, first_treat="first", covariates=_covariates(design), **NAMES
    )
    by_time = _series({time: _said(one) for time, one in fit.event_study_effects.items()})
    index = [int(one) for one in fit.event_study_vcov_index]
    before = [time for time in index if time < -design.anticipation]
    place = [index.index(time) for time in before]
    values = np.array([fit.event_study_effects[time]["effect"] for time in before])
    errors = np.array([fit.event_study_effects[time]["se"] for time in before])
    pre = _joint(values, np.asarray(fit.event_study_vcov)[np.ix_(place, place)], errors)
    return {"estimand": "att", "by_time": by_time, "pre_trend": pre, **_interval(fit.overall_att, fit.overall_se, design, fit.inference_df)}


def _dcdh(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import ChaisemartinDHaultfoeuille

    flip = rows.assign(treated=rows["on"].astype(int))
    steps = max(1, min(6, rows["time"].nunique() // 3))
    fit = ChaisemartinDHaultfoeuille(alpha=1 - design.coverage, seed=SEED).fit(
        flip, outcome="value", unit="unit", time="time", treatment="treated", L_max=steps, covariates=_covariates(design)
    )
    # their event 1 is the first period treated, their placebo -1 the one before the last before
    events = {time - 1: _said(one) for time, one in {**(fit.event_study_effects or {}), **(fit.placebo_event_study or {})}.items()}
    by_time = _series(events)
    pre = by_time[by_time["event_time"] < 0]
    joint = _joint(pre["estimate"].to_numpy(float), None, pre["error"].to_numpy(float))
    return {"estimand": "att_of_switchers", "by_time": by_time, "pre_trend": joint, **_interval(fit.overall_att, fit.overall_se, design)}


def _lp_did(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import LPDiD

    on = rows.assign(treated=rows["on"].astype(int))
    ends = (on.groupby("unit")["treated"].diff() == -1).any()
    before, after = _reach(rows)
    fit = LPDiD(
        pre_window=max(2, min(before, 6)), post_window=min(after, 6), non_absorbing="first_entry" if ends else None, cluster="cluster",
        alpha=1 - design.coverage,
    ).fit(on, "value", "unit", "time", "treated", covariates=_covariates(design))  # fmt: skip
    table = fit.event_study
    numbers = {row.horizon: (row.coefficient, row.se, row.conf_low, row.conf_high) for row in table.itertuples()}
    by_time = _series(numbers, table.loc[table["se"].isna(), "horizon"])
    pre = by_time[(by_time["event_time"] < 0) & ~by_time["reference"]]
    pooled = fit.pooled.set_index("window").loc["post"]
    joint = _joint(pre["estimate"].to_numpy(float), None, pre["error"].to_numpy(float))
    return {
        "estimand": "att", "by_time": by_time, "pre_trend": joint, "estimate": float(pooled["coefficient"]), "error": float(pooled["se"]),
        "low": float(pooled["conf_low"]), "high": float(pooled["conf_high"]),
    }  # fmt: skip


def _reach(rows: pd.DataFrame) -> tuple[int, int]:
    """Periods before and after first treatment that some treated unit has."""
    treated = rows[rows["first"] != NEVER]
    event = treated["time"] - treated["first"]
    return int(-event.min()), int(event.max())


def _etwfe_poisson(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import WooldridgeDiD

    fit = WooldridgeDiD(
        method="poisson", control_group=design.comparison, anticipation=design.anticipation, seed=SEED, **_common(design)
    ).fit(rows, first_treat="first", xtvar=_covariates(design), **NAMES)
    events = fit.aggregate("event_study").event_study_effects
    by_time = _series({time: _said(one, "att") for time, one in events.items()})
    return {"estimand": "att", "by_time": by_time, **_interval(fit.overall_att, fit.overall_se, design)}


def _dose(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import ContinuousDiD

    mean = rows[rows["on"]].groupby("unit")["dose"].mean()
    held = rows.assign(dose=rows["unit"].map(mean).fillna(0.0))
    fit = ContinuousDiD(
        degree=1, control_group=design.comparison, anticipation=design.anticipation, alpha=1 - design.coverage, seed=SEED,
        covariates=_covariates(design),
    ).fit(held, first_treat="first", dose="dose", **NAMES)  # fmt: skip
    # the slope in the dose, of units as far apart in dose as they are: what one more unit of dose does
    return {"estimand": "per_unit_of_dose", **_interval(fit.overall_acrt, fit.overall_acrt_se, design)}


def _universal(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import HeterogeneousAdoptionDiD

    first = int(rows["first"].max())
    mean = rows[rows["on"]].groupby("unit")["dose"].mean()
    late = rows["time"] >= first
    two = rows.assign(late=late.astype(int)).groupby(["unit", "late"], as_index=False)["value"].mean()
    two["dose"] = two["unit"].map(mean).where(two["late"] == 1, 0.0)
    fit = HeterogeneousAdoptionDiD(alpha=1 - design.coverage, seed=SEED).fit(two, outcome="value", dose="dose", time="late", unit="unit")
    return {"estimand": "per_unit_of_dose", "estimate": float(fit.att), "error": float(fit.se), "low": float(fit.conf_int[0]),
            "high": float(fit.conf_int[1])}  # fmt: skip


def _synthetic_did(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import SyntheticDiD

    first = int(rows["first"].max())
    ever = rows.assign(treated=(rows["first"] != NEVER).astype(int))
    after = sorted(time for time in rows["time"].unique() if time >= first)
    few = ever.loc[ever["treated"] == 1, "unit"].nunique() < 2
    fit = SyntheticDiD(
        alpha=1 - design.coverage, variance_method="placebo" if few else "jackknife", n_bootstrap=DRAWS, seed=SEED
    ).fit(ever, treatment="treated", post_periods=after, covariates=_covariates(design), **NAMES)  # fmt: skip
    gap = {**_gaps(fit.pre_periods, fit.treated_pre_trajectory, fit.synthetic_pre_trajectory),
           **_gaps(fit.post_periods, fit.treated_post_trajectory, fit.synthetic_post_trajectory)}  # fmt: skip
    weights = pd.DataFrame(sorted(fit.unit_weights.items(), key=lambda one: (-one[1], one[0])), columns=["unit", "weight"])
    return {"estimand": "att", "by_time": _gap_path(gap, first), "weights": weights, **_interval(fit.att, fit.se, design)}


def _gaps(periods: Any, own: Any, other: Any) -> dict[int, float]:
    return {int(period): float(a - b) for period, a, b in zip(periods, own, other, strict=True)}


def _gap_path(gap: dict[int, float], first: int) -> pd.DataFrame:
    """A path of gaps without bands: the treated less their synthetic likeness."""
    none = float("nan")
    return _series({time - first: (value, none, none, none) for time, value in gap.items()})


def _synthetic_control(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    """The interval is that of the placebos: how much farther off donors are after than before, times how far off the treated was before.

    It bounds the root mean square of a gap, and so the mean gap: it is wide rather than narrow.
    """
    from diff_diff import SyntheticControl

    first = int(rows["first"].max())
    on = rows.assign(treated=((rows["first"] != NEVER) & (rows["time"] >= first)).astype(int))
    fit = SyntheticControl(alpha=1 - design.coverage, seed=SEED, n_starts=1).fit(
        on, treatment="treated", predictors=_covariates(design), pre_period_outcomes="all", **NAMES
    )
    placebo = fit.in_space_placebo()
    ratio = placebo.loc[~placebo["is_treated"].astype(bool), "rmspe_ratio"].dropna()
    reach = float(np.quantile(ratio, design.coverage) * fit.pre_rmspe) if len(ratio) else float("nan")
    gap = {int(time): float(value) for time, value in fit.gap_path.items()}
    weights = pd.DataFrame(sorted(fit.donor_weights.items(), key=lambda one: (-one[1], one[0])), columns=["unit", "weight"])
    return {"estimand": "att", "by_time": _gap_path(gap, first), "weights": weights, "estimate": float(fit.att), "error": float("nan"),
            "low": float(fit.att - reach), "high": float(fit.att + reach)}  # fmt: skip


def _event(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import MultiPeriodDiD

    first = int(rows["first"].max()) - design.anticipation
    ever = rows.assign(treated=(rows["first"] != NEVER).astype(int))
    times = sorted(rows["time"].unique())
    after = [time for time in times if time >= first]
    fit = MultiPeriodDiD(alpha=1 - design.coverage, cluster="cluster").fit(
        ever, "value", "treated", "time", post_periods=after, reference_period=first - 1, unit="unit", absorb=["unit", "time"],
        covariates=_covariates(design),
    )  # fmt: skip
    shift = first + design.anticipation
    effects = {int(time): one for time, one in fit.period_effects.items()}
    by_time = _series({time - shift: (one.effect, one.se, *one.conf_int) for time, one in effects.items()})
    before = [time for time in effects if time < first]
    place = [fit.interaction_indices[time] for time in before]
    pre = _joint(np.array([effects[one].effect for one in before]), np.asarray(fit.vcov)[np.ix_(place, place)],
                 np.array([effects[one].se for one in before]))  # fmt: skip
    low, high = fit.avg_conf_int
    average = {"estimate": float(fit.avg_att), "error": float(fit.avg_se), "low": float(low), "high": float(high)}
    return {"estimand": "att", "by_time": by_time, "pre_trend": pre, **average}


def _wild(rows: pd.DataFrame, design: Design) -> dict[str, Any]:
    from diff_diff import TwoWayFixedEffects

    first = int(rows["first"].max()) - design.anticipation
    ever = rows.assign(treated=(rows["first"] != NEVER).astype(int), after=(rows["time"] >= first).astype(int))
    fit = TwoWayFixedEffects(
        alpha=1 - design.coverage, cluster="cluster", inference="wild_bootstrap", n_bootstrap=999, bootstrap_weights="webb", seed=SEED
    ).fit(ever, outcome="value", treatment="treated", time="after", unit="unit", covariates=_covariates(design))
    low, high = fit.conf_int
    return {"estimand": "att", "estimate": float(fit.att), "error": float(fit.se), "low": float(low), "high": float(high)}


_FITS: dict[str, Callable[[pd.DataFrame, Design], dict[str, Any]]] = {
    "callaway_santanna": _callaway_santanna, "sun_abraham": _sun_abraham, "dcdh": _dcdh, "lp_did": _lp_did, "etwfe_poisson": _etwfe_poisson,
    "dose": _dose, "universal": _universal, "synthetic_control": _synthetic_control, "synthetic_did": _synthetic_did,
    "event_study": _event, "twfe_wild": _wild, "interrupted": interrupted,
}  # fmt: skip
