"""Rows by person and second: whatever the ids look like, the order is that of the ids as text, and of the clock within a person."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.border.order import in_order, person_starts, settle_ties, words

HEX = "0123456789abcdef"
SECONDS = st.integers(-(2**40), 2**40)


def ordered(ids, seconds, exits):
    high, low = words(pa.array(ids, pa.string()))
    order = in_order(high, low, np.array(seconds, np.int64), np.array(exits, np.int8))
    return order, person_starts(high, low, order)


@given(
    st.sampled_from([8, 16, 24, 32]).flatmap(lambda length: st.lists(st.text(HEX, min_size=length, max_size=length), min_size=1, max_size=6)), st.data()
)  # fmt: skip
def test_hashes_are_ordered_as_text_and_persons_begin_where_the_id_changes(ids, data):
    rows = data.draw(st.lists(st.tuples(st.sampled_from(ids), SECONDS, st.integers(0, 1)), min_size=1, max_size=40))
    order, starts = ordered(*zip(*rows, strict=True))
    assert [rows[place] for place in order] == sorted(rows)
    own = [rows[place][0] for place in order]
    assert starts.tolist() == [0, *(place for place in range(1, len(own)) if own[place] != own[place - 1]), len(own)]


@given(st.lists(st.tuples(st.text(max_size=5), SECONDS, st.integers(0, 1)), min_size=1, max_size=40))
def test_any_other_ids_are_ordered_as_their_bytes(rows):
    order, _ = ordered(*zip(*rows, strict=True))
    assert [rows[place] for place in order] == sorted(rows, key=lambda row: (row[0].encode(), *row[1:]))


@pytest.mark.parametrize("persons", [2, 70, 500])
def test_ids_that_share_all_the_key_has_room_for_are_put_right_by_the_whole_id(persons):
    rng = np.random.default_rng(persons)
    ids = [f"{'a' * 16}{place:016x}" for place in rng.permutation(persons)]
    rows = [
        (ids[rng.integers(0, persons)], int(second), int(way))
        for second, way in zip(rng.integers(0, 2**31, 3_000), rng.integers(0, 2, 3_000), strict=True)
    ]
    order, starts = ordered(*zip(*rows, strict=True))
    assert [rows[place] for place in order] == sorted(rows)
    assert len(starts) - 1 == len({row[0] for row in rows})


@pytest.mark.parametrize(
    ("before", "ways", "settled"),
    [
        ([], [0, 1], [0, 1]), ([0], [0, 1], [1, 0]), ([1], [0, 1], [0, 1]), ([], [0, 1, 1], [1, 0, 1]), ([0], [0, 0, 1, 1], [1, 0, 1, 0]),
        ([1], [0, 0, 0, 1], [0, 1, 0, 0]),
    ],
)  # fmt: skip
def test_crossings_of_one_second_alternate_with_what_went_before(before, ways, settled):
    ways_ = np.array([*before, *ways], np.int8)
    seconds = np.array([*range(len(before)), *[100] * len(ways)], np.int64)
    order = np.arange(len(ways_))
    settle_ties(np.array([0, len(ways_)]), seconds, ways_, order)
    assert ways_.tolist() == [*before, *settled]
    assert sorted(order.tolist()) == list(range(len(ways_)))
