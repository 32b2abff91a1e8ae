"""Finds the numeric claims of a text and recomputes what can be recomputed."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from ...core.errors import DataError
from .changes import check_changes
from .findings import ClaimsReport, Finding
from .known import KnownTotals, check_known
from .page import read_page
from .parts import PartsList, find_parts
from .quantities import find_quantities
from .scene import Scene, scenes
from .shares import check_shares
from .steps import check_steps
from .sums import check_equations, check_sums
from .totals import AREA_NAMES, ReferenceTotal, shipped_totals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LANGUAGES = ("en", "ru", "kk")


def check_text(
    text: str,
    *,
    totals: Sequence[ReferenceTotal] | None = None,
    area_names: Mapping[str, str] = AREA_NAMES,
    language: str | None = None,
) -> ClaimsReport:
    """The claims of a text with their verdicts, in the order of the text.

    totals: published totals for shares of a known whole; None: those that ship with the package.
    area_names: names as texts write them, to area codes of the totals.
    language: `en`, `ru` or `kk` fixes how "," and "." are read; None: by the letters of each sentence.

    >>> [finding.verdict for finding in check_text("Of 9,206 people, 770 (8.3%) came back.").findings]
    ['truncated']
    """
    if language is not None and language not in LANGUAGES:
        raise DataError(f"the language {language!r} is not known to the claims check", mend="it can be one of: " + ", ".join(LANGUAGES))
    page = read_page(text)
    quantities = find_quantities(page, language=language)
    views = scenes(page, quantities)
    known = KnownTotals.of(shipped_totals() if totals is None else totals, area_names)
    return ClaimsReport(_numbered(_findings(views, known)), quantities)


def _findings(views: Sequence[Scene], known: KnownTotals) -> Iterator[Finding]:
    lists = find_parts(views)
    by_sentence: dict[int, list[PartsList]] = {}
    for each in lists:
        by_sentence.setdefault(each.parts[0].sentence, []).append(each)
    for view in views:
        if not view.quantities:
            continue
        here = by_sentence.get(view.number, [])
        yield from chain(
            check_sums(view, here), check_equations(view), check_shares(view, here), check_changes(view), check_known(view, known)
        )
    yield from check_steps(views)


def _numbered(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of the text, each once, with their ids."""
    unique = {(each.rule, tuple(number.start for number in each.inputs)): each for each in findings}
    ordered = sorted(unique.values(), key=lambda each: (each.start, each.end, each.rule))
    return tuple(replace(each, id=f"C{place:03}") for place, each in enumerate(ordered, start=1))
