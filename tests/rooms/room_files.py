"""Small room files for tests, and a command run as its user runs it: exit code, what is data and what is talk."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from typer.main import get_command

from qonys import cli
from qonys.scenarios.settlement.simulate import simulate_arrivals
from qonys.scenarios.settlement.simulated_households import simulate_households
from qonys.store.snapshots import sha256

PROCEDURE = """name = "desk"
limit = 40
first = 2021-01-01
months = 3
warm_up_months = 1
cool_down_months = 1
seed = 7
runs = 3
arrivals = { per_month = 80 }
[agencies.office]
officers = 4
[agencies.police]
[[steps]]
id = "check"
agency = "office"
handling = { mean = 1.0, cv = 0.8 }
documents = ["passport"]
fault = 0.05
returned = { days = { mean = 4, cv = 0.5 } }
[[steps]]
id = "decide"
agency = "police"
after = ["check"]
passing = { mean = 20, cv = 0.3 }
[variants.as_is]
[variants.more]
officers = { office = 6 }
[labels]
more = { en = "two more officers", ru = "на двух сотрудников больше", kk = "екі қызметкер артық" }
check = { en = "check of papers", ru = "проверка документов", kk = "құжаттарды тексеру" }
"""

CORRIDOR = """name = "way"
first = 2020-04-06
last = 2020-04-13
objective = { vehicle = 0.5, left = 10 }
places.a.room = 30
[[groups]]
id = "one"
place = "a"
citizenship = "UZB"
destination = "h"
persons = 12
[[groups]]
id = "two"
place = "a"
citizenship = "KGZ"
destination = "h"
persons = 6
vulnerable = 0.5
[[legs]]
id = "bus"
from = "a"
to = "h"
mode = "bus"
days = 2
seats = 4
vehicles = 1
crosses = { gate = 1 }
[[legs]]
id = "walk"
from = "c"
to = "h"
mode = "foot"
days = 0
seats = 4
crosses = { gate = 0 }
[[borders]]
id = "gate"
place = "c"
permits_per_day = 4
[labels]
a = { en = "Station", ru = "Станция", kk = "Бекет" }
c = { en = "Camp", ru = "Лагерь", kk = "Лагерь-бекет" }
h = { en = "Home", ru = "Дом", kk = "Үй" }
gate = { en = "the Gate", ru = "Ворота", kk = "Қақпа" }
"""

DESIGN = """name = "stay"
horizon_months = [12, 24]
measures = ["rent_cover", "housing"]
covariates = ["members", "skill"]
[costs.rent_cover]
per_month = 75000
months = 12
currency = "KZT"
"""

PLACEMENT = """name = "north"
households = "households.csv"
regions = "regions.csv"
objective = { retention = 0.7, employment = 0.3 }
[values]
table = "values.csv"
[arrivals]
history = "before.csv"
values = "before_values.csv"
every = 10
trajectories = 2
seed = 3
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended, the data it printed and what it told."""

    code: int
    out: str
    told: str


@cache
def _command():
    """The whole command line, put together once: that takes longer than most refusals."""
    return get_command(cli.app)


@pytest.fixture
def qonys(monkeypatch, capsys):
    """A command as its user runs it, without a process of its own."""

    monkeypatch.setattr(cli, "app", _command())

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["qonys", *map(str, words)])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, told = capsys.readouterr()
        return Ran(code, out, told)

    return run


def put(path: Path, text: str | bytes) -> Path:
    """A file of that content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def households(number: int = 240, seed: int = 5) -> pd.DataFrame:
    """Records of the contract household with a covariate of their own."""
    made = simulate_households(number, seed=seed, effects={"rent_cover": -0.8, "housing": -0.4}).records.drop(columns="destination")
    return made.assign(support=[";".join(codes) if not isinstance(codes, str) else codes for codes in made["support"]],
                       skill=["farm", "care"] * (number // 2))  # fmt: skip


def placement(folder: Path, number: int = 40) -> Path:
    """A placement with its tables beside it."""
    for prefix, year in (("", 0), ("before_", 1)):
        people, regions, values = simulate_arrivals(number, 3, seed=2, year=year)
        people.to_csv(folder / ("before.csv" if year else "households.csv"), index=False)
        values.to_csv(folder / f"{prefix}values.csv", index=False)
        if not year:
            regions.to_csv(folder / "regions.csv", index=False)
    return put(folder / "north.toml", PLACEMENT)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def see_folder(folder: Path, *, pictures: set[str], inputs: set[str]) -> dict[str, pd.DataFrame]:
    """The tables of a folder of results, after everything that must stand beside them has been seen."""
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    tables = {path.stem: pd.read_parquet(path) for path in (folder / "tables").iterdir()}
    assert {one["name"]: one["sha256"] for one in run["outputs"]} == {
        name: sha256(folder / "tables" / f"{name}.parquet") for name in tables
    }
    assert {one["name"]: one["rows"] for one in run["outputs"]} == {name: len(table) for name, table in tables.items()}
    copied = {path.name: sha256(path) for path in (folder / "inputs").iterdir()}
    assert copied == {one["file"]: one["sha256"] for one in run["inputs"] if one["file"].endswith((".toml", ".json"))}
    assert {path.name for path in (folder / "inputs").iterdir()} == inputs
    sheets = pd.read_excel(folder / "tables.xlsx", sheet_name=None)
    assert {name: len(sheet) for name, sheet in sheets.items()} == {name: len(table) for name, table in tables.items()}
    assert {path.stem for path in (folder / "figures").iterdir()} == pictures
    for path in (folder / "figures").iterdir():
        assert ElementTree.fromstring(path.read_text(encoding="utf-8")).tag.endswith("svg")
    assert (folder / "answer.txt").read_text(encoding="utf-8").strip()
    return tables
