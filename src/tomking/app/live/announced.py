"""What is announced, for the calendar that every entry asks: the user's file, and what the broker tells.

Paper and live are strict: of a single name of which nothing is known nothing is opened.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tomking.adapters.eventfile import read_event_file
from tomking.adapters.tastytrade.reference import Reference, dates_of
from tomking.adapters.tastytrade.symbols import underlying
from tomking.domain.eventcalendar import Dates, EventCalendar
from tomking.domain.product import Kind
from tomking.domain.products import PRODUCTS, UnknownProduct


@dataclass(slots=True)
class Announced:
    """Keeps one calendar up to date, session by session."""

    reference: Reference
    file: Path | None
    """The user's earnings, dividends and decisions; where it reaches it counts, not the broker's word."""
    has_metrics: bool = True
    """Whether the broker is asked."""
    _dates: dict[str, Dates] = field(default_factory=dict[str, Dates])

    @property
    def calendar(self) -> EventCalendar:
        """Of all that is known at any time: what is read later is in it too."""
        return EventCalendar(strict=True, dates=self._dates)

    def read(self, products: Iterable[str], today: date) -> str:
        """For a session; what was found, in words.  ``BadData`` where file or broker cannot be read."""
        names = sorted(_names(products))
        told = dates_of(self.reference.metrics(names).values(), today) if names and self.has_metrics else {}
        own = {} if self.file is None else read_event_file(self.file)
        self._dates.update(told)
        self._dates.update({name: known for name, known in own.items() if known.last >= today})
        missing = [name for name in names if name not in self._dates]
        words = f"dates of {len(self._dates)} names" if self._dates else ""
        return f"{words}; none of {', '.join(missing)}" if missing else words


def _names(products: Iterable[str]) -> Iterator[str]:
    """Single names, which report earnings."""
    for one in products:
        try:
            is_stock = PRODUCTS[one].kind is Kind.STOCK
        except UnknownProduct:
            continue
        if is_stock:
            yield underlying(one)
