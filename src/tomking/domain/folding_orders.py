"""What the events of orders do to the book: from the durable intent to the last late print."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from tomking.domain.calendar import dte, new_york
from tomking.domain.draft import Draft
from tomking.domain.folding_positions import with_closed_trades
from tomking.domain.intent import Part, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.money import ZERO
from tomking.domain.order import Fill, Order, Working, part_dollars, part_fees, part_nets, part_slippages
from tomking.domain.position import Component, Position, nearest_expiry
from tomking.domain.replaced import replaced as replace


def submitted(draft: Draft, order: Order, at: datetime) -> None:
    assert order.id not in draft.orders, f"order {order.id} submitted twice"
    draft.put_order(Working(order, at, order.limit))
    if order.opens:
        attempts = (*draft.day.attempts, (order.strategy, order.entry_key, at))
        draft.day = replace(draft.day, attempts=attempts)
        return
    position = draft.positions[order.position]
    components = dict(position.components)
    for role in order.roles:
        one = components[role]
        if order.urgency is Urgency.TARGET:
            assert one.target is None, f"{order.position} {role} has a resting target"
            components[role] = replace(one, target=order.id)
        else:
            assert one.closing is None, f"{order.position} {role} is being closed"
            assert one.target is None, f"{order.position} {role} has a resting target"
            components[role] = replace(one, closing=order.id)
    draft.put_position(replace(position, components=components))


def repriced(draft: Draft, id_: str, limit: Decimal) -> None:
    working = draft.orders[id_]
    draft.put_order(replace(working, limit=limit, attempt=working.attempt + 1))


def cancelling(draft: Draft, id_: str) -> None:
    draft.put_order(replace(draft.orders[id_], cancelling=True))


def refused(draft: Draft, id_: str, at: datetime) -> None:
    without_order(draft, id_)
    draft.put_ended(replace(draft.ended[id_], refused=at))


def out_of_doubt(draft: Draft, id_: str) -> None:
    working = draft.orders.get(id_)
    if working is not None and working.doubt is not None:
        draft.put_order(replace(working, doubt=None, parked=False))


def doubted(draft: Draft, id_: str, at: datetime, *, parked: bool = False) -> None:
    working = draft.orders[id_]
    since = working.doubt or at
    draft.put_order(replace(working, doubt=since, parked=parked or working.parked))


def retried(draft: Draft, id_: str, attempt: int) -> None:
    working = draft.orders[id_]
    assert attempt > working.attempt, f"attempt {attempt} of order {id_} is not the next"
    draft.put_order(replace(working, attempt=attempt))


def filled(draft: Draft, fill: Fill) -> None:
    working = draft.orders[fill.order]
    order, units = working.order, working.filled + fill.units
    assert fill.id not in working.fills, f"fill {fill.id} applied twice"
    assert units <= order.units, f"order {order.id} overfilled"
    draft.cash += sum(part_dollars(order, fill), ZERO) - fill.fees
    draft.fees += fill.fees
    fills, fees = (*working.fills, fill.id), working.fees + fill.fees
    draft.put_order(replace(working, filled=units, fills=fills, fees=fees))
    if order.opens:
        _opened(draft, order, fill)
    else:
        _closed(draft, order, fill)
    if units == order.units:
        without_order(draft, order.id)


def filled_late(draft: Draft, fill: Fill) -> None:
    """Books it as if the order still worked; what a position has closed since is open again with it."""
    ended = draft.ended[fill.order]
    position = draft.positions.get(ended.order.position)
    if position is not None and ended.order.opens:
        roles = set(ended.order.roles)
        components = {
            role: replace(one, closed=None, trigger="") if role in roles else one
            for role, one in position.components.items()
        }
        draft.put_position(replace(position, components=components))
    draft.put_order(ended)
    filled(draft, fill)
    if fill.order in draft.orders:
        without_order(draft, fill.order)


def reopened(draft: Draft, id_: str) -> None:
    """An order that had ended works again, to its end only: its late prints lack legs, which must be traded.

    The components of a close are its own again, where no other works on them.
    """
    ended = draft.drop_ended(id_)
    order = ended.order
    draft.put_order(replace(ended, cancelling=True, doubt=None, parked=False))
    position = draft.positions.get(order.position)
    if order.opens or position is None:
        return
    components = {
        role: replace(one, closing=id_)
        if role in order.roles and one.is_open and not one.closing and not one.target
        else one
        for role, one in position.components.items()
    }
    draft.put_position(replace(position, components=components))


def without_order(draft: Draft, id_: str) -> None:
    """It has ended: kept until the session's end, and nothing of its position waits for it any more."""
    ended = draft.drop_order(id_)
    draft.put_ended(ended)
    position = draft.positions.get(ended.order.position)
    if ended.order.opens or position is None:
        return
    components = {role: _let_go(one, id_) for role, one in position.components.items()}
    draft.put_position(replace(position, components=components))


