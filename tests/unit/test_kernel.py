"""The loop on a scripted market: what is recorded, what is sent, and in which order."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from tests.worlds import FRIDAY, Heard, ScriptedMarket, at, weekdays

from tomking.adapters.hashchain import MemoryJournal
from tomking.domain import events as ev
from tomking.domain.book import Book, fold
from tomking.domain.calendar import Session
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import (
    Approved,
    Breach,
    Close,
    Intent,
    Open,
    Part,
    Pass,
    Refused,
    Target,
    Urgency,
    Verdict,
)
from tomking.domain.lifecycle import State
from tomking.domain.order import Order
from tomking.domain.structure import Structure
from tomking.execution.marking import LastMids, marked, table_of
from tomking.kernel import Kernel, Parts
from tomking.sim.broker import SimBroker
from tomking.view import Own, View

PUTS = Structure.parse("put side", "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670")
CALLS = Structure.parse("call side", "-1 SPXW 2031-03-07 C5800 / +1 SPXW 2031-03-07 C5830")
BOTH = (Part("put side", PUTS), Part("call side", CALLS))
MINUTE = timedelta(minutes=1)

CALM = {"P5700": 9.0, "P5670": 4.0, "C5800": 8.0, "C5830": 4.5}
"""Mids that give the condor a credit of 5.00 + 3.50."""


def wish(**changes: object) -> Open:
    plain = Open(
        strategy="friday",
        entry="condor",
        parts=BOTH,
        ceiling=2,
        planned_loss=Decimal(17),
        target_gain=Decimal(4),
        least_net=Decimal(6),
        reason="it is Friday",
        targets=(Target(("put side", "call side"), Decimal("0.5")),),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@dataclass
class Scripted:
    """A strategy that asks for what its script says, every minute."""

    script: Callable[[View, Own], tuple[Intent, ...]]
    id: str = "friday"
    guards: tuple[Intent, ...] = ()

    def steps(self, view: View, own: Own) -> tuple[Intent, ...]:
        return ()

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        return self.script(view, own)

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        return self.guards

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        return now.replace(second=0) + MINUTE


@dataclass
class Lenient:
    """The ``Risk`` port that says yes to two units, or no with what it was given."""

    refuse: tuple[Breach, ...] = ()
    demands: Callable[[Book], Iterable[Close]] = lambda _: ()
    look: datetime | None = None
    stopped: str | None = None

    def begin(self, book: Book, net_liq: Decimal, now: datetime) -> Iterable[ev.Event]:
        return () if book.levels else (ev.LevelChanged(now, "phase", "", "4", "test"),)

    def guard(self, book: Book, view: View, net_liq: Decimal) -> Iterable[ev.Event]:
        return ()

    def next_look(self, book: Book, now: datetime) -> datetime | None:
        return self.look

    def entries_stopped(self, book: Book) -> str | None:
        return self.stopped

    def forced(self, book: Book, values: Mapping[tuple[str, str], Decimal], now: datetime) -> Iterable[Close]:
        return self.demands(book)

    def judge(
        self, wish: Open, book: Book, view: View, net_liq: Decimal, said: Collection[str] = ()
    ) -> Verdict:
        if self.refuse:
            return Refused(wish, self.refuse)
        return Approved(wish, min(2, wish.ceiling), "ceiling: 2 units")

    def answered(self, book: Book, verdict: Verdict, now: datetime, *, whole: bool) -> Iterable[ev.Event]:
        return ()

    def end(self, book: Book, view: View, net_liq: Decimal) -> tuple[ev.SessionEnded, Iterable[ev.Event]]:
        zero = Decimal(0)
        return ev.SessionEnded(view.now, view.today, net_liq, zero, zero, view.vix, view.spot()), ()

    def phase(self, book: Book) -> int:
        return 4

    def barred(self, book: Book, strategy: str) -> str:
        return ""

    def drawdown_level(self, book: Book) -> str:
        return "GREEN"

    def keep(self, book: Book, keep: Decimal) -> Decimal:
        return keep


@dataclass
class Desk:
    """A kernel with everything around it."""

    market: ScriptedMarket
    strategies: tuple[Scripted, ...]
    risk: Lenient = field(default_factory=Lenient)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    heard: Heard = field(default_factory=Heard)

    def __post_init__(self) -> None:
        sessions = weekdays(FRIDAY, 5)
        broker = SimBroker(self.market, sessions, flat_fee)
        self.parts = Parts(
            strategies=self.strategies,
            risk=self.risk,
            market=self.market,
            broker=broker,
            journal=self.journal,
            notifier=self.heard,
            sessions=sessions,
        )
        self.kernel = Kernel(self.parts)
        if not self.kernel.book.sequence:
            self.kernel.record(ev.CashMoved(at("09:30"), Decimal(100_000), "deposit"))

    def run(self, until: datetime, since: datetime | None = None) -> Book:
        now = since or at("09:30")
        while now <= until:
            self.kernel.step(now)
            now = self.kernel.next_wake(now)
        return self.kernel.book

    def events(self, kind: type) -> list[ev.Event]:
        return [e for e in self.journal.read() if isinstance(e, kind)]


def flat_fee(order: Order, units: int) -> Decimal:
    """A dollar a contract on opening."""
    return Decimal(order.structure.contracts_per_unit * units) if order.opens else Decimal(0)


def mids(table: Mapping[str, float]) -> Callable[[Contract, datetime], float | None]:
    def mid(contract: Contract, now: datetime) -> float | None:
        assert isinstance(contract, Option)
        return table.get(f"{contract.right.letter}{contract.strike:f}")

    return mid


def enter_at_1030(view: View, own: Own) -> tuple[Intent, ...]:
    if view.now >= at("10:30") and not own.positions and "condor" not in own.entered:
        return (wish(),)
    return ()


def test_an_approved_wish_is_written_then_sent_then_filled_on_the_ladder() -> None:
    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(enter_at_1030),))
    book = desk.run(at("10:32"))
    names = [type(e).__name__ for e in desk.journal.read()]
    assert names.index("EntryApproved") < names.index("OrderSubmitted") < names.index("OrderFilled")
    position = next(iter(book.positions.values()))
    assert position.state is State.ACTIVE
    # Four legs a tick of 0.05 wide each side: half-spread 0.20.  VIX 24: k = 0.35, so 0.07, rounded
    # against us to 0.10: 8.40 of a mid of 8.50.  The ladder is there at its third step, after 30 s.
    credit = sum((c.entry_net for c in position.open_components), Decimal(0))
    assert credit == Decimal("8.40")
    filled = next(e for e in desk.journal.read() if isinstance(e, ev.OrderFilled))
    assert filled.at == at("10:30") + timedelta(seconds=30)
    # 8.40 x $100 x 2 units - 8 contracts at $1.
    assert book.cash == Decimal(100_000) + 1_680 - 8


def test_the_target_rests_and_fills_at_its_own_price() -> None:
    def mid(contract: Contract, now: datetime) -> float | None:
        calm = mids(CALM)(contract, now)
        return calm if now < at("11:00") else (calm or 0) / 4

    desk = Desk(ScriptedMarket(mid), (Scripted(enter_at_1030),))
    desk.run(at("10:40"))
    (resting,) = desk.kernel.book.orders.values()
    # Half of 8.40 is kept: buy back at 4.20.
    assert (resting.order.urgency, resting.limit) == (Urgency.TARGET, Decimal("-4.20"))
    book = desk.run(at("11:05"), since=at("10:41"))
    assert not book.positions
    assert book.records["friday:condor"].wins == 1
    # 4.20 points x $100 x 2 units less the $8 of opening.
    assert book.cash == Decimal(100_000) + 840 - 8


def test_a_rule_exit_first_cancels_the_target_then_closes() -> None:
    def script(view: View, own: Own) -> tuple[Intent, ...]:
        if own.positions and view.now >= at("15:00"):
            (position,) = own.positions
            roles = tuple(c.role for c in position.open_components)
            return (Close("friday", position.id, roles, Urgency.RULE, "15:00", "time"),)
        return enter_at_1030(view, own)

    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(script),))
    book = desk.run(at("15:02"))
    assert not book.positions
    assert not book.orders
    late = [e for e in desk.journal.read() if e.at >= at("15:00")]
    kinds = [type(e).__name__ for e in late]
    assert kinds.index("CancelRequested") < kinds.index("OrderCancelled") < kinds.index("OrderSubmitted")
    states = [e.after for e in desk.journal.read() if isinstance(e, ev.Transitioned)]
    assert states == [State.ACTIVE, State.EXITING, State.CLOSED]


def test_closing_a_tested_side_leaves_the_other_defending() -> None:
    def script(view: View, own: Own) -> tuple[Intent, ...]:
        if own.positions and view.now >= at("12:00"):
            (position,) = own.positions
            return (
                Close("friday", position.id, ("put side",), Urgency.STOP, "touch", "touched", defends=True),
            )
        return enter_at_1030(view, own)

    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(script),))
    book = desk.run(at("12:05"))
    (position,) = book.positions.values()
    assert position.state is State.DEFENDING
    assert [c.role for c in position.open_components] == ["call side"]
    assert not book.orders  # the common target is gone; the rest has its own rules


def test_half_of_the_units_go_and_the_target_rests_for_the_others() -> None:
    def halve(book: Book) -> Iterable[Close]:
        (position,) = book.positions.values() or (None,)
        if position is None or position.units != 2 or position.is_working or book.day.session is None:
            return
        if position.components["put side"].units == 2 and book.orders:
            yield Close(
                "friday", position.id, ("put side", "call side"), Urgency.STOP, "reduction", "half", units=1
            )

    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(enter_at_1030),), Lenient(demands=halve))
    book = desk.run(at("10:40"))
    (position,) = book.positions.values()
    assert position.state is State.ACTIVE
    assert [c.units for c in position.open_components] == [1, 1]
    # The first target, for two units, was cancelled; the one that rests now is for the unit that is left.
    (resting,) = book.orders.values()
    assert (resting.order.urgency, resting.order.units) == (Urgency.TARGET, 1)
    # 8.40 received for two units, one bought back at the mids of 8.50 and a k of 0.35 + 0.25 of 0.20: 8.65.
    assert book.cash == Decimal(100_000) + 1_680 - 8 - 865
    assert not book.records  # a trade is counted when it is over


def test_a_refusal_is_written_once_and_counted_at_the_close() -> None:
    no = (Breach("SIZE", "loss at stop", "3.0 % of net liq, limit 2.0 %"), Breach("CAP", "positions", "3"))
    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(enter_at_1030),), Lenient(refuse=no))
    desk.run(at("16:00"))
    (declined,) = desk.events(ev.Declined)
    assert isinstance(declined, ev.Declined)
    assert declined.details == (
        "SPXW loss at stop: 3.0 % of net liq, limit 2.0 %",
        "SPXW positions: 3",
    )
    (again,) = desk.events(ev.DeclinedAgain)
    # Asked every minute from 10:30 to 15:59, 330 times: once written, 329 times counted.
    assert again == ev.DeclinedAgain(at("16:00"), "friday", "condor", "SIZE", 329)


@dataclass
class Changing(Lenient):
    """Refuses for one reason until noon and for two others after it; stops at one that was said before."""

    def judge(
        self, wish: Open, book: Book, view: View, net_liq: Decimal, said: Collection[str] = ()
    ) -> Verdict:
        codes = ("SIZE", "CAP") if view.now < at("12:00") else ("LIQ", "CAP")
        breaches = tuple(Breach(code, code.lower(), "numbers") for code in codes)
        return Refused(wish, breaches[:1] if codes[0] in said else breaches)


def test_a_new_reason_is_written_with_all_that_is_wrong() -> None:
    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(enter_at_1030),), Changing())
    desk.run(at("16:00"))
    said = [(one.code, len(one.details)) for one in desk.events(ev.Declined) if isinstance(one, ev.Declined)]
    assert said == [("SIZE", 2), ("LIQ", 2)]


def test_an_entry_is_tried_and_retried_once_after_two_minutes() -> None:
    desk = Desk(
        ScriptedMarket(mids(CALM)),
        (
            Scripted(
                lambda view, own: (wish(least_net=Decimal(9)),) if view.now >= at("10:30") else (),
            ),
        ),
    )
    book = desk.run(at("10:45"))
    sent = [e.at for e in desk.journal.read() if isinstance(e, ev.OrderSubmitted)]
    assert sent == [at("10:30"), at("10:32")]
    assert not book.positions
    # Why not, in the journal: nobody took it at its floor of 9.00, and two tries are enough.
    assert book.day.declined == (("friday", "condor", "FILL"), ("friday", "condor", "LOCK"))


def test_a_strategy_that_raises_is_quarantined_and_guarded_and_the_others_go_on() -> None:
    def fails(view: View, own: Own) -> tuple[Intent, ...]:
        if own.positions:
            raise ZeroDivisionError("bug")
        return enter_at_1030(view, own)

    other = Scripted(lambda view, own: (Pass("other", "e", "VIX", "18 is not above 22"),), id="other")
    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(fails), other))
    book = desk.run(at("10:40"))
    assert book.quarantined == {"friday"}
    assert desk.heard.said[0][0] == "critical"
    assert ("other", "e", "VIX") in book.day.declined
    (position,) = book.positions.values()
    roles = tuple(c.role for c in position.open_components)
    desk.strategies[0].guards = (Close("friday", position.id, roles, Urgency.STOP, "15:30", "backstop"),)
    assert not desk.run(at("10:50"), since=at("10:41")).positions


def test_what_expires_is_settled_in_cash_at_the_close() -> None:
    market = ScriptedMarket(mids(CALM), settles={FRIDAY: 5690.0})
    desk = Desk(market, (Scripted(enter_at_1030),))
    book = desk.run(at("16:00"))
    assert not book.positions
    assert not book.orders
    # 8.40 received; the 5700 put is 10 points in the money: -10 x $100 x 2; a dollar a contract to
    # open and $5 for each of the two assigned puts.
    assert book.cash == Decimal(100_000) + 1_680 - 8 - 2_000 - 10
    assert book.prior_close == book.cash


def test_the_book_is_the_fold_of_the_journal_at_every_moment() -> None:
    market = ScriptedMarket(mids(CALM), settles={FRIDAY: 5690.0})
    desk = Desk(market, (Scripted(enter_at_1030),))
    now = at("09:30")
    while now <= at("16:00"):
        desk.kernel.step(now)
        assert fold(desk.journal.read()) == desk.kernel.book
        now = desk.kernel.next_wake(now)


def test_a_kernel_started_from_the_journal_goes_on_where_the_last_one_stopped() -> None:
    def run(*, restart_every_step: bool) -> str:
        market = ScriptedMarket(mids(CALM), settles={FRIDAY: 5690.0})
        desk = Desk(market, (Scripted(enter_at_1030),))
        now = at("09:30")
        while now <= at("16:00"):
            desk.kernel.step(now)
            wake = desk.kernel.next_wake(now)
            if restart_every_step:
                desk.kernel = Kernel(desk.parts)
                desk.kernel.value(now)
            now = wake
        return desk.journal.head()

    assert run(restart_every_step=True) == run(restart_every_step=False)


def test_no_data_is_no_trade_and_no_error() -> None:
    desk = Desk(ScriptedMarket(lambda *_: None), (Scripted(lambda *_: ()),))
    book = desk.run(at("16:00"))
    assert book.day.ended
    assert book.prior_close == Decimal(100_000)


def closing(own: Own, *roles: str, urgency: Urgency = Urgency.RULE, defends: bool = False) -> Close:
    (position,) = own.positions
    return Close("friday", position.id, roles, urgency, urgency.value, "test", defends=defends)


def with_gap(missing: str, since: str, until: str) -> Callable[[Contract, datetime], float | None]:
    """The calm mids, one of them missing for a while."""

    def mid(contract: Contract, now: datetime) -> float | None:
        assert isinstance(contract, Option)
        key = f"{contract.right.letter}{contract.strike:f}"
        return None if key == missing and at(since) <= now < at(until) else CALM[key]

    return mid


def test_an_entry_whose_quote_vanishes_ends_all_the_same() -> None:
    market = ScriptedMarket(with_gap("P5670", "10:30:05", "11:45"), half_spread_ticks=8)
    desk = Desk(market, (Scripted(enter_at_1030),))
    steps = 0
    now = at("10:29")
    while now <= at("10:31"):
        desk.kernel.step(now)
        now = desk.kernel.next_wake(now)
        steps += 1
    assert not desk.kernel.book.orders
    assert ("friday", "condor", "FILL") in desk.kernel.book.day.declined
    assert steps < 30


def test_an_exit_without_a_quote_is_said_and_the_quoted_side_does_not_wait() -> None:
    def script(view: View, own: Own) -> tuple[Intent, ...]:
        if own.positions and view.now >= at("12:00"):
            (position,) = own.positions
            return (closing(own, *(c.role for c in position.open_components)),)
        return enter_at_1030(view, own)

    desk = Desk(ScriptedMarket(with_gap("P5670", "11:59", "13:00")), (Scripted(script),))
    book = desk.run(at("12:30"))
    (position,) = book.positions.values()
    assert [c.role for c in position.open_components] == ["put side"]
    assert ("friday", "exit: rule exit", "DATA") in book.day.declined
    assert not desk.run(at("13:05"), since=at("12:31")).positions


def test_a_stop_overrides_the_patience_of_a_rule_exit() -> None:
    def script(view: View, own: Own) -> tuple[Intent, ...]:
        if not own.positions:
            return enter_at_1030(view, own)
        roles = ("put side", "call side")
        urgency = Urgency.STOP if view.now >= at("15:01") else Urgency.RULE
        return (closing(own, *roles, urgency=urgency),) if view.now >= at("15:00") else ()

    market = ScriptedMarket(mids(CALM), half_spread_ticks=1)
    desk = Desk(market, (Scripted(script),))
    desk.run(at("14:59"))
    market.vix_level = (
        60.0  # a fill loses the whole half-spread: a rule exit stands at the natural, short of it
    )
    market.half_spread_ticks = 4
    book = desk.run(at("15:03"), since=at("15:00"))
    assert not book.positions
    sent = [e.order.urgency for e in desk.journal.read() if isinstance(e, ev.OrderSubmitted)]
    assert sent[-2:] == [Urgency.RULE, Urgency.STOP]


def test_a_guardian_exit_that_raises_does_not_stop_the_others() -> None:
    @dataclass
    class Broken(Scripted):
        def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
            raise ValueError("guard")

    def fails(view: View, own: Own) -> tuple[Intent, ...]:
        raise ZeroDivisionError("bug")

    other = Scripted(lambda view, own: (Pass("other", "e", "VIX", "no"),), id="other")
    desk = Desk(ScriptedMarket(mids(CALM)), (Broken(fails), other))
    book = desk.run(at("09:35"))
    assert book.quarantined == {"friday"}
    assert ("other", "e", "VIX") in book.day.declined
    assert any("guard" in text for _, text in desk.heard.said)


def test_a_session_missed_over_its_close_is_ended_before_the_next_begins() -> None:
    market = ScriptedMarket(mids(CALM), settles={FRIDAY: 5690.0})
    desk = Desk(market, (Scripted(enter_at_1030),))
    desk.run(at("15:50"))
    monday = at("09:30", FRIDAY + timedelta(days=3))
    desk.kernel = Kernel(desk.parts)
    desk.kernel.step(monday)
    ended, began = [e for e in desk.journal.read() if isinstance(e, ev.SessionEnded | ev.SessionBegan)][1:]
    assert isinstance(ended, ev.SessionEnded)
    assert isinstance(began, ev.SessionBegan)
    assert (ended.day, began.day) == (FRIDAY, monday.date())
    # Settled at 5690 as on the evening itself: 8.40 in, 10 points out, two units; $8 and $10 of fees.
    assert ended.net_liq == Decimal(100_000) + 1_680 - 8 - 2_000 - 10


def test_a_restart_with_a_new_broker_rests_its_targets_again() -> None:
    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(enter_at_1030),))
    desk.run(at("10:40"))
    (before,) = desk.kernel.book.orders
    broker = SimBroker(desk.market, desk.parts.sessions, flat_fee)
    desk.parts = replace(desk.parts, broker=broker)
    desk.kernel = Kernel(desk.parts)
    book = desk.run(at("10:45"), since=at("10:41"))
    (after,) = book.orders.values()
    assert after.order.urgency is Urgency.TARGET
    assert after.order.id != before


def test_no_new_trades_ends_entries_that_already_work() -> None:
    desk = Desk(ScriptedMarket(mids(CALM), half_spread_ticks=8), (Scripted(enter_at_1030),))
    desk.run(at("10:30:10"))
    assert desk.kernel.book.orders
    desk.risk.stopped = "drawdown level RED"
    book = desk.run(at("10:30:25"), since=at("10:30:20"))
    assert not book.orders
    assert not book.positions


def test_a_first_observation_is_looked_at_again_when_it_may_be_confirmed() -> None:
    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(lambda view, own: ()),))
    desk.run(at("10:00"))
    desk.risk.look = at("10:00:30")
    assert desk.kernel.next_wake(at("10:00")) == at("10:00:30")


def test_woken_before_its_time_and_told_nothing_it_asks_nobody_again() -> None:
    asked: list[datetime] = []

    def script(view: View, own: Own) -> tuple[Intent, ...]:
        asked.append(view.now)
        return enter_at_1030(view, own)

    market = ScriptedMarket(mids(CALM))
    desk = Desk(market, (Scripted(script),))
    desk.run(at("10:40"))
    asked.clear()
    wake = desk.kernel.next_wake(at("10:40"))
    desk.kernel.step(at("10:40:20"))
    assert not asked
    assert desk.kernel.next_wake(at("10:40:20")) == wake
    # What it holds is worth something else now: it looks at everything.
    market.mid = mids({name: 2 * worth for name, worth in CALM.items()})
    desk.kernel.step(at("10:40:30"))
    assert asked == [at("10:40:30")]
    desk.kernel.next_wake(at("10:40:30"))
    desk.kernel.record(ev.CashMoved(at("10:40:40"), Decimal(1), "interest"))
    desk.kernel.step(at("10:40:40"))
    assert asked == [at("10:40:30"), at("10:40:40")]


def test_a_missing_leg_is_marked_at_what_was_last_seen_of_it_and_the_others_are_remembered() -> None:
    desk = Desk(ScriptedMarket(with_gap("P5670", "10:40", "10:50")), (Scripted(enter_at_1030),))
    desk.run(at("10:39"))
    seen = desk.kernel.value(at("10:39")).net_liq
    assert desk.kernel.value(at("10:41")).net_liq == seen
    assert ("call side" in {role for _, role in desk.kernel.value(at("10:41")).values}) is True
    assert ("put side" in {role for _, role in desk.kernel.value(at("10:41")).values}) is False


def test_a_restart_without_quotes_values_what_is_held_at_its_entry() -> None:
    # Not at nothing: a book of short options would look richer, one of long options poorer, than it is.
    desk = Desk(ScriptedMarket(mids(CALM)), (Scripted(enter_at_1030),))
    desk.run(at("10:39"))
    book = desk.kernel.book
    table = table_of(book)
    marks = marked(table, book.cash, np.full(len(table.contracts), np.nan), LastMids())
    held = [one for position in book.positions.values() for one in position.open_components]
    brought = sum(one.entry_net * one.units * one.structure.multiplier for one in held)
    assert brought > 0
    assert marks.net_liq == book.cash - brought
    assert marks.values == {}
