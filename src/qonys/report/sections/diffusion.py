"""The section on who moved first, and how long after the acts of the union."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.core.periods import earliest
from qonys.report.blocks import Block, Column, Section
from qonys.report.charts import Act, first_days
from qonys.report.sections.movement import measure_title
from qonys.report.sections.policy import entries, measure_list

if TYPE_CHECKING:
    from qonys.report.blocks import Desk

DASH = Markup("\N{EN DASH}")


def diffusion(desk: Desk) -> Section:
    """For each subject: who moved first, a chart of first days with the acts, the order with ties and lags; counts by act."""
    section = Section("diffusion", desk.say("question.diffusion"))
    placed, acts = desk.result("diffusion").rows, desk.result("diffusion_acts").rows
    for subject in desk.study.option("diffusion", "subjects"):
        own = placed[placed["subject"] == subject["id"]]
        moved = own[~own["never"].astype(bool)]
        name = desk.own_label(subject)
        if moved.empty:
            section.answer.append(desk.say("answer.diffusion.nobody", subject=name))
            continue
        section.answer += _answer(desk, name, moved, acts[acts["subject"] == subject["id"]])
        section.blocks += [_chart(desk, subject, name, moved, own), _table(desk, subject, name, own)]
    named = sorted({i for ids in placed["measures"] for i in ids} | set(acts["act"]))
    if not acts.empty:
        section.blocks.append(_acts(desk, acts))
    if named:
        section.blocks.append(measure_list(desk, named, title=desk.say("table.object_measures"), folded=True))
    return section


def _answer(desk: Desk, name: str, moved: pd.DataFrame, acts: pd.DataFrame) -> list[Markup]:
    """Who may have been the first, and where the states stood at the first act."""
    first = moved[moved["lowest"] == 1]
    states = ", ".join(desk.words.area(issuer) for issuer in first["issuer"])
    said = [desk.say("answer.diffusion", subject=name, states=states, day=desk.words.span(first["earliest"].min(), first["latest"].max()))]
    for row in acts.head(1).to_dict("records"):
        counts = {moved: desk.cell("diffusion_acts", row["id"], moved) for moved in ("adopted", "before", "with", "after")}
        said.append(desk.say("answer.diffusion.act", date=desk.words.date(row["act_earliest"]), **counts))
    return said


def _short(desk: Desk, day: str) -> str:
    """A day of a chart whose axis says the rest: "16 Mar"."""
    from babel.dates import format_skeleton

    return str(format_skeleton("MMMd", earliest(day), locale=desk.words.language))


def _chart(desk: Desk, subject: dict[str, Any], name: str, moved: pd.DataFrame, own: pd.DataFrame) -> Block:
    frame = pd.DataFrame(
        {
            "label": desk.words.area(row["issuer"]),
            "earliest": row["earliest"],
            "latest": row["latest"],
            "text": DASH.join(dict.fromkeys(_short(desk, row[end]) for end in ("earliest", "latest"))),
        }
        for row in moved.to_dict("records")
    )
    lines = desk.result("diffusion_acts").rows
    lines = lines[lines["subject"] == subject["id"]]
    acts = [
        Act(row["act_earliest"], f"{_short(desk, row['act_earliest'])}: {measure_title(desk, row['act'])}")
        for row in lines.to_dict("records")
    ]
    never = ", ".join(desk.words.area(issuer) for issuer in own.loc[own["never"].astype(bool), "issuer"])
    note = desk.say("chart.diffusion.about")
    if never:
        note = Markup(" ").join([note, desk.say("note.diffusion.never", states=never)])
    block = desk.figure(
        f"diffusion-{subject['id']}".replace("_", "-"), "diffusion", first_days, frame, of=["diffusion"], note=note,
        rows={"diffusion": own}, acts=acts, locale=desk.words.language,
    )  # fmt: skip
    return Block(
        "figure", desk.say("chart.diffusion.of", subject=name), chart=block.chart, name=block.name, note=note, sources=block.sources
    )


def _table(desk: Desk, subject: dict[str, Any], name: str, own: pd.DataFrame) -> Block:
    """Each state with its day, place, entry, and the days since each act."""
    lagged = desk.result("diffusion_lags").rows
    lagged = lagged[lagged["subject"] == subject["id"]]
    acts = lagged.drop_duplicates("act").to_dict("records")

    def place(row: dict[str, Any]) -> Markup:
        if row["never"]:
            return Markup()
        ends = ("lowest",) if row["lowest"] == row["highest"] else ("lowest", "highest")
        return DASH.join(desk.cell("diffusion", row["id"], end) for end in ends)

    columns = [
        Column(desk.plain("column.state"), lambda row: desk.words.area(row["issuer"])),
        Column(desk.plain("column.first_day"), lambda row: _day(desk, row)),
        Column(desk.plain("column.place"), place, numeric=True),
        *(
            Column(desk.plain("column.since_act", date=desk.words.date(act["act_earliest"])), partial(_lag, desk, lagged, act["act"]))
            for act in acts
        ),
        Column(desk.plain("column.entries"), lambda row: entries(desk, row["measures"])),
    ]
    return desk.cells(
        "diffusion", columns, rows=own, title=desk.say("table.diffusion", subject=name), note=desk.say("note.diffusion"), folded=True
    )


def _lag(desk: Desk, lagged: pd.DataFrame, act: str, row: dict[str, Any]) -> Markup:
    """Days since an act and what they mean: "+3, with it"; two bounds where the days are known in part."""
    cell = f"{row['id']}.{act}"
    own = lagged.set_index("id").loc[cell]
    word = desk.words.label("moved", own["moved"])
    if row["never"]:
        return Markup('<span class="gap">{}</span>').format(word)
    ends = ("low",) if own["low"] == own["high"] else ("low", "high")
    days = Markup(" … ").join(desk.cell("diffusion_lags", cell, end, sign=True) for end in ends)
    return Markup("{}, {}").format(days, word)


def _day(desk: Desk, row: dict[str, Any]) -> Markup:
    if row["never"]:
        return Markup('<span class="gap">{}</span>').format(desk.say("moved.never"))
    return Markup("<time>{}</time>").format(desk.words.span(row["earliest"], row["latest"]))


def _acts(desk: Desk, acts: pd.DataFrame) -> Block:
    """The acts, and how many states moved before, with and after each."""
    names = {subject["id"]: desk.own_label(subject) for subject in desk.study.option("diffusion", "subjects")}
    columns = [
        Column(desk.plain("column.subject"), lambda row: names[row["subject"]]),
        Column(desk.plain("column.date"), lambda row: Markup("<time>{}</time>").format(desk.words.date(row["act_earliest"]))),
        Column(desk.plain("column.act"), lambda row: entries(desk, [row["act"]])),
        *(desk.number_column("diffusion_acts", moved) for moved in ("before", "with", "after", "undecided", "never")),
    ]
    window = desk.cell("diffusion_acts", acts["id"].iloc[0], "window", unit=True)
    note = desk.say("note.diffusion_acts", window=window)
    return desk.cells("diffusion_acts", columns, title=desk.say("table.diffusion_acts"), note=note)
