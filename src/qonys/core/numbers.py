"""Columns of files as numbers: text that is one, true and false as 1 and 0, and a sentence for what is none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qonys.core.errors import DataError


def numbers(column: pd.Series, where: str) -> pd.Series:
    """A column as floats, missing where it is empty. where: the file and column, for the sentence.

    Errors: DataError naming the first value that is no number.
    """
    yes_no = column.astype(str).str.lower().map({"true": 1.0, "false": 0.0})
    # to numpy: nullable types of pandas are not those of the libraries that estimate
    found = pd.Series(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan), index=column.index).fillna(yes_no)
    if (bad := found.isna() & column.notna()).any():
        raise DataError(f"{where}: {column[bad].iloc[0]!r} is no number", mend="mend the row, or leave the cell empty")
    return found
