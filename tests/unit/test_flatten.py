"""What closes an account without a book: grouping, turn, limits; then the run against a simulated venue."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rel.kill import uncovered
from tests.worlds import FRIDAY as TODAY
from tests.worlds import ScriptedMarket, at, weekdays

from tomking.domain.chain import Quote
from tomking.domain.contract import Contract, Option, parse_contract
from tomking.domain.structure import Leg, Structure
from tomking.execution import flattening
from tomking.execution.flatten import CONCESSIONS, Closing, closings, limit_of
from tomking.execution.flattening import INSTANCE, Flattening
from tomking.execution.protocol.tags import parsed
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    FindOrders,
    FindPositions,
    Line,
    Outcome,
    Place,
    Replace,
    Reply,
    Report,
    Request,
    Status,
    Told,
)
from tomking.sim.account import SimAccount

NOW = at("15:20")
D = Decimal


def c(text: str) -> Contract:
    return parse_contract(text)


def spx(strike: str, day: str = "2031-03-07") -> Contract:
    return c(f"SPXW {day} {strike}")


def plan(held: dict[Contract, int], **more: object) -> list[str]:
    """The closings of an account that nothing works on, as text."""
    exposed = {k: n for k, n in held.items() if n < 0}
    return [str(one) for one in closings(held, exposed, **more)]  # type: ignore[arg-type]


# ------------------------------------------------------------------------------ which orders, in which turn


def test_an_iron_condor_is_found_again_and_closed_by_one_order_of_four_legs() -> None:
    held = {spx("P5670"): 2, spx("P5700"): -2, spx("C5800"): -2, spx("C5830"): 2}
    assert plan(held) == [
        (
            "2 x +1 SPXW 2031-03-07 P5700 / -1 SPXW 2031-03-07 P5670"
            " / +1 SPXW 2031-03-07 C5800 / -1 SPXW 2031-03-07 C5830"
        )
    ]


def test_a_naked_short_goes_first_by_itself_then_spreads_then_what_is_long() -> None:
    # An LT112: the put debit spread, and twice the naked put, under one expiry.
    held = {spx("P5600"): 1, spx("P5550"): -1, spx("P5200"): -2}
    assert plan(held | {spx("C5900"): 1}) == [
        "2 x +1 SPXW 2031-03-07 P5200",
        "1 x +1 SPXW 2031-03-07 P5550 / -1 SPXW 2031-03-07 P5600",
        "1 x -1 SPXW 2031-03-07 C5900",
    ]


def test_the_nearest_long_covers_a_short() -> None:
    held = {spx("P5700"): -1, spx("P5690"): 1, spx("P5600"): 1}
    assert plan(held) == [
        "1 x +1 SPXW 2031-03-07 P5700 / -1 SPXW 2031-03-07 P5690",
        "1 x -1 SPXW 2031-03-07 P5600",
    ]


def test_a_calendar_is_one_order_of_two_expiries() -> None:
    held = {spx("C5800"): -1, spx("C5800", "2031-04-17"): 1}
    assert plan(held) == ["1 x +1 SPXW 2031-03-07 C5800 / -1 SPXW 2031-04-17 C5800"]


def test_a_long_of_the_same_expiry_is_preferred_to_a_later_one() -> None:
    held = {spx("C5800"): -1, spx("C5900"): 1, spx("C5800", "2031-04-17"): 1}
    assert plan(held)[0] == "1 x +1 SPXW 2031-03-07 C5800 / -1 SPXW 2031-03-07 C5900"


@pytest.mark.parametrize(
    "long",
    [
        "SPXW 2031-03-06 P5670",
        "SPXW 2031-03-07 C5670",
        "SPX 2031-03-21 P5670",
        "SPXW 2031-03-07 P5670 x50/0.05",
    ],
)
def test_what_cannot_be_a_leg_with_it_does_not_cover_a_short(long: str) -> None:
    # Shorter-lived, of the other right, of another root, of another size.
    assert plan({spx("P5700"): -1, c(long): 1})[0] == "1 x +1 SPXW 2031-03-07 P5700"


def test_a_short_is_covered_by_several_longs() -> None:
    held = {spx("P5700"): -3, spx("P5690"): 2, spx("P5680"): 2}
    assert plan(held) == [
        "2 x +1 SPXW 2031-03-07 P5700 / -1 SPXW 2031-03-07 P5690",
        "1 x +1 SPXW 2031-03-07 P5700 / -1 SPXW 2031-03-07 P5680",
        "1 x -1 SPXW 2031-03-07 P5680",
    ]


def test_sides_of_different_size_go_together_as_far_as_they_can() -> None:
    held = {spx("P5700"): -3, spx("P5690"): 3, spx("C5800"): -1, spx("C5810"): 1}
    assert [one.split(" x ")[0] for one in plan(held)] == ["1", "2"]
    held = {spx("P5700"): -1, spx("P5690"): 1, spx("C5800"): -3, spx("C5810"): 3}
    assert plan(held) == [
        (
            "1 x +1 SPXW 2031-03-07 P5700 / -1 SPXW 2031-03-07 P5690"
            " / +1 SPXW 2031-03-07 C5800 / -1 SPXW 2031-03-07 C5810"
        ),
        "2 x +1 SPXW 2031-03-07 C5800 / -1 SPXW 2031-03-07 C5810",
    ]


def test_sides_nearest_the_money_go_together() -> None:
    held = {
        spx("P5700"): -1, spx("P5695"): 1, spx("P5600"): -1, spx("P5595"): 1,
        spx("C5800"): -1, spx("C5805"): 1, spx("C5900"): -1, spx("C5905"): 1,
    }  # fmt: skip
    first, second = plan(held)
    assert ("P5700" in first, "C5800" in first) == (True, True)
    assert ("P5600" in second, "C5900" in second) == (True, True)


def test_sides_of_different_expiries_or_roots_are_orders_of_their_own() -> None:
    held = {
        spx("P5700"): -1, spx("P5690"): 1,
        spx("C5800", "2031-03-14"): -1, spx("C5810", "2031-03-14"): 1,
    }  # fmt: skip
    assert [len(one.split(" / ")) for one in plan(held)] == [2, 2]


def test_no_long_is_sold_while_a_short_is_open_that_it_could_cover() -> None:
    long, short = spx("P5670"), spx("P5700")
    apart = {long, short}
    # Apart: the spread order did not work, so the short goes first and the long waits.
    assert plan({long: 1, short: -1}, apart=apart) == ["1 x +1 SPXW 2031-03-07 P5700"]
    # Bought back in an order of its own that still works: not free, and still exposed.
    assert closings({long: 1}, {short: -1}, apart=apart) == []
    # Gone.
    assert [str(o) for o in closings({long: 1}, {}, apart=apart)] == ["1 x -1 SPXW 2031-03-07 P5670"]


def test_a_long_that_could_cover_nothing_that_is_open_does_not_wait() -> None:
    short = spx("P5700", "2031-03-14")
    for long in (spx("P5670"), spx("C5670", "2031-03-21"), c("SPX 2031-03-21 P5670")):
        assert closings({long: 1}, {short: -1}) == [Closing((Leg(long, -1),), 1)]
    assert closings({spx("P5670", "2031-03-14"): 1}, {short: -1}, apart={short}) == []


def test_futures_go_last_and_wait_for_the_shorts_of_their_product() -> None:
    future, short = c("ES 2031-03-21 F"), c("ES 2031-03-07 C5800")
    assert plan({future: 2, short: -2}) == ["2 x +1 ES 2031-03-07 C5800"]
    assert closings({future: 2}, {short: -2}) == []
    assert plan({future: 2}) == ["2 x -1 ES 2031-03-21 F"]
    assert plan({future: -2}) == ["2 x +1 ES 2031-03-21 F"]
    assert plan({future: 1, spx("P5700"): -1}) == ["1 x +1 SPXW 2031-03-07 P5700", "1 x -1 ES 2031-03-21 F"]


def test_shares_are_left_alone_unless_they_are_asked_for() -> None:
    held = {c("SPY S"): -3, c("QQQ S"): 1, c("ES 2031-03-21 F"): 0}
    assert plan(held) == []
    assert plan(held, shares=True) == ["1 x -1 QQQ S", "3 x +1 SPY S"]


LEGS = st.dictionaries(
    st.builds(
        lambda right, strike, day: spx(f"{right}{strike}", f"2031-03-{day:02d}"),
        st.sampled_from("PC"), st.sampled_from(range(5600, 5900, 20)), st.sampled_from((7, 14)),
    ),
    st.integers(-4, 4).filter(bool), max_size=12,
)  # fmt: skip


@given(LEGS)
def test_whatever_is_held_is_closed_once_and_no_prefix_of_the_orders_uncovers_a_short(
    held: dict[Contract, int],
) -> None:
    left = dict(held)
    before = uncovered(left)
    for _ in range(3):  # what waits for shorts comes in the next round
        for one in closings(left, {k: n for k, n in left.items() if n < 0}):
            assert 1 <= len(one.legs) <= 4
            for leg in one.legs:
                present = left[leg.contract]
                left[leg.contract] += leg.ratio * one.units
                # Nothing is closed that is not there, and nothing is turned around.
                assert abs(left[leg.contract]) < abs(present)
                assert left[leg.contract] * present >= 0
            assert uncovered(left) <= before
            before = uncovered(left)
    assert not any(left.values())


# ------------------------------------------------------------------------------ the limit

PUTS = Closing((Leg(spx("P5700"), 1), Leg(spx("P5670"), -1)), 1)


def quote(bid: str | None, ask: str | None) -> Quote:
    return Quote(None if bid is None else D(bid), None if ask is None else D(ask), NOW)


def limit(closing: Closing, *quotes: Quote | None, concession: str = "1") -> Decimal | None:
    return limit_of(closing, quotes, D(concession))


def test_the_limit_is_the_mid_less_the_concession_on_the_grid() -> None:
    # Mid -9.00 + 4.00 = -5.00; half-spreads 0.20 + 0.10.
    quotes = (quote("8.80", "9.20"), quote("3.90", "4.10"))
    assert limit(PUTS, *quotes) == D("-5.30")
    assert limit(PUTS, *quotes, concession="2") == D("-5.60")
    assert limit(PUTS, *quotes, concession="3") == D("-5.90")
    # Off the grid of 0.05 it gives way: -5.315 is -5.35.
    assert limit(PUTS, quote("8.80", "9.23"), quote("3.90", "4.10")) == D("-5.35")


def test_the_concessions_are_those_of_an_emergency() -> None:
    # D.1: 50, 100 and 150 % of the spread off the mid; a half-spread is 50 %.
    assert [int(one) for one in CONCESSIONS] == [1, 2, 3]


def test_nobody_pays_more_than_a_spread_can_cost_at_the_very_worst() -> None:
    assert limit(PUTS, quote("29.00", "33.00"), quote("0.10", "2.00"), concession="3") == D("-30.00")


def test_a_limit_is_never_zero() -> None:
    # A long spread is worth 0 at the worst: nobody pays to be rid of it, but for the tick that makes a price.
    held_long = Closing((Leg(spx("P5670"), 1), Leg(spx("P5700"), -1)), 1)
    assert limit(held_long, quote("0.10", "0.20"), quote("0.15", "0.25"), concession="3") == D("-0.05")


def test_two_expiries_have_no_worst_cost() -> None:
    calendar = Closing((Leg(spx("C5800"), 1), Leg(spx("C5800", "2031-04-17"), -1)), 1)
    assert limit(calendar, quote("10.00", "12.00"), quote("40.00", "44.00")) == D("28.00")


def test_a_missing_bid_is_a_bid_of_nothing() -> None:
    assert limit(PUTS, quote("0.10", "0.20"), quote(None, "0.05")) == D("-0.20")


def test_what_must_be_bought_needs_an_offer_and_what_is_sold_a_quote() -> None:
    assert limit(PUTS, quote("9.00", None), quote("3.90", "4.10")) is None
    assert limit(PUTS, None, quote("3.90", "4.10")) is None
    assert limit(PUTS, quote("8.80", "9.20"), None) is None
    # Nobody offers what is sold: its bid is all that is known.
    assert limit(PUTS, quote("8.80", "9.20"), quote("4.00", None)) == D("-5.20")


def test_a_crossed_quote_does_not_give_the_concession_another_sign() -> None:
    assert limit(PUTS, quote("9.20", "8.80"), quote("4.00", "4.00")) == D("-5.20")


def test_a_single_contract_is_priced_on_the_grid_of_its_own_quotes() -> None:
    # From 3.00 on SPX options are quoted in dimes: 5.15 is bought at 5.20, 2.15 at 2.15.
    buy = Closing((Leg(spx("P5700"), 1),), 1)
    assert limit(buy, quote("5.05", "5.15")) == D("-5.20")
    assert limit(buy, quote("2.05", "2.15")) == D("-2.15")
    sell = Closing((Leg(spx("P5700"), -1),), 1)
    assert limit(sell, quote("5.15", "5.25")) == D("5.10")
    scaled = Closing((Leg(c("SPXW 2031-03-07 P5700 x50/0.10"), 1),), 1)
    assert limit(scaled, quote("5.10", "5.20")) == D("-5.20")
    assert limit(scaled, quote("5.10", "5.30")) == D("-5.40")


def test_a_single_long_asks_for_a_tick_at_least_and_is_worthless_without_a_bid() -> None:
    sell = Closing((Leg(spx("P5700"), -1),), 1)
    assert limit(sell, quote("0.05", "0.30"), concession="3") == D("0.05")
    assert limit(sell, quote("0", "0.30")) is None
    assert limit(sell, quote(None, "0.30")) is None
    assert limit(sell, None) is None


def test_a_naked_put_never_costs_more_than_its_strike_and_a_call_has_no_end() -> None:
    put = Closing((Leg(c("SPY 2031-03-21 P5"), 1),), 1)
    assert limit(put, quote("4.00", "8.00"), concession="3") == D("-5.00")
    call = Closing((Leg(c("SPY 2031-03-21 C5"), 1),), 1)
    assert limit(call, quote("4.00", "8.00"), concession="3") == D("-12.00")


def test_futures_and_shares_have_their_own_grids() -> None:
    future = Closing((Leg(c("ES 2031-03-21 F"), 1),), 1)
    # ES trades in quarters, its options in 0.05.
    assert limit(future, quote("5750.00", "5750.30")) == D("-5750.50")
    share = Closing((Leg(c("SPY S"), -1),), 1)
    assert limit(share, quote("575.00", "575.02")) == D("575.00")
    assert limit(Closing((Leg(c("SPY S"), 1),), 1), quote("575.00", "575.02")) == D("-575.02")


# ------------------------------------------------------------------------------ a run against the venue

Answer = Callable[[Request, datetime], "Reply | str | None"]


def honest(request: Request, now: datetime) -> str:
    return "pass"


class Phone:
    """A ``Wire`` to a simulated account; ``answer`` may take a request out of its hands.

    "pass" lets it through; "lost" loses it; "mute" lets it through and loses the answer; a ``Reply`` is told
    instead of it.
    """

    def __init__(self, account: SimAccount, answer: Answer = honest, delay: float = 0.1) -> None:
        self.account = account
        self.answer = answer
        self.delay = timedelta(seconds=delay)
        self.sent: list[tuple[datetime, Request]] = []
        self.inbox: list[tuple[datetime, Told]] = []

    def send(self, request: Request, now: datetime) -> None:
        self.sent.append((now, request))
        what = self.answer(request, now)
        if isinstance(what, Reply):
            self.inbox.append((now + self.delay, what))
        elif what in ("pass", "mute"):
            told = self.account.handle(request, now)
            if what == "pass":
                self.inbox.append((now + self.delay, told))

    def take(self, now: datetime) -> list[Told]:
        self.account.advance(now)
        told = [one for when, one in self.inbox if when <= now]
        self.inbox = [(when, one) for when, one in self.inbox if when > now]
        return told

    def of(self, kind: type) -> list[Request]:
        return [request for _, request in self.sent if isinstance(request, kind)]


def fair(contract: Contract, now: datetime) -> float | None:
    """A dollar for each 25 points in the money of 5,750, two more for time."""
    if not isinstance(contract, Option):
        return 5750.0
    return float(max(0, (5750 - int(contract.strike)) * int(contract.right)) / 25 + 2)


@pytest.fixture
def market() -> ScriptedMarket:
    return ScriptedMarket(fair)


@pytest.fixture
def account(market: ScriptedMarket) -> SimAccount:
    return SimAccount(market, weekdays(TODAY, 3), at("09:30"), D(1_000_000))


SPREAD = "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670"
CONDOR = f"{SPREAD} / -1 SPXW 2031-03-07 C5800 / +1 SPXW 2031-03-07 C5830"


def hold(account: SimAccount, legs: str, units: int = 2) -> None:
    account.trade_by_hand(Structure.parse("x", legs).legs, units, D(1), NOW - timedelta(minutes=5))


def work(account: SimAccount, legs: str, limit: str, tag: str = "", *, opens: bool = True) -> str:
    told = account.handle(
        Place("w", tag, Structure.parse("x", legs).legs, 1, D(limit), opens=opens), NOW - timedelta(minutes=2)
    )
    account.advance(NOW)
    return told.orders[0].id


def run(
    account: SimAccount,
    market: ScriptedMarket,
    answer: Answer = honest,
    *,
    shares: bool = False,
    until: timedelta = timedelta(minutes=6),
) -> tuple[Flattening, Phone]:
    phone = Phone(account, answer)
    flatten = Flattening(phone, market.quotes, NOW, shares=shares)
    now = NOW
    while not flatten.over and now < NOW + until:
        due = flatten.step(now)
        assert due > now or flatten.is_flat or due - NOW >= flattening.TIME
        now = due
    return flatten, phone


def seconds(flatten: Flattening) -> float:
    return (flatten.said[-1].at - NOW).total_seconds()


def test_an_empty_account_is_flat_at_the_first_look(account: SimAccount, market: ScriptedMarket) -> None:
    flatten, phone = run(account, market)
    assert (flatten.is_flat, flatten.left(), flatten.said) == (True, [], [])
    assert [type(r) for _, r in phone.sent] == [FindOrders, FindPositions]


def test_a_condor_is_closed_by_one_order_with_our_tag_and_strictly(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, CONDOR)
    flatten, phone = run(account, market)
    (place,) = phone.of(Place)
    assert isinstance(place, Place)
    # Four options at a mid of 2.00 and half a spread of 0.05 each: the natural of the whole is -0.20.
    assert (place.opens, place.strict, place.units, len(place.legs)) == (False, True, 2, 4)
    tag = parsed(place.tag)
    assert tag is not None
    # 2031-03-07 is day 22,345 of the epoch; 20:20 UTC is second 73,200.
    assert (tag.instance, tag.epoch, tag.order, tag.attempt) == (INSTANCE, 22_345, "73200000", 1)
    assert flatten.is_flat
    assert account.true.held == {}
    assert [one.text.split(":")[0] for one in flatten.said] == ["close at -0.20", "filled"]


def test_five_requests_a_second_and_no_more(account: SimAccount, market: ScriptedMarket) -> None:
    for n in range(12):
        work(account, f"-1 SPXW 2031-03-07 P{5400 + 10 * n}", "90")
    flatten, phone = run(account, market)
    times = [when for when, _ in phone.sent]
    assert min(b - a for a, b in pairwise(times)) == timedelta(milliseconds=200)
    assert flatten.is_flat


def test_every_working_order_is_cancelled_ours_and_others_and_none_of_them_twice(
    account: SimAccount, market: ScriptedMarket
) -> None:
    ids = [
        work(account, "-1 SPXW 2031-03-07 P5700", "90", "0badcafe-1-7-1"),
        work(account, "-1 SPXW 2031-03-07 P5600", "90", "f1a77e40-22345-1-1"),
        work(account, "-1 SPXW 2031-03-07 P5500", "90"),
    ]
    flatten, phone = run(account, market)
    assert [r.order for r in phone.of(Cancel) if isinstance(r, Cancel)] == ids
    assert flatten.is_flat
    assert [one.text.split(":")[0] for one in flatten.said[:1]] == [
        f"cancel: order {ids[0]} (0badcafe-1-7-1)"[:6]
    ]
    assert phone.of(Place) == []


def test_what_an_order_of_others_works_on_is_closed_only_when_that_has_ended(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD, 1)
    work(account, "+1 SPXW 2031-03-07 P5700 / -1 SPXW 2031-03-07 P5670", "5", opens=False)
    flatten, phone = run(account, market)
    kinds = [type(r).__name__ for _, r in phone.sent if isinstance(r, Cancel | Place)]
    assert kinds == ["Cancel", "Place"]
    cancelled = next(when for when, r in phone.sent if isinstance(r, Cancel))
    placed = next(when for when, r in phone.sent if isinstance(r, Place))
    looked = [when for when, r in phone.sent if isinstance(r, FindPositions) and cancelled < when <= placed]
    # The positions are believed only when they were asked for after its end.
    assert looked
    assert flatten.is_flat


def test_a_cancel_that_is_not_heard_is_asked_again_after_ten_seconds(
    account: SimAccount, market: ScriptedMarket
) -> None:
    order = work(account, "-1 SPXW 2031-03-07 P5700", "90")
    lost: list[Request] = []

    def answer(request: Request, now: datetime) -> str:
        if isinstance(request, Cancel) and not lost:
            lost.append(request)
            return "lost"
        return "pass"

    flatten, phone = run(account, market, answer)
    first, second = (when for when, r in phone.sent if isinstance(r, Cancel))
    assert timedelta(seconds=10) <= second - first < timedelta(seconds=11)
    assert flatten.is_flat
    assert any(one.text.startswith(f"cancel again: order {order}") for one in flatten.said)


def test_an_order_that_appears_late_is_cancelled_too(account: SimAccount, market: ScriptedMarket) -> None:
    hold(account, SPREAD, 1)
    late: list[str] = []

    def answer(request: Request, now: datetime) -> str:
        if isinstance(request, Place) and not late:
            told = account.handle(
                Place(
                    "e",
                    "0badcafe-1-9-1",
                    Structure.parse("x", "-1 SPXW 2031-03-07 P5500").legs,
                    1,
                    D(90),
                    opens=True,
                ),
                now,
            )
            late.append(told.orders[0].id)
        return "pass"

    flatten, phone = run(account, market, answer)
    assert [r.order for r in phone.of(Cancel) if isinstance(r, Cancel)] == late
    assert flatten.is_flat


def test_limits_give_ground_every_ten_seconds_and_each_is_a_new_order_in_the_old_ones_place(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, "-1 SPXW 2031-03-07 P5700", 1)
    market.half_spread_ticks = 1
    taken: list[Request] = []

    def answer(request: Request, now: datetime) -> Reply | str:
        """A venue where nobody takes the first two prices."""
        taken.append(request)
        if isinstance(request, Place):
            return Reply(request.key, now, Outcome.ACCEPTED, orders=(working_order("B1", request),))
        if isinstance(request, Replace) and len([r for r in taken if isinstance(r, Replace)]) < 4:
            shown = working_order(f"B{len(taken)}", placed(), request)
            return Reply(request.key, now, Outcome.ACCEPTED, orders=(shown, ended(placed(), request.order)))
        if isinstance(request, FindOrders):
            return Reply(request.key, now, Outcome.ACCEPTED)
        return "pass"

    def placed() -> Place:
        return next(r for r in taken if isinstance(r, Place))

    flatten, phone = run(account, market, answer, until=timedelta(seconds=45))
    # A half-spread of 0.05 at a mid of 2.00: 2.05, 2.10, 2.15, and there it stays.
    assert placed().limit == D("-2.05")
    changes = [(when, r) for when, r in phone.sent if isinstance(r, Replace)]
    assert [r.limit for _, r in changes] == [D("-2.10"), D("-2.15")]
    assert [r.tag[-2:] for _, r in changes] == ["-2", "-3"]
    assert changes[1][1].order != changes[0][1].order == "B1"
    assert [int((when - NOW).total_seconds()) // 10 for when, _ in changes] == [1, 2]
    assert not flatten.over


def working_order(id_: str, place: Place, change: Replace | None = None) -> BrokerOrder:
    tag, limit_ = (place.tag, place.limit) if change is None else (change.tag, change.limit)
    return BrokerOrder(id_, tag, Status.LIVE, place.legs, place.units, limit_)


def ended(place: Place, id_: str, status: Status = Status.CANCELLED) -> BrokerOrder:
    return replace(working_order(id_, place), status=status)


def refusing(legs: int, times: int = 99, code: str = "closing_only") -> tuple[Answer, list[Place]]:
    refused: list[Place] = []

    def answer(request: Request, now: datetime) -> Reply | str:
        if isinstance(request, Place) and len(request.legs) >= legs and len(refused) < times:
            refused.append(request)
            return Reply(request.key, now, Outcome.REJECTED, code=code, text="no")
        return "pass"

    return answer, refused


def test_a_spread_that_is_refused_is_closed_leg_by_leg_shorts_first(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, CONDOR)
    answer, refused = refusing(2)
    flatten, phone = run(account, market, answer)
    assert len(refused) == 1
    singles = [r.legs[0] for r in phone.of(Place) if isinstance(r, Place) and len(r.legs) == 1]
    assert [leg.ratio for leg in singles] == [1, 1, -1, -1]
    assert flatten.is_flat
    assert any(one.text.startswith("refused (closing_only no): 2 x +1") for one in flatten.said)


def test_no_step_of_it_leaves_a_short_uncovered(account: SimAccount, market: ScriptedMarket) -> None:
    hold(account, CONDOR)
    answer, _ = refusing(2)
    bare = []

    def watched(request: Request, now: datetime) -> Reply | str | None:
        bare.append(uncovered(account.true.held))
        return answer(request, now)

    flatten, _ = run(account, market, watched)
    assert flatten.is_flat
    assert max(bare) == 0


def test_a_spread_that_nobody_takes_in_thirty_seconds_is_cancelled_and_closed_leg_by_leg(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD)
    places: list[Place] = []

    def answer(request: Request, now: datetime) -> Reply | str:
        if isinstance(request, Place) and len(request.legs) == 2:
            # Placed as an order that nobody takes.
            places.append(request)
            told = account.handle(replace(request, limit=D(50)), now)
            return replace(told, key=request.key)
        if isinstance(request, Replace):
            told = account.handle(replace(request, limit=D(50)), now)
            return replace(told, key=request.key)
        return "pass"

    flatten, phone = run(account, market, answer)
    assert len(places) == 1
    (cancel,) = {when for when, r in phone.sent if isinstance(r, Cancel)}
    assert 30 <= (cancel - NOW).total_seconds() < 32
    singles = [r.legs[0].ratio for r in phone.of(Place) if isinstance(r, Place) and len(r.legs) == 1]
    assert singles == [1, -1]
    assert flatten.is_flat
    assert seconds(flatten) < 60


def test_a_contract_that_the_broker_refuses_five_times_is_left_and_said(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, "-1 SPXW 2031-03-07 P5700", 1)
    answer, refused = refusing(1)
    flatten, _ = run(account, market, answer)
    assert len(refused) == 5
    assert flatten.over
    assert not flatten.is_flat
    assert flatten.left() == ["still held: -1 SPXW 2031-03-07 P5700 (the broker refused 5 times)"]


def test_a_close_whose_answer_is_lost_is_found_and_not_sent_again(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD)

    def answer(request: Request, now: datetime) -> str:
        return "mute" if isinstance(request, Place) else "pass"

    flatten, phone = run(account, market, answer)
    assert len(phone.of(Place)) == 1
    assert flatten.is_flat


def test_a_close_that_never_arrived_is_sent_again_after_two_searches_that_do_not_show_it(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD)
    lost: list[Request] = []

    def answer(request: Request, now: datetime) -> Reply | str:
        if isinstance(request, Place) and not lost:
            lost.append(request)
            return Reply(request.key, now, Outcome.UNKNOWN, code="timeout")
        return "pass"

    flatten, phone = run(account, market, answer)
    first, second = (when for when, r in phone.sent if isinstance(r, Place))
    # The first search asked ten seconds later, and the one two seconds after that.
    assert timedelta(seconds=12) <= second - first < timedelta(seconds=15)
    assert flatten.is_flat
    assert any(one.text.startswith("never arrived: 2 x +1") for one in flatten.said)


def test_a_replacement_that_was_refused_leaves_the_order_as_it_is(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, "-1 SPXW 2031-03-07 P5700", 1)
    changes: list[Replace] = []

    def answer(request: Request, now: datetime) -> Reply | str:
        if isinstance(request, Place):
            return Reply(request.key, now, Outcome.ACCEPTED, orders=(working_order("B1", request),))
        if isinstance(request, Replace):
            changes.append(request)
            return Reply(request.key, now, Outcome.REJECTED, code="cannot_update_order")
        if isinstance(request, FindOrders):
            return Reply(request.key, now, Outcome.ACCEPTED)
        return "pass"

    flatten, _ = run(account, market, answer, until=timedelta(seconds=35))
    # It may be tried again with the next step, on the same order.
    assert [c_.order for c_ in changes] == ["B1", "B1"]
    assert not flatten.over


def test_a_long_that_nobody_bids_for_is_left_to_expire_and_the_account_counts_as_flat(
    account: SimAccount, market: ScriptedMarket
) -> None:
    market.mid = lambda contract, now: 0.0
    hold(account, "+1 SPXW 2031-03-07 P5000", 3)
    flatten, phone = run(account, market)
    assert phone.of(Place) == []
    assert flatten.is_flat
    assert flatten.left() == ["still held: +3 SPXW 2031-03-07 P5000 (nobody bids for it)"]


def test_a_bid_that_comes_back_is_taken(account: SimAccount, market: ScriptedMarket) -> None:
    market.mid = lambda contract, now: 0.0 if now < NOW + timedelta(seconds=4) and short(contract) else 1.0
    hold(account, "+1 SPXW 2031-03-07 P5000", 1)
    hold(account, "-1 SPXW 2031-03-14 C5900", 1)
    wait = {"go": False}

    def answer(request: Request, now: datetime) -> Reply | str:
        if isinstance(request, Place) and now < NOW + timedelta(seconds=5):
            wait["go"] = True
            return Reply(request.key, now, Outcome.REJECTED, code="busy")
        return "pass"

    flatten, _ = run(account, market, answer)
    assert flatten.is_flat
    assert account.true.held == {}
    assert wait["go"]


def short(contract: Contract) -> bool:
    return str(contract).endswith("P5000")


def test_a_spread_without_quotes_is_taken_apart_after_ten_seconds(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD, 1)
    market.mid = lambda contract, now: (
        None if str(contract).endswith("P5670") and now < NOW + timedelta(seconds=25) else 3.0
    )
    flatten, phone = run(account, market)
    (first, one), (second, two) = [(when, r) for when, r in phone.sent if isinstance(r, Place)]
    assert (one.legs[0].ratio, two.legs[0].ratio) == (1, -1)
    assert 10 <= (first - NOW).total_seconds() < 13
    assert (second - NOW).total_seconds() >= 25
    assert flatten.is_flat


def test_a_spread_whose_quotes_come_back_in_time_stays_together(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD, 1)
    market.mid = lambda contract, now: None if now < NOW + timedelta(seconds=8) else fair(contract, now)
    flatten, phone = run(account, market)
    assert [len(r.legs) for r in phone.of(Place) if isinstance(r, Place)] == [2]
    assert flatten.is_flat


def test_shares_are_left_and_said_unless_asked_for(account: SimAccount, market: ScriptedMarket) -> None:
    hold(account, "+1 SPY S", 2)
    flatten, phone = run(account, market)
    assert flatten.is_flat
    assert flatten.left() == ["still held: +2 SPY S (shares are left alone)"]
    assert phone.of(Place) == []
    flatten, phone = run(account, market, shares=True)
    assert flatten.is_flat
    assert account.true.held == {}


def test_after_five_minutes_what_is_left_is_left_to_the_person(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD, 1)
    order = work(account, "-1 SPXW 2031-03-07 P5000", "90")

    def answer(request: Request, now: datetime) -> str:
        return "lost" if isinstance(request, Cancel | Place) else "pass"

    flatten, _ = run(account, market, answer)
    assert flatten.over
    assert not flatten.is_flat
    left = flatten.left()
    assert left[0] == f"still working: order {order}: 1 x -1 SPXW 2031-03-07 P5000 at 90"
    assert "still held: -1 SPXW 2031-03-07 P5700" in left


def test_a_broker_that_answers_nothing_is_no_flat_account(
    account: SimAccount, market: ScriptedMarket
) -> None:
    flatten, phone = run(account, market, lambda request, now: "lost")
    assert flatten.over
    assert not flatten.is_flat
    assert flatten.left() == ["the broker has not confirmed what is left: look at the account there"]
    # Asked again every two seconds for as long as it lasts.
    assert 140 <= len(phone.of(FindOrders)) <= 151


def test_answers_that_say_nothing_change_nothing(account: SimAccount, market: ScriptedMarket) -> None:
    def answer(request: Request, now: datetime) -> Reply:
        outcome = Outcome.ACCEPTED if isinstance(request, FindPositions) else Outcome.UNKNOWN
        return Reply(request.key, now, outcome)

    flatten, _ = run(account, market, answer, until=timedelta(seconds=5))
    assert not flatten.over
    assert flatten.held == {}


def test_the_stream_is_heard_and_an_old_message_brings_no_order_back(
    account: SimAccount, market: ScriptedMarket
) -> None:
    phone = Phone(account)
    flatten = Flattening(phone, market.quotes, NOW)
    live = BrokerOrder("B9", "", Status.LIVE, Structure.parse("x", SPREAD).legs, 1, D(1))
    over = replace(live, status=Status.FILLED)
    phone.inbox = [
        (NOW, Line(NOW, up=True)),
        (NOW, Report(NOW, live)),
        (NOW, Reply("not ours", NOW, Outcome.ACCEPTED, orders=(replace(live, id="B8"),))),
    ]
    flatten.step(NOW)
    assert [order.id for order in flatten.working] == ["B9"]
    phone.inbox = [(NOW, Report(NOW, over)), (NOW, Report(NOW, live))]
    flatten.step(NOW + timedelta(seconds=1))
    assert flatten.working == []


def test_a_late_sight_of_a_close_that_was_given_up_counts_against_what_is_held(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, "-1 SPXW 2031-03-07 P5700", 1)
    places: list[Place] = []
    looks: list[Request] = []

    def answer(request: Request, now: datetime) -> Reply | str:
        """The first one is accepted and shown to nobody until the second is on its way."""
        if isinstance(request, Place):
            places.append(request)
            return Reply(request.key, now, Outcome.UNKNOWN)
        if isinstance(request, FindOrders):
            looks.append(request)
            shown = tuple(working_order(f"B{n}", p) for n, p in enumerate(places)) if len(places) > 1 else ()
            return Reply(request.key, now, Outcome.ACCEPTED, orders=shown)
        return "lost" if isinstance(request, Replace) else "pass"

    flatten, _ = run(account, market, answer, until=timedelta(seconds=60))
    # Two are known to work: a third is never sent.
    assert len(places) == 2
    assert [order.id for order in flatten.working] == ["B0", "B1"]
    assert not flatten.over


def test_the_figures_of_the_run_are_those_of_the_goal() -> None:
    assert (flattening.PACE * 5).total_seconds() == 1
    assert (flattening.STEP * len(CONCESSIONS)).total_seconds() == 30
    assert flattening.TIME.total_seconds() == 300


# ------------------------------------------------------------------------------ what a small mistake would do


def test_what_is_left_of_a_side_is_paired_with_the_next_one_of_the_other() -> None:
    """Three put spreads beside calls at 5,800 and 5,900: the nearest puts stand with both calls."""
    held = {
        spx("P5700"): -3, spx("P5695"): 3, spx("P5600"): -1, spx("P5595"): 1,
        spx("C5800"): -1, spx("C5805"): 1, spx("C5900"): -1, spx("C5905"): 1,
    }  # fmt: skip
    shapes = [sorted(word[:5] for word in one.split() if word[0] in "PC") for one in plan(held)]
    assert shapes[:2] == [["C5800", "C5805", "P5695", "P5700"], ["C5900", "C5905", "P5695", "P5700"]]
    mirrored = {
        spx("C5800"): -3, spx("C5805"): 3, spx("C5900"): -1, spx("C5905"): 1,
        spx("P5700"): -1, spx("P5695"): 1, spx("P5600"): -1, spx("P5595"): 1,
    }  # fmt: skip
    shapes = [sorted(word[:5] for word in one.split() if word[0] in "PC") for one in plan(mirrored)]
    assert shapes[:2] == [["C5800", "C5805", "P5695", "P5700"], ["C5800", "C5805", "P5595", "P5600"]]


def test_a_calendar_that_costs_is_not_held_to_a_worst_cost_it_has_not() -> None:
    # Near 42, far 11: -31 at the mids, half-spreads 2 and 1.  Of one expiry it could cost nothing at all.
    calendar = Closing((Leg(spx("C5800"), 1), Leg(spx("C5800", "2031-04-17"), -1)), 1)
    assert limit(calendar, quote("40.00", "44.00"), quote("10.00", "12.00")) == D("-34.00")


def test_every_request_has_a_key_and_every_order_a_tag_of_its_own(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, CONDOR)
    answer, _ = refusing(2)
    _, phone = run(account, market, answer)
    keys = [request.key for _, request in phone.sent]
    assert keys == [f"flatten-{n + 1}" for n in range(len(keys))]
    # Numbered on from the second of the day it began at.
    tags = [parsed(r.tag) for r in phone.of(Place) if isinstance(r, Place)]
    assert [tag and tag.order for tag in tags] == [str(73_200_000 + n) for n in range(5)]


def test_what_had_ended_before_it_began_makes_nothing_wait(
    account: SimAccount, market: ScriptedMarket
) -> None:
    """The first look shows this morning's filled order on the very contracts that are held."""
    work(account, SPREAD, "-5")
    hold(account, SPREAD, 1)
    assert account.handle(FindOrders("look"), NOW).orders[0].status is Status.FILLED
    _, phone = run(account, market)
    first = next(when for when, r in phone.sent if isinstance(r, Place))
    assert first - NOW < timedelta(seconds=1)


