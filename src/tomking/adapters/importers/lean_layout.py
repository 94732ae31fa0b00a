"""What LEAN's folder and file names say; nothing is read here.

A data folder is ``<kind>/<market>/<resolution>/...``:

    option/usa/minute/spy/20230803_quote_american.zip        a day of one root
    futureoption/cme/minute/es/202003/20200106_quote_american.zip
    future/cme/minute/es/20200106_trade.zip
    option/usa/daily/twx_2014_quote_american.zip             a year of one root (hour likewise)
    equity/usa/daily/spy.zip                                 all years
    option/usa/universes/twx/20140605.csv                    one day's list of contracts

Source: QuantConnect/Lean, ``Data/`` and its readme files; market-hours database for the time zones.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from tomking.domain.errors import BadData


@dataclass(frozen=True, slots=True)
class Kind:
    """One of LEAN's security types."""

    folder: str
    zone: str
    """Of its stamps (``dataTimeZone`` of the market-hours database), which is not always its exchange's."""
    scale: int
    """Counts of a price per point in bars; universes are in points throughout."""
    of_options: bool
    markets: frozenset[str]
    """Those whose time zone is known."""


_USA = frozenset({"usa"})
_FUTURES = frozenset({"cme", "cbot", "comex", "nymex", "cfe"})

KINDS = {
    kind.folder: kind
    for kind in (
        #     folder          zone                scale   options  markets
        Kind("option", "America/New_York", 10_000, of_options=True, markets=_USA),
        Kind("indexoption", "America/New_York", 10_000, of_options=True, markets=_USA),
        Kind("futureoption", "UTC", 1, of_options=True, markets=_FUTURES),
        Kind("future", "UTC", 1, of_options=False, markets=_FUTURES),
        Kind("index", "America/Chicago", 1, of_options=False, markets=_USA),
        Kind("equity", "America/New_York", 10_000, of_options=False, markets=_USA),
    )
}
"""By folder name.  Another market needs ``--zone``."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How long a bar is, and how much one member may hold."""

    folder: str
    length: timedelta
    by_day: bool
    """One file a day, stamps in milliseconds; else stamps are ``YYYYMMDD HH:MM``."""
    bytes_max: int
    """Uncompressed, of one member: well above what the bars of its span can take at 200 bytes a row."""


RESOLUTIONS = {
    resolution.folder: resolution
    for resolution in (
        Resolution("second", timedelta(seconds=1), by_day=True, bytes_max=24_000_000),
        Resolution("minute", timedelta(minutes=1), by_day=True, bytes_max=400_000),
        Resolution("hour", timedelta(hours=1), by_day=False, bytes_max=32_000_000),
        Resolution("daily", timedelta(days=1), by_day=False, bytes_max=8_000_000),
    )
}
UNIVERSES = "universes"
TICKS = ("quote", "trade", "openinterest")
"""What bars can be of, the one that leads a row first."""

_DAY = re.compile(r"(?P<day>\d{8})_(?P<tick>quote|trade|openinterest)(_(?P<style>american|european))?\.zip")
_SPAN = re.compile(
    r"(?P<root>[a-z0-9.]+?)(_(?P<year>\d{4}))?(_(?P<tick>quote|trade|openinterest))?"
    r"(_(?P<style>american|european))?\.zip"
)
_LIST = re.compile(r"(?P<day>\d{8})\.csv")


@dataclass(frozen=True, slots=True)
class Place:
    """One file of a LEAN folder, as its path names it."""

    path: Path
    kind: Kind
    market: str
    resolution: Resolution | None
    """None: a universe file."""
    root: str
    """Of options their root, else the ticker; upper case."""
    tick: str
    """One of ``TICKS``."""
    day: date | None
    """Of a file of one day."""
    year: int | None
    style: str
    """"american", "european", or "" where there are no options."""
    month: str
    """Of a future option the underlying's contract month, "202003"; else ""."""


