"""The simulated border holds together: people alternate, stocks balance, shares are as asked, a seed says everything."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from qonys.border.parameters import (
    ByGroup,
    Closure,
    Records,
    border_parameters,
    checked,
    read_border_parameters,
)
from qonys.border.simulate import BLOCK, Simulated, simulate
from qonys.core.contracts import CROSSING
from qonys.core.errors import DesignError
from qonys.core.validate import examine

TRUE = replace(border_parameters(), records=Records(), closures=())
FAULTY = replace(
    TRUE,
    records=Records(missed_entries=0.02, missed_exits=0.05, repeated=0.03, clock_wrong=0.04, clock_hours=5.0, renewals_per_year=0.3),
)


def whole(parameters=TRUE, **more) -> Simulated:
    size = {} if "crossings" in more else {"people": BLOCK}
    batches = list(simulate(parameters, **(size | more)))
    return Simulated(**{name: pa.concat_tables([one.tables()[name] for one in batches]) for name in batches[0].tables()})


def frame(table: pa.Table) -> pd.DataFrame:
    return table.cast(
        pa.schema([(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type) for one in table.schema])
    ).to_pandas()


def numbered(table: pa.Table, *names: str) -> pd.DataFrame:
    """Moments as microseconds, which are counted and compared many times faster; a missing one is NaT's number."""
    rows = frame(table)
    return rows.assign(**{name: rows[name].astype("datetime64[us]").astype("int64") for name in names})


def in_order(crossings: pa.Table) -> pd.DataFrame:
    return frame(crossings).sort_values(["person_id", "at"], kind="stable", ignore_index=True)


@pytest.fixture(scope="module")
def true() -> Simulated:
    return whole()


@pytest.fixture(scope="module")
def faulty() -> Simulated:
    return whole(FAULTY)


@pytest.fixture(scope="module")
def shocked() -> Simulated:
    return whole(replace(TRUE, closures=border_parameters().closures))


# One person


def test_entries_and_exits_alternate_where_no_record_is_missed(true, shocked):
    for made in (true, shocked):
        rows = in_order(made.crossings)
        same_person = rows["person_id"].eq(rows["person_id"].shift())
        assert not (same_person & rows["direction"].eq(rows["direction"].shift())).any()
        assert not (same_person & rows["at"].eq(rows["at"].shift())).any()
        # who is inside when the records begin leaves first
        first = rows.loc[~same_person].set_index("person_id")["direction"]
        inside = frame(made.people).set_index("person_id")["present_at_start"].reindex(first.index)
        assert ((first == "exit") == inside).all()


def test_present_at_the_end_are_the_present_at_the_start_plus_entries_less_exits(true, shocked):
    for made in (true, shocked):
        rows, people = frame(made.crossings), frame(made.people).set_index("person_id")
        moved = rows["direction"].map({"entry": 1, "exit": -1}).groupby(rows["person_id"]).sum().reindex(people.index, fill_value=0)
        assert (people["present_at_start"].astype(int) + moved == people["present_at_end"].astype(int)).all()


def test_what_was_missed_repeated_or_wrong_leads_back_to_the_truth(true, faulty):
    """The same seed without faults gives the crossings that the faulty records and the list of faults describe together."""
    before = dict(zip(faulty.aliases["new"].to_pylist(), faulty.aliases["old"].to_pylist(), strict=True))
    assert any(old in before for old in before.values())  # chains of two renewals are among them
    rows, odd = numbered(faulty.crossings, "at"), numbered(faulty.records, "at", "recorded_at")
    person = rows["person_id"]
    while person.isin(before.keys()).any():
        person = person.map(before).fillna(person)
    recorded = Counter(zip(person, rows["at"], rows["direction"], strict=True))
    for one in odd.itertuples():
        if one.what != "missed":
            recorded[one.person_id, one.recorded_at, one.direction] -= 1
        if one.what != "repeated":
            recorded[one.person_id, one.at, one.direction] += 1
    rows = numbered(true.crossings, "at")
    truth = Counter(zip(rows["person_id"], rows["at"], rows["direction"], strict=True))
    assert {key: count for key, count in recorded.items() if count} == truth


