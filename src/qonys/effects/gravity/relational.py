"""The same fit over an Ibis table of any size: the engine reads and streams, compact columns and group sums find the coefficients.

What is done: the values of each column of effects and clusters are listed by the engine (a group by); the table is streamed once, in
Arrow batches, into numbers (single precision wherever it loses nothing, as for 0 and 1, years, counts); then the passes of the in-memory
fit run over them. It is not an iteration in SQL: no query plan grows, and the columns have to fit in memory: 30 million rows with three
effects and three 0/1 regressors took 2.3 GB at the peak; a regressor that needs double precision takes 8 bytes a row more there.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.errors import DesignError, nearest
from qonys.effects.gravity.clusters import together
from qonys.effects.gravity.ppml import MOST, TOLERANCE, Effect, Gravity, columns_of, fit_of, missing, result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import ibis

    from qonys.effects.gravity.panel import Codes, Floats

BATCH = 1_000_000


def ppml_table(
    table: ibis.Table,
    outcome: str,
    regressors: Sequence[str],
    effects: Sequence[Effect] = (),
    *,
    cluster: Sequence[Effect] = (),
    tolerance: float = TOLERANCE,
    most: int = MOST,
) -> Gravity:
    """`ppml` of an Ibis table: the same coefficients, errors and refusals; columns and options as there.

    Rows left out are counted from 0 in the order in which the engine gives them, and `fitted` is empty: ask for rows in memory to have it.
    Errors: DesignError as in `ppml`; the row of a gap is counted likewise.
    """
    keys = columns_of([*effects, *cluster])
    for one in [outcome, *regressors, *keys]:
        if one not in table.columns:
            raise DesignError(f"the table has no column {one!r}", mend=nearest(one, table.columns))
    rows = int(table.count().to_pyarrow().as_py())
    if not rows:
        raise DesignError("the table has no rows", mend="give rows with flows")
    values = {one: table.select(one).distinct().order_by(one).to_pyarrow()[one].combine_chunks() for one in keys}
    codes: dict[str, Codes] = {one: np.empty(rows, dtype=np.int32) for one in keys}
    x, y = columns(table, outcome, regressors, values, codes, rows)
    made = {effect: code_of(effect, codes) for effect in dict.fromkeys([*effects, *cluster])}
    del codes
    given = [x, y]
    del x, y
    fit = fit_of([made[one] for one in effects], given, outcome, tolerance=tolerance, most=most)
    left_out = pd.DataFrame(
        {"row": np.r_[fit.zero, fit.separated], "why": ["zero group"] * len(fit.zero) + ["separated"] * len(fit.separated)}
    )
    return result(
        fit, outcome, regressors, effects, [made[one] for one in effects], cluster, [made[one] for one in cluster], left_out,
        pd.Series(dtype=float, name="fitted"),
    )  # fmt: skip


def columns(
    table: ibis.Table, outcome: str, regressors: Sequence[str], values: dict[str, pa.Array], codes: dict[str, Codes], rows: int
) -> tuple[Floats, Floats]:
    """Regressors and outcome as numbers, and `codes` filled, in one stream over the table."""
    y = np.empty(rows)
    kind: type[np.floating] = np.float32
    x = np.empty((rows, len(regressors)), dtype=kind)
    place = 0
    for batch in batches(table.select(outcome, *regressors, *values)):
        end = place + batch.num_rows
        y[place:end] = filled(batch, outcome, place)
        if (y[place:end] < 0).any():
            raise DesignError(
                f"{outcome} is below zero in row {place + int(np.argmax(y[place:end] < 0))}", mend="a flow is zero or more: mend the row"
            )
        for column, name in enumerate(regressors):
            own = filled(batch, name, place)
            if kind is np.float32 and not (own.astype(np.float32) == own).all():
                kind, x = np.float64, x.astype(np.float64)  # from here on at full length: what came before was held without loss
            x[place:end, column] = own
        for name, known in values.items():
            if batch[name].null_count:
                raise missing(name, place + int(np.argmax(batch[name].is_null().to_numpy(zero_copy_only=False))))
            codes[name][place:end] = pc.index_in(batch[name], value_set=known).to_numpy(zero_copy_only=False)
        place = end
    short: Floats = y.astype(np.float32)
    return x, short if (short == y).all() else y


def batches(table: ibis.Table) -> Iterator[pa.RecordBatch]:
    """The table in Arrow batches."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fetch_record_batch", DeprecationWarning)  # ibis calls DuckDB by a name that is being replaced
        yield from table.to_pyarrow_batches(chunk_size=BATCH)


def filled(batch: pa.RecordBatch, name: str, place: int) -> Floats:
    """A column of a batch as numbers. Errors: DesignError for gaps and for what is no number."""
    try:
        own: Floats = pc.cast(batch[name], pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as fault:
        raise DesignError(f"{name} holds what is not a number", mend="give numbers, as 0 and 1 for no and yes") from fault
    if not np.isfinite(own).all():
        raise missing(name, place + int(np.argmax(~np.isfinite(own))))
    return own


def code_of(effect: Effect, codes: dict[str, Codes]) -> Codes:
    """Numbers of the groups of an effect, by row."""
    names = columns_of([effect])
    return together([codes[one] for one in names])[0] if len(names) > 1 else codes[names[0]]
