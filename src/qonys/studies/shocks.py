"""What came in years of shock against what each series' own past would have given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from qonys.core.results import Measured, Result, addresses
from qonys.effects import own_past
from qonys.flows import annual_series
from qonys.studies.tables import Tables, collect, inputs, needed, study_areas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qonys.effects.own_past import Scale
    from qonys.studies.definition import Study

SIDES: Mapping[str, Scale] = {"inflow": "log", "outflow": "log", "net": "level"}


def shocks(tables: Tables, study: Study) -> list[Result]:
    """For each area, side of its flows and event: the mean a year in it, the trend of the years before, the difference with its interval.

    Options: events (id, first, last years), base (the last year of the trend), window (years of it). See `effects.own_past`. Sides whose
    years are not all there are left out.
    """
    (flow,) = needed(tables, "shocks", "flow")
    areas = study_areas(study)
    series = collect(annual_series(flow, areas, study.first, study.last), "area", "year")
    series["inputs"] = inputs("flow", series.pop("rows"))
    base, window = study.option("shocks", "base"), study.option("shocks", "window", 8)
    rows = []
    for area, own in series.groupby("area", sort=False):
        for side, scale in SIDES.items():
            known = own[["year", side, "inputs"]].dropna().rename(columns={side: "value"})
            for event in study.option("shocks", "events"):
                if known.empty or not set(range(base - 4, event["last"] + 1)) <= set(known["year"]):
                    continue
                found, _ = own_past(known, event["first"], event["last"], base=base, window=window, scale=scale)
                row = found.iloc[0].to_dict()
                used = known[known["year"] <= event["last"]]
                rows.append(
                    {
                        "id": f"{area}.{side}.{event['id']}", "area": area, "side": side, "event": event["id"], "first": event["first"],
                        "last": event["last"], **row, "share_as_far": 100 * row["share_as_far"],
                        "decided": bool(row["low"] > 0 or row["high"] < 0),
                        "inputs": sorted({address for own_inputs in used["inputs"] for address in own_inputs}),
                    }
                )  # fmt: skip
    persons = Measured(unit="persons_a_year", formula="own_past")
    observed = Measured(unit="persons_a_year", formula="mean")
    names = ["id", "area", "side", "event", "first", "last", "observed", "projected", "effect", "low", "high", "share_as_far", "placebos",
             "decided", "inputs"]  # fmt: skip
    measured = {
        "observed": observed, **dict.fromkeys(("projected", "effect", "low", "high"), persons),
        "share_as_far": Measured(unit="percent", formula="share_of_placebos"), "placebos": Measured(unit="years", formula="count"),
    }  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    total = {"id": "all", "events": len(table), "decided": int(table["decided"].sum()), "inputs": addresses("shocks", table["id"])}
    count = Measured(unit="count", formula="count")
    return [Result("shocks", table, measured), Result("shocks_total", pd.DataFrame([total]), {"events": count, "decided": count})]
