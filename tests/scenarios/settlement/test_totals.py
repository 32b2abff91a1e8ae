"""What 770 of 9,206 tell of going back, and what they do not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.totals import from_totals, returned_share


def test_770_of_9206_are_8_point_36_percent():
    # the published figures of the resettlement programme: 770 of 9,206 went back
    row = from_totals(770, 9206).returned.iloc[0]
    assert (round(row["value"], 2), round(row["low"], 1), round(row["high"], 1)) == (8.36, 7.8, 8.9)


def test_families_that_move_as_one_widen_the_interval_by_the_root_of_their_size():
    found = from_totals(770, 9206, mean_family=4).returned
    widths = found["high"] - found["low"]
    assert widths.iloc[1] / widths.iloc[0] == pytest.approx(2, rel=0.01)
    assert found["value"].iloc[1] == pytest.approx(found["value"].iloc[0])
    assert found["deciding"].iloc[1] == 9206 / 4


def test_alone_two_totals_say_nothing_of_any_horizon():
    found = from_totals(770, 9206)
    assert found.retained[["low", "high"]].to_numpy().tolist() == [[0, 100]] * 3
    assert found.unknown == (
        "time_since_move_unknown", "by_support_unknown", "moved_on_elsewhere_unknown", "trend_unknown", "families_move_together",
    )  # fmt: skip


def test_with_the_time_watched_they_bound_retention_from_below_before_it_and_from_above_after_it():
    found = from_totals(10, 100, watched_months=(12, 30), mean_family=3)
    assert found.retained.to_numpy().tolist() == [[12, 90, 100], [24, 0, 100], [36, 0, 90]]
    assert found.unknown == ("by_support_unknown", "moved_on_elsewhere_unknown", "trend_unknown")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 48), st.one_of(st.none(), st.integers(0, 48))), min_size=1, max_size=40), st.integers(1, 48))
def test_the_bounds_hold_whatever_happened(people, months):
    watched = [watch for watch, _ in people]
    left = [leave if leave is not None and leave <= watch else None for watch, leave in people]
    returned = sum(leave is not None for leave in left)
    low, high = from_totals(returned, len(people), watched_months=(min(watched), max(watched)), months=[months]).retained.iloc[0][
        ["low", "high"]
    ]
    gone = sum(leave is not None and leave <= months for leave in left)
    unknown = sum(leave is None and watch < months for (watch, _), leave in zip(people, left, strict=True))
    assert low - 1e-9 <= 100 * (1 - (gone + unknown) / len(people))
    assert 100 * (1 - gone / len(people)) <= high + 1e-9


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5000), st.floats(0.5, 0.99))
def test_the_first_row_is_the_share_of_the_totals(returned, coverage):
    row = from_totals(returned, 5000, coverage=coverage).returned.iloc[0]
    assert tuple(row[["value", "low", "high"]]) == returned_share(returned, 5000, coverage=coverage)


@pytest.mark.parametrize(
    ("totals", "more", "sentence"),
    [
        ((9206, 770), {}, "is not a part of a whole; check which is the total"),
        ((0.0836, 9206), {}, "0.0836 is no count of persons; give how many went back .* not a share"),
        ((True, 5), {}, "is no count"),
        ((float("inf"), float("inf")), {}, "is no count"),
        ((770, 9206), {"mean_family": 0.4}, "a mean family of 0.4 persons is none"),
        ((770, 9206), {"mean_family": 400}, "a mean family of 400 persons is none"),
        ((770, 9206), {"watched_months": (30, 12)}, "give the shortest watch first"),
        ((770, 9206), {"watched_months": (float("nan"), 12)}, "is no span"),
        ((770, 9206), {"months": [0]}, "are no months after the move"),
        ((770, 9206), {"coverage": 95}, "a coverage of 95 is none"),
    ],
)
def test_what_is_no_pair_of_totals_is_refused(totals, more, sentence):
    with pytest.raises(DesignError, match=sentence):
        from_totals(*totals, **more)
