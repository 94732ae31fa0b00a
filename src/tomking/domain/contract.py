"""What can be held: options, the futures and shares that an exercise delivers, shares of an index portfolio.

A contract carries its own multiplier and tick, as adjusted options do.  On the model market of
the early years both are scaled to the index level (methodology 0.4, ruling 1), so no position
and no ledger may look them up by product.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum
from typing import Self

from tomking.domain.products import PRODUCTS, Product, UnknownProduct


class Right(IntEnum):
    """The number is the sign of the payoff's slope, as the columns of a chain hold it."""

    CALL = 1
    PUT = -1

    @property
    def letter(self) -> str:
        return "C" if self is Right.CALL else "P"


@dataclass(frozen=True, slots=True)
class Option:
    """``SPXW 2031-03-07 P5700``, ``GC 2025-06-26 C3400``; with its own size,
    ``SPXW 1990-06-15 P342.205 x1639.34/0.00305``.
    """

    product: str
    expiry: date
    right: Right
    strike: Decimal
    """Points."""
    multiplier: Decimal
    """Dollars per point."""
    tick: Decimal
    """Points: the finest quote grid, and the grid of net prices."""

    def __hash__(self) -> int:
        # Of what tells options apart: the others go with the product, and each costs a call.
        return hash((self.strike, self.expiry, self.product))

    def __str__(self) -> str:
        strike = f"{self.strike.normalize():f}"
        return f"{self.product} {self.expiry} {self.right.letter}{strike}{_size(self)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The contract of a text form.  ``ValueError`` names what cannot be read."""
        try:
            product, expiry, strike, *size = text.split()
            multiplier, tick = _read_size(PRODUCTS[product], size)
            right = {"C": Right.CALL, "P": Right.PUT}[strike[0]]
            day = date.fromisoformat(expiry)
            return cls(product, day, right, Decimal(strike[1:]), multiplier, tick)
        except (KeyError, ValueError, ArithmeticError) as error:
            raise ValueError(
                f"not an option: {text!r} (like 'SPXW 2031-03-07 P5700'){_reason(error)}"
            ) from error

    def intrinsic(self, settle: Decimal) -> Decimal:
        """Points at a settlement price of the underlying, >= 0."""
        return max((settle - self.strike) * int(self.right), Decimal(0))


@dataclass(frozen=True, slots=True)
class Future:
    """``ES 2031-03-21 F``: what an exercised futures option leaves behind.

    The date is its last trade, which gives the delivery month: ``CL 2024-12-19 F`` is CLF25
    (``domain.expiries.month_code``).
    """

    product: str
    expiry: date
    multiplier: Decimal
    tick: Decimal
    """Points: that of the options on it, as text forms and net prices have it; an order for the future itself
    goes by ``Product.spec.tick``."""

    def __str__(self) -> str:
        return f"{self.product} {self.expiry} F{_size(self)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        try:
            product, expiry, letter, *size = text.split()
            multiplier, tick = _read_size({"F": PRODUCTS[product]}[letter], size)
            return cls(product, date.fromisoformat(expiry), multiplier, tick)
        except (KeyError, ValueError, ArithmeticError) as error:
            raise ValueError(f"not a future: {text!r} (like 'ES 2031-03-21 F'){_reason(error)}") from error


@dataclass(frozen=True, slots=True)
class Share:
    """``AAPL S``: a lot of shares, and ``SPX S``: the stocks of an index, worth its level; with its own size
    ``SPX S x1639.34/0.00305``.

    It has the size of the options written on it (100 shares), so that both are legs of one structure.
    Nothing like the index's trades: it is what index rules call "the portfolio" (decision 501).
    """

    product: str
    multiplier: Decimal
    tick: Decimal

    @property
    def expiry(self) -> date:
        """Never: the last day there is."""
        return date.max

    def __str__(self) -> str:
        return f"{self.product} S{_size(self)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        try:
            product, letter, *size = text.split()
            multiplier, tick = _read_size({"S": PRODUCTS[product]}[letter], size)
            return cls(product, multiplier, tick)
        except (KeyError, ValueError, ArithmeticError) as error:
            raise ValueError(f"not a share: {text!r} (like 'SPX S'){_reason(error)}") from error


Contract = Option | Future | Share


def parse_contract(text: str) -> Contract:
    """An option, a future or a share from its text form."""
    words = text.split()
    if words[1:2] == ["S"]:
        return Share.parse(text)
    return Future.parse(text) if words[2:3] == ["F"] else Option.parse(text)


def _reason(error: Exception) -> str:
    """What is wrong with the root, where it is that."""
    return f": {error}" if isinstance(error, UnknownProduct) else ""


def _size(contract: Contract) -> str:
    listed = PRODUCTS[contract.product]
    if (contract.multiplier, contract.tick) == (listed.multiplier, listed.tick):
        return ""
    return f" x{contract.multiplier.normalize():f}/{contract.tick.normalize():f}"


def _read_size(listed: Product, words: list[str]) -> tuple[Decimal, Decimal]:
    if not words:
        return listed.multiplier, listed.tick
    (size,) = words
    multiplier, tick = size.removeprefix("x").split("/")
    return Decimal(multiplier), Decimal(tick)
