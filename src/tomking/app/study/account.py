"""One account on one market: the program's own kernel, gate and broker, and what the table needs of it."""

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from tomking.app.study.rows import ALL_ON, ANY_STOP, BIG, MONTH, PACE, PROTECTIONS, RUN, TIME_STOPS, Row
from tomking.app.wiring import Silent, simulated_broker
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions
from tomking.domain.intent import Close, Open, Refused, Urgency, Verdict
from tomking.kernel import Kernel, Parts
from tomking.ports import Broker, MarketData
from tomking.risk.account import Account
from tomking.risk.case import Allowance, Case, Limit
from tomking.risk.desk import Desk
from tomking.risk.gate import LIMITS, judge
from tomking.risk.limits_breakers import size_of_month
from tomking.risk.settings import Settings
from tomking.risk.valuation import account_of
from tomking.rules.strategy import STOP_NOTE, Strategy
from tomking.view import View

RED, TERMINAL = 0.20, 0.30
"""Methodology C.4: measured the same way in every row, also where the program does not act on it."""
SEEN = "risk.seen."


@dataclass(slots=True)
class Unwritten:
    """The ``Journal`` port of an account that nobody will ask again: it counts, the watch sees the rest."""

    appended: int = 0
    committed: int = 0

    def append(self, event: ev.Event) -> None:  # noqa: ARG002 - the port's
        self.appended += 1

    def commit(self) -> None:
        self.committed = self.appended

    def read(self) -> Iterator[ev.Event]:
        return iter(())

    def head(self) -> str:
        """Its length: there is no text to take a digest of."""
        return f"{self.appended}"


@dataclass(slots=True)
class Watch:
    """What happened to one account: the kernel's ``observe``, and a look at every valuation."""

    capital: float
    settings: Settings
    closes: list[tuple[date, float]] = field(default_factory=list[tuple[date, float]])
    trades: int = 0
    signs: set[str] = field(default_factory=set[str])
    """Names of levels that changed or were about to, triggers of exits, rows whose limits mattered."""
    depth: float = 0.0
    """Greatest drawdown from the highest close that two looks in a row saw, or a close."""
    peak: float = 0.0
    _last: tuple[date, float] | None = None

    def __post_init__(self) -> None:
        self.peak = self.capital

    def __call__(self, book: Book, event: ev.Event) -> None:
        self.trades += len(book.just_closed)
        if book.losing_run >= self.settings.losing_run_half:
            self.signs.add(RUN)
        match event:
            case ev.SessionEnded(_, day, net_liq):
                self._close(day, float(net_liq))
            case ev.LevelChanged(_, name):
                self.signs.add(name)
            case ev.Noted(_, key) if key.startswith(SEEN):
                self.signs.add(key.removeprefix(SEEN))
            case ev.Noted(_, key) if STOP_NOTE in key:
                self.signs.add(exit_sign(ANY_STOP))
            case ev.OrderSubmitted(_, order) if not order.opens:
                self.signs.add(exit_sign(order.trigger))
                if order.urgency is Urgency.STOP and order.trigger not in TIME_STOPS:
                    self.signs.add(exit_sign(ANY_STOP))
            case _:
                return

    def look(self, net_liq: Decimal, day: date) -> None:
        """A drawdown counts once a second look agrees, as the program's own does (C.4)."""
        value = float(net_liq)
        if self._last is not None and self._last[0] == day:
            self.depth = max(self.depth, 1 - max(value, self._last[1]) / self.peak)
        self._last = (day, value)

    def _close(self, day: date, value: float) -> None:
        self.depth = max(self.depth, 1 - value / self.peak)
        self.peak = max(self.peak, value)
        self.closes.append((day, value))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One account's figures; shares of net liq, losses below 0."""

    result: float
    """Of the starting capital, fees and what is still open at its mark included."""
    worst_day: float
    """Close to close."""
    worst_on: str
    """Its session; empty without a losing one."""
    drawdown: float
    """From the highest close to a later one, >= 0."""
    depth: float
    """As ``Watch.depth``: what RED and TERMINAL are measured on."""
    trades: int
    """Closed."""

    @property
    def is_red(self) -> bool:
        return self.depth >= RED

    @property
    def is_terminal(self) -> bool:
        return self.depth >= TERMINAL


