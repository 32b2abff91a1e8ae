"""The OxCGRT importer: every row has one fate, and the measures spread out over their days are the file again."""

from __future__ import annotations

import random
from datetime import date, timedelta
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
from qonys.measures.importers import IMPORTERS, oxcgrt
from qonys.measures.importers.cells import mapping
from qonys.store import read_raw
from rows import refusal

SPECIMENS = Path(__file__).parents[2] / "specimens" / "oxcgrt"
FILE = "oxcgrt_national_daily.parquet"


def imported(con, path: Path, **options) -> tuple[pd.DataFrame, pd.DataFrame]:
    raw, _malformed = read_raw(con, path)
    came = oxcgrt.read(raw, file=path.name, **options)
    return con.to_pandas(came.measures.order_by("id")), con.to_pandas(came.fates.order_by("row")).set_index("row")


def written(con, folder: Path, text: str, **options) -> tuple[pd.DataFrame, pd.DataFrame]:
    path = folder / "levels.csv"
    path.write_text(text, encoding="utf-8")
    return imported(con, path, **options)


def faults(con, measures: pd.DataFrame) -> list[tuple[object, ...]]:
    frame = measures.assign(row=range(2, len(measures) + 2))
    return list(con.to_pandas(examine(ibis.memtable(frame), MEASURE, file="m").faults).itertuples(index=False))


# The mapping


def test_every_code_of_the_mapping_stands_in_the_codebook():
    for code, indicator in mapping("oxcgrt")["indicator"].items():
        for level in indicator["levels"]:
            said = indicator | level
            assert set(said["targets"]) <= set(codebook()["target"]), code
            assert said["field"] in codebook()["field"], code
            assert said["instrument"] in codebook()["instrument"], code
            assert 1 <= said["strength"] <= 4, code
        strengths = [level["strength"] for level in indicator["levels"]]
        assert strengths == sorted(strengths), f"a higher level of {code} is never weaker"


def test_levels_that_do_not_act_on_movement_are_on_the_nearest_step_of_our_scale():
    for code, indicator in mapping("oxcgrt")["indicator"].items():
        steps = [max(1, round(4 * level / len(indicator["levels"]))) for level in range(1, len(indicator["levels"]) + 1)]
        assert [level["strength"] for level in indicator["levels"]] == ([1, 3] if code == "C7" else steps), code


def test_scales_and_flags_are_those_the_publisher_gives(real_data):
    method = pd.read_csv(real_data / "oxcgrt_index_method.csv").set_index("indicator")
    known = mapping("oxcgrt")["indicator"]
    assert {code: len(facts["levels"]) for code, facts in known.items()} == method["max_level"].to_dict()
    assert {code: int("flag" in facts) for code, facts in known.items()} == method["has_flag"].to_dict()


# The publisher's formats


def test_the_first_format_of_2020_is_read(con):
    measures, fates = imported(con, SPECIMENS / "OxCGRT_latest_2020.csv")
    assert measures["id"].tolist() == [
        "OXCGRT-KAZ-C1-20200316", "OXCGRT-KAZ-C7-20200317", "OXCGRT-KAZ-C8-20200314", "OXCGRT-KAZ-C8-20200316", "OXCGRT-KAZ-H1-20200314",
        "OXCGRT-KAZ-H1-20200316",
    ]  # fmt: skip
    ban, closed = measures.iloc[2], measures.iloc[3]
    assert ban[["start", "end", "strength", "general", "target_origin", "targets", "rows"]].tolist() == [
        "2020-03-14", "2020-03-15", 3, False, "UNKNOWN", "foreign_traveller", 2,
    ]  # fmt: skip
    assert ban["note"] == "no level is given for the day before: it may have begun earlier"
    assert closed[["start", "strength", "general", "status"]].tolist() == ["2020-03-16", 4, True, "issued"]
    assert pd.isna(closed["end"])
    assert closed["note"] == "in force on 2020-03-17, the last day with a level: no end is known"
    assert closed["evidence"].endswith("C8 at level 4 in OxCGRT_latest_2020.csv")
    movement = measures.iloc[1]
    assert movement[["targets", "area", "strength", "general"]].tolist() == ["internal", "internal_movement", 3, False]
    assert movement["note"].startswith("only in part of the territory; ")
    assert set(fates["fate"]) == {"measure"}
    assert faults(con, measures) == []


