"""From a table of case events to durations: what is wrong with a row, the cut at a day, waiting, handling and the whole of each step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from qonys.core.contracts import CASE_EVENT
from qonys.core.errors import DataError, DesignError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MOMENTS = ("ready_at", "started_at", "finished_at")
FIRST_YEAR, LAST_YEAR = 1900, 2199  # outside, a date is a code for "none" or a slip
DAY = 86_400_000_000  # in microseconds
LONE_DAYS = 366  # a last moment so far after all others is a slip, not the end of the log
STARTS_RECORDED = 0.5  # share of a step's finished rows with a start from which an open row without one is taken to wait


def clean(events: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows that can be used, and what is wrong with the others.

    events: case_event (started_at, finished_at and outcome may be absent); moments with a zone are brought to UTC, without one they are
    UTC, as the contract says.
    -> rows: row, case_id, step, agency, ready_at, started_at, finished_at (datetime64[us], UTC), outcome; and faults: row, column, fault
    (missing, not_an_instant, out_of_range, backwards, repeated), what (the sentence). row: as a spreadsheet counts, or the table's own.
    Errors: DataError for a table without the columns needed or without one good row.
    """
    absent = [name for name in CASE_EVENT.required if name not in events.columns]
    if absent:
        raise DataError(
            f"the log has no column {', '.join(map(repr, absent))}", mend=f"a case_event needs {', '.join(CASE_EVENT.required)}"
        )
    if events.empty:
        raise DataError("the log has no rows", mend="give a row per step of a case")
    rows = pd.DataFrame({"row": events["row"].to_numpy() if "row" in events else np.arange(2, len(events) + 2)})
    found: list[pd.DataFrame] = []

    def fault(wrong: pd.Series | NDArray[np.bool_], column: str, code: str, what: str) -> None:
        bad = np.asarray(wrong, dtype=bool)
        if bad.any():
            number = rows["row"][bad]
            sentence = "row " + number.astype(str) + f", column {column}: {what}"
            found.append(pd.DataFrame({"row": number, "column": column, "fault": code, "what": sentence}))

    for name in ("case_id", "step", "agency"):
        rows[name] = _words(events[name])
        fault(rows[name].isna(), name, "missing", "is empty; fill it in")
    for name in MOMENTS:
        rows[name], unread = _instants(events[name]) if name in events else (pd.Series(pd.NaT, rows.index, dtype="datetime64[us]"), False)
        fault(np.broadcast_to(unread, len(rows)), name, "not_an_instant", "is no moment; write it in UTC as 2020-03-16T08:30:00")
        year = rows[name].dt.year
        fault((year < FIRST_YEAR) | (year > LAST_YEAR), name, "out_of_range", f"lies outside {FIRST_YEAR} to {LAST_YEAR}; correct it")
        if name == "ready_at":
            fault(rows[name].isna() & ~np.broadcast_to(unread, len(rows)), name, "missing", "is empty; fill it in")
    rows["outcome"] = events["outcome"].to_numpy(dtype=object) if "outcome" in events else None
    for first, last in ((0, 1), (1, 2), (0, 2)):
        one, two = MOMENTS[first], MOMENTS[last]
        fault(rows[two] < rows[one], two, "backwards", f"comes before {one}; exchange or correct them")
    again = rows.duplicated(["case_id", "step", "agency", *MOMENTS])
    fault(again, "case_id", "repeated", "the same step of the same case at the same moments is there already; keep one")
    faults = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["row", "column", "fault", "what"])
    good = rows[~rows["row"].isin(faults["row"])] if found else rows
    if good.empty:
        raise DataError(f"no row of the log can be used: {faults['what'].iloc[0]}", mend="correct the rows that are named")
    return good.reset_index(drop=True), faults.sort_values("row", kind="stable").reset_index(drop=True)


def _words(column: pd.Series) -> pd.Categorical:
    """Texts, trimmed, as categories in order; empty ones missing."""
    codes, found = pd.factorize(column.to_numpy(object))
    words = pd.Categorical([str(one).strip() or None for one in found])
    return pd.Categorical.from_codes(np.append(words.codes, -1)[codes], dtype=words.dtype)


