"""An event log of a procedure -> how long each step takes with the unfinished counted, where cases wait, and what was declared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.procedure.bottleneck import agencies, bottleneck
from qonys.scenarios.procedure.declared import COMPARED, USUAL, as_procedure, check_declared, compare
from qonys.scenarios.procedure.lifetimes import estimate
from qonys.scenarios.procedure.paths import arrivals, blocks, case_days, case_spans, decided, follows, precedence, returns
from qonys.scenarios.procedure.spans import Clock, clean, clocks, cut, last_moment, moment, spans, starts_recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Fitted", "as_procedure", "fit_log"]

MOST_STEPS = 500  # different steps above which the column holds something else
MOST_PAIRS = 200  # steps by agency above which durations are told by step alone
CURVE_POINTS = 120  # of a Kaplan-Meier curve that is drawn
WITHDRAWN = ("withdrawn", "aborted")
SENT_BACK = ("returned",)
Note = tuple[str, str | None, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What an event log says of its procedure, in tables; their columns are told by the functions that make them.

    durations: step, agency (empty: over all agencies of the step), part, unit, cases, events, unfinished and the row of
    `lifetimes.estimate`; a row without step and with part = case is the whole case. candidates: the families tried. survival: Kaplan-Meier.
    returns, follows, order, arrivals, agencies, bottleneck, comparison (empty without a declared procedure). case_days: share of the cases
    decided by day, in each unit. notes: code, subject, number: what the figures rest on. faults: rows not used, each with a sentence.
    as_of: the moment of the cut, UTC; begins: the first moment of the log.
    """

    as_of: pd.Timestamp
    begins: pd.Timestamp
    coverage: float
    durations: pd.DataFrame
    candidates: pd.DataFrame
    survival: pd.DataFrame
    returns: pd.DataFrame
    follows: pd.DataFrame
    order: pd.DataFrame
    arrivals: pd.DataFrame
    agencies: pd.DataFrame
    bottleneck: pd.DataFrame
    comparison: pd.DataFrame
    case_days: pd.DataFrame
    notes: pd.DataFrame
    faults: pd.DataFrame

    def within_limit(self, limit: int, *, unit: str = "days") -> tuple[float, float, float]:
        """Share of the cases decided within a limit of whole days, low and high; NaN beyond what the log has seen.

        Errors: DesignError for a limit that is no whole number of days, or a unit in which the log was not counted.
        """
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit < math.inf or limit != int(limit):
            raise DesignError(f"limit = {limit!r} is no whole number of days", mend="write the legal limit in days, such as 90")
        curve = self.case_days[self.case_days["unit"] == unit]
        if curve.empty:
            raise DesignError(f"cases are not counted in {unit!r}", mend="use days, or give the closed days for working_days")
        row = curve.iloc[min(int(limit), len(curve) - 1)]
        if limit > row["days"] and row["share_decided"] < 1:
            return math.nan, math.nan, math.nan
        return float(row["share_decided"]), float(row["low"]), float(row["high"])


