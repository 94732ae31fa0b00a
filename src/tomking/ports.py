"""The five ports: all that the kernel knows of the world, and what each promises."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from tomking.domain.bars import Bars
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract


class MarketData(Protocol):
    """The market as known at ``now``: nothing returned depends on anything after it.

    A product's missing data is a value (None, an empty tuple), never an exception.
    """

    def spot(self, family: str, now: datetime) -> float | None:
        """The family's index level in points ("SPX"), at or before ``now`` in this session."""
        ...

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        """The VIX and when it was printed.  Missing is None, never a default."""
        ...

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        """The listed expiries that still trade, ascending."""
        ...

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        """The quotes of one expiry."""
        ...

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        """Quotes of the given contracts, in their order; None where not listed or not seen."""
        ...

    def bars(self, family: str, now: datetime) -> Bars:
        """Completed daily bars of sessions before the one ``now`` is in."""
        ...

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        """The settlement price of the underlying for an expired contract; None until it is known."""
        ...