def _instants(column: pd.Series) -> tuple[pd.Series, NDArray[np.bool_]]:
    """Moments in UTC without a zone, and where there was something that is none."""
    column = column.reset_index(drop=True)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        moments = column.dt.tz_convert("UTC").dt.tz_localize(None)
    elif pd.api.types.is_datetime64_dtype(column):
        moments = column
    else:
        text = column.map(lambda one: None if isinstance(one, bool | int | float | np.number) else one)
        moments = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601").dt.tz_localize(None)
    return moments.astype("datetime64[us]"), (moments.isna() & column.notna()).to_numpy()


def moment(as_of: object) -> pd.Timestamp:
    """A moment in UTC without a zone, from a day (its beginning), a moment or its text. Errors: DesignError for anything else."""
    try:
        if isinstance(as_of, bool) or not isinstance(as_of, str | date | datetime | np.datetime64):
            raise ValueError
        found = pd.Timestamp(as_of)
    except ValueError:
        raise DesignError(f"as_of = {as_of!r} is no moment", mend="write it in UTC as 2021-06-30 or 2021-06-30T08:30:00") from None
    if found is pd.NaT:
        raise DesignError("as_of is empty", mend="write it in UTC as 2021-06-30 or 2021-06-30T08:30:00")
    return found.tz_convert("UTC").tz_localize(None) if found.tzinfo else found


def last_moment(rows: pd.DataFrame) -> pd.Timestamp:
    """The latest moment of a log. Errors: DesignError where it stands so far from all others that it is a slip."""
    each = np.concatenate([rows[name].dropna().to_numpy("datetime64[us]") for name in MOMENTS])
    top = np.unique(each)[-2:] if len(each) < 3 else np.unique(np.partition(each, -3)[-3:])[-2:]
    if len(top) == 2 and (apart := (top[1] - top[0]) / np.timedelta64(1, "D")) > LONE_DAYS:
        raise DesignError(
            f"the latest moment of the log, {pd.Timestamp(top[1]).date()}, is {apart:.0f} days after the one before: it cannot be its end",
            mend="correct that row, or say with as_of when the log was drawn",
        )
    return pd.Timestamp(top[-1])


