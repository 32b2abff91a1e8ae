"""Charts of the rooms: shares in steps, corridors, queues, procedures that wait."""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.report.charts import corridors, dates, queues, shares, theme
from qonys.report.charts.axes import Linear
from qonys.report.charts.series import Phase

from .test_charts import SVG, boxes, number, texts

HEAD = {"title": 'Кезек <"&> 2020', "desc": "Күту & жол", "prefix": "c1"}
UZB, KGZ, TJK = "Граждане Узбекистана", "Қырғызстан азаматтары", "Граждане Таджикистана"
SARYAGASH, OZINKI, ZHAISAN = "Сарыағаш (теміржол)", "Озинки — Семиглавый Мар", "Жайсан"
VARIANTS = ["Кезекпен (қазіргі тәртіп)", "Одновременно во всех органах", "«Бір терезе» қағидаты бойынша"]
WORDS = {
    "waiting": "ждёт очереди",
    "handling": "рассматривается",
    "passing": "межведомственные запросы",
    "returned": "құжаттар өтініш берушіде",
}
LAYOUTS = pytest.mark.parametrize("layout", ["wide", "narrow"])
MARKED = {"mark_x": 90, "mark_label": "Срок по закону: 90 дней"}


def percent(value: float) -> str:
    return f"{value:.0f}\N{NO-BREAK SPACE}%"


def stays(lines: int = 3) -> pd.DataFrame:
    """Households still there by month, with bands and the number observed."""
    rows = [
        (VARIANTS[line], month, value, max(value - 2 - month / 4, 0), min(value + 2 + month / 5, 100), 1840 - 300 * line - 31 * month)
        for line in range(lines) for month in range(37) for value in [100 * (1 - 0.006 * (line + 1)) ** month]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["line", "x", "value", "low", "high", "at_risk"])


def decided() -> pd.DataFrame:
    rows = [(name, day, min(100.0, max(0.0, (day - 30 * place) * 0.8))) for place, name in enumerate(VARIANTS) for day in range(0, 201, 5)]
    return pd.DataFrame(rows, columns=["line", "x", "value"])


def home() -> pd.DataFrame:
    rows = [((dt.date(2020, 4, 6) + dt.timedelta(day)).isoformat(), group, min(100.0, day * (2.0 - place / 2)))
            for place, group in enumerate([UZB, KGZ, TJK]) for day in range(100)]  # fmt: skip
    return pd.DataFrame(rows, columns=["x", "line", "value"])


def legs() -> pd.DataFrame:
    rows = [
        ("Саратов облысы", OZINKI, UZB, 15000), ("Саратов облысы", OZINKI, KGZ, 2600), ("Оренбургская область", ZHAISAN, UZB, 13800),
        ("Оренбургская область", ZHAISAN, TJK, 1900), (OZINKI, SARYAGASH, UZB, 15000), (OZINKI, "Луговая — Мерке", KGZ, 2600),
        (ZHAISAN, SARYAGASH, UZB, 13800), (ZHAISAN, SARYAGASH, TJK, 1900), (SARYAGASH, "Өзбекстан", UZB, 28800),
        (SARYAGASH, "Таджикистан", TJK, 1900), ("Луговая — Мерке", "Кыргызская Республика", KGZ, 2600), ("Оренбургская область", "Өзбекстан", UZB, 7),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["from_label", "to_label", "group", "value"])
    return table.assign(text=[number(value) for value in table["value"]])


def waiting(missing: str = "") -> pd.DataFrame:
    start, groups = dt.date(2020, 4, 6), [OZINKI, ZHAISAN, "Петропавл"]
    rows = [(day.isoformat(), group, None if day.isoformat() == missing else (300 - 120 * place) * (10 + min(past, 40) - max(past - 40, 0) / 2))
            for past in range(90) for day in [start + dt.timedelta(past)] for place, group in enumerate(groups)]  # fmt: skip
    return pd.DataFrame(rows, columns=["day", "group", "value"])


