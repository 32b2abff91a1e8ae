"""The edge: a file becomes a table of a contract, or its bad rows go to a file beside it with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from qonys.core.validate import PLACE, ROW, examine, sentence
from qonys.store.raw import read_raw
from qonys.store.tables import write_table

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

    from qonys.core.contracts import Contract


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in: the good rows as a lazy table, and what became of the others.

    table: the contract's columns and `row` ("flows.csv:12"); faults: one sentence a fault; quarantine: the file of bad rows.
    """

    table: ibis.Table
    rows: int
    bad_rows: int
    faults: tuple[str, ...]
    ignored: tuple[str, ...]
    quarantine: Path | None


def take_in(con: Backend, path: Path, contract: Contract, *, label: str | None = None, quarantine: bool = True) -> Intake:
    """Read `path`, check it against `contract`, keep the good rows, quarantine the bad ones beside the input.

    Good rows plus bad rows are all rows of the file. Without `quarantine` nothing is written.
    Errors: DataError if the file cannot be read or a required column is absent.
    """
    raw, malformed = read_raw(con, path)
    if PLACE in raw.columns:
        raw = raw.drop(PLACE)
    return admit(con, raw, contract, file=label or path.name, malformed=malformed, quarantine_to=_beside(path) if quarantine else None)


def admit(
    con: Backend,
    raw: ibis.Table,
    contract: Contract,
    *,
    file: str,
    malformed: pd.DataFrame | None = None,
    quarantine_to: Path | None = None,
) -> Intake:
    """The same for a table already read: `raw` holds text columns, an integer `row` and, if it joins several files, `_place`."""
    if PLACE not in raw.columns:
        raw = raw.mutate(**{PLACE: ibis.literal(f"{file}:").concat(raw[ROW].cast("string"))})
    seen = examine(raw, contract, file=file)
    faults = con.create_table(ibis.util.gen_name("faults"), seen.faults, temp=True)
    bad, named = _bad_rows(con, raw, faults, contract, malformed, file)
    quarantine = None
    if len(bad) and quarantine_to is not None:
        quarantine = quarantine_to
        write_table(bad, quarantine)
    elif quarantine_to is not None:
        quarantine_to.unlink(missing_ok=True)  # a mended file leaves no old quarantine behind
    good = seen.typed.anti_join(faults, ROW) if len(bad) else seen.typed
    table = con.create_table(ibis.util.gen_name(contract.name), good.drop(ROW).rename({ROW: PLACE}), temp=True)
    kept = int(con.execute(table.count()))
    sentences = tuple(fault for row in named for fault in row)
    return Intake(table, kept + len(bad), len(bad), sentences, seen.ignored, quarantine)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.quarantine.csv")


def _bad_rows(
    con: Backend, raw: ibis.Table, faults: ibis.Table, contract: Contract, malformed: pd.DataFrame | None, file: str
) -> tuple[pd.DataFrame, list[list[str]]]:
    """The bad rows as they were read, with `why`, and their sentences; malformed lines carry their text in `line`."""
    rows = con.to_pandas(raw.semi_join(faults, ROW).order_by(ROW))
    named = con.to_pandas(faults.order_by(ROW, "column", "rule")).groupby(ROW)
    sentences = []
    for row in rows.to_dict("records"):
        broken = named.get_group(row[ROW]).itertuples()
        sentences.append(
            [
                sentence(place=row[PLACE], column=fault.column, rule=fault.rule, found=_found(row.get(fault.column)), contract=contract)
                for fault in broken
            ]
        )
    if malformed is not None and len(malformed):
        rows = pd.concat([rows, malformed[[ROW, "found"]].rename(columns={"found": "line"})], ignore_index=True)
        sentences += [[f"{file}, row {row}: the line does not fit the header; check its separators and quotes"] for row in malformed[ROW]]
    order = rows[ROW].argsort(kind="stable")
    bad, named_in_order = rows.iloc[order].drop(columns=[PLACE, "why"], errors="ignore"), [sentences[place] for place in order]
    bad.insert(0, "why", [" | ".join(reasons) for reasons in named_in_order])
    return bad, named_in_order


def _found(value: object) -> str | None:
    return None if value is None or value is pd.NA or value is pd.NaT else str(value)
