"""Who exercises early: a rational holder of an American option on shares, at the close of a session.

A sold option is assigned on the first close at which exercising it beats holding it: the share stands at or
beyond the exercise boundary of ``pricing.american``, a call's above the strike, a put's below.  Nothing is
drawn, so the same market assigns the same options.  Real holders are less consistent: some exercise late,
some for no reason, and a real call is exercised the day before its dividend, which here accrues evenly.

The rates are those the chain itself implies, the volatility that of the chain's own strikes.  Where there
is no chain, or no quote of the share, nobody exercises.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np

from tomking.domain.chain import Chain
from tomking.domain.contract import Contract, Option
from tomking.ports import MarketData
from tomking.pricing.american import american
from tomking.sim.settlement import shares_of

YEAR_DAYS = 365.0


def exercised_early(
    contracts: Iterable[Contract], market: MarketData, now: datetime
) -> Iterator[tuple[Option, float]]:
    """Those worth exercising now, in the order of their text, each with the share's price in points."""
    for option in sorted((c for c in contracts if isinstance(c, Option)), key=str):
        level = _share_price(option, market, now)
        if level is None or int(option.right) * (level - float(option.strike)) <= 0.0:
            continue
        chain = market.chain(option.product, option.expiry, now)
        if chain is not None and _beyond_boundary(option, level, chain):
            yield option, level


def _share_price(option: Option, market: MarketData, now: datetime) -> float | None:
    (quote,) = market.quotes([shares_of(option)], now)
    return None if quote is None or quote.mid is None else float(quote.mid)


def _beyond_boundary(option: Option, level: float, chain: Chain) -> bool:
    years = (chain.expiry - chain.as_of.date()).days / YEAR_DAYS
    side = (chain.right == int(option.right)) & np.isfinite(chain.iv) & ~chain.interpolated
    if years <= 0.0 or not side.any():
        return False
    # The chain's volatility is per year of the variance clock; the boundary wants calendar years.
    clock_vol = float(np.interp(float(option.strike), chain.strikes[side], chain.iv[side]))
    rate = -math.log(chain.discount) / years
    boundary = american(
        spot=level,
        strike=float(option.strike),
        years=years,
        vol=clock_vol * math.sqrt(chain.years / years),
        rate=rate,
        yield_=rate - math.log(chain.forward / level) / years,
        right=int(option.right),
    ).boundary
    return bool(int(option.right) * (level - float(boundary)) >= 0.0)
