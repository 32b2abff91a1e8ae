"""The procedure for ethnic repatriates, and the resettlement to the north, in Mussina et al. (2022)."""

from __future__ import annotations

import pytest

from qonys.scenarios import elapsed_days, returned_share


def test_the_kandas_procedure_takes_180_days_in_turn_and_90_at_once():
    steps = {"residence": 60, "permit": 30, "citizenship": 90}  # two months, one month, three months
    assert elapsed_days(steps, order="in_turn") == 180
    assert elapsed_days(steps, order="at_once") == 90


def test_770_of_9206_resettled_persons_are_8_36_percent_with_wilsons_interval():
    """The article prints 8.3 %."""
    assert returned_share(770, 9206) == pytest.approx((8.36, 7.82, 8.95), abs=0.005)
