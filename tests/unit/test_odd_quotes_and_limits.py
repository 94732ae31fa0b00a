"""Whatever a feed shows and whatever limit is asked for: nothing is opened off the market (F6, F31, F35)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.deskworld import closing, order, second

from tomking.domain.chain import NetQuote, Quote
from tomking.execution.protocol import checks

TICK = Decimal("0.05")
SOUND = Quote(Decimal("1.00"), Decimal("1.05"), second(0))
side = st.one_of(
    st.none(),
    st.sampled_from([Decimal(0), Decimal("-0.05"), Decimal("1e308"), Decimal("-1e308"), Decimal(1)]),
    st.integers(-100, 20_000).map(lambda n: n * TICK),
)


@given(bid=side, ask=side, place=st.integers(0, 2), age=st.integers(0, 40))
def test_one_odd_quote_among_sound_ones_keeps_everything_from_opening(
    bid: Decimal | None, ask: Decimal | None, place: int, age: int
) -> None:
    quotes: list[Quote | None] = [SOUND, SOUND]
    quotes.insert(place, Quote(bid, ask, second(-age)))
    sound = bid is not None and ask is not None and 0 <= bid < ask and age < 5
    assert (checks.off_market(quotes, second(0)) is None) == sound


def test_a_leg_that_was_never_quoted_keeps_everything_from_opening() -> None:
    assert checks.off_market([SOUND, None], second(0)) == "a leg has no two-sided quote"


ticks = st.integers(-4_000, 4_000).map(lambda n: n * TICK)


@given(limit=ticks, mid=ticks, half=st.integers(1, 200).map(lambda n: n * TICK))
def test_an_opening_limit_that_passes_is_near_the_market_and_of_its_sign(
    limit: Decimal, mid: Decimal, half: Decimal
) -> None:
    quote = NetQuote(mid, half)
    if checks.off_collar(order(), limit, quote) is not None:
        return
    assert limit != 0
    assert abs(limit - mid) <= max(4 * half, abs(mid) / 5, 5 * TICK)
    assert abs(mid) <= half or limit * mid > 0


@given(limit=ticks, mid=ticks, half=st.integers(1, 200).map(lambda n: n * TICK))
def test_a_market_that_jumped_since_the_decision_stops_the_order(
    limit: Decimal, mid: Decimal, half: Decimal
) -> None:
    """The limit was at the mid; then the market went ten times as far as is allowed."""
    gone = 10 * max(4 * half, abs(mid) / 5, 5 * TICK)
    for moved in (mid + gone, mid - gone):
        assert checks.off_collar(order(), mid or TICK, NetQuote(moved, half)) is not None


@given(limit=ticks, mid=ticks, half=st.integers(1, 200).map(lambda n: n * TICK))
def test_a_close_never_gives_away_more_than_the_allowance(
    limit: Decimal, mid: Decimal, half: Decimal
) -> None:
    if checks.off_collar(closing(), limit, NetQuote(mid, half)) is None:
        assert mid - limit <= max(4 * half, abs(mid) / 5, 5 * TICK)


@given(limit=ticks)
def test_no_limit_of_zero_is_ever_sent_for_a_close(limit: Decimal) -> None:
    sent = checks.sendable(closing(), limit)
    assert sent != 0
    assert sent == limit or (limit == 0 and abs(sent) == TICK)
