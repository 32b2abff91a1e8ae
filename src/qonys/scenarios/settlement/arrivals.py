"""One household after the other, as they arrive: prices of what is left, reckoned anew as the year goes, say who may take what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.assign import Placed, optimum, placed, room, worth
from qonys.scenarios.settlement.needs import Needs
from qonys.scenarios.settlement.prices import Market, prices
from qonys.scenarios.settlement.reasons import reasons

DRAWN = 2_000  # households in a future, each for more than one where more are expected
TIMES = 40  # prices are reckoned in a year, where not said otherwise


def place_arrivals(asked: Needs, *, history: Needs | None = None, gap: float = 1e-4) -> Placed:
    """Place each household on its day of arrival, for good, knowing only those who came before.

    history: households of an earlier time in the same regions (from `needs`). Every few arrivals futures are drawn, with replacement, from
    history and those who came so far, as many as are still expected; the prices are the means of the duals of what is left over these
    futures. A household takes, of the options with room, the one of the highest value - price; on a tie the first region by name. Nobody
    who fits somewhere is sent nowhere. Settings: the part [arrivals] of the placement. The summary's `hindsight` is the value at once, all
    known; regions.price is the mean over arrivals. With all_must nothing is refused here: who cannot be placed is known too late.
    Prices that follow what is left: Agrawal, Wang and Ye (2014), Operations Research 62(4); futures drawn for them: Ahani, Gölz, Procaccia,
    Teytelboym and Trapp (2023), Operations Research, "potentials".
    Errors: DesignError without days of arrival, without both history and expected, or with a history of other limits.
    """
    settings, market = asked.placement.arrivals, replace(asked.market, nowhere=0.0)
    if "arrived_on" not in asked.households:
        raise DesignError("households has no column arrived_on", mend="add the day of arrival, or place everybody at once")
    if history is not None and (history.limits != asked.limits or list(history.regions["region"]) != list(asked.regions["region"])):
        raise DesignError("the history knows other regions or limits than the households", mend="read both with the same table of regions")
    expected = settings.expected or (len(history.households) if history is not None else None)
    if expected is None:
        raise DesignError("how many households are expected is not said", mend="add expected = 1000 to [arrivals], or a history")
    tables = [asked.market] if history is None else [history.market, asked.market]
    before = 0 if history is None else len(history.households)
    pool = Market(
        value=np.vstack([one.value for one in tables]),
        need=np.vstack([one.need for one in tables]),
        capacity=market.capacity,
        region=market.region,
        takes=market.takes,
        count=np.ones(before + len(market.count)),
    )
    every = settings.every or max(1, expected // TIMES)
    option, left = np.full(len(market.count), -1), market.capacity.copy()
    rng = np.random.default_rng(settings.seed)
    epochs: list[np.ndarray] = []
    lefts = np.empty((len(option), *left.shape))
    path = []
    for one in range(len(option)):
        if one % every == 0:
            coming = max(1, expected - one)
            futures = [rng.integers(0, before + one + 1, min(coming, DRAWN)) for _ in range(settings.trajectories)]
            epochs.append(_mean_price(replace(pool, capacity=left), futures, coming, epochs[-1] if epochs else None))
            path.append(_step(asked, one, epochs[-1], left))
        lefts[one] = left
        free = room(market, one, left)
        if free.any():
            net = market.value[one] - (epochs[-1][market.region] * market.takes) @ market.need[one]
            option[one] = best = int(np.argmax(np.where(free, net, -np.inf)))
            left[market.region[best]] -= market.need[one] * market.takes[best]
    why, unplaced = reasons(asked, option, price_at=lambda one: epochs[one // every], left_at=lambda one: lefts[one], settled=False)
    price, best_known = optimum(market, gap=gap)
    lengths = np.diff([*range(0, len(option), every), len(option)])
    return placed(
        asked, option, why, unplaced, price=np.average(epochs, axis=0, weights=lengths), bound=market.bound(price), seed=settings.seed,
        hindsight=worth(market, best_known), path=pd.concat(path, ignore_index=True),
    )  # fmt: skip


def _mean_price(pool: Market, futures: list[np.ndarray], coming: int, near: np.ndarray | None) -> np.ndarray:
    """The mean over futures (rows of the pool, with repeats, for all who are coming) of the prices of what is left."""
    found = []
    for future in futures:
        count = np.bincount(future, minlength=len(pool.count)) * (coming / len(future))
        some = np.flatnonzero(count)
        found.append(prices(pool.of(some, count[some]), near=near)[0])
    return np.asarray(np.mean(found, axis=0))


def _step(asked: Needs, arrivals: int, price: np.ndarray, left: np.ndarray) -> pd.DataFrame:
    rows, columns = np.nonzero(np.isfinite(left))
    return pd.DataFrame({
        "arrivals": arrivals, "region": asked.regions["region"].to_numpy()[rows], "limit": np.array(asked.limits, object)[columns],
        "price": price[rows, columns], "left": left[rows, columns],
    })  # fmt: skip
