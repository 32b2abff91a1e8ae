"""Staged batches as rows of a contract, batch by batch: every row of a table becomes a row, a fault, or is ignored with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.contracts import CONTRACTS, Contract
from qonys.core.errors import DataError, nearest
from qonys.sources.harmonise import cells as words
from qonys.sources.harmonise.codes import CodedColumn, code_areas, filled, nearest_code
from qonys.sources.harmonise.plans import AREAS, Plan, plan
from qonys.sources.staged import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qonys.sources.staged import Staged

TEXT = pa.string()
BESIDE = ("source", "vintage", "status", "flag", "note")  # of a panel, whose contract has none of them
POWER = re.compile(r"[+-]?(\d|1[0-2])")  # of ten, to a million million
MIXED = "is of several bases: an aggregate of areas that count by birth with others that count by citizenship"


@dataclass(slots=True)
class Counts:
    """read: rows of the staged table so far; rows: rows of the contract made of them; ignored: reason -> rows."""

    read: int = 0
    rows: int = 0
    ignored: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonised:
    """A table of a publisher as rows of a contract, read once.

    batches: the contract's columns, numbers as float64, the rest as text; a panel has source, vintage, status, flag and note beside them.
    `aggregate` names the publisher's code where a row is a group of areas that has no code of ours (whose area column holds the
    publisher's), or says again what another row says; rows without it are those that may be summed over areas, save unions and WORLD.
    faults: rows that say nothing in the contract's words. ignored: rows that are not meant (gaps, other units and breakdowns), with the
    reason. All are complete once the batches are read; counts.read = counts.rows + faults.count + ignored.count.
    """

    batches: pa.RecordBatchReader
    contract: str
    faults: Faults
    ignored: Faults
    counts: Counts


def harmonise(
    staged: Staged,
    publisher: str,
    table: str,
    *,
    source: str | None = None,
    vintage: str | None = None,
    keep: Mapping[str, str | Sequence[str]] | None = None,
    aggregates: bool = True,
) -> Harmonised:
    """The rows of a staged table as rows of the contract that `data/harmonise.toml` names for it.

    source: key of the source list; without it `publisher:table`. vintage: for replies that say none. keep: dimension -> the code that is
    meant, in place of what the plan fixes. aggregates: False leaves out groups of areas without a code of ours and the column
    `aggregate`, so that the batches hold the contract alone (they are ignored, and counted).
    Nothing is summed, split or filled. Numbers become persons by their unit's factor, which the note tells.
    Errors: SourceError for a table without a plan; DataError for a staged table without a column that the plan reads, and, while reading,
    for a dimension with two values that the contract cannot tell apart.
    """
    found = plan(publisher, table, keep=keep)
    contract = CONTRACTS[found.contract]
    _there(found, staged, keep or {})
    faults, ignored, counts = (Faults(staged.faults.file), Faults(staged.faults.file), Counts())
    of = _schema(contract, aggregates=aggregates)
    same = {"source": source or f"{publisher}:{table}", "vintage": vintage or staged.vintage}
    free = _free(found, staged)

    def made() -> Iterator[pa.RecordBatch]:
        seen: dict[str, str] = {}
        for batch in staged.batches:
            rows = _Rows(batch, counts.read, faults, ignored, counts)
            columns = _columns(rows, found, contract, aggregates=aggregates) | same
            out = rows.out(columns, of)
            _one_value(rows, free, seen, found)
            counts.read += batch.num_rows
            counts.rows += out.num_rows
            if out.num_rows:
                yield out

    reader = pa.RecordBatchReader.from_batches(of, made())
    return Harmonised(batches=reader, contract=contract.name, faults=faults, ignored=ignored, counts=counts)


class _Rows:
    """A batch, which of its rows are still meant, and where the others go."""

    def __init__(self, batch: pa.RecordBatch, before: int, faults: Faults, ignored: Faults, counts: Counts) -> None:
        self.batch, self.before, self.faults, self.ignored, self.counts = batch, before, faults, ignored, counts
        self.left = pa.array([True]).take(pa.nulls(batch.num_rows, pa.int8()).fill_null(0))

    def text(self, name: str | None) -> pa.Array:
        """A column; an empty one where there is none of that name."""
        if name is None or name not in self.batch.schema.names:
            return pa.nulls(self.batch.num_rows, TEXT)
        return self.batch[name].cast(TEXT)

    def fault(self, wrong: pa.Array, column: str, found: pa.Array, why: Callable[[str], str]) -> None:
        self._out(self.faults, wrong, column, found, why)

    def ignore(self, wrong: pa.Array, column: str, found: pa.Array, why: str) -> None:
        number = self._out(self.ignored, wrong, column, found, lambda _: why)
        if number:
            self.counts.ignored[why] = self.counts.ignored.get(why, 0) + number

    def _out(self, to: Faults, wrong: pa.Array, column: str, found: pa.Array, why: Callable[[str], str]) -> int:
        fresh = pc.and_(self.left, pc.fill_null(wrong, False))
        places = pc.indices_nonzero(fresh)
        if len(places):
            self.left = pc.and_not(self.left, fresh)
            shown = places.slice(0, max(to.most - len(to.rows), 0))
            said: dict[str, str] = {}  # the nearest code is slow to find and the same for the same text
            for row, text in zip(shown.to_pylist(), pc.fill_null(found.take(shown), "").to_pylist(), strict=True):
                if text not in said:
                    said[text] = why(text)
                to.add(f"row {self.before + row + 1}", column, text, said[text])
            to.count += len(places) - len(shown)
        return len(places)

    def out(self, columns: Mapping[str, pa.Array | str | None], of: pa.Schema) -> pa.RecordBatch:
        rows = self.batch.num_rows

        def made(name: str) -> pa.Array:
            column = columns.get(name)
            if column is None:
                return pa.nulls(rows, of.field(name).type)
            return pa.repeat(pa.scalar(column, TEXT), rows) if isinstance(column, str) else column

        return pa.RecordBatch.from_arrays([made(name) for name in of.names], schema=of).filter(self.left)


def _columns(rows: _Rows, found: Plan, contract: Contract, *, aggregates: bool) -> dict[str, pa.Array | str | None]:
    """The contract's columns for a batch; rows that do not belong are sorted out on the way."""
    value, flag = rows.batch["value"], rows.text("flag")
    rows.ignore(pc.is_null(value, nan_is_null=True), "value", flag, "is a gap")
    for name, codes in found.fixed.items():
        if name in rows.batch.schema.names:
            text = pc.fill_null(rows.text(name), "")
            meant = pc.is_in(text, value_set=pa.array(codes, TEXT))
            rows.ignore(pc.invert(meant), name, text, f"{name} is not {' or '.join(repr(code) for code in codes)}")
    number, scaled = _scaled(value, rows, found)
    if contract.name != "panel":
        below = pc.less(number, 0)
        if pc.any(below).as_py():
            rows.fault(below, "value", pc.cast(value, TEXT), lambda _: "is negative: a number of persons is not")
    made: dict[str, pa.Array | str | None] = dict(found.constants)
    named, basis = _areas(rows, found)
    made |= {name: column.code for name, column in named.items()}
    groups = [column.group for column in named.values()]
    made["aggregate"] = words.joined(groups, " ")
    if not aggregates:
        rows.ignore(pc.is_valid(made["aggregate"]), "", made["aggregate"], "is a group of areas without a code of ours")
    made |= basis | _people(rows, found) | _dates(rows, found, contract)
    marked = words.marks(flag, found.flags)
    made |= {"flag": marked.flag, "status": marked.status, "value" if contract.name == "panel" else "persons": number}
    notes = [rows.text("note"), marked.note, *(column.note for column in named.values()), scaled]
    if found.basis_by is not None:
        of_type = rows.text(next(name for name in found.basis_by.column if name in rows.batch.schema.names))
        made |= _typed(rows, found, of_type, marked.flag)
        notes.append(pc.binary_join_element_wise("type of data", of_type, " "))
    notes += [pc.binary_join_element_wise(name, rows.text(name), " ") for name in found.noted]
    return made | {"note": words.joined(notes, "; ")}


