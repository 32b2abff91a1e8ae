"""The Oxford COVID-19 Government Response Tracker (OxCGRT): days with levels become measures with a first and a last day.

The file has a row a country and day, and for each indicator a level and often a flag. A measure is an episode: one indicator of one country
at the same level, above zero, with the same flag, on days that follow each other. What an indicator and a level mean in our codes is data:
`data/importers/oxcgrt.toml`.
"""

from __future__ import annotations

import functools
import operator
import re
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
from ibis import _

from qonys.core.errors import DataError, nearest
from qonys.measures.importers.base import MEASURE, NO_MEASURE, QUARANTINED, Imported
from qonys.measures.importers.cells import BESIDE, column, countries, day, fault, mapping, needed, ordinal, text, with_repeats
from qonys.measures.importers.runs import runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = "OxCGRT"
NATION = "NAT_TOTAL"  # all that applied in a country, whoever decided it; other rows are parts of a country or of its government
NO_FLAG = -1  # a flag left empty, where two tables are joined
Found = dict[str, tuple[str, str | None]]  # indicator -> its columns of level and of flag


def read(raw: ibis.Table, *, file: str, indicators: Sequence[str] | None = None) -> Imported:
    """The measures of the file and the fate of its rows.

    raw: the legacy format (`C8_International travel controls`), the final one (`C8EV_International travel controls`, `C1M_School closing`)
    or short names (`c8`, `c8_flag`), with country, date and, if there, jurisdiction.
    indicators: which to read, as ("C7", "C8"); without it, all those known to us that the file has.

    A row becomes part of a measure if a level is above zero, holds no measure if all levels known are zero, and is quarantined if its
    country or date cannot be read, its levels are all missing or one is outside its scale, if it is not about a whole country, or if the
    file has another row for that country and day. Errors: DataError for a file without the columns, or an indicator that does not exist.
    """
    found = _columns(raw, indicators, file=file)
    days = _judged(raw, found, file=file)
    levels = [days[_level(code)] for code in found]
    some = functools.reduce(operator.or_, ((level > 0).fill_null(False) for level in levels))
    fate = ibis.cases((days.why.notnull(), QUARANTINED), (some, MEASURE), else_=NO_MEASURE)
    return Imported(_measures(_episodes(days, found), file=file), days.select("row", fate=fate, why=days.why))


def _columns(raw: ibis.Table, indicators: Sequence[str] | None, *, file: str) -> Found:
    """The columns of each indicator in the file. Of levels split by vaccination the summary (M, EV) is read: no other runs through."""
    known = mapping("oxcgrt")["indicator"]
    found: Found = {}
    for code in dict.fromkeys(indicators if indicators is not None else known):
        if code not in known:
            raise DataError(f"there is no indicator {code!r} of {NAME}", mend=nearest(code, known))
        named = re.compile(rf"{code}(M|EV)?(_(?!flag|notes).*)?", re.IGNORECASE)
        if level := next(filter(named.fullmatch, raw.columns), None):
            flag = column(raw, f"{code}_flag", f"{code}M_flag") if "flag" in known[code] else None
            found[code] = (level, flag)
        elif indicators is not None:
            raise DataError(
                f"{file} has no level of {code}, {known[code]['name']}", mend="leave it out, or take a later release of the file"
            )
    if not found:
        raise DataError(
            f"{file} has no column of an indicator of {NAME}, such as 'C8_International travel controls'",
            mend="take a file of levels for every day: OxCGRT_nat_latest, OxCGRT_latest or OxCGRT_compact_national",
        )
    return found


def _level(code: str) -> str:
    return f"level_{code}"


def _flag(code: str) -> str:
    return f"flag_{code}"


def _judged(raw: ibis.Table, found: Found, *, file: str) -> ibis.Table:
    """The rows with typed cells -> row, issuer, day, level and flag of each indicator, why (null: the row can be used)."""
    country = needed(raw, "CountryCode", "country_code", file=file, publisher=NAME)
    date = needed(raw, "Date", file=file, publisher=NAME)
    whole, part = column(raw, "Jurisdiction"), column(raw, "RegionCode", "region_code")
    known = mapping("oxcgrt")
    tops = {code: len(known["indicator"][code]["levels"]) for code in found}
    rows = raw.mutate(
        issuer=text(raw[country]).substitute(known["codes"]), day=day(raw[date]),
        **{_level(code): ordinal(raw[level], tops[code]) for code, (level, _flag_column) in found.items()},
        **{_flag(code): ordinal(raw[flag], 1) if flag else ibis.null("int64") for code, (_level_column, flag) in found.items()},
    )  # fmt: skip

    def wrong(name: str, what: str, mend: str) -> ibis.Value:
        return fault(rows.row, rows[name], what, mend, file=file, name=name)

    place = [
        (~rows.issuer.isin(countries()).fill_null(False), wrong(country, "is not a country", "write ISO 3166-1 alpha-3")),
        (rows.day.isnull(), wrong(date, "is not a day", "write it as 20200316 or 2020-03-16")),
    ]
    if part is not None:
        place.insert(0, (text(rows[part]).notnull(), wrong(part, "is a part of a country", "only countries are read")))
    if whole is not None:
        place.insert(0, (text(rows[whole]) != NATION, wrong(whole, "is not a country as a whole", f"only rows marked {NATION} are read")))
    sound = ~functools.reduce(operator.or_, (condition.fill_null(False) for condition, _sentence in place))
    rows = with_repeats(rows, ("issuer", "day"), sound)
    scales = []
    for code, (level, flag) in found.items():
        scales.append((rows[_level(code)] == BESIDE, wrong(level, f"is not a level of {code}, 0 to {tops[code]}", "correct it")))
        if flag is not None:
            scales.append(((rows[_level(code)] > 0) & (rows[_flag(code)] == BESIDE), wrong(flag, "is not a flag, 0 or 1", "correct it")))
    silent = functools.reduce(operator.and_, (rows[_level(code)].isnull() for code in found))
    silence = ibis.literal(f"{file}, row ").concat(rows.row.cast("string"), ": no level is given; fill them in or leave the row out")
    twice = wrong(date, "stands in several rows of that country", "keep one of them")
    why = ibis.cases(*place, (rows.again, twice), *scales, (silent, silence))
    return rows.select("row", "issuer", "day", *map(_level, found), *map(_flag, found), why=why)


