"""Who goes where: the table of origins and destinations of a period, cut to the largest areas and the rest, or to groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core import areas
from qonys.core.blocs import groups_of, shipped_division
from qonys.core.errors import DataError, DesignError
from qonys.core.periods import earliest, latest
from qonys.core.results import addresses
from qonys.flows.series import STATUS_ORDER
from qonys.registers import SHIPPED
from qonys.situation.figures import series_of
from qonys.situation.opened import remembered, rows_held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REST = "REST"
TOP = 12
_COLUMNS = ("origin", "destination", "persons", "share", "pairs", "missing", "inputs")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Moves between areas in a period.

    cells: origin, destination, persons (missing where no pair in it was published), share (of all moves between areas, 0-1), pairs (how
    many published pairs it sums), missing (how many were not published: they are unknown, not zero), inputs. Every pair of the areas shown
    is there but an area with itself; groups and the rest hold moves among their own. margins: area, inflow, outflow, net, turnover
    (persons, of the cells that are known), missing_in, missing_out (how many published pairs they lack), sorted by turnover. whole: persons
    in all cells. inside: persons whose move stayed in one area, left out. other: rows that were not used and why: `report` (another report
    of a pair), `aggregate` (a union, a group, or a country beside its regions). gap: null, or `no_pairs`: the table has no pair of areas in
    this period. sources: keys of the sources of what is told, where the table names them.
    """

    period: str
    cells: pd.DataFrame
    margins: pd.DataFrame
    whole: float
    inside: float
    other: pd.DataFrame
    gap: str | None
    sources: tuple[str, ...] = ()


def pair_periods(rows: pd.DataFrame) -> pd.DataFrame:
    """The periods for which a flow table has pairs of areas -> period_start, period_end, pairs, areas; the most pairs first."""
    own = _total(rows)
    own = own[(_aggregate(own) == "") & (own["origin"] != own["destination"])]
    spans = own.groupby(["period_start", "period_end"])
    found = spans.agg(pairs=("persons", "size"), origins=("origin", "unique"), destinations=("destination", "unique")).reset_index()
    found["areas"] = [len({*one.origins, *one.destinations}) for one in found.itertuples()]
    found = found.drop(columns=["origins", "destinations"])
    return found.sort_values(["pairs", "period_end"], ascending=[False, False], kind="stable", ignore_index=True)


@remembered
def pairs_of(
    period: str | int, *, top: int = TOP, group: str | Mapping[str, Sequence[str]] | None = None, country: str = "KAZ",
    tables: Sequence[str] = (SHIPPED,),
) -> Pairs:  # fmt: skip
    """Moves between the regions of a country in a year, a month, or the months "2022-01/2022-09", as published.

    Parameters and result as `pairs_in`. Where the publisher gives only what came to and left each region, there are no cells, the gap is
    `no_pairs`, and the margins are these arrivals and departures: nothing is made up between them.
    """
    regions = {one.code for one in areas.areas(scheme="iso3166-2") if one.parent == areas.area(country).code}
    rows = rows_held(tables)
    found = pairs_in(rows[rows["origin"].isin(regions) & rows["destination"].isin(regions)], period, top=top, group=group)
    if found.gap is None or not str(period).isdigit():
        return found
    published, sources = [], set()
    for region in sorted(regions):
        own = series_of(region, first=int(period), last=int(period), kinds=("in_migration", "out_migration"), tables=tables)
        own = own[own["chosen"].astype(bool) & own["value"].notna()]
        sides = dict(zip(own["kind"], own["value"], strict=True))
        sources |= set(own["source"].dropna())
        if len(sides) == 2:
            arrivals, departures = sides["in_migration"], sides["out_migration"]
            published.append((region, arrivals, departures, arrivals - departures, arrivals + departures, 0, 0))
    margins = pd.DataFrame(published, columns=list(found.margins.columns))
    margins = margins.sort_values(["turnover", "area"], ascending=[False, True], ignore_index=True)
    return replace(found, margins=margins, sources=tuple(sorted(sources)))


def pairs_in(rows: pd.DataFrame, period: str | int, *, top: int = TOP, group: str | Mapping[str, Sequence[str]] | None = None) -> Pairs:
    """The table of origins and destinations that a flow table holds for a period, summed over nothing but areas.

    rows: the contract `flow` (of it origin, destination, period_start, period_end, persons, and where there status, vintage, qualifier,
    row, sex, age, citizenship: only rows for all of them count). Of several reports of a pair the best is used, by the order of
    `qonys.flows`. period: a year, a month, or two of them ("2022-01/2022-09"), which a row must match from its first to its last day. top:
    the areas with the largest turnover that stay; the others are REST together. group: areas are summed by a shipped division (`schengen`),
    or by a mapping of group -> areas; areas in no group are `rest`. Groups and rest hold moves among their own, so that the cells always
    sum to all moves between areas. Errors: DataError for a period that is none, a table without the columns; DesignError for a top below 2,
    or an area in two groups.
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 2:
        raise DesignError(f"the table is to be cut to {top!r} areas", mend="give a whole number from 2")
    lacking = [name for name in ("origin", "destination", "period_start", "period_end", "persons") if name not in rows.columns]
    if lacking:
        raise DataError(f"the flow table has no column {', '.join(lacking)}", mend="give a table of the contract flow")
    start, stop = _span(period)
    begins, ends = (pd.to_datetime(rows[name]).dt.date for name in ("period_start", "period_end"))
    own = _total(rows[(begins == start) & (ends == stop)])
    aggregate = _aggregate(own)
    best, others = _best(own[aggregate == ""])
    other = pd.concat([others.assign(why="report"), own[aggregate != ""].assign(why="aggregate")])[
        ["origin", "destination", "persons", "why"]
    ]
    between = best[best["origin"] != best["destination"]]
    inside = float(best.loc[best["origin"] == best["destination"], "persons"].sum())
    there = sorted({*between["origin"], *between["destination"]})
    name = _names(between, there, top, group)
    cells = _cells(between, name)
    whole = float(between["persons"].sum())
    cells["share"] = cells["persons"] / whole if whole else float("nan")
    gap = None if len(between) else "no_pairs"
    sources = tuple(sorted(set(between["source"].dropna()))) if "source" in between else ()
    return Pairs(str(period), cells[list(_COLUMNS)], _margins(cells), whole, inside, other.reset_index(drop=True), gap, sources)


def _span(period: str | int) -> tuple[Any, Any]:
    first, _, last = str(period).partition("/")
    start, stop = earliest(first), latest(last or first)
    if start > stop:
        raise DataError(f"the period {period} ends before it begins", mend="write the earlier month first, as 2022-01/2022-09")
    return start, stop


def _total(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows for both sexes, all ages and citizenships."""
    parts = [name for name in ("sex", "age", "citizenship") if name in rows.columns]
    return rows[rows[parts].isna().all(axis=1)] if parts else rows


