"""Real processes as a user starts them: killed, hung, ended, put back; the account is the same after it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tomking.adapters.clock import wait
from tomking.app.exits import Exit

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
PATIENCE = 240.0
"""Seconds: a busy machine, and kernels that are compiled for the first time."""
HANGS = """
import functools, sys, threading
from tomking.app.kernels import keep_compiled_kernels
keep_compiled_kernels()
from tomking.app.cli.shell import run
from tomking.app.live import engine, watchdog
engine.Watchdog = functools.partial(watchdog.Watchdog, after=1.0, lost_after=3.0)
engine.pictures.write = lambda *_: threading.Event().wait()
sys.exit(run(sys.argv[1:]))
"""
"""A disk that takes a write and never ends it, and a watchdog that does not wait a minute."""


@dataclass
class User:
    """Somebody with a home, a sandbox and a terminal."""

    home: Path
    port: int

    @property
    def folder(self) -> Path:
        return self.home / "state" / "paper" / "sandbox-5WT00001"

    @property
    def environment(self) -> dict[str, str]:
        secret = {"TOMKING_BACKUP_PASSPHRASE": "correct horse battery staple"}
        return {**os.environ, "TOMKING_HOME": str(self.home), **secret}

    def begins(self, *words: str, code: str = "") -> "Begun":
        program = ["-c", code] if code else ["-m", "tomking"]
        output = self.home / f"{time.monotonic_ns()}.out"
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, *program, *words], env=self.environment, stdout=file, stderr=file
            )
        return Begun(process, output)

    def paper(self, *words: str, code: str = "") -> "Begun":
        return self.begins(
            "paper", "--port", str(self.port), "--strategies", "friday_0dte", *words, code=code
        )

    def asks(self, *words: str) -> "Begun":
        """A command that ends by itself."""
        begun = self.begins(*words)
        begun.process.wait(PATIENCE)
        return begun

    def sets(self, **command: object) -> None:
        httpx.post(f"http://127.0.0.1:{self.port}/_sandbox", json=command, trust_env=False).raise_for_status()


@dataclass
class Begun:
    """A process that was started, and what it said so far."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    @property
    def code(self) -> int | None:
        return self.process.poll()

    def until(self, said: str) -> "Begun":
        until(lambda: said in self.said or self.code is not None)
        assert said in self.said, f"it never said {said!r}: {self.said}"
        return self

    def ends(self, number: int | None = None) -> int:
        """Its exit code, asked to end by a signal or by itself."""
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def until(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < ends:
        wait(0.1)


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    one = User(tmp_path, port)
    with ended(one.begins("sandbox", "--time", "09:29", "--speed", "0", "--port", str(port))) as sandbox:
        sandbox.until("sandbox ready")
        yield one


@contextmanager
def ended(begun: Begun) -> Iterator[Begun]:
    try:
        yield begun
    finally:
        begun.process.kill()
        begun.process.wait()


def ours(user: User) -> list[dict[str, Any]]:
    """Every order that the venue ever took of us, as the broker's own list has them."""
    url = f"http://127.0.0.1:{user.port}"
    words = {
        "grant_type": "refresh_token",
        "refresh_token": "sandbox-refresh",
        "client_secret": "sandbox-secret",
    }
    with httpx.Client(base_url=url, trust_env=False) as client:
        token = client.post("/oauth/token", json=words).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        found: list[dict[str, Any]] = client.get("/accounts/5WT00001/orders").json()["data"]["items"]
    return found


def standing(user: User) -> tuple[int, int]:
    """How many orders were filled, and how many work."""
    status = [one["status"] for one in ours(user)]
    return status.count("Filled"), status.count("Live")


def test_what_is_killed_hangs_or_is_put_back_goes_on_where_it_was_or_not_at_all(user: User) -> None:
    with ended(user.paper("--speed", "3600")) as first:
        first.until("session 2022-09-16 begins")
        early = user.asks("backup", "create")
        assert early.code == 0, early.said
        first.until("is at OPEN")
        until(lambda: standing(user) == (1, 1))
        first.ends(signal.SIGKILL)
    assert standing(user) == (1, 1), "a condor, and its target that rests"

    # 1. After kill -9 another process goes on: nothing is sent twice, and the end is an orderly one.
    with ended(user.paper("--speed", "60")) as second:
        second.until("1 positions and 1 orders in the book, 4 contracts held").until("book and broker agree")
        assert second.ends(signal.SIGTERM) == Exit.TERMINATED
        assert "1 positions and 1 working orders stay as they are" in second.said
    assert standing(user) == (1, 1)

    # 2. A loop that stands: closing only, then the process ends with 70 and a new one finds everything.
    user.sets(speed=1)
    with ended(user.paper(code=HANGS)) as hung:
        assert hung.ends() == Exit.STALLED
        assert "the loop has stood" in hung.said
        assert "in _draw" in (user.folder / "stacks.txt").read_text()
    latch = json.loads((user.folder / "latch.json").read_text())
    assert (latch["state"], latch["by"]) == ("REDUCING", "tomking paper")
    assert user.asks("resume", "--yes-resume-trading").code == Exit.OK
    with ended(user.paper()) as after:
        after.until("book and broker agree")
        assert after.ends(signal.SIGINT) == Exit.INTERRUPTED
    assert standing(user) == (1, 1)

    # 3. A backup from before the condor: refused, and once forced, it never trades on what it does not know.
    backup = early.said.splitlines()[0]
    refused = user.asks("backup", "restore", backup)
    assert refused.code == Exit.DATA
    assert "--discard-newer" in refused.said
    forced = user.asks("backup", "restore", backup, "--discard-newer")
    assert forced.code == Exit.OK, forced.said
    with ended(user.paper("--speed", "3600")) as outdated:
        assert outdated.ends() == Exit.MISMATCH, outdated.said
        assert "older than what the broker has seen" in outdated.said
    assert standing(user) == (1, 1)
