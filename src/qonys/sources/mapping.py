"""A mapping says which column of a user's file is which column of a contract. It is a TOML file that a person can read and correct.

contract = "flow"
wide = ["2019", "2020"]                 # columns that are periods
[columns]
origin = "Страна выезда"
[schemes]
origin = "names"                        # codes, iso2, eurostat or names
[constants]
counted = "moves"
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from qonys.core.contracts import CONTRACTS, Column, Contract
from qonys.core.errors import DataError, nearest
from qonys.sources.user_file import Reading
from qonys.sources.words import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary

HIGH, LOW = "high", "low"
SPANNED = ("period_start", "period_end")  # a contract with both may be given one column `period`
VALUES = ("persons", "value")  # the columns that hold the number of a row
TABLES = ("file", "columns", "schemes", "constants", "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """Why a column was taken for something: the reason as a code, and how sure it is (high, low).

    reasons: name, content, name_and_content, wide_periods, word_in_name, unit_words, unit_mult, as_published, columns_of_contract,
    stock_or_flow, ambiguous, rows_repeat (a column that plays no part tells rows apart: they would be counted twice).
    """

    target: str
    reason: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A mapping. columns: column of the contract (or `period`) -> column of the file. wide: columns that are periods.

    schemes: how areas are written. constants: column of the contract -> the text of all rows. scale: what the number is multiplied with;
    scale_column: a column that holds a power of ten (SDMX's unit_mult). unknown: columns of the file that play no part.
    contract is "" while it is not known.
    """

    contract: str = ""
    reading: Reading = field(default_factory=Reading)
    columns: Dictionary[str, str] = field(default_factory=dict)
    wide: tuple[str, ...] = ()
    schemes: Dictionary[str, str] = field(default_factory=dict)
    constants: Dictionary[str, str] = field(default_factory=dict)
    scale: float = 1.0
    scale_column: str = ""
    unknown: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Columns that the contract must have and that come from nowhere yet."""
        if not self.contract:
            return ()
        contract = CONTRACTS[self.contract]
        given = {*self.columns, *self.constants}
        if "period" in given or self.wide:
            given |= {*SPANNED, "ref_date", "period"}
        if self.wide:
            given |= {value_of(contract)}
        return tuple(name for name in contract.required if name not in given)

    @property
    def complete(self) -> bool:
        """Whether it can be applied: the contract is known and nothing is missing."""
        return bool(self.contract) and not self.missing


def value_of(contract: Contract) -> str:
    """The column that holds a row's number; "" for a contract without one."""
    return next((name for name in VALUES if name in contract.names), "")


def targets(contract: Contract) -> tuple[str, ...]:
    """What the columns of a file may be: the contract's columns, and `period` where it has a first and a last day."""
    return (*contract.names, "period") if set(SPANNED) <= set(contract.names) else contract.names


def write_mapping(mapping: Mapping) -> str:
    """The mapping as TOML; what is still needed stands in it as comments. Reading it gives the same mapping."""
    contract = CONTRACTS.get(mapping.contract)
    lines = [f"contract = {_text(mapping.contract)}"]
    if contract is None:
        lines.append("# not known yet: one of " + ", ".join(CONTRACTS))
    if mapping.wide:
        lines.append(f"wide = {_list(mapping.wide)}")
    if mapping.scale != 1.0:
        lines.append(f"scale = {mapping.scale!r}")
    if mapping.scale_column:
        lines.append(f"scale_column = {_text(mapping.scale_column)}")
    if mapping.unknown:
        lines.append(f"unknown = {_list(mapping.unknown)}")
    plain = asdict(Reading())
    file = {name: value for name, value in asdict(mapping.reading).items() if value != plain[name]}
    lines += _table("file", file) + _table("columns", mapping.columns) + _table("schemes", mapping.schemes)
    lines += _table("constants", mapping.constants)
    if contract is not None and mapping.missing:
        lines += [] if mapping.constants else ["", "[constants]"]
        lines += [
            f"# {name} = {_text(' or '.join(contract.column(name).allowed))}  # needed: {contract.column(name).doc}"
            for name in mapping.missing
        ]
    return "\n".join(lines + _table("why", {guess.target: f"{guess.reason}, {guess.confidence}" for guess in mapping.guesses})) + "\n"


