"""The documentation is true: its links lead somewhere, and the tutorial's files do what the tutorial says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from qonys.core.contracts import FLOW
from qonys.core.errors import RegisterError, StudyError
from qonys.pipeline import examine_file, open_study, run_study
from qonys.store import connect, take_in
from qonys.trace import trace

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not link.startswith(("http", "#", "mailto:")):
            assert (page.parent / link.partition("#")[0]).exists(), link


@pytest.fixture
def example(tmp_path) -> Path:
    return Path(shutil.copytree(ROOT / "docs" / "tutorials" / "example", tmp_path / "mine"))


def test_the_bad_rows_of_the_tutorial_are_named_as_it_prints_them(example):
    found = take_in(connect(), example / "flows-bad.csv", FLOW)
    printed = (ROOT / "docs" / "tutorials" / "your-own-study.md").read_text(encoding="utf-8")
    assert len(found.faults) == 3
    assert all(fault in printed for fault in found.faults)


def test_the_slips_of_the_tutorial_are_refused_as_it_prints_them(example):
    with pytest.raises(RegisterError, match="did you mean 'visitor'"):
        examine_file(example / "register-wrong-code.toml", "measure")
    with pytest.raises(StudyError, match="did you mean 'questions'"):
        open_study(str(example / "study-wrong-key.toml"))


def test_the_study_of_the_tutorial_runs_and_its_numbers_walk_back_to_its_own_rows(example, tmp_path):
    done = run_study(open_study(str(example / "study.toml")), tmp_path / "out")
    assert done.faults == ()
    assert "425" in done.reports["en"].read_text(encoding="utf-8")
    files = {step.file["file"] for step in trace(tmp_path / "out", "external/ATA.2020/net") if step.file}
    assert files == {"flows.csv"}
