"""What a view gives: the answer, pictures, tables and how they were made. Pages, downloads, embeds and the interface all show the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pandas as pd
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from pydantic import BaseModel

    from qonys.i18n import Words
    from qonys.report.blocks import Desk, Section
    from qonys.report.charts import Chart
    from qonys.web.views.here import Here

NOTHING = Markup()
_CELL = re.compile(r'<data value="([^"]*)" data-cell="([^"]*)">(.*?)</data>')
_SIZE = re.compile(r' style="width:\d+px;max-width:100%;height:auto"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture with what stands under it. data: the rows it was drawn from, as they are downloaded; text: its key figures in words.

    sources: (key, name) as cited. about: what is drawn and what is not.
    """

    name: str
    title: Markup
    chart: Chart
    data: pd.DataFrame
    about: Markup = NOTHING
    text: Markup = NOTHING
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def wide(self) -> Markup:
        """The SVG for a page, without styles of its own: the strict policy of the pages refuses them."""
        return Markup(_SIZE.sub("", self.chart.wide, count=1))

    @property
    def narrow(self) -> Markup:
        """The same for a telephone."""
        return Markup(_SIZE.sub("", self.chart.narrow, count=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table: headings (text, is it a number), printed rows, and the same rows as data. folded: closed until it is opened."""

    name: str
    title: Markup
    headings: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Markup, ...], ...]
    data: pd.DataFrame
    note: Markup = NOTHING
    sources: tuple[tuple[str, str], ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Words between pictures and tables."""

    title: Markup
    text: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How it was made: the command that gives the same, method pages (below docs/), the study whose run it is, inputs (file, hash)."""

    command: str = ""
    methods: tuple[str, ...] = ()
    study: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A view answered. answer: sentences, the first says it all; also: other views of the same noun, as (title, answer, address)."""

    title: Markup
    answer: tuple[Markup, ...]
    blocks: tuple[Figure | Listing | Paragraph, ...] = ()
    made: Made = field(default_factory=Made)
    also: tuple[tuple[Markup, Markup, str], ...] = ()

    def block(self, name: str) -> Figure | Listing | None:
        """The picture or table of that name."""
        return next((one for one in self.blocks if not isinstance(one, Paragraph) and one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view: where it stands (`measures/corridor`), what may be asked of it (a closed model), and the function that answers.

    heading: key of its name in menus; menu: False for views that only others link to. choices: what a reader may choose where the model
    alone does not say it, as field -> (code, label). changes: what its answer hangs on beside the studies and the register.
    """

    path: str
    asked: type[BaseModel]
    show: Callable[[Any, Here], Shown]
    heading: str
    menu: bool = True
    choices: Callable[[Any, Here], dict[str, tuple[tuple[str, str], ...]]] | None = None
    changes: Callable[[Here], Hashable] = lambda here: None

    @property
    def noun(self) -> str:
        """The page it belongs to."""
        return self.path.partition("/")[0]


def table(
    name: str,
    title: Markup,
    frame: pd.DataFrame,
    columns: Mapping[str, tuple[str, Callable[[dict[str, Any]], object]]],
    *,
    numeric: tuple[str, ...] = (),
    note: Markup = NOTHING,
    sources: tuple[tuple[str, str], ...] = (),
    folded: bool = False,
) -> Listing:
    """A listing of a frame: column -> (heading, what is printed of a row)."""
    rows = tuple(tuple(Markup(escape(show(row))) for _, show in columns.values()) for row in frame.to_dict("records"))
    headings = tuple((heading, column in numeric) for column, (heading, _) in columns.items())
    return Listing(name=name, title=title, headings=headings, rows=rows, data=frame, note=note, sources=sources, folded=folded)


def traced(text: Markup, study: str, language: str) -> Markup:
    """Numbers of a study as links to their way back."""

    def link(found: re.Match[str]) -> str:
        query = urlencode({"study": study, "cell": Markup(found[2]).unescape()})
        return f'<a class="number" href="/{language}/studies/trace?{escape(query)}"><data value="{found[1]}">{found[3]}</data></a>'

    return Markup(_CELL.sub(link, str(text)))


def of_section(section: Section, desk: Desk, *, say: Words) -> tuple[tuple[Markup, ...], tuple[Figure | Listing | Paragraph, ...]]:
    """A section of a report as the answer and blocks of a view, its numbers linked to their way back."""
    study, language = desk.study.name, say.language
    blocks: list[Figure | Listing | Paragraph] = []
    for block in section.blocks:
        cited = tuple(desk.cited(block.sources))
        if block.kind == "text":
            blocks.append(Paragraph(title=block.title, text=traced(block.text, study, language)))
            continue
        data = _plain(desk.results[block.name].rows) if block.name in desk.results else pd.DataFrame()
        note = traced(block.note, study, language)
        if block.chart is not None:
            name = _free(block.name, blocks, "picture")
            blocks.append(Figure(name=name, title=block.title, chart=block.chart, data=data, about=note, sources=cited))
        else:
            rows = tuple(tuple(traced(cell, study, language) for cell in row) for row in block.rows)
            listing = Listing(
                name=_free(block.name, blocks, "table"), title=block.title, headings=block.headings, rows=rows, data=data, note=note,
                sources=cited, folded=block.folded,
            )  # fmt: skip
            blocks.append(listing)
    return tuple(traced(one, study, language) for one in section.answer), tuple(blocks)


def _free(name: str, blocks: list[Figure | Listing | Paragraph], otherwise: str) -> str:
    """A picture and a table of the same result have names of their own."""
    taken = {one.name for one in blocks if not isinstance(one, Paragraph)}
    tries = (name, f"{name}-{otherwise}", *(f"{name}-{otherwise}-{place}" for place in range(2, 99)))
    return next(one for one in tries if one not in taken)


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[*(column for column in rows.columns if column != "inputs"), "inputs"]]
