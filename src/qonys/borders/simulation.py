"""Border files: a simulated border, batch by batch to Parquet, with its truth beside it if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from qonys.border.parameters import border_parameters, read_border_parameters
from qonys.border.simulate import TRUTH_SCHEMAS, simulate
from qonys.core.errors import DataError
from qonys.store.batches import write_batches
from qonys.store.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qonys.border.parameters import Parameters


@dataclass(frozen=True, slots=True)
class SimulatedFiles:
    """Rows of the crossings, and of each table of truth that was written."""

    crossings: int
    truth: dict[str, int]


def simulate_file(
    target: Path, *, people: int | None = None, crossings: int | None = None, seed: int = 0, parameters: Path | None = None,
    truth: Path | None = None, tell: Callable[[int], None] = lambda _: None,
) -> SimulatedFiles:  # fmt: skip
    """Crossings of a simulated border (see `border.simulate`) in a Parquet file; one batch of some ten thousand people stands in memory.

    people, crossings: how many, one of the two. truth: a folder for people, residence, migrations, aliases and records, as Parquet.
    tell: crossings so far. All files are written or none. The same parameters and seed give the same bytes,
    with the same versions of Arrow and NumPy.
    Errors: DataError for a target that is not Parquet or cannot be there, or a missing file of parameters; DesignError as in `simulate`.
    """
    paths = {"crossings": target} | ({name: truth / f"{name}.parquet" for name in TRUTH_SCHEMAS} if truth else {})
    if truth and target.resolve() in {path.resolve() for path in paths.values() if path is not target}:
        raise DataError(f"{target} is a table of the truth, too", mend="name another output")
    for path in paths.values():
        if path.is_dir() or (path.parent.exists() and not path.parent.is_dir()):
            raise DataError(
                f"{path} cannot be written: a {'folder' if path.is_dir() else 'file'} is in its way", mend="name another output"
            )
    batches = simulate(parameters_of(parameters), people=people, crossings=crossings, seed=seed)
    rows = write_batches((one.tables() for one in batches), paths, progress=lambda name, done: tell(done) if name == "crossings" else None)
    return SimulatedFiles(rows.pop("crossings"), rows)


def parameters_of(file: Path | None) -> Parameters:
    """The parameters of a file, by default those that ship. Errors: DataError if it is missing; DesignError if it is wrong."""
    if file is None:
        return border_parameters()
    text = read_text(file, mend="begin with the shipped one: qonys border simulate --show-parameters")
    return read_border_parameters(text, file=file.name)


def shipped_parameters() -> str:
    """The shipped file of parameters, to be edited."""
    return files("qonys").joinpath("data/border_simulation.toml").read_text(encoding="utf-8")
