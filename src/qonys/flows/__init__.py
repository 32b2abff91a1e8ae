"""What moved: flows between areas, as published and as derived (question Q1).

A flow table may hold several reports of one figure. `annual_totals` ranks them, `annual_series` uses the best, `disagreements`
shows the rest; `regional_net` does the moves between a country's regions, `mean_population` and `with_rates` put them in relation
to the people who could move, `change_about` compares the years before, in and after a shock.
"""

from qonys.flows.change import change_about
from qonys.flows.internal import mean_population, regional_net, with_rates
from qonys.flows.series import annual_series, annual_totals, disagreements

__all__ = ["annual_series", "annual_totals", "change_about", "disagreements", "mean_population", "regional_net", "with_rates"]