def test_an_order_that_ended_meanwhile_makes_positions_be_looked_at_again(
    account: SimAccount, market: ScriptedMarket
) -> None:
    phone = Phone(account, lambda request, now: "lost" if isinstance(request, Place) else "pass")
    flatten = Flattening(phone, market.quotes, NOW)
    hold(account, SPREAD, 1)
    for tenth in range(6):
        flatten.step(NOW + timedelta(seconds=tenth / 10))
    assert len(phone.of(Place)) == 1  # both looks were answered, nothing else is known
    # Another order on a contract that is held fills, and nobody has shown it before.
    other = "-1 SPXW 2031-03-14 P5000"
    hold(account, other, 1)
    filled = BrokerOrder("B9", "", Status.FILLED, Structure.parse("x", other).legs, 1, D(1))
    told = NOW + timedelta(seconds=2.1)
    phone.inbox.append((told, Report(told, filled)))
    for tenth in range(20, 60):
        flatten.step(NOW + timedelta(seconds=tenth / 10))
    placed = [(when, r) for when, r in phone.sent if isinstance(r, Place) and when > told]
    looked = [when for when, r in phone.sent if isinstance(r, FindPositions) and when > told]
    assert placed
    assert looked
    assert placed[0][0] > looked[0]


def test_nothing_is_closed_before_both_orders_and_positions_are_known(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD, 1)
    for kind in (FindOrders, FindPositions):
        flatten, phone = run(
            account,
            market,
            lambda request, now, kind=kind: "lost" if isinstance(request, kind) else "pass",  # type: ignore[misc]
            until=timedelta(seconds=8),
        )
        assert phone.of(Place) == []
        assert not flatten.over


