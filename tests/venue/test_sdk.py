"""The broker's own Python SDK, unmodified, against the venue on a real socket."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tastytrade import Account, AlertStreamer, DXLinkStreamer, Session
from tastytrade.dxfeed import Candle, Greeks, Profile, Quote, Summary, Trade
from tastytrade.instruments import Equity, Future, NestedFutureOptionChain, NestedOptionChain, Option
from tastytrade.market_data import get_market_data_by_type
from tastytrade.market_sessions import get_market_holidays
from tastytrade.metrics import get_market_metrics
from tastytrade.order import (
    AdvancedInstructions,
    InstrumentType,
    Leg,
    LimitOrder,
    MarketOrder,
    OrderAction,
    OrderStatus,
    OrderTimeInForce,
    PlacedOrder,
)
from tastytrade.utils import TastytradeError
from tests.venue.venueserver import ACCOUNT, FRIDAY, REFRESH, SECRET, Running, running

from tomking.adapters.tastytrade.session import Destination, Environment, Secrets, session

pytestmark = pytest.mark.enable_socket
SHORT, LONG = "SPXW  240607P05320000", "SPXW  240607P05300000"


@pytest.fixture(scope="module")
def shared() -> Any:
    """One venue for all that only reads."""
    with running() as venue:
        yield venue


@pytest.fixture
def venue() -> Any:
    with running() as one:
        yield one


def with_sdk(venue: Running, work: Callable[[Session, Account], Awaitable[None]]) -> None:
    """Logs the SDK in, finds the account and runs ``work``."""

    async def whole() -> None:
        to = Destination(Environment.SANDBOX, venue.port)
        async with session(to, Secrets(SECRET, REFRESH)) as logged_in:
            (account,) = await Account.get(logged_in)
            await work(logged_in, account)

    with warnings.catch_warnings():
        # The SDK places orders with httpx2's ``data=<str>``, which warns: with -W error nothing is sent.
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.run(whole())


def spread(price: str, *, opens: bool = True, tag: str = "t-1-1-1", units: int = 2) -> LimitOrder:
    words = (OrderAction.SELL_TO_OPEN, OrderAction.BUY_TO_OPEN)
    if not opens:
        words = (OrderAction.BUY_TO_CLOSE, OrderAction.SELL_TO_CLOSE)
    legs = [
        Leg(instrument_type=InstrumentType.EQUITY_OPTION, symbol=symbol, action=action, quantity=units)
        for symbol, action in zip((SHORT, LONG), words, strict=True)
    ]
    return LimitOrder(
        time_in_force=OrderTimeInForce.DAY, legs=legs, price=Decimal(price), external_identifier=tag
    )


def pass_time(venue: Running, seconds: float) -> None:
    venue.house.clock.move(venue.house.clock.now() + timedelta(seconds=seconds))


# ---------------------------------------------------------------------------------- reading


def test_everything_about_the_account_can_be_read(shared: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        assert account.account_number == ACCOUNT
        assert (await s.get_customer()).first_name == "Paper"
        assert (await Account.get(s, ACCOUNT)).account_number == ACCOUNT
        balances = await account.get_balances(s)
        assert (balances.net_liquidating_value, balances.cash_balance) == (Decimal(200_000), Decimal(200_000))
        assert (await account.get_trading_status(s)).options_level == "No Restrictions"
        assert (await account.get_balance_snapshots(s))[0].snapshot_date == FRIDAY
        assert await account.get_positions(s) == []
        assert await account.get_history(s) == []
        assert (await account.get_total_fees(s)).total_fees == 0
        assert (await account.get_margin_requirements(s)).margin_requirement == 0
        assert (await account.get_net_liquidating_value_history(s, time_back="1d"))[0].close == 200_000
        assert await account.get_live_orders(s) == []
        assert await account.get_order_history(s) == []
        assert await account.get_live_complex_orders(s) == []

    with_sdk(shared, work)


def test_chains_instruments_and_market_data_can_be_read(shared: Running) -> None:
    async def work(s: Session, _: Account) -> None:
        am, pm = await NestedOptionChain.get(s, "SPX")
        assert (am.root_symbol, pm.root_symbol) == ("SPX", "SPXW")
        assert pm.expirations[0].expiration_date == FRIDAY
        assert am.expirations[0].settlement_type == "AM"
        futures = await NestedFutureOptionChain.get(s, "MES")
        first = futures.option_chains[0].expirations[0]
        assert first.strikes[0].put.startswith("./MESM4")
        assert {one.symbol for one in futures.futures} >= {"/MESM4"}
        assert (await Equity.get(s, "SPY")).is_etf
        assert (await Option.get(s, SHORT)).streamer_symbol == ".SPXW240607P5320"
        assert (await Future.get(s, "/ESM4")).streamer_symbol == "/ESM24:XCME"
        (index,) = await get_market_data_by_type(s, indices=["SPX"])
        assert index.bid is not None
        assert 5300 < index.bid < 5400
        (option,) = await get_market_data_by_type(s, options=[SHORT])
        assert option.mark is not None
        assert option.mark > 0
        assert (await get_market_metrics(s, ["SPX", "SPY"]))[0].symbol == "SPX"
        holidays = await get_market_holidays(s)
        assert [day.isoformat() for day in holidays.holidays][:2] == ["2024-01-01", "2024-01-15"]

    with_sdk(shared, work)


def test_quotes_greeks_and_candles_stream(shared: Running) -> None:
    async def work(s: Session, _: Account) -> None:
        await NestedOptionChain.get(s, "SPX")
        async with DXLinkStreamer(s) as streamer:
            await streamer.subscribe(Quote, ["SPX", ".SPXW240607P5320"])
            quotes = [await streamer.get_event(Quote) for _ in range(2)]
            assert {one.event_symbol for one in quotes} == {"SPX", ".SPXW240607P5320"}
            await streamer.subscribe(Greeks, [".SPXW240607P5320"])
            greeks = await streamer.get_event(Greeks)
            assert -0.5 < greeks.delta < 0
            assert greeks.theta < 0 < greeks.vega
            for kind in (Trade, Summary, Profile):
                await streamer.subscribe(kind, ["SPX"])
                assert (await streamer.get_event(kind)).event_symbol == "SPX"
            start = shared.house.clock.now() - timedelta(days=10)
            await streamer.subscribe_candle(["SPX"], "1d", start)
            candle = await streamer.get_event(Candle)
            # 2024-06-06, the session before: the S&P 500 closed at 5352.96.
            assert candle.close == Decimal("5352.96")

    with_sdk(shared, work)


# ---------------------------------------------------------------------------------- trading


def test_an_order_is_judged_placed_filled_leg_by_leg_and_seen_in_the_account(venue: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        dry = await account.place_order(s, spread("2.00"), dry_run=True)
        # Two spreads 20 wide for 2.00: 4,000 less 400 at risk, and the fees.
        assert dry.buying_power_effect.change_in_margin_requirement == Decimal(-4_000)
        assert dry.fee_calculation is not None
        fee = -dry.fee_calculation.total_fees
        async with AlertStreamer(s) as streamer:
            await streamer.subscribe_accounts([account])
            placed = await account.place_order(s, spread("2.00"), dry_run=False)
            assert placed.order.external_identifier == "t-1-1-1"
            pass_time(venue, 2)
            seen: list[PlacedOrder] = []
            async for order in streamer.listen(PlacedOrder):
                seen.append(order)
                if all(leg.fills for leg in order.legs):
                    break
        assert [one.status for one in seen] == [
            OrderStatus.ROUTED,
            OrderStatus.LIVE,
            OrderStatus.FILLED,
            OrderStatus.FILLED,
        ]
        assert [len(leg.fills or []) for leg in seen[2].legs] == [1, 0]  # Filled after the first leg (T5)
        held = {one.symbol: one.quantity_direction for one in await account.get_positions(s)}
        assert held == {SHORT: "Short", LONG: "Long"}
        history = await account.get_history(s)
        received = sum(one.value for one in history)
        balances = await account.get_balances(s)
        assert balances.cash_balance == Decimal(200_000) + received - fee

    with_sdk(venue, work)


def test_a_close_is_strict_and_a_cancelled_order_says_so(venue: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        await NestedOptionChain.get(s, "SPX")
        closing = spread("-1.00", opens=False)
        closing.advanced_instructions = _strict()
        with pytest.raises(TastytradeError, match="position_effect_invalid"):
            await account.place_order(s, closing, dry_run=False)
        far = await account.place_order(s, spread("15.00"), dry_run=False)
        await account.delete_order(s, far.order.id)
        pass_time(venue, 5)
        assert (await account.get_order(s, far.order.id)).status is OrderStatus.CANCELLED
        with pytest.raises(TastytradeError, match="cancelled"):
            await account.delete_order(s, far.order.id)

    with_sdk(venue, work)


def test_a_replacement_is_an_order_of_its_own_that_goes_out_when_the_first_has_ended(venue: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        await NestedOptionChain.get(s, "SPX")
        first = await account.place_order(s, spread("15.00"), dry_run=False)
        pass_time(venue, 1)
        second = await account.replace_order(s, first.order.id, spread("2.00", tag="t-1-1-2"))
        assert second.status is OrderStatus.CONTINGENT
        assert str(second.replaces_order_id) == str(first.order.id)
        pass_time(venue, 5)
        orders = {one.external_identifier: one.status for one in await account.get_live_orders(s)}
        assert orders == {"t-1-1-1": OrderStatus.CANCELLED, "t-1-1-2": OrderStatus.FILLED}

    with_sdk(venue, work)


def test_what_is_wrong_with_an_order_is_said_all_at_once(venue: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        await NestedOptionChain.get(s, "SPX")
        legs = [
            Leg(
                instrument_type=InstrumentType.EQUITY_OPTION,
                symbol="SPXW  240607P0532",
                action=OrderAction.SELL_TO_OPEN,
                quantity=0,
            )
        ]
        two = MarketOrder(time_in_force=OrderTimeInForce.GTC, legs=legs)
        with pytest.raises(TastytradeError) as refused:
            await account.place_order(s, two, dry_run=False)
        assert "invalid_symbol" in str(refused.value)
        assert "gtc_market_orders_not_supported" in str(refused.value)
        off_grid = spread("2.01")
        with pytest.raises(TastytradeError, match=r"not a multiple of 0\.05"):
            await account.place_order(s, off_grid, dry_run=False)

    with_sdk(venue, work)


# ---------------------------------------------------------------------------------- who may


def test_without_a_good_token_nothing_is_answered(shared: Running) -> None:
    for header in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "nonsense"}):
        answer = httpx.get(f"{shared.url}/customers/me", headers=header)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_invalid")
    wrong = httpx.post(f"{shared.url}/oauth/token", json={"grant_type": "refresh_token"})
    assert wrong.json() == {
        "error_code": "invalid_client",
        "error_description": "Client authentication failed",
    }


def test_a_token_that_may_only_read_may_not_trade(shared: Running) -> None:
    body = {
        "grant_type": "refresh_token",
        "client_secret": SECRET,
        "refresh_token": REFRESH,
        "scope": "read",
    }
    token = httpx.post(f"{shared.url}/oauth/token", json=body).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{shared.url}/customers/me", headers=header).status_code == 200
    answer = httpx.post(f"{shared.url}/accounts/{ACCOUNT}/orders", headers=header, json={})
    assert answer.status_code == 403
    other = httpx.get(f"{shared.url}/accounts/5WT99999/positions", headers=header)
    assert other.status_code == 404


def _strict() -> AdvancedInstructions:
    return AdvancedInstructions(strict_position_effect_validation=True)
