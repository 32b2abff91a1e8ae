"""One area on one day: what moved, what is in force, what is out of line; and the tables behind the pages Flows and Measures.

`situation_of` is the answer, made of `moved`, `in_force_on` and `out_of_line`. `series_of` gives the yearly figures of an area with every
report of each, `areas_known` the areas that have figures or measures, `periods_of` the measures as stretches along a chart, `pairs_of` and
`pairs_in` who goes where (`pair_periods`: when that is known).
`find_measures` searches a register, `entry_of` tells everything of one entry, `reach_of` whom it reaches. Files are opened once and held;
`prepare` opens what ships.
"""

from qonys.situation.answer import Situation, prepare, situation_of
from qonys.situation.departures import out_of_line
from qonys.situation.entry import Entry, entry_of, reach_of
from qonys.situation.figures import areas_known, moved, series_of
from qonys.situation.force import Periods, in_force_on, issuers_for, periods_of
from qonys.situation.pairs import Pairs, pair_periods, pairs_in, pairs_of
from qonys.situation.reports import KINDS
from qonys.situation.search import find_measures

__all__ = [
    "KINDS", "Entry", "Pairs", "Periods", "Situation", "areas_known", "entry_of", "find_measures", "in_force_on", "issuers_for", "moved",
    "out_of_line", "pair_periods", "pairs_in", "pairs_of", "periods_of", "prepare", "reach_of", "series_of", "situation_of",
]  # fmt: skip
