"""Renewed documents: a person stays one along every chain, hashed before or after; what cannot be one person is refused."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.border.aliases import Aliases, one_person, read_aliases, read_hashed_aliases
from qonys.border.keys import Key
from qonys.border.pseudonym import documents, hashed, person_ids
from qonys.border.simulate import simulate
from qonys.core.errors import DataError

KEY = Key(b"5f0e6d1c9b7a48e2a3d4c5b6f7081920")


def table(*rows: tuple[str | None, ...], names: str = "old new") -> pa.Table:
    return pa.table({name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names.split())})


def resolved(aliases: Aliases, *numbers: str | None) -> list[str | None]:
    return aliases.resolve(pa.array(numbers, pa.string())).to_pylist()


@st.composite
def forests(draw) -> list[tuple[int, int]]:
    """Renewals of up to forty documents: each one renews an earlier one, or none; in any order."""
    parents = [draw(st.integers(-1, place - 1)) for place in range(draw(st.integers(1, 40)))]
    return draw(st.permutations([(parent, place) for place, parent in enumerate(parents) if parent >= 0]))


@given(renewals=forests())
def test_every_document_of_a_chain_is_the_persons_first_and_others_stay(renewals):
    first = {}
    for old, new in sorted(renewals, key=lambda pair: pair[1]):
        first[new] = first.get(old, old)
    aliases = read_aliases(table(*((f"n {old}", f"N{new}") for old, new in renewals)), file="a.csv")
    assert resolved(aliases, *(f"N{one}" for one in range(40)), None) == [*(f"N{first.get(one, one)}" for one in range(40)), None]


@given(renewals=forests())
def test_hashing_then_resolving_is_resolving_then_hashing(renewals):
    aliases = read_aliases(table(*((f"N{old}", f"N{new}") for old, new in renewals)), file="a.csv")
    numbers = pa.array([None, *(f"n-{one}" for one in range(40))])
    assert person_ids(numbers, KEY, aliases=aliases).equals(aliases.hashed(KEY).resolve(person_ids(numbers, KEY)))
    ids = table(*((hashed(pa.array([f"N{old}"]), KEY)[0].as_py(), hashed(pa.array([f"N{new}"]), KEY)[0].as_py()) for old, new in renewals))
    assert read_hashed_aliases(ids, file="a").resolve(person_ids(numbers, KEY)).equals(person_ids(numbers, KEY, aliases=aliases))


def test_a_table_of_documents_and_persons_brings_them_together_and_takes_no_name_for_a_document():
    aliases = read_aliases(table(("A1", "p7"), ("a 1", "P7"), ("B2", "p7"), names="document person"), file="a.csv")
    assert resolved(aliases, "A1", "B2", "P7") == ["PERSON:P7", "PERSON:P7", "P7"]


def test_documents_with_issuers_are_renewed_with_them_or_not_at_all():
    rows = table(("1", "2", "kz", "KAZ"), names="old new old_issuer new_issuer")
    aliases = read_aliases(rows, file="a.csv")
    assert resolved(aliases, "KAZ/2", "UZB/2") == ["KAZ/1", "UZB/2"]
    numbers, issuers = pa.array(["2"]), pa.array(["KZ"])
    assert documents(numbers, issuers).to_pylist() == ["KAZ/2"]
    assert person_ids(numbers, KEY, issuers=issuers, aliases=aliases).equals(hashed(pa.array(["KAZ/1"]), KEY))
    for given_, table_ in ((None, aliases), (issuers, read_aliases(table(("1", "2")), file="b.csv"))):
        with pytest.raises(DataError, match="issuers of documents"):
            person_ids(numbers, KEY, issuers=given_, aliases=table_)


@pytest.mark.parametrize(
    ("rows", "names", "why"),
    [
        ([("A", "B"), ("B", "C"), ("C", "A")], "old new", r"a\.csv, row 2: the renewals go round in a circle"),
        ([("X", "Y"), ("A", "B"), ("B", "A"), ("A", "C")], "old new", r"row 3: the renewals go round in a circle"),
        ([("X", "Y"), ("A", "a ")], "old new", r"row 3: the renewals go round"),
        ([("A", "C"), ("X", "Y"), ("B", "C")], "old new", r"rows 2 and 4: one document renews two others"),
        ([("A", "B"), ("A", None)], "old new", r"row 3, column new: is empty"),
        ([("A", "p"), ("B", "q"), ("a", "q")], "document person", r"row 4: a document belongs to two persons, another one in row 2"),
        ([("A", "B")], "from to", r"a\.csv has the columns from, to"),
        ([("A", "B", "KAZ")], "old new old_issuer", "only one of the columns old_issuer, new_issuer"),
    ],
)
def test_what_cannot_be_one_person_is_refused_by_its_row_without_a_document(rows, names, why):
    with pytest.raises(DataError, match=why):
        read_aliases(table(*rows, names=names), file="a.csv")


def test_rows_are_those_of_the_file_where_they_are_known():
    with pytest.raises(DataError, match="row 9: the renewals go round"):
        read_aliases(table(("A", "A")).append_column("row", pa.array([9])), file="a.csv")


def test_an_empty_table_changes_nothing():
    assert resolved(read_aliases(table(), file="a.csv"), "A", None) == ["A", None]


def test_a_simulated_border_has_its_people_back_once_their_renewals_are_known():
    made = next(simulate(people=20_000, seed=5))
    aliases = read_hashed_aliases(made.aliases, file="aliases")
    seen, known = set(made.crossings["person_id"].to_pylist()), set(made.people["person_id"].to_pylist())
    assert seen - known
    joined = one_person(made.crossings, aliases)
    assert set(joined["person_id"].to_pylist()) <= known
    assert joined.drop(["person_id"]).equals(made.crossings.drop(["person_id"]))
    assert joined.column_names == made.crossings.column_names
