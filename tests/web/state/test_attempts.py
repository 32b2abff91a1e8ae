"""Failed sign-ins: no guesser gets through faster than the limits, and none can keep the owner out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from qonys.web.state import attempts
from qonys.web.state.attempts import LIMITS, LONGEST, WINDOW
from qonys.web.state.database import Database
from qonys.web.state.tables import attempts as table

from .conftest import NOW, after
from .test_database import in_threads

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def test_waits_of_a_pair_grow_and_then_the_window_is_closed(db):
    waits: list[float] = []
    second = 0.0
    for _ in range(7):
        wait = attempts.wait_of(db, "aigul", HOME, now=after(seconds=second))
        waits.append(wait)
        second += wait
        attempts.failed(db, "aigul", HOME, now=after(seconds=second))
    assert waits[:5] == [0, 0, 1, 4, 16]
    assert waits[5] == WINDOW.total_seconds() - sum(waits[:5])
    assert waits[6] > 0


def test_a_thousand_wrong_passwords_let_none_through_faster(db, kind):
    guesses = 1000 if kind == "sqlite" else 60
    tried = []
    with db.begin() as connection:
        for number in range(guesses):
            second = number * 3000 / guesses
            if attempts.enter(connection, "aigul", HOME, now=after(seconds=second)) == 0:
                tried.append(second)
        wait = attempts.wait_of(connection, "aigul", HOME, now=after(seconds=3000))
    assert wait > 0
    for second in tried:
        assert sum(second - WINDOW.total_seconds() < one <= second for one in tried) <= LIMITS["pair"]
    # 50 minutes: five at once, then five each time the window has passed, which grows
    assert len(tried) <= 15


def test_many_tries_at_once_count_as_many(address, db):
    databases = [Database(address) for _ in range(4)]
    through = []

    def guess(where):
        for _ in range(5):
            if attempts.enter(where, "aigul", HOME, now=NOW) == 0:
                through.append(1)

    assert in_threads(*(lambda where=where: guess(where) for where in databases)) == []
    assert len(through) == 2  # the third would have to wait a second
    for one in databases:
        one.close()


def test_a_name_is_guessed_from_everywhere_only_twenty_times_a_quarter(db):
    with db.begin() as connection:
        through = [attempts.enter(connection, "aigul", f"10.0.{number}.1", now=after(seconds=number)) == 0 for number in range(100)]
        assert through == [True] * 20 + [False] * 80
        assert attempts.wait_of(connection, "aigul", "10.9.9.9", now=after(seconds=100)) == 800
        assert attempts.wait_of(connection, "aigul", "10.9.9.9", now=after(minutes=15)) == 0
        assert attempts.wait_of(connection, "marat", "10.9.9.9", now=after(seconds=100)) == 0


def test_an_address_tries_only_fifty_names_a_quarter(db):
    with db.begin() as connection:
        through = [attempts.enter(connection, f"name{number}", HOME, now=after(seconds=number)) == 0 for number in range(100)]
        assert through == [True] * 50 + [False] * 50
        assert attempts.wait_of(connection, "another", HOME, now=after(seconds=100)) == 800
        assert attempts.wait_of(connection, "another", ELSEWHERE, now=after(seconds=100)) == 0


def test_a_guesser_elsewhere_does_not_keep_the_owner_out(db):
    with db.begin() as connection:
        attempts.cleared(connection, "aigul", HOME, now=NOW)
        for number in range(60):
            attempts.enter(connection, "AIGUL", f"10.0.{number}.1", now=after(days=1, seconds=number))
            attempts.enter(connection, f"name{number}", HOME, now=after(days=1, seconds=number))
        assert attempts.wait_of(connection, "aigul", ELSEWHERE, now=after(days=1, seconds=60)) > 0
        assert attempts.wait_of(connection, "marat", HOME, now=after(days=1, seconds=60)) > 0
        assert attempts.wait_of(connection, "aigul", HOME, now=after(days=1, seconds=60)) == 0
        # what is known is no free pass: its own failures count
        for number in range(5):
            attempts.failed(connection, "aigul", HOME, now=after(days=1, seconds=201 + number))
        assert attempts.wait_of(connection, "aigul", HOME, now=after(days=1, seconds=206)) > 600


def test_a_pair_is_known_for_thirty_days(db):
    with db.begin() as connection:
        attempts.cleared(connection, "aigul", HOME, now=NOW)
        for days, known in ((29.99, True), (30, False)):
            connection.execute(delete(table).where(table.c.kind != "known"))
            for number in range(20):
                attempts.failed(connection, "aigul", f"10.0.{number}.1", now=after(days=days, seconds=number - 30))
            assert (attempts.wait_of(connection, "aigul", HOME, now=after(days=days)) == 0) is known


def test_who_signs_in_as_themself_gets_no_more_tries_at_others(db):
    with db.begin() as connection:
        for number in range(80):
            attempts.enter(connection, f"name{number}", HOME, now=after(seconds=number))
            assert attempts.enter(connection, "marat", HOME, now=after(seconds=number)) == 0 or number >= 30
            attempts.cleared(connection, "marat", HOME, now=after(seconds=number))
        failures = connection.scalar(text("SELECT count(*) FROM attempts WHERE kind = 'address'"))
    assert failures <= LIMITS["address"]


def test_the_right_password_forgets_the_failures_of_its_pair(db):
    for number in range(4):
        attempts.failed(db, "aigul", HOME, now=after(seconds=number))
    assert attempts.wait_of(db, "aigul", HOME, now=after(seconds=4)) > 0
    attempts.cleared(db, "aigul", HOME, now=after(seconds=20))
    assert attempts.wait_of(db, "aigul", HOME, now=after(seconds=20)) == 0
    with db.read() as connection:
        assert [row.kind for row in connection.execute(select(table))] == ["known"]


def test_no_wait_is_longer_than_an_hour_and_all_end(db):
    with db.begin() as connection:
        for number in range(60):
            attempts.failed(connection, "aigul", HOME, now=after(minutes=number))
        assert 0 < attempts.wait_of(connection, "aigul", HOME, now=after(hours=1)) <= LONGEST.total_seconds()
        assert attempts.wait_of(connection, "aigul", HOME, now=after(hours=2)) == 0
        # a clock put back does not lock anybody out either
        assert attempts.wait_of(connection, "aigul", HOME, now=after(days=-365)) <= LONGEST.total_seconds()


def test_a_machine_does_not_become_another_by_another_address_of_its_network(db):
    for number in range(5):
        attempts.failed(db, "aigul", f"2001:db8:1:2::{number}", now=after(seconds=number))
    assert attempts.wait_of(db, "aigul", "2001:db8:1:2:ffff::1", now=after(seconds=5)) > 0
    assert attempts.wait_of(db, "aigul", "2001:db8:1:3::1", now=after(seconds=5)) == 0
    for number in range(5):
        attempts.failed(db, "marat", "::ffff:192.0.2.1", now=after(seconds=number))
    assert attempts.wait_of(db, "marat", HOME, now=after(seconds=5)) > 0


def test_names_and_addresses_are_not_kept(db):
    attempts.failed(db, "aigul", HOME, now=NOW)
    attempts.cleared(db, "marat", HOME, now=NOW)
    with db.read() as connection:
        kept = repr(connection.execute(select(table)).all())
    assert "aigul" not in kept
    assert HOME not in kept


def test_old_failures_are_forgotten(db):
    attempts.failed(db, "aigul", HOME, now=NOW)
    attempts.cleared(db, "marat", HOME, now=NOW)
    attempts.failed(db, "other", HOME, now=after(days=2))
    with db.read() as connection:
        assert sorted(row.kind for row in connection.execute(select(table))) == ["address", "known", "name", "pair"]
    attempts.failed(db, "other", HOME, now=after(days=31))
    with db.read() as connection:
        assert sorted(row.kind for row in connection.execute(select(table))) == ["address", "name", "pair"]


@pytest.mark.parametrize("word", ["", "x" * 100_000, "no\0body", "half \ud83d", "\n"], ids=["empty", "long", "nul", "half", "break"])
def test_odd_names_and_addresses_count_like_others(lasting, word):
    with lasting.begin() as connection:
        connection.execute(delete(table))
        for _ in range(5):
            attempts.failed(connection, word, word, now=NOW)
        assert attempts.wait_of(connection, word, word, now=NOW) > 0


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('attempts')}/qonys.db")
    database.migrate()
    yield database
    database.close()


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["aigul", "marat"]), st.integers(1, 3), st.booleans()), max_size=60))
def test_whatever_the_rhythm_no_more_than_the_limits_get_through(lasting, tries):
    with lasting.begin() as connection:
        connection.execute(delete(table))
        second, failures = 0, []
        for pause, name, place, waits in tries:
            second += pause
            at = after(seconds=second)
            wait = attempts.wait_of(connection, name, f"10.0.0.{place}", now=at)
            assert 0 <= wait <= LONGEST.total_seconds()
            if wait and waits:  # the patient are let through when the wait is over
                second += wait
                at = after(seconds=second)
                assert attempts.wait_of(connection, name, f"10.0.0.{place}", now=at) == pytest.approx(0, abs=1e-6)
            if attempts.enter(connection, name, f"10.0.0.{place}", now=at) == 0:
                failures.append((second, name, place))
            window = [one for one in failures if one[0] > second - WINDOW.total_seconds()]
            assert sum(one[1:] == (name, place) for one in window) <= LIMITS["pair"]
            assert sum(one[1] == name for one in window) <= LIMITS["name"]
            assert sum(one[2] == place for one in window) <= LIMITS["address"]
