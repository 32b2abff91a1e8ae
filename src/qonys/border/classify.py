"""Crossings in, crossings with their residence out: an Arrow table of whole persons, in any order, to one sorted by person and time.

Large tables are cut into pieces of whole persons, by ranges of ids; each is sorted and classified on a core of its own.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.border.initial import Statuses
from qonys.border.residence import EARLIEST, ResidenceRule, rule
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

EPOCH = date(1970, 1, 1)
LATEST_SECOND = 2**33  # in the year 2242
PIECE_ROWS = 1_000_000  # what is sorted at once: small enough for the processor's cache
FAULTS = ("repeated", "missed_exit", "missed_entry", "same_instant", "after_end", "too_early")
_CODE = pa.dictionary(pa.int8(), pa.string())
_OWN = (
    ("day", pa.date32()), ("days_present", pa.int32()), ("days_observed", pa.int32()), ("long_term", pa.bool_()),
    ("resident_before", pa.bool_()), ("resident_after", pa.bool_()), ("migration", pa.string()), ("final_on", pa.date32()),
    ("fault", pa.string()),
)  # fmt: skip


def classify(
    crossings: pa.Table, *, rule_: ResidenceRule | None = None, end: date | None = None, zone: str = "UTC",
    initial: Statuses | pa.Table | Mapping[str, bool] | None = None, threads: int | None = None,
) -> pa.Table:  # fmt: skip
    """Each crossing with what the residence rule says of it -> the columns given, and those of the contract `classified`.

    crossings: person_id, at (UTC), direction, and what else they carry; all crossings of a person must be in the table. end: the last day
    the data cover, by default that of the last crossing; give it where the table is a piece of the data. zone: where days begin and end.
    initial: the status of persons of whom it is known (see `Statuses`); of others an entry first means non-resident, an exit first
    resident.

    Nothing is dropped. Records after `end` or before 1990 get a fault and no answer; a repeated record, an entry after an entry (the exit
    was missed), or two records in one second get a fault and an answer: what opens a stay is the direction of the crossing.
    Rows come out by person and second; within a second so that entries and exits alternate, and else by their other columns, so the order
    of the rows given is of no account. Text that is added comes as codes (dictionaries) if `direction` came so.
    Errors: DataError for a missing column, an unknown direction, an empty cell.
    """
    chosen = rule_ or rule("12/16")
    _need(crossings)
    if not crossings.num_rows:
        text = _CODE if pa.types.is_dictionary(crossings["direction"].type) else pa.string()
        return _with(crossings, {name: pa.nulls(0, text if kind == pa.string() else kind) for name, kind in _OWN})
    from qonys.border.order import words

    ids = _text(crossings["person_id"])
    seconds, exits = _seconds(crossings["at"]), _exits(crossings["direction"])
    days = _days(seconds, zone)
    high, low = words(ids)
    last = (end - EPOCH).days if end is not None else int(days.max())
    whole = _Crossings(crossings, ids, high, low, seconds, days, exits, last, chosen, Statuses.of(initial))
    pieces = _pieces(high)
    workers = min(threads or os.cpu_count() or 1, len(pieces))
    if workers == 1:
        return pa.concat_tables([_piece(whole, rows) for rows in pieces])
    with ThreadPoolExecutor(workers) as pool:
        return pa.concat_tables(pool.map(lambda rows: _piece(whole, rows), pieces))


@dataclass(frozen=True, slots=True)
class _Crossings:
    """The table and, row by row, what of it the rule needs."""

    table: pa.Table
    ids: pa.Array
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    seconds: NDArray[np.int64]
    days: NDArray[np.int32]
    exits: NDArray[np.int8]
    last: int
    rule: ResidenceRule
    statuses: Statuses | None


def _need(crossings: pa.Table) -> None:
    for name in ("person_id", "at", "direction"):
        if name not in crossings.column_names:
            raise DataError(f"the crossings have no column {name!r}", mend="see qonys contract show crossing")
        if crossings[name].null_count:
            raise DataError(
                f"{crossings[name].null_count} crossings have no {name}",
                mend="check the file first: qonys contract check FILE --as crossing",
            )


def _text(persons: pa.ChunkedArray) -> pa.Array:
    whole = persons.combine_chunks()
    if pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_decode()
    return whole if pa.types.is_string(whole.type) or pa.types.is_large_string(whole.type) else whole.cast(pa.string())


def _seconds(at: pa.ChunkedArray) -> NDArray[np.int64]:
    if not pa.types.is_timestamp(at.type):
        raise DataError(f"the column at holds {at.type}, not instants", mend="write the moment in UTC as 2020-03-16T08:30:00")
    per_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[at.type.unit]
    seconds = np.asarray(at.combine_chunks().cast(pa.int64()).to_numpy() // per_second)
    return seconds if per_second >= 1_000_000 else np.clip(seconds, -(2**44), 2**44)  # days are counted with 32 bits


def _exits(direction: pa.ChunkedArray) -> NDArray[np.int8]:
    """0 for an entry, 1 for an exit."""
    encoded = direction.combine_chunks()
    encoded = encoded if pa.types.is_dictionary(encoded.type) else encoded.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    if strange := [word for word in words if word not in ("entry", "exit")]:
        raise DataError(f"a crossing has the direction {strange[0]!r}", mend="write entry or exit")
    code = np.array([word == "exit" for word in words], dtype=np.int8)
    return np.asarray(code[encoded.indices.to_numpy()])


def _days(seconds: NDArray[np.int64], zone: str) -> NDArray[np.int32]:
    """The calendar day of each instant in a zone, as days since 1970."""
    if zone == "UTC":
        return np.asarray(seconds // 86_400, dtype=np.int32)
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise DataError(f"there is no time zone {zone!r}", mend="name it as Asia/Almaty") from None
    # no zone changes its offset but on a quarter of an hour; a wrong clock may be beyond any calendar
    quarters, place = np.unique(np.clip(seconds, 0, LATEST_SECOND) // 900, return_inverse=True)
    offsets = [datetime.fromtimestamp(int(one) * 900, UTC).astimezone(where).utcoffset() for one in quarters]
    shift = np.array([int(offset.total_seconds()) if offset else 0 for offset in offsets])
    return np.asarray((seconds + shift[place]) // 86_400, dtype=np.int32)


def _pieces(high: NDArray[np.uint64]) -> list[NDArray[np.int64] | None]:
    """Rows of each piece, pieces in the order of the ids; None: all rows."""
    wanted = -(-len(high) // PIECE_ROWS)
    if wanted <= 1:
        return [None]
    sample = np.sort(high[:: max(len(high) // 100_000, 1)])
    edges = np.unique(sample[[len(sample) * place // wanted for place in range(1, wanted)]])
    piece = np.searchsorted(edges, high, side="right").astype(np.uint16)
    order = np.argsort(piece, kind="stable")
    return [rows for rows in np.split(order, np.cumsum(np.bincount(piece, minlength=len(edges) + 1))[:-1]) if len(rows)]


def _piece(whole: _Crossings, rows: NDArray[np.int64] | None) -> pa.Table:
    """Some persons: in order, classified, with all columns."""
    from qonys.border.order import in_order, person_starts, settle_ties

    own = slice(None) if rows is None else rows
    high, low = whole.high[own], whole.low[own]
    order = in_order(high, low, whole.seconds[own], whole.exits[own])
    starts = person_starts(high, low, order)
    rows = order if rows is None else rows[order]
    seconds, exits = whole.seconds[rows], whole.exits[rows]
    _alike(whole.table, starts, seconds, exits, rows)
    settle_ties(starts, seconds, exits, rows)
    days = whole.days[rows]
    sound = (days <= whole.last) & (days >= (EARLIEST - EPOCH).days)
    names = whole.ids.take(pa.array(rows[starts[:-1]]))
    fault = np.full(len(rows), -1, dtype=np.int8)
    if sound.all():
        fault[1:] = _irregular(starts, seconds, exits)
        answers = _answers(starts, days, exits, whole, names)
    else:
        fault[days > whole.last] = FAULTS.index("after_end")
        fault[days < (EARLIEST - EPOCH).days] = FAULTS.index("too_early")
        kept = np.flatnonzero(sound)
        answers = _nothing(len(rows))
        if len(kept):
            counts = np.add.reduceat(sound.astype(np.int64), starts[:-1])
            their_starts = np.concatenate([[0], np.cumsum(counts[counts > 0])])
            found = _answers(their_starts, days[kept], exits[kept], whole, names.filter(pa.array(counts > 0)))
            for name, column in found.items():
                answers[name][kept] = column
            fault[kept[1:]] = _irregular(their_starts, seconds[kept], exits[kept])
    person = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    persons = pa.DictionaryArray.from_arrays(pa.array(person), names)
    kind = whole.table["person_id"].type
    place = whole.table.column_names.index("person_id")
    others = whole.table.drop_columns("person_id").take(pa.array(rows))
    return _with(
        others.add_column(place, "person_id", persons if pa.types.is_dictionary(kind) else persons.cast(kind)),
        _columns(answers, days, exits, fault, codes=pa.types.is_dictionary(whole.table["direction"].type)),
    )


def _alike(
    table: pa.Table, starts: NDArray[np.int64], seconds: NDArray[np.int64], exits: NDArray[np.int8], rows: NDArray[np.int64]
) -> None:
    """Put rows of one person, second and direction in the order of their columns, so that it does not depend on how they came."""
    same = (seconds[1:] == seconds[:-1]) & (exits[1:] == exits[:-1])
    same[starts[1:-1] - 1] = False
    if not same.any():
        return
    group = np.cumsum(np.concatenate([[True], ~same]))
    in_group = np.concatenate([[False], same]) | np.concatenate([same, [False]])
    places = np.flatnonzero(in_group)
    few = table.take(pa.array(rows[places]))
    few = pa.table({name: column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
                    for name, column in zip(few.column_names, few.columns, strict=True)})  # fmt: skip
    sortable = [name for name in few.column_names if not pa.types.is_nested(few[name].type)]
    few = few.append_column("", pa.array(group[places]))
    rows[places] = rows[places][pc.sort_indices(few, [("", "ascending"), *((name, "ascending") for name in sortable)]).to_numpy()]


def _irregular(starts: NDArray[np.int64], seconds: NDArray[np.int64], exits: NDArray[np.int8]) -> NDArray[np.int8]:
    """The fault of each row but the first beside the one before it, as its place in the list, or -1."""
    same = np.ones(len(seconds) - 1, dtype=bool)
    same[starts[1:-1] - 1] = False
    at_once, again = same & (seconds[1:] == seconds[:-1]), same & (exits[1:] == exits[:-1])
    fault = np.full(len(seconds) - 1, -1, dtype=np.int8)
    fault[again] = np.where(exits[1:][again] == 0, FAULTS.index("missed_exit"), FAULTS.index("missed_entry"))
    fault[at_once] = FAULTS.index("same_instant")
    fault[at_once & again] = FAULTS.index("repeated")
    return fault


def _nothing(rows: int) -> dict[str, NDArray[Any]]:
    from qonys.border.kernel import NEVER, UNKNOWN

    answers = {name: np.full(rows, UNKNOWN, dtype=np.int32) for name in ("present", "observed")}
    answers |= {name: np.full(rows, UNKNOWN, dtype=np.int8) for name in ("long_term", "before", "after")}
    return answers | {"final": np.full(rows, NEVER, dtype=np.int32)}


def _answers(
    starts: NDArray[np.int64], days: NDArray[np.int32], exits: NDArray[np.int8], whole: _Crossings, names: pa.Array
) -> dict[str, NDArray[Any]]:
    """What the rule says of each row."""
    from qonys.border.kernel import NEVER, residence

    answers = _nothing(len(days))
    if whole.statuses is None:
        given, given_on = np.full(len(names), -1, dtype=np.int8), np.full(len(names), NEVER, dtype=np.int32)
    else:
        given, given_on = whole.statuses.among(names)
    residence(
        starts, days, exits, given, given_on, whole.last, whole.rule.window_days, whole.rule.threshold_days,
        *(answers[name] for name in ("present", "observed", "long_term", "before", "after", "final")),
    )  # fmt: skip
    return answers


def _columns(
    answers: dict[str, NDArray[Any]], days: NDArray[np.int32], exits: NDArray[np.int8], fault: NDArray[np.int8], *, codes: bool
) -> dict[str, pa.Array]:
    from qonys.border.kernel import NEVER

    def known(name: str, kind: pa.DataType) -> pa.Array:
        values = answers[name]
        return pa.array(values == 1 if pa.types.is_boolean(kind) else values, kind, mask=values < 0)

    migrated = answers["long_term"] == 1
    kinds = pa.DictionaryArray.from_arrays(pa.array(exits, pa.int8(), mask=~migrated), pa.array(["arrival", "departure"]))
    faults = pa.DictionaryArray.from_arrays(pa.array(fault, pa.int8(), mask=fault < 0), pa.array(list(FAULTS)))
    dated = (fault != FAULTS.index("after_end")) & (fault != FAULTS.index("too_early"))  # a wrong clock has no day
    return {
        "day": pa.array(days, mask=~dated).cast(pa.date32()),
        "days_present": known("present", pa.int32()), "days_observed": known("observed", pa.int32()),
        "long_term": known("long_term", pa.bool_()), "resident_before": known("before", pa.bool_()),
        "resident_after": known("after", pa.bool_()), "migration": kinds if codes else kinds.cast(pa.string()),
        "final_on": pa.array(answers["final"], pa.int32(), mask=answers["final"] == NEVER).cast(pa.date32()),
        "fault": faults if codes else faults.cast(pa.string()),
    }  # fmt: skip


def _with(crossings: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """The table with columns put in, in place of those of their name."""
    for name, column in columns.items():
        place = crossings.column_names.index(name) if name in crossings.column_names else -1
        crossings = crossings.append_column(name, column) if place < 0 else crossings.set_column(place, name, column)
    return crossings
