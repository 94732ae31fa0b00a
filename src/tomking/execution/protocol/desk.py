"""The order desk: the ``Broker`` port on a wire that loses, repeats, delays and reorders.

At every ``news``:

1. Hear    what arrived is sorted to its order by its tag; silence counts as UNKNOWN.
2. Judge   each order's course takes its next step from all evidence; whole units become fills.
3. Act     what is durable is sent; what is in doubt is searched for; uneven legs are made even.
4. Look    orders every 5 s while any is open, positions every 60 s, sooner in doubt (F29, T12).

It holds nothing that the book and the broker could not tell again: a restart finds every working order of the
book in doubt and looks for it by its tag.  An opening order is posted once, ever.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.book import REOPEN, Book, Working
from tomking.domain.calendar import Session, Sessions, new_york, wall_instant
from tomking.domain.contract import Contract
from tomking.domain.order import Order
from tomking.domain.replaced import replaced
from tomking.execution.protocol import lookout
from tomking.execution.protocol.account import Account, book_of
from tomking.execution.protocol.acts import Acts
from tomking.execution.protocol.asking import NEVER, Asked, Asking
from tomking.execution.protocol.course import LEAVE, Attempt, Course, Phase, Purpose, reopened
from tomking.execution.protocol.courses import Courses
from tomking.execution.protocol.evidence import settled, shown
from tomking.execution.protocol.settling import ended, netted
from tomking.execution.protocol.tags import Tag, parsed
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    FindOrders,
    Kind,
    Outcome,
    Place,
    Replace,
    Reply,
    Report,
    Wire,
)
from tomking.ports import Expiry, MarketData

SOON = timedelta(seconds=1)
AGAIN = timedelta(seconds=4)
"""Between two looks at an account that differs from the book: orders, positions and transactions each time,
which the budget must have room for.
"""
TRANSACTIONS_EVERY = timedelta(seconds=30)
TRANSACTIONS_LATER = timedelta(minutes=10)
"""When an hour after the open and after the close the broker has not settled."""
NO_TIME = datetime(1, 1, 1, tzinfo=UTC)
SHOWS_WITHIN, SHOWN_EVERY = timedelta(minutes=3), timedelta(seconds=30)
"""What a process before this one sent last may be missing from searches for a while (F11): orders are read
so long and so often though none is open.
"""
SETTLES_WITHIN = timedelta(hours=1)

Allowed = Callable[[datetime], str | None]
"""Why nothing may be opened now (the latch, the lease); None: it may."""
Compare = Callable[[Account, datetime], Sequence[ev.BrokerNews]]
"""Book against broker, whenever positions have been read anew.  As ``execution.comparing`` it may have:
``unsure``, whether it wants to look again soon; ``waits``, whether again when an order has ended; and
``end_first``, our orders on contracts that are gone, which end before that is booked."""


def _is_behind(course: Course, working: Working) -> bool:
    """Whether the book says more of an order than its course."""
    return (
        working.attempt > course.number
        or (working.cancelling and not course.cancelling)
        or (course.is_over and course.told_uneven == REOPEN)
    )


def _always(_: datetime) -> None:
    """Nothing else stands in the way."""


class OrderDesk:
    """See the module."""

    def __init__(
        self,
        wire: Wire,
        *,
        instance: str,
        epoch: int,
        sessions: Sessions,
        market: MarketData,
        may_open: Allowed = _always,
        compare: Compare | None = None,
        born: int | None = None,
    ) -> None:
        """instance, epoch: see ``tags.Tag``; market: what prices are checked against when they are sent.

        born  the book's sequence when the process began; None: when it first asked for news
        """
        self._asking = Asking(wire, f"{instance}-{epoch}:")
        self._acts = Acts(self._asking, instance, epoch, sessions=sessions, market=market, may_open=may_open)
        self._instance, self._epoch = instance, epoch
        self._sessions = sessions
        self._compare = compare
        self._compared: datetime | None = None
        self._ended = NO_TIME
        """When an order ended last, or its odd legs were left."""
        self._born = born
        self._day: tuple[datetime, datetime, date, Session | None] = (NO_TIME, NO_TIME, NO_TIME.date(), None)
        self._asked_at: tuple[datetime, tuple[timedelta, timedelta] | None] = (NO_TIME, None)
        """When it was worked out last how often to look, and how often."""
        self._began_at: datetime | None = None
        """When it first asked for news."""
        self._released = 0
        """Where the book was when a person let it go on though the broker had seen more."""
        self._began_with: dict[str, int] | None = None
        """Attempts of each order that the book knew when the process began."""
        self._courses = Courses()
        self._book = Book()
        self._expects_ends = False
        """Whether the settlement of what has expired is waited for."""
        self._faces: dict[str, BrokerOrder] = {}
        """Every order of ours by the broker's id, as it was shown last: a search shows them all again."""
        self._shown: tuple[BrokerOrder, ...] = ()
        """What an answer has shown last."""
        self._ended_of: object = None
        self._has_ghosts = False
        """Whether anything works that the book does not know any more."""
        self._tells = False
        """Whether the last news had differences to record."""

    # ------------------------------------------------------------------ the port

    def submit(self, order: Order, now: datetime) -> None:
        self._asked_at = NO_TIME, None
        assert order.id not in self._courses, f"order {order.id} submitted twice"
        self._courses[order.id] = self._acts.work(Course(order, now, order.limit), self._courses, now)

    def reprice(self, order: str, limit: Decimal, now: datetime) -> None:
        self._asked_at = NO_TIME, None
        course = self._courses.get(order)
        if course is not None and not course.is_over:
            course = replaced(course, limit=limit, number=course.number + 1)
            self._courses[order] = self._acts.work(course, self._courses, now)

    def cancel(self, order: str, now: datetime) -> None:
        self._asked_at = NO_TIME, None
        course = self._courses.get(order)
        if course is not None and not course.is_over:
            self._courses[order] = self._acts.work(replaced(course, cancelling=True), self._courses, now)

    def news(self, book: Book, now: datetime) -> list[ev.BrokerNews]:
        self._book = book
        self._began_at = self._began_at or now
        self._remember(book)
        self._forget(book)
        for id_, working in book.orders.items():
            course = self._courses.get(id_)
            if course is None or _is_behind(course, working):
                self._courses[id_] = self._synced(course, working, now)
        for asked, told in self._asking.hear(now):
            self._hear(asked, told, now)
        news: list[ev.BrokerNews] = self._acts.alarms(book, now)
        looks = self._courses.to_look_at(book, now)
        if looks:
            account = self.account()
            for id_ in sorted(looks, key=int):
                news += self._step(id_, account, now)
        self._acts.end_strays(now)
        self._look(now)
        differences = self._differences(now)
        # What is told changes the book: how often to look is worked out again when that is here.
        self._tells = bool(differences)
        return [*news, *differences]

    def expired(self, contracts: Collection[Contract], now: datetime) -> list[Expiry]:
        self._expects_ends = True
        self._asking.look_at_transactions(TRANSACTIONS_EVERY, now)
        account, told = self.account(), self._asking.transactions
        found = ended(contracts, told, gross={c: account.gross(c) for c in contracts})
        net = {c: account.expected(c) for c in contracts if c not in {one.contract for one in found}}
        return [*found, *netted(net, told)]

    def assigned(self, contracts: Collection[Contract], now: datetime) -> list[Expiry]:
        self._asking.look_at_transactions(TRANSACTIONS_EVERY, now)
        return ended(contracts, self._asking.transactions, {Kind.ASSIGNED})

    def next_wake(self, now: datetime) -> datetime | None:
        """When ``news`` should be called although nothing arrives; whatever arrives should wake it too."""
        steps = [
            lookout.next_step(course, now)
            for course in self._courses.moving.values()
            if course.is_restless or not course.is_over
        ]
        wakes = [at for at in steps if at is not None]
        if self._is_to_compare or self._tells:
            wakes.append(now + SOON)
        silence = self._asking.silence_counts_at()
        if silence is not None:
            wakes.append(silence)
        if wakes and min(wakes) <= now + SOON:
            return now + SOON
        rates = self._asked_at[1] if self._asked_at[0] == now else self._rates(now)
        every = self._settles_every(now)
        if rates is not None:
            wakes.append(self._asking.next_look(*rates, now))
        if every is not None:
            wakes.append(self._asking.next_transactions(every, now))
        return min(wakes, default=None)

    # ------------------------------------------------------------------ what it knows, for others

    def account(self) -> Account:
        """The broker's account as last read, and the book's and the desk's part in it."""
        asking = self._asking
        return Account(
            self._book,
            asking.positions,
            asking.positions_asked,
            asking.found,
            asking.found_asked,
            asking.transactions,
            self._courses,
        )

    def hold(self, now: datetime) -> str | None:
        """Why it would send no opening order now, in words; None: it would."""
        return self._acts.hold(now)

    @property
    def courses(self) -> dict[str, Course]:
        """Of this session, by order id."""
        return dict(self._courses)

    # ------------------------------------------------------------------ 1 hear

    def _remember(self, book: Book) -> None:
        """What the book knew at first: whatever of ours is beyond that was sent by this process, or by one
        whose book this one is older than.
        """
        released = self._acts.is_released(book)
        if released:
            self._released = book.sequence
            self._faces.clear()  # what was beyond this book is looked at anew
            self._shown = ()
        if self._began_with is None or released:
            self._began_with = {id_: w.attempt for id_, w in {**book.ended, **book.orders}.items()}
            self._born = book.sequence if self._born is None or released else self._born

    def _forget(self, book: Book) -> None:
        """What ended in sessions before; late prints of these are found by comparing positions."""
        if book.ended is self._ended_of and not self._has_ghosts:
            return
        self._ended_of = book.ended
        if not book.ended:
            self._faces.clear()
            self._shown = ()
        self._has_ghosts = False
        for id_, course in tuple(self._courses.items()):
            if not course.is_over or id_ in book.orders or id_ in book.ended:
                continue
            if any(a.is_live for a in course.attempts):
                self._has_ghosts = True
            else:
                del self._courses[id_]

    def _synced(self, course: Course | None, working: Working, now: datetime) -> Course:
        """The book leads: what it holds as working and nobody here sent was sent before a restart."""
        if course is None:
            course = self._restarted(working, now)
        elif course.is_over and course.told_uneven == REOPEN:
            course = reopened(course)
        cancelling = course.cancelling or working.cancelling
        number = max(course.number, working.attempt)
        if cancelling is not course.cancelling or number != course.number:
            course = replaced(course, cancelling=cancelling, number=number)
        return course

    def _restarted(self, working: Working, now: datetime) -> Course:
        order = working.order
        is_today = new_york(working.since).date() == new_york(now).date()
        # A close in doubt had an attempt, some attempt, of which nothing proves that it can trade no more.
        doubtful = not order.opens and working.doubt is not None
        purpose = Purpose.WORK if working.attempt == 1 or doubtful else Purpose.REPLACE
        question = Attempt(
            working.attempt,
            purpose,
            order.structure.legs,
            order.units,
            working.limit,
            # The last byte of an attempt may have left a moment ago.
            now if is_today else working.since,
            Outcome.UNKNOWN,
        )
        return Course(
            order,
            working.since,
            working.limit,
            working.attempt,
            Phase.PARKED if working.parked else Phase.SENT,
            (question,),
            doubt=working.doubt,
        )

    def _hear(self, asked: Asked | None, told: Reply | Report, now: datetime) -> None:
        if isinstance(told, Report):
            self._shown = ()
            self._see(told.order, now)
            return
        if told.orders and told.orders is not self._shown:  # the very same, where nothing has happened
            self._shown = told.orders
            for order in told.orders:
                self._see(order, now)
        if asked is None:
            return
        course = self._courses.get(asked.order)
        if isinstance(asked.request, FindOrders) and told.outcome is Outcome.ACCEPTED:
            self._searched(asked.sent)
        elif course is not None and isinstance(asked.request, Place | Replace):
            attempt = course.attempt(asked.number)
            if attempt is not None and attempt.outcome in {None, Outcome.UNKNOWN}:
                course = course.with_attempt(replaced(attempt, outcome=told.outcome))
                reason = told.text or told.code
                self._courses[asked.order] = replaced(course, reason=reason or course.reason)
        elif course is not None and isinstance(asked.request, Cancel) and told.outcome is Outcome.ACCEPTED:
            self._courses[asked.order] = settled(course, course.number + 1)

    def _see(self, order: BrokerOrder, now: datetime) -> None:
        face = self._faces.get(order.id)
        if face is order or face == order:
            return
        self._faces[order.id] = order
        tag = parsed(order.tag)
        if tag is None or tag.instance != self._instance:
            return
        working = book_of(self._book, tag.order)
        if self._is_beyond(tag, working):
            return
        course = self._courses.get(tag.order)
        if course is None and working is not None:
            # It ended in this session, before a restart.
            phase = Phase.CANCELLED if working.filled < working.order.units else Phase.FILLED
            course = Course(working.order, working.since, working.limit, working.attempt, phase)
        if course is None:
            self._acts.stray(order)
        else:
            self._courses[tag.order] = shown(course, tag.attempt, order, now)

    def _is_beyond(self, tag: Tag, working: Working | None) -> bool:
        if tag.epoch == self._epoch:
            known = None if working is None else working.attempt
            return self._acts.is_fenced_off_by(tag, self._book.sequence, known)
        attempt = (self._began_with or {}).get(tag.order)
        # The book may have grown beyond it, with nothing of what it had when it was put back.
        day = self._book.day
        since = None if day.session is None else max(day.began, self._released)
        return self._acts.is_fenced_off_by(tag, self._born or 0, attempt, since)

    def _searched(self, asked: datetime) -> None:
        """Notes for each order in doubt that a search asked after it was sent did not show it."""
        for id_, course in self._courses.items():
            sent = [a.sent for a in course.attempts if a.is_open_question]
            if sent and max(sent) < asked:
                self._courses[id_] = replaced(course, absent=asked)

    # ------------------------------------------------------------------ 2 judge, 3 act

    def _step(self, id_: str, account: Account, now: datetime) -> list[ev.BrokerNews]:
        before = self._courses[id_]
        course, news = lookout.step(before, account, self._sessions, now)
        if course.uneven is not None and course.told_uneven != LEAVE:
            self._asking.hurry(now)
        acted, more = self._acts.act(course, account, now)
        if acted.is_over and not course.is_over:
            # It was stopped before its first byte: said at once.
            acted, told = lookout.step(acted, account, self._sessions, now)
            more = [*more, *told]
        self._courses[id_] = acted
        if (acted.is_over, acted.told_uneven) != (before.is_over, before.told_uneven):
            self._ended = now
        working = book_of(self._book, id_)
        if acted is before and not news and not more and working:
            until = lookout.rests_until(acted, working, self._sessions, now)
            if until > now:
                self._courses.rest(id_, working, until, works=id_ in self._book.orders)
        return [*news, *more]

    # ------------------------------------------------------------------ 4 look

    def _differences(self, now: datetime) -> Sequence[ev.BrokerNews]:
        """What comparing says, once orders and transactions are known that may explain it: others trade too.

        Those of the start of the process; and where something differs, those asked for after that was seen.
        """
        asking = self._asking
        if not self._is_to_compare:
            return ()
        since = self._compared if self._is_unsure else None
        known = asking.transactions_asked
        if known is None or (since is not None and known < since):
            asking.look_at_transactions(SOON, now)
            return ()
        if asking.found_asked is None or (since is not None and asking.found_asked < since):
            return ()
        assert self._compare is not None, "there is something to compare"
        self._asked_at = NO_TIME, None
        self._compared = asking.positions_asked
        told = self._compare(self.account(), now)
        for id_ in getattr(self._compare, "end_first", ()):
            self.cancel(id_, now)
            if id_ in self._courses:
                self._courses[id_] = replaced(self._courses[id_], gone=True)
        return told

    @property
    def _is_to_compare(self) -> bool:
        """Whether positions were read and not compared yet: what may explain them is still asked for."""
        return self._compare is not None and self._asking.positions_asked not in (None, self._compared)

    @property
    def _is_unsure(self) -> bool:
        return bool(getattr(self._compare, "unsure", False))

    @property
    def _made_way(self) -> bool:
        """Whether an order has ended since that may have been the reason for a difference, or in its way."""
        waits = bool(getattr(self._compare, "waits", False))
        return waits and self._compared is not None and self._ended >= self._compared

    def _look(self, now: datetime) -> None:
        rates = self._rates(now)
        self._asked_at = now, rates
        if rates is not None:
            self._asking.look(*rates, now)
        every = self._settles_every(now)
        if every is not None:
            self._asking.look_at_transactions(every, now)

    def _rates(self, now: datetime) -> tuple[timedelta, timedelta] | None:
        """How often orders and positions are asked for; None: not at all."""
        today, session = self._today(now)
        is_open = session is not None and session.open <= now < session.close
        asked = self._asking.found_asked, self._asking.positions_asked
        rates = lookout.rates(
            self._courses.moving.values(), now, is_open=is_open, asked=asked, hears=self._asking.up
        )
        foreign = self._book.foreign
        ends = bool(foreign) and any(c.expiry <= today for c in foreign)
        if self._reconciles_after(session, now) or ends:
            # What is not ours ends as ours does, and nobody else looks whether it has.
            rates = rates or (NEVER, NEVER)
            rates = rates[0], min(rates[1], lookout.POSITIONS_EVERY)
        if is_open and self._began_at is not None and now < self._began_at + SHOWS_WITHIN:
            rates = rates or (NEVER, NEVER)
            rates = min(rates[0], SHOWN_EVERY), rates[1]
        if rates is None or not (self._is_unsure or self._made_way):
            return rates
        return min(rates[0], AGAIN), min(rates[1], AGAIN)

    def _today(self, now: datetime) -> tuple[date, Session | None]:
        """New York's date, and its session: the same the whole day long."""
        if not self._day[0] <= now < self._day[1]:
            today = new_york(now).date()
            ends = wall_instant(today + timedelta(days=1), time())
            self._day = wall_instant(today, time()), ends, today, self._sessions.on(today)
        return self._day[2], self._day[3]

    def _reconciles_after(self, session: Session | None, now: datetime) -> bool:
        """Whether the session is over, and the account was not compared since all of it must show (I4)."""
        if session is None or not session.close <= now < session.close + SETTLES_WITHIN:
            return False
        compared, final = self._compared, max(session.close + lookout.ABSENT_AFTER, self._ended)
        return self._compare is not None and (compared is None or compared <= final or self._is_unsure)

    def _settles_every(self, now: datetime) -> timedelta | None:
        """How often it is asked whether what has expired is settled; None: nothing is waited for."""
        if not self._expects_ends:
            return None
        today, session = self._today(now)
        if all(contract.expiry > today for contract in self._book.held()):
            self._expects_ends = False
            return None
        times = (session.open, session.close) if session is not None else ()
        is_soon = any(at <= now < at + SETTLES_WITHIN for at in times)
        return TRANSACTIONS_EVERY if is_soon else TRANSACTIONS_LATER