def _scaled(value: pa.Array, rows: _Rows, found: Plan) -> tuple[pa.Array, pa.Array]:
    """The numbers in persons, and what they were multiplied with, as a note."""
    factor = pa.repeat(pa.scalar(1.0), len(value))
    if found.units:
        by = {unit.casefold(): one for unit, one in found.units.items()}
        unit = rows.text("unit")
        known = words.each(unit, lambda text: repr(float(by[text.strip().casefold()])) if text.strip().casefold() in by else None)
        rows.ignore(pc.and_(pc.is_valid(unit), pc.is_null(known)), "unit", unit, "is in another unit than persons")
        factor = pc.fill_null(known.cast(pa.float64()), 1.0)
    if found.power in rows.batch.schema.names:
        power = rows.text(found.power)
        ten = words.each(power, lambda text: repr(10.0 ** int(text)) if POWER.fullmatch(text) else None)
        rows.fault(pc.and_(pc.is_valid(power), pc.is_null(ten)), found.power, power, lambda _: "is no power of ten")
        factor = pc.multiply(factor, pc.fill_null(ten.cast(pa.float64()), 1.0))
    elif found.power:
        factor = pc.multiply(factor, found.bulk)
    one = pc.equal(factor, 1.0)
    if pc.all(one).as_py():
        return value, pa.nulls(len(value), TEXT)
    said = words.each(pc.if_else(one, words.NONE, factor.cast(TEXT)), lambda text: f"published in units of {float(text):g}")
    return pc.multiply(value, factor), said


