"""qonys sources list, pull, diff, status, show, mirror, map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write_labelled
from qonys.cli.terminal import progress_bar, write_narrow

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import pyarrow as pa

    from qonys.i18n import Words
    from qonys.sources.mapping import Mapping
    from qonys.store.vintages import Vintage

app = typer.Typer(name="sources", no_args_is_help=True, help="Official data by their publishers' interfaces, into vintages that are kept.")

StoreOption = Annotated[Path | None, typer.Option("--store", help="Folder of the store; by default QONYS_HOME.")]
Target = Annotated[str, typer.Argument(help="publisher:dataset?filters, and @DAY or @NUMBER for a vintage; by default the last.")]
MOST_SHOWN = 10_000  # rows a terminal or a pipe gets without a file


@app.command("list")
def list_(
    publisher: Annotated[str | None, typer.Argument(help="A publisher, for its tables; without one, the publishers.")] = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Publishers, or the tables of one that matter for migration, with the contract each maps to.

    Example: qonys sources list eurostat --lang kk
    """
    import pandas as pd

    from qonys.i18n import words
    from qonys.sources import catalogue

    say = words(lang)
    if publisher is None:
        columns = ["publisher", "name", "address", "tables", "licence"]
        rows = [
            {"publisher": one.key, "name": one.name[lang], "address": one.address, "tables": len(one.tables), "licence": one.licence}
            for one in catalogue.publishers().values()
        ]
    else:
        facts = catalogue.publisher(publisher)
        columns = ["target", "name", "contract", "frequency", "filters"]
        rows = [
            {"target": f"{facts.key}:{one.id}", "name": one.title[lang], "contract": one.contract, "frequency": one.frequency,
             "filters": "&".join(f"{name}={','.join(codes)}" for name, codes in one.filters)}
            for one in facts.tables.values()
        ]  # fmt: skip
        tell(say.plain("sources.cite", cite=facts.cite, licence=facts.licence))
    write_labelled(pd.DataFrame(rows, columns=columns), say, output)


