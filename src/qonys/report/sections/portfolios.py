"""Sections on sets of measures: how far apart they are, where each member stands, and who departs from the rule of most."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.report.blocks import Column, Section
from qonys.report.charts import interval_lines, policy_map
from qonys.report.sections.borders import READINGS, phases

if TYPE_CHECKING:
    from qonys.report.blocks import Block, Desk


def portfolios(desk: Desk) -> Section:
    """Distance by month and to the common acts, the map of some days, and the nearest of each member."""
    section = Section("portfolios", desk.say("question.portfolios"))
    names = [f"portfolio_distance_{suffix}" for suffix in READINGS]
    months = desk.result(names[0]).rows
    peak, first, last = months.loc[months["value"].idxmax(), "id"], months["id"].iloc[0], months["id"].iloc[-1]
    section.answer = [
        desk.say(
            "answer.portfolios",
            peak=desk.words.date(peak),
            first=desk.words.date(first),
            **{name: desk.cell(names[0], peak, name) for name in ("value", "low", "high", "to_common")},
            began=desk.cell(names[0], first, "value"),
        ),
        desk.say(
            "answer.portfolios.last",
            last=desk.words.date(last),
            certain=desk.cell(names[0], last, "value"),
            possible=desk.cell(names[1], last, "value"),
        ),
    ]
    frame = pd.DataFrame(
        {
            "x": row["period"],
            "series": name,
            "label": desk.plain(f"series.spread_{suffix}"),
            **{key: row[key] for key in ("value", "low", "high")},
        }
        for name, suffix in zip(names, READINGS, strict=True)
        for row in desk.result(name).rows.to_dict("records")
    )
    distance = desk.figure(
        "portfolio-distance",
        "portfolio_distance",
        interval_lines,
        frame,
        of=names,
        unit=desk.plain("unit.name.points"),
        number_format=lambda value: desk.number(value, 1),
        phases=phases(desk, "border_days"),
        locale=desk.words.language,
    )
    section.blocks = [
        distance,
        _map(desk),
        *(_monthly(desk, name, suffix) for name, suffix in zip(names, READINGS, strict=True)),
        *_places(desk),
    ]
    return section


def _monthly(desk: Desk, name: str, suffix: str) -> Block:
    columns = [
        Column(desk.plain("column.month"), lambda row: desk.words.date(row["period"])),
        *(
            desk.number_column(name, column, heading=heading)
            for column, heading in (
                ("areas", None),
                ("value", desk.plain("column.distance")),
                ("low", None),
                ("high", None),
                ("to_common", None),
            )
        ),
    ]
    return desk.cells(name, columns, title=desk.say(f"table.portfolio_distance_{suffix}"), folded=True)


def _map(desk: Desk) -> Block:
    """A map a day. The paper does not turn between them: only members move."""
    rows = desk.result("portfolio_places").rows
    codes = ", ".join(f"{area} {desk.words.area(area)}" for area in sorted(rows["area"].unique(), key=desk.words.area))
    frame = pd.DataFrame(
        {"panel": desk.words.date(row["period"]), "label": row["area"], "x": row["x"], "y": row["y"]} for row in rows.to_dict("records")
    )
    return desk.figure(
        "policy-map",
        "policy_map",
        policy_map,
        frame,
        of=["portfolio_places"],
        unit=desk.plain("unit.name.points"),
        number_format=desk.number,
        note=Markup(" ").join((desk.say("chart.policy_map.about"), desk.say("note.codes", codes=codes))),
    )


def _places(desk: Desk) -> list[Block]:
    """For each day the members with their mean distance, that to the common acts, and the nearest others."""
    rows, near = desk.result("portfolio_places").rows, desk.result("portfolio_neighbours").rows
    others = near.groupby(["area", "period"], sort=False)
    blocks = []
    for day, own in rows.groupby("period", sort=True):
        columns = [
            Column(desk.plain("column.member"), lambda row: desk.words.area(row["area"])),
            desk.number_column("portfolio_places", "distance"),
            desk.number_column("portfolio_places", "to_common"),
            Column(desk.plain("column.nearest"), lambda row: _nearest(desk, others.get_group((row["area"], row["period"])))),
        ]
        ordered = own.assign(name=own["area"].map(desk.words.area)).sort_values("name", kind="stable")
        shown = desk.cell("portfolio_places", own["id"].iloc[0], "shown")
        blocks.append(
            desk.cells(
                "portfolio_places",
                columns,
                rows=ordered,
                title=desk.say("table.portfolio_places", date=desk.words.date(str(day))),
                note=desk.say("note.portfolio_places", shown=shown),
                folded=True,
            )
        )
    return blocks


def _nearest(desk: Desk, near: pd.DataFrame) -> Markup:
    return Markup(", ").join(
        Markup("{} ({})").format(desk.words.area(row.other), desk.cell("portfolio_neighbours", row.id, "distance"))
        for row in near.itertuples()
    )


def departure(desk: Desk) -> Section:
    """How many members depart from the rule of most, by subject and for all."""
    section = Section("departure", desk.say("question.departure"))
    subjects = {subject["id"]: desk.own_label(subject) for subject in desk.study.option("departure", "subjects")}
    names = {**subjects, "all": desk.plain("series.all_subjects")}
    whole = [f"departure_{suffix}" for suffix in READINGS]
    rows = desk.result(whole[0]).rows
    mean = rows[rows["subject"] == "all"]
    for row in (mean.loc[mean["value"].idxmax()], mean.iloc[-1]):
        section.answer.append(
            desk.say(
                "answer.departure",
                month=desk.words.date(row["period"]),
                **{end: desk.cell(name, row["id"], "value") for end, name in zip(READINGS, whole, strict=True)},
            )
        )
    frame = pd.DataFrame(
        {"x": row["period"], "series": row["subject"], "label": names[row["subject"]], "value": row["value"], "low": None, "high": None}
        for row in rows.to_dict("records")
    )
    section.blocks.append(
        desk.figure(
            "departure",
            "departure",
            interval_lines,
            frame,
            of=whole[:1],
            unit=desk.plain("unit.name.percent"),
            number_format=desk.number,
            phases=phases(desk, "border_days"),
            locale=desk.words.language,
        )
    )
    for name, suffix in zip(whole, READINGS, strict=True):
        columns = [
            Column(desk.plain("column.of_what"), partial(_subject, names)),
            Column(desk.plain("column.month"), lambda row: desk.words.date(row["period"])),
            *(
                desk.number_column(name, column, heading=heading)
                for column, heading in (
                    ("areas", None),
                    ("value", desk.plain("column.departure")),
                    ("low", None),
                    ("high", None),
                )
            ),
        ]
        section.blocks.append(
            desk.cells(name, columns, title=desk.say(f"table.departure_{suffix}"), note=desk.say("note.departure"), folded=True)
        )
    return section


def _subject(names: dict[str, str], row: dict[str, Any]) -> str:
    return names[row["subject"]]
