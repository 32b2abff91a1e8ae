"""JSON-stat 2.0 datasets (and the bundles of 1.x): values as a list or sparse by position, a status for each cell.

Format: json-stat.org/full. The libraries for it (pyjstat 2.4, jsonstat.py) have not been kept since 2017-2022 and lose the status.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.errors import SourceError
from qonys.sources.formats.cells import Numbers, numbers
from qonys.sources.formats.cube import Cube, Dimension
from qonys.sources.formats.opening import JSON, decoded, name_of, whole
from qonys.sources.staged import Faults, Staged, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qonys.sources.formats.opening import Source

ROWS = 100_000
GAP = frozenset((":", ".", "..", "...", "-", "NaN"))


def stage_jsonstat(source: Source) -> Staged:
    """A dataset as a staged table: dimensions with their labels, the cell, its status as flag, its unit.

    A list gives a row for each cell, null being a gap; a sparse object only for the positions that have a value or a status: the others are
    not published. `updated` is the vintage; notes of the dataset are notes of the table.
    Errors: SourceError for what is no JSON, no dataset, several datasets, or values that do not fit the sizes.
    """
    file = name_of(source)
    dataset = _dataset(_read(source, file), file)
    cube = _cube(dataset, file)
    values, status = dataset.get("value"), dataset.get("status")
    if isinstance(values, list) and len(values) != cube.cells:
        raise SourceError(f"{file} has {len(values)} values for {cube.cells} cells", mend="pull it again; the reply may be cut")
    if not isinstance(values, list | dict):
        raise SourceError(f"{file} has no values", mend="ask the publisher for the dataset with its values")
    faults = Faults(file)
    notes = [str(one) for one in dataset.get("note") or []]
    updated = str(dataset.get("updated") or "")[:10] or None
    return staged(_batches(cube, values, status, faults), of=cube.schema, dimensions=cube.keys, faults=faults, vintage=updated, notes=notes)


def _read(source: Source, file: str) -> dict[str, Any]:
    try:
        read = json.loads(decoded(whole(source, largest=JSON)))
    except (ValueError, RecursionError) as wrong:
        raise SourceError(f"{file} is no whole JSON: {str(wrong)[:120]}", mend="pull it again; the kept bytes show what came") from None
    if not isinstance(read, dict):
        raise SourceError(f"{file} is JSON, but no JSON-stat", mend="write a mapping for the file")
    return read


def _dataset(read: dict[str, Any], file: str) -> dict[str, Any]:
    """The dataset of a reply: itself, the only one of a bundle (1.x) or of a collection."""
    if "value" in read and "dimension" in read:
        return read
    if said := read.get("error") or read.get("warning"):
        raise SourceError(
            f"{file} holds a message of the service: {json.dumps(said, ensure_ascii=False)[:200]}", mend="check dataset and filters"
        )
    if read.get("class") == "collection":
        items = (read.get("link") or {}).get("item") or []
        inside = [item for item in items if isinstance(item, dict) and "value" in item]
    else:
        items = [one for one in read.values() if isinstance(one, dict) and "dimension" in one]
        inside = [one for one in items if "value" in one]
    if len(inside) != 1:
        what = f"{len(inside)} datasets" if inside else f"a collection of {len(items)} addresses" if items else "no dataset"
        raise SourceError(f"{file} holds {what}", mend="ask for one dataset of class 'dataset'")
    return dict(inside[0])


def _cube(dataset: dict[str, Any], file: str) -> Cube:
    dimension = dataset["dimension"]
    names = dataset.get("id") or dimension.get("id") or []
    sizes = dataset.get("size") or dimension.get("size") or []
    role = dataset.get("role") or dimension.get("role") or {}
    if len(names) != len(sizes) or not all(name in dimension for name in names):
        raise SourceError(f"{file} names dimensions {names} with sizes {sizes} that it does not describe", mend="pull it again")
    made = []
    for name, size in zip(names, sizes, strict=True):
        category = dimension[name].get("category") or {}
        labels, index = category.get("label") or {}, category.get("index")
        if isinstance(index, dict) and all(isinstance(place, int) for place in index.values()):
            codes = sorted(index, key=lambda code: index[code])
        else:
            codes = list(index) if index is not None else list(labels)
        if len(codes) != size:
            raise SourceError(f"{file}: the dimension {name!r} has {len(codes)} codes, its size is {size}", mend="pull it again")
        units = category.get("unit") or {}
        made.append(
            Dimension(
                name=name,
                codes=tuple(str(code) for code in codes),
                labels=tuple(str(labels[code]) if code in labels else None for code in codes) if labels else (),
                units=tuple(_unit(units.get(code)) for code in codes) if units else (),
            )
        )
    time = next(iter(role.get("time") or ()), None)
    return Cube(made, file=file, time=time)


def _unit(said: dict[str, Any] | None) -> str | None:
    return None if not said else str(said.get("label") or said.get("base") or said.get("symbol") or "") or None


def _batches(cube: Cube, values: list[Any] | dict[str, Any], status: Any, faults: Faults) -> Iterator[pa.RecordBatch]:
    if isinstance(values, dict):
        keys = set(values) | (set(status) if isinstance(status, dict) else set())
        wrong = sorted(key for key in keys if not (re.fullmatch(r"0|[1-9]\d{0,18}", key, re.ASCII) and int(key) < cube.cells))
        for key in wrong:
            faults.add(f"value {key}", "value", values.get(key), f"is no position of the {cube.cells} cells")
        positions = np.array(sorted(int(key) for key in keys.difference(wrong)), dtype=np.int64)
    else:
        positions = np.arange(cube.cells, dtype=np.int64)
    for start in range(0, len(positions), ROWS):
        some = positions[start : start + ROWS]
        cells = [values.get(str(at)) for at in some.tolist()] if isinstance(values, dict) else values[start : start + ROWS]
        found = _numbers(cells)
        flag = pc.coalesce(pa.array([_flag(status, at) for at in some.tolist()], pa.string()), found.mark) if status else found.mark
        bad = np.zeros(len(cells), bool) if found.wrong is None else found.wrong.to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(bad).tolist():
            faults.add(cube.place(int(some[row])), "value", cells[row], "is neither a number nor a gap")
        made = cube.rows(some, {"value": found.value, "flag": flag})
        if bad.any():
            made = made.filter(pa.array(~bad))
        if made.num_rows:
            yield made


def _numbers(cells: list[Any]) -> Numbers:
    if not any(isinstance(cell, str | bool | list | dict) for cell in cells):
        values = pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
        return Numbers(values, pa.nulls(len(cells), pa.string()), None)
    text = ["" if cell is None else cell if isinstance(cell, str) else json.dumps(cell) for cell in cells]
    return numbers(pa.array(text, pa.string()), GAP)


def _flag(status: Any, at: int) -> str | None:
    """The status of a cell: one for all, a list, or an object by position."""
    if isinstance(status, str):
        return status
    said = status.get(str(at)) if isinstance(status, dict) else status[at] if at < len(status) else None
    return None if said in (None, "") else str(said)
