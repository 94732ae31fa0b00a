"""Recovery: from a file left by a killed process to the book of 100 positions, 500 orders and 100,000 rows.

``python -m rel.recover`` writes such a journal once, then opens, checks, reads, verifies and folds it in
fresh processes, and reports the 95th percentile of what a restart waits for; the goal is 3 seconds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from tomking.adapters.journal import SqliteJournal
from tomking.adapters.witness import Head, Witness
from tomking.domain import events as ev
from tomking.domain.intent import Part, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Structure

GOAL_SECONDS = 3.0
POSITIONS = 100
WORKING = 500
PARTS = 4
"""Components of a position, each with its resting target: 400 of the 500 orders."""
EXPIRY = date(2031, 4, 18)
AT = datetime(2031, 3, 3, 15, tzinfo=UTC)
SESSION_ROWS = 400
"""Rows of one session of the history: about what a busy day has."""


def crowded(rows: int) -> Iterator[ev.Event]:
    """A history of ``rows`` events all of which happened beside 100 open positions and 500 working orders."""
    yield ev.RunStarted(AT, 1, "c" * 64, "d" * 64, ("lt112", "friday_0dte"))
    yield ev.CashMoved(AT, Decimal(10_000_000), "starting capital")
    yield ev.SessionBegan(AT, AT.date())
    count = 3
    for event in _standing():
        count += 1
        yield event
    history = _history()
    for _ in range(rows - count):
        yield next(history)


def _standing() -> Iterator[ev.Event]:
    for n in range(POSITIONS):
        order = condor(f"p{n}", n)
        yield from _opened(order, AT)
        for role in order.roles:
            yield ev.OrderSubmitted(AT, closing(order, (role,), f"t{n}{role}", Urgency.TARGET))
    for n in range(WORKING - POSITIONS * PARTS):
        yield ev.OrderSubmitted(AT, condor(f"w{n}", n))


def _history() -> Iterator[ev.Event]:
    """Sessions as the real journal has them: mostly notes and refusals, some reprices, some trades."""
    n = 0
    while True:
        at = AT + timedelta(days=1 + n)
        yield ev.SessionBegan(at, at.date())
        rows = 2
        while rows < SESSION_ROWS:
            at += timedelta(minutes=1)
            for event in _minute(n, at):
                yield event
                rows += 1
            n += 1
        yield ev.SessionEnded(at, at.date(), Decimal(10_000_000), Decimal(5), Decimal(5), 17.5, 5700.25)


def _minute(n: int, at: datetime) -> Iterator[ev.Event]:
    for k in range(14):
        yield ev.Noted(at, f"mark friday_0dte {k}", f"{5700 + n % 50}.25 at {at:%H:%M}")
    for k in range(8):
        details = ("SPY concentration: 31 % of 30 %", "margin: 52.1 % of 50 %")
        yield ev.Declined(at, "lt112", f"1-1-2 {n}.{k}", "CAP", details)
    for k in range(3):
        yield ev.OrderRepriced(at, f"w{(n + k) % (WORKING - POSITIONS * PARTS)}", Decimal("2.35"))
    order = condor(f"h{n}", n)
    yield ev.EntryApproved(at, "lt112", "1-1-2", 2, "loss per trade", (), "VIX 24.1, credit 2.45")
    yield from _opened(order, at)
    close = closing(order, order.roles, f"c{n}", Urgency.RULE)
    yield ev.OrderSubmitted(at, close)
    yield ev.OrderAccepted(at, close.id)
    yield ev.OrderRepriced(at, close.id, Decimal("-1.20"))
    yield ev.OrderFilled(at, fill(close, at))
    yield ev.Transitioned(at, order.id, State.ACTIVE, State.CLOSED, "21 DTE")


def _opened(order: Order, at: datetime) -> Iterator[ev.Event]:
    yield ev.OrderSubmitted(at, order)
    yield ev.OrderAccepted(at, order.id)
    yield ev.OrderRepriced(at, order.id, Decimal("2.40"))
    yield ev.OrderFilled(at, fill(order, at))
    yield ev.Transitioned(at, order.id, State.BUILDING, State.ACTIVE, "filled")


def condor(id_: str, n: int) -> Order:
    low, high = 5000 + 5 * (n % 100), 6000 + 5 * (n % 100)
    texts = [
        f"-1 SPXW {EXPIRY} P{low} / +1 SPXW {EXPIRY} P{low - 30}",
        f"-1 SPXW {EXPIRY} C{high} / +1 SPXW {EXPIRY} C{high + 30}",
        f"-1 SPXW {EXPIRY} P{low - 200} / +1 SPXW {EXPIRY} P{low - 230}",
        f"-1 SPXW {EXPIRY} C{high + 200} / +1 SPXW {EXPIRY} C{high + 230}",
    ]
    parts = tuple(Part(f"side {k}", Structure.parse("spread", text)) for k, text in enumerate(texts))
    return Order(
        id=id_,
        strategy="lt112",
        position=id_,
        parts=parts,
        units=2,
        limit=Decimal("2.45"),
        floor=Decimal("2.00"),
        opens=True,
        urgency=Urgency.ENTRY,
        reason="VIX 24.1, credit 2.45",
        trigger="1-1-2",
        margin=Decimal("6000.00"),
        planned_loss=Decimal("4.90"),
    )


def closing(order: Order, roles: tuple[str, ...], id_: str, urgency: Urgency) -> Order:
    parts = tuple(Part(p.role, p.structure.inverse()) for p in order.parts if p.role in roles)
    return replace(order, id=id_, parts=parts, opens=False, urgency=urgency, limit=Decimal("-1.25"))


def fill(order: Order, at: datetime) -> Fill:
    prices = tuple(Decimal("3.10") + Decimal(k) / 20 for k, _ in enumerate(order.structure.legs))
    return Fill(f"x{order.id}", order.id, at, order.units, prices, Decimal("9.80"), prices)


ONCE = """
import sys, time
from pathlib import Path
from tomking.adapters.journal import SqliteJournal
from tomking.domain.book import fold
began, busy = time.perf_counter(), time.process_time()
with SqliteJournal(Path(sys.argv[1]), each_durable=True) as journal:
    book = fold(journal.read())
    took, worked = time.perf_counter() - began, time.process_time() - busy
    print(took, worked, len(book.positions), len(book.orders), book.sequence, journal.head())
