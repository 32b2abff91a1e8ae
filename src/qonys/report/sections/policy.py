"""Sections on what states did, for whom, and against which challenges."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.core import areas
from qonys.core.periods import earliest, latest
from qonys.report.blocks import Block, Column, Section, coded
from qonys.report.charts import matrix, timelines
from qonys.report.sections.movement import measure_title

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qonys.report.blocks import Desk


def entries(desk: Desk, ids: Iterable[str]) -> Markup:
    """Entries of the register as links to their rows in the list of measures."""
    items = [
        Markup('<a href="#m-{}">{}</a>').format(i, coded("measure", desk.entry(i)["row"], "title", measure_title(desk, i))) for i in ids
    ]
    return Markup("<br>").join(items) if items else Markup('<span class="gap">{}</span>').format(desk.say("none"))


def objects(desk: Desk) -> Section:
    """Table 1: whom policy acts on, by which measures, with the dates and outcomes of their entries."""
    section = Section(
        "objects",
        desk.say("question.objects"),
        [desk.say("answer.objects", **{name: desk.cell("object_counts", "all", name) for name in ("groups", "measures", "entries")})],
    )
    rows = desk.result("objects").rows
    groups = (
        rows.groupby(["category", "population"], sort=False)
        .agg(
            group=("group", lambda g: list(dict.fromkeys(g))),
            measure=("measure", lambda m: list(dict.fromkeys(m))),
            ids=("measure_ids", list),
        )
        .reset_index()
    )
    printed = []
    for row in groups.to_dict("records"):
        ids = sorted({i for own in row["ids"] if own is not None for i in own})
        lines = [desk.words.label("object.group", g) for g in row["group"]]
        named = [desk.words.label("object.measure", m) for m in row["measure"]]
        printed.append(
            (
                Markup("<strong>{}</strong><br>{}").format(
                    desk.words.label("object.category", row["category"]), desk.words.label("object.population", row["population"])
                ),
                _list(lines),
                _list(named),
                entries(desk, ids),
            )
        )
    heads = tuple((desk.plain(f"column.{name}"), False) for name in ("object", "groups", "measures_named", "entries"))
    section.blocks = [
        Block("table", desk.say("table.objects"), name="objects", headings=heads, rows=tuple(printed), sources=desk.sources("objects")),
        measure_list(desk, desk.result("object_measures").rows["id"], title=desk.say("table.object_measures")),
    ]
    return section


def _list(lines: Iterable[str]) -> Markup:
    return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(line) for line in lines))


def measure_list(desk: Desk, ids: Iterable[str], *, title: Markup, folded: bool = False) -> Block:
    """Entries of the register with dates, status and outcome, each an anchor that other tables link to."""
    rows = []
    for i in ids:
        entry = desk.entry(i)
        outcome = desk.words.label("measure", f"{i}.outcome", "") if desk.words.has(f"measure.{i}.outcome") else _text(entry.get("outcome"))
        rows.append(
            (
                _anchor(desk, i),
                coded("measure", entry["row"], "title", measure_title(desk, i)),
                Markup("{}").format(desk.words.label("direction", entry["direction"])),
                Markup("<time>{}</time>").format(dates(desk, entry)),
                Markup("{}").format(desk.words.label("status", entry["status"])),
                coded("measure", entry["row"], "outcome", outcome) if outcome else Markup(),
            )
        )
    heads = tuple((desk.plain(f"column.{name}"), False) for name in ("entry", "title", "direction", "dates", "status", "outcome"))
    return Block(
        "table",
        title,
        name="measures",
        headings=heads,
        rows=tuple(rows),
        sources=("register",),
        note=desk.say("note.register_ends"),
        folded=folded,
    )


def _anchor(desk: Desk, measure: str) -> Markup:
    """The name of an entry, which links lead to where it is first listed."""
    if measure in desk.anchored:
        return Markup('<span class="anchor">{}</span>').format(measure)
    desk.anchored.add(measure)
    return Markup('<span class="anchor" id="m-{0}">{0}</span>').format(measure)


def dates(desk: Desk, entry: dict[str, Any]) -> str:
    """From when to when an entry was in force, saying what is not known."""
    return desk.words.span(_text(entry.get("start")) or None, _text(entry.get("end")) or None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def challenges(desk: Desk) -> Section:
    """Table 2: challenges by type and level, each with the measures that answer it, and those that nothing answers."""
    section = Section("challenges", desk.say("question.challenges"))
    section.answer = [
        desk.say(
            "answer.challenges",
            of=desk.cell("challenge_answers", "none", "of"),
            **{answer: desk.cell("challenge_answers", answer, "challenges") for answer in ("adopted", "proposed", "none")},
        )
    ]
    rows = desk.result("challenges").rows
    order = {"global": 0, "cross_country": 1, "supranational": 2, "national": 3}
    rows = rows.assign(place=rows["level"].map(order)).sort_values(["migration_type", "place", "id"], kind="stable")
    columns = [
        Column(desk.plain("column.migration_type"), lambda row: desk.words.label("migration_type", row["migration_type"])),
        Column(desk.plain("column.level"), lambda row: desk.words.label("challenge_level", row["level"])),
        Column(desk.plain("column.challenge"), lambda row: desk.challenge(row["id"])),
        desk.number_column("challenges", "adopted"),
        desk.number_column("challenges", "proposed"),
        Column(
            desk.plain("column.answered_by"),
            lambda row: (
                entries(desk, row["measures"])
                if len(row["measures"])
                else Markup('<strong class="unanswered">{}</strong>').format(desk.say("unanswered"))
            ),
        ),
    ]
    unanswered = rows[rows["answer"] == "none"]
    section.blocks = [
        desk.cells("challenges", columns[:3], rows=unanswered, title=desk.say("table.unanswered"), note=desk.say("note.unanswered")),
        desk.cells("challenges", columns, rows=rows, title=desk.say("table.challenges"), note=desk.say("note.challenges"), folded=True),
        measure_list(desk, sorted({i for own in rows["measures"] for i in own}), title=desk.say("table.answering_measures"), folded=True),
    ]
    return section


def _mix_words(desk: Desk, part: str, row: dict[str, Any]) -> str:
    return desk.plain(f"mix.{row['policy_field']}.{part}")


def policy_mix(desk: Desk) -> Section:
    """Figure 5: fields of policy x kinds of challenge, with the number of adopted measures that answer."""
    by_field = desk.result("policy_mix_fields").rows
    top = by_field[by_field["id"] != "all"].sort_values("measures", ascending=False, kind="stable")["id"].iloc[0]
    counts = {name: desk.cell("policy_mix_fields", "all", name) for name in ("measures", "fields", "silent")}
    section = Section(
        "policy_mix",
        desk.say("question.policy_mix"),
        [
            desk.say(
                "answer.policy_mix",
                **counts,
                field=desk.plain(f"mix.{top}.policy_field"),
                most=desk.cell("policy_mix_fields", top, "measures"),
            )
        ],
    )
    rows = desk.result("policy_mix").rows
    frame = pd.DataFrame(
        {
            "row": desk.plain(f"mix.{row['policy_field']}.policy_field"),
            "col": desk.words.label("challenge_kind", row["kind"]),
            "value": row["measures"],
            "text": desk.number(row["measures"]),
        }
        for row in rows.to_dict("records")
    )
    section.blocks.append(
        desk.figure(
            "policy-mix",
            "policy_mix",
            matrix,
            frame,
            of=["policy_mix"],
            row_title=desk.plain("column.policy_field"),
            col_title=desk.plain("column.kind"),
        )
    )
    fields = rows.drop_duplicates("policy_field")
    columns = [
        Column(desk.plain("column.policy_field"), lambda row: desk.plain(f"mix.{row['policy_field']}.policy_field")),
        *(Column(desk.plain(f"column.{part}"), partial(_mix_words, desk, part)) for part in ("acts_on", "mechanism", "direction")),
    ]
    section.blocks.append(desk.cells("policy_mix", columns, rows=fields, title=desk.say("table.policy_fields"), folded=True))
    answering = rows[rows["measures"] > 0]
    numbers = [
        columns[0],
        Column(desk.plain("column.kind"), lambda row: desk.words.label("challenge_kind", row["kind"])),
        desk.number_column("policy_mix", "measures"),
        desk.number_column("policy_mix", "challenges"),
    ]
    section.blocks.append(
        desk.cells("policy_mix", numbers, rows=answering, title=desk.say("table.policy_mix"), note=desk.say("note.policy_mix"), folded=True)
    )
    return section


def register(desk: Desk) -> Section:
    """The register as a timeline per issuer, with counts by direction."""
    section = Section("register", desk.say("question.register"))
    counts, rows = desk.result("register_counts").rows, desk.result("register").rows
    section.answer = [
        desk.say(
            "answer.register", **{n: desk.cell("register_total", "all", n) for n in ("measures", "issuers", "tightening", "easing", "open")}
        )
    ]
    names = {issuer: desk.words.area(issuer) for issuer in counts["issuer"]}
    first, last = f"{desk.study.first}-01-01", f"{desk.study.last}-12-31"
    begun = min((earliest(start) for start in rows["start"]), default=earliest(first))
    span = (max(first, begun.replace(day=1).isoformat()), min(last, _last_day(rows)) if len(rows) else last)
    frame = pd.DataFrame(
        {
            "lane": names[row["issuer"]],
            "start": earliest(row["start"]).isoformat(),
            "end": None if pd.isna(row["end"]) else latest(row["end"]).isoformat(),
            "kind": row["direction"],
            "known_end": not pd.isna(row["end"]),
        }
        for row in sorted(
            rows.to_dict("records"),
            key=lambda row: (areas.area(row["issuer"]).scheme != "union", names[row["issuer"]], row["start"], row["id"]),
        )
    )
    section.blocks.append(
        desk.figure(
            "register",
            "register",
            timelines,
            frame,
            of=["register"],
            kind_labels={d: desk.words.label("direction", d) for d in ("tightening", "easing", "neutral")},
            open_label=desk.plain("series.open_end"),
            span=span,
            locale=desk.words.language,
        )
    )
    ordered = counts.assign(name=[names[i] for i in counts["issuer"]]).sort_values("name", kind="stable")
    columns = [
        Column(desk.plain("column.issuer"), lambda row: names[row["issuer"]]),
        *(desk.number_column("register_counts", name) for name in ("measures", "tightening", "easing", "neutral", "open")),
    ]
    section.blocks.append(
        desk.cells("register_counts", columns, rows=ordered, title=desk.say("table.register_counts"), note=desk.say("note.register_counts"))
    )
    section.blocks.append(measure_list(desk, rows["id"], title=desk.say("table.register"), folded=True))
    return section


def _last_day(rows: pd.DataFrame) -> str:
    return max([latest(end) for end in rows["end"].dropna()] + [latest(start) for start in rows["start"]]).isoformat()
