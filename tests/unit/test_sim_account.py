"""The venue's truth: order lives, position effect, replacing, legs, positions, cash and transactions."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.venueworlds import (
    CASH,
    CONDOR,
    LATER,
    LONG_CALL,
    LONG_PUT,
    SHORT_CALL,
    SHORT_PUT,
    Venue,
    leg,
    placed,
    schedule,
)
from tests.worlds import FRIDAY, at

from tomking.domain.contract import Contract, Option
from tomking.domain.fees import fees
from tomking.domain.money import cents
from tomking.domain.structure import Leg
from tomking.execution.wire import FindOrders, FindPositions, FindTransactions, Kind, Outcome, Place, Status
from tomking.sim.faults import Faults, Schedule
from tomking.sim.floor import Pace
from tomking.sim.ledger import Versions
from tomking.sim.settlement import expire

D = Decimal
SOLD = {LONG_PUT: 1, SHORT_PUT: -1, SHORT_CALL: -1, LONG_CALL: 1}


def test_an_order_is_taken_in_then_lives_then_fills() -> None:
    venue = Venue()
    id_ = placed(venue.sell())
    assert venue.order(id_).status is Status.RECEIVED
    venue.wait(1)
    assert venue.statuses(id_) == [Status.RECEIVED, Status.LIVE, Status.FILLED]
    assert venue.held() == SOLD


def test_what_a_sale_brings_is_its_executions_less_its_fees() -> None:
    # Mid 8.50, four half-spreads of 0.05 of which a VIX of 24 takes half: 8.50 - 0.10 = 8.40.
    # Two units bring 8.40 * 100 * 2 = 1,680.00.
    venue = Venue()
    venue.sell(units=2)
    venue.wait(1)
    (order,) = venue.account.orders(venue.now)
    assert order.fees == fees(CONDOR, 2, opens=True)
    assert venue.cash == CASH + 1680 - order.fees


def test_a_tag_is_echoed_and_nothing_else() -> None:
    """T1: a second order of the same tag is a second order."""
    venue = Venue()
    first, second = placed(venue.sell(tag="same")), placed(venue.sell(tag="same"))
    venue.wait(1)
    assert first != second
    assert [one.tag for one in venue.account.orders(venue.now)] == ["same", "same"]
    assert venue.held()[SHORT_PUT] == -2


def test_a_search_shows_all_of_today_and_what_works_from_before() -> None:
    """T2."""
    venue = Venue()
    done = placed(venue.sell())
    target = placed(venue.sell(limit="30.00", legs=LATER.legs, good_till_cancelled=True))
    day = placed(venue.sell(limit="30.00"))
    venue.wait(1)
    found = venue.ask(FindOrders("k")).orders
    assert [one.id for one in found] == [done, target, day]
    venue.now = at("10:00", FRIDAY + timedelta(days=3))
    assert [one.id for one in venue.ask(FindOrders("k")).orders] == [target]


def test_a_replacement_waits_until_the_original_has_ended() -> None:
    """T3."""
    venue = Venue()
    old = placed(venue.sell(units=2, limit="9.00"))
    venue.wait(1)
    new = placed(venue.replace(old, "8.90"))
    assert venue.order(new).status is Status.CONTINGENT
    assert venue.order(old).status is Status.REPLACE_REQUESTED
    venue.wait(1)
    assert venue.order(old).status is Status.CANCELLED
    assert (venue.order(new).status, venue.order(new).replaces) == (Status.LIVE, old)
    assert venue.order(new).units == 2


def test_a_fill_of_the_original_aborts_its_replacement() -> None:
    """T3: one of two units fills between the request and the end; the replacement never works."""
    venue = Venue(schedule("F21 fill before replace replacing#0 0.01s x1"))
    old = placed(venue.sell(units=2, limit="9.00"))
    venue.wait(1)
    new = placed(venue.replace(old, "8.00"))
    venue.wait(1)
    assert venue.order(new).status is Status.CANCELLED
    assert not venue.order(new).executions
    assert venue.order(old).status is Status.CANCELLED
    assert venue.held() == SOLD


def test_a_replacement_works_what_its_original_had_left() -> None:
    venue = Venue(schedule("F16 partial offer#0 3600s x1"))
    old = placed(venue.sell(units=3))
    venue.wait(1)
    assert venue.held() == SOLD
    new = placed(venue.replace(old, "7.90"))
    venue.wait(1)
    assert venue.order(new).units == 2
    assert venue.held()[SHORT_PUT] == -3


def test_what_has_ended_cannot_be_cancelled_or_replaced() -> None:
    """T4."""
    venue = Venue()
    id_ = placed(venue.sell())
    venue.wait(1)
    for reply in (venue.cancel(id_), venue.replace(id_, "8.00")):
        assert (reply.outcome, reply.code) == (Outcome.REJECTED, "cannot_update_order")


def test_what_never_was_cannot_be_cancelled() -> None:
    venue = Venue()
    assert [venue.cancel("V99").code, venue.replace("V99", "8.00").code] == ["not_found", "not_found"]


def test_a_cancel_is_a_request_and_may_be_repeated() -> None:
    venue = Venue()
    id_ = placed(venue.sell(limit="9.00"))
    venue.wait(1)
    assert venue.cancel(id_).orders[0].status is Status.CANCEL_REQUESTED
    assert venue.cancel(id_).outcome is Outcome.ACCEPTED
    venue.wait(1)
    assert venue.order(id_).status is Status.CANCELLED


def test_a_fill_can_win_against_a_cancel() -> None:
    """T4."""
    venue = Venue(schedule("F19 fill before cancel ending#0 0.01s x1"))
    id_ = placed(venue.sell(limit="9.00"))
    venue.wait(1)
    venue.cancel(id_)
    venue.wait(1)
    assert venue.order(id_).status is Status.FILLED
    # At its own limit: 9.00 * 100 less fees.
    assert venue.cash == CASH + 900 - fees(CONDOR, 1, opens=True)


def test_filled_is_shown_after_the_first_leg() -> None:
    """T5: four legs, two seconds apart."""
    venue = Venue(schedule("F17 slow legs fill#0 2.0s"))
    id_ = placed(venue.sell())
    venue.wait(1)
    shown = venue.order(id_)
    assert (shown.status, len(shown.executions)) == (Status.FILLED, 1)
    assert venue.held() == {LONG_PUT: 1}
    assert venue.account.true.held == SOLD
    venue.wait(5)
    assert len(venue.order(id_).executions) == 3
    assert venue.order(id_).fees == 0
    venue.wait(1.1)
    assert venue.order(id_).fees == fees(CONDOR, 1, opens=True)
    assert venue.held() == SOLD


def test_a_close_without_a_position_is_refused_when_strict() -> None:
    """T6."""
    reply = Venue().buy_back()
    assert (reply.outcome, reply.code, reply.orders) == (Outcome.REJECTED, "position_effect_invalid", ())


def test_a_close_without_a_position_opens_when_not_strict() -> None:
    """T6: what a duplicate close does that forgets to be strict."""
    venue = Venue()
    venue.buy_back(strict=False)
    venue.wait(1)
    assert venue.held() == {contract: -n for contract, n in SOLD.items()}
    assert venue.account.fees == fees(CONDOR.inverse(), 1, opens=True)


def test_two_working_closes_cannot_take_the_same_position() -> None:
    venue = Venue()
    venue.sell(units=2)
    venue.wait(1)
    assert venue.buy_back(limit="-1.00").outcome is Outcome.ACCEPTED
    venue.wait(1)
    assert venue.buy_back(units=2, limit="-1.00").outcome is Outcome.REJECTED
    assert venue.buy_back(units=1, limit="-1.00").outcome is Outcome.ACCEPTED


def test_a_cancelled_close_gives_its_position_free() -> None:
    venue = Venue()
    venue.sell()
    venue.wait(1)
    first = placed(venue.buy_back(limit="-1.00"))
    venue.wait(1)
    venue.cancel(first)
    venue.wait(1)
    assert venue.buy_back().outcome is Outcome.ACCEPTED
    venue.wait(1)
    assert venue.held() == {}


def test_a_replaced_close_still_takes_its_position() -> None:
    venue = Venue()
    venue.sell()
    venue.wait(1)
    first = placed(venue.buy_back(limit="-1.00"))
    venue.wait(1)
    venue.replace(first, "-1.05")
    assert venue.buy_back().outcome is Outcome.REJECTED
    venue.wait(1)
    assert venue.buy_back().outcome is Outcome.REJECTED


def test_five_legs_are_too_many() -> None:
    """T7."""
    venue = Venue()
    legs = (*CONDOR.legs, leg("+1 SPXW 2031-03-07 P5600"))
    assert venue.sell(legs=legs).code == "too_many_legs"


@pytest.mark.parametrize(
    "changes",
    [
        {"units": 0},
        {"legs": ()},
        {"legs": (*CONDOR.legs[:2], CONDOR.legs[0])},
        {"legs": (CONDOR.legs[0], leg("+1 ES 2031-03-07 P5600"))},
    ],
)
def test_what_is_no_order_is_refused(changes: dict[str, Any]) -> None:
    assert Venue().sell(**changes).code == "validation_error"


def test_nothing_is_taken_in_while_the_market_is_closed() -> None:
    """T7."""
    venue = Venue(now=at("16:00"))
    assert venue.sell().code == "market_closed"


def test_a_day_order_expires_at_the_close() -> None:
    venue = Venue()
    id_ = placed(venue.sell(limit="9.00"))
    venue.wait(6 * 3600)
    assert venue.order(id_).status is Status.EXPIRED


def test_an_administrator_can_take_an_order_out() -> None:
    """T8."""
    venue = Venue(schedule("F16 partial offer#0 3600s x1", "F25 removed live#0 30.0s"))
    part = placed(venue.sell(units=2))
    whole = placed(venue.sell(limit="9.00"))
    venue.wait(29)
    assert venue.order(part).status is Status.LIVE
    venue.wait(2)
    venue.account.remove(whole, "price bands", venue.now)
    assert venue.order(part).status is Status.PARTIALLY_REMOVED
    assert (venue.order(whole).status, venue.order(whole).reason) == (Status.REMOVED, "price bands")
    assert venue.held() == SOLD


def test_an_order_can_be_rejected_after_it_was_taken_in() -> None:
    venue = Venue(schedule("F13 rejected arrival#0 3.0s x2"))
    id_ = placed(venue.sell())
    venue.wait(2)
    assert venue.order(id_).status is Status.RECEIVED
    venue.wait(2)
    assert (venue.order(id_).status, venue.order(id_).reason) == (Status.REJECTED, "trading_halted")
    assert venue.held() == {}


def test_an_order_can_be_refused_before_it_exists() -> None:
    venue = Venue(schedule("F13 refused arrival#0 x1"))
    assert venue.sell().code == "closing_only_market"
    assert venue.account.orders(venue.now) == ()


def test_some_units_fill_and_the_rest_later() -> None:
    venue = Venue(schedule("F16 partial offer#0 300s x1"))
    id_ = placed(venue.sell(units=3))
    venue.wait(60)
    assert venue.held()[SHORT_PUT] == -1
    assert venue.order(id_).status is Status.LIVE
    venue.wait(400)
    assert venue.held()[SHORT_PUT] == -3
    assert len(venue.order(id_).executions) == 8


def test_some_units_fill_and_the_rest_is_cancelled() -> None:
    """F16: three of ten."""
    venue = Venue(schedule("F16 partial offer#0 3600s x3"))
    id_ = placed(venue.sell(units=10))
    venue.wait(1)
    venue.cancel(id_)
    venue.wait(1)
    assert venue.order(id_).status is Status.CANCELLED
    assert venue.held() == {contract: 3 * n for contract, n in SOLD.items()}


def test_a_late_print_is_shown_after_cancelled() -> None:
    """F22: it is true at once, and nothing may close what it has not sold."""
    venue = Venue(schedule("F22 late print ending#0 45.0s x1"))
    id_ = placed(venue.sell(units=2, limit="9.00"))
    venue.wait(1)
    venue.cancel(id_)
    venue.wait(1)
    assert (venue.order(id_).status, venue.order(id_).executions) == (Status.CANCELLED, ())
    assert venue.held() == {}
    assert venue.account.true.held == SOLD
    venue.wait(45)
    assert venue.order(id_).status is Status.CANCELLED
    assert len(venue.order(id_).executions) == 4
    assert venue.held() == SOLD


def test_a_late_print_of_all_units_ends_as_filled() -> None:
    venue = Venue(schedule("F22 late print ending#0 45.0s x3"))
    id_ = placed(venue.sell(limit="9.00"))
    venue.wait(1)
    venue.cancel(id_)
    venue.wait(1)
    assert venue.order(id_).status is Status.CANCELLED
    venue.wait(46)
    assert venue.order(id_).status is Status.FILLED
    assert venue.statuses(id_)[-2:] == [Status.CANCELLED, Status.FILLED]


def test_a_cancel_can_hang() -> None:
    venue = Venue(schedule("F20 cancel hangs ending#0 90.0s"))
    id_ = placed(venue.sell(limit="9.00"))
    venue.wait(1)
    venue.cancel(id_)
    venue.wait(89)
    assert venue.order(id_).status is Status.CANCEL_REQUESTED
    venue.wait(2)
    assert venue.order(id_).status is Status.CANCELLED


def test_legs_can_trade_apart() -> None:
    """Mask 2 is the second leg alone: a naked short put, and nothing more will come."""
    venue = Venue(schedule("F17 torn legs fill#0 x2"))
    id_ = placed(venue.sell())
    venue.wait(60)
    assert venue.order(id_).status is Status.PARTIALLY_REMOVED
    assert venue.held() == venue.account.true.held == {SHORT_PUT: -1}


def test_a_leg_can_come_in_two_executions_worth_the_same() -> None:
    # Two units of each leg: one contract a tick dearer and one a tick cheaper.
    whole, apart = Venue(), Venue(schedule("F17 split fill#0"))
    for venue in (whole, apart):
        venue.sell(units=2)
        venue.wait(1)
    assert apart.cash == whole.cash
    (order,) = apart.account.orders(apart.now)
    assert len(order.executions) == 8
    assert len({one.id for one in order.executions}) == 8


def test_nobody_takes_the_other_side_for_a_while() -> None:
    venue = Venue(schedule("F18 no takers @3600 600.0s"))
    venue.sell()
    venue.wait(590)
    assert venue.held() == {}
    venue.wait(120)
    assert venue.held() == SOLD


def test_nothing_fills_in_a_halt() -> None:
    """F53: orders are taken in, and not even a race is run."""
    venue = Venue(schedule("F53 halt @3600 600.0s", "F19 fill before cancel ending#0 0.01s x1"))
    kept, given_up = placed(venue.sell()), placed(venue.sell())
    venue.wait(1)
    venue.cancel(given_up)
    venue.wait(500)
    assert [venue.order(id_).status for id_ in (kept, given_up)] == [Status.LIVE, Status.CANCELLED]
    venue.wait(200)
    assert venue.order(kept).status is Status.FILLED


def test_nobody_pays_to_be_rid_of_a_leg_in_a_race() -> None:
    """A put bought for a credit of 1.00 would cost less than nothing: the cancel wins."""
    venue = Venue(schedule("F19 fill before cancel ending#0 0.01s x1"))
    id_ = placed(venue.sell(legs=(Leg(SHORT_PUT, 1),), limit="1.00"))
    venue.wait(1)
    venue.cancel(id_)
    venue.wait(1)
    assert venue.order(id_).status is Status.CANCELLED


def test_a_race_needs_a_market() -> None:
    venue = Venue(schedule("F19 fill before cancel ending#0 0.01s x1"))
    id_ = placed(venue.sell(limit="9.00"))
    venue.wait(1)
    del venue.mids["P5700"]
    venue.cancel(id_)
    venue.wait(1)
    assert venue.order(id_).status is Status.CANCELLED


def test_the_owner_trades_by_hand() -> None:
    """F26: no tag, and closing orders whose position is gone are taken out."""
    venue = Venue()
    venue.sell()
    venue.wait(1)
    closing = placed(venue.buy_back(limit="-1.00"))
    venue.wait(1)
    by_hand = venue.account.trade_by_hand((Leg(SHORT_PUT, 1),), 1, D("9.10"), venue.now)
    assert (by_hand.tag, by_hand.status) == ("", Status.FILLED)
    venue.wait(1)
    assert venue.order(closing).status is Status.REMOVED
    assert venue.held() == {LONG_PUT: 1, SHORT_CALL: -1, LONG_CALL: 1}


def test_a_hand_trade_elsewhere_leaves_closing_orders_alone() -> None:
    venue = Venue()
    venue.sell()
    venue.wait(1)
    closing = placed(venue.buy_back(limit="-1.00"))
    venue.wait(1)
    venue.account.trade_by_hand((leg("+1 SPXW 2031-03-07 P5600"),), 2, D("1.00"), venue.now)
    venue.wait(1)
    assert venue.order(closing).status is Status.LIVE


def test_expired_options_settle_in_cash_and_are_told_as_transactions() -> None:
    # Settled at 5690: the put sold at 5700 costs 10.00 * 100 and $5 for its exercise, the rest is worthless.
    venue = Venue(settles={FRIDAY: 5690.0})
    venue.sell()
    venue.wait(1)
    before = venue.cash
    venue.now = at("16:05")
    assert venue.ask(FindPositions("k")).positions is not None
    assert venue.held() == {}
    assert venue.cash == before - 1000 - 5
    told = venue.ask(FindTransactions("k")).transactions
    assert [one.kind for one in told] == [Kind.EXPIRED] * 4
    assert [(one.contract, one.quantity, one.dollars) for one in told if one.dollars] == [
        (SHORT_PUT, -1, D(-1000))
    ]


@pytest.mark.parametrize(("beside", "paid"), [("x1", 0), ("", 0), ("x-1", 6)])
def test_a_price_may_be_pinned_to_a_sold_strike(beside: str, paid: int) -> None:
    """F52.  Near 5705 the sold strike is 5700: a cent below it the put costs 0.01 * 100 and $5."""
    venue = Venue(schedule(f"F52 pin settlement#0 {beside}"), settles={FRIDAY: 5705.0})
    venue.sell()
    venue.wait(1)
    before = venue.cash
    venue.now = at("16:05")
    venue.account.advance(venue.now)
    assert venue.cash == before - paid
    assert venue.faults.fired_ids() == {"F52": 1}


def test_settlement_may_be_late() -> None:
    venue = Venue(schedule("F52 settles late settlement#0 600s"))
    venue.sell()
    venue.now = at("16:09")
    venue.account.advance(venue.now)
    assert venue.held() == SOLD
    venue.wait(61)
    assert venue.held() == {}


def test_settlement_waits_for_its_price() -> None:
    venue = Venue(settles={})
    venue.sell()
    venue.wait(1)
    venue.now = at("16:30")
    venue.account.advance(venue.now)
    assert venue.held() == SOLD
    venue.settles[FRIDAY] = 5750.0
    venue.wait(120)
    assert venue.held() == {}


def test_an_assigned_option_leaves_shares_and_a_transaction() -> None:
    # A sold SPY put at 570, assigned: 100 shares for 570 * 100 = 57,000, and $5.
    venue = Venue()
    put = leg("-1 SPY 2031-03-21 P570")
    venue.account.trade_by_hand((put,), 2, D(7), venue.now)
    venue.wait(1)
    before = venue.cash
    assert isinstance(put.contract, Option)
    outcome = expire(put.contract, D(560), venue.account._sessions)
    venue.account.assign(outcome, -1, venue.now)
    (one,) = venue.account.transactions(venue.now)
    assert one.kind is Kind.ASSIGNED
    assert one.delivered is not None
    share, lots = one.delivered
    assert (str(share), lots) == ("SPY S", 1)
    assert venue.held() == {put.contract: -1, share: 1}
    assert venue.cash == before - 57_000 - 5


def test_holders_may_assign_for_no_reason() -> None:
    """F50: at 11:30 SPY stands at 560; the put sold at 570 is American, and all two are assigned."""
    venue = Venue(schedule("F50 assigned @7200 x3"))
    venue.market.level = 560.0
    put = leg("-1 SPY 2031-03-21 P570")
    venue.account.trade_by_hand((put,), 2, D(12), venue.now)
    venue.wait(3601)
    assert [one.kind for one in venue.account.all_transactions] == [Kind.ASSIGNED]
    assert put.contract not in venue.held()
    assert venue.faults.fired_ids() == {"F50": 1}


def test_money_moves_without_an_order() -> None:
    venue = Venue(schedule("F51 money moved @5400 x-250"))
    venue.wait(1801)
    assert venue.cash == CASH - 250
    assert [one.kind for one in venue.account.transactions(venue.now)] == [Kind.MONEY]


def test_a_venue_may_close_early() -> None:
    """F54."""
    venue = Venue(schedule("F54 closed early @7200"))
    id_ = placed(venue.sell(limit="9.00"))
    venue.wait(3601)
    assert venue.order(id_).status is Status.EXPIRED
    assert venue.sell().code == "market_closed"
    venue.now = at("10:00", FRIDAY + timedelta(days=3))
    assert venue.sell().outcome is Outcome.ACCEPTED


def test_an_old_snapshot_shows_what_was_shown_then() -> None:
    venue = Venue()
    before = venue.now
    venue.sell()
    venue.wait(2)
    assert venue.account.positions(before).held == ()
    assert venue.account.orders(before - timedelta(seconds=1)) == ()
    assert venue.account.orders(before)[0].status is Status.RECEIVED


def test_resting_orders_meet_the_market_when_it_comes_to_them() -> None:
    venue = Venue()
    id_ = placed(venue.sell(limit="9.00"))
    venue.wait(120)
    assert venue.order(id_).status is Status.LIVE
    venue.mids["P5700"] = 10.0
    venue.wait(60)
    assert venue.order(id_).status is Status.FILLED


def test_the_next_event_is_when_something_happens() -> None:
    venue = Venue(pace=Pace(looks=timedelta(seconds=30)))
    assert venue.account.next_event() == at("16:00")
    venue.sell(limit="9.00")
    due = venue.account.next_event()
    assert due == venue.now + Pace().routes
    venue.wait(1)
    due = venue.account.next_event()
    assert due is not None
    assert venue.now < due <= venue.now + timedelta(seconds=30)


def test_old_pictures_are_kept_for_ten_minutes() -> None:
    # One a minute for 100 minutes: at the end the one of ten minutes ago is still there.
    seen = Versions(0)
    for n in range(1, 101):
        seen.add(at("10:00") + timedelta(minutes=n), n)
    assert seen.last == 100
    assert seen.as_of(at("11:30")) == 90
    assert len(seen.values) <= 64


Step = st.sampled_from(["sell", "close", "cancel", "replace", "hand", "wait", "pay"])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.lists(Step, min_size=5, max_size=30))
def test_nothing_is_made_or_lost(seed: int, steps: list[str]) -> None:
    """Cash and positions are the sums of executions, fees and transactions, whatever goes wrong."""
    chance = np.random.Generator(np.random.PCG64(seed))
    venue = Venue(Faults(Schedule.of(seed), at("09:30")))
    for step in steps:
        _do(venue, step, chance)
        _is_conserved(venue)
    venue.now = at("16:30")
    venue.account.advance(venue.now)
    _is_conserved(venue)
    assert venue.account.shown.held == venue.account.true.held
    assert venue.account.shown.cash == venue.account.true.cash
    assert all(ticket.told == tuple(ticket.true) for ticket in venue.account.tickets.values())
    assert all(one.is_over for one in venue.account.tickets.values())


def _do(venue: Venue, step: str, chance: np.random.Generator) -> None:
    units = int(chance.integers(1, 4))
    works = [one.id for one in venue.account.tickets.values() if not one.is_over]
    chosen = works[int(chance.integers(len(works)))] if works else "V0"
    match step:
        case "sell":
            venue.sell(units, limit=str(chance.choice(["8.00", "9.00"])))
        case "close":
            venue.buy_back(units, limit=str(chance.choice(["-9.00", "-1.00"])))
        case "cancel":
            venue.cancel(chosen)
        case "replace":
            venue.replace(chosen, "8.10")
        case "hand":
            venue.account.trade_by_hand((CONDOR.legs[1],), units, D("9.05"), venue.now)
        case "pay":
            venue.account.pay(D(units), "interest", venue.now)
        case _:
            venue.wait(float(chance.choice([0.05, 1, 60, 900])))


def _is_conserved(venue: Venue) -> None:
    account = venue.account
    sums: dict[Contract, int] = {}
    cash = CASH - account.fees
    for one in account.executions:
        sums[one.contract] = sums.get(one.contract, 0) + one.quantity
        cash -= one.quantity * one.price * one.contract.multiplier
    for money in account.all_transactions:
        cash += money.dollars - money.fees
        if money.contract is not None:
            sums[money.contract] -= money.quantity
    assert account.true.held == {contract: n for contract, n in sums.items() if n}
    assert account.true.cash == cash
    assert account.shown.shown.last.cash == cents(account.shown.cash)
    of_one: dict[str, int] = {}
    for ticket in account.tickets.values():  # a replacement comes after what it replaces
        assert ticket.filled <= ticket.order.units
        before = of_one.get(ticket.replaces or "", 0)
        of_one[ticket.id] = ticket.filled + before
        root = ticket
        while root.replaces:
            root = account.tickets[root.replaces]
        assert of_one[ticket.id] <= root.order.units  # T3: never more than was asked for
        assert len({one.id for one in ticket.true}) == len(ticket.true)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(st.sampled_from(["sell", "wait", "close", "close", "cancel"]), min_size=4, max_size=20),
)
def test_a_strict_close_never_turns_a_position(seed: int, steps: list[str]) -> None:
    """I3 at the venue: without hands and torn legs, shorts stay shorts however often they are closed."""
    without = frozenset({"torn legs", "torn but filled", "assigned"})
    chance = np.random.Generator(np.random.PCG64(seed))
    venue = Venue(Faults(Schedule.of(seed, without=without), at("09:30")))
    venue.sell(2)
    for step in ["wait", *steps, "wait", "wait"]:
        _do(venue, step, chance)
        assert all(n * SOLD[contract] > 0 for contract, n in venue.account.true.held.items())


def test_a_cancel_that_overtakes_its_orders_routing_still_cancels() -> None:
    venue = Venue()
    id_ = placed(venue.sell(limit="9.00"))
    assert venue.cancel(id_).orders[0].status is Status.CANCEL_REQUESTED
    venue.wait(1)
    assert venue.order(id_).status is Status.CANCELLED
    assert Status.LIVE not in venue.statuses(id_)


def test_a_replacement_that_overtakes_its_originals_routing_waits_all_the_same() -> None:
    venue = Venue()
    old = placed(venue.sell(limit="9.00"))
    new = placed(venue.replace(old, "8.90"))
    venue.wait(0.03)
    assert venue.order(old).status is Status.REPLACE_REQUESTED
    venue.wait(1)
    assert [venue.order(id_).status for id_ in (old, new)] == [Status.CANCELLED, Status.LIVE]


def test_a_contingent_replacement_can_be_cancelled_and_its_original_ends_all_the_same() -> None:
    venue = Venue()
    old = placed(venue.sell(limit="9.00"))
    venue.wait(1)
    new = placed(venue.replace(old, "8.90"))
    assert venue.cancel(old).code == "cannot_update_order"
    assert venue.cancel(new).orders[0].status is Status.CANCELLED
    venue.wait(1)
    assert [venue.order(id_).status for id_ in (old, new)] == [Status.CANCELLED, Status.CANCELLED]


def test_an_original_that_is_taken_out_takes_its_replacement_with_it() -> None:
    venue = Venue()
    old = placed(venue.sell(limit="9.00"))
    venue.wait(1)
    new = placed(venue.replace(old, "8.90"))
    venue.account.remove(old, "price bands", venue.now)
    assert (venue.order(new).status, venue.order(new).reason) == (
        Status.CANCELLED,
        "the order it replaces is removed",
    )


def test_nothing_is_replaced_while_the_market_is_closed() -> None:
    venue = Venue()
    target = placed(venue.sell(limit="30.00", legs=LATER.legs, good_till_cancelled=True))
    venue.wait(1)
    venue.now = at("17:00")
    assert venue.replace(target, "29.00").code == "market_closed"
    assert venue.cancel(target).outcome is Outcome.ACCEPTED


def test_an_order_that_rests_overnight_fills_on_the_next_day() -> None:
    venue = Venue()
    target = placed(venue.sell(limit="9.00", legs=LATER.legs, good_till_cancelled=True))
    over = placed(venue.sell(limit="9.00", good_till_cancelled=True))
    venue.wait(6 * 3600)
    assert [venue.order(id_).status for id_ in (target, over)] == [Status.LIVE, Status.EXPIRED]
    venue.mids["P5700"] = 12.0
    venue.now = at("09:00", FRIDAY + timedelta(days=3))
    venue.account.advance(venue.now)
    assert venue.order(target).status is Status.LIVE
    venue.now = at("09:45", FRIDAY + timedelta(days=3))
    venue.account.advance(venue.now)
    assert venue.order(target).status is Status.FILLED


def test_the_venue_closes_early_for_orders_that_last_too() -> None:
    """F54: what is good till cancelled stays, and fills nothing until tomorrow."""
    venue = Venue(schedule("F54 closed early @7200"))
    target = placed(venue.sell(limit="9.00", legs=LATER.legs, good_till_cancelled=True))
    venue.wait(3601)
    venue.mids["P5700"] = 12.0
    venue.wait(3600)
    assert venue.order(target).status is Status.LIVE


def test_american_options_are_assigned_by_whoever_gains_from_it() -> None:
    """Only where a chain says so: a market without chains assigns nothing (``sim.assignment``)."""
    venue = Venue()
    put = leg("-1 SPY 2031-03-21 P570")
    venue.account.trade_by_hand((put,), 1, D(7), venue.now)
    venue.now = at("16:05")
    venue.account.advance(venue.now)
    assert venue.held() == {put.contract: -1}


def test_place_is_strict_unless_it_says_otherwise() -> None:
    assert Place("k", "tag", CONDOR.legs, 1, D(1), opens=False).strict
