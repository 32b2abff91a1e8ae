"""Border files: who is present on a day, and who is stuck. Crossings in Parquet meet the register; what leaves is protected, or noted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
from ibis import _

from qonys.border.disclosure import CELL_KEY, SUMMED, Method, protect
from qonys.border.noise import KEYS
from qonys.border.residence import EARLIEST
from qonys.border.stays import BY, COLUMNS, permissions, stays
from qonys.border.stranded import FIGURES, citizens_abroad, stranded, sums_by_citizenship
from qonys.border.visa_free import VisaFree, read_visa_free, visa_free_rules
from qonys.core.errors import DataError, nearest
from qonys.measures.closures import CLOSED_DOSE, closed_return, closed_ways
from qonys.registers import DEFAULT, open_registers
from qonys.store import connect
from qonys.store.audit import note
from qonys.store.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ibis.backends import BaseBackend

    from qonys.measures.history import Reading

LATEST = date(2200, 1, 1)  # a later day is a slip of the pen
FARTHEST_ZONE = 14  # hours from UTC
_NEEDED = ("person_id", "at", "direction")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The day asked for: whose border, what the records cover, where days begin.

    end: the last day the records cover; by default `on`, so that the answer is that of the evening itself. zone_hours: how far the day of
    the border runs ahead of UTC.
    """

    on: date
    country: str
    end: date | None = None
    zone_hours: int = 0

    def __post_init__(self) -> None:
        if not -FARTHEST_ZONE <= self.zone_hours <= FARTHEST_ZONE:
            raise DataError(f"no border runs {self.zone_hours} hours ahead of UTC", mend="give -14 to 14; 5 for Kazakhstan since 2024")
        for day in (self.on, self.end or self.on):
            if not EARLIEST <= day < LATEST:
                raise DataError(f"{day} is no day of border records", mend=f"give a day from {EARLIEST} to {LATEST.year - 1}")

    @property
    def named(self) -> dict[str, Any]:
        """The parameters as the functions of `border` name them."""
        return {"on": self.on, "country": self.country, "offset_hours": self.zone_hours}


@dataclass(frozen=True, slots=True)
class Present:
    """Persons present: the table asked for, and figures for a sentence, all protected alike.

    figures: present; and, unless counts were suppressed, own_citizens, expired, in_doubt (of those expired), unknown.
    """

    table: pd.DataFrame
    figures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stuck:
    """Groups of the contract `stranded_group`; a row a citizenship with their sums; the sums of all; how many groups are suppressed, and to
    how many citizenships the way is closed. Sums are protected as cells of their own, and do not add up exactly.
    """

    groups: pd.DataFrame
    summary: pd.DataFrame
    figures: Mapping[str, int]
    hidden: int
    closed: int


def stays_of_file(
    source: Path, day: Day, *, by: Sequence[str] = BY, visa_free: Path | None = None, disclosure: Method = "cell_key",
    totals: bool = False, engine: str = "duckdb",
) -> Present:  # fmt: skip
    """Persons present at the end of a day, counted by the columns `by` (see `border.stays`), protected; without protection it is noted.

    totals: add the sums over each of the columns, as `disclosure.protect` does. Cells shown as zero are left out.
    Errors: DataError for a file that holds no crossings of that day, an unknown column, a broken rule file; DesignError as in `protect`.
    """
    columns = list(dict.fromkeys(by))
    for name in columns:
        if name not in COLUMNS:
            raise DataError(f"persons present cannot be counted by {name!r}", mend=nearest(name, COLUMNS))
    if not columns:
        raise DataError("persons present are counted by nothing", mend=f"name one or more of {', '.join(COLUMNS)}")
    con, rules = connect(engine), rules_of(visa_free)
    crossings, _limits = open_crossings(con, source, day)
    if disclosure == "none":
        _note("border stays", day, (source, visa_free), by=columns, disclosure=disclosure)
    fine = tuple(dict.fromkeys((*columns, "permit_status", "doubt")))
    cells = con.to_pandas(stays(crossings, by=fine, end=day.end, visa_free=rules, **day.named))
    table = protect(_summed(cells, columns), method=disclosure, by=columns, margins=totals)
    table = table[table["persons"].ne(0).fillna(True)]
    order = [SUMMED, *columns] if totals else columns  # the cells, then the totals
    return Present(table.sort_values(order, ignore_index=True, kind="stable", key=_in_order), _figures(cells, disclosure))


