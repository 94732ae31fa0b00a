"""Picking contracts out of a chain's columns, and pricing what was picked.

All levels and distances are points of the chain's own product.  Each returns None where nothing
listed fits; the caller says what was looked for.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.calendar import dte, nth_weekday
from tomking.domain.chain import Chain, NetQuote, net_quote
from tomking.domain.contract import Contract, Option, Right
from tomking.domain.intent import Part
from tomking.domain.kept import by_identity
from tomking.domain.money import on_grid_above
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Structure
from tomking.view import View

Floats = NDArray[np.float64]
REFERENCE_LEVEL = 5500.0
"""Index level at which the methodology states its point amounts (ruling 1)."""
WING_MISS_MAX = 0.5
"""A listed wing may be this share nearer or farther than wished."""


def scaled(points: Decimal | float, spot: float, product: str) -> float:
    """Points stated at an index of 5,500 as points of ``product`` at an index of ``spot``."""
    return float(points) * float(PRODUCTS[product].index_ratio) * float(spot) / REFERENCE_LEVEL


def level(spot: float, product: str) -> float:
    """The index level in points of ``product``."""
    return float(spot) * float(PRODUCTS[product].index_ratio)


def reference(chain: Chain, spot: float) -> float:
    """What the chain's strikes are compared with, points: its future, or the cash index at ``spot``.

    A future lies off the index by interest less dividends: 38 points on 2024-12-20 (B.1: "S = ES").
    """
    return chain.forward if PRODUCTS[chain.product].future else level(spot, chain.product)


def underlying(view: View, product: str, expiry: date) -> float | None:
    """The same for a held expiry; None while it is not to be seen."""
    if PRODUCTS[product].future:
        return view.forward(product, expiry)
    spot = view.spot(PRODUCTS[product].family)
    return None if spot is None else level(spot, product)


def price_of(view: View, product: str) -> float | None:
    """Points the product itself trades at: the forward of its nearest expiry after today.

    A fund's price is not its index's level (``Product.ratio_drifts``), and a chain says what it is; a few
    days of interest are left in it.  None without an expiry.
    """
    listed = view.expiries(product)
    after = bisect_right(listed, view.today)
    return view.forward(product, listed[after]) if after < len(listed) else None


def stated_points(dollars: Decimal | float, price: float) -> float:
    """Dollars stated for one SPY contract at an index of 5,500 as points of an underlying at ``price``.

    $75 a contract at 550 are 0.75 points; at 110 the same share of the underlying is 0.15 (ruling 1).
    """
    spy = PRODUCTS["SPY"]
    return float(dollars) / float(spy.multiplier) * price / level(REFERENCE_LEVEL, "SPY")


def nearest_delta(
    chain: Chain,
    right: Right,
    delta: float,
    *,
    low: float = 0.0,
    high: float = 1.0,
    most: float = np.inf,
) -> Option | None:
    """The quoted strike whose absolute delta is nearest ``delta``, within ``low`` to ``high``.

    ``most`` is the highest strike allowed, points.
    """
    rows = _rows(chain, right)
    deltas = np.abs(chain.delta[rows])
    fits = _quoted(chain, rows) & (deltas >= low) & (deltas <= high) & (chain.strikes[rows] <= most)
    if not fits.any():
        return None
    return chain.option(rows.start + int(np.argmin(np.where(fits, np.abs(deltas - delta), np.inf))))


def strike_outward(
    chain: Chain, right: Right, at: float, *, delta_max: float = 1.0, beyond: bool = False
) -> Option | None:
    """The first quoted strike at or away from the money of ``at`` with no more than ``delta_max``.

    ``beyond``: not ``at`` itself.
    """
    rows = _rows(chain, right)
    away = (chain.strikes[rows] - at) * int(right)
    # Strikes of a scaled market are no round numbers: what is a hair away is the strike itself.
    fits = _quoted(chain, rows) & (away > 1e-9 if beyond else away >= -1e-9)
    if delta_max < 1.0:
        fits &= np.abs(chain.delta[rows]) <= delta_max
    found = np.flatnonzero(fits)
    if not len(found):
        return None
    return chain.option(rows.start + int(found[0] if right is Right.CALL else found[-1]))


def wing(chain: Chain, option: Option, points: float) -> Option | None:
    """The strike quoted on both sides nearest ``points`` farther from the money than ``option``.

    Fewer than 0: nearer to it.  A bid of 0 is a quote: cheap wings have no other.
    """
    rows = _rows(chain, option.right)
    away = (chain.strikes[rows] - float(option.strike)) * int(option.right) * np.sign(points)
    miss = np.abs(away - abs(points))
    fits = _two_sided(chain, rows) & (away > 0) & (miss <= WING_MISS_MAX * abs(points))
    if not fits.any():
        return None
    return chain.option(rows.start + int(np.argmin(np.where(fits, miss, np.inf))))


def wing_within(chain: Chain, option: Option, points: float) -> Option | None:
    """The strike quoted on both sides farthest from the money, at most ``points`` beyond ``option``."""
    rows = _rows(chain, option.right)
    away = (chain.strikes[rows] - float(option.strike)) * int(option.right)
    fits = _two_sided(chain, rows) & (away > 0) & (away <= points + 1e-9)
    if not fits.any():
        return None
    return chain.option(rows.start + int(np.argmax(np.where(fits, away, -np.inf))))


def nearest_strike(chain: Chain, right: Right, at: float, *, miss: float = np.inf) -> Option | None:
    """The quoted strike nearest ``at`` points, at most ``miss`` points off."""
    rows = _rows(chain, right)
    off = np.abs(chain.strikes[rows] - at)
    fits = _quoted(chain, rows) & (off <= miss)
    if not fits.any():
        return None
    return chain.option(rows.start + int(np.argmin(np.where(fits, off, np.inf))))


def common_strike(one: Chain, other: Chain, right: Right, at: float) -> tuple[Option, Option] | None:
    """The strike nearest ``at`` points that both expiries quote, as an option of each."""
    mine, theirs = _rows(one, right), _rows(other, right)
    listed = other.strikes[theirs][_quoted(other, theirs)]
    fits = _quoted(one, mine) & np.isin(one.strikes[mine], listed)
    if not fits.any():
        return None
    off = np.where(fits, np.abs(one.strikes[mine] - at), np.inf)
    near = one.option(mine.start + int(np.argmin(off)))
    far = nearest_strike(other, right, float(near.strike), miss=1e-9)
    return None if far is None else (near, far)


def quoted_strikes(chain: Chain, right: Right) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Rows, strikes and mids of what may be sold, ascending by strike, points, each of shape (n,)."""
    rows = _rows(chain, right)
    found = rows.start + np.flatnonzero(_quoted(chain, rows))
    return found, chain.strikes[found], chain.mids[found]


