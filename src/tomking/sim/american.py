"""Options on SPY in the model market: the SPX family's European price, never quoted below intrinsic value.

The quotes of an option whose mid would lie below what exercise pays are both moved up by whole ticks until it
does not; spread, volatility and delta stay.  What is missing from a true American price: docs/families.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Option

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
ROUNDING = 1e-9


def chain_at_intrinsic(chain: Chain, level: float) -> Chain:
    """``chain`` with its floor; ``level`` is the share's price in points."""
    unit, tick, raised = float(chain.strike_unit), float(chain.tick), np.empty_like(chain.strike)
    if not _ticks_missing(chain.strike, chain.right, chain.bid, chain.ask, unit, tick, level, raised):
        return chain
    return replace(chain, bid=chain.bid + raised, ask=chain.ask + raised)


def quote_at_intrinsic(option: Option, quote: Quote, level: float) -> Quote:
    """The same for one option: a row of the chain to the tick."""
    if quote.bid is None or quote.ask is None or quote.mid is None:
        return quote
    intrinsic = (level - float(option.strike)) * int(option.right)
    short = math.ceil((intrinsic - float(quote.mid)) / float(option.tick) - ROUNDING)
    if short <= 0:
        return quote
    raised = short * option.tick
    return replace(quote, bid=quote.bid + raised, ask=quote.ask + raised)


@dataclass(frozen=True, slots=True, eq=False)
class Floor:
    """Where options on shares stand in a list of contracts."""

    at: NDArray[np.intp]
    strike: Floats
    right: Floats
    tick: Floats

    @classmethod
    def of(cls, contracts: Sequence[object], at: Sequence[int]) -> "Floor":
        """``at``: rows of ``contracts`` that are options on shares."""
        options = [one for one in (contracts[i] for i in at) if isinstance(one, Option)]
        columns = ([float(o.strike) for o in options], [o.right for o in options], [o.tick for o in options])
        strike, right, tick = (np.array(column, np.float64) for column in columns)
        return cls(np.array(at, np.intp), strike, right, tick)

    def raise_marks(self, marks: Floats, level: float) -> None:
        """In place; ``level`` in points."""
        _raise(marks, self.at, self.strike, self.right, self.tick, level)


@njit(cache=True, error_model="numpy")
def _raise(  # noqa: PLR0917
    marks: Floats, at: Ints, strike: Floats, right: Floats, tick: Floats, level: float
) -> None:
    for i in range(at.size):
        mid = marks[at[i]]
        if not math.isnan(mid):
            short = math.ceil(((level - strike[i]) * right[i] - mid) / tick[i] - ROUNDING)
            marks[at[i]] = mid + max(short, 0) * tick[i]


@njit(cache=True, error_model="numpy")
def _ticks_missing(  # noqa: PLR0917
    strike: Ints, right: NDArray[np.int8], bid: Ints, ask: Ints, unit: float, tick: float, level: float,
    raised: Ints,
) -> bool:  # fmt: skip
    """``raised``: how many ticks each mid lies below intrinsic value, rounded up; 0 where it does not.

    Returns whether any does.
    """
    found = False
    for i in range(strike.size):
        raised[i] = 0
        if bid[i] >= 0 and ask[i] >= 0:
            mid = (bid[i] + ask[i]) * (0.5 * tick)
            short = math.ceil(((level - strike[i] * unit) * right[i] - mid) / tick - ROUNDING)
            if short > 0:
                raised[i] = short
                found = True
    return found
