"""Nights of foreign and of domestic guests in 2019-2020 against border rules (OxCGRT C8): the response, the substitution, the placebo.

Run: python docs/examples/effects_nights.py eurostat_tourism_nights_monthly.parquet oxcgrt_national_daily.parquet

Nearly all states closed at once, so a comparison between them tells little: the ways of comparing are printed side by side.
"""

import sys

import numpy as np
import pandas as pd

from qonys.effects.gravity import ppml

nights = pd.read_parquet(sys.argv[1])
nights = nights[(nights["accommodation"] == "all") & (nights["iso3"].str.len() == 3) & (nights["month"] <= "2020-12")]
rules = pd.read_parquet(sys.argv[2])
rules["month"] = pd.to_datetime(rules["date"].astype(str)).dt.strftime("%Y-%m")
# share of the days of a month on which entry was banned from some regions or all (C8 of 3 or 4)
closed = rules.assign(closed=rules["c8"] >= 3).groupby(["country_code", "month"])["closed"].mean().rename("closed").reset_index()
panel = nights.merge(closed, left_on=["iso3", "month"], right_on=["country_code", "month"], how="left")
panel["closed"] = panel["closed"].fillna(0.0)
panel["season"] = panel["month"].str[5:]


def told(rows: pd.DataFrame, name: str, regressor: str, effects: list) -> None:
    """The change in nights that a whole month of closure goes with."""
    fit = ppml(rows.dropna(subset=["nights"]), "nights", [regressor], effects, cluster=["iso3"])
    value, low, high = 100 * np.expm1(fit.coefficients[["value", "low", "high"]].iloc[0].to_numpy(float))
    print(f"{name}: {value:+.0f} % ({low:+.0f} to {high:+.0f} %), {fit.rows_used} rows, {rows['iso3'].nunique()} countries")


# beside the same month a year before: with all else that the pandemic brought at the same time
usual = [("iso3", "season")]
who = {"Foreign country": "foreign guests", "Reporting country": "domestic guests"}
for residence, name in who.items():
    told(panel[panel["residence"] == residence], f"{name}, beside the same month of 2019", "closed", usual)
whole = (
    panel[panel["residence"].isin(who)]
    .groupby(["iso3", "month", "season"], as_index=False)
    .agg(nights=("nights", "sum"), closed=("closed", "max"))
)
told(whole, "all guests, beside the same month of 2019", "closed", usual)
# beside other countries in the same month: nearly all closed at once, so little is left to tell
for residence, name in who.items():
    told(panel[panel["residence"] == residence], f"{name}, beside other countries too", "closed", [*usual, "month"])
# foreign beside domestic guests of the same country and month: what the border added to the rest
pair = panel[panel["residence"].isin(who)].assign(closed_to_foreign=lambda rows: rows["closed"] * (rows["residence"] == "Foreign country"))
told(pair, "foreign beside domestic guests", "closed_to_foreign", [("iso3", "month"), ("iso3", "residence", "season")])
