"""Realistic mistakes in the order protocol, each a change of the real modules that can be taken back.

A mutant is a function that is handed ``put(where, name, value)`` and puts its mistake in place.
"""

# ruff: noqa: ANN401 - a planted mistake takes whatever the real thing takes

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tomking.adapters.latch import Latched
from tomking.domain import events as ev
from tomking.domain.book import Book, Working, apply
from tomking.domain.trading import Latch
from tomking.execution import comparing, reconcile
from tomking.execution.protocol import account, acts, checks, evidence, fills, lookout
from tomking.execution.protocol.acts import Acts
from tomking.execution.protocol.asking import Asked, Asking
from tomking.execution.protocol.budget import Budget
from tomking.execution.protocol.course import Course, Phase, Purpose
from tomking.execution.protocol.desk import OrderDesk
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    Outcome,
    Place,
    Replace,
    Reply,
    Report,
    Request,
    Status,
)
from tomking.kernel import Kernel, absorbing, alarm, closing, deciding, opening, tending

Put = Callable[[Any, str, Any], None]
Mutant = Callable[[Put], None]
MUTANTS: dict[str, Mutant] = {}


def mutant(plant: Mutant) -> Mutant:
    """Names it by its function."""
    MUTANTS[plant.__name__] = plant
    return plant


# ------------------------------------------------------------------ persist and submit


@mutant
def submit_before_persist(put: Put) -> None:
    """The order is written down with the next event, after it was sent."""
    real = Kernel.record
    waiting: list[ev.Event] = []

    def record(self: Kernel, event: ev.Event) -> None:
        if isinstance(event, ev.OrderSubmitted):
            self.book = apply(self.book, event)
            waiting.append(event)
            return
        for late in waiting:
            self._at.journal.append(late)
        waiting.clear()
        real(self, event)

    put(Kernel, "record", record)


@mutant
def retry_before_persist(put: Put) -> None:
    """A further attempt goes out with the number that is still to be written down."""
    real = Acts._send_planned

    def send(self: Acts, course: Course, now: datetime) -> tuple[Course, lookout.News]:
        assert course.planned is not None, "only what is planned is sent"
        return real(self, replace(course, number=course.planned.number), now)

    put(Acts, "_send_planned", send)


@mutant
def blind_retry(put: Put) -> None:
    """An opening without an answer is simply posted again."""
    real = Acts.act

    def act(self: Acts, course: Course, account: Any, now: datetime) -> Any:
        if course.phase is Phase.UNKNOWN and course.order.opens and course.planned is None:
            course = replace(course, phase=Phase.PENDING, doubt=None)
        return real(self, course, account, now)

    put(Acts, "act", act)


@mutant
def repost_after_restart(put: Put) -> None:
    """After a restart what the book has as working is sent as if it never had been."""

    def restarted(self: OrderDesk, working: Working, *_: Any) -> Course:
        return Course(working.order, working.since, working.limit, working.attempt)

    put(OrderDesk, "_restarted", restarted)


@mutant
def exception_means_rejected(put: Put) -> None:
    """An error of the line is taken for a refusal."""
    real = OrderDesk._hear

    def hear(self: OrderDesk, asked: Asked | None, told: Reply | Report, now: datetime) -> None:
        sent = asked is not None and isinstance(asked.request, Place | Replace)
        if sent and isinstance(told, Reply) and told.outcome is Outcome.UNKNOWN:
            told = replace(told, outcome=Outcome.REJECTED)
        real(self, asked, told, now)

    put(OrderDesk, "_hear", hear)


def _not_found_after(grace: timedelta) -> Mutant:
    def plant(put: Put) -> None:
        real = OrderDesk._searched

        def searched(self: OrderDesk, asked: datetime) -> None:
            real(self, asked)
            for id_, course in tuple(self._courses.items()):
                late = [a for a in course.attempts if a.is_open_question and asked - a.sent >= grace]
                if course.absent is not None and course.absent >= asked:
                    for one in late:
                        dead = replace(one, outcome=Outcome.REJECTED)
                        self._courses[id_] = self._courses[id_].with_attempt(dead)

        put(OrderDesk, "_searched", searched)

    return plant


MUTANTS["not_found_is_rejected_at_once"] = _not_found_after(timedelta(0))
MUTANTS["not_found_is_rejected_after_2_5_s"] = _not_found_after(timedelta(seconds=2.5))
MUTANTS["not_found_is_rejected_after_12_s"] = _not_found_after(timedelta(seconds=12))


