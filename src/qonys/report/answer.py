"""The answer to the title question in one paragraph: dates, numbers for and against, on whom it hangs, what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qonys.convergence.answer import Answer
    from qonys.i18n.lookup import Words


def paragraph(found: Answer, say: Words) -> str:
    """The answer in one paragraph."""
    phases = found.phases
    text = [say.plain("answer.span", phases=len(phases), first=say.date(phases["first"].iloc[0]), last=say.date(phases["last"].iloc[-1]))]
    for one in phases.iloc[1:].itertuples():
        mine = found.evidence[found.evidence["phase"] == one.phase]
        numbers = {
            side: "; ".join(_number(row, say) for row in mine[mine["supports"] == side].itertuples()) or say.plain("answer.none")
            for side in ("for", "against", "undecided")
        }
        hangs = sorted({area for row in mine["hangs_on"] for area in str(row).split()})
        text.append(say.plain(
            f"answer.{one.verdict}", date=say.date(one.first), dates=_between(one.earliest, one.latest, say), supports=numbers["for"],
            against=numbers["against"], undecided=numbers["undecided"],
        ))  # fmt: skip
        names = ", ".join(say.area(area) for area in hangs)
        text.append(say.plain("answer.hangs", areas=names) if hangs else say.plain("answer.firm"))
    if len(phases) == 1:
        text.append(say.plain("answer.one_phase"))
    if len(found.left_out):
        gaps = found.left_out.groupby("kind", sort=False).size()
        what = "; ".join(
            say.plain("answer.gaps", kind=say.plain(f"evidence.{kind}"), periods=say.number(number)) for kind, number in gaps.items()
        )
        text.append(say.plain("answer.left_out", what=what))
    return " ".join(text)


def _between(first: str, last: str, say: Words) -> str:
    return say.date(first) if first == last else f"{say.date(first)} \N{EN DASH} {say.date(last)}"


def _number(row: Any, say: Words) -> str:
    values = {name: say.number(getattr(row, name), 3, sign=True) for name in ("change", "low", "high")}
    return say.plain("answer.number", kind=say.plain(f"evidence.{row.kind}"), **values)
