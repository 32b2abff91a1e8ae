"""Migration flows out of classified crossings: arrivals and departures by month or year, provisional while a crossing is undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import ibis
from ibis import _

if TYPE_CHECKING:
    from datetime import date

BY = ("citizenship", "sex", "age")
AGE_GROUP = 5  # years
OLDEST = 85


def border_flows(
    classified: ibis.Table, *, country: str, vintage: date, source: str = "border_records", period: Literal["month", "year"] = "month",
    by: tuple[str, ...] = (),
) -> ibis.Table:  # fmt: skip
    """Migrant arrivals and departures of each period -> the contract `flow`, and `undecided`, crossings of the period not yet known.

    classified: the contract; country: whose border it is; vintage: the last day of the data; by: citizenship, sex, age (groups of five
    years at the end of the year of crossing, 85+). Flows run between the country and WORLD, counted as movers, basis previous or next
    residence. status: `final` if every crossing of the period is decided for good, else `provisional`: then persons are those surely
    known to have migrated, and at most `undecided` more will prove to have.
    """
    dated = classified.filter(_.fault.isnull() | _.fault.notin(["after_end", "too_early", "repeated"]))
    start = _.at.truncate("M" if period == "month" else "Y").cast("date")
    length = ibis.interval(months=1) if period == "month" else ibis.interval(years=1)
    dated = dated.mutate(period_start=start, arriving=_.direction == "entry")
    if "age" in by:
        years = dated.at.year() - dated.birth_year
        low = (years // AGE_GROUP) * AGE_GROUP
        group = ibis.cases((years >= OLDEST, f"{OLDEST}+"), else_=low.cast("string").concat("-", (low + AGE_GROUP - 1).cast("string")))
        dated = dated.mutate(age=ibis.ifelse(years.between(0, 130), group, ibis.null("string")))
    columns = {name: dated[name] if name in by else ibis.null("string") for name in BY}
    counted = dated.mutate(**columns).group_by("period_start", "arriving", *BY).agg(
        persons=_.long_term.fill_null(False).cast("int64").sum().cast("float64"), undecided=_.long_term.isnull().cast("int64").sum(),
    )  # fmt: skip
    last = (_.period_start + length - ibis.interval(days=1)).cast("date")
    return counted.filter((_.persons > 0) | (_.undecided > 0)).select(
        *BY, "period_start", "persons", "undecided",
        origin=ibis.ifelse(_.arriving, ibis.literal("WORLD"), ibis.literal(country)),
        destination=ibis.ifelse(_.arriving, ibis.literal(country), ibis.literal("WORLD")), period_end=last,
        basis=ibis.ifelse(_.arriving, ibis.literal("previous_residence"), ibis.literal("next_residence")), counted=ibis.literal("movers"),
        source=ibis.literal(source), vintage=ibis.literal(vintage.isoformat()), scope=ibis.literal("external"),
        status=ibis.ifelse((_.undecided == 0) & (last <= ibis.literal(vintage)), "final", "provisional"),
    )  # fmt: skip
