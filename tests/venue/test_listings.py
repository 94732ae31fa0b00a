"""What is listed under which symbol, and what a symbol's quotes are."""

import math
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from tests.venue.venueserver import FRIDAY, a_house, sessions

from tomking.adapters.tastytrade import chains
from tomking.domain.calendar import wall_instant
from tomking.domain.contract import Future, Option, Right
from tomking.domain.products import PRODUCTS
from tomking.venue import listings
from tomking.venue.house import House

MORNING = datetime(2024, 6, 7, 14, 30, tzinfo=UTC)


@cache
def house() -> House:
    return a_house()


def rows(found: Any) -> list[dict[str, Any]]:
    return list(found)


# ---------------------------------------------------------------------------------- listings


@pytest.mark.parametrize(
    ("product", "expiry", "name"),
    [
        ("ES", date(2024, 6, 7), "EW1"),  # the first Friday
        ("ES", date(2024, 6, 28), "EW"),  # the last session of the month
        ("ES", date(2024, 6, 21), "EYC"),  # the quarterly third Friday, settled at the close
        ("ES", date(2024, 6, 12), "E2C"),  # the second Wednesday
        ("CL", date(2024, 6, 14), "LO"),  # the monthly one, six business days before the 25th
    ],
)
def test_series_have_the_exchanges_names(product: str, expiry: date, name: str) -> None:
    assert listings.series(PRODUCTS[product], expiry, sessions()) == name


def test_a_futures_options_symbol_has_its_future_its_series_its_day_and_its_strike() -> None:
    product = PRODUCTS["ES"]
    option = Option("ES", FRIDAY, Right.PUT, Decimal(5300), product.multiplier, product.tick)
    future = Future("ES", date(2024, 6, 21), product.multiplier, product.tick)
    symbols = listings.future_option_symbols(option, future, sessions())
    assert symbols == ("./ESM4 EW1M4 240607P5300", "./EW1M24P5300:XCME")


def test_what_is_listed_is_read_back_contract_for_contract() -> None:
    items = house().equity_chain("SPX")
    read = chains.equity_chain(items)
    assert {one.contract.product for one in read} == {"SPX", "SPXW"}
    put = next(one for one in read if one.symbol == "SPXW  240607P05320000")
    assert put.contract == Option(
        "SPXW", FRIDAY, Right.PUT, Decimal(5320), Decimal(100), PRODUCTS["SPXW"].tick
    )
    assert put.streamer == ".SPXW240607P5320"
    assert len({one.symbol for one in read}) == len(read)


def test_a_futures_chain_names_the_future_beneath_each_expiry() -> None:
    data: Any = house().futures_chain("MES")
    (chain,) = data["option-chains"]
    months = {one["symbol"]: one["expiration-date"] for one in data["futures"]}
    for expiration in chain["expirations"]:
        assert expiration["expiration-date"] <= months[expiration["underlying-symbol"]]
    assert months["/MESM4"] == "2024-06-21"
    assert house().directory.contract("/MESM4") == Future(
        "MES", date(2024, 6, 21), PRODUCTS["MES"].multiplier, PRODUCTS["MES"].tick
    )


def test_a_grid_with_a_finer_part_says_up_to_where() -> None:
    assert listings.ticks(PRODUCTS["SPXW"]) == [{"value": "0.05", "threshold": "3.00"}, {"value": "0.10"}]


def test_the_active_month_is_the_next_that_is_delivered() -> None:
    found = listings.nearby(PRODUCTS["ES"], sessions(), MORNING)
    assert [one["symbol"] for one in found] == ["/ESM4", "/ESU4", "/ESZ4", "/ESH5", "/ESM5"]
    assert [one["active-month"] for one in found] == [True, False, False, False, False]


def test_a_days_chain_is_known_before_its_open_and_tomorrows_after_its_close() -> None:
    before = a_house(wall_instant(date(2024, 6, 10), wall_time(8, 0)))
    (_, weekly) = rows(before.equity_chain("SPX"))
    assert weekly["expirations"][0]["expiration-date"] == "2024-06-10"
    assert before.feed.item("SPXW  240610P05300000", "Equity Option", before.clock.now()) is None
    before.clock.move(wall_instant(date(2024, 6, 10), wall_time(18, 0)))
    (_, weekly) = rows(before.equity_chain("SPX"))
    assert weekly["expirations"][0]["expiration-date"] == "2024-06-11"


# ---------------------------------------------------------------------------------- quotes


def event(kind: str, symbol: str, at: datetime = MORNING) -> dict[str, Any]:
    (found,) = house().feed.events(kind, symbol, at)
    return dict(found)


def test_an_options_quote_is_the_markets_own() -> None:
    contract = house().directory.contract("SPXW  240607P05320000")
    (quote,) = house().market.quotes((contract,), MORNING)
    assert quote is not None
    assert quote.bid is not None
    assert quote.ask is not None
    seen = event("Quote", ".SPXW240607P5320")
    assert (seen["bidPrice"], seen["askPrice"]) == (float(quote.bid), float(quote.ask))
    shown = house().feed.item("SPXW  240607P05320000", "Equity Option", MORNING)
    assert shown is not None
    assert (Decimal(str(shown["bid"])), Decimal(str(shown["ask"]))) == (quote.bid, quote.ask)


def test_levels_stand_at_their_own_scale() -> None:
    spot = house().market.spot("SPX", MORNING)
    assert spot is not None
    feed = house().feed
    assert feed.level("SPX", MORNING) == spot
    assert feed.level("XSP", MORNING) == pytest.approx(spot / 10)
    assert feed.level("/ESM24:XCME", MORNING) == pytest.approx(spot)
    printed = house().market.vix(MORNING)
    assert printed is not None
    assert feed.level("VIX", MORNING) == printed[0]
    assert feed.level("NOPE9", MORNING) is None


def test_greeks_are_per_point_of_volatility_and_calendar_day() -> None:
    seen = event("Greeks", ".SPXW240621P5300")
    chain = house().market.chain("SPXW", date(2024, 6, 21), MORNING)
    assert chain is not None
    # A put 50 points below with two weeks to go: S phi(d) sqrt(t) / 100 is at most 5350 x 0.4 x 0.2 / 100.
    assert -0.5 < seen["delta"] < -0.1
    assert 0 < seen["vega"] < 4.3
    assert -5 < seen["theta"] < -0.2
    assert 0.05 < seen["volatility"] < 0.3
    assert seen["rho"] < 0 < seen["gamma"]


def test_what_nobody_knows_has_no_events() -> None:
    for kind in ("Quote", "Greeks", "Trade", "Summary", "Profile", "TheoPrice"):
        assert list(house().feed.events(kind, ".NOPE240607P1", MORNING)) == []


def test_daily_candles_come_newest_first_and_end_with_their_mark() -> None:
    since = int((MORNING - timedelta(days=9)).timestamp() * 1000)
    *days, end = house().feed.events("Candle", "SPX{=1d}", MORNING, since)
    assert days[0]["close"] == 5352.96  # 2024-06-06
    times = [int(str(one["time"])) for one in days]
    assert times == sorted(times, reverse=True)
    assert [one["eventFlags"] for one in days] == [4, *[0] * (len(days) - 1)]
    assert end["eventFlags"] == 10
    assert math.isnan(float(str(end["close"])))


def test_candles_of_other_periods_are_an_empty_snapshot() -> None:
    (only,) = house().feed.events("Candle", "SPX{=5m}", MORNING, 0)
    assert only["eventFlags"] == 14
