"""What can go wrong, as sentences for the person who can mend it."""

from __future__ import annotations

from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class QonysError(Exception):
    """Something a user can act on: `what` happened and where, and the `mend`, the next step to take."""

    def __init__(self, what: str, *, mend: str) -> None:
        super().__init__(f"{what}; {mend}")
        self.what = what
        self.mend = mend


class DataError(QonysError):
    """A table or a file does not hold what its contract says."""


class RegisterError(QonysError):
    """An entry of the register of measures or challenges is not valid."""


class StudyError(QonysError):
    """A study file asks for something that does not exist."""


class DesignError(QonysError):
    """A question cannot be answered from what is given."""


class SourceError(QonysError):
    """A publisher's data cannot be had, or are not what they should be."""


class TraceError(QonysError):
    """A figure cannot be walked back to its rows."""


def _alike(one: str, other: str) -> int:
    """How many letters two words share before they part."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def nearest(word: str, words: Iterable[str]) -> str:
    """The mend for a wrong name: the nearest right one, or the whole list.

    >>> nearest("perod", ["period", "areas"])
    "did you mean 'period'?"
    """
    known = sorted(words)
    near = get_close_matches(word, known, n=8, cutoff=0.6)
    # codes are short and many are equally near: of those, the one that begins alike
    best = max(near, key=lambda one: (SequenceMatcher(None, one, word).ratio(), _alike(one, word)), default=None)
    return f"did you mean {best!r}?" if best else "it can be one of: " + ", ".join(known)
