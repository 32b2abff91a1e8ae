"""Detections in the Eastern Mediterranean about the statement of March 2016 of the EU and Turkey: an interrupted series and its own past.

Run: python docs/examples/effects_aegean.py frontex_detections_monthly.parquet

Detections had been falling since October 2015, so what the statement did hangs on how that fall is carried on: several ways are printed.
"""

import sys

import numpy as np
import pandas as pd

from qonys.effects import interrupted_series

table = pd.read_parquet(sys.argv[1])
table = table[table["route"] == "Eastern Mediterranean Route"]
series = table.groupby("month", as_index=False)["detections"].sum().rename(columns={"detections": "value"})
for first, why in (("2009-01", "all months since 2009"), ("2014-01", "two years before"), ("2015-04", "the year before")):
    own = series[series["month"].between(first, "2017-03")].reset_index(drop=True)
    own["time"] = range(1, len(own) + 1)
    begins = int(own.loc[own["month"] == "2016-04", "time"].iloc[0])
    harmonics = 2 if len(own) >= 36 else 0
    fit = interrupted_series(own, begins, harmonics=harmonics, slope=True)
    ratio, low, high = np.exp([fit.params["measure"], *fit.conf_int().loc["measure"]])
    print(f"{why}: detections in April 2016 are {ratio:.3f} of what the trend gives ({low:.3f} to {high:.3f})")
