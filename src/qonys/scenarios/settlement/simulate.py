"""Households that arrive over a year and regions that contest them: made up, seeded, for tests, docs and comparisons."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError

SKILLS = ("farm", "industry", "care", "office")
SLACK = 1.05  # places for each person expected


def simulate_arrivals(n: int, regions: int = 8, *, seed: int, year: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A made-up year of `n` households and `regions` regions -> households, regions, values, in the columns that `needs` reads.

    Every fourth region is a city, with a third of the places in all: work there suits every skill a little better, and only there are a
    hospital and schools in a third language. The others suit one skill in particular. A quarter of the households needs a language or
    a hospital that few regions have; the others can go anywhere and mostly like the city best. Who comes first is chance.
    values: retention (log odds of skill and region, and of the pair), employment.
    Errors: DesignError for fewer than one household or two regions.
    """
    if n < 1 or regions < 2:
        raise DesignError(f"{n} households and {regions} regions make no choice", mend="give 1 household or more and 2 regions or more")
    rng = np.random.default_rng([seed, 1 + year])
    liked = np.random.default_rng(seed).normal(0, 0.2, regions)
    place = np.arange(regions)
    city = place % 4 == 0
    members = np.minimum(1 + rng.poisson(2.4, n), 10)
    workers = np.minimum(members, 1 + rng.binomial(1, 0.4, n))
    children = rng.binomial(members - workers, 0.6)
    skill = rng.choice(len(SKILLS), n, p=[0.3, 0.3, 0.2, 0.2])
    language = rng.choice(["a", "b", "c"], n, p=[0.55, 0.2, 0.25])
    hospital = rng.random(n) < 0.1
    days = np.sort(rng.integers(0, 365, n))
    households = pd.DataFrame({
        "household_id": [f"h{number:05d}" for number in range(n)],
        "members": members, "workers": workers, "children_school": children, "skill": np.array(SKILLS)[skill],
        "language": language, "needs_hospital": hospital.astype(int),
        "arrived_on": pd.Timestamp("2022-01-01") + pd.to_timedelta(days, unit="D"),
    })  # fmt: skip
    weight = np.where(city, 0.35 / city.sum(), 0.65 / (~city).sum())
    expected = {"places": n * 3.4, "school_places": n * 1.2}
    # places are spread by weight, the work of a town mostly of its own skill
    suits = place % len(SKILLS)
    table: dict[str, Any] = {"region": [f"r{number:02d}" for number in place]}
    table |= {name: np.ceil(SLACK * weight * total).astype(int) for name, total in expected.items()}
    for number, (name, share) in enumerate(zip(SKILLS, (0.3, 0.3, 0.2, 0.2), strict=True)):
        own = np.where(city, 1.0, np.where(suits == number, 2.0, 0.6))
        table[f"jobs_{name}"] = np.ceil(n * 1.4 * share * weight * own).astype(int)
    table["school_languages"] = np.where(city, "a;b;c", np.where(place % 2 == 0, "a;b", "a"))
    table["has_hospital"] = city.astype(int)
    odds = 0.4 + liked + 0.9 * city + np.where(~city & (suits == skill[:, None]), 0.8, 0.0)
    retention = 1 / (1 + np.exp(-(odds + rng.normal(0, 0.4, (n, regions)))))
    employment = 1 / (1 + np.exp(-(odds - 0.8 + rng.normal(0, 0.4, (n, regions)))))
    pairs = pd.DataFrame(product(households["household_id"], table["region"]), columns=["household_id", "region"])
    values = pairs.assign(retention=retention.reshape(-1).round(4), employment=employment.reshape(-1).round(4))
    return households, pd.DataFrame(table), values