def test_the_later_legacy_format_is_read_and_only_whole_countries_with_levels_become_measures(con):
    measures, fates = imported(con, SPECIMENS / "OxCGRT_nat_latest.csv")
    kosovo = measures[measures["issuer"] == "XKX"].set_index("id")
    assert kosovo[["start", "end", "general", "rows"]].T.to_dict("list") == {
        "OXCGRT-XKX-C8-20220101": ["2022-01-01", "2022-01-02", True, 2],
        "OXCGRT-XKX-C8-20220104": ["2022-01-04", "2022-01-04", True, 1],  # a day without levels breaks it off
        "OXCGRT-XKX-H6-20220101": ["2022-01-01", "2022-01-01", True, 1],
        "OXCGRT-XKX-H6-20220102": ["2022-01-02", "2022-01-02", False, 1],  # the flag changed
        "OXCGRT-XKX-H7-20220101": ["2022-01-01", "2022-01-02", True, 2],
        "OXCGRT-XKX-H7-20220104": ["2022-01-04", "2022-01-04", True, 1],
    }
    assert "no level is given for the day after: it may have ended later" in kosovo.loc["OXCGRT-XKX-C8-20220101", "note"]
    assert kosovo.loc["OXCGRT-XKX-H7-20220104", "note"].startswith("at the person's cost")
    assert fates["fate"].tolist() == ["measure", "measure", "quarantined", "measure", "no_measure", "quarantined", "quarantined", "measure"]
    assert fates.loc[7, "why"] == (
        "OxCGRT_nat_latest.csv, row 7, column Jurisdiction: 'STATE_TOTAL' is not a country as a whole; only rows marked NAT_TOTAL are read"
    )
    assert measures.loc[measures["issuer"] == "USA", "strength"].tolist() == [3]
    assert faults(con, measures) == []


def test_the_final_format_is_read_by_its_summary_columns(con):
    measures, fates = imported(con, SPECIMENS / "OxCGRT_compact_national_v1.csv")
    assert measures[["id", "end", "strength", "general", "direction"]].T.to_dict("list") == {
        0: ["OXCGRT-DEU-C2-20211201", "2021-12-02", 3, True, "tightening"],
        1: ["OXCGRT-DEU-C2-20211203", None, 3, False, "tightening"],
        2: ["OXCGRT-DEU-C8-20211201", "2021-12-02", 3, False, "tightening"],
        3: ["OXCGRT-DEU-C8-20211203", None, 2, True, "tightening"],
        4: ["OXCGRT-DEU-E1-20211201", None, 4, False, "easing"],
    }
    assert set(fates["fate"]) == {"measure"}
    assert faults(con, measures) == []


def test_indicators_are_chosen_by_name(con):
    measures, _fates = imported(con, SPECIMENS / "OxCGRT_latest_2020.csv", indicators=("C8",))
    assert measures["id"].tolist() == ["OXCGRT-KAZ-C8-20200314", "OXCGRT-KAZ-C8-20200316"]
    assert IMPORTERS["oxcgrt"] is oxcgrt.read


# Laws


@st.composite
def files(draw) -> list[tuple[str, date, int | None, int | None]]:
    """(country, day, level of C7, flag), some days left out, some without a level."""
    rows = []
    for country in ("KAZ", "DEU"):
        level: int | None = 0
        for offset in range(draw(st.integers(0, 15))):
            level = draw(st.sampled_from([level, level, level, 0, 1, 2, None]))
            if draw(st.integers(0, 9)):
                rows.append(
                    (country, date(2020, 3, 1) + timedelta(days=offset), level, draw(st.sampled_from([1, 1, 1, 0])) if level else None)
                )
    return rows


