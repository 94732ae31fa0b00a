"""Whole runs for the end-to-end proofs: the program's own wiring, on a market that a test may change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from tomking.adapters.calendars import load_sessions
from tomking.adapters.codec import encode
from tomking.adapters.history import load_history
from tomking.adapters.journal import MemoryJournal
from tomking.app.backtest import DEFAULT_CAPITAL, LISTED_AHEAD, World, _player
from tomking.app.config import Config, Override, load_config
from tomking.app.markets import model_market
from tomking.app.play import Player
from tomking.app.request import Request
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.domain.bars import History
from tomking.domain.calendar import Sessions
from tomking.domain.events import Event
from tomking.ports import Journal, MarketData

SEED = 1
BOTH = ("friday_0dte", "lt112")


@cache
def calendar() -> Sessions:
    return load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)


@cache
def history() -> History:
    return load_history()


def config(*assignments: str) -> Config:
    """The defaults and these ``key=value``; what the developer has configured counts for nothing."""
    parted = [text.partition("=") for text in assignments]
    overrides = [Override(key, value, "--set") for key, _, value in parted]
    nowhere = str(Path(__file__).parent / "nobody's")
    return load_config(environment={"TOMKING_HOME": nowhere}, overrides=overrides)


def request(
    start: str,
    end: str,
    *assignments: str,
    seed: int = SEED,
    capital: Decimal = DEFAULT_CAPITAL,
    strategies: tuple[str, ...] = BOTH,
    report: Path = Path("unwritten.html"),
) -> Request:
    return Request(
        start=date.fromisoformat(start),
        end=date.fromisoformat(end),
        strategies=strategies,
        seed=seed,
        capital=capital,
        chains=None,
        config=config(*assignments),
        report=report,
    )


def world(asked: Request, market: MarketData | None = None) -> World:
    """The modelled world of a request, or another market over the same sessions."""
    assert asked.start is not None
    assert asked.end is not None
    played = calendar().between(asked.start, asked.end).days
    chosen = market or model_market(history(), calendar(), asked.seed)
    return World(chosen, calendar(), played, history(), history().source_digest)


def account(asked: Request, around: World, journal: Journal | None = None) -> Player:
    """A player with its deposit that has not played yet."""
    return _player(asked, around, journal or MemoryJournal(), asked.capital)


def played(asked: Request, market: MarketData | None = None, journal: Journal | None = None) -> Player:
    """The request played to its end."""
    around = world(asked, market)
    one = account(asked, around, journal)
    for session in around.played:
        one.play(session)
    return one


@dataclass
class Listening:
    """The ``Journal`` port in memory: keeps the events as they are, with the text they hash to."""

    chain: MemoryJournal = field(default_factory=MemoryJournal)
    events: list[Event] = field(default_factory=list)

    def append(self, event: Event) -> None:
        self.chain.append(event)
        self.events.append(event)

    def commit(self) -> None:
        self.chain.commit()

    def read(self) -> Iterator[Event]:
        return iter(self.events)

    def head(self) -> str:
        return self.chain.head()


def until(events: Sequence[Event], now: datetime) -> list[str]:
    """The texts of what was written down at or before ``now``."""
    return [encode(event) for event in events if event.at <= now]
