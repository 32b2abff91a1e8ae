"""The rule on shares of a known whole: "0.24 % of the world population" against published totals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from . import cues
from .findings import CANNOT_TELL, CONTRADICTION, HOLDS, HOLDS_WITHIN_ROUNDING, Finding, finding_of
from .judge import judge_value
from .intervals import Interval
from .quantities import PERCENT, Quantity
from .scene import Scene
from .totals import WORLD, ReferenceTotal, area_of, area_pattern, pair_of_totals

_REACH = 90  # characters between a percentage and the words of its whole
_SAME_CONCEPT = Decimal("1.25")  # totals of another year or revision differ by less than this factor
_OTHER_CONCEPT = Decimal(2)  # beyond it the printed share cannot be the share of this whole
_CLAUSE_EDGE = re.compile(r"[;.!?]|,[ ](?:and|а|и|while|ал)[ ]")
_YEAR = re.compile(r"(?<![\w.,])((?:19|20)[0-9]{2})(?![\w,])")
_SHARE = cues.cue(
    "accounts? for", "accounted for", r"accounting for", r"makes? up", r"made up", r"constitutes?", r"constituted", r"compris(?:es|ed)", r"represents?",
    r"is", r"are", r"was", r"were", r"shares?", r"equals?", r"proportion",
    r"составля\w+", r"составил\w*", r"дол[яиюе]", r"приход\w+", r"құра\w+", r"үлес\w*", r"тиесілі", r"келеді",
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


def check_known(views: Sequence[Scene], view: Scene, known: KnownTotals) -> Iterator[Finding]:
    """Each percentage that is said of the people or the migrants of the world, for an area that the sentence names."""
    for percent in view.quantities:
        if percent.kind != PERCENT or percent.signed:
            continue
        found = _whole(view, percent)
        if not found:
            continue
        quantity, start = found
        clause = _clause(view, percent, start)
        if cues.ONLY_A_GROUP.search(clause) or cues.CHANGE_OF_SHARE.search(clause) or not _SHARE.search(clause):
            continue
        part = _part(view, views, percent, quantity, start, known)
        pair = pair_of_totals(known.totals, part, (quantity, WORLD), _year(view)) if part else None
        if pair:
            yield _finding(view, percent, *pair)


def _whole(view: Scene, percent: Quantity) -> tuple[str, int] | None:
    """The quantity of the world that the percentage is taken of, and where its words start."""
    following = next((each.start for each in view.quantities if each.start > percent.start), view.sentence.end)
    preceding = max((each.end for each in view.quantities if each.end <= percent.start), default=view.sentence.start)
    right = (percent.end, min(following, percent.end + _REACH))
    left = (max(preceding, percent.start - _REACH), percent.start)
    for start, end in (right, left):
        found = [(mark.start(), code) for code, words in cues.WORLD_WHOLES.items() if (mark := words.search(view.plain, start, end))]
        if found and (end > percent.start or True):
            place, code = min(found)
            if _is_of_the_world(view, code, start, place, behind=start == percent.end):
                return code, place
    return None


def _is_of_the_world(view: Scene, code: str, start: int, place: int, *, behind: bool) -> bool:
    """Behind a percentage the whole must follow by "of", "от" and no other sentence part between."""
    if not behind:
        return True
    between = view.between(start, place)
    return not _CLAUSE_EDGE.search(between) and len(between.split()) <= 8


def _clause(view: Scene, percent: Quantity, whole: int) -> str:
    left = view.between(view.sentence.start, percent.start)
    edges = [each.end() for each in _CLAUSE_EDGE.finditer(left)]
    return left[edges[-1] if edges else 0 :] + view.between(percent.end, max(percent.end, whole)) + " " + _tail(view, percent)


def _tail(view: Scene, percent: Quantity) -> str:
    return " ".join(view.between(percent.end, min(view.sentence.end, percent.end + 40)).split()[:3])


def _part(
    view: Scene, views: Sequence[Scene], percent: Quantity, quantity: str, whole: int, known: KnownTotals
) -> tuple[str, str] | None:
    """What the share is of: the same quantity in a named area, or the migrants of the world among its people."""
    left = view.between(view.sentence.start, percent.start)
    areas = {area_of(each, known.names) for each in known.pattern.finditer(view.plain, view.sentence.start, view.sentence.end)}
    if not areas and quantity == "population" and cues.WORLD_WHOLES["international_migrants"].search(left):
        return "international_migrants", WORLD
    return (quantity, areas.pop()) if len(areas) == 1 else None


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
