"""The title question over all the evidence: the dates found in the data, and what speaks for and against each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from qonys.report.blocks import Column, Section

if TYPE_CHECKING:
    from qonys.report.blocks import Desk

DASH = Markup(" \N{EN DASH} ")
TABLE = "turning_points_evidence"
SIDES = {"supports": "for", "against": "against", "undecided": "undecided", "kinds": "kinds"}


def turning_points(desk: Desk) -> Section:
    """Phases with verdicts in sentences, then each kind of evidence for each of them."""
    section = Section("turning_points", desk.say("question.turning_points"))
    phases, evidence = desk.result("turning_points").rows, desk.result(TABLE).rows
    total = desk.cell("turning_points_total", "all", "phases")
    section.answer = [
        desk.say("answer.span", phases=total, first=desk.words.date(phases["first"].iloc[0]), last=desk.words.date(phases["last"].iloc[-1]))
    ]
    for row in phases.iloc[1:].to_dict("records"):
        counts = {name: desk.cell("turning_points", row["id"], side) for name, side in SIDES.items()}
        dates = DASH.join(dict.fromkeys(desk.words.date(row[end]) for end in ("earliest", "latest")))
        section.answer.append(desk.say(f"answer.turn.{row['verdict']}", date=desk.words.date(row["first"]), dates=dates, **counts))
    hangs = sorted({area for own in evidence["hangs_on"] for area in own.split()})
    if len(phases) == 1:
        section.answer.append(desk.say("answer.one_phase"))
    else:
        section.answer.append(desk.say("answer.hangs", areas=", ".join(map(desk.words.area, hangs))) if hangs else desk.say("answer.firm"))
    section.answer.append(desk.note("turning_points"))
    first = phases.set_index("phase")["first"]
    columns = [
        Column(desk.plain("column.new_phase"), lambda row: desk.words.date(first[row["phase"]])),
        Column(desk.plain("column.evidence"), lambda row: desk.plain(f"evidence.{row['kind']}")),
        desk.number_column(TABLE, "change", sign=True),
        Column(
            desk.plain("column.interval"),
            lambda row: DASH.join(desk.cell(TABLE, row["id"], end, sign=True) for end in ("low", "high")),
            numeric=True,
        ),
        Column(
            desk.plain("column.verdict"),
            lambda row: Markup('<strong class="{}">{}</strong>').format(row["verdict"], desk.words.label("verdict", row["verdict"])),
        ),
        Column(desk.plain("column.hangs_on"), lambda row: ", ".join(map(desk.words.area, row["hangs_on"].split()))),
    ]
    columns_of_phases = [
        Column(desk.plain("column.phase_from"), lambda row: desk.words.date(row["first"])),
        Column(desk.plain("column.phase_to"), lambda row: desk.words.date(row["last"])),
        Column(desk.plain("column.verdict"), lambda row: desk.words.label("verdict", row["verdict"])),
        *(desk.number_column("turning_points", side) for side in ("for", "against", "undecided", "kinds")),
    ]
    section.blocks = [
        desk.cells("turning_points", columns_of_phases, title=desk.say("table.turning_points"), note=desk.say("note.turning_points")),
        desk.cells(
            TABLE, columns, title=desk.say("table.turning_points_evidence"), note=desk.say("note.turning_points_evidence"), folded=True
        ),
    ]
    return section
