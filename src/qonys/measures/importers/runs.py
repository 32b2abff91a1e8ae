"""Runs: observations one after the other that say the same, made one spell with its first and last day."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    from collections.abc import Sequence


def runs(observations: ibis.Table, *, by: Sequence[str], at: str, value: Sequence[str], every: int | None = None) -> ibis.Table:
    """The spells over which the values did not change, one after the other for each `by`.

    observations: the columns `by`, `at` (date, once for each `by`) and `value` -> by, value, first, last (days of the first and last
    observation of the run), before, after (days of the observations next to it; null: there is none), rows (how many observations).
    every: days from one observation to the next; a longer step is a gap and ends the run. Without it no step is too long.

    A missing value is a value like any other: leave out the observations that say nothing.
    """
    order = ibis.window(group_by=by, order_by=at)
    all_of_it = ibis.window(group_by=by)
    placed = observations.select(
        *by, *value, at, place=ibis.row_number().over(order), before=observations[at].lag().over(order),
        latest=observations[at].max().over(all_of_it), many=observations.count().over(all_of_it),
        **{f"was_{name}": observations[name].lag().over(order) for name in value},
    )  # fmt: skip
    breaks = [placed.before.isnull(), *(~placed[name].identical_to(placed[f"was_{name}"]) for name in value)]
    if every is not None:
        breaks.append(placed[at].delta(placed.before, unit="day") > every)
    begun = placed.filter(functools.reduce(operator.or_, breaks))
    # a run ends where the next one begins: at the observation before that one
    return begun.select(
        *by, *value, "before", first=begun[at], last=begun.before.lead().over(order).coalesce(begun.latest),
        after=begun[at].lead().over(order), rows=begun.place.lead().over(order).coalesce(begun.many) - begun.place,
    )  # fmt: skip
