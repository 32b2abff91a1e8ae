"""qonys border simulate: crossings of a border that does not exist, with the truth about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qonys.cli.output import LanguageOption, tell


def simulate(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The Parquet file of crossings to write.")] = None,
    people: Annotated[int | None, typer.Option("--people", min=1, help="How many people; not all of them cross.")] = None,
    crossings: Annotated[int | None, typer.Option("--crossings", min=1, help="How many crossings, instead of people.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same bytes.")] = 0,
    parameters: Annotated[Path | None, typer.Option("--parameters", help="Your own border (TOML).")] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="A folder for the truth: people, residence, migrations, aliases, records.")
    ] = None,
    show_parameters: Annotated[
        bool, typer.Option("--show-parameters", help="Print the shipped parameters, to be edited; write nothing.")
    ] = False,
    lang: LanguageOption = "en",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress display.")] = False,
) -> None:
    """Simulate crossings: residents, migrants, circular workers, tourists, transit; faulty records; a closure. Nobody of them exists.

    Example: qonys border simulate --people 200000 --seed 1 -o crossings.parquet --truth truth/
    """
    from qonys.borders.simulation import shipped_parameters, simulate_file
    from qonys.core.errors import DesignError
    from qonys.i18n import words

    if show_parameters:
        typer.echo(shipped_parameters(), nl=False)
        return
    if output is None:
        raise DesignError("no file was named for the crossings", mend="name one: -o crossings.parquet")
    say = words(lang)
    told = 0

    def progress(rows: int) -> None:
        nonlocal told
        if not quiet and rows - told >= 1_000_000:
            told = rows
            tell(say.number(rows))

    done = simulate_file(output, people=people, crossings=crossings, seed=seed, parameters=parameters, truth=truth, tell=progress)
    tell(say.plain("cli.simulated", rows=say.number(done.crossings), path=str(output)))
    for name, rows in done.truth.items():
        tell(f"{truth / f'{name}.parquet' if truth else name}: {say.number(rows)}")
