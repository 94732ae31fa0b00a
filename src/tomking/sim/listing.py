"""What the model market lists: expiries and strikes by the 2024 rules, in every year.

Which expiries, and how long each is listed, is data of the product table (``Product.listing``).

Methodology 0.4, rulings 1 and 2.  Expiries are facts of the calendar.  What is listed on a day has one
scale, fixed by the close before, so that contracts are of about the size that 5,500 points have today:
strike interval and tick are the product's times the scale, its multiplier is divided by it.  A contract keeps
the size it was bought or sold at, and is quoted until it expires.

    SPXW  every session for 3 weeks, Fridays for 8 weeks, month-ends for half a year, quarter-ends and
          third Fridays (PM) for a year
    XSP   every session for 2 weeks, Fridays for 6, month-ends for half a year, third Fridays for a year
    ES    every session for 5 weeks (CME's E-mini S&P 500 weeklies of Monday to Thursday, PM), Fridays for
          8 weeks, month-ends and third Fridays for half a year, quarterly ones a year
    SPX   third Fridays for a year, settled at the open and last listed the session before
    MES   five Fridays, three month-ends, two quarterlies; a quarterly is no longer listed on its last day,
          and nothing else expires then

All others are European and PM-settled here (real ES quarterlies are American and settle at the open).  An
expiry on a holiday moves to the session before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.domain.calendar import FRIDAY, Sessions, WhenClosed, session_on, third_friday
from tomking.domain.expiries import monthly_expiry
from tomking.domain.money import cents
from tomking.domain.products import PRODUCTS, Cycle, Listing, Product

__all__ = [
    "FRIDAY",
    "ZONE_DAYS",
    "Listed",
    "Size",
    "expiries_of",
    "extremes_before",
    "is_quarterly",
    "moved",
    "quarterly_after",
    "scale_at",
    "size_at",
    "strikes_listed",
    "third_friday",
    "two_digits",
    "zone_units",
]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STATED_LEVEL = Decimal(5500)
SCALED_FAMILY = "SPX"
"""Only its contracts are scaled to the level (ruling 1); all others have their real size in every year."""
STATED_LEVELS = {
    "NDX": 21_000.0,
    "RUT": 2230.0,
    "GC": 2640.0,
    "SI": 29.0,
    "CL": 71.0,
    "6E": 1.04,
    "ZB": 114.0,
    "ZN": 109.0,
    "TLT": 88.0,
    "XOP": 131.0,
    "VIX": 17.0,
}
"""By family: about the level at the end of 2024, at which its strike grid is that of the product table."""
STATED_SINGLE_NAME = 150.0
LEAP_MONTHS = (1, 6, 12)


@dataclass(frozen=True, slots=True)
class Listed:
    """One expiry of one product and the days on which it is listed, both included."""

    expiry: date
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Size:
    """What one expiry's contracts measure."""

    scale: Decimal
    strike_unit: Decimal
    tick: Decimal
    multiplier: Decimal


def scale_at(level: float) -> Decimal:
    """How large contracts are when the index stood at ``level`` points: 1 at 5,500.

    Two digits, so that a size lasts for weeks; all that is listed on a day has the same, and so may be
    legs of one order (decision 303).
    """
    return two_digits(Decimal(level) / STATED_LEVEL)


def size_at(product: Product, scale: Decimal) -> Size:
    """The size of a product's contracts listed at this scale; outside the SPX family always the real one.

    Without trailing zeros, as a contract's text has them: prices read back from a journal are then written
    with the same digits again.
    """
    scale = scale if product.family == SCALED_FAMILY else Decimal(1)
    return Size(
        scale=scale,
        strike_unit=_shortest(product.strike_grid * scale),
        tick=_shortest(product.tick * scale),
        multiplier=_shortest(cents(product.multiplier / scale)),
    )


def two_digits(value: Decimal) -> Decimal:
    """``value`` > 0 rounded to two significant digits, without trailing zeros."""
    rounded = round(value, 1 - value.adjusted())
    return _shortest(rounded)


def _shortest(value: Decimal) -> Decimal:
    return Decimal(f"{value.normalize():f}")


def expiries_of(product: str, sessions: Sessions) -> tuple[Listed, ...]:
    """All expiries of a product within the sessions, ascending, each with its listed days."""
    found: dict[date, Listed] = {}
    for listed in _by_rule(product, sessions):
        known = found.get(listed.expiry)
        first = listed.first if known is None else min(known.first, listed.first)
        last = listed.last if known is None else max(known.last, listed.last)
        found[listed.expiry] = Listed(listed.expiry, first, last)
    return tuple(found[day] for day in sorted(found))