def stretches() -> pd.DataFrame:
    rows = [
        (VARIANTS[0], "Ішкі істер органы: тұрақты тұруға рұқсат беру", "waiting", 0, 26), (VARIANTS[0], "Ішкі істер органы: тұрақты тұруға рұқсат беру", "handling", 26, 29),
        (VARIANTS[0], "Ішкі істер органы: тұрақты тұруға рұқсат беру", "returned", 29, 50), (VARIANTS[0], "Приобретение гражданства", "waiting", 50, 87),
        (VARIANTS[0], "Приобретение гражданства", "passing", 87, 193), (VARIANTS[2], "Приобретение гражданства", "waiting", 0, 31), (VARIANTS[2], "Приобретение гражданства", "handling", 31, 74),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["variant", "step", "kind", "start", "end"])


def draw_all(prefix: str = "c1"):
    """Every chart once, in both of its ways, with long Russian and Kazakh words."""
    head = {**HEAD, "prefix": prefix}
    closed = [Phase("2020-04-20", "2020-05-10", "Сарыағаш жабық"), Phase("2020-06-20", "2020-07-31", "Закрыты переходы")]
    places = pd.DataFrame({"label": list(dict.fromkeys([*legs()["from_label"], *legs()["to_label"]]))})
    return {
        "stays": shares.step_lines(stays(), unit="Доля домохозяйств, %", x_label="Көшкеннен кейінгі айлар", number_format=percent,
                                   at_risk_label="Под наблюдением", x_step=12, locale="ru", **head),
        "decided": shares.step_lines(decided(), unit="Доля решённых дел, %", x_label="Күн", number_format=percent, locale="kk", **MARKED, **head),
        "home": shares.step_lines(home(), unit="Үйге оралғандар, %", x_label="Күні", number_format=percent, locale="kk", **head),
        "routes": corridors.routes(legs(), unit="Человек", places=places.assign(text=["" if n else "ждут 1 200" for n in range(len(places))]), **head),
        "stacked_days": queues.stacked_days(waiting(), unit="Ожидают, человек", closed=closed, locale="ru", **head),
        "procedure_bars": queues.procedure_bars(stretches(), unit="Дней", total_label="Решение на день", kind_labels=WORDS, number_format=number,
                                                limit=90, limit_label="Срок по закону: 90 дней", locale="ru", **head),
    }  # fmt: skip


@pytest.fixture(scope="module")
def drawn():
    return draw_all()


def paths(svg: str, **attributes: str) -> list[ET.Element]:
    return [
        node for node in ET.fromstring(svg).iter(f"{SVG}path") if all(node.get(k.replace("_", "-")) == v for k, v in attributes.items())
    ]


def corners(path: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+),([-\d.]+)", path.get("d"))]


# --- drawn -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@LAYOUTS
def test_a_chart_of_a_room_says_what_it_is_and_its_texts_stand_clear(drawn, layout):
    for name, chart in drawn.items():
        svg = getattr(chart, layout)
        root = ET.fromstring(svg)
        assert (root.get("role"), root.find(f"{SVG}title").text, root.find(f"{SVG}desc").text) == ("img", HEAD["title"], HEAD["desc"])
        width, height = (float(size) for size in root.get("viewBox").split()[2:])
        assert width == {"wide": 760, "narrow": 360}[layout]
        placed = boxes(svg)
        assert not [box for box in placed if box[1] < -1 or box[2] < 0 or box[3] > width + 1 or box[4] > height], name
        crossed = [(a[0], b[0]) for a, b in combinations(placed, 2)
                   if a[1] < b[3] - 1 and b[1] < a[3] - 1 and a[2] < b[4] - 1 and b[2] < a[4] - 1]  # fmt: skip
        assert not crossed, name
        assert min(float(node.get("font-size").removesuffix("px")) for node in root.iter(f"{SVG}text")) >= 11
        assert "NaN" not in svg
        assert not re.search(r"[A-Za-z]{2}", " ".join(texts(svg))), "an English word"


@pytest.mark.slow
@LAYOUTS
def test_every_word_given_appears(drawn, layout):
    words = {
        "stays": [*VARIANTS, "Под наблюдением", "Көшкеннен кейінгі айлар", percent(stays()["value"].iloc[36])],
        "decided": [*VARIANTS, MARKED["mark_label"]],
        "home": [UZB, KGZ, TJK, "2020"],
        "routes": [UZB, KGZ, TJK, *legs()["from_label"], *legs()["to_label"], "ждут 1 200", *legs()["text"]],
        "stacked_days": [OZINKI, ZHAISAN, "Петропавл", "Сарыағаш жабық", "Закрыты переходы"],
        "procedure_bars": [VARIANTS[0], VARIANTS[2], *WORDS.values(), "Решение на день 193", "Решение на день 74", *stretches()["step"], "Срок по закону: 90 дней"],
    }  # fmt: skip
    for name, given_words in words.items():
        said = "".join(texts(getattr(drawn[name], layout))).replace(" ", "")
        assert [word for word in given_words if word.replace(" ", "") not in said] == [], name


