"""qonys sources list, pull, diff, status, show, mirror, map, as their user meets them, in three languages, over loopback."""

from __future__ import annotations

import gzip
import io
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qonys import holdings
from qonys.cli import main
from qonys.i18n import words
from qonys.sources.catalogue import publisher as shipped_publisher
from qonys.sources.catalogue import publishers
from qonys.store.vintages import folder_of
from sources.server import Say, Server

SPECIMENS = Path(__file__).parents[1] / "specimens"
LANGUAGES = ("en", "ru", "kk")
ONE_FAST = ("kk", *(pytest.param(lang, marks=pytest.mark.slow) for lang in ("en", "ru")))  # of what takes a second a language
TSV = "text/tab-separated-values"
TARGET = "eurostat:migr_imm1ctz?geo=DE"
WHOLE = "eurostat:migr_imm1ctz?age=TOTAL&agedef=COMPLET&geo=DE&sex=T"
HEAD = "freq,citizen,agedef,age,unit,sex,geo\\TIME_PERIOD\t2020 \t2021 \t2022 \n"
FIRST = HEAD + "A,TOTAL,COMPLET,TOTAL,NR,T,DE\t: \t874361 \t2071690 p\nA,UA,COMPLET,TOTAL,NR,T,DE\t5000 \t6000 \t7000 \n"
SECOND = HEAD + "A,TOTAL,COMPLET,TOTAL,NR,T,DE\t: \t874361 b\t2071691 \nA,SY,COMPLET,TOTAL,NR,T,DE\t1 \t6000 \t7000 \n"


@pytest.fixture
def server(monkeypatch, tmp_path):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "QONYS_OFFLINE", "QONYS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with Server() as one:
        monkeypatch.setattr(holdings, "publisher", lambda key: on_loopback(key, one.url))
        monkeypatch.setenv("QONYS_HOME", str(tmp_path / "store"))
        yield one


def on_loopback(key: str, url: str):
    facts = shipped_publisher(key)
    return replace(facts, address=facts.address and url, per_minute=60_000)


@pytest.fixture(scope="module")
def pulled_twice(tmp_path_factory):
    """A store with two vintages of the target, made once."""
    store = tmp_path_factory.mktemp("twice")
    with Server() as one, pytest.MonkeyPatch.context() as patch:
        patch.setattr(holdings, "publisher", lambda key: on_loopback(key, one.url))
        served(one, FIRST, SECOND)
        holdings.pull(TARGET, store=store)
        holdings.pull(TARGET, store=store)
    return store


@pytest.fixture
def twice(server, pulled_twice, tmp_path):
    """The store has two vintages of the target."""
    shutil.copytree(pulled_twice, tmp_path / "store")
    return server


@pytest.fixture
def qonys(monkeypatch, capsys, tmp_path):
    """The command line in this process, in a folder of its own."""
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")

    def run(*said):
        monkeypatch.setattr("sys.argv", ["qonys", "sources", *map(str, said)])
        with pytest.raises(SystemExit) as done:
            main()
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        assert "fault of the program" not in out.err
        return SimpleNamespace(code=done.value.code or 0, out=out.out, err=out.err)

    return run


def served(server, *bodies: str | bytes, target: str = TARGET, media: str = TSV) -> str:
    named = holdings.complete(holdings.parse(target))
    request = holdings._module(named.publisher).request(named.dataset, named.codes, holdings.publisher(named.publisher))
    sent = [gzip.compress(body.encode(), mtime=0) if isinstance(body, str) else body for body in bodies]
    server.say(request.url.removeprefix(server.url), *(Say(body=body, headers={"Content-Type": media}) for body in sent))
    return target


