"""The register: what its files may say, and between which days a measure began and ended."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import pandas as pd
import pytest

from qonys.core.contracts import MEASURE
from qonys.core.errors import RegisterError
from qonys.core.periods import earliest, latest
from qonys.measures import chronological, codebook, read_register, with_bounds
from qonys.store import shipped
from rows import refusal, typed

ENTRY = """issuer = "KAZ"

[[measure]]
id = "M1"
targets = ["labour", "all"]
field = "migration"
instrument = "legal"
level = "national"
general = true
strength = 2
start = 2020-03-16
"""


def test_an_entry_is_read_as_text_with_its_line_and_its_issuer():
    entry = read_register(ENTRY, file="KAZ.toml").iloc[0]
    assert entry[["row", "issuer", "id", "targets", "general", "strength", "start"]].tolist() == [
        3,
        "KAZ",
        "M1",
        "labour all",
        "true",
        "2",
        "2020-03-16",
    ]
    assert pd.isna(entry["end"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (ENTRY + "id = ", r"KAZ\.toml is not valid TOML: .*; correct that line"),
        (ENTRY + 'taget = "labour"\n', r"KAZ\.toml, line 3, measure M1 has the key 'taget'; did you mean 'targets'\?"),
        (ENTRY.replace('"labour"', '"labur"'), r"KAZ\.toml, line 3, measure M1 has 'labur', which is not a code of targets; did you mean 'labour'\?"),
        (ENTRY.replace('"migration"', '"migrations"'), r"line 3, measure M1 has 'migrations', which is not a code of field; did you mean 'migration'\?"),
        (ENTRY.replace('"legal"', '"lega"'), r"line 3, measure M1 has 'lega', which is not a code of instrument; did you mean 'legal'\?"),
        (ENTRY.replace('"national"', '"country"'), r"line 3, measure M1 has 'country', which is not a code of level; it can be one of"),
        (ENTRY + ENTRY.replace('issuer = "KAZ"\n', "").replace('"M1"', '"M2"').replace('"legal"', '"law"'), r"line 13, measure M2 has 'law', which is not a code of instrument"),
    ],
    ids=["not TOML", "key", "target", "field", "instrument", "level", "second entry"],
)  # fmt: skip
def test_a_wrong_entry_is_refused_with_its_file_and_line(wrong, said):
    with pytest.raises(RegisterError, match=said):
        read_register(wrong, file="KAZ.toml")


@pytest.mark.parametrize("wrong", ['"2020-02-30"', '"spring"', "12", "[2020]"])
def test_a_day_that_is_none_is_refused_with_its_file_and_line(wrong):
    with pytest.raises(RegisterError, match=r"KAZ\.toml, line 3, measure M1"):
        read_register(ENTRY.replace("2020-03-16", wrong), file="KAZ.toml")


@pytest.mark.parametrize(
    "text",
    [
        "measure = 5",
        'measure = ["x"]',
        "[measure]\nid = 'x'",
        '[[measure]]\nid = "a"\ntargets = [{a = 1}]',
        "measure = [{id = 'a', field = 'health'}]",
    ],
)
def test_toml_of_another_shape_is_refused_or_read_and_never_a_stack_trace(text):
    refused = refusal(lambda: read_register(text, file="KAZ.toml"))
    assert refused is None or "KAZ.toml" in str(refused)


@pytest.mark.parametrize("text", ["measure = [{id = 'a'}, {id = 'b'}]", "[[measure]]\nid = 'a'\n[[ 'measure' ]]\nid = 'b'"])
def test_an_entry_whose_line_cannot_be_told_is_refused_and_not_lost(text):
    with pytest.raises(RegisterError, match=r"begin each entry with a line \[\[measure\]\]"):
        read_register(text, file="f.toml")


def test_a_file_without_measures_is_a_register_without_rows():
    assert read_register('issuer = "KAZ"', file="f.toml").empty


def test_the_bounds_of_every_shipped_entry_are_those_of_its_partial_dates(con):
    package = shipped()
    entries = pd.concat(
        [read_register(package.path(name).read_text(encoding="utf-8"), file=name) for name in package.files if name.endswith(".toml")]
    )
    bounded = con.to_pandas(with_bounds(ibis.memtable(entries.drop(columns="supersedes").reset_index(drop=True))))
    assert len(bounded) == 462  # 420 entries, 42 of them in two versions
    for row in bounded.itertuples():
        for side in ("start", "end"):
            partial = getattr(row, side)
            found = [getattr(row, f"{side}_{bound}") for bound in ("earliest", "latest")]
            if pd.isna(partial):
                assert pd.isna(found).all()
            else:
                assert [pd.Timestamp(day).date() for day in found] == [earliest(partial), latest(partial)]


def test_the_bounds_of_every_month_and_year_are_those_of_the_calendar(con):
    first = date(1999, 11, 28)
    days = sorted({(first + timedelta(days=n)).isoformat()[:width] for n in range(500) for width in (4, 7, 10)} | {"9999", "2100-02"})
    bounded = con.to_pandas(with_bounds(typed(MEASURE, [{"id": d, "start": d} for d in days])))
    for row in bounded.itertuples():
        assert (str(row.start_earliest)[:10], str(row.start_latest)[:10]) == (earliest(row.id).isoformat(), latest(row.id).isoformat())


def test_entries_are_ordered_by_their_start_and_those_without_one_come_last():
    entries = pd.DataFrame({"id": ["a", "b", "c", "d"], "start": [None, "2021", "2020-03", "2020"]})
    assert chronological(entries)["id"].tolist() == ["d", "c", "b", "a"]
    assert chronological(entries, ["a", "c"])["id"].tolist() == ["c", "a"]


def test_the_codebook_gives_every_step_of_strength_a_meaning():
    for direction in ("tightening", "easing"):
        assert list(codebook()["strength"][direction]) == ["1", "2", "3", "4"]
