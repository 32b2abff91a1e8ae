"""One entry of a register with everything known of it: versions, codings, evidence, pairs it is in, whom it reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ibis import _

from qonys.core import areas
from qonys.core.contracts import MEASURE
from qonys.core.errors import RegisterError, nearest
from qonys.measures import coded, corridor_categories, people, reach
from qonys.measures.agreement import CODED, as_text
from qonys.registers import DEFAULT, SHIPPED, entries_of, members_of, second_coding
from qonys.situation.opened import Register, fingerprint, held, pairs_held, register_held
from qonys.store import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.measures.history import Reading

PAIRS: tuple[Literal["conflicts", "duplicates"], ...] = ("conflicts", "duplicates")
_REACHED = ("category", "side", "corridors", "of", "origins", "destinations", "dose_low", "dose_high", "why", "via", "conditions")
_ADDRESS = re.compile(r"https?://[^\s;,)\]]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a register.

    id; current: the version that stands, one row of the contract with bounds. versions: all of them, the first one first: version, coder,
    coded_on, change, changed (columns that differ from the version before), and the contract as text. coding: column, first, second (codes
    of the two coders as text, empty where one did not code), agree, settled (the code that stands). addresses: those in the evidence.
    conflicts, duplicates: as `measures.conflicts` and `duplicates`, those of this entry. links: relation (`supersedes`, `superseded_by`,
    `transposed_by`, `transposes`), id, title.
    """

    id: str
    current: pd.DataFrame
    versions: pd.DataFrame
    coding: pd.DataFrame
    addresses: tuple[str, ...]
    conflicts: pd.DataFrame
    duplicates: pd.DataFrame
    links: pd.DataFrame


def entry_of(id: str, *, register: Sequence[str] = DEFAULT) -> Entry:
    """An entry with its versions, the second coder's codes, evidence, conflicts, duplicates and links; whom it reaches tells `reach_of`.

    Errors: RegisterError for an id that the registers do not have.
    """
    opened = register_held(register)
    row = _one(opened, id)
    versions = _versions(id, register, row)
    pairs = {
        name: frame[(frame.iloc[:, 0] == id) | (frame.iloc[:, 1] == id)].reset_index(drop=True)
        for name, frame in ((what, pairs_held(opened, what)) for what in PAIRS)
    }
    return Entry(
        id, row, versions, _coding(id, register), _addresses(row), pairs["conflicts"], pairs["duplicates"], _links(opened, id, row)
    )


def reach_of(id: str, *, reading: Reading = "possible", register: Sequence[str] = DEFAULT) -> pd.DataFrame:
    """Whom an entry reaches while it is in force, by category of people and side of the border.

    -> category, side (`entry`, `exit`), corridors (pairs of countries that it reaches), of (how many could be concerned), origins,
    destinations (how many countries these join), dose_low, dose_high (0-100), why (the commonest reason why it does not reach the others,
    see `measures.reach`; null: it reaches all), via (entries that put a union's measure into force), conditions (what lets off people whose
    number is not known). An entry that was not adopted, or whose start is not known, has no rows.
    Errors: RegisterError for an id that the registers do not have.
    """
    opened = register_held(register)
    _one(opened, id)
    found: pd.DataFrame = held(("reach", opened.snapshot, id, reading), lambda: _reach(opened, id, reading))
    return found


def _one(opened: Register, id: str) -> pd.DataFrame:
    row = opened.entries[opened.entries["id"] == id]
    if row.empty:
        raise RegisterError(
            f"no entry has the id {id!r}", mend=nearest(str(id), list(opened.entries["id"])) if isinstance(id, str) and id else "name one"
        )
    return row.assign(inputs=[[f"measure/{place}"] for place in row["row"]]).reset_index(drop=True)


def _register_texts(register: Sequence[str]) -> pd.DataFrame | None:
    names = [name for name in register if name == SHIPPED or not re.search(r"\.(csv|json|parquet|xlsx)$|^tracker$", name)]
    return None if not names else held(("versions", fingerprint(names)), lambda: entries_of(names))


def _versions(id: str, register: Sequence[str], row: pd.DataFrame) -> pd.DataFrame:
    texts = _register_texts(register)
    own = pd.DataFrame() if texts is None else texts[texts["id"] == id]
    if own.empty:
        own = pd.DataFrame([{name: as_text(row.at[0, name], name) if name in row.columns else None for name in MEASURE.names}])
    own = (
        own.assign(version=pd.to_numeric(own["version"]).fillna(1).astype(int)).sort_values("version", kind="stable").reset_index(drop=True)
    )
    compared = [name for name in MEASURE.names if name not in ("id", "version", "coder", "coded_on", "change")]
    changed: list[list[str]] = [[]]
    changed += [
        [name for name in compared if as_text(after.get(name), name) != as_text(before.get(name), name)]
        for before, after in zip(own.to_dict("records"), own.to_dict("records")[1:], strict=False)
    ]
    front = ["version", "coder", "coded_on", "change", "changed"]
    return own.assign(changed=changed)[[*front, *(name for name in MEASURE.names if name not in front)]]