def rows(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_publishers_and_their_tables_are_listed_in_the_language_asked_for(qonys, lang):
    every = rows(qonys("list", "--lang", lang).out)
    assert dict(zip(every["publisher"], every["name"], strict=True)) == {key: one.name[lang] for key, one in publishers().items()}
    done = qonys("list", "eurostat", "--lang", lang)
    facts = shipped_publisher("eurostat")
    assert rows(done.out)["name"].tolist() == [table.title[lang] for table in facts.tables.values()]
    assert rows(done.out)["target"].tolist() == [f"eurostat:{one}" for one in facts.tables]
    assert done.err.strip() == words(lang).plain("sources.cite", cite=facts.cite, licence=facts.licence)


def test_a_publisher_without_tables_is_a_list_without_rows(qonys):
    assert qonys("list", "sdmx").out == "target,name,contract,frequency,filters\n"


@pytest.mark.parametrize("lang", ONE_FAST)
def test_a_pull_says_what_is_new_what_is_the_same_and_what_changed_and_prints_the_names_of_vintages_alone(server, qonys, lang):
    served(server, FIRST, FIRST, SECOND)
    say = words(lang)
    names = []
    for key, number in (("sources.pulled_new", 1), ("sources.pulled_same", 1), ("sources.pulled_new", 2)):
        done = qonys("pull", TARGET, "--lang", lang)
        vintage = holdings.found(TARGET)
        assert (done.code, done.out) == (0, f"{vintage.name}\n")
        told = {
            "target": WHOLE,
            "number": say.number(number),
            "rows": say.number(6),
            "size": say.number(vintage.size),
            "name": vintage.name,
        }
        assert say.plain(key, **told) in done.err
        names.append(done.out)
    assert names[0] == names[1] != names[2]
    kinds = {"added": 3, "revised": 1, "flag_only": 1, "vanished": 3}
    changes = "; ".join(f"{say.label('revision', kind)}: {number}" for kind, number in kinds.items())
    assert done.err.splitlines()[1] == say.plain("sources.changed", changes=changes)


def test_of_several_targets_each_is_asked_for_and_one_that_fails_makes_the_exit_1(server, qonys):
    other = served(server, (SPECIMENS / "passport" / "matrix.csv").read_bytes(), target="passport:matrix", media="text/csv")
    served(server, FIRST)
    done = qonys("pull", TARGET, "eurostat:migr_emi1ctz?geo=DE", other)
    assert done.code == 1
    assert done.out.split() == [holdings.found(TARGET).name, holdings.found(other).name]
    assert "qonys: 127.0.0.1" in done.err
    assert "(404)" in done.err


def test_a_diff_names_each_cell_that_changed_and_the_studies_that_it_touches(twice, qonys, tmp_path):
    study = tmp_path / "studies" / "mine.toml"
    study.parent.mkdir()
    study.write_text(f'name = "mine"\n[tables]\nflow = ["pulled:{TARGET}@1"]\n')
    (study.parent / "other.toml").write_text('name = "other"\n[tables]\nflow = ["pulled:eurostat:migr_emi1ctz"]\n')
    two = qonys("diff", f"{TARGET}@1", f"{TARGET}@2", "--studies", study)
    for lang in LANGUAGES:
        done = qonys("diff", TARGET, "--studies", study.parent, "--lang", lang)
        assert (done.code, done.out) == (0, two.out)
        say, names = words(lang), (holdings.found(f"{TARGET}@1").name, holdings.found(TARGET).name)
        assert re.search(re.escape(say.plain("sources.diff", old=names[0], new=names[1], changes="|")).replace(r"\|", ".*"), done.err)
        assert say.plain("sources.touched", study=study) in done.err
        assert "other.toml" not in done.err
    assert str(study) in two.err
    found = rows(two.out).set_index(["citizen", "period"])
    assert found.loc[("TOTAL", "2022"), ["old", "new", "change", "old_flag", "new_flag", "what"]].tolist() == [
        "2071690.0", "2071691.0", "1.0", "p", "", "revised",
    ]  # fmt: skip
    assert float(found.loc[("TOTAL", "2022"), "percent"]) == pytest.approx(100 / 2071690)
    assert found["what"].value_counts().to_dict() == {"added": 3, "vanished": 3, "revised": 1, "flag_only": 1}


def test_a_diff_of_one_vintage_of_the_wrong_order_or_without_its_folder_of_studies_is_a_sentence(twice, qonys, tmp_path):
    assert "vintage 2 is not before vintage 1; name the older one first" in qonys("diff", f"{TARGET}@2", f"{TARGET}@1").err
    done = qonys("diff", TARGET, "--studies", tmp_path / "none")
    assert (done.code, "there is no folder" in done.err) == (1, True)
    shutil.rmtree(folder_of(WHOLE, None) / "0002")
    assert "has one vintage, nothing to compare" in qonys("diff", TARGET).err


def test_the_status_names_what_is_held_and_a_damaged_store_makes_the_exit_1(twice, qonys, tmp_path):
    empty = qonys("status", "--store", tmp_path / "none")
    assert (empty.code, len(rows(empty.out))) == (0, 0)
    for lang in LANGUAGES:
        found = rows(qonys("status", "--lang", lang).out)
        assert found[["target", "vintages", "rows", "fault"]].values.tolist() == [[WHOLE, "2", "6", ""]]
    name = holdings.found(TARGET).name
    manifest = folder_of(WHOLE, None) / "0001" / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace('"rows": 6', '"rows": 5'))
    done = qonys("status")
    assert (done.code, "was changed after it was written" in rows(done.out).iloc[0]["fault"]) == (1, True)
    served(twice, FIRST)
    for verb in (("show", TARGET), ("diff", TARGET), ("pull", TARGET), ("show", name)):
        refused = qonys(*verb)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("qonys: ")


