"""Registers opened: the shipped one, the tracker beside it, or a user's own files, through the edge into the contract `measure`.

A name is `shipped`, `tracker` (the OxCGRT episodes that ship with the package), a folder of register files, a register file (TOML), or a
table of the contract (CSV, JSON, Parquet, XLSX), as `qonys measures import` writes it.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd
from ibis import _

from qonys.core import areas
from qonys.core.contracts import MEASURE
from qonys.core.errors import DataError, RegisterError, nearest
from qonys.core.validate import PLACE
from qonys.measures import (
    components,
    consistent,
    corridor_categories,
    current,
    days_between,
    examine_register,
    exposure,
    index,
    index_book,
    off_scale,
    people_of,
    reach,
    read_coding,
    read_index_book,
    unchanged,
    with_bounds,
)  # fmt: skip
from qonys.measures import people as people_between
from qonys.measures.importers import IMPORTERS, Imported
from qonys.store import connect, shipped, take_in
from qonys.store.intake import Intake, admit
from qonys.store.raw import read_raw
from qonys.store.tables import write_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from ibis.backends.duckdb import Backend

    from qonys.measures.history import Reading

SHIPPED, TRACKER = "shipped", "tracker"
DEFAULT = (SHIPPED, TRACKER)


@dataclass(frozen=True, slots=True)
class Checked:
    """A register examined: how many entries it has, in how many files, and a sentence for each fault."""

    entries: int
    files: int
    faults: tuple[str, ...]


def read_text(path: Path, label: str) -> str:
    """The text of a register file. Errors: RegisterError if there is none, or it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RegisterError(f"there is no register file {label}", mend="check the path") from None
    except UnicodeDecodeError:
        raise RegisterError(f"{label} is not UTF-8 text", mend="save it as UTF-8") from None


def admit_registers(con: Backend, texts: Iterable[tuple[str, str]]) -> tuple[Intake, tuple[str, ...], list[int]]:
    """Register files (label, text) in one examination, so that an id given twice is seen across files.

    -> the intake, with rows addressed as "register/KAZ.toml:12"; the faults of words, which the contract cannot see; entries a file.
    """
    frames: list[pd.DataFrame] = []
    faults: list[str] = []
    for label, text in texts:
        frame, own = examine_register(text, file=label)
        frames.append(frame.assign(**{PLACE: label + ":" + frame["row"].astype(str)}))
        faults += own
    entries = pd.concat(frames, ignore_index=True)
    entries["row"] = range(len(entries))
    return admit(con, ibis.memtable(entries), MEASURE, file="register"), tuple(faults), [len(frame) for frame in frames]


def open_registers(con: Backend, names: Sequence[str] = DEFAULT, *, known_on: date | None = None) -> ibis.Table:
    """The versions that stand (or stood on the day `known_on`) of all the registers named, with bounds.

    Errors: RegisterError or DataError for a register that cannot be read, or with an entry that is not valid: nothing is left out silently.
    """
    tables = []
    if texts := [text for name in names for text in _texts(name)]:
        intake, faults, _entries = admit_registers(con, texts)
        tables.append(_sound(intake, faults, "a register file"))
    for name in names:
        for path, label in _table_files(name):
            intake = take_in(con, path, MEASURE, label=label, quarantine=not label.startswith("tracker/"))
            tables.append(_sound(intake, (), label))
    if not tables:
        raise RegisterError("no register is named", mend=f"name one: {SHIPPED}, {TRACKER}, a folder or a file")
    return with_bounds(current(ibis.union(*tables) if len(tables) > 1 else tables[0], known_on))


def _sound(intake: Intake, faults: tuple[str, ...], what: str) -> ibis.Table:
    if every := (*faults, *intake.faults):
        more = f" and {len(every) - 1} more" if len(every) > 1 else ""
        raise RegisterError(f"{what} has an entry that is not valid ({every[0]}){more}", mend="see them all with: qonys measures check")
    return intake.table


def _texts(name: str) -> list[tuple[str, str]]:
    """The register files that a name stands for, as label and text; none for a table."""
    if name == SHIPPED:
        package = shipped()
        return [(label, read_text(package.path(label), label)) for label in package.files if label.startswith("register/")]
    path = Path(name)
    if path.is_dir():
        files = sorted(path.rglob("*.toml"))
        if not files:
            raise RegisterError(f"the folder {name} holds no register file", mend="name a folder with TOML files, one an issuer")
        return [(str(file.relative_to(path)), read_text(file, str(file))) for file in files]
    return [(path.name, read_text(path, name))] if path.suffix == ".toml" else []


