"""What a publisher replied, and whether it can be what was asked for: looked at before anything reads it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qonys.sources.request import Request

HEAD = 65_536  # bytes of a body that are shown to a publisher's quirk
CHUNK = 2**20
MOST_EXPANDED = 200  # times its limit that a compressed reply may unfold to
_SIGNATURES = {".gz": b"\x1f\x8b", ".xlsx": b"PK\x03\x04", ".zip": b"PK\x03\x04", ".parquet": b"PAR1"}
_TEXT = (".csv", ".tsv", ".px", ".txt")
_UNTOLD = ("", "application/octet-stream", "binary/octet-stream", "application/x-download", "application/force-download", "text/plain")
_ALSO_TEXT = ("application/csv", "application/vnd.ms-excel", "application/gzip")  # what servers call CSV
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)
_SECRET = ("set-cookie", "authorization", "proxy-authorization", "cookie")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What was fetched. path: the bytes as published, whole and of the right shape; None where nothing changed since `etag`.

    url: where the bytes came from in the end; size, sha256: of them; headers: as received, names in lower case, without cookies;
    tries: requests that it took; resumed_from: bytes that an earlier pull had left, or None.
    """

    path: Path | None
    url: str
    looked_at: datetime
    changed: bool
    size: int
    sha256: str
    media_type: str
    etag: str
    last_modified: str
    headers: Mapping[str, str]
    tries: int
    resumed_from: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as a publisher's quirk sees it: the first `HEAD` bytes of its body, without transfer encoding."""

    url: str
    status: int
    media_type: str
    head: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is the reply, for better or worse."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The reply is to be had at another address; wait: it is still being prepared."""

    url: str
    wait: bool


@dataclass(frozen=True, slots=True)
class Refuse:
    """There is no reply: the sentence for the user."""

    what: str
    mend: str


if TYPE_CHECKING:
    Quirk = Callable[[Answer], Done | Ask | Refuse]


def media_type(headers: Mapping[str, str]) -> str:
    """The content type without parameters, in lower case; empty if none is told."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def public(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by lower-case name, in order, without cookies and other secrets."""
    return {name.lower(): value for name, value in sorted(headers.items()) if name.lower() not in _SECRET}


def fault(path: Path, *, headers: Mapping[str, str], request: Request, largest: int) -> str | None:
    """What is wrong with the bytes of a reply, as the end of a sentence that begins with its name; None: nothing is seen.

    Looked at: that there is something, that it is no page for people, that content type and first bytes are those of the suffix, and that
    the end of the format is there (the trailers of gzip with their checksums, of zip, Parquet, JSON and XML). CSV and TSV have no end.
    """
    size = path.stat().st_size
    if not size:
        return "is empty"
    with path.open("rb") as stream:
        head = stream.read(HEAD)
        stream.seek(max(0, size - 512))
        tail = stream.read()
    suffix, told = Path(f"reply{request.suffix}").suffix, media_type(headers)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _HTML.match(start) or (told in ("text/html", "application/xhtml+xml") and start[:1] == b"<"):
        return "is a page for people (HTML), not data"
    wanted = ", ".join(request.expects) or f"a {suffix or 'data'} file"
    if suffix in _SIGNATURES:
        if not head.startswith(_SIGNATURES[suffix]):
            return f"does not begin as a {suffix} file does, but with {head[:16]!r}"
    elif suffix == ".json":
        if start[:1] not in (b"{", b"["):
            return f"is not JSON: it begins with {head[:16]!r}"
    elif suffix == ".xml":
        if start[:1] != b"<":
            return f"is not XML: it begins with {head[:16]!r}"
    elif suffix in _TEXT:
        if start[:1] in (b"<", b"{") or (b"\x00" in head and head[:2] not in (b"\xff\xfe", b"\xfe\xff")):
            return f"is not {suffix.removeprefix('.').upper()} text: it begins with {head[:16]!r}"
        if told not in (*request.expects, *_UNTOLD) and not told.startswith("text/") and told not in _ALSO_TEXT:
            return f"calls itself {told}, and {wanted} was expected"
    elif request.expects and told not in (*request.expects, *_UNTOLD):
        return f"calls itself {told}, and {wanted} was expected"
    if suffix not in (*_SIGNATURES, *_TEXT):  # one that leaves the format open
        suffix = {b"<": ".xml", b"{": ".json", b"[": ".json"}.get(start[:1], suffix)
    return _cut_off(path, suffix, tail, most=largest * MOST_EXPANDED)


def _cut_off(path: Path, suffix: str, tail: bytes, *, most: int) -> str | None:
    end = tail.rstrip()[-1:]
    if suffix == ".gz":
        return expand(path, None, most=most)
    if suffix in (".xlsx", ".zip") and not zipfile.is_zipfile(path):
        return "is cut off: the directory at the end of the file is not there"
    if (suffix == ".json" and end not in (b"}", b"]")) or (suffix == ".xml" and end != b">"):
        return f"is cut off: it ends with {tail[-16:]!r}"
    if suffix == ".parquet" and not tail.endswith(b"PAR1"):
        return "is cut off: its footer is not there"
    return None


def expand(path: Path, to: Path | None, *, most: int) -> str | None:
    """Unfold a gzip file to `to`, or only look whether it is whole. Gives what is wrong, as `fault` does; None: all is well."""
    unfolded, member = 0, zlib.decompressobj(wbits=31)
    whole = False  # between two members
    with path.open("rb") as stream, (to or Path("/dev/null")).open("wb") as out:
        try:
            while chunk := stream.read(CHUNK):
                while chunk:
                    if whole:
                        if not chunk.strip(b"\x00"):  # padding after the last member
                            break
                        member, whole = zlib.decompressobj(wbits=31), False
                    more = member.decompress(chunk, CHUNK)
                    unfolded += len(more)
                    if unfolded > most:
                        return f"unfolds to more than {most:,} bytes"
                    out.write(more)
                    whole = member.eof
                    chunk = member.unused_data if whole else member.unconsumed_tail
        except zlib.error as error:
            return f"is not whole gzip: {error}"
    return None if whole else "is cut off: the end of the gzip data is not there"


def set_aside(path: Path, *, folder: Path, request: Request, url: str, headers: Mapping[str, str], found: str, at: datetime) -> Path:
    """Keep a reply of a wrong shape in the quarantine: a copy of its bytes, and beside it `.json` with what was asked, got and expected.

    The same bytes with the same fault are kept once. Gives the path of the copy. To be used also where staging finds a changed shape.
    """
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{digest[:24]}{request.suffix}"
    if not kept.exists():
        draft = folder / f".{kept.name}.draft"
        shutil.copyfile(path, draft)
        draft.chmod(0o444)
        draft.replace(kept)
    told = {
        "at": at.isoformat(timespec="seconds"), "url": url, "found": found, "bytes": path.stat().st_size, "sha256": digest,
        "headers": public(headers), "expected": {name: value for name, value in asdict(request).items() if name != "headers"},
    }  # fmt: skip
    kept.with_name(f"{kept.name}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return kept
