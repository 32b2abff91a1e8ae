"""How far apart two states' sets of measures are on a day, by what they are made of and not by an index of how strict they are.

A measure is taken apart into items: an item is one combination of the chosen facets, as instrument and target. A state's portfolio has of
each item the greatest dose in force (0 to 100; easing counts below zero). Two distances: Jaccard (1901), the share of the items of either
that are not of both; Gower (1971), the mean difference of doses over the range of each item, over the items that any state has. States
without any measure are alike: their distance is zero.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from qonys.convergence.evidence import Evidence
from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Facet = Literal["instrument", "targets", "field", "direction"]
Distance = Literal["gower", "jaccard"]
FEWEST_ISSUERS = 3


def portfolios(measures: pd.DataFrame, on: date, issuers: Sequence[str], *, by: Sequence[Facet] = get_args(Facet)) -> pd.DataFrame:
    """What each issuer had in force on a day -> issuers x items (columns named by their facets): the dose, zero where there is none.

    measures: the columns of `measures.spans` (begun, over, dose). Errors: DesignError for an unknown facet or no issuer.
    """
    for name in by:
        if name not in get_args(Facet):
            raise DesignError(f"measures have no facet {name!r}", mend=nearest(name, get_args(Facet)))
    if not by or not issuers:
        raise DesignError("a portfolio needs facets and issuers", mend="name one of each or more")
    mine = measures[measures["issuer"].isin(list(issuers)) & (measures["begun"] <= on) & (measures["over"] >= on)]
    rows = []
    for one in mine.to_dict("records"):
        dose = one["dose"] if one["direction"] == "tightening" else -one["dose"]
        choices = [list(one[name]) if isinstance(one[name], list | tuple | np.ndarray) else [one[name]] for name in by]
        rows += [(one["issuer"], " ".join(item), dose) for item in itertools.product(*choices)]
    items = pd.DataFrame(rows, columns=["issuer", "item", "dose"])
    # of several measures of one item the one that weighs most, be it easing or tightening
    strongest = items.assign(size=items["dose"].abs()).sort_values(["size", "dose"]).drop_duplicates(["issuer", "item"], keep="last")
    wide = strongest.pivot(index="issuer", columns="item", values="dose").reindex(sorted(set(issuers)))
    found: pd.DataFrame = wide.astype(float).fillna(0.0)
    return found


def distances(held: pd.DataFrame, method: Distance = "gower", *, span: pd.Series | None = None) -> pd.DataFrame:
    """Distances of all pairs, 0 to 1 -> a square table by issuer.

    held: as `portfolios` gives it. span: the range of each item for Gower's distance, by default that found in `held`; an item without
    range tells nothing apart. Errors: DesignError for no such method.
    """
    values = held.to_numpy()
    if method == "jaccard":
        has = (values != 0).astype(float)
        both = has @ has.T
        either = has.sum(axis=1)[:, None] + has.sum(axis=1)[None, :] - both
        found = 1 - np.divide(both, either, out=np.ones_like(both), where=either > 0)
    elif method == "gower":
        width = (held.max() - held.min() if span is None else span).to_numpy()
        scaled = values / np.where(width > 0, width, 1.0)
        # of one day the items that anybody has, of several days those that anybody ever had: else few items would look like great distances
        items = max(int((values != 0).any(axis=0).sum()) if span is None else len(width), 1)
        found = np.abs(scaled[:, None, :] - scaled[None, :, :]).sum(axis=2) / items
    else:
        raise DesignError(f"there is no distance {method!r}", mend=nearest(method, get_args(Distance)))
    return pd.DataFrame(found, index=held.index, columns=held.index)


def distances_on(
    measures: pd.DataFrame, days: Sequence[date], issuers: Sequence[str], *, by: Sequence[Facet] = get_args(Facet),
    method: Distance = "gower",
) -> dict[date, pd.DataFrame]:  # fmt: skip
    """Distances of all pairs on each day (see `distances`), comparable between days.

    Gower's ranges are those of all the days, so that a day on which all do little is not stretched to one on which all do much.
    """
    held = {day: portfolios(measures, day, issuers, by=by) for day in days}
    items = sorted(set().union(*(one.columns for one in held.values())))
    wide = {day: one.reindex(columns=items, fill_value=0.0) for day, one in held.items()}
    stacked = pd.concat(list(wide.values()))
    span = stacked.max() - stacked.min()
    return {day: distances(one, method, span=span) for day, one in wide.items()}


def mean_distance(tables: Mapping[date, pd.DataFrame], *, reference: str | None = None) -> tuple[Evidence, pd.DataFrame]:
    """The mean distance of all pairs on each day, with that without each issuer; and period (ISO day), issuer, distance (its mean to the
    others), to_reference (its distance to one more issuer of the tables, as the union whose acts are the common ones; missing without).

    tables: as `distances_on` gives them. Errors: DesignError for fewer than FEWEST_ISSUERS issuers beside the reference.
    """
    own = sorted(set(next(iter(tables.values())).index) - {reference})
    if len(own) < FEWEST_ISSUERS:
        raise DesignError(f"{len(own)} issuers are too few for a mean distance", mend=f"name {FEWEST_ISSUERS} or more")
    value, without, parts, number = [], [], [], len(own)
    for day, table in tables.items():
        square = table.loc[own, own].to_numpy()
        value.append(square.sum() / (number * (number - 1)))
        without.append((square.sum() - 2 * square.sum(axis=1)) / ((number - 1) * (number - 2)))
        apart = table.loc[own, reference].to_numpy() if reference else np.full(number, np.nan)
        parts.append(
            pd.DataFrame({"period": day.isoformat(), "issuer": own, "distance": square.sum(axis=1) / (number - 1), "to_reference": apart})
        )
    periods = tuple(day.isoformat() for day in tables)
    return Evidence("distance", periods, tuple(own), np.array(value), np.array(without).T), pd.concat(parts, ignore_index=True)


def neighbours(table: pd.DataFrame, number: int = 3) -> pd.DataFrame:
    """The nearest others of each issuer -> issuer, place (1 the nearest), other, distance; equal distances by the alphabet."""
    rows = []
    for issuer in table.index:
        near = table.loc[issuer].drop(issuer).reset_index().set_axis(["other", "distance"], axis=1).sort_values(["distance", "other"])
        rows += [(issuer, place, one.other, one.distance) for place, one in enumerate(near.head(number).itertuples(), start=1)]
    return pd.DataFrame(rows, columns=["issuer", "place", "other", "distance"])


def policy_map(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Maps of the issuers at successive times -> for each time issuer, x, y, and `shown`, the share of the squared distances the map shows.

    Classical scaling (Torgerson 1952) of each table of distances. Such a map may be turned and mirrored at will, so each is turned and
    mirrored onto the one before it (orthogonal Procrustes, Schoenemann 1966): what moves are the issuers and not the paper.
    """
    maps: list[pd.DataFrame] = []
    before: pd.DataFrame | None = None
    for table in tables:
        points, shown = _scaled(table.to_numpy())
        here = pd.DataFrame(points, index=table.index, columns=["x", "y"])
        if before is not None:
            shared = here.index.intersection(before.index)
            left, _, right = np.linalg.svd(here.loc[shared].to_numpy().T @ before.loc[shared].to_numpy())
            here = pd.DataFrame(points @ (left @ right), index=table.index, columns=["x", "y"])
        before = here
        maps.append(here.rename_axis("issuer").reset_index().assign(shown=shown))
    return maps


def _scaled(table: Floats) -> tuple[Floats, float]:
    number = len(table)
    centre = np.eye(number) - 1 / number
    inner = -0.5 * centre @ table**2 @ centre
    value, vector = np.linalg.eigh(inner)
    order = np.argsort(-value)[:2]
    points = np.zeros((number, 2))
    kept = np.maximum(value[order], 0.0)
    points[:, : len(order)] = vector[:, order] * np.sqrt(kept)
    # of the two ends of an axis the one that the first issuer lies on is positive: the first map is always drawn alike
    points *= np.where(points[0] < 0, -1.0, 1.0)
    total = np.maximum(value, 0.0).sum()
    return points, float(kept.sum() / total) if total > 0 else 1.0