@pytest.mark.slow
def test_the_same_rows_give_the_same_bytes_and_ids_do_not_collide(drawn):
    other = draw_all("c2")
    for name, again in other.items():
        assert (again.wide.replace("c2-", "c1-"), again.narrow.replace("c2-", "c1-")) == (drawn[name].wide, drawn[name].narrow)
    pages = [[re.findall(r'\bid="([^"]+)"', svg) for one in some.values() for svg in (one.wide, one.narrow)] for some in (drawn, other)]
    assert all(len(own) == len(set(own)) for page in pages for own in page)
    assert not {i for own in pages[0] for i in own} & {i for own in pages[1] for i in own}
    for one in drawn.values():
        assert set(re.findall(r"url\(#([^)]+)\)", one.wide)) <= set(re.findall(r'\bid="([^"]+)"', one.wide))


@pytest.mark.slow
@LAYOUTS
def test_numbers_at_risk_are_those_of_the_rows_at_the_ticks(drawn, layout):
    rows = stays()
    kept = rows[rows["x"].isin([0, 12, 24, 36])]
    said = texts(getattr(drawn["stays"], layout))
    assert [said.count(number(value)) for value in kept["at_risk"]] == [1] * 12
    assert not {number(value) for value in rows["at_risk"]} - {number(value) for value in kept["at_risk"]} & set(said)


@pytest.mark.slow
@LAYOUTS
def test_a_share_moves_in_steps_only_and_is_printed_where_the_mark_is(drawn, layout):
    svg = getattr(drawn["decided"], layout)
    rows, said = decided().set_index(["line", "x"])["value"], texts(svg)
    for place, name in enumerate(VARIANTS):
        (way,) = paths(svg, stroke=theme.SERIES[place], stroke_width="2.2")
        points = corners(way)
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(points))
        assert points[0][1] == max(y for _, y in points), "nothing is decided on the day of the application"
        assert percent(rows[name, 90]) in said
    dots = paths(svg, fill=theme.SERIES[0], stroke=theme.PAPER)
    assert len(dots) == 1


@pytest.mark.slow
@LAYOUTS
def test_bands_of_a_corridor_are_as_wide_as_their_persons_are_many(drawn, layout):
    svg = getattr(drawn["routes"], layout)
    talls = []
    for place, group in enumerate([UZB, KGZ, TJK]):
        for path in paths(svg, fill=theme.SERIES[place], opacity="0.5"):
            start = min(x for x, _ in corners(path))
            ends = [y for x, y in corners(path) if x == start]
            talls.append((group, max(ends) - min(ends)))
    seen = {(leg.group, leg.value) for leg in legs().itertuples()}
    scale = max(tall for _, tall in talls) / 28800
    for group, tall in talls:
        assert any(g == group and abs(max(value * scale, 2.5) - tall) < 0.05 for g, value in seen), (group, tall)
    assert min(tall for _, tall in talls) == pytest.approx(2.5, abs=0.02), "seven persons are a line that can be seen"
    assert texts(svg).count(number(28800)) == 1


@pytest.mark.slow
def test_a_corridor_too_long_for_the_page_is_told_stage_by_stage():
    stops = [f"{SARYAGASH} {'абвгдежз'[place]}" for place in range(8)]
    rows = pd.DataFrame([(a, b, UZB, 100 + i, f"{100 + i}") for i, (a, b) in enumerate(pairwise(stops))], columns=legs().columns)
    chart = corridors.routes(rows, unit="Адам", **HEAD)
    for svg in (chart.wide, chart.narrow):
        assert sorted(text for text in texts(svg) if text.isdigit()) == sorted(rows["text"])
        assert len(paths(svg, stroke=theme.GRID)) == 6, "a line between each two of seven stages"


