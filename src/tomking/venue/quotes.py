"""What the venue's market shows of a symbol: DXLink events and the items of ``/market-data/by-type``.

Prices are the market's own; times are the venue's clock.  A side that nobody quotes goes out as a bid of 0
with size 0, or an ask of NaN, so that clients see both forms (tastytrade page, section 9, fact T15).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

import numpy as np

from tomking.adapters.tastytrade.symbols import Directory, UnknownSymbol
from tomking.domain.bars import Bars
from tomking.domain.calendar import Sessions, new_york, wall_instant
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.domain.products import PRODUCTS, UnknownProduct
from tomking.ports import MarketData
from tomking.pricing.black import greeks_into
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.venue.dxlink import Event
from tomking.venue.listings import instant

Json = dict[str, object]
SIZE = 25
"""Contracts on either side of every quote."""
INDEX_SPREAD = 0.0001
"""Half the spread of a level that trades nowhere itself, as a share of it."""
SNAPSHOT_BEGIN, SNAPSHOT_END, REMOVE = 4, 8, 2
DAYS = frozenset({"d", "1d"})


@dataclass(frozen=True, slots=True)
class Feed:
    """One market, by the symbols of the API and of the streamer."""

    market: MarketData
    sessions: Sessions
    directory: Directory

    def events(self, kind: str, symbol: str, now: datetime, since: int = 0) -> Iterator[Event]:
        """What of a type is true now; for candles the snapshot from ``since`` on (milliseconds)."""
        match kind:
            case "Candle":
                yield from self._candles(symbol, now, since)
            case "Quote":
                yield from self._quote(symbol, now)
            case "Greeks":
                yield from self._greeks(symbol, now)
            case "Trade":
                yield from self._trade(symbol, now)
            case "Summary":
                yield from self._summary(symbol, now)
            case "Profile":
                yield from self._profile(symbol, now)
            case _:
                return

    def quotes(self, symbols: Sequence[str], now: datetime) -> Iterator[Event]:
        """The quotes of many symbols, as ``events`` has them: options are looked up together."""
        contracts = [self._contract(symbol, by_api=False) for symbol in symbols]
        options = [one for one in contracts if isinstance(one, Option)]
        found = iter(self.market.quotes(options, now))
        for symbol, contract in zip(symbols, contracts, strict=True):
            if isinstance(contract, Option):
                quote = next(found)
                if quote is not None:
                    yield _quoted(symbol, *_bid_ask(quote))
            else:
                yield from self._quote(symbol, now)

    def item(self, symbol: str, instrument: str, now: datetime) -> Json | None:
        """The entry of ``/market-data/by-type``; None for what is not known."""
        quote = self._sides(symbol, now, by_api=True)
        if quote is None:
            return None
        bid, ask = quote
        mid = (bid + ask) / 2
        today = new_york(now).date().isoformat()
        numbers = {"bid": bid, "ask": ask, "mid": mid, "mark": mid, "last": mid}
        return {
            "symbol": symbol,
            "instrument-type": instrument,
            "updated-at": instant(now),
            **{name: _number(value) for name, value in numbers.items() if not np.isnan(value)},
            "bid-size": str(SIZE if bid else 0),
            "ask-size": str(SIZE),
            "close-price-type": "Unknown",
            "summary-date": today,
            "prev-close-date": today,
            "prev-close-price-type": "Regular",
            "is-trading-halted": False,
            "halt-start-time": -1,
            "halt-end-time": -1,
        }

    # -------------------------------------------------------------------------------- one symbol

    def level(self, symbol: str, now: datetime) -> float | None:
        """Points of an index, a fund or a future: its family's level at its own scale."""
        root = symbol.removeprefix("/").partition(":")[0]
        if symbol.startswith("/"):
            root = root.rstrip("0123456789")[:-1]
        if root == "VIX":
            printed = self.market.vix(now)
            return None if printed is None else printed[0]
        try:
            product = PRODUCTS[root]
        except UnknownProduct:
            return None
        spot = self.market.spot(product.family, now)
        return None if spot is None else spot * float(product.index_ratio)

    def _contract(self, symbol: str, *, by_api: bool) -> Contract | None:
        try:
            return self.directory.contract(symbol) if by_api else self.directory.streamed(symbol)
        except UnknownSymbol:
            return None

    def _sides(self, symbol: str, now: datetime, *, by_api: bool = False) -> tuple[float, float] | None:
        """(bid, ask) in points, NaN where nobody offers; None for what has no market."""
        contract = self._contract(symbol, by_api=by_api)
        if isinstance(contract, Option):
            (quote,) = self.market.quotes((contract,), now)
            return None if quote is None else _bid_ask(quote)
        level = self.level(symbol, now)
        return None if level is None else (level * (1 - INDEX_SPREAD), level * (1 + INDEX_SPREAD))

    def _quote(self, symbol: str, now: datetime) -> Iterator[Event]:
        sides = self._sides(symbol, now)
        if sides is None:
            return
        yield _quoted(symbol, *sides)

    def _trade(self, symbol: str, now: datetime) -> Iterator[Event]:
        sides = self._sides(symbol, now)
        if sides is None or np.isnan(sides[1]):
            return
        yield {
            **_head(symbol),
            "time": _milliseconds(now), "timeNanoPart": 0, "sequence": 0, "exchangeCode": "Q",
            "dayId": new_york(now).toordinal(), "tickDirection": "ZERO", "extendedTradingHours": False,
            "price": (sides[0] + sides[1]) / 2, "change": 0.0, "size": 1, "dayVolume": 0, "dayTurnover": 0.0,
        }  # fmt: skip

    def _greeks(self, symbol: str, now: datetime) -> Iterator[Event]:
        contract = self._contract(symbol, by_api=False)
        if not isinstance(contract, Option):
            return
        chain = self.market.chain(contract.product, contract.expiry, now)
        row = None if chain is None else _row(chain, contract)
        if chain is None or row is None or np.isnan(chain.iv[row]):
            return
        price, delta, gamma, vega, theta, rho = _greeks_of(chain, row)
        yield {
            **_head(symbol),
            "eventFlags": 0, "index": 0, "time": _milliseconds(now), "sequence": 0, "price": price,
            "volatility": float(chain.iv[row]) * CALENDAR_YEAR**0.5, "delta": delta, "gamma": gamma,
            "theta": theta, "rho": rho, "vega": vega,
        }  # fmt: skip

    def _summary(self, symbol: str, now: datetime) -> Iterator[Event]:
        bars = self._bars(symbol, now)
        if bars is None and self._sides(symbol, now) is None:
            return
        today = new_york(now).toordinal()
        close = float(bars.close[-1]) if bars is not None and len(bars) else np.nan
        yield {
            **_head(symbol),
            "dayId": today, "dayClosePriceType": "REGULAR", "prevDayId": today - 1,
            "prevDayClosePriceType": "REGULAR", "openInterest": 1000, "dayOpenPrice": np.nan,
            "dayHighPrice": np.nan, "dayLowPrice": np.nan, "dayClosePrice": np.nan,
            "prevDayClosePrice": close, "prevDayVolume": 0,
        }  # fmt: skip

    def _profile(self, symbol: str, now: datetime) -> Iterator[Event]:
        if self._sides(symbol, now) is None:
            return
        yield {
            **_head(symbol),
            "description": symbol, "shortSaleRestriction": "INACTIVE", "tradingStatus": "ACTIVE",
            "haltStartTime": 0, "haltEndTime": 0, "exDividendDayId": 0, "statusReason": "",
        }  # fmt: skip

    # -------------------------------------------------------------------------------- candles

    def _bars(self, symbol: str, now: datetime) -> Bars | None:
        root = symbol.partition("{")[0].removeprefix("/").partition(":")[0]
        if root == "VIX":
            return self.market.bars("VIX", now)
        try:
            family = PRODUCTS[root].family
        except UnknownProduct:
            return None
        return self.market.bars(family, now)

    def _candles(self, symbol: str, now: datetime, since: int) -> Iterator[Event]:
        """The daily candles from ``since`` on, newest first; of other periods an empty snapshot."""
        bars = self._bars(symbol, now) if _period(symbol) in DAYS else None
        rows = [] if bars is None else list(_daily(bars, symbol, since))
        for i, row in enumerate(rows):
            yield {**row, "eventFlags": SNAPSHOT_BEGIN if i == 0 else 0}
        flags = REMOVE | SNAPSHOT_END | (0 if rows else SNAPSHOT_BEGIN)
        yield {**_candle(symbol, since, (np.nan,) * 4), "eventFlags": flags}


