"""What states did: the register of measures and what follows from it (question Q2).

`read_register` reads the TOML files, `with_bounds` adds the days between which each measure began and ended; `in_force` says what was in
force on a day under two readings of what is not known, `month_shares` and `month_doses` sum it by month, `complete_panel` fills in the
issuers without a measure; `answers` and `coverage` hold challenges against measures.
"""

from qonys.measures.codebook import adopted_statuses, codebook
from qonys.measures.coverage import answers, coverage
from qonys.measures.exposure import calendar, complete_panel, in_force, month_doses, month_shares
from qonys.measures.register import chronological, read_register, with_bounds

__all__ = [
    "adopted_statuses", "answers", "calendar", "chronological", "codebook", "complete_panel", "coverage", "in_force", "month_doses",
    "month_shares", "read_register", "with_bounds",
]  # fmt: skip
