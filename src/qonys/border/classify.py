"""Crossings in, crossings with their residence out: an Arrow table of whole persons, in any order, to one sorted by person and time.

Rows are put in order by one integer a row (person, second, direction), so that the sort is that of integers; then one compiled pass.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.border.residence import ResidenceRule, rule
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

EPOCH = date(1970, 1, 1)
EARLIEST = date(1990, 1, 1)  # electronic border records are younger than that: an earlier day is a wrong clock
PERSONS = 2**30  # persons and seconds share one signed integer of 64 bits
_OWN = (
    ("days_present", pa.int32()), ("days_observed", pa.int32()), ("long_term", pa.bool_()), ("resident_before", pa.bool_()),
    ("resident_after", pa.bool_()), ("migration", pa.string()), ("final_on", pa.date32()), ("fault", pa.string()),
)  # fmt: skip
_FAULTS = ("repeated", "missed_exit", "missed_entry", "same_instant", "after_end", "too_early")


def classify(
    crossings: pa.Table, *, rule_: ResidenceRule | None = None, end: date | None = None, zone: str = "UTC",
    initial: Mapping[str, bool] | None = None, threads: int | None = None,
) -> pa.Table:  # fmt: skip
    """Each crossing with what the residence rule says of it -> the columns given, and those of the contract `classified`.

    crossings: person_id, at (UTC), direction, and what else they carry; all crossings of a person must be in the table. end: the last day
    the data cover, by default that of the last crossing; give it where the table is a piece of the data. zone: where days begin and end.
    initial: the status before the first crossing (true: resident) of persons of whom it is known; of others an entry first means
    non-resident, an exit first resident.

    Nothing is dropped. Records after `end` or before 1990 get a fault and no answer; a repeated record, an entry after an entry (the exit
    was missed), or two records in one instant get a fault and an answer: what opens a stay is the direction of the crossing.
    Rows come out by person and time; of an entry and an exit in one instant that comes first which the record before makes likely.
    Errors: DataError for a missing column, an unknown direction, an empty cell.
    """
    from qonys.border.kernel import settle_ties

    chosen = rule_ or rule("12/16")
    _need(crossings)
    codes, names = _codes(crossings["person_id"])
    seconds = _seconds(crossings["at"])
    exits = _exits(crossings["direction"])
    if not len(codes):
        return _with(crossings, {name: pa.nulls(0, kind) for name, kind in _OWN})
    order = _order(codes, seconds, exits)
    codes, seconds, exits = codes[order], seconds[order], exits[order]
    settle_ties(codes, seconds, exits, order)
    days = _days(seconds, zone)
    last = (end - EPOCH).days if end is not None else int(days.max())
    fault = np.full(len(codes), -1, dtype=np.int8)
    fault[days > last] = _FAULTS.index("after_end")
    fault[days < (EARLIEST - EPOCH).days] = _FAULTS.index("too_early")
    sound = np.flatnonzero(fault < 0)
    fault[sound] = _faults(codes[sound], seconds[sound], exits[sound])
    answers = _answers(codes, days, exits, sound, last, chosen, _initial(crossings, order, codes, initial), threads)
    # the ids are put back from their dictionary, which is much faster than taking them one by one
    persons = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), names).cast(crossings["person_id"].type)
    place = crossings.column_names.index("person_id")
    sorted_rows = crossings.drop_columns("person_id").take(pa.array(order)).add_column(place, "person_id", persons)
    return _with(sorted_rows, _columns(answers, exits, fault))


def _need(crossings: pa.Table) -> None:
    for name in ("person_id", "at", "direction"):
        if name not in crossings.column_names:
            raise DataError(f"the crossings have no column {name!r}", mend="see qonys contract show crossing")
        if crossings[name].null_count:
            raise DataError(
                f"{crossings[name].null_count} crossings have no {name}",
                mend="check the file first: qonys contract check FILE --as crossing",
            )


def _codes(persons: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.Array]:
    """The place of each row's person in the order of the ids, and the ids in that order."""
    whole = persons.combine_chunks()
    if pa.types.is_integer(whole.type):
        whole = whole.cast(pa.string())
    encoded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    names = encoded.dictionary
    if len(names) > PERSONS:
        raise DataError(f"the table holds {len(names):,} persons", mend="divide it by person first")
    order = pc.sort_indices(names)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order.to_numpy()] = np.arange(len(names))
    return rank[encoded.indices.to_numpy()], names.take(order)


def _seconds(at: pa.ChunkedArray) -> NDArray[np.int64]:
    if not pa.types.is_timestamp(at.type):
        raise DataError(f"the column at holds {at.type}, not instants", mend="write the moment in UTC as 2020-03-16T08:30:00")
    return np.asarray(at.combine_chunks().cast(pa.timestamp("s"), safe=False).cast(pa.int64()).to_numpy())


def _exits(direction: pa.ChunkedArray) -> NDArray[np.int8]:
    """0 for an entry, 1 for an exit."""
    encoded = direction.combine_chunks()
    encoded = encoded if pa.types.is_dictionary(encoded.type) else encoded.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    if strange := [word for word in words if word not in ("entry", "exit")]:
        raise DataError(f"a crossing has the direction {strange[0]!r}", mend="write entry or exit")
    return np.asarray(np.array([word == "exit" for word in words], dtype=np.int8)[encoded.indices.to_numpy()])


def _order(codes: NDArray[np.int64], seconds: NDArray[np.int64], exits: NDArray[np.int8]) -> NDArray[np.int64]:
    start = int(seconds.min())
    if int(seconds.max()) - start >= 2**32:
        raise DataError("the crossings lie more than 130 years apart", mend="correct their clocks")
    return np.argsort((codes << 33) | ((seconds - start) << 1) | exits, kind="stable")