def fit_log(
    events: pd.DataFrame,
    *,
    as_of: object = None,
    closed: Iterable[object] | None = None,
    zone: str = "UTC",
    coverage: float = 0.95,
    draws: int = 200,
    seed: int = 1,
    declared: pd.DataFrame | None = None,
    declared_unit: str = "days",
    last_step: str | Sequence[str] | None = None,
    withdrawn: Sequence[str] = WITHDRAWN,
    sent_back: Sequence[str] = SENT_BACK,
) -> Fitted:
    """Durations of the steps of a procedure out of its event log, unfinished ones counted for as long as they have lasted.

    events: case_event, UTC. A step that a case goes through twice has two rows.
    as_of: the moment of the cut, UTC (a day is its beginning); by default the latest moment of the log. What comes later has not happened.
    closed: days on which nobody works, in the `zone`: durations are given in working days too. zone: also of the months of arrivals.
    coverage: of all intervals; draws, seed: of the draws of cases for the bottleneck. withdrawn: outcomes with which a step is broken off:
    it would have gone on, for nobody knows how long. sent_back: outcomes of an attempt whose documents went back to the applicant: it
    counts among `returns`, and is no duration of the step (an open attempt that will be sent back counts as if it would not). declared: see
    `declared.compare`; declared_unit: days or working_days.
    last_step: the step or steps that decide a case, see `paths.decided`.
    Holds if: what is open at the cut differs from the rest by its age alone, and no kind of case is kept out of the log (finished cases
    only, say: noted as none_unfinished).
    notes: as_of_latest; as_of_after_log (days); after_as_of, faults, broken_off, agency_unknown (rows); none_unfinished; waiting_unknown;
    starts_not_recorded, start_missing (step, rows); sent_back (rows); optional_step (step, share of cases); last_step (step) or
    undecided_unknown; agencies_pooled (pairs of step and agency).
    Errors: DataError for a table without usable rows; DesignError for parameters that are none, or a moment that cannot be the log's end.
    """
    _check(coverage, draws, seed, withdrawn)
    own_clocks = clocks(closed, zone)
    if declared is not None:
        declared = check_declared(declared)
        if declared_unit not in {clock.unit for clock in own_clocks}:
            raise DesignError(f"durations are not counted in {declared_unit!r}", mend="use days, or give closed days for working_days")
    good, faults = clean(events)
    latest = good[["ready_at", "started_at", "finished_at"]].max().max()
    end = last_moment(good) if as_of is None else moment(as_of)
    rows = cut(good, end, withdrawn=withdrawn)
    steps = rows["step"].cat.categories
    if len(steps) > MOST_STEPS:
        raise DesignError(f"the log has {len(steps)} different steps, such as {steps[0]!r}", mend="give steps, not free text or numbers")
    notes: list[Note] = []
    if as_of is None:
        notes.append(("as_of_latest", str(end), math.nan))
    elif end > latest:
        notes.append(("as_of_after_log", str(latest), float((end - latest) / pd.Timedelta(1, "D"))))
    each, deciding = decided(rows, last_step=last_step)
    block = blocks(each["begun"])
    by_unit = {clock.unit: spans(rows, end, clock) for clock in own_clocks}
    back = rows["outcome"].isin(list(sent_back)) & rows["finished_at"].notna()
    through = rows[~back]
    tables: dict[str, list[pd.DataFrame]] = {"durations": [], "candidates": [], "survival": [], "case_days": []}
    pairs = len(rows[["step", "agency"]].drop_duplicates())
    pooled = pairs > MOST_PAIRS
    order = precedence(rows, each["decided"].notna().to_numpy())
    rank = {step: place for place, step in enumerate(order["step"])}
    for clock in own_clocks:
        days, done = case_spans(each, end, clock)
        parts = by_unit[clock.unit]
        if back.any() and not back.all():
            parts = parts | {part: span for part, span in spans(through, end, clock).items() if part != "waiting"}
        found = _durations(rows, parts, pooled=pooled)
        found.sort(key=lambda one: (rank.get(one[0], len(rank)), one[0], one[1] or ""))
        found.append((None, None, "case", _Group(np.arange(len(each)), days, done)))
        _estimate(found, block, clock, coverage, tables)
        tables["case_days"].append(case_days(days, done, block, coverage=coverage).assign(unit=clock.unit))
    joined = {name: pd.concat(tables[name], ignore_index=True) if tables[name] else pd.DataFrame() for name in tables}
    parts = by_unit["days"]
    cells, by_agency = bottleneck(rows, parts, block, draws=draws, seed=seed, coverage=coverage)
    notes += _notes(rows, good, faults, order) + ([("sent_back", None, float(back.sum()))] if back.any() else [])
    notes += [("last_step", name, math.nan) for name in deciding] or [("undecided_unknown", None, math.nan)]
    if pooled:
        notes.append(("agencies_pooled", None, float(pairs)))
    return Fitted(
        as_of=end, begins=rows["ready_at"].min(), coverage=coverage, **joined,
        returns=returns(rows, coverage=coverage), follows=follows(rows), order=order, arrivals=arrivals(rows, end, zone=zone),
        agencies=agencies(rows, parts, end, durations=joined["durations"], by_agency=by_agency), bottleneck=cells,
        comparison=_comparison(joined["durations"], declared, declared_unit),
        notes=pd.DataFrame(notes, columns=["code", "subject", "number"]), faults=faults,
    )  # fmt: skip


