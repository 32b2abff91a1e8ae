"""Moves inside Kazakhstan, as the press printed their growth."""

from __future__ import annotations

import pytest

from qonys.core.areas import areas
from qonys.core.contracts import FIGURE, FLOW
from qonys.flows import regional_net
from qonys.store import shipped, take_in


def test_moves_inside_kazakhstan_grew_by_27_5_percent_in_2023(con):
    """mgorod.kz (2024-04-14), from the Bureau of National Statistics."""
    regions = [area.code for area in areas(scheme="iso3166-2") if area.parent == "KAZ"]
    flow = take_in(con, shipped().path("flow/kaz_internal.csv"), FLOW, quarantine=False).table
    arrivals = con.to_pandas(regional_net(flow, "KAZ", regions)).groupby("year")["arrivals"].sum()
    figure = take_in(con, shipped().path("figure/kaz_internal_net.csv"), FIGURE, quarantine=False).table
    printed = con.to_pandas(
        figure.filter(figure.indicator == "change_of_moves.internal", figure.area == "KAZ", figure.period_start == "2023-01-01")
    )["value"].item()
    assert printed == 27.5
    assert 100 * (arrivals[2023] / arrivals[2022] - 1) == pytest.approx(printed, abs=0.1)
