"""Crossings of a border that does not exist, whose truth is known: what to test residence rules, intervals and engines on.

People come in blocks of a fixed size, each with a seed of its own, so that the batches in which blocks are handed out change nothing, and a
run of more people begins with the people of a shorter one. Only one batch stands in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from qonys.border import journeys
from qonys.border.journeys import DAY, NEVER, Moments, People, Words, seconds_of
from qonys.border.parameters import Parameters, border_parameters, checked
from qonys.border.pseudonym import fixed_text, hex_letters
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator, SeedSequence
    from numpy.typing import NDArray

BLOCK = 32_768  # people drawn at once; part of what a seed means
DOCUMENTS = 3  # of one person: the first, and two renewals at the most
ROW_BITS = 28  # rows of a block; seconds of up to two centuries fit above
LEAST_SEEN = 100  # of the people of a block; else the border is so quiet that a number of crossings would never be reached
EPOCH = date(1970, 1, 1)

_INSTANT, _DAY, _TEXT = pa.timestamp("us"), pa.date32(), pa.string()
_CODE = pa.dictionary(pa.int16(), _TEXT)  # text in Parquet; here a fifth of the time and a tenth of the memory
CROSSING_SCHEMA = pa.schema(
    {
        "person_id": _TEXT, "at": _INSTANT, "direction": _CODE, "citizenship": _CODE, "birth_year": pa.int16(), "sex": _CODE,
        "purpose": _CODE, "permit": _CODE, "permitted_until": _DAY, "border_point": _CODE,
    }
)  # fmt: skip
TRUTH_SCHEMAS: Mapping[str, pa.Schema] = {
    "people": pa.schema(
        {
            "person_id": _TEXT, "kind": _TEXT, "citizenship": _TEXT, "birth_year": pa.int16(), "sex": _TEXT,
            "present_at_start": pa.bool_(), "present_at_end": pa.bool_(),
        }
    ),
    "residence": pa.schema({"person_id": _TEXT, "start": _INSTANT, "end": _INSTANT}),
    "migrations": pa.schema({"person_id": _TEXT, "at": _INSTANT, "direction": _TEXT}),
    "aliases": pa.schema({"old": _TEXT, "new": _TEXT, "on": _INSTANT}),
    "records": pa.schema({"person_id": _TEXT, "at": _INSTANT, "direction": _TEXT, "what": _TEXT, "recorded_at": _INSTANT}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Simulated:
    """One batch of whole people: their crossings as recorded, and the truth about them.

    crossings: the contract `crossing`, by block of people and time. The other tables name a person by the id of the first document:
    people: person_id, kind, citizenship, birth_year, sex, present_at_start, present_at_end (inside when the records begin and end).
    residence: person_id, start, end: spells in which they really live in the country; empty: from before, or not ended.
    migrations: person_id, at, direction (arrival, departure): when residence really changed, within the period.
    aliases: old, new, on: documents renewed, as chains from the first id of a person to the last.
    records: person_id, at, direction, what (missed, repeated, clock_wrong), recorded_at: records that are not the truth; `at` is the truth.
    """

    crossings: pa.Table
    people: pa.Table
    residence: pa.Table
    migrations: pa.Table
    aliases: pa.Table
    records: pa.Table

    def tables(self) -> dict[str, pa.Table]:
        """The tables by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def simulate(
    parameters: Parameters | None = None,
    *,
    people: int | None = None,
    crossings: int | None = None,
    seed: int = 0,
    blocks_per_batch: int = 4,
) -> Iterator[Simulated]:
    """Batches of whole people: their crossings as recorded, and the truth.

    people: how many to draw; not all of them cross the border. crossings: draw people until so many crossings are recorded; the last person
    may go a few beyond. Give one of the two. The same parameters and seed give the same rows, whatever the batches.
    Errors: DesignError for parameters that cannot be, neither or both of people and crossings, or a border that nobody crosses.
    """
    given = checked(parameters or border_parameters())
    if (people is None) == (crossings is None):
        raise DesignError("a simulation needs a number of people or of crossings, one of the two", mend="give people or crossings")
    if min(people or 1, crossings or 1, blocks_per_batch) < 1 or people == 0 or crossings == 0 or seed < 0:
        raise DesignError("people, crossings and blocks are counted from 1 on, seeds from 0", mend="give whole numbers above zero")
    return _batches(given, people, crossings, seed, blocks_per_batch)


