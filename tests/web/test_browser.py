"""The dashboard in a real browser: every page at two widths in three languages, by keyboard, with axe, and nothing loaded from elsewhere."""

from __future__ import annotations

import json
import shutil

import pytest

from qonys.web.views import NOUNS, VIEWS

playwright = pytest.importorskip("playwright.sync_api", reason="install the extra dev")
from axe_playwright_python.sync_playwright import Axe  # noqa: E402

BROWSER = shutil.which("chromium")
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="install Debian's package chromium")]
LANGUAGES = ("en", "ru", "kk")
PATHS = sorted(VIEWS)
WIDTHS = (1200, 400)

# What a reader would stumble over: a page wider than its window, a picture not shown or too small to read, text outside its picture.
PROBE = """() => {
  const shown = [...document.querySelectorAll("figure")].map(f => [...f.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 0));
  const scale = s => s.getBoundingClientRect().width / s.viewBox.baseVal.width;
  const texts = shown.flat().flatMap(s => [...s.querySelectorAll("text")].map(t => parseFloat(getComputedStyle(t).fontSize) * scale(s)));
  const small = [...document.querySelectorAll("main a, main button, main summary, header a, header button")].filter(e => {
    const r = e.getBoundingClientRect(); return r.height > 0 && r.height < 16; }).map(e => e.textContent.trim());
  return { over: document.documentElement.scrollWidth - innerWidth, figures: shown.length, drawn: shown.filter(s => s.length === 1).length,
           smallest: texts.length ? Math.min(...texts) : 99, small };
}"""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=WIDTHS)
def window(browser, request):
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


@pytest.fixture
def watched(window, served):
    """What went wrong in the browser, and what was asked of other machines."""
    wrong: list[str] = []

    def asked(request):
        if not request.url.startswith((served, "data:")):
            wrong.append(f"asked {request.url}")

    def said(message):
        if message.type in ("error", "warning"):
            wrong.append(message.text)

    window.on("request", asked)
    window.on("console", said)
    window.on("pageerror", lambda error: wrong.append(str(error)))
    yield wrong
    window.remove_listener("request", asked)
    window.remove_listener("console", said)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_reads_well_and_loads_nothing_from_elsewhere(window, served, watched, path):
    for language in LANGUAGES:
        window.goto(f"{served}/{language}/{path}")
        seen = window.evaluate(PROBE)
        assert seen["over"] <= 0, (language, "the page scrolls sideways")
        assert seen["figures"] == seen["drawn"], "each figure shows one drawing"
        assert seen["smallest"] >= 9.4, (language, "text too small to read")
        assert seen["small"] == [], (language, "links too low to touch")
    assert watched == []


@pytest.mark.parametrize("path", [*PATHS, "sign-in"])
def test_axe_finds_nothing_serious(window, served, path):
    window.goto(f"{served}/kk/{path}")
    found = Axe().run(window, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]})
    serious = [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], json.dumps(serious, ensure_ascii=False, indent=1)


def test_from_the_first_page_to_the_act_behind_a_figure_by_keyboard_alone(window, served):
    """Skip link, menu, a search, an entry: without a mouse."""
    window.goto(f"{served}/en/measures")
    window.keyboard.press("Tab")
    assert window.evaluate("document.activeElement.className") == "skip"
    window.keyboard.press("Enter")
    window.locator("#f-text").focus()
    window.keyboard.type("migration service")
    window.keyboard.press("Enter")
    window.wait_for_url("**/measures?*text=migration*")
    link = window.locator("table a", has_text="Suspension of the work of the migration service").first
    for _ in range(120):
        window.keyboard.press("Tab")
        if window.evaluate("document.activeElement.getAttribute('href') || ''").endswith("entry?id=SM006"):
            break
    assert link.evaluate("node => node === document.activeElement")
    window.keyboard.press("Enter")
    window.wait_for_url("**/measures/entry?id=SM006")
    assert "Suspension" in window.locator("h1").inner_text()


def test_a_choice_in_a_form_shows_its_view_and_the_language_keeps_it(window, served):
    window.goto(f"{served}/en/situation")
    window.select_option("#f-area", "DEU")
    window.wait_for_url("**/situation?area=DEU*")
    assert "Germany" in window.locator("h1").inner_text()
    window.locator(".languages a[lang=kk]").click()
    window.wait_for_url("**/kk/situation?area=DEU*")
    assert "Германия" in window.locator("h1").inner_text()


def test_a_table_is_downloaded_with_a_click(window, served):
    window.goto(f"{served}/ru/flows?area=KAZ")
    with window.expect_download() as taken:
        window.locator("#b-yearly .take a", has_text="CSV").click()
    assert taken.value.suggested_filename == "flows-yearly.csv"


def test_every_noun_of_the_menu_opens_at_once_without_a_script(browser, served):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served}/en/situation")
    for noun in NOUNS:
        reply = page.goto(page.locator(f".nouns a[href='/en/{noun}']").get_attribute("href").join([served, ""]))
        assert reply.status == 200, noun
        assert page.locator("h1").count() == 1
    context.close()