@mutant
def parked_is_freed(put: Put) -> None:
    """What has been in doubt for ten minutes is taken to be dead."""
    real = lookout._told

    def told(course: Course, working: Working, now: datetime) -> tuple[Course, lookout.News]:
        if course.phase is Phase.PARKED:
            return replace(course, phase=Phase.CANCELLED), [ev.OrderCancelled(now, course.order.id)]
        return real(course, working, now)

    put(lookout, "_told", told)


# ------------------------------------------------------------------ fills


@mutant
def fills_are_not_told_apart(put: Put) -> None:
    """Executions that are booked already are booked again with the next one."""
    put(fills, "consumed", lambda _: {})


@mutant
def executions_count_by_message(put: Put) -> None:
    """A message that comes twice counts twice."""

    def merged(old: BrokerOrder | None, new: BrokerOrder) -> BrokerOrder:
        if old is None:
            return new
        again = [replace(one, id=f"{one.id}'") for one in new.executions if one in old.executions]
        return replace(new, executions=(*old.executions, *again[:1]) if again else new.executions)

    put(evidence, "merged", merged)


@mutant
def the_last_message_wins(put: Put) -> None:
    """What arrives later is believed, whatever it leaves out."""
    put(evidence, "merged", lambda _, new: new)


@mutant
def filled_means_all_of_it(put: Put) -> None:
    """The status FILLED ends an order, whatever has been executed."""
    real = lookout.__dict__["judged"]

    def judged(course: Course, *, is_full: bool, is_even: bool, is_confirmed: bool) -> Any:
        full = any(a.seen is not None and a.seen.status is Status.FILLED for a in course.attempts)
        return real(course, is_full=is_full or full, is_even=is_even, is_confirmed=is_confirmed)

    put(lookout, "judged", judged)


@mutant
def done_on_the_first_leg(put: Put) -> None:
    """A unit counts as filled when one of its legs is."""

    def has_unit(legs: Any, queues: Any) -> bool:
        return any(queues[leg.contract] for leg in legs)

    def take(queue: list[Any], count: int) -> list[Any]:
        return [queue.pop(0)] if queue else []

    real = fills.consumed

    def consumed(booked: Any) -> dict[str, int]:
        """A leg that did not trade leaves no name."""
        return real("|".join(leg for leg in one.split("|") if leg) for one in booked)

    for where in (fills, lookout, account, reconcile):
        put(where, "consumed", consumed)
    put(fills, "_has_unit", has_unit)
    put(fills, "_take", take)
    put(fills, "_average", lambda pieces: pieces[0][0].price if pieces else Decimal(1))


@mutant
def late_fills_are_dropped(put: Put) -> None:
    """What fills after its end was shown is not believed."""
    put(lookout, "takes_late", lambda *_: False)
    put(alarm, "takes_late", lambda *_: False)


@mutant
def fees_are_forgotten(put: Put) -> None:
    """Fills are booked without what the broker charged."""
    put(lookout, "fees_due", lambda *_: Decimal(0))


@mutant
def filled_at_the_limit(put: Put) -> None:
    """A better price than asked for goes unnoticed on the first leg."""
    real = fills._average

    def average(pieces: list[Any]) -> Decimal:
        price = real(pieces)
        return price + pieces[0][0].contract.tick if pieces[0][0].quantity > 0 else price

    put(fills, "_average", average)


# ------------------------------------------------------------------ cancel and replace


@mutant
def a_cancel_ends_it(put: Put) -> None:
    """That a cancel was taken is taken for the end."""
    real = OrderDesk._hear

    def hear(self: OrderDesk, asked: Asked | None, told: Reply | Report, now: datetime) -> None:
        real(self, asked, told, now)
        if asked is not None and isinstance(asked.request, Cancel) and isinstance(told, Reply):
            course = self._courses.get(asked.order)
            if told.outcome is Outcome.ACCEPTED and course is not None and not course.is_over:
                self._courses[asked.order] = replace(course, phase=Phase.CANCELLED)

    put(OrderDesk, "_hear", hear)


@mutant
def replaced_without_waiting(put: Put) -> None:
    """A new order at the new limit goes out while the old one still works."""

    def move(self: Acts, course: Course, now: datetime) -> Course:
        live = evidence.steady(course)
        if live is None or live.seen is None or live.seen.limit == course.limit:
            return course
        if course.number <= course.attempts[-1].number:
            return course
        return self._place(course, Purpose.WORK, live.legs, live.units, course.limit, now=now)

    put(Acts, "_move", move)


