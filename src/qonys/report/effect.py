"""An effect in words and pictures: the number with its interval, what was assumed, what the checks say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.report.charts import counterfactual, event_study, intervals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.effects import Checks, Effect
    from qonys.i18n.lookup import Words
    from qonys.report.charts import Chart

DOUBTFUL = 0.10  # below it the trends before are said to differ: the test has little power, so the bar is low


def effect_paragraph(effect: Effect, found: Checks, least: float, say: Words) -> str:
    """The estimate, its assumption and its checks, in one paragraph."""
    places = digits(effect.estimate, effect.low, effect.high)

    def number(value: float, *, sign: bool = True) -> str:
        return say.number(value, places, sign=sign)

    unit = unit_of(effect, say)
    text = [
        say.plain(
            "effect.decided" if effect.decided else "effect.undecided", estimator=say.label("estimator", effect.estimator),
            estimate=number(effect.estimate), unit=unit, low=number(effect.low), high=number(effect.high),
            coverage=say.number(100 * effect.coverage),
        ),
        say.plain(
            "effect.units", treated=say.number(effect.treated), comparison=say.number(effect.comparison), periods=say.number(effect.periods)
        ),
        say.label("assumes", effect.estimator),
    ]  # fmt: skip
    if np.isnan(effect.pre_trend):
        text.append(say.plain("effect.pre_trend.none"))
    else:
        text.append(say.plain(f"effect.pre_trend.{'bad' if effect.pre_trend < DOUBTFUL else 'good'}", p=say.number(effect.pre_trend, 3)))
    if len(found.in_time):
        off = ((found.in_time["low"] > 0) | (found.in_time["high"] < 0)).sum()
        text.append(say.plain("effect.in_time", number=say.number(off), of=say.number(len(found.in_time))))
    if len(found.in_space):
        text.append(say.plain("effect.in_space", share=say.number(100 * found.share_as_far), draws=say.number(len(found.in_space) + 1)))
    if len(found.without):
        most = _most(found.without, effect.estimate)
        low, high = found.without["estimate"].min(), found.without["estimate"].max()
        text.append(say.plain("effect.without", low=number(low), high=number(high), unit=_name(most, say)))
    whole = found.honest[found.honest["m"] == 1.0]
    if len(whole):
        text.append(say.plain("effect.honest", low=number(whole["low"].iloc[0]), high=number(whole["high"].iloc[0])))
    if np.isfinite(least):
        text.append(say.plain("effect.least", least=number(least, sign=False), unit=unit))
    return " ".join(text)


def event_chart(effect: Effect, say: Words) -> Chart:
    """The estimates by periods since the measure began. Errors: DesignError where there are none."""
    _refuse_without_periods(effect.by_time, effect)
    return event_study(
        effect.by_time.rename(columns={"estimate": "value"}), prefix="effect", unit=unit_of(effect, say), locale=say.language,
        title=say.plain("chart.event_study", estimator=say.label("estimator", effect.estimator)),
        desc=say.plain("chart.event_study.about", coverage=say.number(100 * effect.coverage)),
        time_label=say.plain("column.event_time"), force_label=say.plain("series.in_force"),
    )  # fmt: skip


def counterfactual_chart(effect: Effect, path: pd.DataFrame, say: Words) -> Chart:
    """What came beside what would have come: path as `effects.without` gives it. Errors: DesignError where there are no periods."""
    _refuse_without_periods(path, effect)
    return counterfactual(
        path, prefix="without", unit=unit_of(effect, say), locale=say.language,
        names=(say.plain("series.observed"), say.plain("series.without")),
        title=say.plain("chart.counterfactual", estimator=say.label("estimator", effect.estimator)),
        desc=say.plain("chart.counterfactual.about", coverage=say.number(100 * effect.coverage)),
        time_label=say.plain("column.event_time"), force_label=say.plain("series.in_force"),
    )  # fmt: skip


def forest_chart(effects: Sequence[Effect], say: Words) -> Chart:
    """All estimates of one measure on one axis, in the order given."""
    places = digits(*(value for one in effects for value in (one.estimate, one.low, one.high)))
    rows = []
    for one in effects:
        numbers = {
            to: say.number(getattr(one, of), places, sign=True) for to, of in (("change", "estimate"), ("low", "low"), ("high", "high"))
        }
        text = say.plain("answer.number", kind="", **numbers).strip()
        rows.append({"label": say.label("estimator", one.estimator), "value": one.estimate, "low": one.low, "high": one.high, "text": text})
    return intervals(
        pd.DataFrame(rows), prefix="forest", unit=unit_of(effects[0], say), locale=say.language, title=say.plain("chart.forest"),
        desc=say.plain("chart.forest.about", coverage=say.number(100 * effects[0].coverage)),
    )  # fmt: skip


def unit_of(effect: Effect, say: Words) -> str:
    """The unit in the language, or in the words of the design where the catalogue has none."""
    return say.label("unit.name", effect.unit, effect.unit)


def _refuse_without_periods(table: pd.DataFrame, effect: Effect) -> None:
    if table.empty:
        raise DesignError(f"{effect.estimator} gives no estimates by period", mend="take another estimator, or leave the picture out")


def _most(without: pd.DataFrame, estimate: float) -> str:
    return str(without.loc[(without["estimate"] - estimate).abs().idxmax(), "unit"])


def _name(unit: str, say: Words) -> str:
    from qonys.core import areas

    return say.area(unit) if unit in areas.codes() else unit


def digits(*values: float) -> int:
    """Decimals that show three significant figures of the widest number."""
    size = max((abs(value) for value in values if np.isfinite(value) and value), default=1.0)
    return int(np.clip(2 - np.floor(np.log10(size)), 0, 6))
