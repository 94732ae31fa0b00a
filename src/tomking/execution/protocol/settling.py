"""What the broker's transactions say of contracts that ended: the only evidence that books an expiry."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from tomking.domain.contract import Contract, Option
from tomking.execution.wire import Kind, Transaction
from tomking.ports import Expiry

ENDS = frozenset({Kind.EXPIRED, Kind.EXERCISED, Kind.ASSIGNED})


def ended(
    contracts: Collection[Contract],
    told: Iterable[Transaction],
    kinds: Collection[Kind] = ENDS,
    *,
    gross: Mapping[Contract, int] | None = None,
) -> list[Expiry]:
    """One ``Expiry``, for one long contract, of each of these contracts that was removed.

    gross  how many of each all positions hold, long and short added up: the account holds what is left of
           them, and its fees are shared by all
    """
    sums: dict[Contract, list[Transaction]] = {}
    for one in {t.id: t for t in told}.values():
        if one.contract in contracts and one.contract is not None and one.kind in kinds and one.quantity:
            sums.setdefault(one.contract, []).append(one)
    return [_expiry(contract, sums[contract], (gross or {}).get(contract, 0)) for contract in sums]


def netted(net: Mapping[Contract, int], told: Iterable[Transaction]) -> list[Expiry]:
    """Of options that positions hold long and short just as often, so that the account holds none: worth what
    others of their expiry settled at.

    net  what all positions hold of what has expired, signed
    """
    prices = {
        (one.contract.product, one.contract.expiry): one.price
        for one in told
        if one.kind in ENDS and isinstance(one.contract, Option) and one.price
    }
    found = []
    for contract, count in net.items():
        price = prices.get((contract.product, contract.expiry)) if isinstance(contract, Option) else None
        if count == 0 and price is not None and isinstance(contract, Option):
            dollars = contract.intrinsic(price) * contract.multiplier
            found.append(Expiry(contract, price, dollars, None, Decimal(0)))
    return found


def worth(contract: Contract, count: int, told: Collection[Transaction]) -> Decimal | None:
    """Dollars, after fees, that so many contracts (signed) came to at their end; None where nothing says so.

    They were no position's, and the account was settled for what they and the positions left of each other:
    positions bear the fees of as many contracts as they held, these of what there was beyond that.
    """
    ends = [one for one in told if one.contract == contract and one.kind in ENDS]
    if not ends:
        alike = netted({contract: 0}, told)
        return count * alike[0].dollars if alike else None
    (one,) = ended([contract], ends)
    if one.delivered is not None:
        return None  # shares or futures came of it: they are seen in the positions
    net = sum(each.quantity for each in {t.id: t for t in ends}.values())
    beyond = max(0, abs(net) - abs(net - count))
    return count * one.dollars - beyond * one.fee


def _expiry(contract: Contract, told: list[Transaction], gross: int) -> Expiry:
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
        sum((one.fees for one in told), Decimal(0)) / max(count, gross),
    )
