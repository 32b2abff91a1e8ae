"""From dated measures to what was in force on a day, and how much of a month it covered, by issuer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pandas as pd
from ibis import _

from qonys.core.periods import days_of_month, months
from qonys.measures.history import Reading, spans

if TYPE_CHECKING:
    from collections.abc import Sequence


def calendar(first: str, last: str) -> ibis.Table:
    """Every day of the months from `first` to `last` -> day (date), month ("2020-03"), days_in_month."""
    days = [(day, month, len(whole)) for month in months(first, last) for whole in [days_of_month(month)] for day in whole]
    return ibis.memtable(
        pd.DataFrame(days, columns=["day", "month", "days_in_month"]), schema={"day": "date", "month": "string", "days_in_month": "int64"}
    )


def in_force(measures: ibis.Table, days: ibis.Table, *, reading: Reading) -> ibis.Table:
    """Each measure on each day it was in force under that reading -> issuer, id, row, day, month, days_in_month, dose.

    measures: the contract with bounds; see `history.with_bounds` for these, `history.spans` for the readings and the dose.
    """
    real = spans(measures, reading=reading).select("issuer", "id", "row", "begun", "over", "dose")
    return real.join(days, [real.begun <= days.day, real.over >= days.day]).select(
        "issuer", "id", "row", "day", "month", "days_in_month", "dose"
    )


def month_shares(force: ibis.Table) -> ibis.Table:
    """Share of each month's days on which at least one of the measures was in force.

    force: see `in_force` -> issuer, month, days (count), share (0-1), rows (measures behind it).
    """
    return force.group_by("issuer", "month").agg(
        days=_.day.nunique(), share=_.day.nunique() / _.days_in_month.max(), rows=_.row.collect(distinct=True)
    )


def month_doses(force: ibis.Table) -> ibis.Table:
    """Mean over each month's days of the strongest measure in force; days without a measure count zero.

    force: see `in_force` -> issuer, month, dose (0-100), rows (measures behind it).
    """
    daily = force.group_by("issuer", "month", "day").agg(
        days_in_month=_.days_in_month.max(), dose=_.dose.max(), rows=_.row.collect(distinct=True)
    )
    return daily.group_by("issuer", "month").agg(dose=_.dose.sum() / _.days_in_month.max(), rows=_.rows.collect())


def complete_panel(values: pd.DataFrame, issuers: Sequence[str], first: str, last: str, value: str) -> pd.DataFrame:
    """One row for every issuer and month; an issuer without a measure in a month has zero there, not a gap: the register was read for it.

    values: issuer, month, `value`, rows (collected) -> area, period, `value`, rows.
    """
    grid = pd.MultiIndex.from_product([sorted(issuers), list(months(first, last))], names=["issuer", "month"])
    panel = values.set_index(["issuer", "month"]).reindex(grid).reset_index()
    panel[value] = panel[value].fillna(0.0)
    panel["rows"] = [sorted({row for part in rows for row in (part if isinstance(part, list) or hasattr(part, "tolist") else [part])})
                     if hasattr(rows, "__iter__") else [] for rows in panel["rows"]]  # fmt: skip
    return panel.rename(columns={"issuer": "area", "month": "period"})[["area", "period", value, "rows"]]
