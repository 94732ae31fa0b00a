"""The loop: absorb, tend, guard, decide.  One synchronous ``step(now)``, in every mode the same.

1. Absorb   drain the broker's news and settle what expired; recorded first, then believed.
2. Tend     working orders give ground on their ladders or end.
3. Guard    mark the book; risk levels tighten; what they demand to be closed is closed.
4. Decide   every strategy is asked, exits before entries; each wish is judged, written down,
            and only then sent.
5. Rest     open components without a closing order get their profit-taking order.

Starting is ``fold(journal.read())`` and then the same first step: there is no recovery path.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from tomking.domain import events as ev
from tomking.domain.book import Book, Component, Position, Working, apply, fold
from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.chain import net_quote
from tomking.domain.contract import Contract, Future
from tomking.domain.intent import (
    Alternatives,
    Approved,
    Close,
    Intent,
    Mark,
    Open,
    Pass,
    Target,
    Urgency,
    Verdict,
)
from tomking.domain.lifecycle import State
from tomking.domain.money import cents
from tomking.domain.structure import Leg
from tomking.execution.ladder import STEP, is_last, limit_at
from tomking.execution.marking import Marks, Table, marked, table_of
from tomking.execution.plan import closing_order, groups_by_units, opening_order, target_order
from tomking.ports import Broker, Expiry, Journal, MarketData, Notifier
from tomking.view import Own, View

RETRY_AFTER = timedelta(minutes=2)
TRIES = 2
"""An entry is tried, and retried once, in a session (methodology D.3)."""
SOON = timedelta(seconds=1)
"""After something was sent, its outcome is looked for this much later."""
MINUTE = timedelta(minutes=1)


class Strategy(Protocol):
    """What the kernel needs of a strategy (``rules.strategy.Strategy`` is one)."""

    @property
    def id(self) -> str: ...

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        """Wishes, exits before entries."""
        ...

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        """Guardian exits only: stop, 21 DTE, time."""
        ...

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        """The next instant after ``now`` in this session at which it wants to be asked."""
        ...


class Risk(Protocol):
    """The risk system as the kernel uses it (``risk.desk.Desk``)."""

    def begin(self, book: Book, net_liq: Decimal, now: datetime) -> Iterable[ev.Event]:
        """Events of a new session: the starting phase and levels on the first one."""
        ...

    def guard(self, book: Book, view: View, net_liq: Decimal) -> Iterable[ev.Event]:
        """Levels that this valuation changes, and first observations that wait for a second."""
        ...

    def forced(self, book: Book, values: Mapping[tuple[str, str], Decimal], now: datetime) -> Iterable[Close]:
        """What the levels demand to be closed."""
        ...

    def judge(self, wish: Open, book: Book, view: View, net_liq: Decimal) -> Verdict: ...

    def end(self, book: Book, view: View, net_liq: Decimal) -> tuple[ev.SessionEnded, Iterable[ev.Event]]:
        """The closing snapshot, and the events that follow from it (phase, levels)."""
        ...

    def phase(self, book: Book) -> int: ...

    def drawdown_level(self, book: Book) -> str: ...

    def keep(self, book: Book, keep: Decimal) -> Decimal:
        """The share of a credit to take profit at, tightened when a level says so."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a kernel is wired from."""

    strategies: tuple[Strategy, ...]
    """In priority order."""
    risk: Risk
    market: MarketData
    broker: Broker
    journal: Journal
    notifier: Notifier
    sessions: Sessions
    observe: Callable[[Book, ev.Event], None] | None = None
    """Sees each event with the book after it (progress, reports); decides nothing."""