def _table_files(name: str) -> list[tuple[Path, str]]:
    if name == TRACKER:
        package = shipped()
        return [(package.path(label), label) for label in package.files if label.startswith("tracker/")]
    path = Path(name)
    if name == SHIPPED or path.is_dir() or path.suffix == ".toml":
        return []
    if not path.is_file():
        raise DataError(f"there is no register {name}", mend=f"name {SHIPPED}, {TRACKER}, a folder of register files, or a file")
    return [(path, path.name)]


def check_registers(con: Backend, names: Sequence[str], *, since: Sequence[str] = ()) -> Checked:
    """Everything that can be checked without knowing the law: words, the contract, versions, links between entries, and, with an earlier
    copy `since`, that no version of it was edited in place or lost. Each fault is a sentence with file and line.
    """
    texts, sheets = [text for name in names for text in _texts(name)], [found for name in names for found in _table_files(name)]
    if not texts and not sheets:
        raise RegisterError("no register is named", mend=f"name one: {SHIPPED}, a folder or a file")
    faults: list[str] = []
    entries = 0
    if texts:
        intake, own, _each = admit_registers(con, texts)
        now = _entries(texts)
        faults += [*own, *intake.faults, *consistent(now)]
        entries += intake.rows
        if since:
            faults += unchanged(now, _entries([text for name in since for text in _texts(name)]))
    for path, label in sheets:
        intake = take_in(con, path, MEASURE, label=label)
        faults += intake.faults
        entries += intake.rows
    return Checked(entries, len(texts) + len(sheets), tuple(faults))


def _entries(texts: Sequence[tuple[str, str]]) -> pd.DataFrame:
    return pd.concat([examine_register(text, file=label)[0].assign(file=label) for label, text in texts], ignore_index=True)


def entries_of(names: Sequence[str]) -> pd.DataFrame:
    """All versions of all entries of the register files named, as text."""
    texts = [text for name in names for text in _texts(name)]
    if not texts:
        raise RegisterError("no register file is named", mend=f"name {SHIPPED}, a folder or a TOML file")
    return _entries(texts)


def second_coding() -> pd.DataFrame:
    """The second coder's codes that ship with the package."""
    package, label = shipped(), "coding/second.csv"
    return read_coding(read_text(package.path(label), label), file=label)


# What the command line and the dashboard ask of a register


@dataclass(frozen=True, slots=True)
class ImportDone:
    """An imported file: its measures, how many rows it had, how many met which fate, and where the unusable ones are."""

    measures: pd.DataFrame
    rows: int
    counts: dict[str, int]
    quarantine: Path | None


def import_file(publisher: str, path: Path, **options: object) -> ImportDone:
    """A publisher's file as measures of the contract; unusable rows go beside it. Rows add up: every one has a fate.

    Errors: DataError for an unknown publisher, a file that is not theirs, or an option the importer does not have.
    """
    if publisher not in IMPORTERS:
        raise DataError(f"there is no importer {publisher!r}", mend=nearest(publisher, IMPORTERS))
    known = inspect.signature(IMPORTERS[publisher]).parameters
    for name in options:
        if name not in known:
            raise DataError(f"the importer {publisher} has no option {name!r}", mend="leave it out")
    con = connect()
    raw, malformed = read_raw(con, path)
    done = IMPORTERS[publisher](raw, file=path.name, **options)
    measures = con.create_table(ibis.util.gen_name("imported"), done.measures, temp=True)
    fates = con.create_table(ibis.util.gen_name("fates"), done.fates, temp=True)
    counts = con.to_pandas(fates.group_by("fate").agg(rows=_.count())).set_index("fate")["rows"].astype(int).to_dict()
    beside = path.with_name(f"{path.stem}.quarantine.csv")
    bad = con.to_pandas(Imported(measures, fates).quarantined(raw))
    if len(malformed):
        lines = malformed.rename(columns={"found": "line"})[["row", "line"]]
        say = "the line does not fit the header; check its separators and quotes"
        lines.insert(0, "why", [f"{path.name}, row {row}: {say}" for row in lines["row"]])
        bad = pd.concat([bad, lines], ignore_index=True)
        counts["quarantined"] = counts.get("quarantined", 0) + len(lines)
    if len(bad):
        write_table(bad, beside)
    else:
        beside.unlink(missing_ok=True)
    rows = con.to_pandas(measures.select(*(name for name in (*MEASURE.names, "rows") if name in measures.columns)).order_by("id"))
    return ImportDone(rows, sum(counts.values()), counts, beside if len(bad) else None)


