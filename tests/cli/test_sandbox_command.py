"""``tomking sandbox`` as a user starts and stops it."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tomking.app.cli.shell import run
from tomking.app.exits import Exit

pytestmark = pytest.mark.enable_socket
PATIENCE = 90
"""Seconds until it must be ready: the first start compiles kernels."""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--date", "2022-05-14"], Exit.DATA, "no session; the next is 2022-05-16"),
        (["--date", "2031-05-14"], Exit.DATA, "the packaged history has 1990-01-02 to"),
        (["--date", "Friday"], Exit.USAGE, "--date Friday: not a date; write it like 2022-05-13"),
        (["--time", "noon"], Exit.USAGE, "--time noon: not a New York time"),
        (["--speed", "-1"], Exit.USAGE, "--speed -1: not a number from 0"),
        (["--speed", "nan"], Exit.USAGE, "--speed nan"),
        (["--capital", "0"], Exit.USAGE, "--capital 0: not an amount"),
        (["--port", "70000"], Exit.USAGE, "--port 70000: not from 0 to 65535"),
        (["--account", "my account"], Exit.USAGE, "--account my account: not letters and digits"),
        (["--chains", "nowhere.csv"], Exit.DATA, "--chains nowhere.csv: there is no such file or folder"),
        (["--state", "/no/such/folder/file"], Exit.USAGE, "there is no folder /no/such/folder"),
    ],
)
def test_what_cannot_be_opened_is_said_at_once(
    arguments: list[str], code: Exit, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sandbox", "--port", "0", *arguments]) == code
    assert said in capsys.readouterr().err


def test_every_wrong_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "--date", "x", "--time", "y", "--speed", "z"]) == Exit.USAGE
    said = capsys.readouterr().err
    assert [f"--{name}" in said for name in ("date", "time", "speed")] == [True, True, True]


def test_a_port_that_is_taken_is_said_before_anything_is_opened(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["sandbox", "--port", str(port)]) == Exit.UNAVAILABLE
    said = capsys.readouterr().err
    assert f"port {port} on 127.0.0.1: Address already in use; choose another with --port" in said


BODY: dict[str, Any] = {
    "time-in-force": "GTC",
    "order-type": "Limit",
    "price": "15.00",
    "price-effect": "Credit",
    "external-identifier": "kept",
    "legs": [
        {"symbol": "SPXW  220513P03850000", "action": "Sell to Open", "quantity": 1},
        {"symbol": "SPXW  220513P03830000", "action": "Buy to Open", "quantity": 1},
    ],
}


Work = Callable[[str, dict[str, str]], object]
"""Given the address of the account's orders, and a header."""


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """Workers of pytest-xdist ignore SIGINT, and a server tells its caller of it by the handler there was."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Client:
    """Somebody who waits until it is ready, does something, and stops it with a signal."""

    def __init__(
        self, port: int, stop: signal.Signals, does: Callable[[str, dict[str, str]], object]
    ) -> None:
        self.saw: object = None
        self._address, self._stop, self._does = f"http://127.0.0.1:{port}", stop, does
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        body = {
            "grant_type": "refresh_token",
            "client_secret": "sandbox-secret",
            "refresh_token": "sandbox-refresh",
        }
        login = httpx.HTTPTransport(retries=10)  # nobody listens yet
        try:
            with httpx.Client(transport=login, timeout=PATIENCE) as http:
                answer = http.post(f"{self._address}/oauth/token", json=body)
            header = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            self.saw = self._does(f"{self._address}/accounts/5WT00001/orders", header)
        finally:
            os.kill(os.getpid(), self._stop)

    def joined(self) -> object:
        self._thread.join(PATIENCE)
        return self.saw


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


@pytest.mark.slow
def test_it_serves_until_it_is_told_to_stop_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--date",
        "2022-05-13",
        "--time",
        "10:00",
        "--speed",
        "1",
        "--state",
        str(tmp_path / "state"),
    ]

    def place(orders: str, header: dict[str, str]) -> object:
        return httpx.post(orders, json=BODY, headers=header).status_code

    port = free_port()
    client = Client(int(port), signal.SIGINT, place)
    assert run(["sandbox", "--port", port, *arguments]) == Exit.INTERRUPTED
    assert client.joined() == 201
    printed, said = capsys.readouterr()
    for words in (f"http://127.0.0.1:{port}", "5WT00001", "sandbox-secret", "sandbox-refresh", "Ctrl-C"):
        assert words in printed
    assert "order 1 " in said
    assert "Traceback" not in said

    def live(orders: str, header: dict[str, str]) -> object:
        rows = httpx.get(f"{orders}/live", headers=header).json()["data"]["items"]
        return [one["external-identifier"] for one in rows]

    port = free_port()
    client = Client(int(port), signal.SIGTERM, live)
    with pytest.raises(SystemExit) as ended:
        run(["sandbox", "--port", port, *arguments])
    assert ended.value.code == Exit.TERMINATED
    assert client.joined() == ["kept"]


RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/chains/spxw_15min_20160429_0dte.csv.gz"


@pytest.mark.skipif(not RECORDED.exists(), reason="no recorded chain beside the repository")
def test_it_trades_on_recorded_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    def chain(orders: str, header: dict[str, str]) -> object:
        address = orders.partition("/accounts")[0]
        items = httpx.get(f"{address}/option-chains/SPX/nested", headers=header).json()["data"]["items"]
        found = items[0]["expirations"][0]
        symbol = found["strikes"][len(found["strikes"]) // 2]["put"]
        asked = {"equity-option": symbol}
        data = httpx.get(f"{address}/market-data/by-type", params=asked, headers=header).json()["data"]
        return items[0]["root-symbol"], found["expiration-date"], sorted(data["items"][0])[:3]

    port = free_port()
    client = Client(int(port), signal.SIGINT, chain)
    arguments = ["--chains", str(RECORDED), "--date", "2016-04-29", "--time", "10:30", "--speed", "0"]
    assert run(["sandbox", "--port", port, *arguments]) == Exit.INTERRUPTED
    assert client.joined() == ("SPXW", "2016-04-29", ["ask", "ask-size", "bid"])
    assert run(["sandbox", "--port", "0", "--chains", str(RECORDED), "--date", "2016-05-02"]) == Exit.DATA
    assert "runs from 2016-04-29 to 2016-04-29" in capsys.readouterr().err
