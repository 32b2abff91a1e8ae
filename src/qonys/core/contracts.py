"""The tables that cross a function's border: their columns, units and what may stand in them.

A contract is declared once, here. `core.validate` checks a table against it at the edge, `docs/reference/contracts.md`
is generated from it, and every function downstream may rely on it. Area codes are ISO 3166-1 alpha-3, ISO 3166-2 or the
unions and groups of `core.areas`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["code", "text", "area", "areas", "codes", "date", "partial_date", "instant", "integer", "number", "boolean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a contract: what it holds, in which unit, and what is refused."""

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    required: bool = True
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A named set of columns. `ordered` names pairs that may not run backwards, as (first, last); `key` what tells rows apart."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    ordered: tuple[tuple[str, str], ...] = ()
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which no row is good."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


def _must(name: str, kind: Kind, doc: str, **more: object) -> Column:
    return Column(name=name, kind=kind, doc=doc, **more)  # type: ignore[arg-type]


def _may(name: str, kind: Kind, doc: str, **more: object) -> Column:
    return _must(name, kind, doc, required=False, **more)


# The publisher's own flag: break, provisional, revised, low reliability, estimated, definition differs, confidential.
FLAGS = ("b", "p", "r", "u", "e", "d", "c", "n", "z", "f", "s")
QUALIFIERS = ("exact", "rounded", "about", "more_than", "almost", "at_most", "range", "derived", "event", "no_value")
LEVELS = ("global", "union", "national", "regional")
DIRECTIONS = ("easing", "tightening", "neutral")
INSTRUMENTS = ("legal", "administrative", "economic", "informational", "organisational")
STATUSES = ("final", "first_release", "provisional", "estimate", "derived", "as_published")
MEASURE_STATUSES = (
    "standing", "ended", "issued", "amended", "being_implemented", "expected", "draft", "proposed", "recommended", "emerging",
)  # fmt: skip
SEX = ("female", "male", "other")

_source = _must("source", "code", "key of the source list: publisher, year, title and address")
_vintage = _may("vintage", "partial_date", "when the publisher released the figure, as exactly as known; empty: not known")
_flag = _may("flag", "code", "the publisher's own flag", allowed=FLAGS)
_note = _may("note", "text", "what limits the figure")