@app.command()
def pull(
    targets: Annotated[list[str], typer.Argument(help="publisher:dataset?filters, as 'eurostat:migr_imm1ctz?geo=DE,FR&since=2015'.")],
    store: StoreOption = None,
    studies: Annotated[list[Path] | None, typer.Option("--studies", help="Folders whose studies are told if their figures change.")] = None,
    lang: LanguageOption = "en",
) -> None:
    """Ask the publisher and keep what is new as the next vintage; bytes, flags and notes as published. Needs the network.

    Proxies by HTTPS_PROXY, certificates by QONYS_CA_BUNDLE, QONYS_OFFLINE=1 forbids the network. Of several targets each is asked for,
    also after one that fails; then the exit is 1.

    Example: qonys sources pull 'eurostat:migr_imm1ctz?geo=DE,FR&since=2015'
    """
    from qonys.core.errors import QonysError
    from qonys.holdings import pull as ask
    from qonys.holdings import touched
    from qonys.i18n import words
    from qonys.store.vintages import FAULTS

    say, failed = words(lang), False
    for target in targets:
        try:
            with progress_bar(target) as progress:
                done = ask(target, store=store, progress=progress)
        except QonysError as error:
            tell(f"qonys: {error}")
            failed = True
            continue
        found = done.vintage
        rows = "" if found.rows is None else say.number(found.rows)
        key = "sources.pulled_new" if done.new else "sources.pulled_same"
        tell(say.plain(key, target=done.target, number=say.number(found.number), rows=rows, size=say.number(found.size), name=found.name))
        if done.new and found.number > 1:
            changes = {kind: number for kind, number in found.changed.items() if number}
            told = "; ".join(f"{say.label('revision', kind)}: {say.number(number)}" for kind, number in changes.items())
            tell(say.plain("sources.changed", changes=told or say.plain("sources.nothing")))
            for path in touched(done.target, studies or [Path.cwd()]):
                tell(say.plain("sources.touched", study=path))
        if found.faults:
            tell(say.plain("sources.faults", number=say.number(found.faults)))
            tell(str(found.folder / FAULTS))
        print(found.name)
    if failed:
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="TARGET@VINTAGE; TARGET alone for its last two vintages.")],
    new: Annotated[str | None, typer.Argument(help="TARGET@VINTAGE, by default the last.")] = None,
    store: StoreOption = None,
    studies: Annotated[list[Path] | None, typer.Option("--studies", help="Folders whose studies are told if they are touched.")] = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Revisions from one vintage to another: cell, old, new, percent, flags; and which of your studies they touch.

    Example: qonys sources diff 'eurostat:migr_imm1ctz?geo=DE@1' 'eurostat:migr_imm1ctz?geo=DE@2'
    """
    from qonys.core.errors import SourceError
    from qonys.holdings import found, parted, revisions, touched
    from qonys.i18n import words

    say = words(lang)
    target, which = parted(old)
    last = found(new or target, store=store)
    if not which and new is None:
        if last.number == 1:
            raise SourceError(f"{last.target} has one vintage, nothing to compare", mend="pull it again when the publisher has released")
        first = found(f"{target}@{last.number - 1}", store=store)
    else:
        first = found(old, store=store)
    rows = revisions(first, last, store=store)
    write_narrow(rows, say, output)
    counts = "; ".join(f"{say.label('revision', str(kind))}: {say.number(number)}" for kind, number in rows["what"].value_counts().items())
    tell(say.plain("sources.diff", old=first.name, new=last.name, changes=counts or say.plain("sources.nothing")))
    if len(rows):
        for path in touched(last.target, studies or [Path.cwd()]):
            tell(say.plain("sources.touched", study=path))


@app.command()
def status(store: StoreOption = None, lang: LanguageOption = "en", output: OutputOption = None) -> None:
    """Every target held: vintages, the publisher's own date, when it was last looked at, rows, bytes, and what is damaged (exit 1).

    Example: qonys sources status
    """
    from qonys.holdings import holdings
    from qonys.i18n import words

    found = holdings(store=store)
    write_narrow(found, words(lang), output)
    if found["fault"].astype(bool).any():
        raise typer.Exit(1)


@app.command()
def show(
    target: Target,
    contract: Annotated[bool, typer.Option("--contract", help="As rows of the contract it maps to, not as published.")] = False,
    aggregates: Annotated[bool, typer.Option("--aggregates", help="With --contract: groups of areas too, named in a column.")] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="With --contract: DIMENSION=CODE of the rows that are meant, where the plan fixes none."),
    ] = None,
    as_received: Annotated[bool, typer.Option("--as-received", help="The bytes as the publisher sent them, to the file of -o.")] = False,
    store: StoreOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """A vintage as the publisher wrote it, flags and notes beside the values; or as a contract, ready for a study; or its very bytes.

    Example: qonys sources show 'eurostat:migr_imm1ctz?geo=DE' --contract -o flows.parquet
    """
    from qonys.holdings import found, harmonised, staged
    from qonys.i18n import words
    from qonys.store import write_lazy
    from qonys.store.cells import COPY, own_engine
    from qonys.store.vintages import restore

    for option, given in (("--aggregates", aggregates), ("--keep", bool(keep))):
        if given and not contract:
            raise typer.BadParameter("add --contract: a table as published has all its rows", param_hint=option)
    if as_received and (contract or output is None):
        raise typer.BadParameter("name the file with -o; a contract is made of the bytes, not in them", param_hint="--as-received")
    say = words(lang)
    vintage = found(target, store=store)
    tell(_cited(vintage, say))
    if as_received and output is not None:
        tell(str(restore(vintage.target, vintage.number, output, store=store)))
        return
    if contract:
        rows = harmonised(vintage, store=store, aggregates=aggregates, keep=_kept(keep))
        _write_rows(rows.batches, say, output)
        ignored = "; ".join(f"{say.label('ignored', why, why)}: {say.number(number)}" for why, number in rows.counts.ignored.items())
        tell(say.plain("sources.harmonised", rows=say.number(rows.counts.rows), read=say.number(rows.counts.read),
                       faults=say.number(rows.faults.count), ignored=ignored or say.number(0)))  # fmt: skip
        for fault in rows.faults.table().head(5).itertuples():
            tell(f"{fault.place}, {fault.column}: {fault.found}: {fault.why}")
        return
    con = own_engine()
    table = staged(con, vintage, store=store).order_by([*vintage.keys, COPY])
    if output is not None:
        tell(f"{output}: {write_lazy(con, table, output)}")
        return
    write_narrow(con.to_pandas(table.limit(MOST_SHOWN)), say, None)
    _more(vintage.rows or 0, say)


@app.command()
def mirror(
    flows: Annotated[list[Path], typer.Argument(help="Tables of the contract flow, of immigration and of emigration.")],
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Both sides' reports of one flow in one row: immigration as the destination counts it, emigration as the origin does.

    Example: qonys sources mirror immigration.parquet emigration.parquet
    """
    import pandas as pd

    from qonys.i18n import words
    from qonys.sources.harmonise import mirror as both

    say = words(lang)
    found = both(pd.concat([_flows(path) for path in flows], ignore_index=True))
    write_narrow(found.table, say, output)
    counts = {str(side): number for side, number in found.table["which_side"].value_counts().items()} | {"left_out": len(found.left_out)}
    tell("; ".join(f"{say.label('mirror', side, side)}: {say.number(number)}" for side, number in counts.items() if number))


