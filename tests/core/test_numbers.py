"""Text as numbers, and what is none."""

import pandas as pd
import pytest

from qonys.core.errors import DataError
from qonys.core.numbers import numbers


def test_text_truth_and_nullable_numbers_are_floats_and_gaps_stay_gaps():
    found = numbers(pd.Series(["1.5", "true", "False", None, "3"]), "f.csv, column x")
    assert found.tolist()[:3] == [1.5, 1.0, 0.0]
    assert pd.isna(found[3])
    assert numbers(pd.Series([1, None], dtype="Int64"), "x").dtype == float


def test_what_is_no_number_is_named():
    with pytest.raises(DataError, match=r"f\.csv, column x: 'many' is no number"):
        numbers(pd.Series(["1", "many"]), "f.csv, column x")
