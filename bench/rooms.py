"""The rooms, each beside what bounds it: a queue beside SimPy and a sort, a corridor and a placement beside their linear programmes, a
fit beside a pandas groupby.

`bench/__main__.py` calls it as `print(rooms(), flush=True)` after `from bench.rooms import rooms`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import qonys
from qonys.scenarios.corridor import plan, read_corridor
from qonys.scenarios.corridor.network import network
from qonys.scenarios.corridor.search import relaxed
from qonys.scenarios.corridor.solver import Solver
from qonys.scenarios.procedure.draws import applicants
from qonys.scenarios.procedure.fit import fit_log
from qonys.scenarios.procedure.read import read_procedure
from qonys.scenarios.procedure.setting import played, prepared
from qonys.scenarios.procedure.simulate import cases, simulate
from qonys.scenarios.procedure.variants import variant
from qonys.scenarios.settlement.assign import place
from qonys.scenarios.settlement.needs import needs
from qonys.scenarios.settlement.placement import read_placement
from qonys.scenarios.settlement.prices import prices
from qonys.scenarios.settlement.simulate import simulate_arrivals

if TYPE_CHECKING:
    from collections.abc import Callable

    from qonys.scenarios.procedure.definition import Procedure

CASES, SLOW_CASES, EVENTS, HOUSEHOLDS = 1_000_000, 20_000, 100_000, 2_000
STEPS, OFFICERS, WORK, BUSY = 3, 20, 0.5, 0.9  # agencies in a row; officers of each; days of work a case; their load
PLACEMENT = """
name = "bench"
households = "households.csv"
regions = "regions.csv"
objective = { retention = 1 }
values = { table = "values.csv" }
"""


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The least of a few runs."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def line(name: str, ours: float, amount: str, **others: float) -> str:
    """Our time, what was done in it, and how it stands to other ways."""
    ratios = [
        f"{ours / taken:.1f} times the time of {other.replace('_', ' ')}" if ours > taken
        else f"{other.replace('_', ' ')} takes {taken / ours:.0f} times as long"
        for other, taken in others.items()
    ]  # fmt: skip
    return "; ".join([f"{name}: {ours:.2f} s for {amount}", *ratios])


def in_a_row(number: int) -> Procedure:
    """About so many cases in a year through three agencies in a row, each with officers that are busy nine tenths of their time."""
    monthly = OFFICERS * BUSY / WORK * 365 / 12
    months = max(1, round(number / monthly))
    text = f"limit = 10\nfirst = 2001-01-01\nmonths = {months}\narrivals.per_month = {monthly}\n"
    for one in range(STEPS):
        text += f"agencies.a{one}.officers = {OFFICERS}\n"
    for one in range(STEPS):
        text += f'[[steps]]\nid = "s{one}"\nagency = "a{one}"\nhandling = {{ mean = {WORK}, distribution = "exponential" }}\n'
    return read_procedure(text, "bench.toml")


def queue() -> str:
    """A million cases played once, beside the same queue in SimPy (per case, from fewer) and one sort of a number an attempt."""
    procedure = in_a_row(CASES)
    setting = prepared(variant(procedure, "as_is"))
    number = len(applicants(procedure, None, seed=1, run=0).arrival)
    simulate(in_a_row(1_000), runs=1)  # compile once
    ours = seconds(lambda: played(setting, applicants(procedure, None, seed=1, run=0), seed=1, run=0))
    few = np.random.default_rng(1).random(number * STEPS)
    return line(
        "queue",
        ours,
        f"{number:,} cases through {STEPS} agencies ({number / ours:,.0f} a second, one core)",
        the_same_queue_in_SimPy=seconds(in_simpy, 1) / SLOW_CASES * number,
        one_sort_of_as_many_numbers=seconds(lambda: np.sort(few)),
    )


def in_simpy() -> None:
    """The same queue as processes of SimPy."""
    import simpy

    env, rng = simpy.Environment(), np.random.default_rng(1)
    offices = [simpy.Resource(env, OFFICERS) for _ in range(STEPS)]
    arrival = np.cumsum(rng.exponential(WORK / OFFICERS / BUSY, SLOW_CASES))
    work = rng.exponential(WORK, (SLOW_CASES, STEPS))

    def case(one: int):  # type: ignore[no-untyped-def]
        yield env.timeout(arrival[one])
        for step, office in enumerate(offices):
            with office.request() as turn:
                yield turn
                yield env.timeout(work[one, step])

    for one in range(SLOW_CASES):
        env.process(case(one))
    env.run()


def corridor() -> str:
    """The shipped corridor planned to one percent, beside the linear programme in which vehicles are fractions."""
    path = Path(qonys.__file__).parent / "data" / "rooms" / "transit-2020.toml"
    asked = read_corridor(path.read_text(encoding="utf-8"), file=path.name)
    net = network(asked)
    ours = seconds(lambda: plan(asked), 2)
    alone = seconds(lambda: Solver(relaxed(net.model)).solve(), 2)
    return line("corridor", ours, f"{asked.persons:,} persons, {asked.days} days, {len(asked.legs)} legs", its_relaxation_alone=alone)


def placing() -> str:
    """Two thousand whole households placed, beside the linear programme in which they may be split."""
    people, regions, values = simulate_arrivals(HOUSEHOLDS, 16, seed=1)
    asked = needs(people, regions, read_placement(PLACEMENT, "bench.toml"), values=values)
    ours = seconds(lambda: place(asked), 2)
    return line(
        "placement",
        ours,
        f"{HOUSEHOLDS:,} households, {len(regions)} regions",
        the_linear_programme=seconds(lambda: prices(asked.market), 2),
    )


def fitting() -> str:
    """A log fitted with censoring, families, intervals and bottlenecks, beside the mean of the finished by step."""
    log = cases(in_a_row(EVENTS // STEPS))
    ours = seconds(lambda: fit_log(log), 2)

    def means() -> None:
        span = (log["finished_at"] - log["started_at"]).dt.total_seconds()
        span.groupby([log["step"], log["agency"]]).mean()

    return line("fit of a log", ours, f"{len(log):,} events", a_groupby_of_means=seconds(means))


def rooms() -> str:
    """A line for each room."""
    return "\n".join((queue(), corridor(), placing(), fitting()))
