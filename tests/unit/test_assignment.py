"""Who exercises an American option early: whoever gains by it, at the close."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from tomking.domain.calendar import UTC
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.pricing.american import american
from tomking.sim.assignment import exercised_early

NOW = datetime(2031, 3, 7, 21, 0, tzinfo=UTC)
EXPIRY = date(2032, 3, 6)
VOL = 0.20


@dataclass
class OneChain:
    """A market of one expiry, a year away, at 20 % flat, and one share."""

    level: float
    rate: float
    dividends: float = 0.018
    asked: list[str] = field(default_factory=list)

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        self.asked.append(product)
        strikes = np.arange(60, 141, 10)
        n = strikes.size
        # 365 days ACT/365 are one year; on a clock of 1.25 years the volatility is lower by the root.
        return Chain(
            product, expiry, now, Decimal(100), Decimal("0.01"), Decimal(10),
            forward=self.level * float(np.exp(self.rate - self.dividends)),
            discount=float(np.exp(-self.rate)),
            years=1.25,
            right=np.repeat(np.array([-1, 1], np.int8), n),
            strike=np.concatenate((strikes, strikes)) // 10,
            bid=np.zeros(2 * n, np.int64),
            ask=np.ones(2 * n, np.int64),
            iv=np.full(2 * n, VOL / 1.25**0.5),
            delta=np.zeros(2 * n),
        )  # fmt: skip

    def quotes(self, contracts: list[Contract], now: datetime) -> list[Quote | None]:
        mid = Decimal(str(self.level))
        return [Quote(mid - contract.tick, mid + contract.tick, now) for contract in contracts]

    def marks(self, contracts: list[Contract], now: datetime) -> NDArray[np.float64]:
        raise AssertionError("nobody asks for marks")


def chosen(market: OneChain, *texts: str) -> list[str]:
    contracts = [Option.parse(f"SPY {EXPIRY} {text}") for text in texts]
    return [str(option).split()[2] for option, _ in exercised_early(contracts, market, NOW)]  # type: ignore[arg-type]


def test_a_put_is_exercised_at_or_below_its_boundary_and_not_above() -> None:
    # At 5 %, 20 % volatility, 1.8 % dividends: where the boundary of a one-year put of strike 100 lies.
    boundary = float(
        american(spot=100, strike=100, years=1.0, vol=VOL, rate=0.05, yield_=0.018, right=-1).boundary
    )
    assert 75 < boundary < 90
    assert chosen(OneChain(round(boundary - 0.2, 2), 0.05), "P100") == ["P100"]
    assert chosen(OneChain(round(boundary + 0.2, 2), 0.05), "P100") == []


def test_without_interest_no_put_is_exercised_but_a_call_is_for_its_dividends() -> None:
    assert chosen(OneChain(50.0, 0.0), "P100") == []
    assert chosen(OneChain(200.0, 0.0), "C100") == ["C100"]


def test_without_dividends_no_call_is_exercised() -> None:
    assert chosen(OneChain(200.0, 0.05, dividends=0.0), "C100") == []


def test_what_is_out_of_the_money_is_not_even_looked_at() -> None:
    market = OneChain(100.0, 0.05)
    assert chosen(market, "P100", "P80", "C120") == []
    assert market.asked == []


def test_the_same_market_assigns_the_same_options_in_the_same_order() -> None:
    market = OneChain(40.0, 0.08)
    assert chosen(market, "P120", "P100") == chosen(market, "P100", "P120") == ["P100", "P120"]


@pytest.mark.parametrize("days", [0, 1])
def test_an_option_on_its_last_day_is_left_to_its_expiry(days: int) -> None:
    market = OneChain(40.0, 0.05)
    option = Option.parse(f"SPY {NOW.date() + timedelta(days=days)} P100")
    found = list(exercised_early([option], market, NOW))  # type: ignore[arg-type]
    assert bool(found) == (days == 1)
