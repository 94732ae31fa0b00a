"""More of what the Python SDK can ask: complex orders, futures and their products, metrics, histories."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tastytrade import Account, Session
from tastytrade.instruments import (
    Equity,
    Future,
    FutureOption,
    FutureOptionProduct,
    FutureProduct,
    NestedFutureOptionChain,
    get_future_option_chain,
    get_option_chain,
)
from tastytrade.market_data import get_market_data
from tastytrade.market_sessions import ExchangeType, get_futures_holidays, get_market_sessions
from tastytrade.metrics import get_dividends, get_earnings, get_market_metrics, get_risk_free_rate
from tastytrade.order import (
    ComplexOrderType,
    InstrumentType,
    Leg,
    LimitOrder,
    OCOOrder,
    OrderAction,
    OrderStatus,
    OrderTimeInForce,
    OTOCOOrder,
    StopLimitOrder,
    StopOrder,
)
from tastytrade.search import symbol_search
from tastytrade.utils import TastytradeError
from tests.venue.test_sdk import LONG, SHORT, pass_time, spread, with_sdk
from tests.venue.venueserver import ACCOUNT, Running, bearer, running

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def shared() -> Any:
    with running() as venue:
        yield venue


@pytest.fixture
def venue() -> Any:
    with running() as one:
        yield one


Work = Callable[[Session, Account], Awaitable[None]]


def leg(symbol: str, action: OrderAction, quantity: int = 1) -> Leg:
    return Leg(instrument_type=InstrumentType.EQUITY_OPTION, symbol=symbol, action=action, quantity=quantity)


def one_put(action: OrderAction, price: str) -> LimitOrder:
    return LimitOrder(time_in_force=OrderTimeInForce.DAY, legs=[leg(SHORT, action)], price=Decimal(price))


def stop(trigger: str) -> StopOrder:
    return StopOrder(
        time_in_force=OrderTimeInForce.GTC,
        legs=[leg(SHORT, OrderAction.BUY_TO_CLOSE)],
        stop_trigger=Decimal(trigger),
    )


# ---------------------------------------------------------------------------------- instruments


def test_futures_their_products_and_their_options_can_be_read(shared: Running) -> None:
    async def work(s: Session, _: Account) -> None:
        listed = await Future.get(s, ["/ESM4", "/ESU4"])
        assert [one.symbol for one in listed] == ["/ESM4", "/ESU4"]
        product = await FutureProduct.get(s, "CL", exchange="NYMEX")
        assert (product.streamer_exchange_code, product.first_notice) == ("XNYM", True)
        assert {one.code for one in await FutureProduct.get(s)} >= {"ES", "MES", "CL", "GC"}
        assert (await FutureOptionProduct.get(s, "ES")).code == "ES"
        assert len(await FutureOptionProduct.get(s)) == len(await FutureProduct.get(s))
        nested = await NestedFutureOptionChain.get(s, "MES")
        symbol = nested.option_chains[0].expirations[0].strikes[0].put
        option = await FutureOption.get(s, symbol)
        assert (option.symbol, option.underlying_symbol) == (symbol, "/MESM4")
        flat = await get_future_option_chain(s, "MES")
        assert option.expiration_date in flat

    with_sdk(shared, work)


def test_shares_can_be_listed_and_a_chain_read_flat(shared: Running) -> None:
    async def work(s: Session, _: Account) -> None:
        assert [one.symbol for one in await Equity.get(s, ["SPY", "SPX"])] == ["SPY", "SPX"]
        everything = await Equity.get_active_equities(s)
        assert {one.symbol for one in everything} >= {"SPY", "SPX", "XSP"}
        assert not {one.symbol for one in everything} & {"SPXW", "ES"}
        chain = await get_option_chain(s, "XSP")
        assert sum(map(len, chain.values())) > 1_000
        assert (await symbol_search(s, "SP"))[0].symbol.startswith("SP")

    with_sdk(shared, work)


def test_what_nobody_lists_is_not_found(shared: Running) -> None:
    async def work(s: Session, _: Account) -> None:
        with pytest.raises(TastytradeError, match="NOPE"):
            await Equity.get(s, "NOPE")
        with pytest.raises(TastytradeError, match="/ESZ9"):
            await Future.get(s, "/ESZ9")
        with pytest.raises(TastytradeError, match="no options are listed on 'SPXW'"):
            await get_option_chain(s, "SPXW")

    with_sdk(shared, work)


# ---------------------------------------------------------------------------------- data


def test_metrics_come_from_the_years_before(shared: Running) -> None:
    async def work(s: Session, _: Account) -> None:
        spx, gold = await get_market_metrics(s, ["SPX", "GC", "NOPE"])
        # VIX at about 12.6 on 2024-06-07; its year lay between 11.86 and 21.71: a rank near the bottom.
        assert spx.implied_volatility_index is not None
        assert 0.11 < spx.implied_volatility_index < 0.15
        assert 0 <= Decimal(spx.implied_volatility_index_rank or "1") < Decimal("0.2")
        assert 0 <= Decimal(spx.implied_volatility_percentile or "1") < Decimal("0.4")
        assert spx.historical_volatility_30_day is not None
        assert Decimal(5) < spx.historical_volatility_30_day < Decimal(20)
        assert gold.implied_volatility_index_rank is None  # VIX says nothing of gold
        assert await get_dividends(s, "SPY") == []
        assert await get_earnings(s, "SPY", shared.house.clock.now().date()) == []
        assert Decimal("0.04") < await get_risk_free_rate(s) < Decimal("0.06")
        assert (await get_market_data(s, SHORT, InstrumentType.EQUITY_OPTION)).mark
        exchanges = [ExchangeType.NYSE, ExchangeType.CME]
        assert [one.status.value for one in await get_market_sessions(s, exchanges)] == ["Open", "Open"]
        assert (await get_futures_holidays(s, ExchangeType.CME)).half_days[0].isoformat() == "2024-07-03"

    with_sdk(shared, work)


def test_the_event_calendar_covers_the_venues_sessions(shared: Running) -> None:
    found = httpx.get(f"{shared.url}/_sandbox/events", params={"from": "2024-06-10", "to": "2024-07-05"})
    days = {one["date"]: one for one in found.json()["sessions"]}
    # 2024-06-12 had the price index in the morning and the Federal Reserve in the afternoon.
    assert [one["event"] for one in days["2024-06-12"]["events"]] == ["CPI", "FOMC"]
    assert days["2024-06-12"]["events"][1]["at"] == "2024-06-12T18:00:00.000+00:00"
    assert days["2024-07-03"]["half-day"]
    assert not {"2024-06-19", "2024-07-04"} & set(days)
    wrong = httpx.get(f"{shared.url}/_sandbox/events", params={"from": "soon"})
    assert wrong.status_code == 400


# ---------------------------------------------------------------------------------- orders


def test_a_stop_waits_for_its_trigger_and_ends_what_would_have_taken_the_profit(venue: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        order = OTOCOOrder(
            trigger_order=one_put(OrderAction.SELL_TO_OPEN, "0.05"),
            take_profit=one_put(OrderAction.BUY_TO_CLOSE, "-0.05"),
            stop_loss=stop("0.10"),  # the put is worth more than that: reached as soon as it is looked at
        )
        placed = (await account.place_complex_order(s, order, dry_run=False)).complex_order
        assert placed.type is ComplexOrderType.OTOCO
        assert placed.trigger_order.complex_order_tag == "OTOCO::trigger-order"
        assert {one.status for one in placed.orders} == {OrderStatus.CONTINGENT}
        assert placed.stop_loss.stop_trigger == Decimal("0.1")
        pass_time(venue, 180)
        found = await account.get_complex_order(s, placed.id)
        assert found.trigger_order is not None
        states = [one.status for one in (found.trigger_order, *found.orders)]
        assert states == [OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.FILLED]
        assert found.terminal_at is not None
        assert await account.get_positions(s) == []
        (shown,) = await account.get_live_complex_orders(s)
        assert shown.id == placed.id
        assert [one.id for one in await account.get_complex_order_history(s)] == [placed.id]

    with_sdk(venue, work)


def test_one_of_two_cancels_the_other_and_the_user_both(venue: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        await account.place_order(s, one_put(OrderAction.SELL_TO_OPEN, "0.05"), dry_run=False)
        pass_time(venue, 2)
        far = OCOOrder(take_profit=one_put(OrderAction.BUY_TO_CLOSE, "-0.05"), stop_loss=stop("90"))
        dry = await account.place_complex_order(s, far, dry_run=True)
        assert dry.buying_power_effect.current_buying_power > 0
        placed = (await account.place_complex_order(s, far, dry_run=False)).complex_order
        pass_time(venue, 90)
        shown = await account.get_complex_order(s, placed.id)
        assert [one.status for one in shown.orders] == [OrderStatus.LIVE, OrderStatus.CONTINGENT]
        await account.delete_complex_order(s, placed.id)
        pass_time(venue, 5)
        shown = await account.get_complex_order(s, placed.id)
        assert {one.status for one in shown.orders} == {OrderStatus.CANCELLED}

    with_sdk(venue, work)


def test_a_complex_order_that_cannot_be_is_refused_with_every_reason(shared: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        two_legs = StopOrder(
            time_in_force=OrderTimeInForce.DAY,
            legs=[leg(SHORT, OrderAction.BUY_TO_CLOSE), leg(LONG, OrderAction.SELL_TO_CLOSE)],
            stop_trigger=Decimal(3),
        )
        order = OCOOrder(take_profit=one_put(OrderAction.BUY_TO_CLOSE, "-0.07"), stop_loss=two_legs)
        with pytest.raises(TastytradeError) as refused:
            await account.place_complex_order(s, order, dry_run=False)
        assert "not a multiple of 0.05" in str(refused.value)
        assert "market_orders_are_single_leg" in str(refused.value)
        alone = StopLimitOrder(
            time_in_force=OrderTimeInForce.DAY,
            legs=[leg(SHORT, OrderAction.BUY_TO_CLOSE)],
            stop_trigger=Decimal(3),
            price=Decimal(-4),
        )
        with pytest.raises(TastytradeError, match="invalid_order_type"):
            await account.place_order(s, alone, dry_run=False)

    with_sdk(shared, work)


def test_orders_transactions_and_positions_can_be_searched(venue: Running) -> None:
    async def work(s: Session, account: Account) -> None:
        await account.place_order(s, spread("2.00"), dry_run=False)
        pass_time(venue, 5)
        await account.place_order(s, spread("15.00", tag="t-2"), dry_run=False)
        live = await account.get_order_history(s, statuses=[OrderStatus.LIVE, OrderStatus.ROUTED])
        assert [one.external_identifier for one in live] == ["t-2"]
        assert len(await account.get_order_history(s, per_page=1, page_offset=None)) == 2
        sold = await account.get_history(s, symbol=SHORT)
        assert [one.action for one in sold] == [OrderAction.SELL_TO_OPEN]
        assert await account.get_history(s, type="Money Movement") == []
        assert (await account.get_transaction(s, sold[0].id)).symbol == SHORT
        assert await account.get_positions(s, underlying_symbols=["XSP"]) == []
        assert len(await account.get_positions(s, underlying_symbols=["SPX"])) == 2
        (group,) = (await account.get_margin_requirements(s)).groups
        # Two spreads of 20 points: 2 x 20 x 100.
        assert getattr(group, "margin_requirement", None) == Decimal(-4_000)

    with_sdk(venue, work)


def test_a_price_is_changed_by_patch_and_tried_before(venue: Running) -> None:
    header = bearer(venue)
    body = {
        "time-in-force": "Day",
        "order-type": "Limit",
        "price": "15.00",
        "price-effect": "Credit",
        "legs": [{"symbol": SHORT, "action": "Sell to Open", "quantity": 1}],
    }
    orders = f"{venue.url}/accounts/{ACCOUNT}/orders"
    id_ = httpx.post(orders, json=body, headers=header).json()["data"]["order"]["id"]
    pass_time(venue, 1)
    url = f"{orders}/{id_}"
    tried = httpx.post(f"{url}/dry-run", json={"price": "14.00"}, headers=header).json()["data"]
    assert (tried["order"]["price"], tried["order"]["id"]) == ("14", id_)
    assert tried["fee-calculation"]["total-fees-effect"] == "Debit"
    assert httpx.patch(url, json={"price": "14.01"}, headers=header).status_code == 422
    assert httpx.patch(url, content=b"{", headers=header).status_code == 400
    changed = httpx.patch(url, json={"price": "14.00"}, headers=header).json()["data"]
    assert (changed["price-effect"], changed["replaces-order-id"]) == ("Credit", str(id_))