def outcome_of(watch: Watch) -> Outcome:
    before, peak, worst, deepest, worst_on = watch.capital, watch.capital, 0.0, 0.0, ""
    for day, close in watch.closes:
        # An account that owes money has no return to speak of: its day is what it lost of the start.
        gain = close / before - 1 if before > 0 else (close - before) / watch.capital
        if gain < worst:
            worst, worst_on = gain, day.isoformat()
        peak = max(peak, close)
        deepest = max(deepest, 1 - close / peak)
        before = close
    return Outcome(before / watch.capital - 1, worst, worst_on, deepest, watch.depth, watch.trades)


class Ablated:
    """The kernel's ``Risk``: the program's desk, without the limits of a row."""

    def __init__(self, row: Row, settings: Settings, watch: Watch) -> None:
        self._desk = Desk(row.risk(settings))
        self._limits = tuple(limit for limit in LIMITS if limit.name not in row.limits)
        self._watch = watch
        self._answers: dict[str, Allowance] | None = None
        if row is ALL_ON:
            self._answers = {}
            self._limits = tuple(self._noted(limit) for limit in LIMITS)
        self._known: tuple[object, datetime, Decimal, Account] | None = None
        self.begin, self.next_look, self.end = self._desk.begin, self._desk.next_look, self._desk.end
        self.entries_stopped, self.phase = self._desk.entries_stopped, self._desk.phase
        self.barred, self.drawdown_level = self._desk.barred, self._desk.drawdown_level
        self.keep, self.answered = self._desk.keep, self._desk.answered

    def guard(self, book: Book, view: View, net_liq: Decimal) -> Iterable[ev.Event]:
        self._watch.look(net_liq, view.today)
        return self._desk.guard(book, view, net_liq)

    def forced(self, book: Book, values: Mapping[tuple[str, str], Decimal], now: datetime) -> Iterable[Close]:
        return self._desk.forced(book, values, now)

    def judge(
        self, wish: Open, book: Book, view: View, net_liq: Decimal, said: Collection[str] = ()
    ) -> Verdict:
        settings = self._desk.settings
        account = self._account(book, view, net_liq)
        if self._answers is None:
            return judge(wish, book, view, account, settings, self._limits, said=said)
        self._answers.clear()
        verdict = judge(wish, book, view, account, settings, self._limits)
        self._compare(wish, verdict, self._answers)
        if view.vix is None or view.vix > settings.vix_size_bounds[0]:
            self._watch.signs.add(BIG)
        return verdict

    def _compare(self, wish: Open, verdict: Verdict, answers: Mapping[str, Allowance]) -> None:
        """Which rows would have answered otherwise: they have to be played."""
        units = [wish.ceiling if a.units is None else a.units for a in answers.values()]
        least = min(units, default=wish.ceiling)
        assert isinstance(verdict, Refused) or least > 0
        for row in PROTECTIONS:
            if row.key in self._watch.signs or not row.touched:
                continue
            left = [u for name, u in zip(answers, units, strict=True) if name not in row.touched]
            if min(wish.ceiling, *left) != min(wish.ceiling, least):
                self._watch.signs.add(row.key)

    def _noted(self, limit: Limit) -> Limit:
        def check(case: Case) -> Allowance:
            answer = limit.check(case)
            assert self._answers is not None
            self._answers[limit.name] = answer
            if limit.name == PACE and size_of_month(case)[0] < 1:
                self._watch.signs.add(MONTH)
            return answer

        return replace(limit, check=check)

    def _account(self, book: Book, view: View, net_liq: Decimal) -> Account:
        """Of one step and one set of positions all questions are about the same account."""
        known = self._known
        if known is not None and known[0] is book.positions and known[1:3] == (view.now, net_liq):
            return known[3]
        account = account_of(book, view, net_liq, self._desk.settings)
        self._known = (book.positions, view.now, net_liq, account)
        return account


