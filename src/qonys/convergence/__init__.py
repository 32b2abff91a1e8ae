"""Convergence or distancing? (question Q3)

`spread` gives the standard deviation across areas by period with an interval, `change_of_spread` its change between two phases with the
verdict `converging`, `distancing` or `undecided`; `joint_verdict` what several such verdicts say together. `dispersion` does it by other
measures and scales, with `trend` and `breaks`. `beta`, `panel_beta` and `rolling_beta` ask who catches up. `log_t` and `clubs` find groups
that come together, and `stability` says how much of a partition is left when its options change.
"""

from qonys.convergence.beta import Beta, beta, panel_beta, rolling_beta
from qonys.convergence.breaks import Breaks, breaks
from qonys.convergence.clubs import Options, Partition, clubs
from qonys.convergence.dispersion import Dispersion, dispersion, trend
from qonys.convergence.logt import LogT, log_t
from qonys.convergence.sigma import Change, change_of_spread, joint_verdict, spread
from qonys.convergence.stability import Stability, stability

__all__ = [
    "Beta", "Breaks", "Change", "Dispersion", "LogT", "Options", "Partition", "Stability", "beta", "breaks", "change_of_spread", "clubs",
    "dispersion", "joint_verdict", "log_t", "panel_beta", "rolling_beta", "spread", "stability", "trend",
]  # fmt: skip
