"""Quotes as they come: what a frame may hold, connections that end, and chains made of what was seen."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from tastytrade.dxfeed import Candle, Quote, Trade
from tests.adapters_tastytrade.brokers import command
from tests.venue.venueserver import FRIDAY, REFRESH, SECRET, Running, running, sessions

from tomking.adapters.clock import wait
from tomking.adapters.tastytrade import chains, stream
from tomking.adapters.tastytrade.live import LiveMarket, bars_of
from tomking.adapters.tastytrade.session import Destination, Environment, Secrets, session
from tomking.adapters.tastytrade.stream import QuoteStream
from tomking.adapters.tastytrade.symbols import Directory, Listed
from tomking.domain.contract import Option, Right
from tomking.domain.products import PRODUCTS
from tomking.venue.dxlink import DxLink

NONE, BARS = np.zeros(0, np.int64), np.zeros((0, 4))
NOW = datetime(2024, 6, 7, 14, 30, tzinfo=UTC)


def alone(now: Callable[[], datetime] = lambda: NOW) -> tuple[QuoteStream, list[str]]:
    """A stream that nobody connects: frames are handed to it."""
    said: list[str] = []
    return QuoteStream(lambda: None, now=now, trades=lambda _: True, said=said.append), said  # type: ignore[arg-type, return-value]


def quote(symbol: str, bid: object, ask: object) -> list[object]:
    row: dict[str, object] = {"event_symbol": symbol, "bid_price": bid, "ask_price": ask}
    return [row.get(name, 0) for name in Quote.model_fields]


def hear(one: QuoteStream, *rows: list[object], kind: str = "Quote") -> None:
    one._heard(kind, [value for row in rows for value in row])


# ---------------------------------------------------------------------------------- frames


def test_a_quote_is_seen_when_it_was_received_not_when_it_says() -> None:
    clock = iter((NOW, NOW + timedelta(seconds=9)))
    one, _ = alone(lambda: next(clock))
    one.want(["A", "B"])
    hear(one, quote("A", 1.0, 1.2))
    first = one.sides("A")
    hear(one, quote("B", 2.0, 2.2))
    again = one.sides("A")
    assert first is not None
    assert again is not None
    assert (first.bid, first.ask, first.seen) == (1.0, 1.2, NOW)
    # An unchanged quote is as good as the feed is alive.
    assert again.seen == NOW + timedelta(seconds=9)


@pytest.mark.parametrize("nothing", ["NaN", None, math.nan, -1.0, 1e308, math.inf, True, [], {}])
def test_a_side_that_is_no_price_is_missing_and_replaces_the_old_one(nothing: object) -> None:
    one, _ = alone()
    one.want(["A"])
    hear(one, quote("A", 1.0, 1.2))
    hear(one, quote("A", nothing, 1.3))
    sides = one.sides("A")
    assert sides is not None
    assert math.isnan(sides.bid)
    assert sides.ask == 1.3


def test_a_frame_whose_columns_do_not_fit_is_dropped_whole() -> None:
    one, said = alone()
    one.want(["A"])
    hear(one, [*quote("A", 1.0, 1.2), "A"])
    assert one.sides("A") is None
    assert one.last is None
    assert said == ["quotes: a Quote frame of 13 values"]


def test_symbols_nobody_asked_for_and_kinds_nobody_knows_change_nothing() -> None:
    one, said = alone()
    one.want(["A"])
    hear(one, quote("B", 1.0, 1.2))
    hear(one, [1, 2], kind="Profile")
    assert one.sides("B") is None
    assert one.sides("A") is None
    assert said == ["quotes: a Profile frame of 2 values"]
    bid, ask = one.columns(["A", "B"])
    assert np.isnan(bid).all()
    assert np.isnan(ask).all()


def test_more_symbols_than_there_were_rows_for_keep_what_was_seen() -> None:
    one, _ = alone()
    one.want(["A"])
    hear(one, quote("A", 1.0, 1.2))
    one.want(f"S{n}" for n in range(3000))
    hear(one, quote("S2999", 3.0, 3.2))
    assert one.columns(["A", "S2999"])[0].tolist() == [1.0, 3.0]


def test_what_is_dropped_is_forgotten_and_its_row_is_used_again() -> None:
    one, _ = alone()
    one.want(["A", "B"])
    hear(one, quote("A", 1.0, 1.2), quote("B", 2.0, 2.2))
    one.drop(["A", "never wanted"])
    one.want(["C"])
    assert one.sides("A") is None
    assert one.sides("C") is None, "nothing is left of whose row it was"
    hear(one, quote("C", 3.0, 3.2), quote("A", 9.0, 9.2))
    assert one.columns(["A", "B", "C"])[0].tolist() == pytest.approx([math.nan, 2.0, 3.0], nan_ok=True)
    assert len(one) == 2


def test_an_index_without_quotes_has_its_last_price() -> None:
    one, _ = alone()
    one.want_trades(["SPX"])
    row = {"event_symbol": "SPX", "price": 5300.25}
    hear(one, [row.get(name, 0) for name in Trade.model_fields], kind="Trade")
    assert one.traded("SPX") == 5300.25


def test_a_bar_is_corrected_by_a_later_frame() -> None:
    one, _ = alone()
    for close in (2.0, 2.5):
        row = {"event_symbol": "SPX{=d}", "time": 1, "open": 1.0, "high": 3.0, "low": 0.5, "close": close}
        hear(one, [row.get(name, 0) for name in Candle.model_fields], kind="Candle")
    assert one.candles("SPX").prices.tolist() == [[1.0, 3.0, 0.5, 2.5]]


# ---------------------------------------------------------------------------------- connections


@pytest.fixture(scope="module")
def venue() -> Iterator[Running]:
    with running() as one:
        yield one


@contextmanager
def quotes_of(venue: Running, silent: float = 45.0) -> Iterator[tuple[QuoteStream, list[str]]]:
    said: list[str] = []
    to = Destination(Environment.SANDBOX, venue.port)
    one = QuoteStream(
        lambda: session(to, Secrets(SECRET, REFRESH)),
        now=venue.house.clock.now,
        trades=lambda _: True,
        said=said.append,
        silent=silent,
    )
    one.start()
    try:
        yield one, said
    finally:
        one.close()


def until(true: Callable[[], object], waits: int = 4000) -> None:
    """Counts its own waits, and not the time that compiling a kernel takes."""
    while not true():
        assert waits > 0, "waited in vain"
        waits -= 1
        wait(0.005)


@pytest.mark.enable_socket
def test_a_connection_that_is_cut_forgets_and_subscribes_again(
    venue: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FIRST_BACKOFF", 0.2)
    with quotes_of(venue) as (one, said):
        one.want(["SPX", "VIX"])
        until(lambda: one.sides("SPX"))
        command(venue, fault="cut dxlink")
        until(lambda: one.last is None)
        assert one.sides("SPX") is None, "what was seen before is no quote any more"
        until(lambda: one.sides("SPX") and one.sides("VIX"))
        assert len(said) == 1


@pytest.mark.enable_socket
def test_a_token_that_has_died_before_its_time_is_renewed_at_the_next_connection(
    venue: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FIRST_BACKOFF", 0.05)
    with quotes_of(venue) as (one, said):
        one.want(["SPX"])
        until(lambda: one.sides("SPX"))
        command(venue, expire=True)
        command(venue, fault="cut dxlink")
        until(lambda: one.last is None)
        # Refused once, with the dead token; not until seven minutes later.
        until(lambda: one.sides("SPX"))
        assert len(said) == 2


@pytest.mark.enable_socket
def test_a_silent_connection_is_found_and_made_anew(venue: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "FIRST_BACKOFF", 0.01)
    with quotes_of(venue, silent=0.6) as (one, said):
        one.want(["SPX"])
        until(lambda: one.sides("SPX"))
        # The venue stands still, so nothing comes: that is what a frozen feed looks like.
        until(lambda: said)
        assert said[0] == "quotes: silent for 1 s"
        until(lambda: one.sides("SPX"))


@pytest.mark.enable_socket
def test_a_thousand_symbols_go_out_in_messages_of_250_and_unknown_ones_stay_unseen(
    venue: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    receive = DxLink.receive

    def counting(self: DxLink, message: dict[str, object]) -> object:
        added = message.get("add")
        if isinstance(added, list) and any("NONE" in str(one) for one in added):
            sizes.append(len(added))  # other streams of these tests subscribe at the venue, too
        return receive(self, message)

    monkeypatch.setattr(DxLink, "receive", counting)
    with quotes_of(venue) as (one, _):
        one.want([*(f".NONE240607C{n}" for n in range(999)), "SPX"])
        until(lambda: one.sides("SPX"))
        assert one.sides(".NONE240607C1") is None
    assert sizes == [250] * 4


@pytest.mark.enable_socket
def test_what_is_dropped_is_unsubscribed(venue: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[object] = []
    receive = DxLink.receive

    def noting(self: DxLink, message: dict[str, object]) -> object:
        removed.extend(one["symbol"] for one in message.get("remove") or ())  # type: ignore[attr-defined]
        return receive(self, message)

    monkeypatch.setattr(DxLink, "receive", noting)
    with quotes_of(venue) as (one, _):
        one.want(["SPX", "VIX"])
        until(lambda: one.sides("SPX") and one.sides("VIX"))
        one.drop(["VIX"])
        until(lambda: removed == ["VIX"])


# ---------------------------------------------------------------------------------- chains


@pytest.fixture(scope="module")
def live(venue: Running, request: pytest.FixtureRequest) -> Iterator[LiveMarket]:
    import pytest_socket  # a fixture of a module is made before its test's mark counts

    pytest_socket.enable_socket()
    with quotes_of(venue) as (one, _):
        now = venue.house.clock.now()
        one.want_candles(["SPX", "VIX"], now - timedelta(days=400))
        market = LiveMarket(
            one,
            Directory(),
            sessions(),
            lambda family: bars_of(one.candles(family).time, one.candles(family).prices),
            rate=0.05,
        )
        market.load(chains.equity_chain(venue.house.equity_chain("SPX")))
        market.load(chains.futures_chain(venue.house.futures_chain("MES")))
        until(lambda: market.spot("SPX", now) and market.vix(now))
        yield market


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("product", "expiry"), [("SPXW", FRIDAY), ("SPX", date(2024, 9, 20)), ("MES", date(2024, 9, 20))]
)
def test_a_live_chain_is_what_the_market_behind_the_venue_says(
    venue: Running, live: LiveMarket, product: str, expiry: date
) -> None:
    now, behind = venue.house.clock.now(), venue.house.market
    level = behind.spot("SPX", now)
    assert level is not None
    at_the_money = round(level / 50) * 50

    def complete() -> bool:
        chain = live.chain(product, expiry, now)
        return chain is not None and bool((~np.isnan(chain.mids)).mean() > 0.9)

    until(complete)
    ours, theirs = live.chain(product, expiry, now), behind.chain(product, expiry, now)
    assert ours is not None
    assert theirs is not None
    # Quotes are the same to the tick; the forward and the volatilities are implied from them again.
    assert ours.forward == pytest.approx(theirs.forward, rel=1e-5)
    assert ours.years == theirs.years
    assert ours.discount == pytest.approx(theirs.discount, abs=3e-4)
    for strike in (at_the_money - 100, at_the_money, at_the_money + 50):
        for right in (Right.PUT, Right.CALL):
            i = np.flatnonzero((ours.strikes == strike) & (ours.right == int(right)))
            j = np.flatnonzero((theirs.strikes == strike) & (theirs.right == int(right)))
            assert (ours.bid[i], ours.ask[i]) == (theirs.bid[j], theirs.ask[j])
            if (strike - level) * int(right) > 0:  # hours before expiry the others have no time value
                assert ours.iv[i] == pytest.approx(theirs.iv[j], abs=1e-3)
                assert ours.delta[i] == pytest.approx(theirs.delta[j], abs=2e-3)


@pytest.mark.enable_socket
def test_expiries_that_are_listed_no_more_are_dropped_at_the_next_listing(venue: Running) -> None:
    stream_, _ = alone()
    stream_.want(["SPX", "VIX"])
    market = LiveMarket(stream_, Directory(), sessions(), lambda _: bars_of(NONE, BARS), rate=0.05)
    rows = [one for one in chains.equity_chain(venue.house.equity_chain("SPX")) if is_spxw(one)]
    market.load(rows)
    hear(stream_, quote("SPX", 5300.0, 5301.0), quote("VIX", 13.0, 13.1))
    market.chain("SPXW", FRIDAY, NOW)
    before = len(stream_)
    market.load(one for one in rows if one.contract.expiry != FRIDAY)
    assert before > 100
    assert len(stream_) == 2


def is_spxw(one: Listed) -> bool:
    return one.contract.product == "SPXW"


@pytest.mark.enable_socket
def test_levels_and_bars_are_those_behind_the_venue(venue: Running, live: LiveMarket) -> None:
    now, behind = venue.house.clock.now(), venue.house.market
    until(lambda: live.spot("SPX", now))  # another test may just have cut every connection of the venue
    assert live.spot("SPX", now) == pytest.approx(behind.spot("SPX", now))
    until(lambda: len(live.bars("SPX", now)) > 200)
    assert live.bars("SPX", now).close[-5:].tolist() == pytest.approx(
        behind.bars("SPX", now).close[-5:].tolist(), abs=0.01
    )


@pytest.mark.enable_socket
def test_what_has_not_come_is_missing(venue: Running, live: LiveMarket) -> None:
    now = venue.house.clock.now()
    assert live.chain("SPXW", date(2024, 6, 8), now) is None, "no expiry on a Saturday"
    assert live.chain("XSP", FRIDAY, now) is None, "not loaded"
    assert live.spot("NDX", now) is None
    assert live.chain("SPXW", FRIDAY, now + timedelta(days=1)) is None, "it has expired"


@pytest.mark.enable_socket
def test_without_a_connection_everything_is_missing_and_nothing_is_zero(venue: Running) -> None:
    stream_, _ = alone()
    market = LiveMarket(stream_, Directory(), sessions(), lambda _: bars_of(NONE, BARS), rate=0.05)
    market.load(chains.equity_chain(venue.house.equity_chain("SPX")))
    option = Option.parse("SPXW 2024-06-07 P5300")
    assert market.spot("SPX", NOW) is None
    assert market.vix(NOW) is None
    assert market.chain("SPXW", FRIDAY, NOW) is None
    assert market.forward("SPXW", FRIDAY, NOW) is None
    assert market.quotes([option], NOW) == [None]
    assert np.isnan(market.marks([option], NOW)).all()
    assert market.settlement(option, NOW) is None
    assert len(stream_) > 1, "and it is subscribed from now on"


@pytest.mark.enable_socket
def test_a_monthly_that_settles_at_the_open_ends_before_the_weekly_of_its_day(
    venue: Running, live: LiveMarket
) -> None:
    third_friday = date(2024, 6, 21)
    session_ = sessions().on(third_friday)
    assert session_ is not None
    end = {product: live._end(product, third_friday) for product in ("SPX", "SPXW")}
    assert end == {"SPX": session_.open, "SPXW": session_.close}
    assert PRODUCTS["SPX"].family == PRODUCTS["SPXW"].family
    assert third_friday in live.expiries("SPX", session_.open - timedelta(minutes=1))
    assert third_friday not in live.expiries("SPX", session_.open)
