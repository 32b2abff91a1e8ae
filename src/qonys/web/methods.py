"""The pages on methods of the documentation, inside the dashboard: a closed network has no other place to read them."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

_LINK = re.compile(r'href="(?P<page>[a-z0-9-]+)\.md(?P<part>#[^"]*)?"')
_OTHER = re.compile(r'<a href="(?!https?://|#|[a-z0-9-]+")[^"]*">(?P<text>.*?)</a>')


@cache
def names() -> dict[str, str]:
    """Name of each page -> its title, in English as they are written."""
    return {path.stem: path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ").strip() for path in sorted(_folder().glob("*.md"))}


@cache
def rendered(name: str) -> Markup | None:
    """A page as HTML; links to other pages of methods stay, others are words. None if there is no such page."""
    from markdown_it import MarkdownIt

    if name not in names():
        return None
    text = (_folder() / f"{name}.md").read_text(encoding="utf-8")
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    html = _LINK.sub(lambda found: f'href="{found["page"]}{found["part"] or ""}"', html)
    return Markup(
        _OTHER.sub(lambda found: found["text"], html)
        .replace("<table>", '<div class="scroll" tabindex="0"><table>')
        .replace("</table>", "</table></div>")
    )


def _folder() -> Path:
    """Inside the package where it is installed, in the repository where it is worked on."""
    inside = Path(str(files("qonys"))) / "docs" / "methods"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "docs" / "methods"