def test_cells_whose_file_was_changed_are_not_shown(twice, qonys):
    cells = folder_of(WHOLE, None) / "0001" / "cells.parquet"
    cells.chmod(0o644)
    cells.write_bytes(cells.read_bytes()[:-9] + b"123456789")
    done = qonys("show", TARGET)
    assert (done.code, "is not the file that was kept" in done.err, done.out) == (1, True, "")


def test_a_vintage_is_shown_as_published_in_the_order_of_its_cells_and_with_its_citation(twice, qonys):
    vintage, facts = holdings.found(f"{TARGET}@1"), shipped_publisher("eurostat")
    for lang in LANGUAGES:
        done = qonys("show", f"{TARGET}@1", "--lang", lang)
        assert rows(done.out)[["citizen", "geo", "period", "value", "flag"]].values.tolist() == [
            ["TOTAL", "DE", "2020", "", ":"], ["TOTAL", "DE", "2021", "874361.0", ""], ["TOTAL", "DE", "2022", "2071690.0", "p"],
            ["UA", "DE", "2020", "5000.0", ""], ["UA", "DE", "2021", "6000.0", ""], ["UA", "DE", "2022", "7000.0", ""],
        ]  # fmt: skip
        cite = f"Eurostat, migr_imm1ctz, read {vintage.looked_at.date()}"
        assert done.err.strip() == words(lang).plain("sources.cite", cite=cite, licence=facts.licence)
    assert qonys("show", vintage.name).out == done.out
    assert rows(qonys("show", TARGET).out)["citizen"].tolist() == ["SY"] * 3 + ["TOTAL"] * 3


def test_a_vintage_is_shown_as_rows_of_its_contract_with_what_is_left_out(twice, qonys):
    for lang in LANGUAGES:
        done = qonys("show", f"{TARGET}@1", "--contract", "--lang", lang)
        told = ["origin", "destination", "period_start", "persons", "citizenship", "flag", "status"]
        assert rows(done.out)[told].sort_values(["citizenship", "period_start"]).values.tolist() == [
            ["WORLD", "DEU", "2021-01-01", "874361.0", "", "", "as_published"], ["WORLD", "DEU", "2022-01-01", "2071690.0", "", "p", "provisional"],
            ["WORLD", "DEU", "2020-01-01", "5000.0", "UKR", "", "as_published"], ["WORLD", "DEU", "2021-01-01", "6000.0", "UKR", "", "as_published"],
            ["WORLD", "DEU", "2022-01-01", "7000.0", "UKR", "", "as_published"],
        ]  # fmt: skip
        assert (
            words(lang).plain(
                "sources.harmonised", rows="5", read="6", faults="0", ignored=f"{words(lang).label('ignored', 'is a gap')}: 1"
            )
            in done.err
        )


