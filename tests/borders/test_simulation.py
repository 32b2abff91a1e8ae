"""A simulated border as files: the same bytes for a seed, all files or none, and what cannot be is said."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from qonys.border.simulate import BLOCK, TRUTH_SCHEMAS, simulate
from qonys.borders.simulation import simulate_file
from qonys.core.errors import QonysError
from qonys.store.batches import write_batches


def test_the_same_seed_gives_the_same_bytes_with_or_without_the_truth_and_another_seed_others(tmp_path):
    done = simulate_file(tmp_path / "c.parquet", people=5_000, seed=3, truth=tmp_path / "truth")
    for name, seed in (("again", 3), ("other", 4)):
        simulate_file(tmp_path / f"{name}.parquet", people=5_000, seed=seed)
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "c.parquet").read_bytes()
    assert (tmp_path / "other.parquet").read_bytes() != (tmp_path / "c.parquet").read_bytes()
    assert done.crossings == pq.read_metadata(tmp_path / "c.parquet").num_rows
    assert done.truth == {name: pq.read_metadata(tmp_path / "truth" / f"{name}.parquet").num_rows for name in TRUTH_SCHEMAS}


def test_the_files_are_the_same_however_many_people_stand_in_memory(tmp_path):
    found = []
    for blocks in (1, 3):
        paths = {name: tmp_path / f"{name}{blocks}.parquet" for name in ("crossings", *TRUTH_SCHEMAS)}
        batches = simulate(people=2 * BLOCK + 100, seed=5, blocks_per_batch=blocks)
        write_batches((batch.tables() for batch in batches), paths)
        found.append([path.read_bytes() for path in paths.values()])
    assert found[0] == found[1]


def test_an_interrupted_simulation_leaves_no_file(tmp_path):
    def stop(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_file(tmp_path / "c.parquet", people=10, truth=tmp_path / "truth", tell=stop)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("target", "asked", "said"),
    [
        ("c.csv", {"people": 10}, "batch by batch are Parquet"),
        ("c.parquet", {}, "a number of people or of crossings"),
        ("c.parquet", {"people": 10, "parameters": "none.toml"}, r"there is no file .*none\.toml"),
        ("truth/people.parquet", {"people": 10, "truth": "truth"}, "is a table of the truth, too"),
        ("c.parquet", {"people": 10, "truth": "a_file"}, "a file is in its way"),
        ("a_file/c.parquet", {"people": 10}, "a file is in its way"),
        ("folder.parquet", {"people": 10}, "a folder is in its way"),
    ],
)
def test_files_that_cannot_be_are_refused_before_anything_is_written(tmp_path, target, asked, said):
    (tmp_path / "a_file").touch()
    (tmp_path / "folder.parquet").mkdir()
    given = {name: value if isinstance(value, int) else tmp_path / value for name, value in asked.items()}
    with pytest.raises(QonysError, match=said):
        simulate_file(tmp_path / target, **given)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a_file", "folder.parquet"]
