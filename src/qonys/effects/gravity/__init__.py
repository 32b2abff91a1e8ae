"""Gravity: flows between places by Poisson regression with three-way fixed effects.

    fit = ppml(flows, "persons", ["visa_free"], [("origin", "year"), ("destination", "year"), ("origin", "destination")],
               cluster=["origin", "destination", ("origin", "destination")])

`ppml` fits a table in memory, `ppml_table` an Ibis table of any size by the same passes. First go rows of groups without any flow;
what is left is fitted by Newton's method, each step a least squares whose effects are found by group sums (`panel`, `kernel`, `solve`).
Where fitted values of zeros keep falling, the rectifier says which rows are separated (`separation`), they leave, and it goes on
(`estimate`). Regressors that say nothing beyond effects and other regressors are named. It ends at rest, or with a sentence. Errors are by
clusters, as many ways as given (`clusters`). `without` says what flows would have been without a measure (`predict`).
"""

from qonys.effects.gravity.ppml import Gravity, ppml
from qonys.effects.gravity.predict import without
from qonys.effects.gravity.relational import ppml_table

__all__ = ["Gravity", "ppml", "ppml_table", "without"]
