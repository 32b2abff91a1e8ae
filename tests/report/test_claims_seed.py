"""The claims check on the article of the seeds: its known inconsistencies are found, and nothing else is alarmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from qonys.report.claims import check_text

SEEDS = Path(__file__).parents[2].parent / "shared" / "seeds"
ARTICLE = SEEDS / "002_37c039205d69cca2.txt"


@pytest.fixture(scope="module")
def findings():
    if not ARTICLE.exists():
        pytest.skip(f"the seeds are not at {SEEDS}")
    return check_text(ARTICLE.read_text(encoding="utf-8")).findings


def one(findings, rule, printed):
    return next(each for each in findings if each.rule == rule and float(each.printed) == printed)


def test_known_inconsistencies_are_found(findings):
    """SI01 to SI06 of seed_inconsistencies.csv; Mussina et al. (2022)."""
    population, migrants = one(findings, "known_share", 0.003), one(findings, "known_share", 0.4)
    assert (population.verdict, round(float(population.recomputed), 2)) == ("contradiction", 0.24)
    assert (migrants.verdict, round(float(migrants.recomputed), 2)) == ("contradiction", 1.36)
    assert one(findings, "fold", 4).verdict == "contradiction"
    june, december = one(findings, "sum", 13467), one(findings, "sum", 921)
    assert (june.verdict, float(june.recomputed), june.values["gap"]) == ("remainder", 13371, 96)
    assert (december.verdict, float(december.recomputed), december.values["gap"]) == ("remainder", 710, 211)
    share = one(findings, "share", 8.3)
    assert (share.verdict, round(float(share.recomputed), 3)) == ("truncated", 8.364)


def test_consistent_figures_hold(findings):
    """SI16 to SI18 of seed_inconsistencies.csv."""
    for total in (56000, 4969, 1357):
        assert one(findings, "sum", total).verdict == "holds"
    steps = one(findings, "steps", 90)
    assert (steps.verdict, steps.values["in_turn"], steps.values["at_once"], float(steps.values["ratio"])) == ("holds", 180, 90, 0.5)


def test_nothing_else_is_alarmed(findings):
    assert sum(each.verdict == "contradiction" for each in findings) == 3
    assert sum(each.verdict == "exceeds" for each in findings) == 0
    assert len(findings) == 11
