"""The main path, top to bottom: snapshots -> contract tables -> results -> report.

load        the study's files, each a hashed snapshot, through the edge into contract tables
answer      each question of the study, in order
run_study   the two, then every table, figure and report into one folder
reopen      a finished study, from that folder

The way back, from a printed number in that folder to its rows and sources, is `qonys.trace`. Modules beside this one put functions
and files together for commands without a study: `qonys.registers` (measures), `qonys.borders` (border records), `qonys.laboratory`
(convergence), `qonys.evaluation` (effects), `qonys.rooms` (procedures, corridors, settlement), `qonys.holdings` (publishers' data).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DataError, RegisterError, StudyError, nearest
from qonys.core.results import Measured, Result
from qonys.core.run import InputFile, OutputTable, Run
from qonys.core.validate import PLACE
from qonys.holdings import PULLED, contract_file
from qonys.measures import current, read_register, with_bounds
from qonys.registers import admit_registers, read_text
from qonys.scenarios.assumptions import assumptions
from qonys.store import connect, shipped, take_in
from qonys.store.intake import Intake, admit
from qonys.store.snapshots import Snapshot, sha256
from qonys.store.tables import read_back, write_table, write_text
from qonys.studies import QUESTIONS, Study, built_in, find_study, read_study

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibis.backends.duckdb import Backend

__all__ = [
    "Answered", "Done", "answer", "built_in", "examine_file", "find_study", "load", "open_study", "reopen", "run_study", "source_list",
]  # fmt: skip

SHIPPED = "shipped:"
ROOMS = "assumption"  # the contract that room files come in as


@dataclass(frozen=True, slots=True)
class Answered:
    """A study with its tables, results and run, before any word is written."""

    study: Study
    tables: dict[str, pd.DataFrame]
    results: dict[str, Result]
    sources: pd.DataFrame
    run: Run
    faults: tuple[str, ...]
    quarantines: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A finished study: the report of each language, the run, and what was wrong with the files."""

    reports: dict[str, Path]
    run: Run
    faults: tuple[str, ...]
    quarantines: tuple[Path, ...]


def open_study(name_or_path: str) -> Study:
    """A built-in study by name, or a user's own by path."""
    return read_study(find_study(name_or_path), {name: question.options for name, question in QUESTIONS.items()})


def load(con: Backend, study: Study, tell: Callable[[str, str], None]) -> tuple[dict[str, ibis.Table], list[InputFile], list[Intake]]:
    """Every file of the study through the edge: one table a contract, with the files it came from and what came in."""
    package = shipped()
    tables, files, intakes = {}, [], []
    for contract, names in study.tables.items():
        tell("load", contract)
        parts = [_one_file(con, study, package, contract, name) for name in names if contract == ROOMS or not name.endswith(".toml")]
        registers = [name for name in names if contract != ROOMS and name.endswith(".toml")]
        if registers:
            parts.append(_register_files(con, study, package, contract, registers))
        for came, intake in parts:
            files += came
            intakes.append(intake)
        tables[contract] = _joined(contract, [intake.table for _, intake in parts])
        if contract == "measure":
            tables[contract] = with_bounds(current(tables[contract])).cache()
    return tables, files, intakes


def _joined(contract: str, parts: list[ibis.Table]) -> ibis.Table:
    """The files of one contract as one table. Errors: DataError for an id that stands in two of them."""
    if len(parts) == 1:
        return parts[0]
    whole = ibis.union(*parts)
    if "id" in CONTRACTS[contract].names:
        twice = whole.group_by("id").agg(rows=whole.row.collect()).filter(lambda t: t.rows.length() > 1).order_by("id").limit(1).to_pandas()
        for entry in twice.itertuples():
            places = " and ".join(f"{file}, row {row}" for file, _, row in (place.rpartition(":") for place in sorted(entry.rows)))
            raise DataError(f"the {contract} {entry.id!r} stands in {places}", mend="give each row an id of its own, or leave one file out")
    return whole


