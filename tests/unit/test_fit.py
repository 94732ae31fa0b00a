"""Surfaces fitted to made chains and to real ones."""

import csv
import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tomking.pricing.black import black
from tomking.pricing.clock import VarianceClock
from tomking.pricing.descent import solve
from tomking.pricing.hyperbolas import durrleman
from tomking.pricing.surface import Quotes, Surface, butterfly, calendar, fit_surface, residuals
from tomking.pricing.terms import imply_terms

CHAINS = Path(__file__).resolve().parents[2] / "../shared/data/chains"
needs_shared = pytest.mark.skipif(not CHAINS.exists(), reason="the development data is not here")

YEARS = np.array([0.01, 0.05, 0.25, 1.0])


def svi_vol(years: np.ndarray, k: np.ndarray) -> np.ndarray:
    # A skewed smile of SSVI's kind (rho -0.6): free of arbitrage, at the money 20 % at every expiry.
    theta = 0.04 * years
    phi = 0.6 / np.sqrt(theta)
    w = 0.5 * theta * (1 - 0.6 * phi * k + np.sqrt((phi * k - 0.6) ** 2 + 0.64))
    return np.asarray(np.sqrt(w / years))


def made(half: float = 0.05) -> Quotes:
    z = np.linspace(-5, 3, 81)
    e = np.repeat(np.arange(YEARS.size), z.size)
    years = YEARS[e]
    strike = 5_000 * np.exp(np.tile(z, YEARS.size) * 0.2 * np.sqrt(years))
    right = np.where(strike >= 5_000, 1.0, -1.0)
    vol = svi_vol(years, np.log(strike / 5_000))
    price = black(forward=5_000, strike=strike, years=years, vol=vol, discount=0.99, right=right).price
    terms = np.full(YEARS.size, 5_000.0), np.full(YEARS.size, 0.99)
    return Quotes(YEARS, *terms, e, strike, right, np.maximum(price - half, 0), price + half)


def surface_of(quotes: Quotes) -> Surface:
    found = fit_surface(quotes)
    assert found is not None
    return found


def assert_no_arbitrage(surface: Surface, *, between: bool = True) -> None:
    inner = 0.5 * (surface.years[1:] + surface.years[:-1]) if between else ()
    for years in (*surface.years, *inner):
        sd = np.sqrt(surface.total_variance(years, 0.0))
        assert butterfly(surface, years, np.linspace(-8, 6, 701) * sd).min() > -1e-4
    k = np.linspace(-1.5, 0.75, 451)
    total = surface.total_variance(surface.years[-1], k)
    assert (calendar(surface, k) / total).min() > -1e-4


def test_a_smile_is_found_again_from_its_own_prices() -> None:
    # Quotes 0.10 wide on exact prices; what is missed are wings worth a dime or two.
    quotes = made()
    surface = surface_of(quotes)
    found = residuals(surface, quotes)
    assert found.inside > 0.98
    assert np.quantile(np.abs(found.price), 0.9) < 0.25
    assert surface.vol(0.25, 0.0) == pytest.approx(0.2, abs=2e-4)
    k = np.array([-0.3, -0.1, 0.1])
    assert surface.vol(0.25, k) == pytest.approx(svi_vol(np.full(3, 0.25), k), abs=2e-3)
    assert_no_arbitrage(surface)


def test_quotes_held_out_lie_within_their_spread_too() -> None:
    quotes = made()
    odd = np.arange(quotes.strike.size) % 2 == 1
    fewer = Quotes(*quotes[:3], *(column[odd] for column in quotes[3:]))
    rest = Quotes(*quotes[:3], *(column[~odd] for column in quotes[3:]))
    assert residuals(surface_of(fewer), rest).inside > 0.97


def test_between_expiries_total_variance_is_linear_in_time() -> None:
    surface = surface_of(made())
    before, after = surface.total_variance(YEARS[1:3], -0.1)
    assert surface.total_variance(0.15, -0.1) == pytest.approx(0.5 * (before + after), rel=1e-12)


def test_before_the_first_expiry_volatility_stands_and_after_the_last_variance_grows() -> None:
    surface = surface_of(made())
    assert surface.vol(0.002, -0.01) == pytest.approx(float(surface.vol(0.01, -0.01)), rel=1e-12)
    # 1 year to 2 at the last expiry's 0.04 a year, at every strike.
    more = surface.total_variance(2.0, -0.2) - surface.total_variance(1.0, -0.2)
    assert more == pytest.approx(float(surface.total_variance(1.0, 0.0)), rel=1e-12)


def test_no_density_is_negative_at_instants_no_expiry_has() -> None:
    surface = surface_of(made())
    for years in (0.001, 0.03, 0.6, 3.0):
        sd = np.sqrt(surface.total_variance(years, 0.0))
        assert butterfly(surface, years, np.linspace(-6, 6, 601) * sd).min() > -1e-4


