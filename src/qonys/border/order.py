"""Rows by person and time: one packed integer a row, sorted as integers, and put right where two persons share a prefix.

An id of 8, 16, 24 or 32 letters 0-9a-f, which keyed hashes are, is two words of 64 bits that order as the text does; any other id is its
rank among the ids. The leading bits of the first word, as many as the seconds leave room for, the second and the direction make the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORT_RUN = 64
LONGEST_CLOCK = 36  # bits: the crossings lie within a thousand years


def words(ids: pa.Array) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Two words for each id that order and differ as the ids do."""
    length = _hex_length(ids)
    if length:
        high, low = np.empty(len(ids), np.uint64), np.empty(len(ids), np.uint64)
        text = np.frombuffer(ids.buffers()[2], "<u8", count=length * len(ids) // 8, offset=int(_offsets(ids)[0]))
        if hex_words(np.require(text.reshape(len(ids), -1), requirements="A"), high, low):
            return high, low
    encoded = ids.dictionary_encode()
    rank = np.empty(len(encoded.dictionary), dtype=np.uint64)
    rank[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(rank), dtype=np.uint64)
    return rank[encoded.indices.to_numpy()], np.zeros(len(ids), np.uint64)


def _offsets(ids: pa.Array) -> NDArray[Any]:
    kind = np.int64 if pa.types.is_large_string(ids.type) else np.int32
    return np.frombuffer(ids.buffers()[1], kind)[ids.offset : ids.offset + len(ids) + 1]


def _hex_length(ids: pa.Array) -> int:
    """Letters of each id if all have the same number, 8, 16, 24 or 32, else 0."""
    offsets = _offsets(ids)
    if len(offsets) < 2:
        return 0
    length = int(offsets[1] - offsets[0])
    return length if length in (8, 16, 24, 32) and bool((np.diff(offsets) == length).all()) else 0


def in_order(high: NDArray[np.uint64], low: NDArray[np.uint64], seconds: NDArray[np.int64], exits: NDArray[np.int8]) -> NDArray[np.int64]:
    """Places of the rows by person, second, entry before exit."""
    clock = seconds - seconds.min()
    clock_bits = max(int(clock.max()).bit_length(), 1) + 1
    if clock_bits > LONGEST_CLOCK:
        return np.lexsort((exits, seconds, low, high))
    first = high.min()
    spread = int(high.max() - first).bit_length()
    shift = max(spread - (64 - clock_bits), 0)
    prefix = (high - first) >> np.uint64(shift)
    key = (prefix << np.uint64(clock_bits)) | (clock.astype(np.uint64) << np.uint64(1)) | exits.astype(np.uint64)
    order = np.argsort(key)
    if shift or low.any():
        for start, stop in mend_runs(high, low, prefix, order):
            run = order[start:stop]
            order[start:stop] = run[np.lexsort((key[run], low[run], high[run]))]
    return order


@compiled
def hex_words(text: Any, high: Any, low: Any) -> bool:
    """Fill the two words of ids of 8, 16, 24 or 32 letters 0-9a-f, eight letters a number in `text`; False if there are other letters.

    Eight letters are handled at once: the low half of a letter's byte is the digit, and nine more where the byte is that of a letter.
    """
    parts = text.shape[1]
    ones = np.uint64(0x0101010101010101)
    wrong = np.uint64(0)
    for row in range(len(high)):
        a, b = np.uint64(0), np.uint64(0)
        for part in range(parts):
            letters = text[row, part]
            digits = (letters & (np.uint64(15) * ones)) + np.uint64(9) * ((letters >> np.uint64(6)) & ones)
            above = ((digits + np.uint64(118) * ones) >> np.uint64(7)) & ones
            wrong |= (digits & (np.uint64(240) * ones)) | (letters ^ (digits + np.uint64(48) * ones + np.uint64(39) * above))
            pairs = ((digits << np.uint64(4)) | (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
            fours = ((pairs << np.uint64(8)) | (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
            eight = ((fours & np.uint64(0xFFFF)) << np.uint64(16)) | (fours >> np.uint64(32))
            if part < 2:
                a = (a << np.uint64(32)) | eight
            else:
                b = (b << np.uint64(32)) | eight
        high[row], low[row] = a, b
    return bool(wrong == np.uint64(0))


@compiled
def mend_runs(high: Any, low: Any, prefix: Any, order: Any) -> Any:
    """Sort rows of one prefix by the whole id where they are of several persons; long runs are given back instead, as (start, stop)."""
    found = []
    start = 0
    rows = len(order)
    while start < rows:
        stop = start + 1
        one = order[start]
        mixed = False
        while stop < rows and prefix[order[stop]] == prefix[one]:
            mixed = mixed or high[order[stop]] != high[one] or low[order[stop]] != low[one]
            stop += 1
        if mixed and stop - start > SHORT_RUN:
            found.append((start, stop))
        elif mixed:
            for place in range(start + 1, stop):
                row = order[place]
                back = place
                while back > start and (
                    high[order[back - 1]] > high[row] or (high[order[back - 1]] == high[row] and low[order[back - 1]] > low[row])
                ):
                    order[back] = order[back - 1]
                    back -= 1
                order[back] = row
        start = stop
    result = np.empty((len(found), 2), np.int64)
    for place in range(len(found)):
        result[place, 0], result[place, 1] = found[place]
    return result


@compiled
def person_starts(high: Any, low: Any, order: Any) -> Any:
    """First row of each person in rows in order, and the number of rows."""
    starts = np.empty(len(order) + 1, np.int64)
    persons = 0
    for row in range(len(order)):
        if row == 0 or high[order[row]] != high[order[row - 1]] or low[order[row]] != low[order[row - 1]]:
            starts[persons] = row
            persons += 1
    starts[persons] = len(order)
    return starts[: persons + 1].copy()


@compiled
def settle_ties(starts: Any, second: Any, direction: Any, order: Any) -> None:
    """Entries and exits of a person in one second, put so that they alternate with what went before; rows are in order, entries first."""
    for person in range(len(starts) - 1):
        low = starts[person]
        while low < starts[person + 1]:
            high = low + 1
            exits = np.int64(direction[low])
            while high < starts[person + 1] and second[high] == second[low]:
                exits += direction[high]
                high += 1
            entries = high - low - exits
            if entries and exits:
                held = order[low:high].copy()
                wanted = np.int64(1 if exits > entries else 0)
                if low > starts[person]:
                    wanted = np.int64(1 - direction[low - 1])
                taken = np.zeros(2, np.int64)
                for row in range(low, high):
                    if taken[wanted] == (exits if wanted else entries):
                        wanted = 1 - wanted
                    order[row] = held[taken[wanted] + (entries if wanted else 0)]
                    direction[row] = wanted
                    taken[wanted] += 1
                    wanted = 1 - wanted
            low = high