def as_text(rows: list[tuple[str, date, int | None, int | None]]) -> str:
    cells = [
        f"{country},{day:%Y%m%d},{'' if level is None else level},{'' if flag is None else flag}" for country, day, level, flag in rows
    ]
    return "\n".join(["CountryCode,Date,C7_Restrictions on internal movement,C7_Flag", *cells]) + "\n"


def by_hand(rows: list[tuple[str, date, int | None, int | None]]) -> dict[str, tuple[str, str | None, int, bool, int]]:
    """The episodes, day by day in plain Python."""
    found = {}
    for country in ("KAZ", "DEU"):
        known = {day: (level, flag) for code, day, level, flag in rows if code == country and level is not None}
        for day in sorted(known):
            yesterday = day - timedelta(days=1)
            if not known[day][0] or known.get(yesterday) == known[day]:
                continue
            last = day
            while known.get(last + timedelta(days=1)) == known[day]:
                last += timedelta(days=1)
            end = None if last == max(known) else last.isoformat()
            strength = {1: 1, 2: 3}[known[day][0]]
            found[f"OXCGRT-{country}-C7-{day:%Y%m%d}"] = (day.isoformat(), end, strength, known[day][1] == 1, (last - day).days + 1)
    return found


@settings(max_examples=6)
@given(rows=files(), seed=st.integers(0, 9))
def test_an_episode_is_what_one_finds_day_by_day_in_whatever_order_the_rows_stand(con, tmp_path_factory, rows, seed):
    expected = by_hand(rows)
    shuffled = random.Random(seed).sample(rows, len(rows))
    measures, fates = written(con, tmp_path_factory.mktemp("law"), as_text(shuffled))
    told = measures[["start", "end", "strength", "general", "rows"]].astype(object)
    assert dict(zip(measures["id"], told.where(told.notna(), None).itertuples(index=False, name=None), strict=True)) == expected
    wanted = ["quarantined" if level is None else "measure" if level else "no_measure" for _code, _day, level, _flag in shuffled]
    assert fates["fate"].tolist() == wanted
    assert measures["rows"].sum() == wanted.count("measure")


# Malformed files

HEADER = "CountryCode,Date,C1_School closing,C1_Flag,C8_International travel controls\n"
GOOD = "KAZ,20200316,3,1,4\n"


BAD = [
    ("XQZ,20200316,3,1,4", "column CountryCode: 'XQZ' is not a country; write ISO 3166-1 alpha-3"),
    (",20200316,3,1,4", "column CountryCode: is empty; write ISO 3166-1 alpha-3"),
    ("EU,20200316,3,1,4", "column CountryCode: 'EU' is not a country; write ISO 3166-1 alpha-3"),
    ("KAZ,16.03.2020,3,1,4", "column Date: '16.03.2020' is not a day; write it as 20200316 or 2020-03-16"),
    ("KAZ,20200230,3,1,4", "column Date: '20200230' is not a day; write it as 20200316 or 2020-03-16"),
    ("KAZ,,3,1,4", "column Date: is empty; write it as 20200316 or 2020-03-16"),
    ("KAZ,20200318,4,1,4", "column C1_School closing: '4' is not a level of C1, 0 to 3; correct it"),
    ("KAZ,20200319,-1,1,4", "column C1_School closing: '-1' is not a level of C1, 0 to 3; correct it"),
    ("KAZ,20200320,3,1,2.5", "column C8_International travel controls: '2.5' is not a level of C8, 0 to 4; correct it"),
    ("KAZ,20200321,3,1,nan", "column C8_International travel controls: 'nan' is not a level of C8, 0 to 4; correct it"),
    ("KAZ,20200322,closed,1,4", "column C1_School closing: 'closed' is not a level of C1, 0 to 3; correct it"),
    ("KAZ,20200323,3,2,4", "column C1_Flag: '2' is not a flag, 0 or 1; correct it"),
    ("KAZ,20200324,,,", "no level is given; fill them in or leave the row out"),
]


