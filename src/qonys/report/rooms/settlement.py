"""A settlement in words and pictures: who stays, by which support, at what cost; who was placed where, and what that is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.report.charts import ranked_bars, step_lines
from qonys.report.rooms.corridor import place

if TYPE_CHECKING:
    from qonys.report.charts import Chart
    from qonys.report.rooms.naming import Names
    from qonys.scenarios.settlement.assign import Placed
    from qonys.scenarios.settlement.retention import Retention
    from qonys.scenarios.settlement.support import Effects
    from qonys.scenarios.settlement.totals import Totals

DAYS_A_MONTH = 365.25 / 12
MOST_LINES = 6
SMALL = 0.001  # a probability below is told as below it


def retention_sentences(found: Retention, stays: int, name: Names) -> list[str]:
    """The share still there at each horizon, of each group; where nobody was watched so long, that."""
    say = name.say
    told = [say.plain("retention.stays", stays=say.number(stays))]
    for row in found.at_horizon.to_dict("records"):
        months = say.number(row["horizon_days"] / DAYS_A_MONTH)
        group = _group(row["group"], name)
        if row["share"] != row["share"]:
            told.append(say.plain("retention.beyond", group=group, months=months))
            continue
        numbers = {
            key: say.number(100 * row[key], 1) if row[key] == row[key] else say.plain("gap.sign") for key in ("share", "low", "high")
        }
        told.append(say.plain("retention.says", group=group, months=months, coverage=say.number(100 * found.coverage), **numbers))
    for row in found.test.to_dict("records"):
        small = row["p_value"] < SMALL
        told.append(say.plain("retention.test", p=("< " if small else "") + say.number(SMALL if small else row["p_value"], 3)))
    return told


def effect_sentences(found: Effects, costs: pd.DataFrame, name: Names) -> list[str]:
    """What each support adds to retention at the last horizon that has a figure, and what a household that stays because of it costs."""
    say, told = name.say, []
    priced = costs.set_index(["measure", "horizon_months"])
    for measure, rows in found.retained.groupby("measure", sort=False):
        known = rows[rows["difference"].notna()]
        support = name("support", str(measure))
        if known.empty:
            reasons = [say.label("retention.code", code, code) for code in str(rows["code"].iloc[0]).split(";")]
            told.append(say.plain("retention.no_effect", support=support, why="; ".join(reasons)))
            continue
        row = known.iloc[-1]
        if row["low"] != row["low"]:
            difference = say.number(100 * row["difference"], 1, sign=True)
            told.append(
                say.plain("retention.effect_bare", support=support, months=say.number(row["horizon_months"]), difference=difference)
            )
            continue
        shown = "more" if row["low"] > 0 else "fewer" if row["high"] < 0 else "open"
        numbers = {key: say.number(100 * row[key], 1, sign=shown == "open") for key in ("difference", "low", "high")}
        if shown == "fewer":
            numbers = {key: say.number(-100 * row[of], 1) for key, of in (("difference", "difference"), ("low", "high"), ("high", "low"))}
        told.append(
            say.plain(f"retention.effect_{shown}", support=support, months=say.number(row["horizon_months"]),
                      coverage=say.number(100 * found.coverage), **numbers)
        )  # fmt: skip
        cost = priced.loc[(measure, row["horizon_months"])]
        if cost["cost_per_retained"] == cost["cost_per_retained"]:
            key = "retention.cost" if cost["high"] == cost["high"] else "retention.cost_open"
            money = {of: say.number(cost[of]) for of in ("cost_per_retained", "low", "high") if cost[of] == cost[of]}
            told.append(say.plain(key, support=support, currency=cost["currency"], **money))
    return [*told, say.plain("retention.assumes")]


def totals_sentences(found: Totals, name: Names) -> list[str]:
    """The share that went back with its intervals, bounds of retention, and what the totals cannot say."""
    say, told = name.say, []
    for row in found.returned.to_dict("records"):
        numbers = {key: say.number(row[key], 1) for key in ("value", "low", "high")}
        told.append(say.plain(f"totals.{row['taken_as']}", coverage=say.number(100 * found.coverage), **numbers))
    return [*told, *(say.plain(f"totals.unknown.{code}") for code in found.unknown)]


def survival_chart(found: Retention, name: Names) -> Chart:
    """Share of the households still there by months since the move, of each group, with bands and numbers still watched."""
    say, rows = name.say, []
    groups = list(dict.fromkeys(found.curve["group"]))[:MOST_LINES]
    for row in found.curve[found.curve["group"].isin(groups)].to_dict("records"):
        line = {"line": _group(row["group"], name), "x": row["days"] / DAYS_A_MONTH, "at_risk": row["at_risk"]}
        rows.append({**line, **{key: 100 * row[of] for key, of in (("value", "share"), ("low", "low"), ("high", "high"))}})
    return step_lines(
        pd.DataFrame(rows), prefix="survival", title=say.plain("chart.survival"), desc=say.plain("chart.survival.about"),
        unit=say.plain("unit.name.percent"), x_label=say.plain("axis.months_since_move"), at_risk_label=say.plain("axis.still_watched"),
        number_format=lambda value: say.number(value, 0), x_step=12, locale=say.language,
    )  # fmt: skip


def placed_sentences(found: Placed, name: Names) -> list[str]:
    """How many are placed, what that is worth against the most there can be and against simpler rules, and why some are not."""
    say, row = name.say, found.summary.iloc[0]
    numbers = {key: say.number(row[key]) for key in ("households", "placed", "persons", "persons_placed")}
    told = [say.plain("placement.says", **numbers)]
    if row["placed"]:
        told.append(
            say.plain(
                "placement.worth", value=say.number(row["value"], 1), gap=say.number(100 * row["gap"], 2),
                greedy=say.number(100 * row["greedy"] / row["value"] if row["value"] else 0.0, 1),
                random=say.number(100 * row["random"] / row["value"] if row["value"] else 0.0, 1),
            )
        )  # fmt: skip
    if row["hindsight"] > 0:  # missing where all are placed at once
        told.append(
            say.plain(
                "placement.hindsight", share=say.number(100 * row["value"] / row["hindsight"], 1),
                greedy=say.number(100 * row["greedy"] / row["hindsight"], 1),
            )
        )  # fmt: skip
    for code, number in found.placements["code"].value_counts().items():
        told.append(say.plain("placement.reason", reason=say.label("placement.code", str(code), str(code)), number=say.number(number)))
    for code, number in found.unplaced["code"].value_counts().items():
        told.append(say.plain("placement.not_placed", reason=say.label("placement.code", str(code), str(code)), number=say.number(number)))
    return told


def places_chart(found: Placed, name: Names) -> Chart:
    """Persons placed in each region, in the order of the alphabet."""
    say = name.say
    sums = found.placements.groupby("region")["members"].sum()
    rows: list[dict[str, Any]] = [
        {"label": place(str(region), name), "value": float(persons), "text": say.number(persons)} for region, persons in sums.items()
    ]
    return ranked_bars(
        pd.DataFrame(rows), prefix="places", title=say.plain("chart.places"), desc=say.plain("chart.places.about"),
        unit=say.plain("unit.name.persons"),
    )  # fmt: skip


def _group(code: object, name: Names) -> str:
    if code in ("all", "with", "without"):
        return name.say.plain(f"retention.group.{code}")
    return place(str(code), name)
