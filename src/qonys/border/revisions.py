"""How provisional figures were revised: the forecasts that could have been made in the past, beside what came out.

`history` pretends to stand at the end of each earlier month: it learns from what was settled by then, forecasts every month that was not,
and keeps the forecast beside the value that came out. `triangle` adds the interval each would have been given in its time (see
`intervals`). Nothing that became known later enters a forecast or its interval; only the judgement does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.border.intervals import LEAST_RECORD, METHODS, Cells, bounds, calibration, cells
from qonys.border.nowcast import Chances, Lesson, learn, lesson
from qonys.border.pace import Pace, month_of, pace
from qonys.border.unfinished import Records, Unfinished, unfinished
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qonys.border.residence import ResidenceRule

LEAST_LESSONS, MOST_LESSONS = 12, 36  # months
RELEARNT = 6  # months between two times that the backtest learns anew
TRIANGLE = (
    "vintage", "month", "exit", "months_since", "method", "known", "undecided", "value", "low", "high", "model_low", "model_high", "final",
    "covered", "model_covered",
)  # fmt: skip


def history(all_: Records, *, tell: Callable[[int, int], None] = lambda *_: None) -> tuple[Cells, Chances, Pace]:
    """Every forecast that could have been made at the end of a month, with what came out; what is learnt by the end; the pace.

    tell: vintages done, in all. Errors: DesignError where the records are too short for a record of forecasts.
    """
    ran = pace(all_.starts, all_.day, all_.exits, all_.end)
    window = window_months(all_.rule)
    # in the first window the status of most persons is a guess: who enters first is taken for a newcomer
    ends = _month_ends(int(all_.day.min()) + all_.rule.window_days, all_.end)
    needed = LEAST_LESSONS + LEAST_RECORD + 2 * window
    if len(ends) < needed:
        raise DesignError(
            f"the records span {len(ends) + window} months, too few to learn from and to check the forecasts on",
            mend=f"give records of {needed + window} months or more, or use qonys border flows, whose bounds are certain",
        )
    rng = np.random.default_rng(0)
    lessons: list[Lesson] = []
    found: list[Cells] = []
    chances: Chances | None = None
    for place, end in enumerate(ends):
        month = int(month_of(np.array([end], np.int32))[0])
        open_ = unfinished(all_, end, ran)
        ready = lessons[: max(place + 1 - window, 0)][-MOST_LESSONS:]
        last = place == len(ends) - 1
        if len(ready) >= LEAST_LESSONS:
            if chances is None or place % RELEARNT == 0 or last:
                chances = learn(ready)
            rows = open_rows(open_, chances, month).assign(outcome=all_.outcome[open_.row])
            forecast = cells(rows, vintage=month, disturbed=ran.disturbed(month, window))
            known = pd.Series(month_of(all_.day[open_.migrated])).groupby(all_.exits[open_.migrated]).value_counts()
            keys = zip(forecast.frame["exit"], forecast.frame["month"], strict=True)
            found.append(Cells(forecast.frame.assign(known=[int(known.get(key, 0)) for key in keys]), forecast.shifted))
        lessons.append(lesson(open_, all_.outcome, month, rng))
        tell(place + 1, len(ends))
    assert chances is not None
    return _joined(found), chances, ran


def window_months(rule_: ResidenceRule) -> int:
    """Months after which nearly every crossing is decided."""
    return -(-rule_.window_days * 12 // 365) + 1


def open_rows(open_: Unfinished, chances: Chances, vintage: int) -> pd.DataFrame:
    """A row for each undecided crossing of a vintage: month, exit, slowed, and its chance by each method."""
    chance = dict(zip(METHODS, chances.of(open_, vintage), strict=True))
    return pd.DataFrame({"month": open_.month, "exit": open_.exits.astype(np.int64), "slowed": open_.slowed, **chance})


def triangle(past: Cells, *, window: int, coverage: float = 0.95) -> pd.DataFrame:
    """The revision triangle: each forecast with the interval it would have been given in its time, and what came out.

    -> the columns `TRIANGLE`: vintage and month as months since 1970; final: known and undecided that became migrations, NaN: not known
    yet; covered, model_covered: whether the bounds held it. Vintages before there was a record to judge them by are left out.
    """
    parts = []
    for vintage in sorted(past.frame["vintage"].unique()):
        try:
            judged = calibration(past, as_of=int(vintage), window=window, coverage=coverage)
        except DesignError:
            continue
        parts.append(bounds(past[(past.frame["vintage"] == vintage).to_numpy()], judged))
    if not parts:
        raise DesignError("no forecast could be given an interval in its time", mend="give longer records")
    key = ["vintage", "month", "exit"]
    found = pd.concat(parts, ignore_index=True).merge(past.frame.drop_duplicates(key)[[*key, "known", "final"]], on=key)
    for name in ("final", "low", "high", "model_low", "model_high", "expected"):
        found[name] += found["known"]
    for name, low, high in (("covered", "low", "high"), ("model_covered", "model_low", "model_high")):
        found[name] = found["final"].between(found[low], found[high]).where(found["final"].notna())
    found["months_since"] = found["vintage"] - found["month"]
    return found.rename(columns={"expected": "value"})[list(TRIANGLE)]


def _month_ends(first: int, last: int) -> list[int]:
    """The last day of every month from the one that holds `first`, as days since 1970, and the last day of the data."""
    start, stop = (int(month_of(np.array([day], np.int32))[0]) for day in (first, last))
    ends = (np.arange(start + 1, stop + 2).astype("datetime64[M]").astype("datetime64[D]").astype(int) - 1).tolist()
    return [*(day for day in ends if day < last), last]


def _joined(found: Sequence[Cells]) -> Cells:
    return Cells(pd.concat([one.frame for one in found], ignore_index=True), np.concatenate([one.shifted for one in found]))
