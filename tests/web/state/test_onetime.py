"""One-time passwords and the end of single sessions, on both databases."""

from __future__ import annotations

from datetime import timedelta

from qonys.web.state import audit, onetime, people, sessions

from .conftest import NOW, PASSWORD, after


def test_a_one_time_password_replaces_the_one_there_was_for_a_week(db, admin, analyst):
    sessions.open_session(db, analyst, now=NOW)
    word = onetime.give(db, analyst, by=admin, now=NOW)
    assert people.authenticate(db, "Marat", PASSWORD) is None
    assert people.authenticate(db, "Marat", word) is not None
    assert onetime.until(db, analyst) == after(days=7)
    assert onetime.until(db, admin) is None
    assert sessions.sessions_of(db, analyst, now=NOW) == []
    assert audit.entries(db, limit=1)[0].action == "people.password"


def test_the_latest_counts_and_an_own_password_ends_it(db, admin, analyst):
    onetime.mark(db, analyst, now=NOW)
    onetime.mark(db, analyst, now=after(days=1))
    assert onetime.until(db, analyst) == NOW + timedelta(days=8)
    with db.begin() as connection:
        onetime.done(connection, analyst)
    assert onetime.until(db, analyst) is None
    onetime.done(db, analyst)


def test_what_is_not_kept_is_not_marked(db, admin, analyst):
    try:
        with db.begin() as connection:
            onetime.mark(connection, analyst, now=NOW)
            raise KeyError
    except KeyError:
        pass
    assert onetime.until(db, analyst) is None


def test_a_session_is_ended_by_its_own_person_alone(db, admin, analyst):
    token, session = sessions.open_session(db, analyst, now=NOW)
    assert not sessions.end_session(db, admin, session.digest, now=NOW)
    assert sessions.session_of(db, token, now=NOW) is not None
    assert sessions.end_session(db, analyst, session.digest, now=NOW)
    assert sessions.session_of(db, token, now=NOW) is None
    assert not sessions.end_session(db, analyst, session.digest, now=NOW)
    assert audit.entries(db, limit=1)[0].action == "session.end"
