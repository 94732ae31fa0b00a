"""A broker that cannot prove who it is hears nothing (F61): a real socket with a certificate of nobody's."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from socket import create_server

import httpx2
import pytest

from tomking.adapters.clock import wall_now
from tomking.adapters.tastytrade.rest import Answered, ask
from tomking.adapters.tastytrade.session import Destination, Environment, Secrets, session
from tomking.execution.wire import Outcome

pytestmark = pytest.mark.enable_socket
x509 = pytest.importorskip("cryptography.x509", reason="certificates are made with cryptography")
LOOPBACK = "127.0.0.1"


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's certificate for this machine that nobody vouches for."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), wall_now()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, LOOPBACK)])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "one.pem").write_bytes(text + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "one.pem")
    return context


class Impostor:
    """Whoever answers in the broker's place."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._server = create_server((LOOPBACK, 0))
        self.port: int = self._server.getsockname()[1]
        self.came = 0
        self.heard = b""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.came += 1
            with connection:
                connection.settimeout(2.0)
                try:
                    with self._context.wrap_socket(connection, server_side=True) as secure:
                        self.heard += secure.recv(4096)
                except OSError:
                    continue

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Impostor]:
    one = Impostor(self_signed(tmp_path))
    yield one
    one.close()


def order_to(host: str, port: int) -> Answered:
    """An order of a session whose broker's name leads there, as a forged name server would have it."""
    to = Destination(Environment.CERT)

    async def lead(request: httpx2.Request) -> None:
        request.url = request.url.copy_with(host=host, port=port)

    async def send() -> Answered:
        async with session(to, Secrets("canary-secret", "canary-refresh")) as one:
            one._client.event_hooks = {"request": [to.hook(), lead]}
            return await ask(one, "POST", "/accounts/1/orders", about_an_order=True, json={"price": "1"})

    return asyncio.run(send())


def test_a_certificate_that_nobody_vouches_for_gets_neither_secrets_nor_orders(impostor: Impostor) -> None:
    found = order_to(LOOPBACK, impostor.port)
    assert found.outcome is Outcome.UNKNOWN
    assert "ConnectError" in found.text
    assert impostor.came == 1
    assert impostor.heard == b""


def test_a_name_that_leads_nowhere_is_an_order_that_was_not_sent() -> None:
    found = order_to("nowhere.invalid", 443)
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "login")
    assert "ConnectError" in found.text
