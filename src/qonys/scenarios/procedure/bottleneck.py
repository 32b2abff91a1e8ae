"""Where cases wait: days by agency and step, how sure the largest is the largest, and how many were at work at once."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def busiest(started: NDArray[np.datetime64], ended: NDArray[np.datetime64]) -> int:
    """The largest number under way at the same time; one that ends as another starts makes room for it.

    >>> day = lambda *days: np.array([f"2021-01-{one:02d}" for one in days], "datetime64[us]")
    >>> busiest(day(1, 2, 5), day(3, 5, 6))
    2
    """
    if len(started) == 0:
        return 0
    moments = np.concatenate([ended, started])
    change = np.repeat([-1, 1], len(started))
    return max(1, int(np.cumsum(change[np.lexsort([change, moments])]).max()))


def bottleneck(
    rows: pd.DataFrame, parts: Mapping[str, pd.DataFrame], block: NDArray[np.int64], *, draws: int, seed: int, coverage: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Days spent waiting by agency and step, the most first; and by agency.

    rows, parts: as of `cut` and `spans`, in calendar days; block: of each case, as of `paths.blocks`.
    -> agency, step, part, events, days, share, low, high, sure; and the same without step.
    part: waiting, or whole where the log tells no starts at all and waiting cannot be told from handling. days: in the log, up to its end,
    of finished and open rows alike: a count, not an estimate. share: of all such days. low, high, sure: over draws of blocks of cases with
    replacement, the interval of the share and the share of draws in which the row has the most days.
    """
    part = "waiting" if len(parts["waiting"]) else "whole"
    each = parts[part]
    agencies, steps = rows["agency"].cat.categories, rows["step"].cat.categories
    key, place = np.unique(each["agency"].to_numpy(np.int64) * len(steps) + each["step"], return_inverse=True)
    number = int(block.max()) + 1
    totals = np.zeros((number, len(key)))
    np.add.at(totals, (block[each["case"]], place), each["days"].to_numpy())
    rng = np.random.default_rng(seed)
    drawn = np.array([np.bincount(rng.integers(0, number, number), minlength=number) for _ in range(draws)], float) @ totals
    days, events = totals.sum(axis=0), np.bincount(place, minlength=len(key))
    owner = key // len(steps)
    cells = pd.DataFrame(
        {"agency": agencies.to_numpy(object)[owner], "step": steps.to_numpy(object)[key % len(steps)], "part": part, "events": events}
    ) .join(_shares(days, drawn, coverage))  # fmt: skip
    whose = np.unique(owner)
    member = (owner[:, None] == whose[None, :]).astype(float)
    by_agency = pd.DataFrame(
        {"agency": agencies.to_numpy(object)[whose], "part": part, "events": (events @ member).astype(np.int64)}
    ).join(_shares(days @ member, drawn @ member, coverage))  # fmt: skip
    ordered = [one.sort_values("days", ascending=False, kind="stable").reset_index(drop=True) for one in (cells, by_agency)]
    return ordered[0], ordered[1]


def _shares(days: NDArray[np.float64], drawn: NDArray[np.float64], coverage: float) -> pd.DataFrame:
    """days, share, low, high, sure of each column; no shares where nobody has waited."""
    nothing = np.full(len(days), np.nan)
    if days.sum() <= 0:
        return pd.DataFrame({"days": days, "share": nothing, "low": nothing, "high": nothing, "sure": nothing})
    with np.errstate(invalid="ignore"):
        shares = drawn / drawn.sum(axis=1, keepdims=True)
    tail = (1 - coverage) / 2
    low, high = np.nanquantile(shares, [tail, 1 - tail], axis=0)
    first = np.bincount(np.argmax(drawn, axis=1), minlength=len(days)) / len(drawn)
    return pd.DataFrame({"days": days, "share": days / days.sum(), "low": low, "high": high, "sure": first})


def agencies(
    rows: pd.DataFrame, parts: Mapping[str, pd.DataFrame], as_of: pd.Timestamp, *, durations: pd.DataFrame, by_agency: pd.DataFrame
) -> pd.DataFrame:
    """What each agency does, and how much of the waiting is its own.

    -> agency, steps, events, open, waiting_days, handling_days, waiting_share, share, low, high, sure, busiest, load.
    waiting_days, handling_days: in the log, calendar days; waiting_share: waiting of both; share, low, high, sure: as of `bottleneck`.
    busiest: the most rows under handling at once, so that the agency has at least so many officers, if an officer handles one at a time.
    load: days of handling that arrive a day / busiest, with the fitted means; above 1 the agency falls behind even with that many. NaN
    where starts are not recorded or a mean is not determined.
    """
    names = rows["agency"].cat.categories
    codes = rows["agency"].cat.codes.to_numpy()
    days = {part: parts[part].groupby("agency")["days"].sum().reindex(range(len(names))).to_numpy() for part in ("waiting", "handling")}
    told = rows["started_at"].notna().to_numpy()
    start, end = rows["started_at"].to_numpy("datetime64[us]"), rows["finished_at"].fillna(as_of).to_numpy("datetime64[us]")
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    most = []
    for first, last in pairwise(bounds):
        own = order[first:last][told[order[first:last]]]
        most.append(busiest(start[own], end[own]))
    window = max((as_of - rows["ready_at"].min()) / pd.Timedelta(1, "D"), 1e-9)
    means = durations[(durations["part"] == "handling") & (durations["unit"] == "days") & durations["step"].notna()]
    mean = {(row.step, row.agency): row.mean for row in means.itertuples()}
    steps = rows["step"].cat.categories
    pairs = np.bincount(codes.astype(np.int64) * len(steps) + rows["step"].cat.codes, minlength=len(names) * len(steps))
    brought = np.zeros(len(names))
    for pair in np.flatnonzero(pairs):
        agency, step = names[pair // len(steps)], steps[pair % len(steps)]
        brought[pair // len(steps)] += pairs[pair] / window * mean.get((step, agency), mean.get((step, None), np.nan))
    top = np.array(most, float)
    both = days["waiting"] + days["handling"]
    table: dict[str, Any] = {
        "agency": names.to_numpy(object), "steps": (pairs.reshape(len(names), -1) > 0).sum(axis=1), "events": np.diff(bounds),
        "open": np.bincount(codes[rows["finished_at"].isna()], minlength=len(names)),
        "waiting_days": days["waiting"], "handling_days": days["handling"],
        "waiting_share": days["waiting"] / np.where(both > 0, both, np.nan),
    }  # fmt: skip
    shares = by_agency[by_agency["part"] == "waiting"].set_index("agency")[["share", "low", "high", "sure"]].reindex(names)
    table |= {name: shares[name].to_numpy() for name in shares}
    table["busiest"] = np.where(top > 0, top, np.nan)
    table["load"] = brought / table["busiest"]
    return pd.DataFrame(table)
