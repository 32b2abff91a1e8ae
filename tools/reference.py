"""Write the generated pages of docs/reference from the code itself:

    python tools/reference.py            write the pages anew
    python tools/reference.py --check    exit 1 and name the pages that no longer match the code

contracts.md from `core.contracts`, cli.md from the commands, python.md from the packages' public names, questions.md from a run of the
built-in studies, units-and-formulas.md from `core.units` and the catalogues. The same code gives the same bytes.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import re
import sys
import typing
from collections import defaultdict
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.messages.pofile import read_po
from typer.models import ArgumentInfo, OptionInfo, ParameterInfo

from qonys.cli import app
from qonys.core.contracts import CONTRACTS, Contract
from qonys.core.units import UNITS
from qonys.i18n import LANGUAGES, words
from qonys.pipeline import load, open_study
from qonys.store import connect
from qonys.studies import QUESTIONS, Study, built_in

if TYPE_CHECKING:
    import typer

    from qonys.core.results import Result

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
HEAD = "<!-- Written by tools/reference.py. Change the code and run `make docs`. -->"
PACKAGES = ("core", "store", "flows", "measures", "border", "borders", "convergence", "effects", "effects.gravity", "effects.substitution", "effects.practices", "scenarios", "scenarios.procedure", "scenarios.procedure.fit",
            "scenarios.corridor", "scenarios.settlement", "studies", "laboratory", "evaluation", "rooms", "situation", "sources", "sources.harmonise", "holdings",
            "pipeline", "report", "report.claims", "report.charts", "i18n")  # fmt: skip


def cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").strip()


def table(heads: list[str], rows: list[list[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *([cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(text: object) -> str:
    return f"`{text}`" if text not in ("", None) else ""


def codes(values: tuple[str, ...]) -> str:
    return ", ".join(map(code, values))


def first_line(thing: object) -> str:
    doc = inspect.getdoc(thing) or ""
    return doc.split("\n\n")[0].replace("\n", " ").strip()


def page(title: str, *parts: str) -> str:
    return "\n\n".join([HEAD, f"# {title}", *(part.strip("\n") for part in parts if part.strip())]) + "\n"


# Contracts


def contracts() -> str:
    intro = (
        "The tables that cross a function's border. Required columns must be in the file and filled in every row; "
        "the others may be absent or empty. How a file is checked: [edge](../methods/edge.md). On the command line: `qonys contract "
        "list`, `qonys contract show NAME`."
    )
    kinds = [
        ("code", "a word without spaces; where codes are listed, one of them"), ("text", "any text"),
        ("area", "one code of an area, see [areas](areas.md)"), ("areas", "codes of areas, separated by spaces"),
        ("codes", "words separated by spaces"), ("date", "a day, `2020-03-16`"),
        ("partial_date", "a day, month or year, as exactly as known: `2020-03-16`, `2020-03`, `2020`"),
        ("instant", "a moment in UTC, `2020-03-16T08:30:00`"), ("integer", "a whole number"),
        ("number", "digits with a point for decimals, no separators"), ("boolean", "`true` or `false`"),
    ]  # fmt: skip
    return page("Contracts", intro, "## Kinds of column", table(["kind", "holds"], [[code(k), v] for k, v in kinds]),
                *(contract_section(contract) for contract in CONTRACTS.values()))  # fmt: skip


def contract_section(contract: Contract) -> str:
    rows = [
        [code(c.name), c.kind, "yes" if c.required else "no", f"{c.unit} {bounds(c.minimum, c.maximum)}", codes(c.allowed), c.doc]
        for c in contract.columns
    ]
    ordered = ", ".join(f"{code(first)} before {code(last)}" for first, last in contract.ordered)
    parts = [f"## {contract.name}", contract.doc, table(["column", "kind", "required", "unit and bounds", "codes", "holds"], rows)]
    if ordered:
        parts.append(f"May not run backwards: {ordered}.")
    return "\n\n".join(parts)


def bounds(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"(at least {low:g})" if high is None else f"(from {low:g} to {high:g})"


# Command line


def cli() -> str:
    intro = (
        "Data go to standard output, talk to standard error. "
        "Exit status: 0 done, 1 bad data or an error whose message says how to mend it, "
        "2 bad usage. A table printed to a terminal has headings in the language; piped, it is CSV."
    )
    return page("Command line", intro, *command_sections(app, "qonys"))


def command_sections(group: typer.Typer, path: str) -> list[str]:
    sections = []
    for info in group.registered_commands:
        assert info.callback is not None
        sections.append(command_section(f"{path} {info.name or info.callback.__name__.replace('_', '-')}", info.callback))
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        name = f"{path} {sub.name or sub.typer_instance.info.name}"
        help_text = sub.typer_instance.info.help
        sections.append(f"## {name}\n\n{help_text}" if isinstance(help_text, str) else f"## {name}")
        sections += command_sections(sub.typer_instance, name)
    return sections


def command_section(path: str, callback: Any) -> str:
    rows = []
    hints = typing.get_type_hints(callback, include_extras=True)
    for parameter in inspect.signature(callback).parameters.values():
        metadata = [part for part in getattr(hints[parameter.name], "__metadata__", ()) if isinstance(part, ParameterInfo)]
        info = metadata[0]
        kind, several = kind_of(typing.get_args(hints[parameter.name])[0])
        required = parameter.default is inspect.Parameter.empty
        if isinstance(info, ArgumentInfo):
            name = code(parameter.name.upper())
        else:
            assert isinstance(info, OptionInfo)
            # inside Annotated the first name of an option stands where its default would
            first = (info.default,) if isinstance(info.default, str) else ()
            name = codes((*first, *(info.param_decls or ())) or (f"--{parameter.name.replace('_', '-')}",))
        default = "required" if required else "" if parameter.default in (None, False) else code(parameter.default)
        rows.append([name, kind + (", may be repeated" if several else ""), default, info.help or ""])
    level = "##" if path.count(" ") == 1 else "###"
    parts = [f"{level} {path}", help_of(callback)]
    if rows:
        parts.append(table(["argument or option", "takes", "default", "help"], rows))
    return "\n\n".join(parts)


def help_of(callback: Any) -> str:
    """The help, its example set apart as a command."""
    doc = " ".join((inspect.getdoc(callback) or "").split())
    text, _, example = doc.partition("Example: ")
    return text.strip() + (f"\n\n```sh\n{example.strip()}\n```" if example else "")


def kind_of(hint: Any) -> tuple[str, bool]:
    """A word for the type of a parameter, and whether it may be given several times."""
    members = [part for part in typing.get_args(hint) if part is not type(None)]
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return ", ".join(map(code, members)), False
    if origin is list:
        return kind_of(members[0])[0], True
    if members:
        return kind_of(members[0])
    return {Path: "path", str: "text", bool: "flag", int: "whole number", float: "number"}[hint], False


# Python


def python() -> str:
    intro = (
        "Each package's own story and its public names with their signatures. `ibis.Table` is a lazy table expression, `pd.DataFrame` "
        "one in memory. Names that begin with an underscore, and modules not listed, may change without notice."
    )
    return page("Python", intro, *(package_section(name) for name in PACKAGES))


def package_section(name: str) -> str:
    module = importlib.import_module(f"qonys.{name}")
    parts = [f"## qonys.{name}", story(module)]
    if hasattr(module, "__all__"):
        parts.append(names(module, list(module.__all__)))
    elif hasattr(module, "__path__"):
        for found in sorted(pkgutil.iter_modules(module.__path__), key=lambda one: one.name):
            part = importlib.import_module(f"qonys.{name}.{found.name}")
            own = public(part)
            if own:
                parts += [f"### qonys.{name}.{found.name}", story(part), names(part, own)]
    else:
        parts.append(names(module, public(module)))
    return "\n\n".join(filter(None, parts))


def public(module: Any) -> list[str]:
    """Functions and classes defined in a module, in the order in which they stand there."""
    own = [
        (inspect.getsourcelines(thing)[1], name) for name, thing in vars(module).items()
        if not name.startswith("_") and (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == module.__name__
    ]  # fmt: skip
    return [name for _, name in sorted(own)]


def story(module: Any) -> str:
    """A docstring, its indented lists kept as they are."""
    blocks = (module.__doc__ or "").strip().split("\n\n")
    return "\n\n".join(f"```text\n{inspect.cleandoc(block)}\n```" if block.startswith("    ") else block for block in blocks).strip()


def names(module: Any, which: list[str]) -> str:
    lines = []
    for name in which:
        thing = getattr(module, name)
        if inspect.isclass(thing) or inspect.isfunction(thing) or hasattr(thing, "__wrapped__"):
            lines.append(f"- `{name}{signature(thing)}`: {first_line(thing)}")
        else:
            lines.append(f"- `{name}`: {kind_of_constant(thing)} of {len(thing)}" if hasattr(thing, "__len__") else f"- `{name}`")
    return "\n".join(lines)


def kind_of_constant(thing: Any) -> str:
    return "table" if isinstance(thing, Mapping) else type(thing).__name__


def signature(thing: Any) -> str:
    """A signature as it is written, without the quotes that delayed annotations have."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        thing = thing.__init__
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return ""
    written, starred = [], False
    for parameter in parameters:
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            written.append("*")
            starred = True
        text = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "") + parameter.name
        starred |= parameter.kind is parameter.VAR_POSITIONAL
        if parameter.annotation is not parameter.empty:
            text += f": {annotation(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {default(parameter.default)}"
        written.append(text)
    result = inspect.signature(thing).return_annotation
    arrow = "" if inspect.isclass(thing) or result in (inspect.Signature.empty, "None", None) else f" -> {annotation(result)}"
    return f"({', '.join(written)}){arrow}"


