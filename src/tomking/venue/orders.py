"""Order bodies as the API takes them, and orders as it shows them (tastytrade page, section 6).

What a body asks is checked here as far as it can be without the account: everything wrong at once, each with
the API's kind of code.  ``shown`` is the inverse of the adapter's ``words.broker_order``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import reduce
from math import gcd

from tomking.adapters.tastytrade.symbols import Directory, Instrument, Listed, UnknownSymbol, underlying
from tomking.domain.contract import Contract
from tomking.domain.structure import Leg
from tomking.execution.wire import ENDED, BrokerOrder, Execution, Status
from tomking.venue.listings import instant

Json = dict[str, object]
MOST_LEGS = 4
"""Of options (T7)."""
MOST_CONTRACTS, HIGHEST = 100_000, 1_000_000
"""Of a leg, and points: beyond is a slip of the finger."""
TYPES, STOPS = frozenset({"Limit", "Market"}), frozenset({"Stop", "Stop Limit"})
PRICED = frozenset({"Limit", "Stop Limit"})
WORDS = {
    Status.RECEIVED: "Routed",
    Status.CONTINGENT: "Contingent",
    Status.LIVE: "Live",
    Status.CANCEL_REQUESTED: "Cancel Requested",
    Status.REPLACE_REQUESTED: "Replace Requested",
    Status.FILLED: "Filled",
    Status.CANCELLED: "Cancelled",
    Status.EXPIRED: "Expired",
    Status.REJECTED: "Rejected",
    Status.REMOVED: "Removed",
    Status.PARTIALLY_REMOVED: "Partially Removed",
}
_OPENING = {"Buy to Open": 1, "Sell to Open": -1}
_CLOSING = {"Buy to Close": 1, "Sell to Close": -1}
_EITHER = {"Buy": 1, "Sell": -1}


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with a request."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Asked:
    """An order body that can be understood."""

    tag: str
    legs: tuple[Leg, ...]
    """In lowest terms."""
    units: int
    limit: Decimal | None
    """Net points per unit, credit positive; None: a market order."""
    opens: bool
    strict: bool
    time_in_force: str
    kind: str = "Limit"
    """``order-type``."""
    trigger: Decimal | None = None
    """``stop-trigger``, points per unit, >= 0: only of stop orders."""


def asked(
    body: Mapping[str, object], directory: Directory, *, stops: bool = False
) -> Asked | tuple[Wrong, ...]:
    """What an order body asks for, or everything that is wrong with it; ``stops``: stop orders are taken."""
    wrong: list[Wrong] = []
    kind = str(body.get("order-type"))
    if kind not in TYPES | (STOPS if stops else frozenset()):
        wrong.append(Wrong("invalid_order_type", f"order-type {kind!r} is not taken here"))
    totals, opens = _legs(body.get("legs"), directory, wrong)
    limit = _price(body, wrong) if kind in PRICED else None
    trigger = _trigger(body, wrong) if stops and kind in STOPS else None
    force = str(body.get("time-in-force"))
    if force not in {"Day", "GTC"}:
        wrong.append(Wrong("invalid_time_in_force", f"time-in-force {force!r} is not taken here"))
    if kind == "Market" or (stops and kind == "Stop"):
        wrong += _market_order(len(totals), force if kind == "Market" else "")
    wrong += _together([leg.contract for leg in totals])
    if wrong:
        return tuple(wrong)
    units = reduce(gcd, (abs(leg.ratio) for leg in totals))
    advanced = body.get("advanced-instructions")
    return Asked(
        tag=str(body.get("external-identifier") or ""),
        legs=tuple(Leg(leg.contract, leg.ratio // units) for leg in totals),
        units=units,
        limit=limit,
        opens=opens,
        strict=isinstance(advanced, Mapping) and advanced.get("strict-position-effect-validation") is True,
        time_in_force=force,
        kind=kind,
        trigger=trigger,
    )


def shown(
    order: BrokerOrder, account: str, directory: Directory, force: str, at: datetime, *, opens: bool
) -> Json:
    """One order as REST and the streams show it; ``at``: when it last changed."""
    ended = order.status in ENDED
    first = directory.listed(order.legs[0].contract)
    body: Json = {
        "id": int(order.id),
        "account-number": account,
        "time-in-force": force,
        "order-type": "Limit",
        "size": order.units,
        "underlying-symbol": underlying(first.contract.product),
        "underlying-instrument-type": "Future" if first.symbol.startswith((".", "/")) else "Equity",
        **price_shown(order.limit),
        "status": WORDS[order.status],
        "cancellable": not ended,
        "editable": not ended,
        "edited": False,
        "received-at": instant(at),
        "updated-at": int(at.timestamp() * 1000),
        "external-identifier": order.tag,
        "leg-count": len(order.legs),
        "destination-venue": "TOMKING",
        "source": "tomking",
        "legs": legs_shown(order.legs, order.units, order.executions, directory, opens=opens),
    }
    if order.status is Status.CONTINGENT:
        body["contingent-status"] = "Pending Order"
    if ended:
        body["terminal-at"] = instant(at)
    if order.replaces is not None:
        body["replaces-order-id"] = order.replaces
    if order.reason:
        body["reject-reason"] = order.reason
    return body


def legs_shown(
    legs: Sequence[Leg], units: int, executions: Sequence[Execution], directory: Directory, *, opens: bool
) -> list[Json]:
    """The legs of an order with what of them is filled."""
    return [
        _leg_out(
            leg,
            units,
            [one for one in executions if one.contract == leg.contract],
            directory.listed(leg.contract),
            opens=opens,
        )
        for leg in legs
    ]


def _leg_out(leg: Leg, units: int, own: Sequence[Execution], listed: Listed, *, opens: bool) -> Json:
    words = _EITHER if listed.instrument is Instrument.FUTURE else _OPENING if opens else _CLOSING
    lots = int(leg.contract.multiplier) if listed.instrument is Instrument.EQUITY else 1
    total = abs(leg.ratio) * units
    filled = sum(abs(one.quantity) for one in own)
    return {
        "instrument-type": listed.instrument.value,
        "symbol": listed.symbol,
        "action": next(word for word, side in words.items() if side * leg.ratio > 0),
        "quantity": total * lots,
        "remaining-quantity": (total - filled) * lots,
        "fills": [_fill_out(one, lots) for one in own],
    }


def _fill_out(one: Execution, lots: int) -> Json:
    return {
        "fill-id": one.id,
        "quantity": str(abs(one.quantity) * lots),
        "fill-price": f"{one.price.normalize():f}",
        "filled-at": one.at.astimezone(UTC).isoformat(),
        "destination-venue": "TOMKING",
        "ext-exec-id": "0",
        "ext-group-fill-id": "0",
    }


def price_shown(net: Decimal) -> Json:
    """Unsigned, with its effect; an even price has none."""
    price: Json = {"price": f"{abs(net).normalize():f}"}
    return price if not net else {**price, "price-effect": "Credit" if net > 0 else "Debit"}


def _legs(value: object, directory: Directory, wrong: list[Wrong]) -> tuple[list[Leg], bool]:
    """The legs with their whole quantities, and whether the order opens."""
    items: Sequence[object] = value if isinstance(value, list) else []
    if not 1 <= len(items) <= MOST_LEGS:
        wrong.append(Wrong("invalid_legs", f"an order has 1 to {MOST_LEGS} legs, this one {len(items)}"))
    legs: list[Leg] = []
    effects: set[bool] = set()
    for item in items:
        leg = item if isinstance(item, Mapping) else {}
        action = str(leg.get("action"))
        side = {**_OPENING, **_CLOSING, **_EITHER}.get(action)
        if side is None:
            wrong.append(Wrong("invalid_action", f"action {action!r} is not known"))
            continue
        effects.add(action in _OPENING or action in _EITHER)
        try:
            contract = directory.contract(str(leg.get("symbol")))
            legs.append(Leg(contract, side * _quantity(leg, contract, directory)))
        except UnknownSymbol as error:
            wrong.append(Wrong("invalid_symbol", str(error)))
        except (InvalidOperation, ValueError) as error:
            wrong.append(Wrong("invalid_quantity", f"quantity {leg.get('quantity')!r} ({error})"))
    if len(effects) > 1:
        wrong.append(Wrong("mixed_position_effects", "an order opens or closes, not both"))
    return legs, True in effects


def _quantity(leg: Mapping[str, object], contract: Contract, directory: Directory) -> int:
    amount = Decimal(str(leg.get("quantity")))
    if directory.listed(contract).instrument is Instrument.EQUITY:
        amount /= contract.multiplier
    if not 0 < amount <= MOST_CONTRACTS or amount != amount.to_integral_value():
        raise ValueError(f"not a whole number of contracts from 1 to {MOST_CONTRACTS}")
    return int(amount)


def _price(body: Mapping[str, object], wrong: list[Wrong]) -> Decimal:
    effect = body.get("price-effect")
    try:
        price = Decimal(str(body.get("price")))
    except InvalidOperation:
        wrong.append(Wrong("invalid_price", f"price {body.get('price')!r} is no number"))
        return Decimal(0)
    if not price.is_finite() or not 0 <= price <= HIGHEST:
        wrong.append(Wrong("invalid_price", f"price {price} is not an amount"))
        return Decimal(0)
    if price and effect not in {"Credit", "Debit"}:
        wrong.append(Wrong("invalid_price_effect", f"price-effect {effect!r}"))
    return price if effect == "Credit" else -price


def _trigger(body: Mapping[str, object], wrong: list[Wrong]) -> Decimal | None:
    try:
        trigger = Decimal(str(body.get("stop-trigger")))
    except InvalidOperation:
        trigger = Decimal("NaN")
    if not trigger.is_finite() or not 0 < trigger <= HIGHEST:
        wrong.append(Wrong("invalid_stop_trigger", f"stop-trigger {body.get('stop-trigger')!r}"))
        return None
    return trigger


def _market_order(legs: int, force: str) -> list[Wrong]:
    wrong = []
    if legs != 1:
        wrong.append(Wrong("market_orders_are_single_leg", "a market order has one leg (T7)"))
    if force == "GTC":
        wrong.append(Wrong("gtc_market_orders_not_supported", "a market order is for the day"))
    return wrong


def _together(contracts: Sequence[Contract]) -> list[Wrong]:
    wrong = []
    if len(set(contracts)) < len(contracts):
        wrong.append(Wrong("duplicate_legs", "every leg has a different symbol"))
    if len({underlying(one.product) for one in contracts}) > 1:
        wrong.append(Wrong("mixed_underlyings", "all legs have one underlying"))
    return wrong
