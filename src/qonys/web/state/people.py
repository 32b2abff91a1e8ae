"""People: who may sign in, in which role. Nobody is ever deleted, so that the trail and the register keep their authors."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from qonys.core.errors import DataError, DesignError, nearest
from qonys.web.state import audit, passwords
from qonys.web.state.audit import By
from qonys.web.state.database import Database, reading, writing
from qonys.web.state.tables import ROLES, moment, new_id, sessions, tokens
from qonys.web.state.tables import people as table

LANGUAGES = ("en", "ru", "kk")
NAME = (2, 64)  # characters
MOST_FULL_NAME = 200
MOST_SUBJECT = 500


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an account. `has_password`: false for those who sign in by OpenID Connect (`subject`), or not at all yet."""

    id: str
    name: str
    full_name: str
    role: str
    active: bool
    language: str
    subject: str | None
    has_password: bool
    created_at: datetime
    changed_at: datetime

    def may(self, role: str) -> bool:
        """Whether the person is active and has that role or one above it. Errors: DesignError for an unknown role."""
        return self.active and ROLES.index(self.role) >= ROLES.index(checked_role(role))


def key_of(name: str) -> str:
    """A name as it is compared: Aigul, AIGUL and a wide-letter spelling are one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def checked_role(role: str) -> str:
    """The role. Errors: DesignError for an unknown one."""
    if role not in ROLES:
        raise DesignError(f"there is no role {role!r}", mend=nearest(str(role), ROLES))
    return role


def add(
    where: Database | Connection, name: str, *, role: str, password: str | None = None, full_name: str = "", subject: str | None = None,
    language: str = "en", by: By, now: datetime | None = None,
) -> Person:  # fmt: skip
    """Someone new. subject: "issuer|sub" of OpenID Connect. by: who adds them.

    Errors: DesignError for a name of other characters or one that is taken, an unknown role or language, or a password too easy to guess.
    """
    name, at = _checked_name(name), moment(now)
    values: dict[str, Any] = {
        "id": new_id(), "name": name, "name_key": key_of(name), "full_name": _checked_full_name(full_name), "role": checked_role(role),
        "password_hash": None if password is None else passwords.hashed(password, key_of(name)), "subject": _checked_subject(subject),
        "active": True, "language": _checked_language(language), "created_at": at, "changed_at": at,
    }  # fmt: skip
    with writing(where) as connection:
        if named(connection, name) is not None:
            raise DesignError(f"the name {name!r} is taken", mend="choose another")
        if subject is not None and by_subject(connection, subject) is not None:
            raise DesignError(f"somebody signs in as {subject!r} already", mend="find them in the list of people")
        connection.execute(insert(table).values(values))
        _record(connection, by, "people.add", values["id"], {"name": name, "role": role}, at)
        return person(connection, values["id"])


def authenticate(where: Database, name: str, password: str, *, now: datetime | None = None) -> Person | None:
    """Who has this name and password and is active; None for all others, after as long a check. Count failures with `attempts`."""
    with where.read() as connection:
        row = connection.execute(select(table).where(table.c.name_key == key_of(name[: 4 * NAME[1]]))).first() if _storable(name) else None
    kept = row.password_hash if row else None
    if not passwords.matches(password, kept) or row is None or kept is None or not row.active:
        return None
    if passwords.outdated(kept):
        digest = passwords.rehashed(password)
        with where.begin() as connection:
            # unless the password was changed meanwhile
            connection.execute(update(table).where(table.c.id == row.id, table.c.password_hash == kept).values(password_hash=digest))
    return _person(row)


def set_password(
    where: Database | Connection, id: str, password: str, *, by: By, now: datetime | None = None, but: str | None = None
) -> Person:
    """Another password; all sessions of the person end, except the one whose digest is `but`.

    Errors: DataError for an unknown person, DesignError for a password too easy to guess.
    """
    at = moment(now)
    with reading(where) as connection:
        found = person(connection, id)
    digest = passwords.hashed(password, key_of(found.name))
    with writing(where) as connection:
        _change(connection, id, at, password_hash=digest)
        connection.execute(delete(sessions).where(sessions.c.person == id, sessions.c.digest != (but or "")))
        _record(connection, by, "people.password", id, {"name": found.name}, at)
        return person(connection, id)


def set_role(where: Database | Connection, id: str, role: str, *, by: By, now: datetime | None = None) -> Person:
    """Another role; tokens above it work in it from now on.

    Errors: DataError for an unknown person, DesignError for an unknown role, or if nobody would be left to administer.
    """
    checked_role(role)
    at = moment(now)
    with writing(where) as connection:
        found = person(connection, id)
        if role != "admin":
            _not_the_last(connection, found, "demoted")
        _change(connection, id, at, role=role)
        _record(connection, by, "people.role", id, {"name": found.name, "from": found.role, "to": role}, at)
        return person(connection, id)


def set_active(where: Database | Connection, id: str, active: bool, *, by: By, now: datetime | None = None) -> Person:
    """Let a person in again, or shut them out: then their sessions end and their tokens are revoked for good.

    Errors: DataError for an unknown person, DesignError if nobody would be left to administer.
    """
    at = moment(now)
    with writing(where) as connection:
        found = person(connection, id)
        if not active:
            _not_the_last(connection, found, "disabled")
            connection.execute(delete(sessions).where(sessions.c.person == id))
            connection.execute(update(tokens).where(tokens.c.person == id, tokens.c.revoked_at.is_(None)).values(revoked_at=at))
        _change(connection, id, at, active=active)
        _record(connection, by, "people.enable" if active else "people.disable", id, {"name": found.name}, at)
        return person(connection, id)


def set_profile(
    where: Database | Connection, id: str, *, full_name: str | None = None, language: str | None = None, by: By, now: datetime | None = None
) -> Person:
    """Another full name or language of the pages. Errors: DataError for an unknown person, DesignError for an unknown language."""
    at, values = moment(now), {}
    if full_name is not None:
        values["full_name"] = _checked_full_name(full_name)
    if language is not None:
        values["language"] = _checked_language(language)
    with writing(where) as connection:
        person(connection, id)
        _change(connection, id, at, **values)
        _record(connection, by, "people.profile", id, values, at)
        return person(connection, id)


def listed(where: Database | Connection, *, active: bool | None = None) -> list[Person]:
    """All people by name; or only those who are active, or who are not."""
    wanted = select(table).order_by(table.c.name_key)
    if active is not None:
        wanted = wanted.where(table.c.active.is_(active))
    with reading(where) as connection:
        return [_person(row) for row in connection.execute(wanted)]


def person(where: Database | Connection, id: str) -> Person:
    """The person with this id. Errors: DataError if there is none."""
    found = _found(where, table.c.id == id) if _storable(id) else None
    if found is None:
        raise DataError(f"there is no person {id!r}", mend="choose one of the list of people")
    return found


def named(where: Database | Connection, name: str) -> Person | None:
    """The person of this name, however it is written."""
    return _found(where, table.c.name_key == key_of(name)) if _storable(name) else None


def by_subject(where: Database | Connection, subject: str) -> Person | None:
    """The person who signs in as "issuer|sub" of OpenID Connect."""
    return _found(where, table.c.subject == subject) if _storable(subject) else None


def _found(where: Database | Connection, wanted: ColumnElement[bool]) -> Person | None:
    with reading(where) as connection:
        row = connection.execute(select(table).where(wanted)).first()
    return None if row is None else _person(row)


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id, name=row.name, full_name=row.full_name, role=row.role, active=row.active, language=row.language, subject=row.subject,
        has_password=row.password_hash is not None, created_at=row.created_at, changed_at=row.changed_at,
    )  # fmt: skip


def _change(connection: Connection, id: str, at: datetime, **values: Any) -> None:
    connection.execute(update(table).where(table.c.id == id).values(**values, changed_at=at))


def _not_the_last(connection: Connection, found: Person, what: str) -> None:
    """Errors: DesignError if without this person no active administrator could sign in."""
    enters = or_(table.c.password_hash.is_not(None), table.c.subject.is_not(None))
    others = select(func.count()).where(table.c.role == "admin", table.c.active.is_(True), enters, table.c.id != found.id)
    if found.role == "admin" and found.active and not connection.scalar(others):
        raise DesignError(f"{found.name!r} is the last administrator and cannot be {what}", mend="make another person administrator first")


def _record(connection: Connection, by: By, action: str, id: str, detail: dict[str, Any], at: datetime) -> None:
    audit.record(connection, person=by, action=action, object=id, detail=detail, now=at)


def _storable(word: str) -> bool:
    return "\0" not in word and not any("\ud800" <= letter <= "\udfff" for letter in word)


def _checked_name(name: str) -> str:
    name = unicodedata.normalize("NFKC", name.strip())
    if not NAME[0] <= len(name) <= NAME[1]:
        raise DesignError(f"a name has {NAME[0]} to {NAME[1]} characters, not {len(name)}", mend="choose another")
    wrong = sorted({letter for letter in name if not (letter.isalpha() or letter.isdigit() or letter in "._-@")})
    if wrong:
        raise DesignError(f"a name cannot hold {wrong[0]!r}", mend="use letters, digits and . _ - @")
    # else one person could pass for another: а of Cyrillic looks like a of Latin
    alphabets = {unicodedata.name(letter, "unnamed").split()[0] for letter in name if letter.isalpha()}
    if len(alphabets) > 1:
        raise DesignError(f"the name {name!r} mixes alphabets: {', '.join(sorted(alphabets)).title()}", mend="write it in one")
    return name


def _checked_full_name(full_name: str) -> str:
    full_name = " ".join(full_name.split())
    if len(full_name) > MOST_FULL_NAME:
        raise DesignError(f"a full name of {len(full_name)} characters is too long", mend=f"write at most {MOST_FULL_NAME}")
    return full_name


def _checked_subject(subject: str | None) -> str | None:
    if subject is not None and (not 3 <= len(subject) <= MOST_SUBJECT or not all(subject.partition("|"))):
        raise DesignError("the subject of an OpenID Connect account is not written issuer|sub", mend="copy both from the provider")
    return subject


def _checked_language(language: str) -> str:
    if language not in LANGUAGES:
        raise DesignError(f"there are no pages in the language {language!r}", mend=nearest(str(language), LANGUAGES))
    return language