@pytest.mark.parametrize("years", [0.003, 0.01, 0.1, 1.0, 1.5])
@pytest.mark.parametrize(
    ("delta", "right"), [(-0.05, -1), (-0.16, -1), (-0.5, -1), (0.5, 1), (0.16, 1), (0.05, 1)]
)
def test_the_option_at_the_strike_of_a_delta_has_that_delta(years: float, delta: float, right: int) -> None:
    surface = surface_of(made())
    strike = surface.strike_at_delta(years, delta, right)
    forward = surface.forward_at(years)
    option = black(
        forward=forward,
        strike=strike,
        years=years,
        vol=surface.vol(years, np.log(strike / forward)),
        discount=surface.discount_at(years),
        right=right,
    )
    assert option.delta == pytest.approx(delta, abs=1e-9)


def test_a_delta_no_strike_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no strike"):
        surface_of(made()).strike_at_delta(0.25, -0.16, 1)


def test_expected_move_of_a_flat_smile_is_by_hand() -> None:
    # 20 %, a quarter: sd 0.1.  5000 x 0.1 = 500; straddle 5000 x 2 (2 N(0.05) - 1) = 398.8.
    z = np.linspace(-4, 4, 41)
    strike = 5_000 * np.exp(0.1 * z)
    right = np.where(strike >= 5_000, 1.0, -1.0)
    price = black(forward=5_000, strike=strike, years=0.25, vol=0.2, discount=1, right=right).price
    one = np.ones(1)
    quotes = Quotes(
        0.25 * one, 5_000 * one, one, np.zeros(41, np.int64), strike, right, 0.999 * price, 1.001 * price
    )
    move = surface_of(quotes).expected_move(0.25)
    assert move.deviation == pytest.approx(500, rel=1e-3)
    assert move.straddle == pytest.approx(398.8, rel=1e-3)


def test_a_stale_quote_does_not_bend_the_surface() -> None:
    quotes = made()
    stale = quotes._replace(bid=quotes.bid.copy(), ask=quotes.ask.copy())
    row = int(np.flatnonzero((quotes.row_expiry == 2) & (quotes.strike < 4_900))[-1])
    stale.bid[row] *= 1.1
    stale.ask[row] *= 1.1
    assert surface_of(stale).vol(0.25, 0.0) == pytest.approx(0.2, abs=5e-4)


def test_an_expiry_with_few_quotes_borrows_the_next_ones_shape_and_one_with_none_is_left_out() -> None:
    quotes = made()
    near = np.abs(np.log(quotes.strike / 5_000)) < 0.012
    bid = np.where((quotes.row_expiry == 1) & ~near, 0.0, quotes.bid)
    surface = surface_of(quotes._replace(bid=np.where(quotes.row_expiry == 0, 0.0, bid)))
    assert surface.years.tolist() == YEARS[1:].tolist()
    assert 0 < surface.quotes[0] < 6
    assert surface.vol(0.05, 0.0) == pytest.approx(0.2, abs=0.01)
    assert_no_arbitrage(surface)
    assert fit_surface(quotes._replace(bid=np.zeros_like(quotes.bid))) is None


def test_variance_that_falls_in_time_is_not_believed() -> None:
    # The second expiry's quotes say 40 %, the later ones 20 %: at 0.2 years that would be a calendar.
    years = np.array([0.2, 0.25])
    quotes = made()
    rows = np.isin(quotes.row_expiry, (1, 2))
    e = quotes.row_expiry[rows] - 1
    strike, right = quotes.strike[rows], quotes.right[rows]
    vol = np.where(e == 0, 0.4, 0.2)
    price = black(forward=5_000, strike=strike, years=years[e], vol=vol, discount=0.99, right=right).price
    terms = np.full(2, 5_000.0), np.full(2, 0.99)
    assert_no_arbitrage(surface_of(Quotes(years, *terms, e, strike, right, price - 0.05, price + 0.05)))


def test_expiries_out_of_order_are_an_error() -> None:
    quotes = made()
    with pytest.raises(ValueError, match="ascend"):
        fit_surface(quotes._replace(years=quotes.years[::-1].copy()))


def test_durrlemans_g_of_a_flat_smile_is_one() -> None:
    assert durrleman(-0.3, 0.04, 0.0, 0.0) == 1.0


def test_a_small_system_is_solved() -> None:
    # 4x + 2y = 10, 2x + 3y = 11: x 1, y 3.
    answer = np.array([10.0, 11.0])
    solve(np.array([[4.0, 2.0], [2.0, 3.0]]), answer)
    assert answer.tolist() == pytest.approx([1.0, 3.0])


# ----------------------------------------------------------------------------------- real chains
Row = tuple[str, float, float, float, float]


