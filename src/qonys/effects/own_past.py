"""A short series against its own past: what came, less what the trend before would have given, and how often such a gap came otherwise.

With twenty-odd years and one series an interrupted regression has more terms than it can carry, and its errors believe the model. Here the
trend of the years before is carried on, and the interval comes from doing the same at every earlier year at which nothing of the kind
happened: as far as projections of that length were off then, this one may be off now. With few such years the interval is wide; with fewer
than FEWEST there is none.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import scipy

from qonys.core.errors import DesignError

Scale = Literal["log", "level"]
FEWEST = 3  # placebo years below which there is no interval
SHORTEST = 5  # years of which a trend is made


def own_past(
    series: pd.DataFrame, first: int, last: int, *, base: int | None = None, window: int = 8, scale: Scale = "log", coverage: float = 0.95
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Effect of an event from `first` to `last` -> one row: observed, projected, effect, low, high (means a year), share_as_far, placebos;
    and the placebos: year, gap.

    series: year, value, a row a year. base: the last year of the trend (by default the one before `first`). scale: log for what cannot be
    below zero (the trend is a growth rate, the gap a ratio), level for a net (the gap a difference). share_as_far: of the placebos and the
    event itself, how many have a gap as far from none. low and high are missing with fewer than FEWEST placebos; t has as many degrees of
    freedom as there are placebos that do not overlap.
    Errors: DesignError for years that are not there, a trend of fewer than SHORTEST years, or values not above zero on the log scale.
    """
    known = series.dropna(subset=["value"]).set_index("year")["value"].sort_index()
    end = first - 1 if base is None else base
    ahead, length = first - end, last - first + 1
    if length < 1 or ahead < 1:
        raise DesignError(f"an event from {first} to {last} after a trend to {end} is none", mend="order the years")
    if scale == "log" and (known <= 0).any():
        raise DesignError(f"the value of {known[known <= 0].index[0]} has no logarithm", mend="use scale = level")
    found = _gap(known, end, ahead, length, window, scale)
    if found is None:
        raise DesignError(
            f"{first} to {last} or the years before {end + 1} are not all there",
            mend=f"a trend needs {SHORTEST} years to {end} without a gap",
        )
    observed, projected, gap = found
    gaps = {
        year: other[2]
        for year in range(int(known.index.min()) + SHORTEST - 1 + ahead, first)
        # neither trend nor years judged may touch the event
        if year + length - 1 < first and (other := _gap(known, year - ahead, ahead, length, window, scale)) is not None
    }
    apart = np.array(list(gaps.values()))
    low, high = float("nan"), float("nan")
    if len(apart) >= FEWEST:
        free = max(1, len(apart) // length)
        reach = float(scipy.stats.t.ppf((1 + coverage) / 2, free) * np.sqrt(np.mean(apart**2)))
        # the gap itself is as observed; what is not known is where the trend would have gone
        ends = (projected * np.exp(reach), projected * np.exp(-reach)) if scale == "log" else (projected + reach, projected - reach)
        low, high = (observed - end_ for end_ in ends)
    share = (1 + int((np.abs(apart) >= abs(gap)).sum())) / (1 + len(apart))
    row = {"observed": observed, "projected": projected, "effect": observed - projected, "low": low, "high": high, "share_as_far": share,
           "placebos": len(apart)}  # fmt: skip
    return pd.DataFrame([row]), pd.DataFrame({"year": list(gaps), "gap": apart})


def _gap(known: pd.Series, end: int, ahead: int, length: int, window: int, scale: Scale) -> tuple[float, float, float] | None:
    """Means a year of what came and of the trend carried on, and their gap; None where years are missing."""
    past = [year for year in range(end - window + 1, end + 1) if year in known.index]
    judged = list(range(end + ahead, end + ahead + length))
    unbroken = past == list(range(end - len(past) + 1, end + 1))
    if len(past) < SHORTEST or not unbroken or any(year not in known.index for year in judged):
        return None
    values = known.loc[past].to_numpy(float)
    line = np.polyfit(np.array(past) - end, np.log(values) if scale == "log" else values, 1)
    on = np.polyval(line, np.array(judged) - end)
    observed, projected = float(known.loc[judged].mean()), float((np.exp(on) if scale == "log" else on).mean())
    return observed, projected, float(np.log(observed / projected)) if scale == "log" else observed - projected
