"""Ethnicity, religion and their stand-ins are refused by name in three languages; needs and places are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.predictors import refuse_forbidden, refuse_forbidden_values

FORBIDDEN = [
    "ethnicity", "ethnic_group", "EthnicGroup", "ETHNIC-GROUP", "nationality", "religion", "Confession", "faith", "race", "caste", "tribe",
    "mother_tongue", "MotherTongue", "native_language", "surname", "is_kazakh", "share_uzbek", "muslim", "национальность", "Этнос", "вера",
    "Религия", "вероисповедание", "родной язык", "язык_родной", "фамилия", "ұлт", "Ұлты", "дін", "дiн", "діні", "Ана тілі", "жүз",
]  # fmt: skip
ALLOWED = [
    "skill", "members", "origin", "destination", "citizenship", "trace", "interface", "racetrack", "school_language", "kazakh_language",
    "russian_border_days", "language_course", "national_id", "ultimate", "dinner", "верный", "возраст", "мамандық",
]  # fmt: skip


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_predictor_is_refused_with_the_reason(name):
    with pytest.raises(DesignError, match=r"not used here: .*unlawful profiling.*nothing a settlement programme can change"):
        refuse_forbidden(["members", name], "north.toml")


@given(
    st.sampled_from(["ethnicity", "religion", "nationality", "национальность", "дін"]),
    st.sampled_from(["", "_", "-", " ", ".", "2"]),
    st.booleans(),
)
def test_case_and_joints_hide_nothing(name, joint, loud):
    hidden = f"head{joint or '_'}{name.upper() if loud else name}{joint}"
    with pytest.raises(DesignError, match="unlawful profiling"):
        refuse_forbidden([hidden], "north.toml")


def test_needs_places_and_words_that_only_look_alike_pass():
    assert refuse_forbidden(ALLOWED, "north.toml") is None


def test_nationality_is_told_to_say_citizenship():
    with pytest.raises(DesignError, match="write citizenship if that is meant"):
        refuse_forbidden(["nationality"], "north.toml")


@pytest.mark.parametrize("name", ["school_language", "language", "язык_обучения", "оқу тілі"])
def test_a_language_is_a_need_in_placement_and_no_predictor_of_who_stays(name):
    refuse_forbidden([name], "places")
    with pytest.raises(DesignError, match="stands for ethnicity where it predicts who stays; serve it as a need in placement"):
        refuse_forbidden([name], "north.toml", predicting=True)


@pytest.mark.parametrize("value", ["Uzbek", "узбечка", "мусульманин", "Ethnic Kazakh", "қазақ", "Russians"])
def test_values_that_name_peoples_or_faiths_are_refused_behind_an_innocent_name(value):
    with pytest.raises(DesignError, match=r"'group' holds .* a people or a faith"):
        refuse_forbidden_values(["builder", value], "group", "north.toml")


def test_countries_numbers_and_trades_are_no_peoples():
    assert (
        refuse_forbidden_values(["Казахстан", "Узбекистан", "Turkey", "KAZ", "Korea", "builder", 7, None], "origin", "north.toml") is None
    )
