"""A mapping proposed from the first rows of a file: by names of columns in three languages and by what stands in their cells.

A guess is high where name and cells agree, low where only one of them speaks. Where they contradict, or two columns want one part, nothing
is guessed: what is unknown stays unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qonys.core.contracts import CONTRACTS, Contract
from qonys.sources.formats.cells import GAPS, NUMBER, iso_period
from qonys.sources.mapping import HIGH, LOW, SPANNED, Guess, Mapping, targets, value_of
from qonys.sources.user_file import Reading
from qonys.sources.words import SCHEMES, area_code, is_total, plain, sex

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary
    from collections.abc import Sequence

    import pandas as pd

MOST = 400  # distinct cells of a column that are looked at
NAMED = 100  # of them, as names of areas
MANY, SOME = 0.9, 0.6  # shares of distinct cells from which a column is taken for something, surely or perhaps
# words of names in English, Russian and Kazakh; the first part that fits a name has it
PLACES_RU, PLACES_KK = r"(страна|регион|область|место)", r"(ел|жер|өңір|облыс)\w*"
NAMES: dict[str, tuple[str, str, str]] = {
    "flag": (r"flag|obs status|obs flag", r"флаг", r"белгі"),
    "note": (r"notes?|comments?|remarks?", r"примечани\w*|сноск\w*", r"ескерту\w*"),
    "unit": (r"unit|unit (of )?measure", r"единиц\w*( измерения)?", r"өлшем бірлігі"),
    "birth_country": (
        r"(country|place) of birth|birth (country|place)|c birth|cob|born in",
        r"стран\w* рождени\w*|место рождения",
        r"туған (ел|жер)\w*",
    ),
    "citizenship": (r"citizens?|citizenship|nationalit\w+", r"гражданств\w*", r"азаматты\w*"),
    "origin": (
        r"origin|orig|iso o|coo|coo iso|from|source country|sending"
        r"|(country|area|region|location code) of (origin|departure|previous residence)",
        rf"откуда|{PLACES_RU} (выезда|выбытия|происхождения|исхода)",
        rf"қайдан|(шыққан|кеткен) {PLACES_KK}",
    ),
    "destination": (
        r"destination|dest|iso d|coa|coa iso|to|host( country)?|receiving"
        r"|(country|area|region|location code) of (destination|asylum|arrival)",
        rf"куда|{PLACES_RU} (въезда|прибытия|назначения|приема)",
        rf"қайда|(баратын|барған|келген) {PLACES_KK}",
    ),
    "residence": (
        r"residence|(country|area) of residence|reporter|reporting country",
        rf"{PLACES_RU} (проживания|жительства)",
        rf"тұратын {PLACES_KK}",
    ),
    "period": (
        r"years?|time|period|time period|date|month|quarter|ref date|reference (date|year)",
        r"год\w*|период\w*|дата|месяц|квартал",
        r"жыл\w*|кезең\w*|ай|тоқсан|күні",
    ),
    "sex": (r"sex|gender", r"пол", r"жынысы?"),
    "age": (r"age|age (group|band)", r"возраст\w*|возрастная группа", r"жасы?|жас тобы"),
    "value": (
        r"value|obs value|persons?|people|n|number( of .*)?|count|migrants?|flow|stock|population|total migrants|moves|movers|arrivals"
        r"|immigra\w+|emigra\w+",
        r"численность.*|человек|количество.*|число.*|значение|прибыло|выбыло|прибывши\w+|мигрант\w*",
        r"адам( саны)?|саны|мәні|халық саны",
    ),
    "area": (
        r"area|country|geo|ref area|iso ?3?|iso ?2|iso ?a?3|country code|region|territory|country or area",
        r"страна|регион|область|территория",
        r"ел|аймақ|өңір|облыс|аумақ",
    ),
}
FLOWS = r"\b(in|out)?flows?\b|immigra|emigra|arriv|depart|moves?\b|movers|прибы|выбы|поток|келген|кеткен"
STOCKS = r"stock|population|refugee|численност|население|халық|residents?\b"
THOUSANDS = r"(тыс\w*\.?|мың|thousands?|in 1000)\b"
MILLIONS = r"(млн\.?|миллион\w*|million\w*)"


@dataclass(frozen=True, slots=True)
class _Column:
    """What is seen of a column: its name as compared, its distinct cells, and shares of them."""

    name: str
    plain: str
    cells: tuple[str, ...]
    numbers: float
    periods: float
    sexes: float
    areas: float
    scheme: str

    @property
    def part(self) -> str:
        """What the name says it is; "" for nothing."""
        return next((part for part, words in NAMES.items() if re.fullmatch("|".join(words), self.plain)), "")

    def holds(self, part: str) -> float:
        """The share of its cells that can be that part."""
        if part in ("origin", "destination", "residence", "citizenship", "birth_country", "area"):
            return self.areas
        shares = {"period": self.periods, "sex": self.sexes, "value": self.numbers, "age": self._ages()}
        return shares.get(part, 1.0)

    def _ages(self) -> float:
        fits = [one for one in self.cells if is_total(one) or re.search(r"\d", one) or plain(one) in ("unk", "unknown", "не указано")]
        return len(fits) / len(self.cells) if self.cells else 0.0


def propose(sample: pd.DataFrame, contracts: Dictionary[str, Contract] = CONTRACTS, *, reading: Reading | None = None) -> Mapping:
    """A mapping for a file of which these are the first rows.

    sample: text columns, as `user_file.sample` gives them. contracts: those to choose from. reading: how the file was read; it becomes
    part of the mapping. The same sample gives the same mapping. Columns of no part are `unknown`; what the contract needs and the file
    does not say is `missing`, and stays so: counted, source and the like are for the person who knows the data.
    """
    columns = [_looked(str(name), sample[name]) for name in sample.columns]
    how = _decimal(reading or Reading(), columns)
    exact = _named_like(columns, contracts)
    if exact is not None:
        return _checked(_exact(columns, exact, how), sample)
    wide = tuple(one.name for one in columns if _is_period(one.name) and one.numbers >= MANY)
    wide = wide if len(wide) > 1 else ()
    parts, guesses = _parts([one for one in columns if one.name not in wide], wide=bool(wide))
    contract, why = _contract(parts, columns, wide, contracts)
    guesses = [*([Guess(target="contract", reason=why.reason, confidence=why.confidence)] if why else []), *guesses]
    if contract is None:
        left = tuple(one.name for one in columns if one.name not in wide)
        return Mapping(reading=how, wide=wide, unknown=left, guesses=tuple(guesses))
    return _checked(_filled(contract, parts, columns, wide, guesses, how), sample)


def _checked(mapping: Mapping, sample: pd.DataFrame) -> Mapping:
    """The mapping, unsure of its contract where rows would say the same cell again: a column of no part tells them apart."""
    beside = (value_of(CONTRACTS[mapping.contract]), "flag", "note", "low", "high", "status", "source", "vintage")
    keys = [column for target, column in mapping.columns.items() if target not in beside]
    if not mapping.unknown or not value_of(CONTRACTS[mapping.contract]) or not keys or not sample[keys].duplicated().any():
        return mapping
    others = tuple(guess for guess in mapping.guesses if guess.target != "contract")
    return replace(mapping, guesses=(Guess(target="contract", reason="rows_repeat", confidence=LOW), *others))


def _looked(name: str, cells: pd.Series) -> _Column:
    filled = [str(one).strip() for one in cells.dropna().unique()[: 4 * MOST]]
    distinct = tuple(dict.fromkeys(one for one in filled if one and one not in GAPS))[:MOST]
    gaps = any(one in GAPS for one in filled)

    def share(fits: Sequence[bool]) -> float:
        return sum(fits) / len(fits) if fits else 0.0

    numbers = share([bool(re.match(NUMBER, re.sub(r"(?<=\d)[ \u00a0\u202f](?=\d{3})", "", one).replace(",", "."))) for one in distinct])
    schemes = dict.fromkeys(SCHEMES, 0.0)
    if numbers < MANY and any(not is_total(one) for one in distinct):
        for scheme in SCHEMES:
            if max(schemes.values()) < MANY:  # the first scheme that reads nearly all; names are slow to look up, and come last
                among = distinct[:NAMED] if scheme == "names" else distinct
                schemes[scheme] = share([is_total(one) or area_code(one, scheme) is not None for one in among])
    best = max(schemes, key=lambda scheme: schemes[scheme])
    known = schemes[best]
    return _Column(
        name=name,
        plain=plain(name),
        cells=distinct,
        numbers=1.0 if not distinct and gaps else numbers,
        periods=share([_is_period(one) for one in distinct]),
        sexes=share([is_total(one) or sex(one) is not None for one in distinct]),
        areas=known,
        scheme=best,
    )


def _decimal(how: Reading, columns: Sequence[_Column]) -> Reading:
    """The sign of the fraction: a comma where a column of numbers has one before other than three digits, and none has a point."""
    cells = [one for column in columns if column.numbers >= MANY for one in column.cells]
    comma = any(re.search(r"\d,(\d{1,2}|\d{4,})$", one) for one in cells) and not any(re.search(r"\d\.\d", one) for one in cells)
    return replace(how, decimal=",") if comma else how


def _is_period(text: str) -> bool:
    found = re.match(r"^(\d{4})($|-)", iso_period(text))
    return found is not None and 1900 <= int(found[1]) <= 2150


def _named_like(columns: Sequence[_Column], contracts: Dictionary[str, Contract]) -> Contract | None:
    """The contract whose required columns are nearly all there by name: a file made for it."""
    names = {one.name for one in columns}
    scores = {}
    for contract in contracts.values():
        needed, there = set(contract.required), names & set(contract.names)
        if len(there) >= 3 and len(needed & names) / len(needed) >= 0.75:
            # of two that fit alike, the one of which less is absent
            scores[contract.name] = (len(needed & names) / len(needed), len(there), len(there) - len(contract.names))
    best = sorted(scores, key=lambda name: scores[name], reverse=True)
    if not best or (len(best) > 1 and scores[best[0]] == scores[best[1]]):
        return None
    return contracts[best[0]]


def _exact(columns: Sequence[_Column], contract: Contract, how: Reading) -> Mapping:
    named = {one.name: one.name for one in columns if one.name in contract.names}
    schemes = {
        one.name: one.scheme for one in columns if one.name in named and contract.column(one.name).kind == "area" and one.areas >= SOME
    }
    return Mapping(
        contract=contract.name,
        reading=how,
        columns=named,
        schemes={name: scheme for name, scheme in schemes.items() if scheme != "codes"},
        unknown=tuple(one.name for one in columns if one.name not in named),
        guesses=(Guess(target="contract", reason="columns_of_contract", confidence=HIGH),),
    )


def _parts(columns: Sequence[_Column], *, wide: bool) -> tuple[dict[str, _Column], list[Guess]]:
    """Which column plays which part. A name and its cells must agree; cells alone only where one column could be meant."""
    found: dict[str, list[tuple[_Column, Guess]]] = {}
    for one in columns:
        part = one.part
        if part and not (wide and part == "value"):
            share = one.holds(part)
            if share >= SOME:
                found.setdefault(part, []).append(
                    (one, Guess(target=part, reason="name_and_content", confidence=HIGH if share >= MANY else LOW))
                )
    taken = {id(one) for those in found.values() for one, _ in those}
    free = [one for one in columns if id(one) not in taken and not one.part]
    for part in ("period", "sex", "value"):
        if part in found or (wide and part in ("value", "period")):
            continue
        fits = [one for one in free if one.holds(part) >= MANY and len(one.cells) > (0 if part == "period" else 1)]
        if part == "value":
            fits = [one for one in fits if one.periods < MANY and one.sexes < MANY]
        if len(fits) == 1:
            found[part] = [(fits[0], Guess(target=part, reason="content", confidence=LOW))]
            free = [one for one in free if one is not fits[0]]
    some = [one for one in free if one.areas >= MANY and len(one.cells) > 1]
    if len(some) == 1 and not {"area", "residence", "destination", "origin"} & set(found):
        found["area"] = [(some[0], Guess(target="area", reason="content", confidence=LOW))]
    parts, guesses = {}, []
    for part, those in found.items():
        sure = [pair for pair in those if pair[1].confidence == HIGH] or those
        if len(sure) > 1:
            guesses.append(Guess(target=part, reason="ambiguous", confidence=LOW))
            continue
        parts[part] = sure[0][0]
        guesses.append(sure[0][1])
    if wide:
        guesses.append(Guess(target="wide", reason="wide_periods", confidence=HIGH))
    return parts, guesses


def _contract(
    parts: Dictionary[str, _Column], columns: Sequence[_Column], wide: Sequence[str], contracts: Dictionary[str, Contract]
) -> tuple[Contract | None, Guess | None]:
    """The contract that these parts make, and why; None where several would do."""
    number, dated = bool(wide) or "value" in parts, bool(wide) or "period" in parts
    words = " ".join(one.plain for one in columns)
    moving, staying = bool(re.search(FLOWS, words)), bool(re.search(STOCKS, words))
    of_whom = [part for part in ("citizenship", "birth_country") if part in parts]
    place = next((part for part in ("residence", "area", "destination") if part in parts), None)
    choice, confidence = "", LOW
    if not (number and dated):
        return None, None
    if {"origin", "destination"} <= set(parts):
        choice, confidence = ("flow", HIGH if moving else LOW) if not staying else ("", LOW)
    elif len(of_whom) == 1 and place:
        choice, confidence = ("flow", HIGH) if moving and not staying else ("stock", HIGH) if staying and not moving else ("", LOW)
    elif place and not of_whom and "origin" not in parts:
        choice, confidence = "panel", HIGH if not {"sex", "age"} & set(parts) else LOW
    if choice not in contracts:
        known = bool(of_whom or {"origin", "destination"} & set(parts))
        return None, Guess(target="contract", reason="stock_or_flow", confidence=LOW) if known else None
    return contracts[choice], Guess(target="contract", reason="name_and_content", confidence=confidence)


def _filled(
    contract: Contract,
    parts: Dictionary[str, _Column],
    columns: Sequence[_Column],
    wide: tuple[str, ...],
    guesses: list[Guess],
    how: Reading,
) -> Mapping:
    place = next((part for part in ("destination", "residence", "area") if part in parts), "")
    whom = next((part for part in ("citizenship", "birth_country") if part in parts), "")
    turned = {"value": value_of(contract)}
    constants: dict[str, str] = {}
    if contract.name == "flow":
        turned["period"] = "period"
        if place != "destination":
            turned[place] = "destination"
        if "origin" not in parts and whom:
            turned[whom] = "origin"
            constants["basis"] = whom
            guesses.append(Guess(target="basis", reason="word_in_name", confidence=HIGH))
    elif contract.name == "stock":
        turned |= {place: "residence", whom: "characteristic", "period": "ref_date"}
        constants["basis"] = whom
        guesses.append(Guess(target="basis", reason="word_in_name", confidence=HIGH))
    elif contract.name == "panel":
        turned[place] = "area"
    may = targets(contract)
    named = {turned.get(part, part): one for part, one in parts.items() if turned.get(part, part) in may}
    named = {target: one for target, one in named.items() if not (wide and target in ("period", "ref_date", *SPANNED))}
    if "status" in contract.required and "status" not in named:
        constants["status"] = "as_published"
        guesses.append(Guess(target="status", reason="as_published", confidence=LOW))
    scale, scale_column = _scale(columns, guesses)
    used = {one.name for one in named.values()} | set(wide) | ({scale_column} if scale_column else set())
    schemes = {
        t: one.scheme for t, one in named.items() if t in contract.names and contract.column(t).kind == "area" and one.scheme != "codes"
    }
    if "eurostat" in schemes.values():  # one publisher writes one way
        schemes = {target: "eurostat" if scheme == "iso2" else scheme for target, scheme in schemes.items()}
    return Mapping(
        contract=contract.name,
        reading=how,
        columns={target: one.name for target, one in named.items()},
        wide=wide,
        schemes=schemes,
        constants=constants,
        scale=scale,
        scale_column=scale_column,
        unknown=tuple(one.name for one in columns if one.name not in used),
        guesses=tuple(guesses),
    )


def _scale(columns: Sequence[_Column], guesses: list[Guess]) -> tuple[float, str]:
    """What numbers are multiplied with: one unit in all rows that says thousands or millions, or SDMX's power of ten."""
    if any(one.plain == "unit mult" for one in columns):
        guesses.append(Guess(target="scale_column", reason="unit_mult", confidence=HIGH))
        return 1.0, next(one.name for one in columns if one.plain == "unit mult")
    units = [one.cells[0] for one in columns if one.part == "unit" and len(one.cells) == 1]
    units += [one.name for one in columns if one.part == "" and one.numbers >= MANY and one.periods < MANY]
    for text in units:
        for words, factor in ((THOUSANDS, 1e3), (MILLIONS, 1e6)):
            if re.search(words, plain(text)):
                guesses.append(Guess(target="scale", reason="unit_words", confidence=LOW))
                return factor, ""
    return 1.0, ""
