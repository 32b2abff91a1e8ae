"""Procedures on files: what is simulated can be fitted, what is fitted can be simulated, and a row that cannot be used is told."""

from __future__ import annotations

import gzip
import io

import pandas as pd
import pytest

from qonys.core.errors import DataError, DesignError
from qonys.rooms import fit_file, open_procedure, simulate_file
from rooms.room_files import PROCEDURE, put, see_folder

DESK = PROCEDURE.replace("officers = 4", 'officers = 4\ncalendar = "working_days"').replace("limit = 40", 'limit = 40\ncountry = "KAZ"')
TABLES = {"durations", "comparison", "bottleneck", "agencies", "returns", "follows", "arrivals", "case_days", "survival", "notes"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return put(tmp_path_factory.mktemp("desk") / "desk.toml", PROCEDURE)


@pytest.fixture
def log(desk, qonys, tmp_path):
    done = qonys("procedure", "cases", desk, "--variant", "more", "-o", tmp_path / "log.csv")
    assert done.code == 0
    return tmp_path / "log.csv"


def test_a_simulated_log_fits_the_procedure_that_made_it_and_moves_as_it_did_when_simulated_again(desk, log, qonys, tmp_path):
    done = qonys("procedure", "fit", log, "--declared", desk, "--show", "comparison", "--limit", 40, "--procedure", tmp_path / "again.toml",
                 "--to", tmp_path / "out")  # fmt: skip
    assert done.code == 0, done.told
    compared = pd.read_csv(io.StringIO(done.out)).set_index("step")
    assert compared["verdict"].to_dict() == {"check": "as_declared", "decide": "as_declared"}
    assert (compared["low"] < compared["declared"]).all()
    assert (compared["declared"] < compared["high"]).all()
    tables = see_folder(tmp_path / "out", pictures={"decided"}, inputs={"desk.toml"})
    assert set(tables) == TABLES
    _, again, _ = simulate_file(tmp_path / "again.toml", runs=3, seed=1)
    _, truth, _ = simulate_file(desk, runs=3, seed=1)
    days = [found.outcomes.query("measure == 'mean_days'").set_index("variant")["value"] for found in (again, truth)]
    assert days[0]["as_is"] == pytest.approx(days[1]["more"], rel=0.1)


@pytest.mark.slow
def test_working_days_of_the_declared_procedure_are_those_of_the_fit_and_of_the_file_it_writes(qonys, tmp_path):
    declared = put(tmp_path / "desk.toml", DESK)
    assert qonys("procedure", "cases", declared, "-o", tmp_path / "log.parquet").code == 0
    done = fit_file(tmp_path / "log.parquet", declared=declared)
    assert done.country == "KAZ"
    assert set(done.fitted.durations["unit"]) == {"days", "working_days"}
    told = qonys(
        "procedure", "fit", tmp_path / "log.parquet", "--declared", declared, "--limit", 40, "--procedure", tmp_path / "again.toml"
    )
    assert told.code == 0, told.told
    again, _ = open_procedure(tmp_path / "again.toml")
    assert again.country == "KAZ"
    assert again.agencies["office"].calendar == "working_days"


def xes(log: pd.DataFrame) -> str:
    """A log as XES: schedule, start and complete of each step."""
    traces = []
    for case, rows in log.groupby("case_id"):
        events = [
            f'<event><string key="concept:name" value="{row.step}"/><string key="org:group" value="{row.agency}"/>'
            f'<string key="concept:instance" value="{number}"/><string key="lifecycle:transition" value="{kind}"/>'
            f'<date key="time:timestamp" value="{moment}"/></event>'
            for number, row in enumerate(rows.itertuples())
            for kind, moment in (("schedule", row.ready_at), ("start", row.started_at), ("complete", row.finished_at))
        ]
        traces.append(f'<trace><string key="concept:name" value="{case}"/>{"".join(events)}</trace>')
    return f'<?xml version="1.0"?><log xes.version="1.0">{"".join(traces)}</log>'


@pytest.mark.slow
def test_a_log_as_xes_plain_or_gzipped_fits_as_it_does_as_csv(log, qonys):
    rows = pd.read_csv(log).drop(columns="outcome")  # XES does not say how a step ended
    rows.to_csv(log, index=False)
    as_csv = pd.read_csv(io.StringIO(qonys("procedure", "fit", log).out))
    text = xes(rows).encode()
    put(log.with_suffix(".xes"), text)
    put(log.with_suffix(".xes.gz"), gzip.compress(text, mtime=0))
    for suffix in (".xes", ".xes.gz"):
        done = qonys("procedure", "fit", log.with_suffix(suffix))
        assert done.code == 0, done.told
        found = pd.read_csv(io.StringIO(done.out))
        both = as_csv.merge(found, on=["step", "part", "unit"], suffixes=("", "_xes"))
        assert len(both) == len(as_csv)
        assert both["mean_xes"].tolist() == pytest.approx(both["mean"].tolist(), rel=1e-6, nan_ok=True)


def test_rows_that_cannot_be_used_are_told_and_stand_beside_the_log(log, qonys, tmp_path):
    rows = pd.read_csv(log)
    rows.loc[[0, 4], "ready_at"] = ["soon", ""]
    rows.to_csv(tmp_path / "mine.csv", index=False)
    done = qonys("procedure", "fit", tmp_path / "mine.csv")
    assert done.code == 0
    assert "mine.csv, row 2, column ready_at: 'soon' is not an instant" in done.told
    assert "mine.csv, row 6, column ready_at" in done.told
    assert len(pd.read_csv(tmp_path / "mine.quarantine.csv")) == 2
    assert str(tmp_path / "mine.quarantine.csv") in done.told
    pd.read_csv(io.StringIO(done.out))


def test_a_log_without_a_usable_row_says_what_is_wrong_with_the_first(log, tmp_path):
    pd.read_csv(log).assign(ready_at="soon").to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(DataError, match=r"mine\.csv holds no usable row: mine\.csv, row 2, column ready_at.*mine\.quarantine\.csv"):
        fit_file(tmp_path / "mine.csv")


def test_nobody_waits_where_every_step_begins_at_once(log, qonys, tmp_path):
    pd.read_csv(log).assign(started_at=lambda rows: rows["ready_at"], finished_at=lambda rows: rows["ready_at"]).to_csv(
        tmp_path / "mine.csv", index=False
    )
    done = qonys("procedure", "fit", tmp_path / "mine.csv")
    assert done.code == 0
    assert "NaN" not in done.told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--as-of", "2921-01-01"), "lies centuries from the log; correct its year"), (("--as-of", "1990-01-01"), "no step was ready by"),
        (("--as-of", "soon"), "is no moment"), (("--country", "Kazakhstan"), "KAZ"), (("--country", "XXX"), "XXX"),
        (("--zone", "Mars/One"), "is no time zone"), (("--last-step", "decid"), "did you mean 'decide'"),
        (("--procedure", "x.toml"), "give --limit in days"), (("--declared", "none.toml"), "there is no file none.toml"),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_the_log_is_one_sentence(log, qonys, words, said):
    done = qonys("procedure", "fit", log, *words)
    assert (done.code, done.out, done.told.count("\n")) == (1, "", 1)
    assert said in done.told


@pytest.mark.parametrize("limit", ["nan", "inf", "0", "-5", "30.5", "1e12"])
def test_a_limit_that_is_no_whole_number_of_days_is_bad_usage(log, qonys, limit):
    assert qonys("procedure", "fit", log, "--limit", limit).code == 2


def test_more_runs_than_a_file_may_ask_for_are_bad_usage(desk, qonys):
    assert [qonys("procedure", "simulate", desk, "--runs", runs).code for runs in (-1, 0, 10**9)] == [2, 2, 2]


def test_a_file_that_is_no_procedure_is_refused(tmp_path):
    for text, said in (("steps = 5\n", "lacks first"), (PROCEDURE.replace("runs = 3", "rnus = 3"), "did you mean 'runs'"),
                       (PROCEDURE.replace('id = "decide"', 'id = "check"').replace('after = ["check"]\n', ""), "the step 'check' twice"),
                       (PROCEDURE.replace("fault = 0.05", "fault = 5"), "write 0.05"), (PROCEDURE + "zz = 5\n", "zz = 5 is no table")):  # fmt: skip
        with pytest.raises(DesignError, match=said):
            open_procedure(put(tmp_path / "mine.toml", text))
