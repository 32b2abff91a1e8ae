"""Sections on what policy leaves open, and on measures that work against each other or do the same twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.report.blocks import Block, Column, Section, coded
from qonys.report.charts import matrix
from qonys.report.sections.movement import measure_title
from qonys.report.sections.policy import dates, measure_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qonys.report.blocks import Desk

LEVELS = ("global", "union", "national", "regional")


def coverage(desk: Desk) -> Section:
    """Fields of policy and levels against types of migration, the challenges left open, and Table 1 by field and level."""
    section = Section("coverage", desk.say("question.coverage"))
    names = ("measures", "fields", "of_fields", "challenges", "adopted", "one_field", "none")
    whole = {name: desk.cell("coverage_summary", "all", name) for name in names}
    levels = {level: desk.cell("coverage_summary", "all", f"level_{level}") for level in LEVELS}
    section.answer = [desk.say("answer.coverage", **whole), desk.say("answer.coverage.levels", **levels)]
    fields = desk.result("coverage_fields").rows
    frame = pd.DataFrame(
        {
            "row": desk.words.label("field", row["field"]),
            "col": desk.words.label("migration_type", row["migration_type"]),
            "value": row["adopted"],
            "text": desk.number(row["adopted"]),
        }
        for row in fields.to_dict("records")
    )
    answering = fields[fields["adopted"] > 0].sort_values(["migration_type", "field"], kind="stable")
    section.blocks = []
    if not answering.empty:
        row, col = desk.plain("column.policy_field"), desk.plain("column.migration_type")
        section.blocks.append(desk.figure("coverage", "coverage", matrix, frame, of=["coverage_fields"], row_title=row, col_title=col))
    section.blocks += [
        desk.cells(
            "coverage_gaps",
            [
                _type(desk),
                *(desk.number_column("coverage_gaps", name) for name in ("challenges", "adopted", "one_field", "proposed", "none")),
            ],
            title=desk.say("table.coverage_gaps"),
            note=desk.say("note.coverage_gaps"),
        ),
        _levels(desk),
        desk.cells(
            "coverage_fields",
            [
                _type(desk),
                Column(desk.plain("column.field"), lambda row: desk.words.label("field", row["field"])),
                *(desk.number_column("coverage_fields", name) for name in ("adopted", "challenges")),
            ],
            rows=answering,
            title=desk.say("table.coverage_fields"),
            folded=True,
        ),
        _objects(desk),
    ]
    return section


def _type(desk: Desk) -> Column:
    return Column(desk.plain("column.migration_type"), lambda row: desk.words.label("migration_type", row["migration_type"]))


def _levels(desk: Desk) -> Block:
    """Types of migration x levels of the measure, each number traceable."""
    rows = desk.result("coverage_levels").rows
    printed = tuple(
        (
            Markup("{}").format(desk.words.label("migration_type", kind)),
            *(desk.cell("coverage_levels", f"{kind}.{level}", "adopted") for level in LEVELS),
        )
        for kind in dict.fromkeys(rows["migration_type"])
    )
    heads = ((desk.plain("column.migration_type"), False), *((desk.words.label("level", level), True) for level in LEVELS))
    return Block(
        "table", desk.say("table.coverage_levels"), name="coverage_levels", headings=heads, rows=printed,
        sources=desk.sources("coverage_levels"), note=desk.say("note.coverage_levels"),
    )  # fmt: skip


def _objects(desk: Desk) -> Block:
    """The categories of Table 1 with what answers them, by field and level, and rows that nothing answers."""
    columns = [
        Column(
            desk.plain("column.object"),
            lambda row: Markup("<strong>{}</strong><br>{}").format(
                desk.words.label("object.category", row["category"]), desk.words.label("object.population", row["population"])
            ),
        ),
        *(desk.number_column("object_coverage", name) for name in ("groups", "measures_named", "adopted")),
        Column(desk.plain("column.fields"), lambda row: _words(desk, "field", row["field_codes"])),
        Column(desk.plain("column.levels"), lambda row: _words(desk, "level", row["level_codes"])),
        desk.number_column("object_coverage", "unanswered"),
    ]
    return desk.cells("object_coverage", columns, title=desk.say("table.object_coverage"), note=desk.say("note.object_coverage"))


def _words(desk: Desk, kind: str, codes: Iterable[str]) -> str:
    return ", ".join(desk.words.label(kind, code) for code in codes)


def conflicts(desk: Desk) -> Section:
    """Pairs that work against each other, the entries side by side; the dates that would settle most of them; pairs that do the same."""
    section = Section("conflicts", desk.say("question.conflicts"))
    pairs, twice = desk.result("conflicts").rows, desk.result("duplicates").rows
    counts = {evidence: desk.cell("conflict_counts", evidence, "listed") for evidence in ("certain", "possible", "undated")}
    totals = {name: desk.cell("conflict_counts", "all", name) for name in ("pairs", "listed", "openings", "two_bodies", "duplicates")}
    section.answer = [
        desk.say("answer.conflicts", **counts, two_bodies=totals["two_bodies"], openings=totals["openings"]),
        desk.say("answer.duplicates", n=totals["duplicates"]),
    ]
    listed = pairs[pairs["listed"].astype(bool)]
    section.blocks = [
        Block("text", desk.say("title.pairs_found"), text=desk.say("text.pairs_found", pairs=totals["pairs"], listed=totals["listed"]))
    ]
    for evidence, folded in (("certain", False), ("possible", True), ("undated", True)):
        own = listed[listed["evidence"] == evidence]
        if not own.empty:
            section.blocks.append(_pairs(desk, "conflicts", own, evidence, folded=folded))
    dates_lacking = desk.result("conflict_dates").rows
    if not dates_lacking.empty:
        section.blocks.append(_unsettled(desk, dates_lacking))
    if not twice.empty:
        section.blocks.append(_pairs(desk, "duplicates", twice, "duplicates", folded=False))
    named = sorted({*listed["tightening"], *listed["easing"], *twice["entry"], *twice["twin"]})
    if named:
        section.blocks.append(measure_list(desk, named, title=desk.say("table.pair_measures"), folded=True))
    return section


def _pairs(desk: Desk, name: str, rows: pd.DataFrame, key: str, *, folded: bool) -> Block:
    """Two entries side by side, whom both reach, the days they share, and how the pair is to be read."""
    one, other = ("tightening", "easing") if name == "conflicts" else ("entry", "twin")
    columns = [
        Column(desk.plain(f"column.{one}_of_pair"), lambda row: _entry(desk, row[one])),
        Column(desk.plain(f"column.{other}_of_pair"), lambda row: _entry(desk, row[other])),
        Column(desk.plain("column.shared_groups"), lambda row: _shared(desk, row)),
        Column(desk.plain("column.shared_days"), lambda row: _days(desk, name, row)),
        Column(desk.plain("column.reading_of_pair"), lambda row: _reading(desk, name, row)),
    ]
    return desk.cells(name, columns, rows=rows, title=desk.say(f"table.pairs.{key}"), note=desk.say(f"note.pairs.{key}"), folded=folded)


def _entry(desk: Desk, measure: str) -> Markup:
    """An entry as it stands beside another: title, field and agency, dates."""
    entry = desk.entry(measure)
    agency = entry.get("agency")
    title = coded("measure", entry["row"], "title", measure_title(desk, measure))
    lines = [Markup('<a href="#m-{}">{}</a>').format(measure, title), Markup("{}").format(desk.words.label("field", entry["field"]))]
    if isinstance(agency, str):
        lines.append(coded("measure", entry["row"], "agency", desk.words.label("agency", _slug(agency), agency)))
    return Markup("<br>").join([*lines, Markup("<time>{}</time>").format(dates(desk, entry))])


def _slug(text: str) -> str:
    """The key of an agency in the catalogues."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60].strip("_")


