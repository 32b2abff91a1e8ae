"""Who moved first: the first day on which each issuer had a measure of one kind in force, the order of issuers, and lags after acts.

A day known in part is an interval, and stays one: two issuers whose possible first days overlap are tied, a rank is a lowest and a highest
one, a lag a shortest and a longest. An issuer without such an entry has `never`: the register holds none, which is no proof that there
was none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
from ibis import _

from qonys.core.contracts import MEASURE
from qonys.core.errors import DesignError, nearest
from qonys.measures.codebook import STRONGEST, adopted_statuses, codebook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

WINDOW = 3  # days: a move on the day of an act, or up to so many days after it, is made with the act
_CODES = {"targets": "target", "field": "field", "instrument": "instrument", "level": "level", "exceptions": "exception", "modes": "mode"}
_LISTS = tuple(column.name for column in MEASURE.columns if column.kind in ("codes", "areas"))
_WORDS = ("issuer", "level", "field", "instrument", "direction", "status", "area", "general")


def chosen(measures: ibis.Table, of: Mapping[str, Any]) -> ibis.Table:
    """The entries of one kind.

    of: column of the contract -> the value wanted, or a list of them (one of a list column's codes suffices); `strength` is the least
    one; an empty list asks for entries without a code there. Errors: DesignError for a column, code or strength that there is not.
    """
    for column, wanted in of.items():
        if column == "strength":
            if type(wanted) is not int or not 1 <= wanted <= STRONGEST:
                raise DesignError(
                    f"a kind of measures cannot have the strength {wanted!r}", mend=f"write a whole number from 1 to {STRONGEST}"
                )
            measures = measures.filter(_.strength >= wanted)
            continue
        if column not in (*_WORDS, *_LISTS):
            raise DesignError(f"measures cannot be chosen by {column!r}", mend=nearest(column, ("strength", *_WORDS, *_LISTS)))
        values = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
        for value in values:
            allowed = codebook()[_CODES[column]] if column in _CODES else MEASURE.column(column).allowed
            if allowed and value not in allowed:
                raise DesignError(f"no measure has the {column} {value!r}", mend=nearest(str(value), allowed))
        if column not in _LISTS:
            measures = measures.filter(_[column].isin(values))
        elif values:
            measures = measures.filter(_[column].intersect(ibis.literal(values, "array<string>")).length() > 0)
        else:
            measures = measures.filter(_[column].length().fill_null(0) == 0)
    return measures


def adoption(measures: ibis.Table, areas: Sequence[str], *, of: Mapping[str, Any], since: date | None = None) -> ibis.Table:
    """First day on which each issuer had a measure of that kind in force: the earliest and the latest day it may have been.

    measures: the contract with bounds (`history.with_bounds`); only adopted entries with a known start count, and with `since` only those
    that surely did not begin before that day. of: see `chosen`.
    -> issuer, earliest, latest (dates, null for never), never, measures (ids that may be the first, sorted), rows; a row for every one of
    `areas`. The first of several begins between the least of their earliest and the least of their latest days. Errors: see `chosen`.
    """
    kind = chosen(measures, of).filter(_.status.isin(adopted_statuses()), _.start_earliest.notnull(), _.issuer.isin(list(areas)))
    if since is not None:
        kind = kind.filter(_.start_earliest >= since)
    first = kind.group_by("issuer").agg(earliest=_.start_earliest.min().cast("date"), latest=_.start_latest.min().cast("date"))
    behind = kind.join(first, "issuer").filter(_.start_earliest <= _.latest)
    listed = behind.group_by("issuer").agg(measures=_.id.collect(distinct=True), rows=_.row.collect(distinct=True))
    every = ibis.memtable(pd.DataFrame({"issuer": sorted(set(areas))}), schema={"issuer": "string"})
    joined = every.left_join(first, "issuer").drop("issuer_right").left_join(listed, "issuer").drop("issuer_right")
    none = ibis.literal([], "array<string>")
    return joined.mutate(never=_.earliest.isnull(), measures=_.measures.fill_null(none).sort(), rows=_.rows.fill_null(none).sort())


def order(adopted: ibis.Table) -> ibis.Table:
    """The place of each issuer in the order of adoption, ties included.

    adopted: issuer, earliest, latest, ... (`adoption`) -> the same and lowest, highest (ranks the issuer may have, 1 is the first; null for
    never), tied (with how many others its possible days overlap). lowest is 1 more than the issuers that surely moved before, highest as
    many as did not surely move after; the two are equal where nobody is tied.
    """
    moved = adopted.filter(_.earliest.notnull())
    others = moved.select(other="issuer", other_earliest="earliest", other_latest="latest")
    pairs = moved.select("issuer", "earliest", "latest").cross_join(others)
    placed = pairs.group_by("issuer").agg(
        lowest=1 + (_.other_latest < _.earliest).sum(), highest=(_.other_earliest <= _.latest).sum(),
    )  # fmt: skip
    ranked = adopted.left_join(placed, "issuer").drop("issuer_right")
    return ranked.mutate(lowest=_.lowest.cast("int64"), highest=_.highest.cast("int64"), tied=(_.highest - _.lowest).cast("int64"))


def lags(adopted: ibis.Table, acts: ibis.Table, *, window: int = WINDOW) -> ibis.Table:
    """Days from each act to the first day of each issuer.

    adopted: see `adoption`; acts: id, start_earliest, start_latest (entries of a union with bounds) -> issuer, act, act_earliest,
    act_latest, low, high (days; negative: moved before the act; null for never), moved: `before` (surely before the day of the act), `with`
    (surely on that day or up to `window` days after it), `after` (surely later), `never`, or `undecided` where the days known in part allow
    more than one. Errors: DesignError for a window below zero.
    """
    if window < 0:
        raise DesignError(f"a window of {window} days is none", mend="write 0 or more")
    events = acts.filter(_.start_earliest.notnull()).select(
        act="id", act_earliest=_.start_earliest.cast("date"), act_latest=_.start_latest.cast("date")
    )
    pairs = adopted.select("issuer", "earliest", "latest").cross_join(events)
    counted = pairs.mutate(low=_.earliest.delta(_.act_latest, unit="day"), high=_.latest.delta(_.act_earliest, unit="day"))
    moved = ibis.cases(
        (_.earliest.isnull(), "never"), (_.high < 0, "before"), ((_.low >= 0) & (_.high <= window), "with"), (_.low > window, "after"),
        else_="undecided",
    )  # fmt: skip
    return counted.mutate(moved=moved).drop("earliest", "latest")