def test_rows_that_cannot_be_used_are_quarantined_with_the_cell_and_the_mend_and_the_good_row_stays(con, tmp_path):
    measures, fates = written(con, tmp_path, "\n".join([HEADER + GOOD.strip(), *(row for row, _why in BAD)]) + "\n")
    assert fates["fate"].tolist() == ["measure"] + ["quarantined"] * len(BAD)
    said = [f"levels.csv, row {row}{':' if why.startswith('no level') else ','} {why}" for row, (_cells, why) in enumerate(BAD, start=3)]
    assert fates["why"].tolist()[1:] == said
    assert measures["id"].tolist() == ["OXCGRT-KAZ-C1-20200316", "OXCGRT-KAZ-C8-20200316"]


def test_several_rows_for_one_country_and_day_are_all_quarantined_because_none_is_surely_the_right_one(con, tmp_path):
    measures, fates = written(con, tmp_path, f"{HEADER}{GOOD}KAZ,2020-03-16,2,1,4\nDEU,20200316,0,,1\n")
    assert fates["fate"].tolist() == ["quarantined", "quarantined", "measure"]
    assert fates.loc[2, "why"] == "levels.csv, row 2, column Date: '20200316' stands in several rows of that country; keep one of them"
    assert measures["issuer"].tolist() == ["DEU"]


def test_quarantined_rows_come_back_as_they_were_read(con, tmp_path):
    path = tmp_path / "levels.csv"
    path.write_text(f"{HEADER}{GOOD}XQZ,20200316,3,1,4\n", encoding="utf-8")
    raw, _malformed = read_raw(con, path)
    bad = con.to_pandas(oxcgrt.read(raw, file="levels.csv").quarantined(raw))
    assert bad[["CountryCode", "C8_International travel controls", "row"]].to_numpy().tolist() == [["XQZ", "4", 3]]
    assert bad.columns[0] == "why"


def test_a_level_without_its_flag_is_not_taken_for_general(con, tmp_path):
    measures, _fates = written(con, tmp_path, f"{HEADER}KAZ,20200316,3,,0\nKAZ,20200317,3,1,0\n")
    assert measures["general"].tolist() == [False, True]
    assert measures["note"][0].startswith("whether in the whole territory is not given; ")


def test_a_file_with_a_region_column_alone_gives_countries_only(con, tmp_path):
    text = "CountryCode,RegionCode,Date,C8_International travel controls\nUSA,USA_AK,20200316,4\nUSA,,20200316,3\n"
    measures, fates = written(con, tmp_path, text)
    assert fates["why"].tolist()[0] == "levels.csv, row 2, column RegionCode: 'USA_AK' is a part of a country; only countries are read"
    assert measures["strength"].tolist() == [3]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("Date,C8_International travel controls\n20200316,4\n", {}, "levels.csv has no column 'CountryCode', so it is no file of OxCGRT"),
        ("CountryCode,C8_International travel controls\nKAZ,4\n", {}, "levels.csv has no column 'Date', so it is no file of OxCGRT"),
        ("CountryCode,Date\nKAZ,20200316\n", {}, "levels.csv has no column of an indicator of OxCGRT"),
        ("CountryCode,Date,C1E_School closing,C1NV_School closing,C1_Flag,C1_Notes\nKAZ,20200316,3,,1,x\n", {}, "levels.csv has no column of an indicator"),
        (HEADER + GOOD, {"indicators": ("C8", "C9")}, "there is no indicator 'C9' of OxCGRT; it can be one of: C1, C2"),
        (HEADER + GOOD, {"indicators": ("C7",)}, "levels.csv has no level of C7, Restrictions on internal movement; leave it out"),
        ("", {}, "levels.csv does not begin with a header"),
    ],
    ids=["no country", "no date", "no indicator", "only split by vaccination", "unknown indicator", "indicator not in file", "empty"],
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
    came = oxcgrt.read(raw, file=FILE)
    return raw, con.create_table("oxcgrt_measures", came.measures, temp=True), came


