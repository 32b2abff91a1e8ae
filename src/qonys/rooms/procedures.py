"""Procedures on files: a TOML file simulated in its variants; an event log (CSV, Parquet, XES) fitted, beside what was declared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DataError, DesignError
from qonys.scenarios.procedure.calendars import known_country, open_days
from qonys.scenarios.procedure.read import procedure_of
from qonys.scenarios.reading import Part, named_part
from qonys.store import connect, take_in
from qonys.store.tables import read_text, write_text

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from qonys.scenarios.procedure.definition import Procedure
    from qonys.scenarios.procedure.fit import Fitted
    from qonys.scenarios.procedure.tables import Simulated

Labels = dict[str, dict[str, str]]
LARGEST_LOG = 2_000_000_000  # bytes of an XES file


@dataclass(frozen=True, slots=True)
class Fit:
    """An event log fitted: the tables, sentences on rows that were not used, where these rows stand, whose working days were counted."""

    fitted: Fitted
    faults: tuple[str, ...]
    quarantine: Path | None
    country: str | None


def open_procedure(path: Path) -> tuple[Procedure, Labels]:
    """A procedure and what its file calls things. Errors: DataError for no file, DesignError for what is no procedure."""
    part, labels = named_part(read_text(path), path.name)
    return procedure_of(part), labels


def simulate_file(path: Path, *, runs: int | None = None, seed: int | None = None) -> tuple[Procedure, Simulated, Labels]:
    """A procedure with its variants simulated."""
    from qonys.scenarios.procedure.simulate import simulate

    procedure, labels = open_procedure(path)
    return procedure, simulate(procedure, runs=runs, seed=seed), labels


def fit_file(
    log: Path, *, declared: Path | None = None, as_of: str | None = None, country: str | None = None, zone: str = "UTC",
    last_step: str | None = None,
) -> Fit:  # fmt: skip
    """An event log fitted. Rows that cannot be used are named and stand beside the log in a quarantine file.

    declared: the procedure to compare with. country: its working days are counted too. Errors: DataError for a log that cannot be read or
    holds no usable row, DesignError for parameters that do not fit it.
    """
    from qonys.scenarios.procedure.fit import fit_log

    if country is not None:
        known_country(country)
    events, faults, quarantine = _events(log)
    table = None
    if declared is not None:
        procedure, _ = open_procedure(declared)
        table, country = _declared(procedure), country or procedure.country
    closed = None if country is None else _closed(events, country)
    try:
        found = fit_log(events, as_of=as_of, closed=closed, zone=zone, declared=table, last_step=last_step)
    except (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta):
        raise DesignError(f"as_of = {as_of} lies centuries from the log", mend="correct its year") from None
    return Fit(found, (*faults, *(str(row.what) for row in found.faults.itertuples())), quarantine, country)


def write_procedure(fitted: Fitted, path: Path, *, limit: float, country: str | None = None, keep_waiting: bool = False) -> None:
    """A procedure file that moves as the log did; keep_waiting: see `as_procedure`.

    Errors: DesignError where the log does not determine a step.
    """
    import tomli_w

    from qonys.scenarios.procedure.fit import as_procedure

    content = as_procedure(fitted, limit=limit, country=country, name=path.stem, keep_waiting=keep_waiting)
    procedure_of(Part(content, path.name))  # what is written can be read
    write_text(tomli_w.dumps(content), path)


def _events(log: Path) -> tuple[pd.DataFrame, tuple[str, ...], Path | None]:
    """A log in the columns of the contract `case_event`, with sentences on what was left out."""
    if not log.name.lower().endswith((".xes", ".xes.gz")):
        con = connect()
        intake = take_in(con, log, CONTRACTS["case_event"])
        if intake.quarantine is not None and intake.rows == intake.bad_rows:
            mend = f"the rows stand in {intake.quarantine.name}"
            raise DataError(f"{log.name} holds no usable row: {intake.faults[0]}", mend=mend)
        return con.to_pandas(intake.table), intake.faults, intake.quarantine
    from qonys.scenarios.procedure.event_log import read_xes

    if not log.is_file():
        raise DataError(f"there is no file {log}", mend="check the path")
    if log.stat().st_size > LARGEST_LOG:
        raise DataError(f"{log.name} holds more than {LARGEST_LOG:,} bytes", mend="cut the log into several, or give it as Parquet")
    found = read_xes(log.read_bytes(), log.name)
    return found.events, tuple(str(what) for what in found.faults["what"]), None


def _declared(procedure: Procedure) -> pd.DataFrame:
    """Declared means. Of a step that is work alone, of an agency that rests on some days, in working days; else in calendar days, in which
    such work takes longer by the days of rest.
    """
    share = 1.0 if procedure.country is None else float(open_days(procedure.first, 365, country=procedure.country).mean())
    rows = []
    for step in procedure.steps:
        rests = procedure.agencies[step.agency].calendar == "working_days"
        alone = rests and step.passing.mean == 0
        handling = step.handling.mean if alone or not rests else step.handling.mean / share
        told = {"step": step.id, "agency": step.agency, "handling_mean": handling, "passing_mean": step.passing.mean}
        rows.append(told | {"unit": "working_days" if alone else "days"})
    return pd.DataFrame(rows)


def _closed(events: pd.DataFrame, country: str) -> list[date]:
    """Days of the log on which the country does not work."""
    moments = events[["ready_at", "started_at", "finished_at"]].stack()
    first, last = moments.min().date(), moments.max().date()
    is_open = open_days(first, (last - first).days + 1, country=country)
    return [first + timedelta(place) for place, opened in enumerate(is_open) if not opened]
