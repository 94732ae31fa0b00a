"""Whole units out of executions leg by leg.

1. Executions count once, by their id, and for the legs of their own sign.
2. What fills of the book have consumed is taken off: a fill's id lists it,
   ``<execution>:<contracts>+<execution>:<contracts>|...``, one group a leg.
3. What is left of each leg stands in a queue, oldest first; a unit takes its ratio from each.
4. Units one after the other with the same price on every leg are one fill.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tomking.domain.contract import Contract
from tomking.domain.money import ZERO, cents
from tomking.domain.order import Order
from tomking.domain.structure import Leg
from tomking.execution.wire import Execution

Piece = tuple[Execution, int]
"""So many contracts of one execution."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole units at one price for each leg."""

    id: str
    units: int
    prices: tuple[Decimal, ...]
    """Points, in leg order."""
    at: datetime
    """Of the last execution in it."""


def consumed(fills: Iterable[str]) -> dict[str, int]:
    """Contracts of each execution that these fills have taken."""
    taken: dict[str, int] = {}
    for fill in fills:
        for part in fill.replace("|", "+").split("+"):
            execution, _, count = part.rpartition(":")
            taken[execution] = taken.get(execution, 0) + int(count)
    return taken


def assembled(
    order: Order, executions: Collection[Execution], booked: Collection[str], most: int | None = None
) -> list[Whole]:
    """The whole units that are not in ``booked`` (ids of fills) yet, in the order they came about.

    most  units that the order still has; None: however many there are
    """
    legs = order.structure.legs
    queues = _queues(legs, executions, consumed(booked))
    wholes: list[Whole] = []
    pieces: list[list[Piece]] = []
    while most != 0 and _has_unit(legs, queues):
        most = None if most is None else most - 1
        unit = [_take(queues[leg.contract], abs(leg.ratio)) for leg in legs]
        if pieces and _prices(legs, unit) == _prices(legs, pieces):
            pieces = [[*before, *more] for before, more in zip(pieces, unit, strict=True)]
            continue
        if pieces:
            wholes.append(_whole(legs, pieces))
        pieces = unit
    return [*wholes, _whole(legs, pieces)] if pieces else wholes


def odd_legs(order: Order, executions: Collection[Execution], booked: Collection[str]) -> dict[Contract, int]:
    """Contracts, signed, that are in no fill and in no whole unit; empty when legs are even."""
    legs = order.structure.legs
    queues = _queues(legs, executions, consumed(booked))
    while _has_unit(legs, queues):
        for leg in legs:
            _take(queues[leg.contract], abs(leg.ratio))
    signs = {leg.contract: 1 if leg.ratio > 0 else -1 for leg in legs}
    left = {c: signs[c] * sum(n for _, n in queue) for c, queue in queues.items()}
    return {contract: count for contract, count in left.items() if count}


def fees_due(total: Decimal, executions: Collection[Execution], booked: Collection[str]) -> Decimal:
    """Dollars of ``total`` that belong to what ``booked`` has consumed: by contracts, to the cent."""
    every = sum(abs(one.quantity) for one in executions)
    taken = sum(consumed(booked).values())
    return cents(total * taken / every) if every else ZERO


def per_unit(legs: Iterable[Leg]) -> dict[Contract, int]:
    """Contracts of one unit, signed; a contract in two legs once."""
    counts: dict[Contract, int] = {}
    for leg in legs:
        counts[leg.contract] = counts.get(leg.contract, 0) + leg.ratio
    return counts


def _queues(
    legs: Iterable[Leg], executions: Collection[Execution], taken: dict[str, int]
) -> dict[Contract, list[Piece]]:
    unique = {one.id: one for one in executions}
    queues: dict[Contract, list[Piece]] = {}
    for contract, ratio in per_unit(legs).items():
        own = [one for one in unique.values() if one.contract == contract and one.quantity * ratio > 0]
        own.sort(key=lambda one: (one.at, one.id))
        left = [(one, abs(one.quantity) - taken.get(one.id, 0)) for one in own]
        queues[contract] = [(one, count) for one, count in left if count > 0]
    return queues


def _has_unit(legs: Iterable[Leg], queues: dict[Contract, list[Piece]]) -> bool:
    return all(sum(n for _, n in queues[c]) >= abs(ratio) for c, ratio in per_unit(legs).items())


def _take(queue: list[Piece], count: int) -> list[Piece]:
    pieces: list[Piece] = []
    while count:
        execution, there = queue.pop(0)
        used = min(there, count)
        if used < there:
            queue.insert(0, (execution, there - used))
        pieces.append((execution, used))
        count -= used
    return pieces


def _prices(legs: tuple[Leg, ...], pieces: list[list[Piece]]) -> tuple[Decimal, ...]:
    """The average of each leg: exact where all its pieces cost the same."""
    return tuple(_average(taken) for _, taken in zip(legs, pieces, strict=True))


def _average(pieces: list[Piece]) -> Decimal:
    first = pieces[0][0].price
    if all(one.price == first for one, _ in pieces):
        return first
    return sum((one.price * n for one, n in pieces), ZERO) / sum(n for _, n in pieces)


def _whole(legs: tuple[Leg, ...], pieces: list[list[Piece]]) -> Whole:
    groups = []
    for taken in pieces:
        counts: dict[str, int] = {}
        for one, n in taken:
            counts[one.id] = counts.get(one.id, 0) + n
        groups.append("+".join(f"{id_}:{n}" for id_, n in counts.items()))
    units = sum(n for _, n in pieces[0]) // abs(legs[0].ratio)
    at = max(one.at for taken in pieces for one, _ in taken)
    return Whole("|".join(groups), units, _prices(legs, pieces), at)
