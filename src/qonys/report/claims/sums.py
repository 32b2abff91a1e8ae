"""Rules on sums: parts against their total, one part against its total, a printed equation."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from .findings import CANNOT_TELL, CONTRADICTION, EXCEEDS, HOLDS, HOLDS_WITHIN_ROUNDING, Finding, finding_of
from .intervals import Interval
from .judge import judge_sum

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .parts import PartsList
    from .quantities import Quantity
    from .scene import Scene

_SIGN = re.compile(r"[ ]{0,3}(\+|[–-](?=[ ])|=)[ ]{0,3}")
_LONGEST = 30


def check_sums(view: Scene, lists: Sequence[PartsList]) -> Iterator[Finding]:
    """Each list of parts against its total; a single part is only asked whether it fits."""
    for each in lists:
        computed = sum((part.value for part in each.parts), Decimal(0))
        if len(each.parts) == 1:
            yield _part(view, each.total, each.parts[0])
            continue
        values = {
            "total": each.total.value,
            "parts": tuple(part.value for part in each.parts),
            "sum": computed,
            "gap": abs(computed - each.total.value),
        }
        yield finding_of(
            view.page, "sum", judge_sum(each.total, each.parts), (each.total, *each.parts),
            printed=each.total.value, recomputed=computed, values=values,
        )  # fmt: skip


def _part(view: Scene, total: Quantity, part: Quantity) -> Finding:
    verdict = HOLDS if part.value <= total.value else EXCEEDS if part.low > total.high else CANNOT_TELL
    values = {"total": total.value, "part": part.value, "gap": abs(total.value - part.value)}
    return finding_of(view.page, "part", verdict, (total, part), printed=total.value, recomputed=part.value, values=values)


def check_equations(view: Scene) -> Iterator[Finding]:
    """Printed equations: "40,000 + 13,000 + 3,000 = 56,000"."""
    if "=" not in view.between(view.sentence.start, view.sentence.end):
        return
    numbers, place = view.quantities, 0
    while place < len(numbers) - 2:
        terms, signs = _terms(view, numbers[place : place + _LONGEST])
        if len(terms) > 2 and signs[-1] == "=":
            yield _equation(view, terms, signs)
        place += max(1, len(terms) - 1)


def _terms(view: Scene, numbers: Sequence[Quantity]) -> tuple[list[Quantity], list[str]]:
    """The numbers joined by signs from the first on, up to the one behind "="."""
    terms, signs = [numbers[0]], [""]
    for before, after in itertools.pairwise(numbers):
        sign = _SIGN.fullmatch(view.between(before.end, after.start))
        if not sign:
            break
        terms.append(after)
        signs.append(sign.group(1))
        if sign.group(1) == "=":
            break
    return terms, signs


def _equation(view: Scene, terms: list[Quantity], signs: list[str]) -> Finding:
    *left, printed = terms
    computed, low, high = left[0].value, left[0].low, left[0].high
    for term, sign in zip(left[1:], signs[1:-1], strict=True):
        positive = sign == "+"
        computed += term.value if positive else -term.value
        low += term.low if positive else -term.high
        high += term.high if positive else -term.low
    verdict = HOLDS if computed == printed.value else CONTRADICTION
    if verdict == CONTRADICTION and Interval(low, high).overlaps(printed.span):
        verdict = HOLDS_WITHIN_ROUNDING
    values = {"printed": printed.value, "computed": computed, "gap": abs(computed - printed.value)}
    return finding_of(view.page, "equation", verdict, tuple(terms), printed=printed.value, recomputed=computed, values=values)
