"""Margin estimates: what a broker would ask for a set of legs, in dollars.

1. Every short leg covered in its own expiration (condors, verticals, flies): the greatest loss at
   expiry less what was received.  Brokers ask no more for it, on futures either.
2. Anything else on futures: a scan of 16 scenarios as SPAN does it (price 0, 1/3, 2/3 and 1 scan
   range up and down, each with volatility up and down, and twice an extreme move of which a share
   counts), at least a minimum per short option, plus the net value of what is short.
3. Options on shares: a long of the same right that lives as long covers a short, for what its strike is
   worse (the debit is paid in full, so a debit calendar asks no more); each uncovered one 20 % of the
   underlying less what it is out of the money, at least 10 % of the strike (puts) or of the underlying
   (calls), plus its value (Cboe margin manual, strategy-based margin).
4. Anything else on cash-settled indices: covered legs as in 1, each uncovered one 25 % of the
   underlying less what it is out of the money, at least 15 % (ruling 18), plus its value.

Volatility is scanned relative to what the mids imply, so time cancels: total volatilities (over
the whole life) are implied and repriced, and no clock is needed.  Discounting is left out: over a
scan it moves the result by less than one per cent.

Source of the method: CME, "SPAN methodology" (scanning risk, short option minimum, net option
value); the parameters are ours (docs/decisions/201-margin-scan.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from operator import itemgetter

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.domain.contract import Contract, Future, Share
from tomking.domain.money import cents
from tomking.domain.products import PRODUCTS, Settlement
from tomking.pricing.black import black_price
from tomking.pricing.implied import implied_one
from tomking.risk.settings import Settings

Floats = NDArray[np.float64]
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Held:
    """A contract and how many are held: bought > 0, sold < 0."""

    contract: Contract
    count: int


@dataclass(frozen=True, slots=True)
class _Row:
    """A leg in plain numbers."""

    expiry: date
    right: int
    """+1 call, -1 put, 0 future or shares."""
    strike: float
    count: float
    mid: float


def margin(  # noqa: PLR0917 - all of them are needed, none has a default
    legs: Sequence[Held],
    mids: Floats,
    received: float,
    spot: float | None,
    vix: float | None,
    settings: Settings,
) -> Decimal | None:
    """Dollars for all ``legs`` (one underlying, one size), >= 0; None when a price it needs is missing.

    mids      points, shape (n,), NaN where unknown; only uncovered legs need them
    received  points received for all legs, credit positive
    spot      points of the family's index
    vix       for the scan range; None counts as calm
    """
    first = legs[0].contract
    dollars = float(first.multiplier)
    rows = _rows(legs, mids)
    if _is_covered(rows):
        return _dollars(max(0.0, _worst(rows) - received), dollars)
    product = PRODUCTS[first.product]
    if spot is None or not math.isfinite(sum(row.mid for row in rows)):
        return None
    level = spot * float(product.index_ratio)
    if product.settlement is Settlement.SHARES:
        return _dollars(max(0.0, _on_shares(rows, level, settings) - min(received, 0.0)), dollars)
    points = (_scanned if product.future else _uncovered)(rows, level, vix, settings)
    return _dollars(points, dollars) if math.isfinite(points) else None


def defined_risk(legs: Sequence[Held], received: float) -> Decimal | None:
    """Dollars lost at worst when every short leg is covered in its own expiration; else None."""
    rows = _rows(legs, np.zeros(len(legs)))
    if not _is_covered(rows):
        return None
    return _dollars(max(0.0, _worst(rows) - received), float(legs[0].contract.multiplier))


def fallback(legs: Sequence[Held], spot: float | None, settings: Settings) -> Decimal:
    """Dollars without any quote: every short leg at a share of the underlying.

    Only so that a case without quotes never looks free; it is refused for its quotes anyway.
    """
    first = legs[0].contract
    level = (spot or 0.0) * float(PRODUCTS[first.product].index_ratio)
    shorts = -sum(held.count for held in legs if held.count < 0)
    return _dollars(shorts * level * settings.uncovered_share, float(first.multiplier))


def _rows(legs: Sequence[Held], mids: Floats) -> list[_Row]:
    """Counted in contracts of the first leg's size: on the model market components may differ in size."""
    size = legs[0].contract.multiplier
    rows = []
    for held, mid in zip(legs, mids.tolist(), strict=True):
        contract = held.contract
        same = contract.multiplier == size
        count = held.count if same else held.count * float(contract.multiplier / size)
        if isinstance(contract, Future | Share):
            rows.append(_Row(contract.expiry, 0, 0.0, count, mid))
        else:
            rows.append(_Row(contract.expiry, int(contract.right), float(contract.strike), count, mid))
    return rows


def _is_covered(rows: Sequence[_Row]) -> bool:
    balance: dict[tuple[date, int], float] = {}
    for row in rows:
        if row.right == 0:
            return False
        key = (row.expiry, row.right)
        balance[key] = balance.get(key, 0) + row.count
    return all(count >= -ROUNDING for count in balance.values())


def _worst(rows: Sequence[_Row]) -> float:
    """Greatest payout over all expirations, points >= 0: the payoff bends at strikes only."""
    total = 0.0
    for expiry in {row.expiry: None for row in rows}:
        mine = [row for row in rows if row.expiry == expiry]
        kinks = [0.0, *(row.strike for row in mine)]
        payoffs = [
            sum(row.count * max(row.right * (kink - row.strike), 0.0) for row in mine) for kink in kinks
        ]
        total += max(0.0, -min(payoffs))
    return total


