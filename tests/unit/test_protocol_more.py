"""Small things of the order desk that would go wrong quietly."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from tests.deskworld import LONG, SHORT, World, both, closing, execution, order, second
from tests.worlds import ScriptedMarket

from tomking.domain import events as ev
from tomking.domain.chain import Quote
from tomking.domain.contract import Contract
from tomking.domain.intent import Part
from tomking.domain.structure import Leg, Structure
from tomking.execution.protocol.asking import _is_ill
from tomking.execution.protocol.checks import OLDEST_QUOTE
from tomking.execution.protocol.course import Phase, Purpose
from tomking.execution.protocol.evidence import shown
from tomking.execution.wire import FindTransactions, Outcome, Place, Status


class Locked(ScriptedMarket):
    """Bid and ask are the same: a market that is no market."""

    def _quote(self, contract: Contract, now: datetime) -> Quote | None:
        quote = super()._quote(contract, now)
        return quote and Quote(quote.mid, quote.mid, quote.as_of)


class Old(ScriptedMarket):
    """Quotes of an hour ago."""

    def _quote(self, contract: Contract, now: datetime) -> Quote | None:
        quote = super()._quote(contract, now)
        return quote and Quote(quote.bid, quote.ask, quote.as_of - 2 * OLDEST_QUOTE)


class On(World):
    """On another market."""

    def over(self, kind: type[ScriptedMarket]) -> "On":
        market = kind(lambda contract, _: self.mids.get(contract))
        self.desk._acts._market = market
        return self


@pytest.mark.parametrize(("kind", "words"), [(Locked, "quoted 9.00 bid, 9.00 asked"), (Old, "s old")])
def test_nothing_is_opened_on_a_locked_or_an_old_market_and_everything_is_closed(
    kind: type[ScriptedMarket], words: str
) -> None:
    world = On()
    world.synced()
    world.over(kind)
    world.submit(order())
    world.step(1)
    (refused,) = [n for n in world.news if isinstance(n, ev.OrderRejected)]
    assert words in refused.reason
    assert not world.wire.all(Place)

    holding = On()
    holding.synced()
    holding.submit(order())
    place = holding.last(Place)
    holding.reply(place, Outcome.ACCEPTED, holding.shown(place, Status.FILLED, both(2)))
    holding.step(1)
    holding.over(kind)
    holding.submit(closing(), 2)
    assert [p.opens for p in holding.wire.all(Place)] == [True, False]


@pytest.mark.parametrize(
    ("code", "is_ill"),
    [("429", True), ("500", True), ("503", True), ("404", False), ("5000", False), ("5", False), ("", False)],
)
def test_only_a_429_and_a_5xx_say_that_the_broker_is_ill(code: str, is_ill: bool) -> None:
    assert _is_ill(code) is is_ill


def test_a_hurry_before_anything_was_asked_leaves_the_first_second_silent() -> None:
    world = World()
    world.desk._asking.hurry(second(0))
    world.step(0)
    assert not world.wire.sent
    world.step(1)
    assert world.wire.sent


def test_on_an_old_quote_the_first_remedy_goes_as_far_as_it_may() -> None:
    world = On(mids={SHORT: 9.0, LONG: 4.0})
    world.synced()
    world.submit(order())
    torn = world.shown(world.last(Place), Status.PARTIALLY_REMOVED, both(2)[:1])
    world.reply(world.last(Place), Outcome.ACCEPTED, torn)
    world.held = ((SHORT, -2),)
    world.over(Old)
    world.run(1, 13, torn)
    # A fifth of 9.00 from the mid.
    assert world.last(Place).limit == Decimal("-10.80")


RATIO = Structure.parse("ratio", "+1 SPXW 2031-03-07 P5700 / -2 SPXW 2031-03-07 P5670")


def test_a_unit_of_a_ratio_spread_is_one_and_two() -> None:
    world = World()
    world.mids = {SHORT: 9.0, LONG: 4.0}
    world.synced()
    world.submit(order(parts=(Part("ratio", RATIO),), limit=Decimal("-1.00"), units=3))
    place = world.last(Place)
    one, two = RATIO.legs
    some = (execution("a", one, 2, "9.00"), execution("b", two, 3, "4.00"))
    world.reply(place, Outcome.ACCEPTED, world.shown(place, Status.LIVE, some))
    told = [n for n in world.step(1) if isinstance(n, ev.OrderFilled)]
    # Two of the first and six of the second: two whole units.
    assert [n.fill.units for n in told] == [2]
    assert told[0].fill.id == "a:2|b:4"
    assert world.book.positions["7"].units == 2


def test_what_was_executed_and_not_booked_is_expected_at_the_broker_with_its_sign() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    short = place.legs[0]
    world.reply(place, Outcome.ACCEPTED, world.shown(place, Status.LIVE, (execution("x", short, 1, "9.00"),)))
    world.step(1)
    account = world.desk.account()
    assert account.unbooked() == {SHORT: -1}
    assert (account.expected(SHORT), account.expected(LONG)) == (-1, 0)
    world.record(ev.ForeignChanged(second(2), SHORT, 5))
    world.step(2)
    assert world.desk.account().expected(SHORT) == 4


def test_assignments_are_asked_for_when_they_are_wanted() -> None:
    world = World().synced()
    before = len(world.wire.all(FindTransactions))
    world.desk.assigned([SHORT], second(0))
    world.step(30)
    assert len(world.wire.all(FindTransactions)) == before + 1


def test_an_order_of_an_earlier_day_is_in_doubt_since_then_and_one_of_today_since_the_restart() -> None:
    for days, phase_sent in ((0, second(5)), (1, second(-86_400))):
        world = World()
        world.record(ev.OrderSubmitted(second(-86_400 * days), order()))
        world.desk = world.new_desk()
        world.step(5)
        (attempt,) = world.desk.courses["7"].attempts
        assert attempt.sent == phase_sent
        assert world.desk.courses["7"].phase in {Phase.UNKNOWN, Phase.SENT}


def test_odd_legs_that_somebody_has_traded_away_already_end_their_order_without_a_remedy() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    odd = (execution("x", place.legs[0], 1, "9.00"),)
    world.reply(place, Outcome.ACCEPTED, world.shown(place, Status.LIVE, odd))
    world.step(1)
    # A person has bought the one short back by hand, and the order is cancelled at the broker.
    world.record(ev.ForeignChanged(second(2), SHORT, 1))
    gone = world.shown(place, Status.CANCELLED, odd)
    world.report(gone)
    world.run(2, 20, gone)
    assert world.kinds()[:3] == ["OrderAccepted", "OrderCancelled", "LegsUneven"]
    assert [n.action for n in world.news if isinstance(n, ev.LegsUneven)] == ["leave"]
    assert world.wire.all(Place) == [place]


def test_the_same_showing_twice_changes_nothing() -> None:
    world = World().synced()
    world.submit(order())
    seen = world.shown(world.last(Place))
    course = world.desk.courses["7"]
    once = shown(course, 1, seen, second(1))
    assert once != course
    assert shown(once, 1, seen, second(2)) is once


def test_of_an_execution_that_is_booked_in_part_the_rest_is_expected() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    short, long = place.legs
    some = (execution("s", short, 2, "9.00"), execution("l", long, 1, "4.00"))
    world.reply(place, Outcome.ACCEPTED, world.shown(place, Status.LIVE, some))
    told = [n for n in world.step(1) if isinstance(n, ev.OrderFilled)]
    assert [n.fill.id for n in told] == ["s:1|l:1"]
    world.step(2)
    # One of the two sold is in a fill of the book, the other is not.
    assert world.desk.account().unbooked() == {SHORT: -1}
    assert world.desk.account().expected(SHORT) == -2


def test_trading_back_an_odd_leg_costs_what_it_costs_beside_units_that_are_booked() -> None:
    """Of two units one is filled whole, and one more short, which is bought back at 9.40."""
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    short, long = place.legs
    some = (execution("s", short, 2, "9.00"), execution("l", long, 1, "4.00"))
    world.reply(place, Outcome.ACCEPTED, world.shown(place, Status.LIVE, some))
    world.step(1)
    gone = world.shown(place, Status.CANCELLED, some)
    world.report(gone)
    world.held = ((SHORT, -2), (LONG, 1))
    world.run(2, 14, gone)
    back = world.last(Place)
    assert back is not place
    assert [(leg.contract, leg.ratio) for leg in back.legs] == [(SHORT, 1)]
    bought = world.shown(
        back, Status.FILLED, (execution("b", Leg(SHORT, 1), 1, "9.40", 15),), fees="1.13", id_="B9"
    )
    world.reply(back, Outcome.ACCEPTED, bought)
    world.held = ((SHORT, -1), (LONG, 1))
    world.run(15, 25, gone, bought)
    (unwound,) = [n for n in world.news if isinstance(n, ev.LegsUnwound)]
    # Sold at 9.00, bought at 9.40: $40 lost, of one contract; the booked unit's 5.00 points are not in it.
    assert (unwound.dollars, unwound.fees) == (Decimal(-40), Decimal("1.13"))
    assert world.book.cash == 100_000 + 500 - 40 - Decimal("1.13")
    assert world.book.positions["7"].units == 1


@pytest.mark.parametrize(("told", "lacks"), [(6, False), (5, True), (0, True)])
def test_called_filled_it_lacks_executions_until_every_contract_of_every_unit_is_told(
    told: int, lacks: bool
) -> None:
    """Three units of a 1-1 spread are six contracts."""
    world = World().synced()
    world.submit(order(units=3))
    place = world.last(Place)
    short, long = place.legs
    some = (execution("s", short, min(told, 3), "9.00"), execution("l", long, max(told - 3, 0), "4.00"))
    seen = world.shown(place, Status.FILLED, tuple(one for one in some if one.quantity))
    course = shown(world.desk.courses["7"], 1, seen, second(1))
    assert course.attempts[0].lacks_executions is lacks


@pytest.mark.parametrize(("units", "phase"), [(1, Phase.CANCELLED), (2, Phase.FILLED)])
def test_what_ended_before_a_restart_is_known_as_filled_or_cancelled(units: int, phase: Phase) -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    status = Status.FILLED if units == 2 else Status.CANCELLED
    gone = world.shown(place, status, both(units))
    world.reply(place, Outcome.ACCEPTED, gone)
    world.run(1, 8, gone)
    assert "7" in world.book.ended
    world.restart()
    world.run(9, 12, gone)
    assert world.desk.courses["7"].phase is phase
    assert not [n for n in world.news if isinstance(n, ev.LateFill)]


def test_an_order_that_the_book_doubts_and_the_broker_shows_working_is_accepted_again() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    seen = world.shown(place)
    world.reply(place, Outcome.ACCEPTED, seen)
    world.run(1, 4, seen)
    world.record(ev.OrderUnknown(second(5), "7", 1, "somebody said so"))
    assert [type(n) for n in world.step(5)] == [ev.OrderAccepted]
    assert world.book.orders["7"].doubt is None


def test_a_showing_of_some_legs_only_is_one_that_completes_them() -> None:
    world = World().synced()
    world.submit(order())
    place = world.last(Place)
    some = replace(world.shown(place), legs=place.legs[:1])
    course = shown(world.desk.courses["7"], 1, some, second(1))
    assert [a.purpose for a in course.attempts] == [Purpose.COMPLETE]
    whole = shown(world.desk.courses["7"], 1, world.shown(place), second(1))
    assert [a.purpose for a in whole.attempts] == [Purpose.WORK]
