"""Statuses that are known of persons: before their first crossing, or final on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Statuses:
    """Residence of some persons: `person_id` in order, `resident`, and `final_on`, the day it became final, null: before all crossings.

    A status takes the place of the running one at the first crossing before which that became final on `final_on` or later. So the
    `resident_after` and `final_on` of a person's last crossing in earlier data can be given to go on from there.
    """

    table: pa.Table

    @classmethod
    def of(cls, given: Statuses | pa.Table | Mapping[str, bool] | None) -> Statuses | None:
        """From a table with person_id, resident and, if need be, final_on, or from resident or not by person.

        Errors: DataError for a table without these columns, an empty cell in the first two, or a person twice.
        """
        if given is None or isinstance(given, Statuses):
            return given
        known: Any = given
        if isinstance(given, Mapping):
            known = pa.table({"person_id": pa.array(list(given), pa.string()), "resident": pa.array(list(given.values()), pa.bool_())})
        for name in ("person_id", "resident"):
            if name not in known.column_names or known[name].null_count:
                raise DataError(
                    f"the known statuses have no {name}, or not in every row", mend="give person_id, resident and, if known, final_on"
                )
        days = known["final_on"].cast(pa.date32()) if "final_on" in known.column_names else pa.nulls(len(known), pa.date32())
        table = pa.table(
            {"person_id": known["person_id"].cast(pa.string()), "resident": known["resident"].cast(pa.bool_()), "final_on": days}
        )
        table = table.sort_by("person_id").combine_chunks()
        if pc.count_distinct(table["person_id"]).as_py() < len(table):
            raise DataError("a person has two known statuses", mend="give the latest")
        return cls(table)

    def among(self, names: pa.Array) -> tuple[NDArray[Any], NDArray[Any]]:
        """For persons in order of their ids: 1 resident, 0 not, -1 not given; and the day, as days since 1970, or long ago."""
        from qonys.border.kernel import NEVER

        ids = self.table["person_id"].chunk(0) if len(self.table) else pa.array([], pa.string())
        low, high = _first_not_below(ids, names[0].as_py()), _first_not_below(ids, names[-1].as_py() + "\0")
        own = self.table.slice(low, high - low)
        place = pc.index_in(names.cast(pa.string()), value_set=own["person_id"]).fill_null(len(own)).to_numpy()
        resident = np.append(own["resident"].cast(pa.int8()).to_numpy(), -1).astype(np.int8)
        days = np.append(own["final_on"].cast(pa.int32()).fill_null(NEVER).to_numpy(), NEVER).astype(np.int32)
        return resident[place], days[place]


def _first_not_below(ids: pa.Array, wanted: str) -> int:
    """Place of the first id that does not come before another, by bisection; ids order by their UTF-8 letters."""
    low, high = 0, len(ids)
    aim = wanted.encode()
    while low < high:
        middle = (low + high) // 2
        if ids[middle].as_py().encode() < aim:
            low = middle + 1
        else:
            high = middle
    return low
