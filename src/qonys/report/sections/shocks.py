"""The section on years of shock against the past of each series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.report.blocks import Column, Section
from qonys.report.charts import intervals

if TYPE_CHECKING:
    from qonys.report.blocks import Desk

DASH = Markup(" \N{EN DASH} ")


def shocks(desk: Desk) -> Section:
    """Each side and event in a sentence, a forest of the effects, and the table with placebos."""
    section = Section("shocks", desk.say("question.shocks"))
    rows = desk.result("shocks").rows

    def name(row: dict[str, Any]) -> str:
        years = desk.words.span(str(row["first"]), str(row["last"]))
        side = desk.plain(f"shocks.{row['side']}")
        return f"{side}, {years}" if rows["area"].nunique() == 1 else f"{desk.words.area(row['area'])}, {side}, {years}"

    section.answer = [desk.say("answer.shocks.total", **{key: desk.cell("shocks_total", "all", key) for key in ("events", "decided")})]
    for row in rows.to_dict("records"):
        cells = {key: desk.cell("shocks", row["id"], key) for key in ("observed", "projected", "low", "high", "share_as_far", "placebos")}
        kind = "decided" if row["decided"] else "undecided"
        section.answer.append(
            desk.say(f"answer.shocks.{kind}", what=name(row), effect=desk.cell("shocks", row["id"], "effect", sign=True), **cells)
        )
    frame = pd.DataFrame(
        {
            "label": name(row), "value": row["effect"], "low": row["low"], "high": row["high"],
            "text": desk.plain("answer.number", kind="", **{
                to: desk.number(row[of], sign=True) for to, of in (("change", "effect"), ("low", "low"), ("high", "high"))
            }).strip(),
        }
        for row in rows.to_dict("records")
    )  # fmt: skip
    columns = [
        Column(desk.plain("column.series"), name),
        *(desk.number_column("shocks", key) for key in ("observed", "projected")),
        desk.number_column("shocks", "effect", sign=True),
        Column(
            desk.plain("column.interval"),
            lambda row: DASH.join(desk.cell("shocks", row["id"], end, sign=True) for end in ("low", "high")),
            numeric=True,
        ),
        *(desk.number_column("shocks", key) for key in ("share_as_far", "placebos")),
    ]
    if len(frame):
        section.blocks.append(
            desk.figure(
                "shocks", "shocks", intervals, frame, of=["shocks"], unit=desk.plain("unit.name.persons_a_year"), locale=desk.words.language
            )
        )
    section.blocks.append(desk.cells("shocks", columns, title=desk.say("table.shocks"), note=desk.noted("note.shocks", "shocks")))
    return section