def _batches(parameters: Parameters, people: int | None, crossings: int | None, seed: int, blocks_per_batch: int) -> Iterator[Simulated]:
    words, held = Words(parameters), []
    block, rows_left, people_left = 0, crossings, people
    while True:
        made = _block(parameters, words, seed, block, people_left, rows_left)
        block += 1
        held.append(made)
        if people_left is not None:
            people_left -= BLOCK
        if rows_left is not None:
            if block == 1 and len(made.crossings) < min(LEAST_SEEN, rows_left):
                raise DesignError(
                    f"only {len(made.crossings)} crossings by {BLOCK:,} people: so many crossings would never be reached",
                    mend="raise per_year, or give a number of people",
                )
            rows_left -= len(made.crossings)
        last = (people_left is not None and people_left <= 0) or (rows_left is not None and rows_left <= 0)
        if last or len(held) == blocks_per_batch:
            yield Simulated(**{name: pa.concat_tables([one.tables()[name] for one in held]) for name in made.tables()})
            held = []
        if last:
            return


def _block(parameters: Parameters, words: Words, seed: int, block: int, most_people: int | None, most_rows: int | None) -> Simulated:
    """One block of people, whole: everything in it is drawn before any of it is cut off, so that a cut changes no draw."""
    streams = np.random.SeedSequence(entropy=seed, spawn_key=(block,)).spawn(6)
    draw = [np.random.default_rng(one) for one in streams[:5]]
    who = journeys.people(parameters, words, BLOCK, draw[0])
    truth = journeys.moments(parameters, words, who, draw[1], draw[2])
    first, after = seconds_of(parameters)
    state = [_present(who, truth, second) for second in (first, after)]
    renewed = _renewals(parameters, draw[3])
    within = np.flatnonzero((truth.second >= first) & (truth.second < after))
    seen = Moments._make(column[within] for column in truth)
    fate = _fates(parameters, seen, who, words, draw[4], after)
    people = BLOCK if most_people is None else min(BLOCK, most_people)
    if most_rows is not None:
        recorded = np.cumsum(np.bincount(seen.person, weights=fate.copies, minlength=BLOCK))
        people = min(people, int(np.searchsorted(recorded, most_rows)) + 1)
    return _tables(parameters, words, who, truth, seen, fate, renewed, state, people, _ids(streams[5], seed, block))


@dataclass(frozen=True, slots=True)
class _Fates:
    """What becomes of each crossing as a record: how often it stands, at which (wrong) time, where, and how late it is repeated."""

    copies: NDArray[np.int64]
    recorded: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    delay: NDArray[np.int64]
    point: NDArray[np.int64]


def _fates(parameters: Parameters, seen: Moments, who: People, words: Words, rng: Generator, after: int) -> _Fates:
    spec, count = parameters.records, len(seen.person)
    missed = rng.random(count) < np.where(seen.entry, spec.missed_entries, spec.missed_exits)
    repeated = rng.random(count) < spec.repeated
    delay = rng.integers(0, spec.repeated_seconds + 1, count)
    wrong = (rng.random(count) < spec.clock_wrong) & ~missed
    error = np.rint(rng.normal(0, spec.clock_hours * 3600, count)).astype(np.int64)
    first = parameters.warm_up_days * DAY
    recorded = np.where(wrong, np.clip(seen.second + error, first, after - 1), seen.second)
    elsewhere = rng.random(count) >= parameters.same_point
    point = np.where(elsewhere, journeys.pick(rng, count, words.point_weights), who.point[seen.person])
    return _Fates(np.where(missed, 0, 1 + repeated), recorded, wrong & (recorded != seen.second), delay, point)


