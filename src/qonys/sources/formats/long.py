"""Long tables: one cell a row, columns of text. Which column plays which part is said once; each block then becomes a staged batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from qonys.sources.formats.cells import GAPS, numbers, periods
from qonys.sources.staged import batch, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qonys.sources.staged import Faults

TEXT = pa.string()


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which column of a file is what. Keys of dimensions and attributes are our names, values the file's.

    period, value, flag, unit, note: columns of the file, or None. coded: columns (ours) that hold "code: label", whose label goes to
    `<name>_label`. gaps: marks that stand for no value. decimal: sign of the fraction. keyless: rows without value and with an empty
    dimension are no cells but attributes of a part of the table. action: column of SDMX's action, whose D says that a cell is withdrawn.
    """

    dimensions: Mapping[str, str]
    value: str
    period: str | None = None
    flag: str | None = None
    unit: str | None = None
    note: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    coded: frozenset[str] = frozenset()
    gaps: frozenset[str] = GAPS
    decimal: str = "."
    keyless: bool = False
    action: str | None = None

    @property
    def schema(self) -> pa.Schema:
        """The staged columns."""
        labels = [f"{name}_label" for name in (*self.dimensions, *self.attributes) if name in self.coded]
        return schema(tuple(self.dimensions), (*self.attributes, *labels))


def long_batch(
    block: Mapping[str, pa.Array], rows: int, roles: Roles, of: pa.Schema, faults: Faults, place: Callable[[int], str]
) -> pa.RecordBatch:
    """A block of text columns as a staged batch. Rows whose value is neither number nor gap go to the faults.

    block: columns of the file by name; place: the place of a row of the block, for the faults.
    """
    made: dict[str, pa.Array | str | None] = {}
    for name, column in (*roles.dimensions.items(), *roles.attributes.items()):
        cells = known(block[column])
        if name in roles.coded:
            cells, made[f"{name}_label"] = halves(cells)
        made[name] = cells
    cells = pc.fill_null(block[roles.value], "")
    found = numbers(cells, roles.gaps, decimal=roles.decimal)
    made["value"] = found.value
    flag = known(block[roles.flag]) if roles.flag else None
    if flag is not None and "flag" in roles.coded:
        flag = halves(flag)[0]
    empty = found.mark.null_count == rows
    made["flag"] = flag if empty else found.mark if flag is None else pc.coalesce(flag, found.mark)
    if roles.period is not None:
        made["period"], made["period_as_published"] = periods(known(block[roles.period]))
    for name, column_of in (("unit", roles.unit), ("note", roles.note)):
        if column_of and name not in made:
            text = known(block[column_of])
            made[name] = halves(text)[0] if name in roles.coded else text
    out = batch(made, of, rows)
    refused = [(found.wrong, "is neither a number nor a gap")] if found.wrong is not None else []
    if roles.action:
        refused.insert(0, (pc.equal(pc.utf8_upper(block[roles.action]), "D"), "is withdrawn (action D) and no observation"))
    if roles.keyless and roles.dimensions:
        missing = pc.is_null(made[next(iter(roles.dimensions))])
        for name in roles.dimensions:
            missing = pc.or_(missing, pc.is_null(made[name]))
        refused.append((pc.and_(pc.is_null(found.value), missing), "has no value and no full key: it describes a part of the table"))
    bad = None
    for wrong, why in refused:
        fresh = wrong if bad is None else pc.and_not(wrong, bad)
        for row in pc.indices_nonzero(fresh).to_pylist():
            faults.add(place(row), roles.value, cells[row].as_py(), why)
        bad = fresh if bad is None else pc.or_(bad, fresh)
    return out if bad is None or not pc.any(bad, min_count=0).as_py() else out.filter(pc.invert(bad))


def known(cells: pa.Array) -> pa.Array:
    """Text trimmed, empty text missing."""
    text = pc.utf8_trim_whitespace(cells.cast(TEXT))
    blank = pc.equal(text, "")
    return pc.if_else(blank, pa.scalar(None, TEXT), text) if pc.any(blank, min_count=0).as_py() else text


def halves(cells: pa.Array) -> tuple[pa.Array, pa.Array]:
    """ "A: Annual" as code and label; text without a colon is a code without label."""
    coded = cells.dictionary_encode()
    pairs = [("", "", "") if one is None else one.partition(":") for one in coded.dictionary.to_pylist()]
    code = pa.array([first.strip() for first, _, _ in pairs], TEXT)
    label = pa.array([last.strip() or None for _, _, last in pairs], TEXT)
    return code.take(coded.indices), label.take(coded.indices)
