"""Foreign labour: stocks on permits, quotas, permits issued; and the return of ethnic repatriates. What is published, gaps shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from ibis import _

from qonys.core.results import Measured, Result, addresses
from qonys.studies.tables import Tables, collect, needed

if TYPE_CHECKING:
    import ibis

    from qonys.studies.definition import Study


def foreign_labour(tables: Tables, study: Study) -> list[Result]:
    """Persons on work permits at each published date, by citizenship and category; quotas; permits issued to labour immigrants."""
    stock, figure = needed(tables, "foreign_labour", "stock", "figure")
    at_work = stock.filter(_.basis == "citizenship", _.residence.isin(list(study.areas)))
    rows = collect(at_work.select("ref_date", "characteristic", "category", "persons", "qualifier", "source", "row"), "ref_date", "row")
    rows.insert(0, "id", [f"{r.ref_date}.{r.characteristic}.{r.category}" for r in rows.itertuples()])
    rows = rows.drop_duplicates("id", keep="first").reset_index(drop=True)  # the same date reported twice alike
    rows["inputs"] = [[f"stock/{row}"] for row in rows.pop("row")]
    permits = published("labour_permits", figure, r"^labour_immigrant\.permits")
    years = sorted({end[:4] for end in permits.rows["period_end"].dropna()})
    summary = {"id": "all", "figures": len(permits.rows), "years": len(years), "inputs": addresses("labour_permits", permits.rows["id"])}
    counts = {"figures": Measured(unit="figures", formula="count"), "years": Measured(unit="years", formula="count")}
    return [
        Result("foreign_labour", rows, {"persons": Measured(unit="persons")}),
        published("labour_quota", figure, r"^(foreign_labour\.(quota|number)|labour_immigrant\.quota)$"),
        permits,
        Result("labour_permit_counts", pd.DataFrame([summary]), counts),
    ]


def published(name: str, figure: ibis.Table, pattern: str) -> Result:
    """Figures whose indicator matches, as printed: id, indicator, breakdown, period, qualifier, value, value_max."""
    chosen = figure.filter(_.indicator.re_search(pattern)).select(
        "id",
        "indicator",
        "breakdown",
        "period_start",
        "period_end",
        "qualifier",
        "unit",
        "value",
        "value_max",
        "source",
        "vintage",
        "note",
        "row",
    )
    rows = collect(chosen, "period_start", "row")
    return Result(name, _traced(rows), {"value": Measured(unit="as_row"), "value_max": Measured(unit="as_row")})


def _traced(rows: pd.DataFrame) -> pd.DataFrame:
    rows["inputs"] = [[f"figure/{row}"] for row in rows.pop("row")]
    return rows.reset_index(drop=True)


def ethnic_return(tables: Tables, study: Study) -> list[Result]:
    """Ethnic repatriates: status granted by period, cumulative totals since independence, origins in the totals."""
    (figure,) = needed(tables, "ethnic_return", "figure")
    del study
    return [published("kandas", figure, r"^kandas\.(granted_the_status|returned_since_1991_cumulative|returned_since_1991_by_origin)")]