def _renewals(parameters: Parameters, rng: Generator) -> NDArray[np.int64]:
    """When each person's documents are renewed, in order: two columns, NEVER where they are not."""
    first, after = seconds_of(parameters)
    years = (after - first) / DAY / 365.25
    count = np.minimum(rng.poisson(parameters.records.renewals_per_year * years, BLOCK), DOCUMENTS - 1)
    days = rng.integers(first, after, (BLOCK, DOCUMENTS - 1))
    days[np.arange(DOCUMENTS - 1) >= count[:, None]] = NEVER
    days.sort(axis=1)
    # two renewals in one second would leave a document that never was
    days[(days[:, 1] == days[:, 0]) & (days[:, 1] < NEVER), 1] += 1
    return days


def _present(who: People, truth: Moments, second: int) -> NDArray[np.bool_]:
    """Who is inside the country at the start of a second."""
    before = np.bincount(truth.person[truth.second < second], minlength=len(who.kind))
    inside: NDArray[np.bool_] = who.inside ^ (before % 2 == 1)
    return inside


def _ids(stream: SeedSequence, seed: int, block: int) -> NDArray[np.uint8]:
    """Ids of a block's documents: 32 hexadecimal letters each, as the keyed hash of an import gives them.

    The first half is a bijection of the document's running number, mixed with the seed, so that no two documents share an id.
    """
    number = np.arange(BLOCK * DOCUMENTS, dtype=np.uint64) + np.uint64(block * BLOCK * DOCUMENTS)
    salt = np.random.SeedSequence(entropy=seed).generate_state(1, np.uint64)[0]
    halves = np.stack((_mixed(number ^ salt), np.random.default_rng(stream).integers(0, 2**64, len(number), dtype=np.uint64)), axis=1)
    return hex_letters(halves.astype(">u8").view(np.uint8))


