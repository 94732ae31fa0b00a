"""Expiries and strikes by the 2024 rules, in every year."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from tomking.adapters.calendars import load_sessions
from tomking.domain.calendar import Sessions
from tomking.domain.contract import Option, Right
from tomking.domain.products import PRODUCTS
from tomking.sim.listing import (
    Listed,
    expiries_of,
    extremes_before,
    is_quarterly,
    quarterly_after,
    scale_at,
    size_at,
    strikes_listed,
    third_friday,
    two_digits,
    zone_units,
)

FIRST, LAST = date(1990, 1, 2), date(2024, 12, 30)


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    return load_sessions(FIRST, LAST + timedelta(days=450))


@pytest.fixture(scope="module")
def listings(sessions: Sessions) -> dict[str, tuple[Listed, ...]]:
    return {product: expiries_of(product, sessions) for product in PRODUCTS}


def on(listing: tuple[Listed, ...], day: date) -> list[date]:
    return [x.expiry for x in listing if x.first <= day <= x.last]


def within(listing: tuple[Listed, ...], low: int, high: int, sessions: Sessions) -> list[date]:
    """Sessions of the history without an expiry ``low`` to ``high`` days out."""
    days = np.array([s.date.toordinal() for s in sessions.between(FIRST, LAST)])
    covered = np.zeros(days.size, dtype=bool)
    for x in listing:
        dte = x.expiry.toordinal() - days
        listed = (days >= x.first.toordinal()) & (days <= x.last.toordinal())
        covered |= listed & (dte >= low) & (dte <= high)
    return [date.fromordinal(int(d)) for d in days[~covered]]


def test_es_always_lists_an_expiry_110_to_130_days_out(
    listings: dict[str, tuple[Listed, ...]], sessions: Sessions
) -> None:
    assert within(listings["ES"], 110, 130, sessions) == []


@pytest.mark.parametrize("product", ["SPXW", "ES"])
def test_every_friday_has_an_expiry_of_its_own(
    product: str, listings: dict[str, tuple[Listed, ...]], sessions: Sessions
) -> None:
    own = {x.expiry for x in listings[product]}
    fridays = [s.date for s in sessions.between(FIRST, LAST) if s.date.weekday() == 4]
    assert len(fridays) > 1700
    assert [day for day in fridays if day not in own] == []


@pytest.mark.parametrize("product", ["SPXW", "ES"])
def test_they_expire_every_session(
    product: str, listings: dict[str, tuple[Listed, ...]], sessions: Sessions
) -> None:
    own = {x.expiry for x in listings[product]}
    assert all(s.date in own for s in sessions)


def test_es_lists_every_session_of_the_next_five_weeks(
    listings: dict[str, tuple[Listed, ...]], sessions: Sessions
) -> None:
    # Monday 2024-05-06: 25 weekdays and today, less Memorial Day; then Fridays.
    today = date(2024, 5, 6)
    near = [day for day in on(listings["ES"], today) if day <= today + timedelta(days=35)]
    assert near == [s.date for s in sessions.between(today, today + timedelta(days=35))]
    assert len(near) == 25
    after = [day for day in on(listings["ES"], today) if 35 < (day - today).days <= 56]
    assert all(day.weekday() == 4 for day in after)


def test_mondays_have_a_seven_day_call_in_es_and_none_in_mes(
    listings: dict[str, tuple[Listed, ...]],
) -> None:
    monday = date(2024, 5, 6)
    assert monday + timedelta(days=7) in on(listings["ES"], monday)
    assert [day for day in on(listings["MES"], monday) if day.weekday() == 0] == []


def test_every_expiry_is_a_session_and_listed_before_it(
    listings: dict[str, tuple[Listed, ...]], sessions: Sessions
) -> None:
    for listing in listings.values():
        assert all(sessions.on(x.expiry) is not None for x in listing)
        assert all(x.first < x.expiry for x in listing)
        assert [x.expiry for x in listing] == sorted({x.expiry for x in listing})


def test_an_expiry_on_good_friday_moves_to_thursday(listings: dict[str, tuple[Listed, ...]]) -> None:
    # Good Friday 2019-04-19 was the third Friday of April.
    expiries = {x.expiry for x in listings["ES"]}
    assert date(2019, 4, 18) in expiries
    assert date(2019, 4, 19) not in expiries


def test_mes_lists_less(listings: dict[str, tuple[Listed, ...]]) -> None:
    # Tuesday 2024-05-07: five Fridays from May 10, month-ends of May to July, quarterlies June and September.
    assert on(listings["MES"], date(2024, 5, 7)) == [
        date(2024, 5, 10),
        date(2024, 5, 17),
        date(2024, 5, 24),
        date(2024, 5, 31),
        date(2024, 6, 7),
        date(2024, 6, 21),
        date(2024, 6, 28),
        date(2024, 7, 31),
        date(2024, 9, 20),
    ]


def test_mes_has_nothing_to_trade_on_a_quarterly_third_friday(
    listings: dict[str, tuple[Listed, ...]],
) -> None:
    assert is_quarterly(date(2024, 6, 21))
    assert on(listings["MES"], date(2024, 6, 21))[0] == date(2024, 6, 28)
    assert on(listings["ES"], date(2024, 6, 21))[0] == date(2024, 6, 21)


def test_third_fridays_and_the_future_behind_an_option(sessions: Sessions) -> None:
    assert third_friday(2024, 9) == date(2024, 9, 20)
    assert quarterly_after(date(2024, 7, 31), sessions) == date(2024, 9, 20)
    # EYC, the PM option of a quarterly third Friday, delivers the next quarter's future.
    assert quarterly_after(date(2024, 9, 20), sessions) == date(2024, 12, 20)


def test_sizes_by_hand() -> None:
    # 353.40 / 5500 = 0.064254...: two digits 0.064.  5 x 0.064 = 0.32; 100 / 0.064 = 1562.50.
    size = size_at(PRODUCTS["SPXW"], scale_at(353.40))
    assert size.scale == Decimal("0.064")
    assert size.strike_unit == Decimal("0.32")
    assert size.tick == Decimal("0.0032")
    assert size.multiplier == Decimal("1562.5")
    assert size_at(PRODUCTS["ES"], scale_at(5500.0)).multiplier == Decimal("50.00")


@pytest.mark.parametrize("product", list(PRODUCTS))
def test_a_size_read_back_from_a_contracts_text_has_the_same_digits(product: str) -> None:
    # 3168 / 5500 = 0.576: an ES tick of 0.05 x 0.576 = 0.02880 is written 0.0288, and a price on its grid
    # must not be 3.51360 before a restart and 3.5136 after it.
    for level in (353.4, 3168.0, 5500.0):
        size = size_at(PRODUCTS[product], scale_at(level))
        option = Option(
            product, date(2020, 2, 7), Right.PUT, 3 * size.strike_unit, size.multiplier, size.tick
        )
        again = Option.parse(str(option))
        assert [str(n) for n in (again.tick, again.multiplier, again.strike)] == [
            *(str(n) for n in (option.tick, option.multiplier)),
            f"{option.strike.normalize():f}",
        ]


def test_two_digits() -> None:
    told = [two_digits(Decimal(x)) for x in ("0.064254", "1.049", "0.9951", "12.349")]
    assert told == [Decimal("0.064"), Decimal(1), Decimal(1), Decimal(12)]


def test_zones_are_whole_strike_units() -> None:
    assert zone_units(PRODUCTS["SPXW"]).tolist() == [1, 2, 5, 10, 20]
    # An XSP unit is one point, ten of the index.
    assert zone_units(PRODUCTS["XSP"]).tolist() == [1, 1, 2, 5, 10]


def test_a_listed_strike_stays_listed() -> None:
    rng = np.random.default_rng(1)
    close = 5500 * np.exp(np.cumsum(rng.normal(0, 0.03, 120)))
    low, high = close * 0.98, close * 1.02
    vix = np.exp(rng.normal(3, 0.4, 120))
    steps = zone_units(PRODUCTS["SPXW"])
    since = np.array([75, 10, 0, 0, 0])
    before: set[int] = set()
    for row in range(120):
        seen = extremes_before(low, high, vix, since, row, close[row], vix[row])
        zones = np.nonzero(since <= row)[0]
        strikes = strikes_listed(*seen, 5.0, steps, zones)
        assert (np.diff(strikes) > 0).all()
        assert before <= set(strikes.tolist())
        before = set(strikes.tolist())


def test_strikes_reach_deep_and_are_fine_near_the_money() -> None:
    level, vix = np.full(5, 5500.0), np.full(5, 20.0)
    steps = zone_units(PRODUCTS["SPXW"])
    strikes = 5 * strikes_listed(level, level, vix, 5.0, steps, np.arange(5))
    assert strikes[0] <= 0.3 * 5500
    assert strikes[-1] >= 1.3 * 5500
    near = strikes[(strikes > 0.94 * 5500) & (strikes < 1.04 * 5500)]
    assert (np.diff(near) == 5).all()
