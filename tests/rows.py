"""Rows that hold to a contract, and the ways in which a cell of each kind can fail it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import cache
from itertools import count

import ibis
import pandas as pd
from ibis.backends.duckdb import Backend

from qonys.core.contracts import CONTRACTS, MEASURE, Column, Contract
from qonys.core.errors import QonysError
from qonys.core.validate import examine
from qonys.measures import current, with_bounds
from qonys.store import connect

EARLIER = {"date": "2020-03-15", "partial_date": "2020-02", "instant": "2020-03-16T07:30:00"}
_numbers = count(1)


def good_cell(column: Column) -> str:
    if column.name == "id":
        return f"id{next(_numbers)}"
    if column.allowed:
        return column.allowed[0]
    least = "1" if column.minimum is None else f"{column.minimum:g}"
    return {
        "code": "some_code", "text": "words, \"quoted\"\nand a second line: Қазақстан", "area": "KAZ", "areas": "KAZ UZB", "codes": "one two",
        "date": "2020-03-16", "partial_date": "2020-03", "instant": "2020-03-16T08:30:00", "integer": least, "number": least, "boolean": "true",
    }[column.kind]  # fmt: skip


def good_row(contract: Contract) -> dict[str, str]:
    return {column.name: good_cell(column) for column in contract.columns}


def bad_cells(column: Column) -> list[tuple[str, str]]:
    """(cell, rule it breaks) for each fault that one cell of the column can have on its own."""
    wrong = {
        "area": [("XQZ", "unknown_area"), ("kaz", "unknown_area")], "areas": [("KAZ XQZ", "unknown_area")],
        "date": [("16.03.2020", "not_a_date"), ("2021-02-30", "not_a_date"), ("2020", "not_a_date")],
        "partial_date": [("03.2020", "not_a_partial_date"), ("2020-13", "not_a_partial_date"), ("2021-02-30", "not_a_partial_date"), ("0000", "not_a_partial_date")],
        "instant": [("noon", "not_an_instant"), ("2020-03-16T25:00:00", "not_an_instant")],
        "integer": [("1.5", "not_an_integer"), ("many", "not_an_integer"), ("inf", "not_an_integer"), ("1e300", "not_an_integer")],
        "number": [("13,467", "not_a_number"), ("nan", "not_a_number"), ("inf", "not_a_number"), ("about 5", "not_a_number")],
        "boolean": [("perhaps", "not_a_boolean")],
    }.get(column.kind, [])  # fmt: skip
    faults = list(wrong)
    if column.required:
        faults += [("", "missing"), ("   ", "missing")]
    if column.allowed:
        faults.append(("no_such_code", "unknown_code"))
    if column.minimum is not None:
        faults.append((f"{column.minimum - 1:g}", "out_of_bounds"))
    if column.maximum is not None:
        faults.append((f"{column.maximum + 1:g}", "out_of_bounds"))
    return faults


def bad_rows(contract: Contract) -> list[tuple[dict[str, str], str, str]]:
    """(row, column, rule): one row for each fault that each column can have, all other cells good."""
    faulty = [
        (good_row(contract) | {column.name: cell}, column.name, rule) for column in contract.columns for cell, rule in bad_cells(column)
    ]
    for first, last in contract.ordered:
        kind = contract.column(first).kind
        row = good_row(contract) | ({first: "2", last: "1"} if kind == "number" else {last: EARLIER[kind]})
        faulty.append((row, last, "backwards"))
    if "id" in contract.names:
        row = good_row(contract)
        faulty += [(row | {"id": "twice"}, "", ""), (row | {"id": "twice"}, "id", "repeated")]
    return faulty


def as_csv(rows: list[dict[str, str]], columns: tuple[str, ...], **style: str) -> str:
    text = io.StringIO()
    out = csv.DictWriter(text, columns, lineterminator=style.pop("lineterminator", "\n"), **style)
    out.writeheader()
    out.writerows(rows)
    return text.getvalue()


def typed(contract: Contract, rows: list[dict[str, object]], file: str = "f.csv") -> ibis.Table:
    """Rows as the table of a contract that comes through the edge, `row` being "f.csv:2" and so on."""
    frame = pd.DataFrame([{"row": place, **row} for place, row in enumerate(rows, start=2)], columns=["row", *contract.names])
    frame[list(contract.names)] = frame[list(contract.names)].astype("string")
    seen = EDGE(_own(), ibis.memtable(frame, schema={"row": "int64", **dict.fromkeys(contract.names, "string")}), contract=contract.name)
    return seen.mutate(row=ibis.literal(f"{file}:").concat(seen["row"].cast("string")))


def bounded(rows: list[dict[str, object]]) -> ibis.Table:
    """Rows of a register with the days between which each measure began and ended, of each entry the version that stands."""
    return BOUNDS(_own(), typed(MEASURE, rows))


@cache
def _own() -> Backend:
    return connect()


class Prepared:
    """A function of tables whose plan is made once for each choice of its options and then runs on any rows: a plan of many joins takes a
    hundred times longer to make than to run. The tables of one call have the columns and types of those of the first.
    """

    def __init__(self, function: Callable[..., ibis.Table]) -> None:
        self._function = function
        self._plans: dict[object, tuple[list[str], ibis.Table, ibis.Table]] = {}

    def __call__(self, con: Backend, *tables: ibis.Table, **options: object) -> ibis.Table:
        """What the function gives for the tables, in memory."""
        key = (con, *sorted((name, repr(value)) for name, value in options.items()))
        names = self._plans[key][0] if key in self._plans else [ibis.util.gen_name("given") for _ in tables]
        given = [con.create_table(name, table, overwrite=True) for name, table in zip(names, tables, strict=True)]
        if key not in self._plans:
            planned = self._function(*given, **options)  # kept, for what it holds in memory goes when it does
            self._plans[key] = (names, planned, con.create_view(ibis.util.gen_name("planned"), planned))
        return ibis.memtable(con.to_pyarrow(self._plans[key][2]))


EDGE = Prepared(lambda raw, contract: examine(raw, CONTRACTS[contract], file="").typed)
BOUNDS = Prepared(lambda measures: with_bounds(current(measures)))


def refusal(call: Callable[[], object]) -> QonysError | None:
    """The sentence a call is refused with, or nothing; any other error is a failure of the test."""
    try:
        call()
    except QonysError as refused:
        return refused
    return None
