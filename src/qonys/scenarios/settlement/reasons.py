"""Why each household is where it is: one code, and the numbers that carry it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from qonys.scenarios.settlement.needs import Needs
from qonys.scenarios.settlement.prices import Market

NEAR = 1e-6  # of a household's weight: values and prices nearer than this are equal


def reasons(
    asked: Needs,
    option: np.ndarray,
    *,
    price_at: Callable[[int], np.ndarray],
    left_at: Callable[[int], np.ndarray],
    settled: bool,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reasons for the placements, and for those placed nowhere.

    option: of each household, -1 nowhere. price_at, left_at: prices and what was left (region x limit) when the household was decided on.
    settled: these are those of the end, its own place taken.

    placements: household_id, members, region, with_jobs, value, price, retention, employment; code; better_region, better_value,
    better_price: the option of the highest value, if higher; gain = better_value - value; price_difference = better_price - price; limit,
    limit_price: of the better option, the limit with no room or else the dearest, and its price a unit; slack: how far value - price falls
    short of the highest value - price it could choose; second_region, second_value: the best other region.
    Codes: family (fixed_region), only_fit (no other region fits), best_here (none is worth more), order_tie (the better one is worth its
    price to the last: who of equals gets it is chance), best_full (the better one had no room; settled: and its price is above the gain),
    best_priced (it had room, its price is above the gain), indivisible (prices alone would choose otherwise: whole families do not fit so).
    So slack is 0 but for family, only_fit, best_here and indivisible.
    unplaced: household_id, members, code, limit, region, value, price: of the best region. Codes: barred, language, service, too_large (for
    `limit`), no_room (its best region is full), indivisible.
    """
    market, region = asked.market, asked.regions["region"].to_numpy()
    members, identity = asked.households["members"].to_numpy(), asked.households["household_id"].to_numpy()
    fixed = asked.households["fixed_region"].notna().to_numpy() if "fixed_region" in asked.households else np.zeros(len(option), bool)
    stays, nowhere = [], []
    for one, here in enumerate(option):
        who = {"household_id": identity[one], "members": members[one]}
        if asked.obstacle[one]:
            nowhere.append({**who, "code": asked.obstacle[one], "limit": asked.obstacle_limit[one] or None})
            continue
        price, left = price_at(one), left_at(one)
        if here < 0:
            nowhere.append({**who, **_nowhere(asked, one, price, left, region, settled)})
            continue
        if settled:
            left = left.copy()
            left[market.region[here]] += market.need[one] * market.takes[here]
        found = {
            **who,
            "region": region[market.region[here]],
            "with_jobs": bool(asked.with_jobs[here]),
            "retention": asked.retention[one, here],
            "employment": asked.employment[one, here],
        }
        stays.append({**found, **_stays(asked, one, int(here), price, left, region, settled, bool(fixed[one]))})
    return pd.DataFrame(stays, columns=STAYS), pd.DataFrame(nowhere, columns=NOWHERE)


STAYS = [
    "household_id", "members", "region", "with_jobs", "value", "price", "retention", "employment", "code", "better_region", "better_value",
    "better_price", "gain", "price_difference", "limit", "limit_price", "slack", "second_region", "second_value",
]  # fmt: skip
NOWHERE = ["household_id", "members", "code", "limit", "region", "value", "price"]


def _stays(
    asked: Needs, one: int, here: int, price: np.ndarray, left: np.ndarray, region: np.ndarray, settled: bool, fixed: bool
) -> dict[str, Any]:
    market = asked.market
    value, cost, enough = _seen(market, one, price, left)
    free = np.asarray(enough.all(axis=1))
    net = np.where(np.isnan(value), -np.inf, value - cost)
    choice = net if settled else np.where(free, net, -np.inf)
    slack, near = float(choice.max() - net[here]), NEAR * asked.weight[one]
    best = int(np.nanargmax(value))
    gain = float(value[best] - value[here])
    others = np.where(market.region == market.region[here], np.nan, value)
    second = None if np.isnan(others).all() else int(np.nanargmax(others))
    found: dict[str, Any] = {"value": value[here], "price": cost[here], "slack": slack if slack > near else 0.0}
    if second is not None:
        found |= {"second_region": region[market.region[second]], "second_value": others[second]}
    difference = float(cost[best] - cost[here])
    if gain <= near:
        gain = difference = 0.0
    else:
        limit = _limit(market, one, best, price, enough)
        found |= {
            "better_region": region[market.region[best]], "better_value": value[best], "better_price": cost[best],
            "limit": asked.limits[limit], "limit_price": price[market.region[best], limit],
        }  # fmt: skip
    found |= {"gain": gain, "price_difference": difference}
    return {**found, "code": _code(fixed, second is None, gain, difference, slack, bool(free[best]), near)}


def _code(fixed: bool, only: bool, gain: float, difference: float, slack: float, free: bool, near: float) -> str:
    if fixed:
        return "family"
    if only:
        return "only_fit"
    if gain == 0:
        return "best_here"
    if slack > near:
        return "indivisible"
    if abs(gain - difference) <= near:
        return "order_tie"
    return "best_priced" if free else "best_full"


def _nowhere(asked: Needs, one: int, price: np.ndarray, left: np.ndarray, region: np.ndarray, settled: bool) -> dict[str, Any]:
    market = asked.market
    value, cost, enough = _seen(market, one, price, left)
    best = int(np.nanargmax(value))
    limit = asked.limits[_limit(market, one, best, price, enough)]
    gains = settled and np.nanmax(value - cost) > NEAR * asked.weight[one]
    code = "indivisible" if gains else "no_room"
    return {"code": code, "limit": limit, "region": region[market.region[best]], "value": value[best], "price": cost[best]}


def _seen(market: Market, one: int, price: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value and cost of each option for a household, and for which limits it had room (option x limit)."""
    draws = market.need[one] * market.takes
    return market.value[one], (draws * price[market.region]).sum(axis=1), (draws <= left[market.region]) | (draws == 0)


def _limit(market: Market, one: int, option: int, price: np.ndarray, enough: np.ndarray) -> int:
    """The limit that stands in the way: of those without room the dearest, else the dearest of all."""
    dear = market.need[one] * market.takes[option] * price[market.region[option]]
    return int(np.argmax(np.where(enough[option].all() | ~enough[option], dear, -1.0)))
