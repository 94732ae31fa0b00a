"""Paper on a real market's quotes: fills are worked out here, nothing is sent, a restart goes on from it."""

from collections.abc import Iterator
from datetime import date, time

import pytest
from tests.live.pretend import Production, production
from tests.live.test_production import an_entry, the_opening

from tomking.app.live.simulated import SettlingMarket, SimulatedLine
from tomking.app.live.stages import STAGES
from tomking.domain import events as ev
from tomking.domain.calendar import wall_instant

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
FRIDAY = date(2022, 9, 23)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with production(
        tmp_path_factory.mktemp("simulated"), FRIDAY, time(9, 15), ("friday_0dte",), simulated=True
    ) as found:
        yield found


def test_a_day_on_live_quotes_reaches_no_broker_with_anything(run: Production) -> None:
    ready = run.start()
    try:
        assert [name for name, _ in run.stages] == list(STAGES)
        assert "fills are worked out here, cash $200,000.00" in run.stages[3][1]
        line = ready.line
        assert isinstance(line, SimulatedLine)

        def taken() -> None:
            floor, now = line.account.floor, ready.clock.now()
            for ticket in list(floor.working.values()):
                if ticket.opens and floor.broker.traded(ticket.id, ticket.left, now):
                    floor._absorb(now)

        run.play(ready, time(11, 0), [*the_opening(ready), *an_entry(ready, taken)])
        events, book = list(ready.journal.read()), ready.trading.kernel.book
        opened = [e for e in events if isinstance(e, ev.OrderSubmitted) and e.order.opens]
        assert opened, [one.text for one in run.told]
        assert any(isinstance(e, ev.OrderFilled) for e in events)
        assert not any(isinstance(e, ev.Reconciled) and e.differences for e in events)
        # The venue has answered questions and has seen no order of ours.
        assert run.venue.house.account.orders(run.venue.house.clock.now()) == ()
        assert [e.data_digest for e in events if isinstance(e, ev.RunStarted)] == ["simulated"]
        assert line.account.positions(ready.clock.now()).cash == book.cash
    finally:
        ready.close()
    _goes_on(run)


def _goes_on(run: Production) -> None:
    """A second engine on the same journal finds the account as its book has it."""
    ready = run.start()
    try:
        book, line = ready.trading.kernel.book, ready.line
        assert isinstance(line, SimulatedLine)
        shown = line.account.positions(ready.clock.now())
        assert {contract for contract, _ in shown.held} == set(book.held())
        assert shown.held, "the condor is held, and its target works"
        assert shown.cash == book.cash
        ((order, working),) = book.orders.items()
        (ticket,) = line.account.floor.working.values()
        assert ticket.tag.split("-")[2:] == [order, f"{working.attempt}"]
        assert "book and broker agree" in run.stages[-1][1] or "orders in the book" in run.stages[-1][1]
        market = ready.feed.market
        assert isinstance(market, SettlingMarket)
        (contract, *_) = (one.order.structure.contracts[0] for one in _opened(ready.journal.read()))
        close = wall_instant(run.day, time(16, 0))
        assert market.settlement(contract, ready.clock.now()) is None, "it still trades"
        # An XSP is a tenth of the index.
        level = market.spot("SPX", close)
        assert level is not None
        assert market.settlement(contract, close) == pytest.approx(level / 10)
        run.play(ready, time(11, 6), [(lambda: True, time(11, 4, 58)), (lambda: True, time(11, 6))])
        events = list(ready.journal.read())
        found = ready.trading.kernel.book.orders[order]
        assert (found.doubt, found.parked) == (None, False), "it was found again by its tag, and works on"
        assert not any(isinstance(e, ev.OrderParked | ev.LegsUneven) for e in events)
        assert not any(isinstance(e, ev.Reconciled) and e.differences for e in events)
    finally:
        ready.close()


def _opened(events: Iterator[ev.Event]) -> list[ev.OrderSubmitted]:
    return [e for e in events if isinstance(e, ev.OrderSubmitted) and e.order.opens]
