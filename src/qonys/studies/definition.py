"""A study as a TOML file: areas, period, tables, questions and languages. The same for the built-in ones and for a user's own."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from qonys.core import areas
from qonys.core.contracts import CONTRACTS
from qonys.core.errors import StudyError, nearest

_KEYS = {"name", "title", "areas", "first", "last", "questions", "languages", "tables", "options", "notes"}
_NONE = object()
_NEEDED = ("name", "areas", "first", "last", "questions", "tables")


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is asked, of which tables, for whom.

    areas: codes, a union standing for its members on the last day; first, last: years; tables: contract -> files, `shipped:` for those of
    the package, others relative to the study file; options: parameters of single questions, by question; notes:
    what the author of the study adds under a table or an answer, by its name and language.
    """

    name: str
    areas: tuple[str, ...]
    first: int
    last: int
    questions: tuple[str, ...]
    tables: dict[str, tuple[str, ...]]
    languages: tuple[str, ...] = ("en",)
    title: dict[str, str] = field(default_factory=dict)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, dict[str, str]] = field(default_factory=dict)
    folder: Path = field(default_factory=Path, compare=False)

    def option(self, question: str, key: str, default: Any = _NONE) -> Any:
        """A parameter of one question, or its default. Errors: StudyError for one that is absent and has no default."""
        found = self.options.get(question, {}).get(key, default)
        if found is _NONE:
            raise StudyError(f"question {question!r} needs the option {key}", mend=f"add {key} = ... under [options.{question}]")
        return found

    def parameters(self) -> dict[str, Any]:
        """Everything that decides the results, for the run."""
        return {
            "areas": list(self.areas),
            "first": self.first,
            "last": self.last,
            "questions": list(self.questions),
            "languages": list(self.languages),
            "options": self.options,
        }


def built_in() -> dict[str, Path]:
    """Names and files of the studies inside the package."""
    folder = Path(str(files("qonys") / "data" / "studies"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_study(name_or_path: str) -> Path:
    """The file of a built-in study or of a user's own. Errors: StudyError naming the nearest built-in one."""
    if name_or_path in built_in():
        return built_in()[name_or_path]
    path = Path(name_or_path)
    if path.suffix == ".toml" or path.exists():
        if not path.is_file():
            raise StudyError(f"there is no study file {path}", mend="check the path")
        return path
    raise StudyError(f"there is no study {name_or_path!r}", mend=nearest(name_or_path, built_in()))


def read_study(path: Path, questions: dict[str, tuple[str, ...]]) -> Study:
    """A study file, checked. questions: every question there is, with the options it takes.

    Errors: StudyError naming file, key and the nearest right one.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path.name} is not valid TOML: {error}", mend="correct that line") from None
    _known(path, "key", content, _KEYS)
    absent = [key for key in _NEEDED if key not in content]
    if absent:
        raise StudyError(f"{path.name} lacks {', '.join(absent)}", mend="see a built-in study: qonys study show kazakhstan")
    _shaped(path, content)
    _known(path, "question", content["questions"], questions)
    _known(path, "table", content["tables"], CONTRACTS)
    _known(path, "area", content["areas"], areas.codes())
    _known(path, "language", content.get("languages", ()), areas.LANGUAGES)
    options = content.get("options", {})
    _known(path, "question in options", options, questions)
    for question, given in options.items():
        _known(path, f"option of {question}", given, questions[question])
    if not all(type(content[key]) is int for key in ("first", "last")) or not 1 <= content["first"] <= content["last"] <= 9999:
        raise StudyError(f"{path.name}: first and last must be years in order", mend="write first = 2013 and last = 2023")
    title = content.get("title", {})
    return Study(
        name=str(content["name"]),
        areas=tuple(content["areas"]),
        first=content["first"],
        last=content["last"],
        questions=tuple(content["questions"]),
        tables={name: tuple(files_) for name, files_ in content["tables"].items()},
        languages=tuple(content.get("languages", ("en",))),
        title=title if isinstance(title, dict) else {"en": title},
        options=options,
        notes=content.get("notes", {}),
        folder=path.parent,
    )


def _shaped(path: Path, content: dict[str, Any]) -> None:
    """Lists where lists of words are wanted, tables where tables are. Errors: StudyError naming the key."""
    tables = content["tables"]
    lists: dict[str, Any] = {key: content[key] for key in ("areas", "questions", "languages") if key in content}
    lists |= {f"tables.{name}": files_ for name, files_ in tables.items()} if isinstance(tables, dict) else {"tables": None}
    for key, words in lists.items():
        if not (isinstance(words, list) and words and all(isinstance(word, str) for word in words)):
            raise StudyError(f"{path.name}: {key} is not a list of words", mend=f'write {key} = ["...", "..."]')
    options = content.get("options", {})
    if not (isinstance(options, dict) and all(isinstance(given, dict) for given in options.values())):
        raise StudyError(f"{path.name}: options are not given by question", mend="begin them with a line [options.QUESTION]")


def _known(path: Path, what: str, given: Any, known: Any) -> None:
    for name in given:
        if name not in known:
            raise StudyError(f"{path.name} has the {what} {name!r}", mend=nearest(str(name), known))
