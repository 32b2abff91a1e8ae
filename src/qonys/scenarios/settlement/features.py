"""Values from a model: the probability of an outcome for each household in each region, from features of both."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError, nearest
from qonys.scenarios.settlement.placement import ValueModel
from qonys.scenarios.settlement.predictors import refuse_forbidden_values


def model_values(model: ValueModel, households: pd.DataFrame, regions: pd.DataFrame, *, where: str) -> np.ndarray:
    """Probability, 0-1, of each household (rows) in each region (columns).

    odds: 1 / (1 + exp(-(log(b / (1 - b)) + sum))); hazard: b ** exp(sum), Cox (1972), JRSS B 34(2); b the baseline.
    Errors: DesignError for a feature that neither table has or both have, one that is no number and names no level, a level nobody has, an
    empty cell, and a text column whose values name peoples or faiths.
    """
    total = np.zeros((len(households), len(regions)))
    for term, coefficient in model.coefficients.items():
        product = np.ones((1, 1))
        for factor in term.split("*"):
            product = product * _factor(factor.strip(), households, regions, f"{where}, {term!r}")
        total = total + coefficient * product
    # beyond 700 exp overflows, and shares have long been 0 or 1
    total = np.clip(total, -700, 700)
    if model.kind == "hazard":
        return np.asarray(np.exp(np.log(model.baseline) * np.exp(total)))
    return np.asarray(1 / (1 + (1 / model.baseline - 1) * np.exp(-total)))


def _factor(factor: str, households: pd.DataFrame, regions: pd.DataFrame, where: str) -> np.ndarray:
    """A feature as a column (of households) or a row (of regions)."""
    name, is_level, level = (one.strip() for one in factor.partition("="))
    having = [table for table in (households, regions) if name in table.columns]
    if not having:
        raise DesignError(f"{where}: no table has the column {name!r}", mend=nearest(name, {*households.columns, *regions.columns}))
    if len(having) > 1:
        raise DesignError(f"{where}: households and regions both have the column {name!r}", mend="rename one of them")
    column = having[0][name]
    if column.isna().any():
        raise DesignError(
            f"{where}: the column {name!r} has {int(column.isna().sum())} empty cells", mend="fill them or leave the feature out"
        )
    if is_level:
        refuse_forbidden_values({*column.astype(str), level}, name, where)
        found = column.astype(str) == level
        if not found.any():
            raise DesignError(f"{where}: {name!r} is nowhere {level!r}", mend=nearest(level, set(column.astype(str))))
    else:
        found = pd.to_numeric(column, errors="coerce")
        if not np.isfinite(found.to_numpy(float)).all():
            raise DesignError(
                f"{where}: {name!r} holds what is no number", mend=f'for a text name its level, such as "{name}={column.iloc[0]}"'
            )
    values = found.to_numpy(float)
    return np.asarray(values[:, None] if having[0] is households else values[None, :])
