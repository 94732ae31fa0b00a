"""What scenarios are made of: told days, a market with faults, positions by fiat."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from tomking.app.scenario.books import begin, hold_lt112
from tomking.app.scenario.disturbed import Disturbed, Fault
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.tape import Knot, tape
from tomking.domain.contract import Option, Right

WEDNESDAY, THURSDAY = date(2018, 6, 20), date(2018, 6, 21)
FALL = {WEDNESDAY: (Knot("09:30", -0.03, 30.0), Knot("12:00", -0.25, 90.0), Knot("16:00", -0.20, 80.0))}


def test_a_told_day_is_the_days_bar_and_later_days_keep_their_returns() -> None:
    told, real = tape(FALL), tape()
    before = real.close(date(2018, 6, 19))
    row = int(np.searchsorted(told.history.spx.day, np.datetime64(WEDNESDAY)))
    bar = [
        float(column[row]) for column in (told.history.spx.open, told.history.spx.low, told.history.spx.close)
    ]
    # The ripple that gives a straight line some height is at most 2 in 100,000.
    assert bar == pytest.approx([0.97 * before, 0.75 * before, 0.80 * before], rel=3e-5)
    assert told.move(WEDNESDAY) == pytest.approx(-0.20)
    assert told.move(THURSDAY) == pytest.approx(real.move(THURSDAY))
    assert told.move(date(2024, 8, 5)) == pytest.approx(real.move(date(2024, 8, 5)))


def test_minutes_lie_on_straight_lines_between_knots() -> None:
    told = tape(FALL)
    # 10:45 is half way from 09:30 to 12:00: half way from -3 % to -25 %, and from 30 to 90.
    half = told.market.spot("SPX", at(WEDNESDAY, "10:45"))
    assert half == pytest.approx(0.86 * tape().close(date(2018, 6, 19)), rel=3e-5)
    seen = told.market.vix(at(WEDNESDAY, "10:45"))
    assert seen is not None
    assert seen[0] == pytest.approx(60.0)


def test_a_silent_market_quotes_nothing_and_a_wide_one_keeps_its_mids() -> None:
    market = tape().market
    faults = (
        Fault("silent", at(WEDNESDAY, "10:00"), at(WEDNESDAY, "10:30")),
        Fault("wide", at(WEDNESDAY, "11:00"), at(WEDNESDAY, "11:30"), 3.0),
        Fault("vix-stale", at(WEDNESDAY, "12:00"), at(WEDNESDAY, "13:00")),
    )
    broken = Disturbed(market, faults)
    put = Option("SPXW", date(2018, 6, 29), Right.PUT, Decimal(2700), Decimal(100), Decimal("0.05"))
    wall = at(WEDNESDAY, "10:29")
    assert broken.is_silent(wall)
    assert broken.quotes((put,), wall) == [None]
    assert np.isnan(broken.marks((put,), wall)).all()
    assert broken.chain("SPXW", put.expiry, wall) is None
    after = at(WEDNESDAY, "10:30")
    assert broken.quotes((put,), after) == market.quotes((put,), after)
    (plain,), (wide,) = (one.quotes((put,), at(WEDNESDAY, "11:15")) for one in (market, broken))
    assert plain is not None
    assert wide is not None
    assert plain.ask is not None
    assert wide.ask is not None
    assert plain.bid is not None
    assert wide.bid is not None
    assert wide.mid == plain.mid
    assert wide.ask - wide.bid == 3 * (plain.ask - plain.bid)
    assert broken.vix(at(WEDNESDAY, "12:45")) == market.vix(at(WEDNESDAY, "12:00"))


def test_what_is_held_by_fiat_costs_its_fees_and_no_more() -> None:
    stage = Stage(tape(), Decimal(200_000))
    now = begin(stage, WEDNESDAY, "10:00")
    id_ = hold_lt112(stage, now, "MES", 2)
    position = stage.book.positions[id_]
    assert {one.units for one in position.open_components} == {2}
    # Bought and sold at the mids: net liq is what it was, less fees (cents of rounding).
    assert stage.net_liq(now) == pytest.approx(Decimal(200_000) - stage.book.fees, abs=Decimal("0.02"))
    assert stage.story.sent() == [], "what is held by fiat was never sent"
