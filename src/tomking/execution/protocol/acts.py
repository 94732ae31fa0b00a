"""What the desk sends for an order, and what keeps it from sending."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.chain import NetQuote, net_quote
from tomking.domain.intent import Urgency
from tomking.domain.order import Order
from tomking.domain.replaced import replaced
from tomking.domain.structure import Leg, Structure
from tomking.domain.trading import STALE, TRADING
from tomking.execution.protocol import checks
from tomking.execution.protocol.account import Account
from tomking.execution.protocol.asking import Asking
from tomking.execution.protocol.budget import Use
from tomking.execution.protocol.course import (
    IN_DOUBT,
    REMEDIES,
    Attempt,
    Course,
    Input,
    Phase,
    Purpose,
    advance,
)
from tomking.execution.protocol.evidence import REPLACE_AGAIN, STANDS, in_question, is_off_its_limit, steady
from tomking.execution.protocol.fills import per_unit
from tomking.execution.protocol.lookout import News, halted
from tomking.execution.protocol.repeating import may_repeat, plan, repeated, units_left
from tomking.execution.protocol.tags import Tag
from tomking.execution.protocol.uneven import (
    CONCESSIONS,
    acts_on,
    makes_way,
    priced,
    remedy,
    remedy_limit,
    within,
)
from tomking.execution.wire import ENDED, BrokerOrder, Cancel, Place, Replace, Status
from tomking.ports import MarketData

WAITS_FOR_LINE = timedelta(seconds=30)
"""So long an opening order waits for the account to be read; then it is refused."""
CANCEL_AGAIN = timedelta(seconds=5)
CANCEL_IN_A_HURRY = timedelta(seconds=2)
NOTHING: tuple[Purpose, tuple[Leg, ...], int] = (Purpose.COMPLETE, (), 0)


class Acts:
    """Sends on behalf of courses; remembers what it sent when, for as long as that matters."""

    def __init__(
        self,
        asking: Asking,
        instance: str,
        epoch: int,
        *,
        sessions: Sessions,
        market: MarketData,
        may_open: Callable[[datetime], str | None],
    ) -> None:
        self._asking = asking
        self._instance, self._epoch = instance, epoch
        self._sessions = sessions
        self._market = market
        self._may_open = may_open
        self._sent: list[tuple[datetime, Order]] = []
        self._strays: dict[str, tuple[BrokerOrder, datetime | None]] = {}
        self._runaway = ""
        self._level = ""
        self._marked = False
        """Whether the book says that it is stale."""
        self.stale = ""
        """What shows that this book is older than the broker's evidence; empty: nothing."""

    # ------------------------------------------------------------------ fencing

    def tag(self, order: str, number: int) -> str:
        return str(Tag(self._instance, self._epoch, order, number))

    def is_fenced_off_by(
        self, tag: Tag, sequence: int, attempt: int | None, since: int | None = None
    ) -> bool:
        """Whether a tag of ours is from beyond this book: then nothing is sent any more (I27).

        sequence  where the book ends that could have made it
        attempt   the last of that order in it; None: it does not have the order
        since     from which order on it has every one; None: nobody knows
        """
        beyond = ""
        if tag.epoch > self._epoch:
            beyond = f"a later trading lease, {tag.epoch} after {self._epoch}"
        elif int(tag.order) >= max(sequence, 1):
            beyond = f"order {tag.order}, the book ends at event {sequence}"
        elif attempt is not None and tag.attempt > attempt:
            beyond = f"attempt {tag.attempt} of order {tag.order}, the book knows {attempt}"
        elif attempt is None and since is not None and int(tag.order) >= since:
            beyond = f"order {tag.order}, which the book has never heard of"
        if beyond and not self.stale:
            self.stale = f"the broker has {tag}: {beyond}"
        return bool(beyond)

    def alarms(self, book: Book, now: datetime) -> News:
        """What stops trading altogether, as long as the book does not say so."""
        self._level = book.levels.get(TRADING, "")
        marked = book.levels.get(STALE, "")
        self.stale = self.stale or marked
        words = self.stale or self._runaway
        news = halted(book, words, now) if words else []
        if self.stale and not marked:
            # Whoever is started next must know it too, though its own book is as long as the other was.
            news.append(ev.LevelChanged(now, STALE, "", self.stale, "nothing is sent until a person resumes"))
        self._marked = bool(marked)
        return news

    def is_released(self, book: Book) -> bool:
        """Whether a person has looked at a stale book since, and lets it go on: nothing holds it any more."""
        if not self._marked or book.levels.get(STALE, ""):
            return False
        self.stale, self._marked = "", False
        return True

    def hold(self, now: datetime) -> str | None:
        """Why no opening order goes out now; None: it may."""
        level = f"trading is {self._level}" if self._level not in {"", "ACTIVE"} else None
        return self.stale or self._runaway or level or self._may_open(now) or self._asking.unsynced()

    # ------------------------------------------------------------------ one order

    def work(self, course: Course, courses: Mapping[str, Course], now: datetime) -> Course:
        """Sends what the order needs next, as far as it is durable and the budget allows."""
        if course.phase is Phase.PENDING:
            return self._post(course, courses, now)
        if self.stale or course.planned is not None or course.phase is Phase.LEG_IMBALANCE:
            return course
        if course.is_over or (course.cancelling and not self._must_fill(course, now)):
            return self._end(course, now)
        return self._move(course, now) if course.phase is Phase.WORKING else course

    def act(self, course: Course, account: Account, now: datetime) -> tuple[Course, News]:
        """As ``work``, and what doubt or uneven legs ask for."""
        news: News = []
        if course.planned is not None and _is_moot(course, account):
            course = replaced(course, planned=None)
        if course.planned is not None and not course.is_over:
            return self._send_planned(course, now)
        if course.phase is Phase.LEG_IMBALANCE:
            course, news = self._even(course, account, now)
        elif course.phase in IN_DOUBT and self._may_repeat(course, account, now):
            course = repeated(course, account)
        elif course.phase is Phase.WORKING and self._lost_replacement(course, now):
            live = next(a for a in course.attempts if a.is_live)
            limit = checks.sendable(course.order, course.limit)
            course = plan(course, Purpose.REPLACE, live.legs, live.units, limit, why="a new limit was lost")
        if course.planned is None:
            return self.work(course, account.courses, now), news
        course, told = self._send_planned(course, now)
        return course, [*news, *told]

    # ------------------------------------------------------------------ post

    def _post(self, course: Course, courses: Mapping[str, Course], now: datetime) -> Course:
        if course.cancelling:
            return replaced(course, phase=advance(course.phase, Input.WITHDRAW))
        order = course.order
        limit = checks.sendable(order, course.limit)
        denied = self._denied(course, limit, courses, now)
        if denied is not None:
            return replaced(course, phase=advance(course.phase, Input.DENY), reason=denied)
        if self._waits_for_evidence(order):
            return course
        legs = tuple(Leg(c, n) for c, n in per_unit(order.structure.legs).items() if n)
        course = self._place(course, Purpose.WORK, legs, order.units, limit, now=now)
        if course.phase is not Phase.PENDING:
            self._sent = [(at, o) for at, o in self._sent if now - at < checks.LIKE_WITHIN]
            self._sent.append((now, order))
        return course

    def _waits_for_evidence(self, order: Order) -> bool:
        """Whether the account is not known well enough yet.

        Of a process that has just begun no search has told yet whether its book is older than what the broker
        has seen: nothing leaves before one has (I27).
        """
        return not self._asking.has_searched or (order.opens and self._asking.unsynced() is not None)

    def _denied(
        self, course: Course, limit: Decimal, courses: Mapping[str, Course], now: datetime
    ) -> str | None:
        """Why this order must not go out at all: said once, and never on the wire (F2, F6, F35)."""
        order = course.order
        if self.stale:
            return self.stale
        if not self._is_open(now):
            return "the market is closed"
        if not all(per_unit(order.structure.legs).values()):
            return "one contract is bought and sold by the same order"
        words = self._mispriced(order, limit, now)
        if words is not None or not order.opens:
            return words
        words = self.hold(now)
        if words is not None and words == self._asking.unsynced() and now - course.since < WAITS_FOR_LINE:
            words = None
        if words is None and any(_same_slot(order, c) for c in courses.values()):
            words = "another order of the same entry has not ended"
        if words is None and checks.repeats(order, self._sent, now):
            self._runaway = f"more than {checks.LIKE_ORDERS} like orders in ten minutes: {order.structure}"
            words = self._runaway
        return words

    def _mispriced(self, order: Order, limit: Decimal, now: datetime) -> str | None:
        """Why its price must not go out on the market as it is now."""
        quotes = self._market.quotes(order.structure.contracts, now)
        bad = checks.off_market(quotes, now) if order.opens else None
        return bad or checks.off_collar(order, limit, net_quote(order.structure, quotes))

    def _quote(self, legs: Sequence[Leg], now: datetime) -> NetQuote | None:
        structure = Structure("order", tuple(legs))
        return net_quote(structure, self._market.quotes(structure.contracts, now))

    def _place(
        self,
        course: Course,
        purpose: Purpose,
        legs: tuple[Leg, ...],
        units: int,
        limit: Decimal,
        *,
        now: datetime,
    ) -> Course:
        order, number = course.order, course.number
        opens = order.opens and purpose is Purpose.WORK
        lasts = order.urgency is Urgency.TARGET and purpose is Purpose.WORK
        tag = self.tag(order.id, number)
        sent = self._asking.send(
            lambda key: Place(key, tag, legs, units, limit, opens, lasts),
            Use.OPEN if opens else Use.CLOSE,
            now,
            order.id,
            number,
        )
        if not sent:
            return course
        course = course.with_attempt(Attempt(number, purpose, legs, units, limit, now))
        return replaced(course, phase=advance(course.phase, Input.SEND), absent=None)

    # ------------------------------------------------------------------ cancel and replace

    def _end(self, course: Course, now: datetime) -> Course:
        """Asks for the end of whatever works; again every five seconds: a cancel does no harm twice (F20).

        Of what works on odd legs every two, until that is seen to be heard: the next remedy waits for it.
        """
        hurries = course.uneven is not None and any(a.is_live and not _is_ending(a) for a in course.attempts)
        again = CANCEL_IN_A_HURRY if hurries else CANCEL_AGAIN
        if course.cancel_sent is not None and now - course.cancel_sent < again:
            return course
        for live in (a for a in course.attempts if a.is_live):
            assert live.seen is not None, "a live attempt was seen"
            id_ = live.seen.id
            if not hurries and self._asking.flies(course.order.id, Cancel, live.number):
                continue
            make = _canceller(id_)
            if self._asking.send(make, Use.CANCEL, now, course.order.id, live.number):
                course = replaced(course, cancel_sent=now)
        return course

    def _move(self, course: Course, now: datetime) -> Course:
        """Replaces the attempt that works when the newest limit is another; one change at a time."""
        live = steady(course)
        limit = checks.sendable(course.order, course.limit)
        if live is None or live.seen is None or live.seen.limit == limit:
            return course
        last = course.attempts[-1]
        if course.number <= last.number or now - last.sent < STANDS:
            return course
        return self._replace(course, live.seen, limit, course.number, now)

    def _replace(
        self, course: Course, live: BrokerOrder, limit: Decimal, number: int, now: datetime
    ) -> Course:
        order = course.order
        if self._asking.flies(order.id, Replace) or self._asking.flies(order.id, Cancel):
            return course
        if not self._is_open(now) or not self._asking.has_searched:
            return course
        if self._mispriced(order, limit, now) is not None:
            return course
        if order.opens and self.hold(now) is not None:
            return course
        tag = self.tag(order.id, number)
        sent = self._asking.send(
            lambda key: Replace(key, tag, live.id, limit, order.opens, checks.terms_of(live.legs)),
            Use.OPEN if order.opens else Use.CLOSE,
            now,
            order.id,
            number,
        )
        if not sent:
            return course
        attempt = Attempt(number, Purpose.REPLACE, live.legs, live.units, limit, now)
        return replaced(course.with_attempt(attempt), absent=None)

    def _lost_replacement(self, course: Course, now: datetime) -> bool:
        """Whether the order works at another limit than it should, and the request for it led to nothing."""
        last = course.attempts[-1]
        if last.is_flying or course.cancelling or self.stale or not is_off_its_limit(course):
            return False
        return course.number <= last.number and now - last.sent >= REPLACE_AGAIN

    # ------------------------------------------------------------------ repeat a close

    def _must_fill(self, course: Course, now: datetime) -> bool:
        """A close with an attempt in question cannot end before the day does, unless it fills: it is worked
        on, though it was to make way for a more urgent one; the kernel gives it that one's limits.
        """
        doubtful = any(in_question(course, a) for a in course.attempts)
        return doubtful and not course.order.opens and self._is_open(now)

    def _may_repeat(self, course: Course, account: Account, now: datetime) -> bool:
        return not self.stale and self._is_open(now) and may_repeat(course, account, now)

    def _is_open(self, now: datetime) -> bool:
        session = self._sessions.on(new_york(now).date())
        return session is not None and session.open <= now < session.close

    # ------------------------------------------------------------------ uneven legs

    def _even(self, course: Course, account: Account, now: datetime) -> tuple[Course, News]:
        """Cancels what still works, then trades what is missing or left over (I8, I9)."""
        live = [a for a in course.attempts if a.is_live]
        if live:
            last = live[-1]
            if last.purpose in REMEDIES and not makes_way(course, last, self._quote(last.legs, now), now):
                return course, []
            return self._telling(self._end(course, now), "cancel", now)
        if any(a.is_flying for a in course.attempts):
            return course, []
        since = acts_on(course, alone=account.is_alone(dict(course.odd))) if course.odd else None
        purpose, legs, units = remedy(course.order, dict(course.odd)) if course.odd else NOTHING
        contracts = [*per_unit(course.order.structure.legs), *(c for c, _ in course.odd)]
        legs, units = within(legs, units, account.held)
        if course.gone:  # of what has ended otherwise nothing is left to close
            contracts = [leg.contract for leg in legs]
        if not _is_read(course, account, since) or not account.agrees_on(contracts):
            return self._telling(course, "wait", now)
        quotes = self._market.quotes([leg.contract for leg in legs], now)
        legs, quote = priced(legs, quotes)
        if quote is None or not self._is_open(now):
            return self._telling(course, "wait", now)
        tries = len(CONCESSIONS) if checks.are_old(quotes, now) else course.remedies
        limit = remedy_limit(legs, quote, tries)
        course, news = self._telling(course, purpose.value, now)
        course = plan(course, purpose, legs, units, limit, why=f"uneven legs, {purpose.value}")
        return replaced(course, remedies=course.remedies + 1), news

    def _telling(self, course: Course, action: str, now: datetime) -> tuple[Course, News]:
        if course.told_uneven == action:
            return course, []
        words = ", ".join(f"{count:+d} {contract}" for contract, count in course.odd)
        news: News = [ev.LegsUneven(now, course.order.id, action, words)]
        return replaced(course, told_uneven=action), news

    # ------------------------------------------------------------------ what is planned

    def _send_planned(self, course: Course, now: datetime) -> tuple[Course, News]:
        """An attempt goes out when its number is durable; until then it is told."""
        planned = course.planned
        assert planned is not None, "only what is planned is sent"
        if course.number < planned.number:
            return course, [ev.OrderRetried(now, course.order.id, planned.number, planned.why)]
        if self.stale or not self._is_open(now) or not self._asking.has_searched:
            return course, []
        number = course.number
        if planned.purpose is Purpose.REPLACE:
            live = steady(course)
            course = replaced(course, planned=None)
            if live is None or live.seen is None:
                return course, []
            return self._replace(course, live.seen, planned.limit, number, now), []
        sent = self._place(course, planned.purpose, planned.legs, planned.units, planned.limit, now=now)
        return (course, []) if sent is course else (replaced(sent, planned=None), [])

    # ------------------------------------------------------------------ strays

    def stray(self, order: BrokerOrder) -> None:
        """An order with our tag that this book ended long ago: it must not work on."""
        if order.status in ENDED:
            self._strays.pop(order.id, None)
        else:
            self._strays.setdefault(order.id, (order, None))

    def end_strays(self, now: datetime) -> None:
        for id_, (order, last) in tuple(self._strays.items()):
            if self.stale or (last is not None and now - last < CANCEL_AGAIN):
                continue
            if self._asking.send(_canceller(id_), Use.CANCEL, now):
                self._strays[id_] = (order, now)