def _by_rule(key: str, sessions: Sessions) -> Iterator[Listed]:
    product = PRODUCTS[key]
    if not product.lists_options:
        return
    if product.settles_at_open:
        yield from _at_the_open(product, sessions)
        return
    yield from _weekly(product, sessions)
    if product.listing.counted:
        yield from _by_count(sessions)
    else:
        yield from _month_ends(product.listing, sessions)
        yield from _monthly(product, sessions)


def _at_the_open(product: Product, sessions: Sessions) -> Iterator[Listed]:
    for year, month in _months(sessions):
        expiry = monthly_expiry(product, year, month, sessions)
        last = None if expiry is None else sessions.before(expiry)
        if expiry is not None and last is not None:
            yield Listed(expiry, expiry - timedelta(days=product.listing.monthly), last.date)


def _weekly(product: Product, sessions: Sessions) -> Iterator[Listed]:
    listing = product.listing
    for session in sessions:
        letter = "MTWRF--"[session.date.weekday()]
        days = max(listing.sessions, listing.weekday_days if letter in listing.weekdays else 0)
        if days:
            yield _for_days(session.date, days)
    first, last = sessions.days[0].date, sessions.days[-1].date
    friday = first + timedelta(days=(FRIDAY - first.weekday()) % 7)
    while friday <= last and listing.fridays:
        expiry = None if listing.counted and is_quarterly(friday) else moved(friday, sessions)
        if expiry is not None:
            yield _for_days(expiry, listing.fridays)
        friday += timedelta(days=7)


def _month_ends(listing: Listing, sessions: Sessions) -> Iterator[Listed]:
    for year, month in _months(sessions):
        days = listing.quarter_end if month % 3 == 0 else listing.month_end
        end = moved(_month_shifted(year, month, 1) - timedelta(days=1), sessions) if days else None
        if end is not None:
            yield _for_days(end, days)


def _monthly(product: Product, sessions: Sessions) -> Iterator[Listed]:
    listing = product.listing
    for year, month in _months(sessions):
        expiry = monthly_expiry(product, year, month, sessions)
        days = listing.quarterly if month % 3 == 0 else listing.monthly
        if product.cycle is Cycle.THIRD_FRIDAY and month in LEAP_MONTHS:
            days = max(days, listing.leaps)
        if expiry is not None and days:
            yield _for_days(expiry, days)


def _by_count(sessions: Sessions) -> Iterator[Listed]:
    """Three month-ends and two quarterlies, each but its last day."""
    for year, month in _months(sessions):
        end = moved(_month_shifted(year, month, 1) - timedelta(days=1), sessions)
        if end is not None:
            yield Listed(end, _month_shifted(year, month, -2), end)
        third = moved(third_friday(year, month), sessions)
        if third is not None and month % 3 == 0:
            before = _month_shifted(year, month, -6)
            yield Listed(third, third_friday(before.year, before.month), third - timedelta(days=1))


def _for_days(expiry: date, days: int) -> Listed:
    return Listed(expiry, expiry - timedelta(days=days), expiry)


def _months(sessions: Sessions) -> Iterator[tuple[int, int]]:
    """Months of the span, and the contract months after it: oil and gold expire up to two months ahead."""
    first, last = sessions.days[0].date, sessions.days[-1].date
    for n in range(first.year * 12 + first.month - 1, last.year * 12 + last.month + 2):
        yield n // 12, n % 12 + 1


