"""Moves inside a country: arrivals, departures and net of each region and year, with rates where the population is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
from ibis import _

if TYPE_CHECKING:
    from collections.abc import Sequence


def regional_net(flow: ibis.Table, country: str, regions: Sequence[str], *, scope: str = "internal") -> ibis.Table:
    """Arrivals, departures and net of each region and calendar year.

    flow: rows of the scope between `country` and its `regions`; a year is taken from annual rows where the publisher gives them, else
    added up from its twelve months (`from_months`). -> region, year, arrivals, departures, net (persons), from_months, rows.
    """
    whole = flow.filter(_.sex.isnull(), _.age.isnull(), _.citizenship.isnull(), _.scope == scope, _.status != "derived")
    moves = whole.filter((_.origin == country) ^ (_.destination == country))
    ends = moves.mutate(
        region=ibis.ifelse(_.origin == country, _.destination, _.origin), arriving=_.origin == country, year=_.period_start.year(),
        months=(_.period_end.year() - _.period_start.year()) * 12 + _.period_end.month() - _.period_start.month() + 1,
    ).filter(_.months.isin([1, 12]), _.region.isin(list(regions)), _.period_end.year() == _.year)  # fmt: skip
    by_length = ends.group_by("region", "year", "months").agg(
        arrivals=_.persons.sum(where=_.arriving), departures=_.persons.sum(where=~_.arriving), parts=_.count(where=_.arriving),
        others=_.count(where=~_.arriving), spans=_.period_start.nunique(), rows=_.row.collect(),
    )  # fmt: skip
    # each span once and none missing: a month printed twice does not stand for one that was not printed
    complete = by_length.filter(_.parts * _.months == 12, _.others * _.months == 12, _.spans * _.months == 12)
    first = complete.mutate(place=ibis.row_number().over(group_by=["region", "year"], order_by=ibis.desc("months"))).filter(_.place == 0)
    return first.select("region", "year", "arrivals", "departures", "rows", net=_.arrivals - _.departures, from_months=_.months == 1)


def mean_population(stock: ibis.Table) -> ibis.Table:
    """Population of each area and year, the mean of 1 January and of the next 1 January; null where one of them is missing.

    stock: basis all_residents, category total, the latest vintage of each date -> area, year, population (persons), rows.
    """
    on_1_january = _.ref_date.re_search(r"^\d{4}(-01-01)?$")
    totals = stock.filter(_.basis == "all_residents", _.category.fill_null("total") == "total", on_1_january)
    latest = totals.mutate(
        rank=ibis.row_number().over(
            group_by=["residence", "ref_date"],
            order_by=[ibis.desc(_.vintage.fill_null("")), _.qualifier.fill_null("exact") != "exact", _.row],
        )
    ).filter(_.rank == 0)
    counted = latest.select("persons", "row", area=_.residence, year=_.ref_date.left(4).cast("int64"))
    following = counted.select("area", year=_.year - 1, after=_.persons, after_row=_.row)
    joined = counted.join(following, ["area", "year"])
    return joined.select("area", "year", population=(_.persons + _.after) / 2, rows=ibis.array([_.row, _.after_row]))


def with_rates(net: ibis.Table, population: ibis.Table) -> ibis.Table:
    """Add `net_per_1000`, net moves per 1,000 mean population; null where the population is not known."""
    people = population.select(region=_.area, year=_.year, population=_.population, people_rows=_.rows)
    joined = net.left_join(people, ["region", "year"])
    return joined.select(*net.columns, "population", "people_rows", net_per_1000=1000 * _.net / _.population)
