"""Reaching a person who is not at the screen: several ways, and what happens when none of them works (F49).

Each alert goes out on every channel at once; it has arrived when one of them took it.  What none took is
tried again every half minute and stands meanwhile in the *siren*, a file in the state folder.
When nothing has got through for a quarter of an hour, nobody would hear of the next thing that goes wrong
either, so ``silent`` is called, once: from then on nothing is opened.

Sending never waits in the trading loop: alerts are queued, and a thread of their own sends them.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import run
from typing import Protocol
from urllib.parse import urlsplit

import httpx2

from tomking.adapters.redaction import learn, redacted
from tomking.domain.errors import BadData

SIREN = "SIREN"
PATIENCE = 5.0
"""Seconds for one channel to take one alert."""
AGAIN = 30.0
"""Seconds until what nobody took is tried again."""
SILENT_AFTER = 900.0
"""Seconds without any channel after which nothing is opened."""
MOST = 200
"""Alerts that wait; older ones give way, as they stand in the log anyway."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing a person should know."""

    at: datetime
    level: str
    """"warning" or "critical"."""
    text: str


class Channel(Protocol):
    """A way to a person."""

    @property
    def name(self) -> str:
        """What it is called when it fails; no address, as that is a secret."""
        ...

    def send(self, alert: Alert) -> None:
        """Returns when it was taken; any exception means that it was not."""
        ...


class Alerts:
    """See the module.  ``notify`` may be called from any thread; ``run`` is the thread that sends."""

    def __init__(
        self,
        channels: Sequence[Channel],
        folder: Path,
        silent: Callable[[float], None],
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of ``silent``: what to do after so many seconds without any channel."""
        self._channels, self._silent, self._steady = tuple(channels), silent, steady
        self._siren = folder / SIREN
        self._waiting: deque[Alert] = deque(maxlen=MOST)
        self._failing_since: float | None = None
        self._told = False
        self._bell, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def notify(self, level: str, text: str, now: datetime) -> None:
        """Of the ``Notifier`` port: what is no warning stays in the log."""
        if level != "info" and self._channels:
            self._waiting.append(Alert(now, level, redacted(text)))
            self._bell.set()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """What is queued has one more try."""
        self._stop.set()
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join(2 * PATIENCE)

    def deliver(self) -> bool:
        """One try with everything that waits; whether nothing waits any more."""
        while self._waiting:
            alert = self._waiting[0]
            failed = [words for one in self._channels if (words := _sent(one, alert))]
            if len(failed) == len(self._channels):
                self._nobody(failed)
                return False
            with suppress(ValueError):  # it gave way to newer ones meanwhile
                self._waiting.remove(alert)
            self._somebody()
        return True

    # ------------------------------------------------------------------ one thread

    def _run(self) -> None:
        while True:
            self._bell.wait()
            self._bell.clear()
            while not self.deliver():
                if self._stop.wait(AGAIN):
                    return
            if self._stop.is_set():
                return

    def _nobody(self, failed: Sequence[str]) -> None:
        now = self._steady()
        since = self._failing_since = now if self._failing_since is None else self._failing_since
        self._write_siren(failed)
        if now - since >= SILENT_AFTER and not self._told:
            self._told = True
            self._silent(now - since)

    def _somebody(self) -> None:
        self._failing_since, self._told = None, False
        with suppress(OSError):
            self._siren.unlink(missing_ok=True)

    def _write_siren(self, failed: Sequence[str]) -> None:
        lines = [
            "no alert gets through:",
            *failed,
            *(f"{a.at.isoformat()} {a.level}: {a.text}" for a in self._waiting),
        ]
        with suppress(OSError):  # a full disk: what is said stands in the log and on the screen
            self._siren.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._siren.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _sent(channel: Channel, alert: Alert) -> str:
    """Empty when the channel took it; else why it did not, without its address."""
    try:
        channel.send(alert)
    except Exception as error:  # noqa: BLE001 - whatever a channel does, the next one is tried
        return f"{channel.name}: {type(error).__name__}"
    return ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts an alert as JSON to an address, as messengers and pagers take it.  The address is a secret."""

    url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        local = parts.scheme == "http" and parts.hostname in LOOPBACK
        if not parts.hostname or not (parts.scheme == "https" or local):
            raise BadData(
                ["an alert's address begins with https:// (or with http:// on this machine itself)"]
            )
        learn(self.url)

    @property
    def name(self) -> str:
        return "webhook"

    def send(self, alert: Alert) -> None:
        content = {"at": alert.at.isoformat(), "level": alert.level, "text": alert.text}
        with httpx2.Client(trust_env=False, follow_redirects=False, timeout=PATIENCE) as client:
            answer = client.post(self.url, json=content)
        if not answer.is_success:
            raise ConnectionError(f"HTTP {answer.status_code}")


@dataclass(frozen=True, slots=True)
class Command:
    """Runs a program of the user's, such as ``notify-send`` or ``mail``, with the alert as its input."""

    words: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"command {Path(self.words[0]).name}"

    def send(self, alert: Alert) -> None:
        text = f"tomking {alert.level}: {alert.text}\n"
        run(self.words, input=text.encode(), capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603
