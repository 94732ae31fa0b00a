"""Scenarios of the account's size: phases crossed both ways, and claims about how often and how well."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np

from tomking.app.scenario.books import begin, usd
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, Story, implicit
from tomking.app.scenario.tape import tape
from tomking.domain import events as ev
from tomking.risk.settings import Settings
from tomking.sim.metrics import wilson
from tomking.strategies import friday_0dte

FIRST = date(1995, 1, 3)
HELD = 25
"""Sessions at each station: more than the 20 between promotions and the 5 that confirm one."""
AUDIT_FLOORS = ("0", "40000", "50000", "80000", "100000")

Station = tuple[float, int]
"""Net liq, and the phase after its sessions."""


def phases_audit() -> Outcome:
    stations = (
        (39_900, 0), (40_100, 1), (49_900, 1), (50_100, 2), (79_900, 2), (80_100, 3), (99_900, 3),
        (100_100, 4), (99_900, 4), (93_200, 3), (79_900, 3), (74_600, 2), (49_900, 2), (46_600, 1),
        (39_900, 1), (37_300, 0), (39_900, 0),
    )  # fmt: skip
    floors = tuple(Decimal(floor) for floor in AUDIT_FLOORS)
    return _walked(replace(Settings(), phase_floors_usd=floors), 39_000, stations, 80_000)


def phases_default() -> Outcome:
    stations = (
        (44_499, 0), (44_501, 1), (63_499, 1), (63_501, 2), (95_249, 2), (95_251, 3), (126_999, 3),
        (127_001, 4), (126_999, 4), (118_400, 3), (95_249, 3), (88_800, 2), (63_499, 2), (59_200, 1),
        (44_499, 1), (41_500, 0), (44_499, 0),
    )  # fmt: skip
    return _walked(Settings(), 40_000, stations, 95_250)


def _walked(settings: Settings, start: float, stations: Sequence[Station], floor: float) -> Outcome:
    stage = Stage(tape(), usd(start), settings=settings)
    days = [s.date for s in stage.tape.sessions.between(FIRST, date(1998, 1, 1)).days]
    right = at_day = 0
    closes: list[float] = []
    for worth, phase in stations:
        _to(stage, days[at_day], worth)
        for day in days[at_day : at_day + HELD]:
            stage.play(day)
            closes.append(worth)
        at_day += HELD
        right += int(stage.book.levels["phase"]) == phase
    story = stage.story
    changes = [e for e in story.levels("phase") if e.before]
    up = [e for e in changes if int(e.after) > int(e.before)]
    floors = [float(f) for f in settings.phase_floors_usd]
    ended = list(story.ended().values())
    hair = sum(_worth_at(ended, e) < floors[int(e.after)] for e in up)
    waits = [_closes_above(ended, e, floors[int(e.after)]) for e in up]
    figures: Figures = {
        "steps_as_expected": right,
        "promotions": len(up),
        "demotions": len(changes) - len(up),
        "hair_below": hair,
        "closes_to_promotion": min(waits, default=0),
        "oscillations": _oscillated(settings, floor),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def _to(stage: Stage, day: date, worth: float) -> None:
    """Deposits or withdraws before the open, so that net liq is ``worth``."""
    if stage.wake is None:
        begin(stage, day)
    now = at(day, "09:30") if stage.wake is None else stage.wake
    stage.move_cash(usd(worth) - stage.book.cash, now)


def _worth_at(ended: Iterable[ev.SessionEnded], change: ev.LevelChanged) -> float:
    return next(float(e.net_liq) for e in ended if e.at == change.at)


def _closes_above(ended: Sequence[ev.SessionEnded], change: ev.LevelChanged, floor: float) -> int:
    """Consecutive closes at or above the floor up to the promotion."""
    row = next(i for i, e in enumerate(ended) if e.at == change.at)
    count = 0
    while row >= 0 and float(ended[row].net_liq) >= floor:
        count, row = count + 1, row - 1
    return count


def _oscillated(settings: Settings, floor: float) -> int:
    """Changes of phase while net liq swings a tenth of a per cent around a floor."""
    stage = Stage(tape(), usd(floor * 0.999), settings=settings)
    days = [s.date for s in stage.tape.sessions.between(FIRST, date(1996, 1, 1)).days[: 2 * HELD]]
    stage.play(days[0])
    for i, day in enumerate(days[1:]):
        assert stage.wake is not None
        stage.move_cash(usd(round(floor * (1.001 if i % 2 else 0.999), 2)) - stage.book.cash, stage.wake)
        stage.play(day)
    return sum(bool(e.before) for e in stage.story.levels("phase"))


# ------------------------------------------------------------------ paths of a year


def phase_paths() -> Outcome:
    ends, stories = [], []
    for months in ([0.025] * 12, [0.04, -0.02] * 6, [-0.04] * 12):
        stage = Stage(tape(), usd(60_000))
        worth, month = 60_000.0, 0
        for session in stage.tape.sessions.between(FIRST, date(1995, 12, 29)).days:
            if session.date.month != month:
                month = session.date.month
                stage.play(session.date, until="09:30")
                worth *= 1 + months[month - 1]
                stage.move_cash(usd(round(worth, 2)) - stage.book.cash, session.open)
            stage.play(session.date)
        ends.append(int(stage.book.levels["phase"]))
        stories.append(stage.story)
    totals = implicit(stories[0], tape().sessions)
    figures: Figures = {
        "winning_phase": ends[0],
        "mixed_phase": ends[1],
        "drawdown_phase": ends[2],
        **totals,
    }
    names = ("2.5 % a month", "+4 %, -2 %", "-4 % a month")
    return Outcome(figures, tuple(zip(names, stories, strict=True)))


# ------------------------------------------------------------------ frequency and win rate


def frequency() -> Outcome:
    stories = [_two_years(gate) for gate in ("hard", "off")]
    on, off = (
        list({e.at.date(): e for e in reversed(story.entries("friday_0dte"))}.values()) for story in stories
    )
    vixes = [tape().market.vix(e.at) for e in on]
    figures: Figures = {
        "fridays": sum(day.weekday() == 4 for day in stories[0].ended()),
        "gate_on_entries": len(on),
        "outside_gate": sum(v is None or not 22 < v[0] <= 35 for v in vixes),
        "gate_off_entries": len(off),
        "gate_costs": len(off) - len(on),
        **implicit(stories[0], tape().sessions),
    }
    return Outcome(figures, (("gate on", stories[0]), ("gate off", stories[1])))


def _two_years(gate: str) -> Story:
    strategy = friday_0dte.strategy(replace(friday_0dte.Settings(), vix_gate=gate))
    return Stage(tape(), usd(200_000), (strategy,)).play(date(2022, 1, 3), date(2023, 12, 29))


def win_rate() -> Outcome:
    rng = np.random.default_rng(1)
    held = 0
    for wins in rng.binomial(175, 0.8, size=200).tolist():
        interval = wilson(int(wins), 175)
        held += interval is not None and interval[0] <= 0.8 <= interval[1]
    few = wilson(5, 5)
    # Five wins of five leave the break-even rate of 80 % inside the interval: nothing is said.
    return Outcome({"covered": held / 200, "few_said": float(few is not None and few[0] < 0.8 < few[1])})


PLAYS = {
    "phases-audit": phases_audit,
    "phases-default": phases_default,
    "phase-paths": phase_paths,
    "frequency": frequency,
    "win-rate": win_rate,
}