def _mixed(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): different numbers stay different and look random."""
    with np.errstate(over="ignore"):
        number = number + np.uint64(0x9E3779B97F4A7C15)
        number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


def _tables(
    parameters: Parameters, words: Words, who: People, truth: Moments, seen: Moments, fate: _Fates, renewed: NDArray[np.int64],
    state: Sequence[NDArray[np.bool_]], people: int, ids: NDArray[np.uint8],
) -> Simulated:  # fmt: skip
    zero = parameters.start - timedelta(days=parameters.warm_up_days)
    clock = _Clock((zero - EPOCH).days)
    mine = np.arange(people)
    first = mine * DOCUMENTS
    first_after = seconds_of(parameters)
    directions = ("exit", "entry")

    # the records: each crossing as often as it was written down, in the order of the (possibly wrong) clock
    row = np.repeat(np.arange(len(seen.person)), np.where(seen.person < people, fate.copies, 0))
    again = np.flatnonzero(row[1:] == row[:-1]) + 1
    at = fate.recorded[row]
    at[again] = np.minimum(at[again] + fate.delay[row[again]], first_after[1] - 1)
    order = np.sort((at << ROW_BITS) + np.arange(len(at))) & (2**ROW_BITS - 1)  # sorting values is several times faster than places
    row, at = row[order], at[order]
    person = seen.person[row]
    document = (seen.second[row, None] >= renewed[person]).sum(axis=1) + person * DOCUMENTS
    until = seen.until[row]
    entering = seen.entry[row]
    crossings = pa.Table.from_arrays(
        [
            _id_array(ids, document), clock.instants(at), _coded(entering, directions), _coded(who.citizenship[person], words.citizenships),
            pa.array(who.birth_year[person].astype(np.int16)), _coded(who.male[person], ("female", "male")),
            _coded(who.purpose[person], words.purposes), _coded(seen.permit[row], words.permits, gone=who.citizen[person]),
            clock.days(until, gone=until < 0), _coded(fate.point[row], words.points),
        ],
        schema=CROSSING_SCHEMA,
    )  # fmt: skip

    odd = np.flatnonzero((seen.person < people) & ((fate.copies != 1) | fate.wrong))
    what = np.where(fate.copies[odd] == 0, 0, np.where(fate.wrong[odd], 2, 1))
    both = odd[(fate.copies[odd] == 2) & fate.wrong[odd]]  # a wrong clock, and repeated: two entries
    odd, what = np.concatenate((odd, both)), np.concatenate((what, np.ones(len(both), dtype=what.dtype)))
    said = fate.recorded[odd]
    said = np.where(what == 1, np.minimum(said + fate.delay[odd], first_after[1] - 1), said)
    records = pa.Table.from_arrays(
        [
            _id_array(ids, seen.person[odd] * DOCUMENTS), clock.instants(seen.second[odd]), _worded(seen.entry[odd], directions),
            _worded(what, ("missed", "repeated", "clock_wrong")), clock.instants(said, gone=what == 0),
        ],
        schema=TRUTH_SCHEMAS["records"],
    )  # fmt: skip

    moves = np.flatnonzero(truth.move & (truth.person < people) & (truth.second >= first_after[0]) & (truth.second < first_after[1]))
    migrations = pa.Table.from_arrays(
        [
            _id_array(ids, truth.person[moves] * DOCUMENTS), clock.instants(truth.second[moves]),
            _worded(truth.entry[moves], ("departure", "arrival")),
        ],
        schema=TRUTH_SCHEMAS["migrations"],
    )  # fmt: skip
    return Simulated(
        crossings,
        pa.Table.from_arrays(
            [
                _id_array(ids, first), _worded(who.kind[:people], words.kinds), _worded(who.citizenship[:people], words.citizenships),
                pa.array(who.birth_year[:people].astype(np.int16)), _worded(who.male[:people], ("female", "male")),
                *(pa.array(one[:people]) for one in state),
            ],
            schema=TRUTH_SCHEMAS["people"],
        ),
        _residence(who, ids, mine, clock, first_after[1]), migrations, _aliases(renewed, ids, mine, clock), records,
    )  # fmt: skip


def _residence(who: People, ids: NDArray[np.uint8], mine: NDArray[np.int64], clock: _Clock, after: int) -> pa.Table:
    """Spells of residence that begin before the end of the records; what ends after it has not ended."""
    inside, moved, back = (column[: len(mine)] for column in (who.inside, who.moved, who.back))
    # inside at first: until moved, and again from back on; outside at first: from moved until back
    person = np.concatenate((mine, mine[inside]))
    start = np.concatenate((np.where(inside, -1, moved), back[inside]))
    end = np.concatenate((np.where(inside, moved, back), np.full(int(inside.sum()), NEVER)))
    kept = start < after
    person, start, end = person[kept], start[kept], end[kept]
    return pa.Table.from_arrays(
        [_id_array(ids, person * DOCUMENTS), clock.instants(start, gone=start < 0), clock.instants(end, gone=end >= after)],
        schema=TRUTH_SCHEMAS["residence"],
    )


def _aliases(renewed: NDArray[np.int64], ids: NDArray[np.uint8], mine: NDArray[np.int64], clock: _Clock) -> pa.Table:
    person, place = np.nonzero(renewed[: len(mine)] < NEVER)
    old = person * DOCUMENTS + place
    return pa.Table.from_arrays(
        [_id_array(ids, old), _id_array(ids, old + 1), clock.instants(renewed[person, place])], schema=TRUTH_SCHEMAS["aliases"]
    )


@dataclass(frozen=True, slots=True)
class _Clock:
    """From seconds of a simulation to days and instants of the calendar, in UTC."""

    zero: int  # first day of the warm-up, in days since 1970

    def instants(self, second: NDArray[np.int64], gone: NDArray[np.bool_] | None = None) -> pa.Array:
        return pa.array((second + self.zero * DAY) * 1_000_000, mask=gone).cast(_INSTANT)

    def days(self, second: NDArray[np.int64], gone: NDArray[np.bool_]) -> pa.Array:
        return pa.array((second // DAY + self.zero).astype(np.int32), mask=gone).cast(_DAY)


def _coded(place: NDArray[np.generic], words: Sequence[str], gone: NDArray[np.bool_] | None = None) -> pa.Array:
    """Words by their place in a list."""
    return pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int16), mask=gone), pa.array(words, _TEXT))


def _worded(place: NDArray[np.generic], words: Sequence[str]) -> pa.Array:
    return _coded(place, words).cast(_TEXT)


def _id_array(ids: NDArray[np.uint8], place: NDArray[np.int64]) -> pa.Array:
    return fixed_text(ids[place])
