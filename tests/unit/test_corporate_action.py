"""A split, a new symbol, an adjusted root (F55): nothing is mapped by guessing, and its underlying waits."""

from tests.unit.test_reconcile import CALLS, account, c, compare, holding, is_resolved, sorts

from tomking.execution.differences import Sort

OLD, NEW = "SPY 2031-03-21 C570", "SPY 2031-03-21 C285"


def test_a_split_leaves_our_position_as_it_was_and_closes_its_underlying() -> None:
    book = holding(CALLS)
    # Two for one: one call sold at 570 is two at 285, and nobody has told us.
    split = account(book, (OLD, 1), (NEW, -2))
    answer = compare(book, split)
    assert set(sorts(answer)) == {Sort.FOREIGN, Sort.MISSING}
    assert answer.families == {"SPX"}  # SPY is of the family of the index
    assert answer.cancel == ()
    after = is_resolved(book, split)
    assert after.positions == book.positions  # what was sold at 570 is not taken for what is at 285
    assert after.foreign == {c(OLD): 1, c(NEW): -2}


def test_shares_that_became_twice_as_many_are_not_ours_to_sell() -> None:
    book = holding("+1 SPY S", units=2)
    answer = compare(book, account(book, ("SPY S", 2)))
    assert sorts(answer) == [Sort.FOREIGN]
    assert is_resolved(book, account(book, ("SPY S", 2))).foreign == {c("SPY S"): 2}


def test_a_symbol_that_comes_back_under_its_old_name_ends_the_difference() -> None:
    book = holding(CALLS)
    split = account(book, (OLD, 1), (NEW, -2))
    words = tuple(d.text for d in compare(book, split).differences if d.sort is Sort.MISSING)
    after = is_resolved(book, split)
    back = compare(after, account(book), words)
    assert back.families == frozenset()
    assert {event.contract for event in back.events if hasattr(event, "contract")} == {c(OLD), c(NEW)}
