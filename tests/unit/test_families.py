"""Families beside SPX on the model market: VIX, gold, oil, and SPY's floor."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_gold, load_history
from tomking.app.markets import GOLD, GOLD_SPEC, OIL_SPEC, VIX_SPEC, model_market, oil_bars
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Sessions
from tomking.domain.chain import Chain, quote_of
from tomking.domain.contract import Contract, Future, Option, Share, parse_contract
from tomking.domain.products import PRODUCTS
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.sim.american import chain_at_intrinsic
from tomking.sim.board import Timetable
from tomking.sim.commodity import CarryTerms, Commodity, CommodityModel
from tomking.sim.families import Families
from tomking.sim.family import FamilyMarket
from tomking.sim.family_kernels import quote_one, total_variance
from tomking.sim.market import ModelMarket

FAMILY_OF = {"VIX": "VIX", "GC": "GC", "MGC": "GC", "CL": "CL", "MCL": "CL"}
TUESDAY = date(2016, 2, 9)


@pytest.fixture(scope="module")
def history() -> History:
    return load_history()


@pytest.fixture(scope="module")
def sessions(history: History) -> Sessions:
    first, *_, last = history.spx.day.astype("datetime64[D]").tolist()
    return load_sessions(first, last + timedelta(days=760))


@pytest.fixture(scope="module")
def market(history: History, sessions: Sessions) -> Families:
    return model_market(history, sessions, 7)


def at(sessions: Sessions, day: date, wall: time = time(10, 30)) -> datetime:
    session = sessions.on(day)
    assert session is not None
    return session.at(wall)


def near(market: Families, product: str, now: datetime, days: int) -> Chain:
    expiry = min(market.expiries(product, now), key=lambda e: abs((e - now.date()).days - days))
    chain = market.chain(product, expiry, now)
    assert chain is not None
    return chain


# -- one option ----------------------------------------------------------------------------------


def test_without_a_smile_the_quote_is_black_rounded_outward() -> None:
    # F = K = 100, total volatility 0.2: 100 (2 N(0.1) - 1) = 7.9656; half-spread 0.02 + 0.03 sqrt(7.9656) =
    # 0.1047; bid 7.8609 down to 7.85, ask 8.0703 up to 8.10 on a grid of 0.05.
    grid = np.array([0.05, 1.0, 0.0, 0.02, 0.03])
    bid, ask, deviation, delta = quote_one(100.0, 1, 100.0, 1.0, 0.04, 0.0, 0.0, grid)
    assert (bid * 5, ask * 5) == (785, 810)
    assert deviation == pytest.approx(0.2)
    assert delta == pytest.approx(0.5398, abs=1e-4)


def test_no_quote_is_worth_less_than_exercise() -> None:
    # A put of strike 100 on a future at 60, half its value discounted away: 40 is what exercise pays.
    bid, ask, _, _ = quote_one(100.0, -1, 60.0, 0.5, 0.01, 0.0, 0.0, np.array([0.05, 1.0, 0.0, 0.0, 0.0]))
    assert (bid, ask) == (800, 801)


@given(
    k=st.floats(-2.0, 2.0), theta=st.floats(1e-5, 1.5), spec=st.sampled_from([VIX_SPEC, GOLD_SPEC, OIL_SPEC])
)
def test_a_smile_has_no_butterfly_for_free(k: float, theta: float, spec: object) -> None:
    """Gatheral and Jacquier's condition, and Durrleman's function of the slice by finite differences."""
    assert isinstance(spec, type(VIX_SPEC))
    assert spec.eta * (1 + abs(spec.rho)) <= 2
    h = 1e-3 * math.sqrt(theta)
    below, w, above = (total_variance(k + step, theta, spec.eta, spec.rho) for step in (-h, 0.0, h))
    slope, bend = (above - below) / (2 * h), (above - 2 * w + below) / h**2
    density = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2
    assert density > -1e-4


# -- every family --------------------------------------------------------------------------------


@pytest.mark.parametrize("product", FAMILY_OF)
def test_a_held_contracts_quote_is_its_row_of_the_chain(
    market: Families, sessions: Sessions, product: str
) -> None:
    now = at(sessions, TUESDAY)
    chain = near(market, product, now, 90)
    held = [chain.option(i) for i in range(0, chain.strike.size, 7)]
    assert market.quotes(held, now) == quote_of(chain, held)
    assert market.marks(tuple(held), now).tolist() == chain.mids[::7].tolist()
    assert market.forward(product, chain.expiry, now) == chain.forward


@pytest.mark.parametrize("product", FAMILY_OF)
def test_puts_and_calls_agree_on_the_forward_within_their_spreads(
    market: Families, sessions: Sessions, product: str
) -> None:
    chain = near(market, product, at(sessions, TUESDAY), 60)
    n = chain.strike.size // 2
    tick = float(chain.tick)
    wide = (chain.ask - chain.bid) * tick
    implied = (chain.mids[n:] - chain.mids[:n]) / chain.discount + chain.strikes[:n]
    inside = np.abs(np.log(chain.strikes[:n] / chain.forward)) < 0.2
    off = np.abs(implied - chain.forward)[inside]
    assert bool((off <= (wide[n:] + wide[:n])[inside] + 0.002 * chain.forward).all())


@pytest.mark.parametrize("product", FAMILY_OF)
def test_a_wing_of_six_delta_is_listed_on_both_sides(
    market: Families, sessions: Sessions, product: str
) -> None:
    """What a strangle looks for (methodology B.4), and the call hedge's 20 to 25 delta (B.12)."""
    chain = near(market, product, at(sessions, TUESDAY), 90)
    assert float(np.abs(chain.delta + 0.06).min()) < 0.02
    assert float(np.abs(chain.delta - 0.055).min()) < 0.02
    assert float(np.abs(chain.delta - 0.225).min()) < 0.04


