"""Indices from ordinal levels: the codebook of an index is a file, this only reads and computes it.

A sub-index puts the level of one indicator on a scale from 0 to 100; an index is the weighted mean of sub-indices. Rules on paper, not
compliance.
"""

from __future__ import annotations

import functools
import operator
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import ibis
from ibis import _

from qonys.core.errors import DataError, RegisterError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

Precision = Literal["single", "double"]
FLOAT = {"single": "float32", "double": "float64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One ordinal indicator: the column of its level (0 to `maximum`), and of its flag (1 general, 0 targeted), if it has one."""

    code: str
    level: str
    maximum: int
    flag: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Which indicators an index is the mean of, with their weights; `missing`: how many may lack a level and then count zero."""

    name: str
    weights: Mapping[str, float]
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexBook:
    """The codebook of a family of indices: the columns that name a row, the indicators, the indices, and the arithmetic."""

    name: str
    key: tuple[str, ...]
    indicators: Mapping[str, Indicator]
    indices: Mapping[str, Index]
    precision: Precision = "double"
    decimals: int | None = None
    text: str = field(default="", repr=False)


def index_book(name: str) -> IndexBook:
    """A codebook that ships with the package, by name. Errors: RegisterError naming the nearest."""
    folder = files("qonys").joinpath("data", "indices")
    known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    if name not in known:
        raise RegisterError(f"no index codebook is called {name!r}", mend=nearest(name, known))
    return read_index_book(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"), file=f"{name}.toml")


def read_index_book(text: str, *, file: str) -> IndexBook:
    """The codebook of an index from its file.

    Errors: RegisterError for text that is not TOML, an unknown key, an indicator without a maximum, an index of unknown indicators.
    """
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"{file} is not valid TOML: {error}", mend="correct that line") from None
    _known(facts, ("name", "key", "precision", "decimals", "indicator", "index"), file)
    for part in ("key", "indicator", "index"):
        if not facts.get(part):
            raise RegisterError(f"{file} has no {part}", mend=f"add [{part}], as in the shipped codebook oxcgrt")
    if facts.get("precision", "double") not in FLOAT:
        raise RegisterError(f"{file} has precision = {facts['precision']!r}", mend=nearest(str(facts["precision"]), FLOAT))
    indicators = {code: _indicator(code, one, file) for code, one in facts["indicator"].items()}
    indices = {name: _index(name, one, indicators, file) for name, one in facts["index"].items()}
    return IndexBook(
        name=str(facts.get("name", file)), key=tuple(facts["key"]), indicators=indicators, indices=indices,
        precision=facts.get("precision", "double"), decimals=facts.get("decimals"), text=text,
    )  # fmt: skip


def _known(facts: object, keys: tuple[str, ...], where: str) -> None:
    if not isinstance(facts, dict):
        raise RegisterError(f"{where} is no table", mend="write it as name = { … }")
    for key in facts:
        if key not in keys:
            raise RegisterError(f"{where} has the key {key!r}", mend=nearest(key, keys))


def _indicator(code: str, facts: Any, file: str) -> Indicator:
    where = f"{file}, indicator {code}"
    _known(facts, ("level", "maximum", "flag", "name"), where)
    maximum = facts.get("maximum")
    if not isinstance(maximum, int) or maximum < 1:
        raise RegisterError(f"{where} has maximum = {maximum!r}", mend="give the top of its ordinal scale, a whole number from 1")
    return Indicator(
        code=code, level=str(facts.get("level", code)), maximum=maximum, flag=facts.get("flag"), name=str(facts.get("name", code))
    )


def _index(name: str, facts: Any, indicators: Mapping[str, Indicator], file: str) -> Index:
    where = f"{file}, index {name}"
    _known(facts, ("of", "weights", "missing"), where)
    of = facts.get("of", [])
    weights = {str(code): 1.0 for code in of} | {str(code): weight for code, weight in facts.get("weights", {}).items()}
    for code, weight in weights.items():
        if code not in indicators:
            raise RegisterError(f"{where} is made of {code!r}, which is no indicator", mend=nearest(code, indicators))
        if not isinstance(weight, int | float) or not weight >= 0:
            raise RegisterError(f"{where} gives {code} the weight {weight!r}", mend="give a number, zero or more")
    if not sum(weights.values()) > 0:
        raise RegisterError(f"{where} has no indicator with a weight", mend='list them: of = ["C1", …]')
    missing = facts.get("missing", 0)
    if not isinstance(missing, int) or not 0 <= missing < len(weights):
        raise RegisterError(f"{where} has missing = {missing!r}", mend=f"give a whole number from 0 to {len(weights) - 1}")
    return Index(name=name, weights={code: float(weight) for code, weight in weights.items()}, missing=missing)


def subindex(levels: ibis.Table, indicator: Indicator) -> ibis.Value:
    """The level of one indicator on 0 to 100: 100 x (level - half a step if targeted) / maximum; zero at level zero, null without a level.

    A flag that is empty counts as general. Hale et al. (2021), equation 2 of the index methodology 3.6.
    """
    level = _number(levels[indicator.level])
    step = 0.5 * (1 - _number(levels[indicator.flag]).fill_null(1.0)) if indicator.flag else 0.0
    return ibis.ifelse(level > 0, 100 * (level - step) / indicator.maximum, level)


def _number(cell: ibis.Value) -> ibis.Value:
    """Text that is no number is a gap here; `off_scale` names it."""
    return cell.strip().nullif("").try_cast("float64") if cell.type().is_string() else cell.cast("float64")


def index(levels: ibis.Table, book: IndexBook) -> ibis.Table:
    """Every index of a codebook for every row -> the key columns, a column an index (0 to 100, null where too many levels are missing).

    levels: the key columns of the book, a level column an indicator, flags where the book has them. Levels outside the scale are the
    importer's business (see `off_scale`).
    """
    _need(levels, book)
    wide = levels.select(*book.key, **{code: subindex(levels, one) for code, one in book.indicators.items()})
    means = wide.select(*book.key, **{name: _mean(wide, one, book) for name, one in book.indices.items()})
    if book.decimals is None:
        return means
    return means.mutate(**{name: _half_to_even(means[name], book.decimals) for name in book.indices})


def _need(levels: ibis.Table, book: IndexBook) -> None:
    used = [*book.key, *(name for one in book.indicators.values() for name in (one.level, one.flag) if name)]
    absent = [name for name in used if name not in levels.columns]
    if absent:
        raise DataError(
            f"the table of levels has no column {', '.join(map(repr, absent))}", mend=f"add or rename it; the codebook {book.name} needs it"
        )


def _mean(wide: ibis.Table, one: Index, book: IndexBook) -> ibis.Value:
    kind = FLOAT[book.precision]

    def number(value: float) -> ibis.Value:
        return ibis.literal(value, type=kind)

    parts = [wide[code].fill_null(0.0).cast(kind) * number(weight) for code, weight in one.weights.items()]
    present = functools.reduce(operator.add, (wide[code].notnull().cast("int64") for code in one.weights))
    total = functools.reduce(operator.add, parts) / number(sum(one.weights.values()))
    return ibis.ifelse(present >= len(one.weights) - one.missing, total.cast("float64"), ibis.null("float64"))


def _half_to_even(value: ibis.Value, decimals: int) -> ibis.Value:
    """Rounding as IEEE 754 and NumPy do it; `round` of the engines takes a half away from zero."""
    scaled = value * 10.0**decimals
    below = scaled.floor().cast("float64")
    half = scaled - below
    even = (below / 2).floor().cast("float64") * 2 == below
    up = (half > 0.5) | ((half == 0.5) & ~even)
    return (below + ibis.ifelse(up, 1.0, 0.0)) / 10.0**decimals


def off_scale(levels: ibis.Table, book: IndexBook) -> ibis.Table:
    """Levels outside the scale of their indicator, or flags that are neither 0 nor 1 -> the key columns, indicator, level, flag."""
    _need(levels, book)
    long = _long(levels, book)
    off = (long.level < 0) | (long.level > long.maximum) | long.flag.notin([0.0, 1.0])
    return long.filter(off.fill_null(False) | long.unread).drop("maximum", "subindex", "unread")


def components(levels: ibis.Table, book: IndexBook, name: str) -> ibis.Table:
    """What an index value is made of -> the key columns, indicator, level, flag, subindex, weight, points (what it adds to the index).

    The points of a row sum to its index before rounding.
    """
    if name not in book.indices:
        raise RegisterError(f"the codebook {book.name} has no index {name!r}", mend=nearest(name, book.indices))
    weights = book.indices[name].weights
    parts = _long(levels, book).filter(_.indicator.isin(list(weights)))
    weight = parts.indicator.cases(*weights.items(), else_=0.0).cast("float64")
    return parts.drop("maximum", "unread").mutate(weight=weight, points=_.subindex.fill_null(0.0) * weight / sum(weights.values()))


def _unread(cell: ibis.Value) -> ibis.Value:
    """Text that is there and is no number."""
    return (cell.strip().nullif("").notnull() & _number(cell).isnull()) if cell.type().is_string() else ibis.literal(False)


def _long(levels: ibis.Table, book: IndexBook) -> ibis.Table:
    rows = [
        levels.select(
            *book.key, indicator=ibis.literal(code), level=_number(levels[one.level]),
            flag=_number(levels[one.flag]) if one.flag else ibis.null("float64"), maximum=ibis.literal(float(one.maximum)),
            subindex=subindex(levels, one), unread=_unread(levels[one.level]) | (_unread(levels[one.flag]) if one.flag else False),
        )
        for code, one in book.indicators.items()
    ]  # fmt: skip
    return ibis.union(*rows) if len(rows) > 1 else rows[0]
