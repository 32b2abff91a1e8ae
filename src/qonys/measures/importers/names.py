"""Areas as trackers write them in English: one name, or a list of names in one cell.

    country_code("Côte d'Ivoire")                              'CIV'
    country_codes("Spain and Italy, Micronesia, Federated States of, Atlantis")
                                                               Named(codes=('ESP', 'ITA', 'FSM'), others=('Atlantis',), uncoded=())

A name is compared without case, accents, spaces and punctuation, so that broken words ("Ro- mania") are whole again. Nothing is guessed: a
name that is no area of ours, or may be two, is given back as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from qonys.core import areas
from qonys.measures.importers.cells import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PARTS = 3  # a name that holds commas itself: Bonaire, Sint Eustatius and Saba
_EMPTY = re.compile(r"\b(and|the)\b")
_WITHIN = re.compile(r"\band\b|\bor\b|[/.&]")


@dataclass(frozen=True, slots=True)
class Named:
    """A list of names as codes, in the order written and each once, and what has no code.

    others: words that are no area of ours; uncoded: places that are known and have no code (Somaliland).
    """

    codes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    uncoded: tuple[str, ...] = ()

    def limit(self) -> tuple[str, ...]:
        """What a measure for these is limited to: the codes, and UNKNOWN if words among them cannot be read or nothing else is left."""
        unsure = self.others or (self.uncoded and not self.codes)
        return (*self.codes, "UNKNOWN") if unsure else self.codes

    def words(self) -> str | None:
        """The words without a code, as they stand in the source."""
        return ", ".join((*self.others, *self.uncoded)) or None


@cache
def country_code(name: str) -> str | None:
    """The code of a country, a territory or a union by its English name; None if it is no area of ours.

    >>> country_code("Czech Republic"), country_code("Somaliland")
    ('CZE', None)
    """
    return _spellings().get(_key(name))


def is_uncoded(name: str) -> bool:
    """Whether it is the name of a place that is known and has no code of ours."""
    return _key(name) in _uncoded()


@cache
def country_codes(words: str | None) -> Named:
    """The names in one cell, separated by commas or semicolons, and where need be by "and", "or" or a full stop.

    >>> country_codes("Palestine, State of, Armenia. Austria").codes
    ('PSE', 'ARM', 'AUT')
    """
    parts = [part.strip() for part in re.split(r"[,;]", words or "") if part.strip()]
    codes: dict[str, None] = {}
    others: list[str] = []
    uncoded: list[str] = []
    place = 0
    while place < len(parts):
        # the longest name first, so that "Micronesia, Federated States of" is one
        for width in range(min(MOST_PARTS, len(parts) - place), 0, -1):
            name = ", ".join(parts[place : place + width])
            if (code := country_code(name)) is not None:
                codes[code] = None
                break
        else:
            width, inner = 1, [one.strip() for one in _WITHIN.split(parts[place]) if one.strip()]
            found = [country_code(one) for one in inner]
            if len(inner) > 1 and None not in found:
                codes |= dict.fromkeys(code for code in found if code)
            else:
                (uncoded if is_uncoded(parts[place]) else others).append(parts[place])
        place += width
    return Named(tuple(codes), tuple(others), tuple(uncoded))


def _key(name: str) -> str:
    """A name as it is compared: "St. Lucia" and "saint lucia" are `stlucia`."""
    letters = unicodedata.normalize("NFKD", name.replace("’", "'").casefold())
    words = _EMPTY.sub(" ", letters).replace("saint", "st")
    return "".join(one for one in words if one.isascii() and one.isalnum())


@cache
def _spellings() -> Mapping[str, str]:
    known = [*areas.areas(scheme="iso3166-1"), *areas.areas(scheme="union")]
    found = {_key(one.name("en")): one.code for one in known}
    return found | {_key(name): code for code, names in mapping("names")["aliases"].items() for name in names}


@cache
def _uncoded() -> frozenset[str]:
    return frozenset(map(_key, mapping("names")["uncoded"]))
