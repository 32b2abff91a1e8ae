"""Sources: the publishers that can be asked, what is held of each, and the list behind every figure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.core.errors import DataError, nearest
from qonys.holdings import holdings, stamp
from qonys.pipeline import source_list
from qonys.sources import publishers
from qonys.web.views.asked import Asked, Text
from qonys.web.views.labels import number
from qonys.web.views.shown import Made, Shown, View, table

if TYPE_CHECKING:
    from collections.abc import Hashable

    from qonys.i18n import Words
    from qonys.web.views.here import Here
    from qonys.web.views.shown import Listing


class AskedHeld(Asked):
    """Nothing may be chosen."""


class AskedCited(Asked):
    """The key of a source as a figure names it, or words of its title or publisher; without either all are listed."""

    key: Text = ""
    text: Text = ""


def sources(asked: AskedHeld, here: Here) -> Shown:
    """What is held of each publisher, how old it is, and which tables of which publishers can be pulled."""
    say = here.say
    held = holdings(store=here.store)
    known = publishers()
    tables = pd.DataFrame(
        [
            {
                "publisher": key,
                "name": facts.name[say.language],
                "table": table_.id,
                "title": table_.title[say.language],
                "contract": table_.contract,
                "frequency": table_.frequency,
                "licence": facts.licence,
            }
            for key, facts in known.items()
            for table_ in facts.tables.values()
        ]
    )
    faults = int(held["fault"].astype(bool).sum())
    first = say.plural(
        "web.sources.answer", len(held), n=say.number(len(held)), publishers=say.number(len(known)), tables=say.number(len(tables))
    )
    answer = [first, say("web.sources.shipped", number=say.number(len(source_list())))]
    if faults:
        answer.append(say.plural("web.sources.faults", faults, n=say.number(faults)))
    blocks = (_held(held, say), _tables(tables, say))
    return Shown(
        title=say("web.sources.title"),
        answer=tuple(answer),
        blocks=blocks,
        made=Made(command="qonys sources status", methods=("vintages", "harmonisation")),
    )


def _held(held: pd.DataFrame, say: Words) -> Listing:
    return table(
        "held",
        say("web.sources.held"),
        held,
        {
            "target": (say.plain("web.column.target"), lambda row: Markup("<code>{}</code>").format(row["target"])),
            "vintages": (say.plain("web.column.vintages"), lambda row: number(row["vintages"], say)),
            "publisher_vintage": (say.plain("web.column.publisher_vintage"), lambda row: row["publisher_vintage"] or say.plain("gap.sign")),
            "days_ago": (say.plain("web.column.days_ago"), lambda row: number(row["days_ago"], say)),
            "rows": (say.plain("column.rows"), lambda row: number(row["rows"], say)),
            "fault": (say.plain("web.column.fault"), lambda row: row["fault"] or ""),
        },
        numeric=("vintages", "days_ago", "rows"),
        note=say("web.sources.held.note"),
    )


def _tables(tables: pd.DataFrame, say: Words) -> Listing:
    return table(
        "tables",
        say("web.sources.tables"),
        tables,
        {
            "name": (say.plain("column.publisher"), lambda row: row["name"]),
            "title": (say.plain("column.title"), lambda row: row["title"]),
            "target": (say.plain("web.column.target"), lambda row: Markup("<code>{}:{}</code>").format(row["publisher"], row["table"])),
            "contract": (
                say.plain("web.column.contract"),
                lambda row: say.label("contract", row["contract"], "") if row["contract"] else "",
            ),
        },
    )


def cited(asked: AskedCited, here: Here) -> Shown:
    """The sources of the shipped figures: publisher, year, title and address. Errors: DataError for a key that is none."""
    say = here.say
    every = source_list()
    found = every
    if asked.key:
        found = every[every["key"].eq(asked.key)]
        if found.empty:
            raise DataError(f"there is no source {asked.key!r}", mend=nearest(asked.key, every["key"]))
    for word in asked.text.lower().split():
        found = found[(found["title"].fillna("") + " " + found["publisher"].fillna("")).str.lower().str.contains(word, regex=False)]
    answer = (say.plural("web.sources.cited", len(found), n=say.number(len(found))),)
    listing = table(
        "sources",
        say("web.sources.list"),
        found,
        {
            "publisher": (say.plain("column.publisher"), lambda row: _english(row["publisher"])),
            "year": (say.plain("column.year"), lambda row: row["year"] if isinstance(row["year"], str) else say.plain("source.undated")),
            "title": (say.plain("column.title"), lambda row: _linked(row)),
        },
    )
    return Shown(title=say("web.sources.list"), answer=answer, blocks=(listing,))


def _english(text: object) -> Markup:
    return Markup('<span lang="en">{}</span>').format(text if isinstance(text, str) else "")


def _linked(row: dict[str, Any]) -> Markup:
    address = row["address"] if isinstance(row["address"], str) else ""
    title = Markup('<span lang="en">{}</span>').format(row["title"])
    return (
        Markup('{}<br><a lang="en" rel="noopener noreferrer" href="{}">{}</a>').format(title, address, address)
        if address.startswith(("https://", "http://"))
        else title
    )


def _changes(here: Here) -> Hashable:
    """The day, since ages are told, and whatever was pulled."""
    return datetime.now(UTC).date(), stamp(here.store)


VIEWS = (
    View(path="sources", asked=AskedHeld, show=sources, heading="web.view.sources", changes=_changes),
    View(path="sources/cited", asked=AskedCited, show=cited, heading="web.view.sources/cited"),
)
