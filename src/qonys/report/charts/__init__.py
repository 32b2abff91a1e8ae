"""Charts that a statistics office would print, as SVG, without network or browser.

A function takes a small frame whose labels are already in the reader's language and gives a `Chart`: the same rows drawn 760 pixels wide
for a page and 360 for a telephone. The page shows one of them (`chart-wide`, `chart-narrow`). Nothing missing is bridged, no end is made
up, and every number printed comes from the rows or from a tick of an axis. `theme` holds colours and the room a text needs, `axes` the
scales and ticks, `draw` the sheet on which marks are put, `svg` the rendering by Vega and what makes one SVG safe beside
another. Then the families: `series` and `points` along time, `lanes` for measures, `firsts` for who moved first, `events` for what a
measure did, `places` for maps of likeness, `worlds` for maps of areas, `cells` for grids, `ranks` for rows compared, `flows` for who
goes where, `periods` for lines over the measures in force, and of the rooms `queues`, `shares` and `corridors`; `dates` is what these
share. Vega is imported when the first chart is drawn, not before.
"""

from qonys.report.charts.cells import heat_strips, matrix, tile_map
from qonys.report.charts.corridors import routes
from qonys.report.charts.events import counterfactual, event_study
from qonys.report.charts.firsts import Act, first_days
from qonys.report.charts.flows import chord, od_matrix
from qonys.report.charts.lanes import Band, timelines
from qonys.report.charts.periods import lines_over_periods
from qonys.report.charts.places import policy_map
from qonys.report.charts.points import point_series
from qonys.report.charts.queues import procedure_bars, stacked_days
from qonys.report.charts.ranks import change_dots, intervals, ranked_bars, steps
from qonys.report.charts.series import Phase, interval_lines, time_lines
from qonys.report.charts.shares import step_lines
from qonys.report.charts.svg import Chart
from qonys.report.charts.worlds import area_map, mapped

__all__ = [
    "Act", "Band", "Chart", "Phase", "area_map", "change_dots", "chord", "counterfactual", "event_study", "first_days", "heat_strips",
    "interval_lines", "intervals", "lines_over_periods", "mapped", "matrix", "od_matrix", "point_series", "policy_map", "procedure_bars",
    "ranked_bars", "routes", "stacked_days", "step_lines", "steps", "tile_map", "time_lines", "timelines",
]  # fmt: skip
