"""What moved contracts or cash without an order of ours: what expired, what others traded, money.

Evidence comes again and again; what of it is booked already is not remembered.  It need not be: what is
missing names the newest of what could explain it, because everything older was booked when it was new.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import combinations

from tomking.domain.contract import Contract
from tomking.domain.money import ZERO, cents
from tomking.execution.flattening import INSTANCE as FLATTENS
from tomking.execution.protocol.settling import ENDS
from tomking.execution.protocol.tags import parsed
from tomking.execution.wire import BrokerOrder, Kind, Transaction

LATEST = 12
STRAYS = 6
"""So many of them are tried in every combination."""
TOGETHER = 4
"""So many at most of the newest are tried without those between them."""


def is_ours(order: BrokerOrder) -> bool:
    """Whether the order desk sent it; ``flatten`` did not, and its book knows nothing of that."""
    tag = parsed(order.tag)
    return tag is not None and tag.instance != FLATTENS


def removals(transactions: Iterable[Transaction], orders: Iterable[BrokerOrder]) -> list[Transaction]:
    """Everything that may have removed contracts, the newest first: what ended, and what others traded."""
    found = [one for one in transactions if one.kind in ENDS and one.contract is not None]
    for order in orders:
        if not is_ours(order):
            found += _as_removals(order)
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)


def _as_removals(order: BrokerOrder) -> list[Transaction]:
    """Executions as what they removed: buying one back removes one that was short."""
    count = sum(abs(x.quantity) for x in order.executions)
    return [
        Transaction(
            x.id,
            Kind.EXPIRED,
            x.at,
            -x.quantity * x.price * x.contract.multiplier,
            order.fees * abs(x.quantity) / count,
            x.contract,
            -x.quantity,
            x.price,
            reason=f"order {order.id}",
        )
        for x in order.executions
    ]


def explaining(contract: Contract, removed: int, told: Sequence[Transaction]) -> list[Transaction]:
    """The newest that removed just so many (> 0 were long); none when all together are fewer.

    Of the oldest among them only the part that is needed.
    """
    found: list[Transaction] = []
    left = removed
    for one in told:
        if one.contract != contract or one.quantity * removed <= 0:
            continue
        if abs(one.quantity) >= abs(left):
            part = Decimal(left) / one.quantity
            return [*found, replace(one, quantity=left, dollars=one.dollars * part, fees=one.fees * part)]
        found.append(one)
        left -= one.quantity
    return []


@dataclass(frozen=True, slots=True)
class Movement:
    """Cash that came (> 0) or went."""

    at: datetime
    id: str
    dollars: Decimal
    """After fees, to the cent."""
    reason: str
    contract: Contract | None = None
    is_money: bool = False
    """A deposit, a dividend and the like: nothing was traded, and nothing ended."""
    is_stray: bool = False
    """Traded by an order of ours beyond what its position took."""


def movements(
    transactions: Iterable[Transaction],
    orders: Iterable[BrokerOrder],
    *,
    ours: Iterable[Contract],
    booked: Mapping[str, int],
) -> list[Movement]:
    """All of them, the newest first.

    ours    contracts that positions hold: their ends are the owners', not the account's
    booked  contracts of each transaction and execution, by id, that this pass has settled
    """
    owned = set(ours)
    found = []
    for one in transactions:
        if one.kind is Kind.MONEY:
            reason = f"{one.reason or 'money moved'} ({one.id})"
            found.append(
                Movement(one.at, one.id, one.dollars - one.fees, reason, one.contract, is_money=True)
            )
            continue
        left = abs(one.quantity) - booked.get(one.id, 0)
        if left and (one.contract not in owned or one.id in booked):
            reason = f"{one.contract} {one.kind.value}, in no position here ({one.id})"
            dollars = cents((one.dollars - one.fees) * left / abs(one.quantity))
            found.append(Movement(one.at, one.id, dollars, reason))
    found += [m for order in orders if not is_ours(order) for m in _traded(order, booked)]
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)


def _traded(order: BrokerOrder, booked: Mapping[str, int]) -> Iterator[Movement]:
    """What an order of others brought, less the part that closed what was ours."""
    left = [(x, abs(x.quantity) - booked.get(x.id, 0)) for x in order.executions]
    count = sum(n for _, n in left)
    if count:
        share = Decimal(count) / sum(abs(x.quantity) for x in order.executions)
        sides = [(x, -n if x.quantity > 0 else n) for x, n in left]
        traded = sum((n * x.price * x.contract.multiplier for x, n in sides), ZERO)
        at = max(x.at for x, n in left if n)
        yield Movement(at, order.id, cents(traded - order.fees * share), f"order {order.id}, not ours")


def newest(items: Sequence[Movement], gap: Decimal, slack: Decimal) -> list[Movement]:
    """The newest that together are the gap, oldest first; none where no number of them is.

    Money alone is tried first: it is the usual reason; then what orders of ours have left over.

    slack  dollars that roundings of settlements may make it miss the gap by
    """
    if abs(gap) <= slack:
        return []
    money = [one for one in items if one.is_money]
    others = [one for one in items if not one.is_stray]
    found = _newest(money, gap, slack)
    for some in _choices([one for one in items if one.is_stray]):
        found = found or _newest([*some, *money], gap, slack, least=len(some))
    found = found or _newest(others, gap, slack)
    for some in _choices([one for one in items if one.is_stray]):
        found = found or _newest([*some, *others], gap, slack, least=len(some))
    return found or _few(items, gap, slack)


def _few(items: Sequence[Movement], gap: Decimal, slack: Decimal) -> list[Movement]:
    """The fewest of the newest, where others between are booked already: what expired since was settled."""
    moving = [one for one in items if one.dollars]
    latest = sorted(moving, key=lambda one: (one.at, one.id), reverse=True)[:LATEST]
    for count in range(1, TOGETHER + 1):
        for some in combinations(latest, count):
            if abs(sum((one.dollars for one in some), ZERO) - gap) <= slack:
                return list(some[::-1])
    return []


def _choices(strays: Sequence[Movement]) -> Iterator[tuple[Movement, ...]]:
    """Some of the newest few of them, the fewest first."""
    latest = sorted(strays, key=lambda one: (one.at, one.id), reverse=True)[:STRAYS]
    for count in range(1, len(latest) + 1):
        yield from combinations(latest, count)


def _newest(items: Sequence[Movement], gap: Decimal, slack: Decimal, least: int = 1) -> list[Movement]:
    """``least``: of which so many at the beginning belong together."""
    total = ZERO
    for n, item in enumerate(items, start=1):
        total += item.dollars
        if n >= least and abs(total - gap) <= slack:
            return list(items[:n][::-1])
    return []