def test_parquet_of_a_contract_has_its_types_also_in_columns_without_a_cell_and_the_same_bytes_each_time(twice, qonys):
    for name in ("one.parquet", "two.parquet"):
        assert qonys("show", TARGET, "--contract", "-o", name).out == ""
    assert Path("one.parquet").read_bytes() == Path("two.parquet").read_bytes()
    kinds = {field.name: field.type for field in pq.read_schema("one.parquet")}
    assert {name for name, kind in kinds.items() if pa.types.is_floating(kind)} == {"persons", "low", "high"}
    assert {str(kind) for name, kind in kinds.items() if name not in ("persons", "low", "high")} == {"string"}
    assert qonys("show", TARGET, "-o", "cells.csv").code == 0
    assert len(pd.read_csv("cells.csv")) == 6
    assert qonys("show", TARGET, "-o", "cells.txt").code == 1


def test_the_bytes_come_back_as_they_were_received(server, qonys):
    body = (SPECIMENS / "passport" / "matrix.csv").read_bytes()
    served(server, body, target="passport:matrix", media="text/csv")
    qonys("pull", "passport:matrix")
    assert qonys("show", "passport:matrix", "--as-received", "-o", "matrix.csv").code == 0
    assert Path("matrix.csv").read_bytes() == body
    assert qonys("show", "passport:matrix", "--as-received").code == 2
    refused = qonys("show", "passport:matrix", "--contract")
    assert (refused.code, "nothing says how passport:matrix becomes a contract" in refused.err) == (1, True)


def test_what_a_contract_cannot_tell_apart_is_refused_with_a_mend_that_the_command_line_can_say(server, qonys):
    served(server, (SPECIMENS / "bns" / "migration_ru.xlsx").read_bytes(), target="bns:6584", media="application/octet-stream")
    qonys("pull", "bns:6584")
    refused = qonys("show", "bns:6584", "--contract")
    assert (refused.code, refused.out) == (1, "")
    assert "counted twice" in refused.err
    assert rows(qonys("show", "bns:6584", "--contract", "--keep", "heading=Прибыло").out)["value"].tolist() == ["1017425.0", "1100000.0"]
    assert qonys("show", "bns:6584", "--contract", "--keep", "heading").code == 2
    assert (
        "no column 'headin' to keep rows by; did you mean 'heading'?" in qonys("show", "bns:6584", "--contract", "--keep", "headin=x").err
    )


FLOW = "origin,destination,period_start,period_end,persons,basis,counted,source,status\n"


def test_both_sides_of_a_flow_stand_in_one_row(qonys):
    Path("came.csv").write_text(FLOW + "POL,DEU,2020-01-01,2020-12-31,100,previous_residence,movers,a,final\n", encoding="utf-8")
    Path("left.csv").write_text(
        FLOW
        + "POL,DEU,2020-01-01,2020-12-31,25,next_residence,movers,b,final\nDEU,POL,2020-01-01,2020-12-31,7,next_residence,movers,b,final\n",
        encoding="utf-8",
    )
    for lang in LANGUAGES:
        done = qonys("mirror", "came.csv", "left.csv", "--lang", lang)
        found = rows(done.out).set_index(["origin", "destination"])
        kept = ["persons_reported_by_destination", "persons_reported_by_origin", "ratio", "which_side"]
        assert found.loc[("POL", "DEU"), kept].tolist() == ["100.0", "25.0", "4.0", "both"]
        assert found.loc[("DEU", "POL"), kept].tolist() == ["", "7.0", "", "origin_only"]
        say = words(lang)
        assert set(done.err.strip().split("; ")) == {f"{say.label('mirror', side)}: 1" for side in ("both", "origin_only")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FLOW + "POL,DEU,2020-01-01,2020-12-31,many,previous_residence,movers,a,final\n", "flows.csv, row 2: persons is 'many'"),
        ("origin,destination\nPOL,DEU\n", "flows.csv has no column 'persons'"),
        (FLOW + "UKR,DEU,2020-01-01,2020-12-31,5,citizenship,movers,a,final\n", "flows of basis citizenship have no mirror"),
        (FLOW + "POL,DEU,2020-01-01,2020-12-31,-5,previous_residence,movers,a,final\n", "a flow of -5 persons cannot be"),
    ],
)
def test_what_has_no_mirror_is_a_sentence(qonys, text, said):
    Path("flows.csv").write_text(text, encoding="utf-8")
    done = qonys("mirror", "flows.csv")
    assert (done.code, done.out, said in done.err) == (1, "", True)