def live(request: Place, now: datetime, id_: str = "B1") -> Reply:
    return Reply(request.key, now, Outcome.ACCEPTED, orders=(working_order(id_, request),))


def test_while_a_short_is_being_bought_back_no_long_is_sold_that_covers_it(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD, 1)

    def answer(request: Request, now: datetime) -> Reply | str:
        """Spreads are refused; what is left of them works and does not fill."""
        if isinstance(request, Place) and len(request.legs) == 2:
            return Reply(request.key, now, Outcome.REJECTED, code="no")
        return live(request, now) if isinstance(request, Place) else "pass"

    _, phone = run(account, market, answer, until=timedelta(seconds=8))
    assert [r.legs[0].ratio for r in phone.of(Place) if isinstance(r, Place) and len(r.legs) == 1] == [1]


def test_a_long_that_covers_nothing_goes_while_a_spread_still_works(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD, 1)
    hold(account, "+1 SPXW 2031-03-07 P5600", 1)
    _, phone = run(
        account,
        market,
        lambda request, now: (
            live(request, now, f"B{len(request.legs)}") if isinstance(request, Place) else "pass"
        ),
        until=timedelta(seconds=8),
    )
    assert [len(r.legs) for r in phone.of(Place) if isinstance(r, Place)] == [2, 1]


