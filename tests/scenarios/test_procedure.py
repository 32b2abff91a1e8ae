"""A procedure in turn and at once."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios import elapsed_days, schedule

durations = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(0, 400), min_size=1, max_size=8)


@given(durations)
def test_all_at_once_is_never_slower_than_in_turn_and_never_faster_than_the_longest_step(steps):
    at_once, in_turn = (elapsed_days(steps, order=order) for order in ("at_once", "in_turn"))
    assert at_once == max(steps.values()) <= in_turn == sum(steps.values())


@given(durations)
def test_each_step_takes_its_days_and_in_turn_begins_when_the_last_one_ends(steps):
    for order in ("at_once", "in_turn"):
        assert {step: end - start for step, (start, end) in schedule(steps, order=order).items()} == steps
    spans = list(schedule(steps, order="in_turn").values())
    assert all(before[1] == after[0] for before, after in pairwise(spans))


@given(durations, st.randoms(use_true_random=False))
def test_the_order_of_the_steps_changes_no_total(steps, chance):
    other = dict(chance.sample(list(steps.items()), len(steps)))
    for order in ("at_once", "in_turn"):
        assert elapsed_days(other, order=order) == elapsed_days(steps, order=order)


def test_a_procedure_without_steps_or_with_a_negative_one_is_refused():
    with pytest.raises(DesignError, match="no steps; give at least one"):
        elapsed_days({}, order="in_turn")
    with pytest.raises(DesignError, match="step 'permit' takes -30 days; a duration cannot be negative"):
        schedule({"residence": 60, "permit": -30}, order="at_once")


def test_an_order_of_steps_that_does_not_exist_is_refused():
    with pytest.raises(DesignError, match="did you mean 'in_turn'"):
        schedule({"residence": 60}, order="in_turns")  # type: ignore[arg-type]
