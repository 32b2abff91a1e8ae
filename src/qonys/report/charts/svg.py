"""From a drawing to the SVG that a page can take in: rendered by Vega without network or browser, then made safe to stand beside others."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError
from qonys.report.charts.theme import FONT, NARROW, PAPER, WIDE, Layout

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from qonys.report.charts.draw import Sheet

_SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
_PAINTS = ("fill", "stroke", "clip-path", "mask", "filter")


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart drawn twice from the same rows, as SVG: 760 pixels wide for a page, 360 for a telephone."""

    wide: str
    narrow: str


def records(rows: pd.DataFrame, *needed: str, prefix: str, optional: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The rows as dictionaries of plain values, None where one is missing; refused where empty or without a column.

    An optional column that the frame lacks is there with None.
    """
    lacking = [name for name in needed if name not in rows.columns]
    if lacking:
        raise DesignError(f"chart {prefix!r} lacks the columns {', '.join(lacking)}", mend=f"its rows need {', '.join(needed)}")
    if rows.empty:
        raise DesignError(f"chart {prefix!r} has no rows to draw", mend="leave the chart out, or give it at least one row")
    out = []
    for row in rows.to_dict("records"):
        plain = {str(name): None if _is_missing(value) else value for name, value in row.items()}
        out.append({name: plain.get(name) for name in (*needed, *optional)})
    return out


def refuse_without_values(values: list[Any], prefix: str) -> None:
    """Refuse a chart in which every value is missing."""
    if all(value is None for value in values):
        raise DesignError(f"chart {prefix!r} has no value in any of its rows", mend="leave the chart out, or give it at least one value")


def both(draw: Callable[[Layout], Sheet], *, title: str, desc: str, prefix: str) -> Chart:
    """Draw for the page and for the telephone, and finish both."""
    if not re.fullmatch(r"[A-Za-z][\w-]*", prefix):
        raise DesignError(f"{prefix!r} cannot start the ids of a chart", mend="use a letter, then letters, digits, hyphens")
    wide, narrow = (finish(render(draw(layout)), f"{prefix}-{layout.name}", title, desc) for layout in (WIDE, NARROW))
    return Chart(wide, narrow)


def render(sheet: Sheet) -> str:
    """The SVG as Vega writes it, from a specification in Vega-Lite that holds marks at pixels and nothing that Vega would decide."""
    import vl_convert

    layers, datasets = sheet.layers()
    spec = {
        "layer": layers, "datasets": datasets, "width": round(sheet.width), "height": round(sheet.height), "padding": 0,
        "background": PAPER, "autosize": {"type": "none"}, "config": {"aria": False, "view": {"strokeWidth": 0}},
    }  # fmt: skip
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def finish(svg: str, prefix: str, title: str, desc: str) -> str:
    """Ids that no other chart has, a size that gives way, a title and a description, hatching and fading."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _LINK)
    root = ET.fromstring(svg)
    _prune(root)
    root.set("font-family", FONT)
    paints = set()
    for node in root.iter():
        if "id" in node.attrib:
            node.set("id", f"{prefix}-{node.get('id')}")
        for name in (*_PAINTS, "href", f"{{{_LINK}}}href"):
            value = node.get(name)
            if value is None:
                continue
            if value == "hatch" or value.startswith(("fade-", "rise-")):
                paints.add(value)
                node.set(name, f"url(#{prefix}-{value})")
            else:
                node.set(name, re.sub(r"^(url\()?#(?=[A-Za-z_])(?![0-9A-Fa-f]{3,8}$)", rf"\1#{prefix}-", value))
    width = root.attrib.pop("width")
    root.attrib.pop("height")
    root.set("class", "chart " + ("chart-narrow" if prefix.endswith("-narrow") else "chart-wide"))
    root.set("style", f"width:{width}px;max-width:100%;height:auto")
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title {prefix}-desc")
    heads = [_element("title", title, id=f"{prefix}-title"), _element("desc", desc, id=f"{prefix}-desc")]
    defs = _element("defs", None)
    defs.extend(_paint(name, prefix) for name in sorted(paints))
    for place, node in enumerate([*heads, *([defs] if paints else [])]):
        root.insert(place, node)
    return ET.tostring(root, encoding="unicode")


def _prune(node: ET.Element) -> None:
    """Drop what Vega writes for itself: classes, roles in English, empty groups, boxes without paint, defaults."""
    for name in ("class", "role", "aria-hidden", "aria-roledescription", "aria-label", "pointer-events", "display", "stroke-miterlimit"):
        node.attrib.pop(name, None)
    for name, usual in (("opacity", "1"), ("transform", "translate(0,0)"), ("font-weight", "normal"), ("font-family", FONT)):
        if node.get(name) == usual:
            del node.attrib[name]
    kept: list[ET.Element] = []
    for child in list(node):
        unpainted = child.get("fill", "none") == "none" and child.get("stroke-width", "0") == "0"
        _prune(child)
        if child.tag == f"{{{_SVG}}}g" and (len(child) == 0 or not child.attrib):
            kept.extend(child)
        elif child.tag != f"{{{_SVG}}}path" or not unpainted:
            kept.append(child)
    node[:] = kept
    if node.text is not None and not node.text.strip():
        node.text = None


def _element(tag: str, text: str | None, **attributes: str) -> ET.Element:
    node = ET.Element(f"{{{_SVG}}}{tag}", attributes)
    node.text = text
    return node


def _paint(name: str, prefix: str) -> ET.Element:
    if name == "hatch":
        paint = _element("pattern", None, id=f"{prefix}-hatch", width="6", height="6", patternUnits="userSpaceOnUse")
        paint.append(_element("rect", None, width="6", height="6", fill="#f1f2f4"))
        paint.append(_element("path", None, d="M-1,1l2,-2M0,6l6,-6M5,7l2,-2", stroke="#b9c0c8", **{"stroke-width": "1"}))
        return paint
    way, _, colour = name.partition("-")
    x1, x2 = ("0", "1") if way == "fade" else ("1", "0")
    paint = _element("linearGradient", None, id=f"{prefix}-{name}", x1=x1, x2=x2, y1="0", y2="0")
    for offset, opacity in (("0", "1"), ("0.25", "0.75"), ("1", "0.05")):
        paint.append(_element("stop", None, offset=offset, **{"stop-color": f"#{colour}", "stop-opacity": opacity}))
    return paint


def _is_missing(value: object) -> bool:
    return value is None or value != value or str(value) in ("NaT", "<NA>")