def test_contracts_have_their_real_size_in_every_year(market: Families, sessions: Sessions) -> None:
    gold = near(market, "GC", at(sessions, date(2004, 6, 8)), 90)
    assert (gold.multiplier, gold.tick) == (Decimal(100), Decimal("0.1"))
    other = replace(gold.option(3), multiplier=Decimal(50))
    assert market.quotes([other], at(sessions, date(2004, 6, 8))) == [None]


def test_where_the_history_does_not_reach_there_is_nothing(market: Families, sessions: Sessions) -> None:
    for product, day in (("GC", date(1999, 6, 8)), ("MCL", date(2019, 2, 5)), ("CL", date(2023, 5, 9))):
        now = at(sessions, day)
        assert market.spot(FAMILY_OF[product], now) is None
        assert market.expiries(product, now) == ()
        assert market.chain(product, day, now) is None
        held: Contract = Option.parse(f"{product} {day} C50")
        assert market.quotes([held], now) == [None]
        assert np.isnan(market.marks((held,), now)).all()
    # Oil ends on 2019-01-03: what is listed before it settles by then.
    assert max(market.expiries("CL", at(sessions, date(2018, 10, 9)))) <= date(2019, 1, 3)
    # A family without any model.
    now = at(sessions, TUESDAY)
    assert market.spot("NDX", now) is None
    assert market.quotes([Share("QQQ", Decimal(100), Decimal("0.01"))], now) == [None]
    assert (market.expiries("QQQ", now), len(market.bars("NDX", now))) == ((), 0)


def test_bars_of_a_family_end_before_today(market: Families, sessions: Sessions) -> None:
    now = at(sessions, TUESDAY)
    for family in ("GC", "CL", "VIX"):
        bars = market.bars(family, now)
        assert bars.day[-1] == np.datetime64("2016-02-08")
        assert len(bars) > 250


def test_asking_a_family_changes_no_price_of_another(history: History, sessions: Sessions) -> None:
    alone, beside = ModelMarket(history, sessions, 7), model_market(history, sessions, 7)
    now = at(sessions, TUESDAY)
    first = near(beside, "GC", now, 90)
    for wall in (time(10, 30), time(14, 0)):
        instant = at(sessions, TUESDAY, wall)
        near(beside, "VIX", instant, 60)
        near(beside, "CL", instant, 90)
        expiry = alone.expiries("SPXW", instant)[3]
        plain, among = alone.chain("SPXW", expiry, instant), beside.chain("SPXW", expiry, instant)
        assert plain is not None
        assert among is not None
        assert among.bid.tolist() == plain.bid.tolist()
    again = near(model_market(history, sessions, 7), "GC", now, 90)
    assert again.bid.tolist() == first.bid.tolist()
    other = near(model_market(history, sessions, 8), "GC", now, 90)
    assert other.forward != first.forward


def test_a_family_nobody_asks_for_is_not_made_and_not_mentioned(history: History, sessions: Sessions) -> None:
    fresh = model_market(history, sessions, 7)
    now = at(sessions, TUESDAY)
    near(fresh, "SPXW", now, 7)
    fresh.bars("VIX", now)
    assert fresh.notes == fresh.index.notes
    near(fresh, "GC", now, 90)
    assert [note for note in fresh.notes if "estimate" in note] == [GOLD_SPEC.note]