def _aggregate(rows: pd.DataFrame) -> pd.Series:
    """Which end of a row is no area of its own beside the others: a union, a group, or a country whose regions are in the table."""
    there = {code: areas.area(code) for code in {*rows["origin"], *rows["destination"]}}
    parents = {one.parent for one in there.values() if one.parent}
    sums = {code for code, one in there.items() if one.scheme in ("union", "group") or code in parents}
    return pd.Series(
        [" ".join(code for code in (one, other) if code in sums) for one, other in zip(rows["origin"], rows["destination"], strict=True)],
        index=rows.index, dtype=str,
    )  # fmt: skip


def _best(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The report of each pair that is used, and the others, by the order of `flows.annual_totals`."""
    order = {status: place for place, status in enumerate(STATUS_ORDER)}
    keyed = rows.assign(
        _status=rows["status"].map(order).fillna(len(order)) if "status" in rows else 0,
        _vintage=rows["vintage"].fillna("").astype(str) if "vintage" in rows else "",
        _exact=rows["qualifier"].fillna("exact") != "exact" if "qualifier" in rows else False,
        _row=rows["row"] if "row" in rows else range(len(rows)),
    ).sort_values(["_status", "_vintage", "_exact", "_row"], ascending=[True, False, True, True], kind="stable")
    again = keyed.duplicated(["origin", "destination"])
    return keyed[~again], keyed[again]


def _names(between: pd.DataFrame, there: list[str], top: int, group: str | Mapping[str, Sequence[str]] | None) -> dict[str, str]:
    """What each area stands under in the table shown."""
    name = {code: code for code in there}
    if group is not None:
        name = groups_of(shipped_division(group) if isinstance(group, str) else group, there)
    turnover = between.groupby(between["origin"].map(name))["persons"].sum().add(
        between.groupby(between["destination"].map(name))["persons"].sum(), fill_value=0
    )  # fmt: skip
    largest = turnover.rename_axis("code").reset_index(name="persons").sort_values(["persons", "code"], ascending=[False, True])["code"]
    # a rest of one would only hide a name
    keep = set(largest if len(largest) <= top + 1 else largest.head(top))
    return {code: shown if shown in keep else REST for code, shown in name.items()}


def _cells(between: pd.DataFrame, name: dict[str, str]) -> pd.DataFrame:
    """Every pair of the areas shown, in the order of the codes, the rest last."""
    own = between.assign(_from=between["origin"].map(name), _to=between["destination"].map(name))
    rows = own["row"] if "row" in own else pd.Series("", index=own.index)
    summed = own.assign(_row=rows).groupby(["_from", "_to"]).agg(persons=("persons", "sum"), pairs=("persons", "size"), rows=("_row", list))
    shown = sorted(set(name.values()), key=lambda code: (code == REST, code))
    size = pd.Series(list(name.values())).value_counts()
    found = []
    for origin in shown:
        for destination in shown:
            possible = int(size[origin] * size[destination]) - (int(size[origin]) if origin == destination else 0)
            if possible == 0:
                continue
            there_is = (origin, destination) in summed.index
            row = summed.loc[(origin, destination)] if there_is else None
            found.append({
                "origin": origin, "destination": destination, "persons": float(row["persons"]) if row is not None else float("nan"),
                "pairs": int(row["pairs"]) if row is not None else 0,
                "missing": possible - (int(row["pairs"]) if row is not None else 0),
                "inputs": addresses("flow", [place for place in row["rows"] if place]) if row is not None else [],
            })  # fmt: skip
    return pd.DataFrame(found, columns=[one for one in _COLUMNS if one != "share"]).astype({"persons": float})


def _margins(cells: pd.DataFrame) -> pd.DataFrame:
    """What is known to come to and leave each area; missing where nothing on that side is published."""
    rows = []
    for code in dict.fromkeys(cells["origin"]):
        sides = [cells.loc[cells[side] == code, "persons"].sum(min_count=1) for side in ("destination", "origin")]
        unknown = [int(cells.loc[cells[side] == code, "missing"].sum()) for side in ("destination", "origin")]
        rows.append((code, *sides, sides[0] - sides[1], sum(side for side in sides if side == side), *unknown))
    columns = ["area", "inflow", "outflow", "net", "turnover", "missing_in", "missing_out"]
    return pd.DataFrame(rows, columns=columns).sort_values(["turnover", "area"], ascending=[False, True], ignore_index=True)
