"""Document numbers become ids that lead back to nobody without the key: a keyed hash, made on import, the key kept elsewhere.

BLAKE2b with a key (RFC 7693), 128 bits, as 32 hexadecimal letters. Numbers are first brought to one spelling, and documents that a person
renewed to the first one (`aliases`). Beside the data stands only the key's id (`keys`), so that files hashed with different keys are not
taken for the same people.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.border.words import area_code
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qonys.border.aliases import Aliases
    from qonys.border.keys import Key

    Column: TypeAlias = "pa.Array | pa.ChunkedArray"

ID_BYTES = 16


def normalised(numbers: Column) -> Column:
    """Document numbers in one spelling: Unicode NFKC, capitals, without any spaces, hyphens and dashes; empty ones null.

    "n 1234-567" and "N1234567" are one document. Letters that only look alike (Latin A and Cyrillic А) stay apart.
    """
    text = pc.utf8_upper(pc.utf8_normalize(numbers.cast(pa.string()), form="NFKC"))
    text = pc.replace_substring_regex(text, pattern=r"[\s\p{Z}\p{Pd}\x{00AD}\x{200B}\x{2212}\x{FEFF}]+", replacement="")
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def documents(numbers: Column, issuers: Column | None = None) -> pa.Array:
    """What is hashed: the normalised number, after its issuer and a slash where issuers are known, as KAZ/N1234567; null without one.

    Issuers are brought to the codes of areas, so that KZ and KAZ issue the same documents.
    """
    return by_value(_issued(numbers, issuers), lambda written: _spelled(written, issuers is not None))


def person_ids(numbers: Column, key: Key, *, issuers: Column | None = None, aliases: Aliases | None = None) -> pa.Array:
    """The id of the person behind each document: normalised, brought to the person's first, hashed. Each spelling is hashed once.

    Errors: DataError for aliases of documents with issuers where there are none, or without where there are: none would be found.
    """
    issued = issuers is not None
    if aliases is not None and aliases.issued != issued:
        with_, without = ("the records have", "the alias table has not") if issued else ("the alias table has", "the records have not")
        raise DataError(f"{with_} issuers of documents and {without}", mend="give them in both, or in none")

    def hide(written: pa.Array) -> pa.Array:
        spelled = _spelled(written, issued)
        return _hash(aliases.resolve(spelled) if aliases else spelled, key)

    return by_value(_issued(numbers, issuers), hide)


def hashed(texts: Column, key: Key) -> pa.Array:
    """The keyed hash of each text, 32 hexadecimal letters; null stays null. Each different text is hashed once."""
    return by_value(texts, lambda values: _hash(values, key))


def _issued(numbers: Column, issuers: Column | None) -> Column:
    if issuers is None:
        return numbers
    return pc.binary_join_element_wise(by_value(issuers, area_codes).fill_null(""), numbers.cast(pa.string()), "/")


def _spelled(written: pa.Array, issued: bool) -> pa.Array:
    text = normalised(written)
    return pc.if_else(pc.match_substring_regex(text, "^[^/]*/$"), pa.scalar(None, pa.string()), text) if issued else text


def _hash(values: pa.Array, key: Key) -> pa.Array:
    fresh = hashlib.blake2b(key=key.secret, digest_size=ID_BYTES, person=b"qonys-person").copy
    digests = []
    for text in values.drop_null().cast(pa.string()).cast(pa.binary()).to_pylist():
        one = fresh()
        one.update(text)
        digests.append(one.digest())
    known = fixed_text(hex_letters(np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, ID_BYTES)))
    if not values.null_count:
        return known
    place = np.cumsum(pc.is_valid(values).to_numpy(zero_copy_only=False)) - 1
    return known.take(pa.array(place, mask=pc.is_null(values).to_numpy(zero_copy_only=False)))


def hex_letters(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows of bytes as rows of hexadecimal letters, two a byte, without a loop."""
    pairs = np.array([f"{byte:02x}".encode() for byte in range(256)], dtype="S2").view(np.uint16)
    return pairs[raw].view(np.uint8).reshape(len(raw), 2 * raw.shape[1])


def fixed_text(letters: NDArray[np.uint8]) -> pa.Array:
    """Rows of ASCII letters as text, built from its bytes. At most 2**31 letters in all."""
    offsets = np.arange(0, (len(letters) + 1) * letters.shape[1], letters.shape[1], dtype=np.int32)
    return pa.StringArray.from_buffers(len(letters), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters)))


def area_codes(words: pa.Array) -> pa.Array:
    """The code of each area (`words.area_code`)."""
    return pa.array([None if one is None else area_code(one) for one in words.to_pylist()], pa.string())


def by_value(column: Column, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """A function of texts applied to each different value once."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = whole if pa.types.is_dictionary(whole.type) else whole.cast(pa.string()).dictionary_encode()
    return change(encoded.dictionary).take(encoded.indices)
