"""Known totals that shares in a text are checked against, and the names of their areas in texts."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WORLD = "WLD"
_COLUMNS = ["id", "quantity", "area", "year", "value", "unit", "source_key", "source"]
_UNITS = {"persons": 1, "thousand_persons": 1000}

# Names as texts write them, without endings; more areas come in by the argument `area_names` of `check_text`.
AREA_NAMES: Mapping[str, str] = {
    "kazakhstan": "KAZ", "казахстан": "KAZ", "қазақстан": "KAZ",
    "kyrgyzstan": "KGZ", "kyrgyz republic": "KGZ", "кыргызстан": "KGZ", "киргизия": "KGZ", "қырғызстан": "KGZ",
    "tajikistan": "TJK", "таджикистан": "TJK", "тәжікстан": "TJK",
    "uzbekistan": "UZB", "узбекистан": "UZB", "өзбекстан": "UZB",
    "russia": "RUS", "russian federation": "RUS", "россия": "RUS", "российская федерация": "RUS", "ресей": "RUS",
    "germany": "DEU", "германия": "DEU", "poland": "POL", "польша": "POL",
    "turkey": "TUR", "türkiye": "TUR", "турция": "TUR", "түркия": "TUR",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTotal:
    """One published total in persons, with the year it holds for and its publisher."""

    id: str
    quantity: str
    area: str
    year: int
    value: Decimal
    source_key: str
    source: str


def read_totals(path: Path) -> tuple[ReferenceTotal, ...]:
    """Reference totals from a CSV file with the columns id, quantity, area, year, value, unit, source_key, source."""
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if reader.fieldnames is None or set(_COLUMNS) - set(reader.fieldnames):
            raise DataError(f"{path.name} does not have the columns of reference totals", mend="give it: " + ", ".join(_COLUMNS))
        return tuple(_total(row, f"{path.name}, row {place}") for place, row in enumerate(reader, start=2))


@cache
def shipped_totals() -> tuple[ReferenceTotal, ...]:
    """The totals that come with the package."""
    return read_totals(Path(str(files("qonys") / "data" / "reference_totals.csv")))


def _total(row: Mapping[str, str], where: str) -> ReferenceTotal:
    try:
        value, year = Decimal(row["value"]) * _UNITS[row["unit"]], int(row["year"])
    except (InvalidOperation, KeyError, ValueError) as error:
        raise DataError(
            f"{where}: value {row['value']!r}, unit {row['unit']!r}, year {row['year']!r} cannot be read",
            mend="write a number, one of the units " + ", ".join(_UNITS) + ", and a year of four digits",
        ) from error
    return ReferenceTotal(
        id=row["id"], quantity=row["quantity"], area=row["area"], year=year, value=value, source_key=row["source_key"], source=row["source"]
    )


def pair_of_totals(
    totals: Iterable[ReferenceTotal], part: tuple[str, str], whole: tuple[str, str], year: int | None
) -> tuple[ReferenceTotal, ReferenceTotal] | None:
    """The part and the whole, each a quantity and an area, for the same year: the nearest to `year`, else the latest."""
    known = {(each.quantity, each.area, each.year): each for each in totals}
    years = sorted(at for quantity, area, at in known if (quantity, area) == part and (*whole, at) in known)
    if not years:
        return None
    best = years[-1] if year is None else min(years, key=lambda at: (abs(at - year), -at))
    return known[(*part, best)], known[(*whole, best)]


def area_pattern(names: Mapping[str, str]) -> re.Pattern[str]:
    """Any of the names, with the endings of its cases: "Казахстана", "Қазақстанның", "Kazakhstan's"."""
    ordered = sorted(names, key=len, reverse=True)
    return re.compile("|".join(f"(?<!\\w)(?P<a{place}>{_stem(name)})(?!\\w)" for place, name in enumerate(ordered)) or r"(?!)")


def area_of(found: re.Match[str], names: Mapping[str, str]) -> str:
    """The code of the area whose name was found."""
    ordered = sorted(names, key=len, reverse=True)
    return names[ordered[int(str(found.lastgroup)[1:])]]


def _stem(name: str) -> str:
    words = []
    for word in name.lower().split():
        cyrillic = bool(re.search("[а-яёәғқңөұүһі]", word))
        stem = re.sub("(?:ия|ая|а|я|ь|й|о|е)$", "", word) if cyrillic and len(word) > 4 else word
        words.append(re.escape(stem) + (r"\w{0,6}" if cyrillic else "(?:'s)?"))
    return "[ ]{1,3}".join(words)
