"""The section that lists every value the rooms rest on, with its origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from qonys.report.blocks import Column, Section, coded

if TYPE_CHECKING:
    from qonys.report.blocks import Desk


def assumptions(desk: Desk) -> Section:
    """How many values have which origin, then each kind with its range and the reason."""
    section = Section("assumptions", desk.say("question.assumptions"))
    counts = {name: desk.cell("assumptions_counts", "all", name) for name in ("values", "seed", "published", "assumed", "setting")}
    section.answer = [desk.say("answer.assumptions", **counts)]

    def own(row: dict[str, Any], name: str) -> str:
        language = desk.words.language
        text = row[name if language == "en" else f"{name}_{language}"]
        return text if isinstance(text, str) else row[name] if isinstance(row[name], str) else ""

    def value(row: dict[str, Any]) -> Markup:
        if row["texts"] in ("True", "False"):
            return Markup('<span class="title" data-cell="{}">{}</span>').format(
                f"assumptions/{row['id']}/texts", desk.plain(f"flag.{row['texts'].lower()}")
            )
        if row["smallest"] != row["smallest"]:
            return Markup('<span class="title" data-cell="{}">{}</span>').format(f"assumptions/{row['id']}/texts", row["texts"])
        low = desk.cell("assumptions", row["id"], "smallest")
        return low if row["smallest"] == row["largest"] else low + " \N{EN DASH} " + desk.cell("assumptions", row["id"], "largest")

    columns = [
        Column(desk.plain("column.room"), lambda row: desk.words.label("room", row["room"], row["room"])),
        Column(desk.plain("column.what_it_is"), lambda row: coded("assumptions", row["id"], "what", own(row, "what") or row["id"])),
        Column(desk.plain("column.value"), value, numeric=True),
        desk.number_column("assumptions", "values"),
        Column(desk.plain("column.origin_of_value"), lambda row: desk.plain(f"origin.{row['origin']}")),
        Column(desk.plain("column.reason_chosen"), lambda row: coded("assumptions", row["id"], "reason", own(row, "reason"))),
    ]
    section.blocks = [
        desk.cells("assumptions", columns, title=desk.say("table.assumptions"), note=desk.noted("note.assumptions", "assumptions"))
    ]
    return section
