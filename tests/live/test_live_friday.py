"""Real orders over real sockets: prepared, shown, approved, and sent exactly as they were shown."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.live.papers import SPEED, Paper, paper

from tomking.adapters.clock import wall_now
from tomking.adapters.consent import Answer, ConsentFolder
from tomking.adapters.latch import LatchFile
from tomking.app.cli.shell import run as tomking
from tomking.app.exits import Exit
from tomking.app.live.asked import Asked, with_real_orders
from tomking.app.live.engine import Engine
from tomking.app.live.stages import start
from tomking.app.live.telling import Teller
from tomking.domain import events as ev
from tomking.domain.calendar import new_york
from tomking.domain.trading import Latch, Trading
from tomking.execution.wire import BrokerOrder, Place, Reply
from tomking.risk import rollout
from tomking.venue import sockets

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
FRIDAY = date(2022, 9, 16)


@contextmanager
def live(home: Path, stage: str = rollout.FULL, speed: float = SPEED) -> Iterator[Paper]:
    """A run whose orders wait, at a stage of the roll-out, with the installation's latch armed."""

    def as_live(asked: Asked) -> Asked:
        return with_real_orders(replace(asked, speed=speed))

    sockets.TICK = 0.01
    control = LatchFile(home)
    control.exchange(control.read(), Latch(Trading.ACTIVE, wall_now(), "anna", "test"))
    with paper(home, FRIDAY, time(9, 30), ("friday_0dte",), as_live) as run:
        now = run.ready.clock.now()
        run.ready.trading.kernel.record(ev.LevelChanged(now, rollout.LEVEL, "", stage, "test"))
        yield run


@contextmanager
def again(run: Paper) -> Iterator[None]:
    """The engine ends, and another one begins on the same journal."""
    run.ready.close()
    bell = threading.Event()
    run.ready = start(run.ready.asked, run.ready.configured, lambda _s, _t: None, Teller, bell.set)
    run.engine = Engine(run.ready, bell)
    try:
        yield
    finally:
        run.ready.close()


@contextmanager
def a_person_who_agrees(run: Paper) -> Iterator[list[dict[str, Any]]]:
    """Looks at what waits ten times a second, and approves it; what was approved, as it was shown."""
    folder, agreed, ended = ConsentFolder(run.ready.asked.folder), list[dict[str, Any]](), threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            for one in folder.offers():
                if one["state"] == "waiting" and folder.answer(one["hash"]) is None:
                    folder.reply(one["hash"], Answer(True, "anna: tomking approve"))
                    agreed.append(dict(one))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield agreed
    finally:
        ended.set()
        thread.join(5)


def submitted(run: Paper, *, opens: bool) -> list[ev.OrderSubmitted]:
    events = run.ready.journal.read()
    return [e for e in events if isinstance(e, ev.OrderSubmitted) and e.order.opens is opens]


def at_venue(run: Paper, orders: Sequence[ev.OrderSubmitted]) -> list[BrokerOrder]:
    """All that the venue ever saw of these orders: each limit is one of its own."""
    ids = {f"-{one.order.id}-" for one in orders}
    shown = run.venue.house.account.orders(run.venue.house.clock.now())
    return [one for one in shown if any(id_ in one.tag for id_ in ids)]


def as_shown(orders: Sequence[BrokerOrder], intent: dict[str, Any]) -> bool:
    """Whether the venue has these legs and units, and no price beyond those that were shown."""
    legs, floor, top = sorted(intent["legs"]), Decimal(intent["floor"]), Decimal(intent["top"])
    return bool(orders) and all(
        sorted(map(str, one.legs)) == legs and one.units == intent["units"] and floor <= one.limit <= top
        for one in orders
    )


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Paper, list[dict[str, Any]]]]:
    """A Friday until eleven, with a person at hand."""
    with live(tmp_path_factory.mktemp("live") / "state") as run:
        with a_person_who_agrees(run) as agreed:
            run.play(until=time(11, 1))
        yield run, agreed


