"""The model market: its VIX, its quotes and its silence about the future."""

import math
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Sessions, calendar_days, wall_instant
from tomking.domain.chain import Chain, quote_of
from tomking.domain.contract import Future, Option, Right
from tomking.domain.products import PRODUCTS
from tomking.pricing.surface import butterfly, calendar
from tomking.sim.market import ModelMarket
from tomking.sim.quoting import surface_of

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def history() -> History:
    return load_history()


@pytest.fixture(scope="module")
def sessions(history: History) -> Sessions:
    first, *_, last = history.spx.day.astype("datetime64[D]").tolist()
    return load_sessions(first, last + timedelta(days=450))


@pytest.fixture(scope="module")
def market(history: History, sessions: Sessions) -> ModelMarket:
    return ModelMarket(history, sessions, seed=7)


def some_minutes(history: History, sessions: Sessions, count: int, seed: int) -> list[datetime]:
    rng = np.random.default_rng(seed)
    days = history.spx.day.astype("datetime64[D]").tolist()
    chosen = [sessions.on(days[i]) for i in rng.integers(0, len(days), count)]
    return [s.open + timedelta(minutes=int(rng.integers(0, s.minutes))) for s in chosen if s is not None]


# -- the published VIX formula, written from the white paper and nothing of the model's ----------


def strip_variance(chain: Chain, price: Floats, years: float) -> float:
    """sigma**2 of one term: Cboe VIX white paper, step 2; ``years`` in calendar minutes / 525,600."""
    n = len(chain.strike) // 2
    strike, put, call = chain.strikes[:n], price[:n], price[n:]
    growth = 1 / chain.discount
    at = int(np.argmin(np.abs(call - put)))
    forward = strike[at] + growth * (call[at] - put[at])
    k0 = int(np.searchsorted(strike, forward, side="right")) - 1
    otm = np.where(np.arange(n) < k0, put, call)
    otm[k0] = (put[k0] + call[k0]) / 2
    used = stop_at_two_zeros(otm, k0)
    k, q = strike[used], otm[used]
    dk = np.gradient(k, np.arange(len(k)))
    total = 2 / years * float(np.sum(dk / k**2 * growth * q))
    return total - float((forward / strike[k0] - 1) ** 2) / years


def stop_at_two_zeros(otm: Floats, k0: int) -> NDArray[np.int64]:
    used = [k0]
    for step in (-1, 1):
        zeros, i = 0, k0 + step
        while 0 <= i < len(otm) and zeros < 2:
            zeros = zeros + 1 if otm[i] <= 0 else 0
            if otm[i] > 0:
                used.append(i)
            i += step
    return np.array(sorted(used))


def published_vix(market: ModelMarket, sessions: Sessions, now: datetime) -> float:
    def minutes(expiry: date) -> float:
        session = sessions.on(expiry)
        assert session is not None
        return (session.close - now).total_seconds() / 60

    month = 30 * 1440
    weekly = [e for e in market.expiries("SPXW", now) if is_weeks_last(e, sessions)]
    near = max((e for e in weekly if minutes(e) <= month), key=minutes)
    after = min((e for e in weekly if minutes(e) > month), key=minutes)
    variances = []
    for expiry in (near, after):
        chain, price = market.chain("SPXW", expiry, now), market.unrounded("SPXW", expiry, now)
        assert chain is not None
        assert price is not None
        years = minutes(expiry) / 525_600
        variances.append(years * strip_variance(chain, price, years))
    n1, n2 = minutes(near), minutes(after)
    mixed = variances[0] * (n2 - month) / (n2 - n1) + variances[1] * (month - n1) / (n2 - n1)
    return 100 * math.sqrt(mixed * 525_600 / month)


def is_weeks_last(expiry: date, sessions: Sessions) -> bool:
    """A Friday, or the session that stands for a Friday holiday."""
    friday = expiry + timedelta(days=4 - expiry.weekday())
    return all(sessions.on(d) is None for d in calendar_days(expiry + timedelta(days=1), friday))


