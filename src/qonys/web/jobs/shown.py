"""What a finished run of a room shows: its sentences, pictures and tables in the language of the reader, and figures to compare."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import escape

from qonys.core import areas
from qonys.report.charts.svg import Chart
from qonys.report.rooms.naming import Names
from qonys.store.tables import read_back
from qonys.web.jobs.work import WORDS
from qonys.web.views.shown import Figure, Listing, Made, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qonys.i18n import Words
    from qonys.web.state.jobs import Job

# table -> columns as `name/form`: @ a code by its name, 0-3 decimals, % a share, d a day, ? yes or no, = as the unit of the row says
KEY = {
    "procedure": "variant/@ within_limit/% low/% high/% mean_days/1 p90_days/1 waiting_days/1 visits/1 documents/1",
    "corridor": "persons/0 home/0 not_home/0 last_home/d mean_waiting_days/1 fairness_days/1 vehicles/0 seats/0 cost/0 gap/%",
    "totals": "taken_as/@ value/1 low/1 high/1",
    "place": "households/0 placed/0 persons/0 persons_placed/0 value/1 gap/%",
    "retention": "group/@ horizon_days/0 share/% low/% high/% at_risk/0 left/0",
}
TABLES: dict[str, dict[str, str]] = {
    "procedure": {
        "differences": "variant/@ measure/@ value/= low/= high/=",
        "waiting": "variant/@ agency/@ step/@ mean_days/1 low/1 high/1 p90_days/1 share/%",
        "use": "variant/@ agency/@ use/% low/% high/% load/% longest_line/0 waiting_days/1 bottleneck/?",
        "steps": "variant/@ step/@ agency/@ start/1 end/1",
        "backlog": "variant/@ on/d open/0 low/0 high/0",
    },
    "corridor": {
        "loosened": "kind/@ name/@ day/d extra/0 person_days_saved/0 low/0 high/0 days_earlier/0 last_home/d",
        "withstood": "plan/@ vehicles/0 share_home/% share_low/% share_high/% mean_waiting_days/1 mean_waiting_95/1 not_home/0",
        "groups": "group/@ persons/0 home/0 not_home/0 first_home/d half_home/d last_home/d mean_waiting_days/1 vulnerable_mean_days/1",
        "schedule": "day/d leg/@ vehicles/0 seats/0 persons/0 used/% cost/0",
    },
    "totals": {"retained": "months/0 low/1 high/1"},
    "place": {
        "regions": "region/@ limit/@ capacity/0 used/0 left/0 price/3",
        "groups": "by/@ group/@ households/0 placed/0 mean_value/2",
    },
    "retention": {
        "retained": "measure/@ horizon_months/0 retained_with/% retained_without/% difference/% low/% high/%",
        "costs": "measure/@ horizon_months/0 cost_per_retained/0 low/0 high/0 currency/@",
    },
}  # fmt: skip
OPEN = ("loosened", "withstood", "groups", "retained", "regions")  # tables that are not folded
DRAWN_FROM = {
    "gantt": "steps", "decided": "distribution", "backlog": "backlog", "home": "home", "routes": "ways", "waiting": "waiting",
    "survival": "curve", "places": "regions",
}  # fmt: skip
METHODS = {
    "procedure": ("procedure",), "corridor": ("corridor",), "totals": ("resettled-share", "retention"), "place": ("placement",),
    "retention": ("retention",),
}  # fmt: skip
COMMANDS = {
    "procedure": "qonys procedure simulate {file}", "corridor": "qonys corridor plan {file}",
    "totals": "qonys settle totals {returned} {resettled}",
    "place": "qonys settle place {file}", "retention": "qonys settle retention {records} --design {file}",
}  # fmt: skip
FILES = ("tables.xlsx", "run.json")  # of a result's folder, as they lie
_ID = re.compile(r'(?<=id=")[^"]+(?=")|(?<=url\(#)[^)]+(?=\))|(?<=href="#)[^"]+(?=")')
_LABELLED = re.compile(r'(?<=aria-labelledby=")[^"]+(?=")')


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run opened in one language."""

    job: Job
    folder: Path
    say: Words
    told: Mapping[str, Any]
    run: Mapping[str, Any]

    @property
    def names(self) -> Names:
        """What its file calls things."""
        return Names(self.say, self.told["labels"])

    @property
    def sentences(self) -> list[str]:
        """The answer."""
        return list(self.told["sentences"])

    def table(self, name: str) -> pd.DataFrame:
        """A table of the result; empty if it has none of that name."""
        path = self.folder / "tables" / f"{name}.parquet"
        return read_back(path) if path.is_file() and any(one["name"] == name for one in self.run["outputs"]) else pd.DataFrame()

    def key(self) -> pd.DataFrame:
        """The figures by which runs of this kind are compared."""
        if self.job.kind != "procedure":
            return self.table({"corridor": "summary", "place": "summary", "totals": "returned", "retention": "at_horizon"}[self.job.kind])
        rows = self.table("outcomes")
        if rows.empty:
            return rows
        whole = rows.pivot(index="variant", columns="measure", values="value").reindex(dict.fromkeys(rows["variant"]))
        bounds = rows[rows["measure"].eq("within_limit")].set_index("variant")[["low", "high"]]
        wanted = [one.partition("/")[0] for one in KEY["procedure"].split()]
        return whole.join(bounds).reset_index().reindex(columns=wanted)


