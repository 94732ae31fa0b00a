"""Scenarios of the clock: half days, clock changes, holidays, a whole day, everything in one second."""

import resource
from collections import Counter
from dataclasses import replace
from datetime import date, time, timedelta
from itertools import pairwise

from tomking.app.scenario.books import begin, everything, hold_ipmcc, hold_lt112, some, usd
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, implicit
from tomking.app.scenario.tape import Knot, gliding, tape
from tomking.domain import events as ev
from tomking.domain.calendar import new_york
from tomking.risk.valuation import account_of
from tomking.strategies import friday_0dte
from tomking.strategies.lt112 import Settings as Lt112
from tomking.strategies.lt112 import strategy as lt112_of

EXPIRY_LESS_21 = date(2018, 6, 29)
"""A Friday three weeks before the third Friday of July."""
HALF_DAY = date(2021, 11, 26)
CLOCK_CHANGES = (date(2022, 3, 11), date(2022, 3, 18), date(2022, 11, 4), date(2022, 11, 11))


def half_day() -> Outcome:
    stage = Stage(tape(), usd(200_000), some("friday_0dte", "lt112"))
    hold_lt112(stage, begin(stage, date(2021, 11, 22), "10:00"), "MES", 2)
    story = stage.play(date(2021, 11, 22), date(2021, 11, 29))
    on_it = [e for e in story.declined("friday_0dte", "CAL") if new_york(e.at).date() == HALF_DAY]
    ended = new_york(story.ended()[HALF_DAY].at)
    figures: Figures = {
        "zero_dte_entries": len(
            story.entries("friday_0dte", since=at(HALF_DAY, "09:30"), until=at(HALF_DAY, "16:00"))
        ),
        "declined_cal": len(on_it),
        "after_one": len(story.sent(at(HALF_DAY, "13:00"), at(HALF_DAY, "23:00"))),
        "ended_at": ended.hour + ended.minute / 60,
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def hours() -> Outcome:
    gate_off = friday_0dte.strategy(replace(friday_0dte.Settings(), vix_gate="off"))
    outside, wrong, seen = 0, 0, 0
    stage = Stage(tape(), usd(200_000), (gate_off,))
    for friday in CLOCK_CHANGES:
        for wall in ("04:00", "08:00", "09:29"):
            outside += _events_of_a_step(stage, friday, wall)
        before = len(stage.story.events)
        stage.wake = at(friday, "09:30")
        stage.play(friday)
        for event in stage.story.events[before:]:
            if isinstance(event, ev.Declined | ev.EntryApproved) and event.strategy == "friday_0dte":
                seen += 1
                wrong += not "10:30" <= f"{new_york(event.at):%H:%M}" <= "11:00"
                break
        for wall in ("16:01", "18:00", "23:59"):
            outside += _events_of_a_step(stage, friday, wall)
        outside += _events_of_a_step(stage, friday + timedelta(days=1), "10:30")
    for closed in (date(2022, 4, 15), date(2023, 1, 1), date(2023, 1, 2)):
        outside += _events_of_a_step(stage, closed, "10:30")
    wednesdays = Stage(tape(), usd(200_000), some("lt112"))
    story = wednesdays.play(date(2019, 12, 30), date(2020, 1, 3))
    asked = {
        new_york(e.at).date()
        for e in story.events
        if isinstance(e, ev.Declined | ev.EntryApproved) and e.strategy == "lt112"
    }
    figures: Figures = {
        "events_outside": outside,
        "other_wall_times": wrong,
        "fridays_seen": seen,
        "holiday_wednesday_moved": float(date(2020, 1, 2) in asked),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures)


def _events_of_a_step(stage: Stage, day: date, wall: str) -> int:
    before = len(stage.story.events)
    if not len(stage.journal):
        return 0
    stage.kernel.step(at(day, wall))
    return len(stage.story.events) - before


def whole_day() -> Outcome:
    day = date(2020, 3, 9)
    stage = Stage(tape(), usd(200_000), everything())
    now = begin(stage, date(2020, 3, 6), "15:30")
    hold_lt112(stage, now, "MES", 2)
    stage.play(date(2020, 3, 6))
    story, outside = stage.story, 0
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    instant, end = at(day, "00:00"), at(day + timedelta(days=1), "00:00")
    session = stage.tape.sessions.on(day)
    assert session is not None
    while instant < end:
        before = len(story.events)
        stage.kernel.step(instant)
        stage.look(instant)
        if not session.open <= instant <= session.close:
            outside += len(story.events) - before
        instant += timedelta(minutes=1)
    story.book = stage.book
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024
    a_minute = Counter(e.at.replace(second=0) for e in story.sent())
    figures: Figures = {
        "outside": outside,
        "growth_mb": grown,
        "orders_a_minute": max(a_minute.values(), default=0),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def same_second() -> Outcome:
    """An LT112's last morning and the 0DTE's entry at 10:30 sharp; a fall of the index in the same minute."""
    days = [date(2018, 6, 26), date(2018, 6, 27), date(2018, 6, 28)]
    calm = (Knot("09:30", 0.0, 24.0), Knot("10:29", 0.0, 24.0))
    jump = (*calm, Knot("10:30", -0.006, 26.0), Knot("16:00", -0.006, 26.0))
    told = {**gliding(days, (16.0, 18.0, 21.0, 24.0), (0.0, 0.0, 0.0)), EXPIRY_LESS_21: jump}
    exits = lt112_of(replace(Lt112(), exit_from=time(10, 30)))
    stage = Stage(tape(told), usd(200_000), (exits, *some("friday_0dte", "ipmcc", "butterfly_9b")))
    bought = date(2018, 6, 22)
    hold_ipmcc(stage, begin(stage, bought, "09:32"))
    stage.play(bought, days[-2])
    hold_lt112(stage, begin(stage, days[-1], "15:30"), "ES", 1, days=22)
    stage.play(days[-1])
    most = 0.0
    for wall in ("10:29", "10:30", "10:31", "10:40", "11:00", "12:00", "15:00"):
        stage.play(EXPIRY_LESS_21, until=wall)
        instant = at(EXPIRY_LESS_21, wall)
        account = account_of(stage.book, stage.view(instant), stage.net_liq(instant), stage.settings)
        most = max(most, float(account.capital / stage.net_liq(instant)))
    story = stage.play(EXPIRY_LESS_21)
    figures: Figures = {
        "exits_after_entries": _exits_after_entries(story.sent()),
        "exits_at_1030": sum(e.at == at(EXPIRY_LESS_21, "10:30") and not e.order.opens for e in story.sent()),
        "wishes_at_1030": sum(
            isinstance(e, ev.EntryApproved | ev.Declined)
            and e.at == at(EXPIRY_LESS_21, "10:30")
            and e.strategy == "friday_0dte"
            for e in story.events
        ),
        "capital_share": most,
        "within_5_minutes": _too_near(story.sent()),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def _exits_after_entries(sent: "list[ev.OrderSubmitted]") -> int:
    opened, late = {}, 0
    for event in sent:
        if event.order.opens:
            opened[event.at] = True
        elif event.order.trigger != "target":
            late += event.at in opened
    return late


def _too_near(sent: "list[ev.OrderSubmitted]") -> int:
    entries = [(e.at, e.order.strategy) for e in sent if e.order.opens and e.order.position == e.order.id]
    return sum(a[1] != b[1] and b[0] - a[0] < timedelta(minutes=5) for a, b in pairwise(entries))


PLAYS = {"half-day": half_day, "hours": hours, "whole-day": whole_day, "same-second": same_second}
