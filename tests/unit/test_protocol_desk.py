"""The order desk on a scripted wire: what goes out, what is told, and when."""

from dataclasses import dataclass, field
from dataclasses import replace as replace_
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from tests.deskworld import LONG, MIDS, SHORT, SPREAD, START, World, both, closing, execution, order, second
from tests.worlds import FRIDAY

from tomking.domain import events as ev
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Part, Urgency
from tomking.domain.order import Order
from tomking.domain.structure import Leg, Structure
from tomking.domain.trading import Latch, Trading
from tomking.execution.protocol.account import Account
from tomking.execution.protocol.course import Phase, Purpose
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    Execution,
    FindOrders,
    FindPositions,
    FindTransactions,
    Kind,
    Outcome,
    Place,
    Positions,
    Replace,
    Reply,
    Status,
    Transaction,
)
from tomking.risk.latched import heed


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
    assert world.book.cash == Decimal(100_000) + Decimal("1000.00") - Decimal("4.52")
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


def pair_sold(limit: str) -> Order:
    """Two units of two short puts each."""
    return order(parts=(Part("NP", Structure("NP", (Leg(SHORT, -2),))),), limit=Decimal(limit))


def as_one(shown: BrokerOrder, limit: str) -> BrokerOrder:
    """As brokers show it: four of one contract at the price of one."""
    return replace_(shown, legs=(Leg(SHORT, -1),), units=4, limit=Decimal(limit))


@pytest.mark.parametrize("restarts", [False, True])
def test_two_like_contracts_a_unit_are_shown_at_half_the_price_and_that_is_the_limit(
    *, restarts: bool
) -> None:
    world = World(mids=MIDS | {SHORT: 9.0}).synced()
    world.submit(pair_sold("18.00"))
    place = world.last(Place)
    assert (place.units, place.limit, place.legs) == (2, Decimal("18.00"), (Leg(SHORT, -2),))
    live = as_one(world.shown(place), "9.00")
    world.reply(place, Outcome.ACCEPTED, live)
    world.step(1)
    if restarts:
        world.restart()
    world.run(2, 40, live)
    assert not world.wire.all(Replace)
    assert [n for n in world.news if isinstance(n, ev.OrderRetried)] == []


def test_a_new_limit_of_two_like_contracts_says_how_many_of_the_brokers_units_it_is_of() -> None:
    world = World(mids=MIDS | {SHORT: 9.0}).synced()
    world.submit(pair_sold("18.00"))
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, as_one(world.shown(place), "9.00"))
    world.step(1)
    world.reprice("7", "17.90", 10)
    replace = world.last(Replace)
    assert (replace.limit, replace.terms) == (Decimal("17.90"), 2)
    fills = tuple(execution(f"x{n}", Leg(SHORT, -1), 2, "8.95") for n in range(2))
    world.report(replace_(as_one(world.shown(replace), "8.95"), status=Status.FILLED, executions=fills))
    (filled,) = [n for n in world.step(12) if isinstance(n, ev.OrderFilled)]
    assert (filled.fill.units, filled.fill.leg_prices) == (2, (Decimal("8.95"),))


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


# ------------------------------------------------------------------------------------------ before sending


def refused(world: World) -> str:
    """The words of the only refusal that was told."""
    (one,) = [n for n in world.news if isinstance(n, ev.OrderRejected)]
    return one.reason


def test_nothing_is_opened_until_orders_and_positions_were_read() -> None:
    world = World()
    world.submit(order())
    assert world.desk.hold(START) == (
        "orders and positions have not been read since the account stream came up"
    )
    world.run(0, 3)
    assert not world.wire.all(Place)
    world.run(4, 6)
    assert len(world.wire.all(Place)) == 1
    assert world.desk.hold(second(6)) is None


def test_an_opening_that_waited_half_a_minute_for_the_account_is_refused() -> None:
    world = World()
    world.submit(order())
    world.step(29)
    assert not world.news
    world.step(30)
    assert refused(world).startswith("orders and positions have not been read")
    assert not world.wire.all(Place)


def test_after_the_stream_was_down_nothing_opens_before_the_resync() -> None:
    world = World().synced()
    world.line(up=False)
    world.step(0)
    assert world.desk.hold(START) == "the account stream is down"
    world.submit(order(), 1)
    world.run(1, 5)
    assert not world.wire.all(Place)
    world.line(up=True)
    world.step(6)
    asked = len(world.wire.all(FindOrders)), len(world.wire.all(FindPositions))
    world.run(7, 12)
    assert (len(world.wire.all(FindOrders)), len(world.wire.all(FindPositions))) > asked
    assert len(world.wire.all(Place)) == 1


def test_a_close_goes_out_with_the_stream_down_and_the_latch_set() -> None:
    latch: list[str] = []
    world = holding(may_open=lambda _: latch[0] if latch else None)
    latch.append("latched")
    world.line(up=False)
    world.step(3)
    world.submit(closing(), 4)
    assert [p.opens for p in world.wire.all(Place)] == [True, False]
    assert world.desk.hold(START) == "latched"
    world.submit(order(id="8", position="8"), 200)
    world.step(201)
    assert refused(world) == "latched"


def test_an_order_far_off_the_market_never_reaches_the_wire() -> None:
    world = World().synced()
    world.submit(order(limit=Decimal("3.00")))
    world.step(1)
    assert refused(world) == "limit 3.00 is 2.00 off the mid 5.00, at most 1.00 allowed"
    assert not world.wire.all(Place)
    world.mids[SHORT] = 12.0  # the underlying jumped between the decision and the sending (F35)
    world.submit(order(id="8", position="8"), 2)
    world.step(3)
    assert not world.wire.all(Place)
    assert [type(n) for n in world.news] == [ev.OrderRejected] * 2


def test_nothing_is_posted_outside_the_session() -> None:
    def posted(when: float) -> int:
        world = holding()
        world.submit(closing(), when)
        world.step(when)
        return len(world.wire.all(Place)) - 1

    close, monday = 5.5 * 3600, 3 * 86_400 - 7200  # clocks went forward on Sunday
    assert [posted(when) for when in (close - 1, close, 86_400, monday - 1, monday)] == [1, 0, 0, 0, 1]


def test_one_order_a_slot_and_never_both_sides_of_a_contract() -> None:
    world = World().synced()
    world.submit(order())
    world.submit(order(id="8", position="8"), 1)
    world.step(2)
    assert refused(world) == "another order of the same entry has not ended"
    both_sides = (Part("a", SPREAD), Part("b", SPREAD.inverse()))
    world.submit(order(id="9", position="9", trigger="other", parts=both_sides), 3)
    world.step(4)
    assert world.desk.courses["9"].reason == "one contract is bought and sold by the same order"


def test_the_sixth_like_order_in_ten_minutes_halts_trading() -> None:
    world = World().synced()
    for n in range(6):
        world.submit(order(id=str(10 + n), position=str(10 + n), trigger=f"e{n}"), 10 * n)
        for place in world.wire.all(Place)[n:]:
            world.reply(place, Outcome.REJECTED, text="no")
        world.run(10 * n + 1, 10 * n + 3)
    assert len(world.wire.all(Place)) == 5
    (level,) = [n for n in world.news if isinstance(n, ev.LevelChanged)]
    assert (level.name, level.before, level.after) == ("trading", "", "HALTED")
    assert level.detail.startswith("more than 5 like orders in ten minutes: ")
    assert world.desk.hold(second(70)) == level.detail
    world.submit(order(id="30", position="30", trigger="x", strategy="other"), 70)
    world.step(71)
    assert world.desk.courses["30"].phase is Phase.REJECTED


def test_a_trading_level_holds_openings_and_their_new_limits() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.record(ev.LevelChanged(START, "trading", "", "REDUCING", "test"))
    world.step(1)
    assert world.desk.hold(START) == "trading is REDUCING"
    world.reprice("7", "4.90", 10)
    assert not world.wire.all(Replace)
    world.record(ev.LevelChanged(START, "trading", "REDUCING", "ACTIVE", "test"))
    world.step(11)
    assert len(world.wire.all(Replace)) == 1


def test_a_cancel_before_the_first_byte_ends_the_order_at_once() -> None:
    world = World()
    world.submit(order())
    world.cancel("7", 1)
    assert [type(n) for n in world.step(2)] == [ev.OrderCancelled]
    assert not world.wire.all(Place)
    world.desk.cancel("7", second(3))
    world.desk.cancel("99", second(3))
    world.desk.reprice("7", Decimal(4), second(3))
    world.desk.reprice("99", Decimal(4), second(3))
    assert not world.wire.all(Cancel)


# ------------------------------------------------------------------------------------------ doubt


def test_silence_of_ten_seconds_is_doubt_and_a_late_answer_still_counts() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.run(1, 9)
    assert world.kinds() == []
    world.step(10)
    (unknown,) = [n for n in world.news if isinstance(n, ev.OrderUnknown)]
    assert (unknown.order, unknown.attempt, unknown.why) == ("7", 1, "no answer")
    assert world.book.orders["7"].doubt == second(10)
    assert world.desk.courses["7"].phase is Phase.UNKNOWN
    world.reply(place, Outcome.REJECTED, text="no margin")
    world.step(11)
    assert refused(world) == "no margin"


def test_a_refusal_without_words_has_its_code_for_a_reason() -> None:
    world = World().synced()
    world.submit(order())
    world.reply(world.last(Place), Outcome.REJECTED, code="margin_check_failed")
    world.step(1)
    assert refused(world) == "margin_check_failed"
    world.submit(order(id="8", position="8"), 200)
    world.reply(world.last(Place), Outcome.REJECTED)
    world.step(201)
    assert world.desk.courses["8"].reason == ""
    assert world.news[-1] == ev.OrderRejected(second(201), "8", "refused without a reason")


