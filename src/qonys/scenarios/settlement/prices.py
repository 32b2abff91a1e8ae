"""What one more place is worth: the prices of limits, by the linear programme in which families could be split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

FEW = 3_000  # options up to which the programme is solved whole
SAMPLE = 2_000  # kinds of households from which first prices come
NEAR = 0.03  # of its highest value: options this near to a household's best enter at once
EXACT = 1e-7  # of a household's highest value: what an option left out may gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Who can go where: kinds of households (rows t), options (columns a: a region, with or without jobs), limits (k).

    value: t x a, NaN where t does not fit a. need: t x k. capacity: region x k, inf where not limited. region: the region of each option.
    takes: a x k, whether the option draws on the limit. count: households of each kind (may be a fraction in a forecast). nowhere: the
    value of being placed nowhere, 0, or far below it where everybody must be placed.
    """

    value: np.ndarray
    need: np.ndarray
    capacity: np.ndarray
    region: np.ndarray
    takes: np.ndarray
    count: np.ndarray
    nowhere: float = 0.0

    def cost(self, price: np.ndarray) -> np.ndarray:
        """What each kind pays for each option, t x a, at the prices of region x k."""
        return np.asarray(self.need @ (price[self.region] * self.takes).T)

    def net(self, price: np.ndarray) -> np.ndarray:
        """Value less cost, -inf where a kind does not fit."""
        return np.where(np.isnan(self.value), -np.inf, self.value - self.cost(price))

    def bound(self, price: np.ndarray) -> float:
        """No placement is worth more than this, whatever the prices (weak duality): sum of the best nets and of the worth of all limits."""
        best = self.net(price).max(axis=1, initial=self.nowhere)
        limited = np.isfinite(self.capacity)
        return float(self.count @ best + (self.capacity[limited] * price[limited]).sum())

    def of(self, kinds: np.ndarray, count: np.ndarray) -> Market:
        """The market of some kinds only."""
        return replace(self, value=self.value[kinds], need=self.need[kinds], count=count)


def kinds_of(value: np.ndarray, need: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Households with the same values and needs are one kind: (first household of each kind, kind of each household, their count)."""
    rows = np.hstack([np.nan_to_num(value, nan=-1.0), need])
    _, first, kind, count = np.unique(rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
    return first, kind.reshape(-1), count


def prices(market: Market, *, near: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Prices of the limits (region x k, 0 where there is none) and the share of each kind at each option (t x a), families split.

    Maximise sum(value x) subject to sum_a x <= count and sum(need x) <= capacity; the prices are the duals of the capacities. Large
    programmes are sifted: solved over the options near a household's best at the prices so far, until no option left out would gain.
    near: prices to begin with, if some are known.
    """
    fits = ~np.isnan(market.value)
    if fits.sum() <= FEW or (near is None and len(market.count) <= SAMPLE):
        return _solve(market, fits)
    if near is None:
        some = np.unique(np.linspace(0, len(market.count) - 1, SAMPLE).astype(int))
        near, _ = _solve(market.of(some, market.count[some] * (market.count.sum() / market.count[some].sum())), fits[some])
    scale = np.where(fits, market.value, 0.0).max(axis=1, keepdims=True)
    price, kept = near, np.zeros_like(fits)
    while True:
        net = market.net(price)
        kept |= fits & (net >= net.max(axis=1, initial=market.nowhere, keepdims=True) - NEAR * scale)
        price, share = _solve(market, kept)
        net = market.net(price)
        held = np.where(kept, net, -np.inf).max(axis=1, initial=market.nowhere, keepdims=True)
        if not (net > held + EXACT * scale).any():
            return price, share


def _solve(market: Market, open_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    programme = Programme(market, open_)
    solution = programme.solve({})
    price = np.zeros(market.capacity.size)
    price[programme.limits] = np.maximum(0.0, -np.array(solution.row_dual)[len(market.count) :])
    return price.reshape(market.capacity.shape), programme.placed(solution)


class Programme:
    """The linear or integer programme of a market over its open options, as HiGHS takes it: columns options, rows kinds, then limits."""

    def __init__(self, market: Market, open_: np.ndarray) -> None:
        self.market = market
        self.kind, self.option = np.nonzero(open_)
        kinds, limits = len(market.count), market.need.shape[1]
        uses = market.takes[self.option] * market.need[self.kind]
        rows = market.region[self.option][:, None] * limits + np.arange(limits)
        # an infinite capacity is no row
        self.limits = np.flatnonzero(np.isfinite(market.capacity))
        row_of = np.full(market.capacity.size, -1)
        row_of[self.limits] = kinds + np.arange(len(self.limits))
        drawn = (uses > 0) & (row_of[rows] >= 0)
        # each column: its kind, then the limits it draws on
        entries = np.hstack([np.ones((len(self.kind), 1), bool), drawn])
        self.start = np.concatenate([[0], np.cumsum(entries.sum(axis=1))]).astype(np.int32)
        self.index = np.hstack([self.kind[:, None], row_of[rows]])[entries].astype(np.int32)
        self.number = np.hstack([np.ones((len(self.kind), 1)), uses])[entries].astype(float)

    def solve(self, options: dict[str, Any], *, whole: bool = False) -> Any:
        """The solution of HiGHS on one thread; `whole`: no household is split."""
        import highspy
        from highspy._core import _Highs  # `Highs` itself greets on standard output, among the data

        market, columns = self.market, len(self.kind)
        highs = _Highs()
        for name, setting in {"output_flag": False, "threads": 1, "random_seed": 0, **options}.items():
            highs.setOptionValue(name, setting)
        infinite = highspy.kHighsInf
        upper = np.concatenate([market.count, market.capacity.reshape(-1)[self.limits]]).astype(float)
        worth = market.value[self.kind, self.option] - market.nowhere
        highs.passModel(
            columns, len(upper), len(self.index), 0, int(highspy.MatrixFormat.kColwise), 1, int(highspy.ObjSense.kMinimize),
            -market.nowhere * float(market.count.sum()), -worth, np.zeros(columns), market.count[self.kind].astype(float),
            np.full(len(upper), -infinite), upper, self.start, self.index, self.number, np.zeros(1, np.int32), np.zeros(1, np.int32),
            np.zeros(1), np.full(columns, int(whole), np.int32),
        )  # fmt: skip
        highs.run()
        return highs.getSolution()

    def placed(self, solution: Any) -> np.ndarray:
        """How many of each kind go to each option, t x a."""
        found = np.zeros(self.market.value.shape)
        found[self.kind, self.option] = np.array(solution.col_value)
        return found
