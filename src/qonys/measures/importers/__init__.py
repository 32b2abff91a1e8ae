"""Trackers of others as measures of our contract: one module a publisher, which holds its quirks and nothing else.

Each importer takes the file as read (`store.read_raw`: the publisher's columns and `row`) and gives an `Imported`: measures, and what
became of every row. A new publisher is a new module and a line in `IMPORTERS`.
"""

from collections.abc import Callable

from qonys.measures.importers import cobap, coronanet, oxcgrt, passport, schengen
from qonys.measures.importers.base import Imported

IMPORTERS: dict[str, Callable[..., Imported]] = {
    "cobap": cobap.read,
    "coronanet": coronanet.read,
    "oxcgrt": oxcgrt.read,
    "passport": passport.read,
    "schengen": schengen.read,
}

__all__ = ["IMPORTERS", "Imported"]
