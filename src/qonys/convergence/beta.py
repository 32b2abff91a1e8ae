"""Catching up: do areas that start low rise faster? (Barro and Sala-i-Martin 1992; Islam 1995)

Over a span of T periods the growth of an area, g_i = (y_iT - y_i0) / T, is regressed on where it began:

    g_i = a + b y_i0 + c' x_i + e_i,      b = -(1 - exp(-beta T)) / T

so that beta = -log(1 + b T) / T is the speed of catching up a period and log 2 / beta the half-life of a gap. Without x the catching up is
unconditional, with x conditional on it. The panel form, y_it = f_i + d_t + r y_i,t-1 + e_it, has beta = -log r; its r is biased down by
about (1 + r) / T (Nickell 1981), which the half-panel jackknife takes off (Dhaene and Jochmans 2015, Review of Economic Studies 82).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.convergence.panel import FEWEST_AREAS, wide_of
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.convergence.dispersion import Floats

FEWEST_PERIODS = 6  # of the panel form: each half must hold a step and a mean


@dataclass(frozen=True, slots=True)
class Beta:
    """Speed a period and its standard error; half-life in periods and its error (delta method; infinite without catching up); the
    coefficient they come from; areas, periods; left_out: areas that had no value where one was needed.
    """

    speed: float
    speed_error: float
    half_life: float
    half_life_error: float
    coefficient: float
    coefficient_error: float
    areas: int
    periods: int
    left_out: tuple[str, ...]

    @property
    def t(self) -> float:
        """t value of the speed: above 1.65 areas catch up (one-sided, 5 %)."""
        return self.speed / self.speed_error if self.speed_error > 0 else float("nan")


def beta(panel: pd.DataFrame, *, first: object = None, last: object = None, given: pd.DataFrame | None = None) -> Beta:
    """Catching up between two periods, by default the first and the last. panel: area, period, value (logs, or an index).

    given: area and further columns, what catching up is conditional on. Standard errors: HC3 (MacKinnon and White 1985), which hold for few
    areas of unlike size. Errors: DesignError for fewer than FEWEST_AREAS areas with both values, or a period that is not there.
    """
    wide = wide_of(panel)
    begin, end = wide.columns[0] if first is None else first, wide.columns[-1] if last is None else last
    for one in (begin, end):
        if one not in wide.columns:
            raise DesignError(f"the panel has no period {one}", mend=f"it has {wide.columns[0]} to {wide.columns[-1]}")
    span = int(wide.columns.get_loc(end)) - int(wide.columns.get_loc(begin))
    if span < 1:
        raise DesignError(f"{end} does not come after {begin}", mend="give the earlier period first")
    facts = wide[[begin, end]].set_axis(["start", "end"], axis=1)
    if given is not None:
        facts = facts.join(given.set_index("area"))
    whole = facts.dropna()
    left_out = tuple(str(area) for area in facts.index.difference(whole.index))
    growth = ((whole["end"] - whole["start"]) / span).to_numpy()
    design = np.column_stack([np.ones(len(whole)), whole.drop(columns="end").to_numpy()])
    if len(whole) < max(FEWEST_AREAS, design.shape[1] + 2):
        raise DesignError(f"{len(whole)} areas have all values", mend=f"give {max(FEWEST_AREAS, design.shape[1] + 2)} or more")
    coefficient, error = _least_squares(growth, design)
    return _speed(coefficient[1], error[1], span, len(whole), span + 1, left_out)


def rolling_beta(panel: pd.DataFrame, span: int) -> pd.DataFrame:
    """The unconditional speed over every span of so many periods -> first, last, speed, speed_error, half_life, areas; spans with too few
    areas, or in which all start alike, have none.
    """
    periods = sorted(panel["period"].unique())
    if not 1 <= span < len(periods):
        raise DesignError(f"no span of {span} periods fits into {len(periods)}", mend="give a shorter one")
    rows = []
    for begin, end in zip(periods, periods[span:], strict=False):
        row: dict[str, object] = {"first": begin, "last": end, "speed": np.nan, "speed_error": np.nan, "half_life": np.nan, "areas": 0}
        try:
            one = beta(panel, first=begin, last=end)
        except DesignError:
            rows.append(row)
            continue
        rows.append(row | {"speed": one.speed, "speed_error": one.speed_error, "half_life": one.half_life, "areas": one.areas})
    return pd.DataFrame(rows)


def panel_beta(panel: pd.DataFrame, *, correct: bool = True) -> Beta:
    """Catching up from period to period, with effects of areas and periods. panel: area, period, value, without gaps within an area.

    correct: half-panel jackknife: twice the estimate of the whole less the mean of those of its halves. Errors are clustered by area.
    Areas with a gap are left out and named. Errors: DesignError for too few areas or periods.
    """
    wide = wide_of(panel)
    whole = wide.dropna()
    left_out = tuple(str(area) for area in wide.index.difference(whole.index))
    values = whole.to_numpy()
    areas, periods = values.shape
    if areas < FEWEST_AREAS or periods < FEWEST_PERIODS:
        raise DesignError(
            f"{areas} areas have a value in all of {periods} periods",
            mend=f"give {FEWEST_AREAS} areas and {FEWEST_PERIODS} periods or more",
        )
    r, error = _within(values)
    if correct:
        half = periods // 2
        halves = [_within(part)[0] for part in (values[:, : half + periods % 2], values[:, half:])]
        r = 2 * r - float(np.mean(halves))
    return _speed(r - 1.0, error, 1, areas, periods, left_out)


def _within(values: Floats) -> tuple[float, float]:
    """Coefficient of the value one period before, areas and periods taken off, and its error clustered by area."""
    after, before = (_both_ways(part) for part in (values[:, 1:], values[:, :-1]))
    square = float((before**2).sum())
    if square <= 0:
        raise DesignError("all areas move alike, so nothing tells who catches up", mend="look at the spread instead")
    r = float((before * after).sum() / square)
    score = (before * (after - r * before)).sum(axis=1)
    areas = len(values)
    return r, float(np.sqrt((score**2).sum() * areas / (areas - 1)) / square)


def _both_ways(values: Floats) -> Floats:
    found: Floats = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()
    return found


def _least_squares(y: Floats, design: Floats) -> tuple[Floats, Floats]:
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise DesignError("all areas start alike, or what is given repeats itself", mend="leave it out, or look at the spread instead")
    inverse = np.linalg.inv(design.T @ design)
    coefficient = inverse @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    residual = (y - design @ coefficient) / np.maximum(1 - leverage, 1e-9)
    return coefficient, np.sqrt(np.diag(inverse @ (design.T * residual**2) @ design @ inverse))


def _speed(b: float, error: float, span: int, areas: int, periods: int, left_out: Sequence[str]) -> Beta:
    """From the coefficient on the start, over a span, to speed and half-life, with errors by the delta method."""
    rest = 1 + b * span  # share of a gap that is left after the span
    if rest <= 0:  # the gap was closed and opened the other way: no speed of decay describes that
        speed, slope = float("inf"), float("nan")
    else:
        speed, slope = -float(np.log(rest)) / span, 1 / rest
    speed_error = slope * error
    catching = np.isfinite(speed) and speed > 0
    half = float(np.log(2)) / speed if catching else (0.0 if speed == np.inf else float("inf"))
    half_error = float(np.log(2)) / speed**2 * speed_error if catching else float("nan")
    return Beta(speed, speed_error, half, half_error, b, error, areas, periods, tuple(left_out))
