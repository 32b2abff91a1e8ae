"""A panel as areas x periods, the form in which all of the laboratory works on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

FEWEST_AREAS = 5  # of which a spread or a regression over areas says anything


def wide_of(panel: pd.DataFrame) -> pd.DataFrame:
    """areas x periods, both in order, gaps missing. Errors: DesignError for an empty panel, or an area twice in a period."""
    if panel.empty:
        raise DesignError("the panel is empty", mend="check areas and period")
    if (twice := panel.duplicated(["area", "period"])).any():
        row = panel[twice].iloc[0]
        raise DesignError(f"{row['area']} has two values in {row['period']}", mend="leave one out, or take their mean")
    wide: pd.DataFrame = panel.pivot(index="area", columns="period", values="value").sort_index().sort_index(axis=1).astype(float)
    return wide
