"""Files that are either whole or not there: hashes, synced writes, one writer at a time."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tomking.domain.errors import BadData

_PIECE = 1 << 20


class Busy(BadData):
    """Another process writes to the store."""


def digest_of(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            whole.update(piece)
    return whole.hexdigest()


def folder_name(name: str) -> str:
    """A root or key as the name of a folder: ``BRK/B`` is ``BRK%2FB``, and nothing climbs with ``..``."""
    safe = quote(name, safe="")
    return f"%2E{safe[1:]}" if safe.startswith(".") else safe


def write_synced(path: Path, content: bytes) -> None:
    """A file that is there whole, with its content on the disk, or not at all."""
    fresh = path.with_name(f"{path.name}.tmp")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make what another library wrote durable."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder against other writers; a process that dies lets go.

    ``Busy`` when another one writes.  The lock is on the folder itself, so it leaves no file.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy = f"{folder}: another process is writing to this store; wait until it has finished"
            raise Busy([busy]) from None
        yield
    finally:
        os.close(handle)
