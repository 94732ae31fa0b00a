"""One question to the gate, and how a limit answers it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tomking.domain.book import Book, Working
from tomking.domain.chain import Chain, Quote
from tomking.domain.intent import Open
from tomking.domain.money import ZERO
from tomking.risk.account import Account
from tomking.risk.availability import PLACES, Place
from tomking.risk.phases import acting_phase
from tomking.risk.settings import Settings
from tomking.view import View


@dataclass(frozen=True, slots=True)
class Case:
    """A wish with everything that limits may look at; nothing it says can change."""

    wish: Open
    book: Book
    view: View
    account: Account
    settings: Settings
    quotes: tuple[Quote | None, ...]
    """Of ``wish.structure.legs``, in their order."""
    chains: Mapping[date, Chain | None]
    """Of the wish's product, for each expiry among its options."""
    mid: Decimal | None
    """Net points per unit at the mids, credit positive; None when a side is missing."""
    natural: Decimal | None
    """The same when every leg crosses its spread."""
    margin: Decimal
    """Dollars per unit."""
    fees: Decimal
    """Dollars per unit for opening and closing."""
    places: Mapping[str, Place] = field(default_factory=lambda: PLACES)
    """What each strategy may trade; one that is not here may trade nothing."""
    worked_out: dict[str, object] = field(default_factory=dict[str, object], compare=False, repr=False)
    """What several limits need and one has worked out already: nothing that is not a function of the rest."""

    @property
    def net_liq(self) -> Decimal:
        return self.account.net_liq

    @property
    def multiplier(self) -> Decimal:
        """Dollars per point."""
        return self.wish.parts[0].structure.multiplier

    @property
    def phase(self) -> int:
        return acting_phase(self.book)

    @property
    def is_budgeted(self) -> bool:
        """Its own budget governs the wish: no Kelly, no 2 % at a stop it does not have (ruling 12)."""
        place = self.places.get(self.wish.strategy)
        return place is not None and place.budgeted

    def counts(self, strategy: str) -> bool:
        """Whether its positions count; unknown ones do: what we know nothing of is not free."""
        place = self.places.get(strategy)
        return place is None or place.counts

    @property
    def half_spread(self) -> Decimal | None:
        """Points per unit from the mid to the natural price, >= 0."""
        return None if self.mid is None or self.natural is None else self.mid - self.natural

    @property
    def capital(self) -> Decimal:
        """Dollars per unit: the margin, or the debit where that is more."""
        if self.wish.joins is not None:
            return self.margin
        debit = ZERO if self.mid is None else max(ZERO, -self.mid) * self.multiplier
        return max(self.margin, debit)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many units a limit permits."""

    units: int | None
    """None: as many as you like."""
    detail: str
    """The numbers behind it, in words."""
    warning: str = ""
    """Something the report must say although it is permitted."""
    is_cap: bool = False
    """Whether it bounds what drawdown, VIX and ramp have left of the others' answers, and is not shrunk by
    them itself: one unit at a time would be none in every market that is not calm."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule.  It may shrink or refuse a wish; nothing it answers can enlarge one."""

    name: str
    code: str
    """Of methodology B.0."""
    source: str
    """Methodology paragraph."""
    check: Callable[[Case], Allowance]


def openings(book: Book) -> Iterator[tuple[Working, int]]:
    """Opening orders at work, with their units not yet filled."""
    for working in book.orders.values():
        if working.order.opens:
            yield working, working.order.units - working.filled


def is_new(working: Working, book: Book) -> bool:
    """Whether its first fill will make a position."""
    order = working.order
    return order.position == order.id and order.id not in book.positions


def reserved(book: Book, settings: Settings) -> Decimal:
    """Dollars that opening orders at work keep from all others: their margin and a quarter (E.5)."""
    margin = sum((w.order.margin * left / w.order.units for w, left in openings(book)), ZERO)
    return settings.reservation_factor * margin


def fits(case: Case, what: str, used: Decimal, each: Decimal, share: Decimal) -> Allowance:
    """Units for which ``used + n x each`` dollars stay within a share of net liq."""
    limit = share * case.net_liq
    needs = (
        f"${used:,.0f} in use + ${each:,.0f} a unit = ${used + each:,.0f}" if used else f"${each:,.0f} a unit"
    )
    detail = f"{what}: {needs}, limit ${limit:,.0f} ({share:.1%} of net liq ${case.net_liq:,.0f})"
    if each < 0:
        return Allowance(None, detail)  # its position needs less with it than without
    if each == 0:
        return Allowance(None if used <= limit else 0, detail)
    return Allowance(max(0, int((limit - used) // each)), detail)


def allowed(detail: str = "") -> Allowance:
    return Allowance(None, detail)


def refused(detail: str) -> Allowance:
    return Allowance(0, detail)
