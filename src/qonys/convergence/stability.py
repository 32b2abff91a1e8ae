"""How much of a partition is the data and how much the options: the share of runs in which areas are together.

The same 152 countries give 7 clubs, or 4, or 10, by choices that papers do not print. So a partition is run over a declared grid of
options, and over draws: of a panel with bands (low, high: what the coders leave open) each draw puts every area somewhere in its band; of a
panel without bands each draw leaves a tenth of the areas out. What holds in nearly all runs is a finding.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.convergence.clubs import Options, Partition, clubs, partition
from qonys.convergence.logt import complete
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from qonys.convergence.logt import Floats

GRID: Mapping[str, Sequence[Any]] = {
    "trim": (0.25, 1 / 3, 0.4), "sieve": ("fixed", "incremental"), "core": ("max", "all"), "order": (0.0, 1 / 3),
    "merging": ("none", "phillips_sul", "lyncker_thoennessen"),
}  # fmt: skip
LEFT_OUT = 0.1  # of the areas, in a draw of a panel without bands


@dataclass(frozen=True, slots=True)
class Stability:
    """A partition with its shares.

    partition: that of the options asked for. members: area, club, own_share (the share of runs in which the area was together with another
    of its club, the mean over these), nearest_club, nearest_share (the same of the other club it was with most often). pairs: area, other,
    together (share of the runs that held both). counts: clubs (number in a run), share of runs. runs: how many; draws: of each option.
    """

    partition: Partition
    members: pd.DataFrame
    pairs: pd.DataFrame
    counts: pd.DataFrame
    runs: int
    draws: int


def stability(
    panel: pd.DataFrame, options: Options | None = None, *, grid: Mapping[str, Sequence[Any]] = GRID, draws: int = 10, seed: int = 20221130,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Stability:  # fmt: skip
    """Clubs of a panel with the shares of runs in which they hold. panel: area, period, value, and low, high where values have bands.

    grid: values of each option to be combined; of each combination `draws` runs. tell: runs done, of how many.
    Errors: DesignError as in `clubs`, for an unknown option, or a band that does not hold its value.
    """
    chosen = options or Options()
    found = clubs(panel, chosen)
    values = complete(panel)
    names = np.array(sorted(panel["area"].unique()))
    combinations = list(_combinations(chosen, grid))
    if draws < 1:
        raise DesignError(f"{draws} draws tell nothing", mend="give 1 or more")
    together, drawn = (np.zeros((len(names), len(names))) for _ in range(2))
    numbers: dict[int, int] = {}
    runs, done = len(combinations) * draws, 0
    rng = np.random.default_rng(seed)
    for draw in _draws(panel, values, draws, rng):
        rows, moved = draw
        for one in combinations:
            order, groups, _apart = partition(moved, one)
            label = np.full(len(rows), -1)
            for place, group in enumerate(groups):
                label[order[group]] = place
            same = (label[:, None] == label[None, :]) & (label >= 0)[:, None]
            together[np.ix_(rows, rows)] += same
            drawn[np.ix_(rows, rows)] += 1
            numbers[len(groups)] = numbers.get(len(groups), 0) + 1
            done += 1
            tell(done, runs)
    share = np.divide(together, drawn, out=np.full_like(together, np.nan), where=drawn > 0)
    counts = pd.DataFrame({"clubs": sorted(numbers), "share": [numbers[number] / runs for number in sorted(numbers)]})
    return Stability(found, _members(found, names, share), _pairs(names, share), counts, runs, draws)


def _combinations(chosen: Options, grid: Mapping[str, Sequence[Any]]) -> Iterator[Options]:
    for name in grid:
        if name not in Options.__dataclass_fields__:
            raise DesignError(f"clubs have no option {name!r}", mend="it can be one of: " + ", ".join(Options.__dataclass_fields__))
    for values in itertools.product(*grid.values()):
        yield replace(chosen, **dict(zip(grid, values, strict=True)))


def _draws(panel: pd.DataFrame, values: Floats, draws: int, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """The first draw is the panel itself; then each with the rows (areas) it holds."""
    every = np.arange(len(values))
    yield every, values
    banded = {"low", "high"} <= set(panel.columns)
    if banded:
        low, high = (complete(panel[["area", "period"]].assign(value=panel[name].fillna(panel["value"]))) for name in ("low", "high"))
        if (low > values + 1e-9).any() or (high < values - 1e-9).any():
            raise DesignError("a value lies outside its band", mend="low must not be above, high not below the value")
    for _ in range(draws - 1):
        if banded:
            # one place in the band for an area's whole path: who codes strictly does so every month
            place = rng.random((len(values), 1))
            yield every, low + place * (high - low)
        else:
            rows = np.sort(rng.permutation(every)[: max(round(len(every) * (1 - LEFT_OUT)), 2)])
            yield rows, values[rows]


def _members(found: Partition, names: NDArray[Any], share: Floats) -> pd.DataFrame:
    place = {name: row for row, name in enumerate(names)}
    own = dict(zip(found.members["area"], found.members["club"], strict=True))
    inside = {club: np.array([place[area] for area in own if own[area] == club]) for club in sorted(set(own.values())) if club}
    rows = []
    for area, club in own.items():
        means = {
            other: float(np.nanmean(share[place[area], others[others != place[area]]]))
            for other, others in inside.items()
            if (others != place[area]).any()
        }
        beside = {other: mean for other, mean in means.items() if other != club}
        nearest_ = max(beside, key=lambda other: (beside[other], -other)) if beside else 0
        rows.append({"area": area, "club": club, "own_share": means.get(club, np.nan), "nearest_club": nearest_,
                     "nearest_share": beside.get(nearest_, np.nan)})  # fmt: skip
    return pd.DataFrame(rows)


def _pairs(names: NDArray[Any], share: Floats) -> pd.DataFrame:
    first, second = np.triu_indices(len(names), k=1)
    return pd.DataFrame({"area": names[first], "other": names[second], "together": share[first, second]})
