"""Each limit by itself: what it permits, and the sentence it refuses with; docs/risk.md tells the same."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.worlds import FRIDAY, ScriptedMarket, at, session_on, weekdays

from tomking.domain.bars import Bars
from tomking.domain.book import Book, Component, Day, Position, Working
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import Open, Part, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Order
from tomking.domain.record import Record
from tomking.domain.settings import Setting, settings_of
from tomking.domain.structure import Structure
from tomking.risk import limits_capital as capital
from tomking.risk import limits_count as counts
from tomking.risk import limits_data as data
from tomking.risk import limits_held as held
from tomking.risk import limits_state as state
from tomking.risk.account import Account
from tomking.risk.case import Allowance, Case
from tomking.risk.gate import LIMITS, case_of
from tomking.risk.settings import Settings
from tomking.view import View

SETTINGS = Settings()
NET_LIQ = Decimal(200_000)
ZERO = Decimal(0)
CONDOR = "+1 {0} {1} P5435 / -1 {0} {1} P5465 / -1 {0} {1} C5535 / +1 {0} {1} C5565"  # 10 points of credit
MIDS = {5435: 5.0, 5465: 10.0, 5535: 10.0, 5565: 5.0, 5200: 83.5, 5150: 72.5, 4590: 14.0}


@dataclass
class Listed(ScriptedMarket):
    """With a chain of 601 strikes and 60 daily bars; each test breaks what it is about."""

    chain_changes: dict[str, object] | None = None
    put_delta: float = -0.05
    bar_days: int = 60
    prior_close: float = 5500.0

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        strikes = np.tile(np.arange(800, 1401), 2)
        right = np.repeat(np.array([-1, 1], np.int8), 601)
        whole = Chain(
            product=product,
            expiry=expiry,
            as_of=now,
            multiplier=Decimal(100),
            tick=Decimal("0.05"),
            strike_unit=Decimal(5),
            forward=5500.0,
            discount=1.0,
            years=0.01,
            right=right,
            strike=strikes,
            bid=np.full(1202, 199),
            ask=np.full(1202, 201),
            iv=np.full(1202, 0.2),
            delta=np.where(right < 0, self.put_delta, 1 + self.put_delta),
        )
        return replace(whole, **(self.chain_changes or {}))  # type: ignore[arg-type]

    def bars(self, family: str, now: datetime) -> Bars:
        days = [FRIDAY - timedelta(days=n) for n in range(1, 200)]
        weekdays_back = [day for day in days if day.weekday() < 5][: self.bar_days]
        column = np.full(len(weekdays_back), self.prior_close)
        return Bars(np.array(weekdays_back[::-1], "datetime64[D]"), column, column, column, column)


def mid(contract: Contract, now: object) -> float | None:
    return MIDS.get(int(contract.strike)) if isinstance(contract, Option) else None


def empty(phase: int = 4, net_liq: Decimal = NET_LIQ) -> Book:
    return Book(
        cash=net_liq,
        deposits=net_liq,
        prior_close=net_liq,
        peak=net_liq,
        levels={"phase": str(phase)},
        day=Day(session=FRIDAY),
    )


def wish(product: str = "ES", expiry: str = "2031-03-07", **changes: object) -> Open:
    structure = Structure.parse("condor", CONDOR.format(product, expiry))
    opening = Open(
        strategy="friday_0dte",
        entry="condor",
        parts=(Part("condor", structure),),
        ceiling=50,
        planned_loss=Decimal(20),
        target_gain=Decimal(5),
        least_net=Decimal(6),
        reason="test",
    )
    return replace(opening, **changes)  # type: ignore[arg-type]


def lt112(product: str = "ES", expiry: str = "2031-07-03") -> Open:
    text = f"+1 {product} {expiry} P5200 / -1 {product} {expiry} P5150"
    spread = Structure.parse("PDS", text)
    puts = Structure.parse("NP", f"-2 {product} {expiry} P4590")
    parts = (Part("PDS", spread), Part("NP", puts))
    return wish(
        strategy="lt112", entry="LT112", parts=parts, planned_loss=Decimal(56), target_gain=Decimal("25.2")
    )


def account(book: Book, net_liq: Decimal = NET_LIQ, **changes: object) -> Account:
    return replace(Account(net_liq, ZERO, ZERO, ZERO, {}, {}, {}), **changes)  # type: ignore[arg-type]


def case(
    opening: Open | None = None,
    book: Book | None = None,
    *,
    vix: float | None = 24.0,
    wall: str = "10:30",
    net_liq: Decimal = NET_LIQ,
    ticks: int = 1,
    market: Listed | None = None,
    **used: object,
) -> Case:
    book = book or empty()
    market = market or Listed(mid, level=5500.0, vix_level=vix, half_spread_ticks=ticks)
    view = View(at(wall), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
    return case_of(opening or wish(), book, view, account(book, net_liq, **used), SETTINGS)


def says(answer: Allowance) -> str:
    assert answer.units == 0
    return answer.detail


def open_position(
    id_: str = "P1", *, strategy: str = "lt112", units: int = 1, opening: Open | None = None
) -> Position:
    opening = opening or lt112()
    components = {
        part.role: Component(
            role=part.role,
            trade=id_,
            kind=opening.entry,
            structure=part.structure,
            units=units,
            filled_units=units,
            entry_net=Decimal(5),
            opened=at("10:00"),
            opened_dte=118,
            dollars=ZERO,
            fees=ZERO,
            planned_loss=opening.planned_loss,
        )
        for part in opening.parts
    }
    return Position(
        id_,
        strategy,
        opening.product,
        State.ACTIVE,
        at("10:00"),
        components,
        units,
        Decimal(8000),
        Decimal(2800),
    )


def holding(*positions: Position, phase: int = 4) -> Book:
    return replace(empty(phase), positions={p.id: p for p in positions})


def working(opening: Open, units: int = 1, id_: str = "O7") -> Working:
    order = Order(
        id=id_,
        strategy=opening.strategy,
        position=id_,
        parts=opening.parts,
        units=units,
        limit=Decimal(9),
        floor=None,
        opens=True,
        urgency=Urgency.ENTRY,
        reason="test",
        trigger=opening.entry,
        margin=Decimal(1000) * units,
        planned_loss=opening.planned_loss,
    )
    return Working(order, at("10:29"), Decimal(9))


# ------------------------------------------------------------------------------------ trading state
def test_a_quarantined_strategy_opens_nothing() -> None:
    book = replace(empty(), quarantined=frozenset({"friday_0dte"}))
    assert "raised an error" in says(state.not_quarantined(case(book=book)))
    assert state.not_quarantined(case(lt112(), book)).units is None


@pytest.mark.parametrize(
    ("level", "stops"), [("GREEN", False), ("YELLOW", False), ("ORANGE", True), ("RED", True)]
)
def test_orange_and_red_open_nothing(level: str, stops: bool) -> None:
    book = replace(empty(), levels={"phase": "4", "drawdown": level})
    assert (state.drawdown_allows(case(book=book)).units == 0) is stops


def test_a_five_per_cent_day_opens_nothing_more() -> None:
    assert state.losses_allow(case(net_liq=Decimal(190_001))).units is None
    assert says(state.losses_allow(case(net_liq=Decimal(190_000)))) == (
        "daily loss limit reached in 2031-03-07: $10,000 now of $200,000 at its start, limit 5%"
    )
    locked = replace(empty(), levels={"phase": "4", "daily_loss": "2031-03-07"})
    assert state.losses_allow(case(book=locked)).units == 0
    yesterday = replace(empty(), levels={"phase": "4", "daily_loss": "2031-03-06"})
    assert state.losses_allow(case(book=yesterday)).units is None


def test_a_lost_week_and_month_open_nothing_more() -> None:
    # The week began at 180,000 and the month at 190,000: 162,000 is 10 % and 14.7 % below.
    notes = {"risk.weekly_loss": "2031-W10 -20000", "risk.monthly_loss": "2031-03 -10000"}
    book = replace(empty(), notes=notes, prior_close=Decimal(165_000))
    said = says(state.losses_allow(case(book=book, net_liq=Decimal(162_000))))
    assert said.startswith("weekly loss limit reached in 2031-W10: $18,000 now of $180,000")
    assert "monthly" not in said


def test_three_losing_closes_end_the_day() -> None:
    for count, units in ((2, None), (3, 0)):
        book = replace(empty(), day=Day(session=FRIDAY, losing_closes=count))
        assert state.losing_closes_allow(case(book=book)).units == units


@pytest.mark.parametrize(("wall", "units"), [("09:29", 0), ("09:30", None), ("15:59", None), ("16:00", 0)])
def test_the_market_must_be_open(wall: str, units: int | None) -> None:
    assert state.market_open(case(wall=wall)).units == units


# --------------------------------------------------------------------------------------------- data
def test_a_missing_old_or_absurd_vix_opens_nothing() -> None:
    assert data.vix_fresh(case()).units is None
    assert says(data.vix_fresh(case(vix=None))) == "no VIX"
    assert says(data.vix_fresh(case(vix=5.0))) == "VIX 5.00 is outside 5 to 150"
    coarse = case()
    coarse.view.market.grid_minutes = 15  # type: ignore[misc]
    coarse.view.market.vix = lambda now: (24.0, now - timedelta(minutes=15))  # type: ignore[method-assign]
    assert data.vix_fresh(coarse).units is None
    old = case()
    old.view.market.vix = lambda now: (24.0, now - timedelta(minutes=6))  # type: ignore[method-assign]
    assert says(data.vix_fresh(old)) == "VIX 24.00 is 6 minutes old, limit 5"


@pytest.mark.parametrize(
    ("count", "words"), [(60, ""), (59, "59 daily bars, 60 are needed"), (0, "0 daily bars, 60 are needed")]
)
def test_sixty_daily_bars_are_needed(count: int, words: str) -> None:
    assert data.bars_ready(case(market=Listed(mid, bar_days=count))).detail == words


def test_the_last_daily_bar_is_of_the_previous_session() -> None:
    # On Monday 10 March the history still ends on Thursday 6 March.
    monday = date(2031, 3, 10)
    this = case()
    later = replace(this.view, now=at("10:30", monday), session=session_on(monday))
    assert says(data.bars_ready(replace(this, view=later))) == (
        "the last daily bar is of 2031-03-06, the previous session is 2031-03-07"
    )


@pytest.mark.parametrize(
    ("close", "units"), [(4783.0, None), (4782.0, 0), (6470.0, None), (6471.0, 0), (float("nan"), 0)]
)
def test_the_index_is_believed_within_fifteen_per_cent_of_its_prior_close(
    close: float, units: int | None
) -> None:
    # 5,500 / 1.15 = 4,782.6 and 5,500 / 0.85 = 6,470.6.
    assert data.index_believed(case(market=Listed(mid, level=5500.0, prior_close=close))).units == units


def test_a_missing_index_level_or_prior_close_opens_nothing() -> None:
    none = Listed(mid, level=None)  # type: ignore[arg-type]
    assert says(data.index_believed(case(market=none))) == "no SPX level"
    assert says(data.index_believed(case(market=Listed(mid, bar_days=0)))) == "no prior close of SPX"
    assert says(data.index_believed(case(market=Listed(mid, level=6600.0)))) == (
        "SPX 6600.00 is +20.0% from its prior close 5500.00, limit 15%"
    )


def chain_says(**columns: object) -> str:
    return data.chains_valid(case(wish("SPXW"), market=Listed(mid, chain_changes=columns))).detail


def spoiled(column: int, rows: slice, value: int) -> np.ndarray:
    """One column of bids or asks, of puts and calls alike, with ``value`` in some rows."""
    counts = np.full((2, 601), column)
    counts[:, rows] = value
    return counts.ravel()


def test_four_fifths_of_the_quotes_within_three_standard_deviations_must_be_valid() -> None:
    # 3 x 0.20 x 5,500 x sqrt(0.01) = 330 points: 133 strikes from 5,170 to 5,830, 266 quotes,
    # of which 212.8 are needed; 26 strikes without a bid leave 214, 27 leave 212.
    assert chain_says() == ""
    assert chain_says(bid=spoiled(199, slice(300, 326), -1)) == ""
    assert chain_says(bid=spoiled(199, slice(300, 327), -1)) == (
        "SPXW 2031-03-07: 212 of 266 quotes within 3 standard deviations are valid, 80% are needed"
    )
    # Farther out nobody need quote; crossed and locked markets are no quotes.
    assert chain_says(bid=spoiled(199, slice(0, 200), -1)) == ""
    assert chain_says(bid=spoiled(199, slice(300, 327), 201)) != ""
    assert chain_says(bid=spoiled(199, slice(300, 327), 0)) != ""


def test_what_is_offered_at_five_cents_needs_no_bid() -> None:
    bid = spoiled(199, slice(300, 340), 0)
    assert chain_says(bid=bid, ask=spoiled(201, slice(300, 340), 1)) == ""
    assert chain_says(bid=bid, ask=spoiled(201, slice(300, 340), 2)) != ""


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        (6954.0, ""),
        (6955.0, "591 valid strikes below the forward and 9 above, 10 each are needed"),
        (4046.0, ""),
        (4045.0, "9 valid strikes below the forward and 591 above, 10 each are needed"),
    ],
)
def test_ten_strikes_on_each_side_of_the_forward_are_needed(forward: float, words: str) -> None:
    # Strikes run by 5 from 4,000 to 7,000: 6,955 to 7,000 are ten, 4,000 to 4,045 too.
    said = chain_says(forward=forward, iv=np.full(1202, 0.05))
    assert said == (words and f"SPXW 2031-03-07: {words}")


def test_a_chain_that_is_missing_or_has_no_volatility_opens_nothing() -> None:
    assert chain_says(iv=np.full(1202, np.nan)) == "SPXW 2031-03-07: no strike has a volatility"
    none = replace(case(wish("SPXW")), chains={FRIDAY: None})
    assert says(data.chains_valid(none)) == "SPXW 2031-03-07: no chain"
    assert "no implied volatility" in says(data.volatility_sensible(none))


@pytest.mark.parametrize(
    ("iv", "words"),
    [
        (4.99, None),
        (5.0, "implied volatility 500%"),
        (0.0, "implied volatility 0%"),
        (np.nan, "no implied volatility"),
    ],
)
def test_each_legs_volatility_lies_between_nothing_and_500_per_cent(iv: float, words: str | None) -> None:
    # The short put at 5,465 is count 1093, row 293.
    ivs = np.full(1202, 0.2)
    ivs[293] = iv
    answer = data.volatility_sensible(case(wish("SPXW"), market=Listed(mid, chain_changes={"iv": ivs})))
    expected = "" if words is None else f"-1 SPXW 2031-03-07 P5465: {words}, limit 500%"
    assert answer.detail == expected
    assert (answer.units == 0) is (words is not None)


def fault(
    bid: str | None,
    ask: str | None,
    *,
    short: bool = True,
    product: str = "SPXW",
    scaled: bool = False,
    age: int = 0,
) -> str:
    """What is wrong with a condor of which one leg has this quote."""
    size = " x1000/0.005" if scaled else ""
    legs = " / ".join(
        f"{ratio} {product} 2031-03-07 {strike}{size}"
        for ratio, strike in (("+1", "P5435"), ("-1", "P5465"), ("-1", "C5535"), ("+1", "C5565"))
    )
    structure = Structure.parse("condor", legs)
    this = replace(case(), wish=wish(parts=(Part("condor", structure),)))
    good = Quote(Decimal("9.9"), Decimal("10.1"), at("10:30"))
    odd = Quote(bid and Decimal(bid), ask and Decimal(ask), at("10:30") - timedelta(seconds=age))  # type: ignore[arg-type]
    quotes = (good, odd, good, good) if short else (odd, good, good, good)
    answer = data.quotes_valid(replace(this, quotes=quotes))
    return answer.detail.partition(": ")[2] if answer.units == 0 else ""


def test_each_leg_needs_a_valid_quote() -> None:
    assert fault("9.90", "10.10") == ""
    assert fault(None, "10.10") == "bid None, ask 10.10"
    assert fault("10.10", "10.10") == "bid 10.10 is not below ask 10.10"
    assert fault("10.10", "9.90") == "bid 10.10 is not below ask 9.90"
    assert fault("9.90", "10.10", age=60) == ""
    assert fault("9.90", "10.10", age=61) == "quote is 61 seconds old, limit 60"


def test_only_a_worthless_long_leg_may_have_no_bid() -> None:
    assert fault("0", "0.05", short=False) == ""
    assert fault("0", "0.10", short=False) == "bid 0, ask 0.10"
    assert fault("0", "0.05") == "bid 0, ask 0.05"


def test_a_leg_may_be_a_fifth_wide_or_four_ticks_when_cheap() -> None:
    # 2.00 wide at 10.00 is exactly a fifth: too wide.  1.95 is not.
    assert fault("9.00", "11.00") == "spread 2.00 at mid 10.00 is 20%, limit 20%"
    assert fault("9.05", "11.00") == ""
    # Below one point 0.10 or four ticks: 0.20 on SPXW, 0.10 on XSP.
    assert fault("0.30", "0.50") == ""
    assert fault("0.30", "0.55") != ""
    assert fault("0.30", "0.40", product="XSP") == ""
    assert fault("0.30", "0.41", product="XSP") != ""


def test_an_option_on_a_future_may_be_two_ticks_wide() -> None:
    # 0.05 below 10 points: 0.10 at 0.25 is two ticks; ten-point options tick by 0.25.
    assert fault("1.00", "1.25", product="ES") != ""
    assert fault("1.05", "1.15", product="ES") == ""
    assert fault("1.00", "1.30", product="SPXW") != ""


def test_on_a_scaled_contract_ticks_and_points_are_scaled() -> None:
    # Tick 0.005 instead of 0.05: a tenth of everything.
    assert fault("0.030", "0.050", scaled=True) == ""
    assert fault("0.030", "0.055", scaled=True) != ""
    assert fault("0.30", "0.40", scaled=True) != ""


def test_half_spreads_may_take_fifteen_per_cent_of_the_credit() -> None:
    # Four legs two ticks either side: 4 x 0.10 = 0.40 of 10 points.  Eight times as wide: 32 %.
    assert data.structure_spread(case(ticks=2)).units is None
    assert says(data.structure_spread(case(ticks=16))).startswith("half spreads sum to 3.20 of 10.00 points")


@pytest.mark.parametrize(("expiry", "units"), [("2031-03-06", 0), ("2031-03-07", None), ("2031-03-28", None)])
def test_nothing_expired_is_opened(expiry: str, units: int | None) -> None:
    assert data.expiry_sensible(case(wish(expiry=expiry))).units == units


def test_nothing_is_opened_that_21_dte_would_close_in_the_next_session() -> None:
    # From Friday 7 March: 29 March has 22 DTE, and 19 on Monday; 1 April has 22 on Monday.
    assert "must be closed at 21" in says(data.expiry_sensible(case(wish(expiry="2031-03-29"))))
    assert data.expiry_sensible(case(wish(expiry="2031-03-31"))).units == 0
    assert data.expiry_sensible(case(wish(expiry="2031-04-01"))).units is None


# ------------------------------------------------------------------------------------------- counts
@pytest.mark.parametrize(
    ("opening", "phase", "units"),
    [
        (wish("ES"), 0, 0),
        (wish("XSP"), 0, None),
        (wish("ES"), 1, None),
        (lt112("MES"), 1, 0),
        (lt112("MES"), 2, None),
        (lt112("ES"), 2, 0),
        (lt112("ES"), 3, None),
        (wish(strategy="strangle"), 4, 0),
    ],
)
def test_strategies_and_products_by_phase(opening: Open, phase: int, units: int | None) -> None:
    assert counts.phase_allows(case(opening, empty(phase))).units == units


@pytest.mark.parametrize(
    ("opening", "phase", "net_liq", "units"),
    [
        (wish("XSP"), 0, 40_000, 2),
        (wish("ES"), 1, 50_000, 1),
        (wish("XSP"), 1, 50_000, 5),
        (wish("SPXW"), 1, 50_000, 0),
        (wish("SPXW"), 4, 150_000, 2),
        (wish("ES"), 4, 189_999, 4),
        (wish("ES"), 4, 190_000, 5),
        (lt112("MES"), 2, 70_000, 4),
        (lt112("ES"), 3, 100_000, 1),
        (lt112("MES"), 3, 100_000, 10),
        (lt112("ES"), 4, 200_000, 3),
    ],
)
def test_ceilings_by_phase_in_es_equivalents(opening: Open, phase: int, net_liq: int, units: int) -> None:
    answer = counts.strategy_ceiling(case(opening, empty(phase), net_liq=Decimal(net_liq)))
    assert answer.units == units


def test_what_is_held_and_what_is_being_opened_count_towards_the_ceiling() -> None:
    book = holding(open_position(units=1))
    assert counts.strategy_ceiling(case(lt112(), book)).units == 2
    book = replace(book, orders={"O7": working(lt112())})
    assert counts.strategy_ceiling(case(lt112(), book)).units == 1
    assert counts.strategy_ceiling(case(replace(lt112(), joins="P1"), book)).units is None


def test_open_positions_by_phase() -> None:
    positions = [open_position(f"P{n}") for n in range(5)]
    assert counts.positions_allow(case(book=holding(*positions[:4], phase=2))).units is None
    assert says(counts.positions_allow(case(book=holding(*positions, phase=2)))) == (
        "5 positions open or being opened, phase 2 allows 5"
    )
    four = replace(holding(*positions[:4], phase=2), orders={"O7": working(wish())})
    assert counts.positions_allow(case(book=four)).units == 0


@pytest.mark.parametrize(
    ("phase", "vix", "most"),
    [(0, 20.0, 2), (4, 20.0, 10), (4, 31.0, 7), (4, 41.0, 5), (0, 31.0, 2), (0, 41.0, 1)],
)
def test_entries_a_day_by_phase_and_vix(phase: int, vix: float, most: int) -> None:
    assert counts.entries_max(case(book=empty(phase), vix=vix)) == most


def test_five_minutes_lie_between_two_strategies() -> None:
    for minute, strategy, units in (
        ("10:25", "lt112", None),
        ("10:26", "lt112", 0),
        ("10:29", "friday_0dte", None),
    ):
        book = replace(empty(), last_entry=(at(minute), strategy))
        assert counts.spacing_allows(case(book=book)).units == units


def test_one_strategy_at_a_time_enters_in_phase_0() -> None:
    book = replace(empty(0), orders={"O7": working(lt112())})
    assert "entering at once" in says(counts.spacing_allows(case(wish("XSP"), book)))


def test_two_positions_fill_an_expiration_date() -> None:
    two = holding(open_position("P1"), open_position("P2"))
    assert says(counts.expiry_allows(case(lt112(), two))) == (
        "2 other positions have short legs on 2031-07-03, limit 2"
    )
    assert counts.expiry_allows(case(lt112(expiry="2031-07-10"), two)).units is None
    assert counts.expiry_allows(case(lt112(), holding(open_position("P1")))).units is None


def joined(position: str, expiry: str) -> Open:
    """A weekly beside an LT112."""
    return replace(wish("ES", expiry), strategy="lt112", entry="weekly", joins=position)


def test_what_joins_a_position_counts_against_the_short_legs_of_the_others() -> None:
    # P1 (July) would sell weeklies on 14 March, where P2 and P3 have short legs: three positions.
    july = open_position("P1")
    condors = [open_position(id_, opening=wish("ES", "2031-03-14")) for id_ in ("P2", "P3")]
    three = holding(july, *condors)
    assert says(counts.expiry_allows(case(joined("P1", "2031-03-14"), three))) == (
        "2 other positions have short legs on 2031-03-14, limit 2"
    )
    assert counts.expiry_allows(case(joined("P1", "2031-03-14"), holding(july, condors[0]))).units is None
    # Beside P2, which has short legs there already, it makes no third position.
    assert counts.expiry_allows(case(joined("P2", "2031-03-14"), three)).units is None


def test_a_weekly_being_sold_counts_for_its_expiry_once() -> None:
    book = holding(open_position("P1"), open_position("P2"))
    beside = working(joined("P1", "2031-03-14"))
    beside = replace(beside, order=replace(beside.order, position="P1"))
    book = replace(book, orders={"O7": beside})
    assert counts.expiry_allows(case(joined("P2", "2031-03-14"), book)).units is None
    other = working(wish("ES", "2031-03-14"), id_="O8")
    book = replace(book, orders={"O7": beside, "O8": other})
    assert counts.expiry_allows(case(joined("P2", "2031-03-14"), book)).units == 0


def test_two_positions_fill_a_week_of_expirations() -> None:
    # Monday 10 March and Wednesday 12: Friday the 14th is the same week, Monday the 17th is not.
    two = holding(
        open_position("P1", opening=wish("ES", "2031-03-10")),
        open_position("P2", opening=wish("ES", "2031-03-12")),
    )
    assert says(counts.expiry_week_allows(case(wish("ES", "2031-03-14"), two))) == (
        "2 other positions have short legs that expire in the week of 2031-03-10, limit 2"
    )
    assert counts.expiry_allows(case(wish("ES", "2031-03-14"), two)).units is None
    assert counts.expiry_week_allows(case(wish("ES", "2031-03-17"), two)).units is None
    assert counts.expiry_week_allows(case(joined("P1", "2031-03-14"), two)).units is None


# --------------------------------------------------------------------------------------------- held
def threatened(put_mid: float | None, delta: float) -> Listed:
    def mids(contract: Contract, now: object) -> float | None:
        return put_mid if isinstance(contract, Option) and contract.strike == 4590 else mid(contract, now)

    return Listed(mids, level=5500.0, put_delta=-delta)


def test_a_naked_put_at_fifteen_delta_stops_every_strategy() -> None:
    # The pair brought 5 points a unit; at 14 each it costs 28.
    book = holding(open_position("P1"))
    words = "ES 2031-07-03 P4590 of P1 is at 15.0% delta: no new equity risk from 15%"
    for opening in (wish("ES"), wish("XSP"), lt112(), joined("P1", "2031-03-14")):
        assert says(held.naked_puts_calm(case(opening, book, market=threatened(14.0, 0.15)))) == words
        assert held.naked_puts_calm(case(opening, book, market=threatened(14.0, 0.149))).units is None


def test_the_delta_is_looked_up_only_when_the_put_is_not_cheap() -> None:
    # Two puts at 1.20 cost 2.40, less than half of the 5 points they brought; at 1.25 just half.
    book = holding(open_position("P1"))
    assert held.naked_puts_calm(case(book=book, market=threatened(1.2, 0.4))).units is None
    assert held.naked_puts_calm(case(book=book, market=threatened(1.25, 0.4))).units == 0


def test_a_naked_put_that_cannot_be_read_counts_as_threatened() -> None:
    book = holding(open_position("P1"))
    assert "no quote or no delta" in says(held.naked_puts_calm(case(book=book, market=threatened(None, 0.1))))
    nothing = replace(threatened(14.0, 0.1), chain_changes={"delta": np.full(1202, np.nan)})
    assert held.naked_puts_calm(case(book=book, market=nothing)).units == 0


def test_a_put_that_todays_chain_does_not_list_has_the_delta_of_the_next_higher_strike() -> None:
    unit = {"strike_unit": Decimal("5.01"), "delta": np.linspace(-0.001, -0.601, 1202)}
    # 4590 is count 916 of 5.01 (4589.16 points), listed from 800: row 116 of 1202, delta 0.0589.
    market = replace(threatened(14.0, 0.0), chain_changes=unit)
    book = holding(open_position("P1"))
    assert held.naked_puts_calm(case(book=book, market=market)).units is None
    higher = {"delta": unit["delta"], "strike": np.tile(np.arange(1000, 1601), 2)}
    # Listed from 5000 on: the first row stands for it.
    assert held.naked_puts_calm(case(book=book, market=replace(market, chain_changes=higher))).units is None


def test_without_naked_puts_nothing_is_threatened() -> None:
    position = open_position("P1")
    pair = replace(position.components["NP"], units=0)
    rest = replace(position, components={**position.components, "NP": pair})
    assert held.naked_puts_calm(case(book=holding(rest), market=threatened(14.0, 0.4))).units is None
    other = replace(open_position("P1"), strategy="friday_0dte")
    assert held.naked_puts_calm(case(book=holding(other), market=threatened(14.0, 0.4))).units is None


def bought_back(expiry: str, strike: int = 4590) -> Open:
    """One who buys the put that the LT112 has sold twice, against a higher one."""
    spread = Structure.parse("spread", f"-1 ES {expiry} P4700 / +1 ES {expiry} P{strike}")
    return wish(strategy="ratio_spread", entry="spread", parts=(Part("spread", spread),))


def test_a_contract_that_one_position_is_short_of_no_other_buys() -> None:
    # The broker would keep -2 + 1 = -1: of one of the two closings nothing would be left to close.
    held_short = holding(open_position("P1"))
    said = says(held.sides_agree(case(bought_back("2031-07-03"), held_short)))
    assert said == "the broker nets both sides of a contract: P1 holds ES 2031-07-03 P4590 short"
    assert held.sides_agree(case(bought_back("2031-07-03", 4600), held_short)).units is None
    assert held.sides_agree(case(bought_back("2031-07-05"), held_short)).units is None


def test_what_is_being_opened_counts_as_held_and_the_same_side_is_shared() -> None:
    opening = replace(empty(), orders={"O7": working(lt112())})
    said = says(held.sides_agree(case(bought_back("2031-07-03"), opening)))
    assert said == "the broker nets both sides of a contract: order O7 is opening ES 2031-07-03 P4590 short"
    assert held.sides_agree(case(lt112(), opening)).units is None


def test_a_part_that_is_closed_holds_nothing_against_others() -> None:
    position = open_position("P1")
    pair = replace(position.components["NP"], units=0)
    rest = replace(position, components={**position.components, "NP": pair})
    assert held.sides_agree(case(bought_back("2031-07-03"), holding(rest))).units is None


@pytest.mark.parametrize(("expiry", "units"), [("2031-03-28", 0), ("2031-03-30", 0), ("2031-03-31", None)])
def test_an_lt112_on_its_way_out_stops_new_0dte(expiry: str, units: int | None) -> None:
    # From Friday 7 March: 28 March has 21 DTE; 30 March 23, and 20 on Monday, so today is its day;
    # 31 March has 24 and exactly 21 on Monday, which is its day.
    book = holding(open_position("P1", opening=lt112(expiry=expiry)))
    answer = held.exits_done(case(book=book))
    assert answer.units == units
    if units == 0:
        assert answer.detail == "P1 must be closed at 21 DTE (NP): no new 0DTE before"
    assert held.exits_done(case(lt112(), book)).units is None


def test_a_debit_spread_alone_stops_0dte_while_its_exit_works() -> None:
    position = open_position("P1", opening=lt112(expiry="2031-03-28"))
    pair, spread = position.components["NP"], position.components["PDS"]
    alone = replace(position, components={"NP": replace(pair, units=0), "PDS": spread})
    assert held.exits_done(case(book=holding(alone))).units is None
    leaving = replace(alone, components={**alone.components, "PDS": replace(spread, closing="O9")})
    assert held.exits_done(case(book=holding(leaving))).units == 0


# ------------------------------------------------------------------------------------------ capital
@pytest.mark.parametrize(("vix", "units"), [(34.99, None), (35.0, 0), (40.0, 0), (None, 0)])
def test_from_vix_35_on_nothing_short_is_opened(vix: float | None, units: int | None) -> None:
    assert capital.regime_allows(case(vix=vix)).units == units


def units_of(limit: Callable[[Case], Allowance], each: int, **used: object) -> int | None:
    """Units a limit permits at $200,000, phase 4, VIX 24, for this margin a unit."""
    vix = used.pop("vix", 24.0)
    phase = used.pop("phase", 4)
    this = case(book=empty(int(str(phase))), vix=float(str(vix)), **used)  # type: ignore[arg-type]
    return limit(replace(this, margin=Decimal(each))).units


def test_capital_in_use_is_held_to_the_lowest_cap() -> None:
    # VIX 24: 75 % of 200,000 = 150,000; phase 4 allows 80 %.  40,000 in use leave 110,000.
    assert units_of(capital.capital_allows, 10_000, capital=Decimal(40_000)) == 11
    # VIX 31: 25 % is 50,000; 10,000 are left.
    assert units_of(capital.capital_allows, 10_000, capital=Decimal(40_000), vix=31.0) == 1
    # Phase 1: 50 % is 100,000.
    assert units_of(capital.capital_allows, 10_000, capital=Decimal(40_000), phase=1) == 6


def test_margin_by_phase_and_with_its_buffer() -> None:
    assert units_of(capital.margin_allows, 10_000, phase=1) == 6
    # VIX 24: 35 % beside it, 200,000 / 1.35 = 148,148 of margin at most.
    assert units_of(capital.buffer_allows, 10_000) == 14
    assert units_of(capital.buffer_allows, 10_000, vix=19.0) == 16


@pytest.mark.parametrize(
    ("day", "share", "event"),
    [
        # FRIDAY, 2031-03-07, has nothing; FOMC and CPI are tables of the past.
        (date(2031, 3, 7), "0.35", ""),
        (date(2031, 3, 20), "0.47", "monthly expiration"),  # the third Friday is the 21st
        (date(2031, 3, 21), "0.47", "monthly expiration"),
        (date(2031, 3, 24), "0.35", ""),
        (date(2031, 12, 10), "0.45", "December"),
        (date(2031, 12, 18), "0.47", "monthly expiration"),  # the greatest alone
        (date(2024, 7, 30), "0.50", "FOMC"),  # announced on the 31st
        (date(2024, 8, 13), "0.45", "CPI"),  # published on the 14th
    ],
)
def test_the_buffer_grows_before_events(day: date, share: str, event: str) -> None:
    then = case()
    now = at("10:30", day)
    then = replace(
        then, view=replace(then.view, now=now, session=session_on(day), sessions=weekdays(day, 30))
    )
    answer = capital.buffer_allows(then)
    assert f"a free buffer of {Decimal(share):.0%} of it" in answer.detail
    assert event in answer.detail


def test_the_example_of_the_methodology_needs_29_000() -> None:
    # C.1: VIX 24 and CPI tomorrow: 35 + 10 %; 20,000 of margin need 29,000 of net liq.
    assert Decimal(20_000) * (1 + Decimal("0.35") + SETTINGS.buffer_cpi_share) == 29_000


def test_concentration_in_family_strategy_and_expiry() -> None:
    assert units_of(capital.family_allows, 10_000, by_family={"SPX": Decimal(5_000)}) == 2
    assert units_of(capital.strategy_allows, 10_000, by_strategy={"friday_0dte": Decimal(5_000)}) == 5
    assert units_of(capital.expiry_margin_allows, 10_000, by_expiry={FRIDAY: Decimal(5_000)}) == 4
    assert units_of(capital.expiry_margin_allows, 10_000, by_expiry={date(2031, 7, 3): Decimal(50_000)}) == 5


def test_margin_of_working_orders_is_reserved() -> None:
    book = replace(empty(), orders={"O7": working(wish(), units=10)})
    this = replace(case(book=book), margin=Decimal(10_000))
    # 30,000 on SPX, less 10,000 and a quarter reserved.
    assert capital.family_allows(this).units == 1
    half = replace(book.orders["O7"], filled=5)
    this = replace(case(book=replace(book, orders={"O7": half})), margin=Decimal(10_000))
    assert capital.family_allows(this).units == 2
    assert "$6,250 in use" in capital.family_allows(this).detail


def test_two_per_cent_at_the_stop_counts_slippage_and_fees() -> None:
    # VIX 24: k = 0.35 + 0.25 for a stop; half spreads 4 x 0.05 (SPXW): 0.60 x 0.20 = 0.12 points.
    # (20 + 0.12) x $100 + $10.22 = $2,022.22 a unit of $4,000.
    answer = capital.loss_at_stop(case(wish("SPXW")))
    assert answer.units == 1
    assert (
        answer.detail
        == "planned, with slippage and fees: $2,022 a unit, limit $4,000 (2.0% of net liq $200,000)"
    )
    # Half spreads of four legs at one tick are below one tick at k = 0.15: the minimum is a tick.
    quiet = replace(case(wish("SPXW")), natural=Decimal("9.99"))
    assert capital.slippage(quiet, stop=False) == Decimal("0.05")


def test_what_joins_a_position_shares_its_two_per_cent_and_its_capital() -> None:
    book = holding(open_position("P1"))
    joined = case(replace(wish("ES"), strategy="lt112", entry="weekly", joins="P1"), book)
    # 56 points x $50 = $2,800 of $4,000 are planned already; (20 + 0.50 x ...) x $50 does not fit twice.
    answer = capital.loss_at_stop(joined)
    assert answer.detail.startswith("planned, with slippage and fees: $2,800 in use + $1,0")
    assert answer.units == 1
    # 12 % is $24,000, of which $8,000 are in use.
    joined = replace(joined, account=replace(joined.account, by_position={"P1": Decimal(8_000)}))
    assert capital.position_capital(replace(joined, margin=Decimal(5_000))).units == 3
    # 5 % on MES is $10,000, of which $8,000 are in use: 2 x $900.
    micro = holding(open_position("P1", opening=lt112("MES")))
    joined = case(replace(wish("MES"), strategy="lt112", entry="weekly", joins="P1"), micro)
    joined = replace(joined, account=replace(joined.account, by_position={"P1": Decimal(8_000)}))
    assert capital.position_capital(replace(joined, margin=Decimal(900))).units == 2


def test_heat_adds_up_to_ten_per_cent() -> None:
    # $20,000, of which $17,000 planned and a working order of 1 x 20 x $50 = $1,000.
    book = replace(empty(), orders={"O7": working(wish())})
    answer = capital.heat_allows(case(wish("ES"), book, heat=Decimal(17_000)))
    assert answer.units == 1
    assert "$18,000 in use" in answer.detail


def test_a_position_may_use_five_per_cent_and_an_es_lt112_twelve() -> None:
    assert units_of(capital.position_capital, 3_000) == 3
    assert capital.position_capital(replace(case(lt112()), margin=Decimal(8_000))).units == 3
    # Micros are not excepted: $10,000 for units of $900 each.
    assert capital.position_capital(replace(case(lt112("MES")), margin=Decimal(900))).units == 11


def test_kelly_warns_or_blocks_but_never_sizes() -> None:
    poor = {"friday_0dte:condor": Record(trades=60, wins=30, won=Decimal(3000), lost=Decimal(6000))}
    warned = capital.kelly_allows(case(book=replace(empty(), records=poor)))
    assert warned.units is None
    assert warned.warning == "quarter Kelly is 0 from 60 closed trades: no edge"
    blocking = replace(
        case(book=replace(empty(), records=poor)), settings=replace(SETTINGS, kelly_gate="block")
    )
    assert capital.kelly_allows(blocking).units == 0
    assert capital.kelly_allows(case()).detail == "quarter Kelly 5.00% from the prior"


def test_costs_may_take_a_quarter_of_the_target_and_more_on_micros() -> None:
    # MES condor: 5 points x $5 = $25 at the target; fees $10.32, slippage 2 x 0.07 x $5 = $0.70: 44 %.
    assert capital.costs_allow(case(wish("MES"))).units is None
    assert "of $25.00 at the target, 44%, limit 45%" in capital.costs_allow(case(wish("MES"))).detail
    # What only the micro exception permits is flagged (D.6); at twice the target it is 22 %.
    assert capital.costs_allow(case(wish("MES"))).warning.endswith(
        "at the target, 44%, limit 45%; over 25%: the micro exception"
    )
    assert capital.costs_allow(case(wish("MES", target_gain=Decimal(10)))).warning == ""
    assert capital.costs_allow(case(wish("ES"))).units is None
    # XSP is no micro future: 25 %.  Its target of 0.30 points is $30, fees are $5.02.
    assert capital.costs_allow(case(wish("XSP", target_gain=Decimal("0.30")))).units == 0
    # Crude's and gold's micros are micro futures options too.
    assert "limit 45%" in capital.costs_allow(case(wish("MGC"))).detail
    assert "limit 25%" in capital.costs_allow(case(wish("GC"))).detail


# --------------------------------------------------------------------------------- numbers and words


def test_tables_that_do_not_fit_are_refused_together() -> None:
    with pytest.raises(ValueError, match="must ascend") as refusal:
        replace(SETTINGS, positions_max=(1, 2), vix_bounds=(13.0, 12.0), red_share=Decimal("0.14"))
    assert str(refusal.value).startswith("positions_max has 2 entries; write one for each of the 5 phases; ")
    assert "vix_capital_share_max has 7 entries; with these vix_bounds write 3" in str(refusal.value)
    assert "yellow_share, orange_share, red_share and terminal_share must ascend" in str(refusal.value)


DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "risk.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_every_limit_is_documented_with_its_code_and_source(limit: object) -> None:
    name, code, source = (getattr(limit, key) for key in ("name", "code", "source"))
    assert f"| {name} | `{code}` | {source} |" in DOCUMENT


@pytest.mark.parametrize("one", settings_of(Settings), ids=lambda one: one.name)
def test_every_number_in_the_document_is_the_setting_and_so_are_its_bounds(one: Setting) -> None:
    begins = f"| `{one.name}` | {words(one.default)} | {one.source} | "
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith(begins)]
    assert row.endswith(f" | {may_be(one)} |")


def may_be(one: Setting) -> str:
    """What docs/risk.md says that a setting may be."""
    allowed = ", ".join(map(words, one.choices)) or f"{words(one.low)} to {words(one.high)}"
    if isinstance(one.default, bool):
        allowed = "yes, no"
    return f"{allowed}; backtests only" if one.research else allowed


def words(value: object) -> str:
    """A default as docs/risk.md writes it."""
    if isinstance(value, tuple):
        return ", ".join(map(words, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
