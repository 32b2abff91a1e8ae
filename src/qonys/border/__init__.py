"""Border records: who crossed becomes who migrated (question Q1), who is present, and who is stuck.

`rule` gives a residence rule as data, `classify` applies it to crossings: days present in the follow-up window, long-term or not or not yet
known, residence before and after. `border_flows` counts the migrant arrivals and departures that follow, provisional while a crossing is
undecided; `history`, `calibration` and `bounds` forecast what the undecided will add, as surely as such forecasts were right before.
`permissions` and `stays` say who is present and until when they may be, `stranded` who of them cannot go home. `protect` makes counts fit
to be published. `simulate` makes borders whose truth is known.
"""

from qonys.border.classify import classify
from qonys.border.disclosure import protect
from qonys.border.flows import border_flows, net
from qonys.border.intervals import bounds, calibration
from qonys.border.presence import present
from qonys.border.residence import ResidenceRule, rule, rules
from qonys.border.revisions import history, triangle
from qonys.border.simulate import simulate
from qonys.border.stays import permissions, stays
from qonys.border.stranded import citizens_abroad, stranded
from qonys.border.unfinished import records

__all__ = [
    "ResidenceRule", "border_flows", "bounds", "calibration", "citizens_abroad", "classify", "history", "net", "permissions", "present",
    "protect", "records", "rule", "rules", "simulate", "stays", "stranded", "triangle",
]  # fmt: skip