def _scanned(rows: Sequence[_Row], level: float, vix: float | None, settings: Settings) -> float:
    span = scan_range(level, vix, settings)
    columns = np.array([(r.mid, r.strike, r.right, r.count) for r in rows], dtype=np.float64)
    risk = scan_loss(
        level,
        columns,
        span,
        settings.vol_scan_share,
        settings.extreme_multiple,
        settings.extreme_cover,
    )
    shorts = -sum(row.count for row in rows if row.count < 0 and row.right)
    short_value = -sum(row.count * row.mid for row in rows if row.right)
    least = shorts * span * settings.short_minimum_share
    return max(0.0, max(risk, least) + short_value)


def scan_range(level: float, vix: float | None, settings: Settings) -> float:
    """Points the underlying is moved either way: 6 % up to VIX 20, then with the root of VIX."""
    calm = settings.scan_vix
    stretch = 1.0 if vix is None or vix <= calm else math.sqrt(vix / calm)
    return level * settings.scan_share * stretch


def _uncovered(rows: Sequence[_Row], level: float, vix: float | None, settings: Settings) -> float:
    """Longs cover the shorts farthest from the money, so that the nearest count as uncovered."""
    covered: list[_Row] = []
    total = 0.0
    for expiry, right in {(row.expiry, row.right): None for row in rows}:
        side = [row for row in rows if (row.expiry, row.right) == (expiry, right)]
        cover = sum(row.count for row in side if row.count > 0)
        covered += [row for row in side if row.count > 0]
        for row in sorted(side, key=lambda r: r.right * r.strike, reverse=True):
            if row.count > 0:
                continue
            hidden = min(cover, -row.count)
            cover -= hidden
            naked = -row.count - hidden
            if hidden:
                covered.append(replace(row, count=-hidden))
            total += naked * (_naked(row, level, settings) + row.mid)
    return total + (_worst(covered) if covered else 0.0)


def _on_shares(rows: Sequence[_Row], level: float, settings: Settings) -> float:
    """The shorts nearest the money are paired first, each with the long that costs the least beside it."""
    stock = sum(abs(row.count) for row in rows if row.right == 0)
    total = stock * settings.stock_share * level
    for right in (1, -1):
        free = {row: row.count for row in rows if row.right == right and row.count > 0}
        shorts = [row for row in rows if row.right == right and row.count < 0]
        for short in sorted(shorts, key=lambda r: r.right * r.strike):
            left = -short.count
            cover = [(_gap(short, row), row.expiry, row) for row in free if row.expiry >= short.expiry]
            for _, _, long in sorted(cover, key=itemgetter(0, 1)):
                used = min(left, free[long])
                total += used * _gap(short, long)
                free[long] -= used
                left -= used
            total += left * (_naked_on_shares(short, level, settings) + short.mid)
    return total


def _gap(short: _Row, long: _Row) -> float:
    """Points by which the long's strike is worse."""
    return max(0.0, short.right * (long.strike - short.strike))


def _naked_on_shares(row: _Row, level: float, settings: Settings) -> float:
    out = max(0.0, row.right * (row.strike - level))
    least = settings.equity_uncovered_share_min * (level if row.right > 0 else row.strike)
    return max(settings.equity_uncovered_share * level - out, least)


def _naked(row: _Row, level: float, settings: Settings) -> float:
    out = max(0.0, row.right * (row.strike - level))
    return max(settings.uncovered_share * level - out, settings.uncovered_share_min * level)


def _dollars(points: float, multiplier: float) -> Decimal:
    return cents(Decimal(repr(round(points * multiplier, 4))))


@njit(cache=True, error_model="numpy")
def scan_loss(  # noqa: PLR0917
    level: float, legs: Floats, span: float, vol_scan: float, extreme: float, cover: float
) -> float:
    """Greatest loss over the 16 scenarios, points >= 0; NaN when a mid has no meaning.

    level     of the underlying, points, > 0
    legs      shape (n, 4): mid, strike, right (+1, -1, 0 for the future), count
    span      scan range, points
    vol_scan  relative move of volatility, 0.25 = 25 %
    extreme   scan ranges of the extreme move
    cover     share of its loss that counts
    """
    vols = np.zeros(legs.shape[0])
    for i in range(legs.shape[0]):
        if legs[i, 2] != 0.0:
            # Codes: 1 and 3 leave intrinsic value only, 2 and 4 are no prices.
            vols[i], code = implied_one(legs[i, 0], level, legs[i, 1], 1.0, 1.0, legs[i, 2])
            if code in (2, 4):
                return math.nan
            if code != 0:
                vols[i] = 0.0
    base = _value(level, legs, vols, 1.0)
    worst = 0.0
    for step in range(-3, 4):
        moved = max(level + span * step / 3.0, 0.01 * level)
        for shift in (1.0 - vol_scan, 1.0 + vol_scan):
            worst = max(worst, base - _value(moved, legs, vols, shift))
    for sign in (-1.0, 1.0):
        moved = max(level + sign * extreme * span, 0.01 * level)
        worst = max(worst, cover * (base - _value(moved, legs, vols, 1.0)))
    return worst


@njit(cache=True, error_model="numpy")
def _value(level: float, legs: Floats, vols: Floats, shift: float) -> float:
    total = 0.0
    for i in range(legs.shape[0]):
        right = legs[i, 2]
        if right == 0.0:
            price = level
        elif vols[i] <= 0.0:
            price = max(right * (level - legs[i, 1]), 0.0)
        else:
            price = black_price(level, legs[i, 1], 1.0, vols[i] * shift, 1.0, right)
        total += legs[i, 3] * price
    return total
