"""What a start and a run do about crash loops, clocks and people who cannot be reached."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from tomking.adapters import alerts as adapter
from tomking.adapters.alerts import Alert, Command, Webhook
from tomking.adapters.clock import wall_now
from tomking.adapters.latch import LatchFile
from tomking.adapters.tastytrade.session import Destination, Environment, timed_hooks
from tomking.adapters.walltime import WallTime
from tomking.app.exits import Exit
from tomking.app.live.alerting import COMMAND, URL, alerting, channels, count_end, count_start
from tomking.app.live.latch import tightest
from tomking.app.live.stages import Gates
from tomking.app.live.telling import Teller
from tomking.app.problems import Problems
from tomking.domain.trading import Latch, Trading

NOW = datetime(2031, 3, 7, 15, 20, tzinfo=UTC)


@pytest.fixture
def own(tmp_path: Path) -> LatchFile:
    latch = LatchFile(tmp_path)
    latch.exchange(latch.read(), Latch(Trading.ACTIVE, NOW, "a person", "armed"))
    return latch


@pytest.fixture
def tell() -> Teller:
    return Teller(None, lambda: NOW)


def lines(tell: Teller) -> list[str]:
    return [f"{said.level}: {said.text}" for said in tell.lines]


def test_ways_to_a_person_stand_in_the_environment() -> None:
    found = channels({URL: "https://example.com/hook", COMMAND: "mail -s 'tomking: look' anna"})
    assert found == [Webhook("https://example.com/hook"), Command(("mail", "-s", "tomking: look", "anna"))]
    assert channels({}) == []


def test_ways_that_cannot_be_used_are_all_named_and_the_address_is_not_repeated() -> None:
    with pytest.raises(Problems) as raised:
        channels({URL: "http://example.com/secret", COMMAND: "mail 'open"})
    assert [one.partition(":")[0] for one in raised.value.lines] == [URL, COMMAND]
    assert "secret" not in "".join(raised.value.lines)
    assert raised.value.code is Exit.CONFIG


def test_the_fourth_start_without_an_orderly_end_closes_only(
    tmp_path: Path, own: LatchFile, tell: Teller
) -> None:
    for _ in range(3):
        count_start(tmp_path, own, tell)
        assert own.read().state is Trading.ACTIVE
    count_start(tmp_path, own, tell)
    assert own.read().state is Trading.REDUCING
    assert lines(tell)[0].startswith("critical: started 4 times in 10 minutes")


def test_what_the_program_did_to_itself_ends_with_a_persons_next_resume(
    tmp_path: Path, own: LatchFile, tell: Teller
) -> None:
    control, began = LatchFile(tmp_path / "installation"), wall_now() - timedelta(hours=1)
    control.exchange(control.read(), Latch(Trading.ACTIVE, began, "anna: tomking resume", "begin"))
    for _ in range(4):
        count_start(tmp_path, own, tell)
    assert not tightest(own, control).opens  # that resume was before
    later = wall_now() + timedelta(seconds=1)
    control.exchange(control.read(), Latch(Trading.ACTIVE, later, "anna: tomking resume", "found it"))
    assert tightest(own, control).opens
    # What comes after that resume stays until the next one.
    own.tighten(Trading.REDUCING, "tomking flatten", "closed by hand", later + timedelta(seconds=1))
    assert not tightest(own, control).opens
    own.halt("tomking paper", "the journal takes no more", later + timedelta(seconds=2))
    assert not tightest(own, control).opens


def test_orderly_ends_are_no_storm(tmp_path: Path, own: LatchFile, tell: Teller) -> None:
    for _ in range(10):
        count_start(tmp_path, own, tell)
        count_end(tmp_path)
    assert own.read().state is Trading.ACTIVE
    assert lines(tell) == []


def test_a_start_that_cannot_be_noted_is_refused(own: LatchFile, tell: Teller, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Problems, match="cannot be noted"):
        count_start(tmp_path / "file" / "folder", own, tell)


class Deaf:
    """A channel that never takes anything."""

    name = "deaf"

    def send(self, alert: Alert) -> None:
        raise ConnectionError(alert.text)


def test_when_nobody_can_be_reached_it_closes_only_and_says_so(
    tmp_path: Path, own: LatchFile, tell: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "SILENT_AFTER", 0.0)
    alerts = alerting([Deaf()], tmp_path, own, tell)
    tell.notify("critical", "order 7 is parked", NOW)
    alerts.close()
    assert own.read().state is Trading.REDUCING
    assert "no alert has got through" in own.read().why
    assert "closing only until tomking resume" in lines(tell)[-1]


class Clocks:
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.wall, self.steady = NOW, 0.0


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_nothing_is_opened_while_the_machines_clock_is_wrong(clocks: Clocks) -> None:
    gates = Gates("", WallTime(lambda: clocks.wall, lambda: clocks.steady))
    assert gates.may_open(NOW) is None
    clocks.wall += timedelta(hours=1)
    assert "moved forward by 3,600 seconds" in (gates.may_open(NOW) or "")
    clocks.wall -= timedelta(hours=1)
    assert gates.may_open(NOW) is None
    gates.shut = "the program is ending"
    assert gates.may_open(NOW) == "the program is ending"


@pytest.mark.enable_socket  # the event loop's own pair
def test_every_answer_of_the_broker_tells_its_date_and_how_long_it_took() -> None:
    told: list[tuple[str | None, float]] = []
    seconds = iter([10.0, 10.25, 20.0, 20.5])
    hooks = timed_hooks(
        Destination(Environment.SANDBOX, 8700), lambda: next(seconds), lambda *one: told.append(one)
    )
    date = "Fri, 07 Mar 2031 15:20:00 GMT"
    answers = iter([httpx2.Response(200, headers={"Date": date}), httpx2.Response(503)])

    async def ask() -> None:
        transport = httpx2.MockTransport(lambda _: next(answers))
        async with httpx2.AsyncClient(transport=transport, event_hooks=hooks) as client:
            for _ in range(2):
                await client.get("https://api.tastyworks.com/sessions")

    asyncio.run(ask())
    assert told == [(date, 0.25), (None, 0.5)]
