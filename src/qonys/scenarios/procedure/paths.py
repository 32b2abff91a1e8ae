"""How cases go through the steps: which follows which, which must wait for which, what comes back, how many cases begin, when they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from qonys.core.errors import DesignError, nearest
from qonys.scenarios.procedure.lifetimes import kaplan_meier, sample
from qonys.scenarios.procedure.spans import Clock, local

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

ALWAYS_AFTER = 0.95  # share of cases in which a step is ready only once another has finished: then it waits for it
LONGEST_CURVE = 40_000  # days: a century
MOST_ORDERED = 60  # steps above which no order is looked for: every pair would have to be
BLOCKS = 30  # of cases that began one after the other
SEASONS = 24  # whole months below which the seasons of arrivals are not told


def returns(rows: pd.DataFrame, *, coverage: float) -> pd.DataFrame:
    """How often a step comes again -> step, cases, repeated, share, low, high, repeats, returned, return_days.

    share: of the cases with the step, those in which it was repeated, by the end of the log (Wilson's interval); repeats: repetitions a
    case. returned: of the finished attempts, the share that another one followed; return_days: mean days from the end of an attempt to the
    next being ready. All are low as far as cases are young.
    """
    keys = [rows["step"].cat.codes.to_numpy(), rows["case_id"].cat.codes.to_numpy()]
    order = np.lexsort([rows["ready_at"], keys[1], keys[0]])
    step, case = (key[order] for key in keys)
    finished, ready = (rows[name].to_numpy()[order] for name in ("finished_at", "ready_at"))
    again = np.concatenate([[False], (step[1:] == step[:-1]) & (case[1:] == case[:-1])])
    gap = np.full(len(step), np.nan)
    gap[1:] = (ready[1:] - finished[:-1]) / np.timedelta64(1, "D")
    each = pd.DataFrame(
        {"step": step, "again": again, "first": ~again, "finished": ~np.isnat(finished), "gap": np.where(again, gap, np.nan)}
    )
    second = again & ~np.concatenate([[False], again[:-1]])
    each["second"] = second
    by = each.groupby("step")
    total = by[["first", "second", "again", "finished"]].sum()
    share = total["second"] / total["first"]
    low, high = wilson(total["second"].to_numpy(float), total["first"].to_numpy(float), coverage)
    return pd.DataFrame(
        {
            "step": rows["step"].cat.categories.to_numpy(object),
            "cases": total["first"].to_numpy(), "repeated": total["second"].to_numpy(), "share": share.to_numpy(), "low": low, "high": high,
            "repeats": (total["again"] / total["first"]).to_numpy(),
            "returned": (total["again"] / total["finished"].where(total["finished"] > 0)).clip(upper=1).to_numpy(float),
            "return_days": by["gap"].mean().to_numpy(),
        }
    )  # fmt: skip


def wilson(hits: NDArray[np.float64], tries: NDArray[np.float64], coverage: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's interval of a share (1927, JASA 22)."""
    z = float(scipy.stats.norm.ppf((1 + coverage) / 2))
    share = hits / tries
    middle = (share + z**2 / (2 * tries)) / (1 + z**2 / tries)
    reach = z / (1 + z**2 / tries) * np.sqrt(share * (1 - share) / tries + z**2 / (4 * tries**2))
    return np.where(hits == 0, 0.0, middle - reach), np.where(hits == tries, 1.0, middle + reach)


def follows(rows: pd.DataFrame) -> pd.DataFrame:
    """Which step comes next in a case, by when they were ready -> step, next_step, cases, times, median_gap.

    median_gap: days from the end of the one to the next being ready, below zero where they overlap; NaN where none had ended.
    """
    same = rows["case_id"].cat.codes.to_numpy()[1:] == rows["case_id"].cat.codes.to_numpy()[:-1]
    step = rows["step"].to_numpy(object)
    gap = (rows["ready_at"].to_numpy()[1:] - rows["finished_at"].to_numpy()[:-1]) / np.timedelta64(1, "D")
    pairs = pd.DataFrame(
        {"step": step[:-1][same], "next_step": step[1:][same], "case": rows["case_id"].cat.codes.to_numpy()[1:][same], "gap": gap[same]}
    )
    by = pairs.groupby(["step", "next_step"], sort=True)
    told = by.agg(cases=("case", "nunique"), times=("case", "size"), median_gap=("gap", "median")).reset_index()
    return told.sort_values(["times", "step", "next_step"], ascending=[False, True, True], kind="stable").reset_index(drop=True)


def precedence(rows: pd.DataFrame, settled: NDArray[np.bool_]) -> pd.DataFrame:
    """Which steps must be done before another, as far as the log shows -> step, agency, share_of_cases, after (tuple of steps).

    A step waits for another if, in ALWAYS_AFTER or more of the cases with both, it was first ready when the other had been finished, once.
    What follows from others is left out. share_of_cases: of those that are settled (decided, by case), or of all if none is. Of more than
    MOST_ORDERED steps none is told. agency: under which most of the step's rows stand.
    """
    steps = rows["step"].cat.categories
    cases = rows["case_id"].cat.codes.to_numpy()
    number, size = int(cases.max()) + 1, len(steps)
    if size > MOST_ORDERED:
        return pd.DataFrame(columns=["step", "agency", "share_of_cases", "after"])
    # rows stand by case and moment: written backwards, the first of a step is what stays
    ready, finished = (np.full((size, number), np.datetime64("NaT", "us")) for _ in range(2))
    step = rows["step"].cat.codes.to_numpy()
    for into, name in ((ready, "ready_at"), (finished, "finished_at")):
        into[step[::-1], cases[::-1]] = rows[name].to_numpy("datetime64[us]")[::-1]
    seen = ~np.isnat(ready)
    # the mean place in time, from the begin of each case, makes the order one without circles
    begin = rows.groupby(cases)["ready_at"].min().to_numpy("datetime64[us]")
    since = np.array([np.mean((ready[one][seen[one]] - begin[seen[one]]) / np.timedelta64(1, "s")) for one in range(size)])
    rank = np.lexsort([np.arange(size), since])
    before: dict[int, set[int]] = {}
    for place, late in enumerate(rank):
        wholly: set[int] = set()
        for early in rank[:place]:
            both = seen[late] & seen[early]
            # an early step that is not finished where the late one is ready speaks against the order
            if both.any() and np.mean(finished[early][both] <= ready[late][both]) >= ALWAYS_AFTER:
                wholly.add(int(early))
        before[int(late)] = wholly
    direct = {late: early - {older for one in early for older in before[one]} for late, early in before.items()}
    names = rows["agency"].cat.categories
    under = np.bincount(step.astype(np.int64) * len(names) + rows["agency"].cat.codes, minlength=size * len(names)).reshape(size, -1)
    return pd.DataFrame(
        {
            "step": [steps[one] for one in rank],
            "agency": [names[int(under[one].argmax())] for one in rank],
            "share_of_cases": [float(seen[one][settled if settled.any() else slice(None)].mean()) for one in rank],
            "after": [tuple(steps[early] for early in rank if int(early) in direct[int(one)]) for one in rank],
        }
    )


def arrivals(rows: pd.DataFrame, as_of: pd.Timestamp, *, zone: str) -> pd.DataFrame:
    """Cases that began, by month of the zone -> month, cases, whole, season.

    whole: the log covers the month: not the one it begins in, unless on the first day, nor the one it ends in. season: cases of the
    calendar month / the mean of all months, on average over the whole months; NaN with less than SEASONS of them.
    """
    begin = local(rows.groupby(rows["case_id"].cat.codes)["ready_at"].min().astype("datetime64[us]"), zone)
    end = local(pd.Series([as_of]), zone).iloc[0]
    months = begin.dt.to_period("M")
    span = pd.period_range(months.min(), end.to_period("M"), freq="M")
    count = months.value_counts().reindex(span, fill_value=0)
    whole = np.array([(month != span[0] or begin.min().day == 1) and month.end_time < end + pd.Timedelta(1, "us") for month in span])
    told = pd.DataFrame({"month": [str(month) for month in span], "cases": count.to_numpy(), "whole": whole})
    told["season"] = np.nan
    if whole.sum() >= SEASONS and told.loc[whole, "cases"].sum():
        by = told[whole].groupby(span.month[whole])["cases"].mean()
        told["season"] = (by / by.mean()).reindex(span.month).to_numpy()
    return told


def decided(rows: pd.DataFrame, *, last_step: str | Collection[str] | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """When each case began and was decided -> begun, decided (empty: open), left (broken off at); and the steps that decide.

    A case is decided when none of its rows is open and one of the deciding steps has finished, at its last finish. Deciding steps, unless
    named: those that end most of the cases in which they occur, among the older half of the cases without an open row; of several side by
    side, of which none does, the one that ends the most cases. A case whose last row was broken off is left, not decided.
    Errors: DesignError for a last_step that is not in the log.
    """
    case, steps = rows["case_id"].cat.codes.to_numpy(), rows["step"].cat.categories
    by = rows.assign(case=case, open=rows["finished_at"].isna()).groupby("case")
    each = pd.DataFrame({"begun": by["ready_at"].min(), "finish": by["finished_at"].max(), "open": by["open"].any()})
    # the row that finished last, the later written of two at once
    order = np.lexsort([np.arange(len(rows)), rows["finished_at"].fillna(pd.Timestamp.min.ceil("us")), case])
    last = order[np.flatnonzero(np.concatenate([case[order][1:] != case[order][:-1], [True]]))]
    each["last"], each["broken"] = rows["step"].cat.codes.to_numpy()[last], rows["ended"].to_numpy()[last]
    step = rows["step"].cat.codes.to_numpy()
    if last_step is None:
        settled = (~each["open"] & ~each["broken"]).to_numpy()
        old = settled & (each["begun"] <= each.loc[settled, "begun"].median()).to_numpy()
        ends = np.bincount(each["last"][old], minlength=len(steps))
        pairs = pd.DataFrame({"case": case, "step": step})[old[case]].drop_duplicates()
        within = np.bincount(pairs["step"], minlength=len(steps))
        deciding = np.flatnonzero((2 * ends > within) & (within > 0))
        if len(deciding) == 0 and ends.any():
            deciding = np.array([int(np.argmax(ends))])
    else:
        names = list(last_step) if isinstance(last_step, list | tuple | set | frozenset) else [last_step]
        if not names:
            raise DesignError("last_step names no step", mend="name the step that decides, or leave it out")
        for name in names:
            if name not in steps:
                raise DesignError(f"last_step {name!r} is no step of the log", mend=nearest(str(name), steps))
        deciding = steps.get_indexer(names)
    reached = np.zeros(len(each), bool)
    reached[case[np.isin(step, deciding) & rows["finished_at"].notna().to_numpy() & ~rows["ended"].to_numpy()]] = True
    shut = ~each["open"].to_numpy()
    each["decided"] = each["finish"].where(shut & reached & ~each["broken"].to_numpy())
    each["left"] = each["finish"].where(shut & each["broken"].to_numpy())
    return each[["begun", "decided", "left"]], tuple(steps[deciding])


def blocks(begun: pd.Series) -> NDArray[np.int64]:
    """The number of the block of each case: BLOCKS of equal size, one after the other by when cases began; a case each where they are few.

    Cases that stand in the same queue wait together: their waiting is no independent evidence, that of blocks nearly is (batch means).
    """
    rank = np.empty(len(begun), np.int64)
    rank[np.argsort(begun.to_numpy(), kind="stable")] = np.arange(len(begun))
    return rank * min(BLOCKS, len(begun)) // len(begun)


def case_spans(each: pd.DataFrame, as_of: pd.Timestamp, clock: Clock) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Days from the begin of each case to its decision, or as far as it has come, and whether it is decided."""
    end = each["decided"].fillna(each["left"]).fillna(as_of)
    days = clock.reading(end) - clock.reading(each["begun"])
    return days.round(9).clip(min=0), each["decided"].notna().to_numpy()


def case_days(days: NDArray[np.float64], done: NDArray[np.bool_], block: NDArray[np.int64], *, coverage: float) -> pd.DataFrame:
    """Share of the cases decided within each whole number of days, by Kaplan-Meier -> days, share_decided, low, high, at_risk.

    As far as the log goes: what happens after the longest case is not known, unless all were decided. at_risk: cases open that long.
    block: see `kaplan_meier`.
    """
    one = sample(days, done, most=len(days))  # no grid: a case decided on the last day of a limit is within it
    points, curve = one.points, kaplan_meier(one, coverage=coverage, block=block)
    reach = int(min(np.floor(points[-1]) + (not one.still_open[-1]), LONGEST_CURVE))
    grid = np.arange(reach + 1)
    at = np.searchsorted(points, grid + 1e-8, side="right") - 1
    share, low, high = (np.where(at >= 0, curve[name].to_numpy()[at], np.nan) for name in ("share_open", "low", "high"))
    risk = len(days) - np.searchsorted(np.sort(days), grid, side="left")
    first = at < 0
    tail = (1 - coverage) / 2
    return pd.DataFrame(
        {
            "days": grid, "share_decided": np.where(first, 0.0, 1 - share), "low": np.where(first, 0.0, 1 - high),
            "high": np.where(first, 1 - tail ** (1 / len(days)), 1 - low), "at_risk": risk,
        }
    )  # fmt: skip
