"""Stays: the last permitted day of everybody present against one found day by day, and counts that add up."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from border.border_records import END, FIRST, START, crossing_table, records, seeds
from border.presence_reference import Free, Record, permission, present_on
from qonys.border.disclosure import keys_of, protect
from qonys.border.presence import present
from qonys.border.stays import BY, permissions, stays
from qonys.border.visa_free import FOREVER, VisaFree, read_visa_free, visa_free_rules
from qonys.core.errors import DataError, QonysError
from rows import refusal

RULE = """
[[rule]]
issuer = "KAZ"
citizenships = ["DEU", "UZB"]
days_per_stay = 30
days_in_window = 90
window_days = 180
source = "the reader's own"
"""


def visa_free(rules: list[Free]) -> list[VisaFree]:
    return [
        VisaFree(issuer="KAZ", citizenships=one.of, days_per_stay=one.per_stay, days_in_window=one.in_window, window_days=one.window,
                 first=date(1990, 1, 1), last=FOREVER, source="test")
        for one in rules
    ]  # fmt: skip


def rows(con, table: ibis.Table) -> list[dict[str, object]]:
    return con.to_pyarrow(table).to_pylist()


limits = st.sampled_from([
    [Free(("UZB", "KGZ", "DEU"), 4, 7, 15)], [Free(("UZB",), None, 3, 9), Free(("KGZ",), None, 12, 12)], [Free(("DEU", "UZB", "KGZ"), None, 6, 30)],
    [Free(("DEU",), 2, None, None), Free(("UZB", "KGZ"), None, 1, 2)], [],
])  # fmt: skip


@settings(max_examples=4)
@given(seeds, limits, st.integers(0, 40), st.integers(0, 9))
def test_the_last_permitted_day_is_the_one_found_day_by_day(con, seed, rules, number, within):
    given_records, on = records(seed, days=25), FIRST + timedelta(days=number)
    found = permissions(crossing_table(given_records), on=on, end=END, country="KAZ", within_days=within, visa_free=visa_free(rules))
    by_hand = {
        person: permission(given_records, spell, on, END, "KAZ", rules, within)
        for person, spell in present_on(given_records, on, END).items()
    }
    assert {one["person_id"]: (one["permission_ends"], one["permit_status"]) for one in rows(con, found)} == by_hand


def test_one_visit_after_another_ends_the_ninety_days_where_a_calendar_says(con):
    # 60 days, 20 days outside, then back: 30 days are left, and the first 60 days fall out of the window only 180 days after they were spent
    visits = [(0, "entry"), (59, "exit"), (80, "entry")]
    people = [Record("p", START + timedelta(days=day), direction, "DEU") for day, direction in visits]
    rule = visa_free([Free(("DEU",), None, 90, 180)])
    (one,) = rows(con, permissions(crossing_table(people), on=FIRST + timedelta(days=85), country="KAZ", visa_free=rule))
    assert (one["permission_ends"], one["basis"], one["permit_status"]) == (FIRST + timedelta(days=109), "visa_free_window", "valid")
    # 89 days, out until those days begin to fall out of the window: each day here frees one there
    visits = [(0, "entry"), (88, "exit"), (179, "entry")]
    people = [Record("p", START + timedelta(days=day), direction, "DEU") for day, direction in visits]
    (one,) = rows(con, permissions(crossing_table(people), on=FIRST + timedelta(days=200), country="KAZ", visa_free=rule))
    assert one["permission_ends"] == FIRST + timedelta(days=179 + 89)


def test_the_thirtieth_day_is_the_last_of_a_thirty_day_stay_and_the_day_of_entry_the_first(con):
    crossings = crossing_table([Record("p", START, "entry", "DEU")])
    for number, status in ((28, "valid"), (29, "expiring"), (30, "expired")):
        found = permissions(
            crossings, on=FIRST + timedelta(days=number), country="KAZ", visa_free=visa_free([Free(("DEU",), 30, None, None)])
        )
        assert [(one["permit_status"], one["basis"]) for one in rows(con, found)] == [(status, "visa_free_stay")]


def test_the_day_permitted_on_the_document_goes_before_a_visa_free_rule(con):
    until = FIRST + timedelta(days=3)
    crossings = crossing_table([Record("p", START, "entry", "DEU", None, until)])
    (one,) = rows(
        con, permissions(crossings, on=FIRST + timedelta(days=5), country="KAZ", visa_free=visa_free([Free(("DEU",), 30, None, None)]))
    )
    assert (one["permission_ends"], one["basis"], one["permit_status"]) == (until, "permit", "expired")


def test_a_permit_without_an_end_an_unknown_citizenship_and_an_entry_not_seen_are_no_overstays(con):
    people = [
        Record("residence", START, "entry", "DEU", "residence"), Record("nobody", START, "entry", None),
        Record("before", START + timedelta(days=50), "exit", "DEU"), Record("other", START, "entry", "FRA"), Record("own", START, "entry", "KAZ"),
    ]  # fmt: skip
    on, rule = FIRST + timedelta(days=40), visa_free([Free(("DEU",), 30, 90, 180)])
    found = permissions(crossing_table(people), on=on, end=END, country="KAZ", visa_free=rule)
    assert {one["person_id"]: one["permit_status"] for one in rows(con, found)} == {
        "residence": "unknown", "nobody": "unknown", "before": "unknown", "other": "unknown", "own": "own_citizen",
    }  # fmt: skip


def test_a_rule_holds_for_stays_that_begin_while_it_is_in_force(con):
    rule = read_visa_free(RULE + 'to = "2020-01"\n', file="mine.toml")
    people = [Record("before", datetime(2020, 1, 31, 9), "entry", "DEU"), Record("after", datetime(2020, 2, 1, 9), "entry", "DEU")]
    found = permissions(crossing_table(people), on=date(2020, 3, 5), country="KAZ", visa_free=rule)
    assert {one["person_id"]: one["permit_status"] for one in rows(con, found)} == {"before": "expired", "after": "unknown"}


@pytest.mark.parametrize(
    ("moves", "days", "doubt"),
    [
        ([(0, "entry")], 30, None),
        ([(0, "entry")], 31, "presumed"),
        ([(0, "entry"), (45, "exit")], 31, None),
        ([(0, "entry"), (45, "entry")], 31, "missed_exit"),
    ],
)
def test_long_after_a_permission_ended_without_a_record_that_somebody_is_here_is_presumed(con, moves, days, doubt):
    people = [Record("p", START + timedelta(days=day), direction, "UZB", "work", FIRST) for day, direction in moves]
    on = FIRST + timedelta(days=days)
    (one,) = rows(con, permissions(crossing_table(people), on=on, end=END, country="KAZ", over_presumed_after=30))
    assert (one["permit_status"], one["days_over"], one["doubt"]) == ("expired", days, doubt)


def test_a_permission_that_has_not_ended_has_no_days_over_and_no_such_doubt(con):
    people = [Record("own", START, "entry", "KAZ", "work", FIRST), Record("guest", START, "entry", "UZB", "work", END)]
    found = rows(con, permissions(crossing_table(people), on=END, country="KAZ", over_presumed_after=0))
    assert [(one["days_over"], one["doubt"]) for one in found] == [(None, None)] * 2


@settings(max_examples=2)
@given(seeds, limits)
def test_the_counts_are_those_of_the_persons_whatever_they_are_counted_by(con, seed, rules):
    on = FIRST + timedelta(days=30)
    crossings = crossing_table(records(seed, days=25))
    more = {"on": on, "end": END, "country": "KAZ", "visa_free": visa_free(rules), "presumed_after": 25}
    people = rows(con, permissions(crossings, **more))
    for one in people:
        age = one["days_since_entry"]
        for name, days in (("stay_class", age), ("over_class", one["days_over"])):
            one[name] = None if days is None else "0-4" if days < 5 else "5-19" if days < 20 else "20+"
    for by in (BY, ("citizenship", "permit_status", "doubt", "over_class")):
        found = rows(con, stays(crossings, by=by, classes=(0, 5, 20), **more))
        assert {tuple(one[name] for name in by): one["persons"] for one in found} == Counter(
            tuple(one[name] for name in by) for one in people
        )
        keys = {tuple(one[name] for name in by): one["cell_key"] for one in found}
        mine = [one["person_id"] for one in people if tuple(one[name] for name in by) == next(iter(keys))]
        assert keys[next(iter(keys))] == sum(keys_of(mine)) % 2**32
    assert len(people) == con.execute(present(crossings, on=on, end=END).count())


def test_the_counts_pass_disclosure_control(con):
    counted = con.to_pandas(stays(crossing_table(records(5)), on=END, country="KAZ", by=("citizenship", "permit_status")))
    shown = protect(counted, by=["citizenship", "permit_status"], margins=True)
    assert "cell_key" not in shown.columns
    assert not shown["persons"].isin([1, 2]).any()


def test_the_shipped_rule_of_kazakhstan_is_the_fact_of_the_source_and_names_no_citizenship():
    (rule,) = visa_free_rules()
    assert (rule.issuer, rule.citizenships, rule.words, rule.days_per_stay, rule.days_in_window) == ("KAZ", (), "57 countries", 30, None)
    assert rule.last == date(2020, 3, 31)
    assert "SM009" in rule.note


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('issuer = "KAZ"', 'issuer = "KA"'), "mine.toml, rule 1 names 'KA', which is no country"),
        (('["DEU", "UZB"]', '["DEU", "EU"]'), "names 'EU', which is no country"),
        (('["DEU", "UZB"]', '["DEU", ["UZB"]]'), "names ['UZB'], which is no country"),
        (('["DEU", "UZB"]', '["DEU", "DEU"]'), "mine.toml, rule 1 names 'DEU' twice"),
        (('["DEU", "UZB"]', '"DEU"'), "mine.toml, rule 1 has citizenships = 'DEU'; write a list"),
        (("days_per_stay = 30", "days_per_stay = 0"), "has days_per_stay = 0; write a whole number of days"),
        (("days_per_stay = 30", "days_per_stay = true"), "has days_per_stay = True"),
        (("window_days = 180", ""), "sets no whole limit"),
        (("window_days = 180", "window_days = 60"), "allows 90 days in 60"),
        (("source", "sauce"), "has the key 'sauce'; did you mean 'source'?"),
        (('source = "the reader\'s own"', ""), "has no source"),
        (('source = "the', 'from = "2021"\nto = "2020"\nsource = "the'), "ends on 2020-12-31, before it begins on 2021-01-01"),
        (('source = "the', 'from = "spring"\nsource = "the'), "'spring' is not a date"),
        (("[[rule]]", "[[rule]"), "mine.toml is not valid TOML"),
        (("[[rule]]", "[law]"), "mine.toml holds no rule"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_a_sentence(change, sentence):
    assert change[0] in RULE
    refused = refusal(lambda: read_visa_free(RULE.replace(*change), file="mine.toml"))
    assert isinstance(refused, QonysError)
    assert sentence in str(refused)


def test_the_rule_of_the_how_to_page_is_one_that_is_read():
    page = Path(__file__).parents[2] / "docs" / "how-to" / "who-is-stuck.md"
    (rule,) = read_visa_free(page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0], file="visa_free.toml")
    assert (rule.issuer, rule.days_per_stay, rule.first, rule.last) == ("KAZ", 30, date(2018, 1, 1), date(2020, 3, 31))


def test_two_rules_for_one_citizenship_at_a_time_are_refused():
    assert len(read_visa_free(RULE + 'to = "2020"\n' + RULE + 'from = "2021"\n', file="mine.toml")) == 2
    with pytest.raises(DataError, match="two rules of KAZ for citizens of DEU at the same time"):
        read_visa_free(RULE + 'to = "2020"\n' + RULE + 'from = "2020-12"\n', file="mine.toml")


def test_a_country_that_is_none_and_days_below_zero_are_refused():
    crossings = crossing_table([Record("p", START, "entry")])
    with pytest.raises(DataError, match="no area has the code 'KAX'"):
        permissions(crossings, on=END, country="KAX")
    with pytest.raises(DataError, match="cannot be counted by 'permits'; did you mean 'permit'"):
        stays(crossings, on=END, country="KAZ", by=("permits",))
    with pytest.raises(DataError, match="cannot expire within -1 days"):
        permissions(crossings, on=END, country="KAZ", within_days=-1)


def test_the_order_of_rows_changes_no_count(con):
    given_records = records(11)
    shuffled = list(given_records)
    random.Random(2).shuffle(shuffled)
    order = list(BY)
    one, other = (rows(con, stays(crossing_table(some), on=END, country="KAZ").order_by(order)) for some in (given_records, shuffled))
    assert one == other