def _shared(desk: Desk, row: dict[str, Any]) -> str:
    """The groups in words: targets both name, else those of the entry that reaches fewer, else the categories through which they meet."""
    fewer = {"easing_within": "easing", "tightening_within": "tightening"}.get(row.get("relation", ""))
    targets = row["targets"] if len(row["targets"]) else desk.entry(row[fewer])["targets"] if fewer else []
    if len(targets):
        return _words(desk, "target", targets)
    return ", ".join(desk.words.label("category" if desk.words.has(f"category.{code}") else "target", code) for code in row["groups"])


def _days(desk: Desk, name: str, row: dict[str, Any]) -> Markup:
    """The span the two may share, its days, and how many of these are sure."""
    if row["first"] is None:
        return Markup('<span class="gap">{}</span>').format(desk.say("date.unknown"))
    parts = [Markup("<time>{}</time>").format(desk.words.span(row["first"], row["last"]))]
    if not pd.isna(row["days"]):
        parts.append(desk.cell(name, row["id"], "days", unit=True))
    if not pd.isna(row["sure_days"]) and row["sure_days"] != row["days"]:
        parts.append(desk.say("pair.surely", days=desk.cell(name, row["id"], "sure_days", unit=True)))
    return Markup("<br>").join(parts)


def _reading(desk: Desk, name: str, row: dict[str, Any]) -> Markup:
    """Who reaches fewer people, or why two entries look the same; and whether one body stands behind both."""
    parts = [
        desk.say(f"relation.{row['relation']}" if name == "conflicts" else f"because.{row['because']}"),
        desk.say(f"between.{row['between']}"),
    ]
    if name == "duplicates" and row["because"] == "alike_titles":
        parts.append(desk.say("pair.likeness", share=desk.cell(name, row["id"], "likeness")))
    return Markup("<br>").join(parts)


def _unsettled(desk: Desk, rows: pd.DataFrame) -> Block:
    """Entries whose dates would settle the most pairs."""
    columns = [
        Column(desk.plain("column.title"), lambda row: _entry(desk, row["id"])),
        Column(desk.plain("column.lacking"), lambda row: desk.words.label("lacking", row["lacking"])),
        desk.number_column("conflict_dates", "pairs"),
    ]
    return desk.cells("conflict_dates", columns, title=desk.say("table.conflict_dates"), note=desk.say("note.conflict_dates"), folded=True)
