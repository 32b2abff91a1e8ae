"""What leaves is protected: the same people have the same number everywhere, small counts are not shown, and totals are not exact sums."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from ibis import _

from qonys.border.disclosure import CELL_KEY, KEYS, cell_key, keys_of, protect, record_key
from qonys.core.errors import DataError, DesignError


def people(rows: int = 4_000, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "person_id": [f"{seed}-{place}" for place in range(rows)], "citizenship": rng.choice(["KGZ", "RUS", "TJK", "UZB"], rows, p=[0.2, 0.7, 0.01, 0.09]),
            "sex": rng.choice(["female", "male"], rows), "permit": rng.choice(["work", "study", "visa"], rows),
        }
    )  # fmt: skip


def counted(con, frame: pd.DataFrame, *by: str) -> pd.DataFrame:
    table = ibis.memtable(frame)
    sums = {"persons": _.count(), CELL_KEY: cell_key(table.person_id)}
    return con.to_pandas((table.group_by(list(by)) if by else table).agg(**sums))


def test_the_key_of_a_person_is_the_same_in_memory_and_on_an_engine(con):
    ids = ["a", "b", "қазақ", "0" * 32]
    table = ibis.memtable(pd.DataFrame({"person_id": ids}))
    found = con.to_pandas(table.select(_.person_id, key=record_key(table.person_id))).set_index("person_id")["key"]
    assert [int(found[one]) for one in ids] == keys_of(ids).tolist()
    assert all(0 <= key < KEYS for key in keys_of(ids))


def test_the_same_people_have_the_same_number_in_every_table(con):
    frame = people()
    fine = protect(counted(con, frame, "citizenship", "sex"), by=["citizenship", "sex"], margins=True)
    coarse = protect(counted(con, frame, "citizenship"), by=["citizenship"], margins=True)
    margin = fine[fine["summed"] == "sex"].set_index("citizenship")["persons"]
    assert margin.to_dict() == coarse[coarse["summed"] == ""].set_index("citizenship")["persons"].to_dict()
    assert fine[fine["summed"] == "citizenship sex"]["persons"].item() == coarse[coarse["summed"] == "citizenship"]["persons"].item()
    # a filter that leaves the same people leaves the same number
    men = protect(counted(con, frame[frame["sex"] == "male"], "citizenship"), by=["citizenship"]).set_index("citizenship")["persons"]
    assert men.to_dict() == fine[(fine["sex"] == "male") & (fine["summed"] == "")].set_index("citizenship")["persons"].to_dict()


def test_small_counts_are_not_shown_zeros_stay_and_no_number_is_far_from_the_truth(con):
    frame = pd.concat([people(60, seed) for seed in range(60)], ignore_index=True).assign(cell=np.repeat(np.arange(900), 4))
    true = counted(con, frame.groupby("cell").head(5).sample(frac=0.6, random_state=1), "cell").sort_values("cell")
    shown = protect(true, by=["cell"])
    assert not shown["persons"].isin([1, 2]).any()
    assert (shown["persons"].to_numpy() - true["persons"].to_numpy()).__abs__().max() <= 5
    empty = protect(pd.DataFrame({"cell": ["a"], "persons": [0], CELL_KEY: [12_345]}), by=["cell"])
    assert empty["persons"].item() == 0


def test_noise_is_unbiased_over_many_cells_and_has_the_variance_it_states(con):
    frame = people(40_000).assign(cell=np.arange(40_000) // 20)
    true = counted(con, frame, "cell").sort_values("cell", ignore_index=True)
    shown = protect(true, by=["cell"])
    noise = shown["persons"].astype(float).to_numpy() - true["persons"].to_numpy()
    assert abs(noise.mean()) < 4 * np.sqrt(3 / len(noise))
    assert noise.var() == pytest.approx(3, rel=0.1)
    assert set(shown["disclosure"]) == {"cell_key maximum=5 variance=3 hidden=2"}
    assert CELL_KEY not in shown.columns


def test_one_person_more_changes_the_noise_so_that_differences_say_little(con):
    """An attacker who subtracts two tables that differ by one person must not read the person off: the difference is not always one."""
    frame = people(30_000).assign(cell=np.arange(30_000) // 30)
    all_ = protect(counted(con, frame, "cell").sort_values("cell"), by=["cell"])["persons"].astype(int).to_numpy()
    but_one = protect(counted(con, frame[frame.index % 30 != 0], "cell").sort_values("cell"), by=["cell"])["persons"].astype(int).to_numpy()
    difference = all_ - but_one
    assert (difference == 1).mean() < 0.25
    assert difference.std() > 2


def test_bounds_move_with_their_count_and_what_describes_few_people_is_left_out():
    table = pd.DataFrame(
        {"cell": ["few", "many"], "persons": [4, 400], "low": [2, 380], "high": [9, 450], "median_age": [31, 35], CELL_KEY: [7, 2**31]}
    )
    shown = protect(table, by=["cell"], also=("low", "high"), details=("median_age",))
    noise = shown["persons"].astype(int) - table["persons"]
    assert (shown["low"] == (table["low"] + noise).clip(lower=0)).all()
    assert (shown["high"] == (table["high"] + noise).clip(lower=0)).all()
    assert shown["median_age"].isna().tolist() == [True, False]


def test_suppression_leaves_gaps_that_the_totals_do_not_fill(con):
    shown = protect(counted(con, people(1_200), "citizenship", "sex"), method="suppression", by=["citizenship", "sex"], margins=True)
    cells = shown[shown["summed"] == ""]
    assert cells["persons"].isna().sum() >= 4
    assert not cells["persons"].between(1, 9).fillna(False).any()
    total = shown[shown["summed"] == "sex"].set_index("citizenship")["persons"]
    for citizenship, part in cells.groupby("citizenship"):
        if pd.notna(total[citizenship]):
            assert part["persons"].isna().sum() != 1


def test_without_protection_nothing_changes_and_the_table_says_so(con):
    table = counted(con, people(), "citizenship")
    shown = protect(table, method="none", by=["citizenship"])
    assert shown["persons"].tolist() == table["persons"].tolist()
    assert set(shown["disclosure"]) == {"none"}


@pytest.mark.parametrize(
    ("change", "given", "said"),
    [
        ({}, {"method": "cell_keys"}, "no method of disclosure control"),
        ({}, {"count": "people"}, "no column 'people'"),
        ({CELL_KEY: None}, {}, "its noise would differ from table to table"),
        ({"cell": ["a", "a"]}, {}, "stands twice"),
        ({"persons": [1.5, 2]}, {}, "no whole number"),
        ({"persons": [-1, 2]}, {}, "no whole number"),
        ({CELL_KEY: [KEYS, 1]}, {}, "no whole number"),
        ({}, {"threshold": 1}, "protect nobody"),
        ({"b": ["x", "y"], "c": ["x", "y"]}, {"method": "suppression", "by": ["cell", "b", "c"]}, "one or two columns"),
    ],
)
def test_what_cannot_be_protected_is_refused(change, given, said):
    table = pd.DataFrame({"cell": ["a", "b"], "persons": [5, 20], CELL_KEY: [1, 2]})
    table = table.assign(**{name: value for name, value in change.items() if value is not None}).drop(
        columns=[name for name, value in change.items() if value is None]
    )
    with pytest.raises((DataError, DesignError), match=said):
        protect(table, **{"by": ["cell"], **given})
