"""What is held: a position, and the components that each have a P&L, orders and an end of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from tomking.domain.intent import Target
from tomking.domain.lifecycle import State
from tomking.domain.money import ZERO
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg, Structure


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a position with its own P&L, orders and end."""

    role: str
    trade: str
    """The trade it belongs to: the position's id, or its own when it joined later."""
    kind: str
    """The entry that opened it."""
    structure: Structure
    """What one unit holds now."""
    units: int
    """Open units; 0 when closed."""
    filled_units: int
    """Units ever opened."""
    entry_net: Decimal
    """Points per unit received on opening, average over fills."""
    opened: datetime
    opened_dte: int
    """Calendar days to the nearest expiry when it was opened."""
    dollars: Decimal
    """Cash of all fills and settlements before fees."""
    fees: Decimal
    closing: str | None = None
    """The rule exit that works on it."""
    target: str | None = None
    """The resting profit-taking order."""
    closed: datetime | None = None
    trigger: str = ""
    """The rule that closed it."""
    slippage: Decimal = ZERO
    """Dollars given away against the mids, over all fills."""
    legs_text: str = ""
    planned_loss: Decimal = ZERO
    """Points per unit of the whole wish at the planned stop."""
    delivered: bool = False
    """Whether an exercise or an assignment left a future or shares in it."""

    expiry: date = field(init=False, repr=False, compare=False)
    """The nearest expiry among its legs; worked out once, because every look asks for it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "expiry", nearest_expiry(self.structure))

    @property
    def is_open(self) -> bool:
        return self.units > 0

    @property
    def net_dollars(self) -> Decimal:
        """Cash so far, after fees: its P&L once it is closed."""
        return self.dollars - self.fees


@dataclass(frozen=True, slots=True)
class Position:
    """One strategy, one underlying family, one expiration set, whatever its units (ruling 13)."""

    id: str
    strategy: str
    product: str
    state: State
    opened: datetime
    components: Mapping[str, Component]
    units: int
    """Units of the opening order that were filled."""
    margin: Decimal
    """Dollars of margin the gate counted when it was opened."""
    planned_loss: Decimal
    """Dollars lost at the planned stop, all units, as judged at entry."""
    targets: tuple[Target, ...] = ()
    """The profit-taking orders that rest while their components are open."""
    stage: str = ""
    """Where it is in its strategy's own life (``rules.life``); empty until the strategy has said."""

    open_components: tuple[Component, ...] = field(init=False, repr=False, compare=False)
    """Worked out once: an IPMCC has closed a hundred calls, and every look asks for the open one."""

    def __post_init__(self) -> None:
        still = tuple([one for one in self.components.values() if one.units > 0])
        object.__setattr__(self, "open_components", still)

    @property
    def family(self) -> str:
        return PRODUCTS[self.product].family

    @property
    def is_working(self) -> bool:
        """A rule exit is on its way for some component."""
        return any(c.closing for c in self.components.values())

    def legs(self) -> Iterator[tuple[Leg, int]]:
        """Every open leg with its component's units."""
        for component in self.open_components:
            for leg in component.structure.legs:
                yield leg, component.units


def nearest_expiry(structure: Structure) -> date:
    """The first day on which one of its legs expires."""
    return min(leg.contract.expiry for leg in structure.legs)
