"""The CoronaNet importer: each row has one fate, an update ends what it updates, and an end closes what was in force."""

from __future__ import annotations

import csv
import io
import random
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.contracts import MEASURE
from qonys.core.validate import examine
from qonys.measures import codebook, state, with_bounds
from qonys.measures.importers import IMPORTERS, coronanet
from qonys.measures.importers.cells import mapping
from qonys.store import read_raw
from rows import refusal

SPECIMENS = Path(__file__).parents[2] / "specimens" / "coronanet"
BORDERS, KAZAKHSTAN = "coronanet_border_quarantine_measures.parquet", "coronanet_kazakhstan_eu_all_types.parquet"


def imported(con, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    raw, _malformed = read_raw(con, path)
    came = coronanet.read(raw, file=path.name)
    return con.to_pandas(came.measures).set_index("id", drop=False), con.to_pandas(came.fates).set_index("row")


@pytest.fixture(scope="module")
def specimen(con):
    return imported(con, SPECIMENS / "coronanet_release.csv")


@pytest.fixture(scope="module")
def borders(con, real_data):
    return imported(con, real_data / BORDERS)


@pytest.fixture(scope="module")
def kazakhstan(con, real_data):
    return imported(con, real_data / KAZAKHSTAN)


def faults(con, measures: pd.DataFrame) -> list[tuple[object, ...]]:
    frame = measures.reset_index(drop=True).assign(row=range(2, len(measures) + 2))
    return list(con.to_pandas(examine(ibis.memtable(frame), MEASURE, file="m").faults).itertuples(index=False))


def test_every_code_of_the_mapping_stands_in_the_codebook():
    codes, known = mapping("coronanet"), codebook()
    for kinds in codes["type"].values():
        for own in ({}, *kinds.get("kind", {}).values()):
            coding = {"direction": "neutral", "strength": 1} | kinds["code"] | own
            assert coding["field"] in known["field"]
            assert coding["instrument"] in known["instrument"]
            assert set(coding.get("targets", ())) <= set(known["target"])
            assert coding["direction"] == "neutral" or str(coding["strength"]) in known["strength"][coding["direction"]]
            assert (coding["direction"] == "neutral") == (coding["scope"] == "none")
    targets = [target for who in codes["who"].values() for side in ("in", "out", "both") for target in who[side]]
    assert set(targets) | set(codes["population"].values()) <= set(known["target"])
    assert set(codes["mode"].values()) <= set(known["mode"])


# The publisher's formats


def test_the_release_of_today_is_read(con, specimen):
    measures, fates = specimen
    assert fates["fate"].value_counts().to_dict() == {"measure": 14, "quarantined": 4}
    assert faults(con, measures) == []
    chosen = ["issuer", "level", "targets", "target_origin", "direction", "strength", "general", "modes"]
    told = measures.astype(object).where(measures.notna(), None)
    assert told.loc["CORONANET-R_1Gq", chosen].tolist() == ["KAZ", "national", "traveller", None, "tightening", 4, True, None]
    assert told.loc["CORONANET-R_4Bw", chosen].tolist() == ["KAZ", "national", "arrival", "FRA DEU ESP", "tightening", 2, False, "air rail"]
    assert told.loc["CORONANET-R_4Bw", "target_words"] == "Northern Cyprus"
    assert told.loc["CORONANET-R_5Gx", ["targets", "target_citizenship", "target_origin"]].tolist() == ["visa_applicant", "CHN", None]
    assert told.loc["CORONANET-R_17", "targets"] == "labour"
    assert told.loc["CORONANET-R_18", ["direction", "targets", "strength"]].tolist() == ["easing", "foreign_resident", 2]


def test_a_record_says_where_it_comes_from(specimen):
    first = specimen[0].iloc[0]
    assert first["evidence"] == "CoronaNet, policy 1001 (Cheng et al. 2020, Nature Human Behaviour 4, 756-768); https://example.org/kz"
    assert first["coder"] == "coronanet"
    assert first["agency"] == "National Government"


def test_the_release_of_april_2020_is_read(con):
    measures, fates = imported(con, SPECIMENS / "coronanet_release_2020-04.csv")
    assert fates["fate"].tolist() == ["measure"] * 4
    assert faults(con, measures) == []
    assert measures["level"].tolist() == ["national", "national", "national", "regional"]
    assert measures.loc["CORONANET-1002", "supersedes"] == "CORONANET-1001"
    assert measures.loc["CORONANET-1002", "target_origin"] == "FRA DEU ITA ESP"
    assert pd.isna(measures.loc["CORONANET-1003", "target_origin"])  # "All countries" stands in another column


def test_regions_of_kazakhstan_issue_their_own_measures_and_other_provinces_are_named(specimen):
    measures, _fates = specimen
    assert measures.loc["CORONANET-R_6", ["issuer", "level", "general", "targets"]].tolist() == ["KZ-19", "regional", True, "internal"]
    assert measures.loc["CORONANET-R_7", ["issuer", "level", "general", "actor"]].tolist() == ["KAZ", "regional", False, "Baikonur"]


def test_the_european_union_is_a_union_and_advice_is_information_of_the_least_strength(specimen):
    measures, _fates = specimen
    assert measures.loc["CORONANET-R_8", ["issuer", "level", "instrument", "strength"]].tolist() == ["EU", "union", "informational", 1]


def test_a_quarantine_whose_codes_do_not_say_for_whom_is_read_by_its_words(specimen):
    measures, _fates = specimen
    assert measures.loc[["CORONANET-R_12", "CORONANET-R_13"], "targets"].tolist() == ["arrival", "internal"]
    assert measures.loc["CORONANET-R_13", "area"] == "internal_movement"


def test_what_does_not_act_on_movement_is_neutral_and_an_end_that_is_the_day_of_the_release_is_no_end(specimen):
    measures, _fates = specimen
    assert measures.loc["CORONANET-R_14", ["direction", "strength", "targets"]].tolist() == ["neutral", 1, "all"]
    assert pd.isna(measures.loc["CORONANET-R_14", "end"])
    assert "unlimited time span" in measures.loc["CORONANET-R_14", "note"]


def test_states_of_a_measure_on_leaving_are_destinations_not_places_left(specimen):
    measures, _fates = specimen
    assert measures.loc["CORONANET-R_15", ["targets", "borders_with", "strength"]].tolist() == ["emigrant", "CHN", 2]
    assert pd.isna(measures.loc["CORONANET-R_15", "target_origin"])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (10, "repeats row 9 under another record_id; keep one of the two"),
        (11, "has the country 'Northern Cyprus', which has no code of ours; correct the name, or leave the row out"),
        (12, "ends on 2020-04-03, before it starts on 2020-04-16; correct one of the two dates"),
        (17, "ends policy 1013 on 2020-05-01, and no record of it began by then; look for the record it ends"),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined_with_a_sentence(specimen, row, why):
    assert specimen[1].loc[row].tolist() == ["quarantined", f"coronanet_release.csv, row {row}: {why}"]


# A policy through time


def test_an_update_ends_what_it_updates_and_the_end_closes_the_update(con, specimen):
    measures, _fates = specimen
    assert measures.loc["CORONANET-R_2Gq", ["supersedes", "end", "status", "rows"]].tolist() == [
        "CORONANET-R_1Gq",
        "2020-06-20",
        "ended",
        2,
    ]
    frame = measures.reset_index(drop=True).assign(row=range(2, len(measures) + 2))
    bounded = with_bounds(examine(ibis.memtable(frame), MEASURE, file="m").typed)

    def in_force(on: date) -> set[str]:
        found = con.to_pandas(state(bounded, on, reading="possible"))["id"]
        return {one.removeprefix("CORONANET-") for one in found} & {"R_1Gq", "R_2Gq"}

    days = [date(2020, 3, 15), date(2020, 3, 16), date(2020, 5, 10), date(2020, 5, 11), date(2020, 6, 20), date(2020, 6, 21)]
    assert list(map(in_force, days)) == [set(), {"R_1Gq"}, {"R_1Gq"}, {"R_2Gq"}, {"R_2Gq"}, set()]


KINDS = st.sampled_from(["new", "update", "end"])
DAYS = st.dates(date(2020, 3, 1), date(2020, 3, 12))


def written(rows: list[dict[str, str]]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows, dtype="string").assign(row=range(2, len(rows) + 2)))


