"""Their words to ours and back, and nothing else: no network, no clock (tastytrade page, sections 4 to 6).

Bodies are plain JSON values.  Prices on the wire are unsigned beside an effect; here they are net points
per unit, credit positive.  What is not understood raises ``UnknownWord``: nobody guesses what a broker meant.
The one exception is ``order_id``, which finds the id of an order in an answer that is otherwise unreadable,
because an order that was accepted must never be lost (T12, T16).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import reduce
from math import gcd

from tomking.adapters.tastytrade.symbols import Directory, Instrument, Listed, UnknownSymbol
from tomking.domain.contract import Contract, Future, Option, Share
from tomking.domain.fees import FUTURE_FEES, OPTION_FEES
from tomking.domain.fees import fees as scheduled
from tomking.domain.money import ZERO
from tomking.domain.products import PRODUCTS, Settlement
from tomking.domain.structure import Leg, Structure
from tomking.execution.wire import (
    BrokerOrder,
    Execution,
    Kind,
    Place,
    Positions,
    Replace,
    Status,
    Transaction,
)

Json = Mapping[str, object]
SOURCE = "tomking"


class UnknownWord(ValueError):
    """An answer that holds a word, or lacks a field, that this program does not know."""


STATUSES = {
    "Received": Status.RECEIVED,
    "Routed": Status.RECEIVED,
    "In Flight": Status.RECEIVED,
    "Contingent": Status.CONTINGENT,
    "Live": Status.LIVE,
    "Cancel Requested": Status.CANCEL_REQUESTED,
    "Replace Requested": Status.REPLACE_REQUESTED,
    "Filled": Status.FILLED,
    "Cancelled": Status.CANCELLED,
    "Expired": Status.EXPIRED,
    "Rejected": Status.REJECTED,
    "Removed": Status.REMOVED,
    "Partially Removed": Status.PARTIALLY_REMOVED,
}
WORKING = (
    "Received", "Routed", "In Flight", "Contingent", "Live", "Cancel Requested", "Replace Requested",
)  # fmt: skip
"""Of an order that has not ended."""
ACTIONS = {
    (True, True): "Buy to Open",
    (True, False): "Sell to Open",
    (False, True): "Buy to Close",
    (False, False): "Sell to Close",
}
"""By (opens, bought)."""
_SIDES = {
    "Buy to Open": 1, "Buy to Close": 1, "Buy": 1, "Sell to Open": -1, "Sell to Close": -1, "Sell": -1,
}  # fmt: skip

KINDS = {
    "Expiration": Kind.EXPIRED,
    "Cash Settled Exercise": Kind.EXERCISED,
    "Cash Settled Assignment": Kind.ASSIGNED,
    "Exercise": Kind.EXERCISED,
    "Assignment": Kind.ASSIGNED,
}
"""``Receive Deliver`` by its sub-type, where it takes an option away."""
_FEES = ("regulatory-fees", "clearing-fees", "commission", "proprietary-index-option-fees")


# ------------------------------------------------------------------------------------ out


def placing(place: Place, directory: Directory) -> dict[str, object]:
    """The body of ``POST /accounts/{n}/orders``.

    ``UnknownSymbol`` for a contract no chain has shown.  Legs go out in lowest terms of the unit; a close
    carries strict position effect validation (T6).
    """
    body: dict[str, object] = {
        "time-in-force": "GTC" if place.good_till_cancelled else "Day",
        "order-type": "Limit",
        "source": SOURCE,
        "external-identifier": place.tag,
        "legs": [_leg_out(leg, place, directory.listed(leg.contract)) for leg in place.legs],
        **_price_out(_in_lowest_terms(place.limit, place.legs)),
    }
    if not place.opens:
        body["advanced-instructions"] = {"strict-position-effect-validation": True}
    return body


def replacing(replace: Replace, shown: BrokerOrder, *, good_till_cancelled: bool) -> dict[str, object]:
    """The body of ``PUT /accounts/{n}/orders/{id}``: legs cannot change and are left out (T3)."""
    return {
        "time-in-force": "GTC" if good_till_cancelled else "Day",
        "order-type": "Limit",
        "source": SOURCE,
        "external-identifier": replace.tag,
        **_price_out(_in_lowest_terms(replace.limit, shown.legs) / replace.terms),
    }


def _leg_out(leg: Leg, place: Place, listed: Listed) -> dict[str, object]:
    bought = leg.ratio > 0
    plain = "Buy" if bought else "Sell"
    is_future = listed.instrument is Instrument.FUTURE
    return {
        "instrument-type": listed.instrument.value,
        "symbol": listed.symbol,
        "action": plain if is_future else ACTIONS[place.opens, bought],
        "quantity": _lots(listed) * abs(leg.ratio) * place.units,
    }


def _lots(listed: Listed) -> int:
    """Things of the wire in one contract of ours: a ``Share`` is a lot of a hundred."""
    return int(listed.contract.multiplier) if listed.instrument is Instrument.EQUITY else 1


def _in_lowest_terms(limit: Decimal, legs: Sequence[Leg]) -> Decimal:
    """The net per smallest unit, which is what the API's price means."""
    return limit / reduce(gcd, (abs(leg.ratio) for leg in legs))


