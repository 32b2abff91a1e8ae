"""Border records: who crossed becomes who migrated (question Q1).

`rule` gives a residence rule as data, `classify` applies it to crossings: days present in the follow-up window, long-term or not or not yet
known, residence before and after. `border_flows` counts the migrant arrivals and departures that follow, provisional while a crossing is
undecided.
"""

from qonys.border.classify import classify
from qonys.border.flows import border_flows
from qonys.border.presence import present
from qonys.border.residence import ResidenceRule, rule, rules
from qonys.border.stays import permissions, stays
from qonys.border.stranded import citizens_abroad, stranded

__all__ = ["ResidenceRule", "border_flows", "citizens_abroad", "classify", "permissions", "present", "rule", "rules", "stays", "stranded"]