def test_the_published_formula_returns_vix_within_five_hundredths(
    market: ModelMarket, history: History, sessions: Sessions
) -> None:
    worst = 0.0
    for now in some_minutes(history, sessions, 500, seed=1):
        told = market.vix(now)
        assert told is not None
        worst = max(worst, abs(published_vix(market, sessions, now) - told[0]))
    assert worst < 0.05


def test_the_formula_returns_vix_in_the_worst_days_too(
    market: ModelMarket, history: History, sessions: Sessions
) -> None:
    days = history.spx.day[history.vix.high > 70].astype("datetime64[D]").tolist()
    assert date(2008, 10, 24) in days  # 89.53, the highest print there is
    for session in (sessions.on(day) for day in days):
        assert session is not None
        for minute in range(0, session.minutes + 1, 65):
            now = session.open + timedelta(minutes=minute)
            told = market.vix(now)
            assert told is not None
            assert abs(published_vix(market, sessions, now) - told[0]) < 0.05


# -- no arbitrage --------------------------------------------------------------------------------

EXTREMES = (
    datetime(2017, 11, 3, 10, 30),  # VIX 9.6  # noqa: DTZ001 - New York wall time, made aware below
    datetime(2008, 10, 24, 12, 0),  # VIX 77  # noqa: DTZ001
    datetime(2020, 3, 16, 15, 0),  # VIX 82  # noqa: DTZ001
    datetime(2020, 3, 18, 15, 59),  # VIX 80  # noqa: DTZ001
)


def scale_of(chain: Chain) -> Decimal:
    return chain.tick / PRODUCTS[chain.product].tick


def at(sessions: Sessions, wall: datetime) -> datetime:
    session = sessions.on(wall.date())
    assert session is not None
    return session.at(wall.time())


def test_no_butterfly_and_no_calendar_spread_is_free(
    market: ModelMarket, history: History, sessions: Sessions
) -> None:
    minutes = [at(sessions, wall) for wall in EXTREMES] + some_minutes(history, sessions, 20, seed=2)
    for now in minutes:
        variances = []
        for expiry in market.expiries("SPXW", now):
            chain, price = market.chain("SPXW", expiry, now), market.unrounded("SPXW", expiry, now)
            assert chain is not None
            assert price is not None
            check_one_expiry(chain, price)
            n = len(chain.strike) // 2
            z = np.log(chain.strikes[:n] / chain.forward)
            variances.append((z, chain.iv[:n] ** 2 * chain.years))
        grid = np.linspace(-0.6, 0.3, 181)
        # Total variance at one log-moneyness must grow with expiry, where both list strikes.  Between
        # strikes it is interpolated, which costs at most 1e-4 of it.
        for (z1, w1), (z2, w2) in pairwise(variances):
            inside = (grid > max(z1[0], z2[0])) & (grid < min(z1[-1], z2[-1]))
            near, far = np.interp(grid[inside], z1, w1), np.interp(grid[inside], z2, w2)
            assert (far > near - 1e-4 * near).all()


def test_its_chains_are_those_of_a_pricing_surface_free_of_arbitrage(
    market: ModelMarket, sessions: Sessions
) -> None:
    grid = np.linspace(-0.8, 0.5, 653)
    for wall in EXTREMES:
        now = at(sessions, wall)
        chains = [market.chain("SPXW", expiry, now) for expiry in market.expiries("SPXW", now)]
        known = [chain for chain in chains if chain is not None]
        series = [market._board.series("SPXW", chain.expiry, scale_of(chain)) for chain in known]
        surface = surface_of(market._state, np.array([s.facts for s in series if s is not None]))
        assert calendar(surface, grid).min() > 0
        for i, chain in enumerate(known):
            n = len(chain.strike) // 2
            k = np.log(chain.strikes[:n] / surface.forward[i])
            assert surface.vol(surface.years[i], k) == pytest.approx(chain.iv[:n], rel=1e-12)
            assert butterfly(surface, float(surface.years[i]), grid).min() > 0
            # And a chain's own delta is found again at its strike.
            row = int(np.argmin(np.abs(chain.delta[:n] + 0.16)))
            strike = surface.strike_at_delta(float(surface.years[i]), float(chain.delta[row]), -1)
            assert strike == pytest.approx(float(chain.strikes[row]), rel=1e-9)


