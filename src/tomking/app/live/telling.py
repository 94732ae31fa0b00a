"""Who is told what: the ``Notifier`` of a live run, its log, and the words of events for a person."""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from tomking.adapters.redaction import one_line, redacted
from tomking.app.amounts import money, net
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.order import Order

KEPT = 200
"""Lines for the screen."""
QUIET = (ev.Noted, ev.OrderAccepted, ev.DeclinedAgain, ev.RunStarted)
"""Events that say nothing to a person who watches."""
LOUD = (ev.OrderUnknown, ev.OrderParked, ev.LegsUneven, ev.LegsUnwound, ev.LateFill, ev.Quarantined)


@dataclass(frozen=True, slots=True)
class Said:
    """One line."""

    at: datetime
    level: str
    """"info", "warning" or "critical"."""
    text: str

    @property
    def clock(self) -> str:
        """New York."""
        return f"{new_york(self.at):%H:%M:%S}"


@dataclass(slots=True)
class Teller:
    """Keeps the last lines, writes each to the log, and passes it on; any thread may tell."""

    log: Path | None
    now: Callable[[], datetime]
    out: Callable[[Said], None] = lambda _: None
    """Where lines go besides (a terminal that is none gets them as they come)."""
    page: Callable[[str, str, datetime], None] = lambda _level, _text, _at: None
    """To a person who is not there (``adapters.alerts``); must not wait."""
    lines: deque[Said] = field(default_factory=lambda: deque(maxlen=KEPT))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def notify(self, level: str, text: str, now: datetime) -> None:
        """The port."""
        said = Said(now, level, one_line(redacted(text)))
        with self._lock:
            self.lines.append(said)
            self._write(said)
            self.out(said)
        self.page(level, text, now)

    def warn(self, text: str) -> None:
        """Of the adapters: what could not be read, or went away."""
        self.notify("warning", text, self.now())

    def heard(self, book: Book, event: ev.Event) -> None:
        """Of the kernel: each event after it was believed."""
        text = words(book, event)
        if text:
            self.notify("warning" if isinstance(event, LOUD) else "info", text, event.at)

    def _write(self, said: Said) -> None:
        if self.log is None:
            return
        line = json.dumps({"at": said.at.isoformat(), "level": said.level, "text": said.text})
        try:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError:
            self.log = None  # a full disk must not stop an exit; the screen still has it


AROUND = timedelta(minutes=30)


def by_day(tell: Teller, sessions: Sessions) -> Callable[[str], None]:
    """What adapters say: a warning from half an hour before the open to half an hour after the close.

    At night and on weekends brokers are maintained and their sockets close: that is for the log (F56).
    """

    def said(text: str) -> None:
        now = tell.now()
        session = sessions.on(new_york(now).date())
        is_day = session is not None and session.open - AROUND <= now < session.close + AROUND
        tell.notify("warning" if is_day else "info", text, now)

    return said


def words(book: Book, event: ev.Event) -> str:  # noqa: C901, PLR0912 - one case per event
    """One line for a person; empty where there is nothing to say."""
    match event:
        case ev.EntryApproved(_, strategy, entry, units, binding, _, reason):
            return f"{strategy} {entry}: {units} approved, bound by {binding}; {reason}"
        case ev.Declined(_, strategy, entry, code, details):
            return f"{strategy} {entry}: not taken, {code}: {'; '.join(details)}"
        case ev.OrderSubmitted(_, order):
            verb = "opens" if order.opens else "closes"
            legs = f"{order.units} x {order.structure}"
            return f"order {order.id} {verb} {order.strategy}: {legs} at {net(order.limit)}: {order.reason}"
        case ev.OrderRepriced(_, order, limit):
            return f"order {order} now at {net(limit)}"
        case ev.OrderFilled(_, fill):
            filled = _order(book, fill.order)
            what = "" if filled is None else f" of {filled.strategy} {filled.trigger}"
            return f"order {fill.order} filled: {fill.units} units{what}, fees ${fill.fees}"
        case ev.OrderRejected(_, order, reason):
            return f"order {order} refused: {reason}"
        case ev.CancelRequested(_, order, reason):
            return f"order {order} is to end: {reason}"
        case ev.OrderCancelled(_, order):
            return f"order {order} has ended"
        case ev.OrderUnknown(_, order, _, why):
            return f"order {order}: its fate is not known: {why}"
        case ev.OrderParked(_, order, why):
            return f"order {order} waits for a person: {why}"
        case ev.OrderRetried(_, order, attempt, why):
            return f"order {order} again, attempt {attempt}: {why}"
        case ev.LegsUneven(_, order, action, detail):
            return f"order {order}: legs uneven, {action}: {detail}"
        case ev.LegsUnwound(_, order, dollars, _, detail):
            return f"order {order}: odd legs traded back for {money(dollars)}: {detail}"
        case ev.Transitioned(_, position, before, after, trigger):
            return f"position {position}: {before.value} to {after.value} ({trigger})"
        case ev.Staged(_, position, _, after, trigger, context):
            return f"position {position} is at {after} ({trigger}; {context})"
        case ev.Settled(_, position, role, _, price, dollars, _, _):
            return f"position {position} {role} settled at {price}: {money(dollars)}"
        case ev.LevelChanged(_, name, before, after, detail):
            return f"{name}: {before or 'none'} to {after or 'none'} ({detail})"
        case ev.ForeignChanged(_, contract, 0):
            return f"no longer held: {contract}, which was not ours"
        case ev.ForeignChanged(_, contract, quantity):
            return f"not ours: {quantity:+d} {contract}; counted in risk, never closed by the program"
        case ev.Reconciled(_, differences):
            return f"book and broker: {'; '.join(differences) or 'agree'}"
        case ev.CashMoved(_, dollars, reason):
            return f"cash {money(dollars)}: {reason}"
        case ev.Quarantined(_, strategy, error):
            return f"{strategy} opens nothing more: {error}"
        case ev.SessionBegan(_, day):
            return f"session {day} begins"
        case ev.SessionEnded(_, day, net_liq):
            return f"session {day} ends at {money(net_liq)}"
        case ev.LateFill(_, fill):
            return f"order {fill.order} filled late: {fill.units} units"
        case ev.Paid(_, position, _, dollars, reason):
            return f"position {position}: {money(dollars)}, {reason}"
        case ev.PeakReset(_, net_liq):
            return f"drawdown is measured from {money(net_liq)}"
        case _:
            assert isinstance(event, QUIET), f"{event} has words"
            return ""


def _order(book: Book, id_: str) -> Order | None:
    working = book.orders.get(id_) or book.ended.get(id_)
    return None if working is None else working.order
