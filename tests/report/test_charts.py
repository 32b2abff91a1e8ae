import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import altair as alt
import pandas as pd
import pytest

from qonys.core.errors import DesignError
from qonys.report import charts
from qonys.report.charts import axes, theme
from qonys.report.charts.draw import _layer

pytestmark = pytest.mark.slow  # draws about a hundred charts

SVG = "{http://www.w3.org/2000/svg}"
HEAD = {"title": 'Потоки <"&> 2020', "desc": "Көші-қон & айырымы", "prefix": "c1"}
LONG = ["Западно-Казахстанская область", "Ішкі қозғалыс және шекарадан тыс өңіраралық қоныс аудару", "Восстановление прав", "Қызылорда"]
KINDS = {"tightening": "Ужесточение", "easing": "Смягчение", "neutral": "Нейтральная мера"}
BANDS = [
    charts.Band("2020-03-16", "2020-05-11", "Чрезвычайное положение", "tightening", "1"),
    charts.Band("2020-03-19", "2022-01-15", "Сухопутные границы закрыты для пассажиров", "tightening", "2"),
    charts.Band("2021-01-01", None, "Қандастарға арналған «бір терезе» рәсімі", "easing", "3"),
]
REGIONS = ["Акмолин.", "Қызылорда", "Маңғыстау", "ШҚО", "Алматы", "Ұлытау"]


