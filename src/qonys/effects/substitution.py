"""Where those whom a measure kept away went instead: elsewhere, in another category, earlier or later, or they did not leave, or came
irregularly; and what is left of the effect when all of it is added up.

Every channel is counted in the same way and in the same unit, persons over its window, so that the net effect is the sum of its parts.
The method, its assumptions and its simulated coverage are in docs/methods/substitution.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from qonys.core.errors import DesignError, nearest
from qonys.effects.ties import ties
from qonys.effects.window import KINDS, Channel, Cut, cut, timing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Battery", "Channel", "Sum", "battery", "ties", "timing"]

FEWEST_CLUSTERS = 10  # with fewer, leaving out one says little, and the past of the same units is asked instead
FEWEST_OF_A_SIDE = 4  # exposed, and comparison
FEWEST_WINDOWS = 3  # that fit into the periods before
NEEDS = {
    "place": "flows of the same origins to other destinations (contract `flow`: origin, destination, period, persons) and their ties",
    "category": "first permits or entries of the same origins by category: labour, study, family, asylum (unit, period, value)",
    "time_before": "the direct table from the announcement to the start, and the period in which the measure was announced",
    "time_after": "the direct table for some periods after the end of the measure, and how many are to count",
    "return": "outflow of the same group: the contract `flow` with the treated place as origin, by destination or citizenship",
    "irregular": "refused entries, detections or overstays by citizenship and period (unit, period, value), with untouched groups beside",
}
# what would have to be true of the exposed units, had the measure not been; spelt out in docs/methods/substitution.md
ASSUMES = {
    "direct": "untreated_alike",
    "place": "untied_alike",
    "category": "other_origins_alike",
    "time_before": "untreated_alike_once_announced",
    "time_after": "untreated_alike_afterwards",
    "return": "other_groups_leave_alike",
    "irregular": "other_groups_detected_alike",
}


@dataclass(frozen=True, slots=True)
class Sum:
    """Several parts together, in persons. method: how the interval was made, as in the parts; `mixed` where they differ."""

    persons: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Battery:
    """A direct effect, where the displaced went, and what is left. coverage: of every interval.

    parts: channel, persons (over its window; fewer who left count as more), low, high, share_of_direct (part / -direct), share_low,
    share_high (missing where the interval of the direct effect is not below zero), units and clusters (exposed, counted), estimator (`sum`
    or `ties`), method of the interval (`jackknife` over clusters or `placebo` in time), assumption (code).
    net: all parts. over_time: direct, rush and backlog, the total from the announcement to the last period counted.
    missing: channel, needs (the table that would answer it, or why the given one could not). left_out: unit, channel, why (`gap`,
    `not_in_table`, `treated_itself`).
    """

    parts: pd.DataFrame
    net: Sum
    over_time: Sum
    missing: pd.DataFrame
    left_out: pd.DataFrame
    coverage: float


@dataclass(frozen=True, slots=True)
class _Part:
    label: str
    kind: str
    persons: float
    estimator: str
    method: str
    deviations: pd.Series  # jackknife: by cluster left out; placebo: by first period of the placebo
    sizes: pd.Series  # level of each cluster, persons, in the units that count for it
    exposed: frozenset[str]  # clusters with an exposed unit
    blocks: int  # windows that fit into the periods before
    units: int


def battery(direct: Channel, others: Mapping[str, Channel | None], *, coverage: float = 0.95, cluster: str = "unit") -> Battery:
    """The direct effect with its parts, their shares and the net, each with an interval.

    direct: the treated units, weight 1. others: channels by kind, or by kind and a word of your own (`category.study`); None says that
    there is no table. cluster: the column of the tables whose values are independent of each other (origins, as a rule); one cluster is
    left out of all channels at once, so the net has the covariance of its parts. In persons, with level B from the periods before, count
    W in the window, weight w, and the level S of the treated corridor in the same cluster:

        W = a B + t w S,    part = t times the sum of w S    (the outflow of `return` counts with a minus)

    Channels that cannot be answered are in `missing`. Errors: DesignError where the direct effect cannot, or a channel has no such name.
    Source: kinds of substitution, Czaika and de Haas (2013), PDR 39(3); ratio differences in differences, Wooldridge (2023), Econometrics
    J. 26(3); jackknife over clusters, MacKinnon, Nielsen and Webb (2023), Stata J. 23(4).
    """
    if not 0 < coverage < 1:
        raise DesignError(f"a coverage of {coverage} is asked for", mend="give a share between 0 and 1, as 0.95")
    if direct.name != "direct":
        raise DesignError(f"the direct effect is given as the channel {direct.name}", mend="name it direct")
    first = cut(direct, cluster)
    size = pd.Series(np.where(first.weight > 0, first.level, 0.0), index=first.clusters).groupby(level=0).sum()
    parts = [_part("direct", "direct", first, size, len(first.seasons[0]))]
    missing: list[tuple[str, str]] = []
    left_out = [(unit, "direct", why) for unit, why in first.left_out]
    for label, channel in others.items():
        kind = label.split(".")[0]
        if kind not in NEEDS or (channel is not None and channel.name != kind):
            given = label if channel is None else f"{label} ({channel.name})"
            raise DesignError(f"there is no channel {given!r} beside the direct one", mend=nearest(kind, NEEDS))
        if channel is None:
            missing.append((label, NEEDS[kind]))
            continue
        try:
            found = _cut_of(channel, direct, cluster)
            left_out += [(unit, label, why) for unit, why in found.left_out]
            parts.append(_part(label, kind, found, size, len(first.seasons[0])))
        except DesignError as refusal:
            missing.append((label, f"{refusal}; it needs {NEEDS[kind]}"))
    asked = {label.split(".")[0] for label in others}
    missing += [(kind, NEEDS[kind]) for kind in KINDS[1:] if kind not in asked]
    return Battery(
        _table(parts, coverage),
        _sum(parts, coverage),
        _sum([part for part in parts if part.kind in ("direct", "time_before", "time_after")], coverage),
        pd.DataFrame(missing, columns=["channel", "needs"]),
        pd.DataFrame(left_out, columns=["unit", "channel", "why"]),
        coverage,
    )


def _cut_of(channel: Channel, direct: Channel, cluster: str) -> Cut:
    """The channel as arrays. Errors: DesignError where it counts persons that the direct effect counts."""
    if channel.name.startswith("time_"):
        if channel.window[0] <= direct.window[1] and direct.window[0] <= channel.window[1]:
            raise DesignError(f"the window of {channel.name} is in part that of the direct effect", mend="count each period once")
        if channel.window[0] <= direct.before[1]:
            raise DesignError(
                f"the direct effect takes its level from the window of {channel.name}", mend="end its periods before the announcement"
            )
    itself = frozenset(unit for unit, weight in direct.exposed.items() if weight > 0) if channel.name == "place" else frozenset()
    return cut(channel, cluster, without=itself)


def _part(label: str, kind: str, found: Cut, size: pd.Series, before: int) -> _Part:
    """One channel. size: level of the treated corridor by cluster. Errors: DesignError where it cannot be told."""
    weight, level, count = found.weight, found.level, found.late.sum(axis=1)
    tied = weight > 0
    if not tied.any():
        raise DesignError(f"the table of {label} has no exposed unit without gaps", mend="give weights to units of the table")
    by_ties = kind == "place" and len(np.unique(weight[tied])) > 1
    if not by_ties and tied.all():
        raise DesignError(f"the table of {label} has no unit that the measure did not touch", mend="add units of weight 0 to compare with")
    own = np.array([float(size.get(name, 0.0)) for name in found.clusters])
    if not (own[tied] > 0).all():  # clusters of another kind than the treated ones: then all ties are to one and the same
        own = np.ones(len(own)) if by_ties else level
    dose = weight * (level if kind == "direct" else own)
    if not by_ties and not dose[tied].sum() > 0:
        raise DesignError(f"the exposed units of {label} counted nobody before", mend="give earlier periods, or other units")
    sign = -1.0 if kind == "return" else 1.0
    factor = sign * float(dose.sum())
    left, right = _equations(level, count, dose, by_ties)
    persons = factor * float(_slope(left.sum(axis=0), right.sum(axis=0)))
    if not np.isfinite(persons):
        raise DesignError(
            f"in the table of {label} the units that the measure did not touch counted nobody, or all ties are in the same proportion",
            mend="add units of weight 0 with counts in the periods before",
        )
    # a comparison counts as far as it stands for the exposed
    fair = level[tied].sum() / level[~tied].sum() if level[~tied].any() else 0.0
    names, codes = np.unique(np.array(found.clusters), return_inverse=True)
    exposed = np.bincount(codes, tied) > 0
    blocks = len(found.seasons[0]) // len(found.seasons[1])
    method, values, keys = "jackknife", np.full(0, np.nan), names
    enough = len(names) >= FEWEST_CLUSTERS and exposed.sum() >= FEWEST_OF_A_SIDE
    if enough and (by_ties or (np.bincount(codes, ~tied) > 0).sum() >= FEWEST_OF_A_SIDE):
        without = (both.sum(axis=0) - _by_cluster(both, codes, len(names)) for both in (left, right))
        values = factor * _slope(*without) - persons
    if not len(values) or not np.isfinite(values).all():
        method, keys = "placebo", np.arange(len(found.seasons[0])).astype(str)
        if blocks < FEWEST_WINDOWS or len(keys) != before:
            raise DesignError(
                f"{label} has {len(names)} clusters, {int(exposed.sum())} of them exposed, and {len(keys)} periods before",
                mend=f"give {FEWEST_CLUSTERS} clusters with {FEWEST_OF_A_SIDE} on each side, or the periods of the direct effect and "
                f"{FEWEST_WINDOWS} times the window",
            )
        # doubt grows with the level, and the window stands higher than the past where flows grew or people came
        now = max(float(count[tied].sum()), float(count[tied].sum()) - sign * persons)
        values = np.array(
            [
                factor * float(_slope(*_summed(then, past, dose, by_ties))) * now / float(then[tied].sum() or np.nan)
                for then, past in found.placebos()
            ]
        )
        if not np.isfinite(values).all():
            raise DesignError(f"the periods before of {label} hold a window with nobody in it", mend="give longer periods, or larger units")
    return _Part(
        label,
        kind,
        persons,
        "ties" if by_ties else "sum",
        method,
        pd.Series(values, index=keys),
        pd.Series(np.bincount(codes, np.where(tied, level, level * fair)), index=names),
        frozenset(map(str, names[exposed])),
        blocks,
        int(tied.sum()),
    )


def _equations(level: Floats, count: Floats, dose: Floats, by_ties: bool) -> tuple[Floats, Floats]:
    """Each unit's share in two equations for a and t of count = a level + t dose: units x 2 x 2, and units x 2.

    sum: the comparison gives a, the exposed t. ties: least squares, the variance of a count as the level and what the ties may add.
    """
    if by_ties:
        room = level + dose * level[dose > 0].sum() / dose.sum()
        by = np.stack([level, dose], axis=1) / np.where(room > 0, room, 1.0)[:, None]
    else:
        by = np.stack([dose == 0, dose > 0], axis=1).astype(float)
    return by[:, :, None] * np.stack([level, dose], axis=1)[:, None, :], by * count[:, None]


def _slope(left: Floats, right: Floats) -> Floats:
    """t of the two equations; missing where they say the same. left: ... x 2 x 2; right: ... x 2."""
    across = left[..., 0, 0] * left[..., 1, 1]
    size = across - left[..., 0, 1] * left[..., 1, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (left[..., 0, 0] * right[..., 1] - left[..., 1, 0] * right[..., 0]) / size
    slope: Floats = np.where(size > 1e-9 * across, found, np.nan)
    return slope


def _summed(level: Floats, count: Floats, dose: Floats, by_ties: bool) -> tuple[Floats, Floats]:
    left, right = _equations(level, count, dose, by_ties)
    return left.sum(axis=0), right.sum(axis=0)


def _by_cluster(values: Floats, codes: NDArray[np.intp], many: int) -> Floats:
    sums = np.zeros((many, *values.shape[1:]))
    np.add.at(sums, codes, values)
    return sums


def _reach(parts: Sequence[_Part], factors: Sequence[float], coverage: float) -> float:
    """Half the width of the interval of a sum of parts, each times its factor.

    Parts with the same method share their draws; what two methods give is added, as nothing says how they move together.
    """
    reach = 0.0
    for method in ("jackknife", "placebo"):
        own = [(part, factor) for part, factor in zip(parts, factors, strict=True) if part.method == method]
        if not own:
            continue
        moves = pd.concat([factor * part.deviations for part, factor in own], axis=1).fillna(0.0).sum(axis=1)
        squares = moves.to_numpy() ** 2
        if method == "placebo":
            variance, freedom = float(squares.mean()), float(min(part.blocks for part, _ in own) - 1)
        else:
            exposed = moves.index.isin(frozenset().union(*(part.exposed for part, _ in own)))
            sides = [squares[side] * (len(squares) - 1) / len(squares) for side in (exposed, ~exposed)]
            variance = float(sum(side.sum() for side in sides))
            # Welch and Satterthwaite: the doubt is mostly that of the smaller side
            sizes = (
                pd.concat([abs(factor) * part.sizes for part, factor in own], axis=1).fillna(0.0).sum(axis=1).loc[moves.index].to_numpy()
            )
            spare = sum(side.sum() ** 2 / max(_even(sizes[where]) - 1, 1.0) for side, where in zip(sides, (exposed, ~exposed), strict=True))
            freedom = variance**2 / spare if spare > 0 else 1.0
        reach += float(scipy.stats.t.ppf((1 + coverage) / 2, freedom)) * float(np.sqrt(variance))
    return reach


def _even(sizes: Floats) -> float:
    """How many clusters of one size would be as good as these, where the variance of a count grows as its level."""
    return float(sizes.sum() ** 2 / (sizes**2).sum()) if sizes.any() else 1.0


def _sum(parts: Sequence[_Part], coverage: float) -> Sum:
    persons = sum(part.persons for part in parts)
    reach = _reach(parts, [1.0] * len(parts), coverage)
    methods = {part.method for part in parts}
    return Sum(persons, persons - reach, persons + reach, methods.pop() if len(methods) == 1 else "mixed")


def _table(parts: Sequence[_Part], coverage: float) -> pd.DataFrame:
    direct = parts[0]
    lost = -direct.persons
    told = lost > _reach([direct], [1.0], coverage)
    rows = []
    for part in parts:
        reach = _reach([part], [1.0], coverage)
        share = part.persons / lost if lost > 0 else np.nan
        # the share moves with the part and with the direct effect
        wide = _reach([part, direct], [1 / lost, share / lost], coverage) if told and part is not direct else (0.0 if told else np.nan)
        rows.append(
            {
                "channel": part.label,
                "persons": part.persons,
                "low": part.persons - reach,
                "high": part.persons + reach,
                "share_of_direct": share,
                "share_low": share - wide,
                "share_high": share + wide,
                "units": part.units,
                "clusters": len(part.exposed),
                "estimator": part.estimator,
                "method": part.method,
                "assumption": ASSUMES[part.kind],
            }
        )
    return pd.DataFrame(rows)