"""


def main() -> int:
    """Prints one line of JSON; 1 when a restart waits too long or finds another book."""
    parser = argparse.ArgumentParser(prog="python -m rel.recover", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=50)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tomking-recover-") as folder:
        path = Path(folder) / "journal.sqlite"
        head = _written(path, asked.rows)
        runs = [_once(path) for _ in range(asked.runs)]
        megabytes = path.stat().st_size / 1e6
    found = [str(POSITIONS), str(WORKING), str(asked.rows), head]
    wrong = sum(1 for run in runs if run[2:] != found)
    took, worked = (np.array([float(run[n]) for run in runs]) for n in (0, 1))
    p95 = float(np.percentile(took, 95))
    figures = {
        "command": "rel.recover",
        "positions": POSITIONS,
        "orders": WORKING,
        "rows": asked.rows,
        "megabytes": round(megabytes, 1),
        "runs": asked.runs,
        "median_seconds": round(float(np.median(took)), 2),
        "p95_seconds": round(p95, 2),
        "p95_cpu_seconds": round(float(np.percentile(worked, 95)), 2),
        "goal_seconds": GOAL_SECONDS,
        "wrong_books": wrong,
    }
    print(json.dumps(figures))
    return int(p95 > GOAL_SECONDS or wrong > 0)


def _written(path: Path, rows: int) -> str:
    """Writes the history without a sync an event, and gives it the head that such syncs would have left."""
    with SqliteJournal(path, power_safe=False) as journal:
        for event in crowded(rows):
            journal.append(event)
        journal.commit()
        head = journal.head()
    witness = Witness(path)
    witness.confirm(Head(rows, head))
    witness.close()
    return head


def _once(path: Path) -> list[str]:
    words = [sys.executable, "-c", ONCE, str(path)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


if __name__ == "__main__":
    sys.exit(main())
