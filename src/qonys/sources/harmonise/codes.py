"""A publisher's codes of areas as ours: countries, former states, totals, unknown; groups of several areas are told apart."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.sources.harmonise.facts import facts
from qonys.sources.words import area_code, is_total

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMES = ("eurostat", "m49", "iso3", "names")
SHORT_CITY = re.compile(r"қ\.$")  # as BNS shortens it
REPORTING = ""  # stands for the code of the reporting country until the row says which it is


@dataclass(frozen=True, slots=True)
class Coded:
    """An area as we write it.

    code: of ours; of a group without a code of ours the publisher's; `REPORTING` where it is the reporting country. group: the publisher's
    code where the row is one of several areas together, or repeats another row: never to be summed with members. note: what the
    publisher's code says and ours does not.
    """

    code: str
    group: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """A column of areas: our codes, groups and notes as in `Coded`; code is null where the text is no code of the scheme."""

    code: pa.Array
    group: pa.Array
    note: pa.Array


def area_of(text: str, scheme: str, *, total: str = "WORLD") -> Coded | None:
    """The area that a publisher's code names; None where it is none that is known.

    scheme: eurostat, m49 (UN Statistics Division and UN DESA), iso3 (UNHCR, World Bank, OECD, ILO), names (in en, ru, kk).
    Former states stay themselves. total: the area that a total stands for.

    >>> area_of("EL", "eurostat").code, area_of("398", "m49").code, area_of("Область Абай", "names").code
    ('GRC', 'KAZ', 'KZ-10')
    >>> area_of("NEU27_2020_FOR", "eurostat").group
    'NEU27_2020_FOR'
    """
    text = text.strip()
    if scheme == "names":
        named = total if is_total(text) else area_code(text, "names") or area_code(SHORT_CITY.sub("қаласы", text), "names")
        return None if named is None else Coded(named)
    known = _scheme(scheme)
    if scheme == "m49" and text.isdecimal():
        text = str(int(text))
    for prefix in known.prefixes:
        text = text.removeprefix(prefix)
    if text in known.own:
        code = known.own[text]
        return Coded(total if code == "WORLD" else code, None, _note(known.notes.get(text), text))
    if text == known.reporting:
        return Coded(REPORTING, text)
    if text in known.groups or any(pattern.fullmatch(text) for pattern in known.patterns):
        return Coded(text, text)
    return None


def code_areas(cells: pa.Array, scheme: str, *, total: str = "WORLD") -> CodedColumn:
    """A column of a publisher's codes as ours; each distinct code is looked at once. Null stays null."""
    coded = cells.dictionary_encode()
    found = [None if text is None else area_of(text, scheme, total=total) for text in coded.dictionary.to_pylist()]

    def column(name: str) -> pa.Array:
        return pa.array([None if one is None else getattr(one, name) for one in found], pa.string()).take(coded.indices)

    return CodedColumn(column("code"), column("group"), column("note"))


def published(code: str, scheme: str) -> str:
    """How a publisher writes one of our codes: the inverse of `area_of`.

    Errors: DataError for an area that the scheme has no code of.

    >>> published("GRC", "eurostat"), published("XKX", "m49")
    ('EL', '412')
    """
    if scheme == "names":
        return areas.area_name(code)
    known = _scheme(scheme)
    if code not in known.inverse:
        raise DataError(f"{scheme} has no code for {code!r}", mend=nearest(code, known.inverse))
    return known.inverse[code]


def nearest_code(text: str, scheme: str) -> str:
    """The mend for a code that is none: the nearest of the scheme."""
    if scheme == "names":
        return nearest(text, [one.name(lang) for one in areas.areas(scheme="iso3166-2") for lang in areas.LANGUAGES])
    near = nearest(text, _scheme(scheme).own)
    return near if near.startswith("did you mean") else f"it is no code of {scheme} that is known"


@dataclass(frozen=True, slots=True)
class _Scheme:
    own: Mapping[str, str]
    notes: Mapping[str, str]
    inverse: Mapping[str, str]
    groups: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]
    prefixes: tuple[str, ...]
    reporting: str | None


@cache
def _scheme(name: str) -> _Scheme:
    if name not in SCHEMES:
        raise DataError(f"there is no scheme of area codes {name!r}", mend=nearest(name, SCHEMES))
    said = facts()["codes"][name]
    base = {"eurostat": _eurostat, "m49": _m49, "iso3": _iso3}[name]()
    own = base | said["own"]
    # the first code that names an area alone is how it is written; one with a note names something else, too
    plain = [(text, code) for text, code in {**said["own"], **base}.items() if text not in said["notes"]]
    inverse: dict[str, str] = {}
    for text, code in plain:
        inverse.setdefault(code, text)
    return _Scheme(
        own=own,
        notes=said["notes"],
        inverse=inverse,
        groups=frozenset(said["groups"]),
        patterns=tuple(re.compile(one) for one in said["patterns"]),
        prefixes=tuple(said.get("prefixes", ())),
        reporting=said.get("reporting"),
    )


def _eurostat() -> dict[str, str]:
    """Alpha-2 and, by `areas.to_alpha3`, what Eurostat writes in another way."""
    return {one.alpha2: areas.to_alpha3(one.alpha2, "eurostat") for one in areas.areas(kind="country") if one.alpha2}


def _m49() -> dict[str, str]:
    with (areas.DATA / "m49.csv").open(encoding="utf-8", newline="") as file:
        return {row["m49"]: row["code"] for row in csv.DictReader(file)}


def _iso3() -> dict[str, str]:
    """ISO 3166-1 alpha-3, withdrawn codes, and our own codes of unions and groups."""
    return {one.code: one.code for one in areas.areas() if one.scheme != "iso3166-2"}


def _note(said: str | None, text: str) -> str | None:
    return None if said is None else f"{said} ({text})"


def filled(coded: CodedColumn, reporting: pa.Array) -> CodedColumn:
    """The column with the code of the row's reporting country where the publisher says no more than that it is that country."""
    return CodedColumn(pc.if_else(pc.equal(coded.code, REPORTING), reporting, coded.code), coded.group, coded.note)
