"""Annual series of immigration and emigration out of a flow table that may hold several reports of the same year.

Where sources disagree all rows stay: `annual_totals` ranks them, the first is used, `disagreements` lists the others beside it.
"""

from __future__ import annotations

import ibis
from ibis import _

# Final before estimates, estimates before first releases; within a status the later vintage, then the exact before the rounded.
STATUS_ORDER = ("final", "as_published", "estimate", "provisional", "first_release", "derived")


def annual_totals(flow: ibis.Table) -> ibis.Table:
    """Inflow and outflow of each area and whole calendar year from or to the whole world, one row a report.

    flow: the contract, scope external -> area, year, direction (`inflow`/`outflow`), persons, status, qualifier, source, vintage,
    row, rank (0: the report that is used).
    """
    year = _.period_start.year()
    whole = flow.filter(
        _.scope.fill_null("external") == "external",
        _.period_start.month() == 1, _.period_start.day() == 1, _.period_end.month() == 12, _.period_end.day() == 31,
        _.period_start.year() == _.period_end.year(), _.sex.isnull(), _.age.isnull(), _.citizenship.isnull(),
    )  # fmt: skip
    kept = ("persons", "status", "qualifier", "source", "vintage", "row")
    inflow = whole.filter(_.origin == "WORLD").select(*kept, area=_.destination, year=year, direction=ibis.literal("inflow"))
    outflow = whole.filter(_.destination == "WORLD").select(*kept, area=_.origin, year=year, direction=ibis.literal("outflow"))
    both = ibis.union(inflow, outflow)
    order = _.status.cases(*((status, place) for place, status in enumerate(STATUS_ORDER)), else_=len(STATUS_ORDER))
    best_first = [order, ibis.desc(_.vintage.fill_null("")), (_.qualifier.fill_null("exact") != "exact"), _.row]
    return both.mutate(rank=ibis.row_number().over(group_by=["area", "year", "direction"], order_by=best_first))


def annual_series(flow: ibis.Table, areas: list[str], first: int, last: int) -> ibis.Table:
    """Inflow, outflow and net of each area and year, from the report that is used; what is not published is null.

    -> area, year, inflow, outflow, net (persons), rows (the rows used). Net is null unless both sides are published.
    """
    used = annual_totals(flow).filter(_.rank == 0, _.area.isin(areas), _.year >= first, _.year <= last)
    return used.group_by("area", "year").agg(
        inflow=_.persons.sum(where=_.direction == "inflow"),
        outflow=_.persons.sum(where=_.direction == "outflow"),
        net=_.persons.sum(where=_.direction == "inflow") - _.persons.sum(where=_.direction == "outflow"),
        rows=_.row.collect(),
    )


def disagreements(flow: ibis.Table, areas: list[str], first: int, last: int) -> ibis.Table:
    """Every other report of a year beside the one used, with the difference.

    -> area, year, direction, used, other (persons), difference = other - used, percent of used, source, status, qualifier, row, used_row.
    Reports that agree are left out.
    """
    totals = annual_totals(flow).filter(_.area.isin(areas), _.year >= first, _.year <= last)
    used = totals.filter(_.rank == 0).select("area", "year", "direction", used=_.persons, used_row=_.row)
    others = totals.filter(_.rank > 0).join(used, ["area", "year", "direction"])
    return others.filter(_.persons != _.used).select(
        "area", "year", "direction", "used", "source", "status", "qualifier", "row", "used_row", other=_.persons,
        difference=_.persons - _.used, percent=100 * (_.persons - _.used) / _.used.nullif(0),
    )  # fmt: skip
