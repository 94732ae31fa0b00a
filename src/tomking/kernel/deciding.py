"""3. Guard and 4. Decide: what risk demands to be closed is closed, then every strategy is asked."""

from datetime import datetime
from itertools import islice

from tomking.domain import events as ev
from tomking.domain.book import Component
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import Alternatives, Close, Intent, Mark, Open, Pass, Step, Urgency
from tomking.kernel.alarm import halted
from tomking.kernel.holdings import NOTHING, halfway
from tomking.kernel.opening import Opening
from tomking.kernel.parts import Strategy
from tomking.kernel.tending import MINUTE
from tomking.view import View


class Deciding(Opening):
    """Asks risk and the strategies."""

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


def _left(one: Component) -> str:
    """What an exercise left in a component, in words."""
    return ", ".join(str(leg) for leg in one.structure.legs if not isinstance(leg.contract, Option))
