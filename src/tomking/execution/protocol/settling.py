"""What the broker's transactions say of contracts that ended: the only evidence that books an expiry."""

from collections.abc import Collection, Iterable
from decimal import Decimal

from tomking.domain.contract import Contract
from tomking.execution.wire import Kind, Transaction
from tomking.ports import Expiry

ENDS = frozenset({Kind.EXPIRED, Kind.EXERCISED, Kind.ASSIGNED})


def ended(
    contracts: Collection[Contract], told: Iterable[Transaction], kinds: Collection[Kind] = ENDS
) -> list[Expiry]:
    """One ``Expiry``, for one long contract, of each of these contracts that was removed."""
    sums: dict[Contract, list[Transaction]] = {}
    for one in {t.id: t for t in told}.values():
        if one.contract in contracts and one.contract is not None and one.kind in kinds and one.quantity:
            sums.setdefault(one.contract, []).append(one)
    return [_expiry(contract, sums[contract]) for contract in sums]


def _expiry(contract: Contract, told: list[Transaction]) -> Expiry:
    quantity = sum(one.quantity for one in told)
    count = sum(abs(one.quantity) for one in told)
    first = told[0]
    delivered = None
    if first.delivered is not None:
        what, number = first.delivered
        delivered = (what, 1 if number * first.quantity > 0 else -1)
    return Expiry(
        contract,
        first.price,
        sum((one.dollars for one in told), Decimal(0)) / (quantity or count),
        delivered,
        sum((one.fees for one in told), Decimal(0)) / count,
    )
