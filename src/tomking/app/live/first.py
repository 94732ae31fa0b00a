"""Stage 5 of a start: the account as the broker shows it, compared with the book before anything may trade.

A new journal begins with the account's cash and adopts what is held there as foreign.  A journal with a
past is compared; what orders under way explain is left to the order desk, which opens nothing until it has
looked itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tomking.app.exits import Exit
from tomking.app.live.lines import RunLine
from tomking.app.problems import problem
from tomking.app.wiring import Trading
from tomking.domain.book import Book
from tomking.domain.events import CashMoved, ForeignChanged
from tomking.execution.differences import Reconciliation, Shown, Sort, standing
from tomking.execution.reconcile import reconcile
from tomking.execution.wire import FindOrders, FindPositions, FindTransactions, Outcome, Reply


@dataclass(frozen=True, slots=True)
class Found:
    """What the account was seen to be."""

    words: str
    agrees: bool
    """Whether nothing differs that a person must hear of, and no order under way hides anything."""


ANSWERED_WITHIN = 15.0
"""Seconds of the wall."""
TRIES = 3
Question = FindPositions | FindTransactions | FindOrders
QUESTIONS: tuple[type[Question], ...] = (FindPositions, FindTransactions, FindOrders)


def first_look(
    trading: Trading,
    line: RunLine,
    now: Callable[[], datetime],
    wait: Callable[[float], None],
    *,
    epoch: int,
    cash: Decimal,
) -> Found:
    """What was found.  ``Problems`` (5, 9): no answer, or a book that is out of date."""
    kernel, instance = trading.kernel, trading.instance
    is_new = not kernel.book.deposits and not kernel.book.cash
    shown = look(line, now, wait)
    if is_new:
        kernel.record(CashMoved(now(), shown.positions.cash or cash, "the account's cash at the start"))
    found = reconcile(kernel.book, shown, now(), instance=instance, epoch=epoch)
    stale = [one.text for one in found.differences if one.sort is Sort.STALE]
    if stale:
        raise problem(
            Exit.MISMATCH,
            f"{'; '.join(stale)}: this journal is older than what the broker has seen; "
            "restore the newer one (a sandbox: start it anew, and paper with --fresh)",
        )
    if is_new:
        for event in found.events:
            kernel.record(event)
    agrees = not standing(found.differences) and not found.doubtful
    return Found(_words(kernel.book, shown, found, is_new=is_new), agrees)


def look(line: RunLine, now: Callable[[], datetime], wait: Callable[[float], None]) -> Shown:
    """Positions, transactions and orders as the broker shows them.  ``Problems`` (5) without an answer."""
    answers: dict[str, Reply] = {}
    for attempt in range(TRIES):
        for kind in QUESTIONS:
            if kind.__name__ not in answers:
                line.send(kind(f"start-{attempt}-{kind.__name__}"), now())
        for _ in range(int(ANSWERED_WITHIN / TRIES / 0.02)):
            for told in line.take(now()):
                if isinstance(told, Reply) and told.outcome is Outcome.ACCEPTED:
                    answers[told.key.rpartition("-")[2]] = told
            if len(answers) == len(QUESTIONS):
                break
            wait(0.02)
    positions = answers.get("FindPositions")
    if len(answers) < len(QUESTIONS) or positions is None or positions.positions is None:
        missing = ", ".join(kind.__name__ for kind in QUESTIONS if kind.__name__ not in answers)
        raise problem(Exit.UNAVAILABLE, f"the account was not shown ({missing}); nothing was traded")
    return Shown(positions.positions, answers["FindOrders"].orders, answers["FindTransactions"].transactions)


def _words(book: Book, shown: Shown, found: Reconciliation, *, is_new: bool) -> str:
    held = f"{len(shown.positions.held)} contracts held, cash ${shown.positions.cash:,.2f}"
    if is_new:
        adopted = sum(isinstance(event, ForeignChanged) for event in found.events)
        return f"a new book: {held}" + (f", {adopted} contracts adopted as not ours" if adopted else "")
    open_ = f"{len(book.positions)} positions and {len(book.orders)} orders in the book"
    left = standing(found.differences)
    return f"{open_}, {held}; " + (
        f"to be resolved first: {'; '.join(left)}" if left else "book and broker agree"
    )
