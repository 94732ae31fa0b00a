"""No decision knows what comes later: garbage after t changes nothing that was written down by t.

For an instant t, a second world is made that agrees with the true one up to t and is nonsense after it:

    market    whatever the port is asked at a ``now`` after t: random prices, NaN, wrong expiries,
              a VIX of 5 to 150
    history   every row after t's session; and, while the minutes of t's session are drawn as they were,
              that session's own row too, which nothing but those minutes and the close may read

The account is played in it to t and, through nonsense, to the close of the session after.  What it wrote
with an ``at`` up to t must be the true journal's, byte for byte.  A market that peeps must be caught by it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.scenarios.accounts import Listening, account, calendar, history, played, request, until, world

from tomking.app.markets import model_market
from tomking.app.play import Player
from tomking.app.request import Request
from tomking.domain import events as ev
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import new_york
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract
from tomking.ports import MarketData
from tomking.sim.families import Families
from tomking.sim.paths import Paths

pytestmark = pytest.mark.slow

SPANS = {
    "as delivered": (("2007-08-01", "2007-11-15"), ()),
    "2020": (("2020-01-02", "2020-03-31"), ("friday_0dte.vix_gate=off", "friday_0dte.vix_max=100")),
    "calm": (("1992-02-03", "1992-04-30"), ("friday_0dte.vix_gate=off",)),
}
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


# ------------------------------------------------------------------------------------- the garbage


@dataclass
class Garbled:
    """A market that tells the truth up to ``last`` and nonsense after it, the same at the same ``now``."""

    true: MarketData
    last: datetime
    rng: np.random.Generator
    lies: int = 0
    said: dict[tuple[Contract, datetime], Quote | None] = field(default_factory=dict)
    grid_minutes: int = 1
    notes: tuple[str, ...] = field(default=())

    def spot(self, family: str, now: datetime) -> float | None:
        return self._any(None, -1.0, 1e6, 5000.0) if self._later(now) else self.true.spot(family, now)

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        return (float(self.rng.uniform(5, 150)), now) if self._later(now) else self.true.vix(now)

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        if not self._later(now):
            return self.true.expiries(product, now)
        days = np.sort(self.rng.integers(-5, 300, size=5))
        return tuple(new_york(now).date() + timedelta(days=int(n)) for n in days)

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        if not self._later(now):
            return self.true.chain(product, expiry, now)
        real = self.true.chain(product, expiry, self.last)
        if real is None:
            return None
        n = real.bid.size
        bid = self.rng.integers(-1, 4000, size=n)
        noise = np.where(self.rng.random(n) < 0.2, np.nan, self.rng.uniform(-1, 1, n))
        return replace(real, bid=bid, ask=bid[::-1].copy(), iv=noise, delta=noise, forward=1.0)

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        if self._later(now):
            return self._any(None, 1.0, 9000.0)
        return self.true.forward(product, expiry, now)

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        if not self._later(now):
            return self.true.quotes(contracts, now)
        return [self._quote(contract, now) for contract in contracts]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> NDArray[np.float64]:
        if not self._later(now):
            return self.true.marks(contracts, now)
        mids = [None if quote is None else quote.mid for quote in self.quotes(contracts, now)]
        return np.array([np.nan if mid is None else float(mid) for mid in mids])

    def bars(self, family: str, now: datetime) -> Bars:
        if not self._later(now):
            return self.true.bars(family, now)
        n = int(self.rng.integers(0, 400))
        return nonsense(history().spx, 0, self.rng).before(history().spx.day[n].item())

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        return float(self.rng.uniform(1, 9000)) if self._later(now) else self.true.settlement(contract, now)

    def _later(self, now: datetime) -> bool:
        self.lies += now > self.last
        return now > self.last

    def _any(self, *values: float | None) -> float | None:
        return values[int(self.rng.integers(len(values)))]

    def _quote(self, contract: Contract, now: datetime) -> Quote | None:
        if (contract, now) not in self.said:
            bid, width = (int(n) * contract.tick for n in self.rng.integers(0, 900, size=2))
            quote = Quote(bid, bid + width, now)
            self.said[contract, now] = quote if self.rng.random() > 0.1 else None
        return self.said[contract, now]


def nonsense(bars: Bars, first: int, rng: np.random.Generator, high: float = 9000.0) -> Bars:
    """The same with well-formed random prices from row ``first`` on."""
    n = len(bars) - first
    four = np.sort(rng.uniform(0.05, 1.0, size=(4, n)) * high, axis=0)
    columns = {"low": four[0], "open": four[1], "close": four[2], "high": four[3]}
    whole = {name: np.concatenate((getattr(bars, name)[:first], new)) for name, new in columns.items()}
    return Bars(day=bars.day, **whole)


def forgetful(first: int, rng: np.random.Generator) -> History:
    """The history with garbage from row ``first`` on."""
    true = history()
    rate = np.concatenate((true.rate[:first], rng.uniform(0, 0.2, len(true.rate) - first)))
    return replace(
        true, spx=nonsense(true.spx, first, rng), vix=nonsense(true.vix, first, rng, 150.0), rate=rate
    )


def garbled(last: datetime, seed: int, rng: np.random.Generator) -> Garbled:
    """The world that ends in nonsense after ``last``."""
    row = int(np.searchsorted(history().spx.day, np.datetime64(new_york(last).date())))
    session = calendar().on(new_york(last).date())
    known = session is not None and last >= session.close
    market = model_market(forgetful(row + known, rng), calendar(), seed)
    lengths = market.index._paths._minutes
    market.index._paths = Paths(forgetful(row + 1, rng), lengths, seed)
    return Garbled(market, last, rng)


# ------------------------------------------------------------------------------------- the truth


@dataclass(frozen=True)
class Truth:
    asked: Request
    player: Player
    events: list[ev.Event]


@cache
def truth(name: str) -> Truth:
    span, switches = SPANS[name]
    asked, journal = request(*span, *switches), Listening()
    return Truth(asked, played(asked, journal=journal), journal.events)


def instants(known: Truth, rng: np.random.Generator) -> Iterator[datetime]:
    """Where it would hurt: at and just before fills, within open positions, and anywhere."""
    fills = [e.at for e in known.events if isinstance(e, ev.OrderFilled)]
    yield fills[int(rng.integers(len(fills)))]
    yield fills[int(rng.integers(len(fills)))] - SECOND
    assert fridays(known), "no 0DTE position was open on a Friday"
    for trade in pick(rng, fridays(known), 2):
        assert new_york(trade[0]).weekday() == 4
        yield between(rng, *trade)
    days = world(known.asked).played
    session = days[int(rng.integers(len(days) - 2))]
    yield between(rng, session.open, session.close)
    yield days[int(rng.integers(len(days) - 2))].close


def fridays(known: Truth) -> list[tuple[datetime, datetime]]:
    """From opening to end of every 0DTE position."""
    return [
        (t.opened, t.closed)
        for t in known.player.recorder.history().trades
        if t.strategy == "friday_0dte" and t.closed > t.opened + 2 * MINUTE
    ]


def pick(
    rng: np.random.Generator, spans: list[tuple[datetime, datetime]], n: int
) -> list[tuple[datetime, datetime]]:
    return [spans[int(i)] for i in rng.choice(len(spans), size=min(n, len(spans)), replace=False)]


def between(rng: np.random.Generator, first: datetime, last: datetime) -> datetime:
    seconds = int((last - first).total_seconds())
    return first + timedelta(seconds=int(rng.integers(1, seconds)))


def replayed(asked: Request, market: MarketData, last: datetime) -> list[ev.Event]:
    """What is written down when the account is played on ``market`` to ``last`` and a session further."""
    journal = Listening()
    one = account(asked, world(asked, market), journal)
    following = calendar().after(new_york(last).date())
    assert following is not None
    while one.wake <= following.close:
        one.kernel.step(one.wake)
        one.wake = one.kernel.next_wake(one.wake)
    return journal.events


@dataclass
class Peeping:
    """A market with a flaw: it answers some question with what holds a while later."""

    honest: MarketData
    what: str
    ahead: timedelta

    def __getattr__(self, name: str) -> Any:
        return getattr(self.honest, name)

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        return self.honest.vix(now + self.ahead * (self.what == "vix"))

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        return self.honest.quotes(contracts, now + self.ahead * (self.what == "quotes"))

    def bars(self, family: str, now: datetime) -> Bars:
        if self.what != "bars":
            return self.honest.bars(family, now)
        inner = self.honest.true if isinstance(self.honest, Garbled) else self.honest
        assert isinstance(inner, Families)
        # Yesterday's date over the prices of today, or of a later session.
        real = inner.index._history.spx
        n, k = len(real.before(new_york(now).date())), self.ahead.days
        later = {name: getattr(real, name)[k : n + k] for name in ("open", "high", "low", "close")}
        return Bars(day=real.day[:n], **later)


# ------------------------------------------------------------------------------------- the proof


@pytest.mark.parametrize("name", SPANS)
def test_garbage_after_an_instant_changes_no_decision_at_or_before_it(name: str) -> None:
    known, rng = truth(name), np.random.default_rng(list(SPANS).index(name))
    differs = 0
    for last in instants(known, rng):
        market = garbled(last, known.asked.seed, rng)
        events = replayed(known.asked, market, last)
        assert until(events, last) == until(known.events, last), f"decided before {last} by what came after"
        assert market.lies > 0
        following = calendar().after(new_york(last).date())
        assert following is not None
        differs += until(events, following.close) != until(known.events, following.close)
    assert differs >= 3, "the garbage is felt after t: it would be felt before it too"


@pytest.mark.parametrize(
    ("what", "ahead"),
    [("vix", 5 * MINUTE), ("quotes", MINUTE), ("bars", timedelta(days=1)), ("bars", timedelta(days=4))],
)
def test_a_market_that_peeps_is_caught(what: str, ahead: timedelta) -> None:
    """Today's own bar counts as the future while the session lasts."""
    asked, rng = truth("2020").asked, np.random.default_rng(5)
    journal = Listening()
    played(asked, Peeping(truth("2020").player.kernel._at.market, what, ahead), journal)
    # An entry has looked at all three.
    entries = [e.at for e in journal.events if isinstance(e, ev.EntryApproved)]
    caught = 0
    for last in entries[:3]:
        market = Peeping(garbled(last, asked.seed, rng), what, ahead)
        caught += until(replayed(asked, market, last), last) != until(journal.events, last)
    assert caught >= 1
