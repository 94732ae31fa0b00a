"""What an order would do to the account, and how it looks before it is one: the answers of a dry run."""

from decimal import Decimal

from tomking.adapters.tastytrade.symbols import underlying
from tomking.domain.money import ZERO
from tomking.risk.margin import Held
from tomking.venue.house import House
from tomking.venue.orders import Asked, Json, legs_shown, price_shown
from tomking.venue.replies import effect, with_effects

FEES = ("regulatory-fees", "clearing-fees", "proprietary-index-option-fees")
"""Shown as nothing: all is in the commission, which is the schedule's total."""


def effects(house: House, order: Asked) -> Json:
    """``buying-power-effect``, ``fee-calculation``, ``warnings`` and ``errors``."""
    before, fee = house.valuation(), house.fees(order)
    cash = (order.limit or ZERO) * order.units * order.legs[0].contract.multiplier - fee
    legs = [Held(leg.contract, leg.ratio * order.units) for leg in order.legs]
    after = house.valuation(legs, cash)
    change = after.buying_power - before.buying_power
    amounts = {
        "change-in-margin-requirement": before.margin - after.margin,
        "change-in-buying-power": change,
        "current-buying-power": before.buying_power,
        "new-buying-power": after.buying_power,
        "isolated-order-margin-requirement": before.margin - after.margin,
    }
    fees = {**dict.fromkeys(FEES, ZERO), "commission": -fee, "total-fees": -fee}
    power = {"is-spread": len(order.legs) > 1, "impact": str(abs(change)), "effect": effect(change)}
    return {
        "buying-power-effect": {**power, **with_effects(amounts)},
        "fee-calculation": with_effects(fees),
        "warnings": [],
        "errors": [],
    }


def unplaced(house: House, order: Asked) -> Json:
    """The order of a dry run: without an id."""
    first = house.directory.listed(order.legs[0].contract)
    shown: Json = {
        "account-number": house.number,
        "time-in-force": order.time_in_force,
        "order-type": order.kind,
        "size": order.units,
        "underlying-symbol": underlying(first.contract.product),
        "underlying-instrument-type": "Future" if first.symbol.startswith((".", "/")) else "Equity",
        "status": "Received",
        "cancellable": True,
        "editable": True,
        "edited": False,
        "updated-at": 0,
        "external-identifier": order.tag,
        "leg-count": len(order.legs),
        "legs": legs_shown(order.legs, order.units, (), house.directory, opens=order.opens),
    }
    if order.limit is not None:
        shown |= price_shown(order.limit)
    if order.trigger is not None:
        shown["stop-trigger"] = f"{Decimal(order.trigger).normalize():f}"
    return shown
