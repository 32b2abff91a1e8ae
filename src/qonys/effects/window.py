"""One channel of the substitution battery: its declaration, and its table as units x periods before and in the window."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KINDS = ("direct", "place", "category", "time_before", "time_after", "return", "irregular")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A table in which people displaced by a measure may show up, and which of its units the measure may have sent them to.

    name: one of KINDS. table: unit, period ("2020-03", "2020-Q1" or "2020"), value (persons), and the column of clusters if there is one.
    exposed: unit -> weight, 0-1; for treated units 1, for other destinations their `ties`; units of the table without a weight, or with
    0, are the comparison. window, before: first and last period, both included; `before` gives the level and ends before the window and
    before the measure was announced. Errors: DesignError for an unknown name, a weight outside 0-1, or windows out of order.
    """

    name: str
    table: pd.DataFrame
    exposed: Mapping[str, float]
    window: tuple[str, str]
    before: tuple[str, str]

    def __post_init__(self) -> None:
        if self.name not in KINDS:
            raise DesignError(f"there is no channel {self.name!r}", mend=nearest(self.name, KINDS))
        for unit, weight in self.exposed.items():
            if not 0 <= weight <= 1:
                raise DesignError(f"the channel {self.name} gives {unit} the weight {weight}", mend="give weights from 0 to 1")
        if not self.before[0] <= self.before[1] < self.window[0] <= self.window[1]:
            periods = f"{' to '.join(self.before)} before, {' to '.join(self.window)} in the window"
            raise DesignError(
                f"the channel {self.name} has the periods {periods}",
                mend="give the first and the last of each, those before ending before the window begins",
            )


def timing(direct: Channel, *, announced: str, until: str) -> dict[str, Channel | None]:
    """The two channels of time of a direct effect: the rush from `announced` to the start, the backlog from the end to `until`.

    They count the same units in the same table against the same level, so direct, rush and backlog add up to the total from `announced`
    to `until`. None where there is no period between. Errors: DesignError where `before` reaches into the rush.
    """
    if direct.before[1] >= announced:
        raise DesignError(
            f"the periods before end in {direct.before[1]}, the measure was announced in {announced}",
            mend="end them before the announcement, or the rush counts as the usual level",
        )
    periods = sorted(set(direct.table["period"].astype(str)))
    early = [period for period in periods if announced <= period < direct.window[0]]
    late = [period for period in periods if direct.window[1] < period <= until]
    return {
        name: replace(direct, name=name, window=(inside[0], inside[-1])) if inside else None
        for name, inside in (("time_before", early), ("time_after", late))
    }


@dataclass(frozen=True, slots=True)
class Cut:
    """A channel as arrays. units, clusters, weight: by unit; early: units x periods before; late: units x periods of the window."""

    units: tuple[str, ...]
    clusters: tuple[str, ...]
    weight: Floats
    early: Floats
    late: Floats
    seasons: tuple[tuple[str, ...], tuple[str, ...]]  # of the periods before and of the window
    left_out: tuple[tuple[str, str], ...]  # unit, why (code)

    @property
    def level(self) -> Floats:
        """Persons of each unit in a window like this one, by its own periods before."""
        share = _shares(*self.seasons, self.matched, np.zeros(len(self.seasons[0]), dtype=bool))
        assert share is not None
        level: Floats = self.early @ share
        return level

    @property
    def matched(self) -> bool:
        """Whether every season of the window is there twice before, so that like is compared with like."""
        early, late = self.seasons
        return all(early.count(season) > 1 for season in late)

    def placebos(self) -> Iterator[tuple[Floats, Floats]]:
        """Level and count of each unit in windows of the same length laid at every period before, going round at the end."""
        early, late = self.seasons
        many = len(early)
        for start in range(many):
            inside = (start + np.arange(len(late))) % many
            taken = np.zeros(many, dtype=bool)
            taken[inside] = True
            share = _shares(early, tuple(early[place] for place in inside), self.matched, taken)
            level = np.full(len(self.units), np.nan) if share is None else self.early @ share
            yield level, self.early[:, inside].sum(axis=1)


