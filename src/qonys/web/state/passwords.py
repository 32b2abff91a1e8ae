"""Passwords: which are good enough, how they are hashed (argon2id), and that checking one takes as long for nobody as for somebody."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FEWEST, MOST = 12, 1000  # characters
FEWEST_KINDS = 5  # different characters
# of twelve characters and more, from the lists that guessers try first; shorter ones are refused by their length
USUAL = frozenset(
    (
        "123456789012", "1234567890123", "123456789123", "1234567890123456", "012345678901", "0123456789012", "098765432100",
        "112233445566", "111222333444", "123123123123", "123456123456", "123456654321", "147258369147", "abcdefghijkl", "abcdefghijklm",
        "abcdefgh1234", "abcd12345678", "1234abcd5678", "abc123abc123", "administrator", "administrator1", "adminadminadmin",
        "admin1234567", "admin12345678", "admin123456789", "password1234", "password12345", "password123456", "password1234!",
        "password123!", "passwordpassword", "p@ssw0rd1234", "passw0rd1234", "p@ssword1234", "mypassword123", "mypassword1234",
        "changeme1234", "changemechangeme", "letmeinletmein", "letmein12345", "welcome12345", "welcome123456", "iloveyou1234",
        "iloveyouiloveyou", "qwertyuiop12", "qwertyuiop123", "qwertyuiop1234", "qwerty123456", "qwerty1234567", "qwerty12345678",
        "qwertyuiopas", "qwertyqwerty", "qwertyuiopasdfgh", "1qaz2wsx3edc", "1q2w3e4r5t6y", "q1w2e3r4t5y6", "zaq12wsxcde3",
        "asdfghjkl123", "asdfghjkl1234", "zxcvbnm12345", "zxcvbnm123456", "qazwsxedcrfv", "football1234", "baseball1234", "dragon123456",
        "sunshine1234", "princess1234", "superman1234", "monkey123456", "trustno1trustno1", "qonys1234567", "qonysqonysqonys",
        "migration1234", "kazakhstan12", "kazakhstan123", "kazakhstan2024", "kazakhstan2025", "kazakhstan2026",
        "correcthorsebatterystaple", "йцукенгшщзхъ", "йцукенгшщзхъ123", "йцукен123456", "пароль123456", "пароль1234567", "парольпароль",
        "казахстан123", "қазақстан123", "құпиясөз1234", "correct horse battery staple", "the quick brown fox",
    )
)  # fmt: skip

_hasher: PasswordHasher | None = None


def use_hasher(hasher: PasswordHasher | None) -> None:
    """Hash with other parameters from now on; None: with argon2's own defaults (RFC 9106, low memory)."""
    global _hasher
    _hasher = hasher


def hashed(password: str, name_key: str) -> str:
    """The argon2id hash of a password that is good enough. name_key: the name of its person as compared, which it must not be.

    Errors: DesignError saying why it is not good enough; the password itself is never said.
    """
    plain = _plain(password)
    if plain is None:
        raise DesignError("the password holds half a character", mend="type it anew")
    if len(plain) < FEWEST:
        raise DesignError(
            f"the password has {len(plain)} characters", mend=f"choose one of at least {FEWEST}, such as four unrelated words"
        )
    if len(plain) > MOST:
        raise DesignError(f"the password has {len(plain)} characters", mend=f"choose one of at most {MOST}")
    folded = plain.casefold().strip()
    letters = "".join(letter for letter in folded if letter.isalpha())
    if folded == name_key or letters == "".join(letter for letter in name_key if letter.isalpha()) != "":
        raise DesignError("the password is the name", mend="choose one that nobody can guess from the name")
    if folded in USUAL or len(set(folded)) < FEWEST_KINDS:
        raise DesignError("the password is one of those tried first", mend="choose another, such as four unrelated words")
    return _current().hash(plain)


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is that of a hash. Without a hash (nobody of the name, or no password) it is never, after as long a check."""
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher = _current()
    dummy = _dummy(hasher)
    plain = _plain(password)
    fits = plain is not None and 0 < len(plain) <= MOST and kept is not None
    try:
        hasher.verify(kept if fits and kept else dummy, plain if fits and plain else "-")
    except (VerificationError, InvalidHashError):
        return False
    return fits


def outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than those of now."""
    return _current().check_needs_rehash(kept)


def rehashed(password: str) -> str:
    """The hash of a password known to be right, with the parameters of now."""
    return _current().hash(_plain(password) or "")


def _current() -> PasswordHasher:
    return _hasher or _default()


@lru_cache(maxsize=1)
def _default() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@lru_cache(maxsize=4)
def _dummy(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")


def _plain(password: str) -> str | None:
    """The password in one spelling, whichever the keyboard; None for half characters."""
    plain = unicodedata.normalize("NFKC", password[: MOST * 4])
    try:
        plain.encode()
    except UnicodeEncodeError:
        return None
    return plain
