"""What published totals alone say of resettlement: the share that went back, with its interval, and what they cannot say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_FAMILY = 30


@dataclass(frozen=True, slots=True)
class Totals:
    """What two totals tell.

    returned: taken_as (`independent`: each person decides alone; `families`: each family as one), deciding (how many decide), value, low,
    high: percent that went back by the day of the count. retained: months, low, high: percent that can have been still there that long
    after the move, whatever happened (bounds, not an interval of chance). unknown: codes of what cannot be concluded.
    """

    returned: pd.DataFrame
    retained: pd.DataFrame
    unknown: tuple[str, ...]
    coverage: float


def returned_share(returned: float, resettled: float, *, coverage: float = 0.95) -> tuple[float, float, float]:
    """Percent of the resettled who went back, with its Wilson interval: (value, low, high).

    The interval takes people as independent; families move together, so the true one is wider. Wilson (1927), JASA 22(158).
    Errors: DesignError if more went back than came, or nobody came.
    """
    if resettled <= 0 or not 0 <= returned <= resettled:
        raise DesignError(f"{returned:g} of {resettled:g} is not a part of a whole", mend="check which is the total")
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(returned, resettled, alpha=1 - coverage, method="wilson")
    return 100 * returned / resettled, 100 * float(low), 100 * float(high)


def from_totals(
    returned: int,
    resettled: int,
    *,
    mean_family: float | None = None,
    watched_months: tuple[float, float] | None = None,
    months: Sequence[int] = (12, 24, 36),
    coverage: float = 0.95,
) -> Totals:
    """What `returned` of `resettled` persons tell of going back, and what not.

    mean_family: persons per family; adds the interval for families of that size that go or stay as one (resettled / mean_family decide;
    families of unequal size make it wider still: Kish 1965, 5.4). watched_months: months from the move to the day of the count of those who
    came last and first. Bounds of retention at k months: who was watched for k months or more was still there unless it is among those
    returned, who may have gone before or after; of who was watched for less nothing is known. So, with share r returned: k up to the
    shortest watch: 1 - r to 1; k from the longest: 0 to 1 - r, for all of r had gone by then; between, or unknown: 0 to 1.
    unknown: time_since_move_unknown (no watched_months: the share is of no horizon), by_support_unknown, moved_on_elsewhere_unknown (who
    went on to a third place counts as there, so that the bounds hold for going back only), trend_unknown, families_move_together (no
    mean_family: the interval is too narrow).
    Errors: DesignError for what is no part of a whole, no counts (a share), families below 1 or above 30, a watch or months out of order.
    """
    for number in (returned, resettled):
        if isinstance(number, bool) or not math.isfinite(number) or number != int(number):
            raise DesignError(f"{number} is no count of persons", mend="give how many went back and how many came, not a share")
    if isinstance(coverage, bool) or not 0.5 <= coverage < 1:
        raise DesignError(f"a coverage of {coverage} is none", mend="give a share from 0.5 to below 1, such as 0.95")
    rows = [("independent", float(resettled), *returned_share(returned, resettled, coverage=coverage))]
    unknown = ["by_support_unknown", "moved_on_elsewhere_unknown", "trend_unknown"]
    if mean_family is None:
        unknown.append("families_move_together")
    elif isinstance(mean_family, bool) or not 1 <= mean_family <= LARGEST_FAMILY:
        raise DesignError(f"a mean family of {mean_family} persons is none", mend=f"give persons per family, 1 to {LARGEST_FAMILY}")
    else:
        deciding = resettled / mean_family
        rows.append(("families", deciding, *returned_share(returned / mean_family, deciding, coverage=coverage)))
    if watched_months is None:
        unknown.insert(0, "time_since_move_unknown")
        shortest, longest = 0.0, math.inf
    else:
        shortest, longest = watched_months
        if not 0 <= shortest <= longest < math.inf:
            raise DesignError(f"watched from {shortest} to {longest} months is no span", mend="give the shortest watch first")
    if not all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in months):
        raise DesignError(f"months {list(months)} are no months after the move", mend="give whole months, such as [12, 24, 36]")
    stayed = 100 - rows[0][2]
    bounds = [(one, stayed if one <= shortest else 0.0, stayed if one >= longest else 100.0) for one in months]
    return Totals(
        pd.DataFrame(rows, columns=["taken_as", "deciding", "value", "low", "high"]),
        pd.DataFrame(bounds, columns=["months", "low", "high"]),
        tuple(unknown),
        coverage,
    )


def households_needed(*, returned: float, fewer: float, power: float = 0.8, level: float = 0.05) -> int:
    """Households to follow in each of two groups, so that a share `fewer` lower than `returned` is seen with the power.

    A test of two independent shares of equal groups, two-sided at `level`, on the arcsine scale (Cohen 1988, 6.3). Each household counts
    once, so families who move together do no harm; households lost from sight have to be added.
    Errors: DesignError for shares out of range.
    """
    from statsmodels.stats.power import NormalIndPower
    from statsmodels.stats.proportion import proportion_effectsize

    if not 0 < fewer < returned < 1:
        raise DesignError(f"{fewer:g} fewer of {returned:g} is no smaller share", mend="give shares: returned = 0.08, fewer = 0.02")
    size = proportion_effectsize(returned, returned - fewer)
    needed = float(NormalIndPower().solve_power(size, alpha=level, power=power, alternative="two-sided"))
    return math.ceil(needed)
