"""What members share, what groups of them share, and what is each one's own: the variance of a policy panel, period by period.

With x_it the value of member i in period t, m the mean of the whole panel, m_t that of the period and m_gt that of i's group in it,

    sum_i (x_it - m)^2 = n (m_t - m)^2 + sum_g n_g (m_gt - m_t)^2 + sum_i (x_it - m_gt)^2

exactly: what all did together against the usual level, what groups did apart from each other, what members did apart from their group. The
groups are declared (`data/areas/blocs.toml`) and may be any other division.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.convergence.panel import wide_of
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PARTS = ("common", "group", "national")
DRAWS = 1000


def variance_split(
    panel: pd.DataFrame, groups: Mapping[str, str], *, coverage: float = 0.95, draws: int = DRAWS, seed: int = 20221130
) -> pd.DataFrame:
    """The parts of each period -> period, members, variance (mean square about the panel's mean), part (common, group, national), share,
    low, high. Periods in which nothing departs from the panel's mean have a variance of zero and no shares.

    panel: area, period, value, with gaps where there are some; groups: of each area. Bands: members are drawn within their groups, with
    their whole history. A group of one has no band of its own: it is in every draw.
    Errors: DesignError for an area without a group, fewer than two groups, or an empty panel.
    """
    wide = wide_of(panel)
    if missing := [str(area) for area in wide.index if area not in groups]:
        raise DesignError(f"{missing[0]} is in no group", mend="declare one for each area")
    label, names = pd.factorize(np.array([groups[area] for area in wide.index]), sort=True)
    if len(names) < 2:
        raise DesignError("all areas are in one group", mend="declare two groups or more")
    values = wide.to_numpy()
    parts = _split(values, label)
    rng = np.random.default_rng(seed)
    inside = [np.flatnonzero(label == place) for place in range(len(names))]
    picks = (np.concatenate([rng.choice(own, len(own)) for own in inside]) for _ in range(draws))
    drawn = np.stack([_shares(_split(values[rows], label[rows])) for rows in picks])
    share = _shares(parts)
    # a draw in which nothing departs says nothing of the shares
    low, high = (np.where(np.isfinite(share), np.nanquantile(np.nan_to_num(drawn), q, axis=0), np.nan) for q in _ends(coverage))
    known = np.isfinite(values).sum(axis=0)
    table = pd.DataFrame({"period": np.repeat(wide.columns, len(PARTS)), "members": np.repeat(known, len(PARTS))})
    variance = np.divide(parts.sum(axis=0), known, out=np.full(len(known), np.nan), where=known > 0)
    columns = {"share": share, "low": low, "high": high}
    return table.assign(
        variance=np.repeat(variance, len(PARTS)), part=list(PARTS) * len(known), **{name: of.T.ravel() for name, of in columns.items()}
    )


def _ends(coverage: float) -> tuple[float, float]:
    return (1 - coverage) / 2, (1 + coverage) / 2


def _split(values: Floats, label: NDArray[np.int64]) -> Floats:
    """Sums of squares of the three parts: 3 x periods."""
    known = np.isfinite(values)
    held = np.where(known, values, 0.0)
    count = known.sum(axis=0)
    mean = held.sum() / max(known.sum(), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_period = held.sum(axis=0) / count
        common = count * (of_period - mean) ** 2
        group, national = np.zeros_like(common), np.zeros_like(common)
        for place in np.unique(label):
            own, there = held[label == place], known[label == place]
            number = there.sum(axis=0)
            of_group = own.sum(axis=0) / number
            group += np.where(number > 0, number * (of_group - of_period) ** 2, 0.0)
            national += np.where(there, (own - of_group) ** 2, 0.0).sum(axis=0)
    parts: Floats = np.nan_to_num(np.stack([common, group, national]))
    return parts


def _shares(parts: Floats) -> Floats:
    total = parts.sum(axis=0)
    scale = 1e-12 * max(float(total.max(initial=0.0)), 1e-300)
    shares: Floats = np.divide(parts, total, out=np.full_like(parts, np.nan), where=total > scale)
    return shares
