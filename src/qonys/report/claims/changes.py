"""Rules on change: "from A to B" against the printed direction, multiple or percentage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from . import cues
from .findings import CANNOT_TELL, CONTRADICTION, HOLDS, HOLDS_WITHIN_ROUNDING, TRUNCATED, Finding, finding_of
from .intervals import Interval, divide
from .judge import judge_value
from .quantities import COUNT, PERCENT, POINTS, TIMES, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scene import Scene

_NEAR = 160  # characters between a change and the numbers it runs between
_ABLATIVE = re.compile(r"(?:нан|нен|дан|ден|тан|тен)(?!\w)")
_UNTIL = re.compile(r"[ ]{1,3}(?:[\w-]+[ ]{1,3}){0,2}дейін(?!\w)")
_CLAUSE = re.compile(r"[;:](?![ ]{0,2}(?:from|с|со)[ ])")
_NO_NOUN = frozenset(["to", "in", "and", "up", "down", "or", "per", "by", "a", "the", "до", "в", "и", "на", "или", "к", "people"])
_SHORT = re.compile(r"[ ]{1,3}(?:to|up to|down to|до)?[ ]{0,3}|-?(?:нан|нен|дан|ден|тан|тен)[ ]{1,3}|[ ]{1,3}")

# A multiple in one word, with its value; words of the same row mean the same.
_MULTIPLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("1.5", cues.cue(r"one[ -]and[ -]a[ -]half times", r"в полтора раза", r"бір жарым есе\w*")),
    ("2", cues.cue(
        "twofold", "two-fold", "doubled", "doubling", r"twice (?=as|more|the)", "halved", "by half", "by a half",
        r"вдвое", r"в два раза", r"удвоил\w+", r"наполовину", r"екі есе\w*", r"жартысына",
    )),
    ("3", cues.cue("threefold", "three-fold", r"tripled?", r"trebled?", "втрое", r"в три раза", r"утроил\w+", r"үш есе\w*")),
    ("4", cues.cue("fourfold", "four-fold", r"quadrupled?", "вчетверо", r"в четыре раза", r"төрт есе\w*")),
    ("5", cues.cue("fivefold", "five-fold", "впятеро", r"в пять раз", r"бес есе\w*")),
    ("6", cues.cue("sixfold", "six-fold", r"в шесть раз", r"алты есе\w*")),
    ("7", cues.cue("sevenfold", "seven-fold", r"в семь раз", r"жеті есе\w*")),
    ("8", cues.cue("eightfold", "eight-fold", r"в восемь раз", r"сегіз есе\w*")),
    ("9", cues.cue("ninefold", "nine-fold", r"в девять раз", r"тоғыз есе\w*")),
    ("10", cues.cue("tenfold", "ten-fold", r"в десять раз", "вдесятеро", r"он есе\w*")),
)  # fmt: skip
_ANY_MULTIPLE = re.compile("|".join(f"(?P<m{place}>{pattern.pattern})" for place, (_, pattern) in enumerate(_MULTIPLES)))
_ABOUT_BEFORE = re.compile(r"(?:almost|nearly|почти|дерлік)[ ]{1,3}(?:by[ ]|a[ ])?\Z")
_MORE_BEFORE = re.compile(r"(?:more than|over|at least|более чем|свыше|больше чем|не менее чем)[ ]{1,3}\Z")
_ROUGH_BEFORE = re.compile(r"(?:about|around|approximately|roughly|около|примерно|шамамен)[ ]{1,3}(?:a[ ])?\Z")


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a change starts and where it ends, with the place of the whole phrase."""

    before: Quantity
    after: Quantity
    start: int
    end: int


def check_changes(view: Scene) -> Iterator[Finding]:
    """Each "from A to B" that a sentence of change holds, against what is printed about it."""
    start, end = view.sentence.start, view.sentence.end
    if len(view.quantities) < 2 or not (cues.UP.search(view.plain, start, end) or cues.DOWN.search(view.plain, start, end)):
        return
    for pair in _pairs(view):
        up = _directions(view, pair)
        if not up or pair.before.value <= 0:
            continue
        finding = _multiple(view, pair, up) or _percent(view, pair, up) or _direction(view, pair, up)
        if finding:
            yield finding


