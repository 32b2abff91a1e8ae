"""Areas: countries, unions, groups and the regions of Kazakhstan, as they were on a given day.

    area("KZ-63").name("kk")                                  'Шығыс Қазақстан облысы'
    region_code("Алматинская область")                        'KZ-19'
    members("EU", date(2020, 1, 31))                          28 codes, GBR among them
    len(regions_at(date(2017, 1, 1)))                         16
    comparable(["KZ-10", "KZ-63", "KZ-75"], start, end)       (('KZ-10', 'KZ-63'), ('KZ-75',)) over 2021-2023

Spans of days run from the first day up to, not including, the last. Countries are named by CLDR, through
Babel (loaded when the first name is asked for); the rest is data in `data/areas/`, written by hand. The page
docs/reference/areas.md lists the codes and what changed when.
"""

from __future__ import annotations

import csv
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qonys.core.errors import DataError, DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Scheme = Literal["iso3166-1", "iso3166-2", "union", "group"]
Kind = Literal["country", "former_state", "region", "city", "union", "group"]

LANGUAGES = ("en", "ru", "kk")
DATA = Path(__file__).parents[1] / "data" / "areas"

# The words that say what an area is, in the three languages; a name is compared without them.
REGION_WORDS = frozenset(("region", "oblast", "province", "oblysy", "область", "обл", "облысы", "облыс"))
CITY_WORDS = frozenset(("city", "gorod", "qalasy", "город", "г", "қаласы", "қала"))
EMPTY_WORDS = REGION_WORDS | CITY_WORDS | {"of"}
APOSTROPHES = frozenset("'’‘ʻʼ`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An area: its code in its scheme, its kind, and the days from `valid_from` up to `valid_to`.

    `valid_from` is None where it is not coded, `valid_to` while the area exists. `parent` is the country of a
    region; `alpha2` the ISO code of a country; `kato` the national code of a region.
    """

    code: str
    scheme: Scheme
    kind: Kind
    valid_from: date | None = None
    valid_to: date | None = None
    parent: str | None = None
    alpha2: str | None = None
    kato: str | None = None

    def name(self, lang: str = "en", on: date | None = None) -> str:
        """The name in en, ru or kk: today's, or that of the day `on`."""
        return area_name(self.code, lang, on)

    def exists(self, on: date) -> bool:
        """Whether the area existed on that day, as far as its days are coded."""
        return _within(on, self.valid_from, self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the map: from the day `on`, the territory of `before` is that of `after`."""

    on: date
    before: tuple[str, ...]
    after: tuple[str, ...]
    act: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A spell of membership, from `start` up to, not including, `end` (None: goes on, or was always so)."""

    area: str
    union: str
    start: date | None
    end: date | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """The data files, read once."""

    areas: Mapping[str, Area]
    names: Mapping[str, Mapping[str, str]]  # by hand; the rest is in CLDR
    former_names: Mapping[str, tuple[Mapping[str, Any], ...]]
    changes: tuple[Change, ...]
    unions: Mapping[str, Mapping[str, Any]]
    eurostat: Mapping[str, str]
    known_from: date  # regions: the first day of the map
    spellings: Mapping[tuple[str, str], str]  # (name, kind or "") -> code


def area(code: str) -> Area:
    """The area with this code; a DataError that names the nearest code if there is none.

    >>> area("KZ-75").kind
    'city'
    """
    try:
        return _catalogue().areas[code]
    except KeyError:
        raise DataError(f"no area has the code {code!r}", mend=_mend(code)) from None


def areas(*, scheme: Scheme | None = None, kind: Kind | None = None) -> tuple[Area, ...]:
    """All areas, or those of a scheme or a kind, by code; the former ones are among them."""
    return tuple(one for _, one in sorted(_catalogue().areas.items()) if scheme in (None, one.scheme) and kind in (None, one.kind))


@cache
def codes() -> frozenset[str]:
    """Every code that may stand in an area column."""
    return frozenset(_catalogue().areas)


def area_name(code: str, lang: str = "en", on: date | None = None) -> str:
    """The name of an area in en, ru or kk: today's, or that of the day `on`.

    >>> area_name("KZ-71", "en", date(2020, 1, 1))
    'Nur-Sultan city'
    """
    if lang not in LANGUAGES:
        raise DataError(f"areas have no names in {lang!r}", mend=nearest(lang, LANGUAGES))
    known, one = _catalogue(), area(code)
    if on is not None:
        for former in known.former_names.get(code, ()):
            if _within(on, former["from"], former["to"]):
                return str(former[lang])
    own = known.names.get(code, {})
    return own[lang] if lang in own else _cldr(lang)[one.alpha2 or ""]


def to_alpha3(code: str, scheme: str = "iso2") -> str:
    """ISO 3166-1 alpha-3 (or one of our union and group codes) for a code of another scheme.

    scheme: `iso2`, ISO 3166-1 alpha-2; `eurostat`, the same with EL, UK, former states, EU27_2020, STLS, UNK.

    >>> to_alpha3("EL", "eurostat"), to_alpha3("GR")
    ('GRC', 'GRC')
    """
    tables = {"iso2": _alpha2(), "eurostat": {**_alpha2(), **_catalogue().eurostat}}
    if scheme not in tables:
        raise DataError(f"no scheme of area codes is called {scheme!r}", mend=nearest(scheme, tables))
    if code in tables[scheme]:
        return tables[scheme][code]
    if code in tables["eurostat"]:
        mend = "it is a Eurostat code: say scheme='eurostat'"
    else:
        near = nearest(code.upper(), tables[scheme])
        mend = near if near.startswith("did you mean") else "write two capital letters, such as 'KZ'"
    raise DataError(f"no country has the {scheme} code {code!r}", mend=mend)


def members(union: str, on: date) -> tuple[str, ...]:
    """The members of a union on a day, by code. EU27_2020, EU28 and EU27_2007 are the same on all days."""
    return tuple(spell.area for spell in memberships(union) if _within(on, spell.start, spell.end))


def is_member(area: str, union: str, on: date) -> bool:
    """Whether an area was a member of a union on a day.

    >>> is_member("GBR", "EU", date(2020, 1, 31)), is_member("GBR", "EU", date(2020, 2, 1))
    (True, False)
    """
    if area not in _catalogue().areas:
        raise DataError(f"no area has the code {area!r}", mend=_mend(area))
    return area in members(union, on)


@cache
def memberships(union: str) -> tuple[Membership, ...]:
    """The spells of membership in a union, by area and start, with notes on what came in steps."""
    unions = _catalogue().unions
    if union not in unions:
        raise DataError(f"no union with members is called {union!r}", mend=nearest(union, unions))
    facts = unions[union]
    if "of" in facts:
        fixed = members(facts["of"], facts["as_of"])
        return tuple(Membership(area=code, union=union, start=None, end=None) for code in fixed)
    spells: list[Membership] = []
    open_since: dict[str, tuple[date, str]] = {}
    for event in facts["events"]:
        note = event.get("note", "")
        open_since |= dict.fromkeys(event.get("join", ()), (event["on"], note))
        for code in event.get("leave", ()):
            start, joined = open_since.pop(code)
            notes = "; ".join(filter(None, (joined, note)))
            spells.append(Membership(area=code, union=union, start=start, end=event["on"], note=notes))
    spells += [Membership(area=code, union=union, start=start, end=None, note=note) for code, (start, note) in open_since.items()]
    return tuple(sorted(spells, key=lambda spell: (spell.area, spell.start)))


def region_code(name: str) -> str:
    """The code of a region of Kazakhstan by its name (en, ru, kk, old spellings), KATO code or own code.

    The country itself gives KAZ and "other regions" REST, because tables of regions have such rows. A bare
    name that a city shares with a region is the city: "Almaty" is KZ-75, "Almaty region" KZ-19. A name says
    nothing of the day: BNS prints South Kazakhstan (KZ-YUZ) as Turkistan region for years before 2017.

    >>> region_code("Северо-Казахстанская область"), region_code("Nur-Sultan")
    ('KZ-59', 'KZ-71')
    """
    spellings = _catalogue().spellings
    key = _spelling(name)
    if key in spellings:
        return spellings[key]
    english = [area_name(one.code) for one in areas(scheme="iso3166-2")]
    raise DataError(f"no region of Kazakhstan is called {name!r}", mend=nearest(name, english))


def regions_at(on: date) -> tuple[str, ...]:
    """The regions and cities of republican significance of Kazakhstan on a day, by code.

    16 from 2000, 17 from 2018-06-19, 20 from 2022-06-08; a DataError for days before 2000.
    """
    known_from = _catalogue().known_from
    if on < known_from:
        raise DataError(f"the regions of Kazakhstan on {on} are not coded", mend=f"ask for {known_from} or a later day")
    return tuple(one.code for one in areas(scheme="iso3166-2") if one.exists(on))


def lineage(code: str) -> tuple[Change, ...]:
    """The changes of the map in which an area took part, oldest first; none for an area that never changed.

    >>> [change.before for change in lineage("KZ-61")]
    [('KZ-YUZ',)]
    """
    area(code)
    return tuple(change for change in _catalogue().changes if code in change.before + change.after)


def comparable(codes: Iterable[str], start: date, end: date) -> tuple[tuple[str, ...], ...]:
    """The finest grouping of areas whose territory is the same on both days: a partition of `codes`.

    Sum within each group before comparing the two days. A DesignError if no sum of these codes would do, as a
    part that split off in between is not among them. Countries stand alone unless a former state is among the
    codes, because publishers give today's states their own figures for the years before.

    >>> comparable(["KZ-63", "KZ-75", "KZ-10"], date(2021, 1, 1), date(2023, 1, 1))
    (('KZ-10', 'KZ-63'), ('KZ-75',))
    """
    given = {area(code).code for code in codes}
    first, last = sorted((start, end))
    groups, left = [], set(given)
    for linked in _linked(first, last):
        group = linked & given
        if not group or not any(area(code).kind in ("region", "city", "former_state") for code in group):
            continue
        for day in (first, last):
            there = {code for code in linked if area(code).exists(day)}
            if there & group and (missing := sorted(there - group)):
                raise DesignError(
                    f"{_listed(group)} changed boundaries between {first} and {last}, and"
                    f" {_listed(missing)} of the same territory on {day} is not among the codes",
                    mend=f"add {_listed(missing)}, or leave {_listed(group)} out",
                )
        groups.append(tuple(sorted(group)))
        left -= group
    return tuple(sorted([*groups, *((code,) for code in left)]))


def tiles(grid: str, on: date | None = None) -> Mapping[str, tuple[int, int]]:
    """The cell (row, column, from 0 at the north-west) of each area on a tile map.

    grid: `KAZ`, regions of Kazakhstan; `EU`, the 27 with CHE, GBR, ISL, LIE and NOR. With a day, the areas of
    that day (a region not yet there leaves its cell empty); without, those of today.
    """
    grids = _grids()
    if grid not in grids:
        raise DataError(f"no tile map is called {grid!r}", mend=nearest(grid, grids))
    there = {one.code for one in map(area, grids[grid]) if (one.exists(on) if on else one.valid_to is None)}
    return {code: cell for code, cell in grids[grid].items() if code in there}


def _within(on: date, start: date | None, end: date | None) -> bool:
    return (start is None or start <= on) and (end is None or on < end)


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes))


