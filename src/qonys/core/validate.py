"""A table against its contract: which rows hold, which do not, and a sentence for each fault.

Everything is an Ibis expression, so a file larger than memory is checked where it lies. Text is trimmed and cast; a cell
that cannot be cast, stands outside its bounds or is not a known code is a fault that names row and column.
"""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt

from qonys.core import areas
from qonys.core.contracts import CONTRACTS, Column, Contract
from qonys.core.errors import DataError, nearest
from qonys.core.periods import PARTIAL_DATE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW = "row"  # position in the file as a spreadsheet shows it: the header is row 1
PLACE = "_place"  # where a row stands, as "flows.csv:12"
Check = tuple[ibis.Value, str, str]  # a condition that is wrong, the column, the rule
_TYPES = {"date": "date", "instant": "timestamp", "integer": "int64", "number": "float64", "boolean": "boolean"}
_MENDS = {
    "missing": "fill it in",
    "not_a_number": "write digits with a point for decimals and no separators",
    "not_an_integer": "write a whole number",
    "not_a_date": "write the day as 2020-03-16",
    "not_a_partial_date": "write 2020, 2020-03 or 2020-03-16",
    "not_an_instant": "write the moment in UTC as 2020-03-16T08:30:00",
    "not_a_boolean": "write true or false",
    "repeated": "give each row an id of its own",
}


@dataclass(frozen=True, slots=True)
class Examined:
    """The outcome of one examination: lazy tables, nothing collected.

    typed: the contract's columns, cast, and `row`, the bad rows still among them;
    faults: row, column, rule; ignored: columns of no contract.
    """

    typed: ibis.Table
    faults: ibis.Table
    ignored: tuple[str, ...]


def contract_named(name: str) -> Contract:
    """The contract of that name; a wrong name is refused with the nearest right one."""
    if name not in CONTRACTS:
        raise DataError(f"there is no contract {name!r}", mend=nearest(name, CONTRACTS))
    return CONTRACTS[name]


def examine(raw: ibis.Table, contract: Contract, *, file: str) -> Examined:
    """Check `raw` (its columns as read, and `row`) against a contract.

    Raises DataError if a required column is absent: no row could be good then.
    """
    present = set(raw.columns)
    absent = [name for name in contract.required if name not in present]
    if absent:
        spare = [name for name in raw.columns if name not in (*contract.names, ROW, PLACE)]
        near = f"; the file has {', '.join(spare)}" if spare else ""
        raise DataError(
            f"{file} has no column {', '.join(repr(name) for name in absent)}, which {contract.name} needs{near}",
            mend=f"add or rename it; its columns: qonys contract show {contract.name}",
        )
    text = raw.mutate(**{c.name: _clean(raw[c.name], c) for c in contract.columns if c.name in present})
    key = contract.key or (("id",) if "id" in contract.names else ())
    if key and key[0] in present:
        same = [text[name].cast("string").fill_null("1") if name in present else ibis.literal("1") for name in key]
        text = text.mutate(seen_before=ibis.row_number().over(group_by=same, order_by=ROW) > 0)
    checks = [check for c in contract.columns if c.name in present for check in _column_checks(text, c)]
    checks += list(_order_checks(text, contract))
    if key and key[0] in present:
        checks.append((text[key[0]].notnull() & text.seen_before, key[0], "repeated"))
    # the bad rows first, which are few; then each check that a bad row fails leaves its name
    bad = text.filter(functools.reduce(operator.or_, (wrong.fill_null(False) for wrong, _, _ in checks)))
    named = [ibis.ifelse(wrong.fill_null(False), ibis.literal(f"{column} {rule}"), ibis.null("string")) for wrong, column, rule in checks]
    found = bad.select(ROW, fault=ibis.array(named)).mutate(fault=lambda t: t.fault.unnest()).filter(lambda t: t.fault.notnull())
    faults = found.select(ROW, column=found.fault.split(" ")[0], rule=found.fault.split(" ")[1])
    typed = text.select(
        *(name for name in (ROW, PLACE) if name in present),
        **{c.name: _typed(text[c.name], c) if c.name in present else ibis.null(_dtype(c)) for c in contract.columns},
    )
    ignored = tuple(name for name in raw.columns if name not in (*contract.names, ROW, PLACE))
    return Examined(typed, faults, ignored)


