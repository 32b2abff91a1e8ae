"""The command line as its user meets it: data to stdout, talk to stderr, a sentence for each error, exit 0, 1 or 2."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from qonys.studies import find_study
from shell import qonys

SEEDS = Path(__file__).parents[2].parent / "shared" / "seeds"
BAD = "origin,destination,period_start,period_end,persons,basis,counted,source,status\n"
ROW = "WORLD,KAZ,2020-01-01,2020-12-31,{persons},previous_residence,moves,mine,final\n"


def process(*words: str, cwd: Path | None = None, text: str | None = None) -> subprocess.CompletedProcess:
    """The same as a process of its own, as a shell starts it."""
    return subprocess.run(
        [sys.executable, "-m", "qonys", *map(str, words)], capture_output=True, text=True, cwd=cwd, input=text, timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("words", "text", "code"),
    [(("brief", "check", "-"), "Nothing to count here.", 0), (("contract", "show", "flwo"), "", 1), (("study", "rnu"), "", 2)],
)
def test_a_process_reads_what_is_piped_into_it_and_ends_with_the_code_and_the_streams_of_the_command(tmp_path, words, text, code):
    here, there = process(*words, cwd=tmp_path, text=text), qonys(*words, cwd=tmp_path, text=text)
    assert here.returncode == code
    assert (here.returncode, here.stdout, here.stderr.replace("python -m qonys", "qonys")) == (there.returncode, there.stdout, there.stderr)


def test_help_names_every_noun_without_loading_the_libraries():
    done = process("--help")
    assert done.returncode == 0
    assert all(noun in done.stdout for noun in ("study", "contract", "brief", "trace"))
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, qonys.cli; print([m for m in ('pandas', 'ibis', 'vl_convert', 'statsmodels', 'babel') if m in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "words", [("study", "rnu"), ("study", "run"), ("contract", "check", "x.csv"), ("brief", "check", "x", "--lang", "de")]
)
def test_bad_usage_exits_2(words):
    assert qonys(*words).returncode == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("study", "run", "kazakstan"), "did you mean 'kazakhstan'?"),
        (("study", "run", "mine.toml"), "there is no study file mine.toml"),
        (("study", "run", "kazakhstan", "--lang", "kz"), "it can be one of: en, kk, ru"),
        (("contract", "show", "flwo"), "did you mean 'flow'?"),
        (("contract", "check", "none.csv", "--as", "flow"), "there is no file none.csv"),
        (("trace", ".", "external/KAZ.2020/net"), "holds no run.json"),
        (("brief", "check", "none.txt"), "there is no file none.txt"),
    ],
)
def test_an_error_is_one_sentence_with_its_mend_and_exit_1(tmp_path, words, sentence):
    done = qonys(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_file_with_a_bad_row_is_told_and_the_row_put_beside(tmp_path):
    (tmp_path / "flows.csv").write_text(BAD + ROW.format(persons="10") + ROW.format(persons="10,5x"), encoding="utf-8")
    done = qonys("contract", "check", "flows.csv", "--as", "flow", cwd=tmp_path)
    assert done.returncode == 1
    assert "flows.csv, row 3" in done.stdout
    assert (tmp_path / "flows.quarantine.csv").exists()
    (tmp_path / "flows.csv").write_text(BAD + ROW.format(persons="10"), encoding="utf-8")
    assert qonys("contract", "check", "flows.csv", "--as", "flow", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "flows.quarantine.csv").exists()


def test_studies_are_listed_in_the_language_asked_for_and_to_a_file_by_its_suffix(tmp_path):
    done = qonys("study", "list", "--lang", "kk")
    assert "Қазақстан: " in done.stdout
    assert qonys("study", "list", "-o", tmp_path / "studies.json").returncode == 0
    assert [row["study"] for row in json.loads((tmp_path / "studies.json").read_text(encoding="utf-8"))] == ["eu-covid", "kazakhstan"]


def test_a_shown_study_is_the_one_that_runs():
    assert qonys("study", "show", "kazakhstan").stdout == find_study("kazakhstan").read_text(encoding="utf-8")


def test_a_shown_study_cut_to_one_question_runs_as_ones_own_and_its_numbers_can_be_traced(tmp_path):
    shown = qonys("study", "show", "kazakhstan").stdout
    cut, many = re.subn(r"^questions = \[.*?\]", 'questions = ["external"]', shown, flags=re.MULTILINE | re.DOTALL)
    assert many == 1
    (tmp_path / "mine.toml").write_text(cut, encoding="utf-8")
    done = qonys("study", "run", "mine.toml", "--lang", "kk", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "out/report.html"
    assert "дайын" in done.stderr.lower()
    traced = qonys("trace", "out", "external/KAZ.2020/net", cwd=tmp_path)
    assert traced.returncode == 0
    assert "29088" in traced.stdout
    assert "Bureau of National Statistics" in traced.stdout
    table = tmp_path / "steps.parquet"
    assert qonys("trace", "out", "external/KAZ.2020/net", "-o", table, cwd=tmp_path).returncode == 0
    assert set(pd.read_parquet(table)["sha256"]) - {""}


def test_a_text_without_numbers_is_told_so_and_a_wrong_sum_exits_1(tmp_path):
    (tmp_path / "plain.txt").write_text("Nothing to count here.", encoding="utf-8")
    done = qonys("brief", "check", "plain.txt", cwd=tmp_path)
    assert (done.returncode, "no numbers" in done.stdout) == (0, True)
    wrong = qonys("brief", "check", "-", cwd=tmp_path, text="Of 100 applicants, 70 were men and 50 women. Of 200 people 50 (40%) stayed.")
    assert wrong.returncode == 1
    assert "25" in wrong.stdout


@pytest.mark.skipif(not SEEDS.is_dir(), reason=f"the folder of the seeds is not here: {SEEDS}")
def test_the_seed_article_gives_its_known_inconsistencies(tmp_path):
    done = qonys("brief", "check", next(SEEDS.glob("002*.txt")), "-o", tmp_path / "claims.json")
    assert done.returncode == 1
    rows = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    found = {(row["rule"], row["verdict"], round(row["recomputed"], 2)) for row in rows}
    assert ("known_share", "contradiction", 0.24) in found  # SI01
    assert ("sum", "remainder", 13371.0) in found  # SI04
    assert ("sum", "remainder", 710.0) in found  # SI05
    assert ("share", "truncated", 8.36) in found  # SI06
    assert any(rule == "fold" and verdict == "contradiction" for rule, verdict, _ in found)  # SI03
    assert {value for rule, verdict, value in found if rule == "sum" and verdict == "holds"} == {56000.0, 4969.0, 1357.0}  # SI16, SI17
    assert ("steps", "holds", 90.0) in found or any(rule == "steps" and verdict == "holds" for rule, verdict, _ in found)  # SI18


def test_an_option_of_the_wrong_kind_is_a_sentence(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nareas = ["KAZ"]\nfirst = 2020\nlast = 2021\nquestions = ["resettlement"]\n'
        '[tables]\nfigure = ["shipped:figure/seed.csv"]\n[options.resettlement]\npairs = 5\n',
        encoding="utf-8",
    )
    done = qonys("study", "run", "mine.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot use its options" in done.stderr
    assert "Traceback" not in done.stderr