@mutant
def a_lost_cancel_is_not_repeated(put: Put) -> None:
    """One cancel is asked for, and whatever becomes of it is waited for."""
    put(acts, "CANCEL_AGAIN", timedelta(days=1))


@mutant
def cancels_are_forgotten_at_a_restart(put: Put) -> None:
    """A new process works on what was to end."""
    real = OrderDesk._synced

    def synced(self: OrderDesk, course: Course | None, working: Working, *more: Any) -> Course:
        return real(self, course, replace(working, cancelling=False), *more)

    put(OrderDesk, "_synced", synced)
    put(Kernel, "_cancel_again", lambda *_: None)


@mutant
def reprices_run_off_the_market(put: Put) -> None:
    """A new limit is not compared with the market, and gives away two points more."""
    real = tending.__dict__["limit_at"]

    def limit_at(urgency: Any, step: int, quote: Any, tick: Decimal, floor: Any) -> Decimal:
        limit: Decimal = real(urgency, step, quote, tick, floor)
        return limit - Decimal(3) if step > 0 else limit

    put(tending, "limit_at", limit_at)
    put(closing, "limit_at", limit_at)
    put(checks, "off_collar", lambda *_: None)


# ------------------------------------------------------------------ closes


@mutant
def closes_are_not_strict(put: Put) -> None:
    """The broker may turn a close without a position into an opening."""
    real = Asking.send

    def send(self: Asking, make: Any, *more: Any) -> bool:
        def loose(key: str) -> Request:
            made: Request = make(key)
            return replace(made, strict=False) if isinstance(made, Place) else made

        return real(self, loose, *more)

    put(Asking, "send", send)


@mutant
def a_close_is_repeated_without_a_search(put: Put) -> None:
    """What has no answer is sent again after a second, and was there all the time."""

    def may_repeat(self: Acts, course: Course, account: Any, now: datetime) -> bool:
        return not course.order.opens and now - max(a.sent for a in course.attempts) > timedelta(seconds=1)

    put(Acts, "_may_repeat", may_repeat)
    _loosely(put)


def _loosely(put: Put) -> None:
    """Without strict closes as well: the venue would catch it."""
    closes_are_not_strict(put)


# ------------------------------------------------------------------ uneven legs


@mutant
def uneven_legs_are_ignored(put: Put) -> None:
    """Legs without the others are nobody's."""
    put(lookout, "odd_legs", lambda *_: {})


@mutant
def longs_are_unwound_first(put: Put) -> None:
    """Of legs that are left over the bought ones are sold first."""
    real = acts.__dict__["remedy"]

    def remedy(order: Any, odd: Any, *more: Any) -> Any:
        long = {contract: -count for contract, count in odd.items() if count > 0}
        if long and len(long) < len(odd):
            from tomking.execution.protocol import uneven

            return (Purpose.UNWIND, *uneven._as_legs(long))
        return real(order, odd, *more)

    put(acts, "remedy", remedy)


@mutant
def a_remedy_waits_at_the_mid(put: Put) -> None:
    """What is short is bid for at a price that nobody takes."""
    put(acts, "remedy_limit", lambda _legs, quote, _tries: quote.mid)


@mutant
def a_remedy_is_tried_once(put: Put) -> None:
    """One that was refused or ended is not followed by another."""
    real = Acts._even

    def even(self: Acts, course: Course, account: Any, now: datetime) -> Any:
        return (course, []) if course.remedies else real(self, course, account, now)

    put(Acts, "_even", even)


@mutant
def uneven_legs_wait_for_a_person(put: Put) -> None:
    """It is told, and nothing is done."""

    def even(self: Acts, course: Course, account: Any, now: datetime) -> Any:
        return self._telling(course, "wait", now)

    put(Acts, "_even", even)


# ------------------------------------------------------------------ streams, restarts, other people


@mutant
def nothing_is_polled(put: Put) -> None:
    """The stream is trusted: nobody asks for what it did not tell."""
    real = Asking.look

    def look(self: Asking, orders: timedelta, positions: timedelta, now: datetime) -> None:
        if self.found_asked is None or self.positions_asked is None:
            real(self, orders, positions, now)

    put(Asking, "look", look)


