"""The weekly call: how deep it is sold, never below its floor, and never twice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from tomking.domain.book import Position
from tomking.domain.chain import NetQuote
from tomking.domain.contract import Option
from tomking.domain.intent import Mark, Open, Part, Pass
from tomking.domain.lifecycle import State
from tomking.domain.money import on_grid_below
from tomking.domain.structure import Leg, Structure
from tomking.rules import select
from tomking.rules.strategy import Wish
from tomking.strategies.ipmcc import announced, strike
from tomking.strategies.ipmcc.parts import LEAP, call_of, lost_share, open_weekly, weekly_role
from tomking.strategies.ipmcc.regime import itm_strikes, trend_of
from tomking.strategies.ipmcc.settings import Settings
from tomking.view import Own, View

ENTRY, LATE, AFTER_ASSIGNMENT = "weekly", "weekly late", "weekly after assignment"
DELIVERED = "delivered"
"""The kernel's trigger for buying back the shares that an assignment sold."""


@dataclass(frozen=True, slots=True)
class Sale:
    """A call to be sold."""

    call: Option
    level: float
    """The symbol's own level now, points."""
    quote: NetQuote

    @property
    def part(self) -> Part:
        role = weekly_role(self.call.expiry)
        return Part(role, Structure(role, (Leg(self.call, -1),)))

    @property
    def extrinsic(self) -> Decimal:
        """Points of time value at the mid."""
        return self.quote.mid - self.call.intrinsic(Decimal(repr(self.level)))

    def mark(self, strategy: str) -> Mark:
        """The level it is sold at: what of its credit is time value is reckoned from it until it ends."""
        return Mark(strategy, sold_key(self.call.product), f"{self.call.expiry} {self.level!r}")


def sold_key(product: str) -> str:
    return f"{product} sold at"


def may_sell(position: Position, entry: str) -> bool:
    """It has a LEAP that nothing closes and no call; on Mondays only after an assignment."""
    leap = position.components[LEAP]
    free = leap.is_open and leap.closing is None and position.state is not State.BUILDING
    if not free or open_weekly(position) is not None:
        return False
    return entry != AFTER_ASSIGNMENT or was_assigned(position)


def was_assigned(position: Position) -> bool:
    """Its last call ended in shares that were bought back."""
    calls = [one for role, one in position.components.items() if role != LEAP]
    return bool(calls) and calls[-1].trigger == DELIVERED


def calls(settings: Settings, view: View, own: Own, entry: str) -> Wish:
    """A weekly call for every position without one."""
    wishes: list[Open | Mark] = []
    refused: list[Pass] = []
    for position in own.positions:
        if not may_sell(position, entry):
            continue
        sold = _beside(settings, view, own, position, entry)
        if isinstance(sold, Pass):
            refused.append(sold)
        else:
            wishes += sold
    return wishes if wishes or not refused else refused[0]


def _beside(
    settings: Settings, view: View, own: Own, position: Position, entry: str
) -> Sequence[Open | Mark] | Pass:
    product, leap = position.product, position.components[LEAP]
    value, lost = own.closing_net(position, leap), lost_share(own, position)
    if value is None or lost is None:
        return Pass(own.strategy, entry, "DATA", f"{position.id}: the LEAP has no mid")
    if lost >= settings.down_none:
        return Pass(own.strategy, entry, "TECH", f"{position.id}: the LEAP lost {lost:.0%} of its cost")
    units = leap.units // 2 if lost >= settings.down_half else leap.units
    if not units:
        return Pass(own.strategy, entry, "SIZE", f"{position.id}: half of one call, the LEAP lost {lost:.0%}")
    sale = sale_of(
        settings, view, own, entry,
        leap=call_of(leap), leap_value=float(value), deeper=lost >= settings.down_deeper,
    )  # fmt: skip
    if isinstance(sale, Pass):
        return sale
    said = f"the LEAP of {position.id} has {'lost' if lost > 0 else 'won'} {abs(lost):.0%}"
    share = settings.late_concession_share if entry == LATE else settings.concession_share
    wish = Open(
        strategy=own.strategy,
        entry=entry,
        parts=(_named_anew(sale.part, position),),
        ceiling=units,
        planned_loss=sale.call.tick,  # covered: what can be lost is the LEAP's, and counted there
        target_gain=settings.weekly_target * sale.extrinsic,
        least_net=on_grid_below(sale.quote.mid - share * sale.quote.half_spread, sale.call.tick),
        reason=f"time value {sale.extrinsic:.2f}, {product} at {sale.level:.2f}, {said}",
        joins=position.id,
    )
    return [sale.mark(own.strategy), wish]


def _named_anew(part: Part, position: Position) -> Part:
    """A role is used once: a second call of the same week is its number 2."""
    role, number = part.role, 1
    while role in position.components:
        number += 1
        role = f"{part.role} {number}"
    return replace(part, role=role)


def sale_of(
    settings: Settings, view: View, own: Own, entry: str, *, leap: Option, leap_value: float, deeper: bool
) -> Sale | Pass:
    """The call of next week that may be sold against ``leap``, worth ``leap_value`` points now."""
    product = leap.product
    expiry = next_week(view, product, after_assignment=entry == AFTER_ASSIGNMENT)
    chain = None if expiry is None else view.chain(product, expiry)
    back = view.chain(product, leap.expiry)
    if expiry is None or chain is None or back is None or expiry >= leap.expiry:
        return Pass(own.strategy, entry, "STRUCT", f"{product}: no call of next week is listed")
    blocked = announced.why_no_weekly(view, product, expiry)
    if blocked:
        return Pass(own.strategy, entry, "EVT", blocked)
    trend = trend_of(settings, view, product)
    if isinstance(trend, str):
        return Pass(own.strategy, entry, "DATA", trend)
    at = strike.wished(settings, chain, itm_strikes(settings, trend, deeper=deeper))
    call = None if at is None else strike.from_the_floor(settings, chain, back, leap, leap_value, at)
    if call is None:
        return Pass(own.strategy, entry, "STRUCT", f"{product} {expiry}: no call at or above its floor")
    quote = select.priced(view, Structure("weekly", (Leg(call, -1),)))
    sale = None if quote is None else Sale(call, chain.forward, quote)
    if sale is None or sale.extrinsic <= 0:
        return Pass(own.strategy, entry, "PRICE", f"{call} has no time value to sell")
    return sale


def next_week(view: View, product: str, *, after_assignment: bool) -> date | None:
    """The last listed expiry of next week, Monday to Saturday; after an assignment, of this week.

    A week is counted from the coming Monday, so that a Thursday before a closed Friday means the same.
    """
    monday = view.today - timedelta(days=view.today.weekday())
    monday += timedelta(days=0 if after_assignment else 7)
    week = [e for e in view.expiries(product) if monday <= e < monday + timedelta(days=6)]
    later = [e for e in week if e > view.today]
    return max(later, default=None)
