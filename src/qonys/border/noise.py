"""Tables of noise for counts: for each count the chances of the values that may be shown in its place.

Maximum entropy among all noise that is unbiased, has the wanted variance, never exceeds a maximum, leaves zeros zero and never shows a
small count: Marley and Leaver (2011), A method for confidentialising user-defined tables; Giessing (2016), Computational issues in the
design of transition probabilities and disclosure risk estimation for additive noise; Giessing and Tent (2019), Concepts for generalising
tools implementing the cell key method.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYS = 2**32  # cell keys are whole numbers below this
LARGEST = 50  # a maximum of more is not disclosure control but another statistic
_STEPS, _PRECISION = 500, 1e-13


@dataclass(frozen=True, slots=True)
class NoiseTable:
    """Noise of at most `maximum` persons with a variance of `variance`; counts of 1 to `hidden` are never shown.

    chances: row n, column v + maximum: the chance that a count of n is shown as n + v. The last row holds for all larger counts.
    limits: the same as upper limits of cell keys, so that a key finds its noise without arithmetic.
    """

    maximum: int
    variance: float
    hidden: int
    chances: NDArray[np.float64]
    limits: NDArray[np.int64]

    def noise(self, counts: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The noise of each count, by its cell key: the same count and key, the same noise."""
        row = np.minimum(counts, len(self.chances) - 1)
        place: NDArray[np.int64] = (keys[:, None] >= self.limits[row]).sum(axis=1) - self.maximum
        return place


@cache
def noise_table(maximum: int = 5, variance: float = 3.0, hidden: int = 2) -> NoiseTable:
    """The table of these parameters. Errors: DesignError where no unbiased noise of that variance exists for some count.

    >>> noise_table(2, 1.0, 0).chances[2].round(3).tolist()
    [0.064, 0.245, 0.383, 0.245, 0.064]
    """
    if not (0 < maximum <= LARGEST and hidden >= 0 and variance > 0):
        raise DesignError(
            f"noise of at most {maximum}, variance {variance:g}, hiding up to {hidden}",
            mend=f"give a maximum of 1 to {LARGEST}, a variance above 0",
        )
    values = np.arange(-maximum, maximum + 1)
    rows = [np.where(values == 0, 1.0, 0.0)]  # nobody stays nobody
    for count in range(1, maximum + hidden + 2):
        shown = count + values
        rows.append(_most_even(values, (shown == 0) | (shown > hidden), variance, count))
    chances = np.stack(rows)
    limits = np.rint(np.cumsum(chances, axis=1) * KEYS).astype(np.int64)
    return NoiseTable(maximum, variance, hidden, chances, limits[:, :-1])


def _most_even(values: NDArray[np.int64], may: NDArray[np.bool_], variance: float, count: int) -> NDArray[np.float64]:
    """Of all distributions on the values that may be, with mean 0 and that variance, the one of most entropy: exp(a v + b v^2), scaled.

    a and b minimise the convex dual ln sum exp(a v + b v^2) - b * variance, by Newton's method.
    """
    v = values[may].astype(float)
    least, most = _reach(v)
    if not least < variance < most:
        raise DesignError(
            f"a count of {count} cannot have unbiased noise with a variance of {variance:g}: it lies between {least:g} and {most:g}",
            mend="choose a variance in between, a larger maximum, or hide fewer counts",
        )
    moments = np.stack((v, v * v))
    wanted, ab = np.array([0.0, variance]), np.array([0.0, -0.5 / variance])
    height, p = _dual(ab, moments, wanted)
    for _ in range(_STEPS):
        slope = moments @ p - wanted
        if np.abs(slope).max() < _PRECISION * max(1.0, variance):
            break
        curve = (moments * p) @ moments.T - np.outer(moments @ p, moments @ p)
        step = np.linalg.solve(curve + 1e-14 * np.eye(2), slope)
        size = 1.0
        while size > 1e-10:
            trial, chance = _dual(ab - size * step, moments, wanted)
            if trial <= height - 1e-4 * size * float(slope @ step) or np.abs(moments @ chance - wanted).max() < np.abs(slope).max():
                ab, height, p = ab - size * step, trial, chance
                break
            size /= 2
        else:
            break
    chances = np.zeros(len(values))
    chances[may] = p
    return chances


def _dual(ab: NDArray[np.float64], moments: NDArray[np.float64], wanted: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    weight = ab @ moments
    top = weight.max()
    p = np.exp(weight - top)
    return float(top + np.log(p.sum()) - ab @ wanted), p / p.sum()


def _reach(v: NDArray[np.float64]) -> tuple[float, float]:
    """Least and greatest variance of a distribution on these values whose mean is 0."""
    if not (v.min() < 0 < v.max()):
        return 0.0, 0.0
    least = 0.0 if 0 in v else float(-v[v < 0].max() * v[v > 0].min())
    return least, float(-v.min() * v.max())
