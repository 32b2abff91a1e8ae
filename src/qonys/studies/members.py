"""How the members stand to each other under strictness at the border: what they share, who follows whom down, who belongs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from qonys.convergence import Options, panel_beta, stability, variance_split
from qonys.core.blocs import groups_of, shipped_division
from qonys.core.results import Measured, Result, addresses
from qonys.studies.borders import strictness_panel
from qonys.studies.tables import READINGS

if TYPE_CHECKING:
    from qonys.studies.definition import Study
    from qonys.studies.tables import Tables

MEMBERS = Measured(unit="members", formula="count")
RUNS = Measured(unit="percent", formula="share_of_runs")


def layers(tables: Tables, study: Study) -> list[Result]:
    """The variance of strictness by month: what all members share, what groups of them share, what is each one's own, in two readings.

    Options: first, last (months); groups: a shipped division (accession, schengen, visegrad, nordic), or a table of groups.
    """
    panel, declared = _panel(tables, study, "layers"), study.option("layers", "groups", "accession")
    division = shipped_division(declared) if isinstance(declared, str) else declared
    groups = groups_of(division, sorted(panel["area"].unique()))
    cells = panel.groupby("period")["id"].agg(list)
    share = Measured(unit="percent", formula="variance_split")
    measured = {
        "members": MEMBERS,
        "variance": Measured(unit="points_squared", formula="mean_square"),
        **dict.fromkeys(("share", "low", "high"), share),
    }
    results = []
    for suffix in READINGS:
        rows = variance_split(panel[["area", "period"]].assign(value=panel[suffix]), groups).rename(columns={"part": "layer"})
        rows[["share", "low", "high"]] *= 100
        rows.insert(0, "id", rows["layer"] + "." + rows["period"])
        # the mean of the whole panel is in every share
        rows["inputs"] = [addresses("border_strictness", cells[period]) for period in rows["period"]]
        results.append(Result(f"layers_{suffix}", rows, measured))
    return results


def catching_up(tables: Tables, study: Study) -> list[Result]:
    """How fast gaps in strictness close from month to month: speed and half-life with errors, under both readings (`panel_beta`).

    Options: first, last (months).
    """
    panel = _panel(tables, study, "catching_up")
    rows = []
    for suffix in READINGS:
        found = panel_beta(panel[["area", "period"]].assign(value=panel[suffix]))
        rows.append(
            {
                "id": suffix,
                "areas": found.areas,
                "months": found.periods,
                "left": 100 * (1 + found.coefficient),
                "left_error": 100 * found.coefficient_error,
                "half_life": found.half_life if found.t > 0 else None,
                "half_life_error": found.half_life_error if found.t > 0 else None,
                "inputs": addresses("border_strictness", panel["id"]),
            }
        )
    left = Measured(unit="percent", formula="panel_beta")
    half = Measured(unit="months", formula="half_life", decimals=1)
    measured = {
        "areas": MEMBERS,
        "months": Measured(unit="months", formula="count"),
        "left": left,
        "left_error": left,
        "half_life": half,
        "half_life_error": half,
    }
    return [Result("catching_up", pd.DataFrame(rows), measured)]


def clubs(tables: Tables, study: Study) -> list[Result]:
    """Groups of members whose strictness comes together, with the share of runs over options and draws in which they do.

    Draws put each member somewhere between the two readings. Options: first, last (months; from the shock on, for who starts alike and
    parts is in no club), draws.
    """
    panel, draws = _panel(tables, study, "clubs"), study.option("clubs", "draws", 10)
    panel = panel.assign(value=(panel["low"] + panel["high"]) / 2)
    found = stability(panel[["area", "period", "value", "low", "high"]], Options(), draws=draws)
    cells = panel.groupby("area")["id"].agg(list)
    members = found.members.assign(id=found.members["area"], club=found.members["club"].where(found.members["club"] > 0))
    members[["own_share", "nearest_share"]] *= 100
    members["inputs"] = [addresses("border_strictness", cells[area]) for area in members["area"]]
    pairs = found.pairs.assign(id=found.pairs["area"] + "." + found.pairs["other"], together=100 * found.pairs["together"])
    pairs["inputs"] = [addresses("clubs", [row.area, row.other]) for row in pairs.itertuples()]
    counts = found.counts.assign(id=found.counts["clubs"].astype(str), share=100 * found.counts["share"], runs=found.runs)
    counts["inputs"] = [addresses("clubs", members["id"])] * len(counts)
    return [
        Result("clubs", members, {"club": Measured(unit="club_number", formula="log_t_clubs"), "own_share": RUNS, "nearest_share": RUNS}),
        Result("club_pairs", pairs, {"together": RUNS}),
        Result(
            "club_counts",
            counts,
            {"clubs": Measured(unit="clubs", formula="count"), "share": RUNS, "runs": Measured(unit="runs", formula="count")},
        ),
    ]


def _panel(tables: Tables, study: Study, question: str) -> pd.DataFrame:
    """Strictness on the months of a question: after the register was last read, all would look alike."""
    whole = strictness_panel(tables, study)
    return whole[whole["period"].between(study.option(question, "first"), study.option(question, "last"))].reset_index(drop=True)
