"""Finds the quantities of a text: value, what it may stand for, kind, and where it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from .intervals import INFINITE, ZERO, Interval
from .numbers import DIGITS, ONE, WORDS, Number, Separators, read_digits, read_words, separators_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .page import Page

COUNT, PERCENT, POINTS, DURATION, TIMES, MONEY = "count", "percent", "points", "duration", "times", "money"
MORE, LESS, ABOUT, ALMOST = "more", "less", "about", "almost"

_CASE = (
    r"(?:нан|нен|дан|ден|тан|тен|ға|ге|қа|ке|ның|нің|дың|дің|тың|тің|на|не|ын|ін|ынан|інен|сынан|сінен|ына|іне|"
    r"нда|нде|да|де|та|те|сы|сі|ы|і)"
)
_SCALES = (
    (3, re.compile(rf"[ -]{{0,2}}(?:thousands?|тыс\.|тыс(?!\w)|тысяч\w{{0,3}}|мың{_CASE}?)(?!\w)|k(?!\w)")),
    (6, re.compile(rf"[ -]{{0,2}}(?:millions?|mln\.?|mn|млн\.?(?:-?{_CASE})?|миллион\w{{0,6}})(?!\w)|m(?!\w)")),
    (9, re.compile(rf"[ -]{{0,2}}(?:billions?|bln\.?|bn|млрд\.?(?:-?{_CASE})?|миллиард\w{{0,6}})(?!\w)")),
    (12, re.compile(r"[ -]{0,2}(?:trillions?|trn|трлн\.?|триллион\w{0,6})(?!\w)")),
)
_MONEY_WORD = r"(?:(?:us )?dollars?|usd|euros?|eur|tenge|kzt|roubles?|rubles?|тенге|теңге\w*|доллар\w*|евро|рубл\w*|руб\.?|сом\w{0,2})"
_UNITS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (POINTS, "percentage_point", re.compile(r"[ -]{0,2}(?:percentage[ -]points?|p\.p\.|pp(?!\w)|п\. ?п\.|(?:%"
        r"|процентн\w+)[ -]?пункт\w*|пайыздық тармақ\w*)")),
    (PERCENT, "percent", re.compile(rf"[ -]{{0,2}}(?:%(?:-?[ ]?{_CASE}(?!\w))?|per[ ]?cent(?!\w)|процент\w{{0,3}}(?!\w)"
        rf"|пайыз\w{{0,6}}(?!\w))")),
    (DURATION, "hour", re.compile(r"[ -]{1,2}(?:hours?|час(?:а|ов)?|сағат\w{0,5})(?!\w)")),
    (DURATION, "day", re.compile(r"[ -]{1,2}(?:(?:calendar |working |business |календарн\w+ |рабоч\w+ |күнтізбелік "
        r"|жұмыс )?(?:days?|дн(?:я|ей|и|ям)|день|сут(?:ок|ки)|дневн\w+|күн\w{0,6}))(?!\w)")),
    (DURATION, "week", re.compile(r"[ -]{1,2}(?:weeks?|недел\w{1,4}|апта\w{0,5})(?!\w)")),
    (DURATION, "month", re.compile(r"[ -]{1,2}(?:months?|месяц\w{0,3}|мес\.|месячн\w+|ай(?:да|дан|ға|дың|лық|ы|ды)?)(?!\w)")),
    (DURATION, "year", re.compile(r"[ -]{1,2}(?:years?|год(?:а|у|ом)?|лет|жыл\w{0,6})(?!\w)")),
    (TIMES, "times", re.compile(r"[ -]{0,2}(?:times|fold|раза?|есе(?:ге|ден)?)(?!\w)")),
    (MONEY, "money", re.compile(rf"[ ]{{0,2}}(?:[€$₸₽£]|{_MONEY_WORD}(?!\w))")),
)  # fmt: skip
_KAZAKH_SUFFIX = re.compile(rf"-{_CASE}(?!\w)")
_DASH = re.compile(r"[–-]|[ ][–][ ]")
_BETWEEN = re.compile(r"(?<!\w)(?:between|между)[ ]{1,3}\Z")
_BETWEEN_GAP = re.compile(r"[ ]{1,3}(?:and|и)[ ]{1,3}")

_BEFORE: tuple[tuple[str, str], ...] = (
    (MORE, r"not? (?:less|fewer) than|more than|over|above|at least|exceeding|upwards of|in excess of|greater than|a minimum of|from over|"
           r"не менее(?: чем)?|более(?: чем)?|больше|свыше|превыш\w+|как минимум|не меньше|минимум|кемінде|кем дегенде"),
    (LESS, r"no more than|not more than|at most|less than|fewer than|up to|under|below|a maximum of|"
           r"не более(?: чем)?|не свыше|не больше|менее(?: чем)?|меньше|до|максимум|ең көбі"),
    (ABOUT, r"about|around|approximately|approx\.|roughly|some|circa|ca\.|an estimated|estimated at|"
            r"около|примерно|приблизительно|порядка|ориентировочно|шамамен|жуықтап"),
    (ALMOST, r"almost|nearly|close to|just under|почти|без малого|дерлік"),
)  # fmt: skip
_QUALIFIER_BEFORE = re.compile(
    r"(?<!\w)(?:" + "|".join(f"(?P<{code}>{words.replace(' ', '[ ]{1,6}')})" for code, words in _BEFORE) + r")[ ]{1,6}\Z"
)
_QUALIFIER_AFTER = re.compile(
    r"[ ]{1,3}(?:[^\W\d_]{1,20}[ ]{1,3})?(?:(?P<more>астам|артық|көп(?![ ]ретт)|аса|or more|и более)|(?P<less>дейін)"
    r"|(?P<about>жуық|шамасында|or so))(?!\w)|(?P<plus>\+)(?!\w)"
)
_NOT_OVER_FROM = re.compile(r"(?:from|с|со|от)[ ]{1,6}\Z")
_MONEY_BEFORE = re.compile(r"(?:[€$₸₽£]|usd|eur|kzt)[ ]?\Z")
_NOUN = re.compile(r"[ ]{1,3}((?:[^\W\d_][\w'-]{0,30}[ ]{0,2}){1,2})")
_COUNTED_WORD = re.compile(r"[ -]{1,3}(?:\w+[ ])?(?:people|persons|migrants|countries|человек|чел\.|стран|адам|ел(?:дің|ден)?)(?!\w)")
_SMALL = 13  # "two directions", "one of the risks": small words alone count nothing that is checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One printed quantity. `value` as read; `low` to `high` what it may stand for, by its last digit and qualifier.

    `start` takes in the qualifier, `number_start` does not; `end` takes in scale and unit. `step` is the unit of the
    last given digit. `noun` is one or two words that follow, for display only.
    """

    value: Decimal
    low: Decimal
    high: Decimal
    step: Decimal
    kind: str
    unit: str
    qualifier: str
    scale: int
    signed: bool
    start: int
    number_start: int
    end: int
    line: int
    column: int
    sentence: int
    text: str
    noun: str

    @property
    def span(self) -> Interval:
        """What the printed number may stand for."""
        return Interval(self.low, self.high)

    def unqualified(self) -> Quantity:
        """The same number read without its qualifier ("up to" that turned out to be the end of "from ... up to ...")."""
        low, high = _bounds(Number(self.value, self.step), "", self.kind)
        return replace(self, qualifier="", low=low, high=high)

    def scaled_like(self, other: Quantity) -> Quantity:
        """The number with the scale and unit of the one that follows: the 141 of "from 141 to 530 thousand"."""
        factor = Decimal(10) ** (other.scale - self.scale)
        value, step = self.value * factor, self.step * factor
        low, high = _bounds(Number(value, step), self.qualifier, other.kind)
        return replace(self, value=value, step=step, low=low, high=high, scale=other.scale, kind=other.kind, unit=other.unit)


