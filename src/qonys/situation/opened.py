"""Registers and flow tables opened once and held: a page asks again, and a file is read again only if its bytes changed.

Names are those of `qonys.registers` (`shipped`, `tracker`, a folder, a file) and, for flows, `shipped` or the path of a table of the
contract `flow`. What is held is never changed: callers take rows out of it.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _

from qonys.core.contracts import FLOW, STOCK
from qonys.core.errors import DataError
from qonys.core.periods import whole_day
from qonys.measures import as_days, conflicts, duplicates, spans
from qonys.registers import DEFAULT, SHIPPED, TRACKER, open_registers
from qonys.situation.reports import reports
from qonys.store import connect, shipped, take_in
from qonys.store.snapshots import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ibis.backends.duckdb import Backend

Given = ParamSpec("Given")
Answer = TypeVar("Answer")  # a table, or a dataclass of tables
POPULATION = "stock/kaz_population.csv"


@dataclass(frozen=True, slots=True)
class Register:
    """The entries of some registers that stand.

    snapshot: a hash of what was read. entries: the contract with bounds (days of Python or missing), `dose`, and for each reading the
    first and last day in force, `begun_certain`, `over_certain`, `begun_possible`, `over_possible`: None where the entry was not adopted
    or its start is not known.
    source: the entries as `registers.open_registers` gives them.
    """

    snapshot: str
    entries: pd.DataFrame
    source: pa.Table


def register_held(names: Sequence[str] = DEFAULT) -> Register:
    """The registers named. Errors: RegisterError, DataError as `registers.open_registers`."""
    wanted = tuple(names)
    print_of = fingerprint(wanted)
    found: Register = held(("register", print_of), lambda: _register(wanted, print_of))
    return found


def pairs_held(opened: Register, what: Literal["conflicts", "duplicates"]) -> pd.DataFrame:
    """The pairs of entries of `measures.conflicts` or `measures.duplicates` under the possible reading, days as days of Python."""
    found: pd.DataFrame = held((what, opened.snapshot), lambda: _pairs(opened, what))
    return found


def flows_held(names: Sequence[str] = (SHIPPED,)) -> pd.DataFrame:
    """Every yearly report of the flow tables named (see `reports.reports`). Errors: DataError for a file that cannot be used."""
    wanted = tuple(names)
    found: pd.DataFrame = held(("flows", fingerprint(wanted)), lambda: _reports(wanted))
    return found


def rows_held(names: Sequence[str] = (SHIPPED,)) -> pd.DataFrame:
    """The rows of the flow tables named as they came in: the contract and `row`. Errors: DataError for a file that cannot be used."""
    wanted = tuple(names)
    found: pd.DataFrame = held(("rows", fingerprint(wanted)), lambda: _rows(wanted))
    return found


def day_of(on: date | str) -> date:
    """A day given as a date or as text. Errors: DataError for a month, a year or no date."""
    if isinstance(on, datetime):
        return on.date()
    if isinstance(on, date):
        return on
    if not isinstance(on, str):
        raise DataError(f"{on!r} is no day", mend="write it as 2020-04-15")
    return whole_day(on)


def fingerprint(names: Sequence[str]) -> tuple[str, ...]:
    """The names with the hash of the bytes behind each."""
    package = f"{shipped().name}" if {SHIPPED, TRACKER} & set(names) else ""
    return tuple(f"{name}#{package if name in (SHIPPED, TRACKER) else _hash(Path(name))}" for name in names)


def _hash(path: Path) -> str:
    files = sorted(path.rglob("*.toml")) if path.is_dir() else [path]
    return "+".join(sha256(file) for file in files if file.is_file())


class Store:
    """What was made once, by key; the one asked for longest ago gives way when there are more than `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._there: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._turns: dict[tuple[Any, ...], Lock] = {}
        self._guard = Lock()

    def get(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What is held under the key; made by the first thread that asks, while others that ask for the same wait."""
        with self._guard:
            if key in self._there:
                self._there.move_to_end(key)
                return self._there[key]
            turn = self._turns.setdefault(key, Lock())
        with turn:
            with self._guard:
                if key in self._there:
                    return self._there[key]
            made = make()
            with self._guard:
                self._there[key] = made
                self._turns.pop(key, None)
                while len(self._there) > self._most:
                    self._there.popitem(last=False)
        return made


_OPENED, _ANSWERS = Store(12), Store(600)


def held(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """A file, or what follows from it alone, opened once (see `Store`)."""
    return _OPENED.get(key, make)


def remembered(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """A function of names and plain values whose answer is kept while the bytes of its `tables` and `registers` stay the same."""
    signature = inspect.signature(function)

    @wraps(function)
    def ask(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        plain = tuple(_plain(name, value) for name, value in bound.arguments.items())
        try:
            hash(plain)
        except TypeError:
            return function(*args, **kwargs)
        found: Answer = _ANSWERS.get((function.__qualname__, plain), lambda: function(*args, **kwargs))
        return cast("Answer", _own(found))

    return ask


def _own(found: Any) -> Any:
    """The same with tables of its own, so that nobody changes those that are kept."""
    if isinstance(found, pd.DataFrame):
        return found.copy()
    tables = {one.name: value.copy() for one in fields(found) if isinstance(value := getattr(found, one.name), pd.DataFrame)}
    return replace(found, **tables)


def _plain(name: str, value: Any) -> Any:
    if name in ("tables", "registers", "entry_rules"):
        return fingerprint(value)
    # True is 1 and 1.0 is 1 as keys, and yet not the same argument
    return (type(value).__name__, tuple(value) if isinstance(value, list | set) else value)


def _register(names: tuple[str, ...], snapshot: tuple[str, ...]) -> Register:
    con = connect()
    measures = open_registers(con, names).cache()
    entries = con.to_pandas(measures)
    for reading in ("certain", "possible"):
        force = as_days(con.to_pandas(spans(measures, reading=reading).select("id", "begun", "over", "dose")))
        force = force.rename(columns={"begun": f"begun_{reading}", "over": f"over_{reading}"})
        entries = entries.merge(force if reading == "certain" else force.drop(columns="dose"), on="id", how="left")
    days = [name for name in entries.columns if str(entries[name].dtype).startswith("datetime")]
    for name in [*days, "begun_certain", "over_certain", "begun_possible", "over_possible"]:
        entries[name] = [_python_day(value) for value in entries[name]]
    entries = entries.sort_values("id", ignore_index=True)
    return Register(" ".join(snapshot), entries, con.to_pyarrow(measures))


def _pairs(opened: Register, what: Literal["conflicts", "duplicates"]) -> pd.DataFrame:
    con = connect()
    measures = con.create_table("measures", opened.source, temp=True)
    table = (conflicts if what == "conflicts" else duplicates)(measures, reading="possible")
    found = con.to_pandas(table).sort_values(list(table.columns[:2]), ignore_index=True)
    return found.assign(**{name: [_python_day(value) for value in found[name]] for name in ("first", "last")})


def _python_day(value: Any) -> date | None:
    if value is None or value is pd.NaT or value != value:
        return None
    return value.date() if isinstance(value, datetime) else value


def _reports(names: tuple[str, ...]) -> pd.DataFrame:
    con = connect()
    package = shipped()
    stock = take_in(con, package.path(POPULATION), STOCK, label=POPULATION, quarantine=False).table if SHIPPED in names else None
    return reports(con, _flow_table(con, names), stock)


def _rows(names: tuple[str, ...]) -> pd.DataFrame:
    con = connect()
    return con.to_pandas(_flow_table(con, names).order_by("row"))


def _flow_table(con: Backend, names: tuple[str, ...]) -> ibis.Table:
    if not names:
        raise DataError("no flow table is named", mend=f"name {SHIPPED}, or the path of a table of the contract flow")
    parts = []
    for name in names:
        if name == SHIPPED:
            package = shipped()
            parts += [(package.path(label), label) for label in package.files if label.startswith("flow/")]
        elif Path(name).is_file():
            parts.append((Path(name), Path(name).name))
        else:
            raise DataError(f"there is no flow table {name}", mend=f"name {SHIPPED}, or the path of a table of the contract flow")
    tables = []
    for path, label in parts:
        intake = take_in(con, path, FLOW, label=label, quarantine=False)
        if intake.faults:
            more = f" and {len(intake.faults) - 1} more" if len(intake.faults) > 1 else ""
            raise DataError(
                f"{label} has a row that is not valid ({intake.faults[0]}){more}", mend="see them with: qonys contract check flow"
            )
        tables.append(intake.table)
    return (ibis.union(*tables) if len(tables) > 1 else tables[0]).mutate(row=_.row).cache()
