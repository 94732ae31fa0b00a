"""The kill latch: one file that says whether orders may open anything, read before every one that would.

Whatever cannot be read is HALTED: a missing file, a damaged one, an unknown word, a folder
without permission.  So a disk that takes no more writes can still be halted: the file is removed instead.

1. A new content is written beside the file, synced, and put in its place by one rename; the folder is synced.
2. ``halt`` overwrites whatever is there, and waits for nothing and nobody.
3. What loosens takes the file away first and puts its own there only where none is: a halt that came in
   between stands, and a process that dies in between leaves no file, which is HALTED.
"""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import get_ident

from tomking.adapters.store.files import sync_folder
from tomking.domain.errors import BadData
from tomking.domain.trading import Latch, Trading
from tomking.execution.wire import BrokerOrder, Outcome, Place, Replace, Reply, Report, Request, Told, Wire

FILE = "latch.json"
FORMAT = 1
ORDER = (Trading.ACTIVE, Trading.REDUCING, Trading.HALTED)
"""From loose to tight."""

Step = Callable[[str], object]
"""Told before each action on the disk what it is: tests end the process, or fill the disk, there."""


class Changed(BadData):
    """Somebody else set the latch meanwhile."""


def unobserved(_action: str) -> None:
    """What ordinary runs are told to."""
    return


