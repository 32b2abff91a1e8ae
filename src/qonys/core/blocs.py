"""Divisions of areas into groups, as members of a union by when they joined: `data/areas/blocs.toml`, or one's own."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from qonys.core import areas
from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Division = Mapping[str, Sequence[str]]

REST = "rest"  # the group of areas that a division does not name


def shipped_division(name: str) -> Division:
    """The groups of a shipped division: accession, schengen, visegrad, nordic. Errors: DataError for an unknown one."""
    known = _shipped()
    if name not in known:
        raise DataError(f"there is no division {name!r}", mend=f"{nearest(name, known)}, or the path of a TOML file")
    return known[name]


def read_division(text: str, file: str) -> Division:
    """The division that a TOML text holds. Errors: DataError for a text that is none, or holds several."""
    found = _toml(text, file)
    if len(found) != 1:
        raise DataError(f"{file} holds {len(found)} divisions", mend="give a file with one")
    return next(iter(found.values()))


def groups_of(division: Division, codes: Sequence[str]) -> dict[str, str]:
    """The group of each area; areas in no group are in `rest`. Errors: DataError for an area in two groups, or one that is none."""
    own: dict[str, str] = {}
    for group, members in division.items():
        for member in members:
            code = areas.area(member).code
            if code in own:
                raise DataError(f"{member} is in the groups {own[code]} and {group}", mend="leave it in one")
            own[code] = group
    return {code: own.get(code, REST) for code in codes}


@cache
def _shipped() -> dict[str, dict[str, list[str]]]:
    return _toml(files("qonys").joinpath("data/areas/blocs.toml").read_text(encoding="utf-8"), "blocs.toml")


def _toml(text: str, file: str) -> dict[str, dict[str, list[str]]]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file} is not TOML: {error}", mend="see data/areas/blocs.toml for the form") from None
    if not all(isinstance(one, dict) and all(isinstance(codes, list) for codes in one.values()) for one in found.values()):
        raise DataError(f"{file} is no table of divisions", mend='write [name], then group = ["AUT", ...]')
    return found