def check_one_expiry(chain: Chain, price: Floats) -> None:
    """Prices fall (puts: rise) in strike by at most the discounted interval, and are convex."""
    n = len(chain.strike) // 2
    strike, put, call = chain.strikes[:n], price[:n], price[n:]
    noise = 1e-9 * chain.forward
    for column, sign in ((put, 1.0), (call, -1.0)):
        slope = sign * np.diff(column) / np.diff(strike)
        assert slope.min() > -noise
        assert slope.max() < chain.discount + noise
        assert (sign * np.diff(slope)).min() > -noise
    # Put-call parity on every strike.
    parity = call - put - chain.discount * (chain.forward - strike)
    assert np.abs(parity).max() < noise


# -- quotes --------------------------------------------------------------------------------------


def test_a_held_contracts_quote_is_its_row_of_the_chain(
    market: ModelMarket, history: History, sessions: Sessions
) -> None:
    for now in some_minutes(history, sessions, 25, seed=3):
        for product in ("SPXW", "XSP", "ES", "MES"):
            for expiry in market.expiries(product, now)[::6]:
                chain = market.chain(product, expiry, now)
                assert chain is not None
                rows = range(0, len(chain.strike), 17)
                options = [chain.option(row) for row in rows]
                assert market.quotes(options, now) == quote_of(chain, options)
                assert market.marks(options, now).tolist() == chain.mids[list(rows)].tolist()


def test_quotes_lie_on_the_products_grid_around_the_model_price(
    market: ModelMarket, history: History, sessions: Sessions
) -> None:
    for now in some_minutes(history, sessions, 25, seed=4):
        for product, above, from_count in (("SPXW", 2, 60), ("ES", 5, 200), ("XSP", 1, 300)):
            expiry = market.expiries(product, now)[1]
            chain, price = market.chain(product, expiry, now), market.unrounded(product, expiry, now)
            assert chain is not None
            assert price is not None
            assert (chain.bid >= 0).all()
            assert (chain.ask > chain.bid).all()
            model = price / float(chain.tick)
            assert (chain.bid <= model + 1e-6).all()
            assert (chain.ask >= model - 1e-6).all()
            for counts in (chain.bid, chain.ask):
                assert (counts[counts >= from_count] % above == 0).all()


def test_a_strike_outside_the_days_list_still_has_a_quote(market: ModelMarket, sessions: Sessions) -> None:
    now = at(sessions, datetime(2024, 6, 7, 10, 30))  # noqa: DTZ001
    chain = market.chain("SPXW", market.expiries("SPXW", now)[0], now)
    assert chain is not None
    far = replace(chain.option(0), strike=3 * chain.strike_unit)
    (quote,) = market.quotes([far], now)
    # A put three grid steps above zero on its last day: nobody bids, a tick is asked at least.
    assert quote is not None
    assert quote.bid == 0
    assert quote.ask is not None
    assert 0 < quote.ask <= 2 * chain.tick


def test_contracts_of_another_size_are_not_listed(market: ModelMarket, sessions: Sessions) -> None:
    now = at(sessions, datetime(1990, 6, 15, 10, 30))  # noqa: DTZ001
    # A multiplier of one scale and a tick of another: no day ever listed it (decision 303).
    mixed = Option("SPXW", date(1990, 6, 15), Right.PUT, Decimal(340), Decimal(100), Decimal("0.0031"))
    assert market.quotes([mixed], now) == [None]
    assert np.isnan(market.marks([mixed], now)).all()


def test_contracts_are_about_as_large_as_at_5500_points(market: ModelMarket, sessions: Sessions) -> None:
    for day in (date(1990, 1, 5), date(2000, 3, 24), date(2009, 3, 6), date(2024, 11, 29)):
        session = sessions.on(day)
        assert session is not None
        now = session.at(time(10, 30))
        level = market.spot("SPX", now)
        assert level is not None
        chain = market.chain("ES", market.expiries("ES", now)[0], now)
        assert chain is not None
        notional = level * float(chain.multiplier)
        # $50 x 5,500 = $275,000, but for what the index moved since the listing (8 to 52 weeks ago).
        assert 0.5 * 275_000 < notional < 1.4 * 275_000
        scale = float(chain.strike_unit) / 5
        assert float(chain.tick) == pytest.approx(0.05 * scale)
        assert float(chain.multiplier) == pytest.approx(50 / scale, abs=0.005)


