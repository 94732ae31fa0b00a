"""The members of a LEAN zip: opened with care, each name held against the file it stands in.

20140605_twx_minute_quote_american_call_300000_20140621.csv     strike x 10,000, listed expiry
twx_quote_american_call_300000_20140621.csv                     of hour and daily files
20200106_es_minute_quote_202003.csv                             a future: contract month, and in
es_trade_202003_20200320.csv                                    newer files its last day
20210104_spx_minute_trade.csv, spx.csv                          an index or a share
"""

import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from tomking.adapters.importers.lean_layout import Place, day_of
from tomking.domain.errors import BadData

_ENCRYPTED = 0x1
_END = struct.Struct("<4s4H2LH")
"""A zip's end record; its fifth field counts the members."""
_COUNT_ELSEWHERE = 0xFFFF
_UNREADABLE = (BadZipFile, EOFError, OSError, RuntimeError, ValueError, struct.error)
"""What ``zipfile`` raises on damaged directories and headers."""

_HEAD = r"((?P<day>\d{8})_(?P<root>[a-z0-9.]+)_(?P<resolution>[a-z]+)|(?P<ticker>[a-z0-9.]+))"
_TICK = r"_(?P<tick>quote|trade|openinterest)"
_OPTION = re.compile(
    _HEAD
    + _TICK
    + r"_(?P<style>american|european)_(?P<right>call|put)_(?P<strike>\d+)_(?P<expiry>\d{8})\.csv"
)
_FUTURE = re.compile(_HEAD + _TICK + r"_(?P<month>\d{6})(_(?P<expiry>\d{8}))?\.csv")
_PLAIN = re.compile(_HEAD + rf"({_TICK})?\.csv")


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """What a member's bars are of, as its name lists it."""

    expiry: date | None = None
    """As listed: of options until 2015 a Saturday; None where the name has none."""
    right: int = 0
    """+1 call, -1 put, 0 no option."""
    strike: int = 0
    """Ten-thousandths of a point."""
    month: str = ""
    """A future's contract month, "202003"."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One open zip and the members whose names are right."""

    place: Place
    zip: ZipFile
    members: dict[Listed, ZipInfo]
    problems: list[str]
    """Of its reader: what is found wrong is added."""

    def read(self, listed: Listed) -> bytes | None:
        """A member's bytes; None, and a problem, when the archive is damaged there."""
        info = self.members[listed]
        try:
            return self.zip.read(info)
        except (*_UNREADABLE, zlib.error) as damage:
            self.problems.append(
                f"{self.place.path}: {info.filename}: the archive is damaged here ({damage}): copy or "
                "download it again, and compare its size with the original's"
            )
            return None


@contextmanager
def opened(place: Place, problems: list[str]) -> Iterator[Archive]:
    """An archive whose names have been checked; what is wrong with them is added to the problems.

    Raises ``BadData`` where there is no archive to speak of.
    """
    with _zip(place.path) as archive:
        members: dict[Listed, ZipInfo] = {}
        for info in archive.infolist():
            listed, wrong = _judged(place, info)
            if listed is not None and listed in members:
                wrong = "is in the archive twice: keep the right one, or fetch the file again"
            if wrong is not None:
                problems.append(f"{place.path}: {info.filename}: {wrong}")
            elif listed is not None:
                members[listed] = info
        if (promised := _promised(place.path, archive)) != len(archive.infolist()):
            problems.append(
                f"{place.path}: the archive's directory is damaged ({promised} members promised, "
                f"{len(archive.infolist())} found): copy or download it again"
            )
        elif not archive.infolist():
            problems.append(f"{place.path}: the archive is empty: fetch it again, or leave it out")
        yield Archive(place, archive, members, problems)


def _zip(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except BadZipFile:
        with path.open("rb") as file:
            begins_right = file.read(4) == b"PK\x03\x04"
        what = "is cut short: its directory is missing" if begins_right else "is no zip archive"
        raise BadData(
            [f"{path}: {what}: copy or download it again, and compare its size with the original's"]
        ) from None
    except _UNREADABLE as error:
        raise BadData([f"{path}: cannot be opened: {error}"]) from error


def _promised(path: Path, archive: ZipFile) -> int:
    """How many members the archive's end record counts; ``zipfile`` does not look at it."""
    with path.open("rb") as file:
        file.seek(-(_END.size + len(archive.comment)), os.SEEK_END)
        count: int = _END.unpack(file.read(_END.size))[4]
    return len(archive.infolist()) if count == _COUNT_ELSEWHERE else count


def _judged(place: Place, info: ZipInfo) -> tuple[Listed | None, str | None]:
    """What a member is of, or what is wrong with it."""
    assert place.resolution is not None, "universes are no archives"
    if info.flag_bits & _ENCRYPTED:
        return None, "is encrypted: unpack it with its password and zip it again without one"
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        return (
            None,
            f"compressed in a way LEAN does not use (method {info.compress_type}): zip it with deflate",
        )
    if info.file_size > place.resolution.bytes_max:
        return None, (
            f"says it holds {info.file_size:,} bytes, more than {place.resolution.folder} bars can fill "
            f"({place.resolution.bytes_max:,}): not a LEAN file, or damaged; fetch it again"
        )
    return _named(place, info.filename)


def _named(place: Place, name: str) -> tuple[Listed | None, str | None]:
    pattern = _OPTION if place.kind.of_options else _FUTURE if place.kind.folder == "future" else _PLAIN
    said = pattern.fullmatch(name.lower())
    if said is None:
        return None, f"no member name of LEAN's: should be like {_expected(place)}"
    words = said.groupdict()
    for what, is_said, should in _claims(place, words):
        if is_said != should:
            return None, (
                f"its name says {what} {is_said or 'nothing'}, the file's path {should}: "
                "one of the two was renamed; fetch the file again"
            )
    expiry = day_of(words["expiry"]) if words.get("expiry") else None
    if words.get("expiry") and expiry is None:
        return None, f"{words['expiry']} is no date: fetch the file again"
    month = words.get("month") or ""
    if month and day_of(month + "01") is None:
        return None, f"{month} is no month: fetch the file again"
    right = {"call": 1, "put": -1}.get(words.get("right") or "", 0)
    return Listed(expiry, right, int(words.get("strike") or 0), month), None


def _claims(place: Place, words: dict[str, str | None]) -> Iterator[tuple[str, str, str]]:
    """(what, as the member says it, as the path says it), where both should say the same."""
    assert place.resolution is not None
    yield "root", (words["root"] or words["ticker"] or "").upper(), place.root
    day = f"{place.day:%Y%m%d}" if place.day else ""
    yield "date", words["day"] or "", day
    yield "resolution", words["resolution"] or "", place.resolution.folder if place.day else ""
    yield "bars of", words.get("tick") or "trade", place.tick
    yield "style", words.get("style") or "", place.style


def _expected(place: Place) -> str:
    root, tick = place.root.lower(), place.tick
    assert place.resolution is not None
    day, by_day = (f"{place.day:%Y%m%d}_", f"_{place.resolution.folder}") if place.day else ("", "")
    if place.kind.of_options:
        return f"{day}{root}{by_day}_{tick}_{place.style}_call_300000_20140621.csv"
    if place.kind.folder == "future":
        return f"{day}{root}{by_day}_{tick}_202003.csv"
    return f"{day}{root}{by_day}_{tick}.csv" if place.day else f"{root}.csv"