def test_every_id_of_a_record_is_a_documents_of_one_person(faulty):
    known = {*faulty.people["person_id"].to_pylist(), *faulty.aliases["new"].to_pylist()}
    assert set(faulty.crossings["person_id"].to_pylist()) <= known
    assert len(known) == len(faulty.people) + len(faulty.aliases)
    rows = frame(faulty.crossings).merge(frame(faulty.aliases), left_on="person_id", right_on="old")
    right_clock = ~rows["at"].isin(frame(faulty.records)["recorded_at"])
    assert (rows["at"] < rows["on"])[right_clock].all()  # the old document is shown before the renewal only


# What was asked for


def test_a_sample_meets_the_contract_without_a_fault(con, faulty):
    table = con.create_table("sample", faulty.crossings.slice(0, 20_000).append_column("row", pa.array(range(20_000))), temp=True)
    seen = examine(table, CROSSING, file="simulated")
    assert con.to_pandas(seen.faults).empty
    assert seen.ignored == ()
    assert tuple(faulty.crossings.column_names) == CROSSING.names


def test_kinds_have_the_shares_asked_for_within_sampling_error(true):
    asked = {kind.name: kind.share for kind in TRUE.kinds}
    total = sum(asked.values())
    seen = pd.Series(true.people["kind"].to_pylist()).value_counts()
    for name, share in asked.items():
        p = share / total
        assert abs(seen[name] - BLOCK * p) < 4.5 * np.sqrt(BLOCK * p * (1 - p)), name


def test_faults_have_the_shares_asked_for_within_sampling_error(true, faulty):
    odd, rows = frame(faulty.records), frame(true.crossings)
    spec = FAULTY.records
    exits, entries = ((rows["direction"] == one).sum() for one in ("exit", "entry"))
    missed = odd[odd["what"] == "missed"]["direction"].value_counts()
    counts = [
        (missed["exit"], exits, spec.missed_exits), (missed["entry"], entries, spec.missed_entries),
        ((odd["what"] == "repeated").sum(), len(rows), spec.repeated * (1 - 0.035)), ((odd["what"] == "clock_wrong").sum(), len(rows), spec.clock_wrong * (1 - 0.035)),
    ]  # fmt: skip
    for seen, total, share in counts:
        assert abs(seen - total * share) < 5 * np.sqrt(total * share * (1 - share)) + 0.002 * total * share
    errors = (odd["recorded_at"] - odd["at"]).dt.total_seconds()[odd["what"] == "clock_wrong"] / 3600
    assert errors.std() == pytest.approx(spec.clock_hours, rel=0.1)
    years = (TRUE.end - TRUE.start).days / 365.25
    expected = BLOCK * (2 - (2 + 0.3 * years) * np.exp(-0.3 * years))  # of a Poisson number, two at the most
    assert len(faulty.aliases) == pytest.approx(expected, rel=0.03)


def test_the_number_of_crossings_asked_for_is_reached_and_hardly_passed():
    for asked in (10, 12_345, 250_000):
        assert asked <= len(whole(crossings=asked).crossings) < asked + 100


def test_season_weekday_and_growth_show_in_the_entries_of_tourists():
    tourist = next(kind for kind in TRUE.kinds if kind.name == "tourist")
    grown = replace(TRUE, kinds=(replace(tourist, growth_per_year=0.2),), start=date(2015, 1, 1), end=date(2018, 12, 31))
    rows = frame(whole(grown, people=4 * BLOCK).crossings)
    entries = rows[rows["direction"] == "entry"]["at"]
    by_month, by_day = entries.dt.month.value_counts(), entries.dt.weekday.value_counts()
    assert by_month[7] / by_month[1] == pytest.approx(tourist.months[6] / tourist.months[0] * 1.2**0.5, rel=0.08)
    assert by_day[5] / by_day[2] == pytest.approx(tourist.weekdays[5] / tourist.weekdays[2], rel=0.05)
    by_year = entries.dt.year.value_counts().sort_index()
    assert (by_year / by_year.shift()).dropna().to_numpy() == pytest.approx(1.2, rel=0.03)


