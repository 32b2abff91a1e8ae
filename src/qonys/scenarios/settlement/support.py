"""What support does to retention: each measure against not getting it, all else that is known held equal, with intervals by household."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.comparison import Comparison, compare
from qonys.scenarios.settlement.models import Fit, counts, fit_accelerated, fit_proportional
from qonys.scenarios.settlement.retention import BEYOND, began_late, retention
from qonys.scenarios.settlement.retention_design import days_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qonys.scenarios.settlement.retention_design import RetentionDesign

    Floats = NDArray[np.float64]
    Notes = list[tuple[str, str, float]]

EVENTS_PER_TERM = 10  # Peduzzi et al. (1995), J. Clin. Epidemiol. 48(12)
FEWEST_DRAWS = 40
FAILED_SHARE = 0.05
NOT_PROPORTIONAL = 0.05
BEYOND_BELIEF = 7.0  # log ratio of having a measure, or of a standard deviation: a factor of a thousand is a likelihood without a maximum


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What each measure does to retention, as far as it can be told.

    ratios: term, kind (measure, covariate), stays (with it; all for a number), left (of them), ratio, low, high, p_value, proportional_p,
    code. ratio, by `ratio_of`: hazard of leaving (below 1: they stay longer) or time (above 1: longer); for one unit more of a number.
    proportional_p: of the test that a hazard ratio is the same early and late.
    retained: measure, horizon_months, horizon_days, retained_with, retained_without, difference, low, high, code: shares 0-1 of all stays
    that would last so long were all given the measure or none; the interval is that of the difference. Without an estimate the shares are
    those of `crude`, and there is no difference.
    crude: measure, group (with, without), horizon_days, share, low, high, at_risk, left, code: as they were, nothing held equal.
    notes: code, subject, value. draws: measure, horizon_months, draw, difference: for intervals of what is made of it.
    code (several parted by ;): nobody_got, everybody_got, nobody_with_left, nobody_without_left, not_told_apart (see `compare`),
    separated (terms together tell all who left from the rest: no ratio of the model has a bound), few_events (fewer than 10 departures
    per term: the figures lean on chance), not_proportional (the ratio is a mean over changing ones),
    beyond_follow_up (nobody with it, or without it, or of a stratum, was watched so long), draws_failed (over 5 % gave none: no interval).
    """

    ratios: pd.DataFrame
    retained: pd.DataFrame
    crude: pd.DataFrame
    notes: pd.DataFrame
    draws: pd.DataFrame
    ratio_of: str
    coverage: float


def support_effects(spells: pd.DataFrame, design: RetentionDesign, *, draws: int = 200, seed: int = 1) -> Effects:
    """Hazard or time ratio of each measure, and the retention it would make at each horizon; with intervals clustered by household.

    spells: see `spells`. Model cox: h(t) = h0(t, stratum) exp(x b), Efron's ties, fitted by lifelines; errors after Lin and Wei (1989),
    JASA 84(408); proportional hazards by Grambsch and Therneau (1994), Biometrika 81(3), on ranks of time. Others: `fit_accelerated`.
    Retention: mean over all stays of S(t | x with the measure set to 1, then to 0), other terms as they are (the g-formula, Robins 1986).
    Its interval: percentiles of `draws` refits on households drawn with replacement (cox), or of parameters drawn from their clustered
    normal law over households so drawn (others). draws = 0: no interval; at least 40 otherwise.
    An effect only if, with covariates and strata equal, those who got the measure would not have stayed longer anyway, and if households
    lost from sight leave like the rest. Support counts from MEASURE_from_days on; without that column it must have been known at the move,
    else the days waited for it count as its doing (immortal time). In the standardisation support begins at the move and lasts: rent cover
    that ends is not followed, and not_proportional is then the sign that its effect ends with it.
    Errors: DesignError as in `compare`, for terms that always go together, a model that cannot be fitted, late support without cox.
    """
    import lifelines  # noqa: F401  here, so that the limit of threads below reaches the libraries it loads
    from threadpoolctl import threadpool_limits

    if isinstance(draws, bool) or not isinstance(draws, int) or not (draws == 0 or FEWEST_DRAWS <= draws <= 100_000):
        raise DesignError(f"{draws!r} draws are none", mend=f"give 0 for no interval, or {FEWEST_DRAWS} to 100000")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DesignError(f"the seed {seed!r} is none", mend="give a whole number, 0 or more")
    found = compare(spells, design)
    if found.late and design.model != "cox":
        raise DesignError(
            f"design {design.name}: support that begins after the move has no place in {design.model}", mend="use model = cox"
        )
    notes = list(found.notes)
    crude = _crude(spells, design, notes)
    codes, ratios, retained = dict(found.codes), [], []
    drawn = pd.DataFrame(columns=["measure", "horizon_months", "draw", "difference"])
    if found.terms:
        few = ["few_events"] if int(found.rows["left"].sum()) < EVENTS_PER_TERM * len(found.terms) else []
        x, people, units = _scaled(found)
        # sums over several threads end in other last digits than over one
        with threadpool_limits(1):
            fit = _fit(found, x, design, draws, seed, notes)
            if _runs_off(found, fit, units):
                codes |= dict.fromkeys(found.terms, "separated")
            else:
                ratios = _ratios(found, fit, units, design, few)
                drawn = _differences(found, fit, people, units, design, draws, seed)
                retained = _retained(found, drawn, design, draws, few)
    for name, code in codes.items():
        measure = name in design.measures
        ratios.append(
            {"term": name, "kind": "measure" if measure else "covariate", **(_tally(name, spells) if measure else {}), "code": code}
        )
        retained += _as_it_was(name, code, crude, design) if measure else []
    place = {name: number for number, name in enumerate(dict.fromkeys([*design.measures, *found.terms]))}
    columns = ["term", "kind", "stays", "left", "ratio", "low", "high", "p_value", "proportional_p", "code"]
    shares = ["measure", "horizon_months", "horizon_days", "retained_with", "retained_without", "difference", "low", "high", "code"]
    return Effects(
        ratios=pd.DataFrame(sorted(ratios, key=lambda row: place[row["term"]]), columns=columns),
        retained=pd.DataFrame(sorted(retained, key=lambda row: (place[row["measure"]], row["horizon_months"])), columns=shares),
        crude=crude,
        notes=pd.DataFrame(notes, columns=["code", "subject", "value"]),
        draws=drawn.loc[drawn["draw"] > 0, ["measure", "horizon_months", "draw", "difference"]].reset_index(drop=True),
        ratio_of="hazard" if design.model == "cox" else "time",
        coverage=design.coverage,
    )