def people_of_file(source: Path, day: Day, *, visa_free: Path | None = None) -> tuple[BaseBackend, ibis.Table]:
    """A row a person present, as `border.permissions` gives it, and the engine that holds it; the audit trail notes it first.

    Errors: as `stays_of_file`, and DataError if the trail cannot be written.
    """
    con, rules = connect(), rules_of(visa_free)
    crossings, _limits = open_crossings(con, source, day)
    rows = permissions(crossings, end=day.end, visa_free=rules, **day.named)
    _note("border stays --micro", day, (source, visa_free))
    return con, rows.order_by("person_id")


def stranded_of_file(
    source: Path, day: Day, *, within_days: int, registers: Sequence[str] = DEFAULT, reading: Reading = "certain",
    categories: Sequence[str] = ("citizen",), dose: float = CLOSED_DOSE, abroad: bool = False, left_within_days: int = 180,
    visa_free: Path | None = None, disclosure: Method = "cell_key", engine: str = "duckdb",
) -> Stuck:  # fmt: skip
    """Who is stuck on a day (see `border.stranded`): permission at an end, way home closed by the registers named. Protected, or noted.

    abroad: own citizens who left not long ago too, if the way back is closed (see `border.citizens_abroad`). Groups shown as zero, or
    suppressed, are left out: the contract has room for numbers only.
    Errors: DataError and DesignError as in `stays_of_file`; RegisterError for a register that cannot be read; DataError if no record and no
    rule says until when a stay is permitted.
    """
    con, rules = connect(engine), rules_of(visa_free)
    crossings, limits = open_crossings(con, source, day)
    if not limits and not any(one.issuer == day.country and one.citizenships for one in rules):
        raise DataError(
            f"{source.name} does not say until when a stay is permitted, and no visa-free rule of {day.country} names a citizenship",
            mend="fill the column permitted_until, or give a list with --visa-free",
        )
    local = connect()
    # asked twice: held, so that the registers are read and checked once
    measures = ibis.memtable(local.to_pyarrow(open_registers(local, registers)))
    asked: dict[str, Any] = {"country": day.country, "on": day.on, "reading": reading, "dose": dose}
    ways = local.to_pyarrow(closed_ways(measures, categories=categories, **asked))
    if disclosure == "none":
        _note("border stranded", day, (source, visa_free), within_days=within_days, disclosure=disclosure)
    found = [stranded(crossings, ibis.memtable(ways), end=day.end, within_days=within_days, visa_free=rules, **day.named)]
    if abroad:
        back = local.to_pyarrow(closed_return(measures, **asked))
        found.append(citizens_abroad(crossings, ibis.memtable(back), left_within_days=left_within_days, **day.named))
    groups = pd.concat([con.to_pandas(one) for one in found], ignore_index=True)
    shown = protect(groups, method=disclosure, by=["group_id"], details=["permission_ends"])
    kept = shown[shown["persons"].gt(0).fillna(False)].sort_values("group_id", ignore_index=True)
    if disclosure == "suppression":  # sums of what is shown give nothing away
        sums = protect(sums_by_citizenship(kept), method="none", by=["citizenship", "figure"])
    else:
        sums = protect(sums_by_citizenship(groups), method=disclosure, by=["citizenship", "figure"])
    figures = sums[sums["citizenship"] == ""].set_index("figure")["persons"].reindex(FIGURES, fill_value=0).astype(int)
    wide = sums[sums["citizenship"] != ""].pivot_table(index="citizenship", columns="figure", values="persons", aggfunc="sum")
    wide = wide.reindex(columns=FIGURES).fillna(0).astype(int).query("persons > 0").reset_index().rename_axis(columns=None)
    closed = groups.drop_duplicates("citizenship")[["citizenship", "closed_at", "measure_ids"]]
    summary = wide.merge(closed, on="citizenship").sort_values(["persons", "citizenship"], ascending=[False, True], ignore_index=True)
    return Stuck(kept, summary, figures.to_dict(), int(shown["persons"].isna().sum()), ways.num_rows)


