"""What if? The rooms where something is decided (question Q6).

`procedure` plays a procedure with queues and a legal clock and fits event logs, `corridor` plans who is brought home when, `settlement`
tells who stays and places households. `reading` reads their files, `assumptions` lists every value of one with its origin.
`elapsed_days` and `schedule` time a procedure in turn and at once, `returned_share` says what totals of a resettlement tell.
"""

from qonys.scenarios.procedure.schedule import elapsed_days, schedule
from qonys.scenarios.settlement.totals import returned_share

__all__ = ["elapsed_days", "returned_share", "schedule"]
