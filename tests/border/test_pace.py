"""The pace of a border: 1 where stays end as they did, a tenth where a tenth of them end, and a clock that adds it up."""

from __future__ import annotations

import numpy as np
import pytest

from qonys.border.pace import FASTEST, SLOWEST, month_of, pace

FIRST = int(np.datetime64("2015-01-01").astype("datetime64[D]").astype(int))
END = int(np.datetime64("2018-12-31").astype("datetime64[D]").astype(int))


def visits(keep: float = 1.0, since: str = "2018-03-01", until: str = "2018-08-31", seed: int = 0, a_day: int = 40):
    """Visitors who come every day and stay a while that has no memory; in one stretch only the share `keep` of those who would leave does."""
    rng = np.random.default_rng(seed)
    low, high = (int(np.datetime64(day).astype("datetime64[D]").astype(int)) for day in (since, until))
    day, exits, starts = [], [], [0]
    for entry in np.repeat(np.arange(FIRST, END), a_day):
        out = int(entry)
        while True:  # each day a twentieth leaves
            out += 1
            if rng.random() < (0.05 * keep if low <= out <= high else 0.05):
                break
        mine = [(entry, 0)] + ([(out, 1)] if out <= END else [])
        day += [one for one, _ in mine]
        exits += [one for _, one in mine]
        starts.append(len(day))
    return np.array(starts, np.int64), np.array(day, np.int32), np.array(exits, np.int8)


@pytest.fixture(scope="module")
def usual():
    return pace(*visits(), END)


@pytest.fixture(scope="module")
def closed():
    return pace(*visits(keep=0.1), END)


def test_a_border_that_runs_as_ever_has_the_pace_1(usual):
    assert usual.ratio[0, 24:] == pytest.approx(1.0, abs=0.1)
    assert usual.ratio[0, 24:].mean() == pytest.approx(1.0, abs=0.02)
    assert usual.disturbed(month_of(np.array([END], np.int32))[0], 16) < 0.06


def test_where_a_tenth_of_those_who_would_leave_does_the_pace_is_a_tenth(closed):
    march = 3 * 12 + 2
    assert closed.ratio[0, march : march + 6] == pytest.approx(0.1, abs=0.03)
    assert closed.ratio[0, 24:march] == pytest.approx(1.0, abs=0.1)
    assert closed.disturbed(closed.first_month + march + 5, 6) > 1.0


def test_months_before_there_is_a_year_to_compare_with_have_the_pace_1(closed):
    assert (closed.ratio[:, :12] == 1).all()


def test_the_clock_adds_up_the_pace(closed):
    march = int(np.datetime64("2018-03-01").astype("datetime64[D]").astype(int))
    april = march + 31
    side, start, end = (np.array([one], kind) for one, kind in ((0, np.int8), (march, np.int32), (april, np.int32)))
    assert closed.between(side, start, end)[0] == pytest.approx(31 * closed.ratio[0, 3 * 12 + 2])
    assert closed.between(side, start, start)[0] == 0


def test_the_pace_of_a_month_does_not_hang_on_later_months():
    starts, day, exits = visits(keep=0.1, a_day=10)
    stop = int(np.datetime64("2018-04-30").astype("datetime64[D]").astype(int))
    kept = day <= stop
    lengths = np.add.reduceat(kept.astype(np.int64), starts[:-1])
    earlier = pace(np.concatenate([[0], np.cumsum(lengths[lengths > 0])]).astype(np.int64), day[kept], exits[kept], stop)
    later = pace(starts, day, exits, END)
    assert np.array_equal(earlier.ratio, later.ratio[:, : earlier.ratio.shape[1]])


def test_a_border_without_a_crossing_for_a_month_keeps_the_clock_running_a_little():
    starts, day, exits = visits(keep=0.0, a_day=2)
    found = pace(starts, day, exits, END)
    assert found.ratio.min() == SLOWEST
    assert found.ratio.max() <= FASTEST
