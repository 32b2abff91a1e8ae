"""Two coders: where their codes differ, how far they agree beyond chance, and with which odds a third would have coded otherwise.

The first coding is the register itself, the second a table of codes without words. An adjudicator's version settles a difference and
is no coding of its own: agreement is measured between what the two coders wrote, and does not rise because somebody decided.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qonys.core.contracts import DIRECTIONS, MEASURE
from qonys.core.errors import RegisterError, nearest
from qonys.measures.codebook import STRONGEST, codebook
from qonys.measures.reliability import Metric, alpha, same_number

CODED = ("targets", "field", "instrument", "direction", "strength", "general", "level")
METRICS: dict[str, tuple[Metric, ...]] = {
    "targets": ("set",), "field": ("nominal",), "instrument": ("nominal",), "direction": ("nominal", "ordinal"),
    "strength": ("nominal", "ordinal"), "general": ("nominal",), "level": ("nominal", "ordinal"),
}  # fmt: skip
ORDERED = {"direction": ("tightening", "neutral", "easing"), "level": ("regional", "national", "union", "global")}
ADJUDICATOR = "adjudicator"  # a coder whose name ends so has decided between two others


def read_coding(text: str, *, file: str) -> pd.DataFrame:
    """The second coding, a CSV file: id, coder and the coded columns, targets separated by spaces -> the same as text.

    Errors: RegisterError naming file, row and column: a column that is absent, an id given twice, a code outside the codebook.
    """
    wanted = ("id", *CODED, "coder")
    try:
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    except csv.Error as error:
        raise RegisterError(f"{file} is no CSV table: {error}", mend=f"write the columns {', '.join(wanted)}") from None
    for column in wanted:
        if not rows or column not in rows[0]:
            raise RegisterError(f"{file} has no column {column}", mend=f"its columns are {', '.join(wanted)}")
    seen: set[str] = set()
    for place, row in enumerate(rows, start=2):
        for column in wanted:
            code = row[column] or ""
            for one in code.split() if column == "targets" else [code]:
                if (allowed := _allowed(column)) and one and one not in allowed:
                    raise RegisterError(f"{file}, row {place}, column {column} has {one!r}", mend=nearest(one, allowed))
        if not row["id"] or row["id"] in seen:
            what = f"has the id {row['id']!r}, which is given before" if row["id"] else "has no id"
            raise RegisterError(f"{file}, row {place} {what}", mend="give each entry one row")
        seen.add(row["id"])
    return pd.DataFrame(rows, columns=list(wanted)).replace("", None).astype("string")


def _allowed(column: str) -> tuple[str, ...]:
    if column == "strength":
        return tuple(str(step) for step in range(1, STRONGEST + 1))
    if column == "general":
        return ("true", "false")
    part = {"targets": "target"}.get(column, column)
    return tuple(codebook()[part]) if part in ("target", "field", "instrument", "level") else MEASURE.column(column).allowed


def coded(measures: pd.DataFrame) -> pd.DataFrame:
    """The coding of one coder: of each entry the latest version that no adjudicator wrote.

    measures: the contract as read or as typed, or the table of `read_coding` -> id (index), title, coder and the coded columns as text,
    targets in the order of the alphabet; null where a code is missing.
    """
    own = measures[~_by_adjudicator(measures)]
    return _as_codes(_latest(own))


def coded_once(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Entries that only one of the two coded -> id, title, coder, in the order of the ids."""
    one, other = coded(first), coded(second)
    alone = pd.concat([one[~one.index.isin(other.index)], other[~other.index.isin(one.index)]])
    return alone[["title", "coder"]].rename_axis("id").reset_index().sort_values("id", ignore_index=True)