@pytest.mark.slow
@LAYOUTS
def test_closed_spells_are_hatched_on_their_days_and_open_where_the_rows_end(drawn, layout):
    svg = getattr(drawn["stacked_days"], layout)
    hatched = [float(re.search(r"h([\d.]+)", path.get("d"))[1]) for path in paths(svg) if path.get("fill", "").endswith("-hatch)")]
    days = [21, 15]  # 20 April to 10 May; from 20 June to the last row, 4 July
    assert hatched[0] / hatched[1] == pytest.approx(days[0] / days[1], rel=0.01)
    assert len(paths(svg, stroke=theme.INK)) == 3, "the second spell has no end in the rows"


@pytest.mark.slow
def test_a_day_without_a_value_is_a_gap_between_layers():
    whole, holed = (queues.stacked_days(rows, unit="u", **HEAD).wide for rows in (waiting(), waiting("2020-05-20")))
    for place in range(3):
        one, two = (paths(svg, fill=theme.SERIES[place], opacity="0.88") for svg in (whole, holed))
        assert (len(one), len(two)) == (1, 2)


@pytest.mark.slow
@LAYOUTS
def test_days_on_the_bars_of_a_procedure_are_those_of_the_rows_and_clear_of_the_limit(drawn, layout):
    svg = getattr(drawn["procedure_bars"], layout)
    lengths = {number(row.end - row.start) for row in stretches().itertuples()}
    limits = {corners(path)[0][0] for path in paths(svg, stroke=theme.INK, stroke_width="1.5")}
    assert len(limits) == 1
    axis = {text: (x0 + x1) / 2 for text, x0, _, x1, _ in boxes(svg) if text.isdigit() and text in ("0", "50", "100")}
    if layout == "narrow":
        assert limits.pop() == pytest.approx(axis["50"] + (axis["100"] - axis["50"]) * 0.8, abs=1)
    shown = [text for text in texts(svg) if text.isdigit()]
    assert {"37", "106", "43"} <= set(shown) & lengths
    for text, x0, _, x1, _ in boxes(svg):
        if text in lengths:
            assert not any(x0 <= at <= x1 for at in limits)


@pytest.mark.slow
@pytest.mark.parametrize("value", [0.0, 0.3, 100.0])
def test_one_row_is_enough(value):
    line = pd.DataFrame([("а", 5, value)], columns=["line", "x", "value"])
    day = pd.DataFrame([("2020-02-29", "а", value)], columns=["day", "group", "value"])
    step = pd.DataFrame([("а", "б", "handling", value, value)], columns=["variant", "step", "kind", "start", "end"])
    charts = [
        shares.step_lines(line, unit="u", x_label="x", number_format=percent, **HEAD),
        shares.step_lines(line, unit="u", x_label="x", number_format=percent, **MARKED, **HEAD),
        queues.stacked_days(day, unit="u", **HEAD),
        queues.procedure_bars(step, unit="u", total_label="t", kind_labels=WORDS, number_format=number, **HEAD),
    ]
    for chart in charts:
        assert "NaN" not in chart.wide + chart.narrow


# --- laws, nothing drawn ---------------------------------------------------------------------------------------------------------


@given(
    low=st.integers(600_000, 760_000), days=st.integers(0, 40_000), width=st.integers(120, 700), locale=st.sampled_from(["en", "ru", "kk"])
)
@settings(max_examples=40, deadline=None)
def test_days_of_an_axis_lie_on_it_in_order_and_their_words_stand_apart(low, days, width, locale):
    x = Linear(low, low + max(days, 1), 40.0, 40.0 + width)
    marks = dates.date_ticks(x, locale, 12)
    spots = [x(day) for day, _ in marks]
    assert marks
    assert all(x.start <= at <= x.stop for at in spots)
    ends = [
        (at - wide / 2, at + wide / 2)
        for day, text in marks
        for wide in [theme.text_width(text, 12)]
        for at in [dates._inside(x(day), wide, x.stop + 12)]
    ]
    assert all(b[0] - a[1] >= 9.9 for a, b in pairwise(ends))


points = st.lists(st.tuples(st.integers(0, 60), st.one_of(st.none(), st.floats(0, 100))), min_size=1, max_size=12, unique_by=lambda p: p[0])