def _episodes(days: ibis.Table, found: Found) -> ibis.Table:
    """Spells of the same level and flag -> issuer, indicator, level, flag, first, last, before, after, rows; spells of level zero too."""

    def cell(code: str) -> ibis.Value:
        level, flag = days[_level(code)], days[_flag(code)]
        # below level 1 a flag says nothing
        return ibis.struct({"indicator": ibis.literal(code), "level": level, "flag": ibis.ifelse(level > 0, flag, ibis.null("int64"))})

    long = days.filter(_.why.isnull()).select("issuer", "day", cell=ibis.array([cell(code) for code in found]).unnest()).unpack("cell")
    return runs(long.filter(_.level.notnull()), by=("issuer", "indicator"), at="day", value=("level", "flag"), every=1)


def _measures(episodes: ibis.Table, *, file: str) -> ibis.Table:
    """Episodes above level zero as rows of the contract, and `rows`."""
    facts = mapping("oxcgrt")
    coded = _codes(facts)
    above = episodes.filter(_.level > 0).mutate(flag=_.flag.fill_null(NO_FLAG))
    one = above.join(coded, ["indicator", "level", "flag"])
    begun, over = one["first"], one["last"]
    no_later, gap_after = one.after.isnull(), one.after.delta(over, unit="day") > 1
    no_earlier = one.before.isnull() | (begun.delta(one.before, unit="day") > 1)
    began = ibis.ifelse(no_earlier, "no level is given for the day before: it may have begun earlier", "")
    ended = ibis.cases(
        (no_later, ibis.literal("in force on ").concat(over.cast("string"), ", the last day with a level: no end is known")),
        (gap_after, ibis.literal("no level is given for the day after: it may have ended later")),
        else_="",
    )
    note = ibis.array([one.scope, began, ended]).filter(lambda part: part != "").join("; ")
    evidence = ibis.literal(f"{facts['evidence']}; ").concat(one.indicator, " at level ", one.level.cast("string"), f" in {file}")
    return one.select(
        "title", "issuer", "targets", "field", "instrument", "direction", "strength", "general", "area", "rows",
        id=ibis.literal(f"{NAME.upper()}-").concat(one.issuer, "-", one.indicator, "-", begun.cast("string").replace("-", "")),
        level=ibis.literal("national"), target_origin=one.target_origin.nullif(""), target_words=one.target_words.nullif(""),
        start=begun.cast("string"), seen_until=ibis.ifelse(no_later, over, ibis.null("date")),
        end=ibis.ifelse(no_later, ibis.null("string"), over.cast("string")),
        status=ibis.ifelse(no_later, "issued", "ended"), evidence=evidence, coder=ibis.literal(facts["coder"]), note=note.nullif(""),
    )  # fmt: skip


def _codes(facts: Mapping[str, Any]) -> ibis.Table:
    """What each level of each indicator, with each flag, is in our codes: the mapping as a table."""
    rows = []
    for indicator, common in facts["indicator"].items():
        limits = facts["flag"].get(common.get("flag"), {"general": [NO_FLAG], "notes": {}})
        for level, own in enumerate(common["levels"], start=1):
            said = {"general": True, "target_origin": [], "target_words": "", **common, **own}
            for flag in (0, 1, NO_FLAG) if "flag" in common else (NO_FLAG,):
                row = {name: said[name] for name in ("title", "target_words", "field", "instrument", "direction", "strength", "area")}
                row |= {name: " ".join(said[name]) for name in ("targets", "target_origin")}
                row |= {"general": said["general"] and flag in limits["general"]}
                row |= {"scope": limits["notes"].get("none" if flag == NO_FLAG else str(flag), "")}
                rows.append(row | {"indicator": indicator, "level": level, "flag": flag})
    return ibis.memtable(pd.DataFrame(rows))