RUSSIAN = "Страна выезда;Страна въезда;Год;Пол;Человек\nРоссия;Казахстан;2022;Мужчины;1 200\nУзбекистан;Казахстан;2022;Женщины;300,5\n"
CONSTANTS = '[constants]\nbasis = "previous_residence"\ncounted = "moves"\nsource = "mine"'


@pytest.mark.parametrize("lang", ONE_FAST)
def test_a_table_with_russian_headers_is_mapped_step_by_step(qonys, lang):
    Path("mine.csv").write_text(
        RUSSIAN + "Луна;Казахстан;2022;Женщины;7\nРоссия;Казахстан;2021;Женщины;…\n", encoding="cp1251", errors="replace"
    )
    say = words(lang)
    done = qonys("map", "mine.csv", "--mapping", "mine.toml", "--lang", lang)
    proposed = rows(done.out)
    assert proposed.loc[proposed["target"] == "destination", ["reason", "confidence"]].values.tolist() == [["name_and_content", "high"]]
    assert say.plain("sources.map_missing", contract="flow", names="basis, counted, source") in done.err
    early = qonys("map", "mine.csv", "--mapping", "mine.toml", "--apply", "--lang", lang)
    assert (early.code, "does not say basis, counted, source" in early.err) == (1, True)

    corrected = Path("mine.toml").read_text(encoding="utf-8").replace("[constants]", CONSTANTS)
    Path("mine.toml").write_text(corrected, encoding="utf-8")
    again = qonys("map", "mine.csv", "--mapping", "mine.toml")
    assert (again.code, "mine.toml is there already" in again.err) == (1, True)
    assert Path("mine.toml").read_text(encoding="utf-8") == corrected

    made = qonys("map", "mine.csv", "--mapping", "mine.toml", "--apply", "--lang", lang)
    assert rows(made.out)[["origin", "destination", "period_start", "persons", "sex", "basis"]].values.tolist() == [
        ["RUS", "KAZ", "2022-01-01", "1200.0", "male", "previous_residence"], ["UZB", "KAZ", "2022-01-01", "300.5", "female", "previous_residence"],
    ]  # fmt: skip
    assert say.plain("sources.mapped", rows="2", contract="flow", faults="1") in made.err
    assert "row 4, Страна выезда: Луна: is no area by its names" in made.err
    assert "row 5, Человек" in made.err


def plain_workbook(path: Path) -> Path:
    pd.DataFrame({"Облыс": ["Қазақстан", "Германия"], "Жыл": [2022, 2023], "Саны": [100, 200.5]}).to_excel(path, index=False)
    return path


