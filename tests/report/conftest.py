"""The reports of both built-in studies in three languages, for every test that reads one."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

from qonys.core.areas import LANGUAGES

STUDIES = ("kazakhstan", "eu-covid")
VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass(frozen=True)
class Text:
    """A piece of text of a page, with the tags, classes and language around it."""

    text: str
    tags: frozenset[str]
    classes: frozenset[str]
    lang: str


class Page(HTMLParser):
    """A report as a reader and a program see it: its texts, and the addresses of its numbers with their values."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.cells: dict[str, str] = {}
        self.texts: list[Text] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        if "data-cell" in found:
            self.cells[found["data-cell"]] = found.get("value", "")
        if "id" in found:
            self.ids.append(found["id"])
        self.links += [found[name] for name in ("href", "src") if name in found]
        if tag not in VOID:
            self._open.append((tag, found))

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if data.strip():
            tags = frozenset(tag for tag, _ in self._open)
            classes = frozenset(name for _, found in self._open for name in found.get("class", "").split())
            lang = next((found["lang"] for _, found in reversed(self._open) if "lang" in found), "")
            marked = {"traced"} if any("data-cell" in found for _, found in self._open) else set()
            self.texts.append(Text(data.strip(), tags, classes | marked, lang))


@pytest.fixture(scope="session")
def reports(ran, worker_id) -> dict[str, Path]:
    """Folders of both studies, each with a report in every language (en at the root, the others below it)."""
    return {name: ran(name) for name in (reversed(STUDIES) if worker_id == "gw1" else STUDIES)}  # two workers, a study each


def report_file(reports: dict[str, Path], study: str, language: str) -> Path:
    return reports[study] / ("" if language == "en" else language) / "report.html"


@pytest.fixture(scope="session")
def pages(reports) -> dict[tuple[str, str], Page]:
    """Each report, parsed, by study and language."""
    return {(s, lang): Page(report_file(reports, s, lang).read_text(encoding="utf-8")) for s in STUDIES for lang in LANGUAGES}