def test_an_opening_that_is_never_found_is_parked_and_ends_after_the_day() -> None:
    world = World().synced()
    world.submit(order())
    world.reply(world.last(Place), Outcome.UNKNOWN, code="502", text="bad gateway")
    world.run(1, 700)
    assert world.kinds() == ["OrderUnknown", "OrderParked"]
    parked = world.news[-1]
    assert isinstance(parked, ev.OrderParked)
    assert parked.at == second(601)
    assert parked.why == "not found for 10 minutes (bad gateway)"
    # 30 searches in the first minute of doubt, 40 in the next ten.
    asked = [at for at, request in world.wire.sent if isinstance(request, FindOrders)]
    assert sum(second(1) <= at < second(61) for at in asked) == 30
    assert sum(second(61) <= at < second(661) for at in asked) == 40
    close = 5.5 * 3600
    world.run(int(close) + 240, int(close) + 299)
    assert "7" in world.book.orders
    world.run(int(close) + 300, int(close) + 420)
    assert world.kinds()[-1] == "OrderCancelled"
    assert world.desk.courses["7"].phase is Phase.EXPIRED_ABSENT
    assert len(world.wire.all(Place)) == 1
    assert world.desk.next_wake(second(close + 500)) is None


def test_what_shows_up_after_all_is_cancelled_and_its_fill_is_a_late_one() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.step(1)
    world.cancel("7", 2)
    gone = world.shown(place, Status.CANCELLED)
    world.reply(world.last(Cancel), Outcome.ACCEPTED, gone)
    world.run(3, 9, gone)
    assert "7" in world.book.ended
    world.report(world.shown(place, Status.CANCELLED, both(1)))
    (late,) = world.step(20)
    assert isinstance(late, ev.LateFill)
    assert (late.order, late.fill.units) == ("7", 1)
    assert world.book.positions["7"].units == 1
    world.report(world.shown(place, Status.CANCELLED, both(1)))
    assert world.step(21) == []


def test_after_a_restart_a_late_print_is_booked_too() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.REJECTED, text="no")
    world.step(1)
    world.restart()
    world.step(2)
    world.report(world.shown(place, Status.LIVE, both(1)))
    (late,) = world.step(3)
    assert isinstance(late, ev.LateFill)
    # What the book has ended must not work on.
    world.step(4)
    assert world.last(Cancel).order == "B1"


def test_an_order_of_ours_that_no_book_knows_is_cancelled() -> None:
    world = World().synced()
    ours = world.shown(Place("k", "0badcafe-3-5-1", SPREAD.legs, 1, Decimal(5), opens=True))
    world.report(ours)
    world.step(0)
    assert [c.order for c in world.wire.all(Cancel)] == ["B1"]
    world.step(4)
    assert len(world.wire.all(Cancel)) == 1
    world.step(5)
    assert len(world.wire.all(Cancel)) == 2
    world.report(replace_(ours, status=Status.CANCELLED))
    world.run(6, 20)
    assert len(world.wire.all(Cancel)) == 2


def test_orders_of_others_are_left_alone() -> None:
    world = World().synced()
    foreign = world.shown(Place("k", "", SPREAD.legs, 1, Decimal(5), opens=True))
    world.report(foreign)
    world.report(replace_(foreign, tag="ffffffff-9-5-1"))
    world.run(0, 10)
    assert not world.wire.all(Cancel)
    assert not world.news


# ------------------------------------------------------------------------------------------ fencing


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("0badcafe-4-7-1", "a later trading lease, 4 after 3"),
        ("0badcafe-3-101-1", "order 101, the book ends at event 101"),
        ("0badcafe-3-7-2", "attempt 2 of order 7, the book knows 1"),
    ],
)
def test_a_stale_book_sends_nothing_more(tag: str, words: str) -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.report(replace_(world.shown(place), tag=tag, id="B9"))
    told = world.step(1)
    level, stale = [n for n in told if isinstance(n, ev.LevelChanged)]
    assert level.after == "HALTED"
    assert stale.after == level.detail == f"the broker has {tag}: {words}"
    world.cancel("7", 2)
    world.submit(order(id="8", position="8", trigger="other"), 3)
    world.run(4, 30)
    assert len(world.wire.all(Place)) == 1
    assert not world.wire.all(Cancel)
    assert refused(world) == level.detail
    world.restart()
    world.epoch += 1
    world.step(31)
    assert world.desk.hold(second(31)) == level.detail  # another process believes it too


def test_a_person_who_has_looked_lets_a_stale_book_go_on() -> None:
    world = World().synced()
    world.report(world.shown(Place("k", "0badcafe-3-200-1", SPREAD.legs, 2, Decimal(5), opens=True)))
    world.step(0)
    assert world.book.levels["stale"]
    for _ in range(150):
        world.record(ev.Noted(second(1), "friday.x", "1"))
    world.step(2)
    assert world.desk.hold(second(2)) is not None
    resumed = Latch(Trading.ACTIVE, second(3), "anna", "the backup was put back on purpose")
    for event in heed(world.book, resumed, second(3)):
        world.record(event)
    world.run(3, 10)
    assert world.desk.hold(second(10)) is None
    world.report(world.shown(Place("k", "0badcafe-2-200-1", SPREAD.legs, 2, Decimal(5), opens=True)))
    world.step(11)
    assert not world.book.levels["stale"]


def test_attempts_and_orders_that_the_book_knows_do_not_fence() -> None:
    world = World(epoch=5).synced()
    world.submit(order())
    world.report(world.shown(Place("k", "0badcafe-4-7-1", SPREAD.legs, 2, Decimal(5), opens=True)))
    world.report(world.shown(Place("k", "0badcafe-5-99-1", SPREAD.legs, 2, Decimal(5), opens=True)))
    world.step(1)
    assert [type(n) for n in world.news] == [ev.OrderAccepted]


# ------------------------------------------------------------------------------------------ change and end


