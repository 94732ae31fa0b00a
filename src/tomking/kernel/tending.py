"""2. Tend: working orders give ground on their ladders or end; and the limits that any order may have now."""

from datetime import datetime, timedelta
from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.book import Working
from tomking.domain.chain import net_quote
from tomking.domain.order import Order
from tomking.execution.collar import PATIENCE
from tomking.execution.ladder import has_ended, limit_at, next_change, step_at
from tomking.kernel.belief import rests
from tomking.kernel.sessions import InSessions
from tomking.view import View

SOON = timedelta(seconds=1)
"""After something was sent, its outcome is looked for this much later."""
MINUTE = timedelta(minutes=1)


class Tending(InSessions):
    """Prices and reprices orders."""

    def _tend(self, view: View) -> None:
        for id_, working in tuple(self.book.orders.items()):
            if rests(working) or (working.cancelling and not lingers(working)):
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

    def _order_wake(self, working: Working, now: datetime) -> datetime:
        """The next step of its ladder, or the next minute's quotes if they come first."""
        if working.cancelling and not lingers(working):
            # Of one in doubt the broker's side knows when there is something to hear.
            return now + (SOON if working.doubt is None else MINUTE)
        change = next_change(working.order.urgency, now - working.since)
        return now + MINUTE if change is None else min(working.since + change, now + MINUTE)


def lingers(working: Working) -> bool:
    """A close of unknown fate cannot be ended to make way for another: it is worked on until it fills."""
    return working.doubt is not None and not working.order.opens
