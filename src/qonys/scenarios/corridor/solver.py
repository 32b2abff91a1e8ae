"""HiGHS, fed by arrays: one thread and a fixed seed, so that the same model has the same solution wherever the time does not run out.

Huangfu and Hall (2018), Math. Prog. Comp. 10(1): the dual simplex method of HiGHS.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Outcome = Literal["optimal", "infeasible", "time"]
INF = float("inf")
LARGEST = 2_000_000  # columns of a model beyond which nothing is tried
TIGHT = 1e-7


@dataclass(frozen=True, slots=True)
class Model:
    """Minimise cost over columns within bounds, rows of the matrix (row, column, value) within theirs; `whole` columns are integers."""

    cost: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    whole: NDArray[np.bool_]
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]
    entries: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]

    def activity(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the rows add up to."""
        rows, columns, factors = self.entries
        return np.asarray(np.bincount(rows, weights=factors * values[columns], minlength=len(self.row_lower)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Solution:
    """outcome: `optimal` to the gap asked, `infeasible`, or `time` ran out; values are None where no solution was found.

    value, bound: of the objective; duals: of the rows, of a model without integers (change of the optimum a unit of the limit).
    """

    outcome: Outcome
    value: float
    bound: float
    values: NDArray[np.float64] | None
    duals: NDArray[np.float64] | None


class Solver:
    """A model in HiGHS that can be changed and solved again from where it stood."""

    def __init__(self, model: Model) -> None:
        if len(model.cost) > LARGEST:
            raise DesignError(f"the corridor makes a model of {len(model.cost):,} columns", mend="shorten it, or merge groups or legs")
        library = _library()
        self.model, self._highs, self._kind = model, library.Highs(), library.HighsModelStatus
        for option, value in (("output_flag", False), ("threads", 1), ("random_seed", 1), ("primal_feasibility_tolerance", TIGHT),
                              ("dual_feasibility_tolerance", TIGHT), ("mip_feasibility_tolerance", TIGHT)):  # fmt: skip
            self._highs.setOptionValue(option, value)
        start, index, factors = _by_column(model)
        self._highs.passModel(
            len(model.cost), len(model.row_lower), len(index), 1, 1, 0.0, model.cost, model.lower, model.upper, model.row_lower,
            model.row_upper, start, index, factors, model.whole.astype(np.int32),
        )  # fmt: skip

    def rows(self, rows: NDArray[np.int64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        """Other limits for some rows."""
        for row, low, high in zip(rows.tolist(), lower.tolist(), upper.tolist(), strict=True):
            self._highs.changeRowBounds(row, low, high)

    def columns(self, columns: NDArray[np.int64], lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        """Other bounds for some columns."""
        self._highs.changeColsBounds(len(columns), columns.astype(np.int32), lower.astype(float), upper.astype(float))

    def costs(self, columns: NDArray[np.int64], cost: NDArray[np.float64]) -> None:
        """Other costs of some columns."""
        self._highs.changeColsCost(len(columns), columns.astype(np.int32), cost.astype(float))

    def start(self, columns: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Values from which an integer search may begin."""
        self._highs.setSolution(len(columns), columns.astype(np.int32), values.astype(float))

    def solve(self, *, gap: float = 0.0, seconds: float = 60.0) -> Solution:
        """To a relative gap |value - bound| / |value|, or until the time is over."""
        self._highs.setOptionValue("mip_rel_gap", float(gap))
        self._highs.setOptionValue("time_limit", float(self._highs.getRunTime() + max(seconds, 0.01)))
        self._highs.run()
        status, info = self._highs.getModelStatus(), self._highs.getInfo()
        if status in (self._kind.kInfeasible, self._kind.kUnboundedOrInfeasible):
            return Solution("infeasible", INF, INF, None, None)
        whole = bool(self.model.whole.any())
        found = info.primal_solution_status == 2  # kSolutionStatusFeasible
        solution = self._highs.getSolution()
        values = np.array(solution.col_value) if found else None
        outcome: Outcome = "optimal" if status in (self._kind.kOptimal, self._kind.kModelEmpty) else "time"
        value = float(info.objective_function_value) if found else INF
        bound = float(info.mip_dual_bound) if whole else value if outcome == "optimal" else -INF
        return Solution(outcome, value, bound, values, None if whole or not found else np.array(solution.row_dual))


@cache
def _library() -> Any:
    """highspy, whose first model in a process greets on standard output, where our data goes: it is made with that output led away."""
    import highspy

    try:
        kept = os.dup(1)
    except OSError:  # there is no such output
        return highspy
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
    return highspy


def _by_column(model: Model) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    rows, columns, values = model.entries
    order = np.lexsort((rows, columns))
    start = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=len(model.cost)))]).astype(np.int32)
    return start, rows[order].astype(np.int32), values[order].astype(float)


def elastic(model: Model, rows: NDArray[np.int64], signs: NDArray[np.float64], *, together: bool = False) -> Model:
    """The model without costs, and at its end a slack column for each of the rows, or one for all of them together.

    signs: -1 lets a row exceed its upper limit, 1 fall below its lower one.
    """
    columns, count = len(model.cost), 1 if together else len(rows)
    more = (rows, columns + (np.zeros(len(rows), dtype=int) if together else np.arange(count)), signs)
    entries: list[Any] = [np.concatenate([before, after]) for before, after in zip(model.entries, more, strict=True)]
    return Model(
        cost=np.zeros(columns + count), lower=np.concatenate([model.lower, np.zeros(count)]),
        upper=np.concatenate([model.upper, np.full(count, INF)]), whole=np.concatenate([model.whole, np.zeros(count, dtype=bool)]),
        row_lower=model.row_lower, row_upper=model.row_upper, entries=tuple(entries),
    )  # fmt: skip
