"""The register through time: which version of an entry stands, from when to when a measure was in force, and what changed on a day.

Two clocks run. A *version* says what was known on the day of coding; `start` and `end` say what was law. An end that is not known is not
taken for "still in force". Two readings bound the truth: the *certain* one counts a measure only on days it surely covered (from the last
day it may have begun to the first day it may have ended; with no known end, to the last day it was seen, or its first day alone), the
*possible* one on every day it may have covered (with no known end, to the end of the period looked at).
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import ibis
import pandas as pd
from ibis import _

from qonys.measures.codebook import STRONGEST, adopted_statuses

Reading = Literal["certain", "possible"]
FOREVER = date(9999, 12, 31)


def current(measures: ibis.Table, known_on: date | None = None) -> ibis.Table:
    """The version of each entry that stands, or stood on the day `known_on`: the highest coded by then. Entries coded later are left out.

    measures: the contract; a version without a day of coding was always known.
    """
    known = measures if known_on is None else measures.filter(_.coded_on.isnull() | (_.coded_on <= known_on))
    numbered = known.mutate(place=ibis.row_number().over(group_by="id", order_by=ibis.desc(_.version.fill_null(1))))
    return numbered.filter(_.place == 0).drop("place")


def with_bounds(measures: ibis.Table) -> ibis.Table:
    """Add the days between which each measure began and ended, as far as is known: columns `start_earliest`, `start_latest`,
    `end_earliest`, `end_latest` (dates). An end that is not known is null, but it did not come before the last day on which the measure was
    seen in force (`seen_until`); a start that is not known is null.

    An entry superseded by adopted ones ends, at the latest, the day before the first of them starts; if its own end is not known, it is
    taken to have run until then.
    """
    bounded = measures.mutate(
        **{f"{name}_earliest": _first_day(measures[name]) for name in ("start", "end")},
        **{f"{name}_latest": _last_day(measures[name]) for name in ("start", "end")},
    )
    if "seen_until" in measures.columns:
        bounded = bounded.mutate(end_earliest=ibis.coalesce(bounded.end_earliest, bounded.seen_until.cast("date")))
    if "supersedes" not in measures.columns:
        return bounded
    day = ibis.interval(days=1)
    heirs = bounded.filter(_.status.isin(adopted_statuses()), _.start_earliest.notnull(), _.supersedes.notnull())
    heirs = heirs.select(
        id=_.supersedes.unnest(), heir_earliest=(_.start_earliest - day).cast("date"), heir_latest=(_.start_latest - day).cast("date")
    )
    first = heirs.group_by(former=_.id).agg(heir_earliest=_.heir_earliest.min(), heir_latest=_.heir_latest.min())
    joined = bounded.left_join(first, bounded.id == first.former)
    # `least` passes over nulls on one engine and not on another, so they are filled first
    ends = {
        f"end_{bound}": ibis.ifelse(
            joined[f"heir_{bound}"].isnull(), joined[f"end_{bound}"],
            ibis.least(joined[f"end_{bound}"].fill_null(FOREVER), joined[f"heir_{bound}"].fill_null(FOREVER)),
        )
        for bound in ("earliest", "latest")
    }  # fmt: skip
    return joined.mutate(**ends).select(*bounded.columns)


def _first_day(partial: ibis.Value) -> ibis.Value:
    return partial.concat(ibis.cases((partial.length() == 4, "-01-01"), (partial.length() == 7, "-01"), else_="")).cast("date")


def _last_day(partial: ibis.Value) -> ibis.Value:
    first = _first_day(partial)
    year, month = first + ibis.interval(years=1), first + ibis.interval(months=1)
    day = ibis.interval(days=1)
    return ibis.cases((partial.length() == 4, (year - day).cast("date")), (partial.length() == 7, (month - day).cast("date")), else_=first)


def spans(measures: ibis.Table, *, reading: Reading) -> ibis.Table:
    """Adopted measures with a known start, with the first and last day in force under that reading and their dose.

    measures: the contract with bounds -> the same columns and begun, over (dates), dose: 0-100, 100 x (strength - half a step if not
    general) / 4, the sub-index formula of OxCGRT (Hale et al. 2021). A span may be empty: begun after over.
    """
    adopted = measures.filter(_.status.isin(adopted_statuses()), _.start_earliest.notnull())
    if reading == "certain":
        begun, over = adopted.start_latest, ibis.coalesce(adopted.end_earliest, adopted.start_latest)
    else:
        begun, over = adopted.start_earliest, ibis.coalesce(adopted.end_latest, ibis.literal(FOREVER))
    step = ibis.ifelse(adopted.general, 0.0, 0.5)
    return adopted.mutate(begun=begun.cast("date"), over=over.cast("date"), dose=100 * (adopted.strength - step) / STRONGEST)


def as_days(collected: pd.DataFrame) -> pd.DataFrame:
    """A table of `spans` in memory with `begun` and `over` as days of Python, as portfolios and rules compare them; no end is FOREVER."""
    days = {name: pd.to_datetime(collected[name], errors="coerce").fillna(pd.Timestamp(FOREVER)).dt.date for name in ("begun", "over")}
    return collected.assign(**days)


def state(measures: ibis.Table, on: date, *, reading: Reading) -> ibis.Table:
    """What was in force on a day -> the columns of `spans`, a row a measure."""
    return spans(measures, reading=reading).filter(_.begun <= on, _.over >= on)


def events(measures: ibis.Table, *, reading: Reading) -> ibis.Table:
    """What changed on which day -> day, id, row, change: 1 on the first day in force, -1 on the day after the last one."""
    real = spans(measures, reading=reading).filter(_.begun <= _.over)
    begins = real.select("id", "row", day=_.begun, change=ibis.literal(1))
    ended = real.filter(_.over < FOREVER)
    ends = ended.select("id", "row", day=(_.over + ibis.interval(days=1)).cast("date"), change=ibis.literal(-1))
    return ibis.union(begins, ends).select("day", "id", "row", "change")


def replay(changes: ibis.Table, on: date) -> ibis.Table:
    """The ids in force on a day, by playing the events up to it -> id, row. The law it must keep: the same ids as `state`."""
    return changes.filter(_.day <= on).group_by("id", "row").agg(balance=_.change.sum()).filter(_.balance > 0).drop("balance")
