"""Bad readings in a row: three suspend a product for ten minutes, three of the VIX all entries (C.11).

A reading is a minute in which data were looked at: a product's when a wish for it is judged, the VIX at every
step.  The counts are notes of the book, as everything that a restart must not forget.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from tomking.domain.book import Book
from tomking.domain.events import Event, Noted
from tomking.domain.intent import Refused, Verdict
from tomking.risk.settings import Settings
from tomking.view import View

NOTE = "risk.bad."
"""Before a product, or before ``VIX``, which is no product's name."""
OWN_DATA = frozenset({"index level", "chain", "leg volatility"})
"""Limits that speak of the data of the wish's own product."""
VIX = "VIX index"
VIX_NOTE = NOTE + VIX


class Bad(NamedTuple):
    """Bad readings without a good one between them."""

    times: int
    last: datetime
    """The minute of the last one."""

    @property
    def text(self) -> str:
        return f"{self.times} {self.last.isoformat()}"


def bad_of(book: Book, name: str) -> Bad | None:
    text = book.notes.get(NOTE + name)
    if not text:
        return None
    times, _, last = text.partition(" ")
    return Bad(int(times), datetime.fromisoformat(last))


def counted(book: Book, name: str, now: datetime, *, is_bad: bool) -> Iterator[Event]:
    """What one look adds: one more bad minute, or the end of a row."""
    known, minute = bad_of(book, name), now.replace(second=0, microsecond=0)
    if not is_bad:
        if known is not None:
            yield Noted(now, NOTE + name, "")
    elif known is None or known.last < minute:
        yield Noted(now, NOTE + name, Bad(1 if known is None else known.times + 1, minute).text)


def suspended_until(book: Book, product: str, settings: Settings) -> datetime | None:
    """When a product that had too many bad readings may be traded again; it may lie in the past."""
    bad = bad_of(book, product)
    if bad is None or bad.times < settings.bad_readings_max:
        return None
    return bad.last + timedelta(minutes=settings.suspended_minutes)


def answered(
    book: Book, verdict: Verdict, now: datetime, settings: Settings, *, whole: bool = True
) -> Iterator[Event]:
    """What an answer says of the data of the product it is about; nothing while that is suspended.

    whole: every limit was asked.  A refusal that ended early says only what it says: no data were good.
    """
    product = verdict.wish.product
    until = suspended_until(book, product, settings)
    if until is not None and now < until:
        return
    is_bad = isinstance(verdict, Refused) and any(b.limit in OWN_DATA for b in verdict.breaches)
    if until is not None and is_bad:
        yield Noted(now, NOTE + product, Bad(1, now.replace(second=0, microsecond=0)).text)
    elif is_bad or whole:
        yield from counted(book, product, now, is_bad=is_bad)


def vix_fault(view: View, settings: Settings) -> str:
    """What is wrong with the VIX now: missing is missing, never a default value; "" when nothing is."""
    seen = view.market.vix(view.now)
    if seen is None:
        return "no VIX"
    level, as_of = seen
    age = view.now - as_of
    # On coarse data the last snapshot stands until the next (ruling 7).
    most = max(settings.vix_age_minutes_max, view.market.grid_minutes)
    if age > timedelta(minutes=most):
        return f"VIX {level:.2f} is {age.total_seconds() / 60:.0f} minutes old, limit {most}"
    if not settings.vix_low < level < settings.vix_high:
        return f"VIX {level:.2f} is outside {settings.vix_low:g} to {settings.vix_high:g}"
    return ""