def exit_sign(trigger: str) -> str:
    """What the watch notes of a close, or of the first sight of a stop."""
    return f"exit {trigger}"


def is_same(row: Row, seen: AbstractSet[str]) -> bool:
    """Whether a path on which all-on's watch has seen this is the same in ``row``, to the cent."""
    if row not in PROTECTIONS:
        return False
    return not (row.key in seen or seen & row.signs or seen & {exit_sign(one) for one in row.exits})


@dataclass(frozen=True, slots=True)
class World:
    """What all accounts of a path share."""

    market: MarketData
    sessions: Sessions
    first: Session
    capital: Decimal
    strategies: tuple[Strategy, ...]
    settings: Settings


@dataclass(frozen=True, slots=True)
class Moment:
    """An account between two sessions: everything that a restart would know (the kernel has no more)."""

    book: Book
    broker: Broker
    """A copy: the account's own goes on."""
    watch: Watch
    wake: datetime


@dataclass(slots=True)
class Seat:
    """An account at play."""

    world: World
    kernel: Kernel
    broker: Broker
    watch: Watch
    wake: datetime

    def play(self, session: Session) -> None:
        while self.wake <= session.close:
            self.kernel.step(self.wake)
            self.wake = self.kernel.next_wake(self.wake)

    def moment(self) -> Moment:
        """Between two sessions."""
        return Moment(
            self.kernel.book, copied(self.broker, self.world), copied(self.watch, self.world), self.wake
        )


def seat(row: Row, world: World) -> Seat:
    """An account with its deposit and no history: phase by its value, no positions, no records."""
    watch, broker = (
        Watch(float(world.capital), world.settings),
        simulated_broker(world.market, world.sessions),
    )
    kernel, at = _kernel(row, world, broker, watch, None), world.first.open
    kernel.record(ev.RunStarted(at, 0, "", "", tuple(one.id for one in world.strategies)))
    kernel.record(ev.CashMoved(at, world.capital, "starting capital"))
    return Seat(world, kernel, broker, watch, at)


def branch(row: Row, moment: Moment, world: World) -> Seat:
    """A row's account that was all-on's up to a moment: until then nothing of the row had done anything."""
    broker, watch = copied(moment.broker, world), copied(moment.watch, world)
    return Seat(world, _kernel(row, world, broker, watch, moment.book), broker, watch, moment.wake)


def _kernel(row: Row, world: World, broker: Broker, watch: Watch, book: Book | None) -> Kernel:
    return Kernel(
        Parts(
            strategies=row.strategies(world.strategies),
            risk=Ablated(row, world.settings, watch),
            market=world.market,
            broker=broker,
            journal=Unwritten(),
            notifier=Silent(),
            sessions=world.sessions,
            observe=watch,
        ),
        book,
    )


Copied = TypeVar("Copied", Broker, Watch)


def copied(one: Copied, world: World) -> Copied:
    """Without copies of the world it stands on."""
    shared = (world.market, world.sessions, world.settings)
    return deepcopy(one, {id(each): each for each in shared})


def play(seats: Sequence[Seat], sessions: Iterable[Session]) -> None:
    """All accounts day by day: they share the market's day."""
    for session in sessions:
        for each in seats:
            each.play(session)


def play_path(rows: Sequence[Row], world: World, sessions: Iterable[Session]) -> tuple[Seat, dict[str, Seat]]:
    """All-on, and by key the rows that come to differ from it; a row that is not there is the same.

    A row is played from the first session in which something that it switches off did anything.
    """
    on, waiting = seat(ALL_ON, world), list(rows)
    playing: dict[str, Seat] = {}
    for session in sessions:
        before = on.moment() if waiting else None
        on.play(session)
        for row in [row for row in waiting if not is_same(row, on.watch.signs)]:
            assert before is not None
            playing[row.key] = branch(row, before, world)
            waiting.remove(row)
        play(tuple(playing.values()), [session])
    return on, playing


@contextmanager
def resting_collector() -> Iterator[None]:
    """The collector rests: nearly nothing here goes in circles, and it looks at everything each time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
