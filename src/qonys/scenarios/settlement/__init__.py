"""Settlement: who stays, by which support and at what cost, and which household goes to which region.

found = retention(spells(records))                     Kaplan-Meier shares at horizons, by group
effects = support_effects(spells(records), design)     what each support adds, everything in the design held equal
cost_per_retained(effects, design.costs)               what one more household that stays costs
from_totals(770, 9206, mean_family=4)                  what two totals tell, and what they cannot
place(needs(households, regions, placement))           whole households to regions, with prices and reasons
place_arrivals(...)                                    the same one after the other, with prices that follow
"""

from qonys.scenarios.settlement.arrivals import place_arrivals
from qonys.scenarios.settlement.assign import Placed, place
from qonys.scenarios.settlement.costs import cost_per_retained
from qonys.scenarios.settlement.needs import needs
from qonys.scenarios.settlement.placement import Placement, placement_of, read_placement
from qonys.scenarios.settlement.records import spells
from qonys.scenarios.settlement.retention import Retention, retention
from qonys.scenarios.settlement.retention_design import RetentionDesign, read_retention_design, retention_design_of
from qonys.scenarios.settlement.support import Effects, support_effects
from qonys.scenarios.settlement.totals import Totals, from_totals, households_needed, returned_share

__all__ = [
    "Effects", "Placed", "Placement", "Retention", "RetentionDesign", "Totals", "cost_per_retained", "from_totals", "households_needed",
    "needs", "place", "place_arrivals", "placement_of", "read_placement", "read_retention_design", "retention", "retention_design_of",
    "returned_share", "spells", "support_effects",
]  # fmt: skip
