"""Tables written batch by batch: all files or none, the same bytes, and what was kept beside the columns."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.store import groups
from qonys.store.batches import read_metadata, write_batches


def batch(first: int, rows: int = 3) -> dict[str, pa.Table]:
    return {"numbers": pa.table({"n": range(first, first + rows)}), "words": pa.table({"w": [f"w{first}"]})}


def test_batches_follow_each_other_in_the_files_of_their_names(tmp_path):
    paths = {name: tmp_path / "deep" / f"{name}.parquet" for name in ("numbers", "words")}
    seen = []
    rows = write_batches([batch(0), batch(3)], paths, progress=lambda name, done: seen.append((name, done)))
    assert rows == {"numbers": 6, "words": 2}
    assert pq.read_table(paths["numbers"])["n"].to_pylist() == [0, 1, 2, 3, 4, 5]
    assert pq.read_table(paths["words"])["w"].to_pylist() == ["w0", "w3"]
    assert seen == [("numbers", 3), ("words", 1), ("numbers", 6), ("words", 2)]


@given(st.lists(st.integers(0, 120), min_size=1, max_size=6), st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_division_into_batches_leaves_the_bytes_alone(tmp_path, monkeypatch, sizes, random):
    monkeypatch.setattr(groups, "GROUP_ROWS", 50)
    rows = sum(sizes)
    table = pa.table(
        {
            "person_id": [f"{random.randrange(9):x}" for _ in range(rows)],
            "n": pa.array([random.choice([None, 1, 10**6]) for _ in range(rows)], pa.int32()),
            "point": pa.array([random.choice([None, "b", "a"]) for _ in range(rows)], pa.string()).dictionary_encode(),
        }
    )
    parts, start = [], 0
    for size in sizes:
        part = table.slice(start, size)
        point = part["point"].cast(pa.string()).combine_chunks().dictionary_encode()  # words in another order in each batch
        parts.append({"t": part.set_column(2, "point", point)})
        start += size
    write_batches([{"t": table}], {"t": tmp_path / "whole.parquet"})
    assert write_batches(parts, {"t": tmp_path / "parts.parquet"}) == {"t": rows}
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert pq.read_table(tmp_path / "parts.parquet").to_pylist() == table.to_pylist()
    assert pq.read_metadata(tmp_path / "parts.parquet").num_row_groups == max(1, -(-rows // 50))


def test_a_table_without_a_path_is_left_out_and_what_is_said_of_the_file_can_be_read(tmp_path):
    write_batches([batch(0)], {"numbers": tmp_path / "n.parquet"}, metadata={"qonys.key_id": "abc"})
    assert read_metadata(tmp_path / "n.parquet") == {"qonys.key_id": "abc"}
    assert [path.name for path in tmp_path.iterdir()] == ["n.parquet"]


@pytest.mark.parametrize(
    ("batches", "said"),
    [
        ([], "no batch came"),
        ([{"numbers": pa.table({"n": [1]})}], "a batch has no table 'words'"),
        ([batch(0), batch(3) | {"numbers": pa.table({"n": ["three"]})}], "the columns of numbers change from batch to batch"),
    ],
)
def test_what_cannot_be_written_whole_is_not_written_at_all(tmp_path, batches, said):
    with pytest.raises(DataError, match=said):
        write_batches(batches, {name: tmp_path / f"{name}.parquet" for name in ("numbers", "words")})
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_old_files_as_they_were(tmp_path):
    paths = {name: tmp_path / f"{name}.parquet" for name in ("numbers", "words")}
    write_batches([batch(0)], paths)
    before = {name: path.read_bytes() for name, path in paths.items()}

    def stopped():
        yield batch(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_batches(stopped(), paths)
    assert {name: path.read_bytes() for name, path in paths.items()} == before


def test_files_other_than_parquet_are_refused(tmp_path):
    with pytest.raises(DataError, match="batch by batch are Parquet"):
        write_batches([batch(0)], {"numbers": tmp_path / "n.csv"})
    (tmp_path / "no.parquet").write_text("no", encoding="utf-8")
    with pytest.raises(DataError, match=r"no\.parquet cannot be read as Parquet"):
        read_metadata(tmp_path / "no.parquet")
