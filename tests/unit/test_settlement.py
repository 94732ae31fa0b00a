"""What is left of a contract at expiry: the exchange's rules in dollars."""

from datetime import date
from decimal import Decimal

from tomking.domain.contract import Future, Option
from tomking.domain.calendar import Sessions
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
