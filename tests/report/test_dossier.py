"""The dossier: every number traceable, every word in its language, one file that works offline."""

from __future__ import annotations

import re

import pytest

from qonys.core.errors import TraceError
from qonys.pipeline import open_study, run_study
from qonys.trace import Book, trace

from .conftest import LANGUAGES, STUDIES

EVERY_REPORT = [(study, language) for study in STUDIES for language in LANGUAGES]
# Words that stay Latin in a Russian or Kazakh text: names of programs, keys and acronyms.
LATIN = {"COVID", "REFUNITE", "SEF", "SHA", "Qonys", "English", "qonys", "trace", "EUR", "pdf", "IX", "IV", "II", "III", "XIII"}


@pytest.mark.parametrize("study", STUDIES)
def test_every_number_of_the_report_is_the_cell_it_says_and_walks_back_to_rows_with_a_source(reports, pages, study):
    book = Book(reports[study])
    page = pages[study, "en"]
    assert len(page.cells) > 400
    grounded: dict[str, bool] = {}

    def reaches_a_source(address: str) -> bool:
        if address not in grounded:
            step = book.step(address, None)
            grounded[address] = all(map(reaches_a_source, step.inputs)) if step.inputs else bool(step.source and step.file)
        return grounded[address]

    for cell, printed in page.cells.items():
        table, row, column = book.split(cell)
        if printed:
            assert float(printed) == pytest.approx(float(book.frame(table).loc[row, column]), rel=1e-9), cell
        assert reaches_a_source(f"{table}/{row}"), cell


@pytest.mark.parametrize("study", STUDIES)
def test_trace_walks_from_a_printed_number_to_file_hash_and_source(reports, pages, study):
    for cell in list(pages[study, "en"].cells)[::97]:
        steps = trace(reports[study], cell)
        assert steps[0].address.startswith(cell.rpartition("/")[0])
        ends = [step for step in steps if not step.inputs]
        assert ends
        for end in ends:
            assert end.source["title"]
            assert len(end.file["sha256"]) == 64
            assert end.row["row"].startswith(end.file["file"])


def test_an_address_that_is_not_there_is_refused_with_the_nearest(reports):
    with pytest.raises(TraceError, match=r"did you mean 'KAZ\.20"):
        trace(reports["kazakhstan"], "external/KAZ.202/net")
    with pytest.raises(TraceError, match="external"):
        trace(reports["kazakhstan"], "externl/KAZ.2020/net")
    with pytest.raises(TraceError, match="did you mean 'net'"):
        trace(reports["kazakhstan"], "external/KAZ.2020/nett")


@pytest.mark.parametrize("study", STUDIES)
def test_no_number_stands_in_the_report_without_an_address(pages, study):
    """Outside traced cells only dates, years, names of sources and entries, and numerals of the fixed words (95 %, 1,000, 100 points)."""
    month = (
        "January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
    )
    allowed = re.compile(
        rf"({month}) \d{{1,2}}, \d{{4}}|\b(19|20)\d\d\b|95 %|per 1,000|of 100|[01]\.1\.0|Table \d|= 100|30 days|SHA-256|1 January|27 countries|0 to 100|set to 100"
    )
    for text in pages[study, "en"].texts:
        if text.tags & {"style", "script", "svg", "code"} or text.classes & {"traced", "cite", "sources", "anchor", "run"}:
            continue
        if "td" in text.tags and re.fullmatch(r".+ \((\d{4}|no date)\)", text.text):  # a source in a table
            continue
        assert not re.search(r"\d", allowed.sub("", text.text)), text.text


@pytest.mark.parametrize(("study", "language"), [pair for pair in EVERY_REPORT if pair[1] != "en"])
def test_no_word_is_left_in_another_script_outside_names_of_sources(pages, study, language):
    for text in pages[study, language].texts:
        if text.lang in ("en", *set(LANGUAGES) - {language}) or text.tags & {"style", "script", "code"} or "anchor" in text.classes:
            continue
        if "td" in text.tags and re.search(r"\((\d{4}|[^)]*дат[^)]*|[^)]*күн[^)]*)\)$", text.text):  # the name of a source in a table
            continue
        rest = re.sub(r"\b(SM|EM|KM|IB)[0-9][\w-]*|\b[A-Z]{3}\b(?= )|\b[A-Z]{3}\b", "", text.text)
        assert set(re.findall(r"[A-Za-z]{2,}", rest)) <= LATIN, text.text


@pytest.mark.parametrize(("study", "language"), EVERY_REPORT)
def test_a_report_is_one_file_that_loads_nothing_from_elsewhere(reports, pages, study, language):
    page = pages[study, language]
    html = (reports[study] / ("" if language == "en" else language) / "report.html").read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in html
    assert not re.search(r'src="|@import|url\((?!#)', html)
    inside = [link.removeprefix("#") for link in page.links if link.startswith("#")]
    assert set(inside) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("study", STUDIES)
def test_the_three_languages_print_the_same_cells(pages, study):
    assert pages[study, "en"].cells == pages[study, "ru"].cells == pages[study, "kk"].cells


def test_unsafe_text_of_a_study_is_shown_and_not_run(tmp_path):
    study = tmp_path / "mine.toml"
    study.write_text(
        'name = "<script>alert(1)</script>"\ntitle = { en = "<img src=x onerror=alert(1)>" }\nareas = ["KAZ"]\nfirst = 2019\nlast = 2021\n'
        'questions = ["external"]\n[tables]\nflow = ["shipped:flow/kaz_external.csv"]\nfigure = ["shipped:figure/kaz_net_migration.csv"]\n'
        'measure = ["shipped:register/KAZ.toml"]\n',
        encoding="utf-8",
    )
    done = run_study(open_study(str(study)), tmp_path / "out")
    html = done.reports["en"].read_text(encoding="utf-8")
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
