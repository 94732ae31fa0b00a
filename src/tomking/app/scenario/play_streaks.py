"""Scenarios of things that come together: correlations at one, losses in a row."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np

from tomking.adapters.history import load_gold
from tomking.app.scenario.books import begin, hold_lt112, hold_strangle, some, usd
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.play_levels import days_from, permitted, probe
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, Story, implicit
from tomking.app.scenario.tape import Knot, packaged, tape
from tomking.domain.bars import Bars
from tomking.domain.contract import Right
from tomking.domain.intent import Open, Part
from tomking.domain.structure import Leg, Structure
from tomking.risk.groups import complexes_correlation, held_complexes
from tomking.rules import select

GOLD_FOLLOWS = date(2018, 5, 1)
FOLLOWED = 32
HIGH = 0.80
LOSSES = date(2018, 6, 18)
RISE = 0.015


def correlation_spike() -> Outcome:
    real = tape()
    days = days_from(real, date(2018, 4, 25), 40)
    stage = Stage(tape(gold=_following()), usd(200_000))
    now = begin(stage, days[0])
    hold_lt112(stage, now, "ES", 1)
    hold_strangle(stage, now, "GC")
    complexes = held_complexes(stage.book, stage.settings)
    before = _correlation(stage, now, complexes)
    heights: list[float] = []
    story = stage.story
    units = 0
    for day in days:
        stage.play(day, until="12:00")
        noon = at(day, "12:00")
        heights.append(_correlation(stage, noon, complexes))
        if stage.book.positions or story.level_at("breaker", noon) >= 2:
            units += permitted(stage, noon, probe(stage, noon)) if heights[-1] >= HIGH else 0
        stage.play(day)
    figures: Figures = {
        "before": before,
        "after": max(heights),
        "breaker_level": story.highest("breaker"),
        "emergency_level": story.highest("emergency"),
        "held_at_end": len(stage.book.positions),
        "entries_at_height": len(story.openings()),
        "permitted_at_height": units,
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def _correlation(stage: Stage, now: datetime, complexes: dict[str, str]) -> float:
    found = complexes_correlation(stage.view(now), complexes, stage.settings.correlation_breaker_days)
    return float("nan") if found is None else found


def _following() -> Bars:
    """Gold's real bars, but for some sessions with the index's returns."""
    gold, spx = load_gold(), packaged()[0].spx
    columns = {name: getattr(gold, name).copy() for name in ("open", "high", "low", "close")}
    first = int(np.searchsorted(gold.day, np.datetime64(GOLD_FOLLOWS)))
    offset = int(np.searchsorted(spx.day, gold.day[first])) - first
    for row in range(first, first + FOLLOWED):
        close = columns["close"][row - 1] * spx.close[row + offset] / spx.close[row + offset - 1]
        factor = close / columns["close"][row]
        for column in columns.values():
            column[row:] *= factor
    return replace(gold, **columns)


# ------------------------------------------------------------------ losses in a row


def consecutive_losses() -> Outcome:
    real = tape()
    days = days_from(real, LOSSES, 8)
    told = {
        day: (
            Knot("09:30", 0.0, 16.0),
            Knot("10:00", 0.0, 16.0),
            Knot("12:00", RISE, 16.0),
            Knot("16:00", RISE, 16.0),
        )
        for day in days
    }
    stage = Stage(tape(told), usd(200_000), some("friday_0dte"))
    half = three = in_pause = 0
    for i, day in enumerate(days[:4]):
        now = begin(stage, day, "09:45")
        for _ in range((3, 1, 1, 0)[i]):
            stage.take(_call_spread(stage, now), now, 1)
        stage.play(day, until="15:30")
        if not half and stage.book.losing_run >= stage.settings.losing_run_half:
            half = stage.book.losing_run
        if i == 0:
            three = _wished(stage, at(day, "15:30"))
        if i == 3:
            in_pause = _wished(stage, at(day, "15:30"))
        stage.play(day)
    story = stage.story
    figures: Figures = {
        "run": stage.book.losing_run,
        "half_from": half,
        "pause_from": _length(story),
        "permitted_after_three_in_a_day": three,
        "permitted_in_pause": in_pause,
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def _length(story: Story) -> float:
    """The run that the first pause names."""
    pauses = [e for e in story.levels("pause.losing_run") if e.after]
    return float(pauses[0].detail.split()[0]) if pauses else 0.0


def _wished(stage: Stage, now: datetime) -> int:
    return permitted(stage, now, probe(stage, now))


def _call_spread(stage: Stage, now: datetime) -> Open:
    """A call spread at the money that expires today: the rise goes through both strikes."""
    view = stage.view(now)
    today = min(view.expiries("SPXW"))
    chain = view.chain("SPXW", today)
    assert chain is not None
    assert today == view.today, f"no SPXW expires on {view.today}"
    short = select.nearest_strike(chain, Right.CALL, chain.forward * 1.004)
    assert short is not None
    long = select.wing(chain, short, float(chain.forward) * 0.004)
    assert long is not None
    structure = Structure("spread", (Leg(short, -1), Leg(long, +1)))
    quote = select.priced(view, structure)
    assert quote is not None
    return Open(
        strategy="friday_0dte",
        entry="0dte",
        parts=(Part("call side", structure),),
        ceiling=1,
        planned_loss=2 * quote.mid,
        target_gain=quote.mid / 2,
        least_net=structure.tick,
        reason="scenario",
    )


PLAYS = {"correlation-spike": correlation_spike, "consecutive-losses": consecutive_losses}