def read_mapping(text: str, file: str) -> Mapping:
    """A mapping from TOML. Errors: DataError naming file, key and value for what is unknown, of another type or contradictory."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise DataError(f"{file} is not TOML: {wrong}", mend="write it as qonys sources map does") from None
    known = ("contract", "wide", "scale", "scale_column", "unknown", *TABLES)
    _known(found, known, file)
    name = _string(found.get("contract", ""), file, "contract")
    if name and name not in CONTRACTS:
        raise DataError(f"{file}: there is no contract {name!r}", mend=nearest(name, CONTRACTS))
    mapping = Mapping(
        contract=name,
        reading=_reading(found.get("file", {}), file),
        columns=_strings(found.get("columns", {}), file, "columns"),
        wide=_names(found.get("wide", []), file, "wide"),
        schemes=_strings(found.get("schemes", {}), file, "schemes"),
        constants=_strings(found.get("constants", {}), file, "constants"),
        scale=_scale(found.get("scale", 1.0), file),
        scale_column=_string(found.get("scale_column", ""), file, "scale_column"),
        unknown=_names(found.get("unknown", []), file, "unknown"),
        guesses=tuple(
            Guess(target=target, reason=why.partition(", ")[0], confidence=why.partition(", ")[2])
            for target, why in _strings(found.get("why", {}), file, "why").items()
        ),
    )
    _check(mapping, file)
    return mapping


def _check(mapping: Mapping, file: str) -> None:
    for target, scheme in mapping.schemes.items():
        if scheme not in SCHEMES:
            raise DataError(f"{file}, schemes: {target} is {scheme!r}", mend=nearest(scheme, SCHEMES))
    if not mapping.contract:
        return
    contract = CONTRACTS[mapping.contract]
    may = targets(contract)
    for table, names in (("columns", mapping.columns), ("constants", mapping.constants), ("schemes", mapping.schemes)):
        for name in names:
            if name not in may:
                raise DataError(f"{file}, {table}: a {contract.name} has no {name!r}", mend=nearest(name, may))
    both = sorted(set(mapping.columns) & set(mapping.constants))
    if both:
        raise DataError(f"{file}: {both[0]} is a column and a constant", mend="leave one of them out")
    for name, text in mapping.constants.items():
        if name == "period":
            continue
        column: Column = contract.column(name)
        if column.allowed and text not in column.allowed:
            raise DataError(f"{file}, constants: {name} is {text!r}", mend=nearest(text, column.allowed))
    if "period" in mapping.columns and set(SPANNED) & set(mapping.columns):
        raise DataError(f"{file}: both period and {SPANNED[0]} are given", mend="give the period, or its first and last day")
    if mapping.wide and value_of(contract) in mapping.columns:
        raise DataError(
            f"{file}: the number stands in {mapping.columns[value_of(contract)]!r} and in wide columns", mend="leave one of them out"
        )


def _known(found: Dictionary[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in found:
        if key not in known:
            raise DataError(f"{where} has an unknown key {key!r}", mend=nearest(key, known))


def _reading(found: Any, file: str) -> Reading:
    if not isinstance(found, dict):
        raise DataError(f"{file}: file is no table", mend="write [file], then its keys")
    names = tuple(one.name for one in fields(Reading))
    _known(found, names, f"{file}, [file]")
    for name, value in found.items():
        if name == "skip":
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10_000:
                raise DataError(f"{file}, [file]: skip is {value!r}", mend="write how many lines stand above the header, from 0")
        else:
            _string(value, f"{file}, [file]", name)
    if found.get("decimal", ".") not in (".", ","):
        raise DataError(f"{file}, [file]: decimal is {found['decimal']!r}", mend="write '.' or ','")
    if len(found.get("separator", "")) > 1:
        raise DataError(f"{file}, [file]: separator is {found['separator']!r}", mend="write one sign, such as ';'")
    return Reading(**found)


def _scale(value: Any, file: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15:
        raise DataError(f"{file}: scale is {value!r}", mend="write a number above 0, such as 1000 for thousands")
    return float(value)


def _string(value: Any, file: str, key: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{file}: {key} is {value!r}", mend="write it in quotes")
    return value


def _strings(found: Any, file: str, table: str) -> dict[str, str]:
    if not isinstance(found, dict):
        raise DataError(f"{file}: {table} is no table", mend=f"write [{table}], then its keys")
    return {key: _string(value, f"{file}, {table}", key) for key, value in found.items()}


def _names(found: Any, file: str, key: str) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found) or len(set(found)) < len(found):
        raise DataError(f"{file}: {key} is no list of different names", mend='write ["one", "two"]')
    return tuple(found)


def _table(name: str, found: Dictionary[str, Any]) -> list[str]:
    return (
        ["", f"[{name}]", *(f"{_key(key)} = {_text(value) if isinstance(value, str) else value}" for key, value in found.items())]
        if found
        else []
    )


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(names: tuple[str, ...]) -> str:
    return "[" + ", ".join(_text(name) for name in names) + "]"
