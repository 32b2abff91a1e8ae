"""When a spread changed its level: break dates with intervals.

Bai and Perron (1998, Econometrica 66; 2003, J. Applied Econometrics 18): of all ways to cut a series into m + 1 phases of at least so many
periods the one with the least sum of squares about the means of the phases, by dynamic programming; m by the criterion of Liu, Wu and Zidek
(1997) with twice their constant: it takes longer to believe in a break than BIC, as residuals hang together. The interval of a date comes
from the draws over areas of `dispersion`: the same number of breaks is sought in each.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qonys.convergence.dispersion import Dispersion, Floats

MOST, SHORTEST = 5, 3
# Of the penalty c0 (log n)^(2 + d) / n. Liu, Wu and Zidek give c0 = 0.299, which finds a break in one of six series of 24 periods that have
# none, and in half of those that hang together; twice that finds one in a hundred, and still five of six breaks of two standard deviations.
SLOPE, POWER = 0.6, 2.1


@dataclass(frozen=True, slots=True)
class Breaks:
    """dates: period (the first of the new phase), low, high (periods), share (of draws with a break within one period), before, after
    (mean dispersion). phases: first, last, mean. gaps: periods without a dispersion, which no phase counts.
    """

    dates: pd.DataFrame
    phases: pd.DataFrame
    gaps: tuple[str, ...]


def breaks(found: Dispersion, *, most: int = MOST, shortest: int = SHORTEST) -> Breaks:
    """Breaks in the level of a dispersion, none to `most`, between phases of `shortest` periods or more.

    A series without variation has none. Errors: DesignError where there are too few periods for one break.
    """
    table = found.by_period
    place = np.flatnonzero(np.isfinite(table["value"].to_numpy()))
    if shortest < 2 or len(place) < 2 * shortest:
        raise DesignError(
            f"{len(place)} periods have a dispersion, too few for phases of {shortest}",
            mend="give longer panels, or shorter phases of 2 or more",
        )
    series = table["value"].to_numpy()[place]
    cuts = level_breaks(series, most, shortest)
    draws = found.draws[:, place]
    draws = draws[np.isfinite(draws).all(axis=1)]
    drawn = np.array([_cuts(row, len(cuts), shortest) for row in draws]).reshape(len(draws), len(cuts))
    periods = table["period"].to_numpy()[place]
    edges = [0, *cuts, len(series)]
    phases = pd.DataFrame(
        {"first": periods[begin], "last": periods[end - 1], "mean": series[begin:end].mean()} for begin, end in itertools.pairwise(edges)
    )
    rows = []
    for number, cut in enumerate(cuts):
        low, high = np.quantile(drawn[:, number], [(1 - found.coverage) / 2, (1 + found.coverage) / 2]) if len(drawn) else (cut, cut)
        near = float((np.abs(drawn - cut) <= 1).any(axis=1).mean()) if len(drawn) else float("nan")
        rows.append({"period": periods[cut], "low": periods[int(np.floor(low))], "high": periods[min(int(np.ceil(high)), len(periods) - 1)],
                     "share": near, "before": phases["mean"][number], "after": phases["mean"][number + 1]})  # fmt: skip
    columns = ["period", "low", "high", "share", "before", "after"]
    gaps = tuple(str(one) for one in table["period"][~np.isfinite(table["value"])])
    return Breaks(pd.DataFrame(rows, columns=columns), phases, gaps)


def level_breaks(series: Floats, most: int = MOST, shortest: int = SHORTEST, *, number: int | None = None) -> list[int]:
    """Places of the first periods of new phases in a series without gaps. number: how many are sought; by default the criterion says."""
    if number is not None:
        return _cuts(series, number, shortest)
    length = len(series)
    if np.ptp(series) <= 1e-9 * max(np.abs(series).max(), 1e-300):
        return []
    least, found = np.inf, []
    for number in range(min(most, length // shortest - 1) + 1):
        cuts = _cuts(series, number, shortest)
        edges = [0, *cuts, length]
        squares = sum(((series[a:b] - series[a:b].mean()) ** 2).sum() for a, b in itertools.pairwise(edges))
        # the mean of each phase, the dates, and the variance are what a model of so many breaks has to choose
        penalty = (2 * number + 1) * SLOPE * np.log(length) ** POWER / length
        value = np.log(max(squares / length, 1e-300 + 1e-12 * np.var(series))) + penalty
        if value < least:
            least, found = value, cuts
    return found


def _cuts(series: Floats, number: int, shortest: int) -> list[int]:
    """Where to cut the series `number` times, each phase `shortest` periods or more, for the least sum of squares."""
    length = len(series)
    if not number:
        return []
    cost = _squares(series)
    best = np.full((number + 1, length + 1), np.inf)
    last = np.zeros((number + 1, length + 1), dtype=np.int64)
    best[0, shortest:] = cost[0, shortest:]
    for phase in range(1, number + 1):
        for end in range((phase + 1) * shortest, length + 1):
            begins = np.arange(phase * shortest, end - shortest + 1)
            totals = best[phase - 1, begins] + cost[begins, end]
            place = int(np.argmin(totals))
            best[phase, end], last[phase, end] = totals[place], begins[place]
    cuts, end = [], length
    for phase in range(number, 0, -1):
        end = int(last[phase, end])
        cuts.append(end)
    return cuts[::-1]


def _squares(series: Floats) -> NDArray[np.float64]:
    """Sum of squares about the mean of the periods from a to b - 1, for all a < b."""
    centred = series - series.mean()
    total, square = (np.concatenate([[0.0], np.cumsum(values)]) for values in (centred, centred**2))
    length = np.arange(len(series) + 1)[None, :] - np.arange(len(series) + 1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (square[None, :] - square[:, None]) - (total[None, :] - total[:, None]) ** 2 / length
    return np.where(length > 0, np.maximum(found, 0.0), np.inf)