def _coding(id: str, register: Sequence[str]) -> pd.DataFrame:
    columns = ["column", "first", "second", "agree", "settled"]
    texts = _register_texts(register)
    if texts is None or (texts["id"] == id).sum() == 0:
        return pd.DataFrame(columns=columns)
    own = texts[texts["id"] == id]
    first, second = coded(own), held(("second",), lambda: coded(second_coding()))
    stands = own.assign(_v=pd.to_numeric(own["version"]).fillna(1)).sort_values("_v").iloc[-1]
    if id not in second.index:
        return pd.DataFrame(columns=columns)
    rows = []
    for name in CODED:
        one = first.at[id, name] if id in first.index else None
        other = second.at[id, name]
        now = as_text(stands[name], name)
        now = " ".join(sorted(now.split())) if name == "targets" and now else now
        rows.append((name, one, other, one == other, now))
    return pd.DataFrame(rows, columns=columns)


def _addresses(row: pd.DataFrame) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.rstrip(".") for one in _ADDRESS.findall(str(row.at[0, "evidence"]))))


def _links(opened: Register, id: str, row: pd.DataFrame) -> pd.DataFrame:
    entries = opened.entries
    named = [
        (relation, other)
        for relation in ("supersedes", "transposed_by")
        for other in (row.at[0, relation] if isinstance(row.at[0, relation], list) else ())
    ]
    for relation, back in (("superseded_by", "supersedes"), ("transposes", "transposed_by")):
        holds = entries[back].map(lambda own: isinstance(own, list) and id in own)
        named += [(relation, other) for other in entries.loc[holds, "id"]]
    titles = dict(zip(entries["id"], entries["title"], strict=True))
    return pd.DataFrame([(relation, other, titles.get(other)) for relation, other in named], columns=["relation", "id", "title"])


def _reach(opened: Register, id: str, reading: Reading) -> pd.DataFrame:
    row = _one(opened, id).iloc[0]
    acts = row["transposed_by"] if isinstance(row["transposed_by"], list) else []
    measures = opened.source.filter(pc.is_in(opened.source["id"], pa.array([id, *acts])))
    begun = row["begun_possible"]
    if begun is None:
        return pd.DataFrame(columns=list(_REACHED))
    places = sorted({areas.area(code).parent or code for code in members_of([row["issuer"]], begun)})
    everywhere = [one.code for one in areas.areas(scheme="iso3166-1", kind="country")]
    classes = ibis.union(
        people(everywhere, places, corridor_categories()).mutate(asked=ibis.literal("entry")),
        people(places, everywhere, corridor_categories()).mutate(asked=ibis.literal("exit")),
    )  # fmt: skip
    con = connect()
    # in memory first: compiled into the expression, the classes would be planned again at each of its joins
    classes = con.create_table("classes", con.to_pyarrow(classes), temp=True)
    measures = con.create_table("measures", measures, temp=True)
    found = con.to_pandas(reach(measures, classes, reading=reading).filter(_.id == id, _.side == _.asked).distinct())
    rows = [_reached(category, side, own) for (category, side), own in found.groupby(["category", "side"], sort=True)]
    return pd.DataFrame(rows, columns=list(_REACHED))


def _reached(category: str, side: str, own: pd.DataFrame) -> dict[str, Any]:
    """One category on one side of the border: a corridor is reached if any of its rows is."""
    hit = own[own["why"].isna()]
    corridors, all_of = (len(part[["origin", "destination"]].drop_duplicates()) for part in (hit, own))
    missed = own.loc[own["why"].notna(), "why"]
    lists = [one for one in own["conditions"] if isinstance(one, list)]
    return {
        "category": category, "side": side, "corridors": corridors, "of": all_of, "origins": hit["origin"].nunique(),
        "destinations": hit["destination"].nunique(), "dose_low": hit["dose"].min(), "dose_high": hit["dose"].max(),
        "why": missed.value_counts().index[0] if corridors < all_of and len(missed) else None,
        "via": sorted(set(hit["via"].dropna())), "conditions": sorted({code for one in lists for code in one}),
    }  # fmt: skip
