"""Margin estimates: what a broker would ask for a set of legs, in dollars.

1. Every short leg covered in its own expiration (condors, verticals, flies): the greatest loss at
   expiry less what was received.  Brokers ask no more for it, on futures either.
2. Anything else on futures: a scan of 16 scenarios as SPAN does it (``risk.scan``); a full contract and
   its micro are scanned together.
3. Options on shares: a long of the same right that lives as long covers a short, for what its strike is
   worse (the debit is paid in full, so a debit calendar asks no more); each uncovered one 20 % of the
   underlying less what it is out of the money, at least 10 % of the strike (puts) or of the underlying
   (calls), plus its value (Cboe margin manual, strategy-based margin).
4. Anything else on cash-settled indices: covered legs as in 1, each uncovered one 25 % of the
   underlying less what it is out of the money, at least 15 % (ruling 18), plus its value.

In 3 and 4 an uncovered put and an uncovered call ask for the greater of the two (``risk.paired``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.contract import Contract, Future, Share
from tomking.domain.kept import by_identity
from tomking.domain.money import cents
from tomking.domain.products import PRODUCTS, Settlement
from tomking.risk.paired import Rates, Row, asked, is_covered, on_index, on_shares, worst_payout
from tomking.risk.scan import scanned
from tomking.risk.settings import Settings

Floats = NDArray[np.float64]


# Asked of the same rows in many worlds and at many instants.
_is_covered = by_identity(is_covered)
_on_shares = by_identity(on_shares)
_on_index = by_identity(on_index)


@dataclass(frozen=True, slots=True)
class Held:
    """A contract and how many are held: bought > 0, sold < 0."""

    contract: Contract
    count: int


def margin(  # noqa: PLR0917 - all of them are needed, none has a default
    legs: Sequence[Held],
    mids: Floats,
    received: float,
    spot: float | None,
    vix: float | None,
    settings: Settings,
) -> Decimal | None:
    """Dollars for all ``legs`` (one underlying), >= 0; None when a price it needs is missing.

    mids      points, shape (n,), NaN where unknown; only uncovered legs need them
    received  points received for all legs, credit positive, in contracts of the first leg's size
    spot      points of the family's index
    vix       for the scan range; None counts as calm
    """
    level = np.nan if spot is None else spot
    calm = np.nan if vix is None else vix
    need = margins(legs, mids[:, None], received, np.array([level]), np.array([calm]), settings)[0]
    return cents(Decimal(repr(float(need)))) if np.isfinite(need) else None


def margins(  # noqa: PLR0917 - as above
    legs: Sequence[Held], mids: Floats, received: float, spots: Floats, vixes: Floats, settings: Settings
) -> Floats:
    """``margin`` in c worlds at once, dollars, (c,); NaN where a price it needs is missing.

    mids    points, (n, c)
    spots   points of the family's index, (c,)
    vixes   (c,); NaN counts as calm
    """
    first = legs[0].contract
    dollars, product, rows = float(first.multiplier), PRODUCTS[first.product], _rows(legs)
    if _is_covered(rows):
        return np.full(spots.size, round(dollars * max(0.0, worst_payout(rows) - received), 4))
    levels = spots * float(product.index_ratio)
    if product.settlement is Settlement.SHARES:
        rates = Rates(settings.equity_uncovered_share, settings.equity_uncovered_share_min, of_strike=True)
        points = asked(_on_shares(rows), rows, mids, levels, rates, settings) - min(received, 0.0)
    elif product.future:
        points = scanned(rows, mids, levels, vixes, product, settings)
    else:
        rates = Rates(settings.uncovered_share, settings.uncovered_share_min, of_strike=False)
        points = asked(_on_index(rows), rows, mids, levels, rates, settings)
    known = np.isfinite(levels) & np.logical_and.reduce(np.isfinite(mids), axis=0)
    need: Floats = np.where(known, (dollars * np.maximum(0.0, points)).round(4), np.nan)
    return need


def defined_risk(legs: Sequence[Held], received: float) -> Decimal | None:
    """Dollars lost at worst when every short leg is covered in its own expiration; else None."""
    rows = _rows(legs)
    if not is_covered(rows):
        return None
    return _dollars(max(0.0, worst_payout(rows) - received), float(legs[0].contract.multiplier))


def fallback(legs: Sequence[Held], spot: float | None, settings: Settings) -> Decimal:
    """Dollars without any quote: every short leg at a share of the underlying.

    Only so that a case without quotes never looks free; it is refused for its quotes anyway.
    """
    first = legs[0].contract
    level = (spot or 0.0) * float(PRODUCTS[first.product].index_ratio)
    shorts = -sum(held.count for held in legs if held.count < 0)
    return _dollars(shorts * level * settings.uncovered_share, float(first.multiplier))


def _rows(legs: Sequence[Held]) -> Sequence[Row]:
    """Counted in contracts of the first leg's size: on the model market components may differ in size."""
    return _rows_of(legs) if isinstance(legs, tuple) else _made_rows(legs)


def _made_rows(legs: Sequence[Held]) -> list[Row]:
    size = legs[0].contract.multiplier
    rows = []
    for held in legs:
        contract = held.contract
        same = contract.multiplier == size
        count = held.count if same else held.count * float(contract.multiplier / size)
        root = contract.product
        if isinstance(contract, Future | Share):
            rows.append(Row(contract.expiry, 0, 0.0, count, root))
        else:
            rows.append(Row(contract.expiry, int(contract.right), float(contract.strike), count, root))
    return rows


@by_identity
def _rows_of(legs: tuple[Held, ...]) -> list[Row]:
    return _made_rows(legs)


def _dollars(points: float, multiplier: float) -> Decimal:
    return cents(Decimal(repr(round(points * multiplier, 4))))
