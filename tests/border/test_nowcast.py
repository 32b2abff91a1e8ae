"""The chance of an undecided crossing: known only from what was known, learnt from what came of it, beside the naive share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from simulated_border import END, border

from qonys.border.nowcast import LONGEST_AGO, SURE, learn, lesson
from qonys.border.pace import month_of, pace
from qonys.border.residence import rule
from qonys.border.unfinished import FEATURES, numbers, records, unfinished

RULE = rule("12/16")
SOME_DAY = int(np.datetime64("2017-06-30").astype("datetime64[D]").astype(int))


@pytest.fixture(scope="module")
def crossings() -> pa.Table:
    return border(people=3_000, seed=5)


@pytest.fixture(scope="module")
def all_(crossings):
    return records(crossings, end=END, rule_=RULE)


def on_some_day(all_):
    """The undecided of SOME_DAY, and its month."""
    ran = pace(all_.starts, all_.day, all_.exits, all_.end)
    return unfinished(all_, SOME_DAY, ran), int(month_of(np.array([SOME_DAY], np.int32))[0])


def test_what_is_known_on_a_day_does_not_hang_on_what_came_later(crossings, all_):
    ran = pace(all_.starts, all_.day, all_.exits, all_.end)
    before = crossings.filter(pc.less(crossings["at"], pa.scalar(datetime(2017, 7, 1), crossings["at"].type)))
    then = records(before, end=date(2017, 6, 30), rule_=RULE, words=numbers(all_.table))
    now, earlier = unfinished(all_, SOME_DAY, ran), unfinished(then, SOME_DAY, pace(then.starts, then.day, then.exits, then.end))
    assert np.array_equal(now.features, earlier.features, equal_nan=True)
    assert np.array_equal(now.slowed, earlier.slowed)
    assert len(now.row) > 100


def test_the_undecided_are_those_of_the_classified_table(crossings):
    early = crossings.filter(pc.less(crossings["at"], pa.scalar(datetime(2017, 7, 1), crossings["at"].type)))
    then = records(early, end=date(2017, 6, 30), rule_=RULE)
    open_ = unfinished(then, SOME_DAY, pace(then.starts, then.day, then.exits, then.end))
    assert np.array_equal(np.sort(open_.row), np.flatnonzero((then.outcome < 0) & then.counts))
    assert np.array_equal(open_.migrated, np.flatnonzero((then.outcome == 1) & then.counts))


def test_known_and_undecided_by_then_hold_all_migrations_of_the_end(all_):
    open_, _month = on_some_day(all_)
    by_then = all_.day <= SOME_DAY
    migrations = set(np.flatnonzero((all_.outcome == 1) & by_then & all_.counts).tolist())
    assert set(open_.migrated.tolist()) <= migrations <= set(open_.migrated.tolist()) | set(open_.row.tolist())


def test_the_naive_chance_is_the_share_of_those_of_the_same_age_and_direction(all_):
    open_, month = on_some_day(all_)
    taught = lesson(open_, all_.outcome, month, np.random.default_rng(0))
    naive = learn([replace(taught, group=np.abs(taught.group))]).of(open_, month)[1]
    ago = np.minimum(month - open_.month, LONGEST_AGO)
    label = all_.outcome[open_.row]
    for side in (0, 1):
        for age in (0, 1, 2, 3):
            mine = (ago == age) & (open_.exits == side) & (label >= 0)
            if mine.sum() > 50:
                assert naive[mine] == pytest.approx((label[mine] == 1).mean(), abs=2.0 / mine.sum() + 0.02)


def test_a_sample_stands_for_all_from_whom_it_was_drawn(all_):
    open_, month = on_some_day(all_)
    taught = lesson(open_, all_.outcome, month, np.random.default_rng(0))
    assert taught.weight.sum() == pytest.approx((all_.outcome[open_.row] >= 0).sum())


def test_chances_are_within_0_and_1_and_the_same_for_the_same_lessons(all_):
    open_, month = on_some_day(all_)
    taught = lesson(open_, all_.outcome, month, np.random.default_rng(0))
    first, second = (learn([taught]).of(open_, month)[0] for _ in range(2))
    assert np.array_equal(first, second)
    assert ((first >= SURE) & (first <= 1 - SURE)).all()
    assert first.std() > 0.05


def test_lessons_of_one_outcome_only_leave_the_naive_share(all_):
    open_, month = on_some_day(all_)
    taught = lesson(open_, np.zeros_like(all_.outcome), month, np.random.default_rng(0))
    model, naive = learn([taught]).of(open_, month)
    assert np.array_equal(model, naive)
    assert (model <= SURE * 2).all()


def test_crossings_without_descriptions_have_chances_too(crossings):
    bare = crossings.select(["person_id", "at", "direction"])
    all_ = records(bare, end=END, rule_=RULE)
    open_, month = on_some_day(all_)
    chances = learn([lesson(open_, all_.outcome, month, np.random.default_rng(0))])
    assert open_.features.shape[1] == len(FEATURES)
    assert np.isfinite(chances.of(open_, month)[0]).all()