def _price_out(net: Decimal) -> dict[str, object]:
    """``{"price": "1.25", "price-effect": "Credit"}``; an even one has no effect."""
    price = f"{abs(net).normalize():f}"
    if not net:
        return {"price": price}
    return {"price": price, "price-effect": "Credit" if net > 0 else "Debit"}


# ------------------------------------------------------------------------------------ in


def order_id(body: object) -> str | None:
    """The id of the order in an answer, however broken the rest of it is; None when there is none."""
    for path in (("data", "order", "id"), ("data", "id"), ("order", "id"), ("id",)):
        found = _at(body, path)
        if isinstance(found, int | str) and not isinstance(found, bool) and str(found).strip():
            return str(found)
    return None


def tag_of(body: object) -> str:
    """The external identifier of an order object; empty when it has none."""
    tag = _at(body, ("external-identifier",))
    return tag if isinstance(tag, str) else ""


def lasts(body: object) -> bool:
    """Whether an order object is of one that is good till cancelled."""
    return str(_at(body, ("time-in-force",))).startswith("GTC")


def broker_order(data: object, directory: Directory) -> BrokerOrder:
    """One order object, REST or stream; ``UnknownWord``, ``UnknownSymbol`` when not all is understood.

    ``fees`` are the schedule's, as an order's object shows none: what was charged differently comes as a
    movement of money out of the transactions (``fee_differences``).
    """
    order = _mapping(data, "an order")
    legs_in = [_mapping(leg, "a leg") for leg in _list(order, "legs")]
    contracts = [directory.contract(_text(leg, "symbol")) for leg in legs_in]
    totals = [
        _side(leg) * _whole(leg, "quantity", contract)
        for leg, contract in zip(legs_in, contracts, strict=True)
    ]
    units = reduce(gcd, (abs(total) for total in totals), 0)
    if not units:
        raise UnknownWord(f"order {order.get('id')} has no quantity")
    executions = [
        _execution(fill, leg, contract)
        for leg, contract in zip(legs_in, contracts, strict=True)
        for fill in _optional_list(leg, "fills")
    ]
    replaced = order.get("replaces-order-id")
    return BrokerOrder(
        id=_text(order, "id"),
        tag=str(order.get("external-identifier") or ""),
        status=_status(order),
        legs=tuple(Leg(c, total // units) for c, total in zip(contracts, totals, strict=True)),
        units=units,
        limit=_signed(order, "price"),
        executions=tuple(executions),
        fees=_fees(executions, {c for leg, c in zip(legs_in, contracts, strict=True) if _opens(leg)}),
        replaces=None if replaced in {None, ""} else str(replaced),
        reason=str(order.get("reject-reason") or ""),
    )


def orders(items: Iterable[object], directory: Directory) -> tuple[list[BrokerOrder], list[str]]:
    """All that are understood, and a sentence for each that is not: somebody trades other things by hand."""
    known: list[BrokerOrder] = []
    said: list[str] = []
    for item in items:
        try:
            known.append(broker_order(item, directory))
        except (UnknownWord, UnknownSymbol) as error:
            said.append(f"order {order_id(item) or '?'}: {error}")
    return known, said


def positions(items: Iterable[object], balances: object, directory: Directory) -> Positions:
    """What the account holds, in contracts of ours, and its cash."""
    held: dict[Contract, int] = {}
    for item in items:
        one = _mapping(item, "a position")
        contract = directory.contract(_text(one, "symbol"))
        direction = _text(one, "quantity-direction")
        side = {"Long": 1, "Short": -1, "Zero": 0}.get(direction)
        if side is None:
            raise UnknownWord(f"{contract}: quantity-direction {direction!r}")
        held[contract] = held.get(contract, 0) + side * _whole(one, "quantity", contract)
    cash = _number(_mapping(balances, "balances"), "cash-balance")
    return Positions(tuple((c, n) for c, n in sorted(held.items(), key=_by_text) if n), cash)


def transactions(items: Iterable[object], directory: Directory) -> tuple[Transaction, ...]:
    """What changed the account without an order; trades and what only delivers are left out."""
    read = (_transaction(_mapping(item, "a transaction"), directory) for item in items)
    return tuple(one for one in read if one is not None)


def fee_differences(items: Iterable[object], directory: Directory) -> tuple[Transaction, ...]:
    """What the broker charged for trades beside what ``broker_order`` took from the schedule, by order.

    Only rows that show a fee count: one that shows none is not charged yet.  An order in which any row shows
    none is left for later.
    """
    rows: dict[str, list[Json]] = {}
    for item in items:
        one = _mapping(item, "a transaction")
        if one.get("transaction-type") == "Trade" and one.get("order-id"):
            rows.setdefault(_text(one, "order-id"), []).append(one)
    found = (_fee_difference(order, trades, directory) for order, trades in rows.items())
    return tuple(one for one in found if one is not None)


def _fee_difference(order: str, trades: Sequence[Json], directory: Directory) -> Transaction | None:
    if any(all(one.get(name) is None for name in _FEES) for one in trades):
        return None
    charged = -sum((_signed(one, name) for one in trades for name in _FEES), ZERO)
    executions, opening = [], set[Contract]()
    for one in trades:
        contract = directory.contract(_text(one, "symbol"))
        quantity = _side(one) * _whole(one, "quantity", contract)
        at = _instant(one, "executed-at")
        executions.append(Execution(_text(one, "id"), contract, quantity, ZERO, at))
        if _opens(one):
            opening.add(contract)
    expected = _fees(executions, opening)
    if charged == expected:
        return None
    at = max(one.at for one in executions)
    words = f"fees of order {order}: {charged} charged, {expected} by the schedule"
    return Transaction(f"fees-{order}", Kind.MONEY, at, expected - charged, ZERO, reason=words)


def _transaction(one: Json, directory: Directory) -> Transaction | None:
    type_, sub = _text(one, "transaction-type"), _text(one, "transaction-sub-type")
    dollars = _signed(one, "value")
    fees = -sum((_signed(one, name) for name in _FEES if one.get(name) is not None), ZERO)
    id_, at = _text(one, "id"), _instant(one, "executed-at")
    if type_ == "Money Movement":
        return Transaction(id_, Kind.MONEY, at, dollars, fees, reason=str(one.get("description") or sub))
    kind = KINDS.get(sub)
    if type_ != "Receive Deliver" or kind is None:
        return None
    contract = directory.contract(_text(one, "symbol"))
    if not isinstance(contract, Option):
        return None
    # Removing a long position is booked as a sale of it, removing a short one as a purchase.
    side = -1 if str(one.get("action") or "").startswith("Buy") or kind is Kind.ASSIGNED else 1
    return Transaction(
        id_,
        kind,
        at,
        dollars,
        fees,
        contract,
        side * _whole(one, "quantity", contract),
        _number(one, "price") if one.get("price") is not None else ZERO,
        reason=str(one.get("description") or sub),
    )


def _execution(data: object, leg: Json, contract: Contract) -> Execution:
    fill = _mapping(data, "a fill")
    quantity = _side(leg) * _whole(fill, "quantity", contract)
    return Execution(
        _text(fill, "fill-id"), contract, quantity, _number(fill, "fill-price"), _instant(fill, "filled-at")
    )


def _fees(executions: Sequence[Execution], opening: set[Contract]) -> Decimal:
    """By the schedule, dollars: what fills at one instant is one fill, which is rounded to the cent once."""
    total = ZERO
    for opens in (True, False):
        fills: dict[datetime, dict[Contract, int]] = {}
        for one in executions:
            if (one.contract in opening) is opens and _has_schedule(one.contract):
                fill = fills.setdefault(one.at, {})
                fill[one.contract] = fill.get(one.contract, 0) + one.quantity
        for fill in fills.values():
            legs = tuple(Leg(contract, count) for contract, count in fill.items() if count)
            total += scheduled(Structure("", legs), 1, opens=opens)
    return total


def _opens(leg: Json) -> bool:
    """Futures say neither; opening and closing one costs the same."""
    return str(leg.get("action")).endswith("to Open")


def _has_schedule(contract: Contract) -> bool:
    product = PRODUCTS[contract.product]
    if isinstance(contract, Share):
        return product.settlement is Settlement.SHARES
    return product.fee_class in (FUTURE_FEES if isinstance(contract, Future) else OPTION_FEES)


def _status(order: Json) -> Status:
    word = _text(order, "status")
    status = STATUSES.get(word)
    if status is None:
        raise UnknownWord(f"order {order.get('id')}: status {word!r} is not known")
    return status


def _side(leg: Json) -> int:
    action = _text(leg, "action")
    if action not in _SIDES:
        raise UnknownWord(f"action {action!r} is not known")
    return _SIDES[action]


def _signed(one: Json, name: str) -> Decimal:
    """An amount with its effect, credit positive; 0 where the amount is absent."""
    if one.get(name) is None:
        return ZERO
    amount = _number(one, name)
    effect = one.get(f"{name}-effect")
    if effect not in {"Credit", "Debit", "None", None} or (effect in {"None", None} and amount):
        raise UnknownWord(f"{name} of {amount} with effect {effect!r}")
    return -amount if effect == "Debit" else amount


def _whole(one: Json, name: str, contract: Contract) -> int:
    """Contracts; shares in lots of the options' size."""
    amount = _number(one, name)
    if not isinstance(contract, Option | Future):
        amount /= contract.multiplier
    if amount != amount.to_integral_value() or amount < 0:
        raise UnknownWord(f"{name} {one[name]!r} of {contract} is not a whole number of contracts")
    return int(amount)


def _number(one: Json, name: str) -> Decimal:
    try:
        number = Decimal(str(one[name]))
    except (KeyError, InvalidOperation) as error:
        raise UnknownWord(f"{name} is {one.get(name)!r}, not a number") from error
    if not number.is_finite():
        raise UnknownWord(f"{name} is {one[name]!r}")
    return number


def _text(one: Json, name: str) -> str:
    value = one.get(name)
    if value is None or not str(value).strip():
        raise UnknownWord(f"{name} is missing")
    return str(value)


def _instant(one: Json, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(_text(one, name))
    except ValueError as error:
        raise UnknownWord(f"{name} is {one[name]!r}, not an instant") from error
    if at.tzinfo is None:
        raise UnknownWord(f"{name} is {one[name]!r}, without a zone")
    return at.astimezone(UTC)


def _mapping(value: object, what: str) -> Json:
    if not isinstance(value, Mapping):
        raise UnknownWord(f"{what} is {type(value).__name__}, not an object")
    return value


def _list(one: Json, name: str) -> Sequence[object]:
    value = one.get(name)
    if not isinstance(value, list) or not value:
        raise UnknownWord(f"{name} is {value!r}, not a list of something")
    return value


def _optional_list(one: Json, name: str) -> Sequence[object]:
    return [] if one.get(name) in (None, []) else _list(one, name)


def _at(value: object, path: Sequence[str]) -> object:
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def _by_text(item: tuple[Contract, int]) -> str:
    return str(item[0])
