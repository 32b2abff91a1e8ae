"""Convergence or distancing? (question Q3)

`spread` gives the standard deviation across areas by period with an interval, `change_of_spread` its change between two phases with the
verdict `converging`, `distancing` or `undecided`; `joint_verdict` what several such verdicts say together. `dispersion` does it by other
measures and scales, with `trend` and `breaks`. `beta`, `panel_beta` and `rolling_beta` ask who catches up. `log_t` and `clubs` find groups
that come together, and `stability` says how much of a partition is left when its options change. `portfolios` are states' sets of measures,
`distances_on` and `mean_distance` say how far apart they are, `policy_map` and `neighbours` where each one stands. `modal_departure` counts
members whose rule for the same people (`rules_on`) is not that of most. `variance_split` divides a panel into what members share and not.
`evidence_of_spread` and the two before give `Evidence`, and `answer` cuts it into phases and says what it shows.
"""

from qonys.convergence.answer import Answer, answer
from qonys.convergence.beta import Beta, beta, panel_beta, rolling_beta
from qonys.convergence.breaks import Breaks, breaks
from qonys.convergence.clubs import Options, Partition, clubs
from qonys.convergence.dispersion import Dispersion, dispersion, trend
from qonys.convergence.evidence import Evidence, evidence_of_spread
from qonys.convergence.layers import variance_split
from qonys.convergence.logt import LogT, log_t
from qonys.convergence.modal import departures_by_member, modal_departure, rules_on
from qonys.convergence.portfolio import distances, distances_on, mean_distance, neighbours, policy_map, portfolios
from qonys.convergence.sigma import Change, change_of_spread, joint_verdict, spread
from qonys.convergence.stability import Stability, stability

__all__ = [
    "Answer", "Beta", "Breaks", "Change", "Dispersion", "Evidence", "LogT", "Options", "Partition", "Stability", "answer", "beta", "breaks",
    "change_of_spread", "clubs", "departures_by_member", "dispersion", "distances", "distances_on", "evidence_of_spread", "joint_verdict",
    "log_t", "mean_distance", "modal_departure", "neighbours", "panel_beta", "policy_map", "portfolios", "rolling_beta", "rules_on",
    "spread", "stability", "trend", "variance_split",
]  # fmt: skip
