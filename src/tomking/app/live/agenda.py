"""``tomking today``: what each strategy may do in a session, and what became of it so far."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tomking.app.live.reading import Read
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions, dte, new_york
from tomking.rules.strategy import Strategy

SOON = 7
"""Calendar days to an expiry that is named as due."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One strategy's day."""

    strategy: str
    windows: tuple[str, ...]
    """Entries whose day it is: "0dte 10:30 to 13:00"."""
    said: str
    """The last decision of the day; why it stands still where no window opens."""
    holds: tuple[str, ...]
    """Its positions, and what is due on them."""


def plan(found: Read, strategies: tuple[Strategy, ...], sessions: Sessions, day: date) -> list[Plan]:
    """Of each strategy, in their order."""
    session = sessions.on(day)
    return [_plan(one, found, session, sessions) for one in strategies]


def _plan(strategy: Strategy, found: Read, session: Session | None, sessions: Sessions) -> Plan:
    windows = () if session is None else tuple(_windows(strategy, session, sessions))
    said = "" if session is None else _last(found, strategy.id, session.date)
    return Plan(
        strategy.id,
        windows,
        said or ("nothing decided yet" if windows else "no entry on this day"),
        tuple(_held(found.book, strategy.id, None if session is None else session.date)),
    )


def _windows(strategy: Strategy, session: Session, sessions: Sessions) -> Iterator[str]:
    for entry in strategy.entries:
        if entry.days.meant(session.date, sessions):
            yield f"{entry.name} {entry.window.start:%H:%M} to {entry.window.end:%H:%M}"


def _last(found: Read, strategy: str, day: date) -> str:
    said = ""
    for event in found.events:
        if new_york(event.at).date() != day:
            continue
        match event:
            case ev.Declined(at, who, entry, code, details) if who == strategy:
                said = f"{new_york(at):%H:%M} {entry}: not taken, {code}: {details[0]}"
            case ev.EntryApproved(at, who, entry, units, binding) if who == strategy:
                said = f"{new_york(at):%H:%M} {entry}: {units} units approved, bound by {binding}"
            case _:
                continue
    return said


def _held(book: Book, strategy: str, day: date | None) -> Iterator[str]:
    for position in book.of(strategy):
        nearest = min((one.expiry for one in position.open_components), default=None)
        left = "" if nearest is None or day is None else f", {dte(day, nearest)} days left"
        due = (
            ", expiry is near"
            if nearest is not None and day is not None and dte(day, nearest) <= SOON
            else ""
        )
        yield f"{position.id} {position.product} {position.state.value}{left}{due}"
