"""Opened files: a path or a binary file, plain or compressed, seen through the first bytes rather than the name."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from qonys.core.errors import SourceError

if TYPE_CHECKING:
    from typing import TypeAlias

    Source: TypeAlias = str | Path | IO[bytes]

MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
HEAD = 65_536
JSON = 96 << 20  # bytes of JSON, which takes some ten times as much in memory
MARKUP = (b"<!doctype html", b"<html")


def name_of(source: Source) -> str:
    """The name of a file, for sentences."""
    return Path(str(source if isinstance(source, str | Path) else getattr(source, "name", "the file"))).name


def opened(source: Source) -> pa.NativeFile:
    """The bytes of a file, decompressed (gzip, zstd, bzip2) where the first bytes say so.

    Errors: SourceError for a file that is not there, is empty, or is a web page where data should be.
    """
    head = beginning(source, 16, plain=False)
    raw = _raw(source)
    kind = next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)
    return pa.CompressedInputStream(raw, kind) if kind else raw


def beginning(source: Source, size: int = HEAD, *, plain: bool = True) -> bytes:
    """The first bytes of a file, decompressed if `plain`; a binary file is put back to its beginning.

    Errors: SourceError as of `opened`.
    """
    file = name_of(source)
    raw = _raw(source)
    try:
        head = raw.read(size)
        kind = next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)
        if plain and kind:
            raw.seek(0)
            head = pa.CompressedInputStream(raw, kind).read(size)
    except OSError as wrong:
        raise SourceError(f"{file} breaks off or is damaged ({str(wrong)[:200]})", mend="pull it again") from None
    finally:
        if not isinstance(source, str | Path):
            source.seek(0)
    if not head.strip():
        raise SourceError(f"{file} is empty", mend="pull it again, or check the file")
    if head.startswith(b"%PDF-"):
        raise SourceError(f"{file} is a PDF, which holds pages and no table", mend="ask for it as XLSX or CSV, or type its table into one")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower().startswith(MARKUP):
        raise SourceError(f"{file} is a web page, not data", mend="open its address in a browser: the service may be down or moved")
    return bytes(head)


def whole(source: Source, *, largest: int = 256 << 20) -> bytes:
    """All bytes, decompressed, of a file whose format must be read at once. Errors: SourceError past `largest` bytes."""
    with opened(source) as file:
        try:
            data = bytes(file.read(largest + 1))
        except OSError as wrong:
            raise SourceError(f"{name_of(source)} breaks off or is damaged ({str(wrong)[:200]})", mend="pull it again") from None
    if len(data) > largest:
        raise SourceError(
            f"{name_of(source)} holds more than {largest >> 20} MiB, which its format needs in memory at once",
            mend="ask for fewer years or areas, or take the table as CSV",
        )
    return data


def decoded(data: bytes, encoding: str | None = None) -> str:
    """Bytes as text: the encoding given, a byte order mark, UTF-8, or else Windows-1251 or 1252 by what the letters look like."""
    return data.decode(encoding or encoding_of(data), errors="strict" if encoding else "replace")


def encoding_of(head: bytes) -> str:
    """The encoding of text by its first bytes.

    >>> encoding_of("Прибыло".encode("cp1251")), encoding_of("Прибыло".encode())
    ('cp1251', 'utf-8')
    """
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return name
    for cut in range(4):  # the last letter may be cut
        try:
            head[: len(head) - cut].decode("utf-8")
            return "utf-8"
        except UnicodeDecodeError:
            continue
    high = [byte for byte in head if byte >= 0x80]
    # a Cyrillic word in cp1251 is all high bytes; accented letters of Western text stand alone
    pairs = sum(one >= 0xC0 and two >= 0xC0 for one, two in pairwise(head))
    return "cp1251" if pairs * 2 > len(high) else "cp1252"


def _raw(source: Source) -> pa.NativeFile:
    if isinstance(source, str | Path):
        try:
            return pa.OSFile(str(source), "rb")
        except OSError:
            raise SourceError(f"{source} is not there, or may not be read", mend="check the path") from None
    source.seek(0)
    return pa.PythonFile(_Lent(source), mode="r")


class _Lent:
    """A caller's binary file, which stays open when Arrow closes it."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def close(self) -> None:
        """Nothing: the file is the caller's."""

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True
