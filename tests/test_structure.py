"""The structure holds: imports point one way, one package knows the engine, every public name has its line in the docs."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from qonys.core.contracts import CONTRACTS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "qonys"
REFERENCE = ROOT / "docs" / "reference"
# package -> what it may import of ours, as far as named
ALLOWED = {
    "core": (),
    "store": ("core",),
    "i18n": ("core",),
    "sources": ("core",),
    "flows": ("core",),
    "measures": ("core",),
    "border": ("core",),
    "convergence": ("core", "flows", "measures"),
    "effects": ("core", "flows", "measures", "convergence"),
    "scenarios": ("core", "flows", "measures", "convergence"),
    "studies": ("core", "flows", "measures", "convergence", "effects", "scenarios"),
    "report": ("core", "i18n", "store.tables", "studies.definition"),
    "trace": ("core",),
    "registers": ("core", "store", "measures"),
    "borders": ("core", "store", "border", "measures", "registers"),
    "laboratory": ("core", "store", "measures", "convergence", "registers"),
    "situation": ("core", "store", "flows", "measures", "convergence", "registers", "laboratory"),
    "evaluation": ("core", "store", "effects"),
    "rooms": ("core", "store", "measures", "registers", "scenarios"),
    "holdings": ("core", "store", "sources"),
    "pipeline": (
        "core",
        "holdings",
        "registers",
        "store",
        "i18n",
        "flows",
        "measures",
        "convergence",
        "effects",
        "scenarios",
        "studies",
        "report",
    ),
    "web": (
        "core",
        "store",
        "i18n",
        "flows",
        "measures",
        "convergence",
        "effects",
        "scenarios",
        "studies",
        "report",
        "trace",
        "registers",
        "laboratory",
        "evaluation",
        "rooms",
        "situation",
        "holdings",
        "sources",
        "pipeline",
    ),
    "cli": (
        "core",
        "web",
        "store",
        "i18n",
        "measures",
        "studies",
        "report",
        "trace",
        "registers",
        "border",
        "borders",
        "convergence",
        "laboratory",
        "effects",
        "evaluation",
        "rooms",
        "situation",
        "scenarios",
        "holdings",
        "sources",
        "pipeline",
    ),
}
ORDER = list(ALLOWED)
ENGINES = ("duckdb", "ibis.duckdb", "ibis.backends.duckdb", "pyspark", "sqlite3")
FILES = sorted(SOURCE.rglob("*.py"))
PACKAGES = [name for name in ORDER if (SOURCE / name / "__init__.py").is_file()]
every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SOURCE).as_posix())


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def package(file: Path) -> str:
    name = file.relative_to(SOURCE).parts[0].removesuffix(".py")
    return {"__init__": "core", "__main__": "cli"}.get(name, name)


def type_checking(tree: ast.Module) -> set[ast.AST]:
    guarded = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {inner for block in guarded for one in block.body for inner in ast.walk(one)}


@cache
def imported(file: Path) -> list[tuple[str, bool]]:
    """(module, only for types) of every import in a file, wherever it stands."""
    tree = parsed(file)
    guarded, found = type_checking(tree), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node in guarded) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = ("qonys", *file.relative_to(SOURCE).parts)[: -node.level] if node.level else ()
            module = ".".join([*parts, *([node.module] if node.module else [])])
            found += [(f"{module}.{alias.name}", node in guarded) for alias in node.names]
    return found


@every_file
def test_imports_point_one_way(file):
    here = package(file)
    for name, for_types in imported(file):
        if not name.startswith("qonys.") or name.split(".")[1] == here:
            continue
        module = name.removeprefix("qonys.")
        if for_types and ORDER.index(module.split(".")[0]) < ORDER.index(here):
            continue
        assert any(module == one or module.startswith(f"{one}.") for one in ALLOWED[here]), f"{here} imports {name}"


@every_file
def test_only_the_store_knows_an_engine(file):
    if package(file) == "store":
        return
    for name, for_types in imported(file):
        assert for_types or not any(name == engine or name.startswith(f"{engine}.") for engine in ENGINES), f"{file} imports {name}"
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in ENGINES, f"{file}:{node.lineno} uses an engine"
            assert node.attr != "raw_sql", f"{file}:{node.lineno} speaks to an engine"


@every_file
def test_only_the_command_line_prints(file):
    calls = [node for node in ast.walk(parsed(file)) if isinstance(node, ast.Call)]
    if package(file) != "cli":
        assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@every_file
def test_every_module_says_what_it_is(file):
    assert ast.get_docstring(parsed(file))


def public(name: str) -> list[str]:
    return list(getattr(importlib.import_module(f"qonys.{name}"), "__all__", ()))


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_of_a_package_is_described(name):
    module = importlib.import_module(f"qonys.{name}")
    for one in public(name):
        thing = getattr(module, one)
        assert not callable(thing) or (thing.__doc__ or "").strip(), f"{name}.{one}"


# The docs


def page(name: str) -> str:
    path = REFERENCE / name
    assert path.is_file(), f"{path} is not written; make docs writes it"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_column_of_a_contract_has_its_line_in_the_docs(contract):
    section = page("contracts.md").partition(f"## {contract.name}\n")[2] or page("contracts.md").partition(f"## `{contract.name}`\n")[2]
    assert section, f"contracts.md has no section {contract.name}"
    lines = section.partition("\n## ")[0].splitlines()
    for column in contract.columns:
        assert any(f"`{column.name}`" in line and column.doc in line for line in lines), f"{contract.name}.{column.name}"


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_has_its_line_in_the_docs(name):
    text = page("python.md")
    assert [one for one in public(name) if one not in text] == []


def commands(command: object, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    return [path] if inner is None else [found for name, one in inner.items() for found in commands(one, (*path, name))]


def test_every_command_has_its_line_in_the_docs_and_an_example_or_a_sentence():
    cli = importlib.import_module("qonys.cli")
    found = commands(get_command(cli.app), ("qonys",))
    assert found
    text = page("cli.md")
    assert [" ".join(path) for path in found if " ".join(path) not in text] == []