def _month_shifted(year: int, month: int, months: int) -> date:
    n = year * 12 + month - 1 + months
    return date(n // 12, n % 12 + 1, 1)


def is_quarterly(friday: date) -> bool:
    """Whether this is the third Friday of March, June, September or December."""
    return friday.month % 3 == 0 and friday == third_friday(friday.year, friday.month)


def quarterly_after(day: date, sessions: Sessions) -> date | None:
    """Expiry of the future that an option expiring on ``day`` delivers: the first quarterly after it.

    A PM option on a quarterly third Friday (EYC) delivers the next quarter's future (methodology B.1).
    """
    for n in range(5):
        month = _month_shifted(day.year, day.month, n)
        if month.month % 3 == 0:
            expiry = moved(third_friday(month.year, month.month), sessions)
            if expiry is not None and expiry > day:
                return expiry
    return None


def moved(day: date, sessions: Sessions) -> date | None:
    """``day`` if it is a session, else the session before; None outside the sessions' span."""
    return session_on(day, sessions, WhenClosed.BEFORE)


# -- strikes ------------------------------------------------------------------------------------

ZONE_DAYS = np.array([45, 135, 400, 1100, 1100], dtype=np.int64)
"""Calendar days to expiry from which on each zone is listed, the finest first: LEAPS begin with
the last two."""
ZONE_POINTS = np.array([5.0, 10.0, 25.0, 50.0, 100.0])
"""Strike intervals at an index of 5,500."""
ZONE_BELOW = np.array([0.07, 0.18, 0.35, 0.45, 0.90])
ZONE_ABOVE = np.array([0.05, 0.09, 0.18, 0.22, 0.60])
"""Reach below the lowest and above the highest level seen, as shares of it, at VIX 20."""
ZONE_GROWTH = np.array([1.5, 1.5, 2.0, 3.0, 3.0])
"""Most that a high VIX widens a zone."""
CALM_VIX, LEAST_WIDTH, DEEPEST, HIGHEST = 20.0, 0.7, 0.90, 2.0


def zone_units(product: Product) -> Ints:
    """Strike intervals of the zones in the product's strike units, at least 1."""
    per_unit = float(product.strike_grid / product.index_ratio)
    points = ZONE_POINTS * (_stated_level(product) / float(STATED_LEVEL))
    return np.maximum(1, np.round(points / per_unit)).astype(np.int64)


def _stated_level(product: Product) -> float:
    if product.family == SCALED_FAMILY:
        return float(STATED_LEVEL)
    return STATED_LEVELS.get(product.family, STATED_SINGLE_NAME)


@njit(cache=True, error_model="numpy")
def strikes_listed(  # noqa: PLR0917
    low: Floats, high: Floats, vix: Floats, unit: float, steps: Ints, zones: Ints
) -> Ints:
    """Strikes of one expiry on one day, in strike units, ascending.

    low, high  extremes of the index known since each zone was first listed, (z,)
    vix        highest VIX known since then, (z,)
    unit       points of the index per strike unit
    steps      interval of each zone in units, (z,); zones: rows of those that are listed

    The extremes only ever widen, and zones are only added as expiry nears, so a listed strike stays
    listed.
    """
    floor = np.empty(zones.size, dtype=np.int64)
    ceiling = np.empty(zones.size, dtype=np.int64)
    for j in range(zones.size):
        z = zones[j]
        grow = min(max(vix[z] / CALM_VIX, LEAST_WIDTH), ZONE_GROWTH[z])
        below = min(ZONE_BELOW[z] * (grow if z < 4 else 1.0), DEEPEST)
        above = min(ZONE_ABOVE[z] * grow, HIGHEST)
        floor[j] = max(int(np.floor(low[z] * (1.0 - below) / unit / steps[z])), 1) * steps[z]
        ceiling[j] = int(np.ceil(high[z] * (1.0 + above) / unit / steps[z])) * steps[z]
    first, last = floor.min(), ceiling.max()
    listed = np.zeros(last - first + 1, dtype=np.bool_)
    for j in range(zones.size):
        for strike in range(floor[j], ceiling[j] + 1, steps[zones[j]]):
            listed[strike - first] = True
    strikes: Ints = np.nonzero(listed)[0] + first
    return strikes


@njit(cache=True, error_model="numpy")
def extremes_before(  # noqa: PLR0917
    low: Floats, high: Floats, vix_high: Floats, since: Ints, row: int, level: float, vix: float
) -> tuple[Floats, Floats, Floats]:
    """Lowest and highest index and highest VIX that are known at the open of ``row``.

    For each zone the bars of rows since[z] to row - 1, and today's first level and VIX (which lie inside
    today's bar, so tomorrow's extremes are no narrower).
    """
    lowest, highest, worst = np.empty(since.size), np.empty(since.size), np.empty(since.size)
    for z in range(since.size):
        lowest[z], highest[z], worst[z] = level, level, vix
        for i in range(since[z], row):
            lowest[z] = min(lowest[z], low[i])
            highest[z] = max(highest[z], high[i])
            worst[z] = max(worst[z], vix_high[i])
    return lowest, highest, worst
