"""What the rules look at: the page with its quantities by sentence, the brackets, and the words between two places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .quantities import COUNT, MONEY, Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .page import Page, Sentence

_BRACKETS = re.compile("[()]")


@dataclass(frozen=True)
class Scene:
    """One sentence with its quantities; `brackets` are pairs of places of "(" and ")"."""

    page: Page
    sentence: Sentence
    number: int
    quantities: tuple[Quantity, ...]

    @property
    def plain(self) -> str:
        """The masked text of the whole page."""
        return self.page.plain

    def between(self, start: int, end: int) -> str:
        """The masked text from one place to another."""
        return self.page.plain[start:end]

    @cached_property
    def brackets(self) -> tuple[tuple[int, int], ...]:
        """The bracket pairs of the sentence; one left open closes with the sentence."""
        pairs, opened = [], []
        for found in _BRACKETS.finditer(self.plain, self.sentence.start, self.sentence.end):
            if found.group() == "(":
                opened.append(found.start())
            elif opened:
                pairs.append((opened.pop(), found.start()))
        return tuple(sorted(pairs + [(start, self.sentence.end) for start in opened]))

    @cached_property
    def _levels(self) -> dict[int, int]:
        levels, opened = {}, [-1]
        events = sorted(
            [(start, 0, start) for start, _ in self.brackets] + [(end, 1, start) for start, end in self.brackets]
            + [(each.start, 2, 0) for each in self.quantities]
        )  # fmt: skip
        for place, what, _ in events:
            if what == 0:
                opened.append(place)
            elif what == 1 and len(opened) > 1:
                opened.pop()
            elif what == 2:
                levels[place] = opened[-1]
        return levels

    def level(self, quantity: Quantity) -> int:
        """The place of the innermost open bracket around the quantity, or -1."""
        return self._levels[quantity.start]

    @cached_property
    def countable(self) -> dict[int, list[Quantity]]:
        """The counts and amounts of money of each level."""
        found: dict[int, list[Quantity]] = {}
        for each in self.quantities:
            if each.kind in (COUNT, MONEY):
                found.setdefault(self.level(each), []).append(each)
        return found

    def level_at(self, place: int) -> int:
        """The same for any place."""
        return max((start for start, end in self.brackets if start < place < end), default=-1)


def scenes(page: Page, quantities: Sequence[Quantity]) -> list[Scene]:
    """One scene for each sentence, in order, those without quantities too."""
    by_sentence: dict[int, list[Quantity]] = {}
    for each in quantities:
        by_sentence.setdefault(each.sentence, []).append(each)
    return [Scene(page, sentence, place, tuple(by_sentence.get(place, ()))) for place, sentence in enumerate(page.sentences)]