def _pairs(view: Scene) -> Iterator[Pair]:
    numbers = view.quantities
    done = -1
    for place, first in enumerate(numbers):
        if place <= done:
            continue
        for step, second in enumerate(numbers[place + 1 : place + 4], start=1):
            pair = _pair(view, first, second)
            if pair and pair.before.kind == pair.after.kind and second.start - first.end <= _NEAR and _counts_one_thing(pair):
                done = place + step
                yield pair
                break


def _pair(view: Scene, first: Quantity, second: Quantity) -> Pair | None:
    """The two numbers as a start and an end, whichever is printed first."""
    if _starts(view, first) and (ended := _ended(view, second)):
        return Pair(_like(view, first, second), ended, first.start, second.end)
    if _starts(view, second) and (ended := _ended(view, first)):
        return Pair(second, ended, first.start, second.end)
    if _starts_in_kazakh(view, first, second) and _UNTIL.match(view.plain, second.end - (7 if second.text.endswith("дейін") else 0)):
        return Pair(_like(view, first, second), second.unqualified(), first.start, second.end)
    return None


def _counts_one_thing(pair: Pair) -> bool:
    """Whether both ends count the same; not so in "flights from 3 airports to 12 cities"."""
    if pair.before.signed or pair.after.signed:
        return False  # "from -29 to -6 thousand": the sign is not part of the value
    nouns = [(each.noun.lower().split() or ["to"])[0] for each in (pair.before, pair.after)]
    return any(noun in _NO_NOUN for noun in nouns) or nouns[0][:3] == nouns[1][:3]


def _starts(view: Scene, number: Quantity) -> bool:
    return bool(cues.FROM.search(view.plain[max(view.sentence.start, number.start - 10) : number.start]))


def _ended(view: Scene, number: Quantity) -> Quantity | None:
    """The number as the end of a change, read without the "up to" that turned out to be its "to"."""
    words = " ".join(view.between(number.start, number.number_start).split())
    if words in cues.TO_AS_QUALIFIER:
        return number.unqualified()
    before = view.plain[max(view.sentence.start, number.start - 12) : number.start]
    return number if cues.TO.search(before) else None


def _starts_in_kazakh(view: Scene, first: Quantity, second: Quantity) -> bool:
    words = view.between(max(first.number_start, first.end - 8), second.start)[:60]
    return bool(_ABLATIVE.search(words))


def _like(view: Scene, first: Quantity, second: Quantity) -> Quantity:
    """The first number with the scale and unit of the second, if it has none of its own: "from 141 to 530 thousand"."""
    bare = first.kind == COUNT and not first.scale and first.value < 1000
    short = _SHORT.fullmatch(view.between(first.end, second.start))
    differs = second.scale or second.kind != COUNT
    return first.scaled_like(second) if bare and short and differs else first