def find_quantities(page: Page, *, language: str | None = None) -> tuple[Quantity, ...]:
    """All quantities of the page in the order of the text; `language` overrides the reading of "," and "."."""
    found = [quantity for quantity in _raw(page, language) if quantity is not None]
    return tuple(_merge(page, found))


def language_of(text: str) -> str:
    """`en`, `ru` or `kk`, by the letters; a text without letters counts as English."""
    latin = len(re.findall("[a-z]", text))
    cyrillic = len(re.findall("[а-яё]", text))
    own = len(re.findall("[әғқңөұүһі]", text))
    if cyrillic + own <= latin:
        return "en"
    return "kk" if own * 25 > cyrillic else "ru"


def _raw(page: Page, language: str | None) -> Iterator[Quantity | None]:
    digits = list(DIGITS.finditer(page.plain))
    words = [(found, code) for code, pattern in WORDS.items() for found in pattern.finditer(page.plain)]
    words += [(found, "one") for found in ONE.finditer(page.plain)]
    marks: list[tuple[re.Match[str], str]] = sorted([(found, "") for found in digits] + words, key=lambda each: each[0].start())
    separators = _separators_of_scripts(page, digits, language)
    starts = [sentence.start for sentence in page.sentences]
    done = 0
    for found, code in marks:
        if found.start() < done:
            continue
        place = max(0, bisect_right(starts, found.start()) - 1)
        quantity = _quantity(page, found, code, separators, place, starts[place] if starts else 0)
        if quantity:
            done = quantity.end
            yield quantity