class LatchFile:
    """The latch of one installation, in its state folder."""

    def __init__(self, folder: Path, step: Step = unobserved) -> None:
        self.path = folder / FILE
        self._step = step

    def read(self) -> Latch:
        """The latch as it is now, from the disk each time: 30 microseconds, and never out of date."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return _unreadable(f"{self.path} is not there: nobody has armed trading here")
        except OSError as error:
            return _unreadable(f"{self.path} cannot be read: {error.strerror}")
        return _parsed(content) or _unreadable(f"{self.path} is damaged or not a latch")

    def halt(self, by: str, why: str, now: datetime, alone_until: datetime | None = None) -> Latch:
        """HALTED from the moment this returns, whatever was there.

        Where nothing can be written the file is removed, and what is returned says so; ``BadData`` when the
        disk refuses even that.
        """
        latch = Latch(Trading.HALTED, now, by, why, alone_until)
        fresh = self._beside("halt")
        try:
            self._prepare()
            self._write(fresh, latch)
            self._step("replace")
            fresh.replace(self.path)
            self._sync()
        except OSError as error:
            return self._halt_without_writing(fresh, error)
        return latch

    def tighten(self, state: Trading, by: str, why: str, now: datetime) -> Latch:
        """At least ``state``: what is tighter already stays as it is and is returned."""
        if state is Trading.HALTED:
            return self.halt(by, why, now)
        present = self.read()
        if ORDER.index(present.state) > ORDER.index(state):
            return present
        return self.exchange(present, Latch(state, now, by, why))

    def exchange(self, shown: Latch, wanted: Latch) -> Latch:
        """``wanted`` in the place of ``shown``, which is what a person has seen and decided on.

        ``Changed`` when it is not that any more, or when a halt came in between; ``BadData`` when the disk
        refuses, and then nothing was loosened.
        """
        fresh, aside = self._beside("new"), self._beside("old")
        try:
            self._prepare()
            self._write(fresh, wanted)
            self._take_away(shown, aside)
            self._put(fresh)
        except OSError as error:
            raise BadData([f"{self.path}: {_words(error)}; nothing was loosened"]) from error
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
                aside.unlink(missing_ok=True)
        return wanted

    def _take_away(self, shown: Latch, aside: Path) -> None:
        """The file moved aside if it is what was shown; where it is not, it is put back."""
        self._step("take away")
        with suppress(FileNotFoundError):
            self.path.rename(aside)
        taken = _parsed(aside.read_bytes()) if aside.exists() else None
        if taken != (None if shown.since is None else shown):
            if taken is not None:
                with suppress(FileExistsError):  # a halt that is newer still
                    os.link(aside, self.path)
                self._sync()
            raise self._changed()

    def _put(self, fresh: Path) -> None:
        """The new file in its place, if no halt took the place."""
        self._step("link")
        try:
            os.link(fresh, self.path)
        except FileExistsError as error:
            raise self._changed() from error
        self._sync()

    def _changed(self) -> Changed:
        return Changed(
            [f"the latch was set by somebody else meanwhile: {self.read().words}; look and decide again"]
        )

    def _prepare(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _beside(self, what: str) -> Path:
        """A name beside the latch that no other process and no other thread of this one uses."""
        return self.path.with_name(f"{FILE}.{os.getpid()}.{get_ident()}.{what}")

    def _write(self, fresh: Path, latch: Latch) -> None:
        self._step("write")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(_content(latch))
            file.flush()
            self._step("sync")
            os.fsync(file.fileno())

    def _sync(self) -> None:
        self._step("sync folder")
        sync_folder(self.path.parent)

    def _halt_without_writing(self, fresh: Path, error: OSError) -> Latch:
        """A full disk still lets a file be removed, and no file is HALTED."""
        try:
            self._step("remove")
            self.path.unlink(missing_ok=True)
            fresh.unlink(missing_ok=True)
            self._sync()
        except OSError as second:
            present = self.read()
            if present.state is Trading.HALTED:
                return present
            line = (
                f"{self.path}: {_words(error)}, and it cannot be removed ({_words(second)}): TRADING IS NOT "
                "HALTED; end the program (Ctrl-C, or kill its process) and cancel at the broker"
            )
            raise BadData([line]) from second
        return _unreadable(f"{_words(error)}: the latch was removed instead, which halts as well")


class Latched:
    """A ``Wire`` that lets nothing through which opens while the latch forbids it; all else passes.

    While ``tomking flatten`` closes everything from another process, no close passes either: two that close
    the same lot would get into each other's way.  That ends by itself when that process does.

    The last thing before the first byte: the decision was judged before, and this does not trust it.
    A refused request is answered REJECTED with the code ``latched``: it never left.
    """

    def __init__(self, wire: Wire, read: Callable[[], Latch]) -> None:
        """Of ``read``: what the latch says now (``LatchFile.read``); asked before every order."""
        self._wire = wire
        self._read = read
        self._refused: list[Told] = []
        self._tags: set[str] = set()
        self._opening: set[str] = set()
        self._learnt: tuple[BrokerOrder, ...] = ()
        """What was shown last: a search shows the same again and again."""

    def send(self, request: Request, now: datetime) -> None:
        if isinstance(request, Place | Replace):
            latch = self._read()
            if latch.yields(now) or (not latch.opens and self._would_open(request)):
                self._refused.append(Reply(request.key, now, Outcome.REJECTED, code=CODE, text=latch.words))
                return
        if isinstance(request, Place) and request.opens:
            self._tags.add(request.tag)
        self._wire.send(request, now)

    def take(self, now: datetime) -> list[Told]:
        refused, self._refused = self._refused, []
        told = [*refused, *self._wire.take(now)]
        for one in told:
            orders = _shown(one)
            if orders and orders is not self._learnt:
                self._learnt = orders
                for order in orders:
                    self._learn(order)
        return told

    def _would_open(self, request: Place | Replace) -> bool:
        """An opening order, or the replacement of one.

        Whoever sends it says so; what this process has seen opening is one whatever is said.
        """
        return request.opens or (isinstance(request, Replace) and request.order in self._opening)

    def _learn(self, order: BrokerOrder) -> None:
        if order.tag in self._tags or order.replaces in self._opening:
            self._opening.add(order.id)


CODE = "latched"


def _shown(told: Told) -> tuple[BrokerOrder, ...]:
    if isinstance(told, Report):
        return (told.order,)
    return told.orders if isinstance(told, Reply) else ()


def _content(latch: Latch) -> bytes:
    assert latch.since is not None, "a latch is set at an instant"
    plain = {
        "format": FORMAT,
        "state": latch.state.value,
        "since": latch.since.isoformat(),
        "by": latch.by,
        "why": latch.why,
        "alone_until": None if latch.alone_until is None else latch.alone_until.isoformat(),
    }
    return json.dumps({**plain, "check": _check(plain)}, indent=1).encode() + b"\n"


def _parsed(content: bytes) -> Latch | None:
    """The latch of a file's bytes; None where anything at all is not as it was written."""
    try:
        whole = json.loads(content)
        check = whole.pop("check")
        if check != _check(whole) or whole["format"] != FORMAT:
            return None
        since, alone = datetime.fromisoformat(whole["since"]), whole["alone_until"]
        until = None if alone is None else datetime.fromisoformat(alone)
        latch = Latch(Trading(whole["state"]), since, str(whole["by"]), str(whole["why"]), until)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return latch if all(at is None or at.tzinfo is not None for at in (since, until)) else None


def _check(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _unreadable(why: str) -> Latch:
    return Latch(Trading.HALTED, None, "", why)


def _words(error: OSError) -> str:
    return error.strerror or str(error)
