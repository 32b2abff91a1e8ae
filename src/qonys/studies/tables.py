"""Small helpers the questions share: a lazy table into memory, members of unions, rows of a result."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from qonys.core import areas
from qonys.core.errors import StudyError
from qonys.core.results import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import ibis

    from qonys.measures.history import Reading
    from qonys.studies.definition import Study

Tables = dict[str, "ibis.Table"]
READINGS: Mapping[str, Reading] = {"low": "certain", "high": "possible"}
"""The two readings of dates that are not known, by the end of the names of results."""


def needed(tables: Mapping[str, ibis.Table], question: str, *names: str) -> list[ibis.Table]:
    """The tables a question needs. Errors: StudyError naming the one that is absent."""
    for name in names:
        if name not in tables:
            raise StudyError(f"question {question!r} needs a table of the contract {name}", mend=f"add {name} = [...] under [tables]")
    return [tables[name] for name in names]


def collect(expression: ibis.Table, *order: str) -> pd.DataFrame:
    """The one step that brings a small table into memory, in a defined order."""
    frame = expression.order_by(*order).to_pandas()
    for column in frame.columns:
        if frame[column].dtype == object:
            frame[column] = [flat(value) if hasattr(value, "tolist") else value for value in frame[column]]
    return frame


def flat(value: object) -> list[str]:
    """Collected row names, however deep, as one sorted list."""
    if isinstance(value, str):
        return [value]
    return sorted({name for part in value for name in flat(part)}) if hasattr(value, "__iter__") else []


def inputs(table: str, rows: Iterable[object]) -> list[list[str]]:
    """The `inputs` column for rows that were each made from collected rows of one table."""
    return [addresses(table, flat(row)) for row in rows]


def study_areas(study: Study) -> list[str]:
    """The areas of a study, unions replaced by their members on the last day of its period."""
    unions = {area.code for area in areas.areas(scheme="union")}
    members = [member for code in study.areas for member in (areas.members(code, date(study.last, 12, 31)) if code in unions else (code,))]
    return list(dict.fromkeys(members))
