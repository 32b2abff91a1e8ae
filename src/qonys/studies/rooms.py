"""The rooms and the arithmetic: people brought home, a procedure redesigned, families resettled, sums that hold or do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from ibis import _

from qonys.core.errors import StudyError
from qonys.core.results import Measured, Result, addresses
from qonys.scenarios import elapsed_days, returned_share, schedule
from qonys.scenarios.procedure.schedule import DAYS_PER_MONTH
from qonys.studies.tables import Tables, collect, needed

if TYPE_CHECKING:
    from qonys.studies.definition import Study


class Figures:
    """Published figures by id, for questions that name the figures they stand on."""

    def __init__(self, tables: Tables, question: str, ids: list[str]) -> None:
        (figure,) = needed(tables, question, "figure")
        self.rows = collect(figure.filter(_.id.isin(ids)), "id").set_index("id")
        absent = sorted(set(ids) - set(self.rows.index))
        if absent:
            raise StudyError(
                f"question {question!r} names the figures {', '.join(absent)}, which no table holds",
                mend="correct the ids in the study file",
            )

    def value(self, figure: str) -> float:
        """The printed value."""
        return float(self.rows.loc[figure, "value"])

    def addresses(self, *figures: str) -> list[str]:
        """Addresses of the figures' rows."""
        return sorted(f"figure/{self.rows.loc[figure, 'row']}" for figure in figures)


def returns(tables: Tables, study: Study) -> list[Result]:
    """People brought home by region of stay and people let through by citizenship, as lower bounds, with sums where none is printed."""
    home, corridor, whole = (study.option("returns", key) for key in ("home", "corridor", "corridor_total"))
    figures = Figures(tables, "returns", [*home, *corridor, whole])

    def part(figure: str, group: str) -> dict[str, object]:
        row = figures.rows.loc[figure]
        return {
            "id": figure,
            "group": group,
            "area": row["area"],
            "area_words": row["area_words"],
            "qualifier": row["qualifier"],
            "value": row["value"],
            "inputs": figures.addresses(figure),
        }

    rows = [part(figure, "home") for figure in home] + [part(figure, "corridor") for figure in corridor]
    sums = [
        {
            "id": "home",
            "parts": len(home),
            "parts_sum": sum(map(figures.value, home)),
            "printed": None,
            "gap": None,
            "inputs": [f"returns/{f}" for f in home],
        },
        {
            "id": "corridor",
            "parts": len(corridor),
            "parts_sum": sum(map(figures.value, corridor)),
            "printed": figures.value(whole),
            "gap": figures.value(whole) - sum(map(figures.value, corridor)),
            "inputs": [*(f"returns/{f}" for f in corridor), *figures.addresses(whole)],
        },
    ]
    persons, total = Measured(unit="persons"), Measured(unit="persons", formula="sum")
    return [
        Result("returns", pd.DataFrame(rows), {"value": persons}),
        Result(
            "returns_total",
            pd.DataFrame(sums).astype({"printed": "float64", "gap": "float64"}),
            {
                "parts": Measured(unit="pieces", formula="count"),
                "parts_sum": total,
                "printed": persons,
                "gap": Measured(unit="persons", formula="printed_less_sum"),
            },
        ),
    ]


