"""Reference data is asked once while it lasts, and every call saved is counted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.adapters_tastytrade.brokers import Heard, Scripted, reply, scripted
from tests.venue.venueserver import FRIDAY, REFRESH, SECRET, running

from tomking.adapters.tastytrade.reference import (
    LIFETIMES,
    Kind,
    Metrics,
    Reference,
    dates_of,
    kind_of,
    lasts,
)
from tomking.adapters.tastytrade.session import Destination, Environment, Scope, Secrets, session
from tomking.domain.errors import BadData
from tomking.domain.eventcalendar import Event

NOW = datetime(2024, 6, 7, 14, 30, tzinfo=UTC)
CHAIN, METRICS, HOLIDAYS = "/option-chains/SPX/nested", "/market-metrics?symbols=AAPL", "/market-time/x"
APPLE = {
    "symbol": "AAPL",
    "implied-volatility-index-rank": "0.21",
    "beta": "1.2",
    "dividend-ex-date": "2024-08-12",
    "dividend-rate-per-share": "0.25",
    "earnings": {"expected-report-date": "2024-08-01", "time-of-day": "AMC"},
}


@dataclass
class Asked:
    """A broker that answers everything, and a cache whose clock a test moves."""

    broker: Scripted
    now: datetime = NOW
    folders: list[Path] = field(default_factory=list)

    def reference(self, folder: Path | None = None) -> Reference:
        return Reference(self.broker.session, lambda: self.now, folder)

    def calls(self) -> int:
        return len(self.broker.asked("GET"))


def answer(heard: Heard) -> bytes:
    if heard.path.startswith("/orders"):
        return reply(200, {"data": {"items": []}})
    if "broken" in heard.path:
        return reply(502, b"<html>")
    return reply(200, {"data": {"items": [APPLE]}})


@pytest.fixture
def asked() -> Iterator[Asked]:
    with scripted(answer) as broker:
        yield Asked(broker)


@pytest.mark.enable_socket
def test_what_lasts_is_asked_once_and_every_call_saved_is_counted(asked: Asked) -> None:
    one = asked.reference()
    for _ in range(3):
        one.read([CHAIN, METRICS])
    assert (one.asked, one.saved, asked.calls()) == (2, 4, 2)


@pytest.mark.enable_socket
def test_each_kind_has_its_own_lifetime(asked: Asked) -> None:
    one = asked.reference()
    one.read([CHAIN, METRICS, HOLIDAYS])
    asked.now += LIFETIMES[Kind.METRICS]
    one.read([CHAIN, METRICS, HOLIDAYS])
    assert [heard.path for heard in asked.broker.asked("GET")][3:] == [METRICS]


def test_a_chain_never_outlasts_its_new_york_day() -> None:
    evening = datetime(2024, 6, 8, 3, 59, tzinfo=UTC)
    assert lasts(CHAIN, evening - timedelta(hours=1), evening)
    assert not lasts(CHAIN, evening, evening + timedelta(minutes=1)), "midnight in New York"
    assert not lasts(CHAIN, evening, evening - timedelta(seconds=1)), "from the future"


def test_what_is_no_reference_is_never_kept() -> None:
    assert kind_of("/accounts/1/orders/live") is None
    assert not lasts("/accounts/1/positions", NOW, NOW)


@pytest.mark.enable_socket
def test_bad_answers_are_not_kept(asked: Asked) -> None:
    one = asked.reference()
    assert [found.status for found in one.read(["/instruments/broken", "/instruments/broken"])] == [502, 502]
    one.read(["/instruments/broken"])
    assert asked.calls() == 2


@pytest.mark.enable_socket
def test_another_run_of_the_same_day_asks_nothing(asked: Asked, tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    first = asked.reference(folder).read([CHAIN])
    again = asked.reference(folder)
    assert again.read([CHAIN])[0].items == first[0].items
    assert (again.asked, again.saved, asked.calls()) == (0, 1, 1)
    assert folder.stat().st_mode & 0o077 == 0
    asked.now += timedelta(days=1)
    asked.reference(folder).read([CHAIN])
    assert asked.calls() == 2


@pytest.mark.enable_socket
@pytest.mark.parametrize("damage", ["", "{", "[]", '{"path": "/other"}', '{"path": null, "at": 1}'])
def test_a_damaged_file_is_as_good_as_none(asked: Asked, tmp_path: Path, damage: str) -> None:
    asked.reference(tmp_path).read([CHAIN])
    (file,) = tmp_path.glob("*.json")
    file.write_text(damage)
    asked.reference(tmp_path).read([CHAIN])
    assert asked.calls() == 2


@pytest.mark.enable_socket
def test_what_is_forgotten_is_asked_again(asked: Asked, tmp_path: Path) -> None:
    one = asked.reference(tmp_path)
    one.read([CHAIN])
    one.forget()
    one.read([CHAIN])
    assert (asked.calls(), list(tmp_path.glob("*.draft"))) == (2, [])


@pytest.mark.enable_socket
def test_metrics_are_numbers_and_days_or_nothing(asked: Asked) -> None:
    found = asked.reference().metrics(["AAPL"])["AAPL"]
    assert found == Metrics(
        "AAPL", Decimal("0.21"), None, Decimal("1.2"), date(2024, 8, 1), date(2024, 8, 12), Decimal("0.25")
    )


def test_earnings_are_known_up_to_the_next_report_and_no_further() -> None:
    told = Metrics("AAPL", None, None, None, date(2024, 8, 1), date(2024, 5, 10), None)
    silent = Metrics("MSFT", None, None, None, None, None, None)
    found = dates_of([told, silent], date(2024, 6, 7))
    assert found["AAPL"].last == date(2024, 8, 1)
    assert found["AAPL"].of(Event.EARNINGS) == (date(2024, 8, 1),)
    assert found["AAPL"].of(Event.EX_DIVIDEND) == (), "that was in May"
    assert found["MSFT"].last == date(2024, 6, 7), "nothing is known of tomorrow"


@pytest.mark.enable_socket
def test_the_venues_chains_come_as_contracts_and_once() -> None:
    with running() as venue:
        to = Destination(Environment.SANDBOX, venue.port)
        one = Reference(lambda: session(to, Secrets(SECRET, REFRESH), Scope.READ), venue.house.clock.now)
        listed = one.listed(["SPXW"])
        assert {row.contract.product for row in listed} == {"SPXW"}, "SPX came along unasked"
        assert any(row.contract.expiry == FRIDAY for row in listed)
        assert one.listed(["SPXW"])
        assert (one.asked, one.saved) == (1, 1)


@pytest.mark.enable_socket
def test_a_chain_that_is_not_answered_is_named() -> None:
    with scripted(lambda _: reply(502, b"<html>")) as broker, pytest.raises(BadData, match="chain of SPX"):
        Reference(broker.session, lambda: NOW).listed(["SPXW"])
