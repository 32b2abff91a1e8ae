"""What flows would be without a measure: the structural predictions of a gravity fit.

The regressor of the measure is put to another value, b stays, and fitted flows mu change to mu' = mu exp(b (to - x)) times what the effects
have to give so that the totals held stay what they were. With `hold` empty effects stay (partial effect). With the origins' effect held,
those who would not have gone there go elsewhere: totals of each origin and year are fixed. With origins and destinations held, both totals
are fixed and mu' is found by scaling rows and columns in turn: the conditional effect of structural gravity, with outward and inward
resistance adjusted (Anderson, Larch and Yotov 2018, "GEPPML with general equilibrium constraints", The World Economy 41(10)). Sizes of
origins and destinations do not answer here: what they would add (their step of full endowment equilibrium) is not computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from qonys.core.errors import DesignError, nearest
from qonys.effects.gravity.ppml import code_of, columns_of, name_of, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.effects.gravity.panel import Codes, Floats
    from qonys.effects.gravity.ppml import Effect, Gravity

SCALINGS = 2000
EVEN = 1e-10  # totals are held to this share of them


def without(
    gravity: Gravity, table: pd.DataFrame, regressor: str, to: float = 0.0, *, hold: Sequence[Effect] = (), coverage: float = 0.95
) -> pd.DataFrame:
    """Flows had the regressor been `to`, with the totals of fitted flows over each effect of `hold` kept.

    table: the one that was fitted, in its order -> the columns of its effects, observed, fitted, without, difference (without - fitted),
    low and high of `without` at `coverage`; NaN in rows that were left out. The interval is that of the coefficient alone, by the delta
    method on the logarithm of without / fitted; it holds the fitted flows fixed and is not one for a flow that will be observed.
    Errors: DesignError for a regressor that is not in the fit, another table, an effect to hold that was not fitted, totals not reached.
    """
    names = list(gravity.coefficients["name"])
    if regressor not in names:
        raise DesignError(f"{regressor!r} has no coefficient in the fit", mend=nearest(regressor, names))
    if not table.index.equals(gravity.fitted.index):
        raise DesignError("the table is not the one that was fitted", mend="give the same rows in the same order")
    for effect in hold:
        if effect not in gravity.effects:
            raise DesignError(
                f"{name_of(effect)} was not an effect of the fit", mend=nearest(name_of(effect), map(name_of, gravity.effects))
            )
    row = gravity.coefficients.iloc[names.index(regressor)]
    used = gravity.fitted.notna().to_numpy()
    fitted: Floats = gravity.fitted.to_numpy()[used]
    change = to - numbers(table, regressor)[used]
    cache: dict[str, Codes] = {}
    codes = [code_of(table, effect, cache)[used] for effect in hold]
    error = float(row["error"])
    at, above, below = (scaled(fitted, change * (float(row["value"]) + step), codes) for step in (0.0, error, -error))
    reach = scipy.stats.norm.ppf(0.5 + coverage / 2) * np.abs(np.log(above) - np.log(below)) / 2
    out = table[columns_of(gravity.effects)].copy()
    out["observed"] = table[gravity.outcome]
    for name, values in {
        "fitted": fitted, "without": at, "difference": at - fitted, "low": at * np.exp(-reach), "high": at * np.exp(reach),
    }.items():  # fmt: skip
        column = np.full(len(table), np.nan)
        column[used] = values
        out[name] = column
    return out


def scaled(fitted: Floats, shift: Floats, codes: Sequence[Codes]) -> Floats:
    """Fitted flows times exp(shift), scaled to the totals of the fitted ones over each code. Errors: DesignError if that does not end."""
    flows = fitted * np.exp(shift)
    totals = [np.bincount(code, fitted) for code in codes]
    for _ in range(SCALINGS):
        worst = 0.0
        for code, total in zip(codes, totals, strict=True):
            now = np.bincount(code, flows, minlength=len(total))
            ratio = np.divide(total, now, out=np.ones_like(total), where=now > 0)
            worst = max(worst, float(np.abs(ratio - 1).max(initial=0.0)))
            flows = flows * ratio[code]
        if worst <= EVEN or len(codes) < 2:
            return flows
    raise DesignError(
        f"after {SCALINGS} scalings totals are still off by {worst:.1e} of themselves",
        mend="hold fewer totals, or put the regressor to a value nearer to what it was",
    )
