"""The register's own indices: how much an issuer restricts, and how much it supports, on each day, and which measures make it so.

    value(issuer, day) = sum over categories of weight x greatest dose of the measures in force that mean the category / sum of weights

The greatest, not the sum: a second measure of the same strength adds nothing, so an issuer is not stricter for being better documented.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import ibis
import pandas as pd
from ibis import _

from qonys.core.errors import RegisterError, nearest
from qonys.measures.codebook import STRONGEST, codebook
from qonys.measures.history import Reading, spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

By = Literal["all", "category", "field"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterIndex:
    """An index of the register: which direction it counts, and the weight of each category of people."""

    name: str
    direction: str
    weights: Mapping[str, float]


@cache
def register_indices() -> Mapping[str, RegisterIndex]:
    """The indices that ship with the package, by name: restriction and support."""
    return read_register_indices(files("qonys").joinpath("data", "indices", "qonys.toml").read_text(encoding="utf-8"), file="qonys.toml")


def read_register_indices(text: str, *, file: str) -> Mapping[str, RegisterIndex]:
    """The indices of a file. Errors: RegisterError for text that is not TOML, an unknown direction or category, a weight that is none."""
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"{file} is not valid TOML: {error}", mend="correct that line") from None
    found = {}
    for name, one in facts.get("index", {}).items():
        where = f"{file}, index {name}"
        if one.get("direction") not in ("tightening", "easing"):
            raise RegisterError(f"{where} has direction = {one.get('direction')!r}", mend="write tightening or easing")
        weights = one.get("weights", {})
        for category, weight in weights.items():
            if category not in codebook()["category"]:
                raise RegisterError(f"{where} weighs {category!r}, which is no category", mend=nearest(category, codebook()["category"]))
            if not isinstance(weight, int | float) or not weight >= 0:
                raise RegisterError(f"{where} gives {category} the weight {weight!r}", mend="give a number, zero or more")
        if not sum(weights.values()) > 0:
            raise RegisterError(f"{where} weighs no category", mend="give [index.NAME.weights] with a category of the codebook")
        found[name] = RegisterIndex(name=name, direction=one["direction"], weights=weights)
    if not found:
        raise RegisterError(f"{file} holds no index", mend="add [index.NAME]")
    return found


def register_index(name: str) -> RegisterIndex:
    """A shipped index by name. Errors: RegisterError naming the nearest."""
    known = register_indices()
    if name not in known:
        raise RegisterError(f"no index of the register is called {name!r}", mend=nearest(name, known))
    return known[name]


def daily_index(
    measures: ibis.Table, days: ibis.Table, issuers: Sequence[str], which: RegisterIndex, *, reading: Reading, by: By = "all"
) -> ibis.Table:
    """An index for every issuer and day -> issuer, day, part, value (0-100), measure_ids (sorted; those that count, empty where none).

    measures: the contract with bounds; days: a table with `day`; issuers: those the register was read for. part: `all`; by category the
    greatest dose in that category, so that the index is their weighted mean; by field the index of the measures of that field alone.
    """
    counted = _cells(spans(measures, reading=reading).filter(_.direction == which.direction, _.issuer.isin(list(issuers))), which)
    part = {"all": ibis.literal("all"), "category": counted.category, "field": counted.field}[by]
    force = counted.mutate(part=part).join(days.select("day").distinct(), [_.begun <= days.day, _.over >= days.day])
    cells = force.group_by("issuer", "day", "part", "category").agg(dose=_.dose.max(), weight=_.weight.max())
    total = ibis.literal(1.0) if by == "category" else ibis.literal(float(sum(which.weights.values())))
    weight = ibis.literal(1.0) if by == "category" else cells.weight
    value = cells.group_by("issuer", "day", "part").agg(value=(cells.dose * weight).sum() / total)
    ids = force.group_by("issuer", "day", "part").agg(measure_ids=_.id.collect(distinct=True).sort())
    keys = ["issuer", "day", "part"]
    found = value.join(ids, keys)
    grid = _grid(days, issuers, _parts(which, by))
    other = found.rename({f"_{key}": key for key in keys})
    whole = grid.left_join(other, [grid[key] == other[f"_{key}"] for key in keys]).drop(*(f"_{key}" for key in keys))
    return whole.mutate(value=_.value.fill_null(0.0)).select("issuer", "day", "part", "value", "measure_ids")


def _parts(which: RegisterIndex, by: By) -> list[str]:
    return {"all": ["all"], "category": sorted(which.weights), "field": sorted(codebook()["field"])}[by]


def _grid(days: ibis.Table, issuers: Sequence[str], parts: Sequence[str]) -> ibis.Table:
    pairs = pd.DataFrame([(issuer, part) for issuer in sorted(set(issuers)) for part in parts], columns=["issuer", "part"])
    return days.select("day").distinct().cross_join(ibis.memtable(pairs)).select("issuer", "day", "part")


def _cells(force: ibis.Table, which: RegisterIndex) -> ibis.Table:
    """Each measure once for each category it means -> issuer, id, field, category, weight, begun, over, dose (a part: half a step less)."""
    meant = force.mutate(target=_.targets.unnest()).join(ibis.memtable(meanings(which)), "target")
    return meant.group_by("issuer", "id", "field", "category", "weight", "begun", "over").agg(
        dose=(100 * (_.strength - ibis.ifelse(_.general & ~_.part, 0.0, 0.5)) / STRONGEST).max()
    )


def meanings(which: RegisterIndex) -> pd.DataFrame:
    """Which category a target means, in whole or in part, with the category's weight -> target, category, part, weight."""
    rows = [
        (target, category, part == "part", float(weight))
        for category, weight in which.weights.items()
        for part in ("whole", "part")
        for target in codebook()["category"][category][part]
    ]
    return pd.DataFrame(rows, columns=["target", "category", "part", "weight"])