def disagreements(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Where two coders differ: a row for each entry and column that both coded, with differing codes.

    -> id, title, column, first, second, first_coder, second_coder, settled: the code an adjudicator put in place of the first coder's;
    null where the first coder's code stands.
    """
    one, other, decided = coded(first), coded(second), _as_codes(_decided(first))
    both = [name for name in one.index if name in other.index]
    rows = [
        {"id": name, "title": one.at[name, "title"], "column": column, "first": one.at[name, column], "second": other.at[name, column],
         "first_coder": one.at[name, "coder"], "second_coder": other.at[name, "coder"],
         "settled": decided.at[name, column] if name in decided.index and _differ(one.at[name, column], decided.at[name, column]) else None}
        for name in sorted(both) for column in CODED if _differ(one.at[name, column], other.at[name, column])
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "title", "column", "first", "second", "first_coder", "second_coder", "settled"])


def agreement(first: pd.DataFrame, second: pd.DataFrame, *, draws: int = 1000, seed: int = 2026) -> pd.DataFrame:
    """How far two coders agree on each coded column.

    -> column, metric, units (entries both coded), alpha, low, high, agreeing (share of units with the same code, 0-1), reason (null, or
    why alpha is not defined). Steps of strength are compared where both chose the same direction: each direction has its own scale.
    """
    one, other = coded(first), coded(second)
    both = one.index.intersection(other.index)
    rows = []
    for column, metrics in METRICS.items():
        pair = pd.DataFrame({"first": one.loc[both, column], "second": other.loc[both, column]}).dropna()
        if column == "strength":
            pair = pair[(one.loc[pair.index, "direction"] == other.loc[pair.index, "direction"]).fillna(False)]
        agreeing = float((pair["first"] == pair["second"]).mean()) if len(pair) else None
        for metric in metrics:
            ranks = {code: rank for rank, code in enumerate(ORDERED.get(column, ()))}
            ranked = pair.map(ranks.get) if metric == "ordinal" and ranks else pair
            found = alpha(ranked, metric, draws=draws, seed=seed)
            rows.append(
                {"column": column, "metric": metric, "units": found.units, "alpha": found.value, "low": found.low, "high": found.high,
                 "agreeing": agreeing, "reason": found.reason}
            )  # fmt: skip
    return pd.DataFrame(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """With which probability another coder gives the code `drawn` where the register has a given one; over `drawn` they add up to 1.

    strength: direction, strength, drawn, probability; general: direction, general, drawn (booleans), probability;
    direction: direction, drawn, probability.
    """

    strength: pd.DataFrame
    general: pd.DataFrame
    direction: pd.DataFrame


def confusion(first: pd.DataFrame, second: pd.DataFrame) -> Confusion:
    """The noise of coding, to be drawn from, out of the entries both coded.

    Neither coder is the truth, so every entry counts from both sides: n(a, b) is how often one gave a and the other b. The probability
    of b for a is (n(a, b) + 1/2) / sum over b of (n(a, b) + 1/2); the half keeps a confusion that never happened possible, and gives a code
    that nobody used every outcome with the same odds. Strength and general are counted where both chose the same direction.
    """
    one, other = coded(first), coded(second)
    both = one.index.intersection(other.index)
    one, other = one.loc[both], other.loc[both]
    strengths, generals = [], []
    for direction in DIRECTIONS:
        same = (one["direction"].eq(direction) & other["direction"].eq(direction)).fillna(False)
        table = _odds(one.loc[same, "strength"], other.loc[same, "strength"], [str(step) for step in range(1, STRONGEST + 1)])
        strengths.append(table.astype({"given": "int64", "drawn": "int64"}).assign(direction=direction))
        table = _odds(one.loc[same, "general"], other.loc[same, "general"], ["true", "false"])
        generals.append(table.assign(given=table["given"] == "true", drawn=table["drawn"] == "true", direction=direction))
    directions = _odds(one["direction"], other["direction"], list(DIRECTIONS))
    order = ["direction", "given", "drawn", "probability"]
    return Confusion(
        strength=pd.concat(strengths, ignore_index=True)[order].rename(columns={"given": "strength"}),
        general=pd.concat(generals, ignore_index=True)[order].rename(columns={"given": "general"}),
        direction=directions.rename(columns={"given": "direction"}),
    )


def _odds(one: pd.Series, other: pd.Series, codes: list[str]) -> pd.DataFrame:
    counts = pd.crosstab(one, other).reindex(index=codes, columns=codes, fill_value=0).to_numpy(dtype="float64")
    smoothed = counts + counts.T + 0.5
    odds = smoothed / smoothed.sum(axis=1, keepdims=True)
    rows = [(given, drawn, odds[i, j]) for i, given in enumerate(codes) for j, drawn in enumerate(codes)]
    return pd.DataFrame(rows, columns=["given", "drawn", "probability"])


def _by_adjudicator(measures: pd.DataFrame) -> pd.Series:
    return measures["coder"].astype("string").str.endswith(ADJUDICATOR).fillna(False).astype(bool)


def _latest(measures: pd.DataFrame) -> pd.DataFrame:
    version = pd.to_numeric(measures["version"]).fillna(1) if "version" in measures else pd.Series(1, index=measures.index)
    return measures.assign(_version=version).sort_values(["id", "_version"], kind="stable").drop_duplicates("id", keep="last")


def _decided(measures: pd.DataFrame) -> pd.DataFrame:
    """Entries whose version that stands is an adjudicator's."""
    standing = _latest(measures)
    return standing[_by_adjudicator(standing)]


def _as_codes(entries: pd.DataFrame) -> pd.DataFrame:
    columns = {column: [as_text(value, column) for value in entries[column]] for column in ("coder", *CODED)}
    titles = entries["title"] if "title" in entries else pd.Series(None, index=entries.index, dtype="string")
    frame = pd.DataFrame({"title": titles.to_numpy(), **columns}, index=pd.Index(entries["id"].astype("string"), name="id"))
    return frame.astype("string")


def as_text(value: Any, column: str) -> str | None:
    """One cell of a register as text, the same from a frame of text and from a typed table: lists by the alphabet, null for a gap."""
    if isinstance(value, list | tuple | np.ndarray):
        return " ".join(sorted({str(part) for part in value})) or None
    if value is None or value is pd.NA or value is pd.NaT or value != value or value == "":
        return None
    kind = MEASURE.column(column).kind
    if kind in ("codes", "areas"):
        return " ".join(sorted(set(str(value).split())))
    if kind == "boolean":
        return str(value).lower()
    if kind in ("integer", "number"):
        return same_number(value)
    return str(value)[:10] if kind == "date" else str(value)


def _differ(one: Any, other: Any) -> bool:
    return bool(pd.notna(one) and pd.notna(other) and one != other)