def number(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\N{NO-BREAK SPACE}").replace("-", "−")


def yearly(missing: tuple[int, ...] = (), series: int = 3) -> pd.DataFrame:
    return pd.DataFrame(
        {"x": year, "series": place, "label": LONG[place], "value": None if year in missing else (place - 1) * 40_000 + 900 * (year - 2000)}
        for place in range(series) for year in range(2000, 2026)
    )  # fmt: skip


def monthly(gap: tuple[str, ...] = ()) -> pd.DataFrame:
    months = [f"{2019 + i // 12}-{i % 12 + 1:02d}" for i in range(40)]
    rows = [(month, "a", LONG[1], 1200 - 9.0 * i, 1000 - 9.0 * i, 1500.0) for i, month in enumerate(months) if month not in gap]
    return pd.DataFrame(rows, columns=["x", "series", "label", "value", "low", "high"])


def register(lanes: int) -> pd.DataFrame:
    rows = [
        (f"{LONG[lane % 4]} {lane}", f"2020-{1 + (lane + i) % 12:02d}-05", None if i == 2 else f"2021-{1 + (lane * i) % 12:02d}-20", kind, i != 1)
        for lane in range(lanes) for i, kind in enumerate(KINDS)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["lane", "start", "end", "kind", "known_end"])


def estimates() -> pd.DataFrame:
    rows = [
        (LONG[0], -42.0, -61.0, -20.0, "−42 (−61…−20)"),
        (LONG[1], 24.0, 9.0, 41.0, "24 (9…41)"),
        (LONG[2], None, None, None, "нет данных"),
    ]
    return pd.DataFrame(rows, columns=["label", "value", "low", "high", "text"])


def firsts() -> pd.DataFrame:
    rows = [("Словакия", "2020-03-12", "2020-03-12", "12 мар."), ("Чехия", "2020-03-16", "2020-03-16", "16 мар."), (LONG[0], "2020-03-14", "2020-03-21", "14–21 мар."),
            ("Нидерланд", "2020-03-18", "2020-03-18", "18 мар."), ("Болгария", "2020-04-06", "2020-04-06", "6 апр.")]  # fmt: skip
    return pd.DataFrame(rows, columns=["label", "earliest", "latest", "text"])


def places() -> pd.DataFrame:
    """Two days of fifteen areas: first nearly all on one spot, then apart."""
    return pd.DataFrame(
        (panel, f"{'АӘБВГҒДЕЁЖЗИЙКҚ'[i]}", step * 4 * (i * 7 % 11 - 5) + (i == 3), step * 3 * (i * 5 % 7 - 3))
        for step, panel in enumerate(["15 февраля 2020 г.", "2020 ж. 15 сәуір"]) for i in range(15)
    ).set_axis(["panel", "label", "x", "y"], axis=1)  # fmt: skip


def events() -> pd.DataFrame:
    rows = [(time, -30.0 * (time >= 0) + time % 3, -42.0 * (time >= 0) - 9, -20.0 * (time >= 0) + 9, time == -1) for time in range(-12, 19)]
    return pd.DataFrame(rows, columns=["event_time", "value", "low", "high", "reference"])


def draw_all(locale: str = "ru", prefix: str = "c1") -> dict[str, charts.Chart]:
    """Every chart once, with long Russian and Kazakh words."""
    head = {**HEAD, "prefix": prefix}
    dated = {**head, "locale": locale}
    heat = pd.DataFrame(
        [(name, f"2020-{m:02d}", None if m == 5 else m / 12) for name in LONG for m in range(1, 13)], columns=["area_label", "x", "value"]
    )
    values = [-22759, 51539, 0, -14194, 43210, None]
    tiles = pd.DataFrame(
        {
            "code": f"K{i}",
            "label": LONG[0],
            "short": name,
            "row": i // 6,
            "col": i,
            "value": value,
            "text": "" if value is None else number(value),
        }
        for i, (name, value) in enumerate(zip(REGIONS, values, strict=True))
    )
    bars = estimates().assign(text=["−42", "24", "нет данных"])
    change = pd.DataFrame(
        [(LONG[0], 200, 150, 288), (LONG[1], 100, None, 50), (LONG[3], 100, 97, 101)], columns=["label", "before", "during", "after"]
    )
    counts = pd.DataFrame([(a, f"{b} {n}", (i * n) % 5, str((i * n) % 5)) for i, a in enumerate(LONG) for n, b in enumerate(LONG * 3)],
                          columns=["row", "col", "value", "text"])  # fmt: skip
    gantt = pd.DataFrame([("Кезекпен (қазір)", LONG[1], 0, 60), ("Кезекпен (қазір)", LONG[2], 60, 180), ("«Бір терезе»", LONG[1], 0, 90)],
                         columns=["variant", "step", "start", "end"])  # fmt: skip
    points = pd.DataFrame([(f"20{15 + i}-0{i + 1}-01", 29100 - 1700 * i, number(29100 - 1700 * i), "p", LONG[1]) for i in range(8)],
                          columns=["x", "value", "text", "series", "label"])  # fmt: skip
    quota = pd.DataFrame([(2016, 38500, "38 500"), (2019, 29300, "29 300"), (2021, 22000, "22 000")], columns=["x", "value", "text"])
    return {
        "time_lines": charts.time_lines(yearly((2009, 2010)), unit="Человек в год", gap_label="нет данных", number_format=number, bands=BANDS,
                                        kind_labels=KINDS, **dated),
        "interval_lines": charts.interval_lines(monthly(), unit="Айына адам", number_format=number, phases=[
            charts.Phase("2019-01", "2020-02", "Пандемияға дейін"), charts.Phase("2020-03", "2020-05", LONG[1])], **dated),
        "heat_strips": charts.heat_strips(heat, unit="Доля дней", low_label="без контроля", high_label="каждый день", missing_label="нет данных", **dated),
        "tile_map": charts.tile_map(tiles, unit="Сальдо, человек", missing_label="дерек жоқ", low_label="кету", high_label="келу", **head),
        "ranked_bars": charts.ranked_bars(bars, unit="Человек", **head),
        "change_dots": charts.change_dots(change, unit="Индекс", names=("До пандемии", "Во время пандемии", "После"), number_format=number, **dated),
        "timelines": charts.timelines(register(30), kind_labels=KINDS, open_label="конец неизвестен", **dated),
        "matrix": charts.matrix(counts, row_title="Меры", col_title="Өңірлер", **head),
        "steps": charts.steps(gantt, unit="Дней", total_label="Барлығы, күн:", number_format=number, **dated),
        "point_series": charts.point_series(points, unit="Адам", quota=quota, quota_label="Годовая квота", **dated),
        "intervals": charts.intervals(estimates(), unit="Процент", **dated),
        "first_days": charts.first_days(firsts(), acts=[charts.Act("2020-03-16", "16 мар.: Комиссия предлагает ограничить поездки из третьих стран"),
                                                        charts.Act("2020-03-17", "17 мар.: Көшбасшылар шектеуге келісті")], **dated),
        "counterfactual": charts.counterfactual(
            events().assign(observed=lambda one: 100 + one["value"], without=100, low=91, high=109), unit="Адам", time_label="айлар",
            force_label="шара күшінде", names=("Байқалғаны", "Шарасыз"), **dated),
        "event_study": charts.event_study(events(), unit="Адам", time_label="Шара басталғаннан бергі айлар", force_label="мера действует", **dated),
        "policy_map": charts.policy_map(places(), unit="Балл", number_format=number, **head),
    }  # fmt: skip


@pytest.fixture(scope="module")
def drawn() -> dict[str, charts.Chart]:
    return draw_all()


NAMES = [
    "time_lines",
    "interval_lines",
    "heat_strips",
    "tile_map",
    "ranked_bars",
    "change_dots",
    "timelines",
    "matrix",
    "steps",
    "point_series",
    "intervals",
    "first_days",
    "policy_map",
    "event_study",
    "counterfactual",
]
both = pytest.mark.parametrize(("name", "layout"), [(name, layout) for name in NAMES for layout in ("wide", "narrow")])


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


def boxes(svg: str) -> list[tuple[str, float, float, float, float]]:
    """Each text with the box it takes, by an ordinary face (narrower than the room that the charts plan for)."""
    out = []
    for node in ET.fromstring(svg).iter(f"{SVG}text"):
        found = re.fullmatch(r"translate\(([-\d.]+),([-\d.]+)\)(?: rotate\(([-\d.]+)\))?", node.get("transform", ""))
        assert found, node.attrib
        x, y, size = float(found[1]), float(found[2]), float(node.get("font-size", "0").removesuffix("px"))
        wide = theme.text_width(node.text or "", size) * 0.9
        before = {"start": 0.0, "middle": wide / 2, "end": wide}[node.get("text-anchor", "start")]
        turned = found[3] is not None and float(found[3]) % 360 == 270
        box = (
            (x - size * 0.72, y - wide + before, x + size * 0.1, y + before)
            if turned
            else (x - before, y - size * 0.72, x - before + wide, y + size * 0.1)
        )
        out.append((node.text or "", *box))
    return out


@both
def test_a_chart_is_well_formed_and_says_what_it_is(drawn, name, layout):
    root = ET.fromstring(getattr(drawn[name], layout))
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == HEAD["title"]
    assert root.find(f"{SVG}desc").text == HEAD["desc"]
    assert root.get("viewBox").split()[2] == ("760" if layout == "wide" else "360")
    assert root.get("width") is None
    assert "max-width:100%" in root.get("style")


@both
def test_no_text_leaves_the_sheet_or_covers_another(drawn, name, layout):
    svg = getattr(drawn[name], layout)
    width, height = (float(size) for size in ET.fromstring(svg).get("viewBox").split()[2:])
    placed = boxes(svg)
    assert not [box for box in placed if box[1] < -1 or box[2] < 0 or box[3] > width + 1 or box[4] > height]
    assert not [
        (a[0], b[0]) for a, b in combinations(placed, 2) if a[1] < b[3] - 1 and b[1] < a[3] - 1 and a[2] < b[4] - 1 and b[2] < a[4] - 1
    ]


@both
def test_texts_are_large_enough_to_read(drawn, name, layout):
    sizes = {float(node.get("font-size").removesuffix("px")) for node in ET.fromstring(getattr(drawn[name], layout)).iter(f"{SVG}text")}
    assert min(sizes) >= 11


@both
def test_no_english_word_is_added(drawn, name, layout):
    root = ET.fromstring(getattr(drawn[name], layout))
    assert not re.search(r"[A-Za-z]{2}", " ".join(texts(getattr(drawn[name], layout))))
    assert not [node for node in root.iter() if any(key.startswith("aria-") for key in node.attrib) and node is not root]


@pytest.mark.parametrize("layout", ["wide", "narrow"])
@pytest.mark.parametrize(("name", "words"), [
    ("time_lines", [*LONG[:3], "нет данных", KINDS["tightening"], KINDS["easing"], *(band.label for band in BANDS)]),
    ("interval_lines", [LONG[1], "Пандемияға дейін"]),
    ("heat_strips", [*LONG, "Доля дней", "без контроля", "каждый день", "нет данных"]),
    ("tile_map", ["Сальдо, человек", "дерек жоқ", "кету", "келу", "ШҚО", "Алматы", number(-22759)]),
    ("ranked_bars", [*LONG[:3], "−42", "24", "нет данных"]),
    ("change_dots", [LONG[0], LONG[1], "До пандемии", "Во время пандемии", "После", "75", "144"]),
    ("timelines", [f"{LONG[1]} 29", *KINDS.values(), "конец неизвестен"]),
    ("matrix", [*LONG, "Меры", "Өңірлер", f"{LONG[0]} 8"]),
    ("steps", [LONG[1], LONG[2], "Кезекпен (қазір)", "«Бір терезе»", "Барлығы, күн: 180", "Барлығы, күн: 90"]),
    ("point_series", [LONG[1], "Годовая квота", number(29100), number(17200), "38 500", "22 000"]),
    ("intervals", [*LONG[:3], "−42 (−61…−20)", "24 (9…41)", "нет данных"]),
    ("counterfactual", ["Адам", "Байқалғаны", "Шарасыз", "шара күшінде"]),
    ("event_study", ["Адам", "Шара басталғаннан бергі айлар", "мера действует"]),
    ("policy_map", ["15 февраля 2020 г.", "2020 ж. 15 сәуір", "Балл", "Г", "+9"]),
    ("first_days", ["Словакия", LONG[0], "12 мар.", "14–21 мар.", "6 апр.", "Комиссия предлагает ограничить поездки из третьих стран", "Көшбасшылар шектеуге келісті"]),
])  # fmt: skip
def test_every_text_passed_in_appears(drawn, name, words, layout):
    """Wrapped lines follow each other; a long word on a small tile may be cut by a hyphen."""
    svg = getattr(drawn[name], layout)
    said = "".join(texts(svg)).replace(" ", "")
    assert [word for word in words if word.replace(" ", "") not in said] == []


@pytest.mark.parametrize("layout", ["wide", "narrow"])
def test_numbers_come_from_the_rows_or_from_even_ticks(drawn, layout):
    own = {
        "tile_map": {number(v) for v in (-22759, 51539, 0, -14194, 43210)},
        "ranked_bars": {"−42", "24"},
        "matrix": {*"1234", "10", "11"},
    }
    for name, known in own.items():
        found = {text for text in texts(getattr(drawn[name], layout)) if re.search(r"\d", text) and not re.search(r"[а-я]", text)}
        assert found <= known
    spans = {str(year) for year in range(2000, 2026)} | {"1", "2", "3"} | {number(v) for v in (-17500, 22500, 62500)}
    found = [text for text in texts(getattr(drawn["time_lines"], layout)) if re.search(r"\d", text)]
    ticks = sorted({float(re.sub(r"\s", "", text).replace("−", "-")) for text in found if text not in spans})
    assert len({round(b - a, 6) for a, b in pairwise(ticks)}) == 1


def test_the_same_rows_give_the_same_bytes(drawn):
    again = draw_all()
    assert again == drawn


def test_ids_of_charts_on_one_page_do_not_collide(drawn):
    other = draw_all(prefix="c2")
    pages = [svg for some in (drawn, other) for name in ("time_lines", "timelines") for svg in (some[name].wide, some[name].narrow)]
    ids = [re.findall(r'\bid="([^"]+)"', svg) for svg in pages]
    for svg, own in zip(pages, ids, strict=True):
        assert len(own) == len(set(own))
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(own)
    assert not set(ids[0]) & set(ids[1])
    assert not {i for own in ids[:4] for i in own} & {i for own in ids[4:] for i in own}


def test_a_gap_breaks_the_line_and_is_named():
    chart = charts.time_lines(yearly((2009, 2010, 2011), series=1), unit="u", gap_label="үзіліс", number_format=number, **HEAD)
    for svg in (chart.wide, chart.narrow):
        paths = [node.get("d") for node in ET.fromstring(svg).iter(f"{SVG}path") if node.get("stroke") == theme.SERIES[0]]
        assert [len(re.findall(r"[ML]", path)) for path in paths if path.count("L") > 3] == [9, 14]
        assert "үзіліс" in texts(svg)
        assert "url(#c1-" in svg


def test_years_absent_from_the_rows_are_a_gap_too():
    rows = yearly(series=1)
    whole = charts.time_lines(rows, unit="u", gap_label="gap", number_format=number, **HEAD)
    holed = charts.time_lines(rows[~rows.x.isin([2009, 2010])], unit="u", gap_label="gap", number_format=number, **HEAD)
    late = charts.time_lines(rows, unit="u", gap_label="gap", number_format=number, span=(1995, 2025), **HEAD)
    assert "gap" not in texts(whole.wide)
    assert "gap" in texts(holed.wide)
    assert "gap" in texts(late.wide)


def test_a_missing_month_breaks_line_and_interval():
    chart = charts.interval_lines(monthly(("2020-03", "2020-04")), unit="u", number_format=number, **HEAD)
    areas = [
        node
        for node in ET.fromstring(chart.wide).iter(f"{SVG}path")
        if node.get("fill") == theme.SERIES[0] and node.get("opacity") == "0.22"
    ]
    assert len(areas) == 2


def test_a_measure_without_known_end_does_not_reach_the_end_of_the_chart():
    rows = pd.DataFrame([("a", "2015-01-01", None, "easing", True), ("b", "2015-01-01", "2024-12-31", "tightening", True)],
                        columns=["lane", "start", "end", "kind", "known_end"])  # fmt: skip
    svg = charts.timelines(rows, kind_labels=KINDS, open_label="open", **HEAD).wide
    tail = [node.get("d") for node in ET.fromstring(svg).iter(f"{SVG}path") if node.get("fill", "").endswith("fade-0072b2)")]
    assert len(tail) == 1
    assert float(re.search(r"h([\d.]+)", tail[0])[1]) < 40


def test_a_first_day_known_in_part_is_a_bar_and_an_act_a_line_of_its_own():
    """Dots at both ends of the days that may have been the first; the line of an act runs through the dots of its day."""
    svg = charts.first_days(firsts(), acts=[charts.Act("2020-03-16", "act")], **HEAD).wide
    paths = list(ET.fromstring(svg).iter(f"{SVG}path"))
    bars = [node for node in paths if node.get("stroke-width") == "4" and node.get("opacity") == "0.45"]
    assert len(bars) == 1
    dots = [node for node in paths if node.get("fill") == theme.POSITIVE]
    assert len(dots) == len(firsts()) + 1
    dashed = [node.get("d") for node in paths if node.get("stroke-dasharray")]
    on_line = re.match(r"M([\d.]+),", dashed[0])[1]
    assert {re.match(r"M([\d.]+),", line)[1] for line in dashed} == {on_line}
    places = [float(re.match(r"translate\(([\d.]+),", node.get("transform"))[1]) for node in dots]
    assert float(on_line) in places


@pytest.mark.parametrize("locale", ["ru", "kk"])
def test_months_are_named_in_the_language(locale):
    svg = charts.heat_strips(pd.DataFrame([("a", f"2020-{m:02d}", 0.5) for m in range(1, 13)], columns=["area_label", "x", "value"]),
                             unit="u", low_label="l", high_label="h", missing_label="m", locale=locale, **HEAD).wide  # fmt: skip
    assert {"ru": "янв.", "kk": "қаң."}[locale] in texts(svg)
    assert "Jan" not in svg


def test_a_number_is_not_broken_at_its_spaces():
    assert (
        theme.wrap("+13\N{NO-BREAK SPACE}748 (−4\N{NO-BREAK SPACE}096 … +19\N{NO-BREAK SPACE}106)", 90, 12)[0] == "+13\N{NO-BREAK SPACE}748"
    )


def test_a_value_in_two_lines_does_not_cover_its_whisker():
    rows = estimates().assign(
        text="+13\N{NO-BREAK SPACE}748 (−4\N{NO-BREAK SPACE}096 … +19\N{NO-BREAK SPACE}106 мен одан да көп)",
        label=" ".join(LONG[:1] * 3),
        value=[-2e5, 1e5, 3e5],
        low=[-3e5, 0, 2e5],
        high=[-1e5, 2e5, 5e5],
    )
    svg = charts.intervals(rows, unit="Адам", **HEAD).narrow
    words = [box for box in boxes(svg) if "106" in box[0] or "көп" in box[0]]
    whiskers = [
        float(match[2]) for node in ET.fromstring(svg).iter(f"{SVG}path") if node.get("stroke") == theme.POSITIVE
        for match in [re.match(r"M([-\d.]+),([-\d.]+)L([-\d.]+),\2$", node.get("d"))] if match
    ]  # fmt: skip
    assert len(whiskers) == 3
    placed = boxes(svg)
    assert not [(a[0], b[0]) for a, b in combinations(placed, 2) if a[1] < b[3] and b[1] < a[3] and a[2] < b[4] - 1 and b[2] < a[4] - 1]
    assert all(not box[2] < y < box[4] for box in words for y in whiskers)


def test_a_map_has_a_dot_for_each_spot_at_one_scale():
    chart = charts.policy_map(places(), unit="points", number_format=number, **HEAD)
    dots = [node for node in ET.fromstring(chart.wide).iter(f"{SVG}path") if node.get("fill") == theme.series_colour(0)]
    at = [tuple(map(float, re.findall(r"[-\d.]+", node.get("transform"))[:2])) for node in dots]
    assert len(dots) == 1 + 1 + 15  # on the first day all but one stand on one spot
    assert len(set(at)) == len(at)


def test_levels_are_indexed_to_the_period_before():
    rows = pd.DataFrame([("a", 200, 150, 288)], columns=["label", "before", "during", "after"])
    again = pd.DataFrame([("a", 100, 75, 144)], columns=["label", "before", "during", "after"])
    one, other = (charts.change_dots(r, unit="u", names=("b", "d", "f"), number_format=number, **HEAD) for r in (rows, again))
    assert one == other
    assert {"75", "144"} <= set(texts(one.wide))


def test_bars_are_ranked_and_negative_ones_go_left():
    svg = charts.ranked_bars(estimates(), unit="u", **HEAD).wide
    said = "".join(texts(svg))
    assert said.index("Ішкі") < said.index("Западно") < said.index("Восстановление")
    fills = [node.get("fill") for node in ET.fromstring(svg).iter(f"{SVG}path") if node.get("fill") in (theme.NEGATIVE, theme.POSITIVE)]
    assert fills == [theme.POSITIVE, theme.NEGATIVE]


def test_empty_rows_are_refused_with_a_sentence():
    calls = {
        "time_lines": {"unit": "u", "gap_label": "g", "number_format": number}, "interval_lines": {"unit": "u", "number_format": number},
        "heat_strips": {"unit": "u", "low_label": "l", "high_label": "h", "missing_label": "m"}, "tile_map": {"unit": "u", "missing_label": "m"},
        "ranked_bars": {"unit": "u"}, "change_dots": {"unit": "u", "names": ("b", "d", "a"), "number_format": number},
        "timelines": {"kind_labels": KINDS, "open_label": "o"}, "matrix": {}, "steps": {"unit": "u", "total_label": "t", "number_format": number},
        "point_series": {"unit": "u"}, "intervals": {"unit": "u"}, "first_days": {}, "policy_map": {"unit": "u", "number_format": number},
        "event_study": {"unit": "u", "time_label": "t", "force_label": "f"},
        "counterfactual": {"unit": "u", "time_label": "t", "force_label": "f", "names": ("a", "b")},
    }  # fmt: skip
    columns = ["x", "series", "label", "value", "low", "high", "area_label", "code", "short", "row", "col", "text", "before", "during", "after", "lane",
               "start", "end", "kind", "known_end", "variant", "step", "earliest", "latest", "panel", "y", "event_time", "reference", "observed", "without"]  # fmt: skip
    assert sorted(calls) == sorted(NAMES)
    for name, words in calls.items():
        with pytest.raises(DesignError, match="no rows"):
            getattr(charts, name)(pd.DataFrame(columns=columns), **words, **HEAD)
        with pytest.raises(DesignError, match="lacks the columns"):
            getattr(charts, name)(pd.DataFrame({"nothing": [1]}), **words, **HEAD)


def test_rows_without_any_value_and_a_wrong_prefix_are_refused():
    with pytest.raises(DesignError, match="no value"):
        charts.time_lines(yearly(tuple(range(2000, 2026))), unit="u", gap_label="g", number_format=number, **HEAD)
    with pytest.raises(DesignError, match="cannot start the ids"):
        charts.ranked_bars(estimates(), unit="u", title="t", desc="d", prefix='1"')


@pytest.mark.parametrize("value", [0.0, 0.004, -3e9, 7.0])
def test_one_value_is_enough(value):
    line = pd.DataFrame([(2020, "a", "b", value)], columns=["x", "series", "label", "value"])
    bar = pd.DataFrame([("a", value, "t")], columns=["label", "value", "text"])
    dot = pd.DataFrame([("a", value, None, None, "t")], columns=["label", "value", "low", "high", "text"])
    drawn = [
        charts.time_lines(line, unit="u", gap_label="g", number_format=number, **HEAD),
        charts.ranked_bars(bar, unit="u", **HEAD),
        charts.intervals(dot, unit="u", **HEAD),
    ]
    for chart in drawn:
        assert "NaN" not in chart.wide + chart.narrow


def test_text_in_a_cell_has_contrast_on_every_shade():
    shades = [theme.sequential(i / 50) for i in range(51)] + [theme.diverging(i / 25 - 1) for i in range(51)]
    assert min(theme.contrast(fill, theme.ink_on(fill)) for fill in shades) >= 4.5
    assert min(theme.contrast(theme.ink_of(colour), theme.PAPER) for colour in (*theme.SERIES, *theme.KINDS.values())) >= 4.5


def test_spread_keeps_things_apart_inside_and_in_order():
    centres = axes.spread([10, 11, 12, 95], [20, 20, 20, 20], 0, 100)
    assert all(b - a >= 20 - 1e-9 for a, b in pairwise(centres))
    assert min(centres) >= 10 - 1e-9
    assert max(centres) <= 90 + 1e-9


def test_vega_is_not_imported_before_a_chart_is_drawn():
    code = "import sys, qonys.report.charts; sys.exit('vl_convert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("kind", "style"), [
    ("rect", (1, None)), ("rect", (0.5, "#ffffff")), ("line", (2, (4, 3), 1)), ("line", (2, (), 0.5)), ("area", (0.2,)),
    ("polygon", (1, "#ffffff", 0.6)), ("polygon", (1, None, 0)), ("point", (4, 1)), ("text", (12, "left", True, 90)),
])  # fmt: skip
def test_a_layer_is_vega_lite_by_its_schema(kind, style):
    """Altair, which is made from the schema, takes it for a chart and gives it back as it was."""
    layer = _layer(kind, style, "m0")
    made = alt.Chart.from_dict(layer, validate=True).to_dict(validate=True)
    assert {name: made[name] for name in layer} == layer
