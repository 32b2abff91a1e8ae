"""Everybody at once: the placement of whole households that is worth most, with its bound, its prices and what simpler rules would give."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.needs import Needs
from qonys.scenarios.settlement.prices import Market, Programme, kinds_of, prices
from qonys.scenarios.settlement.reasons import reasons

MORE = 500  # options beyond one a kind that the integer programme sees first
NODES = 1_000  # after which the best found so far is taken: a limit of work, since one of time would make results depend on the machine
DRAWS = 10  # random placements whose mean is reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Households placed, why, and how good that is.

    Values are in expected persons (or households, as the placement weighs) with the outcome; prices are values per unit of a limit.
    placements: household_id, members, region, with_jobs, value, price (paid for all it takes), retention, employment (0-1), and the
    reason (see `reasons`). unplaced: household_id, members, code, limit, region, value, price. regions: region, limit, capacity, used,
    left, price: the value of one more unit. summary, one row: households, placed, persons, persons_placed, value, bound (no placement is
    worth more), gap = (bound - value) / bound, mean_retention, mean_employment (of the placed, weighted as the values), greedy, random
    (values of best-that-fits in turn, and of the mean of DRAWS random placements), hindsight (of arrivals: the value at once).
    groups: by (members, arrival_quarter), group, households, placed, mean_value (0-1, 0 for the unplaced): are large families or those who
    came late served worse? path: of arrivals, prices as they went: arrivals, region, limit, price, left. notes: code, subject.
    """

    placements: pd.DataFrame
    unplaced: pd.DataFrame
    regions: pd.DataFrame
    summary: pd.DataFrame
    groups: pd.DataFrame
    path: pd.DataFrame
    notes: pd.DataFrame


def place(asked: Needs, *, gap: float = 1e-4, seed: int = 0) -> Placed:
    """Place all households at once.

    Maximises the sum of values: a linear programme gives prices and bound, an integer one the whole households, to `gap` of the bound if
    NODES allow (the gap reached is in the summary). Prices are duals: one more unit of a limit is worth at most that.
    seed: of the random placements. Errors: DesignError if all must be placed and cannot, naming households and limits.
    Annie MOORE: Ahani et al. (2021), Operations Research 69(5), eq. 1-5; limits beside them as declared.
    """
    price, option = optimum(asked.market, gap=gap)
    if asked.placement.all_must and (option < 0).any():
        raise _conflict(asked, option)
    left = asked.market.capacity - used(asked.market, option)
    why, unplaced = reasons(asked, option, price_at=lambda _: price, left_at=lambda _: left, settled=True)
    return placed(asked, option, why, unplaced, price=price, bound=asked.market.bound(price), seed=seed)


