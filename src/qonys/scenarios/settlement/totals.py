"""What published totals alone say of resettlement: the share that went back, with its interval."""

from __future__ import annotations

from statsmodels.stats.proportion import proportion_confint

from qonys.core.errors import DesignError


def returned_share(returned: float, resettled: float, *, coverage: float = 0.95) -> tuple[float, float, float]:
    """Percent of the resettled who went back, with its Wilson interval: (value, low, high).

    The interval takes people as independent; families move together, so the true one is wider. Wilson (1927), JASA 22(158).
    Errors: DesignError if more went back than came, or nobody came.
    """
    if resettled <= 0 or not 0 <= returned <= resettled:
        raise DesignError(f"{returned:g} of {resettled:g} is not a part of a whole", mend="check which is the total")
    low, high = proportion_confint(returned, resettled, alpha=1 - coverage, method="wilson")
    return 100 * returned / resettled, 100 * float(low), 100 * float(high)
