"""What is held as columns for revaluation: forwards, times, volatilities and discounts out of the chains.

A leg whose expiry has no chain is implied from its own mid; one without a mid is valued at the VIX's
volatility and marked stale (C.6).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book
from tomking.domain.chain import Chain
from tomking.domain.contract import Contract, Future, Option, Share
from tomking.domain.kept import by_identity
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Structure
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.pricing.implied import implied_one
from tomking.view import View

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNKNOWN_VIX = 20.0
"""Points: stands for a missing VIX in a stale leg; without a VIX nothing is opened anyway."""
LEAST_DAYS = 0.25
"""Calendar days: what an option that expires today is given where no chain tells."""


class Line(NamedTuple):
    """Contracts of one kind that are held, or would be."""

    contract: Contract
    number: float
    """Bought > 0, sold < 0."""
    strategy: str
    position: str


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Columns of shape (n,), one row a line."""

    lines: tuple[Line, ...]
    legs: Floats
    """(n, 5) as ``revalue.revalue_into`` takes them."""
    smile_of: Ints
    """(n, 2)."""
    moneyness: Floats
    vols: Floats
    """The smiles behind one another, (m,)."""
    days: Floats
    """Calendar days to expiry."""
    dollars: Floats
    """Per point: count times multiplier."""
    stale: NDArray[np.bool_]


def lines_of(book: Book) -> Iterator[Line]:
    """Every open leg, and every leg of opening orders at work as if it were filled."""
    for position in book.positions.values():
        for leg, units in position.legs():
            yield Line(leg.contract, leg.ratio * units, position.strategy, position.id)
    for working in book.orders.values():
        order = working.order
        if order.opens:
            left = order.units - working.filled
            for part in order.parts:
                yield from lines_in(part.structure, left, order.strategy, order.position)


def lines_in(structure: Structure, units: int, strategy: str, position: str) -> Iterator[Line]:
    return (Line(leg.contract, leg.ratio * units, strategy, position) for leg in structure.legs)


def exposure(lines: Iterable[Line], view: View) -> Exposure:
    """The lines at the market of ``view``; each expiry's chain is read once."""
    held = tuple(lines)
    smiles = _Smiles(view)
    rows = [smiles.leg(line.contract) for line in held]
    return Exposure(
        lines=held,
        legs=np.array([row.numbers for row in rows], np.float64).reshape(-1, 5),
        smile_of=np.array([row.smile for row in rows], np.int64).reshape(-1, 2),
        moneyness=smiles.moneyness,
        vols=smiles.vols,
        days=np.array([_days(line.contract, view.today) for line in held], np.float64),
        dollars=np.array([line.number * float(line.contract.multiplier) for line in held], np.float64),
        stale=np.array([row.stale for row in rows], np.bool_),
    )


class _Row(NamedTuple):
    numbers: tuple[float, float, float, float, float]
    smile: tuple[int, int]
    stale: bool


class _Smiles:
    """The smiles of the chains that were asked for, each once, behind one another."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[tuple[str, date], tuple[Chain | None, tuple[int, int]]] = {}
        self._points: list[Floats] = []
        self._size = 0

    @property
    def moneyness(self) -> Floats:
        return np.concatenate([p[0] for p in self._points]) if self._points else np.zeros(0)

    @property
    def vols(self) -> Floats:
        return np.concatenate([p[1] for p in self._points]) if self._points else np.zeros(0)

    def leg(self, contract: Contract) -> _Row:
        if not isinstance(contract, Option):
            return self._straight(contract)
        key = (contract.product, contract.expiry)
        if key not in self._known:
            self._known[key] = self._look_up(*key)
        chain, where = self._known[key]
        if chain is None:
            return self._by_its_mid(contract)
        numbers = (chain.forward, float(contract.strike), chain.years, chain.discount, float(contract.right))
        return _Row(numbers, where, stale=False)

    def _look_up(self, product: str, expiry: date) -> tuple[Chain | None, tuple[int, int]]:
        chain = self._view.chain(product, expiry)
        points = None if chain is None else smile(chain)
        return (None, (0, 0)) if points is None else (chain, self._keep(points))

    def _keep(self, points: Floats) -> tuple[int, int]:
        start = self._size
        self._points.append(points)
        self._size += points.shape[1]
        return start, self._size

    def _by_its_mid(self, option: Option) -> _Row:
        """Volatility of its own mid on the family's level; the VIX's where there is no mid either."""
        level = self._level(option)
        years = max((option.expiry - self._view.today).days, LEAST_DAYS) / 365 * CALENDAR_YEAR
        strike, right = float(option.strike), float(option.right)
        mid = self._mid(option)
        vol, code = implied_one(mid, level, strike, years, 1.0, right)
        stale = not np.isfinite(mid) or code == _BAD
        if stale or code:
            vol = (self._view.vix or UNKNOWN_VIX) / 100 / CALENDAR_YEAR**0.5
        return _Row((level, strike, years, 1.0, right), self._keep(np.array([[0.0], [vol]])), stale=stale)

    def _straight(self, contract: Future | Share) -> _Row:
        """A future or shares: their own mid, else the family's level."""
        mid = self._mid(contract)
        stale = not np.isfinite(mid)
        price = self._level(contract) if stale else mid
        return _Row((price, 0.0, 0.0, 1.0, 0.0), (0, 0), stale=stale)

    def _mid(self, contract: Contract) -> float:
        return float(self._view.market.marks([contract], self._view.now)[0])

    def _level(self, contract: Contract) -> float:
        """The product's forward, or else its family's level; NaN where nothing is known."""
        forward = self._view.forward(contract.product, contract.expiry)
        if forward is not None:
            return forward
        product = PRODUCTS[contract.product]
        spot = self._view.spot(product.family)
        return np.nan if spot is None else spot * float(product.index_ratio)


_BAD = 4
"""``implied_one``: a number that is no price."""


@by_identity
def smile(chain: Chain) -> Floats | None:
    """ln(K/F) and volatility of the out-of-the-money rows, shape (2, m), ascending; None without any."""
    strikes = chain.strikes
    out = np.where(chain.right < 0, strikes < chain.forward, strikes >= chain.forward)
    rows = np.flatnonzero(out & np.isfinite(chain.iv) & (chain.iv > 0))
    if rows.size == 0:
        return None
    # Puts come first, so that what is out of the money ascends as it stands.
    points: Floats = np.array((np.log(strikes[rows] / chain.forward), chain.iv[rows]))
    points.setflags(write=False)
    return points


def _days(contract: Contract, today: date) -> float:
    return float(max(0, (contract.expiry - today).days)) if isinstance(contract, Option | Future) else 0.0


def groups_of(lines: Sequence[Line]) -> list[str]:
    """The correlation group of each line (C.5)."""
    return [PRODUCTS[line.contract.product].group for line in lines]
