"""When did the members' policies draw together, and when apart? The dates found in the data, and what speaks for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.convergence import answer, evidence_of_spread
from qonys.core.results import Measured, Result, addresses
from qonys.studies.borders import border_days, border_strictness
from qonys.studies.portfolios import portfolio_distance, rule_departure
from qonys.studies.tables import READINGS, study_areas

if TYPE_CHECKING:
    from qonys.convergence import Evidence
    from qonys.studies.definition import Study
    from qonys.studies.tables import Tables

COUNT = Measured(unit="count", formula="count")


def turning_points(tables: Tables, study: Study) -> list[Result]:
    """The answer to the title question over all the evidence there is (see `convergence.answer`), with the results it rests on.

    Evidence, all of it in points of 100: spread of days with control at internal borders; spread of strictness, distance of portfolios and
    departure from the rule of most, each under both readings of dates that are not known; on the months that every kind has.
    """
    results = {result.name: result for result in (*border_days(tables, study), *border_strictness(tables, study))}
    kinds: list[tuple[Evidence, str, str]] = []  # evidence, the result it is a row of by month, how that row is named
    days = results["border_days"].rows
    spread_of_days = _spread(days[days["area"].isin(study_areas(study))], "value", "border_days")
    kinds.append((spread_of_days.times(100), "spread_border_days", "{}"))  # percent of days
    for suffix in READINGS:
        distance, departure = portfolio_distance(tables, study, suffix), rule_departure(tables, study, suffix)
        results |= {one.result.name: one.result for one in (distance, departure)}
        kinds += [
            (_spread(results["border_strictness"].rows, suffix, f"border_strictness_{suffix}"), f"spread_border_strictness_{suffix}", "{}"),
            (distance.evidence, f"portfolio_distance_{suffix}", "{}"),
            (departure.evidence, f"departure_{suffix}", "all.{}"),
        ]
    periods = sorted(set.intersection(*(set(one.periods) for one, _, _ in kinds)))
    found = answer([_within(one, periods) for one, _, _ in kinds])
    phases = found.phases.assign(id=found.phases["phase"].astype(str))
    inside = [
        [period for period in periods if first <= period <= last] for first, last in zip(phases["first"], phases["last"], strict=True)
    ]
    behind = {one.name: (table, row) for one, table, row in kinds}
    evidence = found.evidence.assign(id=found.evidence["phase"].astype(str) + "." + found.evidence["kind"])
    evidence["inputs"] = [
        addresses(behind[one.kind][0], [behind[one.kind][1].format(period) for period in inside[one.phase - 2] + inside[one.phase - 1]])
        for one in evidence.itertuples()
    ]
    every = [address for one, table, row in kinds for address in addresses(table, [row.format(period) for period in periods])]
    of_phase = evidence.groupby("phase")["id"].agg(list).to_dict()
    phases["inputs"] = [addresses("turning_points_evidence", of_phase.get(phase, [])) or every for phase in phases["phase"]]
    for side in ("for", "against", "undecided"):
        counted = evidence[evidence["supports"] == side].groupby("phase").size().to_dict()
        phases[side] = [int(counted.get(phase, 0)) for phase in phases["phase"]]
    phases["kinds"] = len(kinds)
    total = {
        "id": "all",
        "phases": len(phases),
        "kinds": len(kinds),
        "months": len(periods),
        "inputs": addresses("turning_points", phases["id"]),
    }
    change = Measured(unit="points", formula="change_of_mean", decimals=1)
    pieces = Measured(unit="pieces", formula="count")
    return [
        *results.values(),
        Result("turning_points", phases, dict.fromkeys(("for", "against", "undecided", "kinds"), pieces)),
        Result("turning_points_evidence", evidence, dict.fromkeys(("change", "low", "high"), change)),
        Result(
            "turning_points_total",
            pd.DataFrame([total]),
            {"phases": COUNT, "kinds": pieces, "months": Measured(unit="months", formula="count")},
        ),
    ]


def _spread(panel: pd.DataFrame, column: str, name: str) -> Evidence:
    return replace(evidence_of_spread(panel[["area", "period"]].assign(value=panel[column])), name=name)


def _within(one: Evidence, periods: list[str]) -> Evidence:
    """Evidence on the months that every kind has."""
    own = np.isin(one.periods, periods)
    return replace(one, periods=tuple(np.array(one.periods)[own]), value=one.value[own], without=one.without[:, own])
