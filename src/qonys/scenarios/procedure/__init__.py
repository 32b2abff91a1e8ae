"""A procedure with queues, calendars and a legal clock: how long it takes, who waits where, and how often the deadline is kept.

`read_procedure` reads a file, `simulate` plays it in every variant against the same applicants and the same chance, `cases` gives a run
as a log of events; `schedule` and `elapsed_days` time it without chance and without queues.
"""

from qonys.scenarios.procedure.definition import Procedure
from qonys.scenarios.procedure.read import read_procedure
from qonys.scenarios.procedure.schedule import elapsed_days, schedule
from qonys.scenarios.procedure.simulate import cases, simulate
from qonys.scenarios.procedure.tables import Simulated
from qonys.scenarios.procedure.variants import variant

__all__ = ["Procedure", "Simulated", "cases", "elapsed_days", "read_procedure", "schedule", "simulate", "variant"]