def working(options: dict[str, object] | None = None) -> tuple[World, Place]:
    world = World(options=options or {}).synced()
    world.submit(order())
    place = world.last(Place)
    assert isinstance(place, Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.step(1)
    return world, place


def test_a_cancel_is_asked_again_every_five_seconds_until_the_end_shows() -> None:
    world, place = working()
    world.cancel("7", 2)
    world.run(3, 14, world.shown(place))
    asked = [at for at, request in world.wire.sent if isinstance(request, Cancel)]
    # The first is unanswered for ten seconds: it may be on its way still.
    assert asked == [second(2), second(12)]
    world.reply(world.last(Cancel), Outcome.REJECTED, code="cannot_update_order")
    world.run(15, 20, world.shown(place))
    assert len(world.wire.all(Cancel)) == 3


def test_a_lost_replacement_is_told_and_asked_again_as_a_durable_attempt() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.reply(world.last(Replace), Outcome.UNKNOWN, code="timeout")
    world.run(11, 19, world.shown(place))
    assert world.kinds() == ["OrderAccepted", "OrderUnknown"]
    world.run(20, 21, world.shown(place))
    (retried,) = [n for n in world.news if isinstance(n, ev.OrderRetried)]
    assert (retried.attempt, retried.why, retried.at) == (3, "a new limit was lost", second(20))
    again = world.last(Replace)
    assert (again.tag, again.order, again.limit) == ("0badcafe-3-7-3", "B1", Decimal("4.90"))
    world.reply(again, Outcome.ACCEPTED, world.shown(again))
    world.step(22)
    # The same order is replaced once only: the attempt in question is over.
    assert world.kinds()[-1] == "OrderAccepted"


def test_a_planned_replacement_is_dropped_when_its_order_has_ended_meanwhile() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.reply(world.last(Replace), Outcome.REJECTED, code="no")
    world.run(11, 19, world.shown(place))
    world.report(world.shown(place, Status.CANCEL_REQUESTED))
    world.run(20, 30, world.shown(place))
    assert len(world.wire.all(Replace)) == 1


def test_no_new_limit_goes_out_while_the_market_denies_it_or_a_change_is_under_way() -> None:
    world, place = working()
    world.reprice("7", "3.00", 10)
    world.step(11)
    assert not world.wire.all(Replace)
    world.reprice("7", "4.90", 12)
    world.cancel("7", 12)
    world.reprice("7", "4.80", 21)
    assert len(world.wire.all(Replace)) == 1
    world.report(world.shown(place, Status.REPLACE_REQUESTED))
    world.run(22, 40)
    assert len(world.wire.all(Replace)) == 1


def test_a_replaced_order_that_fills_first_is_filled_once() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    change = world.last(Replace)
    world.reply(change, Outcome.ACCEPTED, world.shown(change, Status.CONTINGENT))
    world.report(world.shown(place, Status.FILLED, both(2)))
    world.report(world.shown(change, Status.CANCELLED))
    world.step(11)
    assert world.kinds() == ["OrderAccepted", "OrderFilled"]
    assert world.book.positions["7"].units == 2


def test_a_restart_after_a_new_limit_finds_the_attempt_before_it() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.restart()
    world.step(12)
    assert world.kinds()[-1] == "OrderUnknown"
    world.run(13, 16, world.shown(place))
    assert world.desk.courses["7"].phase is Phase.WORKING
    world.cancel("7", 20)
    world.reply(world.last(Cancel), Outcome.ACCEPTED, world.shown(place, Status.CANCELLED))
    world.run(21, 30, world.shown(place, Status.CANCELLED))
    assert world.kinds()[-1] == "OrderCancelled"


# ------------------------------------------------------------------------------------------ closes in doubt

HELD = ((SHORT, -2), (LONG, 2))


def holding(**options: object) -> World:
    world, place = working(options=options)
    world.report(world.shown(place, Status.FILLED, both(2)))
    world.step(2)
    world.held = HELD
    return world


def lost_close(**changes: object) -> World:
    world = holding()
    world.submit(closing(**changes), 3)
    world.reply(world.last(Place), Outcome.UNKNOWN, code="timeout")
    return world


@pytest.mark.parametrize(("urgency", "wait"), [(Urgency.STOP, 15), (Urgency.RULE, 30), (Urgency.TARGET, 60)])
def test_a_close_is_repeated_after(urgency: Urgency, wait: int) -> None:
    world = lost_close(urgency=urgency)
    world.run(4, 3 + wait)
    assert len(world.wire.all(Place)) == 2
    world.run(4 + wait, 20 + wait)
    assert len(world.wire.all(Place)) == 3
    again = world.last(Place)
    assert again.tag == "0badcafe-3-20-2"
    assert (again.units, again.limit, again.strict, again.opens) == (2, Decimal("-5.00"), True, False)
    assert again.good_till_cancelled is (urgency is Urgency.TARGET)
    (retried,) = [n for n in world.news if isinstance(n, ev.OrderRetried)]
    assert retried.why == "not found, its position is there, and nothing works on it"


@pytest.mark.parametrize("held", [(), ((SHORT, -1), (LONG, 2)), ((SHORT, -2), (LONG, -2))])
def test_a_close_is_not_repeated_without_its_position(held: tuple[tuple[Option, int], ...]) -> None:
    world = lost_close()
    world.held = held
    world.run(4, 120)
    assert len(world.wire.all(Place)) == 2


def test_a_close_is_not_repeated_while_anything_works_on_its_contracts() -> None:
    world = lost_close()
    other = world.shown(Place("k", "", SPREAD.legs[:1], 1, Decimal(5), opens=True), id_="F1")
    world.run(4, 120, other)
    assert len(world.wire.all(Place)) == 2
    world.run(121, 130, replace_(other, status=Status.CANCELLED))
    assert len(world.wire.all(Place)) == 3


def test_a_close_in_doubt_that_should_make_way_is_worked_on_until_it_fills() -> None:
    world = lost_close()
    world.cancel("20", 5)
    world.run(6, 60)
    again = world.last(Place)
    assert again.tag == "0badcafe-3-20-2"
    world.reply(again, Outcome.ACCEPTED, world.shown(again))
    world.run(61, 65, world.shown(again))
    world.reprice("20", "-5.20", 80)
    assert world.last(Replace).limit == Decimal("-5.20")
    assert not world.wire.all(Cancel)


def test_a_close_is_not_repeated_after_the_session() -> None:
    world = holding()
    close = int(5.5 * 3600)
    world.submit(closing(), close - 5)
    world.reply(world.last(Place), Outcome.UNKNOWN)
    world.run(close - 4, close + 200)
    assert len(world.wire.all(Place)) == 2


# ------------------------------------------------------------------------------------------ uneven legs


def torn(units: int = 2, status: Status = Status.PARTIALLY_REMOVED) -> tuple[World, BrokerOrder]:
    """Two of the short leg sold, none of the long bought, and no more comes."""
    world, place = working()
    shown = world.shown(place, status, both(units)[:1], fees="2.00")
    world.report(shown)
    world.held = ((SHORT, -units),)
    return world, shown


def remedied(world: World, shown: BrokerOrder, since: int) -> int:
    """When the first remedy went out, seconds."""
    when = since
    while len(world.wire.all(Place)) == 1:
        world.step(when)
        world.answer_searches(shown)
        when += 1
    return when - 1


def test_odd_legs_of_an_opening_are_traded_back_within_half_a_minute() -> None:
    world, shown = torn()
    world.run(2, 20, shown)
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)][-1] == "unwind"
    remedies = world.wire.all(Place)[1:]
    assert len(remedies) == 1
    (back,) = remedies
    assert (back.tag, back.legs, back.units, back.opens) == ("0badcafe-3-7-2", (Leg(SHORT, 1),), 2, False)
    # The mid is 9.00, half the spread 0.05: two of them beyond it.
    assert back.limit == Decimal("-9.10")
    sent = next(at for at, r in world.wire.sent if r is back)
    assert second(12) <= sent <= second(16)
    done = world.shown(
        back, Status.FILLED, (Execution("u", SHORT, 2, Decimal("9.10"), second(18)),), fees="1.00"
    )
    world.report(done)
    world.held = ()
    world.run(21, 30, shown, done)
    (unwound,) = [n for n in world.news if isinstance(n, ev.LegsUnwound)]
    # Sold two at 9.00, bought two at 9.10: $20 lost; $3.00 of fees.
    assert (unwound.dollars, unwound.fees) == (Decimal("-20.00"), Decimal("3.00"))
    assert unwound.detail.startswith("-2 SPXW 2031-03-07 P5700 at 9.00, +2 SPXW 2031-03-07 P5700 at 9.10")
    assert world.book.cash == Decimal(100_000) - 23
    assert not world.book.orders
    assert not world.book.positions


def test_a_remedy_that_does_not_fill_makes_way_for_a_keener_one() -> None:
    world, shown = torn()
    world.run(2, 20, shown)
    back = world.last(Place)
    live = world.shown(back)
    world.reply(back, Outcome.ACCEPTED, live)
    world.run(21, 22, shown, live)
    cancel = world.last(Cancel)
    assert cancel.order == "B2"
    gone = world.shown(back, Status.CANCELLED)
    world.reply(cancel, Outcome.ACCEPTED, gone)
    world.run(23, 26, shown, gone)
    keener = world.last(Place)
    assert (keener.tag, keener.limit) == ("0badcafe-3-7-3", Decimal("-9.15"))
    (level,) = [n for n in world.news if isinstance(n, ev.LevelChanged)]
    assert level.detail == "order 7 has had uneven legs for 15 s"


def test_legs_that_only_come_late_are_waited_for() -> None:
    world, shown = torn(status=Status.FILLED)
    world.run(2, 8, shown)
    whole = replace_(shown, executions=both(2))
    world.run(9, 12, whole)
    assert world.kinds() == ["OrderAccepted", "OrderFilled"]
    assert len(world.wire.all(Place)) == 1


def test_nothing_is_traded_back_while_positions_say_otherwise() -> None:
    world, shown = torn()
    world.held = ((SHORT, -2), (LONG, 2))
    world.run(2, 28, shown)
    assert len(world.wire.all(Place)) == 1
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)] == ["wait"]


def test_called_filled_with_a_leg_missing_for_good_is_traded_back_when_positions_agree() -> None:
    world, shown = torn(status=Status.FILLED)
    world.run(2, 25, shown)
    back = world.last(Place)
    assert isinstance(back, Place)
    done = world.shown(back, Status.FILLED, (Execution("u", SHORT, 2, Decimal("9.00"), second(18)),))
    world.held = ()
    world.run(26, 40, shown, done)
    assert world.kinds()[-1] == "LegsUnwound"


def test_an_order_that_still_works_with_odd_legs_is_cancelled_first() -> None:
    world, shown = torn(status=Status.LIVE)
    world.run(2, 16, shown)
    assert world.last(Cancel).order == "B1"
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)] == ["cancel"]
    assert len(world.wire.all(Place)) == 1


def test_without_a_quote_uneven_legs_wait() -> None:
    world, shown = torn()
    world.mids.clear()
    world.run(2, 25, shown)
    assert len(world.wire.all(Place)) == 1
    world.mids.update(MIDS)
    world.run(26, 27, shown)
    assert len(world.wire.all(Place)) == 2


@pytest.mark.parametrize(("others", "waits"), [(0, 6), (-1, 10)])
def test_a_remedy_in_question_is_repeated_when_the_legs_are_still_there(others: int, waits: int) -> None:
    # Where nothing else holds the contract, a second one of two is refused (T6): six seconds are enough.
    world, shown = torn()
    if others:
        world.record(ev.ForeignChanged(START, SHORT, others))
        world.held = ((SHORT, -2 + others),)
    when = remedied(world, shown, 2)
    world.reply(world.last(Place), Outcome.UNKNOWN)
    world.run(when + 1, when + waits - 1, shown)
    assert len(world.wire.all(Place)) == 2
    world.run(when + waits, when + waits + 2, shown)
    assert len(world.wire.all(Place)) == 3


def waiting_for_the_budget(world: World, shown: BrokerOrder) -> Place:
    """The first remedy was answered by nothing, and the next is durable and may not leave yet."""
    when = remedied(world, shown, 2)
    first = world.last(Place)
    world.reply(first, Outcome.REJECTED, code="refused")
    for second_ in range(when + 1, when + 20):
        world.now = second(second_)
        retried = [n for n in world.desk.news(world.book, world.now) if isinstance(n, ev.OrderRetried)]
        world.answer_searches(shown)
        if retried:
            world.record(retried[0])
            return first
    raise AssertionError("the next remedy was never planned")


def test_a_remedy_that_waited_is_dropped_when_the_one_before_has_filled_after_all() -> None:
    world, shown = torn()
    first = waiting_for_the_budget(world, shown)
    done = world.shown(first, Status.FILLED, (Execution("u", SHORT, 2, Decimal("9.10"), second(18)),))
    world.held = ()
    world.report(done)
    world.run(30, 40, shown, done)
    assert len(world.wire.all(Place)) == 2
    assert world.kinds()[-1] == "LegsUnwound"


