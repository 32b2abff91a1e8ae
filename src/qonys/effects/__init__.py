"""What worked? (question Q4)

A `Design` (TOML, `read_design`) says what is compared with what. `panel` joins outcome and exposure; `examine` tells what the panel can
and cannot say, `fitting` which estimators fit it; `estimate` calls one of them and gives an `Effect`, whichever it was; `checks` asks what
should be zero and on whom it hangs, `least_effect` what the panel could have found at all. `interrupted_series` is the one for a series
without a comparison. `gravity` fits flows between places, `substitution` counts where those went whom a measure kept away, `practices` puts
kinds of measures in an order with ties.
"""

from qonys.effects.checks import Checks, checks, least_effect
from qonys.effects.design import Design, Source, read_design
from qonys.effects.estimators import estimate
from qonys.effects.examine import Shape, examine, fitting, shape
from qonys.effects.interrupted import interrupted_series
from qonys.effects.own_past import own_past
from qonys.effects.panel import Panel, panel
from qonys.effects.result import Effect, without

__all__ = [
    "Checks", "Design", "Effect", "Panel", "Shape", "Source", "checks", "estimate", "examine", "fitting", "interrupted_series",
    "least_effect", "own_past", "panel", "read_design", "shape", "without",
]  # fmt: skip
