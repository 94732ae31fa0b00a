"""Where net liq and VIX may lie without ``drawdown.guard`` having anything to say.

Most steps change nothing of what it looks at but these two: the bounds are worked out once for all of them.
They are a hair wide of the true ones, so that rounding never decides: between them the guard itself is asked.
"""

from collections.abc import Iterator
from decimal import Decimal
from math import inf
from typing import NamedTuple

from tomking.domain.book import Book
from tomking.risk import drawdown, regime
from tomking.risk.settings import Settings

HAIR = Decimal("1.000000001")


class Calm(NamedTuple):
    """As long as nothing else in the book changes."""

    above: Decimal
    """Dollars of net liq: with more, no loss is breached."""
    vix_from: float
    vix_below: float
    """Of the regime that holds."""

    def holds(self, net_liq: Decimal, vix: float | None) -> bool:
        return net_liq > self.above and (vix is None or self.vix_from <= vix < self.vix_below)


def calm_of(book: Book, settings: Settings) -> Calm | None:
    """None while a first sight waits, a period has no beginning yet, or nothing is known to be calm."""
    before = book.levels.get(regime.LEVEL, "")
    if not before or book.peak <= 0 or book.prior_close <= 0 or not _is_settled(book):
        return None
    row = regime.LABELS.index(before)
    bounds = (-inf, *settings.vix_bounds, inf)
    return Calm(max(_floors(book, settings)) * HAIR, bounds[row], bounds[row + 1])


def _is_settled(book: Book) -> bool:
    """Whether the guard would write nothing, were all measures far from their limits."""
    day, notes = book.day.session, book.notes
    if day is None or regime.LOOSER in notes or any(key.startswith(drawdown.SEEN) for key in notes):
        return False
    week, month = notes.get(f"risk.{drawdown.WEEK}", ""), notes.get(f"risk.{drawdown.MONTH}", "")
    week_begun = week.partition(" ")[0] == drawdown.week_of(day)
    return week_begun and month.partition(" ")[0] == drawdown.month_of(day)


def _floors(book: Book, settings: Settings) -> Iterator[Decimal]:
    """Net liq at or below which a level deepens or a period's limit is reached."""
    shares = (settings.yellow_share, settings.orange_share, settings.red_share, settings.terminal_share)
    yield book.peak * (1 - min(shares[drawdown.LEVELS.index(drawdown.drawdown_level(book)) :], default=1))
    old = book.notes.get(drawdown.OLD_PEAK)
    if old is not None:
        yield (Decimal(old) + book.deposits) * (1 - settings.terminal_share)
    for period in drawdown.periods(book, settings):
        if book.levels.get(period.level) != period.key:
            yield period.base * (1 - period.share)
