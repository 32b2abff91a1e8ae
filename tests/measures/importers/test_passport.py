"""The Passport Index importer: every row has one fate, and on the day of a snapshot the measures are that snapshot."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis import _

from qonys.core.contracts import MEASURE
from qonys.core.validate import examine
from qonys.measures import codebook
from qonys.measures.importers import IMPORTERS, passport
from qonys.measures.importers.cells import mapping
from qonys.store import read_raw
from rows import refusal

SPECIMENS = Path(__file__).parents[2] / "specimens" / "passport_index"
FILE = "passport_index_panel.parquet"
DAY = date(2025, 1, 12)


def imported(con, path: Path, **options) -> tuple[pd.DataFrame, pd.DataFrame]:
    raw, _malformed = read_raw(con, path)
    came = passport.read(raw, file=path.name, **options)
    return con.to_pandas(came.measures.order_by("id")), con.to_pandas(came.fates.order_by("row")).set_index("row")


def written(con, folder: Path, text: str, **options) -> tuple[pd.DataFrame, pd.DataFrame]:
    path = folder / "rules.csv"
    path.write_text(text, encoding="utf-8")
    return imported(con, path, **options)


def faults(con, measures: pd.DataFrame) -> list[tuple[object, ...]]:
    frame = measures.assign(row=range(2, len(measures) + 2))
    return list(con.to_pandas(examine(ibis.memtable(frame), MEASURE, file="m").faults).itertuples(index=False))


def test_every_code_of_the_mapping_stands_in_the_codebook_and_no_word_has_two_meanings():
    classes = mapping("passport")["class"]
    for said in classes.values():
        assert said["field"] in codebook()["field"]
        assert said["instrument"] in codebook()["instrument"]
        assert str(said["strength"]) in codebook()["strength"][said["direction"]]
    words = [word.lower() for said in classes.values() for word in said["words"]]
    assert len(words) == len(set(words))


# The publisher's formats


def test_the_tidy_format_is_read_and_a_state_asks_nothing_of_its_own_citizens(con):
    measures, fates = imported(con, SPECIMENS / "passport-index-tidy-iso3.csv", snapshot=DAY)
    assert dict(zip(measures["id"], measures["target_citizenship"], strict=True)) == {
        "PASSPORT-DEU-required-20250112": "KAZ UZB", "PASSPORT-KAZ-visa_free-20250112": "DEU UZB", "PASSPORT-RUS-electronic_or_on_arrival-20250112": "DEU",
        "PASSPORT-RUS-visa_free-20250112": "KAZ UZB", "PASSPORT-THA-electronic_or_on_arrival-20250112": "UZB", "PASSPORT-THA-visa_free-20250112": "DEU KAZ",
        "PASSPORT-USA-electronic_or_on_arrival-20250112": "DEU", "PASSPORT-USA-required-20250112": "KAZ UZB",
    }  # fmt: skip
    visa = measures.iloc[0]
    assert visa[["issuer", "start", "status", "direction", "strength", "general", "targets", "area", "rows"]].tolist() == [
        "DEU", "2025-01-12", "standing", "tightening", 2, True, "visitor", "external_border", 2,
    ]  # fmt: skip
    assert (
        visa["note"]
        == "there when first seen, on 2025-01-12: it may have begun earlier; there when last seen, on 2025-01-12: no end is known"
    )
    assert fates["fate"].tolist() == ["measure", "no_measure"] + 3 * ["measure"] + ["no_measure"] + 9 * ["measure"]
    assert faults(con, measures) == []


def test_the_codes_of_2019_are_read_as_such(con):
    measures, fates = imported(con, SPECIMENS / "passport-index-tidy-iso3-2019.csv", snapshot=date(2019, 12, 17))
    assert measures["id"].str.split("-").str[1:3].str.join(" ").tolist() == [
        "DEU required", "KAZ visa_free", "RUS required", "RUS visa_free", "THA electronic_or_on_arrival", "USA electronic_or_on_arrival", "USA required",
    ]  # fmt: skip
    assert set(fates["fate"]) == {"measure"}
    assert faults(con, measures) == []


def test_the_matrix_gives_the_same_measures_as_the_tidy_format(con):
    tidy, _fates = imported(con, SPECIMENS / "passport-index-tidy-iso3.csv", snapshot=DAY)
    matrix, fates = imported(con, SPECIMENS / "passport-index-matrix-iso3.csv", snapshot=DAY)
    pd.testing.assert_frame_equal(matrix.drop(columns="evidence"), tidy.drop(columns="evidence"))
    assert fates["fate"].tolist() == ["measure"] * 3


def test_freedom_from_visas_may_be_left_out(con):
    assert IMPORTERS["passport"] is passport.read
    measures, fates = imported(con, SPECIMENS / "passport-index-tidy-iso3.csv", snapshot=DAY, easing=False)
    assert set(measures["direction"]) == {"tightening"}
    assert fates["fate"].value_counts().to_dict() == {"measure": 7, "no_measure": 8}
    assert measures["rows"].sum() == 7


# Laws

DAYS = (date(2019, 11, 23), date(2020, 2, 7), date(2020, 11, 19), date(2021, 1, 25), date(2021, 2, 24))
WORDS = {
    "visa required": "required",
    "e-visa": "electronic_or_on_arrival",
    "visa free": "visa_free",
    "covid ban": "covid_ban",
    "90": "visa_free",
}
Panel = list[tuple[date, str, str, str]]


@st.composite
def panels(draw) -> Panel:
    """(snapshot, passport, destination, requirement), some pairs left out of some snapshots."""
    rows = []
    for one in ("KAZ", "UZB", "KGZ"):
        for place in ("DEU", "RUS"):
            word = draw(st.sampled_from(list(WORDS)))
            for on in DAYS:
                word = draw(st.sampled_from([word, word, *WORDS]))
                if draw(st.integers(0, 9)):
                    rows.append((on, one, place, word))
    return rows


def by_hand(rows: Panel) -> dict[str, tuple[str, str | None, str, int]]:
    """Citizenships grouped by destination, class, first and last day seen, in plain Python."""
    groups: dict[tuple[str, str, date, date | None], list[tuple[str, int]]] = {}
    for one, place in {(row[1], row[2]) for row in rows}:
        seen = sorted((on, WORDS[word]) for on, who, where, word in rows if (who, where) == (one, place))
        first = 0
        for at in range(1, len(seen) + 1):
            if at == len(seen) or seen[at][1] != seen[first][1]:
                last = None if at == len(seen) else seen[at - 1][0]
                groups.setdefault((place, seen[first][1], seen[first][0], last), []).append((one, at - first))
                first = at
    return {
        f"PASSPORT-{place}-{asks}-{begun:%Y%m%d}" + (f"-{last:%Y%m%d}" if last else ""): (
            begun.isoformat(), last and last.isoformat(), " ".join(sorted(one for one, _rows in members)), sum(count for _one, count in members),
        )
        for (place, asks, begun, last), members in groups.items()
    }  # fmt: skip


@settings(max_examples=6)
@given(rows=panels(), seed=st.integers(0, 9))
def test_a_measure_is_what_one_finds_pair_by_pair_in_whatever_order_the_rows_stand(con, tmp_path_factory, rows, seed):
    shuffled = random.Random(seed).sample(rows, len(rows))
    text = "\n".join(["snapshot,passport,destination,requirement", *(",".join(map(str, row)) for row in shuffled)]) + "\n"
    measures, fates = written(con, tmp_path_factory.mktemp("law"), text)
    told = measures[["start", "end", "target_citizenship", "rows"]].astype(object)
    assert dict(zip(measures["id"], told.where(told.notna(), None).itertuples(index=False, name=None), strict=True)) == by_hand(rows)
    assert set(fates["fate"]) <= {"measure"}
    assert measures["rows"].sum() == len(fates) == len(rows)


def test_the_note_says_between_which_days_it_began_and_ended(con, tmp_path):
    lines = ["2020-02-07,KAZ,DEU,VR", "2020-05-09,KAZ,DEU,covid ban", "2020-11-19,KAZ,DEU,covid ban", "2021-01-25,KAZ,DEU,VR"]
    measures, _fates = written(con, tmp_path, "\n".join(["snapshot,passport,destination,requirement", *lines]) + "\n")
    ban = measures[measures["title"].str.contains("COVID")].iloc[0]
    assert ban[["start", "end", "status"]].tolist() == ["2020-05-09", "2020-11-19", "ended"]
    assert ban["note"] == "it began between 2020-02-08 and 2020-05-09; it ended between 2020-11-19 and 2021-01-24"
    assert ban["exception_words"] == "varying exemptions that the publisher does not name"


# Malformed files

HEADER = "snapshot,Passport,Destination,Requirement\n"
GOOD = "2021-01-25,KAZ,DEU,visa required\n"


BAD = [
    ("2021-01-25,XQZ,DEU,visa required", "column passport: 'XQZ' is not a country; write ISO 3166-1 alpha-3, as the edition iso3 does"),
    ("2021-01-25,KZ,DEU,visa required", "column passport: 'KZ' is not a country; write ISO 3166-1 alpha-3, as the edition iso3 does"),
    ("2021-01-25,KAZ,,visa required", "column destination: is empty; write ISO 3166-1 alpha-3, as the edition iso3 does"),
    ("25.01.2021,KAZ,RUS,visa required", "column snapshot: '25.01.2021' is not a day; write it as 2025-01-12"),
    (
        "2021-01-25,KAZ,RUS,perhaps",
        "column Requirement: 'perhaps' is not a requirement we know; write a word of the publisher, or a number of days",
    ),
    ("2021-01-25,KAZ,USA,", "column Requirement: is empty; write a word of the publisher, or a number of days"),
    (
        "2021-01-25,KAZ,CHN,-1",
        "column Requirement: '-1' is not a requirement we know; write a word of the publisher, or a number of days",
    ),
    (
        "2021-01-25,KAZ,THA,900",
        "column Requirement: '900' is not a requirement we know; write a word of the publisher, or a number of days",
    ),
    ("2021-01-25,KAZ,TUR,3", "column Requirement: '3' was a code in the first snapshots only; write the later word"),
]


def test_rows_that_cannot_be_used_are_quarantined_with_the_cell_and_the_mend_and_the_good_row_stays(con, tmp_path):
    measures, fates = written(con, tmp_path, "\n".join([HEADER + GOOD.strip(), *(row for row, _why in BAD)]) + "\n")
    assert fates["fate"].tolist() == ["measure"] + ["quarantined"] * len(BAD)
    assert fates["why"].tolist()[1:] == [f"rules.csv, row {row}, {why}" for row, (_cells, why) in enumerate(BAD, start=3)]
    assert measures["id"].tolist() == ["PASSPORT-DEU-required-20210125"]


def test_several_rows_for_one_pair_and_day_are_all_quarantined(con, tmp_path):
    measures, fates = written(con, tmp_path, f"{HEADER}{GOOD}2021-01-25,KAZ,DEU,visa free\n2021-01-25,KAZ,RUS,VF\n")
    assert fates["fate"].tolist() == ["quarantined", "quarantined", "measure"]
    assert (
        fates.loc[2, "why"]
        == "rules.csv, row 2, column destination: 'DEU' stands in several rows for that passport and day; keep one of them"
    )
    assert measures["issuer"].tolist() == ["RUS"]


def test_a_row_of_a_matrix_with_a_cell_that_cannot_be_read_is_quarantined_whole(con, tmp_path):
    measures, fates = written(con, tmp_path, "Passport,DEU,KAZ\nKAZ,perhaps,-1\nDEU,-1,30\nXQZ,30,30\n", snapshot=DAY)
    assert fates["fate"].tolist() == ["quarantined", "measure", "quarantined"]
    assert fates.loc[2, "why"].startswith("rules.csv, row 2, column DEU: 'perhaps' is not a requirement we know")
    assert fates.loc[4, "why"].startswith("rules.csv, row 4, column passport: 'XQZ' is not a country")
    assert measures["id"].tolist() == ["PASSPORT-KAZ-visa_free-20250112"]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("Passport,Destination,Requirement\nKAZ,DEU,30\n", {}, "rules.csv does not say on which day it was published; give the day"),
        (HEADER + GOOD, {"snapshot": DAY}, "rules.csv has a column 'snapshot', and the day 2025-01-12 was given beside it; leave that day out"),
        ("Destination,Requirement\nDEU,30\n", {"snapshot": DAY}, "rules.csv has no column 'Passport', so it is no file of Passport Index"),
        ("Passport,Destination\nKAZ,DEU\n", {"snapshot": DAY}, "rules.csv has no column 'Requirement', so it is no file of Passport Index"),
        ("Passport,Germany,Albania\nAlbania,30,-1\n", {"snapshot": DAY}, "rules.csv has the column 'Germany', which is no country; take the edition"),
        ("Passport\nKAZ\n", {"snapshot": DAY}, "rules.csv has no column of a destination; take the edition"),
        ("", {"snapshot": DAY}, "rules.csv does not begin with a header"),
    ],
    ids=["no day", "two days", "no passport", "no requirement", "names for codes", "no destination", "empty"],
)  # fmt: skip
def test_a_file_that_is_not_of_the_publisher_is_refused_with_a_sentence(con, tmp_path, text, options, said):
    refused = refusal(lambda: written(con, tmp_path, text, **options))
    assert refused is not None
    assert said in str(refused)


def test_a_file_with_a_header_and_no_rows_holds_nothing(con, tmp_path):
    measures, fates = written(con, tmp_path, HEADER)
    assert (len(measures), len(fates)) == (0, 0)


# The real file


@pytest.fixture(scope="module")
def real(con, real_data):
    raw, _malformed = read_raw(con, real_data / FILE)
    came = passport.read(raw, file=FILE)
    return raw, con.create_table("passport_measures", came.measures, temp=True), came


def test_every_measure_of_the_real_file_keeps_the_contract_and_together_they_hold_all_its_rows(con, real):
    raw, measures, _came = real
    numbered = measures.mutate(row=ibis.row_number().over(order_by="id") + 2)
    assert con.to_pandas(examine(numbered, MEASURE, file="m").faults.count()) == 0
    assert con.to_pandas(measures.count()) == con.to_pandas(measures.id.nunique()) == 2_841
    assert con.to_pandas(measures.rows.sum()) == con.to_pandas(raw.count()) == 2_088_306


@pytest.mark.slow
def test_every_row_of_the_real_file_has_one_fate(con, real):
    _raw, _measures, came = real
    counts = con.to_pandas(came.counts()).set_index("fate")["rows"].to_dict()
    assert counts == {"measure": 2_088_306}
    assert con.to_pandas(came.fates["row"].nunique()) == 2_088_306


@pytest.mark.slow
def test_on_the_day_of_each_snapshot_the_measures_are_the_real_snapshot(con, real):
    raw, measures, _came = real
    snapshots = raw.select(day=raw.snapshot).distinct()
    long = measures.mutate(passport=_.target_citizenship.split(" ").unnest(), asks=_.id.split("-")[2])
    spread = long.join(snapshots, [long.start.cast("date") <= snapshots.day, long.end.cast("date").coalesce(DAY) >= snapshots.day])
    spread = spread.select("day", "passport", destination=spread.issuer, asks=spread.asks)
    facts = raw.select("passport", "destination", day=raw.snapshot, asks=raw.requirement_class).select(*spread.columns)
    assert con.to_pandas(spread.count()) == con.to_pandas(facts.count()) == 2_088_306
    assert con.to_pandas(facts.anti_join(spread, list(spread.columns)).count()) == 0
