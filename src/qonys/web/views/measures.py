"""Measures: the register searched, its time line, and one entry with all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from markupsafe import Markup
from pydantic import Field

from qonys.core import areas
from qonys.measures import codebook
from qonys.report.charts import time_lines, timelines
from qonys.situation import entry_of, find_measures, periods_of, reach_of
from qonys.web.views.asked import Area, Asked, Day, Text, Year, query_of
from qonys.web.views.labels import area_choices, code_choices, dated, groups, joined, measure_link, number, title_of
from qonys.web.views.shown import Figure, Made, Paragraph, Shown, View, table

if TYPE_CHECKING:
    from qonys.i18n import Words
    from qonys.web.views.here import Here
    from qonys.web.views.shown import Listing

MOST = 100  # entries on one page
MONTHS = ("2019-01", "2023-12")  # between which entries are counted by month: the register is of the pandemic


class AskedMeasures(Asked):
    """Words and codes that an entry must have. Each may be left out."""

    text: Text = ""
    issuer: Area | None = None
    field: Annotated[str, Field(pattern="^[a-z_]{1,40}$")] | None = None
    direction: Literal["easing", "tightening", "neutral"] | None = None
    targets: Annotated[str, Field(pattern="^[a-z_]{1,40}$")] | None = None
    instrument: Annotated[str, Field(pattern="^[a-z_]{1,40}$")] | None = None
    on: Day | None = None
    sort: Literal["latest", "start", "issuer", "field", "strength"] = "latest"
    page: Annotated[int, Field(ge=1, le=1000)] = 1


class AskedEntry(Asked):
    """An entry by its id."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$")] = "SM006"


def measures(asked: AskedMeasures, here: Here) -> Shown:
    """The entries of the register that have every word and code asked for."""
    say = here.say
    found = find_measures(
        text=asked.text,
        issuer=asked.issuer,
        field=asked.field,
        instrument=asked.instrument,
        direction=asked.direction,
        targets=asked.targets,
        on=asked.on,
        sort=asked.sort,
        words=_titles(here),
        register=here.registers,
    )
    tight, ease = (int(found["direction"].eq(one).sum()) for one in ("tightening", "easing"))
    issuers = found["issuer"].nunique()
    first = say.plural(
        "web.measures.answer",
        len(found),
        n=say.number(len(found)),
        tightening=say.number(tight),
        easing=say.number(ease),
        issuers=say.number(issuers),
    )
    begun = found["start"].dropna()
    answer = (first, say("web.measures.span", first=say.date(min(begun)), last=say.date(max(begun)))) if len(begun) else (first,)
    start = (asked.page - 1) * MOST
    blocks: list[Figure | Listing] = [*_by_month(found, say), _listing(found.iloc[start : start + MOST], say, len(found), start)]
    made = Made(command=_command(asked), methods=("in-force",))
    return Shown(title=say("web.measures.title"), answer=answer, blocks=tuple(blocks), made=made, also=_pages(asked, len(found), say))


def _pages(asked: AskedMeasures, whole: int, say: Words) -> tuple[tuple[Markup, Markup, str], ...]:
    out = []
    for number_ in (asked.page - 1, asked.page + 1):
        if number_ >= 1 and (number_ - 1) * MOST < whole:
            key = "web.measures.earlier" if number_ < asked.page else "web.measures.later"
            span = f"{(number_ - 1) * MOST + 1}–{min(number_ * MOST, whole)}"
            out.append((say(key), Markup(span), f"?{query_of(asked.model_copy(update={'page': number_}))}"))
    return tuple(out)


def _titles(here: Here) -> dict[str, str]:
    entries = find_measures(register=here.registers)
    return {str(row["id"]): title_of(row, here.say) for row in entries.to_dict("records")}


def _command(asked: AskedMeasures) -> str:
    options = [
        f"--{name} {str(value)!r}"
        for name, value in asked.model_dump(mode="json", exclude_none=True, exclude_defaults=True).items()
        if name not in ("page", "sort")
    ]
    return " ".join(["qonys measures find", *options])


