"""Words in cells of other people's tables: names and codes of areas, sexes, ages, totals, in English, Russian and Kazakh, as our codes."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from qonys.core import areas
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMES = ("codes", "iso2", "eurostat", "names")  # of areas: our own codes (ISO alpha-3, 3166-2, unions), alpha-2, Eurostat's, names
TOTALS = frozenset((
    "total", "all", "world", "t", "_t", "both sexes", "both", "all ages", "all countries", "всего", "итого", "все", "весь мир", "оба пола",
    "все возрасты", "все страны", "барлығы", "барлық", "жалпы", "әлем", "екі жыныс", "барлық жас",
))  # fmt: skip
SEXES = {
    "female": ("f", "female", "females", "woman", "women", "w", "2", "ж", "жен", "женщина", "женщины", "женский", "әйел", "әйелдер"),
    "male": ("m", "male", "males", "man", "men", "1", "м", "муж", "мужчина", "мужчины", "мужской", "ер", "ерлер", "еркек", "ер адам"),
    "other": ("other", "x", "diverse", "другой", "басқа"),
}
YES = frozenset(("true", "yes", "y", "1", "да", "иә", "ия"))
NO = frozenset(("false", "no", "n", "0", "нет", "жоқ"))


def plain(text: str) -> str:
    """Text as it is compared: small letters, no accents of Latin letters, one space between words.

    >>> plain("  Côte d’Ivoire "), plain("Қазақстан")
    ("cote d'ivoire", 'қазақстан')
    """
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'").replace("ё", "е"))
    kept = "".join(letter for place, letter in enumerate(folded) if not (unicodedata.combining(letter) and _latin(folded[place - 1])))
    return re.sub(r"[\s_]+", " ", unicodedata.normalize("NFC", kept)).strip(" .:")


def _latin(letter: str) -> bool:
    return letter.isascii() or bool(unicodedata.combining(letter))


def is_total(text: str) -> bool:
    """Whether a cell says that a row counts all of something."""
    return plain(text) in TOTALS


@cache
def _names() -> Mapping[str, str]:
    """Names of countries, unions and groups in three languages -> code; a name of two areas is none."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for one in areas.areas():
        if one.scheme == "iso3166-2":
            continue
        for lang in areas.LANGUAGES:
            name = plain(one.name(lang))
            if found.setdefault(name, one.code) != one.code:
                twice.add(name)
    return {name: code for name, code in found.items() if name not in twice}


def area_code(text: str, scheme: str) -> str | None:
    """Our code of an area as a table writes it; None where it is none in that scheme.

    >>> area_code("Германия", "names"), area_code("EL", "eurostat"), area_code("KAZ", "codes"), area_code("EL", "iso2")
    ('DEU', 'GRC', 'KAZ', None)
    """
    text = text.strip()
    if scheme == "codes":
        return text if text in areas.codes() else None
    try:
        if scheme in ("iso2", "eurostat"):
            return areas.to_alpha3(text, scheme)
        if (code := _names().get(plain(text))) is not None:
            return code
        return areas.region_code(text)
    except DataError:
        return None


def sex(text: str) -> str | None:
    """female, male or other; None for anything else."""
    return next((code for code, words in SEXES.items() if plain(text) in words), None)


def age_band(text: str) -> str:
    """An age band as 20-24, 85+ or 7; what is not understood stays as it is.

    >>> [age_band(one) for one in ("Y20-24", "Y_LT5", "Y_GE85", "20–24 лет", "85 и старше", "Y7")]
    ['20-24', '0-4', '85+', '20-24', '85+', '7']
    """
    bare = plain(text).replace("–", "-").replace("—", "-")
    if found := re.fullmatch(r"y?\s?(\d{1,3})\s?-\s?y?(\d{1,3})\s?(years?|лет|жас|ж\.?)?", bare):
        return f"{int(found[1])}-{int(found[2])}"
    if found := re.fullmatch(r"y?\s?(?:lt|<)\s?(\d{1,3})", bare):
        return f"0-{int(found[1]) - 1}"
    if found := re.fullmatch(
        r"(?:y?\s?ge|>=|≥)\s?(\d{1,3})|y?(\d{1,3})\s?(?:\+|and over|и старше|жас\w* (?:және|мен) .*|лет и старше)", bare
    ):
        return f"{int(found[1] or found[2])}+"
    if found := re.fullmatch(r"y?(\d{1,3})( years?| лет| жас)?", bare):
        return str(int(found[1]))
    return text.strip()


def truth(text: str) -> str | None:
    """true or false; None for anything else."""
    return "true" if plain(text) in YES else "false" if plain(text) in NO else None
