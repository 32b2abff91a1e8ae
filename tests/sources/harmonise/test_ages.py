"""Age bands: read from publishers' words, told apart by level, one choice that counts everybody once."""

from __future__ import annotations

import contextlib
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.sources.harmonise import age_of, levels, partition
from qonys.sources.harmonise.ages import overlaps


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Y_LT5", "0-4"), ("Y_LT1", "0"), ("Y5-9", "5-9"), ("Y_GE85", "85+"), ("Y20", "20"), ("UNK", "UNKNOWN"), ("TOTAL", None),
        ("Y15T24", "15-24"), ("AGE_YTHADULT_YGE15", "15+"), ("AGE_10YRBANDS_Y15-24", "15-24"), ("AGE_AGGREGATE_TOTAL", None), ("_T", None),
        ("0-14", "0-14"), ("65+", "65+"), ("85 years or over", "85+"), ("under 5", "0-4"), ("Y_OPEN", "OPEN"),
        ("15—24 года", "15-24"), ("65 лет и старше", "65+"), ("до 5 лет", "0-4"), ("старше 60 лет", "61+"), ("от 15 до 24 лет", "15-24"),
        ("60 және одан жоғары", "60+"), ("60 жас және одан жоғары", "60+"), ("5 жасқа дейін", "0-4"), ("16 жастан асқан", "17+"),
        ("15-24 жас аралығы", "15-24"), ("көрсетілмеген", "UNKNOWN"), ("Всего", None),
    ],
)  # fmt: skip
def test_bands_are_read_in_codes_and_in_three_languages(text, code):
    assert age_of(text).code == code


@pytest.mark.parametrize("text", ["10-5", "banana", "Y200", "0-200", "-5", "1.5", "under 0", "Y", "20-24-29"])
def test_what_is_no_band_is_none(text):
    assert age_of(text) is None


@given(first=st.integers(0, 100), length=st.integers(0, 49), open_end=st.booleans())
def test_a_band_is_read_back_from_its_own_code(first, length, open_end):
    code = f"{first}+" if open_end else f"{first}-{first + length}" if length else f"{first}"
    assert age_of(code).code == code


def test_levels_tell_a_total_from_broad_and_from_fine_bands():
    found = levels([None, "0-14", "0-4", "5-14", "15+"]).set_index("age")["level"]
    assert found[[None]].tolist() == [0]
    assert found[["0-14", "15+"]].tolist() == [1, 1]
    assert found[["0-4", "5-14"]].tolist() == [2, 2]


def frame(*ages: str | None) -> pd.DataFrame:
    return pd.DataFrame({"age": ages, "persons": range(1, len(ages) + 1)})


@pytest.mark.parametrize(
    ("given_ages", "taken"),
    [
        ((None, "0-14", "15-64", "65+", "0-4", "5-14"), ["15-64", "65+", "0-4", "5-14"]),
        ((None, "15-24", "25-34"), [None]),  # the parts leave people out
        ((None, "0-14", "15+", "UNKNOWN"), ["0-14", "15+", "UNKNOWN"]),
        ((None, "UNKNOWN"), [None]),
        (("15-24", "30-34"), ["15-24", "30-34"]),
        (("0-4", "5-9", "0-9", "10+"), ["0-4", "5-9", "10+"]),
        ((None, "0", "1", "OPEN"), ["0", "1", "OPEN"]),
        ((None,), [None]),
    ],
)
def test_one_choice_of_bands_is_taken_and_the_rest_left_out(given_ages, taken):
    found = partition(frame(*given_ages))
    assert found.rows["age"].tolist() == taken
    assert sorted([*found.rows.index, *found.left_out.index]) == list(range(len(given_ages)))


@given(st.sets(st.integers(1, 99), max_size=12), st.booleans(), st.randoms())
def test_the_finest_bands_of_a_total_are_chosen_in_whatever_order_they_come(cuts, broad, random):
    edges = [0, *sorted(cuts)]
    ages = [f"{one}-{two - 1}" for one, two in pairwise(edges)] + [f"{edges[-1]}+"]
    ages = [age_of(age).code for age in ages]
    rows = [None, *ages, *(["0+"] if broad and len(edges) > 1 else [])]
    random.shuffle(rows)
    assert sorted(partition(frame(*rows)).rows["age"].dropna()) == sorted(ages)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), min_size=1, max_size=6, unique=True))
def test_what_is_chosen_never_overlaps(spans):
    ages = list(dict.fromkeys(age_of(f"{first}-{first + length}").code for first, length in spans))
    if not overlaps(ages):
        assert partition(frame(*ages)).rows["age"].tolist() == ages
        return
    with contextlib.suppress(DataError):
        assert overlaps(partition(frame(*ages)).rows["age"]) == ()


def test_each_group_has_its_own_choice():
    rows = pd.concat([frame(None, "0-14", "15+").assign(destination="DEU"), frame(None).assign(destination="MLT")], ignore_index=True)
    found = partition(rows, by=["destination"]).rows
    assert found[["destination", "age"]].values.tolist() == [["DEU", "0-14"], ["DEU", "15+"], ["MLT", None]]


def test_bands_that_overlap_without_a_cover_are_refused_by_name():
    with pytest.raises(DataError, match=r"0-14 and 10-19 overlap, and no set of the bands covers all of them once; leave out"):
        partition(frame("0-14", "10-19"))


def test_a_wrong_age_or_column_is_refused():
    with pytest.raises(DataError, match="the age 'young' is no age band"):
        partition(frame("young", "0-4"))
    with pytest.raises(DataError, match="no column 'band'"):
        partition(frame("0-4"), age="band")