def _by_month(found: pd.DataFrame, say: Words) -> list[Figure]:
    """How many of the entries found began in each month, by direction; nothing where all began in one month."""
    starts = found.loc[found["start"].map(lambda day: isinstance(day, str) and len(day) >= 7), ["start", "direction"]]
    own = starts.assign(month=starts["start"].str[:7])
    own = own[own["month"].between(*MONTHS)]
    if own["month"].nunique() < 2:
        return []
    every = pd.period_range(own["month"].min(), own["month"].max(), freq="M").astype(str)
    full = pd.MultiIndex.from_product([sorted(own["direction"].unique()), every], names=["direction", "month"])
    counts = own.groupby(["direction", "month"]).size().reindex(full, fill_value=0).rename("entries").reset_index()
    labels = {one: say.label("direction", one) for one in counts["direction"].unique()}
    rows = counts.assign(
        x=counts["month"], series=counts["direction"], label=counts["direction"].map(labels), value=counts["entries"].astype(float)
    )
    title, about = say("web.measures.by_month"), say("web.measures.by_month.about")
    chart = time_lines(
        rows,
        title=title.unescape(),
        desc=about.unescape(),
        prefix="w-by-month",
        unit=say.plain("unit.name.measures"),
        gap_label=say.plain("gap.sign"),
        number_format=say.number,
        locale=say.language,
    )
    top = counts.loc[counts["entries"].idxmax()]
    text = say(
        "web.measures.by_month.text",
        month=say.date(top["month"]),
        number=say.number(int(top["entries"])),
        direction=labels[top["direction"]],
    )
    return [Figure(name="by-month", title=title, chart=chart, data=counts, about=about, text=text, sources=_register(say))]


def _register(say: Words) -> tuple[tuple[str, str], ...]:
    return (("register", say.plain("source.register")),)


def _listing(found: pd.DataFrame, say: Words, whole: int, start: int) -> Listing:
    return table(
        "entries",
        say(
            "web.measures.entries",
            first=say.number(start + 1 if len(found) else 0),
            last=say.number(start + len(found)),
            whole=say.number(whole),
        ),
        found,
        {
            "title": (say.plain("column.measure"), lambda row: measure_link(row, say)),
            "issuer": (say.plain("column.issuer"), lambda row: say.area(row["issuer"])),
            "field": (say.plain("web.field.field"), lambda row: say.label("field", row["field"], str(row["field"]))),
            "direction": (say.plain("web.field.direction"), lambda row: say.label("direction", row["direction"])),
            "strength": (say.plain("web.field.strength"), lambda row: number(row["strength"], say)),
            "targets": (say.plain("web.field.targets"), lambda row: joined("target", row["targets"], say)),
            "start": (say.plain("column.start"), lambda row: dated(row["start"], say)),
            "end": (say.plain("column.end"), lambda row: dated(row["end"], say)),
            "id": (say.plain("web.field.id"), lambda row: row["id"]),
        },
        numeric=("strength",),
        sources=_register(say),
        note=say("note.register_ends"),
    )


def entry(asked: AskedEntry, here: Here) -> Shown:
    """One entry of the register: what it says, its versions, how two coders read it, whom it reaches, and what it conflicts with."""
    say = here.say
    found = entry_of(asked.id, register=here.registers)
    row = found.current.iloc[0].to_dict()
    issuer = say.area(row["issuer"])
    first = say(
        "web.entry.answer",
        issuer=issuer,
        direction=say.label("direction", row["direction"]),
        field=say.label("field", row["field"], str(row["field"])),
        targets=joined("target", row["targets"], say),
        start=dated(row.get("start"), say),
        end=dated(row.get("end"), say),
    )
    blocks: list[Any] = [_facts(row, say), _reach(asked.id, here), _versions(found.versions, say)]
    if len(found.coding):
        blocks.append(
            table(
                "coding",
                say("web.entry.coding"),
                found.coding,
                {
                    "column": (say.plain("web.column.what"), lambda one: say.plain(f"web.field.{one['column']}")),
                    "first": (say.plain("web.column.first_coder"), lambda one: _coded(one["column"], one["first"], say)),
                    "second": (say.plain("web.column.second_coder"), lambda one: _coded(one["column"], one["second"], say)),
                    "settled": (say.plain("web.column.settled"), lambda one: _coded(one["column"], one["settled"], say)),
                },
                note=say("web.entry.coding.note"),
                folded=True,
            )
        )
    for name, frame in (("conflicts", found.conflicts), ("duplicates", found.duplicates)):
        if len(frame):
            blocks.append(_pairs(name, frame, asked.id, say))
    if len(found.links):
        blocks.append(
            table(
                "links",
                say("web.entry.links"),
                found.links,
                {
                    "relation": (say.plain("web.column.what"), lambda one: say.plain(f"web.relation.{one['relation']}")),
                    "id": (say.plain("column.measure"), lambda one: measure_link(one, say)),
                },
            )
        )
    made = Made(command=f"qonys measures entry {asked.id}", methods=("in-force", "exposure", "conflicts"))
    return Shown(title=Markup("{}").format(title_of(row, say)), answer=(first,), blocks=tuple(blocks), made=made)


