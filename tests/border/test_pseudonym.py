"""Hashed ids: the same person the same id, another key another person, nothing without the key; and the key is kept apart."""

from __future__ import annotations

import hashlib
import secrets

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.border.keys import VARIABLE, Key, check_same_key, load_key, make_key
from qonys.border.pseudonym import documents, hashed, person_ids
from qonys.core.errors import DataError

KEY, OTHER = Key(b"5f0e6d1c9b7a48e2a3d4c5b6f7081920"), Key(b"0b1c2d3e4f5061728394a5b6c7d8e9fa")
NUMBERS = st.lists(st.one_of(st.none(), st.text(max_size=8)), max_size=20)


def ids(*numbers: str | None, key: Key = KEY, **more: object) -> list[str | None]:
    return person_ids(pa.array(numbers, pa.string()), key, **more).to_pylist()


# The hash


@given(numbers=NUMBERS)
def test_a_hash_is_that_of_blake2b_keyed_text_by_text_and_nothing_stays_nothing(numbers):
    expected = [
        None if one is None else hashlib.blake2b(one.encode(), key=KEY.secret, digest_size=16, person=b"qonys-person").hexdigest()
        for one in numbers
    ]
    assert hashed(pa.array(numbers, pa.string()), KEY).to_pylist() == expected
    assert hashed(pa.chunked_array([numbers, numbers], pa.string()), KEY).to_pylist() == expected * 2


def test_the_same_document_has_the_same_id_every_time_and_another_one_under_another_key():
    assert ids("N1234567", "N1234567") == ids("N1234567") * 2
    assert ids("N1234567") != ids("N1234568")
    assert ids("N1234567") != ids("N1234567", key=OTHER)
    assert ids(None, "", " - ") == [None, None, None]


def test_a_document_is_one_however_it_is_spelled_but_letters_that_only_look_alike_are_others():
    assert len(set(ids("N1234567", "n 1234-567", "Ｎ１２３４５６７", "N\u00a01234\u2013567"))) == 1
    assert len(set(ids("A1", "А1"))) == 2


def test_an_issuer_makes_two_documents_of_one_number_and_is_one_in_two_or_three_letters():
    numbers, issuers = pa.array(["12", "12", "12", "12", None, " "]), pa.array(["KAZ", "kz", "UZB", None, "KAZ", "KAZ"])
    assert documents(numbers, issuers).to_pylist() == ["KAZ/12", "KAZ/12", "UZB/12", "/12", None, None]
    assert documents(pa.array(["7", "8"]), pa.array(["D", "DEU"])).to_pylist() == ["DEU/7", "DEU/8"]


def test_numbers_may_come_as_codes_or_whole_numbers():
    assert person_ids(pa.array(["12", "12"]).dictionary_encode(), KEY).to_pylist() == ids("12", "12")
    assert person_ids(pa.array([12, None]), KEY).to_pylist() == ids("12", None)


# The key


def test_a_made_key_is_read_again_by_its_owner_alone_and_is_never_written_over(tmp_path):
    file = tmp_path / "keys" / "border.key"
    made = make_key(file)
    assert load_key(file) == made
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(DataError, match=r"there is a file .* already"):
        make_key(file)
    assert load_key(file) == made


def test_a_key_is_never_shown_and_its_id_gives_nothing_of_it_away():
    assert "5f0e" not in repr(KEY) + str(KEY) + f"{KEY!s}"
    assert KEY.key_id == Key(KEY.secret).key_id != OTHER.key_id
    assert len(KEY.key_id) == 16
    assert KEY.key_id not in (hashed(pa.array(["id of a key"]), KEY)[0].as_py(), KEY.secret.decode())


def test_a_key_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY.secret.decode() + "\n")
    assert load_key() == KEY
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(DataError, match="no key was given"):
        load_key()


@pytest.mark.parametrize(
    ("weak", "why"),
    [("short", "has 5 letters"), ("a" * 40, "weak"), ("abcd1234" * 5, "weak"), ("0123456789abcdef" * 2, "weak"), ("", "has 0 letters"),
     ("abcdefghijklmnopqrstuvwxyz0123456789", "weak")],
)  # fmt: skip
def test_a_weak_key_is_refused_and_not_quoted(monkeypatch, weak, why):
    monkeypatch.setenv(VARIABLE, weak)
    with pytest.raises(DataError, match=why) as refused:
        load_key()
    assert not weak or weak not in str(refused.value)


def test_random_keys_are_strong(monkeypatch):
    seen = set()
    for _ in range(500):
        monkeypatch.setenv(VARIABLE, secrets.token_hex(16))
        seen.add(load_key().key_id)
    assert len(seen) == 500


def test_a_key_that_others_may_read_or_that_lies_with_the_data_is_refused(tmp_path):
    file = tmp_path / "data" / "k"
    make_key(file)
    for mode in (0o640, 0o604, 0o620):
        file.chmod(mode)
        with pytest.raises(DataError, match="is open to others"):
            load_key(file)
    file.chmod(0o400)
    for data in (tmp_path / "data" / "crossings.csv", tmp_path / "data", tmp_path / "elsewhere" / ".." / "data" / "x.parquet"):
        with pytest.raises(DataError, match="lies in the folder of"):
            load_key(file, beside=[data])
    load_key(file, beside=[tmp_path / "elsewhere" / "x.parquet"])


def test_a_key_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no key file"):
        load_key(tmp_path / "none")
    (tmp_path / "k").write_bytes(b"\xff" * 64)
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(DataError, match="is not text"):
        load_key(tmp_path / "k")


def test_files_hashed_with_two_keys_are_not_of_the_same_people():
    assert check_same_key({}) is None
    assert check_same_key({"a": None, "b": None}) is None
    assert check_same_key({"a": "1f", "b": "1f"}) == "1f"
    for other in ("2e", None):
        with pytest.raises(DataError, match="a was hashed with key 1f and b with"):
            check_same_key({"a": "1f", "b": other})
