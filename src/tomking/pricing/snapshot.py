"""One instant's quotes of one product, read: forwards, the surface, and volatility and delta of every row.

Recorded files, stored chains and live quotes all come through here, so that a strategy sees the same
numbers whatever brought the quotes.

1. Forward and discount factor of each expiry by put-call parity (``pricing.terms``).  Expiries with
   fewer than three pairs get theirs from their neighbours: logarithms linear in calendar time from
   the spot and 1 now, and at the Treasury rate past the last implied one.
2. The surface is fitted to the quotes of the expiries whose calls and puts agree.
3. A row quoted on both sides has its own mid's volatility, whatever the surface says.  A row that is
   not gets the surface's and is marked ``interpolated``: good for Greeks of what is held, never a price
   to trade at.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tomking.pricing.black import black
from tomking.pricing.implied import implied_vol
from tomking.pricing.surface import Quotes, Surface, fit_surface
from tomking.pricing.terms import RATE_SD, imply_terms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RESIDUAL_SHARE_MAX = 5e-4
"""Calls and puts that disagree by more than this share of the forward (a point on an index of 2,000) are
stale or of two settlements: the surface does not rest on such an expiry."""


class Instant(NamedTuple):
    """One product's quotes at one instant as plain columns: m expiries, n rows in any order."""

    spot: float
    """The underlying's level now, in the product's points, > 0."""
    rate: float
    """A Treasury rate known by now, continuous; the prior of the discount factors."""
    years: Floats
    """(m,), variance-clock years to each expiry, > 0, not descending."""
    calendar_years: Floats
    """(m,), the same in ACT/365, > 0: for discounting and carry."""
    row_expiry: Ints
    """(n,), which expiry (0 to m - 1) a row belongs to."""
    strike: Floats
    """(n,), points, > 0."""
    right: Floats
    """(n,), +1 call, -1 put."""
    bid: Floats
    """(n,), points; NaN where nobody bids.  A bid of 0 is a quote."""
    ask: Floats
    """(n,), points; NaN where nobody offers."""
    rate_sd: float = RATE_SD
    """How far off ``rate`` may be, > 0."""


class Reading(NamedTuple):
    """What the quotes of one instant say; columns (m,) by expiry and (n,) by row of the ``Instant``."""

    forward: Floats
    """(m,), points."""
    discount: Floats
    """(m,), price now of 1 paid at expiry."""
    paired: Bools
    """(m,), True where the expiry's own calls and puts imply the two above."""
    surface: Surface | None
    """None where no expiry has quotes to fit."""
    iv: Floats
    """(n,), annualised on the variance clock, 1.00 = 100 %.  NaN where a two-sided quote's mid has none,
    and where nobody quotes and there is no surface."""
    delta: Floats
    """(n,), per point of forward, signed and discounted; NaN where ``iv`` is."""
    interpolated: Bools
    """(n,), True where ``iv`` and ``delta`` are the surface's: no bid, no offer, or a bid above it."""


def read_instant(instant: Instant) -> Reading:
    """Everything that the quotes of one instant imply; depends on nothing else, so on nothing later."""
    forward, discount, residual = _terms(instant)
    agree = ~(residual > RESIDUAL_SHARE_MAX * forward)
    surface = _surface(instant, forward, discount, agree)
    e = instant.row_expiry
    years, f, df = instant.years[e], forward[e], discount[e]
    two_sided = (instant.bid >= 0.0) & (instant.ask >= instant.bid)
    iv = np.full(e.size, np.nan)
    if surface is not None:
        # A forward that makes no sense leaves a NaN here, as everywhere else.
        with np.errstate(invalid="ignore", divide="ignore"):
            blank = ~two_sided
            iv[blank] = surface.vol(years[blank], np.log(instant.strike[blank] / f[blank]))
    interpolated = np.isfinite(iv)
    iv[two_sided] = implied_vol(
        price=0.5 * (instant.bid[two_sided] + instant.ask[two_sided]),
        forward=f[two_sided],
        strike=instant.strike[two_sided],
        years=years[two_sided],
        discount=df[two_sided],
        right=instant.right[two_sided],
    ).vol
    delta = black(
        forward=f, strike=instant.strike, years=years, vol=iv, discount=df, right=instant.right
    ).delta
    return Reading(forward, discount, np.isfinite(residual), surface, iv, delta, interpolated)


def _terms(instant: Instant) -> tuple[Floats, Floats, Floats]:
    # Forward, discount factor and residual by expiry; the residual is NaN where there are no pairs.
    years = instant.calendar_years
    forward, discount, residual = imply_terms(
        calendar_years=years,
        rate=instant.rate,
        rate_sd=instant.rate_sd,
        row_expiry=instant.row_expiry,
        strike=instant.strike,
        right=instant.right,
        bid=instant.bid,
        ask=instant.ask,
    )
    known = (forward > 0.0) & (discount > 0.0)
    at = np.concatenate(([0.0], years[known]))
    # Past the last implied expiry both go on at the Treasury rate; with none implied, from now.
    beyond = instant.rate * np.maximum(years - at[-1], 0.0)
    carried = np.log(np.concatenate(([instant.spot], forward[known])))
    discounted = np.log(np.concatenate(([1.0], discount[known])))
    return (
        np.where(known, forward, np.exp(np.interp(years, at, carried) + beyond)),
        np.where(known, discount, np.minimum(np.exp(np.interp(years, at, discounted) - beyond), 1.0)),
        np.where(known, residual, np.nan),
    )


def _surface(instant: Instant, forward: Floats, discount: Floats, agree: Bools) -> Surface | None:
    # Fitted to the expiries that agree; of several that end together, to the first.
    fitted = agree & np.isfinite(forward) & (forward > 0.0)
    fitted &= np.diff(instant.years, prepend=0.0) > 0.0
    if not fitted.any():
        return None
    place = np.cumsum(fitted) - 1
    rows = fitted[instant.row_expiry]
    return fit_surface(
        Quotes(
            years=instant.years[fitted],
            forward=forward[fitted],
            discount=discount[fitted],
            row_expiry=place[instant.row_expiry[rows]],
            strike=instant.strike[rows],
            right=instant.right[rows],
            bid=instant.bid[rows],
            ask=instant.ask[rows],
        )
    )
