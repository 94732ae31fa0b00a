"""Attempts after the first: planned, made durable, and only then sent; and when a close may be sent again."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from tomking.domain.intent import Urgency
from tomking.domain.structure import Leg
from tomking.execution.protocol.account import Account
from tomking.execution.protocol.checks import sendable
from tomking.execution.protocol.course import Course, Planned, Purpose
from tomking.execution.protocol.fills import per_unit
from tomking.execution.wire import ENDED

REPEAT_AFTER: dict[Urgency, timedelta] = {
    Urgency.STOP: timedelta(seconds=15),
    Urgency.RULE: timedelta(seconds=30),
    Urgency.TARGET: timedelta(seconds=60),
}
"""A close in doubt for so long, absent from a search, with its position still there, is sent again."""


def plan(
    course: Course, purpose: Purpose, legs: tuple[Leg, ...], units: int, limit: Decimal, *, why: str
) -> Course:
    """With its next attempt, which waits until its number is durable."""
    return replace(course, planned=Planned(course.number + 1, purpose, legs, units, limit, why))


def may_repeat(course: Course, account: Account, now: datetime) -> bool:
    """A close may be sent again: searched for in vain, its position there, nothing working on it (T6)."""
    order = course.order
    if order.opens or any(a.is_live or a.is_flying for a in course.attempts):
        return False
    since = max(a.sent for a in course.attempts)
    wait = REPEAT_AFTER[order.urgency]
    asked = account.asked
    if now - since < wait or course.absent is None or asked is None or asked < course.absent:
        return False
    contracts = per_unit(order.structure.legs)
    busy = {leg.contract for one in account.found if one.status not in ENDED for leg in one.legs}
    left = units_left(course, account)
    held = all(account.held(c) * -n >= n * n * left for c, n in contracts.items())
    return course.absent - since >= wait and not busy & contracts.keys() and held and left > 0


def repeated(course: Course, account: Account) -> Course:
    """The close of what is left, once more."""
    order = course.order
    legs = tuple(Leg(c, n) for c, n in per_unit(order.structure.legs).items())
    why = "not found, its position is there, and nothing works on it"
    units, limit = units_left(course, account), sendable(order, course.limit)
    return plan(course, Purpose.WORK, legs, units, limit, why=why)


def units_left(course: Course, account: Account) -> int:
    """Of an order, by the book."""
    return course.order.units - account.book.orders[course.order.id].filled
