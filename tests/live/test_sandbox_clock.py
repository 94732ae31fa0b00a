"""The market's clock as it is read from a sandbox that is there, is opening, or is not."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tomking.app.exits import Exit
from tomking.app.live import clock as clocks
from tomking.app.live.clock import SandboxClock
from tomking.app.problems import Problems

pytestmark = pytest.mark.enable_socket
SAID = b'{"now": "2022-09-16T14:30:00+00:00", "speed": 1.0}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(SAID),
    SAID,
)


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """Listened on, as a sandbox does from its first instant, and not answered."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def number(of: socket.socket) -> int:
    found: int = of.getsockname()[1]
    return found


def test_a_sandbox_that_is_opening_is_waited_for(
    port: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "PATIENCE", 0.1)

    def opens_late() -> None:
        waiting = [
            port.accept()[0] for _ in range(3)
        ]  # two questions that time out, and one that is answered
        waiting[-1].recv(1000)
        waiting[-1].sendall(ANSWER)
        for one in waiting:
            one.close()

    thread = threading.Thread(target=opens_late, daemon=True)
    thread.start()
    clock = SandboxClock(number(port))
    clock.connect(10.0)
    assert clock.now().isoformat().startswith("2022-09-16T14:30:00")
    clock.close()
    thread.join(5)


def test_one_that_never_opens_is_not_waited_for_for_ever(
    port: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "PATIENCE", 0.1)
    clock = SandboxClock(number(port))
    with pytest.raises(Problems) as failed:
        clock.connect(0.3)
    assert failed.value.code is Exit.UNAVAILABLE
    assert '"sandbox ready"' in failed.value.lines[0]
    clock.close()


def test_nobody_on_the_port_is_told_at_once(port: socket.socket) -> None:
    free = number(port)
    port.close()
    clock = SandboxClock(free)
    with pytest.raises(Problems) as failed:
        clock.connect(60.0)
    assert "start one with `tomking sandbox`" in failed.value.lines[0]
    clock.close()
