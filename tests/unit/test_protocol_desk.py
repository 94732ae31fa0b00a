"""The order desk on a scripted wire: what goes out, what is told, and when."""

from decimal import Decimal

from tests.deskworld import World, both, closing, order

from tomking.domain import events as ev
from tomking.execution.protocol.course import Phase
from tomking.execution.wire import Cancel, FindOrders, Outcome, Place, Replace, Status


def test_an_order_is_posted_acknowledged_filled_and_booked() -> None:
    world = World().synced()
    world.submit(order())
    (place,) = world.wire.all(Place)
    assert (place.tag, place.units, place.limit, place.opens) == ("0badcafe-3-7-1", 2, Decimal("5.00"), True)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    assert [type(n) for n in world.step(1)] == [ev.OrderAccepted]
    world.report(world.shown(place, Status.FILLED, both(2), fees="4.52"))
    (filled,) = world.step(2)
    assert isinstance(filled, ev.OrderFilled)
    assert filled.fill.id == "x0:2|x1:2"
    assert filled.fill.leg_prices == (Decimal("9.00"), Decimal("4.00"))
    # 2 units x 5.00 x $100 - $4.52
    assert world.book.cash == Decimal("100000") + Decimal("1000.00") - Decimal("4.52")
    assert not world.book.orders
    assert world.desk.courses["7"].phase is Phase.FILLED
    assert len(world.wire.all(Place)) == 1


def test_a_cancel_is_believed_when_a_search_after_it_confirms_the_end() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.step(1)
    world.cancel("7", 2)
    cancel = world.last(Cancel)
    assert cancel.order == "B1"
    gone = world.shown(place, Status.CANCELLED, both(1))
    world.reply(cancel, Outcome.ACCEPTED, gone)
    assert [type(n) for n in world.step(3)] == [ev.OrderFilled]
    world.run(4, 12, gone)
    assert world.kinds() == ["OrderAccepted", "OrderFilled", "OrderCancelled"]
    assert world.book.positions["7"].units == 1


def test_a_new_limit_is_a_replacement_with_the_next_attempt() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.step(1)
    world.reprice("7", "4.90", 10)
    replace = world.last(Replace)
    assert (replace.tag, replace.order, replace.limit) == ("0badcafe-3-7-2", "B1", Decimal("4.90"))
    world.reprice("7", "4.80", 11)
    assert len(world.wire.all(Replace)) == 1
    world.reply(replace, Outcome.ACCEPTED, world.shown(replace), world.shown(place, Status.CANCELLED))
    world.step(17)
    assert len(world.wire.all(Replace)) == 1  # a limit stands for eight seconds
    world.step(18)
    second = world.last(Replace)
    assert (second.tag, second.order, second.limit) == ("0badcafe-3-7-3", "B2", Decimal("4.80"))


def test_after_a_restart_an_opening_order_is_searched_for_and_never_posted_again() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.restart()
    assert [type(n) for n in world.step(5)] == [ev.OrderUnknown]
    world.answer_searches()
    world.step(6)
    world.step(7)
    world.answer_searches(world.shown(place, Status.LIVE))
    assert [type(n) for n in world.step(8)] == [ev.OrderAccepted]
    assert len(world.wire.all(Place)) == 1
    assert len(world.wire.all(FindOrders)) >= 2
    world.report(world.shown(place, Status.FILLED, both(2)))
    world.step(9)
    assert world.book.positions["7"].units == 2


def test_a_lost_close_is_repeated_when_its_position_is_there_and_nothing_works_on_it() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place, Status.FILLED, both(2)))
    world.step(1)
    world.held = ((place.legs[0].contract, -2), (place.legs[1].contract, 2))
    world.submit(closing(), 2)
    world.run(3, 80)
    closes = world.wire.all(Place)[1:]
    assert [c.tag for c in closes][:2] == ["0badcafe-3-20-1", "0badcafe-3-20-2"]
    assert all(c.strict and not c.opens for c in closes)
