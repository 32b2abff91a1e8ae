"""A mapping applied: blocks of text columns become blocks of a contract's columns; what cannot be said in its words is a fault."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.contracts import CONTRACTS, Column, Contract
from qonys.core.errors import DataError
from qonys.sources.formats.cells import GAPS, iso_period, numbers
from qonys.sources.formats.long import known
from qonys.sources.mapping import SPANNED, Mapping, value_of
from qonys.sources.staged import Faults
from qonys.sources.words import age_band, area_code, is_total, sex, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

WORLD = ("origin", "characteristic")  # where a total row is all of the world
EMPTY = ("sex", "age", "citizenship")  # where a total row is told by an empty cell


@dataclass(frozen=True, slots=True)
class Applied:
    """What a mapping makes of a file, read once.

    batches: the contract's columns that are mapped, in its order: numbers as float64, the rest as text for `core.validate`.
    faults: rows that are left out because a cell says nothing in the contract's words. gaps: rows without a number, with the mark
    printed for it. Both are complete once the batches are read; rows + faults + gaps are all rows.
    """

    batches: pa.RecordBatchReader
    faults: Faults
    gaps: Faults


def apply(blocks: Iterable[pa.RecordBatch], mapping: Mapping, *, file: str, faults: Faults | None = None) -> Applied:
    """The rows of a file as rows of a contract.

    blocks: text columns, as `user_file.text_blocks` gives them. faults: where the reader of the file already noted some.
    A number is scaled; a period becomes first and last day, or stays partial; areas, sexes and ages become our codes; a total is WORLD as
    origin or characteristic, an empty sex, age or citizenship, and a fault elsewhere; a flag outside the contract's list goes to the note.
    Errors: DataError for a mapping that is not complete, or a column that the file does not have.
    """
    if not mapping.contract:
        raise DataError(f"the mapping of {file} names no contract", mend="say contract = 'flow', 'stock', 'panel' or another")
    contract = CONTRACTS[mapping.contract]
    if mapping.missing:
        name = mapping.missing[0]
        mend = f"say under [columns] which column it is, or under [constants]: {contract.column(name).doc}"
        raise DataError(f"the mapping of {file} to a {contract.name} does not say {', '.join(mapping.missing)}", mend=mend)
    names = _names(mapping, contract)
    of = pa.schema([(name, pa.float64() if contract.column(name).kind == "number" else pa.string()) for name in names])
    found, gaps = faults or Faults(file), Faults(file)

    def made() -> Iterator[pa.RecordBatch]:
        before = 1
        for block in blocks:
            if before == 1:
                _there(block.schema.names, mapping, file)
            for column in mapping.wide or ("",):
                out = _rows(block, column, mapping, contract, of, found, gaps, before)
                if out.num_rows:
                    yield out
            before += block.num_rows

    return Applied(pa.RecordBatchReader.from_batches(of, made()), found, gaps)


def _names(mapping: Mapping, contract: Contract) -> list[str]:
    """The contract's columns that the mapping fills, in order."""
    given = {*mapping.columns, *mapping.constants}
    if "period" in given or mapping.wide:
        given |= {name for name in (*SPANNED, "ref_date", "period") if name in contract.names}
    if mapping.wide:
        given.add(value_of(contract))
    if "flag" in given and "note" in contract.names:
        given.add("note")
    return [name for name in contract.names if name in given]


def _there(columns: list[str], mapping: Mapping, file: str) -> None:
    asked = [*mapping.columns.values(), *mapping.wide, *([mapping.scale_column] if mapping.scale_column else [])]
    for name in asked:
        if name not in columns:
            raise DataError(f"{file} has no column {name!r}, which its mapping names", mend="its columns are: " + ", ".join(columns)[:300])


def _rows(
    block: pa.RecordBatch, wide: str, mapping: Mapping, contract: Contract, of: pa.Schema, faults: Faults, gaps: Faults, before: int
) -> pa.RecordBatch:
    rows, made, bad = block.num_rows, {}, pa.array([False] * block.num_rows)
    cells = {target: pc.fill_null(block[column], "") for target, column in mapping.columns.items()}
    cells |= {target: pa.repeat(pa.scalar(text, pa.string()), rows) for target, text in mapping.constants.items()}
    number = value_of(contract)
    if wide:
        cells["period"], cells[number] = pa.repeat(pa.scalar(wide, pa.string()), rows), pc.fill_null(block[wide], "")
    if "period" in cells:
        spanned = SPANNED if "period_start" in contract.names else ("ref_date",) if "ref_date" in contract.names else ("period",)
        cells |= dict.fromkeys(spanned, cells["period"])
    noted: pa.Array | None = None
    lost = pa.array([False] * rows)
    for name in of.names:
        column = contract.column(name)
        if name not in cells:
            continue
        if column.kind == "number":
            value = numbers(cells[name], GAPS, decimal=mapping.reading.decimal)
            made[name] = value.value
            if name == number:
                made[name] = _scaled(value.value, block, mapping, faults)
                lost = pc.and_(pc.is_null(value.value), pc.invert(value.wrong)) if value.wrong is not None else pc.is_null(value.value)
            wrong, why = value.wrong, "is no number"
        elif name == "flag":
            made[name], noted, wrong, why = *_flag(cells[name], column), None, ""
        else:
            made[name], wrong, why = _converted(cells[name], name, column, mapping)
        if wrong is not None:
            fresh = pc.and_not(wrong, bad)
            for row in pc.indices_nonzero(fresh).to_pylist():
                faults.add(f"row {before + row + 1}", mapping.columns.get(name, wide or name), cells[name][row].as_py(), why)
            bad = pc.or_(bad, wrong)
    if number and contract.column(number).required:
        gone = pc.and_not(lost, bad)
        for row in pc.indices_nonzero(gone).to_pylist():
            gaps.add(f"row {before + row + 1}", mapping.columns.get(number, wide), cells[number][row].as_py(), "is a gap")
        bad = pc.or_(bad, gone)
    if "note" in of.names:
        made["note"] = _noted(made.get("note"), noted, rows)
    arrays = [made.get(name, pa.nulls(rows, of.field(name).type)) for name in of.names]
    return pa.RecordBatch.from_arrays(arrays, schema=of).filter(pc.invert(bad))