def test_a_remedy_that_waited_is_dropped_when_the_one_before_works_after_all() -> None:
    world, shown = torn()
    first = waiting_for_the_budget(world, shown)
    world.report(world.shown(first))
    world.step(30)
    assert len(world.wire.all(Place)) == 2


def test_a_remedy_that_waited_leaves_when_it_still_fits() -> None:
    world, shown = torn()
    waiting_for_the_budget(world, shown)
    world.step(30)
    assert [p.tag for p in world.wire.all(Place)][1:] == ["0badcafe-3-7-2", "0badcafe-3-7-3"]


def test_a_repeated_close_that_waited_is_dropped_when_the_first_works_after_all() -> None:
    world = lost_close()
    first = world.last(Place)
    world.run(4, 33)
    world.answer_searches()
    for when in range(34, 60):
        world.now = second(when)
        told = world.desk.news(world.book, world.now)
        world.answer_searches()
        if any(isinstance(n, ev.OrderRetried) for n in told):
            world.record(next(n for n in told if isinstance(n, ev.OrderRetried)))
            break
    world.report(world.shown(first))
    world.step(60)
    assert len(world.wire.all(Place)) == 2


def refused_once_more(world: World, shown: BrokerOrder, when: int) -> int:
    """The last remedy is refused; when the next went out."""
    many = len(world.wire.all(Place))
    world.reply(world.last(Place), Outcome.REJECTED, code="position_effect_invalid")
    while len(world.wire.all(Place)) == many:
        when += 1
        world.step(when)
        world.answer_searches(shown)
    return when


def test_remedies_that_are_refused_follow_each_other_ever_more_slowly() -> None:
    world, shown = torn()
    times = [remedied(world, shown, 2)]
    for _ in range(9):
        times.append(refused_once_more(world, shown, times[-1]))
    gaps = [after - before for before, after in pairwise(times)]
    # Nothing, a second, three, seven, fifteen at most, until positions are asked for; one more until told.
    assert gaps == [2, 2, 4, 8, 16, 16, 16, 16, 16]


def test_remedies_that_can_give_no_more_than_the_one_before_follow_more_slowly() -> None:
    world, shown = torn()
    sent = [remedied(world, shown, 2)]
    gone: list[BrokerOrder] = []
    limits = []
    for _ in range(5):
        last, many = world.last(Place), len(world.wire.all(Cancel))
        limits.append(last.limit)
        live = world.shown(last)
        world.reply(last, Outcome.ACCEPTED, live)
        when = sent[-1]
        while len(world.wire.all(Cancel)) == many:
            when += 1
            world.step(when)
            world.answer_searches(shown, *gone, live)
        sent.append(when)
        gone.append(world.shown(last, Status.CANCELLED))
        world.reply(world.last(Cancel), Outcome.ACCEPTED, gone[-1])
        while world.last(Place) is last:
            when += 1
            world.step(when)
            world.answer_searches(shown, *gone)
        sent.append(when)
    # A fifth of 9.00 from the mid, and not only four half-spreads of 0.05.
    assert limits == [Decimal(x) for x in ("-9.10", "-9.15", "-10.80", "-10.80", "-10.80")]
    stood = [end - start for start, end in zip(sent[::2], sent[1::2], strict=False)]
    assert stood == [6, 6, 6, 12, 12]


def test_a_cancel_that_the_next_remedy_waits_for_is_sent_every_two_seconds_until_it_is_heard() -> None:
    world, shown = torn()
    when = remedied(world, shown, 2)
    live = world.shown(world.last(Place))
    world.reply(world.last(Place), Outcome.ACCEPTED, live)
    world.run(when + 1, when + 11, shown, live)
    asked_ = [at for at, r in world.wire.sent if isinstance(r, Cancel)]
    assert asked_ == [second(when + n) for n in (6, 8, 10)]
    ending = world.shown(world.last(Place), Status.CANCEL_REQUESTED)
    for cancel in world.wire.all(Cancel):
        world.reply(cancel, Outcome.ACCEPTED, ending)
    world.run(when + 12, when + 17, shown, ending)
    assert [at for at, r in world.wire.sent if isinstance(r, Cancel)][3:] == [second(when + 15)]


def test_a_remedy_works_on_while_nothing_has_a_price() -> None:
    world, shown = torn()
    when = remedied(world, shown, 2)
    live = world.shown(world.last(Place))
    world.reply(world.last(Place), Outcome.ACCEPTED, live)
    world.mids.clear()
    world.run(when + 1, when + 30, shown, live)
    assert not world.wire.all(Cancel)
    world.mids.update(MIDS)
    world.step(when + 31)
    assert len(world.wire.all(Cancel)) == 1


def test_legs_of_a_remedy_that_only_come_late_are_waited_for() -> None:
    # Three legs of a condor are left; the two shorts are bought back, and one of them is told first.
    call = Option("SPXW", FRIDAY, Right.CALL, Decimal(5800), Decimal(100), Decimal("0.05"))
    world = World(mids=MIDS | {call: 6.0}).synced()
    structure = Structure("torn", (*SPREAD.legs, Leg(call, -1)))
    world.submit(order(parts=(Part("torn", structure),), limit=Decimal("11.00")))
    sold = tuple(execution(f"x{n}", leg, 2, "6.00") for n, leg in enumerate(structure.legs) if leg.ratio < 0)
    shown = world.shown(world.last(Place), Status.PARTIALLY_REMOVED, sold)
    world.reply(world.last(Place), Outcome.ACCEPTED, shown)
    world.held = ((SHORT, -2), (call, -2))
    when = remedied(world, shown, 2)
    back = world.last(Place)
    assert back.legs == (Leg(SHORT, 1), Leg(call, 1))
    first = world.shown(back, Status.FILLED, (execution("u", Leg(SHORT, 1), 2, "9.10"),))
    world.reply(back, Outcome.ACCEPTED, first)
    world.held = ((call, -2),)
    # Two and a half seconds a leg.
    world.run(when + 1, when + 5, shown, first)
    assert len(world.wire.all(Place)) == 2
    world.run(when + 6, when + 8, shown, first)
    assert world.last(Place).legs == (Leg(call, 1),)


@pytest.mark.parametrize("late", [1, 2])
def test_a_remedy_of_more_than_is_odd_is_ended_at_once(late: int) -> None:
    world, shown = torn()
    when = remedied(world, shown, 2)
    live = world.shown(world.last(Place))
    world.reply(world.last(Place), Outcome.ACCEPTED, live)
    world.answer_searches(shown, live)
    world.step(when + 1)
    assert not world.wire.all(Cancel)
    # One long leg or both were bought by a print that comes late: so many shorts have their unit.
    world.report(
        replace_(shown, executions=(*shown.executions, execution("late", SPREAD.legs[1], late, "4.00")))
    )
    world.step(when + 2)
    assert len(world.wire.all(Cancel)) == 1


def test_a_remedy_that_has_filled_in_part_works_on() -> None:
    world, shown = torn()
    when = remedied(world, shown, 2)
    half = world.shown(world.last(Place), Status.LIVE, (execution("u", Leg(SHORT, 1), 1, "9.10"),))
    world.reply(world.last(Place), Outcome.ACCEPTED, half)
    world.run(when + 1, when + 4, shown, half)
    assert not world.wire.all(Cancel)


def test_a_close_that_filled_one_leg_is_completed() -> None:
    world = holding()
    world.submit(closing(), 3)
    place = world.last(Place)
    shown = world.shown(place, Status.CANCELLED, both(2, "c", of=SPREAD.inverse())[:1])
    world.reply(place, Outcome.ACCEPTED, shown)
    world.held = ((LONG, 2),)
    world.run(4, 20, shown)
    rest = world.last(Place)
    assert (rest.tag, rest.legs, rest.units) == ("0badcafe-3-20-2", (Leg(LONG, -1),), 2)
    sold = (Execution("d", LONG, -2, Decimal("3.90"), second(20)),)
    done = world.shown(rest, Status.FILLED, sold)
    world.report(done)
    world.step(21)
    filled = world.news[-1]
    assert isinstance(filled, ev.OrderFilled)
    assert filled.fill.leg_prices == (Decimal("9.00"), Decimal("3.90"))
    assert not world.book.positions["7"].open_components


def test_a_torn_close_whose_other_leg_somebody_closed_ends_and_its_legs_are_left() -> None:
    # It has bought back the short ones; by hand the long ones were sold: nothing that it lacks is there.
    compare = Unsure(unsure=False)
    world = holding(compare=compare)
    world.submit(closing(), 3)
    place = world.last(Place)
    shown = world.shown(place, Status.REMOVED, both(2, "c", of=SPREAD.inverse())[:1])
    world.reply(place, Outcome.ACCEPTED, shown)
    world.held = ()
    compare.end_first = ("20",)
    world.run(4, 80, shown)
    assert len(world.wire.all(Place)) == 2
    assert "OrderCancelled" in world.kinds()
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)][-1] == "leave"


def test_a_torn_close_buys_back_what_is_short_though_its_long_leg_was_closed_by_hand() -> None:
    compare = Unsure(unsure=False)
    world = holding(compare=compare)
    world.submit(closing(), 3)
    place = world.last(Place)
    # One of the long ones was sold, the other went by hand; both short ones are there.
    sold = (Execution("s", LONG, -1, Decimal("3.90"), second(3)),)
    shown = world.shown(place, Status.REMOVED, sold)
    world.reply(place, Outcome.ACCEPTED, shown)
    world.held = ((SHORT, -2),)
    compare.end_first = ("20",)
    world.run(4, 80, shown)
    remedy = world.wire.all(Place)[2]
    assert (remedy.legs, remedy.units, remedy.opens) == ((Leg(SHORT, 1),), 1, False)


