"""Settlements on files: who stays out of records that are not all sound, what totals say, and households placed, at once or as they come."""

from __future__ import annotations

import io
import json
import shutil

import pandas as pd
import pytest

from qonys.core.errors import DataError, DesignError
from qonys.rooms.settlements import place_file, retention_of_file
from rooms.room_files import DESIGN, PLACEMENT, households, placement, put, see_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Records with a design, and a placement with its tables; read only."""
    made = tmp_path_factory.mktemp("north")
    households().to_csv(made / "records.csv", index=False)
    put(made / "stay.toml", DESIGN)
    placement(made)
    return made


def test_records_say_who_stays_what_support_adds_and_what_it_costs(folder, qonys, tmp_path):
    done = qonys("settle", "retention", folder / "records.csv", "--design", folder / "stay.toml", "--by", "rent_cover", "--draws", 40,
                 "--to", tmp_path / "out")  # fmt: skip
    assert done.code == 0, done.told
    shown = pd.read_csv(io.StringIO(done.out))
    assert shown[["measure", "horizon_months"]].drop_duplicates().shape[0] == len(shown) == 4
    assert (shown["low"] < shown["difference"]).all()
    assert "240 stays of households were followed." in done.told
    assert "With the support: 12 months" in done.told
    assert "KZT" in done.told
    tables = see_folder(tmp_path / "out", pictures={"survival"}, inputs={"stay.toml"})
    assert set(tables) == {"at_horizon", "curve", "mean_stay", "test", "ratios", "retained", "crude", "costs", "notes"}
    assert {"members", "skill_farm"} & {term.replace("=", "_") for term in tables["ratios"]["term"]}  # covariates of the file's own
    assert tables["costs"].set_index("measure").loc["rent_cover", "cost_per_household"].eq(900_000).all()


def test_without_draws_an_effect_is_told_without_an_interval_and_no_cost_is_promised(folder, qonys):
    for lang in ("en", "kk"):
        done = qonys("settle", "retention", folder / "records.csv", "--design", folder / "stay.toml", "--draws", 0, "--lang", lang)
        assert done.code == 0, done.told
        assert "NaN" not in done.told
        assert "KZT" not in done.told
        assert pd.read_csv(io.StringIO(done.out))["low"].isna().all()


def test_records_that_cannot_be_used_are_told_and_stand_beside_the_file(qonys, tmp_path):
    rows = households(60)
    rows = rows.astype({"members": object, "moved_on": object})
    rows.loc[3, "moved_on"], rows.loc[5, "members"] = "spring", 1000
    rows.to_csv(tmp_path / "records.csv", index=False)
    done = qonys("settle", "retention", tmp_path / "records.csv", "--by", "skill")
    assert done.code == 0, done.told
    assert "records.csv, row 5, column moved_on: 'spring' is not a date" in done.told
    assert "58 stays" in done.told
    assert set(pd.read_csv(io.StringIO(done.out))["group"]) == {"care", "farm"}
    assert len(pd.read_csv(tmp_path / "records.quarantine.csv")) == 2


@pytest.mark.slow
def test_support_may_be_parted_by_semicolons_commas_or_be_a_list_and_the_file_may_be_parquet_or_a_workbook(tmp_path):
    rows = households(60)
    codes = [text.split(";") if text else [] for text in rows["support"]]
    rows.to_csv(tmp_path / "a.csv", index=False)
    rows.assign(support=[", ".join(one) for one in codes]).to_csv(tmp_path / "b.csv", index=False)
    rows.assign(support=codes).to_parquet(tmp_path / "c.parquet")
    rows.to_excel(tmp_path / "d.xlsx", index=False)
    first, *others = [
        retention_of_file(tmp_path / name, by="rent_cover").retention.curve for name in ("a.csv", "b.csv", "c.parquet", "d.xlsx")
    ]
    for other in others:
        pd.testing.assert_frame_equal(first, other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.iloc[:0], "holds no usable record; add a row a stay"),
        (lambda rows: rows.assign(moved_on="spring"), r"holds no usable record: mine\.csv, row 2, column moved_on"),
        (lambda rows: pd.concat([rows, rows.iloc[:1]]), "stands twice with the same moved_on"),
        (lambda rows: rows.assign(observed_until=None), "has neither left_on nor observed_until"),
        (lambda rows: rows.drop(columns="moved_on"), "has no column 'moved_on'"),
    ],
)
def test_records_of_which_nothing_can_be_made_are_refused(tmp_path, change, said):
    change(households(20)).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(DataError, match=said):
        retention_of_file(tmp_path / "mine.csv")


@pytest.mark.parametrize("column", ["ethnicity", "religion"])
def test_descent_and_belief_are_no_predictor_no_group_and_no_reason_for_a_place(folder, qonys, tmp_path, column):
    rows = households(20)
    rows.assign(**{column: "a"}).to_csv(tmp_path / "records.csv", index=False)
    design = put(tmp_path / "mine.toml", DESIGN.replace('"skill"', f'"{column}"'))
    for words in (("--design", design), ("--by", column)):
        done = qonys("settle", "retention", tmp_path / "records.csv", *words)
        assert (done.code, done.out, done.told.count("\n")) == (1, "", 1)
        assert f"'{column}' is {column}, which is not used here" in done.told
    shutil.copytree(folder, tmp_path / "place")
    pd.read_csv(folder / "households.csv").assign(**{column: "a"}).to_csv(tmp_path / "place" / "households.csv", index=False)
    with pytest.raises(DesignError, match="is not used here"):
        place_file(tmp_path / "place" / "north.toml")


def test_the_totals_of_the_article_give_8_4_percent_and_bounds(qonys):
    # Mussina et al. (2022): 770 of 9,206 returned; the article prints 8.3 %
    done = qonys("settle", "totals", 770, 9206, "--family", 4)
    assert done.code == 0
    found = pd.read_csv(io.StringIO(done.out)).set_index("taken_as")
    assert found["value"].round(2).tolist() == [8.36, 8.36]
    assert found.loc["families", "low"] < found.loc["independent", "low"] < found.loc["independent", "high"] < found.loc["families", "high"]
    assert "8.4 % went back (95 % interval 7.8 to 8.9)" in done.told
    bounds = pd.read_csv(io.StringIO(qonys("settle", "totals", 770, 9206, "--watched", 24, 36, "--show", "retained").out))
    assert bounds.round(2).to_numpy().tolist() == [[12, 91.64, 100], [24, 91.64, 100], [36, 0, 91.64]]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("9206", "770"), 1), (("-1", "5"), 1), (("0", "0"), 1), (("0.08", "1"), 2), (("x", "3"), 2), (("770", "9206", "--family", "0"), 1),
        (("770", "9206", "--family", "nan"), 1), (("770", "9206", "--watched", "60", "0"), 1),
    ],
)  # fmt: skip
def test_totals_that_are_no_part_of_a_whole_are_refused(qonys, words, code):
    done = qonys("settle", "totals", *(words if words[0] != "-1" else ("--", *words)))
    assert (done.code, done.out) == (code, "")
    assert code == 2 or done.told.count("\n") == 1


def test_households_are_placed_at_once_better_than_in_turn_and_as_they_arrive_not_beyond_hindsight(folder, qonys, tmp_path):
    done = qonys("settle", "place", folder / "north.toml")
    assert done.code == 0, done.told
    at_once = place_file(folder / "north.toml").placed.summary.iloc[0]
    arriving = qonys("settle", "place", folder / "north.toml", "--as-they-arrive", "--show", "summary", "--to", tmp_path / "out")
    assert arriving.code == 0, arriving.told
    row = pd.read_csv(io.StringIO(arriving.out)).iloc[0]
    assert len(pd.read_csv(io.StringIO(done.out))) == at_once["placed"]
    assert at_once["value"] >= max(at_once["greedy"], at_once["random"])
    assert row["value"] <= row["hindsight"] * (1 + 1e-9)
    tables = see_folder(tmp_path / "out", pictures={"places"},
                        inputs={"north.toml"})  # fmt: skip
    assert len(tables["placements"]) + len(tables["unplaced"]) == 40
    assert (tables["regions"]["used"] <= tables["regions"]["capacity"]).all()


def test_where_there_is_no_room_at_all_that_is_said_and_nothing_is_drawn(folder, qonys, tmp_path):
    shutil.copytree(folder, tmp_path / "full")
    pd.read_csv(folder / "regions.csv").assign(places=0).to_csv(tmp_path / "full" / "regions.csv", index=False)
    for more in ((), ("--as-they-arrive",)):
        done = qonys("settle", "place", tmp_path / "full" / "north.toml", *more)
        assert done.code == 0, done.told
        assert "0 of 40 households" in done.told
        assert "worth" not in done.told
        assert "NaN" not in done.told


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("households.csv", lambda rows: rows.iloc[:0], "households has no rows"),
        ("households.csv", lambda rows: pd.concat([rows, rows.iloc[:1]]), "stands twice"),
        ("households.csv", lambda rows: rows.drop(columns="arrived_on"), "has no column arrived_on"),
        ("regions.csv", lambda rows: rows.assign(places=-1), "is not from 0"), ("regions.csv", lambda rows: rows.assign(places=1e18), "is not from 0"),
        ("values.csv", lambda rows: rows.assign(retention=70), "if you mean 70 %, write 0.7"),
        ("values.csv", lambda rows: rows.iloc[1:], "no row for household"), ("values.csv", None, "there is no file"),
    ],
)  # fmt: skip
def test_tables_of_a_placement_that_contradict_each_other_are_named(folder, tmp_path, file, change, said):
    shutil.copytree(folder, tmp_path / "mine")
    table = tmp_path / "mine" / file
    table.unlink()
    if change is not None:
        change(pd.read_csv(folder / file)).to_csv(table, index=False)
    with pytest.raises((DataError, DesignError), match=said):
        place_file(tmp_path / "mine" / "north.toml", as_they_arrive=True)


@pytest.mark.slow
def test_two_tables_of_one_name_are_kept_apart_and_each_with_its_hash(folder, qonys, tmp_path):
    shutil.copytree(folder, tmp_path / "mine")
    (tmp_path / "mine" / "earlier").mkdir()
    for name in ("before.csv", "before_values.csv"):
        (tmp_path / "mine" / name).rename(tmp_path / "mine" / "earlier" / name.replace("before.csv", "households.csv"))
    text = PLACEMENT.replace('"before.csv"', '"earlier/households.csv"').replace('"before_values.csv"', '"earlier/before_values.csv"')
    done = qonys("settle", "place", put(tmp_path / "mine" / "north.toml", text), "--to", tmp_path / "out")
    assert done.code == 0, done.told
    see_folder(tmp_path / "out", pictures={"places"}, inputs={"north.toml"})
    told = {one["file"] for one in json.loads((tmp_path / "out" / "run.json").read_text())["inputs"]}
    assert told == {"north.toml", "households.csv", "regions.csv", "values.csv", "history-households.csv", "before_values.csv"}
