"""Sections on what moved."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core import areas
from qonys.core.periods import earliest, latest
from qonys.report.blocks import Column, Section
from qonys.report.charts import Band, change_dots, ranked_bars, tile_map, time_lines

if TYPE_CHECKING:
    from qonys.report.blocks import Block, Desk


def external(desk: Desk) -> Section:
    """Immigrants, emigrants and net by year, with measures on the axis, other reports and the UN estimate."""
    section = Section("external", desk.say("question.external"))
    result = desk.result("external")
    for area, rows in result.rows.groupby("area", sort=False):
        if desk.result("external_summary").has(str(area)):
            section.answer += _external_answer(desk, str(area))
            section.blocks.append(_external_figure(desk, rows))
    year = Column(desk.plain("column.year"), lambda row: str(row["year"]))
    columns = [*_area_column(desk, result.rows), year, *(desk.number_column("external", name) for name in ("inflow", "outflow"))]
    section.blocks.append(
        desk.cells("external", [*columns, desk.number_column("external", "net", sign=True)], title=desk.say("table.external"), folded=True)
    )
    section.blocks += _other_reports(desk, "external_other_reports")
    section.blocks += _beside_un(desk)
    return section


def _area_column(desk: Desk, rows: pd.DataFrame) -> list[Column]:
    return [Column(desk.plain("column.area"), lambda row: desk.words.area(row["area"]))] if rows["area"].nunique() > 1 else []


def _external_answer(desk: Desk, area: str) -> list[Any]:
    summary = desk.result("external_summary")
    own = summary.rows[summary.rows["id"] == area].iloc[0]

    def cell(column: str, **more: bool) -> Any:
        return desk.cell("external_summary", area, column, **more)

    net = "loss" if own["net_sum"] < 0 else "gain"
    said = [
        desk.say(
            "answer.external",
            area=desk.words.area(area),
            first=int(own["first_year"]),
            last=int(own["last_year"]),
            inflow=cell("inflow_sum"),
            outflow=cell("outflow_sum"),
        ),
        desk.say(f"answer.external.{net}", net=cell("net_sum", sign=True), losses=cell("years_of_loss"), years=cell("years")),
    ]
    if own["inflow_shock"] == own["inflow_shock"] and own["inflow_shock"] is not None:
        said.append(
            desk.say(
                "answer.external.shock",
                year=int(own["shock_year"]),
                inflow=cell("inflow_shock", sign=True),
                outflow=cell("outflow_shock", sign=True),
            )
        )
    said.append(desk.say("answer.external.last", year=int(own["last_year"]), net=cell("net_last", sign=True)))
    return said


def _external_figure(desk: Desk, rows: pd.DataFrame) -> Block:
    lines = [
        {"x": int(row["year"]), "series": name, "label": desk.plain(f"column.{name}"), "value": row[name]}
        for name in ("inflow", "outflow", "net")
        for row in rows.to_dict("records")
    ]
    return desk.figure(
        f"external-{rows['area'].iloc[0]}",
        "external",
        time_lines,
        pd.DataFrame(lines),
        of=["external"],
        rows={"external": rows},
        unit=desk.plain("unit.name.persons"),
        gap_label=desk.plain("gap.not_published"),
        number_format=desk.number,
        bands=_bands(desk, rows["year"].max()),
        kind_labels=_kinds(desk),
        span=(int(rows["year"].min()), int(rows["year"].max())),
        locale=desk.words.language,
    )


def _kinds(desk: Desk) -> dict[str, str]:
    return {code: desk.words.label("direction", code) for code in ("tightening", "easing", "neutral")}


def _bands(desk: Desk, last_year: int) -> list[Band]:
    if "external_measures" not in desk.results:
        return []
    return [
        Band(
            start=earliest(m["start"]).isoformat(),
            end=None if pd.isna(m["end"]) else min(latest(m["end"]), date(last_year, 12, 31)).isoformat(),
            label=str(measure_title(desk, m["id"])),
            short=str(number),
            kind=m["direction"],
        )
        for number, m in enumerate(desk.result("external_measures").rows.to_dict("records"), start=1)
        if earliest(m["start"]).year <= last_year
    ]


def measure_title(desk: Desk, measure: str) -> str:
    """The title of an entry of the register in the language of the report; a user's own entry keeps the title of its file."""
    if desk.words.has(f"measure.{measure}.title"):
        return desk.plain(f"measure.{measure}.title")
    entry = desk.entry(measure)
    if entry.get("field") == "border_control" and entry.get("area") == "internal_border":
        return desk.plain("measure.internal_border_control")
    return str(entry.get("title", measure))


