"""Protection of Afghan applicants in the members of the EU about 2021-2022, beside applicants from other origins in the same states.

Run: python docs/examples/effects_asylum.py unhcr_asylum_decisions.parquet

A unit is an origin in a country of destination; its outcome is the share of first-instance decisions that give protection. Errors are by
country of destination, as one office decides on all of them. The bounds and placebos say how far the number carries.
"""

import sys
from datetime import date

import pandas as pd

from qonys.core.areas import members
from qonys.effects import Design, Source, checks, estimate, examine, least_effect, panel
from qonys.i18n import words
from qonys.report.effect import effect_paragraph

FEWEST = 50  # decisions a year: with fewer a share says little
table = pd.read_parquet(sys.argv[1])
table = table[
    (table["dec_level"] == "FI") & table["coa_iso"].isin(members("EU27_2020", date(2021, 1, 1))) & table["year"].between(2014, 2024)
]
sums = table.groupby(["coo_iso", "coa_iso", "year"], as_index=False)[["dec_recognized", "dec_other", "dec_rejected"]].sum()
decided = sums[["dec_recognized", "dec_other", "dec_rejected"]].sum(axis=1)
sums = sums[decided >= FEWEST].assign(share=lambda rows: 100 * (rows["dec_recognized"] + rows["dec_other"]) / decided[decided >= FEWEST])
whole = sums.groupby(["coo_iso", "coa_iso"])["year"].transform("nunique") == sums["year"].nunique()
own = sums[whole].assign(
    unit=lambda rows: rows["coo_iso"] + " in " + rows["coa_iso"],
    dose=lambda rows: ((rows["coo_iso"] == "AFG") & (rows["year"] >= 2022)).astype(float),
)
source = Source(table="decisions", unit="unit", period="year", value="share")
dose = Source(table="decisions", unit="unit", period="year", value="dose")
design = Design(
    name="afghans", outcome=source, exposure=dose, comparison="never_treated", cluster="coa_iso", unit_of_outcome="percentage points"
)
rows = panel(own[["unit", "year", "share", "coa_iso"]], own[["unit", "year", "dose"]], design)
print(examine(rows, design).to_string(index=False))
effect = estimate(rows, design, "callaway_santanna")
found = checks(rows, design, effect, draws=50)
print(effect_paragraph(effect, found, least_effect(rows, design), words("en")))
print(found.without.sort_values("estimate").round(1).to_string(index=False))