def test_a_torn_close_trades_only_what_of_its_legs_is_there_and_ends_where_somebody_did_the_rest() -> None:
    # Two were to be closed: both short ones are bought back, one long one is sold by hand.  A strict close of
    # two long ones would be refused for ever (seed 514).
    world = holding()
    world.submit(closing(), 3)
    place = world.last(Place)
    shown = world.shown(place, Status.REMOVED, both(2, "c", of=SPREAD.inverse())[:1])
    world.reply(place, Outcome.ACCEPTED, shown)
    world.held = ((LONG, 1),)
    world.record(ev.ForeignChanged(second(3), LONG, -1))
    world.run(4, 16, shown)
    remedy = world.last(Place)
    assert (remedy.legs, remedy.units) == ((Leg(LONG, -1),), 1)
    filled = world.shown(remedy, Status.FILLED, (Execution("r", LONG, -1, Decimal("4.00"), second(16)),))
    world.held = ()
    world.reply(remedy, Outcome.ACCEPTED, filled)
    world.run(17, 80, shown, filled)
    # One unit is whole, with its fill; of the other the leg that was sold by hand is foreign, and it ends.
    assert [n.fill.units for n in world.news if isinstance(n, ev.OrderFilled)][1:] == [1]
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)][-1] == "leave"
    assert "OrderCancelled" in world.kinds()
    assert len(world.wire.all(Place)) == 3


def test_a_torn_close_that_somebody_finished_ends_though_an_attempt_of_it_was_never_found() -> None:
    # The first attempt is lost; the second buys the short ones back, and the long ones are sold by hand.  If
    # the first came now it would be refused: there is nothing to close.
    world = lost_close()
    world.run(4, 40)
    again = world.last(Place)
    assert again.tag == "0badcafe-3-20-2"
    torn = world.shown(again, Status.REMOVED, both(2, "c", of=SPREAD.inverse())[:1])
    world.held = ()
    world.record(ev.ForeignChanged(second(40), LONG, -2))
    world.reply(again, Outcome.ACCEPTED, torn)
    world.run(41, 120, torn)
    assert world.last(Place) == again
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)][-1] == "leave"
    assert "OrderCancelled" in world.kinds()


def test_odd_legs_that_nobody_takes_end_with_the_day() -> None:
    world, place = working()
    shown = world.shown(place, Status.CANCELLED, both(2)[1:])
    world.report(shown)
    close = int(5.5 * 3600)
    world.run(close + 300, close + 310, shown)
    assert "OrderCancelled" in world.kinds()
    assert world.desk.courses["7"].phase is Phase.CANCELLED


# ------------------------------------------------------------------------------------------ looking


def asked(world: World, kind: type) -> list[float]:
    return [(at - START).total_seconds() for at, request in world.wire.sent if isinstance(request, kind)]


def test_open_orders_are_read_every_five_seconds_and_positions_every_minute() -> None:
    world, place = working()
    world.run(2, 130, world.shown(place))
    orders = [at for at in asked(world, FindOrders) if at > 5]
    assert {b - a for a, b in pairwise(orders)} == {5.0}
    positions = [at for at in asked(world, FindPositions) if at > 0]
    assert {b - a for a, b in pairwise(positions)} == {60.0}


def test_an_order_in_doubt_for_long_does_not_slow_the_searches_for_another() -> None:
    # Two sold, and one order more that no search ever shows; after a minute it is searched for every 15 s.
    world, place = working()
    world.submit(order(id="8", position="8", strategy="other"), 1)
    world.reply(world.last(Place), Outcome.UNKNOWN, code="502")
    live = world.shown(place)
    world.run(2, 300, live)
    assert world.desk.courses["8"].phase is Phase.UNKNOWN
    searched = [at for at in asked(world, FindOrders) if at > 70]
    assert {b - a for a, b in pairwise(searched)} == {5.0}
    # So its end is confirmed in five seconds, and not in fifteen.
    world.report(world.shown(place, Status.REMOVED))
    world.run(301, 307, world.shown(place, Status.REMOVED))
    assert world.kinds()[-1] == "OrderCancelled"


def test_what_became_foreign_after_the_close_is_looked_at_until_it_has_ended() -> None:
    def compare(_: Account, now: datetime) -> list[ev.BrokerNews]:
        if told:
            return []
        told.append(now)
        return [ev.ForeignChanged(now, LONG, 1)]

    told: list[datetime] = []
    world = World(options={"compare": compare})
    close = int(5.5 * 3600)
    world.run(close + 400, close + 404)
    assert world.book.foreign == {LONG: 1}
    # The book has it since the desk was asked last: it wants to be asked again, and then looks every minute.
    when = next((at - START).total_seconds() for at in told)
    assert world.desk.next_wake(second(when)) is not None
    world.run(close + 405, close + 600)
    assert {b - a for a, b in pairwise(asked(world, FindPositions)[-3:])} == {60.0}


def test_without_open_orders_positions_alone_are_read_and_nothing_at_night() -> None:
    world = World().synced()
    world.run(0, 310)
    # What a process before it sent may take two minutes to show.
    searched = [at for at in asked(world, FindOrders) if at > 0]
    assert len(searched) == 5
    assert searched[-1] < 180
    assert len([at for at in asked(world, FindPositions) if at > 0]) == 5
    assert world.desk.next_wake(second(311)) is not None
    night = 8 * 3600
    before = len(world.wire.sent)
    world.run(night, night + 100)
    assert len(world.wire.sent) == before
    assert world.desk.next_wake(second(night + 101)) is None


def test_it_wakes_soon_while_something_is_under_way_and_else_for_the_next_look() -> None:
    world = World()
    assert world.desk.next_wake(START) == START
    world.submit(order())
    assert world.desk.next_wake(START) == second(1)
    world, place = working()
    world.run(2, 7, world.shown(place))
    world.step(8)
    last = asked(world, FindOrders)[-1]
    assert world.desk.next_wake(second(8)) == second(last + 5)
    world.cancel("7", 8)
    assert world.desk.next_wake(second(8)) == second(9)


def test_a_new_limit_wakes_it_when_the_one_before_has_stood_for_its_time() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.run(1, 6, world.shown(place))
    world.reprice("7", "4.90", 6.2)
    world.step(6.5)
    look = asked(world, FindOrders)[-1] + 5
    assert look > 8
    # The first limit left at 0 and stands for eight seconds.
    assert world.desk.next_wake(second(6.5)) == second(8)
    world.reprice("7", "5.00", 6.8)
    assert world.desk.next_wake(second(6.8)) == second(look)


def test_a_target_that_rests_is_left_alone_over_the_night() -> None:
    world = holding()
    world.submit(closing(urgency=Urgency.TARGET, limit=Decimal("-2.50")), 3)
    place = world.last(Place)
    assert place.good_till_cancelled
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.run(4, 6, world.shown(place))
    world.step(6.5)
    assert world.desk.next_wake(second(8 * 3600)) is None


@pytest.mark.parametrize("days", [0, 3])
def test_a_target_called_filled_on_another_day_waits_for_its_executions(days: int) -> None:
    world = holding()
    world.submit(closing(urgency=Urgency.TARGET, limit=Decimal("-2.50")), 3)
    place = world.last(Place)
    live = world.shown(place)
    world.reply(place, Outcome.ACCEPTED, live)
    world.run(4, 6, live)
    began = days * 86400 + 60
    world.run(began, began + 2, live)
    # Called filled before any execution is told (T5), then after the first leg's.
    back = SPREAD.inverse()
    none, first = world.shown(place, Status.FILLED), world.shown(place, Status.FILLED, both(2, of=back)[:1])
    world.report(none)
    world.run(began + 3, began + 5, none)
    world.report(first)
    world.run(began + 6, began + 7, first)
    assert "OrderCancelled" not in world.kinds(), "a second close would be sent for what is closed already"
    whole = world.shown(place, Status.FILLED, both(2, of=back))
    world.report(whole)
    world.run(began + 8, began + 9, whole)
    assert "OrderFilled" in world.kinds()
    assert "20" in world.book.ended
    assert "LateFill" not in world.kinds()


def test_after_a_429_no_request_leaves_before_the_backoff() -> None:
    world, place = working()
    world.run(2, 4, world.shown(place))
    world.reprice("7", "4.90", 10)
    world.reply(world.last(Replace), Outcome.UNKNOWN, code="429")
    world.step(11)
    world.cancel("7", 11.5)
    assert not world.wire.all(Cancel)
    world.step(12)
    assert len(world.wire.all(Cancel)) == 1


def refused_searches(world: World, first: int, last: int) -> list[float]:
    """When requests left while every one is answered by a 503."""
    many = len(world.wire.sent)
    for when in range(first, last + 1):
        world.step(when)
        for _, request in world.wire.sent[world.answered :]:
            world.reply(request, Outcome.UNKNOWN, code="503")
        world.answered = len(world.wire.sent)
    return sorted({(at - START).total_seconds() for at, _ in world.wire.sent[many:]})


def test_while_odd_legs_wait_an_ill_broker_is_asked_every_five_seconds() -> None:
    world, _ = torn()
    times = refused_searches(world, 2, 150)
    assert max(b - a for a, b in pairwise(times)) == 6
    world, _ = working()
    times = refused_searches(world, 2, 150)
    assert max(b - a for a, b in pairwise(times)) >= 30


