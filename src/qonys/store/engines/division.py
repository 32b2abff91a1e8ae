"""Rows divided by ranges of person ids into pieces, in memory as long as there is room, on disk beyond."""

from __future__ import annotations

from bisect import bisect_right
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BATCH_ROWS = 500_000
SAMPLED_GROUPS = 32
SAMPLED_ROWS = 5_000  # of each
LETTERS = 8  # bytes of an id that are compared as one number


def edges_of(ids: Sequence[bytes], pieces: int) -> list[bytes]:
    """Where to cut so that pieces hold about as many rows each, from a sample of the ids: the first letters of ids, at most pieces - 1."""
    ordered = sorted(ids)
    cuts = [ordered[len(ordered) * place // pieces] for place in range(1, pieces)] if ordered else []
    short = sorted({one[:LETTERS] for one in cuts})
    # where eight letters do not tell the ids apart, whole ids do
    return short if len(short) == len(set(cuts)) else sorted(set(cuts))


def piece_of(ids: pa.Array, edges: Sequence[bytes]) -> NDArray[np.uint16]:
    """The piece of each id: how many edges do not come after it."""
    if not edges:
        return np.zeros(len(ids), np.uint16)
    kind = np.int64 if pa.types.is_large_string(ids.type) else np.int32
    offsets = np.frombuffer(ids.buffers()[1], kind)[ids.offset : ids.offset + len(ids) + 1]
    length = int(offsets[1] - offsets[0]) if len(ids) else 0
    if not ids.null_count and all(len(edge) == LETTERS for edge in edges) and length >= LETTERS and (np.diff(offsets) == length).all():
        text = np.frombuffer(ids.buffers()[2], np.uint8, count=length * len(ids), offset=int(offsets[0])).reshape(len(ids), length)
        numbers = np.ascontiguousarray(text[:, :LETTERS]).view(">u8").ravel().astype(np.uint64)
        starts = np.array([int.from_bytes(edge) for edge in edges], np.uint64)
        return np.asarray(np.searchsorted(starts, numbers, side="right"), dtype=np.uint16)
    encoded = ids.dictionary_encode()
    places = [bisect_right(edges, one.encode()) for one in encoded.dictionary.to_pylist()]
    piece = np.append(np.array(places, np.uint16), np.uint16(0))
    return np.asarray(piece[encoded.indices.fill_null(len(places)).to_numpy()])


def sample(source: Path) -> list[bytes]:
    """Person ids from all over a Parquet file."""
    file = pq.ParquetFile(source)
    last = file.num_row_groups - 1
    groups = sorted({round(last * place / SAMPLED_GROUPS) for place in range(SAMPLED_GROUPS + 1)}) if last >= 0 else []
    found: list[bytes] = []
    for group in groups:
        batch = next(file.iter_batches(BATCH_ROWS, row_groups=[group], columns=["person_id"]), None)
        if batch is not None and batch.num_rows:
            found += _some(batch.column(0))
    return found


def _some(ids: pa.Array) -> list[bytes]:
    step = max(len(ids) // SAMPLED_ROWS, 1)
    return [one.encode() for one in ids.take(pa.array(range(0, len(ids), step))).to_pylist() if one is not None]


class Division:
    """Tables put into pieces. Threads may add at the same time; what is held beyond `memory` bytes goes to files in `folder`."""

    def __init__(self, edges: Sequence[bytes], folder: Path, memory: int) -> None:
        self.edges, self.folder, self.memory = edges, folder, memory
        self.rows = [0] * (len(edges) + 1)
        self._held: list[list[pa.Table]] = [[] for _ in self.rows]
        self._bytes = 0
        self._files: dict[int, pa.RecordBatchStreamWriter] = {}
        self._lock, self._writing = Lock(), Lock()

    def add(self, table: pa.Table) -> None:
        """Put each row into its piece."""
        piece = piece_of(table["person_id"].combine_chunks(), self.edges)
        counts = np.bincount(piece, minlength=len(self.rows))
        ordered = table.take(pa.array(np.argsort(piece, kind="stable"))).combine_chunks()
        starts = np.concatenate([[0], np.cumsum(counts)])
        with self._lock:
            for place in np.flatnonzero(counts):
                self._held[place].append(ordered.slice(starts[place], counts[place]))
                self.rows[place] += int(counts[place])
            self._bytes += ordered.nbytes
            if self._bytes <= self.memory // 2:
                return
            # another thread may fill the other half meanwhile
            full, self._held, self._bytes = self._held, [[] for _ in self.rows], 0
        with self._writing:
            self._to_disk(full)

    def _to_disk(self, held: list[list[pa.Table]]) -> None:
        for place, tables in enumerate(held):
            if tables and place not in self._files:
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                self._files[place] = pa.ipc.new_stream(str(self._path(place)), tables[0].schema, options=options)
            for table in tables:
                self._files[place].write_table(table)
            tables.clear()

    def _path(self, place: int) -> Path:
        return self.folder / f"{place:05d}.arrows"

    def close(self) -> None:
        """No more rows will come."""
        for file in self._files.values():
            file.close()

    def sample(self, place: int) -> list[bytes]:
        """Person ids from all over a piece."""
        found = [one for table in self._held[place] for one in _some(table["person_id"].combine_chunks())]
        if place in self._files:
            with pa.ipc.open_stream(str(self._path(place))) as stream:
                found += [one for batch in stream for one in _some(batch.column("person_id"))]
        return found

    def tables(self, place: int) -> Iterator[pa.Table]:
        """The rows of a piece, which are then gone."""
        if place in self._files:
            with pa.ipc.open_stream(str(self._path(place))) as stream:
                for batch in stream:
                    yield pa.Table.from_batches([batch])
            self._path(place).unlink()
        while self._held[place]:
            yield self._held[place].pop(0)
