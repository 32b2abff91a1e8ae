"""The rule on durations of successive steps: a chain of steps against the time printed for all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from . import cues
from .findings import CANNOT_TELL, CONTRADICTION, HOLDS, HOLDS_WITHIN_ROUNDING, Finding, finding_of
from .intervals import Interval, add
from .quantities import DURATION, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .scene import Scene

_REACH = 3000  # characters after a chain in which the time of the whole is looked for
# Days of one unit: the number used, and the shortest and longest it may be.
_DAYS = {
    "hour": (Decimal(1) / 24, Decimal(1) / 24, Decimal(1) / 24), "day": (Decimal(1), Decimal(1), Decimal(1)),
    "week": (Decimal(7), Decimal(7), Decimal(7)), "month": (Decimal(30), Decimal(28), Decimal(31)),
    "year": (Decimal(365), Decimal(360), Decimal(366)),
}  # fmt: skip
_TAKES = cues.cue(
    "took",
    "takes?",
    "taking",
    "lasts?",
    "lasted",
    "within",
    "requires?",
    "required",
    "issued",
    "needs",
    "needed",
    "spent",
    "spends",
    r"заним\w+",
    r"занял\w*",
    r"длит\w+",
    r"длил\w+",
    r"в течение",
    "за",
    r"требу\w+",
    r"составля\w+",
    "ішінде",
    r"созыл\w+",
    r"жүргізіл\w+",
    r"алады",
    r"алатын",
    r"алды",
    r"беріл\w+",
)


def check_steps(views: Sequence[Scene]) -> Iterator[Finding]:
    """Each chain of steps ("took 2 months. Then ... within a month") with the time that is printed for the whole."""
    for chain in _chains(views):
        whole = _whole(views, chain)
        if whole:
            yield _finding(views[chain[-1].sentence], chain, *whole)


def _chains(views: Sequence[Scene]) -> Iterator[list[Quantity]]:
    """Runs of durations of one paragraph, each joined to the one before by a word of sequence."""
    durations = [each for view in views for each in view.quantities if each.kind == DURATION]
    chain: list[Quantity] = []
    for each in durations:
        if chain and _follows(views, chain[-1], each):
            chain.append(each)
            continue
        if len(chain) > 1:
            yield chain
        chain = [each] if _is_taken(views[each.sentence], each) else []
    if len(chain) > 1:
        yield chain


def _follows(views: Sequence[Scene], before: Quantity, after: Quantity) -> bool:
    same = views[before.sentence].sentence.paragraph == views[after.sentence].sentence.paragraph
    if not same or after.sentence - before.sentence > 2 or after.start - before.end > 600:
        return False
    return bool(cues.SEQUENCE.search(views[after.sentence].plain, before.end, after.start)) and _is_taken(views[after.sentence], after)


def _is_taken(view: Scene, duration: Quantity) -> bool:
    """Whether the duration is the time that something takes, not an age or a distance in the past."""
    around = view.between(max(view.sentence.start, duration.start - 60), min(view.sentence.end, duration.end + 40))
    return bool(_TAKES.search(around))


def _whole(views: Sequence[Scene], chain: list[Quantity]) -> tuple[Quantity, bool | None] | None:
    """The first duration after the chain that is said of all steps, and whether they run at once (None: not said)."""
    end = chain[-1].end
    for view in views[chain[-1].sentence :]:
        if view.sentence.start > end + _REACH:
            return None
        for each in view.quantities:
            if each.kind != DURATION or each.start < end:
                continue
            before = view.between(max(view.sentence.start, each.start - 90), each.start)
            after = view.between(each.end, min(view.sentence.end, each.end + 40))
            if cues.WHOLE_TIME.search(before) or cues.WHOLE_TIME.search(after):
                once = cues.AT_ONCE.search(view.plain, view.sentence.start, view.sentence.end)
                return each, True if once else None
    return None


def _finding(view: Scene, chain: list[Quantity], whole: Quantity, at_once: bool | None) -> Finding:
    """In turn the steps add up; at once the longest decides."""
    spans = [_days(each) for each in chain]
    in_turn, longest = sum((value for value, _ in spans), Decimal(0)), max(spans, key=lambda each: each[0])
    printed, printed_span = _days(whole)
    computed, span = longest if at_once else (in_turn, add(span for _, span in spans))
    verdict = HOLDS if computed == printed else HOLDS_WITHIN_ROUNDING if span.overlaps(printed_span) else CONTRADICTION
    if verdict == CONTRADICTION and at_once is None and longest[1].overlaps(printed_span):
        verdict = CANNOT_TELL
    values = {
        "steps": tuple(each.text for each in chain), "in_turn": in_turn, "at_once": longest[0], "printed": printed,
        "ratio": printed / in_turn if in_turn else Decimal(0),
    }  # fmt: skip
    return finding_of(view.page, "steps", verdict, (*chain, whole), printed=printed, recomputed=computed, values=values)


def _days(duration: Quantity) -> tuple[Decimal, Interval]:
    typical, shortest, longest = _DAYS[duration.unit]
    high = duration.high * longest if not duration.span.open else duration.high
    return duration.value * typical, Interval(duration.low * shortest, high)
