"""What one more household that stays costs: the cost of a measure over the retention it adds, with what the data do not exclude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qonys.scenarios.settlement.retention_design import Cost
    from qonys.scenarios.settlement.support import Effects


def cost_per_retained(effects: Effects, costs: Mapping[str, Cost]) -> pd.DataFrame:
    """measure, horizon_months, cost_per_household, difference, cost_per_retained, low, high, currency, code: a row per measure and horizon.

    cost_per_retained: cost per household / difference: what is spent on all who get the measure, for each household that is there at the
    horizon and would not be without it; in `currency`, not discounted. low, high: the cost over the ends of the interval of the difference.
    Where that interval holds zero the costs not excluded have no upper end (Fieller 1954, JRSS B 16(2)): low stands, high is empty, code
    effect_not_shown; cost_per_retained is empty where the difference itself is not above zero (no_gain), all three where it is surely
    below (fewer_stay). no_cost: the measure has none in the design. no_effect, no_interval: the effects have no figure or no interval.
    Errors: DesignError for the cost of a measure that was not judged.
    """
    known = list(dict.fromkeys(effects.retained["measure"]))
    for name in costs:
        if name not in known:
            raise DesignError(f"there is a cost of {name!r}, but no effect", mend=nearest(name, known))
    rows = []
    for row in effects.retained.itertuples():
        cost = costs.get(row.measure)
        each = cost.per_household if cost else np.nan
        value = low = high = np.nan
        code = _code(row.difference, row.low, row.high, priced=cost is not None)
        if code in ("", "effect_not_shown", "no_interval"):
            value = each / row.difference if row.difference > 0 else np.nan
            low = each / row.high if row.high > 0 else np.nan
            high = each / row.low if row.low > 0 else np.nan
        if code == "effect_not_shown" and not row.difference > 0:
            code = "effect_not_shown;no_gain"
        rows.append((row.measure, row.horizon_months, each, row.difference, value, low, high, cost.currency if cost else "", code))
    columns = ["measure", "horizon_months", "cost_per_household", "difference", "cost_per_retained", "low", "high", "currency", "code"]
    return pd.DataFrame(rows, columns=columns)


def _code(difference: float, low: float, high: float, *, priced: bool) -> str:
    if not priced:
        return "no_cost"
    if np.isnan(difference):
        return "no_effect"
    if np.isnan(low):
        return "no_interval" if difference > 0 else "no_interval;no_gain"
    if high <= 0:
        return "fewer_stay"
    return "effect_not_shown" if low <= 0 else ""