def procedure(tables: Tables, study: Study) -> list[Result]:
    """A procedure step by step in turn and all at once, from the printed durations: when each step starts and ends, and the whole."""
    steps = {step["id"]: step["figure"] for step in study.option("procedure", "steps")}
    printed, extra = study.option("procedure", "announced"), study.option("procedure", "outcome")
    figures = Figures(tables, "procedure", [*steps.values(), printed, extra])
    days = {
        step: figures.value(figure) * (DAYS_PER_MONTH if figures.rows.loc[figure, "unit"] == "months" else 1)
        for step, figure in steps.items()
    }
    rows, totals = [], []
    for order in ("in_turn", "at_once"):
        for step, (start, end) in schedule(days, order=order).items():
            rows.append(
                {
                    "id": f"{order}.{step}",
                    "order": order,
                    "step": step,
                    "start": start,
                    "end": end,
                    "days": end - start,
                    "inputs": figures.addresses(steps[step]),
                }
            )
        totals.append({"id": order, "days": elapsed_days(days, order=order), "inputs": [f"procedure/{order}.{step}" for step in days]})
    totals.append({"id": "announced", "days": figures.value(printed), "inputs": figures.addresses(printed)})
    outcome = {"id": extra, "value": figures.value(extra), "inputs": figures.addresses(extra)}
    span = Measured(unit="days", formula="schedule")
    return [
        Result("procedure", pd.DataFrame(rows), {"start": span, "end": span, "days": Measured(unit="days", formula="months_as_30_days")}),
        Result("procedure_total", pd.DataFrame(totals), {"days": Measured(unit="days", formula="last_end")}),
        Result("procedure_outcome", pd.DataFrame([outcome]), {"value": Measured(unit="persons")}),
    ]


def resettlement(tables: Tables, study: Study) -> list[Result]:
    """Of those resettled, the share that went back, with its interval, for each published pair of totals."""
    pairs = study.option("resettlement", "pairs")
    figures = Figures(tables, "resettlement", [pair[key] for pair in pairs for key in ("resettled", "returned")])
    rows = []
    for pair in pairs:
        value, low, high = returned_share(figures.value(pair["returned"]), figures.value(pair["resettled"]))
        rows.append(
            {
                "id": pair["id"],
                "resettled": figures.value(pair["resettled"]),
                "returned": figures.value(pair["returned"]),
                "share": value,
                "low": low,
                "high": high,
                "qualifier": figures.rows.loc[pair["returned"], "qualifier"],
                "until": figures.rows.loc[pair["resettled"], "period_end"],
                "inputs": figures.addresses(pair["resettled"], pair["returned"]),
            }
        )
    share = Measured(unit="percent", formula="returned_by_resettled", decimals=1)
    bound = Measured(unit="percent", formula="wilson_interval", decimals=1)
    persons = Measured(unit="persons")
    return [
        Result("resettlement", pd.DataFrame(rows), {"resettled": persons, "returned": persons, "share": share, "low": bound, "high": bound})
    ]


def arithmetic(tables: Tables, study: Study) -> list[Result]:
    """Printed totals against the sum of their printed parts, and printed shares against the division: what holds and what does not."""
    checks = study.option("arithmetic", "checks")
    named = [figure for check in checks for figure in (check["total"], *check["parts"])]
    figures = Figures(tables, "arithmetic", named)
    rows = []
    for check in checks:
        parts = [figures.value(figure) for figure in check["parts"]]
        total = figures.value(check["total"])
        computed = 100 * parts[0] / parts[1] if check["kind"] == "share" else sum(parts)
        digits = check.get("digits", 0)
        rows.append(
            {
                "id": check["id"],
                "kind": check["kind"],
                "total": check["total"],
                "printed": total,
                "computed": computed,
                "gap": total - computed,
                "verdict": "holds" if round(computed, digits) == round(total, digits) else "differs",
                "decimals": digits,
                "inputs": figures.addresses(check["total"], *check["parts"]),
            }
        )
    unit = {
        name: Measured(unit="as_row", formula=formula, decimals=2)
        for name, formula in (("printed", "as_published"), ("computed", "recomputed"), ("gap", "printed_less_sum"))
    }
    table = pd.DataFrame(rows)
    counts = {verdict: int((table["verdict"] == verdict).sum()) for verdict in ("holds", "differs")}
    summary = {"id": "all", "of": len(table), **counts, "inputs": addresses("arithmetic", table["id"])}
    number = Measured(unit="pieces", formula="count")
    return [
        Result("arithmetic", table, unit),
        Result("arithmetic_counts", pd.DataFrame([summary]), dict.fromkeys(("of", "holds", "differs"), number)),
    ]
