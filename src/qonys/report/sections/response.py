"""The section on immigration and the share of the year under entry restrictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from qonys.report.blocks import Column, Section
from qonys.report.charts import event_study, intervals

if TYPE_CHECKING:
    from qonys.report.blocks import Block, Desk

PARTS = (("", "effect"), ("placebo_", "placebo"))


def response(desk: Desk) -> Section:
    """What a whole year of closure goes with, the placebo, a forest of both, the same by year, and the doses of the members."""
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
        earlier = {name: desk.cell("response", row["id"], name) for name in ("earlier", "apart")}
        section.answer.append(desk.say("answer.response.earlier", reading=reading, **earlier))
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
    section.blocks += [*(_events(desk, row["id"]) for row in rows.to_dict("records")), _years(desk)]
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


def _events(desk: Desk, reading: str) -> Block:
    """The event study of one reading: all years at once, against the year before the shock."""
    own = desk.result("response_years").rows.query("reading == @reading")
    compared = pd.DataFrame([{"event_time": -1, "value": 0.0, "low": None, "high": None, "reference": True}])
    rows = own.rename(columns={"effect": "value"})[["event_time", "value", "low", "high"]].assign(reference=False)
    return desk.figure(
        f"response_years_{reading}",
        f"response_years.{reading}",
        event_study,
        pd.concat([rows.astype({"low": object, "high": object}), compared], ignore_index=True),
        of=["response_years"],
        rows={"response_years": own},
        unit=desk.plain("unit.name.percent"),
        time_label=desk.plain("response.years_since"),
        force_label=desk.plain("response.year_of_shock"),
        locale=desk.words.language,
    )


def _years(desk: Desk) -> Block:
    columns = [
        Column(desk.plain("column.reading"), lambda row: desk.plain(f"series.spread_{row['reading']}")),
        Column(desk.plain("column.year"), lambda row: str(row["year"])),
        desk.number_column("response_years", "effect", sign=True),
        *(desk.number_column("response_years", name, sign=True) for name in ("low", "high")),
    ]
    return desk.cells("response_years", columns, title=desk.say("table.response_years"), folded=True)
