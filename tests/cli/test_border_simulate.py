"""qonys border simulate, as its user meets it, and the whole chain on what it makes: records whose truth is known."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from qonys.border.simulate import TRUTH_SCHEMAS
from shell import qonys


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    done = qonys(
        "border", "simulate", "--people", "20000", "--seed", "3", "-o", folder / "c.parquet", "--truth", folder / "truth", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def test_crossings_and_the_truth_about_them_are_files(made):
    folder, done = made
    rows = pq.read_metadata(folder / "c.parquet").num_rows
    assert f"{rows:,} simulated crossings of people who do not exist" in done.stderr
    assert {path.stem for path in (folder / "truth").iterdir()} == set(TRUTH_SCHEMAS)
    assert pq.read_metadata(folder / "truth" / "people.parquet").num_rows == 20_000
    for name, schema in TRUTH_SCHEMAS.items():
        assert pq.read_schema(folder / "truth" / f"{name}.parquet").names == schema.names


@pytest.mark.slow
def test_what_it_makes_goes_straight_into_stays_and_stranded(made):
    folder, _done = made
    for verb in ("stays", "stranded"):
        done = qonys("border", verb, folder / "c.parquet", "--on", "2020-04-15", "--country", "KAZ")
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) > 2


@pytest.mark.slow
def test_with_the_documents_joined_more_of_the_true_migrations_are_found(made, tmp_path):
    folder, _done = made
    true = {
        (row["person_id"], row["at"].date(), row["direction"]) for row in pq.read_table(folder / "truth" / "migrations.parquet").to_pylist()
    }
    shares = []
    for place, more in enumerate([(), ("--aliases", folder / "truth" / "aliases.parquet")]):
        target = tmp_path / f"{place}.parquet"
        done = qonys("border", "classify", folder / "c.parquet", "-o", target, "--end", "2022-12-31", "--quiet", *more)
        assert done.returncode == 0, done.stderr
        rows = pq.read_table(target, columns=["person_id", "at", "migration"]).to_pylist()
        found = {(row["person_id"], row["at"].date(), row["migration"]) for row in rows if row["migration"]}
        shares.append(len(found & true) / len(true))
    assert shares[0] + 0.02 < shares[1]
    assert len(pq.read_table(tmp_path / "1.parquet", columns=["person_id"])["person_id"].unique()) < len(
        pq.read_table(tmp_path / "0.parquet", columns=["person_id"])["person_id"].unique()
    )


def test_the_shipped_parameters_can_be_printed_edited_and_given_back(tmp_path):
    shown = qonys("border", "simulate", "--show-parameters")
    assert shown.returncode == 0
    (tmp_path / "mine.toml").write_text(shown.stdout.replace("end = 2022-12-31", "end = 2019-06-30"), encoding="utf-8")
    done = qonys("border", "simulate", "--crossings", "5000", "--parameters", tmp_path / "mine.toml", "-o", tmp_path / "c.parquet")
    assert done.returncode == 0, done.stderr
    found = pq.read_table(tmp_path / "c.parquet")
    assert 5_000 <= len(found) < 5_200
    assert found["at"].to_pandas().max().year == 2019


@pytest.mark.parametrize(
    ("words", "said"), [(("--people", "10"), "no file was named"), (("-o", "c.csv", "--people", "10"), "batch by batch are Parquet")]
)
def test_what_cannot_be_simulated_is_said_in_a_sentence(tmp_path, words, said):
    done = qonys("border", "simulate", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ("simulate", "--crossings", "50000000", "-o", "c.parquet"),
        pytest.param(("classify", "c.parquet", "-o", "o.parquet"), marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_says_so_and_leaves_no_file(tmp_path, command):
    if command[0] == "classify":
        qonys("border", "simulate", "--crossings", "3000000", "-o", tmp_path / "c.parquet", "--quiet")
    before = sorted(tmp_path.iterdir())
    # tests that run in the background of a shell inherit a SIGINT that is ignored
    program = subprocess.Popen(
        [sys.executable, "-m", "qonys", "border", *command], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        program.stderr.readline()  # it works
        time.sleep(0.2)
        program.send_signal(signal.SIGINT)
        said = program.stderr.read()
        assert program.wait(timeout=60) == 130
    finally:
        program.kill()
        program.stderr.close()
    assert "Traceback" not in said
    assert sorted(tmp_path.iterdir()) == before
