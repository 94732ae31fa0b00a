"""Downloads of several series, one after the other: each replaces its cached copy only when it may."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import httpx

from tomking.adapters.download.cache import Cache, Cached, Story
from tomking.adapters.download.fetch import Gone, Unavailable, Unreachable, Waiting, fetch, polite_client
from tomking.adapters.download.series import SERIES, Published
from tomking.adapters.download.table import Table, compare, read_table
from tomking.domain.errors import BadData

PAUSE_SECONDS = 1.0
"""Between two series."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A newer file is in the cache."""

    name: str
    path: Path
    digest: str
    rows: int
    first: date
    last: date
    added: int
    """Days after the last of the copy before; all of them the first time."""
    revised: tuple[str, ...]
    """Days that the publisher corrected, as ``2024-01-02: 13.2 -> 13.21``."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The cached copy is the newest there is."""

    name: str
    path: Path
    digest: str
    rows: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing was changed."""

    name: str
    problems: tuple[str, ...]
    """What, where, what to do; then what the cache has."""
    offline: bool
    """The network or the publisher, rather than the data."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The publisher does not publish it now, which is known to happen."""

    name: str
    why: str


Outcome = Fetched | Unchanged | Absent | Failed


def download(
    names: Sequence[str],
    cache: Cache,
    waiting: Waiting,
    *,
    base: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Brings the named ``SERIES`` up to date.  ``base`` replaces the publishers' hosts.

    ``tell`` is given each name before its request.  What goes wrong is an outcome; the others go on.
    """
    outcomes: list[Outcome] = []
    dead: set[str] = set()
    with polite_client() as client:
        for name in names:
            series = SERIES[name]
            host = base or series.host
            if host in dead:
                left = _what_is_left(cache.path(series), cache.find(series), waiting.now())
                outcomes.append(
                    Failed(name, (f"{name}: not tried, {host} cannot be reached; {left}",), offline=True)
                )
                continue
            if outcomes:
                waiting.wait(PAUSE_SECONDS)
            tell(name)
            try:
                outcomes.append(_one(series, cache, client, waiting, base))
            except Unreachable as error:
                dead.add(host)
                outcomes.append(_failed(series, cache, waiting, (str(error),), offline=True))
            except Unavailable as error:
                outcomes.append(_failed(series, cache, waiting, (str(error),), offline=True))
            except BadData as error:
                outcomes.append(_failed(series, cache, waiting, error.problems, offline=False))
            except OSError as error:
                trouble = (
                    f"{name}: cannot write to {cache.folder} ({error.strerror}); check space and permissions"
                )
                outcomes.append(Failed(name, (trouble,), offline=False))
    return outcomes


def _one(
    series: Published, cache: Cache, client: httpx.Client, waiting: Waiting, base: str | None
) -> Outcome:
    cached = cache.find(series)
    address = series.address(base)
    try:
        answer = fetch(client, address, None if cached is None else cached.story, waiting)
    except Gone as gone:
        if series.optional and cached is None:
            return Absent(series.name, str(gone))
        raise
    story = Story(address, waiting.now(), waiting.now(), answer.etag, answer.last_modified)
    return _settled(series, cache, cached, answer.body, story)


def _failed(
    series: Published, cache: Cache, waiting: Waiting, problems: tuple[str, ...], *, offline: bool
) -> Failed:
    left = _what_is_left(cache.path(series), cache.find(series), waiting.now())
    return Failed(series.name, (*problems, f"{series.name}: {left}"), offline)


def _settled(
    series: Published, cache: Cache, cached: Cached | None, body: bytes | None, story: Story
) -> Outcome:
    if body is None or (cached is not None and body == cached.body):
        assert cached is not None, "not modified, without a copy"
        before = cached.story
        fetched = story.fetched if before is None else before.fetched
        kept = replace(story, fetched=fetched)
        if before is not None and body is None:
            kept = replace(kept, etag=before.etag, last_modified=before.last_modified)
        cache.note(series, kept)
        table = read_table(cached.body, series, str(cached.path))
        return Unchanged(series.name, cached.path, cached.digest, len(table.rows), table.first, table.last)
    table = read_table(body, series, story.address)
    added = len(table.rows)
    revised: tuple[str, ...] = ()
    old = None if cached is None else _readable(cached, series)
    if old is not None:
        change = compare(old, table)
        if change.contradictions:
            raise BadData(_contradicted(series, cache.path(series), change.contradictions))
        added, revised = change.added, change.revised
    kept_file = cache.keep(series, body, story)
    return Fetched(
        name=series.name,
        path=kept_file.path,
        digest=kept_file.digest,
        rows=len(table.rows),
        first=table.first,
        last=table.last,
        added=added,
        revised=revised,
    )


def _readable(cached: Cached, series: Published) -> Table | None:
    try:
        return read_table(cached.body, series, str(cached.path))
    except BadData:
        return None


def _contradicted(series: Published, path: Path, why: tuple[str, ...]) -> list[str]:
    found = [f"{series.name}: the new file contradicts the cached history: {reason}" for reason in why]
    return [*found, f"{series.name}: look at both; if the new one is right, remove {path} and download again"]


def _what_is_left(path: Path, cached: Cached | None, now: datetime) -> str:
    if cached is not None:
        return f"the cached copy stays, {cached.age(now)}: {cached.path}"
    if path.exists():
        return f"there is no usable cached copy: {path} is not what its checksum says"
    return "there is no cached copy"
