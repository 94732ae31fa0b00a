"""One expiry of one product at one instant, as columns; and quotes for chosen contracts.

Prices are integer counts of the quote grid: float ties on stops change results.  ``Option``
objects are made only for the rows that are chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.contract import Option, Right
from tomking.domain.kept import by_identity
from tomking.domain.money import shortest
from tomking.domain.structure import Structure

NO_QUOTE = -1
"""In a bid or ask column: nobody quotes.  A bid of 0 is a quote ("worth nothing to anyone")."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Chain:
    """Columns of shape (n,), sorted by right (puts first), then strike."""

    product: str
    expiry: date
    as_of: datetime
    """Aware UTC: when these quotes were seen."""
    multiplier: Decimal
    """Dollars per point."""
    tick: Decimal
    """Points per count of ``bid`` and ``ask``."""
    strike_unit: Decimal
    """Points per count of ``strike``."""
    forward: float
    """Points: what put-call parity implies for this expiry."""
    discount: float
    """Price now of 1 paid at expiry, in (0, 1]."""
    years: float
    """Time to the expiry instant on the variance clock (pricing.clock), > 0."""
    right: NDArray[np.int8]
    """+1 call, -1 put."""
    strike: NDArray[np.int64]
    bid: NDArray[np.int64]
    ask: NDArray[np.int64]
    iv: NDArray[np.float64]
    """Annualised on the variance clock, 1.00 = 100 %; NaN where the mid has none."""
    delta: NDArray[np.float64]
    """Per point of forward, signed: puts negative, discounted; NaN where iv is."""
    interpolated: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """True where ``iv`` and ``delta`` are a fitted surface's because the row lacks a usable quote: never
    to be sold or bought.  Left out, no row is."""

    def __post_init__(self) -> None:
        if self.interpolated.size != self.strike.size:
            empty = not self.interpolated.size or not self.interpolated.any()
            assert empty, "interpolated is of another chain's rows"
            object.__setattr__(self, "interpolated", np.zeros(self.strike.size, np.bool_))

    def option(self, row: int) -> Option:
        """The contract of one row."""
        return Option(
            product=self.product,
            expiry=self.expiry,
            right=Right(int(self.right[row])),
            strike=shortest(int(self.strike[row]) * self.strike_unit),
            multiplier=self.multiplier,
            tick=self.tick,
        )

    @property
    def strikes(self) -> NDArray[np.float64]:
        """Strikes in points; not to be written to."""
        return _strikes(self)

    @property
    def mids(self) -> NDArray[np.float64]:
        """Mid prices in points; NaN where either side is missing.  Not to be written to."""
        return _mids(self)


@by_identity
def _strikes(chain: Chain) -> NDArray[np.float64]:
    strikes = chain.strike.astype(np.float64) * float(chain.strike_unit)
    strikes.setflags(write=False)
    return strikes


@by_identity
def _mids(chain: Chain) -> NDArray[np.float64]:
    mids = (chain.bid + chain.ask).astype(np.float64) * (0.5 * float(chain.tick))
    mids[(chain.bid < 0) | (chain.ask < 0)] = np.nan
    mids.setflags(write=False)
    return mids


@dataclass(frozen=True, slots=True)
class Quote:
    """One contract's bid and ask in points, None where nobody quotes."""

    bid: Decimal | None
    ask: Decimal | None
    as_of: datetime

    @property
    def mid(self) -> Decimal | None:
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    @property
    def half_spread(self) -> Decimal | None:
        return None if self.bid is None or self.ask is None else (self.ask - self.bid) / 2


@dataclass(frozen=True, slots=True)
class NetQuote:
    """A structure's market in points per unit, credit positive, for trading it as written."""

    mid: Decimal
    half_spread: Decimal
    """Sum of the legs' half-spreads, > 0."""

    @property
    def natural(self) -> Decimal:
        """Net at which every leg trades on the far side."""
        return self.mid - self.half_spread


def net_quote(structure: Structure, quotes: Sequence[Quote | None]) -> NetQuote | None:
    """The net market from its legs' quotes (in leg order); None when any side is missing."""
    mid = half = Decimal(0)
    for leg, quote in zip(structure.legs, quotes, strict=True):
        if quote is None or quote.bid is None or quote.ask is None:
            return None
        mid -= leg.ratio * (quote.bid + quote.ask) / 2
        half += abs(leg.ratio) * (quote.ask - quote.bid) / 2
    return NetQuote(mid, half)


def quote_of(chain: Chain, options: Sequence[Option]) -> list[Quote | None]:
    """The quotes of ``options`` out of their own expiry's chain; None where not listed."""
    rows = {(int(r), int(k)): i for i, (r, k) in enumerate(zip(chain.right, chain.strike, strict=True))}
    found: list[Quote | None] = []
    for option in options:
        count = option.strike / chain.strike_unit
        row = rows.get((int(option.right), int(count))) if count == int(count) else None
        found.append(None if row is None else _quote(chain, row))
    return found


def _quote(chain: Chain, row: int) -> Quote:
    bid, ask = int(chain.bid[row]), int(chain.ask[row])
    return Quote(
        bid=None if bid < 0 else bid * chain.tick,
        ask=None if ask < 0 else ask * chain.tick,
        as_of=chain.as_of,
    )