def test_a_market_that_moves_within_ten_seconds_is_not_run_after_and_each_price_is_told(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, "-1 SPXW 2031-03-07 P5700", 1)
    market.mid = lambda contract, now: 2.0 + (now - NOW).total_seconds() // 2 / 10

    def answer(request: Request, now: datetime) -> Reply | str:
        if isinstance(request, Place):
            return live(request, now)
        if isinstance(request, Replace):
            shown = BrokerOrder("B2", request.tag, Status.LIVE, LEG, 1, request.limit)
            over = BrokerOrder("B1", "", Status.CANCELLED, LEG, 1, request.limit)
            return Reply(request.key, now, Outcome.ACCEPTED, orders=(shown, over))
        return Reply(request.key, now, Outcome.ACCEPTED) if isinstance(request, FindOrders) else "pass"

    flatten, phone = run(account, market, answer, until=timedelta(seconds=19))
    (change,) = [(when, r) for when, r in phone.sent if isinstance(r, Replace)]
    assert 10 <= (change[0] - NOW).total_seconds() < 11
    # 2.00 + 0.50 after ten seconds, and two half-spreads of 0.05.
    told = [one.text for one in flatten.said if one.text.startswith("close")]
    assert told == [f"close at {limit}: 1 x +1 SPXW 2031-03-07 P5700" for limit in ("-2.05", "-2.60")]