def test_answers_of_another_process_and_old_searches_change_nothing() -> None:
    world = World().synced()
    world.wire.told.append(Reply("ffff-1:1", START, Outcome.ACCEPTED))
    world.step(0)
    world.held = HELD
    world.run(1, 61)
    assert world.desk.account().held(SHORT) == -2
    first = next(r for _, r in world.wire.sent if isinstance(r, FindPositions))
    world.wire.told.append(Reply(first.key, START, Outcome.ACCEPTED))
    world.step(62)
    assert world.desk.account().held(SHORT) == -2


def test_positions_that_were_read_are_compared_once() -> None:
    seen = []

    def compare(account: Account, now: datetime) -> list[ev.BrokerNews]:
        seen.append((now, account.held(SHORT)))
        return [ev.Reconciled(now, ("a difference",))]

    world = World(options={"compare": compare})
    world.held = HELD
    world.synced()
    assert [held for _, held in seen] == [-2]
    assert world.kinds() == ["Reconciled"]
    assert world.desk.account().expected(SHORT) == 0
    assert not world.desk.account().agrees_on([SHORT])


@dataclass
class Unsure:
    """Compares as ``execution.comparing`` does: wants a second look, and names what must end first."""

    seen: list[tuple[datetime | None, datetime | None]] = field(default_factory=list)
    unsure: bool = True
    end_first: tuple[str, ...] = ()
    waits: bool = False

    def __call__(self, account: Account, now: datetime) -> list[ev.BrokerNews]:
        self.seen.append((account.asked, account.found_asked))
        return []


def test_a_difference_is_compared_again_with_orders_and_transactions_that_were_read_since() -> None:
    compare = Unsure()
    world = World(options={"compare": compare}).synced()
    world.run(0, 40)
    times = [(a - START, f - START) for a, f in compare.seen if a is not None and f is not None]
    assert len(times) >= 2
    # Positions of one look are older than the orders that the next is judged with.
    assert all(found >= before for (before, _), (_, found) in pairwise(times))


def test_a_difference_waits_for_orders_that_were_read_since() -> None:
    compare = Unsure()
    world = World(options={"compare": compare}).synced()
    for when in range(10):
        world.step(when)
        for _, request in world.wire.sent[world.answered :]:
            if isinstance(request, FindPositions | FindTransactions):
                told = Reply(request.key, world.now, Outcome.ACCEPTED, positions=Positions((), Decimal(1)))
                world.wire.told.append(told)
        world.answered = len(world.wire.sent)
    # The search answered last was asked at -2 s: positions read after that are compared once with it.
    assert len({asked for asked, _ in compare.seen if asked is not None and asked > second(0)}) <= 1


def test_orders_on_contracts_that_are_gone_end_first() -> None:
    compare = Unsure(unsure=False)
    world, _ = working(options={"compare": compare})
    compare.end_first = ("7",)
    world.run(2, 65)
    assert world.desk.courses["7"].cancelling


def test_expiries_and_assignments_come_from_transactions() -> None:
    world = holding()
    assert world.desk.expired([SHORT], second(3)) == []
    assert len(world.wire.all(FindTransactions)) == 1
    world.desk.assigned([SHORT], second(4))
    assert len(world.wire.all(FindTransactions)) == 1
    told = Transaction("T", Kind.ASSIGNED, second(0), Decimal(-2000), Decimal(10), SHORT, -2, Decimal(5690))
    world.step(5)
    world.answer_searches(transactions=(told,))
    world.step(6)
    assert world.desk.expired([SHORT], second(7))[0].dollars == Decimal(1000)
    assert world.desk.assigned([SHORT], second(7))[0].fee == Decimal(5)
    assert world.desk.assigned([LONG], second(7)) == []
    world.run(8, 40)
    assert asked(world, FindTransactions) == [3.0]  # within a session every ten minutes


def test_after_the_close_it_is_asked_every_half_minute_whether_the_broker_has_settled() -> None:
    world = holding()
    close = 5.5 * 3600
    world.run(int(close), int(close) + 1)
    assert world.desk.expired([SHORT, LONG], second(close + 2)) == []
    first = asked(world, FindTransactions)[-1]
    assert world.desk.next_wake(second(close + 11)) is not None
    world.run(int(close) + 3, int(close) + 70)
    assert asked(world, FindTransactions)[-2:] == [first + 30, first + 60]
    wake = world.desk.next_wake(second(close + 71))
    assert wake == second(first + 90)
    for role, legs in (("put side", (SHORT, LONG)),):
        world.record(ev.Settled(second(close + 72), "7", role, legs, Decimal(5750), Decimal(0), Decimal(0)))
    world.step(close + 73)
    assert world.desk.next_wake(second(close + 80)) is None


def test_foreign_contracts_that_expire_are_looked_at_until_they_are_gone() -> None:
    world = World().synced()
    world.record(ev.ForeignChanged(second(0), SHORT, -1))
    close = 5.5 * 3600
    world.run(int(close), int(close) + 1)
    looks = len(world.wire.all(FindPositions))
    world.run(int(close) + 2, int(close) + 62)
    assert len(world.wire.all(FindPositions)) == looks + 1
    world.record(ev.ForeignChanged(second(close), SHORT, 0))
    world.step(close + 63)
    assert world.desk.next_wake(second(close + 64)) is None


def test_nothing_leaves_a_new_process_before_a_search_was_answered() -> None:
    world = holding()
    world.restart()
    world.submit(closing(), 5)
    world.run(5, 5)
    world.step(6)
    sent = len(world.wire.all(Place))
    world.step(7)
    assert len(world.wire.all(Place)) == sent == 1
    world.answer_searches()
    world.step(8)
    assert len(world.wire.all(Place)) == 2


def test_a_restored_book_is_found_stale_though_it_has_grown_since() -> None:
    world = World()
    world.desk.news(world.book, second(-10))
    for n in range(30):
        world.record(ev.Noted(second(-10), f"friday.{n}", "1"))
    # Event 105 of this book is a note; of the one before it was an order.
    world.report(world.shown(Place("k", "0badcafe-2-105-1", SPREAD.legs, 1, Decimal(5), opens=True)))
    world.step(-9)
    assert world.book.levels["trading"] == "HALTED"
    assert "order 105, the book ends at event 100" in (world.desk.hold(second(-9)) or "")


def test_what_ended_in_an_earlier_session_is_forgotten_unless_it_works_on() -> None:
    world = World().synced()
    world.submit(order())
    world.reply(world.last(Place), Outcome.REJECTED, text="no")
    world.step(1)
    assert "7" in world.desk.courses
    world.record(ev.SessionBegan(second(2), FRIDAY))
    world.step(2)
    assert "7" not in world.desk.courses


def test_a_ghost_is_kept_in_sight_until_it_is_gone() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.REJECTED, text="no")
    world.step(1)
    world.report(world.shown(place))
    world.step(1.5)
    assert world.last(Cancel).order == "B1"
    world.record(ev.SessionBegan(second(2), FRIDAY))
    world.run(2, 8, world.shown(place))
    assert world.desk.next_wake(second(8)) == second(9)
    world.report(world.shown(place, Status.CANCELLED))
    world.run(9, 10)
    assert "7" not in world.desk.courses


def test_the_key_of_every_request_is_new() -> None:
    world, place = working()
    world.run(2, 60, world.shown(place))
    keys = [request.key for _, request in world.wire.sent]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("0badcafe-3:") for key in keys)


# ------------------------------------------------------------------------------------------ seldom


def printed_late() -> tuple[World, BrokerOrder]:
    """The broker refused the order, and nine seconds later shows the short leg of one unit filled."""
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    world.reply(place, Outcome.REJECTED, text="no")
    world.step(1)
    shown = world.shown(place, Status.CANCELLED, both(1)[:1])
    world.held = ((SHORT, -1),)
    world.report(shown)
    return world, shown


def test_odd_legs_of_a_late_print_are_told_and_traded_back() -> None:
    world, shown = printed_late()
    (told,) = world.step(10)
    assert isinstance(told, ev.LegsUneven)
    assert (told.action, told.detail) == ("wait", "after its end: -1 SPXW 2031-03-07 P5700")
    assert world.desk.next_wake(second(10)) == second(11)
    assert world.desk.account().expected(SHORT) == -1
    world.run(11, 19, shown)
    assert "7" not in world.book.orders
    world.run(20, 26, shown)
    assert world.book.orders["7"].cancelling
    back = world.last(Place)
    assert (back.tag, back.opens, back.units) == ("0badcafe-3-7-2", False, 1)
    assert [(leg.contract, leg.ratio) for leg in back.legs] == [(SHORT, 1)]
    done = world.shown(back, Status.FILLED, (Execution("u", SHORT, 1, Decimal("9.10"), second(27)),))
    world.held = ()
    world.run(27, 40, shown, done)
    actions = [n.action for n in world.news if isinstance(n, ev.LegsUneven)]
    assert actions == ["wait", "reopen", "unwind", "wait"]
    assert world.kinds()[-1] == "LegsUnwound"
    # Sold at 9.00, bought back at 9.10.
    assert world.book.cash == Decimal(100_000) - Decimal(10)


def test_odd_legs_that_stay_halt_trading_though_their_order_had_ended() -> None:
    world, _ = printed_late()
    world.run(10, 30)
    (level,) = [n for n in world.news if isinstance(n, ev.LevelChanged)]
    assert level.detail == "order 7 has had uneven legs for 15 s"


