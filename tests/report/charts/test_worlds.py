"""Maps of countries: areas keep their size, nobody is lost, missing is not a colour."""

import math
import xml.etree.ElementTree as ET
from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core import areas
from qonys.core.errors import DesignError
from qonys.report.charts import area_map, mapped, worlds
from qonys.report.charts.draw import Sheet
from qonys.report.charts.svg import both

from ..test_charts import SVG, boxes, number, texts

LAYOUTS = pytest.mark.parametrize("layout", ["wide", "narrow"])
HEAD = {"title": "т", "desc": "с", "prefix": "c1", "unit": "изменение, процентов", "missing_label": "нет данных", "number_format": number}


def rows() -> pd.DataFrame:
    values = {"DEU": -19.9, "FRA": -14.0, "ESP": -38.2, "SVN": 15.0, "MLT": -50.0, "LUX": -16.0, "CYP": 0.0, "UKR": None}
    return pd.DataFrame([(code, areas.area_name(code, "ru"), value, None if value is None else number(value)) for code, value in values.items()],
                        columns=["code", "label", "value", "text"])  # fmt: skip


def stretch(project, lon: float, lat: float) -> float:
    """By how much a small patch grows, against its size on the sphere."""
    step = 1e-4
    (ax, ay), (bx, by), (cx, cy) = project(lon, lat), project(lon + step, lat), project(lon, lat + step)
    return ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) / (math.radians(step) ** 2 * math.cos(math.radians(lat)))


@given(st.floats(-170, 170), st.floats(-80, 80))
def test_both_projections_keep_areas(lon, lat):
    assert stretch(worlds.equal_earth, lon, lat) == pytest.approx(1, abs=1e-3)
    assert stretch(lambda x, y: worlds.azimuthal(x, y, 10, 52), lon / 2, abs(lat)) == pytest.approx(1, abs=1e-3)


def test_the_azimuthal_projection_gives_snyders_example():
    x, y = worlds.azimuthal(100, -20, -100, 40)  # Snyder (1987), USGS Professional Paper 1395, p. 332, sphere of radius 3
    assert (3 * x, 3 * y) == pytest.approx((-4.2339303, 4.0257775), abs=1e-6)


def test_every_country_of_the_union_and_of_the_shipped_figures_is_on_the_map():
    assert set(areas.members("EU", date(2020, 1, 1))) <= mapped("europe") & mapped("world")
    assert {"KAZ", "KGZ", "UZB", "TJK", "TKM", "RUS", "CHN"} <= mapped("central_asia")
    assert mapped("world") <= areas.codes()


def test_the_regions_of_kazakhstan_are_those_of_the_day_before_the_map_changed():
    assert mapped("kazakhstan") == set(areas.regions_at(date(2018, 6, 18)))


@LAYOUTS
def test_small_states_are_rings_and_missing_ones_hatched(layout):
    svg = getattr(area_map(rows(), view="europe", **HEAD), layout)
    paths = list(ET.fromstring(svg).iter(f"{SVG}path"))
    assert len([path for path in paths if path.get("stroke") == "#1b1f24"]) == 3
    assert any("hatch" in path.get("fill", "") for path in paths)
    assert "нет данных" in texts(svg)


@LAYOUTS
def test_words_on_the_map_stand_clear_and_are_those_of_the_rows_and_the_key(layout):
    svg = getattr(area_map(rows(), view="europe", **HEAD), layout)
    found = boxes(svg)
    for place, (a, x0, y0, x1, y1) in enumerate(found):
        for b, u0, v0, u1, v1 in found[place + 1 :]:
            assert x1 <= u0 + 1 or u1 <= x0 + 1 or y1 <= v0 + 1 or v1 <= y0 + 1, (a, b)
    assert not [text for text in texts(svg) if any("a" <= letter.lower() <= "z" for letter in text)]


@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=2, max_size=40, unique=True),
    st.sampled_from(["round", "quantiles"]),
)
def test_each_value_has_the_colour_of_the_class_that_holds_it(values, how):
    scale = worlds.Scale.of(values, how)
    steps = scale.steps()
    for value in values:
        inside = [colour for low, high, colour in steps if low <= value <= high]
        assert scale.colour(value) in inside


def test_the_same_shade_is_as_far_from_zero_on_either_side():
    scale = worlds.Scale.of([-50.0, 12.0], "round")
    shades = {(low, high): colour for low, high, colour in scale.steps()}
    other = {(low, high): colour for low, high, colour in worlds.Scale.of([-12.0, 50.0], "round").steps()}
    for (low, high), colour in shades.items():
        if (-high, -low) in other:
            mirror = other[-high, -low]
            assert (shades_from_white(colour) - shades_from_white(mirror)) ** 2 < 60**2


def shades_from_white(colour: str) -> float:
    return sum(255 - int(colour[at : at + 2], 16) for at in (1, 3, 5)) / 3


def test_a_ring_over_the_edge_is_cut_there():
    square = [(-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)]
    cut = worlds._clipped(square, (0, 0, 10, 10))
    assert worlds._area(cut) == pytest.approx(25)
    assert all(0 <= x <= 10 and 0 <= y <= 10 for x, y in cut)


@pytest.mark.parametrize(("table", "view", "what"), [
    (rows().assign(code="DEX"), "europe", "no area of the map europe has the code"),
    (rows().assign(value=None), "world", "no value"),
    (rows(), "asia", "there is no map 'asia'"),
    (rows().drop(columns="text"), "world", "lacks the columns text"),
])  # fmt: skip
def test_what_cannot_be_mapped_is_refused_with_a_sentence(table, view, what):
    with pytest.raises(DesignError, match=what):
        area_map(table, view=view, **HEAD)


def test_the_same_rows_give_the_same_map_and_a_page_has_room_for_it():
    first = area_map(rows(), view="world", **HEAD)
    assert first == area_map(rows(), view="world", **HEAD)
    assert len(first.wide) + len(first.narrow) < 250_000


def test_a_polygon_is_closed_and_filled():
    def draw(layout):
        sheet = Sheet(layout.width, 100)
        sheet.polygon([(10, 10), (50, 10), (30, 60)], "#0072b2", stroke="#ffffff")
        return sheet

    svg = both(draw, title="т", desc="с", prefix="c1").wide
    (path,) = [node for node in ET.fromstring(svg).iter(f"{SVG}path") if node.get("fill") == "#0072b2"]
    assert path.get("d") == "M10,10L50,10L30,60Z"
    assert path.get("stroke") == "#ffffff"