def is_lean(path: Path) -> bool:
    """Whether a file's path is one of a LEAN folder, or its name could be nothing else."""
    return _split(path) is not None or _DAY.fullmatch(path.name.lower()) is not None


def importable(path: Path) -> bool:
    """Whether a file found in a folder is one of those read here: bars or universes, no ticks."""
    split = _split(path)
    return split is not None and split[2] != "tick"


def place_of(path: Path) -> Place:
    """What a path says.  Raises ``BadData``: what it lacks, and how LEAN would name it."""
    split = _split(path)
    if split is None:
        reason = (
            f"{path}: what its prices and times mean is said by LEAN's folders only: "
            "put it back to where it was, such as option/usa/minute/spy/20230803_quote_american.zip"
        )
        raise BadData([reason])
    kind, market, resolution, rest = split
    if resolution == "tick":
        raise BadData([f"{path}: ticks are not imported; export minute bars of the same days instead"])
    place = _place(path, kind, market, RESOLUTIONS.get(resolution), rest)
    if place is None:
        folder = f"{kind.folder}/{market}/{resolution}"
        raise BadData([f"{path}: no name of LEAN's in a folder {folder}: {_expected(kind, resolution)}"])
    return place


def beside(place: Place, tick: str) -> Path:
    """The file with the same contracts' bars of another sort, there or not."""
    return place.path.with_name(
        re.sub(rf"(?<=_){place.tick}(?=[_.])", tick, place.path.name, flags=re.IGNORECASE)
    )


def day_of(text: str) -> date | None:
    """A date of eight digits, None where the calendar has no such day."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


def _split(path: Path) -> tuple[Kind, str, str, list[str]] | None:
    """Kind, market, resolution and what follows, of the innermost folder that is a kind's."""
    parts = [part.lower() for part in path.resolve().parts]
    for i in reversed(range(len(parts) - 3)):
        known = parts[i + 2] in RESOLUTIONS or parts[i + 2] in {"tick", UNIVERSES}
        if (
            parts[i] in KINDS
            and known
            and parts[-1].endswith(".csv" if parts[i + 2] == UNIVERSES else ".zip")
        ):
            return KINDS[parts[i]], parts[i + 1], parts[i + 2], parts[i + 3 :]
    return None


def _place(
    path: Path, kind: Kind, market: str, resolution: Resolution | None, rest: list[str]
) -> Place | None:
    *folders, name = rest
    by_root = resolution is None or resolution.by_day
    pattern = _LIST if resolution is None else _DAY if resolution.by_day else _SPAN
    said = pattern.fullmatch(name)
    by_month = kind.folder == "futureoption"
    if said is None or len(folders) != (by_root or by_month) + by_month:
        return None
    words = said.groupdict()
    month = folders[-1] if by_month else ""
    day = day_of(words["day"]) if words.get("day") else None
    plain = resolution is None or (words.get("style") is not None) == kind.of_options
    if (by_root and day is None) or not plain or (month and day_of(month + "01") is None):
        return None
    return Place(
        path=path,
        kind=kind,
        market=market,
        resolution=resolution,
        root=(folders[0] if folders else words["root"]).upper(),
        tick=words.get("tick") or "trade",
        day=day,
        year=int(words["year"]) if words.get("year") else None,
        style=words.get("style") or "",
        month=month,
    )


def _expected(kind: Kind, resolution: str) -> str:
    """The name a file should have had."""
    month = "202003/" if kind.folder == "futureoption" else ""
    style = "_american" if kind.of_options else ""
    if resolution == UNIVERSES:
        return f"should be like spy/{month}20230803.csv"
    if RESOLUTIONS[resolution].by_day:
        return f"should be like spy/{month}20230803_quote{style}.zip"
    if kind.of_options:
        return f"should be like {'es/' + month if month else ''}spy_2023_quote{style}.zip"
    return "should be like spy.zip or es_trade.zip"
