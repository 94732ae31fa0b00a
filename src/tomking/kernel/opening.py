"""Opening: a wish is held back, judged, written down, and only then sent."""

from collections.abc import Collection
from datetime import datetime, timedelta

from tomking.domain import events as ev
from tomking.domain.chain import net_quote
from tomking.domain.intent import Alternatives, Approved, Open
from tomking.domain.products import PRODUCTS
from tomking.execution.plan import opening_order
from tomking.kernel.alarm import halted
from tomking.kernel.closing import Closing
from tomking.view import View

RETRY_AFTER = timedelta(minutes=2)
TRIES = 2
"""An entry is tried, and retried once, in a session (methodology D.3)."""


class Opening(Closing):
    """Judges wishes and sends what is approved."""

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


def _same_family(one: str, other: str) -> bool:
    return PRODUCTS[one].family == PRODUCTS[other].family
