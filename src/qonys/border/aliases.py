"""Documents that a person renewed are brought to one, so that the person stays one: an alias table, of document numbers or of hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.border.pseudonym import by_value, documents, hashed, normalised
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qonys.border.keys import Key
    from qonys.border.pseudonym import Column


@dataclass(frozen=True, slots=True)
class Aliases:
    """Documents of one person brought to one: `document` -> `person`, the first document of a chain, or what the table calls the person.

    issued: the documents stand with their issuers, as `documents` gives them; others are then never found among them.
    """

    document: pa.Array
    person: pa.Array
    issued: bool = False

    def resolve(self, documents: Column) -> pa.Array:
        """Each document replaced by what stands for its person; documents of no alias stay as they are."""
        return by_value(documents, self._replaced)

    def hashed(self, key: Key) -> Aliases:
        """The same for hashed documents: hashing then resolving gives what resolving then hashing gives."""
        return Aliases(hashed(self.document, key), hashed(self.person, key), self.issued)

    def _replaced(self, values: pa.Array) -> pa.Array:
        place = pc.index_in(values, value_set=self.document)
        return pc.coalesce(self.person.take(place), values.cast(pa.string()))


def one_person(crossings: pa.Table, aliases: Aliases) -> pa.Table:
    """Crossings that are hashed already, each with the id of its person's first document: `aliases` of hashed documents."""
    place = crossings.schema.get_field_index("person_id")
    return crossings.set_column(place, "person_id", aliases.resolve(crossings["person_id"]))


def read_aliases(table: pa.Table, *, file: str) -> Aliases:
    """An alias table: `old`, `new` (a document and the one that renewed it, in chains), or `document`, `person`. Spellings are normalised.

    With `old_issuer`, `new_issuer` or `issuer` beside them the documents are those of `documents`. Other columns are left alone.
    Errors: DataError for other columns, an empty cell, a cycle of renewals, a document that belongs to two persons; file and row are named.
    """
    names, rows = set(table.column_names), _rows(table)
    if {"old", "new"} <= names:
        issued = {"old_issuer", "new_issuer"} & names
        if len(issued) == 1:
            raise DataError(f"{file} has only one of the columns old_issuer, new_issuer", mend="give both, or none")
        both = [documents(table[one], table[f"{one}_issuer"] if issued else None) for one in ("old", "new")]
        old, new = (_given(values, column, rows, file) for values, column in zip(both, ("old", "new"), strict=True))
        return Aliases(*_chains(old, new, rows, file), issued=bool(issued))
    if {"document", "person"} <= names:
        document = _given(documents(table["document"], table["issuer"] if "issuer" in names else None), "document", rows, file)
        person = _given(by_value(table["person"], normalised), "person", rows, file)
        # a name of a person is never taken for a document
        named = pc.binary_join_element_wise("PERSON", person, ":")
        return Aliases(*_owners(document, named, rows, file), issued="issuer" in names)
    raise DataError(
        f"{file} has the columns {', '.join(table.column_names)}", mend="an alias table has the columns old, new or document, person"
    )


def read_hashed_aliases(table: pa.Table, *, file: str) -> Aliases:
    """An alias table of ids that are hashed already: `old`, `new`, in chains. Errors: as `read_aliases`."""
    if not {"old", "new"} <= set(table.column_names):
        raise DataError(f"{file} has the columns {', '.join(table.column_names)}", mend="an alias table of ids has the columns old, new")
    rows = _rows(table)
    old, new = (_given(by_value(table[one], lambda values: values), one, rows, file) for one in ("old", "new"))
    return Aliases(*_chains(old, new, rows, file))


def _rows(table: pa.Table) -> NDArray[np.int64]:
    """The rows of the file, as a spreadsheet counts them."""
    if "row" in table.column_names:
        found: NDArray[np.int64] = table["row"].to_numpy()
        return found
    return np.arange(2, len(table) + 2)


def _given(values: pa.Array, column: str, rows: NDArray[np.int64], file: str) -> pa.Array:
    empty = np.flatnonzero(pc.is_null(values).to_numpy(zero_copy_only=False))
    if len(empty):
        raise DataError(f"{file}, row {rows[empty[0]]}, column {column}: is empty", mend="fill it in, or take the row out")
    return values


def _owners(document: pa.Array, person: pa.Array, rows: NDArray[np.int64], file: str) -> tuple[pa.Array, pa.Array]:
    """Each document with its person, once. Errors: DataError for a document of two persons."""
    seen = document.dictionary_encode()
    codes = seen.indices.to_numpy()
    first = np.unique(codes, return_index=True)[1]
    owner = person.take(pa.array(first))
    elsewhere = np.flatnonzero(pc.not_equal(person, owner.take(seen.indices)).to_numpy(zero_copy_only=False))
    if len(elsewhere):
        raise DataError(
            f"{file}, row {rows[elsewhere[0]]}: a document belongs to two persons, another one in row {rows[first[codes[elsewhere[0]]]]}",
            mend="take the wrong row out",
        )
    return seen.dictionary, owner


def _chains(old: pa.Array, new: pa.Array, rows: NDArray[np.int64], file: str) -> tuple[pa.Array, pa.Array]:
    """Every renewed document with the first of its chain, by doubling the steps back until no one moves.

    Errors: DataError for a document that renews two others, or renewals that go round.
    """
    both = pa.chunked_array([old, new], pa.string()).combine_chunks().dictionary_encode()
    names, place = both.dictionary, both.indices.to_numpy()
    before, after = place[: len(old)], place[len(old) :]
    parent = np.arange(len(names))
    parent[after] = before
    if len(wrong := np.flatnonzero(parent[after] != before)):
        row = int(wrong[0])
        other = int(np.flatnonzero((after == after[row]) & (before != before[row]))[0])
        first, second = sorted((rows[row], rows[other]))
        what = f"{file}, rows {first} and {second}: one document renews two others, as if it were of two persons"
        raise DataError(what, mend="take the wrong row out")
    root = parent
    for _ in range(len(names).bit_length()):
        root = root[root]
    # a first document has none before it; where one has, the steps back have come round
    circle = np.isin(after, root[parent[root] != root]) | (before == after)
    if circle.any():
        what = f"{file}, row {rows[np.flatnonzero(circle)[0]]}: the renewals go round in a circle, so none is the first"
        raise DataError(what, mend="take the wrong row out")
    renewed = np.flatnonzero(parent != np.arange(len(names)))
    return names.take(pa.array(renewed)), names.take(pa.array(root[renewed]))
