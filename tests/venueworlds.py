"""A small venue for tests: a condor of 8.50 on a quiet Friday, and short ways to ask for things."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count

from tests.worlds import FRIDAY, ScriptedMarket, at, weekdays

from tomking.domain.contract import Contract
from tomking.domain.structure import Leg, Structure
from tomking.execution.wire import BrokerOrder, Cancel, Place, Replace, Reply, Request, Status
from tomking.sim.account import SimAccount
from tomking.sim.faults import Fault, Faults, Schedule
from tomking.sim.floor import Pace

MIDS = {"P5700": 9.0, "P5670": 4.0, "C5800": 8.0, "C5830": 4.5, "P570": 7.0}
CONDOR = Structure.parse(
    "condor",
    "+1 SPXW 2031-03-07 P5670 / -1 SPXW 2031-03-07 P5700"
    " / -1 SPXW 2031-03-07 C5800 / +1 SPXW 2031-03-07 C5830",
)
"""Sold for 9.00 - 4.00 + 8.00 - 4.50 = 8.50 at the mids."""
LATER = Structure.parse("condor", str(CONDOR).replace("03-07", "03-21"))
"""The same, two weeks later."""
LONG_PUT, SHORT_PUT, SHORT_CALL, LONG_CALL = CONDOR.contracts
CASH = Decimal(100_000)
SECOND = timedelta(seconds=1)


def schedule(*faults: str, quiet_after: int | None = None) -> Faults:
    """What goes wrong, in the schedule's own words, counted from 09:30."""
    return Faults(Schedule(1, tuple(Fault.parse(one) for one in faults), quiet_after), at("09:30"))


@dataclass
class Venue:
    """An account at 09:30 on the Friday, and its market, whose mids a test may move."""

    faults: Faults = field(default_factory=schedule)
    mids: dict[str, float] = field(default_factory=lambda: dict(MIDS))
    settles: dict[date, float] = field(default_factory=lambda: {FRIDAY: 5750.0})
    pace: Pace = field(default_factory=Pace)
    now: datetime = field(default_factory=lambda: at("10:30"))

    def __post_init__(self) -> None:
        self.market = ScriptedMarket(self._mid, self.settles)
        self.keys = count(1)
        sessions = weekdays(FRIDAY, 5)
        self.account = SimAccount(
            self.market, sessions, at("09:30"), CASH, faults=self.faults, pace=self.pace
        )

    def _mid(self, contract: Contract, _: datetime) -> float | None:
        words = str(contract).split()
        return self.mids.get(words[2] if len(words) > 2 else words[0])

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.account.advance(self.now)

    def ask(self, request: Request) -> Reply:
        return self.account.handle(request, self.now)

    def sell(self, units: int = 1, limit: str = "8.00", **changes: object) -> Reply:
        """Opens condors; 8.00 is a limit that the market takes at once."""
        return self.ask(self.opening(units, limit, **changes))

    def opening(self, units: int = 1, limit: str = "8.00", **changes: object) -> Place:
        plain = Place(f"k{next(self.keys)}", "tag", CONDOR.legs, units, Decimal(limit), opens=True)
        return replace(plain, **changes)  # type: ignore[arg-type]

    def buy_back(self, units: int = 1, limit: str = "-9.00", **changes: object) -> Reply:
        """Closes condors; a debit of 9.00 is one that the market takes at once."""
        legs = CONDOR.inverse().legs
        plain = Place(f"k{next(self.keys)}", "tag", legs, units, Decimal(limit), opens=False)
        return self.ask(replace(plain, **changes))  # type: ignore[arg-type]

    def cancel(self, order: str) -> Reply:
        return self.ask(Cancel(f"k{next(self.keys)}", order))

    def replace(self, order: str, limit: str, tag: str = "again") -> Reply:
        return self.ask(Replace(f"k{next(self.keys)}", tag, order, Decimal(limit)))

    def order(self, id_: str) -> BrokerOrder:
        """As shown now."""
        return next(one for one in self.account.orders(self.now) if one.id == id_)

    def statuses(self, id_: str) -> list[Status]:
        """Everything the stream says of an order from here on, without repeats."""
        told = [one.order.status for one in self.account.reports() if one.order.id == id_]
        return [one for i, one in enumerate(told) if i == 0 or told[i - 1] is not one]

    def held(self) -> dict[Contract, int]:
        return dict(self.account.positions(self.now).held)

    @property
    def cash(self) -> Decimal:
        return self.account.positions(self.now).cash


def placed(reply: Reply) -> str:
    """The broker's id of what a request made."""
    assert reply.orders, f"refused: {reply.code}: {reply.text}"
    return reply.orders[0].id


def leg(text: str) -> Leg:
    (only,) = Structure.parse("", text).legs
    return only
