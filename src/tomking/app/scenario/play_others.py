"""The other strategies: floors of covered calls, debits of flies, what is off, and crude below zero."""

from dataclasses import replace
from datetime import date, datetime
from math import log1p

import numpy as np

from tomking.app.scenario.books import begin, everything, hold_ipmcc, some, usd
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.stage import Stage
from tomking.app.scenario.story import Figures, Story, implicit
from tomking.app.scenario.tape import gliding, tape
from tomking.domain import events as ev
from tomking.domain.contract import Option
from tomking.domain.order import Order
from tomking.pricing.bachelier import bachelier
from tomking.strategies import box_financing, butterfly_9b

FIRST = date(2018, 6, 20)
FLY_WIDTH = 10.0
NO_MORE = 0.20
"""Of the LEAP's cost lost: no weekly is sold from here on (B.5)."""
WTI, WTI_VOL = -37.63, 60.0
"""Dollars: May's settlement on 2020-04-20, and a volatility in dollars a year for the example."""


def ipmcc_floor() -> Outcome:
    days = [s.date for s in tape().sessions.between(FIRST, date(2018, 12, 31)).days[:80]]
    moves = [(0.80 ** (1 / 80)) - 1] * len(days)
    vixes = [14.0 + min(i / 4, 12.0) for i in range(len(days))]
    stage = Stage(tape(gliding(days, [13.0, *vixes], moves)), usd(200_000), some("ipmcc"))
    hold_ipmcc(stage, begin(stage, FIRST))
    story = stage.play(days[0], days[-1])
    leap = _leap(story)
    sold = _weeklies(story)
    cost = -_net(story, opens=True)
    below = sum(strike < float(leap.strike) for strike, _ in sold)
    deep = sum(
        _worth(stage, leap, f.at) < (1 - NO_MORE) * cost
        for o, f in story.fills(opens=True)
        if o.trigger == "weekly"
    )
    figures: Figures = {
        "below_leap": below,
        "sold_deep": deep,
        "sold": len(sold),
        **implicit(story, stage.tape.sessions),
    }
    strikes = ", ".join(f"{strike:.1f}" for strike, _ in sold)
    note = f"{len(sold)} weeklies, strikes {strikes}; LEAP {leap.strike:f} for {cost:.2f}."
    return Outcome(figures, (("net liq", story),), (note,))


def _worth(stage: Stage, option: Option, now: datetime) -> float:
    """Its mid, points."""
    (quote,) = stage.market.quotes((option,), now)
    assert quote is not None
    assert quote.mid is not None
    return float(quote.mid)


def _leap(story: Story) -> Option:
    found = (
        leg.contract
        for order, _ in story.fills(opens=True)
        for part in order.parts
        if part.role == "LEAP"
        for leg in part.structure.legs
    )
    leap = next(found)
    assert isinstance(leap, Option)
    return leap


def _weeklies(story: Story) -> list[tuple[float, float]]:
    """Strike and premium, points, of every weekly call sold."""
    sold = []
    for order, fill in story.fills(opens=True):
        for leg, price in zip(order.structure.legs, fill.fill.leg_prices, strict=True):
            if leg.is_short and isinstance(leg.contract, Option) and order.strategy == "ipmcc":
                sold.append((float(leg.contract.strike), float(price)))
    return sold


def _net(story: Story, *, opens: bool) -> float:
    """Points per unit of the first LEAP, negative: paid."""
    for order, fill in story.fills(opens=opens):
        for leg, price in zip(order.structure.legs, fill.fill.leg_prices, strict=True):
            if not leg.is_short:
                return -float(price)
    return 0.0


