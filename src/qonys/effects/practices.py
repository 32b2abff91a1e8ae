"""Which kinds of measures may be called better than others, and which are not known. No league table.

A league table of noisy estimates shows mostly the noise: its ends are where errors are large. So the estimates are pooled (see `pooling`),
and of the groups only that order is claimed which holds as a whole with the declared probability; where none does, groups are tied.
Goldstein and Spiegelhalter (1996, JRSS A 159); Mogstad, Romano, Shaikh and Wilhelm (2024, Review of Economic Studies 91).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError, nearest
from qonys.effects.pooling import Data, Posterior, Prior, evidence, posterior, quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qonys.effects.pooling import Floats

Better = Literal["higher", "lower"]
Identified = Literal["strong", "weak"]
BY = ("instrument", "target")
DRAWS, SEED = 8000, 20221130
OURS = {"group", "estimate", "error", "identified", "measures", "strong", "mean", "low", "high", "shrinkage", "status", "best_third"}


@dataclass(frozen=True, slots=True)
class Pooled:
    """Groups of estimates, partially pooled. Tables are by name, never by estimate; values are in the unit of the estimates.

    groups: group, the columns of `by`, measures and strong (counts), mean, low, high (of mu_g), shrinkage (0-1: the part of the mean that
    came from other groups). evidence: group, measures, strong, clusters (counts), effective (how many estimates as good as the group's best
    one would say as much), i2 (0-1: the part of the variation within the group that errors do not explain; null for one measure).
    spread: part (within, between), median, low, high of the standard deviation, share (0-1) of the variance of one estimate with a typical
    error. overall: mean, low, high of mu. left_out: measure, group, why (no_estimate, no_error). draws: a column for each group, a row
    for each draw of the joint posterior of all mu_g. coverage, rho, prior, within: as asked for.
    """

    groups: pd.DataFrame
    evidence: pd.DataFrame
    spread: pd.DataFrame
    overall: pd.DataFrame
    left_out: pd.DataFrame
    draws: pd.DataFrame
    coverage: float
    rho: float
    prior: Prior
    within: float | None


@dataclass(frozen=True, slots=True)
class Practices:
    """What may be said of the groups. Every table is by name; only `tiers` is by tier first, and by name within it.

    groups: as in `Pooled`, with status (known, not known) and best_third (probability of being among the best third of the known groups;
    null with fewer than three). A group that is not known has no mean, bounds, shrinkage or probability. order: one, other (each pair of
    known groups, one before other in the alphabet), p_better (that one is better), relation (better, worse, tied). tiers: tier and lowest
    (the highest and the lowest level the group can take in the order; nobody beats tier 1), group, beats, beaten_by (counts). evidence,
    spread, overall, left_out: as in `Pooled`. joint: probability that all claims hold together. better, threshold, coverage, rho, prior,
    within: as asked for.
    """

    groups: pd.DataFrame
    order: pd.DataFrame
    tiers: pd.DataFrame
    evidence: pd.DataFrame
    spread: pd.DataFrame
    overall: pd.DataFrame
    left_out: pd.DataFrame
    joint: float
    better: Better
    threshold: float
    coverage: float
    rho: float
    prior: Prior
    within: float | None


def practices(
    estimates: pd.DataFrame, *, better: Better, threshold: float = 0.95, by: Sequence[str] = BY, coverage: float = 0.95, rho: float = 0.0,
    prior: Prior = "half_cauchy", within: float | None = None, draws: int = DRAWS, seed: int = SEED,
) -> Practices:  # fmt: skip
    """The partial order of groups of measures, the probability of being among the best third, and how much evidence there is.

    estimates and the other parameters: as in `pool`. better: whether higher or lower values are. threshold: probability with which all
    claims of the order hold together; claims are added from the surest on while it is kept. A group is known if one of its estimates at
    least is identified strongly; the estimates of the others take part in the pooling, and that is all.
    Errors: DesignError as in `pool`, for an unknown `better`, and a threshold that is not between 0.5 and 1.
    """
    if better not in get_args(Better):
        raise DesignError(f"{better!r} does not say which values are better", mend=nearest(str(better), get_args(Better)))
    if not 0.5 < threshold < 1:
        raise DesignError(f"an order cannot be claimed with a probability of {threshold:g}", mend="give one as 0.95")
    sign = 1.0 if better == "higher" else -1.0
    # turned before and after, so that both questions are one computation
    turned = {"estimate": sign * estimates["estimate"]} if "estimate" in estimates else {}
    pooled = pool(estimates.assign(**turned), by=by, coverage=coverage, rho=rho, prior=prior, within=within, draws=draws, seed=seed)
    groups = pooled.groups.assign(status=np.where(pooled.groups["strong"] > 0, "known", "not known"))
    known = groups.loc[groups["status"] == "known", "group"].to_numpy(dtype=str)
    values = pooled.draws[known].to_numpy()
    probability, claimed, joint = _claims(values, threshold)
    numbers, columns = ["mean", "low", "high", "shrinkage"], ["mean", "low", "high"] if sign > 0 else ["mean", "high", "low"]
    overall = pd.DataFrame(sign * pooled.overall[columns].to_numpy(), columns=numbers[:3])
    groups[numbers[:3]] = sign * groups[columns].to_numpy()
    groups[numbers] = groups[numbers].where(groups["status"] == "known")
    groups["best_third"] = groups["group"].map(dict(zip(known, _best_third(values), strict=True)))
    groups = _with_unmeasured(groups, pooled.left_out, estimates, by)
    one, other = np.triu_indices(len(known), k=1)
    relation = np.where(claimed[one, other], "better", np.where(claimed[other, one], "worse", "tied"))
    order = pd.DataFrame({"one": known[one], "other": known[other], "p_better": probability[one, other], "relation": relation})
    return Practices(
        groups, order, _tiers(known, claimed), pooled.evidence, pooled.spread, overall, pooled.left_out, joint, better, threshold, coverage,
        rho, prior, within,
    )  # fmt: skip


def pool(
    estimates: pd.DataFrame, *, by: Sequence[str] = BY, coverage: float = 0.95, rho: float = 0.0, prior: Prior = "half_cauchy",
    within: float | None = None, draws: int = DRAWS, seed: int = SEED,
) -> Pooled:  # fmt: skip
    """The mean effect of each group of measures, each group leaning on the others as far as the data let it.

    estimates: measure, the columns of `by`, estimate, error (its standard error), identified (strong, weak) and, if errors of a country or
    a study go together, cluster (null: alone). One unit for all. Rows without an estimate or an error are left out and listed.
    rho: correlation of the errors within a cluster, declared and not estimated. prior: of both spreads, half-Cauchy with the median error
    as its scale, or uniform. within: tau_w if it is known (0: a group is its measures and stands for no others); else it is estimated.
    Errors: DesignError for columns that lack, errors not above zero, codes unknown, a measure twice in a group, nothing left to pool,
    and a uniform prior with so few groups that there is no posterior.
    """
    _check_options(coverage, rho, prior, within, draws)
    table, left_out = _checked(estimates, by)
    if rho > 0 and "cluster" not in table:
        raise DesignError(f"a correlation of {rho:g} within clusters has no clusters", mend="add the column cluster, or leave rho at 0")
    names, group = np.unique(table["group"].to_numpy(dtype=str), return_inverse=True)
    values, errors = (table[name].to_numpy(dtype=float) for name in ("estimate", "error"))
    if prior == "uniform" and (len(values) < 3 if len(names) == 1 else len(names) < 3 or len(values) < 4):
        raise DesignError(
            f"a uniform prior on the spreads has no posterior with {len(names)} groups of {len(values)} estimates",
            mend="give three groups and four estimates or more, or take the half-Cauchy prior",
        )
    centre, scale = float(values.mean()), float(np.median(errors))
    values, errors = (values - centre) / scale, errors / scale
    # an order that hangs on no label: who is called what must not change a draw
    order = sorted(range(len(names)), key=lambda one: sorted(zip(values[group == one].round(9), errors[group == one], strict=True)))
    place = np.argsort(order)
    data = Data(values, errors, place[group], _clusters(table), rho, len(names))
    post = posterior(data, prior, None if within is None else within / scale)
    tail = (1 - coverage) / 2
    low, high = (centre + scale * quantiles(post.weight, post.mean, post.deviation, one)[place] for one in (tail, 1 - tail))
    table["is_strong"] = table["identified"] == "strong"
    columns = {name: (name, "first") for name in by} | {"measures": ("measure", "size"), "strong": ("is_strong", "sum")}
    heads = table.groupby("group", as_index=False).agg(**columns)
    mean, others = centre + scale * (post.weight @ post.mean)[place], 1 - np.clip(post.weight @ post.own, 0, 1)[place]
    groups = heads.assign(mean=mean, low=low, high=high, shrinkage=others)
    effective, i2 = evidence(data, post)
    clusters = np.array([len(np.unique(data.cluster[group == one])) for one in range(len(names))])
    told = heads[["group", "measures", "strong"]].assign(clusters=clusters, effective=effective[place], i2=i2[place])
    drawn = centre + scale * post.drawn(draws, np.random.default_rng(seed))[:, place]
    return Pooled(
        groups, told, _spread(post, scale, tail), _overall(post, centre, scale, tail), left_out,
        pd.DataFrame(drawn, columns=names), coverage, rho, prior, within,
    )  # fmt: skip


def _check_options(coverage: float, rho: float, prior: str, within: float | None, draws: int) -> None:
    if not 0 < coverage < 1:
        raise DesignError(f"no interval covers with a probability of {coverage:g}", mend="give one as 0.95")
    if not 0 <= rho < 1:
        raise DesignError(f"errors of one cluster cannot be correlated by {rho:g}", mend="give a value from 0 up to, not including, 1")
    if prior not in get_args(Prior):
        raise DesignError(f"there is no prior {prior!r}", mend=nearest(prior, get_args(Prior)))
    if within is not None and not 0 <= within < np.inf:
        raise DesignError(f"no spread within groups is {within:g}", mend="give 0 or more, or None to have it estimated")
    if draws < 1000:
        raise DesignError(f"{draws} draws are too few for a probability", mend="give 1000 or more")


def _checked(estimates: pd.DataFrame, by: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to pool with their group, and those left out: measure, group, why."""
    if not by or isinstance(by, str) or OURS & set(by):
        raise DesignError(f"estimates cannot be grouped by {by!r}", mend="give a list of columns of codes, as instrument and target")
    needed = ("measure", *by, "estimate", "error", "identified")
    if lacking := [name for name in needed if name not in estimates]:
        raise DesignError(f"the estimates have no column {', '.join(lacking)}", mend="the columns are " + ", ".join(needed))
    table = estimates.reset_index(drop=True)
    for name in ("measure", *by):
        if (empty := table[name].isna()).any():
            raise DesignError(f"row {int(empty.idxmax()) + 1} of the estimates has no {name}", mend="name it, or leave the row out")
    known = get_args(Identified)
    if (strange := ~table["identified"].isin(known)).any():
        row = table[strange].iloc[0]
        raise DesignError(f"measure {row['measure']} is identified {row['identified']!r}", mend=nearest(str(row["identified"]), known))
    for name, least in (("estimate", -np.inf), ("error", 0.0)):
        numbers = table[name].astype(float)
        if (refused := numbers.notna() & ~((numbers > least) & (numbers < np.inf))).any():
            row, bounds = table[refused].iloc[0], "finite number" if name == "estimate" else "finite number above zero"
            raise DesignError(f"measure {row['measure']} has the {name} {row[name]:g}", mend=f"give a {bounds}, or leave it empty")
    table["group"] = _names(table, by)
    if table["group"].nunique() < len(table[list(by)].drop_duplicates()):
        raise DesignError("two groups have one name when their columns are joined by ' / '", mend="rename their codes")
    if (twice := table.duplicated(["measure", "group"])).any():
        row = table[twice].iloc[0]
        raise DesignError(
            f"measure {row['measure']} is twice in the group {row['group']}",
            mend="combine its estimates, or give each an id of its own and both one cluster",
        )
    why = np.where(table["estimate"].isna(), "no_estimate", np.where(table["error"].isna(), "no_error", ""))
    left_out = table[["measure", "group"]].assign(why=why)[why != ""].sort_values(["group", "measure"], ignore_index=True)
    if not (why == "").any():
        raise DesignError("no row of the estimates has both an estimate and an error", mend="give one at least")
    return table[why == ""].reset_index(drop=True), left_out