def _separators_of_scripts(page: Page, digits: list[re.Match[str]], language: str | None) -> tuple[list[str], dict[str, Separators]]:
    """The language of each sentence, and the separators of each language as its own sentences show them."""
    languages = [language or language_of(page.plain[each.start : each.end]) for each in page.sentences]
    starts = [sentence.start for sentence in page.sentences]
    printed: dict[str, list[str]] = {"en": [], "ru": [], "kk": []}
    for found in digits:
        place = bisect_right(starts, found.start()) - 1
        if place >= 0:
            printed.setdefault(languages[place], []).append(found.group())
    return languages, {code: separators_for(code, numbers) for code, numbers in printed.items()}


def _quantity(
    page: Page, found: re.Match[str], code: str, separators: tuple[list[str], dict[str, Separators]], place: int, left: int
) -> Quantity | None:
    plain = page.plain
    languages, by_language = separators
    number = _number(found.group(), code, by_language[languages[place]])
    end, scale = _scale(plain, found.end())
    power = Decimal(10) ** scale
    number = Number(number.value * power, Decimal(1).scaleb(scale) if scale and number.step >= 1 else number.step * power)
    suffix = _KAZAKH_SUFFIX.match(plain, end)
    end = suffix.end() if suffix else end
    end, kind, unit = _unit(plain, found.start(), end)
    if _is_no_quantity(plain, end, kind, scale, code, number):
        return None
    before = plain[max(left, found.start() - 40) : found.start()]
    qualifier, start = _qualifier(before, found.start())
    if not qualifier and (after := _QUALIFIER_AFTER.match(plain, end)):
        qualifier = MORE if after.lastgroup == "plus" else str(after.lastgroup)
    low, high = _bounds(number, qualifier, kind)
    line, column = page.place(start)
    noun = _NOUN.match(page.text, end)
    return Quantity(
        value=number.value, low=low, high=high, step=number.step, kind=kind, unit=unit, qualifier=qualifier, scale=scale,
        signed=bool(re.search(r"(?:^|[ (])[+–-]\Z", before)), start=start, number_start=found.start(), end=end, line=line,
        column=column, sentence=place, text=" ".join(page.text[start:end].split()), noun=noun.group(1).strip() if noun else "",
    )  # fmt: skip


def _number(printed: str, code: str, separators: Separators) -> Number:
    if code == "one":
        return Number(Decimal(1), Decimal(1))
    return read_words(printed, code) if code else read_digits(printed, separators)


