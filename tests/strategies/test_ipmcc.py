"""The IPMCC on flat Black chains: SPY at 550, one year and one week, 15 %, no interest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from tests.strategies.world import Desk, World, closes, flat, passes, rising_bars
from tests.worlds import at, weekdays

from tomking.domain.bars import Bars
from tomking.domain.book import Component, Position
from tomking.domain.calendar import Sessions
from tomking.domain.chain import Quote
from tomking.domain.contract import Contract, Share
from tomking.domain.eventcalendar import Dates, Event, EventCalendar
from tomking.domain.intent import Alternatives, Intent, Mark, Open, Part
from tomking.domain.structure import Leg, Structure
from tomking.strategies import build
from tomking.strategies.ipmcc import Settings, weekly
from tomking.strategies.ipmcc.parts import LEAP, Uncovered, assert_covered

FRIDAY = date(2031, 3, 7)
NEXT = date(2031, 3, 14)
YEAR = date(2032, 3, 19)
"""378 days after the Friday."""
SESSIONS = weekdays(date(2031, 1, 1), 400)
FRIDAYS = tuple(FRIDAY + timedelta(days=7 * n) for n in range(60))
PAIR = "LEAP and weekly"


def desk(settings: Settings | None = None, sessions: Sessions = SESSIONS, **market: Any) -> Desk:
    listed = {"SPY": (*FRIDAYS[:6], YEAR)}
    given = {"listed": listed, "vol": flat(0.15), "vix_level": 15.0, **market}
    return Desk(build("ipmcc", settings or Settings()), World(**given), sessions)


def opened(wishes: Sequence[Intent]) -> Open:
    for wish in wishes:
        if isinstance(wish, Alternatives):
            return wish.choices[0]
        if isinstance(wish, Open):
            return wish
    raise AssertionError(f"nothing is opened: {passes(wishes)}")


def entered(settings: Settings | None = None, **market: Any) -> Desk:
    one = desk(settings, **market)
    one.units = (settings or Settings()).contracts
    one.step(at("09:40"))
    assert len(one.positions) == 1, one.said
    one.entered = []
    return one


def part(one: Desk, role: str) -> Component:
    return next(iter(one.positions.values())).components[role]


def close(one: Desk, role: str, trigger: str = "weekly target") -> None:
    """The part is gone."""
    (position,) = one.positions.values()
    gone = replace(position.components[role], units=0, trigger=trigger, closed=at("12:00"))
    one.positions[position.id] = replace(position, components={**position.components, role: gone})


def revalue(one: Desk, **values: str) -> None:
    """What the parts would bring at the mids, told outright: ``LEAP="55"``; ``weekly`` is the open call."""
    real = one.own

    def own(now: object) -> object:
        held = real(now)  # type: ignore[arg-type]
        told = {
            (p.id, c.role): Decimal(v)
            for p in held.positions
            for c in p.open_components
            for role, v in values.items()
            if c.role.startswith(role)
        }
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign, assignment]


def bars_to(last: float, daily: float) -> Bars:
    return rising_bars(FRIDAY, last, daily=daily)


# -------------------------------------------------------------------------------------- structure


def test_a_year_s_call_of_80_delta_is_bought_and_next_week_s_at_the_money_sold() -> None:
    wish = opened(desk().decide(at("09:40")))
    leap, sold = wish.parts
    # v = 0.15 sqrt(378/365) = 0.1527; N(d1) = 0.80 at d1 = 0.8416: ln(550/K) = 0.8416 v - v^2/2, K = 489.4.
    assert str(leap.structure) == f"+1 SPY {YEAR} C489"
    assert str(sold.structure) == f"-1 SPY {NEXT} C550"
    assert (leap.role, sold.role) == (LEAP, f"weekly {NEXT}")
    # At the money 0.39894 x 550 x 0.15 sqrt(7/365) = 4.56 points, all of it time value: 90 % is 4.10.
    assert wish.target_gain == pytest.approx(Decimal("4.10"), abs=Decimal("0.01"))
    # The LEAP costs 71.2; three tenths of it are the loss planned for.
    assert float(wish.planned_loss) == pytest.approx(0.3 * 71.2, abs=0.1)
    assert wish.ceiling == 1


def test_of_the_symbols_the_cheapest_comes_first() -> None:
    listed = {"SPY": (NEXT, YEAR), "QQQ": (NEXT, YEAR), "IWM": (NEXT, YEAR)}
    wishes = desk(listed=listed).decide(at("09:40"))
    (choices,) = [w.choices for w in wishes if isinstance(w, Alternatives)]
    # At one level of 5,500 QQQ stands at 133.65, IWM at 544.5, SPY at 550.
    assert [c.product for c in choices] == ["QQQ", "IWM", "SPY"]


def test_products_are_the_settings_and_what_lists_nothing_is_passed_over() -> None:
    one = desk(Settings(products=("IWM", "SPY")))
    wishes = one.decide(at("09:40"))
    (best,) = [w for w in wishes if isinstance(w, Alternatives)]
    assert [c.product for c in best.choices] == ["SPY"]
    assert best.passed_over == ("IWM: no expiry near 365 DTE",)


def test_a_second_leap_in_a_symbol_is_never_wished() -> None:
    one = entered()
    close(one, f"weekly {NEXT}")
    wish = opened(one.decide(at("09:40", NEXT)))
    assert wish.joins is not None
    assert [p.role for p in wish.parts] == [f"weekly {FRIDAYS[2]}"]


def test_the_leap_is_no_nearer_than_300_days_and_no_farther_than_730() -> None:
    for days, may in ((299, False), (300, True), (730, True), (731, False)):
        one = desk(listed={"SPY": (NEXT, FRIDAY + timedelta(days=days))})
        assert bool(passes(one.decide(at("09:40")))) is not may, days


def test_a_leap_wide_of_half_a_percent_of_the_share_is_left() -> None:
    # Half of a per cent of 550 is 2.75: half-spreads of 137 cents pass, of 138 do not.
    assert not passes(desk(half_spread_ticks=137).decide(at("09:40")))
    said = passes(desk(half_spread_ticks=138).decide(at("09:40")))
    assert said[0].startswith(f"LIQ: SPY {YEAR} C489: spread 2.76, widest 2.75")


def test_a_leap_of_much_time_value_is_left() -> None:
    # The 80-delta call of a year has 2.0 % of its strike at 15 % volatility, 4.9 % at 30 %, 10.002 % at 50 %.
    assert not passes(desk(vol=flat(0.30)).decide(at("09:40")))
    assert "time value" in passes(desk(vol=flat(0.50)).decide(at("09:40")))[0]


# ------------------------------------------------------------------------------------ when it is sold


def test_where_friday_is_closed_it_is_the_session_before() -> None:
    without = Sessions(tuple(s for s in SESSIONS if s.date != NEXT))
    one = desk(sessions=without)
    thursday = NEXT - timedelta(days=1)
    assert opened(one.decide(at("09:40", thursday))).parts[1].role == f"weekly {FRIDAYS[2]}"
    session = without.on(thursday)
    assert session is not None
    wake = one.strategy.next_wake(session, one.own(at("09:00", thursday)), at("09:00", thursday), 1)
    assert wake == at("09:40", thursday)
    assert desk().decide(at("09:40", thursday)) == (), "an ordinary Thursday"


def test_nobody_foresees_a_week_of_closed_days() -> None:
    # In September 2001 Tuesday to Friday were closed; on Monday nothing is sold for it.
    shut = {NEXT - timedelta(days=n) for n in range(4)}
    one = desk(sessions=Sessions(tuple(s for s in SESSIONS if s.date not in shut)))
    assert one.decide(at("09:40", NEXT - timedelta(days=4))) == ()


def test_the_last_listed_expiry_of_next_week_is_meant() -> None:
    thursday = NEXT - timedelta(days=1)
    one = desk(listed={"SPY": (NEXT - timedelta(days=3), thursday, YEAR)})
    assert opened(one.decide(at("09:40"))).parts[1].role == f"weekly {thursday}"


def test_the_last_resort_is_at_the_end_of_the_day_and_concedes_less() -> None:
    one = entered()
    close(one, f"weekly {NEXT}")
    early, late = (opened(one.decide(at(wall, NEXT))) for wall in ("09:45", "15:45"))
    assert (early.entry, late.entry) == ("weekly", "weekly late")
    # The mid less 40 % or 25 % of a cent, down to the grid: a cent below a mid on it either way.
    assert early.least_net == late.least_net
    wide = entered(half_spread_ticks=10)
    close(wide, f"weekly {NEXT}")
    early, late = (opened(wide.decide(at(wall, NEXT))) for wall in ("09:45", "15:45"))
    # Ten cents half-spread: 4 against 2.5, which is 3 on the grid.
    assert late.least_net - early.least_net == Decimal("0.01")
    assert one.decide(at("12:00", NEXT)) == ()


def test_cpi_mornings_wait_for_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tomking.domain.cpi.cpi_on", lambda day: day == FRIDAY)
    assert passes(desk().decide(at("09:40")))[0].startswith(f"EVT: CPI release on {FRIDAY}")


# --------------------------------------------------------------------------------------- the strike


@pytest.mark.parametrize(
    ("daily", "level", "strike"),
    [
        (2.0, 5500.0, "C550"),  # rising: the first strike at or above 550
        (2.0, 5504.0, "C551"),  # 550.4: 551
        (0.0, 5500.0, "C550"),  # flat: at the money
        (0.5, 5500.0, "C550"),  # the averages 3 points apart, 0.06 %: flat
        (-4.0, 5500.0, "C548"),  # falling by 25 points, 0.5 %: two strikes below
    ],
)
def test_the_strike_follows_the_averages(daily: float, level: float, strike: str) -> None:
    one = entered(daily=bars_to(5500.0, 2.0))
    close(one, f"weekly {NEXT}")
    one.market.daily = replace_days(bars_to(5500.0, daily), NEXT)
    one.market.moved(level=level)
    assert str(opened(one.decide(at("09:40", NEXT))).structure).endswith(strike)


def replace_days(bars: Bars, today: date) -> Bars:
    """The same bars, the last one the weekday before ``today``."""
    days = [
        today - timedelta(days=n)
        for n in range(1, 2 * len(bars))
        if (today - timedelta(days=n)).weekday() < 5
    ]
    return Bars(
        np.array(days[: len(bars)][::-1], dtype="datetime64[D]"), bars.open, bars.high, bars.low, bars.close
    )


def test_two_percent_above_the_fast_average_it_is_three_strikes_in_the_money() -> None:
    one = entered(daily=bars_to(5500.0, 2.0))
    close(one, f"weekly {NEXT}")
    one.market.daily = replace_days(bars_to(5380.0, 2.0), NEXT)  # EMA8 about 5,373: 2.4 % below 5,500
    assert str(opened(one.decide(at("09:40", NEXT))).structure).endswith("C547")


@pytest.mark.parametrize(("selector", "strike"), [("delta", "C556"), ("pct_otm", "C567")])
def test_or_it_is_sold_out_of_the_money_by_delta_or_by_distance(selector: str, strike: str) -> None:
    # v = 0.15 sqrt(7/365) = 0.02077: 30 delta lies at ln(K/550) = 0.5244 v + v^2/2 = 0.0111, 556.1;
    # three per cent above 550 is 566.5.
    wish = opened(desk(Settings(weekly_selector=selector)).decide(at("09:40")))
    assert str(wish.parts[1].structure).endswith(strike)


def test_the_floor_lifts_a_strike_at_which_a_rise_would_cost_the_pair() -> None:
    # One weekly move is 550 x 0.15 sqrt(7/365) = 11.42.  At 561.42 and a week later the C489 is worth 79.98,
    # 71.01 now.  Eleven strikes in, 539 brings 11.99 and costs 22.42 then: 69.55, a loss.  So does 544
    # (8.15 and 17.42: 70.71); 545 brings 7.47 and costs 16.42: 71.03 holds it.
    deep = Settings(itm_deep=11, down_deeper=Decimal(0))
    strikes = {}
    for floor in ("revalued", "leap_strike"):
        one = entered(replace(deep, floor=floor))
        close(one, f"weekly {NEXT}")
        revalue(one, LEAP="71.01")
        sold = opened(one.decide(at("09:40", NEXT)))
        strikes[floor] = sold.structure.legs[0].contract.strike  # type: ignore[union-attr]
    assert strikes["leap_strike"] == 539
    assert strikes["revalued"] == 545


def test_no_call_is_sold_below_the_leap_s_strike() -> None:
    one = entered(Settings(floor="leap_strike", down_none=Decimal(1), down_half=Decimal(1)))
    close(one, f"weekly {NEXT}")
    one.market.moved(level=4700.0)  # at 470 the LEAP's 489 is out of the money
    assert str(opened(one.decide(at("09:40", NEXT))).structure).endswith("C489")


# ------------------------------------------------------------------------------------ the weekly's end


@pytest.mark.parametrize(
    ("days", "cost", "closed"),
    [
        # 4.56 of time value.  80 % won: 0.91 is left; 90 %: 0.456.
        (3, "-0.92", False), (3, "-0.91", True),
        (4, "-0.91", True),
        (2, "-0.91", False), (2, "-0.46", False), (2, "-0.45", True),
    ],
)  # fmt: skip
def test_it_is_bought_back_at_90_percent_or_at_80_with_three_days_left(
    days: int, cost: str, closed: bool
) -> None:
    one = entered()
    revalue(one, weekly=cost)
    wishes = closes(one.decide(at("11:01", NEXT - timedelta(days=days))))
    assert [c.trigger for c in wishes] == (["weekly target"] if closed else [])


def test_time_value_not_the_credit_is_what_counts() -> None:
    # Sold three strikes in the money: 547 at 550 brings 3.00 of the credit as intrinsic.
    one = entered()
    (position,) = one.positions.values()
    role = f"weekly {NEXT}"
    deep = Structure.parse(role, f"-1 SPY {NEXT} C547")
    sold = replace(position.components[role], structure=deep, entry_net=Decimal("6.20"))
    one.positions[position.id] = replace(position, components={**position.components, role: sold})
    # At 550 again buying back at 3.60 pays 0.60 of time value after 3.20: 81 % is won.
    revalue(one, weekly="-3.60")
    (wish,) = closes(one.decide(at("11:01", date(2031, 3, 11))))
    assert "81% of the time value of 3.20 is won" in wish.reason


def test_after_a_restart_the_level_of_the_sale_is_in_the_notes() -> None:
    one = entered()
    assert one.notes == {"SPY sold at": f"{NEXT} 550.0"}
    assert isinstance(one.said[0][1], Mark)


def test_on_friday_it_makes_room_first_and_the_next_is_sold_after() -> None:
    one = entered()
    assert [c.trigger for c in closes(one.step(at("09:31", NEXT)))] == ["weekly roll"]
    sold = opened(one.step(at("09:40", NEXT)))
    assert sold.parts[0].role == f"weekly {FRIDAYS[2]}"
    assert sum(c.units for c in next(iter(one.positions.values())).open_components) == 2


def test_while_the_old_call_is_open_no_other_is_sold() -> None:
    one = entered()
    assert not any(isinstance(w, Open | Alternatives) for w in one.decide(at("09:40", NEXT)))


@pytest.mark.parametrize(
    ("wall", "level", "closed"), [("14:59", 5510.0, False), ("15:00", 5510.0, True), ("15:00", 5490.0, False)]
)
def test_in_the_money_on_its_last_day_it_goes_before_the_close(wall: str, level: float, closed: bool) -> None:
    # A call that ends on a Thursday, which is no day of sale: nothing rolls it that morning.
    one = entered()
    thursday = date(2031, 3, 13)
    (position,) = one.positions.values()
    role = f"weekly {NEXT}"
    early = replace(position.components[role], structure=Structure.parse(role, f"-1 SPY {thursday} C550"))
    one.positions[position.id] = replace(position, components={**position.components, role: early})
    one.market.listed = {"SPY": (thursday, *FRIDAYS[:6], YEAR)}
    one.market.moved(level=level)
    revalue(one, weekly="-2.00")
    triggers = [c.trigger for c in closes(one.decide(at(wall, thursday)))]
    assert triggers == (["pre-expiry"] if closed else [])


@pytest.mark.parametrize(("cost", "trigger"), [("-20.05", "weekly target"), ("-20.04", "pre-expiry")])
def test_in_the_money_without_time_value_it_goes_on_any_day(cost: str, trigger: str) -> None:
    # At 570 the 550 call is 20 in the money; under 5 cents of time value its holder may exercise.
    one = entered()
    one.market.moved(level=5700.0)
    revalue(one, weekly=cost, LEAP="90")
    assert [c.trigger for c in closes(one.decide(at("11:01", date(2031, 3, 10))))] == [trigger]


# ----------------------------------------------------------------------------------------- the way down


def fallen(share: str, settings: Settings | None = None, *, with_weekly: bool = False) -> Desk:
    """The LEAP has lost so much of its cost."""
    one = entered(settings)
    if not with_weekly:
        close(one, f"weekly {NEXT}")
    cost = -part(one, LEAP).entry_net
    revalue(one, LEAP=str(cost * (1 - Decimal(share))))
    return one


def test_down_ten_percent_it_is_sold_deeper_but_never_below_the_floor() -> None:
    loose = Settings(floor="leap_strike")
    assert str(opened(fallen("0.099", loose).decide(at("09:40", NEXT))).structure).endswith("C550")
    assert str(opened(fallen("0.10", loose).decide(at("09:40", NEXT))).structure).endswith("C547")


def test_down_fifteen_percent_half_is_sold_and_half_of_one_is_none() -> None:
    assert opened(fallen("0.149", Settings(contracts=4)).decide(at("09:40", NEXT))).ceiling == 4
    assert opened(fallen("0.15", Settings(contracts=5)).decide(at("09:40", NEXT))).ceiling == 2
    assert passes(fallen("0.15").decide(at("09:40", NEXT)))[-1].startswith("SIZE: ")


def test_down_twenty_percent_none_is_sold_and_the_last_one_goes_at_the_second_look() -> None:
    assert passes(fallen("0.20").decide(at("09:40", NEXT)))[-1].startswith("TECH: ")
    one = fallen("0.20", with_weekly=True)
    day = date(2031, 3, 11)
    assert closes(one.step(at("11:01", day))) == []
    (wish,) = closes(one.decide(at("11:02", day)))
    assert (wish.trigger, wish.roles) == ("downtrend", (f"weekly {NEXT}",))
    assert closes(fallen("0.199", with_weekly=True).decide(at("11:01", day))) == []


def test_down_thirty_percent_both_go_in_one_order() -> None:
    one = fallen("0.30", with_weekly=True)
    day = date(2031, 3, 11)
    one.step(at("11:01", day))
    stop, *_ = closes(one.decide(at("11:02", day)))
    assert (stop.trigger, stop.roles) == ("LEAP stop", (LEAP, f"weekly {NEXT}"))
    guarded = one.strategy.guard(one.view(at("11:02", day)), one.own(at("11:02", day)))
    assert [c.trigger for c in closes(guarded)] == ["LEAP stop"]


def test_a_call_of_another_size_goes_before_its_cover() -> None:
    # Decision 303: on the model market a later call may be larger; two orders then, and the call's is first.
    one = fallen("0.30", with_weekly=True)
    (position,) = one.positions.values()
    role = f"weekly {NEXT}"
    larger = Structure.parse(role, f"-1 SPY {NEXT} C550 x110/0.01")
    sold = replace(position.components[role], structure=larger)
    one.positions[position.id] = replace(position, components={**position.components, role: sold})
    day = date(2031, 3, 11)
    one.market.grid_minutes = 15  # one observation confirms
    one.step(at("11:01", day))
    assert part(one, role).units == 0
    assert part(one, LEAP).units == 1
    one.step(at("11:16", day))
    assert one.positions == {}


# ----------------------------------------------------------------------------------------------- the roll


def test_at_90_days_the_leap_is_rolled_on_a_friday_and_bought_again_the_same_morning() -> None:
    near = NEXT + timedelta(days=90)
    far = FRIDAYS[2] + timedelta(days=364)
    one = entered(Settings(leap_dte_min=97), listed={"SPY": (*FRIDAYS[:4], near)})
    one.market.listed = {"SPY": (*FRIDAYS[:4], near, far)}
    one.market.moved()
    thursday = NEXT - timedelta(days=1)
    assert closes(one.decide(at("09:31", thursday))) == []
    (roll,) = closes(one.step(at("09:31", NEXT)))
    assert (roll.trigger, roll.roles) == ("LEAP roll", (LEAP, f"weekly {NEXT}"))
    assert one.positions == {}
    wish = opened(one.step(at("09:40", NEXT)))
    assert wish.entry == PAIR
    assert wish.parts[0].structure.contracts[0].expiry == far


def test_with_91_days_it_stays() -> None:
    near = NEXT + timedelta(days=91)
    one = entered(Settings(leap_dte_min=98), listed={"SPY": (*FRIDAYS[:4], near)})
    assert [c.trigger for c in closes(one.decide(at("09:31", NEXT)))] == ["weekly roll"]


# --------------------------------------------------------------------------------- assignment, its life


class WithShares(World):
    """Nobody quotes shares here."""

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        return [
            None if isinstance(c, Share) else super(WithShares, self).quotes([c], now)[0] for c in contracts
        ]


def test_its_stages_follow_its_parts() -> None:
    one = entered()
    seen = []
    for wall, day in (
        ("09:45", FRIDAY),
        ("09:46", FRIDAY),
        ("09:31", NEXT),
        ("09:40", NEXT),
        ("09:45", NEXT),
    ):
        one.step(at(wall, day))
        seen.append(next(iter(one.positions.values())).stage)
    assert seen == ["LEAP_OPEN", "COVERED", "COVERED", "LEAP_OPEN", "COVERED"]


def test_after_an_assignment_the_next_call_is_sold_on_monday_for_the_same_week() -> None:
    one = entered()
    (position,) = one.positions.values()
    role = f"weekly {NEXT}"
    shares = Structure(role, (Leg(Share("SPY", Decimal(100), Decimal("0.01")), -1),))
    sold = replace(position.components[role], structure=shares, delivered=True)
    one.positions[position.id] = replace(
        position, stage="COVERED", components={**position.components, role: sold}
    )
    one.market = WithShares(one.market.listed, vol=flat(0.15), vix_level=15.0)
    (step,) = one.strategy.steps(one.view(at("09:31", NEXT)), one.own(at("09:31", NEXT)))
    assert step.after == "ASSIGNED"
    assert closes(one.decide(at("09:31", NEXT))) == []  # the kernel buys the shares back
    close(one, role, "delivered")
    monday = NEXT + timedelta(days=3)
    steps = one.strategy.steps(one.view(at("09:40", monday)), one.own(at("09:40", monday)))
    assert [s.after for s in steps] == ["RECOVERING"]
    wish = opened(one.decide(at("09:40", monday)))
    assert (wish.entry, wish.parts[0].role) == ("weekly after assignment", f"weekly {FRIDAYS[2]}")


def test_on_other_mondays_nothing_is_sold() -> None:
    one = entered()
    close(one, f"weekly {NEXT}")
    assert one.decide(at("09:40", NEXT + timedelta(days=3))) == ()


def test_more_sold_than_covered_is_an_alarm() -> None:
    one = entered()
    (position,) = one.positions.values()
    assert_covered(position)
    twice = replace(position.components[f"weekly {NEXT}"], role="weekly again")
    with pytest.raises(Uncovered, match="2 calls sold against 1"):
        assert_covered(replace(position, components={**position.components, "weekly again": twice}))
    long = replace(twice, structure=Structure.parse("w", f"-1 SPY {YEAR} C550"))
    with pytest.raises(Uncovered, match="outlives"):
        assert_covered(replace(position, components={LEAP: position.components[LEAP], "weekly again": long}))


# ------------------------------------------------------------------------------------------- when none


@pytest.mark.parametrize(
    ("bars", "level", "said"),
    [
        (bars_to(5500.0, 2.0), 5530.0, "is at the 252-session high 5530.00"),
        (bars_to(5500.0, -4.0), 5700.0, "is at the upper Bollinger band"),
        (bars_to(5500.0, -4.0), 5500.0, "strong downtrend"),
    ],
)
def test_no_leap_at_a_high_or_in_a_strong_fall(bars: Bars, level: float, said: str) -> None:
    assert said in passes(desk(daily=bars, level=level).decide(at("09:40")))[0]


APPLE = {"AAPL": (*FRIDAYS[:4], YEAR)}


def apple(calendar: EventCalendar, bars: Bars | None = None) -> Desk:
    """The desk of somebody who trades AAPL, after a pullback, and asks this calendar."""
    one = desk(Settings(products=("AAPL",)), listed=APPLE, daily=bars or bars_to(5510.0, 0.0))
    told(one, calendar)
    return one


def told(one: Desk, calendar: EventCalendar) -> None:
    real = type(one).view
    one.view = lambda now: replace(real(one, now), events=calendar)  # type: ignore[method-assign]


def announcing(*days: date, strict: bool = False, last: date = date(2031, 12, 31)) -> EventCalendar:
    known = Dates(date(2031, 1, 1), last, {Event.EARNINGS: days})
    return EventCalendar(strict=strict, dates={"AAPL": known})


def test_single_names_stand_still_where_the_calendar_ends_and_a_backtest_goes_on() -> None:
    strict = apple(EventCalendar(strict=True))
    assert passes(strict.decide(at("09:40")))[0].startswith("EVT: no calendar of")
    assert opened(apple(EventCalendar(strict=False)).decide(at("09:40"))).product == "AAPL"


def test_single_names_are_bought_after_a_pullback_only() -> None:
    one = apple(EventCalendar(strict=False), bars_to(5500.0, 2.0))
    assert "no pullback" in passes(one.decide(at("09:40")))[0]


@pytest.mark.parametrize(("days", "blocked"), [(29, True), (30, False)])
def test_no_leap_in_the_30_days_before_earnings(days: int, blocked: bool) -> None:
    announced = FRIDAY + timedelta(days=days)
    said = passes(apple(announcing(announced)).decide(at("09:40")))
    assert bool(said) is blocked
    assert not said or f"earnings on {announced}" in said[0]


@pytest.mark.parametrize(("day", "blocked"), [(FRIDAYS[2], True), (FRIDAYS[2] + timedelta(days=3), False)])
def test_no_call_is_sold_through_earnings(day: date, blocked: bool) -> None:
    one = apple(EventCalendar(strict=False))
    one.step(at("09:40"))
    one.entered = []
    close(one, f"weekly {NEXT}")
    told(one, announcing(day))
    said = passes(one.decide(at("09:40", NEXT)))
    assert bool(said) is blocked, said
    assert not said or "is sold through them" in said[0]


def test_nor_past_the_end_of_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ("fomc", "cpi"):
        monkeypatch.setattr(f"tomking.domain.{table}.COVERED_TO", date(2031, 12, 31))
    one = apple(EventCalendar(strict=False))
    one.step(at("09:40"))
    one.entered = []
    close(one, f"weekly {NEXT}")
    for last, blocked in ((FRIDAYS[2] - timedelta(days=1), True), (FRIDAYS[2], False)):
        told(one, announcing(strict=True, last=last))
        said = passes(one.decide(at("09:40", NEXT)))
        assert bool(said) is blocked, said


def test_the_loss_planned_for_beside_a_leap_is_a_tick() -> None:
    one = entered()
    close(one, f"weekly {NEXT}")
    wish = opened(one.decide(at("09:40", NEXT)))
    assert wish.planned_loss == Decimal("0.01")
    assert weekly.may_sell(next(iter(one.positions.values())), weekly.ENTRY)


def test_a_second_call_of_the_same_week_has_a_role_of_its_own() -> None:
    # On 1993-04-02 the call of 1993-04-08 was sold at 10:40, bought back at 16:00, and sold again at 16:40.
    structure = Structure.parse("weekly 2031-03-14", "-1 SPY 2031-03-14 C560")
    first = Part("weekly 2031-03-14", structure)
    held = cast("Position", SimpleNamespace(components={"LEAP": 1, first.role: 2}))
    assert weekly._named_anew(first, held).role == "weekly 2031-03-14 2"
    held = cast("Position", SimpleNamespace(components={"LEAP": 1}))
    assert weekly._named_anew(first, held) == first
