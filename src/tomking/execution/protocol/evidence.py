"""From what the broker showed to what it means for an order's course."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tomking.domain.replaced import replaced
from tomking.domain.structure import Leg
from tomking.execution.protocol.checks import sendable, terms_of
from tomking.execution.protocol.course import REMEDIES, Attempt, Course, Input, Purpose, merged
from tomking.execution.protocol.fills import per_unit
from tomking.execution.protocol.uneven import remedy
from tomking.execution.wire import ENDED, BrokerOrder, Outcome, Status

SEARCHES = (
    (timedelta(seconds=60), timedelta(seconds=2)),
    (timedelta(seconds=660), timedelta(seconds=15)),
)
"""While in doubt for less than the first, an order is searched for every second; afterwards every 60 s."""
LAST_SEARCHES = timedelta(seconds=60)
PARK_AFTER = timedelta(minutes=10)
MISSED_AFTER = timedelta(seconds=15)
STANDS = timedelta(seconds=8)
"""A limit stands for so long before the next one may take its place; the newest waits (methodology D.3)."""
REPLACE_AGAIN = timedelta(seconds=10)
BY_ITSELF = frozenset({Status.FILLED, Status.EXPIRED, Status.REMOVED, Status.PARTIALLY_REMOVED})
BEING_CHANGED = frozenset({Status.REPLACE_REQUESTED, Status.CANCEL_REQUESTED, Status.CONTINGENT})


def search_every(doubted: timedelta) -> timedelta:
    """30 searches of 2 s, 40 of 15 s, then one a minute to the session's end."""
    return next((every for below, every in SEARCHES if doubted < below), LAST_SEARCHES)


def shown(course: Course, number: int, order: BrokerOrder, now: datetime) -> Course:
    """The course with one showing of one of its attempts, found by its tag."""
    known = course.attempt(number)
    order = in_our_units(course.order.structure.legs if known is None else known.legs, order)
    known = known or _found(course, number, order, now)
    if known.seen == order:
        return course
    # What a restart took for a new limit may have been a remedy: its legs say so.
    purpose = Purpose.UNWIND if _backs_out(course, order) else known.purpose
    if purpose is Purpose.WORK and _lacks_legs(course, order):
        purpose = Purpose.COMPLETE
    course = course.with_attempt(replaced(known, purpose=purpose, seen=merged(known.seen, order)))
    return settled(course, number) if purpose is Purpose.REPLACE else course