def _scale(plain: str, end: int) -> tuple[int, int]:
    for power, pattern in _SCALES:
        if found := pattern.match(plain, end):
            return found.end(), power
    return end, 0


def _unit(plain: str, start: int, end: int) -> tuple[int, str, str]:
    for kind, unit, pattern in _UNITS:
        if found := pattern.match(plain, end):
            return found.end(), kind, unit
    if _MONEY_BEFORE.search(plain[max(0, start - 5) : start]):
        return end, MONEY, "money"
    return end, COUNT, ""


def _is_no_quantity(plain: str, end: int, kind: str, scale: int, code: str, number: Number) -> bool:
    """Whether letters cling to the digits ("5G"), or a small word counts nothing that is checked ("two tasks")."""
    if end < len(plain) and (plain[end].isalnum() or plain[end] == "_") and plain[end - 1] not in ".%€$₸₽£":
        return True
    return bool(code) and kind == COUNT and not scale and number.value < _SMALL and not _COUNTED_WORD.match(plain, end)


def _qualifier(before: str, start: int) -> tuple[str, int]:
    found = _QUALIFIER_BEFORE.search(before)
    if not found:
        return "", start
    return str(found.lastgroup), start - (len(before) - found.start())


def _bounds(number: Number, qualifier: str, kind: str) -> tuple[Decimal, Decimal]:
    """What a number may stand for: half a step to each side unless it is a whole count; then its qualifier."""
    value, step = number.value, number.step
    half = ZERO if step == 1 and kind not in (PERCENT, POINTS, TIMES) else step / 2
    if qualifier == MORE:
        return value, INFINITE
    if qualifier == LESS:
        return ZERO, value
    if qualifier == ABOUT:
        return max(ZERO, value - max(step, value / 20)), value + max(step, value / 20)
    if qualifier == ALMOST:
        return value * Decimal("0.85"), value + half
    return max(ZERO, value - half), value + half


def _merge(page: Page, found: list[Quantity]) -> Iterator[Quantity]:
    """Joins "53–55 thousand" and "between 10 and 12 %" into a range, and "1 million 200 thousand" into one number."""
    position = 0
    while position < len(found):
        here = found[position]
        after = found[position + 1] if position + 1 < len(found) else None
        joined = _joined(page, here, after) if after and after.sentence == here.sentence else None
        yield joined or here
        position += 2 if joined else 1


def _joined(page: Page, here: Quantity, after: Quantity) -> Quantity | None:
    gap = page.plain[here.end : after.start]
    between = _BETWEEN.search(page.plain[max(0, here.start - 14) : here.start]) and _BETWEEN_GAP.fullmatch(gap)
    if _DASH.fullmatch(gap) or between:
        first = here.scaled_like(after) if here.kind == COUNT and not here.scale else here
        if first.kind == after.kind and first.value < after.value and not after.qualifier:
            return _range(page, first, after)
    smaller = here.scale > after.scale and after.value < Decimal(10) ** here.scale
    if gap in (" ", "  ") and smaller and here.kind == COUNT and not after.text[0].isalpha():
        return _compound(page, here, after)
    return None


def _range(page: Page, first: Quantity, after: Quantity) -> Quantity:
    return replace(
        after, value=(first.value + after.value) / 2, low=first.low, high=after.high, start=first.start, number_start=first.number_start,
        line=first.line, column=first.column, qualifier=first.qualifier or "range", text=_text(page, first, after), signed=first.signed,
    )  # fmt: skip


def _compound(page: Page, here: Quantity, after: Quantity) -> Quantity:
    value = here.value + after.value
    low, high = _bounds(Number(value, after.step), here.qualifier, after.kind)
    return replace(
        after, value=value, low=low, high=high, start=here.start, number_start=here.number_start, line=here.line,
        column=here.column, qualifier=here.qualifier, text=_text(page, here, after),
    )  # fmt: skip


def _text(page: Page, first: Quantity, last: Quantity) -> str:
    return " ".join(page.text[first.start : last.end].split())
