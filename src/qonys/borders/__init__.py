"""Border files: where the functions of `border` meet the store. Records come in, are classified, counted and protected, out of core."""

from qonys.borders.flows import flows_of_file
from qonys.borders.nowcast import Nowcast, nowcast_of_file
from qonys.borders.presence import Day, Present, Stuck, people_of_file, stays_of_file, stranded_of_file
from qonys.borders.residence import Classified, classify_file

__all__ = [
    "Classified", "Day", "Nowcast", "Present", "Stuck", "classify_file", "flows_of_file", "nowcast_of_file", "people_of_file",
    "stays_of_file", "stranded_of_file",
]  # fmt: skip