def _areas(rows: _Rows, found: Plan) -> tuple[dict[str, CodedColumn], dict[str, pa.Array | str | None]]:
    """The columns of areas as our codes; where arrivals and departures stand side by side, also the basis."""
    named: dict[str, CodedColumn] = {}
    for name in AREAS:
        column = found.column(name, rows.batch.schema.names)
        if column is not None:
            text = rows.text(column)
            coded = code_areas(text, found.areas, total=found.total)
            rows.fault(pc.is_null(coded.code), column, text, lambda text: f"is no area: {nearest_code(text, found.areas)}")
            named[name] = coded
    for name, coded in named.items():
        reporting = next((one.code for other, one in named.items() if other != name), None)
        if reporting is not None:
            named[name] = filled(coded, reporting)
        rows.fault(
            pc.equal(named[name].code, ""), name, named[name].group, lambda _: "names a reporting country that no other column names"
        )
    if "citizenship" in named:  # an empty cell is all of them
        named["citizenship"] = _emptied(named["citizenship"], found.total)
    return _directed(rows, found, named) if found.direction is not None else (named, {})


def _emptied(column: CodedColumn, total: str) -> CodedColumn:
    return CodedColumn(pc.if_else(pc.equal(column.code, total), words.NONE, column.code), column.group, column.note)


def _directed(
    rows: _Rows, found: Plan, named: Mapping[str, CodedColumn]
) -> tuple[dict[str, CodedColumn], dict[str, pa.Array | str | None]]:
    direction = found.direction
    assert direction is not None
    text = rows.text(direction.column)
    came, left = ({word.casefold() for word in one} for one in (direction.arrivals, direction.departures))

    def which(said: str) -> str | None:
        parts = {part.strip().casefold() for part in said.split("/")}
        return "arrivals" if parts & came else "departures" if parts & left else None

    way = words.each(text, which)
    rows.ignore(pc.is_null(way), direction.column, text, "is neither arrivals nor departures")
    arrived = pc.fill_null(pc.equal(way, "arrivals"), False)
    area, none = named["area"], pa.nulls(len(text), TEXT)
    partner = pa.repeat(pa.scalar(direction.partner, TEXT), len(text))
    origin = CodedColumn(pc.if_else(arrived, partner, area.code), area.group, area.note)
    destination = CodedColumn(pc.if_else(arrived, area.code, partner), none, none)
    basis = pc.if_else(arrived, "previous_residence", "next_residence")
    return {"origin": origin, "destination": destination}, {"basis": basis}


def _people(rows: _Rows, found: Plan) -> dict[str, pa.Array | str | None]:
    """Sex, age and category."""
    made: dict[str, pa.Array | str | None] = {}
    for name, convert in (("sex", words.sex_code), ("age", words.age_code)):
        column = found.column(name, rows.batch.schema.names)
        if column is not None:
            text = rows.text(column)
            code = words.each(text, convert)
            rows.fault(pc.equal(code, words.WRONG), column, text, lambda _, name=name: f"is no {name}")  # type: ignore[misc]
            rows.ignore(pc.equal(code, words.UNSTATED), column, text, "is a sex that is not stated, for which the contract has no word")
            made[name] = code
    column = found.column("category", rows.batch.schema.names)
    return made if column is None else made | {"category": rows.text(column)}


