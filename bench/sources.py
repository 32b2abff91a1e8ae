"""Publishers' tables through the chain, against plain reads and one sort of the same data: staged, kept as a vintage, harmonised."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow.csv

from qonys.holdings import harmonised
from qonys.sources import eurostat, publisher
from qonys.store.keeping import keep_reply
from qonys.store.vintages import CELLS, Vintage, latest

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "eurostat:migr_imm1ctz?age=TOTAL&agedef=COMPLET&sex=T"
YEARS = range(1998, 2022)
COUNTRIES = ("BE", "BG", "CZ", "DK", "DE", "EE", "IE", "EL", "ES", "FR", "HR", "IT", "CY", "LV", "LT", "LU", "HU", "MT", "NL", "AT", "PL",
             "PT", "RO", "SI", "SK", "FI", "SE")  # fmt: skip
CITIZENS = ("TOTAL", "UA", "SY", "KZ", "UZ", "RU", "TR", "MA", "AF", "IN")


def table(path: Path, cells: int, *, revised: float) -> None:
    """A table of Eurostat's form, citizenship by age, sex and country; `revised`: the share of cells that another vintage has changed."""
    rng, later = np.random.default_rng(1), np.random.default_rng(2)
    lines = cells // len(YEARS)
    value = rng.integers(0, 900_000, (lines, len(YEARS)))
    flag = np.array(["", "", "", "p", "e", "b"])[rng.integers(0, 6, value.shape)]
    gap = rng.random(value.shape) < 0.1
    value = np.where(later.random(value.shape) < revised, value + 1, value)
    text = np.where(gap, ": ", np.char.add(np.char.add(value.astype(str), " "), flag))
    sexes, ages = ("T", "F", "M"), [f"Y{one}" for one in range(1 + lines // (len(CITIZENS) * len(COUNTRIES) * 3))]
    names = (f"A,{citizen},COMPLET,{age},NR,{sex},{geo}" for age in ages for citizen in CITIZENS for sex in sexes for geo in COUNTRIES)
    with path.open("w", encoding="utf-8") as file:
        file.write("freq,citizen,agedef,age,unit,sex,geo\\TIME_PERIOD\t" + "\t".join(f"{year} " for year in YEARS) + "\n")
        for name, row in zip(names, text, strict=False):
            file.write(name + "\t" + "\t".join(row) + "\n")


def timed(work: Callable[[], object], times: int = 1) -> float:
    """Seconds of the fastest of several runs."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


def sources(cells: int = 1_500_000) -> str:
    """Three lines: staging, a second vintage, harmonising."""
    facts = publisher("eurostat")
    with tempfile.TemporaryDirectory() as folder:
        first, second, store = (Path(folder) / name for name in ("first.tsv", "second.tsv", "store"))
        table(first, cells, revised=0)
        table(second, cells, revised=0.01)
        size = first.stat().st_size / 1e6

        def staged() -> None:
            for _ in eurostat.stage(first, "migr_imm1ctz", facts).batches:
                pass

        options = pyarrow.csv.ParseOptions(delimiter="\t")
        ours = timed(staged, 2)
        plain = timed(lambda: pyarrow.csv.read_csv(first, parse_options=options), 2)
        bytes_alone = timed(first.read_bytes, 2)

        def keep(path: Path) -> Vintage:
            return keep_reply(
                path, target=TARGET, looked_at=datetime.now(UTC), store=store, stage=lambda one: eurostat.stage(one, "migr_imm1ctz", facts)
            ).vintage

        one = timed(lambda: keep(first))
        two = timed(lambda: keep(second))
        kept = latest(TARGET, store=store)
        assert kept is not None
        whole = kept.folder.parent / "0001" / CELLS
        by = ", ".join(kept.keys)
        con = duckdb.connect()
        con.execute("set enable_progress_bar = false; set threads = 2")
        sort = timed(lambda: con.execute(f"copy (from '{whole}' order by {by}) to '{folder}/sorted.parquet' (compression zstd)"))
        stored = sum(one.stat().st_size for one in kept.folder.iterdir()) / 1e6

        def made() -> None:
            for _ in harmonised(kept, store=store).batches:
                pass

        contract = timed(made)
    return "\n".join(
        [
            f"sources, staging: {ours:.2f} s for {cells:,} cells of Eurostat's TSV, {size:.0f} MB ({size / ours:.0f} MB a second), "
            f"{ours / plain:.1f} times the time of pyarrow's plain read, {ours / bytes_alone:.0f} times that of its bytes alone",
            f"sources, vintages: {one:.2f} s for the first, {two:.2f} s for a second with 1 cell in 100 changed ({stored:.1f} MB kept), "
            f"{two / sort:.1f} times one sort of its cells",
            f"sources, harmonising: {contract / cells * 1e6:.2f} s a million cells, from the store",
        ]
    )
