"""A room's results in one folder: its inputs, tables as Parquet and one workbook, pictures as SVG, the answer as text, and the run."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.errors import DataError
from qonys.core.run import InputFile, OutputTable, Run
from qonys.store.snapshots import sha256
from qonys.store.tables import whole_file, write_table, write_text, write_workbook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


DECLARED = (".toml", ".json")  # suffixes of what is declared, beside tables


@dataclass(frozen=True, slots=True)
class Kept:
    """What was written: the folder, and the run."""

    folder: Path
    run: Run


def check_folder(folder: Path | None) -> None:
    """See that results can be kept there, before anything is reckoned. Errors: DataError where a file stands in the way, or no right to."""
    if folder is None:
        return
    nearest = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not nearest.is_dir():
        raise DataError(f"{nearest} is a file, not a folder", mend="name another folder with --to")
    if not os.access(nearest, os.W_OK):
        raise DataError(f"nothing may be written to {nearest}", mend="name another folder with --to")


def keep(
    folder: Path, room: str, *, parameters: Mapping[str, Any], inputs: Iterable[tuple[Path, str]], tables: Mapping[str, pd.DataFrame],
    pictures: Mapping[str, str], sentences: Iterable[str],
) -> Kept:  # fmt: skip
    """Write inputs/, tables/NAME.parquet, tables.xlsx, figures/NAME.svg, answer.txt and run.json.

    inputs: files with what they are; tables among them are hashed and not copied. The same input gives the same bytes. What an earlier run
    in that folder lists and this one does not write is taken out.
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
    run = Run(room, dict(parameters), _copied(folder, inputs), tuple(outputs))
    if (folder / "run.json").is_file():
        before = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        for path in _stand(folder, before) - _stand(folder, asdict(run)):
            path.unlink(missing_ok=True)
    write_text(run.to_json(), folder / "run.json")
    return Kept(folder, run)


def _copied(folder: Path, inputs: Iterable[tuple[Path, str]]) -> tuple[InputFile, ...]:
    """What was declared, copied beside the results; of two files of one name the second is called by what it is too.

    Tables stay where they are, for they may hold records of persons: the run has their hash.
    """
    files: dict[str, InputFile] = {}
    for path, kind in inputs:
        name = path.name if path.name not in files else f"{kind}-{path.name}"
        digest = sha256(path)
        if path.suffix in DECLARED:
            content = path.read_bytes()
            with whole_file(folder / "inputs" / name) as draft:
                draft.write_bytes(content)
        files[name] = InputFile(f"file@{digest[:12]}", name, digest, kind, 0, 0)
    return tuple(files.values())


def _stand(folder: Path, run: dict[str, Any]) -> set[Path]:
    """Where the tables and inputs of a run stand."""
    tables = {folder / "tables" / f"{Path(one['name']).name}.parquet" for one in run["outputs"]}
    return tables | {folder / "inputs" / Path(one["file"]).name for one in run["inputs"]}
