"""The rule on shares of a known whole: "0.24 % of the world population" against published totals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from . import cues
from .findings import CANNOT_TELL, CONTRADICTION, HOLDS, HOLDS_WITHIN_ROUNDING, Finding, finding_of
from .intervals import Interval
from .judge import judge_value
from .quantities import PERCENT, Quantity
from .totals import WORLD, ReferenceTotal, area_of, area_pattern, pair_of_totals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .scene import Scene

_REACH = 90  # characters between a percentage and the words of its whole
_MOST = 60  # quantities of one sentence that are looked at
_SAME_CONCEPT = Decimal("1.25")  # totals of another year or revision differ by less than this factor
_OTHER_CONCEPT = Decimal(2)  # beyond it the printed share cannot be the share of this whole
_CLAUSE_EDGE = re.compile(r"[;.!?]|,[ ](?:and|а|и|while|ал)[ ]")
_YEAR = re.compile(r"(?<![\w.,])((?:19|20)[0-9]{2})(?![\w,])")
_NARROWED = re.compile(r"[ ]{1,3}(?:in|within|across|among|from|to|of|who|that|living|growth|в|во|из|по|на|которые|are|were)(?!\w)")
_SHARE_BEHIND = re.compile(r"[ ]{1,3}(?:\w+[ ]{1,3})?(?:құра|тең|болады|тиесілі|келеді|составля|составил)")
_SHARE = cues.cue(
    "accounts? for",
    "accounted for",
    r"accounting for",
    r"makes? up",
    r"made up",
    r"constitutes?",
    r"constituted",
    r"compris(?:es|ed)",
    r"represents?",
    r"is",
    r"are",
    r"was",
    r"were",
    r"shares?",
    r"equals?",
    r"proportion",
    r"составля\w+",
    r"составил\w*",
    r"дол[яиюе]",
    r"приход\w+",
    r"құра\w+",
    r"үлес\w*",
    r"тиесілі",
    r"келеді",
)


@dataclass(frozen=True)
class KnownTotals:
    """The published totals, with the names by which texts call their areas."""

    totals: Sequence[ReferenceTotal]
    names: Mapping[str, str]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, totals: Sequence[ReferenceTotal], names: Mapping[str, str]) -> KnownTotals:
        """The totals with one pattern made of all names."""
        return cls(totals, names, area_pattern(names))


def check_known(view: Scene, known: KnownTotals) -> Iterator[Finding]:
    """Each percentage that is said of the people or the migrants of the world, for an area that the sentence names."""
    if not any(words.search(view.plain, view.sentence.start, view.sentence.end) for words in cues.WORLD_WHOLES.values()):
        return
    named = list(known.pattern.finditer(view.plain, view.sentence.start, view.sentence.end))
    for place, percent in enumerate(view.quantities[:_MOST]):
        if percent.kind != PERCENT or percent.signed:
            continue
        found = _whole(view, place)
        if not found:
            continue
        quantity, start, end = found
        left = _clause(view, percent)
        around = left + view.between(percent.end, max(percent.end, end) + 40)
        if cues.ONLY_A_GROUP.search(around) or cues.CHANGE_OF_SHARE.search(around):
            continue
        said = _SHARE.search(left) or (start < percent.start and _SHARE_BEHIND.match(view.plain, percent.end))
        part = _part(view, quantity, percent, named, known) if said and not _NARROWED.match(view.plain, end) else None
        pair = pair_of_totals(known.totals, part, (quantity, WORLD), _year(view)) if part else None
        if pair:
            yield _finding(view, percent, *pair)


def _whole(view: Scene, place: int) -> tuple[str, int, int] | None:
    """The quantity of the world that the percentage is taken of, and where its words start and end."""
    numbers, percent = view.quantities, view.quantities[place]
    following = numbers[place + 1].start if place + 1 < len(numbers) else view.sentence.end
    preceding = numbers[place - 1].end if place else view.sentence.start
    right = (percent.end, min(following, percent.end + _REACH))
    left = (max(preceding, percent.start - _REACH), percent.start)
    for start, end in (right, left):
        marks = [
            (mark.start(), mark.end(), code) for code, words in cues.WORLD_WHOLES.items() if (mark := words.search(view.plain, start, end))
        ]
        if marks:
            begin, stop, code = min(marks)
            if start != percent.end or _is_near(view.between(start, begin)):
                return code, begin, stop
    return None


def _is_near(between: str) -> bool:
    """Whether the whole follows the percentage with nothing but a few words between."""
    return not _CLAUSE_EDGE.search(between) and len(between.split()) <= 8


def _clause(view: Scene, percent: Quantity) -> str:
    left = view.between(view.sentence.start, percent.start)
    edges = [each.end() for each in _CLAUSE_EDGE.finditer(left)]
    return left[edges[-1] if edges else 0 :]


def _part(view: Scene, quantity: str, percent: Quantity, named: Sequence[re.Match[str]], known: KnownTotals) -> tuple[str, str] | None:
    """What the share is of: the same quantity in a named area, or the migrants of the world among its people."""
    areas = {area_of(each, known.names) for each in named}
    left = view.between(view.sentence.start, percent.start)
    if not areas and quantity == "population" and cues.WORLD_WHOLES["international_migrants"].search(left):
        return "international_migrants", WORLD
    if len(areas) != 1 or (quantity != "population" and any(_is_a_setting(view, each) for each in named)):
        return None
    return quantity, areas.pop()


def _is_a_setting(view: Scene, name: re.Match[str]) -> bool:
    """Whether the area only says where: "in Kazakhstan, 60 % of international migrants ..."."""
    before = view.plain[max(view.sentence.start, name.start() - 4) : name.start()]
    return bool(re.search(r"(?<!\w)(?:in|в|во) \Z", before)) or name.group().endswith(("станда", "сейде", "ияда"))


def _year(view: Scene) -> int | None:
    years = [int(each.group(1)) for each in _YEAR.finditer(view.page.text, view.sentence.start, view.sentence.end)]
    return years[0] if len(set(years)) == 1 else None


def _finding(view: Scene, percent: Quantity, part: ReferenceTotal, whole: ReferenceTotal) -> Finding:
    computed = 100 * part.value / whole.value
    verdict = judge_value(percent, computed, Interval(computed, computed))
    factor = max(computed, percent.value) / min(computed, percent.value) if percent.value > 0 else Decimal("Infinity")
    if verdict != HOLDS:
        verdict = HOLDS_WITHIN_ROUNDING if factor <= _SAME_CONCEPT else CANNOT_TELL if factor <= _OTHER_CONCEPT else CONTRADICTION
    values = {
        "area": part.area, "year": part.year, "part": part.value, "total": whole.value, "printed": percent.value,
        "computed": computed, "factor": factor,
    }  # fmt: skip
    return finding_of(
        view.page, "known_share", verdict, (percent,), printed=percent.value, recomputed=computed, values=values, reference=whole
    )
