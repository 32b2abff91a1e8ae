"""Who goes where: every ribbon is as wide as its moves are many, what is not known is not drawn as zero."""

import itertools
import math
import re
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from qonys.core.errors import DesignError
from qonys.report.charts import chord, flows, od_matrix

from ..test_charts import SVG, boxes, number, texts

LAYOUTS = pytest.mark.parametrize("layout", ["wide", "narrow"])
NAMES = ["Алматы қаласы", "Астана", "Восточно-Казахстанская область", "Шымкент", "другие"]
HEAD = {"title": "т", "desc": "с", "prefix": "c1", "unit": "человек", "number_format": number, "missing_label": "не опубликовано"}
CHORD = HEAD | {"small_label": "менее 1 % всех", "out_label": "выбыло", "in_label": "прибыло", "rest": "другие"}


def pairs() -> pd.DataFrame:
    table = [(a, b, float((i + 1) * (j + 2) ** 3)) for i, a in enumerate(NAMES) for j, b in enumerate(NAMES) if i != j]
    table[3] = (*table[3][:2], None)
    return pd.DataFrame([*table, ("другие", "другие", 9.0)], columns=["origin", "destination", "value"])


@LAYOUTS
def test_names_and_sums_of_the_areas_are_printed_and_stand_clear(layout):
    svg = getattr(chord(pairs(), **CHORD), layout)
    found = boxes(svg)
    width = float(ET.fromstring(svg).get("viewBox").split()[2])
    assert all(x0 >= -1 and x1 <= width + 1 for _, x0, _, x1, _ in found)
    printed, known = " ".join(texts(svg)).replace("- ", "-"), pairs().query("origin != destination")
    for name in NAMES:
        assert name.split()[0] in printed
        assert f"выбыло {number(known.loc[known['origin'] == name, 'value'].sum())}" in printed
    assert "не опубликовано" in printed


def test_arcs_are_as_long_as_what_leaves_and_what_comes():
    known = [row for row in pairs().dropna().to_dict("records") if row["origin"] != row["destination"]]
    arcs = flows._arcs(known, "другие")
    whole = sum(row["value"] for row in known)
    turn = sum(arc.stop - arc.start for arc in arcs)
    for arc in arcs:
        assert (arc.stop - arc.start) / turn == pytest.approx((arc.out + arc.into) / (2 * whole))
    assert arcs[-1].label == "другие"
    assert [a.stop for a in arcs[:-1]] < [a.start for a in arcs[1:]]
    assert arcs[-1].stop < 2 * math.pi


def test_ribbons_fill_each_arc_once():
    known = [row for row in pairs().dropna().to_dict("records") if row["origin"] != row["destination"]]
    arcs = flows._arcs(known, None)
    ribbons = flows._ribbons(arcs, known)
    for arc in arcs:
        own = sorted(
            [one for row, (one, _) in ribbons if row["origin"] == arc.label]
            + [two for row, (_, two) in ribbons if row["destination"] == arc.label]
        )
        assert own[0][0] == pytest.approx(arc.start)
        assert own[-1][1] == pytest.approx(arc.stop)
        assert all(before[1] == pytest.approx(after[0]) for before, after in itertools.pairwise(own))


def test_an_area_of_which_nothing_is_known_is_said_to_be_unknown_and_not_zero():
    table = pd.DataFrame([("а", "б", 10.0), ("б", "а", None)], columns=["origin", "destination", "value"])
    printed = " ".join(texts(chord(table, **CHORD).wide))
    assert "прибыло …" in printed
    assert "прибыло 0" not in printed
    cells = " ".join(texts(od_matrix(table, total_label="всего", **HEAD).wide))
    assert "…" in cells


@pytest.mark.parametrize(("wrong", "what"), [
    (pd.DataFrame([("а", "б", 1.0), ("а", "б", 2.0)], columns=["origin", "destination", "value"]), "twice"),
    (pd.DataFrame([("а", "б", -1.0)], columns=["origin", "destination", "value"]), "0 or more"),
    (pd.DataFrame([("а", "а", 1.0)], columns=["origin", "destination", "value"]), "no value"),
    (pd.DataFrame([("а", "б", 0.0)], columns=["origin", "destination", "value"]), "above 0"),
    (pd.DataFrame([(f"а{i}", f"а{i + 1}", 1.0) for i in range(20)], columns=["origin", "destination", "value"]), "told apart"),
    (pairs().iloc[:0], "no rows"),
])  # fmt: skip
def test_pairs_that_cannot_be_drawn_are_refused_with_a_sentence(wrong, what):
    with pytest.raises(DesignError, match=what):
        chord(wrong, **CHORD)


@LAYOUTS
def test_the_table_has_its_sums_and_hatches_what_is_not_known(layout):
    svg = getattr(od_matrix(pairs(), total_label="всего", **HEAD), layout)
    printed, known = texts(svg), pairs()
    for side in ("origin", "destination"):
        for total in known.groupby(side)["value"].sum():
            assert number(total) in printed
    assert number(known["value"].sum()) in printed
    hatched = [path for path in ET.fromstring(svg).iter(f"{SVG}path") if "hatch" in path.get("fill", "")]
    assert len(hatched) == 2  # the pair, and the key
    assert od_matrix(pairs(), total_label="всего", **HEAD) == od_matrix(pairs(), total_label="всего", **HEAD)


def test_thirty_areas_fit_into_the_table_with_the_largest_numbers_only():
    names = [f"Территория {place}" for place in range(30)]
    table = pd.DataFrame(
        [(a, b, 10.0 * (i + 1) * (j + 1)) for i, a in enumerate(names) for j, b in enumerate(names) if a != b],
        columns=["origin", "destination", "value"],
    )
    svg = od_matrix(table, total_label="всего", **HEAD).wide
    assert len(re.findall("Территория", svg)) == 60
    assert number(10.0 * 2 * 3) not in texts(svg)
