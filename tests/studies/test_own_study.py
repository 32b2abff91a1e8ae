"""A user's own study with own tables goes the same way as the built-in ones, and is the same each time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from qonys import pipeline
from qonys.core.errors import DataError, StudyError, TraceError
from qonys.trace import trace

STUDY = """name = "mine"
title = "Immigration about a shock"
areas = ["KAZ", "UZB"]
first = 2017
last = 2023
questions = ["immigration"]
languages = ["en", "kk"]

[tables]
flow = ["tables/flows.csv"]

[options.immigration]
before = [2017, 2018, 2019]
during = [2020]
after = [2021, 2022, 2023]
"""


def write(folder: Path) -> Path:
    rows = [f"WORLD,{area},{year}-01-01,{year}-12-31,{base + 10 * (year - 2017) - 50 * (year == 2020)},previous_residence,moves,own_count,final"
            for area, base in (("KAZ", 1000), ("UZB", 500)) for year in range(2017, 2024)]  # fmt: skip
    rows.insert(3, "WORLD,KAS,2020-01-01,2020-12-31,1,previous_residence,moves,own_count,final")
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "flows.csv").write_text(
        "\n".join(["origin,destination,period_start,period_end,persons,basis,counted,source,status", *rows]) + "\n"
    )
    (folder / "sources.csv").write_text(
        "key,publisher,year,released,title,address,read_through\nown_count,Ministry,2024,,Own count,https://example.org/,\n"
    )
    (folder / "mine.toml").write_text(STUDY)
    return folder / "mine.toml"


def written(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    pipeline.run_study(pipeline.open_study(str(write(folder / "study"))), folder / "out")
    return folder


def test_the_report_appears_in_each_language_although_a_row_is_bad(run):
    assert (run / "out" / "report.html").stat().st_size > 1000
    assert (run / "out" / "kk" / "report.html").stat().st_size > 1000
    quarantined = pd.read_csv(run / "study" / "tables" / "flows.quarantine.csv")
    assert quarantined["destination"].tolist() == ["KAS"]
    assert quarantined["why"].tolist() == ["tables/flows.csv, row 5, column destination: 'KAS' is not an area; did you mean 'KAZ'?"]
    (came,) = json.loads((run / "out" / "run.json").read_text())["inputs"]
    assert (came["rows"], came["bad_rows"]) == (15, 1)


def test_the_answer_is_the_one_computed_by_hand(run):
    change = pd.read_parquet(run / "out" / "tables" / "immigration_change.parquet").set_index("area")
    assert change.loc["KAZ", ["before", "during", "after"]].tolist() == [1010, 980, 1050]
    assert change.loc["KAZ", "during_change"] == pytest.approx(100 * (980 / 1010 - 1))


def test_the_same_study_gives_the_same_bytes_again_and_from_another_folder(run, tmp_path, monkeypatch):
    shutil.copytree(run / "study", tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    pipeline.run_study(pipeline.open_study("mine.toml"), tmp_path / "again")
    first, again = written(run / "out"), written(tmp_path / "again")
    assert list(first) == list(again)
    assert [name for name in first if first[name] != again[name]] == []


def test_a_number_is_walked_back_to_the_row_of_the_users_file_and_its_source(run):
    steps = trace(run / "out", "immigration_change/KAZ/during_change")
    assert (steps[0].unit, steps[0].formula) == ("percent", "percent_change")
    assert len({step.address for step in steps}) == len(steps)
    ends = [step for step in steps if not step.inputs]
    assert {step.address for step in ends} == {f"flow/tables/flows.csv:{row}" for row in (2, 3, 4, 6, 7, 8, 9)}
    for step in ends:
        assert step.source is not None
        assert step.source["publisher"] == "Ministry"
        assert step.file is not None
        assert step.file["file"] == "tables/flows.csv"


@pytest.mark.parametrize(
    ("address", "said"),
    [("imigration/KAZ/2020", "did you mean 'immigration'"), ("immigration_change/KAS/during", "did you mean 'KAZ'"),
     ("immigration_change/KAZ/durin", "did you mean 'during'"), ("", "no table ''")],
)  # fmt: skip
def test_a_wrong_address_is_refused_with_the_nearest(run, address, said):
    with pytest.raises(TraceError, match=said):
        trace(run / "out", address)


def test_a_folder_without_a_run_and_a_file_that_is_not_there_are_refused(run, tmp_path):
    with pytest.raises(TraceError, match=r"holds no run\.json"):
        trace(tmp_path, "a/b/c")
    path = write(tmp_path / "study")
    path.write_text(STUDY.replace("flows.csv", "flow.csv"))
    with pytest.raises(StudyError, match=r"names the file tables/flow\.csv, which does not exist; check the path"):
        pipeline.answer(pipeline.open_study(str(path)))


def test_an_id_that_stands_in_two_files_is_refused_with_both_places(tmp_path):
    head = "id,quantity,value,unit,period_start,area,qualifier,source\n"
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(head + "A1,people,5,persons,2020,KAZ,exact,mine\n", encoding="utf-8")
    study = tmp_path / "mine.toml"
    study.write_text(
        'name = "mine"\nareas = ["KAZ"]\nfirst = 2020\nlast = 2021\nquestions = ["ethnic_return"]\n[tables]\nfigure = ["one.csv", "two.csv"]\n',
        encoding="utf-8",
    )
    with pytest.raises(DataError, match=r"one\.csv, row 2 and two\.csv, row 2"):
        pipeline.run_study(pipeline.open_study(str(study)), tmp_path / "out")
