"""The market made of a stream: one look sees one market, and a day's level is of that day."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.adapters_tastytrade.test_tastytrade_stream import BARS, NONE, alone, hear, quote
from tests.venue.venueserver import sessions

from tomking.adapters.tastytrade import live
from tomking.adapters.tastytrade.live import LiveMarket, bars_of
from tomking.adapters.tastytrade.stream import QuoteStream
from tomking.adapters.tastytrade.symbols import Directory, Instrument, Listed, occ, occ_streamer
from tomking.domain.contract import Option, Right
from tomking.domain.products import PRODUCTS
from tomking.pricing.snapshot import Instant, Reading, read_instant

OPEN = datetime.fromisoformat("2024-06-07T13:30:00+00:00")
EXPIRIES = (date(2024, 6, 14), date(2024, 6, 21))
STRIKES = range(5250, 5355, 5)


class Now:
    """A clock that the test sets."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def options() -> list[Option]:
    spx = PRODUCTS["SPXW"]
    return [
        Option("SPXW", day, right, Decimal(strike), spx.multiplier, spx.tick)
        for day in EXPIRIES
        for right in (Right.PUT, Right.CALL)
        for strike in STRIKES
    ]


def made(now: Now) -> tuple[LiveMarket, QuoteStream]:
    one, _ = alone(now)
    market = LiveMarket(one, Directory(), sessions(), lambda _: bars_of(NONE, BARS), rate=0.05)
    rows = [Listed(o, occ(o), occ_streamer(o), Instrument.EQUITY_OPTION) for o in options()]
    market.load(rows)
    return market, one


def test_one_look_is_one_reading_however_many_frames_come_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Now(OPEN + timedelta(hours=1))
    market, one = made(now)
    hear(one, quote("SPX", 5300.0, 5300.2), quote("VIX", 13.0, 13.1))
    for day in EXPIRIES:
        market.chain("SPXW", day, now.at)  # subscribes
    for option in options():
        away = (float(option.strike) - 5300.1) * int(option.right)
        price = max(-away, 0.0) + 30.0 - abs(away) / 10
        hear(one, quote(occ_streamer(option), price - 0.1, price + 0.1))
    read: list[int] = []

    def counted(instant: Instant) -> Reading:
        read.append(1)
        return read_instant(instant)

    monkeypatch.setattr(live, "read_instant", counted)

    def look() -> set[float]:
        """Both chains, with a frame between them: 10 points higher or lower."""
        forwards = []
        for day in EXPIRIES:
            chain = market.chain("SPXW", day, now.at)
            assert chain is not None
            forwards.append(chain.forward)
            hear(one, quote("SPX", 5310.0, 5310.2))
        return set(forwards)

    with market.still():
        look()
        with market.still():
            look()
    assert len(read) == 1
    look()
    assert len(read) == 3, "outside of a look what has moved is read again"


def test_at_the_open_the_last_close_is_no_level() -> None:
    now = Now(OPEN - timedelta(minutes=1))
    market, one = made(now)
    hear(one, quote("SPX", 5290.0, 5290.2), quote("VIX", 13.0, 13.1))
    assert market.spot("SPX", now.at) == pytest.approx(5290.1), "before the open it is what is known"
    now.at = OPEN + timedelta(milliseconds=30)
    # Options and futures go on all night: the feed is alive, and the index has not been calculated yet.
    hear(one, quote("VIX", 13.1, 13.2))
    assert market.spot("SPX", now.at) is None
    assert market.vix(now.at) is not None
    now.at += timedelta(seconds=1)
    hear(one, quote("SPX", 5301.0, 5301.2))
    assert market.spot("SPX", now.at) == pytest.approx(5301.1)


def test_an_index_that_has_prints_only_is_of_the_day_of_its_last_one() -> None:
    from tastytrade.dxfeed import Trade

    now = Now(OPEN - timedelta(minutes=1))
    market, one = made(now)
    row = {"event_symbol": "SPX", "price": 5290.0}
    hear(one, [row.get(name, 0) for name in Trade.model_fields], kind="Trade")
    now.at = OPEN + timedelta(seconds=1)
    assert market.spot("SPX", now.at) is None
    hear(one, [{**row, "price": 5301.0}.get(name, 0) for name in Trade.model_fields], kind="Trade")
    assert market.spot("SPX", now.at) == 5301.0