def _daily(bars: Bars, symbol: str, since: int) -> Iterator[Event]:
    ratio = float(PRODUCTS[_root(symbol)].index_ratio) if _root(symbol) != "VIX" else 1.0
    columns = zip(bars.day.tolist(), bars.open, bars.high, bars.low, bars.close, strict=True)
    for day, *prices in reversed(list(columns)):
        at = _milliseconds(wall_instant(day, time(0)))
        if at < since:
            return
        yield _candle(symbol, at, tuple(float(price) * ratio for price in prices))


def _candle(symbol: str, at: int, prices: Iterable[float]) -> Event:
    opened, high, low, close = prices
    return {
        **_head(symbol),
        "eventFlags": 0, "index": at << 22, "time": at, "sequence": 0, "count": 1, "volume": np.nan,
        "vwap": np.nan, "bidVolume": np.nan, "askVolume": np.nan, "impVolatility": np.nan,
        "openInterest": np.nan, "open": opened, "high": high, "low": low, "close": close,
    }  # fmt: skip


def _period(symbol: str) -> str:
    """``d`` of ``SPX{=d,tho=true}``."""
    return symbol.partition("{=")[2].rstrip("}").partition(",")[0]


def _root(symbol: str) -> str:
    return symbol.partition("{")[0].removeprefix("/").partition(":")[0]


