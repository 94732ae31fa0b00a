"""Which adapters are plugged in: the only place that knows a backtest from anything else."""

from collections.abc import Callable
from decimal import Decimal

from tomking.domain.book import Book
from tomking.domain.calendar import Sessions
from tomking.domain.events import Event
from tomking.domain.fees import fees
from tomking.domain.order import Order
from tomking.kernel import Kernel, Parts
from tomking.ports import Journal, MarketData
from tomking.risk.desk import Desk
from tomking.risk.settings import Settings
from tomking.rules.strategy import Strategy
from tomking.sim.broker import SimBroker


class Silent:
    """The ``Notifier`` port of a backtest: everything worth telling is in the journal."""

    def notify(self, level: str, text: str, now: object) -> None:
        """Tells nobody."""


def backtest_kernel(
    *,
    strategies: tuple[Strategy, ...],
    risk: Settings,
    market: MarketData,
    sessions: Sessions,
    journal: Journal,
    observe: Callable[[Book, Event], None] | None = None,
) -> Kernel:
    """A kernel on a simulated broker over ``market``."""
    return Kernel(
        Parts(
            strategies=strategies,
            risk=Desk(risk),
            market=market,
            broker=SimBroker(market, sessions, order_fees),
            journal=journal,
            notifier=Silent(),
            sessions=sessions,
            observe=observe,
        )
    )


def order_fees(order: Order, units: int) -> Decimal:
    """Dollars of commission and fees for filling ``units`` of an order."""
    return fees(order.structure, units, opens=order.opens)
