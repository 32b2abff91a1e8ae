"""Who was still there each day somebody left: the sums of Cox's model, so that it can be refitted hundreds of times, by household.

lifelines fits the model; it takes no account of support that begins late in its residuals, its robust errors and its baseline, and needs
minutes for those of many households. These sums give all of it in one pass over sorted rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Sums(NamedTuple):
    """At one beta: log partial likelihood, its gradient and information; and by departure: point, share of its ties, mean x, 1 / risk."""

    likelihood: float
    gradient: Floats
    information: Floats
    point: NDArray[np.intp]
    tie: Floats
    mean: Floats
    inverse: Floats


class RiskSets:
    """Rows of stays: at risk from after `start` to `stop` days, leaving at `stop` where `left`, compared within `stratum` (0, 1, ...).

    x: rows x terms, centred and of a like scale. Ties by Efron (1977), JASA 72(359). A weight counts how often a row stands there.
    """

    def __init__(self, x: Floats, start: Floats, stop: Floats, left: NDArray[np.bool_], stratum: NDArray[np.intp] | None = None) -> None:
        self.x, self.left = x, left
        self.stratum = np.zeros(len(x), dtype=np.intp) if stratum is None else stratum
        # strata one after another on one line of days, so that a day is at risk only with those of its own stratum
        self.last = float(stop.max())
        self.span = self.last + 1
        begin, end = self.stratum * self.span + start, self.stratum * self.span + stop
        self.points, point = np.unique(end[left], return_inverse=True)
        self.event = np.flatnonzero(left)
        self.point = point
        self.after_start = np.searchsorted(self.points, begin, side="right")
        self.upto_stop = np.searchsorted(self.points, end, side="right")
        bound = (self.points // self.span + 1) * self.span
        self._by_stop, self._by_start = np.argsort(end, kind="stable"), np.argsort(begin, kind="stable")
        self._stop_from, self._stop_to = (np.searchsorted(end[self._by_stop], key) for key in (self.points, bound))
        self._start_from, self._start_to = (np.searchsorted(begin[self._by_start], key) for key in (self.points, bound))
        self._late = bool((start > 0).any())

    def at_risk(self, values: Floats) -> Floats:
        """Sums of a value of rows (rows x columns) over those at risk on each day of departure."""

        def between(order: NDArray[np.intp], first: NDArray[np.intp], last: NDArray[np.intp]) -> Floats:
            total = np.zeros((len(values) + 1, values.shape[1]))
            np.cumsum(values[order], axis=0, out=total[1:])
            return total[last] - total[first]

        found = between(self._by_stop, self._stop_from, self._stop_to)
        return found - between(self._by_start, self._start_from, self._start_to) if self._late else found

    def sums(self, beta: Floats, weight: Floats) -> Sums:
        """Likelihood and its parts at a beta."""
        line = self.x @ beta
        shift = line.max()
        risk = weight * np.exp(line - shift)
        held = np.column_stack([risk, risk[:, None] * self.x])
        whole, leaving = self.at_risk(held), np.zeros((len(self.points), held.shape[1]))
        np.add.at(leaving, self.point, held[self.event])
        times = np.bincount(self.point, weight[self.event], len(self.points)).astype(np.intp)
        point = np.repeat(np.arange(len(self.points)), times)
        tie = (np.arange(len(point)) - np.repeat(times.cumsum() - times, times)) / times[point]
        rest = whole[point] - tie[:, None] * leaving[point]
        inverse = 1 / rest[:, 0]
        mean = rest[:, 1:] * inverse[:, None]
        hazard = risk * self._passed(point, tie, inverse)
        gradient = self.x[self.event].T @ weight[self.event] - self.x.T @ hazard
        information = self.x.T @ (hazard[:, None] * self.x) - mean.T @ mean
        likelihood = float(weight[self.event] @ line[self.event] + np.log(inverse).sum() - shift * len(point))
        return Sums(likelihood, gradient, information, point, tie, mean, inverse * np.exp(-shift))

    def fit(self, weight: Floats, beta: Floats, *, rounds: int = 30) -> Floats:
        """The beta of greatest likelihood, from a first guess; not a number where the terms cannot be told apart."""
        now = self.sums(beta, weight)
        for _ in range(rounds):
            try:
                step = np.linalg.solve(now.information, now.gradient)
            except np.linalg.LinAlgError:
                return np.full_like(beta, np.nan)
            if not np.isfinite(step).all():
                return np.full_like(beta, np.nan)
            for _ in range(20):
                then = self.sums(beta + step, weight)
                if then.likelihood >= now.likelihood - 1e-9 * abs(now.likelihood):
                    break
                step = step / 2
            gain = then.likelihood - now.likelihood
            beta, now = beta + step, then
            if gain < 1e-10 * abs(now.likelihood) + 1e-10:
                break
        return beta

    def baseline(self, beta: Floats, weight: Floats, days: Floats) -> Floats:
        """Cumulative hazard of x = 0 by stratum and day (strata x days). Breslow (1972)."""
        risk = self.at_risk((weight * np.exp(self.x @ beta))[:, None])[:, 0]
        gone = np.bincount(self.point, weight[self.event], len(self.points))
        steps = np.divide(gone, risk, out=np.zeros_like(risk), where=gone > 0)
        passed = np.concatenate([[0.0], steps.cumsum()])
        first = np.arange(self.stratum.max() + 1)[:, None] * self.span
        upto = np.searchsorted(self.points, first + np.minimum(days, self.last), side="right")
        return np.asarray(passed[upto] - passed[np.searchsorted(self.points, first, side="right")])

    def residuals(self, beta: Floats) -> tuple[Floats, Floats]:
        """Score residuals of all rows and Schoenfeld residuals of the rows that left, in their order. Therneau and Grambsch (2000), 4."""
        found = self.sums(beta, np.ones(len(self.x)))
        many = np.bincount(found.point, minlength=len(self.points))[:, None]
        means = np.zeros((len(self.points), self.x.shape[1]))
        np.add.at(means, found.point, found.mean)
        schoenfeld = self.x[self.event] - (means / many)[self.point]
        own = self._passed(found.point, found.tie, found.inverse)[:, None] * self.x
        others = np.column_stack([self._passed(found.point, found.tie, found.inverse * column) for column in found.mean.T])
        score = -np.exp(self.x @ beta)[:, None] * (own - others)
        score[self.event] += schoenfeld
        return score, schoenfeld

    def _passed(self, point: NDArray[np.intp], tie: Floats, value: Floats) -> Floats:
        """Sum of a value of departures over the days a row was at risk; one that leaves bears its own day less its share of ties."""
        total = np.concatenate([[0.0], np.bincount(point, value, len(self.points)).cumsum()])
        passed = total[self.upto_stop] - total[self.after_start]
        passed[self.event] -= np.bincount(point, tie * value, len(self.points))[self.point]
        return np.asarray(passed)
