"""Tables of noise: unbiased, of the variance asked for, and never showing what is to be hidden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.border.noise import KEYS, noise_table
from qonys.core.errors import DesignError


@pytest.mark.parametrize(("maximum", "variance", "hidden"), [(5, 3.0, 2), (2, 1.0, 0), (8, 7.0, 4), (3, 2.5, 1), (10, 9.5, 5)])
def test_every_count_has_noise_of_mean_zero_and_the_variance_asked_for(maximum, variance, hidden):
    table = noise_table(maximum, variance, hidden)
    values = np.arange(-maximum, maximum + 1)
    assert np.allclose(table.chances.sum(axis=1), 1)
    assert np.allclose(table.chances @ values, 0, atol=1e-9)
    assert np.allclose(table.chances[1:] @ values**2, variance, atol=1e-6)
    assert (table.chances >= 0).all()
    assert table.chances[0, maximum] == 1  # nobody stays nobody
    for count, row in enumerate(table.chances):
        shown = count + values
        assert row[(shown < 0) | ((shown > 0) & (shown <= hidden))].sum() == 0


def test_of_all_such_noise_it_is_the_one_of_most_entropy():
    """Marley and Leaver (2011): exp(a v + b v^2); so the second differences of the logarithms are the same wherever values may be shown."""
    table = noise_table()
    logs = np.log(table.chances[-1])
    assert np.allclose(np.diff(logs, 2), np.diff(logs, 2)[0])
    assert np.allclose(table.chances[-1], table.chances[-1][::-1])


@given(count=st.integers(0, 2000), key=st.integers(0, KEYS - 1))
def test_noise_is_bounded_and_hangs_on_count_and_key_alone(count, key):
    table = noise_table()
    counts, keys = np.array([count, 7, count]), np.array([key, key // 2, key])
    first, _, again = table.noise(counts, keys)
    assert first == again
    assert abs(first) <= table.maximum
    assert count + first == 0 or count + first > table.hidden
    assert count or not first


def test_keys_spread_evenly_give_the_chances_of_the_table():
    table = noise_table()
    keys = np.linspace(0, KEYS - 1, 200_001).astype(np.int64)
    for count in (1, 3, 6, 100):
        noise = table.noise(np.full(len(keys), count), keys)
        share = np.bincount(noise + table.maximum, minlength=2 * table.maximum + 1) / len(keys)
        assert np.allclose(share, table.chances[min(count, len(table.chances) - 1)], atol=1e-4)


@pytest.mark.parametrize(
    ("maximum", "variance", "hidden"), [(0, 1.0, 0), (51, 1.0, 0), (5, 0.0, 0), (5, 3.0, -1), (2, 9.0, 0), (2, 0.5, 4)]
)
def test_noise_that_cannot_be_is_refused(maximum, variance, hidden):
    with pytest.raises(DesignError):
        noise_table(maximum, variance, hidden)
