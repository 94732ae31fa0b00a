"""The loop: absorb, tend, guard, decide.  One synchronous ``step(now)``, in every mode the same.

1. Absorb   drain the broker's news and settle what expired; recorded first, then believed.
2. Tend     working orders give ground on their ladders or end.
3. Guard    mark the book; risk levels tighten; what they demand to be closed is closed.
4. Decide   every strategy is asked, exits before entries; each wish is judged, written down,
            and only then sent.
5. Rest     open components without a closing order get their profit-taking order.

Starting is ``fold(journal.read())`` and then the same first step: there is no recovery path.
"""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book
from tomking.domain.calendar import Session, new_york
from tomking.kernel.belief import rests
from tomking.kernel.deciding import Deciding
from tomking.kernel.holdings import NOTHING, Mine, halfway
from tomking.kernel.parts import Strategy
from tomking.kernel.tending import MINUTE, SOON
from tomking.view import View


class Kernel(Deciding):
    """Owns the book; everything it knows was journalled first."""

    def reborn(self, book: Book) -> "Kernel":
        """As a new process with the same parts would start: it knows the fold of the journal alone.

        One thing is handed over: the count of refusals that repeated themselves in this session, which is
        written down at its end only.  No decision reads it.
        """
        other = Kernel(self._at, book)
        other._again = self._again
        return other

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
        wakes += [self._order_wake(w, now) for w in self.book.orders.values() if not rests(w)]
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


def _is_same(mids: NDArray[np.float64], before: NDArray[np.float64]) -> bool:
    return mids is before or np.array_equal(mids, before, equal_nan=True)
