"""Corridors on files: a TOML file planned, asked what binds or what cannot hold together, planned anew, or held against lost trips.

A border may follow the register: `register = { origin = "KAZ", destination = "UZB", category = "citizen" }`. Days on which measures close
that corridor become closed spans, named by the entries.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from qonys.core.errors import DataError
from qonys.measures.closures import CLOSED_DOSE
from qonys.measures.history import Reading
from qonys.registers import DEFAULT, compile_exposure
from qonys.scenarios.corridor.definition import Corridor, corridor_of
from qonys.scenarios.corridor.plan import Plan
from qonys.scenarios.reading import Part, named_part
from qonys.store import connect
from qonys.store.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Labels = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A corridor, what its file calls things, and the spans that came from the register: border, first, last, measures."""

    corridor: Corridor
    labels: Labels
    spans: pd.DataFrame


def open_corridor(path: Path, *, register: Sequence[str] = DEFAULT) -> Opened:
    """A corridor out of a TOML file. Errors: DataError for no file, DesignError for what is no corridor, RegisterError as of registers."""
    part, labels = named_part(read_text(path), path.name)
    content, spans = _with_register(part, register)
    return Opened(corridor_of(Part(content, path.name)), labels, spans)


def open_plan(folder: Path) -> Plan:
    """A plan that was kept in a folder, with the corridor it was made for. Errors: DataError where the folder holds none."""
    names = [one.name for one in fields(Plan) if one.name != "corridor"]
    files = [folder / "tables" / f"{name}.parquet" for name in names]
    inputs = sorted((folder / "inputs").glob("*.toml"))
    if len(inputs) != 1 or not all(file.is_file() for file in (*files, folder / "run.json")):
        raise DataError(f"{folder} holds no plan of a corridor", mend="write one with: qonys corridor plan FILE --to FOLDER")
    tables = {name: pd.read_parquet(file) for name, file in zip(names, files, strict=True)}
    return Plan(corridor=open_corridor(inputs[0]).corridor, **tables)


def _with_register(part: Part, register: Sequence[str]) -> tuple[dict[str, Any], pd.DataFrame]:
    """The content with closed spans for each border that follows the register."""
    content, found = dict(part.content), []
    if not any("register" in row.content for row in part.rows("borders", ())):
        return content, pd.DataFrame(columns=["border", "first", "last", "measures"])
    first, last = part.day("first"), part.day("last")
    borders = []
    for row in part.rows("borders"):
        border = dict(row.content)
        if "register" in border:
            by_hand = [(one.day("first", first), one.day("last", last)) for one in row.rows("closed", ())]
            spans = _closed(row.part("register"), first, last, register, by_hand)
            del border["register"]
            own = [{"first": begin, "last": end, "why": why} for begin, end, why in spans]
            border["closed"] = [*border.get("closed", ()), *own]
            found += [(border.get("id", ""), *span) for span in spans]
        borders.append(border)
    content["borders"] = borders
    return content, pd.DataFrame(found, columns=["border", "first", "last", "measures"])


def _closed(
    asked: Part, first: date, last: date, register: Sequence[str], by_hand: Sequence[tuple[date, date]]
) -> list[tuple[date, date, str]]:
    """Spans of days on which the dose of the corridor closes it, with the entries behind them; not those closed by hand already."""
    origin, destination = asked.text("origin"), asked.text("destination")
    category, reading = asked.text("category", "citizen"), asked.text("reading", "certain", among=get_args(Reading))
    dose = asked.number("dose", CLOSED_DOSE, least=0, most=100)
    asked.done()
    con = connect()
    table = compile_exposure(
        con, register, [origin], [destination], [category], (first, last), by="day", reading=reading, direction="tightening"
    )
    days = con.to_pandas(table.filter(table.dose >= dose).order_by("period"))
    spans: list[tuple[date, date, str]] = []
    for row in days.itertuples():
        day, why = date.fromisoformat(row.period), " ".join(row.measure_ids)
        if any(begins <= day <= ends for begins, ends in by_hand):
            continue
        if spans and spans[-1][1] + timedelta(days=1) == day and spans[-1][2] == why:
            spans[-1] = (spans[-1][0], day, why)
        else:
            spans.append((day, day, why))
    return spans
