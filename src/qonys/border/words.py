"""What the words of border services mean, without being told: directions, sexes, issuers of documents; `data/border_import.toml`."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from qonys.core.areas import codes, to_alpha3
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def meanings(name: str) -> Mapping[str, str]:
    """Word -> what it means, of direction, sex or area, words in lower case."""
    return {word.casefold(): meaning for meaning, known in _facts()[name].items() for word in known}


@cache
def formats(name: str) -> tuple[str, ...]:
    """How moments or days are written, in the order in which they are tried."""
    return tuple(_facts()["time"][name])


def area_code(word: str) -> str:
    """The code of an area: in capitals, two letters made three, codes of travel documents made those of ISO; else the word as written.

    >>> area_code("kz"), area_code("D"), area_code("XXA"), area_code("Uzbek")
    ('KAZ', 'DEU', 'STATELESS', 'Uzbek')
    """
    code = word.strip().upper()
    code = meanings("area").get(code.casefold(), code)
    if len(code) == 2:
        with suppress(DataError):
            code = to_alpha3(code)
    return code if code in codes() else word


@cache
def _facts() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads(files("qonys").joinpath("data", "border_import.toml").read_text(encoding="utf-8"))
