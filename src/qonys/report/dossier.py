"""The dossier of a study in one language: report.html (one file, offline), tables.xlsx and figures/*.svg."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd

from qonys.core.units import UNITS
from qonys.i18n import words
from qonys.report.blocks import Block, Desk, Section
from qonys.report.sections import SECTIONS
from qonys.store.tables import whole_file, write_text, write_workbook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qonys.core.results import Result
    from qonys.core.run import Run
    from qonys.i18n import Words
    from qonys.studies.definition import Study


def write_report(
    study: Study, results: Mapping[str, Result], tables: Mapping[str, pd.DataFrame], sources: pd.DataFrame, run: Run, folder: Path, *,
    language: str, links: Mapping[str, str],
) -> Path:  # fmt: skip
    """Write the dossier into `folder` and return the path of its report.html. links: report of each language, relative to this one."""
    say = words(language)
    desk = Desk(study, results, tables, sources, say)
    sections = [SECTIONS[question](desk) for question in study.questions]
    for section in sections:
        for block in section.blocks:
            if block.chart is not None:
                write_text(block.chart.wide, folder / "figures" / f"{block.name}.svg")
                write_text(block.chart.narrow, folder / "figures" / f"{block.name}-narrow.svg")
    write_workbook_of(results, sources, say, folder / "tables.xlsx")
    page = _template().render(
        say=say, desk=desk, study=study, sections=sections, run=run, links=links, language=language, title=study_title(study, say),
        used=_used_sources(desk, sections), style=_style(), example=_example(sections),
    )  # fmt: skip
    report = folder / "report.html"
    write_text(page, report)
    return report


def study_title(study: Study, say: Words) -> str:
    """The title of a study in a language, or its name."""
    return study.title.get(say.language, study.title.get("en", study.name))


def write_workbook_of(results: Mapping[str, Result], sources: pd.DataFrame, say: Words, path: Path) -> None:
    """Every result a sheet, headings in the language with their unit, codes as codes; the last sheet lists the sources."""
    sheets = {name: _headed(result, say) for name, result in results.items()}
    sheets[say.plain("sheet.sources")] = sources.rename(columns={column: say.plain(f"column.{column}") for column in sources.columns})
    with whole_file(path) as draft:
        write_workbook(sheets, draft)


def _headed(result: Result, say: Words) -> pd.DataFrame:
    rows = result.rows[[*(column for column in result.rows.columns if column != "inputs"), "inputs"]]
    names: dict[str, str] = {}
    for column in rows.columns:
        heading = say.plain(f"column.{column}")
        unit = result.measured[column].unit if column in result.measured else ""
        names[column] = f"{heading}, {say.plain(f'unit.name.{unit}')}" if unit and unit in UNITS and unit != "as_row" else heading
    return rows.rename(columns=names)


def _used_sources(desk: Desk, sections: list[Section]) -> list[tuple[str, dict[str, Any]]]:
    keys = {key for section in sections for block in section.blocks for key in block.sources}
    return [(key, desk.source(key)) for key in sorted(keys) if key != "register"]


def _example(sections: list[Section]) -> str:
    """The address of the first number of the report."""
    text = "".join(str(sentence) for section in sections for sentence in section.answer)
    return text.partition('data-cell="')[2].partition('"')[0]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("qonys.report", "templates"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["Block"] = Block
    return environment.get_template("report.html.j2")


def _style() -> str:
    return files("qonys.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