def policy(records: list[tuple[str, date]]) -> list[dict[str, str]]:
    with (SPECIMENS / "coronanet_release.csv").open(encoding="utf-8", newline="") as file:
        like = next(csv.DictReader(file))
    kinds = {"new": ("new_entry", ""), "update": ("update", "Change of Policy"), "end": ("update", "End of Policy")}
    return [
        like | {"record_id": f"R{place}", "entry_type": kinds[kind][0], "update_type": kinds[kind][1], "date_start": day.isoformat(), "description": f"{place}"}
        for place, (kind, day) in enumerate(records)
    ]  # fmt: skip


@settings(max_examples=20)
@given(st.lists(st.tuples(KINDS, DAYS), min_size=1, max_size=6))
def test_of_one_policy_the_records_that_began_last_stand_and_nothing_is_lost(con, records):
    came = coronanet.read(written(policy(records)), file="policy.csv")
    measures, fates = con.to_pandas(came.measures).set_index("id"), con.to_pandas(came.fates)
    assert sorted(fates["row"]) == list(range(2, len(records) + 2))
    begun = {f"CORONANET-R{place}": (day.isoformat(), kind == "update") for place, (kind, day) in enumerate(records) if kind != "end"}
    assert set(measures.index) == set(begun)
    for one, (start, updates) in begun.items():
        earlier = [place for place in begun.values() if place < (start, updates)]
        former = {other for other, place in begun.items() if earlier and place == max(earlier)} if updates else set()
        assert set((measures.loc[one, "supersedes"] or "").split()) == former
    for kind, day in records:
        standing = [place for place in begun.values() if place[0] <= day.isoformat()]
        if kind == "end" and standing:
            closed = [one for one, place in begun.items() if place == max(standing)]
            assert (measures.loc[closed, "end"] >= day.isoformat()).all()


