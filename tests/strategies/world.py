"""A small market with real option prices, and an account that fills everything at the mid.

Chains are built by hand from Black and a volatility function, so that every number in a test can
be worked out.  Dates are in 2031.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import exp

import numpy as np
from numpy.typing import NDArray
from tests.worlds import FRIDAY, session_on

from tomking.domain.bars import Bars
from tomking.domain.book import Component, Position
from tomking.domain.calendar import Session, Sessions, dte, new_york
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import Alternatives, Close, Intent, Mark, Open, Pass, Step, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.products import PRODUCTS
from tomking.pricing.black import black
from tomking.rules.strategy import Strategy
from tomking.view import Own, View

Floats = NDArray[np.float64]
Vol = Callable[[Floats, float], Floats]
"""Volatilities of strikes, shape (n,), and a forward."""


def flat(vol: float) -> Vol:
    def of(strikes: Floats, forward: float) -> Floats:
        return np.full(len(strikes), vol)

    return of


def skewed(strikes: Floats, forward: float) -> Floats:
    """The fixture surface of methodology B.2."""
    return 0.1455 - 0.30 * np.log(strikes / forward)


def chain(
    product: str,
    expiry: date,
    now: datetime,
    *,
    forward: float,
    years: float,
    vol: Vol,
    half_spread_ticks: int = 1,
    discount: float = 1.0,
    span: tuple[float, float] = (0.70, 1.30),
) -> Chain:
    """Puts and calls on the product's finest grid, from 70 % to 130 % of the forward unless told."""
    listed = PRODUCTS[product]
    unit, tick = listed.strike_grid, listed.tick
    low, high = int(forward * span[0] / float(unit)), int(forward * span[1] / float(unit))
    counts = np.arange(low, high)
    n = len(counts)
    points = counts.astype(np.float64) * float(unit)
    vols = np.maximum(0.02, vol(points, forward))
    right = np.repeat(np.array([-1, 1], dtype=np.int8), n)
    strike, vols = np.tile(counts, 2), np.tile(vols, 2)
    b = black(
        forward=np.full(2 * n, forward),
        strike=strike * float(unit),
        years=np.full(2 * n, years),
        vol=vols,
        discount=np.full(2 * n, discount),
        right=right.astype(np.float64),
    )
    mid = np.rint(b.price / float(tick)).astype(np.int64)
    return Chain(
        product=product,
        expiry=expiry,
        as_of=now,
        multiplier=listed.multiplier,
        tick=tick,
        strike_unit=unit,
        forward=forward,
        discount=discount,
        years=years,
        right=right,
        strike=strike.astype(np.int64),
        bid=np.maximum(mid - half_spread_ticks, 0),
        ask=mid + half_spread_ticks,
        iv=vols,
        delta=b.delta,
    )


def rising_bars(today: date, last: float, count: int = 300, daily: float = 2.0, spread: float = 30.0) -> Bars:
    """Closes that rise ``daily`` points a session to ``last``; each bar ``spread`` above and below."""
    days = [
        today - timedelta(days=n) for n in range(1, 2 * count) if (today - timedelta(days=n)).weekday() < 5
    ]
    days = days[:count][::-1]
    close = last - daily * np.arange(count, dtype=np.float64)[::-1]
    return Bars(np.array(days, dtype="datetime64[D]"), close, close + spread, close - spread, close)


def one_quote(listed: Chain, option: Option) -> Quote | None:
    """By its place in the sorted columns: quicker than ``quote_of``, which reads them all."""
    n = len(listed.strike) // 2
    row = int(option.strike / listed.strike_unit) - int(listed.strike[0])
    row += n if option.right > 0 else 0
    if not 0 <= row < len(listed.strike) or listed.option(row) != option:
        return None
    return Quote(int(listed.bid[row]) * listed.tick, int(listed.ask[row]) * listed.tick, listed.as_of)


