"""qonys border key, import, audit: records come in under hashed ids; who saw rows of persons is on the trail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write


def key(file: Annotated[Path, typer.Argument(help="The key file to write, away from all data.")]) -> None:
    """Make a secret key for hashing document numbers, in a file that only you can read. Keep a copy safe: it cannot be made again.

    Example: qonys border key ~/keys/border.key
    """
    from qonys.border.keys import make_key

    tell(f"{file}: {make_key(file).key_id}")


def import_(
    files: Annotated[list[Path], typer.Argument(help="Records of a border service, files of one layout: CSV, TSV, Parquet, XLSX, JSON.")],
    layout: Annotated[Path, typer.Option("--layout", help="Which of its columns, words and clocks mean what (TOML).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The Parquet file of crossings to write; it stays with you.")],
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="The secret key, away from the data. Without it the variable QONYS_KEY is read.")
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option("--aliases", help="Renewed documents: a table with the columns old, new (or document, person).")
    ] = None,
    lang: LanguageOption = "en",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress display.")] = False,
) -> None:
    """Turn records of a border service into crossings: documents to hashed ids, words and local time to the contract. No row is shown.

    Bad rows go to FILE.quarantine.csv beside the input with the reason, without document numbers; an interrupted run leaves no file.

    Example: qonys border import berkut.csv --layout berkut.toml --key-file ~/keys/border.key -o crossings.parquet
    """
    from qonys.border.keys import load_key
    from qonys.borders.imports import aliases_of, import_files, layout_of
    from qonys.i18n import words

    say = words(lang)
    secret = load_key(key_file, beside=[*files, output, *([aliases] if aliases else [])])

    def progress(path: Path, rows: int) -> None:
        if not quiet:
            tell(f"{path.name}: {say.number(rows)}")

    renewed = aliases_of(aliases) if aliases else None
    done = import_files(files, output, layout_of(layout), secret, renewed, tell=progress)
    tell(say.plain("cli.border_import", rows=say.number(done.rows), bad=say.number(done.bad_rows), key_id=done.key_id))
    for fault in done.faults:
        tell(fault)
    for file in done.quarantine:
        tell(say.plain("cli.quarantine", path=str(file)))


def audit(
    trail: Annotated[Path | None, typer.Option("--trail", help="Another trail than that of the store.")] = None,
    head: Annotated[str | None, typer.Option("--head", help="The hash of a line you noted: it must still be there.")] = None,
    output: OutputOption = None,
    lang: LanguageOption = "en",
) -> None:
    """List who saw rows of persons, or counts without protection, and verify that no line was changed, taken out or put in.

    Note the last hash elsewhere and give it as --head later: a trail cut at its end is otherwise whole. A broken trail is exit 1.

    Example: qonys border audit --head 3f2a...
    """
    import json

    import pandas as pd

    from qonys.core.errors import DataError
    from qonys.i18n import words
    from qonys.store.audit import FIELDS, entries, verify

    say = words(lang)
    faults = verify(trail, head=head)
    if faults:
        for fault in faults:
            tell(fault)
        raise DataError(f"the audit trail is broken in {len(faults)} places", mend="keep it as evidence, and see who could write to it")
    lines = entries(trail)
    rows = [
        {name: json.dumps(one[name], ensure_ascii=False) if isinstance(one[name], dict) else one[name] for name in FIELDS} for one in lines
    ]
    shown = pd.DataFrame(rows, columns=list(FIELDS)).drop(columns="before")
    write(shown, {name: say.label("column", name, otherwise=name) for name in shown.columns}, output)
    tell(say.plain("cli.border_trail", lines=say.number(len(lines)), head=str(lines[-1]["hash"]) if lines else "-"))