def _check(coverage: object, draws: object, seed: object, withdrawn: object) -> None:
    if isinstance(coverage, bool) or not isinstance(coverage, int | float) or not 0.5 <= coverage < 1:
        mend = (
            f"shares go from 0 to 1: write {coverage / 100:g}" if isinstance(coverage, int | float) and 1 < coverage < 100 else "write 0.95"
        )
        raise DesignError(f"coverage = {coverage!r} is no share from 0.5 to below 1", mend=mend)
    for name, value, least in (("draws", draws, 20), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= 1_000_000_000:
            raise DesignError(f"{name} = {value!r} is no whole number from {least}", mend=f"write {name} = 200")
    if isinstance(withdrawn, str):
        raise DesignError(f"withdrawn = {withdrawn!r} is one text", mend=f"give a list: [{withdrawn!r}]")


@dataclass(frozen=True, slots=True)
class _Group:
    case: NDArray[Any]
    days: NDArray[np.float64]
    done: NDArray[np.bool_]


def _durations(rows: pd.DataFrame, parts: Mapping[str, pd.DataFrame], *, pooled: bool) -> list[tuple[str | None, str | None, str, _Group]]:
    """The durations of each step and part, by agency and, where it has several or none is told apart, over all."""
    steps, names = rows["step"].cat.categories, rows["agency"].cat.categories
    found: list[tuple[str | None, str | None, str, _Group]] = []
    for part, each in parts.items():
        step, agency = each["step"].to_numpy(np.int64), each["agency"].to_numpy(np.int64)
        order = np.lexsort([agency, step])
        case, days, done = (each[name].to_numpy()[order] for name in ("case", "days", "finished"))
        step, agency = step[order], agency[order]
        bounds = np.searchsorted(step, np.arange(len(steps) + 1))
        for one, (first, last) in enumerate(pairwise(bounds)):
            if first == last:
                continue
            own = np.unique(agency[first:last])
            if pooled or len(own) > 1:
                found.append((steps[one], None, part, _Group(case[first:last], days[first:last], done[first:last])))
            if not pooled:
                inner = first + np.searchsorted(agency[first:last], np.append(own, len(names)))
                found += [
                    (steps[one], names[which], part, _Group(case[a:b], days[a:b], done[a:b]))
                    for which, a, b in zip(own, inner[:-1], inner[1:], strict=True)
                ]
    return found


def _estimate(
    groups: list[tuple[str | None, str | None, str, _Group]],
    block: NDArray[np.int64],
    clock: Clock,
    coverage: float,
    tables: dict[str, list[pd.DataFrame]],
) -> None:
    """Durations, candidates and curves of the groups, added to the tables."""
    lines = []
    for step, agency, part, group in groups:
        key = {"step": step, "agency": agency, "part": part, "unit": clock.unit}
        case, names = pd.factorize(group.case)
        alone = part == "handling"
        together = case if alone else pd.factorize(block[group.case])[0]
        told = estimate(group.days, group.done, together, coverage=coverage, alone=alone)
        counts = {"cases": len(names), "events": len(group.days), "unfinished": int((~group.done).sum())}
        lines.append(key | counts | told.row)
        tables["candidates"].append(pd.DataFrame([key | one for one in told.candidates]))
        some = np.unique(np.linspace(0, len(told.curve) - 1, CURVE_POINTS).astype(int))
        tables["survival"].append(told.curve.iloc[some].assign(**key)[[*key, *told.curve.columns]])
    tables["durations"].append(pd.DataFrame(lines))
    tables["candidates"][:] = [one for one in tables["candidates"] if len(one)]


def _notes(rows: pd.DataFrame, good: pd.DataFrame, faults: pd.DataFrame, order: pd.DataFrame) -> list[Note]:
    """What the figures rest on, as far as rows tell."""
    counts = {
        "after_as_of": len(good) - len(rows), "faults": faults["row"].nunique(), "broken_off": int(rows["ended"].sum()),
        "agency_unknown": int((rows["agency"] == "unknown").sum()),
    }  # fmt: skip
    notes: list[Note] = [(code, None, float(number)) for code, number in counts.items() if number]
    finished, started = (rows[name].notna().to_numpy() for name in ("finished_at", "started_at"))
    if finished.all():
        notes.append(("none_unfinished", None, math.nan))
    names, step, recorded = rows["step"].cat.categories, rows["step"].cat.codes.to_numpy(), starts_recorded(rows)
    if not recorded.any():
        notes.append(("waiting_unknown", None, math.nan))
    lost = finished & ~started & ~rows["ended"].to_numpy()
    events, lacking = (np.bincount(codes, minlength=len(names)) for codes in (step, step[lost]))
    for name, told, number, without in zip(names, recorded, events, lacking, strict=True):
        if not told:
            notes.append(("starts_not_recorded", name, float(number)))
        elif without:
            notes.append(("start_missing", name, float(without)))
    return notes + [("optional_step", row.step, row.share_of_cases) for row in order.itertuples() if row.share_of_cases < USUAL]


def _comparison(durations: pd.DataFrame, declared: pd.DataFrame | None, unit: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(COMPARED)) if declared is None else compare(durations, declared, unit=unit)
