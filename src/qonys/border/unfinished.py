"""Crossings that are not decided on a day, and what was known of each on that day. What came later is not looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.border.classify import classify
from qonys.border.pace import Pace, month_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from qonys.border.residence import ResidenceRule

WORDS = ("citizenship", "sex", "purpose", "permit")
FEATURES = (
    "days_on_this_side", "days_on_the_other", "days_in_this_spell", "on_this_side", "crossings_since", "crossings_before",
    "days_since_the_one_before", "resident_before", "exit", "month", "age", "permit_days_left", *WORDS,
)  # fmt: skip
UNCOUNTED = ("after_end", "too_early")  # records without an answer
COUNTED_ONCE = "repeated"


@dataclass(frozen=True, slots=True)
class Records:
    """Crossings by person and time, as arrays: what the rule and the model need of them.

    starts: first row of each person, and the number of rows; day: days since 1970; exits: 0 entry, 1 exit; outcome: long-term or not as
    known at the end of the data, -1 not known; counts: rows that flows count; born, until: year of birth and last permitted day, NaN where
    not known; words: the text columns as numbers; table: the classified rows themselves.
    """

    rule: ResidenceRule
    end: int
    starts: NDArray[np.int64]
    day: NDArray[np.int32]
    exits: NDArray[np.int8]
    outcome: NDArray[np.int8]
    counts: NDArray[np.bool_]
    born: NDArray[np.float32]
    until: NDArray[np.float32]
    words: Mapping[str, NDArray[np.float32]]
    table: pa.Table


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Crossings undecided on a day, and those known to be migrations.

    row: of the undecided, in the records; features: a column each of `FEATURES`; slowed: log of days run over days passed; month: of the
    crossing, since 1970; migrated: rows known on that day to be migrations.
    """

    row: NDArray[np.int64]
    features: NDArray[np.float32]
    slowed: NDArray[np.float64]
    month: NDArray[np.int32]
    exits: NDArray[np.int8]
    migrated: NDArray[np.int64]


def records(
    crossings: pa.Table, *, end: date, rule_: ResidenceRule, zone: str = "UTC", words: Mapping[str, Mapping[str, int]] | None = None
) -> Records:
    """Crossings (the contract, whole persons, in any order) classified and laid out. words: the numbers of text columns, see `numbers`."""
    table = classify(crossings, end=end, rule_=rule_, zone=zone, threads=1)
    fault = pc.fill_null(table["fault"].cast(pa.string()), "")
    table = table.filter(pc.invert(pc.is_in(fault, pa.array(UNCOUNTED))))
    days = table["day"].cast(pa.int32()).to_numpy()
    ids = table["person_id"].combine_chunks()
    person = (ids if pa.types.is_dictionary(ids.type) else ids.dictionary_encode()).indices.to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]])) if len(person) else np.zeros(0, np.int64)
    known = words or numbers(table)
    return Records(
        rule_, int(np.datetime64(end, "D").astype(np.int32)), np.append(starts, len(person)).astype(np.int64), days,
        pc.equal(table["direction"].cast(pa.string()), "exit").cast(pa.int8()).to_numpy(),
        table["long_term"].cast(pa.int8()).fill_null(-1).to_numpy(),
        pc.not_equal(pc.fill_null(table["fault"].cast(pa.string()), ""), COUNTED_ONCE).to_numpy(),
        _numeric(table, "birth_year", pa.float32()), _numeric(table, "permitted_until", pa.int32()),
        {name: _coded(table, name, known.get(name, {})) for name in WORDS}, table,
    )  # fmt: skip


def numbers(table: pa.Table) -> dict[str, dict[str, int]]:
    """A number for each word of the text columns, the most frequent first, so that a tree can divide the rare from the common."""
    found: dict[str, dict[str, int]] = {}
    for name in WORDS:
        if name in table.column_names:
            counted = table[name].cast(pa.string()).value_counts().to_pylist()
            ranked = sorted((-one["counts"], one["values"]) for one in counted if one["values"] is not None)
            found[name] = {word: place for place, (_, word) in enumerate(ranked)}
    return found


