"""One account on one tape: opened by fiat where a scenario says so, then stepped as in a backtest."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from tomking.adapters.journal import MemoryJournal
from tomking.app.scenario.disturbed import Disturbed, Fault
from tomking.app.scenario.story import BY_FIAT, Moment, Story
from tomking.app.scenario.tape import SEED, Tape
from tomking.app.wiring import Silent, order_fees, simulated_broker
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Session, new_york, wall_instant
from tomking.domain.chain import net_quote
from tomking.domain.intent import Alternatives, Approved, Open, Pass
from tomking.domain.order import Fill
from tomking.execution.plan import opening_order
from tomking.kernel import Kernel, Parts, Risk
from tomking.ports import Broker, MarketData
from tomking.risk.desk import Desk
from tomking.risk.gate import case_of
from tomking.risk.groups import SHORT_VOL
from tomking.risk.settings import Settings
from tomking.risk.valuation import account_of
from tomking.rules.strategy import Strategy
from tomking.strategies import build
from tomking.view import Own, View

EVERY = timedelta(minutes=15)
NEW_LOW = 0.0005
"""A fall of net liq by this share below its lowest is a moment of its own."""


@dataclass(slots=True, eq=False)
class Stage:
    """See the module."""

    tape: Tape
    capital: Decimal
    strategies: tuple[Strategy, ...] = ()
    settings: Settings = field(default_factory=Settings)
    faults: tuple[Fault, ...] = ()
    risk: Risk | None = None
    """None: the desk with ``settings``."""
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    story: Story = field(init=False)
    kernel: Kernel = field(init=False)
    broker: Broker = field(init=False)
    market: MarketData = field(init=False)
    wake: datetime | None = None
    watched: timedelta | None = None
    """How often net liq is looked at between the kernel's own steps; None: at these alone."""

    def __post_init__(self) -> None:
        market = self.tape.market
        self.market = Disturbed(market, self.faults) if self.faults else market
        self.broker = simulated_broker(self.market, self.tape.sessions)
        self.story = Story()
        self.born()

    def born(self) -> None:
        """The process starts: everything it knows is in the journal."""
        self.kernel = Kernel(
            Parts(
                strategies=self.strategies,
                risk=self.desk,
                market=self.market,
                broker=self.broker,
                journal=self.journal,
                notifier=Silent(),
                sessions=self.tape.sessions,
                observe=self.story.see,
            )
        )

    @property
    def desk(self) -> Risk:
        return self.risk if self.risk is not None else Desk(self.settings)

    @property
    def book(self) -> Book:
        return self.kernel.book

    # ------------------------------------------------------------------ time

    def play(self, first: date, last: date | None = None, *, until: str = "16:00") -> Story:
        """Every session from ``first`` to ``last``; of the last one what lies before ``until``."""
        last = last or first
        for session in self.tape.sessions.between(first, last):
            end = session.close
            if session.date == last and until != "16:00":
                end = min(end, session.at(time.fromisoformat(until)))
            self._session(session, end)
        self.story.book = self.book
        return self.story

    def _session(self, session: Session, end: datetime) -> None:
        if self.wake is None:
            self._begin(session)
        assert self.wake is not None
        while self.wake <= end:
            now = self.wake
            try:
                self.kernel.step(now)
            except Exception as error:  # noqa: BLE001 - a scenario reports it as a miss
                self.story.errors.append(f"{now}: {type(error).__name__}: {error}")
            self.look(now)
            self.wake = self.kernel.next_wake(now)
            self._watch(now, min(self.wake, end))

    def _watch(self, since: datetime, until: datetime) -> None:
        if self.watched is None:
            return
        now = since + self.watched
        while now < until:
            self.look(now)
            now += self.watched

    def _begin(self, session: Session) -> None:
        self.wake = session.open
        if not len(self.journal):
            self.kernel.record(
                ev.RunStarted(session.open, SEED, "", "", tuple(s.id for s in self.strategies))
            )
            self.kernel.record(ev.CashMoved(session.open, self.capital, "starting capital"))

    def move_cash(self, dollars: Decimal, now: datetime) -> None:
        """A deposit or a withdrawal."""
        self.kernel.record(ev.CashMoved(now, dollars, "scenario"))

    def net_liq(self, now: datetime) -> Decimal:
        return self.kernel.value(now).net_liq

    def look(self, now: datetime) -> None:
        """Keeps a moment for the picture: now and then, when a level changes, and at every new low."""
        story = self.story
        session = self.tape.sessions.on(wall_date(now))
        if session is None or now < session.open:
            return
        worth = float(self.net_liq(now))
        due = not story.moments or now - story.moments[-1].at >= EVERY
        if not due and not story.changed and worth > story.lowest * (1 - NEW_LOW):
            return
        story.changed = False
        story.lowest = min(story.lowest, worth) if story.moments else worth
        vix = self.market.vix(now)
        story.moments.append(
            Moment(
                at=now,
                net_liq=worth,
                vix=None if vix is None else vix[0],
                spot=self.market.spot("SPX", now),
                positions=len(self.book.positions),
                short_vol=sum(p.strategy in SHORT_VOL for p in self.book.positions.values()),
                emergency=int(self.book.levels.get("emergency") or 0),
                breaker=int(self.book.levels.get("breaker") or 0),
                drawdown=self.book.levels.get("drawdown") or "GREEN",
            )
        )

    def view(self, now: datetime) -> View:
        session = self.tape.sessions.on(wall_date(now))
        assert session is not None
        return View(now, session, self.tape.sessions, self.market)

    # ------------------------------------------------------------------ what is held by fiat

    def hold(
        self,
        strategy: Strategy | str,
        entry: str,
        now: datetime,
        *,
        units: int = 1,
        product: str | None = None,
        choice: Callable[[Open], bool] = lambda _: True,
    ) -> str:
        """Opens what the strategy's builder makes of the market now, without asking anybody; its id."""
        found = [w for w in self.wishes(strategy, entry, now) if product in (None, w.product) and choice(w)]
        assert found, f"{entry}: nothing to be had in {product or 'any product'} at {now}"
        return self.take(found[0], now, units)

    def wishes(self, strategy: Strategy | str, entry: str, now: datetime) -> list[Open]:
        """What the builder of one entry would wish, its conditions left out."""
        chosen = build(strategy) if isinstance(strategy, str) else strategy
        way = next(e for e in chosen.entries if e.name == entry)
        found = way.build(self.view(now), self.own(chosen.id, now))
        answers = [found] if isinstance(found, Open | Alternatives | Pass) else found
        wishes: list[Open] = []
        for one in answers:
            match one:
                case Open():
                    wishes.append(one)
                case Alternatives(choices):
                    wishes += choices
                case _:
                    continue
        return wishes

    def take(self, wish: Open, now: datetime, units: int) -> str:
        """Writes the opening of ``units`` at the mids into the journal."""
        view, net_liq = self.view(now), self.net_liq(now)
        account = account_of(self.book, view, net_liq, self.settings)
        need = case_of(wish, self.book, view, account, self.settings).margin
        structure = wish.structure
        quotes = view.quotes(structure.contracts)
        quote = net_quote(structure, quotes)
        assert quote is not None, f"{structure} has no quote at {now}"
        id_ = str(self.book.sequence)
        approved = Approved(wish, units, BY_FIAT, (), need * units)
        order = replace(opening_order(id_, approved, quote, wish.targets), reason=BY_FIAT)
        legs = tuple(q.mid for q in view.quotes(order.structure.contracts) if q and q.mid is not None)
        assert len(legs) == len(order.structure.legs), f"{structure} lacks a side at {now}"
        self.kernel.record(ev.OrderSubmitted(now, order))
        fill = Fill(f"F{id_}.fiat", id_, now, units, legs, order_fees(order, units), legs)
        self.kernel.record(ev.OrderFilled(now, fill))
        self.wake = self.kernel.next_wake(now)
        return order.position

    def own(self, strategy: str, now: datetime) -> Own:
        marks = self.kernel.value(now)
        prefix = f"{strategy}."
        return Own(
            strategy=strategy,
            phase=self.desk.phase(self.book),
            net_liq=marks.net_liq,
            drawdown_level=self.desk.drawdown_level(self.book),
            positions=self.book.of(strategy),
            orders=(),
            notes={k.removeprefix(prefix): v for k, v in self.book.notes.items() if k.startswith(prefix)},
            entered=(),
            values=marks.values,
        )


def wall_date(now: datetime) -> date:
    """The date in New York."""
    return new_york(now).date()


def at(day: date, wall: str) -> datetime:
    """``at(date(2018, 6, 22), "10:30")``: New York's clocks, as an aware UTC instant."""
    return wall_instant(day, time.fromisoformat(wall))
