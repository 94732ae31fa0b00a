"""Delimited text in blocks of whole lines: plain, gzip, zstandard, or a zip of one or many tables.

Never more than a block and one line is held, whatever the size of the file.  What makes the text itself
unusable (truncated archives, other encodings, endless lines, line ends nobody else counts) is noted with
its row, and the file ends there.
"""

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import pyarrow as pa

from tomking.adapters.importers.tabular_problems import Problems

BLOCK_BYTES = 4 << 20
"""Text read at a time."""
_PIECE_BYTES = 32 << 10
LINE_MAX = 1 << 20
"""Bytes: no row of quotes is a thousandth of it."""
TABLES = (".csv", ".txt", ".tsv")
DAMAGED = (
    EOFError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    struct.error,
    UnicodeDecodeError,
    pa.ArrowInvalid,
)
"""What the libraries raise on an archive that is not as it was packed."""
_PASSWORD = 0x1
_ARCHIVE_RUBBISH = ("__MACOSX", ".DS_Store", "Thumbs.db")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of one table."""

    member: str
    """Name inside a zip, "" for a plain file."""
    row: int
    """1-based row of the first line."""
    text: bytes
    position: int
    """Bytes of the source consumed so far."""


@dataclass(frozen=True, slots=True)
class _Table:
    member: str
    stream: IO[bytes]
    position: Callable[[], int]


def magic(path: Path) -> str:
    """What the first bytes say a file is: "gzip", "zip", "zstd", "parquet" or "text".  May raise OSError."""
    with path.open("rb") as file:
        first = file.read(4)
    kinds = {b"\x1f\x8b": "gzip", b"PK": "zip", b"\x28\xb5\x2f\xfd": "zstd", b"PAR1": "parquet"}
    return next((kind for mark, kind in kinds.items() if first.startswith(mark)), "text")


def read_blocks(path: Path, problems: Problems) -> Iterator[Block]:
    """The lines of every table of a file, in order; ends early, with a problem noted, where it must."""
    table, row = _Table("", io.BytesIO(), lambda: 0), 1
    try:
        for table in _tables(path, problems):
            row = 1
            for text in _lines(table, problems):
                block = Block(table.member, row, text, table.position())
                if not _is_sound(block, problems):
                    return
                yield block
                row += text.count(b"\n")
    except DAMAGED as error:
        problems.add(
            f"the archive is damaged or cut off from here on ({first_line(error)}); fetch the file again",
            member=table.member,
            row=row,
        )
    except FileNotFoundError:
        problems.add("no such file; check the path")
    except IsADirectoryError:
        problems.add("is a folder, not a file; name a file in it")
    except PermissionError:
        problems.add("may not be read (no permission); change its owner or mode")
    except (OSError, RuntimeError, NotImplementedError) as error:
        problems.add(f"cannot be read ({first_line(error)}); fetch the file again", member=table.member)


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _tables(path: Path, problems: Problems) -> Iterator[_Table]:
    match magic(path):
        case "gzip":
            with path.open("rb") as raw, gzip.open(raw, "rb") as stream:
                yield _Table("", stream, raw.tell)  # type: ignore[arg-type]
        case "zstd":
            with path.open("rb") as raw:
                stream_of: Any = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
                yield _Table("", stream_of, raw.tell)
        case "zip":
            yield from _members(path, problems)
        case _:
            with path.open("rb") as raw:
                yield _Table("", raw, raw.tell)


def _members(path: Path, problems: Problems) -> Iterator[_Table]:
    with zipfile.ZipFile(path) as archive:
        members = [
            m for m in archive.infolist() if not m.filename.endswith("/") and not _is_rubbish(m.filename)
        ]
        for member in members:
            _check_member(member, problems)
        if not members:
            problems.add("the zip holds no file; fetch it again")
        if problems:
            return
        done = 0
        for member in members:
            with archive.open(member) as stream:

                def position(s: IO[bytes] = stream, m: zipfile.ZipInfo = member, d: int = done) -> int:
                    return d + m.compress_size * s.tell() // max(m.file_size, 1)

                yield _Table(member.filename, stream, position)
            done += member.compress_size


def _is_rubbish(name: str) -> bool:
    return any(part in _ARCHIVE_RUBBISH for part in PurePosixPath(name).parts)


def _check_member(member: zipfile.ZipInfo, problems: Problems) -> None:
    name = member.filename
    if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts or ":" in name:
        problems.add("has a name that leads out of the archive; do not trust this zip", member=name)
    elif PurePosixPath(name).suffix.lower() not in TABLES:
        problems.add(f"is not a table ({', '.join(TABLES)}); take it out of the zip", member=name)
    elif member.flag_bits & _PASSWORD:
        problems.add("is locked with a password; unlock the zip and import what is in it", member=name)


def _lines(table: _Table, problems: Problems) -> Iterator[bytes]:
    rest, row, any_line = b"", 1, False
    for chunk in _chunks(table.stream):
        text = rest + chunk
        cut = text.rfind(b"\n") + 1
        rest = text[cut:]
        if cut:
            any_line = True
            row += text.count(b"\n", 0, cut)
            yield text[:cut]
        if len(rest) > LINE_MAX:
            if _is_sound(Block(table.member, row, rest, 0), problems):
                problems.add(
                    f"is longer than {LINE_MAX:,} characters; no row of quotes is: look for lost line ends",
                    member=table.member,
                    row=row,
                )
            return
    if rest.strip():
        yield rest
    elif not any_line:
        problems.add("is empty; fetch the file again", member=table.member)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """About a block at a time; before a damaged archive's error comes what was whole, so that rows count."""
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := stream.read(_PIECE_BYTES):
            pieces.append(piece)
            size += len(piece)
            if size >= BLOCK_BYTES:
                yield b"".join(pieces)
                pieces, size = [], 0
    except (*DAMAGED, OSError):
        if pieces:
            yield b"".join(pieces)
        raise
    if pieces:
        yield b"".join(pieces)


