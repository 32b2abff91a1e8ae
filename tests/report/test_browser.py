"""The reports in a real browser, at the width of a page and of a telephone, in three languages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from .conftest import LANGUAGES, STUDIES, report_file

BROWSER = shutil.which("chromium")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="install Debian's package chromium")]

# What a reader would stumble over: a page wider than its window, a picture that is not shown or is too small to read, an error.
PROBE = """<script>
window.onerror = function (m) { document.title = "error " + m; };
addEventListener("load", function () {
  var shown = [...document.querySelectorAll("figure")].map(function (f) { return [...f.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width > 0); });
  var texts = shown.flat().flatMap(s => [...s.querySelectorAll("text")].map(t => parseFloat(getComputedStyle(t).fontSize) * s.getBoundingClientRect().width / s.viewBox.baseVal.width));
  var outside = shown.flat().flatMap(s => { var b = s.getBoundingClientRect(); return [...s.querySelectorAll("text")].filter(t => { var r = t.getBoundingClientRect(); return r.right > b.right + 2 || r.left < b.left - 2; }); }).map(t => t.textContent);
  document.querySelector("[data-cell]").click();
  document.title = "probe " + JSON.stringify({
    over: document.documentElement.scrollWidth - innerWidth, width: innerWidth, figures: shown.length, drawn: shown.filter(s => s.length === 1).length,
    smallest: Math.min(...texts), outside: outside, cell: document.getElementById("cell").textContent,
    gray: getComputedStyle(document.body).color
  });
});
</script></body>"""


def opened(file, width: int, tmp_path) -> dict:
    page = tmp_path / "page.html"
    page.write_text(file.read_text(encoding="utf-8").replace("</body>", PROBE), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},2000",
             "--virtual-time-budget=4000", "--dump-dom"]  # fmt: skip
    dom = subprocess.run([BROWSER, *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True).stdout
    title = re.search(r"<title>probe (.*?)</title>", dom)
    assert title, re.search(r"<title>.*?</title>", dom)
    return json.loads(title[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))


@pytest.mark.parametrize("width", [1200, 500])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("study", STUDIES)
def test_a_report_reads_well_at_this_width(reports, study, language, width, tmp_path):
    seen = opened(report_file(reports, study, language), width, tmp_path)
    assert seen["over"] <= 0, "the page scrolls sideways"
    assert seen["figures"] == seen["drawn"] > 3, "each figure shows one drawing"
    assert seen["smallest"] >= 9.5, "text too small to read"
    assert seen["outside"] == [], "text cut off"
    assert "/" in seen["cell"], "selecting a number shows its address"