@dataclass(frozen=True, slots=True)
class Clock:
    """Counts days between moments: of the calendar, or leaving out closed days in a time zone.

    closed: sorted days (datetime64[D]) on which the clock stands still, None for a calendar clock.
    """

    zone: str = "UTC"
    closed: NDArray[np.datetime64] | None = None

    @property
    def unit(self) -> str:
        """days, or working_days."""
        return "days" if self.closed is None else "working_days"

    def reading(self, moments: pd.Series | NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Days the clock has run at each moment, since 1970; only differences mean anything. NaN where there is no moment."""
        series = pd.Series(moments).astype("datetime64[us]")
        empty = series.isna().to_numpy()
        if self.closed is None:
            return np.where(empty, np.nan, series.to_numpy().astype(np.int64) / DAY)
        ticks = local(series, self.zone).to_numpy().astype(np.int64)
        day = ticks // DAY
        shut = self.closed.astype(np.int64)
        before = np.searchsorted(shut, day)
        inside = (before < len(shut)) & (shut[np.minimum(before, len(shut) - 1)] == day)
        run = np.where(inside, day, ticks / DAY) - before
        return np.where(empty, np.nan, run)


def local(moments: pd.Series, zone: str) -> pd.Series:
    """Moments in UTC as a clock in the zone shows them."""
    return moments if zone == "UTC" else moments.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)


def clocks(closed: Iterable[object] | None, zone: str) -> tuple[Clock, ...]:
    """The calendar clock and, where closed days are given, the one of working days. Errors: DesignError for no zone, no days."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise DesignError(f"zone = {zone!r} is no time zone", mend="use a name such as Asia/Almaty or UTC") from None
    if closed is None:
        return (Clock(zone),)
    try:
        given = list(closed)
        if any(isinstance(one, int | float) for one in given):
            raise ValueError
        days = np.unique(pd.DatetimeIndex(pd.to_datetime(given)).to_numpy("datetime64[D]"))
    except (ValueError, TypeError):
        raise DesignError("closed holds what is no day", mend="give days as 2021-03-22") from None
    if len(days) == 0 or np.isnat(days).any():
        raise DesignError(
            "closed holds no days, or an empty one", mend="give the weekends and holidays of the log's years, or leave it out"
        )
    return Clock(zone), Clock(zone, days)


def cut(rows: pd.DataFrame, as_of: pd.Timestamp, *, withdrawn: Sequence[str]) -> pd.DataFrame:
    """The log as it stood at a moment: what was not yet ready is gone, what happened later has not happened.

    -> rows, by case and moment, with case_id, step and agency as categories, and ended: broken off, the outcome being one of `withdrawn`.
    Errors: DesignError if nothing had happened by then.
    """
    known = rows[rows["ready_at"] <= as_of].copy()
    if known.empty:
        raise DesignError(f"no step was ready by {as_of}: the log begins on {rows['ready_at'].min()}", mend="give a later as_of")
    for name in ("started_at", "finished_at"):
        known.loc[known[name] > as_of, name] = pd.NaT
    known["ended"] = known["outcome"].isin(list(withdrawn)) & known["finished_at"].notna()
    for name in ("case_id", "step", "agency"):
        known[name] = known[name].cat.remove_unused_categories()
    order = np.lexsort([known["step"].cat.codes, known["finished_at"], known["ready_at"], known["case_id"].cat.codes])
    return known.iloc[order].reset_index(drop=True)


def starts_recorded(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether the starts of each step are recorded, so that waiting can be told from handling: by code of the step.

    They are if half or more of its finished rows that were not broken off have one, or, with none finished, if any row has.
    """
    step, size = rows["step"].cat.codes.to_numpy(), len(rows["step"].cat.categories)
    started = rows["started_at"].notna().to_numpy()
    done = (rows["finished_at"].notna() & ~rows["ended"]).to_numpy()
    finished, both, any_start = (np.bincount(step[which], minlength=size) for which in (done, done & started, started))
    return np.where(finished > 0, both >= STARTS_RECORDED * finished, any_start > 0)


def spans(rows: pd.DataFrame, as_of: pd.Timestamp, clock: Clock) -> dict[str, pd.DataFrame]:
    """Durations of each row, in days of the clock: part -> case, step, agency (codes of the categories), days, finished.

    waiting: ready to started; handling: started to finished; whole: ready to finished. Only the whole is told of steps whose starts are not
    recorded, and of finished rows that lack one. What had not finished by `as_of`, or was broken off, has run as long as `days` at least.
    """
    end = rows["finished_at"].fillna(as_of)
    done = (rows["finished_at"].notna() & ~rows["ended"]).to_numpy()
    started = rows["started_at"].notna().to_numpy()
    recorded = starts_recorded(rows)[rows["step"].cat.codes.to_numpy()]
    ready, begun, stop = (clock.reading(moments) for moments in (rows["ready_at"], rows["started_at"], end))
    codes = {name.removesuffix("_id"): rows[name].cat.codes.to_numpy() for name in ("case_id", "step", "agency")}
    parts = {
        "waiting": (recorded & (started | ~done), np.where(started, begun, stop) - ready, started),
        "handling": (recorded & started, stop - begun, done),
        "whole": (np.ones(len(rows), bool), stop - ready, done),
    }
    # rounded, so that the noise of binary fractions does not tell equal durations apart; no time runs back, not in the hour a clock is set
    return {
        part: pd.DataFrame(
            {name: code[kept] for name, code in codes.items()} | {"days": days[kept].round(9).clip(min=0), "finished": finished[kept]}
        )
        for part, (kept, days, finished) in parts.items()
    }
