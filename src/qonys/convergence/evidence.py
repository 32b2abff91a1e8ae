"""A series that says how far apart areas are, with the same series without each of them: what a verdict and its doubt are made of.

Spread, distance of portfolios and departure from the modal rule are unlike in all but this. The areas are the whole population of the
question, so an interval says how much hangs on which of them are in: Student's t times the jackknife error (see `sigma`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from qonys.convergence.panel import FEWEST_AREAS, wide_of
from qonys.convergence.sigma import Change, deviations
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """name: spread, distance or departure. periods, areas: in order; value: by period; without: areas x periods, the value without one."""

    name: str
    periods: tuple[str, ...]
    areas: tuple[str, ...]
    value: Floats
    without: Floats

    def times(self, factor: float) -> Evidence:
        """The same in another unit."""
        return replace(self, value=factor * self.value, without=factor * self.without)

    def table(self, coverage: float = 0.95) -> pd.DataFrame:
        """period, value, low, high; low not below zero."""
        reach = _reach(self.without, coverage)
        return pd.DataFrame(
            {"period": self.periods, "value": self.value, "low": np.maximum(self.value - reach, 0.0), "high": self.value + reach}
        )

    def change(self, before: Sequence[str], after: Sequence[str], coverage: float = 0.95) -> tuple[Change, tuple[str, ...]]:
        """Mean of the periods `after` less that of `before`, and the areas without any one of which the verdict would be another.

        Without one area the estimate moves; its interval is taken to be as wide as that of all. Periods without a value are left out.
        Errors: DesignError for a phase in which no period has one.
        """
        weights = np.zeros(len(self.periods))
        known = np.isfinite(self.value)
        for phase, sign in ((before, -1.0), (after, 1.0)):
            inside = np.isin(self.periods, list(phase)) & known
            if not inside.any():
                raise DesignError(f"the evidence {self.name} has no value in a phase", mend="choose phases in which it has one")
            weights[inside] += sign / inside.sum()
        used = weights != 0
        estimate = float(self.value[used] @ weights[used])
        without = self.without[:, used] @ weights[used]
        reach = float(_reach(without[:, None], coverage)[0])
        share = float(np.mean(without > 0))
        found, *others = (Change(middle, middle - reach, middle + reach, share, coverage) for middle in (estimate, *without))
        return found, tuple(area for area, one in zip(self.areas, others, strict=True) if one.verdict != found.verdict)


def evidence_of_spread(panel: pd.DataFrame) -> Evidence:
    """The standard deviation of a panel: area, period, value. Periods with fewer than FEWEST_AREAS areas have no value.

    Errors: DesignError for an empty panel or too few areas.
    """
    wide = wide_of(panel)
    if len(wide) < FEWEST_AREAS:
        raise DesignError(f"the panel has {len(wide)} areas", mend=f"a spread needs at least {FEWEST_AREAS}")
    values = wide.to_numpy()
    whole, without = deviations(values)
    few = np.isfinite(values).sum(axis=0) < FEWEST_AREAS
    return Evidence(
        "spread",
        tuple(map(str, wide.columns)),
        tuple(map(str, wide.index)),
        np.where(few, np.nan, whole),
        np.where(few[None, :], np.nan, without),
    )


def _reach(without: Floats, coverage: float) -> Floats:
    areas = len(without)
    reach: Floats = float(scipy.stats.t.ppf((1 + coverage) / 2, areas - 1)) * np.sqrt((areas - 1) * without.var(axis=0))
    return reach
