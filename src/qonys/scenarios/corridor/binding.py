"""What binds: the price of every limit in the relaxation, and what one more of the dearest would bring, by solving again.

A price is the dual of the limit's row where vehicles may be fractions: weighted person-days saved by one more unit on that day, while the
timetable adapts. Duals are slopes at one optimum and may not be unique; what is said of a limit rests on the second plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.corridor.loosening import loosen
from qonys.scenarios.corridor.network import Network, network
from qonys.scenarios.corridor.plan import Plan, tables
from qonys.scenarios.corridor.search import check_effort, optimum, relaxed
from qonys.scenarios.corridor.solver import INF, Solver

if TYPE_CHECKING:
    from qonys.scenarios.corridor.definition import Corridor

UNITS = {"vehicles": 1, "fleet": 1, "permits": 100, "beds": 100, "consulate": 50, "room": 100, "fairness": 1}
LOOSENED = ["kind", "name", "day", "extra", "estimate", "last_home", "days_earlier", "person_days_saved", "weighted_saved", "low", "high"]
PRICED = 1e-6  # prices below are none


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """prices: kind, name, day, price (weighted person-days one more unit saves; of home_by, one person less; of closed, one person let
    through; of seats, one seat more), dearest first; limits that do not bind are left out.

    loosened: kind, name, day (missing: on every day), extra, estimate (of weighted_saved, in the relaxation), last_home, days_earlier,
    person_days_saved, weighted_saved, low, high. It is the plan with `extra` more, less the plan as it is, both solved to the gap, and
    with the trips of the plan kept where that is within it: days_earlier of the last home (missing where not all are home in both),
    weighted_saved of the objective (waiting, vehicles, left); with no gap at all it would surely lie between low and high.
    plan: as it is, solved to that gap.
    """

    prices: pd.DataFrame
    loosened: pd.DataFrame
    plan: Plan


def binding(found: Plan, *, most: int = 5, gap: float = 0.01, seconds: float = 60.0) -> Binding:
    """What binds in a plan, and what one more vehicle, 100 permits a day, 100 beds, 50 documents a day, 100 places to wait or a day of
    fairness would bring, for the `most` limits with the highest estimate; of each leg, only its dearest day.

    gap, seconds: of each solution. Errors: DesignError as of `plan`.
    """
    check_effort(gap, seconds)
    if most < 0:
        raise DesignError(f"most = {most} is no number of limits", mend="give 0 or more")
    corridor = found.corridor
    net = network(corridor)
    solver = Solver(relaxed(net.model))
    prices, value = _prices(net, solver)
    strongest = _dearest(net, solver, prices, value).head(most)
    better = tables(net, optimum(net, gap=gap, seconds=seconds, known=found.schedule))
    rows = [_again(corridor, better, row, gap, seconds) for row in strongest.itertuples()]
    loosened = pd.DataFrame(rows, columns=LOOSENED).astype({"day": "datetime64[ns]", "last_home": "datetime64[ns]"})
    return Binding(prices=prices.drop(columns="row"), loosened=loosened, plan=better)


def _prices(net: Network, solver: Solver) -> tuple[pd.DataFrame, float]:
    """Prices with the row of each limit, dearest first, and the optimum of the relaxation."""
    solution = solver.solve()
    if solution.duals is None:
        raise DesignError(f"no plan of {net.corridor.name} keeps all limits", mend="ask which of them cannot hold together: conflict")
    limits = net.limits[["kind", "name", "day", "row"]].assign(price=net.limits["factor"] * 1.0)
    trips = net.trips[net.trips["row"] >= 0]
    seats = pd.DataFrame({"kind": "seats", "name": trips["leg"], "day": trips["day"], "row": trips["row"], "price": 1.0})
    prices = pd.concat([limits, seats])
    prices["price"] *= -solution.duals[prices["row"].to_numpy(int)]
    prices = prices[prices["price"] > PRICED].sort_values(["price", "kind", "name", "day"], ascending=[False, True, True, True])
    dates = pd.Timestamp(net.corridor.first) + pd.to_timedelta(prices["day"], unit="D")
    return prices.assign(day=dates).reset_index(drop=True), solution.value


def _dearest(net: Network, solver: Solver, prices: pd.DataFrame, optimum_now: float) -> pd.DataFrame:
    """Limits by how much `extra` of them would save in the relaxation, solved again: a leg on its dearest day, others on all days."""
    some = prices[prices["kind"].isin(list(UNITS))]
    some = some.assign(name=some["name"].mask(some["kind"] == "fairness", ""))  # one bound for all groups
    limits, rows = net.limits.assign(name=net.limits["name"].mask(net.limits["kind"] == "fairness", "")), []
    for one in some.drop_duplicates(["kind", "name"]).itertuples():
        its = limits[(limits["kind"] == one.kind) & (limits["name"] == one.name)]
        its = its[its["row"] == one.row] if one.kind == "vehicles" else its[(one.kind != "consulate") | (its["limit"] > 0)]
        at, limit, extra = its["row"].to_numpy(int), its["limit"].to_numpy(float), UNITS[one.kind]
        solver.rows(at, np.full(len(at), -INF), limit + extra)
        saved = optimum_now - solver.solve().value
        solver.rows(at, np.full(len(at), -INF), limit)
        rows.append((one.kind, one.name, one.day if one.kind == "vehicles" else pd.NaT, extra, saved))
    found = pd.DataFrame(rows, columns=["kind", "name", "day", "extra", "estimate"]).astype({"day": "datetime64[ns]"})
    return found[found["estimate"] > PRICED].sort_values(["estimate", "kind", "name"], ascending=[False, True, True])


def _again(corridor: Corridor, before: Plan, row: Any, gap: float, seconds: float) -> dict[str, Any]:
    day = None if pd.isna(row.day) else row.day.date()
    net = network(loosen(corridor, kind=row.kind, name=row.name, day=day, extra=row.extra))
    after = tables(net, optimum(net, gap=gap, seconds=seconds, known=before.schedule))
    old, new = before.summary.iloc[0], after.summary.iloc[0]
    return {
        "kind": row.kind, "name": row.name, "day": row.day, "extra": row.extra, "estimate": row.estimate, "last_home": new["last_home"],
        "days_earlier": (old["last_home"] - new["last_home"]).days if pd.notna(old["last_home"]) and pd.notna(new["last_home"]) else np.nan,
        "person_days_saved": old["person_days"] - new["person_days"], "weighted_saved": old["objective"] - new["objective"],
        "low": max(0.0, old["bound"] - new["objective"]), "high": old["objective"] - new["bound"],
    }  # fmt: skip
