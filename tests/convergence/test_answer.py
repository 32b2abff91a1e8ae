"""The answer: phases that are there are found and named, doubt stays doubt, and the paragraph says no more in any language."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qonys.convergence import Evidence, answer, evidence_of_spread
from qonys.core.errors import DesignError
from shell import qonys

CODES = ["AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL"]


def panel(scale, seed=1, noise=0.1, areas=tuple(CODES)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    periods = [f"{2020 + month // 12}-{month % 12 + 1:02d}" for month in range(len(scale))]
    values = rng.normal(size=(len(areas), 1)) * np.asarray(scale, float) + rng.normal(0, noise, (len(areas), len(scale)))
    return pd.DataFrame({"area": np.repeat(areas, len(periods)), "period": np.tile(periods, len(areas)), "value": values.ravel()})


def test_apart_and_back_again_are_two_phases_with_their_dates():
    found = answer([evidence_of_spread(panel([1] * 8 + [5] * 8 + [1] * 8))])
    assert found.phases["verdict"].tolist() == ["start", "distancing", "converging"]
    assert found.phases["first"].tolist() == ["2020-01", "2020-09", "2021-05"]
    assert found.phases["last"].tolist() == ["2020-08", "2021-04", "2021-12"]
    assert found.evidence["supports"].tolist() == ["for", "for"]


def test_a_panel_that_never_changes_has_one_phase_and_no_verdict():
    found = answer([evidence_of_spread(panel([1] * 24))])
    assert found.phases["verdict"].tolist() == ["start"]
    assert found.evidence.empty


def test_evidence_that_points_both_ways_is_called_contradictory():
    one, other = evidence_of_spread(panel([1] * 12 + [5] * 12)), evidence_of_spread(panel([5] * 12 + [1] * 12, seed=2))
    found = answer([one, type(other)("distance", other.periods, other.areas, other.value, other.without)])
    assert found.phases["verdict"].tolist() == ["start", "contradictory"]


def test_a_change_that_one_area_alone_makes_is_not_decided():
    table = panel([1] * 24)
    table.loc[(table["area"] == "AUT") & (table["period"] >= "2021-01"), "value"] = 40
    found = answer([evidence_of_spread(table)])
    assert found.phases["verdict"].tolist() == ["start", "undecided"]
    assert found.phases["first"].tolist() == ["2020-01", "2021-01"]


def test_a_verdict_hangs_on_the_areas_without_which_its_interval_would_hold_zero():
    """Ten areas: without A the change is 0.2 and not 1.0; the jackknife error of that is 0.72, and t with 9 degrees of freedom 2.262."""
    areas = tuple("ABCDEFGHIJ")
    without = np.zeros((10, 2))
    without[:, 1], without[0, 1] = 1.0, 0.2
    change, hangs_on = Evidence("spread", ("1", "2"), areas, np.array([0.0, 1.7]), without).change(["1"], ["2"])
    assert change.high - change.value == pytest.approx(2.262 * 0.72, abs=1e-3)
    assert change.verdict == "distancing"
    assert hangs_on == areas  # 1.0 and 0.2 are both less than the reach of 1.63
    firm, nobody = Evidence("spread", ("1", "2"), areas, np.array([0.0, 1.7]), np.array([[0.0, 1.7]] * 10)).change(["1"], ["2"])
    assert (firm.verdict, nobody) == ("distancing", ())


def test_the_order_of_areas_and_a_constant_added_to_all_change_nothing():
    table = panel([1] * 8 + [4] * 8)
    first = answer([evidence_of_spread(table)])
    again = answer([evidence_of_spread(table.sample(frac=1, random_state=1).assign(value=lambda one: one["value"] + 30))])
    pd.testing.assert_frame_equal(first.phases, again.phases)
    pd.testing.assert_frame_equal(first.evidence, again.evidence)


def test_in_sixty_panels_without_a_change_hardly_one_is_found():
    verdicts = [answer([evidence_of_spread(panel([1] * 24, seed=seed, noise=0.3))]).phases["verdict"].tolist() for seed in range(60)]
    assert sum(len(one) > 1 for one in verdicts) <= 5


def test_gaps_are_named_and_evidence_given_twice_or_too_short_is_refused():
    table = panel([1] * 8 + [4] * 8)
    gap = table[~((table["period"] == "2020-03") & ~table["area"].isin(CODES[:3]))]
    found = answer([evidence_of_spread(gap)])
    assert found.left_out.to_dict("records") == [{"kind": "spread", "period": "2020-03", "why": "no value"}]
    one = evidence_of_spread(table)
    with pytest.raises(DesignError, match="each kind once"):
        answer([one, one])
    with pytest.raises(DesignError, match="no evidence has periods enough"):
        answer([evidence_of_spread(panel([1] * 4))])


# As its user meets it


@pytest.fixture
def file(tmp_path):
    panel([1] * 8 + [5] * 8 + [1] * 8).to_csv(tmp_path / "panel.csv", index=False)
    return tmp_path / "panel.csv"


@pytest.mark.parametrize(("lang", "said"), [("en", "policies drifted apart"), ("ru", "политики отдалялись"), ("kk", "саясаттар алшақтады")])
def test_the_paragraph_in_three_languages(file, lang, said):
    done = qonys(
        "convergence", "answer", file, "--lang", lang, "-o", file.with_name("phases.csv"), "--evidence", file.with_name("evidence.csv")
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stderr
    assert pd.read_csv(file.with_name("phases.csv"))["verdict"].tolist() == ["start", "distancing", "converging"]
    assert pd.read_csv(file.with_name("evidence.csv"))["kind"].tolist() == ["spread", "spread"]


def test_spread_breaks_clubs_and_layers_are_tables(file):
    done = qonys("convergence", "spread", file, "--breaks")
    assert "2020-09" in done.stdout
    assert "Trend:" in done.stderr
    done = qonys("convergence", "layers", file, "--groups", "accession")
    assert done.stdout.startswith("period,members,variance,part,share,low,high")
    shifted = pd.read_csv(file).assign(value=lambda one: one["value"] + 50)
    shifted.to_csv(file, index=False)
    done = qonys("convergence", "clubs", file, "--draws", "1", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("area,club,own_share,nearest_club,nearest_share")
    assert "by number of clubs" in done.stderr


def test_catching_up_is_told_over_a_span_given_facts_from_step_to_step_and_rolling(file):
    facts = file.with_name("facts.csv")
    areas = sorted(pd.read_csv(file)["area"].unique())
    pd.DataFrame({"area": areas, "size": range(len(areas))}).to_csv(facts, index=False)
    for more in ((), ("--first", "2020-09", "--last", "2021-03"), ("--given", facts), ("--steps",), ("--rolling", "6")):
        done = qonys("convergence", "beta", file, *more)
        assert done.returncode == 0, done.stderr
        assert "speed" in done.stdout.splitlines()[0]
    assert "exclude each other" in qonys("convergence", "beta", file, "--steps", "--rolling", "6").stderr
    facts.write_text("area,size\nAUT,many\n")
    assert "column size: 'many' is no number" in qonys("convergence", "beta", file, "--given", facts).stderr


@pytest.mark.usefixtures("opened_once")
def test_distances_of_the_shipped_register_grow_in_the_first_wave():
    done = qonys(
        "convergence",
        "distance",
        "--issuer",
        "EU27_2020",
        "--register",
        "shipped",
        "--on",
        "2020-02-01",
        "--on",
        "2020-04-01",
        "--reference",
        "EU",
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in done.stdout.splitlines()]
    assert rows[0] == ["period", "value", "low", "high"]
    assert float(rows[1][1]) < float(rows[2][1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("answer", "none.csv"), "there is no file none.csv"), (("layers", "panel.csv", "--groups", "benelux"), "there is no division 'benelux'"),
        (("clubs", "below.csv"), "the mean over areas is not above zero"), (("departure", "--register", "shipped", "--member", "XXX"), "no area has the code"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_said_in_a_sentence(file, words, said):
    panel([1] * 24).assign(value=lambda one: one["value"] - 50).to_csv(file.with_name("below.csv"), index=False)
    done = qonys("convergence", *words, cwd=file.parent)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
