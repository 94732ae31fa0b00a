"""The trouble of ``rel.line``: drawn by seed alone, of every kind, over before the close; and the proxy."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rel.line_faults import A_SESSION, KINDS, LATE, QUIET, drawn
from rel.line_proxy import HOST, Proxy, kind_of

MINUTES = 390


def test_the_same_seed_draws_the_same_trouble_and_another_does_not() -> None:
    assert drawn(1, 3, MINUTES) == drawn(1, 3, MINUTES)
    assert drawn(1, 3, MINUTES) != drawn(2, 3, MINUTES)


def test_three_sessions_have_every_kind_and_each_ends_quietly() -> None:
    blows = [blow for n in range(3) for blow in drawn(1, n, MINUTES)]
    assert {blow.what for blow in blows} == set(KINDS)
    assert len(blows) == 3 * A_SESSION
    assert max(blow.minute for blow in blows) < MINUTES - QUIET
    # An order that is refused by the front stays in doubt for the day, so that comes late.
    assert min(blow.minute for blow in blows if blow.what.endswith("an order")) >= min(LATE, MINUTES // 2)


def test_without_kinds_nothing_goes_wrong() -> None:
    assert drawn(1, 0, MINUTES, ()) == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"GET /streamer HTTP/1.1\r\n", "alerts"),
        (b"GET /realtime HTTP/1.1\r\n", "dxlink"),
        (b"POST /_sandbox HTTP/1.1\r\n", "control"),
        (b"POST /accounts/5WT00001/orders HTTP/1.1\r\n", "rest"),
        (b"", "rest"),
    ],
)
def test_the_first_line_says_what_a_connection_is_for(line: bytes, kind: str) -> None:
    assert kind_of(line) == kind


# ---------------------------------------------------------------------------------- over sockets


@contextmanager
def echoing() -> Iterator[tuple[Proxy, list[bytes]]]:
    """A proxy before a server that answers each line with ``ok:`` and the line."""
    server, heard = socket.create_server((HOST, 0)), list[bytes]()

    def answer(one: socket.socket) -> None:
        with one:
            while data := one.recv(1000):
                heard.append(data)
                one.sendall(b"ok:" + data)

    def serve() -> None:
        while True:
            try:
                one, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(one,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    proxy = Proxy(lambda: int(server.getsockname()[1]))
    proxy.start()
    try:
        yield proxy, heard
    finally:
        proxy.close()
        server.close()


def asked(proxy: Proxy, text: bytes = b"GET /orders\r\n") -> bytes:
    """What comes back on a new connection; empty where it is cut."""
    with socket.create_connection((HOST, proxy.port), timeout=5) as one:
        one.sendall(text)
        try:
            return one.recv(1000)
        except ConnectionResetError:
            return b""


def ended(one: socket.socket) -> bool:
    try:
        return one.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.enable_socket
def test_what_is_asked_and_answered_passes() -> None:
    with echoing() as (proxy, _):
        assert asked(proxy) == b"ok:GET /orders\r\n"
        assert proxy.counts["rest"] == 1


@pytest.mark.enable_socket
def test_a_lost_answer_was_asked_for_and_a_torn_one_is_half() -> None:
    with echoing() as (proxy, heard):
        proxy.lose("rest")
        assert asked(proxy) == b""
        assert heard == [b"GET /orders\r\n"]
        proxy.tear("rest")
        assert asked(proxy) == b"ok:GET /"  # 8 of 16 bytes
        assert asked(proxy) == b"ok:GET /orders\r\n"


@pytest.mark.enable_socket
def test_new_connections_are_refused_but_those_of_the_control_endpoint() -> None:
    with echoing() as (proxy, heard):
        proxy.refuse(60)
        assert asked(proxy) == b""
        assert heard == []
        assert asked(proxy, b"POST /_sandbox\r\n") == b"ok:POST /_sandbox\r\n"
        proxy.calm()
        assert asked(proxy) == b"ok:GET /orders\r\n"


@pytest.mark.enable_socket
def test_a_cut_ends_connections_of_that_kind_alone() -> None:
    with (
        echoing() as (proxy, _),
        socket.create_connection((HOST, proxy.port), timeout=5) as rest,
        socket.create_connection((HOST, proxy.port), timeout=5) as alerts,
    ):
        rest.sendall(b"GET /orders\r\n")
        alerts.sendall(b"GET /streamer\r\n")
        assert rest.recv(100)
        assert alerts.recv(100)
        proxy.cut("alerts")
        assert ended(alerts)
        rest.sendall(b"GET /again\r\n")
        assert rest.recv(100) == b"ok:GET /again\r\n"
