"""Sections on how members stand to each other: what they share, whether gaps close, and who belongs together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.report.blocks import Column, Section
from qonys.report.charts import interval_lines
from qonys.report.sections.borders import READINGS, phases

if TYPE_CHECKING:
    from qonys.report.blocks import Desk

PARTS = ("common", "group", "national")


def layers(desk: Desk) -> Section:
    """The parts of the variance by month: in the month of the greatest variance, and over time."""
    section = Section("layers", desk.say("question.layers"))
    rows = desk.result("layers_low").rows
    for month in (rows.loc[rows["variance"].idxmax(), "period"], rows["period"].iloc[-1]):
        shares = {f"{part}_{suffix}": desk.cell(f"layers_{suffix}", f"{part}.{month}", "share") for part in PARTS for suffix in READINGS}
        section.answer.append(desk.say("answer.layers", month=desk.words.date(month), **shares))
    frame = pd.DataFrame(
        {
            "x": row["period"],
            "series": row["layer"],
            "label": desk.plain(f"series.layer.{row['layer']}"),
            "value": row["share"],
            "low": row["low"],
            "high": row["high"],
        }
        for part in PARTS
        for row in rows[rows["layer"] == part].to_dict("records")
    )
    section.blocks.append(
        desk.figure(
            "layers",
            "layers",
            interval_lines,
            frame,
            of=["layers_low"],
            unit=desk.plain("unit.name.percent"),
            number_format=desk.number,
            phases=phases(desk, "border_strictness"),
            locale=desk.words.language,
        )
    )
    for suffix in READINGS:
        name = f"layers_{suffix}"
        columns = [
            Column(desk.plain("column.month"), lambda row: desk.words.date(row["period"])),
            Column(desk.plain("column.layer"), partial(_layer, desk)),
            *(
                desk.number_column(name, column, heading=heading)
                for column, heading in (
                    ("members", None),
                    ("variance", None),
                    ("share", desk.plain("column.layer_share")),
                    ("low", None),
                    ("high", None),
                )
            ),
        ]
        section.blocks.append(
            desk.cells(name, columns, title=desk.say(f"table.layers_{suffix}"), note=desk.say("note.layers"), folded=True)
        )
    return section


def _layer(desk: Desk, row: dict[str, Any]) -> str:
    return desk.plain(f"series.layer.{row['layer']}")


def catching_up(desk: Desk) -> Section:
    """How much of a gap is left after a month, and when half of it is, under both readings."""
    section = Section("catching_up", desk.say("question.catching_up"))
    names = ("left", "left_error", "half_life", "half_life_error", "areas", "months")
    columns = [
        Column(desk.plain("column.reading"), lambda row: desk.plain(f"series.spread_{row['id']}")),
        *(desk.number_column("catching_up", name) for name in names),
    ]
    cells = {f"{name}_{suffix}": desk.cell("catching_up", suffix, name) for name in ("left", "half_life") for suffix in READINGS}
    section.answer = [desk.say("answer.catching_up", **cells)]
    section.blocks = [desk.cells("catching_up", columns, title=desk.say("table.catching_up"), note=desk.say("note.catching_up"))]
    return section


def clubs(desk: Desk) -> Section:
    """How many clubs the runs find, and who is with whom in how many of them. No partition without its shares."""
    section = Section("clubs", desk.say("question.clubs"))
    counts = desk.result("club_counts").rows
    usual = counts.loc[counts["share"].idxmax(), "id"]
    pairs = desk.result("club_pairs").rows
    closest = pairs.loc[pairs["together"].idxmax(), "id"]
    section.answer = [
        desk.say(
            "answer.clubs",
            **{name: desk.cell("club_counts", usual, name) for name in ("clubs", "share", "runs")},
            one=desk.words.area(closest.split(".")[0]),
            other=desk.words.area(closest.split(".")[1]),
            together=desk.cell("club_pairs", closest, "together"),
        )
    ]
    members = desk.result("clubs").rows
    columns = [
        Column(desk.plain("column.member"), lambda row: desk.words.area(row["area"])),
        *(desk.number_column("clubs", name) for name in ("club", "own_share", "nearest_share")),
    ]
    numbers = [desk.number_column("club_counts", name) for name in ("clubs", "share", "runs")]
    numbers[1] = desk.number_column("club_counts", "share", heading=desk.plain("column.share_of_runs"))
    section.blocks = [
        desk.cells("club_counts", numbers, title=desk.say("table.club_counts")),
        desk.cells("clubs", columns, rows=members, title=desk.say("table.clubs"), note=desk.say("note.clubs"), folded=True),
    ]
    return section