def _path(study: Study, package: Snapshot, contract: str, name: str) -> tuple[str, str, Path]:
    """Snapshot, label and path of a file named in a study: shipped, pulled from a publisher, or its own."""
    if name.startswith(PULLED):
        path, vintage = contract_file(name.removeprefix(PULLED), contract)
        return vintage, name, path
    label = name.removeprefix(SHIPPED)
    if name.startswith(SHIPPED):
        return package.name, label, package.path(label)
    path = study.folder / name
    if not path.is_file():
        raise StudyError(
            f"{study.name} names the file {name}, which does not exist", mend="check the path; it is relative to the study file"
        )
    return f"file@{sha256(path)[:12]}", label, path


def _one_file(con: Backend, study: Study, package: Snapshot, contract: str, name: str) -> tuple[list[InputFile], Intake]:
    snapshot, label, path = _path(study, package, contract, name)
    if name.endswith(".toml"):
        frame = assumptions(read_text(path, label), label).rename(columns={"row": PLACE}).astype({"entry": "Int64"}).astype("string")
        raw = ibis.memtable(frame.assign(row=range(len(frame))))
        intake = admit(con, raw, CONTRACTS[contract], file=label)
    else:
        intake = take_in(con, path, CONTRACTS[contract], label=label, quarantine=not name.startswith((SHIPPED, PULLED)))
    return [InputFile(snapshot, label, sha256(path), contract, intake.rows, intake.bad_rows)], intake


def _register_files(con: Backend, study: Study, package: Snapshot, contract: str, names: list[str]) -> tuple[list[InputFile], Intake]:
    """All register files in one examination, so that an id given twice is seen across files."""
    places = [_path(study, package, contract, name) for name in names]
    intake, faults, entries = admit_registers(con, [(label, read_text(path, label)) for _, label, path in places])
    if faults:
        raise RegisterError(faults[0].rpartition("; ")[0], mend=faults[0].rpartition("; ")[2])
    bad = pd.Series([fault.split(",")[0] for fault in intake.faults], dtype=str).value_counts()
    files = [
        InputFile(snapshot, label, sha256(path), contract, rows, int(bad.get(label, 0)))
        for (snapshot, label, path), rows in zip(places, entries, strict=True)
    ]
    return files, intake


def source_list() -> pd.DataFrame:
    """The package's list of sources: key, publisher, year, released, title, address."""
    return pd.read_csv(shipped().path("sources.csv"), dtype=str)


def read_sources(study: Study) -> pd.DataFrame:
    """The list of sources. A study's own list (sources.csv beside it) is added to the package's."""
    lists = [shipped().path("sources.csv")]
    if (study.folder / "sources.csv").is_file() and study.folder / "sources.csv" != lists[0]:
        lists.append(study.folder / "sources.csv")
    return pd.concat([pd.read_csv(path, dtype=str) for path in lists], ignore_index=True).drop_duplicates("key")


def answer(study: Study, tell: Callable[[str, str], None] = lambda *_: None) -> Answered:
    """Load the tables, answer every question. Errors: StudyError, DataError, DesignError as sentences."""
    con = connect()
    tables, files, intakes = load(con, study, tell)
    results: dict[str, Result] = {}
    for question in study.questions:
        tell("answer", question)
        results |= {result.name: result for result in _answered(question, tables, study)}
    kept = {name: con.to_pandas(table.order_by("row")) for name, table in tables.items()}
    faults = tuple(fault for intake in intakes for fault in intake.faults)
    quarantines = tuple(intake.quarantine for intake in intakes if intake.quarantine is not None)
    return Answered(study, kept, results, read_sources(study), Run(study.name, study.parameters(), tuple(files), ()), faults, quarantines)


def _answered(question: str, tables: dict[str, ibis.Table], study: Study) -> list[Result]:
    """The results of one question. An option of the wrong kind is the study's fault, and said to be so."""
    try:
        return QUESTIONS[question].answer(tables, study)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        if not study.options.get(question):
            raise
        raise StudyError(
            f"question {question!r} cannot use its options ({error})",
            mend="compare them with a built-in study: qonys study show kazakhstan",
        ) from error


