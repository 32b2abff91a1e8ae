"""Sections on the rooms where something is decided, and on the arithmetic of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.core import areas
from qonys.report.blocks import Column, Section
from qonys.report.charts import intervals, ranked_bars, steps

if TYPE_CHECKING:
    from qonys.report.blocks import Desk


def returns(desk: Desk) -> Section:
    """People brought home and people let through, as lower bounds."""
    section = Section("returns", desk.say("question.returns"))
    section.answer = [
        desk.say(
            "answer.returns.home", total=desk.cell("returns_total", "home", "parts_sum"), parts=desk.cell("returns_total", "home", "parts")
        ),
        desk.say(
            "answer.returns.corridor",
            total=desk.cell("returns_total", "corridor", "printed"),
            parts=desk.cell("returns_total", "corridor", "parts_sum"),
        ),
    ]
    rows = desk.result("returns").rows
    frame = pd.DataFrame(
        {"label": _where(desk, row), "value": row["value"], "text": desk.number(row["value"])} for row in rows.to_dict("records")
    )
    columns = [
        Column(desk.plain("column.people"), lambda row: desk.plain(f"returns.{row['group']}")),
        Column(desk.plain("column.where"), lambda row: _where(desk, row)),
        desk.number_column("returns", "value"),
        Column(desk.plain("column.qualifier"), lambda row: desk.words.label("qualifier", row["qualifier"])),
    ]
    section.blocks = [
        desk.figure("returns", "returns", ranked_bars, frame, of=["returns"], unit=desk.plain("unit.name.persons")),
        desk.cells("returns", columns, title=desk.say("table.returns"), note=desk.say("note.returns")),
    ]
    return section


def _where(desk: Desk, row: dict[str, Any]) -> str:
    if isinstance(row["area"], str) and row["area"] in areas.codes():
        return desk.words.area(row["area"])
    return desk.words.label("region.world", "_".join(str(row["area_words"]).lower().replace("-", " ").split()), str(row["area_words"]))


def procedure(desk: Desk) -> Section:
    """A procedure in turn and at once, as a Gantt chart of its steps."""
    section = Section("procedure", desk.say("question.procedure"))
    days = {name: desk.cell("procedure_total", name, "days", unit=True) for name in ("in_turn", "at_once", "announced")}
    outcome = desk.result("procedure_outcome").rows["id"].iloc[0]
    section.answer = [
        desk.say("answer.procedure", **days),
        desk.say("answer.procedure.outcome", persons=desk.cell("procedure_outcome", outcome, "value")),
    ]
    rows = desk.result("procedure").rows
    frame = pd.DataFrame(
        {
            "variant": desk.plain(f"order.{row['order']}"),
            "step": desk.words.label("step", row["step"], row["step"]),
            "start": row["start"],
            "end": row["end"],
        }
        for row in rows.to_dict("records")
    )
    columns = [
        Column(desk.plain("column.variant"), lambda row: desk.plain(f"order.{row['order']}")),
        Column(desk.plain("column.step"), lambda row: desk.words.label("step", row["step"], row["step"])),
        *(desk.number_column("procedure", name) for name in ("start", "end", "days")),
    ]
    section.blocks = [
        desk.figure(
            "procedure",
            "procedure",
            steps,
            frame,
            of=["procedure"],
            unit=desk.plain("unit.name.days"),
            total_label=desk.plain("total"),
            number_format=desk.number,
            locale=desk.words.language,
        ),
        desk.cells("procedure", columns, title=desk.say("table.procedure"), note=desk.noted("note.procedure", "procedure")),
    ]
    return section


def resettlement(desk: Desk) -> Section:
    """The share of the resettled who went back, with its interval."""
    section = Section("resettlement", desk.say("question.resettlement"))
    rows = desk.result("resettlement").rows

    def cell(row: dict[str, Any], column: str) -> Markup:
        return desk.cell("resettlement", row["id"], column)

    section.answer = [
        desk.say(
            "answer.resettlement",
            until=desk.words.date(row["until"]),
            **{c: cell(row, c) for c in ("resettled", "returned", "share", "low", "high")},
        )
        for row in rows.to_dict("records")
    ]
    section.answer.append(desk.say("answer.resettlement.limits"))
    frame = pd.DataFrame(
        {
            "label": desk.words.date(row["until"]),
            "value": row["share"],
            "low": row["low"],
            "high": row["high"],
            "text": f"{desk.number(row['share'], 1)} ({desk.number(row['low'], 1)}\N{EN DASH}{desk.number(row['high'], 1)})",
        }
        for row in rows.to_dict("records")
    )
    columns = [
        Column(desk.plain("column.until"), lambda row: desk.words.date(row["until"])),
        *(desk.number_column("resettlement", name) for name in ("resettled", "returned", "share", "low", "high")),
        Column(desk.plain("column.qualifier"), lambda row: desk.words.label("qualifier", row["qualifier"])),
    ]
    section.blocks = [
        desk.figure(
            "resettlement",
            "resettlement",
            intervals,
            frame,
            of=["resettlement"],
            unit=desk.plain("unit.name.percent"),
            locale=desk.words.language,
        ),
        desk.cells("resettlement", columns, title=desk.say("table.resettlement"), note=desk.noted("note.resettlement", "resettlement")),
    ]
    return section


def arithmetic(desk: Desk) -> Section:
    """Printed sums and shares of the source against their parts."""
    section = Section(
        "arithmetic",
        desk.say("question.arithmetic"),
        [desk.say("answer.arithmetic", **{n: desk.cell("arithmetic_counts", "all", n) for n in ("of", "holds", "differs")})],
    )
    columns = [
        Column(desk.plain("column.check"), lambda row: desk.words.label("figure", row["total"], row["total"])),
        *(desk.number_column("arithmetic", name) for name in ("printed", "computed", "gap")),
        Column(
            desk.plain("column.verdict"),
            lambda row: Markup('<strong class="{}">{}</strong>').format(row["verdict"], desk.words.label("check", row["verdict"])),
        ),
    ]
    section.blocks = [desk.cells("arithmetic", columns, title=desk.say("table.arithmetic"), note=desk.say("note.arithmetic"))]
    return section
