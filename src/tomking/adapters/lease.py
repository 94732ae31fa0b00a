"""One trading lease per account: who holds it may send orders, and each holder has a higher epoch.

The lease is a lock that the operating system takes back when its process dies, and a small file beside it
with the epoch and the environment.  The epoch is in the tag of every order, so that the broker's own records
show when somebody else has held the lease since: a restored copy, or a second machine.

1. The lock is taken, or the lease is refused at once: the holder is alive.
2. The file is read; another environment is refused, and so is a file that cannot be read.
3. The next epoch is written and synced before the lease is given out.  It never repeats: a process that dies
   in between has used its number up.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from tomking.adapters.store.files import write_synced
from tomking.domain.errors import OperatingError

ENVIRONMENTS = ("paper", "sandbox", "cert", "simulated", "live")
FORMAT = 1


def installation(environment: str, account: str) -> str:
    """Eight hex digits that stand for an account in tags and file names, and tell nobody its number.

    >>> installation("paper", "5WX00000")
    '47697a9e'
    """
    return sha256(f"{environment}:{account}".encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a lease file says."""

    environment: str
    epoch: int


class Lease:
    """A lease that is held until it is given back or its process ends.  Made by ``take``."""

    def __init__(self, lock: FileLock, path: Path, environment: str, epoch: int) -> None:
        self._lock, self._path = lock, path
        self.environment = environment
        self.epoch = epoch
        self._identity = _identity(Path(lock.lock_file))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def is_held(self) -> bool:
        """Whether it is still ours: neither lock nor file was removed, replaced or taken by a later epoch.

        Two small reads from the disk; to be asked before anything that opens is sent.
        """
        if not self._lock.is_locked or _identity(Path(self._lock.lock_file)) != self._identity:
            return False
        try:
            return _read(self._path) == _Said(self.environment, self.epoch)
        except OperatingError:
            return False

    def give_back(self) -> None:
        """Let the next one have it.  The epoch stays used."""
        self._lock.release()


def take(folder: Path, *, account: str, environment: str, after: int = 0) -> Lease:
    """The lease of an account, with an epoch above every earlier one and above ``after``.

    ``after``: the highest epoch seen elsewhere, in the journal and in the broker's tags; so a folder that
    was lost cannot start again from 1.  ``OperatingError`` when somebody holds it, when it belongs to
    another environment, or when its file cannot be read or written.
    """
    assert environment in ENVIRONMENTS, f"{environment} is none of {', '.join(ENVIRONMENTS)}"
    name = account_name(account)
    path = folder / f"lease-{name}.json"
    lock = FileLock(folder / f"lease-{name}.lock", timeout=0, mode=0o600)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise OperatingError(f"{path}: another process trades this account; stop it first") from error
    except OSError as error:
        why = error.strerror or error
        raise OperatingError(f"{path}: cannot be locked ({why}); nothing was sent") from error
    try:
        epoch = _next(path, environment, after)
        _write(path, _Said(environment, epoch))
        return Lease(lock, path, environment, epoch)
    except BaseException:
        lock.release()
        raise


def _next(path: Path, environment: str, after: int) -> int:
    said = _read(path)
    if said is not None and said.environment != environment:
        raise OperatingError(
            f"{path}: this account is traded as {said.environment} here, not as {environment}; use another "
            f"folder for {environment} (TOMKING_HOME), or remove the file once nothing works as "
            f"{said.environment}"
        )
    return max(said.epoch if said else 0, after) + 1


def account_name(account: str) -> str:
    """The account in the name of its lease: the same in every environment, so that they meet."""
    return installation("account", account)


def _read(path: Path) -> _Said | None:
    """What the file says; None where none is.  ``OperatingError`` when it cannot be read as a lease."""
    try:
        return _parsed(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise OperatingError(
            f"{path}: cannot be read as a lease ({error}); nothing was sent. Remove it: the epoch "
            "then follows from the journal and from the broker's orders"
        ) from error


def _parsed(found: dict[str, Any]) -> _Said:
    if found["format"] != FORMAT or sha256(_body(found).encode()).hexdigest() != found["digest"]:
        raise ValueError("its checksum is wrong")
    return _Said(str(found["environment"]), int(found["epoch"]))


def _write(path: Path, said: _Said) -> None:
    found = {"format": FORMAT, "environment": said.environment, "epoch": said.epoch}
    found["digest"] = sha256(_body(found).encode()).hexdigest()
    try:
        write_synced(path, (json.dumps(found) + "\n").encode())
    except OSError as error:
        raise OperatingError(f"{path}: cannot be written ({error.strerror}); nothing was sent") from error


def _body(found: dict[str, object]) -> str:
    return f"{found['format']} {found['environment']} {found['epoch']}"


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is: a lock on a file that was removed holds nobody off."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
