"""What if? The rooms where something is decided (question Q6).

`elapsed_days` and `schedule` time a procedure in turn and at once, `returned_share` says what totals of a resettlement tell.
"""

from qonys.scenarios.procedure.schedule import elapsed_days, schedule
from qonys.scenarios.settlement.totals import returned_share

__all__ = ["elapsed_days", "returned_share", "schedule"]