def _greeks_of(chain: Chain, row: int) -> tuple[float, ...]:
    """Price, delta, gamma, vega a point of volatility, theta a calendar day, rho a point of the rate."""
    strike, vol, right = float(chain.strikes[row]), float(chain.iv[row]), float(chain.right[row])
    columns = np.array([[chain.forward], [strike], [chain.years], [vol], [chain.discount], [right]])
    f, k, t, v, df, side = columns
    out = np.empty((6, 1))
    greeks_into(f, k, t, v, df, side, out)
    price, delta, gamma, vega, theta, rho = out[:, 0].tolist()
    # One clock year is CALENDAR_YEAR of calendar volatility squared; see pricing.clock.
    calendar = CALENDAR_YEAR**0.5
    return price, delta, gamma, vega / 100 / calendar, theta * CALENDAR_YEAR / 365, rho / 100


def _row(chain: Chain, option: Option) -> int | None:
    wanted = (chain.right == int(option.right)) & (
        chain.strike == round(float(option.strike / chain.strike_unit))
    )
    rows = np.flatnonzero(wanted)
    return int(rows[0]) if rows.size else None


def _bid_ask(quote: Quote) -> tuple[float, float]:
    bid = 0.0 if quote.bid is None else float(quote.bid)
    return bid, np.nan if quote.ask is None else float(quote.ask)


def _quoted(symbol: str, bid: float, ask: float) -> Json:
    return {
        "eventSymbol": symbol, "eventTime": 0,
        "sequence": 0, "timeNanoPart": 0, "bidTime": 0, "bidExchangeCode": "Q", "askTime": 0,
        "askExchangeCode": "Q", "bidPrice": bid, "askPrice": ask,
        "bidSize": SIZE if bid else 0, "askSize": SIZE,
    }  # fmt: skip


def _head(symbol: str) -> Json:
    return {"eventSymbol": symbol, "eventTime": 0}


def _milliseconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)


def _number(value: float) -> str:
    return f"{round(value, 4):f}".rstrip("0").rstrip(".") or "0"
