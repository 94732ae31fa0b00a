"""The risk system of an index: none.  Only ``app.replicate.run`` may plug it in."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.intent import Approved, Close, Open, Verdict
from tomking.domain.money import ZERO
from tomking.view import View

LEVEL = "GREEN"


class Unlimited:
    """The kernel's ``Risk`` for rules that are followed whatever happens: every wish, in full."""

    def begin(self, book: Book, net_liq: Decimal, now: datetime) -> Iterable[ev.Event]:
        return ()

    def guard(self, book: Book, view: View, net_liq: Decimal) -> Iterable[ev.Event]:
        return ()

    def next_look(self, book: Book, now: datetime) -> datetime | None:
        return None

    def entries_stopped(self, book: Book) -> str | None:
        return None

    def forced(self, book: Book, values: Mapping[tuple[str, str], Decimal], now: datetime) -> Iterable[Close]:
        return ()

    def judge(
        self, wish: Open, book: Book, view: View, net_liq: Decimal, said: Collection[str] = ()
    ) -> Verdict:
        return Approved(wish, wish.ceiling, "the index's own rules: all of net liq")

    def answered(self, book: Book, verdict: Verdict, now: datetime, *, whole: bool) -> Iterable[ev.Event]:
        return ()

    def end(self, book: Book, view: View, net_liq: Decimal) -> tuple[ev.SessionEnded, Iterable[ev.Event]]:
        """No margin: the portfolio is paid for and covers what is sold."""
        ended = ev.SessionEnded(
            at=view.now,
            day=view.today,
            net_liq=net_liq,
            margin=ZERO,
            capital=net_liq,
            vix=view.vix,
            spot=view.spot(),
        )
        return ended, ()

    def barred(self, book: Book, strategy: str) -> str:
        """An index is never barred."""
        return ""

    def phase(self, book: Book) -> int:
        return 0

    def drawdown_level(self, book: Book) -> str:
        return LEVEL

    def keep(self, book: Book, keep: Decimal) -> Decimal:
        return keep
