"""Real samples as recorded markets, strategies played on them, the trades in words with what was quoted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.scenarios.accounts import Listening, config, history

from tomking.adapters.calendars import load_sessions
from tomking.adapters.recorded import RecordedChains
from tomking.adapters.recorded_store import StoredRecording, stored_levels
from tomking.adapters.store import Store
from tomking.app.data import Asked, bring_in, choose
from tomking.app.play import Player, player
from tomking.app.unresolved import Unresolved, unresolved
from tomking.domain import events as ev
from tomking.domain.calendar import Sessions, wall_instant
from tomking.domain.order import Order
from tomking.risk.settings import Settings as Risk
from tomking.rules.schedule import EVERY_SESSION
from tomking.rules.strategy import Strategy

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
NEW_YORK = ZoneInfo("America/New_York")


@cache
def sessions() -> Sessions:
    return load_sessions(date(2009, 1, 2), date(2024, 12, 31))


def imported(folder: Path, *samples: str, product: str | None = None) -> Store:
    """A store of these samples, as ``tomking data import`` makes it."""
    for sample in samples:
        chosen = choose(Asked(paths=(SHARED / sample,), product=product))
        now = wall_instant(date(2026, 11, 20), datetime.min.time())
        bring_in(folder, chosen, now=now, progress=lambda _progress: None)
    return Store(folder)


def market(store: Store, *roots: str, first: date | None = None, last: date | None = None) -> RecordedChains:
    recordings = [StoredRecording(store, root, sessions(), first, last) for root in roots]
    levels = stored_levels(store, roots)
    return RecordedChains(recordings, notes=(), sessions=sessions(), history=history(), levels=levels)


def on_any_day(strategy: Strategy) -> Strategy:
    """The strategy without its weekday: where a sample has one session only."""
    return replace(strategy, entries=tuple(replace(entry, days=EVERY_SESSION) for entry in strategy.entries))


@dataclass(frozen=True)
class Played:
    events: list[ev.Event]
    market: RecordedChains
    player: Player
    last: date

    def fills(self) -> Iterator[tuple[Order, ev.OrderFilled]]:
        orders = {e.order.id: e.order for e in self.events if isinstance(e, ev.OrderSubmitted)}
        for event in self.events:
            if isinstance(event, ev.OrderFilled):
                yield orders[event.fill.order], event

    def declined(self) -> list[ev.Declined]:
        return [e for e in self.events if isinstance(e, ev.Declined)]

    def unresolved(self) -> tuple[Unresolved, ...]:
        return unresolved(self.player.kernel.book, self.market, sessions(), self.last)

    def in_words(self) -> list[str]:
        """A line for each leg that was traded: what it was, at which price, and what was bid and asked."""
        lines = []
        for order, filled in self.fills():
            at = filled.at.astimezone(NEW_YORK)
            contracts = [leg.contract for leg in order.structure.legs]
            quotes = self.market.quotes(contracts, filled.at)
            for leg, price, quote in zip(order.structure.legs, filled.fill.leg_prices, quotes, strict=True):
                assert quote is not None
                what = "opens" if order.opens else f"closes ({order.trigger})"
                lines.append(
                    f"{order.strategy} {what} {at:%Y-%m-%d %H:%M}: {filled.fill.units} x {leg} at {price},"
                    f" bid {quote.bid} ask {quote.ask}"
                )
        return [*lines, *map(str, self.unresolved())]


def play(
    on: RecordedChains,
    strategies: Sequence[Strategy],
    *,
    first: date | None = None,
    last: date | None = None,
    capital: int = 200_000,
    **risk: object,
) -> Played:
    """The strategies over the recorded days; ``risk`` replaces limits, also beyond what a file may set."""
    days = [day for day in on.days if (first or day) <= day <= (last or day)]
    opened = sessions().on(days[0])
    assert opened is not None
    journal = Listening()
    ids = tuple(strategy.id for strategy in strategies)
    one = player(
        strategies=tuple(strategies),
        risk=replace(config().section("risk", Risk), **risk),  # type: ignore[arg-type]
        market=on,
        sessions=sessions(),
        first=opened,
        journal=journal,
        capital=Decimal(capital),
        started=ev.RunStarted(opened.open, 1, "config", "data", ids),
    )
    for day in days:
        session = sessions().on(day)
        assert session is not None
        one.play(session)
    return Played(journal.events, on, one, days[-1])
