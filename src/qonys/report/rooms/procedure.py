"""A procedure in words and pictures: how often the limit is kept, who waits where, what a variant changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.report.charts import interval_lines, procedure_bars, step_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qonys.report.charts import Chart
    from qonys.report.rooms.naming import Names
    from qonys.scenarios.procedure.definition import Procedure
    from qonys.scenarios.procedure.fit import Fitted
    from qonys.scenarios.procedure.tables import Simulated

NEAR = 1.0  # percentage points below which a difference between variants is not worth a sentence


def procedure_sentences(procedure: Procedure, found: Simulated, name: Names) -> list[str]:
    """A paragraph a variant, one on where cases wait, and warnings where an agency gets more work than it can do."""
    say, told = name.say, []
    values = found.outcomes.set_index(["variant", "measure"])
    limit = say.plural(f"unit.{procedure.limit_counts}", procedure.limit, n=say.number(procedure.limit)).unescape()
    for variant in procedure.variants:
        if (variant, "within_limit") not in values.index:
            continue
        numbers = {key: values.loc[(variant, "within_limit"), key] for key in ("value", "low", "high")}
        days = {key: say.number(values.loc[(variant, key), "value"], 1) for key in ("mean_days", "p90_days", "waiting_days")}
        key = "procedure.says" if numbers["low"] == numbers["low"] else "procedure.says_once"
        told.append(
            say.plain(
                key, variant=name("variant", variant), limit=limit, **days, coverage=say.number(100 * found.coverage),
                share=say.number(100 * numbers["value"], 1), low=say.number(100 * _or_zero(numbers["low"]), 1),
                high=say.number(100 * _or_zero(numbers["high"]), 1),
            )
        )  # fmt: skip
    waits = found.use[found.use["bottleneck"]]
    for row in waits.itertuples():
        told.append(
            say.plain(
                "procedure.bottleneck", variant=name("variant", row.variant), agency=name("agency", row.agency),
                days=say.number(row.waiting_days, 1), use=say.number(100 * row.use),
            )
        )  # fmt: skip
    for row in found.overloaded.itertuples():
        told.append(
            say.plain(
                "procedure.overloaded", variant=name("variant", row.variant), agency=name("agency", row.agency),
                load=say.number(100 * row.load),
            )
        )  # fmt: skip
    return told


def gantt(steps: pd.DataFrame, waiting: pd.DataFrame, totals: Mapping[str, float], limit: float | None, name: Names) -> Chart:
    """Steps on the days since application, mean of all cases: waiting for an officer, then handling and what passes."""
    say = name.say
    waits = waiting.set_index(["variant", "step"])["mean_days"].to_dict()
    rows: list[dict[str, Any]] = []
    for row in steps.itertuples():
        line = {"variant": name("variant", row.variant), "step": name("step", row.step)}
        wait = min(float(waits.get((row.variant, row.step), 0.0)), row.start)
        if wait > 0:
            rows.append({**line, "kind": "waiting", "start": row.start - wait, "end": row.start})
        rows.append({**line, "kind": "passing", "start": row.start, "end": row.end})
    return procedure_bars(
        pd.DataFrame(rows), prefix="gantt", title=say.plain("chart.gantt"), desc=say.plain("chart.gantt.about"), locale=say.language,
        unit=say.plain("unit.name.days"), total_label=say.plain("procedure.decided_on"), number_format=lambda days: say.number(days, 0),
        kind_labels={kind: say.plain(f"stretch.{kind}") for kind in ("waiting", "passing")},
        limit=limit, limit_label=_limit(limit, name), totals={name("variant", one): days for one, days in totals.items()},
    )  # fmt: skip


def decided_by_day(distribution: pd.DataFrame, limit: float | None, name: Names) -> Chart:
    """Share of the cases decided by each day since application, of each variant, with the legal limit."""
    say = name.say
    rows = distribution.assign(
        line=[name("variant", one) for one in distribution["variant"]], x=distribution["days"], value=100 * distribution["share"]
    )[["line", "x", "value"]]
    return step_lines(
        rows, prefix="decided", title=say.plain("chart.decided"), desc=say.plain("chart.decided.about"),
        unit=say.plain("unit.name.percent"),
        x_label=say.plain("axis.days_since_application"), number_format=lambda value: say.number(value, 0), locale=say.language,
        mark_x=limit, mark_label=_limit(limit, name),
    )  # fmt: skip


def backlog(frame: pd.DataFrame, name: Names) -> Chart:
    """Open cases at the end of each month, of each variant, with intervals."""
    say = name.say
    rows = pd.DataFrame(
        {
            "x": pd.to_datetime(frame["on"]).dt.strftime("%Y-%m"),
            "series": frame["variant"],
            "label": [name("variant", one) for one in frame["variant"]],
            "value": frame["open"],
            "low": frame["low"],
            "high": frame["high"],
        }
    )
    return interval_lines(
        rows, prefix="backlog", title=say.plain("chart.backlog"), desc=say.plain("chart.backlog.about"), unit=say.plain("unit.name.cases"),
        number_format=lambda value: say.number(value), locale=say.language,
    )  # fmt: skip


def procedure_pictures(procedure: Procedure, found: Simulated, name: Names) -> dict[str, Chart]:
    """Every picture of a simulated procedure by its name."""
    limit = procedure.limit if procedure.limit_counts == "days" else None
    means = found.outcomes[found.outcomes["measure"] == "mean_days"]
    totals = dict(zip(means["variant"], means["value"], strict=True))
    return {
        "gantt": gantt(found.steps, found.waiting, totals, limit, name),
        "decided": decided_by_day(found.distribution, limit, name),
        "backlog": backlog(found.backlog, name),
    }


def fit_pictures(found: Fitted, name: Names, limit: float | None) -> dict[str, Chart]:
    """Share of the cases decided by each day, and of each step what is still open by day, with bands."""
    say = name.say
    days = found.case_days[found.case_days["unit"] == "days"]
    shares = {key: 100 * days[of] for key, of in (("value", "share_decided"), ("low", "low"), ("high", "high"))}
    whole = pd.DataFrame({"line": say.plain("fit.cases"), "x": days["days"], **shares})
    return {
        "decided": step_lines(
            whole, prefix="decided", title=say.plain("chart.fit_decided"), desc=say.plain("chart.fit_decided.about"),
            unit=say.plain("unit.name.percent"), x_label=say.plain("axis.days_since_application"), locale=say.language,
            number_format=lambda value: say.number(value, 0), mark_x=limit,
            mark_label=_limit(limit, name),
        )
    }  # fmt: skip


def fit_sentences(found: Fitted, name: Names, limit: float | None) -> list[str]:
    """What a log says: how many cases and until when, durations where counting finished cases only misleads, the bottleneck, the limit."""
    say = name.say
    whole = found.durations[found.durations["part"].eq("case") & found.durations["unit"].eq("days")].iloc[0]
    told = [
        say.plain(
            "fit.log", cases=say.number(whole["cases"]), open=say.number(whole["unfinished"]), as_of=say.date(str(found.as_of.date())),
        )
    ]  # fmt: skip
    if whole["mean"] == whole["mean"]:
        numbers = {key: say.number(whole[key], 1) for key in ("mean", "low", "high", "naive_mean")}
        told.append(say.plain("fit.case", **numbers, coverage=say.number(100 * found.coverage)))
    else:
        told.append(say.plain("fit.not_determined", why=say.label("fit.why", str(whole["why"]), str(whole["why"]))))
    if limit is not None:
        share, low, high = found.within_limit(int(limit))
        if share == share:
            numbers = {"share": say.number(100 * share, 1), "low": say.number(100 * low, 1), "high": say.number(100 * high, 1)}
            told.append(say.plain("fit.within", limit=say.number(limit), **numbers))
        else:
            told.append(say.plain("fit.within_unknown", limit=say.number(limit)))
    for row in found.bottleneck[found.bottleneck["share"].notna()].head(1).to_dict("records"):  # none where nobody waits
        told.append(
            say.plain(
                "fit.bottleneck", step=name("step", row["step"]), agency=name("agency", row["agency"]),
                share=say.number(100 * row["share"]), sure=say.number(100 * row["sure"]),
            )
        )  # fmt: skip
    for row in _differing(found.comparison):
        numbers = {key: say.number(row[key], 1) for key in ("declared", "fitted", "low", "high")}
        told.append(say.plain(f"fit.{row['verdict']}", step=name("step", row["step"]), **numbers))
    return told


def _differing(comparison: pd.DataFrame) -> Iterable[dict[str, Any]]:
    return (row for row in comparison.to_dict("records") if row["verdict"] in ("longer", "shorter", "never_seen", "not_declared"))


def _limit(limit: float | None, name: Names) -> str:
    return "" if limit is None else name.say.plain("procedure.limit", days=name.say.number(limit))


def _or_zero(value: float) -> float:
    return value if value == value else 0.0
