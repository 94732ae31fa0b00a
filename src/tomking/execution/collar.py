"""What an exit pays at most while the quotes are not to be believed (methodology C.11, "exit logic"; D.1).

A flash crash quotes 0.05 bid and 30.00 asked.  Half-spreads conceded from such a quote are stub prices, and
an order that stands there is filled the moment the market comes back.  So, while a structure's quote is
crossed, one-sided or over three times as wide as a normal one (D.7), an exit

- for five minutes stands no further from the last sound mids than the widest spread that is still sound;
- then, a person being told, no further than a fifth of the price (D.1's cap on marketable limits; C.11 would
  let it be a quarter, the stricter holds);
- after ten minutes, D.1's bound of an exit, takes the present quotes for the market: a fifth from their mids,
  another fifth every ten minutes, as far as its ladder goes.

It is sent at once and the collar opens: no exit is blocked, this is about its price.  A quote that can be
believed ends it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from tomking.domain.chain import Quote
from tomking.domain.contract import Contract
from tomking.domain.money import ZERO, on_grid_above
from tomking.domain.order import Order
from tomking.domain.slippage import NORMAL_SHARE, NORMAL_TICKS, widest_half_spread
from tomking.domain.structure import Structure

PATIENCE = timedelta(minutes=5)
"""How long the last sound mids are widened by a spread alone; how often sound mids are looked for (C.11)."""
PRICE_SHARE = Decimal("0.20")
"""Of the price: what an exit gives at most after that (D.1)."""
TICKS_AWAY, SHARE_AWAY = float(NORMAL_TICKS), float(NORMAL_SHARE)
"""Within a normal half-spread of the last sound mid there is nothing to learn."""
OUTER_BOUND = timedelta(minutes=10)
"""After it an exit escalates (D.1): quotes that have been so wide for so long are the market."""


def is_sound(structure: Structure, quotes: Sequence[Quote | None]) -> bool:
    """Whether an exit may concede from these quotes: all there, none crossed, not too wide."""
    return sound_mids(structure, quotes) is not None


def sound_mids(structure: Structure, quotes: Sequence[Quote | None]) -> list[Decimal] | None:
    """The mids of its legs where they are sound; else None."""
    mids, half_spread = [], ZERO
    for leg, quote in zip(structure.legs, quotes, strict=True):
        if quote is None or quote.bid is None or quote.ask is None or quote.ask < quote.bid:
            return None
        mids.append((quote.bid + quote.ask) / 2)
        half_spread += abs(leg.ratio) * (quote.ask - quote.bid) / 2
    return mids if half_spread <= widest_half_spread(structure, mids) else None


def collared(
    order: Order,
    limit: Decimal | None,
    waited: timedelta,
    *,
    last: Sequence[Decimal] | None,
    present: Sequence[Decimal] | None,
) -> Decimal | None:
    """The limit of an exit on quotes that are not sound: the better for us of ``limit`` and the collar's.

    limit    what the ladder says to the present quotes; None: they have no mid
    waited   how long the order has worked without a sound quote
    last     last sound mids of the order's legs, points; None: none is known
    present  mids of the present quotes; None: a side is missing

    None when no price is known at all.
    """
    escalates = waited >= OUTER_BOUND and present is not None
    bounds = [
        _bound(order, mids, waited) for mids in (None if escalates else last, present) if mids is not None
    ]
    if limit is not None:
        bounds.append(limit)
    return max(bounds, default=None)


def _bound(order: Order, mids: Sequence[Decimal], waited: timedelta) -> Decimal:
    """The worst net on the grid that the collar around these mids allows."""
    structure = order.structure
    net, gives = structure.net(mids), widest_half_spread(structure, mids)
    if waited >= PATIENCE:
        gives = max(gives, PRICE_SHARE * abs(net)) * max(1, waited // OUTER_BOUND)
    bound = on_grid_above(net - gives, structure.tick)
    return bound if order.floor is None else max(bound, on_grid_above(order.floor, structure.tick))


class LastSound:
    """The last sound mids of what is held, of one session: what was seen, not what is held, so that a restart
    may start it empty.  Then the present mids stand alone.
    """

    def __init__(self) -> None:
        self._mids: dict[Contract, tuple[Decimal, datetime]] = {}
        self._near: dict[Contract, tuple[float, float]] = {}
        self._looked: datetime | None = None

    def looks(self, now: datetime) -> bool:
        """Whether it is time to look again."""
        return self._looked is None or now - self._looked >= PATIENCE

    def due(self, mids: Mapping[Contract, float], now: datetime) -> set[Contract]:
        """What is to be looked at now: every five minutes, what is unknown or has left what is known of it.

        mids  of everything that is held, points.  Within a normal half-spread of the last sound mid there is
              nothing to learn: a whole book's quotes cost too much for that.
        """
        if not self.looks(now):
            return set()
        self._looked, near = now, self._near
        if len(near) > len(mids):
            self._mids = {contract: seen for contract, seen in self._mids.items() if contract in mids}
            self._near = near = {contract: seen for contract, seen in near.items() if contract in mids}
        return {c for c, mid in mids.items() if c not in near or not near[c][0] <= mid <= near[c][1]}

    def see(self, structure: Structure, quotes: Sequence[Quote | None], now: datetime) -> bool:
        """Remembers sound ones; whether they are."""
        mids = sound_mids(structure, quotes)
        if mids is None:
            return False
        for contract, middle in zip(structure.contracts, mids, strict=True):
            self._mids[contract] = middle, now
            mid = float(middle)
            away = max(TICKS_AWAY * float(contract.tick), SHARE_AWAY * mid)
            self._near[contract] = mid - away, mid + away
        return True

    def knows(self, structure: Structure) -> bool:
        return all(contract in self._mids for contract in structure.contracts)

    def limit(
        self,
        order: Order,
        limit: Decimal | None,
        quotes: Sequence[Quote | None],
        since: datetime,
        now: datetime,
    ) -> tuple[Decimal | None, timedelta]:
        """The limit of an exit that works ``since`` on quotes that are not sound, and how long it has waited
        for sound ones; None when no price is known at all.
        """
        structure = order.structure
        seen = [self._mids.get(contract) for contract in structure.contracts]
        known = [one for one in seen if one is not None]
        whole = len(known) == len(seen)
        waited = now - (max(since, min(at for _, at in known)) if whole else since)
        mids = [quote.mid for quote in quotes if quote is not None and quote.mid is not None]
        last, present = [mid for mid, _ in known] if whole else None, mids if len(mids) == len(seen) else None
        return collared(order, limit, waited, last=last, present=present), waited
