"""Quotes as they come: DXLink on the SDK's streamer, one thread, the newest bid and ask of every symbol.

The SDK's events are not made: frames are read raw, so that a quote with a missing side is seen as one (T15).
What counts as seen is when a frame was received here, never a time it carries (T14).  A connection
forgets all it knew: after a reconnect a symbol has no quote until the venue has shown it again.
"""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from tastytrade import DXLinkStreamer
from tastytrade.dxfeed import Candle, Quote, Trade
from tastytrade.utils import TastytradeError

from tomking.adapters.tastytrade.rest import ask
from tomking.adapters.tastytrade.session import GuardedSession

Floats = NDArray[np.float64]

CHUNK = 250
"""Symbols in one subscription message: the venue closes connections that send longer ones (T20)."""
CONNECT_WITHIN = 15.0
"""Seconds: a refused token makes the SDK's handshake go round for ever."""
SILENT = 45.0
"""Seconds of the wall without any frame while something trades, after which the connection is taken for dead
(F28).  A keep-alive is no frame: feeds freeze behind them."""
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
MOST = 1e9
"""Points or dollars that no price reaches."""
_QUOTE, _CANDLE, _TRADE = (list(kind.model_fields) for kind in (Quote, Candle, Trade))
_BID, _ASK = _QUOTE.index("bid_price"), _QUOTE.index("ask_price")
_TIME, _OPEN = _CANDLE.index("time"), _CANDLE.index("open")
_PRICE = _TRADE.index("price")


_FIELDS = {"Quote": _QUOTE, "Candle": _CANDLE, "Trade": _TRADE}
ABREAST = "TOMKING/ABREAST"
"""Candles of it are asked for, from the number of the question on; a sandbox has none and says so at once."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The newest quote of one symbol, points; NaN where nobody quotes."""

    bid: float
    ask: float
    seen: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Daily bars of one symbol, oldest first; columns (n,)."""

    time: NDArray[np.int64]
    """Milliseconds since 1970."""
    prices: Floats
    """(n, 4): open, high, low, close."""


class _Raw(DXLinkStreamer):
    """The SDK's streamer with its frames untouched."""

    heard: Callable[[str, list[object]], None]

    def _map_message(self, message: list[object], channel: int) -> None:
        kind = self._channels_reversed[channel]
        if len(message) == 2 and isinstance(message[1], list):
            self.heard(kind, message[1])


