"""Publishers' codes of areas: ours and back, former states as such, groups apart from members."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core import areas
from qonys.core.errors import DataError
from qonys.sources.harmonise import area_of, published
from qonys.sources.harmonise.codes import code_areas, nearest_code

COUNTRIES = [one.code for one in areas.areas(kind="country")]


@pytest.mark.parametrize("scheme", ["eurostat", "m49", "iso3"])
def test_every_country_has_a_code_of_each_scheme_and_it_comes_back_as_the_same_country(scheme):
    assert {code: area_of(published(code, scheme), scheme).code for code in COUNTRIES} == {code: code for code in COUNTRIES}


@given(code=st.sampled_from([one.code for one in areas.areas(scheme="iso3166-2")]), lang=st.sampled_from(areas.LANGUAGES))
def test_every_region_of_kazakhstan_is_known_by_its_name_in_three_languages(code, lang):
    assert area_of(areas.area_name(code, lang), "names").code == code


@pytest.mark.parametrize(
    ("text", "scheme", "code"),
    [
        ("EL", "eurostat", "GRC"), ("GR", "eurostat", "GRC"), ("UK", "eurostat", "GBR"), ("XK", "eurostat", "XKX"),
        ("STLS", "eurostat", "STATELESS"), ("UNK", "eurostat", "UNKNOWN"), ("TOTAL", "eurostat", "WORLD"), ("EU28", "eurostat", "EU28"),
        ("CS", "eurostat", "SCG"), ("AN", "eurostat", "ANT"), ("SU", "eurostat", "SUN"), ("CZ_SK", "eurostat", "CSK"),
        ("398", "m49", "KAZ"), ("4", "m49", "AFG"), ("004", "m49", "AFG"), ("900", "m49", "WORLD"), ("2003", "m49", "UNKNOWN"),
        ("891", "m49", "SCG"), ("530", "m49", "ANT"), ("729", "m49", "SDN"), ("728", "m49", "SSD"), ("412", "m49", "XKX"),
        ("WLD", "iso3", "WORLD"), ("XXA", "iso3", "STATELESS"), ("XKX", "iso3", "XKX"), ("CCT_KAZ", "iso3", "KAZ"), ("X01", "iso3", "WORLD"),
        ("Алматы қ.", "names", "KZ-75"), ("Шымкент қаласы", "names", "KZ-79"), ("Казахстан", "names", "KAZ"), ("Германия", "names", "DEU"),
    ],
)  # fmt: skip
def test_codes_of_publishers_are_ours(text, scheme, code):
    found = area_of(text, scheme)
    assert (found.code, found.group) == (code, None)


def test_what_our_code_does_not_say_stands_in_a_note():
    assert area_of("736", "m49").code == "SDN"
    assert "before July 2011" in area_of("736", "m49").note
    assert area_of("RNC", "eurostat").note == "recognised non-citizens (RNC)"
    assert area_of("830", "m49").code == "OTHER"


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("NEU27_2020_FOR", "eurostat"), ("EU27_2020_FOR", "eurostat"), ("FOR", "eurostat"), ("FOR_STLS", "eurostat"), ("EFTA", "eurostat"),
        ("EXT_EU27_2020", "eurostat"), ("CC8_22_FOR", "eurostat"), ("EU15", "eurostat"), ("AFR", "eurostat"), ("ASI_OTH", "eurostat"),
        ("EA20", "eurostat"), ("947", "m49"), ("1833", "m49"), ("150", "m49"), ("5500", "m49"), ("EUU", "iso3"), ("X03", "iso3"), ("XC", "iso3"),
    ],
)  # fmt: skip
def test_groups_of_several_areas_are_recognised_and_keep_the_publishers_code(text, scheme):
    assert (area_of(text, scheme).code, area_of(text, scheme).group) == (text, text)


@pytest.mark.parametrize(
    ("text", "scheme"), [("ZZ", "eurostat"), ("POL", "eurostat"), ("12345", "m49"), ("", "m49"), ("QQQ", "iso3"), ("Нигде", "names")]
)
def test_a_code_that_is_none_is_none_and_has_a_mend(text, scheme):
    assert area_of(text, scheme) is None
    assert nearest_code(text, scheme)


def test_nearest_code_names_it():
    assert nearest_code("KAX", "iso3") == "did you mean 'KAZ'?"


@given(st.lists(st.sampled_from(["DE", "EL", "TOTAL", "NAT", "EU27_2020_FOR", "ZZ", None]), max_size=30))
def test_a_column_is_coded_as_each_of_its_cells(texts):
    column = code_areas(pa.array(texts, pa.string()), "eurostat")
    each = [None if text is None else area_of(text, "eurostat") for text in texts]
    assert column.code.to_pylist() == [one and one.code for one in each]
    assert column.group.to_pylist() == [one and one.group for one in each]


def test_a_scheme_or_an_area_without_code_is_refused():
    with pytest.raises(DataError, match="no scheme of area codes 'm94'; did you mean 'm49'"):
        area_of("4", "m94")
    with pytest.raises(DataError, match="m49 has no code for 'KZ-10'"):
        published("KZ-10", "m49")


def test_m49_numbers_are_those_of_the_un_country_list(real_data):
    import csv

    with (real_data / "country_codes.csv").open(encoding="utf-8") as file:
        assert [row["iso3"] for row in csv.DictReader(file) if area_of(row["m49"], "m49").code != row["iso3"]] == []