def _names(table: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    return table[list(by)].astype(str).agg(" / ".join, axis=1)


def _clusters(table: pd.DataFrame) -> NDArray[np.int64]:
    """Codes; who has no cluster is alone in one."""
    codes = pd.factorize(table["cluster"])[0] if "cluster" in table else np.full(len(table), -1)
    alone = codes < 0
    codes = np.where(alone, codes.max(initial=-1) + np.cumsum(alone), codes)
    return codes.astype(np.int64)


def _with_unmeasured(groups: pd.DataFrame, left_out: pd.DataFrame, estimates: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Groups of which every row was left out are not known either, and say so."""
    lost = estimates.assign(group=_names(estimates, by)).drop_duplicates("group")
    lost = lost.loc[lost["group"].isin(left_out["group"]) & ~lost["group"].isin(groups["group"]), ["group", *by]]
    if lost.empty:
        return groups
    lost = lost.assign(measures=0, strong=0, status="not known").reindex(columns=groups.columns)
    records = groups.to_dict("records") + lost.to_dict("records")
    return pd.DataFrame(records, columns=groups.columns).sort_values("group", ignore_index=True)


def _spread(post: Posterior, scale: float, tail: float) -> pd.DataFrame:
    variance = {"within": post.within**2, "between": post.between**2}
    rows = []
    for part, value in variance.items():
        node, at = np.unique(value, return_inverse=True)
        mass = np.bincount(at, post.weight)
        median, low, high = scale * np.interp([0.5, tail, 1 - tail], mass.cumsum() - mass / 2, np.sqrt(node))
        share = float(post.weight @ (value / (1 + variance["within"] + variance["between"])))
        rows.append({"part": part, "median": median, "low": low, "high": high, "share": share})
    return pd.DataFrame(rows)


def _overall(post: Posterior, centre: float, scale: float, tail: float) -> pd.DataFrame:
    ends = [quantiles(post.weight, post.centre[:, None], post.centre_deviation[:, None], one)[0] for one in (tail, 1 - tail)]
    return pd.DataFrame([centre + scale * np.array([post.weight @ post.centre, *ends])], columns=["mean", "low", "high"])


def _best_third(values: Floats) -> Floats:
    """Share of draws in which each group is among the best third, rounded down; null where there are fewer than three."""
    number = values.shape[1]
    if number < 3:
        return np.full(number, np.nan)
    rank = (-values).argsort(axis=1).argsort(axis=1)
    share: Floats = (rank < number // 3).mean(axis=0)
    return share


def _claims(values: Floats, threshold: float) -> tuple[Floats, NDArray[np.bool_], float]:
    """Probability that a group (row) is better than another (column), which of these are claimed, and that all claims hold together.

    Claims are added from the surest on, and one that would bring the probability of all below the threshold is passed over. The set is
    transitive by itself: what two claims imply holds in every draw in which they hold, so it is never passed over.
    """
    number = values.shape[1]
    probability = np.full((number, number), np.nan)
    for one in range(number):
        probability[one] = (values[:, one : one + 1] > values).mean(axis=0)
    claimed = np.zeros((number, number), dtype=bool)
    ones, others = np.nonzero(probability >= threshold)
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    distance = (mean[ones] - mean[others]) / np.hypot(deviation[ones], deviation[others])
    holding = np.ones(len(values), dtype=bool)
    for place in np.lexsort((-distance, -probability[ones, others])):
        pair = ones[place], others[place]
        still = holding & (values[:, pair[0]] > values[:, pair[1]])
        if still.mean() >= threshold:
            claimed[pair], holding = True, still
    return probability, claimed, float(holding.mean())


def _tiers(known: NDArray[np.str_], claimed: NDArray[np.bool_]) -> pd.DataFrame:
    """Levels of the order: one more than the longest chain above a group, and the last level less the longest chain below it."""
    above, below = (_depth(relation) for relation in (claimed.T, claimed))
    last = int((above + below).max(initial=0)) + 1
    table = pd.DataFrame({"tier": above + 1, "lowest": last - below, "group": known})
    return table.assign(beats=claimed.sum(axis=1), beaten_by=claimed.sum(axis=0)).sort_values(["tier", "group"], ignore_index=True)


def _depth(relation: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Length of the longest chain that starts with each row's claims."""
    depth = np.zeros(len(relation), dtype=np.int64)
    for _ in range(len(relation)):
        deeper = np.where(relation, depth + 1, 0).max(axis=1, initial=0)
        if (deeper == depth).all():
            break
        depth = deeper
    return depth
