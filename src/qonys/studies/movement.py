"""What moved: the questions about flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from ibis import _

from qonys.core.areas import areas as area_list
from qonys.core.errors import DesignError
from qonys.core.results import Measured, Result, addresses
from qonys.flows import annual_series, change_about, disagreements, mean_population, regional_net, with_rates
from qonys.measures import chronological
from qonys.studies.tables import Tables, collect, inputs, needed, study_areas

if TYPE_CHECKING:
    import ibis

    from qonys.studies.definition import Study

PERSONS = Measured(unit="persons")
PERCENT = Measured(unit="percent", formula="percent_change", decimals=1)


def external(tables: Tables, study: Study) -> list[Result]:
    """Immigrants, emigrants and net of each area and year; every other report of a year; the UN estimate beside the registered net."""
    flow, figure, measure = needed(tables, "external", "flow", "figure", "measure")
    areas = study_areas(study)
    series = collect(annual_series(flow, areas, study.first, study.last), "area", "year")
    if series["net"].isna().all():
        raise DesignError(
            f"no year has both immigration and emigration of {', '.join(study.areas)}",
            mend="add a flow table from and to WORLD, or change areas, first and last",
        )
    years = pd.MultiIndex.from_product([areas, range(study.first, study.last + 1)], names=["area", "year"])
    series = series.set_index(["area", "year"]).reindex(years).reset_index()
    series.insert(0, "id", series["area"] + "." + series["year"].astype(str))
    series["inputs"] = inputs("flow", series.pop("rows"))
    results = [
        Result("external", series, {"inflow": PERSONS, "outflow": PERSONS, "net": Measured(unit="persons", formula="inflow_less_outflow")}),
        _summary(series, study),
        _other_reports("external_other_reports", flow, areas, study),
        *_beside_un(series, figure, areas),
    ]
    drawn = study.option("external", "measures", [])
    if drawn:
        results.append(_drawn_measures(measure, drawn))
    return results


def _summary(series: pd.DataFrame, study: Study) -> Result:
    """Sums over the period, the change into the shock year, the first and the last year published."""
    shock = study.option("external", "shock", 2020)
    rows = []
    for area, own in series.groupby("area", sort=False):
        both = own.dropna(subset=["net"])
        if both.empty:
            continue
        by_year = both.set_index("year")
        row = {
            "id": area, "area": area, "first_year": both["year"].min(), "last_year": both["year"].max(), "years": len(both),
            "inflow_sum": both["inflow"].sum(), "outflow_sum": both["outflow"].sum(), "net_sum": both["net"].sum(),
            "years_of_loss": int((both["net"] < 0).sum()), "net_last": by_year["net"].iloc[-1], "shock_year": shock,
            "inputs": addresses("external", both["id"]),
        }  # fmt: skip
        for side in ("inflow", "outflow"):
            known = {shock - 1, shock} <= set(by_year.index)
            row[f"{side}_shock"] = 100 * (by_year[side][shock] / by_year[side][shock - 1] - 1) if known else None
        rows.append(row)
    sums = {name: Measured(unit="persons", formula="sum") for name in ("inflow_sum", "outflow_sum", "net_sum")}
    sums["net_last"] = Measured(unit="persons", formula="last_year")
    counts = {name: Measured(unit="years", formula="count") for name in ("years", "years_of_loss")}
    return Result("external_summary", pd.DataFrame(rows), sums | counts | {"inflow_shock": PERCENT, "outflow_shock": PERCENT})


def _other_reports(name: str, flow: ibis.Table, areas: list[str], study: Study) -> Result:
    rows = collect(disagreements(flow, areas, study.first, study.last), "area", "year", "direction", "row")
    rows.insert(0, "id", [f"{r.area}.{r.year}.{r.direction}.{n}" for n, r in enumerate(rows.itertuples(), start=1)])
    rows["inputs"] = [addresses("flow", (r.row, r.used_row)) for r in rows.itertuples()]
    measured = {"used": PERSONS, "other": PERSONS, "difference": Measured(unit="persons", formula="other_less_used"),
                "percent": Measured(unit="percent", formula="percent_difference", decimals=1)}  # fmt: skip
    return Result(name, rows.drop(columns=["row", "used_row"]), measured)


def _beside_un(series: pd.DataFrame, figure: ibis.Table, areas: list[str]) -> list[Result]:
    """The registered net beside the UN estimate of the same year: another concept, so the gap is shown and not explained away."""
    estimates = collect(
        figure.filter(_.indicator == "net_migration.un_wpp2024", _.area.isin(areas))
        .select("area", year=_.period_start.left(4).cast("int64"), un_net=_.value, un_row=_.row), "area", "year",
    )  # fmt: skip
    both = series[["id", "area", "year", "net"]].merge(estimates, on=["area", "year"]).dropna(subset=["net", "un_net"])
    both["difference"] = both["un_net"] - both["net"]
    both["same_sign"] = (both["net"] < 0) == (both["un_net"] < 0)
    both["inputs"] = [[f"external/{r.id}", f"figure/{r.un_row}"] for r in both.itertuples()]
    measured = {"net": Measured(unit="persons", formula="inflow_less_outflow"), "un_net": PERSONS,
                "difference": Measured(unit="persons", formula="other_less_used")}  # fmt: skip
    years = Measured(unit="years", formula="count")
    summary = [
        {"id": area, "years": len(own), "sign_differs": int((~own["same_sign"]).sum()), "inputs": addresses("external_un", own["id"])}
        for area, own in both.groupby("area")
    ]
    return [
        Result("external_un", both.drop(columns="un_row").reset_index(drop=True), measured),
        Result(
            "external_un_summary",
            pd.DataFrame(summary, columns=["id", "years", "sign_differs", "inputs"]),
            {"years": years, "sign_differs": years},
        ),
    ]


def _drawn_measures(measure: ibis.Table, ids: list[str]) -> Result:
    entries = collect(measure.filter(_.id.isin(ids)), "id")
    rows = chronological(entries)[["id", "issuer", "start", "end", "direction", "row"]].copy()
    rows["inputs"] = [[f"measure/{row}"] for row in rows.pop("row")]
    return Result("external_measures", rows.reset_index(drop=True), {})


def internal(tables: Tables, study: Study) -> list[Result]:
    """Arrivals, departures and net of each region of the country, with the rate per 1,000 people; the national total with its gaps."""
    flow, stock = needed(tables, "internal", "flow", "stock")
    country = study.areas[0]
    regions = [region.code for region in area_list(scheme="iso3166-2") if region.parent == country]
    net = with_rates(regional_net(flow, country, regions), mean_population(stock))
    rows = collect(net.filter(_.year >= study.first, _.year <= study.last), "region", "year")
    if rows.empty:
        raise DesignError(
            f"no flows between {country} and its regions", mend="add a flow table of scope internal with whole years or all months"
        )
    rows.insert(0, "id", rows["region"] + "." + rows["year"].astype(str))
    rows["inputs"] = [
        flow_rows + people
        for flow_rows, people in zip(inputs("flow", rows.pop("rows")), inputs("stock", rows.pop("people_rows")), strict=True)
    ]
    measured = {
        "arrivals": PERSONS, "departures": PERSONS, "net": Measured(unit="persons", formula="arrivals_less_departures"),
        "population": Measured(unit="persons", formula="mean_of_two_januaries"),
        "net_per_1000": Measured(unit="per_1000", formula="net_by_population", decimals=1),
    }  # fmt: skip
    total = rows.groupby("year").agg(moves=("arrivals", "sum"), regions=("region", "nunique"), ids=("id", list))
    total = total.reindex(range(study.option("internal", "first", study.first), study.last + 1)).reset_index()
    total["id"] = country + "." + total["year"].astype(str)
    total["inputs"] = [addresses("internal", ids if isinstance(ids, list) else []) for ids in total.pop("ids")]
    national = Result(
        "internal_national", total, {"moves": Measured(unit="moves", formula="sum"), "regions": Measured(unit="regions", formula="count")}
    )
    return [Result("internal", rows, measured), national]


def immigration(tables: Tables, study: Study) -> list[Result]:
    """Immigration of each member before, in and after the shock years, with the percent change."""
    (flow,) = needed(tables, "immigration", "flow")
    areas = list(dict.fromkeys([*study_areas(study), *study.areas]))  # a union that reports a total of its own has its own row
    series = annual_series(flow, areas, study.first, study.last)
    yearly = collect(series.select("area", "year", "inflow", "rows"), "area", "year")
    if yearly.empty:
        raise DesignError(
            f"no year has immigration of {', '.join(study.areas)}", mend="add a flow table from WORLD, or change areas, first and last"
        )
    yearly.insert(0, "id", yearly["area"] + "." + yearly["year"].astype(str))
    yearly["inputs"] = inputs("flow", yearly.pop("rows"))
    spans = {name: study.option("immigration", name) for name in ("before", "during", "after")}
    change = collect(change_about(series, **spans), "area")
    change.insert(0, "id", change["area"])
    used = [year for years in spans.values() for year in years]
    change["inputs"] = [
        addresses("immigration", yearly.loc[(yearly["area"] == area) & yearly["year"].isin(used), "id"]) for area in change["area"]
    ]
    mean = Measured(unit="persons_a_year", formula="mean")
    measured = {"before": mean, "during": mean, "after": mean, "during_change": PERCENT, "after_change": PERCENT}
    return [
        Result("immigration", yearly, {"inflow": PERSONS}),
        Result("immigration_change", change.drop(columns="rows"), measured),
        _other_reports("immigration_other_reports", flow, areas, study),
    ]
