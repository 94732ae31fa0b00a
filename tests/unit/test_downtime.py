"""The engine was off, and the world went on: what was missed is done at the next start, in order and once.

The real kernel, order desk and reconciliation before the simulated venue, which lives on while they do not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from tests.unit.test_kernel import Lenient
from tests.worlds import FRIDAY, Heard, ScriptedMarket, at, weekdays

from tomking.adapters.hashchain import MemoryJournal
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.contract import Contract, Option, Share, parse_contract
from tomking.domain.intent import Open, Part, Target, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.structure import Structure
from tomking.execution.comparing import Comparer
from tomking.execution.protocol import OrderDesk
from tomking.execution.protocol.tags import parsed
from tomking.execution.reconcile import owned_by
from tomking.execution.wire import Place, Request, Told
from tomking.kernel import Kernel, Parts
from tomking.rules.exits import at_wall, days_left
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.sim.account import SimAccount
from tomking.sim.settlement import expire
from tomking.view import Own, View

SESSIONS = weekdays(date(2031, 3, 6), 30)
"""From the Thursday before."""
DELAY = timedelta(milliseconds=100)
CALM = {"P5700": 9.0, "P5670": 4.0, "P5400": 8.0, "P5350": 4.0, "C570": 9.0, "C575": 6.0}


@dataclass
class Phone:
    """A ``Wire`` straight to the venue: each answer after a tenth of a second."""

    account: SimAccount
    sent: list[Request] = field(default_factory=list)
    inbox: list[tuple[datetime, Told]] = field(default_factory=list)

    def send(self, request: Request, now: datetime) -> None:
        self.sent.append(request)
        self.inbox.append((now + DELAY, self.account.handle(request, now)))

    def take(self, now: datetime) -> list[Told]:
        self.account.advance(now)
        told = [one for when, one in self.inbox if when <= now]
        self.inbox = [(when, one) for when, one in self.inbox if when > now]
        return [*told, *self.account.reports()]


@dataclass
class Life:
    """A venue and a journal that last, and one process after another."""

    strategy: Strategy
    market: ScriptedMarket
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    heard: Heard = field(default_factory=Heard)
    sent: list[Request] = field(default_factory=list)
    epoch: int = 0

    def __post_init__(self) -> None:
        self.account = SimAccount(self.market, SESSIONS, at("09:00"), Decimal(100_000))
        self.journal.append(ev.CashMoved(at("09:00"), Decimal(100_000), "deposit"))

    def live(self, since: datetime, until: datetime) -> Book:
        """A process that starts at ``since`` and is dead after ``until``."""
        self.epoch += 1
        phone = Phone(self.account, self.sent)
        desk = OrderDesk(
            phone, instance="0badcafe", epoch=self.epoch, sessions=SESSIONS, market=self.market,
            compare=Comparer("0badcafe", self.epoch),
        )  # fmt: skip
        kernel = Kernel(
            Parts((self.strategy,), Lenient(), self.market, desk, self.journal, self.heard, SESSIONS)
        )
        now = since
        while now <= until:
            kernel.step(now)
            now = kernel.next_wake(now)
        return kernel.book

    def events(self, *kinds: type, since: datetime | None = None) -> list[ev.Event]:
        found = [e for e in self.journal.read() if isinstance(e, kinds)]
        return [e for e in found if since is None or e.at >= since]

    def names(self, *kinds: type, since: datetime) -> list[str]:
        return [type(e).__name__ for e in self.events(*kinds, since=since)]


def quoted(table: dict[str, float]) -> Callable[[Contract, datetime], float | None]:
    def mid(contract: Contract, now: datetime) -> float | None:
        if isinstance(contract, Share):
            return 580.0
        assert isinstance(contract, Option)
        return table.get(f"{contract.right.letter}{contract.strike:f}")

    return mid


def selling(legs: str, *, opened_on: date = FRIDAY, target: bool = True) -> Strategy:
    """Sells it at 10:30 of one day; out at 21 DTE, and at 15:00 on the day of its expiry."""
    structure = Structure.parse("side", legs)

    def build(view: View, own: Own) -> Open:
        return Open(
            strategy="seller",
            entry="spread",
            parts=(Part("side", structure),),
            ceiling=2,
            planned_loss=Decimal(10),
            target_gain=Decimal(2),
            least_net=Decimal("0.50"),
            reason="test",
            targets=(Target(("side",), Decimal("0.5")),) if target else (),
        )

    expires = min(leg.contract.expiry for leg in structure.legs)
    days = Days(weekday=opened_on.weekday())
    exits = [days_left("21 DTE", 21, time(9, 45))]
    if expires == opened_on:
        exits.append(at_wall("time", Urgency.RULE, time(15, 0)))
    entry = Entry(
        "spread", Window(time(10, 30), time(10, 40)), days, when=(), build=build,
        wanted=lambda day, own: day == opened_on and not own.positions,
    )  # fmt: skip
    return Strategy(
        "seller", "a test", 1, Claim(0.5, "-"), (entry,), tuple(exits), Watch(5, time(9, 35), time(15, 59))
    )


def day(text: str, month: int, number: int) -> datetime:
    return at(text, date(2031, month, number))


def agrees(life: Life, book: Book) -> bool:
    """Book and venue hold the same contracts and cash, and nothing is foreign."""
    held = {c: n for c, n in owned_by(book).items() if n}
    return held == life.account.true.held and not book.foreign and book.cash == life.account.true.cash


# ------------------------------------------------------------------------------ off over an expiry


def test_off_over_an_expiry_friday_it_is_settled_on_monday_once_and_friday_ends_first() -> None:
    zero_dte = "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670"
    life = Life(selling(zero_dte), ScriptedMarket(quoted(CALM), settles={FRIDAY: 5690.0}))
    book = life.live(at("10:29"), at("10:45"))
    assert [p.state for p in book.positions.values()] == [State.ACTIVE]
    monday = day("09:30", 3, 10)
    book = life.live(monday, day("09:40", 3, 10))
    since_monday = life.names(ev.SessionEnded, ev.SessionBegan, ev.Settled, ev.Transitioned, since=monday)
    assert since_monday == ["SessionEnded", "SessionBegan", "Settled", "Transitioned"]
    ended, began = life.events(ev.SessionEnded, ev.SessionBegan, since=monday)
    assert isinstance(ended, ev.SessionEnded)
    assert isinstance(began, ev.SessionBegan)
    assert (ended.day, began.day) == (FRIDAY, monday.date())
    (settled,) = life.events(ev.Settled)
    assert isinstance(settled, ev.Settled)
    # Settled at 5690: the short put costs 10 points x 100 x 2 units; two exercises at 5 dollars.
    assert (settled.dollars, settled.fees, settled.price) == (Decimal(-2_000), Decimal(10), Decimal(5690))
    assert book.positions == {}
    assert agrees(life, book)


def test_off_over_an_expiry_nothing_is_opened_on_the_day_that_was_missed() -> None:
    zero_dte = "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670"
    life = Life(selling(zero_dte), ScriptedMarket(quoted(CALM), settles={FRIDAY: 5750.0}))
    life.live(at("10:29"), at("10:45"))
    life.live(day("10:25", 3, 10), day("10:45", 3, 10))
    assert len([r for r in life.sent if isinstance(r, Place) and r.opens]) == 1


def test_a_settlement_that_is_not_known_yet_is_waited_for_and_never_guessed() -> None:
    zero_dte = "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670"
    life = Life(selling(zero_dte), ScriptedMarket(quoted(CALM)))
    life.live(at("10:29"), at("10:45"))
    book = life.live(day("09:30", 3, 10), day("09:40", 3, 10))
    assert life.events(ev.Settled) == []
    assert len(book.positions) == 1


# ------------------------------------------------------------------------------ off across 21 DTE


def test_off_across_21_dte_the_position_is_closed_at_the_first_look_after_the_start_once() -> None:
    # Expires 4 April: 28 days to go on 7 March, 21 on the 14th, 17 on the 18th.
    spread = "-1 SPXW 2031-04-04 P5400 / +1 SPXW 2031-04-04 P5350"
    life = Life(selling(spread), ScriptedMarket(quoted(CALM)))
    life.live(at("10:29"), at("10:45"))
    start = day("09:30", 3, 18)
    book = life.live(start, day("09:55", 3, 18))
    assert book.positions == {}
    sent = [e for e in life.events(ev.OrderSubmitted, since=start) if isinstance(e, ev.OrderSubmitted)]
    assert [(e.order.trigger, e.order.units, e.order.urgency) for e in sent] == [("21 DTE", 2, Urgency.RULE)]
    assert day("09:45", 3, 18) <= sent[0].at <= day("09:51", 3, 18)
    days = [
        e.day
        for e in life.events(ev.SessionBegan, ev.SessionEnded)
        if isinstance(e, ev.SessionEnded | ev.SessionBegan)
    ]
    # Friday ends late; the sessions in between were not traded, and none is made up for.
    assert days == [FRIDAY, FRIDAY, date(2031, 3, 18)]
    assert agrees(life, book)


def test_a_target_that_filled_while_the_engine_was_off_is_a_fill_and_no_second_exit_is_sent() -> None:
    spread = "-1 SPXW 2031-04-04 P5400 / +1 SPXW 2031-04-04 P5350"
    table = dict(CALM)
    life = Life(selling(spread), ScriptedMarket(quoted(table)))
    book = life.live(at("10:29"), at("10:45"))
    (target,) = [w.order for w in book.orders.values()]
    assert target.urgency is Urgency.TARGET
    table |= {"P5400": 2.0, "P5350": 1.0}
    life.account.advance(at("15:00"))
    assert life.account.true.held == {}
    start = day("09:30", 3, 18)
    book = life.live(start, day("10:00", 3, 18))
    assert book.positions == {}
    assert life.events(ev.OrderSubmitted, since=start) == []
    assert agrees(life, book)


# ------------------------------------------------------------------------------ assigned overnight


def test_an_assignment_overnight_is_booked_before_the_shares_are_closed_and_each_once() -> None:
    calls = "-1 SPY 2031-04-17 C570 / +1 SPY 2031-04-17 C575"
    life = Life(selling(calls, target=False), ScriptedMarket(quoted(CALM)))
    life.live(at("10:29"), at("10:45"))
    short = parse_contract("SPY 2031-04-17 C570")
    life.account.advance(at("20:00"))
    life.account.assign(expire(short, Decimal(580), SESSIONS), -2, at("20:00"))
    monday = day("09:30", 3, 10)
    book = life.live(monday, day("09:45", 3, 10))
    (settled,) = life.events(ev.Settled)
    assert isinstance(settled, ev.Settled)
    # Two lots of 100 shares sold at 570, and five dollars for each contract.
    assert (settled.dollars, settled.fees, settled.expired) == (Decimal(114_000), Decimal(10), (short,))
    names = life.names(ev.SessionBegan, ev.Settled, ev.OrderSubmitted, ev.OrderFilled, since=monday)
    assert names == ["SessionBegan", "Settled", "OrderSubmitted", "OrderFilled"]
    (close,) = [
        e.order for e in life.events(ev.OrderSubmitted, since=monday) if isinstance(e, ev.OrderSubmitted)
    ]
    assert close.trigger == "delivered"
    # What was delivered and the long call that covered it go in one order.
    assert str(close.structure) == "-1 SPY 2031-04-17 C575 / +1 SPY S"
    assert book.positions == {}
    assert agrees(life, book)


# ------------------------------------------------------------------------------ restarted on the ladder


def test_restarted_in_the_middle_of_its_ladder_an_order_is_found_and_goes_on_and_fills_once() -> None:
    spread = "-1 SPXW 2031-04-04 P5400 / +1 SPXW 2031-04-04 P5350"
    # So wide that the mid and the first step fill nobody; the ladder comes to the market's price later.
    life = Life(selling(spread, target=False), ScriptedMarket(quoted(CALM), half_spread_ticks=8))
    book = life.live(at("10:29"), at("10:30:15"))
    (working,) = book.orders.values()
    assert working.order.opens
    assert working.attempt == 2
    book = life.live(at("10:30:18"), at("10:33"))
    opened = [t for t in life.account.tickets.values() if t.opens]
    tags = [parsed(t.tag) for t in opened]
    assert {t.order for t in tags if t} == {working.order.id}
    # The first POST of the intent was the only one; each limit after it replaced the one before.
    assert len([r for r in life.sent if isinstance(r, Place) and r.opens]) == 1
    attempts = [t.attempt for t in tags if t]
    assert attempts == sorted(set(attempts))
    assert [t.epoch for t in tags if t] == sorted(t.epoch for t in tags if t)
    filled = sum(t.filled for t in opened)
    (position,) = book.positions.values()
    assert (filled, position.units) == (2, 2)
    assert len(life.events(ev.OrderFilled)) == 1
    assert agrees(life, book)


def test_restarted_with_a_cancel_on_its_way_it_is_asked_again_and_the_order_ends_once() -> None:
    spread = "-1 SPXW 2031-04-04 P5400 / +1 SPXW 2031-04-04 P5350"
    life = Life(selling(spread, target=False), ScriptedMarket(quoted(CALM), half_spread_ticks=40))
    book = life.live(at("10:29"), at("10:30:50"))
    (working,) = book.orders.values()
    assert working.cancelling
    book = life.live(at("10:30:55"), at("10:31:30"))
    assert book.orders == {}
    assert book.positions == {}
    ends = [e for e in life.events(ev.OrderCancelled) if isinstance(e, ev.OrderCancelled)]
    assert [e.order for e in ends] == [working.order.id]
    assert agrees(life, book)
