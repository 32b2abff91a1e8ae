"""Lines over the measures in force: bars share the axis of time, and end only where it is known that they do."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pandas as pd
import pytest

from qonys.core.errors import DesignError
from qonys.report.charts import lines_over_periods

from ..test_charts import SVG, boxes, number, texts

LAYOUTS = pytest.mark.parametrize("layout", ["wide", "narrow"])
WORDS = {"tightening": "ужесточение", "easing": "жеңілдету", "neutral": "нейтрально"}
LONG = "Продление срока пребывания иностранцев, которые не могли выехать"


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        [(str(year), kind, label, 1000.0 * (year % 7) + 40_000 * (kind == "out")) for kind, label in (("in", "Прибыло"), ("out", "Выбыло"))
         for year in range(2015, 2025)], columns=["x", "series", "label", "value"],
    )  # fmt: skip


def periods() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("Здравоохранение", "2020-01-01", "2022-06-07", "tightening", "29 мер", False, True, None),
            ("Здравоохранение", "2020-05-04", None, "easing", LONG, True, False, "2020-05-04"),
            ("Көші-қон", "2017-01-01", None, "neutral", "3 шара", True, False, "2021-12-31"),
            ("Көші-қон", "2024-06-01", "2024-06-30", "easing", "", True, True, None),
        ],
        columns=["lane", "start", "end", "kind", "label", "known_start", "known_end", "sure_until"],
    )


def chart(bars: pd.DataFrame | None = None, **changed):
    head = {
        "title": 'Кезек <"&> 2020', "desc": "Күту", "prefix": "c1", "unit": "человек в год", "gap_label": "не опубликовано",
        "number_format": number, "kind_labels": WORDS, "open_label": "день неизвестен", "periods_label": "Действующие меры",
        "span": ("2015", "2024"), "locale": "ru",
    }  # fmt: skip
    return lines_over_periods(rows(), periods() if bars is None else bars, **head | changed)


def bars_of(svg: str, fill: str) -> list[tuple[float, float]]:
    """Left and right edge of the boxes in a fill, those of the key left out."""
    found = []
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        if path.get("fill") == fill and (box := re.fullmatch(r"M([\d.-]+),([\d.-]+)h([\d.-]+)v([\d.-]+)h-[\d.]+Z", path.get("d", ""))):
            x, wide, tall = float(box[1]), float(box[3]), float(box[4])
            if abs(tall) == 9:
                found.append((x, x + wide))
    return sorted(found)


@LAYOUTS
def test_words_stand_clear_of_each_other_inside_the_sheet_and_none_is_lost(layout):
    svg = getattr(chart(), layout)
    width = float(ET.fromstring(svg).get("viewBox").split()[2])
    for (a, x0, y0, x1, y1), (b, u0, v0, u1, v1) in combinations(boxes(svg), 2):
        assert x1 <= u0 + 1 or u1 <= x0 + 1 or y1 <= v0 + 1 or v1 <= y0 + 1, (a, b)
    assert all(x0 >= -1 and x1 <= width + 1 for _, x0, _, x1, _ in boxes(svg))
    printed = " ".join(texts(svg))
    for word in ("Здравоохранение", "Көші-қон", "29 мер", "Действующие меры", "день неизвестен", *WORDS.values()):
        assert word in printed
    assert not re.search(r"[A-Za-z]{3}", printed)


@LAYOUTS
def test_a_known_end_is_sharp_where_the_axis_has_that_day_and_an_unknown_one_fades(layout):
    svg = getattr(chart(), layout)
    assert "fade-d55e00" not in svg
    assert "rise-d55e00" in svg
    assert "fade-7a828c" in svg
    assert "rise-7a828c" not in svg
    (_, stop), *_ = bars_of(svg, "#d55e00")
    # the level lines of the plot reach from its first to its last moment
    first, last = max(
        ((float(a), float(b)) for a, _, b in re.findall(r"M([\d.]+),([\d.]+)L([\d.]+),\2", svg)), key=lambda edges: edges[1] - edges[0]
    )
    assert stop == pytest.approx(first + (last - first) * (2022 + 158 / 365 - 2015) / 10, abs=2.5)


def test_no_bar_reaches_the_end_of_the_chart_because_its_end_is_not_known():
    svg = chart(pd.DataFrame([("a", "2016-01-01", None, "easing", "б", True, False, "2016-03-01")], columns=periods().columns)).wide
    assert bars_of(svg, "#0072b2")[0][1] < 200


def test_points_outside_the_span_are_not_drawn_and_periods_outside_have_no_lane():
    svg = chart(span=("2015", "2016")).wide
    assert "Здравоохранение" not in " ".join(texts(svg))
    width = float(ET.fromstring(svg).get("viewBox").split()[2])
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        assert all(0 <= float(x) <= width for x in re.findall(r"[ML]([\d.-]+),", path.get("d", "")))


def test_without_periods_only_the_lines_are_drawn_and_the_same_rows_give_the_same_bytes():
    assert "ужесточение" not in chart(periods().iloc[:0]).wide
    assert chart() == chart()


def test_a_period_that_ends_before_it_begins_is_refused():
    wrong = periods().assign(end="2010-01-01")
    with pytest.raises(DesignError, match="in the order of time"):
        chart(wrong)
    with pytest.raises(DesignError, match="lacks the columns kind"):
        chart(periods().drop(columns="kind"))
