"""The share that went back, from totals alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from qonys.core.errors import DesignError
from qonys.scenarios import returned_share


@given(st.integers(1, 10**6).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_interval_holds_the_share_and_is_that_of_wilson(pair):
    value, low, high = returned_share(*pair)
    assert 0 <= low <= value + 1e-9
    assert value - 1e-9 <= high <= 100
    reference = binomtest(*pair).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((100 * reference.low, 100 * reference.high), abs=1e-9)


def test_more_people_make_a_narrower_interval():
    widths = [high - low for _, low, high in (returned_share(8 * n, 100 * n) for n in (1, 10, 100))]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("returned", "resettled"), [(5, 0), (5, 4), (-1, 4), (0, 0), (float("nan"), 5), (5, float("nan"))])
def test_what_is_not_a_part_of_a_whole_is_refused(returned, resettled):
    with pytest.raises(DesignError, match="is not a part of a whole; check which is the total"):
        returned_share(returned, resettled)
