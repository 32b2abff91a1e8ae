"""Which format a file is in, by its first bytes; a name is only believed where bytes say nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qonys.core.errors import SourceError
from qonys.sources.formats.opening import beginning, encoding_of, name_of

if TYPE_CHECKING:
    from qonys.sources.formats.opening import Source
    from qonys.sources.staged import Staged

SELF_EXPLAINING = ("tsv", "sdmx-csv", "sdmx-ml", "json-stat", "px")


def sniff(source: Source) -> str:
    """tsv, sdmx-csv, sdmx-ml, json-stat, px, xlsx, parquet, json or csv.

    Errors: SourceError for an empty file, a web page, and a binary file of no known format.
    """
    packed = beginning(source, 8)
    if packed.startswith(b"PK\x03\x04") or packed.startswith(b"\xd0\xcf\x11\xe0"):
        return "xlsx"
    if packed.startswith(b"PAR1"):
        return "parquet"
    head = beginning(source)
    encoding = encoding_of(head)
    if b"\x00" in head and encoding != "utf-16":
        raise SourceError(f"{name_of(source)} is binary and of no known format", mend="save it as CSV, XLSX or Parquet")
    text = head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")
    first = text.partition("\n")[0]
    if text.startswith("<"):
        return "sdmx-ml"
    if text.startswith(("{", "[")):
        stat = re.search(r'"class"\s*:\s*"(dataset|collection)"', text) or ('"dimension"' in text and '"size"' in text)
        return "json-stat" if stat else "json"
    if re.match(r'"?(DATAFLOW|STRUCTURE)(\[.\])?"?\s*(:[^,;\t]*)?[,;\t]', first):
        return "sdmx-csv"
    if re.match(r"[^\t]*\\[^\t]*\t", first):
        return "tsv"
    if re.match(
        r'(CHARSET|AXIS-VERSION|CODEPAGE|LANGUAGE|CREATION-DATE|MATRIX|TITLE|SUBJECT-AREA)(\[[^\]]*\])?\s*=\s*"', text, re.IGNORECASE
    ):
        return "px"
    return "csv"


def stage_self_explaining(source: Source, kind: str | None = None) -> Staged:
    """A file in a format that names its own dimensions, as a staged table: TSV of Eurostat, SDMX-CSV, SDMX-ML, JSON-stat, PX.

    Errors: SourceError for any other format, and as the format's own reader.
    """
    kind = kind or sniff(source)
    if kind == "tsv":
        from qonys.sources.formats.tsv import stage_tsv

        return stage_tsv(source)
    if kind in ("sdmx-csv", "sdmx-ml"):
        from qonys.sources.formats.sdmx import stage_sdmx

        return stage_sdmx(source)
    if kind == "json-stat":
        from qonys.sources.formats.jsonstat import stage_jsonstat

        return stage_jsonstat(source)
    if kind == "px":
        from qonys.sources.formats.px import stage_px

        return stage_px(source)
    raise SourceError(
        f"{name_of(source)} is {kind}, which does not say what its columns are", mend="write a mapping for it: qonys sources map"
    )
