"""SDMX-ML data messages, generic and structure-specific (2.1, 3.0), read as a stream: memory does not grow with the file.

sdmx1 makes an object of each observation, some two kilobytes; it is the check of this reader, not the reader. What is a dimension is said
in a generic message. In a structure-specific one, without its structure, it is what every series has and is no usual attribute.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING
from xml.parsers import expat

import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.errors import SourceError
from qonys.sources.formats.long import Roles, long_batch
from qonys.sources.formats.opening import name_of, opened
from qonys.sources.staged import Faults, Staged, own_names, staged, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qonys.sources.formats.opening import Source

    Row = tuple[dict[str, str], dict[str, str]]  # what a series says, what an observation says

CHUNK = 1 << 20
ROWS = 50_000
OBSERVED = ("OBS_VALUE", "TIME_PERIOD")
LATE = "late components"  # where those go that the first rows did not have; no component has such a name


def stage_sdmx_ml(source: Source, *, dimensions: tuple[str, ...] | None = None) -> Staged:
    """A data message as a staged table: dimensions, the cell, `dataflow` where it is said, and all attributes.

    dimensions: their published names, where the structure is known. An attribute that first appears after 50,000 observations stands in
    `note` as NAME=value. Attributes of groups are given to each of their series.
    Errors: SourceError for XML that breaks off, declares a document type, holds no data, or holds an error message of the service.
    """
    from qonys.sources.formats.sdmx import ATTRIBUTES, FLAG, GAP

    file = name_of(source)
    message = _Message(file)
    rows = _rows(source, message)
    first = next(rows, [])
    if not message.datasets:
        said = " ".join(message.said) or "it holds no data set"
        raise SourceError(f"{file} is no data message: {said[:300]}", mend="check dataset and filters, or pull again later")
    names = _names(first)
    if dimensions is None:
        key = message.key or _dimensions(first, names, ATTRIBUTES)
    else:
        key = [name for name in dimensions if name not in OBSERVED]
        if missing := [name for name in key if first and name not in names]:
            raise SourceError(f"{file} has no dimension {missing[0]!r}", mend="its components are: " + ", ".join(names)[:300])
    ours = dict(
        zip(
            [*key, *(name for name in names if name not in (*key, *OBSERVED))],
            own_names([*key, *(name for name in names if name not in (*key, *OBSERVED))]),
            strict=True,
        )
    )
    flag = next((name for name in ours if ours[name] in FLAG), None)
    unit = next((name for name in ours if ours[name] in ("unit", "unit_measure")), None)
    roles = Roles(
        dimensions={ours[name]: name for name in key},
        value="OBS_VALUE",
        period="TIME_PERIOD",
        flag=flag,
        unit=unit,
        note=LATE,
        attributes={ours[name]: name for name in ours if name not in key and name != flag and ours[name] != "unit"},
        gaps=GAP,
    )
    of, faults = roles.schema, Faults(file)
    columns = [*ours, *OBSERVED]

    def made() -> Iterator[pa.RecordBatch]:
        before = 0
        for part in chain([first], rows):
            late = [name for name in _names(part) if name not in columns]
            block = _columns(part, columns)
            block[LATE] = pa.array([_late(series, obs, late) for series, obs in part] if late else [None] * len(part), pa.string())
            out = long_batch(block, len(part), roles, of, faults, _Place(before))
            before += len(part)
            if out.num_rows:
                yield out

    notes = [f"dataflow {message.flow}"] if message.flow else []
    return staged(made(), of=of, dimensions=tuple(roles.dimensions), faults=faults, notes=notes)


class _Place:
    """The place of an observation in the message."""

    def __init__(self, before: int) -> None:
        self.before = before

    def __call__(self, row: int) -> str:
        return f"observation {self.before + row + 1}"


def _columns(rows: Sequence[Row], names: Sequence[str]) -> dict[str, pa.Array]:
    """The components as columns: what a series says is written once and taken for each of its observations."""
    distinct: list[dict[str, str]] = []
    which: list[int] = []
    for series, _ in rows:
        if not distinct or series is not distinct[-1]:
            distinct.append(series)
        which.append(len(distinct) - 1)
    shared, observed = set().union(*distinct), set().union(*(obs for _, obs in rows))
    found = {}
    for name in names:
        above = pa.array([series.get(name) for series in distinct], pa.string()).take(pa.array(which)) if name in shared else None
        own = pa.array([obs.get(name) for _, obs in rows], pa.string()) if name in observed else None
        both = pc.coalesce(own, above) if own is not None and above is not None else own if above is None else above
        found[name] = pa.nulls(len(rows), pa.string()) if both is None else both
    return found


def _names(rows: Sequence[Row]) -> list[str]:
    """All components of some rows, by first appearance."""
    found: dict[str, None] = {}
    last: dict[str, str] | None = None
    for series, obs in rows:
        if series is not last:
            found.update(dict.fromkeys(series))
            last = series
        if not obs.keys() <= found.keys():
            found.update(dict.fromkeys(obs))
    return list(found)


def _dimensions(rows: Sequence[Row], names: Sequence[str], attributes: frozenset[str]) -> list[str]:
    """Components that every row has on the level of the series (of the observation, in a flat message) and that are no usual attribute."""
    flat = not any(series for series, _ in rows)
    having = [obs if flat else series for series, obs in rows]
    distinct = {id(one): one for one in having}.values()
    usual = [name for name in names if name not in OBSERVED and name.casefold() not in attributes]
    return [name for name in usual if all(name in one for one in distinct)]


def _late(series: dict[str, str], obs: dict[str, str], names: Sequence[str]) -> str | None:
    said = [f"{name}={obs.get(name) or series.get(name)}" for name in names if name in obs or name in series]
    return "; ".join(said) or None


def _rows(source: Source, message: _Message) -> Iterator[list[Row]]:
    """The observations in parts of about 50,000."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = message.start, message.end
    message.parser = parser
    parser.StartDoctypeDeclHandler = message.doctype
    try:
        with opened(source) as file:
            while chunk := file.read(CHUNK):
                parser.Parse(chunk, False)
                if len(message.rows) >= ROWS:
                    yield message.taken()
            parser.Parse(b"", True)
    except expat.ExpatError as wrong:
        raise SourceError(f"{message.file} is no whole XML: {wrong}", mend="pull it again; the kept bytes show what came") from None
    except LookupError as wrong:
        raise SourceError(f"{message.file} is in an encoding that is not known: {wrong}", mend="pull it again") from None
    except OSError as wrong:
        raise unreadable(message.file, wrong) from None
    if message.rows:
        yield message.taken()


