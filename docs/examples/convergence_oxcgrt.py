"""Convergence or distancing in OxCGRT's indices, 27 members, 2020-22: the answer for stringency and for border rules (C8).

Run: python docs/examples/convergence_oxcgrt.py oxcgrt_national_daily.parquet
"""

import sys
from datetime import date

import pandas as pd

from qonys.convergence import answer, dispersion, evidence_of_spread, trend
from qonys.core.areas import members

table = pd.read_parquet(sys.argv[1])
table = table[table["country_code"].isin(members("EU27_2020", date(2021, 1, 1)))]
month = pd.to_datetime(table["date"]).dt.strftime("%Y-%m")
for name in ("stringency_index", "c8"):
    column = next(one for one in table.columns if one.startswith(name))
    panel = table.assign(period=month, area=table["country_code"]).groupby(["area", "period"], as_index=False)[column].mean()
    panel = panel.rename(columns={column: "value"})
    found = answer([evidence_of_spread(panel)])
    print(column, found.phases.to_string(index=False), found.evidence.to_string(index=False), sep="\n")
    print("trend of the spread a month: {:.3f} ({:.3f} to {:.3f}), rising in {:.0%} of draws".format(*trend(dispersion(panel, draws=500))))
