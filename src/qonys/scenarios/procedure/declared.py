"""What the log says against what is declared, and a procedure made of what the log says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from qonys.scenarios.procedure.fit import Fitted

MEANS = ("handling_mean", "passing_mean", "whole_mean")
COMPARED = ("step", "agency", "agency_seen", "part", "declared", "fitted", "low", "high", "ratio", "verdict", "why")
LONGEST = 20_000.0  # days; a declared mean beyond it is in another unit
USUAL = 0.5  # share of cases from which a step belongs to a procedure through which every case goes
DAYS_PER_MONTH = 365.2425 / 12


def check_declared(declared: pd.DataFrame) -> pd.DataFrame:
    """A declared procedure as a table, checked -> step, agency, handling_mean, passing_mean, whole_mean (days, NaN: not declared).

    Errors: DesignError for a table without step or any mean, a step twice, and means that are no days above zero.
    """
    if "step" not in declared.columns or not set(MEANS) & set(declared.columns):
        raise DesignError("the declared procedure has no step or no mean", mend=f"give a column step and one or more of {', '.join(MEANS)}")
    found = declared.reindex(columns=["step", "agency", *MEANS]).reset_index(drop=True)
    if found["step"].isna().any():
        raise DesignError(f"row {int(found['step'].isna().argmax()) + 1} of the declared procedure names no step", mend="name it")
    if found["step"].duplicated().any():
        raise DesignError(
            f"the declared procedure has step {found['step'][found['step'].duplicated()].iloc[0]!r} twice", mend="give it once"
        )
    for name in MEANS:
        for step, value in zip(found["step"], found[name], strict=True):
            if value is None or (isinstance(value, float) and math.isnan(value)):
                continue
            what = f"the declared {name} of step {step!r} is {value!r}"
            if isinstance(value, bool) or not pd.api.types.is_number(value):
                raise DesignError(f"{what}, no number", mend="give days, or leave it empty")
            if not 0 <= value < math.inf:
                raise DesignError(what, mend="give days, zero or more")
            if value > LONGEST:
                raise DesignError(what, mend=f"durations are in days; if these are seconds, write {value / 86400:g}")
        found[name] = found[name].astype(float)
    return found


def step_durations(durations: pd.DataFrame, unit: str) -> dict[tuple[str, str], Any]:
    """The row of each step and part over all its agencies: (step, part) -> row."""
    rows: dict[tuple[str, str], Any] = {}
    for row in durations[(durations["unit"] == unit) & durations["step"].notna()].itertuples():
        if (row.step, row.part) not in rows or pd.isna(row.agency):
            rows[row.step, row.part] = row
    return rows


def compare(durations: pd.DataFrame, declared: pd.DataFrame, *, unit: str) -> pd.DataFrame:
    """Each step against its declaration -> step, agency, agency_seen, part, declared, fitted, low, high, ratio, verdict, why.

    A declared whole_mean is held against ready to finished; handling_mean and passing_mean, together, against started to finished.
    unit: days, or working_days, of the durations that are held against it; a column `unit` of declared says it step by step.
    ratio: fitted / declared.
    verdict: as_declared (inside the interval), longer, shorter, not_determined (why: of the duration, or starts_not_recorded),
    never_seen (declared, not in the log), not_declared (in the log). agency_seen: the one of all its rows; empty: several.
    Errors: DesignError as of `check_declared`, or where no declared step is in the log.
    """
    wanted = check_declared(declared)
    units = dict(zip(wanted["step"], declared["unit"], strict=True)) if "unit" in declared else {}
    found = step_durations(durations, unit)
    by_unit = {unit: found} | {one: step_durations(durations, one) for one in set(units.values())}
    seen = dict.fromkeys(step for step, _ in found)
    if not set(wanted["step"]) & set(seen):
        raise DesignError(
            f"no declared step is in the log: {wanted['step'].iloc[0]!r} is not", mend=nearest(str(wanted["step"].iloc[0]), map(str, seen))
        )
    told: list[dict[str, Any]] = []
    for row in wanted.itertuples():
        working = pd.Series([row.handling_mean, row.passing_mean]).sum(min_count=1)
        for part, value in (("whole", row.whole_mean), ("handling", working)):
            if math.isnan(value):
                continue
            line = {"step": row.step, "agency": row.agency if isinstance(row.agency, str) else None, "agency_seen": None, "part": part,
                    "declared": float(value), "fitted": math.nan, "low": math.nan, "high": math.nan, "ratio": math.nan,
                    "verdict": "not_determined", "why": None}  # fmt: skip
            own = by_unit[units.get(row.step, unit)].get((row.step, part))
            if row.step not in seen:
                line["verdict"] = "never_seen"
            elif own is None:
                line["why"] = "starts_not_recorded"
            else:
                line |= {"agency_seen": own.agency, "fitted": own.mean, "low": own.low, "high": own.high, "why": own.why}
                if not math.isnan(own.mean):
                    line["ratio"] = own.mean / value if value else math.nan
                    line["verdict"] = "longer" if value < own.low else "shorter" if value > own.high else "as_declared"
            told.append(line)
    for step in seen:
        if step not in set(wanted["step"]):
            own = found[step, "whole"]
            told.append({"step": step, "agency": None, "agency_seen": own.agency, "part": "whole", "declared": math.nan,
                         "fitted": own.mean, "low": own.low, "high": own.high, "ratio": math.nan, "verdict": "not_declared",
                         "why": own.why})  # fmt: skip
    return pd.DataFrame(told, columns=list(COMPARED))


def as_procedure(
    fitted: Fitted, *, limit: float, country: str | None = None, name: str = "fitted", keep_waiting: bool = False
) -> dict[str, Any]:
    """The content of a procedure file that moves as the log did: for `read_procedure`, once written as TOML.

    Steps that take time and that half or more of the cases go through, in the order the log shows. A step whose starts are recorded has its
    handling, in working days where closed days were given and a country is, by as many officers as were busiest at once: a lower bound.
    Where a queue for officers made the cases wait, that queue comes back; where something else did, nobody waits, unless keep_waiting lets
    the recorded waiting pass beside the handling. Of the other steps the whole time passes, with no queue: their waiting is in it.
    Repetitions are returned documents.
    Errors: DesignError for a limit that is no number above zero, a step whose mean is not determined, or no arrivals.
    """
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < math.inf:
        raise DesignError(f"limit = {limit!r} is no number of days", mend="write the legal limit in days, such as 90")
    working = country is not None and (fitted.durations["unit"] == "working_days").any()
    in_days, in_unit = (step_durations(fitted.durations, unit) for unit in ("days", "working_days" if working else "days"))
    if fitted.order.empty:
        raise DesignError("the log has too many steps to see their order", mend="give fewer kinds of steps, or write the procedure by hand")
    order = fitted.order.set_index("step")
    spent = {step: _spent(step, in_days, in_unit) for step in order.index[order["share_of_cases"] >= USUAL]}
    kept = {step: own for step, own in spent.items() if own.mean > 0}
    if not kept:
        raise DesignError("no step is in half of the cases and takes time", mend="make one procedure of each kind of case")

    def before(step: str) -> list[str]:
        """The steps it waits for; of one that is left out, those that this one waits for."""
        return list(dict.fromkeys(name for one in order.at[step, "after"] for name in ([one] if one in kept else before(one))))

    back = fitted.returns.set_index("step")
    steps, handled = [], set()
    for step, own in kept.items():
        part, agency = "handling" if own.part == "handling" else "passing", order.at[step, "agency"]
        line: dict[str, Any] = {"id": step, "agency": agency, "after": before(step), part: _duration(own)}
        if part == "handling":
            handled.add(agency)
            waited = in_days[step, "waiting"]
            if keep_waiting and waited.mean > 0:
                line["passing"] = _duration(waited)
        chance, gap = float(back.at[step, "returned"]), float(back.at[step, "return_days"])
        if chance > 0 and gap > 0:
            line |= {"documents": ["application"], "visits": 0, "fault": _round(chance), "returned": {"days": {"mean": _round(gap)}}}
        steps.append(line)
    officers = fitted.agencies.set_index("agency")["busiest"]
    agencies: dict[str, Any] = {}
    for agency in sorted({line["agency"] for line in steps}):
        agencies[agency] = {"calendar": "working_days" if working else "every_day"}
        if agency in handled:
            agencies[agency]["officers"] = int(officers[agency])
    start = (fitted.as_of + pd.offsets.MonthBegin(1)).date()
    content = {"name": name, "limit": limit, "limit_counts": "days", "first": start, "months": 12, "order": "as_declared"}
    if country is not None:
        content["country"] = country
    return content | {"arrivals": _arrivals(fitted), "agencies": agencies, "steps": steps}


def _spent(step: str, in_days: dict[tuple[str, str], Any], in_unit: dict[tuple[str, str], Any]) -> Any:
    own = in_unit.get((step, "handling")) or in_days[step, "whole"]
    if math.isnan(own.mean):
        raise DesignError(
            f"how long step {step!r} takes is not determined by the log ({own.why})",
            mend="take a longer log, or write the procedure by hand",
        )
    return own


def _duration(own: Any) -> dict[str, Any]:
    if own.distribution in ("constant", "exponential"):
        # zeros beside the rest widen it: then it is no exponential any more
        if own.distribution == "constant" or abs(own.cv - 1) < 1e-9:
            return {"mean": _round(own.mean), "distribution": own.distribution}
        return {"mean": _round(own.mean), "cv": _round(min(own.cv, 10.0)), "distribution": "gamma"}
    return {"mean": _round(own.mean), "cv": _round(min(own.cv, 10.0)), "distribution": own.distribution}


def _round(value: float) -> float:
    return float(f"{value:.6g}")


def _arrivals(fitted: Fitted) -> dict[str, Any]:
    months = fitted.arrivals[fitted.arrivals["whole"]]
    begun = fitted.arrivals["cases"].sum()
    days = (fitted.as_of - fitted.begins) / pd.Timedelta(1, "D")
    monthly = float(months["cases"].mean()) if len(months) else float(begun / days * DAYS_PER_MONTH) if days > 0 else 0.0
    if monthly <= 0:
        raise DesignError("the log does not tell how many cases arrive a month", mend="take a log of a month or longer")
    found: dict[str, Any] = {"per_month": _round(monthly)}
    if fitted.arrivals["season"].notna().all():
        by = fitted.arrivals.assign(number=fitted.arrivals["month"].str[-2:].astype(int)).groupby("number")["season"].first()
        found["seasonality"] = [_round(by[number]) for number in range(1, 13)]
    return found
