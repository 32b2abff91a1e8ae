"""The claims check: laws, specimens with known arithmetic, refusals."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.report.claims import FAULTS, MESSAGES, PLACEHOLDERS, ReferenceTotal, check_text, read_totals, shipped_totals

SPECIMENS = Path(__file__).parent / "specimens"


def verdicts(text: str, **options) -> list[tuple[str, str]]:
    return [(each.rule, each.verdict) for each in check_text(text, **options).findings]


def specimen(name: str) -> str:
    return (SPECIMENS / f"{name}.txt").read_text(encoding="utf-8")


def test_every_claim_of_a_right_brief_holds():
    found = verdicts(specimen("en_right"))
    assert found == [("sum", "holds"), ("share", "holds"), ("percent_change", "holds"), ("fold", "holds"), ("steps", "holds")]


def test_every_claim_of_a_wrong_brief_fails():
    assert sorted(verdicts(specimen("en_wrong"))) == [
        ("direction", "contradiction"),
        ("fold", "contradiction"),
        ("known_share", "contradiction"),
        ("share", "contradiction"),
        ("sum", "exceeds"),
    ]


def test_a_clean_text_full_of_numbers_raises_no_alarm():
    report = check_text(specimen("en_clean"))
    assert [each for each in report.findings if each.verdict != "holds"] == []
    assert report.quantity_count > 15


def test_a_list_within_a_list_is_given_to_the_total_it_divides():
    sums = {each.printed: each for each in check_text(specimen("en_nested")).findings}
    assert [each.value for each in sums[Decimal(10000)].inputs] == [10000, 6000, 4000]
    assert sums[Decimal(6000)].rule == "part"
    assert [each.value for each in sums[Decimal(5000)].inputs] == [5000, 3000, 2000]


def test_a_russian_brief_is_recomputed():
    assert verdicts(specimen("ru")) == [
        ("sum", "remainder"),
        ("share", "truncated"),
        ("sum", "holds"),
        ("fold", "contradiction"),
        ("percent_change", "holds"),
        ("known_share", "contradiction"),
    ]


def test_a_kazakh_brief_is_recomputed():
    assert verdicts(specimen("kk")) == [
        ("sum", "remainder"),
        ("share", "holds"),
        ("sum", "holds"),
        ("fold", "contradiction"),
        ("percent_change", "holds"),
        ("known_share", "holds"),
    ]


def test_a_text_without_numbers_says_so():
    assert check_text(specimen("no_numbers")).code == "no_numbers"
    assert check_text("").code == "no_numbers"


def test_numbers_that_nothing_relates_are_not_checkable():
    report = check_text("The ministry helped 5,000 people.")
    assert (report.code, report.findings, report.quantity_count) == ("nothing_checkable", (), 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("770 of 9,206 (8.3%) returned.", "truncated"),
        ("770 of 9,206 (8.4%) returned.", "holds"),
        ("770 of 9,206 (9.4%) returned.", "contradiction"),
        ("About 770 of 9,206 (8.3%) returned.", "holds_within_rounding"),
        ("8.4% of the 9,206 resettled (770 people) returned.", "holds"),
        ("770 people, or 8.4% of the 9,206 resettled, returned.", "holds"),
        ("Of the 9,206 resettled, more than 8% (770) returned.", "holds"),
        ("Из 9206 человек 770 (8,36 %) вернулись.", "holds"),
    ],
)
def test_a_printed_share_is_rounded_or_cut_or_wrong(text, expected):
    assert ("share", expected) in verdicts(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("More than 56 people, among them more than 40 men and more than 16 women.", "holds"),
        ("More than 500 people, of which 300 men and 100 women.", "remainder"),
        ("500 people, of which more than 300 men and more than 250 women.", "exceeds"),
        ("500 people, of which more than 300 men and more than 100 women.", "cannot_tell"),
        ("60 thousand people, of which 37,412 men and 22,603 women.", "holds_within_rounding"),
        ("40 thousand people (25 thousand men and 15 thousand women).", "holds"),
        ("Total: 500 people: 300 men, 210 women.", "exceeds"),
        ("300 men and 200 women, a total of 500 people, came.", "holds"),
        ("13,467 cases, of which:\n\n- 10,055 overstays;\n- 3,316 jobs.", "remainder"),
    ],
)
def test_sums_are_interval_arithmetic(text, expected):
    assert verdicts(text) == [("sum", expected)]


@pytest.mark.parametrize(
    "text",
    [
        "In 12 regions, including 300 villages, work goes on.",
        "In 12 regions, including Almaty, 45,000 permits and 20,000 visas were issued.",
        "Of the 1,200 respondents, 300 (45%) of the women said yes.",
        "In Kazakhstan, 60% of international migrants are employed.",
        "Kazakhstan hosts 13% of international migrants in the EAEU.",
        "To decrease poverty, the ministry moved benefits from 100 to 150 euros.",
        "They reduced flights from 3 airports to 12 cities.",
        "Arrivals were 12,000 (7,000 in 2019 and 5,500 in 2018).",
        "Exports grew by 12% while permits rose from 100 to 150.",
        "Повышали 3 раза: с 10 до 15%.",
        "Прибыло 173 690 человек, выбыло 174 362. Из них иммигрантов 12 230, эмигрантов 12 902.",
    ],
)
def test_what_is_not_said_is_not_refuted(text):
    assert not [each for each in verdicts(text) if each[1] != "holds"]


def test_printed_equations_are_recomputed():
    assert verdicts("40,000 + 13,000 + 3,000 = 56,000; 2 + 2 = 5.") == [("equation", "holds"), ("equation", "contradiction")]


def test_the_language_decides_what_a_lone_comma_means():
    value = {code: check_text("13,467", language=code).quantities[0].value for code in ("en", "ru", "kk")}
    assert value == {"en": Decimal(13467), "ru": Decimal("13.467"), "kk": Decimal("13.467")}


def test_the_other_numbers_of_the_text_decide_before_the_language():
    text = "The camp hosts 13.467 people, of whom 12.000 are men and 1.467 women; 1.234.567 came."
    assert ("sum", "holds") in verdicts(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("fifty-six thousand people", 56000), ("two hundred and fifty people", 250), ("пятьдесят шесть тысяч человек", 56000),
        ("елу алты мың адам", 56000), ("1 млн 200 тыс. человек", 1200000), ("23 мың 700 адам", 23700), ("13'467 people", 13467),
    ],
)  # fmt: skip
def test_numbers_in_words_and_with_scales_are_read(text, value):
    assert [each.value for each in check_text(text).quantities] == [value]


def test_an_unknown_language_is_refused():
    with pytest.raises(DataError, match="not known to the claims check"):
        check_text("1", language="xx")


def test_any_area_with_a_total_can_be_checked():
    totals = [
        ReferenceTotal(id=area, quantity="population", area=area, year=2019, value=Decimal(value), source_key="x", source="x")
        for area, value in (("WLD", 1000), ("ATL", 50))
    ]
    text = "Atlantis accounts for 5% of the world population."
    assert verdicts(text, totals=totals, area_names={"atlantis": "ATL"}) == [("known_share", "holds")]
    assert verdicts(text) == []


def test_shipped_totals_name_their_publisher_and_address():
    assert {each.area for each in shipped_totals()} >= {"WLD", "KAZ"}
    assert all("https://www.un.org/development/desa/pd/" in each.source for each in shipped_totals())


def test_a_table_of_totals_with_a_bad_value_is_refused(tmp_path):
    path = tmp_path / "totals.csv"
    path.write_text("id,quantity,area,year,value,unit,source_key,source\nA,population,WLD,2019,many,persons,x,x\n")
    with pytest.raises(DataError, match=r"totals\.csv, row 2"):
        read_totals(path)


def test_every_finding_can_be_said():
    for name in ("en_right", "en_wrong", "en_nested", "ru", "kk"):
        for each in check_text(specimen(name)).findings:
            assert MESSAGES[each.rule, each.verdict] == each.message
            assert set(each.values) == set(PLACEHOLDERS[each.rule])


def test_rows_are_a_flat_table():
    report = check_text(specimen("ru"))
    assert [row["id"] for row in report.rows()] == [f"C{place:03}" for place in range(1, 7)]
    assert all(isinstance(row["printed"], float) for row in report.rows())


WORDS = st.sampled_from(
    [
        "of",
        "which",
        "из",
        "них",
        "оның",
        "ішінде",
        "from",
        "to",
        "с",
        "до",
        "5",
        "13,467",
        "10%",
        "(8.3%)",
        "(",
        ")",
        "thousand",
        "тыс.",
        "мың",
        "-",
        "–",
        "+",
        "=",
        "increased",
        "fourfold",
        "дейін",
        "4",
        "есе",
        "2",
        "months",
        "then",
        "within",
        "a",
        "month",
        "all",
        "stages",
        ".",
        ",",
        ";",
        ":",
        "\n\n",
        "|",
        "1)",
        "2020",
        "in",
        "total",
        "Kazakhstan",
        "accounts",
        "for",
        "world",
        "population",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(WORDS, max_size=60).map(" ".join)))
def test_any_text_is_read_and_every_span_points_into_it(text):
    report = check_text(text)
    for quantity in report.quantities:
        assert 0 <= quantity.start <= quantity.number_start <= quantity.end <= len(text)
        assert quantity.low <= quantity.value <= quantity.high
        assert quantity.text == " ".join(text[quantity.start : quantity.end].split())
    for finding in report.findings:
        assert 0 <= finding.start < finding.end <= len(text)
        assert text.splitlines() or not finding.line


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(min_value=2, max_value=10**6).filter(lambda n: not 1900 <= n < 2100), min_size=2, max_size=8), st.integers(0, 999)
)
def test_a_total_holds_exactly_when_its_parts_add_up(parts, gap):
    total = sum(parts) + gap
    text = f"There were {total:,} people, of which " + ", ".join(
        f"{part:,} of group {name}" for part, name in zip(parts, "abcdefgh", strict=False)
    )
    finding = next(each for each in check_text(text + ".").findings if each.rule == "sum")
    assert (finding.printed, finding.recomputed) == (total, sum(parts))
    assert finding.verdict not in FAULTS
    assert finding.values["gap"] == gap


@pytest.mark.parametrize(
    "piece", ["(", "5) ", "1,", "a.", "1-", "100, of which 50, ", "from 10% to 20% ", "took 2 months then ", "- a (2019)\n", "References\n"]
)
def test_a_long_text_takes_time_in_proportion(piece):
    started = time.perf_counter()
    check_text(piece * (60_000 // len(piece)))
    assert time.perf_counter() - started < 20