def _is_ending(live: Attempt) -> bool:
    return live.seen is not None and live.seen.status is Status.CANCEL_REQUESTED


def _is_read(course: Course, account: Account, since: datetime | None) -> bool:
    """Whether the account was read since: its positions, and where something is in question its orders."""
    if since is None or account.asked is None or account.asked < since:
        return False
    if not any(a.is_open_question for a in course.attempts):
        return True
    return account.found_asked is not None and account.found_asked >= since


def _is_moot(course: Course, account: Account) -> bool:
    """Whether what was planned is not what the evidence asks for any more: it waited for the budget, and
    what was in question has filled or works since.
    """
    planned = course.planned
    assert planned is not None, "only asked of a plan"
    if planned.purpose is Purpose.REPLACE:
        return False  # looked at when it is sent
    if any(a.is_live or a.is_flying for a in course.attempts):
        return True
    if planned.purpose is Purpose.WORK:
        return units_left(course, account) != planned.units
    if not course.odd:
        return True
    _, legs, units = remedy(course.order, dict(course.odd))
    legs, units = within(legs, units, account.held)
    return units != planned.units or not set(planned.legs) <= set(legs)


def _canceller(broker_id: str) -> Callable[[str], Cancel]:
    return lambda key: Cancel(key, broker_id)


def _same_slot(order: Order, other: Course) -> bool:
    same = (other.order.strategy, other.order.entry_key) == (order.strategy, order.entry_key)
    return same and other.order.id != order.id and other.order.opens and not other.is_over
