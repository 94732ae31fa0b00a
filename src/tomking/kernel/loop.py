"""The loop: absorb, tend, guard, decide.  One synchronous ``step(now)``, in every mode the same.

1. Absorb   drain the broker's news and settle what expired; recorded first, then believed.
2. Tend     working orders give ground on their ladders or end.
3. Guard    mark the book; risk levels tighten; what they demand to be closed is closed.
4. Decide   every strategy is asked, exits before entries; each wish is judged, written down,
            and only then sent.
5. Rest     open components without a closing order get their profit-taking order.

Starting is ``fold(journal.read())`` and then the same first step: there is no recovery path.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from operator import is_

import numpy as np
from numpy.typing import NDArray

from tomking.domain import events as ev
from tomking.domain.book import Book, Component, Position, Working, apply, fold
from tomking.domain.calendar import Session, new_york
from tomking.domain.chain import net_quote
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import (
    Alternatives,
    Approved,
    Close,
    Intent,
    Mark,
    Open,
    Pass,
    Step,
    Target,
    Urgency,
)
from tomking.domain.lifecycle import State
from tomking.domain.money import cents
from tomking.domain.order import Order
from tomking.domain.products import PRODUCTS, Settlement, Style
from tomking.domain.structure import Leg
from tomking.execution.collar import PATIENCE, LastSound
from tomking.execution.ladder import has_ended, limit_at, next_change, step_at
from tomking.execution.marking import LastMids, Marks, Table, Values, marked, table_of
from tomking.execution.plan import (
    closing_order,
    first_in_turn,
    groups_by_units,
    opening_order,
    target_order,
    target_price,
)
from tomking.kernel.alarm import RareNews, alarm, halted, is_new
from tomking.kernel.holdings import EXIT, NOTHING, Holdings, Mine, behind, halfway, is_halfway
from tomking.kernel.parts import Parts, Strategy
from tomking.ports import Expiry
from tomking.view import Own, View

RETRY_AFTER = timedelta(minutes=2)
TRIES = 2
"""An entry is tried, and retried once, in a session (methodology D.3)."""
HALFWAY = "the next part of the exit"
"""Stands for the trigger of an exit that goes on: what covers is sold after what it covers was bought."""
REFUSED_WAITS = timedelta(seconds=30)
SOON = timedelta(seconds=1)
"""After something was sent, its outcome is looked for this much later."""
MINUTE = timedelta(minutes=1)


class Kernel:
    """Owns the book; everything it knows was journalled first."""

    def __init__(self, parts: Parts, book: Book | None = None) -> None:
        """``book``: the fold of the journal where somebody has it already; None folds it here."""
        self._at = parts
        self.book: Book = fold(parts.journal.read()) if book is None else book
        self._again: dict[tuple[str, str, str], int] = {}
        self._last_mids = LastMids()
        self._sound = LastSound()
        self._table: tuple[object, Table] | None = None
        self._marks = Marks(self.book.cash, Values())
        self._marks_of: tuple[object, object, object] = (None, None, None)
        self._mids: NDArray[np.float64] = np.empty(0)
        self._holdings = Holdings()
        self._wakes: dict[str, tuple[Mine, Session, datetime, datetime]] = {}
        self._rested_of: tuple[object, ...] = ()
        self._owns: dict[str, tuple[Mine, Marks, object, Own]] = {}
        self._asked: set[tuple[str, str]] = set()
        self._is_fresh = True
        self._sent = False
        self._unquoted = False
        self._unsettled = False
        self._sleeps: tuple[Book, datetime] | None = None
        """The book when it last had nothing left to do, and until when."""
        self._slept = False

    def reborn(self, book: Book) -> "Kernel":
        """As a new process with the same parts would start: it knows the fold of the journal alone.

        One thing is handed over: the count of refusals that repeated themselves in this session, which is
        written down at its end only.  No decision reads it.
        """
        other = Kernel(self._at, book)
        other._again = self._again
        return other

    # ------------------------------------------------------------------ the step

    def step(self, now: datetime) -> None:
        """Everything there is to do at ``now``."""
        self._slept = self._sleeps_on(now)
        if self._slept:
            return
        session = self._at.sessions.on(new_york(now).date())
        if session is None or now < session.open:
            self._follow(now)
            return
        self._sent = self._unquoted = False
        self._asked.clear()
        self._end_what_was_left_open(session, now)
        if self.book.day.session != session.date:
            self._begin(session, now)
        self._absorb(now)
        self._catch_up(now)
        view = View(now, session, self._at.sessions, self._at.market, self._at.events)
        self._settle_late(view)
        if now < session.close:
            self._tend(view)
            self._guard(view)
            self._decide(view)
            self._rest(view)
            self._absorb_answers(now)
        elif not self.book.day.ended:
            self._end(view)

    def _sleeps_on(self, now: datetime) -> bool:
        """Whether it was woken before its time, and neither the broker nor the market has anything new.

        Then there is nothing to do that the last step has not done, with every message that arrives as with
        none: prices are looked at when they change, and clocks at the times they were set to.
        """
        if self._sleeps is None or now >= self._sleeps[1] or self.book is not self._sleeps[0]:
            return False
        if self._unsettled:  # the broker's word of that is no news
            return False
        if self._table is None or self._table[0] is not self.book.positions:
            return False
        if not _is_same(self._at.market.marks(self._table[1].contracts, now), self._mids):
            return False
        self._absorb(now)
        return self.book is self._sleeps[0]

    def next_wake(self, now: datetime) -> datetime:
        """When there is something to do again; after the calendar's last session, the far future."""
        if self._sleeps is None or not self._slept:
            self._sleeps = (self.book, self._own_wake(now))
        asked, own = self._at.broker.next_wake(now), self._sleeps[1]
        return own if asked is None else min(own, max(asked, now + SOON))

    def _own_wake(self, now: datetime) -> datetime:
        session = self._at.sessions.on(new_york(now).date())
        if session is None or now >= session.close:
            following = self._at.sessions.after(new_york(now).date())
            return following.open if following else now + timedelta(days=365_000)
        if now < session.open:
            return session.open
        wakes = [session.close]
        if self._sent:
            wakes.append(now + SOON)
        if self._unquoted:
            wakes.append(now + MINUTE)
        if halfway(self.book.positions):
            wakes.append(now + SOON)
        look = self._at.risk.next_look(self.book, now)
        if look is not None:
            wakes.append(max(look, now + SOON))
        wakes += [self._order_wake(w, now) for w in self.book.orders.values() if not _rests(w)]
        parts, known = self._holdings.all(self.book), self._wakes
        for strategy in self._at.strategies:
            mine, last = parts.get(strategy.id, NOTHING), known.get(strategy.id)
            # The last answer stands while it lies ahead and nothing of the strategy's own has changed.
            stands = last is not None and last[2] > now and last[0] is mine and last[1] is session
            wakes.append(last[2] if last and stands else self._strategy_wake(strategy, mine, session, now))
        return min(wakes)

    def _strategy_wake(self, strategy: Strategy, mine: Mine, session: Session, now: datetime) -> datetime:
        """Its next wake, the session's close when it has none before."""
        wake = strategy.next_wake(session, self._own(strategy.id), now, self._at.market.grid_minutes)
        assert wake is None or wake > now, f"{strategy.id} wants to wake in the past"
        self._wakes[strategy.id] = (mine, session, wake or session.close, now)
        return wake or session.close

    def _follow(self, now: datetime) -> None:
        """Outside the session: the fate of what was still open at its close, and nothing else."""
        if self.book.orders and self._at.broker.next_wake(now) is not None:
            self._absorb(now)

    def hear(self, now: datetime) -> None:
        """What the broker tells, and nothing else: at the end of a process nothing more is sent."""
        self._absorb(now)

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

    def _end_what_was_left_open(self, session: Session, now: datetime) -> None:
        """After downtime over a close: that session ends first, at what is known now."""
        day = self.book.day.session
        left = None if day is None or day >= session.date else self._at.sessions.on(day)
        if left is not None and not self.book.day.ended:
            self._absorb(now)
            self._end(View(now, left, self._at.sessions, self._at.market, self._at.events))

    def _begin(self, session: Session, now: datetime) -> None:
        self._again.clear()
        self._sound = LastSound()
        self.record(ev.SessionBegan(now, session.date))
        self._settle(View(now, session, self._at.sessions, self._at.market, self._at.events))
        self._record_all(self._at.risk.begin(self.book, self.value(now).net_liq, now))

    def _settle_late(self, view: View) -> None:
        """What expired before and was not confirmed yet; looked for at every step until it is."""
        if self._unsettled:
            self._settle(view)

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
        """Books the settlement of everything that has expired, as far as it is confirmed.

        At the session's begin for what settles at the open, at its end for all.
        """
        expired = {c for c in self.book.held() if c.expiry <= view.today}
        sold = self._assignable(view)
        self._unsettled = False
        if not expired and not sold:
            return
        outcomes = {e.contract: e for e in self._at.broker.expired(expired, view.now)} if expired else {}
        over = view.now >= view.session.close
        self._unsettled = any(c not in outcomes and (over or c.expiry < view.today) for c in expired)
        assigned = {e.contract: e for e in self._at.broker.assigned(sold, view.now)} if sold else {}
        self._clear_the_way(assigned, view.now)
        for position in tuple(self.book.positions.values()):
            for one in position.open_components:
                ended = [leg for leg in one.structure.legs if leg.contract in outcomes]
                if not one.closing and not one.target:
                    ended += [leg for leg in one.structure.legs if leg.is_short and leg.contract in assigned]
                if ended:
                    self.record(_settlement(position, one, ended, {**outcomes, **assigned}, view.now))
            self._live_on(position.id, "settlement", view.now)

    def _assignable(self, view: View) -> set[Contract]:
        """Sold options that their holders may exercise early: asked for once a session, at its close."""
        if view.now < view.session.close:
            return set()
        sold = (leg.contract for p in self.book.positions.values() for leg, _ in p.legs() if leg.is_short)
        return {c for c in sold if isinstance(c, Option) and _may_be_assigned(c, view.today)}

    def _clear_the_way(self, assigned: Mapping[Contract, Expiry], now: datetime) -> None:
        """No order may go on working on a leg that is no longer there."""
        for position in tuple(self.book.positions.values()) if assigned else ():
            for one in position.open_components:
                if any(leg.is_short and leg.contract in assigned for leg in one.structure.legs):
                    for id_ in filter(None, (one.target, one.closing)):
                        self._cancel(id_, "assigned", now)
        if assigned:
            self._absorb(now)

    # ------------------------------------------------------------------ 1 absorb

    def _absorb_answers(self, now: datetime) -> None:
        """The broker's answers to what this step sent, where it answers at once."""
        if self._sent:
            self._absorb(now)

    def _absorb(self, now: datetime) -> None:
        told = self._at.broker.news(self.book, now)
        for news in told:
            self._absorb_one(news)
        if any(isinstance(news, ev.OrderRetried) for news in told):
            # It is durable now: what waited for that may go out.
            self._absorb(now)

    def _absorb_one(self, news: ev.BrokerNews) -> None:
        """Records what the book does not know yet; everything else is a repetition."""
        if not isinstance(news, ev.OrderFilled | ev.OrderAccepted | ev.OrderCancelled | ev.OrderRejected):
            self._absorb_rare(news)
            return
        id_ = news.fill.order if isinstance(news, ev.OrderFilled) else news.order
        working = self.book.orders.get(id_)
        if working is None or (isinstance(news, ev.OrderFilled) and news.fill.id in working.fills):
            return
        self.record(news)
        filled = isinstance(news, ev.OrderFilled) and not working.order.opens
        halfway = filled and is_halfway(self.book.positions.get(working.order.position))
        self._live_on(working.order.position, HALFWAY if halfway else working.order.trigger, news.at)

    def _absorb_rare(self, news: RareNews) -> None:
        """What no simulated market tells: doubt, uneven legs, late prints, and differences of the account."""
        if not is_new(self.book, news):
            return
        self.record(news)
        said = alarm(news)
        if said is not None:
            self._at.notifier.notify(*said, news.at)
        if isinstance(news, ev.Settled):
            self._live_on(news.position, "settlement", news.at)
            self._clear_oversized(news.position, news.at)
        if isinstance(news, ev.LateFill):
            order = self.book.ended[news.order].order
            self._live_on(order.position, order.trigger, news.at)
            self._clear_oversized(order.position, news.at)

    def _clear_oversized(self, id_: str, now: datetime) -> None:
        """After a late print no order may go on closing more than is held."""
        position = self.book.positions.get(id_)
        for one in position.components.values() if position is not None else ():
            for order in filter(None, (one.target, one.closing)):
                working = self.book.orders[order]
                if working.order.units - working.filled > one.units:
                    self._cancel(order, "a late print closed a part of it", now)

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
        elif is_halfway(position) and trigger != HALFWAY:
            self._become(position, State.ACTIVE, "exit did not complete", now)

    def _catch_up(self, now: datetime) -> None:
        """What fell behind: a process may have died between a fill and the transition it causes, or between
        writing down that an order is to end and telling the broker.
        """
        self._cancel_again(now)
        for id_ in behind(self.book.positions):
            self._live_on(id_, "restart", now)

    def _cancel_again(self, now: datetime) -> None:
        """In the first step of a process; cancelling what has ended already does no harm."""
        for id_, working in tuple(self.book.orders.items()) if self._is_fresh else ():
            if working.cancelling:
                self._at.broker.cancel(id_, now)
                self._sent = True
        self._is_fresh = False

    def _become(self, position: Position, state: State, trigger: str, now: datetime) -> None:
        if position.state is not state:
            self.record(ev.Transitioned(now, position.id, position.state, state, trigger))

    # ------------------------------------------------------------------ 2 tend

    def _tend(self, view: View) -> None:
        for id_, working in tuple(self.book.orders.items()):
            if _rests(working) or (working.cancelling and not _lingers(working)):
                continue
            step = step_at(view.now - working.since)
            if has_ended(working.order.urgency, step):
                self._give_up(id_, working, view.now)
            elif step > 0:
                self._reprice(id_, working, step, view)
        self._absorb_answers(view.now)

    def _give_up(self, id_: str, working: Working, now: datetime) -> None:
        """An entry that nobody took at its last price ends, and that is a reason why not."""
        order = working.order
        self._cancel(id_, "not filled at the last step of its ladder", now)
        detail = f"{order.structure.product} not filled at {working.limit:.2f}, the last step of the ladder"
        self._decline(order.strategy, order.trigger, "FILL", (detail,), now)

    def _reprice(self, id_: str, working: Working, step: int, view: View) -> None:
        limit = self._limit(working.order, step, working.since, view)
        if limit is not None and limit != working.limit:
            self.record(ev.OrderRepriced(view.now, id_, limit))
            self._at.broker.reprice(id_, limit, view.now)
            self._sent = True

    def _limit(self, order: Order, step: int, since: datetime, view: View) -> Decimal | None:
        """Its limit now; an exit concedes nothing from quotes that are not to be believed (C.11)."""
        structure = order.structure
        quotes = view.quotes(structure.contracts)
        quote = net_quote(structure, quotes)
        limit = None if quote is None else limit_at(order.urgency, step, quote, structure.tick, order.floor)
        if order.opens or None in quotes or self._sound.see(structure, quotes, view.now):
            return limit
        limit, waited = self._sound.limit(order, limit, quotes, since, view.now)
        if limit is not None and waited >= PATIENCE:
            words = f"{order.strategy} {order.position}: no sound quote of {structure} for {waited}"
            self._at.notifier.notify("critical", f"{words}; the exit stands at {limit}", view.now)
        return limit

    def _cancel(self, id_: str, reason: str, now: datetime) -> None:
        if not self.book.orders[id_].cancelling:
            self.record(ev.CancelRequested(now, id_, reason))
            self._at.broker.cancel(id_, now)
            self._sent = True

    def _order_wake(self, working: Working, now: datetime) -> datetime:
        """The next step of its ladder, or the next minute's quotes if they come first."""
        if working.cancelling and not _lingers(working):
            # Of one in doubt the broker's side knows when there is something to hear.
            return now + (SOON if working.doubt is None else MINUTE)
        change = next_change(working.order.urgency, now - working.since)
        return now + MINUTE if change is None else min(working.since + change, now + MINUTE)

    # ------------------------------------------------------------------ 3 guard

    def value(self, now: datetime) -> Marks:
        """The book at the mids, with the table of its legs rebuilt when positions changed."""
        if self._table is None or self._table[0] is not self.book.positions:
            self._table = (self.book.positions, table_of(self.book))
            self._last_mids.keep(frozenset(self._table[1].contracts))

        table = self._table[1]
        mids = self._at.market.marks(table.contracts, now)
        made_of = (table, self.book.cash, mids)
        # The very same column: nothing was printed since, and everything stands that was made of it.
        if not all(map(is_, made_of, self._marks_of)):
            self._marks = marked(table, self.book.cash, mids, self._last_mids)
            self._marks_of, self._mids = made_of, mids
        return self._marks

    def _guard(self, view: View) -> None:
        marks = self.value(view.now)
        self._record_all(self._at.risk.guard(self.book, view, marks.net_liq))
        entering = [id_ for id_, working in self.book.orders.items() if working.order.opens]
        stopped = self._stopped() if entering else None
        for id_ in entering if stopped else ():
            self._cancel(id_, f"no new trades: {stopped}", view.now)
        self._absorb_answers(view.now)
        if self._sound.looks(view.now) and (due := self._sound.due(self._last_mids.known(), view.now)):
            self._look_for_sound_quotes(due, view)
        for close in (*self._delivered(), *self._at.risk.forced(self.book, marks.values, view.now)):
            self._close(close, view)

    def _stopped(self) -> str | None:
        """Why nothing may be opened now: closings always may."""
        return halted(self.book) or self._at.risk.entries_stopped(self.book)

    def _look_for_sound_quotes(self, due: set[Contract], view: View) -> None:
        """What exits fall back on, should the next quotes be none to believe."""
        structures = [
            one.structure
            for position in self.book.positions.values()
            for one in position.open_components
            if not due.isdisjoint(one.structure.contracts)
        ]
        quotes = iter(view.quotes([contract for each in structures for contract in each.contracts]))
        for structure in structures:
            self._sound.see(structure, list(islice(quotes, len(structure.legs))), view.now)

    def _delivered(self) -> list[Close]:
        """Futures and shares that an exercise left behind are closed at once: nothing here holds them."""
        if self._table is None or not self._table[1].delivered:
            return []
        return [
            Close(p.strategy, p.id, (c.role,), Urgency.STOP, "delivered", f"an exercise delivered {_left(c)}")
            for p in self.book.positions.values()
            for c in p.open_components
            if c.delivered
        ]

    # ------------------------------------------------------------------ 4 decide

    def _decide(self, view: View) -> None:
        minute = view.now.replace(second=0, microsecond=0)
        for strategy in self._at.strategies:
            if not self._is_due(strategy, view, minute):
                continue
            for intent in self._wishes(strategy, view):
                match intent:
                    case Close():
                        self._close(intent, view)
                    case Mark(owner, key, value):
                        if self.book.notes.get(f"{owner}.{key}", "") != value:
                            self.record(ev.Noted(view.now, f"{owner}.{key}", value))
                    case Step(_, position, before, after, trigger, context):
                        if position in self.book.positions:
                            self.record(ev.Staged(view.now, position, before, after, trigger, context))
                    case Pass(owner, entry, code, detail):
                        self._decline(owner, entry, code, (detail,), view.now)
                    case Open():
                        self._open(Alternatives((intent,)), view)
                    case Alternatives():
                        self._open(intent, view)
        self._end_halfway(view.now)

    def _end_halfway(self, now: datetime) -> None:
        """An exit that nobody wished to go on with when asked is over."""
        for left in halfway(self.book.positions):
            self._live_on(left.id, "decided", now)

    def _is_due(self, strategy: Strategy, view: View, minute: datetime) -> bool:
        """Whether it wishes to be asked in this minute, or an exit of its found no quote today.

        A function of the book and the clock alone, so that a restart changes nothing.
        """
        mine = self._holdings.all(self.book).get(strategy.id, NOTHING)
        if mine.unpriced or mine.halfway:
            return True
        known = self._wakes.get(strategy.id)
        if known is not None and known[0] is mine and known[1] is view.session and known[3] < minute:
            # The first wake after an earlier minute: if it lies in this one, it is this one's first too.
            if view.now < known[2]:
                return False
            if minute <= known[2]:
                return True
        own = self._own(strategy.id)
        wake = strategy.next_wake(view.session, own, minute - MINUTE, self._at.market.grid_minutes)
        return wake is not None and wake <= view.now

    def _wishes(self, strategy: Strategy, view: View) -> tuple[Intent, ...]:
        own = self._own(strategy.id)
        if strategy.id not in self.book.quarantined:
            try:
                return (*strategy.steps(view, own), *strategy.decide(view, own))
            except Exception as error:  # noqa: BLE001 - a strategy's bug must not stop the others
                self._quarantine(strategy.id, "", error, view.now)
        try:
            return strategy.guard(view, own)
        except Exception as error:  # noqa: BLE001 - nor may its guardian exits
            self._quarantine(strategy.id, "guardian exits: ", error, view.now)
            return ()

    def _quarantine(self, strategy: str, where: str, error: Exception, now: datetime) -> None:
        """Written down once, told each time: somebody has to look."""
        text = f"{where}{type(error).__name__}: {error}"
        if strategy not in self.book.quarantined:
            self.record(ev.Quarantined(now, strategy, text))
        self._at.notifier.notify("critical", f"{strategy} raised {text}", now)

    def _own(self, strategy: str) -> Own:
        """A strategy's own holdings, made anew when they, their marks or the levels have changed."""
        mine, levels = self._holdings.of(self.book, strategy), self.book.levels
        known = self._owns.get(strategy)
        if known is None or known[0] is not mine or known[1] is not self._marks or known[2] is not levels:
            known = (mine, self._marks, levels, self._make_own(strategy, mine))
            self._owns[strategy] = known
        return known[3]

    def _make_own(self, strategy: str, mine: Mine) -> Own:
        return Own(
            strategy=strategy,
            phase=self._at.risk.phase(self.book),
            net_liq=self._marks.net_liq,
            drawdown_level=self._at.risk.drawdown_level(self.book),
            positions=mine.positions,
            orders=mine.orders,
            notes=mine.notes or {},
            entered=mine.entered,
            values=self._marks.values.made(),
            barred=self._at.risk.barred(self.book, strategy),
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
        stopped = halted(self.book)
        if stopped is not None:
            self._decline(first.strategy, first.entry, "SYS", (stopped,), view.now)
            return
        held_back = self._held_back(first, view.now)
        if held_back is not None:
            if held_back:
                self._decline(first.strategy, first.entry, "LOCK", (held_back,), view.now)
            return
        declined = self.book.day.declined
        said = {code for who, what, code in declined if (who, what) == (first.strategy, first.entry)}
        verdict = self._judged(wish, view, said)
        if not isinstance(verdict, Approved) and said and verdict[0] not in said:
            verdict = self._judged(wish, view, ())  # a new reason: it is written down with all that is wrong
        if isinstance(verdict, Approved):
            self._send_opening(verdict, view)
        else:
            self._decline(first.strategy, first.entry, *verdict, view.now)

    def _judged(
        self, wish: Alternatives, view: View, said: Collection[str]
    ) -> Approved | tuple[str, tuple[str, ...]]:
        """The first choice that is approved, or the code of the last refusal and what was wrong with all."""
        wrong: list[str] = []
        code = "SIZE"
        for choice in wish.choices:
            verdict = self._at.risk.judge(choice, self.book, view, self._marks.net_liq, said)
            whole = isinstance(verdict, Approved) or verdict.breaches[0].code not in said
            self._record_all(self._at.risk.answered(self.book, verdict, view.now, whole=whole))
            if isinstance(verdict, Approved):
                return verdict
            code = verdict.breaches[0].code
            wrong += [f"{choice.product} {breach}" for breach in verdict.breaches]
        return code, (*wrong, *wish.passed_over)

    def _held_back(self, wish: Open, now: datetime) -> str | None:
        """Why no opening order may be sent now: None when it may, "" when one simply works."""
        key = f"{wish.entry}@{wish.joins}" if wish.joins else wish.entry
        for working in self.book.orders.values():
            order = working.order
            if order.opens and (order.strategy, order.entry_key) == (wish.strategy, key):
                return ""
            if order.opens and (not working.parked or _same_family(order.structure.product, wish.product)):
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
        if quote is None:  # the gate had one; a live market may answer differently a moment later
            self._decline(wish.strategy, wish.entry, "LIQ", (f"no two-sided quote of {structure}",), view.now)
            return
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
        """Ends components: what else works on them goes first, then one order closes what is left.

        A component without a two-sided quote keeps its resting target; the others do not wait for it.
        """
        position = self.book.positions.get(close.position)
        if position is None:
            return
        components = self._quoted(close, self._closable(position, close), view)
        self._asked.update((close.position, one.role) for one in components)
        for id_ in self._in_the_way(position, components):
            self._cancel(id_, close.reason, view.now)
            self._press(id_, close, view)
        self._absorb_answers(view.now)
        position = self.book.positions.get(close.position)
        if position is None or self._in_the_way(position, []) or self._was_refused(position.id, view.now):
            return
        roles = {one.role for one in components}
        free = [c for c in position.open_components if c.role in roles and not c.closing and not c.target]
        groups = groups_by_units(free)
        if groups:
            self._say_exit(position, free, close, view.now)
        working = [c for c in position.open_components if c.closing]
        for group in first_in_turn(groups, working):
            self._send_closing(position, group, close, view)

    def _was_refused(self, position: str, now: datetime) -> bool:
        """A close that the broker refused a moment ago is not sent again at once."""
        refusals = (
            w.refused for w in self.book.ended.values() if w.order.position == position and not w.order.opens
        )
        refused = any(at is not None and now < at + REFUSED_WAITS for at in refusals)
        self._unquoted |= refused
        return refused

    def _press(self, id_: str, close: Close, view: View) -> None:
        """A resting order of unknown fate cannot make way: it takes the limits of the exit behind it."""
        working = self.book.orders[id_]
        if _lingers(working) and _rests(working) and working.doubt is not None:
            structure = working.order.structure
            quote = net_quote(structure, view.quotes(structure.contracts))
            if quote is None:
                return
            step = step_at(view.now - working.doubt)
            limit = limit_at(close.urgency, step, quote, structure.tick, working.order.floor)
            if limit != working.limit:
                self.record(ev.OrderRepriced(view.now, id_, limit))
                self._at.broker.reprice(id_, limit, view.now)
                self._sent = True

    def _closable(self, position: Position, close: Close) -> list[Component]:
        """The open ones that no rule exit works on; a stop overrides a rule exit's patience."""
        chosen = (position.components.get(role) for role in close.roles)
        return [
            one
            for one in chosen
            if one is not None
            and one.is_open
            and (one.closing is None or self._overrides(close, one.closing))
        ]

    def _overrides(self, close: Close, closing: str) -> bool:
        """Not one whose fate is unknown: that is repeated by whoever sends it, never doubled here."""
        working = self.book.orders[closing]
        overrides = close.urgency is Urgency.STOP and working.order.urgency is Urgency.RULE
        return overrides and working.doubt is None

    def _quoted(self, close: Close, components: list[Component], view: View) -> list[Component]:
        """Those that can be priced now; for the others it is said, and looked again in a minute."""
        priced = []
        for one in components:
            quotes = view.quotes(one.structure.contracts)
            one_sided = None not in quotes and self._sound.knows(one.structure)
            if one_sided or net_quote(one.structure, quotes) is not None:
                priced.append(one)
                continue
            self._unquoted = True
            detail = f"{close.position} {one.role}: a leg of {one.structure} has no two-sided quote"
            self._decline(close.strategy, f"{EXIT}{close.trigger}", "DATA", (detail,), view.now)
        return priced

    def _in_the_way(self, position: Position, components: Sequence[Component]) -> list[str]:
        """Orders that must end before components may be closed: the position's own opening order, the
        components' resting targets and the rule exits a stop overrides.
        """
        opening = [
            id_ for id_, w in self.book.orders.items() if w.order.opens and w.order.position == position.id
        ]
        return [*opening, *dict.fromkeys(id_ for c in components for id_ in (c.target, c.closing) if id_)]

    def _say_exit(self, position: Position, leaving: list[Component], close: Close, now: datetime) -> None:
        """The state that this close brings the position into."""
        if close.units is not None and any(one.units > close.units for one in leaving):
            return  # fewer units of the same
        roles = {one.role for one in leaving}
        left = [c for c in position.open_components if c.role not in roles and c.closing is None]
        if close.defends and left:
            self._become(position, State.DEFENDING, close.trigger, now)
        elif not left:
            self._become(position, State.EXITING, close.trigger, now)

    def _send_closing(
        self, position: Position, components: list[Component], close: Close, view: View
    ) -> None:
        order = closing_order(str(self.book.sequence), position, components, close)
        limit = self._limit(order, 0, view.now, view)
        if limit is None:  # a live market may answer differently a moment later
            self._unquoted = True
            return
        order = order.priced(limit)
        self.record(ev.OrderSubmitted(view.now, order))
        self._at.broker.submit(order, view.now)
        self._sent = True
        self._absorb(view.now)

    # ------------------------------------------------------------------ 5 rest

    def _rest(self, view: View) -> None:
        """Places the profit-taking orders that should rest and do not; tightens those that do."""
        facts = (self.book.positions, self.book.orders, self.book.levels)
        if not self._asked and len(self._rested_of) == len(facts) and all(map(is_, self._rested_of, facts)):
            return
        waits = False
        for position in tuple(self.book.positions.values()):
            if position.state not in (State.ACTIVE, State.DEFENDING):
                continue
            for target in position.targets:
                waits |= self._rest_one(position, target, view)
        if not self._asked and not waits:
            self._rested_of = (self.book.positions, self.book.orders, self.book.levels)

    def _rest_one(self, position: Position, target: Target, view: View) -> bool:
        """Whether it waits for a market: nothing is sent to one that shows no quote of it at all."""
        components = [position.components[role] for role in target.roles]
        keep = self._at.risk.keep(self.book, target.keep)
        if any(not c.is_open or c.closing or (position.id, c.role) in self._asked for c in components):
            return False
        if len({c.units for c in components}) > 1:
            return False  # partly closed apart: the strategy's own rules see to the rest
        resting = components[0].target
        if resting is None and self._was_refused(position.id, view.now):
            return True
        if resting is None and all(c.target is None for c in components):
            quotes = view.quotes([leg.contract for c in components for leg in c.structure.legs])
            if all(quote is None for quote in quotes):
                return True
            order = target_order(str(self.book.sequence), position, components, target, keep)
            self.record(ev.OrderSubmitted(view.now, order))
            self._at.broker.submit(order, view.now)
            self._sent = True
        elif resting is not None:
            limit = target_price(components, keep)
            if limit != self.book.orders[resting].limit:
                self.record(ev.OrderRepriced(view.now, resting, limit))
                self._at.broker.reprice(resting, limit, view.now)
                self._sent = True
        return False


def _is_same(mids: NDArray[np.float64], before: NDArray[np.float64]) -> bool:
    return mids is before or np.array_equal(mids, before, equal_nan=True)


def _same_family(one: str, other: str) -> bool:
    return PRODUCTS[one].family == PRODUCTS[other].family


def _left(one: Component) -> str:
    """What an exercise left in a component, in words."""
    return ", ".join(str(leg) for leg in one.structure.legs if not isinstance(leg.contract, Option))


def _may_be_assigned(option: Option, today: date) -> bool:
    product = PRODUCTS[option.product]
    american = product.style is Style.AMERICAN and product.settlement is Settlement.SHARES
    return american and option.expiry > today


def _lingers(working: Working) -> bool:
    """A close of unknown fate cannot be ended to make way for another: it is worked on until it fills."""
    return working.doubt is not None and not working.order.opens


def _rests(working: Working) -> bool:
    return working.order.urgency is Urgency.TARGET


def _settlement(
    position: Position,
    one: Component,
    ended: Iterable[Leg],
    outcomes: Mapping[Contract, Expiry],
    now: datetime,
) -> ev.Settled:
    """The settlement of one component's expired or assigned legs, all its units."""
    dollars = fees = Decimal(0)
    expired: list[Contract] = []
    delivered: list[Leg] = []
    price = Decimal(0)
    for leg in ended:
        outcome = outcomes[leg.contract]
        expired.append(leg.contract)
        price = outcome.price
        dollars += leg.ratio * one.units * outcome.dollars
        fees += abs(leg.ratio) * one.units * outcome.fee
        if outcome.delivered is not None:
            what, side = outcome.delivered
            delivered.append(Leg(what, side * leg.ratio))
    return ev.Settled(
        now, position.id, one.role, tuple(expired), price, cents(dollars), cents(fees), tuple(delivered)
    )
