"""Who is in the country: spells and presence against a plain walk through the records, whatever is missed, repeated or out of order."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis import _

from border.border_records import END, FIRST, clean_lives, crossing_table, records, seeds
from border.presence_reference import Record, all_spells, present_on
from qonys.border.presence import classed, present, spells
from qonys.border.visa_free import day_spans
from qonys.core.errors import DataError


def rows(con, table: ibis.Table) -> list[dict[str, object]]:
    return con.to_pyarrow(table).to_pylist()


def spell_keys(con, crossings: ibis.Table, **more) -> list[tuple[object, ...]]:
    names = ("person_id", "entered", "left", "opened", "closed", "records")
    return sorted((tuple(one[name] for name in names) for one in rows(con, spells(crossings, end=END, **more))), key=repr)


@settings(max_examples=3)
@given(seeds)
def test_spells_are_those_of_a_plain_walk_through_the_records(con, seed):
    given_records = records(seed)
    found = all_spells(given_records, END)
    by_hand = sorted(((one.person_id, one.entered, one.left, one.opened, one.closed, one.records) for one in found), key=repr)
    assert spell_keys(con, crossing_table(given_records)) == by_hand
    # nothing is dropped: each record belongs to one spell
    assert sum(one.records for one in found) == len(given_records)


@settings(max_examples=3)
@given(seeds, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(con, seed, chance):
    given_records = records(seed)
    shuffled = list(given_records)
    chance.shuffle(shuffled)
    assert spell_keys(con, crossing_table(shuffled)) == spell_keys(con, crossing_table(given_records))
    one, other = (rows(con, present(crossing_table(some), on=END).order_by("person_id")) for some in (given_records, shuffled))
    assert one == other


@settings(max_examples=3)
@given(seeds)
def test_a_record_written_twice_changes_no_spell_but_its_number_of_records(con, seed):
    given_records = records(seed)
    again = [*given_records, *given_records]
    once, twice = (spell_keys(con, crossing_table(some)) for some in (given_records, again))
    assert [one[:-1] for one in twice] == [one[:-1] for one in once]


@settings(max_examples=3)
@given(seeds, st.integers(0, 40))
def test_where_every_crossing_was_seen_those_present_are_the_entries_less_the_exits(con, seed, day):
    given_records = clean_lives(seed)
    on = FIRST + timedelta(days=day)
    before = [one for one in given_records if one.at.date() <= on]
    balance = sum(1 if one.direction == "entry" else -1 for one in before)
    assert con.execute(present(crossing_table(given_records), on=on, end=END).count()) == balance


@settings(max_examples=2)
@given(seeds)
def test_presence_changes_only_on_days_with_a_crossing(con, seed):
    given_records = records(seed, persons=12)
    crossings = crossing_table(given_records)
    busy = {one.at.date() for one in given_records}
    days = [FIRST + timedelta(days=day) for day in range(-1, 12, 2)]
    found = spells(crossings, end=END)
    there = [{one["person_id"] for one in rows(con, present(crossings, on=day, end=END, found=found))} for day in days]
    for day, yesterday, today in zip(days[1:], there, there[1:], strict=False):
        assert yesterday == today or {day, day - timedelta(days=1)} & busy
    assert there == [set(present_on(given_records, day, END)) for day in days]


@settings(max_examples=3)
@given(seeds, st.integers(0, 30))
def test_a_record_after_the_day_changes_who_is_present_only_for_those_not_seen_before(con, seed, day):
    given_records = records(seed)
    on = FIRST + timedelta(days=day)
    late, early = ({one["person_id"] for one in rows(con, present(crossing_table(given_records), on=on, end=end))} for end in (END, on))
    seen = {one.person_id for one in given_records if one.at.date() <= on}
    assert late & seen == early


@settings(max_examples=3)
@given(seeds)
def test_a_day_in_the_country_counts_once_however_many_spells_hold_it(con, seed):
    given_records = records(seed, persons=25)
    found = rows(con, day_spans(spells(crossing_table(given_records), end=END)))
    by_person: dict[str, set[date]] = {}
    for one in all_spells(given_records, END):
        by_person.setdefault(one.person_id, set()).update(one.days(END))
    counted = [
        (one["person_id"], date(1970, 1, 1) + timedelta(days=day)) for one in found for day in range(one["day_from"], one["day_until"] + 1)
    ]
    assert sorted(counted) == sorted((person, day) for person, days in by_person.items() for day in days)
    assert sum(one["counted"] for one in found) == len(counted)


# Single cases, named


def moment(day: int, hour: int = 12) -> datetime:
    return datetime.combine(FIRST, datetime.min.time()) + timedelta(days=day, hours=hour)


def only(con, moves: list[tuple[datetime, str]], **more) -> list[tuple[object, ...]]:
    found = rows(
        con,
        spells(crossing_table([Record("p", at, direction) for at, direction in moves]), end=END, **more).order_by("last_day", "first_day"),
    )
    return [(one["opened"], one["closed"], one["first_day"], one["last_day"], one["same_instant"]) for one in found]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def test_an_exit_first_means_here_since_before_the_data(con):
    assert only(con, [(moment(3), "exit")]) == [("before_data", "seen", None, day(3), False)]


def test_two_entries_in_a_row_are_two_spells_of_which_the_first_ends_in_a_missed_exit(con):
    assert only(con, [(moment(1), "entry"), (moment(4), "entry"), (moment(6), "exit")]) == [
        ("seen", "missed_exit", day(1), day(4), False), ("seen", "seen", day(4), day(6), False),
    ]  # fmt: skip


def test_two_exits_in_a_row_leave_a_spell_of_one_instant_whose_entry_was_missed(con):
    assert only(con, [(moment(1), "entry"), (moment(4), "exit"), (moment(6), "exit")]) == [
        ("seen", "seen", day(1), day(4), False), ("missed_entry", "seen", day(6), day(6), False),
    ]  # fmt: skip


def test_out_and_in_within_an_instant_begins_a_new_stay_of_who_was_inside(con):
    assert only(con, [(moment(1), "entry"), (moment(4), "exit"), (moment(4), "entry")]) == [
        ("seen", "seen", day(1), day(4), True), ("seen", "open", day(4), END, True),
    ]  # fmt: skip


def test_in_and_out_within_an_instant_is_a_visit_of_who_was_outside(con):
    moves = [(moment(1), "entry"), (moment(2), "exit"), (moment(4), "exit"), (moment(4), "entry")]
    assert only(con, moves)[-1] == ("seen", "seen", day(4), day(4), True)


def test_a_clock_before_1990_and_a_record_after_the_end_make_no_spell(con):
    moves = [
        (datetime(1970, 1, 1), "entry"),
        (moment(2), "entry"),
        (datetime.combine(END, datetime.min.time()) + timedelta(days=1), "exit"),
    ]
    assert only(con, moves) == [("seen", "open", day(2), END, False)]


def test_the_day_of_the_border_may_run_ahead_of_utc(con):
    late = [(moment(1, 22), "entry"), (moment(3, 22), "exit")]
    assert [one[2:4] for one in only(con, late)] == [(day(1), day(3))]
    assert [one[2:4] for one in only(con, late, offset_hours=5)] == [(day(2), day(4))]
    crossings = crossing_table([Record("p", at, direction) for at, direction in late])
    assert con.execute(present(crossings, on=day(1)).count()) == 1
    assert con.execute(present(crossings, on=day(1), offset_hours=5).count()) == 0
    assert con.execute(present(crossings, on=day(3), end=END, offset_hours=5).count()) == 1


@pytest.mark.parametrize(
    ("moves", "on", "doubt"),
    [
        ([(0, "entry")], 5, None),
        ([(0, "entry")], 11, "presumed"),
        ([(0, "entry"), (20, "exit")], 15, None),
        ([(0, "entry"), (20, "entry")], 5, "missed_exit"),
        ([(20, "exit")], 5, "before_data"),
        ([(3, "exit"), (3, "entry")], 5, None),
        ([(0, "entry"), (3, "exit"), (3, "entry")], 5, "same_instant"),
    ],
)
def test_doubt_that_a_person_is_present_has_a_name(con, moves, on, doubt):
    crossings = crossing_table([Record("p", moment(number), direction) for number, direction in moves])
    found = rows(con, present(crossings, on=day(on), end=END, presumed_after=10))
    expected = [] if moves[0] == (3, "exit") else [doubt]  # a pair comes first: outside before, so in and out
    assert [one["doubt"] for one in found] == expected


def test_what_the_entry_says_goes_with_the_person_and_repeated_records_fill_its_gaps(con):
    said = [
        Record("p", moment(0), "entry", "UZB", "work", day(9), "road"), Record("p", moment(2), "exit", "UZB"),
        Record("p", moment(3), "entry", "UZB", None, day(30), "rail"), Record("p", moment(3), "entry", "UZB", "visa", day(20), None),
    ]  # fmt: skip
    (one,) = rows(con, present(crossing_table(said), on=day(5)))
    assert (one["since"], one["days_since_entry"], one["permit"], one["permitted_until"], one["border_point"]) == (
        moment(3), 2, "visa", day(20), "rail",
    )  # fmt: skip


def test_instants_with_a_zone_are_those_of_utc(con):
    crossings = crossing_table([Record("p", moment(1, 22), "entry"), Record("q", moment(2, 1), "entry")])
    zoned = crossings.mutate(at=crossings["at"].cast("timestamp('UTC')"))
    assert rows(con, present(zoned, on=day(1))) == rows(con, present(crossings, on=day(1)))


def test_a_later_record_of_a_person_present_is_told(con):
    crossings = crossing_table([Record("stays", moment(0), "entry"), Record("goes", moment(0), "entry"), Record("goes", moment(9), "exit")])
    for end, seen in ((day(5), set()), (day(9), {"goes"})):
        found = rows(con, present(crossings, on=day(5), end=end))
        assert {one["person_id"] for one in found if one["seen_after"]} == seen


def test_columns_that_the_table_lacks_are_empty(con):
    bare = crossing_table([Record("p", moment(0), "entry")]).select("person_id", "at", "direction")
    (one,) = rows(con, present(bare, on=day(5)))
    assert [one[name] for name in ("citizenship", "permitted_until", "birth_year")] == [None] * 3


def test_a_table_without_instants_or_a_day_that_the_data_do_not_cover_is_refused():
    crossings = crossing_table([Record("p", moment(0), "entry")])
    with pytest.raises(DataError, match="no column 'at'; see: qonys contract show crossing"):
        spells(crossings.drop("at"), end=END)
    with pytest.raises(DataError, match="the data end on 2020-01-01, before 2020-01-02; ask for a day that the data cover"):
        present(crossings, on=date(2020, 1, 2), end=date(2020, 1, 1))
    with pytest.raises(DataError, match="the column at holds string, not instants"):
        spells(crossings.mutate(at=crossings["at"].cast("string")), end=END)


def test_classes_of_days_begin_at_the_bounds(con):
    days = ibis.memtable(pd.DataFrame({"days": [0, 6, 7, 364, 365, 4000]}))
    found = con.to_pandas(days.mutate(name=classed(_.days, (0, 7, 365))).order_by("days"))
    assert list(found["name"]) == ["0-6", "0-6", "7-364", "7-364", "365+", "365+"]
    for wrong in ((), (7, 30), (0, 30, 7), (0, 0)):
        with pytest.raises(DataError, match="give rising numbers of days, the first 0"):
            classed(days["days"], wrong)


def test_shuffled_rows_of_many_persons_keep_persons_apart(con):
    chance = random.Random(4)
    many = [Record(f"p{number}", moment(start, 5), "entry") for number in range(200) for start in [chance.randrange(20)]]
    assert con.execute(present(crossing_table(many), on=END).count()) == 200