def test_every_row_of_the_real_file_has_one_fate(con, real):
    raw, _measures, came = real
    counts = con.to_pandas(came.counts()).set_index("fate")["rows"].to_dict()
    assert counts == {"measure": 196_544, "no_measure": 6_645, "quarantined": 1_763}
    assert sum(counts.values()) == con.to_pandas(raw.count()) == con.to_pandas(came.fates["row"].nunique()) == 204_952
    # COM and GRD stand in the file on days without any level
    assert con.to_pandas(came.quarantined(raw).country_code.collect(distinct=True).sort()) == ["COM", "GRD"]


def test_every_measure_of_the_real_file_keeps_the_contract(con, real):
    _raw, measures, _came = real
    numbered = measures.mutate(row=ibis.row_number().over(order_by="id") + 2)
    assert con.to_pandas(examine(numbered, MEASURE, file="m").faults.count()) == 0
    assert con.to_pandas(measures.count()) == con.to_pandas(measures.id.nunique()) == 16_764
    assert con.to_pandas(measures.end.isnull().sum()) == 1_149


@pytest.mark.parametrize(
    "indicator", [pytest.param(code, marks=() if code == "C8" else pytest.mark.slow) for code in mapping("oxcgrt")["indicator"]]
)
def test_the_measures_spread_over_their_days_are_the_levels_of_the_real_file(con, real, indicator):
    raw, measures, _came = real
    own = measures.filter(_.id.contains(f"-{indicator}-"))
    level, flag = indicator.lower(), f"{indicator.lower()}_flag"
    general = (raw[flag] == 1) if flag in raw.columns and indicator != "H7" else ibis.literal(True)
    facts = raw.filter(raw[level] > 0).select(
        issuer=raw.country_code.substitute({"RKS": "XKX"}), day=raw.date, level=raw[level].cast("int64"),
        general=(general & (raw[level] != 3)) if indicator == "C8" else general & ibis.literal(indicator != "H8"),
    )  # fmt: skip
    # an open end reaches to the last day the tracker knows of that indicator
    last = raw.filter(raw[level].notnull()).group_by(place=raw.country_code.substitute({"RKS": "XKX"})).agg(known=_.date.max())
    bounded = own.join(last, own.issuer == last.place)
    start, end = bounded.start.cast("date"), bounded.end.cast("date").coalesce(bounded.known)
    days = ibis.range(start.cast("timestamp"), (end + ibis.interval(days=1)).cast("timestamp"), ibis.interval(days=1)).unnest().cast("date")
    spread = bounded.select("issuer", "general", day=days, level=bounded.evidence.re_extract(r"at level (\d)", 1).cast("int64"))
    spread = spread.select("issuer", "day", "level", "general")
    assert con.to_pandas(spread.count()) == con.to_pandas(facts.count()) == con.to_pandas(own.rows.sum()) > 0
    keys = list(spread.columns)
    assert con.to_pandas(spread.anti_join(facts, keys).count()) == con.to_pandas(facts.anti_join(spread, keys).count()) == 0


def test_kazakhstan_closed_its_border_when_the_tracker_says(con, real):
    _raw, measures, _came = real
    own = con.to_pandas(measures.filter(_.issuer == "KAZ", _.area == "external_border").order_by("start"))
    assert own[["start", "end", "strength"]].to_numpy().tolist() == [
        ["2020-01-29", "2020-03-15", 3], ["2020-03-16", "2020-07-30", 4], ["2020-07-31", "2022-03-13", 3], ["2022-03-14", "2022-06-07", 1],
    ]  # fmt: skip