@mutant
def opened_while_the_stream_is_down(put: Put) -> None:
    """Whether the account is known is not asked."""
    put(Asking, "unsynced", lambda _: None)


@mutant
def opened_before_the_account_is_read_again(put: Put) -> None:
    """A stream that is up again is as good as one that never was down."""

    def went(self: Asking, at: datetime, *, up: bool) -> None:
        self.up = up

    put(Asking, "_went", went)


@mutant
def reducing_is_ignored(put: Put) -> None:
    """The trading level is kept, and nobody looks at it."""
    put(deciding, "halted", lambda _: None)
    put(opening, "halted", lambda _: None)
    put(Kernel, "_stopped", lambda self: self._at.risk.entries_stopped(self.book))

    def hold(self: Acts, now: datetime) -> str | None:
        return self.stale or self._may_open(now) or self._asking.unsynced()

    put(Acts, "hold", hold)


@mutant
def the_latch_is_read_once(put: Put) -> None:
    """What it said when the process began holds for good."""
    real = Latched.__init__

    def begin(self: Latched, wire: Any, read: Callable[[], Latch]) -> None:
        first = read()
        real(self, wire, lambda: first)

    put(Latched, "__init__", begin)
    put(OrderDesk, "__init__", _deaf(OrderDesk.__init__))
    from rel import session

    put(session, "heed", lambda *_: ())


def _deaf(real: Callable[..., None]) -> Callable[..., None]:
    def begin(self: OrderDesk, wire: Any, **parts: Any) -> None:
        real(self, wire, **{**parts, "may_open": lambda _: None})

    return begin


@mutant
def the_fence_is_not_looked_at(put: Put) -> None:
    """Tags from beyond the book are passed over."""
    put(Acts, "is_fenced_off_by", lambda *_: False)
    put(comparing, "reconcile", _blind(comparing.__dict__["reconcile"]))


def _blind(real: Callable[..., Any]) -> Callable[..., Any]:
    def reconciled(book: Book, shown: Any, now: datetime, **more: Any) -> Any:
        return real(book, replace(shown, orders=()), now, **more)

    return reconciled


@mutant
def foreign_positions_are_ignored(put: Put) -> None:
    """What somebody else bought in the account is not seen."""
    put(comparing.Comparer, "__call__", lambda *_: ())


@mutant
def nothing_is_compared_after_the_close(put: Put) -> None:
    """What the last minutes and the settlement brought is never held against the account."""
    put(OrderDesk, "_reconciles_after", lambda *_: False)


@mutant
def foreign_positions_become_ours(put: Put) -> None:
    """What is missing or left over is booked as if it had been traded here for nothing."""
    real = comparing.Comparer.__call__

    def compared(self: comparing.Comparer, account: Any, now: datetime) -> Any:
        told = real(self, account, now)
        return [one for one in told if not isinstance(one, ev.ForeignChanged)]

    put(comparing.Comparer, "__call__", compared)


# ------------------------------------------------------------------ limits, budgets, people


@mutant
def there_is_no_throttle(put: Put) -> None:
    """A strategy that repeats its wish is obeyed."""
    put(checks, "repeats", lambda *_: False)
    put(Kernel, "_held_back", lambda *_: None)


@mutant
def there_is_no_budget(put: Put) -> None:
    """Requests go out as they come."""
    put(Budget, "allows", lambda *_: True)


@mutant
def stale_quotes_are_believed(put: Put) -> None:
    """How old a quote is, and whether it makes sense, is not asked."""
    from tomking.risk import gate, limits_data

    put(gate, "LIMITS", tuple(one for one in gate.LIMITS if one not in limits_data.DATA_LIMITS))
    put(checks, "off_collar", lambda *_: None)
    put(checks, "off_market", lambda *_: None)


@mutant
def doubt_is_kept_to_itself(put: Put) -> None:
    """Nobody is told of what is unknown."""
    real = absorbing.__dict__["alarm"]

    def said(news: Any) -> Any:
        return None if isinstance(news, ev.OrderUnknown) else real(news)

    put(absorbing, "alarm", said)


@mutant
def a_remedy_of_one_too_many(put: Put) -> None:
    """Of legs that are left over one more is traded back than there are."""
    real = acts.__dict__["remedy"]

    def remedy(order: Any, odd: Any, *more: Any) -> Any:
        purpose, legs, units = real(order, odd, *more)
        return purpose, legs, units + 1

    put(acts, "remedy", remedy)
