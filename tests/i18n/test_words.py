"""Words, numbers and dates as each language writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from qonys.core.errors import StudyError
from qonys.i18n import LANGUAGES, words

every_language = pytest.mark.parametrize("language", LANGUAGES)
THIN, NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("language", "whole", "part"),
    [
        ("en", "1,234,568", "1,234,567.5"),
        ("ru", f"1{THIN}234{THIN}568", f"1{THIN}234{THIN}567,5"),
        ("kk", f"1{THIN}234{THIN}568", f"1{THIN}234{THIN}567,5"),
    ],
)
def test_a_number_has_the_separators_of_its_language(language, whole, part):
    say = words(language)
    assert say.number(1234567.5) == whole
    assert say.number(1234567.5, 1) == part


@every_language
@given(value=st.floats(-1e9, 1e9), decimals=st.integers(0, 3))
def test_a_number_is_read_back_as_it_was_rounded(language, value, decimals):
    text = words(language).number(value, decimals, sign=True)
    plain = text.replace("\N{MINUS SIGN}", "-").replace(THIN, "").replace("," if language == "en" else " ", "").replace(",", ".")
    assert float(plain) == pytest.approx(value, abs=0.5 * 10**-decimals + 1e-6)
    assert text[0] in "+\N{MINUS SIGN}" or float(plain) == 0


@every_language
def test_what_rounds_to_nothing_has_no_sign(language):
    assert words(language).number(-0.4) == words(language).number(0) == "0"
    assert words(language).number(0.4, sign=True) == "0"


@pytest.mark.parametrize(
    ("language", "day", "month", "short"),
    [
        ("en", "March 16, 2020", "March 2020", "Mar 2020"), ("ru", f"16 марта 2020{NARROW}г.", f"март 2020{NARROW}г.", f"март 2020{NARROW}г."),
        ("kk", f"2020{NARROW}ж. 16 наурыз", f"2020{NARROW}ж. наурыз", f"2020{NARROW}ж. нау."),
    ],
)  # fmt: skip
def test_a_date_is_written_as_exactly_as_it_is_known(language, day, month, short):
    say = words(language)
    found = [
        text.replace(" г", f"{NARROW}г").replace(" ж", f"{NARROW}ж")
        for text in (say.date("2020-03-16"), say.date("2020-03"), say.month("2020-03"))
    ]
    assert say.date("2020") == "2020"
    if language == "ru":
        assert found[:2] == [day, month]
    else:
        assert found == [day, month, short]


@every_language
def test_a_span_says_which_side_is_not_known(language):
    say = words(language)
    assert say.span("2020", "2020") == "2020"
    assert say.span("2020", "2021") == "2020 \N{EN DASH} 2021"
    spans = {say.span("2020", None), say.span(None, "2020"), say.span(None, None)}
    assert len(spans) == 3
    assert sum("2020" in span for span in spans) == 2


@pytest.mark.parametrize(("language", "forms"), [("en", 2), ("ru", 3), ("kk", 2)])
def test_a_plural_follows_its_number(language, forms):
    say = words(language)
    ends = {str(say.plural("unit.days", number, n="N")) for number in (1, 2, 5, 11, 21, 22, 25)}
    assert len(ends) <= forms
    if language == "ru":
        assert say.plural("unit.days", 21, n=21) == "21 день"
        assert say.plural("unit.days", 22, n=22) == "22 дня"
        assert say.plural("unit.days", 11, n=11) == "11 дней"


@every_language
def test_a_missing_key_is_refused_with_the_nearest(language):
    say = words(language)
    assert not say.has("target.labor")
    with pytest.raises(StudyError, match=f"the {language} catalogue has no words for 'target.labor'; did you mean 'target.labour'"):
        say("target.labor")
    assert say.label("target", "labor", "a user's own") == "a user's own"


def test_a_language_without_a_catalogue_is_refused():
    with pytest.raises(StudyError, match="no catalogue for the language 'kz'; "):
        words("kz")


@every_language
def test_values_are_escaped_and_markup_is_kept(language):
    say = words(language)
    assert "&lt;b&gt;" in say.plural("unit.days", 1, n="<b>")
    assert "<b>" in say.plural("unit.days", 1, n=Markup("<b>"))