def _crude(spells: pd.DataFrame, design: RetentionDesign, notes: Notes) -> pd.DataFrame:
    """Kaplan-Meier with and without each measure; a note where support that begins late forbids it."""
    tables = []
    got = {code for row in spells["support"].unique() for code in row}
    for name in design.measures:
        if name not in got:
            continue
        if began_late(spells, name):
            notes.append(("immortal_time", name, float(began_late(spells, name))))
            continue
        found = retention(spells, by=name, horizon_days=[days_of(one) for one in design.horizon_months], coverage=design.coverage)
        tables.append(found.at_horizon.assign(measure=name))
    columns = ["measure", "group", "horizon_days", "share", "low", "high", "at_risk", "left", "code"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _as_it_was(name: str, code: str, crude: pd.DataFrame, design: RetentionDesign) -> list[dict[str, Any]]:
    rows = []
    for months in design.horizon_months:
        here = crude[(crude["measure"] == name) & (crude["horizon_days"] == days_of(months))].set_index("group")["share"]
        rows.append(
            {"measure": name, "horizon_months": months, "horizon_days": days_of(months), "retained_with": here.get("with", np.nan),
             "retained_without": here.get("without", np.nan), "difference": np.nan, "low": np.nan, "high": np.nan, "code": code}
        )  # fmt: skip
    return rows


def _tally(name: str, spells: pd.DataFrame) -> dict[str, int]:
    got = spells["support"].map(lambda row: name in row)
    return {"stays": int(got.sum()), "left": int(spells.loc[got, "left"].sum())}


def _scaled(found: Comparison) -> tuple[Floats, Floats, Floats]:
    """Terms of rows and of the stays judged, with mean 0 and standard deviation 1; and the means and deviations (2 x terms)."""
    rows = found.rows[found.terms].to_numpy(float)
    units = np.stack([rows.mean(axis=0), rows.std(axis=0)])
    people = found.people.loc[found.judged, found.terms].to_numpy(float)
    return (rows - units[0]) / units[1], (people - units[0]) / units[1], units


def _fit(found: Comparison, x: Floats, design: RetentionDesign, draws: int, seed: int, notes: Notes) -> Fit:
    """The model; what lifelines warns of becomes a note."""
    from lifelines.exceptions import ConvergenceError

    horizons = np.array([days_of(months) for months in design.horizon_months], dtype=float)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if design.model == "cox":
                fit = fit_proportional(found, x, horizons, draws=draws, seed=seed)
            else:
                fit = fit_accelerated(found, x, horizons, model=design.model, draws=draws, seed=seed)
        except ConvergenceError:
            what = f"no {design.model} model fits {int(found.rows['left'].sum())} departures and {len(found.terms)} terms"
            raise DesignError(f"design {design.name}: {what}", mend="leave covariates out, or compare fewer measures") from None
    notes += [("fit_uncertain", name, np.nan) for name in sorted({one.category.__name__ for one in caught})]
    return fit


def _runs_off(found: Comparison, fit: Fit, units: Floats) -> bool:
    """Do terms together tell all who left from the rest, so that no ratio has a bound?"""
    step = np.where(found.people.isin((0.0, 1.0)).all(axis=0), units[1], 1.0)
    return bool((np.abs(fit.log_ratio / step) > BEYOND_BELIEF).any())


def _ratios(found: Comparison, fit: Fit, units: Floats, design: RetentionDesign, few: list[str]) -> list[dict[str, Any]]:
    from scipy.stats import norm

    reach = norm.ppf((1 + design.coverage) / 2)
    rows = []
    left = found.rows.groupby("stay")["left"].any().reindex(range(len(found.people)), fill_value=False).to_numpy()
    for place, name in enumerate(found.terms):
        value, error = fit.log_ratio[place] / units[1, place], np.sqrt(fit.variance[place, place]) / units[1, place]
        proportional = fit.proportional_p[place]
        got = found.people[name].to_numpy()
        holds = got == 1 if set(np.unique(got)) <= {0.0, 1.0} else np.ones(len(got), dtype=bool)
        rows.append(
            {
                "term": name, "kind": "measure" if name in found.measures else "covariate",
                "stays": int(holds.sum()), "left": int(left[holds].sum()),
                "ratio": np.exp(value), "low": np.exp(value - reach * error), "high": np.exp(value + reach * error),
                "p_value": 2 * norm.sf(abs(value) / error), "proportional_p": proportional,
                "code": ";".join([*few, *(["not_proportional"] if proportional < NOT_PROPORTIONAL else [])]),
            }
        )  # fmt: skip
    return rows


def _differences(
    found: Comparison, fit: Fit, people: Floats, units: Floats, design: RetentionDesign, draws: int, seed: int
) -> pd.DataFrame:
    """Retention with and without each measure: measure, horizon_months, draw (0: the estimate), the two shares and their difference."""
    household = found.household[found.judged]
    reach = {name: _watched(found, name) for name in found.measures}
    rows = []
    for draw in range(draws + 1):
        weight = counts(draw, found.household.max() + 1, seed)[household]
        lines = people @ fit.betas[draw]
        for place, name in enumerate(found.measures):
            step = fit.betas[draw, place] / units[1, place]
            without = lines - (people[:, place] + units[0, place] / units[1, place]) * fit.betas[draw, place]
            for horizon, months in enumerate(design.horizon_months):
                if days_of(months) > reach[name]:
                    shares = [np.nan, np.nan]
                else:
                    with np.errstate(invalid="ignore"):  # nobody judged is in the draw: no figure
                        shares = [weight @ fit.still_there(draw, line, horizon) / weight.sum() for line in (without + step, without)]
                rows.append((name, months, draw, *shares, shares[0] - shares[1]))
    return pd.DataFrame(rows, columns=["measure", "horizon_months", "draw", "retained_with", "retained_without", "difference"])


def _watched(found: Comparison, name: str) -> float:
    """Days up to which somebody with a measure, somebody without it and somebody of each stratum was watched."""
    rows = found.rows
    return float(min(rows.groupby(name)["stop"].max().min(), rows.groupby(found.stratum[rows["stay"]])["stop"].max().min()))


def _retained(found: Comparison, drawn: pd.DataFrame, design: RetentionDesign, draws: int, few: list[str]) -> list[dict[str, Any]]:
    rows = []
    tails = [(1 - design.coverage) / 2, (1 + design.coverage) / 2]
    for (name, months), part in drawn.groupby(["measure", "horizon_months"], sort=False):
        estimate, others = part.iloc[0], part["difference"].iloc[1:].dropna()
        beyond = np.isnan(estimate["difference"])
        failed = not beyond and draws - len(others) > FAILED_SHARE * draws
        low, high = others.quantile(tails) if draws and not beyond and not failed else (np.nan, np.nan)
        codes = [*few, *([BEYOND] if beyond else []), *(["draws_failed"] if failed else [])]
        rows.append(
            {"measure": name, "horizon_months": months, "horizon_days": days_of(months), "retained_with": estimate["retained_with"],
             "retained_without": estimate["retained_without"], "difference": estimate["difference"], "low": low, "high": high,
             "code": ";".join(codes)}
        )  # fmt: skip
    return rows