def open_crossings(con: BaseBackend, source: Path, day: Day) -> tuple[ibis.Table, int]:
    """The crossings of a Parquet file that cover a day, and how many say until when the stay is permitted.

    Errors: DataError for a file that is none, with rows that are no crossings, or whose records do not reach the day.
    """
    if not source.exists():
        raise DataError(f"there is no file {source}", mend="check the path")
    if source.suffix != ".parquet":
        raise DataError(f"crossings are read as Parquet, and {source.name} is none", mend="make it with qonys border import")
    try:
        table = con.read_parquet(source)
    except Exception as error:
        why = str(error).partition("\n")[0]
        raise DataError(f"{source.name} cannot be read: {why}", mend="write it again as Parquet") from None
    if absent := [name for name in _NEEDED if name not in table.columns]:
        raise DataError(f"{source.name} has no column {', '.join(map(repr, absent))}", mend="see: qonys contract show crossing")
    if not table["at"].type().is_timestamp():
        raise DataError(f"{source.name}: the column at holds {table['at'].type()}, not instants", mend="make it with qonys border import")
    sound = _.person_id.notnull() & _["at"].notnull() & _.direction.isin(["entry", "exit"]).fill_null(False)
    local = table["at"].cast("timestamp(6)") + ibis.interval(hours=day.zone_hours)
    limited = table.permitted_until.notnull() if "permitted_until" in table.columns else ibis.literal(False)
    facts = con.to_pandas(
        table.mutate(local=local, limited=limited).agg(
            rows=_.count(), sound=_.count(where=sound), limits=_.count(where=_.limited),
            first=_.local.min(where=_.local >= ibis.literal(EARLIEST).cast("timestamp")), last=_.local.max(),
        )
    ).iloc[0]  # fmt: skip
    if not facts["rows"]:
        raise DataError(f"{source.name} holds no crossings", mend="check the export")
    if wrong := int(facts["rows"] - facts["sound"]):
        raise DataError(
            f"{source.name} has {wrong} rows without a person, an instant, or a direction of entry or exit",
            mend="see which: qonys contract check FILE --as crossing",
        )
    first, last = (pd.Timestamp(facts[name]).date() for name in ("first", "last"))
    if day.on < first or (day.end is None and day.on > last):
        raise DataError(
            f"{source.name} has crossings from {first} to {last}, and none shows who was present on {day.on}",
            mend="ask for a day between, or say with --end until when the records reach",
        )
    return table, int(facts["limits"])


def rules_of(file: Path | None) -> tuple[VisaFree, ...]:
    """The visa-free rules of a file, by default those that ship. Errors: DataError for a file that is missing or holds no rules."""
    if file is None:
        return visa_free_rules()
    return read_visa_free(read_text(file), file=file.name)


def _summed(cells: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Cells summed by fewer columns. Keys are summed as persons are, so that a cell has the noise it has in any other table."""
    summed = cells.groupby(list(by), dropna=False, as_index=False)[["persons", CELL_KEY]].sum()
    summed[CELL_KEY] %= KEYS
    return summed


def _in_order(column: pd.Series) -> pd.Series:
    """Classes of days by the day they begin with, other words by the alphabet."""
    return column.str.extract(r"^(\d+)", expand=False).astype("float64") if str(column.name).endswith("_class") else column


def _figures(cells: pd.DataFrame, method: Method) -> dict[str, int]:
    if method == "suppression":  # beside the table, sums over other columns than its own would give suppressed cells away
        return {"present": int(cells["persons"].sum())}
    own, expired = cells["permit_status"] == "own_citizen", cells["permit_status"] == "expired"
    parts = {
        "present": cells, "own_citizens": cells[own], "expired": cells[expired], "in_doubt": cells[expired & cells["doubt"].notna()],
        "unknown": cells[cells["permit_status"] == "unknown"],
    }  # fmt: skip
    sums = pd.DataFrame([
        {"figure": name, "persons": part["persons"].sum(), CELL_KEY: part[CELL_KEY].sum() % KEYS} for name, part in parts.items()
    ])  # fmt: skip
    shown = protect(sums, method=method, by=["figure"])
    return {str(name): int(number) for name, number in zip(shown["figure"], shown["persons"], strict=True)}


def _note(command: str, day: Day, files: Sequence[Path | None], **more: object) -> None:
    """A line in the audit trail, before anything unprotected is shown."""
    note(command, {**asdict(day), **more}, [file for file in files if file is not None])
