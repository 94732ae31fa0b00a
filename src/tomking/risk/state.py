"""The trading state in words: what holds now, until when, and what of it a human must end (C.9)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from tomking.domain.book import Book
from tomking.risk import breakers, drawdown, emergency
from tomking.risk.pauses import WORDS
from tomking.risk.phases import PHASE_ONE, RED_SINCE
from tomking.risk.protect import HALT
from tomking.risk.readings import NOTE, suspended_until
from tomking.risk.regime import LEVEL as REGIME
from tomking.risk.settings import Settings


class Holds(NamedTuple):
    """One thing that limits trading now."""

    kind: str
    """``level``, ``pause``, ``lock``, ``ramp`` or ``closing``."""
    name: str
    value: str
    until: str
    """When or how it ends, in words."""


def holding(book: Book, now: datetime, settings: Settings) -> tuple[Holds, ...]:
    """Everything that the book's levels and notes hold at ``now``; on a good day the VIX regime alone."""
    return tuple(_holding(book, now, settings))


def _holding(book: Book, now: datetime, settings: Settings) -> Iterator[Holds]:
    yield from _locks(book, settings)
    yield from _levels(book, settings)
    for name, words in WORDS.items():
        if until := book.levels.get(name):
            yield Holds("pause", words, "no entries", until)
    yield from _ramps(book, settings)
    for id_, stays in emergency.to_close(book).items():
        said = f"down to {stays} units" if stays else "all of it"
        yield Holds("closing", f"position {id_}", said, "when it is done")
    for key in book.notes:
        until_then = suspended_until(book, key.removeprefix(NOTE), settings) if key.startswith(NOTE) else None
        if until_then is not None and now < until_then:
            yield Holds(
                "pause", f"bad data of {key.removeprefix(NOTE)}", "no entries", until_then.isoformat()
            )


def _locks(book: Book, settings: Settings) -> Iterator[Holds]:
    """What only a human ends; the lock after RED ends by itself where the settings say so."""
    for name in (HALT, emergency.MANUAL):
        if why := book.levels.get(name):
            yield Holds("lock", name, why, "a human releases it")
    level, since = drawdown.drawdown_level(book), book.notes.get(RED_SINCE)
    if level == "RED" and since:
        ends = datetime.fromisoformat(since) + timedelta(days=settings.red_lock_days)
        by = "by itself" if settings.restart_after_red else "by a human"
        yield Holds("lock", "after RED", "no entries", f"{ends.isoformat()}, then {by}")
    if level == "TERMINAL":
        yield Holds("lock", "TERMINAL", "no entries", "a human, if ever")
    for strategy in sorted(book.quarantined):
        yield Holds("lock", f"quarantine of {strategy}", "it raised an error", "a human looks")


def _levels(book: Book, settings: Settings) -> Iterator[Holds]:
    level = drawdown.drawdown_level(book)
    if level not in {"GREEN", "TERMINAL"}:
        yield Holds("level", "drawdown", level, f"drawdown shrinks at {settings.leave_closes} closes")
    for period in drawdown.periods(book, settings):
        if book.levels.get(period.level) == period.key:
            yield Holds("level", period.level.replace("_", " "), "no entries", f"the end of {period.key}")
    if broken := breakers.level_of(book):
        since = book.notes.get(breakers.SINCE, "")
        said = f"a close {settings.breaker_hours} hours after {since}, in calm" if since else "a calm close"
        yield Holds("level", "circuit breaker", f"{broken}", said)
    if level_now := emergency.level_of(book):
        later = level_now >= emergency.REDUCE
        said = "below its trigger in a later session" if later else "half an hour below its trigger"
        yield Holds("level", "emergency", f"{level_now}", said)
    if regime := book.levels.get(REGIME):
        yield Holds("level", "VIX regime", regime, "a point past its bound, or a close")


def _ramps(book: Book, settings: Settings) -> Iterator[Holds]:
    ramps = (
        (drawdown.RAMP, "after RED", settings.ramp_size_share),
        (breakers.RAMP, "after a breaker", breakers.ramp_share(book, settings)),
        (emergency.RAMP, "after an emergency level", settings.emergency_ramp_share),
    )
    for note, name, share in ramps:
        if left := book.notes.get(note):
            yield Holds("ramp", name, f"sizes x {share}", f"{left} sessions")
    if left := book.notes.get(PHASE_ONE):
        yield Holds("ramp", "limits of P1", "after breaker level 3", f"{left} sessions")
    if book.losing_run >= settings.losing_run_half:
        words = f"sizes x {settings.losing_run_size_share}"
        yield Holds("ramp", f"{book.losing_run} losing closes in a row", words, "a winner")