LEG = (Leg(spx("P5700"), 1),)


def test_a_fill_that_only_positions_show_is_not_the_end_before_the_order_is_known(
    account: SimAccount, market: ScriptedMarket
) -> None:
    """The answer is lost, the search lags: the account looks empty while an order of ours may still work."""
    hold(account, SPREAD, 1)

    def answer(request: Request, now: datetime) -> Reply | str:
        if isinstance(request, FindOrders) and now < NOW + timedelta(seconds=9):
            return Reply(request.key, now, Outcome.ACCEPTED)
        return "mute" if isinstance(request, Place) else "pass"

    early, _ = run(account, market, answer, until=timedelta(seconds=8))
    assert early.held == {}
    assert not early.is_flat
    late, _ = run(account, market, until=timedelta(seconds=20))
    assert late.is_flat


def test_a_close_is_given_up_by_the_second_search_after_ten_seconds_and_positions_are_read_first(
    account: SimAccount, market: ScriptedMarket
) -> None:
    hold(account, SPREAD)
    lost: list[Request] = []

    def answer(request: Request, now: datetime) -> Reply | str:
        if isinstance(request, Place) and not lost:
            lost.append(request)
            return Reply(request.key, now, Outcome.UNKNOWN, code="timeout")
        return "pass"

    flatten, phone = run(account, market, answer)
    first, second = (when for when, r in phone.sent if isinstance(r, Place))
    given_up = next(one.at for one in flatten.said if one.text.startswith("never arrived"))
    overdue = first + flattening.STEP
    assert len([1 for when, r in phone.sent if isinstance(r, FindOrders) and overdue <= when < given_up]) == 2
    assert [1 for when, r in phone.sent if isinstance(r, FindPositions) and given_up <= when < second]


def test_what_is_left_is_listed_by_contract(account: SimAccount, market: ScriptedMarket) -> None:
    hold(account, "-1 SPXW 2031-03-07 P5700", 1)
    hold(account, "-1 SPXW 2031-03-07 P5500", 3)
    hold(account, "-1 SPXW 2031-03-07 P5600", 2)
    flatten, _ = run(account, market, refusing(1)[0], until=timedelta(seconds=3))
    held = [line for line in flatten.left() if line.startswith("still held")]
    assert [line.split()[2] + line.split()[5] for line in held] == ["-3P5500", "-2P5600", "-1P5700"]


def test_a_short_of_which_nothing_is_left_holds_no_long_back() -> None:
    assert [str(o) for o in closings({spx("P5670"): 1}, {spx("P5700"): 0})] == [
        "1 x -1 SPXW 2031-03-07 P5670"
    ]
