"""qonys trace: from one printed number back to its rows and sources."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qonys.cli.output import LanguageOption, OutputOption, write

if TYPE_CHECKING:
    from qonys.i18n import Words
    from qonys.trace import Step


def trace(
    folder: Annotated[Path, typer.Argument(help="Folder a study was written to.")],
    address: Annotated[str, typer.Argument(help="Address of a number, as table/row/column; select a number in the report to see it.")],
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Walk from one number of a finished study back to its rows, sources and files.

    Example: qonys trace out/kazakhstan external/KAZ.2020/net
    """
    from qonys.i18n import words
    from qonys.trace import trace as walk

    say = words(lang)
    steps = walk(folder, address)
    if output is not None:
        import pandas as pd

        rows = [{"address": s.address, "unit": s.unit, "formula": s.formula, "made_from": list(s.inputs), **_origin(s)} for s in steps]
        write(pd.DataFrame(rows), {}, output)
        return
    for line in _lines(steps, address, say):
        print(line)


def _origin(step: Step) -> dict[str, Any]:
    return {
        "source": (step.source or {}).get("title", ""),
        "web": (step.source or {}).get("address", ""),
        "file": (step.file or {}).get("file", ""),
        "sha256": (step.file or {}).get("sha256", ""),
        "snapshot": (step.file or {}).get("snapshot", ""),
    }


def _lines(steps: list[Step], address: str, say: Words) -> list[str]:
    first = steps[0]
    column = address.rpartition("/")[2]
    lines = [address]
    if column in first.row:
        unit = say.label("unit.name", first.unit, first.unit)
        lines.append(f"  = {_plain(first.row[column])} ({unit})" if unit else f"  = {_plain(first.row[column])}")
    if first.formula:
        lines.append(f"  {say.plain('trace.formula')} {say.label('formula', first.formula, first.formula)}")
    for step in steps[1:]:
        facts = ", ".join(
            f"{name} {_plain(value)}"
            for name, value in step.row.items()
            if name not in ("row", "note", "evidence", "id") and not isinstance(value, list)
        )
        lines.append(f"- {step.address}: {facts}")
        if step.source:
            lines.append(f"    {say.plain('page.source')} {step.source['title']} {step.source.get('address', '')}".rstrip())
        if step.file:
            lines.append(f"    {say.plain('trace.file')} {step.file['file']} ({step.file['snapshot']}, sha256 {step.file['sha256'][:16]})")
    return lines


def _plain(value: Any) -> str:
    """A fact of a row: days without a clock, whole numbers without a point."""
    text = str(value).removesuffix(" 00:00:00")
    return text.removesuffix(".0") if isinstance(value, float) else text
