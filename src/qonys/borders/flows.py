"""Border files: classified crossings to migration flows, protected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from qonys.border.flows import BY, Period, border_flows, net, protected
from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.core.periods import whole_day
from qonys.store import connect
from qonys.store.audit import note
from qonys.store.raw import read_raw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from qonys.border.disclosure import Method


def flows_of_file(
    source: Path, *, country: str, end: str, period: Period, by: Sequence[str] = (), nets: bool = False, disclosure: Method = "cell_key"
) -> pd.DataFrame:
    """Flows of a classified file (see `border.border_flows`), or with `nets` their differences, protected; without protection it is noted.

    Errors: DataError for a file that is not classified, or an unknown split; DesignError as in `disclosure.protect`.
    """
    areas.area(country)
    vintage, split = whole_day(end), splits_of(by)
    con = connect()
    table, _malformed = read_raw(con, source)
    needed = ("person_id", "long_term", "fault", "day", "direction", *(name if name != "age" else "birth_year" for name in split))
    if absent := [name for name in needed if name not in table.columns]:
        raise DataError(f"{source.name} has no column {', '.join(map(repr, absent))}", mend="make it with qonys border classify")
    if disclosure == "none":
        note("border flows", {"country": country, "end": end, "period": period, "by": split, "disclosure": disclosure}, [source])
    found = border_flows(table, country=country, vintage=vintage, period=period, by=split)
    flows = protected(con.to_pandas(found.order_by("period_start", ibis.desc("destination"), *BY)), by=split, method=disclosure)
    return net(flows) if nets else flows.sort_values(["period_start", *split, "destination"], ignore_index=True, kind="stable")


def splits_of(by: Sequence[str]) -> tuple[str, ...]:
    """The columns flows are split by, each once. Errors: DataError for one by which they cannot be."""
    for name in by:
        if name not in BY:
            raise DataError(f"flows cannot be split by {name!r}", mend=nearest(name, BY))
    return tuple(dict.fromkeys(by))
