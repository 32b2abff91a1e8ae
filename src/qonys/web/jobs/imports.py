"""A file of measures looked at before anything is taken in: what would come in, what would be quarantined and why. Done by a worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ibis
import pandas as pd

from qonys.core.contracts import MEASURE
from qonys.core.errors import DataError, DesignError, nearest
from qonys.core.periods import whole_day
from qonys.core.validate import PLACE
from qonys.measures import consistent
from qonys.measures.importers import IMPORTERS
from qonys.registers import SHIPPED, entries_of, import_file, read_text
from qonys.store import connect, take_in
from qonys.store.intake import admit
from qonys.store.tables import write_table, write_text
from qonys.web.drafts import examined

REGISTER = "register"  # a register of one's own: TOML, or a table of the contract
PUBLISHERS = (*sorted(IMPORTERS), REGISTER)
OPTIONS = {"passport": ("snapshot",), "cobap": ("order",)}
ORDERS = ("MM_DD_YY", "DD_MM_YY")
MEASURES, QUARANTINE, SUMMARY = "measures.parquet", "quarantine.csv", "preview.json"
SAMPLE, REASONS, FAULTS = 20, 30, 50
_SHOWN = ("id", "title", "issuer", "field", "direction", "strength", "targets", "start", "end", "status")


def checked(publisher: str, name: str, options: Mapping[str, str]) -> dict[str, str]:
    """The options of an import that was asked for, empty ones left out.

    Errors: DataError for an unknown publisher, DesignError for an option it does not have or that says nothing.
    """
    if publisher not in PUBLISHERS:
        raise DataError(f"there is no importer {publisher!r}", mend=nearest(publisher, PUBLISHERS))
    if name.lower().endswith(".toml") and publisher != REGISTER:
        raise DataError(f"{name} is TOML, and {publisher} publishes tables", mend=f"choose {REGISTER}, or another file")
    given = {key: text.strip() for key, text in options.items() if text.strip()}
    for key, text in given.items():
        if key not in OPTIONS.get(publisher, ()):
            raise DesignError(f"the importer {publisher} has no option {key!r}", mend="leave it empty")
        if key == "snapshot":
            whole_day(text)
        elif text not in ORDERS:
            raise DesignError(f"the order of dates is {text!r}", mend=nearest(text, ORDERS))
    return given


def preview(file: Path, asked: Mapping[str, Any], tell: Callable[[int, int, str], None], folder: Path) -> None:
    """Read a file as its publisher's importer does -> in `folder`: the measures, the rows that are quarantined, and what is shown of both.

    asked: publisher, options. Written: MEASURES, QUARANTINE if there is any, SUMMARY: rows, counts of their fates, measures, reasons
    (sentence, rows), faults (sentences on the whole), twice (ids that the shipped register has too), sample.
    Errors: DataError for a file that cannot be read, or is not that publisher's.
    """
    tell(0, 2, "reckon")
    publisher, options = str(asked["publisher"]), checked(str(asked["publisher"]), file.name, dict(asked.get("options", {})))
    if publisher != REGISTER:
        done = import_file(publisher, file, **options)
        measures, counts = done.measures, done.counts
        bad = pd.read_csv(done.quarantine, dtype="string") if done.quarantine else pd.DataFrame()
        faults: tuple[str, ...] = ()
    else:
        measures, bad, faults = _own(file)
        counts = {"measure": len(measures), "quarantined": len(bad)}
    tell(1, 2, "write")
    folder.mkdir(parents=True, exist_ok=True)
    write_table(measures, folder / MEASURES)
    if len(bad):
        write_table(bad, folder / QUARANTINE)
    there = set(entries_of([SHIPPED])["id"])
    why = bad["why"].map(_reason).value_counts() if len(bad) else pd.Series(dtype=int)
    told = {
        "rows": int(sum(counts.values())), "counts": {name: int(number) for name, number in counts.items()}, "measures": len(measures),
        "reasons": [[str(reason), int(number)] for reason, number in why.head(REASONS).items()],
        "other_reasons": max(0, len(why) - REASONS),
        "faults": list(faults[:FAULTS]), "other_faults": max(0, len(faults) - FAULTS),
        "twice": sorted(set(measures["id"].dropna()) & there)[:FAULTS], "sample": _sample(measures),
    }  # fmt: skip
    write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", folder / SUMMARY)
    tell(2, 2, "write")


def _own(file: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """A register of one's own: the entries that are sound, the others with the reason, and what is wrong with how they hang together."""
    con = connect()
    if file.suffix.lower() != ".toml":
        intake = take_in(con, file, MEASURE)
        found = con.to_pandas(intake.table.order_by("row"))
        bad = pd.read_csv(intake.quarantine, dtype="string") if intake.quarantine else pd.DataFrame()
        return found.drop(columns="row"), bad, consistent(found) if len(found) else ()
    label = file.name
    frame, words = examined(read_text(file, label), label)
    place = label + ":" + frame["row"].astype("string")
    told: dict[str, list[str]] = {}
    for one in words:
        line = one.removeprefix(f"{label}, line ").partition(",")[0]
        told.setdefault(f"{label}:{line}", []).append(one)
    sound = frame[~place.isin(told)].assign(**{PLACE: place}) if len(frame) else frame.assign(**{PLACE: place})
    intake = admit(con, ibis.memtable(sound.assign(row=sound["row"])), MEASURE, file=label)
    for one in intake.faults:
        row = one.partition(", row ")[2].partition(",")[0]
        told.setdefault(f"{label}:{row}", []).append(one)
    found = con.to_pandas(intake.table.order_by("row"))
    bad = frame[place.isin(told)]
    bad = bad.assign(why=[" | ".join(told[one]) for one in place[place.isin(told)]])[["why", *frame.columns]]
    return found.drop(columns="row"), bad, consistent(found) if len(found) else ()


def _reason(why: object) -> str:
    """A reason without the place, so that rows with the same one are counted together."""
    first = str(why).partition(" | ")[0]
    if ", line " in first and ", measure " in first:
        return first.partition(", measure ")[2].partition(" ")[2]
    place, mark, rest = first.partition(": ")
    if mark and ", row " in place:
        column = place.partition(", column ")[2]
        return f"{column}: {rest}" if column else rest
    return first


def _sample(measures: pd.DataFrame) -> list[dict[str, str]]:
    rows = measures.head(SAMPLE)
    return [{name: _text(row.get(name)) for name in _SHOWN} for row in rows.to_dict("records")]


def _text(value: Any) -> str:
    if isinstance(value, list) or hasattr(value, "tolist"):
        return " ".join(str(one) for one in value)
    return "" if value is None or pd.isna(value) else str(value)
