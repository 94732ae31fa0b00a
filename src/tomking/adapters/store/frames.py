"""A file that is only ever appended to, in checksummed frames: what a power cut tears is found and cut off.

A frame is ``magic | kind | instant | length | checksum | payload``; the checksum is over all that follows the
magic but itself.  What is damaged in the middle is skipped to the next magic and reported, never guessed.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tomking.adapters.store.files import sync_folder
from tomking.domain.errors import BadData

MAGIC = b"\x89TKF\r\n\x1a\n"
_HEAD = struct.Struct("<cqII")
_LONGEST = 1 << 28


@dataclass(frozen=True, slots=True)
class Frame:
    """One write."""

    kind: bytes
    """One letter."""
    at: int
    """Microseconds since 1970-01-01 UTC."""
    payload: bytes


@dataclass(frozen=True, slots=True)
class Torn:
    """Bytes that are no frame."""

    start: int
    stop: int
    """Offset of the next frame, or the end of the file."""
    last: bool
    """No frame follows: an unfinished write."""


def packed(frame: Frame) -> bytes:
    """As the file has it."""
    bare = _HEAD.pack(frame.kind, frame.at, len(frame.payload), 0)
    checksum = zlib.crc32(frame.payload, zlib.crc32(bare))
    return MAGIC + _HEAD.pack(frame.kind, frame.at, len(frame.payload), checksum) + frame.payload


def read_frames(path: Path) -> Iterator[tuple[int, Frame | Torn]]:
    """Every frame with the offset after it, and what is damaged between them."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        offset = 0
        while offset < size:
            frame = _frame_at(file.fileno(), offset)
            if frame is not None:
                offset += len(MAGIC) + _HEAD.size + len(frame.payload)
                yield offset, frame
                continue
            stop = _next(file.fileno(), offset + 1, size)
            yield stop, Torn(offset, stop, last=stop == size)
            offset = stop


class FrameFile:
    """A frame file open for appending, by one process.  ``BadData`` when another one has it.

    Opening cuts an unfinished write off; ``cut`` is how many bytes that were, ``last`` the instant of the
    last frame that is there.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = _locked(path)
        self.last: int | None = None
        self.cut = 0
        for stop, found in read_frames(path):
            if isinstance(found, Frame):
                self.last = found.at
            elif found.last:
                self.cut = stop - found.start
                os.ftruncate(self._handle, found.start)
        os.fsync(self._handle)
        sync_folder(path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, frames: list[Frame]) -> None:
        """Write frames together; on the disk when it returns."""
        left = memoryview(b"".join(packed(frame) for frame in frames))
        while left:
            left = left[os.write(self._handle, left) :]
        os.fsync(self._handle)
        if frames:
            self.last = frames[-1].at

    def close(self) -> None:
        """Let others have it."""
        os.close(self._handle)


def lock_or_none(path: Path) -> int | None:
    """An open, locked handle of an existing file; None when another process has it."""
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _locked(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            busy = f"{path}: another process records or stores this session; let it finish"
            raise BadData([busy]) from None
        # Between opening and locking it may have been stored and removed.
        if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
        os.close(handle)


def _frame_at(handle: int, offset: int) -> Frame | None:
    head = os.pread(handle, len(MAGIC) + _HEAD.size, offset)
    if len(head) < len(MAGIC) + _HEAD.size or not head.startswith(MAGIC):
        return None
    kind, at, length, checksum = _HEAD.unpack(head[len(MAGIC) :])
    if length > _LONGEST:
        return None
    payload = os.pread(handle, length, offset + len(head))
    frame = Frame(kind, at, payload)
    whole = (
        len(payload) == length
        and zlib.crc32(payload, zlib.crc32(_HEAD.pack(kind, at, length, 0))) == checksum
    )
    return frame if whole else None


def _next(handle: int, offset: int, size: int) -> int:
    """The offset of the next whole frame, or the end of the file."""
    overlap = len(MAGIC) - 1
    while offset < size:
        piece = os.pread(handle, 1 << 20, offset)
        found = piece.find(MAGIC)
        if found < 0:
            offset += max(len(piece) - overlap, 1)
        elif _frame_at(handle, offset + found) is not None:
            return offset + found
        else:
            offset += found + 1
    return size
