"""Studies: a question set over declared tables, from contract tables to results (no words, no files).

`QUESTIONS` maps each question to the function that answers it, the contracts it needs and the options it takes. A study file names
areas, years, tables and questions; `pipeline.run_study` does the rest. A new question is a function here, a line below, a section
in `qonys.report.sections` and its words in the catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qonys.studies import (
    assumed,
    borders,
    coverage,
    diffusion,
    labour,
    members,
    movement,
    policy,
    portfolios,
    response,
    room_runs,
    rooms,
    shocks,
    turning_points,
)
from qonys.studies.definition import Study, built_in, find_study, read_study

if TYPE_CHECKING:
    from collections.abc import Callable

    from qonys.core.results import Result
    from qonys.studies.tables import Tables


@dataclass(frozen=True, slots=True)
class Question:
    """One question: the function of tables and study that answers it, and the options it takes."""

    answer: Callable[[Tables, Study], list[Result]]
    options: tuple[str, ...] = ()


QUESTIONS: dict[str, Question] = {
    "external": Question(movement.external, ("shock", "measures")),
    "shocks": Question(shocks.shocks, ("events", "base", "window")),
    "internal": Question(movement.internal, ("first",)),
    "foreign_labour": Question(labour.foreign_labour),
    "ethnic_return": Question(labour.ethnic_return),
    "objects": Question(policy.objects),
    "challenges": Question(policy.challenges, ("omit",)),
    "coverage": Question(coverage.coverage, ("omit",)),
    "conflicts": Question(coverage.conflicts, ("also",)),
    "policy_mix": Question(policy.policy_mix),
    "returns": Question(rooms.returns, ("home", "corridor", "corridor_total")),
    "procedure": Question(rooms.procedure, ("steps", "announced", "outcome")),
    "resettlement": Question(rooms.resettlement, ("pairs",)),
    "deadline": Question(room_runs.deadline, ("room",)),
    "corridor": Question(room_runs.corridor, ("room", "binding")),
    "settlement": Question(room_runs.settlement, ("room",)),
    "assumptions": Question(assumed.assumptions),
    "arithmetic": Question(rooms.arithmetic, ("checks",)),
    "register": Question(policy.register, ("also",)),
    "border_days": Question(borders.border_days, ("first", "last", "phases", "also")),
    "border_strictness": Question(borders.border_strictness, ("first", "last", "phases")),
    "convergence": Question(borders.convergence),
    "turning_points": Question(turning_points.turning_points),
    "portfolios": Question(portfolios.portfolios, ("first", "last", "common", "days")),
    "departure": Question(portfolios.departure, ("first", "last", "subjects")),
    "layers": Question(members.layers, ("first", "last", "groups")),
    "catching_up": Question(members.catching_up, ("first", "last")),
    "clubs": Question(members.clubs, ("first", "last", "draws")),
    "diffusion": Question(diffusion.diffusion, ("subjects", "window")),
    "response": Question(response.response, ("of", "year", "first")),
    "immigration": Question(movement.immigration, ("before", "during", "after")),
}

__all__ = ["QUESTIONS", "Question", "Study", "built_in", "find_study", "read_study"]
