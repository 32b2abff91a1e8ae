"""The shipped tables: every row holds to its contract, every source is in the list, every figure of the seeds is there unchanged."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import ibis
import pandas as pd
import pytest

from qonys.core.contracts import CONTRACTS, MEASURE
from qonys.core.validate import PLACE
from qonys.measures import codebook, read_register
from qonys.store import shipped, take_in
from qonys.store.intake import admit
from qonys.web.views.flows import REGIONS, SHAPES

PACKAGE = shipped()
TABLES = sorted(name for name in PACKAGE.files if name.endswith(".csv") and name.partition("/")[0] in CONTRACTS)
REGISTERS = sorted(name for name in PACKAGE.files if name.startswith("register/"))
ROOMS = sorted(name for name in PACKAGE.files if name.startswith("rooms/"))
SEED_ROWS = {"figure/seed.csv": 79, "challenge/seed.csv": 53, "object/seed.csv": 52, "policy_field/seed.csv": 17}
REGISTER_ROWS = {"SM": 86, "KM": 22, "EM": 147, "IB": 165}


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(PACKAGE.path(name), dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def register() -> pd.DataFrame:
    frames = []
    for name in REGISTERS:
        frame = read_register(PACKAGE.path(name).read_text(encoding="utf-8"), file=name)
        frames.append(frame.assign(**{PLACE: name + ":" + frame["row"].astype(str)}))
    return pd.concat(frames, ignore_index=True).assign(row=lambda all_: range(len(all_)))


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_shipped_table_holds_to_its_contract(con, name):
    came = take_in(con, PACKAGE.path(name), CONTRACTS[name.partition("/")[0]], quarantine=False)
    assert (came.faults, came.ignored, came.rows) == ((), (), len(read(name)))


def test_every_entry_of_the_register_holds_to_its_contract_and_has_an_id_of_its_own(con, register):
    came = admit(con, ibis.memtable(register), MEASURE, file="register")
    assert (came.faults, came.bad_rows, came.rows) == ((), 0, len(register))


def test_the_seeds_are_shipped_whole(register):
    assert {name: len(read(name)) for name in SEED_ROWS} == SEED_ROWS
    assert Counter(register["id"].drop_duplicates().str[:2]) == REGISTER_ROWS
    assert set(register["id"][register["id"].str.startswith("SM")]) == {f"SM{n:03d}" for n in range(1, 87)}


def test_every_measure_named_by_a_challenge_or_an_object_is_in_the_register(register):
    named = {
        one
        for name, column in (("challenge/seed.csv", "answered_by"), ("object/seed.csv", "measure_ids"))
        for cell in read(name)[column]
        for one in cell.split()
    }
    assert named <= set(register["id"])
    assert {one for cell in read("policy_field/seed.csv")["register_fields"] for one in cell.split()} <= set(codebook()["field"])


@pytest.mark.parametrize("name", TABLES)
def test_every_source_key_leads_to_a_publisher_a_title_and_its_address(name):
    sources = read("sources.csv").set_index("key")
    assert sources.index.is_unique
    used = sources.loc[sorted(set(read(name)["source"]))]
    assert (used["publisher"] != "").all()
    assert (used["title"] != "").all()
    assert all(re.match(r"https?://\S+$", address) for address in used["address"] if address)


def test_every_entry_of_the_source_list_is_used():
    """By a table, by a room, or by the maps."""
    rooms = {tomllib.loads(PACKAGE.path(name).read_text(encoding="utf-8"))["source"] for name in ROOMS}
    assert set(read("sources.csv")["key"]) == {key for name in TABLES for key in read(name)["source"]} | rooms | {SHAPES, REGIONS}


# Against the collected figures, where they are at hand


def collected(figures, name: str) -> pd.DataFrame:
    return pd.read_csv(figures / name, dtype=str, keep_default_na=False)


def number(cell: str) -> float | None:
    return float(cell) if cell else None


def test_every_figure_of_the_seeds_is_shipped_as_printed(figures):
    ours = read("figure/seed.csv").set_index("id")
    theirs = collected(figures, "seed_figures.csv").set_index("id")
    assert list(ours.index) == list(theirs.index)
    for key, row in theirs.iterrows():
        own = ours.loc[key]
        assert (number(own["value"]), number(own["value_max"])) == (number(row["value"]), number(row["value_max"])), key
        assert own["unit"] == (row["unit"] or "none")
        for column in ("quantity", "period_start", "period_end"):
            assert own[column] == row[column], key


@pytest.mark.parametrize("name", ["seed_measures.csv", "kaz_measures_covid.csv", "eu_measures.csv", "eu_internal_borders.csv"])
def test_every_collected_measure_is_shipped_with_its_days_and_outcome(figures, register, name):
    ours = register.drop_duplicates("id", keep="last").set_index("id").fillna("")  # the version that stands is below the others
    for row in collected(figures, name).to_dict("records"):
        own = ours.loc[row["id"]]
        assert (own["start"], own["end"]) == (row["start_date"], row["end_date"]), row["id"]
        assert number(own["outcome_value"]) == number(row.get("outcome_value", "")), row["id"]
        assert "title" not in row or own["title"] == row["title"]


def test_every_challenge_object_and_field_of_the_seeds_is_shipped_in_its_words(figures):
    for ours, theirs, columns in (
        ("challenge/seed.csv", "seed_challenges.csv", {"text": "challenge", "place": "place"}),
        ("object/seed.csv", "seed_objects.csv", {"category": "category"}),
        (
            "policy_field/seed.csv",
            "seed_policy_mix.csv",
            {"policy_field": "policy_field", "acts_on": "acts_on", "mechanism": "mechanism", "effect": "direction_on_outflow"},
        ),
    ):
        own, row = read(ours).set_index("id"), collected(figures, theirs).set_index("id")
        assert set(own.index) == set(row.index)
        for mine, their in columns.items():
            assert own[mine].to_dict() == row[their].to_dict(), mine


def values(frame: pd.DataFrame, column: str) -> Counter[float]:
    return Counter(float(cell) for cell in frame[column] if cell)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("kaz_external.csv", ["flow/kaz_external.csv", "figure/kaz_net_migration.csv"]),
        ("kaz_internal.csv", ["flow/kaz_internal.csv", "figure/kaz_internal_net.csv"]),
        ("kaz_population.csv", ["stock/kaz_population.csv"]),
        ("kaz_kandas.csv", ["figure/kaz_kandas.csv"]),
        ("kaz_labour.csv", ["stock/kaz_foreign_labour.csv", "figure/kaz_labour.csv"]),
        ("kaz_resettlement.csv", ["figure/kaz_resettlement.csv"]),
    ],
)
def test_every_collected_figure_of_kazakhstan_is_shipped_unchanged(figures, theirs, ours):
    shipped_values = Counter()
    for name in ours:
        shipped_values += values(read(name), "value" if name.startswith("figure") else "persons")
    found = collected(figures, theirs)
    thousands = found["unit"].str.startswith("thousand")
    found.loc[thousands, "value"] = [f"{1000 * float(value):.0f}" for value in found.loc[thousands, "value"]]
    assert not values(found, "value") - shipped_values


def test_every_immigration_total_of_the_union_is_the_collected_one(figures):
    flows = read("flow/eu_immigration.csv")
    assert not values(flows, "persons") - values(collected(figures, "eu_flows.csv"), "value")