@settings(max_examples=5)
@given(st.integers(0, 1000))
def test_the_order_of_the_rows_changes_no_measure(con, seed):
    with (SPECIMENS / "coronanet_release.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["record_id"] != "R_9"]  # of two that repeat each other the first is kept
    measures = con.to_pandas(coronanet.read(written(rows), file="a.csv").measures.order_by("id"))
    random.Random(seed).shuffle(rows)
    pd.testing.assert_frame_equal(con.to_pandas(coronanet.read(written(rows), file="a.csv").measures.order_by("id")), measures)


# Files that are not as they should be


def specimen_text() -> str:
    return (SPECIMENS / "coronanet_release.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("column", coronanet.NEED)
def test_a_file_without_a_column_is_refused_with_its_name(con, tmp_path, column):
    path = tmp_path / "release.csv"
    header, _newline, rows = specimen_text().partition("\n")
    renamed = [f"other_{name}" if name == column else name for name in header.split(",")]
    path.write_text(",".join(renamed) + "\n" + rows, encoding="utf-8")
    raw, _malformed = read_raw(con, path)
    refused = refusal(lambda: coronanet.read(raw, file=path.name))
    assert refused is not None
    assert refused.what == f"release.csv has no column '{column}', so it is no file of CoronaNet"


def test_an_empty_file_is_refused(con, tmp_path):
    path = tmp_path / "release.csv"
    path.write_text(specimen_text().splitlines()[0] + "\n", encoding="utf-8")
    raw, _malformed = read_raw(con, path)
    refused = refusal(lambda: coronanet.read(raw, file=path.name))
    assert refused is not None
    assert str(refused) == "release.csv has no rows; check that the file is whole"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"date_start": "16.03.2020"}, "has date_start '16.03.2020', which is no day; write the day as 2020-03-16"),
        ({"date_start": "2020-02-30"}, "has date_start '2020-02-30', which is no day; write the day as 2020-03-16"),
        ({"date_end": "soon"}, "has date_end 'soon', which is no day; write the day as 2020-03-16"),
        ({"date_start": ""}, "has no date_start; fill it in"),
        ({"record_id": ""}, "has no record_id; fill it in"),
        ({"country": "", "ISO_A3": ""}, "has the country None, which has no code of ours; correct the name, or leave the row out"),
        (
            {"country": "Atlantis", "ISO_A3": "ATL"},
            "has the country 'Atlantis', which has no code of ours; correct the name, or leave the row out",
        ),
        ({"type": "Dance"}, "has the type 'Dance', which is not in the table of codes; add it to data/importers/coronanet.toml"),
    ],
)
def test_a_cell_that_cannot_be_read_quarantines_its_row(con, change, why):
    with io.StringIO(specimen_text(), newline="") as file:
        row = next(csv.DictReader(file)) | change
    came = coronanet.read(written([row]), file="release.csv")
    assert con.to_pandas(came.fates).values.tolist() == [[2, "quarantined", f"release.csv, row 2: {why}"]]
    assert con.to_pandas(came.measures).empty


