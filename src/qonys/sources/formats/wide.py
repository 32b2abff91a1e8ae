"""Delimited files with a column for each of many things: each column of values becomes rows, named by the column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from qonys.sources.formats.cells import numbers, periods
from qonys.sources.formats.delimited import blocks
from qonys.sources.formats.long import known
from qonys.sources.formats.opening import name_of
from qonys.sources.staged import Faults, batch, schema, staged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qonys.sources.formats.delimited import Look
    from qonys.sources.formats.opening import Source
    from qonys.sources.staged import Staged


def stage_wide(
    source: Source,
    seen: Look,
    *,
    dimensions: Mapping[str, str],
    values: Sequence[str],
    named: str,
    period: str | None = None,
    attributes: Mapping[str, str] | None = None,
    text: str | None = None,
    gaps: frozenset[str] = frozenset(("",)),
) -> Staged:
    """A wide file as a staged table: a row for each of `values` in each line, columns after one another in each block.

    dimensions, attributes: our name -> column. named: the dimension that holds the name of the column. period: a column.
    text: an attribute for cells that are words and no numbers, as published; without it such a cell is a fault.
    """
    faults = Faults(name_of(source))
    attributes = dict(attributes or {})
    of = schema((*dimensions, named), (*attributes, *((text,) if text else ())))

    def made() -> Iterator[pa.RecordBatch]:
        for block, place in blocks(source, seen, faults):
            columns = dict(zip(seen.names, block.columns, strict=True))
            shared = {name: known(columns[column]) for name, column in (*dimensions.items(), *attributes.items())}
            if period is not None:
                shared["period"], shared["period_as_published"] = periods(known(columns[period]))
            for column in values:
                found = numbers(pc.fill_null(columns[column], ""), gaps, decimal=seen.decimal)
                rows = shared | {named: column, "value": found.value, "flag": found.mark}
                if text is not None:
                    rows[text] = pc.if_else(found.wrong, known(columns[column]), None) if found.wrong is not None else None
                out = batch(rows, of, block.num_rows)
                if text is None and found.wrong is not None:
                    for row in pc.indices_nonzero(found.wrong).to_pylist():
                        faults.add(place(row), column, columns[column][row].as_py(), "is neither a number nor a gap")
                    out = out.filter(pc.invert(found.wrong))
                if out.num_rows:
                    yield out

    return staged(made(), of=of, dimensions=(*dimensions, named), faults=faults)
