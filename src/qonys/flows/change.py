"""Before, in and after a shock: means of inflow over three spans of years, and the change against the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
from ibis import _

if TYPE_CHECKING:
    from collections.abc import Sequence


def change_about(series: ibis.Table, *, before: Sequence[int], during: Sequence[int], after: Sequence[int]) -> ibis.Table:
    """Mean inflow of each area before, during and after, and the percent change against before.

    series: area, year, inflow, rows (see `annual_series`) -> area, before, during, after (persons a year), during_change, after_change
    (percent of before), rows. A span with a missing year is null: no mean is taken over what happens to be there.
    """
    spans = {"before": before, "during": during, "after": after}
    means = {}
    for name, years in spans.items():
        inside = _.year.isin(list(years))
        complete = _.inflow.count(where=inside) == len(years)
        means[name] = ibis.ifelse(complete, _.inflow.mean(where=inside), ibis.null("float64"))
    used = series.filter(_.year.isin([year for years in spans.values() for year in years]))
    table = used.group_by("area").agg(**means, rows=_.rows.collect())
    return table.mutate(
        during_change=100 * (_.during / _.before.nullif(0) - 1),
        after_change=100 * (_.after / _.before.nullif(0) - 1),
        rows=_.rows.flatten(),
    )
