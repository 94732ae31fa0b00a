"""Options on shares to their end, by the integer ledger: exercised, assigned, what is left closed at once."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar

import pytest
from tests.scenarios.accounts import Listening, calendar, history
from tests.scenarios.ledger import Ledger, exact_cents

from tomking.app.markets import model_market
from tomking.app.wiring import Silent, order_fees
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Session
from tomking.domain.chain import Chain
from tomking.domain.contract import Contract, Option, Share
from tomking.domain.intent import Approved, Close, Intent, Open, Part, Target, Verdict
from tomking.domain.lifecycle import State
from tomking.domain.money import cents
from tomking.domain.structure import Leg, Structure
from tomking.kernel import Kernel, Parts
from tomking.sim.broker import SimBroker
from tomking.sim.families import Families
from tomking.view import Own, View

E = TypeVar("E")


@dataclass
class OnceAt:
    """Opens what it was made with at 10:30 of the first day, and leaves it alone."""

    structure: Callable[[View], Structure]
    targets: tuple[Target, ...] = ()
    id: str = "test"
    first: date | None = None

    def steps(self, view: View, own: Own) -> tuple[Intent, ...]:
        return ()

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        self.first = self.first or view.today
        late = view.now >= view.session.at(time(10, 30))
        if not late or view.today != self.first or own.positions or own.entered:
            return ()
        wish = Open(
            strategy=self.id,
            entry="once",
            parts=(Part("only", self.structure(view)),),
            ceiling=2,
            planned_loss=Decimal(10),
            target_gain=Decimal(1),
            least_net=Decimal(-1000),
            reason="a test",
            targets=self.targets,
        )
        return (wish,)

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        return ()

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        wake = session.at(time(10, 30))
        return wake if now < wake else None


@dataclass
class Yes:
    """The ``Risk`` port that approves two units of anything."""

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
        return Approved(wish, 2, "test: 2 units")

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
class Account:
    """A kernel on the model market with one strategy, and the ledger beside it."""

    strategy: OnceAt
    market: Families = field(default_factory=lambda: model_market(history(), calendar(), 1))
    journal: Listening = field(default_factory=Listening)

    def __post_init__(self) -> None:
        self.kernel = Kernel(
            Parts(
                strategies=(self.strategy,),
                risk=Yes(),
                market=self.market,
                broker=SimBroker(self.market, calendar(), order_fees),
                journal=self.journal,
                notifier=Silent(),
                sessions=calendar(),
            )
        )

    def play(self, first: date, last: date) -> "Account":
        session = calendar().on(first)
        assert session is not None
        now = session.open
        self.kernel.record(ev.CashMoved(now, Decimal(500_000), "deposit"))
        end = calendar().on(last)
        assert end is not None
        while now <= end.close:
            self.kernel.step(now)
            now = self.kernel.next_wake(now)
        return self

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.journal.events if isinstance(event, kind)]

    def checked(self) -> Ledger:
        ledger = Ledger().read(self.journal.events)
        assert ledger.cash == exact_cents(self.kernel.book.cash)
        return ledger


def spy(view: View, days: int) -> Chain:
    expiry = min(view.expiries("SPY"), key=lambda e: abs((e - view.today).days - days))
    chain = view.chain("SPY", expiry)
    assert chain is not None
    return chain


def struck(chain: Chain, right: int, share_of_forward: float) -> Option:
    rows = [i for i in range(chain.strike.size) if chain.right[i] == right]
    return chain.option(min(rows, key=lambda i: abs(chain.strikes[i] - share_of_forward * chain.forward)))


def test_a_sold_put_in_the_money_at_expiry_leaves_shares_that_are_sold_at_the_next_open() -> None:
    def short_put(view: View) -> Structure:
        return Structure("short put", (Leg(struck(spy(view, 2), -1, 1.03), -1),))

    account = Account(OnceAt(short_put)).play(date(2013, 6, 4), date(2013, 6, 10))
    (settled,) = account.of(ev.Settled)
    (put,) = settled.expired
    assert isinstance(put, Option)
    # Assigned on two puts: twice the strike is paid, to the cent a lot, and two lots come in.
    assert settled.dollars == -2 * cents(put.strike * put.multiplier)
    assert settled.fees == 2 * Decimal(5)
    assert settled.delivered == (Leg(Share("SPY", put.multiplier, put.tick), 1),)
    sold = account.of(ev.OrderFilled)[-1]
    following = calendar().after(put.expiry)
    assert following is not None
    assert following.open <= sold.fill.at <= following.open + timedelta(minutes=5)
    opened = account.of(ev.OrderFilled)[0]
    assert not account.kernel.book.positions
    # To the cent: premium in, strike out, shares sold, less fees.  666.66 shares at 0.000966: 0.64.
    premium, price = opened.fill.leg_prices[0], sold.fill.leg_prices[0]
    gross = 2 * put.multiplier * (premium - put.strike + price)
    trade = account.of(ev.OrderSubmitted)[-1].order
    assert trade.trigger == "delivered"
    fees = opened.fill.fees + settled.fees + sold.fill.fees
    assert (sold.fill.fees, put.multiplier) == (Decimal("0.64"), Decimal("333.33"))
    assert abs(account.kernel.book.cash - 500_000 - gross + fees) < Decimal("0.02")
    assert not account.checked().holdings()


def test_a_vertical_wholly_in_the_money_delivers_shares_that_cancel() -> None:
    def vertical(view: View) -> Structure:
        chain = spy(view, 2)
        return Structure("vertical", (Leg(struck(chain, -1, 1.05), -1), Leg(struck(chain, -1, 1.03), 1)))

    account = Account(OnceAt(vertical)).play(date(2013, 6, 4), date(2013, 6, 7))
    (settled,) = account.of(ev.Settled)
    assert len(settled.expired) == 2
    assert settled.fees == 2 * 2 * Decimal(5)
    assert not account.kernel.book.positions, "long and short deliver the same lot"
    assert not account.checked().holdings()


def test_a_deep_put_is_assigned_at_the_close_before_it_expires_and_its_target_is_withdrawn() -> None:
    """At the 8 % of 1990 a put a third in the money is worth more in cash than in hand."""

    def covered(view: View) -> Structure:
        chain = spy(view, 60)
        return Structure("spread", (Leg(struck(chain, -1, 1.3), -1), Leg(struck(chain, -1, 0.9), 1)))

    account = Account(OnceAt(covered, (Target(("only",), Decimal("0.5")),)))
    account.play(date(1990, 8, 14), date(1990, 8, 15))
    (settled,) = account.of(ev.Settled)
    (put,) = settled.expired
    assert isinstance(put, Option)
    session = calendar().on(date(1990, 8, 14))
    assert session is not None
    assert settled.at == session.close
    assert put.expiry > session.date + timedelta(days=30)
    assert settled.dollars == -2 * cents(put.strike * put.multiplier)
    assert any(event.reason == "assigned" for event in account.of(ev.CancelRequested))
    # Shares and the put that covered go in one order at the next open.
    last = account.of(ev.OrderSubmitted)[-1].order
    assert last.trigger == "delivered"
    assert {type(leg.contract) for leg in last.structure.legs} == {Share, Option}
    assert not account.kernel.book.positions
    assert [e.after for e in account.of(ev.Transitioned)][-1] is State.CLOSED
    assert not account.checked().holdings()


def test_what_was_bought_is_not_exercised_for_us() -> None:
    def long_put(view: View) -> Structure:
        return Structure("long put", (Leg(struck(spy(view, 60), -1, 1.3), 1),))

    account = Account(OnceAt(long_put)).play(date(1990, 8, 14), date(1990, 8, 16))
    assert not account.of(ev.Settled)
    held: list[Contract] = account.kernel.book.held()
    assert len(held) == 1
    account.checked()


@pytest.mark.parametrize(
    ("product", "first", "days"), [("VIX", date(2016, 2, 8), 9), ("MCL", date(2016, 2, 8), 8)]
)
def test_cash_settled_options_of_other_families_are_paid_to_the_cent(
    product: str, first: date, days: int
) -> None:
    def long_call(view: View) -> Structure:
        expiry = min(view.expiries(product), key=lambda e: abs((e - view.today).days - days))
        chain = view.chain(product, expiry)
        assert chain is not None
        return Structure("long call", (Leg(struck(chain, 1, 0.7), 1),))

    account = Account(OnceAt(long_call)).play(first, date(2016, 2, 19))
    (settled,) = account.of(ev.Settled)
    (call,) = settled.expired
    assert isinstance(call, Option)
    expected = max(settled.price - call.strike, Decimal(0)) * call.multiplier * 2
    assert abs(settled.dollars - expected) <= Decimal("0.01")
    assert settled.dollars > 0
    session = calendar().on(call.expiry)
    assert session is not None
    # VIX options on Wednesday's open, micro oil at the close.
    assert settled.at == (session.open if product == "VIX" else session.close)
    account.checked()


def test_a_sold_gold_call_leaves_a_future_that_is_bought_back_at_the_next_open() -> None:
    def short_call(view: View) -> Structure:
        expiry = min(view.expiries("GC"), key=lambda e: abs((e - view.today).days - 3))
        chain = view.chain("GC", expiry)
        assert chain is not None
        return Structure("short call", (Leg(struck(chain, 1, 0.9), -1),))

    account = Account(OnceAt(short_call)).play(date(2013, 6, 4), date(2013, 6, 11))
    (settled,) = account.of(ev.Settled)
    (leg,) = settled.delivered
    assert str(leg) == "-1 GC 2013-08-28 F"
    assert not account.kernel.book.positions
    account.checked()