def run_study(study: Study, folder: Path, languages: tuple[str, ...] = (), tell: Callable[[str, str], None] = lambda *_: None) -> Done:
    """Answer a study and write report.html, tables.xlsx, tables/*.parquet, figures/*.svg and run.json; further languages in subfolders.

    The same study, files and version give the same bytes.
    """
    from qonys.report import write_report

    languages = languages or study.languages
    done = answer(study, tell)
    tell("write", "tables")
    outputs = _write_tables(done, folder)
    run = Run(done.run.study, done.run.parameters | {"languages": list(languages)}, done.run.inputs, tuple(outputs))
    write_text(run.to_json(), folder / "run.json")
    reports = {}
    for place, language in enumerate(languages):
        tell("report", language)
        own = folder if place == 0 else folder / language
        links = {other: _link(languages, language, other) for other in languages}
        reports[language] = write_report(study, done.results, done.tables, done.sources, run, own, language=language, links=links)
    return Done(reports, run, done.faults, done.quarantines)


def _link(languages: tuple[str, ...], here: str, there: str) -> str:
    up = "" if here == languages[0] else "../"
    return f"{up}report.html" if there == languages[0] else f"{up}{there}/report.html"


def _write_tables(done: Answered, folder: Path) -> list[OutputTable]:
    outputs = []
    frames = {**done.tables, "source": done.sources, **{name: result.rows for name, result in done.results.items()}}
    for name, frame in frames.items():
        path = folder / "tables" / f"{name}.parquet"
        write_table(frame, path)
        measured = done.results[name].measured if name in done.results else {}
        outputs.append(OutputTable(name, len(frame), sha256(path), {column: asdict(spec) for column, spec in measured.items()}))
    return outputs


def reopen(study: Study, folder: Path) -> Answered:
    """A finished study as `answer` gave it, from the folder that `run_study` wrote. Without the faults of its files.

    Errors: DataError for a folder without a run, of another study, or whose tables are not those of the run.
    """
    try:
        told = json.loads(read_text(folder / "run.json", "run.json"))
    except FileNotFoundError:
        raise DataError(f"{folder} holds no run.json", mend="give the folder a study was written to") from None
    if told["study"] != study.name:
        raise DataError(
            f"{folder} is a run of the study {told['study']}, not of {study.name}", mend="run the study into a folder of its own"
        )
    inputs = tuple(InputFile(**one) for one in told["inputs"])
    outputs = tuple(OutputTable(**one) for one in told["outputs"])
    frames = {}
    for output in outputs:
        path = folder / "tables" / f"{output.name}.parquet"
        if not path.is_file() or sha256(path) != output.sha256:
            raise DataError(f"{path} is not the table of the run", mend="the folder was changed; run the study again")
        frames[output.name] = read_back(path)
    sources = frames.pop("source")
    contracts = {one.contract for one in inputs}
    tables = {name: frames.pop(name) for name in list(frames) if name in contracts}
    measured = {one.name: {column: Measured(**spec) for column, spec in one.columns.items()} for one in outputs}
    results = {name: Result(name, frame, measured[name]) for name, frame in frames.items()}
    return Answered(study, tables, results, sources, Run(study.name, told["parameters"], inputs, outputs, told["versions"]), (), ())


def examine_file(path: Path, contract: str) -> Intake:
    """A user's file against a contract, bad rows quarantined beside it."""
    if contract not in CONTRACTS:
        raise DataError(f"there is no contract {contract!r}", mend=nearest(contract, CONTRACTS))
    if path.suffix == ".toml":
        frame = read_register(read_text(path, path.name), file=path.name)
        return admit(connect(), ibis.memtable(frame), CONTRACTS["measure"], file=path.name)
    return take_in(connect(), path, CONTRACTS[contract])