@dataclass
class World:
    """The ``MarketData`` port: a level, a VIX, listed expiries and one volatility function."""

    listed: Mapping[str, tuple[date, ...]]
    level: float = 5500.0
    vix_level: float | None = 24.0
    vol: Vol = field(default_factory=lambda: flat(0.15))
    daily: Bars | None = None
    vix3m: Bars | None = None
    """The three-month index is not known unless it is told."""
    grid_minutes: int = 1
    half_spread_ticks: int = 1
    span: tuple[float, float] = (0.70, 1.30)
    """Of the forward, from which to which strikes are listed."""
    rate: float = 0.0
    carry: float = 0.0
    """Of a future over the index, a share of it: 0.01 is 55 points at 5,500."""
    seen: datetime | None = None
    """The latest snapshot of coarse data; None: now."""
    notes: tuple[str, ...] = ("built by hand",)
    chains: dict[tuple[str, date, datetime], Chain] = field(default_factory=dict)

    def spot(self, family: str, now: datetime) -> float | None:
        return self.level

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        return None if self.vix_level is None else (self.vix_level, self.seen or now)

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        return tuple(e for e in self.listed.get(product, ()) if e >= new_york(now).date())

    def years(self, expiry: date, now: datetime) -> float:
        """On expiry day the session minutes left of a year of 252 sessions, else calendar days of 365."""
        today = new_york(now).date()
        if today == expiry:
            return max(1.0, (session_on(today).close - now).total_seconds() / 60) / (390 * 252)
        return dte(today, expiry) / 365

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        if expiry not in self.listed.get(product, ()):
            return None
        key = (product, expiry, now)
        if key not in self.chains:
            listed = PRODUCTS[product]
            forward = self.level * float(listed.index_ratio) * (1 + self.carry * listed.future)
            self.chains = {
                key: chain(
                    product, expiry, now, forward=forward, years=self.years(expiry, now),
                    vol=self.vol, half_spread_ticks=self.half_spread_ticks, span=self.span,
                    discount=exp(-self.rate * dte(new_york(now).date(), expiry) / 365),
                ),
                **self.chains,
            }  # fmt: skip
        return self.chains[key]

    def moved(self, level: float | None = None, vix: float | None = None) -> None:
        """The market moves; what was quoted before is gone."""
        self.level = self.level if level is None else level
        self.vix_level = self.vix_level if vix is None else vix
        self.chains = {}

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        listed = self.chain(product, expiry, now)
        return None if listed is None else listed.forward

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        found: list[Quote | None] = []
        for contract in contracts:
            assert isinstance(contract, Option)
            listed = self.chain(contract.product, contract.expiry, now)
            found.append(None if listed is None else one_quote(listed, contract))
        return found

    def marks(self, contracts: Sequence[Contract], now: datetime) -> NDArray[np.float64]:
        mids = [None if q is None else q.mid for q in self.quotes(contracts, now)]
        return np.array([np.nan if m is None else float(m) for m in mids])

    def bars(self, family: str, now: datetime) -> Bars:
        today = new_york(now).date()
        if family == "VIX3M":
            return self.vix3m or rising_bars(today, self.level, count=0)
        return rising_bars(today, self.level) if self.daily is None else self.daily.before(today)

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        return None


