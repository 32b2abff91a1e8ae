"""Verdicts: does the recomputed value agree with the printed one, by interval arithmetic?"""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from .findings import CANNOT_TELL, CONTRADICTION, EXCEEDS, HOLDS, HOLDS_WITHIN_ROUNDING, REMAINDER, TRUNCATED
from .intervals import Interval, add
from .quantities import ABOUT, ALMOST, LESS, MORE, Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence


def judge_sum(total: Quantity, parts: Sequence[Quantity]) -> str:
    """Whether the parts can make up the total.

    Equal as printed: holds. No common value: the parts exceed the total or leave a remainder. A common value:
    rounding explains the gap, or a lower bound leaves it open (holds if the parts reach the printed bound).
    """
    computed = add(part.span for part in parts)
    value = sum((part.value for part in parts), Decimal(0))
    if value == total.value:
        return HOLDS
    if not computed.overlaps(total.span):
        return EXCEEDS if computed.low > total.high else REMAINDER
    if not total.span.open and not computed.open:
        return HOLDS_WITHIN_ROUNDING
    return HOLDS if total.span.open and value >= total.value else CANNOT_TELL


def judge_value(printed: Quantity, value: Decimal, span: Interval) -> str:
    """Whether a recomputed share or change is the printed one: rounded, within rounding, cut off, or another."""
    if printed.qualifier in (MORE, LESS, ABOUT, ALMOST, "range"):
        return HOLDS if printed.span.overlaps(span) else CONTRADICTION
    if _to_step(value, printed.step, ROUND_HALF_UP) == printed.value:
        return HOLDS
    if printed.span.overlaps(span):
        return HOLDS_WITHIN_ROUNDING
    if _to_step(value, printed.step, ROUND_FLOOR) == printed.value:
        return TRUNCATED
    return CONTRADICTION


def _to_step(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).quantize(Decimal(1), rounding=rounding) * step
