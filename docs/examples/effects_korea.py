"""Internal gravity of the Republic of Korea, 17 regions, 2012-2020: distance and neighbourhood, with effects of origin-years and
destination-years.

Run: python docs/examples/effects_korea.py korea_gravity.parquet
"""

import sys

import numpy as np
import pandas as pd

from qonys.effects.gravity import ppml, without

table = pd.read_parquet(sys.argv[1])
table = table[table["orig"] != table["dest"]].assign(
    distance=lambda rows: np.log(rows["dist_cent"]), contig=lambda rows: rows["contig"].astype(float)
)
effects = [("orig", "year"), ("dest", "year")]
fit = ppml(table, "flow", ["distance", "contig"], effects, cluster=["orig", "dest"])
print(fit.coefficients.round(3).to_string(index=False))
apart = without(fit, table, "contig", hold=effects[:1])
moved = apart.groupby("year")["difference"].agg(lambda gap: gap.abs().sum() / 2)
print("moves that would go elsewhere if neighbours were as others, a year:", moved.round(0).astype(int).to_dict())
