"""QuantConnect LEAN data: a data folder, or any folder or file below it.

Bars of options, index options and future options become quotes, those of futures, indices and shares levels;
universe files lists of contracts.  A quote file is read together with the trades and the open interest beside
it, so ``files`` does not name those a second time.  What the names mean is in ``lean_layout`` and
``lean_members``, how bars are parsed in ``lean_bars``, when they could be seen in ``lean_times``.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from tomking.adapters.importers.lean_bars import Text, bars
from tomking.adapters.importers.lean_futures import future_expiry
from tomking.adapters.importers.lean_join import as_levels, as_quotes, joined, rows_of
from tomking.adapters.importers.lean_layout import TICKS, Place, beside, importable, is_lean, place_of
from tomking.adapters.importers.lean_lists import read_list
from tomking.adapters.importers.lean_members import Archive, Listed, opened
from tomking.adapters.importers.lean_times import known_zone, seen
from tomking.adapters.importers.listed import last_day
from tomking.adapters.importers.raw import LEVELS, QUOTES, STRIKE_DIGITS, Batch, Source
from tomking.domain.errors import BadData

BLOCK_BYTES = 5_000_000
"""Uncompressed, parsed at once: 60,000 rows of quotes as they are, 230,000 of the shortest possible."""

PROBLEMS_MAX = 200
"""Told of one file; the rest are counted."""

_STRIKE = STRIKE_DIGITS // 10_000


class Lean:
    """The ``Importer`` of LEAN's layout."""

    @property
    def name(self) -> str:
        return "lean"

    def recognises(self, path: Path) -> bool:
        if path.is_dir():
            return next(_below(path), None) is not None
        return is_lean(path)

    def files(self, path: Path) -> tuple[Path, ...]:
        """Those to be read, without trades and open interest that are read beside quotes.

        Left out too: ticks, and what holds no prices (margins, map and factor files).
        """
        if not path.is_dir():
            return (path,)
        return tuple(sorted(file for file in _below(path) if not _read_beside(file)))

    def beside(self, path: Path) -> tuple[Path, ...]:
        """The files that are read with one: what is in them is part of what it says."""
        try:
            place = place_of(path)
        except BadData:
            return ()
        return () if place.resolution is None else tuple(other.path for other in _places(place)[1:])

    def read(self, source: Source) -> Iterator[Batch]:
        place = place_of(source.path)
        zone = _checked(source, place)
        if not source.path.is_file():
            raise BadData([f"{source.path}: there is no such file"])
        if place.resolution is None:
            yield read_list(place)
            return
        yield from _blocks(place, zone)


LEAN = Lean()


def _below(path: Path) -> Iterator[Path]:
    return (file for file in path.rglob("*") if file.suffix.lower() in {".zip", ".csv"} and importable(file))


def _read_beside(file: Path) -> bool:
    """Whether a file's rows come with those of another."""
    try:
        place = place_of(file)
    except BadData:
        return False  # to be read, and refused with its reason
    if place.resolution is None or place.tick == "quote":
        return False
    if place.tick == "openinterest" and not place.kind.of_options:
        return True  # levels have no open interest
    leads = TICKS[: TICKS.index(place.tick)]
    return any(beside(place, tick) != file and beside(place, tick).is_file() for tick in leads)


def _checked(source: Source, place: Place) -> str:
    """The time zone to read by.  Raises ``BadData`` where what the user said cannot be."""
    if source.root is not None and source.root.upper() != place.root:
        raise BadData(
            [f"{source.path}: is of {place.root}, not {source.root}: leave the product out, LEAN names it"]
        )
    if source.zone is not None and not known_zone(source.zone):
        raise BadData(
            [f"{source.path}: no time zone is called {source.zone!r}: give one like America/New_York"]
        )
    if source.zone is None and place.market not in place.kind.markets:
        reason = (
            f"{source.path}: the time zone of {place.kind.folder} files of the market {place.market!r} "
            "is not known here: give it (--zone; LEAN's market-hours database has it as dataTimeZone)"
        )
        raise BadData([reason])
    return source.zone or place.kind.zone


# ------------------------------------------------------------------ archives


@dataclass(frozen=True, slots=True)
class _Job:
    """The archives of one file and those beside it, by sort, and what they are of."""

    place: Place
    zone: str
    archives: dict[str, Archive]
    listed: tuple[Listed, ...]
    contracts: pl.DataFrame


