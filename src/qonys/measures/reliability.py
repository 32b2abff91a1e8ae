"""Krippendorff's alpha: how far coders agree beyond what chance would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Distances = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # how often each code was used -> how far each is from each

Metric = Literal["nominal", "ordinal", "interval", "set"]
Reason = Literal["no_pairs", "no_variation"]
COVERAGE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpha:
    """Krippendorff's alpha with its interval: 1 perfect, 0 as by chance. None where it is not defined, and then `reason` says why.

    units: those that at least two coders coded.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int
    reason: Reason | None = None


def alpha(values: pd.DataFrame, metric: Metric = "nominal", *, draws: int = 1000, seed: int = 2026) -> Alpha:
    """Krippendorff's alpha of any number of coders, with gaps.

    values: a row a unit, a column a coder, null where the coder gave no code; numbers for `ordinal` and `interval`, codes separated by
    spaces for `set`. A unit with fewer than two codes says nothing and is left out.
    alpha = 1 - observed / expected disagreement, from the coincidence matrix (Krippendorff 2011); `set` weighs a pair by 1 - Jaccard x
    monotonicity (MASI, Passonneau 2006). low, high: percentiles over `draws` resamples of the units with replacement, for 95 percent.
    Errors: DesignError for a code that is no number where the metric needs one.
    """
    counts, distance = _counted(values, metric)
    if not len(counts):
        return Alpha(value=None, low=None, high=None, units=0, reason="no_pairs")
    # equal units are drawn together: faster, and the order of units and coders cannot change the interval
    patterns, times = np.unique(counts, axis=0, return_counts=True)
    value = _alpha(patterns, times, distance)
    if np.isnan(value):
        return Alpha(value=None, low=None, high=None, units=len(counts), reason="no_variation")
    resamples = np.random.default_rng(seed).multinomial(len(counts), times / len(counts), size=draws)
    drawn = np.array([_alpha(patterns, weights, distance) for weights in resamples])
    tail = 50 * (1 - COVERAGE)
    low, high = np.nanpercentile(drawn, [tail, 100 - tail]) if not np.isnan(drawn).all() else (np.nan, np.nan)
    return Alpha(value=float(value), low=_known(low), high=_known(high), units=len(counts))


def same_number(value: Any) -> str:
    """A code as text; 3, 3.0 and "3" are the same one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return str(int(number)) if number.is_integer() else str(number)


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _counted(values: pd.DataFrame, metric: Metric) -> tuple[NDArray[np.float64], Distances]:
    """How often each unit (row) got each code (column), units with fewer than two codes left out; and how far the codes are apart."""
    cells = values.to_numpy(dtype=object).ravel()
    unit = np.repeat(np.arange(len(values)), values.shape[1])
    given = np.array([not pd.isna(cell) for cell in cells], dtype=bool)
    codes = [_code(cell, metric) for cell in cells[given]]
    known = sorted(set(codes))
    place = {code: at for at, code in enumerate(known)}
    counts = np.zeros((len(values), len(known)))
    np.add.at(counts, (unit[given], [place[code] for code in codes]), 1)
    counts = counts[counts.sum(axis=1) >= 2]
    if metric == "ordinal":
        return counts, _apart_in_ranks
    if metric == "interval":
        fixed = np.subtract.outer(np.array(known, dtype="float64"), np.array(known, dtype="float64")) ** 2
    elif metric == "set":
        sets = [set(code.split()) for code in known]
        fixed = np.array([[_masi(one, other) for other in sets] for one in sets])
    else:
        fixed = 1.0 - np.eye(len(known))
    return counts, lambda _: fixed


def _code(cell: Any, metric: Metric) -> Any:
    if metric == "set":
        return " ".join(sorted(set(str(cell).split())))
    if metric == "nominal":
        return same_number(cell)
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise DesignError(f"{cell!r} is no number, as the {metric} metric needs", mend="give the ranks of the codes, or take nominal")
    return number


def _apart_in_ranks(used: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance of mid-ranks: the same as Krippendorff's sum of the uses from c to k, less half of those of c and of k."""
    ranks = np.cumsum(used) - used / 2
    return np.subtract.outer(ranks, ranks) ** 2


def _masi(one: set[str], other: set[str]) -> float:
    """1 - Jaccard x monotonicity: 1 for the same set, 2/3 where one holds the other, 1/3 where they share some, 0 where they share none."""
    shared = len(one & other)
    if one == other or not shared:
        return float(one != other)
    return 1 - shared / len(one | other) * (2 if one < other or other < one else 1) / 3


def _alpha(counts: NDArray[np.float64], times: NDArray[np.int64], distance: Distances) -> float:
    """Alpha of units given as counts of codes, each `times` times; nan where no disagreement can be expected."""
    used = times @ counts
    apart, n = distance(used), used.sum()
    expected = used @ apart @ used / (n - 1)
    if expected <= 0:
        return float("nan")
    # a unit's own pairs on the diagonal are counted too; their distance is nought
    together = (counts * (times / (counts.sum(axis=1) - 1))[:, None]).T @ counts
    return float(1 - (together * apart).sum() / expected)
