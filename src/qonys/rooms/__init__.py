"""Rooms on files: a procedure, a corridor or a settlement comes in as TOML with its tables, results go out with their run.

`procedures` simulates and fits, `corridors` plans and plans anew, `settlements` tells who stays and places households; `keep` writes a
folder with every table, picture and sentence, and the run behind them.
"""

from qonys.rooms.folder import Kept, check_folder, keep
from qonys.rooms.procedures import fit_file, open_procedure, simulate_file, write_procedure

__all__ = ["Kept", "check_folder", "fit_file", "keep", "open_procedure", "simulate_file", "write_procedure"]
