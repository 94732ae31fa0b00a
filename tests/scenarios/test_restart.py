"""A process that dies and starts again from its journal: between two steps nobody can tell.

In the middle of a step, after an order was written down and before the broker heard of it, the order is lost
and ends; nothing hangs and the money stays right.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from tests.scenarios.accounts import BOTH, account, config, played, request, world
from tests.scenarios.ledger import Ledger, exact_cents

from tomking.adapters.journal import MemoryJournal
from tomking.app.play import Player
from tomking.domain import events as ev
from tomking.domain.calendar import new_york
from tomking.domain.intent import Urgency
from tomking.kernel import Kernel
from tomking.risk.desk import Desk
from tomking.risk.settings import Settings
from tomking.strategies import build

pytestmark = pytest.mark.slow

ORDER_EVENTS = (ev.OrderSubmitted, ev.OrderRepriced, ev.CancelRequested, ev.OrderFilled, ev.OrderCancelled)
SPAN = ("2020-01-02", "2020-06-30")
SWITCHES = ("friday_0dte.vix_gate=off", "friday_0dte.vix_max=100")


def reborn(one: Player) -> Kernel:
    """A new kernel that knows the journal's text and nothing else; the broker lived on.

    One thing is handed over: the count of refusals that repeated themselves in this session, which is
    written down at its end only.  No decision reads it.
    """
    asked = config(*SWITCHES)
    kernel = Kernel(
        replace(
            one.kernel._at,
            risk=Desk(asked.section("risk", Settings)),
            strategies=tuple(build(name, asked.values[f"strategies.{name}"]) for name in BOTH),
        )
    )
    kernel._again = one.kernel._again
    return kernel


@pytest.mark.parametrize("seed", [11, 12])
def test_killed_and_folded_between_random_steps_the_journal_is_the_same(seed: int) -> None:
    asked = request(*SPAN, *SWITCHES)
    around, rng = world(asked), np.random.default_rng(seed)
    one = account(asked, around)
    killed: dict[str, int] = {}
    for session in around.played:
        while one.wake <= session.close:
            one.kernel.step(one.wake)
            now, one.wake = one.wake, one.kernel.next_wake(one.wake)
            book = one.kernel.book
            busy = bool(book.orders) or any(p.strategy == "friday_0dte" for p in book.positions.values())
            if rng.random() < (0.05 if busy else 0.01):
                one.kernel = reborn(one)
                assert one.kernel.book == book
                for kind in {p.strategy for p in book.positions.values()}:
                    killed[kind] = killed.get(kind, 0) + 1
                working = any(w.order.urgency is not Urgency.TARGET for w in book.orders.values())
                killed["working"] = killed.get("working", 0) + working
                killed["mid-session"] = killed.get("mid-session", 0) + (new_york(now).hour < 16)
    # In the spring of 2020 breakers and emergency levels stop most entries: few orders to be killed in.
    assert min(killed[name] for name in (*BOTH, "mid-session")) >= 3, killed
    assert killed["working"] >= 1, killed
    assert {"emergency", "breaker", "pause.vix_crash"} <= set(one.kernel.book.levels)
    assert one.journal.head() == played(asked).journal.head()


class PowerCut(Exception):
    """The process ends right after an event became durable."""


@dataclass
class Unsafe:
    """The ``Journal`` port in memory; every so often the power goes once an event about an order is safe."""

    rng: np.random.Generator
    chain: MemoryJournal = field(default_factory=MemoryJournal)
    cuts: dict[str, int] = field(default_factory=dict)

    def append(self, event: ev.Event) -> None:
        self.chain.append(event)
        if isinstance(event, ORDER_EVENTS) and self.rng.random() < 0.35:
            name = type(event).__name__
            self.cuts[name] = self.cuts.get(name, 0) + 1
            raise PowerCut

    def commit(self) -> None:
        self.chain.commit()

    def read(self) -> Iterator[ev.Event]:
        return self.chain.read()

    def head(self) -> str:
        return self.chain.head()


def test_a_power_cut_within_a_step_leaves_no_order_hanging_and_the_money_right() -> None:
    asked = request(*SPAN, *SWITCHES)
    around, journal = world(asked), Unsafe(np.random.default_rng(7))
    one = account(asked, around, journal)
    for session in around.played:
        while one.wake <= session.close:
            try:
                one.kernel.step(one.wake)
                one.wake = one.kernel.next_wake(one.wake)
            except PowerCut:
                # Up again at once: the same first step as on any morning.
                one.kernel = reborn(one)
        book = one.kernel.book
        working = [w for w in book.orders.values() if w.cancelling or w.order.urgency is not Urgency.TARGET]
        assert not working, f"{session.date}: still working after the close"
        assert all(p.strategy == "lt112" for p in book.positions.values()), "0DTE is flat overnight"
    assert sum(journal.cuts.values()) >= 20
    assert len(journal.cuts) >= 4, journal.cuts
    ledger = Ledger().read(journal.read())
    book = one.kernel.book
    assert (ledger.cash, ledger.fees) == (exact_cents(book.cash), exact_cents(book.fees))
    assert sum(record.trades for record in book.records.values()) >= 3
