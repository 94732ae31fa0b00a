"""What is left of a contract at expiry: the exchange's rules in dollars."""

from datetime import date
from decimal import Decimal

from tomking.adapters.calendars import load_sessions
from tomking.domain.calendar import Sessions
from tomking.domain.contract import Future, Option, parse_contract
from tomking.sim.settlement import expire, future_of

NONE = Sessions(())
"""No calendar at all: quarterly futures are known without."""


def option(text: str) -> Option:
    return Option.parse(text)


def test_an_index_option_pays_its_intrinsic_value_in_cash() -> None:
    # 5700 - 5690.25 = 9.75 points x $100.
    out = expire(option("SPXW 2031-03-07 P5700"), Decimal("5690.25"), NONE)
    assert (out.dollars, out.delivered, out.fee) == (Decimal("975.00"), None, Decimal(5))


def test_out_of_the_money_is_worth_nothing_and_costs_nothing() -> None:
    out = expire(option("SPXW 2031-03-07 C5700"), Decimal(5700), NONE)
    assert (out.dollars, out.delivered, out.fee) == (Decimal(0), None, Decimal(0))


def test_an_exercised_put_on_a_future_sells_it_at_the_strike() -> None:
    put = option("ES 2031-03-07 P5700")
    out = expire(put, Decimal(5690), NONE)
    future = Future("ES", date(2031, 3, 21), Decimal(50), Decimal("0.05"))
    # Sold at 5700: +5700 x $50 come in, and one future is owed.
    assert (out.dollars, out.delivered) == (Decimal(285_000), (future, -1))
    # Worth together 285,000 - 5690 x 50 = $500: the 10 points of intrinsic value.
    assert out.dollars - 5690 * future.multiplier == put.intrinsic(Decimal(5690)) * put.multiplier


def test_the_future_beneath_is_the_next_quarterly_one() -> None:
    assert future_of(option("ES 2031-03-20 P5700"), NONE).expiry == date(2031, 3, 21)
    # EYC: the third Friday's PM option delivers the next quarter's future (B.1).
    assert future_of(option("ES 2031-03-21 P5700"), NONE).expiry == date(2031, 6, 20)
    assert future_of(option("ES 2031-03-24 P5700"), NONE).expiry == date(2031, 6, 20)
    assert future_of(option("ES 2031-12-31 P5700"), NONE).expiry == date(2032, 3, 19)


def test_an_option_on_shares_delivers_the_lot_at_its_strike() -> None:
    # A call of 580 exercised at 585.12: 100 shares for $58,000, worth $58,512.
    call = option("SPY 2031-03-21 C580")
    out = expire(call, Decimal("585.12"), NONE)
    assert (out.dollars, out.fee) == (Decimal(-58_000), Decimal(5))
    assert out.delivered == (parse_contract("SPY S"), 1)
    # A put sells them; at the strike, and by less than a cent, nobody exercises.
    put = option("SPY 2031-03-21 P580")
    assert expire(put, Decimal("579.99"), NONE).delivered == (parse_contract("SPY S"), -1)
    for settle in ("580", "579.9951"):
        assert expire(put, Decimal(settle), NONE).delivered is None


def test_a_scaled_option_delivers_shares_of_its_own_size() -> None:
    out = expire(option("SPY 1990-08-17 P33.5 x1612.9/0.00062"), Decimal(33), NONE)
    assert out.delivered == (parse_contract("SPY S x1612.9/0.00062"), -1)
    # 33.5 x 1612.9.
    assert out.dollars == Decimal("54032.15")


def test_options_on_gold_and_oil_deliver_the_future_of_their_month() -> None:
    sessions = load_sessions(date(2024, 1, 1), date(2025, 6, 30))
    # Oil's January options expire on 2024-12-16, their future (CLF25) on the 19th.
    assert future_of(option("CL 2024-12-16 C70"), sessions).expiry == date(2024, 12, 19)
    out = expire(option("CL 2024-12-16 C70"), Decimal("71.25"), sessions)
    assert out.dollars == Decimal(-70_000)
    # Micro oil options are settled in cash (D.4): 1.25 x 100 barrels.
    assert expire(option("MCL 2024-12-16 C70"), Decimal("71.25"), sessions).dollars == Decimal(125)
    assert expire(option("MCL 2024-12-16 C70"), Decimal("71.25"), sessions).delivered is None


def test_a_quarterly_future_on_a_holiday_is_that_of_the_session_before() -> None:
    # Good Friday of 2008 was the third Friday of March.
    sessions = load_sessions(date(2008, 1, 1), date(2008, 12, 31))
    assert future_of(option("ES 2008-03-14 P1300"), sessions).expiry == date(2008, 3, 20)