def _coded(column: str, value: object, say: Words) -> str:
    if not isinstance(value, str) or not value:
        return say.plain("gap.sign")
    if column == "general":
        return say.plain("yes" if value.lower() == "true" else "no")
    kind = {"targets": "target", "field": "field", "instrument": "instrument", "direction": "direction", "level": "level"}.get(column)
    return ", ".join(say.label(kind, one, one) for one in value.split()) if kind else value


def _facts(row: dict[str, Any], say: Words) -> Listing:
    shown = [
        ("id", row["id"], False),
        ("issuer", say.area(row["issuer"]), False),
        ("level", say.label("level", row["level"]), False),
        ("field", say.label("field", row["field"], str(row["field"])), False),
        ("instrument", say.label("instrument", row["instrument"]), False),
        ("direction", say.label("direction", row["direction"]), False),
        ("strength", number(row["strength"], say), False),
        ("general", say.plain("yes" if row["general"] else "no"), False),
        ("targets", joined("target", row["targets"], say), False),
        ("start", dated(row.get("start"), say), False),
        ("end", dated(row.get("end"), say), False),
        ("seen_until", dated(row.get("seen_until"), say), False),
        ("status", say.label("status", row["status"], str(row["status"])), False),
        ("title", str(row["title"]), True),
        ("outcome", row.get("outcome"), True),
        ("evidence", row.get("evidence"), True),
        ("note", row.get("note"), True),
    ]
    rows = [(name, value, foreign) for name, value, foreign in shown if isinstance(value, str) and value]
    frame = pd.DataFrame(rows, columns=["what", "value", "english"])
    return table(
        "facts",
        say("web.entry.facts"),
        frame,
        {
            "what": (say.plain("web.column.what"), lambda one: say.plain(f"web.field.{one['what']}")),
            "value": (
                say.plain("column.value"),
                lambda one: Markup('<span lang="en">{}</span>').format(one["value"]) if one["english"] else one["value"],
            ),
        },
        note=say("web.entry.facts.note"),
    )


def _reach(id: str, here: Here) -> Any:
    say, found = here.say, reach_of(id, register=here.registers)
    if found.empty:
        return Paragraph(title=say("web.entry.reach"), text=say("web.entry.reach.none"))
    return table(
        "reach",
        say("web.entry.reach"),
        found,
        {
            "category": (say.plain("column.category"), lambda row: say.label("category", row["category"], str(row["category"]))),
            "side": (say.plain("web.column.side"), lambda row: say.plain(f"web.side.{row['side']}")),
            "corridors": (say.plain("web.column.corridors"), lambda row: number(row["corridors"], say)),
            "of": (say.plain("web.column.of"), lambda row: number(row["of"], say)),
            "why": (say.plain("web.column.why_not"), lambda row: _why(row["why"], say)),
        },
        numeric=("corridors", "of"),
        note=say("web.entry.reach.note"),
        folded=True,
    )


def _why(code: object, say: Words) -> str:
    return say.label("why", code, str(code)) if isinstance(code, str) and code else ""


def _versions(versions: pd.DataFrame, say: Words) -> Listing:
    return table(
        "versions",
        say("web.entry.versions"),
        versions,
        {
            "version": (say.plain("web.column.version"), lambda row: number(row["version"], say)),
            "coded_on": (say.plain("web.column.coded_on"), lambda row: dated(row.get("coded_on"), say)),
            "coder": (
                say.plain("web.column.coder"),
                lambda row: Markup("<code>{}</code>").format(row["coder"]) if row.get("coder") else say.plain("gap.sign"),
            ),
            "changed": (say.plain("web.column.changed"), lambda row: ", ".join(_field(one, say) for one in row["changed"])),
            "change": (say.plain("web.column.reason"), lambda row: Markup('<span lang="en">{}</span>').format(row.get("change") or "")),
        },
        numeric=("version",),
        folded=len(versions) < 2,
    )


