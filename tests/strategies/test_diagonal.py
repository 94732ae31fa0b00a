"""The diagonal on SPY at 550: 15 % everywhere, 4.5 %, so that every figure can be worked out."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import Desk, World, closes, flat, passes, rising_bars
from tests.worlds import at, weekdays

from tomking.domain.book import Position
from tomking.domain.contract import Option
from tomking.domain.intent import Alternatives, Close, Open, Pass
from tomking.domain.structure import Structure
from tomking.pricing.black import black_price
from tomking.rules import select
from tomking.rules.exits import delta_now
from tomking.rules.greeks import best_at_front_expiry, greeks_of
from tomking.strategies import build
from tomking.strategies.diagonal import Settings

TUESDAY = date(2031, 1, 14)
FRONT = date(2031, 2, 14)
"""31 days on."""
BACK = date(2031, 3, 21)
"""A third Friday, 66 days on."""
SESSIONS = weekdays(date(2030, 12, 2), 260)
FRIDAYS = tuple(s.date for s in SESSIONS if s.date.weekday() == 4)
ENTRY = at("10:15", TUESDAY)
DAY = date(2031, 1, 16)
NOON = at("12:01", DAY)
ALL_PARTS = ("back call", "front call 1", "back put", "front put 1")


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    given = {"listed": {"SPY": FRIDAYS}, "vol": flat(0.15), "rate": 0.045, "vix_level": 14.0, **market}
    return Desk(build("diagonal", settings or Settings()), World(**given), SESSIONS)


def wished(one: Desk) -> Open:
    return next(w.choices[0] for w in one.decide(ENTRY) if isinstance(w, Alternatives))


def entered(settings: Settings | None = None) -> Desk:
    one = desk(settings)
    one.step(ENTRY)
    one.entered = []
    one.step(at("10:31", TUESDAY))
    assert position(one).stage == "OPEN"
    return one


def position(one: Desk) -> Position:
    return next(iter(one.positions.values()))


def revalue(one: Desk, **values: str) -> None:
    """What the parts would bring at the mids, told outright: ``front_put_1="-0.6"``."""

    def own(now: datetime) -> object:
        held = Desk.own(one, now)
        told = {
            (p.id, role.replace("_", " ")): Decimal(v) for p in held.positions for role, v in values.items()
        }
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign, assignment]


def worth(one: Desk, total: str) -> None:
    """The whole would bring ``total`` points; no front looks spent."""
    revalue(one, back_call=str(Decimal(total) + 4), front_call_1="-2", back_put="0", front_put_1="-2")


def confirmed(one: Desk) -> list[Close]:
    assert closes(one.step(NOON)) == [], "seen once is not enough"
    return closes(list(one.decide(NOON + timedelta(minutes=1))))


# --------------------------------------------------------------------------------------- structure


def test_one_side_alone_leans_so_both_are_sold() -> None:
    one = desk()
    unit = wished(one)
    assert str(unit.structure) == (
        f"+1 SPY {BACK} C570 / -1 SPY {FRONT} C571 / +1 SPY {BACK} P533 / -1 SPY {FRONT} P532"
    )
    assert tuple(p.role for p in unit.parts) == ALL_PARTS
    # The call side costs 6.37 - 2.65 = 3.72, the put side 6.86 - 3.03 = 3.83: $372 and $383.
    assert unit.reason.startswith("debit 7.55, best 4.26, 2 sides")
    assert (unit.planned_loss, unit.least_net) == (Decimal("3.7750"), Decimal("-8.0"))
    assert unit.target_gain == pytest.approx(Decimal("2.129"), abs=Decimal("0.001"))


def test_longs_are_of_30_delta_and_shorts_of_20_to_25_beyond_them() -> None:
    one = desk()
    deltas, strikes = [], []
    for contract in wished(one).structure.contracts:
        assert isinstance(contract, Option)
        deltas.append(delta_now(one.view(ENTRY), contract))
        strikes.append(contract.strike)
    long_call, short_call, long_put, short_put = (d for d in deltas if d is not None)
    assert max(abs(long_call - 0.30), abs(long_put - 0.30)) < 0.01
    assert min(short_call, short_put) >= 0.20
    assert max(short_call, short_put) <= 0.25
    assert strikes[0] < strikes[1]
    assert strikes[2] > strikes[3]


def test_a_long_strike_without_a_short_one_beyond_it_gives_way_to_its_neighbour() -> None:
    # At 10 % nothing of 20 delta lies beyond the 563 call of 29.9 delta: the 562 of 31.1 is bought.
    assert "C562 / -1" in str(wished(desk(vol=flat(0.10))).structure)


ALONE = Settings(net_delta_max=20.0, theta_min_usd=1.0)


def test_where_one_side_is_neutral_enough_it_stands_alone() -> None:
    # 29.6 - 20.1 = 9.5 shares on the call side: too many for 5, few enough for 20.
    assert str(wished(desk(ALONE)).structure) == f"+1 SPY {BACK} C570 / -1 SPY {FRONT} C571"
    falling = rising_bars(TUESDAY, 5500.0, daily=-2.0)
    assert str(wished(desk(ALONE, daily=falling)).structure) == f"+1 SPY {BACK} P533 / -1 SPY {FRONT} P532"
    nearly = replace(ALONE, net_delta_max=9.6)
    assert len(wished(desk(nearly)).parts) == 2
    assert len(wished(desk(replace(nearly, net_delta_max=9.4))).parts) == 4


@pytest.mark.parametrize(
    ("settings", "market", "said"),
    [
        (Settings(), {"vix_level": 18.01}, "VIX: VIX 18.01 is not above 0 and up to 18"),
        (Settings(), {"vix_level": None}, "DATA: no VIX"),
        (Settings(), {"vol": flat(0.08)}, "theta $2.44, above $3.00 needed"),
        (Settings(vega_min_usd=80.0), {}, "vega $69.35, above $80.00 needed"),
        (Settings(net_delta_max=0.1), {}, "delta +1.4 shares, 0.1 either way needed"),
        (Settings(), {"vol": flat(0.25)}, "debit 12.46, most 8.00"),
        (Settings(), {"listed": {"SPY": (FRONT,)}}, "STRUCT: SPY: no expiries near 30 and 60 DTE"),
        (Settings(products=("QQQ", "IWM")), {}, "STRUCT: QQQ: no market; IWM: no market"),
        (
            Settings(short_delta_min=0.24),
            {},
            "no call of 24% to 25% delta to sell beyond one of about 30% delta on 2031-03-21",
        ),
    ],
)
def test_what_keeps_it_out(settings: Settings, market: dict[str, Any], said: str) -> None:
    (refused,) = passes(desk(settings, **market).decide(ENTRY))
    assert said in refused


def test_up_to_a_vix_of_18_it_is_entered() -> None:
    assert len(wished(desk(vix_level=18.0)).parts) == 4


@pytest.mark.parametrize(("vix", "units"), [(12.0, 10), (14.99, 10), (15.0, 5), (18.0, 5)])
def test_from_15_on_half_the_size(vix: float, units: int) -> None:
    # 2 % of $200,000 is $4,000; the stop loses $377.50 a unit: 10.6, and half of it 5.3.
    assert wished(desk(vix_level=vix)).ceiling == units


def test_a_unit_beyond_the_two_percent_is_none() -> None:
    one = desk()
    one.net_liq = Decimal(15_000)
    (refused,) = (w for w in one.decide(ENTRY) if isinstance(w, Pass))
    assert refused.code == "SIZE"


# ------------------------------------------------------------------------------------------- words


def test_the_best_is_with_the_index_at_a_short_strike_when_the_front_expires() -> None:
    one = desk()
    view, call = one.view(ENTRY), Structure.parse("x", f"+1 SPY {BACK} C570 / -1 SPY {FRONT} C571")
    near, far = view.chain("SPY", FRONT), view.chain("SPY", BACK)
    assert near is not None
    assert far is not None
    # At 571 the front is worth nothing; the back has 35 days left at 15 %: 0.399 x 570.5 x 0.15 x
    # root(35 / 365) and half of the point it is in the money are 11.07, discounted 11.03.
    back = black_price(571.0, 570.0, 35 / 365, 0.15, far.discount / near.discount, 1.0)
    assert best_at_front_expiry(view, call) == pytest.approx(back, abs=1e-9)
    assert back == pytest.approx(11.03, abs=0.01)


def test_beyond_a_strike_is_never_the_strike_itself() -> None:
    # 0.43 points a strike, as on the model market at 2,365: 527 x 0.43 is not 226.61 in binary.
    one = desk()
    near = one.view(ENTRY).chain("SPY", FRONT)
    assert near is not None
    odd = replace(near, strike_unit=Decimal("0.43"))
    for row in range(400, 500):
        put = odd.option(row - 250)
        found = select.strike_outward(odd, put.right, float(put.strike), beyond=True)
        assert found is None or (found.strike - put.strike) * put.right > Decimal("0.4")


def test_greeks_are_those_of_small_moves() -> None:
    one = desk()
    structure = wished(one).structure
    greeks = greeks_of(one.view(ENTRY), structure)
    assert greeks is not None
    mids = []
    for vol in (0.15, 0.16):
        one.market.vol = flat(vol)
        one.market.moved()
        quotes = one.view(ENTRY).quotes(structure.contracts)
        mids.append(-float(structure.net([q.mid for q in quotes if q is not None and q.mid is not None])))
    # Mids are rounded to a cent, four of them.
    assert mids[1] - mids[0] == pytest.approx(greeks.vega, abs=0.03)


# ------------------------------------------------------------------------------------------- exits


@pytest.mark.parametrize(("total", "gone"), [("9.67", False), ("9.68", True)])
def test_half_of_the_best_profit_is_enough(total: str, gone: bool) -> None:
    # $425.82 at best, noted at the first look; half of it is 2.1291 on a debit of 7.55.
    one = entered()
    assert list(one.notes.values()) == ["425.82"]
    worth(one, total)
    found = closes(list(one.decide(NOON)))
    assert [(c.trigger, c.roles) for c in found] == ([("target", ALL_PARTS)] if gone else [])


@pytest.mark.parametrize(("total", "gone"), [("3.78", False), ("3.77", True)])
def test_half_of_the_debit_lost_is_too_much(total: str, gone: bool) -> None:
    one = entered()
    worth(one, total)
    assert [c.trigger for c in confirmed(one)] == (["stop"] if gone else [])


@pytest.mark.parametrize(("vix", "gone"), [(18.0, False), (18.01, True)])
def test_a_vix_above_18_ends_it(vix: float, gone: bool) -> None:
    one = entered()
    one.market.moved(vix=vix)
    assert [c.trigger for c in closes(list(one.decide(NOON)))] == (["VIX"] if gone else [])


@pytest.mark.parametrize(
    ("days", "knob", "gone"), [(22, 21, False), (21, 21, True), (21, 7, False), (7, 7, True)]
)
def test_all_goes_at_the_last_days_of_the_fronts(days: int, knob: int, gone: bool) -> None:
    one = entered(Settings(front_exit_dte=knob, target_share=Decimal(1), rolls_max=0))
    found = closes(list(one.decide(at("10:00", FRONT - timedelta(days=days)))))
    assert [(c.trigger, c.roles) for c in found if c.trigger == "21 DTE"] == (
        [("21 DTE", ALL_PARTS)] if gone else []
    )


def test_deep_in_the_money_it_leaves_before_it_is_assigned() -> None:
    one = entered(Settings(stop_share=Decimal(1)))
    one.market.moved(level=6400.0)
    one.market.rate = 0.0
    worth(one, "7.55")
    assert [c.trigger for c in closes(list(one.decide(NOON)))] == ["assignment"]


def test_the_guardian_runs_what_limits_a_loss_or_a_time() -> None:
    guarded = {e.trigger for e in build("diagonal").exits if e.guardian}
    assert guarded == {"21 DTE", "VIX", "assignment", "stop", "no front"}


# ------------------------------------------------------------------------------------------- rolls


def spent() -> Desk:
    """The put front brought 3.03: at 0.60 four fifths are won.  The rest is worth what it cost."""
    one = entered(Settings(target_share=Decimal(1)))
    revalue(one, back_call="6.37", front_call_1="-2.65", back_put="4.40", front_put_1="-0.60")
    (close,) = confirmed(one)
    assert (close.trigger, close.roles) == ("roll", ("front put 1",))
    one.step(NOON + timedelta(minutes=1))
    return one


def test_a_spent_front_is_rolled_for_itself() -> None:
    one = spent()
    (sale,) = [w for w in one.step(at("12:05", DAY)) if isinstance(w, Open)]
    assert [p.role for p in sale.parts] == ["front put 2"]
    assert str(sale.structure) == "-1 SPY 2031-02-21 P532"
    one.step(at("12:31", DAY))
    assert position(one).stage == "ROLL_1"
    assert {r for r, c in position(one).components.items() if c.is_open} == {
        "back call",
        "front call 1",
        "back put",
        "front put 2",
    }


def test_a_side_whose_front_cannot_follow_goes_and_the_other_stays() -> None:
    one = spent()
    one.market.listed = {"SPY": (FRONT, BACK)}
    one.step(at("12:05", DAY))
    assert position(one).stage == "ROLLING"
    morning = at("10:00", date(2031, 1, 17))
    (close,) = closes(one.step(morning))
    assert (close.trigger, close.roles) == ("no front", ("back put",))
    one.step(morning + timedelta(minutes=31))
    assert position(one).stage == "OPEN"
    assert {r for r, c in position(one).components.items() if c.is_open} == {"back call", "front call 1"}


def test_a_restart_between_the_two_halves_of_a_roll_sells_the_next_front() -> None:
    one = spent()
    again = Desk(one.strategy, one.market, SESSIONS, positions=one.positions, notes=one.notes)
    now = at("12:05", DAY)
    assert again.decide(now) == one.decide(now)
    assert any(isinstance(w, Open) for w in again.decide(now))
