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
    delta, gamma, vega, theta = np.zeros((4, len(right)))
    delta[~option] = 1.0
    if option.any():
        columns = (forward, strike, years, _vols(held), discount, right)
        f, k, t, vol, df, side = (column[option] for column in columns)
        out = np.empty((6, len(f)))
        greeks_into(f, k, t, vol, df, side, out)
        delta[option], gamma[option], vega[option], theta[option] = out[1:5]
    beta, dollars = _betas(held, settings), held.dollars
    # A dollar of SPY at 550 is 1/550 of every level, times beta.
    level = np.where(beta == 0, 0.0, beta * forward / SPY_AT_5500)
    return Greeks(
        delta=np.where(beta == 0, 0.0, delta * dollars * level),
        gamma=np.where(beta == 0, 0.0, gamma * dollars * level**2),
        vega=np.where(_has_volatility(held), vega * dollars / 100 / CALENDAR_YEAR**0.5, 0.0),
        theta=theta * dollars * CALENDAR_YEAR / 365,
        days=held.days,
    )


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
    return np.array(
        [table.get(p.family, settings.stock_beta) if p.group in EQUITY else 0.0 for p in products]
    )


def _has_volatility(held: Exposure) -> NDArray[np.bool_]:
    return np.array([PRODUCTS[line.contract.product].family != "VIX" for line in held.lines], np.bool_)
