"""How long citizens of listed states may stay without a visa: rules that are data, and the last day of a stay under them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
from ibis import _

from qonys.border.residence import EARLIEST
from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.core.periods import earliest, latest

if TYPE_CHECKING:
    from collections.abc import Sequence

FOREVER = date(9999, 12, 31)
_KEYS = ("issuer", "citizenships", "words", "days_per_stay", "days_in_window", "window_days", "from", "to", "source", "note")
_NONE = -1  # a limit that a rule does not set; a null would become a number on its way through some engines


@dataclass(frozen=True, slots=True, kw_only=True)
class VisaFree:
    """Citizens of `citizenships` may stay `days_per_stay` days (the day of entry is the first), and `days_in_window` of any `window_days`.

    For stays that begin from `first` to `last`. A limit that is None is not set.
    """

    issuer: str
    citizenships: tuple[str, ...]
    days_per_stay: int | None
    days_in_window: int | None
    window_days: int | None
    first: date
    last: date
    source: str
    words: str = ""
    note: str = ""


@cache
def visa_free_rules() -> tuple[VisaFree, ...]:
    """The rules that ship with the package. Kazakhstan's has no list of citizenships: the source names their number only."""
    return read_visa_free(files("qonys").joinpath("data", "visa_free.toml").read_text(encoding="utf-8"), file="visa_free.toml")


def read_visa_free(text: str, *, file: str) -> tuple[VisaFree, ...]:
    """The rules of a file, in the form of the shipped one.

    Errors: DataError for text that is not TOML, an unknown key or country, a limit that is no number of days, no source, or two rules of an
    issuer for one citizenship at the same time.
    """
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file} is not valid TOML: {error}", mend="correct that line") from None
    entries = facts.get("rule")
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise DataError(f"{file} holds no rule", mend="begin each with a line [[rule]]")
    rules = tuple(_rule(one, f"{file}, rule {place}") for place, one in enumerate(entries, start=1))
    for place, one in enumerate(rules):
        for other in rules[:place]:
            both = sorted({*one.citizenships} & {*other.citizenships})
            if both and one.issuer == other.issuer and one.first <= other.last and other.first <= one.last:
                raise DataError(
                    f"{file} has two rules of {one.issuer} for citizens of {both[0]} at the same time", mend="bound them by from and to"
                )
    return rules


def _rule(one: dict[str, Any], where: str) -> VisaFree:
    for key in one:
        if key not in _KEYS:
            raise DataError(f"{where} has the key {key!r}", mend=nearest(key, _KEYS))
    countries = {area.code for area in areas.areas(scheme="iso3166-1", kind="country")}
    listed = one.get("citizenships", [])
    if not isinstance(listed, list):
        raise DataError(f"{where} has citizenships = {listed!r}", mend='write a list, as in ["DEU", "FRA"]')
    for code in (one.get("issuer"), *listed):
        if not isinstance(code, str) or code not in countries:
            raise DataError(f"{where} names {code!r}, which is no country", mend=nearest(str(code), countries))
    if twice := [code for place, code in enumerate(listed) if code in listed[:place]]:
        raise DataError(f"{where} names {twice[0]!r} twice", mend="remove one of them")
    limits = {name: one.get(name) for name in ("days_per_stay", "days_in_window", "window_days")}
    for name, value in limits.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise DataError(f"{where} has {name} = {value!r}", mend="write a whole number of days, 1 or more")
    per_stay, in_window, window = limits.values()
    if (in_window is None) != (window is None) or (per_stay is None and window is None):
        raise DataError(f"{where} sets no whole limit", mend="give days_per_stay, or days_in_window with window_days, or all three")
    if in_window is not None and window is not None and in_window > window:
        raise DataError(f"{where} allows {in_window} days in {window}", mend="exchange the two, or correct them")
    if not one.get("source"):
        raise DataError(f"{where} has no source", mend="name the act or the page read")
    first = earliest(str(one["from"])) if one.get("from") else EARLIEST
    last = latest(str(one["to"])) if one.get("to") else FOREVER
    if last < first:
        raise DataError(f"{where} ends on {last}, before it begins on {first}", mend="exchange from and to")
    return VisaFree(
        issuer=one["issuer"], citizenships=tuple(listed), days_per_stay=per_stay, days_in_window=in_window, window_days=window,
        first=first, last=last, source=str(one["source"]), words=str(one.get("words", "")), note=str(one.get("note", "")),
    )  # fmt: skip


