"""1990 to 2024 once, on the default account: the money is right to the cent, and what is thin is explained.

The run takes half a minute, so every test here reads the same one; `--dist loadfile` keeps them on one
worker.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pytest
from tests.scenarios.accounts import account, calendar, history, request, world
from tests.scenarios.ledger import Ledger, exact_cents

from tomking.adapters.journal import MemoryJournal
from tomking.app.backtest import _findings
from tomking.app.play import Player
from tomking.app.report.findings import ENOUGH_TRADES, Findings
from tomking.app.report.page import render
from tomking.app.report.tables import sparse
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import new_york
from tomking.domain.record import Trade

pytestmark = pytest.mark.slow

FIRST, LAST = "1990-01-02", "2024-12-30"


@dataclass
class Audited:
    """The ``Journal`` port: what is written down goes to the ledger too, which is read at each close."""

    chain: MemoryJournal = field(default_factory=MemoryJournal)
    ledger: Ledger = field(default_factory=Ledger)
    closes: list[tuple[int, int]] = field(default_factory=list)
    """The ledger's cash and fees at every SessionEnded, whole cents."""
    fills: list[ev.OrderFilled] = field(default_factory=list)

    def append(self, event: ev.Event) -> None:
        self.chain.append(event)
        self.ledger.take(event)
        if isinstance(event, ev.OrderFilled):
            self.fills.append(event)
        if isinstance(event, ev.SessionEnded):
            self.closes.append((self.ledger.cash, self.ledger.fees))

    def commit(self) -> None:
        self.chain.commit()

    def read(self) -> Iterator[ev.Event]:
        return self.chain.read()

    def head(self) -> str:
        return self.chain.head()


@dataclass(frozen=True)
class Whole:
    """The run and what was seen of it at every close."""

    player: Player
    journal: Audited
    folded: list[tuple[date | None, bool, int, int]]
    """Of the book at every close: its session, whether that has ended, cash and fees in whole cents."""
    findings: Findings

    @property
    def trades(self) -> tuple[Trade, ...]:
        return self.findings.run.history.trades


@pytest.fixture(scope="module")
def whole() -> Whole:
    asked = request(FIRST, LAST)
    around, journal = world(asked), Audited()
    player = account(asked, around, journal)
    folded = []
    for session in around.played:
        player.play(session)
        book = player.kernel.book
        folded.append((book.day.session, book.day.ended, exact_cents(book.cash), exact_cents(book.fees)))
    return Whole(player, journal, folded, _findings(asked, around, player.played))


def test_every_session_is_played_and_closed(whole: Whole) -> None:
    assert len(whole.journal.closes) == len(whole.folded) == len(history().spx) == 8816
    assert all(ended for _, ended, _, _ in whole.folded)
    assert [day for day, *_ in whole.folded] == [d.date for d in whole.findings.run.history.days]


def test_cash_and_fees_are_the_integer_ledgers_to_the_cent_at_every_close(whole: Whole) -> None:
    assert [(cash, fees) for _, _, cash, fees in whole.folded] == whole.journal.closes
    assert len({cash for cash, _ in whole.journal.closes}) > 500, "the cash moved: this proves something"


def test_what_the_book_holds_at_the_end_is_what_the_ledger_holds(whole: Whole) -> None:
    assert whole.journal.ledger.holdings() == held(whole.player.kernel.book)


def test_the_journal_read_back_gives_the_same_ledger(whole: Whole) -> None:
    again = Ledger().read(whole.journal.read())
    assert (again.cash, again.fees) == whole.journal.closes[-1]
    assert again.holdings() == whole.journal.ledger.holdings()


def test_trades_and_open_positions_explain_every_cent_beyond_the_deposit(whole: Whole) -> None:
    book = whole.player.kernel.book
    reported = {trade.id for trade in whole.trades}
    running = [
        one
        for position in book.positions.values()
        for one in position.components.values()
        if one.trade not in reported
    ]
    closed = sum((trade.net for trade in whole.trades), Decimal(0))
    assert closed + sum((one.net_dollars for one in running), Decimal(0)) == book.cash - book.deposits
    assert book.deposits == Decimal(200_000)


def test_a_trades_parts_sum_to_its_net(whole: Whole) -> None:
    assert whole.trades
    for trade in whole.trades:
        assert sum(net for _, net in trade.parts) == trade.net == trade.gross - trade.fees
        assert trade.net == trade.net.quantize(Decimal("0.01"))


def test_no_fill_is_free_and_none_is_better_than_the_mid(whole: Whole) -> None:
    """Fees on every fill; over its legs each fill gives something away against the mids it saw."""
    for event in whole.journal.fills:
        assert event.fill.fees > 0
    assert whole.findings.slippage > 0
    assert all(dollars > 0 for dollars in whole.findings.run.history.slippage.values())


def test_every_fill_is_within_a_session_half_days_included(whole: Whole) -> None:
    fills = [event.at for event in whole.journal.fills]
    for at in fills:
        session = calendar().on(new_york(at).date())
        assert session is not None
        assert session.open <= at <= session.close


def test_every_0dte_position_is_flat_before_its_close(whole: Whole) -> None:
    ended = [trade for trade in whole.trades if trade.strategy == "friday_0dte"]
    for trade in ended:
        opened, closed = new_york(trade.opened), new_york(trade.closed)
        assert opened.weekday() == 4
        assert (opened.date(), closed.hour < 16) == (closed.date(), True), f"{trade.id} {trade.trigger}"
    assert ended


def test_no_lt112_unit_is_held_to_expiry(whole: Whole) -> None:
    """21 days before it everything is closed; only weekly calls may settle."""
    settled = [e for e in whole.journal.chain.read() if isinstance(e, ev.Settled)]
    assert all("weekly" in event.role or "call" in event.role for event in settled), settled


def test_records_count_the_trades_that_are_reported(whole: Whole) -> None:
    records = whole.player.kernel.book.records.values()
    assert sum(r.trades for r in records) == len(whole.trades)
    assert sum(r.won - r.lost for r in records) == sum(trade.net for trade in whole.trades)
    assert len({trade.id for trade in whole.trades}) == len(whole.trades)


def test_each_strategy_closes_fifty_trades_or_the_report_says_gate_by_gate_why_not(whole: Whole) -> None:
    found = whole.findings
    assert set(found.by_strategy) == {"friday_0dte", "lt112"}
    few = {name for name, stats in found.by_strategy.items() if stats.trades < ENOUGH_TRADES}
    assert ENOUGH_TRADES == 50
    assert set(found.sparse) == few
    page = render(found, None)
    for name, explained in zip(found.sparse, sparse(found), strict=True):
        refused = [r for r in found.run.history.refusals if r.strategy == name]
        assert refused, f"{name} has few trades and no reason"
        assert all(r.sessions > 0 and r.times >= r.sessions and r.example for r in refused)
        assert explained.sentence in page
        assert {r.code for r in refused} <= {word.strip(":;,.()") for word in page.split()}


def held(book: Book) -> dict[tuple[str, str], dict[object, int]]:
    """(position, role) to contracts, signed: as the book has them."""
    return {
        (position.id, one.role): {leg.contract: leg.ratio * one.units for leg in one.structure.legs}
        for position in book.positions.values()
        for one in position.open_components
    }