def test_a_stay_lasts_longer_than_permitted_for_overstayers_and_the_stuck_alone(true, shocked):
    def overstays(made: Simulated) -> pd.Series:
        rows = frame(made.crossings).merge(frame(made.people)[["person_id", "kind"]], on="person_id")
        late = rows[(rows["direction"] == "exit") & rows["permitted_until"].notna()]
        return (late["at"].dt.date > late["permitted_until"]).groupby(late["kind"]).mean()

    usual, closed = overstays(true), overstays(shocked)
    assert usual["overstayer"] == 1
    assert (usual.drop("overstayer") == 0).all()
    assert closed["tourist"] > 0
    assert closed["circular_worker"] > 0


def test_citizens_need_no_permission_and_foreigners_who_enter_have_one(true):
    rows = frame(true.crossings)
    citizen = rows["citizenship"] == TRUE.country
    assert rows.loc[citizen, ["permit", "permitted_until"]].isna().all(axis=None)
    entries = rows[~citizen & (rows["direction"] == "entry")]
    assert entries[["permit", "permitted_until"]].notna().all(axis=None)
    assert (entries["permitted_until"] >= entries["at"].dt.date).all()


# The shock


def monthly(made: Simulated, direction: str, *, citizens: bool) -> pd.Series:
    rows = frame(made.crossings)
    chosen = rows[(rows["direction"] == direction) & ((rows["citizenship"] == TRUE.country) == citizens)]
    return chosen["at"].dt.to_period("M").value_counts().sort_index()


def test_a_closure_takes_the_share_asked_for_and_gives_some_of_it_back_later(true, shocked):
    closure = border_parameters().closures[0]
    within = pd.period_range("2020-04", "2020-09", freq="M")
    # journeys begin with an entry of foreigners and an exit of citizens
    for direction, citizens, asked in (("entry", False, closure.arrivals.foreigners), ("exit", True, closure.departures.citizens)):
        before, after = (monthly(made, direction, citizens=citizens) for made in (true, shocked))
        left = after.reindex(within, fill_value=0).sum() / before.reindex(within).sum()
        assert left == pytest.approx(1 - asked, abs=0.06)
        catch_up = pd.period_range("2020-10", "2020-12", freq="M")
        assert after.reindex(catch_up).sum() > 1.02 * before.reindex(catch_up).sum()


def test_people_are_stuck_at_the_end_of_a_closure_who_would_else_have_left(true, shocked):
    def stuck(made: Simulated) -> int:
        rows = in_order(made.crossings)
        rows = rows[rows["at"] < pd.Timestamp(border_parameters().closures[0].end)]
        last = rows.groupby("person_id").tail(1)
        foreign = (last["direction"] == "entry") & last["permitted_until"].notna()
        return int((foreign & (last["permitted_until"] < border_parameters().closures[0].end)).sum())

    assert stuck(shocked) > 3 * stuck(true)


def test_before_a_closure_nothing_changes(true, shocked):
    first = pa.scalar(pd.Timestamp(border_parameters().closures[0].start), pa.timestamp("us"))
    before = [made.crossings.filter(pc.less(made.crossings["at"], first)) for made in (true, shocked)]
    assert len(before[0]) > 50_000
    keys = [frame(one)[["person_id", "at", "direction"]] for one in before]
    pd.testing.assert_frame_equal(*keys)


