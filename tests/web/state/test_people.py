"""People: names that cannot be mistaken, passwords that cannot be guessed or timed, and always somebody to administer."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from qonys.core.errors import DataError, DesignError
from qonys.web.state import audit, passwords, people, sessions
from qonys.web.state.tables import ROLES
from qonys.web.state.tables import people as table

from .conftest import CHEAP, NOW, PASSWORD, after
from .test_database import in_threads


def kept_hash(db, person):
    with db.read() as connection:
        return connection.scalar(select(table.c.password_hash).where(table.c.id == person.id))


def test_a_person_is_found_as_added(db):
    added = people.add(db, " Aigul ", role="admin", password=PASSWORD, full_name="Айгуль  Сериковна", language="kk", by="root", now=NOW)
    assert (added.name, added.full_name, added.role, added.active, added.language) == ("Aigul", "Айгуль Сериковна", "admin", True, "kk")
    assert (added.has_password, added.subject, added.created_at) == (True, None, NOW)
    assert people.person(db, added.id) == people.named(db, "AIGUL") == people.listed(db)[0] == added
    assert people.named(db, "nobody") is None
    assert people.named(db, "no\0body") is None
    with pytest.raises(DataError, match="there is no person 'none'"):
        people.person(db, "none")


def test_a_name_is_taken_however_it_is_written(db, admin):
    for name in ("Aigul", "aigul", "AIGUL", "ａｉｇｕｌ", " aigul"):
        with pytest.raises(DesignError, match="is taken"):
            people.add(db, name, role="viewer", by=admin)
    people.add(db, "Айгуль", role="viewer", by=admin)
    with pytest.raises(DesignError, match="is taken"):
        people.add(db, "АЙГУЛЬ", role="viewer", by=admin)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("", "2 to 64 characters, not 0"),
        ("a", "2 to 64 characters, not 1"),
        ("a" * 65, "2 to 64 characters, not 65"),
        ("two words", "cannot hold ' '"),
        ("a/b", "cannot hold '/'"),
        ("<script>", "cannot hold '<'"),
        ("a\0b", "cannot hold"),
        ("half\ud83d", "cannot hold"),
        ("line\nbreak", "cannot hold"),
        ("right\u202eleft", "cannot hold"),
        ("\u0430dmin", "mixes alphabets: Cyrillic, Latin"),
    ],
)
def test_a_name_that_could_be_mistaken_is_refused(name, what):
    with pytest.raises(DesignError, match=what):
        people._checked_name(name)


@given(st.text(min_size=2, max_size=64))
def test_the_key_of_a_name_is_its_own_key(name):
    assert people.key_of(people.key_of(name)) == people.key_of(name) == people.key_of(name.swapcase().swapcase())


def test_only_the_right_password_of_an_active_person_opens(db, admin, analyst):
    assert people.authenticate(db, "AIGUL", PASSWORD) == admin
    for name, password in [
        ("Aigul", "wrong"),
        ("Aigul", ""),
        ("Aigul", PASSWORD + "x" * 2000),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("no\0body", PASSWORD),
        ("Aigul", "half \ud83d"),
    ]:
        assert people.authenticate(db, name, password) is None
    people.set_active(db, analyst.id, False, by=admin)
    assert people.authenticate(db, "Marat", PASSWORD) is None
    people.set_active(db, analyst.id, True, by=admin)
    assert people.authenticate(db, "Marat", PASSWORD) is not None
    people.add(db, "Openid", role="viewer", subject="https://id.example|17", by=admin)
    assert people.authenticate(db, "Openid", "") is None
    assert people.by_subject(db, "https://id.example|17").name == "Openid"
    assert people.by_subject(db, "https://id.example|18") is None


def test_a_password_typed_on_another_keyboard_is_the_same(db, admin):
    people.set_password(db, admin.id, "кафе\u0301 ﬁne words", by=admin)
    assert people.authenticate(db, "Aigul", "кафе\u0301 fine words") is not None


class Counting:
    """A hasher that counts how often it verifies."""

    def __init__(self):
        self.inner, self.verified = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), 0

    def verify(self, *arguments):
        self.verified += 1
        return self.inner.verify(*arguments)

    def __getattr__(self, name):
        return getattr(self.inner, name)


def test_nobody_is_checked_as_long_as_somebody(db, admin, analyst):
    people.set_active(db, analyst.id, False, by=admin)
    people.add(db, "Openid", role="viewer", subject="https://id.example|17", by=admin)
    hasher = Counting()
    passwords.use_hasher(hasher)
    for name, password in [
        ("Aigul", PASSWORD),
        ("Aigul", "wrong"),
        ("nobody", "wrong"),
        ("Marat", PASSWORD),
        ("Openid", "x"),
        ("Aigul", "x" * 9999),
        ("Aigul", ""),
    ]:
        before = hasher.verified
        people.authenticate(db, name, password)
        assert hasher.verified == before + 1, name


def test_a_hash_of_old_parameters_is_made_anew_when_the_password_is_seen(db, admin):
    before = kept_hash(db, admin)
    passwords.use_hasher(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert people.authenticate(db, "Aigul", "wrong") is None
    assert kept_hash(db, admin) == before
    assert people.authenticate(db, "Aigul", PASSWORD) is not None
    assert "m=16,t=2" in kept_hash(db, admin) != before
    assert people.authenticate(db, "Aigul", PASSWORD) is not None


def test_passwords_are_hashed_by_argon2id_as_rfc_9106_recommends():
    passwords.use_hasher(None)
    kept = passwords.hashed(PASSWORD, "aigul")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.matches(PASSWORD, kept)
    assert not passwords.outdated(kept)
    assert kept != passwords.hashed(PASSWORD, "aigul")
    passwords.use_hasher(CHEAP)
    assert passwords.outdated(kept)
    passwords.use_hasher(None)


@pytest.mark.parametrize(
    ("password", "what"),
    [
        ("", "has 0 characters"),
        ("eleven char", "has 11 characters"),
        ("x1" * 501, "has 1002 characters"),
        ("aigul.serikova", "is the name"),
        ("AIGUL.SERIKOVA", "is the name"),
        ("aigulserikova2026!", "is the name"),
        ("password1234", "tried first"),
        ("Password1234", "tried first"),
        ("qwertyuiop123", "tried first"),
        ("aaaaaaaaaaaaaaaa", "tried first"),
        ("abababababab", "tried first"),
        ("half a \ud83d character", "half a character"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_and_not_repeated(password, what):
    with pytest.raises(DesignError, match=what) as refusal:
        passwords.hashed(password, "aigul.serikova")
    assert not password or password not in str(refusal.value)


def test_every_usual_password_is_refused():
    assert all(len(word) >= passwords.FEWEST and word == word.casefold() for word in passwords.USUAL)


def test_another_password_ends_all_sessions_but_one(db, admin, analyst):
    kept, session = sessions.open_session(db, analyst, now=NOW)
    other, _ = sessions.open_session(db, analyst, now=NOW)
    own, _ = sessions.open_session(db, admin, now=NOW)
    people.set_password(db, analyst.id, "quite another set of words", by=analyst, but=session.digest, now=NOW)
    assert [sessions.session_of(db, one, now=NOW) is not None for one in (kept, other, own)] == [True, False, True]
    assert people.authenticate(db, "Marat", PASSWORD) is None
    assert people.authenticate(db, "Marat", "quite another set of words") is not None
    people.set_password(db, analyst.id, PASSWORD, by=admin, now=NOW)
    assert sessions.session_of(db, kept, now=NOW) is None


def test_who_is_disabled_is_out_at_once_and_for_good(db, admin, analyst):
    session, _ = sessions.open_session(db, analyst, now=NOW)
    token, _ = sessions.issue_token(db, analyst, "script", days=10, role="viewer", now=NOW)
    people.set_active(db, analyst.id, False, by=admin, now=after(minutes=1))
    people.set_active(db, analyst.id, True, by=admin, now=after(minutes=2))
    assert sessions.session_of(db, session, now=after(minutes=3)) is None
    assert sessions.token_of(db, token, now=after(minutes=3)) is None
    assert people.listed(db, active=False) == []
    assert [one.name for one in people.listed(db, active=True)] == ["Aigul", "Marat"]


def test_the_last_administrator_stays(db, admin):
    for change in (lambda: people.set_role(db, admin.id, "analyst", by=admin), lambda: people.set_active(db, admin.id, False, by=admin)):
        with pytest.raises(DesignError, match="'Aigul' is the last administrator"):
            change()
    people.add(db, "Ghost", role="admin", by=admin)  # who cannot sign in is nobody to administer
    with pytest.raises(DesignError, match="is the last administrator"):
        people.set_role(db, admin.id, "analyst", by=admin)
    other = people.add(db, "Other", role="admin", password=PASSWORD, by=admin)
    people.set_active(db, other.id, False, by=admin)
    with pytest.raises(DesignError, match="is the last administrator"):
        people.set_role(db, admin.id, "analyst", by=admin)
    people.set_active(db, other.id, True, by=admin)
    assert people.set_role(db, admin.id, "viewer", by=other).role == "viewer"


def test_two_administrators_cannot_demote_each_other_at_once(db, admin):
    other = people.add(db, "Other", role="admin", password=PASSWORD, by=admin)
    failures = in_threads(
        lambda: people.set_role(db, admin.id, "viewer", by=other), lambda: people.set_active(db, other.id, False, by=admin)
    )
    assert [type(one) for one in failures] == [DesignError]
    assert sum(one.may("admin") for one in people.listed(db)) == 1


@settings(max_examples=12)
@given(st.lists(st.tuples(st.sampled_from(["role", "active"]), st.integers(0, 2), st.sampled_from([*ROLES, True, False])), max_size=10))
def test_whatever_is_asked_somebody_administers(lasting, steps):
    with lasting.begin() as connection, connection.begin_nested() as undone:
        known = [
            people.add(connection, f"person{number}", role=role, password=PASSWORD, by=None)
            for number, role in enumerate(["admin", "admin", "viewer"])
        ]
        for what, who, value in steps:
            try:
                if what == "role" and isinstance(value, str):
                    people.set_role(connection, known[who].id, value, by=None)
                elif what == "active" and isinstance(value, bool):
                    people.set_active(connection, known[who].id, value, by=None)
            except DesignError:
                pass
            assert any(one.may("admin") for one in people.listed(connection))
        assert audit.verify(connection) is None
        undone.rollback()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    passwords.use_hasher(CHEAP)
    database = people.Database(f"sqlite:///{tmp_path_factory.mktemp('people')}/qonys.db")
    database.migrate()
    yield database
    database.close()
    passwords.use_hasher(None)


def test_a_role_may_what_those_below_it_may(admin, analyst):
    assert [admin.may(role) for role in ROLES] == [True, True, True, True]
    assert [analyst.may(role) for role in ROLES] == [True, True, False, False]
    with pytest.raises(DesignError, match=r"there is no role 'admn'; did you mean 'admin'"):
        admin.may("admn")


def test_what_is_changed_of_a_person_is_in_the_trail_without_secrets(db, admin, analyst):
    people.set_role(db, analyst.id, "adjudicator", by=admin, now=NOW)
    people.set_profile(db, analyst.id, full_name="Марат", language="ru", by=analyst, now=NOW)
    people.set_password(db, analyst.id, "quite another set of words", by=analyst, now=NOW)
    people.set_active(db, analyst.id, False, by="root", now=NOW)
    found = [(one.action, one.name, one.object) for one in audit.entries(db, limit=4)]
    assert found == [
        ("people.disable", "root", analyst.id),
        ("people.password", "Marat", analyst.id),
        ("people.profile", "Marat", analyst.id),
        ("people.role", "Aigul", analyst.id),
    ]
    assert audit.entries(db, action="people.role")[0].detail == {"name": "Marat", "from": "analyst", "to": "adjudicator"}
    assert "another" not in repr(audit.entries(db))
    assert "argon2" not in repr(audit.entries(db))
    assert audit.verify(db) is None
    people.set_active(db, analyst.id, False, by="root", now=NOW)


def test_what_a_person_cannot_be_is_refused(db, admin):
    for keywords, what in [
        ({"role": "king"}, "there is no role 'king'"),
        ({"role": "viewer", "language": "de"}, "in the language 'de'"),
        ({"role": "viewer", "full_name": "x" * 201}, "201 characters is too long"),
        ({"role": "viewer", "subject": "no bar"}, "not written issuer|sub"),
        ({"role": "viewer", "subject": "|sub"}, "not written issuer|sub"),
        ({"role": "viewer", "subject": "issuer|" + "x" * 500}, "not written issuer|sub"),
    ]:
        with pytest.raises(DesignError, match=what):
            people.add(db, "Somebody", by=admin, **keywords)
    people.add(db, "Somebody", role="viewer", subject="issuer|1", by=admin)
    with pytest.raises(DesignError, match=r"signs in as 'issuer\|1' already"):
        people.add(db, "Another", role="viewer", subject="issuer|1", by=admin)
    for change in (
        lambda: people.set_role(db, "none", "viewer", by=admin), lambda: people.set_active(db, "none", True, by=admin),
        lambda: people.set_password(db, "none", PASSWORD, by=admin), lambda: people.set_profile(db, "none", full_name="x", by=admin),
    ):  # fmt: skip
        with pytest.raises(DataError, match="there is no person 'none'"):
            change()


def test_a_password_changed_while_it_is_checked_stays_changed(db, admin, monkeypatch):
    passwords.use_hasher(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    real = passwords.rehashed

    def meanwhile(password):
        with db.engine.begin() as connection:
            connection.execute(update(table).where(table.c.id == admin.id).values(password_hash="other"))
        return real(password)

    monkeypatch.setattr(passwords, "rehashed", meanwhile)
    people.authenticate(db, "Aigul", PASSWORD)
    assert kept_hash(db, admin) == "other"
