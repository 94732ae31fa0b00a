"""What a person approves: one opening order with its prices, bound by a hash to all that must not change.

1. An approval of the gate becomes an ``Intent``: legs, units, the prices it may have, until when.
2. Its hash is shown; whoever approves names it.
3. At the moment of sending ``changed`` says what is not as approved any more; anything said stops it.

The prices are the entry ladder's, as it was quoted then, and some room on both sides: below the floor
nothing is sold (above it nothing bought), and a market that pays far more than was approved is another trade.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from tomking.domain.chain import NetQuote
from tomking.domain.intent import Approved, Open, Urgency
from tomking.domain.money import on_grid_above, on_grid_below
from tomking.domain.structure import Leg
from tomking.execution.ladder import CONCESSIONS, limit_at

HASH_LENGTH = 12
"""Hex digits: enough that no two of a lifetime meet, and few enough to be typed."""


@dataclass(frozen=True, slots=True)
class Intent:
    """All that an approval stands for."""

    account: str
    """Eight hex digits: whose orders these are."""
    strategy: str
    entry: str
    joins: str
    """The position it becomes part of; empty: a new one."""
    legs: tuple[Leg, ...]
    """Per unit, in the order's own order."""
    units: int
    ladder: tuple[Decimal, ...]
    """Net points per unit, credit positive: the limits it would have on the market it was shown on."""
    floor: Decimal
    """No limit goes below this net."""
    top: Decimal
    """A first limit above this net is another market than the one that was shown."""
    at: datetime
    """When it was prepared."""
    until: datetime
    """From then on it is not sent any more."""

    @property
    def first(self) -> Decimal:
        return self.ladder[0]

    @property
    def hash(self) -> str:
        """Of everything above: another leg, unit, price or instant is another hash."""
        text = "\n".join(
            [
                self.account,
                self.strategy,
                self.entry,
                self.joins,
                " / ".join(map(str, self.legs)),
                str(self.units),
                " ".join(map(_plain, self.ladder)),
                _plain(self.floor),
                _plain(self.top),
                _instant(self.at),
                _instant(self.until),
            ]
        )
        return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def intent_of(
    approved: Approved, quote: NetQuote, *, account: str, room: Decimal, at: datetime, until: datetime
) -> Intent:
    """The intent of the gate's yes on the market as it is at ``at``.

    room  share of the first limit that the market may move either way until it is sent, at least one tick;
          never beyond the least net that the strategy wants it for
    """
    assert room >= 0, f"room of {room}"
    wish, structure = approved.wish, approved.wish.structure
    tick, least = structure.tick, wish.least_net
    steps = range(len(CONCESSIONS[Urgency.ENTRY]))
    ladder = tuple(limit_at(Urgency.ENTRY, step, quote, tick, least) for step in steps)
    slack = max(tick, abs(ladder[0]) * room)
    floor = max(min(ladder[-1], on_grid_below(ladder[0] - slack, tick)), on_grid_above(least, tick))
    return Intent(
        account=account,
        strategy=wish.strategy,
        entry=wish.entry,
        joins=wish.joins or "",
        legs=structure.legs,
        units=approved.units,
        ladder=ladder,
        floor=floor,
        top=on_grid_above(ladder[0] + slack, tick),
        at=at,
        until=until,
    )


def pinned(wish: Open, intent: Intent) -> Open:
    """The wish that is asked about again when it is sent: the same, and no worse a price than was shown."""
    return replace(wish, least_net=max(wish.least_net, intent.floor))


def changed(intent: Intent, approved: Approved, quote: NetQuote | None, now: datetime) -> tuple[str, ...]:
    """Why what would be sent now is not what was approved, each with its numbers; empty: it is.

    approved  the gate's answer of now, for the ``pinned`` wish
    """
    wish = approved.wish
    said = [*_another(intent, wish), *_aged(intent, now)]
    if approved.units < intent.units:
        said.append(f"{approved.units} units are allowed now, {intent.units} were approved")
    if quote is None:
        return (*said, "a leg has no two-sided quote now")
    first = limit_at(Urgency.ENTRY, 0, quote, wish.structure.tick, None)
    if first < intent.floor:
        said.append(f"the market has moved: the mid is {quote.mid:f}, approved down to {intent.floor:f}")
    if first > intent.top:
        said.append(f"the market has moved: the mid is {quote.mid:f}, approved up to {intent.top:f}")
    return tuple(said)


def as_approved(intent: Intent, approved: Approved) -> Approved:
    """The gate's yes for the units that were approved, and no more of them."""
    assert approved.units >= intent.units, "fewer are a change"
    return replace(approved, units=intent.units, margin=approved.margin * intent.units / approved.units)


def _another(intent: Intent, wish: Open) -> list[str]:
    said = []
    if (wish.strategy, wish.entry, wish.joins or "") != (intent.strategy, intent.entry, intent.joins):
        said.append(f"{wish.strategy} {wish.entry} is not what was approved")
    if wish.structure.legs != intent.legs:
        said.append(f"the legs are {wish.structure} now, approved were {' / '.join(map(str, intent.legs))}")
    if wish.least_net < intent.floor:
        said.append(f"it may go down to {wish.least_net:f}, approved down to {intent.floor:f}")
    return said


def _aged(intent: Intent, now: datetime) -> list[str]:
    if intent.at <= now < intent.until:
        return []
    over = (now - intent.until).total_seconds()
    return [f"it expired {over:.0f} s ago" if over >= 0 else "it was prepared later than now"]


def allows(intent: Intent, legs: tuple[Leg, ...], units: int, limit: Decimal) -> bool:
    """Whether the last thing before the first byte may let an order of these legs pass at this limit."""
    return _sorted(legs) == _sorted(intent.legs) and units == intent.units and limit >= intent.floor


def _sorted(legs: tuple[Leg, ...]) -> list[tuple[str, int]]:
    return sorted((str(leg.contract), leg.ratio) for leg in legs)


def _plain(amount: Decimal) -> str:
    """One text for one amount, whatever digits it was written with."""
    return f"{amount.normalize():f}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
