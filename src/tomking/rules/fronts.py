"""Short fronts sold against longer backs: how they are named, rolled and left (methodology B.8, B.10).

A position holds one side or two.  Of each side one component is bought for good, its back, and one after
another is sold against it, its fronts:

    "back call"    "front call 1"    "front call 2" ...

A front that has lost most of its value is bought back and, in the same session, the next weekly is sold as a
component that joins.  If nothing could be sold by the end of that session, the back goes in the next.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.calendar import dte, new_york
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Open, Part, Pass, Urgency
from tomking.domain.structure import Leg, Structure
from tomking.rules import exits as out
from tomking.rules import select
from tomking.rules.life import Life
from tomking.rules.strategy import Exit, Held
from tomking.view import Own, View

ROLL = "roll"
"""The entry that sells the next front, and the trigger that buys the old one back."""
OPENED, ROLLING = "OPEN", "ROLLING"


@dataclass(frozen=True, slots=True)
class Roll:
    """When a front is bought back to sell the next."""

    most: int
    """Rolls in a position's life."""
    share: Decimal
    """Of its credit that is won."""
    days: int
    """It has at least so many days left."""
    above_dte: int
    """The next one has more days than the rule that closes fronts."""
    since: time
    until: time
    """Wall times between which one is bought back."""


def back(right: Right) -> str:
    return f"back {right.name.lower()}"


def front(right: Right, count: int) -> str:
    return f"front {right.name.lower()} {count}"


def is_front(role: str) -> bool:
    return role.startswith("front ")


def side(role: str) -> str:
    """``call`` or ``put``."""
    return role.split()[1]


def all_fronts(own: Own, held: Held) -> Sequence[Component]:
    return [one for one in held.parts if is_front(one.role)]


def backs_of(position: Position) -> list[Component]:
    return [one for role, one in position.components.items() if not is_front(role)]


def fronts_of(position: Position, of: str) -> list[Component]:
    """The fronts of a side, oldest first."""
    return [one for role, one in position.components.items() if is_front(role) and side(role) == of]


def rolls(position: Position) -> int:
    """How many fronts were sold after the first of their side."""
    return sum(len(fronts_of(position, side(one.role))) - 1 for one in backs_of(position))


def strike_of(component: Component) -> Decimal:
    (contract,) = component.structure.contracts
    assert isinstance(contract, Option), f"{component.role} holds {contract}"
    return contract.strike


def right_of(component: Component) -> Right:
    (contract,) = component.structure.contracts
    assert isinstance(contract, Option), f"{component.role} holds {contract}"
    return contract.right


# -------------------------------------------------------------------------------------------- rolling


def waits_for_sale(position: Position, today: date) -> Iterator[Component]:
    """Backs whose front was bought back today to be followed by another."""
    for one in backs_of(position):
        last = fronts_of(position, side(one.role))[-1]
        today_s = last.closed is not None and new_york(last.closed).date() == today
        if one.is_open and one.closing is None and last.trigger == ROLL and today_s:
            yield one


def sell_next(roll: Roll, view: View, own: Own) -> Sequence[Open] | Pass:
    """The next weekly against every back that waits for one."""
    sold = [
        _next(roll, view, position, one)
        for position in own.positions
        for one in waits_for_sale(position, view.today)
    ]
    opens = [wish for wish in sold if isinstance(wish, Open)]
    refused = [wish for wish in sold if isinstance(wish, Pass)]
    return opens if opens or not refused else refused[0]


def _next(roll: Roll, view: View, position: Position, back_: Component) -> Open | Pass:
    sold = fronts_of(position, side(back_.role))
    option = _next_option(roll, view, position.product, sold[-1], back_)
    if option is None:
        return Pass(position.strategy, ROLL, "STRUCT", f"{position.product}: no later front for {back_}")
    role = front(option.right, len(sold) + 1)
    part = Part(role, Structure(role, (Leg(option, -1),)))
    quote = select.priced(view, part.structure)
    if quote is None or quote.mid <= part.structure.tick:
        return Pass(position.strategy, ROLL, "PRICE", f"{option} brings nothing")
    return Open(
        strategy=position.strategy,
        entry=ROLL,
        parts=(part,),
        ceiling=back_.units,
        planned_loss=part.structure.tick,  # it lowers what the position can lose; its stop stands
        target_gain=roll.share * quote.mid,
        least_net=part.structure.tick,
        reason=f"{role} beside {position.id} for {quote.mid:.2f}",
        joins=position.id,
    )


