"""What states did: the register of measures and what follows from it (question Q2).

`read_register` reads the TOML files; of several versions of an entry `current` keeps the one that stands, `with_bounds` adds the days
between which it began and ended. `spans` gives the days in force under two readings of what is not known, `state` what was in force on one
day, `events` what changed, `replay` the way back. `in_force`, `month_shares`, `month_doses` and `complete_panel` sum the days by issuer and
month; `answers` and `coverage` hold challenges against measures.
"""

from qonys.measures.codebook import adopted_statuses, codebook
from qonys.measures.coverage import answers, coverage
from qonys.measures.days import calendar, complete_panel, in_force, month_doses, month_shares
from qonys.measures.history import current, events, replay, spans, state, with_bounds
from qonys.measures.register import chronological, examine_register, read_register, write_register

__all__ = [
    "adopted_statuses", "answers", "calendar", "chronological", "codebook", "complete_panel", "coverage", "current", "events",
    "examine_register", "in_force", "month_doses", "month_shares", "read_register", "replay", "spans", "state", "with_bounds", "write_register",
]  # fmt: skip
