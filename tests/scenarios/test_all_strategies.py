"""All strategies that are on by default in one account: who owns what, why it came and went, who waits."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

import pytest
from tests.scenarios.accounts import SEED, account, calendar, history, request, world

from tomking.adapters.journal import MemoryJournal
from tomking.app.markets import model_market
from tomking.app.play import Player
from tomking.app.sections import DEFAULT_OFF, DEFAULT_ON
from tomking.domain import events as ev
from tomking.domain.order import Order
from tomking.strategies import ALL, build

pytestmark = pytest.mark.slow

SPAN = ("2012-01-03", "2012-08-31")
"""Calm days and a fearful spring."""


@cache
def played() -> Player:
    asked = request(*SPAN, strategies=DEFAULT_ON)
    around = world(asked, model_market(history(), calendar(), SEED))
    one = account(asked, around, MemoryJournal())
    for session in around.played:
        one.play(session)
    return one


@cache
def journal() -> tuple[ev.Event, ...]:
    return tuple(played().journal.read())


def orders() -> Iterator[tuple[datetime, Order]]:
    for event in journal():
        if isinstance(event, ev.OrderSubmitted):
            yield event.at, event.order


def test_those_that_are_off_by_default_say_so_themselves() -> None:
    assert {id_ for id_ in ALL if not build(id_).default_on} == set(DEFAULT_OFF)


def test_nobody_raised_and_no_life_went_astray() -> None:
    assert [event for event in journal() if isinstance(event, ev.Quarantined)] == []
    lives = {id_: build(id_).life for id_ in DEFAULT_ON}
    owner = {order.position: order.strategy for _, order in orders() if order.opens}
    for event in journal():
        if isinstance(event, ev.Staged):
            life = lives[owner[event.position]]
            assert life is not None
            assert event.after == life.first if not event.before else event.after in life.ways[event.before]
            assert event.trigger
            assert event.context


def test_every_position_has_an_owner_and_a_reason_to_come_and_to_go() -> None:
    came = {order.position: order for _, order in orders() if order.opens}
    assert all(order.strategy in DEFAULT_ON and order.reason for order in came.values())
    assert all(order.reason and order.trigger for _, order in orders() if not order.opens)
    for position in played().kernel.book.positions.values():
        assert position.strategy == came[position.id].strategy
        closed = [one for one in position.components.values() if not one.is_open]
        assert all(one.trigger for one in closed)


def test_one_entry_at_a_time() -> None:
    at_work: dict[str, str] = {}
    for event in journal():
        if isinstance(event, ev.OrderSubmitted) and event.order.opens:
            assert not at_work, f"{event.order.strategy} enters while {at_work} works"
            at_work[event.order.id] = event.order.strategy
        if isinstance(event, ev.OrderFilled):
            at_work.pop(event.fill.order, None)
        if isinstance(event, ev.OrderCancelled | ev.OrderRejected):
            at_work.pop(event.order, None)


def test_new_positions_of_different_strategies_are_five_minutes_apart() -> None:
    """Butterflies behind the 0DTE among them."""
    last: tuple[datetime, str] | None = None
    filled = {event.fill.order: event.at for event in journal() if isinstance(event, ev.OrderFilled)}
    for sent, order in orders():
        if not order.opens or order.position != order.id or order.id not in filled:
            continue
        if last is not None and last[1] != order.strategy:
            assert sent - last[0] >= timedelta(minutes=5), f"{order.strategy} at {sent} after {last}"
        last = (filled[order.id], order.strategy)


def test_most_of_them_find_something_to_do() -> None:
    traded = {order.strategy for _, order in orders() if order.opens}
    assert len(traded) >= 8, sorted(set(DEFAULT_ON) - traded)