def title_of(job: Job, say: Words) -> str:
    """What a run is called: rooms that ship by their names in the language, studies and own ones as they are."""
    return say.label("web.shipped", job.title, job.title) if job.kind != "study" else job.title


def opened(job: Job, home: Path, say: Words) -> Result:
    """A finished run of a room, in one language."""
    folder = home / (job.folder or "")
    told = json.loads((folder / WORDS / f"{say.language}.json").read_text(encoding="utf-8"))
    return Result(job, folder, say, told, json.loads((folder / "run.json").read_text(encoding="utf-8")))


def shown(found: Result) -> Shown:
    """A finished run of a room as pages, downloads and the interface show it."""
    job, say = found.job, found.say
    answer = tuple(escape(one) for one in found.sentences)
    key = found.key()
    blocks: list[Figure | Listing] = [listing(found, "key", key, KEY[job.kind])] if len(key) else []
    blocks += pictures(found)
    for name, columns in TABLES[job.kind].items():
        rows = found.table(name)
        if len(rows):
            blocks.append(listing(found, name, rows, columns, folded=name not in OPEN))
    return Shown(title=escape(title_of(job, say)), answer=answer, blocks=tuple(blocks), made=_made(found, say))


def pictures(found: Result, prefix: str = "") -> list[Figure]:
    """The pictures of a run. prefix: put before the ids within, where pictures of several runs stand on one page."""
    drawn = []
    for name, one in found.told["pictures"].items():
        chart = Chart(own_ids(one["wide"], prefix), own_ids(one["narrow"], prefix))
        drawn.append(Figure(
            name=f"{prefix}{name}-picture", title=found.say(f"chart.{name}"), chart=chart, data=found.table(DRAWN_FROM[name]),
            about=found.say(f"chart.{name}.about"), text=escape(_in_words(found, name)),
        ))  # fmt: skip
    return drawn


def listing(found: Result, name: str, rows: pd.DataFrame, columns: str, *, folded: bool = False) -> Listing:
    """A table of a run with its columns as given in KEY and TABLES."""
    named = [(column, form) for column, _, form in (one.partition("/") for one in columns.split()) if column in rows.columns]
    wanted = [(column, form) for column, form in named if rows[column].notna().any()]
    headings = tuple((_heading(found.say, column, form, name), form not in "@d?") for column, form in wanted)
    printed = tuple(tuple(escape(_cell(found, row, column, form)) for column, form in wanted) for row in rows.to_dict("records"))
    return Listing(name=name, title=found.say(f"web.rooms.table.{name}"), headings=headings, rows=printed, data=rows, folded=folded)


def side_by_side(found: Sequence[Result]) -> Listing:
    """The key figures of several runs in one table, the run first."""
    say = found[0].say
    parts = [listing(one, "key", one.key(), KEY[one.job.kind]) for one in found]
    rows = tuple((escape(title_of(one.job, say)), *row) for one, part in zip(found, parts, strict=True) for row in part.rows)
    data = pd.concat([one.key().assign(run=one.job.title) for one in found], ignore_index=True)
    headings = ((say.plain("web.runs.run"), False), *max((part.headings for part in parts), key=len))
    return Listing(name="compared", title=say("web.rooms.table.key"), headings=headings, rows=rows, data=data)


def own_ids(svg: str, prefix: str) -> str:
    """The picture with other ids, so that no id stands twice on a page."""
    if not prefix:
        return svg
    svg = _LABELLED.sub(lambda ids: " ".join(f"{prefix}{one}" for one in ids[0].split()), svg)
    return _ID.sub(lambda id: f"{prefix}{id[0]}", svg)


def _heading(say: Words, column: str, form: str, table: str = "") -> str:
    own = f"web.heading.{table}.{column}"
    heading = say.plain(own) if say.has(own) else say.label("column", column, column)
    return heading if form != "%" or heading.endswith("%") else f"{heading}, %"


