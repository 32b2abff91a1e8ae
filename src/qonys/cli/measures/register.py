"""qonys measures check, disagreements, import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write

if TYPE_CHECKING:
    from qonys.i18n import Words


def check(
    names: Annotated[list[str] | None, typer.Argument(help="shipped (the default), folders or files of the register.")] = None,
    since: Annotated[list[str] | None, typer.Option("--since", help="An earlier copy: nothing in it may be edited in place.")] = None,
    lang: LanguageOption = "en",
) -> None:
    """Check a register: words, contract, versions, links; each fault a sentence with file and line. Exit 1 if there are any.

    Example: qonys measures check my-register --since my-register-of-last-month
    """
    from qonys.i18n import words
    from qonys.registers import SHIPPED, check_registers
    from qonys.store import connect

    say = words(lang)
    found = check_registers(connect(), names or [SHIPPED], since=since or ())
    for fault in found.faults:
        print(fault)
    tell(say.plain("cli.measures_checked", entries=say.number(found.entries), files=found.files, faults=say.number(len(found.faults))))
    if found.faults:
        raise typer.Exit(1)


def disagreements(
    first: Annotated[str, typer.Argument(help="The register: shipped, a folder or a file.")] = "shipped",
    second: Annotated[Path | None, typer.Argument(help="The second coding, a CSV table; by default the one that ships.")] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Only how far the coders agree, by column.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """List where two coders differ, and say how far they agree (Krippendorff's alpha). Example: qonys measures disagreements"""
    from qonys.i18n import words
    from qonys.measures import agreement, coded_once, read_coding
    from qonys.measures import disagreements as differing
    from qonys.registers import entries_of, read_text, second_coding

    say = words(lang)
    one = entries_of([first])
    other = second_coding() if second is None else read_coding(read_text(second, str(second)), file=second.name)
    found = agreement(one, other)
    if summary:
        write(found, _headings(found, say), output)
        return
    rows = differing(one, other)
    write(rows, _headings(rows, say), output)
    for line in found.to_dict("records"):
        tell(_agreed(line, say))
    once = coded_once(one, other)
    if len(once):
        tell(say.plain("cli.coded_once", entries=say.number(len(once))))


def _headings(frame: Any, say: Words) -> dict[str, str]:
    return {column: say.label("column", column, otherwise=column) for column in frame.columns}


def _agreed(line: dict[str, Any], say: Words) -> str:
    column, metric = line["column"], say.plain(f"metric.{line['metric']}")
    if line["alpha"] is None or line["alpha"] != line["alpha"]:
        return say.plain("cli.alpha_undefined", column=column, metric=metric)
    low, middle, high = (say.number(line[name], 2) for name in ("low", "alpha", "high"))
    agreeing = say.number(100 * line["agreeing"])
    return say.plain("cli.alpha", column=column, metric=metric, value=middle, low=low, high=high, percent=agreeing, entries=line["units"])


def import_(
    publisher: Annotated[str, typer.Argument(help="oxcgrt, coronanet, cobap, schengen or passport.")],
    file: Annotated[Path, typer.Argument(help="The publisher's file: CSV, Parquet, XLSX or JSON.")],
    snapshot: Annotated[str | None, typer.Option("--snapshot", help="passport: the day of a single snapshot.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="cobap: MM_DD_YY or DD_MM_YY, where the file does not decide.")] = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Import a tracker's file as measures. Rows that cannot be used go to a file beside it, with the reason; exit 1 if there are any.

    Example: qonys measures import cobap policy_list.csv -o cobap.parquet
    """
    from qonys.i18n import words
    from qonys.registers import import_file

    say = words(lang)
    options = {name: value for name, value in (("snapshot", snapshot), ("order", order)) if value is not None}
    done = import_file(publisher, file, **options)
    write(done.measures, {}, output)
    counts = {fate: say.number(done.counts.get(fate, 0)) for fate in ("measure", "no_measure", "quarantined")}
    tell(say.plain("cli.imported", rows=say.number(done.rows), measures=say.number(len(done.measures)), **counts))
    if done.quarantine:
        tell(say.plain("cli.quarantine", path=done.quarantine))
        raise typer.Exit(1)
