"""What a live run adds around the kernel: turns of a sandbox, gauges, the calendar, what is refused."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.stressworld import EXPIRY, SETTINGS, book_of, one_part, view
from tests.worlds import at

from tomking.adapters.tastytrade.reference import Metrics, Reference
from tomking.app.exits import Exit
from tomking.app.live.announced import Announced
from tomking.app.live.gauges import Gauges
from tomking.app.live.telling import Said, Teller
from tomking.app.live.turns import Turns
from tomking.app.live.watchdog import Watchdog
from tomking.app.wiring import LineDesk
from tomking.domain.book import Book
from tomking.domain.errors import BadData
from tomking.domain.intent import Open, Refused
from tomking.risk.availability import PLACES

NOW = at("10:30")
SHORT_PUTS = book_of(("futures_strangle", one_part(f"-1 ES {EXPIRY} P4600"), 2))


# ------------------------------------------------------------------------------ turns


@dataclass
class Led:
    """A sandbox's clock, streams and wire, of which everything that is asked is kept."""

    asked: list[str] = field(default_factory=list)
    lives: bool = True
    waits: bool = False
    after_want: Callable[[], object] = bool

    def move(self, instant: datetime) -> None:
        self.asked.append(f"clock {instant:%H:%M:%S}")

    def abreast(self, _patience: float) -> bool:
        self.asked.append("abreast")
        return self.lives

    def still_true(self, now: datetime) -> None:
        self.asked.append(f"true {now:%H:%M:%S}")


def turns(led: Led, speed: float = 3600.0) -> Turns:
    whatever = cast("Any", led)
    return Turns(whatever, whatever, whatever, whatever, threading.Event(), speed)


def test_the_clock_goes_to_the_next_minute_or_to_what_is_due_before_it() -> None:
    led = Led()
    leads = turns(led)
    leads.go(NOW, NOW + timedelta(hours=1), is_open=True, works=False)
    leads.go(NOW, NOW + timedelta(seconds=10), is_open=True, works=False)
    assert [one for one in led.asked if one.startswith("clock")] == [
        f"clock {NOW + timedelta(minutes=1):%H:%M:%S}",
        f"clock {NOW + timedelta(seconds=10):%H:%M:%S}",
    ]


def test_within_its_minute_the_market_is_asked_once_and_then_vouched_for() -> None:
    led = Led()
    leads = turns(led)
    for seconds in (10, 20):
        leads.go(NOW, NOW + timedelta(seconds=seconds), is_open=True, works=False)
    assert led.asked.count("abreast") == 1
    assert sum(one.startswith("true") for one in led.asked) == 2


def test_quotes_that_do_not_come_are_not_vouched_for() -> None:
    led = Led(lives=False)
    turns(led).go(NOW, NOW + timedelta(seconds=10), is_open=True, works=False)
    assert not [one for one in led.asked if one.startswith("true")]


def test_while_an_order_works_its_stream_is_waited_for_too() -> None:
    led = Led()
    turns(led).go(NOW, NOW + timedelta(seconds=10), is_open=True, works=True)
    assert led.asked.count("abreast") == 2


def test_who_asks_for_quotes_first_waits_until_they_are_there() -> None:
    led = Led()
    leads = turns(led)
    leads.lead()
    led.asked.clear()
    led.after_want()
    assert led.asked == ["abreast"]


# ------------------------------------------------------------------------------ gauges


def gauged(gauges: Gauges, book: Book, when: float, frames: int) -> list[str]:
    found = gauges.look(
        book, view(), elapsed=when, frames=frames, seen=NOW, phase=4, net_liq=lambda: Decimal(200_000)
    )
    return [str(one) for one in found]


def test_a_limit_that_comes_near_is_told_once() -> None:
    # Two short 4,600 puts lose some hundred dollars a point of volatility.
    gauges = Gauges(replace(SETTINGS, short_vega_usd_max=(Decimal(100),) * 5))
    first = gauged(gauges, SHORT_PUTS, 0.0, 1)
    assert [one.partition(" ")[0] for one in first] == ["short"]
    assert "of the limit 100.0" in first[0]
    assert gauged(gauges, SHORT_PUTS, 2.0, 2) == []


def test_looks_are_a_second_apart_and_nothing_is_looked_at_while_nothing_is_held() -> None:
    gauges = Gauges(SETTINGS)
    gauged(gauges, SHORT_PUTS, 0.0, 1)
    before = gauges.snapshot
    gauged(gauges, SHORT_PUTS, 0.5, 2)
    assert gauges.snapshot is before
    gauged(gauges, SHORT_PUTS, 1.5, 3)
    assert gauges.snapshot is not before
    gauged(gauges, replace(SHORT_PUTS, positions={}), 2.0, 4)
    assert (gauges.snapshot, gauges.used) == (None, [])


