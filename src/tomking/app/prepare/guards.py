"""What stands around the kernel while orders wait for approval: at the strategies, the gate and the wire.

The kernel knows nothing of it: its strategies wish, its gate answers, its broker sends.  Closes always pass.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from tomking.app.prepare.candidates import Candidate
from tomking.app.prepare.preparation import Preparation
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Session
from tomking.domain.intent import Alternatives, Close, Intent, Open, Pass, Verdict
from tomking.execution.preview import allows
from tomking.execution.protocol.tags import parsed
from tomking.execution.wire import Outcome, Place, Replace, Reply, Request, Told, Wire
from tomking.kernel import Risk, Strategy
from tomking.risk import rollout
from tomking.view import Own, View

MINUTE = timedelta(minutes=1)


class PreparedRisk:
    """``kernel.Risk`` whose yes waits for a person."""

    def __init__(self, inner: Risk, preparation: Preparation) -> None:
        self._inner, self._preparation = inner, preparation

    def begin(self, book: Book, net_liq: Decimal, now: datetime) -> Iterable[ev.Event]:
        events = list(self._inner.begin(book, net_liq, now))
        if rollout.LEVEL not in book.levels:
            words = "real orders begin at the lowest stage"
            events.append(ev.LevelChanged(now, rollout.LEVEL, "", rollout.PAPER, words))
        return events

    def guard(self, book: Book, view: View, net_liq: Decimal) -> Iterable[ev.Event]:
        return [*self._inner.guard(book, view, net_liq), *self._preparation.heed(book, view.now)]

    def next_look(self, book: Book, now: datetime) -> datetime | None:
        looks = (self._inner.next_look(book, now), self._preparation.next_look(now))
        return min((at for at in looks if at is not None), default=None)

    def entries_stopped(self, book: Book) -> str | None:
        return self._inner.entries_stopped(book)

    def forced(self, book: Book, values: Mapping[tuple[str, str], Decimal], now: datetime) -> Iterable[Close]:
        return self._inner.forced(book, values, now)

    def judge(
        self, wish: Open, book: Book, view: View, net_liq: Decimal, said: Collection[str] = ()
    ) -> Verdict:
        return self._preparation.judge(self._inner, wish, book, view, net_liq, said)

    def answered(self, book: Book, verdict: Verdict, now: datetime, *, whole: bool) -> Iterable[ev.Event]:
        """With what the answer has done to orders that wait: durable before anything is sent."""
        return [*self._inner.answered(book, verdict, now, whole=whole), *self._preparation.told()]

    def end(self, book: Book, view: View, net_liq: Decimal) -> tuple[ev.SessionEnded, Iterable[ev.Event]]:
        snapshot, following = self._inner.end(book, view, net_liq)
        return snapshot, [*following, *self._preparation.heed(book, view.now)]

    def phase(self, book: Book) -> int:
        return self._inner.phase(book)

    def barred(self, book: Book, strategy: str) -> str:
        return self._inner.barred(book, strategy)

    def drawdown_level(self, book: Book) -> str:
        return self._inner.drawdown_level(book)

    def keep(self, book: Book, keep: Decimal) -> Decimal:
        return self._inner.keep(book, keep)


class PreparedStrategy:
    """``kernel.Strategy`` that is asked at once when an order of its is approved."""

    def __init__(self, inner: Strategy, preparation: Preparation) -> None:
        self._inner, self._preparation = inner, preparation

    @property
    def id(self) -> str:
        return self._inner.id

    def steps(self, view: View, own: Own) -> tuple[Intent, ...]:
        return self._inner.steps(view, own)

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        return self._inner.guard(view, own)

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        """Its own, or the next minute while an approved order of its has not gone out."""
        wake = self._inner.next_wake(session, own, now, grid_minutes)
        if not self._preparation.approved(self.id):
            return wake
        following = now.replace(second=0, microsecond=0) + MINUTE
        if following >= session.close:
            return wake
        return following if wake is None else min(wake, following)

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        """As it decides, with the approved order in the place of what it would enter with now.

        An entry that it does not wish any more takes the approval with it.
        """
        wishes = self._inner.decide(view, own)
        for one in self._preparation.approved(self.id):
            entering = [wish for wish in wishes if _enters(wish, one)]
            if not entering:
                self._preparation.lapse(one, _why_not(wishes, one), view.now)
                continue
            wishes = tuple(one.wish if wish is entering[0] else wish for wish in wishes)
        return wishes


def _enters(wish: Intent, one: Candidate) -> bool:
    first = wish.choices[0] if isinstance(wish, Alternatives) else wish
    return isinstance(first, Open) and (first.entry, first.joins) == (one.wish.entry, one.wish.joins)


def _why_not(wishes: tuple[Intent, ...], one: Candidate) -> str:
    said = [wish for wish in wishes if isinstance(wish, Pass) and wish.entry == one.wish.entry]
    if said:
        return f"the strategy does not wish it now: {said[0].code}: {said[0].detail}"
    return "the strategy does not wish it now: its window is over, or it has entered"


class PreparedWire:
    """A ``Wire`` over which no order opens anything that was not approved, at these units and prices.

    The last comparison before the first byte; it trusts nothing that was decided before.  What it refuses is
    answered REJECTED with the code ``unapproved``: it never left.
    """

    def __init__(self, inner: Wire, preparation: Preparation, book: Book) -> None:
        """book: whose opening orders under way were approved before a restart."""
        self._inner, self._preparation = inner, preparation
        preparation.send = inner.send
        self._floors: dict[str, Decimal] = {
            id_: working.order.floor
            for id_, working in book.orders.items()
            if working.order.opens and working.order.floor is not None
        }
        """The worst net that was approved, by order."""
        self._refused: list[Told] = []

    def send(self, request: Request, now: datetime) -> None:
        wrong = self._wrong(request)
        if wrong:
            self._preparation.refused_at_the_wire(wrong, now)
            self._refused.append(Reply(request.key, now, Outcome.REJECTED, code=UNAPPROVED, text=wrong))
            return
        self._inner.send(request, now)

    def take(self, now: datetime) -> list[Told]:
        told, self._refused = self._refused, []
        for one in self._inner.take(now):
            if not (isinstance(one, Reply) and self._preparation.heard(one)):
                told.append(one)
        return told

    def _wrong(self, request: Request) -> str:
        """Why a request is not what was approved; empty: it is, or it opens nothing."""
        match request:
            case Place(opens=True):
                return self._wrong_order(request)
            case Replace(opens=True):
                tag = parsed(request.tag)
                floor = None if tag is None else self._floors.get(tag.order)
                if floor is None:
                    return f"a new limit of {request.limit:f} for an order that nobody approved"
                if request.limit < floor:
                    return f"a new limit of {request.limit:f}, approved down to {floor:f}"
                return ""
            case _:
                return ""

    def _wrong_order(self, place: Place) -> str:
        granted, tag = self._preparation.granted(), parsed(place.tag)
        for intent in granted:
            if tag is not None and allows(intent, place.legs, place.units, place.limit):
                granted.remove(intent)
                self._floors[tag.order] = intent.floor
                return ""
        legs = " / ".join(map(str, place.legs))
        return f"{place.units} x {legs} at {place.limit:f} is no order that was approved"


UNAPPROVED = "unapproved"
