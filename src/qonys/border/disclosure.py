"""Disclosure control of counts made from crossings: on by default, the same cell shown with the same value wherever it is shown.

Two methods. `cell_key` adds a little noise that hangs on who is in the cell: every person has a random number that never changes (the
record key), the numbers of a cell are summed (the cell key), and the sum picks the noise from a table (`noise`). So the same people give
the same value in every table, repeating a query gives nothing new, and totals, perturbed on their own, do not add up exactly.
`suppression` leaves small counts out, and as many others as it takes to keep the small ones from being worked out (`suppression`).

References: Fraser and Wooton (2005), A proposed method for confidentialising tabular output to protect against differencing; Thompson,
Broadfoot and Elazar (2013), Methodology for the automatic confidentialisation of statistical outputs from remote servers at the Australian
Bureau of Statistics; Giessing and Tent (2019), as in `noise`.
"""

from __future__ import annotations

import functools
import itertools
import operator
from typing import TYPE_CHECKING, Literal, get_args

import ibis
import numpy as np
import pandas as pd

from qonys.border.noise import KEYS, NoiseTable, noise_table
from qonys.border.suppression import grid, suppressed
from qonys.core.errors import DataError, DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir
    from numpy.typing import NDArray

Method = Literal["cell_key", "suppression", "none"]
CELL_KEY = "cell_key"  # column of the sums of record keys
DISCLOSURE = "disclosure"  # column that says what was done
SUMMED = "summed"  # column that names what a margin is summed over
THRESHOLD = 10  # counts below it are small
_LETTERS = "0123456789abcdef"


def record_key(person_id: ir.StringValue) -> ir.IntegerValue:
    """A person's random number from 0 to 2**32 - 1: the first eight letters of the MD5 of the id, as a number. The same on every engine."""
    digest = person_id.hexdigest("md5")
    # through floating point, which holds 32 bits exactly: Spark finds places as integers of 32 bits with a sign, and overflows
    digits = [ibis.literal(_LETTERS).find(digest.substr(place, 1)).cast("float64") * 16 ** (7 - place) for place in range(8)]
    return functools.reduce(operator.add, digits).cast("int64")


def cell_key(person_id: ir.StringValue, *, where: ir.BooleanValue | None = None) -> ir.IntegerScalar:
    """The key of a cell: the sum of the record keys of its records, modulo 2**32. An aggregate, to stand beside the count.

    Sum what is counted: of persons each once, of events each event. `agg(persons=_.count(), cell_key=cell_key(_.person_id))`.
    where: the records that count; by default all.
    """
    return record_key(person_id).sum(where=where).fill_null(0) % KEYS


