"""Real orders over real sockets: prepared, shown, approved, and sent exactly as they were shown."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from tests.live.papers import Paper, paper

from tomking.adapters.consent import Answer, ConsentFolder
from tomking.adapters.latch import LatchFile
from tomking.app.live.asked import Asked
from tomking.app.live.engine import Engine
from tomking.app.locks import Mode
from tomking.domain import events as ev
from tomking.domain.calendar import new_york
from tomking.domain.trading import Latch, Trading
from tomking.risk import rollout
from tomking.venue import sockets

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
FRIDAY = date(2022, 9, 16)


def as_live(asked: Asked) -> Asked:
    return replace(asked, mode=Mode.LIVE, folder=asked.control / "live" / asked.folder.name)


@pytest.fixture(autouse=True)
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that compiles beside it the loop may stand for seconds: here nobody minds."""
    monkeypatch.setattr(Engine, "_blocked", lambda _self, _seconds: None)


@contextmanager
def live(home: Path, stage: str) -> Iterator[Paper]:
    """A run whose orders wait, at a stage of the roll-out, with the installation's latch armed."""
    sockets.TICK = 0.01
    LatchFile(home).exchange(LatchFile(home).read(), Latch(Trading.ACTIVE, datetime.now(UTC), "anna", "test"))
    with paper(home, FRIDAY, time(9, 30), ("friday_0dte",), as_live) as run:
        now = run.ready.clock.now()
        run.ready.trading.kernel.record(ev.LevelChanged(now, rollout.LEVEL, "", stage, "test"))
        yield run


@contextmanager
def a_person(run: Paper, says: Callable[[Any], Answer | None]) -> Iterator[list[Any]]:
    """Looks at what waits ten times a second, and answers what is new; sees what was answered."""
    folder, seen, ended = ConsentFolder(run.ready.asked.folder), list[Any](), threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            for one in folder.offers():
                if one["state"] == "waiting" and one["hash"] not in {each["hash"] for each in seen}:
                    seen.append(one)
                    answer = says(one)
                    if answer is not None:
                        folder.reply(one["hash"], answer)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join(5)


def events_of(run: Paper) -> list[ev.Event]:
    return list(run.ready.journal.read())


def openings(run: Paper) -> list[ev.OrderSubmitted]:
    return [e for e in events_of(run) if isinstance(e, ev.OrderSubmitted) and e.order.opens]


def test_what_is_approved_is_what_reaches_the_venue(tmp_path: Path) -> None:
    with live(tmp_path, rollout.FULL) as run:
        with a_person(run, lambda _: Answer(True, "anna: tomking approve")) as seen:
            run.play(until=time(11, 2))
        for line in run.ready.teller.lines:
            print(line.clock, line.level, line.text)
        print(seen[0]["text"] if seen else "nothing was prepared")
        placed = run.venue.house.account.orders(run.ready.clock.now())
        for one in placed:
            print(one.id, one.tag, one.status, one.units, one.limit, one.legs)
        (sent,) = openings(run)
        assert new_york(sent.at).hour == 10
        assert seen