def cut(channel: Channel, cluster: str = "unit", *, without: Collection[str] = ()) -> Cut:
    """The table of a channel between its two periods; units with a gap there, and those in `without`, are left out and named.

    Errors: DesignError where a column, a period or a comparison is not there, a figure is below zero, or a unit has two in a period.
    """
    table, name = channel.table, channel.name
    if lacking := {"unit", "period", "value", cluster} - set(table.columns):
        raise DesignError(
            f"the table of {name} has no column {', '.join(sorted(lacking))}", mend="give unit, period, value and the cluster"
        )
    table = table.assign(unit=table["unit"].astype(str), period=table["period"].astype(str))
    if not pd.api.types.is_numeric_dtype(table["value"]):
        raise DesignError(f"the table of {name} has values that are no numbers", mend="write persons as numbers, and a gap as missing")
    if (twice := table.duplicated(["unit", "period"])).any():
        row = table[twice].iloc[0]
        raise DesignError(f"{row['unit']} has two values in {row['period']} in the table of {name}", mend="add them up, or leave one out")
    if (table["value"] < 0).any():
        raise DesignError(f"the table of {name} holds a figure below zero", mend="give counts, not differences of counts")
    itself = sorted(set(table["unit"]) & set(without))
    table = table[~table["unit"].isin(itself)]
    wide = table.pivot(index="unit", columns="period", values="value").sort_index().sort_index(axis=1).astype(float)
    early, late = (_between(wide, name, *ends) for ends in (channel.before, channel.window))
    whole = early.notna().all(axis=1) & late.notna().all(axis=1)
    left_out = [(str(unit), "gap") for unit in wide.index[~whole]]
    left_out += [
        (unit, "not_in_table") for unit, weight in sorted(channel.exposed.items()) if weight > 0 and unit not in {*wide.index, *itself}
    ]
    left_out += [(unit, "treated_itself") for unit in itself]
    units = tuple(map(str, wide.index[whole]))
    groups = table.groupby("unit")[cluster].agg(["first", "nunique"]) if cluster != "unit" else None
    if groups is not None and (groups["nunique"] != 1).any():
        raise DesignError(
            f"{groups.index[groups['nunique'] != 1][0]} is not in one {cluster} in the table of {name}", mend="give each unit one cluster"
        )
    return Cut(
        units,
        units if groups is None else tuple(groups.loc[list(units), "first"].astype(str)),
        np.array([float(channel.exposed.get(unit, 0.0)) for unit in units]),
        early[whole].to_numpy(),
        late[whole].to_numpy(),
        (tuple(period[4:] for period in early), tuple(period[4:] for period in late)),
        tuple(left_out),
    )


def _between(wide: pd.DataFrame, name: str, first: str, last: str) -> pd.DataFrame:
    inside: pd.DataFrame = wide.loc[:, (wide.columns >= first) & (wide.columns <= last)]
    for end in (first, last):
        if end not in wide.columns:
            raise DesignError(f"the table of {name} has no period {end}", mend="give a table that reaches so far, or other periods")
    places = [_place(period, name) for period in inside]
    if places != list(range(places[0], places[0] + len(places))):
        raise DesignError(f"the table of {name} lacks a period between {first} and {last}", mend="add it, or choose other periods")
    return inside


def _place(period: str, name: str) -> int:
    """Months, quarters or years since the year 0, so that the next period is one more."""
    if not (found := re.fullmatch(r"(\d{4})(?:-?(Q?)(\d{1,2}))?", period)):
        raise DesignError(f"the table of {name} has the period {period!r}", mend="write 2020-03, 2020-Q1 or 2020")
    year, quarter, part = found.groups()
    return int(year) if part is None else int(year) * (4 if quarter else 12) + int(part)


def _shares(early: Sequence[str], late: Sequence[str], matched: bool, without: NDArray[np.bool_]) -> Floats | None:
    """Weight of each period before, adding up to the length of the window; None where a season is nowhere else."""
    seasons = np.array(early)
    share = np.zeros(len(early))
    for season in late:
        like = ~without & (seasons == season) if matched else ~without
        if not like.any():
            return None
        share += like / like.sum()
    return share
