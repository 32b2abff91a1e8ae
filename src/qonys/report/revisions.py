"""Charts of provisional migration flows: what was said of each month at first, and what it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from qonys.report.charts import Chart, interval_lines

if TYPE_CHECKING:
    from qonys.i18n.lookup import Words

DIRECTIONS = ("arrival", "departure")


def revision_charts(revisions: pd.DataFrame, say: Words, *, months_since: int = 0) -> dict[str, Chart]:
    """For each direction a chart over the months of crossing: the figure given so many months later with its interval, and the final one.

    revisions: as `borders.Nowcast` has them. Months without a figure are gaps. A direction without any has no chart.
    """
    found = {}
    for direction in DIRECTIONS:
        mine = revisions[revisions["direction"] == direction]
        first = mine[mine["months_since"] == months_since]
        final = mine.dropna(subset=["final"]).drop_duplicates("month", keep="last")
        if first.empty:
            continue
        points = [("first", one.month, one.value, one.low, one.high) for one in first.itertuples()]
        points += [("final", one.month, one.final, None, None) for one in final.itertuples()]
        rows = pd.DataFrame(
            {"x": month.strftime("%Y-%m"), "series": name, "label": say.plain(f"series.revision_{name}"), "value": value, "low": low,
             "high": high}
            for name, month, value, low, high in points
        )  # fmt: skip
        title = say.plain(f"figure.revisions_{direction}")
        found[direction] = interval_lines(
            rows, title=title, desc=title, prefix=f"revisions-{direction}",
            unit=say.plain("unit.name.persons"), number_format=say.number, locale=say.language,
        )  # fmt: skip
    return found