def in_our_units(legs: Sequence[Leg], order: BrokerOrder) -> BrokerOrder:
    """The same order in units of these legs: brokers show 8 units of two contracts as 16 of one, at half the
    price (T3 replaces by that price too).
    """
    times = terms_of(legs) // terms_of(order.legs)
    if times <= 1 or order.units % times:
        return order
    ours = tuple(Leg(leg.contract, leg.ratio * times) for leg in order.legs)
    return replace(order, legs=ours, units=order.units // times, limit=order.limit * times)


def settled(course: Course, number: int) -> Course:
    """The same order can be replaced once only: what was asked before attempt ``number`` in vain is over.

    Called when that replacement exists, or the cancel of what it would have replaced was taken.
    """
    for one in course.attempts:
        if one.purpose is Purpose.REPLACE and one.number < number and one.seen is None:
            course = course.with_attempt(replace(one, outcome=Outcome.REJECTED))
    return course


def _found(course: Course, number: int, order: BrokerOrder, now: datetime) -> Attempt:
    """An attempt of a process before this one."""
    purpose = Purpose.WORK if order.replaces is None else Purpose.REPLACE
    return Attempt(number, purpose, order.legs, order.units, order.limit, now, Outcome.ACCEPTED)


def _backs_out(course: Course, order: BrokerOrder) -> bool:
    """Whether its legs are the other way round."""
    ratios = {leg.contract: leg.ratio for leg in course.order.structure.legs}
    return any(leg.ratio * ratios.get(leg.contract, leg.ratio) < 0 for leg in order.legs)


def _lacks_legs(course: Course, order: BrokerOrder) -> bool:
    """Whether it is for some of the order's contracts only."""
    wanted = {contract for contract, n in per_unit(course.order.structure.legs).items() if n}
    return {leg.contract for leg in order.legs} < wanted


def steady(course: Course) -> Attempt | None:
    """The one attempt that works and is not being changed."""
    live = [a for a in course.attempts if a.is_live]
    if len(live) != 1 or live[0].seen is None or live[0].seen.status in BEING_CHANGED:
        return None
    return live[0]


def is_off_its_limit(course: Course) -> bool:
    """Whether it works, and at another limit than it should."""
    live = steady(course)
    return (
        live is not None and live.seen is not None and live.seen.limit != sendable(course.order, course.limit)
    )


def judged(course: Course, *, is_full: bool, is_even: bool, is_confirmed: bool) -> Input | None:
    """What all attempts together say; None: nothing yet.

    is_full       every unit has all its executions
    is_even       no leg was filled without the others
    is_confirmed  orders were searched since every attempt was first seen to be over
    """
    attempts = course.attempts
    if not attempts:
        return None
    if is_full:
        return Input.FULL
    if any(a.is_live or _is_awaited(course, a) for a in attempts):
        return Input.SEEN
    if any(a.is_flying for a in attempts):
        return None
    if any(in_question(course, a) for a in attempts):
        return Input.DOUBT
    if all(_was_refused(a) for a in attempts):
        return Input.REFUSE
    return Input.END if is_even and is_confirmed else None


def all_over(course: Course) -> bool:
    """Whether nothing of it works, flies or is in question: its end, but for late prints."""
    return bool(course.attempts) and not any(
        a.is_live or _is_awaited(course, a) or a.is_flying or in_question(course, a) for a in course.attempts
    )


def has_no_more(course: Course, late: datetime) -> bool:
    """Whether nothing of it can trade any more, asked ``late`` after its day: not what lacks executions
    either, which would have been told by then.
    """
    missed = course.absent is not None and course.absent >= late
    return bool(course.attempts) and not any(
        a.is_live or a.is_flying or (in_question(course, a) and not missed) for a in course.attempts
    )


def in_question(course: Course, attempt: Attempt) -> bool:
    """Whether it is not known if it exists, and it matters.

    Not of what no search has found fifteen seconds after it was sent, when it could do nothing any more: a
    remedy, once legs are even, or any close whose position is gone, because a strict close without it is
    refused (T6); a replacement of what ended by itself (T3).
    """
    if not attempt.is_open_question or course.absent is None or course.absent < attempt.sent + MISSED_AFTER:
        return attempt.is_open_question
    if attempt.purpose in REMEDIES:
        return bool(course.odd) and not (course.gone and _is_done(course, attempt))
    if course.gone:
        return False
    return attempt.purpose is not Purpose.REPLACE or not any(map(_ended_by_itself, course.attempts))


def _is_done(course: Course, attempt: Attempt) -> bool:
    """Whether what a remedy was to trade has been traded by another since."""
    _, legs, _ = remedy(course.order, dict(course.odd))
    return {leg.contract for leg in attempt.legs}.isdisjoint(leg.contract for leg in legs)


def _ended_by_itself(attempt: Attempt) -> bool:
    """Shown to have ended, and not by being replaced or cancelled: nothing took its place."""
    if attempt.purpose in REMEDIES or attempt.seen is None:
        return False
    return attempt.seen.status in BY_ITSELF or _has_nothing_left(attempt.seen)


def _has_nothing_left(seen: BrokerOrder) -> bool:
    """Whether a leg of it has traded all its units, before an end that was shown first (F22): what would
    replace it works what is left of it (T3).
    """
    if seen.status not in ENDED or not seen.executions:
        return False
    left = {leg.contract: leg.ratio * seen.units for leg in seen.legs}
    for one in seen.executions:
        left[one.contract] = left.get(one.contract, 0) - one.quantity
    return any(left[leg.contract] == 0 for leg in seen.legs)


def _is_awaited(course: Course, attempt: Attempt) -> bool:
    """Executions are to come, unless positions have shown that they never will: then it was seen to."""
    return attempt.lacks_executions and course.remedies == 0 and not any(map(_is_remedy, course.attempts))


def _is_remedy(attempt: Attempt) -> bool:
    return attempt.purpose in REMEDIES


def _was_refused(attempt: Attempt) -> bool:
    seen = attempt.seen
    if seen is None:
        return attempt.outcome is Outcome.REJECTED
    return seen.status is Status.REJECTED and not seen.executions
