"""What a portfolio earns or pays apart from its trades: dividends, interest, the spread."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

import numpy as np

from tomking.app.replicate.published import dividend_yield
from tomking.app.replicate.rules import SHARE_ROLE, Backing, IndexRules
from tomking.domain import events as ev
from tomking.domain.bars import Floats, History
from tomking.domain.book import Book, Component
from tomking.domain.chain import net_quote
from tomking.domain.money import cents
from tomking.ports import MarketData

YEAR_DAYS = 365


@dataclass(frozen=True, slots=True, eq=False)
class Earnings:
    """Of one share of the index and of one dollar, between any two sessions of a history."""

    rows: dict[date, int]
    dividends: Floats
    """Points paid from the first session up to each one, that one included."""
    rate: Floats
    """3-month Treasury bill of each session, continuously compounded, 0.05 = 5 %."""

    @classmethod
    def of(cls, history: History) -> "Earnings":
        days: list[date] = history.spx.day.astype("datetime64[D]").tolist()
        yields = [0.0, *(dividend_yield(before, day) for before, day in pairwise(days))]
        paid = np.cumsum(np.array(yields) * history.spx.close)
        return cls({day: row for row, day in enumerate(days)}, paid, history.rate)

    def points(self, after: date, until: date) -> float:
        """Dividends of the sessions after one, up to another."""
        return float(self.dividends[self.rows[until]] - self.dividends[self.rows[after]])

    def interest(self, bought: date, after: date, until: date) -> float:
        """Of one dollar of bills between two sessions, at the rate known when they were bought."""
        rate = self.rate[max(self.rows[bought] - 1, 0)]
        return float(np.expm1(rate * (until - after).days / YEAR_DAYS))


@dataclass(slots=True)
class Income:
    """Pays a book what it has earned since it was last paid."""

    rules: IndexRules
    earnings: Earnings
    paid_to: date
    bought: date
    """The roll at which the bills were bought."""

    def due(self, book: Book, until: date, at: datetime) -> Iterator[ev.Paid]:
        """For the sessions up to ``until``; before a roll, which begins a new position."""
        after, self.paid_to = self.paid_to, until
        if after == until:
            return
        for position, one in _open(book):
            if self.rules.backing is Backing.STOCKS and one.role == SHARE_ROLE:
                each = Decimal(self.earnings.points(after, until)) * one.structure.multiplier
                yield ev.Paid(at, position, one.role, cents(each * one.units), "dividends")
            elif self.rules.backing is Backing.BILLS:
                earned = Decimal(self.earnings.interest(self.bought, after, until)) * book.cash
                yield ev.Paid(at, position, one.role, cents(earned), "interest on the bills")


def crossing(book: Book, market: MarketData, at: datetime) -> Iterator[ev.Paid]:
    """What it costs that the options were sold at the bid and bought at the ask, and not at the mid.

    The spread is taken by itself and not in the fill: the kernel's orders begin at the mid.
    """
    for position, one in _open(book):
        quote = net_quote(one.structure, market.quotes(one.structure.contracts, at))
        assert quote is not None, f"{one.structure} was opened without a quote"
        dollars = cents(quote.half_spread * one.units * one.structure.multiplier)
        yield ev.Paid(at, position, one.role, -dollars, "sold at the bid, bought at the ask")


def _open(book: Book) -> Iterator[tuple[str, Component]]:
    for position in book.positions.values():
        for one in position.open_components:
            yield position.id, one