def test_a_total_closure_lets_nobody_through():
    shut = Closure(
        start=date(2020, 3, 1),
        end=date(2020, 5, 31),
        arrivals=ByGroup(foreigners=1, citizens=1),
        departures=ByGroup(foreigners=1, citizens=1),
    )
    at = frame(whole(replace(TRUE, closures=(shut,))).crossings)["at"]
    assert not at.between("2020-03-01", "2020-05-31 23:59:59").any()
    assert at.between("2020-06-01", "2020-06-30").any()


# Residence


def test_migrations_are_where_spells_of_residence_begin_and_end(true):
    spells, moves = frame(true.residence), frame(true.migrations)
    first = pd.Timestamp(TRUE.start)
    for edge, direction in (("start", "arrival"), ("end", "departure")):
        given = spells[spells[edge] >= first][["person_id", edge]].rename(columns={edge: "at"})
        said = moves[moves["direction"] == direction][["person_id", "at"]]
        pd.testing.assert_frame_equal(*(one.sort_values(["person_id", "at"], ignore_index=True) for one in (given, said)))
    crossings = frame(true.crossings)[["person_id", "at", "direction"]]
    crossings["direction"] = crossings["direction"].map({"entry": "arrival", "exit": "departure"})
    assert len(moves.merge(crossings)) == len(moves)  # each happens at a crossing of that direction


def test_the_rule_of_12_in_16_months_finds_the_true_migrations_where_it_can_know(true):
    """A plain walk over the spells after a crossing; migrants stay long enough by far, all others never do."""
    day = 86_400_000_000
    moves = {(one.person_id, one.at) for one in numbered(true.migrations, "at").itertuples()}
    people = frame(true.people)
    plain = people[people["kind"].isin(["immigrant", "emigrant", "tourist", "business_traveller", "transit"])]["person_id"]
    end = (TRUE.end - date(1970, 1, 1)).days * day + day
    agree = total = 0
    crossings = numbered(true.crossings, "at").sort_values(["person_id", "at"])
    for person, rows in crossings[crossings["person_id"].isin(plain)].groupby("person_id"):
        times, ways = rows["at"].tolist(), rows["direction"].tolist()
        resident = ways[0] == "exit"
        for place, (at, way) in enumerate(zip(times, ways, strict=True)):
            if at > end - 490 * day:
                break
            if (way == "entry") == resident:
                continue
            lengths = np.diff((*times[place:], end)) / day
            here, away, found = 0.0, 0.0, False
            for number, days in enumerate(lengths):
                here, away = (here + days, away) if number % 2 == 0 else (here, away + days)
                if away > 122 or here >= 365:
                    found = away <= 122
                    break
            resident ^= found
            total += 1
            agree += found == ((person, at) in moves)
    assert total > 10_000
    assert agree / total > 0.99


# Seeds and batches


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(faulty):
    again, other = whole(FAULTY), whole(FAULTY, seed=1)
    for name, table in faulty.tables().items():
        assert again.tables()[name].equals(table)
        assert not other.tables()[name].equals(table)


def test_the_batches_change_nothing():
    one, three = (list(simulate(FAULTY, people=3 * BLOCK + 100, blocks_per_batch=size)) for size in (1, 3))
    assert (len(one), len(three)) == (4, 2)
    for name in one[0].tables():
        assert pa.concat_tables([b.tables()[name] for b in one]).equals(pa.concat_tables([b.tables()[name] for b in three]))


def test_no_person_stands_in_two_batches():
    batches = list(simulate(FAULTY, people=3 * BLOCK, blocks_per_batch=1))
    people = [set(one.people["person_id"].to_pylist()) | set(one.aliases["new"].to_pylist()) for one in batches]
    assert len(set.union(*people)) == sum(map(len, people))
    for own, one in zip(people, batches, strict=True):
        assert set(one.crossings["person_id"].to_pylist()) <= own