def rows_of(name: str, columns: tuple[str, str, str], where: tuple[str, str] | None = None) -> list[Row]:
    expiry, right, _ = columns
    with gzip.open(CHAINS / name, "rt") as lines:
        return [
            (
                row[expiry],
                float(row["strike"]),
                1.0 if row[right][0] in "Cc" else -1.0,
                float(row["bid"] or "nan"),
                float(row["ask"] or "nan"),
            )
            for row in csv.DictReader(lines)
            if where is None or row[where[0]] == where[1]
        ]


def minute(day: date, hour: int, minutes: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minutes, tzinfo=UTC).timestamp()) // 60


def clock(first: date, last: date) -> VarianceClock:
    # Weekdays in summer time; a holiday more or less moves the years, not the fit.
    days = [first + timedelta(i) for i in range((last - first).days + 5)]
    days = [day for day in days if day.weekday() < 5]
    return VarianceClock.of(
        np.array([minute(day, 13, 30) for day in days]), np.array([minute(day, 20, 0) for day in days])
    )


def chain_of(rows: list[Row], now: datetime, rate: float) -> Quotes:
    """Plain columns of a real chain, without the expiries whose calls and puts disagree by a point."""
    at = int(now.timestamp()) // 60
    days = {name: date.fromisoformat(name) for name in sorted({row[0] for row in rows})}
    ends = {name: minute(day, 20, 0) for name, day in days.items() if minute(day, 20, 0) > at}
    index = {name: i for i, name in enumerate(ends)}
    kept = [row for row in rows if row[0] in index]
    e = np.array([index[row[0]] for row in kept])
    strike, right, bid, ask = (np.array([row[i] for row in kept]) for i in range(1, 5))
    end = np.array(list(ends.values()))
    terms = imply_terms(
        calendar_years=(end - at) / 525_600,
        rate=rate,
        row_expiry=e,
        strike=strike,
        right=right,
        bid=bid,
        ask=ask,
    )
    years = clock(now.date(), max(days.values())).years_to(at, end)
    good = terms.residual <= 1.0
    of, new = good[e], np.cumsum(good) - 1
    columns = (column[of] for column in (strike, right, bid, ask))
    return Quotes(years[good], terms.forward[good], terms.discount[good], new[e[of]], *columns)


SPXW = ("expiration", "option_type", "quote_datetime")
REAL = [
    ("spxw_15min_20160428.csv.gz", SPXW, "2016-04-28 10:00", 14, 0.99),
    ("spxw_15min_20160428.csv.gz", SPXW, "2016-04-28 13:00", 17, 0.99),
    ("spxw_15min_20160428.csv.gz", SPXW, "2016-04-28 15:30", 20, 0.99),
    ("spxw_15min_20160429_0dte.csv.gz", SPXW, "2016-04-29 10:00", 14, 0.99),
    ("spxw_15min_20160429_0dte.csv.gz", SPXW, "2016-04-29 14:00", 18, 0.99),
    ("spxw_eod_exp20180131.csv.gz", ("expiration", "type", "quote_date"), "2018-01-09", 19, 0.95),
    ("spx_chain_yahoo_20260731.csv.gz", ("expiration", "type", ""), "2026-07-31", 20, 0.94),
    # Penny-wide and American: a quarter of the mids is missed, by a cent or so.
    ("spy_chain_yahoo_20260917.csv.gz", ("expiry_date", "cp", ""), "2026-09-17", 15, 0.70),
]


@needs_shared
@pytest.mark.parametrize(("name", "columns", "when", "hour", "share"), REAL)
def test_real_mids_lie_within_their_spread_and_nothing_can_be_arbitraged(
    name: str, columns: tuple[str, str, str], when: str, hour: int, share: float
) -> None:
    rows = rows_of(name, columns, (columns[2], when) if columns[2] else None)
    day = date.fromisoformat(when[:10])
    half_past = int(when[14:] or "0")
    now = datetime(day.year, day.month, day.day, hour, half_past, tzinfo=UTC)
    quotes = chain_of(rows, now, 0.01)
    surface = surface_of(quotes)
    found = residuals(surface, quotes)
    assert found.inside > share
    assert np.nanmedian(np.abs(found.vol)) < 0.001
    assert_no_arbitrage(surface)


@needs_shared
def test_every_other_strike_of_a_real_chain_tells_the_ones_between() -> None:
    rows = rows_of("spxw_15min_20160428.csv.gz", SPXW, ("quote_datetime", "2016-04-28 12:00"))
    quotes = chain_of(rows, datetime(2016, 4, 28, 16, 0, tzinfo=UTC), 0.003)
    order = np.lexsort((quotes.right, quotes.strike, quotes.row_expiry))
    strikes = np.unique(quotes.strike[order])
    odd = np.searchsorted(strikes, quotes.strike) % 2 == 1
    fitted = Quotes(*quotes[:3], *(column[odd] for column in quotes[3:]))
    held_out = Quotes(*quotes[:3], *(column[~odd] for column in quotes[3:]))
    assert residuals(surface_of(fitted), held_out).inside > 0.95
