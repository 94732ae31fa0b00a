"""Which adapters are plugged in: the only place that knows a backtest from anything else."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from tomking.domain.book import Book
from tomking.domain.calendar import Sessions
from tomking.domain.eventcalendar import EventCalendar
from tomking.domain.events import Event
from tomking.domain.fees import fees
from tomking.domain.money import ZERO
from tomking.domain.order import Order
from tomking.kernel import Kernel, Parts, Risk
from tomking.kernel import Strategy as Asked
from tomking.ports import Broker, Journal, MarketData
from tomking.risk.availability import PLACES, Place
from tomking.risk.desk import Desk
from tomking.risk.settings import Settings
from tomking.sim.broker import SimBroker
from tomking.sim.fills import at_the_mid
from tomking.view import LENIENT


class Silent:
    """The ``Notifier`` port of a backtest: everything worth telling is in the journal."""

    def notify(self, level: str, text: str, now: object) -> None:
        """Tells nobody."""


def backtest_kernel(
    *,
    strategies: tuple[Asked, ...],
    risk: Settings,
    places: Mapping[str, Place] | None = None,
    market: MarketData,
    sessions: Sessions,
    journal: Journal,
    events: EventCalendar = LENIENT,
    observe: Callable[[Book, Event], None] | None = None,
) -> Kernel:
    """A kernel on a simulated broker over ``market``; ``places`` are those of strategies from outside."""
    return Kernel(
        Parts(
            strategies=strategies,
            risk=Desk(risk, {**PLACES, **(places or {})}),
            market=market,
            broker=SimBroker(market, sessions, order_fees),
            journal=journal,
            notifier=Silent(),
            sessions=sessions,
            events=events,
            observe=observe,
        )
    )


def frictionless_kernel(
    *,
    strategy: Asked,
    risk: Risk,
    market: MarketData,
    sessions: Sessions,
    journal: Journal,
    observe: Callable[[Book, Event], None] | None = None,
) -> Kernel:
    """A kernel that trades at the mids and pays no fees, as the rules of an index count (decision 501)."""
    return Kernel(
        Parts(
            strategies=(strategy,),
            risk=risk,
            market=market,
            broker=SimBroker(market, sessions, no_fees, pricing=at_the_mid, exercise=ZERO),
            journal=journal,
            notifier=Silent(),
            sessions=sessions,
            observe=observe,
        )
    )


def simulated_broker(market: MarketData, sessions: Sessions) -> Broker:
    """A fresh simulated broker, as after a restart: it knows no order."""
    return SimBroker(market, sessions, order_fees)


def no_fees(_order: Order, _units: int) -> Decimal:
    """Dollars: none."""
    return ZERO


def order_fees(order: Order, units: int) -> Decimal:
    """Dollars of commission and fees for filling ``units`` of an order."""
    return fees(order.structure, units, opens=order.opens)
