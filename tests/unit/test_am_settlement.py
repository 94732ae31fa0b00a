"""SPX options of the third Friday: last traded on Thursday, settled by the opening prices."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.domain.bars import History
from tomking.domain.calendar import Sessions, wall_instant
from tomking.domain.contract import Option, Right, Share
from tomking.domain.products import PRODUCTS
from tomking.sim.listing import expiries_of
from tomking.sim.market import ModelMarket

EXPIRY = date(2019, 2, 15)


@pytest.fixture(scope="module")
def history() -> History:
    return load_history()


@pytest.fixture(scope="module")
def sessions(history: History) -> Sessions:
    first, *_, last = history.spx.day.astype("datetime64[D]").tolist()
    return load_sessions(first, last + timedelta(days=450))


@pytest.fixture(scope="module")
def market(history: History, sessions: Sessions) -> ModelMarket:
    return ModelMarket(history, sessions, seed=7)


def on(day: date, wall: str) -> datetime:
    return wall_instant(day, time.fromisoformat(wall))


def option_of(market: ModelMarket, strike: str) -> Option:
    chain = market.chain("SPX", EXPIRY, on(date(2019, 2, 1), "11:00"))
    assert chain is not None
    return Option("SPX", EXPIRY, Right.CALL, Decimal(strike), chain.multiplier, chain.tick)


def test_third_fridays_are_listed_until_the_session_before(sessions: Sessions) -> None:
    found = {x.expiry: x for x in expiries_of("SPX", sessions)}
    assert found[EXPIRY].last == date(2019, 2, 14)
    # Good Friday 2019-04-19: it settles at Thursday's open and last trades on Wednesday.
    assert found[date(2019, 4, 18)].last == date(2019, 4, 17)
    assert all(x.expiry.day in range(14, 22) for x in found.values())
    assert [p.key for p in PRODUCTS.values() if p.settles_at_open and p.family == "SPX"] == ["SPX"]


def test_on_its_last_morning_an_am_option_is_listed_no_more(market: ModelMarket) -> None:
    assert market.expiries("SPX", on(date(2019, 2, 14), "15:59"))[0] == EXPIRY
    assert market.expiries("SPX", on(EXPIRY, "09:30"))[0] == date(2019, 3, 15)
    assert market.quotes([option_of(market, "2750")], on(EXPIRY, "09:31")) == [None]


def test_its_settlement_is_known_at_the_open_and_is_that_mornings_level(market: ModelMarket) -> None:
    call = option_of(market, "2750")
    assert market.settlement(call, on(date(2019, 2, 14), "16:00")) is None
    opening = market.spot("SPX", on(EXPIRY, "09:30"))
    assert market.settlement(call, on(EXPIRY, "09:30")) == opening
    assert market.settlement(call, on(EXPIRY, "16:00")) == opening != market.spot("SPX", on(EXPIRY, "16:00"))


def test_it_is_worth_less_than_the_pm_option_of_its_day_by_that_days_variance(market: ModelMarket) -> None:
    now = on(date(2019, 2, 14), "12:00")
    morning, evening = market.chain("SPX", EXPIRY, now), market.chain("SPXW", EXPIRY, now)
    assert morning is not None
    assert evening is not None
    assert 0 < morning.years < evening.years


def test_a_share_of_the_index_is_quoted_at_the_index_whatever_its_size(market: ModelMarket) -> None:
    now = on(EXPIRY, "11:00")
    spot = market.spot("SPX", now)
    assert spot is not None
    for multiplier, tick in (("100", "0.05"), ("1639.34", "0.00305")):
        share = Share("SPX", Decimal(multiplier), Decimal(tick))
        (quote,) = market.quotes([share], now)
        assert quote is not None
        assert quote.mid is not None
        assert abs(float(quote.mid) - spot) <= float(tick)
        assert market.marks([share], now)[0] == pytest.approx(float(quote.mid))


def test_a_share_of_what_has_futures_is_not_listed(market: ModelMarket) -> None:
    assert market.quotes([Share("ES", Decimal(50), Decimal("0.05"))], on(EXPIRY, "11:00")) == [None]
