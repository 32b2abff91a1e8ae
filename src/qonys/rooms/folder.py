"""A room's results in one folder: its inputs, tables as Parquet and one workbook, pictures as SVG, the answer as text, and the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.run import InputFile, OutputTable, Run
from qonys.store.snapshots import sha256
from qonys.store.tables import whole_file, write_table, write_text, write_workbook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kept:
    """What was written: the folder, and the run."""

    folder: Path
    run: Run


def keep(
    folder: Path, room: str, *, parameters: Mapping[str, Any], inputs: Iterable[tuple[Path, str]], tables: Mapping[str, pd.DataFrame],
    pictures: Mapping[str, str], sentences: Iterable[str],
) -> Kept:  # fmt: skip
    """Write inputs/, tables/NAME.parquet, tables.xlsx, figures/NAME.svg, answer.txt and run.json. inputs: files with what they are.

    The same input gives the same bytes.
    """
    outputs = []
    full = {name: frame for name, frame in tables.items() if len(frame.columns)}
    for name, frame in full.items():
        path = folder / "tables" / f"{name}.parquet"
        write_table(frame, path)
        outputs.append(OutputTable(name, len(frame), sha256(path), {}))
    with whole_file(folder / "tables.xlsx") as draft:
        write_workbook(full, draft)
    for name, svg in pictures.items():
        write_text(svg, folder / "figures" / f"{name}.svg")
    write_text("\n\n".join(sentences) + "\n", folder / "answer.txt")
    inputs = list(inputs)
    for path, _ in inputs:
        with whole_file(folder / "inputs" / path.name) as copy:
            copy.write_bytes(path.read_bytes())
    files = tuple(InputFile(f"file@{sha256(path)[:12]}", path.name, sha256(path), kind, 0, 0) for path, kind in inputs)
    run = Run(room, dict(parameters), files, tuple(outputs))
    write_text(run.to_json(), folder / "run.json")
    return Kept(folder, run)