# -- nothing later ---------------------------------------------------------------------------------


def told(market: Families, now: datetime) -> Iterator[object]:
    for product, family in FAMILY_OF.items():
        yield market.spot(family, now)
        yield market.bars(family, now).close.tolist()
        for expiry in market.expiries(product, now)[::3]:
            chain = market.chain(product, expiry, now)
            assert chain is not None
            yield (chain.forward, chain.strike.tolist(), chain.bid.tolist(), chain.ask.tolist())
            yield (chain.iv.tolist(), chain.delta.tolist())
            yield market.settlement(chain.option(0), now)


def garbled(bars: Bars, row: int) -> Bars:
    """Nonsense after ``row``."""

    def spoiled(column: np.ndarray, factor: float) -> np.ndarray:
        return np.concatenate((column[: row + 1], np.full(len(column) - row - 1, 77.0 * factor)))

    return Bars(
        bars.day, spoiled(bars.open, 1), spoiled(bars.high, 2), spoiled(bars.low, 0.5), spoiled(bars.close, 1)
    )


def test_nothing_told_at_an_instant_depends_on_a_later_day(
    history: History, sessions: Sessions, market: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = int(np.searchsorted(history.spx.day, np.datetime64(TUESDAY)))
    rate = np.concatenate((history.rate[: row + 1], np.full(len(history.rate) - row - 1, 0.5)))
    blind = replace(history, spx=garbled(history.spx, row), vix=garbled(history.vix, row), rate=rate)

    def until_today(bars: Bars) -> Bars:
        return garbled(bars, int(np.searchsorted(bars.day, np.datetime64(TUESDAY))))

    monkeypatch.setattr("tomking.app.markets.load_gold", lambda: until_today(load_gold()))
    monkeypatch.setattr("tomking.app.markets.oil_bars", lambda known: until_today(oil_bars(known)))
    other = model_market(blind, sessions, 7)
    for wall in (time(9, 30), time(11, 17), time(16, 0)):
        now = at(sessions, TUESDAY, wall)
        assert list(told(other, now)) == list(told(market, now))
    later = at(sessions, date(2016, 2, 11))
    assert list(told(other, later)) != list(told(market, later))


def test_todays_close_is_unknown_during_the_day(history: History, sessions: Sessions) -> None:
    """Today's own bar moves nothing but the path through it: volatility, rate and strikes are of before."""
    gold = load_gold()
    i = int(np.searchsorted(gold.day, np.datetime64(TUESDAY)))
    other = Bars(gold.day, gold.open, gold.high.copy(), gold.low.copy(), gold.close.copy())
    other.close[i], other.low[i] = gold.close[i] * 0.9, gold.close[i] * 0.89
    rate = np.zeros(len(gold))
    session = sessions.on(TUESDAY)
    assert session is not None
    one, two = (CommodityModel(GOLD, bars, rate, 7).at(session, 60) for bars in (gold, other))
    assert one is not None
    assert two is not None
    assert (one.fast, one.slow, one.stress) == (two.fast, two.slow, two.stress)
    assert one.level != two.level


# -- gold and oil ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gold", "oil"])
def test_a_days_minutes_stay_in_its_bar_and_end_at_its_close(
    history: History, sessions: Sessions, name: str
) -> None:
    bars = load_gold() if name == "gold" else oil_bars(history)
    model = CommodityModel(GOLD, bars, np.zeros(len(bars)), 7)
    rng = np.random.default_rng(3)
    for i in rng.integers(1, len(bars), 40).tolist():
        session = sessions.on(bars.day[i].astype("datetime64[D]").item())
        assert session is not None
        levels = np.array(
            [terms.level for m in range(session.minutes + 1) if (terms := model.at(session, m))]
        )
        assert levels[-1] == bars.close[i]
        if bars.high[i] > bars.low[i]:
            assert bars.low[i] <= levels.min() + 1e-9
            assert levels.max() <= bars.high[i] + 1e-9


def test_the_session_moves_by_what_is_left_of_the_days_variance(history: History, sessions: Sessions) -> None:
    """Steps of a minute, squared and added up over a year of oil, are about 0.55 of the estimate."""
    bars = oil_bars(history)
    model = CommodityModel(GOLD, bars, np.zeros(len(bars)), 7)
    seen = expected = 0.0
    for session in sessions.between(date(2013, 1, 1), date(2013, 6, 30)):
        levels = [terms.level for m in range(session.minutes + 1) if (terms := model.at(session, m))]
        first = model.at(session, 0)
        assert first is not None
        seen += float(np.sum(np.diff(np.log(levels)) ** 2))
        expected += 0.55 * first.fast / 252
    assert seen == pytest.approx(expected, rel=0.1)


def test_moves_of_one_per_cent_a_day_are_a_volatility_of_sixteen_times_what_options_cost() -> None:
    # Up and down by 1 % for ten years: 0.01 sqrt(252) = 15.87 %, times 1.10 = 17.46 %.
    days = np.datetime64("2001-01-01") + np.arange(2500)
    close = 100.0 * np.exp(0.01 * (np.arange(2500) % 2))
    model = CommodityModel(
        Commodity(9, 0.3, 1.1, carries_rate=False), Bars(days, close, close, close, close), close * 0, 1
    )
    terms = model._terms(2499, 100.0)
    year = terms.variance(1.0, CALENDAR_YEAR)
    assert math.sqrt(year) == pytest.approx(0.1746, rel=2e-3)


def test_expected_volatility_returns_to_its_long_run() -> None:
    terms = CarryTerms(level=70.0, carry=0.0, fast=0.36, slow=0.09, implied_over=1.1, stress=1.0)
    # A week: x = 14 x 7/365 = 0.2685, (1 - e**-x) / x = 0.8771: 0.09 + 0.27 x 0.8771 = 0.3268, 62.9 %.
    # Two years: x = 28: 0.09 + 0.27 / 28 = 0.0996, 31.6 % (34.7 %).
    week, long = (math.sqrt(terms.variance(t, CALENDAR_YEAR * t) / t) for t in (7 / 365, 2.0))
    assert week == pytest.approx(0.629, abs=1e-3)
    assert long == pytest.approx(0.347, abs=1e-3)


def test_a_golden_future_stands_above_by_interest_and_oils_do_not(
    market: Families, sessions: Sessions
) -> None:
    now = at(sessions, date(2007, 3, 13))
    spot, chain = market.spot("GC", now), near(market, "GC", now, 300)
    assert spot is not None
    # Five per cent for the better part of a year.
    assert 1.03 < chain.forward / spot < 1.06
    assert near(market, "CL", now, 300).forward == market.spot("CL", now)


def test_an_option_on_gold_settles_into_a_future_that_is_quoted(market: Families, sessions: Sessions) -> None:
    chain = near(market, "GC", at(sessions, date(2011, 9, 13)), 30)
    option = chain.option(0)
    session = sessions.on(option.expiry)
    assert session is not None
    assert market.settlement(option, session.close - timedelta(minutes=1)) is None
    settles = market.settlement(option, session.close)
    assert settles is not None
    beneath = Future.parse("GC 2011-10-27 F")
    (quote,) = market.quotes([beneath], session.close)
    assert quote is not None
    assert quote.mid is not None
    assert abs(float(quote.mid) - settles) < 1.0
    assert market.quotes([beneath], at(sessions, date(2011, 10, 28))) == [None]


# -- VIX -------------------------------------------------------------------------------------------


def test_vix_options_are_priced_on_the_future_of_their_date(market: Families, sessions: Sessions) -> None:
    calm, crash = at(sessions, date(2017, 6, 14)), at(sessions, date(2020, 3, 16))
    low, high = market.vix(calm), market.vix(crash)
    assert low is not None
    assert high is not None
    # Futures lie above a low VIX and below a high one; calls cost more than puts as far away.
    assert near(market, "VIX", calm, 60).forward > low[0] + 0.5
    assert near(market, "VIX", crash, 60).forward < high[0] - 10
    chain = near(market, "VIX", calm, 60)
    far = chain.iv[np.argmin(np.abs(chain.delta - 0.1))]
    assert far > chain.iv[np.argmin(np.abs(chain.delta + 0.3))] * 1.2


def test_vix_options_trade_until_tuesday_and_settle_at_wednesdays_open(
    market: Families, sessions: Sessions, history: History
) -> None:
    wednesday = date(2018, 2, 14)
    tuesday = at(sessions, date(2018, 2, 13), time(16, 0))
    assert market.expiries("VIX", tuesday)[0] == wednesday
    call = Option.parse("VIX 2018-02-14 C20")
    assert market.quotes([call], tuesday) != [None]
    session = sessions.on(wednesday)
    assert session is not None
    assert market.settlement(call, tuesday) is None
    opened = float(history.vix.open[np.searchsorted(history.vix.day, np.datetime64(wednesday))])
    assert market.settlement(call, session.open) == pytest.approx(opened)
    assert market.expiries("VIX", session.open)[0] > wednesday
    assert market.quotes([call], session.open + timedelta(minutes=5)) == [None]


# -- SPY -------------------------------------------------------------------------------------------


def test_leaps_on_spy_are_listed_two_years_ahead(market: Families, sessions: Sessions) -> None:
    for day in (date(1990, 8, 14), date(2007, 3, 13), date(2024, 11, 5)):
        now = at(sessions, day)
        ahead = [e for e in market.expiries("SPY", now) if (e - day).days > 700]
        assert ahead
        chain = market.chain("SPY", ahead[0], now)
        assert chain is not None
        # Every rung of the put ladder (B.6) and a LEAP call of 80 delta (B.5) can be had.
        level = market.spot("SPX", now)
        assert level is not None
        for rung in (0.80, 0.85, 0.90, 0.95):
            assert float(np.abs(chain.strikes / (level / 10) - rung).min()) < 0.015
        assert float(np.abs(chain.delta - 0.80).min()) < 0.05


def test_spy_is_never_quoted_below_what_exercise_pays(market: Families, sessions: Sessions) -> None:
    now = at(sessions, date(1990, 8, 14))
    level = market.spot("SPX", now)
    assert level is not None
    chain = near(market, "SPY", now, 365)
    plain = market.index.chain("SPY", chain.expiry, now)
    assert plain is not None
    intrinsic = (level / 10 - chain.strikes) * chain.right
    assert bool((plain.mids < intrinsic - 1.0).any()), "at 8 % a deep European put is worth far less"
    assert bool((chain.mids >= intrinsic - 1e-9).all())
    assert ((chain.ask - chain.bid) == (plain.ask - plain.bid)).all()
    held = [chain.option(i) for i in range(0, chain.strike.size, 5)]
    assert market.quotes(held, now) == quote_of(chain, held)
    both = (*held, parse_contract("SPXW 1990-08-14 P330 x1612.9/0.0031"))
    assert market.marks(both, now)[:-1].tolist() == pytest.approx(chain.mids[::5].tolist(), abs=1e-12)


def test_the_floor_lifts_bid_and_ask_by_whole_ticks(market: Families, sessions: Sessions) -> None:
    # A put of strike 110 at a share price of 100.004, quoted 9.70 to 9.90: 9.996 is owed, the mid lacks
    # 0.196, twenty ticks of a cent: 9.90 to 10.10.
    chain = replace(
        near(market, "SPY", at(sessions, date(2016, 2, 9)), 30),
        tick=Decimal("0.01"),
        strike_unit=Decimal(1),
        right=np.array([-1], np.int8),
        strike=np.array([110]),
        bid=np.array([970]),
        ask=np.array([990]),
        iv=np.array([0.2]),
        delta=np.array([-0.9]),
        interpolated=np.zeros(1, np.bool_),
    )
    lifted = chain_at_intrinsic(chain, 100.004)
    assert (lifted.bid.tolist(), lifted.ask.tolist()) == ([990], [1010])


def test_a_share_of_spy_is_quoted_a_tick_wide_at_a_tenth_of_the_index(
    market: Families, sessions: Sessions
) -> None:
    now = at(sessions, date(2024, 11, 5))
    (quote,) = market.quotes([Share("SPY", Decimal(100), Decimal("0.01"))], now)
    level = market.spot("SPX", now)
    assert quote is not None
    assert level is not None
    assert quote.bid is not None
    assert quote.ask is not None
    assert quote.ask - quote.bid == Decimal("0.01")
    assert float(quote.bid) <= level / 10 <= float(quote.ask)


def test_each_family_serves_the_products_of_its_table() -> None:
    for spec, family in ((VIX_SPEC, "VIX"), (GOLD_SPEC, "GC"), (OIL_SPEC, "CL")):
        assert {PRODUCTS[product].family for product in spec.spreads} == {family}


def test_a_family_market_answers_alone(history: History, sessions: Sessions) -> None:
    """As the composite is made of them: data in, quotes out."""
    gold = load_gold()
    rates = Bars(history.spx.day, *(history.rate,) * 4)
    alone = FamilyMarket(
        GOLD_SPEC, CommodityModel(GOLD, gold, np.zeros(len(gold)), 1), Timetable.of(sessions), rates
    )
    before_open = at(sessions, TUESDAY, time(9, 0))
    assert alone.spot(before_open) is None
    assert alone.spot(at(sessions, TUESDAY)) is not None
