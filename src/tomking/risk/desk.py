"""The risk system as the kernel meets it: the settings bound to the pure functions of this package."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from operator import is_

from tomking.domain import events as ev
from tomking.domain.book import Book, Position
from tomking.domain.intent import Approved, Close, Open, Verdict
from tomking.risk import drawdown, emergency, phases, progress, protect, readings
from tomking.risk.account import Account
from tomking.risk.availability import PLACES, Place
from tomking.risk.calm import Calm, calm_of
from tomking.risk.gate import judge
from tomking.risk.settings import Settings
from tomking.risk.valuation import account_of
from tomking.view import View


@dataclass(frozen=True, slots=True)
class Desk:
    """``kernel.Risk``: every answer is a function of the book, the market and the settings."""

    settings: Settings
    places: Mapping[str, Place] = field(default_factory=lambda: PLACES)
    """What each strategy may trade, those from outside among them."""
    _last: list[tuple[Mapping[str, Position], datetime, Decimal, Account]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """The account that was asked for last, and of what it is: nothing that a restart would miss."""
    _calm: list[tuple[tuple[object, ...], Calm | None]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """The same of the bounds within which drawdown and regime have nothing to say."""

    _judged: list[tuple[Open, Book, View, Decimal, Verdict]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """The last question to the gate that was answered in full, and the answer."""

    def begin(self, book: Book, net_liq: Decimal, now: datetime) -> Iterable[ev.Event]:
        if "phase" in book.levels:
            return ()
        phase = phases.starting_phase(net_liq, self.settings)
        return (ev.LevelChanged(now, "phase", "", str(phase), f"starting net liq ${net_liq:,.2f}"),)

    def guard(self, book: Book, view: View, net_liq: Decimal) -> Iterable[ev.Event]:
        vix, calm = view.vix, self._calm_of(book)
        first: list[ev.Event] = []
        if calm is None or not calm.holds(net_liq, vix):
            grid = view.market.grid_minutes
            first = drawdown.guard(book, net_liq, view.now, self.settings, vix=vix, grid_minutes=grid)
        return [*first, *protect.guard(book, view, net_liq, self.settings)]

    def _calm_of(self, book: Book) -> Calm | None:
        """Worked out once for all books that agree in what it is a function of."""
        of = (book.notes, book.levels, book.day.session, book.prior_close, book.peak, book.deposits)
        for before, calm in self._calm:
            if all(map(is_, before, of)):
                return calm
        calm = calm_of(book, self.settings)
        self._calm[:] = [(of, calm)]
        return calm

    def next_look(self, book: Book, now: datetime) -> datetime | None:
        """A first sight's confirmation; while an emergency level holds and something is held, soon."""
        waits = drawdown.next_look(book, self.settings)
        if not book.positions or emergency.level_of(book) < emergency.MONITOR:
            return waits
        watch = now + timedelta(minutes=self.settings.watch_minutes)
        return watch if waits is None else min(waits, watch)

    def entries_stopped(self, book: Book) -> str | None:
        return protect.entries_stopped(book) or drawdown.entries_stopped(book, self.settings)

    def forced(self, book: Book, values: Mapping[tuple[str, str], Decimal], now: datetime) -> Iterable[Close]:
        first = drawdown.forced_closes(book, values, now, self.settings)
        taken = {(close.position, role) for close in first for role in close.roles}
        more = protect.forced(book, values, self.settings)
        return [*first, *(c for c in more if not any((c.position, role) in taken for role in c.roles))]

    def judge(
        self, wish: Open, book: Book, view: View, net_liq: Decimal, said: Collection[str] = ()
    ) -> Verdict:
        for verdict in self._known(wish, book, view, net_liq):
            if isinstance(verdict, Approved) or verdict.breaches[0].code not in said:
                return verdict
        account = self._account(book, view, net_liq)
        verdict = judge(wish, book, view, account, self.settings, places=self.places, said=said)
        is_whole = isinstance(verdict, Approved) or verdict.breaches[0].code not in said
        self._judged[:] = [(wish, book, view, net_liq, verdict)] if is_whole else []
        return verdict

    def _known(self, wish: Open, book: Book, view: View, net_liq: Decimal) -> Iterator[Verdict]:
        """The answer to the very same question, if it was just given: a refusal for a new reason is asked
        for once more with all that is wrong, and often the first answer said so already.
        """
        for asked, of, seen, worth, verdict in self._judged:
            if asked is wish and of is book and seen is view and worth == net_liq:
                yield verdict

    def answered(self, book: Book, verdict: Verdict, now: datetime, *, whole: bool) -> Iterable[ev.Event]:
        return readings.answered(book, verdict, now, self.settings, whole=whole)

    def _account(self, book: Book, view: View, net_liq: Decimal) -> Account:
        """Of one step and one set of positions all questions are about the same account."""
        for positions, now, worth, account in self._last:
            if positions is book.positions and now == view.now and worth == net_liq:
                return account
        account = account_of(book, view, net_liq, self.settings)
        self._last[:] = [(book.positions, view.now, net_liq, account)]
        return account

    def end(self, book: Book, view: View, net_liq: Decimal) -> tuple[ev.SessionEnded, Iterable[ev.Event]]:
        account = self._account(book, view, net_liq)
        snapshot = ev.SessionEnded(
            view.now, view.today, net_liq, account.margin, account.capital, view.vix, view.spot()
        )
        return snapshot, self._after_close(book, view, account)

    def _after_close(self, book: Book, view: View, account: Account) -> tuple[ev.Event, ...]:
        net_liq, now, settings = account.net_liq, view.now, self.settings
        earned = progress.may_rise(book, view.today, settings)
        phase_events = phases.session_end_phase(book, net_liq, now, settings, earned=earned)
        before = phases.phase_of(book)
        after = phases.changed_to(phase_events, before)
        reduced = (
            phases.reduction(book, after, net_liq, account.by_position, settings) if after < before else []
        )
        return (
            *phase_events,
            *progress.close_events(book, net_liq, now, phase=after),
            *drawdown.session_end_levels(book, net_liq, now, settings, vix=view.vix),
            *protect.session_end(book, view, net_liq, account.margin, settings, reduced),
        )

    def phase(self, book: Book) -> int:
        return phases.acting_phase(book)

    def barred(self, book: Book, strategy: str) -> str:
        place, phase = self.places.get(strategy), phases.phase_of(book)
        if place is None or place.products[phase]:
            return ""
        return f"{strategy} is not available in phase {phase}"

    def drawdown_level(self, book: Book) -> str:
        return drawdown.drawdown_level(book)

    def keep(self, book: Book, keep: Decimal) -> Decimal:
        return drawdown.tightened_keep(book, keep, self.settings)
