"""Market metrics out of daily history: volatility's rank among a year's, and what the underlying moved.

Definitions as tastytrade publishes them: the rank is where today's implied volatility lies between the
lowest and the highest of a year, the percentile how many of a year's days were below it.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tomking.domain.product import Product
from tomking.ports import MarketData
from tomking.venue.listings import instant

Json = dict[str, object]
Floats = NDArray[np.float64]
YEAR = 252
"""Sessions."""
FAMILY = "SPX"
"""VIX is the volatility of this family, and of no other."""


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a volatility stands in its last year, shares from 0 to 1."""

    rank: float
    percentile: float


def rank_of(level: float, year: Floats) -> Rank | None:
    """``level`` against a year's closes, points alike; None without a year that moved.

    >>> rank_of(20.0, np.array([10.0, 15.0, 30.0, 12.0]))
    Rank(rank=0.5, percentile=0.75)
    """
    if not len(year) or year.max() <= year.min():
        return None
    rank = (level - float(year.min())) / float(year.max() - year.min())
    return Rank(min(max(rank, 0.0), 1.0), float(np.mean(year < level)))


def realised(close: Floats, sessions: int) -> float | None:
    """Annualised volatility of the last daily log returns, in percent; None where they do not reach."""
    if len(close) <= sessions:
        return None
    returns = np.diff(np.log(close[-sessions - 1 :]))
    return float(np.std(returns, ddof=1)) * float(YEAR**0.5) * 100


def metric(product: Product, symbol: str, market: MarketData, at: datetime, now: datetime) -> Json:
    """One item of ``/market-metrics``; ``at``: the last instant of which prices are known."""
    row: Json = {
        "symbol": symbol,
        "updated-at": instant(now),
        "market-cap": "0.0",
        "beta": "1.0",
        "corr-spy-3month": "1.0" if product.family == FAMILY else "0.0",
        "liquidity-rating": 4,
        "liquidity-value": "0.0",
        "liquidity-rank": "0.0",
        "option-expiration-implied-volatilities": [],
        "lendability": "Easy To Borrow",
    }
    close = market.bars(product.family, now).close
    for days in (30, 60, 90):
        moved = realised(close, days)
        if moved is not None:
            row[f"historical-volatility-{days}-day"] = f"{moved:.2f}"
    printed = market.vix(at)
    if product.family == FAMILY and printed is not None:
        row |= _implied(printed[0], market.bars("VIX", now).close[-YEAR:], row)
        row["implied-volatility-updated-at"] = instant(printed[1])
    return row


def _implied(vix: float, year: Floats, row: Json) -> Json:
    before = float(year[-5]) if len(year) >= 5 else vix
    shown: Json = {
        "implied-volatility-index": f"{vix / 100:.6f}",
        "implied-volatility-index-5-day-change": f"{(vix - before) / 100:.6f}",
        "implied-volatility-30-day": f"{vix:.2f}",
    }
    moved = row.get("historical-volatility-30-day")
    if moved is not None:
        shown["iv-hv-30-day-difference"] = f"{vix - float(str(moved)):.2f}"
    found = rank_of(vix, year)
    if found is None:
        return shown
    names = ("implied-volatility-index-rank", "implied-volatility-rank", "tw-implied-volatility-index-rank")
    text = f"{found.rank:.6f}"
    return {
        **shown,
        **dict.fromkeys((*names, "tos-implied-volatility-index-rank"), text),
        "implied-volatility-percentile": f"{found.percentile:.6f}",
    }
