"""Portfolio-margin style grid: securities of one family together lose at most so much over ten moves.

The rule's ranges: high-capitalisation broad indices 8 % down to 6 % up, other broad indices 10 %, shares
15 %, volatility 20 %; at least $0.375 times the multiplier a contract; no credit between families (the
rule gives some).  Volatilities stay.  Options on futures are no securities: theirs is the scan.

Source: FINRA rule 4210(g), Cboe rule 10.4; checked in tests/unit/test_margin.py against two of Cboe's
published portfolio margin requirements.
"""

import numpy as np
from numpy.typing import NDArray

from tomking.domain.contract import Option
from tomking.domain.products import PRODUCTS
from tomking.risk.exposure import Exposure
from tomking.risk.shocks import Moves
from tomking.risk.stress import priced

Floats = NDArray[np.float64]

POINTS = 10
"""Equidistant moves, ends included."""
RANGES = {"SPX": (-0.08, 0.06), "NDX": (-0.08, 0.06), "RUT": (-0.10, 0.10), "VIX": (-0.20, 0.20)}
SHARES = (-0.15, 0.15)
LEAST_POINTS = 0.375
"""A contract, times its multiplier."""


def portfolio_margin(held: Exposure) -> dict[str, float]:
    """Dollars by family, >= 0; options on futures are left out."""
    families = [_family(line.contract.product) for line in held.lines]
    needs: dict[str, float] = {}
    for family in dict.fromkeys(family for family in families if family):
        rows = np.array([one == family for one in families])
        worst = -float(_gains(held, family)[rows].sum(axis=0).min())
        needs[family] = max(worst, _least(held, rows))
    return needs


def _family(product: str) -> str:
    row = PRODUCTS[product]
    return "" if row.future else row.family


def _gains(held: Exposure, family: str) -> Floats:
    low, high = RANGES.get(family, SHARES)
    move = np.tile(1 + np.append(np.linspace(low, high, POINTS), 0.0), (len(held.lines), 1))
    same, none = np.ones(move.shape), np.zeros(move.shape)
    prices = priced(held, Moves(move, none, same, same), 1.0)
    gains: Floats = (prices - prices[:, -1:]) * held.dollars[:, None]
    return gains


def _least(held: Exposure, rows: NDArray[np.bool_]) -> float:
    """Long options that are paid for ask for nothing more than they can lose: only shorts have a least."""
    options = [isinstance(line.contract, Option) and line.number < 0 for line in held.lines]
    return float(LEAST_POINTS * np.abs(held.dollars[rows & np.array(options)]).sum())