def _is_sound(block: Block, problems: Problems) -> bool:
    """Whether the text may go to the parser: UTF-8, lines that end as lines do, quotes that close."""
    fault = _opening_fault(block) or _byte_fault(block.text)
    if fault is None:
        return True
    what, at = fault
    row = block.row + block.text.count(b"\n", 0, at)
    problems.add(what, member=block.member, row=row)
    return False


def _opening_fault(block: Block) -> tuple[str, int] | None:
    if block.row != 1:
        return None
    start = block.text[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if block.text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is UTF-16; save the file as UTF-8", 0
    if start.startswith(b"<"):
        return "is a web page (HTML), not a table; download it again, signed in", 0
    if start.startswith((b"{", b"[{")):
        return "is JSON, not a table; ask the vendor for CSV", 0
    return None


def _byte_fault(text: bytes) -> tuple[str, int] | None:
    if (at := text.find(b"\0")) >= 0:
        return "holds NUL bytes: the file is binary, UTF-16 or damaged; give UTF-8 text", at
    if not text.isascii():
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            return f"holds a byte that is not UTF-8 (0x{text[error.start]:02x}); save the file as UTF-8", (
                error.start
            )
    if (count := text.count(b"\r")) and count != text.count(b"\r\n"):
        at = next(i for i in _places(text, b"\r") if text[i + 1 : i + 2] != b"\n")
        return "ends in a carriage return alone; save the file with LF or CRLF line ends", at
    if b'"' in text and (at := _open_quote(text)) >= 0:
        return 'has a quote (") that is not closed on its line; close it or take it out', at
    return None


def _places(text: bytes, byte: bytes) -> list[int]:
    found: list[int] = np.flatnonzero(np.frombuffer(text, np.uint8) == byte[0]).tolist()
    return found


def _open_quote(text: bytes) -> int:
    """Where the first line starts that has an odd number of quotes; -1 when none has."""
    array = np.frombuffer(text, np.uint8)
    ends = np.append(np.flatnonzero(array == ord("\n")), array.size)
    quotes = np.searchsorted(np.flatnonzero(array == ord('"')), ends)
    odd = np.flatnonzero(np.diff(quotes, prepend=0) % 2)
    return -1 if odd.size == 0 else int(ends[odd[0] - 1] + 1 if odd[0] else 0)