def _directions(view: Scene, pair: Pair) -> set[bool]:
    """The directions (up: True) that the words of the clause say: those before the pair, else the nearest behind it."""
    left = view.between(max(view.sentence.start, pair.start - _NEAR), pair.start)
    edges = [each.end() for each in (*_CLAUSE.finditer(left), *cues.STOP.finditer(left))]
    left = left[max(edges, default=0) :]
    said = [(each.end(), up) for up, words in ((True, cues.UP), (False, cues.DOWN)) for each in words.finditer(left)]
    if said:
        between = left[max(said)[0] :]
        most = 3 if "," in between else 12
        return {up for _, up in said} if len(between.rpartition(",")[2].split()) <= most else set()
    right = view.between(pair.end, min(view.sentence.end, pair.end + _NEAR // 2))
    edge = _CLAUSE.search(right)
    right = right[: edge.start()] if edge else right
    said = [(each.start(), up) for up, words in ((True, cues.UP), (False, cues.DOWN)) for each in words.finditer(right)]
    return {min(said)[1]} if said and not cues.OTHER_GROUP.search(right[: min(said)[0]]) else set()


def _direction(view: Scene, pair: Pair, up: set[bool]) -> Finding | None:
    rises = pair.after.low > pair.before.high
    falls = pair.after.high < pair.before.low
    verdict = (HOLDS if rises in up else CONTRADICTION) if rises or falls else CANNOT_TELL
    change = pair.after.value - pair.before.value
    values = {"before": pair.before.value, "after": pair.after.value, "change": change}
    return finding_of(
        view.page, "direction", verdict, (pair.before, pair.after), printed=pair.before.value, recomputed=pair.after.value, values=values
    )


def _multiple(view: Scene, pair: Pair, up: set[bool]) -> Finding | None:
    """The printed multiple ("fourfold", "в 4 раза", "4 есе") against B / A, or A / B where the words say a fall."""
    printed = _printed_multiple(view, pair)
    if not printed:
        return None
    value, span, inputs = printed
    rising = _nearest_is_up(up, pair)
    upper, lower = (pair.after, pair.before) if rising else (pair.before, pair.after)
    if lower.value <= 0:
        return None
    computed, ratio = upper.value / lower.value, divide(upper.span, lower.span)
    verdict = HOLDS if span.holds(computed) else HOLDS_WITHIN_ROUNDING if span.overlaps(ratio) else CONTRADICTION
    values = {"before": pair.before.value, "after": pair.after.value, "printed": value, "computed": computed}
    return finding_of(view.page, "fold", verdict, (pair.before, pair.after, *inputs), printed=value, recomputed=computed, values=values)


def _nearest_is_up(up: set[bool], pair: Pair) -> bool:
    """The direction said; where the sentence says both, the one that the numbers show."""
    return next(iter(up)) if len(up) == 1 else pair.after.value >= pair.before.value


def _printed_multiple(view: Scene, pair: Pair) -> tuple[Decimal, Interval, tuple[Quantity, ...]] | None:
    start = max(view.sentence.start, pair.start - _NEAR // 2)
    end = min(view.sentence.end, pair.end + _NEAR // 2)
    for each in view.quantities:
        if each.kind == TIMES and start <= each.start and each.end <= end and each.value > 1 and _is_multiple(view, pair, each):
            low = each.value - Decimal("0.25") if each.step == 1 and each.qualifier == "" and each.value < 5 else each.low
            high = each.value + Decimal("0.25") if each.step == 1 and each.qualifier == "" and each.value < 5 else each.high
            return each.value, Interval(low, high), (each,)
    found = [each for each in _ANY_MULTIPLE.finditer(view.plain, start, end) if _is_said_of(view, pair, each.start(), each.end())]
    if not found:
        return None
    nearest = min(found, key=lambda each: min(abs(pair.start - each.end()), abs(each.start() - pair.end)))
    value = Decimal(_MULTIPLES[int(str(nearest.lastgroup)[1:])][0])
    return value, _multiple_span(view.plain[max(start, nearest.start() - 20) : nearest.start()], value), ()


def _is_multiple(view: Scene, pair: Pair, times: Quantity) -> bool:
    """Whether "3 times" multiplies; "raised 3 times" and "повышали 3 раза" only count occasions."""
    words = view.between(times.number_start, times.end)
    before = view.plain[max(view.sentence.start, times.start - 12) : times.start]
    if words.endswith("times"):
        told = re.match(r" (?:more|less|higher|lower|larger|smaller|fewer|as |the )", view.plain[times.end : times.end + 9])
        if not told and not re.search(r"(?:by|grew|fell) \Z", before):
            return False
    elif "раз" in words and not re.search(r"(?<!\w)в \Z", before):
        return False
    return _is_said_of(view, pair, times.start, times.end)


def _is_said_of(view: Scene, pair: Pair, start: int, end: int) -> bool:
    """Whether a multiple or a percentage is said of this pair: only a few words between, and no other statement."""
    if end <= pair.start:
        gap = view.between(end, pair.start)
        return not cues.STOP.search(gap) and not cues.UP.search(gap) and not cues.DOWN.search(gap) and len(gap.split()) <= 6
    if start < pair.end:
        return False
    gap = view.between(pair.end, start)
    return not cues.STOP.search(gap) and not cues.OTHER_GROUP.search(gap) and len(gap.split()) <= 6


def _multiple_span(before: str, value: Decimal) -> Interval:
    """What a multiple in words may stand for: to the nearest half below five, else to the nearest whole."""
    half = Decimal("0.25") if value < 5 else Decimal("0.5")
    if _MORE_BEFORE.search(before):
        return Interval(value, value + 1)
    if _ABOUT_BEFORE.search(before):
        return Interval(value * Decimal("0.85"), value + half)
    if _ROUGH_BEFORE.search(before):
        return Interval(value * Decimal("0.85"), value * Decimal("1.15"))
    return Interval(value - half, value + half)


def _percent(view: Scene, pair: Pair, up: set[bool]) -> Finding | None:
    """The printed percentage or percentage points of the change against the two numbers."""
    printed = _printed_percent(view, pair)
    if not printed:
        return None
    rising = _nearest_is_up(up, pair)
    upper, lower = (pair.after, pair.before) if rising else (pair.before, pair.after)
    points = upper.value - lower.value
    point_span = Interval(upper.low - lower.high, upper.high - lower.low)
    relative = 100 * points / pair.before.value
    relative_span = _relative_span(pair, rising)
    if printed.kind == POINTS and pair.before.kind != PERCENT:
        return None
    readings = [(points, point_span)] if printed.kind == POINTS else [(relative, relative_span)]
    if printed.kind == PERCENT and pair.before.kind == PERCENT:
        readings.append((points, point_span))  # "from 10 % to 15 %, by 5 %" mostly means points
    judged = [(judge_value(printed, value, span), value) for value, span in readings]
    verdict, computed = min(judged, key=lambda each: (HOLDS, HOLDS_WITHIN_ROUNDING, TRUNCATED, CONTRADICTION).index(each[0]))
    values = {
        "before": pair.before.value, "after": pair.after.value, "printed": printed.value, "computed": computed,
        "gap": abs(computed - printed.value),
    }  # fmt: skip
    return finding_of(
        view.page, "percent_change", verdict, (pair.before, pair.after, printed), printed=printed.value, recomputed=computed, values=values
    )


def _relative_span(pair: Pair, rising: bool) -> Interval:
    ratio = divide(pair.after.span, pair.before.span)
    if rising:
        return Interval(100 * (ratio.low - 1), 100 * (ratio.high - 1))
    return Interval(100 * (1 - ratio.high), 100 * (1 - ratio.low))


def _printed_percent(view: Scene, pair: Pair) -> Quantity | None:
    """The percentage next to the pair that is said of the change: "by N %", "an N % fall", "(+N %)"."""
    near = [each for each in view.quantities if each.kind in (PERCENT, POINTS) and not pair.start <= each.start < pair.end]
    near = [each for each in near if each.start - pair.end <= _NEAR // 2 and pair.start - each.end <= _NEAR // 2]
    said = [each for each in near if _is_change(view, pair, each) and _is_said_of(view, pair, each.start, each.end)]
    return said[0] if len(said) == 1 else None


def _is_change(view: Scene, pair: Pair, percent: Quantity) -> bool:
    before = view.plain[max(view.sentence.start, percent.start - 14) : percent.start]
    if cues.BY.search(before.rstrip("+-–")) or cues.VERB_ENDS.search(before) or cues.CHANGE_AFTER.match(view.plain, percent.end):
        return True
    words = " ".join(view.between(percent.start, percent.number_start).split())
    gap = view.between(pair.end, percent.start) if percent.start >= pair.end else "x"
    return words in ("up", "down") or bool(re.fullmatch(r"[ ]?(?:[\w-]+[ ]){0,2}\([+–-]?", gap)) or _dative(view, percent)


def _dative(view: Scene, percent: Quantity) -> bool:
    """The Kazakh "12 %-ға", "12 пайызға"."""
    return bool(re.search(r"(?:ға|ге|қа|ке)\Z", view.between(percent.number_start, percent.end)))
