"""What states did, against which challenges, and whether they drew together: the questions about policy."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
from ibis import _

from qonys.convergence import change_of_spread, joint_verdict, spread
from qonys.core import areas
from qonys.core.periods import earliest, latest, months
from qonys.core.results import Measured, Result, addresses
from qonys.measures import adopted_statuses, answers, calendar, chronological, complete_panel, coverage, in_force, month_doses, month_shares
from qonys.studies.tables import Tables, collect, needed, study_areas

if TYPE_CHECKING:
    import ibis

    from qonys.studies.definition import Study

COUNT = Measured(unit="measures", formula="count")


def objects(tables: Tables, study: Study) -> list[Result]:
    """Groups that policy acts on and the measures named for them, each linked to its entries in the register (Table 1 of the seed)."""
    thing, measure = needed(tables, "objects", "object", "measure")
    del study
    rows = collect(thing.select("id", "category", "population", "group", "measure", "measure_ids", "row"), "id")
    rows["entries"] = [len(ids) if ids is not None else 0 for ids in rows["measure_ids"]]
    named = collect(measure.filter(_.id.isin(sorted({i for ids in rows["measure_ids"].dropna() for i in ids}))), "id")
    found = named.set_index("id")["row"].to_dict()
    rows["inputs"] = [
        [f"object/{r.row}", *addresses("measure", (found[i] for i in r.measure_ids or () if i in found))] for r in rows.itertuples()
    ]
    entries = named[["id", "title", "start", "end", "status", "direction", "outcome", "outcome_value", "outcome_unit", "agency", "row"]].copy()
    entries["inputs"] = [[f"measure/{row}"] for row in entries.pop("row")]
    pairs = rows.drop_duplicates(["category", "population", "group"])
    summary = {"id": "all", "groups": len(pairs), "measures": rows["measure"].nunique(), "entries": len(entries), "inputs": addresses("objects", rows["id"])}
    counts = {"groups": Measured(unit="groups", formula="count"), "measures": COUNT, "entries": COUNT}
    return [
        Result("object_counts", pd.DataFrame([summary]), counts),
        Result("objects", rows.drop(columns="row"), {"entries": Measured(unit="measures", formula="count")}),
        Result("object_measures", entries, {"outcome_value": Measured(unit="as_row")}),
    ]


def challenges(tables: Tables, study: Study) -> list[Result]:
    """Challenges with the adopted and proposed measures that answer them, and those that nothing answers (Table 2 of the seed)."""
    challenge, measure = needed(tables, "challenges", "challenge", "measure")
    kept = challenge if not (omit := study.option("challenges", "omit", [])) else challenge.filter(_.id.notin(omit))
    rows = collect(coverage(kept, measure), "challenge").rename(columns={"challenge": "id"})
    rows["measures"] = [sorted(ids) if isinstance(ids, list) else [] for ids in rows["measures"]]
    rows["inputs"] = [
        [f"challenge/{row}", *addresses("measure", own if isinstance(own, list) else [])]
        for row, own in zip(rows.pop("row"), rows.pop("measure_rows"), strict=True)
    ]
    measured = {"adopted": COUNT, "proposed": COUNT, "fields": Measured(unit="fields", formula="count")}
    groups = [
        {"id": answer, "challenges": int((rows["answer"] == answer).sum()), "of": len(rows),
         "inputs": addresses("challenges", rows.loc[rows["answer"] == answer, "id"]) or addresses("challenges", rows["id"])}
        for answer in ("adopted", "proposed", "none")
    ]  # fmt: skip
    number = Measured(unit="challenges", formula="count")
    return [Result("challenges", rows, measured), Result("challenge_answers", pd.DataFrame(groups), {"challenges": number, "of": number})]


def policy_mix(tables: Tables, study: Study) -> list[Result]:
    """Fields of policy x kinds of challenge: how many adopted measures of the field answer challenges of the kind (Figure 5 of the seed)."""
    field, challenge, measure = needed(tables, "policy_mix", "policy_field", "challenge", "measure")
    del study
    fields = collect(field.select("id", "register_fields", "row"), "id")
    kinds = sorted(collect(challenge.select("kind").distinct(), "kind")["kind"])
    answering = collect(answers(challenge, measure).filter(_.adopted), "kind", "field", "measure", "challenge")
    rows = []
    for entry in fields.itertuples():
        own = answering[answering["field"].isin(entry.register_fields or [])]
        for kind in kinds:
            cell = own[own["kind"] == kind]
            rows.append(
                {"id": f"{entry.id}.{kind}", "policy_field": entry.id, "kind": kind, "measures": cell["measure"].nunique(),
                 "challenges": cell["challenge"].nunique(), "in_register": bool(entry.register_fields),
                 "inputs": [f"policy_field/{entry.row}", *addresses("measure", cell["measure_row"]), *addresses("challenge", cell["challenge_row"])]}
            )  # fmt: skip
    measured = {"measures": COUNT, "challenges": Measured(unit="challenges", formula="count")}
    table = pd.DataFrame(rows)
    return [Result("policy_mix", table, measured), _mix_summary(fields, answering, table)]


def _mix_summary(fields: pd.DataFrame, answering: pd.DataFrame, table: pd.DataFrame) -> Result:
    """Each field with its adopted measures that answer any challenge, and how many fields have none."""
    rows = []
    for entry in fields.itertuples():
        own = answering[answering["field"].isin(entry.register_fields or [])]
        rows.append({"id": entry.id, "measures": own["measure"].nunique(), "inputs": addresses("policy_mix", table.loc[table["policy_field"] == entry.id, "id"])})
    summary = pd.DataFrame(rows)
    silent = int((summary["measures"] == 0).sum())
    whole = {"id": "all", "measures": answering["measure"].nunique(), "fields": len(fields), "silent": silent, "inputs": addresses("policy_mix_fields", summary["id"])}
    summary = pd.concat([summary, pd.DataFrame([whole])], ignore_index=True)
    count = Measured(unit="fields", formula="count")
    return Result("policy_mix_fields", summary, {"measures": COUNT, "fields": count, "silent": count})


def register(tables: Tables, study: Study) -> list[Result]:
    """Every adopted measure of the areas and their union with its dates; counts by issuer and direction, and how many have no known end."""
    (measure,) = needed(tables, "register", "measure")
    issuers = [*study_areas(study), *study.option("register", "also", [])]
    window = (date(study.first, 1, 1), date(study.last, 12, 31))
    chosen = measure.filter(_.issuer.isin(issuers), _.status.isin(adopted_statuses()), _.start.notnull())
    rows = chronological(collect(chosen, "id"))
    rows = rows[[earliest(start) <= window[1] for start in rows["start"]]]
    rows = rows[[pd.isna(end) or latest(end) >= window[0] for end in rows["end"]]]
    rows = rows[["id", "issuer", "level", "field", "direction", "area", "start", "end", "row"]].reset_index(drop=True)
    rows["inputs"] = [[f"measure/{row}"] for row in rows.pop("row")]
    counts = []
    for issuer in issuers:
        own = rows[rows["issuer"] == issuer]
        by = own["direction"].value_counts()
        counts.append(
            {"id": issuer, "issuer": issuer, "measures": len(own), "open": int(own["end"].isna().sum()), "first": own["start"].min() if len(own) else None,
             **{d: int(by.get(d, 0)) for d in ("tightening", "easing", "neutral")},
             "inputs": addresses("register", own["id"]) or addresses("register", rows["id"])}
        )  # fmt: skip
    names = ("measures", "open", "tightening", "easing", "neutral")
    return [Result("register", rows, {}), Result("register_counts", pd.DataFrame(counts), dict.fromkeys(names, COUNT))]


def border_days(tables: Tables, study: Study) -> list[Result]:
    """Share of the days of each month with control at internal borders, for each member of Schengen; its spread across members; the answer.

    A state is in the panel in the months in which it belonged to Schengen: elsewhere an internal border without control means nothing.
    """
    (measure,) = needed(tables, "border_days", "measure")
    first, last = study.option("border_days", "first"), study.option("border_days", "last")
    issuers = [area for area in study_areas(study) if areas.is_member(area, "SCHENGEN", earliest(first))]
    controls = measure.filter(_.field == "border_control", _.issuer.isin(issuers))
    days = calendar(first, last)
    panels = {}
    for reading in ("certain", "possible"):
        shares = collect(month_shares(in_force(controls, days, reading=reading)), "issuer", "month")  # type: ignore[arg-type]
        panels[reading] = complete_panel(shares, issuers, first, last, "share")
    panel = panels["certain"].rename(columns={"share": "value"})
    panel["high"] = panels["possible"]["share"]
    panel["inputs"] = _register_inputs(panels["possible"], controls)
    panel = panel.drop(columns="rows")
    panel.insert(0, "id", panel["area"] + "." + panel["period"])
    share = Measured(unit="share_of_days", formula="days_in_force_by_days", decimals=2)
    results = [Result("border_days", panel, {"value": share, "high": share})]
    return [*results, *_spread_results("border_days", panel, study)]


def _register_inputs(panel: pd.DataFrame, controls: ibis.Table) -> list[list[str]]:
    """The measures behind each cell; a zero is walked back to all entries of its own kind, since it says that none of them covers it."""
    every = collect(controls.select("issuer", "row"), "issuer", "row")
    own = every.groupby("issuer")["row"].agg(list).to_dict()
    whole = sorted(every["row"])
    return [addresses("measure", r.rows or own.get(r.area) or whole) for r in panel.itertuples()]


def border_strictness(tables: Tables, study: Study) -> list[Result]:
    """Strictness at the border by month from the register: the strongest tightening measure of the day, 0-100, between two readings."""
    (measure,) = needed(tables, "border_strictness", "measure")
    first, last = study.option("border_strictness", "first"), study.option("border_strictness", "last")
    issuers = study_areas(study)
    at_border = measure.filter(
        _.direction == "tightening", _.area.isin(["external_border", "internal_border"]), _.issuer.isin(issuers), _.level != "union"
    )
    days = calendar(first, last)
    panels = {}
    for reading in ("certain", "possible"):
        doses = collect(month_doses(in_force(at_border, days, reading=reading)), "issuer", "month")  # type: ignore[arg-type]
        panels[reading] = complete_panel(doses, issuers, first, last, "dose")
    panel = panels["certain"].rename(columns={"dose": "low"})
    panel["high"] = panels["possible"]["dose"]
    panel["inputs"] = _register_inputs(panels["possible"], at_border)
    panel = panel.drop(columns="rows")
    panel.insert(0, "id", panel["area"] + "." + panel["period"])
    dose = Measured(unit="points", formula="mean_of_strongest", decimals=0)
    monthly = panel.groupby("period").agg(low=("low", "mean"), high=("high", "mean"), ids=("id", list)).reset_index()
    monthly.insert(0, "id", monthly["period"])
    monthly["inputs"] = [addresses("border_strictness", ids) for ids in monthly.pop("ids")]
    mean = Measured(unit="points", formula="mean_over_members", decimals=0)
    results = [Result("border_strictness", panel, {"low": dose, "high": dose}), Result("border_strictness_mean", monthly, {"low": mean, "high": mean})]
    for reading in ("low", "high"):
        results += _spread_results("border_strictness", panel.rename(columns={reading: "value"}), study, suffix=f"_{reading}")
    return results


def _spread_results(question: str, panel: pd.DataFrame, study: Study, *, suffix: str = "") -> list[Result]:
    """Spread across members by month, and its change from phase to phase as the study declares them."""
    by_month = spread(panel[["area", "period", "value"]])
    by_month.insert(0, "id", by_month["period"])
    of_month = panel.groupby("period")["id"].agg(list)
    by_month["inputs"] = [addresses(question, of_month[period]) for period in by_month["period"]]
    phases = study.option(question, "phases", [])
    changes = []
    for before, after in zip(phases, phases[1:], strict=False):
        spans = [list(months(phase["first"], phase["last"])) for phase in (before, after)]
        change = change_of_spread(panel[["area", "period", "value"]], *spans)
        name = f"spread_{question}{suffix}"
        changes.append(
            {"id": f"{before['id']}_{after['id']}", "before": before["id"], "after": after["id"], "value": change.value, "low": change.low,
             "high": change.high, "share_above": 100 * change.share_above, "verdict": change.verdict,
             "inputs": addresses(name, [month for span in spans for month in span])}
        )  # fmt: skip
    unit = "share_of_days" if question == "border_days" else "points"
    decimals = 2 if question == "border_days" else 0
    deviation = Measured(unit=unit, formula="standard_deviation", decimals=decimals)
    measured = {"areas": Measured(unit="members", formula="count"), "mean": Measured(unit=unit, formula="mean_over_members", decimals=decimals),
                "sd": deviation, "low": deviation, "high": deviation}  # fmt: skip
    results = [Result(f"spread_{question}{suffix}", by_month, measured)]
    if changes:
        difference = Measured(unit=unit, formula="change_of_spread", decimals=decimals)
        kinds = {"value": difference, "low": difference, "high": difference,
                 "share_above": Measured(unit="percent", formula="share_of_draws", decimals=0)}  # fmt: skip
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
            {"id": change, "before": changes[evidence[0]].loc[change, "before"], "after": changes[evidence[0]].loc[change, "after"], **verdicts,
             "decided": sum(verdict != "undecided" for verdict in verdicts.values()), "of": len(evidence),
             "verdict": joint_verdict(verdicts.values()), "inputs": [f"spread_change_{name}/{change}" for name in evidence]}
        )  # fmt: skip
    count = Measured(unit="pieces", formula="count")
    return [*results.values(), Result("convergence", pd.DataFrame(rows), {"decided": count, "of": count})]
