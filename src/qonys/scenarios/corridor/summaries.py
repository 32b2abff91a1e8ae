"""A plan in the few tables that a picture or a report needs: who went which way, who was home by when, when borders were closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from qonys.scenarios.corridor.definition import Corridor
    from qonys.scenarios.corridor.plan import Plan


def ways(found: Plan) -> pd.DataFrame:
    """origin, destination, citizenship, persons: of each leg between two places over the whole plan, by citizenship."""
    legs = {leg.id: leg for leg in found.corridor.legs}
    whose = found.groups.set_index("group")["citizenship"]
    moved = pd.DataFrame(
        {
            "origin": [legs[leg].origin for leg in found.moves["leg"]],
            "destination": [legs[leg].destination for leg in found.moves["leg"]],
            "citizenship": found.moves["group"].map(whose).to_numpy(),
            "persons": found.moves["persons"].to_numpy(),
        }
    )
    return moved.groupby(["origin", "destination", "citizenship"], as_index=False)["persons"].sum()


def home_by_day(found: Plan) -> pd.DataFrame:
    """citizenship, day, persons (home by that day), share (of all of the citizenship, 0-1): of every day
    to the last on which somebody arrives."""
    whose = found.groups.set_index("group")["citizenship"]
    sizes = found.groups.groupby("citizenship")["persons"].sum().sort_values(ascending=False, kind="stable")
    last = found.home["day"].max() if len(found.home) else pd.Timestamp(found.corridor.first)
    every = pd.date_range(found.corridor.first, last)
    came = found.home.assign(citizenship=found.home["group"].map(whose)).groupby(["citizenship", "day"])["persons"].sum()
    parts = []
    for citizenship, size in sizes.items():
        own = came.loc[citizenship] if citizenship in came.index.get_level_values(0) else pd.Series(dtype=int)
        persons = own.reindex(every, fill_value=0).cumsum()
        counted = persons.to_numpy()
        parts.append(pd.DataFrame({"citizenship": citizenship, "day": every, "persons": counted, "share": counted / size}))
    return pd.concat(parts, ignore_index=True)


def closures(corridor: Corridor) -> pd.DataFrame:
    """border, first, last (days): the spells in which a border is closed."""
    rows = [(border.id, span.first, span.last) for border in corridor.borders for span in border.closed]
    return pd.DataFrame(rows, columns=["border", "first", "last"])
