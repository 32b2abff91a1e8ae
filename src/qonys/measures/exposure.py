"""The compiler from legal act to exposure: which corridor was under which measures in which period, and how strongly.

Classes that are under the same measures on the same days have the same path through time, so each path is worked out once (`_paths`), and
corridors look theirs up. That keeps a hundred thousand corridor-months at the cost of a few hundred paths.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import pandas as pd
from ibis import _

from qonys.core.errors import DataError
from qonys.core.periods import period_of
from qonys.measures.reach import reach

if TYPE_CHECKING:
    from qonys.measures.history import Reading


def days_between(first: date, last: date, by: str) -> ibis.Table:
    """Every day from `first` to `last` with its period -> day, period, days_in_period (of these days). `by`: day, week or month.

    Errors: DataError if the last day comes before the first.
    """
    if last < first:
        raise DataError(f"the period ends on {last}, before it begins on {first}", mend="exchange the two days")
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    frame = pd.DataFrame({"day": days, "period": [period_of(day, by) for day in days]})
    frame["days_in_period"] = frame.groupby("period")["day"].transform("size")
    return ibis.memtable(frame, schema={"day": "date", "period": "string", "days_in_period": "int64"})


def exposure(
    measures: ibis.Table, classes: ibis.Table, days: ibis.Table, *,
    reading: Reading, direction: str = "tightening", pooled: bool = False, off_rows: bool = True,
) -> ibis.Table:  # fmt: skip
    """The contract `exposure`: a row for every corridor, category and period.

    measures: the contract with bounds; classes: origin, destination, category, citizenship, weight (see `reach.people`; weights of a
    stock or a flow make `covered_share` and `dose` those of the people who move); days: see `days_between`. `pooled` takes the categories
    of a corridor together, as `all`, which needs weights by category to mean much. Without `off_rows` periods with no measure in force are
    left out.

    On a day, dose of a class is that of the strongest measure that reaches it; of a corridor, the mean over its people:
        dose(day) = sum over classes of weight x dose / sum of weights;  covered(day) = the share of weight with a measure
    Of a period: dose is the mean over its days, covered_share the mean over the days it was on (0 where it never was).
    """
    reached = reach(measures, classes, reading=reading, unreached=False).filter(_.direction == direction)
    names = [reached.id, reached.via.fill_null(""), *(reached[name].cast("string") for name in ("begun", "over", "dose"))]
    reached = reached.mutate(act=ibis.literal("|").join(names))
    acts = reached.group_by("act").agg(
        id=_.id.min(), via=_.via.min(), begun=_.begun.min(), over=_.over.min(), dose=_.dose.min(), announced=_.announced.min(),
        conditions=_.conditions.arbitrary(),
    )  # fmt: skip
    kind = ["origin", "destination", "category", "citizenship"]
    corridor = kind[:2] if pooled else kind[:3]
    weighed = classes.group_by(kind).agg(weight=_.weight.sum())
    whole = weighed.group_by(corridor).agg(total=_.weight.sum()).filter(_.total > 0)
    path_of = reached.group_by(kind).agg(path=_.act.collect(distinct=True).sort().join(";"))
    shares = path_of.join(weighed, kind).join(whole, corridor)
    shares = shares.group_by(*corridor, "path").agg(share=(_.weight / _.total).sum())
    # a bundle: which shares of a corridor's people are on which path; most corridors have the same few
    bundle_of = shares.mutate(part=_.share.round(9).cast("string").concat("=", _.path)).group_by(corridor).agg(
        bundle=_.part.collect(distinct=True).sort().join("&"))  # fmt: skip
    parts = bundle_of.join(shares, corridor).group_by("bundle", "path").agg(share=_.share.min())
    found = bundle_of.join(_periods(_daily(parts, acts, days)), "bundle").drop("bundle").mutate(on=ibis.literal(True))
    if off_rows:
        grid = whole.select(*corridor).cross_join(days.select("period").distinct())
        keys = [*corridor, "period"]
        other = found.rename({f"_{key}": key for key in keys})
        found = grid.left_join(other, [grid[key] == other[f"_{key}"] for key in keys]).drop(*(f"_{key}" for key in keys))
        nobody = {"dose": 0.0, "covered_share": 0.0, "days": 0, "on": False}
        found = found.mutate(**{name: found[name].fill_null(value) for name, value in nobody.items()})
    if pooled:
        found = found.mutate(category=ibis.literal("all"))
    return found.mutate(direction=ibis.literal(direction)).select(
        "origin",
        "destination",
        "category",
        "period",
        "on",
        "dose",
        "covered_share",
        "measure_ids",
        "direction",
        "days",
        "first_day",
        "last_day",
        "announced",
        "conditions",
    )


def _daily(parts: ibis.Table, acts: ibis.Table, days: ibis.Table) -> ibis.Table:
    """Each act of each path of each bundle on each day it was in force -> bundle, path, share, the columns of acts and days."""
    of_path = parts.select("path").distinct().mutate(act=_.path.split(";")).mutate(act=lambda t: t.act.unnest()).join(acts, "act")
    force = of_path.join(days, [of_path.begun <= days.day, of_path.over >= days.day])
    return parts.join(force, "path")


def _periods(daily: ibis.Table) -> ibis.Table:
    """Each bundle in each period in which it was on -> bundle, period, days, first_day, last_day, dose, covered_share, measure_ids, ..."""
    of_people = daily.group_by("bundle", "path", "day", "period").agg(
        days_in_period=_.days_in_period.max(), share=_.share.max(), dose=_.dose.max()
    )
    of_day = of_people.group_by("bundle", "day", "period").agg(
        days_in_period=_.days_in_period.max(), covered=_.share.sum(), dose=(_.share * _.dose).sum()
    )
    figures = of_day.group_by("bundle", "period").agg(
        days=_.day.nunique(), first_day=_.day.min(), last_day=_.day.max(), dose=_.dose.sum() / _.days_in_period.max(),
        covered_share=_.covered.mean(),
    )  # fmt: skip
    names = daily.select("bundle", "period", "id", "via", "announced", "conditions").distinct()
    ids = ibis.union(names.select("bundle", "period", "id"), names.filter(_.via.notnull()).select("bundle", "period", id=_.via))
    named = ids.group_by("bundle", "period").agg(measure_ids=_.id.collect(distinct=True).sort())
    spoken = names.group_by("bundle", "period").agg(announced=_.announced.min())
    let_off = names.mutate(one=_.conditions.unnest()).group_by("bundle", "period").agg(conditions=_.one.collect(distinct=True).sort())
    keys = ["bundle", "period"]
    return figures.join(named, keys).join(spoken, keys).left_join(let_off, keys).drop("bundle_right", "period_right")
