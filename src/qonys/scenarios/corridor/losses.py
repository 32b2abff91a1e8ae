"""A plan that holds if trips are lost: each leg and day fails with a given chance, all its vehicles at once, independently of the others.

Sample average approximation (Kleywegt, Shapiro, Homem-de-Mello 2002, SIAM J. Optim. 12(2)) over a short list of timetables: the plan for
full seats, and plans that count on (1 - chance)^k of them, k = 1, 2, 4, 8. Each is tried on the same sampled losses, with recourse:
the best mean is the robust plan, and fresh samples say what either is worth. All timetables at once: a model of scenarios x columns.

Recourse: those of a lost trip wait and take later ones, by the linear programme with the vehicles that do run. It knows all losses of its
scenario from the first day, so shares of success are those of a plan run with perfect foresight, upper bounds of what can be had.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.corridor.network import Network, network
from qonys.scenarios.corridor.plan import Plan, plan
from qonys.scenarios.corridor.search import Clock, check_effort, counts_of, relaxed, whole_vehicles
from qonys.scenarios.corridor.solver import Solver

if TYPE_CHECKING:
    from qonys.scenarios.corridor.definition import Corridor

POWERS = (1, 2, 4, 8)  # of 1 - chance: how much of the seats a timetable counts on
COVERAGE_Z = 1.959964  # 95 %
SOME = 0.5  # persons; less than one is nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Withstood:
    """results, a row for each of nominal and robust: plan, counted_on (share of seats), vehicles, seats, cost, share_home (of the tests in
    which all are home by home_by, or by the last day where there is none), share_low, share_high (Wilson, 95 %), last_home_mean,
    last_home_95 (missing where some test leaves persons behind), mean_waiting_days, mean_waiting_95, not_home (persons, mean).

    candidates: counted_on, vehicles, share_home, objective: means on the sampled losses by which the robust one was chosen.
    tests: plan, test, lost (trips of that plan), not_home, last_home, mean_waiting_days. schedule: plan, day, leg, vehicles.
    """

    results: pd.DataFrame
    candidates: pd.DataFrame
    tests: pd.DataFrame
    schedule: pd.DataFrame
    nominal: Plan


def withstand(
    corridor: Corridor, *, chance: float, scenarios: int = 20, tests: int = 100, seed: int = 1, gap: float = 0.01, seconds: float = 60.0
) -> Withstood:
    """The plan, and a robust one, under sampled losses of trips with a chance each, in fresh tests common to both.

    The robust one has the best mean on `scenarios` sampled losses: where there is a home_by the highest share of scenarios that keep it,
    then the lowest objective (vehicles that were lost are paid for). In the recourse home_by, fairness and room may be exceeded: people are
    where they are. Persons are fractions there; fewer than half a person is nobody. gap, seconds: of each plan.
    Errors: DesignError for a chance outside 0 to 1, counts that are none, and as of `plan`.
    """
    check_effort(gap, seconds)
    if 1 < chance <= 100:
        raise DesignError(f"a chance of {chance:g} is above 1", mend=f"if you mean {chance:g} %, write {chance / 100:g}")
    if not 0 <= chance < 1:
        raise DesignError(f"a chance of {chance:g} is none", mend="give a share from 0 to below 1, such as 0.05")
    if not (0 < scenarios <= 10_000 and 0 < tests <= 100_000):
        raise DesignError(f"{scenarios} scenarios and {tests} tests cannot be run", mend="give some of each, such as 20 and 100")
    nominal = plan(corridor, gap=gap, seconds=seconds)
    recourse = _Recourse(corridor)
    first, second = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(2))
    timetables = _timetables(corridor, recourse.net, nominal, chance, gap, seconds)
    sampled = first.random((scenarios, len(recourse.net.trips))) < chance
    trained = {share: recourse.run(counts, sampled) for share, counts in timetables.items()}
    candidates = pd.DataFrame([
        {"counted_on": share, "vehicles": int(timetables[share].sum()), "share_home": one["by"].mean(),
         "objective": one["objective"].mean()}
        for share, one in trained.items()
    ])  # fmt: skip
    order = ["share_home", "objective"] if corridor.home_by is not None else ["objective"]
    ranked = candidates.sort_values(order, ascending=[name != "share_home" for name in order], kind="stable")
    chosen = {"nominal": 1.0, "robust": float(ranked["counted_on"].iloc[0])}
    fresh = second.random((tests, len(recourse.net.trips))) < chance
    ran = {share: recourse.run(timetables[share], fresh) for share in dict.fromkeys(chosen.values())}
    return Withstood(
        results=pd.DataFrame([_result(recourse, name, share, timetables[share], ran[share]) for name, share in chosen.items()]),
        candidates=candidates, nominal=nominal,
        tests=pd.concat([_told(recourse, name, ran[share]) for name, share in chosen.items()], ignore_index=True),
        schedule=pd.concat([_schedule(recourse.net, name, timetables[share]) for name, share in chosen.items()], ignore_index=True),
    )  # fmt: skip


class _Recourse:
    """The corridor with a timetable that is given, without the limits that people who are stuck cannot keep."""

    def __init__(self, corridor: Corridor) -> None:
        self.corridor = corridor
        self.net = network(replace(corridor, home_by=None, fairness=None, rooms={}))
        self._solver = Solver(relaxed(self.net.model))

    def run(self, counts: np.ndarray, lost: np.ndarray) -> pd.DataFrame:
        """Each scenario (a row of lost trips) with these vehicles -> lost, objective, not_home, last (day of the plan), mean, by."""
        net, corridor, moves = self.net, self.corridor, self.net.moves
        columns, ends = net.trips["column"].to_numpy(int), moves["home"] < corridor.days
        home, arriving = moves["home"][ends].to_numpy(int), moves["column"][ends].to_numpy(int)
        latest = corridor.days - 1 if corridor.home_by is None else (corridor.home_by - corridor.first).days
        rows = []
        for gone in lost:
            running = np.where(gone, 0.0, counts)
            self._solver.columns(columns, running, running)
            found = self._solver.solve(seconds=600.0)
            if found.values is None:
                raise DesignError("a scenario of lost trips could not be solved", mend="report this corridor: the model is at fault")
            come = np.cumsum(np.bincount(home, weights=found.values[arriving], minlength=corridor.days))
            short = corridor.persons - come
            last = int(np.argmax(short < SOME)) if short[-1] < SOME else corridor.days
            rows.append({
                "lost": int((gone & (counts > 0)).sum()), "not_home": max(0.0, float(short[-1])), "last": last, "by": last <= latest,
                "objective": found.value + corridor.vehicle * float(counts.sum() - running.sum()),
                "mean": float(net.waiting @ found.values) / corridor.persons,
            })  # fmt: skip
        return pd.DataFrame(rows)


def _timetables(
    corridor: Corridor, net: Network, nominal: Plan, chance: float, gap: float, seconds: float
) -> dict[float, np.ndarray]:  # fmt: skip
    """Vehicles of each trip of the network by the share of seats they were planned for; those that no plan allows are left out."""
    found = {1.0: counts_of(net, nominal.schedule)}
    for power in POWERS if chance > 0 else ():
        share = (1 - chance) ** power
        legs = tuple(replace(leg, seats=max(1, int(leg.seats * share))) for leg in corridor.legs)
        fewer = network(replace(corridor, legs=legs))
        solution = whole_vehicles(fewer, gap, Clock(seconds))
        if solution.values is not None:
            found[share] = counts_of(net, _run(fewer, np.rint(solution.values[fewer.trips["column"].to_numpy(int)])))
    return found


def _run(net: Network, counts: np.ndarray) -> pd.DataFrame:
    days = pd.Timestamp(net.corridor.first) + pd.to_timedelta(net.trips["day"], unit="D")
    run = pd.DataFrame({"day": days, "leg": net.trips["leg"], "vehicles": counts.astype(np.int64)})
    return run[run["vehicles"] > 0].sort_values(["day", "leg"], kind="stable").reset_index(drop=True)


def _schedule(net: Network, name: str, counts: np.ndarray) -> pd.DataFrame:
    run = _run(net, counts)
    run.insert(0, "plan", name)
    return run


def _day(recourse: _Recourse, last: float) -> pd.Timestamp:
    return pd.NaT if last >= recourse.corridor.days else pd.Timestamp(recourse.corridor.first) + pd.Timedelta(days=last)


def _told(recourse: _Recourse, name: str, ran: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "plan": name, "test": range(1, len(ran) + 1), "lost": ran["lost"], "not_home": ran["not_home"],
        "last_home": pd.Series([_day(recourse, last) for last in ran["last"]], dtype="datetime64[ns]"), "mean_waiting_days": ran["mean"],
    })  # fmt: skip


def _result(recourse: _Recourse, name: str, share: float, counts: np.ndarray, ran: pd.DataFrame) -> dict[str, object]:
    trips, low, high = recourse.net.trips, *_wilson(int(ran["by"].sum()), len(ran))
    all_home = bool((ran["last"] < recourse.corridor.days).all())
    return {
        "plan": name, "counted_on": share, "vehicles": int(counts.sum()), "seats": int((counts * trips["seats"]).sum()),
        "cost": float((counts * trips["cost"]).sum()), "share_home": ran["by"].mean(), "share_low": low, "share_high": high,
        "last_home_mean": _day(recourse, round(ran["last"].mean())) if all_home else pd.NaT,
        "last_home_95": _day(recourse, float(np.quantile(ran["last"], 0.95, method="higher"))),
        "mean_waiting_days": ran["mean"].mean(), "mean_waiting_95": float(np.quantile(ran["mean"], 0.95, method="higher")),
        "not_home": ran["not_home"].mean(),
    }  # fmt: skip


def _wilson(met: int, tests: int) -> tuple[float, float]:
    """Wilson (1927) interval of a share."""
    share, z = met / tests, COVERAGE_Z
    middle = (share + z * z / (2 * tests)) / (1 + z * z / tests)
    reach = z / (1 + z * z / tests) * float(np.sqrt(share * (1 - share) / tests + z * z / (4 * tests * tests)))
    return max(0.0, middle - reach), min(1.0, middle + reach)
