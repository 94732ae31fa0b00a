"""The slippage model, the ladders and the split of a net price over legs, in worked points."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import FRIDAY, at, session_on

from tomking.domain.chain import NetQuote, Quote, net_quote
from tomking.domain.intent import Part, Urgency
from tomking.domain.order import Order
from tomking.domain.slippage import is_too_wide
from tomking.domain.structure import Structure
from tomking.execution.ladder import limit_at, next_change, step_at, target_limit
from tomking.sim.fills import Offer, at_the_mid, leg_prices, model_price, slippage_share, with_slippage

TICK = Decimal("0.05")
SESSION = session_on(FRIDAY)
LT112 = Structure.parse("LT112", "+1 ES 2031-06-20 P5200 / -1 ES 2031-06-20 P5150 / -2 ES 2031-06-20 P4590")


def quote(bid: str, ask: str) -> Quote:
    return Quote(Decimal(bid), Decimal(ask), at("10:30"))


QUOTES = [quote("60", "61"), quote("50", "51"), quote("13", "13.50")]


def d(text: str) -> Decimal:
    return Decimal(text)


def test_the_net_market_of_an_lt112() -> None:
    # -60.5 + 50.5 + 2 x 13.25 = 16.50; half-spreads 0.5 + 0.5 + 2 x 0.25 = 1.50.
    assert net_quote(LT112, QUOTES) == NetQuote(d("16.50"), d("1.50"))
    assert NetQuote(d("16.50"), d("1.50")).natural == d("15.00")


def test_slippage_grows_with_vix_at_the_edges_of_the_day_and_for_stops() -> None:
    noon, late = at("12:00"), at("15:50")
    assert [slippage_share(v, noon, SESSION, Urgency.ENTRY) for v in (15, 20, 30, 45)] == [
        d("0.25"),
        d("0.35"),
        d("0.60"),
        d("1.00"),
    ]
    assert slippage_share(15, late, SESSION, Urgency.STOP) == d("0.65")  # 0.25 + 0.15 + 0.25
    assert slippage_share(None, noon, SESSION, Urgency.ENTRY) == d("1.00")


def test_a_fill_is_at_least_a_tick_worse_than_the_mid() -> None:
    # 0.25 of a half-spread of 0.10 is half a tick; one whole tick is lost.
    assert model_price(NetQuote(d("5.00"), d("0.10")), d("0.25"), TICK) == d("4.95")
    # 0.35 x 1.50 = 0.525: 16.50 - 0.525 = 15.975, on the grid against us 15.95.
    assert model_price(NetQuote(d("16.50"), d("1.50")), d("0.35"), TICK) == d("15.95")


def test_an_entry_walks_a_tenth_of_the_half_spread_a_step_and_never_under_its_floor() -> None:
    market = NetQuote(d("16.50"), d("1.50"))
    walk = [limit_at(Urgency.ENTRY, step, market, TICK, d("16.01")) for step in range(5)]
    assert walk == [d("16.50"), d("16.35"), d("16.20"), d("16.05"), d("16.05")]


def test_a_stop_reaches_the_natural_in_twenty_seconds_and_goes_beyond() -> None:
    market = NetQuote(d("-20.00"), d("1.00"))
    walk = [limit_at(Urgency.STOP, step, market, TICK, None) for step in range(6)]
    assert walk == [d(x) for x in ("-20.50", "-20.75", "-21.00", "-22.00", "-23.00", "-23.00")]


def test_a_rule_exit_stands_at_the_natural_until_ten_minutes_have_passed() -> None:
    market = NetQuote(d("-20.00"), d("1.00"))
    natural, marketable = d("-21.00"), d("-22.00")
    assert limit_at(Urgency.RULE, 7, market, TICK, None) == natural
    assert limit_at(Urgency.RULE, step_at(timedelta(minutes=9, seconds=59)), market, TICK, None) == natural
    assert limit_at(Urgency.RULE, step_at(timedelta(minutes=10)), market, TICK, None) == marketable
    assert next_change(Urgency.RULE, timedelta(seconds=75)) == timedelta(minutes=10)
    assert next_change(Urgency.ENTRY, timedelta(seconds=45)) == timedelta(seconds=50)


def test_nobody_pays_to_be_rid_of_a_long_spread() -> None:
    # Quoted 12 points wide each side of a mid of 10.68: the natural would be -1.40.
    market = NetQuote(d("10.68"), d("12.08"))
    assert limit_at(Urgency.RULE, 70, market, TICK, d("0")) == d("0")
    assert model_price(market, d("1.15"), TICK, d("0")) == d("0")
    assert model_price(market, d("1.15"), TICK) == d("-3.25")


def test_a_target_keeps_at_least_its_share_of_the_credit() -> None:
    # Half of 8.45 is 4.225: buying back at 4.20 keeps a little more, 4.25 would keep less.
    assert target_limit(d("8.45"), d("0.5"), TICK) == d("-4.20")


def test_nobody_trades_into_a_spread_three_times_too_wide() -> None:
    wide = [quote("40", "80"), quote("30", "70"), quote("5", "21")]
    for quotes, expected in ((QUOTES, False), (wide, True)):
        net = net_quote(LT112, quotes)
        assert net is not None
        assert is_too_wide(LT112, quotes, net) is expected


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 60)), min_size=3, max_size=3),
    st.integers(-40, 400),
)
def test_leg_prices_sum_exactly_to_the_net(book: list[tuple[int, int]], conceded: int) -> None:
    quotes = [Quote(b * TICK, (b + w) * TICK, at("10:30")) for b, w in book]
    net = LT112.net([q.mid or Decimal(0) for q in quotes]) - conceded * TICK
    assert LT112.net(leg_prices(LT112, quotes, net)) == net


def test_a_quarter_hour_is_the_edge_of_the_session() -> None:
    assert slippage_share(15, SESSION.open + timedelta(minutes=14), SESSION, Urgency.ENTRY) == d("0.40")
    assert slippage_share(15, SESSION.open + timedelta(minutes=15), SESSION, Urgency.ENTRY) == d("0.25")


def test_without_friction_the_mid_is_given_and_with_it_less() -> None:
    order = Order(
        id="1",
        strategy="lt112",
        position="1",
        parts=(Part("LT112", LT112),),
        units=1,
        limit=d("16.00"),
        floor=None,
        opens=True,
        urgency=Urgency.ENTRY,
        reason="",
        trigger="LT112",
    )
    offer = Offer(order, QUOTES, NetQuote(d("16.525"), d("1.50")), 24.0, SESSION, at("12:00"))
    assert at_the_mid(offer) == d("16.525")
    # 0.35 x 1.50 = 0.525: 16.00.
    assert with_slippage(offer) == d("16.00")


def test_nobody_trades_into_a_spread_three_times_a_normal_one() -> None:
    wide = [quote("40", "80"), quote("30", "70"), quote("3", "23")]
    net = net_quote(LT112, wide)
    assert net is not None
    order = Order("1", "a", "1", (Part("b", LT112),), 1, d("0"), None, True, Urgency.ENTRY, "", "b")
    assert with_slippage(Offer(order, wide, net, 24.0, SESSION, at("12:00"))) is None