def _scaled(value: pa.Array, block: pa.RecordBatch, mapping: Mapping, faults: Faults) -> pa.Array:
    if mapping.scale_column:
        power = numbers(pc.fill_null(block[mapping.scale_column], "0")).value
        value = pc.multiply(value, pc.power(pa.scalar(10.0), pc.fill_null(power, 0.0)))
    return pc.multiply(value, mapping.scale) if mapping.scale != 1.0 else value


def _noted(own: pa.Array | None, flags: pa.Array | None, rows: int) -> pa.Array:
    if own is None or flags is None:
        return own if own is not None else flags if flags is not None else pa.nulls(rows, pa.string())
    # filled first: Arrow's null_handling="skip" drops the rows in which all are missing
    joined = pc.binary_join_element_wise(pc.fill_null(own, ""), pc.fill_null(flags, ""), "; ")
    return known(pc.utf8_trim(joined, "; "))


def _flag(cells: pa.Array, column: Column) -> tuple[pa.Array, pa.Array]:
    """A flag of the contract's list, in small letters; and any other as a note. SDMX's A is a normal value."""

    def one(text: str) -> str | None:
        return text.casefold() if text.casefold() in column.allowed else None

    flag = _each(cells, one)
    note = _each(cells, lambda text: None if not text or one(text) or text in ("A", *GAPS) else f"flag {text}")
    return flag, note


def _converted(cells: pa.Array, name: str, column: Column, mapping: Mapping) -> tuple[pa.Array, pa.Array | None, str]:
    """A column in the contract's words, where it is not (null: nowhere), and why not."""
    convert, why = _conversion(name, column, mapping)
    filled = known(cells)
    out = _each(filled, convert)
    wrong = pc.and_(pc.is_null(out), pc.is_valid(filled))
    out = pc.if_else(pc.equal(pc.fill_null(out, "-"), ""), pa.scalar(None, pa.string()), out)
    if column.required:
        wrong = pc.or_(wrong, pc.is_null(out))
    return out, wrong if pc.any(wrong, min_count=0).as_py() else None, why


def _each(cells: pa.Array, convert: Callable[[str], str | None]) -> pa.Array:
    """Each distinct text converted once. "" is an empty cell, None a text that cannot be converted."""
    coded = cells.dictionary_encode()
    return pa.array([None if text is None else convert(text) for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _conversion(name: str, column: Column, mapping: Mapping) -> tuple[Callable[[str], str | None], str]:
    if column.kind == "area":
        scheme = mapping.schemes.get(name, "codes")

        def area(text: str) -> str | None:
            code = area_code(text, scheme)
            if code is None and is_total(text):
                return "WORLD" if name in WORLD else "" if name in EMPTY else None
            return code

        return area, f"is no area by its {scheme}"
    if name == "sex":
        return lambda text: "" if is_total(text) else sex(text), "is no sex"
    if name == "age":
        return lambda text: "" if is_total(text) else age_band(text), ""
    if column.kind in ("date", "partial_date"):
        last = name in ("period_end", "left_on", "observed_until")
        return lambda text: _day(text, last=last, partial=column.kind == "partial_date"), "is no date"
    if column.kind == "boolean":
        return truth, "is neither true nor false"
    if column.allowed:
        by = {code.casefold(): code for code in column.allowed}
        return lambda text: by.get(text.casefold().replace(" ", "_")), "is not one of: " + ", ".join(column.allowed)
    return lambda text: text, "is empty"


def _day(text: str, *, last: bool, partial: bool) -> str | None:
    """A period as the contract wants it: its first or last day, or (partial) the year, month or day itself."""
    iso = iso_period(text)
    if partial and re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", iso):
        return iso
    if found := re.fullmatch(r"(\d{4})(?:-(?:(\d\d)|Q([1-4])|S([12])))?(?:-(\d\d))?", iso):
        year, month, quarter, half, day = found.groups()
        if partial:
            return None  # a quarter is no partial date
        if day:
            return iso
        first = int(month) if month else int(quarter) * 3 - 2 if quarter else int(half) * 6 - 5 if half else 1
        end = int(month) if month else int(quarter) * 3 if quarter else int(half) * 6 if half else 12
        at = end if last else first
        return f"{year}-{at:02d}-{calendar.monthrange(int(year), at)[1] if last else 1:02d}"
    return None
