"""From publishers' words to contracts: codes of areas, ages, totals, units; and both sides' reports of a flow in one table.

harmonise                a staged table -> rows of a flow, stock or panel, with faults and what is ignored; nothing summed or split
plan                     how a publisher's table becomes a contract, from `data/harmonise.toml`
area_of, published       a publisher's code of an area -> ours, and back
age_of, levels           an age band as publishers write it -> from and to; how bands lie in each other
partition                rows of one set of age bands that counts everybody once
split_totals             rows that are totals, parts, unknown or aggregates in each dimension
check_totals             printed totals against the sum of their parts -> gaps
refuse_double_counting   a sentence where a sum would run over an aggregate and its members, a total and its parts, two bases ...
mirror                   immigration as the destination reports it beside emigration as the origin does
"""

from qonys.sources.harmonise.ages import AgeBand, Partition, age_of, levels, partition
from qonys.sources.harmonise.codes import Coded, area_of, published
from qonys.sources.harmonise.contract import Harmonised, harmonise
from qonys.sources.harmonise.mirror import Mirror, mirror
from qonys.sources.harmonise.plans import Plan, plan
from qonys.sources.harmonise.totals import Split, check_totals, refuse_double_counting, split_totals

__all__ = [
    "AgeBand", "Coded", "Harmonised", "Mirror", "Partition", "Plan", "Split", "age_of", "area_of", "check_totals", "harmonise", "levels",
    "mirror", "partition", "plan", "published", "refuse_double_counting", "split_totals",
]  # fmt: skip
