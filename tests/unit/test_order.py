"""Orders and what their fills are worth, part by part; the ladder's times; marks of what is held."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_book import CALLS, NOON, OPEN_FILL, OPENING, PUTS, opened, order, prices
from tests.unit.test_limits import wish
from tests.unit.test_plan import held
from tests.worlds import at

from tomking.domain.book import Book, fold
from tomking.domain.chain import NetQuote, Quote
from tomking.domain.intent import Approved, Close, Part, Target, Urgency
from tomking.domain.order import Fill, part_dollars, part_fees, part_nets, part_slippages
from tomking.domain.structure import Structure
from tomking.execution.collar import PATIENCE, LastSound, collared
from tomking.execution.ladder import CONCESSIONS, STEP, has_ended, limit_at, next_change, target_limit
from tomking.execution.marking import LastMids, Values, marked, table_of
from tomking.execution.plan import closing_order, first_in_turn, opening_order, target_order, target_price

D = Decimal
NAN = float("nan")


# ------------------------------------------------------------------------------ parts of a fill


def test_an_order_says_only_what_it_was_told() -> None:
    plain = order("7", opens=False, parts=(Part("put side", PUTS),))
    plain = replace(plain, targets=())
    assert not plain.defends
    assert plain.margin == 0
    bare = type(plain)("1", "s", "1", plain.parts, 1, D(1), None, True, Urgency.ENTRY, "r", "t")
    assert not bare.defends
    assert bare.margin == bare.planned_loss == 0
    assert bare.targets == ()


def test_an_entry_is_counted_by_its_trigger_and_by_what_it_joins() -> None:
    assert OPENING.entry_key == "condor"
    assert order("20", opens=True, parts=(Part("weekly", CALLS),)).entry_key == "condor@1"


def test_parts_become_one_structure_in_their_order() -> None:
    assert OPENING.structure.legs == (*PUTS.legs, *CALLS.legs)
    assert OPENING.roles == ("put side", "call side")
    single = order("7", opens=False, parts=(Part("put side", PUTS),))
    assert single.structure is PUTS


def test_each_part_gets_its_own_net_dollars_slippage_and_fees() -> None:
    # Two units at 9 - 4 = 5 and 8 - 4.50 = 3.50 points of $100.
    assert part_nets(OPENING, OPEN_FILL) == [D(5), D("3.5")]
    assert part_dollars(OPENING, OPEN_FILL) == [D(1000), D(700)]
    assert part_slippages(OPENING, OPEN_FILL) == [0, 0]
    # Mids 9.10 - 3.95 = 5.15 and 8.00 - 4.55 = 3.45: 0.15 given away, 0.05 won, twice $100 each.
    seen = replace(OPEN_FILL, leg_mids=prices("9.10", "3.95", "8", "4.55"))
    assert part_slippages(OPENING, seen) == [D("30.00"), D("-10.00")]
    assert part_fees(OPENING, OPEN_FILL) == [D("7.11"), D("7.11")]


def test_fees_go_by_contracts_and_the_last_part_takes_the_odd_cents() -> None:
    ratio = Structure.parse("ratio", "+1 SPXW 2031-03-07 P5600 / -2 SPXW 2031-03-07 P5500")
    three = replace(OPENING, parts=(Part("put side", PUTS), Part("ratio", ratio)))
    fill = Fill("F", "1", NOON, 1, prices("9", "4", "3", "2"), D("10.00"))
    # 2 of 5 contracts and 3 of 5.
    assert part_fees(three, fill) == [D("4.00"), D("6.00")]
    assert part_fees(three, replace(fill, fees=D("0.01"))) == [D("0.00"), D("0.01")]


@given(
    st.lists(st.decimals(0, 50, places=2), min_size=4, max_size=4),
    st.integers(1, 9),
    st.decimals(0, 99, places=2),
)
def test_parts_add_up_to_the_whole(legs: list[Decimal], units: int, fees: Decimal) -> None:
    fill = Fill("F", "1", NOON, units, tuple(legs), fees)
    assert sum(part_fees(OPENING, fill)) == fees
    whole = OPENING.structure.net(legs) * units * 100
    assert sum(part_dollars(OPENING, fill)) == whole
    assert sum(part_nets(OPENING, fill)) == OPENING.structure.net(legs)
    at_mids = part_slippages(OPENING, replace(fill, leg_mids=tuple(legs)))
    assert not any(at_mids)


# ------------------------------------------------------------------------------ ladders


def test_an_entry_moves_every_ten_seconds_and_ends_after_fifty() -> None:
    def after(seconds: float) -> float | None:
        change = next_change(Urgency.ENTRY, timedelta(seconds=seconds))
        return None if change is None else change.total_seconds()

    assert [after(s) for s in (0, 9.9, 10, 39, 40, 49.9, 50, 900)] == [10, 10, 20, 40, 50, 50, None, None]
    assert [has_ended(Urgency.ENTRY, step) for step in (4, 5, 6)] == [False, True, True]
    assert not has_ended(Urgency.STOP, 99)


def test_an_exit_stands_where_its_ladder_stands_and_never_ends() -> None:
    def after(urgency: Urgency, step: int) -> int | None:
        change = next_change(urgency, step * STEP)
        return None if change is None else change // STEP

    # A rule exit stands at the natural from its 7th step on, until the 60th: ten minutes.
    assert [after(Urgency.RULE, s) for s in (0, 6, 7, 59, 60, 61, 99)] == [1, 7, 60, 60, 61, None, None]
    assert [after(Urgency.STOP, s) for s in range(6)] == [1, 2, 3, 4, None, None]
    assert len(CONCESSIONS[Urgency.RULE]) == 62


def test_a_limit_gives_way_from_the_mid_by_half_spreads_down_to_its_floor() -> None:
    quote = NetQuote(D("5.00"), D("0.40"))
    tick = D("0.05")

    def at_step(step: int, floor: str | None = None) -> Decimal:
        return limit_at(Urgency.ENTRY, step, quote, tick, None if floor is None else D(floor))

    # 5.00 less 0, 0.04, 0.08, 0.12, 0.16, down to the grid.
    assert [at_step(n) for n in range(6)] == prices_of("5.00 4.95 4.90 4.85 4.80 4.80")
    assert at_step(4, "4.87") == D("4.90")
    assert at_step(4, "4.10") == D("4.80")


def prices_of(text: str) -> list[Decimal]:
    return [D(word) for word in text.split()]


def test_a_target_keeps_its_share_of_the_credit() -> None:
    assert target_limit(D("5.00"), D("0.5"), D("0.05")) == D("-2.50")
    assert target_limit(D("3.33"), D("0.5"), D("0.05")) == D("-1.65")
    both = fold(iter(opened())).positions["1"].open_components
    # 5.00 + 3.50 received, half of it kept.
    assert target_price(both, D("0.5")) == D("-4.25")


# ------------------------------------------------------------------------------ marks


HELD = fold(iter(opened()))
MIDS = np.array([8.0, 3.5, 6.0, 3.0])
"""Of the two put legs and the two call legs: to close costs 4.50 and 3.00 points."""


def test_the_book_is_marked_at_the_mids_with_units_and_multipliers() -> None:
    table, last = table_of(HELD), LastMids()
    marks = marked(table, HELD.cash, MIDS, last)
    # $101,685.78 less (4.50 + 3.00) x 2 x $100.
    assert marks.net_liq == HELD.cash - 1500
    assert dict(marks.values) == {("1", "put side"): D("-4.5"), ("1", "call side"): D("-3")}
    assert len(marks.values) == 2
    assert marks.values["1", "call side"] == D(-3)
    assert last.known() == dict(zip(table.contracts, MIDS.tolist(), strict=True))


def test_a_leg_without_a_mid_is_kept_at_its_last_one_and_has_no_value() -> None:
    table, last = table_of(HELD), LastMids()
    blind = MIDS.copy()
    blind[0] = NAN
    # Never seen: the put side stands at its entry of 5.00; the calls cost 3.00.
    assert marked(table, HELD.cash, blind, last).net_liq == HELD.cash - 1000 - 600
    assert marked(table, HELD.cash, MIDS, last).net_liq == HELD.cash - 1500
    moved = np.array([NAN, 4.0, 6.0, 3.0])
    # The short put at its last 8.00, the long one at 4.00: 4.00 points.
    marks = marked(table, HELD.cash, moved, last)
    assert marks.net_liq == HELD.cash - 800 - 600
    assert dict(marks.values) == {("1", "call side"): D(-3)}
    assert last.known()[table.contracts[1]] == 4.0
    last.keep(table.contracts[2:])
    assert set(last.known()) == set(table.contracts[2:])


def test_an_even_component_is_worth_nothing_and_an_empty_book_its_cash() -> None:
    even = marked(table_of(HELD), HELD.cash, np.array([8.0, 8.0, 6.0, 3.0]), LastMids())
    assert even.values["1", "put side"] == 0
    empty = marked(table_of(Book()), D(5), np.empty(0), LastMids())
    assert empty.net_liq == 5
    assert list(empty.values) == []


def test_values_are_worked_out_once_or_told() -> None:
    told = Values.told({("1", "put side"): D(-2)})
    assert told["1", "put side"] == -2
    assert list(told) == [("1", "put side")]
    assert len(told) == 1
    assert list(Values(table_of(HELD))) == []
    worked = Values(table_of(HELD), MIDS)
    assert worked.made() is worked.made()


# ------------------------------------------------------------------------------ sound quotes


def q(bid: str | None, ask: str | None) -> Quote:
    return Quote(bid and D(bid), ask and D(ask), at("10:30"))  # type: ignore[arg-type]


SOUND = (q("8.90", "9.10"), q("3.95", "4.05"))


def test_what_is_due_is_unknown_or_has_left_a_normal_spread() -> None:
    short, long = PUTS.contracts
    last = LastSound()
    mids = {short: 9.0, long: 4.0}
    assert last.looks(at("10:30"))
    assert last.due(mids, at("10:30")) == {short, long}
    assert last.see(PUTS, SOUND, at("10:30"))
    assert last.knows(PUTS)
    assert not last.knows(CALLS)
    assert not last.looks(at("10:30") + PATIENCE - timedelta(seconds=1))
    assert last.due(mids, at("10:31")) == set()
    assert last.looks(at("10:30") + PATIENCE)
    assert last.due(mids, at("10:35")) == set()
    # A normal half-spread of 9.00 is far below a point, either way.
    assert last.due({short: 10.0, long: 4.0}, at("10:40")) == {short}
    assert last.due({short: 8.0, long: 4.0}, at("10:45")) == {short}
    assert last.due({short: 9.02, long: 3.98}, at("10:50")) == set()


def test_what_is_held_no_more_is_forgotten() -> None:
    short, long = PUTS.contracts
    last = LastSound()
    last.due({short: 9.0, long: 4.0}, at("10:30"))
    last.see(PUTS, SOUND, at("10:30"))
    assert last.due({short: 9.0}, at("10:35")) == set()
    assert not last.knows(PUTS)
    assert last.due({short: 9.0, long: 4.0}, at("10:40")) == {long}
    assert not last.see(PUTS, (q("9.10", "8.90"), SOUND[1]), at("10:40"))


def test_without_sound_mids_of_all_legs_the_present_ones_stand_alone() -> None:
    last = LastSound()
    exit_ = replace(
        order("7", opens=False, parts=(Part("put side", PUTS.inverse()),)), urgency=Urgency.STOP, floor=None
    )
    wide = (q("2.00", "18.00"), q("3.90", "4.10"))
    found, waited = last.limit(exit_, None, wide, at("10:30"), at("10:31"))
    assert waited == timedelta(minutes=1)
    assert found == collared(exit_, None, waited, last=None, present=[D(10), D(4)])
    one_sided = (q(None, "18.00"), q("3.90", "4.10"))
    assert last.limit(exit_, None, one_sided, at("10:30"), at("10:31")) == (None, timedelta(minutes=1))
    last.see(PUTS, SOUND, at("10:29"))
    known, waited = last.limit(exit_, None, one_sided, at("10:20"), at("10:31"))
    # Since the last sound quote, not since it was sent.
    assert waited == timedelta(minutes=2)
    assert known == collared(exit_, None, waited, last=[D(9), D(4)], present=None)


@pytest.mark.parametrize("wall", ["10:30", "10:34"])
def test_it_is_looked_every_five_minutes_only(wall: str) -> None:
    last = LastSound()
    last.due({}, at("10:30"))
    assert last.due({PUTS.contracts[0]: 1.0}, at(wall)) == set()


# ---------------------------------------------------------------------------- orders from approvals and exits


def test_an_opening_order_begins_at_the_mid() -> None:
    approved = Approved(wish("SPXW"), 3, "test", (), D(900))
    made = opening_order("8", approved, NetQuote(D("8.00"), D("0.40")), ())
    assert (made.id, made.position, made.limit, made.floor, made.units) == ("8", "8", D("8.00"), D(6), 3)
    assert (made.opens, made.margin, made.planned_loss) == (True, D(900), D(20))
    joining = replace(approved, wish=wish("SPXW", joins="1"))
    assert opening_order("8", joining, NetQuote(D("8.00"), D("0.40")), ()).position == "1"


def test_a_closing_order_turns_legs_around_and_closes_no_more_than_there_is() -> None:
    position = HELD.positions["1"]
    parts = position.open_components
    made = closing_order(
        "8", position, parts, Close("friday_0dte", "1", ("put side",), Urgency.RULE, "r", "t")
    )
    assert made.structure.legs == tuple(leg for one in (PUTS, CALLS) for leg in one.inverse().legs)
    # Both spreads are 30 wide: buying them back costs 60 points at the very worst.
    assert (made.limit, made.floor, made.units, made.opens) == (D(0), D(-30), 2, False)
    few = Close("friday_0dte", "1", ("put side",), Urgency.RULE, "r", "t", units=1)
    assert closing_order("8", position, parts, few).units == 1
    assert closing_order("8", position, parts, replace(few, units=9)).units == 2


def test_a_target_order_says_what_it_keeps() -> None:
    position = HELD.positions["1"]
    made = target_order("8", position, position.open_components, Target(("put side",), D("0.5")), D("0.5"))
    assert (made.limit, made.reason) == (D("-4.25"), "keep 50% of a credit of 8.50")


def test_futures_and_shares_cover_no_option() -> None:
    future = held("future", "+1 ES 2031-06-20 F", 1)
    call = held("call", "-1 ES 2031-06-20 C5000", 2)
    assert first_in_turn([[future], [call]], []) == [[future], [call]]
