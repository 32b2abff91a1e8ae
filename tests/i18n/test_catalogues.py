"""The catalogues: the same keys and placeholders in each language, every form filled, no foreign words by oversight."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from qonys.core.contracts import CONTRACTS
from qonys.i18n import LANGUAGES, words
from qonys.measures import codebook
from qonys.studies import QUESTIONS

every_language = pytest.mark.parametrize("language", LANGUAGES)
# words that are written in Latin letters in Russian and Kazakh too
LATIN = {
    "COVID",
    "COVID-19",
    "REFUNITE",
    "Qonys",
    "English",
    "SHA-256",
    "SEF",
    "Schengen",
    "HTML",
    "CSV",
    "TOML",
    "XLSX",
    "DOI",
    "UTC",
    "JSON",
    "Parquet",
    "COBAP",
    "CoronaNet",
    "OxCGRT",
}
CODED = {"target": "target", "field": "field", "instrument": "instrument", "level": "level"}


@cache
def catalogue(language: str) -> Catalog:
    with files("qonys.i18n").joinpath("locale", language, "LC_MESSAGES", "qonys.po").open("rb") as stream:
        return read_po(stream, locale=language)


@cache
def messages(language: str) -> dict[str, tuple[str, ...]]:
    return {
        message.id if isinstance(message.id, str) else message.id[0]: (message.string,) if isinstance(message.string, str) else tuple(message.string)
        for message in catalogue(language) if message.id
    }  # fmt: skip


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)", text))


@every_language
def test_a_catalogue_has_the_keys_of_the_english_one(language):
    assert set(messages(language)) == set(messages("en"))


@every_language
def test_no_message_is_empty_or_marked_as_unsure(language):
    assert [key for key, forms in messages(language).items() if not all(form.strip() for form in forms)] == []
    assert [message.id for message in catalogue(language) if message.id and message.fuzzy] == []


@every_language
def test_a_message_keeps_its_placeholders(language):
    for key, forms in messages(language).items():
        wanted = {name for form in messages("en")[key] for name in placeholders(form)}
        for form in forms:
            assert placeholders(form) == wanted, key


@every_language
def test_a_plural_has_the_forms_of_its_language(language):
    plurals = {key for key, forms in messages("en").items() if len(forms) > 1}
    assert plurals
    for key, forms in messages(language).items():
        assert len(forms) == (catalogue(language).num_plurals if key in plurals else 1), key


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_russian_and_kazakh_messages_hold_no_latin_words_by_oversight(language):
    found = {
        (key, word)
        for key, forms in messages(language).items() for form in forms
        for word in re.findall(r"[A-Za-z][\w-]*\w|[A-Za-z]", re.sub(r"\{[^}]*\}", "", form)) if re.split(r"-(?=[^\d])", word)[0] not in LATIN
    }  # fmt: skip
    assert sorted(found) == []


def test_kazakh_is_not_russian():
    same = {
        key for key, forms in messages("kk").items() if forms == messages("ru")[key] and len(re.findall(r"[а-яёА-ЯЁ]{3,}", forms[0])) > 3
    }
    assert sorted(same) == []


@every_language
def test_every_code_of_the_codebook_has_a_label(language):
    say = words(language)
    for kind, part in CODED.items():
        assert [code for code in codebook()[part] if not say.has(f"{kind}.{code}")] == []
    assert [status for group in codebook()["status"].values() for status in group if not say.has(f"status.{status}")] == []


@every_language
def test_every_allowed_code_of_a_measure_and_a_challenge_has_a_label(language):
    say = words(language)
    for contract, column, kind in (("measure", "direction", "direction"), ("challenge", "horizon", "horizon"), ("challenge", "level", "challenge_level"),
                                   ("figure", "qualifier", "qualifier"), ("figure", "status", "figure_status")):  # fmt: skip
        assert [code for code in CONTRACTS[contract].column(column).allowed if not say.has(f"{kind}.{code}")] == [], (contract, column)


@every_language
def test_every_question_has_a_name(language):
    assert [question for question in QUESTIONS if not words(language).has(f"question.{question}")] == []
