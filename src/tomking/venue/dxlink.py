"""The server's side of one DXLink connection, without the connection: messages in, messages out.

Three clients use the protocol differently (tastytrade page, section 9): the Python SDK opens a channel for
each type of event and waits, the official JavaScript client one for all and pipelines its AUTH, LEAN sends
everything at once.  All are answered in the order they ask.  Messages are JSON objects; data go out in the
COMPACT format, one type a message, in the columns the client asked for, and never in frames that the
Python client refuses (65,536 bytes).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Message = dict[str, object]
Event = Mapping[str, object]
"""One event, by column name."""
Snapshot = Callable[[str, str, int], Iterable[Event]]
"""(type, symbol, from time in milliseconds) -> the events that a new subscription is answered with."""

VERSION = "1.0-tomking"
KEEPALIVE = 60
"""Seconds without a message from the client after which the connection is closed."""
ROWS = 64
"""Events in one frame: 64 of 21 columns of at most 40 characters stay below the limit."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "Quote": (
        "eventSymbol", "eventTime", "sequence", "timeNanoPart", "bidTime", "bidExchangeCode", "askTime",
        "askExchangeCode", "bidPrice", "askPrice", "bidSize", "askSize",
    ),
    "Greeks": (
        "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "price", "volatility", "delta",
        "gamma", "theta", "rho", "vega",
    ),
    "Trade": (
        "eventSymbol", "eventTime", "time", "timeNanoPart", "sequence", "exchangeCode", "dayId",
        "tickDirection", "extendedTradingHours", "price", "change", "size", "dayVolume", "dayTurnover",
    ),
    "Summary": (
        "eventSymbol", "eventTime", "dayId", "dayClosePriceType", "prevDayId", "prevDayClosePriceType",
        "openInterest", "dayOpenPrice", "dayHighPrice", "dayLowPrice", "dayClosePrice", "prevDayClosePrice",
        "prevDayVolume",
    ),
    "Candle": (
        "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "count", "volume", "vwap",
        "bidVolume", "askVolume", "impVolatility", "openInterest", "open", "high", "low", "close",
    ),
    "Profile": (
        "eventSymbol", "eventTime", "description", "shortSaleRestriction", "tradingStatus", "haltStartTime",
        "haltEndTime", "exDividendDayId", "statusReason", "high52WeekPrice", "low52WeekPrice", "beta",
        "shares", "highLimitPrice", "lowLimitPrice", "earningsPerShare", "exDividendAmount",
        "dividendFrequency", "freeFloat",
    ),
    "TheoPrice": (
        "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "price", "underlyingPrice",
        "delta", "gamma", "dividend", "interest",
    ),
    "Underlying": (
        "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "volatility",
        "frontVolatility", "backVolatility", "callVolume", "putVolume", "optionVolume", "putCallRatio",
    ),
    "TimeAndSale": (
        "eventSymbol", "eventTime", "eventFlags", "index", "time", "timeNanoPart", "sequence",
        "exchangeCode", "price", "size", "bidPrice", "askPrice", "tradeThroughExempt", "aggressorSide",
        "spreadLeg", "extendedTradingHours", "validTick", "type", "buyer", "seller",
        "exchangeSaleConditions",
    ),
}  # fmt: skip
"""What a client gets that asks for no columns of its own."""


@dataclass(slots=True)
class _Channel:
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    told: set[str] = field(default_factory=set[str])
    """Types whose columns were confirmed by a FEED_CONFIG."""
    subscribed: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])
    """(type, symbol), in order of subscription."""


