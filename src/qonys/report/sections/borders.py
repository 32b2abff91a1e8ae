"""Sections on the borders of the members and on the title question: convergence or distancing?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from qonys.report.blocks import Block, Column, Section
from qonys.report.charts import Phase, heat_strips, interval_lines

if TYPE_CHECKING:
    from qonys.report.blocks import Desk

READINGS = ("low", "high")  # certain and possible: the ends of the names of results
EVIDENCE = ("border_days", "border_strictness_low", "border_strictness_high")


def phases(desk: Desk, question: str) -> list[Phase]:
    """The phases that the study declares for a question."""
    return [
        Phase(p["first"], p["last"], desk.words.label("phase", p["id"], p.get("label", p["id"])))
        for p in desk.study.option(question, "phases", [])
    ]


def border_days(desk: Desk) -> Section:
    """Share of days with control at internal borders by state and month, and its spread."""
    section = Section("border_days", desk.say("question.border_days"))
    panel = desk.result("border_days").rows
    frame = pd.DataFrame(
        {"area_label": desk.words.area(r["area"]), "x": r["period"], "value": r["value"]} for r in panel.to_dict("records")
    )
    frame = frame.sort_values(["area_label", "x"], kind="stable")
    spread_rows = desk.result("spread_border_days").rows
    peak = spread_rows.loc[spread_rows["mean"].idxmax(), "id"]
    section.answer = [
        desk.say(
            "answer.border_days",
            month=desk.words.date(peak),
            mean=desk.cell("spread_border_days", peak, "mean"),
            members=desk.cell("spread_border_days", peak, "areas"),
        )
    ]
    section.blocks = [
        desk.figure(
            "border-days",
            "border_days",
            heat_strips,
            frame,
            of=["border_days"],
            unit=desk.plain("chart.border_days.unit"),
            low_label=desk.number(0),
            high_label=desk.number(1),
            missing_label=desk.plain("gap.not_published"),
            locale=desk.words.language,
        ),
        _panel_table(desk, "border_days", ("value",), desk.say("table.border_days")),
        *_spread_blocks(desk, "border_days", [""]),
    ]
    return section


def border_strictness(desk: Desk) -> Section:
    """Strictness at the border by month between two readings of unknown ends, and its spread."""
    section = Section("border_strictness", desk.say("question.border_strictness"))
    mean = desk.result("border_strictness_mean").rows
    top = mean.loc[mean["high"].idxmax(), "id"]
    section.answer = [
        desk.say(
            "answer.border_strictness",
            month=desk.words.date(top),
            low=desk.cell("border_strictness_mean", top, "low"),
            high=desk.cell("border_strictness_mean", top, "high"),
        )
    ]
    frame = pd.DataFrame(
        {"x": r["period"], "series": name, "label": desk.plain(f"series.{name}"), "value": r[name], "low": None, "high": None}
        for name in ("low", "high")
        for r in mean.to_dict("records")
    )
    columns = [
        Column(desk.plain("column.month"), lambda row: desk.words.date(row["period"])),
        *(desk.number_column("border_strictness_mean", name, heading=desk.plain(f"series.{name}")) for name in ("low", "high")),
    ]
    section.blocks = [
        desk.figure(
            "border-strictness",
            "border_strictness",
            interval_lines,
            frame,
            of=["border_strictness_mean"],
            unit=desk.plain("unit.name.points"),
            number_format=desk.number,
            phases=phases(desk, "border_strictness"),
            locale=desk.words.language,
        ),
        desk.cells("border_strictness_mean", columns, title=desk.say("table.border_strictness_mean"), folded=True),
        _panel_table(desk, "border_strictness", ("low", "high"), desk.say("table.border_strictness")),
        *_spread_blocks(desk, "border_strictness", ["_low", "_high"]),
    ]
    return section


def _panel_table(desk: Desk, name: str, values: tuple[str, ...], title: Markup) -> Block:
    """A panel as months x areas, each cell traceable; two values stand as low and high."""
    rows = desk.result(name).rows
    months = sorted(rows["period"].unique())
    members = sorted(rows["area"].unique(), key=desk.words.area)
    dash = Markup("\N{EN DASH}")
    printed = tuple(
        (
            Markup("<time>{}</time>").format(desk.words.month(month)),
            *(dash.join(desk.cell(name, f"{area}.{month}", value) for value in values) for area in members),
        )
        for month in months
    )
    heads = ((desk.plain("column.month"), False), *((area, True) for area in members))
    note = desk.say("note.codes", codes=", ".join(f"{area} {desk.words.area(area)}" for area in members))
    return Block("table", title, name=name, headings=heads, rows=printed, sources=desk.sources(name), folded=True, note=note)


def _spread_blocks(desk: Desk, question: str, suffixes: list[str]) -> list[Block]:
    names = [f"spread_{question}{suffix}" for suffix in suffixes]
    frame = pd.DataFrame(
        {
            "x": r["period"],
            "series": name,
            "label": desk.plain(f"series.spread{suffix}"),
            "value": r["sd"],
            "low": r["low"],
            "high": r["high"],
        }
        for name, suffix in zip(names, suffixes, strict=True)
        for r in desk.result(name).rows.to_dict("records")
    )
    decimals = desk.result(names[0]).measured["sd"].decimals
    unit = desk.plain(f"unit.name.{desk.result(names[0]).measured['sd'].unit}")
    blocks = [
        desk.figure(
            f"spread-{question}".replace("_", "-"),
            f"spread_{question}",
            interval_lines,
            frame,
            of=names,
            unit=unit,
            number_format=lambda value: desk.number(value, decimals),
            phases=phases(desk, question),
            locale=desk.words.language,
        )
    ]
    for name, suffix in zip(names, suffixes, strict=True):
        columns = [
            Column(desk.plain("column.month"), lambda row: desk.words.date(row["period"])),
            *(desk.number_column(name, column) for column in ("areas", "mean", "sd", "low", "high")),
        ]
        blocks.append(desk.cells(name, columns, title=desk.say(f"table.spread{suffix}"), folded=True))
    return blocks


def convergence(desk: Desk) -> Section:
    """The title question: the verdict for each change of phase, the evidence for it, then both panels."""
    section = Section("convergence", desk.say("question.convergence"))
    rows = desk.result("convergence").rows
    for row in rows.to_dict("records"):
        phases = {side: desk.words.label("phase", row[side], row[side]) for side in ("before", "after")}
        section.answer.append(
            desk.say(
                f"answer.convergence.{row['verdict']}",
                **phases,
                decided=desk.cell("convergence", row["id"], "decided"),
                of=desk.cell("convergence", row["id"], "of"),
            )
        )
    section.answer.append(desk.note("convergence"))
    section.blocks.append(_evidence(desk, rows))
    for part in (border_days(desk), border_strictness(desk)):
        section.blocks.append(Block("text", part.title, text=Markup(" ").join(part.answer)))
        section.blocks += part.blocks
    return section


def _evidence(desk: Desk, rows: pd.DataFrame) -> Block:
    printed = []
    for row in rows.to_dict("records"):
        for name in EVIDENCE:
            table = f"spread_change_{name}"
            own = desk.result(table).rows.set_index("id").loc[row["id"]]
            before, after = (desk.words.label("phase", row[side], row[side]) for side in ("before", "after"))
            change = f"{before} \N{RIGHTWARDS ARROW} {after}"
            printed.append(
                (
                    Markup("{}").format(change),
                    desk.say(f"evidence.{name}"),
                    desk.cell(table, row["id"], "value", sign=True),
                    Markup("{} \N{EN DASH} {}").format(
                        desk.cell(table, row["id"], "low", sign=True), desk.cell(table, row["id"], "high", sign=True)
                    ),
                    desk.cell(table, row["id"], "share_above"),
                    Markup('<strong class="{}">{}</strong>').format(own["verdict"], desk.words.label("verdict", own["verdict"])),
                )
            )
    heads = tuple(
        (desk.plain(f"column.{name}"), name in ("change_of_spread", "interval", "share_above"))
        for name in ("phases", "evidence", "change_of_spread", "interval", "share_above", "verdict")
    )
    sources = tuple(sorted({source for name in EVIDENCE for source in desk.sources(f"spread_change_{name}")}))
    return Block(
        "table",
        desk.say("table.evidence"),
        name="convergence",
        headings=heads,
        rows=tuple(printed),
        sources=sources,
        note=desk.say("note.evidence"),
    )