def test_a_future_is_quoted_a_tick_wide_around_the_forward(market: ModelMarket, sessions: Sessions) -> None:
    now = at(sessions, datetime(2024, 6, 7, 10, 30))  # noqa: DTZ001
    expiry = date(2024, 6, 28)
    chain = market.chain("ES", expiry, now)
    assert chain is not None
    future = market.future_of(chain.option(0))
    # Options of 2024-06-28 are on the September future, third Friday 2024-09-20.
    assert (future.expiry if future else None) == date(2024, 9, 20)
    assert future is not None
    (quote,) = market.quotes([future], now)
    assert quote is not None
    assert quote.bid is not None
    assert quote.ask == quote.bid + future.tick
    assert float(quote.bid) <= chain.forward <= float(quote.ask) + 1e-6


def test_an_index_option_settles_at_the_close_and_not_before(
    market: ModelMarket, history: History, sessions: Sessions
) -> None:
    day = date(2018, 12, 31)
    option = Option("SPXW", day, Right.PUT, Decimal(2500), Decimal(200), Decimal("0.025"))
    assert market.settlement(option, at(sessions, datetime(2018, 12, 31, 15, 59))) is None  # noqa: DTZ001
    after = at(sessions, datetime(2018, 12, 31, 16, 0))  # noqa: DTZ001
    assert market.settlement(option, after) == pytest.approx(2506.85)
    small = replace(option, product="XSP")
    assert market.settlement(small, after) == pytest.approx(250.685)
    # ES: the March future, 74 days on, at r of 2018-12-28 less 1.8 %.
    rate = float(history.rate[int(np.searchsorted(history.spx.day, np.datetime64("2018-12-31"))) - 1])
    fair = 2506.85 * math.exp((rate - 0.018) * 74 / 365)
    assert market.settlement(replace(option, product="ES"), after) == pytest.approx(fair, rel=1e-4)


def test_the_market_is_silent_out_of_hours_and_stands_at_the_close_afterwards(
    market: ModelMarket, history: History, sessions: Sessions
) -> None:
    session = sessions.on(date(2024, 6, 7))
    assert session is not None
    early, saturday = session.open - timedelta(minutes=1), session.close + timedelta(hours=20)
    for now in (early, saturday):
        assert market.spot("SPX", now) is None
        assert market.vix(now) is None
        assert market.expiries("SPXW", now) == ()
        assert market.chain("SPXW", date(2024, 6, 21), now) is None
    evening = session.close + timedelta(hours=1)
    row = int(np.searchsorted(history.spx.day, np.datetime64("2024-06-07")))
    assert market.spot("SPX", evening) == history.spx.close[row]
    assert market.vix(evening) == (history.vix.close[row], session.close)
    assert session.date in market.expiries("SPXW", session.close - timedelta(minutes=1))
    assert session.date not in market.expiries("SPXW", session.close)
    assert market.spot("NDX", evening) is None
    assert market.expiries("NDX", evening) == ()


def test_an_expired_contract_is_quoted_no_more(market: ModelMarket, sessions: Sessions) -> None:
    friday, monday = datetime(2024, 6, 7, 15, 59), datetime(2024, 6, 10, 9, 30)  # noqa: DTZ001
    chain = market.chain("SPXW", friday.date(), at(sessions, friday))
    assert chain is not None
    held = [chain.option(0)]
    assert market.quotes(held, at(sessions, friday)) != [None]
    assert market.quotes(held, at(sessions, monday)) == [None]
    assert np.isnan(market.marks(held, at(sessions, monday))).all()


# -- no look-ahead, and the same again -----------------------------------------------------------


