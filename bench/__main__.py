"""Time the main steps as ratios in one run; the machines are noisy, so no absolute time is asserted anywhere.

python -m bench
"""

from __future__ import annotations

import resource
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.border import border
from bench.gravity import gravity
from bench.rooms import rooms
from bench.sources import sources
from bench.web import web
from qonys.convergence import Options, spread
from qonys.convergence.clubs import partition
from qonys.core import areas
from qonys.core.contracts import FLOW
from qonys.measures import (
    band,
    calendar,
    corridor_categories,
    days_between,
    exposure,
    in_force,
    index,
    index_book,
    month_shares,
    people,
    register_index,
)  # fmt: skip
from qonys.pipeline import answer, load, open_study
from qonys.registers import open_registers
from qonys.report.claims import check_text
from qonys.store import connect, take_in

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
REPEATS = 3


def seconds(work: Callable[[], object]) -> float:
    """The least of a few runs: what the step costs when the machine lets it."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def report(name: str, ours: float, amount: str, **others: float) -> None:
    """One line: our time, what was done in it, and how it stands to other ways of doing it."""
    ratios = [
        f"{ours / taken:.1f} times the time of {other.replace('_', ' ')}" if ours > taken
        else f"{other.replace('_', ' ')} takes {taken / ours:.0f} times as long"
        for other, taken in others.items()
    ]  # fmt: skip
    print("; ".join([f"{name}: {ours:.2f} s for {amount}", *ratios]), flush=True)


def flow_file(folder: Path) -> Path:
    """A flow table of the contract with ROWS rows, one in a thousand bad."""
    rng = np.random.default_rng(7)
    codes = np.array(["KAZ", "RUS", "UZB", "KGZ", "DEU", "CHN", "WORLD"])
    years = rng.integers(2000, 2024, ROWS)
    persons = rng.integers(0, 10_000, ROWS).astype(str)
    persons[:: ROWS // 1000] = "n/a"
    frame = pd.DataFrame(
        {
            "origin": rng.choice(codes, ROWS),
            "destination": rng.choice(codes, ROWS),
            "period_start": [f"{y}-01-01" for y in years],
            "period_end": [f"{y}-12-31" for y in years],
            "persons": persons,
            "basis": "previous_residence",
            "counted": "moves",
            "source": "bench",
            "status": "final",
        }
    )
    path = folder / "flows.csv"
    frame.to_csv(path, index=False)
    return path


def edge(folder: Path) -> None:
    """A million rows through the edge, against reading the file and against the same checks written in pandas."""
    path = flow_file(folder)

    def plain_read() -> None:
        connect().raw_sql(f"create table t as select * from read_csv('{path}', all_varchar=true)")

    def in_pandas() -> None:
        frame = pd.read_csv(path, dtype=str)
        persons = pd.to_numeric(frame["persons"], errors="coerce")
        starts, ends = (pd.to_datetime(frame[name], errors="coerce") for name in ("period_start", "period_end"))
        known = frame["origin"].isin({"KAZ", "RUS", "UZB", "KGZ", "DEU", "CHN", "WORLD"}) & frame["destination"].notna()
        frame[(persons >= 0) & (starts <= ends) & known]

    ours = seconds(lambda: take_in(connect(), path, FLOW))
    report(
        "edge",
        ours,
        f"{ROWS:,} rows ({ROWS / ours:,.0f} a second)",
        reading_the_file=seconds(plain_read),
        a_few_pandas_checks=seconds(in_pandas),
    )


def days_in_force() -> None:
    """Days in force by month of the whole register, against a loop over days in pandas."""
    con = connect()
    study = open_study("eu-covid")
    measures = load(con, study, lambda *_: None)[0]["measure"]
    days = calendar("2019-10", "2021-06")
    frame = con.to_pandas(measures)
    spans = frame.dropna(subset=["start_earliest"])
    every = pd.date_range("2019-10-01", "2021-06-30")

    def loop() -> None:
        for day in every:
            for issuer, own in spans.groupby("issuer"):
                ((own["start_earliest"] <= day) & ~(own["end_latest"] < day)).any(), issuer

    ours = seconds(lambda: con.to_pandas(month_shares(in_force(measures, days, reading="possible"))))
    report("days in force", ours, f"{len(frame)} measures x {len(every)} days", a_loop_over_days=seconds(loop))


def corridors() -> None:
    """27 destinations x 200 origins x 36 months x 6 categories from the shipped registers, against writing that many rows."""
    con = connect()
    measures = open_registers(con)
    members = areas.members("EU27_2020", date(2021, 1, 1))
    world = [one.code for one in areas.areas(scheme="iso3166-1", kind="country")][:200]
    classes = people(world, members, corridor_categories()[:6])
    days = days_between(date(2020, 1, 1), date(2022, 12, 31), "month")
    rows = int(con.execute(exposure(measures, classes, days, reading="possible").count()))

    def rows_alone() -> None:
        con.execute(classes.cross_join(days.select("period").distinct()).nunique())

    ours = seconds(lambda: con.execute(exposure(measures, classes, days, reading="possible").nunique()))
    report("exposure", ours, f"{rows:,} corridor-months ({rows / ours:,.0f} a second)", counting_the_bare_rows=seconds(rows_alone))


def levels() -> None:
    """The four OxCGRT indices of a file of its size, against reading it and against the same formula in pandas."""
    book = index_book("oxcgrt")
    rng = np.random.default_rng(3)
    rows = 204_952
    frame = pd.DataFrame({"country_code": rng.choice(["KAZ", "DEU", "UZB"], rows), "date": np.arange(rows)})
    for one in book.indicators.values():
        frame[one.level] = rng.integers(0, one.maximum + 1, rows)
        if one.flag:
            frame[one.flag] = rng.integers(0, 2, rows)
    con = connect()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "levels.parquet"
        frame.to_parquet(path)
        table = con.read_parquet(path)

        def in_pandas() -> None:
            again = pd.read_parquet(path)
            for one in book.indices.values():
                total = 0.0
                for code in one.weights:
                    indicator = book.indicators[code]
                    level = again[indicator.level]
                    step = 0.5 * (1 - again[indicator.flag]) if indicator.flag else 0.0
                    total += (100 * (level - step) / indicator.maximum).where(level > 0, 0)
                (total / len(one.weights)).round(2)

        ours = seconds(lambda: con.to_pandas(index(table, book)))
        report(
            "index",
            ours,
            f"{rows:,} country-days x 4 indices ({rows / ours:,.0f} a second)",
            reading_the_file=seconds(lambda: con.to_pandas(table)),
            the_formula_in_pandas=seconds(in_pandas),
        )


def bands() -> None:
    """The band of the restriction index of every issuer for three years, 500 registers drawn."""
    con = connect()
    measures = con.to_pandas(open_registers(con))
    issuers = sorted(set(measures["issuer"]))
    ours = seconds(lambda: band(measures, date(2020, 1, 1), date(2022, 12, 31), issuers, register_index("restriction")))
    report("band", ours, f"{len(measures)} measures x 500 draws x 1,096 days")


def convergence() -> None:
    """Spread with 2,000 draws a month, against a loop over the draws."""
    rng = np.random.default_rng(1)
    panel = pd.DataFrame(
        [(f"A{a}", f"2020-{m:02d}", v) for a in range(27) for m, v in enumerate(rng.uniform(size=12), start=1)],
        columns=["area", "period", "value"],
    )
    wide = panel.pivot(index="area", columns="period", values="value")

    def loop() -> None:
        for _ in range(2000):
            wide.iloc[rng.integers(0, len(wide), len(wide))].std()

    report("spread", seconds(lambda: spread(panel)), "27 members x 12 months", a_bootstrap_loop_of_2000_draws=seconds(loop))


def club_clustering() -> None:
    """152 areas x 34 years into clubs, beside the R package ConvergenceClubs, which took 1.25 s on such a machine and is not run here."""
    rng = np.random.default_rng(1)
    t = np.arange(1, 35)
    level = np.repeat([10.0, 9.2, 8.5, 7.8, 7.0], [50, 40, 30, 20, 12])
    values = (level[:, None] + 0.02 * t) * (1 + rng.normal(0, 0.05, (152, 1)) / (np.log(t + 1) * t**0.3)) + rng.normal(0, 0.002, (152, 34))
    ours = seconds(lambda: partition(values, Options()))
    runs = seconds(lambda: [partition(values, Options(core=core, order=order)) for core in ("max", "all") for order in (0.0, 1 / 3)])
    report("clubs", ours, f"152 areas x 34 years; 1,000 runs over options take {250 * runs:.0f} s", the_R_package_with_1_25_s=1.25)


def claims() -> None:
    """A megabyte of brief through the claims check."""
    text = "Of 9,206 people resettled in 2021, 770 (8.4%) went back. In all 56,000 crossed, among them 40,000, 13,000 and 3,000.\n" * 9_000
    ours = seconds(lambda: check_text(text))
    report("claims", ours, f"{len(text) / 1e6:.1f} MB of text ({len(text) / 1e6 / ours:.2f} MB a second)")


def main() -> None:
    """Run every benchmark and print its line."""
    with tempfile.TemporaryDirectory() as folder:
        edge(Path(folder))
    days_in_force()
    corridors()
    levels()
    bands()
    convergence()
    club_clustering()
    claims()
    print(border(), flush=True)
    print(gravity(), flush=True)
    print(rooms(), flush=True)
    print(sources(), flush=True)
    print(web(), flush=True)
    for name in ("kazakhstan", "eu-covid"):
        study = open_study(name)
        report(f"answers of {name}", seconds(lambda study=study: answer(study)), f"{len(study.questions)} questions")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