class Kernel:
    """Owns the book; everything it knows was journalled first."""

    def __init__(self, parts: Parts) -> None:
        self._at = parts
        self.book: Book = fold(parts.journal.read())
        self._again: dict[tuple[str, str, str], int] = {}
        self._last_mids: dict[Contract, float] = {}
        self._table: tuple[object, Table] | None = None
        self._marks = Marks(self.book.cash, {})
        self._owns_of: tuple[Book, Marks] | None = None
        self._owns: dict[str, Own] = {}
        self._asked: set[tuple[str, str]] = set()
        self._sent = False
        self._unsettled = False

    # ------------------------------------------------------------------ the step

    def step(self, now: datetime) -> None:
        """Everything there is to do at ``now``."""
        session = self._at.sessions.on(new_york(now).date())
        if session is None or now < session.open:
            return
        self._sent = False
        self._asked.clear()
        if self.book.day.session != session.date:
            self._begin(session, now)
        self._absorb(now)
        view = View(now, session, self._at.sessions, self._at.market)
        if now < session.close:
            self._tend(view)
            self._guard(view)
            self._decide(view)
            self._rest(view)
            self._absorb_answers(now)
        elif not self.book.day.ended:
            self._end(view)

    def next_wake(self, now: datetime) -> datetime:
        """When there is something to do again; after the calendar's last session, the far future."""
        session = self._at.sessions.on(new_york(now).date())
        if session is None or now >= session.close:
            following = self._at.sessions.after(new_york(now).date())
            return following.open if following else now + timedelta(days=365_000)
        if now < session.open:
            return session.open
        wakes = [session.close]
        if self._sent:
            wakes.append(now + SOON)
        if self._unsettled:
            wakes.append(now + MINUTE)
        wakes += [self._order_wake(w, now) for w in self.book.orders.values() if not _rests(w)]
        for strategy in self._at.strategies:
            wake = strategy.next_wake(session, self._own(strategy.id), now, self._at.market.grid_minutes)
            if wake is not None:
                assert wake > now, f"{strategy.id} wants to wake in the past"
                wakes.append(wake)
        return min(wakes)

    # ------------------------------------------------------------------ record, then believe

    def record(self, event: ev.Event) -> None:
        """Durable first, then believed."""
        self._at.journal.append(event)
        self.book = apply(self.book, event)
        if self._at.observe is not None:
            self._at.observe(self.book, event)

    def _record_all(self, events: Iterable[ev.Event]) -> None:
        for event in events:
            self.record(event)

    # ------------------------------------------------------------------ 0 begin and end of a session

    def _begin(self, session: Session, now: datetime) -> None:
        self._again.clear()
        self.record(ev.SessionBegan(now, session.date))
        self._record_all(self._at.risk.begin(self.book, self.value(now).net_liq, now))

    def _end(self, view: View) -> None:
        """The close: day orders end, what expired settles, the day is valued and written."""
        for id_, working in tuple(self.book.orders.items()):
            if not _rests(working) or self._expires_today(working, view):
                self._cancel(id_, "the session ends", view.now)
        self._absorb(view.now)
        self._settle(view)
        for (strategy, entry, code), times in self._again.items():
            self.record(ev.DeclinedAgain(view.now, strategy, entry, code, times))
        snapshot, following = self._at.risk.end(self.book, view, self.value(view.now).net_liq)
        self.record(snapshot)
        self._record_all(following)
        self._at.journal.commit()

    def _expires_today(self, working: Working, view: View) -> bool:
        return any(
            leg.contract.expiry <= view.today for part in working.order.parts for leg in part.structure.legs
        )

    def _settle(self, view: View) -> None:
        """Books the settlement of everything that has expired, as far as it is confirmed."""
        expired = {c for c in self.book.held() if c.expiry <= view.today}
        if not expired:
            return
        outcomes = {e.contract: e for e in self._at.broker.expired(expired, view.now)}
        for position in tuple(self.book.positions.values()):
            for one in position.open_components:
                if any(leg.contract in outcomes for leg in one.structure.legs):
                    self.record(_settlement(position, one, outcomes, view.now))
            self._live_on(position.id, "settlement", view.now)

    # ------------------------------------------------------------------ 1 absorb

    def _absorb_answers(self, now: datetime) -> None:
        """The broker's answers to what this step sent, where it answers at once."""
        if self._sent:
            self._absorb(now)

    def _absorb(self, now: datetime) -> None:
        for news in self._at.broker.news(tuple(self.book.orders), now):
            self._absorb_one(news)

    def _absorb_one(self, news: ev.BrokerNews) -> None:
        """Records what the book does not know yet; everything else is a repetition."""
        id_ = news.fill.order if isinstance(news, ev.OrderFilled) else news.order
        working = self.book.orders.get(id_)
        if working is None or (isinstance(news, ev.OrderFilled) and news.fill.id in self.book.fills):
            return
        self.record(news)
        self._live_on(working.order.position, working.order.trigger, news.at)

    def _live_on(self, id_: str, trigger: str, now: datetime) -> None:
        """Moves a position's state to what its components and orders say it is."""
        position = self.book.positions.get(id_)
        if position is None:
            return
        opening = any(w.order.opens and w.order.position == id_ for w in self.book.orders.values())
        if not position.open_components and not opening:
            self._become(position, State.CLOSED, trigger, now)
        elif position.state is State.BUILDING and not opening:
            self._become(position, State.ACTIVE, trigger, now)
        elif position.state is State.EXITING and not position.is_working:
            self._become(position, State.ACTIVE, "exit did not complete", now)

    def _become(self, position: Position, state: State, trigger: str, now: datetime) -> None:
        if position.state is not state:
            self.record(ev.Transitioned(now, position.id, position.state, state, trigger))

    # ------------------------------------------------------------------ 2 tend

    def _tend(self, view: View) -> None:
        for id_, working in tuple(self.book.orders.items()):
            if working.cancelling or _rests(working):
                continue
            due = working.priced + STEP <= view.now
            if due and working.order.opens and is_last(working.order.urgency, working.step):
                self._give_up(id_, working, view.now)
            elif due:
                self._reprice(id_, working, view)
        self._absorb_answers(view.now)

    def _give_up(self, id_: str, working: Working, now: datetime) -> None:
        """An entry that nobody took at its last price ends, and that is a reason why not."""
        order = working.order
        self._cancel(id_, "not filled at the last step of its ladder", now)
        detail = f"{order.structure.product} not filled at {working.limit:.2f}, the last step of the ladder"
        self._decline(order.strategy, order.trigger, "FILL", (detail,), now)

    def _reprice(self, id_: str, working: Working, view: View) -> None:
        order = working.order
        structure = order.structure
        quote = net_quote(structure, view.quotes(structure.contracts))
        if quote is None:
            return
        last = is_last(order.urgency, working.step)
        step = working.step if last else working.step + 1
        limit = limit_at(order.urgency, step, quote, structure.tick, order.floor)
        if last and limit == working.limit:
            return
        self.record(ev.OrderRepriced(view.now, id_, limit, step))
        self._at.broker.reprice(id_, limit, view.now)
        self._sent = True

    def _cancel(self, id_: str, reason: str, now: datetime) -> None:
        if not self.book.orders[id_].cancelling:
            self.record(ev.CancelRequested(now, id_, reason))
            self._at.broker.cancel(id_, now)
            self._sent = True

    def _order_wake(self, working: Working, now: datetime) -> datetime:
        if working.cancelling:
            return now + SOON
        if is_last(working.order.urgency, working.step) and not working.order.opens:
            return now + MINUTE
        return max(working.priced + STEP, now + SOON)

    # ------------------------------------------------------------------ 3 guard

    def value(self, now: datetime) -> Marks:
        """The book at the mids, with the table of its legs rebuilt when positions changed."""
        if self._table is None or self._table[0] is not self.book.positions:
            self._table = (self.book.positions, table_of(self.book))
            self._last_mids = {c: m for c, m in self._last_mids.items() if c in self._table[1].contracts}

        table = self._table[1]
        mids = self._at.market.marks(table.contracts, now)
        self._marks = marked(table, self.book.cash, mids, self._last_mids)
        return self._marks

    def _guard(self, view: View) -> None:
        marks = self.value(view.now)
        changes = tuple(self._at.risk.guard(self.book, view, marks.net_liq))
        self._record_all(changes)
        self._unsettled = bool(changes)
        for close in (*self._delivered(), *self._at.risk.forced(self.book, marks.values, view.now)):
            self._close(close, view)

    def _delivered(self) -> list[Close]:
        """Futures that an exercise left behind are closed at once: nothing here holds them."""
        return [
            Close(p.strategy, p.id, (c.role,), Urgency.STOP, "delivered", "an exercise delivered a future")
            for p in self.book.positions.values()
            for c in p.open_components
            if any(isinstance(leg.contract, Future) for leg in c.structure.legs)
        ]

    # ------------------------------------------------------------------ 4 decide

    def _decide(self, view: View) -> None:
        for strategy in self._at.strategies:
            for intent in self._wishes(strategy, view):
                match intent:
                    case Close():
                        self._close(intent, view)
                    case Mark(owner, key, value):
                        if self.book.notes.get(f"{owner}.{key}", "") != value:
                            self.record(ev.Noted(view.now, f"{owner}.{key}", value))
                    case Pass(owner, entry, code, detail):
                        self._decline(owner, entry, code, (detail,), view.now)
                    case Open():
                        self._open(Alternatives((intent,)), view)
                    case Alternatives():
                        self._open(intent, view)

    def _wishes(self, strategy: Strategy, view: View) -> tuple[Intent, ...]:
        own = self._own(strategy.id)
        if strategy.id not in self.book.quarantined:
            try:
                return strategy.decide(view, own)
            except Exception as error:  # noqa: BLE001 - a strategy's bug must not stop the others
                self.record(ev.Quarantined(view.now, strategy.id, f"{type(error).__name__}: {error}"))
                self._at.notifier.notify("critical", f"{strategy.id} raised {error!r}", view.now)
        return strategy.guard(view, own)

    def _own(self, strategy: str) -> Own:
        """A strategy's own holdings; asked for twice a step, made anew when the book or its marks change."""
        made_of = (self.book, self._marks)
        if self._owns_of is None or any(a is not b for a, b in zip(self._owns_of, made_of, strict=True)):
            self._owns_of, self._owns = made_of, {}
        if strategy not in self._owns:
            self._owns[strategy] = self._make_own(strategy)
        return self._owns[strategy]

    def _make_own(self, strategy: str) -> Own:
        book = self.book
        prefix = f"{strategy}."
        return Own(
            strategy=strategy,
            phase=self._at.risk.phase(book),
            net_liq=self._marks.net_liq,
            drawdown_level=self._at.risk.drawdown_level(book),
            positions=book.of(strategy),
            orders=tuple(w for w in book.orders.values() if w.order.strategy == strategy),
            notes={k.removeprefix(prefix): v for k, v in book.notes.items() if k.startswith(prefix)},
            entered=tuple(entry for who, entry in book.day.entered if who == strategy),
            values=self._marks.values,
        )

    def _decline(self, strategy: str, entry: str, code: str, details: tuple[str, ...], now: datetime) -> None:
        """A refusal is written once per session, entry and code; repetitions are counted."""
        key = (strategy, entry, code)
        if key in self.book.day.declined:
            self._again[key] = self._again.get(key, 0) + 1
        else:
            self.record(ev.Declined(now, strategy, entry, code, details))

    # ------------------------------------------------------------------ opening

    def _open(self, wish: Alternatives, view: View) -> None:
        """Judges the choices in turn and sends the first that is approved."""
        first = wish.choices[0]
        held_back = self._held_back(first, view.now)
        if held_back is not None:
            if held_back:
                self._decline(first.strategy, first.entry, "LOCK", (held_back,), view.now)
            return
        said: list[str] = []
        code = "SIZE"
        for choice in wish.choices:
            verdict = self._at.risk.judge(choice, self.book, view, self._marks.net_liq)
            if isinstance(verdict, Approved):
                self._send_opening(verdict, view)
                return
            code = verdict.breaches[0].code
            said += [f"{choice.product} {breach}" for breach in verdict.breaches]
        self._decline(first.strategy, first.entry, code, tuple(said), view.now)

    def _held_back(self, wish: Open, now: datetime) -> str | None:
        """Why no opening order may be sent now: None when it may, "" when one simply works."""
        key = f"{wish.entry}@{wish.joins}" if wish.joins else wish.entry
        for working in self.book.orders.values():
            order = working.order
            if order.opens and (order.strategy, order.entry_key) == (wish.strategy, key):
                return ""
            if order.opens:
                return f"one entry at a time: {order.strategy} works {order.trigger}"
        tries = [at for who, what, at in self.book.day.attempts if (who, what) == (wish.strategy, key)]
        if len(tries) >= TRIES:
            return f"{len(tries)} orders were not filled today"
        if tries and now < tries[-1] + RETRY_AFTER:
            return ""
        return None

    def _send_opening(self, approved: Approved, view: View) -> None:
        wish = approved.wish
        structure = wish.structure
        quote = net_quote(structure, view.quotes(structure.contracts))
        assert quote is not None, "the gate approves nothing without quotes"
        self.record(
            ev.EntryApproved(
                view.now,
                wish.strategy,
                wish.entry,
                approved.units,
                approved.binding,
                approved.warnings,
                wish.reason,
            )
        )
        order = opening_order(str(self.book.sequence), approved, quote, wish.targets)
        self.record(ev.OrderSubmitted(view.now, order))
        self._at.broker.submit(order, view.now)
        self._sent = True
        self._absorb(view.now)

    # ------------------------------------------------------------------ closing

    def _close(self, close: Close, view: View) -> None:
        """Ends components: a resting target goes first, then one order closes what is left."""
        position = self.book.positions.get(close.position)
        if position is None:
            return
        components = self._free(position, close.roles)
        self._asked.update((close.position, one.role) for one in components)
        for target in {one.target for one in components if one.target}:
            self._cancel(target, close.reason, view.now)
        self._absorb_answers(view.now)
        position = self.book.positions.get(close.position)
        if position is None:
            return
        components = [one for one in self._free(position, close.roles) if one.target is None]
        for group in groups_by_units(components):
            self._send_closing(position, group, close, view)

    def _free(self, position: Position, roles: Sequence[str]) -> list[Component]:
        """The open ones of these components that no rule exit works on."""
        chosen = (position.components.get(role) for role in roles)
        return [one for one in chosen if one is not None and one.is_open and one.closing is None]

    def _send_closing(
        self, position: Position, components: list[Component], close: Close, view: View
    ) -> None:
        order = closing_order(str(self.book.sequence), position, components, close)
        structure = order.structure
        quote = net_quote(structure, view.quotes(structure.contracts))
        if quote is None:
            return
        limit = limit_at(close.urgency, 0, quote, structure.tick, None)
        order = order.priced(limit)
        left = [c for c in position.open_components if c.role not in order.roles and c.closing is None]
        if close.defends and left:
            self._become(position, State.DEFENDING, close.trigger, view.now)
        elif not left:
            self._become(position, State.EXITING, close.trigger, view.now)
        self.record(ev.OrderSubmitted(view.now, order))
        self._at.broker.submit(order, view.now)
        self._sent = True
        self._absorb(view.now)

    # ------------------------------------------------------------------ 5 rest

    def _rest(self, view: View) -> None:
        """Places the profit-taking orders that should rest and do not; tightens those that do."""
        for position in tuple(self.book.positions.values()):
            if position.state not in (State.ACTIVE, State.DEFENDING):
                continue
            for target in position.targets:
                self._rest_one(position, target, view)

    def _rest_one(self, position: Position, target: Target, view: View) -> None:
        components = [position.components[role] for role in target.roles]
        keep = self._at.risk.keep(self.book, target.keep)
        if any(not c.is_open or c.closing or (position.id, c.role) in self._asked for c in components):
            return
        order = target_order(str(self.book.sequence), position, components, target, keep)
        resting = components[0].target
        if resting is None and all(c.target is None for c in components):
            self.record(ev.OrderSubmitted(view.now, order))
            self._at.broker.submit(order, view.now)
            self._sent = True
        elif resting is not None and self.book.orders[resting].limit != order.limit:
            self.record(ev.OrderRepriced(view.now, resting, order.limit, 0))
            self._at.broker.reprice(resting, order.limit, view.now)
            self._sent = True


def _rests(working: Working) -> bool:
    return working.order.urgency is Urgency.TARGET


def _settlement(
    position: Position, one: Component, outcomes: Mapping[Contract, Expiry], now: datetime
) -> ev.Settled:
    """The settlement of one component's expired legs, all its units."""
    dollars = fees = Decimal(0)
    expired: list[Contract] = []
    delivered: list[Leg] = []
    price = Decimal(0)
    for leg in one.structure.legs:
        outcome = outcomes.get(leg.contract)
        if outcome is None:
            continue
        expired.append(leg.contract)
        price = outcome.price
        dollars += leg.ratio * one.units * outcome.dollars
        fees += abs(leg.ratio) * one.units * outcome.fee
        if outcome.delivered is not None:
            future, side = outcome.delivered
            delivered.append(Leg(future, side * leg.ratio))
    return ev.Settled(
        now, position.id, one.role, tuple(expired), price, cents(dollars), cents(fees), tuple(delivered)
    )
