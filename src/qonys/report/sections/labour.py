"""Sections on foreign labour and ethnic return: what is published, and where there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.core import areas
from qonys.report.blocks import Column, Section
from qonys.report.charts import point_series

if TYPE_CHECKING:
    from qonys.report.blocks import Block, Desk


def foreign_labour(desk: Desk) -> Section:
    """Foreign workers on permits at each published date, quotas, and permits issued to labour immigrants."""
    section = Section("foreign_labour", desk.say("question.foreign_labour"))
    rows = desk.result("foreign_labour").rows
    total = rows[(rows["characteristic"] == "WORLD") & (rows["category"] == "all")].sort_values("ref_date", kind="stable")
    first, last = total.iloc[0], total.iloc[-1]
    section.answer = [
        desk.say(
            "answer.foreign_labour",
            first=desk.words.date(first["ref_date"]),
            last=desk.words.date(last["ref_date"]),
            before=desk.cell("foreign_labour", first["id"], "persons"),
            now=desk.cell("foreign_labour", last["id"], "persons"),
        ),
        desk.say(
            "answer.foreign_labour.permits",
            figures=desk.cell("labour_permit_counts", "all", "figures"),
            years=desk.cell("labour_permit_counts", "all", "years"),
        ),
        desk.note("foreign_labour"),
    ]
    section.blocks = [_stocks(desk, total), _citizens(desk, rows)]
    section.blocks += [_published(desk, "labour_permits", "labour_permits"), _published(desk, "labour_quota", "labour_quota")]
    return section


def _stocks(desk: Desk, total: pd.DataFrame) -> Block:
    frame = pd.DataFrame(
        {
            "x": row["ref_date"],
            "value": row["persons"],
            "text": desk.number(row["persons"]),
            "series": "stock",
            "label": desk.plain("series.stock"),
        }
        for row in total.to_dict("records")
    )
    quota = desk.result("labour_quota").rows
    quota = quota[quota["indicator"] == "foreign_labour.quota"].drop_duplicates("period_start", keep="last")
    steps = pd.DataFrame(
        {"x": row["period_start"], "value": row["value"], "text": desk.number(row["value"])} for row in quota.to_dict("records")
    )
    return desk.figure(
        "foreign-labour",
        "foreign_labour",
        point_series,
        frame,
        of=["foreign_labour", "labour_quota"],
        rows={"foreign_labour": total, "labour_quota": quota},
        unit=desk.plain("unit.name.persons"),
        connect=False,
        quota=steps if len(steps) else None,
        quota_label=desk.plain("series.quota"),
        locale=desk.words.language,
    )


def _citizens(desk: Desk, rows: pd.DataFrame) -> Block:
    chosen = rows[(rows["category"] == "all")]
    columns = [
        Column(desk.plain("column.date"), lambda row: desk.words.date(row["ref_date"])),
        Column(desk.plain("column.citizenship"), lambda row: _citizenship(desk, row)),
        desk.number_column("foreign_labour", "persons"),
        Column(desk.plain("column.qualifier"), lambda row: desk.words.label("qualifier", row["qualifier"])),
    ]
    return desk.cells("foreign_labour", columns, title=desk.say("table.foreign_labour"), rows=chosen, folded=True)


def _citizenship(desk: Desk, row: dict[str, Any]) -> str:
    return desk.plain("all") if row["characteristic"] == "WORLD" else desk.words.area(row["characteristic"])


def _published(desk: Desk, name: str, key: str) -> Block:
    """A table of figures as printed: what, when, how much, how exact, from whom."""
    columns = [
        Column(desk.plain("column.period"), lambda row: desk.words.span(_known(row["period_start"]), _known(row["period_end"]))),
        Column(desk.plain("column.quantity"), lambda row: _quantity(desk, row)),
        desk.number_column(name, "value"),
        Column(desk.plain("column.unit"), lambda row: desk.words.label("unit.name", slug(row["unit"]), row["unit"])),
        Column(desk.plain("column.qualifier"), lambda row: desk.words.label("qualifier", row["qualifier"])),
        Column(desk.plain("column.source"), lambda row: desk.source_name(row["source"])),
    ]
    return desk.cells(
        name, columns, title=desk.say(f"table.{key}"), note=desk.note(name) or desk.say("note.published"), folded=name != "labour_permits"
    )


def _quantity(desk: Desk, row: dict[str, Any]) -> str:
    scheme, _, indicator = str(row["indicator"]).partition(".")
    kind = "kandas.indicator" if scheme == "kandas" else "labour.indicator"
    label = desk.words.label(kind, indicator, row["indicator"])
    part = _known(row["breakdown"])
    if part is None:
        return label
    where = desk.words.area(part) if part in areas.codes() else desk.words.label("breakdown", part, part)
    return f"{label}: {where}"


def _known(value: Any) -> Any:
    return None if value is None or value != value else value


def slug(text: str) -> str:
    """The code under which a unit stands in the catalogue."""
    return "_".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def ethnic_return(desk: Desk) -> Section:
    """Ethnic repatriates by period and in total, sources side by side where they differ."""
    section = Section("ethnic_return", desk.say("question.ethnic_return"))
    rows = desk.result("kandas").rows
    total = rows[rows["indicator"] == "kandas.returned_since_1991_cumulative"].sort_values("period_end", kind="stable")
    if len(total):
        dated = total[total["vintage"].notna()]  # a figure of an undated page is drawn, but does not head the answer
        last = (dated if len(dated) else total).iloc[-1]
        section.answer = [
            desk.say(
                "answer.ethnic_return",
                until=desk.words.date(last["period_end"]),
                total=desk.cell("kandas", last["id"], "value"),
                source=Markup('<cite lang="en">{}</cite>').format(desk.source_name(last["source"])),
            )
        ]
        frame = pd.DataFrame(
            {
                "x": row["period_end"],
                "value": row["value"],
                "text": desk.number(row["value"]),
                "series": "total",
                "label": desk.plain("series.returned"),
            }
            for row in total.to_dict("records")
        )
        section.blocks.append(
            desk.figure(
                "kandas",
                "kandas",
                point_series,
                frame,
                of=["kandas"],
                rows={"kandas": total},
                unit=desk.plain("unit.name.persons"),
                connect=False,
                locale=desk.words.language,
            )
        )
    section.blocks.append(_published(desk, "kandas", "kandas"))
    return section
