"""qonys measures find, entry."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from qonys.cli.measures.options import RegisterOption, registers
from qonys.cli.output import LanguageOption, OutputOption, tell, write_labelled

Parts = Literal["current", "versions", "coding", "reach", "conflicts", "duplicates", "links"]


def find(
    text: Annotated[str, typer.Argument(help="Words that must all occur in the id, title, outcome or evidence.")] = "",
    issuer: Annotated[
        list[str] | None, typer.Option("--issuer", help="A country or union; this and others may be given more than once.")
    ] = None,
    field: Annotated[list[str] | None, typer.Option("--field", help="Policy field, see the codebook.")] = None,
    instrument: Annotated[list[str] | None, typer.Option("--instrument", help="Kind of instrument.")] = None,
    direction: Annotated[list[str] | None, typer.Option("--direction", help="easing, tightening or neutral.")] = None,
    target: Annotated[list[str] | None, typer.Option("--target", help="A group it aims at.")] = None,
    strength: Annotated[list[int] | None, typer.Option("--strength", help="1 to 4.")] = None,
    level: Annotated[list[str] | None, typer.Option("--level", help="global, union, national or regional.")] = None,
    on: Annotated[str | None, typer.Option("--on", help="In force on this day.")] = None,
    first: Annotated[str | None, typer.Option("--first", help="In force, possibly, from this day, month or year on.")] = None,
    last: Annotated[str | None, typer.Option("--last", help="In force, possibly, up to this day, month or year.")] = None,
    sort: Annotated[str, typer.Option("--sort", help="start, latest, id, issuer, field or strength.")] = "start",
    register: RegisterOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Search the register: entries with all these words and codes.

    Example: qonys measures find quarantine --issuer KAZ --on 2020-05-01
    """
    from qonys.i18n import words
    from qonys.situation import find_measures

    found = find_measures(
        text=text, issuer=issuer, field=field, instrument=instrument, direction=direction, targets=target, strength=strength, level=level,
        on=on, first=first, last=last, sort=sort, register=registers(register),
    )  # fmt: skip
    write_labelled(found, words(lang), output)


def entry(
    id: Annotated[str, typer.Argument(help="The id of an entry, as SM005.")],
    show: Annotated[Parts, typer.Option("--show", help="Which table.")] = "current",
    register: RegisterOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """One entry of the register: the version that stands, all versions, both codings, whom it reaches, what it conflicts with.

    Example: qonys measures entry SM005 --show versions
    """
    from qonys.i18n import words
    from qonys.situation import entry_of, reach_of

    say, names = words(lang), registers(register)
    found = entry_of(id, register=names)
    shown = reach_of(id, register=names) if show == "reach" else getattr(found, show)
    if show == "current":
        shown = shown.drop(columns=["row", "begun_certain", "over_certain", "begun_possible", "over_possible"])
        shown = shown.T.set_axis(["value"], axis=1).rename_axis("column").reset_index() if output is None else shown
    write_labelled(shown, say, output)
    for address in found.addresses:
        tell(address)
