"""The order protocol's values: outcomes, tags, phases, fills, budget, checks, remedies, settlements."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.deskworld import LONG, SHORT, SPREAD, both, closing, execution, order, second

from tomking.domain.chain import NetQuote, Quote
from tomking.domain.contract import Future
from tomking.domain.intent import Part
from tomking.domain.order import Fill, part_dollars
from tomking.domain.structure import Leg, Structure
from tomking.execution.protocol import checks
from tomking.execution.protocol.budget import RESERVE, Budget, Use, at_start
from tomking.execution.protocol.course import (
    IN_DOUBT,
    TABLE,
    TERMINAL,
    Attempt,
    Course,
    Input,
    Phase,
    Purpose,
    advance,
    merged,
)
from tomking.execution.protocol.evidence import all_over, in_question, judged, search_every, settled, shown
from tomking.execution.protocol.fills import assembled, consumed, fees_due, odd_legs, per_unit
from tomking.execution.protocol.outcomes import REFUSALS, Answer, Failure, outcome
from tomking.execution.protocol.settling import ended, netted
from tomking.execution.protocol.tags import Tag, parsed
from tomking.execution.protocol.uneven import priced, remedy, remedy_limit
from tomking.execution.wire import BrokerOrder, Execution, Kind, Outcome, Status, Transaction
from tomking.ports import Expiry

# ------------------------------------------------------------------------------------------ outcomes

ANSWERS = st.builds(
    Answer,
    status=st.none() | st.integers(100, 599),
    parsed=st.booleans(),
    order=st.sampled_from(["", "1234"]),
    code=st.sampled_from(["", "margin_check_failed"]),
    failure=st.sampled_from(Failure),
    token_was_valid=st.booleans(),
)


@given(ANSWERS)
def test_nothing_is_proved_by_an_answer_that_is_not_whole(answer: Answer) -> None:
    result = outcome(answer)
    if answer.failure is not Failure.NONE or answer.status is None or not answer.parsed:
        assert result is Outcome.UNKNOWN
    if result is Outcome.ACCEPTED:
        assert answer.status is not None
        assert 200 <= answer.status <= 299
        assert answer.order
    if result is Outcome.REJECTED:
        assert answer.code
        assert answer.status in {400, 401, 403, 422}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(201, parsed=True, order="1"), Outcome.ACCEPTED),
        (Answer(200, parsed=True, order="1"), Outcome.ACCEPTED),
        (Answer(299, parsed=True, order="1"), Outcome.ACCEPTED),
        (Answer(300, parsed=True, order="1"), Outcome.UNKNOWN),
        (Answer(199, parsed=True, order="1"), Outcome.UNKNOWN),
        (Answer(201, parsed=True), Outcome.UNKNOWN),
        (Answer(201, parsed=False, order="1"), Outcome.UNKNOWN),
        (Answer(422, parsed=True, code="x"), Outcome.REJECTED),
        (Answer(400, parsed=True, code="x"), Outcome.REJECTED),
        (Answer(403, parsed=True, code="x"), Outcome.REJECTED),
        (Answer(422, parsed=True), Outcome.UNKNOWN),
        (Answer(401, parsed=True, code="x"), Outcome.REJECTED),
        (Answer(401, parsed=True, code="x", token_was_valid=False), Outcome.UNKNOWN),
        (Answer(429, parsed=True, code="x"), Outcome.UNKNOWN),
        (Answer(404, parsed=True, code="x"), Outcome.UNKNOWN),
        (Answer(502, parsed=True, code="x"), Outcome.UNKNOWN),
        (Answer(422, parsed=True, code="x", failure=Failure.CANCELLED), Outcome.UNKNOWN),
        (Answer(None, parsed=False, failure=Failure.TIMEOUT), Outcome.UNKNOWN),
        (Answer(None, parsed=True, order="1"), Outcome.UNKNOWN),
    ],
)
def test_an_answer_proves_this(answer: Answer, expected: Outcome) -> None:
    assert outcome(answer) is expected


def test_only_three_refusals_are_certain() -> None:
    assert {400, 403, 422} == REFUSALS


# ------------------------------------------------------------------------------------------ tags


def test_a_tag_is_read_back_and_nothing_else_is() -> None:
    tag = Tag("0badcafe", 3, "1234", 2)
    assert str(tag) == "0badcafe-3-1234-2"
    assert parsed("0badcafe-3-1234-2") == tag
    for other in (
        "",
        "abc",
        "0badcafe-3-1234",
        "0BADCAFE-3-1234-2",
        "0badcafe-03-1234-2",
        "0badcafe-3-1-2-3",
    ):
        assert parsed(other) is None


@given(st.integers(0, 999), st.integers(0, 10**9), st.integers(0, 9999))
def test_every_tag_that_is_written_is_read(epoch: int, number: int, attempt: int) -> None:
    tag = Tag("00ff00ff", epoch, str(number), attempt)
    assert parsed(str(tag)) == tag


# ------------------------------------------------------------------------------------------ phases


def test_every_phase_and_input_is_decided() -> None:
    assert set(TABLE) == {(phase, what) for phase in Phase for what in Input}
    assert all(advance(phase, what) is phase for phase in TERMINAL for what in Input)
    assert {Phase.FILLED, Phase.CANCELLED, Phase.REJECTED, Phase.EXPIRED_ABSENT} == TERMINAL
    assert {Phase.UNKNOWN, Phase.PARKED} == IN_DOUBT


OPEN = [phase for phase in Phase if phase not in TERMINAL]


def test_the_table_in_full() -> None:
    changes = {pair: after for pair, after in TABLE.items() if after is not pair[0]}
    uneven, sent = Phase.LEG_IMBALANCE, Phase.SENT
    expected: dict[tuple[Phase, Input], Phase] = {
        (Phase.PENDING, Input.SEND): sent,
        (Phase.PENDING, Input.DENY): Phase.REJECTED,
        (Phase.PENDING, Input.WITHDRAW): Phase.CANCELLED,
        **{(p, Input.FULL): Phase.FILLED for p in OPEN},
        **{(p, Input.END): Phase.CANCELLED for p in OPEN},
        **{(p, Input.REFUSE): Phase.REJECTED for p in OPEN if p is not uneven},
        **{(p, Input.UNEVEN): uneven for p in OPEN if p is not uneven},
        **{(p, Input.LONG): Phase.PARKED for p in OPEN if p not in {uneven, Phase.PARKED}},
        **{(p, Input.DOUBT): Phase.UNKNOWN for p in (Phase.PENDING, sent, Phase.WORKING)},
        **{(p, Input.SEEN): Phase.WORKING for p in (Phase.PENDING, sent, Phase.UNKNOWN, Phase.PARKED)},
        **{
            (p, Input.ABSENT): Phase.EXPIRED_ABSENT
            for p in (Phase.PENDING, sent, Phase.UNKNOWN, Phase.PARKED)
        },
    }
    assert changes == expected


# ------------------------------------------------------------------------------------------ showings


def broker_order(status: Status = Status.LIVE, *done: Execution, **changes: object) -> BrokerOrder:
    plain = BrokerOrder("B1", "0badcafe-3-7-1", status, SPREAD.legs, 2, Decimal(5), tuple(done))
    return replace(plain, **changes)  # type: ignore[arg-type]


SHOWINGS = st.lists(
    st.builds(
        lambda status, count, fees: broker_order(
            status, *(both(1, "a") + both(1, "b", 2))[:count], fees=Decimal(fees)
        ),
        st.sampled_from(Status),
        st.integers(0, 4),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=5,
)


@given(SHOWINGS, st.randoms(use_true_random=False))
def test_showings_merge_to_the_same_whatever_their_order_and_number(showings, chance) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    def all_merged(orders: list[BrokerOrder]) -> BrokerOrder:
        seen: BrokerOrder | None = None
        for one in orders:
            seen = merged(seen, one)
        assert seen is not None
        return seen

    shuffled = [*showings, *showings]
    chance.shuffle(shuffled)
    one, other = all_merged(showings), all_merged(shuffled)
    assert (one.status, set(one.executions), one.fees) == (other.status, set(other.executions), other.fees)


def test_an_end_is_never_taken_back_and_filled_is_the_weakest_end() -> None:
    live, filled, cancelled = (broker_order(s) for s in (Status.LIVE, Status.FILLED, Status.CANCELLED))
    assert merged(filled, live).status is Status.FILLED
    assert merged(live, filled).status is Status.FILLED
    assert merged(filled, cancelled).status is Status.CANCELLED
    assert merged(cancelled, filled).status is Status.CANCELLED
    ranks = [
        Status.RECEIVED,
        Status.LIVE,
        Status.REPLACE_REQUESTED,
        Status.CANCEL_REQUESTED,
        Status.FILLED,
        Status.EXPIRED,
        Status.REJECTED,
        Status.REMOVED,
        Status.PARTIALLY_REMOVED,
        Status.CANCELLED,
    ]
    for weak, strong in pairwise(ranks):
        assert merged(broker_order(strong), broker_order(weak)).status is strong
    assert merged(broker_order(Status.CONTINGENT), broker_order(Status.LIVE)).status is Status.LIVE


def attempt(number: int = 1, purpose: Purpose = Purpose.WORK, **changes: object) -> Attempt:
    plain = Attempt(number, purpose, SPREAD.legs, 2, Decimal(5), second(0))
    return replace(plain, **changes)  # type: ignore[arg-type]


def course(*attempts: Attempt, **changes: object) -> Course:
    return replace(Course(order(), second(0), Decimal(5)), attempts=attempts, **changes)  # type: ignore[arg-type]


def test_called_filled_with_a_leg_missing_still_waits_for_it() -> None:
    short_only = (execution("a", SPREAD.legs[0], 2, "9"),)
    assert attempt(seen=broker_order(Status.FILLED, *short_only)).lacks_executions
    assert not attempt(seen=broker_order(Status.FILLED, *both(2))).lacks_executions
    assert not attempt(seen=broker_order(Status.CANCELLED, *short_only)).lacks_executions
    assert not attempt().lacks_executions


def test_what_all_attempts_say_together() -> None:
    def say(*attempts: Attempt, **facts: bool) -> Input | None:
        plain = {"is_full": False, "is_even": True, "is_confirmed": True}
        return judged(course(*attempts), **{**plain, **facts})

    live = attempt(seen=broker_order())
    gone = attempt(seen=broker_order(Status.CANCELLED))
    lost = attempt(2, outcome=Outcome.UNKNOWN)
    assert say() is None
    assert say(attempt()) is None
    assert say(lost) is Input.DOUBT
    assert say(attempt(outcome=Outcome.ACCEPTED)) is Input.DOUBT
    assert say(live, lost) is Input.SEEN
    assert say(gone, attempt(2)) is None
    assert say(gone, lost) is Input.DOUBT
    assert say(gone) is Input.END
    assert say(gone, is_confirmed=False) is None
    assert say(gone, is_even=False) is None
    assert say(gone, is_full=True) is Input.FULL
    assert say(attempt(outcome=Outcome.REJECTED)) is Input.REFUSE
    assert say(attempt(seen=broker_order(Status.REJECTED))) is Input.REFUSE
    assert say(attempt(seen=broker_order(Status.REJECTED, *both(1)))) is Input.END
    assert say(attempt(seen=broker_order(Status.FILLED, both(1)[0]))) is Input.SEEN
    assert all_over(course(gone))
    assert not all_over(course())
    assert not any(map(all_over, (course(live), course(gone, lost), course(gone, attempt(2)))))


def test_a_replacement_that_exists_settles_those_asked_in_vain_before() -> None:
    asked = [attempt(n, Purpose.REPLACE, outcome=Outcome.UNKNOWN) for n in (2, 3)]
    live = attempt(seen=broker_order())
    found = shown(course(live, *asked), 3, broker_order(replaces="B1", tag="0badcafe-3-7-3"), second(9))
    assert [a.outcome for a in found.attempts] == [None, Outcome.REJECTED, Outcome.UNKNOWN]
    assert found.attempts[2].is_live
    assert [a.outcome for a in settled(course(live, *asked), 4).attempts] == [
        None,
        Outcome.REJECTED,
        Outcome.REJECTED,
    ]
    lost = attempt(1, outcome=Outcome.UNKNOWN)
    assert settled(course(lost), 4).attempts == (lost,)


def test_an_attempt_of_a_process_before_is_known_by_its_legs() -> None:
    def purpose(shown_as: BrokerOrder) -> Purpose:
        found = shown(course(), 4, shown_as, second(9)).attempts[0]
        assert (found.number, found.sent, found.outcome) == (4, second(9), Outcome.ACCEPTED)
        return found.purpose

    assert purpose(broker_order()) is Purpose.WORK
    assert purpose(broker_order(replaces="B0")) is Purpose.REPLACE
    assert purpose(broker_order(legs=SPREAD.inverse().legs[:1])) is Purpose.UNWIND
    again = shown(course(attempt(seen=broker_order())), 1, broker_order(), second(9))
    assert again.attempts == (attempt(seen=broker_order()),)


def test_an_order_in_doubt_is_searched_for_30_times_2_s_then_40_times_15_s_then_each_minute() -> None:
    every = {s: search_every(timedelta(seconds=s)).seconds for s in (0, 59, 60, 659, 660, 9999)}
    assert every == {0: 2, 59: 2, 60: 15, 659: 15, 660: 60, 9999: 60}


# ------------------------------------------------------------------------------------------ fills

PRICES = st.decimals(Decimal("0.05"), Decimal(20), places=2)


@st.composite
def pieces(draw: st.DrawFn) -> tuple[Structure, list[Execution]]:
    """Executions of up to four units of a spread with ratio 1:2, cut anyhow."""
    structure = Structure("ratio", (Leg(SHORT, -2), Leg(LONG, 1)))
    found = []
    for leg in structure.legs:
        left, n = 4 * abs(leg.ratio), 0
        while left and draw(st.booleans() if n else st.just(value=True)):
            count = draw(st.integers(1, left))
            side = 1 if leg.ratio > 0 else -1
            price = draw(PRICES)
            when = second(draw(st.integers(0, 5)))
            found.append(Execution(f"{leg.ratio}.{n}", leg.contract, side * count, price, when))
            left, n = left - count, n + 1
    return structure, found


@given(pieces(), st.randoms(use_true_random=False))
def test_fills_are_the_same_units_and_cash_in_whatever_order_executions_arrive(made, chance) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    structure, executions = made
    one = order(parts=(Part("ratio", structure),), units=4)
    booked: list[str] = []
    arrived: list[Execution] = []
    shuffled = [*executions, *executions]
    chance.shuffle(shuffled)
    cash, units = Fraction(0), 0
    for execution_ in shuffled:
        arrived.append(execution_)
        for whole in assembled(one, arrived, booked):
            booked.append(whole.id)
            fill = Fill(whole.id, one.id, whole.at, whole.units, whole.prices, Decimal(0))
            cash += Fraction(sum(part_dollars(one, fill)))
            units += whole.units
    most = min(
        sum(abs(e.quantity) for e in executions if e.contract == leg.contract) // abs(leg.ratio)
        for leg in structure.legs
    )
    assert units == most
    odd = odd_legs(one, executions, booked)
    taken = consumed(booked)
    for leg in structure.legs:
        own = [e for e in executions if e.contract == leg.contract]
        assert sum(taken.get(e.id, 0) for e in own) == units * abs(leg.ratio)
        assert sum(e.quantity for e in own) == units * leg.ratio + odd.get(leg.contract, 0)
    exact = sum(
        (-e.price * taken.get(e.id, 0) * (1 if e.quantity > 0 else -1) * 100 for e in executions), Decimal(0)
    )
    assert cash == Fraction(exact)


def test_units_at_one_price_are_one_fill_and_the_next_price_begins_another() -> None:
    short, long = SPREAD.legs
    executions = [
        execution("s1", short, 1, "9.00", 1),
        execution("s2", short, 1, "9.10", 2),
        execution("l1", long, 2, "4.00", 3),
    ]
    first, then = assembled(order(), executions, ())
    assert (first.id, first.units, first.prices, first.at) == (
        "s1:1|l1:1",
        1,
        (Decimal("9.00"), Decimal("4.00")),
        second(3),
    )
    assert (then.id, then.prices) == ("s2:1|l1:1", (Decimal("9.10"), Decimal("4.00")))
    assert [w.id for w in assembled(order(), executions, [first.id])] == ["s2:1|l1:1"]
    assert assembled(order(), executions, [first.id, then.id]) == []


def test_two_contracts_of_a_leg_at_two_prices_cost_their_average() -> None:
    # Ratio 2: one at 1.00 and one at 1.05 is 1.025 each.
    ratio = order(parts=(Part("ratio", Structure("r", (Leg(SHORT, -2), Leg(LONG, 1)))),), units=1)
    executions = [
        Execution("a", SHORT, -1, Decimal("1.00"), second(1)),
        Execution("b", SHORT, -1, Decimal("1.05"), second(2)),
        Execution("c", LONG, 1, Decimal("0.50"), second(2)),
    ]
    (whole,) = assembled(ratio, executions, ())
    assert whole.id == "a:1+b:1|c:1"
    assert whole.prices == (Decimal("1.025"), Decimal("0.50"))


def test_an_execution_of_the_other_sign_or_another_contract_is_no_part_of_a_unit() -> None:
    wrong = [replace(e, quantity=-e.quantity) for e in both(1)]
    assert assembled(order(), wrong, ()) == []
    assert odd_legs(order(), wrong, ()) == {}
    assert odd_legs(order(), both(2)[:1], ()) == {SHORT: -2}
    assert odd_legs(order(), both(2), ()) == {}
    assert per_unit((Leg(SHORT, 1), Leg(SHORT, 2), Leg(LONG, -1))) == {SHORT: 3, LONG: -1}


def test_fees_go_with_contracts_and_the_last_fill_takes_what_rounding_left() -> None:
    executions = [*both(1, "a"), *both(2, "b")]
    # $1.00 for six contracts: two of them are a third.
    assert fees_due(Decimal("1.00"), executions, ["a0:1|a1:1"]) == Decimal("0.33")
    assert fees_due(Decimal("1.00"), executions, ["a0:1|a1:1", "b0:2|b1:2"]) == Decimal("1.00")
    assert fees_due(Decimal("1.00"), executions, []) == 0
    assert fees_due(Decimal("1.00"), [], []) == 0


# ------------------------------------------------------------------------------------------ budget


def test_five_requests_a_second_and_one_of_them_for_cancels() -> None:
    budget = Budget(second(0), tokens=15.0)
    for _ in range(4):
        assert all(budget.allows(use, second(0)) for use in Use)
        budget = budget.spent(second(0))
    assert [use for use in Use if budget.allows(use, second(0.99))] == [Use.CANCEL]
    budget = budget.spent(second(0.5))
    assert not budget.allows(Use.CANCEL, second(0.99))
    assert budget.allows(Use.CLOSE, second(1.01))


def test_tokens_refill_by_three_quarters_a_second_and_are_kept_back_for_what_reduces_risk() -> None:
    def at(tokens: float) -> list[Use]:
        return [use for use in Use if Budget(second(0), tokens=tokens).allows(use, second(0))]

    assert at(5.0) == [Use.LOOK, Use.OPEN, Use.CLOSE, Use.CANCEL]
    assert at(4.99) == [Use.LOOK, Use.CLOSE, Use.CANCEL]
    assert at(2.99) == [Use.CLOSE, Use.CANCEL]
    assert at(1.99) == [Use.CANCEL]
    assert at(0.99) == []
    assert Budget(second(0), tokens=0.0).refilled(second(4)).tokens == 3.0
    assert Budget(second(0), tokens=14.9).refilled(second(60)).tokens == 15.0
    assert Budget(second(9), tokens=1.0).refilled(second(0)).tokens == 1.0
    assert Budget(second(9), tokens=1.0).refilled(second(0)).at == second(9)
    assert set(RESERVE) == set(Use)


def test_no_minute_sees_more_than_sixty_requests() -> None:
    budget, sent = Budget(second(0), tokens=15.0), []
    for tenth in range(1800):
        now = second(tenth / 10)
        while budget.allows(Use.CANCEL, now):
            budget = budget.spent(now)
            sent.append(now)
    assert max(sum(1 for b in sent if a <= b < a + timedelta(minutes=1)) for a in sent) == 59


def test_after_a_429_nothing_goes_out_before_a_backoff_that_doubles_to_half_a_minute() -> None:
    budget = Budget(second(0))
    for seconds in (1, 2, 4, 8, 16, 30, 30):
        budget = budget.refused(second(0))
        assert budget.quiet_until == second(seconds)
        assert not budget.allows(Use.CANCEL, second(seconds - 0.01))
        assert budget.allows(Use.CANCEL, second(seconds))
    assert budget.answered().refused(second(0)).quiet_until == second(1)


def test_a_hurry_shortens_a_long_silence_to_five_seconds_and_no_other() -> None:
    budget = Budget(second(0))
    assert budget.hurried(second(0)) is budget
    for seconds, left in ((1, 1), (2, 2), (4, 4), (8, 5), (16, 5)):
        budget = budget.refused(second(0))
        assert budget.quiet_until == second(seconds)
        assert budget.hurried(second(0)).quiet_until == second(left)
    # Asked again and again it does not move on.
    assert budget.hurried(second(0)).hurried(second(3)).quiet_until == second(5)


def test_a_process_begins_with_a_second_of_silence_and_three_tokens() -> None:
    budget = at_start(second(0))
    assert not budget.allows(Use.CANCEL, second(0.99))
    assert budget.allows(Use.LOOK, second(1))
    assert budget.tokens == 3.0


# ------------------------------------------------------------------------------------------ checks


def quote(mid: str, half: str) -> NetQuote:
    return NetQuote(Decimal(mid), Decimal(half))


@pytest.mark.parametrize(
    ("limit", "mid", "half", "said"),
    [
        ("5.00", "5.00", "0.10", None),
        ("4.00", "5.00", "0.10", None),  # a fifth of the mid: 1.00
        ("3.95", "5.00", "0.10", "limit 3.95 is 1.05 off the mid 5.00, at most 1.00 allowed"),
        ("6.05", "5.00", "0.10", "limit 6.05 is 1.05 off the mid 5.00, at most 1.00 allowed"),
        ("3.00", "5.00", "0.50", None),  # four half-spreads: 2.00
        ("2.95", "5.00", "0.50", "limit 2.95 is 2.05 off the mid 5.00, at most 2.00 allowed"),
        ("0.25", "0.50", "0.01", None),  # five ticks: 0.25
        ("0.20", "0.50", "0.01", "limit 0.20 is 0.30 off the mid 0.50, at most 0.25 allowed"),
        ("-0.05", "0.15", "0.10", "limit -0.05 has the wrong sign: the market is a credit of 0.15"),
        ("0.05", "-0.15", "0.10", "limit 0.05 has the wrong sign: the market is a debit of 0.15"),
        ("-0.05", "0.10", "0.10", None),  # neither clearly a credit nor a debit
        ("0", "0.10", "0.10", "a limit of 0 is neither credit nor debit"),
    ],
)
def test_an_opening_limit_lies_near_the_mid_and_has_its_sign(
    limit: str, mid: str, half: str, said: str | None
) -> None:
    assert checks.off_collar(order(), Decimal(limit), quote(mid, half)) == said


def test_a_close_may_ask_for_much_but_not_give_away_much() -> None:
    one = closing()
    assert checks.off_collar(one, Decimal("-1.00"), quote("-5.00", "0.10")) is None
    assert checks.off_collar(one, Decimal("-6.05"), quote("-5.00", "0.10")) is not None
    assert checks.off_collar(one, Decimal("-6.00"), quote("-5.00", "0.10")) is None
    assert checks.off_collar(one, Decimal("0.05"), quote("-0.15", "0.10")) is None
    assert checks.off_collar(one, Decimal(-5), None) is None
    assert checks.off_collar(order(), Decimal(5), None) == "no two-sided quote to compare its limit with"


def seen(bid: str | None, ask: str | None, when: float = 0) -> Quote:
    return Quote(bid and Decimal(bid), ask and Decimal(ask), second(when))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (seen("1.00", "1.05"), None),
        (seen("0", "0.05"), None),
        (None, "a leg has no two-sided quote"),
        (seen(None, "1.05"), "a leg has no two-sided quote"),
        (seen("1.00", None), "a leg has no two-sided quote"),
        (seen("1.05", "1.05"), "a leg is quoted 1.05 bid, 1.05 asked"),
        (seen("-0.05", "1.05"), "a leg is quoted -0.05 bid, 1.05 asked"),
        (seen("1.00", "1.05", -4.9), None),
        (seen("1.00", "1.05", -5), "the legs' quotes are 5 s apart"),
        (seen("1.00", "1.05", -31), "a leg's quote is 31 s old"),
    ],
)
def test_nothing_is_opened_on_quotes_like_these(first: Quote | None, said: str | None) -> None:
    assert checks.off_market([first, seen("1.00", "1.05")], second(0)) == said


def test_a_quote_of_half_a_minute_is_still_believed() -> None:
    assert checks.off_market([seen("1.00", "1.05")], second(30)) is None


def test_a_close_at_nothing_costs_a_tick() -> None:
    assert checks.sendable(closing(), Decimal(0)) == Decimal("-0.05")
    selling = Part("long", Structure("long", (Leg(LONG, -1),)))
    assert checks.sendable(closing(parts=(selling,)), Decimal(0)) == Decimal("0.05")
    assert checks.sendable(order(), Decimal(0)) == 0
    assert checks.sendable(closing(), Decimal("-5.00")) == Decimal("-5.00")


def test_a_sixth_like_order_in_ten_minutes_is_a_runaway() -> None:
    sent = [(second(n), order(id=str(n))) for n in range(5)]
    assert checks.repeats(order(), sent, second(5))
    assert not checks.repeats(order(), sent[:4], second(5))
    assert not checks.repeats(order(), sent, second(600))
    assert not checks.repeats(order(units=1), sent, second(5))
    assert not checks.repeats(order(strategy="other"), sent, second(5))


# ------------------------------------------------------------------------------------------ uneven legs


def test_what_an_opening_left_is_traded_back_and_what_is_short_first() -> None:
    assert remedy(order(), {SHORT: -2, LONG: 1}) == (Purpose.UNWIND, (Leg(SHORT, 1),), 2)
    assert remedy(order(), {LONG: 2}) == (Purpose.UNWIND, (Leg(LONG, -1),), 2)


def test_what_a_close_lacks_is_traded() -> None:
    # Two bought back of the short, none of the long sold: sell two.
    assert remedy(closing(), {SHORT: 2}) == (Purpose.COMPLETE, (Leg(LONG, -1),), 2)
    # One and two: sell the one that is missing.
    assert remedy(closing(), {SHORT: 2, LONG: -1}) == (Purpose.COMPLETE, (Leg(LONG, -1),), 1)
    # The wrong way round is no part of a unit.
    assert remedy(closing(), {SHORT: -1}) == (Purpose.UNWIND, (Leg(SHORT, 1),), 1)
    ratio = closing(parts=(Part("r", Structure("r", (Leg(SHORT, 2), Leg(LONG, -1)))),))
    assert remedy(ratio, {SHORT: 3}) == (Purpose.COMPLETE, (Leg(SHORT, 1), Leg(LONG, -2)), 1)


def test_a_remedy_is_marketable_and_more_so_each_time() -> None:
    buying, selling = (Leg(SHORT, 1),), (Leg(SHORT, -1),)
    limits = [remedy_limit(buying, quote("-9.00", "0.10"), n) for n in range(5)]
    # The third goes as far as a marketable limit may: a fifth of 9.00.
    assert limits == [Decimal(x) for x in ("-9.20", "-9.30", "-10.80", "-10.80", "-10.80")]
    sold = [remedy_limit(selling, quote("9.00", "0.10"), n) for n in range(4)]
    assert sold == [Decimal(x) for x in ("8.80", "8.70", "8.60", "8.60")]
    assert remedy_limit(buying, quote("-9.00", "0.01"), 0) == Decimal("-9.10")
    assert remedy_limit(selling, quote("0.10", "0.10"), 0) == Decimal("0.05")
    assert remedy_limit((Leg(SHORT, 1), Leg(LONG, -1)), quote("0.20", "0.10"), 0) == Decimal("-0.05")


def test_what_is_bought_needs_an_ask_and_what_is_sold_a_bid() -> None:
    buy, sell = Leg(SHORT, 1), Leg(LONG, -1)
    asked, bid = Quote(None, Decimal("9.10"), second(0)), Quote(Decimal("3.90"), None, second(0))
    whole = Quote(Decimal("8.90"), Decimal("9.10"), second(0))
    assert priced((buy,), [asked]) == ((buy,), NetQuote(Decimal("-9.10"), Decimal(0)))
    assert priced((sell,), [bid]) == ((sell,), NetQuote(Decimal("3.90"), Decimal(0)))
    assert priced((buy,), [whole]) == ((buy,), NetQuote(Decimal("-9.00"), Decimal("0.10")))
    assert priced((buy,), [bid]) == priced((sell,), [asked]) == priced((buy,), [None]) == ((), None)
    # Two that are bought: the one without a price waits alone; a sale waits for its purchase.
    assert priced((buy, Leg(LONG, 1)), [whole, None]) == ((buy,), NetQuote(Decimal("-9.00"), Decimal("0.10")))
    assert priced((buy, sell), [None, bid]) == ((), None)
    assert priced((buy, sell), [asked, bid]) == ((buy, sell), NetQuote(Decimal("-5.20"), Decimal(0)))


# ------------------------------------------------------------------------------------------ settling


def transaction(**changes: object) -> Transaction:
    plain = Transaction(
        "T1", Kind.EXPIRED, second(0), Decimal("-2000.00"), Decimal("10.00"), SHORT, -2, Decimal(5690)
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_an_expiry_is_told_for_one_long_contract() -> None:
    # Two short contracts ten points in the money cost $2,000: a long one receives $1,000.
    (one,) = ended([SHORT], [transaction(), transaction()])
    assert (one.contract, one.price, one.dollars, one.fee) == (
        SHORT,
        Decimal(5690),
        Decimal(1000),
        Decimal(5),
    )
    assert one.delivered is None
    future = Future("ES", SHORT.expiry, Decimal(50), Decimal("0.25"))
    (one,) = ended([SHORT], [transaction(delivered=(future, 2))])
    assert one.delivered == (future, -1)  # a put: its long holder sells
    (one,) = ended([SHORT], [transaction(quantity=2, dollars=Decimal(2000), delivered=(future, 2))])
    assert one.delivered == (future, 1)


def test_positions_that_offset_each_other_settle_as_the_account_does() -> None:
    # Of three here the account holds one, and has paid for one.
    (shared,) = ended([SHORT], [transaction(quantity=-1, fees=Decimal(3))], gross={SHORT: 3})
    assert shared.fee == 1
    # Of the other as many are held long as short: 5690 is 20 points above 5670, a put worth nothing.
    assert netted({LONG: 0}, [transaction()]) == [Expiry(LONG, Decimal(5690), Decimal(0), None, Decimal(0))]
    in_the_money = replace(LONG, strike=Decimal(5710))  # type: ignore[arg-type]
    (one,) = netted({in_the_money: 0}, [transaction()])
    assert one.dollars == Decimal(2000)
    assert netted({LONG: 1}, [transaction()]) == []
    assert netted({LONG: 0}, [transaction(kind=Kind.MONEY)]) == []


def test_only_ends_of_these_contracts_count() -> None:
    assert ended([LONG], [transaction()]) == []
    assert ended([SHORT], [transaction(kind=Kind.MONEY)]) == []
    assert ended([SHORT], [transaction(quantity=0)]) == []
    assert ended([SHORT], [transaction(contract=None)]) == []
    assert ended([SHORT], [transaction()], {Kind.ASSIGNED}) == []
    assert len(ended([SHORT], [transaction(kind=Kind.ASSIGNED)], {Kind.ASSIGNED})) == 1
    (one,) = ended([SHORT], [transaction(id="a", quantity=-1), transaction(id="b", quantity=-1)])
    assert one.dollars == Decimal(2000)


def test_a_lost_remedy_of_a_close_whose_rest_is_gone_is_in_question_while_it_could_trade() -> None:
    # Two short ones were bought back by a later remedy; what is missing are the long ones.
    closes = replace(order(), parts=(Part("put side", SPREAD.inverse()),), opens=False)
    missed = {"absent": second(60), "odd": ((SHORT, 2),), "uneven": second(1), "order": closes}
    bought = attempt(2, Purpose.COMPLETE, legs=(Leg(SHORT, 1),), outcome=Outcome.UNKNOWN)
    sold = attempt(2, Purpose.COMPLETE, legs=(Leg(LONG, -1),), outcome=Outcome.UNKNOWN)
    assert in_question(course(bought, **missed), bought)
    assert not in_question(course(bought, gone=True, **missed), bought)
    assert in_question(course(sold, gone=True, **missed), sold)