@dataclass(slots=True)
class DxLink:
    """One connection: ``receive`` answers; ``publish`` makes frames of events for those who want them."""

    allows: Callable[[str], bool]
    """Whether a quote token is one that the venue handed out."""
    snapshot: Snapshot
    closed: str = ""
    """Why the server ends the connection; empty while it goes on."""
    _set_up: bool = False
    _authorized: bool = False
    _channels: dict[int, _Channel] = field(default_factory=dict[int, _Channel])

    def receive(self, message: Mapping[str, object]) -> list[Message]:
        """The answers to one message, in order."""
        kind, number = message.get("type"), message.get("channel")
        if not isinstance(kind, str) or not isinstance(number, int) or isinstance(number, bool):
            return [self._fatal(0, "INVALID_MESSAGE", "a message has a type and a channel")]
        match kind:
            case "SETUP":
                return self._setup()
            case "KEEPALIVE":
                return [{"type": "KEEPALIVE", "channel": 0}]
            case "AUTH":
                return self._auth(message)
            case _ if not self._set_up:
                return [self._fatal(number, "BAD_ACTION", "SETUP comes first")]
            case _ if not self._authorized:
                return [self._fatal(number, "UNAUTHORIZED", "AUTH comes first")]
            case "CHANNEL_REQUEST":
                return self._open(number, message)
            case _ if number not in self._channels:
                return [_error(number, "BAD_ACTION", f"channel {number} is not open")]
            case "CHANNEL_CANCEL":
                del self._channels[number]
                return [{"type": "CHANNEL_CLOSED", "channel": number}]
            case "FEED_SETUP":
                return self._feed_setup(number, message)
            case "FEED_SUBSCRIPTION":
                return self._subscribe(number, message)
            case _:
                return [_error(number, "INVALID_MESSAGE", f"{kind} is no message of this protocol")]

    def publish(self, kind: str, events: Sequence[Event]) -> list[Message]:
        """The frames with those of these events that any channel has subscribed."""
        frames: list[Message] = []
        for number, channel in self._channels.items():
            wanted = [one for one in events if (kind, str(one["eventSymbol"])) in channel.subscribed]
            frames += self._data(number, channel, kind, wanted)
        return frames

    def wants(self) -> set[tuple[str, str]]:
        """Every (type, symbol) that is subscribed."""
        return {key for channel in self._channels.values() for key in channel.subscribed}

    def _setup(self) -> list[Message]:
        self._set_up = True
        timeouts = {"keepaliveTimeout": KEEPALIVE, "acceptKeepaliveTimeout": KEEPALIVE}
        return [
            {"type": "SETUP", "channel": 0, "version": VERSION, **timeouts},
            {"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"},
        ]

    def _auth(self, message: Mapping[str, object]) -> list[Message]:
        self._authorized = self._set_up and self.allows(str(message.get("token")))
        if self._authorized:
            return [{"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED", "userId": "tomking"}]
        return [self._fatal(0, "UNAUTHORIZED", "the token is not valid")]

    def _open(self, number: int, message: Mapping[str, object]) -> list[Message]:
        if number % 2 == 0 or number < 0:
            return [_error(number, "BAD_ACTION", "clients choose odd channels")]
        if message.get("service") != "FEED":
            return [_error(number, "BAD_ACTION", f"there is no service {message.get('service')}")]
        self._channels[number] = _Channel()
        parameters = {"contract": "AUTO", "subFormat": "LIST"}
        return [{"type": "CHANNEL_OPENED", "channel": number, "service": "FEED", "parameters": parameters}]

    def _feed_setup(self, number: int, message: Mapping[str, object]) -> list[Message]:
        asked = message.get("acceptEventFields")
        channel = self._channels[number]
        for kind, names in asked.items() if isinstance(asked, Mapping) else ():
            if kind in COLUMNS and isinstance(names, list):
                channel.fields[kind] = tuple(map(str, names))
        return [self._config(number, list(channel.fields))]

    def _config(self, number: int, kinds: Iterable[str]) -> Message:
        """Confirms columns: the JavaScript client reads no data of a type before."""
        channel = self._channels[number]
        shown = {kind: list(channel.fields.get(kind, COLUMNS[kind])) for kind in kinds}
        channel.told |= set(shown)
        config: Message = {
            "type": "FEED_CONFIG", "channel": number, "aggregationPeriod": 0.1, "dataFormat": "COMPACT",
        }  # fmt: skip
        return {**config, "eventFields": shown} if shown else config

    def _subscribe(self, number: int, message: Mapping[str, object]) -> list[Message]:
        channel = self._channels[number]
        if message.get("reset") is True:
            channel.subscribed.clear()
        for key, _ in _entries(message.get("remove")):
            channel.subscribed.pop(key, None)
        answers: list[Message] = []
        for (kind, symbol), since in _entries(message.get("add")):
            if kind not in COLUMNS:
                answers.append(_error(number, "BAD_ACTION", f"there are no events of type {kind}"))
                continue
            channel.subscribed[kind, symbol] = None
            if kind not in channel.told:
                answers.append(self._config(number, [kind]))
            answers += self._data(number, channel, kind, tuple(self.snapshot(kind, symbol, since)))
        return answers

    def _data(self, number: int, channel: _Channel, kind: str, events: Sequence[Event]) -> Iterator[Message]:
        columns = channel.fields.get(kind, COLUMNS[kind])
        for start in range(0, len(events), ROWS):
            flat = [_plain(one.get(name)) for one in events[start : start + ROWS] for name in columns]
            yield {"type": "FEED_DATA", "channel": number, "data": [kind, flat]}

    def _fatal(self, number: int, code: str, text: str) -> Message:
        self.closed = text
        return _error(number, code, text)


def _entries(value: object) -> Iterator[tuple[tuple[str, str], int]]:
    """((type, symbol), from time) of a list of subscriptions; what is no such entry is passed over."""
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Mapping) and isinstance(one.get("type"), str) and one.get("symbol"):
            since = one.get("fromTime")
            yield (str(one["type"]), str(one["symbol"])), since if isinstance(since, int) else 0


def _plain(value: object) -> object:
    """A number that JSON can hold: what is none goes out as the word that clients know."""
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _error(number: int, code: str, text: str) -> Message:
    return {"type": "ERROR", "channel": number, "error": code, "message": text}
