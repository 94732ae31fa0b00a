"""Alerts that must reach somebody (F49): real files, a real local address and a real program."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tomking.adapters.alerts import MOST, SIREN, Alert, Alerts, Command, Webhook
from tomking.domain.errors import BadData

NOW = datetime(2031, 3, 7, 20, 20, tzinfo=UTC)
PATIENCE = 5.0


class Phone:
    """A channel that somebody may switch off."""

    def __init__(self, name: str = "phone") -> None:
        self.name = name
        self.works = True
        self.heard: list[str] = []
        self.rang = threading.Event()

    def send(self, alert: Alert) -> None:
        if not self.works:
            raise ConnectionError("no service")
        self.heard.append(f"{alert.level}: {alert.text}")
        self.rang.set()


class Desk:
    """Alerts on two phones, with a clock of the test's."""

    def __init__(self, folder: Path) -> None:
        self.seconds = 0.0
        self.silent: list[float] = []
        self.one, self.two = Phone("one"), Phone("two")
        self.siren = folder / SIREN
        self.alerts = Alerts([self.one, self.two], folder, self.silent.append, steady=lambda: self.seconds)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_alert_goes_out_on_every_channel(desk: Desk) -> None:
    desk.alerts.notify("critical", "order 7 is parked", NOW)
    assert desk.alerts.deliver()
    assert desk.one.heard == desk.two.heard == ["critical: order 7 is parked"]
    assert not desk.siren.exists()


def test_what_is_no_warning_disturbs_nobody(desk: Desk) -> None:
    desk.alerts.notify("info", "order 7 filled", NOW)
    assert desk.alerts.deliver()
    assert desk.one.heard == []


def test_when_one_channel_is_down_the_second_is_enough(desk: Desk) -> None:
    desk.one.works = False
    desk.alerts.notify("warning", "quotes are old", NOW)
    assert desk.alerts.deliver()
    assert desk.two.heard == ["warning: quotes are old"]
    assert desk.silent == []


def test_what_nobody_took_stands_in_the_siren_until_somebody_takes_it(desk: Desk) -> None:
    desk.one.works = desk.two.works = False
    desk.alerts.notify("critical", "HALTED", NOW)
    assert not desk.alerts.deliver()
    text = desk.siren.read_text(encoding="utf-8")
    assert "critical: HALTED" in text
    assert "one: ConnectionError" in text
    desk.two.works = True
    assert desk.alerts.deliver()
    assert desk.two.heard == ["critical: HALTED"]
    assert not desk.siren.exists()


def test_after_a_quarter_of_an_hour_without_any_channel_trading_hears_of_it_once(desk: Desk) -> None:
    desk.one.works = desk.two.works = False
    desk.alerts.notify("critical", "the stream is down", NOW)
    for minute in range(30):
        desk.seconds = 60.0 * minute
        assert not desk.alerts.deliver()
    assert desk.silent == [900.0]


def test_a_channel_that_works_in_between_begins_the_quarter_of_an_hour_anew(desk: Desk) -> None:
    desk.one.works = desk.two.works = False
    desk.alerts.notify("critical", "first", NOW)
    desk.alerts.deliver()
    desk.seconds, desk.one.works = 600.0, True
    assert desk.alerts.deliver()
    desk.one.works = False
    desk.alerts.notify("critical", "second", NOW)
    desk.alerts.deliver()
    desk.seconds = 1400.0
    desk.alerts.deliver()
    assert desk.silent == []
    desk.seconds = 1501.0
    desk.alerts.deliver()
    assert desk.silent == [901.0]


def test_a_flood_of_alerts_keeps_the_newest_and_no_more_memory(desk: Desk) -> None:
    desk.one.works = desk.two.works = False
    for n in range(10 * MOST):
        desk.alerts.notify("warning", f"alert {n}", NOW)
    desk.one.works = True
    assert desk.alerts.deliver()
    assert len(desk.one.heard) == MOST
    assert desk.one.heard[-1] == f"warning: alert {10 * MOST - 1}"