def iv_at(chain: Chain, right: Right, strike: float) -> float | None:
    """Implied volatility at ``strike`` points, between its neighbours' where it is not listed."""
    rows = _rows(chain, right)
    known = np.flatnonzero(~np.isnan(chain.iv[rows]))
    if not len(known):
        return None
    return float(np.interp(strike, chain.strikes[rows][known], chain.iv[rows][known]))


def strikes_apart(one: Contract, other: Contract) -> Decimal:
    """Points between two options' strikes, >= 0."""
    assert isinstance(one, Option), f"{one} has no strike"
    assert isinstance(other, Option), f"{other} has no strike"
    return abs(one.strike - other.strike)


def delta_of(chain: Chain, option: Option) -> float | None:
    """Its absolute delta, the surface's where it is not quoted; None where it is not listed or has none."""
    row = row_of(chain, option)
    return None if row is None or np.isnan(chain.delta[row]) else abs(float(chain.delta[row]))


def row_of(chain: Chain, option: Option) -> int | None:
    """Where an option stands in its chain's columns; None where it is not listed."""
    rows = _rows(chain, option.right)
    count = int(option.strike / chain.strike_unit)
    row = rows.start + int(chain.strike[rows].searchsorted(count))
    return None if row >= rows.stop or chain.strike[row] != count else row


def expected_move(chain: Chain) -> float | None:
    """One standard deviation of the forward to expiry, points: forward x ATM iv x root of time.

    The volatility is that of the quoted call nearest the money.
    """
    rows = _rows(chain, Right.CALL)
    known = np.flatnonzero(~np.isnan(chain.iv[rows]) & ~chain.interpolated[rows])
    if not len(known):
        return None
    nearest = known[np.argmin(np.abs(chain.strikes[rows][known] - chain.forward))]
    return float(chain.forward * chain.iv[rows][nearest] * np.sqrt(chain.years))


def expiry_near(
    expiries: Sequence[date],
    today: date,
    days: int,
    *,
    low: int,
    high: int,
    without: Collection[date] = (),
    first_choice: Callable[[date], bool] = lambda _: True,
) -> date | None:
    """The expiry nearest ``days`` from ``low`` to ``high`` DTE; those of first choice come first."""
    fits = [e for e in expiries if low <= dte(today, e) <= high and e not in without]
    return min(fits, key=lambda e: (not first_choice(e), abs(dte(today, e) - days), e), default=None)


def is_standard(expiry: date) -> bool:
    """A third Friday, or the last weekday of its month: where the open interest is."""
    ahead = expiry + timedelta(days=3 if expiry.weekday() == 4 else 1)
    return (expiry.weekday() == 4 and nth_weekday(expiry) == 3) or ahead.month != expiry.month


def priced(view: View, structure: Structure) -> NetQuote | None:
    """Its net market now, None where a leg is not quoted on both sides."""
    return net_quote(structure, view.quotes(structure.contracts))


def least_credit(points: float, parts: Sequence[Part]) -> Decimal:
    """A minimum credit on the grid on which the parts trade, never rounded down."""
    return on_grid_above(Decimal(repr(round(float(points), 9))), parts[0].structure.tick)


def _rows(chain: Chain, right: Right) -> slice:
    puts, calls = _sides(chain)
    return puts if right is Right.PUT else calls


@by_identity
def _sides(chain: Chain) -> tuple[slice, slice]:
    puts = int(chain.right.searchsorted(0))
    return slice(0, puts), slice(puts, len(chain.right))


def _quoted(chain: Chain, rows: slice) -> NDArray[np.bool_]:
    """Somebody bids and somebody offers: what may be sold."""
    return _sellable(chain)[rows]


def _two_sided(chain: Chain, rows: slice) -> NDArray[np.bool_]:
    """Both sides are quoted: what may be traded at all.  A row read off a surface never is."""
    return _tradable(chain)[rows]


@by_identity
def _sellable(chain: Chain) -> NDArray[np.bool_]:
    return _fixed(_tradable(chain) & (chain.bid > 0) & (chain.ask > 0))


@by_identity
def _tradable(chain: Chain) -> NDArray[np.bool_]:
    return _fixed((chain.bid >= 0) & (chain.ask >= 0) & ~chain.interpolated)


def _fixed(column: NDArray[np.bool_]) -> NDArray[np.bool_]:
    column.setflags(write=False)
    return column
