"""Finds totals with their parts: lists after "of which", in brackets, after a colon, before "a total of"."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from . import cues
from .findings import HOLDS
from .judge import judge_sum
from .masks import FILLER
from .quantities import COUNT, MONEY, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .scene import Scene

_FAR = 120  # characters from a cue to the first part, and from a total to its bracket or colon
_MOST_PARTS = 60
_ENUMERATES = re.compile("[,;]")  # names before the first number: "including Almaty, 45,000" opens no list of numbers
_NEAR = Decimal("0.05")  # without a cue word, parts count as parts of a total only if they come this near to it


@dataclass(frozen=True, slots=True)
class PartsList:
    """A total and the parts that the text gives for it; `named` tells whether a cue word says they are parts."""

    total: Quantity
    parts: tuple[Quantity, ...]
    named: bool


def find_parts(views: Sequence[Scene]) -> list[PartsList]:
    """Every list of parts in the text, each total once."""
    found: list[PartsList] = []
    for view in views:
        if not view.quantities:
            continue
        taken = {each.total.start for each in found[-20:]}
        for each in (*_after_cues(views, view), *_in_brackets(view), *_after_colons(view), *_before_totals(view)):
            if each.total.start not in taken:
                taken.add(each.total.start)
                found.append(each)
    return found


def _countable(view: Scene, level: int) -> list[Quantity]:
    return view.countable.get(level, [])


def _after_cues(views: Sequence[Scene], view: Scene) -> Iterator[PartsList]:
    """Lists that a cue opens ("of which", "из них", "оның ішінде"); a cue inside a list opens a list of its own."""
    marks = list(cues.PARTS.finditer(view.plain, view.sentence.start, view.sentence.end))[:_MOST_PARTS]
    outer: PartsList | None = None
    for place, mark in enumerate(marks):
        level = view.level_at(mark.start())
        stop = next((each.start() for each in marks[place + 1 :] if view.level_at(each.start()) == level), view.sentence.end)
        opened = _open_list(views, view, mark, level, stop)
        if not opened:
            continue
        if outer and opened.total == outer.parts[-1] and opened.total.kind == opened.parts[0].kind:
            outer, opened = _give_back(outer, opened)
            yield opened
            continue
        if outer:
            yield outer
        outer = opened
    if outer:
        yield outer


def _open_list(views: Sequence[Scene], view: Scene, mark: re.Match[str], level: int, stop: int) -> PartsList | None:
    same = _countable(view, level)
    before = [each for each in same if each.end <= mark.start()]
    after = [each for each in same if mark.end() <= each.start < stop]
    lead = _part_before(view, mark, before, after, bool(_candidates(views, view, mark, level, before[:-1])))
    parts = [*lead, *_items(view, mark.end(), after, started=bool(lead))]
    candidates = _candidates(views, view, mark, level, [each for each in before if each not in lead])
    if not parts or not candidates:
        return None
    candidates = [each for each in candidates if each.kind == parts[0].kind]
    parts = [each for each in parts if each.kind == parts[0].kind]
    if len(parts) == 1 and level == -1:
        parts += _continued(views, view, candidates, parts[0])
    total = _best_total(candidates, parts, same_kind=_counts_the_same(mark, candidates, parts))
    if total and len(candidates) > 1 and total.sentence != view.number and sum(part.value for part in parts) != total.value:
        return None  # "of them" at the start may speak of any, or of all, of the numbers of the sentence before
    return PartsList(total, tuple(_partition(total, parts)), named=True) if total else None


def _part_before(view: Scene, mark: re.Match[str], before: list[Quantity], after: list[Quantity], others: bool) -> list[Quantity]:
    """The first part, where it stands before its cue: "686 of them"."""
    if not before or view.between(before[-1].end, mark.start()).strip() or not cues.PARTS_AFTER_NUMBER.fullmatch(mark.group()):
        return []
    follows = after and not view.between(mark.end(), after[0].start).strip()
    return [] if follows or not others else [before[-1]]


def _candidates(views: Sequence[Scene], view: Scene, mark: re.Match[str], level: int, before: list[Quantity]) -> list[Quantity]:
    """Numbers that the cue may speak of, nearest first: in the sentence, outside the bracket, or in the sentence before."""
    if level != -1 and not before:
        outside = [each for each in view.quantities if each.end <= level and each.kind in (COUNT, MONEY)]
        before = [each for each in outside if view.level(each) == view.level_at(level)]
    if before:
        return before[:-5:-1]
    if level == -1 and mark.start() - view.sentence.start < 40 and view.number:
        return _countable(views[view.number - 1], -1)[:-5:-1]
    return []


def _items(view: Scene, start: int, numbers: list[Quantity], *, started: bool) -> list[Quantity]:
    """The numbers that open an item of the list: one for each stretch between separators, up to a turn of the sentence."""
    parts: list[Quantity] = []
    edge = start
    for each in numbers[:_MOST_PARTS]:
        gap = view.between(edge, each.start)
        if cues.STOP.search(gap) or cues.NOT_A_PART.search(gap[-14:]) or each.signed:
            break
        if not parts and (len(gap) > _FAR or _ENUMERATES.search(gap.lstrip(" ,:–-"))):
            break
        if (parts or started) and not cues.SEPARATOR.search(gap):
            continue
        parts.append(each)
        edge = each.end
    return parts


def _continued(views: Sequence[Scene], view: Scene, candidates: list[Quantity], part: Quantity) -> list[Quantity]:
    """A list of one part goes on in the next sentence, if that opens with a number that still fits into the total."""
    if view.number + 1 >= len(views):
        return []
    following = views[view.number + 1]
    first = following.quantities[0] if following.quantities else None
    opens = first and not following.between(following.sentence.start, first.start).strip(" \"'«“-–*•")
    if not first or not opens or first.kind != part.kind or following.sentence.paragraph != view.sentence.paragraph:
        return []
    return [first] if any(part.value + first.value <= each.value for each in candidates[:1]) else []


def _counts_the_same(mark: re.Match[str], candidates: list[Quantity], parts: list[Quantity]) -> bool:
    """Whether the parts count what the nearest total counts: the cue says so ("of them"), or the nouns do."""
    if not cues.PARTS_PERHAPS_OF_ANOTHER_KIND.fullmatch(mark.group()):
        return True
    return bool(candidates) and candidates[0].noun[:4].lower() == parts[0].noun[:4].lower() != ""


def _best_total(candidates: list[Quantity], parts: list[Quantity], *, same_kind: bool) -> Quantity | None:
    """The nearest number that the parts make up exactly, else the nearest that is not less than each part."""
    for each in candidates:
        if len(parts) > 1 and judge_sum(each, parts) == HOLDS and sum(part.value for part in parts) == each.value:
            return each
    largest = max(part.value for part in parts)
    fitting = next((each for each in candidates if each.high >= largest), None)
    if fitting:
        return fitting
    near = candidates[0] if candidates and same_kind else None
    return near if near and abs(parts[0].start - near.end) <= _FAR else None


def _partition(total: Quantity, parts: list[Quantity]) -> list[Quantity]:
    """The first parts that make up the total exactly, if any: what follows them divides the total anew."""
    running = Decimal(0)
    for place, each in enumerate(parts, start=1):
        running += each.value
        if running == total.value and place > 1:
            return parts[:place]
    return parts


def _give_back(outer: PartsList, inner: PartsList) -> tuple[PartsList, PartsList]:
    """Parts after a list within a list: given back to the outer list where that makes it exact, or where they exceed."""
    choices = range(len(inner.parts), 0, -1)
    exact = [at for at in choices if outer.total.value == sum(part.value for part in (*outer.parts, *inner.parts[at:]))]
    fitting = [at for at in choices if sum(part.value for part in inner.parts[:at]) <= inner.total.value]
    at = (exact or fitting or [len(inner.parts)])[0]
    return (
        PartsList(outer.total, outer.parts + inner.parts[at:], named=True),
        PartsList(inner.total, inner.parts[:at], named=True),
    )


def _in_brackets(view: Scene) -> Iterator[PartsList]:
    """Subtotals in brackets without a cue word: "1,357 persons (citizens 999, stateless 358)"."""
    for start, _ in view.brackets[:_MOST_PARTS]:
        inside = _countable(view, start)
        if len(inside) > 1:
            outside = [each for each in _countable(view, view.level_at(start)) if each.end <= start]
            yield from _unnamed(view, outside[-1:], start + 1, inside)


def _after_colons(view: Scene) -> Iterator[PartsList]:
    """Lists after a colon: "500 persons: 300 men, 200 women"."""
    numbers = _countable(view, -1)
    for before, after in itertools.pairwise(numbers):
        gap = view.between(before.end, after.start)
        if ":" in gap and len(gap) <= _FAR:
            items = [each for each in numbers if each.start >= after.start]
            yield from _unnamed(view, [before], before.end + gap.index(":") + 1, items)
            return


def _before_totals(view: Scene) -> Iterator[PartsList]:
    """Numbers that "a total of" closes: "300 men and 200 women, a total of 500"."""
    for mark in cues.TOTAL.finditer(view.plain, view.sentence.start, view.sentence.end):
        numbers = _countable(view, view.level_at(mark.start()))
        before = [each for each in numbers if each.end <= mark.start()][-_MOST_PARTS:]
        total = next((each for each in numbers if 0 <= each.start - mark.end() <= 20), None)
        if total and len(before) > 1:
            parts = before[:1] + _items(view, before[0].end, before[1:], started=True)
            yield from _unnamed(view, [total], before[0].start, parts)
            return


def _unnamed(view: Scene, totals: list[Quantity], start: int, numbers: list[Quantity]) -> Iterator[PartsList]:
    """The list, if its parts are of one kind and come near to the total; no cue word says that they should."""
    parts = _items(view, start, numbers, started=False)
    if not totals or len(parts) < 2 or any(each.kind != totals[0].kind for each in parts):
        return
    total = totals[0]
    chosen = _partition(total, parts)
    gap = abs(sum(each.value for each in chosen) - total.value)
    if gap and FILLER in view.between(start, chosen[-1].end + 12):
        return  # years among the numbers: a comparison over time, not a division
    if gap <= _NEAR * total.value and all(each.value < total.value for each in chosen):
        yield PartsList(total, tuple(chosen), named=False)
