"""What states did: the register of measures and what follows from it (question Q2).

`read_register` reads the TOML files; of several versions of an entry `current` keeps the one that stands, `with_bounds` adds the days
between which it began and ended. `spans` gives the days in force under two readings of what is not known, `state` what was in force on one
day, `events` what changed, `replay` the way back. `in_force`, `month_shares`, `month_doses` and `complete_panel` sum the days by issuer and
month. `reach` says whom a measure reaches, and why not; `exposure` compiles that into corridors by period, for `people` of whom nothing is
known or `people_of` a flow or stock. `index` computes the indices of a codebook of ordinal levels (`index_book`), `components` what one is
made of; `daily_index` counts restriction and support from the register itself, and `band` says how far doubt about dates and codes would
move them. `closed_ways` and `closed_return` say which ways home are closed on a day. `answers`, `coverage`, `coverage_by`, `gaps` and
`object_coverage` hold challenges and groups of people against measures;
`conflicts` and `duplicates` list pairs that work against each other or do the same twice. `adoption` gives each issuer's first day of one
kind of measure (`chosen`), `order` who moved first, `lags` the days since the acts of a union. `disagreements` lists where a second coder
(`read_coding`) differs from the register, `agreement` how far the two agree (`alpha`), `confusion` the odds of another code; `consistent`
and `unchanged` say whether versions hang together and nothing was edited in place.
"""

from qonys.measures.agreement import Confusion, agreement, coded, coded_once, confusion, disagreements, read_coding
from qonys.measures.closures import closed_return, closed_ways
from qonys.measures.codebook import adopted_statuses, codebook
from qonys.measures.conflicts import conflicts, duplicates
from qonys.measures.coverage import answers, coverage, coverage_by, gaps, object_coverage
from qonys.measures.days import calendar, complete_panel, in_force, month_doses, month_shares
from qonys.measures.diffusion import adoption, chosen, lags, order
from qonys.measures.exposure import days_between, exposure
from qonys.measures.history import as_days, current, events, replay, spans, state, with_bounds
from qonys.measures.index import IndexBook, components, index, index_book, off_scale, read_index_book
from qonys.measures.reach import corridor_categories, people, people_of, reach
from qonys.measures.register import chronological, examine_register, read_register, write_register
from qonys.measures.reliability import Alpha, alpha
from qonys.measures.strictness import RegisterIndex, daily_index, read_register_indices, register_index, register_indices
from qonys.measures.uncertainty import band
from qonys.measures.versions import consistent, unchanged

__all__ = [
    "Alpha", "Confusion", "IndexBook", "RegisterIndex", "adopted_statuses", "adoption", "agreement", "alpha", "answers", "as_days", "band",
    "calendar", "chosen", "chronological", "closed_return", "closed_ways", "codebook", "coded", "coded_once", "complete_panel",
    "components", "conflicts", "confusion", "consistent", "corridor_categories", "coverage", "coverage_by", "current",
    "daily_index", "days_between", "disagreements", "duplicates", "events", "examine_register", "exposure", "gaps", "in_force",
    "index", "index_book", "lags", "month_doses", "month_shares", "object_coverage", "off_scale", "order", "people", "people_of",
    "reach", "read_coding", "read_index_book", "read_register", "read_register_indices", "register_index", "register_indices",
    "replay", "spans", "state", "unchanged", "with_bounds", "write_register",
]  # fmt: skip
