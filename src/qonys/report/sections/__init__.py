"""One section a question: from its results to sentences, figures and tables. No arithmetic here: a number is a cell of a result."""

from qonys.report.sections.assumed import assumptions
from qonys.report.sections.borders import border_days, border_strictness, convergence
from qonys.report.sections.coverage import conflicts, coverage
from qonys.report.sections.diffusion import diffusion
from qonys.report.sections.labour import ethnic_return, foreign_labour
from qonys.report.sections.members import catching_up, clubs, layers
from qonys.report.sections.movement import external, immigration, internal
from qonys.report.sections.policy import challenges, objects, policy_mix, register
from qonys.report.sections.portfolios import departure, portfolios
from qonys.report.sections.response import response
from qonys.report.sections.room_runs import corridor, deadline, settlement
from qonys.report.sections.rooms import arithmetic, procedure, resettlement, returns
from qonys.report.sections.shocks import shocks
from qonys.report.sections.turning_points import turning_points

SECTIONS = {
    "external": external, "internal": internal, "foreign_labour": foreign_labour, "ethnic_return": ethnic_return, "objects": objects,
    "challenges": challenges, "policy_mix": policy_mix, "returns": returns, "procedure": procedure, "resettlement": resettlement,
    "assumptions": assumptions, "deadline": deadline,
    "corridor": corridor, "settlement": settlement,
    "arithmetic": arithmetic, "register": register, "border_days": border_days, "border_strictness": border_strictness,
    "convergence": convergence, "immigration": immigration, "coverage": coverage, "conflicts": conflicts, "diffusion": diffusion,
    "turning_points": turning_points, "portfolios": portfolios, "departure": departure, "layers": layers, "catching_up": catching_up,
    "clubs": clubs, "shocks": shocks, "response": response,
}  # fmt: skip

__all__ = ["SECTIONS"]
