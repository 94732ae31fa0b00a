"""The published rules of three Cboe indexes, as data: what differs between them is here and nowhere else.

Common to all: on each third Friday (the session before, when that is a holiday) the SPX options that were
sold settle against the opening prices, here at the 09:30 level; later that morning the next third Friday's
are sold, of all the money there is.

BXM  Cboe, "Description of the CBOE S&P 500 BuyWrite Index (BXM)", 2010; Whaley, "Return and Risk of CBOE Buy
     Write Monthly Index", Journal of Derivatives, Winter 2002.  Hold the stocks of the S&P 500 with their
     dividends; sell a call a unit, with the closest strike at or above the last index level before 11:00.
     Daily return = (S + Div - C) / (S' - C'), which is that of the position ``+1 share, -1 call``.
PUT  CBOE, "Methodology of the CBOE S&P 500 PutWrite Index (PUT)", July 2014.  Hold Treasury bills; sell puts
     struck at the money; their number is such that at expiry the bills, premium included, are worth number x
     strike.  The strike is the closest below the index: CBOE's roll information of 16 April 2021 sold the
     4175 put at 4178.75.
CNDR Cboe, index dashboard "Cboe S&P 500 Iron Condor Index (CNDR)": sell the put of delta -0.20 and the call
     of delta 0.20, buy those of -0.05 and 0.05; Treasury bills cover ten times the maximum loss; rebalanced
     at 11:00 on the third Friday.

Where a rule's text could not be found, what is assumed is in docs/replication.md.
"""

from dataclasses import dataclass
from datetime import time
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import Enum

import numpy as np

from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right

PRODUCT = "SPX"
STRIKE_STEP = Decimal(5)
"""Points between the strikes of SPX options of the next month, in every year of the history."""
ROLL_AT = time(11)
"""New York."""
SHARE_ROLE = "index"


class Backing(Enum):
    """What the portfolio holds beside its options."""

    STOCKS = "the stocks of the S&P 500"
    BILLS = "Treasury bills"


class Price(Enum):
    """At what the options are deemed to be traded."""

    MID = "mid"
    FAR_SIDE = "bid of what is sold, ask of what is bought"


@dataclass(frozen=True, slots=True)
class AtLevel:
    """The listed strike next to the index, above it (``ROUND_CEILING``) or below (``ROUND_FLOOR``)."""

    rounding: str

    def strike(self, _chain: Chain, _right: Right, level: float, step: Decimal) -> Decimal:
        return on_step(level, step, self.rounding)


@dataclass(frozen=True, slots=True)
class AtDelta:
    """The listed strike next to where the option's delta is this; without a sign, 0 to 1."""

    delta: float

    def strike(self, chain: Chain, right: Right, _level: float, step: Decimal) -> Decimal:
        rows = np.flatnonzero(chain.right == int(right))
        size = np.abs(chain.delta[rows])
        rising = np.argsort(size, kind="stable")
        place = np.interp(self.delta, size[rising], chain.strikes[rows][rising])
        return on_step(float(place), step, ROUND_HALF_EVEN)


def on_step(level: float, step: Decimal, rounding: str) -> Decimal:
    """The strike, a multiple of ``step`` points, that a level is rounded to.

    >>> on_step(1271.99, Decimal(5), ROUND_CEILING), on_step(1271.99, Decimal(5), ROUND_FLOOR)
    (Decimal('1275'), Decimal('1270'))
    """
    return (Decimal(str(level)) / step).to_integral_value(rounding=rounding) * step


@dataclass(frozen=True, slots=True)
class Traded:
    """One option of the month."""

    right: Right
    ratio: int
    """Options a unit: -1 sold, +1 bought."""
    at: AtLevel | AtDelta

    def option(self, chain: Chain, level: float, step: Decimal) -> Option:
        strike = self.at.strike(chain, self.right, level, step)
        return Option(PRODUCT, chain.expiry, self.right, strike, chain.multiplier, chain.tick)


@dataclass(frozen=True, slots=True)
class IndexRules:
    """One index."""

    symbol: str
    name: str
    backing: Backing
    role: str
    """Of the month's options in their position."""
    options: tuple[Traded, ...]
    cover: int
    """How many times the worst settlement the bills are worth at expiry."""
    price: Price = Price.MID
    roll_at: time = ROLL_AT
    strike_step: Decimal = STRIKE_STEP
    """These three are varied only to measure how much depends on them (scripts/replication.py)."""

    @property
    def id(self) -> str:
        return self.symbol.lower()


BXM = IndexRules(
    symbol="BXM",
    name="Cboe S&P 500 BuyWrite Index",
    backing=Backing.STOCKS,
    role="call",
    options=(Traded(Right.CALL, -1, AtLevel(ROUND_CEILING)),),
    cover=1,
)
PUT = IndexRules(
    symbol="PUT",
    name="Cboe S&P 500 PutWrite Index",
    backing=Backing.BILLS,
    role="put",
    options=(Traded(Right.PUT, -1, AtLevel(ROUND_FLOOR)),),
    cover=1,
)
CNDR = IndexRules(
    symbol="CNDR",
    name="Cboe S&P 500 Iron Condor Index",
    backing=Backing.BILLS,
    role="condor",
    options=(
        Traded(Right.PUT, +1, AtDelta(0.05)),
        Traded(Right.PUT, -1, AtDelta(0.20)),
        Traded(Right.CALL, -1, AtDelta(0.20)),
        Traded(Right.CALL, +1, AtDelta(0.05)),
    ),
    cover=10,
    price=Price.FAR_SIDE,
)
INDEXES = {rules.id: rules for rules in (BXM, PUT, CNDR)}
"""By what a user types."""