def _days(seconds: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """The calendar day of each instant in a zone, as days since 1970."""
    if zone == "UTC":
        return np.asarray(seconds // 86_400)
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise DataError(f"there is no time zone {zone!r}", mend="name it as Asia/Almaty") from None
    hours, place = np.unique(seconds // 3600, return_inverse=True)  # offsets change on the hour
    shift = np.array([int(datetime.fromtimestamp(int(hour) * 3600, UTC).astimezone(where).utcoffset().total_seconds()) for hour in hours])  # type: ignore[union-attr]
    return np.asarray((seconds + shift[place]) // 86_400)


def _faults(codes: NDArray[np.int64], seconds: NDArray[np.int64], exits: NDArray[np.int8]) -> NDArray[np.int8]:
    """The fault of each row beside the one before it, as its place in the list, or -1."""
    fault = np.full(len(codes), -1, dtype=np.int8)
    same = codes[1:] == codes[:-1]
    at_once, again = same & (seconds[1:] == seconds[:-1]), same & (exits[1:] == exits[:-1])
    after = fault[1:]
    after[again & (exits[1:] == 0)] = _FAULTS.index("missed_exit")
    after[again & (exits[1:] == 1)] = _FAULTS.index("missed_entry")
    after[at_once & ~again] = _FAULTS.index("same_instant")
    after[at_once & again] = _FAULTS.index("repeated")
    return fault


def _initial(
    crossings: pa.Table, order: NDArray[np.int64], codes: NDArray[np.int64], initial: Mapping[str, bool] | None
) -> NDArray[np.int8] | None:
    """The status before the first crossing of each row's person: 0, 1, or -1 where it is not given."""
    if not initial:
        return None
    given = pa.table(
        {"person_id": pa.array(list(initial), pa.string()), "status": pa.array([int(value) for value in initial.values()], pa.int8())}
    )
    place = pc.index_in(crossings["person_id"].combine_chunks().cast(pa.string()), value_set=given["person_id"]).fill_null(-1).to_numpy()
    status = np.append(given["status"].to_numpy(), -1)
    del codes
    return np.asarray(status[place][order], dtype=np.int8)


def _answers(
    codes: NDArray[np.int64], days: NDArray[np.int64], exits: NDArray[np.int8], sound: NDArray[np.int64], last: int, chosen: ResidenceRule,
    initial: NDArray[np.int8] | None, threads: int | None,
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """What the rule says of each row; of rows that are not sound, nothing."""
    from qonys.border.kernel import NEVER, UNKNOWN, person_starts, residence

    rows = len(codes)
    every = {name: np.full(rows, UNKNOWN, dtype=kind) for name, kind in
             (("present", np.int32), ("observed", np.int32), ("long_term", np.int8), ("before", np.int8), ("after", np.int8))}  # fmt: skip
    every["final"] = np.full(rows, NEVER, dtype=np.int32)
    if not len(sound):
        return every
    all_sound = len(sound) == rows
    own = {name: column if all_sound else np.full(len(sound), column[0], column.dtype) for name, column in every.items()}
    day, exit_ = (days, exits) if all_sound else (days[sound], exits[sound])
    starts = person_starts(codes if all_sound else codes[sound])
    status = np.full(len(starts) - 1, -1, dtype=np.int8)
    if initial is not None:
        status = (initial if all_sound else initial[sound])[starts[:-1]]
    pieces = np.array_split(np.arange(len(starts) - 1), max(1, min(threads or os.cpu_count() or 1, len(starts) - 1)))

    def part(persons: NDArray[np.int64]) -> None:
        residence(
            starts[persons[0] : persons[-1] + 2], day, exit_, status[persons[0] : persons[-1] + 1], last, chosen.window_days,
            chosen.threshold_days, *(own[name] for name in ("present", "observed", "long_term", "before", "after", "final")),
        )  # fmt: skip

    with ThreadPoolExecutor(len(pieces)) as pool:
        list(pool.map(part, pieces))
    if not all_sound:
        for name, column in own.items():
            every[name][sound] = column
    return every


def _columns(answers: dict[str, NDArray[Any]], exits: NDArray[np.int8], fault: NDArray[np.int8]) -> dict[str, pa.Array]:
    from qonys.border.kernel import NEVER

    def known(name: str, kind: pa.DataType) -> pa.Array:
        values = answers[name]
        return pa.array(values == 1 if pa.types.is_boolean(kind) else values, kind, mask=values < 0)

    migrated = answers["long_term"] == 1
    kinds = pa.DictionaryArray.from_arrays(pa.array(exits, pa.int8(), mask=~migrated), pa.array(["arrival", "departure"]))
    faults = pa.DictionaryArray.from_arrays(pa.array(fault, pa.int8(), mask=fault < 0), pa.array(list(_FAULTS)))
    return {
        "days_present": known("present", pa.int32()), "days_observed": known("observed", pa.int32()),
        "long_term": known("long_term", pa.bool_()), "resident_before": known("before", pa.bool_()),
        "resident_after": known("after", pa.bool_()), "migration": kinds.cast(pa.string()),
        "final_on": pa.array(answers["final"], pa.int32(), mask=answers["final"] == NEVER).cast(pa.date32()),
        "fault": faults.cast(pa.string()),
    }  # fmt: skip


def _with(crossings: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        crossings = (
            crossings.append_column(name, column)
            if name not in crossings.column_names
            else crossings.set_column(crossings.column_names.index(name), name, column)
        )
    return crossings
