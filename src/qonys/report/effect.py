"""An effect in plain words: the number with its interval, what was assumed, what the checks say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from qonys.effects import Checks, Effect
    from qonys.i18n.lookup import Words

DOUBTFUL = 0.10  # below it the trends before are said to differ: the test has little power, so the bar is low


def effect_paragraph(effect: Effect, found: Checks, least: float, say: Words) -> str:
    """The estimate, its assumption and its checks, in one paragraph."""
    places = digits(effect.estimate, effect.low, effect.high)

    def number(value: float, *, sign: bool = True) -> str:
        return say.number(value, places, sign=sign)

    unit = say.label("effect.unit", effect.unit, effect.unit)
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


def _most(without: pd.DataFrame, estimate: float) -> str:
    return str(without.loc[(without["estimate"] - estimate).abs().idxmax(), "unit"])


def _name(unit: str, say: Words) -> str:
    from qonys.core import areas

    return say.area(unit) if unit in areas.codes() else unit


def digits(*values: float) -> int:
    """Decimals that show three significant figures of the widest number."""
    size = max((abs(value) for value in values if np.isfinite(value) and value), default=1.0)
    return int(np.clip(2 - np.floor(np.log10(size)), 0, 6))
