"""Views of finished studies: one question at a time, under the page it belongs to, as the report has it."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from markupsafe import Markup

from qonys.core.errors import StudyError, nearest
from qonys.report.blocks import Desk
from qonys.report.dossier import study_title
from qonys.report.sections import SECTIONS
from qonys.studies import Study
from qonys.web.views.asked import Asked, Code
from qonys.web.views.here import Here
from qonys.web.views.shown import Figure, Listing, Made, Paragraph, Shown, View, of_section

# page -> the questions that it shows, in order, where the study asks them
QUESTIONS_OF = {
    "flows": ("external", "shocks", "internal", "foreign_labour", "ethnic_return", "immigration"),
    "measures": ("policy_mix", "challenges", "coverage", "objects", "conflicts", "diffusion", "register", "border_days"),
    "convergence": ("convergence", "turning_points", "portfolios", "departure", "border_strictness", "layers", "catching_up", "clubs"),
    "effects": ("response", "returns"),
    "rooms": ("deadline", "corridor", "settlement", "procedure", "resettlement", "assumptions"),
    "studies": ("arithmetic",),
}
METHODS_OF = {
    "external": ("flows-series",), "internal": ("regional-net",), "shocks": ("own-past",), "immigration": ("flows-series",),
    "response": ("own-past", "effects"), "convergence": ("spread", "answer"), "border_strictness": ("spread",), "layers": ("dispersion",),
    "portfolios": ("portfolios",), "departure": ("portfolios",), "catching_up": ("catching-up",), "clubs": ("clubs",),
    "border_days": ("in-force",), "coverage": ("coverage",), "challenges": ("coverage",), "objects": ("coverage",),
    "conflicts": ("conflicts",), "diffusion": ("diffusion",), "deadline": ("procedure",), "procedure": ("procedure",),
    "corridor": ("corridor",), "settlement": ("retention", "resettled-share"), "resettlement": ("resettled-share",),
    "assumptions": ("assumptions",), "arithmetic": ("claims-check",),
}  # fmt: skip
DEFAULT = {"rooms": "kazakhstan", "flows": "kazakhstan", "studies": "kazakhstan"}


class AskedQuestion(Asked):
    """A question of a study; by default the first that the page has."""

    study: Code | None = None
    question: Code | None = None


def desk_of(name: str, here: Here) -> Desk:
    """A finished study, ready to be written about."""
    done = here.runs.answered(name)
    return Desk(done.study, done.results, done.tables, done.sources, here.say)


def asked_of(noun: str, study: Study) -> tuple[str, ...]:
    """The questions of a study that belong to a page, in the order of the page."""
    return tuple(question for question in QUESTIONS_OF[noun] if question in study.questions)


def _answered(noun: str, asked: AskedQuestion, here: Here) -> Shown:
    name = asked.study or DEFAULT.get(noun, "eu-covid")
    desk = desk_of(name, here)
    questions = asked_of(noun, desk.study)
    if not questions:
        others = [other for other in here.runs.names() if asked_of(noun, here.runs.study(other))]
        raise StudyError(f"the study {name} asks nothing of this page", mend=nearest(name, others))
    question = asked.question or questions[0]
    if question not in questions:
        raise StudyError(f"the study {name} has no question {question!r} of this page", mend=nearest(question, questions))
    stamp = here.runs.stamp()
    sections = {one: here.kept.get(("section", name, one, here.language, stamp), partial(_section, one, name, here)) for one in questions}
    title, answer, blocks = sections[question]
    also = tuple(
        (sections[one][0], sections[one][1][0] if sections[one][1] else Markup(), f"?{urlencode({'study': name, 'question': one})}")
        for one in questions
        if one != question
    )
    run = here.runs.answered(name).run
    made = Made(
        command=f"qonys study run {name}", methods=METHODS_OF.get(question, ()), study=name,
        inputs=tuple((one.file, one.sha256) for one in run.inputs), versions=run.versions,
    )  # fmt: skip
    return Shown(title=title, answer=answer, blocks=blocks, made=made, also=also)


def _section(question: str, name: str, here: Here) -> tuple[Markup, tuple[Markup, ...], tuple[Figure | Listing | Paragraph, ...]]:
    desk = desk_of(name, here)
    section = SECTIONS[question](desk)
    return section.title, *of_section(section, desk, say=here.say)


def question_view(noun: str, path: str) -> View:
    """The view of a page that shows the questions of studies."""

    def show(asked: AskedQuestion, here: Here) -> Shown:
        """A question of a finished study answered: sentences, pictures, tables, every number with its way back."""
        return _answered(noun, asked, here)

    def choices(asked: AskedQuestion, here: Here) -> dict[str, tuple[tuple[str, str], ...]]:
        studies = [(name, here.runs.study(name)) for name in here.runs.names()]
        study = here.runs.answered(asked.study or DEFAULT.get(noun, "eu-covid")).study
        return {
            "study": tuple((name, study_title(one, here.say)) for name, one in studies if asked_of(noun, one)),
            "question": tuple((one, here.say.plain(f"question.{one}")) for one in asked_of(noun, study)),
        }

    return View(path=path, asked=AskedQuestion, show=show, heading=f"web.view.{path}", choices=choices)