def test_the_preview_has_the_brokers_word_and_what_it_risks(
    approved: tuple[Paper, list[dict[str, Any]]],
) -> None:
    shown = approved[1][0]["preview"]
    # Four contracts of SPXW: $1.00, $0.10, $0.65 and a regulatory fee each, $7.11 in all (D.6).
    assert (shown["effect"]["fees"], shown["ahead"]["fees_open"]) == ("7.11", "7.11")
    assert Decimal(shown["effect"]["margin"]) > 0
    assert Decimal(shown["ahead"]["max_loss"]) > Decimal(shown["ahead"]["stop_loss"])
    assert {one["name"] for one in shown["ahead"]["shocks"]} >= {"S-5", "S-10", "S-20", "CRISIS"}
    assert shown["ahead"]["limits"]
    assert "never worse than" in approved[1][0]["text"]


def test_exactly_the_previewed_order_reaches_the_venue(approved: tuple[Paper, list[dict[str, Any]]]) -> None:
    run, agreed = approved
    sent, shown = submitted(run, opens=True), {one["hash"]: one["preview"]["intent"] for one in agreed}
    assert 1 <= len(sent) <= len(agreed)
    said = [e.warnings[-1] for e in run.ready.journal.read() if isinstance(e, ev.EntryApproved)]
    for order, words in zip(sent, said, strict=True):
        # The journal says by which approval it went out.
        intent = shown.pop(words.split()[1].rstrip(","))
        assert as_shown(at_venue(run, [order]), intent)
        assert new_york(order.at).hour == 10


def test_its_exits_asked_nobody(approved: tuple[Paper, list[dict[str, Any]]]) -> None:
    run, agreed = approved
    closes = submitted(run, opens=False)
    if run.ready.trading.kernel.book.positions:
        assert [one.order.trigger for one in closes][:1] == ["target"]
    assert {one["preview"]["intent"]["entry"] for one in agreed} == {"0dte"}


def test_another_order_does_not_pass_the_wire(approved: tuple[Paper, list[dict[str, Any]]]) -> None:
    run, _ = approved
    trading = run.ready.trading
    guard = trading.orders._asking._wire
    sent = submitted(run, opens=True)[0].order
    before = run.venue.house.account.orders(run.venue.house.clock.now())
    tag = f"{trading.instance}-{run.ready.trading.kernel.book.sequence}-99999-1"
    now = run.ready.clock.now()
    guard.send(Place("x", tag, sent.structure.legs, sent.units + 1, sent.limit, opens=True), now)
    told = [one for one in guard.take(now) if isinstance(one, Reply) and one.key == "x"]
    assert [one.code for one in told] == ["unapproved"]
    assert run.venue.house.account.orders(run.venue.house.clock.now()) == before


def test_an_approval_from_the_command_line_outlives_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path))
    # While one engine ends and the next one starts the market goes on: not so fast that the order expires.
    with live(tmp_path / "state", speed=600.0) as run:
        run.play(until=time(10, 31))
        assert submitted(run, opens=True) == []
        folder = ConsentFolder(run.ready.asked.folder)
        (shown,) = [one for one in folder.offers() if one["state"] == "waiting"]
        hash_, text = shown["hash"], (folder.path / f"{shown['hash']}.json").read_text()

        assert tomking(["approve", "--json"]) == Exit.OK
        assert json.loads(capsys.readouterr().out)[0]["hash"] == hash_
        # Somebody edits what is shown: it is not what the hash stands for any more.
        (folder.path / f"{hash_}.json").write_text(text.replace('"units": 1', '"units": 9'))
        assert tomking(["approve", hash_]) == Exit.APPROVAL
        assert "not what its hash stands for" in capsys.readouterr().err
        (folder.path / f"{hash_}.json").write_text(text)

        assert tomking(["approve", hash_[:6]]) == Exit.OK
        assert "is approved" in capsys.readouterr().out
        with again(run):
            run.play(until=time(10, 50))
            sent = submitted(run, opens=True)
            assert len(sent) == 1
            assert as_shown(at_venue(run, sent), shown["preview"]["intent"])
