"""A corridor: who is brought home on which train, bus or flight, what binds, and what to do when no plan exists.

corridor = read_corridor(text, file="transit.toml")     who waits where, what runs when, every limit with a name
found = plan(corridor)                                  schedule, moves, home, waiting, use of each limit; gap and bound
binding(found).loosened                                 what one more train, 100 permits or beds would bring
conflict(corridor).members                              where there is no plan: the fewest limits that cannot hold together
replan(later, found, on=date(2020, 5, 20)).changes      the rest anew when a border closes
withstand(corridor, chance=0.05).results                a plan that holds if trips are lost
"""

from qonys.scenarios.corridor.binding import Binding, binding
from qonys.scenarios.corridor.conflict import Conflict, conflict
from qonys.scenarios.corridor.definition import Corridor, corridor_of, read_corridor
from qonys.scenarios.corridor.loosening import loosen
from qonys.scenarios.corridor.losses import Withstood, withstand
from qonys.scenarios.corridor.plan import Plan, plan
from qonys.scenarios.corridor.replan import Replan, replan

__all__ = [
    "Binding", "Conflict", "Corridor", "Plan", "Replan", "Withstood", "binding", "conflict", "corridor_of", "loosen", "plan",
    "read_corridor", "replan", "withstand",
]  # fmt: skip
