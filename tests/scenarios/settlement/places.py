"""Small placements for the tests of this folder."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from qonys.scenarios.settlement.needs import Needs, needs
from qonys.scenarios.settlement.placement import Placement, read_placement
from qonys.scenarios.settlement.simulate import simulate_arrivals

FORM = """
name = "north-2022"
households = "households.csv"
regions = "regions.csv"
objective = {objective}
{more}
[values]
table = "values.csv"
"""


def placement(objective: str = "{ retention = 1 }", more: str = "") -> Placement:
    return read_placement(FORM.format(objective=objective, more=more), "north.toml")


def households(**columns) -> pd.DataFrame:
    return pd.DataFrame({"household_id": ["h1", "h2", "h3"], "members": [2, 3, 4], **columns})


def regions(**columns) -> pd.DataFrame:
    return pd.DataFrame({"region": ["north", "south"], "places": [5, 5], **columns})


def values(people: pd.DataFrame, where: pd.DataFrame, **columns) -> pd.DataFrame:
    pairs = pd.DataFrame(product(people["household_id"], where["region"]), columns=["household_id", "region"])
    return pairs.assign(**(columns or {"retention": np.linspace(0.2, 0.9, len(pairs))}))


def simulated(
    n: int, regions: int, seed: int, *, year: int = 0, objective: str = "{ retention = 0.7, employment = 0.3 }", more: str = ""
) -> Needs:
    people, where, worth = simulate_arrivals(n, regions, seed=seed, year=year)
    return needs(people, where, placement(objective, more), values=worth)


@st.composite
def tiny(draw, most: int = 5) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Up to `most` households and 3 regions with places, school places and jobs."""
    n, r = draw(st.integers(1, most)), draw(st.integers(1, 3))
    whole = lambda low, high, size: draw(st.lists(st.integers(low, high), min_size=size, max_size=size))  # noqa: E731
    workers, children, others = whole(0, 2, n), whole(0, 2, n), whole(1, 2, n)
    people = pd.DataFrame({
        "household_id": [f"h{number}" for number in range(n)], "members": np.add(np.add(workers, children), others), "workers": workers,
        "children_school": children, "skill": draw(st.lists(st.sampled_from(["farm", "care"]), min_size=n, max_size=n)),
        "arrived_on": pd.Timestamp("2022-01-01"),
    })  # fmt: skip
    where = pd.DataFrame({
        "region": [f"r{number}" for number in range(r)], "places": whole(0, 9, r), "school_places": whole(0, 4, r),
        "jobs_farm": whole(0, 2, r), "jobs_care": whole(0, 2, r),
    })  # fmt: skip
    worth = values(people, where, retention=np.array(whole(0, 20, n * r)) / 20, employment=np.array(whole(0, 20, n * r)) / 20)
    return people, where, worth