# ------------------------------------------------------------------------------ refused


def test_nothing_is_opened_where_book_and_broker_differ() -> None:
    wish = Open(
        "futures_strangle",
        "strangle A1",
        (one_part(f"-1 ES {EXPIRY} P4600"),),
        ceiling=1,
        planned_loss=Decimal(10),
        target_gain=Decimal(5),
        least_net=Decimal(1),
        reason="test",
    )
    verdict = LineDesk(SETTINGS, PLACES, lambda: {"SPX"}).judge(wish, Book(), view(), Decimal(200_000))
    assert isinstance(verdict, Refused)
    assert [str(one) for one in verdict.breaches] == ["reconciliation: book and broker differ on SPX"]
    elsewhere = LineDesk(SETTINGS, PLACES, lambda: {"GC"}).judge(wish, Book(), view(), Decimal(200_000))
    assert "reconciliation" not in str(getattr(elsewhere, "breaches", ""))


# ------------------------------------------------------------------------------ announced


@dataclass
class Told:
    """A broker that tells metrics of some names."""

    known: dict[str, Metrics]

    def metrics(self, symbols: list[str]) -> dict[str, Metrics]:
        return {name: self.known[name] for name in symbols if name in self.known}


def metrics(name: str, earnings: date | None) -> Metrics:
    return Metrics(name, None, None, None, earnings, None, None)


TODAY = date(2031, 3, 7)


def announced(known: dict[str, Metrics], file: Path | None = None) -> Announced:
    return Announced(cast("Reference", Told(known)), file)


def test_single_names_have_the_brokers_dates_and_indices_none() -> None:
    found = announced({"AAPL": metrics("AAPL", date(2031, 4, 24))})
    assert found.read(("SPXW", "GC", "AAPL", "MSFT"), TODAY) == "dates of 1 names; none of MSFT"
    assert found.calendar.strict
    assert found.calendar.earnings_between("AAPL", TODAY, date(2031, 5, 1)) == date(2031, 4, 24)


def test_the_calendar_that_was_handed_out_knows_what_is_read_later() -> None:
    found = announced({"AAPL": metrics("AAPL", date(2031, 4, 24))})
    calendar = found.calendar
    found.read(("AAPL",), TODAY)
    assert calendar.earnings_between("AAPL", TODAY, date(2031, 5, 1)) == date(2031, 4, 24)


def test_the_users_file_counts_as_far_as_it_reaches(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("# covered 2031-01-01 2031-12-31\nticker,date\nAAPL,2031-04-30\nMSFT,2031-04-29\n")
    found = announced({"AAPL": metrics("AAPL", date(2031, 4, 24))}, file)
    found.read(("AAPL",), TODAY)
    assert found.calendar.earnings_between("AAPL", TODAY, date(2031, 5, 1)) == date(2031, 4, 30)
    found.read(("AAPL",), date(2032, 1, 2))
    assert found.calendar.dates["AAPL"].last == date(2032, 1, 2), "the broker tells of no report to come"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"events\.csv"):
        announced({}, tmp_path / "events.csv").read(("SPXW",), TODAY)


# ------------------------------------------------------------------------------ told


def test_no_line_of_a_run_shows_an_account_number_or_breaks_into_another_line(tmp_path: Path) -> None:
    heard: list[Said] = []
    log = tmp_path / "engine.jsonl"
    teller = Teller(log, lambda: datetime(2031, 3, 7, tzinfo=UTC), heard.append)
    teller.warn("order of 5WX12345 refused\nBearer abcdefgh12345678")
    assert heard[0].text == "order of ***2345 refused\\nBearer [hidden]"
    assert "5WX12345" not in log.read_text()


def test_the_folder_of_a_sandbox_can_be_copied_from_a_message() -> None:
    heard: list[Said] = []
    teller = Teller(None, lambda: datetime(2031, 3, 7, tzinfo=UTC), heard.append)
    teller.warn("/home/anna/state/paper/sandbox-5WT00001/journal.sqlite: damaged")
    assert "/sandbox-5WT00001/" in heard[0].text


def test_a_loop_that_stands_for_a_minute_is_given_up_once(tmp_path: Path) -> None:
    left = threading.Event()
    ended: list[int] = []

    def lost(_seconds: float) -> None:
        ended.append(Exit.STALLED)
        left.set()

    dog = Watchdog(tmp_path / "stacks.txt", lambda _: None, lost, after=0.01, lost_after=0.05)
    dog.start()
    assert left.wait(5)
    dog.close()
    assert ended == [70]