def _let_go(one: Component, id_: str) -> Component:
    if id_ not in (one.closing, one.target):
        return one
    return replace(
        one,
        closing=None if one.closing == id_ else one.closing,
        target=None if one.target == id_ else one.target,
    )


def _opened(draft: Draft, order: Order, fill: Fill) -> None:
    is_new = order.position not in draft.positions
    joins = order.position != order.id
    old = draft.positions.get(order.position) or _founded(order, fill)
    components = _grown(old.components, order, fill)
    first = fill.units == draft.orders[order.id].filled
    position = replace(
        old,
        components=components,
        units=old.units if joins else old.units + fill.units,
        targets=(*old.targets, *order.targets) if first else old.targets,
    )
    draft.put_position(position)
    draft.day = replace(
        draft.day,
        entries=draft.day.entries + (1 if is_new else 0),
        entered=(*draft.day.entered, (order.strategy, order.trigger)),
    )
    if is_new:
        draft.last_entry = fill.at, order.strategy


def _founded(order: Order, fill: Fill) -> Position:
    return Position(
        id=order.position,
        strategy=order.strategy,
        product=order.structure.product,
        state=State.BUILDING,
        opened=fill.at,
        components={},
        units=0,
        margin=order.margin,
        planned_loss=order.planned_loss * order.units * order.structure.multiplier,
    )


def _grown(before: Mapping[str, Component], order: Order, fill: Fill) -> dict[str, Component]:
    components = dict(before)
    for part, net, dollars, fees, slippage in zip(
        order.parts,
        part_nets(order, fill),
        part_dollars(order, fill),
        part_fees(order, fill),
        part_slippages(order, fill),
        strict=True,
    ):
        one = components.get(part.role) or _begun(order, part, fill)
        assert one.closed is None, f"{order.position} {part.role} was closed and cannot be opened again"
        units = one.filled_units + fill.units
        components[part.role] = replace(
            one,
            units=one.units + fill.units,
            filled_units=units,
            entry_net=(one.entry_net * one.filled_units + net * fill.units) / units,
            dollars=one.dollars + dollars,
            fees=one.fees + fees,
            slippage=one.slippage + slippage,
        )
    return components


def _begun(order: Order, part: Part, fill: Fill) -> Component:
    joins = order.position != order.id
    return Component(
        role=part.role,
        trade=f"{order.position}/{part.role}" if joins else order.position,
        kind=order.trigger,
        structure=part.structure,
        units=0,
        filled_units=0,
        entry_net=ZERO,
        opened=fill.at,
        opened_dte=dte(new_york(fill.at).date(), nearest_expiry(part.structure)),
        dollars=ZERO,
        fees=ZERO,
        legs_text=str(part.structure),
        planned_loss=order.planned_loss,
    )


def _closed(draft: Draft, order: Order, fill: Fill) -> None:
    position = draft.positions[order.position]
    components = dict(position.components)
    for role, dollars, fees, slippage in zip(
        order.roles,
        part_dollars(order, fill),
        part_fees(order, fill),
        part_slippages(order, fill),
        strict=True,
    ):
        one = components[role]
        assert fill.units <= one.units, f"{order.position} {role}: closing more than is held"
        units = one.units - fill.units
        components[role] = replace(
            one,
            units=units,
            dollars=one.dollars + dollars,
            fees=one.fees + fees,
            slippage=one.slippage + slippage,
            closed=None if units else fill.at,
            trigger=one.trigger if units else order.trigger,
        )
    draft.put_position(replace(position, components=components))
    with_closed_trades(draft, position)
