"""Bytes as received, compressed: alone, or against the bytes of the vintage before, of which most are often the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.core.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import zstandard

LEVEL, LEVEL_AGAINST = 10, 12
MOST_AGAINST = 2**27  # bytes of a file that is compared with another in memory
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"PAR1")  # compressed by the publisher: after the first difference nothing is the same
_WIDEST = 30  # log2 of the farthest that a match may lie back


def pack(path: Path, to: Path, *, before: bytes | None = None) -> bool:
    """Compress a file to `to`; gives whether it needs `before` to be unpacked, which is so only where that makes it smaller."""
    import zstandard

    with path.open("rb") as stream, to.open("wb") as out:
        packed = stream.read(4).startswith(_PACKED)
        stream.seek(0)
        zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).copy_stream(stream, out)
    if packed or before is None or max(len(before), path.stat().st_size) > MOST_AGAINST:
        return False
    content = path.read_bytes()
    window = min(_WIDEST, max(20, (len(before) + len(content)).bit_length()))
    parameters = zstandard.ZstdCompressionParameters.from_level(LEVEL_AGAINST, window_log=window, enable_ldm=True, write_checksum=True)
    small = zstandard.ZstdCompressor(dict_data=_prefix(before), compression_params=parameters).compress(content)
    if len(small) >= to.stat().st_size:
        return False
    to.write_bytes(small)
    return True


def unpack(path: Path, to: Path, *, before: bytes | None = None) -> None:
    """The bytes that `pack` was given, to the file `to`. Errors: DataError for packed bytes that are damaged or lack `before`."""
    import zstandard

    dictionary = None if before is None else _prefix(before)
    with path.open("rb") as stream, to.open("wb") as out:
        try:
            zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=2**31).copy_stream(stream, out)
        except zstandard.ZstdError as error:
            raise DataError(f"{path} cannot be unpacked: {error}", mend="restore it from a copy of the store, or pull it again") from None


def _prefix(before: bytes) -> zstandard.ZstdCompressionDict:
    import zstandard

    return zstandard.ZstdCompressionDict(before, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
