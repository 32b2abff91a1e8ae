"""Convergence clubs: groups of areas that come together while the whole does not.

The clustering of Phillips and Sul (2007, section 4; 2009): areas in the order of their last values; a core group of neighbours whose log t
value is largest; areas that keep the value above a bar when added to the core; then the same with the rest. Merging: Phillips and Sul
(2009), or von Lyncker and Thoennessen (2017, Empirical Economics 52), who let clubs join only with the neighbour they are nearest to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from qonys.convergence.logt import REJECTED, TRIM, Sums, complete, joined, regressions, sums
from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qonys.convergence.logt import Floats

    Rows = NDArray[np.int64]

Core = Literal["max", "all"]
Sieve = Literal["fixed", "incremental"]
Merging = Literal["none", "phillips_sul", "lyncker_thoennessen"]
STEP, HIGHEST = 0.1, 3.0  # by which the bar of the incremental sieve rises, and to where


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a partition hangs on, and nobody prints.

    trim: share of the first periods left out; bar: t value an area must keep with the core; sieve: `fixed` takes the club as it comes,
    `incremental` raises the bar until the club as a whole converges; core: `max` ends where t is largest, `all` where convergence is
    rejected; order: share of the last periods whose mean orders the areas, 0 for the last period alone; merging: which clubs are joined.
    """

    trim: float = TRIM
    bar: float = 0.0
    sieve: Sieve = "fixed"
    core: Core = "max"
    order: float = 0.0
    merging: Merging = "none"

    def __post_init__(self) -> None:
        for name, allowed in (("sieve", Sieve), ("core", Core), ("merging", Merging)):
            if (given := getattr(self, name)) not in get_args(allowed):
                raise DesignError(f"there is no {name} {given!r}", mend=nearest(str(given), get_args(allowed)))
        if not 0 <= self.order < 1:
            raise DesignError(f"no share of the periods is {self.order:g}", mend="give 0 for the last one alone, or a share as 0.333")


@dataclass(frozen=True, slots=True)
class Partition:
    """members: area, club (1 the highest; 0: with nobody), in order. clubs: club, areas, b, error, t. options: those used."""

    members: pd.DataFrame
    clubs: pd.DataFrame
    options: Options


def clubs(panel: pd.DataFrame, options: Options | None = None) -> Partition:
    """The clubs of a panel without gaps: area, period, value. Which areas they are is stable or not: see `stability`.

    Errors: DesignError as in `log_t`.
    """
    chosen = options or Options()
    values = complete(panel)
    names = np.array(sorted(panel["area"].unique()))
    order, found, apart = partition(values, chosen)
    number = np.zeros(len(names), dtype=np.int64)
    for place, rows in enumerate(found, start=1):
        number[order[rows]] = place
    number[order[apart]] = 0
    members = pd.DataFrame({"area": names[order], "club": number[order]})
    members = members.sort_values("club", key=lambda club: club.where(club > 0, len(found) + 1), kind="stable", ignore_index=True)
    ordered = values[order]
    lines = []
    for place, own in enumerate(found, start=1):
        b, error, t = (float(one[0]) for one in regressions(sums(ordered[own]), trim=chosen.trim))
        lines.append({"club": place, "areas": len(own), "b": b, "error": error, "t": t})
    return Partition(members, pd.DataFrame(lines, columns=["club", "areas", "b", "error", "t"]), chosen)


def partition(values: Floats, options: Options) -> tuple[Rows, list[Rows], Rows]:
    """The order of the areas, the clubs, and those apart, as places in that order. values: areas x periods, without gaps."""
    periods = values.shape[1]
    last = max(round(options.order * periods), 1)
    order = np.argsort(-values[:, periods - last :].mean(axis=1), kind="stable")
    ordered = values[order]
    left = np.arange(len(order))
    found: list[Rows] = []
    while len(left) > 1:
        club = left if _t(ordered[left], options) > REJECTED else _club(ordered, left, options)
        if club is None:
            break
        found.append(club)
        left = np.setdiff1d(left, club)
    merge = _MERGING[options.merging]
    return order, merge(ordered, found, options), left


def _t(values: Floats, options: Options) -> float:
    return float(regressions(sums(values), trim=options.trim)[2][0])


def _club(ordered: Floats, left: Rows, options: Options) -> Rows | None:
    """A core group of the areas left, and those that keep to it; None where not even two neighbours converge."""
    core = _core(ordered[left], options)
    if core is None:
        return None
    inside, others = left[core], np.delete(left, core)
    if not len(others):
        return inside
    t = regressions(joined(sums(ordered[inside]), ordered[others]), trim=options.trim)[2]
    bar = options.bar
    while True:
        club = np.sort(np.concatenate([inside, others[t > bar]]))
        if options.sieve == "fixed" or _t(ordered[club], options) > REJECTED:
            return club
        bar += STEP
        if bar > HIGHEST:
            return inside


def _core(values: Floats, options: Options) -> slice | None:
    """Neighbours in the order that converge: from the first two that do, as many as make t largest (or as do not reject)."""
    pairs = np.stack([values[:-1], values[1:]])
    two = Sums(np.full(len(values) - 1, 2.0), pairs.mean(axis=0), pairs.var(axis=0))
    t = regressions(two, trim=options.trim)[2]
    begin = np.flatnonzero(t > REJECTED)
    if not len(begin):
        return None
    first = int(begin[0])
    t = regressions(_growing(values[first:]), trim=options.trim)[2]
    rejects = np.flatnonzero(~(t > REJECTED))
    t = t[: rejects[0]] if len(rejects) else t
    size = len(t) + 1 if options.core == "all" else int(np.argmax(t)) + 2
    return slice(first, first + size)


def _growing(values: Floats) -> Sums:
    """Those of the first two areas, the first three, ..., all."""
    centre = values[0]  # deviations from one of the areas are small, so that squares lose nothing
    number = np.arange(1.0, len(values) + 1)[:, None]
    mean = np.cumsum(values - centre, axis=0) / number
    square = np.cumsum((values - centre) ** 2, axis=0) / number - mean**2
    return Sums(number[1:, 0], (mean + centre)[1:], np.maximum(square, 0.0)[1:])


# Merging


def _as_they_are(_ordered: Floats, found: list[Rows], _options: Options) -> list[Rows]:
    return found


def _phillips_sul(ordered: Floats, found: list[Rows], options: Options) -> list[Rows]:
    """From the top each club takes in the next one as long as both together converge."""
    merged: list[Rows] = []
    for club in found:
        if merged and _t(ordered[both := np.sort(np.concatenate([merged[-1], club]))], options) > REJECTED:
            merged[-1] = both
        else:
            merged.append(club)
    return merged


def _lyncker_thoennessen(ordered: Floats, found: list[Rows], options: Options) -> list[Rows]:
    """Two neighbours join if they converge together, and do so better than the second does with the one after it; from the top, again."""
    clubs_, place = list(found), 0
    while place + 1 < len(clubs_):
        t = [_t(ordered[np.concatenate(clubs_[one : one + 2])], options) for one in range(place, min(place + 2, len(clubs_) - 1))]
        if t[0] > REJECTED and (len(t) == 1 or t[0] > t[1]):
            clubs_[place : place + 2] = [np.sort(np.concatenate(clubs_[place : place + 2]))]
            place = 0
        else:
            place += 1
    return clubs_


_MERGING: dict[str, Callable[[Floats, list[Rows], Options], list[Rows]]] = {
    "none": _as_they_are, "phillips_sul": _phillips_sul, "lyncker_thoennessen": _lyncker_thoennessen,
}  # fmt: skip
