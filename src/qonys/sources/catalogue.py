"""The publishers and their tables: `data/catalogue.toml`, read once and checked key by key."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import SourceError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "ru", "kk")
FREQUENCIES = ("A", "S", "Q", "M", "D", "I")
FORMATS = ("tsv", "sdmx-csv", "sdmx-ml", "json-stat", "px", "xlsx", "csv", "json")
ANY = "sdmx"  # the publisher whose datasets are addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a publisher. The keys are those of the catalogue, which explains them at its head."""

    id: str
    title: Mapping[str, str]
    contract: str
    frequency: str
    path: str = ""
    dimensions: tuple[str, ...] = ()
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """A publisher: where it is asked, how often, how it is cited, and its tables by id."""

    key: str
    name: Mapping[str, str]
    address: str
    formats: tuple[str, ...]
    licence: str
    cite: str
    per_minute: int
    largest: int
    datasets: str = ""
    case: str = ""
    tables: Mapping[str, Table]

    def table(self, dataset: str) -> Table | None:
        """The catalogue's entry of a dataset, if it has one."""
        return self.tables.get(dataset)

    def dataset(self, name: str) -> str:
        """A dataset's name as it is written in targets; those of the catalogue are known in any case.

        Errors: SourceError for a name that the publisher cannot have, or has no table of, with the nearest one.
        """
        for table in self.tables:
            if table.lower() == name.lower():
                return table
        found = name.lower() if self.case == "lower" else name
        if self.datasets and re.fullmatch(self.datasets, found):
            return found
        raise SourceError(f"{self.key} has no table {name!r}", mend=nearest(found, self.tables))


@cache
def publishers() -> Mapping[str, Publisher]:
    """The shipped catalogue: key -> publisher, in its order."""
    return read_catalogue(files("qonys").joinpath("data/catalogue.toml").read_text(encoding="utf-8"), "catalogue.toml")


def publisher(key: str) -> Publisher:
    """The publisher of that key. Errors: SourceError with the nearest key."""
    known = publishers()
    if key not in known:
        raise SourceError(f"there is no publisher {key!r}", mend=nearest(key, known))
    return known[key]


def read_catalogue(text: str, file: str) -> Mapping[str, Publisher]:
    """Publishers from TOML of the form of `data/catalogue.toml`.

    Errors: SourceError naming file, publisher, table and key for what is missing, unknown, of another type or out of its bounds.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{file} is not TOML: {error}", mend="see data/catalogue.toml for the form") from None
    return MappingProxyType({key: _publisher(key, facts, file) for key, facts in found.items()})


def _publisher(key: str, facts: Any, file: str) -> Publisher:
    where = f"{file}: {key}"
    if not isinstance(facts, dict) or not re.fullmatch("[a-z][a-z0-9_]*", key):
        raise SourceError(f"{where} is no publisher", mend="write [key] in lower-case letters, then its facts")
    tables = facts.pop("table", {})
    if not isinstance(tables, dict):
        raise SourceError(f"{where} has a table without an id", mend=f"write [{key}.table.ID]")
    _keys(where, facts, Publisher, without=("key", "tables"))
    for name in ("address", "licence", "cite", "datasets", "case"):
        _text(where, name, facts.get(name, ""))
    for name, most in (("per_minute", 6000), ("largest", 2**40)):
        number = facts[name]
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
            raise SourceError(f"{where}: {name} is {number!r}", mend=f"write a whole number from 1 to {most}")
    if facts["address"] and not facts["address"].startswith("https://"):
        raise SourceError(f"{where}: address is {facts['address']!r}", mend="write an address that begins with https://")
    try:
        re.compile(facts.get("datasets", ""))
    except re.error as error:
        raise SourceError(f"{where}: datasets is no pattern: {error}", mend="write a regular expression") from None
    facts["name"] = _languages(where, "name", facts["name"])
    facts["formats"] = _words(where, "formats", facts["formats"], FORMATS)
    return Publisher(key=key, tables=MappingProxyType({one: _table(one, table, where) for one, table in tables.items()}), **facts)


def _table(key: str, facts: Any, publisher: str) -> Table:
    where = f"{publisher}: table {key}"
    if not isinstance(facts, dict):
        raise SourceError(f"{where} is {facts!r}", mend="give it a title, a contract and a frequency")
    _keys(where, facts, Table, without=("id",))
    facts["title"] = _languages(where, "title", facts["title"])
    for name, known in (("contract", ("", *CONTRACTS)), ("frequency", FREQUENCIES)):
        if facts[name] not in known:
            raise SourceError(f"{where}: {name} is {facts[name]!r}", mend=nearest(str(facts[name]), known))
    path = facts.get("path", "")
    _text(where, "path", path)
    if path.startswith("/") or ".." in path or "\\" in path:
        raise SourceError(f"{where}: path is {path!r}", mend="write the name of a file below the publisher's address")
    facts["dimensions"] = _words(where, "dimensions", facts.get("dimensions", []))
    filters = facts.get("filters", {})
    if not isinstance(filters, dict):
        raise SourceError(f"{where}: filters is {filters!r}", mend='write { dimension = "CODE" }')
    for name in filters:
        if facts["dimensions"] and name not in facts["dimensions"]:
            raise SourceError(f"{where}: filters names {name!r}", mend=nearest(name, facts["dimensions"]))
    codes = {name: [code] if isinstance(code, str) else code for name, code in filters.items()}
    facts["filters"] = tuple((name, _words(where, name, code)) for name, code in sorted(codes.items()))
    return Table(id=key, **facts)


def _keys(where: str, facts: dict[str, Any], kind: type[Publisher] | type[Table], *, without: tuple[str, ...]) -> None:
    known = [field.name for field in fields(kind) if field.name not in without]
    optional = ("datasets", "case", "path", "dimensions", "filters")
    for name in facts:
        if name not in known:
            raise SourceError(f"{where} has the unknown key {name!r}", mend=nearest(name, known))
    for name in known:
        if name not in facts and name not in optional:
            raise SourceError(f"{where} has no {name}", mend="add it; the head of data/catalogue.toml says what it means")


def _text(where: str, name: str, found: object) -> None:
    if not isinstance(found, str):
        raise SourceError(f"{where}: {name} is {found!r}", mend="write it as text, between quotes")


def _words(where: str, name: str, found: object, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(word, str) and word for word in found):
        raise SourceError(f"{where}: {name} is {found!r}", mend='write a list of words: ["one", "two"]')
    for word in found:
        if known and word not in known:
            raise SourceError(f"{where}: {name} holds {word!r}", mend=nearest(word, known))
    return tuple(found)


def _languages(where: str, name: str, found: object) -> Mapping[str, str]:
    if not isinstance(found, dict) or set(found) != set(LANGUAGES) or not all(isinstance(text, str) and text for text in found.values()):
        raise SourceError(f"{where}: {name} is not in all of {', '.join(LANGUAGES)}", mend='write { en = "...", ru = "...", kk = "..." }')
    return MappingProxyType(found)