def _cell(found: Result, row: Mapping[str, Any], column: str, form: str) -> str:
    say, value = found.say, row[column]
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return say.plain("gap.sign")
    if form == "@":
        return _name(found, row, column, str(value))
    if form == "d":
        return say.date(pd.Timestamp(value).date().isoformat())
    if form == "?":
        return say.plain("yes" if value else "no")
    if form == "%":
        return say.number(100 * float(value), 1)
    if form == "=":
        share = row.get("unit") == "share"
        return say.number(100 * float(value) if share else float(value), 1, sign=True) + (" %" if share else "")
    return say.number(float(value), int(form))


def _name(found: Result, row: Mapping[str, Any], column: str, code: str) -> str:
    say, called = found.say, found.told["called"]
    if column == "name":
        return str(called.get("limit", {}).get(f"{row.get('kind')} {code}", found.names("place", code)))
    if code in called.get(column, {}):
        return str(called[column][code])
    if column == "measure" and found.job.kind == "procedure":
        return say.label("web.outcome", code, code)
    if column == "limit" and code.startswith("jobs_"):
        return say.plain("web.limit.jobs", skill=found.names("skill", code.removeprefix("jobs_")))
    if column in ("kind", "limit"):
        return say.label("web.limit", code, code)
    if column in ("plan", "taken_as", "by"):
        return say.label(f"web.{column}", code, code)
    if column == "group" and code in ("all", "with", "without"):
        return say.plain(f"retention.group.{code}")
    if column in ("region", "group") and code in areas.codes() and code not in found.told["labels"]:
        return say.area(code)
    return found.names("support" if column == "measure" else column, code)


def _in_words(found: Result, name: str) -> str:
    """The key figures of a picture."""
    say, rows = found.say, found.table(DRAWN_FROM[name])
    if rows.empty:
        return ""
    if name in ("gantt", "decided"):
        column, unit, form = ("mean_days", "days", "1") if name == "gantt" else ("within_limit", "percent", "%")
        told = "; ".join(f"{_cell(found, row, 'variant', '@')} {_cell(found, row, column, form)}" for row in found.key().to_dict("records"))
        return f"{say.plain(f'web.outcome.{column}')}, {say.plain(f'unit.name.{unit}')}: {told}."
    if name == "backlog":
        ends = rows.groupby("variant", sort=False).last().reset_index().to_dict("records")
        day = _cell(found, ends[0], "on", "d")
        return f"{day}: " + "; ".join(f"{_cell(found, row, 'variant', '@')} {_cell(found, row, 'open', '0')}" for row in ends) + "."
    if name == "survival":
        return found.sentences[1] if len(found.sentences) > 1 else ""
    columns = {"home": "group", "routes": "destination", "waiting": "place", "places": "region"}
    by = columns[name]
    if name == "waiting":
        peak = rows.loc[rows.groupby(by)["persons"].idxmax()].sort_values("persons", ascending=False).head(3).to_dict("records")
        peaks = [(_called(found, row[by]), _cell(found, row, "day", "d"), _cell(found, row, "persons", "0")) for row in peak]
        return "; ".join(f"{where}, {day}: {persons}" for where, day, persons in peaks) + "."
    if name == "places":
        return found.sentences[0] if found.sentences else ""
    sums = rows.groupby(by)["persons"].sum().sort_values(ascending=False).head(5)
    return "; ".join(f"{_called(found, str(code), by)}: {say.number(float(value))}" for code, value in sums.items()) + "."


def _called(found: Result, code: str, column: str = "place") -> str:
    """What a place or group is called: a state by its name."""
    if code in found.told["called"].get(column, {}):
        return str(found.told["called"][column][code])
    if code in areas.codes() and code not in found.told["labels"]:
        return found.say.area(code)
    return found.names("place", code)


def _made(found: Result, say: Words) -> Made:
    inputs = tuple((one["file"], one["sha256"]) for one in found.run["inputs"])
    file = next((name for name, _ in inputs if name.endswith(".toml")), "FILE.toml")
    options = found.job.asked.get("options", {})
    totals = {"returned": "", "resettled": ""}
    if found.job.kind == "totals":
        from qonys.web.jobs.asked import read

        content = read(found.job.asked["text"], file).content
        totals = {name: str(content.get(name, "")) for name in totals}
    command = COMMANDS[found.job.kind].format(file=file, records=options.get("records", ""), **totals)
    extra = [f"--{name} {options[name]}" for name in ("binding",) if options.get(name)]
    extra += ["--as-they-arrive"] if options.get("as_they_arrive") else []
    return Made(command=" ".join([command, *extra]), methods=METHODS[found.job.kind], inputs=inputs, versions=found.run["versions"])
