"""How provisional figures were revised: the forecasts that could have been made in the past, beside what came out.

`history` pretends to stand at the end of each earlier month: it learns from what was settled by then, forecasts every month that was not,
and keeps the forecast beside the value that came out. `triangle` adds the interval each would have been given in its time (see
`intervals`). Nothing that became known later enters a forecast or its interval; only the judgement does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from qonys.border.disclosure import keys_of
from qonys.border.intervals import LEAST_RECORD, METHODS, Cells, bounds, calibration, cells
from qonys.border.noise import KEYS
from qonys.border.nowcast import Chances, Lesson, learn, lesson
from qonys.border.pace import Pace, month_of, pace
from qonys.border.unfinished import Records, Unfinished, records, unfinished
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from qonys.border.residence import ResidenceRule

LEAST_LESSONS, MOST_LESSONS = 12, 36  # months
RELEARNT = 6  # months between two times that the backtest learns anew
TRIANGLE = (
    "vintage", "month", "exit", "months_since", "method", "known", "undecided", "value", "low", "high", "model_low", "model_high", "final",
    "covered", "model_covered", "known_key", "undecided_key", "final_key",
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
    keys = _keys(all_)
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
            found.append(Cells(_beside(forecast.frame, all_, open_, keys), forecast.shifted))
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


def with_chances(
    crossings: pa.Table, *, end: date, rule_: ResidenceRule, zone: str, words: Mapping[str, Mapping[str, int]], chances: Chances, ran: Pace
) -> pa.Table:
    """Of a table of whole persons, the crossings known at `end` to be migrations, and those undecided with their chances.

    -> the columns given and those of the contract `classified`; of the undecided also model and naive, the chances, and slowed, how far
    from its usual pace the border was while they waited.
    """
    all_ = records(crossings, end=end, rule_=rule_, zone=zone, words=words)
    open_ = unfinished(all_, all_.end, ran)
    month = int(month_of(np.array([all_.end], np.int32))[0])
    rows = open_rows(open_, chances, month)
    slowed = np.maximum(rows["slowed"].abs().to_numpy(), ran.disturbed(month, window_months(rule_)))
    found = all_.table.take(pa.array(np.concatenate([open_.row, open_.migrated])))
    decided = np.full(len(open_.migrated), np.nan)
    for name, values in (("model", rows["model"].to_numpy()), ("naive", rows["naive"].to_numpy()), ("slowed", slowed)):
        found = found.append_column(name, pa.array(np.concatenate([values, decided]), pa.float64(), from_pandas=True))
    return found


def triangle(past: Cells, *, window: int, coverage: float = 0.95) -> pd.DataFrame:
    """The revision triangle: each forecast with the interval it would have been given in its time, and what came out.

    -> the columns `TRIANGLE`: vintage and month as months since 1970; final: known and undecided that became migrations, NaN: not known
    yet; covered, model_covered: whether the bounds held it; the keys of three counts, for `disclosure`.
    Vintages before there was a record to judge them by are left out.
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
    beside = past.frame.drop_duplicates(key)[[*key, "known", "final", "known_key", "undecided_key", "final_key"]]
    found = pd.concat(parts, ignore_index=True).merge(beside, on=key)
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


def _keys(all_: Records) -> NDArray[np.int64]:
    """The record key of each row's person (see `disclosure`)."""
    ids = all_.table["person_id"].take(pa.array(all_.starts[:-1])).cast(pa.string()).to_pylist()
    return np.repeat(keys_of(ids), np.diff(all_.starts))


def _beside(frame: pd.DataFrame, all_: Records, open_: Unfinished, keys: NDArray[np.int64]) -> pd.DataFrame:
    """Cells with the migrations known at the time, and the keys of these, of the undecided, and of all that proved to be migrations."""

    def sums(rows: NDArray[np.int64]) -> pd.DataFrame:
        cell = pd.DataFrame({"month": month_of(all_.day[rows]), "exit": all_.exits[rows].astype(np.int64), "key": keys[rows]})
        found = cell.groupby(["month", "exit"])["key"].agg(["size", "sum"])
        return found.reindex(pd.MultiIndex.from_frame(frame[["month", "exit"]]), fill_value=0)

    known, undecided, came = sums(open_.migrated), sums(open_.row), sums(open_.row[all_.outcome[open_.row] == 1])
    return frame.assign(
        known=known["size"].to_numpy(), known_key=known["sum"].to_numpy() % KEYS, undecided_key=undecided["sum"].to_numpy() % KEYS,
        final_key=(known["sum"] + came["sum"]).to_numpy() % KEYS,
    )  # fmt: skip


def _joined(found: Sequence[Cells]) -> Cells:
    return Cells(pd.concat([one.frame for one in found], ignore_index=True), np.concatenate([one.shifted for one in found]))