def annotation(value: Any) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))


def default(value: Any) -> str:
    if inspect.isfunction(value):
        return "..."
    text = repr(value)
    return "..." if text.startswith("<") or len(text) > 40 else text


# Questions


def study_of(question: str, studies: list[Study]) -> Study | None:
    """The built-in study that asks a question, or whose options are meant for it."""
    asked = [study for study in studies if question in study.questions] or [study for study in studies if question in study.options]
    return asked[0] if asked else None


def answered() -> dict[str, tuple[Study, list[Result]]]:
    """Every question with the results it gives in the built-in study that has it."""
    con = connect()
    studies = [open_study(name) for name in built_in()]
    tables = {study.name: load(con, study, lambda *_: None)[0] for study in studies}
    found = {}
    for question, spec in QUESTIONS.items():
        study = study_of(question, studies)
        if study is not None:
            found[question] = (study, spec.answer(tables[study.name], study))
    return found


def questions(found: dict[str, tuple[Study, list[Result]]]) -> str:
    intro = (
        "What a study file may ask under `questions`, the options it may set under `[options.QUESTION]`, and the results that come out, "
        "each a table `tables/NAME.parquet` and a sheet of `tables.xlsx`. Every result also has the columns `id` and `inputs`. "
        "Columns without a unit are codes, dates and words; units and formulas are explained [here](units-and-formulas.md). "
        "The results listed are those of the built-in study named."
    )
    parts = []
    for question, spec in QUESTIONS.items():
        parts += [f"## {question}", first_line(spec.answer), f"Options: {codes(spec.options) or 'none'}."]
        if question not in found:
            parts.append("No built-in study asks it.")
            continue
        study, results = found[question]
        parts.append(f"Results, as in `{study.name}`:")
        parts += [result_table(result) for result in results]
    return page("Questions", intro, *parts)