def sentence(*, place: str, column: str, rule: str, found: str | None, contract: Contract) -> str:
    """One fault as a sentence: what, where (file, row, column) and the mend."""
    file, _, row = place.rpartition(":")
    where = f"{file}, row {row}, column {column}"
    spec = contract.column(column)
    if rule == "missing":
        return f"{where}: is empty ({spec.doc}); {_MENDS[rule]}"
    if rule == "unknown_code":
        return f"{where}: {found!r} is not one of its codes; {nearest(found or '', spec.allowed)}"
    if rule == "unknown_area":
        return f"{where}: {found!r} is not an area; {_nearest_area(found or '')}"
    if rule == "out_of_bounds":
        bounds = f"at least {spec.minimum:g}" if spec.maximum is None else f"from {spec.minimum:g} to {spec.maximum:g}"
        return f"{where}: {found} is out of bounds; it must be {bounds}"
    if rule == "backwards":
        first = next(one for one, two in contract.ordered if two == column)
        return f"{where}: {found!r} comes before {first}; exchange or correct them"
    return f"{where}: {found!r} is {rule.replace('_', ' ')}; {_MENDS[rule]}"


def _nearest_area(word: str) -> str:
    near = {name for part in word.split() if part not in areas.codes() for name in [nearest(part.upper(), areas.codes())]}
    short = [name for name in sorted(near) if len(name) < 40]
    return short[0] if short else "use ISO 3166-1 alpha-3, ISO 3166-2 or a union's code"


def _dtype(column: Column) -> dt.DataType:
    return dt.dtype("array<string>" if column.kind in ("areas", "codes") else _TYPES.get(column.kind, "string"))


def _clean(value: ibis.Value, column: Column) -> ibis.Value:
    """Text trimmed and empty text missing; a type that a file brought along and the column cannot use, as text."""
    kept, wanted = value.type(), _dtype(column)
    if kept.is_timestamp() and column.kind == "partial_date":
        value = value.cast("date").cast("string")
    elif kept.is_array() and wanted.is_array():
        value = value.cast(wanted)
    elif not any(isinstance(kept, kinds) and isinstance(wanted, kinds) for kinds in (dt.Numeric, (dt.Date, dt.Timestamp))):
        value = value.cast("string")
    return value.strip().nullif("") if value.type().is_string() else value


def _typed(value: ibis.Value, column: Column) -> ibis.Value:
    wanted = _dtype(column)
    if value.type() == wanted:
        return value
    if wanted.is_array():
        return value.re_replace(r"\s+", " ").split(" ")
    if wanted.is_integer() and value.type().is_string():
        return value.try_cast("float64").try_cast("int64")
    return value.try_cast(wanted)


def _column_checks(table: ibis.Table, column: Column) -> Iterator[Check]:
    value = table[column.name]
    if column.required:
        yield value.isnull(), column.name, "missing"
    typed = _typed(value, column)
    if column.kind in ("date", "instant", "number", "integer", "boolean"):
        wrong = typed.isnull()
        if column.kind in ("number", "integer") and not value.type().is_integer():
            number = value.try_cast("float64")
            wrong = wrong | number.isnan() | number.isinf()
            if column.kind == "integer":
                wrong = wrong | (number != typed)
        article = "an" if column.kind in ("instant", "integer") else "a"
        yield value.notnull() & wrong.fill_null(True), column.name, f"not_{article}_{column.kind}"
    if column.kind == "partial_date":
        yield ~_is_partial_date(value), column.name, "not_a_partial_date"
    if column.kind == "area":
        yield value.notin(sorted(areas.codes())), column.name, "unknown_area"
    if column.kind == "areas":
        yield typed.filter(lambda code: code.notin(sorted(areas.codes()))).length() > 0, column.name, "unknown_area"
    if column.allowed:
        yield value.notin(column.allowed), column.name, "unknown_code"
    if column.minimum is not None:
        yield typed < column.minimum, column.name, "out_of_bounds"
    if column.maximum is not None:
        yield typed > column.maximum, column.name, "out_of_bounds"


def _is_partial_date(value: ibis.Value) -> ibis.Value:
    a_day = (value.length() < 10) | value.try_cast("date").notnull()
    return value.re_search(PARTIAL_DATE) & a_day & ~value.startswith("0000")


def _order_checks(table: ibis.Table, contract: Contract) -> Iterator[Check]:
    for first, last in contract.ordered:
        if first in table.columns and last in table.columns:
            one, two = (_typed(table[name], contract.column(name)) for name in (first, last))
            if contract.column(first).kind == "number":
                one, two = (ibis.ifelse(number.isnan() | number.isinf(), ibis.null("float64"), number) for number in (one, two))
            if contract.column(first).kind == "partial_date":
                one, two = (ibis.ifelse(_is_partial_date(partial), partial, ibis.null("string")) for partial in (one, two))
                # 2020-03-16 to 2020-03 is in order: compare only what both know
                width = ibis.least(one.length(), two.length())
                one, two = one.left(width), two.left(width)
            yield one > two, last, "backwards"