def test_odd_legs_after_the_close_are_left_to_a_person() -> None:
    world, shown = printed_late()
    world.wire.told.clear()
    close = 5.5 * 3600
    world.report(shown)
    (told,) = world.step(close)
    assert isinstance(told, ev.LegsUneven)
    assert told.action == "wait"  # a late print may still make them whole
    world.run(int(close) + 1, int(close) + 305, shown)
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)] == ["wait", "leave"]
    assert len(world.wire.all(Place)) == 1
    assert world.desk.account().left == {"7"}
    assert world.desk.account().unbooked() == {}


def test_an_order_that_lacks_executions_for_good_ends_after_its_day_and_leaves_its_legs() -> None:
    world = World().synced()
    world.submit(order(), 5.49 * 3600)
    place = world.last(Place)
    # Called filled (T5), and only the short leg ever trades.
    torn = world.shown(place, Status.FILLED, both(2)[:1])
    world.reply(place, Outcome.ACCEPTED, torn)
    close = 5.5 * 3600
    world.run(int(close) - 1, int(close) + 299, torn)
    assert world.book.orders
    world.run(int(close) + 300, int(close) + 420, torn)
    assert not world.book.orders
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)][-1] == "leave"


def test_after_a_restart_legs_that_were_traded_back_end_an_order_that_lacks_executions() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    torn = world.shown(place, Status.FILLED, both(2)[:1])
    back = BrokerOrder(
        "B2",
        "0badcafe-3-7-2",
        Status.FILLED,
        (Leg(SHORT, 1),),
        2,
        Decimal("-9.10"),
        (Execution("y0", SHORT, 2, Decimal("9.10"), second(1)),),
    )
    world.record(ev.OrderRetried(second(1), "7", 2, "uneven legs, unwind"))
    world.restart()
    world.step(2)
    world.run(3, 40, torn, back)
    assert world.kinds()[-1] == "LegsUnwound"
    assert not world.book.orders


def test_what_an_order_was_the_reason_for_is_looked_at_again_when_it_has_ended() -> None:
    compare = Unsure(unsure=False, waits=True)
    world, place = working(options={"compare": compare})
    world.run(2, 20, world.shown(place))
    before = asked(world, FindPositions)[-1]
    world.cancel("7", 20)
    gone = world.shown(place, Status.CANCELLED)
    world.reply(world.last(Cancel), Outcome.ACCEPTED, gone)
    world.run(21, 40, gone)
    assert not world.book.orders
    assert before < asked(world, FindPositions)[-1]


def test_an_order_of_the_day_that_the_book_never_heard_of_stops_it_however_long_the_book_is() -> None:
    world = World()
    world.record(ev.SessionBegan(START, FRIDAY))
    for n in range(20):
        world.record(ev.CashMoved(START, Decimal(1), f"since it was put back: {n}"))
    world.synced()
    place = Place("k", "0badcafe-2-110-1", SPREAD.legs, 2, Decimal("5.00"), opens=True)
    world.report(world.shown(place))
    told = world.step(1)
    words = [n.detail for n in told if isinstance(n, ev.LevelChanged)]
    assert words[0] == "the broker has 0badcafe-2-110-1: order 110, which the book has never heard of"
    # One of a session before has ended and is forgotten.
    other = World()
    other.record(ev.SessionBegan(START, FRIDAY))
    other.synced()
    other.report(other.shown(replace_(place, tag="0badcafe-2-90-1"), Status.CANCELLED))
    assert not [n for n in other.step(1) if isinstance(n, ev.LevelChanged)]


def test_a_new_limit_of_two_like_contracts_that_was_lost_is_asked_again() -> None:
    world = World().synced()
    two = Structure("two", (Leg(SHORT, -2),))
    world.submit(order(parts=(Part("side", two),), limit=Decimal("18.00")))
    place = world.last(Place)
    legs = (Leg(SHORT, -1),)
    live = world.shown(place, legs=legs, units=4)
    live = replace_(live, legs=legs, units=4, limit=Decimal("9.00"))
    world.reply(place, Outcome.ACCEPTED, live)
    world.step(1)
    world.reprice("7", "17.90", 9)
    first = world.last(Replace)
    world.reply(first, Outcome.UNKNOWN)
    world.run(10, 30, live)
    again = world.last(Replace)
    # The broker shows one of them at half the price.
    assert again is not first
    assert (first.limit, again.limit) == (Decimal("17.90"), Decimal("17.90"))


def test_what_was_read_and_not_compared_is_looked_after_soon() -> None:
    world = World(options={"compare": Unsure(unsure=False)})
    world.step(0)
    world.run(1, 3)
    world.wire.told.clear()
    assert world.desk.next_wake(second(3)) == second(4)


def test_odd_legs_that_somebody_traded_away_are_left() -> None:
    world, shown = printed_late()
    world.record(ev.ForeignChanged(second(9), SHORT, 1))
    world.held = ()
    world.run(10, 30, shown)
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)] == ["leave"]
    assert not world.wire.all(Cancel)
    assert len(world.wire.all(Place)) == 1


def test_after_the_close_the_account_is_compared_until_all_of_the_day_must_show() -> None:
    compare = Unsure(unsure=False)
    world = World(options={"compare": compare}).synced()
    close = 5.5 * 3600
    world.run(int(close) - 5, int(close) + 700)
    times = [(a - START).total_seconds() - close for a, _ in compare.seen if a is not None]
    assert times[-1] > 300
    assert world.desk.next_wake(second(close + 700)) is None


def test_a_close_that_lacks_legs_after_its_end_is_completed() -> None:
    world = holding()

    def closing_order() -> str | None:
        return world.book.positions["7"].components["put side"].closing

    world.submit(closing(), 3)
    place = world.last(Place)
    world.reply(place, Outcome.REJECTED, text="no")
    world.step(4)
    torn = world.shown(place, Status.CANCELLED, both(1, "c", 4, of=SPREAD.inverse())[:1])
    world.held = ((SHORT, -1), (LONG, 2))
    world.report(torn)
    world.run(5, 25, torn)
    assert closing_order() == "20"
    rest = world.last(Place)
    assert [(leg.contract, leg.ratio) for leg in rest.legs] == [(LONG, -1)]
    sold = (Execution("r", LONG, -1, Decimal("4.00"), second(26)),)
    world.held = ((SHORT, -1), (LONG, 1))
    world.run(26, 40, torn, world.shown(rest, Status.FILLED, sold))
    assert world.book.positions["7"].components["put side"].units == 1
    assert closing_order() is None
    assert world.kinds()[-1] == "OrderCancelled"


def test_two_replacements_are_never_on_their_way_at_once() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.reprice("7", "4.80", 18.5)
    assert len(world.wire.all(Replace)) == 1
    world.reply(world.last(Replace), Outcome.REJECTED)
    world.step(19)
    assert world.last(Replace).tag == "0badcafe-3-7-3"
    assert place.tag == "0badcafe-3-7-1"


def test_a_remedy_has_six_seconds() -> None:
    world, shown = torn()
    when = remedied(world, shown, 2)
    back = world.last(Place)
    live = world.shown(back)
    world.reply(back, Outcome.ACCEPTED, live)
    world.answer_searches(shown, live)
    world.run(when + 1, when + 5, shown, live)
    assert not world.wire.all(Cancel)
    world.step(when + 6)
    assert len(world.wire.all(Cancel)) == 1


def test_what_was_planned_is_not_sent_by_a_book_that_proves_stale_meanwhile() -> None:
    world = lost_close()
    world.run(4, 33)
    world.answer_searches()
    later = world.shown(Place("k", "0badcafe-9-20-1", SPREAD.legs, 1, Decimal(5), opens=True))
    for when in range(34, 60):
        told = world.desk.news(world.book, second(when))
        world.now = second(when)
        world.answer_searches()
        retried = [n for n in told if isinstance(n, ev.OrderRetried)]
        if retried:
            world.record(retried[0])
            break
    world.report(later)
    world.run(60, 80)
    assert len(world.wire.all(Place)) == 2


def test_a_planned_limit_is_dropped_when_its_order_ends_before_it_leaves() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.reply(world.last(Replace), Outcome.REJECTED, code="no")
    world.run(11, 19, world.shown(place))
    (retried,) = world.desk.news(world.book, second(20))
    assert isinstance(retried, ev.OrderRetried)
    world.record(retried)
    world.report(world.shown(place, Status.CANCELLED))
    world.step(21)
    assert len(world.wire.all(Replace)) == 1
    assert world.desk.courses["7"].planned is None


def test_a_stray_waits_for_the_budget() -> None:
    world = World().synced()
    world.run(0, 1)
    world.submit(order())
    world.reply(world.last(Place), Outcome.UNKNOWN, code="503")
    world.report(world.shown(Place("k", "0badcafe-3-5-1", SPREAD.legs, 1, Decimal(5), opens=True)))
    world.step(2)
    assert not world.wire.all(Cancel)
    world.step(3)
    assert len(world.wire.all(Cancel)) == 1


def test_only_so_many_unanswered_questions_are_remembered() -> None:
    world, place = working()
    world.answered = 0
    for when in range(2, 20_000, 10):
        world.step(when)
    assert len(world.desk._asking._late) == 512
    assert len(world.wire.sent) > 600
    assert place.units == 2


def test_what_is_told_before_anything_was_asked_is_heard() -> None:
    world = World()
    world.wire.told.append(Reply("k", START, Outcome.UNKNOWN, code="503"))
    world.step(0)
    assert world.desk.next_wake(START) is not None