def _dates(rows: _Rows, found: Plan, contract: Contract) -> dict[str, pa.Array | str | None]:
    text = rows.text("period")
    days = {"first": words.first_day, "middle": words.middle_day, "last": words.last_day}
    wanted = {
        "flow": {"period_start": words.first_day, "period_end": words.last_day},
        "stock": {"ref_date": days.get(found.reference, words.first_day)},
        "panel": {"period": words.panel_period},
    }[contract.name]
    made: dict[str, pa.Array | str | None] = {name: words.each(text, convert) for name, convert in wanted.items()}
    wrong = pc.is_null(made[next(iter(made))])
    rows.fault(wrong, "period", text, lambda _: "is no period: 2020, 2020-03, 2020-Q1 or 2020-03-31")
    return made


def _typed(rows: _Rows, found: Plan, text: pa.Array, flag: pa.Array) -> dict[str, pa.Array | str | None]:
    """The basis that each row says by the letters of its type of data, of which the first named counts; letters of estimates flag it."""
    by = found.basis_by
    assert by is not None
    basis = words.each(text, lambda said: next((basis for letter, basis in by.codes.items() if letter in said), words.WRONG))
    rows.ignore(pc.is_null(basis), "basis", text, MIXED)
    rows.fault(pc.equal(basis, words.WRONG), "basis", text, lambda _: "is no type of data: " + ", ".join(by.codes))
    estimated = words.each(text, lambda said: "e" if set(by.estimated) & set(said) else None)
    return {"basis": basis, "flag": pc.coalesce(flag, estimated)}


def _schema(contract: Contract, *, aggregates: bool) -> pa.Schema:
    names = [*contract.names, *(BESIDE if contract.name == "panel" else ()), *(("aggregate",) if aggregates else ())]
    numbers = {column.name for column in contract.columns if column.kind == "number"}
    return pa.schema([(name, pa.float64() if name in numbers else TEXT) for name in names])


def _there(found: Plan, staged: Staged, keep: Mapping[str, str | Sequence[str]]) -> None:
    """Refuse a table without a column that a row cannot do without, or that is asked for."""
    for name in keep:
        if name not in staged.columns:
            raise DataError(f"{staged.faults.file} has no column {name!r} to keep rows by", mend=nearest(name, staged.columns))
    needed = [found.columns[name] for name in ("area", *CONTRACTS[found.contract].required) if name in found.columns]
    needed += [found.basis_by.column] if found.basis_by else []
    needed += [(found.direction.column,)] if found.direction else []
    for choice in needed:
        if not any(name in staged.columns for name in choice):
            column = " or ".join(repr(one) for one in choice)
            what = f"{staged.faults.file} has no column {column}, which {found.publisher}:{found.table} needs"
            raise DataError(what, mend=nearest(choice[0], staged.columns))


def _free(found: Plan, staged: Staged) -> tuple[str, ...]:
    """The dimensions that no column of the contract holds: their rows may have one value only."""
    read = {found.column(name, staged.columns) for name in found.columns}
    read |= {one.removesuffix("_label") for one in read if one} | {*found.noted, *found.same, found.power}
    read |= {found.direction.column} if found.direction else set()
    return tuple(name for name in staged.dimensions if name not in read)


def _one_value(rows: _Rows, free: Sequence[str], seen: dict[str, str], found: Plan) -> None:
    if not free or not pc.any(rows.left).as_py():
        return
    for name in free:
        values = sorted({"" if one is None else one for one in pc.unique(rows.text(name).filter(rows.left)).to_pylist()})
        both = sorted({*values, seen.setdefault(name, values[0])})
        if len(both) > 1:
            raise DataError(
                f"{found.publisher}:{found.table} has rows with {name} {both[0]!r} and with {name} {both[1]!r}, and a {found.contract}"
                " cannot tell them apart: the same people would be counted twice",
                mend=f"say which is meant, as --keep '{name}={both[0]}', or pull one of them",
            )
