"""What closes an account that nobody keeps a book of: in which orders, in which turn, at which limit.

Nothing is known but what the broker holds.  So spreads are found again from the contracts:

1. Short options and long ones of their product and right that live as long are paired, the nearest first: one
   order for both, at one net price, can never leave a leg behind.
2. Two such pairs of one expiry, puts and calls, go as one order of four legs (T7).
3. A short that finds no cover is bought back by itself, before all else.
4. What is long and left over is sold once no short is left that it could cover; futures and shares last.

Limits only, never a market order (D.1).  The ladder is D.1's for emergencies: the mid less 50, 100, 150 % of
the spread, ten seconds each; its cap of twice the spread can never bind.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tomking.domain.chain import Quote
from tomking.domain.contract import Contract, Future, Option, Right, Share
from tomking.domain.money import ZERO, on_grid_above, on_grid_below
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg, Structure

CONCESSIONS = (Decimal(1), Decimal(2), Decimal(3))
"""Half-spreads from the mid: 1 is the natural."""

Held = Mapping[Contract, int]
"""Contracts, > 0 long, < 0 short."""


@dataclass(frozen=True, slots=True)
class Closing:
    """One closing order, as traded: a leg that is bought back has a ratio above zero."""

    legs: tuple[Leg, ...]
    units: int

    @property
    def is_single(self) -> bool:
        return len(self.legs) == 1

    @property
    def contracts(self) -> tuple[Contract, ...]:
        return tuple(leg.contract for leg in self.legs)

    def __str__(self) -> str:
        return f"{self.units} x {' / '.join(map(str, self.legs))}"


@dataclass(frozen=True, slots=True)
class _Pair:
    short: Option
    long: Option
    units: int

    @property
    def is_vertical(self) -> bool:
        return self.short.expiry == self.long.expiry

    def closing(self, other: "_Pair | None" = None, units: int = 0) -> Closing:
        pairs = (self,) if other is None else (self, other)
        legs = tuple(leg for p in pairs for leg in (Leg(p.short, 1), Leg(p.long, -1)))
        return Closing(legs, units or self.units)


def closings(
    free: Held, exposed: Held, *, apart: Collection[Contract] = (), shares: bool = False
) -> list[Closing]:
    """What may be sent now, in the order in which it should be.

    free     what no working order reserves
    exposed  shorts (< 0) that are held and that no spread order of ours closes, those in ``free`` included
    apart    contracts whose spread order did not work: closed one by one
    shares   whether shares are closed too
    """
    pairs = _pairs(free, apart)
    left = dict(free)
    open_shorts = {c: q for c, q in exposed.items() if q < 0}
    for pair in pairs:
        left[pair.short] += pair.units
        left[pair.long] -= pair.units
        open_shorts[pair.short] += pair.units
    naked = [c for c, q in open_shorts.items() if q < 0 and isinstance(c, Option)]
    first = [Closing((Leg(c, 1),), -q) for c, q in _sorted(left) if q < 0 and isinstance(c, Option)]
    return [*first, *_combined(pairs), *_last(left, naked, shares=shares)]


def _pairs(free: Held, apart: Collection[Contract]) -> list[_Pair]:
    """The nearest two first, as many units as both have."""
    options = [(c, q) for c, q in _sorted(free) if isinstance(c, Option) and c not in apart]
    left = {c: abs(q) for c, q in options}
    near = [
        (short, long)
        for short, sold in options
        for long, bought in options
        if sold < 0 < bought and _covers(long, short)
    ]
    pairs = []
    for short, long in sorted(near, key=lambda pair: _distance(pair[1], pair[0])):
        units = min(left[short], left[long])
        if units:
            pairs.append(_Pair(short, long, units))
            left[short] -= units
            left[long] -= units
    return pairs


def _covers(long: Option, short: Option) -> bool:
    """Whether both may be legs of one order, and the long one lives as long as the short one."""
    alike = (long.product, long.right, long.multiplier, long.tick) == (
        short.product,
        short.right,
        short.multiplier,
        short.tick,
    )
    return alike and long.expiry >= short.expiry


def _distance(long: Option, short: Option) -> tuple[int, Decimal, str, str]:
    return (long.expiry - short.expiry).days, abs(long.strike - short.strike), str(short), str(long)


def _combined(pairs: Sequence[_Pair]) -> Iterator[Closing]:
    """Verticals of puts and calls of one expiry two by two; everything else as it is."""
    verticals = [p for p in pairs if p.is_vertical]
    yield from (p.closing() for p in pairs if not p.is_vertical)
    boards = dict.fromkeys((p.short.product, p.short.expiry, p.short.multiplier) for p in verticals)
    for board in boards:
        here = [p for p in verticals if (p.short.product, p.short.expiry, p.short.multiplier) == board]
        puts = [p for p in here if p.short.right is Right.PUT]
        calls = [p for p in here if p.short.right is Right.CALL]
        yield from _two_by_two(puts, calls)


def _two_by_two(puts: list[_Pair], calls: list[_Pair]) -> Iterator[Closing]:
    """The put side nearest the money with the call side nearest to it, by as many units as both have."""
    puts = sorted(puts, key=lambda p: -p.short.strike)
    calls = sorted(calls, key=lambda p: p.short.strike)
    while puts and calls:
        put, call = puts.pop(0), calls.pop(0)
        units = min(put.units, call.units)
        yield put.closing(call, units)
        if put.units > units:
            puts.insert(0, _Pair(put.short, put.long, put.units - units))
        if call.units > units:
            calls.insert(0, _Pair(call.short, call.long, call.units - units))
    yield from (p.closing() for p in (*puts, *calls))


def _last(left: Held, naked: Sequence[Option], *, shares: bool) -> Iterator[Closing]:
    """Long options that cover nothing any more; then futures and shares, of which the same holds."""
    for contract, quantity in _sorted(left):
        is_long = isinstance(contract, Option) and quantity > 0
        if is_long and not any(_could_cover(contract, short) for short in naked):
            yield Closing((Leg(contract, -1),), quantity)
    for contract, quantity in _sorted(left):
        if isinstance(contract, Option) or not quantity or (isinstance(contract, Share) and not shares):
            continue
        if not any(short.product == contract.product for short in naked):
            yield Closing((Leg(contract, -1 if quantity > 0 else 1),), abs(quantity))


def _could_cover(long: Contract, short: Option) -> bool:
    """Whether a long option, sold, would leave a short one less covered."""
    alike = isinstance(long, Option) and (long.product, long.right) == (short.product, short.right)
    return alike and long.expiry >= short.expiry


def _sorted(held: Held) -> list[tuple[Contract, int]]:
    return sorted(held.items(), key=lambda item: str(item[0]))


# ------------------------------------------------------------------------------ the limit


def limit_of(closing: Closing, quotes: Sequence[Quote | None], concession: Decimal) -> Decimal | None:
    """Net points per unit, credit positive; None where it cannot be priced, or nobody pays for what is sold.

    quotes      of the legs, in their order
    concession  half-spreads of the whole order that are given away from the mid

    A missing bid is a bid of nothing.  Never more is paid than what is held can cost at the very worst.
    """
    mid = half = ZERO
    for leg, quote in zip(closing.legs, quotes, strict=True):
        sides = None if quote is None else _sides(leg, quote)
        if sides is None:
            return None
        bid, ask = sides
        if closing.is_single and leg.ratio < 0 and bid == 0:
            return None
        mid -= leg.ratio * (bid + ask) / 2
        half += (ask - bid) / 2
    wanted = mid - concession * half
    tick = _tick(closing, wanted)
    limit = on_grid_below(wanted, tick)
    if closing.is_single and closing.legs[0].ratio < 0:
        return max(limit, tick)
    least = _least(closing)
    limit = limit if least is None else max(limit, on_grid_above(least, tick))
    return limit or -tick  # 0 is neither credit nor debit; a tick it is, then


def _sides(leg: Leg, quote: Quote) -> tuple[Decimal, Decimal] | None:
    """Bid and ask of a leg; None where the side that it needs is missing."""
    bid = quote.bid or ZERO
    if quote.ask is not None:
        return bid, max(bid, quote.ask)
    return None if leg.ratio > 0 else (bid, bid)


def _tick(closing: Closing, price: Decimal) -> Decimal:
    """The grid: of several legs that of net prices, of one that of its own quotes at that price."""
    contract = closing.legs[0].contract
    if not closing.is_single or isinstance(contract, Share):
        return contract.tick
    product = PRODUCTS[contract.product]
    if isinstance(contract, Future):
        return contract.tick if product.spec is None else product.spec.tick
    # A modelled contract of another size has its own grid, coarser by the same factor.
    return contract.tick * product.quote_tick(price) / product.tick


def _least(closing: Closing) -> Decimal | None:
    """The least that closing can bring: what is held is worth no less at its one expiry."""
    contracts = closing.contracts
    if not all(isinstance(c, Option) for c in contracts) or len({c.expiry for c in contracts}) > 1:
        return None
    return Structure("held", closing.legs).inverse().least_payoff()
