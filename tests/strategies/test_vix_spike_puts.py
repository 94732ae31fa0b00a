"""Put spreads after a VIX spike: a peak of 45, then two falling closes, an index at 5,000."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from tests.strategies.world import Desk, World, closes, passes, rising_bars, skewed
from tests.worlds import at, weekdays

from tomking.domain.bars import Bars
from tomking.domain.intent import Alternatives, Mark, Open
from tomking.rules.select import strikes_apart
from tomking.strategies import build
from tomking.strategies.vix_spike_puts import WARNING, Settings

DAY = date(2031, 3, 11)
"""A Tuesday."""
EXPIRY = DAY + timedelta(days=45)
SESSIONS = weekdays(date(2031, 1, 1), 300)


def vix_bars(*closes_: float, high: float = 45.0, peak_back: int = 5) -> Bars:
    """Calm at 15, a high of ``high`` so many sessions ago, and the last closes as told."""
    bars = rising_bars(DAY, 15.0, count=60, daily=0.0, spread=0.5)
    close, top = bars.close.copy(), bars.high.copy()
    close[-len(closes_) :] = closes_
    top = np.maximum(top, close)
    top[-peak_back] = high
    return Bars(bars.day, close, top, close * 0.95, close)


class Spiked(World):
    """The VIX has bars of its own."""

    spike: Bars = vix_bars(40.0, 38.0, 33.0, 31.0, 30.0)

    def bars(self, family: str, now: Any) -> Bars:
        return self.spike.before(now.date()) if family == "VIX" else super().bars(family, now)


def desk(settings: Settings | None = None, spike: Bars | None = None, **market: Any) -> Desk:
    given: dict[str, Any] = {
        "listed": {"ES": (EXPIRY,), "MES": (EXPIRY,), "SPY": (EXPIRY,)}, "level": 5000.0, "vix_level": 29.0,
        "vol": skewed, **market,
    }  # fmt: skip
    world = Spiked(**given)
    if spike is not None:
        world.spike = spike
    return Desk(build("vix_spike_puts", settings or Settings()), world, SESSIONS)


def choices(one: Desk, wall: str = "10:00", day: date = DAY) -> tuple[Open, ...]:
    return next((w.choices for w in one.decide(at(wall, day)) if isinstance(w, Alternatives)), ())


def said(one: Desk, day: date = DAY) -> str:
    return passes(one.decide(at("10:00", day)))[0]


def entered() -> Desk:
    one = desk()
    one.step(at("10:00", DAY))
    one.entered = []
    assert one.positions
    return one


def test_it_is_off_unless_somebody_turns_it_on_and_then_says_what_it_contradicts() -> None:
    one = desk()
    assert not one.strategy.default_on
    assert "off by default" in one.strategy.title
    assert WARNING in choices(one)[0].reason
    # And in the journal, on the first Monday of each month.
    (mark,) = (w for w in one.decide(at("09:31", date(2031, 3, 3))) if isinstance(w, Mark))
    assert mark.value == f"2031-03-03 {WARNING}"
    assert not [w for w in one.decide(at("09:31", date(2031, 3, 10))) if isinstance(w, Mark)]


def test_a_tranche_is_a_20_delta_put_spread_no_wider_than_five_percent() -> None:
    wish = choices(desk())[0]
    short, long = (leg.contract for leg in wish.structure.legs)
    assert [leg.ratio for leg in wish.structure.legs] == [-1, 1]
    # 5 % of 5,000 are 250 points, and there is a strike just there.
    assert strikes_apart(short, long) == 250
    assert (wish.targets[0].keep, wish.product) == (Decimal("0.50"), "ES")


def test_a_tranche_takes_a_third_of_a_fifth_of_net_liq_in_margin() -> None:
    # $13,333 of $200,000: an ES spread of 250 points less its credit of some 23 is $11,000, so one; MES ten.
    assert [(w.product, w.ceiling) for w in choices(desk())] == [("ES", 1), ("SPY", 5), ("MES", 11)]


def test_the_loss_planned_is_two_credits_but_never_more_than_the_spread_can_lose() -> None:
    wish = choices(desk())[0]
    assert wish.planned_loss == 4 * wish.target_gain
    # 25 points wide for 4.40: five credits would be 22.00, it can lose 20.60.
    narrow = choices(desk(Settings(width_share_max=0.005, stop_credits=Decimal(5))))[0]
    assert narrow.planned_loss == Decimal("20.60")
    assert narrow.structure.max_loss(2 * narrow.target_gain) == narrow.planned_loss


def test_without_a_spike_nothing_is_sold() -> None:
    calm = desk(spike=vix_bars(28.0, 27.0, 26.0, 25.0, 24.0, high=30.0), vix_level=23.0)
    assert said(calm) == "VIX: no spike: highest VIX of 20 sessions is 30.00"


@pytest.mark.parametrize(("vix", "allowed"), [(34.99, True), (35.0, False)])
def test_from_emergency_level_two_on_nothing_is_sold(vix: float, allowed: bool) -> None:
    assert bool(choices(desk(vix_level=vix))) is allowed


@pytest.mark.parametrize(("vix", "allowed"), [(28.0, True), (28.01, False)])
def test_the_vix_has_fallen_a_fifth_from_its_peak(vix: float, allowed: bool) -> None:
    # 80 % of 35 are 28.
    one = desk(spike=vix_bars(34.0, 33.0, 32.0, 31.0, 30.0, high=35.0), vix_level=vix)
    assert bool(choices(one)) is allowed
    assert allowed or "has fallen 20% from 35.00" in said(one)


def test_two_closes_fall() -> None:
    assert "do not fall" in said(desk(spike=vix_bars(40.0, 38.0, 33.0, 29.0, 30.0)))
    assert "do not fall" in said(desk(spike=vix_bars(40.0, 38.0, 30.0, 31.0, 30.0)))


def test_a_drawdown_of_a_tenth_stops_it() -> None:
    one = desk()
    real = one.own
    one.own = lambda now: replace(real(now), drawdown_level="YELLOW")  # type: ignore[method-assign]
    assert said(one).startswith("SYS: drawdown level YELLOW")


def test_below_phase_3_nothing_may_be_sold() -> None:
    one = desk()
    one.phase = 2
    assert said(one) == "PHASE: nothing may be sold in phase 2"


def test_three_tranches_after_one_peak_on_three_days() -> None:
    # The peak of 45 was on 2031-03-04; tranches before it do not count, closed ones do.
    one = desk()
    one.notes["bought"] = "2031-02-20:-900 2031-03-06:-900 2031-03-07:-900"
    assert choices(one)
    one.notes["bought"] += " 2031-03-10:-900"
    assert said(one) == "CAP: 3 tranches since the peak of 2031-03-04, 3 are allowed"


def test_one_tranche_a_day() -> None:
    one = desk()
    one.step(at("10:00", DAY))
    assert not choices(one, "10:05")


def test_a_tranche_is_remembered_after_it_is_closed() -> None:
    one = entered()
    one.step(at("11:00", DAY))
    assert one.notes["bought"].startswith("2031-03-11:-")


def test_the_stop_is_three_times_the_credit_seen_twice() -> None:
    one = entered()
    one.step(at("11:00", DAY))
    credit = next(iter(one.positions.values())).components["spread"].entry_net
    real = one.own

    def costs(times: str) -> None:
        told = {(p, "spread"): -Decimal(times) * credit for p in one.positions}
        one.own = lambda now: replace(real(now), values=told)  # type: ignore[method-assign]

    costs("2.99")
    assert not closes(one.step(at("12:00", DAY)))
    assert not closes(one.step(at("12:01", DAY)))
    costs("3")
    assert not closes(one.step(at("12:30", DAY)))
    assert [c.trigger for c in closes(one.step(at("12:31", DAY)))] == ["stop"]


def test_at_21_days_it_goes() -> None:
    one = entered()
    last = EXPIRY - timedelta(days=21)
    assert [c.trigger for c in closes(one.step(at("10:00", last)))] == ["21 DTE"]
