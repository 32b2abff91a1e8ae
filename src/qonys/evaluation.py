"""Effects on files: a design and its tables come in, the panel is made, and estimates go out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.core.errors import DesignError
from qonys.effects import Checks, Design, Effect, Panel, checks, estimate, fitting, least_effect, panel, read_design
from qonys.store import connect, read_raw
from qonys.store.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["evaluate", "open_design", "table_of"]


def open_design(path: Path) -> tuple[Design, Panel]:
    """A design file with its tables, joined. Errors: DesignError or DataError as sentences."""
    design = read_design(read_text(path), path.name)
    outcome, exposure = (table_of(path.parent / source.table) for source in (design.outcome, design.exposure))
    return design, panel(outcome, exposure, design)


def table_of(path: Path) -> pd.DataFrame:
    """A file as it lies: CSV, Parquet or XLSX. Errors: DesignError for lines that do not fit the header."""
    con = connect()
    raw, malformed = read_raw(con, path)
    if len(malformed):
        raise DesignError(f"{path.name}, row {malformed['row'].iloc[0]} does not fit the header", mend="mend the row")
    return con.to_pandas(raw.drop("row"))


def evaluate(design: Design, rows: Panel, estimator: str | None = None, *, draws: int = 50) -> tuple[Effect, Checks, float]:
    """The effect by an estimator (by default the first that fits), its checks, and the least effect the panel could have found.

    Errors: DesignError where none fits, or the one asked for does not.
    """
    if estimator is None:
        proposed = fitting(rows, design)
        if not proposed["fits"].any():
            raise DesignError("no estimator fits this design", mend="see `qonys effects check` for what it lacks")
        estimator = str(proposed.loc[proposed["fits"], "estimator"].iloc[0])
    effect = estimate(rows, design, estimator)
    return effect, checks(rows, design, effect, draws=draws), least_effect(rows, design)
