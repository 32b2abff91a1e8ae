"""The whole chain of every publisher of the catalogue over loopback: pulled, kept, shown as published, and made a contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from server import Say, Server

from qonys import holdings
from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DataError, SourceError
from qonys.sources.catalogue import publisher as shipped_publisher
from qonys.sources.catalogue import publishers
from qonys.sources.harmonise.facts import facts
from qonys.store import connect, take_in
from qonys.store.vintages import restore

SPECIMENS = Path(__file__).parents[1] / "specimens"
CSV, JSON, XLSX = "text/csv", "application/json", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, kw_only=True)
class Chain:
    """cells: of the specimen, written down by hand: dimensions and period -> value, flag. rows: of the contract, of these columns.

    rows is None where no plan makes a contract of the table. keep: what `--keep` says. today: the vintage is the day of the look.
    """

    target: str
    specimens: tuple[str, ...]
    media: str
    cells: dict[tuple[str, ...], tuple[float | None, str | None]]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] | None = None
    vintage: str | None = None
    keep: dict[str, tuple[str, ...]] | None = None


FLOW = ("origin", "destination", "period_start", "period_end", "persons", "basis", "counted", "status", "citizenship", "sex", "age", "flag")
YEARS = {year: (f"{year}-01-01", f"{year}-12-31") for year in (2019, 2020, 2021, 2022)}
IMMIGRATION = ("previous_residence", "movers")
CHAINS = [
    Chain(
        target="eurostat:migr_imm1ctz",
        specimens=("eurostat/migr_imm1ctz.tsv",),
        media="text/tab-separated-values",
        cells={
            ("A", "TOTAL", "COMPLET", "TOTAL", "NR", "T", "DE", "2019"): (886341, None),
            ("A", "TOTAL", "COMPLET", "TOTAL", "NR", "T", "EL", "2021"): (57120, "ep"),
            ("A", "UA", "COMPLET", "TOTAL", "NR", "F", "PL", "2021"): (None, "c"),
            ("A", "UNK", "COMPLET", "Y_LT5", "NR", "T", "UK", "2021"): (12, "bep"),
        },
        columns=FLOW,
        rows=(
            ("WORLD", "DEU", *YEARS[2019], 886341, *IMMIGRATION, "as_published", None, None, None, None),
            ("WORLD", "DEU", *YEARS[2020], 728606, *IMMIGRATION, "as_published", None, None, None, None),
            ("WORLD", "DEU", *YEARS[2021], 874361, *IMMIGRATION, "as_published", None, None, None, None),
            ("WORLD", "GRC", *YEARS[2019], 129459, *IMMIGRATION, "as_published", None, None, None, "b"),
            ("WORLD", "GRC", *YEARS[2020], 84221, *IMMIGRATION, "as_published", None, None, None, None),
            ("WORLD", "GRC", *YEARS[2021], 57120, *IMMIGRATION, "provisional", None, None, None, "p"),
            ("WORLD", "POL", *YEARS[2020], 0, *IMMIGRATION, "as_published", "UKR", "female", None, "n"),
            ("WORLD", "GBR", *YEARS[2021], 12, *IMMIGRATION, "provisional", "UNKNOWN", None, "0-4", "b"),
        ),
    ),
    Chain(
        target="undesa:migrant_stock_2020",
        specimens=("undesa/migrant_stock_2020.xlsx",),
        media=XLSX,
        cells={("900", "900", "female", "2020"): (530, None), ("398", "643", "both sexes", "2020"): (None, "..")},
        columns=("residence", "characteristic", "ref_date", "persons", "basis", "sex"),
        rows=(
            ("KAZ", "UNKNOWN", "2015-07-01", 7, "birth_country", None),
            ("KAZ", "UNKNOWN", "2020-07-01", 8, "birth_country", None),
            ("KAZ", "UNKNOWN", "2015-07-01", 4, "birth_country", "female"),
            ("KAZ", "UNKNOWN", "2015-07-01", 3, "birth_country", "male"),
            ("KAZ", "UNKNOWN", "2020-07-01", 4, "birth_country", "male"),
            ("KAZ", "RUS", "2015-07-01", 250, "birth_country", None),
            ("KAZ", "RUS", "2015-07-01", 130, "birth_country", "female"),
            ("KAZ", "RUS", "2015-07-01", 120, "birth_country", "male"),
        ),
        vintage="2020-12",
    ),
    Chain(
        target="unhcr:population?coo=AFG,UKR",
        specimens=("unhcr/population_1.json", "unhcr/population_2.json"),
        media=JSON,
        cells={
            ("UKR", "UKR", "POL", "POL", "refugees", "2022"): (956633, None),
            ("AFG", "AFG", "KAZ", "KAZ", "oip", "2022"): (None, "-"),
        },
        columns=("residence", "characteristic", "category", "ref_date", "persons", "basis"),
        rows=(
            ("KAZ", "AFG", "asylum_seekers", "2022-12-31", 401, "citizenship"),
            ("KAZ", "AFG", "refugees", "2022-12-31", 5, "citizenship"),
            ("POL", "UKR", "asylum_seekers", "2022-12-31", 3310, "citizenship"),
            ("POL", "UKR", "refugees", "2022-12-31", 956633, "citizenship"),
        ),
        keep={"figure": ("refugees", "asylum_seekers")},
    ),
    Chain(
        target="worldbank:SM.POP.NETM?country=KAZ",
        specimens=("worldbank/SM.POP.NETM_1.json", "worldbank/SM.POP.NETM_2.json"),
        media=JSON,
        cells={("KAZ", "SM.POP.NETM", "2023"): (-18128, None), ("XC", "SM.POP.NETM", "2023"): (1.5, "E")},
        columns=("area", "period", "value", "flag", "status"),
        rows=(("KAZ", "2023", -18128, None, "as_published"),),
        vintage="2026-07-01",
    ),
    Chain(
        target="ilostat:DF_MFL_NCIT_SEX_CCT_NB",
        specimens=("ilostat/df_mfl_ncit.csv",),
        media=CSV,
        cells={
            ("KAZ", "A", "MFL_NCIT_NB", "SEX_T", "CCT_X01", "2020"): (12.345, None),
            ("KAZ", "A", "MFL_NCIT_NB", "SEX_M", "CCT_X01", "2020"): (None, "O"),
        },
        columns=("origin", "destination", "period_start", "persons", "basis", "counted", "sex", "flag"),
        rows=(
            ("WORLD", "KAZ", "2020-01-01", 12345, "citizenship", "movers", None, None),
            ("WORLD", "KAZ", "2020-01-01", 5100, "citizenship", "movers", "female", "u"),
        ),
    ),
    Chain(
        target="oecd:OECD.ELS.IMD,DSD_MIG@DF_MIG,1.0?ref_area=DEU,KOR",
        specimens=("oecd/df_mig.csv",),
        media="application/vnd.sdmx.data+csv",
        cells={
            ("DEU", "UKR", "A", "B11", "_T", "_Z", "_T", "PS", "2021"): (31.5, "A"),
            ("DEU", "UKR", "A", "B11", "_T", "_Z", "_T", "PS", "2022"): (None, "L"),
        },
        columns=("origin", "destination", "period_start", "persons", "basis", "counted", "sex", "flag", "status"),
        rows=(
            ("UKR", "DEU", "2021-01-01", 31500, "citizenship", "movers", None, None, "as_published"),
            ("KAZ", "KOR", "2022-01-01", 2, "citizenship", "movers", "female", "e", "estimate"),
        ),
    ),
    # a list of measures and not of figures: `qonys measures import oxcgrt` reads the bytes as received
    Chain(
        target="oxcgrt:compact_national",
        specimens=("oxcgrt/OxCGRT_compact_national_v1.csv",),
        media="text/plain",
        cells={("DEU", None, "NAT_TOTAL", "C2M_Flag", "2021-12-03"): (0, None), ("DEU", None, "NAT_TOTAL", "C2M_Workplace closing", "2021-12-01"): (2, None)},
    ),
    Chain(
        target="bns:6584",
        specimens=("bns/migration_ru.xlsx",),
        media=XLSX,
        cells={
            ("Абай", "Городское население", "Выбыло", "2022"): (19100.5, None),
            ("Алматы қ.", "Городское население", "Прибыло", "2023"): (None, "..."),
        },
        columns=("area", "period", "value", "note"),
        rows=(("KAZ", "2022", 1017425, None), ("KAZ", "2023", 1100000, None)),
        keep={"heading": ("Прибыло",)},
    ),
    # the same: `qonys measures import passport`
    Chain(
        target="passport:matrix",
        specimens=("passport/matrix.csv",),
        media="text/plain",
        cells={("DEU", "KAZ", None): (30, None), ("KAZ", "PRK", None): (None, None)},
    ),
    # of any address nothing says what its columns mean: a mapping does, see tests/cli/test_sources.py
    Chain(
        target="sdmx:ADDRESS/rest/data/ESTAT,MIGR@IMM8,1.0/A..DE+MT?format=sdmx",
        specimens=("sdmx/structure_specific.xml",),
        media="application/xml",
        cells={("A", "DE", "2020"): (728606.5, "p"), ("A", "MT", "2020"): (None, "c")},
    ),
]  # fmt: skip


@pytest.fixture
def server(monkeypatch, tmp_path):
    with Server() as one:
        monkeypatch.setattr(holdings, "publisher", lambda key: _on_loopback(key, one.url))
        monkeypatch.setenv("QONYS_HOME", str(tmp_path / "store"))
        yield one


def _on_loopback(key: str, url: str):
    facts_ = shipped_publisher(key)
    return replace(facts_, address=url if facts_.address else "", per_minute=60_000)


def served(server, target: str, media: str, *bodies: bytes) -> str:
    """The target answered with these bodies, one after another."""
    named = holdings.complete(holdings.parse(target.replace("ADDRESS", server.url)))
    request = holdings._module(named.publisher).request(named.dataset, named.codes, holdings.publisher(named.publisher))
    server.say(request.url.removeprefix(server.url), *(Say(body=body, headers={"Content-Type": media}) for body in bodies))
    return named.text


def ordered(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return frame.sort_values(keys, kind="stable").reset_index(drop=True)


def test_every_publisher_has_a_chain():
    assert {chain.target.partition(":")[0] for chain in CHAINS} == set(publishers())


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.target.partition(":")[0])
def test_what_a_publisher_sends_is_kept_and_shown_as_it_was_sent(server, tmp_path, chain):
    bodies = [(SPECIMENS / name).read_bytes() for name in chain.specimens]
    target = served(server, chain.target, chain.media, *bodies)
    pulled = holdings.pull(target)
    assert (pulled.new, pulled.vintage.number, pulled.target) == (True, 1, target)
    assert restore(target, None, tmp_path / "sent").read_bytes() == b"\n".join(bodies)

    con, vintage = connect(), holdings.found(target)
    shown = con.to_pandas(holdings.staged(con, vintage))
    named = holdings.parse(target)
    (tmp_path / f"sent{vintage.suffix}").write_bytes(b"\n".join(bodies))
    staged = holdings._module(named.publisher).stage(tmp_path / f"sent{vintage.suffix}", named.dataset, holdings.publisher(named.publisher))
    plain, keys = staged.frame(), list(vintage.keys)
    pd.testing.assert_frame_equal(ordered(shown[plain.columns], keys), ordered(plain, keys), check_dtype=False)
    assert vintage.faults == staged.faults.count
    assert vintage.publisher_vintage == chain.vintage

    for key, (value, flag) in chain.cells.items():
        row = shown[
            [all(_same(cell, code) for cell, code in zip(cells, key, strict=True)) for cells in shown[keys].itertuples(index=False)]
        ]
        assert len(row) == 1, key
        found = row.iloc[0]
        assert (None if pd.isna(found["value"]) else found["value"], None if pd.isna(found["flag"]) else found["flag"]) == (value, flag)


def _same(cell: object, code: str | None) -> bool:
    return cell == code or (code is None and pd.isna(cell))


@pytest.mark.parametrize("chain", [one for one in CHAINS if one.rows is not None], ids=lambda chain: chain.target.partition(":")[0])
def test_every_row_of_the_contract_has_the_flag_the_vintage_and_the_basis_of_its_cell(server, chain):
    target = served(server, chain.target, chain.media, *((SPECIMENS / name).read_bytes() for name in chain.specimens))
    vintage = holdings.pull(target).vintage
    named = holdings.parse(target)
    made = holdings.harmonised(vintage, keep=chain.keep)
    frame = made.batches.read_all().to_pandas()
    rows = [tuple(None if pd.isna(cell) else cell for cell in row) for row in frame[list(chain.columns)].itertuples(index=False)]
    assert sorted(rows, key=str) == sorted(chain.rows, key=str)
    assert set(frame["source"]) == {f"{named.publisher}:{named.dataset}"}
    assert set(frame["vintage"]) == {chain.vintage or vintage.looked_at.date().isoformat()}
    assert made.contract == shipped_publisher(named.publisher).table(named.dataset).contract
    assert made.counts.read == vintage.rows == made.counts.rows + made.faults.count + made.ignored.count


ONE_A_CONTRACT = [one for one in CHAINS if one.target.partition(":")[0] in ("eurostat", "undesa", "worldbank")]


@pytest.mark.parametrize("chain", ONE_A_CONTRACT, ids=lambda chain: chain.target.partition(":")[0])
def test_the_rows_that_a_study_takes_in_are_those_of_the_contract(server, con, chain):
    target = served(server, chain.target, chain.media, *((SPECIMENS / name).read_bytes() for name in chain.specimens))
    holdings.pull(target)
    contract = CONTRACTS[holdings.harmonised(holdings.found(target)).contract]
    path, name = holdings.contract_file(target, contract.name)
    assert name == holdings.found(target).name
    before = path.stat().st_mtime_ns
    assert holdings.contract_file(target, contract.name)[0].stat().st_mtime_ns == before
    taken = take_in(con, path, contract, quarantine=False)
    assert (taken.bad_rows, taken.faults) == (0, ())
    assert taken.rows > 0


@pytest.mark.parametrize("chain", [one for one in CHAINS if one.rows is None], ids=lambda chain: chain.target.partition(":")[0])
def test_a_table_without_a_plan_is_kept_and_says_so(server, chain):
    target = served(server, chain.target, chain.media, *((SPECIMENS / name).read_bytes() for name in chain.specimens))
    vintage = holdings.pull(target).vintage
    assert chain.target.partition(":")[0] not in facts()
    with pytest.raises(SourceError, match=r"nothing says how .* becomes a contract.*qonys sources map"):
        holdings.harmonised(vintage)


def test_two_columns_that_a_panel_cannot_tell_apart_are_refused_with_what_to_keep(server):
    target = served(server, "bns:6584", XLSX, (SPECIMENS / "bns" / "migration_ru.xlsx").read_bytes())
    vintage = holdings.pull(target).vintage
    with pytest.raises(DataError, match=r"heading 'Выбыло' and with heading 'Прибыло'.*counted twice"):
        holdings.harmonised(vintage).batches.read_all()


def asylum(rows: list[tuple[str, str, int]], *, kind: str) -> bytes:
    """A page of asylum applications or decisions as UNHCR sends it: `-` where all origins are counted together."""
    figures = "applied" if kind == "applications" else "dec_total"
    items = ",".join(
        f'{{"year":2022,"coo_name":"-","coo":"{coo}","coo_iso":"{coo}","coa_name":"x","coa":"{coa}","coa_iso":"{coa}",'
        f'"procedure_type":"G","{"app_type" if kind == "applications" else "dec_level"}":"N",'
        f'"{"app" if kind == "applications" else "dec"}_pc":"P","{figures}":"{number}"}}'
        for coo, coa, number in rows
    )
    return f'{{"page":1,"short-url":"","maxPages":1,"total":[],"items":[{items}]}}'.encode()


@pytest.mark.parametrize("kind", ["applications", "decisions"])
def test_asylum_statistics_of_unhcr_are_asked_for_of_all_origins_together_as_their_plan_reads_them(server, kind):
    target = served(server, f"unhcr:asylum-{kind}", JSON, asylum([("-", "KAZ", 370), ("-", "DEU", 217774)], kind=kind))
    assert target == f"unhcr:asylum-{kind}?coo=TOTAL"
    vintage = holdings.pull(target).vintage
    assert "coo" not in server.asked[0].path
    assert "coa_all=true" in server.asked[0].path
    rows = holdings.harmonised(vintage).batches.read_all().to_pandas()
    assert sorted(rows[["area", "period", "value"]].values.tolist()) == [["DEU", "2022", 217774.0], ["KAZ", "2022", 370.0]]


@pytest.mark.parametrize("kind", ["applications", "decisions"])
def test_asylum_statistics_of_each_origin_are_kept_and_their_sum_is_not_made_up(server, kind):
    body = asylum([("AFG", "KAZ", 300), ("UKR", "KAZ", 70)], kind=kind)
    target = served(server, f"unhcr:asylum-{kind}?coo=*", JSON, body)
    made = holdings.harmonised(holdings.pull(target).vintage)
    assert "coo_all=true" in server.asked[0].path
    assert made.batches.read_all().num_rows == 0
    assert made.counts.ignored["coo_iso is not '-'"] == 2


def test_all_origins_together_and_one_by_one_are_not_asked_for_at_once(server):
    with pytest.raises(SourceError, match="together and one by one"):
        holdings.pull("unhcr:population?coo=TOTAL,UKR")


@pytest.mark.parametrize(
    ("target", "first", "second", "said"),
    [
        ("unhcr:population", "unhcr/population_1.json", b'{"page": 2, "rows": []}', "no pages of UNHCR"),
        ("unhcr:population", "unhcr/population_1.json", b'{"page": 2, "items": [', "is cut off"),
        ("worldbank:SM.POP.NETM", "worldbank/SM.POP.NETM_1.json", b'{"rows": []}', "no page of the World Bank"),
        ("worldbank:SM.POP.NETM", "worldbank/error.json", b"", "Invalid value: The provided parameter"),
        ("worldbank:SM.POP.NETM", "worldbank/SM.POP.NETM_1.json", b"<html>Maintenance</html>", "quarantine"),
    ],
)  # fmt: skip
def test_a_page_of_a_wrong_shape_is_kept_aside_and_nothing_is_left_behind(server, tmp_path, target, first, second, said):
    served(server, target, JSON, (SPECIMENS / first).read_bytes(), second)
    with pytest.raises(SourceError, match=said) as refused:
        holdings.pull(target, sleep=lambda _: None)
    assert "quarantine" in str(refused.value)
    kept = [one for one in (tmp_path / "store" / "quarantine").iterdir() if one.suffix == ".json" and not one.name.endswith(".json.json")]
    assert [one.read_bytes() for one in kept] == [second or (SPECIMENS / first).read_bytes()]
    assert [one for one in (tmp_path / "store" / "coming").rglob("*") if one.is_file()] == []
    assert holdings.holdings().empty


def test_a_vintage_is_found_by_the_name_that_a_figure_carries_whatever_its_filters(server):
    specimen = (SPECIMENS / "oecd" / "df_mig.csv").read_bytes()
    target = served(server, "oecd:OECD.ELS.IMD,DSD_MIG@DF_MIG,1.0?ref_area=DEU", CSV, specimen, specimen.replace(b"31.5", b"31.6"))
    first, second = holdings.pull(target).vintage, holdings.pull(target).vintage
    for text, number in (
        (first.name, 1), (second.name, 2), (target, 2), (f"{target}@1", 1), (f"{target}@2", 2), (f"{target}@{first.looked_at.date()}", 2),
    ):  # fmt: skip
        assert holdings.found(text).number == number, text
    with pytest.raises(SourceError, match="no vintage held is called"):
        holdings.found(f"{first.name[:-4]}0000")
    with pytest.raises(SourceError, match="is no day"):
        holdings.found(f"{target}@2026-13-45")


def test_what_the_publisher_said_of_its_file_is_asked_against_and_noted_with_each_look(server):
    served(server, "passport:matrix", "text/plain", b"")
    moment, body = "Mon, 02 Nov 2026 10:00:00 GMT", (SPECIMENS / "passport" / "matrix.csv").read_bytes()
    headers = {"Content-Type": "text/csv", "ETag": '"one"', "Last-Modified": moment}
    server.say("/passport-index-matrix-iso3.csv", Say(body=body, headers=headers), Say(status=304))
    first, again = holdings.pull("passport:matrix"), holdings.pull("passport:matrix")
    assert (first.new, again.new, again.vintage.number) == (True, False, 1)
    assert {name: server.asked[1].headers[name] for name in ("if-none-match", "if-modified-since")} == {
        "if-none-match": '"one"', "if-modified-since": moment,
    }  # fmt: skip
    looks = holdings.store_vintages.looks("passport:matrix")
    assert looks[["new", "etag", "last_modified"]].values.tolist() == [[True, '"one"', moment], [False, '"one"', moment]]


def test_a_table_of_gaps_alone_is_a_contract_without_rows(server):
    body = b"freq,citizen,agedef,age,unit,sex,geo\\TIME_PERIOD\t2021 \nA,TOTAL,COMPLET,TOTAL,NR,T,DE\t: \n"
    target = served(server, "eurostat:migr_imm1ctz?geo=DE", "text/tab-separated-values", body)
    holdings.pull(target)
    path, _ = holdings.contract_file(target, "flow")
    found = pd.read_parquet(path)
    assert found.empty
    assert {"origin", "persons", "vintage"} <= set(found.columns)


def test_what_a_reply_says_of_its_day_counts_more_than_the_header(server):
    headers = {"Content-Type": JSON, "Last-Modified": "Mon, 30 Nov 2026 10:00:00 GMT"}
    bodies = [(SPECIMENS / "worldbank" / f"SM.POP.NETM_{page}.json").read_bytes() for page in (1, 2)]
    server.say("/country/all/indicator/SM.POP.NETM", *(Say(body=body, headers=headers) for body in bodies))
    assert holdings.pull("worldbank:SM.POP.NETM").vintage.publisher_vintage == "2026-07-01"
    server.say(
        "/passport-index-matrix-iso3.csv",
        Say(body=(SPECIMENS / "passport" / "matrix.csv").read_bytes(), headers={**headers, "Content-Type": CSV}),
    )
    assert holdings.pull("passport:matrix").vintage.publisher_vintage == "2026-11-30"