def _next_option(roll: Roll, view: View, product: str, sold: Component, back_: Component) -> Option | None:
    """The strike of the old front, in the next weekly before the back expires."""
    week = sold.expiry + timedelta(days=7)
    expiry = select.expiry_near(
        [e for e in view.expiries(product) if sold.expiry < e < back_.expiry],
        view.today,
        dte(view.today, week),
        low=max(roll.above_dte + 1, dte(view.today, sold.expiry) + 4),
        high=dte(view.today, week) + 4,
    )
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return None
    strike = float(strike_of(sold))
    return select.nearest_strike(chain, right_of(sold), strike, miss=0.01 * strike)


# ---------------------------------------------------------------------------------------------- exits


def bought_back(roll: Roll) -> tuple[Exit, ...]:
    """A front has lost most of its value early enough, and another can be sold after it; a side each.

    Observed twice: where it lost it because the market ran away, a stop seen beside it comes first.
    """
    return tuple(
        out.leave(ROLL, Urgency.RULE, _spent(roll), which=_front_of(right.name.lower()), confirm=True)
        for right in (Right.CALL, Right.PUT)
    )


def _front_of(of: str) -> out.Picks:
    def pick(own: Own, held: Held) -> Sequence[Component]:
        return [one for one in all_fronts(own, held) if side(one.role) == of]

    return pick


def _spent(roll: Roll) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        in_time = view.session.at(roll.since) <= view.now < view.session.at(roll.until)
        if view.session.is_half_day or not in_time or rolls(held.position) >= roll.most:
            return None
        (one,) = chosen
        cost, credit = out.cost_and_credit(own, held, chosen)
        left = dte(view.today, one.expiry)
        if cost is None or credit - cost < roll.share * credit or left < roll.days:
            return None
        (back_,) = held.part(f"back {side(one.role)}") or (None,)
        if back_ is None or _next_option(roll, view, held.position.product, one, back_) is None:
            return None
        return f"{one.role} won {(credit - cost) / credit:.0%} with {left} days left"

    return why


def unsold(trigger: str, since: time) -> Exit:
    """A back that stands without a front since an earlier session: it was bought to carry one."""

    def bare(own: Own, held: Held) -> list[Component]:
        return [
            one
            for one in held.parts
            if not is_front(one.role) and not fronts_of(held.position, side(one.role))[-1].is_open
        ]

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        ends = [fronts_of(held.position, side(one.role))[-1].closed for one in chosen]
        late = all(end is not None and new_york(end).date() < view.today for end in ends)
        return "no front could be sold against it" if late and view.now >= view.session.at(since) else None

    return out.leave(trigger, Urgency.RULE, why, guardian=True, which=bare)


# ----------------------------------------------------------------------------------------------- life


def life_of(rolls_max: int) -> Life:
    """Generic, with the counter of front rolls (methodology E.3)."""
    counted = [OPENED, *(f"ROLL_{k}" for k in range(1, rolls_max + 1))]
    ways: dict[str, tuple[str, ...]] = {
        stage: (*counted[k + 1 :], ROLLING) for k, stage in enumerate(counted)
    }
    ways[ROLLING] = tuple(counted)
    return Life(ways, _reading(counted))


def _reading(counted: Sequence[str]) -> Callable[[View, Own, Position], tuple[str, str]]:
    def reading(view: View, own: Own, position: Position) -> tuple[str, str]:
        for one in backs_of(position):
            last = fronts_of(position, side(one.role))[-1]
            if one.is_open and not last.is_open:
                return ROLLING, f"{last.role}: {last.trigger}"
        done = rolls(position)
        return counted[min(done, len(counted) - 1)], f"{done} rolls"

    return reading