def _mend(code: str) -> str:
    """Where a wrong code was probably meant to go: a two-letter code, a region's name, a slip of the pen."""
    if code.upper() in (two := {**_alpha2(), **_catalogue().eurostat}):
        return f"did you mean {two[code.upper()]!r}?"
    if (named := _catalogue().spellings.get(_spelling(code))) is not None:
        return f"did you mean {named!r}?"
    near = nearest(code.upper(), _catalogue().areas)
    return near if near.startswith("did you mean") else "qonys.core.areas.areas() lists all codes"


def _linked(first: date, last: date) -> list[set[str]]:
    """The codes whose territories exchange something after `first` and up to `last`."""
    groups: list[set[str]] = []
    for change in _catalogue().changes:
        if first < change.on <= last:
            joined = {*change.before, *change.after}
            apart = [group for group in groups if not group & joined]
            groups = [*apart, joined.union(*(group for group in groups if group & joined))]
    return groups


def _spelling(name: str) -> tuple[str, str]:
    """A name as it is compared (no case, accents, hyphens, kind words, footnotes), and the kind it says."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(one for one in letters if not unicodedata.combining(one) and one not in APOSTROPHES)
    words = "".join(one if one.isalnum() else " " for one in letters).split()
    kind = "region" if REGION_WORDS & set(words) else "city" if CITY_WORDS & set(words) else ""
    rest = [word for word in words if word not in EMPTY_WORDS and not (word.isdigit() and len(word) == 1)]
    return " ".join(rest or words), kind


def _spellings(regions: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    # Cities come last, so that a bare name is theirs.
    for one in sorted(regions["regions"], key=lambda one: one["kind"] == "city"):
        names = [one["code"], one["kato"], *(one[lang] for lang in LANGUAGES), *one.get("aliases", ())]
        names += [former[lang] for former in one.get("former_names", ()) for lang in LANGUAGES]
        for name in names:
            stem, _ = _spelling(name)
            found[stem, ""] = found[stem, one["kind"]] = one["code"]
    for code, names in ((regions["country"], regions["country_aliases"]), ("REST", regions["rest_aliases"])):
        found |= {_spelling(name): code for name in names}
    return found


@cache
def _catalogue() -> _Catalogue:
    regions, former, unions, groups = map(_toml, ("regions_kaz", "former", "unions", "groups"))
    with (DATA / "countries.csv").open(encoding="utf-8", newline="") as file:
        known = [Area(code=row["code"], scheme="iso3166-1", kind="country", alpha2=row["alpha2"]) for row in csv.DictReader(file)]
    known += [Area(scheme="iso3166-1", kind="former_state", **_own(one)) for one in former["areas"]]
    known += [
        Area(scheme="iso3166-2", kind=one["kind"], parent=regions["country"], kato=one["kato"], **_own(one)) for one in regions["regions"]
    ]
    known += [
        Area(code=code, scheme="union", kind="union", valid_from=facts.get("events", [{}])[0].get("on")) for code, facts in unions.items()
    ]
    known += [Area(code=code, scheme="group", kind="group") for code in groups["groups"]]
    named = [(one["code"], one) for one in former["areas"] + regions["regions"]]
    named += [*unions.items(), *groups["groups"].items()]
    changes = [
        Change(on=one["on"], before=tuple(one["before"]), after=tuple(one["after"]), act=one["act"])
        for one in former["changes"] + regions["changes"]
    ]
    return _Catalogue(
        areas={one.code: one for one in known},
        names={code: {lang: facts[lang] for lang in LANGUAGES} for code, facts in named} | groups["official"],
        former_names={one["code"]: tuple(one.get("former_names", ())) for one in regions["regions"]},
        changes=tuple(sorted(changes, key=lambda change: (change.on, change.before))),
        unions=unions,
        eurostat=groups["eurostat"],
        known_from=regions["known_from"],
        spellings=_spellings(regions),
    )


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


def _own(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts.get(name) for name in ("code", "valid_from", "valid_to")}


@cache
def _alpha2() -> Mapping[str, str]:
    return {one.alpha2: one.code for one in _catalogue().areas.values() if one.alpha2}


@cache
def _cldr(lang: str) -> Mapping[str, str]:
    from babel import Locale  # slow to load, so only when the first country is named

    return dict(Locale(lang).territories)


@cache
def _grids() -> Mapping[str, Mapping[str, tuple[int, int]]]:
    facts = _toml("tiles")
    grids = {
        name: {
            code: (row, column)
            for row, line in enumerate(drawing.strip().splitlines())
            for column, code in enumerate(line.split())
            if code != "."
        }
        for name, drawing in facts["grids"].items()
    }
    for gone, successor in facts["same"].items():
        for cells in grids.values():
            if successor in cells:
                cells[gone] = cells[successor]
    return grids