@given(points=points, place=st.integers(-2, 64))
def test_a_value_holds_until_the_next_row_and_no_further(points, place):
    rows = [{"x": float(x), "value": value} for x, value in sorted(points, key=lambda point: point[0])]
    line = shares._Line("a", "#000000", rows)
    before = [row["value"] for row in rows if row["x"] <= place]
    known = bool(before) and place <= rows[-1]["x"]
    assert line.at(place) == (before[-1] if known else None)
    drawn_at = [value for run in shares._runs(rows, "value") for (a, (value,)), (b, _) in pairwise(run) if a <= place < b]
    if place < rows[-1]["x"]:
        assert drawn_at == ([] if line.at(place) is None else [line.at(place)])


def table_of(pairs: list[tuple[int, int, int, float]]) -> pd.DataFrame:
    return pd.DataFrame([(f"p{a}", f"p{b}", f"g{g}", v, f"{v:.0f}") for a, b, g, v in pairs], columns=legs().columns)


ways = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 5), st.floats(1, 1e5)).map(lambda t: (t[0], t[0] + t[1], *t[2:])),
    min_size=1, max_size=14,
)  # fmt: skip


@given(pairs=ways)
@settings(max_examples=40, deadline=None)
def test_stations_stand_clear_of_each_other_and_each_leg_is_drawn_once(pairs):
    moved, _ = corridors._legs(table_of(pairs).to_dict("records"), "c")
    stops = corridors._places(moved, None, "c")
    stages = {stop.label: stop.stage for stop in stops}
    assert all(stages[leg.start] < stages[leg.stop] for leg in moved)
    for layout in (theme.WIDE, theme.NARROW):
        whole = corridors._whole(stops, moved, theme.WIDE) if layout is theme.WIDE else None
        panels = [whole] if whole else [p for stage in sorted(set(stages.values())) if (p := corridors._step(stops, moved, stage, layout))]
        leaving = []
        for columns in panels:
            foot = corridors._panel(corridors.Sheet(layout.width), 0.0, columns, 0.002, layout)
            for column in columns:
                spans = sorted((one.centre - one.height(layout) / 2, one.centre + one.height(layout) / 2) for one in column)
                assert all(b[0] - a[1] >= 15.9 for a, b in pairwise(spans))
                assert spans[0][0] >= -0.1
                assert spans[-1][1] <= foot + 0.1
                for one in column:
                    leaving += [hop.leg for hop in one.outs if one.label]
                    edges = [(hop.leaves - hop.tall / 2 - hop.over, hop.leaves + hop.tall / 2) for hop in one.outs]
                    assert all(b[0] - a[1] > 1 for a, b in pairwise(edges))
        assert sorted(map(str, leaving)) == sorted(map(str, moved))


@given(
    rows=st.lists(
        st.tuples(st.integers(1, 20), st.integers(0, 3), st.one_of(st.none(), st.integers(0, 900))), min_size=1, unique_by=lambda r: r[:2]
    )
)
def test_a_stack_keeps_all_persons_of_the_days_it_knows(rows):
    table = [{"day": f"2020-06-{day:02d}", "group": f"g{group}", "value": value} for day, group, value in rows]
    groups, stack = queues._stack(table, "c")
    runs = queues._runs(stack)
    known = {day for day, *_ in rows} - {day for day, _, value in rows if value is None}
    assert sum(len(run) for run in runs) == len(known)
    assert sum(sum(values) for run in runs for _, values in run) == sum(value for day, _, value in rows if day in known)
    assert len(groups) == len({group for _, group, _ in rows})
    assert all(b - a == 1 for run in runs for (a, _), (b, _) in pairwise(run))


# --- refusals --------------------------------------------------------------------------------------------------------------------


def step(rows, **more):
    return shares.step_lines(rows, unit="u", x_label="x", number_format=percent, **{**HEAD, **more})


def days(rows, **more):
    return queues.stacked_days(rows, unit="u", **{**HEAD, **more})


def bars(rows, **more):
    return queues.procedure_bars(rows, **{"unit": "u", "total_label": "t", "kind_labels": WORDS, "number_format": number, **HEAD, **more})


def trips(rows, **more):
    return corridors.routes(rows, unit="u", **{**HEAD, **more})


@pytest.mark.parametrize(("draw", "rows"), [(step, stays()), (days, waiting()), (bars, stretches()), (trips, legs())])
def test_empty_rows_lacking_columns_and_a_wrong_prefix_are_refused(draw, rows):
    with pytest.raises(DesignError, match="no rows"):
        draw(rows.iloc[:0])
    with pytest.raises(DesignError, match="lacks the columns"):
        draw(pd.DataFrame({"nothing": [1]}))
    with pytest.raises(DesignError, match="cannot start the ids"):
        draw(rows, prefix='1"')