def test_a_flood_that_comes_while_one_is_sent_breaks_nothing(desk: Desk) -> None:
    take = desk.one.send

    def flooded(alert: Alert) -> None:
        desk.one.send = take  # type: ignore[method-assign]
        for n in range(MOST):
            desk.alerts.notify("warning", f"alert {n}", NOW)
        take(alert)

    desk.one.send = flooded  # type: ignore[method-assign]
    desk.alerts.notify("critical", "first", NOW)
    assert desk.alerts.deliver()
    assert desk.one.heard == ["critical: first", *(f"warning: alert {n}" for n in range(MOST))]


def test_without_channels_nothing_is_queued_and_nothing_is_forbidden(tmp_path: Path) -> None:
    silent: list[float] = []
    alerts = Alerts([], tmp_path, silent.append)
    alerts.notify("critical", "nobody is there", NOW)
    assert alerts.deliver()
    assert silent == []


def test_a_disk_that_takes_no_siren_stops_no_alert(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    phone = Phone()
    phone.works = False
    alerts = Alerts([phone], tmp_path / "file", lambda _: None)
    alerts.notify("critical", "disk full", NOW)
    assert not alerts.deliver()
    phone.works = True
    assert alerts.deliver()


def test_the_loop_that_notifies_does_not_wait_for_a_channel(desk: Desk) -> None:
    held = threading.Event()
    take = desk.one.send

    def slow(alert: Alert) -> None:
        held.wait(PATIENCE)
        take(alert)

    desk.one.send = slow  # type: ignore[method-assign]
    desk.alerts.start()
    desk.alerts.notify("critical", "order 7 is unknown", NOW)  # returns though the channel stands
    assert desk.one.heard == []
    held.set()
    assert desk.one.rang.wait(PATIENCE)
    desk.alerts.close()


def test_secrets_leave_on_no_channel(desk: Desk) -> None:
    desk.alerts.notify("critical", "refused: Bearer abcdefghijklmnop", NOW)
    desk.alerts.deliver()
    assert desk.one.heard == ["critical: refused: Bearer [hidden]"]


# ------------------------------------------------------------------------------ channels


class _Takes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        found = json.loads(self.rfile.read(length))
        self.server.found.append(found)  # type: ignore[attr-defined]
        self.send_response(302 if "away" in self.path else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the test's terminal."""


@pytest.fixture
def pager(socket_enabled: None) -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Takes) as server:
        server.found = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_a_webhook_posts_what_happened(pager: HTTPServer) -> None:
    Webhook(f"http://127.0.0.1:{pager.server_port}/abcdef").send(Alert(NOW, "critical", "HALTED"))
    found = {"at": "2031-03-07T20:20:00+00:00", "level": "critical", "text": "HALTED"}
    assert pager.found == [found]  # type: ignore[attr-defined]


def test_an_answer_that_leads_elsewhere_is_a_failure_and_is_not_followed(pager: HTTPServer) -> None:
    with pytest.raises(ConnectionError, match="302"):
        Webhook(f"http://127.0.0.1:{pager.server_port}/away").send(Alert(NOW, "critical", "HALTED"))
    assert len(pager.found) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com", "example.com", "https://", ""])
def test_an_address_that_could_be_read_on_the_way_is_refused(url: str) -> None:
    with pytest.raises(BadData, match="https"):
        Webhook(url)


def test_a_command_gets_the_words_as_its_input(tmp_path: Path) -> None:
    Command(("tee", str(tmp_path / "said"))).send(Alert(NOW, "warning", "quotes are old"))
    assert (tmp_path / "said").read_text(encoding="utf-8") == "tomking warning: quotes are old\n"


@pytest.mark.parametrize("words", [("false",), ("no-such-program-anywhere",)])
def test_a_command_that_fails_or_is_not_there_is_a_channel_that_is_down(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    alerts = Alerts([Command(words)], tmp_path, lambda _: None)
    alerts.notify("critical", "HALTED", NOW)
    assert not alerts.deliver()
    assert f"command {words[0]}" in (tmp_path / SIREN).read_text(encoding="utf-8")
