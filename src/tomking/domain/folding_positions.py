"""What ends, pays or moves a position: settlements, states and stages, and the trades that close with it."""

from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.contract import Contract, Option
from tomking.domain.draft import Draft
from tomking.domain.lifecycle import State, may_become
from tomking.domain.money import ZERO
from tomking.domain.position import Position
from tomking.domain.record import Record, Trade
from tomking.domain.replaced import replaced as replace
from tomking.domain.structure import Leg, Structure

LOSING_CLOSE_SHARE = Decimal("0.0002")
"""A losing close loses more than 0.02 % of net liq; less is a scratch (methodology C.4)."""


def record_key(strategy: str, kind: str) -> str:
    """Closed trades are counted by strategy and entry: an LT112 and its weekly sales apart."""
    return f"{strategy}:{kind}"


def transitioned(draft: Draft, id_: str, before: State, after: State) -> None:
    position = draft.positions[id_]
    assert position.state is before, f"{id_} is {position.state}, not {before}"
    assert may_become(before, after), f"{id_}: {before} may not become {after}"
    if after is State.CLOSED:
        assert not position.open_components, f"{id_} still holds {position.open_components}"
        draft.drop_position(id_)
    else:
        draft.put_position(replace(position, state=after))


def staged(draft: Draft, id_: str, before: str, after: str) -> None:
    position = draft.positions[id_]
    assert position.stage == before, f"{id_} is at {position.stage!r}, not {before!r}"
    draft.put_position(replace(position, stage=after))


def settled(draft: Draft, event: ev.Settled) -> None:
    position = draft.positions[event.position]
    one = position.components[event.role]
    kept = tuple(leg for leg in one.structure.legs if leg.contract not in event.expired)
    legs = _added_up((*kept, *event.delivered))
    done = not legs
    after = replace(
        one,
        delivered=any(not isinstance(leg.contract, Option) for leg in legs)
        and (one.delivered or bool(event.delivered)),
        structure=one.structure if done else Structure(one.structure.name, legs),
        units=0 if done else one.units,
        dollars=one.dollars + event.dollars,
        fees=one.fees + event.fees,
        closed=event.at if done else None,
        trigger="settlement" if done else one.trigger,
    )
    draft.cash += event.dollars - event.fees
    draft.fees += event.fees
    draft.put_position(replace(position, components={**position.components, event.role: after}))
    with_closed_trades(draft, position)


def paid(draft: Draft, event: ev.Paid) -> None:
    position = draft.positions[event.position]
    one = position.components[event.role]
    assert one.is_open, f"{event.position} {event.role} is closed"
    after = replace(one, dollars=one.dollars + event.dollars)
    draft.cash += event.dollars
    draft.put_position(replace(position, components={**position.components, event.role: after}))


def with_closed_trades(draft: Draft, before: Position) -> None:
    """Adds the trades whose last component just closed to the records."""
    after = draft.positions[before.id]
    open_now = {c.trade for c in after.open_components}
    ended = {c.trade: None for c in before.open_components if c.trade not in open_now}
    for id_ in ended:
        trade = _trade(after, id_)
        key = record_key(trade.strategy, trade.kind)
        draft.put_record(key, draft.records.get(key, Record()).plus(trade.net))
        draft.just_closed = (*draft.just_closed, trade)
    if not after.open_components:
        _with_losing_close(draft, after)


def _with_losing_close(draft: Draft, position: Position) -> None:
    """A whole position has closed: at a loss, if it is more than a scratch (methodology C.4).

    What closes inside a position that goes on is a trade (ruling 5), but no losing close.
    """
    net = sum((c.net_dollars for c in position.components.values()), ZERO)
    scratch = LOSING_CLOSE_SHARE * draft.prior_close
    lost, won = -net > scratch, net > scratch
    day = draft.day
    draft.day = replace(day, losing_closes=day.losing_closes + int(lost), closes=day.closes + 1)
    draft.losing_run = draft.losing_run + 1 if lost else 0 if won else draft.losing_run
    if draft.prior_close > 0:
        draft.worst_close_share = max(draft.worst_close_share, -net / draft.prior_close)
    else:
        draft.worst_close_share = ZERO


def _trade(position: Position, id_: str) -> Trade:
    parts = [c for c in position.components.values() if c.trade == id_]
    ends = sorted(parts, key=lambda c: c.closed or c.opened)
    last = ends[-1]
    return Trade(
        id=id_,
        strategy=position.strategy,
        kind=parts[0].kind,
        product=position.product,
        legs=" / ".join(c.legs_text for c in parts),
        units=max(c.filled_units for c in parts),
        opened=min(c.opened for c in parts),
        closed=last.closed or last.opened,
        trigger=" then ".join(dict.fromkeys(c.trigger for c in ends)),
        entry_net=sum((c.entry_net for c in parts), ZERO),
        gross=sum((c.dollars for c in parts), ZERO),
        fees=sum((c.fees for c in parts), ZERO),
        parts=tuple((c.role, c.net_dollars) for c in parts),
        slippage=sum((c.slippage for c in parts), ZERO),
    )


def _added_up(legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """What both sides of a spread deliver cancels."""
    ratios: dict[Contract, int] = {}
    for leg in legs:
        ratios[leg.contract] = ratios.get(leg.contract, 0) + leg.ratio
    return tuple(Leg(contract, ratio) for contract, ratio in ratios.items() if ratio)
