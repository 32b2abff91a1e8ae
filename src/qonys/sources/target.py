"""What is to be pulled, as one line of text: `publisher:dataset?filter=code,code&since=2015`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from qonys.core.errors import SourceError, nearest
from qonys.sources.catalogue import ANY, Publisher, publisher

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 2000  # characters of a target
MOST_CODES = 300  # of one filter
ALL = "*"  # every code of a dimension, also where the catalogue would ask for one
PERIODS = ("since", "until")  # the same words for every publisher
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,63}")
_PERIOD = re.compile(r"(?P<year>[12]\d{3})(-(?P<part>0[1-9]|1[0-2]|Q[1-4]|S[12]))?(?(part)(-(?P<day>0[1-9]|[12]\d|3[01]))?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A dataset of a publisher and what is asked of it. `text` is its one canonical form; equal targets have equal texts.

    filters: (name, codes) in the order of names, the codes in order without repetition; `since` and `until` are among them.
    Of publisher `sdmx` the dataset is an address and the filters are its query, with names and codes as they are.
    """

    publisher: str
    dataset: str
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def text(self) -> str:
        """The target as `parse` reads it."""
        if self.publisher == ANY:
            query = urlencode([(name, code) for name, codes in self.filters for code in codes], quote_via=quote)
        else:
            query = "&".join(f"{name}={','.join(codes)}" for name, codes in self.filters)
        return f"{self.publisher}:{self.dataset}" + (f"?{query}" if query else "")

    @property
    def digest(self) -> str:
        """SHA-256 of the text, as hexadecimal: what the store names the target's folder by."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def codes(self) -> Mapping[str, tuple[str, ...]]:
        """Filters by name."""
        return dict(self.filters)

    def __str__(self) -> str:
        return self.text


def parse(text: str) -> Target:
    """The target that a text names, in canonical order: `eurostat:migr_imm1ctz?geo=FR,DE&since=2015` is the one with `geo=DE,FR`.

    Errors: SourceError for what is no target, a publisher, dataset or filter that is not known (with the nearest), a code that is none,
    a filter given twice, periods out of order, an address with a password or without a host, and anything that is too long.
    """
    if len(text) > LONGEST:
        raise SourceError(f"the target has {len(text)} characters", mend=f"{LONGEST} are the most: pull it in parts")
    if any(not letter.isprintable() or letter.isspace() for letter in text):
        raise SourceError(f"the target {text!r} holds spaces or control characters", mend="leave them out")
    key, colon, rest = text.partition(":")
    if not colon or not rest:
        raise SourceError(f"{text!r} is no target", mend="write publisher:dataset, as eurostat:migr_imm1ctz?geo=DE,FR&since=2015")
    facts = publisher(key.lower())
    if facts.key == ANY:
        return _address(rest)
    name, _, query = rest.partition("?")
    target = Target(publisher=facts.key, dataset=_dataset(facts, name))
    return replace(target, filters=_filters(target, facts, query)) if query else target


def complete(target: Target) -> Target:
    """The target with what the catalogue asks for of each dimension that it does not name. Complete targets stay as they are."""
    table = publisher(target.publisher).table(target.dataset)
    if table is None:
        return target
    return replace(target, filters=tuple(sorted((dict(table.filters) | dict(target.filters)).items())))


def _dataset(facts: Publisher, name: str) -> str:
    if ".." in name or name.startswith(("/", ".")) or "\\" in name or "%" in name:
        raise SourceError(f"{name!r} is a path, not a dataset", mend=nearest(name, facts.tables))
    return facts.dataset(name)


def _filters(target: Target, facts: Publisher, query: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    table = facts.table(target.dataset)
    known = (*table.dimensions, *PERIODS) if table is not None and table.dimensions else ()
    found: dict[str, tuple[str, ...]] = {}
    for part in query.split("&"):
        word, equals, text = part.partition("=")
        name, codes = word.lower(), text.split(",")
        where = f"filter {part[:80]!r} of {target.text}"
        if not equals or not _NAME.fullmatch(name) or not text:
            raise SourceError(f"{where} is no filter", mend="write name=code or name=code,code")
        if known and name not in known:
            raise SourceError(f"{target.text} has no dimension {name!r}", mend=nearest(name, known))
        if name in found:
            raise SourceError(f"{target.text} is given the filter {name!r} twice", mend=f"write {name}=code,code")
        if len(codes) > MOST_CODES:
            raise SourceError(
                f"{target.text}: {name} names {len(codes)} codes", mend=f"{MOST_CODES} are the most: leave {name} out for all"
            )
        if ALL in codes and len(codes) > 1:
            raise SourceError(f"{where} asks for all and for one", mend=f"write {name}=* or name the codes")
        for code in codes:
            if name in PERIODS:
                _period(where, code, len(codes))
            elif code != ALL and (not _CODE.fullmatch(code) or ".." in code):
                raise SourceError(f"{where}: {code!r} is no code", mend="codes are letters, digits, _ . : + and -")
        found[name] = tuple(sorted(set(codes)))
    if "since" in found and "until" in found and _first(found["since"][0], last=False) > _first(found["until"][0], last=True):
        raise SourceError(f"{target.text}: since {found['since'][0]} is after until {found['until'][0]}", mend="exchange them")
    return tuple(sorted(found.items()))


def _period(where: str, code: str, number: int) -> None:
    if number > 1 or not _PERIOD.fullmatch(code) or ("-Q" in code and code.count("-") > 1):
        raise SourceError(f"{where}: {code!r} is no period", mend="write one: 2015, 2015-03, 2015-Q1, 2015-S1 or 2015-03-31")


def _first(period: str, *, last: bool) -> tuple[int, int, int]:
    """The first or the last day of a period, for comparing."""
    year, part, day = (*period.split("-"), "", "")[:3]
    width = {"Q": 3, "S": 6}.get(part[:1], 1)
    step = int(part[1:]) if part[:1] in ("Q", "S") else int(part) if part else 0
    month = (step * width if last else (step - 1) * width + 1) if step else 12 if last else 1
    return int(year), month, int(day) if day else 31 if last else 1


def _address(rest: str) -> Target:
    facts = publisher(ANY)
    address, _, query = rest.partition("?")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise SourceError(f"{address!r} is no address: {error}", mend="write https://host/path") from None
    if parts.scheme.lower() not in ("https", "http") or not host:
        raise SourceError(f"{address!r} is no address of a web service", mend="write sdmx:https://host/rest/data/FLOW/KEY?format=csv")
    if parts.username is not None or parts.password is not None:
        raise SourceError(f"the address on {host} holds a user name or a password", mend="leave it out: targets are kept and shown")
    if parts.fragment or "#" in query or ".." in parts.path.split("/") or "\\" in address:
        raise SourceError(f"{address!r} holds '#', '..' or a backslash", mend="write the address of the data itself")
    scheme, port = parts.scheme.lower(), f":{parts.port}" if parts.port is not None else ""
    if ":" in host:
        host = f"[{host}]"
    dataset = facts.dataset(f"{scheme}://{host}{port}{parts.path or '/'}")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=MOST_CODES)
    except ValueError as error:
        raise SourceError(f"{query[:80]!r} is no query: {error}", mend="write name=value&name=value") from None
    if any(not (name + code).isprintable() for name, code in pairs):
        raise SourceError(f"the query of {dataset} holds control characters", mend="leave them out")
    names = sorted({name for name, _ in pairs})
    filters = tuple((name, tuple(sorted(code for one, code in pairs if one == name))) for name in names)
    return Target(publisher=ANY, dataset=dataset, filters=filters)