MAPPED = {
    "workbook": (plain_workbook, "", [["KAZ", "2022", "100.0"], ["DEU", "2023", "200.5"]]),
    "px": (
        "px/migration_ru.px",
        'contract = "panel"\n[columns]\narea = "регион_label"\nperiod = "period"\nvalue = "value"\n[schemes]\narea = "names"\n',
        [["KZ-10", "2022", "12.0"], ["KZ-10", "2023", "13.5"]],  # the other region has a name that is none
    ),
    "json-stat": ("eurostat/migr_imm8.json", "", [["DEU", "2019", "886341.0"], ["DEU", "2020", "728606.0"], ["GRC", "2020", "84221.0"], ["MLT", "2019", "0.0"]]),
    "sdmx-csv": (
        "eurostat/migr_resfirst.csv",
        'contract = "panel"\n[columns]\narea = "geo"\nperiod = "period"\nvalue = "value"\n[schemes]\narea = "eurostat"\n',
        [["POL", "2021", "12345.0"], ["DEU", "2022", "17.0"]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(MAPPED))
def test_files_of_every_format_are_proposed_a_mapping_and_read_by_it(qonys, tmp_path, kind):
    made, mapping, expected = MAPPED[kind]
    file = made(tmp_path / "mine.xlsx") if callable(made) else SPECIMENS / made
    assert qonys("map", file, "--mapping", "proposed.toml").code == 0
    if mapping:
        Path("mine.toml").write_text(mapping, encoding="utf-8")
    done = qonys("map", file, "--mapping", "mine.toml" if mapping else "proposed.toml", "--apply")
    assert done.code == 0
    assert rows(done.out)[["area", "period", "value"]].values.tolist() == expected


def test_a_proposal_without_a_contract_says_what_is_missing(qonys):
    done = qonys("map", SPECIMENS / "eurostat" / "migr_resfirst.csv")
    assert words("en").plain("sources.map_unknown") in done.err


@pytest.mark.parametrize(
    "option", [("--keep", "geo=DE"), ("--aggregates",), ("--as-received",), ("--as-received", "--contract", "-o", "x")]
)
def test_an_option_that_would_be_passed_over_is_a_wrong_usage(twice, qonys, option):
    done = qonys("show", TARGET, *option)
    assert (done.code, done.out, Path("x").exists()) == (2, "", False)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_on_a_terminal_only_columns_that_differ_stand_in_the_table_and_the_others_above_it(lang, capsys, monkeypatch):
    from qonys.cli.terminal import write_narrow

    frame = pd.DataFrame(
        {"geo": ["DE", "DE"], "copy": [1, 1], "note": [None, None], "value": [886341.0, 0.5], "percent": [4.826977009e-05, None],
         "what": ["revised", "added"]}
    )  # fmt: skip
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    say = words(lang)
    write_narrow(frame, say, None)
    out = capsys.readouterr()
    assert out.err == f"{say.label('column', 'geo', 'geo')}: DE\n"
    for shown in ("886341 ", "0.5 ", "4.827e-05", say.label("revision", "revised"), say.label("revision", "added")):
        assert shown in out.out
    for hidden in ("copy", "DE", "None", "nan", say.label("column", "note")):
        assert hidden not in out.out


def test_of_a_contract_too_many_rows_are_told_and_what_is_left_out_is_still_counted(twice, qonys, monkeypatch):
    monkeypatch.setattr("qonys.cli.sources.MOST_SHOWN", 2)
    done = qonys("show", f"{TARGET}@1", "--contract")
    say = words("en")
    assert len(rows(done.out)) == 2
    assert say.plain("sources.first_rows", shown="2", rows="5") in done.err
    assert (
        say.plain("sources.harmonised", rows="5", read="6", faults="0", ignored=f"{words('en').label('ignored', 'is a gap')}: 1")
        in done.err
    )


def test_flows_that_have_no_mirror_are_counted_as_left_out(qonys):
    Path("came.csv").write_text(FLOW + "WORLD,DEU,2020-01-01,2020-12-31,100,previous_residence,movers,a,final\n", encoding="utf-8")
    done = qonys("mirror", "came.csv")
    assert (done.code, done.err.strip().endswith(": 1")) == (0, True)


def test_a_mapping_saved_with_a_byte_order_mark_is_read_and_a_pdf_is_a_sentence(qonys):
    Path("mine.csv").write_text("area;year;value\nKAZ;2022;1\nDEU;2022;2\n", encoding="utf-8")
    Path("mine.toml").write_text('\ufeffcontract = "panel"\n[columns]\narea = "area"\nperiod = "year"\nvalue = "value"\n', encoding="utf-8")
    done = qonys("map", "mine.csv", "--mapping", "mine.toml", "--apply")
    assert rows(done.out)[["area", "value"]].values.tolist() == [["KAZ", "1.0"], ["DEU", "2.0"]]
    Path("mine.pdf").write_bytes(b"%PDF-1.7\n")
    assert "mine.pdf is a PDF, which holds pages and no table" in qonys("map", "mine.pdf").err


def test_a_proposal_that_would_say_a_cell_again_is_not_sure_of_itself(qonys):
    done = qonys("map", SPECIMENS / "bns" / "migration_ru.xlsx")
    assert rows(done.out).iloc[0].tolist() == ["contract", "rows_repeat", "low"]


def test_what_was_pulled_from_any_address_can_be_mapped(server, qonys):
    address = server.say(
        "/rest/data/ESTAT,MIGR@IMM8/A..DE", Say(body=(SPECIMENS / "sdmx" / "flat.xml").read_bytes(), headers={"Content-Type": "text/xml"})
    )
    target = f"sdmx:{address}?format=xml"
    assert qonys("pull", target).code == 0
    assert server.asked[0].path.endswith("?format=xml")
    assert rows(qonys("show", f"{target}@1").out)["value"].tolist() == ["886341.0", "728606.5", ""]
    assert qonys("show", target, "-o", "mine.parquet").code == 0
    assert qonys("map", "mine.parquet", "--mapping", "mine.toml").code == 0
    assert rows(qonys("map", "mine.parquet", "--mapping", "mine.toml", "--apply").out)["value"].tolist() == ["886341.0", "728606.5"]
    assert holdings.touched(target, []) == []


def test_offline_is_a_sentence_and_what_is_held_stays_readable(twice, qonys, monkeypatch):
    monkeypatch.setenv("QONYS_OFFLINE", "1")
    done = qonys("pull", TARGET)
    assert (done.code, done.out, "QONYS_OFFLINE is set" in done.err) == (1, "", True)
    assert qonys("show", TARGET, "--contract").code == 0
    assert twice.asked == []


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (("list", "eurostatt"), "there is no publisher 'eurostatt'; did you mean 'eurostat'?"),
        (("pull", "eurosta:migr_imm8"), "did you mean 'eurostat'?"),
        (("pull", "eurostat:migr_imm1ctz?gio=DE"), "has no dimension 'gio'; did you mean 'geo'?"),
        (("pull", "unhcr:populatio"), "did you mean 'population'?"),
        (("pull", "eurostat:../../etc/passwd"), "is a path, not a dataset"),
        (("pull", "eurostat:migr_imm8?geo=../../x"), "is no code"),
        (("pull", "sdmx:http://127.0.0.1/a/../../b"), "holds '#', '..' or a backslash"),
        (("pull", "sdmx:file:///etc/passwd"), "is no address of a web service"),
        (("pull", "eurostat"), "write publisher:dataset"),
        (("show", "eurostat:migr_imm1cty?geo=DE"), "did you mean 'eurostat:migr_imm1ctz?age=TOTAL&agedef=COMPLET&geo=DE&sex=T'?"),
        (("show", "worldbank:SM.POP.NETM"), "pull it: qonys sources pull 'worldbank:SM.POP.NETM'"),
        (("show", f"{TARGET}@9"), "has no vintage 9; it has 1 to 2"),
        (("show", f"{TARGET}@1999-01-01"), "the first is of"),
        (("diff", "../../x@1"), "is no target"),
        (("map", "none.csv"), "none.csv is not there"),
        (("map", "none.csv", "--apply"), "no mapping is named"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(twice, qonys, tmp_path, said, sentence):
    before = sorted(tmp_path.rglob("*"))
    done = qonys(*said)
    assert (done.code, done.out) == (1, "")
    assert sentence in done.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("said", [("pull",), ("list", "--lang", "kz"), ("shwo", "x"), ("mirror",)])
def test_a_wrong_usage_exits_2(qonys, said):
    assert qonys(*said).code == 2


def test_a_reply_that_is_not_understood_is_kept_in_the_quarantine_that_the_sentence_names(server, qonys, tmp_path):
    served(server, b"<html><body>Maintenance</body></html>")
    done = qonys("pull", TARGET)
    kept = re.search(r"(/\S+quarantine/\S+)", done.err)
    assert done.code == 1
    assert Path(kept[1]).read_bytes() == b"<html><body>Maintenance</body></html>"
    assert rows(qonys("status").out).empty


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_of_progress_is_drawn_on_a_terminal_only(server, qonys, monkeypatch, capsys, terminal):
    served(server, FIRST)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    done = qonys("pull", TARGET)
    assert done.out == f"{holdings.found(TARGET).name}\n"
    assert ("━" in done.err or "\x1b[" in done.err) == terminal