def result_table(result: Result) -> str:
    say = words("en")
    rows = []
    for column in result.rows.columns:
        if column in ("id", "inputs"):
            continue
        spec = result.measured.get(column)
        meaning = say.label("column", column, "")
        rows.append([code(column), meaning, code(spec.unit) if spec else "", code(spec.formula) if spec else ""])
    return f"### {result.name}\n\n" + table(["column", "heading", "unit", "formula"], rows)


# Units and formulas


def catalogue_keys(kind: str) -> list[str]:
    """Codes of one kind in the English catalogue."""
    path = files("qonys.i18n").joinpath("locale", "en", "LC_MESSAGES", "qonys.po")
    with path.open("rb") as stream:
        keys = [message.id if isinstance(message.id, str) else message.id[0] for message in read_po(stream, locale="en") if message.id]
    return sorted(key.removeprefix(f"{kind}.") for key in keys if key.startswith(f"{kind}."))


def units_and_formulas(found: dict[str, tuple[Study, list[Result]]]) -> str:
    used: dict[str, set[str]] = defaultdict(set)
    for _, results in found.values():
        for result in results:
            for column, spec in result.measured.items():
                used[spec.unit].add(f"{result.name}.{column}")
                used[f"={spec.formula}"].add(f"{result.name}.{column}")
    said = {language: words(language) for language in LANGUAGES}
    units = [
        [code(unit), meaning, *(said[language].label("unit.name", unit, "") for language in LANGUAGES), len(used[unit])]
        for unit, meaning in UNITS.items()
    ]
    formulas = [
        [code(formula), *(said[language].label("formula", formula, "") for language in LANGUAGES), some(sorted(used[f"={formula}"]))]
        for formula in catalogue_keys("formula")
    ]
    intro = (
        "A number of a result has a unit and a formula, both codes; their words are in the catalogues (`unit.name.CODE`, `formula.CODE`). "
        "The unit stands beside the number in a heading or after it in a sentence; the formula is what `qonys trace` prints."
    )
    as_row = (
        "`as_row` stands where one column holds figures of several units: each row then says its own, as its source words it "
        "(the column `unit` of the contract `figure`)."
    )
    return page(
        "Units and formulas", intro, "## Units", table(["unit", "means", *LANGUAGES, "columns"], units), as_row, "## Formulas",
        table(["formula", *LANGUAGES, "used by"], formulas),
    )  # fmt: skip


def some(names_: list[str], most: int = 4) -> str:
    shown = ", ".join(map(code, names_[:most]))
    return f"{shown} and {len(names_) - most} more" if len(names_) > most else shown


def pages() -> dict[str, str]:
    found = answered()
    written = {
        "contracts.md": contracts(), "cli.md": cli(), "python.md": python(), "questions.md": questions(found),
        "units-and-formulas.md": units_and_formulas(found),
    }  # fmt: skip
    return {name: re.sub(r"[ \t]+\n", "\n", text) for name, text in written.items()}


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python tools/reference.py [--check]", file=sys.stderr)
        return 2
    stale = 0
    for name, text in pages().items():
        path = FOLDER / name
        there = path.read_text(encoding="utf-8") if path.is_file() else ""
        if there == text:
            continue
        if arguments:
            stale += 1
            changed = list(difflib.unified_diff(there.splitlines(), text.splitlines(), n=0, lineterm=""))[3]
            print(f"docs/reference/{name} is stale, first at {changed!r}; run make docs", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"docs/reference/{name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
