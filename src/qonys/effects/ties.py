"""How the people of one origin were spread over the other destinations before a measure: where they may go instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd


def ties(flows: pd.DataFrame, origin: str, destination: str) -> dict[str, float]:
    """Share of each other destination among the people of an origin who did not go to the treated one.

    flows: origin, destination, persons, of the periods before the measure only; the contracts `flow` (as it is) and `stock` (residence
    named destination, characteristic named origin) serve alike -> destination: tie, 0-1, in order, adding up to 1. Moves within the
    origin, the treated destination, and rows without a figure drop out.

        tie(d) = persons(origin, d) / sum of persons(origin, e) over e other than origin and destination

    Errors: DesignError where the origin is not in the table, nobody went elsewhere, or a figure is below zero.
    Source: the exposure shares of shift-share designs, Bartik (1991); Goldsmith-Pinkham, Sorkin and Swift (2020), AER 110(8).
    """
    own = flows[(flows["origin"] == origin) & flows["persons"].notna()]
    if own.empty:
        raise DesignError(f"the flows have no row with the origin {origin!r}", mend="give the flows of that origin before the measure")
    if (own["persons"] < 0).any():
        raise DesignError(f"the flows of {origin} hold a figure below zero", mend="give gross flows or stocks, not differences of stocks")
    other = own[~own["destination"].isin([origin, destination])].groupby("destination")["persons"].sum().sort_index()
    if not other.sum() > 0:
        raise DesignError(
            f"nobody of {origin} went anywhere but to {destination}", mend="give earlier flows, or stocks of the people of that origin"
        )
    return {str(name): float(share) for name, share in (other / other.sum()).items()}
