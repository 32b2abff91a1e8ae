"""Figures as published, found again in the results of the built-in studies."""

from __future__ import annotations

import pytest


def value(answered, study: str, address: str) -> float | None:
    table, row, column = address.split("/")
    return answered(study).results[table].cell(row, column).value


@pytest.mark.parametrize(
    ("address", "figure"),
    [
        ("external/KAZ.2021/net", -21217),  # Bureau of National Statistics of Kazakhstan, external migration, dynamic series
        ("external/KAZ.2020/outflow", 29088),  # the same
        ("external/KAZ.2023/net", 9293),  # the same: the first gain since 2011
        ("returns_total/corridor/printed", 56000),  # Mussina et al. (2022): people let through the transit corridor
        ("returns_total/home/parts_sum", 32500),  # the same: brought home, each part a lower bound
        ("procedure_total/in_turn/days", 180),  # the same: the procedure for ethnic repatriates before
        ("procedure_total/at_once/days", 90),  # ... and after
        ("arithmetic/returned_share/printed", 8.3),  # the same: of the 9,206 resettled, who went back
    ],
)
def test_the_study_of_kazakhstan_gives_the_published_figure(answered, address, figure):
    assert value(answered, "kazakhstan", address) == figure


def test_the_printed_share_that_went_back_is_not_that_of_the_printed_totals(answered):
    """Mussina et al. (2022) print 8.3 %, but 770 of 9,206 are 8.4 %; the interval is wider than the slip."""
    share, low, high = (value(answered, "kazakhstan", f"resettlement/2021/{column}") for column in ("share", "low", "high"))
    assert round(share, 1) == 8.4
    assert low < 8.3 < high
    checks = answered("kazakhstan").results["arithmetic"].rows.set_index("id")["verdict"]
    assert checks["returned_share"] == "differs"


def test_immigration_to_the_union_fell_by_about_a_fifth_in_2020(answered):
    """Eurostat, migr_imm1ctz, members added up: 2020 against the mean of 2017-2019."""
    assert value(answered, "eu-covid", "immigration_change/EU27_2020/during_change") == pytest.approx(-20, abs=5)


def test_policy_at_the_borders_drew_apart_in_the_first_wave_and_not_all_evidence_says_so(answered):
    rows = answered("eu-covid").results["convergence"].rows.set_index("id")
    assert rows["verdict"].to_dict() == {"before_first_wave": "leaning_distancing", "first_wave_after": "contradictory"}
    assert (rows["of"] == 3).all()