def _other_reports(desk: Desk, name: str) -> list[Block]:
    rows = desk.result(name).rows
    if rows.empty:
        return []
    columns = [
        *_area_column(desk, rows),
        Column(desk.plain("column.year"), lambda row: str(row["year"])),
        Column(desk.plain("column.flow"), lambda row: desk.plain(f"column.{row['direction']}")),
        *(desk.number_column(name, column) for column in ("used", "other")),
        desk.number_column(name, "difference", sign=True),
        desk.number_column(name, "percent", sign=True),
        Column(desk.plain("column.status"), lambda row: desk.words.label("figure_status", row["status"])),
        Column(desk.plain("column.source"), lambda row: desk.source_name(row["source"])),
    ]
    return [desk.cells(name, columns, title=desk.say("table.other_reports"), note=desk.say("note.other_reports"), folded=True)]


def _beside_un(desk: Desk) -> list[Block]:
    rows = desk.result("external_un").rows
    if rows.empty:
        return []
    columns = [
        *_area_column(desk, rows),
        Column(desk.plain("column.year"), lambda row: str(row["year"])),
        desk.number_column("external_un", "net", sign=True),
        desk.number_column("external_un", "un_net", sign=True),
        desk.number_column("external_un", "difference", sign=True),
        Column(desk.plain("column.same_sign"), lambda row: desk.plain("yes" if row["same_sign"] else "no")),
    ]
    said = [
        desk.say(
            "note.external_un",
            years=desk.cell("external_un_summary", area, "years"),
            differs=desk.cell("external_un_summary", area, "sign_differs"),
        )
        for area in desk.result("external_un_summary").rows["id"]
    ]
    return [desk.cells("external_un", columns, title=desk.say("table.external_un"), note=said[0], folded=True)]


def internal(desk: Desk) -> Section:
    """Net internal migration of regions: a tile map, ranked bars, the national total with its gaps."""
    section = Section("internal", desk.say("question.internal"))
    rows = desk.result("internal").rows
    year = int(rows["year"].max())
    own = rows[rows["year"] == year].sort_values("net", ascending=False, kind="stable")
    country = desk.study.areas[0]
    top, bottom = own.iloc[0], own.iloc[-1]
    section.answer = [
        desk.say("answer.internal", year=year, moves=desk.cell("internal_national", f"{country}.{year}", "moves")),
        desk.say(
            "answer.internal.regions",
            gainer=desk.words.area(top["region"]),
            gain=desk.cell("internal", top["id"], "net", sign=True),
            loser=desk.words.area(bottom["region"]),
            loss=desk.cell("internal", bottom["id"], "net", sign=True),
        ),
    ]
    if desk.result("internal_national").rows["moves"].isna().any():
        section.answer.append(desk.say("answer.internal.gap"))
    section.blocks = [_tiles(desk, own, year, country), _bars(desk, own, year), _national(desk)]
    columns = [
        Column(desk.plain("column.region"), lambda row: desk.words.area(row["region"])),
        Column(desk.plain("column.year"), lambda row: str(row["year"])),
        *(desk.number_column("internal", name) for name in ("arrivals", "departures")),
        *(desk.number_column("internal", name, sign=True) for name in ("net", "net_per_1000")),
        Column(desk.plain("column.how"), lambda row: desk.plain("how.from_months" if row["from_months"] else "how.annual")),
    ]
    section.blocks.append(desk.cells("internal", columns, title=desk.say("table.internal"), folded=True))
    return section


