"""Settlements on files: household records and a question become retention, effects of support and costs; tables become a placement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DataError
from qonys.scenarios.reading import named_part
from qonys.scenarios.settlement.placement import placement_of
from qonys.scenarios.settlement.retention_design import MEASURES, RetentionDesign, retention_design_of
from qonys.store import connect, read_whole
from qonys.store.intake import admit
from qonys.store.raw import read_raw
from qonys.store.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from qonys.scenarios.settlement.assign import Placed
    from qonys.scenarios.settlement.placement import Placement
    from qonys.scenarios.settlement.retention import Retention
    from qonys.scenarios.settlement.support import Effects

Labels = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Stayed:
    """Retention of household records. effects and costs: with a design. faults, quarantine: rows that could not be used."""

    design: RetentionDesign
    retention: Retention
    effects: Effects | None
    costs: pd.DataFrame | None
    labels: Labels
    stays: int
    faults: tuple[str, ...]
    quarantine: Path | None


@dataclass(frozen=True, slots=True)
class Settled:
    """A placement of a file: as read, its result, and the files behind it."""

    placement: Placement
    placed: Placed
    labels: Labels
    inputs: tuple[tuple[Path, str], ...]


def retention_of_file(records: Path, *, design: Path | None = None, by: str | None = None, draws: int = 200, seed: int = 1) -> Stayed:
    """Who stays, out of a table of household records; with a design also what each support does and costs.

    by: a column, or a measure, whose groups are shown apart. Errors: DataError for records that cannot be read or contradict themselves,
    DesignError for a design that cannot be answered.
    """
    from qonys.scenarios.settlement.costs import cost_per_retained
    from qonys.scenarios.settlement.records import spells
    from qonys.scenarios.settlement.retention import retention
    from qonys.scenarios.settlement.retention_design import days_of
    from qonys.scenarios.settlement.support import support_effects

    labels: Labels = {}
    asked = RetentionDesign(name=records.stem)
    if design is not None:
        part, labels = named_part(read_text(design), design.name)
        asked = retention_design_of(part)
    rows, faults, quarantine = _records(records)
    stays = spells(rows, measures={*MEASURES, *asked.measures})
    horizons = [days_of(months) for months in asked.horizon_months]
    found = retention(stays, by=by, horizon_days=horizons, coverage=asked.coverage)
    effects = None if design is None else support_effects(stays, asked, draws=draws, seed=seed)
    costs = None if effects is None else cost_per_retained(effects, asked.costs)
    return Stayed(asked, found, effects, costs, labels, len(stays), faults, quarantine)


def place_file(path: Path, *, as_they_arrive: bool = False) -> Settled:
    """Households placed, at once or one after the other, out of a TOML file and the tables it names (relative to it)."""
    from qonys.scenarios.settlement.arrivals import place_arrivals
    from qonys.scenarios.settlement.assign import place
    from qonys.scenarios.settlement.needs import needs

    part, labels = named_part(read_text(path), path.name)
    placement = placement_of(part)
    named = {
        "households": placement.households, "regions": placement.regions, "jobs": placement.jobs_table, "values": placement.values_table,
        "history": placement.arrivals.history, "history_values": placement.arrivals.values,
    }  # fmt: skip
    files = {name: path.parent / file for name, file in named.items() if file is not None}
    tables = {name: _numbered(read_whole(file)) for name, file in files.items()}
    asked = needs(tables["households"], tables["regions"], placement, values=tables.get("values"), jobs=tables.get("jobs"))
    if as_they_arrive:
        before = None
        if "history" in tables:
            before = needs(tables["history"], tables["regions"], placement, values=tables.get("history_values"), jobs=tables.get("jobs"))
        placed = place_arrivals(asked, history=before)
    else:
        placed = place(asked)
    return Settled(placement, placed, labels, ((path, "placement"), *((file, name) for name, file in files.items())))


def _records(path: Path) -> tuple[pd.DataFrame, tuple[str, ...], Path | None]:
    """Rows of the contract `household` that hold, with the columns beside it as they lie."""
    con = connect()
    raw, malformed = read_raw(con, path)
    if "support" in raw.columns:  # codes stand between spaces; semicolons and commas are as common
        support = raw["support"].join(" ") if raw["support"].type().is_array() else raw["support"].cast("string")
        raw = raw.mutate(support=support.re_replace("[;,]", " "))
    beside = path.with_name(f"{path.stem}.quarantine.csv")
    intake = admit(con, raw, CONTRACTS["household"], file=path.name, malformed=malformed, quarantine_to=beside)
    rows = con.to_pandas(intake.table)
    if rows.empty:
        why = f": {intake.faults[0]}" if intake.faults else ""
        raise DataError(f"{path.name} holds no usable record{why}", mend=f"the rows stand in {beside.name}" if why else "add a row a stay")
    rows["row"] = rows["row"].str.rpartition(":")[2].astype(int)
    if intake.ignored:
        rows = rows.merge(_numbered(con.to_pandas(raw.select("row", *intake.ignored))), on="row", how="left")
    rows = rows.sort_values("row").set_index("row")  # sentences name rows of the file
    empty = [name for name in ("origin", "destination", "members") if rows[name].isna().all()]
    return rows.drop(columns=empty), intake.faults, intake.quarantine


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Text columns whose every cell is a number as numbers."""
    found = table.copy()
    for name in found.columns:
        if found[name].dtype == object or str(found[name].dtype) == "string":
            given = found[name].notna()
            numbers = pd.to_numeric(found[name], errors="coerce")
            if given.any() and numbers[given].notna().all():
                found[name] = numbers
    return found