def _blocks(place: Place, zone: str) -> Iterator[Batch]:
    with ExitStack() as stack:
        problems: list[str] = []
        archives = {p.tick: stack.enter_context(opened(p, problems)) for p in _places(place)}
        listed = tuple(dict.fromkeys(one for archive in archives.values() for one in archive.members))
        job = _Job(place, zone, archives, listed, _contracts(place, listed, archives))
        size, position = place.path.stat().st_size, 0
        for rows in _portions(job):
            frame = _read_block(job, rows, problems)
            if frame is None or problems:
                continue  # the rest is read only to say what else is wrong
            position = max(position, _consumed(archives[place.tick], listed, rows))
            yield _batch(job, frame, size if rows.stop == len(listed) else position)
        if problems:
            raise BadData(_first(problems, place))


def _places(place: Place) -> list[Place]:
    """The file and, if it is one of quotes or trades, what is beside it and comes after it in a row."""
    wanted = TICKS if place.kind.of_options else TICKS[:2]
    after = [tick for tick in wanted[TICKS.index(place.tick) + 1 :] if place.tick in wanted]
    others = [beside(place, tick) for tick in after]
    return [place] + [place_of(path) for path in others if path != place.path and path.is_file()]


def _contracts(place: Place, listed: Sequence[Listed], archives: dict[str, Archive]) -> pl.DataFrame:
    """A row for each thing listed: expiry, right, strike, and the name of its member of each sort."""
    names = {
        tick: pl.Series(
            [info.filename if (info := a.members.get(one)) else None for one in listed], dtype=pl.String
        )
        for tick, a in archives.items()
    }
    return pl.DataFrame(
        {
            "expiry": pl.Series([_expiry(place, one) for one in listed], dtype=pl.Date),
            "right": pl.Series([one.right for one in listed], dtype=pl.Int8),
            "strike": pl.Series([one.strike * _STRIKE for one in listed], dtype=pl.Int64),
            **names,
        }
    )


def _expiry(place: Place, listed: Listed) -> date | None:
    """The exchange's last day, None of what has none."""
    if place.kind.folder == "future":
        return listed.expiry or future_expiry(place, listed.month)
    if listed.expiry is None or place.kind.folder == "futureoption":
        return listed.expiry
    return last_day(listed.expiry)


def _portions(job: _Job) -> Iterator[range]:
    """The contracts in runs whose members hold ``BLOCK_BYTES`` together; at least one a run."""
    start, held = 0, 0
    for row, listed in enumerate(job.listed):
        size = sum(a.members[listed].file_size for a in job.archives.values() if listed in a.members)
        if row > start and held + size > BLOCK_BYTES:
            yield range(start, row)
            start, held = row, 0
        held += size
    yield range(start, len(job.listed))


def _read_block(job: _Job, rows: range, problems: list[str]) -> pl.DataFrame | None:
    """The joined rows of some contracts; None where something is wrong, which is added to the problems."""
    sorts: dict[str, pl.DataFrame] = {}
    for tick, archive in job.archives.items():
        frame, wrong = bars(_texts(archive, job.listed, rows), archive.place)
        problems.extend(wrong)
        if frame is None:
            continue
        at = seen(frame["start"], archive.place, job.zone)
        if at.null_count():
            problems.append(
                f"{archive.place.path}: column time: the clocks of {job.zone} skipped some of these times on "
                "that day, or showed them twice: give the time zone that they are in (--zone)"
            )
        sorts[tick] = rows_of(frame.with_columns(at=at), tick, job.place.kind.scale)
    return None if problems else joined(sorts)


def _texts(archive: Archive, listed: Sequence[Listed], rows: range) -> list[Text]:
    """The members of a run of contracts; one that is damaged is left out, and a problem."""
    found = [(row, archive.read(listed[row])) for row in rows if listed[row] in archive.members]
    return [Text(row, archive.members[listed[row]].filename, data) for row, data in found if data is not None]


def _batch(job: _Job, rows: pl.DataFrame, position: int) -> Batch:
    if job.place.kind.of_options:
        return Batch(as_quotes(rows, job.place, job.contracts), LEVELS.to_frame(), position)
    return Batch(QUOTES.to_frame(), as_levels(rows, job.place, job.contracts), position)


def _consumed(archive: Archive, listed: Sequence[Listed], rows: range) -> int:
    """Bytes of the file up to the end of a run's last member."""
    infos = [archive.members[listed[row]] for row in rows if listed[row] in archive.members]
    return max((info.header_offset + info.compress_size for info in infos), default=0)


def _first(problems: list[str], place: Place) -> list[str]:
    more = len(problems) - PROBLEMS_MAX
    return problems if more <= 0 else [*problems[:PROBLEMS_MAX], f"{place.path}: and {more:,} more problems"]