class _Message:
    """What expat sees: a state that is as deep as SDMX-ML is."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows: list[Row] = []
        self.key: list[str] = []  # dimensions, where a generic message says them
        self.flow = ""
        self.datasets = 0
        self.said: list[str] = []
        self.at = "TIME_PERIOD"
        self.series: dict[str, str] = {}
        self.obs: dict[str, str] = {}
        self.group: dict[str, str] = {}
        self.groups: list[dict[str, str]] = []
        self.into: dict[str, str] | None = None
        self.inside = ""
        self.parser: expat.XMLParserType | None = None
        self.local: dict[str, str] = {}

    def taken(self) -> list[Row]:
        """The rows so far, which are then forgotten."""
        rows, self.rows = self.rows, []
        return rows

    def doctype(self, *_: object) -> None:
        raise SourceError(f"{self.file} declares a document type, which no data message does", mend="do not trust the file; pull it again")

    def start(self, raw: str, attributes: dict[str, str]) -> None:
        name = self.local.get(raw)
        if name is None:
            name = self.local[raw] = raw.rpartition(":")[2]
        if name == "Obs":
            self.obs = attributes
            self.into = attributes
            self.inside = "Obs"
        elif name == "Value" and self.into is not None:
            # generic: <Value id= value=>; in 2.0 `concept`
            component = attributes.get("id") or attributes.get("concept")
            if component is not None:
                self.into[component] = attributes.get("value", "")
                if self.inside in ("SeriesKey", "ObsKey") and component not in self.key and component not in OBSERVED:
                    self.key.append(component)
        elif name == "ObsDimension":
            self.obs[attributes.get("id") or self.at] = attributes.get("value", "")
            if self.at not in ("TIME_PERIOD", *self.key):
                self.key.append(self.at)
        elif name == "ObsValue":
            self.obs["OBS_VALUE"] = attributes.get("value", "")
        elif name == "Series":
            self.series = self._shared(_plain(attributes))
            self.into, self.inside = self.series, "Series"
        elif name in ("SeriesKey", "ObsKey"):
            self.inside = name
        elif name == "Attributes":
            self.into = {"Obs": self.obs, "ObsKey": self.obs, "Group": self.group}.get(self.inside, self.series)
        elif name == "Group":
            self.group = _plain(attributes)
            self.into, self.inside = self.group, "Group"
        elif name == "DataSet":
            self.datasets += 1
        elif name == "Structure":
            self.at = attributes.get("dimensionAtObservation", self.at)
            self.at = "TIME_PERIOD" if self.at == "AllDimensions" else self.at
        elif name == "Ref" and not self.datasets and not self.flow and "id" in attributes:
            self.flow = f"{attributes.get('agencyID', '')}:{attributes['id']}({attributes.get('version', '1.0')})"
        elif name in ("ErrorMessage", "Message", "Error", "Fault"):
            if self.parser is not None:
                self.parser.CharacterDataHandler = self.text  # text says something only in a message of the service
            if "code" in attributes:
                self.said.append(f"code {attributes['code']}")

    def end(self, raw: str) -> None:
        name = self.local[raw]
        if name == "Obs":
            self.rows.append((self.series, self.obs))
            self.into, self.inside = self.series, "Series"
        elif name == "ObsKey":
            self.inside = "Obs"
        elif name == "SeriesKey":
            self.inside = "Series"
            self.series = self._shared(self.series)
        elif name == "Series":
            self.series, self.into = {}, None
        elif name == "Group":
            self.groups.append(self.group)
            self.into = None

    def text(self, data: str) -> None:
        if data.strip():
            self.said.append(re.sub(r"\s+", " ", data).strip())

    def _shared(self, series: dict[str, str]) -> dict[str, str]:
        """What groups say of a series: a group is meant where all it has in common with the series is equal."""
        for group in self.groups:
            common = group.keys() & series.keys()
            if common and all(group[name] == series[name] for name in common):
                series = {**{name: value for name, value in group.items() if name not in series}, **series}
        return series


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    """Attributes of an element without those of XML itself (xsi:type) and the type of a group."""
    return {name: value for name, value in attributes.items() if ":" not in name and name not in ("type", "REPORTING_YEAR_START_DAY")}
