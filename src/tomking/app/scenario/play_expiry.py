"""Expiry Friday: everything ends in order, is assigned or settled once, and nothing stays short."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal

from tomking.app.scenario.books import begin, hold_ipmcc, some, usd
from tomking.app.scenario.disturbed import Fault
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, implicit
from tomking.app.scenario.tape import Knot, gliding, tape
from tomking.domain import events as ev
from tomking.domain.book import fold
from tomking.domain.calendar import new_york
from tomking.domain.contract import Future, Option, Right
from tomking.domain.intent import Open, Part
from tomking.domain.structure import Leg, Structure
from tomking.rules import select

BEFORE, THURSDAY, FRIDAY, MONDAY = date(2018, 6, 1), date(2018, 6, 14), date(2018, 6, 15), date(2018, 6, 18)


def expiry_friday() -> Outcome:
    rise = (Knot("09:30", 0.001, 24.0), Knot("16:00", 0.008, 24.0))
    last = (Knot("09:30", 0.0, 24.0), Knot("10:30", 0.001, 24.0), Knot("16:00", 0.006, 24.0))
    days = [date(2018, 6, day) for day in (11, 12, 13)]
    nerves = gliding(days, (13.0, 16.0, 19.0, 22.0), (0.0, 0.0, 0.0))
    gone = Fault("silent", at(FRIDAY, "15:20"), at(FRIDAY, "16:00"))
    on = tape({**nerves, THURSDAY: rise, FRIDAY: last})
    stage = Stage(
        on, usd(200_000), some("friday_0dte", "butterfly_9b", "ipmcc", "leap_put_income"), faults=(gone,)
    )
    hold_ipmcc(stage, begin(stage, BEFORE, "09:32"))
    stage.play(BEFORE, date(2018, 6, 13))
    now = begin(stage, THURSDAY, "09:45")
    stage.take(_put_in_the_money(stage, now, "leap_put_income"), now, 1)
    left = stage.take(_put_in_the_money(stage, now, "scenario_short_put"), now, 1)
    begin(stage, FRIDAY, "10:33")
    fly = stage.hold("butterfly_9b", "9b", at(FRIDAY, "10:33"))
    if not stage.book.of("friday_0dte"):
        stage.hold("friday_0dte", "0dte", at(FRIDAY, "10:33"), product="ES")
    stage.play(FRIDAY)
    story, book = stage.story, stage.book
    shorts = sum(
        leg.is_short and leg.contract.expiry <= FRIDAY for p in book.positions.values() for leg, _ in p.legs()
    )
    futures = sum(isinstance(c, Future) for c in book.held())
    again = fold(stage.journal.read())
    stage.play(MONDAY, until="09:45")
    settled = [e for e in story.events if isinstance(e, ev.Settled)]
    twice = Counter((e.position, e.role, c) for e in settled for c in e.expired)
    closings = [new_york(f.at) for o, f in story.closings("friday_0dte")]
    figures: Figures = {
        "shorts_left": shorts,
        "overnight_futures": futures,
        "zero_dte_closed_at": max((c.hour + c.minute / 60 for c in closings), default=0.0),
        "settled_twice": sum(n > 1 for n in twice.values()),
        "assigned": sum(bool(e.delivered) for e in settled),
        "shares_left": sum(c.delivered for p in stage.book.positions.values() for c in p.open_components),
        "fly_settled": sum(e.position == fly for e in settled),
        "restart_differs": float(again != book),
        "income_closed": sum(o.trigger != "delivered" for o, _ in story.closings("leap_put_income")),
        "weekly_rolled": sum(
            e.order.opens and e.order.strategy == "ipmcc"
            for e in story.sent(at(FRIDAY, "09:30"), at(FRIDAY, "16:01"))
        ),
        "left_assigned": sum(e.position == left and bool(e.delivered) for e in settled),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def _put_in_the_money(stage: Stage, now: datetime, strategy: str) -> Open:
    view = stage.view(now)
    chain = view.chain("SPY", FRIDAY)
    assert chain is not None
    put = select.nearest_strike(chain, Right.PUT, chain.forward * 1.03)
    assert isinstance(put, Option)
    structure = Structure("put", (Leg(put, -1),))
    return Open(
        strategy=strategy,
        entry="rung",
        parts=(Part("put", structure),),
        ceiling=1,
        planned_loss=Decimal(5),
        target_gain=Decimal(1),
        least_net=structure.tick,
        reason="scenario",
    )


PLAYS = {"expiry-friday": expiry_friday}