def day_spans(spells: ibis.Table) -> ibis.Table:
    """The days of each spell, each day of a person in one spell only -> the columns of `spells`, day_from and day_until (days since 1970),
    counted (days from one to the other, both included, 0 where the spells before hold them all).

    Only days that records show count: of a spell whose exit was missed the first, of one whose entry was missed or not in the data the
    last.
    """
    first, last = (spells[name].epoch_days().cast("int64") for name in ("first_day", "last_day"))
    begins, ends = ibis.ifelse(spells.opened == "seen", first, last), ibis.ifelse(spells.closed == "missed_exit", first, last)
    spans = spells.mutate(begins=begins, day_until=ends)
    before = spans.day_until.lag().over(ibis.window(group_by="person_id", order_by=["day_until", "begins"]))
    spans = spans.mutate(day_from=ibis.ifelse(before.isnull() | (before < spans.begins), spans.begins, before + 1)).drop("begins")
    return spans.mutate(counted=ibis.ifelse(_.day_until < _.day_from, 0, _.day_until - _.day_from + 1))


def rules_table(rules: Sequence[VisaFree], country: str) -> ibis.Table | None:
    """The rules of a country by citizenship -> of, per_stay, in_window, window (-1: not set), valid_from, valid_until; None if none."""
    rows = [
        (
            code,
            *(_NONE if limit is None else limit for limit in (rule.days_per_stay, rule.days_in_window, rule.window_days)),
            rule.first,
            rule.last,
        )
        for rule in rules
        if rule.issuer == country
        for code in rule.citizenships
    ]
    kinds = {"of": "string", "per_stay": "int64", "in_window": "int64", "window": "int64", "valid_from": "date", "valid_until": "date"}
    return ibis.memtable(pd.DataFrame(rows, columns=list(kinds)), schema=kinds) if rows else None


def window_ends(spells: ibis.Table, people: ibis.Table) -> ibis.Table:
    """The last day of each person's stay, if it goes on, under `in_window` days of any `window` -> person_id, window_ends.

    spells: up to the day looked at; people: person_id, since (the entry that opened the stay), in_window, window.

    Let the stay begin on day s, b be the days present in the window that ends the day before, and r = in_window - b. The count grows by one
    a day, but stands still on days whose predecessor by `window` days was spent here too. Earlier spells, moved on by `window`, are such
    free days; a spell is reached if the other days from s to it are no more than r. The last day is s - 1 + r + the free days reached.
    """
    spans = day_spans(spells)
    who = people.select(person="person_id", since="since", allowed="in_window", window="window")
    rows = spans.join(who, spans.person_id == who.person)
    here = (rows.entered == rows.since).fill_null(False)
    rows = rows.mutate(here=here, begun=ibis.ifelse(here, rows.day_from, ibis.null("int64")))
    rows = rows.mutate(begun=_.begun.max().over(ibis.window(group_by="person_id")))
    kept = ~rows.here & (rows.counted > 0) & (rows.day_until >= rows.begun - rows.window) & (rows.day_until < rows.begun)
    oldest = ibis.greatest(rows.day_from, rows.begun - rows.window)
    rows = rows.mutate(oldest=oldest, free=ibis.ifelse(kept, rows.day_until - oldest + 1, 0))
    order = ibis.window(group_by="person_id", order_by=["oldest", "day_until"], rows=(None, -1))
    rows = rows.mutate(before=_.free.sum().over(order).fill_null(0), room=_.allowed - _.free.sum().over(ibis.window(group_by="person_id")))
    rows = rows.mutate(reached=ibis.ifelse(_.oldest + _.window - _.begun - _.before <= _.room, _.free, 0))
    ended = rows.group_by("person_id").agg(
        last=_.begun.max() - 1 + ibis.greatest(_.room.max(), 0) + _.reached.sum()
    )  # fmt: skip
    return ended.select(
        "person_id", window_ends=(ibis.literal(date(1970, 1, 1)) + ended["last"].cast("int32").as_interval("D")).cast("date")
    )