CROSSING = Contract(
    name="crossing",
    doc="One passage of a border by one person. No migration until a residence rule has been applied.",
    columns=(
        _must("person_id", "text", "keyed hash of the person, never a document number"),
        _must("at", "instant", "when the border was passed", unit="UTC"),
        _must("direction", "code", "into or out of the country", allowed=("entry", "exit")),
        _may("citizenship", "area", "country of the document shown"),
        _may("birth_year", "integer", "year of birth", unit="year", minimum=1880, maximum=2100),
        _may("sex", "code", "as the document has it", allowed=SEX),
        _may("purpose", "code", "stated purpose of the journey"),
        _may("permit", "code", "kind of visa or permit held"),
        _may("permitted_until", "date", "last day of the permitted stay"),
        _may("border_point", "code", "where the border was passed"),
    ),
)
CLASSIFIED = Contract(
    name="classified",
    doc="A crossing with what a residence rule says of it. Empty: not yet known, as a later record may still decide.",
    columns=(
        *CROSSING.columns,
        _may("day", "date", "day of the crossing, where the days of the rule begin and end; empty: a wrong clock"),
        _may("days_present", "integer", "days in the country in the window that starts at the crossing, as far as observed", unit="days",
             minimum=0),
        _may("days_observed", "integer", "days of the window before the end of the data", unit="days", minimum=0),
        _may("long_term", "boolean", "the crossing is a migration under the rule"),
        _may("resident_before", "boolean", "resident before the crossing"),
        _may("resident_after", "boolean", "resident after it"),
        _may("migration", "code", "the migration that follows; empty: none, or not yet known", allowed=("arrival", "departure")),
        _may("final_on", "date", "day from which no later record can change what is said of the crossing"),
        _may("fault", "code", "what is irregular about the record",
             allowed=("repeated", "missed_exit", "missed_entry", "same_instant", "after_end", "too_early")),
    ),
)  # fmt: skip
FLOW = Contract(
    name="flow",
    doc="Moves between two areas during a period. The difference of two stocks is not a flow.",
    columns=(
        _must("origin", "area", "area left"),
        _must("destination", "area", "area reached"),
        _must("period_start", "date", "first day of the period"),
        _must("period_end", "date", "last day of the period"),
        _must("persons", "number", "moves, movers or lifetime migrants, see counted", unit="persons", minimum=0),
        _must("basis", "code", "what tells origin from destination",
          allowed=("previous_residence", "next_residence", "birth_country", "citizenship")),
        _must("counted", "code", "the unit of counting", allowed=("moves", "movers", "lifetime")),
        _source,
        _vintage,
        _must("status", "code", "how final the figure is", allowed=STATUSES),
        _may("scope", "code", "which moves are in: across the country's border, between its regions, or also within them",
             allowed=("external", "inter_regional", "internal", "all_flows")),
        _may("citizenship", "area", "citizenship of the movers"),
        _may("sex", "code", "sex of the movers", allowed=SEX),
        _may("age", "code", "age band of the movers, as 20-24 or 85+", unit="years"),
        _may("low", "number", "lower bound", unit="persons", minimum=0),
        _may("high", "number", "upper bound", unit="persons", minimum=0),
        _may("qualifier", "code", "how exact the printed figure is", allowed=QUALIFIERS),
        _flag,
        _note,
    ),
    ordered=(("period_start", "period_end"), ("low", "high")),
)  # fmt: skip
STOCK = Contract(
    name="stock",
    doc="Persons with a characteristic who live in an area on a reference date.",
    columns=(
        _must("residence", "area", "area of residence"),
        _must("basis", "code", "what the characteristic is", allowed=("birth_country", "citizenship", "all_residents")),
        _must("characteristic", "area", "country of birth or of citizenship; WORLD for all"),
        _must("ref_date", "partial_date", "the date the count refers to"),
        _must("persons", "number", "persons on that date", unit="persons", minimum=0),
        _source,
        _vintage,
        _may("category", "code", "category of permit, or urban and rural"),
        _may("sex", "code", "sex", allowed=SEX),
        _may("age", "code", "age band", unit="years"),
        _may("qualifier", "code", "how exact the printed figure is", allowed=QUALIFIERS),
        _flag,
        _note,
    ),
)
MEASURE = Contract(
    name="measure",
    doc="One coded policy measure, in force from start to end.",
    columns=(
        _must("id", "code", "stable name of the entry, the same in all its versions"),
        _may("version", "integer", "1, 2, ...: an entry is never edited in place, a later version replaces it; empty: 1", minimum=1),
        _must("title", "text", "short description in English; other languages are in the catalogues"),
        _must("issuer", "area", "who issued it: a country, a union, or a group of issuers"),
        _must("level", "code", "level of the issuer", allowed=LEVELS),
        _must("targets", "codes", "groups it aims at, see the codebook"),
        _may("target_citizenship", "areas", "citizenships it is limited to; empty for all; UNKNOWN: to some the source does not name"),
        _may("target_origin", "areas", "places of departure it is limited to, whatever the citizenship; empty for all; UNKNOWN as above"),
        _may("target_words", "text", "the group as the source names it, where it says more than the codes"),
        _must("field", "code", "policy field, see the codebook"),
        _must("instrument", "code", "kind of instrument", allowed=INSTRUMENTS),
        _must("direction", "code", "does it ease movement and stay, or tighten them", allowed=DIRECTIONS),
        _must("strength", "integer", "codebook ordinal, 1 to 4", unit="ordinal", minimum=1, maximum=4),
        _must("general", "boolean", "false: only part of the territory or of the group"),
        _may("announced", "partial_date", "when it was made known"),
        _may("start", "partial_date", "first day in force, as exactly as known; empty: not known"),
        _may("end", "partial_date", "last day in force; empty: no end known, which does not mean still in force"),
        _may("seen_until", "date", "last day on which it was seen in force, where no end is known"),
        _must("status", "code", "what became of it", allowed=MEASURE_STATUSES),
        _may("area", "code", "where it acts: external or internal border, stay, labour, asylum, return"),
        _may("actor", "text", "who speaks for the issuer: head of state, government, an organisation, authors of a study"),
        _may("agency", "text", "agency that carries it out"),
        _may("borders_with", "areas", "borders it concerns; empty for all"),
        _may("borders_except", "areas", "borders it does not concern"),
        _may("modes", "codes", "ways of travel it concerns, see the codebook; empty for all"),
        _may("reasons", "codes", "reasons notified"),
        _may("exceptions", "codes", "groups and conditions that are exempt, see the codebook"),
        _may("exception_citizenship", "areas", "citizenships that are exempt"),
        _may("exception_origin", "areas", "places of departure that are exempt"),
        _may("exception_words", "text", "who is exempt as the source words it, where it says more than the codes"),
        _may("applies_in", "areas", "members in which a union's measure is law without an act of theirs; empty: in none"),
        _may("transposed_by", "codes", "entries by which members put a union's measure into force"),
        _may("outcome", "text", "what is reported to have come of it"),
        _may("outcome_value", "number", "the reported outcome as a number, see outcome_unit"),
        _may("outcome_unit", "text", "unit of outcome_value"),
        _must("evidence", "text", "the source read: publisher, year, address"),
        _must("coder", "code", "who coded it"),
        _may("coded_on", "date", "day of coding; empty: before versions were kept"),
        _may("change", "text", "why this version replaces the one before; needed from version 2 on"),
        _may("supersedes", "codes", "entries it replaces: each ends, at the latest, the day before this one starts"),
        _note,
    ),
    ordered=(("start", "end"),),
    key=("id", "version"),
)  # fmt: skip
EXPOSURE = Contract(
    name="exposure",
    doc="Whether and how strongly a corridor is under measures in a period.",
    columns=(
        _must("origin", "area", "area left"),
        _must("destination", "area", "area reached"),
        _must("category", "code", "category of migrants, see the codebook"),
        _must("period", "code", "day 2020-03-16, ISO week 2020-W12 or month 2020-03"),
        _must("on", "boolean", "a measure was in force for somebody of the corridor on some day of the period"),
        _must("dose", "number", "strength: mean over the days of the period and the people of the corridor", unit="percent",
              minimum=0, maximum=100),
        _must("covered_share", "number", "share of the corridor's people whom a measure covers, mean over the days it was on",
              unit="share", minimum=0, maximum=1),
        _may("measure_ids", "codes", "entries of the register behind it; empty where none was in force"),
        _may("direction", "code", "measures that tighten or ease", allowed=DIRECTIONS),
        _may("days", "integer", "days of the period on which it was on", unit="days", minimum=0),
        _may("first_day", "date", "first of these days"),
        _may("last_day", "date", "last of these days"),
        _may("announced", "partial_date", "earliest day on which one of the measures was made known; empty: not known"),
        _may("conditions", "codes", "conditions under which people were let off, whose share is not known"),
    ),
)  # fmt: skip
STRANDED_GROUP = Contract(
    name="stranded_group",
    doc="Persons who may not stay much longer with no open way home, or own citizens with none back, for whom a corridor is planned.",
    columns=(
        _must("group_id", "code", "name of the group: citizenship, place, permit status, and whether in doubt"),
        _may("place", "code", "border point of the last entry, of own citizens of the last exit; or region; empty: not known"),
        _must("citizenship", "area", "state of citizenship, to which the way is closed"),
        _must("permit_status", "code", "where the permission to stay stands on the day; own citizens need none",
              allowed=("expired", "expiring", "own_citizen")),
        _must("persons", "integer", "persons in the group", unit="persons", minimum=0),
        _must("doubtful", "boolean", "it is in doubt that they are present; of own citizens, where they are and what they wish"),
        _may("permission_ends", "date", "earliest last day of a permitted stay in the group"),
        _may("closed_at", "code", "where the way is closed: leaving the country, entering the state of citizenship, or both",
             allowed=("entry", "exit", "both")),
        _must("measure_ids", "codes", "entries of the register that close the way"),
    ),
    key=("group_id",),
)  # fmt: skip
PANEL = Contract(
    name="panel",
    doc="One value an area and period: what convergence and effects are estimated on.",
    columns=(
        _must("area", "area", "unit of the panel"),
        _must("period", "partial_date", "day, month or year"),
        _must("value", "number", "the value, in the unit its result states"),
        _may("weight", "number", "weight of the area", minimum=0),
        _may("low", "number", "lower bound of the value"),
        _may("high", "number", "upper bound of the value"),
    ),
    ordered=(("low", "high"),),
)
CHALLENGE = Contract(
    name="challenge",
    doc="A risk to migration policy at a level, for a type of migration, and the measures that answer it.",
    columns=(
        _must("id", "code", "stable name of the entry"),
        _must("migration_type", "code", "type of migration"),
        _must("level", "code", "where it arises", allowed=("global", "cross_country", "supranational", "national")),
        _must("kind", "code", "kind of challenge, see the codebook"),
        _must("horizon", "code", "how long it works", allowed=("short_term", "long_term")),
        _must("text", "text", "the challenge in English; other languages are in the catalogues"),
        _may("origin", "code", "outside or inside the country's reach", allowed=("exogenous", "endogenous", "mixed")),
        _may("indicator", "code", "the indicator that watches it"),
        _may("threshold", "number", "value of the indicator past which it raises an alert"),
        _may("answered_by", "codes", "measures of the register that act on it"),
        _may("place", "text", "where the source names it"),
        _source,
        _note,
    ),
)
CASE_EVENT = Contract(
    name="case_event",
    doc="One step of one case in a procedure.",
    columns=(
        _must("case_id", "text", "keyed hash of the case"),
        _must("step", "code", "step of the procedure"),
        _must("agency", "code", "agency that handles the step"),
        _must("ready_at", "instant", "when the step could begin", unit="UTC"),
        _may("started_at", "instant", "when work on it began", unit="UTC"),
        _may("finished_at", "instant", "when it was finished; empty: still open", unit="UTC"),
        _may("outcome", "code", "how the step ended"),
    ),
    ordered=(("ready_at", "started_at"), ("started_at", "finished_at")),
)
HOUSEHOLD = Contract(
    name="household",
    doc="A household that was resettled, how long it was seen to stay, and what support it received.",
    columns=(
        _must("household_id", "text", "keyed hash of the household"),
        _must("moved_on", "date", "day of the move"),
        _may("left_on", "date", "day it left again; empty: not seen to leave"),
        _may("observed_until", "date", "last day it was known to be there; needed where it did not leave"),
        _may("origin", "area", "region left"),
        _may("destination", "area", "region of settlement"),
        _may("members", "integer", "persons in the household", unit="persons", minimum=1, maximum=100),
        _may("support", "codes", "support received: moving_allowance, rent_cover, housing, job_placement, business_loan or others"),
    ),
    ordered=(("moved_on", "left_on"), ("moved_on", "observed_until")),
)
ASSUMPTION = Contract(
    name="assumption",
    doc="A value of a room file (a procedure, a corridor, a settlement), with where it comes from.",
    columns=(
        _must("room", "code", "name of the room file"),
        _must("place", "integer", "place of the value in the file, 1 is the first", minimum=1),
        _must("key", "text", "path of the value in the file: steps[permit].passing.mean"),
        _must("value", "text", "the value as JSON"),
        _may("number", "number", "the value, where it is a number"),
        _may("origin", "code", "where it comes from; names and texts may have none", allowed=("seed", "published", "assumed", "setting")),
        _may("entry", "integer", "entry of `origins` that covers it, 1 is the first", minimum=1),
        _may("figure", "code", "published figure it is"),
        _may("factor", "number", "what the figure was multiplied with, as months into days"),
        _may("summed", "boolean", "the figure is the sum of all values of the entry"),
        _may("what", "text", "what it is, in English"),
        _may("what_ru", "text", "in Russian"),
        _may("what_kk", "text", "in Kazakh"),
        _may("reason", "text", "why it was chosen, in English"),
        _may("reason_ru", "text", "in Russian"),
        _may("reason_kk", "text", "in Kazakh"),
        _source,
    ),
    key=("room", "key"),
)  # fmt: skip
OBJECT = Contract(
    name="object",
    doc="A group of people that migration policy acts on, and a measure named for it (Table 1 of the seed).",
    columns=(
        _must("id", "code", "stable name of the row"),
        _must("category", "code", "category of migrants"),
        _must("population", "code", "own citizens or foreign citizens"),
        _must("group", "code", "group within the category, see the catalogues"),
        _must("measure", "code", "measure as the source words it, see the catalogues"),
        _may("measure_ids", "codes", "entries of the register that are this measure"),
        _source,
        _note,
    ),
)
POLICY_FIELD = Contract(
    name="policy_field",
    doc="A field of policy that acts on migration, and how (Figure 5 of the seed).",
    columns=(
        _must("id", "code", "stable name of the row"),
        _must("policy_field", "text", "the field in English; other languages are in the catalogues"),
        _must("acts_on", "text", "what it acts on"),
        _must("mechanism", "text", "how"),
        _must("effect", "text", "its direction on the outflow"),
        _may("register_fields", "codes", "fields of the register that belong to it"),
        _source,
        _note,
    ),
)
FIGURE = Contract(
    name="figure",
    doc="A published figure as printed, with unit, period and place.",
    columns=(
        _must("id", "code", "stable name of the figure"),
        _must("quantity", "text", "what is counted, in English; other languages are in the catalogues"),
        _may("value", "number", "the figure; empty where the source prints none"),
        _must("unit", "text", "unit as the source gives it"),
        _may("period_start", "partial_date", "first day, month or year it refers to"),
        _may("period_end", "partial_date", "last day, month or year it refers to"),
        _may("area", "area", "place it refers to"),
        _must("qualifier", "code", "how exact the printed figure is", allowed=QUALIFIERS),
        _must("source", "code", "key of the source list: publisher, year, title and address"),
        _may("value_max", "number", "upper end, where the source prints a range"),
        _may("indicator", "code", "machine name of the quantity"),
        _may("breakdown", "code", "part of the quantity: a category, a country of origin"),
        _may("population", "text", "whom it counts"),
        _may("status", "code", "how final the figure is", allowed=STATUSES),
        _may("vintage", "partial_date", "when the publisher released it"),
        _may("place", "text", "where in the source it stands"),
        _may("area_words", "text", "the place as the source names it, where it has no code"),
        _may("check", "text", "what an arithmetic check of the figure gave"),
        _flag,
        _note,
    ),
    ordered=(("period_start", "period_end"), ("value", "value_max")),
)

CONTRACTS: dict[str, Contract] = {
    contract.name: contract
    for contract in (
        CROSSING, CLASSIFIED, FLOW, STOCK, MEASURE, EXPOSURE, STRANDED_GROUP, PANEL, CHALLENGE, CASE_EVENT, HOUSEHOLD, ASSUMPTION,
        FIGURE, OBJECT, POLICY_FIELD,
    )
}  # fmt: skip
