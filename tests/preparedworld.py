"""A kernel with real orders on a small venue: the real gate, order desk, guards and folder; no sockets."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.unit.test_limits import MIDS, Listed, wish
from tests.worlds import FRIDAY, Heard, at, weekdays

from tomking.adapters.consent import Answer, ConsentFolder
from tomking.adapters.journal import MemoryJournal
from tomking.adapters.lease import Lease, installation, take
from tomking.app.prepare.preparation import Preparation
from tomking.app.wiring import Trading, line_kernel
from tomking.domain import events as ev
from tomking.domain.book import fold
from tomking.domain.calendar import Session
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import Close, Intent, Open, Pass, Target, Urgency
from tomking.domain.trading import Latch
from tomking.domain.trading import Trading as State
from tomking.execution.wire import (
    BrokerOrder,
    DryRun,
    Effect,
    Line,
    Outcome,
    Place,
    Replace,
    Reply,
    Request,
    Told,
)
from tomking.risk import rollout
from tomking.risk.rollout import evidence_of
from tomking.risk.settings import Settings
from tomking.sim.account import SimAccount
from tomking.view import Own, View

CASH = Decimal(200_000)
FINE = Effect(Decimal(3000), Decimal(-3007), Decimal(196_993), Decimal("7.11"), ("it is Friday",))


@dataclass
class VenueWire:
    """The line to a venue that answers at once, and judges dry runs as it is told to."""

    account: SimAccount
    told: list[Told] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)
    answers: list[Reply | None] = field(default_factory=list)
    """To dry runs, in turn; None is silence.  After the last one all are fine."""

    def send(self, request: Request, now: datetime) -> None:
        self.sent.append(request)
        if not isinstance(request, DryRun):
            self.told.append(self.account.handle(request, now))
            return
        answer = self.answers.pop(0) if self.answers else Reply("", now, Outcome.ACCEPTED, effect=FINE)
        if answer is not None:
            self.told.append(replace(answer, key=request.key, at=now))

    def take(self, now: datetime) -> list[Told]:
        self.account.advance(now)
        told, self.told = [*self.told, *self.account.reports()], []
        return told

    def placed(self) -> list[Place]:
        """Opening orders that reached the venue."""
        return [one for one in self.sent if isinstance(one, Place) and one.opens]

    def replaced(self) -> list[Replace]:
        return [one for one in self.sent if isinstance(one, Replace) and one.opens]

    def dry_runs(self) -> list[DryRun]:
        return [one for one in self.sent if isinstance(one, DryRun)]


def a_condor() -> Open:
    """Three ES condors of 10 points fit; the target keeps half."""
    return wish("ES", targets=(Target(("condor",), Decimal("0.5")),))


@dataclass
class Fridays:
    """A strategy that wishes one condor from 10:30 to 11:00, every five minutes, and closes at 15:00."""

    wishes: Open | None = field(default_factory=a_condor)
    id: str = "friday_0dte"

    def steps(self, view: View, own: Own) -> tuple[Intent, ...]:
        return ()

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        if view.now < at("15:00"):
            return ()
        return tuple(
            Close(self.id, p.id, tuple(c.role for c in p.open_components), Urgency.RULE, "time", "15:00")
            for p in own.positions
            if p.open_components and not p.is_working
        )

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        leaving = self.guard(view, own)
        if leaving or not at("10:30") <= view.now <= at("11:00") or own.positions or own.orders:
            return leaving
        if self.wishes is None:
            return (Pass(self.id, "condor", "PRICE", "not worth it now"),)
        return (self.wishes,)

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        looks = [at("10:30") + timedelta(minutes=5 * n) for n in range(7)] + [at("15:00"), at("15:01")]
        return next((look for look in looks if look > now), None)


@dataclass
class Prepared:
    """The world of one Friday."""

    home: Path
    stage: str = rollout.FULL
    armed: tuple[str, ...] = ()
    strategy: Fridays = field(default_factory=Fridays)
    now: datetime = field(default_factory=lambda: at("10:29"))
    mids: dict[int, float] = field(default_factory=lambda: dict(MIDS))

    def __post_init__(self) -> None:
        self.market = Listed(self._mid, level=5500.0, vix_level=24.0)
        self.sessions = weekdays(FRIDAY - timedelta(days=30), 200)
        self.wire = VenueWire(SimAccount(self.market, self.sessions, at("09:30"), CASH))
        self.folder = ConsentFolder(self.home)
        self.journal = MemoryJournal()
        self.heard = Heard()
        self.latch = Latch(State.ACTIVE, at("09:00"), "anna", "test")
        self.lease: Lease | None = None
        self.start()
        self.record(ev.CashMoved(at("09:30"), CASH, "test"))
        if self.stage:
            self.record(ev.LevelChanged(at("09:30"), rollout.LEVEL, "", self.stage, "test"))

    def _mid(self, contract: Contract, _now: object) -> float | None:
        return self.mids.get(int(contract.strike)) if isinstance(contract, Option) else None

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """A process that knows the journal alone."""
        if self.lease is not None:
            self.lease.give_back()
        self.lease = take(self.home, account="5WT00001", environment="sandbox")
        self.wire.told.append(Line(self.now, up=True))
        settings = Settings()
        events = list(self.journal.read())
        self.preparation = Preparation(
            installation("live-sandbox", "5WT00001"),
            "sandbox",
            "5WT00001",
            settings,
            self.folder,
            self.heard,
            armed=self.armed,
            evidence=evidence_of(events, settings)[0],
        )
        self.preparation.ends = lambda _s, _e, _v: at("11:01")
        self.trading: Trading = line_kernel(
            strategies=(self.strategy,),
            risk=settings,
            market=self.market,
            sessions=self.sessions,
            wire=self.wire,
            latch=lambda: self.latch,
            lease=self.lease,
            instance=self.preparation.instance,
            may_open=lambda _now: None,
            journal=self.journal,
            notifier=self.heard,
            book=fold(iter(events)),
            preparation=self.preparation,
        )

    def record(self, event: ev.Event) -> None:
        self.trading.kernel.record(event)

    def run(self, until: str) -> "Prepared":
        """Steps the kernel whenever it wants to be, until then."""
        kernel, end = self.trading.kernel, at(until)
        while self.now < end:
            kernel.step(self.now)
            self.now = min(max(kernel.next_wake(self.now), self.now + timedelta(seconds=1)), end)
        kernel.step(self.now)
        return self

    # ------------------------------------------------------------------ seen and said

    def shown(self, state: str = "waiting") -> list[dict[str, Any]]:
        return [dict(one) for one in self.folder.offers() if one["state"] == state]

    def only(self, state: str = "waiting") -> dict[str, Any]:
        (one,) = self.shown(state)
        return one

    def approve(self, hash_: str, *, accepts: bool = True, why: str = "") -> None:
        self.folder.reply(hash_, Answer(accepts, "anna: tomking approve", why))

    def events(self, kind: type[ev.Event]) -> list[Any]:
        return [one for one in self.journal.read() if isinstance(one, kind)]

    def openings(self) -> list[ev.OrderSubmitted]:
        return [one for one in self.events(ev.OrderSubmitted) if one.order.opens]

    def refusals(self, code: str) -> list[str]:
        return [line for one in self.events(ev.Declined) if one.code == code for line in one.details]

    def at_venue(self) -> tuple[BrokerOrder, ...]:
        return self.wire.account.orders(self.now)
