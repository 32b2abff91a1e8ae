"""The section on immigration and the share of the year under entry restrictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from qonys.report.blocks import Column, Section
from qonys.report.charts import intervals

if TYPE_CHECKING:
    from qonys.report.blocks import Desk

PARTS = (("", "effect"), ("placebo_", "placebo"))


def response(desk: Desk) -> Section:
    """What a whole year of closure goes with, the placebo, a forest of both, and the doses of the members."""
    section = Section("response", desk.say("question.response"))
    rows = desk.result("response").rows
    lines = []
    for row in rows.to_dict("records"):
        cells = {
            name: desk.cell("response", row["id"], name, sign=True)
            for name in ("effect", "low", "high", "placebo", "placebo_low", "placebo_high")
        }
        counts = {name: desk.cell("response", row["id"], name) for name in ("areas", "closed")}
        told = "decided" if row["low"] > 0 or row["high"] < 0 else "undecided"
        reading = desk.plain(f"series.spread_{row['id']}")
        section.answer.append(desk.say(f"answer.response.{told}", reading=reading, **cells, **counts))
        for prefix, name in PARTS:
            numbers = {
                to: desk.number(row[of], sign=True) for to, of in (("change", name), ("low", f"{prefix}low"), ("high", f"{prefix}high"))
            }
            text = desk.plain("answer.number", kind="", **numbers).strip()
            label = reading if not prefix else desk.plain("response.placebo", reading=reading)
            lines.append({"label": label, "value": row[name], "low": row[f"{prefix}low"], "high": row[f"{prefix}high"], "text": text})
    section.blocks.append(
        desk.figure(
            "response",
            "response",
            intervals,
            pd.DataFrame(lines),
            of=["response"],
            unit=desk.plain("unit.name.percent"),
            locale=desk.words.language,
        )
    )
    columns = [
        Column(desk.plain("column.member"), lambda row: desk.words.area(row["area"])),
        *(
            desk.number_column("response_members", name, heading=desk.plain(f"response.{name}"))
            for name in ("certain", "possible", "before", "shock")
        ),
        desk.number_column("response_members", "change", sign=True, heading=desk.plain("response.change")),
    ]
    members = desk.result("response_members").rows
    ordered = members.assign(name=members["area"].map(desk.words.area)).sort_values("name", kind="stable")
    section.blocks.append(
        desk.cells(
            "response_members",
            columns,
            rows=ordered,
            title=desk.say("table.response_members"),
            note=desk.noted("note.response", "response"),
            folded=True,
        )
    )
    return section