@dataclass(frozen=True, slots=True)
class IndexDone:
    """The indices of a file of levels, and where the rows off the scale are."""

    rows: pd.DataFrame
    bad_rows: int
    quarantine: Path | None


def index_file(name: str, path: Path, *, parts: str | None = None) -> IndexDone:
    """The indices of a codebook (shipped, or a TOML file) for a table of levels; with `parts`, what that index is made of.

    A row with a level off its scale is left out and written beside the file. Errors: RegisterError, DataError.
    """
    book = read_index_book(read_text(Path(name), name), file=name) if name.endswith(".toml") else index_book(name)
    con = connect()
    raw, _malformed = read_raw(con, path)
    levels = con.create_table(ibis.util.gen_name("levels"), raw, temp=True)
    wrong = con.to_pandas(off_scale(levels, book))
    beside = path.with_name(f"{path.stem}.quarantine.csv")
    if len(wrong):
        write_table(wrong, beside)
        off = ibis.memtable(wrong[list(book.key)].astype("string").drop_duplicates())
        levels = levels.anti_join(off, [levels[key].cast("string") == off[key] for key in book.key])
    found = index(levels, book) if parts is None else components(levels, book, parts)
    rows = con.to_pandas(found.order_by(*book.key))
    return IndexDone(rows, len(wrong), beside if len(wrong) else None)


def members_of(codes: Sequence[str], on: date) -> list[str]:
    """Areas with every union replaced by its members on a day, and WORLD by all countries."""
    found: list[str] = []
    for code in codes:
        one = areas.area(code)
        if code == "WORLD":
            found += [country.code for country in areas.areas(scheme="iso3166-1", kind="country")]
        else:
            found += areas.members(code, on) if one.scheme == "union" else [code]
    return sorted(set(found))


def compile_exposure(
    con: Backend, names: Sequence[str], origins: Sequence[str], destinations: Sequence[str], categories: Sequence[str],
    days: tuple[date, date], *, by: str, reading: Reading, direction: str, people: Path | None = None, pooled: bool = False,
    known_on: date | None = None,
) -> ibis.Table:  # fmt: skip
    """Exposure of corridors, or of the corridors of a table of people, under the registers named (see `measures.exposure`)."""
    kinds = tuple(categories) or corridor_categories()
    if people is None:
        classes = people_between(members_of(origins, days[0]), members_of(destinations, days[0]), kinds)
    else:
        raw, _malformed = read_raw(con, people)
        classes = people_of(raw, kinds)
        if origins:
            classes = classes.filter(_.origin.isin(members_of(origins, days[0])))
        if destinations:
            classes = classes.filter(_.destination.isin(members_of(destinations, days[0])))
    measures, periods = open_registers(con, names, known_on=known_on), days_between(*days, by)
    found = exposure(measures, classes, periods, reading=reading, direction=direction, pooled=pooled)
    return found.order_by("origin", "destination", "category", "period")


def explain_corridor(
    names: Sequence[str], origin: str, destination: str, category: str, on: date, *,
    reading: Reading, direction: str, known_on: date | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Every measure in force on a day that could concern a corridor, with the reason why it does not reach it, if any
    -> id, title, issuer, start, end, via, dose, why (see `measures.reach`).
    """
    con = connect()
    measures = open_registers(con, names, known_on=known_on)
    pairs = reach(measures, people_between([origin], [destination], [category]), reading=reading)
    there = pairs.filter(_.begun <= on, _.over >= on, _.direction == direction).select("id", "via", "side", "dose", "why").distinct()
    titled = there.join(measures.select("id", "title", "issuer", "start", "end"), "id")
    return con.to_pandas(titled.order_by("id", "side"))
