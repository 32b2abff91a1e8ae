"""The register keeps what it said: nothing gone, nothing edited in place, and versions and entries that hang together."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.contracts import MEASURE
from qonys.measures import consistent, read_register, unchanged
from qonys.store import shipped
from rows import typed


def register(*entries: dict[str, object], issuer: str = "KAZ") -> pd.DataFrame:
    """Entries as they are read from a file of one issuer; the id stands first, one key a line."""
    text = f'issuer = "{issuer}"\n'
    for entry in entries:
        text += "\n[[measure]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
    return read_register(text, file=f"{issuer}.toml")


def second(**more: object) -> dict[str, object]:
    return {"id": "A", "version": 2, "change": "read again", "coded_on": "2026-02-01", **more}


def test_a_register_that_only_grew_is_unchanged():
    before = register({"id": "A", "strength": 1}, {"id": "B"})
    now = register({"id": "C"}, {"id": "A", "strength": 1}, second(strength=3), {"id": "B"})
    assert unchanged(now, before) == ()
    assert unchanged(before, before) == ()


def test_an_entry_that_is_gone_is_told_with_its_old_place():
    assert unchanged(register({"id": "B"}), register({"id": "A"}, {"id": "B"})) == (
        "KAZ.toml, line 3, measure A version 1 was in the register and is gone; put it back: what is no longer in force gets an end",
    )


def test_a_version_that_is_gone_is_told_though_a_later_one_stands():
    (said,) = unchanged(register(second()), register({"id": "A"}, second()))
    assert "measure A version 1 was in the register and is gone" in said


def test_an_entry_edited_in_place_is_told_with_every_column_and_the_version_to_write():
    before = register({"id": "A", "strength": 1, "title": "Ban"}, second(strength=2, title="Ban"))
    now = register({"id": "A", "strength": 2, "title": "Ban", "end": "2020-05"}, second(strength=2, title="Ban"))
    assert unchanged(now, before) == (
        "KAZ.toml, line 3, measure A version 1 was edited in place: strength '1' became '2', end 'empty' became '2020-05'; "
        "put the old words back and write version 3 below",
    )


def test_another_issuer_is_an_edit():
    (said,) = unchanged(register({"id": "A"}, issuer="UZB"), register({"id": "A"}))
    assert "UZB.toml, line 3, measure A version 1 was edited in place: issuer 'KAZ' became 'UZB'" in said


def test_a_moved_line_the_order_of_codes_and_a_version_of_one_that_is_written_out_are_no_edits():
    before = register({"id": "A", "targets": ["labour", "student"]})
    now = register({"id": "B"}, {"id": "A", "version": 1, "targets": ["student", "labour"]})
    assert unchanged(now, before) == ()


@given(st.lists(st.sampled_from("ABCD"), unique=True, max_size=4), st.lists(st.sampled_from("ABCD"), unique=True, max_size=4))
def test_as_many_are_told_as_are_gone(before, now):
    told = unchanged(register(*[{"id": one} for one in now]), register(*[{"id": one} for one in before]))
    assert len(told) == len(set(before) - set(now))


def test_a_register_whose_versions_and_names_fit_has_no_fault():
    entries = register(
        {"id": "A", "coded_on": "2026-01-01"}, second(supersedes=["B"]), second(version=3, supersedes=["B", "C"], transposed_by=["C"]),
        {"id": "B"}, {"id": "C", "supersedes": ["B"]},
    )  # fmt: skip
    assert consistent(entries) == ()


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([{"id": "A"}, second(version=3)], "KAZ.toml, line 6, measure A version 3 has no version 2 before it; versions count 1, 2, 3"),
        ([second()], "KAZ.toml, line 3, measure A version 2 has no version 1 before it"),
        ([{"id": "A"}, {"id": "A"}], "KAZ.toml, line 6, measure A version 1 is given twice; number the later one 2"),
        ([{"id": "A", "coded_on": "2026-03-01"}, second()], "measure A version 2 was coded on 2026-02-01, before the version it replaces (2026-03-01)"),
        ([{"id": "A", "supersedes": ["B"]}], "KAZ.toml, line 3, measure A version 1 names B in supersedes, and there is no such entry"),
        ([{"id": "A", "transposed_by": ["B"]}], "measure A version 1 names B in transposed_by, and there is no such entry"),
        ([{"id": "A", "supersedes": ["A"]}], "measure A version 1 names itself in supersedes; take it out"),
    ],
    ids=["hole", "no first", "twice", "older", "supersedes nobody", "transposed by nobody", "itself"],
)  # fmt: skip
def test_a_fault_is_told_in_one_sentence(entries, said):
    (sentence,) = consistent(register(*entries))
    assert said in sentence


def test_a_version_is_held_against_the_latest_day_before_it():
    (said,) = consistent(
        register({"id": "A", "coded_on": "2026-03-01"}, second(coded_on="2026-04-01"), second(version=3, coded_on="2026-03-15"))
    )
    assert "version 3 was coded on 2026-03-15, before the version it replaces (2026-04-01)" in said


def test_what_a_later_version_took_out_is_no_fault_of_the_entry():
    assert consistent(register({"id": "A", "supersedes": ["GONE"]}, second())) == ()


def test_the_same_id_under_two_issuers_is_told_with_both_places():
    both = pd.concat([register({"id": "A"}), register({"id": "A"}, issuer="UZB")])
    assert consistent(both) == (
        "UZB.toml, line 3, measure A version 1 has the id of a measure of KAZ (KAZ.toml, line 3); give one of them another id",
    )


def test_a_ring_of_entries_that_replace_each_other_is_told_once_from_its_least_id():
    ring = register(
        {"id": "B", "supersedes": ["A"]},
        {"id": "C", "supersedes": ["B"]},
        {"id": "A", "supersedes": ["C"]},
        {"id": "D", "supersedes": ["A"]},
    )
    assert consistent(ring) == (
        "KAZ.toml, line 11, measure A version 1 supersedes itself in a ring: A, which supersedes C, which supersedes B, which supersedes A; "
        "take out the link that is wrong",
    )
    assert consistent(ring.iloc[::-1]) == consistent(ring)


def test_two_rings_are_two_sentences():
    pairs = [{"id": one, "supersedes": [other]} for one, other in ("AB", "BA", "CD", "DC")]
    assert len(consistent(register(*pairs))) == 2


def test_typed_tables_are_judged_as_the_text_they_came_from(con):
    rows = [
        {"id": "A", "issuer": "KAZ", "targets": "student labour", "strength": "2", "general": "true", "supersedes": "B", "start": "2020-03"}
    ]
    (told,) = consistent(con.to_pandas(typed(MEASURE, rows)))
    assert told.startswith("f.csv:2, measure A version 1 names B in supersedes")
    text = pd.DataFrame(rows, columns=MEASURE.names).astype("string")
    assert unchanged(con.to_pandas(typed(MEASURE, rows)), text) == ()


def test_the_shipped_register_hangs_together_and_keeps_its_first_versions():
    package = shipped()
    parts = [
        read_register(package.path(name).read_text(encoding="utf-8"), file=name) for name in package.files if name.startswith("register/")
    ]
    entries = pd.concat(parts, ignore_index=True)
    assert consistent(entries) == ()
    assert unchanged(entries, entries[entries["version"].isna()]) == ()
    later = entries[entries["version"].notna()]
    assert len(later) == 42
    assert later["coder"].value_counts().to_dict() == {"qonys-2026-adjudicator": 40, "qonys-2026": 2}
