"""SDMX messages: CSV of both versions and XML of both kinds give the same staged table, and what sdmx1 reads."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import SourceError
from qonys.sources.formats import sdmx_ml
from qonys.sources.formats.sdmx import stage_sdmx

SPECIMENS = Path(__file__).parents[2] / "specimens"
CELLS = ["freq", "geo", "period", "value", "flag"]


def messages(body: str) -> io.BytesIO:
    head = '<m:StructureSpecificData xmlns:m="m"><m:Header/><m:DataSet>'
    return io.BytesIO((head + body + "</m:DataSet></m:StructureSpecificData>").encode())


def test_generic_structure_specific_and_flat_messages_say_the_same():
    frames = [stage_sdmx(SPECIMENS / "sdmx" / f"{name}.xml").frame() for name in ("generic", "structure_specific", "flat")]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frames[0][CELLS], frame[CELLS])
    assert frames[0]["value"].tolist()[:2] == [886341.0, 728606.5]
    assert np.isnan(frames[0]["value"][2])
    assert frames[0]["flag"].tolist() == [None, "p", "c"]


def test_what_a_group_says_stands_with_each_of_its_series():
    for name in ("generic", "structure_specific"):
        staged = stage_sdmx(SPECIMENS / "sdmx" / f"{name}.xml")
        assert staged.dimensions == ("freq", "geo")
        assert staged.notes == ("dataflow ESTAT:MIGR_IMM8(1.0)",)
        assert staged.frame()["title"].tolist() == ["Germany & regions", "Germany & regions", None]


def test_the_reader_agrees_with_sdmx1():
    sdmx1 = pytest.importorskip("sdmx")
    message = sdmx1.read_sdmx(io.BytesIO((SPECIMENS / "sdmx" / "generic.xml").read_bytes()))
    theirs = {}
    for one in message.data[0].obs:
        key = {name: part.value for name, part in (one.series_key + one.dimension).values.items()}
        theirs[key["freq"], key["geo"], key["TIME_PERIOD"]] = float(one.value)
    ours = {(row.freq, row.geo, row.period): row.value for row in stage_sdmx(SPECIMENS / "sdmx" / "generic.xml").frame().itertuples()}
    assert ours.keys() == theirs.keys()
    assert all(ours[key] == theirs[key] or (np.isnan(ours[key]) and np.isnan(theirs[key])) for key in ours)


@given(st.lists(st.lists(st.one_of(st.integers(0, 10**9), st.none()), min_size=1, max_size=4), min_size=1, max_size=6), st.integers(1, 5))
def test_parts_of_any_size_give_all_observations(series, size):
    body = "".join(
        f'<Series geo="G{number}">' + "".join(
            f'<Obs TIME_PERIOD="{2000 + year}"' + (f' OBS_VALUE="{value}"' if value is not None else "") + "/>" for year, value in enumerate(values)
        ) + "</Series>"
        for number, values in enumerate(series)
    )  # fmt: skip
    kept, sdmx_ml.ROWS, sdmx_ml.CHUNK = (sdmx_ml.ROWS, sdmx_ml.CHUNK), size, 40
    try:
        frame = stage_sdmx(messages(body)).frame()
    finally:
        sdmx_ml.ROWS, sdmx_ml.CHUNK = kept
    expected = [(f"G{number}", str(2000 + year), value) for number, values in enumerate(series) for year, value in enumerate(values)]
    found = [(row.geo, row.period, None if np.isnan(row.value) else int(row.value)) for row in frame.itertuples()]
    assert found == expected


def test_an_attribute_that_appears_late_is_not_lost(monkeypatch):
    monkeypatch.setattr(sdmx_ml, "ROWS", 1)
    monkeypatch.setattr(sdmx_ml, "CHUNK", 60)
    body = (
        '<Series geo="A"><Obs TIME_PERIOD="2019" OBS_VALUE="1"/></Series>'
        + '<Series geo="B"><Obs TIME_PERIOD="2019" OBS_VALUE="2" COMMENT_OBS="strike"/></Series>'
    )
    assert stage_sdmx(messages(body)).frame()["note"].tolist() == [None, "COMMENT_OBS=strike"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("sdmx/error.xml", "code 100 No Results Found"), ("eurostat/not_found.xml", "Dataflow with id MIGR_NONE is not found")],
)
def test_a_message_of_the_service_is_passed_on(name, said):
    with pytest.raises(SourceError, match=said):
        stage_sdmx(SPECIMENS / name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares a document type"),
        (b"<m:GenericData xmlns:m='m'><m:DataSet><Series><Obs", "is no whole XML"),
        (b"<a><b/></a>", "is no data message"),
        (b'{"data": 1}', "is JSON, not SDMX"),
        (b"DATAFLOW,GEO\nX,DE\n", "has no column OBS_VALUE"),
        (b"GEO,OBS_VALUE\nDE,1\n", "does not begin with DATAFLOW or STRUCTURE"),
        (b"STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,GEO,Area,OBS_VALUE\nD,X,Y,I,DE,Germany,1\n", "has labels, but not for each"),
    ],
)
def test_what_is_no_data_message_is_refused_with_a_sentence(content, said):
    with pytest.raises(SourceError, match=said):
        stage_sdmx(io.BytesIO(content))


def test_eurostat_sdmx_csv_gives_flags_confidentiality_and_the_day_of_its_update():
    staged = stage_sdmx(SPECIMENS / "eurostat" / "migr_resfirst.csv")
    assert staged.vintage == "2026-05-22"
    assert staged.dimensions == ("freq", "reason", "citizen", "duration", "unit", "geo")
    frame = staged.frame()
    assert frame["flag"].tolist() == [None, None, "bp"]
    assert frame["conf_status"].tolist() == [None, "C", None]
    assert np.isnan(frame["value"][1])
    assert frame["unit"].unique().tolist() == ["PER"]


def test_labels_in_one_cell_are_parted_from_codes_and_withdrawn_rows_are_no_cells():
    staged = stage_sdmx(SPECIMENS / "sdmx" / "both_labels.csv")
    frame = staged.frame()
    assert staged.dimensions == ("dim_1", "dim_2")
    assert frame["dim_2"].unique().tolist() == ["B"]
    assert frame["dim_2_label"].unique().tolist() == ["Value: with a colon"]
    assert frame["flag"].tolist() == ["A", "M"]
    assert frame["attr_2"].tolist() == ["Value X|Value Y", None]
    assert [why.split(" (")[0].split(":")[0] for why in staged.faults.table()["why"]] == ["is withdrawn", "has no value and no full key"]


def test_labels_in_columns_of_their_own_follow_their_codes():
    staged = stage_sdmx(SPECIMENS / "oecd" / "df_mig.csv")
    frame = staged.frame()
    assert staged.dimensions == ("ref_area", "citizenship", "freq", "measure", "sex", "birth_place", "education_lev", "unit_measure")
    assert frame["ref_area_label"].tolist() == ["Germany", "Germany", "Korea, Republic of"]
    assert frame["unit"].unique().tolist() == ["PS"]
    assert frame["unit_mult"].tolist() == ["3", "3", "0"]
    assert frame["flag"].tolist() == ["A", "L", "E"]
    assert frame["value"].tolist()[0] == 31.5


def test_known_dimensions_decide_what_is_an_attribute():
    body = '<Series geo="A" TITLE_X="one"><Obs TIME_PERIOD="2019" OBS_VALUE="1"/></Series>'
    assert stage_sdmx(messages(body)).dimensions == ("geo", "title_x")
    assert stage_sdmx(messages(body), dimensions=("geo",)).dimensions == ("geo",)
    with pytest.raises(SourceError, match="has no dimension 'sex'"):
        stage_sdmx(messages(body), dimensions=("geo", "sex"))