def optimum(market: Market, *, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Prices (region x limit) and the option of each household, -1 for nowhere, of the placement worth most.

    An option whose value less price falls short of the household's best by more than bound - value found is in no better placement
    (reduced-cost fixing), so the integer programme needs only the options nearer than that.
    """
    first, kind, count = kinds_of(market.value, market.need)
    kinds = market.of(first, count.astype(float))
    price, share = prices(kinds)
    bound, net = kinds.bound(price), kinds.net(price)
    top = net.max(axis=1, initial=market.nowhere, keepdims=True)
    # nowhere stands as a last option
    short = np.hstack([top - net, top - market.nowhere])
    ordered = np.sort(short[np.isfinite(short)])
    more, best, option = MORE, -np.inf, np.full(len(kind), -1)
    while True:
        reach = ordered[min(len(count) + more, len(ordered)) - 1]
        numbers = _whole(kinds, share, short <= reach, gap * abs(bound))
        found = _improved(market, _handed_out(numbers, kind))
        if worth(market, found) > best:
            best, option = worth(market, found), found
        if bound - best <= gap * abs(bound) + 1e-9 or reach >= min(bound - best, ordered[-1]):
            return price, option
        more *= 8


def _whole(kinds: Market, share: np.ndarray, near: np.ndarray, gap: float) -> np.ndarray:
    """Whole households of each kind at each option: all to the only one near (nowhere is one too); where more are, solved."""
    numbers = np.rint(share)
    split = np.abs(share - numbers).max(axis=1, initial=0.0) > 1e-6
    open_ = np.flatnonzero(split | (near.sum(axis=1) > 1))
    numbers[open_] = 0
    left = kinds.capacity.copy()
    for one, option in zip(*np.nonzero(numbers), strict=True):
        left[kinds.region[option]] -= numbers[one, option] * kinds.need[one] * kinds.takes[option]
    if len(open_):
        programme = Programme(replace(kinds.of(open_, kinds.count[open_]), capacity=np.maximum(left, 0.0)), near[open_, :-1])
        solution = programme.solve({"mip_rel_gap": 0.0, "mip_abs_gap": max(gap, 1e-9), "mip_max_nodes": NODES}, whole=True)
        numbers[open_] = np.rint(programme.placed(solution))
    return np.asarray(numbers.astype(int))


def _handed_out(numbers: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """The option of each household, where `numbers` of each kind go to each option; within a kind in order."""
    option = np.full(len(kind), -1)
    members = np.argsort(kind, kind="stable")
    begin = np.searchsorted(kind[members], np.arange(len(numbers)))
    for one in np.flatnonzero(numbers.any(axis=1)):
        goes = np.repeat(np.arange(numbers.shape[1]), numbers[one])
        option[members[begin[one] : begin[one] + len(goes)]] = goes
    return option


def _improved(market: Market, option: np.ndarray) -> np.ndarray:
    """The same with everybody moved who has a better option with room; only ever found where the solver stopped within its gap."""
    option, left = option.copy(), market.capacity - used(market, option)
    value = np.nan_to_num(market.value, nan=-np.inf)
    moved = True
    while moved:
        moved = False
        here = np.where(option >= 0, value[np.arange(len(option)), option], market.nowhere)
        for one in map(int, np.flatnonzero(value.max(axis=1, initial=-np.inf) > here + 1e-9)):
            free = left.copy()
            if option[one] >= 0:
                free[market.region[option[one]]] += market.need[one] * market.takes[option[one]]
            scores = np.where(room(market, one, free), value[one], -np.inf)
            best = int(np.argmax(scores))
            if scores[best] > here[one] + 1e-9:
                free[market.region[best]] -= market.need[one] * market.takes[best]
                option[one], left, moved = best, free, True
    return option


def room(market: Market, one: int, left: np.ndarray) -> np.ndarray:
    """The options for which a household fits what is left, capacity and all."""
    enough = (market.need[one] <= left[market.region]) | ~market.takes | (market.need[one] == 0)
    return np.asarray(enough.all(axis=1) & ~np.isnan(market.value[one]))


def used(market: Market, option: np.ndarray) -> np.ndarray:
    """What the placed take of each limit, region x limit."""
    total = np.zeros(market.capacity.shape)
    some = option >= 0
    np.add.at(total, market.region[option[some]], market.need[some] * market.takes[option[some]])
    return total


def worth(market: Market, option: np.ndarray) -> float:
    """The value of a placement."""
    some = option >= 0
    return float(market.value[some, option[some]].sum() + market.nowhere * (~some).sum())


def in_turn(market: Market, score: np.ndarray) -> np.ndarray:
    """Each household in turn to the option of the highest score (household x option) that has room: with values as scores, greedy."""
    option, left = np.full(len(score), -1), market.capacity.copy()
    for one in range(len(score)):
        free = room(market, one, left)
        if free.any():
            option[one] = best = int(np.argmax(np.where(free, score[one], -np.inf)))
            left[market.region[best]] -= market.need[one] * market.takes[best]
    return option


def placed(
    asked: Needs, option: np.ndarray, why: pd.DataFrame, unplaced: pd.DataFrame, *, price: np.ndarray, bound: float, seed: int,
    hindsight: float = float("nan"), path: pd.DataFrame | None = None,
) -> Placed:  # fmt: skip
    """The tables of a placement; see `Placed`."""
    market, households = asked.market, asked.households
    some = np.flatnonzero(option >= 0)
    at = option[some]
    # what is lost by nowhere where all must be placed is no value
    value = float(market.value[some, at].sum())
    means = {
        f"mean_{name}": float(np.average(table[some, at], weights=asked.weight[some])) if len(some) else float("nan")
        for name, table in (("retention", asked.retention), ("employment", asked.employment))
    }
    rng = np.random.default_rng(seed)
    simple = [in_turn(market, score) for score in (market.value, *(rng.random(market.value.shape) for _ in range(DRAWS)))]
    greedy, *random = (float(market.value[rule >= 0, rule[rule >= 0]].sum()) for rule in simple)
    members = households["members"].to_numpy(float)
    summary = pd.DataFrame([{
        "households": len(option), "placed": len(some), "persons": members.sum(), "persons_placed": members[some].sum(), "value": value,
        "bound": bound, "gap": max(0.0, bound - value) / bound if bound > 0 else 0.0, **means, "greedy": greedy,
        "random": float(np.mean(random)), "hindsight": hindsight,
    }])  # fmt: skip
    rows, columns = np.nonzero(np.isfinite(market.capacity))
    taken = used(market, option)
    regions = pd.DataFrame({
        "region": asked.regions["region"].to_numpy()[rows], "limit": np.array(asked.limits, object)[columns],
        "capacity": market.capacity[rows, columns], "used": taken[rows, columns],
        "left": (market.capacity - taken)[rows, columns], "price": price[rows, columns],
    })  # fmt: skip
    no_path = pd.DataFrame(columns=["arrivals", "region", "limit", "price", "left"])
    return Placed(
        placements=why, unplaced=unplaced, regions=regions, summary=summary, groups=_groups(asked, option),
        path=no_path if path is None else path, notes=asked.notes,
    )  # fmt: skip


def _groups(asked: Needs, option: np.ndarray) -> pd.DataFrame:
    households, some = asked.households, option >= 0
    share = np.zeros(len(option))
    share[some] = asked.market.value[some, option[some]] / asked.weight[some]
    rows = pd.DataFrame({"members": households["members"].astype(int), "placed": some, "value": share})
    by = {"members": rows["members"]}
    if "arrived_on" in households:
        by["arrival_quarter"] = households["arrived_on"].dt.to_period("Q").astype(str)
    parts = []
    for name, group in by.items():
        table = rows.groupby(group).agg(households=("placed", "size"), placed=("placed", "sum"), mean_value=("value", "mean"))
        parts.append(table.rename_axis("group").reset_index().astype({"group": str}).assign(by=name))
    return pd.concat(parts, ignore_index=True)[["by", "group", "households", "placed", "mean_value"]]


def _conflict(asked: Needs, option: np.ndarray) -> DesignError:
    households, market = asked.households, asked.market
    never = np.flatnonzero(asked.obstacle != "")
    one = int(never[0]) if len(never) else int(np.flatnonzero(option < 0)[0])
    name = households["household_id"].iloc[one]
    if len(never):
        obstacle = f"{asked.obstacle[one]} {asked.obstacle_limit[one]}".strip()
        what = f"{len(never)} households fit no region whatever the others do, {name!r} for one ({obstacle})"
        return DesignError(what, mend="open a region to them, or write all_must = false")
    short = [
        f"{limit} ({wanted:g} needed, {there:g} there)"
        for limit, wanted, there in zip(asked.limits, market.need.sum(axis=0), market.capacity.sum(axis=0), strict=True)
        if wanted > there and (not limit.startswith("jobs_") or asked.placement.jobs == "needed")
    ]
    cause = "too few " + ", ".join(short) if short else "limits that bind together"
    return DesignError(
        f"{(option < 0).sum()} of {len(option)} households find no place, {name!r} for one: {cause}",
        mend="raise that limit, or write all_must = false",
    )
