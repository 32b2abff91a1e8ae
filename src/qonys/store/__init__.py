"""Where tables lie: engines, files, snapshots. The only package that imports an engine.

connect          an Ibis connection (DuckDB, in memory; nothing locks a file)
read_raw         a user's or a publisher's file as text columns with row numbers
take_in          the edge: read, examine against a contract, quarantine the bad rows beside the input
write_table      a table to CSV, JSON, Parquet or XLSX by suffix, whole or not at all
Snapshot         files as received, named by source and day, hashed and never changed
shipped          the snapshot of the reference data inside this package
"""

from qonys.store.connect import connect
from qonys.store.intake import Intake, take_in
from qonys.store.raw import read_raw, read_whole
from qonys.store.snapshots import Snapshot, keep, shipped
from qonys.store.tables import write_lazy, write_table

__all__ = ["Intake", "Snapshot", "connect", "keep", "read_raw", "read_whole", "shipped", "take_in", "write_lazy", "write_table"]