@app.command("map")
def map_(
    file: Annotated[Path, typer.Argument(help="Your own table: CSV, XLSX, Parquet, PX, SDMX-CSV/ML or JSON-stat.")],
    mapping: Annotated[Path | None, typer.Option("--mapping", help="Write the proposed mapping here; or the mapping to --apply.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Read the file by the mapping and write rows of its contract.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Propose how the columns of a file map to a contract, with the reason for each guess; or apply a mapping you have checked.

    Example: qonys sources map mine.xlsx --mapping mine.toml; qonys sources map mine.xlsx --mapping mine.toml --apply -o flows.csv
    """
    from qonys.core.errors import SourceError
    from qonys.i18n import words
    from qonys.sources.mapping import read_mapping, write_mapping
    from qonys.sources.proposal import propose
    from qonys.sources.user_file import sample
    from qonys.store.tables import read_text, write_text

    say = words(lang)
    if apply:
        if mapping is None:
            raise SourceError("no mapping is named", mend="give --mapping FILE, made by: qonys sources map FILE --mapping FILE")
        _apply(file, read_mapping(read_text(mapping), mapping.name), say, output)
        return
    if mapping is not None and mapping.exists():
        raise SourceError(f"{mapping} is there already", mend="add --apply to read the file by it, or name another file")
    rows, reading = sample(file)
    proposed = propose(rows, reading=reading)
    write_labelled(_guesses(proposed), say, output)
    if not proposed.complete:
        names = ", ".join(proposed.missing or ("contract",))
        missing = say.plain("sources.map_missing", contract=proposed.contract or "?", names=names)
        tell(missing if proposed.contract else say.label("sources", "map_unknown", missing))
    else:
        tell(say.plain("sources.map_complete", contract=proposed.contract))
    if mapping is not None:
        write_text(write_mapping(proposed), mapping)
        tell(str(mapping))


def _cited(vintage: Vintage, say: Words) -> str:
    """How the publisher wants the vintage cited, and its licence."""
    from qonys.sources import parse, publisher

    target = parse(vintage.target)
    facts = publisher(target.publisher)
    cite = facts.cite.format(dataset=target.dataset, day=vintage.looked_at.date().isoformat())
    return say.plain("sources.cite", cite=cite, licence=facts.licence)


def _kept(keep: list[str] | None) -> dict[str, tuple[str, ...]] | None:
    """--keep DIMENSION=CODE, several codes with commas; none lets all in."""
    pairs = [one.partition("=") for one in keep or ()]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise typer.BadParameter(f"{name!r}: write DIMENSION=CODE", param_hint="--keep")
    return {name: tuple(code for code in codes.split(",") if code) for name, _, codes in pairs} or None


def _flows(path: Path) -> pd.DataFrame:
    """A table of flows with its numbers. Errors: DataError naming the first row in which there is none."""
    import pandas as pd

    from qonys.core.errors import DataError
    from qonys.store import read_whole

    table = read_whole(path)
    if "persons" not in table.columns:
        raise DataError(f"{path.name} has no column 'persons'", mend="give tables of the contract flow")
    numbers = pd.to_numeric(table["persons"], errors="coerce")
    wrong = table.index[numbers.isna() & table["persons"].notna()]
    if len(wrong):
        raise DataError(f"{path.name}, row {wrong[0] + 2}: persons is {table.loc[wrong[0], 'persons']!r}", mend="write a number or nothing")
    return table.assign(persons=numbers)


def _write_rows(batches: pa.RecordBatchReader, say: Words, output: Path | None) -> None:
    """Rows of a contract; to Parquet as they come, so that they need not fit into memory."""
    import pandas as pd

    from qonys.holdings import write_rows

    if output is not None and output.suffix == ".parquet":
        tell(f"{output}: {write_rows(batches, output)}")
    elif output is not None:
        write_labelled(batches.read_all().to_pandas(), say, output)
    else:
        shown, rows = [batches.schema.empty_table().to_pandas()], 0
        for batch in batches:  # also those past the last that is shown: what is left out is counted on the way
            if rows < MOST_SHOWN:
                shown.append(batch.slice(0, MOST_SHOWN - rows).to_pandas())
            rows += batch.num_rows
        write_narrow(pd.concat(shown[1:] or shown, ignore_index=True), say, None)
        _more(rows, say)


def _more(rows: int, say: Words) -> None:
    if rows > MOST_SHOWN:
        tell(say.plain("sources.first_rows", shown=say.number(MOST_SHOWN), rows=say.number(rows)))


def _apply(file: Path, mapping: Mapping, say: Words, output: Path | None) -> None:
    import pyarrow as pa

    from qonys.sources.mapped import apply as read_by
    from qonys.sources.staged import Faults
    from qonys.sources.user_file import text_blocks, understood

    faults = Faults(file.name)
    done = read_by(text_blocks(file, understood(file, mapping.reading), faults), mapping, file=file.name, faults=faults)
    rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal rows
        for batch in done.batches:
            rows += batch.num_rows
            yield batch

    _write_rows(pa.RecordBatchReader.from_batches(done.batches.schema, counted()), say, output)
    tell(say.plain("sources.mapped", rows=say.number(rows), contract=mapping.contract, faults=say.number(faults.count)))
    for table in (faults.table().head(5), done.gaps.table().head(5)):
        for fault in table.itertuples():
            tell(f"{fault.place}, {fault.column}: {fault.found}: {fault.why}")
    if done.gaps.count > 5:
        tell(f"{say.label('ignored', 'is a gap', 'is a gap')}: {say.number(done.gaps.count)}")


def _guesses(mapping: Mapping) -> pd.DataFrame:
    import dataclasses

    import pandas as pd

    return pd.DataFrame([dataclasses.asdict(guess) for guess in mapping.guesses])
