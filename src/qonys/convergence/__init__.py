"""Convergence or distancing? (question Q3)

`spread` gives the standard deviation across areas by period with an interval, `change_of_spread` its change between two phases with the
verdict `converging`, `distancing` or `undecided`.
"""

from qonys.convergence.sigma import Change, change_of_spread, spread

__all__ = ["Change", "change_of_spread", "spread"]
