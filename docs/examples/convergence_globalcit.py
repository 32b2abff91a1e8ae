"""Acceptance of dual citizenship, 1960-2024: has the world's law converged? Ordinal dispersion and who departs from the modal rule.

Run: python docs/examples/convergence_globalcit.py globalcit_citizenship_law.parquet
"""

import sys

import pandas as pd

from qonys.convergence import breaks, dispersion, modal_departure

table = pd.read_parquet(sys.argv[1]).dropna(subset=["dualcit_comb", "iso3"])
panel = table.assign(area=table["iso3"], period=table["year"].astype(str), value=table["dualcit_comb"].astype(float))
panel = panel[["area", "period", "value"]].drop_duplicates(["area", "period"])
found = dispersion(panel, "ordinal", draws=300)
print(found.by_period.iloc[::8].to_string(index=False))
print(breaks(found).dates.to_string(index=False))
rules = panel.assign(about="dual citizenship", rule=panel["value"].astype(int).astype(str))
evidence, counts = modal_departure(rules)
print(evidence.table().merge(counts, on="period").iloc[::8].to_string(index=False))