@dataclass
class Desk:
    """A kernel in small: fills at once at the mid, remembers marks, keeps positions."""

    strategy: Strategy
    market: World
    sessions: Sessions
    phase: int = 4
    net_liq: Decimal = Decimal(200_000)
    units: int = 1
    product: str | None = None
    positions: dict[str, Position] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    entered: list[str] = field(default_factory=list)
    said: list[tuple[datetime, Intent]] = field(default_factory=list)

    def view(self, now: datetime) -> View:
        session = self.sessions.on(new_york(now).date())
        assert session is not None
        return View(now, session, self.sessions, self.market)

    def own(self, now: datetime) -> Own:
        view = self.view(now)
        values = {}
        for position in self.positions.values():
            for one in position.open_components:
                quotes = view.quotes(one.structure.contracts)
                if all(q is not None and q.mid is not None for q in quotes):
                    mids = [q.mid for q in quotes if q is not None and q.mid is not None]
                    values[position.id, one.role] = one.structure.inverse().net(mids)
        return Own(
            strategy=self.strategy.id,
            phase=self.phase,
            net_liq=self.net_liq,
            drawdown_level="GREEN",
            positions=tuple(self.positions.values()),
            orders=(),
            notes=dict(self.notes),
            entered=tuple(self.entered),
            values=values,
        )

    def decide(self, now: datetime) -> tuple[Intent, ...]:
        return self.strategy.decide(self.view(now), self.own(now))

    def step(self, now: datetime) -> list[Intent]:
        """Decide and do it."""
        for step in self.strategy.steps(self.view(now), self.own(now)):
            self.do(step, now)
        wishes = list(self.decide(now))
        for wish in wishes:
            self.do(wish, now)
            self.said.append((now, wish))
        return wishes

    def do(self, wish: Intent, now: datetime) -> None:
        match wish:
            case Mark(_, key, value):
                self.notes.pop(key, None)
                if value:
                    self.notes[key] = value
            case Alternatives(choices):
                fits = [c for c in choices if self.product in (None, c.product)]
                self.opened(fits[0], now)
            case Open():
                self.opened(wish, now)
            case Close():
                self.closed(wish, now)
            case Pass():
                return
            case Step(_, position, _, after, _, _):
                self.positions[position] = replace(self.positions[position], stage=after)

    def opened(self, wish: Open, now: datetime) -> Position:
        view = self.view(now)
        id_ = wish.joins or f"p{len(self.said)}"
        components = dict(self.positions[id_].components) if wish.joins else {}
        for part in wish.parts:
            mids = [
                q.mid for q in view.quotes(part.structure.contracts) if q is not None and q.mid is not None
            ]
            expiry = min(c.expiry for c in part.structure.contracts)
            components[part.role] = Component(
                role=part.role,
                trade=id_,
                kind=wish.entry,
                structure=part.structure,
                units=min(self.units, wish.ceiling),
                filled_units=min(self.units, wish.ceiling),
                entry_net=part.structure.net(mids),
                opened=now,
                opened_dte=dte(view.today, expiry),
                dollars=part.structure.net(mids) * min(self.units, wish.ceiling) * part.structure.multiplier,
                fees=Decimal(0),
                target=f"t{len(self.said)}" if any(part.role in t.roles for t in wish.targets) else None,
            )
        old = self.positions.get(id_)
        self.positions[id_] = Position(
            id=id_,
            strategy=wish.strategy,
            product=wish.product,
            state=State.ACTIVE,
            opened=now if old is None else old.opened,
            components=components,
            units=self.units,
            margin=Decimal(0),
            planned_loss=Decimal(0),
            stage="" if old is None else old.stage,
        )
        self.entered.append(wish.entry)
        return self.positions[id_]

    def closed(self, wish: Close, now: datetime) -> None:
        position = self.positions[wish.position]
        components, values = dict(position.components), self.own(now).values
        for role in wish.roles:
            one = components[role]
            brought = values.get((position.id, role), Decimal(0)) * one.units * one.structure.multiplier
            components[role] = replace(
                one,
                units=0,
                closed=now,
                trigger=wish.trigger,
                target=None,
                dollars=one.dollars + brought,
            )
        if not any(c.is_open for c in components.values()):
            del self.positions[wish.position]
            return
        # A target order for several parts goes with the first of them that closes.
        orders = {position.components[role].target for role in wish.roles}
        components = {
            role: replace(c, target=None) if c.target in orders else c for role, c in components.items()
        }
        state = State.DEFENDING if wish.defends else position.state
        self.positions[wish.position] = replace(position, components=components, state=state)

    def run(self, session: Session, path: Callable[[datetime], None] = lambda _: None) -> None:
        """One session, woken when the strategy wishes."""
        self.entered = []
        for now in self.wakes(session):
            path(now)
            self.step(now)

    def wakes(self, session: Session) -> Iterator[datetime]:
        now = session.open - timedelta(minutes=1)
        while True:
            wake = self.strategy.next_wake(session, self.own_at(session, now), now, self.market.grid_minutes)
            if wake is None:
                return
            assert wake > now, "next_wake is always later"
            now = wake
            yield now

    def own_at(self, session: Session, now: datetime) -> Own:
        return self.own(max(now, session.open))

    def trades(self) -> list[tuple[str, str]]:
        """What was opened and closed, as (wall time, word)."""
        words = []
        for now, wish in self.said:
            if isinstance(wish, Open | Alternatives):
                words.append((f"{new_york(now):%H:%M}", "open"))
            if isinstance(wish, Close):
                words.append((f"{new_york(now):%H:%M}", f"{wish.trigger}: {', '.join(wish.roles)}"))
        return words


def passes(wishes: Sequence[Intent]) -> list[str]:
    return [f"{w.code}: {w.detail}" for w in wishes if isinstance(w, Pass)]


def closes(wishes: Sequence[Intent]) -> list[Close]:
    return [w for w in wishes if isinstance(w, Close)]


__all__ = ["FRIDAY", "Desk", "Urgency", "World", "chain", "closes", "flat", "passes", "skewed"]
