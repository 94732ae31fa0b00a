"""An account as REST and the streams show it: status, balances, positions, transactions (appendix B)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tomking.adapters.tastytrade.symbols import Directory, Instrument, underlying
from tomking.domain.calendar import new_york
from tomking.domain.contract import Contract
from tomking.domain.money import ZERO, cents
from tomking.execution.wire import Execution, Kind, Positions, Transaction
from tomking.venue.listings import instant

Json = dict[str, object]
OPENED = "2020-01-02T14:30:00.000+00:00"

_FLAGS_OFF = (
    "has-intraday-equities-margin", "is-aggregated-at-clearing", "is-closed", "is-closing-only",
    "is-cryptocurrency-enabled", "is-frozen", "is-full-equity-margin-required", "is-futures-closing-only",
    "is-in-day-trade-equity-maintenance-call", "is-in-margin-call", "is-pattern-day-trader",
    "is-equity-offering-enabled", "is-equity-offering-closing-only",
)  # fmt: skip
_FLAGS_ON = (
    "is-futures-intra-day-enabled", "is-futures-enabled", "is-small-notional-futures-intra-day-enabled",
    "is-roll-the-day-forward-enabled", "are-far-otm-net-options-restricted", "short-calls-enabled",
)  # fmt: skip
_NOTHING = (
    "long-equity-value", "short-equity-value", "long-futures-value", "short-futures-value",
    "long-futures-derivative-value", "short-futures-derivative-value", "long-margineable-value",
    "short-margineable-value", "day-trading-buying-power", "maintenance-call-value", "reg-t-call-value",
    "day-trading-call-value", "day-equity-call-value", "day-trade-excess", "pending-cash",
    "long-cryptocurrency-value", "short-cryptocurrency-value", "cryptocurrency-margin-requirement",
    "unsettled-cryptocurrency-fiat-amount", "closed-loop-available-balance",
    "equity-offering-margin-requirement", "long-bond-value", "bond-margin-requirement",
    "futures-overnight-margin-requirement", "futures-intraday-margin-requirement",
    "pending-margin-interest", "effective-cryptocurrency-buying-power",
)  # fmt: skip
"""Balances that an account of options never has."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """What an account is worth at an instant, dollars."""

    cash: Decimal
    long_options: Decimal
    short_options: Decimal
    """>= 0: what it would cost to buy them back."""
    margin: Decimal
    """Requirement of all positions, >= 0."""

    @property
    def net_liq(self) -> Decimal:
        return self.cash + self.long_options - self.short_options

    @property
    def buying_power(self) -> Decimal:
        return self.net_liq - self.margin


def account(number: str) -> Json:
    """The ``account`` of ``/customers/me/accounts``."""
    return {
        "account-number": number,
        "opened-at": OPENED,
        "created-at": OPENED,
        "nickname": "tomking sandbox",
        "account-type-name": "Individual",
        "is-closed": False,
        "day-trader-status": False,
        "is-firm-error": False,
        "is-firm-proprietary": False,
        "is-futures-approved": True,
        "margin-or-cash": "Margin",
        "is-foreign": False,
        "is-test-drive": False,
    }


def customer() -> Json:
    """``/customers/me``: nobody."""
    address = {
        "city": "Chicago", "country": "USA", "is-domestic": True, "is-foreign": False, "postal-code": "60601",
        "state-region": "IL", "street-one": "1 Test St",
    }  # fmt: skip
    margin_types = [{"name": "Reg T", "is_margin": True}]
    kind = {
        "name": "Individual", "description": "Individual", "is_tax_advantaged": False,
        "is_publicly_available": True, "has_multiple_owners": False, "margin_types": margin_types,
    }  # fmt: skip
    return {
        "id": "me", "first-name": "Paper", "last-name": "Trader", "address": address,
        "mailing-address": address, "is-foreign": False, "usa-citizenship-type": "Citizen",
        "mobile-phone-number": "+10000000000", "birth-date": "1980-01-01", "email": "paper@example.com",
        "tax-number-type": "SSN", "subject-to-tax-withholding": False, "has-industry-affiliation": False,
        "has-listed-affiliation": False, "has-political-affiliation": False, "has-delayed-quotes": False,
        "has-pending-or-approved-application": True, "is-professional": False,
        "permitted-account-types": [kind], "created-at": OPENED,
    }  # fmt: skip


def trading_status(number: str, now: datetime) -> Json:
    """``/accounts/{n}/trading-status``: everything an options seller needs is allowed."""
    return {
        "account-number": number,
        "equities-margin-calculation-type": "REG_T",
        "fee-schedule-name": "standard",
        "futures-margin-rate-multiplier": "1.0",
        "small-notional-futures-margin-rate-multiplier": "1.0",
        "id": 1,
        "options-level": "No Restrictions",
        **dict.fromkeys(_FLAGS_OFF, False),
        **dict.fromkeys(_FLAGS_ON, True),
        "updated-at": instant(now),
    }


def balances(number: str, worth: Valuation, now: datetime) -> Json:
    """``/accounts/{n}/balances``: all fields, in REST and in every notification."""
    power = str(max(worth.buying_power, ZERO))
    return {
        "account-number": number,
        "currency": "USD",
        "cash-balance": str(worth.cash),
        **dict.fromkeys(_NOTHING, "0.0"),
        "long-derivative-value": str(worth.long_options),
        "short-derivative-value": str(worth.short_options),
        "margin-equity": str(worth.net_liq),
        "net-liquidating-value": str(worth.net_liq),
        "equity-buying-power": power,
        "derivative-buying-power": power,
        "used-derivative-buying-power": str(worth.margin),
        "available-trading-funds": power,
        "maintenance-requirement": str(worth.margin),
        "maintenance-excess": power,
        "reg-t-margin-requirement": str(worth.margin),
        "futures-margin-requirement": "0.0",
        "cash-available-to-withdraw": power,
        "snapshot-date": new_york(now).date().isoformat(),
        "updated-at": instant(now),
    }


def positions(  # noqa: PLR0917 - rows and what they are made of
    number: str,
    held: Positions,
    costs: Mapping[Contract, Decimal],
    marks: Mapping[Contract, Decimal],
    directory: Directory,
    now: datetime,
) -> list[Json]:
    """``/accounts/{n}/positions``; costs: average opening prices, marks: mids, points."""
    return [
        _position(number, contract, quantity, costs.get(contract, ZERO), marks.get(contract), directory, now)
        for contract, quantity in held.held
    ]


def gone(number: str, contract: Contract, directory: Directory, now: datetime) -> Json:
    """A position that is no more, as the stream tells it."""
    row = _position(number, contract, 0, ZERO, None, directory, now)
    return {**row, "quantity-direction": "Zero", "cost-effect": "None"}


def _position(  # noqa: PLR0917 - one row and what it is made of
    number: str,
    contract: Contract,
    quantity: int,
    cost: Decimal,
    mark: Decimal | None,
    directory: Directory,
    now: datetime,
) -> Json:
    listed = directory.listed(contract)
    shares = listed.instrument is Instrument.EQUITY
    size = int(contract.multiplier) if shares else 1
    row: Json = {
        "account-number": number,
        "symbol": listed.symbol,
        "instrument-type": listed.instrument.value,
        "underlying-symbol": underlying(contract.product),
        "quantity": str(abs(quantity) * size),
        "quantity-direction": "Long" if quantity > 0 else "Short",
        "close-price": str(mark if mark is not None else cost),
        "average-open-price": f"{round(cost, 4).normalize():f}",
        "multiplier": 1 if shares else float(contract.multiplier),
        "cost-effect": "Credit" if quantity > 0 else "Debit",
        "is-suppressed": False,
        "is-frozen": False,
        "restricted-quantity": "0.0",
        "realized-day-gain": "0.0",
        "realized-day-gain-effect": "None",
        "realized-today": "0.0",
        "realized-today-effect": "None",
        "created-at": instant(now),
        "updated-at": instant(now),
    }
    return row if mark is None else {**row, "mark": str(mark), "mark-price": str(mark)}


WORDS = {
    Kind.EXPIRED: ("Receive Deliver", "Expiration"),
    Kind.EXERCISED: ("Receive Deliver", "Exercise"),
    Kind.ASSIGNED: ("Receive Deliver", "Assignment"),
    Kind.MONEY: ("Money Movement", "Balance Adjustment"),
}


def transaction(number: str, id_: int, one: Transaction, directory: Directory) -> Json:
    """An expiry, an exercise, an assignment or money, as ``/accounts/{n}/transactions`` shows it."""
    type_, sub = WORDS[one.kind]
    cash_settled = one.dollars and one.delivered is None and one.kind is not Kind.MONEY
    row = _transaction(number, id_, type_, f"Cash Settled {_settled(one)}" if cash_settled else sub, one.at)
    row |= {
        "description": one.reason or f"{sub} of {one.contract}",
        **_effect("value", one.dollars),
        **_effect("net-value", one.dollars - one.fees),
        **_effect("clearing-fees", -one.fees),
    }
    if one.contract is None:
        return row
    listed = directory.listed(one.contract)
    return {
        **row,
        "symbol": listed.symbol,
        "instrument-type": listed.instrument.value,
        "underlying-symbol": underlying(one.contract.product),
        "action": "Sell to Close" if one.quantity > 0 else "Buy to Close",
        "quantity": str(abs(one.quantity)),
        "price": str(one.price),
    }


def trade(number: str, id_: int, one: Execution, order: int, *, opens: bool, directory: Directory) -> Json:
    """One execution, as ``/accounts/{n}/transactions`` shows it."""
    listed = directory.listed(one.contract)
    side = "Buy" if one.quantity > 0 else "Sell"
    sub = f"{side} to {'Open' if opens else 'Close'}"
    value = cents(-one.quantity * one.price * one.contract.multiplier)
    return {
        **_transaction(number, id_, "Trade", sub, one.at),
        "description": f"{sub} {abs(one.quantity)} {listed.symbol} @ {one.price}",
        **_effect("value", value),
        **_effect("net-value", value),
        "symbol": listed.symbol,
        "instrument-type": listed.instrument.value,
        "underlying-symbol": underlying(one.contract.product),
        "action": sub,
        "quantity": str(abs(one.quantity)),
        "price": str(one.price),
        "order-id": order,
        "leg-count": 1,
        "exec-id": one.id,
    }


def _settled(one: Transaction) -> str:
    return "Exercise" if one.quantity > 0 else "Assignment"


def _transaction(number: str, id_: int, type_: str, sub: str, at: datetime) -> Json:
    return {
        "id": id_,
        "account-number": number,
        "transaction-type": type_,
        "transaction-sub-type": sub,
        "executed-at": instant(at),
        "transaction-date": new_york(at).date().isoformat(),
        "is-estimated-fee": False,
    }


def _effect(name: str, dollars: Decimal) -> Json:
    effect = "None" if not dollars else "Credit" if dollars > 0 else "Debit"
    return {name: str(abs(dollars)), f"{name}-effect": effect}