def _tiles(desk: Desk, own: pd.DataFrame, year: int, country: str) -> Block:
    places = areas.tiles(country, date(year, 12, 31))
    rates = own.set_index("region")["net_per_1000"].to_dict()
    frame = pd.DataFrame(
        {
            "code": code,
            "label": desk.words.area(code),
            "short": desk.plain(f"region.short.{code}"),
            "row": place[0],
            "col": place[1],
            "value": rates.get(code),
            "text": desk.number(rates.get(code), 1, sign=True),
        }
        for code, place in places.items()
    )
    return desk.figure(
        "internal-map",
        "internal_map",
        tile_map,
        frame,
        of=["internal"],
        rows={"internal": own},
        unit=desk.plain("chart.internal_map.unit", year=year),
        missing_label=desk.plain("gap.not_published"),
        low_label=desk.plain("scale.loss"),
        high_label=desk.plain("scale.gain"),
    )


def _bars(desk: Desk, own: pd.DataFrame, year: int) -> Block:
    frame = pd.DataFrame(
        {"label": desk.words.area(row["region"]), "value": row["net"], "text": desk.number(row["net"], sign=True)}
        for row in own.to_dict("records")
    )
    return desk.figure(
        "internal-net",
        "internal_net",
        ranked_bars,
        frame,
        of=["internal"],
        rows={"internal": own},
        unit=desk.plain("chart.internal_net.unit", year=year),
    )


def _national(desk: Desk) -> Block:
    rows = desk.result("internal_national").rows
    frame = pd.DataFrame(
        {"x": int(row["year"]), "series": "moves", "label": desk.plain("column.moves"), "value": row["moves"]}
        for row in rows.to_dict("records")
    )
    return desk.figure(
        "internal-moves",
        "internal_moves",
        time_lines,
        frame,
        of=["internal_national"],
        unit=desk.plain("unit.name.moves"),
        gap_label=desk.plain("gap.not_collected"),
        number_format=desk.number,
        span=(int(rows["year"].min()), int(rows["year"].max())),
        locale=desk.words.language,
    )


def immigration(desk: Desk) -> Section:
    """Immigration of the members before, in and after the shock."""
    section = Section("immigration", desk.say("question.immigration"))
    rows = desk.result("immigration_change").rows
    spans = {name: _years(desk.study.option("immigration", name)) for name in ("before", "during", "after")}
    unions = [area for area in desk.study.areas if area in set(rows["area"])]
    for area in unions:
        section.answer.append(
            desk.say(
                "answer.immigration",
                area=desk.words.area(area),
                **{f"years_{name}": years for name, years in spans.items()},
                **{name: desk.cell("immigration_change", area, name) for name in ("before", "during", "after")},
                during_change=desk.cell("immigration_change", area, "during_change", sign=True),
                after_change=desk.cell("immigration_change", area, "after_change", sign=True),
            )
        )
    members = rows[~rows["area"].isin([code for code in unions if areas.area(code).scheme == "union"])].assign(
        name=lambda frame: [desk.words.area(code) for code in frame["area"]]
    )
    members = members[members["before"] > 0].sort_values("name", kind="stable")
    frame = pd.DataFrame({"label": r["name"], **{n: r[n] for n in ("before", "during", "after")}} for r in members.to_dict("records"))
    if len(members):  # an index needs a level before
        section.blocks.append(
            desk.figure(
                "immigration",
                "immigration",
                change_dots,
                frame,
                of=["immigration_change"],
                unit=desk.plain("chart.immigration.unit", years=spans["before"]),
                names=tuple(spans.values()),
                number_format=desk.number,
                locale=desk.words.language,
            )
        )
    columns = [
        Column(desk.plain("column.area"), lambda row: desk.words.area(row["area"])),
        *(desk.number_column("immigration_change", name, heading=spans[name]) for name in ("before", "during", "after")),
        *(desk.number_column("immigration_change", name, sign=True) for name in ("during_change", "after_change")),
    ]
    section.blocks.append(
        desk.cells(
            "immigration_change",
            columns,
            title=desk.say("table.immigration"),
            note=desk.noted("note.immigration", "immigration"),
            folded=True,
        )
    )
    section.blocks += _other_reports(desk, "immigration_other_reports")
    return section


def _years(years: list[int]) -> str:
    return str(years[0]) if len(years) == 1 else f"{years[0]}\N{EN DASH}{years[-1]}"
