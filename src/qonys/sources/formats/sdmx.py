"""SDMX-CSV 1.0 and 2.0: one observation a row, dimensions, then the measure, then attributes; SDMX-ML goes to `sdmx_ml`.

Format: SDMX-CSV field guides (github.com/sdmx-twg/sdmx-csv). Codes alone, "code: label" in one cell (labels=both) or in two columns
(labels=name). What is a dimension is not said in the file: it is a column before OBS_VALUE that is no usual attribute.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qonys.core.errors import SourceError
from qonys.sources.formats.delimited import look, stage_delimited
from qonys.sources.formats.long import Roles
from qonys.sources.formats.opening import beginning, name_of
from qonys.sources.formats.sdmx_ml import stage_sdmx_ml
from qonys.sources.staged import own_names

if TYPE_CHECKING:
    from qonys.sources.formats.delimited import Look
    from qonys.sources.formats.opening import Source
    from qonys.sources.staged import Staged

TECHNICAL = frozenset(("dataflow", "structure", "structure_id", "structure_name", "action", "series_key", "obs_key", "key", "last_update"))
# attributes of the SDMX cross-domain concepts and of the publishers read here, wherever their column stands
ATTRIBUTES = frozenset((
    "obs_status", "obs_flag", "conf_status", "obs_conf", "unit_mult", "decimals", "base_per", "base_period", "time_format", "title",
    "title_compl", "collection", "comment_obs", "comment_ts", "comment_dset", "obs_comment", "obs_com", "pre_break_value", "obs_pre_break",
    "compilation", "coverage", "source_agency", "embargo_time", "time_per_collect", "unit_measure_type", "upper_bound", "lower_bound",
    "note_source", "note_indicator", "note_classif", "obs_edp_wbb", "conversion_type", "nat_title", "publ_public",
))  # fmt: skip
FLAG = ("obs_flag", "obs_status")
CODED = frozenset(("flag", "unit", "obs_status", "obs_flag", "conf_status", "unit_measure", "unit_mult", "decimals"))
GAP = frozenset(("", ":", "NaN", "nan", "-", "..", "M"))


def stage_sdmx(source: Source, *, dimensions: tuple[str, ...] | None = None) -> Staged:
    """An SDMX data message, in CSV or XML by its first bytes, as a staged table.

    dimensions: their published names, where the structure is known; otherwise they are found as the modules say.
    Errors: SourceError for anything that is neither.
    """
    head = beginning(source).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<") or head[:4] in (b"\xff\xfe<\x00", b"\xfe\xff\x00<"):
        return stage_sdmx_ml(source, dimensions=dimensions)
    if head.startswith((b"{", b"[")):
        raise SourceError(f"{name_of(source)} is JSON, not SDMX in CSV or XML", mend="ask for format=csv, or stage it as JSON-stat")
    return stage_sdmx_csv(source, dimensions=dimensions)


def stage_sdmx_csv(source: Source, *, dimensions: tuple[str, ...] | None = None) -> Staged:
    """An SDMX-CSV message as a staged table; `dataflow`, attributes and labels (`<name>_label`) stand behind the cell.

    A row that deletes (ACTION D) and a row that describes a part of the table are faults and no cells. The vintage is Eurostat's
    column LAST UPDATE. Errors: SourceError for a file without OBS_VALUE.
    """
    seen = look(source)
    file = name_of(source)
    both = any(":" in name for name in seen.names)
    bare = [re.sub(r"\[.*\]$", "", name.partition(":")[0].strip()) for name in seen.names]
    published = _paired(bare, file) if "STRUCTURE_NAME" in [name.upper() for name in bare] else [(name, False) for name in bare]
    ours = own_names([f"{name} label" if label else name for name, label in published])
    columns = dict(zip(ours, (f"{place}" for place in range(len(ours))), strict=True))  # names of a file may be alike: columns go by number
    if "obs_value" not in columns:
        raise SourceError(
            f"{file} has no column OBS_VALUE; its columns are {', '.join(seen.names)[:200]}",
            mend="ask for SDMX-CSV, or write a mapping for the file",
        )
    if not {"dataflow", "structure", "structure_id"} & set(columns):
        raise SourceError(f"{file} does not begin with DATAFLOW or STRUCTURE, as SDMX-CSV does", mend="write a mapping for the file")
    own = None if dimensions is None else set(own_names(dimensions))
    parts = {"obs_value", "time_period", "obs_value_label", "time_period_label"}
    plain = [name for name in ours if name not in TECHNICAL and name not in parts and not name.endswith("_label")]
    before = [
        name for name in plain if (ours.index(name) < ours.index("obs_value") and name not in ATTRIBUTES if own is None else name in own)
    ]
    missing = sorted((own or set()) - set(before) - {"time_period"})
    if missing:
        raise SourceError(f"{file} has no dimension {missing[0]!r}", mend="its columns are: " + ", ".join(ours)[:300])
    flag = next((name for name in FLAG if name in columns), None)
    unit = next((name for name in ("unit", "unit_measure") if name in columns), None)
    flow = next((name for name in ("structure_id", "dataflow") if name in columns), None)
    rest = [name for name in plain if name not in before and name not in (flag, "unit")]
    labels = [name for name in ours if name.endswith("_label") and name not in parts]
    attributes = ({"dataflow": columns[flow]} if flow else {}) | {name: columns[name] for name in (*rest, *labels)}
    roles = Roles(
        dimensions={name: columns[name] for name in before},
        value=columns["obs_value"],
        period=columns.get("time_period"),
        flag=columns[flag] if flag else None,
        unit=columns[unit] if unit else None,
        attributes=attributes,
        coded=frozenset(name for name in (*before, *attributes, "flag", "unit") if name in before or name in CODED)
        if both
        else frozenset(),
        gaps=GAP,
        decimal=seen.decimal,
        keyless=True,
        action=columns.get("action"),
    )
    return stage_delimited(source, seen, roles, vintage=_vintage(seen, ours), names=tuple(columns.values()))


def _paired(names: list[str], file: str) -> list[tuple[str, bool]]:
    """(name, is a label) of a file whose codes are each followed by their label."""
    after = max((place for place, name in enumerate(names) if name.casefold() in TECHNICAL), default=-1) + 1
    if (len(names) - after) % 2:
        raise SourceError(f"{file} has labels, but not for each of its columns", mend="ask for the table without labels")
    pairs = names[after:]
    return [(name, False) for name in names[:after]] + [(pairs[place - place % 2], place % 2 == 1) for place in range(len(pairs))]


def _vintage(seen: Look, ours: tuple[str, ...]) -> str | None:
    """Eurostat writes 22/05/26 11:00:00."""
    place = ours.index("last_update") if "last_update" in ours else -1
    if place < 0 or not seen.rows or len(seen.rows[0]) <= place:
        return None
    written = seen.rows[0][place]
    if found := re.match(r"(\d\d)/(\d\d)/(\d\d)(\d\d)?\b", written):
        day, month, year, more = found.groups()
        return f"{year + more if more else '20' + year}-{month}-{day}"
    return written[:10] if re.match(r"\d{4}-\d\d-\d\d", written) else None