def unfinished(all_: Records, on: int, ran: Pace) -> Unfinished:
    """The crossings to the day `on` that the records to that day do not decide, with what they say of each.

    on: days since 1970; ran: the pace, of which only months to `on` are used. Days on a side are days run (see `pace`), so that a closed
    border does not make residents of those it holds.
    """
    from qonys.border.kernel import NEVER, residence

    kept = np.flatnonzero(all_.day <= on)
    day, exits = all_.day[kept], all_.exits[kept]
    lengths = np.add.reduceat((all_.day <= on).astype(np.int64), all_.starts[:-1]) if len(all_.day) else np.zeros(0, np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths[lengths > 0])]).astype(np.int64)
    rows, persons = len(kept), len(starts) - 1
    present, observed = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
    long_term, before, after = (np.zeros(rows, np.int8) for _ in range(3))
    final = np.zeros(rows, np.int32)
    residence(
        starts, day, exits, np.full(persons, -1, np.int8), np.full(persons, NEVER, np.int32), on, all_.rule.window_days,
        all_.rule.threshold_days, present, observed, long_term, before, after, final,
    )  # fmt: skip
    open_ = np.flatnonzero((long_term < 0) & all_.counts[kept])
    person = np.repeat(np.arange(persons), np.diff(starts))
    first, last = starts[:-1][person[open_]], starts[1:][person[open_]] - 1
    over = np.append(day[1:], on).astype(np.int32)
    over[starts[1:] - 1] = on
    run = ran.between(exits, day, over)
    entered, left = (np.concatenate([[0.0], np.cumsum(np.where(exits == side, run, 0.0))]) for side in (0, 1))
    inside, outside = entered[last + 1] - entered[open_], left[last + 1] - left[open_]
    own, other = np.where(exits[open_] == 1, (outside, inside), (inside, outside))
    passed = np.maximum(on - day[open_], 1)
    place = kept[open_]
    month = month_of(day[open_])
    columns = {
        "days_on_this_side": own, "days_on_the_other": other, "days_in_this_spell": run[last],
        "on_this_side": exits[last] == exits[open_], "crossings_since": last - open_, "crossings_before": open_ - first,
        "days_since_the_one_before": np.where(open_ > first, day[open_] - day[np.maximum(open_ - 1, 0)], np.nan),
        "resident_before": np.where(before[open_] < 0, np.nan, before[open_]), "exit": exits[open_], "month": month % 12,
        "age": month // 12 + 1970 - all_.born[place], "permit_days_left": np.clip(all_.until[place] - on, -400, 4000),
        **{name: all_.words[name][place] for name in WORDS},
    }  # fmt: skip
    slowed = np.where(on > day[open_], np.log(np.maximum(own + other, 0.02) / passed), 0.0)
    features = np.column_stack([np.asarray(columns[name], dtype=np.float32) for name in FEATURES])
    migrated = kept[(long_term == 1) & all_.counts[kept]]
    return Unfinished(place, features, slowed, month, exits[open_], migrated)


def _numeric(table: pa.Table, name: str, kind: pa.DataType) -> NDArray[np.float32]:
    if name not in table.column_names:
        return np.full(len(table), np.nan, np.float32)
    found: NDArray[np.float32] = table[name].cast(kind).cast(pa.float32(), safe=False).fill_null(np.nan).to_numpy()
    return found


def _coded(table: pa.Table, name: str, known: Mapping[str, int]) -> NDArray[np.float32]:
    """The words of a column by their numbers; NaN for a word without one."""
    if name not in table.column_names or not known:
        return np.full(len(table), np.nan, np.float32)
    encoded = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
    place = np.array([known.get(word, np.nan) for word in encoded.dictionary.to_pylist()] + [np.nan], np.float32)
    return np.asarray(place[encoded.indices.fill_null(len(place) - 1).to_numpy()])
