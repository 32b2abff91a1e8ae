"""Rules at the borders by month, their spread across members, and the title question: convergence or distancing?"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd
from ibis import _

from qonys.convergence import change_of_spread, joint_verdict, spread
from qonys.core import areas
from qonys.core.periods import earliest, months
from qonys.core.results import Measured, Result, addresses
from qonys.measures import calendar, complete_panel, in_force, month_doses, month_shares
from qonys.studies.tables import Tables, collect, needed, study_areas

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis

    from qonys.studies.definition import Study


def border_days(tables: Tables, study: Study) -> list[Result]:
    """Share of the days of each month with control at internal borders, for each state of Schengen; its spread across the study's members.

    A state is in the panel if it belonged to Schengen when the panel begins: elsewhere an internal border without control means nothing.
    The states of the option `also` (associated states) are shown, and stay out of the spread.
    """
    (measure,) = needed(tables, "border_days", "measure")
    first, last = study.option("border_days", "first"), study.option("border_days", "last")
    shown = list(dict.fromkeys([*study_areas(study), *study.option("border_days", "also", [])]))
    issuers = [area for area in shown if areas.is_member(area, "SCHENGEN", earliest(first))]
    controls = measure.filter(_.field == "border_control", _.issuer.isin(issuers))
    panel = _two_readings(controls, month_shares, "share", issuers, first, last).rename(columns={"low": "value"})
    share = Measured(unit="share_of_days", formula="days_in_force_by_days", decimals=2)
    results = [Result("border_days", panel, {"value": share, "high": share})]
    return [*results, *_spread_results("border_days", panel[panel["area"].isin(study_areas(study))], study)]


def _two_readings(
    measures: ibis.Table, by_month: Callable[[ibis.Table], ibis.Table], value: str, issuers: list[str], first: str, last: str
) -> pd.DataFrame:
    """A monthly sum of measures under both readings of unknown dates -> id, area, period, low (certain), high (possible), inputs."""
    days = calendar(first, last)
    panels = {}
    for reading in ("certain", "possible"):
        values = collect(by_month(in_force(measures, days, reading=reading)), "issuer", "month")
        panels[reading] = complete_panel(values, issuers, first, last, value)
    panel = panels["certain"].rename(columns={value: "low"}).drop(columns="rows")
    panel["high"] = panels["possible"][value]
    panel["inputs"] = _register_inputs(panels["possible"], measures)
    panel.insert(0, "id", panel["area"] + "." + panel["period"])
    return panel


def _register_inputs(panel: pd.DataFrame, controls: ibis.Table) -> list[list[str]]:
    """The measures behind each cell; a zero is walked back to all entries of its own kind, since it says that none of them covers it."""
    every = collect(controls.select("issuer", "row"), "issuer", "row")
    own = every.groupby("issuer")["row"].agg(list).to_dict()
    whole = sorted(every["row"])
    return [addresses("measure", r.rows or own.get(r.area) or whole) for r in panel.itertuples()]


def border_strictness(tables: Tables, study: Study) -> list[Result]:
    """Strictness at the border by month from the register: the strongest tightening measure of the day, 0-100, between two readings."""
    panel = strictness_panel(tables, study)
    dose = Measured(unit="points", formula="mean_of_strongest", decimals=0)
    monthly = panel.groupby("period").agg(low=("low", "mean"), high=("high", "mean"), ids=("id", list)).reset_index()
    monthly.insert(0, "id", monthly["period"])
    monthly["inputs"] = [addresses("border_strictness", ids) for ids in monthly.pop("ids")]
    mean = Measured(unit="points", formula="mean_over_members", decimals=0)
    results = [
        Result("border_strictness", panel, {"low": dose, "high": dose}),
        Result("border_strictness_mean", monthly, {"low": mean, "high": mean}),
    ]
    for reading in ("low", "high"):
        results += _spread_results("border_strictness", panel.rename(columns={reading: "value"}), study, suffix=f"_{reading}")
    return results


def strictness_panel(tables: Tables, study: Study) -> pd.DataFrame:
    """Strictness at the border of each member by month -> id, area, period, low (certain), high (possible), inputs."""
    (measure,) = needed(tables, "border_strictness", "measure")
    issuers = study_areas(study)
    at_border = measure.filter(
        _.direction == "tightening", _.area.isin(["external_border", "internal_border"]), _.issuer.isin(issuers), _.level != "union"
    )
    first, last = study.option("border_strictness", "first"), study.option("border_strictness", "last")
    return _two_readings(at_border, month_doses, "dose", issuers, first, last)


def _spread_results(question: str, panel: pd.DataFrame, study: Study, *, suffix: str = "") -> list[Result]:
    """Spread across members by month, and its change from phase to phase as the study declares them."""
    by_month = spread(panel[["area", "period", "value"]])
    by_month.insert(0, "id", by_month["period"])
    of_month = panel.groupby("period")["id"].agg(list)
    by_month["inputs"] = [addresses(question, of_month[period]) for period in by_month["period"]]
    phases = study.option(question, "phases", [])
    changes = []
    for before, after in pairwise(phases):
        spans = [list(months(phase["first"], phase["last"])) for phase in (before, after)]
        change = change_of_spread(panel[["area", "period", "value"]], *spans)
        name = f"spread_{question}{suffix}"
        changes.append(
            {
                "id": f"{before['id']}_{after['id']}",
                "before": before["id"],
                "after": after["id"],
                "value": change.value,
                "low": change.low,
                "high": change.high,
                "share_above": 100 * change.share_above,
                "verdict": change.verdict,
                "inputs": addresses(name, [month for span in spans for month in span]),
            }
        )
    unit = "share_of_days" if question == "border_days" else "points"
    decimals = 2 if question == "border_days" else 0
    deviation = Measured(unit=unit, formula="standard_deviation", decimals=decimals)
    measured = {
        "areas": Measured(unit="members", formula="count"),
        "mean": Measured(unit=unit, formula="mean_over_members", decimals=decimals),
        "sd": deviation,
        "low": deviation,
        "high": deviation,
    }
    results = [Result(f"spread_{question}{suffix}", by_month, measured)]
    if changes:
        difference = Measured(unit=unit, formula="change_of_spread", decimals=decimals)
        kinds = {
            "value": difference,
            "low": difference,
            "high": difference,
            "share_above": Measured(unit="percent", formula="share_of_draws", decimals=0),
        }
        results.append(Result(f"spread_change_{question}{suffix}", pd.DataFrame(changes), kinds))
    return results


def convergence(tables: Tables, study: Study) -> list[Result]:
    """Convergence or distancing? Both panels with their spreads, and for each change of phase the verdict that all the evidence shares.

    Evidence: days with control at internal borders, strictness under the certain and under the possible reading. See `joint_verdict`.
    """
    results = {result.name: result for result in (*border_days(tables, study), *border_strictness(tables, study))}
    evidence = ("border_days", "border_strictness_low", "border_strictness_high")
    changes = {name: results[f"spread_change_{name}"].rows.set_index("id") for name in evidence}
    rows = []
    for change in changes[evidence[0]].index:
        verdicts = {name: changes[name].loc[change, "verdict"] for name in evidence}
        rows.append(
            {
                "id": change,
                "before": changes[evidence[0]].loc[change, "before"],
                "after": changes[evidence[0]].loc[change, "after"],
                **verdicts,
                "decided": sum(verdict != "undecided" for verdict in verdicts.values()),
                "of": len(evidence),
                "verdict": joint_verdict(verdicts.values()),
                "inputs": [f"spread_change_{name}/{change}" for name in evidence],
            }
        )
    count = Measured(unit="pieces", formula="count")
    return [*results.values(), Result("convergence", pd.DataFrame(rows), {"decided": count, "of": count})]
