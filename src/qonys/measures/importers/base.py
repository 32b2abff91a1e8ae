"""What every importer gives: measures, and for each row of the publisher's file what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
from ibis import _

from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

MEASURE, NO_MEASURE, QUARANTINED = "measure", "no_measure", "quarantined"


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of one import: lazy tables, nothing collected.

    measures: columns of the contract `measure`, as text or typed, one row a measure, and `rows`, how many rows of the file are behind it;
    fates: row (of the file), fate, why: each row of the file once. `measure`: it became one, or part of one; `no_measure`: it says that
    nothing was in force; `quarantined`: it could not be used, and `why` says so in a sentence.
    """

    measures: ibis.Table
    fates: ibis.Table

    def counts(self) -> ibis.Table:
        """How many rows met which fate -> fate, rows. The sum is the number of rows of the file."""
        return self.fates.group_by("fate").agg(rows=_.count())

    def quarantined(self, raw: ibis.Table) -> ibis.Table:
        """The rows that could not be used, as they were read, with `why` in front."""
        bad = self.fates.filter(_.fate == QUARANTINED).select("row", "why")
        joined = bad.join(raw, "row")
        return joined.select("why", *(name for name in raw.columns if name != "why")).order_by("row")


def need_columns(raw: ibis.Table, names: Iterable[str], *, file: str, publisher: str) -> None:
    """Refuse a file that lacks a column the importer reads. Errors: DataError naming the columns."""
    absent = [name for name in names if name not in raw.columns]
    if absent:
        raise DataError(
            f"{file} has no column {', '.join(map(repr, absent))}, so it is no file of {publisher}",
            mend="check the publisher's name and the file",
        )
