"""Event logs whose truth is known: independent cases through three steps, each of which waits and is then handled."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

MEANS = {"check": 3.0, "register": 9.0, "decide": 12.0}
WAITS = {"check": 2.0, "register": 8.0, "decide": 4.0}
AGENCY = {"check": "office", "register": "police", "decide": "office"}
START = np.datetime64("2020-01-01", "us")


def drawn(rng, family: str, mean: float, number: int) -> np.ndarray:
    """Durations of a family with cv 0.7 or so."""
    match family:
        case "gamma":
            return rng.gamma(2.0, mean / 2, number)
        case "lognormal":
            return rng.lognormal(np.log(mean) - 0.18, 0.6, number)
        case "weibull":
            return rng.weibull(1.5, number) * mean / special.gamma(1 + 1 / 1.5)
    return rng.exponential(mean, number)


def instants(days) -> np.ndarray:
    return START + np.round(np.asarray(days) * 86_400_000_000).astype("int64").astype("timedelta64[us]")


def three_steps(number: int = 600, *, seed: int = 1, span: float = 300.0, starts: bool = True) -> pd.DataFrame:
    """case_event rows, not cut: cases begin evenly over `span` days from 2020-01-01."""
    rng = np.random.default_rng(seed)
    ready = np.sort(rng.uniform(0, span, number))
    parts = []
    for step, family in (("check", "gamma"), ("register", "lognormal"), ("decide", "weibull")):
        started = ready + rng.exponential(WAITS[step], number)
        finished = started + drawn(rng, family, MEANS[step], number)
        parts.append(
            pd.DataFrame(
                {"case_id": [f"c{one:05d}" for one in range(number)], "step": step, "agency": AGENCY[step], "ready_at": instants(ready),
                 "started_at": instants(started) if starts else pd.NaT, "finished_at": instants(finished), "outcome": "done"}
            )
        )  # fmt: skip
        ready = finished
    return pd.concat(parts, ignore_index=True)


def row(durations: pd.DataFrame, step: str | None, part: str, unit: str = "days") -> pd.Series:
    """The line of a step and part in the table of durations."""
    same = durations["step"].isna() if step is None else durations["step"] == step
    found = durations[same & (durations["part"] == part) & (durations["unit"] == unit)]
    assert len(found) == 1
    return found.iloc[0]
