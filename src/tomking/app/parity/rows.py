"""What a journal says was decided, ordered and filled, in a form that two of them can be held against.

Order and position numbers are the journal's own and differ: they are counted anew.  Instants are cut to the
minute.  Left out is what only a live journal has: acceptances, attempts, looks at the account, the latch.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import new_york
from tomking.domain.contract import Contract
from tomking.domain.order import Order
from tomking.domain.trading import STALE, TRADING

NUMBER = re.compile(r"(?<=of )\d+\b(?![.%])")
OWN_LEVELS = {TRADING, STALE}
"""Levels of a live book alone: what the latch and the broker's evidence say."""


@dataclass(slots=True)
class Rows:
    """One line of text a fact, by kind, in their order."""

    decisions: list[str] = field(default_factory=list[str])
    orders: list[str] = field(default_factory=list[str])
    fills: list[str] = field(default_factory=list[str])
    settled: list[str] = field(default_factory=list[str])

    def kinds(self) -> dict[str, list[str]]:
        return {
            "decisions": self.decisions,
            "orders": self.orders,
            "fills": self.fills,
            "settlements": sorted(self.settled),
        }


@dataclass(slots=True)
class Reading:
    """Reads one journal as it grows; what was read of orders is remembered."""

    seen: int = 0
    _orders: dict[str, str] = field(default_factory=dict[str, str])
    _positions: dict[str, str] = field(default_factory=dict[str, str])

    def read(self, events: Iterable[ev.Event]) -> Rows:
        """The rows of what is new."""
        rows = Rows()
        for event in events:
            self._read(event, rows)
        return rows

    def _read(self, event: ev.Event, rows: Rows) -> None:  # noqa: C901, PLR0912 - one case per event
        match event:
            case ev.EntryApproved(at, strategy, entry, units, binding, warnings, reason):
                said = f"{strategy} {entry}: {units} units, bound by {binding}; {self._said(reason)}"
                rows.decisions.append(f"{_at(at)} {said}{''.join(f'; {w}' for w in warnings)}")
            case ev.Declined(at, strategy, entry, code, details):
                rows.decisions.append(
                    f"{_at(at)} {strategy} {entry}: not taken, {code}: {self._said('; '.join(details))}"
                )
            case ev.Transitioned(at, position, before, after, "settlement"):
                said = f"{self._position(position)} {before.value} to {after.value} (settlement)"
                rows.settled.append(f"{new_york(at):%Y-%m-%d} {said}")
            case ev.Transitioned(at, position, before, after, trigger):
                said = f"{self._position(position)} {before.value} to {after.value} ({trigger})"
                rows.decisions.append(f"{_at(at)} {said}")
            case ev.Staged(at, position, before, after, trigger, context):
                said = f"{self._position(position)} {before or 'new'} to {after} ({trigger}; {context})"
                rows.decisions.append(f"{_at(at)} {said}")
            case ev.Noted(at, key, value):
                rows.decisions.append(f"{_at(at)} note {self._named(key)} = {value}")
            case ev.LevelChanged(at, name, before, after, _) if name not in OWN_LEVELS:
                rows.decisions.append(f"{_at(at)} {name}: {before or 'none'} to {after}")
            case ev.Quarantined(at, strategy, error):
                rows.decisions.append(f"{_at(at)} {strategy} raised {error}")
            case ev.OrderSubmitted(at, order):
                self._submit(order, at, rows)
            case ev.OrderRepriced(at, order, limit):
                rows.orders.append(f"{_at(at)} {self._order(order)} moved to {limit:f}")
            case ev.CancelRequested(at, order, reason):
                rows.orders.append(f"{_at(at)} {self._order(order)} to end: {reason}")
            case ev.OrderCancelled(at, order):
                rows.orders.append(f"{_at(at)} {self._order(order)} ended")
            case ev.OrderRejected(at, order, reason):
                rows.orders.append(f"{_at(at)} {self._order(order)} refused: {reason}")
            case ev.OrderFilled(_, fill) | ev.LateFill(_, fill):
                prices = " ".join(f"{price.normalize():f}" for price in fill.leg_prices)
                line = f"{_at(fill.at)} {self._order(fill.order)} {fill.units} units at {prices}"
                rows.fills.append(f"{line}, fees {fill.fees:.2f}")
            case ev.Settled(at, position, role, expired, price, dollars, fees, delivered):
                what = ", ".join(sorted(map(str, expired)))
                line = f"{new_york(at):%Y-%m-%d} {self._position(position)} {role}: {what} at {price:f}"
                rows.settled.append(
                    f"{line}, dollars {dollars:.2f}, fees {fees:.2f} {' '.join(map(str, delivered))}".rstrip()
                )
            case _:
                return

    def _submit(self, order: Order, at: datetime, rows: Rows) -> None:
        name = self._orders[order.id] = f"order {len(self._orders) + 1}"
        if order.position == order.id:
            self._positions[order.id] = f"position {len(self._positions) + 1}"
        verb = "opens" if order.opens else "closes"
        legs = f"{order.units} x {order.structure}"
        words = f"{order.urgency.value} {order.trigger}; {self._said(order.reason)}"
        where = self._position(order.position)
        rows.orders.append(
            f"{_at(at)} {name} {verb} {where} of {order.strategy}: {legs} at {order.limit:f}, {words}"
        )

    def _order(self, id_: str) -> str:
        return self._orders.get(id_, f"unknown order {id_}")

    def _position(self, id_: str) -> str:
        return self._positions.get(id_, f"unknown position {id_}")

    def _said(self, text: str) -> str:
        """Words that name a position by its number ("the LEAP of 15")."""
        return NUMBER.sub(lambda found: self._positions.get(found[0], found[0]), text)

    def _named(self, key: str) -> str:
        """A key of a note may hold a position's number."""
        owner, dot, rest = key.partition(".")
        id_, bar, what = rest.partition("|")
        return f"{owner}{dot}{self._positions.get(id_, id_)}{bar}{what}"


def closing(book: Book) -> list[str]:
    """Cash and what is held at a session's end."""
    counts = Counter[Contract]()
    for position in book.positions.values():
        for leg, count in position.legs():
            counts[leg.contract] += leg.ratio * count
    held = sorted(f"{count:+d} {contract}" for contract, count in counts.items() if count)
    return [f"cash {book.cash + Decimal(0):.2f}", *held]


def _at(at: datetime) -> str:
    return f"{new_york(at):%Y-%m-%d %H:%M}"
