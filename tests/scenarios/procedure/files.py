"""Files that several tests read."""

from __future__ import annotations

from qonys.scenarios.procedure.read import read_procedure

KANDAS = """
name = "kandas"
limit = 90
first = 2021-01-01
runs = 8
arrivals = { per_month = 400 }
agencies.interior = {}
steps = [
    { id = "residence", agency = "interior", passing = { mean = 60, cv = CV } },
    { id = "permit", agency = "interior", passing = { mean = 30, cv = CV } },
    { id = "citizenship", agency = "interior", passing = { mean = 90, cv = CV } },
]
variants.in_turn = { order = "in_turn" }
variants.at_once = { order = "at_once" }
"""

OFFICES = """
name = "offices"
country = "KAZ"
limit = 60
limit_counts = "working_days"
first = 2021-03-01
months = 3
warm_up_months = 1
cool_down_months = 1
backlog = 10
seed = 3
runs = 4
order = "as_declared"

[arrivals]
per_month = 120
seasonality = [0.9, 0.9, 1.0, 1.1, 1.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
process = "working_days"

[agencies.migration]
officers = 4
calendar = "working_days"
officer_day = 40
[agencies.justice]
officers = [{ from = 2021-01-01, number = 3 }, { from = 2021-04-15, number = 4 }]
calendar = "working_days"
closed = [2021-04-01]
officer_day = 50
[agencies.post]

[[steps]]
id = "intake"
agency = "migration"
handling = { mean = 0.5, cv = 0.8 }
documents = ["passport", "photo", "autobiography"]
fault = 0.1
returned = { days = { mean = 6, cv = 0.5 }, most = 2 }
[[steps]]
id = "check"
agency = "justice"
after = ["intake"]
handling = { mean = 0.4, distribution = "exponential" }
passing = { mean = 10, cv = 0.3, distribution = "lognormal" }
documents = ["passport", "no_record"]
fault = 0.05
returned = { days = { mean = 4, cv = 0.5 }, clock = "runs" }
[[steps]]
id = "letter"
agency = "post"
after = ["check"]
passing = { quantiles = [1, 3, 9] }
clock = "stops"

[[classes]]
id = "vulnerable"
share = 0.2
priority = 1

[costs]
delay_day = 3
open_day = 0.5
visit = 4
document = 2
currency = "KZT"

[variants.as_is]
[variants.one_stop]
one_stop = true
[variants.more_officers]
officers = { migration = "+50%", justice = 5 }
[variants.fewer_documents]
drop_documents = ["autobiography"]
[variants.all]
based_on = "one_stop"
officers = { migration = 8 }
documents_share = 0.5
order = "at_once"
"""


def kandas(cv: float = 0.0):
    return read_procedure(KANDAS.replace("CV", str(cv)), "kandas.toml")


def offices(**changed: str):
    """The procedure of OFFICES, with lines replaced: offices(backlog="backlog = 0")."""
    text = OFFICES
    for key, line in changed.items():
        old = next(one for one in text.splitlines() if one.startswith(f"{key} ="))
        text = text.replace(old, line)
    return read_procedure(text, "offices.toml")


def queue(*, servers: int, load: float, days: int = 30, per_day: float = 1000, service: str = 'distribution = "exponential"', more: str = "", steps: int = 1):  # fmt: skip
    """Arrivals at a constant rate for so many months at one or more stations that are always open."""
    months = max(1, round(days / 30)) + 1
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] * (1 + months // 12)
    text = f"""
limit = 1
first = 2021-02-01
warm_up_months = 1
months = {months - 1}
arrivals.per_month = {[per_day * length for length in lengths[:months]]}
"""
    for place in range(steps):
        text += f"agencies.a{place}.officers = {servers}\n"
    for place in range(steps):
        text += f'[[steps]]\nid = "s{place}"\nagency = "a{place}"\nhandling = {{ mean = {servers * load / per_day!r}, {service} }}\n'
    return read_procedure(text + more, "queue.toml")


def outcome(table, variant: str, measure: str):
    """One row."""
    return table[(table["variant"] == variant) & (table["measure"] == measure)].iloc[0]
