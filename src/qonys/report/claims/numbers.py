"""Reads printed numbers, in digits and in words of English, Russian and Kazakh, with the step of the last given digit.

The rule for separators, in this order:

1. the form itself, where it is plain: "1,234,567" groups; "8,36" and "0,125" have decimals; "1.234,5" has both;
2. what the other numbers of the same text show, if they all show the same;
3. the language: in English a comma groups and a point opens decimals; in Russian and Kazakh a comma opens decimals,
   and a point before exactly three digits groups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGITS = re.compile(
    r"(?<![\w.,'])(?:[0-9]{1,3}(?:([ .,'])[0-9]{3})(?:\1[0-9]{3}){0,4}(?![0-9])(?:[.,][0-9]{1,9}(?![0-9]))?"
    r"|[0-9]{1,15}(?:[.,][0-9]{1,9}(?![0-9]))?)(?![0-9])"
)
_GROUPED = re.compile(r"([0-9]{1,3})([ .,'])([0-9]{3}(?:\2[0-9]{3})*)(?:([.,])([0-9]+))?\Z")
_THREE_AFTER = re.compile(r"([0-9]{1,3})([.,])([0-9]{3})\Z")
_WITH_DECIMALS = re.compile(r"[0-9]+([.,])(?:[0-9]{1,2}|[0-9]{4,})\Z")


@dataclass(frozen=True, slots=True)
class Separators:
    """Which sign groups thousands where the form alone does not tell; the other sign of "," and "." opens decimals."""

    grouping: frozenset[str]


@dataclass(frozen=True, slots=True)
class Number:
    """A value and the step of its last given digit: 37 thousand has a step of a thousand."""

    value: Decimal
    step: Decimal


def separators_for(language: str, printed: Iterable[str]) -> Separators:
    """The separators of a text, from its language and from those printed numbers whose form is plain."""
    grouping = {","} if language == "en" else {"."}
    groups, decimals = _evidence(printed)
    for sign in (",", "."):
        if sign in groups and sign not in decimals:
            grouping.add(sign)
        if sign in decimals and sign not in groups:
            grouping.discard(sign)
    return Separators(frozenset(grouping))


def _evidence(printed: Iterable[str]) -> tuple[set[str], set[str]]:
    groups: set[str] = set()
    decimals: set[str] = set()
    for each in printed:
        if found := _WITH_DECIMALS.match(each):
            decimals.add(found.group(1))
        elif (found := _GROUPED.match(each)) and found.group(2) in ",." and (found.group(4) or len(found.group(3)) > 3):
            groups.add(found.group(2))
    return groups, decimals


def read_digits(printed: str, separators: Separators) -> Number:
    """The number printed in digits.

    >>> read_digits("13,467", separators_for("en", [])).value, read_digits("13,467", separators_for("ru", [])).value
    (Decimal('13467'), Decimal('13.467'))
    """
    single = _THREE_AFTER.match(printed)
    if single and (single.group(1).startswith("0") or single.group(2) not in separators.grouping):
        return _number(single.group(1), single.group(3))
    if found := _GROUPED.match(printed):
        return _number(found.group(1) + found.group(3).replace(found.group(2), ""), found.group(5) or "")
    whole, _, decimals = printed.replace(",", ".").partition(".")
    return _number(whole, decimals)


def _number(whole: str, decimals: str) -> Number:
    if decimals:
        return Number(Decimal(f"{whole}.{decimals}"), Decimal(1).scaleb(-len(decimals)))
    zeros = len(whole) - len(whole.rstrip("0"))
    powers = max(0, min(zeros // 3, (len(whole.lstrip("0")) - 2) // 3))
    return Number(Decimal(whole), Decimal(1000) ** powers)


_SCALES = {
    "thousand": 3, "million": 6, "billion": 9, "тысяч": 3, "миллион": 6, "миллиард": 9, "мың": 3, "hundred": 2, "жүз": 2,
}  # fmt: skip
_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_KAZAKH = "нөл бір екі үш төрт бес алты жеті сегіз тоғыз"
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety", "kk": "жиырма отыз қырық елу алпыс жетпіс сексен тоқсан",
}  # fmt: skip
_RUSSIAN = {
    "од(?:ин|на|но|ного|ной|ну)": 1, "дв(?:а|е|ух|ум|умя)": 2, "тр(?:и|ех|ёх|ем|ём|емя)": 3, "четыр(?:е|ех|ёх|ем|ём|ьмя)": 4,
    "пят(?:ь|и|ью)": 5, "шест(?:ь|и|ью)": 6, "сем(?:ь|и|ью)": 7, "вос(?:емь|ьми|емью)": 8, "девят(?:ь|и|ью)": 9,
    "десят(?:ь|и|ью)": 10, "одиннадцат(?:ь|и|ью)": 11, "двенадцат(?:ь|и|ью)": 12, "тринадцат(?:ь|и|ью)": 13,
    "четырнадцат(?:ь|и|ью)": 14, "пятнадцат(?:ь|и|ью)": 15, "шестнадцат(?:ь|и|ью)": 16, "семнадцат(?:ь|и|ью)": 17,
    "восемнадцат(?:ь|и|ью)": 18, "девятнадцат(?:ь|и|ью)": 19, "двадцат(?:ь|и|ью)": 20, "тридцат(?:ь|и|ью)": 30,
    "сорока?": 40, "пят(?:ьдесят|идесяти|ьюдесятью)": 50, "шест(?:ьдесят|идесяти|ьюдесятью)": 60,
    "сем(?:ьдесят|идесяти|ьюдесятью)": 70, "вос(?:емьдесят|ьмидесяти|емьюдесятью)": 80, "девяност[оа]": 90,
    "ст[оа]": 100, "дв(?:ести|ухсот)": 200, "тр(?:иста|ехсот|ёхсот)": 300, "четыр(?:еста|ехсот|ёхсот)": 400,
    "пят(?:ьсот|исот)": 500, "шест(?:ьсот|исот)": 600, "сем(?:ьсот|исот)": 700, "вос(?:емьсот|ьмисот)": 800, "девят(?:ьсот|исот)": 900,
}  # fmt: skip


def _values() -> dict[str, dict[str, int]]:
    english = {word: place for place, word in enumerate(_ENGLISH.split())}
    english |= {word: 20 + 10 * place for place, word in enumerate(_TENS["en"].split())}
    kazakh = {word: place for place, word in enumerate(_KAZAKH.split())} | {"он": 10}
    kazakh |= {word: 20 + 10 * place for place, word in enumerate(_TENS["kk"].split())}
    return {"en": english, "kk": kazakh, "ru": _RUSSIAN}


_VALUES = _values()
_SCALE_WORDS = {
    "en": "hundred|thousands?|millions?|billions?", "ru": r"тысяч\w{0,3}|миллион\w{0,3}|миллиард\w{0,3}",
    "kk": r"жүз|мың|миллион|миллиард",
}  # fmt: skip
_KAZAKH_END = r"(?:нан|нен|дан|ден|тан|тен|ға|ге|қа|ке|ның|нің|дың|дің|тың|тің|ды|ді|ты|ті|нда|нде|да|де|та|те|ы|і|сы|сі)?"


def _phrase(language: str) -> re.Pattern[str]:
    """The pattern of a number in words; in Kazakh the last word may carry a case ending."""
    word = "|".join(sorted(_VALUES[language], key=len, reverse=True))
    scale = _SCALE_WORDS[language]
    gap = r"(?:[ ]{1,3}|-|(?<=hundred)[ ]and[ ]|(?<=thousand)[ ]and[ ])" if language == "en" else "[ ]{1,3}"
    first = rf"(?:{word}|a[ ](?:hundred|thousand|million|billion))" if language == "en" else f"(?:{word})"
    end = _KAZAKH_END if language == "kk" else ""
    return re.compile(rf"(?<![\w.,-]){first}(?:(?!\w){gap}(?:{word}|{scale})){{0,12}}{end}(?!\w)")


WORDS = {language: _phrase(language) for language in _VALUES}


# One unit of time without a numeral: "within a month", "в течение месяца"; the match stands where the numeral would.
ONE = re.compile(
    r"(?:(?<=within )|(?<=takes )|(?<=took )|(?<=lasts )|(?<=lasted ))an?(?=[ ](?:hour|day|week|month|year)(?!\w))"
    r"|(?:(?<=в течение)|(?<=занимает)|(?<=занимал)|(?<=занимала)|(?<=длится))(?=[ ](?:месяца?|недел[июя]|суток|дня|часа?)(?!\w))"
)


def _token(language: str) -> re.Pattern[str]:
    words = "|".join([_SCALE_WORDS[language], *sorted(_VALUES[language], key=len, reverse=True)])
    return re.compile(rf"(?<!\w)(?:{words})" + ("" if language == "kk" else r"(?!\w)"))


_TOKEN = {language: _token(language) for language in _VALUES}


def read_words(printed: str, language: str) -> Number:
    """The number written in words; its step is its last scale ("fifty-six thousand": a thousand).

    >>> read_words("fifty-six thousand", "en")
    Number(value=Decimal('56000'), step=Decimal('1000'))
    """
    total = current = 0
    step = 1
    for found in _TOKEN[language].finditer(printed):
        power = next((power for stem, power in _SCALES.items() if found.group().startswith(stem)), 0)
        if power == 2:
            current = max(current, 1) * 100
        elif power:
            total, current, step = total + max(current, 1) * 10**power, 0, 10**power
        else:
            current, step = current + _word_value(found.group(), language), 1
    return Number(Decimal(total + current), Decimal(step))


def _word_value(word: str, language: str) -> int:
    values = _VALUES[language]
    if language != "ru":
        return values[word]
    return next((value for form, value in values.items() if re.fullmatch(form, word)), 0)
