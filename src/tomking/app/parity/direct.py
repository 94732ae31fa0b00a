"""Quotes without sockets: what the venue's feed would send, heard by the very code that hears it live.

Both sides of a comparison decide from the same numbers, rounded as the feed gives them; what differs is
everything between the decision and the venue.
"""

import math
from collections.abc import Callable, Iterable
from datetime import datetime

from pydantic.alias_generators import to_camel

from tomking.adapters.tastytrade.session import GuardedSession
from tomking.adapters.tastytrade.stream import _FIELDS, QuoteStream
from tomking.venue.dxlink import Event
from tomking.venue.quotes import Feed

CAMEL = {kind: [to_camel(name) for name in names] for kind, names in _FIELDS.items()}
"""The columns of each type of event, as the feed calls them."""


class DirectStream(QuoteStream):
    """A ``QuoteStream`` whose venue is a call away: what is wanted has come when ``want`` returns.

    It is never started: nothing is to be connected.
    """

    def __init__(self, feed: Feed, now: Callable[[], datetime], said: Callable[[str], None]) -> None:
        super().__init__(_no_session, now=now, trades=lambda _: False, said=said)
        self._feed = feed
        self._done: set[str] = set()

    def publish(self, now: datetime) -> None:
        """A new minute: everything that is subscribed, as it is now."""
        self._tell("Quote", self._feed.quotes(tuple(self._rows), now))
        for symbol in tuple(self._last_trades):
            self._hear("Trade", symbol, now)

    def _nudge(self) -> None:
        """Answers what is new."""
        now = self._now()
        self._tell("Quote", self._feed.quotes([one for one in self._rows if one not in self._done], now))
        for symbol in [one for one in self._last_trades if f"trade {one}" not in self._done]:
            self._hear("Trade", symbol, now)
            self._done.add(f"trade {symbol}")
        for symbol, at in tuple(self._since.items()):
            if f"candle {symbol} {at}" not in self._done:
                self._done.add(f"candle {symbol} {at}")
                self._hear("Candle", f"{symbol}{{=1d,tho=true}}", now, round(at.timestamp() * 1000))
        self._done = {one for one in self._done if " " in one} | set(self._rows)

    def _hear(self, kind: str, symbol: str, now: datetime, since: int = 0) -> None:
        self._tell(kind, self._feed.events(kind, symbol, now, since))

    def _tell(self, kind: str, events: Iterable[Event]) -> None:
        """One frame, in the columns that the SDK asks for."""
        names = CAMEL[kind]
        flat = [_as_sent(event.get(name)) for event in events for name in names]
        if flat:
            self._heard(kind, flat)


def _as_sent(value: object) -> object:
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _no_session() -> GuardedSession:
    raise AssertionError("a direct stream has no session")
