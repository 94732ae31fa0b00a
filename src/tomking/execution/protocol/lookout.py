"""One look at one order: fills out of executions, its phase out of all evidence, and what is told of it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.book import REOPEN, Book, Working, takes_late
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.contract import Contract
from tomking.domain.intent import Urgency
from tomking.domain.money import ZERO, cents
from tomking.domain.order import Fill
from tomking.domain.replaced import replaced
from tomking.domain.trading import TRADING
from tomking.execution.protocol.account import Account, book_of
from tomking.execution.protocol.asking import NEVER
from tomking.execution.protocol.course import IN_DOUBT, LEAVE, Course, Input, Phase, advance
from tomking.execution.protocol.evidence import (
    PARK_AFTER,
    REPLACE_AGAIN,
    STANDS,
    all_over,
    has_no_more,
    in_question,
    is_off_its_limit,
    judged,
    search_every,
)
from tomking.execution.protocol.fills import Whole, assembled, consumed, fees_due, odd_legs
from tomking.execution.protocol.uneven import PATIENCE, WORST, acts_on, is_done_by_others, remedy, within

ORDERS_EVERY = timedelta(seconds=5)
POSITIONS_EVERY = timedelta(seconds=60)
POSITIONS_IN_DOUBT = timedelta(seconds=5)
AT_ONCE = timedelta(seconds=1)
ORDERS_UNHEARD = timedelta(seconds=2)
"""While legs are odd and no stream tells what becomes of a remedy."""
FRESH = timedelta(seconds=25)
"""A question is searched for often until what is not found then can be believed to be missed."""
ABSENT_AFTER = timedelta(minutes=5)
"""After the close: whatever was accepted shows by then; a search asked later is final."""
HALTED = "HALTED"
FOREVER = datetime.max.replace(tzinfo=UTC)

News = list[ev.BrokerNews]


def step(course: Course, account: Account, sessions: Sessions, now: datetime) -> tuple[Course, News]:
    """The course after this look, and the news of it; what was told before is told until the book has it."""
    working = book_of(account.book, course.order.id)
    if working is None:
        return course, []  # of a session before: what it still does shows in the positions
    wholes = _wholes(course, working)
    course = _noted(course, working, wholes, now)
    if _is_closed_by_others(course, account.book):
        course = replaced(course, gone=True)
    is_full = working.filled + sum(w.units for w in wholes) == course.order.units
    if not course.is_over:
        phase = course.phase
        for what in _inputs(course, account, sessions, now, is_full=is_full):
            phase = advance(phase, what)
        doubt = (course.doubt or now) if phase in IN_DOUBT else None
        if phase is not course.phase or doubt != course.doubt:
            course = replaced(course, phase=phase, doubt=doubt)
    fills = _fills(course, working, wholes)
    if course.order.id not in account.book.orders:
        return _late(course, working, fills, account.book, sessions, now)
    course, told = _told(course, working, now)
    return course, [*(ev.OrderFilled(now, f) for f in fills), *_halt(course, account.book, now), *told]


def _late(  # noqa: PLR0917
    course: Course, working: Working, fills: list[Fill], book: Book, sessions: Sessions, now: datetime
) -> tuple[Course, News]:
    """Of an order that the book has ended: late prints, legs of such that have no others, and too much.

    Odd legs are made even while the market is open; when its day is over they stay, and are foreign.
    """
    news: News = [ev.LateFill(now, f) for f in fills if takes_late(book, f)]
    if course.uneven is not None:
        final, is_open = _final(course, sessions, now), _is_open(sessions, now)
        action = REOPEN if is_open and now - course.uneven >= PATIENCE else "wait"
        is_settled = course.gone or _is_offset(course, book) or is_done_by_others(course, book.foreign)
        if is_settled or (not is_open and final is not None and now >= final):
            action = LEAVE
        if course.told_uneven not in {action, REOPEN, LEAVE}:
            course = replaced(course, told_uneven=action)
            words = ", ".join(f"{count:+d} {contract}" for contract, count in course.odd)
            news.append(ev.LegsUneven(now, course.order.id, action, f"after its end: {words}"))
        news += _halt(course, book, now)
    if working.filled == course.order.units and assembled(course.order, course.executions(), working.fills):
        news += halted(book, f"order {course.order.id} has filled more than its {working.filled} units", now)
    return course, news


def halted(book: Book, detail: str, now: datetime) -> News:
    """Trading stops until a person resumes it; nothing when it has stopped already."""
    level = book.levels.get(TRADING, "")
    return [] if level == HALTED else [ev.LevelChanged(now, TRADING, level, HALTED, detail)]


def _is_open(sessions: Sessions, now: datetime) -> bool:
    session = sessions.on(new_york(now).date())
    return session is not None and session.open <= now < session.close


SOON = timedelta(seconds=1)


def next_step(course: Course, now: datetime) -> datetime | None:
    """When it needs a look although nothing arrives; None: never.

    A new limit goes out when the one before has stood for its time; while a change is under way, its outcome
    arrives.
    """
    if course.is_restless:
        return now + SOON
    waits = course.phase is Phase.WORKING and course.number > course.attempts[-1].number
    if not waits or not is_off_its_limit(course):
        return None
    return max(now + SOON, course.attempts[-1].sent + STANDS)


def rests_until(course: Course, working: Working, sessions: Sessions, now: datetime) -> datetime:
    """Until when it waits for evidence alone: before that, another look at the same shows nothing new."""
    if course.planned is not None or course.odd or course.uneven is not None or course.over is not None:
        over = course.is_over and course.planned is None and not course.odd and course.uneven is None
        quiet = over and not any(a.is_live for a in course.attempts) and not _wholes(course, working)
        return FOREVER if quiet else now
    match course.phase:
        case Phase.SENT if all(a.is_flying for a in course.attempts):
            return FOREVER
        case Phase.WORKING if not course.cancelling:
            return _moves_next(course)
        case Phase.UNKNOWN | Phase.PARKED if course.order.opens and course.doubt is not None:
            late = _final(course, sessions, now) or now
            parks = FOREVER if course.phase is Phase.PARKED else course.doubt + PARK_AFTER
            return min(parks, late)
        case _:
            quiet = course.is_over and not any(a.is_live for a in course.attempts)
            return FOREVER if quiet and not _wholes(course, working) else now


def _moves_next(course: Course) -> datetime:
    """When one that works at another limit than it should may be moved; one that need not be: never."""
    last = course.attempts[-1]
    if not is_off_its_limit(course):
        return FOREVER
    return last.sent + (STANDS if course.number > last.number else REPLACE_AGAIN)


def rates(
    courses: Iterable[Course],
    now: datetime,
    *,
    is_open: bool,
    asked: tuple[datetime | None, datetime | None] = (None, None),
    hears: bool = True,
) -> tuple[timedelta, timedelta] | None:
    """How often orders and positions are read; None: neither is needed.

    asked  when the orders and the positions that are known were asked for
    hears  whether the account stream is up
    """
    orders = positions = NEVER
    if is_open:
        positions = POSITIONS_EVERY
    for course in courses:
        if course.is_over and (course.uneven is None or not is_open):
            continue
        if not is_open and _rests_overnight(course):
            continue
        every = ORDERS_EVERY
        if course.uneven is not None:
            every, often = _rates_uneven(course, asked, now)
            every = every if hears else min(every, ORDERS_UNHEARD)
            positions = min(positions, often)
        elif course.doubt is not None and course.over is None:
            every = search_every(now - course.doubt)
            if now - course.attempts[-1].sent < FRESH:
                every = min(every, ORDERS_EVERY)  # a restart asks the question anew
            if not course.order.opens and is_open:
                positions = POSITIONS_IN_DOUBT
        orders = min(orders, every)
    return None if orders is NEVER and positions is NEVER else (orders, positions)


def _rates_uneven(
    course: Course, asked: tuple[datetime | None, datetime | None], now: datetime
) -> tuple[timedelta, timedelta]:
    """What the next remedy waits for is read at once, and nothing in vain: the budget is for the remedies."""
    assert course.uneven is not None, "only asked of uneven legs"
    orders, positions = asked
    told, since = course.uneven + PATIENCE, acts_on(course, alone=True)
    every, often = ORDERS_EVERY, POSITIONS_EVERY
    if course.phase is not Phase.LEG_IMBALANCE and now >= told:
        every = _once_since(told, orders, every)
    if since is not None and now >= since:
        often = _once_since(since, positions, POSITIONS_IN_DOUBT)
        if any(a.is_open_question for a in course.attempts):
            every = _once_since(since, orders, every)
    return every, often


def _once_since(since: datetime, asked: datetime | None, usual: timedelta) -> timedelta:
    return AT_ONCE if asked is None or asked < since else usual


def _rests_overnight(course: Course) -> bool:
    works = course.phase is Phase.WORKING and course.over is None and not course.cancelling
    return works and course.order.urgency is Urgency.TARGET


# ---------------------------------------------------------------------------------------- fills


def _wholes(course: Course, working: Working) -> list[Whole]:
    """New whole units, never more than the order still has."""
    executions = course.executions()
    if not executions:
        return []
    return assembled(course.order, executions, working.fills, course.order.units - working.filled)


def _fills(course: Course, working: Working, wholes: list[Whole]) -> list[Fill]:
    """The same as fills of the book: the last one takes what rounding leaves of the fees."""
    executions = course.executions()
    total = course.fees(unwinding=False)
    booked, paid = list(working.fills), working.fees
    fills = []
    for whole in wholes:
        booked.append(whole.id)
        fees = max(ZERO, fees_due(total, executions, booked) - paid)
        paid += fees
        fills.append(Fill(whole.id, course.order.id, whole.at, whole.units, whole.prices, fees))
    return fills


def _noted(course: Course, working: Working, wholes: list[Whole], now: datetime) -> Course:
    """With what the executions say of its legs, and since when it has been over."""
    booked, executions = [*working.fills, *(w.id for w in wholes)], course.executions()
    odd: dict[Contract, int] = odd_legs(course.order, executions, booked) if executions else {}
    for one in course.executions(unwinding=True):
        odd[one.contract] = odd.get(one.contract, 0) + one.quantity
    left = tuple((contract, count) for contract, count in odd.items() if count)
    over = (course.over or now) if all_over(course) else None
    uneven = (course.uneven or now) if left else None
    if (left, over, uneven) == (course.odd, course.over, course.uneven):
        return course
    return replaced(course, odd=left, over=over, uneven=uneven)


# ---------------------------------------------------------------------------------------- phase


def _inputs(
    course: Course, account: Account, sessions: Sessions, now: datetime, *, is_full: bool
) -> list[Input]:
    asked = account.found_asked
    confirmed = course.over is not None and asked is not None and asked > course.over
    what = judged(course, is_full=is_full, is_even=not course.odd, is_confirmed=confirmed)
    inputs = [] if what is None else [what]
    if what is Input.DOUBT and course.doubt is not None and now - course.doubt >= PARK_AFTER:
        inputs.append(Input.LONG)
    late = _final(course, sessions, now)
    if late is not None and now >= late:
        if what is Input.DOUBT and course.absent is not None and course.absent >= late:
            inputs.append(Input.ABSENT)
        if asked is not None and asked >= late and has_no_more(course, late):
            inputs.append(Input.END)
    elif confirmed and course.odd and _is_settled(course, account):
        inputs.append(Input.END)
    elif course.uneven is not None and asked is not None and asked >= course.uneven + PATIENCE:
        inputs.append(Input.UNEVEN)
    return inputs


def _is_settled(course: Course, account: Account) -> bool:
    """Whether there is nothing to do about its odd legs any more."""
    book = account.book
    return (
        _is_offset(course, book) or is_done_by_others(course, book.foreign) or _is_left_with(course, account)
    )


def _is_closed_by_others(course: Course, book: Book) -> bool:
    """Whether somebody else has done the rest of a torn close: what is in question would be refused (T6)."""
    if course.order.opens or not course.odd or course.gone:
        return False
    return is_done_by_others(course, book.foreign)


def _is_offset(course: Course, book: Book) -> bool:
    """Whether somebody else has traded its odd legs away: the account holds none of them."""
    theirs = book.foreign
    return all(theirs.get(c, 0) * n < 0 and abs(theirs[c]) >= abs(n) for c, n in course.odd)


def _is_left_with(course: Course, account: Account) -> bool:
    """Whether what it lacks has ended otherwise: nothing that it could close is there any more."""
    if not course.gone or course.over is None or account.asked is None or account.asked < course.over:
        return False
    _, legs, units = remedy(course.order, dict(course.odd))
    return not within(legs, units, account.held)[1]


def _final(course: Course, sessions: Sessions, now: datetime) -> datetime | None:
    """When a search of the whole day proves that an attempt in question never arrived.

    What rests for days may be shown filled on any of them before its executions are (T5): its day is the last
    one begun.
    """
    sent = max((a.sent for a in course.attempts), default=course.since)
    day, today = new_york(sent).date(), new_york(now).date()
    session = sessions.on(day)
    if today > day and course.order.urgency is Urgency.TARGET:
        session = sessions.on(today) or sessions.before(today) or session
    return None if session is None else session.close + ABSENT_AFTER


def _halt(course: Course, book: Book, now: datetime) -> News:
    if course.uneven is None or now - course.uneven < WORST:
        return []
    return halted(book, f"order {course.order.id} has had uneven legs for {WORST.seconds} s", now)


# ---------------------------------------------------------------------------------------- what is told


def _told(course: Course, working: Working, now: datetime) -> tuple[Course, News]:
    id_ = course.order.id
    match course.phase:
        case Phase.CANCELLED | Phase.EXPIRED_ABSENT:
            return course, [_unwound(course, working, now) or ev.OrderCancelled(now, id_)]
        case Phase.REJECTED:
            return course, [ev.OrderRejected(now, id_, course.reason or "refused without a reason")]
        case _:
            return _told_doubt(course, working, now)


def _told_doubt(course: Course, working: Working, now: datetime) -> tuple[Course, News]:
    """Whether any attempt is in question, even while another works: somebody hears of it (I24)."""
    id_ = course.order.id
    questions = [a.number for a in course.attempts if in_question(course, a)]
    news: News = []
    if questions and working.doubt is None:
        news.append(ev.OrderUnknown(now, id_, questions[-1], _why(course)))
    if course.phase is Phase.PARKED and not working.parked:
        minutes = PARK_AFTER.seconds // 60
        news.append(ev.OrderParked(now, id_, f"not found for {minutes} minutes ({_why(course)})"))
    seen = any(a.seen is not None for a in course.attempts)
    if not questions and seen and (working.doubt is not None or not course.accepted):
        course = replaced(course, accepted=True)
        news.append(ev.OrderAccepted(now, id_))
    return course, news


def _why(course: Course) -> str:
    return course.reason or "no answer"


def _unwound(course: Course, working: Working, now: datetime) -> ev.LegsUnwound | None:
    """The cash of legs that were traded and traded back; None where there were none."""
    if not course.executions(unwinding=True):
        return None
    every = [*course.executions(), *course.executions(unwinding=True)]
    cash = sum((-one.price * one.quantity * one.contract.multiplier for one in every), ZERO)
    booked = _booked_dollars(course, working)
    fees = course.fees(unwinding=False) + course.fees(unwinding=True) - working.fees
    words = ", ".join(f"{one.quantity:+d} {one.contract} at {one.price:f}" for one in every)
    return ev.LegsUnwound(now, course.order.id, cents(cash - booked), max(ZERO, fees), words)


def _booked_dollars(course: Course, working: Working) -> Decimal:
    """Cash of those executions that fills of the book have taken."""
    taken = consumed(working.fills)
    return sum(
        (
            -one.price * taken.get(one.id, 0) * (1 if one.quantity > 0 else -1) * one.contract.multiplier
            for one in course.executions()
        ),
        ZERO,
    )