def test_a_run_of_more_people_begins_with_the_people_of_a_shorter_one(faulty):
    few = whole(FAULTY, people=500)
    own = pa.array(few.people["person_id"].to_pylist())
    assert few.people.equals(faulty.people.slice(0, 500))
    known = pa.concat_arrays([own, few.aliases["new"].combine_chunks()])
    assert few.crossings.combine_chunks().equals(faulty.crossings.filter(pc.is_in(faulty.crossings["person_id"], known)).combine_chunks())
    assert len(few.migrations) == pc.sum(pc.is_in(faulty.migrations["person_id"], own)).as_py()


# Refusals


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"end": date(2014, 1, 1)}, "end on or after the start"),
        ({"country": "KZ"}, "is not an area"),
        ({"months": (1.0,) * 11}, "give 12"),
        ({"months": (0.0,) * 12}, "no weight is above zero"),
        ({"growth_per_year": -1.0}, "must be above -1"),
        ({"warm_up_days": -1}, "days from 0 on"),
        ({"kinds": ()}, "no kind of people"),
        ({"records": Records(repeated=1.5)}, "a share from 0 to 1"),
        ({"closures": (Closure(start=date(2020, 2, 1), end=date(2020, 1, 1)),)}, "in order of time"),
        ({"kinds": (replace(TRUE.kinds[0], home="at home"),)}, "inside or outside"),
        ({"kinds": (replace(TRUE.kinds[0], citizenship={"KAZ": -1.0}),)}, "a number from 0 to"),
        ({"kinds": (replace(TRUE.kinds[0], permit={"vissa": 1.0}),)}, "did you mean 'visa'"),
        # journeys that would not fit into memory, and times that would not fit into the keys by which moments are sorted
        ({"kinds": (replace(TRUE.kinds[0], trips=replace(TRUE.kinds[0].trips, per_year=300.0)),)}, "lower per_year"),
        ({"kinds": (replace(TRUE.kinds[0], trips=replace(TRUE.kinds[0].trips, longest=900_000)),)}, "longest is 900000; .* to 36,525"),
        ({"permit_days": TRUE.permit_days | {"visa": 10**9}}, "permit_days, visa is 1000000000"),
        ({"records": Records(clock_hours=1e30)}, "clock_hours is 1e"),
        ({"closures": (Closure(start=date(2020, 2, 1), end=date(2020, 3, 1), delay_days=1e9),)}, "delay_days is 1000000000"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_the_mend(change, said):
    with pytest.raises(DesignError, match=said):
        checked(replace(TRUE, **change))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start = ", "not valid TOML"),
        ("start = 2018-01-01", r"b\.toml, border_point is not a table"),
        ("colour = 1\n[border_point]\na = 1\n[kind.a]\n", "kind a has no"),
        ("start = 2018-01-01\nstrat = 1\n[border_point]\na = 1\n[kind]\n", "there is no 'strat'; did you mean 'start'"),
        ('start = "soon"\n[border_point]\na = 1\n[kind]\n', "write a day as 2020-03-16"),
        ("closure = 3\n[border_point]\na = 1\n[kind]\n", r"write each under \[\[closure\]\]"),
    ],
)
def test_a_file_of_parameters_that_is_wrong_is_refused_with_its_name(text, said):
    with pytest.raises(DesignError, match=said):
        read_border_parameters(text, file="b.toml")


def test_a_simulation_is_asked_for_people_or_crossings():
    for asked in ({}, {"people": 1, "crossings": 1}, {"people": 0}, {"crossings": -3}, {"people": 1, "seed": -1}):
        with pytest.raises(DesignError):
            simulate(TRUE, **asked)
    quiet = replace(TRUE, kinds=(replace(TRUE.kinds[0], trips=None),))
    with pytest.raises(DesignError, match="never be reached"):
        list(simulate(quiet, crossings=1000))
    assert len(whole(quiet, people=10).crossings) == 0
