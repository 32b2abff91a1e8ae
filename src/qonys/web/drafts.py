"""A draft of an entry: its fields in a form and as TOML, what is wrong with it field by field, and what it would change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from qonys.core.contracts import MEASURE
from qonys.core.errors import RegisterError, nearest
from qonys.core.validate import examine, sentence
from qonys.measures import consistent, examine_register, unchanged
from qonys.measures.agreement import CODED, as_text
from qonys.registers import explain_corridor
from qonys.store import connect

if TYPE_CHECKING:
    from qonys.core.contracts import Column
    from qonys.measures.history import Reading
    from qonys.web.house import House

Entry = dict[str, str]  # column -> text, lists separated by spaces; gaps are left out
OURS = ("version", "coder", "coded_on", "change")  # written down when an entry is accepted, by whoever acted
FIELDS = tuple(column for column in MEASURE.columns if column.name not in OURS)
MOST = {"text": 4000, "codes": 1000, "areas": 2000}  # characters
MOST_SHORT = 200
LONG = ("title", "evidence", "outcome", "note", "target_words", "exception_words")  # written on several lines
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FILE = "entry"


def tidy(column: Column, values: Iterable[str]) -> str:
    """What was typed into a field, as text of a register: one line, lists separated by single blanks, codes of areas in capitals."""
    text = " ".join(values)
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if column.kind in ("codes", "areas"):
        text = " ".join(dict.fromkeys(text.replace(",", " ").replace(";", " ").split()))
    return text.upper() if column.kind in ("area", "areas") else text


def of_form(typed: Mapping[str, Iterable[str]]) -> Entry:
    """An entry as typed into a form: name of a field -> its values."""
    entry = {column.name: tidy(column, typed.get(column.name, ())) for column in FIELDS}
    return {name: text for name, text in entry.items() if text}


def of_columns(given: Mapping[str, str]) -> Entry:
    """An entry as column -> text. Errors: RegisterError for a column that no entry has; those written on acceptance are passed over."""
    for name in given:
        if name not in MEASURE.names:
            raise RegisterError(f"an entry has no {name!r}", mend=nearest(name, MEASURE.names))
    return of_form({name: [text] for name, text in given.items()})


def of_toml(text: str) -> Entry:
    """An entry written as TOML: `issuer` at the head, and one [[measure]]; what is written on acceptance is passed over.

    Errors: RegisterError for text that is not TOML, holds another number of entries, or keys that no entry has.
    """
    frame, faults = examined(text, _FILE)
    if len(frame) != 1:
        raise RegisterError(f"there are {len(frame)} entries", mend="write one [[measure]], and issuer above it")
    if faults and (unknown := [fault for fault in faults if " has the key " in fault]):
        what, _, mend = unknown[0].rpartition("; ")
        raise RegisterError(what, mend=mend)
    row = frame.iloc[0]
    return {c.name: tidy(c, [str(row[c.name])]) for c in FIELDS if isinstance(row[c.name], str) and row[c.name].strip()}


def examined(text: str, file: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """`examine_register` of text from anywhere. Errors: RegisterError also for what the parser gives up on."""
    try:
        return examine_register(text, file=file)
    except (RecursionError, ValueError) as error:  # nested too deep, a day that does not exist, a number of too many digits
        raise RegisterError(f"{file} is not valid TOML: {str(error)[:200]}", mend="write plain entries") from None


def as_toml(entry: Mapping[str, str], *, head: bool = True) -> str:
    """The entry as text of a register file, whatever stands in its fields. head: with its issuer above."""
    columns = [column for column in MEASURE.columns if column.name != "issuer" and entry.get(column.name)]
    lines = ["[[measure]]", *(f"{column.name} = {_value(column, entry[column.name])}" for column in columns)]
    return "\n".join(([f"issuer = {_quoted(entry.get('issuer', ''))}", ""] if head else []) + lines) + "\n"


def _value(column: Column, text: str) -> str:
    if column.kind in ("codes", "areas"):
        return f"[{', '.join(_quoted(part) for part in text.split())}]"
    bare = (column.kind == "boolean" and text in ("true", "false")) or (
        column.kind in ("integer", "number") and re.fullmatch(r"-?(0|[1-9]\d{0,14})(\.\d{1,9})?", text) is not None
    )
    return text if bare else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def faults_of(entry: Mapping[str, str], house: House, *, base: int | None) -> dict[str, list[str]]:
    """What is wrong with an entry: column -> sentences; under "" what concerns the whole. base: the version it follows on; None: it is new.

    Asked are the words of the codebook (`examine_register`), the contract, how entries hang together (`consistent`), and that no version
    that stands is touched (`unchanged`).
    """
    told: dict[str, list[str]] = {}
    for column in FIELDS:
        text = entry.get(column.name, "")
        if len(text) > (most := MOST.get(column.kind, MOST_SHORT)):
            told.setdefault(column.name, []).append(f"has {len(text)} characters; shorten it to {most}")
        elif text:
            told.setdefault(column.name, []).extend(_word_faults(column, text))
    id = entry.get("id", "")
    if id and not _ID.fullmatch(id):
        told.setdefault("id", []).append(f"{id!r} is no id; write letters, digits and . _ - only")
    elif id and base is None and (stands := house.latest(id)) is not None:
        told.setdefault("id", []).append(
            f"the register has an entry {id} (version {stands}); propose a new version of it, or choose another id"
        )
    for column_name, sentence_ in _contract_faults(entry):
        if not told.get(column_name):
            told.setdefault(column_name, []).append(sentence_)
    told = {name: sentences for name, sentences in told.items() if sentences}
    if not told:
        told = _linked(entry, house, base)
    return told


def _word_faults(column: Column, text: str) -> list[str]:
    """What `examine_register` says of one field by itself."""
    one = as_toml({"issuer": "WORLD", column.name: text}) if column.name != "issuer" else as_toml({"issuer": text})
    _, faults = examine_register(one, file=_FILE)
    where = f"{_FILE}, line 3, measure {text if column.name == 'id' else '(no id)'} "
    return [fault.removeprefix(where) for fault in faults]


def _contract_faults(entry: Mapping[str, str]) -> list[tuple[str, str]]:
    row = {name: entry.get(name) for name in MEASURE.names if name not in OURS} | {"coder": "draft"}
    frame = pd.DataFrame([row]).astype("string").assign(row=1)
    con = connect()
    faults = con.to_pandas(examine(ibis.memtable(frame), MEASURE, file=_FILE).faults)
    told = []
    for column, rule in faults[["column", "rule"]].itertuples(index=False):
        said = sentence(place=f"{_FILE}:1", column=column, rule=rule, found=entry.get(column), contract=MEASURE)
        # which column is said by where the sentence stands; what the column holds is said beside it
        told.append((column, "is empty; fill it in" if rule == "missing" else said.partition(": ")[2]))
    return told


def _linked(entry: Mapping[str, str], house: House, base: int | None) -> dict[str, list[str]]:
    before = house.entries()
    draft = numbered(entry, (base or 0) + 1, coder="draft", day=coding_day(house, entry.get("id", "")), change="draft")
    now = pd.concat([before, pd.DataFrame([{**draft, "row": 1, "file": "draft"}])], ignore_index=True)
    new = [one for one in consistent(now) if one not in set(consistent(before))]
    told: dict[str, list[str]] = {}
    for fault in (*new, *unchanged(now, before)):
        place = next(
            (name for name in ("supersedes", "transposed_by") if f" in {name}" in fault), "issuer" if "has the id of" in fault else ""
        )
        told.setdefault(place, []).append(re.sub(r"^[^ ]+, line 1, measure ", "", fault))
    return told


def coding_day(house: House, id: str, today: date | None = None) -> str:
    """The day a new version of an entry bears: today, or that of the version before if a clock has run ahead."""
    days = [row["coded_on"] for row in house.versions(id) if row.get("coded_on")]
    return max([(today or datetime.now(UTC).date()).isoformat(), *days])


def numbered(entry: Mapping[str, str], version: int, *, coder: str, day: str, change: str) -> Entry:
    """The entry with what is written down on acceptance. The first version has no number and needs no reason."""
    own = {name: text for name, text in entry.items() if name not in OURS} | {"coder": coder, "coded_on": day}
    return own if version == 1 else own | {"version": str(version), "change": " ".join(change.split())}


def codes_of(entry: Mapping[str, str]) -> Entry:
    """The codes of an entry that a second coder codes too."""
    return {name: as_text(entry[name], name) or "" for name in CODED if entry.get(name)}


def with_codes(entry: Mapping[str, str], codes: Mapping[str, str]) -> Entry:
    """The entry with other codes; a column that keeps its code keeps its words too."""
    own = codes_of(entry)
    return dict(entry) | {name: code for name, code in codes.items() if code and code != own.get(name)}


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Columns in which two versions differ -> (column, before, after), in the order of the contract."""
    pairs = [(c.name, before.get(c.name, ""), after.get(c.name, "")) for c in FIELDS]
    return [(name, one, two) for name, one, two in pairs if as_text(one, name) != as_text(two, name)]


def explained(
    entry: Mapping[str, str], house: House, corridor: tuple[str, str, str], on: date, *, base: int | None, reading: Reading, direction: str
) -> pd.DataFrame:
    """Why a corridor would be on if the entry stood: `registers.explain_corridor` of the register with the draft beside it."""
    draft = numbered(entry, (base or 0) + 1, coder="draft", day=coding_day(house, entry["id"]), change="draft")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "draft.toml"
        path.write_text(as_toml(draft), encoding="utf-8")
        return explain_corridor((*house.names(), str(path)), *corridor, on, reading=reading, direction=direction)
