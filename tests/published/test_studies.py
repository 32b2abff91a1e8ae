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


def test_austria_was_the_first_to_control_an_internal_border_on_grounds_of_the_pandemic(answered):
    """European Commission, list of notifications of temporary border control: Austria at the land border with Italy from 11 March 2020 (number 123),
    then Hungary on 12 March, Switzerland on 13 March, Czechia and Lithuania on 14 March, Poland on 15 March; Germany, Norway, Portugal on 16 March."""
    rows = answered("eu-covid").results["diffusion"].rows
    rows = rows[(rows["subject"] == "internal_control") & (rows["highest"] <= 9)].set_index("issuer")
    assert rows["earliest"].to_dict() == {
        "AUT": "2020-03-11", "HUN": "2020-03-12", "CHE": "2020-03-13", "CZE": "2020-03-14", "LTU": "2020-03-14", "POL": "2020-03-15",
        "DEU": "2020-03-16", "NOR": "2020-03-16", "PRT": "2020-03-16",
    }  # fmt: skip
    assert rows.loc["AUT", "measures"] == ["IB123-AUS-2020-03-11"]
    assert (rows["lowest"].tolist(), rows["highest"].tolist()) == ([1, 2, 3, 4, 4, 6, 7, 7, 7], [1, 2, 3, 5, 5, 6, 9, 9, 9])


def test_states_had_closed_their_entry_before_the_commission_proposed_to_do_so_together(answered):
    """Recital 1 of Council Recommendation (EU) 2020/912: the proposal of 16 March 2020. Slovakia, Denmark, Cyprus and Poland were earlier."""
    lags = answered("eu-covid").results["diffusion_lags"].rows
    earlier = lags[(lags["act"] == "EM001") & (lags["moved"] == "before")].set_index("issuer")["low"].to_dict()
    assert earlier == {"SVK": -4, "DNK": -2, "CYP": -1, "POL": -1}


def test_the_borders_of_kazakhstan_were_closed_while_a_corridor_through_them_was_open(answered):
    """Mussina et al. (2022): transit corridor for citizens of Uzbekistan, Tajikistan and Kyrgyzstan; state of emergency 16 March to 11 May 2020."""
    pair = answered("kazakhstan").results["conflicts"].rows.set_index("id").loc["KM012.SM018"]
    assert (pair["evidence"], pair["relation"], pair["first"], pair["last"]) == ("certain", "easing_within", "2020-03-16", "2020-05-11")
    assert value(answered, "kazakhstan", "conflicts/KM012.SM018/sure_days") == 57


def test_an_act_coded_from_two_sources_is_found_as_a_duplicate(answered):
    """72-hour visa-free transit was suspended once; the article and the press each have it, with dates of their own."""
    pairs = set(answered("kazakhstan").results["duplicates"].rows["id"])
    assert {"KM002.KM013", "KM002.SM010", "KM013.SM010"} <= pairs
