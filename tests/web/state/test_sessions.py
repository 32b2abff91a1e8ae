"""Sessions and tokens: they open while they last, in no higher role than their person, and nothing that is kept opens anything."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from qonys.core.errors import DataError, DesignError
from qonys.web.state import audit, people, sessions
from qonys.web.state.database import Database
from qonys.web.state.tables import metadata

from .conftest import NOW, PASSWORD, after


def test_a_session_is_of_who_opened_it(db, admin):
    token, session = sessions.open_session(db, admin, now=NOW, address="192.0.2.1", agent="Browser")
    assert sessions.session_of(db, token, now=NOW) == (session, admin)
    assert (session.person, session.created_at, session.expires_at) == (admin.id, NOW, after(hours=12))
    for other in ("", token[:-1], token + "x", token.upper(), session.digest, "half \ud83d", "no\0"):
        assert sessions.session_of(db, other, now=NOW) is None


def test_a_session_ends_when_idle_and_after_twelve_hours_however_busy(db, admin):
    idle, _ = sessions.open_session(db, admin, now=NOW)
    busy, _ = sessions.open_session(db, admin, now=NOW)
    assert sessions.session_of(db, idle, now=after(minutes=59, seconds=59)) is not None
    assert sessions.session_of(db, idle, now=after(minutes=119)) is not None
    assert sessions.session_of(db, idle, now=after(minutes=179, seconds=59)) is None
    for minutes in range(0, 12 * 60, 45):
        assert sessions.session_of(db, busy, now=after(minutes=minutes)) is not None
    assert sessions.session_of(db, busy, now=after(hours=12)) is None
    short, _ = sessions.open_session(db, admin, now=NOW, absolute=sessions.TOUCH * 5)
    assert sessions.session_of(db, short, now=after(minutes=4), idle=sessions.TOUCH * 4) is None
    assert sessions.session_of(db, short, now=after(minutes=3, seconds=59), idle=sessions.TOUCH * 4) is not None
    assert sessions.session_of(db, short, now=after(minutes=5), idle=sessions.TOUCH * 4) is None


def test_being_seen_is_noted_once_a_minute(db, admin):
    token, _ = sessions.open_session(db, admin, now=NOW)
    seen = [sessions.session_of(db, token, now=after(seconds=second))[0].seen_at for second in (0, 30, 59, 60, 90, 119, 121)]
    assert seen == [NOW, NOW, NOW, after(seconds=60), after(seconds=60), after(seconds=60), after(seconds=121)]


def test_a_busy_database_turns_nobody_away(address, db, admin, monkeypatch):
    monkeypatch.setattr("qonys.web.state.database.BUSY", 50)
    impatient = Database(address)
    token, session = sessions.open_session(impatient, admin, now=NOW)
    with db.begin():
        found = sessions.session_of(impatient, token, now=after(minutes=2))
    assert found == (session, admin)
    impatient.close()


def test_what_is_kept_of_sessions_and_tokens_opens_nothing_and_tells_no_address(db, admin):
    token, _ = sessions.open_session(db, admin, now=NOW, address="192.0.2.1", agent="Browser")
    program, _ = sessions.issue_token(db, admin, "script", days=1, role="viewer", now=NOW)
    with db.read() as connection:
        everything = repr([connection.execute(select(table)).all() for table in metadata.tables.values()])
    for secret in (token, program, "192.0.2.1", "Browser", PASSWORD):
        assert secret not in everything
    assert program.startswith("qonys_")


def test_signing_out_ends_one_session_and_everywhere_all_but_one(db, admin, analyst):
    one, two, three = (sessions.open_session(db, analyst, now=after(seconds=second))[0] for second in range(3))
    other, _ = sessions.open_session(db, admin, now=NOW)
    assert len(sessions.sessions_of(db, analyst, now=after(seconds=3))) == 3
    sessions.close_session(db, one, now=NOW)
    sessions.close_session(db, one, now=NOW)
    sessions.close_session(db, "none", now=NOW)
    assert [sessions.session_of(db, token, now=NOW) is None for token in (one, two, three, other)] == [True, False, False, False]
    assert sessions.close_all(db, analyst, two, now=NOW) == 1
    assert sessions.close_all(db, analyst, two, now=NOW) == 0
    assert sessions.session_of(db, two, now=NOW) is not None
    assert sessions.close_all(db, analyst, by=admin, now=NOW) == 1
    assert sessions.sessions_of(db, analyst, now=NOW) == []
    assert sessions.session_of(db, other, now=NOW) is not None
    assert [one.action for one in audit.entries(db, limit=3)] == ["session.close_all", "session.close_all", "session.close"]
    assert audit.verify(db) is None


def test_sweeping_forgets_what_has_ended_and_nothing_else(db, admin):
    tokens = [sessions.open_session(db, admin, now=after(hours=hour))[0] for hour in range(4)]
    assert sessions.sweep(db, now=after(hours=3, minutes=30)) == 3
    assert [sessions.session_of(db, token, now=after(hours=3, minutes=30)) is not None for token in tokens] == [False, False, False, True]
    with db.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 1


def test_a_form_must_send_back_the_secret_of_its_own_session(db, admin):
    _, session = sessions.open_session(db, admin, now=NOW)
    _, other = sessions.open_session(db, admin, now=NOW)
    assert sessions.csrf_ok(session, session.csrf)
    for given in (None, "", other.csrf, session.csrf[:-1], session.csrf + " ", "ы", "half \ud83d", session.digest):
        assert not sessions.csrf_ok(session, given)


def test_who_is_disabled_opens_no_session_and_gets_no_token(db, admin, analyst):
    people.set_active(db, analyst.id, False, by=admin)
    with pytest.raises(DataError, match="'Marat' is disabled"):
        sessions.open_session(db, analyst, now=NOW)
    with pytest.raises(DataError, match="'Marat' is disabled"):
        sessions.issue_token(db, analyst, "script", days=1, role="viewer", now=NOW)


def test_a_token_works_until_it_expires_or_is_revoked(db, analyst):
    token, known = sessions.issue_token(db, analyst, " my  script ", days=2, role="viewer", now=NOW)
    assert (known.name, known.expires_at, known.used_at) == ("my script", after(days=2), None)
    found, who = sessions.token_of(db, token, now=after(days=1))
    assert (found.id, found.used_at, who.id, who.role) == (known.id, after(days=1), analyst.id, "viewer")
    assert sessions.token_of(db, token, now=after(days=1, seconds=30))[0].used_at == after(days=1)
    assert sessions.token_of(db, token, now=after(days=2)) is None
    for other in ("", "qonys_", token[6:], token + "x", "qonys_half \ud83d"):
        assert sessions.token_of(db, other, now=NOW) is None
    assert sessions.revoke_token(db, known.id, by=analyst, now=after(hours=1)).revoked_at == after(hours=1)
    assert sessions.revoke_token(db, known.id, by=analyst, now=after(hours=2)).revoked_at == after(hours=1)
    assert sessions.token_of(db, token, now=after(hours=1)) is None
    assert [one.works(after(hours=1)) for one in sessions.tokens_of(db, analyst)] == [False]
    assert [one.action for one in audit.entries(db, limit=2)] == ["token.revoke", "token.issue"]
    with pytest.raises(DataError, match="there is no token 'none'"):
        sessions.revoke_token(db, "none", by=analyst)


def test_a_token_never_works_above_its_person(db, admin, analyst):
    token, _ = sessions.issue_token(db, analyst, "script", days=2, role="analyst", now=NOW)
    with pytest.raises(DesignError, match="cannot have the role admin: theirs is analyst"):
        sessions.issue_token(db, analyst, "script", days=2, role="admin", now=NOW)
    people.set_role(db, analyst.id, "viewer", by=admin)
    found, who = sessions.token_of(db, token, now=NOW)
    assert (found.role, who.role) == ("viewer", "viewer")
    people.set_role(db, analyst.id, "admin", by=admin)
    found, who = sessions.token_of(db, token, now=NOW)
    assert (found.role, who.role) == ("analyst", "analyst")
    people.set_role(db, analyst.id, "viewer", by=admin)
    with pytest.raises(DesignError, match="cannot have the role analyst: theirs is viewer"):  # however old what the page knows of them
        sessions.issue_token(db, analyst, "script", days=2, role="analyst", now=NOW)


def test_a_token_that_cannot_be_is_refused(db, analyst):
    for days in (0, -1, 367, True, 1.5):
        with pytest.raises(DesignError, match="cannot last"):
            sessions.issue_token(db, analyst, "script", days=days, role="viewer", now=NOW)
    for name in ("", "   ", "x" * 65):
        with pytest.raises(DesignError, match="name of a token"):
            sessions.issue_token(db, analyst, name, days=1, role="viewer", now=NOW)
    with pytest.raises(DesignError, match="there is no role 'king'"):
        sessions.issue_token(db, analyst, "script", days=1, role="king", now=NOW)
    with db.begin() as connection:
        for number in range(sessions.MOST_TOKENS):
            sessions.issue_token(connection, analyst, f"script {number}", days=1, role="viewer", now=NOW)
    with pytest.raises(DesignError, match="has 20 tokens that work"):
        sessions.issue_token(db, analyst, "script", days=1, role="viewer", now=NOW)
    sessions.issue_token(db, analyst, "script", days=1, role="viewer", now=after(days=1))