def test_two_records_of_one_id_are_not_both_measures(con):
    first, second = policy([("new", date(2020, 3, 1)), ("new", date(2020, 3, 2))])
    came = coronanet.read(written([first, second | {"record_id": "R0"}]), file="release.csv")
    assert con.to_pandas(came.fates)["why"].tolist()[1] == "release.csv, row 3: has the id of row 2, CORONANET-R0; keep one of the two"


# The real files


def test_every_row_of_the_border_file_has_one_fate(con, borders):
    measures, fates = borders
    assert fates.index.is_unique
    assert sorted(fates.index) == list(range(2, 20_119 + 2))
    assert fates["fate"].value_counts().to_dict() == {"measure": 20_009, "quarantined": 110}
    reasons = fates["why"].dropna().str.extract(r"row \d+: (has the country|repeats|ends on|ends policy)")[0].value_counts()
    assert reasons.to_dict() == {"ends policy": 45, "has the country": 42, "ends on": 15, "repeats": 8}
    assert len(measures) == 17_464
    assert measures.index.is_unique
    assert measures["supersedes"].notna().sum() == 2_078


def test_every_measure_of_the_real_files_holds_to_the_contract(con, borders, kazakhstan):
    for measures, _fates in (borders, kazakhstan):
        assert faults(con, measures) == []


def test_what_is_superseded_is_among_the_measures_and_did_not_begin_later(borders):
    measures, _fates = borders
    pairs = measures["supersedes"].dropna().str.split().explode()
    assert set(pairs) <= set(measures.index)
    assert (measures.loc[pairs, "start"].to_numpy() <= measures.loc[pairs.index, "start"].to_numpy()).all()


def test_every_row_of_the_file_of_kazakhstan_and_the_union_has_one_fate(kazakhstan):
    measures, fates = kazakhstan
    assert sorted(fates.index) == list(range(2, 2_409 + 2))
    assert fates["fate"].value_counts().to_dict() == {"measure": 2_409}
    assert len(measures) == 2_296


def test_the_records_of_the_european_union_have_the_level_of_a_union(borders, kazakhstan):
    for measures, _fates in (borders, kazakhstan):
        own = measures["issuer"] == "EU"
        assert own.sum() > 40
        assert set(measures.loc[own, "level"]) == {"union"}
        assert set(measures.loc[~own, "level"]) == {"national", "regional"}


def test_the_regions_of_kazakhstan_stand_under_their_codes(kazakhstan):
    measures, _fates = kazakhstan
    regional = measures[measures["issuer"].str.startswith("KZ-")]
    assert len(regional) == 1_636
    assert set(regional["level"]) == {"regional"}
    assert regional["issuer"].nunique() == 16


def test_kazakhstan_quarantined_arrivals_from_its_borders_in_march_2020(borders):
    measures, _fates = borders
    at = measures[(measures["issuer"] == "KAZ") & measures["title"].isin(["Government Quarantine", "Self-Quarantine"])]
    at = at[(at["start"] >= "2020-03-01") & (at["start"] <= "2020-03-31") & (at["level"] == "national")]
    told = {(one.start, one.title): (one.targets, one.target_origin) for one in at.itertuples()}
    assert told["2020-03-02", "Government Quarantine"] == ("arrival", "IRN")
    assert told["2020-03-12", "Government Quarantine"] == ("arrival", "FRA DEU ESP")
    assert told["2020-03-12", "Self-Quarantine"] == ("arrival", "FRA DEU ESP")
    assert told["2020-03-13", "Government Quarantine"] == ("citizen foreign_resident", "CHN IRN ITA KOR")
    assert told["2020-03-23", "Government Quarantine"][0] == "arrival"
    assert set(at["strength"]) == {2}
    assert set(at["area"]) == {"external_border"}


def test_the_importer_is_registered():
    assert IMPORTERS["coronanet"] is coronanet.read
