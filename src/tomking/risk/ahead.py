"""The account as it would be if an approved wish were filled at once: losses, stress, and every limit after.

Nothing is decided here: the gate has said yes, and this shows a person what the yes means.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from tomking.domain.book import Book, apply
from tomking.domain.events import OrderFilled, OrderSubmitted
from tomking.domain.fees import fees
from tomking.domain.intent import Approved, Urgency
from tomking.domain.money import cents
from tomking.domain.order import Fill, Order
from tomking.risk.settings import Settings
from tomking.risk.shocks import shock_table
from tomking.risk.standing import Reading, Standing, standing
from tomking.risk.valuation import account_of
from tomking.view import View


@dataclass(frozen=True, slots=True)
class Shocked:
    """One shock of C.7, in dollars lost (< 0: gained)."""

    name: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Moved:
    """One limit, before and after."""

    reading: Reading
    """Afterwards."""
    before: float
    """What was used of it; 0 where it did not exist."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Dollars are for all units."""

    max_loss: Decimal | None
    """At expiry, filled at the worst price that is approved, with the fees to open; None: unbounded."""
    stop_loss: Decimal
    """At the planned stop, without costs."""
    fees_open: Decimal
    fees_close: Decimal
    margin: Decimal
    """As the gate counted it."""
    shocks: tuple[Shocked, ...]
    limits: tuple[Moved, ...]
    """The fullest first."""

    @property
    def worst(self) -> Shocked | None:
        """The shock that loses most with it."""
        return max(self.shocks, key=lambda one: one.after, default=None)


def ahead(
    approved: Approved, book: Book, view: View, net_liq: Decimal, settings: Settings, *, worst_net: Decimal
) -> Ahead | None:
    """What the yes means; None where a leg has no mid or there is no VIX: then nothing is to be approved.

    worst_net  the least net it may be filled at, points per unit
    """
    wish, units = approved.wish, approved.units
    structure = wish.structure
    mids = [None if quote is None else quote.mid for quote in view.quotes(structure.contracts)]
    prices = [mid for mid in mids if mid is not None]
    if len(prices) < len(mids):
        return None
    opening = fees(structure, units, opens=True)
    filled = _filled(approved, book, view, tuple(prices), opening)
    before = standing(book, view, account_of(book, view, net_liq, settings), settings)
    after = standing(filled, view, account_of(filled, view, net_liq - opening, settings), settings)
    if before is None or after is None:
        return None
    each = structure.max_loss(worst_net)
    return Ahead(
        max_loss=None if each is None else cents(each * units * structure.multiplier) + opening,
        stop_loss=cents(wish.planned_loss * units * structure.multiplier),
        fees_open=opening,
        fees_close=fees(structure.inverse(), units, opens=False),
        margin=approved.margin,
        shocks=_shocks(before, after, view, settings),
        limits=_limits(before, after),
    )


def _filled(
    approved: Approved, book: Book, view: View, prices: tuple[Decimal, ...], opening: Decimal
) -> Book:
    """The book with the order filled at the mids."""
    wish, id_ = approved.wish, str(book.sequence)
    order = Order(
        id=id_,
        strategy=wish.strategy,
        position=wish.joins or id_,
        parts=wish.parts,
        units=approved.units,
        limit=wish.structure.net(prices),
        floor=None,
        opens=True,
        urgency=Urgency.ENTRY,
        reason="",
        trigger=wish.entry,
        margin=approved.margin,
        planned_loss=wish.planned_loss,
    )
    fill = Fill(f"{id_}-ahead", id_, view.now, approved.units, prices, opening)
    return apply(apply(book, OrderSubmitted(view.now, order)), OrderFilled(view.now, fill))


def _shocks(before: Standing, after: Standing, view: View, settings: Settings) -> tuple[Shocked, ...]:
    vix = view.vix
    assert vix is not None, "there is no standing without a VIX"
    lost, then = (one.table.losses(one.table.held) for one in (before, after))
    names = [shock.name for shock in shock_table(vix, settings)]
    return tuple(
        Shocked(name, float(was), float(is_)) for name, was, is_ in zip(names, lost, then, strict=True)
    )


def _limits(before: Standing, after: Standing) -> tuple[Moved, ...]:
    used = {one.name: one.used for one in before.readings}
    finite = [one for one in after.readings if np.isfinite(one.used)]
    return tuple(Moved(one, used.get(one.name, 0.0)) for one in finite)
