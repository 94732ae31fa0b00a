"""What a live run looks like at one instant: all that its screen and ``tomking status`` show."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from tomking.domain.book import Book, Component, Position, Working
from tomking.domain.calendar import Session, dte, new_york
from tomking.domain.intent import Urgency
from tomking.execution.ladder import CONCESSIONS, step_at
from tomking.execution.marking import Marks
from tomking.risk.greekalerts import Use

SHOWN_LEVELS = ("phase", "vix_regime")
"""Levels with a place of their own on the screen."""


@dataclass(frozen=True, slots=True)
class Part:
    """A component of a position."""

    role: str
    legs: str
    units: int
    entry: Decimal
    """Net points per unit at opening, credit positive."""
    closing: Decimal | None
    """Net points per unit for closing at the mids; None while a leg has no mid."""
    gain: Decimal | None
    """Dollars so far with what closing at the mids would bring."""
    days: int
    """To its nearest expiry."""
    state: str
    """What works on it: "target 41", "closing 57", or nothing."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A position."""

    id: str
    strategy: str
    product: str
    state: str
    stage: str
    opened: datetime
    gain: Decimal | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A working order."""

    id: str
    strategy: str
    what: str
    """"opens", "closes" or "target"."""
    legs: str
    units: int
    filled: int
    limit: Decimal
    step: str
    """Of its ladder: "2 of 5"; "rests" for a target."""
    reason: str
    since: datetime
    trouble: str
    """"unknown", "parked", "ending" or nothing."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """How much of a limit on Greeks is used."""

    name: str
    value: float | None
    """None while a leg was never priced."""
    limit: float
    unit: str
    share: float | None
    """1.0 is the limit."""


@dataclass(frozen=True, slots=True)
class Picture:
    """See the module.  Dollars and points are exact; what is not known is None."""

    at: datetime
    mode: str
    venue: str
    account: str
    port: int
    """Of a sandbox."""
    speed: float
    trading: str
    """The latch, in words."""
    hold: str
    """Why nothing would be opened now; empty: it would."""
    session: str
    progress: float
    """Share of the session that has passed, 0 to 1."""
    net_liq: Decimal
    cash: Decimal
    day_gain: Decimal
    spot: float | None
    vix: float | None
    regime: str
    phase: str
    levels: Mapping[str, str]
    """What restrains trading now, by name."""
    quotes_age: float | None
    """Seconds of the market since anything was received; None: nothing is connected."""
    symbols: int
    """Subscribed."""
    holdings: tuple[Holding, ...]
    tickets: tuple[Ticket, ...]
    theta: float | None
    """Dollars a day that what is held earns while nothing moves; None where that is not known."""
    gauges: tuple[Gauge, ...]
    steps: int
    step_ms: float
    """Of the last step, and of the slowest."""
    worst_ms: float


def gauges_of(used: Iterable[Use]) -> tuple[Gauge, ...]:
    """Of each limit on Greeks; a number that is none is not known."""
    return tuple(Gauge(one.name, known(one.value), one.limit, one.unit, known(one.share)) for one in used)


def known(value: float) -> float | None:
    """None for what is no number."""
    return value if isfinite(value) else None


def holdings_of(book: Book, marks: Marks, now: datetime) -> tuple[Holding, ...]:
    """Every open position, oldest first."""
    return tuple(_holding(one, marks, now) for one in book.positions.values())


def _holding(position: Position, marks: Marks, now: datetime) -> Holding:
    parts = tuple(_parts(position, marks, now))
    closed = sum((c.net_dollars for c in position.components.values() if not c.is_open), Decimal(0))
    gains = [part.gain for part in parts]
    known = [gain for gain in gains if gain is not None]
    return Holding(
        id=position.id,
        strategy=position.strategy,
        product=position.product,
        state=position.state.value,
        stage=position.stage,
        opened=position.opened,
        gain=closed + sum(known, Decimal(0)) if len(known) == len(gains) else None,
        parts=parts,
    )


def _parts(position: Position, marks: Marks, now: datetime) -> Iterator[Part]:
    for one in position.open_components:
        closing = marks.values.get((position.id, one.role))
        yield Part(
            role=one.role,
            legs=str(one.structure),
            units=one.units,
            entry=one.entry_net,
            closing=closing,
            gain=None
            if closing is None
            else one.net_dollars + closing * one.units * one.structure.multiplier,
            days=dte(new_york(now).date(), one.expiry),
            state=_works(one),
        )


def _works(one: Component) -> str:
    if one.closing:
        return f"closing {one.closing}"
    return f"target {one.target}" if one.target else ""


def tickets_of(book: Book, now: datetime) -> tuple[Ticket, ...]:
    """Every working order, oldest first."""
    return tuple(_ticket(id_, working, now) for id_, working in book.orders.items())


def _ticket(id_: str, working: Working, now: datetime) -> Ticket:
    order = working.order
    rests = order.urgency is Urgency.TARGET
    ladder = "rests" if rests else _step(order.urgency, now - working.since)
    trouble = "parked" if working.parked else "unknown" if working.doubt else ""
    return Ticket(
        id=id_,
        strategy=order.strategy,
        what="opens" if order.opens else "target" if rests else "closes",
        legs=str(order.structure),
        units=order.units,
        filled=working.filled,
        limit=working.limit,
        step=ladder,
        reason=order.reason,
        since=working.since,
        trouble=trouble or ("ending" if working.cancelling else ""),
    )


def _step(urgency: Urgency, worked: timedelta) -> str:
    last = len(CONCESSIONS[urgency])
    return f"{min(step_at(worked) + 1, last)} of {last}"


def restraints(book: Book) -> dict[str, str]:
    """Levels that are in force, but those with a place of their own."""
    return {name: value for name, value in book.levels.items() if value and name not in SHOWN_LEVELS}


def passed(session: Session | None, now: datetime) -> float:
    """Share of the session that has passed."""
    if session is None:
        return 0.0
    return min(max((now - session.open) / (session.close - session.open), 0.0), 1.0)


# ------------------------------------------------------------------------------ as a file


def as_json(picture: Picture) -> str:
    """Exact amounts as strings, instants as ISO texts."""
    return json.dumps(asdict(picture), default=_plain)


def write(path: Path, picture: Picture) -> None:
    """In one rename, so that a reader never sees half of it.  It may be lost: nothing depends on it."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(as_json(picture), encoding="utf-8")
    fresh.replace(path)


def read(path: Path) -> Mapping[str, Any] | None:
    """What a running engine last wrote; None where there is nothing readable."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
