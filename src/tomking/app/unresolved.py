"""What is still open where recorded data end: said position by position, never settled or guessed.

A position stays in the account at the last quotes that were seen of it.  How old these are, and why nothing
better is known, a reader of the result must be told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tomking.adapters.recorded import RecordedChains
from tomking.domain.book import Book, Position
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.chain import Quote
from tomking.domain.contract import Contract
from tomking.domain.money import cents


@dataclass(frozen=True, slots=True)
class Unresolved:
    """One position that the data leave open."""

    position: str
    strategy: str
    legs: tuple[str, ...]
    """Each open leg with its number of contracts and its last bid and ask."""
    value: Decimal | None
    """Dollars for closing at the last mids; None where a leg was never quoted on both sides."""
    marked: date | None
    """Session of the oldest of these quotes."""
    sessions_old: int
    """Sessions from then to the end of the data."""
    why: str

    def __str__(self) -> str:
        worth = "never quoted on both sides" if self.value is None else f"last worth ${self.value:,.2f}"
        seen = "" if self.marked is None else f" on {self.marked}, {self._age()}"
        held = "; ".join(self.legs)
        return f"unresolved: {self.strategy} {self.position}, {held}: {worth}{seen}; {self.why}"

    def _age(self) -> str:
        old = self.sessions_old
        return f"{old} sessions before the end" if old else "the last session"


def unresolved(book: Book, market: RecordedChains, sessions: Sessions, last: date) -> tuple[Unresolved, ...]:
    """Every open position of a book whose last played session was ``last``."""
    return tuple(
        _one(position, market, sessions, last)
        for position in book.positions.values()
        if position.open_components
    )


def _one(position: Position, market: RecordedChains, sessions: Sessions, last: date) -> Unresolved:
    session = sessions.on(last)
    assert session is not None, "the last played day is a session"
    held = [(leg.contract, leg.ratio * units) for leg, units in position.legs()]
    quotes = {contract: market.last_quote(contract, session.close) for contract, _ in held}
    mids = [quote.mid for quote in quotes.values() if quote is not None and quote.mid is not None]
    complete = len(mids) == len(quotes)
    seen = [new_york(quote.as_of).date() for quote in quotes.values() if quote is not None]
    marked = min(seen, default=None) if complete else None
    return Unresolved(
        position=position.id,
        strategy=position.strategy,
        legs=tuple(_leg(contract, count, quotes[contract]) for contract, count in held),
        value=_worth(held, quotes) if complete else None,
        marked=marked,
        sessions_old=0 if marked is None else len(sessions.between(marked, last)) - 1,
        why="; ".join(_reasons([contract for contract, _ in held], last)),
    )


def _worth(held: list[tuple[Contract, int]], quotes: dict[Contract, Quote | None]) -> Decimal:
    total = Decimal(0)
    for contract, count in held:
        quote = quotes[contract]
        assert quote is not None, "every leg has a quote"
        assert quote.mid is not None, "every leg has both sides"
        total += count * quote.mid * contract.multiplier
    return cents(total)


def _leg(contract: Contract, count: int, quote: Quote | None) -> str:
    market = "no quote" if quote is None else f"{quote.bid} to {quote.ask}"
    return f"{count:+d} {contract} ({market})"


def _reasons(contracts: list[Contract], last: date) -> Iterator[str]:
    expired = sorted({c.expiry for c in contracts if c.expiry <= last})
    if expired:
        days = ", ".join(str(day) for day in expired)
        yield f"expired on {days}, of which the data have no settlement price"
    if any(c.expiry > last for c in contracts):
        yield f"the data end on {last}"
