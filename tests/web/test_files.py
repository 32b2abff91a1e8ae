"""Pictures and tables of a view as files and embeds: the same numbers as on the page."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from qonys.web.views import VIEWS


@pytest.fixture(scope="module")
def flows(public):
    return public.get("/api/v1/flows", params={"area": "KAZ"}).json()


def test_the_interface_tells_what_the_page_says(public, flows):
    page = public.get("/en/flows", params={"area": "KAZ"}).text
    assert flows["title"] in page
    for sentence in flows["answer"]:
        assert sentence.split(";")[0] in page
    assert flows["command"] == "qonys flows show KAZ"


def test_a_table_as_csv_and_as_workbook_has_the_rows_of_the_interface(public, flows):
    rows = next(block["rows"] for block in flows["blocks"] if block["name"] == "yearly")
    csv = pd.read_csv(io.BytesIO(public.get("/en/flows/yearly.csv?area=KAZ").content))
    xlsx = pd.read_excel(io.BytesIO(public.get("/en/flows/yearly.xlsx?area=KAZ").content))
    assert len(rows) == len(csv) == len(xlsx) > 20
    assert csv["immigration"].dropna().tolist() == [row["immigration"] for row in rows if row["immigration"] is not None]
    assert xlsx["immigration"].dropna().tolist() == csv["immigration"].dropna().tolist()


def test_a_picture_is_an_svg_with_its_title_and_description_and_a_png(public):
    svg = public.get("/kk/flows/external.svg?area=KAZ")
    assert svg.headers["content-type"] == "image/svg+xml"
    root = ET.fromstring(svg.content)
    assert root[0].tag.endswith("title")
    assert "Қазақстан" in root[0].text
    png = public.get("/kk/flows/external.png?area=KAZ").content
    assert png.startswith(b"\x89PNG")


def test_an_embed_shows_one_picture_with_its_source_and_nothing_else(public):
    page = public.get("/embed/ru/flows/external?area=KAZ").text
    assert page.count("<figure") == 1
    assert "Bureau of National Statistics" in page
    assert "<nav" not in page


@pytest.mark.parametrize(
    "address",
    ["/en/flows/nothing.csv", "/en/flows/yearly.svg", "/en/flows/yearly.exe", "/en/flows/..%2f..%2fetc.csv", "/embed/en/flows/nothing"],
)
def test_a_file_that_there_is_not_is_not_found(public, address):
    assert public.get(address).status_code == 404


@pytest.mark.parametrize("path", sorted(VIEWS))
def test_every_block_of_every_view_can_be_taken_away(public, path):
    told = public.get(f"/api/v1/{path}").json()
    for block in told["blocks"]:
        if block["kind"] != "text":
            assert public.get(f"/en/{path}/{block['name']}.csv").status_code == 200, block["name"]
        if block["kind"] == "figure":
            assert public.get(f"/en/{path}/{block['name']}.svg").status_code == 200, block["name"]
            assert block["sources"] or block["about"]


def test_numbers_of_the_interface_are_numbers_and_gaps_are_null(public):
    told = json.loads(public.get("/api/v1/flows?area=KAZ").text)
    rows = next(block["rows"] for block in told["blocks"] if block["name"] == "yearly")
    assert {type(value) for row in rows for value in row.values()} <= {str, int, float, type(None)}
