"""What a fill costs: commission, clearing, exchange and regulatory fees, per contract and side.

Source: methodology D.6 (the broker's schedule of 2025; values marked ~ there are estimates).
Rounded half-even to the cent once per fill, never per leg.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tomking.domain.contract import Future, Share
from tomking.domain.money import ZERO, cents
from tomking.domain.products import PRODUCTS, Settlement
from tomking.domain.structure import Leg, Structure

AS_OF = date(2025, 1, 1)
"""The schedule's year."""

EXERCISE = Decimal("5.00")
"""Dollars per contract exercised or assigned; cash settlement is an exercise too."""

_ORF = Decimal("0.02685")
_TAF = Decimal("0.00279")
_NFA = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class Fee:
    """One row of D.6: dollars per contract."""

    open: Decimal
    """Commission for opening."""
    close: Decimal
    """Commission for closing."""
    clearing: Decimal
    exchange: Decimal
    regulatory: Decimal
    """Both sides: ORF for options on an index, NFA for futures and their options."""
    on_sells: Decimal
    """FINRA's trading activity fee, on contracts sold only."""
    exchange_free_below: int = 0
    """A leg of fewer contracts pays no exchange fee."""
    leg_cap: Decimal | None = None
    """Most commission for one leg of one fill, dollars."""


def _fee(
    text: str,
    regulatory: Decimal,
    on_sells: Decimal = ZERO,
    free_below: int = 0,
    leg_cap: Decimal | None = None,
) -> Fee:
    opening, closing, clearing, exchange = (Decimal(n) for n in text.split())
    return Fee(opening, closing, clearing, exchange, regulatory, on_sells, free_below, leg_cap)


#                                   open close clearing exchange
OPTION_FEES: dict[str, Fee] = {
    "index": _fee("              1.00 0.00 0.10     0.65", _ORF, _TAF),
    "xsp": _fee("                1.00 0.00 0.10     0.07", _ORF, _TAF, free_below=10),
    "equity": _fee("             1.00 0.00 0.10     0.00", _ORF, _TAF, leg_cap=Decimal(10)),
    "future": _fee("             2.50 0.00 0.30     0.60", _NFA),
    "micro": _fee("              1.50 0.00 0.30     0.22", _NFA),
    "commodity": _fee("          2.50 0.00 0.30     1.50", _NFA),
    "micro_commodity": _fee("    1.50 0.00 0.30     0.60", _NFA),
    "rates": _fee("              2.50 0.00 0.30     0.90", _NFA),
    "fx": _fee("                 2.50 0.00 0.30     1.00", _NFA),
}
"""By ``Product.fee_class``: SPX, SPXW and VIX; XSP; funds and stocks; options on ES and NQ, on MES and MNQ,
on CL and GC, on MCL and MGC, on ZB and ZN, on 6E.  All exchange fees are estimates (~) in D.6."""

FUTURE_FEES: dict[str, Fee] = {
    "future": _fee("             1.25 1.25 0.30     1.38", _NFA),
    "micro": _fee("              0.85 0.85 0.30     0.35", _NFA),
    "commodity": _fee("          1.25 1.25 0.30     1.60", _NFA),
    "micro_commodity": _fee("    0.85 0.85 0.30     0.50", _NFA),
    "rates": _fee("              1.25 1.25 0.30     0.87", _NFA),
    "fx": _fee("                 1.25 1.25 0.30     1.60", _NFA),
}
"""The futures that an exercise delivers, by the same key.  D.6 has ES and MES; the other exchange fees are
estimates of the same kind.  VX has none: it is never traded (A.5)."""

SHARE_CLEARING, SHARE_TAF = Decimal("0.0008"), Decimal("0.000166")
"""Dollars per share, the second on sales only: what shares from an assignment cost; no commission.  The SEC's
fee on sales has been 0 since 2025-05-14 and is left out."""


def fees(structure: Structure, units: int, *, opens: bool) -> Decimal:
    """Dollars for filling ``units`` of ``structure`` as traded, >= 0, rounded once to the cent.

    For a closing order ``structure`` is the inverse of what is held: a leg with ratio < 0 is a sale.
    """
    return cents(sum((_leg_fee(leg, units, opens=opens) for leg in structure.legs), ZERO))


def round_trip(structure: Structure, units: int = 1) -> Decimal:
    """Dollars for opening and closing ``units`` in one fill each: what a wish is judged by."""
    return fees(structure, units, opens=True) + fees(structure.inverse(), units, opens=False)


def _leg_fee(leg: Leg, units: int, *, opens: bool) -> Decimal:
    count = abs(leg.ratio) * units
    if isinstance(leg.contract, Share):
        return _share_fee(leg.contract, count, sold=leg.is_short)
    fee = _row(leg)
    commission = (fee.open if opens else fee.close) * count
    if fee.leg_cap is not None:
        commission = min(commission, fee.leg_cap)
    each = fee.clearing + fee.regulatory
    if count >= fee.exchange_free_below:
        each += fee.exchange
    if leg.is_short:
        each += fee.on_sells
    return commission + each * count


def _share_fee(share: Share, count: int, *, sold: bool) -> Decimal:
    """Of ``count`` lots, each of the contract's multiplier of shares."""
    real = PRODUCTS[share.product].settlement is Settlement.SHARES
    assert real, f"no fee schedule for {share}: nobody trades it"
    return (SHARE_CLEARING + (SHARE_TAF if sold else ZERO)) * share.multiplier * count


def _row(leg: Leg) -> Fee:
    table = FUTURE_FEES if isinstance(leg.contract, Future) else OPTION_FEES
    key = PRODUCTS[leg.contract.product].fee_class
    assert key in table, f"no fee schedule for {leg.contract}: it is not traded"
    return table[key]
