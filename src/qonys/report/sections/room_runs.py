"""Sections on the rooms run: the chance to keep a deadline, people brought home, what totals of a resettlement tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.report.blocks import Block, Column, Section
from qonys.report.charts import intervals
from qonys.report.rooms import corridor as drawn
from qonys.report.rooms import procedure as timed
from qonys.report.rooms.naming import Names

if TYPE_CHECKING:
    from qonys.report.blocks import Desk
    from qonys.report.charts import Chart


def deadline(desk: Desk) -> Section:
    """How often the limit is kept in each variant, where cases wait, and the Gantt of the steps."""
    section = Section("deadline", desk.say("question.deadline"))
    name = Names(desk.words, desk.labels(desk.study.option("deadline", "room")))
    rows = desk.result("deadline").rows
    for row in rows.to_dict("records"):
        cells = {key: desk.cell("deadline", row["id"], key) for key in ("share", "low", "high", "mean_days", "p90_days", "waiting_days")}
        within = desk.cell("deadline", row["id"], "limit", unit=True)
        section.answer.append(desk.say("answer.deadline", variant=name("variant", row["id"]), limit=within, **cells))
    section.answer.append(desk.say("answer.deadline.limits"))
    limit = float(rows["limit"].iloc[0])
    totals = dict(zip(rows["id"], rows["mean_days"], strict=True))
    steps = desk.result("deadline_steps").rows
    waits = steps.rename(columns={"waiting": "mean_days"})
    section.blocks = [
        _picture(desk, "gantt", timed.gantt(steps, waits, totals, limit, name), "deadline_steps"),
        _picture(desk, "decided", timed.decided_by_day(desk.result("deadline_days").rows, limit, name), "deadline_days"),
        desk.cells(
            "deadline",
            [
                Column(desk.plain("column.variant"), lambda row: name("variant", row["id"])),
                desk.number_column("deadline", "share", heading=desk.plain("column.within_limit")),
                *(desk.number_column("deadline", one) for one in ("low", "high", "mean_days", "p90_days")),
                *(desk.number_column("deadline", one) for one in ("waiting_days", "visits", "documents")),
            ],
            title=desk.say("table.deadline"),
            note=desk.noted("note.deadline", "deadline"),
        ),
        desk.cells(
            "deadline_use",
            [
                Column(desk.plain("column.variant"), lambda row: name("variant", row["variant"])),
                Column(desk.plain("column.agency"), lambda row: name("agency", row["agency"])),
                *(desk.number_column("deadline_use", one) for one in ("use", "waiting_days")),
            ],
            title=desk.say("table.deadline_use"),
            folded=True,
        ),
    ]
    return section


def corridor(desk: Desk) -> Section:
    """When all are home, who waits longest, what one more of what binds would bring, and the way they go."""
    section = Section("corridor", desk.say("question.corridor"))
    name = Names(desk.words, desk.labels(desk.study.option("corridor", "room")))
    whole = desk.result("corridor").rows.iloc[0]
    cells = {key: desk.cell("corridor", "all", key) for key in ("persons", "mean_waiting_days", "vehicles", "gap")}
    if whole["not_home"] == 0:
        section.answer.append(desk.say("answer.corridor", last=desk.words.date(whole["last_home"]), **cells))
    else:
        left = desk.cell("corridor", "all", "not_home")
        section.answer.append(desk.say("answer.corridor.left", left=left, **cells))
    for row in desk.result("corridor_more").rows.to_dict("records"):
        more = desk.say(f"corridor.more.{row['kind']}", extra=desk.cell("corridor_more", row["id"], "extra"),
                        name=_limit(row, name), day="" if row["day"] is None else desk.words.date(row["day"]))  # fmt: skip
        told = {key: desk.cell("corridor_more", row["id"], key) for key in ("person_days_saved", "low", "high")}
        kind = "open" if row["low"] <= 0 else "days" if row["days_earlier"] > 0 else "same"
        days = {"days": desk.cell("corridor_more", row["id"], "days_earlier", unit=True)} if kind == "days" else {}
        section.answer.append(desk.say(f"answer.corridor.{kind}", more=more, **told, **days))
    section.answer.append(desk.say("answer.corridor.limits"))
    waiting = desk.result("corridor_waiting").rows
    section.blocks = [
        _picture(desk, "routes", drawn.route_chart(desk.result("corridor_ways").rows, name), "corridor_ways"),
        _picture(desk, "waiting", drawn.waiting_chart(waiting, desk.result("corridor_closed").rows, name), "corridor_waiting"),
        _picture(desk, "home", drawn.home_chart(desk.result("corridor_home").rows, name), "corridor_home"),
        desk.cells(
            "corridor_groups",
            [
                Column(desk.plain("column.people"), lambda row: desk.words.area(row["citizenship"])),
                Column(desk.plain("column.where"), lambda row: drawn.place(row["place"], name)),
                *(desk.number_column("corridor_groups", one) for one in ("persons", "mean_waiting_days", "vulnerable_mean_days")),
                *(_dated(desk, one) for one in ("first_home", "half_home", "last_home")),
            ],
            title=desk.say("table.corridor_groups"),
            note=desk.noted("note.corridor", "corridor"),
        ),
    ]
    return section


def settlement(desk: Desk) -> Section:
    """The share that went back for persons and for families, bounds of retention, what is not known, records needed."""
    section = Section("settlement", desk.say("question.settlement"))
    rows = desk.result("settlement").rows
    for row in rows.to_dict("records"):
        cells = {key: desk.cell("settlement", row["id"], key) for key in ("value", "low", "high", "deciding")}
        section.answer.append(desk.say(f"answer.settlement.{row['id']}", **cells))
    for row in desk.result("settlement_needed").rows.to_dict("records"):
        cells = {key: desk.cell("settlement_needed", row["id"], key) for key in ("points", "households")}
        section.answer.append(desk.say("answer.settlement.needed", **cells))
    unknown = [desk.plain(f"totals.unknown.{code}") for code in desk.result("settlement_unknown").rows["id"]]
    section.answer.append(Markup(" ").join([desk.say("answer.settlement.unknown"), *map(Markup.escape, unknown)]))
    frame = pd.DataFrame(
        {
            "label": desk.plain(f"settlement.{row['id']}"),
            "value": row["value"],
            "low": row["low"],
            "high": row["high"],
            "text": f"{desk.number(row['value'], 1)} ({desk.number(row['low'], 1)}\N{EN DASH}{desk.number(row['high'], 1)})",
        }
        for row in rows.to_dict("records")
    )
    section.blocks = [
        desk.figure(
            "settlement",
            "settlement",
            intervals,
            frame,
            of=["settlement"],
            unit=desk.plain("unit.name.percent"),
            locale=desk.words.language,
        ),
        desk.cells(
            "settlement_bounds",
            [
                desk.number_column("settlement_bounds", "months", heading=desk.plain("column.months_after_move")),
                *(desk.number_column("settlement_bounds", one) for one in ("low", "high")),
            ],
            title=desk.say("table.settlement_bounds"),
            note=desk.noted("note.settlement", "settlement"),
        ),
    ]
    return section


def _picture(desk: Desk, key: str, chart: Chart, of: str) -> Block:
    """A picture drawn by a room, with its title and what it shows from the catalogue."""
    desk.figures += 1
    return Block("figure", desk.say(f"chart.{key}"), chart=chart, name=of, note=desk.say(f"chart.{key}.about"), sources=desk.sources(of))


def _dated(desk: Desk, column: str) -> Column:
    def show(row: dict[str, Any]) -> str:
        return desk.words.date(row[column]) if isinstance(row[column], str) else desk.plain("corridor.never")

    return Column(desk.plain(f"column.{column}"), show)


def _limit(row: dict[str, Any], name: Names) -> str:
    if row["kind"] == "fleet":
        return name.say.label("mode", row["name"], row["name"])
    return drawn.place(row["name"], name)
