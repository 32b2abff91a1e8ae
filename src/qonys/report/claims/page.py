"""A text made ready for reading: same length, lower case, soft breaks joined, non-claims blanked, sentences cut."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from .masks import mask_lines, mask_words

_SPACES = dict.fromkeys((9, 11, 12, 13, 28, 29, 30, 31, 133, 160, 5760, 8232, 8233, 8239, 8287, 12288), " ")
_SPACES |= dict.fromkeys(range(8192, 8203), " ")
_DASHES = {0x2010: "-", 0x2011: "-", 0x2212: "-", 0x2012: "–", 0x2014: "–", 0x2015: "–", 0x2019: "'", 0x2018: "'", 0xAD: "-"}
_TABLE = _SPACES | _DASHES | {0x09: "\n"}
_BREAK = re.compile(r"[ ]*\n[ \n]*")
_MARKED_LINE = re.compile(r"[-*•–][ ]|[#|]|[0-9]{1,3}[.)][ ]")
_STOP = re.compile(r"\n+|[.!?…]+[\"'»”)\]*_]{0,4}[ ]+")
_LAST_WORD = re.compile(r"(\w+)\Z")
_LONGEST = 6000
_NEVER_LAST = frozenset(
    [
        "approx",
        "art",
        "cf",
        "dept",
        "dr",
        "e",
        "eg",
        "etc",
        "fig",
        "figs",
        "i",
        "ie",
        "mr",
        "mrs",
        "no",
        "nos",
        "para",
        "pp",
        "prof",
        "sect",
        "st",
        "tab",
        "vol",
        "vs",
        "англ",
        "им",
        "напр",
        "обл",
        "п",
        "пп",
        "проф",
        "рис",
        "см",
        "ср",
        "ст",
        "стр",
        "т",
        "табл",
        "ул",
    ]
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of the text that makes one statement, with the number of its paragraph."""

    start: int
    end: int
    paragraph: int


@dataclass(frozen=True)
class Page:
    """The text as given, and `plain`: the same places, lower-cased, with soft breaks and non-claims blanked."""

    text: str
    plain: str
    sentences: tuple[Sentence, ...]

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a place in the text, both counted from one."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1


def read_page(text: str) -> Page:
    """The text made ready; nothing is moved, so every place in `plain` is the same place in `text`."""
    plain = mask_words(_join_soft_breaks(mask_lines(_lower(text).translate(_TABLE))))
    return Page(text, plain, tuple(_sentences(text, plain)))


def _lower(text: str) -> str:
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(small if len(small := each.lower()) == 1 else each for each in text)


def _join_soft_breaks(plain: str) -> str:
    """Turns the breaks inside a sentence into spaces: wrapped lines, page breaks, the items of a list after a colon."""
    done, pieces = 0, []
    for found in _BREAK.finditer(plain):
        pieces.append(plain[done : found.start()])
        pieces.append(" " * len(found.group()) if _is_soft(plain, found) else found.group())
        done = found.end()
    return "".join([*pieces, plain[done:]])


def _is_soft(plain: str, found: re.Match[str]) -> bool:
    start, end = found.span()
    if start == 0 or end == len(plain):
        return False
    before, after, blank = plain[start - 1], plain[end], found.group().count("\n") > 1
    if _MARKED_LINE.match(plain, end):
        return before in ":;," and after not in "#|"
    if before in "|" or (before in ".!?" and blank):
        return False
    return not blank or after.islower() or (before in ":,;" and after.isdigit())


def _sentences(text: str, plain: str) -> list[Sentence]:
    found: list[Sentence] = []
    start = paragraph = 0
    for stop in _STOP.finditer(plain):
        breaks = stop.group()[0] == "\n"
        if breaks or _ends_sentence(text, plain, stop):
            found += _stretch(plain, start, stop.end(), paragraph)
            start = stop.end()
            paragraph += breaks
    return found + _stretch(plain, start, len(plain), paragraph)


def _stretch(plain: str, start: int, end: int, paragraph: int) -> list[Sentence]:
    """The stretch as a sentence, or as several if no sentence of prose is that long; none if it is blank."""
    cuts = range(start, end, _LONGEST)
    stretches = [(cut, min(cut + _LONGEST, end)) for cut in cuts]
    return [Sentence(left, right, paragraph) for left, right in stretches if not plain[left:right].isspace()]


def _ends_sentence(text: str, plain: str, stop: re.Match[str]) -> bool:
    if stop.end() < len(text) and text[stop.end()].islower():
        return False
    if not stop.group().startswith(".") or stop.group().startswith(".."):
        return True
    word = _LAST_WORD.search(plain[max(0, stop.start() - 12) : stop.start()])
    if not word:
        return True
    if word.group() in _NEVER_LAST:
        return False
    return len(word.group()) > 1 or word.group().isdigit() or word.group() in "%"
