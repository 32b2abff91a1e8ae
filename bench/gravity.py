"""Three-way gravity, beside pyfixest on the same panel.

`bench/__main__.py` calls it as `print(gravity(), flush=True)` after `from bench.gravity import gravity`.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd

from qonys.effects.gravity import ppml

THREE = [("origin", "year"), ("destination", "year"), ("origin", "destination")]


def flows(places: int, years: int, seed: int = 1) -> pd.DataFrame:
    """A simulated panel of all pairs, half its flows zero, with three regressors."""
    rng = np.random.default_rng(seed)
    o, d, t = (one.ravel().astype(np.int32) for one in np.meshgrid(*map(np.arange, (places, places, years)), indexing="ij"))
    apart = o != d
    o, d, t = o[apart], d[apart], t[apart]
    fo, fd, pair = rng.normal(0, 0.7, (places, years)), rng.normal(0, 0.7, (places, years)), rng.normal(-0.5, 2, (places, places))
    base = fo[o, t] + fd[d, t] + pair[o, d]
    visa, wage, war = (
        (rng.uniform(size=len(o)) < 0.3).astype(float),
        rng.normal(size=len(o)),
        (rng.uniform(size=len(o)) < 0.1).astype(float),
    )
    persons = rng.poisson(np.exp(base + 0.4 * visa - 0.3 * wage + 0.5 * war)).astype(float)
    return pd.DataFrame({"origin": o, "destination": d, "year": t, "visa": visa, "wage": wage, "war": war, "persons": persons})


def gravity(places: int = 92, years: int = 6) -> str:
    """One line: our time for about 50,000 rows and three regressors, errors by origin, destination and pair, and pyfixest's."""
    table = flows(places, years)
    table["pair"] = table["origin"] * places + table["destination"]
    names = ["visa", "wage", "war"]

    def ours() -> object:
        return ppml(table, "persons", names, THREE, cluster=["origin", "destination", ("origin", "destination")])

    ours()  # compile once
    times = []
    for _ in range(3):
        started = time.perf_counter()
        ours()
        times.append(time.perf_counter() - started)
    line = f"gravity: {min(times):.2f} s for {len(table):,} rows, three-way effects, three regressors"
    try:
        import pyfixest as pf
    except ImportError:
        return line + "; pyfixest is not installed"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        formula = "persons ~ visa + wage + war | origin^year + destination^year + pair"
        try:
            started = time.perf_counter()
            pf.fepois(formula, table, vcov={"CRV1": "pair"})
            started = time.perf_counter()
            pf.fepois(formula, table, vcov={"CRV1": "pair"})
        except ValueError as fault:
            return line + f"; pyfixest: {fault}"
        return line + f"; pyfixest takes {(time.perf_counter() - started) / min(times):.1f} times as long"
