"""What exits do on quotes that nobody should believe: methodology C.11, worked in points."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_kernel import CALM, Desk, Scripted, closing, enter_at_1030, mids
from tests.worlds import ScriptedMarket, at

from tomking.domain import events as ev
from tomking.domain.chain import Quote
from tomking.domain.contract import Contract
from tomking.domain.intent import Intent, Part, Urgency
from tomking.domain.order import Order
from tomking.domain.structure import Structure
from tomking.execution.collar import LastSound, collared, is_sound
from tomking.view import Own, View

SPREAD = Structure.parse("put side", "+1 SPXW 2031-03-07 P5700 / -1 SPXW 2031-03-07 P5670")
"""As traded by its exit: the short put is bought back."""


def d(text: str) -> Decimal:
    return Decimal(text)


def quote(bid: str, ask: str) -> Quote:
    return Quote(d(bid), d(ask), at("10:30"))


def order(floor: Decimal | None = None) -> Order:
    part = Part("put side", SPREAD)
    return Order("1", "friday", "1", (part,), 2, d("0"), floor, False, Urgency.STOP, "", "stop")


@dataclass
class Stubs(ScriptedMarket):
    """From 12:00 to 13:00 every option is quoted 0.05 at four times its price."""

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        quotes = super().quotes(contracts, now)
        if not at("12:00") <= now < at("13:00"):
            return quotes
        return [q and Quote(d("0.05"), 4 * (q.mid or d("0")), now) for q in quotes]


def stopped_at(wall: str) -> Scripted:
    def script(view: View, own: Own) -> tuple[Intent, ...]:
        if own.positions and view.now >= at(wall):
            return (closing(own, "put side", "call side", urgency=Urgency.STOP),)
        return enter_at_1030(view, own)

    return Scripted(script)


def paid(desk: Desk) -> Decimal:
    """Points per unit paid by the exit."""
    (fill,) = [e.fill for e in desk.journal.read() if isinstance(e, ev.OrderFilled)][1:]
    (sent,) = [e.order for e in desk.journal.read() if isinstance(e, ev.OrderSubmitted) and e.at > at("11:00")
               and e.order.urgency is Urgency.STOP]  # fmt: skip
    return -sent.structure.net(fill.leg_prices)


def test_a_stop_does_not_stand_at_stub_prices_until_the_market_comes_back() -> None:
    # The condor is worth 9.00 - 4.00 + 8.00 - 4.50 = 8.50 before and after; 0.05 at 36.00 is a mid of 18.
    desk = Desk(Stubs(mids(CALM)), (stopped_at("12:58"),))
    book = desk.run(at("13:02"))
    assert not book.positions
    # The widest sound half-spreads: 3 x 5 % of 9 + 4 + 8 + 4.50 = 3.825, so at most 12.30 while they last.
    assert d("8.50") < paid(desk) <= d("12.30")


def test_a_stop_in_a_sound_market_is_what_it_was() -> None:
    desk = Desk(ScriptedMarket(mids(CALM)), (stopped_at("12:58"),))
    desk.run(at("13:02"))
    # k is 0.35 + 0.25 of a half-spread of 0.20: 0.12, on the grid 8.65.
    assert paid(desk) == d("8.65")


def test_a_wide_exit_is_sent_at_once_and_its_collar_opens_after_ten_minutes() -> None:
    desk = Desk(Stubs(mids(CALM)), (stopped_at("12:01"),))
    desk.run(at("12:33"))
    sent = [e for e in desk.journal.read() if isinstance(e, ev.OrderSubmitted)][-1]
    moves = [(e.at, e.limit) for e in desk.journal.read() if isinstance(e, ev.OrderRepriced)]
    # Last sound 8.50: widest sound spread 3.825 -> 12.30, more than a fifth of 8.50.
    assert (sent.at, sent.order.limit) == (at("12:01"), d("-12.30"))
    # From ten minutes on what is quoted is the market: mids twice as high, 17.00; three times 5 % of 51.10
    # is 7.665, more than a fifth, twice that after twenty minutes, but nobody pays more than the width of 30.
    later = [(when, limit) for when, limit in moves if when > sent.at]
    assert [limit for _, limit in later] == [d("-24.65"), d("-30")]
    assert [when >= at(wall) for (when, _), wall in zip(later, ("12:11", "12:21"), strict=True)]
    assert any(level == "critical" and "no sound quote" in words for level, words in desk.heard.said)


def test_after_five_minutes_the_collar_is_a_fifth_of_the_price() -> None:
    # A short put last seen soundly at 7.00 and quoted at 20: 3 x 5 % is 1.05, a fifth 1.40.
    put = Structure.parse("put", "+1 SPXW 2031-03-07 P5700")
    sold = replace(order(), parts=(Part("put", put),))
    walk = [
        collared(sold, d("-40"), timedelta(minutes=m), last=[d("7")], present=[d("20")]) for m in (0, 4, 5, 9)
    ]
    assert walk == [d("-8.05"), d("-8.05"), d("-8.40"), d("-8.40")]
    # Then the present 20 and a fifth of it; twice, three times ... as far as the ladder would go.
    walk = [
        collared(sold, d("-30"), timedelta(minutes=m), last=[d("7")], present=[d("20")]) for m in (10, 20, 30)
    ]
    assert walk == [d("-24"), d("-28"), d("-30")]


def test_what_is_cheaper_now_than_when_last_seen_is_not_paid_for_at_the_old_price() -> None:
    put = Structure.parse("put", "+1 SPXW 2031-03-07 P5700")
    sold = replace(order(), parts=(Part("put", put),))
    assert collared(sold, d("-40"), timedelta(0), last=[d("20")], present=[d("7")]) == d("-8.05")


def test_after_a_restart_among_stubs_the_present_mids_stand_alone() -> None:
    sound = LastSound()
    stubs = [quote("0.05", "36.00"), quote("0.05", "16.00")]
    limit, waited = sound.limit(order(), d("-40"), stubs, at("12:00"), at("12:03"))
    # -18.025 + 8.025 = -10.00; 3 x 5 % of 26.05 is 3.9075: -13.9075, on the grid in our favour -13.90.
    assert (limit, waited) == (d("-13.90"), timedelta(minutes=3))


def test_a_quote_is_sound_up_to_three_times_a_normal_spread_and_not_crossed() -> None:
    # Mids 9.00 and 4.00: normal half-spreads 0.45 and 0.20, three times both 1.95.
    assert is_sound(SPREAD, [quote("7.65", "10.35"), quote("3.40", "4.60")])
    assert not is_sound(SPREAD, [quote("7.60", "10.40"), quote("3.40", "4.60")])
    assert not is_sound(SPREAD, [quote("9.05", "9.00"), quote("3.90", "4.10")])
    assert not is_sound(SPREAD, [Quote(None, d("9"), at("10:30")), quote("3.90", "4.10")])


def test_nobody_pays_to_be_rid_of_an_asset_among_stubs_either() -> None:
    # Sold again for 9.00 - 4.00, less 3 x 5 % of 13.00; and never for less than nothing.
    long = order(floor=d("0"))
    assert collared(long, None, timedelta(minutes=8), last=[d("4.00"), d("9.00")], present=None) == d("3.05")
    assert collared(long, None, timedelta(0), last=[d("9.00"), d("8.90")], present=None) == d("0")


@given(st.integers(0, 600), st.integers(0, 600), st.integers(10, 60), st.integers(-9000, 0))
def test_the_collar_only_ever_helps_and_only_ever_opens(
    first: int, second: int, minutes: int, counts: int
) -> None:
    seen = [first * d("0.05"), second * d("0.05")]
    ladder = counts * d("0.05")
    now, later = (
        collared(order(), ladder, timedelta(minutes=minutes + more), last=None, present=seen)
        for more in (0, 5)
    )
    assert now is not None
    assert later is not None
    assert ladder <= later <= now