class QuoteStream:
    """See the module.  ``start`` before use, ``close`` at the end."""

    def __init__(
        self,
        open_session: Callable[[], GuardedSession],
        *,
        now: Callable[[], datetime],
        trades: Callable[[datetime], bool],
        said: Callable[[str], None],
        wake: Callable[[], None] = lambda: None,
        silent: float = SILENT,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """The callables are not to wait.

        trades   whether anything trades at an instant, so that silence means something
        wake     called on the stream's thread after every frame that changed something
        silent   seconds by ``elapsed`` after which silence is the end of a connection
        """
        self._open_session, self._now, self._trades, self._said = open_session, now, trades, said
        self._wake_others, self._silent, self._elapsed = wake, silent, elapsed
        self._heard_at = 0.0
        self._frames = 0
        self._pause = FIRST_BACKOFF
        self._last_trades: dict[str, float | None] = {}
        self._traded_at: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        """Rows of the columns that no symbol has."""
        self._bid, self._ask = np.full(1024, np.nan), np.full(1024, np.nan)
        self._seen: list[datetime | None] = []
        self._last: datetime | None = None
        self._candles: dict[str, dict[float, list[float]]] = {}
        """By symbol and time."""
        self._tables: dict[str, Candles] = {}
        """Made of them, until more come."""
        self._since: dict[str, datetime] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._stopping = self._is_over = False
        self._thread: threading.Thread | None = None
        self._question = self._answer = 0
        self._answered = threading.Event()
        self.after_want: Callable[[], object] = _go_on
        """Called when something new was wanted, with no lock held: who leads a sandbox waits here."""

    # ------------------------------------------------------------------ asked from outside

    def want(self, symbols: Iterable[str]) -> None:
        """Subscribes what is not subscribed yet; never waits."""
        with self._lock:
            new = [symbol for symbol in dict.fromkeys(symbols) if symbol not in self._rows]
            for symbol in new:
                if not self._free:
                    self._free.append(len(self._seen))
                    self._seen.append(None)
                self._rows[symbol] = self._free.pop()
            if len(self._seen) > self._bid.size:
                self._bid = _doubled(self._bid, len(self._seen))
                self._ask = _doubled(self._ask, len(self._seen))
        if new:
            self._nudge()
            self.after_want()

    def drop(self, symbols: Iterable[str]) -> None:
        """Wants them no more: what has expired is not to be subscribed for ever."""
        with self._lock:
            for symbol in symbols:
                row = self._rows.pop(symbol, None)
                if row is not None:
                    self._bid[row] = self._ask[row] = math.nan
                    self._seen[row] = None
                    self._free.append(row)
        self._nudge()

    def want_candles(self, symbols: Iterable[str], since: datetime) -> None:
        """Asks for daily bars from an instant on; from another one they are asked for again."""
        with self._lock:
            self._since |= dict.fromkeys(symbols, since)
        self._nudge()

    def want_trades(self, symbols: Iterable[str]) -> None:
        """Asks for last prices too: an index may have no quote."""
        with self._lock:
            new = [symbol for symbol in symbols if symbol not in self._last_trades]
            self._last_trades |= dict.fromkeys(new)
        if new:
            self._nudge()

    def traded(self, symbol: str) -> float | None:
        """The last price of a symbol; None for one never seen on this connection."""
        return self._last_trades.get(symbol)

    def told_at(self, symbol: str) -> datetime | None:
        """When the symbol's own quote or trade was received last; None: never on this connection."""
        with self._lock:
            row = self._rows.get(symbol)
            told = (None if row is None else self._seen[row], self._traded_at.get(symbol))
        return max((at for at in told if at is not None), default=None)

    @property
    def frames(self) -> int:
        """Frames that have come so far: when it has not changed, nothing has."""
        return self._frames

    def sides(self, symbol: str) -> Sides | None:
        """The newest quote; None for one never seen on this connection."""
        with self._lock:
            row = self._rows.get(symbol)
            seen = None if row is None else self._seen[row]
            if row is None or seen is None:
                return None
            # A quote that has not changed is as good as the feed is alive.
            return Sides(float(self._bid[row]), float(self._ask[row]), self._last or seen)

    def columns(self, symbols: Sequence[str]) -> tuple[Floats, Floats]:
        """Bids and asks, (n,) each, NaN where nothing was seen."""
        with self._lock:
            rows = np.array([self._rows.get(symbol, -1) for symbol in symbols], dtype=np.int64)
            bid, ask = self._bid[rows], self._ask[rows]
        bid[rows < 0] = ask[rows < 0] = np.nan
        return bid, ask

    @property
    def last(self) -> datetime | None:
        """When anything was last received; None while there is no connection."""
        return self._last

    def still_true(self, now: datetime) -> None:
        """The source itself has said that nothing has changed by ``now``: what is known is as good as new.

        A sandbox's market moves once a minute; a broker's feed is never vouched for.
        """
        with self._lock:
            if self._last is not None:
                self._last = max(self._last, now)

    def abreast(self, patience: float) -> bool:
        """Whether all that a sandbox had to tell by now has come in, and what is wanted is subscribed.

        patience  seconds of the wall that its answer is waited for
        """
        with self._lock:
            self._question += 1
            asked = self._question
            self._answered.clear()
        self._nudge()
        ends = self._elapsed() + patience
        while self._answer < asked and (left := ends - self._elapsed()) > 0:
            self._answered.wait(left)
            self._answered.clear()
        return self._answer >= asked

    def candles(self, symbol: str) -> Candles:
        """What has come of a symbol's daily bars; the same value as before until more have."""
        with self._lock:
            found = self._tables.get(symbol)
            if found is None:
                rows = sorted(self._candles.get(symbol, {}).items())
                times = np.array([time for time, _ in rows], dtype=np.int64)
                prices = np.array([prices for _, prices in rows], dtype=np.float64).reshape(len(rows), 4)
                found = self._tables[symbol] = Candles(times, prices)
        return found

    def __len__(self) -> int:
        return len(self._rows)

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="dxlink", daemon=True)
        self._thread.start()
        ready.wait()

    def anew(self) -> None:
        """Ends this connection for another one, with a token of its own: quote tokens last a day (F60)."""
        self._is_over = True
        self._nudge()

    def close(self) -> None:
        self._stopping = True
        self._nudge()
        if self._thread is not None:
            self._thread.join(5)

    def _nudge(self) -> None:
        if self._loop is not None and self._wake is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake.set)

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._main(ready))
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            self._said(f"quotes have ended: {type(error).__name__}")
        finally:
            ready.set()

    async def _main(self, ready: threading.Event) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        async with self._open_session() as session:
            while not self._stopping:
                try:
                    await self._connected(session)
                    if not self._is_left:
                        self._said(f"quotes: silent for {self._silent:.0f} s")
                except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever it is, it is down
                    self._said(f"quotes: {kind_of(error)}")
                    await renew(session, error)
                self._forget()
                self._is_over = False
                if not self._stopping:
                    with suppress(
                        TimeoutError
                    ):  # what is wanted meanwhile does not end the pause; closing does
                        await asyncio.wait_for(self._stopped(), self._pause)
                    self._pause = min(2 * self._pause, LONGEST_BACKOFF)

    async def _stopped(self) -> None:
        assert self._wake is not None, "the loop made it"
        while not self._stopping:
            await self._wake.wait()
            self._wake.clear()

    async def _connected(self, session: GuardedSession) -> None:
        """One connection's life: ends quietly when it is to be made anew."""
        stream = _Raw(session)
        stream.heard = self._heard
        done: set[str] = set()
        async with asyncio.timeout(CONNECT_WITHIN) as patience, stream:
            patience.reschedule(None)
            self._heard_at = self._elapsed()
            while not self._is_left and not self._is_dead():
                async with asyncio.timeout(CONNECT_WITHIN):  # a channel may never open
                    await self._subscribe(stream, done)
                assert self._wake is not None, "the loop made it"
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), 1.0)
                self._wake.clear()

    async def _subscribe(self, stream: DXLinkStreamer, done: set[str]) -> None:
        with self._lock:
            new = [symbol for symbol in self._rows if symbol not in done]
            since = {s: at for s, at in self._since.items() if f"candle {s} {at}" not in done}
            trades = [s for s in self._last_trades if f"trade {s}" not in done]
            gone = [symbol for symbol in done if symbol not in self._rows and " " not in symbol]
        for i in range(0, len(gone), CHUNK):
            await stream.unsubscribe(Quote, gone[i : i + CHUNK])
        done.difference_update(gone)
        for i in range(0, len(new), CHUNK):
            await stream.subscribe(Quote, new[i : i + CHUNK])
            done.update(new[i : i + CHUNK])
        if trades:
            await stream.subscribe(Trade, trades)
            done.update(f"trade {symbol}" for symbol in trades)
        for symbol, at in since.items():
            await stream.subscribe_candle([symbol], "1d", at)
            done.add(f"candle {symbol} {at}")
        question = self._question
        if question > self._answer and f"question {question}" not in done:
            await stream.subscribe_candle([ABREAST], "1d", datetime.fromtimestamp(question / 1000, UTC))
            done.discard(f"question {question - 1}")
            done.add(f"question {question}")

    @property
    def _is_left(self) -> bool:
        """Whether this connection is to end by our own wish."""
        return self._stopping or self._is_over

    def _is_dead(self) -> bool:
        return self._elapsed() - self._heard_at > self._silent and self._trades(self._now())

    def _forget(self) -> None:
        with self._lock:
            self._bid[:] = self._ask[:] = np.nan
            self._seen = [None] * len(self._seen)
            self._last_trades = dict.fromkeys(self._last_trades)
            self._traded_at.clear()
            self._last = None

    # ------------------------------------------------------------------ heard

    def _heard(self, kind: str, flat: list[object]) -> None:
        now = self._now()
        width = len(_FIELDS.get(kind, ()))
        if not width or len(flat) % width:
            self._said(f"quotes: a {kind} frame of {len(flat)} values")
            return
        self._pause, self._heard_at = FIRST_BACKOFF, self._elapsed()
        with self._lock:
            self._last = now
            self._frames += 1
            match kind:
                case "Quote":
                    self._quotes(flat, now)
                case "Trade":
                    self._prints(flat, now)
                case _:
                    self._bars(flat)
        self._wake_others()

    def _prints(self, flat: list[object], now: datetime) -> None:
        for at in range(0, len(flat), len(_TRADE)):
            price = _price(flat[at + _PRICE])
            if str(flat[at]) in self._last_trades and math.isfinite(price):
                self._last_trades[str(flat[at])], self._traded_at[str(flat[at])] = price, now

    def _quotes(self, flat: list[object], now: datetime) -> None:
        width = len(_QUOTE)
        for at in range(0, len(flat), width):
            row = self._rows.get(str(flat[at]))
            if row is not None:
                self._bid[row], self._ask[row] = _price(flat[at + _BID]), _price(flat[at + _ASK])
                self._seen[row] = now

    def _bars(self, flat: list[object]) -> None:
        width = len(_CANDLE)
        for at in range(0, len(flat), width):
            symbol = str(flat[at]).partition("{")[0]
            if symbol == ABREAST:
                self._answer = int(float(str(flat[at + _TIME])))
                self._answered.set()
                continue
            prices = [_price(one) for one in flat[at + _OPEN : at + _OPEN + 4]]
            if all(math.isfinite(price) and price > 0 for price in prices):
                self._candles.setdefault(symbol, {})[float(str(flat[at + _TIME]))] = prices
                self._tables.pop(symbol, None)


def _go_on() -> None:
    """Nobody waits."""


def _price(value: object) -> float:
    """A number of a frame; what is no price is NaN: a negative one too, as nobody here trades at it (F31)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value < MOST else math.nan
    return math.nan


def kind_of(error: BaseException) -> str:
    """The names of what went wrong, those of a group together; never its text, which may hold a token."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(sorted({kind_of(one) for one in error.exceptions}))
    return type(error).__name__


async def renew(session: GuardedSession, error: BaseException) -> None:
    """Asks whether the token was why a stream was refused: the SDK does not say.

    A token may die before its time; a stream that went on with it would be refused until half of its life was
    over.  Whoever is asked refuses it too, and then it is dropped.
    """
    if TastytradeError.__name__ in kind_of(error):
        await ask(session, "GET", "/customers/me", about_an_order=False)


def _doubled(column: Floats, at_least: int) -> Floats:
    grown = np.full(max(2 * column.size, at_least), np.nan)
    grown[: column.size] = column
    return grown