@pytest.mark.parametrize(("draw", "rows", "more", "sentence"), [
    (step, decided().assign(value=lambda one: one["value"] / 100), {}, "look like shares"),
    (step, decided().assign(value=101.0), {}, "between 0 and 100"),
    (step, decided().assign(value=-1.0), {}, "between 0 and 100"),
    (step, decided().assign(value=None), {}, "no value"),
    (step, decided().assign(low=99.9, high=100.0), {}, "not between its low and its high"),
    (step, decided().assign(x=5), {}, "two values at one place"),
    (step, decided().assign(x=float("inf")), {}, "no number on an axis"),
    (step, decided().assign(x=["2020-01-01", *[5] * 122]), {}, "is no day"),
    (step, decided(), {"mark_x": "2020-01-01"}, "no number on an axis"),
    (step, home(), {"mark_x": 90}, "is no day"),
    (step, decided(), {"x_step": 0.0}, "ticks every"),
    (step, decided().assign(line=[f"{n % 7}" for n in range(123)]), {}, "7 lines"),
    (step, decided().assign(line=None), {}, "without a line"),
    (days, waiting().assign(value=-1.0), {}, "give a number of 0 or more"),
    (days, waiting().assign(value=None), {}, "no value"),
    (days, waiting().assign(day="2020-06-31"), {}, "is no day"),
    (days, waiting().assign(day="2020-06-30"), {}, "there twice"),
    (days, waiting().assign(group=[f"{n % 9}" for n in range(270)]), {}, "9 groups"),
    (days, waiting().assign(group=None), {}, "without a group"),
    (days, waiting(), {"closed": [Phase("2020-05-10", "2020-05-01", "а")]}, "ends before it begins"),
    (bars, stretches().assign(kind="wait"), {}, "waiting"),
    (bars, stretches().assign(end=-1), {}, "end after the start"),
    (bars, stretches().assign(end=float("inf")), {}, "give days as numbers"),
    (bars, stretches().assign(start=0), {}, "two stretches"),
    (bars, stretches().assign(step=None), {}, "has no name"),
    (bars, stretches(), {"limit": 0}, "legal limit"),
    (bars, stretches(), {"limit": float("nan")}, "legal limit"),
    (bars, stretches(), {"kind_labels": {"waiting": "ждёт"}}, "no word for the kind"),
    (trips, legs().assign(value=-3), {}, "a number of 0 or more"),
    (trips, legs().assign(value=None), {}, "a number of 0 or more"),
    (trips, legs().assign(value=0), {}, "no value"),
    (trips, legs().assign(to_label=legs()["from_label"]), {}, "leads nowhere"),
    (trips, legs().assign(group=None), {}, "has no group"),
    (trips, legs().assign(group=[f"{n % 7}" for n in range(12)]), {}, "7 groups"),
    (trips, table_of([(0, 1, 0, 5.0), (1, 2, 0, 5.0), (2, 0, 0, 5.0)]), {}, "in a circle"),
    (trips, table_of([(0, 1, 0, 5.0)]), {"places": pd.DataFrame({"label": ["p0", "p2"]})}, "not among its places; it can be one of: p0, p2"),
    (trips, table_of([(0, 1, 0, 5.0)]), {"places": pd.DataFrame({"label": ["p0", "p1", "p1"]})}, "a place twice"),
    (trips, table_of([(0, 1, 0, 5.0)]), {"places": pd.DataFrame({"label": ["p0", "p1"], "stage": [1, 1]})}, "later stage"),
    (trips, table_of([(0, 1, 0, 5.0)]), {"places": pd.DataFrame({"label": ["p0", "p1"], "stage": [1, None]})}, "has no stage"),
    (trips, table_of([(0, 1, 0, 5.0)]), {"places": pd.DataFrame({"label": ["p0", "p1"], "stage": ["a", "b"]})}, "whole number"),
])  # fmt: skip
def test_what_cannot_be_drawn_truly_is_refused_with_a_sentence(draw, rows, more, sentence):
    with pytest.raises(DesignError, match=sentence):
        draw(rows, **more)
