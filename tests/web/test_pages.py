"""Every page in every language: it answers, in that language, and leads nowhere that is not there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pandas as pd
import pytest
from starlette.testclient import TestClient
from tests.report.conftest import Page
from tests.web.conftest import made

from qonys.i18n import words
from qonys.registers import SHIPPED, entries_of
from qonys.store.vintages import folder_of
from qonys.web.views import NOUNS, VIEWS
from qonys.web.views.labels import title_of

LANGUAGES = ("en", "ru", "kk")
# names of formats, hashes and languages, and codes of areas and entries
LATIN = {"Qonys", "English", "SVG", "PNG", "CSV", "XLSX", "SHA", "DOI", "ILOSTAT", "Passport", "Index", "REFUNITE", "COVID"}
PATHS = sorted(VIEWS)
every_page = pytest.mark.parametrize(("path", "language"), [(path, language) for path in PATHS for language in LANGUAGES])


@every_page
def test_a_page_opens_with_its_answer_in_its_language(public, path, language):
    reply = public.get(f"/{language}/{path}")
    assert reply.status_code == 200, reply.text[-600:]
    assert f'<html lang="{language}">' in reply.text
    title = re.search(r"<title>(.+?) – Qonys</title>", reply.text)
    answer = re.search(r'<div class="answer">\s*<p>(.+?)</p>', reply.text, re.S)
    assert title
    assert answer
    assert len(re.sub(r"<[^>]+>", "", answer[1])) > 20
    assert reply.text.index('class="answer"') < reply.text.index('class="made"')


@pytest.mark.parametrize(("path", "language"), [(path, language) for path in PATHS for language in ("ru", "kk")])
def test_no_word_of_a_page_is_left_in_another_script(public, path, language):
    for text in Page(public.get(f"/{language}/{path}").text).texts:
        if text.lang in ("en", *set(LANGUAGES) - {language}) or text.tags & {"style", "script", "code"} or "permanent" in text.classes:
            continue
        if "td" in text.tags and re.search(r"\((\d{4}|[^)]*дат[^)]*|[^)]*күн[^)]*)\)$", text.text):  # the name of a source in a table
            continue
        rest = re.sub(r"\b[a-z_]+:[\w-]+|\b(SM|EM|KM|IB|OXCGRT)[\w-]*|\b[A-Z]{2,3}(-\d+)?\b", "", text.text)
        assert set(re.findall(r"[A-Za-z]{2,}", rest)) <= LATIN, text.text


@every_page
def test_a_switch_of_language_keeps_the_view(public, path, language):
    page = public.get(f"/{language}/{path}", params={"study": "eu-covid"} if "study" in VIEWS[path].asked.model_fields else {}).text
    for other in set(LANGUAGES) - {language}:
        switch = re.search(rf'<a href="([^"]+)" lang="{other}" hreflang', page)[1].replace("&amp;", "&")
        assert urlsplit(switch).path == f"/{other}/{path}"


def test_every_link_of_every_page_leads_to_a_page(public):
    """Also the addresses of pictures, files, methods and entries; of those of one kind the first few."""
    seen, waiting, counts = set(), [(f"/en/{noun}", "") for noun in NOUNS], {}
    while waiting:
        address, on = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        kind = re.sub(r"=[^&]*", "=", re.sub(r"/(b-)?[\w-]+\.(svg|png|csv|xlsx)", r"/FILE.\2", address))
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > 3:
            continue
        reply = public.get(address)
        assert reply.status_code in (200, 303), (address, reply.status_code, f"linked on {on}")
        if reply.status_code == 200 and reply.headers["content-type"].startswith("text/html"):
            for link in Page(reply.text).links:
                link = link.replace("&amp;", "&").partition("#")[0]
                if link.startswith("?"):
                    link = urlsplit(address).path + link
                if link.startswith("/") and not link.startswith(("/ru/", "/kk/")):
                    waiting.append((link, address))
    assert len(seen) > 100


def test_an_address_restores_exactly_its_view(public):
    one = public.get("/en/flows", params={"area": "DEU", "first": 2015, "last": 2022}).text
    permanent = re.search(r'class="permanent" href="([^"]+)"', one)[1].replace("&amp;", "&")
    assert permanent == "/en/flows?area=DEU&first=2015&last=2022"
    assert public.get(permanent).text == one


def test_a_page_is_held_until_something_was_pulled_and_comes_plain_to_who_wants_it_plain(tmp_path):
    with TestClient(made(tmp_path / "desk", public=True, store=tmp_path / "store")) as client:
        small, plain = (client.get("/en/sources", headers={"Accept-Encoding": kind}) for kind in ("gzip", "identity"))
        assert (small.headers.get("content-encoding"), plain.headers.get("content-encoding")) == ("gzip", None)
        assert small.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert small.text == plain.text
        # a target whose vintage was lost: told as soon as it is there
        lost = folder_of("eurostat:migr_imm1ctz", tmp_path / "store")
        (lost / "0001").mkdir(parents=True)
        (lost / "target.txt").write_text("eurostat:migr_imm1ctz", encoding="utf-8")
        assert "eurostat:migr_imm1ctz" not in small.text.partition("<table")[2].partition("</table>")[0]
        assert "eurostat:migr_imm1ctz" in client.get("/en/sources").text.partition("<table")[2].partition("</table>")[0]


@pytest.mark.parametrize("path", PATHS)
def test_every_picture_names_its_sources(public, path):
    blocks = public.get(f"/api/v1/{path}").json()["blocks"]
    assert all(one["sources"] for one in blocks if one["kind"] == "figure"), path


def test_moves_between_regions_name_the_source_of_their_period(public):
    for period, drawn in (("2024", {"net", "boundaries", "margins"}), ("2021-01/2021-03", {"pairs", "matrix", "margins"})):
        blocks = public.get("/api/v1/flows/regions", params={"period": period}).json()["blocks"]
        assert {one["name"] for one in blocks} == drawn
        assert all(one["sources"] for one in blocks)


@pytest.mark.parametrize("year", ["2022", "2023", "2024"])
def test_regions_on_the_map_hold_all_that_moved(public, year):
    """Every region counts once on the boundaries there were until 2018, so what some gain others lose there too."""
    blocks = {one["name"]: one for one in public.get("/api/v1/flows/regions", params={"period": year}).json()["blocks"]}
    there, drawn = (pd.DataFrame(blocks[name]["rows"]) for name in ("margins", "boundaries"))
    assert len(drawn) == 16
    assert drawn["value"].sum() == there["net"].sum()
    assert drawn.set_index("code").loc["KZ-YUZ", "value"] == there.set_index("area").loc[["KZ-61", "KZ-79"], "net"].sum()


def test_a_measure_has_the_title_of_its_version():
    entry = {"id": "KM013", "title": "72-hour transit for China and India suspended to 1 July"}
    assert title_of(entry, words("ru")) == words("ru").plain("measure.KM013.title")
    assert title_of({"id": "KM013"}, words("ru")) == words("ru").plain("measure.KM013.title")
    assert title_of({**entry, "title": "Transit opened again"}, words("ru")) == "Transit opened again"


def test_titles_of_the_shipped_register_are_those_that_were_translated():
    say = words("en")
    for entry in entries_of([SHIPPED]).drop_duplicates("id").to_dict("records"):
        if say.has(key := f"measure.{entry['id']}.title"):
            assert title_of(entry, words("kk")) == words("kk").plain(key), entry["id"]


def test_what_is_asked_wrongly_is_said_in_a_sentence_on_a_page(public):
    for address, status in (("/en/flows?area=XXX", 400), ("/en/situation?on=yesterday", 422), ("/en/measures/entry?id=SM9999", 400),
                            ("/en/nothing", 404), ("/fr/flows", 422), ("/en/flows?area=../../etc", 422), ("/en/flows?unknown=1", 422)):  # fmt: skip
        reply = public.get(address)
        assert reply.status_code == status, (address, reply.status_code)
        assert "<html" in reply.text
        assert "Traceback" not in reply.text


def test_fields_of_a_form_left_empty_are_as_if_they_were_not_there(public):
    assert public.get("/en/measures?text=&issuer=&on=&field=").status_code == 200