def _field(name: str, say: Words) -> str:
    key = f"web.field.{name}"
    return say.plain(key) if say.has(key) else say.label("column", name, name)


def _pairs(name: str, frame: pd.DataFrame, id: str, say: Words) -> Listing:
    one, other = ("tightening", "easing") if name == "conflicts" else ("one", "other")

    def across(row: dict[str, Any]) -> Markup:
        side = other if row[one] == id else one
        return measure_link({"id": row[side], "title": row[f"{side}_title"], "field": row[f"{side}_field"]}, say)

    return table(
        name,
        say(f"web.entry.{name}"),
        frame,
        {
            "other": (say.plain("column.measure"), across),
            "groups": (say.plain("web.field.targets"), lambda row: groups(row["groups"], say)),
            "first": (say.plain("column.start"), lambda row: dated(row["first"], say)),
            "last": (say.plain("column.end"), lambda row: dated(row["last"], say)),
        },
        note=say("web.entry.pairs.note"),
        folded=True,
    )


def _choices(asked: AskedMeasures, here: Here) -> dict[str, tuple[tuple[str, str], ...]]:
    say = here.say
    return {
        "issuer": area_choices(say, empty="web.any"),
        "field": code_choices("field", codebook()["field"], say),
        "targets": code_choices("target", codebook()["target"], say),
        "instrument": code_choices("instrument", codebook()["instrument"], say),
        "direction": code_choices("direction", ("easing", "tightening", "neutral"), say),
    }


class AskedTimeline(Asked):
    """An area, between two years."""

    area: Area = "KAZ"
    first: Year = 2019
    last: Year = 2022


def timeline(asked: AskedTimeline, here: Here) -> Shown:
    """The measures of an area along time, a lane for each group of people they are for."""
    say = here.say
    code = areas.area(asked.area).code
    found = periods_of(code, asked.first, asked.last, most=10_000, registers=here.registers)
    name = say.area(code)
    title = say("web.timeline.title", area=name)
    made = Made(command=f"qonys measures find --issuer {code}", methods=("in-force",))
    rows = found.rows
    if rows.empty:
        return Shown(title=title, answer=(say("web.timeline.none", area=name),), made=made)
    tight = int(rows["direction"].eq("tightening").sum())
    open_ = int((~rows["known_end"].astype(bool)).sum())
    answer = [say.plural("web.timeline.answer", len(rows), n=say.number(len(rows)), tightening=say.number(tight), open=say.number(open_))]
    if found.undated:
        answer.append(say.plural("web.timeline.undated", len(found.undated), n=say.number(len(found.undated))))
    drawn = ("start", "end", "known_end")
    lanes = pd.DataFrame(
        [
            {"lane": say.label("target", target), "kind": row["direction"], **{name: row[name] for name in drawn}}
            for row in rows.to_dict("records")
            for target in (row["targets"] or ["foreign_traveller"])
        ]
    )
    lanes = lanes.sort_values(["lane", "start"], kind="stable", ignore_index=True)
    about = say("web.timeline.about")
    chart = timelines(
        lanes,
        title=title.unescape(),
        desc=about.unescape(),
        prefix="w-timeline",
        kind_labels={one: say.label("direction", one) for one in ("tightening", "easing", "neutral")},
        open_label=say.plain("series.open_end"),
        span=(f"{asked.first}-01-01", f"{asked.last}-12-31"),
        locale=say.language,
    )
    ids = [one for own in rows["ids"] for one in own]
    entries = find_measures(register=here.registers)
    entries = entries[entries["id"].isin(ids)]
    figure = Figure(name="timeline", title=title, chart=chart, data=rows, about=about, text=answer[0], sources=_register(say))
    return Shown(title=title, answer=tuple(answer), blocks=(figure, _listing(entries, say, len(entries), 0)), made=made)


def _timeline_choices(asked: AskedTimeline, here: Here) -> dict[str, tuple[tuple[str, str], ...]]:
    return {"area": area_choices(here.say)}


VIEWS = (
    View(path="measures", asked=AskedMeasures, show=measures, heading="web.view.measures", choices=_choices),
    View(path="measures/timeline", asked=AskedTimeline, show=timeline, heading="web.view.measures/timeline", choices=_timeline_choices),
    View(path="measures/entry", asked=AskedEntry, show=entry, heading="web.view.measures/entry", menu=False),
)
