"""Did immigration fall more where entry was closed for more of the year?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.core.results import Measured, Result, addresses
from qonys.flows import annual_series
from qonys.measures import calendar, chosen, complete_panel, in_force, month_shares
from qonys.studies.tables import READINGS, Tables, collect, inputs, needed, study_areas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.studies.definition import Study

FEWEST = 8  # members with a dose or without: with fewer, errors by member say nothing


def response(tables: Tables, study: Study) -> list[Result]:
    """The response of immigration to the share of the year under the measures of the option `of`, under both readings of their dates.

    Members' immigrants a year on that share, with effects of members and of years (`effects.gravity.ppml`), errors by member: what is told
    is the difference between members closed for long and for short. Placebo: the doses of the year of shock given to the year before it.
    Beside it the same by year (`response_years`): the doses given to each year at once, against the year before the shock. Years before it
    should be about zero; where they drift, members that were closed for longer were on another path already.
    Options: of (see `measures.chosen`), year (the year of shock), first (the first year of the panel).
    """
    flow, measure = needed(tables, "response", "flow", "measure")
    year, first = study.option("response", "year"), study.option("response", "first")
    members = study_areas(study)
    flows = collect(annual_series(flow, members, first, year), "area", "year").dropna(subset=["inflow"])
    flows["inputs"] = inputs("flow", flows.pop("rows"))
    whole = flows.groupby("area")["year"].nunique()
    kept = sorted(whole[whole == year - first + 1].index)
    if len(kept) < 2 * FEWEST:
        raise DesignError(f"{len(kept)} members have immigrants in each year from {first} to {year}", mend="begin later, or add flows")
    flows = flows[flows["area"].isin(kept)]
    closed = chosen(measure, study.option("response", "of"))
    days = calendar(f"{year}-01", f"{year}-12")
    doses, rows = {}, collect(closed.select("issuer", "row"), "row")
    for suffix, reading in READINGS.items():
        shares = collect(month_shares(in_force(closed.filter(closed.issuer.isin(kept)), days, reading=reading)), "issuer", "month")
        panel = complete_panel(shares, kept, f"{year}-01", f"{year}-12", "share")
        doses[suffix] = panel.groupby("area")["share"].mean()
    by_member = _by_member(flows, doses, rows, year)
    fits = pd.DataFrame([_fit(flows, doses[suffix], suffix, year) for suffix in READINGS])
    behind = addresses("response_members", by_member["id"])
    fits["inputs"] = [behind] * len(fits)
    years = pd.concat([by_year(flows, doses[suffix], suffix, year) for suffix in READINGS], ignore_index=True)
    years["inputs"] = [behind] * len(years)
    earlier = years[years["event_time"].lt(0)]
    apart = earlier[earlier["low"].gt(0) | earlier["high"].lt(0)]
    for name, own in (("earlier", earlier.dropna(subset=["effect"])), ("apart", apart)):
        fits[name] = fits["id"].map(own.groupby("reading").size()).fillna(0).astype(int)
    percent = Measured(unit="percent", formula="ppml_response", decimals=0)
    by_years = Measured(unit="percent", formula="ppml_event_study", decimals=0)
    share = Measured(unit="percent", formula="days_in_force_by_days", decimals=0)
    persons = Measured(unit="persons_a_year", formula="as_published")
    change = Measured(unit="percent", formula="percent_change", decimals=0)
    names = ("effect", "low", "high", "placebo", "placebo_low", "placebo_high")
    count, periods = Measured(unit="members", formula="count"), Measured(unit="years", formula="count")
    measured = dict.fromkeys(names, percent) | dict.fromkeys(("areas", "closed"), count) | dict.fromkeys(("earlier", "apart"), periods)
    return [
        Result("response", fits, measured),
        Result("response_years", years, dict.fromkeys(names[:3], by_years)),
        Result("response_members", by_member, {"certain": share, "possible": share, "before": persons, "shock": persons, "change": change}),
    ]


def _by_member(flows: pd.DataFrame, doses: dict[str, pd.Series], rows: pd.DataFrame, year: int) -> pd.DataFrame:
    wide = flows.pivot(index="area", columns="year", values="inflow")
    own = rows.groupby("issuer")["row"].agg(list).to_dict()
    behind = flows[flows["year"] >= year - 1].groupby("area")["inputs"].agg(lambda parts: sorted({one for part in parts for one in part}))
    table = pd.DataFrame(
        {
            "area": wide.index,
            "certain": 100 * doses["low"].reindex(wide.index).to_numpy(),
            "possible": 100 * doses["high"].reindex(wide.index).to_numpy(),
            "before": wide[year - 1].to_numpy(),
            "shock": wide[year].to_numpy(),
        }
    )
    table["change"] = 100 * (table["shock"] / table["before"] - 1)
    table.insert(0, "id", table["area"])
    # a member without an entry is walked back to all of them: it says that none is of this member
    table["inputs"] = [[*behind[area], *addresses("measure", own.get(area) or sorted(rows["row"]))] for area in table["area"]]
    return table


def _fit(flows: pd.DataFrame, dose: pd.Series, suffix: str, year: int) -> dict[str, object]:
    """The change in percent that a whole year of closure goes with, and the same for the year before, which had none."""
    row: dict[str, object] = {"id": suffix, "areas": flows["area"].nunique(), "closed": int((dose > 0).sum())}
    for name, panel, shock in (("", flows, year), ("placebo_", flows[flows["year"] < year], year - 1)):
        value, low, high = _changes(panel, dose, [shock])[0]
        row |= {name.rstrip("_") or "effect": value, f"{name}low": low, f"{name}high": high}
    return row


def by_year(flows: pd.DataFrame, dose: pd.Series, suffix: str, year: int) -> pd.DataFrame:
    """The event study: in each year the change that a whole year of closure in the year of shock goes with, against the year before it."""
    years = [one for one in sorted(flows["year"].unique()) if one != year - 1]
    table = pd.DataFrame(_changes(flows, dose, years), columns=["effect", "low", "high"])
    return table.assign(id=[f"{suffix}_{one}" for one in years], reading=suffix, year=years, event_time=[one - year for one in years])


def _changes(flows: pd.DataFrame, dose: pd.Series, years: Sequence[int]) -> list[tuple[float, float, float]]:
    """Per cent and interval of the doses given to each of the years, together in one fit; NaN for all where it does not converge."""
    from qonys.effects.gravity import ppml  # brings the compiler with it, which no other question needs

    table = flows[["area", "year", "inflow"]].copy()
    for one in years:
        table[f"dose{one}"] = table["area"].map(dose).where(table["year"] == one, 0.0)
    fit = ppml(table, "inflow", [f"dose{one}" for one in years], ["area", "year"], cluster=["area"])
    found = fit.coefficients.set_index("name")[["value", "low", "high"]]
    changes = 100 * np.expm1(found.reindex([f"dose{one}" for one in years]).to_numpy(float))
    return [tuple(row) if fit.converged else (np.nan,) * 3 for row in changes]
