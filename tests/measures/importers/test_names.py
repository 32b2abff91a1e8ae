"""Names of areas as trackers write them: known ones become codes, unknown ones are given back, nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core import areas
from qonys.measures.importers.cells import mapping
from qonys.measures.importers.names import country_code, country_codes

COUNTRIES = [one.code for one in areas.areas(scheme="iso3166-1")]
# a name that holds "and" cannot be told from two, unless it is known as one
NAMES = {code: areas.area_name(code) for code in COUNTRIES}


@pytest.mark.parametrize("code", COUNTRIES)
def test_every_country_has_its_code_by_its_english_name(code):
    assert country_code(NAMES[code]) == code
    assert country_code(NAMES[code].upper().replace(" ", "  ")) == code


@given(st.lists(st.sampled_from(COUNTRIES), unique=True, max_size=8), st.sampled_from([", ", ",", "; ", " ,  "]))
def test_a_list_of_names_becomes_the_codes_in_their_order(codes, separator):
    found = country_codes(separator.join(NAMES[code] for code in codes))
    assert found.codes == tuple(codes)
    assert found.others == ()


def test_no_name_stands_for_two_areas():
    for code, names in mapping("names")["aliases"].items():
        assert code in areas.codes()
        for name in names:
            assert country_code(name) == code


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("Micronesia, Federated States of, Bonaire, Sint Eustatius and Saba, Palestine, State of", ("FSM", "BES", "PSE")),
        ("Ro- mania, Viet Nam, Cˆote d’Ivoire, Cura ̧cao, St. Kitts and Nevis", ("ROU", "VNM", "CIV", "CUW", "KNA")),
        ("Spain and Germany, Iran or South Korea, Armenia. Austria, and Zimbabwe.", ("ESP", "DEU", "IRN", "KOR", "ARM", "AUT", "ZWE")),
        ("China, China, the Netherlands", ("CHN", "NLD")),
        ("European Union, Schengen Area", ("EU", "SCHENGEN")),
    ],
)
def test_names_broken_by_print_or_joined_by_words_are_read(words, codes):
    assert country_codes(words).codes == codes
    assert country_codes(words).others == ()


@pytest.mark.parametrize("words", ["China (Hubei)", "Italy (except for Rome)", "Korea", "Virgin Islands", "Atlantis", "Faroe Islands Fiji"])
def test_what_may_be_two_areas_or_a_part_of_one_is_given_back_as_it_stands(words):
    found = country_codes(f"Kazakhstan, {words}")
    assert (found.codes, found.others) == (("KAZ",), (words,))
    assert found.limit() == ("KAZ", "UNKNOWN")
    assert found.words() == words


def test_a_place_without_a_code_is_not_unknown_beside_others_and_is_so_alone():
    assert country_codes("Somalia, Somaliland").limit() == ("SOM",)
    assert country_codes("Somaliland").limit() == ("UNKNOWN",)
    assert country_codes("Somalia, Somaliland").words() == "Somaliland"


@given(st.text(max_size=40))
def test_any_text_is_read_without_an_error_and_no_word_is_lost(text):
    found = country_codes(text)
    assert set(found.codes) <= areas.codes()
    assert all(word in text for word in (*found.others, *found.uncoded))


def test_an_empty_cell_names_nobody():
    assert country_codes(None).limit() == country_codes(" , ").limit() == ()
    assert country_codes("").words() is None
