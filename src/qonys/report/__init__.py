"""Say it, so that a minister can check it (question Q7).

`write_report` turns the results of a study into one HTML file, a workbook and the figures, in one language; `sections` holds a function
a question, `blocks` the parts they are built of, `charts` the drawing, `claims` the check of somebody else's text.
"""

from qonys.report.dossier import write_report

__all__ = ["write_report"]
