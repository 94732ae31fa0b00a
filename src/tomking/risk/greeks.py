"""Greeks of legs in the units of the limits: SPY shares and dollars (C.6, F.4).

An equity leg counts as shares of SPY: ``delta x multiplier x count x beta x its level / SPY``.  The
numbers of the limits are stated at SPX 5,500 (ruling 1), so shares are counted at SPY 550: the dollars are
what is limited, in every year.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomking.domain.products import PRODUCTS
from tomking.pricing.black import greeks_into
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.risk.exposure import Exposure
from tomking.risk.groups import EQUITY
from tomking.risk.settings import Settings

Floats = NDArray[np.float64]

SPY_AT_5500 = 550.0
"""Dollars a share of SPY at the level the methodology's numbers are stated at."""
BETAS = {"SPX": 1.0}


@dataclass(frozen=True, slots=True, eq=False)
class Greeks:
    """Columns of shape (n,), one row a line of the exposure, all its contracts."""

    delta: Floats
    """SPY shares at 550; 0 outside equities."""
    gamma: Floats
    """SPY shares of delta per dollar of SPY, both at 550; 0 outside equities."""
    vega: Floats
    """Dollars per point (0.01) of implied volatility; 0 for options on the VIX."""
    theta: Floats
    """Dollars per calendar day."""
    days: Floats
    """Calendar days to expiry."""


def greeks_of(held: Exposure, settings: Settings) -> Greeks:
    """Of every line; NaN where a leg has no price, so that no limit reads it as nothing."""
    forward, strike, years, discount, right = held.legs.T.copy()
    option = right != 0
    out = np.zeros((6, len(right)))
    if option.any():
        inside = np.empty((6, int(option.sum())))
        vol = _vols(held)[option]
        columns = (forward, strike, years, vol, discount, right)
        greeks_into(*(c if c is vol else c[option] for c in columns), inside)
        out[:, option] = inside
    out[1, ~option] = 1.0
    beta, own_vol = _betas(held, settings), _has_volatility(held)
    dollars = held.dollars
    # d(leg)/d(SPX in per cent) in shares of 550 dollars; a dollar of SPY is 1/550 of its level.
    delta = np.where(beta == 0, 0.0, out[1] * dollars * beta * forward / SPY_AT_5500)
    gamma = np.where(beta == 0, 0.0, out[2] * dollars * (beta * forward / SPY_AT_5500) ** 2)
    vega = np.where(own_vol & option, out[4] * dollars / 100 / CALENDAR_YEAR**0.5, 0.0)
    return Greeks(delta, gamma, vega, np.where(option, out[5] * 0 + _theta(out, dollars), 0.0), held.days)


def _theta(out: Floats, dollars: Floats) -> Floats:
    """A year of the variance clock is ``365 / CALENDAR_YEAR`` calendar days."""
    theta: Floats = out[4] * 0 + _row_theta(out) * dollars * CALENDAR_YEAR / 365
    return theta


def _row_theta(out: Floats) -> Floats:
    return out[4] * 0 + out[4]


def _vols(held: Exposure) -> Floats:
    """Each line's volatility: its smile read at its own moneyness."""
    vols = np.zeros(len(held.lines))
    for i, (start, stop) in enumerate(held.smile_of.tolist()):
        if stop > start:
            k = np.log(held.legs[i, 1] / held.legs[i, 0])
            vols[i] = np.interp(k, held.moneyness[start:stop], held.vols[start:stop])
    return vols


def _betas(held: Exposure, settings: Settings) -> Floats:
    """Per line: to SPX for equities, else 0."""
    table = {"SPX": 1.0, "NDX": settings.ndx_beta, "RUT": settings.rut_beta}
    products = [PRODUCTS[line.contract.product] for line in held.lines]
    return np.array([table.get(p.family, settings.stock_beta) if p.group in EQUITY else 0.0 for p in products])


def _has_volatility(held: Exposure) -> NDArray[np.bool_]:
    return np.array([PRODUCTS[line.contract.product].family != "VIX" for line in held.lines], np.bool_)
