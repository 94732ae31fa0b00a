"""Crude strangles: a rise that tests the call side, and a month in which nothing happens (B.4)."""

from dataclasses import replace
from datetime import date

import numpy as np

from tomking.app.markets import oil_bars
from tomking.app.scenario.books import begin, some, strangle, usd
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.play_levels import judged
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, Story, implicit
from tomking.app.scenario.tape import packaged, tape
from tomking.domain.bars import Bars
from tomking.domain.intent import Approved, Target
from tomking.strategies.futures_strangle import Settings

FIRST = date(2018, 6, 20)
CAPITAL = 200_000
HELD_AT = "11:30"
"""After the inventories of a Wednesday."""
WEEK = 5
LADDER = ("side delta", "all delta", "roll", "stop")
"""Triggers by which a strangle is defended."""


def told(moves: list[float]) -> Bars:
    """WTI with these daily returns from ``FIRST`` on, and its own after them."""
    bars = oil_bars(packaged()[0])
    row = int(np.searchsorted(bars.day, np.datetime64(FIRST)))
    path = bars.close[row - 1] * np.cumprod(1 + np.array(moves))
    price = bars.close.copy()
    price[row : row + len(moves)] = path
    price[row + len(moves) :] *= path[-1] / bars.close[row + len(moves) - 1]
    return Bars(bars.day, price, price, price, price)


def played(moves: list[float], sessions: int) -> tuple[Stage, str]:
    """An MCL strangle in the units that the gate permits, and so many sessions."""
    stage = Stage(tape(oil=told(moves)), usd(CAPITAL), some("futures_strangle"))
    now = begin(stage, FIRST, HELD_AT)
    wish = replace(strangle(stage, now, "MCL"), targets=(Target(("put", "call"), Settings().target),))
    verdict = judged(stage, now, wish)
    units = verdict.units if isinstance(verdict, Approved) else 1
    stage.take(wish, now, units)
    days = stage.tape.sessions.between(FIRST, date(2018, 12, 31)).days[:sessions]
    stage.play(FIRST, days[-1].date)
    said = "as the gate permits" if isinstance(verdict, Approved) else str(verdict.breaches[0])
    return stage, f"{units} MCL strangles ({said}); closed by {_closed_by(stage.story)}."


def _closed_by(story: Story) -> str:
    closings = story.closings("futures_strangle")
    return ", ".join(f"{o.trigger} of the {' and the '.join(o.roles)}" for o, _ in closings) or "nothing"


def plus_15() -> Outcome:
    calm = [0.002, -0.002] * 10
    stage, said = played([1.15 ** (1 / WEEK) - 1] * WEEK + calm, WEEK + len(calm))
    story = stage.story
    defended = [o for o, _ in story.closings("futures_strangle") if o.trigger in LADDER]
    calls = [o for o in defended if "call" in o.roles or o.trigger == "roll"]
    figures: Figures = {
        "call_side_tested": float(bool(calls) and len(calls) == len(defended)),
        "loss_share": story.worst_from(at(FIRST, HELD_AT)),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),), (said,))


def in_a_range() -> Outcome:
    month = [0.004, -0.004, -0.003, 0.003] * 8
    stage, said = played(month, len(month))
    story = stage.story
    closings = story.closings("futures_strangle")
    figures: Figures = {
        "closed_at_target": float([o.trigger for o, _ in closings] == ["target"]),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),), (said,))


PLAYS = {"crude-plus-15": plus_15, "crude-range": in_a_range}
