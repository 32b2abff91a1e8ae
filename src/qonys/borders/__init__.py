"""Border files: where the functions of `border` meet the store. Records come in, are classified, counted and protected, out of core."""

from qonys.borders.flows import flows_of_file
from qonys.borders.imports import Imported, import_files
from qonys.borders.nowcast import Nowcast, nowcast_of_file
from qonys.borders.presence import Day, Present, Stuck, people_of_file, stays_of_file, stranded_of_file
from qonys.borders.residence import Classified, classify_file
from qonys.borders.simulation import SimulatedFiles, simulate_file

__all__ = [
    "Classified", "Day", "Imported", "Nowcast", "Present", "SimulatedFiles", "Stuck", "classify_file", "flows_of_file", "import_files",
    "nowcast_of_file", "people_of_file", "simulate_file", "stays_of_file", "stranded_of_file",
]  # fmt: skip
