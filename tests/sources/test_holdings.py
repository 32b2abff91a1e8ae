"""Publishers' data pulled over loopback, kept as vintages, compared, harmonised, and named by a study."""

from __future__ import annotations

import errno
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from server import Say, Server

from qonys import holdings, pipeline
from qonys.core.errors import DataError, SourceError
from qonys.sources.catalogue import publisher as shipped_publisher
from qonys.store import connect

SPECIMENS = Path(__file__).parents[1] / "specimens"
TARGET = "eurostat:migr_imm1ctz?geo=DE"


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A publisher's interface on loopback in the place of the real one, and a store of its own."""
    with Server() as one:
        monkeypatch.setattr(holdings, "publisher", lambda key: replace(shipped_publisher(key), address=one.url, per_minute=60_000))
        monkeypatch.setenv("QONYS_HOME", str(tmp_path / "store"))
        yield one


def tsv(rows: dict[str, list[str]]) -> bytes:
    """migr_imm1ctz as Eurostat's compressed TSV."""
    lines = ["freq,citizen,agedef,age,unit,sex,geo\\TIME_PERIOD\t2021 \t2022 "]
    lines += [f"A,TOTAL,COMPLET,TOTAL,NR,T,{geo}\t" + "\t".join(cells) for geo, cells in rows.items()]
    return gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)


FIRST = tsv({"DE": ["874361 ", "2071690 p"]})
SECOND = tsv({"DE": ["874361 ", "2071691 "]})


def pulled(server, body, **headers):
    request = holdings._module("eurostat").request(
        "migr_imm1ctz", holdings.complete(holdings.parse(TARGET)).codes, holdings.publisher("eurostat")
    )
    server.say(request.url.removeprefix(server.url), Say(body=body, headers={"Content-Type": "text/tab-separated-values", **headers}))
    return holdings.pull(TARGET, sleep=lambda _: None)


def test_the_same_bytes_again_are_a_look_and_changed_ones_the_next_vintage(server):
    first, again, second = pulled(server, FIRST), pulled(server, FIRST), pulled(server, SECOND)
    assert (first.new, again.new, second.new) == (True, False, True)
    assert (first.vintage.number, again.vintage.number, second.vintage.number) == (1, 1, 2)
    assert holdings.holdings()["vintages"].tolist() == [2]


def test_a_revision_is_told_by_cell_with_percent_and_flags(server):
    pulled(server, FIRST), pulled(server, SECOND)
    old, new = holdings.found(f"{TARGET}@1"), holdings.found(TARGET)
    row = holdings.revisions(old, new).iloc[0]
    assert (row["period"], row["old"], row["new"], row["old_flag"], row["what"]) == ("2022", 2071690, 2071691, "p", "revised")
    assert row["percent"] == pytest.approx(100 / 2071690)


def test_every_row_of_the_contract_carries_the_vintage(server):
    pulled(server, FIRST, **{"Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"})
    rows = holdings.harmonised(holdings.found(TARGET)).batches.read_all().to_pandas()
    assert set(rows["vintage"]) == {"2026-11-02"}
    assert rows.set_index("period_start")["persons"].to_dict() == {"2021-01-01": 874361, "2022-01-01": 2071690}
    assert set(rows["destination"]) == {"DEU"}


def test_a_study_may_name_a_target_and_its_run_carries_the_vintage(server, tmp_path):
    done = pulled(server, FIRST)
    study = tmp_path / "mine.toml"
    study.write_text(
        f'name = "mine"\nareas = ["DEU"]\nfirst = 2021\nlast = 2022\nquestions = ["immigration"]\n[tables]\nflow = ["pulled:{TARGET}"]\n'
    )
    con = connect()
    tables, files, _ = pipeline.load(con, pipeline.open_study(str(study)), lambda *_: None)
    assert [file.snapshot for file in files] == [done.vintage.name]
    assert con.to_pandas(tables["flow"])["persons"].sum() == 874361 + 2071690
    assert holdings.touched(TARGET, [tmp_path]) == [study]


def test_html_in_the_place_of_data_is_kept_aside_and_said(server, tmp_path):
    with pytest.raises(SourceError, match="quarantine"):
        pulled(server, b"<html><body>Maintenance</body></html>")
    assert any((tmp_path / "store" / "quarantine").iterdir())
    assert holdings.holdings().empty


def test_a_changed_shape_is_kept_aside_and_said(server, tmp_path):
    with pytest.raises(SourceError, match="not understood"):
        pulled(server, gzip.compress(b"freq,geo\t2021\nA,DE\t1\n", mtime=0))
    kept = list((tmp_path / "store" / "quarantine").glob("*.json"))
    assert json.loads(kept[0].read_text())["found"]


def test_offline_is_a_sentence_and_what_is_held_stays_readable(server, monkeypatch):
    pulled(server, FIRST)
    monkeypatch.setenv("QONYS_OFFLINE", "1")
    with pytest.raises(SourceError, match="QONYS_OFFLINE"):
        holdings.pull(TARGET)
    assert holdings.harmonised(holdings.found(TARGET)).batches.read_all().num_rows == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("eurostat:migr_emi1ctz", "never pulled"), (f"{TARGET}@9", "has no vintage 9"), (f"{TARGET}@1999-01-01", "the first is of")],
)
def test_what_is_not_held_is_said(server, text, sentence):
    pulled(server, FIRST)
    with pytest.raises(SourceError, match=sentence):
        holdings.found(text)


def test_two_targets_are_not_compared(server):
    pulled(server, FIRST)
    one = holdings.found(TARGET)
    with pytest.raises(DataError, match="two targets"):
        holdings.revisions(one, replace(one, target="eurostat:migr_emi1ctz"))


def test_a_reply_without_a_cell_is_no_vintage_and_the_sentence_says_the_mend(server):
    pulled(server, FIRST)
    with pytest.raises(SourceError, match="it holds no cell; check the codes of its filters; it is kept in"):
        pulled(server, tsv({}))
    assert holdings.found(TARGET).number == 1
    assert len(list((holdings.store_folder() / "quarantine").glob("*.gz"))) == 1


def test_two_pulls_of_one_target_at_once_do_not_take_each_other_their_files(server, tmp_path):
    from qonys.sources.part import alone

    into = tmp_path / "store" / "coming" / holdings.complete(holdings.parse(TARGET)).digest[:16]
    with alone(into), pytest.raises(SourceError, match="another program is pulling the same target"):
        pulled(server, FIRST)
    assert server.asked == []
    assert pulled(server, FIRST).new


def test_what_was_asked_for_and_never_kept_is_not_held(server):
    with pytest.raises(SourceError):
        pulled(server, tsv({}))
    assert holdings.holdings().empty
    with pytest.raises(SourceError, match=r"never pulled; pull it: qonys sources pull '[^']*'$"):
        holdings.found(TARGET)


def test_a_full_disk_is_a_sentence_with_the_store_in_it(server, monkeypatch, tmp_path):
    from qonys.store import cells

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cells, "write_batches", full)
    with pytest.raises(DataError, match=r"store.* cannot be written to: No space left on device; make room"):
        pulled(server, FIRST)
    monkeypatch.undo()
    assert not list((tmp_path / "store" / "vintages").rglob("manifest.json"))
