"""Migration flows out of classified crossings: arrivals and departures by month or year, provisional while a crossing is undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import ibis
import numpy as np
import pandas as pd
from ibis import _

from qonys.border.disclosure import CELL_KEY, Method, cell_key, protect

if TYPE_CHECKING:
    from datetime import date

Period = Literal["month", "year"]
BY = ("citizenship", "sex", "age")
AGE_GROUP = 5  # years
OLDEST = 85
UNCOUNTED = ("after_end", "too_early", "repeated")  # faults of records that are no crossings of their own
UNDECIDED_KEY, KNOWN_KEY = "undecided_key", "known_key"
OTHER_KEYS = {"undecided": UNDECIDED_KEY, "known": KNOWN_KEY}  # of the counts beside persons
KEYS = ["period_start", "period_end", *BY]


def counted(classified: ibis.Table, *, period: Period, by: tuple[str, ...] = ()) -> ibis.Table:
    """The rows that flows count, with what names their cell -> the columns given, `period_start`, `arriving`, and those of `BY`.

    Of `by`: citizenship, sex, age (groups of five years at the end of the year of crossing, 85+); what is not split by is empty. An unknown
    age, as of a person without a year of birth or one above 130, is empty too.
    """
    dated = classified.filter(_.fault.isnull() | _.fault.notin(UNCOUNTED))
    dated = dated.mutate(period_start=_.day.truncate("M" if period == "month" else "Y"), arriving=_.direction == "entry")
    if "age" in by:
        years = dated.day.year() - dated.birth_year
        low = (years // AGE_GROUP) * AGE_GROUP
        group = ibis.cases((years >= OLDEST, f"{OLDEST}+"), else_=low.cast("string").concat("-", (low + AGE_GROUP - 1).cast("string")))
        dated = dated.mutate(age=ibis.ifelse(years.between(0, 130), group, ibis.null("string")))
    return dated.mutate(**{name: dated[name].cast("string") if name in by else ibis.null("string") for name in BY})


def border_flows(
    classified: ibis.Table, *, country: str, vintage: date, source: str = "border_records", period: Period = "month",
    by: tuple[str, ...] = (),
) -> ibis.Table:  # fmt: skip
    """Migrant arrivals and departures of each period -> the contract `flow`; `undecided`, crossings of the period not yet known; and the
    keys of both counts, for `protected`.

    classified: the contract; country: whose border it is; vintage: the last day of the data; by: as in `counted`. Flows run between the
    country and WORLD, counted as movers, basis previous or next residence. status: `final` if every crossing of the period is decided for
    good, else `provisional`: then persons are those surely known to have migrated, and at most `undecided` more will prove to have.
    """
    length = ibis.interval(months=1) if period == "month" else ibis.interval(years=1)
    rows = counted(classified, period=period, by=by)
    migrated = rows.long_term.fill_null(False)
    sums = rows.group_by("period_start", "arriving", *BY).agg(
        persons=migrated.cast("int64").sum().cast("float64"), undecided=rows.long_term.isnull().cast("int64").sum(),
        **{CELL_KEY: cell_key(rows.person_id, where=migrated), UNDECIDED_KEY: cell_key(rows.person_id, where=rows.long_term.isnull())},
    )  # fmt: skip
    last = (_.period_start + length - ibis.interval(days=1)).cast("date")
    return sums.filter((_.persons > 0) | (_.undecided > 0)).select(
        *BY, "period_start", "persons", "undecided", CELL_KEY, UNDECIDED_KEY,
        origin=ibis.ifelse(_.arriving, ibis.literal("WORLD"), ibis.literal(country)),
        destination=ibis.ifelse(_.arriving, ibis.literal(country), ibis.literal("WORLD")), period_end=last,
        basis=ibis.ifelse(_.arriving, ibis.literal("previous_residence"), ibis.literal("next_residence")), counted=ibis.literal("movers"),
        source=ibis.literal(source), vintage=ibis.literal(vintage.isoformat()), scope=ibis.literal("external"),
        status=ibis.ifelse((_.undecided == 0) & (last <= ibis.literal(vintage)), "final", "provisional"),
    )  # fmt: skip


def protected(flows: pd.DataFrame, *, by: tuple[str, ...], method: Method = "cell_key", bounds: tuple[str, ...] = ()) -> pd.DataFrame:
    """Flows fit to be published: arrivals and departures, the undecided of both and, where it is given, the `known` part of persons, each
    protected by its own key (see `disclosure`).

    bounds: columns moved by the noise of persons, as the ends of its interval.
    """
    others = {name: key for name, key in OTHER_KEYS.items() if name in flows.columns}
    names, parts = ["period_start", *by], []
    for _destination, part in flows.groupby("destination", sort=True):
        whole = part.reset_index(drop=True)
        shown = protect(whole.drop(columns=[*others, *others.values()]), method=method, by=names, also=bounds)
        for name, key in others.items():
            cells = whole[[*names, name, key]].rename(columns={key: CELL_KEY})
            shown[name] = protect(cells, method=method, count=name, by=names)[name]
        parts.append(shown)
    empty = flows.drop(columns=[CELL_KEY, *others.values()]).assign(disclosure=method)
    return pd.concat(parts, ignore_index=True) if parts else empty


def net(flows: pd.DataFrame) -> pd.DataFrame:
    """Arrivals less departures -> period_start, period_end, what else names a cell, arrivals, departures, net, low, high, status.

    flows: as `border_flows`, protected or not, with `low` and `high` where they have intervals: the ends of the net's are as far from it as
    the root of both distances squared, since arrivals and departures err apart. Without them the bounds are certain: all undecided
    arrivals and no undecided departures, or the reverse. Empty where a part is hidden. final: both are.
    """
    arriving = flows["origin"] == "WORLD"
    known = {"low", "high"} <= set(flows.columns)
    columns = ["persons", "status", *(("low", "high") if known else ("undecided",))]
    sides = [flows[mine].set_index(KEYS)[columns] for mine in (arriving, ~arriving)]
    both = sides[0].join(sides[1], how="outer", lsuffix="_in", rsuffix="_out").reset_index()
    for side, other in (("_in", "_out"), ("_out", "_in")):
        absent = both[f"status{side}"].isna()  # nobody went that way, and nobody may have
        for name in columns:
            both.loc[absent, f"{name}{side}"] = both.loc[absent, f"status{other}"] if name == "status" else 0
    number = {name: pd.to_numeric(both[name]).astype("Float64") for name in both.columns if name.startswith(("persons", *columns[2:]))}
    arrivals, departures = number["persons_in"], number["persons_out"]
    if known:
        below = np.sqrt((arrivals - number["low_in"]) ** 2 + (number["high_out"] - departures) ** 2)
        above = np.sqrt((number["high_in"] - arrivals) ** 2 + (departures - number["low_out"]) ** 2)
    else:
        below, above = number["undecided_out"], number["undecided_in"]
    middle = arrivals - departures
    final = (both["status_in"] == "final") & (both["status_out"] == "final")
    return both[KEYS].assign(
        arrivals=arrivals, departures=departures, net=middle, low=np.floor(middle - below), high=np.ceil(middle + above),
        status=np.where(final, "final", "provisional"),
    )  # fmt: skip
