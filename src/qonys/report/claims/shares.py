"""The rule on shares: a count, its base and a percentage that are all printed, as in "770 of 9,206 (8.3 %)"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from . import cues
from .findings import Finding, finding_of
from .intervals import divide
from .judge import judge_value
from .quantities import COUNT, MONEY, PERCENT, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .parts import PartsList
    from .scene import Scene

_CLOSE = 80  # characters between a count and the percentage said of it
_BASE_ENDING = re.compile(r"(?:-?(?:ның|нің|дың|дің|тың|тің|нан|нен|дан|ден|тан|тен))(?!\w)")
_CLAUSE = re.compile(r"[;:]|[.!?] ")
_OF_OTHERS = re.compile(r"[ ]?\)[ ](?:of|из|от)[ ](?!them|these|those|whom|which|all|них|этих|всех)[^\W\d]")
_PERCENT_CLOSES = re.compile(r"[ ]{0,2}(?:[);,/]|of |от |из )")


@dataclass(frozen=True, slots=True)
class Share:
    """A part, the whole it is taken of, and the printed percentage."""

    part: Quantity
    whole: Quantity
    percent: Quantity


def check_shares(view: Scene, lists: Sequence[PartsList]) -> Iterator[Finding]:
    """Each printed share with a printed part and a printed base, recomputed."""
    for share in _shares(view, lists):
        if share.whole.value <= 0 or share.part.value > share.whole.value:
            continue  # the base was not understood; a share above one would be a guess
        computed = 100 * share.part.value / share.whole.value
        span = divide(share.part.span.times(Decimal(100)), share.whole.span)
        values = {
            "part": share.part.value, "total": share.whole.value, "printed": share.percent.value,
            "computed": computed, "gap": abs(computed - share.percent.value),
        }  # fmt: skip
        yield finding_of(
            view.page, "share", judge_value(share.percent, computed, span), (share.whole, share.part, share.percent),
            printed=share.percent.value, recomputed=computed, values=values,
        )  # fmt: skip


def _shares(view: Scene, lists: Sequence[PartsList]) -> Iterator[Share]:
    numbers = view.quantities
    for place, percent in enumerate(numbers):
        if percent.kind != PERCENT or percent.signed:
            continue
        found = _pair_before(view, numbers[max(0, place - 8) : place], percent) or _pair_after(
            view, numbers[place + 1 : place + 4], percent
        )
        if not found:
            continue
        part, whole = found
        whole = whole or _base(view, numbers, place, part, lists)
        if whole and whole.kind == part.kind:
            yield Share(part, whole, percent)


def _pair_before(view: Scene, before: Sequence[Quantity], percent: Quantity) -> tuple[Quantity, Quantity | None] | None:
    """The count that a percentage in brackets or after "or" speaks of; its base too where "n of M (p %)" is printed."""
    counts = [each for each in before if each.kind in (COUNT, MONEY)]
    if not counts:
        return None
    count = counts[-1]
    gap = view.between(count.end, percent.start)
    if len(gap) > _CLOSE or _CLAUSE.search(gap) or any(each.start > count.start for each in before):
        return None
    in_bracket = gap.count("(") == 1 and re.search(r"\([ ]?\Z", gap) and _PERCENT_CLOSES.match(view.plain, percent.end)
    if not in_bracket and not cues.OR_SHARE.search(gap[-30:]):
        return None
    if len(counts) > 1 and counts[-2].value <= count.value and cues.OF.fullmatch(view.between(counts[-2].end, count.start)):
        return counts[-2], count
    return count, None


def _pair_after(view: Scene, after: Sequence[Quantity], percent: Quantity) -> tuple[Quantity, Quantity | None] | None:
    """The count in brackets behind a percentage: "8.3 % (770 people)", "8.3 % (770 of 9,206)", "8.3 % of 9,206 (770)"."""
    if not after or after[0].kind not in (COUNT, MONEY):
        return None
    first, second = after[0], after[1] if len(after) > 1 else None
    if re.fullmatch(r"[ ]{0,3}\([ ]?", view.between(percent.end, first.start)):
        if second and second.kind == first.kind and cues.OF.fullmatch(view.between(first.end, second.start)):
            return first, second
        return first, None
    if second and second.kind == first.kind and cues.OF.fullmatch(view.between(percent.end, first.start)):
        gap = view.between(first.end, second.start)
        if len(gap) <= _CLOSE and (re.search(r"\([ ]?\Z", gap) or cues.OR_SHARE.search(gap[-30:])):
            return second, first
    return None


def _base(view: Scene, numbers: Sequence[Quantity], place: int, part: Quantity, lists: Sequence[PartsList]) -> Quantity | None:
    percent = numbers[place]
    if _OF_OTHERS.match(view.plain, percent.end) and not _next_is_whole(view, numbers, place, part):
        return None  # "300 (45 %) of the women": a base that is not printed as a number
    for each in lists:
        if part in each.parts:
            return each.total
    if _next_is_whole(view, numbers, place, part):
        return numbers[place + 1]
    candidates = [each for each in numbers[max(0, place - 8) : place] if each.end <= part.start and each.kind == part.kind]
    return next((each for each in reversed(candidates) if _is_base(view, each, part)), None)


def _next_is_whole(view: Scene, numbers: Sequence[Quantity], place: int, part: Quantity) -> bool:
    """Whether the number behind the percentage is its base: "8.4 % of the 9,206", "770 (8.4 %) of 9,206"."""
    percent, following = numbers[place], numbers[place + 1] if place + 1 < len(numbers) else None
    if not following or following.start <= part.start or following.kind != part.kind:
        return False
    return bool(cues.OF.fullmatch(view.between(percent.end, following.start))) or _of_after(view, part, following, percent)


def _of_after(view: Scene, part: Quantity, whole: Quantity, percent: Quantity) -> bool:
    """Whether "n (p %) of M" is printed."""
    between = view.between(percent.end, whole.start).lstrip(" )")
    return part.end <= percent.start and bool(cues.OF.fullmatch(" " + between))


def _is_base(view: Scene, whole: Quantity, part: Quantity) -> bool:
    """Whether the number is introduced as a base: "out of a total of M ..., n"; "M адамның n-ы"."""
    before = view.between(max(view.sentence.start, whole.start - 60), whole.start)
    if cues.BASE_STRONG.search(before) and not _CLAUSE.search(view.between(whole.end, part.start)):
        return True
    opens = not view.between(view.sentence.start, whole.start)[:-60].strip()
    if opens and (weak := cues.BASE_WEAK.search(before)) and not before[: weak.start()].strip(" (\"'«“"):
        return True
    if _BASE_ENDING.search(view.plain[max(whole.number_start, whole.end - 8) : whole.end]):
        return True
    near = " ".join(view.between(whole.end, part.start).split()[:2])
    return any(ending.end() == len(word) for word in near.split() if (ending := _BASE_ENDING.search(word)) and len(word) > 4)
