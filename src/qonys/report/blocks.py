"""The parts a report is built of: sections with an answer in sentences, figures, tables and their sources.

Every number a reader sees is a cell of a result, printed as `<data data-cell="table/row/column">`, so that it can be traced.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from qonys.core.results import Cell, Result
    from qonys.i18n import Words
    from qonys.report.charts import Chart
    from qonys.studies.definition import Study


NOTHING = Markup()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a printed table: its heading and what stands in it, from a row of the result."""

    heading: str
    show: Callable[[dict[str, Any]], str | Markup]
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A figure, a table or a paragraph of a section. `sources` are keys of the source list."""

    kind: str  # figure | table | text
    title: Markup = NOTHING
    chart: Chart | None = None
    name: str = ""
    headings: tuple[tuple[str, bool], ...] = ()
    rows: tuple[tuple[Markup, ...], ...] = ()
    note: Markup = NOTHING
    sources: tuple[str, ...] = ()
    text: Markup = NOTHING
    folded: bool = False


@dataclass(slots=True)
class Section:
    """One question answered: the answer first, then pictures, tables, and how it was made."""

    question: str
    title: Markup
    answer: list[Markup] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


def coded(table: str, row: str, column: str, text: str) -> Markup:
    """Words of a coded entry, with the address of the cell they stand for: an outcome or a title may hold numbers too."""
    return Markup('<span class="title" data-cell="{}">{}</span>').format(f"{table}/{row}/{column}", text)


class Desk:
    """What a section is written from: the results, the tables they came from, the words of the language."""

    def __init__(
        self, study: Study, results: Mapping[str, Result], tables: Mapping[str, pd.DataFrame], sources: pd.DataFrame, words: Words
    ) -> None:
        self.study, self.results, self.words = study, results, words
        self._rows = {
            name: dict(zip(frame["row"], frame["source"], strict=True)) for name, frame in tables.items() if "source" in frame.columns
        }
        self._walked: dict[str, frozenset[str]] = {}
        self._entries = tables["measure"].set_index("id").to_dict("index") if "measure" in tables else {}
        self._challenges = tables["challenge"].set_index("id").to_dict("index") if "challenge" in tables else {}
        self._assumed = tables.get("assumption")
        self._sources = sources.set_index("key").to_dict("index")
        self.figures = 0
        self.anchored: set[str] = set()

    def labels(self, room: str) -> dict[str, dict[str, str]]:
        """What a room file calls things: id -> language -> name."""
        found: dict[str, dict[str, str]] = {}
        if self._assumed is not None:
            own = self._assumed[self._assumed["room"].eq(room) & self._assumed["key"].str.startswith("labels.")]
            for key, value in zip(own["key"], own["value"], strict=True):
                code, _, language = key.removeprefix("labels.").rpartition(".")
                found.setdefault(code, {})[language] = json.loads(value)
        return found

    def result(self, name: str) -> Result:
        """A result of the study."""
        return self.results[name]

    def entry(self, measure: str) -> dict[str, Any]:
        """An entry of the register; empty where there is none of that id."""
        return dict(self._entries.get(measure, {}))

    def challenge(self, challenge: str) -> Markup:
        """The text of a challenge in the language of the report, or as its file has it, traceable to its row."""
        row = self._challenges[challenge]
        return coded("challenge", row["row"], "text", self.words.label("challenge", challenge, row["text"]))

    def source_name(self, key: str) -> str:
        """Publisher and year of a source, as it is cited under a figure."""
        if key == "register":
            return self.plain("source.register")
        source = self._sources.get(key)
        if source is None:
            return key
        year = source["year"] if isinstance(source["year"], str) else self.plain("source.undated")
        return f"{source['publisher']} ({year})"

    def cited(self, keys: Sequence[str]) -> list[tuple[str, str]]:
        """Key and name of each source, names that are alike only once, the register last."""
        names: dict[str, str] = {}
        for key in sorted(keys, key=lambda key: (key == "register", self.source_name(key))):
            names.setdefault(self.source_name(key), key)
        return [(key, name) for name, key in names.items()]

    def source(self, key: str) -> dict[str, Any]:
        """A source as the list of sources has it."""
        return dict(self._sources.get(key, {"title": key}))

    def cell(self, table: str, row: str, column: str, *, sign: bool = False, unit: bool = False) -> Markup:
        """One number as it is printed, traceable; a gap where there is none."""
        return self.print(self.results[table].cell(row, column), sign=sign, unit=unit)

    def print(self, cell: Cell, *, sign: bool = False, unit: bool = False) -> Markup:
        """A cell as `<data>` with its address, in the number format of the language."""
        if cell.value is None:
            return Markup('<span class="gap">{}</span>').format(self.words("gap.sign"))
        shown = self.words.number(cell.value, cell.decimals, sign=sign)
        number = Markup('<data value="{}" data-cell="{}">{}</data>').format(f"{cell.value:.12g}", cell.address, shown)
        return self.words.plural(f"unit.{cell.unit}", abs(cell.value), n=number) if unit else number

    def number(self, value: float | None, decimals: int = 0, *, sign: bool = False) -> str:
        """Plain text of a number for a chart, whose cells stand in the table under it."""
        return "" if value is None or value != value else self.words.number(value, decimals, sign=sign)

    def say(self, key: str, **values: object) -> Markup:
        """A sentence."""
        return self.words(key, **values)

    def note(self, name: str) -> Markup:
        """What the author of the study says under a table or an answer, in this language; empty if nothing."""
        return Markup(escape(self.study.notes.get(name, {}).get(self.words.language, "")))

    def own_label(self, declared: Mapping[str, Any]) -> str:
        """What the author of the study calls something it declares (`label`, by language or one for all), or its id."""
        label = declared.get("label", declared["id"])
        return str(label.get(self.words.language, label.get("en", declared["id"])) if isinstance(label, dict) else label)

    def noted(self, key: str, name: str) -> Markup:
        """A note of the catalogue, and what the author of the study adds to it."""
        return Markup(" ").join(part for part in (self.words(key), self.note(name)) if part)

    def plain(self, key: str, **values: object) -> str:
        """The same as plain text, for a heading or a chart."""
        return self.words.plain(key, **values)

    def cells(
        self,
        name: str,
        columns: Sequence[Column],
        *,
        title: Markup,
        rows: pd.DataFrame | None = None,
        note: Markup | None = None,
        folded: bool = False,
    ) -> Block:
        """A table of a result's rows."""
        result = self.results[name]
        chosen = result.rows if rows is None else rows
        printed = tuple(tuple(Markup(escape(column.show(row))) for column in columns) for row in chosen.to_dict("records"))
        return Block(
            "table",
            title,
            name=name,
            headings=tuple((c.heading, c.numeric) for c in columns),
            rows=printed,
            note=note or Markup(),
            sources=self.sources(name, chosen),
            folded=folded,
        )

    def number_column(self, name: str, column: str, *, heading: str | None = None, sign: bool = False) -> Column:
        """A column of traceable numbers of that result."""
        return Column(heading or self.plain(f"column.{column}"), lambda row: self.cell(name, row["id"], column, sign=sign), numeric=True)

    def figure(
        self,
        name: str,
        key: str,
        draw: Callable[..., Chart],
        frame: pd.DataFrame,
        *,
        of: Sequence[str],
        note: Markup | None = None,
        rows: Mapping[str, pd.DataFrame] | None = None,
        **options: object,
    ) -> Block:
        """A chart of results `of`, with title and description from the catalogue (`chart.KEY`, `chart.KEY.about`)."""
        self.figures += 1
        title, about = self.words(f"chart.{key}"), self.words(f"chart.{key}.about")
        chart = draw(frame, title=title.unescape(), desc=about.unescape(), prefix=f"c{self.figures}-{name.replace('_', '-')}", **options)
        keys = tuple(dict.fromkeys(source for one in of for source in self.sources(one, (rows or {}).get(one))))
        return Block("figure", title, chart=chart, name=name, note=note or about, sources=keys)

    def sources(self, name: str, rows: pd.DataFrame | None = None) -> tuple[str, ...]:
        """Keys of the sources behind the rows of a result, walked back through its inputs; `register` stands for its entries."""
        own = self.results[name].rows if rows is None else rows
        return tuple(sorted({source for inputs in own["inputs"] for address in inputs for source in self._sources_of(address)}))

    def _sources_of(self, address: str) -> frozenset[str]:
        if address not in self._walked:
            table, _, row = address.partition("/")
            if table in self.results:
                found = frozenset(source for one in self.results[table].inputs(row) for source in self._sources_of(one))
            elif table == "measure":
                found = frozenset({"register"})
            else:
                source = self._rows[table].get(row)
                found = frozenset({source} if source else ())
            self._walked[address] = found
        return self._walked[address]
