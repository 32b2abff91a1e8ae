"""From flow tables to figures: every report of every year as a row, those that disagree side by side, with the one that is used marked.

The rules of choice are those of `qonys.flows`; here they are only put into one shape.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core import areas
from qonys.core.results import addresses
from qonys.flows import annual_series, annual_totals, mean_population, regional_net, with_rates

if TYPE_CHECKING:
    import ibis
    from ibis.backends.duckdb import Backend

    Told = dict[str, dict[str, Any]]  # the rows by their place

EXTERNAL = ("immigration", "emigration", "net")
INTERNAL = ("in_migration", "out_migration", "net_internal", "net_internal_rate", "internal_moves")
KINDS = (*EXTERNAL, *INTERNAL)
"""What is counted across the border of an area, and inside it between its regions; `net_internal_rate` is per 1,000 people."""
REPORT = (
    "area", "kind", "period", "value", "unit", "source", "vintage", "status", "qualifier", "flag", "counted", "note", "chosen", "inputs",
)  # fmt: skip
_ABOUT = ("source", "vintage", "status", "qualifier", "flag", "counted", "note")
_SIDES = {"inflow": "immigration", "outflow": "emigration"}
_FIRST, _LAST = 1, 9999


def reports(con: Backend, flow: ibis.Table, stock: ibis.Table | None) -> pd.DataFrame:
    """Every yearly figure that a flow table gives, one row a report, in the order of area, kind, period, chosen first.

    flow: the contract with `row`; stock: the contract, for rates by population, or none -> the columns of `REPORT`: area, kind (see
    `KINDS`), period (year), value, unit (persons, moves, per_1000), source, vintage, status, qualifier, flag, counted and note of the
    publisher, chosen (the report that is used where there are several), inputs (addresses of the rows). What is computed here has the
    status `derived`, and a source, vintage, qualifier or unit of counting only where all that went in share it.
    """
    rows = con.to_pandas(flow)
    told = {str(row["row"]): {str(name): _plain(value) for name, value in row.items()} for row in rows.to_dict("records")}
    parts = [_external(con, flow, told)]
    for country in sorted({str(one.parent) for one in areas.areas(scheme="iso3166-2")}):
        parts.append(_internal(con, flow, stock, told, country))
    table = pd.concat([pd.DataFrame(part, columns=list(REPORT)) for part in parts if part] or [pd.DataFrame(columns=list(REPORT))])
    order = {kind: place for place, kind in enumerate(KINDS)}
    table = table.assign(_kind=table["kind"].map(order), _first=table["inputs"].map(lambda own: own[0] if own else ""))
    table = table.sort_values(["area", "_kind", "period", "chosen", "_first"], ascending=[True, True, True, False, True], kind="stable")
    return table.drop(columns=["_kind", "_first"]).reset_index(drop=True).astype({"value": float, "chosen": bool})


def _external(con: Backend, flow: ibis.Table, told: Told) -> list[dict[str, Any]]:
    totals = con.to_pandas(annual_totals(flow))
    found = [
        _row(one.area, _SIDES[one.direction], one.year, one.persons, "persons", told, [one.row], chosen=one.rank == 0)
        for one in totals.itertuples()
    ]
    series = con.to_pandas(annual_series(flow, sorted(totals["area"].unique()), _FIRST, _LAST)) if len(totals) else pd.DataFrame()
    found += [
        _row(one.area, "net", one.year, one.net, "persons", told, one.rows, derived=True)
        for one in series.itertuples() if one.net == one.net and one.net is not None
    ]  # fmt: skip
    return found


def _internal(con: Backend, flow: ibis.Table, stock: ibis.Table | None, told: Told, country: str) -> list[dict[str, Any]]:
    regions = [one.code for one in areas.areas(scheme="iso3166-2") if one.parent == country]
    if "scope" not in flow.columns:
        return []
    net = regional_net(flow, country, regions)
    yearly = con.to_pandas(net if stock is None else with_rates(net, mean_population(stock)))
    found = []
    for one in yearly.itertuples():
        rows = sorted(one.rows)
        arriving = [row for row in rows if told[row]["origin"] == country]
        leaving = [row for row in rows if told[row]["origin"] != country]
        summed = bool(one.from_months)
        found += [
            _row(one.region, "in_migration", one.year, one.arrivals, "moves", told, arriving, derived=summed),
            _row(one.region, "out_migration", one.year, one.departures, "moves", told, leaving, derived=summed),
            _row(one.region, "net_internal", one.year, one.net, "moves", told, rows, derived=True),
        ]
        if stock is not None and one.net_per_1000 == one.net_per_1000 and one.net_per_1000 is not None:
            rate = _row(one.region, "net_internal_rate", one.year, one.net_per_1000, "per_1000", told, rows, derived=True)
            found.append({**rate, "inputs": [*rate["inputs"], *addresses("stock", one.people_rows)]})
    for year, own in yearly.groupby("year"):
        # a national sum without one of the regions is another figure
        if set(areas.regions_at(date(int(year), 12, 31))) <= set(own["region"]):
            arriving = sorted(row for rows in own["rows"] for row in rows if told[row]["origin"] == country)
            found.append(_row(country, "internal_moves", year, own["arrivals"].sum(), "moves", told, arriving, derived=True))
    return found


def _row(area: str, kind: str, year: int, value: float, unit: str, told: Told, rows: Any, *, chosen: bool = True,
         derived: bool = False) -> dict[str, Any]:  # fmt: skip
    about = {name: _shared([told[place].get(name) for place in rows]) for name in _ABOUT}
    if derived:
        about |= {"status": "derived"}
    return {
        "area": area, "kind": kind, "period": str(year), "value": float(value), "unit": unit, **about, "chosen": bool(chosen),
        "inputs": addresses("flow", rows),
    }  # fmt: skip


def _shared(values: list[Any]) -> Any:
    """The value all rows have; None where they differ or have none."""
    return values[0] if len(set(values)) == 1 else None


def _plain(value: Any) -> Any:
    return None if value is pd.NA or value is pd.NaT or value != value else value
