"""Convergence or distancing? (question Q3)

`spread` gives the standard deviation across areas by period with an interval, `change_of_spread` its change between two phases with the
verdict `converging`, `distancing` or `undecided`; `joint_verdict` what several such verdicts say together.
"""

from qonys.convergence.sigma import Change, change_of_spread, joint_verdict, spread

__all__ = ["Change", "change_of_spread", "joint_verdict", "spread"]