def protect(
    table: pd.DataFrame, *, method: Method = "cell_key", count: str = "persons", by: Sequence[str] | None = None, margins: bool = False,
    also: Sequence[str] = (), details: Sequence[str] = (), threshold: int = THRESHOLD, width: int | None = None,
    noise: NoiseTable | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The same table, fit to be published: counts protected, and a column `disclosure` that says how. The input is left as it is.

    table: a row a cell, its whole number of persons in `count`; for the method cell_key also `cell_key`, which is then gone: who knows it
    could undo the noise. by: the columns that name a cell; by default all not named otherwise. margins: add the totals over each of `by`,
    named in a column `summed`, protected as cells of their own. also: columns moved by the same noise, as bounds of the count. details:
    columns that describe the people of the cell, as a median; empty where the shown count is below `threshold`.

    cell_key: `noise`, by default at most 5 persons with variance 3, never showing 1 or 2; zeros stay zero, and the mean noise is zero.
    suppression: counts from 1 to `threshold` - 1 are empty, with as many others as needed so that from all that is shown, totals included
    whether asked for or not, no empty cell can be bounded closer than `width` (by default the threshold). One or two columns in `by`.
    none: nothing is changed, and `disclosure` says so.
    Errors: DesignError for an unknown method or parameters; DataError for a table without a column, with a cell twice, or no whole numbers.
    """
    if method not in get_args(Method):
        raise DesignError(f"there is no method of disclosure control {method!r}", mend=nearest(method, get_args(Method)))
    others = {count, CELL_KEY, *also, *details}
    names = [str(name) for name in table.columns if name not in others] if by is None else list(by)
    _check(table, count, names, [*also, *details], method)
    if threshold < 2 or (width is not None and width < 1):
        raise DesignError(
            f"a threshold of {threshold} and a width of {width} protect nobody", mend="give 2 or more, and a width of 1 or more"
        )
    cells = table.reset_index(drop=True)
    if method == "suppression":
        return _suppress(cells, count, names, also, details, margins, threshold, width or threshold)
    if margins:
        cells = _with_margins(cells, count, names)
    if method == "none":
        return _said(cells.drop(columns=CELL_KEY, errors="ignore"), "none")
    chosen = noise or noise_table()
    return _perturb(cells, count, also, details, threshold, chosen)


def _check(table: pd.DataFrame, count: str, by: Sequence[str], more: Sequence[str], method: Method) -> None:
    for name in (count, *by, *more):
        if name not in table.columns:
            raise DataError(f"the table has no column {name!r}", mend=nearest(name, map(str, table.columns)))
    if method == "cell_key" and CELL_KEY not in table.columns:
        raise DataError(
            "the table has no column 'cell_key', so its noise would differ from table to table",
            mend="sum the record keys beside the persons: cell_key=disclosure.cell_key(_.person_id), or use suppression",
        )
    if table[list(by)].astype(str).duplicated().any() if by else len(table) > 1:
        raise DataError(f"a cell of {', '.join(by) or 'the table'} stands twice", mend="sum the table first, or name all columns of a cell")
    for name, most in ((count, np.inf), *((CELL_KEY, KEYS - 1) for _ in range(method == "cell_key"))):
        values = pd.to_numeric(table[name], errors="coerce")
        wrong = ~((values >= 0) & (values <= most) & (values % 1 == 0)) & ~(table[name].isna() & (name == count))
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            raise DataError(
                f"row {place + 1}, column {name}: {table[name].iloc[place]!r} is no whole number from 0 on",
                mend="protect counts of persons before rates are made of them",
            )


def _perturb(
    cells: pd.DataFrame, count: str, also: Sequence[str], details: Sequence[str], threshold: int, table: NoiseTable
) -> pd.DataFrame:
    known = cells[count].notna().to_numpy()
    true = cells[count].fillna(0).astype("int64").to_numpy()
    noise = np.where(known, table.noise(true, cells[CELL_KEY].fillna(0).astype("int64").to_numpy()), 0)
    shown = true + noise
    out = cells.drop(columns=CELL_KEY)
    out[count] = pd.array(np.where(known, shown, 0), dtype="Int64")
    out.loc[~known, count] = pd.NA
    for name in also:
        out[name] = (pd.to_numeric(out[name], errors="coerce") + noise).clip(lower=0)
    for name in details:
        out[name] = out[name].where(pd.Series(shown >= threshold, index=out.index))
    return _said(out, f"cell_key maximum={table.maximum} variance={table.variance:g} hidden={table.hidden}")


def _suppress(
    cells: pd.DataFrame,
    count: str,
    by: Sequence[str],
    also: Sequence[str],
    details: Sequence[str],
    margins: bool,
    threshold: int,
    width: int,
) -> pd.DataFrame:
    if len(by) not in (1, 2):
        raise DesignError(
            f"suppression protects tables of one or two columns, not of {len(by)} ({', '.join(by)})",
            mend="name one or two in `by` and sum over the others, or use cell_key",
        )
    if cells[count].isna().any():
        raise DataError(f"the column {count} has gaps, so its totals are not known", mend="take those rows out first")
    places = [pd.factorize(cells[name], sort=True, use_na_sentinel=False) for name in by]
    counts = np.zeros([len(names) for _, names in places], dtype=np.int64)
    at = tuple(codes for codes, _ in places)
    counts[at] = cells[count].to_numpy().astype("int64")
    table = grid(counts)
    gaps = suppressed(table, threshold=threshold, width=width)
    mine = gaps[at] if len(by) == 2 else gaps[at[0], 0]
    if margins:
        cells = _with_margins(cells.drop(columns=CELL_KEY, errors="ignore"), count, by)
        # the cells, then the totals of columns, of rows and of all, as `_with_margins` lists them
        totals = [gaps[-1, :-1], gaps[:-1, -1], gaps[-1:, -1]] if len(by) == 2 else [gaps[-1:, 0]]
        mine = np.concatenate([mine, *totals])
    out = cells.drop(columns=CELL_KEY, errors="ignore")
    out[count] = pd.array(out[count].astype("int64"), dtype="Int64")
    out.loc[mine, count] = pd.NA
    for name in (*also, *details):
        out[name] = out[name].where(pd.Series(~mine, index=out.index))
    return _said(out, f"suppression threshold={threshold} width={width}")


def _with_margins(cells: pd.DataFrame, count: str, by: Sequence[str]) -> pd.DataFrame:
    """The cells, then their totals: over the first column, over the second, ..., over all. Keys are summed as persons are."""
    sums = [name for name in (count, CELL_KEY) if name in cells.columns]
    # a total has no value in the columns it is summed over: whole numbers must be able to be missing
    cells = cells.astype({name: "Int64" for name in by if pd.api.types.is_integer_dtype(cells[name])})
    parts = [cells.assign(**{SUMMED: ""})]
    for size in range(1, len(by) + 1):
        for over in itertools.combinations(by, size):
            kept = [name for name in by if name not in over]
            if kept:
                total = cells.groupby(kept, dropna=False, sort=True, observed=True)[sums].sum().reset_index()
            else:
                total = cells[sums].sum().to_frame().T.astype("int64")
            if CELL_KEY in sums:
                total[CELL_KEY] %= KEYS
            parts.append(total.assign(**{SUMMED: " ".join(over)}))
    return pd.concat(parts, ignore_index=True)


def _said(table: pd.DataFrame, what: str) -> pd.DataFrame:
    out = table.assign(**{DISCLOSURE: what})
    out.attrs[DISCLOSURE] = what
    return out


def keys_of(person_ids: Sequence[str]) -> NDArray[np.int64]:
    """The record keys of ids in memory: what `record_key` gives on an engine."""
    from hashlib import md5

    return np.array([int(md5(one.encode(), usedforsecurity=False).hexdigest()[:8], 16) for one in person_ids], dtype=np.int64)
