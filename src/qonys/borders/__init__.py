"""Border files: where the functions of `border` meet the store. Records come in, are classified, counted and protected, out of core."""

from qonys.borders.presence import Day, Present, Stuck, people_of_file, stays_of_file, stranded_of_file
from qonys.borders.residence import Classified, classify_file, flows_of_file

__all__ = ["Classified", "Day", "Present", "Stuck", "classify_file", "flows_of_file", "people_of_file", "stays_of_file", "stranded_of_file"]
