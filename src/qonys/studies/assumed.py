"""What the rooms of a study rest on: each value with its origin, values of one kind together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from qonys.core.errors import StudyError
from qonys.core.results import Measured, Result, addresses
from qonys.scenarios.assumptions import confirm
from qonys.studies.tables import Tables, collect, needed

if TYPE_CHECKING:
    from qonys.studies.definition import Study

KINDS = ("seed", "published", "assumed", "setting")
SHOWN = 3  # texts of one kind that are written out


def listed(tables: Tables, question: str) -> pd.DataFrame:
    """The table of assumptions in memory, each value that is said to be a figure compared with it."""
    assumption, figure = needed(tables, question, "assumption", "figure")
    values = collect(assumption, "room", "place")
    confirm(values, collect(figure.filter(figure.value.notnull()), "id").set_index("id")["value"].to_dict())
    return values


def based_on(tables: Tables, values: pd.DataFrame, room: str, *keys: str) -> list[str]:
    """Addresses of a room's values, all or those of some keys, and of the figures they are: the inputs of what was computed from them."""
    own = values[values["room"].eq(room) & values["origin"].notna()]
    own = own[own["key"].isin(keys)] if keys else own
    figures = collect(tables["figure"], "id").set_index("id")["row"]
    return addresses("assumption", own["row"]) + addresses("figure", figures.loc[own["figure"].dropna().unique()])


def assumptions(tables: Tables, study: Study) -> list[Result]:
    """Values by room and kind with their origin, how many, from which to which, and how many there are of each origin."""
    del study
    values = listed(tables, "assumptions")
    if values.empty:
        raise StudyError("the tables of the contract assumption hold no value", mend="name a room file under [tables]: assumption")
    figures = collect(tables["figure"], "id").set_index("id")["row"]
    known = values[values["origin"].notna()].astype({"entry": int})
    rows = []
    for (room, entry), group in known.groupby(["room", "entry"]):
        first = group.iloc[0]
        numbers = group["number"].dropna()
        texts = list(dict.fromkeys(_text(value) for value in group.loc[group["number"].isna(), "value"]))
        rows.append(
            {
                "id": f"{room}.{entry}",
                "room": room,
                "entry": entry,
                "origin": first["origin"],
                "values": len(group),
                "smallest": numbers.min() if len(numbers) else None,
                "largest": numbers.max() if len(numbers) else None,
                "texts": "; ".join(texts[:SHOWN]) + (" …" if len(texts) > SHOWN else ""),
                **{name: first[name] for name in ("figure", "what", "what_ru", "what_kk", "reason", "reason_ru", "reason_kk")},
                "inputs": addresses("assumption", group["row"]) + addresses("figure", figures.loc[group["figure"].dropna().unique()]),
            }
        )
    table = pd.DataFrame(rows).astype({"smallest": "float64", "largest": "float64"})
    counts = {kind: int(known["origin"].eq(kind).sum()) for kind in KINDS}
    whole = {"id": "all", "values": len(known), **counts, "inputs": addresses("assumptions", table["id"])}
    number = Measured(unit="pieces", formula="count")
    ends = Measured(unit="as_row", formula="as_published", decimals=2)
    return [
        Result("assumptions", table, {"values": number, "smallest": ends, "largest": ends}),
        Result("assumptions_counts", pd.DataFrame([whole]), dict.fromkeys(("values", *KINDS), number)),
    ]


def _text(value: str) -> str:
    found = json.loads(value)
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)
