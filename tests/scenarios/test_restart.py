"""A process that dies between any two steps and starts again from its journal goes on as if it had not."""

from dataclasses import replace

import numpy as np
import pytest
from tests.scenarios.accounts import BOTH, account, config, played, request, world

from tomking.app.play import Player
from tomking.domain.calendar import new_york
from tomking.kernel import Kernel
from tomking.risk.desk import Desk
from tomking.risk.settings import Settings
from tomking.strategies import build

pytestmark = pytest.mark.slow

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
                working = any(w.order.urgency.name != "TARGET" for w in book.orders.values())
                killed["working"] = killed.get("working", 0) + working
                killed["mid-session"] = killed.get("mid-session", 0) + (new_york(now).hour < 16)
    assert min(killed[name] for name in (*BOTH, "working", "mid-session")) >= 3, killed
    assert one.journal.head() == played(asked).journal.head()