def test_more_executions_than_the_order_has_units_are_no_fill_of_it() -> None:
    world, place = working()
    world.report(world.shown(place, Status.FILLED, (*both(2), *both(1, "y", 5))))
    world.step(2)
    assert [n.fill.units for n in world.news if isinstance(n, ev.OrderFilled)] == [2]
    assert world.book.positions["7"].units == 2
    world.report(world.shown(place, Status.FILLED, (*both(2), *both(1, "y", 5))))
    (level,) = world.step(3)
    assert isinstance(level, ev.LevelChanged)
    assert level.detail == "order 7 has filled more than its 2 units"


def test_a_restart_keeps_what_was_parked_parked() -> None:
    world = World().synced()
    world.submit(order())
    world.run(1, 620)
    assert world.book.orders["7"].parked
    world.restart()
    world.step(700)
    assert world.desk.courses["7"].phase is Phase.PARKED
    assert world.kinds().count("OrderParked") == 1


def test_an_answer_to_a_cancel_counts_only_where_it_was_taken() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.reply(world.last(Replace), Outcome.UNKNOWN)
    world.step(11)
    world.cancel("7", 12)
    world.reply(world.last(Cancel), Outcome.UNKNOWN)
    world.step(13)
    assert any(a.is_open_question for a in world.desk.courses["7"].attempts)
    world.run(14, 18, world.shown(place))
    world.reply(world.last(Cancel), Outcome.ACCEPTED)
    world.step(19)
    assert not any(a.is_open_question for a in world.desk.courses["7"].attempts)


def test_positions_of_an_older_question_do_not_replace_newer_ones() -> None:
    world = World()
    world.run(-30, -1)
    old, newer = world.wire.all(FindPositions)[0], None
    world.answered = len(world.wire.sent)
    world.now = second(60)
    for when in (60, 70, 121, 131):
        world.step(when)
    newer = world.wire.all(FindPositions)[-1]
    assert newer.key != old.key
    world.wire.told.append(
        Reply(newer.key, second(71), Outcome.ACCEPTED, positions=Positions(HELD, Decimal(1)))
    )
    world.step(72)
    assert world.desk.account().held(SHORT) == -2
    earlier = world.wire.all(FindPositions)[-2]
    world.wire.told.append(
        Reply(earlier.key, second(72), Outcome.ACCEPTED, positions=Positions((), Decimal(1)))
    )
    world.step(73)
    assert world.desk.account().held(SHORT) == -2


def test_an_answer_that_comes_after_its_question_was_settled_changes_nothing() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    change = world.last(Replace)
    world.run(11, 20, world.shown(place))
    world.cancel("7", 21)
    world.reply(world.last(Cancel), Outcome.ACCEPTED, world.shown(place, Status.CANCEL_REQUESTED))
    world.step(22)
    world.reply(change, Outcome.UNKNOWN, code="502")
    world.step(23)
    assert not any(a.is_open_question for a in world.desk.courses["7"].attempts)


def test_in_doubt_it_wakes_for_the_next_search() -> None:
    world = World().synced()
    world.submit(order())
    world.reply(world.last(Place), Outcome.UNKNOWN)
    world.run(1, 5)
    world.step(5.5)
    assert world.desk.next_wake(second(5.5)) == second(asked(world, FindOrders)[-1] + 2)


def test_transactions_that_were_asked_for_first_and_answered_last_are_old() -> None:
    world = holding()
    world.desk.expired([SHORT], second(3))
    world.step(14)
    world.desk.expired([SHORT], second(34))
    old, newer = world.wire.all(FindTransactions)
    told = Transaction("T", Kind.EXPIRED, second(0), Decimal(0), Decimal(0), SHORT, -2)
    world.wire.told.append(Reply(newer.key, second(34), Outcome.ACCEPTED, transactions=(told,)))
    world.wire.told.append(Reply(old.key, second(34), Outcome.ACCEPTED))
    world.step(35)
    assert len(world.desk.expired([SHORT], second(36))) == 1


def test_a_restart_knows_a_remedy_by_its_legs_and_does_not_repeat_it() -> None:
    world, shown = torn()
    world.run(2, 20, shown)
    back = world.last(Place)
    world.restart()
    done = world.shown(back, Status.FILLED, (Execution("u", SHORT, 2, Decimal("9.10"), second(18)),))
    world.held = ()
    world.run(21, 60, shown, done)
    assert world.kinds()[-1] == "LegsUnwound"
    assert len(world.wire.all(Place)) == 2


def test_a_remedy_of_an_order_that_is_to_end_is_not_cancelled_at_once() -> None:
    world, shown = torn()
    world.step(2)
    world.cancel("7", 2.5)
    when = remedied(world, shown, 3)
    back = world.last(Place)
    world.reply(back, Outcome.ACCEPTED, world.shown(back))
    world.run(when + 1, when + 5, shown, world.shown(back))
    assert not world.wire.all(Cancel)


def test_a_target_that_was_cancelled_at_the_close_is_followed_to_its_end() -> None:
    world = holding()
    close = 5.5 * 3600
    world.submit(closing(urgency=Urgency.TARGET, limit=Decimal("-2.50")), close - 10)
    place = world.last(Place)
    world.reply(place, Outcome.ACCEPTED, world.shown(place))
    world.step(close - 9)
    world.cancel("20", close - 1)
    gone = world.shown(place, Status.CANCELLED)
    world.report(gone)
    world.run(int(close), int(close) + 20, gone)
    assert world.kinds()[-1] == "OrderCancelled"


def test_no_remedy_and_no_new_limit_leaves_after_the_close() -> None:
    world, place = working()
    close = int(5.5 * 3600)
    shown = world.shown(place, Status.PARTIALLY_REMOVED, both(2)[:1])
    world.held = ((SHORT, -2),)
    world.run(close - 12, close - 6, world.shown(place))
    world.report(shown)
    world.run(close - 5, close + 30, shown)
    assert len(world.wire.all(Place)) == 1
    other, _ = working()
    other.reprice("7", "4.90", close + 1)
    assert not other.wire.all(Replace)


# ---------------------------------------------------------------------------------- what can do no more


def test_a_lost_remedy_does_not_keep_an_order_open_that_another_has_made_even() -> None:
    world, shown = torn()
    when = remedied(world, shown, 2)
    world.reply(world.last(Place), Outcome.UNKNOWN, code="timeout")
    while len(world.wire.all(Place)) == 2:
        when += 1
        world.step(when)
        world.answer_searches(shown)
    again = world.last(Place)
    world.held = ()
    done = world.shown(again, Status.FILLED, (Execution("u", SHORT, 2, Decimal("9.10"), second(when)),))
    world.run(when + 1, when + 30, shown, done)
    assert world.kinds()[-1] == "LegsUnwound"
    assert not world.book.orders


def test_a_replacement_of_an_order_that_was_taken_out_cannot_come_any_more() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.reply(world.last(Replace), Outcome.UNKNOWN, code="timeout")
    out = world.shown(place, Status.PARTIALLY_REMOVED, both(1))
    world.run(11, 24, out)
    assert "7" in world.book.orders
    world.run(25, 36, out)
    assert world.kinds()[-1] == "OrderCancelled"
    assert world.book.positions["7"].units == 1


@pytest.mark.parametrize(
    ("sold", "bought", "ends"), [(2, 0, True), (2, 1, True), (1, 0, False), (0, 0, False)]
)
def test_a_replacement_of_an_order_of_which_a_leg_has_traded_whole_cannot_come(
    sold: int, bought: int, ends: bool
) -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.reply(world.last(Replace), Outcome.UNKNOWN, code="timeout")
    legs = ((leg, n) for leg, n in zip(SPREAD.legs, (sold, bought), strict=True) if n)
    some = tuple(execution(f"x{n}", leg, n, "9.00") for leg, n in legs)
    out = world.shown(place, Status.CANCELLED, some)
    world.held = ((SHORT, -sold), (LONG, bought))
    world.run(11, 26, out)
    assert world.desk.courses["7"].attempts[-1].purpose is (Purpose.UNWIND if some else Purpose.REPLACE)
    back = world.last(Place)
    odd = sold - bought
    done = world.shown(back, Status.FILLED, (execution("u", Leg(SHORT, 1), odd, "9.00"),) if odd else ())
    world.held = ((SHORT, -bought), (LONG, bought))
    world.run(27, 40, out, *([done] if some else ()))
    assert ("7" not in world.book.orders) is ends


def test_a_replacement_of_an_order_that_was_cancelled_may_still_come() -> None:
    world, place = working()
    world.reprice("7", "4.90", 10)
    world.reply(world.last(Replace), Outcome.UNKNOWN, code="timeout")
    world.run(11, 60, world.shown(place, Status.CANCELLED))
    assert world.book.orders["7"].doubt is not None


def test_a_new_limit_that_the_budget_has_no_room_for_waits() -> None:
    world, place = working()
    world.run(2, 9, world.shown(place))
    world.wire.told.append(Reply("another", second(10), Outcome.UNKNOWN, code="429"))
    world.step(10)
    world.reprice("7", "4.90", 10.5)
    assert not world.wire.all(Replace)
    world.run(11, 13, world.shown(place))
    assert [replaced.limit for replaced in world.wire.all(Replace)] == [Decimal("4.90")]


def test_a_lost_close_whose_position_has_ended_otherwise_ends() -> None:
    compare = Unsure(unsure=False)
    world = holding(compare=compare)
    world.submit(closing(), 3)
    world.reply(world.last(Place), Outcome.UNKNOWN, code="timeout")
    world.held = ()  # somebody closed it by hand
    world.step(4)
    compare.end_first = ("20", "99")
    world.run(5, 70)
    assert world.kinds()[-1] == "OrderCancelled"
    assert len(world.wire.all(Place)) == 2
