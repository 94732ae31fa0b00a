"""Recorded chains of any family: what stands for a day, what an underlying is, and what never settles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pytest
from tests.unit.test_recorded import HISTORY, SESSIONS, history

from tomking.adapters.recorded import RecordedChains
from tomking.adapters.recorded_levels import Levels, Series
from tomking.adapters.recorded_rows import Rows, is_partial
from tomking.domain.calendar import wall_instant
from tomking.domain.chain import NO_QUOTE
from tomking.domain.contract import Contract, Future, Option, Share
from tomking.domain.products import PRODUCTS

MONDAY, TUESDAY, FRIDAY = date(2031, 3, 3), date(2031, 3, 4), date(2031, 3, 7)
EOD, MORNING = time(16, 0), time(10, 0)


def at(day: date, wall: time) -> datetime:
    return wall_instant(day, wall)


def minute(day: date, wall: time) -> int:
    return int(at(day, wall).timestamp()) // 60


@dataclass
class Told:
    """A recording of quotes as texts: ``{"03-07 C100": (1.00, 1.10)}`` by day and time."""

    product: str
    snapshots: Mapping[tuple[date, time], Mapping[str, tuple[float | None, float | None]]]
    spot: Mapping[tuple[date, time], float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def minutes(self) -> Sequence[int]:
        return [minute(*when) for when in self.snapshots]

    @property
    def spots(self) -> Sequence[float]:
        return [self.spot.get(when, float("nan")) for when in self.snapshots]

    def rows(self, number: int) -> Rows:
        when = list(self.snapshots)[number]
        tick = float(PRODUCTS[self.product].tick)
        quotes = sorted(
            (date(2031, int(text[:2]), int(text[3:5])).toordinal(), text[6] == "C", int(text[7:]), bid, ask)
            for text, (bid, ask) in self.snapshots[when].items()
        )
        expiries = sorted({q[0] for q in quotes})
        ends = [sum(q[0] <= expiry for q in quotes) for expiry in expiries]

        def counts(prices: list[float | None]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            return np.array([NO_QUOTE if p is None else round(p / tick) for p in prices], np.int64)

        return Rows(
            minute=minute(*when),
            strike_unit=Decimal(1),
            expiries=expiries,
            starts=[0, *ends],
            right=np.array([1 if q[1] else -1 for q in quotes], np.int8),
            strike=np.array([q[2] for q in quotes], np.int64),
            bid=counts([q[3] for q in quotes]),
            ask=counts([q[4] for q in quotes]),
        )


PAIR = {"03-14 P100": (1.0, 1.1), "03-14 C100": (3.0, 3.1)}


def recorded(*products: Told, levels: Levels | None = None) -> RecordedChains:
    return RecordedChains(products, notes=(), sessions=SESSIONS, history=HISTORY, levels=levels)


def level(*prices: tuple[date, time, float]) -> Series:
    """Traded prices, without a market."""
    last = np.array([price for *_, price in prices])
    blank = np.full(last.size, np.nan)
    return Series(np.array([minute(d, t) for d, t, _ in prices]), blank, blank, last)


# ----------------------------------------------------------------------------------- end of day


def test_of_end_of_day_data_the_one_snapshot_stands_for_the_whole_day() -> None:
    m = recorded(Told("AAPL", {(MONDAY, EOD): PAIR}, {(MONDAY, EOD): 102.0}))
    now = at(MONDAY, time(9, 31))
    assert m.grid_minutes == 390
    assert m.spot("AAPL", now) == 102.0
    assert m.expiries("AAPL", now) == (date(2031, 3, 14),)
    (quote,) = m.quotes([Option.parse("AAPL 2031-03-14 C100")], now)
    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("3.0"), Decimal("3.1"))
    # Not from the future: as if seen when the day began.  Windows look at now.
    assert quote.as_of == at(MONDAY, time(9, 30))
    assert m.vix(now) == (18.5, now)
    assert any("end-of-day chains of AAPL" in note for note in m.notes)
    # Tomorrow nothing of it is left, and before the open nothing is known.
    assert m.spot("AAPL", at(TUESDAY, MORNING)) is None


def test_the_earlier_of_two_late_snapshots_stands_until_the_later_is_seen() -> None:
    early, late = (MONDAY, time(15, 45)), (MONDAY, EOD)
    m = recorded(Told("AAPL", {early: PAIR, late: PAIR}, {early: 102.0, late: 103.0}))
    assert [m.spot("AAPL", at(MONDAY, t)) for t in (MORNING, time(15, 50), EOD)] == [102.0, 102.0, 103.0]


def test_a_snapshot_of_the_day_stands_for_nothing_before_it() -> None:
    m = recorded(Told("AAPL", {(MONDAY, time(10, 52)): PAIR}, {(MONDAY, time(10, 52)): 102.0}))
    assert m.spot("AAPL", at(MONDAY, time(10, 51))) is None
    assert m.spot("AAPL", at(MONDAY, time(10, 52))) == 102.0


def test_contracts_that_end_with_the_days_snapshot_do_not_trade_on_their_last_day() -> None:
    m = recorded(Told("SPXW", {(MONDAY, EOD): {"03-03 P5400": (1.0, 1.5), "03-14 P5400": (9.0, 9.5)}}))
    now = at(MONDAY, MORNING)
    assert m.expiries("SPXW", now) == (date(2031, 3, 14),)
    assert m.quotes([Option.parse("SPXW 2031-03-03 P5400")], now) == [None]
    assert m.chain("SPXW", MONDAY, now) is None


# ------------------------------------------------------------------------------------- underlyings


def test_a_recorded_level_comes_before_what_the_rows_say() -> None:
    told = Told("SPXW", {(MONDAY, EOD): {"03-14 P5400": (9.0, 9.5)}}, {(MONDAY, EOD): 5_500.0})
    seen = Levels({("SPX", None): level((MONDAY, time(9, 45), 5_490.0), (MONDAY, time(10, 5), 5_495.0))})
    m = recorded(told, levels=seen)
    assert m.spot("SPX", at(MONDAY, MORNING)) == 5_490.0
    assert m.spot("SPX", at(MONDAY, time(9, 40))) == 5_500.0


def test_a_level_that_is_old_is_no_level() -> None:
    told = Told("SPXW", {(MONDAY, MORNING): {"03-14 P5400": (9.0, 9.5)}})
    prints = level(*((MONDAY, time(9, 40 + 5 * n), 5_490.0 + n) for n in range(4)))
    m = recorded(told, levels=Levels({("SPX", None): prints}))
    assert m.spot("SPX", at(MONDAY, time(10, 10))) == 5_493.0
    assert m.spot("SPX", at(MONDAY, time(10, 11))) is None


def test_without_either_the_nearest_expirys_parity_says_it() -> None:
    # 100 + 3.05 - 1.05 = 102.
    m = recorded(Told("AAPL", {(MONDAY, EOD): PAIR}))
    assert m.spot("AAPL", at(MONDAY, MORNING)) == pytest.approx(102.0)
    # Puts alone say nothing, and then there is no chain.
    bare = recorded(Told("AAPL", {(MONDAY, EOD): {"03-14 P100": (1.0, 1.1)}}))
    assert bare.spot("AAPL", at(MONDAY, MORNING)) is None
    assert bare.chain("AAPL", date(2031, 3, 14), at(MONDAY, MORNING)) is None


def test_an_etf_speaks_for_its_family_only_where_no_index_does() -> None:
    spy = Told("SPY", {(MONDAY, EOD): {"03-14 P540": (1.0, 1.1)}}, {(MONDAY, EOD): 551.0})
    spxw = Told("SPXW", {(MONDAY, EOD): {"03-14 P5400": (9.0, 9.5)}}, {(MONDAY, EOD): 5_500.0})
    now = at(MONDAY, MORNING)
    assert recorded(spy).spot("SPX", now) == pytest.approx(5_510.0)
    assert recorded(spy, spxw).spot("SPX", now) == 5_500.0


def test_a_forward_is_its_futures_market_where_that_is_recorded() -> None:
    told = Told(
        "ES", {(MONDAY, MORNING): {f"03-14 {r}{k}": (50.0, 50.5) for r in "PC" for k in (5400, 5500, 5600)}}
    )
    expiry, june = date(2031, 3, 14), date(2031, 3, 21)
    now = at(MONDAY, MORNING)
    market = Series(
        np.array([minute(MONDAY, time(9, 59))]), np.array([5_511.0]), np.array([5_511.5]), np.array([np.nan])
    )
    with_future = recorded(told, levels=Levels({("ES", june): market})).chain("ES", expiry, now)
    alone = recorded(told).chain("ES", expiry, now)
    assert with_future is not None
    assert alone is not None
    assert with_future.forward == 5_511.25
    assert alone.forward != 5_511.25
    held: list[Contract] = [Future.parse("ES 2031-03-21 F")]
    (quote,) = recorded(told, levels=Levels({("ES", june): market})).quotes(held, now)
    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("5511.0"), Decimal("5511.5"))


def test_shares_are_quoted_at_their_market_else_at_the_last_price() -> None:
    told = Told("AAPL", {(MONDAY, EOD): PAIR}, {(MONDAY, EOD): 102.25})
    share = Share.parse("AAPL S")
    (quote,) = recorded(told).quotes([share], at(MONDAY, MORNING))
    assert quote is not None
    assert quote.bid == quote.ask == Decimal("102.25")
    assert recorded(told).marks([share], at(MONDAY, MORNING)).tolist() == [102.25]


def test_bars_are_the_historys_else_the_levels_else_what_the_rows_say() -> None:
    told = Told(
        "AAPL", {(MONDAY, EOD): PAIR, (TUESDAY, EOD): PAIR}, {(MONDAY, EOD): 102.0, (TUESDAY, EOD): 104.0}
    )
    wednesday = at(date(2031, 3, 5), MORNING)
    m = recorded(told)
    assert m.bars("SPX", at(MONDAY, MORNING)).close.tolist() == [5_490.0]
    assert m.bars("VIX", at(MONDAY, MORNING)).open.tolist() == [17.0]
    assert m.bars("AAPL", wednesday).close.tolist() == [102.0, 104.0]
    assert m.bars("AAPL", at(TUESDAY, EOD)).close.tolist() == [102.0], "not today's"
    assert len(m.bars("TWX", wednesday)) == 0
    prices = [(MONDAY, time(9, 45), 99.0), (MONDAY, time(12, 0), 105.0), (MONDAY, EOD, 101.0)]
    bars = recorded(told, levels=Levels({("AAPL", None): level(*prices)})).bars("AAPL", wednesday)
    assert [c.tolist() for c in (bars.open, bars.high, bars.low, bars.close)] == [[99], [105], [99], [101]]


def test_a_recorded_vix_comes_before_the_historys_open() -> None:
    told = Told("SPXW", {(MONDAY, MORNING): {"03-14 P5400": (9.0, 9.5)}}, {(MONDAY, MORNING): 5_500.0})
    m = recorded(told, levels=Levels({("VIX", None): level((MONDAY, time(9, 50), 21.5))}))
    assert m.vix(at(MONDAY, MORNING)) == (21.5, at(MONDAY, time(9, 50)))
    assert m.vix(at(MONDAY, time(9, 45))) == (18.5, at(MONDAY, time(9, 30)))


# -------------------------------------------------------------------------------------- settlement


def test_shares_settle_at_their_own_close_and_never_at_the_index() -> None:
    put = Option.parse("SPY 2031-03-03 P540")
    close = at(MONDAY, EOD)
    alone = recorded(Told("SPY", {(MONDAY, MORNING): {"03-14 P540": (1.0, 1.1)}}))
    assert alone.settlement(put, close) is None, "the history has the index's close, not the fund's"
    seen = recorded(Told("SPY", {(MONDAY, EOD): {"03-14 P540": (1.0, 1.1)}}, {(MONDAY, EOD): 551.5}))
    assert seen.settlement(put, at(MONDAY, MORNING)) is None
    assert seen.settlement(put, close) == 551.5
    traded = Levels({("SPY", None): level((MONDAY, time(15, 59), 551.0), (MONDAY, time(16, 30), 560.0))})
    late = recorded(Told("SPY", {(MONDAY, MORNING): {"03-14 P540": (1.0, 1.1)}}), levels=traded)
    assert late.settlement(put, close) == 551.0, "after hours belong to no session"


def test_a_mini_index_settles_at_its_share_of_a_recorded_level() -> None:
    told = Told("XSP", {(FRIDAY, MORNING): {"03-14 P540": (1.0, 1.1)}})
    prints = Levels({("SPX", None): level((FRIDAY, time(16, 5), 5_432.1))})
    put = Option.parse("XSP 2031-03-07 P540")
    # The history has no close of that Friday: a tenth of what the index printed.
    assert recorded(told, levels=prints).settlement(put, at(FRIDAY, time(16, 10))) == pytest.approx(543.21)
    assert recorded(told).settlement(put, at(FRIDAY, time(16, 10))) is None


def test_options_on_a_future_settle_at_that_future_or_not_at_all() -> None:
    told = Told("ES", {(FRIDAY, EOD): {"03-14 P5400": (9.0, 9.5)}})
    put, close = Option.parse("ES 2031-03-07 P5400"), at(FRIDAY, EOD)
    assert recorded(told).settlement(put, close) is None
    march = Levels({("ES", date(2031, 3, 21)): level((FRIDAY, time(15, 59), 5_405.25))})
    assert recorded(told, levels=march).settlement(put, close) == 5_405.25


def test_what_settles_at_the_open_takes_the_first_level_after_it() -> None:
    told = Told("SPX", {(MONDAY, MORNING): {"03-21 P5400": (9.0, 9.5)}})
    third = date(2031, 3, 21)
    put = Option.parse("SPX 2031-03-21 P5400")
    prints = level((third, time(9, 31), 5_410.0), (third, time(9, 32), 5_411.0))
    m = recorded(told, levels=Levels({("SPX", None): prints}))
    assert m.settlement(put, at(third, time(9, 30))) is None
    assert m.settlement(put, at(third, time(9, 31))) == 5_410.0
    assert recorded(told).settlement(put, at(third, EOD)) is None
    # Its last day of trading is the one before.
    assert m.quotes([put], at(third, time(9, 30))) == [None]


def test_what_is_recorded_later_changes_no_level_and_no_bar() -> None:
    told = Told("AAPL", {(MONDAY, MORNING): PAIR, (MONDAY, time(11, 0)): PAIR}, {(MONDAY, MORNING): 102.0})
    before = [(MONDAY, time(9, 45), 101.0), (MONDAY, time(9, 58), 101.5)]
    after = [(MONDAY, time(10, 1), 1.0), (TUESDAY, MORNING, 2.0)]
    one, two = (
        recorded(told, levels=Levels({("AAPL", None): level(*prices)}))
        for prices in (before, [*before, *after])
    )
    now = at(MONDAY, MORNING)
    assert one.spot("AAPL", now) == two.spot("AAPL", now) == 101.5
    assert one.bars("AAPL", now).close.tolist() == two.bars("AAPL", now).close.tolist() == []
    a, b = (m.chain("AAPL", date(2031, 3, 14), now) for m in (one, two))
    assert a is not None
    assert b is not None
    assert a.iv.tobytes() == b.iv.tobytes()


# ------------------------------------------------------------------------------------ the last seen


def test_the_last_quote_is_the_last_with_both_sides_while_it_lived() -> None:
    told = Told(
        "SPXW",
        {
            (MONDAY, MORNING): {"03-03 P5400": (2.0, 2.5), "03-14 P5400": (9.0, 9.5)},
            (MONDAY, time(11, 0)): {"03-03 P5400": (1.0, 1.5), "03-14 P5400": (None, 9.5)},
            (MONDAY, EOD): {"03-03 P5400": (0.0, 0.05), "03-14 P5400": (None, 9.0)},
        },
    )
    m = recorded(told)
    dying, held = (Option.parse(f"SPXW 2031-03-{day} P5400") for day in ("03", "14"))
    close = at(MONDAY, EOD)
    last, older = m.last_quote(dying, close), m.last_quote(held, close)
    assert last is not None
    assert older is not None
    assert (last.bid, last.as_of) == (Decimal("1.00"), at(MONDAY, time(11, 0)))
    assert (older.bid, older.as_of) == (Decimal("9.00"), at(MONDAY, MORNING))
    assert m.last_quote(Option.parse("SPXW 2031-03-14 P5000"), close) is None


def test_bars_written_on_change_are_told_from_whole_chains() -> None:
    sessions = np.repeat([1, 2], 5)
    assert is_partial(np.array([40, 90, 50, 60, 100, 30, 80, 70, 60, 100]), sessions)
    assert not is_partial(np.array([100, 100, 99, 98, 100, 100, 97, 100, 100, 100]), sessions)
    # One snapshot a session says nothing of the kind.
    assert not is_partial(np.array([100, 40]), np.array([1, 2]))


def test_a_day_without_vix_is_said() -> None:
    m = RecordedChains(
        [Told("AAPL", {(TUESDAY, EOD): PAIR})],
        notes=(),
        sessions=SESSIONS,
        history=history((MONDAY, 5_490.0, 17.0)),
    )
    assert m.vix(at(TUESDAY, EOD)) is None
    assert "2031-03-04: no VIX in the history" in m.notes