def second_leap() -> Outcome:
    stage = Stage(tape(), usd(200_000), some("ipmcc"))
    hold_ipmcc(stage, begin(stage, FIRST))
    most = 0
    for session in stage.tape.sessions.between(FIRST, date(2018, 8, 31)):
        stage.play(session.date)
        held = [
            c
            for p in stage.book.of("ipmcc")
            for c in p.open_components
            if c.role == "LEAP" and p.product == "SPY"
        ]
        most = max(most, sum(c.units for c in held))
    story = stage.story
    joined = [o for o, _ in story.fills(opens=True) if o.position != o.id]
    figures: Figures = {
        "leaps": most,
        "weeklies_joined": len(joined),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def short_leap_puts() -> Outcome:
    stage = Stage(tape(), usd(200_000), everything())
    story = stage.play(FIRST, date(2018, 7, 31))
    said = [
        e
        for e in story.events
        if (isinstance(e, ev.Declined | ev.EntryApproved) and e.strategy == "leap_put_income")
        or (isinstance(e, ev.OrderSubmitted) and e.order.strategy == "leap_put_income")
    ]
    figures: Figures = {"candidates": len(said), **implicit(story, stage.tape.sessions)}
    return Outcome(figures, (("net liq", story),))


def butterfly_debit() -> Outcome:
    stage = Stage(tape(), usd(200_000), some("butterfly_9b"))
    story = stage.play(date(2018, 6, 22), date(2018, 12, 28))
    dearest = 0.0
    for order, fill in story.fills(opens=True):
        dearest = max(dearest, _stated(order, [float(p) for p in fill.fill.leg_prices]))
    asked = {
        e.at.date()
        for e in story.events
        if isinstance(e, ev.Declined | ev.EntryApproved) and e.strategy == "butterfly_9b"
    }
    at_limit, above = _at_the_limit()
    figures: Figures = {
        "dearest": dearest,
        "bought": sum(1 for _ in story.fills(opens=True)),
        "at_the_limit": at_limit,
        "above_the_limit": above,
        "judged": len(asked),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def _at_the_limit() -> tuple[int, int]:
    """Whether the SPXW fly of one Friday is wished when its debit is the most, and when it is 16/15 of it."""
    friday = date(2018, 6, 22)
    stage = Stage(tape(), usd(200_000), some("butterfly_9b"))
    now = begin(stage, friday, "10:36")
    fly = next(w for w in stage.wishes("butterfly_9b", "9b", now) if w.product == "SPXW")
    strikes = sorted(leg.contract.strike for leg in fly.structure.legs if isinstance(leg.contract, Option))
    share = fly.planned_loss / (strikes[1] - strikes[0])
    found = []
    for most in (share, share * 15 / 16):
        settings = replace(butterfly_9b.Settings(), debit_share_max=most)
        wishes = stage.wishes(butterfly_9b.strategy(settings), "9b", now)
        found.append(sum(w.product == "SPXW" for w in wishes))
    return found[0], found[1]


def _stated(order: Order, prices: list[float]) -> float:
    """Debit over width times a 10-wide fly of 100 dollars a point: what it would cost at 5,500."""
    legs = order.structure.legs
    strikes = sorted(float(leg.contract.strike) for leg in legs if isinstance(leg.contract, Option))
    debit = sum(leg.ratio * price for leg, price in zip(legs, prices, strict=True))
    return debit / (strikes[1] - strikes[0]) * FLY_WIDTH * 100


def oil() -> Outcome:
    """Bachelier prices where no logarithm exists."""
    strikes = np.linspace(-80.0, 40.0, 25)
    worst, broken = 0.0, 0
    for years in (1 / 365, 30 / 365):
        rows = [
            bachelier(
                forward=np.full(25, WTI),
                strike=strikes,
                years=np.full(25, years),
                vol=np.full(25, WTI_VOL),
                discount=np.ones(25),
                right=np.full(25, right),
            )
            for right in (1.0, -1.0)
        ]
        call, put = rows
        for one in rows:
            broken += sum(int((~np.isfinite(column)).sum()) for column in (one.price, one.delta, one.vega))
        worst = max(worst, float(np.abs(call.price - put.price - (WTI - strikes)).max()))
    expiry, day = date(2020, 4, 21), date(2020, 4, 20)
    out = (expiry - day).days <= 21
    return Outcome({"not_numbers": broken, "parity_error": worst, "months_out": float(out)})


BROKER, TREASURY = 0.06, 0.042
"""Rates of B.11's example: a box is sold up to 4.95 %."""


def box() -> Outcome:
    """A Wednesday in two markets, in which a year's box lends at 4.8 % and at 5.1 % (simple)."""
    first, low = _boxes(0.048)
    second, high = _boxes(0.051)
    figures: Figures = {"permitted_48": first, "permitted_51": second}
    return Outcome(figures, notes=(low, high))


def _boxes(rate: float) -> tuple[int, str]:
    """Boxes that B.11 permits in its window, and what was said of them, the gate's costs included."""
    settings = box_financing.Settings(treasury_rate=TREASURY, margin_rate=BROKER)
    strategy = box_financing.strategy(settings)
    stage = Stage(tape(rate=log1p(rate)), usd(200_000), (strategy,))
    found = stage.wishes(strategy, "box", begin(stage, FIRST, "10:31"))
    reasons = [wish.reason for wish in found]
    refused = [words for e in stage.story.declined("box_financing") for words in e.details]
    return len(found), f"At {rate:.1%}: {'; '.join((*reasons, *refused)) or 'sold'}."


PLAYS = {
    "ipmcc-floor": ipmcc_floor,
    "second-leap": second_leap,
    "short-leap-puts-off": short_leap_puts,
    "butterfly-debit-160": butterfly_debit,
    "oil-2020": oil,
    "box-rate": box,
}
