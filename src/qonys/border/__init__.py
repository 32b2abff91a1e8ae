"""Border records: who crossed becomes who migrated (question Q1).

`rule` gives a residence rule as data, `classify` applies it to crossings: days present in the follow-up window, long-term or not or not yet
known, residence before and after.
"""

from qonys.border.classify import classify
from qonys.border.residence import ResidenceRule, rule, rules

__all__ = ["ResidenceRule", "classify", "rule", "rules"]