def garbled(history: History, row: int) -> History:
    """The same history up to ``row``, nonsense after it."""

    def bars(real: Bars, level: float) -> Bars:
        def column(values: Floats, factor: float) -> Floats:
            return np.concatenate((values[: row + 1], np.full(len(values) - row - 1, level * factor)))

        return Bars(
            real.day,
            column(real.open, 1),
            column(real.high, 1.2),
            column(real.low, 0.8),
            column(real.close, 1),
        )

    rate = np.concatenate((history.rate[: row + 1], np.full(len(history.rate) - row - 1, 0.5)))
    return replace(history, spx=bars(history.spx, 77.0), vix=bars(history.vix, 66.0), rate=rate)


def everything(market: ModelMarket, now: datetime, held: list[Option | Future]) -> list[object]:
    told: list[object] = [market.spot("SPX", now), market.vix(now)]
    for product in ("SPXW", "XSP", "ES", "MES"):
        expiries = market.expiries(product, now)
        told.append(expiries)
        for expiry in expiries[::4]:
            chain = market.chain(product, expiry, now)
            assert chain is not None
            columns = (chain.strike, chain.bid, chain.ask, chain.iv, chain.delta)
            told += [chain.multiplier, chain.tick, chain.forward, *(c.tolist() for c in columns)]
    bars = market.bars("SPX", now)
    told += [market.quotes(held, now), len(bars), bars.close[-30:].tolist()]
    return [*told, *(market.settlement(contract, now) for contract in held)]


@pytest.mark.parametrize("day", [date(1990, 3, 16), date(2008, 10, 24), date(2024, 8, 5)])
def test_nothing_told_at_an_instant_depends_on_what_comes_later(
    history: History, sessions: Sessions, market: ModelMarket, day: date
) -> None:
    row = int(np.searchsorted(history.spx.day, np.datetime64(day)))
    session = sessions.on(day)
    assert session is not None
    blind = ModelMarket(garbled(history, row), sessions, seed=7)
    held: list[Option | Future] = []
    for product in ("SPXW", "ES"):
        chain = market.chain(product, market.expiries(product, session.open)[0], session.open)
        assert chain is not None
        held += [chain.option(40), chain.option(140)]
    for minute in (0, 59, 240, session.minutes):
        now = session.open + timedelta(minutes=minute)
        assert everything(blind, now, held) == everything(market, now, held)


def test_nothing_told_at_a_minute_depends_on_later_minutes_of_the_path(
    history: History, sessions: Sessions, market: ModelMarket
) -> None:
    session = sessions.on(date(2008, 10, 24))
    assert session is not None
    now = session.open + timedelta(minutes=60)
    spoiled = ModelMarket(history, sessions, seed=7)
    assert spoiled.spot("SPX", session.open) is not None
    day = spoiled._last_day
    assert day is not None
    day.spx[61:] = [1.0] * (len(day.spx) - 61)
    day.vix[61:] = [500.0] * (len(day.vix) - 61)
    assert everything(spoiled, now, []) == everything(market, now, [])


def test_the_order_of_questions_does_not_matter(
    history: History, sessions: Sessions, market: ModelMarket
) -> None:
    minutes = some_minutes(history, sessions, 12, seed=5)
    other = ModelMarket(history, sessions, seed=7)
    forward = [everything(market, now, []) for now in minutes]
    backward = [everything(other, now, []) for now in reversed(minutes)]
    assert forward == backward[::-1]
    another_seed = ModelMarket(history, sessions, seed=8)
    assert any(another_seed.spot("SPX", now) != market.spot("SPX", now) for now in minutes)


def test_the_notes_say_that_prices_are_modelled(market: ModelMarket) -> None:
    assert any("modelled" in note for note in market.notes)
    assert all(note.endswith(".") for note in market.notes)


def test_the_forward_alone_is_the_chains(market: ModelMarket) -> None:
    now = wall_instant(date(2008, 10, 10), time(11, 0))
    for product in ("SPXW", "ES", "MES"):
        for expiry in market.expiries(product, now)[:4]:
            chain = market.chain(product, expiry, now)
            assert chain is not None
            assert market.forward(product, expiry, now) == chain.forward
    assert market.forward("ES", date(2031, 1, 1), now) is None
